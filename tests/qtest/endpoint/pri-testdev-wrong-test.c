/*
 * pri-testdev: Page Requests, responses and invalidations that are wrong on
 * purpose, and functions that lack something
 *
 * Checklist part G, endpoint side.  Each test fails if its knob does nothing.
 * No VT-d is there: what it makes of them is in pri-vtd-wrong-test.c.
 * PCIe 6.2 10.2.3, 10.3.1, 10.4, 10.5.2
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/agent.h"

#define US              1000
#define RW              (ATA_READ | ATA_WRITE)
#define ITAG            5
#define EXP_DEVSTA      10
#define DEVSTA_CED      (1 << 0)
#define DEVSTA_NFED     (1 << 1)
#define DEVSTA_URD      (1 << 3)
#define AER_UNC_STATUS  0x104
#define AER_COR_MASK    0x114
#define AER_HEADER      0x11c
#define TLP_MSG_BY_ID   0x32
#define TLP_MSGD_BY_ID  0x72
#define MSG_INV_REQUEST 0x01
#define MSG_PRG_RESPONSE 0x05
#define AER_UC          (1 << 16)
#define AER_UR          (1 << 20)

static uint64_t counter(AgentLab *lab, unsigned int offset)
{
    return qpt_readq(&lab->d, offset);
}

static void expect_pri_status(AgentLab *lab, uint16_t status)
{
    g_assert_cmphex(agent_pri_status(lab) & ~QPT_PRI_STATUS_PASID, ==, status);
}

static QPtOp fill(unsigned int pages)
{
    QPtOp op = agent_op(PT_OP_FILL, AGENT_PASID, AGENT_IOVA,
                        pages * AGENT_PAGE);

    op.group = pages;
    return op;
}

/* A group of @pages from channel 0, which then waits */
static void fault(AgentLab *lab, unsigned int pages)
{
    QPtOp op = fill(pages);

    qpt_start(&lab->d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab->d, 0), ==, PT_ST_RUNNING);
}

static void map(AgentLab *lab)
{
    agent_map(lab, AGENT_PASID, AGENT_IOVA, AGENT_RAM, AGENT_PAGE, RW);
}

static void set_ats(AgentLab *lab, uint16_t ctl)
{
    qpt_config_writew(&lab->d, lab->d.ats + QPT_ATS_CTRL, ctl);
}

/* Has the bottom half run that reports errors? */
static void settle(AgentLab *lab)
{
    qpt_wait(&lab->d, 1);
    qtest_clock_step(lab->qts, US);
}

/* -- Groups ---------------------------------------------------------------- */

typedef struct ShapeRow {
    const char *name;
    const char *dev;
    uint16_t rid_flip;
    unsigned int n;
    struct {
        uint32_t pasid;
        uint32_t flags;
    } sent[3];
} ShapeRow;

#define P       AGENT_PASID
#define W       ATA_WRITE
#define X       ATA_EXEC
#define L       ATA_LAST

/* What becomes of a group of two pages that shall be written */
static const ShapeRow shape_rows[] = {
    { "PRI-06/ok", "group-shape=ok", 0, 2, { { P, W }, { P, W | L } } },
    { "PRI-07/no-last", "group-shape=no-last", 0, 2, { { P, W }, { P, W } } },
    { "PRI-43/no-access", "group-shape=no-access", 0, 2,
      { { P, 0 }, { P, L } } },
    { "PRI-02/exec-only", "group-shape=exec-only", 0, 2,
      { { P, W | X }, { P, W | X | L } } },
    { "PRI-06/mixed-pasid", "group-shape=mixed-pasid", 0, 2,
      { { P, W }, { P ^ 1, W | L } } },
    { "PRI-06/other-rid", "group-shape=other-rid", 1, 2,
      { { P, W }, { P, W | L } } },
    { "PRI-06/other-bus", "group-shape=other-bus", 0x100, 2,
      { { P, W }, { P, W | L } } },
    { "PRI-43/marker-inside", "group-shape=marker-inside", 0, 3,
      { { P, W }, { P, L }, { P, W | L } } },
};

static void test_shape(const void *opaque)
{
    const ShapeRow *row = opaque;
    AgentLab lab;

    agent_lab_start(&lab, row->dev, 0);
    fault(&lab, 2);
    for (unsigned int i = 0; i < row->n; i++) {
        AgentRecord r = agent_take_kind(&lab, ATA_PAGE_REQUEST);

        g_assert_cmphex(r.rid, ==, lab.d.rid ^ row->rid_flip);
        g_assert_cmphex(r.pasid, ==, row->sent[i].pasid);
        g_assert_cmphex(r.flags, ==, row->sent[i].flags);
        g_assert_cmphex(r.tag, ==, 0);
    }
    g_assert_cmpuint(agent_count(&lab, ATA_PAGE_REQUEST), ==, 0);
    g_assert_cmpuint(counter(&lab, PT_CNT_STOP_MARKERS), ==, row->n == 3);
    agent_lab_stop(&lab);
}

