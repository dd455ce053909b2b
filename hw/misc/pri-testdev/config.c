/*
 * pri-testdev: configuration space
 *
 * The capabilities that are not for ATS, and what reads and writes do.  What
 * starts a reset is here, what a reset is in reset.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/range.h"
#include "qapi/error.h"
#include "hw/pci/msix.h"
#include "hw/pci/pci.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_aer.h"
#include "pri-testdev.h"

#define PT_PM_OFFSET        0x40
#define PT_AF_OFFSET        0x60
#define PT_VNDR_OFFSET      0x68
#define PT_EXP_OFFSET       0x80
#define PT_AER_OFFSET       PCI_CONFIG_SPACE_SIZE
#define PT_DSN_OFFSET       (PT_AER_OFFSET + PCI_ERR_SIZEOF)
#define PT_ATS_OFFSET       (PT_DSN_OFFSET + 0x10)

/* Vendor ID while configuration requests are to be retried, PCIe 6.2 2.3.2 */
#define PT_RRS_VENDOR_ID    0x0001

/* -- Identity -------------------------------------------------------------- */

bool pt_identity_check(const PtIdentity *id, Error **errp)
{
    /* What a read of a function that is not there gives, PCIe 6.2 2.3.2 */
    if (id->vendor == 0xffff || id->vendor == 0) {
        error_setg(errp, "vendor-id=0x%04x means that there is no function",
                   id->vendor);
        return false;
    }
    if (id->class_code >> 24) {
        error_setg(errp, "class has 24 bits: base class, sub-class and "
                   "programming interface, such as 0x020000 for Ethernet");
        return false;
    }
    return true;
}

static void pt_set_identity(PriTestdev *d)
{
    uint8_t *config = PCI_DEVICE(d)->config;
    const PtIdentity *id = &d->ident;

    pci_config_set_vendor_id(config, id->vendor);
    pci_config_set_device_id(config, pci_is_vf(PCI_DEVICE(d)) ?
                             id->vf_device : id->device);
    pci_config_set_revision(config, id->revision);
    pci_config_set_class(config, id->class_code >> 8);
    pci_config_set_prog_interface(config, id->class_code & 0xff);
    pci_set_word(config + PCI_SUBSYSTEM_VENDOR_ID, id->subsystem_vendor);
    pci_set_word(config + PCI_SUBSYSTEM_ID, id->subsystem);
}

/* -- Capabilities ---------------------------------------------------------- */

static bool pt_add_pm(PriTestdev *d, Error **errp)
{
    PCIDevice *dev = PCI_DEVICE(d);

    if (pci_pm_init(dev, PT_PM_OFFSET, errp) < 0) {
        return false;
    }
    pci_set_word(dev->config + dev->pm_cap + PCI_PM_PMC, 3);
    pci_set_word(dev->config + dev->pm_cap + PCI_PM_CTRL,
                 d->offers.no_soft_reset ? PCI_PM_CTRL_NO_SOFT_RESET : 0);
    pci_set_word(dev->wmask + dev->pm_cap + PCI_PM_CTRL,
                 PCI_PM_CTRL_STATE_MASK);
    return true;
}

/* Advanced Capabilities for Conventional PCI ECN */
static bool pt_add_af(PriTestdev *d, Error **errp)
{
    PCIDevice *dev = PCI_DEVICE(d);

    if (!d->offers.af_flr) {
        return true;
    }
    if (pci_add_capability(dev, PCI_CAP_ID_AF, PT_AF_OFFSET,
                           PCI_CAP_AF_SIZEOF, errp) < 0) {
        return false;
    }
    dev->config[PT_AF_OFFSET + PCI_AF_LENGTH] = PCI_CAP_AF_SIZEOF;
    dev->config[PT_AF_OFFSET + PCI_AF_CAP] = PCI_AF_CAP_TP | PCI_AF_CAP_FLR;
    return true;
}

