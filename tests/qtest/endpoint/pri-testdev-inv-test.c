/*
 * pri-testdev: Invalidate Completions that are late, lost or wrong, and knobs
 * by their registers and from the host
 *
 * Right ones are in pri-agent-inv-test.c; what VT-d makes of wrong ones is in
 * pri-vtd-invcpl-test.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/agent.h"
#include "qobject/qdict.h"

#define US              1000
#define MS              (1000 * US)

static void turn(AgentLab *lab, uint32_t knob, uint64_t value)
{
    g_assert_cmpuint(qpt_knob_set(&lab->d, knob, value), ==, PT_KNOB_OK);
}

static void invalidate(AgentLab *lab, unsigned int itag)
{
    agent_invalidate(lab, QPT_NO_PASID, AGENT_INV_ALL, itag, ATA_INV_SIZE);
}

static void expect_none(AgentLab *lab)
{
    g_assert_cmpuint(agent_records(lab), ==, 0);
}

/* One completion */
static void expect(AgentLab *lab, unsigned int itag)
{
    AgentRecord r = agent_take(lab);

    g_assert_cmpuint(r.kind, ==, ATA_INV_COMPLETION);
    g_assert_cmphex(r.tag, ==, 1u << itag);
    expect_none(lab);
}

static void expect_waiting(AgentLab *lab, unsigned int n)
{
    g_assert_cmpuint(qpt_readl(&lab->d, PT_INV_WAITING), ==, n);
}

/* -- one knob at a time ---------------------------------------------------- */

/* ATS-28: never answered */
static void test_drop(void)
{
    AgentLab lab;

    agent_lab_start(&lab, "inv-reply=drop", 0);
    invalidate(&lab, 1);
    qtest_clock_step(lab.qts, 1000 * MS);
    expect_none(&lab);
    expect_waiting(&lab, 0);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_INV_REQUESTS), ==, 1);
    agent_lab_stop(&lab);
}

static void test_delay(void)
{
    AgentLab lab;

    agent_lab_start(&lab, "inv-delay-us=500", 0);
    invalidate(&lab, 1);
    expect_waiting(&lab, 1);
    qtest_clock_step(lab.qts, 499 * US);
    expect_none(&lab);
    qtest_clock_step(lab.qts, 2 * US);
    expect(&lab, 1);
    expect_waiting(&lab, 0);
    agent_lab_stop(&lab);
}

/* A shorter delay overtakes a longer one */
static void test_overtake(void)
{
    AgentLab lab;

    agent_lab_start(&lab, "inv-delay-us=500", 0);
    invalidate(&lab, 1);
    turn(&lab, PT_KNOB_INV_DELAY, 100);
    invalidate(&lab, 2);
    qtest_clock_step(lab.qts, 101 * US);
    expect(&lab, 2);
    expect_waiting(&lab, 1);
    qtest_clock_step(lab.qts, 400 * US);
    expect(&lab, 1);
    agent_lab_stop(&lab);
}

/* ATS-23: the oldest first, or the newest */
static void test_hold(void)
{
    AgentLab lab;

    agent_lab_start(&lab, "inv-reply=hold", 0);
    for (unsigned int itag = 1; itag <= 3; itag++) {
        invalidate(&lab, itag);
    }
    expect_none(&lab);
    turn(&lab, PT_KNOB_INV_RELEASE, 1);
    g_assert_cmpuint(qpt_knob_get(&lab.d, PT_KNOB_INV_RELEASE), ==, 0);
    expect(&lab, 1);
    turn(&lab, PT_KNOB_INV_RELEASE_LAST, 1);
    expect(&lab, 3);
    expect_waiting(&lab, 1);
    agent_lab_stop(&lab);
}

/* What is held stays held when nothing else is */
static void test_held(void)
{
    AgentLab lab;

    agent_lab_start(&lab, "inv-reply=hold", 0);
    invalidate(&lab, 1);
    turn(&lab, PT_KNOB_INV_REPLY, PT_INV_REPLY_COMPLETE);
    invalidate(&lab, 2);
    expect(&lab, 2);
    turn(&lab, PT_KNOB_INV_RELEASE_LAST, 1000);
    expect(&lab, 1);
    turn(&lab, PT_KNOB_INV_RELEASE, 1);
    expect_none(&lab);
    agent_lab_stop(&lab);
}

