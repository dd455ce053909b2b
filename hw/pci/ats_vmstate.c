/*
 * Migration of the engines behind a function with ATS and Page Requests
 *
 * Apart from the engines, so that these build without QEMU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/pci/ats_ruleset.h"
#include "hw/pci/ats_itag.h"
#include "hw/pci/ats_vmstate.h"
#include "migration/vmstate.h"

/* -- Messages under way ---------------------------------------------------- */

const VMStateDescription vmstate_ats_msg = {
    .name = "ats/msg",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(addr, AtsMsg),
        VMSTATE_UINT32(pasid, AtsMsg),
        VMSTATE_UINT32(itags, AtsMsg),
        VMSTATE_UINT16(rid, AtsMsg),
        VMSTATE_UINT16(prgi, AtsMsg),
        VMSTATE_UINT8(kind, AtsMsg),
        VMSTATE_UINT8(itag, AtsMsg),
        VMSTATE_UINT8(cc, AtsMsg),
        VMSTATE_UINT8(code, AtsMsg),
        VMSTATE_BOOL(read, AtsMsg),
        VMSTATE_BOOL(write, AtsMsg),
        VMSTATE_BOOL(last, AtsMsg),
        VMSTATE_BOOL(priv, AtsMsg),
        VMSTATE_BOOL(exec, AtsMsg),
        VMSTATE_BOOL(size, AtsMsg),
        VMSTATE_BOOL(global, AtsMsg),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_ats_tr_entry = {
    .name = "ats/translation",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(iova, AtsTrEntry),
        VMSTATE_UINT64(addr, AtsTrEntry),
        VMSTATE_UINT64(mask, AtsTrEntry),
        VMSTATE_BOOL(read, AtsTrEntry),
        VMSTATE_BOOL(write, AtsTrEntry),
        VMSTATE_BOOL(exec, AtsTrEntry),
        VMSTATE_BOOL(untranslated, AtsTrEntry),
        VMSTATE_BOOL(non_snooped, AtsTrEntry),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_ats_held = {
    .name = "ats/held",
    .version_id = 2,
    .minimum_version_id = 2,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(msg, AtsHeld, 1, vmstate_ats_msg, AtsMsg),
        VMSTATE_STRUCT(entry, AtsHeld, 1, vmstate_ats_tr_entry, AtsTrEntry),
        VMSTATE_UINT32(tr_tag, AtsHeld),
        VMSTATE_UINT8(status, AtsHeld),
        VMSTATE_BOOL(swap, AtsHeld),
        VMSTATE_INT64(due, AtsHeld),
        VMSTATE_UINT32(rule_at, AtsHeld),
        VMSTATE_END_OF_LIST()
    }
};

static int ats_ruleset_pre_save(void *opaque)
{
    ats_ruleset_save(opaque);
    return 0;
}

ATS_DEFINE_POST_SAVE(ats_ruleset_post_save, ats_ruleset_free_saved)

static int ats_ruleset_pre_load(void *opaque)
{
    ats_ruleset_free_saved(opaque);
    return 0;
}

static int ats_ruleset_post_load(void *opaque, int version_id)
{
    AtsRuleSet *set = opaque;

    for (int32_t i = 0; i < set->n_saved; i++) {
        if (set->saved[i].msg.kind >= ATS_MSG_KIND_NR ||
            set->saved[i].status > ATS_TR_CA) {
            ats_ruleset_free_saved(set);
            return -EINVAL;
        }
    }
    return ats_ruleset_restore(set) ? 0 : -EINVAL;
}

static bool ats_ruleset_count_ok(void *opaque, int version_id)
{
    AtsRuleSet *set = opaque;

    return set->n_saved >= 0 && set->n_saved <= ATS_HELD_MAX;
}

/* -- The translation agent ------------------------------------------------- */

static const VMStateDescription vmstate_ats_itag_fn = {
    .name = "ats/itags/function",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT16(rid, AtsItagFn),
        VMSTATE_UINT32(used, AtsItagFn),
        VMSTATE_UINT32(forgotten, AtsItagFn),
        VMSTATE_UINT64_ARRAY(seq, AtsItagFn, ATS_ITAG_NR),
        VMSTATE_UINT8_ARRAY(copies, AtsItagFn, ATS_ITAG_NR),
        VMSTATE_INT64_ARRAY(deadline, AtsItagFn, ATS_ITAG_NR),
        VMSTATE_END_OF_LIST()
    }
};

