/*
 * Translation Completions between the link and the channel that waits for them
 *
 * Behind an IOMMU that does as told.  PCIe 6.2 10.2.3, 10.3.6, 6.6.2; more of
 * ATS-06 is in pri-testdev-trans-test.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/agent.h"
#include "libqos/lab-rules.h"
#include "qobject/qdict.h"

#define RW              (ATA_READ | ATA_WRITE)
#define PATTERN         0x1122334455667788ULL
#define PAGES           8               /* of a large translation */
#define AT(page)        (AGENT_IOVA + (page) * AGENT_PAGE)
#define RAM(page)       (AGENT_RAM + (page) * AGENT_PAGE)
#define MS              1000000
#define LOGGED          " translation "

static void map(AgentLab *lab, uint64_t pa, unsigned int pages)
{
    agent_map(lab, AGENT_PASID, AGENT_IOVA, pa, pages * AGENT_PAGE, RW);
}

/* Channel 0 writes to a page, whose translation is held */
static void start_held(AgentLab *lab, unsigned int page)
{
    QPtOp op = agent_op(PT_OP_FILL, AGENT_PASID, AT(page), 8);

    op.pattern = PATTERN;
    op.flags |= PT_FLAG_NO_PRI;
    qpt_start(&lab->d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab->d, 0), ==, PT_ST_RUNNING);
    g_assert_cmpuint(qpt_readl(&lab->d, PT_TRANS_WAITING), ==, 1);
}

static void hold(AgentLab *lab)
{
    lab_rule_kind(&lab->d, ATS_RULE_TRANSLATION, ATS_RULE_HOLD);
}

static void let_go(AgentLab *lab)
{
    lab_rule(&lab->d, ATS_RULE_KNOB_ACTION, ATS_RULE_OFF);
    lab_rule(&lab->d, ATS_RULE_KNOB_RELEASE, 1);
}

static void invalidate(AgentLab *lab, unsigned int page)
{
    agent_forget(lab);
    agent_invalidate(lab, AGENT_PASID, AT(page), 3, 0);
    g_assert_cmphex(agent_take_kind(lab, ATA_INV_COMPLETION).tag, ==, 1u << 3);
}

/* -- ATS-06: an invalidation comes first ----------------------------------- */

/* before the channel has used what has come: it asks again */
static void test_unused(void)
{
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    map(&lab, RAM(0), 1);
    hold(&lab);
    start_held(&lab, 0);
    /* it does nothing while the machine stands still */
    qtest_qmp_assert_success(lab.qts, "{ 'execute': 'stop' }");
    let_go(&lab);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_TRANS_WAITING), ==, 0);
    map(&lab, RAM(1), 1);
    invalidate(&lab, 0);
    qtest_qmp_assert_success(lab.qts, "{ 'execute': 'cont' }");
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(lab.qts, RAM(0)), ==, 0);
    g_assert_cmphex(qtest_readq(lab.qts, RAM(1)), ==, PATTERN);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_TRANSLATIONS), ==, 2);
    agent_lab_stop(&lab);
}

typedef struct PageRow {
    const char *name;
    unsigned int page;
} PageRow;

static const PageRow page_rows[] = {
    { "ATS-06/beside-the-first", 0 },
    { "ATS-06/beside-the-sixth", 5 },
};

/* of a page beside it: of a large translation what was asked for is left */
static void test_beside(const void *opaque)
{
    const PageRow *row = opaque;
    unsigned int beside = row->page ^ 1;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    map(&lab, RAM(0), PAGES);
    hold(&lab);
    start_held(&lab, row->page);
    invalidate(&lab, beside);
    let_go(&lab);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(lab.qts, RAM(row->page)), ==, PATTERN);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 1);
    g_assert_true(agent_cached(&lab, AGENT_PASID, AT(row->page)));
    g_assert_false(agent_cached(&lab, AGENT_PASID, AT(beside)));
    agent_lab_stop(&lab);
}

/* Nobody has asked for that page, which is not what makes it wrong */
static void test_another(void)
{
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    agent_map(&lab, AGENT_PASID, AGENT_IOVA, RAM(0), PAGES * AGENT_PAGE,
              RW | ATA_BEHIND);
    hold(&lab);
    start_held(&lab, 0);
    invalidate(&lab, 1);
    let_go(&lab);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_TRANS_CA);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 0);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_VIOLATIONS), ==, 1);
    agent_lab_stop(&lab);
}

/* -- ATS-03: two sides of a copy, each of whose translations takes time ---- */

typedef struct CopyRow {
    const char *name;
    uint64_t dst;
    uint32_t flags;             /* of the source's page */
} CopyRow;

