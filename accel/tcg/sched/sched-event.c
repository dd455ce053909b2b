/*
 * The schedule machine: when device events are delivered
 *
 * An event that comes up is asked for here (hw/pci/ats_actor.h) and kept as its
 * rule of the plan says.  It is released between two turns, so at an exact
 * instruction, and with no device on the stack.
 *
 * Nothing is kept for ever: what is kept goes when no vCPU can run, before the
 * clock jumps, and after `hold` instructions (sched_plan_hold()).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "sched-internal.h"

/* A kept event whose moment is not known yet, or has not come */
typedef struct SchedKept {
    AtsEventKind kind;
    uint64_t n;
    uint64_t due;               /* instructions; UINT64_MAX: its point */
    bool waits;                 /* for @point */
    SchedPoint point;
} SchedKept;

static GArray *kept;            /* of SchedKept, oldest first */
static SchedEvents counts[ATS_EVENT_KIND_NR];

const SchedEvents *sched_events(unsigned int kind)
{
    return &counts[kind];
}

static const SchedRule *sched_rule_for(AtsEventKind kind, uint64_t n)
{
    const SchedRule *all = NULL;

    for (unsigned int i = 0; i < sched.plan.n_rules; i++) {
        const SchedRule *rule = &sched.plan.rule[i];

        if (rule->kind == kind && rule->nth == n) {
            return rule;
        }
        if (rule->kind == kind && !rule->nth) {
            all = rule;
        }
    }
    return all;
}

/* Has a point come already? */
static bool sched_point_past(const SchedPoint *point)
{
    switch (point->kind) {
    case SCHED_POINT_ACCESS:
        return sched.cpu[point->who].accesses >= point->n;
    case SCHED_POINT_LOCK:
        return sched.cpu[point->who].locks >= point->n;
    case SCHED_POINT_CPU_INSNS:
        return sched_cpu_insns(point->who) >= point->n;
    case SCHED_POINT_INSNS:
        return sched_now() >= point->n;
    default:
        return ats_actor_count(point->who) >= point->n &&
               !ats_actor_is_kept(point->who, point->n);
    }
}

static void sched_event_record(uint8_t record_kind, AtsEventKind kind,
                               uint64_t n, bool held)
{
    SchedRecord record = {
        .actor = SCHED_ACTOR_DEVICE, .kind = record_kind, .what = kind,
        .n = n, .phys = UINT64_MAX, .flags = held ? SCHED_RECORD_HELD : 0,
    };

    sched_mix((uint64_t)record_kind << 56 | (uint64_t)kind << 48 | n);
    sched_mix(sched_now());
    sched_record(&record);
}

static void sched_keep(AtsEventKind kind, uint64_t n, const SchedRule *rule)
{
    uint64_t now = sched_now();
    SchedKept item = {
        .kind = kind, .n = n, .due = now + sched_plan_hold(&sched.plan, kind),
    };

    if (!rule || rule->when == SCHED_WHEN_NOW) {
        item.due = now;                 /* a bottom half: behind this turn */
    } else if (rule->when == SCHED_WHEN_DELAY) {
        item.due = MIN(item.due, now + rule->delay);
    } else if (rule->when == SCHED_WHEN_POINT) {
        item.waits = true;
        item.point = rule->point;
    }
    g_array_append_val(kept, item);
    counts[kind].held++;
    sched_reconsider();
}

static AtsActorVerdict sched_judge(AtsEventKind kind, uint64_t n)
{
    const SchedRule *rule = sched_rule_for(kind, n);
    bool keep = rule && rule->when != SCHED_WHEN_NOW &&
                !(rule->when == SCHED_WHEN_POINT &&
                  sched_point_past(&rule->point));

    counts[kind].sent++;
    if (rule && rule->when == SCHED_WHEN_LOST) {
        return ATS_ACTOR_LOSE;
    }
    if (rule && rule->when == SCHED_WHEN_TWICE) {
        return ATS_ACTOR_TWICE;
    }
    /* A bottom half never runs where it is scheduled */
    if (!keep && kind != ATS_EVENT_BH) {
        return ATS_ACTOR_NOW;
    }
    sched_event_record(SCHED_RECORD_SENT, kind, n, true);
    sched_keep(kind, n, keep ? rule : NULL);
    return ATS_ACTOR_KEEP;
}

static void sched_happens(AtsEventKind kind, uint64_t n)
{
    counts[kind].delivered++;
    sched.event_kind = kind;
    sched.event_n = n;
    sched_event_record(SCHED_RECORD_DELIVERED, kind, n, false);
    sched_point_reached(SCHED_POINT_EVENT, kind, n, NULL);
    /* Those behind it go at the end of the turn, which the host must not set */
    sched_reconsider();
}

/* A point has come: what waits for it goes at the end of the turn */
void sched_events_at_point(SchedPointKind kind, unsigned int who, uint64_t n)
{
    for (unsigned int i = 0; kept && i < kept->len; i++) {
        SchedKept *item = &g_array_index(kept, SchedKept, i);

        if (item->waits && item->point.kind == kind &&
            item->point.who == who && item->point.n == n) {
            item->waits = false;
            item->due = 0;
            sched_reconsider();
        }
    }
}

static bool sched_event_due(const SchedKept *item, uint64_t now)
{
    return item->due <= now || (item->waits && sched_point_past(&item->point));
}

void sched_events_step(void)
{
    uint64_t now = sched_now();

    for (unsigned int i = 0; i < kept->len;) {
        SchedKept item = g_array_index(kept, SchedKept, i);

        if (sched_event_due(&item, now)) {
            g_array_remove_index(kept, i);
            ats_actor_release(item.kind, item.n);
            i = 0;                      /* others may have come and gone */
        } else {
            i++;
        }
    }
    ats_actor_run();
}

uint64_t sched_events_budget(uint64_t now)
{
    uint64_t n = UINT64_MAX;

    for (unsigned int i = 0; i < kept->len; i++) {
        const SchedKept *item = &g_array_index(kept, SchedKept, i);

        if (item->due > now) {
            n = MIN(n, item->due - now);
        }
        if (item->waits) {
            n = MIN(n, sched_point_distance(&item->point));
        }
    }
    return MAX(n, 1);
}

bool sched_events_idle(void)
{
    while (kept->len) {
        SchedKept item = g_array_index(kept, SchedKept, 0);

        g_array_remove_index(kept, 0);
        if (ats_actor_is_kept(item.kind, item.n)) {
            ats_actor_release(item.kind, item.n);
            sched_reconsider();
            return true;
        }
    }
    return ats_actor_release_oldest();
}

void sched_events_flush(void)
{
    ats_actor_flush();
    g_array_set_size(kept, 0);
}

void sched_events_end(void)
{
    ats_actor_set(NULL, true);
    if (!kept) {
        kept = g_array_new(false, false, sizeof(SchedKept));
    }
    g_array_set_size(kept, 0);
    memset(counts, 0, sizeof(counts));
}

void sched_events_begin(void)
{
    static const AtsActorOps ops = {
        .judge = sched_judge,
        .happens = sched_happens,
    };

    if (sched.plan.on) {
        ats_actor_set(&ops, !sched.plan.broken);
    }
}
