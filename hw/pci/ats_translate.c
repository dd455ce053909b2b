/*
 * Translation Requests of a function with ATS
 *
 * The completion of a request comes inside the request, as a rule.  When it
 * takes time the owner of the request waits: what invalidations do to it
 * meanwhile is in ats_inflight.c.
 *
 * PCIe 6.2 10.2, 10.3.6
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ats_function_internal.h"
#include "hw/pci/pci.h"
#include "hw/pci/pci_device.h"
#include "trace.h"

static bool ats_permits(const AtsAccess *acc, bool read, bool write, bool exec)
{
    return (!acc->read || read) && (!acc->write || write) &&
           (!acc->exec || exec);
}

/*
 * With Page Aligned Request the lower bits are 0, else they are whatever the
 * access has (PCIe 6.2 10.2.2.1)
 */
static uint64_t ats_request_addr(const AtsFunction *f, uint64_t addr)
{
    return addr & (f->cfg->page_aligned ? ~0xfffULL : ~3ULL);
}

static bool ats_lookup(AtsFunction *f, const AtsAccess *acc, AtsTrEntry *entry)
{
    const PcieAtcEntry *hit = pcie_atc_lookup(&f->atc, acc->addr, acc->pasid,
                                              acc->priv);

    if (!hit || !ats_permits(acc, hit->read, hit->write, hit->exec)) {
        f->cnt.atc_misses++;
        return false;
    }
    f->cnt.atc_hits++;
    *entry = (AtsTrEntry) {
        .iova = hit->iova,
        .addr = hit->addr,
        .mask = hit->mask,
        .read = hit->read,
        .write = hit->write,
        .exec = hit->exec,
    };
    return true;
}

static void ats_cache(AtsFunction *f, const AtsTrReq *req,
                      const AtsTrEntry *entry)
{
    PcieAtcEntry e = {
        .iova = entry->iova,
        .addr = entry->addr,
        .mask = entry->mask,
        .pasid = req->pasid,
        .priv = req->priv,
        .read = entry->read,
        .write = entry->write,
        .exec = entry->exec,
    };

    /* R=W=0 is refused by the cache; U=1 gives no address to cache */
    if (!entry->untranslated) {
        pcie_atc_insert(&f->atc, &e);
    }
}

/* Received Master or Target Abort, PCIe 6.2 7.5.1.1.4 */
static void ats_function_aborted(AtsFunction *f, uint16_t bit)
{
    pci_word_test_and_set_mask(f->dev->config + PCI_STATUS, bit);
}

/* A range smaller than the STU is as good as UR, PCIe 6.2 10.2.3.2 */
static AtsTrStatus ats_effective(const AtsFunction *f, AtsTrStatus status,
                                 const AtsTrEntry *entry)
{
    return status == ATS_TR_SUCCESS && entry->mask < ats_function_stu(f) ?
           ATS_TR_UR : status;
}

/* What a completion means for the request, apart from its permissions */
static AtsResult ats_finish(AtsFunction *f, const AtsTrReq *req,
                            AtsTrStatus wire, const AtsTrEntry *entry)
{
    AtsTrStatus status = ats_effective(f, wire, entry);

    if (status == ATS_TR_UR) {
        f->cnt.trans_ur++;
        ats_function_aborted(f, PCI_STATUS_REC_MASTER_ABORT);
        f->no_ats = f->ur_disables;
        return ATS_UR;
    }
    if (status != ATS_TR_SUCCESS) {
        f->cnt.trans_ca++;
        ats_function_aborted(f, PCI_STATUS_REC_TARGET_ABORT);
        return ATS_CA;
    }
    if (!entry->read && !entry->write) {
        return ATS_ABSENT;
    }
    if (req->addr < entry->iova || req->addr - entry->iova > entry->mask) {
        ats_function_violation(f, "translation of another address");
        return ATS_CA;
    }
    ats_cache(f, req, entry);
    return ATS_OK;
}

/*
 * The result of a request that was pending, if there is one for @acc.  One for
 * something else is kept: its owner may look up the other side of a copy first.
 */
