/*
 * VT-d device-TLB invalidation: descriptors as messages, and their completions
 *
 * VT-d 4.3, 6.5.2.5, 6.5.2.6
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_I386_INTEL_IOMMU_DEVTLB_H
#define HW_I386_INTEL_IOMMU_DEVTLB_H

#include "hw/pci/ats_itag.h"
#include "qemu/timer.h"

typedef struct IntelIOMMUState IntelIOMMUState;

/* X(field, what it counts); read with qom-get as "x-devtlb-<name>" */
#define VTD_DEVTLB_COUNTERS(X) \
    X(refused,       "Invalidate Completions that came while TES=0")

/**
 * struct VTDDevTlb - device-TLB invalidations under way
 *
 * @itags: the engine
 * @timer: virtual clock; the first ITag that times out
 */
typedef struct VTDDevTlb {
    AtsItags itags;
    QEMUTimer *timer;
#define VTD_DEVTLB_COUNTER_FIELD(field, text) uint64_t field;
    VTD_DEVTLB_COUNTERS(VTD_DEVTLB_COUNTER_FIELD)
#undef VTD_DEVTLB_COUNTER_FIELD
} VTDDevTlb;

extern const struct VMStateDescription vmstate_vtd_devtlb;

void vtd_devtlb_realize(IntelIOMMUState *s);
void vtd_devtlb_reset(IntelIOMMUState *s);

/**
 * vtd_devtlb_invalidate: send an Invalidate Request to a function on the link
 *
 * @pasid: or ATS_NO_PASID; @addr, @size, @global: as in the descriptor
 * @mip: Max Invalidations Pending of the descriptor, 0 is 32 (VT-d 6.5.2.5)
 *
 * Returns: true if the request was sent or none is, because the function has
 * QEMU's notifiers;
 * false if it must wait for an ITag: the descriptor stays at IQH.
 */
bool vtd_devtlb_invalidate(IntelIOMMUState *s, uint16_t rid, uint32_t pasid,
                           uint64_t addr, bool size, bool global,
                           unsigned int mip);

/**
 * vtd_devtlb_completion: an Invalidate Completion arrived (AtsAgentOps)
 */
void vtd_devtlb_completion(IntelIOMMUState *s, const AtsMsg *msg);

#endif /* HW_I386_INTEL_IOMMU_DEVTLB_H */
