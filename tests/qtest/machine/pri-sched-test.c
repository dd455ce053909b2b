/*
 * The schedule machine (accel/tcg/sched) with two CPUs and no operating system:
 * which CPU runs is what the plan says, to the instruction, whatever the host
 * does, and nothing happens without a plan
 *
 * Both CPUs add to one word without a lock, ROUNDS times each.  So what is in
 * the word at the end tells where they took turns.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-state.h"
#include "libqos/sched-guest.h"
#include "libqos/sched-machine.h"
#include "qapi/error.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "qobject/qstring.h"
#include "qobject/qjson.h"
#include <glib/gstdio.h>

/* At the first marker, with a snapshot there, and the adding loop in focus */
static void start_ready(SchedMachine *m)
{
    g_autofree char *focus = g_strdup_printf("%x-%x", GUEST_FOCUS,
                                             GUEST_FOCUS_END);
    QDict *r;

    sched_machine_start(m, EXACT);
    sched_machine_set(m, "focus", focus);
    sched_machine_set(m, "plan", "on");
    sched_machine_cont(m);
    sched_machine_wait_stopped(m);
    r = sched_machine_report(m);
    g_assert_cmpstr(qdict_get_str(r, "state"), ==, "ready");
    qobject_unref(r);
    lab_run_job(m->qts, "snapshot-save", "save");
}

static void load(SchedMachine *m, uint32_t program)
{
    g_autofree char *id = g_strdup_printf("load%u", m->loads++);

    lab_run_job(m->qts, "snapshot-load", id);
    qtest_writel(m->qts, GUEST_MODE, program);
}

/* One run; free the report with qobject_unref() */
static QDict *run(SchedMachine *m, uint32_t program, const char *plan)
{
    load(m, program);
    sched_machine_set(m, "plan", plan);
    sched_machine_cont(m);
    sched_machine_wait_stopped(m);
    return sched_machine_report(m);
}

static QDict *cpu_of(QDict *r, unsigned int v)
{
    const QListEntry *e = qlist_first(qdict_get_qlist(r, "cpus"));

    while (v--) {
        e = qlist_next(e);
    }
    return qobject_to(QDict, qlist_entry_obj(e));
}

static QDict *point_of(QDict *r)
{
    return qobject_to(QDict, qlist_entry_obj(
                      qlist_first(qdict_get_qlist(r, "points"))));
}

/* -- Tests ----------------------------------------------------------------- */

static void test_order(void)
{
    SchedMachine m;

    start_ready(&m);
    qobject_unref(run(&m, ADD, "order=01"));
    g_assert_cmpuint(qtest_readl(m.qts, GUEST_FIRST), ==, 1);
    g_assert_cmpuint(qtest_readl(m.qts, GUEST_THROUGH), ==, 2);
    g_assert_cmpuint(qtest_readl(m.qts, GUEST_COUNTER), ==, 2 * GUEST_ROUNDS);
    qobject_unref(run(&m, ADD, "order=10 yield=10"));
    g_assert_cmpuint(qtest_readl(m.qts, GUEST_FIRST), ==, 2);
    g_assert_cmpuint(qtest_readl(m.qts, GUEST_COUNTER), ==, 2 * GUEST_ROUNDS);
    sched_machine_end(&m);
}

/* Accesses 2n-1 read the word, 2n write it: what is lost depends on where */
static void test_access(void)
{
    static const struct {
        const char *plan;
        uint32_t sum;
    } cases[] = {
        { "order=01 at=0:1", GUEST_ROUNDS },
        { "order=01 at=0:2", 2 * GUEST_ROUNDS },
        { "order=01 at=0:3", GUEST_ROUNDS },
        { "order=01 at=0:199", GUEST_ROUNDS },
        { "order=01 at=0:200", 2 * GUEST_ROUNDS },
        { "order=01 at=0:1 at=1:1", GUEST_ROUNDS },
        { "order=01 at=0:1 at=1:2", 2 * GUEST_ROUNDS - 1 },
        { "order=10 yield=10 at=1:199>0", GUEST_ROUNDS },
    };
    SchedMachine m;

    start_ready(&m);
    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        QDict *r = run(&m, ADD, cases[i].plan);

        g_test_message("%s", cases[i].plan);
        g_assert_cmpuint(qtest_readl(m.qts, GUEST_COUNTER), ==, cases[i].sum);
        g_assert_cmpint(qdict_get_int(r, "accesses"), ==, 4 * GUEST_ROUNDS);
        g_assert_cmpint(qdict_get_int(cpu_of(r, 0), "accesses"), ==,
                        2 * GUEST_ROUNDS);
        g_assert_true(qdict_get_bool(point_of(r), "done"));
        g_assert_cmpstr(qdict_get_str(point_of(r), "addr"), ==, "a004");
        qobject_unref(r);
    }
    sched_machine_end(&m);
}

