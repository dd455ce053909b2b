/*
 * VT-d queued invalidation: wait descriptors that cannot complete yet
 *
 * The queue does not stop for an invalidation of a device-TLB, but for a wait
 * descriptor behind it.  That one is fetched, kept here, and reports when what
 * came before it is done; knob wait-depth says how many of them there may be.
 *
 * Locking: everything comes under the BQL.
 *
 * VT-d 6.5.2.9, 6.5.2.11, 7.7
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "migration/vmstate.h"
#include "hw/pci/ats_actor.h"
#include "hw/i386/intel_iommu.h"
#include "intel_iommu_internal.h"
#include "intel_iommu_invwait.h"
#include "trace.h"

/* None is kept any more, and none reports */
static void vtd_inv_wait_forget(VTDQi *qi)
{
    VTDInvWait *wait, *next;

    QTAILQ_FOREACH_SAFE(wait, &qi->waits, next, next) {
        QTAILQ_REMOVE(&qi->waits, wait, next);
        g_free(wait);
    }
    qi->n_waits = 0;
    ats_actor_forget(&qi->waits);
}

void vtd_inv_wait_abort_all(IntelIOMMUState *s)
{
    VTDQi *qi = &s->svm.qi;
    VTDInvWait *wait;

    QTAILQ_FOREACH(wait, &qi->waits, next) {
        trace_vtd_devtlb_wait_aborted(wait->lo, wait->hi);
    }
    qi->waits_aborted += qi->n_waits;
    vtd_inv_wait_forget(qi);
}

static bool vtd_inv_wait_ready(IntelIOMMUState *s, VTDInvWait *wait)
{
    if (!ats_itags_done(&s->svm.devtlb.itags, wait->seq)) {
        return false;
    }
    if (!(wait->lo & VTD_INV_DESC_WAIT_PD) || s->svm.knobs.pd_violation) {
        return true;
    }
    /*
     * VT-d 7.10: with PD=1 software wants to know that no page request of
     * before is on its way.  The completion of the device-TLB invalidation in
     * front of this wait has pushed what the function had posted (PCIe 6.2
     * 2.4.1), so all of it has been received now, and not when the wait was
     * fetched.
     */
    if (!wait->pd_armed) {
        wait->pd_armed = true;
        wait->pd_seq = s->svm.prq.queue.received;
        ats_actor_note(ATS_EVENT_PRQ_DRAIN);
        if (s->svm.knobs.prq_hold == VTD_PRQ_HOLD_UNTIL_PD) {
            ats_prq_flush(&s->svm.prq.queue);
        }
    }
    return ats_prq_drained(&s->svm.prq.queue, wait->pd_seq);
}

void vtd_inv_wait_let(IntelIOMMUState *s)
{
    VTDInvWait *wait;

    QTAILQ_FOREACH(wait, &s->svm.qi.waits, next) {
        if (wait->stage == VTD_EVENT_KEPT) {
            wait->stage = VTD_EVENT_LET;
            break;
        }
    }
}

/* Is the report an event that is kept? */
static bool vtd_inv_wait_keep(IntelIOMMUState *s, VTDInvWait *wait,
                              AtsEventFn *let)
{
    if (wait->stage == VTD_EVENT_TO_COME &&
        ats_actor_event(ATS_EVENT_WAIT, ATS_LANE_IOMMU, &s->svm.qi.waits, let,
                        NULL, 0)) {
        wait->stage = VTD_EVENT_KEPT;
    }
    return wait->stage == VTD_EVENT_KEPT;
}

/* Has the wait's turn come, and does no knob keep it from reporting? */
static bool vtd_inv_wait_due(IntelIOMMUState *s, VTDInvWait *wait,
                             AtsEventFn *let)
{
    int64_t now;

    if (!wait->ready) {
        if (!vtd_inv_wait_ready(s, wait)) {
            return false;
        }
        wait->ready = true;
        if (s->svm.knobs.wait_delay) {
            wait->due = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                        s->svm.knobs.wait_delay * SCALE_US;
        }
    }
    if (s->svm.knobs.wait_hold) {
        return false;
    }
    if (wait->due) {
        now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
        if (wait->due > now) {
            timer_mod_anticipate(s->svm.qi.timer, wait->due);
            return false;
        }
    }
    return !vtd_inv_wait_keep(s, wait, let);
}

void vtd_inv_wait_take(IntelIOMMUState *s, uint64_t lo, uint64_t hi,
                       AtsEventFn *let)
{
    VTDQi *qi = &s->svm.qi;
    VTDInvWait wait = {
        .lo = lo,
        .hi = hi,
        .seq = s->svm.devtlb.itags.seq,
    };
    VTDInvWait *held;

    if (QTAILQ_EMPTY(&qi->waits) && vtd_inv_wait_due(s, &wait, let)) {
        vtd_complete_wait_desc(s, lo, hi);
        return;
    }
    trace_vtd_devtlb_wait_held(lo, hi);
    qi->waits_held++;
    qi->n_waits++;
    held = g_memdup2(&wait, sizeof(wait));
    QTAILQ_INSERT_TAIL(&qi->waits, held, next);
}

void vtd_inv_wait_report(IntelIOMMUState *s, AtsEventFn *let)
{
    VTDQi *qi = &s->svm.qi;
    VTDInvWait *wait;

    while ((wait = QTAILQ_FIRST(&qi->waits)) &&
           vtd_inv_wait_due(s, wait, let)) {
        QTAILQ_REMOVE(&qi->waits, wait, next);
        qi->n_waits--;
        vtd_complete_wait_desc(s, wait->lo, wait->hi);
        g_free(wait);
    }
}

/* VT-d 6.5.2.9: nothing behind a wait with FN=1 starts before it is complete */
static bool vtd_inv_wait_fenced(IntelIOMMUState *s)
{
    VTDInvWait *wait;

    QTAILQ_FOREACH(wait, &s->svm.qi.waits, next) {
        if (wait->lo & VTD_INV_DESC_WAIT_FN) {
            return true;
        }
    }
    return false;
}

bool vtd_inv_wait_blocks(IntelIOMMUState *s)
{
    VTDQi *qi = &s->svm.qi;

    return qi->n_waits &&
           (qi->n_waits >= MAX(s->svm.knobs.wait_depth, 1) ||
            vtd_inv_wait_fenced(s));
}

void vtd_inv_wait_reset(IntelIOMMUState *s)
{
    vtd_inv_wait_forget(&s->svm.qi);
    timer_del(s->svm.qi.timer);
}

bool vtd_inv_wait_valid(const VTDQi *qi)
{
    uint32_t n = 0;
    VTDInvWait *wait;

    QTAILQ_FOREACH(wait, &qi->waits, next) {
        n++;
    }
    return n == qi->n_waits;
}

const VMStateDescription vmstate_vtd_inv_wait = {
    .name = "intel-iommu/devtlb/wait",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(lo, VTDInvWait),
        VMSTATE_UINT64(hi, VTDInvWait),
        VMSTATE_UINT64(seq, VTDInvWait),
        VMSTATE_BOOL(pd_armed, VTDInvWait),
        VMSTATE_UINT64(pd_seq, VTDInvWait),
        VMSTATE_BOOL(ready, VTDInvWait),
        VMSTATE_INT64(due, VTDInvWait),
        VMSTATE_END_OF_LIST()
    }
};
