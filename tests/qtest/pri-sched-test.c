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
#include "qapi/error.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "qobject/qjson.h"
#include <glib/gstdio.h>

#define FIRMWARE_SIZE   0x10000
#define RESET_VECTOR    0xfff0
#define PATIENCE_MS     60000

/* Programs of the guest */
enum { ADD, SPIN_PAUSE, SPIN, SLEEP, RANDOM, LOCKING };

typedef struct Machine {
    QTestState *qts;
    char *firmware, *guest, *disk;
    unsigned int loads;
} Machine;

/* -- The machine ----------------------------------------------------------- */

static char *make_file(const void *data, size_t len)
{
    char *name;
    int fd = g_file_open_tmp("pri-sched-XXXXXX", &name, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert_true(g_file_set_contents(name, data, len, NULL));
    return name;
}

/* jmp 0:START, at the reset vector */
static char *make_firmware(void)
{
    static const uint8_t jump[] = {
        0xea, GUEST_START & 0xff, GUEST_START >> 8, 0, 0,
    };
    g_autofree uint8_t *image = g_malloc0(FIRMWARE_SIZE);

    memcpy(image + RESET_VECTOR, jump, sizeof(jump));
    return make_file(image, FIRMWARE_SIZE);
}

static void start(Machine *m, const char *options)
{
    memset(m, 0, sizeof(*m));
    m->disk = make_file(NULL, 0);
    m->firmware = make_firmware();
    m->guest = make_file(guest_code, sizeof(guest_code));
    m->qts = qtest_initf("-machine q35 -accel tcg -cpu max -smp 2 -m 16M -S "
                         "-nodefaults -bios %s -device loader,file=%s,"
                         "addr=0x%x,force-raw=on %s", m->firmware, m->guest,
                         GUEST_AT, options);
    lab_create_disk(m->qts, m->disk);
}

static void remove_file(char *name)
{
    g_unlink(name);
    g_free(name);
}

static void end(Machine *m)
{
    qtest_quit(m->qts);
    remove_file(m->disk);
    remove_file(m->firmware);
    remove_file(m->guest);
}

static void set(Machine *m, const char *property, const char *value)
{
    qtest_qmp_assert_success(m->qts, "{ 'execute': 'qom-set', 'arguments': {"
        " 'path': '/sched', 'property': %s, 'value': %s } }", property, value);
}

/* What is wrong with a value, or NULL */
static char *refused(Machine *m, const char *property, const char *value)
{
    QDict *r = qtest_qmp(m->qts, "{ 'execute': 'qom-set', 'arguments': {"
        " 'path': '/sched', 'property': %s, 'value': %s } }", property, value);
    char *why = NULL;

    if (qdict_haskey(r, "error")) {
        why = g_strdup(qdict_get_str(qdict_get_qdict(r, "error"), "desc"));
    }
    qobject_unref(r);
    return why;
}

static QDict *report(Machine *m)
{
    QDict *r = qtest_qmp(m->qts, "{ 'execute': 'qom-get', 'arguments': {"
                         " 'path': '/sched', 'property': 'report' } }");
    QDict *d = qobject_to(QDict, qobject_from_json(qdict_get_str(r, "return"),
                                                   &error_abort));

    qobject_unref(r);
    return d;
}

static bool running(Machine *m)
{
    QDict *r = qtest_qmp(m->qts, "{ 'execute': 'query-status' }");
    bool yes = qdict_get_bool(qdict_get_qdict(r, "return"), "running");

    qobject_unref(r);
    return yes;
}

static void cont(Machine *m)
{
    qtest_qmp_assert_success(m->qts, "{ 'execute': 'cont' }");
}

static void wait_stopped(Machine *m)
{
    for (int i = 0; running(m); i++) {
        g_assert_cmpint(i, <, PATIENCE_MS);
        g_usleep(1000);
    }
}

#define EXACT "-icount shift=3,sleep=off -rtc clock=vm -seed 1"

/* At the first marker, with a snapshot there, and the adding loop in focus */
static void start_ready(Machine *m)
{
    g_autofree char *focus = g_strdup_printf("%x-%x", GUEST_FOCUS,
                                             GUEST_FOCUS_END);
    QDict *r;

    start(m, EXACT);
    set(m, "focus", focus);
    set(m, "plan", "on");
    cont(m);
    wait_stopped(m);
    r = report(m);
    g_assert_cmpstr(qdict_get_str(r, "state"), ==, "ready");
    qobject_unref(r);
    lab_run_job(m->qts, "snapshot-save", "save");
}

static void load(Machine *m, uint32_t program)
{
    g_autofree char *id = g_strdup_printf("load%u", m->loads++);

    lab_run_job(m->qts, "snapshot-load", id);
    qtest_writel(m->qts, GUEST_MODE, program);
}

/* One run; free the report with qobject_unref() */
static QDict *run(Machine *m, uint32_t program, const char *plan)
{
    load(m, program);
    set(m, "plan", plan);
    cont(m);
    wait_stopped(m);
    return report(m);
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
    Machine m;

    start_ready(&m);
    qobject_unref(run(&m, ADD, "order=01"));
    g_assert_cmpuint(qtest_readl(m.qts, GUEST_FIRST), ==, 1);
    g_assert_cmpuint(qtest_readl(m.qts, GUEST_THROUGH), ==, 2);
    g_assert_cmpuint(qtest_readl(m.qts, GUEST_COUNTER), ==, 2 * GUEST_ROUNDS);
    qobject_unref(run(&m, ADD, "order=10 yield=10"));
    g_assert_cmpuint(qtest_readl(m.qts, GUEST_FIRST), ==, 2);
    g_assert_cmpuint(qtest_readl(m.qts, GUEST_COUNTER), ==, 2 * GUEST_ROUNDS);
    end(&m);
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
    Machine m;

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
    end(&m);
}

/* 4-level tables of one large page: Intel SDM volume 3, 5.5 */
static void write_tables(Machine *m)
{
    qtest_writeq(m->qts, GUEST_TABLES, (GUEST_TABLES + 0x1000) | 3);
    qtest_writeq(m->qts, GUEST_TABLES + 0x1000, (GUEST_TABLES + 0x2000) | 3);
    qtest_writeq(m->qts, GUEST_TABLES + 0x2000, 0x83);
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
    Machine m;

    start_ready(&m);
    set(&m, "focus", focus);
    set(&m, "locks", locks);
    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        QDict *r;

        load(&m, LOCKING);
        write_tables(&m);
        set(&m, "plan", cases[i].plan);
        cont(&m);
        wait_stopped(&m);
        r = report(&m);
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
    end(&m);
}

static void test_instructions(void)
{
    Machine m;
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
    end(&m);
}

/* CPU 0 goes first and waits for CPU 1 */
static void test_liveness(void)
{
    Machine m;
    QDict *r;

    start_ready(&m);
    r = run(&m, SPIN_PAUSE, "order=01");
    g_assert_cmpstr(qdict_get_str(r, "state"), ==, "end");
    g_assert_cmpint(qdict_get_int(r, "pauses"), >, 0);
    g_assert_cmpint(qdict_get_int(r, "slices"), ==, 0);
    qobject_unref(r);
    r = run(&m, SPIN, "order=01");
    g_assert_cmpstr(qdict_get_str(r, "state"), ==, "end");
    g_assert_cmpint(qdict_get_int(r, "slices"), ==, 1);
    qobject_unref(r);
    r = run(&m, SPIN, "order=01 slice=1000");
    g_assert_cmpint(qdict_get_int(r, "instructions"), <, 10000);
    qobject_unref(r);
    r = run(&m, SLEEP, "order=01");
    g_assert_cmpstr(qdict_get_str(r, "state"), ==, "end");
    g_assert_cmpuint(qtest_readl(m.qts, GUEST_COUNTER), ==, 1);
    /* the NMI is the end of the turn of who sent it */
    g_assert_cmpuint(qtest_readl(m.qts, GUEST_FIRST), ==, 1);
    qobject_unref(r);
    end(&m);
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
static bool interrupt(Machine *m)
{
    bool on;
    QDict *r;

    qtest_qmp_assert_success(m->qts, "{ 'execute': 'stop' }");
    r = report(m);
    on = !strcmp(qdict_get_str(r, "state"), "running");
    qobject_unref(r);
    if (on) {
        cont(m);
    }
    return on;
}

/* The host stops the machine and lets it go on wherever it likes */
static void test_same(void)
{
    g_autofree char *hash = NULL;
    int64_t insns = 0;
    Machine m;

    start_ready(&m);
    for (int n = 0; n < LAB_RUNS; n++) {
        load(&m, SPIN);
        set(&m, "plan", "rand=7:500:5000 order=01 limit=3000000");
        cont(&m);
        for (int i = 0; i < n % 4 && interrupt(&m); i++) {
        }
        wait_stopped(&m);
        expect_same(report(&m), &insns, &hash, n);
    }
    end(&m);
}

/* Another seed is another run, or nothing was random */
static void test_random_slices(void)
{
    g_autofree char *hash = NULL;
    int64_t insns = 0;
    Machine m;
    QDict *r;

    start_ready(&m);
    expect_same(run(&m, ADD, "rand=1:10:100 yield=10"), &insns, &hash, 0);
    expect_same(run(&m, ADD, "rand=1:10:100 yield=10"), &insns, &hash, 1);
    r = run(&m, ADD, "rand=2:10:100 yield=10");
    g_assert_cmpstr(qdict_get_str(r, "hash"), !=, hash);
    g_assert_cmpint(qdict_get_int(r, "switches"), >, 4);
    qobject_unref(r);
    end(&m);
}

/* What RDRAND has given before is not in a snapshot */
static void test_rdrand(void)
{
    uint32_t first = 0;
    Machine m;

    start_ready(&m);
    for (int i = 0; i < 5; i++) {
        qobject_unref(run(&m, RANDOM, "order=01"));
        if (!i) {
            first = qtest_readl(m.qts, GUEST_RANDOM);
        }
        g_assert_cmphex(qtest_readl(m.qts, GUEST_RANDOM), ==, first);
    }
    g_assert_cmphex(first, !=, 0);
    end(&m);
}

/* From the snapshot, and without one in between */
static void test_cold(void)
{
    g_autofree char *hash = NULL;
    int64_t insns = 0;
    Machine m;
    QDict *r;

    start_ready(&m);
    expect_same(run(&m, ADD, "order=01 at=0:77"), &insns, &hash, 0);
    end(&m);
    start_ready(&m);
    set(&m, "plan", "order=01 at=0:77");
    cont(&m);
    wait_stopped(&m);
    r = report(&m);
    g_assert_cmpstr(qdict_get_str(r, "state"), ==, "end");
    expect_same(r, &insns, &hash, 1);
    end(&m);
}

static void wait_through(Machine *m)
{
    for (int i = 0; qtest_readl(m->qts, GUEST_THROUGH) != 2; i++) {
        g_assert_cmpint(i, <, PATIENCE_MS);
        g_usleep(1000);
    }
}

/* Neither markers nor accesses mean anything, with a focus or without one */
static void test_off(void)
{
    g_autofree char *focus = g_strdup_printf("%x-%x", GUEST_FOCUS,
                                             GUEST_FOCUS_END);
    Machine m;
    QDict *r;

    for (int i = 0; i < 3; i++) {
        start(&m, i == 2 ? "" : EXACT);
        if (i == 1) {
            set(&m, "focus", focus);
        }
        cont(&m);
        wait_through(&m);
        g_usleep(10000);
        g_assert_true(running(&m));
        r = report(&m);
        g_assert_cmpstr(qdict_get_str(r, "state"), ==, "off");
        g_assert_cmpint(qdict_get_int(r, "accesses"), ==, 0);
        g_assert_cmpint(qdict_get_int(r, "switches"), ==, 0);
        qobject_unref(r);
        end(&m);
    }
}

static void test_markers(void)
{
    Machine m;

    start(&m, EXACT);
    qtest_qmp_assert_success(m.qts, "{ 'execute': 'qom-set', 'arguments': {"
        " 'path': '/sched', 'property': 'markers', 'value': true } }");
    cont(&m);
    wait_stopped(&m);
    g_assert_cmpuint(qtest_readl(m.qts, GUEST_THROUGH), ==, 0);
    cont(&m);
    wait_stopped(&m);
    g_assert_cmpuint(qtest_readl(m.qts, GUEST_THROUGH), ==, 2);
    end(&m);
}

static void expect_refused(Machine *m, const char *property, const char *value,
                           const char *why)
{
    g_autofree char *said = refused(m, property, value);

    if (!said || !strstr(said, why)) {
        g_error("%s %s: %s", property, value, said ? said : "taken");
    }
}

static void test_errors(void)
{
    Machine m;
    QDict *r;

    start_ready(&m);
    set(&m, "plan", "order=10");
    expect_refused(&m, "plan", "order=02", "no such vCPU");
    expect_refused(&m, "plan", "at=0", "a point is");
    expect_refused(&m, "focus", "1000", "FIRST-BEHIND");
    expect_refused(&m, "focus", "2000-1000", "FIRST-BEHIND");
    expect_refused(&m, "locks", "1000", "ADDRESS=a");
    expect_refused(&m, "locks", "1000=x", "ADDRESS=a");
    expect_refused(&m, "tasks", "12", "GS-OFFSET");
    r = report(&m);
    g_assert_cmpstr(qdict_get_str(r, "plan"), ==, "order=10");
    qobject_unref(r);
    load(&m, SPIN);
    set(&m, "plan", "order=01 slice=1000000000");
    cont(&m);
    expect_refused(&m, "plan", "on", "stop it first");
    expect_refused(&m, "focus", "1000-2000", "stop it first");
    end(&m);
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
    Machine m;

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        start(&m, cases[i].options);
        expect_refused(&m, "plan", "on", cases[i].why);
        set(&m, "plan", "");
        end(&m);
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
    qtest_add_func("/pri-sched/same", test_same);
    qtest_add_func("/pri-sched/random-slices", test_random_slices);
    qtest_add_func("/pri-sched/rdrand", test_rdrand);
    qtest_add_func("/pri-sched/cold", test_cold);
    qtest_add_func("/pri-sched/off", test_off);
    qtest_add_func("/pri-sched/markers", test_markers);
    qtest_add_func("/pri-sched/errors", test_errors);
    qtest_add_func("/pri-sched/not-exact", test_not_exact);
    return g_test_run();
}