/* Operations 2n-1 take the lock, 2n give it: how far was CPU 0 at its point? */
static void test_locks(void)
{
    static const struct {
        const char *plan;
        uint32_t seen;
    } cases[] = {
        { "order=01", GUEST_ROUNDS },
        { "order=01 at=0:l1", 0 },
        { "order=01 at=0:l2", 1 },
        { "order=01 at=0:l5", 2 },
        { "order=01 at=0:l200", GUEST_ROUNDS },
        { "order=10 yield=10 at=1:l1", GUEST_ROUNDS },
    };
    g_autofree char *focus = g_strdup_printf("%x-%x", GUEST_LOCKED,
                                             GUEST_LOCKED_END);
    g_autofree char *locks = g_strdup_printf("%x=a,%x=r", GUEST_TAKE,
                                             GUEST_GIVE);
    g_autofree char *lock = g_strdup_printf("%x", GUEST_LOCK);
    SchedMachine m;

    start_ready(&m);
    sched_machine_set(&m, "focus", focus);
    sched_machine_set(&m, "locks", locks);
    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        QDict *r;

        load(&m, LOCKING);
        sched_machine_tables(&m);
        sched_machine_set(&m, "plan", cases[i].plan);
        sched_machine_cont(&m);
        sched_machine_wait_stopped(&m);
        r = sched_machine_report(&m);
        g_test_message("%s", cases[i].plan);
        g_assert_cmpstr(qdict_get_str(r, "state"), ==, "end");
        g_assert_cmpuint(qtest_readl(m.qts, GUEST_SEEN + 4), ==,
                         cases[i].seen);
        for (int v = 0; v < 2; v++) {
            g_assert_cmpint(qdict_get_int(cpu_of(r, v), "locks"), ==,
                            2 * GUEST_ROUNDS);
        }
        if (i) {
            g_assert_true(qdict_get_bool(point_of(r), "done"));
            g_assert_cmpstr(qdict_get_str(point_of(r), "addr"), ==, lock);
        }
        qobject_unref(r);
    }
    sched_machine_end(&m);
}

static void test_instructions(void)
{
    SchedMachine m;
    QDict *r;

    start_ready(&m);
    r = run(&m, ADD, "order=01 limit=777");
    g_assert_cmpstr(qdict_get_str(r, "state"), ==, "limit");
    g_assert_cmpint(qdict_get_int(r, "instructions"), ==, 777);
    qobject_unref(r);
    r = run(&m, ADD, "order=01 at=i50");
    g_assert_cmpint(qdict_get_int(point_of(r), "instructions"), ==, 50);
    g_assert_cmpuint(qtest_readl(m.qts, GUEST_FIRST), ==, 2);
    qobject_unref(r);
    r = run(&m, ADD, "order=10 yield=10 at=1:i30");
    g_assert_cmpint(qdict_get_int(point_of(r), "cpu"), ==, 1);
    g_assert_true(qdict_get_bool(point_of(r), "done"));
    g_assert_cmpstr(qdict_get_str(r, "state"), ==, "end");
    qobject_unref(r);
    sched_machine_end(&m);
}

