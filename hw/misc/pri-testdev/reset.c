/*
 * pri-testdev: resets, and being gone
 *
 * One state machine for every reset.  A reset takes no time unless a knob says
 * so.  While it lasts, while a hot reset is asserted and while the function is
 * gone, the function is unresponsive: BARs read all ones, and what comes down
 * the link is lost, but for the invalidations that a knob has answered.
 *
 * A device-specific reset is none of that: registers can be read, and
 * invalidations are answered as always (VT-d 7.9).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/timer.h"
#include "hw/pci/pci.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_aer.h"
#include "hw/pci/pcie_sticky.h"
#include "hw/pci/ats_actor.h"
#include "pri-testdev.h"
#include "hw/misc/trace.h"

/* -- Beginning and end ----------------------------------------------------- */

static void pt_reset_over(PriTestdev *d)
{
    d->presence.in_reset = false;
    timer_del(d->presence.reset_timer);
    pt_update_unresponsive(d);
    pt_late_begin(d);
    if (d->presence.kind == PT_RESET_SOFT) {
        pt_event(d, PT_EVENT_SOFT_RESET);
    }
}

/* All is forgotten; now it takes its time */
static void pt_reset_last(PriTestdev *d)
{
    uint64_t ms = pt_reset_duration(d, d->presence.kind);

    if (!ms) {
        pt_reset_over(d);
        return;
    }
    d->presence.in_reset = true;
    timer_mod(d->presence.reset_timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
              ms * SCALE_MS);
    pt_update_unresponsive(d);
}

static void pt_reset_ends(void *opaque)
{
    PriTestdev *d = opaque;

    if (!d->presence.in_reset) {
        return;
    }
    trace_pri_testdev_flr_end(DEVICE(d)->id, d->presence.kind);
    pt_log(d, PT_LOG_RESET, ATS_NO_PASID, 0, 0, PT_RESET_FLR_END);
    pt_reset_over(d);
}

static void pt_reset_timer(void *opaque)
{
    PriTestdev *d = opaque;

    ats_actor_timer(pci_requester_id(PCI_DEVICE(d)), d, pt_reset_ends);
}

static void pt_reset_begin(PriTestdev *d, PtResetKind kind, uint32_t channel)
{
    trace_pri_testdev_reset(DEVICE(d)->id, kind, channel);
    pt_log(d, PT_LOG_RESET, ATS_NO_PASID, channel, 0, kind);
    d->presence.in_reset = false;
    timer_del(d->presence.reset_timer);
    d->presence.kind = kind;
    d->resets.count++;
}

/* -- Resets of the PCI function -------------------------------------------- */

/* What no reset leaves, but a device-specific one */
static void pt_forget(PriTestdev *d)
{
    ats_function_reset(&d->fn);
    pt_channels_reset(d);
    d->scratch = 0;
    memset(&d->raw, 0, sizeof(d->raw));
    memset(&d->window, 0, sizeof(d->window));
    pt_stop_reset(d);
    pt_timeout_reset(d);
    memset(&d->event, 0, sizeof(d->event));
    memset(&d->dma.cnt, 0, sizeof(d->dma.cnt));
    d->log.select = 0;
}

/* That a Virtual Function is not enabled says nothing about the link */
static bool pt_link_up(const PriTestdev *d)
{
    return d->fn.pf ? d->fn.pf->dev->enabled : PCI_DEVICE(d)->enabled;
}

/* Is the bus held in reset by the port, or the link down? */
static bool pt_link_lost(PriTestdev *d)
{
    PCIDevice *dev = PCI_DEVICE(d);
    PCIDevice *port = pci_bridge_get_device(pci_get_bus(dev));

    return !pt_link_up(d) ||
           (port && (pci_get_word(port->config + PCI_BRIDGE_CONTROL) &
                     PCI_BRIDGE_CTL_BUS_RESET));
}

/*
 * Who wants this reset?  Those who begin one here say so.  If the bus is in
 * reset and its port is not, the port does it.  A port that ends its hot reset
 * resets the bus again.
 */
