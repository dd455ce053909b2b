/*
 * pri-testdev: Invalidate Completions that are late, lost or wrong
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/vtd-inv.h"

#define SW              QVTD_WAIT_SW
#define LINK            "ite-timeout-ms=100,wait-depth=1024"

typedef struct InvTest {
    PriLab lab;
    QVtd *v;
    QPriTestdev *d;
} InvTest;

static void start(InvTest *t, const char *dev)
{
    pri_lab_start_with(&t->lab, LINK, dev, 0);
    t->v = &t->lab.v;
    t->d = &t->lab.d;
    g_assert_cmpuint(qpt_readq(t->d, PT_CNT_INV_REQUESTS), ==, 0);
}

static void turn(InvTest *t, uint32_t knob, uint64_t value)
{
    g_assert_cmpuint(qpt_knob_set(t->d, knob, value), ==, PT_KNOB_OK);
}

/* An invalidation of everything and a wait behind it; returns its slot */
static uint32_t invalidate(InvTest *t)
{
    uint32_t slot;

    qinv_put_dev_tlb(t->v, t->d->rid);
    slot = qinv_put_wait(t->v, SW);
    qvtd_qi_ring(t->v);
    return slot;
}

static void expect(InvTest *t, uint64_t requests, uint64_t completions,
                   uint32_t waiting)
{
    g_assert_cmpuint(qpt_readq(t->d, PT_CNT_INV_REQUESTS), ==, requests);
    g_assert_cmpuint(qpt_readq(t->d, PT_CNT_INV_COMPLETIONS), ==, completions);
    g_assert_cmpuint(qpt_readl(t->d, PT_INV_WAITING), ==, waiting);
}

static void expect_timeout(InvTest *t, uint32_t slot)
{
    g_assert_cmphex(qinv_fsts(t->v) & QVTD_FSTS_ITE, ==, 0);
    qtest_clock_step(t->v->qts, 101 * QINV_MS);
    g_assert_cmphex(qinv_fsts(t->v) & QVTD_FSTS_ITE, !=, 0);
    g_assert_cmphex(qinv_itesid(t->v), ==, t->d->rid);
    g_assert_false(qvtd_wait_done(t->v, slot));
}

/* -- one knob at a time ---------------------------------------------------- */

static void test_exact(void)
{
    InvTest t;

    start(&t, NULL);
    g_assert_true(qvtd_wait_done(t.v, invalidate(&t)));
    expect(&t, 1, 1, 0);
    pri_lab_stop(&t.lab);
}

/* ATS-28: never answered */
static void test_drop(void)
{
    uint32_t slot;
    InvTest t;

    start(&t, "inv-reply=drop");
    slot = invalidate(&t);
    expect(&t, 1, 0, 0);
    expect_timeout(&t, slot);
    pri_lab_stop(&t.lab);
}

static void test_delay(void)
{
    uint32_t slot;
    InvTest t;

    start(&t, NULL);
    turn(&t, PT_KNOB_INV_DELAY, 500);
    slot = invalidate(&t);
    expect(&t, 1, 0, 1);
    qtest_clock_step(t.v->qts, 499 * QINV_US);
    g_assert_false(qvtd_wait_done(t.v, slot));
    qtest_clock_step(t.v->qts, 2 * QINV_US);
    g_assert_true(qvtd_wait_done(t.v, slot));
    expect(&t, 1, 1, 0);

    /* a shorter delay overtakes a longer one */
    invalidate(&t);
    turn(&t, PT_KNOB_INV_DELAY, 100);
    slot = invalidate(&t);
    qtest_clock_step(t.v->qts, 101 * QINV_US);
    expect(&t, 3, 2, 1);
    qtest_clock_step(t.v->qts, 400 * QINV_US);
    expect(&t, 3, 3, 0);
    g_assert_true(qvtd_wait_done(t.v, slot));
    pri_lab_stop(&t.lab);
}