/* More than there are ITags: what comes then gets no answer, the others do */
static void test_too_many(void)
{
    AgentLab lab;
    uint32_t log;

    agent_lab_start(&lab, "inv-reply=hold", 0);
    for (unsigned int i = 0; i < 33; i++) {
        invalidate(&lab, i % 32);
    }
    expect_waiting(&lab, 32);
    log = qpt_readl(&lab.d, PT_LOG_COUNT);
    turn(&lab, PT_KNOB_INV_RELEASE_LAST, 33);
    /* the knob and the completions: the log has a place behind them */
    g_assert_cmpuint(qpt_readl(&lab.d, PT_LOG_COUNT), ==, log + 33);
    g_assert_cmpuint(agent_count(&lab, ATA_INV_COMPLETION), ==, 32);
    agent_lab_stop(&lab);
}

/* ATS-23: one completion of several ITags; those of them that are held go */
static void test_vector(void)
{
    const uint32_t itags = 1u << 31 | 1 << 9 | 1 << 4 | 1 << 1;
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, "inv-reply=hold", 0);
    invalidate(&lab, 1);
    invalidate(&lab, 2);
    invalidate(&lab, 31);
    turn(&lab, PT_KNOB_INV_REPLY, PT_INV_REPLY_COMPLETE);
    turn(&lab, PT_KNOB_INV_DELAY, 500);
    invalidate(&lab, 4);
    turn(&lab, PT_KNOB_INV_VECTOR, itags);
    r = agent_take(&lab);
    g_assert_cmpuint(r.kind, ==, ATA_INV_COMPLETION);
    g_assert_cmphex(r.tag, ==, itags);
    g_assert_cmphex(r.rid, ==, lab.d.rid);
    expect_none(&lab);
    expect_waiting(&lab, 2);
    qtest_clock_step(lab.qts, 501 * US);
    expect(&lab, 4);
    turn(&lab, PT_KNOB_INV_VECTOR, 0);
    expect_none(&lab);
    turn(&lab, PT_KNOB_INV_REPLY, PT_INV_REPLY_HOLD);
    invalidate(&lab, 5);
    turn(&lab, PT_KNOB_INV_VECTOR, 1u << 5);
    expect(&lab, 5);
    turn(&lab, PT_KNOB_INV_RELEASE, 9);
    expect(&lab, 2);
    agent_lab_stop(&lab);
}

/* Nothing is sent by a function that is not there, or whose link is down */
static void test_vector_lost(void)
{
    AgentLab lab;
    uint64_t bridge;

    agent_lab_start(&lab, NULL, 0);
    bridge = qpt_ecam(lab.d.port << 3, 0x3e);
    qtest_writew(lab.qts, bridge, 0x40);    /* Secondary Bus Reset */
    qtest_qmp_assert_success(lab.qts, "{ 'execute': 'qom-set', 'arguments': "
        "{ 'path': 'pt0', 'property': 'inv-vector', 'value': 2 } }");
    qtest_writew(lab.qts, bridge, 0);
    expect_none(&lab);
    qtest_qmp_assert_success(lab.qts, "{ 'execute': 'qom-set', 'arguments': "
        "{ 'path': 'pt0', 'property': 'gone', 'value': 'on' } }");
    qtest_qmp_assert_success(lab.qts, "{ 'execute': 'qom-set', 'arguments': "
        "{ 'path': 'pt0', 'property': 'inv-vector', 'value': 2 } }");
    invalidate(&lab, 3);
    expect_none(&lab);
    agent_lab_stop(&lab);
}