static PtResetKind pt_find_kind(PriTestdev *d)
{
    PCIDevice *dev = PCI_DEVICE(d);
    PCIBus *bus = pci_get_bus(dev);
    PCIDevice *port = pci_bridge_get_device(bus);

    if (d->resets.requested) {
        return d->resets.requested;
    }
    if (pci_is_express(dev) &&
        pci_get_word(dev->config + dev->exp.exp_cap + PCI_EXP_DEVCTL) &
        PCI_EXP_DEVCTL_BCR_FLR) {
        return PT_RESET_FLR;
    }
    if (port && resettable_is_in_reset(OBJECT(port))) {
        return PT_RESET_OTHER;
    }
    return (port && resettable_is_in_reset(OBJECT(bus))) || !pt_link_up(d) ||
           d->presence.link_down ? PT_RESET_HOT : PT_RESET_OTHER;
}

/*
 * First all functions forget, then the IOMMU may say that no responses will
 * come, so that it does not depend on the order of devices.
 */
void pt_reset_enter(Object *obj, ResetType type)
{
    PriTestdev *d = PRI_TESTDEV(obj);

    d->resets.starting = pt_find_kind(d);
    if (d->resets.starting != PT_RESET_OTHER && !pt_unresponsive(d)) {
        pt_late_take(d, PT_ALL_CHANNELS, !pt_link_lost(d));
    }
    pt_posted_reset(d, d->resets.starting != PT_RESET_OTHER &&
                    !pt_link_lost(d) && !d->presence.gone &&
                    !d->presence.link_down);
    ats_function_forget(&d->fn);
}

/* Function Level Resets are counted until there is another reset */
static void pt_count_flr(PriTestdev *d, PtResetKind kind)
{
    bool flr = kind == PT_RESET_FLR || kind == PT_RESET_AF;

    d->resets.flrs = flr ? d->resets.flrs + 1 : 0;
}

/*
 * Any reset.  The PCI core clears the command register, BARs and MSI-X after
 * this, and leaves the rest to us (PCIe 6.2 6.6).
 */
void pt_reset_hold(Object *obj, ResetType type)
{
    PriTestdev *d = PRI_TESTDEV(obj);
    PCIDevice *dev = PCI_DEVICE(obj);
    PtResetKind kind = d->resets.starting;
    bool unresponsive = pt_unresponsive(d);
    bool held = d->presence.link_down;
    bool lost = pt_link_lost(d);

    if (kind == PT_RESET_OTHER) {
        /* the port is being reset as well, and ends what it has held */
        held = false;
        lost = false;
        pt_late_forget(d);
        d->fn.n_errors = 0;
    }
    if (pci_is_express(dev) &&
        (kind == PT_RESET_OTHER || kind == PT_RESET_BACK)) {
        pcie_sticky_power_on(dev);
    }
    if (kind != PT_RESET_HOT || !held) {
        pt_reset_begin(d, kind, 0);
    }
    if (kind == PT_RESET_OTHER) {
        d->resets.count = 0;
    }
    pt_inv_reset(d, kind != PT_RESET_OTHER && !lost &&
                 !unresponsive);
    if (pci_is_express(dev)) {
        pcie_cap_deverr_reset(dev);
        pcie_acs_reset(dev);
    }
    pt_forget(d);
    pt_count_flr(d, kind);
    d->presence.link_down = lost;
    if (lost) {
        /* It takes its time from when the link is up: PCIe 6.2 6.6.1 */
        pt_update_unresponsive(d);
    } else {
        pt_reset_last(d);
    }
}

void pt_reset(PriTestdev *d, PtResetKind kind)
{
    d->resets.requested = kind;
    pci_device_reset(PCI_DEVICE(d));
    d->resets.requested = PT_RESET_OTHER;
}

/* -- Device-specific resets, VT-d 7.9 -------------------------------------- */

static void pt_soft_reset_all(PriTestdev *d)
{
    pt_reset_begin(d, PT_RESET_SOFT, 0);
    pt_late_take(d, PT_ALL_CHANNELS, true);
    pt_posted_reset(d, true);
    ats_function_cancel(&d->fn, 0, 0);
    ats_inflight_forget(&d->fn.inflight);
    pcie_atc_flush(&d->fn.atc);
    pt_channels_reset(d);
    pt_channels_kick(d);
    if (d->knobs.soft_reset) {
        pt_inv_lose(d);
    }
    d->scratch = 0;
    pt_stop_reset(d);
    pt_reset_last(d);
}

