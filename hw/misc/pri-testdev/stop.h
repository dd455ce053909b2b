/*
 * pri-testdev: stop of a PASID
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_TESTDEV_STOP_H
#define PRI_TESTDEV_STOP_H

#include "op.h"

/* Stop of a PASID */
typedef struct PtStop {
    QEMUTimer *timer;       /* Page Requests are about to be Stopped */
    uint32_t request;       /* what was written to PT_STOP_PASID */
    uint32_t status;
} PtStop;

/* The PASID that is, or was, being stopped */
static inline uint32_t pt_stop_pasid(const PtStop *stop)
{
    return stop->request & ~PT_STOP_MARKER;
}

/* Does @op use the PASID that is being stopped? */
static inline bool pt_stopping(const PtStop *stop, const PtOp *op)
{
    return stop->status == PT_STOP_BUSY && (op->flags & PT_FLAG_PASID) &&
           op->pasid == pt_stop_pasid(stop);
}

/**
 * pt_stop: write to PT_STOP_PASID
 */
void pt_stop(PriTestdev *d, uint32_t val);

/**
 * pt_stop_check: a group has ended
 */
void pt_stop_check(PriTestdev *d);

/**
 * pt_pri_stopping: see AtsFunctionOps
 */
void pt_pri_stopping(void *opaque);

void pt_stop_realize(PriTestdev *d);
void pt_stop_reset(PriTestdev *d);
void pt_stop_exit(PriTestdev *d);

#endif /* PRI_TESTDEV_STOP_H */
