/*
 * VT-d queued invalidation: fetching, errors, and what stops the queue
 *
 * The queue does not stop for an invalidation of a device-TLB: descriptors
 * behind it are fetched until a wait descriptor that cannot complete yet
 * (intel_iommu_invwait.c).  IQH moves past that one, and fetching goes on when
 * it is complete.  A request without a free ITag stays at IQH.  So the queue
 * makes progress on IQT writes, messages, time-outs and when errors are
 * cleared, and never sleeps in any of them.  All of them end in vtd_qi_kick()
 * or vtd_qi_fetch(); what a descriptor does is vtd_process_inv_desc() of
 * intel_iommu.c.
 *
 * Locking: everything comes under the BQL.
 *
 * VT-d 6.5.2, 6.5.2.9 to 6.5.2.12, 11.4.9
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "migration/vmstate.h"
#include "hw/pci/ats_actor.h"
#include "hw/i386/intel_iommu.h"
#include "intel_iommu_internal.h"
#include "intel_iommu_invwait.h"
#include "intel_iommu_walk.h"
#include "trace.h"

/* -- errors: VT-d 6.5.2.11 ------------------------------------------------- */

/* IQE becomes 1: the descriptor at IQH is refused, or the queue is bad */
static void vtd_qi_refused(IntelIOMMUState *s, VTDIqei iqei)
{
    uint32_t fsts = vtd_get_long_raw(s, DMAR_FSTS_REG);

    vtd_set_clear_mask_long(s, DMAR_IQERCD_REG, VTD_IQERCD_IQEI, iqei);
    vtd_set_clear_mask_long(s, DMAR_FSTS_REG, 0, VTD_FSTS_IQE);
    vtd_generate_fault_event(s, fsts);
}

/*
 * VT-d 6.5.2.11.  A time-out drops the waits that were fetched: the
 * invalidation that they stand behind has not happened, and a status write
 * would say it has.  Software submits them again.  The source id is that of the
 * first error since the bit was clear: a later one would hide it from
 * software, which may not have read it yet.
 */
void vtd_qi_error(IntelIOMMUState *s, uint32_t bit, uint16_t sid)
{
    uint32_t fsts = vtd_get_long_raw(s, DMAR_FSTS_REG);
    unsigned int shift = bit == VTD_FSTS_ITE ? 32 : 48;
    uint64_t rec = vtd_get_quad_raw(s, DMAR_IQERCD_REG);

    if (bit == VTD_FSTS_ITE) {
        vtd_inv_wait_abort_all(s);
    }
    trace_vtd_devtlb_error(bit, sid);
    if (!(fsts & bit)) {
        if (s->svm.knobs.itesid == VTD_ITESID_ZERO) {
            sid = 0;
        }
        vtd_set_quad_raw(s, DMAR_IQERCD_REG, deposit64(rec, shift, 16, sid));
    }
    vtd_set_clear_mask_long(s, DMAR_FSTS_REG, 0, bit);
    vtd_generate_fault_event(s, fsts);
}

void vtd_qi_errors_cleared(IntelIOMMUState *s, uint32_t old)
{
    uint32_t cleared = old & ~vtd_get_long_raw(s, DMAR_FSTS_REG);
    uint64_t rec = vtd_get_quad_raw(s, DMAR_IQERCD_REG);

    if (s->svm.knobs.iqercd_stale == VTD_IQERCD_STALE_POISON) {
        rec |= cleared & VTD_FSTS_IQE ? VTD_IQERCD_IQEI : 0;
        rec |= cleared & VTD_FSTS_ITE ? VTD_IQERCD_ITESID : 0;
        rec |= cleared & VTD_FSTS_ICE ? VTD_IQERCD_ICESID : 0;
        vtd_set_quad_raw(s, DMAR_IQERCD_REG, rec);
    }
    /* ICE is a report and has not stopped the queue */
    if (cleared & (VTD_FSTS_IQE | VTD_FSTS_ITE)) {
        vtd_qi_kick(s);
    }
}

