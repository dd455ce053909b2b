/*
 * pri-testdev: what all of its parts know
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_TESTDEV_TYPES_H
#define PRI_TESTDEV_TYPES_H

#include "hw/misc/pri-testdev-knobs.h"
#include "hw/misc/pri-testdev-regs.h"
#include "hw/pci/ats_function.h"
#include "hw/pci/ats_knobs.h"
#include "hw/pci/pci_device.h"
#include "qom/object.h"

#define PT_PAGE             4096
#define PT_PAGE_MASK        (~(uint64_t)(PT_PAGE - 1))

#define PT_ALL_CHANNELS     UINT64_MAX

#define TYPE_PRI_TESTDEV "pri-testdev"
OBJECT_DECLARE_SIMPLE_TYPE(PriTestdev, PRI_TESTDEV)

/* A Virtual Function is a PriTestdev as well */
#define TYPE_PRI_TESTDEV_VF "pri-testdev-vf"

/* PT_RESET_* of the register header */
typedef uint8_t PtResetKind;

#endif /* PRI_TESTDEV_TYPES_H */
