/*
 * VT-d: the platform, for intel_iommu_svm.c
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_I386_INTEL_IOMMU_PLATFORM_H
#define HW_I386_INTEL_IOMMU_PLATFORM_H

#include "hw/i386/intel_iommu.h"
#include "hw/pci/ats_knobs.h"

/**
 * vtd_platform_class_init: property "platform"
 */
void vtd_platform_class_init(ObjectClass *klass);

/**
 * vtd_platform_apply: defaults of @knobs and of the options fault-records,
 * snoop-control and x-ssts, while the unit is realized
 *
 * Returns: false and sets @errp if an option is out of range.
 */
bool vtd_platform_apply(IntelIOMMUState *s, const AtsKnobTable *knobs,
                        Error **errp);

#endif /* HW_I386_INTEL_IOMMU_PLATFORM_H */