/* -- errors and delays that a knob asks for -------------------------------- */

static void vtd_qi_inject_now(IntelIOMMUState *s, uint32_t bit)
{
    vtd_qi_error(s, bit, bit == VTD_FSTS_ITE ? s->svm.knobs.inject_ite :
                 s->svm.knobs.inject_ice);
}

void vtd_qi_inject(IntelIOMMUState *s, uint32_t bit)
{
    if (s->svm.knobs.inject_at) {
        s->svm.qi.inject |= bit;
    } else {
        vtd_qi_inject_now(s, bit);
    }
}

/* False if inject-iqe stops the queue at this descriptor */
static bool vtd_qi_inject_iqe(IntelIOMMUState *s)
{
    if (s->svm.knobs.inject_iqe != 1) {
        return true;
    }
    s->svm.knobs.inject_iqe = 0;
    s->svm.qi.iqei = s->svm.knobs.inject_iqei;
    return false;
}

/* A descriptor was executed, or deferred */
static void vtd_qi_desc_done(IntelIOMMUState *s)
{
    VTDQi *qi = &s->svm.qi;
    VTDKnobs *knobs = &s->svm.knobs;
    uint32_t bits;

    if (qi->stalled) {
        return;             /* a deferred descriptor stays in the queue */
    }
    knobs->inject_iqe -= !!knobs->inject_iqe;
    if (knobs->inject_at && !--knobs->inject_at) {
        bits = qi->inject;
        qi->inject = 0;
        if (bits & VTD_FSTS_ICE) {
            vtd_qi_inject_now(s, VTD_FSTS_ICE);
        }
        if (bits & VTD_FSTS_ITE) {
            vtd_qi_inject_now(s, VTD_FSTS_ITE);
        }
    }
}

static void vtd_qi_desc_let(void *owner, const void *data)
{
    IntelIOMMUState *s = container_of(owner, IntelIOMMUState,
                                      svm.qi.desc_stage);

    s->svm.qi.desc_stage = VTD_EVENT_LET;
    vtd_qi_kick(s);
}

/* Is the execution of the descriptor at IQH an event that is kept? */
static bool vtd_qi_desc_keep(IntelIOMMUState *s)
{
    VTDQi *qi = &s->svm.qi;

    if (qi->desc_stage == VTD_EVENT_TO_COME &&
        ats_actor_event(ATS_EVENT_DESCRIPTOR, ATS_LANE_IOMMU, &qi->desc_stage,
                        vtd_qi_desc_let, NULL, 0)) {
        qi->desc_stage = VTD_EVENT_KEPT;
    }
    if (qi->desc_stage == VTD_EVENT_KEPT) {
        qi->stalled = true;
        return true;
    }
    qi->desc_stage = VTD_EVENT_TO_COME;
    return false;
}

void vtd_qi_desc_anew(IntelIOMMUState *s)
{
    s->svm.qi.desc_due = 0;
    s->svm.qi.desc_stage = VTD_EVENT_TO_COME;
    ats_actor_forget(&s->svm.qi.desc_stage);
}

bool vtd_qi_desc_due(IntelIOMMUState *s, uint8_t type)
{
    VTDQi *qi = &s->svm.qi;
    VTDKnobs *knobs = &s->svm.knobs;
    int64_t now;

    if (!knobs->desc_delay ||
        (knobs->desc_delay_type && knobs->desc_delay_type != type)) {
        return !vtd_qi_desc_keep(s);
    }
    now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    if (!qi->desc_due) {
        qi->desc_due = now + knobs->desc_delay * SCALE_US;
    }
    if (qi->desc_due > now) {
        timer_mod_anticipate(qi->timer, qi->desc_due);
        qi->stalled = true;
        return false;
    }
    qi->desc_due = 0;
    return !vtd_qi_desc_keep(s);
}

