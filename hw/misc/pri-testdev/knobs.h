/*
 * pri-testdev: knobs
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_TESTDEV_KNOBS_H
#define PRI_TESTDEV_KNOBS_H

#include "types.h"

/* Knob registers */
typedef struct PtKnob {
    uint32_t select;
    uint32_t status;
    uint32_t low;           /* lower half of a value that is being written */
} PtKnob;

extern const AtsKnobTable pt_knob_table;

/**
 * pt_knobs_class_init: knobs, and property "platform", which sets their
 * defaults
 */
void pt_knobs_class_init(ObjectClass *klass);

/**
 * pt_rule_remove: remove a rule of the link (PT_RULE_REMOVE)
 */
void pt_rule_remove(PriTestdev *d, uint32_t n);

/**
 * pt_knob_find: select the knob whose name has that hash (PT_KNOB_NAME)
 */
void pt_knob_find(PriTestdev *d, uint32_t hash);

/**
 * pt_knob_read, pt_knob_write: PT_KNOB_VALUE of the selected knob
 */
uint64_t pt_knob_read(PriTestdev *d);
void pt_knob_write(PriTestdev *d, uint64_t val);

/**
 * pt_knobs_realize: let the knobs of the command line take effect
 */
void pt_knobs_realize(PriTestdev *d);

/**
 * pt_knobs_post_load: check what was migrated, let it take effect
 *
 * Returns: 0, or -EINVAL if a value is impossible.
 */
int pt_knobs_post_load(PriTestdev *d);

#endif /* PRI_TESTDEV_KNOBS_H */
