/*
 * pri-testdev: who of the channels runs, who waits, and what a machine that
 * stands still does to them; docs/specs/pri-testdev.rst, "How an operation
 * runs"
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/agent.h"

#define BASE            0x00007f1234600000ULL   /* aligned to 2 MiB */
#define AT(page)        (BASE + (page) * AGENT_PAGE)
#define MSI_PAGE        0x3000000ULL
#define VECTOR          0x40
#define MANY            64
#define OTHER           5                       /* a PASID */

static void set_run(AgentLab *lab, bool run)
{
    qtest_qmp_assert_success(lab->qts, "{ 'execute': %s }",
                             run ? "cont" : "stop");
}

static void command(AgentLab *lab, unsigned int ch, uint32_t cmd)
{
    qpt_writel(&lab->d, PT_CHANNEL(ch) + PT_CH_CMD, cmd);
}

static uint32_t status(AgentLab *lab, unsigned int ch)
{
    return qpt_ch_readl(&lab->d, ch, PT_CH_STATUS);
}

/* Channel @ch begins to write to the page @page, which is absent */
static void fault(AgentLab *lab, unsigned int ch, unsigned int page,
                  uint32_t pasid, uint32_t flags)
{
    QPtOp op = agent_op(PT_OP_WRITE, pasid, AT(page), 8);

    op.flags |= flags;
    qpt_start(&lab->d, ch, &op);
    g_assert_cmpuint(qpt_wait(&lab->d, ch), ==, PT_ST_RUNNING);
}

/* -- Turns ----------------------------------------------------------------- */

/* Eight pages of one, then eight of the other, until all is done */
static void test_turns(void)
{
    const unsigned int pages = 20, turn = 8;
    unsigned int done[2] = { 0, 0 };
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    agent_map(&lab, AGENT_PASID, BASE, AGENT_RAM, 64 * AGENT_PAGE, ATA_READ);
    agent_touch(&lab, PT_OP_READ, AGENT_PASID, BASE);
    agent_forget(&lab);
    set_run(&lab, false);
    for (unsigned int ch = 0; ch < 2; ch++) {
        QPtOp op = agent_op(PT_OP_READ, AGENT_PASID, AT(ch * pages),
                            pages * AGENT_PAGE);

        qpt_start(&lab.d, ch, &op);
        g_assert_cmpuint(qpt_wait(&lab.d, ch), ==, PT_ST_RUNNING);
    }
    g_assert_cmpuint(agent_records(&lab), ==, 0);
    set_run(&lab, true);
    for (unsigned int ch = 0; ch < 2; ch++) {
        g_assert_cmpuint(qpt_wait(&lab.d, ch), ==, PT_ST_DONE);
    }
    for (unsigned int ch = 0; done[0] + done[1] < 2 * pages; ch ^= 1) {
        for (unsigned int i = 0; i < turn && done[ch] < pages; i++) {
            g_assert_cmphex(agent_take(&lab).addr, ==, AGENT_RAM +
                            (ch * pages + done[ch]++) * AGENT_PAGE);
        }
    }
    agent_lab_stop(&lab);
}

/* Each of three gets its turn, which is no power of two */
static void test_three(void)
{
    AgentLab lab;

    agent_lab_start(&lab, "channels=3", 0);
    agent_map(&lab, AGENT_PASID, BASE, AGENT_RAM, AGENT_PAGE, ATA_READ);
    for (unsigned int i = 0; i < 6; i++) {
        QPtOp op = agent_op(PT_OP_READ, AGENT_PASID, BASE, 8);

        g_assert_cmpuint(qpt_run(&lab.d, 2 - i % 3, &op), ==, PT_ST_DONE);
    }
    agent_lab_stop(&lab);
}

/* -- As many as there can be ----------------------------------------------- */

static void start_many(AgentLab *lab)
{
    agent_lab_start(lab, "channels=64", 1);
    for (unsigned int ch = 0; ch < MANY; ch++) {
        fault(lab, ch, ch, AGENT_PASID, 0);
    }
}

