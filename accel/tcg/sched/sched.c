/*
 * The schedule machine: whose turn it is
 *
 * The vCPUs have an order, the first one that can run does (PCT: Burckhardt et
 * al., "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs",
 * ASPLOS 2010).  A change point of the plan puts the vCPU that reaches it last.
 * So does a slice that is used up while others could run, which frees whoever
 * waits for another one without saying so; a PAUSE says so.  A vCPU that lets
 * others go first by a PAUSE does not begin its slice again with that: one that
 * does much between two PAUSEs would leave the others a few instructions each
 * time, for ever.
 *
 * The host may end a turn at any instruction (a kick, a request of the
 * monitor).  Then the same vCPU goes on: another one is only looked for when
 * @decide says that the guest gave a reason, and reasons come at exact
 * instructions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/guest-random.h"
#include "qemu/main-loop.h"
#include "exec/icount.h"
#include "exec/cputlb.h"
#include "system/cpu-timers.h"
#include "system/runstate.h"
#include "sched-internal.h"

/* Of the guest's random numbers, again with each plan: a snapshot has none */
#define SCHED_RANDOM_SEED   0x5c4ed

Sched sched;
bool sched_plan_on;
bool sched_hooks_on;

uint64_t sched_now(void)
{
    return icount_get_raw() - sched.start;
}

uint64_t sched_cpu_insns(unsigned int v)
{
    uint64_t n = sched.cpu[v].insns;

    if (sched.in_turn && sched.current == (int)v) {
        n += sched_now() - sched.turn_start;
    }
    return n;
}

bool sched_frozen(void)
{
    return sched.frozen;
}

/* End the turn of the running vCPU behind the instruction that it executes */
static void sched_end_turn(void)
{
    CPUState *cpu = current_cpu;

    if (cpu && cpu->running) {
        qatomic_store_release(&cpu->exit_request, true);
        qatomic_store_release(&cpu->neg.icount_decr.u16.high, -1);
    }
}

void sched_reconsider(void)
{
    sched.decide = true;
    sched_end_turn();
}

void sched_demote(int v, int first)
{
    unsigned int order[SCHED_CPUS_MAX];
    unsigned int n = 0;

    if (first >= 0 && first != v) {
        order[n++] = first;
    }
    for (unsigned int i = 0; i < sched.n_cpus; i++) {
        int o = sched.order[i];

        if (o != v && (o != first || first < 0)) {
            order[n++] = o;
        }
    }
    order[n++] = v;
    sched.cpu[v].row = 0;
    memcpy(sched.order, order, n * sizeof(order[0]));
    for (unsigned int i = 0; i < sched.n_cpus; i++) {
        sched.cpu[i].yield_until = 0;
    }
    sched_reconsider();
}

/* -- The vCPU thread ------------------------------------------------------- */

static bool sched_can_run(unsigned int v)
{
    CPUState *cpu = sched.cpu[v].cpu;

    return !cpu->stop && !cpu->stopped && (!cpu->halted || cpu_has_work(cpu));
}

static bool sched_others_can_run(int v)
{
    for (unsigned int i = 0; i < sched.n_cpus; i++) {
        if ((int)i != v && sched_can_run(i)) {
            return true;
        }
    }
    return false;
}

/* What a snapshot does not have must be the same at the begin of each run */
static void sched_settle(void)
{
    qemu_guest_random_restart(SCHED_RANDOM_SEED);
    for (unsigned int v = 0; v < sched.n_cpus; v++) {
        current_cpu = sched.cpu[v].cpu;
        tlb_settle(current_cpu);
    }
    sched.fresh = false;
}

/* xorshift64*, so that a seed means the same with every library */
static uint64_t sched_random(uint64_t below)
{
    sched.rng ^= sched.rng >> 12;
    sched.rng ^= sched.rng << 25;
    sched.rng ^= sched.rng >> 27;
    return ((sched.rng * 0x2545f4914f6cdd1dull) >> 11) % below;
}

static void sched_new_rows(void)
{
    for (unsigned int v = 0; v < sched.n_cpus; v++) {
        sched.cpu[v].row = 0;
    }
}

/* What `rand` has made is told, so that a plan can list it */
static void sched_keep_slice(void)
{
    SchedSlice slice = { .n = sched.slice };

    for (unsigned int i = 0; i < sched.n_cpus; i++) {
        slice.order |= (uint64_t)sched.order[i] << (4 * i);
    }
    if (sched.made->len < SCHED_SLICES_MAX) {
        g_array_append_val(sched.made, slice);
    }
}

