/*
 * pri-testdev: does the function answer?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_TESTDEV_PRESENCE_H
#define PRI_TESTDEV_PRESENCE_H

#include "types.h"

/**
 * struct PtPresence - why the function may be unresponsive
 *
 * @in_reset: one that takes its time, until @reset_timer
 * @kind: of the last reset, or of the one that goes on
 * @link_down: hot reset is asserted, or there is no link
 * @gone: knobs.gone, once it has taken effect
 * @no_msix: in place of the MSI-X BAR's table while unresponsive
 */
typedef struct PtPresence {
    bool in_reset;
    PtResetKind kind;
    bool link_down;
    bool gone;
    QEMUTimer *reset_timer;
    MemoryRegion no_msix;
} PtPresence;

/**
 * pt_in_reset: does a reset go on that is not device-specific?
 */
bool pt_in_reset(const PriTestdev *d);

/**
 * pt_in_soft_reset: does a device-specific reset go on?
 */
bool pt_in_soft_reset(const PriTestdev *d);

/**
 * pt_unresponsive: is the function in reset or gone?
 */
bool pt_unresponsive(const PriTestdev *d);

/**
 * pt_reset_end_time: when the reset that goes on, or is about to, will be over
 */
int64_t pt_reset_end_time(const PriTestdev *d);

/**
 * pt_reset_duration: milliseconds that a reset of @kind takes
 */
uint64_t pt_reset_duration(const PriTestdev *d, PtResetKind kind);

/**
 * pt_update_unresponsive: let the function and its vectors answer, or not
 */
void pt_update_unresponsive(PriTestdev *d);

#endif /* PRI_TESTDEV_PRESENCE_H */
