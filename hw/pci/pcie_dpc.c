/*
 * Downstream Port Containment
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/range.h"
#include "hw/pci/msix.h"
#include "hw/pci/pci.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_aer.h"
#include "hw/pci/pcie_dpc.h"
#include "hw/pci/pcie_port.h"
#include "trace.h"

/* DPC Control, PCIe 6.2 7.9.14.3: what pci_regs.h does not name */
#define DPC_CTL_TRIGGER_EN      0x0003
#define DPC_CTL_EN_NONE         0x0000
#define DPC_CTL_COMPLETION      0x0004
#define DPC_CTL_ERR_COR_EN      0x0010
#define DPC_CTL_SW_TRIGGER      0x0040
#define DPC_CTL_MASK            (DPC_CTL_TRIGGER_EN | DPC_CTL_COMPLETION | \
                                 PCI_EXP_DPC_CTL_INT_EN | DPC_CTL_ERR_COR_EN)

#define DPC_STATUS_REASONS      (PCI_EXP_DPC_STATUS_TRIGGER_RSN | \
                                 PCI_EXP_DPC_STATUS_TRIGGER_RSN_EXT)

static uint8_t *pcie_dpc_regs(const PcieDpc *dpc)
{
    return dpc->dev->config + dpc->cap;
}

static uint16_t pcie_dpc_control(const PcieDpc *dpc)
{
    return pci_get_word(pcie_dpc_regs(dpc) + PCI_EXP_DPC_CTL);
}

static uint16_t pcie_dpc_status(const PcieDpc *dpc)
{
    return pci_get_word(pcie_dpc_regs(dpc) + PCI_EXP_DPC_STATUS);
}

void pcie_dpc_init(PcieDpc *dpc, PCIDevice *dev, uint16_t offset,
                   unsigned int vector, void (*changed)(PCIDevice *dev))
{
    dpc->dev = dev;
    dpc->cap = offset;
    dpc->changed = changed;
    pcie_add_capability(dev, PCI_EXT_CAP_ID_DPC, 1, offset, PCIE_DPC_SIZEOF);
    pci_set_word(dev->config + offset + PCI_EXP_DPC_CAP,
                 vector | PCI_EXP_DPC_CAP_SW_TRIGGER);
    pci_set_word(dev->wmask + offset + PCI_EXP_DPC_CTL, DPC_CTL_MASK);
    pci_set_word(dev->w1cmask + offset + PCI_EXP_DPC_STATUS,
                 PCI_EXP_DPC_STATUS_TRIGGER | PCI_EXP_DPC_STATUS_INTERRUPT);
    /* These change by themselves, so migration must not compare them */
    pci_set_word(dev->cmask + offset + PCI_EXP_DPC_STATUS, 0);
    pci_set_word(dev->cmask + offset + PCI_EXP_DPC_SOURCE_ID, 0);
    pcie_dpc_reset(dpc);
}

/*
 * 6.2.11.1: a message each time that status AND enable becomes true.  The port
 * has MSI-X and an interrupt pin; AER and the slot set the level of INTx, too,
 * and the last one wins.
 */
static void pcie_dpc_update_irq(PcieDpc *dpc)
{
    PCIDevice *dev = dpc->dev;
    unsigned int vector = pci_get_word(pcie_dpc_regs(dpc) + PCI_EXP_DPC_CAP) &
                          PCI_EXP_DPC_IRQ;
    bool irq = (pcie_dpc_control(dpc) & PCI_EXP_DPC_CTL_INT_EN) &&
               (pcie_dpc_status(dpc) & PCI_EXP_DPC_STATUS_INTERRUPT);

    if (irq == dpc->irq) {
        return;
    }
    dpc->irq = irq;
    if (msix_enabled(dev)) {
        if (irq) {
            msix_notify(dev, vector);
        }
    } else {
        pci_set_irq(dev, irq);
    }
}

/* 6.2.11.2: no error, so Device Status stays as it is */
static void pcie_dpc_signal_err_cor(PcieDpc *dpc)
{
    PCIDevice *dev = dpc->dev;
    uint16_t devctl = pci_get_word(dev->config + dev->exp.exp_cap +
                                   PCI_EXP_DEVCTL);
    PCIEAERMsg msg = {
        .severity = PCI_ERR_ROOT_CMD_COR_EN,
        .source_id = pci_requester_id(dev),
    };

    if ((pcie_dpc_control(dpc) & DPC_CTL_ERR_COR_EN) &&
        (devctl & PCI_EXP_DEVCTL_CERE)) {
        pcie_aer_msg_root_port(dev, &msg);
    }
}