/* PRI-03: one in the middle stops waiting, the others stay in their order */
static void test_many_wait(void)
{
    const unsigned int gone = 40;
    AgentLab lab;

    start_many(&lab);
    command(&lab, gone, PT_OP_ABORT);
    g_assert_cmpuint(status(&lab, gone), ==, PT_ST_ABORTED);
    for (unsigned int ch = 0; ch < MANY; ch++) {
        AgentRecord r;

        if (ch == gone) {
            continue;
        }
        r = agent_take_kind(&lab, ATA_PAGE_REQUEST);
        g_assert_cmphex(r.addr, ==, AT(ch));
        agent_respond(&lab, AGENT_PASID, r.tag, QPT_INVALID_REQUEST);
        g_assert_cmpuint(qpt_wait(&lab.d, ch), ==, PT_ST_INVALID_REQUEST);
    }
    agent_lab_stop(&lab);
}

/* All of them end at a word */
static void test_many_end(void)
{
    AgentLab lab;

    start_many(&lab);
    qpt_writel(&lab.d, PT_CTRL, PT_CTRL_ABORT);
    for (unsigned int ch = 0; ch < MANY; ch++) {
        g_assert_cmpuint(status(&lab, ch), ==, PT_ST_ABORTED);
    }
    agent_lab_stop(&lab);

    start_many(&lab);
    qpt_writel(&lab.d, PT_STOP_PASID, AGENT_PASID | PT_STOP_MARKER);
    for (unsigned int ch = 0; ch < MANY; ch++) {
        g_assert_cmpuint(status(&lab, ch), ==, PT_ST_ABORTED);
    }
    agent_lab_stop(&lab);
}

/* -- Who is meant ---------------------------------------------------------- */

/* The response to an operation that was aborted is none to the next one */
static void test_orphan(void)
{
    AgentRecord old, fresh;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    old = agent_fault(&lab, 0, AGENT_PASID, AT(0) + 8);
    command(&lab, 0, PT_OP_ABORT);
    g_assert_cmphex(qpt_ch_readq(&lab.d, 0, PT_CH_ERR_ADDR), ==, AT(0));
    fresh = agent_fault(&lab, 0, AGENT_PASID, AT(1));
    agent_respond(&lab, AGENT_PASID, old.tag, QPT_INVALID_REQUEST);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    agent_respond(&lab, AGENT_PASID, fresh.tag, QPT_RESPONSE_FAILURE);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RESPONSE_FAILURE);
    agent_lab_stop(&lab);
}

/* PRI-40: to stop one PASID ends nothing of another one that waits */
static void test_stop_other(void)
{
    AgentLab lab;

    agent_lab_start(&lab, NULL, 1);
    fault(&lab, 0, 0, AGENT_PASID, 0);
    fault(&lab, 1, 1, AGENT_PASID, 0);
    qpt_writel(&lab.d, PT_STOP_PASID, OTHER);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_STOP_STATUS), ==, PT_STOP_DONE);
    g_assert_cmpuint(status(&lab, 0), ==, PT_ST_RUNNING);
    g_assert_cmpuint(status(&lab, 1), ==, PT_ST_RUNNING);
    agent_lab_stop(&lab);
}

/* PRI-03: who waits for credits does nothing while others run */
static void test_wait_quietly(void)
{
    AgentLab lab;

    agent_lab_start(&lab, NULL, 1);
    fault(&lab, 0, 0, AGENT_PASID, 0);
    fault(&lab, 1, 1, AGENT_PASID, 0);
    agent_map(&lab, AGENT_PASID, AT(2), AGENT_RAM, AGENT_PAGE, ATA_READ);
    agent_forget(&lab);
    g_assert_cmpuint(agent_touch(&lab, PT_OP_READ, AGENT_PASID, AT(2)), ==,
                     PT_ST_DONE);
    g_assert_cmpuint(agent_count(&lab, ATA_TRANSLATION), ==, 1);
    g_assert_cmpuint(status(&lab, 1), ==, PT_ST_RUNNING);
    agent_lab_stop(&lab);
}

/* retry=give-up is about a page that was answered for, and not since */
static void test_give_up_once(void)
{
    QPtOp op = agent_op(PT_OP_WRITE, AGENT_PASID, BASE, 8);
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    qpt_knob_set(&lab.d, PT_KNOB_RETRY, PT_RETRY_GIVE_UP);
    r = agent_fault(&lab, 0, AGENT_PASID, BASE);
    agent_map(&lab, AGENT_PASID, BASE, AGENT_RAM, AGENT_PAGE, ATA_WRITE);
    agent_respond(&lab, AGENT_PASID, r.tag, QPT_SUCCESS);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RETRY_LIMIT);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
    agent_lab_stop(&lab);
}