void pt_soft_reset(PriTestdev *d, uint32_t val)
{
    uint32_t n = val & (PRI_TESTDEV_MAX_CHANNELS - 1);

    if (pt_in_soft_reset(d)) {
        qemu_log_mask(LOG_GUEST_ERROR, "pri-testdev: a reset goes on\n");
    } else if (val & PT_SOFT_RESET_ALL) {
        pt_soft_reset_all(d);
    } else if (n < d->n_channels) {
        pt_reset_begin(d, PT_RESET_CHANNEL, n);
        pt_late_take(d, 1ULL << n, true);
        pt_channel_reset(d, n);
        pt_late_begin(d);
        pt_stop_check(d);
        pt_event(d, PT_EVENT_SOFT_RESET);
    } else {
        qemu_log_mask(LOG_GUEST_ERROR, "pri-testdev: there is no channel "
                      "%u to reset\n", n);
    }
}

/* -- Gone ------------------------------------------------------------------ */

void pt_set_gone(PriTestdev *d)
{
    if (d->knobs.gone == d->presence.gone) {
        return;
    }
    d->presence.gone = d->knobs.gone;
    trace_pri_testdev_gone(DEVICE(d)->id, d->presence.gone);
    timer_del(d->resets.gone_timer);
    if (!d->presence.gone) {
        pt_reset(d, PT_RESET_BACK);
        return;
    }
    pt_log(d, PT_LOG_RESET, ATS_NO_PASID, 0, 0, PT_RESET_GONE);
    pt_late_forget(d);
    pt_posted_reset(d, false);
    pt_inv_lose(d);
    pt_forget(d);
    pt_update_unresponsive(d);
    if (d->knobs.gone_ms) {
        timer_mod(d->resets.gone_timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                  d->knobs.gone_ms * SCALE_MS);
    }
}

static void pt_gone_end(void *opaque)
{
    PriTestdev *d = opaque;

    d->knobs.gone = 0;
    pt_set_gone(d);
}

/* -- Errors ---------------------------------------------------------------- */

/*
 * The port above may contain the error, which resets the function before this
 * returns.  Severities are the defaults of PCIe 6.2 7.8.4.4.
 */
void pt_raise_error(PriTestdev *d)
{
    static const PCIEAERErr errors[] = {
        { .status = PCI_ERR_COR_RCVR, .flags = PCIE_AER_ERR_IS_CORRECTABLE },
        { .status = PCI_ERR_UNC_COMP_TIME },
        { .status = PCI_ERR_UNC_MALF_TLP },
    };
    uint64_t which = d->knobs.aer_error;
    PCIEAERErr err;

    d->knobs.aer_error = 0;
    if (which && !pt_unresponsive(d) &&
        ats_function_sending(&d->fn, ATS_SEND_ERROR)) {
        err = errors[which - 1];
        err.source_id = pci_requester_id(PCI_DEVICE(d));
        pcie_aer_inject_error(PCI_DEVICE(d), &err);
    }
}

/* -- Life ------------------------------------------------------------------ */

static uint64_t pt_no_msix_read(void *opaque, hwaddr addr, unsigned int size)
{
    return UINT64_MAX;
}

static void pt_no_msix_write(void *opaque, hwaddr addr, uint64_t val,
                             unsigned int size)
{
}

static const MemoryRegionOps pt_no_msix_ops = {
    .read = pt_no_msix_read,
    .write = pt_no_msix_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

void pt_reset_realize(PriTestdev *d)
{
    MemoryRegion *bar = &PCI_DEVICE(d)->msix_exclusive_bar;

    memory_region_init_io(&d->presence.no_msix, OBJECT(d), &pt_no_msix_ops, d,
                          "pri-testdev-no-answer", memory_region_size(bar));
    memory_region_set_enabled(&d->presence.no_msix, false);
    memory_region_add_subregion_overlap(bar, 0, &d->presence.no_msix, 1);
    d->presence.reset_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, pt_reset_timer,
                                           d);
    d->resets.gone_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, pt_gone_end, d);
}

void pt_reset_exit(PriTestdev *d)
{
    timer_free(d->presence.reset_timer);
    timer_free(d->resets.gone_timer);
    memory_region_del_subregion(&PCI_DEVICE(d)->msix_exclusive_bar,
                                &d->presence.no_msix);
}

int pt_reset_post_load(PriTestdev *d)
{
    const PtPresence *p = &d->presence;

    if (p->gone != !!d->knobs.gone || p->kind >= PT_RESET_NR ||
        (p->in_reset && !timer_pending(p->reset_timer)) ||
        (p->in_reset && p->link_down)) {
        return -EINVAL;
    }
    pt_update_unresponsive(d);
    return 0;
}