/* ATS-20: in D0, with E set and without a reset these knobs change nothing */
static void test_ready(void)
{
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    turn(&lab, PT_KNOB_INV_WHEN_E0, 1);
    turn(&lab, PT_KNOB_INV_IN_D3, 1);
    turn(&lab, PT_KNOB_INV_SUB_STU, 1);
    turn(&lab, PT_KNOB_SOFT_RESET, 1);
    invalidate(&lab, 1);
    expect(&lab, 1);
    agent_lab_stop(&lab);
}

static void test_nth(void)
{
    AgentLab lab;

    agent_lab_start(&lab, "inv-reply=drop,inv-nth=3,inv-delay-us=7", 0);
    invalidate(&lab, 1);
    expect(&lab, 1);
    g_assert_cmpuint(qpt_knob_get(&lab.d, PT_KNOB_INV_NTH), ==, 2);
    invalidate(&lab, 2);
    expect(&lab, 2);
    invalidate(&lab, 3);
    expect_none(&lab);
    invalidate(&lab, 4);
    expect(&lab, 4);
    g_assert_cmpuint(qpt_knob_get(&lab.d, PT_KNOB_INV_NTH), ==, 0);
    g_assert_cmpuint(qpt_knob_get(&lab.d, PT_KNOB_INV_REPLY), ==, 0);
    g_assert_cmpuint(qpt_knob_get(&lab.d, PT_KNOB_INV_DELAY), ==, 0);
    g_assert_cmpuint(qpt_knob_get(&lab.d, PT_KNOB_INV_COPIES), ==, 1);
    agent_lab_stop(&lab);
}

typedef struct WrongRow {
    const char *name;
    const char *dev;
    unsigned int messages;
    unsigned int cc;            /* Completion Count in them */
    uint16_t rid_flip;
    unsigned int itag_flip;
} WrongRow;

static const WrongRow wrong_rows[] = {
    { "exact", NULL, 1, 1, 0, 0 },
    { "ATS-22/short", "inv-copies=8,inv-short=1", 7, 8, 0, 0 },
    { "ATS-22/extra", "inv-extra=1", 2, 1, 0, 0 },
    { "ATS-28/wrong-itag", "inv-reply=wrong-itag", 1, 1, 0, 16 },
    { "wrong-rid", "inv-reply=wrong-rid", 1, 1, 1, 0 },
    { "wrong-bus", "inv-reply=wrong-bus", 1, 1, 0x100, 0 },
};

static void test_wrong(const void *opaque)
{
    const WrongRow *row = opaque;
    AgentLab lab;

    agent_lab_start(&lab, row->dev, 0);
    invalidate(&lab, 5);
    g_assert_cmpuint(agent_records(&lab), ==, row->messages);
    for (unsigned int i = 0; i < row->messages; i++) {
        AgentRecord r = agent_take(&lab);

        g_assert_cmphex(r.rid, ==, lab.d.rid ^ row->rid_flip);
        g_assert_cmphex(r.tag, ==, 1u << (5 ^ row->itag_flip));
        g_assert_cmpuint(r.code, ==, row->cc);
    }
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_INV_COMPLETIONS), ==,
                     row->messages);
    agent_lab_stop(&lab);
}

/* ATS-29: what waits when the reset begins is never sent; knobs outlive it */
static void test_reset(void)
{
    AgentLab lab;

    agent_lab_start(&lab, "inv-delay-us=1000", 0);
    invalidate(&lab, 1);
    expect_waiting(&lab, 1);
    qpt_flr(&lab.d);
    qpt_restore(&lab.d);
    g_assert_cmpuint(qpt_knob_get(&lab.d, PT_KNOB_INV_DELAY), ==, 1000);
    qtest_clock_step(lab.qts, 2 * MS);
    expect_none(&lab);
    agent_lab_stop(&lab);
}

/* ATS-29: whatever the knob says, a hot reset leaves no link to send it on */
static void test_hot_reset(void)
{
    AgentLab lab;
    uint64_t bridge;

    agent_lab_start(&lab, "inv-reply=hold,inv-pending-at-flr=complete", 0);
    bridge = qpt_ecam(lab.d.port << 3, 0x3e);
    invalidate(&lab, 1);
    qtest_writew(lab.qts, bridge, 0x40);    /* Secondary Bus Reset */
    expect_none(&lab);
    qtest_writew(lab.qts, bridge, 0);
    qtest_clock_step(lab.qts, 1000 * MS);
    expect_none(&lab);
    agent_lab_stop(&lab);
}

