/*
 * pri-testdev: DMA channels
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_TESTDEV_CHANNEL_H
#define PRI_TESTDEV_CHANNEL_H

#include "op.h"

/**
 * pt_channel_command: start the operation whose parameters are in ch[@n].next,
 * or abort the one that runs
 *
 * @cmd: PT_OP_*, or anything else, which is a bad command
 */
void pt_channel_command(PriTestdev *d, unsigned int n, uint32_t cmd);

/**
 * pt_channels_abort: end what is running on any channel
 */
void pt_channels_abort(PriTestdev *d);

/**
 * pt_channels_stop: end what uses the PASID being stopped, but for the channels
 * that wait for a response
 */
void pt_channels_stop(PriTestdev *d);

/**
 * pt_channels_reset: all channels as after power on
 */
void pt_channels_reset(PriTestdev *d);

/**
 * pt_channel_reset: one channel as after power on, its groups forgotten
 */
void pt_channel_reset(PriTestdev *d, unsigned int n);

/**
 * pt_channels_run: from the bottom half: a bounded piece of the work there is
 */
void pt_channels_run(PriTestdev *d);

#endif /* PRI_TESTDEV_CHANNEL_H */
