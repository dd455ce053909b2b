/*
 * Sticky registers of Advanced Error Reporting
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/pci/pci.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_aer.h"
#include "hw/pci/pcie_sticky.h"
#include "hw/resettable.h"

/* Root Error Status but its message number, which is HwInit; 7.8.4.10, .11 */
static void pcie_sticky_root_power_on(PCIDevice *dev, uint8_t *aer)
{
    if (pcie_cap_get_type(dev) == PCI_EXP_TYPE_ROOT_PORT) {
        pci_long_test_and_clear_mask(aer + PCI_ERR_ROOT_STATUS,
                                     ~PCI_ERR_ROOT_IRQ);
        pci_set_long(aer + PCI_ERR_ROOT_ERR_SRC, 0);
    }
}

void pcie_sticky_power_on(PCIDevice *dev)
{
    uint8_t *aer = dev->config + dev->exp.aer_cap;

    pci_set_long(aer + PCI_ERR_UNCOR_STATUS, 0);
    pci_set_long(aer + PCI_ERR_COR_STATUS, 0);
    pci_long_test_and_clear_mask(aer + PCI_ERR_CAP, PCI_ERR_CAP_FEP_MASK |
                                 PCI_ERR_CAP_ECRC_GENE |
                                 PCI_ERR_CAP_ECRC_CHKE | PCI_ERR_CAP_MHRE |
                                 PCI_ERR_CAP_TLP);
    memset(aer + PCI_ERR_HEADER_LOG, 0, PCI_ERR_HEADER_LOG_SIZE);
    memset(aer + PCI_ERR_TLP_PREFIX_LOG, 0, PCI_ERR_TLP_PREFIX_LOG_SIZE);
    dev->exp.aer_log.log_num = 0;
    pcie_sticky_root_power_on(dev, aer);
    if (pci_is_vf(dev)) {
        return;                 /* the controls are its Physical Function's */
    }
    if (dev->cap_present & QEMU_PCIE_ERR_UNC_MASK) {
        pci_set_long(aer + PCI_ERR_UNCOR_MASK, PCI_ERR_UNC_MASK_DEFAULT);
    }
    pci_set_long(aer + PCI_ERR_UNCOR_SEVER, PCI_ERR_UNC_SEVERITY_DEFAULT);
    pci_set_long(aer + PCI_ERR_COR_MASK, PCI_ERR_COR_MASK_DEFAULT);
}

void pcie_sticky_reset(PCIDevice *dev)
{
    if (dev->exp.aer_cap &&
        resettable_is_in_reset(OBJECT(pci_device_root_bus(dev)))) {
        pcie_sticky_power_on(dev);
    }
}
