/*
 * VT-d device-TLB invalidation: ITags, completions, errors
 *
 * An invalidation of a function on the link is a message with an ITag, and it
 * is done when the function's completions have come.  The queue does not stop
 * for it: descriptors behind it are fetched until a wait descriptor that cannot
 * complete yet (intel_iommu_invwait.c), IQH moves past that one, and fetching
 * goes on when it is complete.  So the queue makes progress on IQT writes,
 * messages, time-outs and when errors are cleared, and never sleeps in any of
 * them.
 *
 * An invalidation that times out stops the queue (ITE) and aborts the waits
 * that are kept; IQH is past them, so they are not executed again.
 *
 * Functions that are not on the link keep QEMU's synchronous notifiers.
 *
 * Locking: everything comes under the BQL.
 *
 * VT-d 4.3, 6.5.2.5, 6.5.2.9 to 6.5.2.12, 7.7
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "migration/vmstate.h"
#include "hw/i386/intel_iommu.h"
#include "intel_iommu_internal.h"
#include "intel_iommu_invwait.h"
#include "trace.h"

/*
 * Functions that may have invalidations on their way at a time: a guest can
 * name 65536 that do not answer.  A request for one more is deferred, as if
 * the hardware had no more ITags.
 */
#define VTD_DEVTLB_FUNCTIONS_MAX    256

/* The ITags of one function, VT-d 4.3 */
struct VTDDevTlbFn {
    uint16_t rid;
    uint32_t used;                      /* one bit an ITag */
    uint32_t forgotten;                 /* of @used: the queue was disabled */
    uint64_t seq[ATS_ITAG_NR];          /* number of the invalidation */
    uint8_t copies[ATS_ITAG_NR];        /* completions received */
    int64_t deadline[ATS_ITAG_NR];      /* virtual clock, ns */
    QTAILQ_ENTRY(VTDDevTlbFn) next;
};

/* -- errors: VT-d 6.5.2.11 ------------------------------------------------ */

/* Set an error bit of FSTS; the source id is that of the first error */
static void vtd_devtlb_error(IntelIOMMUState *s, uint32_t bit, uint16_t sid)
{
    uint32_t fsts = vtd_get_long_raw(s, DMAR_FSTS_REG);
    unsigned int shift = bit == VTD_FSTS_ITE ? 32 : 48;
    uint64_t rec = vtd_get_quad_raw(s, DMAR_IQERCD_REG);

    trace_vtd_devtlb_error(bit, sid);
    if (!(fsts & bit)) {
        if (s->svm.knobs.itesid == 1) {
            sid = 0;
        }
        vtd_set_quad_raw(s, DMAR_IQERCD_REG, deposit64(rec, shift, 16, sid));
    }
    vtd_set_clear_mask_long(s, DMAR_FSTS_REG, 0, bit);
    vtd_generate_fault_event(s, fsts);
}

/* -- errors and delays that a knob asks for ------------------------------- */

static void vtd_devtlb_inject_now(IntelIOMMUState *s, uint32_t bit)
{
    if (bit == VTD_FSTS_ITE) {
        vtd_inv_wait_abort_all(s);
        vtd_devtlb_error(s, bit, s->svm.knobs.inject_ite);
    } else {
        vtd_devtlb_error(s, bit, s->svm.knobs.inject_ice);
    }
}

void vtd_devtlb_inject(IntelIOMMUState *s, uint32_t bit)
{
    if (s->svm.knobs.inject_at) {
        s->svm.devtlb.inject |= bit;
    } else {
        vtd_devtlb_inject_now(s, bit);
    }
}

bool vtd_devtlb_inject_iqe(IntelIOMMUState *s)
{
    if (s->svm.knobs.inject_iqe != 1) {
        return true;
    }
    s->svm.knobs.inject_iqe = 0;
    s->svm.devtlb.iqei = s->svm.knobs.inject_iqei;
    return false;
}

