/*
 * VT-d page requests: the queue, its event and the responses
 *
 * VT-d chapter 7.4 to 7.11, 11.4.11
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_I386_INTEL_IOMMU_PRQ_H
#define HW_I386_INTEL_IOMMU_PRQ_H

#include "hw/pci/ats_prq.h"
#include "qemu/timer.h"

typedef struct IntelIOMMUState IntelIOMMUState;
typedef union VTDInvDesc VTDInvDesc;

/*
 * Counters of the page-request path; read with qom-get as "x-prq-<name>".
 * X(field, what it counts)
 */
#define VTD_PRQ_COUNTERS(X) \
    X(received,      "Page Requests that arrived") \
    X(delivered,     "descriptors written to the queue") \
    X(auto_success,  "responses made by hardware: Success") \
    X(auto_invalid,  "responses made by hardware: Invalid Request") \
    X(dropped,       "requests dropped without a response") \
    X(overflows,     "times the queue was found full") \
    X(events,        "Page Request Event interrupts sent") \
    X(responses,     "Page Group Response descriptors executed") \
    X(write_errors,  "descriptors that could not be written")

/*
 * Page Request Events whose messages are on their way at a time.  One more
 * pushes the oldest out before its time.
 */
#define VTD_PRQ_IRQ_MAX         32

/**
 * struct VTDPrq - state of the page-request path beyond its registers
 *
 * @queue: the engine: requests received, but not yet accepted
 * @timer: virtual clock; when the first of them is due
 * @irq_timer: virtual clock; the first of @irq_due
 * @irq_due: ring of Page Request Events whose messages a knob delays: when each
 *           is due, ns, in order
 * @irq_first, @irq_n: the oldest of them, and how many there are
 * @pqa_written: software has written PQA since reset
 * @irq_held: a Page Request Event is kept back by the hold knob
 */
typedef struct VTDPrq {
    AtsPrq queue;
    QEMUTimer *timer;
    QEMUTimer *irq_timer;
    int64_t irq_due[VTD_PRQ_IRQ_MAX];
    uint32_t irq_first;
    uint32_t irq_n;
    bool pqa_written;
    bool irq_held;
#define VTD_PRQ_COUNTER_FIELD(field, text) uint64_t field;
    VTD_PRQ_COUNTERS(VTD_PRQ_COUNTER_FIELD)
#undef VTD_PRQ_COUNTER_FIELD
} VTDPrq;

extern const struct VMStateDescription vmstate_vtd_prq;

void vtd_prq_realize(IntelIOMMUState *s);

/**
 * vtd_prq_reset: registers to their reset values, nothing pending
 *
 * The registers are defined only if ECAP.PRS is set; else they are RsvdZ
 * (VT-d 11.4.11).
 */
void vtd_prq_reset(IntelIOMMUState *s);

/**
 * vtd_prq_mem_write: software wrote the 32-bit register at @addr
 *
 * Called after the write took effect, for every aligned dword written in
 * PQH_REG to PEUADDR_REG.  @old is the register before the write.
 */
void vtd_prq_mem_write(IntelIOMMUState *s, hwaddr addr, uint32_t old);

/**
 * vtd_prq_mem_read: software is about to read a register at @addr
 *
 * Reads of PQT, PRS and PECTL push what is under way (VT-d 7.5).
 */
void vtd_prq_mem_read(IntelIOMMUState *s, hwaddr addr);

/**
 * vtd_prq_page_request: a Page Request message arrived (AtsAgentOps)
 */
void vtd_prq_page_request(IntelIOMMUState *s, const AtsMsg *msg);

/**
 * vtd_prq_response: execute a Page Group Response descriptor (VT-d 7.6.1)
 *
 * Returns: false if the descriptor is invalid; the invalidation queue then
 * stops with an error.
 */
bool vtd_prq_response(IntelIOMMUState *s, const VTDInvDesc *desc);

/**
 * vtd_prq_release: write up to @n held requests to the queue
 */
void vtd_prq_release(IntelIOMMUState *s, uint64_t n);

/**
 * vtd_prq_irq_release: send the Page Request Event that is kept back, if any
 */
void vtd_prq_irq_release(IntelIOMMUState *s);

#endif /* HW_I386_INTEL_IOMMU_PRQ_H */