static int ats_itags_post_load(void *opaque, int version_id)
{
    return ats_itags_valid(opaque) ? 0 : -EINVAL;
}

/* Its alarm is its owner's timer, who migrates it */
const VMStateDescription vmstate_ats_itags = {
    .name = "ats/itags",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = ats_itags_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_QTAILQ_V(functions, AtsItags, 1, vmstate_ats_itag_fn,
                         AtsItagFn, next),
        VMSTATE_UINT32(outstanding, AtsItags),
        VMSTATE_UINT64(seq, AtsItags),
#define ATS_ITAG_COUNTER_VMSTATE(field, text) VMSTATE_UINT64(field, AtsItags),
        ATS_ITAG_COUNTERS(ATS_ITAG_COUNTER_VMSTATE)
#undef ATS_ITAG_COUNTER_VMSTATE
        VMSTATE_END_OF_LIST()
    }
};

/* After the rules, which who has them migrates: a message is of one of them */
const VMStateDescription vmstate_ats_ruleset = {
    .name = "ats/ruleset",
    .version_id = 2,
    .minimum_version_id = 2,
    .pre_save = ats_ruleset_pre_save,
    .post_save = ATS_POST_SAVE(ats_ruleset_post_save),
    .pre_load = ats_ruleset_pre_load,
    .post_load = ats_ruleset_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_INT32(n_saved, AtsRuleSet),
        VMSTATE_VALIDATE("no more messages than there can be",
                         ats_ruleset_count_ok),
        VMSTATE_STRUCT_VARRAY_ALLOC(saved, AtsRuleSet, n_saved, 1,
                                    vmstate_ats_held, AtsHeld),
#define ATS_RULESET_COUNTER_VMSTATE(field, text) \
        VMSTATE_UINT64(field, AtsRuleSet),
        ATS_RULESET_COUNTERS(ATS_RULESET_COUNTER_VMSTATE)
#undef ATS_RULESET_COUNTER_VMSTATE
        VMSTATE_END_OF_LIST()
    }
};

/* -- Page Requests --------------------------------------------------------- */

static const VMStateDescription vmstate_pcie_pri_group = {
    .name = "pcie-pri/group",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(cookie, PciePriGroup),
        VMSTATE_UINT32(pasid, PciePriGroup),
        VMSTATE_UINT32(pages, PciePriGroup),
        VMSTATE_UINT16(rid, PciePriGroup),
        VMSTATE_UINT16(prgi, PciePriGroup),
        VMSTATE_UINT8(use, PciePriGroup),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_pcie_pri_counters = {
    .name = "pcie-pri/counters",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(page_requests, PciePriCounters),
        VMSTATE_UINT64(groups, PciePriCounters),
        VMSTATE_UINT64(stop_markers, PciePriCounters),
        VMSTATE_UINT64(resp_success, PciePriCounters),
        VMSTATE_UINT64(resp_invalid, PciePriCounters),
        VMSTATE_UINT64(resp_failure, PciePriCounters),
        VMSTATE_UINT64(resp_unexpected, PciePriCounters),
        VMSTATE_UINT64(resp_ignored, PciePriCounters),
        VMSTATE_UINT64(resp_stale, PciePriCounters),
        VMSTATE_UINT64(resp_mistaken, PciePriCounters),
        VMSTATE_UINT64(violations, PciePriCounters),
        VMSTATE_END_OF_LIST()
    }
};

