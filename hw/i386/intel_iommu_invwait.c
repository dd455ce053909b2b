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

void vtd_inv_wait_abort_all(IntelIOMMUState *s)
{
    VTDDevTlb *devtlb = &s->svm.devtlb;
    VTDInvWait *wait, *next;

    QTAILQ_FOREACH_SAFE(wait, &devtlb->waits, next, next) {
        trace_vtd_devtlb_wait_aborted(wait->lo, wait->hi);
        devtlb->waits_aborted++;
        QTAILQ_REMOVE(&devtlb->waits, wait, next);
        g_free(wait);
    }
    devtlb->n_waits = 0;
    ats_actor_forget(&devtlb->waits);
}

static bool vtd_inv_wait_ready(IntelIOMMUState *s, VTDInvWait *wait)
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
        ats_actor_note(ATS_EVENT_PRQ_DRAIN);
        vtd_prq_pd_fetched(s);
    }
    return vtd_prq_drained(s, wait->pd_seq);
}

/* The report of the wait that was kept first */
static void vtd_inv_wait_let(void *owner, const void *data)
{
    IntelIOMMUState *s = container_of(owner, IntelIOMMUState,
                                      svm.devtlb.waits);
    VTDInvWait *wait;

    QTAILQ_FOREACH(wait, &s->svm.devtlb.waits, next) {
        if (wait->stage == VTD_EVENT_KEPT) {
            wait->stage = VTD_EVENT_LET;
            break;
        }
    }
    vtd_devtlb_kick(s);
}

/* Is the report an event that is kept? */
static bool vtd_inv_wait_keep(IntelIOMMUState *s, VTDInvWait *wait)
{
    if (wait->stage == VTD_EVENT_TO_COME &&
        ats_actor_event(ATS_EVENT_WAIT, ATS_LANE_IOMMU, &s->svm.devtlb.waits,
                        vtd_inv_wait_let, NULL, 0)) {
        wait->stage = VTD_EVENT_KEPT;
    }
    return wait->stage == VTD_EVENT_KEPT;
}

/* Has the wait's turn come, and does no knob keep it from reporting? */
static bool vtd_inv_wait_due(IntelIOMMUState *s, VTDInvWait *wait)
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
            timer_mod_anticipate(s->svm.devtlb.wait_timer, wait->due);
            return false;
        }
    }
    return !vtd_inv_wait_keep(s, wait);
}

void vtd_devtlb_wait(IntelIOMMUState *s, const VTDInvDesc *desc)
{
    VTDDevTlb *devtlb = &s->svm.devtlb;
    VTDInvWait wait = {
        .lo = desc->lo,
        .hi = desc->hi,
        .seq = devtlb->seq,
    };
    VTDInvWait *held;

    if (QTAILQ_EMPTY(&devtlb->waits) && vtd_inv_wait_due(s, &wait)) {
        vtd_complete_wait_desc(s, wait.lo, wait.hi);
        return;
    }
    trace_vtd_devtlb_wait_held(wait.lo, wait.hi);
    devtlb->waits_held++;
    devtlb->n_waits++;
    held = g_memdup2(&wait, sizeof(wait));
    QTAILQ_INSERT_TAIL(&devtlb->waits, held, next);
}

/* VT-d 6.5.2.9: nothing behind a wait with FN=1 starts before it is complete */
static bool vtd_inv_wait_fenced(IntelIOMMUState *s)
{
    VTDInvWait *wait;

    QTAILQ_FOREACH(wait, &s->svm.devtlb.waits, next) {
        if (wait->lo & VTD_INV_DESC_WAIT_FN) {
            return true;
        }
    }
    return false;
}

bool vtd_devtlb_may_fetch(IntelIOMMUState *s)
{
    VTDDevTlb *devtlb = &s->svm.devtlb;

    if (devtlb->stalled ||
        vtd_get_long_raw(s, DMAR_FSTS_REG) & VTD_FSTS_ITE) {
        return false;
    }
    return likely(!devtlb->n_waits) ||
           (devtlb->n_waits < MAX(s->svm.knobs.wait_depth, 1) &&
            !vtd_inv_wait_fenced(s));
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
           vtd_inv_wait_due(s, wait)) {
        QTAILQ_REMOVE(&devtlb->waits, wait, next);
        devtlb->n_waits--;
        vtd_complete_wait_desc(s, wait->lo, wait->hi);
        g_free(wait);
    }
    devtlb->fetching = false;
    devtlb->stalled = false;
    vtd_iq_fetch(s);
}

static void vtd_inv_wait_expired(void *opaque)
{
    vtd_devtlb_kick(opaque);
}

void vtd_inv_wait_timer(void *opaque)
{
    ats_actor_timer(ATS_LANE_IOMMU, opaque, vtd_inv_wait_expired);
}

void vtd_inv_wait_reset(IntelIOMMUState *s)
{
    VTDDevTlb *devtlb = &s->svm.devtlb;
    VTDInvWait *wait, *next;

    QTAILQ_FOREACH_SAFE(wait, &devtlb->waits, next, next) {
        QTAILQ_REMOVE(&devtlb->waits, wait, next);
        g_free(wait);
    }
    devtlb->n_waits = 0;
    ats_actor_forget(&devtlb->waits);
    timer_del(devtlb->wait_timer);
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