/* `rand`: another order, and a slice whose logarithm is uniform, for all */
static void sched_random_slice(void)
{
    const SchedPlan *plan = &sched.plan;
    uint64_t lo = plan->slice_min, hi = lo, room = plan->slice_max / lo;

    sched_new_rows();
    for (uint64_t n = sched_random(64 - clz64(room)); n; n--) {
        lo *= 2;
    }
    hi = MIN(lo * 2, plan->slice_max + 1);
    sched.slice = lo + (hi > lo ? sched_random(hi - lo) : 0);
    for (unsigned int i = sched.n_cpus - 1; i > 0; i--) {
        unsigned int k = sched_random(i + 1), o = sched.order[i];

        sched.order[i] = sched.order[k];
        sched.order[k] = o;
    }
    sched_keep_slice();
}

/* The next one that the plan lists; behind the last one the order stays */
static void sched_listed_slice(void)
{
    const SchedPlan *plan = &sched.plan;
    const SchedSlice *slice = &plan->listed[sched.listed];

    sched_new_rows();
    if (sched.listed++ == plan->n_listed) {
        sched.slice = plan->slice;
        return;
    }
    sched.slice = slice->n;
    for (unsigned int i = 0; i < sched.n_cpus; i++) {
        sched.order[i] = (slice->order >> (4 * i)) & 0xf;
    }
}

/* The first of the order that can run, and rather one that does not wait */
static int sched_first(uint64_t now)
{
    int best = -1;

    for (unsigned int i = 0; i < sched.n_cpus; i++) {
        int v = sched.order[i];

        if (!sched_can_run(v)) {
            continue;
        }
        if (sched.cpu[v].yield_until <= now) {
            return v;
        }
        if (best < 0 ||
            sched.cpu[v].yield_until < sched.cpu[best].yield_until) {
            best = v;
        }
    }
    return best;
}

static void sched_switch(int v, uint64_t now)
{
    SchedRecord record = {
        .actor = v, .kind = SCHED_RECORD_SWITCH, .phys = UINT64_MAX,
    };

    if (sched.current >= 0 && sched.cpu[sched.current].yield_until <= now) {
        sched.cpu[sched.current].row = 0;       /* it does not wait */
    }
    sched.current = v;
    sched.switches++;
    sched.cpu[v].switches++;
    sched_mix(0x100 + v);
    sched_mix(now);
    sched_record(&record);
}

/* How far the vCPU may go until there is something to decide */
static uint64_t sched_budget(uint64_t now)
{
    uint64_t used = sched.cpu[sched.current].row;
    uint64_t n = used < sched.slice ? sched.slice - used : 1;

    for (unsigned int i = 0; i < sched.n_cpus; i++) {
        if (sched.cpu[i].yield_until > now) {
            n = MIN(n, sched.cpu[i].yield_until - now);
        }
    }
    if (sched.plan.limit) {
        n = MIN(n, sched.plan.limit - now);
    }
    return MIN(n, MIN(sched_points_budget(), sched_events_budget(now)));
}

/*
 * A vCPU that resets the machine or turns it off stops itself, and the main
 * loop does the rest in its own time (cpu_stop_current()).  What others did
 * until then would be up to the host.
 */
static bool sched_leaving(void)
{
    return sched.current >= 0 && sched.cpu[sched.current].cpu->stopped;
}

CPUState *sched_pick(int64_t *budget)
{
    uint64_t now = sched_now();

    if (sched_leaving()) {
        return NULL;
    }
    if (sched.fresh) {
        sched_settle();
    }
    sched_events_step();
    if (sched.current >= 0 && !sched_can_run(sched.current)) {
        sched.decide = true;
    }
    if (sched.decide || sched.current < 0) {
        int v = sched_first(now);

        if (v < 0) {
            return NULL;
        }
        sched.decide = false;
        if (v != sched.current) {
            sched_switch(v, now);
        }
    }
    *budget = sched_budget(now);
    sched.turn_start = now;
    sched.in_turn = true;
    sched.paused = false;
    return sched.cpu[sched.current].cpu;
}

static void sched_slice_over(void)
{
    sched.cpu[sched.current].row = 0;
    if (sched.plan.random) {
        sched_random_slice();
        sched_reconsider();
    } else if (sched.listed <= sched.plan.n_listed && sched.plan.n_listed) {
        sched_listed_slice();
        sched_reconsider();
    } else if (sched_others_can_run(sched.current)) {
        sched.slices++;
        sched_demote(sched.current, -1);
    }
}