/* What the table implies is computed, so that the two cannot differ */
static int pcie_pri_post_load(void *opaque, int version_id)
{
    PciePri *pri = opaque;
    uint64_t used = 0;

    pri->n_groups = 0;
    memset(pri->in_use, 0, sizeof(pri->in_use));
    for (unsigned int i = 0; i < ATS_PRGI_NR; i++) {
        const PciePriGroup *group = &pri->groups[i];

        if (group->use > PCIE_PRI_STALE || group->prgi >= ATS_PRGI_NR) {
            return -EINVAL;
        }
        if (group->use != PCIE_PRI_FREE) {
            pri->n_groups++;
            pri->in_use[group->prgi]++;
            used += group->pages;
        }
    }
    if (used > UINT32_MAX || pri->last_prgi >= ATS_PRGI_NR) {
        return -EINVAL;
    }
    pri->credits_used = used;
    return 0;
}

const VMStateDescription vmstate_pcie_pri = {
    .name = "pcie-pri",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = pcie_pri_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_ATS_EQUAL(capacity, PciePri),
        VMSTATE_UINT32(allocation, PciePri),
        VMSTATE_BOOL(enable, PciePri),
        VMSTATE_BOOL(response_failure, PciePri),
        VMSTATE_BOOL(uprgi, PciePri),
        VMSTATE_BOOL(stopped, PciePri),
        VMSTATE_BOOL(failed, PciePri),
        VMSTATE_BOOL(waiters, PciePri),
        VMSTATE_UINT16(last_prgi, PciePri),
        VMSTATE_STRUCT_ARRAY(groups, PciePri, ATS_PRGI_NR, 1,
                             vmstate_pcie_pri_group, PciePriGroup),
        VMSTATE_UINT32_ARRAY(raw, PciePri, ATS_PRGI_NR),
        VMSTATE_UINT32_ARRAY(forgotten, PciePri, ATS_PRGI_NR),
        VMSTATE_UINT64(n_freed, PciePri),
        VMSTATE_UINT64_ARRAY(freed, PciePri, ATS_PRGI_NR),
        VMSTATE_STRUCT(cnt, PciePri, 1, vmstate_pcie_pri_counters,
                       PciePriCounters),
        VMSTATE_END_OF_LIST()
    }
};

/* -- Address Translation Cache --------------------------------------------- */

static const VMStateDescription vmstate_pcie_atc_entry = {
    .name = "pcie-atc/entry",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(iova, PcieAtcEntry),
        VMSTATE_UINT64(addr, PcieAtcEntry),
        VMSTATE_UINT64(mask, PcieAtcEntry),
        VMSTATE_UINT32(pasid, PcieAtcEntry),
        VMSTATE_BOOL(priv, PcieAtcEntry),
        VMSTATE_BOOL(read, PcieAtcEntry),
        VMSTATE_BOOL(write, PcieAtcEntry),
        VMSTATE_BOOL(exec, PcieAtcEntry),
        VMSTATE_BOOL(global, PcieAtcEntry),
        VMSTATE_END_OF_LIST()
    }
};

static int pcie_atc_pre_save(void *opaque)
{
    pcie_atc_save(opaque);
    return 0;
}

ATS_DEFINE_POST_SAVE(pcie_atc_post_save, pcie_atc_free_saved)

static int pcie_atc_pre_load(void *opaque)
{
    pcie_atc_free_saved(opaque);
    return 0;
}

static int pcie_atc_post_load(void *opaque, int version_id)
{
    pcie_atc_restore(opaque);
    return 0;
}

static bool pcie_atc_count_ok(void *opaque, int version_id)
{
    PcieAtc *atc = opaque;

    /* a negative one is more than that, too */
    return (uint32_t)atc->n_saved <= atc->capacity;
}

const VMStateDescription vmstate_pcie_atc = {
    .name = "pcie-atc",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_save = pcie_atc_pre_save,
    .post_save = ATS_POST_SAVE(pcie_atc_post_save),
    .pre_load = pcie_atc_pre_load,
    .post_load = pcie_atc_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_ATS_EQUAL(capacity, PcieAtc),
        VMSTATE_INT32(n_saved, PcieAtc),
        VMSTATE_VALIDATE("no more entries than capacity", pcie_atc_count_ok),
        VMSTATE_STRUCT_VARRAY_ALLOC(saved, PcieAtc, n_saved, 1,
                                    vmstate_pcie_atc_entry, PcieAtcEntry),
        VMSTATE_END_OF_LIST()
    }
};