/* CPU 0 goes first and waits for CPU 1 */
static void test_liveness(void)
{
    SchedMachine m;
    QDict *r;

    start_ready(&m);
    r = run(&m, SPIN_PAUSE, "order=01");
    g_assert_cmpstr(qdict_get_str(r, "state"), ==, "end");
    g_assert_cmpint(qdict_get_int(r, "pauses"), >, 0);
    g_assert_cmpint(qdict_get_int(r, "slices"), ==, 0);
    qobject_unref(r);
    /* and looks some times before who was stopped at a point goes on */
    r = run(&m, SPIN_PAUSE, "order=10 yield=100 at=1:i1");
    g_assert_cmpstr(qdict_get_str(r, "state"), ==, "end");
    g_assert_cmpint(qdict_get_int(r, "pauses"), >, 20);
    g_assert_cmpint(qdict_get_int(r, "instructions"), <, 10000);
    qobject_unref(r);
    r = run(&m, SPIN, "order=01");
    g_assert_cmpstr(qdict_get_str(r, "state"), ==, "end");
    g_assert_cmpint(qdict_get_int(r, "slices"), ==, 1);
    qobject_unref(r);
    r = run(&m, SPIN, "order=01 slice=1000");
    g_assert_cmpint(qdict_get_int(r, "instructions"), <, 10000);
    qobject_unref(r);
    /* a PAUSE now and then does not keep a slice for ever */
    r = run(&m, TALK, "order=01 slice=1000 yield=10");
    g_assert_cmpstr(qdict_get_str(r, "state"), ==, "end");
    g_assert_cmpint(qdict_get_int(r, "slices"), >, 5);
    g_assert_cmpint(qdict_get_int(r, "instructions"), <, 40000);
    qobject_unref(r);
    r = run(&m, SLEEP, "order=01");
    g_assert_cmpstr(qdict_get_str(r, "state"), ==, "end");
    g_assert_cmpuint(qtest_readl(m.qts, GUEST_COUNTER), ==, 1);
    /* the NMI is the end of the turn of who sent it */
    g_assert_cmpuint(qtest_readl(m.qts, GUEST_FIRST), ==, 1);
    qobject_unref(r);
    sched_machine_end(&m);
}

/* Turns of those who wait fill no trace */
static void test_trace_of_waits(void)
{
    g_autofree char *trace = NULL;
    SchedMachine m;
    GStatBuf st;
    QDict *r;

    start_ready(&m);
    trace = g_strdup_printf("%s.trace", m.disk);
    sched_machine_set(&m, "trace", trace);
    r = run(&m, WAIT, "order=01 yield=10 limit=100000");
    g_assert_cmpstr(qdict_get_str(r, "state"), ==, "limit");
    g_assert_cmpint(qdict_get_int(r, "switches"), >, 1000);
    g_assert_cmpint(qdict_get_int(r, "records"), <, 10);
    qobject_unref(r);
    r = run(&m, ADD, "order=01 at=0:1");
    g_assert_cmpint(qdict_get_int(r, "records"), >, 4 * GUEST_ROUNDS + 1);
    g_assert_cmpint(g_stat(trace, &st), ==, 0);
    g_assert_cmpint(st.st_size, ==, 64 * qdict_get_int(r, "records"));
    qobject_unref(r);
    g_unlink(trace);
    sched_machine_end(&m);
}

static void expect_same(QDict *r, int64_t *insns, char **hash, int n)
{
    if (!n) {
        *insns = qdict_get_int(r, "instructions");
        *hash = g_strdup(qdict_get_str(r, "hash"));
    }
    g_assert_cmpint(qdict_get_int(r, "instructions"), ==, *insns);
    g_assert_cmpstr(qdict_get_str(r, "hash"), ==, *hash);
    qobject_unref(r);
}

/* Stop it wherever it is and let it go on; false: it was at the end */
static bool interrupt(SchedMachine *m)
{
    bool on;
    QDict *r;

    qtest_qmp_assert_success(m->qts, "{ 'execute': 'stop' }");
    r = sched_machine_report(m);
    on = !strcmp(qdict_get_str(r, "state"), "running");
    qobject_unref(r);
    if (on) {
        sched_machine_cont(m);
    }
    return on;
}

/* The host stops the machine and lets it go on wherever it likes */
static void test_same(void)
{
    g_autofree char *hash = NULL;
    int64_t insns = 0;
    SchedMachine m;

    start_ready(&m);
    for (int n = 0; n < LAB_RUNS; n++) {
        load(&m, SPIN);
        sched_machine_set(&m, "plan", "rand=7:500:5000 order=01 limit=3000000");
        sched_machine_cont(&m);
        for (int i = 0; i < n % 4 && interrupt(&m); i++) {
        }
        sched_machine_wait_stopped(&m);
        expect_same(sched_machine_report(&m), &insns, &hash, n);
    }
    sched_machine_end(&m);
}

