/*
 * pri-testdev: registers that only power on resets
 *
 * PCIe 6.2 7.4.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/pci/pci.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_aer.h"
#include "pri-testdev.h"

/*
 * Sticky registers, PCIe 6.2 7.4: what a hot reset and an FLR leave and power
 * on does not (7.8.4).  The controls of a Virtual Function are its Physical
 * Function's.
 */
void pt_sticky_power_on(PriTestdev *d)
{
    PCIDevice *dev = PCI_DEVICE(d);
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
    if (pci_is_vf(dev)) {
        return;
    }
    if (dev->cap_present & QEMU_PCIE_ERR_UNC_MASK) {
        pci_set_long(aer + PCI_ERR_UNCOR_MASK, PCI_ERR_UNC_MASK_DEFAULT);
    }
    pci_set_long(aer + PCI_ERR_UNCOR_SEVER, PCI_ERR_UNC_SEVERITY_DEFAULT);
    pci_set_long(aer + PCI_ERR_COR_MASK, PCI_ERR_COR_MASK_DEFAULT);
}
