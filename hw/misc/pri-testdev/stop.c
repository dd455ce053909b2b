/*
 * pri-testdev: stop of a PASID, and of Page Requests
 *
 * The driver's request of PCIe 6.2 10.4.1.2.  What becomes of the groups is in
 * hw/pci/pcie_pri.c; here is what becomes of the operations, and when the
 * driver is told.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/timer.h"
#include "hw/pci/ats_actor.h"
#include "pri-testdev.h"
#include "hw/misc/trace.h"

static void pt_stop_end(PriTestdev *d, uint32_t status)
{
    d->stop.status = status;
    trace_pri_testdev_stop(DEVICE(d)->id, d->stop.request, status);
    pt_log(d, PT_LOG_STOP, pt_stop_pasid(&d->stop), 0, 0, status);
    if (status == PT_STOP_DONE) {
        pt_event(d, PT_EVENT_STOP);
    }
}

void pt_stop_check(PriTestdev *d)
{
    if (d->stop.status == PT_STOP_BUSY &&
        !pcie_pri_outstanding(ats_function_pri(&d->fn),
                              pci_requester_id(PCI_DEVICE(d)),
                              pt_stop_pasid(&d->stop))) {
        pt_stop_end(d, PT_STOP_DONE);
    }
}

/*
 * Nothing is asked for any more.  Channels that have asked wait for their
 * answer, or hear at once that it will mean nothing.  Translations of the
 * PASID go (10.3.7), and no channel gets new ones.
 */
void pt_stop(PriTestdev *d, uint32_t val)
{
    uint32_t request = val & (PT_STOP_MARKER | ((1u << ATS_PASID_BITS) - 1));

    if (d->stop.status == PT_STOP_BUSY) {
        qemu_log_mask(LOG_GUEST_ERROR, "pri-testdev: a PASID is being "
                      "stopped already\n");
        return;
    }
    d->stop.request = request;
    if (!pt_has_pasid(d) || pt_stop_pasid(&d->stop) >> d->cfg.pasid_bits) {
        pt_stop_end(d, PT_STOP_REFUSED);
        return;
    }
    d->stop.status = PT_STOP_BUSY;
    trace_pri_testdev_stop(DEVICE(d)->id, request, PT_STOP_BUSY);
    pt_log(d, PT_LOG_STOP, pt_stop_pasid(&d->stop), 0, 0, PT_STOP_BUSY);
    pt_channels_stop(d);
    ats_function_flush_pasid(&d->fn, pt_stop_pasid(&d->stop));
    if (request & PT_STOP_MARKER) {
        ats_function_stop_marker(&d->fn, pt_stop_pasid(&d->stop));
    }
    pt_stop_check(d);
}

/* -- Page Requests that take their time to stop ---------------------------- */

void pt_pri_stopping(void *opaque)
{
    PriTestdev *d = opaque;

    if (!timer_pending(d->stop.timer)) {
        timer_mod(d->stop.timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                  d->knobs.pri_stop_delay * SCALE_US);
    }
}

static void pt_pri_stops(void *opaque)
{
    PriTestdev *d = opaque;

    ats_function_stopped(&d->fn);
}

static void pt_pri_stopped(void *opaque)
{
    PriTestdev *d = opaque;

    ats_actor_timer(pci_requester_id(PCI_DEVICE(d)), d, pt_pri_stops);
}

void pt_stop_realize(PriTestdev *d)
{
    d->stop.timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, pt_pri_stopped, d);
}

void pt_stop_reset(PriTestdev *d)
{
    d->stop.request = 0;
    d->stop.status = PT_STOP_IDLE;
    timer_del(d->stop.timer);
}

void pt_stop_exit(PriTestdev *d)
{
    timer_free(d->stop.timer);
}