/* -- fetching -------------------------------------------------------------- */

/* Bit 4 of the tail is reserved if descriptors have 256 bits (11.4.9.2) */
static bool vtd_qi_tail_is_misaligned(IntelIOMMUState *s)
{
    return s->iq_dw &&
           vtd_get_quad_raw(s, DMAR_IQT_REG) & VTD_IQT_QT_256_RSV_BIT;
}

/*
 * Before anything is read from the queue: with the wrong width or a tail that
 * is outside, the address of the next descriptor means nothing.  VT-d
 * 11.4.9.9: what is wrong with the queue, whatever is in it?
 */
static VTDIqei vtd_qi_check(IntelIOMMUState *s)
{
    uint64_t iqa = vtd_get_quad_raw(s, DMAR_IQA_REG);
    bool wide = iqa & VTD_IQA_DW_MASK;

    if (vtd_qi_tail_is_misaligned(s)) {
        return VTD_IQEI_TAIL_RSVD;
    }
    if (s->iq_tail >= s->iq_size) {
        return VTD_IQEI_TAIL;
    }
    if (!vtd_ttm_valid(s)) {
        return VTD_IQEI_TTM;
    }
    if (wide != s->iq_dw || (!wide && s->root_scalable)) {
        return VTD_IQEI_WIDTH;
    }
    return VTD_IQEI_NONE;
}

/*
 * The two registers that each descriptor needs, without a call: a guest that
 * unmaps a lot waits for this walk.
 */
static inline uint32_t vtd_qi_fsts(IntelIOMMUState *s)
{
    return ldl_le_p(&s->csr[DMAR_FSTS_REG]);
}

static inline void vtd_qi_set_head(IntelIOMMUState *s)
{
    int shift = s->iq_dw ? VTD_IQH_QH_SHIFT_5 : VTD_IQH_QH_SHIFT_4;

    stq_le_p(&s->csr[DMAR_IQH_REG],
             ((uint64_t)s->iq_head << shift) & VTD_IQH_QH_MASK);
}

static inline bool vtd_qi_may_fetch(IntelIOMMUState *s)
{
    return !s->svm.qi.stalled && !(vtd_qi_fsts(s) & VTD_FSTS_ITE) &&
           likely(!s->svm.qi.n_waits || !vtd_inv_wait_blocks(s));
}

/*
 * May the next descriptor be fetched?  Asked for each, so that the walk ends
 * even if what a descriptor does should reach these registers.
 */
static bool vtd_qi_more(IntelIOMMUState *s)
{
    return s->qi_enabled && s->iq_head != s->iq_tail &&
           s->iq_tail < s->iq_size && vtd_qi_may_fetch(s);
}

/* Execute the descriptor at IQH; false if it is refused, with @iqei set */
static bool vtd_qi_step(IntelIOMMUState *s)
{
    bool each = vtd_qi_each_desc(&s->svm.knobs);

    s->svm.qi.iqei = VTD_IQEI_RSVD;
    if ((each && !vtd_qi_inject_iqe(s)) || !vtd_process_inv_desc(s)) {
        return false;
    }
    /* IQH says so before anything behind the descriptor happens */
    vtd_qi_set_head(s);
    if (unlikely(each)) {
        vtd_qi_desc_done(s);
    }
    return true;
}

void vtd_qi_fetch(IntelIOMMUState *s)
{
    VTDQi *qi = &s->svm.qi;
    VTDIqei iqei;
    bool error;

    if (qi->fetching || !s->qi_enabled ||
        (s->iq_head == s->iq_tail && !vtd_qi_tail_is_misaligned(s)) ||
        vtd_qi_fsts(s) & VTD_FSTS_IQE || !vtd_qi_may_fetch(s)) {
        return;
    }

    trace_vtd_inv_qi_fetch();
    iqei = vtd_qi_check(s);
    error = iqei != VTD_IQEI_NONE;
    qi->fetching = true;
    while (!error && vtd_qi_more(s)) {
        error = !vtd_qi_step(s);
        iqei = qi->iqei;        /* a knob may report VTD_IQEI_NONE */
    }
    qi->fetching = false;
    if (!error && s->qi_enabled && s->iq_tail >= s->iq_size) {
        iqei = VTD_IQEI_TAIL;
        error = true;
    }
    if (error) {
        vtd_qi_refused(s, iqei);
    }
}

