/*
 * Sticky registers of Advanced Error Reporting: what a hot reset and a Function
 * Level Reset leave, and a Fundamental Reset does not (PCIe 6.2 6.6.1, 7.4,
 * 7.8.4)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_PCI_PCIE_STICKY_H
#define HW_PCI_PCIE_STICKY_H

#include "hw/pci/pci_device.h"

/**
 * pcie_sticky_power_on: the sticky registers of a function with AER are as at
 * first
 */
void pcie_sticky_power_on(PCIDevice *dev);

/**
 * pcie_sticky_reset: a function is reset; that is a part of the machine's reset
 * if the root bus is in reset, too
 */
void pcie_sticky_reset(PCIDevice *dev);

#endif /* HW_PCI_PCIE_STICKY_H */