static const CopyRow copy_rows[] = {
    { "ATS-03/copy", AT(1), RW },
    { "ATS-03/copy-in-a-page", AT(0) + 0x800, ATA_READ },
};

static void wait_10_us(AgentLab *lab)
{
    g_assert_cmpuint(qpt_wait(&lab->d, 0), ==, PT_ST_RUNNING);
    qtest_clock_step(lab->qts, 10000);
}

/* What has come for one side is kept while the other one is looked up */
static void test_copy(const void *opaque)
{
    const CopyRow *row = opaque;
    uint64_t to = row->dst & ~(AGENT_PAGE - 1);
    QPtOp op = agent_op(PT_OP_COPY, AGENT_PASID, AT(0), 8);
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    agent_map(&lab, AGENT_PASID, AT(0), RAM(0), AGENT_PAGE, row->flags);
    qtest_writeq(lab.qts, RAM(0), PATTERN);
    lab_rule(&lab.d, ATS_RULE_KNOB_DELAY_US, 10);
    lab_rule_kind(&lab.d, ATS_RULE_TRANSLATION, ATS_RULE_DELAY);
    op.dst = row->dst;
    qpt_start(&lab.d, 0, &op);
    wait_10_us(&lab);
    wait_10_us(&lab);
    /* the destination may not be written: it asks for that */
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    r = agent_take_kind(&lab, ATA_PAGE_REQUEST);
    g_assert_cmpuint(r.kind, ==, ATA_PAGE_REQUEST);
    g_assert_cmphex(r.addr, ==, to);
    g_assert_cmphex(r.flags, ==, ATA_WRITE | ATA_LAST);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_TRANSLATIONS), ==, 2);
    agent_map(&lab, AGENT_PASID, to, RAM(0) + (to - AT(0)), AGENT_PAGE, RW);
    agent_respond(&lab, AGENT_PASID, r.tag, QPT_SUCCESS);
    wait_10_us(&lab);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(lab.qts, RAM(0) + (row->dst - AT(0))), ==,
                    PATTERN);
    agent_lab_stop(&lab);
}

/* -- FLR-02: it comes in the middle of a reset ----------------------------- */

static void test_reset(void)
{
    AgentLab lab;

    agent_lab_start(&lab, "flr-duration-ms=50", 0);
    map(&lab, RAM(0), 1);
    g_assert_null(lab_object_add(lab.qts, "r", ", 'action': 'hold', "
                                 "'kind': 'translation'"));
    start_held(&lab, 0);
    qpt_config_writew(&lab.d, lab.d.exp + QPT_EXP_DEVCTL, QPT_EXP_DEVCTL_FLR);
    lab_object_set(lab.qts, "r", "release", "1");
    qtest_clock_step(lab.qts, 50 * MS);
    qpt_restore(&lab.d);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_TRANS_UNEXPECTED), ==, 0);
    agent_lab_stop(&lab);
}

/* -- What the log has of it ------------------------------------------------ */

static unsigned int logged(AgentLab *lab)
{
    QDict *rsp = qtest_qmp(lab->qts, "{ 'execute': 'qom-get', 'arguments': "
                           "{ 'path': 'pt0', 'property': 'log' } }");
    const char *at = qdict_get_str(rsp, "return");
    unsigned int n = 0;

    while ((at = strstr(at, LOGGED))) {
        at += strlen(LOGGED);
        n++;
    }
    qobject_unref(rsp);
    return n;
}

/* When it comes, and not before; a second one as well */
static void test_log(void)
{
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    map(&lab, RAM(0), 1);
    hold(&lab);
    start_held(&lab, 0);
    g_assert_cmpuint(logged(&lab), ==, 0);
    let_go(&lab);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmpuint(logged(&lab), ==, 1);
    lab_rule_kind(&lab.d, ATS_RULE_TRANSLATION, ATS_RULE_DUPLICATE);
    qpt_writel(&lab.d, PT_CTRL, PT_CTRL_FLUSH_ATC);
    g_assert_cmpuint(agent_touch(&lab, PT_OP_READ, AGENT_PASID, AT(0)), ==,
                     PT_ST_DONE);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_TRANS_UNEXPECTED), ==, 1);
    g_assert_cmpuint(logged(&lab), ==, 3);
    agent_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    agent_test_init(&argc, &argv);

    qtest_add_func("/agent/answer/ATS-06/unused", test_unused);
    LAB_ADD_ROWS("/agent/answer", page_rows, test_beside);
    qtest_add_func("/agent/answer/ATS-01/another", test_another);
    LAB_ADD_ROWS("/agent/answer", copy_rows, test_copy);
    qtest_add_func("/agent/answer/FLR-02/reset", test_reset);
    qtest_add_func("/agent/answer/log", test_log);

    return g_test_run();
}