/* -- Absent pages ---------------------------------------------------------- */

typedef struct Look {
    const char *name;
    uint64_t len;
    uint64_t present;       /* bytes from BASE on; but not its first page */
    uint32_t requests;
} Look;

static const Look looks[] = {
    { "PRI-06/one-byte-more", AGENT_PAGE + 1, 0, 2 },
    { "PRI-06/present-between", 4 * AGENT_PAGE, 2 * AGENT_PAGE, 3 },
    { "PRI-06/looks-at-512", 1024 * AGENT_PAGE, 512 * AGENT_PAGE, 1 },
};

/* What is absent of the first 512 pages is in the group */
static void test_look(const void *opaque)
{
    const Look *look = opaque;
    QPtOp op = agent_op(PT_OP_WRITE, AGENT_PASID, BASE, look->len);
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    if (look->present) {
        agent_map(&lab, AGENT_PASID, BASE, AGENT_RAM, look->present,
                  ATA_READ | ATA_WRITE);
        agent_map(&lab, AGENT_PASID, BASE, AGENT_RAM, AGENT_PAGE, 0);
    }
    op.group = 512;
    qpt_start(&lab.d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    g_assert_cmpuint(qpt_ch_readl(&lab.d, 0, PT_CH_REQUESTS), ==,
                     look->requests);
    agent_lab_stop(&lab);
}

/* Each operation has its retries, and ends at the page */
static void test_retries(void)
{
    QPtOp op = agent_op(PT_OP_READ, AGENT_PASID, BASE + 8, 8);
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    op.retries = 2;
    for (unsigned int i = 0; i < 2; i++) {
        qpt_start(&lab.d, 0, &op);
        for (unsigned int n = 0; n < 3; n++) {
            g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
            agent_respond(&lab, AGENT_PASID,
                          agent_take_kind(&lab, ATA_PAGE_REQUEST).tag,
                          QPT_SUCCESS);
        }
        g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RETRY_LIMIT);
        g_assert_cmpuint(qpt_ch_readl(&lab.d, 0, PT_CH_GROUPS), ==, 3);
    }
    qpt_start(&lab.d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    agent_respond(&lab, AGENT_PASID,
                  agent_take_kind(&lab, ATA_PAGE_REQUEST).tag,
                  QPT_INVALID_REQUEST);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_INVALID_REQUEST);
    g_assert_cmphex(qpt_ch_readq(&lab.d, 0, PT_CH_ERR_ADDR), ==, BASE);
    agent_lab_stop(&lab);
}

/* To wait for credits is no retry */
static void test_wait_no_retry(void)
{
    QPtOp op = agent_op(PT_OP_NOP, AGENT_PASID, AT(1), 8);
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 1);
    r = agent_fault(&lab, 0, AGENT_PASID, AT(0));
    qpt_run(&lab.d, 1, &op);
    qpt_writel(&lab.d, PT_CHANNEL(1) + PT_CH_RETRIES, 0);
    command(&lab, 1, PT_OP_WRITE);
    g_assert_cmpuint(qpt_wait(&lab.d, 1), ==, PT_ST_RUNNING);
    agent_respond(&lab, AGENT_PASID, r.tag, QPT_INVALID_REQUEST);
    g_assert_cmpuint(qpt_wait(&lab.d, 1), ==, PT_ST_RUNNING);
    g_assert_cmphex(agent_take_kind(&lab, ATA_PAGE_REQUEST).addr, ==, AT(1));
    agent_lab_stop(&lab);
}

/* Pages of a list are asked for as far as it goes */
static void test_look_list(void)
{
    static const struct {
        uint32_t entries, requests;
    } rows[] = { { 1, 1 }, { 256, 1 }, { 257, 2 } };

    for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
        QPtOp op = agent_op(PT_OP_READ, AGENT_PASID, BASE, 8);
        AgentLab lab;

        agent_lab_start(&lab, NULL, 0);
        op.flags |= PT_FLAG_GATHER;
        op.list = BASE;
        op.list_len = rows[i].entries;
        op.group = 8;
        qpt_start(&lab.d, 0, &op);
        g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
        g_assert_cmpuint(qpt_ch_readl(&lab.d, 0, PT_CH_REQUESTS), ==,
                         rows[i].requests);
        agent_lab_stop(&lab);
    }
}

