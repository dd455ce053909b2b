/*
 * pri-testdev: what the channels wait for, and when the bottom half runs
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_TESTDEV_SCHED_H
#define PRI_TESTDEV_SCHED_H

#include "op.h"

/**
 * struct PtSched - what the bottom half has to do, and who waits for what
 *
 * @vm_state: goes on with what was left when the machine stopped
 * @pause_timer: of all channels that are PT_RUN_PAUSE
 * @wake: those who wait for credits shall try
 * @ready: bit n: channel n is PT_RUN_READY
 * @irqs: bit n: send the interrupt of channel n
 * @waiters: channels that wait for credits, in the order in which they came
 * @next_channel: channel that runs next
 */
typedef struct PtSched {
    QEMUBH *bh;
    VMChangeStateEntry *vm_state;
    bool bh_scheduled;
    QEMUTimer *pause_timer;
    bool wake;
    uint64_t ready;
    uint64_t irqs;
    uint8_t waiters[PRI_TESTDEV_MAX_CHANNELS];
    uint32_t n_waiters;
    uint32_t next_channel;
} PtSched;

/**
 * pt_channels_kick: go on with what was left when the machine stopped
 */
void pt_channels_kick(PriTestdev *d);

/**
 * pt_sched_wake: there are credits, those who wait for them shall try
 */
void pt_sched_wake(PriTestdev *d);

/**
 * pt_sched_reset: nothing is to be done, nobody waits
 */
void pt_sched_reset(PriTestdev *d);

/**
 * pt_set_run: channel @n waits for something else now
 */
void pt_set_run(PriTestdev *d, unsigned int n, PtRun run);

/**
 * pt_end: the operation of channel @n is over
 *
 * @status: PT_ST_*
 * @err_addr: what PT_CH_ERR_ADDR will say
 */
void pt_end(PriTestdev *d, unsigned int n, uint32_t status,
            uint64_t err_addr);

/**
 * pt_cookie: what tells the groups of one operation from those of others
 */
uint64_t pt_cookie(const PtChannel *ch, unsigned int n);

#endif /* PRI_TESTDEV_SCHED_H */