/* The translations are gone before the completion is sent */
static void test_hold(void)
{
    uint32_t slot[3];
    InvTest t;
    int i;

    start(&t, "inv-reply=hold");
    for (i = 0; i < 3; i++) {
        slot[i] = invalidate(&t);
    }
    expect(&t, 3, 0, 3);
    turn(&t, PT_KNOB_INV_RELEASE, 1);
    g_assert_cmpuint(qpt_knob_get(t.d, PT_KNOB_INV_RELEASE), ==, 0);
    g_assert_true(qvtd_wait_done(t.v, slot[0]));
    g_assert_false(qvtd_wait_done(t.v, slot[1]));

    /* ATS-23: the newest first */
    turn(&t, PT_KNOB_INV_RELEASE_LAST, 1);
    expect(&t, 3, 2, 1);
    g_assert_false(qvtd_wait_done(t.v, slot[1]));
    g_assert_false(qvtd_wait_done(t.v, slot[2]));

    /* what is held stays held when nothing else is */
    turn(&t, PT_KNOB_INV_REPLY, 0);
    g_assert_false(qvtd_wait_done(t.v, invalidate(&t)));
    expect(&t, 4, 3, 1);
    turn(&t, PT_KNOB_INV_RELEASE_LAST, 1000);
    g_assert_true(qvtd_wait_done(t.v, slot[2]));
    expect(&t, 4, 4, 0);
    turn(&t, PT_KNOB_INV_RELEASE, 1);
    expect(&t, 4, 4, 0);
    g_assert_cmphex(qinv_fsts(t.v), ==, 0);
    pri_lab_stop(&t.lab);
}

static void test_nth(void)
{
    uint32_t slot;
    InvTest t;

    start(&t, "inv-reply=drop,inv-nth=3,inv-delay-us=7");
    g_assert_true(qvtd_wait_done(t.v, invalidate(&t)));
    g_assert_cmpuint(qpt_knob_get(t.d, PT_KNOB_INV_NTH), ==, 2);
    g_assert_true(qvtd_wait_done(t.v, invalidate(&t)));
    slot = invalidate(&t);
    expect(&t, 3, 2, 0);
    invalidate(&t);
    expect(&t, 4, 3, 0);
    g_assert_cmpuint(qpt_knob_get(t.d, PT_KNOB_INV_NTH), ==, 0);
    g_assert_cmpuint(qpt_knob_get(t.d, PT_KNOB_INV_REPLY), ==, 0);
    g_assert_cmpuint(qpt_knob_get(t.d, PT_KNOB_INV_DELAY), ==, 0);
    g_assert_cmpuint(qpt_knob_get(t.d, PT_KNOB_INV_COPIES), ==, 1);
    expect_timeout(&t, slot);
    pri_lab_stop(&t.lab);
}

/* ATS-22: a wait needs all the completions that the count promises */
static void test_copies(void)
{
    unsigned int n;
    uint32_t slot;
    InvTest t;

    start(&t, NULL);
    for (n = 1; n <= 8; n++) {
        turn(&t, PT_KNOB_INV_COPIES, n);
        g_assert_true(qvtd_wait_done(t.v, invalidate(&t)));
        expect(&t, n, n * (n + 1) / 2, 0);
    }
    turn(&t, PT_KNOB_INV_SHORT, 1);
    slot = invalidate(&t);
    expect(&t, 9, 36 + 7, 0);
    expect_timeout(&t, slot);
    pri_lab_stop(&t.lab);
}

/* One too many belongs to no invalidation */
static void test_extra(void)
{
    InvTest t;

    start(&t, "inv-extra=1");
    g_assert_true(qvtd_wait_done(t.v, invalidate(&t)));
    expect(&t, 1, 2, 0);
    g_assert_cmphex(qinv_fsts(t.v), ==, QVTD_FSTS_ICE);
    g_assert_cmphex(qinv_icesid(t.v), ==, t.d->rid);
    pri_lab_stop(&t.lab);
}

static void check_wrong(uint64_t reply, uint16_t flip)
{
    uint32_t slot;
    InvTest t;

    start(&t, NULL);
    turn(&t, PT_KNOB_INV_REPLY, reply);
    slot = invalidate(&t);
    expect(&t, 1, 1, 0);
    g_assert_cmphex(qinv_fsts(t.v), ==, QVTD_FSTS_ICE);
    g_assert_cmphex(qinv_icesid(t.v), ==, t.d->rid ^ flip);
    g_assert_false(qvtd_wait_done(t.v, slot));
    expect_timeout(&t, slot);
    pri_lab_stop(&t.lab);
}

static void test_wrong_itag(void)
{
    check_wrong(3, 0);
}

static void test_wrong_rid(void)
{
    check_wrong(4, 1);
}

/* -- life ------------------------------------------------------------------ */

