/*
 * A machine of two CPUs that runs sched-guest.S, and its schedule machine
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_LAB_LIBQOS_SCHED_MACHINE_H
#define PRI_LAB_LIBQOS_SCHED_MACHINE_H

#include "libqtest.h"
#include "qobject/qdict.h"

/* Programs of the guest, for GUEST_MODE */
enum {
    ADD, SPIN_PAUSE, SPIN, SLEEP, RANDOM, LOCKING,
    LEAVE = 0x104, WAIT = 0x204, TALK = 0x304,
};

/* Options of a machine that takes a plan */
#define EXACT "-icount shift=3,sleep=off -rtc clock=vm -seed 1"

typedef struct SchedMachine {
    QTestState *qts;
    char *firmware, *guest, *disk;
    unsigned int loads;
} SchedMachine;

/* Started and stopped, at its first instruction */
void sched_machine_start(SchedMachine *m, const char *options);
void sched_machine_end(SchedMachine *m);

/* A property of /sched; refused: what is wrong with the value, or NULL */
void sched_machine_set(SchedMachine *m, const char *property,
                       const char *value);
char *sched_machine_refused(SchedMachine *m, const char *property,
                            const char *value);
QDict *sched_machine_report(SchedMachine *m);

bool sched_machine_running(SchedMachine *m);
void sched_machine_cont(SchedMachine *m);
void sched_machine_wait_stopped(SchedMachine *m);

/* The first 2 MB as they are in 64-bit mode, for LOCKING */
void sched_machine_tables(SchedMachine *m);

#endif /* PRI_LAB_LIBQOS_SCHED_MACHINE_H */