void vtd_devtlb_executed(IntelIOMMUState *s)
{
    VTDDevTlb *devtlb = &s->svm.devtlb;
    VTDKnobs *knobs = &s->svm.knobs;
    uint32_t bits;

    if (devtlb->stalled) {
        return;             /* a deferred descriptor stays in the queue */
    }
    knobs->inject_iqe -= !!knobs->inject_iqe;
    if (knobs->inject_at && !--knobs->inject_at) {
        bits = devtlb->inject;
        devtlb->inject = 0;
        if (bits & VTD_FSTS_ICE) {
            vtd_devtlb_inject_now(s, VTD_FSTS_ICE);
        }
        if (bits & VTD_FSTS_ITE) {
            vtd_devtlb_inject_now(s, VTD_FSTS_ITE);
        }
    }
}

static void vtd_devtlb_desc_let(void *owner, const void *data)
{
    IntelIOMMUState *s = container_of(owner, IntelIOMMUState,
                                      svm.devtlb.desc_stage);

    s->svm.devtlb.desc_stage = VTD_EVENT_LET;
    vtd_devtlb_kick(s);
}

/* Is the execution of the descriptor at IQH an event that is kept? */
static bool vtd_devtlb_desc_keep(IntelIOMMUState *s)
{
    VTDDevTlb *devtlb = &s->svm.devtlb;

    if (devtlb->desc_stage == VTD_EVENT_TO_COME &&
        ats_actor_event(ATS_EVENT_DESCRIPTOR, ATS_LANE_IOMMU,
                        &devtlb->desc_stage, vtd_devtlb_desc_let, NULL, 0)) {
        devtlb->desc_stage = VTD_EVENT_KEPT;
    }
    if (devtlb->desc_stage == VTD_EVENT_KEPT) {
        devtlb->stalled = true;
        return true;
    }
    devtlb->desc_stage = VTD_EVENT_TO_COME;
    return false;
}

void vtd_devtlb_desc_anew(IntelIOMMUState *s)
{
    s->svm.devtlb.desc_due = 0;
    s->svm.devtlb.desc_stage = VTD_EVENT_TO_COME;
    ats_actor_forget(&s->svm.devtlb.desc_stage);
}

bool vtd_devtlb_desc_due(IntelIOMMUState *s, uint8_t type)
{
    VTDDevTlb *devtlb = &s->svm.devtlb;
    VTDKnobs *knobs = &s->svm.knobs;
    int64_t now;

    if (!knobs->desc_delay ||
        (knobs->desc_delay_type && knobs->desc_delay_type != type)) {
        return !vtd_devtlb_desc_keep(s);
    }
    now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    if (!devtlb->desc_due) {
        devtlb->desc_due = now + knobs->desc_delay * SCALE_US;
    }
    if (devtlb->desc_due > now) {
        timer_mod_anticipate(devtlb->wait_timer, devtlb->desc_due);
        devtlb->stalled = true;
        return false;
    }
    devtlb->desc_due = 0;
    return !vtd_devtlb_desc_keep(s);
}

/* -- recovery ------------------------------------------------------------- */

void vtd_devtlb_errors_cleared(IntelIOMMUState *s, uint32_t old)
{
    uint32_t cleared = old & ~vtd_get_long_raw(s, DMAR_FSTS_REG);
    uint64_t rec = vtd_get_quad_raw(s, DMAR_IQERCD_REG);

    if (s->svm.knobs.iqercd_stale) {
        rec |= cleared & VTD_FSTS_IQE ? VTD_IQERCD_IQEI : 0;
        rec |= cleared & VTD_FSTS_ITE ? VTD_IQERCD_ITESID : 0;
        rec |= cleared & VTD_FSTS_ICE ? VTD_IQERCD_ICESID : 0;
        vtd_set_quad_raw(s, DMAR_IQERCD_REG, rec);
    }
    if (cleared & (VTD_FSTS_IQE | VTD_FSTS_ITE)) {
        vtd_devtlb_kick(s);
    }
}

/* -- ITags ---------------------------------------------------------------- */

static VTDDevTlbFn *vtd_devtlb_fn(IntelIOMMUState *s, uint16_t rid)
{
    VTDDevTlbFn *fn;

    QTAILQ_FOREACH(fn, &s->svm.devtlb.functions, next) {
        if (fn->rid == rid) {
            return fn;
        }
    }
    return NULL;
}