/* Who copies what can be executed executes nothing at the destination */
static void test_copy_exec(void)
{
    QPtOp op = agent_op(PT_OP_COPY, AGENT_PASID, BASE, 8);
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    agent_map(&lab, AGENT_PASID, AT(0), AGENT_RAM, AGENT_PAGE,
              ATA_READ | ATA_EXEC);
    agent_map(&lab, AGENT_PASID, AT(1), AGENT_RAM, AGENT_PAGE,
              ATA_READ | ATA_WRITE);
    op.dst = AT(1);
    op.flags |= PT_FLAG_EXEC | PT_FLAG_NO_PRI;
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
    agent_lab_stop(&lab);
}

/* -- Behind a reset -------------------------------------------------------- */

typedef struct Late {
    const char *name;
    bool plain, done, runs;     /* channels 1, 2 and 5 have done something */
    uint32_t reset;
    unsigned int page;          /* of the late request; 0: there is none */
} Late;

static const Late late_rows[] = {
    { "nothing", false, false, false, PT_SOFT_RESET_ALL, 0 },
    { "no-pasid", true, false, false, PT_SOFT_RESET_ALL, 0 },
    { "done", true, true, false, PT_SOFT_RESET_ALL, 2 },
    { "running", true, true, true, PT_SOFT_RESET_ALL, 5 },
    { "of-channel", true, true, true, 2, 2 },
    { "of-another", true, true, true, 3, 0 },
};

/* flr-late-dma=request: of a channel that is reset, rather one that runs */
static void test_late(const void *opaque)
{
    const Late *late = opaque;
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, "flr-late-dma=request", 0);
    for (unsigned int ch = 1; ch <= 2; ch++) {
        QPtOp op = agent_op(PT_OP_WRITE, ch == 1 ? QPT_NO_PASID : AGENT_PASID,
                            AT(ch), 8);

        if (ch == 1 ? late->plain : late->done) {
            op.flags |= PT_FLAG_NO_PRI;
            qpt_run(&lab.d, ch, &op);
        }
    }
    if (late->runs) {
        fault(&lab, 5, 5, AGENT_PASID, 0);
    }
    agent_forget(&lab);
    qpt_writel(&lab.d, PT_SOFT_RESET, late->reset);
    qpt_wait(&lab.d, 0);
    qtest_clock_step(lab.qts, 1);
    r = agent_take_kind(&lab, ATA_PAGE_REQUEST);
    g_assert_cmphex(r.addr, ==, late->page ? AT(late->page) : 0);
    g_assert_cmphex(r.pasid, ==, late->page ? AGENT_PASID : 0);
    g_assert_cmpuint(agent_count(&lab, ATA_PAGE_REQUEST), ==, 0);
    agent_lab_stop(&lab);
}

typedef struct Prs {
    const char *name;
    uint64_t knob;              /* flr-prs */
    uint32_t pasid;             /* of channel 3, which waits for credits */
} Prs;

static const Prs prs[] = {
    { "flush", PT_FLR_PRS_FLUSH, AGENT_PASID },
    { "after-no-pasid", PT_FLR_PRS_AFTER, QPT_NO_PASID },
};

/* flr-prs: what one has waited for is sent, once, with the PASID it has */
static void test_prs(const void *opaque)
{
    const Prs *row = opaque;
    QPtOp op = agent_op(PT_OP_WRITE, row->pasid, AT(3), 2 * AGENT_PAGE);
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 2);
    qpt_knob_set(&lab.d, PT_KNOB_FLR_PRS, row->knob);
    fault(&lab, 1, 1, AGENT_PASID, 0);
    op.group = 2;
    qpt_start(&lab.d, 3, &op);
    g_assert_cmpuint(qpt_wait(&lab.d, 3), ==, PT_ST_RUNNING);
    agent_forget(&lab);
    qpt_writel(&lab.d, PT_SOFT_RESET, PT_SOFT_RESET_ALL);
    qpt_wait(&lab.d, 0);
    qtest_clock_step(lab.qts, 1);
    r = agent_take_kind(&lab, ATA_PAGE_REQUEST);
    g_assert_cmphex(r.addr, ==, AT(3));
    g_assert_cmphex(r.pasid, ==, row->pasid);
    g_assert_cmpuint(agent_count(&lab, ATA_PAGE_REQUEST), ==, 0);
    agent_lab_stop(&lab);
}

