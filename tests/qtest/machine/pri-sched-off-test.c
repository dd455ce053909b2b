/*
 * Without a plan the schedule machine is not there: two CPUs do what they do on
 * QEMU without it (patches 0070 to 0074), to the instruction, and are
 * translated to as many blocks
 *
 * One thread runs both CPUs in turn, so how many instructions they execute
 * until both sleep depends on where each turn ends: at a PAUSE, at the kick
 * timer, at the end of a budget.  The numbers below are those of QEMU 10.2.2
 * without these patches, which this test was run on, too: it prints what it has
 * seen.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/sched-guest.h"
#include "libqos/sched-machine.h"

#define RUNS            3

/* What a program comes to: all that the guest can see, and what it took */
typedef struct Outcome {
    const char *name;
    uint32_t program;
    int64_t instructions;
    int64_t blocks;
    uint32_t counter, first;
    uint32_t seen[2];
} Outcome;

static const Outcome stock[] = {
    { "add", ADD, 1717314, 43, 200, 1, { 0, 0 } },
    { "spin-pause", SPIN_PAUSE, 1716502, 41, 0, 2, { 0, 0 } },
    { "spin", SPIN, 2574681, 41, 0, 2, { 0, 0 } },
    { "sleep", SLEEP, 1716511, 45, 1, 2, { 0, 0 } },
    { "locking", LOCKING, 1718360, 55, 0, 1, { 0, 100 } },
};

static bool both_sleep(SchedMachine *m)
{
    g_autofree char *regs = qtest_hmp(m->qts, "info registers -a");
    const char *cpu0 = strstr(regs, "HLT=1");

    return qtest_readl(m->qts, GUEST_THROUGH) == 2 && cpu0 &&
           strstr(cpu0 + 1, "HLT=1");
}

/* However long a busy host takes for it: no clock decides */
static void wait_for_sleep(SchedMachine *m)
{
    while (!both_sleep(m)) {
        g_usleep(1000);
    }
}

static int64_t instructions(SchedMachine *m)
{
    QDict *r = qtest_qmp(m->qts, "{ 'execute': 'query-replay' }");
    int64_t n = qdict_get_int(qdict_get_qdict(r, "return"), "icount");

    qobject_unref(r);
    return n;
}

/* Translated blocks there are */
static int64_t blocks(SchedMachine *m)
{
    g_autofree char *text = qtest_hmp(m->qts, "info jit");
    const char *count = strstr(text, "TB count");

    g_assert_nonnull(count);
    return g_ascii_strtoll(count + strlen("TB count"), NULL, 10);
}

static Outcome run(const Outcome *of, void (*prepare)(SchedMachine *m))
{
    Outcome o = { .name = of->name, .program = of->program };
    SchedMachine m;

    sched_machine_start(&m, EXACT);
    if (prepare) {
        prepare(&m);
    }
    sched_machine_tables(&m);
    qtest_writel(m.qts, GUEST_MODE, of->program);
    sched_machine_cont(&m);
    wait_for_sleep(&m);
    g_assert_true(sched_machine_running(&m));
    qtest_qmp_assert_success(m.qts, "{ 'execute': 'stop' }");
    o.instructions = instructions(&m);
    o.blocks = blocks(&m);
    o.counter = qtest_readl(m.qts, GUEST_COUNTER);
    o.first = qtest_readl(m.qts, GUEST_FIRST);
    for (int i = 0; i < 2; i++) {
        o.seen[i] = qtest_readl(m.qts, GUEST_SEEN + 4 * i);
    }
    sched_machine_end(&m);
    g_test_message("%s: %" PRId64 ", %" PRId64 ", %u, %u, { %u, %u }", o.name,
                   o.instructions, o.blocks, o.counter, o.first, o.seen[0],
                   o.seen[1]);
    return o;
}

static void expect(const Outcome *have, const Outcome *want)
{
    g_assert_cmpint(have->instructions, ==, want->instructions);
    g_assert_cmpint(have->blocks, ==, want->blocks);
    g_assert_cmpuint(have->counter, ==, want->counter);
    g_assert_cmpuint(have->first, ==, want->first);
    g_assert_cmpuint(have->seen[0], ==, want->seen[0]);
    g_assert_cmpuint(have->seen[1], ==, want->seen[1]);
}

/* As QEMU without the patches, and every time */
static void test_stock(const void *opaque)
{
    const Outcome *want = opaque;

    for (int i = 0; i < RUNS; i++) {
        Outcome have = run(want, NULL);

        expect(&have, want);
    }
}

static void take_plan_away(SchedMachine *m)
{
    sched_machine_set(m, "plan", "order=10 yield=10");
    sched_machine_set(m, "plan", "");
}

/* A focus, lock functions and a trace are of use to a plan alone */
static void set_all(SchedMachine *m)
{
    g_autofree char *focus = g_strdup_printf("%x-%x,%x-%x", GUEST_FOCUS,
                                             GUEST_FOCUS_END, GUEST_LOCKED,
                                             GUEST_LOCKED_END);
    g_autofree char *locks = g_strdup_printf("%x=a,%x=r", GUEST_TAKE,
                                             GUEST_GIVE);

    sched_machine_set(m, "focus", focus);
    sched_machine_set(m, "locks", locks);
    sched_machine_set(m, "tasks", "0:0");
    sched_machine_set(m, "trace", "/dev/null");
}

static void set_all_and_plan(SchedMachine *m)
{
    set_all(m);
    take_plan_away(m);
}

/*
 * The same when there was a plan.  A focus that stays cuts the code in other
 * blocks, for the plans to come, and changes nothing else.
 */
static void test_set(const void *opaque)
{
    const Outcome *want = opaque;
    Outcome have = run(want, take_plan_away);

    expect(&have, want);
    have = run(want, set_all_and_plan);
    have.blocks = want->blocks;
    expect(&have, want);
}

/* Nor is anything counted, with -icount or without */
static void test_report(void)
{
    SchedMachine m;
    QDict *r;

    for (int i = 0; i < 2; i++) {
        sched_machine_start(&m, i ? "" : EXACT);
        set_all(&m);
        sched_machine_cont(&m);
        wait_for_sleep(&m);
        r = sched_machine_report(&m);
        g_assert_cmpstr(qdict_get_str(r, "state"), ==, "off");
        g_assert_cmpint(qdict_get_int(r, "accesses"), ==, 0);
        g_assert_cmpint(qdict_get_int(r, "switches"), ==, 0);
        qobject_unref(r);
        sched_machine_end(&m);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (int i = 0; i < ARRAY_SIZE(stock); i++) {
        g_autofree char *name = g_strdup_printf("/pri-sched-off/stock/%s",
                                                stock[i].name);
        g_autofree char *set = g_strdup_printf("/pri-sched-off/set/%s",
                                               stock[i].name);

        qtest_add_data_func(name, &stock[i], test_stock);
        qtest_add_data_func(set, &stock[i], test_set);
    }
    qtest_add_func("/pri-sched-off/report", test_report);
    return g_test_run();
}