/* -- Posted writes on their way -------------------------------------------- */

static bool ats_posted_write_ok(void *opaque, int version_id)
{
    AtsPostedWrite *w = opaque;

    return w->len && w->len <= ATS_POSTED_LEN;
}

static const VMStateDescription vmstate_ats_posted_write = {
    .name = "ats-posted/write",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(entry, AtsPostedWrite, 1, vmstate_ats_tr_entry,
                       AtsTrEntry),
        VMSTATE_UINT64(addr, AtsPostedWrite),
        VMSTATE_UINT32(pasid, AtsPostedWrite),
        VMSTATE_UINT32(len, AtsPostedWrite),
        VMSTATE_VALIDATE("a write of a possible size", ats_posted_write_ok),
        VMSTATE_VBUFFER_ALLOC_UINT32(data, AtsPostedWrite, 1, NULL, len),
        VMSTATE_INT64(due, AtsPostedWrite),
        VMSTATE_UINT8(requests, AtsPostedWrite),
        VMSTATE_BOOL(overtaken, AtsPostedWrite),
        VMSTATE_END_OF_LIST()
    }
};

static int ats_posted_pre_load(void *opaque)
{
    ats_posted_forget(opaque);
    return 0;
}

static int ats_posted_post_load(void *opaque, int version_id)
{
    return ats_posted_valid(opaque) ? 0 : -EINVAL;
}

static bool ats_posted_count_ok(void *opaque, int version_id)
{
    AtsPosted *p = opaque;

    if (p->n > ATS_POSTED_MAX) {
        p->n = 0;       /* nothing was loaded, so there is nothing to free */
        return false;
    }
    return true;
}

static const VMStateDescription vmstate_ats_posted = {
    .name = "ats-posted",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_load = ats_posted_pre_load,
    .post_load = ats_posted_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(n, AtsPosted),
        VMSTATE_VALIDATE("no more writes than there can be",
                         ats_posted_count_ok),
        VMSTATE_STRUCT_VARRAY_UINT32(slot, AtsPosted, n, 1,
                                     vmstate_ats_posted_write, AtsPostedWrite),
        VMSTATE_UINT64(queued, AtsPosted),
        VMSTATE_UINT64(overtaken, AtsPosted),
        VMSTATE_UINT64(lost, AtsPosted),
        VMSTATE_END_OF_LIST()
    }
};

/* -- The function ---------------------------------------------------------- */

static const VMStateDescription vmstate_ats_tr_req = {
    .name = "ats/translation-request",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(addr, AtsTrReq),
        VMSTATE_UINT32(pasid, AtsTrReq),
        VMSTATE_UINT32(tag, AtsTrReq),
        VMSTATE_UINT16(rid, AtsTrReq),
        VMSTATE_BOOL(no_write, AtsTrReq),
        VMSTATE_BOOL(priv, AtsTrReq),
        VMSTATE_BOOL(exec, AtsTrReq),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_ats_inflight_req = {
    .name = "ats/inflight-request",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(req, AtsInflightReq, 1, vmstate_ats_tr_req, AtsTrReq),
        VMSTATE_STRUCT(entry, AtsInflightReq, 1, vmstate_ats_tr_entry,
                       AtsTrEntry),
        VMSTATE_INT64(due, AtsInflightReq),
        VMSTATE_UINT32(owner, AtsInflightReq),
        VMSTATE_UINT32(result, AtsInflightReq),
        VMSTATE_UINT8(state, AtsInflightReq),
        VMSTATE_BOOL(narrow, AtsInflightReq),
        VMSTATE_END_OF_LIST()
    }
};

