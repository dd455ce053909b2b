/*
 * A function with ATS: what its registers say
 *
 * Everything here asks the function's state and nobody else, so that each of
 * its other files may call it.
 *
 * PCIe 6.2 10.5, 6.20, 7.8.8
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "ats_function_internal.h"
#include "hw/pci/pci.h"
#include "hw/pci/pci_device.h"
#include "trace.h"

void ats_function_note(AtsFunction *f, PciePriNote note, const AtsMsg *msg)
{
    if (f->ops->note) {
        f->ops->note(f->opaque, note, msg);
    }
}

void ats_function_violation(AtsFunction *f, const char *what)
{
    f->cnt.violations++;
    ats_function_note(f, PCIE_PRI_NOTE_VIOLATION, NULL);
    trace_ats_function_violation(f->dev->name, what);
    qemu_log_mask(LOG_GUEST_ERROR, "%s: %s\n", f->dev->name, what);
}

uint64_t ats_function_stu(const AtsFunction *f)
{
    uint16_t control = f->pf ? f->pf->ats_control : f->ats_control;

    return (0x1000ULL << (control & ATS_CTRL_STU_MASK)) - 1;
}

bool ats_function_ats_enabled(const AtsFunction *f)
{
    return f->ats_control & PCI_ATS_CTRL_ENABLE;
}

AtsFunction *ats_function_owner(AtsFunction *f)
{
    return f->pf ?: f;
}

static uint16_t ats_function_pasid_control(const AtsFunction *f)
{
    return f->pf ? f->pf->pasid_control : f->pasid_control;
}

PciePri *ats_function_pri(AtsFunction *f)
{
    return &ats_function_owner(f)->pri;
}

bool ats_function_pasid_enabled(const AtsFunction *f)
{
    return ats_function_pasid_control(f) & PCI_PASID_CTRL_ENABLE;
}

bool ats_function_has_link(const AtsFunction *f)
{
    return f->link != NULL;
}

bool ats_function_connected(const AtsFunction *f)
{
    return f->dev->enabled;
}

bool ats_function_in_d0(const AtsFunction *f)
{
    PCIDevice *dev = f->dev;

    return !dev->pm_cap ||
           !(pci_get_word(dev->config + dev->pm_cap + PCI_PM_CTRL) &
             PCI_PM_CTRL_STATE_MASK);
}

bool ats_function_may_request(const AtsFunction *f)
{
    return f->dev->is_master && ats_function_in_d0(f);
}

/* PCIe 6.2 6.20.2: each bit of the prefix has its own enable */
bool ats_function_pasid_ok(const AtsFunction *f, uint32_t pasid, bool priv,
                           bool exec)
{
    if (pasid == ATS_NO_PASID) {
        return !priv && !exec;
    }
    return ats_function_pasid_enabled(f) && !(pasid >> f->cfg->pasid_bits) &&
           (!priv ||
            (ats_function_pasid_control(f) & PCI_PASID_CTRL_PRIV)) &&
           (!exec || (ats_function_pasid_control(f) & PCI_PASID_CTRL_EXEC));
}

bool ats_function_pri_usable(const AtsFunction *f, uint32_t pasid)
{
    const PciePri *pri = f->pf ? &f->pf->pri : &f->pri;

    return f->link && pcie_pri_usable(pri) && pcie_pri_limit(pri) &&
           ats_function_may_request(f) &&
           ats_function_pasid_ok(f, pasid, false, false);
}

void ats_function_sync_config(AtsFunction *f)
{
    PCIDevice *dev = f->dev;

    if (f->cfg->ats) {
        pci_set_word(dev->config + dev->exp.ats_cap + PCI_ATS_CTRL,
                     f->ats_control);
    }
    if (f->cfg->pasid) {
        pci_set_word(dev->config + dev->exp.pasid_cap + PCI_PASID_CTRL,
                     f->pasid_control);
    }
    if (f->cfg->pri) {
        uint8_t *pri = dev->config + dev->exp.pri_cap;

        pci_set_word(pri + PCI_PRI_CTRL, pcie_pri_read_control(&f->pri));
        pci_set_word(pri + PCI_PRI_STATUS, pcie_pri_read_status(&f->pri));
        pci_set_long(pri + PCI_PRI_ALLOC_REQ, f->pri.allocation);
    }
}
