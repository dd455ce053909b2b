/*
 * PRG Responses at a function, behind an IOMMU that does as told
 *
 * Right and wrong ones, and the registers of the Page Request Interface.
 * PCIe 6.2 10.4.2, 10.5.2
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/agent.h"

#define OTHER_PASID     0x77
#define AT(page)        (AGENT_IOVA + (page) * AGENT_PAGE)
#define RW              (ATA_READ | ATA_WRITE)

static void set_control(AgentLab *lab, uint16_t val)
{
    qpt_config_writew(&lab->d, lab->d.pri + QPT_PRI_CTRL, val);
}

static uint16_t control(AgentLab *lab)
{
    return qpt_config_readw(&lab->d, lab->d.pri + QPT_PRI_CTRL);
}

static void expect_status(AgentLab *lab, uint16_t bits, uint16_t want)
{
    g_assert_cmphex(agent_pri_status(lab) & bits, ==, want);
}

static uint64_t counter(AgentLab *lab, unsigned int offset)
{
    return qpt_readq(&lab->d, offset);
}

/* -- Codes ----------------------------------------------------------------- */

typedef struct CodeRow {
    const char *name;
    unsigned int code;
    uint32_t status;
    uint16_t failure;           /* Response Failure of the status register */
} CodeRow;

#define RF      QPT_PRI_STATUS_RF

static const CodeRow code_rows[] = {
    { "PRI-20/success", 0, PT_ST_DONE, 0 },
    { "PRI-20/invalid-request", 1, PT_ST_INVALID_REQUEST, 0 },
    { "PRI-20/2h", 2, PT_ST_RESPONSE_FAILURE, RF },
    { "PRI-20/eh", 0xe, PT_ST_RESPONSE_FAILURE, RF },
    { "PRI-20/failure", 0xf, PT_ST_RESPONSE_FAILURE, RF },
};

static void test_code(const void *opaque)
{
    const CodeRow *row = opaque;
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    r = agent_fault(&lab, 0, AGENT_PASID, AT(0));
    agent_map(&lab, AGENT_PASID, AT(0), AGENT_RAM, AGENT_PAGE, RW);
    agent_respond(&lab, AGENT_PASID, r.tag, row->code);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, row->status);
    g_assert_cmpuint(qpt_ch_readl(&lab.d, 0, PT_CH_RESP_CODE), ==, row->code);
    expect_status(&lab, RF, row->failure);
    agent_lab_stop(&lab);
}

/* PRI-21: a failure of one group ends all, and nothing is asked for after it */
static void test_failure(void)
{
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    agent_fault(&lab, 0, AGENT_PASID, AT(0));
    r = agent_fault(&lab, 1, OTHER_PASID, AT(1));
    agent_respond(&lab, OTHER_PASID, r.tag, QPT_RESPONSE_FAILURE);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RESPONSE_FAILURE);
    g_assert_cmpuint(qpt_wait(&lab.d, 1), ==, PT_ST_RESPONSE_FAILURE);
    for (unsigned int i = 0; i < 2; i++) {
        QPtOp op = agent_op(PT_OP_WRITE, AGENT_PASID, AT(2 + i), 8);

        g_assert_cmpuint(qpt_run(&lab.d, i, &op), ==, PT_ST_NO_PRI);
    }
    g_assert_cmpuint(agent_count(&lab, ATA_PAGE_REQUEST), ==, 0);
    agent_lab_stop(&lab);
}

/* PRI-21: until Page Requests are enabled again */
static void test_enabled_again(void)
{
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    r = agent_fault(&lab, 0, AGENT_PASID, AT(0));
    agent_respond(&lab, AGENT_PASID, r.tag, QPT_RESPONSE_FAILURE);
    set_control(&lab, 0);
    set_control(&lab, QPT_PRI_CTRL_E);
    expect_status(&lab, RF, 0);
    agent_fault(&lab, 0, AGENT_PASID, AT(0));
    agent_lab_stop(&lab);
}

