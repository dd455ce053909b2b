/*
 * Reserved Memory Region Reporting of the DMAR table, VT-d 8.4
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_I386_INTEL_IOMMU_RMRR_H
#define HW_I386_INTEL_IOMMU_RMRR_H

#include "qom/object.h"

/**
 * vtd_rmrr_class_init: the property "rmrr"
 *
 * "DEVICE:FIRST-LAST", more of them behind a "/": PCI device DEVICE (its id)
 * has the 4-KByte pages from FIRST to LAST, hexadecimal, reserved: software
 * maps them one to one for it.  They are reserved in E820, too.
 */
void vtd_rmrr_class_init(ObjectClass *klass);

/**
 * vtd_rmrr_realize: check the property, reserve the memory
 *
 * @text: the property, or NULL
 *
 * Returns: false with @errp set if it makes no sense.
 */
bool vtd_rmrr_realize(const char *text, Error **errp);

/**
 * vtd_rmrr_build: append the structures to a DMAR table
 *
 * A device that is not there (any more) has none.
 */
void vtd_rmrr_build(const char *text, GArray *table);

#endif /* HW_I386_INTEL_IOMMU_RMRR_H */
