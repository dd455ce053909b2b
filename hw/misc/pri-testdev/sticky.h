/*
 * pri-testdev: registers that only power on resets
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_TESTDEV_STICKY_H
#define PRI_TESTDEV_STICKY_H

#include "types.h"

/**
 * pt_sticky_power_on: sticky registers as after power on
 */
void pt_sticky_power_on(PriTestdev *d);

#endif /* PRI_TESTDEV_STICKY_H */