/* ATS-29: what was pending when the reset came is never sent */
static void test_reset(void)
{
    uint32_t slot;
    InvTest t;

    start(&t, "inv-reply=hold");
    slot = invalidate(&t);
    turn(&t, PT_KNOB_INV_REPLY, 0);
    turn(&t, PT_KNOB_INV_DELAY, 1000);
    invalidate(&t);
    expect(&t, 2, 0, 2);
    qpt_flr(t.d);
    qpt_restore(t.d);
    expect(&t, 0, 0, 0);
    g_assert_cmpuint(qpt_knob_get(t.d, PT_KNOB_INV_DELAY), ==, 1000);
    turn(&t, PT_KNOB_INV_RELEASE, 5);
    qtest_clock_step(t.v->qts, 2 * QINV_MS);
    expect(&t, 0, 0, 0);
    g_assert_false(qvtd_wait_done(t.v, slot));
    g_assert_cmphex(qinv_fsts(t.v) & QVTD_FSTS_ITE, !=, 0);
    pri_lab_stop(&t.lab);
}

/* Every knob, by its registers: default, largest value, one more */
static void test_registers(void)
{
    static const struct {
        uint64_t def;
        uint64_t max;
    } rows[] = {
#define ROW(FIELD, field, name, def, max, values, help) \
        { def, max },
        PT_KNOBS(ROW)
#undef ROW
    };
    unsigned int i;
    InvTest t;

    start(&t, NULL);
    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        g_assert_cmpuint(qpt_knob_get(t.d, i), ==, rows[i].def);
        g_assert_cmpuint(qpt_knob_set(t.d, i, rows[i].max + 1), ==,
                         PT_KNOB_RANGE);
        g_assert_cmpuint(qpt_knob_get(t.d, i), ==, rows[i].def);
        g_assert_cmpuint(qpt_knob_set(t.d, i, rows[i].def), ==,
                         PT_KNOB_OK);
    }
    g_assert_cmpuint(qpt_knob_set(t.d, PT_KNOB_NR, 0), ==, PT_KNOB_NONE);
    g_assert_cmpuint(qpt_knob_get(t.d, PT_KNOB_NR), ==, 0);
    g_assert_cmpuint(qpt_knob_set(t.d, 0xffff, 0), ==, PT_KNOB_NONE);
    pri_lab_stop(&t.lab);
}

/* The same knob from the host */
static void test_property(void)
{
    QDict *rsp;
    InvTest t;

    start(&t, "inv-reply=hold");
    invalidate(&t);
    qtest_qmp_assert_success(t.v->qts, "{ 'execute': 'qom-set', 'arguments': "
        "{ 'path': 'pt0', 'property': 'inv-reply', 'value': 'drop' } }");
    g_assert_cmpuint(qpt_knob_get(t.d, PT_KNOB_INV_REPLY), ==, 1);
    qtest_qmp_assert_success(t.v->qts, "{ 'execute': 'qom-set', 'arguments': "
        "{ 'path': 'pt0', 'property': 'inv-release', 'value': 1 } }");
    expect(&t, 1, 1, 0);
    turn(&t, PT_KNOB_INV_REPLY, 3);
    rsp = qtest_qmp(t.v->qts, "{ 'execute': 'qom-get', 'arguments': "
                    "{ 'path': 'pt0', 'property': 'inv-reply' } }");
    g_assert_cmpstr(qdict_get_str(rsp, "return"), ==, "wrong-itag");
    qobject_unref(rsp);
    rsp = qtest_qmp(t.v->qts, "{ 'execute': 'qom-set', 'arguments': "
        "{ 'path': 'pt0', 'property': 'inv-reply', 'value': 'often' } }");
    g_assert_true(qdict_haskey(rsp, "error"));
    qobject_unref(rsp);
    pri_lab_stop(&t.lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);

    qtest_add_func("/pri-testdev/inv/exact", test_exact);
    qtest_add_func("/pri-testdev/inv/ATS-28/drop", test_drop);
    qtest_add_func("/pri-testdev/inv/ATS-28/delay", test_delay);
    qtest_add_func("/pri-testdev/inv/ATS-23/hold", test_hold);
    qtest_add_func("/pri-testdev/inv/nth", test_nth);
    qtest_add_func("/pri-testdev/inv/ATS-22/copies", test_copies);
    qtest_add_func("/pri-testdev/inv/ATS-22/extra", test_extra);
    qtest_add_func("/pri-testdev/inv/ATS-28/wrong-itag", test_wrong_itag);
    qtest_add_func("/pri-testdev/inv/wrong-rid", test_wrong_rid);
    qtest_add_func("/pri-testdev/inv/ATS-29/reset", test_reset);
    qtest_add_func("/pri-testdev/knob/registers", test_registers);
    qtest_add_func("/pri-testdev/knob/property", test_property);

    return g_test_run();
}
