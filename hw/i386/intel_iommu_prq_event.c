/*
 * VT-d page requests: the Page Request Event and its registers
 *
 * PRS says that requests are pending (PPR) or were lost (PRO); when the first
 * of the two bits becomes 1 the event is due.  It is sent at once, or pending
 * in PECTL while masked, or kept back by a knob.
 *
 * Locking: the BQL, as in intel_iommu_prq.c.
 *
 * VT-d 7.5, 11.4.11.4 to 11.4.11.8
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/pci/ats_actor.h"
#include "hw/i386/intel_iommu.h"
#include "intel_iommu_internal.h"
#include "intel_iommu_prq_event.h"
#include "trace.h"

uint64_t vtd_prq_level(IntelIOMMUState *s)
{
    uint64_t size = 0x1000ULL <<
                    (vtd_get_quad_raw(s, DMAR_PQA_REG) & VTD_PQA_SIZE);
    uint64_t head = vtd_get_quad_raw(s, DMAR_PQH_REG) & (size - 1);
    uint64_t tail = vtd_get_quad_raw(s, DMAR_PQT_REG) & (size - 1);

    return ((tail - head) & (size - 1)) / VTD_PQA_ENTRY_SIZE;
}

static void vtd_prq_write_msi(IntelIOMMUState *s)
{
    vtd_generate_interrupt(s, DMAR_PEADDR_REG, DMAR_PEDATA_REG);
}

/* Set the timer to the message that is due first, if there is one */
static void vtd_prq_irq_arm(VTDPrq *prq)
{
    if (prq->irq_n) {
        timer_mod(prq->irq_timer, prq->irq_due[prq->irq_first]);
    } else {
        timer_del(prq->irq_timer);
    }
}

/* Write the messages that are due at @until, in the order of their events */
static void vtd_prq_irq_write(IntelIOMMUState *s, int64_t until)
{
    VTDPrq *prq = &s->svm.prq;

    while (prq->irq_n && prq->irq_due[prq->irq_first] <= until) {
        prq->irq_first = (prq->irq_first + 1) % VTD_PRQ_IRQ_MAX;
        prq->irq_n--;
        vtd_prq_write_msi(s);
    }
    vtd_prq_irq_arm(prq);
}

/*
 * Keep the message of an event for prq-irq-delay-us.  Each has a time of its
 * own; it is a posted write, so that none overtakes another even if the knob
 * has changed.
 */
static void vtd_prq_irq_delay(IntelIOMMUState *s)
{
    VTDPrq *prq = &s->svm.prq;
    int64_t due = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                  s->svm.knobs.prq_irq_delay * SCALE_US;
    uint32_t last = (prq->irq_first + prq->irq_n - 1) % VTD_PRQ_IRQ_MAX;

    if (prq->irq_n) {
        due = MAX(due, prq->irq_due[last]);
    }
    if (prq->irq_n == VTD_PRQ_IRQ_MAX) {
        vtd_prq_irq_write(s, prq->irq_due[prq->irq_first]);     /* no room */
    }
    prq->irq_due[(prq->irq_first + prq->irq_n) % VTD_PRQ_IRQ_MAX] = due;
    prq->irq_n++;
    vtd_prq_irq_arm(prq);
}

static void vtd_prq_send_msi(IntelIOMMUState *s)
{
    VTDPrq *prq = &s->svm.prq;

    vtd_set_clear_mask_long(s, DMAR_PECTL_REG, VTD_PR_PECTL_IP, 0);
    prq->events++;
    trace_vtd_prq_event(vtd_get_long_raw(s, DMAR_PRS_REG));
    if (s->svm.knobs.prq_irq_delay || prq->irq_n) {
        vtd_prq_irq_delay(s);
    } else {
        vtd_prq_write_msi(s);
    }
}