/* Another seed is another run, or nothing was random */
static void test_random_slices(void)
{
    g_autofree char *hash = NULL;
    int64_t insns = 0;
    SchedMachine m;
    QDict *r;

    start_ready(&m);
    expect_same(run(&m, ADD, "rand=1:10:100 yield=10"), &insns, &hash, 0);
    expect_same(run(&m, ADD, "rand=1:10:100 yield=10"), &insns, &hash, 1);
    r = run(&m, ADD, "rand=2:10:100 yield=10");
    g_assert_cmpstr(qdict_get_str(r, "hash"), !=, hash);
    g_assert_cmpint(qdict_get_int(r, "switches"), >, 4);
    qobject_unref(r);
    sched_machine_end(&m);
}

/* A plan that lists the slices which `rand` has made is the run of `rand` */
static void listed(SchedMachine *m, uint32_t program, const char *slices,
                   const char *rest)
{
    g_autofree char *random = g_strdup_printf("rand=%s %s", slices, rest);
    g_autoptr(GString) words = g_string_new(rest);
    g_autofree char *hash = NULL;
    int64_t insns = 0;
    const QListEntry *e;
    QDict *r;

    r = run(m, program, random);
    QLIST_FOREACH_ENTRY(qdict_get_qlist(r, "made"), e) {
        g_string_append_printf(words, " slice=%s",
            qstring_get_str(qobject_to(QString, qlist_entry_obj(e))));
    }
    g_assert_false(qlist_empty(qdict_get_qlist(r, "made")));
    expect_same(r, &insns, &hash, 0);
    expect_same(run(m, program, words->str), &insns, &hash, 1);
}

static void test_listed_slices(void)
{
    SchedMachine m;
    QDict *r;

    start_ready(&m);
    listed(&m, ADD, "1:10:100", "yield=10");
    for (int seed = 1; seed <= 20; seed++) {
        g_autofree char *slices = g_strdup_printf("%d:2:12", seed);

        listed(&m, SPIN_PAUSE, slices, "yield=20");
    }
    r = run(&m, ADD, "order=01 slice=10:7");    /* and then as without */
    g_assert_cmpuint(qlist_size(qdict_get_qlist(r, "made")), ==, 0);
    g_assert_cmpint(qdict_get_int(cpu_of(r, 1), "switches"), >, 0);
    qobject_unref(r);
    sched_machine_end(&m);
}

/* What RDRAND has given before is not in a snapshot */
static void test_rdrand(void)
{
    uint32_t first = 0;
    SchedMachine m;

    start_ready(&m);
    for (int i = 0; i < 5; i++) {
        qobject_unref(run(&m, RANDOM, "order=01"));
        if (!i) {
            first = qtest_readl(m.qts, GUEST_RANDOM);
        }
        g_assert_cmphex(qtest_readl(m.qts, GUEST_RANDOM), ==, first);
    }
    g_assert_cmphex(first, !=, 0);
    sched_machine_end(&m);
}

/* From the snapshot, and without one in between */
static void test_cold(void)
{
    g_autofree char *hash = NULL;
    int64_t insns = 0;
    SchedMachine m;
    QDict *r;

    start_ready(&m);
    expect_same(run(&m, ADD, "order=01 at=0:77"), &insns, &hash, 0);
    sched_machine_end(&m);
    start_ready(&m);
    sched_machine_set(&m, "plan", "order=01 at=0:77");
    sched_machine_cont(&m);
    sched_machine_wait_stopped(&m);
    r = sched_machine_report(&m);
    g_assert_cmpstr(qdict_get_str(r, "state"), ==, "end");
    expect_same(r, &insns, &hash, 1);
    sched_machine_end(&m);
}

/* From a boot to the end of LEAVE, with the other CPU ready to go on */
static void leave(SchedMachine *m, const char *action)
{
    g_autofree char *options = g_strdup_printf(EXACT " -no-shutdown -action "
                                               "reboot=%s", action);

    sched_machine_start(m, options);
    sched_machine_set(m, "plan", "on");
    sched_machine_cont(m);
    sched_machine_wait_stopped(m);
    qtest_writel(m->qts, GUEST_MODE, LEAVE);
    sched_machine_set(m, "plan", "order=01 slice=1000");
    sched_machine_cont(m);
    sched_machine_wait_stopped(m);
}

/*
 * The main loop turns the machine off when it gets to it: nothing happens from
 * the guest's instruction on
 */
static void test_off(void)
{
    g_autofree char *hash = NULL;
    int64_t insns = 0;
    SchedMachine m;

    for (int n = 0; n < 5; n++) {
        leave(&m, "shutdown");
        g_assert_cmpuint(qtest_readl(m.qts, GUEST_COUNTER), ==, 0);
        expect_same(sched_machine_report(&m), &insns, &hash, n);
        sched_machine_end(&m);
    }
}