static bool pt_add_vndr(PriTestdev *d, Error **errp)
{
    PCIDevice *dev = PCI_DEVICE(d);

    if (!d->offers.acpi) {
        return true;
    }
    if (pci_add_capability(dev, PCI_CAP_ID_VNDR, PT_VNDR_OFFSET, PT_VNDR_SIZE,
                           errp) < 0) {
        return false;
    }
    dev->config[PT_VNDR_OFFSET + PCI_CAP_FLAGS] = PT_VNDR_SIZE;
    return true;
}

/*
 * Of a device with several functions only (PCIe 6.2 6.12.1.2, 6.12.1.3).  Who
 * can redirect peer-to-peer requests and has ATS has Direct Translated P2P too.
 */
bool pt_acs_check(PriTestdev *d, Error **errp)
{
    PCIDevice *dev = PCI_DEVICE(d);

    if (d->acs && !(dev->cap_present & QEMU_PCI_CAP_MULTIFUNCTION) &&
        !PCI_FUNC(dev->devfn) && !d->n_vfs && !pci_is_vf(dev)) {
        error_setg(errp, "acs=on is for a device with several functions: "
                   "multifunction=on, a function number in addr=, or vfs");
        return false;
    }
    return true;
}

uint16_t pt_config_add_acs(PriTestdev *d, uint16_t offset)
{
    PCIDevice *dev = PCI_DEVICE(d);
    uint16_t bits = PCI_ACS_RR | PCI_ACS_CR | (d->cfg.ats ? PCI_ACS_DT : 0);

    if (!d->acs) {
        return offset;
    }
    pcie_add_capability(dev, PCI_EXT_CAP_ID_ACS, PCI_ACS_VER, offset,
                        PCI_ACS_SIZEOF);
    dev->exp.acs_cap = offset;
    pci_set_word(dev->config + offset + PCI_ACS_CAP, bits);
    pci_set_word(dev->wmask + offset + PCI_ACS_CTRL, bits);
    return offset + PCI_ACS_SIZEOF;
}

/* -- A conventional PCI function ------------------------------------------- */

bool pt_conventional_check(PriTestdev *d, Error **errp)
{
    bool express = pci_bus_is_express(pci_get_bus(PCI_DEVICE(d)));

    if (!d->conventional && !express) {
        error_setg(errp, "pri-testdev needs a PCI Express bus, such as that "
                   "of a pcie-root-port, or conventional=on");
        return false;
    }
    if (d->conventional && express) {
        error_setg(errp, "conventional=on needs a conventional PCI bus, such "
                   "as that of a pcie-pci-bridge");
        return false;
    }
    if (d->conventional && (d->acs || d->n_vfs || d->sn ||
                            d->offers.immediate)) {
        error_setg(errp, "acs, vfs, sn and immediate-readiness are not for "
                   "conventional=on");
        return false;
    }
    return true;
}

void pt_conventional_config(PriTestdev *d)
{
    if (d->conventional) {
        d->cfg.ats = false;
        d->cfg.pri = false;
        d->cfg.pasid = false;
        d->offers.pcie_flr = false;
    }
}

/* -- All of them ----------------------------------------------------------- */

static bool pt_add_express(PriTestdev *d, Error **errp)
{
    PCIDevice *dev = PCI_DEVICE(d);

    if (!pci_is_express(dev)) {
        return true;
    }
    if (pcie_endpoint_cap_init(dev, PT_EXP_OFFSET) < 0) {
        error_setg(errp, "no room for the PCI Express capability");
        return false;
    }
    pcie_cap_deverr_init(dev);
    /* End-End TLP Prefix Blocking is for ports (7.5.3.16) */
    pci_word_test_and_clear_mask(dev->wmask + PT_EXP_OFFSET + PCI_EXP_DEVCTL2,
                                 PCI_EXP_DEVCTL2_EETLPPB);
    pt_timeout_add_capability(d);
    if (d->offers.pcie_flr) {
        pcie_cap_flr_init(dev);
    }
    return true;
}

