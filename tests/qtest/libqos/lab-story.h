/*
 * A run of many steps that is saved and loaded at each of them
 *
 * A story is told once as it is, once with a save before every step, and then
 * again from every save, each time by another QEMU, to its end.  All must end
 * in the same way: log, registers, configuration space, memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_LAB_LIBQOS_LAB_STORY_H
#define PRI_LAB_LIBQOS_LAB_STORY_H

#include "libqos/pri-lab.h"

#define LAB_STORY_SLOTS     8

/**
 * struct LabStory - where a story stands, for its steps
 *
 * A copy of it is all that the teller knows, so a step keeps what a later one
 * needs here and nowhere else.
 *
 * @pa: some pages of memory
 * @slot: of wait descriptors
 * @now: the virtual clock, ns
 */
typedef struct LabStory {
    PriLab lab;
    uint64_t pa;
    uint32_t slot[LAB_STORY_SLOTS];
    int64_t now;
} LabStory;

#define LAB_STORY_PAGES     32

typedef void LabStep(LabStory *s);

/**
 * struct LabScript - a story
 *
 * @vtd, @dev: as for pri_lab_boot()
 * @steps: ended by NULL
 */
typedef struct LabScript {
    const char *name;
    const char *vtd;
    const char *dev;
    LabStep *const *steps;
} LabScript;

/**
 * lab_story_step_clock: let so much virtual time pass
 */
void lab_story_step_clock(LabStory *s, int64_t ns);

/**
 * lab_story_test: tell @opaque, a LabScript, in all the ways; for
 * qtest_add_data_func()
 */
void lab_story_test(const void *opaque);

#endif /* PRI_LAB_LIBQOS_LAB_STORY_H */
