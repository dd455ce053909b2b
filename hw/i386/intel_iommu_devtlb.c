/*
 * VT-d device-TLB invalidation: ITags, completions, and waits behind them
 *
 * An invalidation of a function on the link is a message with an ITag, and it
 * is done when the function's completions have come.  The queue does not stop
 * for it: descriptors behind it are fetched until a wait descriptor that cannot
 * complete yet.  That one is kept here, IQH moves past it, and fetching goes on
 * when it is complete.  So the queue makes progress on IQT writes and on
 * messages, and never sleeps in either.
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
#include "trace.h"

/* The ITags of one function, VT-d 4.3 */
struct VTDDevTlbFn {
    uint16_t rid;
    uint32_t used;                      /* one bit an ITag */
    uint64_t seq[ATS_ITAG_NR];          /* number of the invalidation */
    uint8_t copies[ATS_ITAG_NR];        /* completions received */
    QTAILQ_ENTRY(VTDDevTlbFn) next;
};

/* A wait descriptor that was fetched and is not complete */
struct VTDInvWait {
    uint64_t lo;
    uint64_t hi;
    uint64_t seq;           /* invalidations up to this one come first */
    bool pd_armed;          /* @pd_seq is valid */
    uint64_t pd_seq;        /* with PD=1: page requests that come first */
    QTAILQ_ENTRY(VTDInvWait) next;
};

/* -- ITags ------------------------------------------------------------------ */

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
    devtlb->outstanding--;
    if (!fn->used) {
        QTAILQ_REMOVE(&devtlb->functions, fn, next);
        g_free(fn);
    }
}

