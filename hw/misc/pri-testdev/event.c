/*
 * pri-testdev: function events, and errors that are reported
 *
 * Events set a bit that the driver reads, and may raise vector 0.  Errors wait
 * for the bottom half: the port above may contain one, and that resets the
 * function.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/pci/pci.h"
#include "hw/pci/pcie_aer.h"
#include "pri-testdev.h"

static void pt_event_irq(PriTestdev *d)
{
    d->event.irq = true;
    pt_channels_kick(d);
}

void pt_event(PriTestdev *d, uint32_t bit)
{
    d->event.status |= bit;
    if (d->event.enable & bit) {
        pt_event_irq(d);
    }
}

void pt_event_enable(PriTestdev *d, uint32_t val)
{
    uint32_t added = val & ~d->event.enable;

    d->event.enable = val & PT_EVENT_ALL;
    if (d->event.status & d->event.enable & added) {
        pt_event_irq(d);
    }
}

void pt_report(PriTestdev *d, uint32_t error)
{
    d->sched.pending_aer |= error;
    if (error) {
        pt_channels_kick(d);
    }
}

void pt_report_now(PriTestdev *d)
{
    while (d->sched.pending_aer) {
        PCIEAERErr err = {
            .status = d->sched.pending_aer & -d->sched.pending_aer,
            .source_id = pci_requester_id(PCI_DEVICE(d)),
        };

        d->sched.pending_aer &= ~err.status;
        if (!pt_unresponsive(d) &&
            ats_function_sending(&d->fn, ATS_SEND_ERROR)) {
            pcie_aer_inject_error(PCI_DEVICE(d), &err);
        }
    }
    ats_function_report_path(&d->fn);
}

void pt_event_note(void *opaque, PciePriNote note, uint16_t prgi)
{
    static const struct {
        uint32_t kind;
        uint32_t event;
    } notes[] = {
        [PCIE_PRI_NOTE_VIOLATION] = { PT_LOG_VIOLATION, PT_EVENT_VIOLATION },
        [PCIE_PRI_NOTE_UNEXPECTED] = { PT_LOG_UNEXPECTED,
                                       PT_EVENT_UNEXPECTED },
        [PCIE_PRI_NOTE_STALE] = { PT_LOG_STALE, PT_EVENT_STALE },
        [PCIE_PRI_NOTE_MISTAKEN] = { PT_LOG_MISTAKEN, 0 },
    };
    /* by value of the knob unexpected-resp */
    static const uint32_t errors[] = {
        0, 0, PCI_ERR_UNC_UNSUP, PCI_ERR_UNC_UNX_COMP,
    };

    PriTestdev *d = opaque;

    pt_log(d, notes[note].kind, ATS_NO_PASID, prgi, 0, 0);
    pt_event(d, notes[note].event);
    if (note == PCIE_PRI_NOTE_UNEXPECTED) {
        pt_report(d, errors[d->knobs.unexpected_resp]);
    }
}
