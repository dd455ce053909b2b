/*
 * pri-testdev: interrupts and the state that the function is in
 *
 * An MSI is a Memory Write, so Bus Master Enable and the power state say when
 * it can be sent (PCIe 6.2 7.5.1.1.3, 5.3.1.4.1).  Until then its vector is
 * pending, as if it were masked (6.1.4.5).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/pci/msi.h"
#include "hw/pci/msix.h"
#include "hw/pci/pci.h"
#include "pri-testdev.h"

/* The vector of a message that may not be sent stays pending */
static void pt_msi_pend(PCIDevice *dev, MSIMessage msg)
{
    for (unsigned int n = 0; n < dev->msix_entries_nr; n++) {
        MSIMessage own = msix_get_message(dev, n);

        if (!msix_is_masked(dev, n) && own.address == msg.address &&
            own.data == msg.data) {
            msix_set_pending(dev, n);
            return;
        }
    }
}

/* A message on its way from the MSI-X table to the link */
static void pt_msi_trigger(PCIDevice *dev, MSIMessage msg)
{
    PriTestdev *d = PRI_TESTDEV(dev);

    if (ats_function_sending(&d->fn, ATS_SEND_MSI)) {
        d->msi_trigger(dev, msg);
    } else {
        pt_msi_pend(dev, msg);
    }
}

void pt_msi_realize(PriTestdev *d)
{
    PCIDevice *dev = PCI_DEVICE(d);

    d->msi_trigger = dev->msi_trigger;
    dev->msi_trigger = pt_msi_trigger;
}

void pt_msi_permitted(PriTestdev *d)
{
    PCIDevice *dev = PCI_DEVICE(d);

    if (!ats_function_may_send(&d->fn, ATS_SEND_MSI)) {
        return;
    }
    for (unsigned int n = 0; n < dev->msix_entries_nr; n++) {
        if ((dev->msix_pba[n / 8] & (1u << (n % 8))) &&
            !msix_is_masked(dev, n)) {
            msix_clr_pending(dev, n);
            msix_notify(dev, n);
        }
    }
}