static bool pt_add_extended(PriTestdev *d, Error **errp)
{
    PCIDevice *dev = PCI_DEVICE(d);

    if (!pci_is_express(dev)) {
        return true;
    }
    if (pcie_aer_init(dev, PCI_ERR_VER, PT_AER_OFFSET, PCI_ERR_SIZEOF,
                      errp) < 0) {
        return false;
    }
    if (d->sn) {
        pcie_dev_ser_num_init(dev, PT_DSN_OFFSET, d->sn);
    }
    return true;
}

bool pt_config_realize(PriTestdev *d, Error **errp)
{
    PCIDevice *dev = PCI_DEVICE(d);

    /* what no capability claims is read-only and 0, PCIe 6.2 7.2 */
    memset(dev->wmask + PCI_CONFIG_HEADER_SIZE, 0,
           pci_config_size(dev) - PCI_CONFIG_HEADER_SIZE);
    if (!pci_is_vf(dev)) {
        /* Parity Error Response is in each function but a VF, 7.5.1.1.3 */
        pci_word_test_and_set_mask(dev->wmask + PCI_COMMAND,
                                   PCI_COMMAND_PARITY);
    }
    pt_set_identity(d);
    if (!pci_is_vf(dev) && !pt_add_pm(d, errp)) {
        return false;
    }
    if (!pt_add_af(d, errp) || !pt_add_vndr(d, errp) ||
        !pt_add_express(d, errp)) {
        return false;
    }
    if (d->offers.immediate) {
        pci_word_test_and_set_mask(dev->config + PCI_STATUS,
                                   PCI_STATUS_IMM_READY);
    }
    if (msix_init_exclusive_bar(dev, d->n_channels + 1, PT_MSIX_BAR, errp)) {
        goto no_msix;
    }
    for (unsigned int i = 0; i <= d->n_channels; i++) {
        msix_vector_use(dev, i);
    }
    if (!pt_add_extended(d, errp)) {
        goto no_aer;
    }
    return true;

no_aer:
    msix_uninit_exclusive_bar(dev);
no_msix:
    pcie_cap_exit(dev);
    return false;
}

uint16_t pt_config_ats_offset(void)
{
    return PT_ATS_OFFSET;
}

void pt_config_exit(PriTestdev *d)
{
    PCIDevice *dev = PCI_DEVICE(d);

    pcie_aer_exit(dev);
    msix_uninit_exclusive_bar(dev);
    pcie_cap_exit(dev);
}

/* -- Reads ----------------------------------------------------------------- */

static bool pt_config_lost(const PriTestdev *d)
{
    return d->presence.gone || d->presence.link_down ||
           (pt_in_reset(d) && d->knobs.flr_config != PT_FLR_CONFIG_NORMAL);
}

static uint32_t pt_lost_config_read(const PriTestdev *d, uint32_t addr,
                                    int len)
{
    uint32_t ones = len == 4 ? UINT32_MAX : (1u << (len * 8)) - 1;

    if (!d->presence.gone && !d->presence.link_down &&
        d->knobs.flr_config == PT_FLR_CONFIG_RRS && !addr && len >= 2) {
        return (ones & 0xffff0000) | PT_RRS_VENDOR_ID;
    }
    return ones;
}

/*
 * Non-Posted Requests that have no completion yet: those of the channels that
 * move on by themselves, and Translation Requests.  Page Requests are posted
 * (PCIe 6.2 7.5.3.5).
 */
static bool pt_transactions_pending(const PriTestdev *d)
{
    return d->sched.ready || ats_inflight_waiting(&d->fn.inflight) ||
           d->knobs.tp_bit;
}

/* @bits of the byte at @at, as seen by a read of @len bytes at @addr */
static uint32_t pt_seen(uint32_t addr, int len, uint32_t at, uint32_t bits)
{
    return range_covers_byte(addr, len, at) ? bits << ((at - addr) * 8) : 0;
}