/* -- waits, and what they wait for ----------------------------------------- */

static void vtd_qi_wait_let(void *owner, const void *data)
{
    IntelIOMMUState *s = container_of(owner, IntelIOMMUState, svm.qi.waits);

    vtd_inv_wait_let(s);
    vtd_qi_kick(s);
}

void vtd_qi_wait(IntelIOMMUState *s, const VTDInvDesc *desc)
{
    vtd_inv_wait_take(s, desc->lo, desc->hi, vtd_qi_wait_let);
}

void vtd_qi_kick(IntelIOMMUState *s)
{
    VTDQi *qi = &s->svm.qi;

    if (qi->fetching) {
        return;                 /* the walk further up sees what has changed */
    }
    /* Waits first: one that is complete makes room, or takes a fence away */
    qi->fetching = true;
    vtd_inv_wait_report(s, vtd_qi_wait_let);
    qi->fetching = false;
    qi->stalled = false;
    vtd_qi_fetch(s);
}

static void vtd_qi_expired(void *opaque)
{
    vtd_qi_kick(opaque);
}

static void vtd_qi_timer(void *opaque)
{
    ats_actor_timer(ATS_LANE_IOMMU, opaque, vtd_qi_expired);
}

bool vtd_qi_idle(IntelIOMMUState *s)
{
    return !s->svm.devtlb.itags.outstanding && QTAILQ_EMPTY(&s->svm.qi.waits);
}

bool vtd_qi_abort(IntelIOMMUState *s)
{
    AtsItags *itags = &s->svm.devtlb.itags;

    if (s->svm.knobs.qie_busy == VTD_QIE_BUSY_REFUSE) {
        return false;
    }
    trace_vtd_devtlb_qi_abort(itags->outstanding, s->svm.qi.n_waits);
    vtd_inv_wait_abort_all(s);
    ats_itags_forget(itags);
    s->svm.qi.stalled = false;
    vtd_qi_desc_anew(s);
    return true;
}

/* -- life ------------------------------------------------------------------ */

static int vtd_qi_post_load(void *opaque, int version_id)
{
    return vtd_inv_wait_valid(opaque) ? 0 : -EINVAL;
}

const VMStateDescription vmstate_vtd_qi = {
    .name = "intel-iommu/qi",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = vtd_qi_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_QTAILQ_V(waits, VTDQi, 1, vmstate_vtd_inv_wait, VTDInvWait,
                         next),
        VMSTATE_UINT32(n_waits, VTDQi),
        VMSTATE_TIMER_PTR(timer, VTDQi),
        VMSTATE_BOOL(stalled, VTDQi),
        VMSTATE_UINT32(inject, VTDQi),
        VMSTATE_INT64(desc_due, VTDQi),
#define VTD_QI_COUNTER_VMSTATE(field, text) VMSTATE_UINT64(field, VTDQi),
        VTD_QI_COUNTERS(VTD_QI_COUNTER_VMSTATE)
#undef VTD_QI_COUNTER_VMSTATE
        VMSTATE_END_OF_LIST()
    }
};

void vtd_qi_realize(IntelIOMMUState *s)
{
    QTAILQ_INIT(&s->svm.qi.waits);
    s->svm.qi.timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, vtd_qi_timer, s);
}

void vtd_qi_reset(IntelIOMMUState *s)
{
    vtd_inv_wait_reset(s);
    s->svm.qi.stalled = false;
    s->svm.qi.inject = 0;
    vtd_qi_desc_anew(s);
}