/* PRI-07: no answer is due, and one that comes is a violation */
static void test_no_last(void)
{
    AgentLab lab;

    agent_lab_start(&lab, "group-shape=no-last", 0);
    fault(&lab, 2);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 1);
    agent_respond(&lab, AGENT_PASID, 0, QPT_SUCCESS);
    g_assert_cmpuint(counter(&lab, PT_CNT_VIOLATIONS), ==, 1);
    g_assert_cmpuint(qpt_ch_readl(&lab.d, 0, PT_CH_STATUS), ==,
                     PT_ST_RUNNING);
    agent_lab_stop(&lab);
}

/* PRI-01: sent while Page Requests are disabled and have stopped */
static void test_disabled(void)
{
    QPtOp op = fill(1);
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    qpt_pri_disable(&lab.d);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_NO_PRI);
    g_assert_cmpuint(agent_count(&lab, ATA_PAGE_REQUEST), ==, 0);
    g_assert_cmpuint(qpt_knob_set(&lab.d, PT_KNOB_PR_WHEN_DISABLED,
                                  PT_PR_WHEN_DISABLED_YES), ==, PT_KNOB_OK);
    fault(&lab, 1);
    g_assert_cmpuint(agent_count(&lab, ATA_PAGE_REQUEST), ==, 1);
    expect_pri_status(&lab, QPT_PRI_STATUS_STOPPED);
    agent_lab_stop(&lab);
}

/* -- Stops that take their time: PRI-31 ------------------------------------ */

static void expect_stop_after_300_us(AgentLab *lab)
{
    qtest_clock_step(lab->qts, 299 * US);
    expect_pri_status(lab, 0);
    qtest_clock_step(lab->qts, 2 * US);
    expect_pri_status(lab, QPT_PRI_STATUS_STOPPED);
}

static void start_stop(AgentLab *lab)
{
    agent_lab_start(lab, "pri-stop-delay-us=300", 0);
    fault(lab, 1);
    qpt_pri_disable(&lab->d);
    qtest_clock_step(lab->qts, 1000 * US);
    expect_pri_status(lab, 0);
}

static void test_stop_response(void)
{
    AgentLab lab;

    start_stop(&lab);
    agent_respond(&lab, AGENT_PASID, 0, QPT_INVALID_REQUEST);
    expect_stop_after_300_us(&lab);
    agent_lab_stop(&lab);
}

/* A device-specific reset has forgotten the last group */
static void test_stop_soft_reset(void)
{
    AgentLab lab;

    start_stop(&lab);
    qpt_writel(&lab.d, PT_SOFT_RESET, 0);
    expect_stop_after_300_us(&lab);
    agent_lab_stop(&lab);
}

/* Reset stops at once, whatever is slow */
static void test_stop_pri_reset(void)
{
    AgentLab lab;

    start_stop(&lab);
    qpt_config_writew(&lab.d, lab.d.pri + QPT_PRI_CTRL, QPT_PRI_CTRL_RESET);
    expect_pri_status(&lab, QPT_PRI_STATUS_STOPPED);
    agent_lab_stop(&lab);
}

/* -- Responses ------------------------------------------------------------- */

/* PRI-20: Response Failure ends one group, and the function goes on asking */
static void test_resp_as_invalid(void)
{
    AgentLab lab;

    agent_lab_start(&lab, "resp-code=rf-as-ir", 0);
    fault(&lab, 1);
    agent_respond(&lab, AGENT_PASID, 0, QPT_RESPONSE_FAILURE);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_INVALID_REQUEST);
    expect_pri_status(&lab, 0);
    agent_forget(&lab);
    fault(&lab, 1);
    g_assert_cmpuint(agent_count(&lab, ATA_PAGE_REQUEST), ==, 1);
    agent_lab_stop(&lab);
}

static uint32_t aer(AgentLab *lab)
{
    return qpt_config_readl(&lab->d, AER_UNC_STATUS);
}

