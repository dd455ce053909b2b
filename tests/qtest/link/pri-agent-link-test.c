/*
 * Rules of the ATS link, on a link that is no VT-d's
 *
 * One rule for each kind of message that a function sends or is sent, turned by
 * the registers of the function.  What else rules can do is in
 * pri-link-rule-test.c and, without a machine, in
 * tests/unit/test-ats-ruleset.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/agent.h"
#include "libqos/lab-rules.h"

#define RW              (ATA_READ | ATA_WRITE)
#define US              1000
#define PATTERN         0x4142434445464748ULL

static void map_page(AgentLab *lab, uint64_t pa)
{
    agent_map(lab, AGENT_PASID, AGENT_IOVA, pa, AGENT_PAGE, RW);
}

static void invalidate(AgentLab *lab, unsigned int itag)
{
    agent_invalidate(lab, AGENT_PASID, AGENT_IOVA, itag, 0);
}

static void start_fill(AgentLab *lab)
{
    QPtOp op = agent_op(PT_OP_FILL, AGENT_PASID, AGENT_IOVA, 8);

    op.pattern = PATTERN;
    qpt_start(&lab->d, 0, &op);
}

/* A Page Request is delivered twice */
static void test_duplicate(void)
{
    AgentRecord r[2];
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    lab_rule_kind(&lab.d, ATS_RULE_PAGE_REQUEST, ATS_RULE_DUPLICATE);
    r[0] = agent_fault(&lab, 0, AGENT_PASID, AGENT_IOVA);
    r[1] = agent_take(&lab);
    g_assert_cmpmem(&r[0], sizeof(r[0]), &r[1], sizeof(r[1]));
    g_assert_cmpuint(agent_records(&lab), ==, 0);
    agent_lab_stop(&lab);
}

/* A PRG Response is kept until the rule lets it go */
static void test_hold(void)
{
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    lab_rule_kind(&lab.d, ATS_RULE_PRG_RESPONSE, ATS_RULE_HOLD);
    r = agent_fault(&lab, 0, AGENT_PASID, AGENT_IOVA);
    agent_respond(&lab, AGENT_PASID, r.tag, QPT_INVALID_REQUEST);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    g_assert_cmpuint(lab_rule_get(&lab.d, ATS_RULE_KNOB_HELD), ==, 1);
    lab_rule(&lab.d, ATS_RULE_KNOB_RELEASE, 1);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_INVALID_REQUEST);
    agent_lab_stop(&lab);
}

/* An Invalidate Request takes its time */
static void test_delay(void)
{
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    lab_rule(&lab.d, ATS_RULE_KNOB_DELAY_US, 50);
    lab_rule_kind(&lab.d, ATS_RULE_INV_REQUEST, ATS_RULE_DELAY);
    invalidate(&lab, 3);
    qtest_clock_step(lab.qts, 49 * US);
    g_assert_cmpuint(agent_records(&lab), ==, 0);
    qtest_clock_step(lab.qts, 2 * US);
    g_assert_cmphex(agent_take(&lab).tag, ==, 1u << 3);
    agent_lab_stop(&lab);
}

/* One Invalidate Completion is lost, the next one is not */
static void test_drop(void)
{
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    lab_rule(&lab.d, ATS_RULE_KNOB_COUNT, 1);
    lab_rule_kind(&lab.d, ATS_RULE_INV_COMPLETION, ATS_RULE_DROP);
    invalidate(&lab, 3);
    g_assert_cmpuint(agent_records(&lab), ==, 0);
    invalidate(&lab, 4);
    g_assert_cmphex(agent_take(&lab).tag, ==, 1u << 4);
    agent_lab_stop(&lab);
}

/*
 * ATS-06: the page moves while its old translation is on its way; after the
 * completion of the invalidation the old page is not touched
 */
static void test_overtaken(void)
{
    const uint64_t old = AGENT_RAM, fresh = AGENT_RAM + AGENT_PAGE;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    map_page(&lab, old);
    lab_rule_kind(&lab.d, ATS_RULE_TRANSLATION, ATS_RULE_HOLD);
    start_fill(&lab);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    map_page(&lab, fresh);
    invalidate(&lab, 3);
    g_assert_cmphex(agent_take_kind(&lab, ATA_INV_COMPLETION).tag, ==, 1u << 3);

    lab_rule(&lab.d, ATS_RULE_KNOB_ACTION, ATS_RULE_OFF);
    lab_rule(&lab.d, ATS_RULE_KNOB_RELEASE, 1);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(lab.qts, old), ==, 0);
    g_assert_cmphex(qtest_readq(lab.qts, fresh), ==, PATTERN);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_TRANS_DISCARDED), ==, 1);
    agent_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    agent_test_init(&argc, &argv);

    qtest_add_func("/agent/link/duplicate", test_duplicate);
    qtest_add_func("/agent/link/hold", test_hold);
    qtest_add_func("/agent/link/delay", test_delay);
    qtest_add_func("/agent/link/drop", test_drop);
    qtest_add_func("/agent/link/ATS-06/overtaken", test_overtaken);

    return g_test_run();
}