/* After a reset it goes on: to the first marker again */
static void test_reset(void)
{
    SchedMachine m;
    QDict *r;

    leave(&m, "reset");
    r = sched_machine_report(&m);
    g_assert_cmpstr(qdict_get_str(r, "state"), ==, "ready");
    qobject_unref(r);
    sched_machine_end(&m);
}

static void test_markers(void)
{
    SchedMachine m;

    sched_machine_start(&m, EXACT);
    qtest_qmp_assert_success(m.qts, "{ 'execute': 'qom-set', 'arguments': {"
        " 'path': '/sched', 'property': 'markers', 'value': true } }");
    sched_machine_cont(&m);
    sched_machine_wait_stopped(&m);
    g_assert_cmpuint(qtest_readl(m.qts, GUEST_THROUGH), ==, 0);
    sched_machine_cont(&m);
    sched_machine_wait_stopped(&m);
    g_assert_cmpuint(qtest_readl(m.qts, GUEST_THROUGH), ==, 2);
    sched_machine_end(&m);
}

static void expect_refused(SchedMachine *m, const char *property,
                           const char *value, const char *why)
{
    g_autofree char *said = sched_machine_refused(m, property, value);

    if (!said || !strstr(said, why)) {
        g_error("%s %s: %s", property, value, said ? said : "taken");
    }
}

static void test_errors(void)
{
    SchedMachine m;
    QDict *r;

    start_ready(&m);
    sched_machine_set(&m, "plan", "order=10");
    expect_refused(&m, "plan", "order=02", "no such vCPU");
    expect_refused(&m, "plan", "at=0", "a point is");
    expect_refused(&m, "focus", "1000", "FIRST-BEHIND");
    expect_refused(&m, "focus", "2000-1000", "FIRST-BEHIND");
    expect_refused(&m, "locks", "1000", "ADDRESS=a");
    expect_refused(&m, "locks", "1000=x", "ADDRESS=a");
    expect_refused(&m, "tasks", "12", "GS-OFFSET");
    r = sched_machine_report(&m);
    g_assert_cmpstr(qdict_get_str(r, "plan"), ==, "order=10");
    qobject_unref(r);
    load(&m, SPIN);
    sched_machine_set(&m, "plan", "order=01 slice=1000000000");
    sched_machine_cont(&m);
    expect_refused(&m, "plan", "on", "stop it first");
    expect_refused(&m, "focus", "1000-2000", "stop it first");
    sched_machine_end(&m);
}

/* A machine on which the host would decide something takes no plan */
static void test_not_exact(void)
{
    static const struct {
        const char *options, *why;
    } cases[] = {
        { "-rtc clock=vm -seed 1", "-icount" },
        { "-icount shift=auto -rtc clock=vm -seed 1", "-icount" },
        { "-icount shift=3,sleep=off -seed 1", "-rtc clock=vm" },
        { "-icount shift=3,sleep=off -rtc clock=vm", "-seed" },
    };
    SchedMachine m;

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        sched_machine_start(&m, cases[i].options);
        expect_refused(&m, "plan", "on", cases[i].why);
        sched_machine_set(&m, "plan", "");
        sched_machine_end(&m);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/pri-sched/order", test_order);
    qtest_add_func("/pri-sched/access", test_access);
    qtest_add_func("/pri-sched/locks", test_locks);
    qtest_add_func("/pri-sched/instructions", test_instructions);
    qtest_add_func("/pri-sched/liveness", test_liveness);
    qtest_add_func("/pri-sched/trace-of-waits", test_trace_of_waits);
    qtest_add_func("/pri-sched/same", test_same);
    qtest_add_func("/pri-sched/random-slices", test_random_slices);
    qtest_add_func("/pri-sched/listed-slices", test_listed_slices);
    qtest_add_func("/pri-sched/rdrand", test_rdrand);
    qtest_add_func("/pri-sched/cold", test_cold);
    qtest_add_func("/pri-sched/off", test_off);
    qtest_add_func("/pri-sched/reset", test_reset);
    qtest_add_func("/pri-sched/markers", test_markers);
    qtest_add_func("/pri-sched/errors", test_errors);
    qtest_add_func("/pri-sched/not-exact", test_not_exact);
    return g_test_run();
}
