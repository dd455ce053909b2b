/*
 * pri-testdev: what resets have not ended
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_TESTDEV_LATE_H
#define PRI_TESTDEV_LATE_H

#include "types.h"

/* What a reset has not ended */
typedef struct PtLateRequest {
    uint64_t addr;
    uint32_t pasid;
    bool write;
} PtLateRequest;

typedef struct PtLate {
    bool due;               /* the reset is over */
    uint32_t n;
    PtLateRequest request[PRI_TESTDEV_MAX_CHANNELS];
    bool write;             /* to addr, which was the translation of iova */
    uint32_t pasid;
    uint64_t iova;
    uint64_t addr;
} PtLate;

/**
 * pt_late_take: a reset of @channels begins: what will be left of them, as the
 * knobs say
 *
 * @link: messages can be sent
 */
void pt_late_take(PriTestdev *d, uint64_t channels, bool link);

/**
 * pt_late_begin: the reset is over; the bottom half will call pt_late_run()
 */
void pt_late_begin(PriTestdev *d);
void pt_late_run(PriTestdev *d);
void pt_late_forget(PriTestdev *d);

/**
 * pt_late_post_load: check what was migrated
 *
 * Returns: 0, or -EINVAL if the state is impossible.
 */
int pt_late_post_load(PriTestdev *d);

#endif /* PRI_TESTDEV_LATE_H */