/* PRI-25: Success and no page: it asks again, so often as it was told */
static void test_again(void)
{
    QPtOp op = agent_op(PT_OP_WRITE, AGENT_PASID, AT(0), 8);
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    op.retries = 2;
    qpt_start(&lab.d, 0, &op);
    for (unsigned int i = 0; i < 3; i++) {
        AgentRecord r;

        g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
        r = agent_take_kind(&lab, ATA_PAGE_REQUEST);
        g_assert_cmphex(r.addr, ==, AT(0));
        agent_respond(&lab, AGENT_PASID, r.tag, QPT_SUCCESS);
    }
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RETRY_LIMIT);
    g_assert_cmpuint(agent_count(&lab, ATA_PAGE_REQUEST), ==, 0);
    agent_lab_stop(&lab);
}

/* -- Which group it is for ------------------------------------------------- */

/* PRI-09: in any order */
static void test_order(void)
{
    static const unsigned int order[] = { 2, 0, 1 };
    AgentRecord r[3];
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    for (unsigned int i = 0; i < 3; i++) {
        r[i] = agent_fault(&lab, i, AGENT_PASID, AT(i));
    }
    for (unsigned int i = 0; i < 3; i++) {
        unsigned int n = order[i];

        g_assert_cmpuint(qpt_wait(&lab.d, n), ==, PT_ST_RUNNING);
        agent_respond(&lab, AGENT_PASID, r[n].tag, QPT_INVALID_REQUEST);
        g_assert_cmpuint(qpt_wait(&lab.d, n), ==, PT_ST_INVALID_REQUEST);
        g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 2 - i);
    }
    agent_lab_stop(&lab);
}

/* PRI-08: the same index in two PASIDs: the PASID says whose it is */
static void test_same_index(void)
{
    AgentRecord r[2];
    AgentLab lab;

    agent_lab_start(&lab, "prgi-policy=per-pasid", 0);
    r[0] = agent_fault(&lab, 0, AGENT_PASID, AT(0));
    r[1] = agent_fault(&lab, 1, OTHER_PASID, AT(0));
    g_assert_cmphex(r[0].tag, ==, r[1].tag);
    agent_respond(&lab, OTHER_PASID, r[1].tag, QPT_INVALID_REQUEST);
    g_assert_cmpuint(qpt_wait(&lab.d, 1), ==, PT_ST_INVALID_REQUEST);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    agent_respond(&lab, AGENT_PASID, r[0].tag, QPT_INVALID_REQUEST);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_INVALID_REQUEST);
    agent_lab_stop(&lab);
}

/* PRI-22: to no group */
static void test_unexpected(void)
{
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    r = agent_fault(&lab, 0, AGENT_PASID, AT(0));
    expect_status(&lab, QPT_PRI_STATUS_UPRGI, 0);
    agent_respond(&lab, AGENT_PASID, r.tag + 1, QPT_SUCCESS);
    expect_status(&lab, QPT_PRI_STATUS_UPRGI, QPT_PRI_STATUS_UPRGI);
    g_assert_cmpuint(counter(&lab, PT_CNT_RESP_UNEXPECTED), ==, 1);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 1);
    /* write 1 to clear */
    qpt_config_writew(&lab.d, lab.d.pri + QPT_PRI_STATUS,
                      QPT_PRI_STATUS_UPRGI);
    expect_status(&lab, QPT_PRI_STATUS_UPRGI, 0);
    agent_lab_stop(&lab);
}

typedef struct PasidRow {
    const char *name;
    const char *dev;
    uint32_t pasid;             /* of the response */
    unsigned int violations;
} PasidRow;

static const PasidRow pasid_rows[] = {
    { "PRI-24/right", NULL, AGENT_PASID, 0 },
    { "PRI-24/missing", NULL, QPT_NO_PASID, 1 },
    { "PRI-24/none-required", "prg-resp-pasid-required=off", QPT_NO_PASID, 0 },
    { "PRI-24/superfluous", "prg-resp-pasid-required=off", AGENT_PASID, 1 },
};

/* PRI-24: a PASID too many or too few: the index decides, and it is noted */
static void test_pasid(const void *opaque)
{
    const PasidRow *row = opaque;
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, row->dev, 0);
    r = agent_fault(&lab, 0, AGENT_PASID, AT(0));
    agent_respond(&lab, row->pasid, r.tag, QPT_INVALID_REQUEST);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_INVALID_REQUEST);
    g_assert_cmpuint(counter(&lab, PT_CNT_VIOLATIONS), ==, row->violations);
    agent_lab_stop(&lab);
}

typedef struct EarlyRow {
    const char *name;
    unsigned int code;
    uint32_t status;
    unsigned int unexpected;
} EarlyRow;

