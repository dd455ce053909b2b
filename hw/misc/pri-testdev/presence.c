/*
 * pri-testdev: does the function answer?
 *
 * While a reset lasts, while a hot reset is asserted and while the function is
 * gone, the function is unresponsive: BARs read all ones, and what comes down
 * the link is lost, but for the invalidations that a knob has answered.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "pri-testdev.h"

bool pt_in_reset(const PriTestdev *d)
{
    return d->presence.in_reset && d->presence.kind != PT_RESET_SOFT;
}

bool pt_in_soft_reset(const PriTestdev *d)
{
    return d->presence.in_reset && d->presence.kind == PT_RESET_SOFT;
}

bool pt_unresponsive(const PriTestdev *d)
{
    return d->presence.gone || d->presence.link_down || pt_in_reset(d);
}

/* Vectors cannot be reached either */
void pt_update_unresponsive(PriTestdev *d)
{
    ats_function_set_unresponsive(&d->fn, pt_unresponsive(d));
    memory_region_set_enabled(&d->presence.no_msix, pt_unresponsive(d));
}

/* Milliseconds that a reset takes */
uint64_t pt_reset_duration(const PriTestdev *d, PtResetKind kind)
{
    switch (kind) {
    case PT_RESET_FLR:
    case PT_RESET_AF:
    case PT_RESET_PLATFORM:
        return d->knobs.flr_duration;
    case PT_RESET_D3HOT:
        return d->knobs.d3_duration;
    case PT_RESET_HOT:
        return d->knobs.hot_duration;
    case PT_RESET_SOFT:
        return d->knobs.soft_duration;
    default:
        return 0;
    }
}

int64_t pt_reset_end_time(const PriTestdev *d)
{
    uint64_t ms = pt_reset_duration(d, d->presence.kind);

    return d->presence.in_reset ?
           timer_expire_time_ns(d->presence.reset_timer) :
           qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + ms * SCALE_MS;
}