/*
 * @reason: PCI_EXP_DPC_STATUS_TRIGGER_RSN_*, with its extension
 *
 * Returns: false if DPC is not enabled, or triggered already.
 */
static bool pcie_dpc_trigger(PcieDpc *dpc, uint16_t reason)
{
    uint8_t *regs = pcie_dpc_regs(dpc);
    uint16_t status = pcie_dpc_status(dpc) & ~DPC_STATUS_REASONS;

    if (dpc->contained ||
        (pcie_dpc_control(dpc) & DPC_CTL_TRIGGER_EN) == DPC_CTL_EN_NONE) {
        return false;
    }
    trace_pcie_dpc_trigger(dpc->dev->name, reason);
    pci_set_word(regs + PCI_EXP_DPC_STATUS,
                 status | reason | PCI_EXP_DPC_STATUS_TRIGGER |
                 PCI_EXP_DPC_STATUS_INTERRUPT);
    dpc->contained = true;
    dpc->changed(dpc->dev);
    pcie_dpc_signal_err_cor(dpc);
    pcie_dpc_update_irq(dpc);
    return true;
}

bool pcie_dpc_message(PcieDpc *dpc, const PCIEAERMsg *msg)
{
    uint16_t enable = pcie_dpc_control(dpc) & DPC_CTL_TRIGGER_EN;
    bool own = msg->source_id == pci_requester_id(dpc->dev);
    bool fatal = msg->severity == PCI_ERR_ROOT_CMD_FATAL_EN;

    if (!pcie_aer_msg_is_uncor(msg)) {
        return false;
    }
    if (own) {
        return pcie_dpc_trigger(dpc, PCI_EXP_DPC_STATUS_TRIGGER_RSN_UNCOR);
    }
    if (dpc->contained) {
        return true;            /* 2.9.3: nothing comes up the link */
    }
    if (!fatal && enable != PCI_EXP_DPC_CTL_EN_NONFATAL) {
        return false;
    }
    if (enable != DPC_CTL_EN_NONE) {
        pci_set_word(pcie_dpc_regs(dpc) + PCI_EXP_DPC_SOURCE_ID,
                     msg->source_id);
    }
    return pcie_dpc_trigger(dpc, fatal ? PCI_EXP_DPC_STATUS_TRIGGER_RSN_FE :
                            PCI_EXP_DPC_STATUS_TRIGGER_RSN_NFE);
}

/* DPC Software Trigger reads 0, so it is looked for in what is written */
static bool pcie_dpc_sw_trigger(PcieDpc *dpc, uint32_t addr, uint32_t val,
                                int len)
{
    uint32_t reg = dpc->cap + PCI_EXP_DPC_CTL;

    return range_covers_byte(addr, len, reg) &&
           ((val >> ((reg - addr) * 8)) & DPC_CTL_SW_TRIGGER);
}

void pcie_dpc_write_config(PcieDpc *dpc, uint32_t addr, uint32_t val, int len)
{
    if (!ranges_overlap(addr, len, dpc->cap, PCIE_DPC_SIZEOF)) {
        return;
    }
    if (dpc->contained &&
        !(pcie_dpc_status(dpc) & PCI_EXP_DPC_STATUS_TRIGGER)) {
        trace_pcie_dpc_release(dpc->dev->name);
        dpc->contained = false;
        dpc->changed(dpc->dev);
    }
    if (pcie_dpc_sw_trigger(dpc, addr, val, len)) {
        pcie_dpc_trigger(dpc, PCI_EXP_DPC_STATUS_TRIGGER_RSN_IN_EXT |
                         PCI_EXP_DPC_STATUS_TRIGGER_RSN_SW_TRIGGER);
    }
    pcie_dpc_update_irq(dpc);
}

void pcie_dpc_reset(PcieDpc *dpc)
{
    uint8_t *regs = pcie_dpc_regs(dpc);

    pci_set_word(regs + PCI_EXP_DPC_CTL, 0);
    pci_set_word(regs + PCI_EXP_DPC_STATUS, 0);
    pci_set_word(regs + PCI_EXP_DPC_SOURCE_ID, 0);
    dpc->contained = false;
    dpc->irq = false;
}

void pcie_dpc_post_load(PcieDpc *dpc)
{
    uint16_t status = pcie_dpc_status(dpc);

    dpc->contained = status & PCI_EXP_DPC_STATUS_TRIGGER;
    dpc->irq = (status & PCI_EXP_DPC_STATUS_INTERRUPT) &&
               (pcie_dpc_control(dpc) & PCI_EXP_DPC_CTL_INT_EN);
}