static bool ats_take_result(AtsFunction *f, const AtsAccess *acc,
                            uint32_t owner, AtsTrEntry *entry,
                            AtsResult *result)
{
    AtsInflightReq *r = owner == ATS_NO_OWNER ? NULL :
                        ats_inflight_of(&f->inflight, owner);

    if (!r) {
        return false;
    }
    if (r->state != ATS_INFLIGHT_DONE) {
        *result = ATS_PENDING;
        return true;
    }
    if (r->result > ATS_NOT_ENABLED ||
        r->req.addr != ats_request_addr(f, acc->addr) ||
        r->req.pasid != acc->pasid || r->req.priv != acc->priv ||
        r->req.exec != acc->exec || r->req.no_write != !acc->write) {
        return false;
    }
    *entry = r->entry;
    *result = r->result;
    ats_function_abandon(f, owner);
    return true;
}

/* What the ports above the function answer; Success: it passes them */
static AtsTrStatus ats_translate_path(AtsFunction *f, const AtsTrReq *req)
{
    AtsTlp tlp = {
        .kind = ATS_TLP_READ,
        .at = ATS_AT_TRANSLATION_REQUEST,
        .rid = req->rid,
        .addr = req->addr,
        .len = 8,
        .pasid = req->pasid,
        .priv = req->priv,
        .exec = req->exec,
        .no_write = req->no_write,
    };

    switch (ats_function_pass(f, &tlp)) {
    case ATS_PATH_PASSED:
        return ATS_TR_SUCCESS;
    case ATS_PATH_UR:
    case ATS_PATH_PEER:                 /* which is no Translation Agent */
        return ATS_TR_UR;
    default:
        return ATS_TR_CA;
    }
}

static AtsTrStatus ats_request(AtsFunction *f, AtsTrReq *req, uint32_t owner,
                               AtsTrEntry *entry)
{
    AtsTrStatus status;

    if (owner != ATS_NO_OWNER) {
        /* a result that he still has is for something else, or stale */
        ats_function_abandon(f, owner);
        req->tag = ats_inflight_tag(&f->inflight, owner);
        if (req->tag == ATS_TR_NO_TAG) {
            return ATS_TR_PENDING;
        }
    }
    req->rid = pci_requester_id(f->dev);
    memset(entry, 0, sizeof(*entry));
    f->cnt.translations++;
    status = ats_translate_path(f, req);
    if (status == ATS_TR_SUCCESS) {
        status = ats_link_translate(f->link, req, entry);
    }
    if (status == ATS_TR_PENDING) {
        ats_inflight_add(&f->inflight, req, owner, f->ops->due ?
                         f->ops->due(f->opaque) : ATS_INFLIGHT_NEVER);
    } else if (f->ops->translated) {
        f->ops->translated(f->opaque, req, status, entry, false);
    }
    return status;
}

AtsResult ats_function_translate(AtsFunction *f, const AtsAccess *acc,
                                 AtsTrEntry *entry, uint32_t owner)
{
    AtsTrReq req = {
        .addr = ats_request_addr(f, acc->addr),
        .pasid = acc->pasid,
        .no_write = !acc->write,
        .priv = acc->priv,
        .exec = acc->exec,
    };
    AtsTrStatus status;
    AtsResult result;

    if (!f->link || !ats_function_may_request(f) ||
        !ats_function_ats_enabled(f) || f->no_ats ||
        !ats_function_pasid_ok(f, acc->pasid, acc->priv, acc->exec)) {
        return ATS_NOT_ENABLED;
    }
    if (!f->inflight.n ||
        !ats_take_result(f, acc, owner, entry, &result)) {
        if (ats_lookup(f, acc, entry)) {
            return ATS_OK;
        }
        status = ats_request(f, &req, owner, entry);
        if (status == ATS_TR_PENDING) {
            return ATS_PENDING;
        }
        result = ats_finish(f, &req, status, entry);
    }
    if (result == ATS_OK &&
        !ats_permits(acc, entry->read, entry->write, entry->exec)) {
        return ATS_ABSENT;
    }
    return result;
}