static bool ats_inflight_ok(AtsInflight *t)
{
    t->n = 0;
    for (unsigned int i = 0; i < ATS_INFLIGHT_NR; i++) {
        const AtsInflightReq *r = &t->slot[i];

        if (r->state > ATS_INFLIGHT_DONE ||
            (r->owner != ATS_NO_OWNER && r->owner >= ATS_OWNER_NR)) {
            return false;
        }
        t->n += r->state != ATS_INFLIGHT_FREE;
    }
    return true;
}

static int ats_function_post_load(void *opaque, int version_id)
{
    AtsFunction *f = opaque;

    if (!ats_inflight_ok(&f->inflight) ||
        f->n_errors > ARRAY_SIZE(f->errors)) {
        return -EINVAL;
    }
    for (unsigned int i = 0; i < f->n_errors; i++) {
        PCIEAERErr *err = &f->errors[i].err;

        /* two at once, or one without a header, are assertions of AER code */
        if (err->status & (err->status - 1)) {
            return -EINVAL;
        }
        err->flags &= PCIE_AER_ERR_MAYBE_ADVISORY |
                      PCIE_AER_ERR_TLP_PREFIX_PRESENT;
        err->flags |= PCIE_AER_ERR_HEADER_VALID;
    }
    ats_function_sync_config(f);
    return 0;
}

static const VMStateDescription vmstate_ats_function_counters = {
    .name = "ats-function/counters",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(inv_requests, AtsFunctionCounters),
        VMSTATE_UINT64(inv_completions, AtsFunctionCounters),
        VMSTATE_UINT64(atc_hits, AtsFunctionCounters),
        VMSTATE_UINT64(atc_misses, AtsFunctionCounters),
        VMSTATE_UINT64(translations, AtsFunctionCounters),
        VMSTATE_UINT64(trans_ur, AtsFunctionCounters),
        VMSTATE_UINT64(trans_ca, AtsFunctionCounters),
        VMSTATE_UINT64(trans_discarded, AtsFunctionCounters),
        VMSTATE_UINT64(trans_unexpected, AtsFunctionCounters),
        VMSTATE_UINT64(trans_timeouts, AtsFunctionCounters),
        VMSTATE_UINT64(violations, AtsFunctionCounters),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_ats_path_error = {
    .name = "ats-path-error",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(above, AtsPathError),
        VMSTATE_UINT32(err.status, AtsPathError),
        VMSTATE_UINT16(err.flags, AtsPathError),
        VMSTATE_UINT32_ARRAY(err.header, AtsPathError, 4),
        VMSTATE_UINT32_ARRAY(err.prefix, AtsPathError, 4),
        VMSTATE_END_OF_LIST()
    }
};

const VMStateDescription vmstate_ats_function = {
    .name = "ats-function",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = ats_function_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT16(ats_control, AtsFunction),
        VMSTATE_UINT16(pasid_control, AtsFunction),
        VMSTATE_STRUCT(pri, AtsFunction, 1, vmstate_pcie_pri, PciePri),
        VMSTATE_STRUCT(atc, AtsFunction, 1, vmstate_pcie_atc, PcieAtc),
        VMSTATE_STRUCT_ARRAY(inflight.slot, AtsFunction, ATS_INFLIGHT_NR, 1,
                             vmstate_ats_inflight_req, AtsInflightReq),
        VMSTATE_UINT32(inflight.last_tag, AtsFunction),
        VMSTATE_UINT64(inflight.starved, AtsFunction),
        VMSTATE_STRUCT(posted, AtsFunction, 1, vmstate_ats_posted, AtsPosted),
        VMSTATE_BOOL(no_ats, AtsFunction),
        VMSTATE_UINT8(n_errors, AtsFunction),
        VMSTATE_STRUCT_ARRAY(errors, AtsFunction, ATS_FUNCTION_ERRORS,
                             1, vmstate_ats_path_error, AtsPathError),
        VMSTATE_STRUCT(cnt, AtsFunction, 1, vmstate_ats_function_counters,
                       AtsFunctionCounters),
        VMSTATE_END_OF_LIST()
    }
};