/* -- knobs ----------------------------------------------------------------- */

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
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        g_assert_cmpuint(qpt_knob_get(&lab.d, i), ==, rows[i].def);
        g_assert_cmpuint(qpt_knob_set(&lab.d, i, rows[i].max + 1), ==,
                         PT_KNOB_RANGE);
        g_assert_cmpuint(qpt_knob_get(&lab.d, i), ==, rows[i].def);
        g_assert_cmpuint(qpt_knob_set(&lab.d, i, rows[i].def), ==,
                         PT_KNOB_OK);
    }
    g_assert_cmpuint(qpt_knob_set(&lab.d, PT_KNOB_NR, 0), ==, PT_KNOB_NONE);
    g_assert_cmpuint(qpt_knob_get(&lab.d, PT_KNOB_NR), ==, 0);
    g_assert_cmpuint(qpt_knob_set(&lab.d, 0xffff, 0), ==, PT_KNOB_NONE);
    agent_lab_stop(&lab);
}

/* The same knob from the host */
static void test_property(void)
{
    QDict *rsp;
    AgentLab lab;

    agent_lab_start(&lab, "inv-reply=hold", 0);
    invalidate(&lab, 1);
    qtest_qmp_assert_success(lab.qts, "{ 'execute': 'qom-set', 'arguments': "
        "{ 'path': 'pt0', 'property': 'inv-reply', 'value': 'drop' } }");
    g_assert_cmpuint(qpt_knob_get(&lab.d, PT_KNOB_INV_REPLY), ==, 1);
    qtest_qmp_assert_success(lab.qts, "{ 'execute': 'qom-set', 'arguments': "
        "{ 'path': 'pt0', 'property': 'inv-release', 'value': 1 } }");
    expect(&lab, 1);
    turn(&lab, PT_KNOB_INV_REPLY, PT_INV_REPLY_WRONG_ITAG);
    rsp = qtest_qmp(lab.qts, "{ 'execute': 'qom-get', 'arguments': "
                    "{ 'path': 'pt0', 'property': 'inv-reply' } }");
    g_assert_cmpstr(qdict_get_str(rsp, "return"), ==, "wrong-itag");
    qobject_unref(rsp);
    rsp = qtest_qmp(lab.qts, "{ 'execute': 'qom-set', 'arguments': "
        "{ 'path': 'pt0', 'property': 'inv-reply', 'value': 'often' } }");
    g_assert_true(qdict_haskey(rsp, "error"));
    qobject_unref(rsp);
    agent_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    agent_test_init(&argc, &argv);

    LAB_ADD_ROWS("/pri-testdev/inv", wrong_rows, test_wrong);
    qtest_add_func("/pri-testdev/inv/ATS-28/drop", test_drop);
    qtest_add_func("/pri-testdev/inv/ATS-28/delay", test_delay);
    qtest_add_func("/pri-testdev/inv/ATS-23/overtake", test_overtake);
    qtest_add_func("/pri-testdev/inv/ATS-23/hold", test_hold);
    qtest_add_func("/pri-testdev/inv/held", test_held);
    qtest_add_func("/pri-testdev/inv/too-many", test_too_many);
    qtest_add_func("/pri-testdev/inv/ATS-23/vector", test_vector);
    qtest_add_func("/pri-testdev/inv/ATS-29/vector-lost", test_vector_lost);
    qtest_add_func("/pri-testdev/inv/ATS-20/ready", test_ready);
    qtest_add_func("/pri-testdev/inv/nth", test_nth);
    qtest_add_func("/pri-testdev/inv/ATS-29/reset", test_reset);
    qtest_add_func("/pri-testdev/inv/ATS-29/hot-reset", test_hot_reset);
    qtest_add_func("/pri-testdev/knob/registers", test_registers);
    qtest_add_func("/pri-testdev/knob/property", test_property);

    return g_test_run();
}
