/*
 * pri-testdev: Completion Timeout
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_TESTDEV_TIMEOUT_H
#define PRI_TESTDEV_TIMEOUT_H

#include "types.h"

/* @timer: of the Translation Request that is overdue next */
typedef struct PtTimeout {
    QEMUTimer *timer;
} PtTimeout;

/* See AtsFunctionOps */
int64_t pt_translation_due(void *opaque);
void pt_translation_timed_out(void *opaque, const AtsTrReq *req,
                              uint32_t owner);

/**
 * pt_timeout_add_capability: bits of the PCI Express capability
 */
void pt_timeout_add_capability(PriTestdev *d);

void pt_timeout_realize(PriTestdev *d);
void pt_timeout_reset(PriTestdev *d);
void pt_timeout_post_load(PriTestdev *d);
void pt_timeout_exit(PriTestdev *d);

#endif /* PRI_TESTDEV_TIMEOUT_H */
