/*
 * pri-testdev: interrupts
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_TESTDEV_MSI_H
#define PRI_TESTDEV_MSI_H

#include "types.h"

#define PT_MSIX_BAR         2

/* @trigger: PCI's own */
typedef struct PtMsi {
    MSITriggerFunc *trigger;
} PtMsi;

/**
 * pt_msi_realize: all MSI go by the gate of ats_function_sending()
 */
void pt_msi_realize(PriTestdev *d);

/**
 * pt_msi_permitted: the function may have become able to send pending MSI
 */
void pt_msi_permitted(PriTestdev *d);

/**
 * pt_msi_run: from the bottom half: the interrupts that are due
 */
void pt_msi_run(PriTestdev *d);

#endif /* PRI_TESTDEV_MSI_H */