uint32_t pt_config_read(PCIDevice *dev, uint32_t addr, int len)
{
    PriTestdev *d = PRI_TESTDEV(dev);
    uint32_t val;

    if (pt_config_lost(d)) {
        return pt_lost_config_read(d, addr, len);
    }
    ats_function_sending(&d->fn, ATS_SEND_COMPLETION);
    val = pci_default_read_config(dev, addr, len);
    if (pt_transactions_pending(d)) {
        if (pci_is_express(dev)) {
            val |= pt_seen(addr, len, dev->exp.exp_cap + PCI_EXP_DEVSTA,
                           PCI_EXP_DEVSTA_TRPND);
        }
        if (d->offers.af_flr) {
            val |= pt_seen(addr, len, PT_AF_OFFSET + PCI_AF_STATUS,
                           PCI_AF_STATUS_TP);
        }
    }
    if (d->offers.acpi && pt_in_reset(d)) {
        val |= pt_seen(addr, len, PT_VNDR_OFFSET + PT_VNDR_RESET, 1);
    }
    return val;
}

/* -- Writes ---------------------------------------------------------------- */

/* Does a write set bit 0 of the byte at @at? */
static bool pt_sets(uint32_t addr, uint32_t val, int len, uint32_t at)
{
    return range_covers_byte(addr, len, at) &&
           (val >> ((at - addr) * 8) & 1);
}

/* PCIe 6.2 5.3.1.4: an internal reset, unless the function says otherwise */
static void pt_power_state(PriTestdev *d, bool was_d0)
{
    bool d0 = ats_function_in_d0(&d->fn);

    if (was_d0 && !d0) {
        pt_inv_leave_d0(d);
    } else if (!was_d0 && d0 && !d->offers.no_soft_reset) {
        pt_reset(d, PT_RESET_D3HOT);
    }
}

/* Does a write begin a reset while it is being carried out? */
static bool pt_begins_reset(PriTestdev *d, uint32_t addr, uint32_t val,
                            int len)
{
    PCIDevice *dev = PCI_DEVICE(d);
    uint32_t flr = dev->exp.exp_cap + PCI_EXP_DEVCTL + 1;

    return (d->offers.pcie_flr && range_covers_byte(addr, len, flr) &&
            (val >> ((flr - addr) * 8) & (PCI_EXP_DEVCTL_BCR_FLR >> 8))) ||
           (d->offers.af_flr &&
            pt_sets(addr, val, len, PT_AF_OFFSET + PCI_AF_CTRL)) ||
           (d->offers.acpi &&
            pt_sets(addr, val, len, PT_VNDR_OFFSET + PT_VNDR_RESET));
}

void pt_config_write(PCIDevice *dev, uint32_t addr, uint32_t val, int len)
{
    PriTestdev *d = PRI_TESTDEV(dev);
    bool was_d0 = ats_function_in_d0(&d->fn);

    if (pt_config_lost(d)) {
        return;
    }
    /* its completion, which an FLR comes after: PCIe 6.2 6.6.2 */
    if (!pt_posted_outlive(d) || !pt_begins_reset(d, addr, val, len)) {
        ats_function_sending(&d->fn, ATS_SEND_WRITE_COMPLETION);
    }
    pci_default_write_config(dev, addr, val, len);
    if (pci_is_express(dev)) {
        pcie_aer_write_config(dev, addr, val, len);
    }
    ats_function_config_write(&d->fn, addr, val, len);
    pt_power_state(d, was_d0);
    if (pci_is_express(dev)) {
        pcie_cap_flr_write_config(dev, addr, val, len);
    }
    if (d->offers.af_flr &&
        pt_sets(addr, val, len, PT_AF_OFFSET + PCI_AF_CTRL)) {
        pt_reset(d, PT_RESET_AF);
    }
    if (d->offers.acpi &&
        pt_sets(addr, val, len, PT_VNDR_OFFSET + PT_VNDR_RESET)) {
        pt_reset(d, PT_RESET_PLATFORM);
    }
    pt_msi_permitted(d);
}

/* For the ACPI tables */
uint32_t pt_config_platform_reset_offset(void)
{
    return PT_VNDR_OFFSET + PT_VNDR_RESET;
}