bool vtd_devtlb_invalidate(IntelIOMMUState *s, AtsMsg *msg)
{
    VTDDevTlb *devtlb = &s->svm.devtlb;
    VTDDevTlbFn *fn;

    if (!ats_link_has_port(s->svm.link, msg->rid)) {
        return true;
    }
    fn = vtd_devtlb_fn(s, msg->rid);
    if (!fn) {
        fn = g_new0(VTDDevTlbFn, 1);
        fn->rid = msg->rid;
        QTAILQ_INSERT_TAIL(&devtlb->functions, fn, next);
    } else if (fn->used == UINT32_MAX) {
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
    devtlb->outstanding++;
    devtlb->requests++;
    trace_vtd_devtlb_request(msg->rid, msg->pasid, msg->addr, msg->itag);
    ats_link_send(s->svm.link, msg);
    return true;
}

void vtd_devtlb_completion(IntelIOMMUState *s, const AtsMsg *msg)
{
    VTDDevTlb *devtlb = &s->svm.devtlb;
    uint32_t itags = msg->itags;

    while (itags) {
        unsigned int itag = ctz32(itags);
        VTDDevTlbFn *fn = vtd_devtlb_fn(s, msg->rid);

        itags &= itags - 1;
        if (!fn || !(fn->used & (1u << itag))) {
            qemu_log_mask(LOG_GUEST_ERROR, "vtd: %04x completes ITag %u, "
                          "which is not in use\n", msg->rid, itag);
            devtlb->unexpected++;
        } else if (++fn->copies[itag] >= (msg->cc ? msg->cc : 8)) {
            trace_vtd_devtlb_completion(msg->rid, itag);
            devtlb->completions++;
            vtd_devtlb_free_itag(s, fn, itag);
        }
    }
    vtd_devtlb_kick(s);
}

/* Are all invalidations up to number @seq complete? */
static bool vtd_devtlb_done(IntelIOMMUState *s, uint64_t seq)
{
    VTDDevTlbFn *fn;

    QTAILQ_FOREACH(fn, &s->svm.devtlb.functions, next) {
        for (unsigned int itag = 0; itag < ATS_ITAG_NR; itag++) {
            if ((fn->used & (1u << itag)) && fn->seq[itag] <= seq) {
                return false;
            }
        }
    }
    return true;
}

/* -- wait descriptors: VT-d 6.5.2.9, 7.7 ------------------------------------ */

static bool vtd_devtlb_wait_ready(IntelIOMMUState *s, VTDInvWait *wait)
{
    if (!vtd_devtlb_done(s, wait->seq)) {
        return false;
    }
    if (!(wait->lo & VTD_INV_DESC_WAIT_PD) || s->svm.knobs.pd_violation) {
        return true;
    }
    /*
     * Page requests received before the completion that let this wait through
     * must be visible first.
     */
    if (!wait->pd_armed) {
        wait->pd_armed = true;
        wait->pd_seq = s->svm.prq.seq_received;
        vtd_prq_pd_fetched(s);
    }
    return vtd_prq_drained(s, wait->pd_seq);
}

void vtd_devtlb_wait(IntelIOMMUState *s, const VTDInvDesc *desc)
{
    VTDDevTlb *devtlb = &s->svm.devtlb;
    VTDInvWait wait = {
        .lo = desc->lo,
        .hi = desc->hi,
        .seq = devtlb->seq,
    };

    if (QTAILQ_EMPTY(&devtlb->waits) && vtd_devtlb_wait_ready(s, &wait)) {
        vtd_complete_wait_desc(s, wait.lo, wait.hi);
        return;
    }
    trace_vtd_devtlb_wait_held(wait.lo, wait.hi);
    devtlb->waits_held++;
    QTAILQ_INSERT_TAIL(&devtlb->waits,
                       (VTDInvWait *)g_memdup2(&wait, sizeof(wait)), next);
}

bool vtd_devtlb_may_fetch(IntelIOMMUState *s)
{
    return !s->svm.devtlb.stalled && QTAILQ_EMPTY(&s->svm.devtlb.waits);
}

bool vtd_devtlb_idle(IntelIOMMUState *s)
{
    return !s->svm.devtlb.outstanding && QTAILQ_EMPTY(&s->svm.devtlb.waits);
}

void vtd_devtlb_kick(IntelIOMMUState *s)
{
    VTDDevTlb *devtlb = &s->svm.devtlb;
    VTDInvWait *wait;

    if (devtlb->fetching) {
        return;                 /* the walk further up sees what has changed */
    }
    devtlb->fetching = true;
    while ((wait = QTAILQ_FIRST(&devtlb->waits)) &&
           vtd_devtlb_wait_ready(s, wait)) {
        QTAILQ_REMOVE(&devtlb->waits, wait, next);
        vtd_complete_wait_desc(s, wait->lo, wait->hi);
        g_free(wait);
    }
    devtlb->fetching = false;
    devtlb->stalled = false;
    vtd_iq_fetch(s);
}

/* -- life ------------------------------------------------------------------- */

static const VMStateDescription vmstate_vtd_devtlb_fn = {
    .name = "intel-iommu/devtlb/function",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT16(rid, VTDDevTlbFn),
        VMSTATE_UINT32(used, VTDDevTlbFn),
        VMSTATE_UINT64_ARRAY(seq, VTDDevTlbFn, ATS_ITAG_NR),
        VMSTATE_UINT8_ARRAY(copies, VTDDevTlbFn, ATS_ITAG_NR),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_vtd_inv_wait = {
    .name = "intel-iommu/devtlb/wait",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(lo, VTDInvWait),
        VMSTATE_UINT64(hi, VTDInvWait),
        VMSTATE_UINT64(seq, VTDInvWait),
        VMSTATE_BOOL(pd_armed, VTDInvWait),
        VMSTATE_UINT64(pd_seq, VTDInvWait),
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
        VMSTATE_UINT32(outstanding, VTDDevTlb),
        VMSTATE_UINT64(seq, VTDDevTlb),
        VMSTATE_BOOL(stalled, VTDDevTlb),
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
}

void vtd_devtlb_reset(IntelIOMMUState *s)
{
    VTDDevTlb *devtlb = &s->svm.devtlb;
    VTDDevTlbFn *fn, *next_fn;
    VTDInvWait *wait, *next_wait;

    QTAILQ_FOREACH_SAFE(fn, &devtlb->functions, next, next_fn) {
        QTAILQ_REMOVE(&devtlb->functions, fn, next);
        g_free(fn);
    }
    QTAILQ_FOREACH_SAFE(wait, &devtlb->waits, next, next_wait) {
        QTAILQ_REMOVE(&devtlb->waits, wait, next);
        g_free(wait);
    }
    devtlb->outstanding = 0;
    devtlb->stalled = false;
}
