/*
 * The plan of the schedule machine: one line of text, and what it says
 *
 * docs/internals.md, "The schedule machine", has the grammar.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef ACCEL_TCG_SCHED_PLAN_H
#define ACCEL_TCG_SCHED_PLAN_H

#include "hw/pci/ats_actor.h"

#define SCHED_CPUS_MAX      16      /* a hexadecimal digit of `order` each */
#define SCHED_WORDS_MAX     64      /* of change points, and of rules */
#define SCHED_SLICES_MAX    2048    /* of slices that a plan lists */

/* Instructions, unless the plan says otherwise */
#define SCHED_SLICE         200000      /* others go first after so many */
#define SCHED_YIELD         2000        /* and so many after a PAUSE */
#define SCHED_PAUSES        20          /* of others, behind a point */
#define SCHED_HOLD          10000000    /* no device event is kept longer */
/* A function that waits longer than 50 ms gives up (PCIe 6.2 7.5.3.16) */
#define SCHED_HOLD_TR       5000000     /* 40 ms, -icount shift=3 */

typedef enum SchedPointKind {
    SCHED_POINT_ACCESS,     /* access @n of vCPU @who has been done */
    SCHED_POINT_LOCK,       /* lock operation @n of vCPU @who begins */
    SCHED_POINT_CPU_INSNS,  /* vCPU @who has executed @n instructions */
    SCHED_POINT_INSNS,      /* @n instructions have been executed */
    SCHED_POINT_EVENT,      /* event @n of AtsEventKind @who is delivered */
} SchedPointKind;

/**
 * struct SchedPoint - a moment of the run
 *
 * @kind: SchedPointKind
 * @who: vCPU or kind of event
 * @n: counted from 1 since the plan was set
 */
typedef struct SchedPoint {
    uint8_t kind;
    uint8_t who;
    uint64_t n;
} SchedPoint;

/* `at=`: who runs at @at goes last, and @first first; -1: nobody does */
typedef struct SchedChange {
    SchedPoint at;
    int first;
} SchedChange;

typedef enum SchedWhen {
    SCHED_WHEN_NOW,
    SCHED_WHEN_DELAY,            /* so many instructions later */
    SCHED_WHEN_POINT,
    SCHED_WHEN_IDLE,             /* when no vCPU can run */
    SCHED_WHEN_LOST,             /* broken hardware */
    SCHED_WHEN_TWICE,            /* broken hardware */
} SchedWhen;

/**
 * struct SchedRule - when a device event is delivered
 *
 * @kind: AtsEventKind
 * @when: SchedWhen
 * @nth: which one of its kind, 0: all that no other rule names
 * @delay: of SCHED_WHEN_DELAY, instructions
 * @point: of SCHED_WHEN_POINT
 */
typedef struct SchedRule {
    uint8_t kind;
    uint8_t when;
    uint64_t nth;
    uint64_t delay;
    SchedPoint point;
} SchedRule;

/**
 * struct SchedSlice - an order of the vCPUs, and how long it lasts
 *
 * @order: first one in the lowest digit (4 bits)
 * @n: instructions of a vCPU in a row
 */
typedef struct SchedSlice {
    uint64_t order;
    uint64_t n;
} SchedSlice;

/**
 * struct SchedPlan - what a line says
 *
 * @on: there is a plan; everything else is only valid then
 * @broken: device events may be lost, doubled and overtaken
 * @order: vCPUs named by `order`, @n_order of them
 * @random: `rand` is given: seed, shortest and longest slice follow
 * @slice, @yield, @hold, @limit: instructions; @limit 0: none
 * @listed: slices that come one after the other, before those of @slice
 */
typedef struct SchedPlan {
    bool on;
    bool broken;
    bool random;
    uint8_t order[SCHED_CPUS_MAX];
    unsigned int n_order;
    uint64_t seed;
    uint64_t slice_min;
    uint64_t slice_max;
    uint64_t slice;
    uint64_t yield;
    uint64_t hold;
    uint64_t limit;
    SchedSlice listed[SCHED_SLICES_MAX];
    unsigned int n_listed;
    SchedChange change[SCHED_WORDS_MAX];
    unsigned int n_changes;
    SchedRule rule[SCHED_WORDS_MAX];
    unsigned int n_rules;
} SchedPlan;

/**
 * sched_plan_parse: read a plan
 *
 * @plan: set, also if the text is in error
 * @text: words with blanks between; none: no plan
 * @n_cpus: of the machine; others may not be named
 * @error: set to what is wrong with it, for g_free(), if the result is false
 */
bool sched_plan_parse(SchedPlan *plan, const char *text, unsigned int n_cpus,
                      char **error);

/**
 * sched_point_print: append a point as a plan writes it
 */
void sched_point_print(GString *to, const SchedPoint *point);

/**
 * sched_slice_print: append a slice as a plan writes it, behind `slice=`
 */
void sched_slice_print(GString *to, const SchedSlice *slice,
                       unsigned int n_cpus);

/**
 * sched_plan_hold: how long an event of a kind is kept at most, instructions
 *
 * A Translation Completion that comes later than the function waits for it is
 * broken hardware, and only kept so long if the plan is of such.
 */
uint64_t sched_plan_hold(const SchedPlan *plan, unsigned int kind);

/**
 * sched_event_name: the word of a plan for a kind of event
 */
const char *sched_event_name(unsigned int kind);

#endif /* ACCEL_TCG_SCHED_PLAN_H */
