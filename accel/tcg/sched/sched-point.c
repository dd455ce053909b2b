/*
 * The schedule machine: points of the plan, and what they change
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "sched-internal.h"

static bool sched_point_is(const SchedPoint *point, SchedPointKind kind,
                           unsigned int who, uint64_t n)
{
    return point->kind == kind && point->who == who && point->n == n;
}

/* Change point @i has come: who runs goes last */
static void sched_change(unsigned int i, const SchedHit *facts)
{
    SchedHit *hit = &sched.hit[i];

    if (hit->done || sched.current < 0) {
        return;
    }
    if (facts) {
        *hit = *facts;
    }
    hit->done = true;
    hit->cpu = sched.current;
    hit->insns = sched_now();
    hit->task = sched_task(hit->comm);
    sched_mix(0x300 + i);
    sched_demote(sched.current, sched.plan.change[i].first);
    /*
     * One that spins for what this one has given, or is about to take, has to
     * look before its PAUSE lets this one go on.
     */
    sched.cpu[hit->cpu].yield_until = hit->insns +
                                      SCHED_PAUSES * sched.plan.yield;
}

void sched_point_reached(SchedPointKind kind, unsigned int who, uint64_t n,
                         const SchedHit *facts)
{
    for (unsigned int i = 0; i < sched.plan.n_changes; i++) {
        if (sched_point_is(&sched.plan.change[i].at, kind, who, n)) {
            sched_change(i, facts);
        }
    }
    sched_events_at_point(kind, who, n);
}

uint64_t sched_point_distance(const SchedPoint *point)
{
    uint64_t have;

    switch (point->kind) {
    case SCHED_POINT_CPU_INSNS:
        if (point->who != sched.current) {
            return UINT64_MAX;
        }
        have = sched_cpu_insns(point->who);
        break;
    case SCHED_POINT_INSNS:
        have = sched_now();
        break;
    default:
        return UINT64_MAX;
    }
    return point->n > have ? point->n - have : 0;
}

void sched_points_by_insns(void)
{
    for (unsigned int i = 0; i < sched.plan.n_changes; i++) {
        if (!sched_point_distance(&sched.plan.change[i].at)) {
            sched_change(i, NULL);
        }
    }
}

uint64_t sched_points_budget(void)
{
    uint64_t n = UINT64_MAX;

    for (unsigned int i = 0; i < sched.plan.n_changes; i++) {
        if (!sched.hit[i].done) {
            uint64_t d = sched_point_distance(&sched.plan.change[i].at);

            n = MIN(n, MAX(d, 1));
        }
    }
    return n;
}
