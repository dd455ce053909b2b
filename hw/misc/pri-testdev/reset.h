/*
 * pri-testdev: resets
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_TESTDEV_RESET_H
#define PRI_TESTDEV_RESET_H

#include "types.h"

/* How the function can be reset, and what it says about it */
typedef struct PtResetConfig {
    bool pcie_flr;
    bool af_flr;
    bool acpi;
    bool no_soft_reset;
    bool immediate;         /* Immediate Readiness */
} PtResetConfig;

/**
 * struct PtResets - resets of the function
 *
 * @requested: the kind that the caller of the reset is about to begin
 * @starting: its kind, between its phases
 * @count: since power on
 * @flrs: Function Level Resets in a row
 * @gone_timer: the function comes back
 */
typedef struct PtResets {
    PtResetKind requested;
    PtResetKind starting;
    uint32_t count;
    uint64_t flrs;
    QEMUTimer *gone_timer;
} PtResets;

void pt_reset_enter(Object *obj, ResetType type);
void pt_reset_hold(Object *obj, ResetType type);

/**
 * pt_reset: reset the function now
 *
 * @kind: PT_RESET_* for the log
 */
void pt_reset(PriTestdev *d, PtResetKind kind);

/**
 * pt_soft_reset: write to PT_SOFT_RESET
 */
void pt_soft_reset(PriTestdev *d, uint32_t val);

/**
 * pt_set_gone: vanish or come back, as the knob says
 */
void pt_set_gone(PriTestdev *d);

/**
 * pt_raise_error: detect an error, as the knob aer-error says
 */
void pt_raise_error(PriTestdev *d);

void pt_reset_realize(PriTestdev *d);
void pt_reset_exit(PriTestdev *d);

/**
 * pt_reset_post_load: check what was migrated, let it take effect
 *
 * Returns: 0, or -EINVAL if the state is impossible.
 */
int pt_reset_post_load(PriTestdev *d);

#endif /* PRI_TESTDEV_RESET_H */