static void vtd_devtlb_free_itag(IntelIOMMUState *s, VTDDevTlbFn *fn,
                                 unsigned int itag)
{
    VTDDevTlb *devtlb = &s->svm.devtlb;

    fn->used &= ~(1u << itag);
    fn->forgotten &= ~(1u << itag);
    devtlb->outstanding--;
    if (!fn->used) {
        QTAILQ_REMOVE(&devtlb->functions, fn, next);
        g_free(fn);
    }
}

/* Set the timer to the ITag that times out first */
static void vtd_devtlb_arm(IntelIOMMUState *s)
{
    int64_t first = INT64_MAX;
    VTDDevTlbFn *fn;

    QTAILQ_FOREACH(fn, &s->svm.devtlb.functions, next) {
        for (unsigned int itag = 0; itag < ATS_ITAG_NR; itag++) {
            if (fn->used & (1u << itag)) {
                first = MIN(first, fn->deadline[itag]);
            }
        }
    }
    if (first == INT64_MAX) {
        timer_del(s->svm.devtlb.timer);
    } else {
        timer_mod(s->svm.devtlb.timer, first);
    }
}

static void vtd_devtlb_expired(void *opaque)
{
    IntelIOMMUState *s = opaque;
    VTDDevTlb *devtlb = &s->svm.devtlb;
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    VTDDevTlbFn *fn, *next;
    bool freed = false;

    QTAILQ_FOREACH_SAFE(fn, &devtlb->functions, next, next) {
        uint16_t rid = fn->rid;
        uint32_t expired = 0;

        for (unsigned int itag = 0; itag < ATS_ITAG_NR; itag++) {
            if ((fn->used & (1u << itag)) && fn->deadline[itag] <= now) {
                expired |= 1u << itag;
            }
        }
        while (expired) {
            unsigned int itag = ctz32(expired);

            expired &= expired - 1;
            trace_vtd_devtlb_timeout(rid, itag);
            if (fn->forgotten & (1u << itag)) {
                vtd_devtlb_free_itag(s, fn, itag);
                freed = true;
                continue;
            }
            devtlb->timeouts++;
            vtd_inv_wait_abort_all(s);
            vtd_devtlb_free_itag(s, fn, itag);
            vtd_devtlb_error(s, VTD_FSTS_ITE, rid);
        }
    }
    vtd_devtlb_arm(s);
    if (freed) {
        vtd_devtlb_kick(s);     /* a request may wait for an ITag */
    }
}

static void vtd_devtlb_timeout(void *opaque)
{
    ats_actor_timer(ATS_LANE_IOMMU, opaque, vtd_devtlb_expired);
}

/*
 * Does an invalidation of function @rid go out as a message?  Functions with
 * ATS that are not on the link have QEMU's notifiers instead, which are done at
 * once.  A function that does not exist, or has no ATS and so an Unsupported
 * Request (PCIe 6.2 10.3.2), never answers; without page requests the unit is
 * QEMU's own, whose users know no time-out.
 */
static bool vtd_devtlb_by_message(IntelIOMMUState *s, uint16_t rid)
{
    if (ats_link_has_port(s->svm.link, rid)) {
        return true;
    }
    if (!(s->ecap & VTD_ECAP_PRS)) {
        return false;
    }
    switch (vtd_svm_function_kind(rid)) {
    case VTD_FUNCTION_ABSENT:
        return s->svm.knobs.inv_absent == 0;
    case VTD_FUNCTION_NO_ATS:
        return s->svm.knobs.inv_no_ats == 0;
    default:
        return false;
    }
}

/* A function with a free ITag, or NULL if there is none now */
static VTDDevTlbFn *vtd_devtlb_free_fn(IntelIOMMUState *s, uint16_t rid,
                                       unsigned int mip)
{
    unsigned int limit = MIN(MAX(s->svm.knobs.itags, 1), mip ? mip : 32);
    unsigned int n = 0;
    VTDDevTlbFn *fn;

    QTAILQ_FOREACH(fn, &s->svm.devtlb.functions, next) {
        if (fn->rid == rid) {
            return ctpop32(fn->used) < limit ? fn : NULL;
        }
        n++;
    }
    if (n >= VTD_DEVTLB_FUNCTIONS_MAX) {
        return NULL;
    }
    fn = g_new0(VTDDevTlbFn, 1);
    fn->rid = rid;
    QTAILQ_INSERT_TAIL(&s->svm.devtlb.functions, fn, next);
    return fn;
}