/* Type and message code of the TLP in the Header Log; 0: there is none */
static void expect_logged(AgentLab *lab, uint8_t type, uint8_t code)
{
    uint32_t dw0 = qpt_config_readl(&lab->d, AER_HEADER);
    uint32_t dw1 = qpt_config_readl(&lab->d, AER_HEADER + 4);

    g_assert_cmphex(__builtin_bswap32(dw0) >> 24, ==, type);
    g_assert_cmphex(__builtin_bswap32(dw1) & 0xff, ==, code);
}

typedef struct UnexpectedRow {
    const char *name;
    const char *dev;
    uint16_t status;
    uint32_t aer;
    uint16_t devsta;
} UnexpectedRow;

static const UnexpectedRow unexpected_rows[] = {
    { "PRI-22/uprgi", "unexpected-resp=uprgi", QPT_PRI_STATUS_UPRGI, 0, 0 },
    { "PRI-22/ignore", "unexpected-resp=ignore", 0, 0, 0 },
    { "PRI-22/ERR-01/ur", "unexpected-resp=ur", 0, AER_UR,
      DEVSTA_URD | DEVSTA_NFED },
    { "PRI-22/ERR-01/uc", "unexpected-resp=uc", 0, AER_UC, DEVSTA_CED },
};

/* PRI-22: a response to no group */
static void test_unexpected(const void *opaque)
{
    const UnexpectedRow *row = opaque;
    AgentLab lab;

    agent_lab_start(&lab, row->dev, 0);
    /* Advisory Non-Fatal Errors are masked by default */
    qpt_config_writel(&lab.d, AER_COR_MASK, 0);
    agent_respond(&lab, AGENT_PASID, 17, QPT_SUCCESS);
    settle(&lab);
    expect_pri_status(&lab, row->status);
    g_assert_cmphex(aer(&lab), ==, row->aer);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.exp + EXP_DEVSTA) & 0xf,
                    ==, row->devsta);
    expect_logged(&lab, row->aer ? TLP_MSG_BY_ID : 0,
                  row->aer ? MSG_PRG_RESPONSE : 0);
    g_assert_cmpuint(counter(&lab, PT_CNT_RESP_UNEXPECTED), ==, 1);
    agent_lab_stop(&lab);
}

typedef struct RetryRow {
    const char *name;
    const char *dev;
    unsigned int requests;
    unsigned int translations;
    uint32_t status;
} RetryRow;

static const RetryRow retry_rows[] = {
    { "PRI-20/retry-translate", "retry=translate", 1, 2, PT_ST_DONE },
    { "PRI-20/retry-request", "retry=request", 17, 1, PT_ST_RETRY_LIMIT },
    { "PRI-20/retry-give-up", "retry=give-up", 1, 1, PT_ST_RETRY_LIMIT },
};

/* PRI-20, H12: the page has come, and each request is answered Success */
static void test_retry(const void *opaque)
{
    const RetryRow *row = opaque;
    AgentLab lab;

    agent_lab_start(&lab, row->dev, 0);
    fault(&lab, 1);
    map(&lab);
    for (unsigned int i = 0; i < row->requests; i++) {
        AgentRecord r;

        g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
        r = agent_take_kind(&lab, ATA_PAGE_REQUEST);
        g_assert_cmpuint(r.kind, ==, ATA_PAGE_REQUEST);
        agent_respond(&lab, AGENT_PASID, r.tag, QPT_SUCCESS);
    }
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, row->status);
    g_assert_cmpuint(counter(&lab, PT_CNT_TRANSLATIONS), ==,
                     row->translations);
    agent_lab_stop(&lab);
}

/* -- Translations and invalidations ---------------------------------------- */

typedef struct UrRow {
    const char *name;
    const char *dev;
    uint32_t state;
    uint32_t status;            /* of the next access */
} UrRow;

static const UrRow ur_rows[] = {
    { "ATS-01/ur-keep", "rc-on-ur=keep", 0, PT_ST_DONE },
    { "ATS-01/ur-disable", "rc-on-ur=disable", PT_STATE_NO_ATS,
      PT_ST_NOT_ENABLED },
};

/* ATS-01: after UR it goes on, or asks no more until it is enabled again */
static void test_ur(const void *opaque)
{
    const UrRow *row = opaque;
    QPtOp op = fill(1);
    AgentLab lab;

    agent_lab_start(&lab, row->dev, 0);
    agent_fail(&lab, AGENT_PASID, AGENT_IOVA, ATA_TR_UR);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_TRANS_UR);
    map(&lab);
    g_assert_cmphex(qpt_readl(&lab.d, PT_STATE) & PT_STATE_NO_ATS, ==,
                    row->state);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, row->status);
    /* to disable it, even twice, does not enable it */
    set_ats(&lab, 0);
    set_ats(&lab, 0);
    g_assert_cmphex(qpt_readl(&lab.d, PT_STATE) & PT_STATE_NO_ATS, ==,
                    row->state);
    set_ats(&lab, QPT_ATS_CTRL_E);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
    agent_lab_stop(&lab);
}

