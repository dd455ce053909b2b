/*
 * What a function with ATS may send, and in which order
 *
 * One gate for every TLP: who sends asks it, and when it says yes the posted
 * writes that must be ahead have reached memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/pci/ats_function.h"
#include "hw/pci/pci.h"
#include "hw/pci/pci_device.h"

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

/*
 * In D3hot a function initiates no requests but PME messages (PCIe 6.2
 * 5.3.1.4.1).  What comes to it is answered: errors are reported and
 * invalidations completed, unless a knob loses these, as 10.3.1 permits.
 *
 * Bus Master Enable is for Memory Requests, which an MSI is as well
 * (7.5.1.1.3), and a Translation Request (10.2.2).
 */
bool ats_function_may_send(const AtsFunction *f, AtsSend what)
{
    static const struct {
        bool d0;
        bool master;
    } needs[ATS_SEND_NR] = {
        [ATS_SEND_WRITE] = { true, true },
        [ATS_SEND_READ] = { true, true },
        [ATS_SEND_MSI] = { true, true },
        [ATS_SEND_TRANSLATION] = { true, true },
        [ATS_SEND_PAGE_REQUEST] = { true, false },
        [ATS_SEND_INV_COMPLETION] = { false, false },
        [ATS_SEND_ERROR] = { false, false },
        [ATS_SEND_COMPLETION] = { false, false },
    };

    return ats_function_connected(f) &&
           (!needs[what].d0 || ats_function_in_d0(f)) &&
           (!needs[what].master || f->dev->is_master);
}

bool ats_function_sending(AtsFunction *f, AtsSend what)
{
    if (!ats_function_may_send(f, what)) {
        return false;
    }
    ats_posted_sending(&f->posted, what);
    return true;
}