/* -- While the machine stands still ---------------------------------------- */

static uint32_t take_msi(AgentLab *lab)
{
    uint32_t data = qtest_readl(lab->qts, MSI_PAGE);

    qtest_writel(lab->qts, MSI_PAGE, 0);
    return data;
}

/* An interrupt comes when it goes on, but not for a channel that was reset */
static void test_stopped_irq(void)
{
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    qpt_msix(&lab.d, MSI_PAGE, VECTOR);
    for (unsigned int i = 0; i < 2; i++) {
        fault(&lab, 2, 2, AGENT_PASID, PT_FLAG_IRQ);
        fault(&lab, 3, 3, AGENT_PASID, PT_FLAG_IRQ);
        set_run(&lab, false);
        command(&lab, 2, PT_OP_ABORT);
        command(&lab, 3, PT_OP_ABORT);
        g_assert_cmpuint(status(&lab, 3), ==, PT_ST_ABORTED);
        if (i) {
            qpt_writel(&lab.d, PT_SOFT_RESET, 3);
        }
        g_assert_cmphex(take_msi(&lab), ==, 0);
        set_run(&lab, true);
        /* the last of those that were sent */
        qpt_wait(&lab.d, 2);
        g_assert_cmphex(take_msi(&lab), ==, VECTOR + 1 + (i ? 2 : 3));
    }
    agent_lab_stop(&lab);
}

/* Credits that came meanwhile go to who waits */
static void test_stopped_credits(void)
{
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 1);
    r = agent_fault(&lab, 0, AGENT_PASID, AT(0));
    command(&lab, 0, PT_OP_ABORT);
    fault(&lab, 1, 1, AGENT_PASID, 0);
    agent_forget(&lab);
    set_run(&lab, false);
    agent_respond(&lab, AGENT_PASID, r.tag, QPT_SUCCESS);
    g_assert_cmpuint(agent_records(&lab), ==, 0);
    set_run(&lab, true);
    qpt_wait(&lab.d, 1);
    g_assert_cmphex(agent_take_kind(&lab, ATA_PAGE_REQUEST).addr, ==, AT(1));
    agent_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    agent_test_init(&argc, &argv);

    qtest_add_func("/pri-testdev/channel/turns", test_turns);
    qtest_add_func("/pri-testdev/channel/three", test_three);
    qtest_add_func("/pri-testdev/channel/PRI-03/many", test_many_wait);
    qtest_add_func("/pri-testdev/channel/many-end", test_many_end);
    qtest_add_func("/pri-testdev/channel/orphan", test_orphan);
    qtest_add_func("/pri-testdev/channel/PRI-40/another", test_stop_other);
    qtest_add_func("/pri-testdev/channel/PRI-03/quiet", test_wait_quietly);
    qtest_add_func("/pri-testdev/channel/give-up-once", test_give_up_once);
    LAB_ADD_ROWS("/pri-testdev/channel", looks, test_look);
    qtest_add_func("/pri-testdev/channel/PRI-06/list", test_look_list);
    qtest_add_func("/pri-testdev/channel/copy-exec", test_copy_exec);
    LAB_ADD_ROWS("/pri-testdev/channel/late/PRQ-94", late_rows, test_late);
    LAB_ADD_ROWS("/pri-testdev/channel/prs/PRQ-90", prs, test_prs);
    qtest_add_func("/pri-testdev/channel/retries", test_retries);
    qtest_add_func("/pri-testdev/channel/PRI-03/no-retry", test_wait_no_retry);
    qtest_add_func("/pri-testdev/channel/stopped/irq", test_stopped_irq);
    qtest_add_func("/pri-testdev/channel/stopped/credits",
                   test_stopped_credits);

    return g_test_run();
}