/* Send the message, or leave it for later if all ITags are in use */
static bool vtd_devtlb_send(IntelIOMMUState *s, AtsMsg *msg, unsigned int mip)
{
    VTDDevTlb *devtlb = &s->svm.devtlb;
    uint64_t timeout = s->svm.knobs.ite_timeout;
    int64_t deadline = !timeout ? INT64_MAX :
        qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + timeout * SCALE_MS;
    VTDDevTlbFn *fn = vtd_devtlb_free_fn(s, msg->rid, mip);

    if (!fn) {
        trace_vtd_devtlb_deferred(msg->rid);
        devtlb->deferred++;
        devtlb->stalled = true;
        return false;
    }

    msg->kind = ATS_MSG_INV_REQUEST;
    msg->itag = ctz32(~fn->used);
    fn->used |= 1u << msg->itag;
    fn->seq[msg->itag] = ++devtlb->seq;
    fn->copies[msg->itag] = 0;
    fn->deadline[msg->itag] = deadline;
    devtlb->outstanding++;
    devtlb->requests++;
    trace_vtd_devtlb_request(msg->rid, msg->pasid, msg->addr, msg->itag);
    ats_link_send(s->svm.link, msg);
    /* It may be too early for what is outstanding: then it is set once more */
    if (devtlb->outstanding && timeout) {
        timer_mod_anticipate(devtlb->timer, deadline);
    }
    return true;
}

bool vtd_devtlb_invalidate(IntelIOMMUState *s, uint16_t rid, uint32_t pasid,
                           uint64_t addr, bool size, bool global,
                           unsigned int mip)
{
    if (vtd_devtlb_by_message(s, rid)) {
        AtsMsg msg = {
            .rid = rid,
            .pasid = pasid,
            .addr = addr,
            .size = size,
            .global = global,
        };

        return vtd_devtlb_send(s, &msg, mip);
    }
    return true;
}

bool vtd_devtlb_qi_abort(IntelIOMMUState *s)
{
    VTDDevTlb *devtlb = &s->svm.devtlb;
    VTDDevTlbFn *fn;

    if (s->svm.knobs.qie_busy) {
        return false;
    }
    trace_vtd_devtlb_qi_abort(devtlb->outstanding, devtlb->n_waits);
    vtd_inv_wait_abort_all(s);
    QTAILQ_FOREACH(fn, &devtlb->functions, next) {
        fn->forgotten |= fn->used;
    }
    devtlb->stalled = false;
    vtd_devtlb_desc_anew(s);
    return true;
}

/* One copy of the completion of one ITag, VT-d 4.3; false if it is not used */
static bool vtd_devtlb_complete_itag(IntelIOMMUState *s, uint16_t rid,
                                     unsigned int itag, uint8_t cc)
{
    VTDDevTlb *devtlb = &s->svm.devtlb;
    VTDDevTlbFn *fn = vtd_devtlb_fn(s, rid);

    if (!fn || !(fn->used & (1u << itag))) {
        qemu_log_mask(LOG_GUEST_ERROR, "vtd: %04x completes ITag %u, which is "
                      "not in use\n", rid, itag);
        devtlb->unexpected++;
        vtd_devtlb_error(s, VTD_FSTS_ICE, rid);
        return false;
    }
    if (++fn->copies[itag] >= (cc ? cc : 8)) {
        trace_vtd_devtlb_completion(rid, itag);
        devtlb->completions++;
        vtd_devtlb_free_itag(s, fn, itag);
    }
    return true;
}

void vtd_devtlb_completion(IntelIOMMUState *s, const AtsMsg *msg)
{
    uint32_t itags = msg->itags;

    if (!s->dmar_enabled && s->svm.knobs.tes0_inv == 0) {
        /*
         * VT-d 4.2.1: an Unsupported Request.  So what is outstanding when TES
         * goes to 0 times out, unless its completion came before, or comes
         * when TES is 1 again.
         */
        trace_vtd_devtlb_completion_lost(msg->rid, itags);
        s->svm.devtlb.refused++;
        return;
    }
    if (s->svm.knobs.cpl_drop && !--s->svm.knobs.cpl_drop) {
        trace_vtd_devtlb_completion_lost(msg->rid, itags);
        return;
    }
    while (itags) {
        if (!vtd_devtlb_complete_itag(s, msg->rid, ctz32(itags), msg->cc) &&
            s->svm.knobs.ice_legacy) {
            break;
        }
        itags &= itags - 1;
    }
    if (!s->svm.devtlb.outstanding) {
        timer_del(s->svm.devtlb.timer);
    }
    vtd_devtlb_kick(s);
}