void sched_ran(CPUState *cpu)
{
    uint64_t now = sched_now();
    SchedCpu *me = &sched.cpu[sched.current];

    sched.in_turn = false;
    me->insns += now - sched.turn_start;
    me->row += now - sched.turn_start;
    for (unsigned int i = 0; i < sched.n_cpus; i++) {
        uint64_t until = sched.cpu[i].yield_until;

        if (until > sched.turn_start && until <= now) {
            sched.decide = true;
        }
    }
    if (sched.paused) {
        sched.pauses++;
        me->yield_until = now + sched.plan.yield;
        sched.decide = true;
    }
    sched_points_by_insns();
    if (sched.state == SCHED_STATE_READY) {
        sched_events_flush();           /* a snapshot has none of them */
    }
    if (sched.plan.limit && now >= sched.plan.limit) {
        sched_freeze(SCHED_STATE_LIMIT);
    } else if (me->row >= sched.slice) {
        sched_slice_over();
    }
}

bool sched_idle(void)
{
    if (sched_events_idle()) {
        return true;
    }
    if (qemu_clock_deadline_ns_all(QEMU_CLOCK_VIRTUAL,
                                   QEMU_TIMER_ATTR_ALL) < 0) {
        return false;
    }
    icount_start_warp_timer();
    return true;
}

/* -- Hooks ----------------------------------------------------------------- */

void sched_interrupt(CPUState *cpu)
{
    if (sched.in_turn && cpu == current_cpu) {
        return;
    }
    sched_reconsider();
}

void sched_paused(CPUState *cpu)
{
    sched.paused = true;
}

void sched_freeze(SchedState state)
{
    sched.state = state;
    sched.frozen = true;
    sched_trace_flush();
    qemu_system_vmstop_request_prepare();
    qemu_system_vmstop_request(RUN_STATE_PAUSED);
    sched_end_turn();
}

void sched_marker(CPUState *cpu, uint32_t what, uint32_t value)
{
    bool stops = what == SCHED_MARKER_READY || what == SCHED_MARKER_END;

    if (sched_active()) {
        SchedRecord record = {
            .actor = cpu->cpu_index, .kind = SCHED_RECORD_MARKER,
            .what = what, .value = value, .phys = UINT64_MAX,
        };
        uint64_t note[2] = { sched_now(), value };

        sched_mix(0x200 + what);
        sched_mix(note[0]);
        sched_record(&record);
        if (what == SCHED_MARKER_NOTE && sched.notes->len < SCHED_LOG_MAX) {
            g_array_append_vals(sched.notes, note, 1);
        }
    }
    if (stops && (sched_active() || sched.markers)) {
        sched_freeze(what == SCHED_MARKER_READY ? SCHED_STATE_READY :
                     SCHED_STATE_END);
    }
}

/* -- Life ------------------------------------------------------------------ */

static void sched_set_order(void)
{
    bool named[SCHED_CPUS_MAX] = { false };
    unsigned int n = 0;

    for (unsigned int i = 0; i < sched.plan.n_order; i++) {
        sched.order[n++] = sched.plan.order[i];
        named[sched.plan.order[i]] = true;
    }
    for (unsigned int v = 0; v < sched.n_cpus; v++) {
        if (!named[v]) {
            sched.order[n++] = v;
        }
    }
}

static void sched_set_cpus(void)
{
    CPUState *cpu;

    sched.n_cpus = 0;
    memset(sched.cpu, 0, sizeof(sched.cpu));
    CPU_FOREACH(cpu) {
        sched.cpu[sched.n_cpus++].cpu = cpu;
    }
}

void sched_begin(const char *text, const SchedPlan *plan)
{
    sched_events_end();
    g_free(sched.text);
    sched.text = g_strdup(text);
    sched.plan = *plan;
    sched.state = plan->on ? SCHED_STATE_RUNNING : SCHED_STATE_OFF;
    sched.fresh = true;
    sched.frozen = false;
    sched.start = icount_get_raw();
    sched.current = -1;
    sched.decide = true;
    sched.in_turn = false;
    sched.turn_start = 0;
    sched.slice = plan->slice;
    sched.event_kind = UINT8_MAX;
    sched.event_n = 0;
    sched.hash = 0xcbf29ce484222325ull;
    sched.accesses = sched.switches = sched.slices = sched.pauses = 0;
    memset(sched.hit, 0, sizeof(sched.hit));
    g_ptr_array_set_size(sched.log, 0);
    g_array_set_size(sched.notes, 0);
    sched_set_cpus();
    sched_set_order();
    g_array_set_size(sched.made, 0);
    sched.listed = 0;
    if (plan->n_listed) {
        sched_listed_slice();
    }
    if (plan->random) {
        sched.rng = (plan->seed + 1) * 0x9e3779b97f4a7c15ull;
        sched.rng |= !sched.rng;
        sched_random_slice();
    }
    sched_trace_begin();
    sched_events_begin();
    sched_plan_on = plan->on;
}
