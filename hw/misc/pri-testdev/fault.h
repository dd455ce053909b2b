/*
 * pri-testdev: page faults of a channel
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_TESTDEV_FAULT_H
#define PRI_TESTDEV_FAULT_H

#include "op.h"

void pt_fault_realize(PriTestdev *d);
void pt_fault_exit(PriTestdev *d);

/**
 * pt_fault: a page of channel @n may not be accessed: ask for it
 *
 * @waited: the channel was first in the queue for credits, and is still
 * @budget: pages that may be looked at; less what the group took
 */
void pt_fault(PriTestdev *d, unsigned int n, const PtSide *side, bool waited,
              int32_t *budget);

#endif /* PRI_TESTDEV_FAULT_H */