typedef struct InvRow {
    const char *name;
    const char *dev;
    bool done;                  /* there is a completion */
    uint32_t aer;
} InvRow;

static const InvRow sub_stu_rows[] = {
    { "ATS-25/round", "inv-sub-stu=round", true, 0 },
    { "ATS-25/ERR-01/ur", "inv-sub-stu=ur", false, AER_UR },
};

static bool invalidate(AgentLab *lab, uint64_t addr, uint32_t flags)
{
    agent_forget(lab);
    agent_invalidate(lab, AGENT_PASID, addr, ITAG, flags);
    settle(lab);
    return agent_count(lab, ATA_INV_COMPLETION);
}

/* ATS-25: 4 KiB where the STU is 8 KiB */
static void test_sub_stu(const void *opaque)
{
    const InvRow *row = opaque;
    QPtOp op = fill(1);
    AgentLab lab;

    agent_lab_start(&lab, row->dev, 0);
    map(&lab);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
    /* that one is in the ATC; none of less than 8 KiB comes after it */
    set_ats(&lab, QPT_ATS_CTRL_E | 1);
    /* its neighbour in a unit of 8 KiB */
    g_assert_cmpint(invalidate(&lab, AGENT_IOVA ^ AGENT_PAGE, 0), ==,
                    row->done);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, !row->done);
    g_assert_cmphex(aer(&lab), ==, row->aer);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.exp + EXP_DEVSTA) &
                    (DEVSTA_URD | DEVSTA_NFED), ==,
                    row->aer ? DEVSTA_URD | DEVSTA_NFED : 0);
    /* for whom it was, 10.3.1 */
    g_assert_cmphex(__builtin_bswap32(qpt_config_readl(&lab.d, AER_HEADER +
                                                       8)), ==,
                    row->aer ? (uint32_t)lab.d.rid << 16 : 0);
    expect_logged(&lab, row->aer ? TLP_MSGD_BY_ID : 0,
                  row->aer ? MSG_INV_REQUEST : 0);
    /* as much as the STU is no error */
    g_assert_true(invalidate(&lab, AGENT_IOVA & ~0x1fffULL, ATA_INV_SIZE));
    agent_lab_stop(&lab);
}

static const InvRow when_e0_rows[] = {
    { "ATS-20/e0-complete", "inv-when-e0=complete", true, 0 },
    { "ATS-20/e0-drop", "inv-when-e0=drop", false, 0 },
    { "ATS-20/e0-ur", "inv-when-e0=ur", false, AER_UR },
};

static void test_when_e0(const void *opaque)
{
    const InvRow *row = opaque;
    AgentLab lab;

    agent_lab_start(&lab, row->dev, 0);
    set_ats(&lab, 0);
    g_assert_cmpint(invalidate(&lab, AGENT_IOVA, 0), ==, row->done);
    g_assert_cmphex(aer(&lab), ==, row->aer);
    agent_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    agent_test_init(&argc, &argv);

    LAB_ADD_ROWS("/pri-testdev/wrong", shape_rows, test_shape);
    qtest_add_func("/pri-testdev/wrong/PRI-07/no-answer", test_no_last);
    qtest_add_func("/pri-testdev/wrong/PRI-01/disabled", test_disabled);
    qtest_add_func("/pri-testdev/wrong/PRI-31/response", test_stop_response);
    qtest_add_func("/pri-testdev/wrong/PRI-31/soft-reset",
                   test_stop_soft_reset);
    qtest_add_func("/pri-testdev/wrong/PRI-31/PRI-33/pri-reset",
                   test_stop_pri_reset);
    qtest_add_func("/pri-testdev/wrong/PRI-20/resp-as-invalid",
                   test_resp_as_invalid);
    LAB_ADD_ROWS("/pri-testdev/wrong", unexpected_rows, test_unexpected);
    LAB_ADD_ROWS("/pri-testdev/wrong", retry_rows, test_retry);
    LAB_ADD_ROWS("/pri-testdev/wrong", ur_rows, test_ur);
    LAB_ADD_ROWS("/pri-testdev/wrong", sub_stu_rows, test_sub_stu);
    LAB_ADD_ROWS("/pri-testdev/wrong", when_e0_rows, test_when_e0);

    return g_test_run();
}
