/*
 * VT-d page requests: the Page Request Event, for the queue
 *
 * VT-d 7.5
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_I386_INTEL_IOMMU_PRQ_EVENT_H
#define HW_I386_INTEL_IOMMU_PRQ_EVENT_H

#include "hw/i386/intel_iommu.h"

/**
 * vtd_prq_level: number of requests that software has not taken from the queue
 */
uint64_t vtd_prq_level(IntelIOMMUState *s);

/**
 * vtd_prq_set_status: PPR or PRO becomes 1
 *
 * Sends the event, or leaves it pending, if both were 0 before.
 */
void vtd_prq_set_status(IntelIOMMUState *s, uint32_t bit);

void vtd_prq_event_realize(IntelIOMMUState *s);

/**
 * vtd_prq_event_reset: nothing is kept back or under way
 */
void vtd_prq_event_reset(IntelIOMMUState *s);

/**
 * vtd_prq_event_valid: can what was migrated be used?
 */
bool vtd_prq_event_valid(const VTDPrq *prq);

/**
 * vtd_prq_event_registers: PRS to PEUADDR as after a reset; PRS keeps what
 * vtd_prq_reset_enter() has kept
 */
void vtd_prq_event_registers(IntelIOMMUState *s);

#endif /* HW_I386_INTEL_IOMMU_PRQ_EVENT_H */