/* -- Completions that took time -------------------------------------------- */

static void ats_wake(AtsFunction *f, uint64_t owners)
{
    for (uint32_t n = 0; owners; n++, owners >>= 1) {
        if (owners & 1) {
            f->ops->translate_again(f->opaque, n);
        }
    }
}

void ats_function_abandon(AtsFunction *f, uint32_t owner)
{
    if (f->inflight.n || f->inflight.starved) {
        ats_wake(f, ats_inflight_abandon(&f->inflight, owner));
    }
}

/*
 * Of a translation larger than the request, what was asked for: the rest was
 * invalidated on the way.
 */
static void ats_narrow(AtsFunction *f, const AtsTrReq *req, AtsTrEntry *entry)
{
    uint64_t mask = MIN(entry->mask, ats_function_stu(f));
    uint64_t iova = req->addr & ~mask;

    if (iova >= entry->iova && iova - entry->iova <= entry->mask) {
        entry->addr += iova - entry->iova;
        entry->iova = iova;
        entry->mask = mask;
    }
}

/* A completion for a request that nothing has invalidated, E still set */
static bool ats_accept(AtsFunction *f, AtsInflightReq *r, AtsTrStatus status,
                       const AtsTrEntry *entry)
{
    if (r->state != ATS_INFLIGHT_WAITING || !ats_function_ats_enabled(f)) {
        f->cnt.trans_discarded++;
        return false;
    }
    r->entry = *entry;
    if (r->narrow) {
        ats_narrow(f, &r->req, &r->entry);
    }
    r->result = ats_finish(f, &r->req, status, &r->entry);
    r->state = ATS_INFLIGHT_DONE;
    return true;
}

void ats_function_translated(void *opaque, uint32_t tag, AtsTrStatus status,
                             const AtsTrEntry *entry)
{
    AtsFunction *f = opaque;
    AtsInflightReq *r;
    AtsTrReq req = { .tag = tag, .pasid = ATS_NO_PASID };
    uint32_t owner;
    bool accepted;

    if (f->unresponsive || !ats_function_connected(f)) {
        return;
    }
    r = ats_inflight_find(&f->inflight, tag);
    if (!r) {
        /* Unexpected Completion: the request was forgotten, or had one */
        trace_ats_translate_completion(f->dev->name, tag, status,
                                       "unexpected");
        f->cnt.trans_unexpected++;
        if (f->ops->translated) {
            f->ops->translated(f->opaque, &req, status, entry, true);
        }
        return;
    }
    req = r->req;
    owner = r->owner;
    accepted = ats_accept(f, r, status, entry);
    trace_ats_translate_completion(f->dev->name, tag, status, accepted ?
                                   "accepted" : "discarded");
    if (f->ops->translated) {
        f->ops->translated(f->opaque, &req, status, entry, !accepted);
    }
    if (!accepted) {
        ats_wake(f, ats_inflight_free(&f->inflight, r));
    }
    if (owner != ATS_NO_OWNER) {
        f->ops->translate_again(f->opaque, owner);
    }
}

void ats_function_expire(AtsFunction *f, int64_t now)
{
    AtsInflightReq *r;

    while ((r = ats_inflight_expired(&f->inflight, now))) {
        AtsTrReq req = r->req;
        uint32_t owner = r->owner;

        trace_ats_translate_timeout(f->dev->name, req.tag, req.pasid,
                                    req.addr);
        f->cnt.trans_timeouts++;
        ats_wake(f, ats_inflight_free(&f->inflight, r));
        f->ops->timed_out(f->opaque, &req, owner);
    }
}

void ats_function_flush(AtsFunction *f)
{
    pcie_atc_flush(&f->atc);
    ats_inflight_flush(&f->inflight);
}

void ats_function_flush_pasid(AtsFunction *f, uint32_t pasid)
{
    pcie_atc_flush_pasid(&f->atc, pasid);
    ats_inflight_flush_pasid(&f->inflight, pasid);
}
