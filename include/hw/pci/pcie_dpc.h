/*
 * Downstream Port Containment
 *
 * The DPC Extended Capability of a root or downstream port, without the
 * extensions for root ports (RP PIO).  When it is triggered, the port keeps
 * its link disabled until software clears DPC Trigger Status; what that does
 * to the link and to what is below is up to the port.
 *
 * PCIe 6.2 6.2.11, 7.9.14
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_PCI_PCIE_DPC_H
#define HW_PCI_PCIE_DPC_H

#include "hw/pci/pci_device.h"

#define PCIE_DPC_SIZEOF     0x0c

/**
 * struct PcieDpc - state of the capability that is not in configuration space
 *
 * @contained: DPC Trigger Status, as the port was told last
 * @irq: DPC Interrupt Status and Enable, as they were last
 */
typedef struct PcieDpc {
    PCIDevice *dev;
    uint16_t cap;
    void (*changed)(PCIDevice *dev);
    bool contained;
    bool irq;
} PcieDpc;

/**
 * pcie_dpc_init: add the capability to a port with AER and MSI-X
 *
 * @offset: in extended configuration space, PCIE_DPC_SIZEOF bytes
 * @vector: DPC Interrupt Message Number
 * @changed: containment has begun or ended, pcie_dpc_contained() says which.
 *     When it begins, this comes before the interrupt.
 */
void pcie_dpc_init(PcieDpc *dpc, PCIDevice *dev, uint16_t offset,
                   unsigned int vector, void (*changed)(PCIDevice *dev));

/**
 * pcie_dpc_contained: must the link be down?
 */
static inline bool pcie_dpc_contained(const PcieDpc *dpc)
{
    return dpc->contained;
}

/**
 * pcie_dpc_message: an error message arrives at the port from below, or is
 * about to be sent by the port about itself
 *
 * Returns: true if it triggers DPC and goes no further, PCIe 6.2 6.2.11.
 */
bool pcie_dpc_message(PcieDpc *dpc, const PCIEAERMsg *msg);

/**
 * pcie_dpc_write_config: to be called after pci_default_write_config()
 */
void pcie_dpc_write_config(PcieDpc *dpc, uint32_t addr, uint32_t val, int len);

/**
 * pcie_dpc_reset: fundamental reset of the port; @changed is not called
 */
void pcie_dpc_reset(PcieDpc *dpc);

/**
 * pcie_dpc_post_load: take over what was migrated with configuration space;
 * @changed is not called
 */
void pcie_dpc_post_load(PcieDpc *dpc);

#endif /* HW_PCI_PCIE_DPC_H */
