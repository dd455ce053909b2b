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
#include "qemu/host-utils.h"
#include "hw/pci/ats_actor.h"
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
        d->msi.trigger(dev, msg);
    } else {
        pt_msi_pend(dev, msg);
    }
}

void pt_msi_realize(PriTestdev *d)
{
    PCIDevice *dev = PCI_DEVICE(d);

    d->msi.trigger = dev->msi_trigger;
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

/* An MSI is a Memory Write (PCIe 6.2 6.1.4), which ports may stop */
static void pt_write_msi(void *opaque, const void *data)
{
    const unsigned int *vector = data;
    PriTestdev *d = opaque;
    PCIDevice *dev = PCI_DEVICE(d);
    AtsTlp tlp = {
        .kind = ATS_TLP_WRITE,
        .addr = msix_get_message(dev, *vector).address,
        .len = 4,
        .pasid = ATS_NO_PASID,
    };

    if (!msix_enabled(dev) || msix_is_masked(dev, *vector) ||
        !ats_function_may_send(&d->fn, ATS_SEND_MSI) ||
        ats_function_may_pass(&d->fn, &tlp) == ATS_PATH_PASSED) {
        msix_notify(dev, *vector);
    }
}

/* The write of an MSI goes up behind the other writes */
static void pt_notify(PriTestdev *d, unsigned int vector)
{
    if (!ats_actor_event(ATS_EVENT_MSI, pci_requester_id(PCI_DEVICE(d)), d,
                         pt_write_msi, &vector, sizeof(vector))) {
        pt_write_msi(d, &vector);
    }
}

void pt_msi_run(PriTestdev *d)
{
    while (d->sched.irqs) {
        unsigned int n = ctz64(d->sched.irqs);

        d->sched.irqs &= d->sched.irqs - 1;
        pt_notify(d, PRI_TESTDEV_VECTOR_CHANNEL(n));
    }
    if (d->event.irq) {
        d->event.irq = false;
        pt_notify(d, PRI_TESTDEV_VECTOR_FUNCTION);
    }
}