static void vtd_prq_irq_expired(void *opaque)
{
    vtd_prq_irq_write(opaque, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
}

static void vtd_prq_irq_timer(void *opaque)
{
    ats_actor_timer(ATS_LANE_IOMMU, opaque, vtd_prq_irq_expired);
}

/* The event is due: send it unless it is masked or held back */
static void vtd_prq_raise(IntelIOMMUState *s)
{
    const VTDKnobs *knobs = &s->svm.knobs;

    if (vtd_get_long_raw(s, DMAR_PECTL_REG) & VTD_PR_PECTL_IM) {
        return;
    }
    if (knobs->prq_irq_hold &&
        (!knobs->prq_irq_after || vtd_prq_level(s) < knobs->prq_irq_after)) {
        s->svm.prq.irq_held = true;
        return;
    }
    s->svm.prq.irq_held = false;
    vtd_prq_send_msi(s);
}

void vtd_prq_irq_release(IntelIOMMUState *s)
{
    uint32_t pectl = vtd_get_long_raw(s, DMAR_PECTL_REG);

    if (s->svm.prq.irq_held) {
        s->svm.prq.irq_held = false;
        if ((pectl & VTD_PR_PECTL_IP) && !(pectl & VTD_PR_PECTL_IM)) {
            vtd_prq_send_msi(s);
        }
    }
}

void vtd_prq_set_status(IntelIOMMUState *s, uint32_t bit)
{
    uint32_t old = vtd_get_long_raw(s, DMAR_PRS_REG);

    vtd_set_clear_mask_long(s, DMAR_PRS_REG, 0, bit);
    if (old & (VTD_PR_STATUS_PPR | VTD_PR_STATUS_PRO)) {
        if (s->svm.prq.irq_held) {
            vtd_prq_raise(s);       /* enough entries by now? */
        }
        return;
    }
    vtd_set_clear_mask_long(s, DMAR_PECTL_REG, 0, VTD_PR_PECTL_IP);
    vtd_prq_raise(s);
}

static void vtd_prq_prs_written(IntelIOMMUState *s)
{
    uint32_t prs = vtd_get_long_raw(s, DMAR_PRS_REG);
    uint32_t serviced = VTD_PR_STATUS_PPR;

    if (s->svm.knobs.ip_clear == VTD_IP_CLEAR_BOTH) {
        serviced |= VTD_PR_STATUS_PRO;
    }
    if (!(prs & serviced)) {
        vtd_set_clear_mask_long(s, DMAR_PECTL_REG, VTD_PR_PECTL_IP, 0);
        s->svm.prq.irq_held = false;
    }
}

static void vtd_prq_pectl_written(IntelIOMMUState *s)
{
    uint32_t pectl = vtd_get_long_raw(s, DMAR_PECTL_REG);

    if ((pectl & VTD_PR_PECTL_IP) && !(pectl & VTD_PR_PECTL_IM)) {
        vtd_prq_raise(s);
    }
}

void vtd_prq_mem_write(IntelIOMMUState *s, hwaddr addr, uint32_t old)
{
    trace_vtd_prq_reg_write(addr, old, vtd_get_long_raw(s, addr));
    switch (addr) {
    case DMAR_PQA_REG:
    case DMAR_PQA_REG_HI:
        s->svm.prq.pqa_written = true;
        break;
    case DMAR_PRS_REG:
        vtd_prq_prs_written(s);
        break;
    case DMAR_PECTL_REG:
        vtd_prq_pectl_written(s);
        break;
    default:
        break;
    }
}

void vtd_prq_mem_read(IntelIOMMUState *s, hwaddr addr)
{
    bool pushes = addr == DMAR_PQT_REG || addr == DMAR_PRS_REG ||
                  addr == DMAR_PECTL_REG;

    if (pushes && s->svm.prq.irq_n) {
        vtd_prq_irq_write(s, INT64_MAX);
    }
    if (pushes) {
        ats_actor_push(ATS_EVENT_MSI, ATS_LANE_IOMMU);
    }
}

void vtd_prq_event_realize(IntelIOMMUState *s)
{
    s->svm.prq.irq_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, vtd_prq_irq_timer,
                                        s);
}

void vtd_prq_event_reset(IntelIOMMUState *s)
{
    s->svm.prq.irq_held = false;
    s->svm.prq.irq_first = 0;
    s->svm.prq.irq_n = 0;
    timer_del(s->svm.prq.irq_timer);
}

bool vtd_prq_event_valid(const VTDPrq *prq)
{
    return prq->irq_first < VTD_PRQ_IRQ_MAX && prq->irq_n <= VTD_PRQ_IRQ_MAX;
}

void vtd_prq_event_registers(IntelIOMMUState *s)
{
    vtd_define_long(s, DMAR_PRS_REG, 0, 0, 0x3UL);
    vtd_define_long(s, DMAR_PECTL_REG, VTD_PR_PECTL_IM, VTD_PR_PECTL_IM, 0);
    vtd_define_long(s, DMAR_PEDATA_REG, 0, 0xffffUL, 0);
    vtd_define_long(s, DMAR_PEADDR_REG, 0, 0xfffffffcUL, 0);
    vtd_define_long(s, DMAR_PEUADDR_REG, 0, 0xffffffffUL, 0);
}
