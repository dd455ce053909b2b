/*
 * VT-d: registers that only a Power Good Reset initializes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_I386_INTEL_IOMMU_STICKY_H
#define HW_I386_INTEL_IOMMU_STICKY_H

#include "hw/i386/vtd-platform.h"
#include "hw/resettable.h"

#define VTD_STICKY_REGS         5
#define VTD_FAULT_RECORD_SIZE   16      /* bytes */

typedef struct IntelIOMMUState IntelIOMMUState;

/**
 * struct VTDSticky - what outlasts the reset that is under way
 */
typedef struct VTDSticky {
    uint32_t regs[VTD_STICKY_REGS];
    uint8_t records[VTD_FAULT_RECORDS_MAX * VTD_FAULT_RECORD_SIZE];
} VTDSticky;

/**
 * vtd_sticky_save: a machine reset begins; keep what is sticky, if the knob
 * says that power stays
 */
void vtd_sticky_save(IntelIOMMUState *s, ResetType type);

/**
 * vtd_sticky_restore: all registers have their reset values; put it back
 */
void vtd_sticky_restore(IntelIOMMUState *s);

#endif /* HW_I386_INTEL_IOMMU_STICKY_H */
