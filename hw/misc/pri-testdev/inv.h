/*
 * pri-testdev: invalidations
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_TESTDEV_INV_H
#define PRI_TESTDEV_INV_H

#include "types.h"

/* A completion that is sent later; due is PT_INV_HELD until it is released */
#define PT_INV_HELD         INT64_MAX

typedef struct PtInvCompletion {
    int64_t due;            /* QEMU_CLOCK_VIRTUAL, ns */
    uint8_t itag;
    uint8_t cc;             /* Completion Count */
    uint8_t messages;       /* how many are sent, which may be wrong */
    uint16_t rid_flip;      /* bits of the requester id that are wrong */
} PtInvCompletion;

typedef struct PtInv {
    QEMUTimer *timer;
    uint32_t n;
    PtInvCompletion waiting[ATS_ITAG_NR];   /* in order of the requests */
} PtInv;

/**
 * pt_inv_request: an Invalidate Request has arrived; see AtsFunctionOps
 */
void pt_inv_request(void *opaque, const AtsMsg *msg);

/**
 * pt_inv_release: send up to @count completions that are held
 */
void pt_inv_release(PriTestdev *d, uint64_t count, bool newest_first);

/**
 * pt_inv_vector: send one completion for all of @itags, outstanding or not;
 * completions of them that are held are dropped
 */
void pt_inv_vector(PriTestdev *d, uint32_t itags);

/**
 * pt_inv_reset: the function is about to be reset
 *
 * @can_answer: there is a link, and the function was not unresponsive
 */
void pt_inv_reset(PriTestdev *d, bool can_answer);

/**
 * pt_inv_lose: forget all completions that wait
 */
void pt_inv_lose(PriTestdev *d);

/**
 * pt_inv_leave_d0: the function goes to D3hot
 */
void pt_inv_leave_d0(PriTestdev *d);

void pt_inv_realize(PriTestdev *d);
void pt_inv_exit(PriTestdev *d);

/**
 * pt_inv_post_load: check what was migrated
 *
 * Returns: 0, or -EINVAL if the state is impossible.
 */
int pt_inv_post_load(PriTestdev *d);

#endif /* PRI_TESTDEV_INV_H */