/* Are all invalidations up to number @seq complete? */
bool vtd_devtlb_done(IntelIOMMUState *s, uint64_t seq)
{
    VTDDevTlbFn *fn;

    QTAILQ_FOREACH(fn, &s->svm.devtlb.functions, next) {
        for (unsigned int itag = 0; itag < ATS_ITAG_NR; itag++) {
            if ((fn->used & ~fn->forgotten & (1u << itag)) &&
                fn->seq[itag] <= seq) {
                return false;
            }
        }
    }
    return true;
}

/* -- life ----------------------------------------------------------------- */

static const VMStateDescription vmstate_vtd_devtlb_fn = {
    .name = "intel-iommu/devtlb/function",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT16(rid, VTDDevTlbFn),
        VMSTATE_UINT32(used, VTDDevTlbFn),
        VMSTATE_UINT32(forgotten, VTDDevTlbFn),
        VMSTATE_UINT64_ARRAY(seq, VTDDevTlbFn, ATS_ITAG_NR),
        VMSTATE_UINT8_ARRAY(copies, VTDDevTlbFn, ATS_ITAG_NR),
        VMSTATE_INT64_ARRAY(deadline, VTDDevTlbFn, ATS_ITAG_NR),
        VMSTATE_END_OF_LIST()
    }
};

const VMStateDescription vmstate_vtd_devtlb = {
    .name = "intel-iommu/devtlb",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_QTAILQ_V(functions, VTDDevTlb, 1, vmstate_vtd_devtlb_fn,
                         VTDDevTlbFn, next),
        VMSTATE_QTAILQ_V(waits, VTDDevTlb, 1, vmstate_vtd_inv_wait, VTDInvWait,
                         next),
        VMSTATE_UINT32(n_waits, VTDDevTlb),
        VMSTATE_UINT32(outstanding, VTDDevTlb),
        VMSTATE_TIMER_PTR(timer, VTDDevTlb),
        VMSTATE_TIMER_PTR(wait_timer, VTDDevTlb),
        VMSTATE_UINT64(seq, VTDDevTlb),
        VMSTATE_BOOL(stalled, VTDDevTlb),
        VMSTATE_UINT32(inject, VTDDevTlb),
        VMSTATE_INT64(desc_due, VTDDevTlb),
#define VTD_DEVTLB_COUNTER_VMSTATE(field, text) \
        VMSTATE_UINT64(field, VTDDevTlb),
        VTD_DEVTLB_COUNTERS(VTD_DEVTLB_COUNTER_VMSTATE)
#undef VTD_DEVTLB_COUNTER_VMSTATE
        VMSTATE_END_OF_LIST()
    }
};

void vtd_devtlb_realize(IntelIOMMUState *s)
{
    QTAILQ_INIT(&s->svm.devtlb.functions);
    QTAILQ_INIT(&s->svm.devtlb.waits);
    s->svm.devtlb.timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, vtd_devtlb_timeout,
                                       s);
    s->svm.devtlb.wait_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL,
                                            vtd_inv_wait_timer, s);
}

void vtd_devtlb_reset(IntelIOMMUState *s)
{
    VTDDevTlb *devtlb = &s->svm.devtlb;
    VTDDevTlbFn *fn, *next_fn;

    QTAILQ_FOREACH_SAFE(fn, &devtlb->functions, next, next_fn) {
        QTAILQ_REMOVE(&devtlb->functions, fn, next);
        g_free(fn);
    }
    vtd_inv_wait_reset(s);
    devtlb->outstanding = 0;
    devtlb->stalled = false;
    devtlb->inject = 0;
    vtd_devtlb_desc_anew(s);
    timer_del(devtlb->timer);
}
