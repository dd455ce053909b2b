/*
 * pri-testdev: function events
 *
 * Events set a bit that the driver reads, and may raise vector 0.
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

void pt_event_note(void *opaque, PciePriNote note, const AtsMsg *msg)
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
    uint32_t error = note == PCIE_PRI_NOTE_UNEXPECTED ?
                     errors[d->knobs.unexpected_resp] : 0;

    pt_log(d, notes[note].kind, ATS_NO_PASID, msg ? msg->prgi : 0, 0, 0);
    pt_event(d, notes[note].event);
    if (error) {
        ats_function_error(&d->fn, error, msg);
    }
}
