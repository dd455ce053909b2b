/*
 * The schedule machine: which vCPU runs, from one guest instruction to the next
 *
 * A plan (accel/tcg/sched/sched-plan.h), given at run time, says which vCPU
 * runs when, and the host says nothing: the same plan from the same state of
 * the machine executes the same instructions.  Without a plan none of this
 * does anything.  docs/internals.md, "The schedule machine", explains it.
 *
 * It needs TCG with one thread for all vCPUs, that is -icount.
 *
 * Locking: what a plan is and what the machine has counted changes under the
 * BQL, or in the vCPU thread while it runs a vCPU; the machine is stopped when
 * a plan is set.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef ACCEL_TCG_SCHED_H
#define ACCEL_TCG_SCHED_H

#include "hw/core/cpu.h"

/* A plan is set */
extern bool sched_plan_on;

/* Translations may have to tell of accesses; all are new when it changes */
extern bool sched_hooks_on;

static inline bool sched_active(void)
{
    return unlikely(sched_plan_on);
}

/* Entries of a TLB while a plan is on, whatever the host's clock says */
#define SCHED_TLB_SIZE  1024

/* -- the thread of the vCPUs (tcg-accel-ops-rr.c), BQL held ---------------- */

/**
 * sched_init: TCG is the accelerator; makes /sched
 */
void sched_init(void);

/**
 * sched_frozen: the guest has reached a marker, no vCPU may run
 */
bool sched_frozen(void);

/**
 * sched_idle: no vCPU can run; deliver a device event or move the clock to the
 * next timer
 *
 * Returns: false if there is neither: the host must do something.
 */
bool sched_idle(void);

/**
 * sched_pick: the vCPU whose turn it is
 *
 * @budget: set to the instructions that it may execute
 *
 * Returns: NULL if none can run.
 */
CPUState *sched_pick(int64_t *budget);

/**
 * sched_ran: the turn of @cpu is over
 */
void sched_ran(CPUState *cpu);

/* -- hooks ----------------------------------------------------------------- */

/**
 * sched_interrupt: an interrupt of @cpu was raised (BQL held)
 */
void sched_interrupt(CPUState *cpu);

/**
 * sched_paused: @cpu executes PAUSE
 */
void sched_paused(CPUState *cpu);

/**
 * sched_marker: @cpu has executed a marker
 *
 * @what: SCHED_MARKER_*
 * @value: of a note
 */
void sched_marker(CPUState *cpu, uint32_t what, uint32_t value);

/* CPUID leaf of a marker, its subleaves */
#define SCHED_MARKER_LEAF   0x5c4ed000
#define SCHED_MARKER_READY  1
#define SCHED_MARKER_END    2
#define SCHED_MARKER_NOTE   3

/**
 * sched_in_focus: does the instruction at @pc tell of its accesses?
 * sched_is_lock: is @pc the first instruction of a lock function?
 *
 * Such an instruction is a translation block of its own.
 */
bool sched_in_focus(vaddr pc);
bool sched_is_lock(vaddr pc);

/* -- what the target says -------------------------------------------------- */

/**
 * struct SchedTarget - what only the target knows of a vCPU
 *
 * @counts: does an access to @addr count?  Not that to the own stack
 * @call: first argument and return address at the first instruction of a
 *        function
 * @base: what the offsets of the property `tasks` are from
 */
typedef struct SchedTarget {
    bool (*counts)(CPUState *cpu, vaddr addr);
    bool (*call)(CPUState *cpu, uint64_t *arg, uint64_t *ret);
    uint64_t (*base)(CPUState *cpu);
} SchedTarget;

void sched_set_target(const SchedTarget *target);

#endif /* ACCEL_TCG_SCHED_H */