static const EarlyRow early_rows[] = {
    { "PRI-07/success", QPT_SUCCESS, PT_ST_RUNNING, 1 },
    { "PRI-07/failure", QPT_RESPONSE_FAILURE, PT_ST_RESPONSE_FAILURE, 0 },
};

/* PRI-07: the last request has not come: only a failure may */
static void test_early(const void *opaque)
{
    const EarlyRow *row = opaque;
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, "group-shape=no-last", 0);
    r = agent_fault(&lab, 0, AGENT_PASID, AT(0));
    g_assert_cmphex(r.flags, ==, ATA_WRITE);
    agent_respond(&lab, AGENT_PASID, r.tag, row->code);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, row->status);
    g_assert_cmpuint(counter(&lab, PT_CNT_RESP_UNEXPECTED), ==,
                     row->unexpected);
    agent_lab_stop(&lab);
}

/* -- Registers ------------------------------------------------------------- */

/* PRI-31: E 1 to 0 stops when the last response has come */
static void test_stopping(void)
{
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    r = agent_fault(&lab, 0, AGENT_PASID, AT(0));
    set_control(&lab, 0);
    expect_status(&lab, QPT_PRI_STATUS_STOPPED, 0);
    agent_respond(&lab, AGENT_PASID, r.tag, QPT_SUCCESS);
    expect_status(&lab, QPT_PRI_STATUS_STOPPED, QPT_PRI_STATUS_STOPPED);
    agent_lab_stop(&lab);
}

/* PRI-30: E 0 to 1 clears Stopped and what was wrong */
static void test_enable_clears(void)
{
    uint16_t bits = QPT_PRI_STATUS_STOPPED | QPT_PRI_STATUS_UPRGI;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    agent_respond(&lab, AGENT_PASID, 0x1ab, QPT_SUCCESS);
    set_control(&lab, 0);
    expect_status(&lab, bits, bits);
    set_control(&lab, QPT_PRI_CTRL_E);
    expect_status(&lab, bits, 0);
    g_assert_cmphex(control(&lab), ==, QPT_PRI_CTRL_E);
    agent_lab_stop(&lab);
}

typedef struct ResetRow {
    const char *name;
    uint16_t control;
    unsigned int groups;        /* that are left */
    uint32_t status;            /* of the channel */
} ResetRow;

static const ResetRow reset_rows[] = {
    { "PRI-33/disabled", QPT_PRI_CTRL_RESET, 0, PT_ST_ABORTED },
    { "PRI-33/enabled", QPT_PRI_CTRL_E | QPT_PRI_CTRL_RESET, 1,
      PT_ST_RUNNING },
};

/* PRI-33: Reset acts with E=0 only, and reads 0 */
static void test_reset(const void *opaque)
{
    const ResetRow *row = opaque;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    agent_fault(&lab, 0, AGENT_PASID, AT(0));
    set_control(&lab, row->control);
    g_assert_cmphex(control(&lab), ==, row->control & QPT_PRI_CTRL_E);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, row->groups);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, row->status);
    expect_status(&lab, QPT_PRI_STATUS_STOPPED,
                  row->groups ? 0 : QPT_PRI_STATUS_STOPPED);
    agent_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    agent_test_init(&argc, &argv);

    LAB_ADD_ROWS("/agent/response", code_rows, test_code);
    qtest_add_func("/agent/response/PRI-21/ends-all", test_failure);
    qtest_add_func("/agent/response/PRI-21/enabled-again",
                   test_enabled_again);
    qtest_add_func("/agent/response/PRI-25/again", test_again);
    qtest_add_func("/agent/response/PRI-09/order", test_order);
    qtest_add_func("/agent/response/PRI-08/same-index", test_same_index);
    qtest_add_func("/agent/response/PRI-22/unexpected", test_unexpected);
    LAB_ADD_ROWS("/agent/response", pasid_rows, test_pasid);
    LAB_ADD_ROWS("/agent/response", early_rows, test_early);
    qtest_add_func("/agent/response/PRI-31/stopping", test_stopping);
    qtest_add_func("/agent/response/PRI-30/enable-clears",
                   test_enable_clears);
    LAB_ADD_ROWS("/agent/response", reset_rows, test_reset);

    return g_test_run();
}
