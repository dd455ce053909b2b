/*
 * Page Requests of a function, behind an IOMMU that does as told
 *
 * Credits, groups and indices, and stops of a PASID, by the messages that the
 * function sends.  What PRG Responses do is in pri-agent-response-test.c.
 * PCIe 6.2 10.4.1, 10.5.2
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/agent.h"

#define OTHER_PASID     0x77
#define AT(page)        (AGENT_IOVA + (page) * AGENT_PAGE)
#define RW              (ATA_READ | ATA_WRITE)

/* Channel @ch starts to write to pages that are absent, @group at a time */
static void start(AgentLab *lab, unsigned int ch, unsigned int page,
                  unsigned int pages, unsigned int group)
{
    QPtOp op = agent_op(PT_OP_WRITE, AGENT_PASID, AT(page),
                        pages * AGENT_PAGE);

    op.group = group;
    qpt_start(&lab->d, ch, &op);
    g_assert_cmpuint(qpt_wait(&lab->d, ch), ==, PT_ST_RUNNING);
}

/* The page comes, and the function is told */
static void serve(AgentLab *lab, unsigned int page, unsigned int pages,
                  uint32_t prgi)
{
    for (unsigned int i = page; i < page + pages; i++) {
        agent_map(lab, AGENT_PASID, AT(i), AGENT_RAM + i * AGENT_PAGE,
                  AGENT_PAGE, RW);
    }
    agent_respond(lab, AGENT_PASID, prgi, QPT_SUCCESS);
}

/* -- When a request may be sent -------------------------------------------- */

typedef struct EnableRow {
    const char *name;
    bool bme, pri, pasid;
    uint32_t op_pasid;
    uint32_t status;            /* PT_ST_RUNNING: it was sent */
} EnableRow;

static const EnableRow enable_rows[] = {
    { "PRI-01/pasid", true, true, true, AGENT_PASID, PT_ST_RUNNING },
    { "PRI-01/none", true, true, true, QPT_NO_PASID, PT_ST_RUNNING },
    { "PRI-01/pri-off", true, false, true, AGENT_PASID, PT_ST_NO_PRI },
    { "PRI-01/pri-off-none", true, false, true, QPT_NO_PASID, PT_ST_NO_PRI },
    { "PRI-01/pasid-off", true, true, false, AGENT_PASID, PT_ST_NOT_ENABLED },
    { "PRI-01/pasid-off-none", true, true, false, QPT_NO_PASID,
      PT_ST_RUNNING },
    { "PRI-01/no-master", false, true, true, AGENT_PASID, PT_ST_NOT_ENABLED },
};

static void test_enables(const void *opaque)
{
    const EnableRow *row = opaque;
    QPtOp op = agent_op(PT_OP_WRITE, row->op_pasid, AT(0), 8);
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    qpt_config_writew(&lab.d, lab.d.ats + QPT_ATS_CTRL, 0);
    qpt_config_writew(&lab.d, lab.d.pasid + QPT_PASID_CTRL, row->pasid);
    qpt_config_writew(&lab.d, lab.d.ats + QPT_ATS_CTRL, QPT_ATS_CTRL_E);
    qpt_config_writew(&lab.d, lab.d.pri + QPT_PRI_CTRL, row->pri);
    qpt_config_writew(&lab.d, 4, row->bme ? 6 : 2);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, row->status);
    r = agent_take_kind(&lab, ATA_PAGE_REQUEST);
    if (row->status == PT_ST_RUNNING) {
        g_assert_cmphex(r.pasid, ==, row->op_pasid);
    } else {
        g_assert_cmpuint(r.kind, ==, ATA_NOTHING);
    }
    agent_lab_stop(&lab);
}

/* -- What a request looks like --------------------------------------------- */

typedef struct LookRow {
    const char *name;
    uint32_t cmd, flags;        /* of the operation */
    uint32_t sent;
} LookRow;

static const LookRow look_rows[] = {
    { "PRI-02/read", PT_OP_READ, 0, ATA_READ },
    { "PRI-02/write", PT_OP_WRITE, 0, ATA_WRITE },
    { "PRI-02/exec", PT_OP_READ, PT_FLAG_EXEC, ATA_READ | ATA_EXEC },
    { "PRI-02/priv", PT_OP_READ, PT_FLAG_PRIV, ATA_READ | ATA_PRIV },
};

static void test_look(const void *opaque)
{
    const LookRow *row = opaque;
    QPtOp op = agent_op(row->cmd, AGENT_PASID, AT(0) + 0x123, 8);
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    op.flags |= row->flags;
    qpt_run(&lab.d, 0, &op);
    r = agent_take_kind(&lab, ATA_PAGE_REQUEST);
    g_assert_cmpuint(r.kind, ==, ATA_PAGE_REQUEST);
    g_assert_cmphex(r.rid, ==, lab.d.rid);
    g_assert_cmphex(r.addr, ==, AT(0));
    g_assert_cmphex(r.flags, ==, row->sent | ATA_LAST);
    agent_lab_stop(&lab);
}

/* PRI-06: one RID, PASID and index a group, L in its last request alone */
static void test_group(void)
{
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    start(&lab, 0, 0, 4, 4);
    for (unsigned int i = 0; i < 4; i++) {
        r = agent_take_kind(&lab, ATA_PAGE_REQUEST);
        g_assert_cmphex(r.rid, ==, lab.d.rid);
        g_assert_cmphex(r.pasid, ==, AGENT_PASID);
        g_assert_cmphex(r.tag, ==, 0);
        g_assert_cmphex(r.addr, ==, AT(i));
        g_assert_cmphex(r.flags, ==, ATA_WRITE | (i == 3 ? ATA_LAST : 0));
    }
    g_assert_cmpuint(agent_count(&lab, ATA_PAGE_REQUEST), ==, 0);
    agent_lab_stop(&lab);
}

typedef struct IndexRow {
    const char *name;
    const char *dev;
} IndexRow;

static const IndexRow index_rows[] = {
    { "PRI-05/round-robin", "channels=40" },
    { "PRI-05/lowest", "channels=40,prgi-policy=immediate" },
};

/* PRI-05: groups that are outstanding have different indices */
static void test_indices(const void *opaque)
{
    const IndexRow *row = opaque;
    AgentRecord r;
    uint64_t seen = 0;
    AgentLab lab;

    agent_lab_start(&lab, row->dev, 0);
    for (unsigned int i = 0; i < 40; i++) {
        r = agent_fault(&lab, i, AGENT_PASID, AT(i));
        g_assert_cmpuint(r.tag, <, 64);
        g_assert_cmphex(seen & 1ULL << r.tag, ==, 0);
        seen |= 1ULL << r.tag;
    }
    agent_lab_stop(&lab);
}

/* -- Credits --------------------------------------------------------------- */

/* PRI-03: a credit a request, back with the response */
static void test_credits(void)
{
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 3);
    for (unsigned int i = 0; i < 5; i++) {
        start(&lab, i, i, 1, 1);
    }
    g_assert_cmpuint(agent_count(&lab, ATA_PAGE_REQUEST), ==, 3);
    serve(&lab, 1, 1, 1);
    g_assert_cmpuint(qpt_wait(&lab.d, 1), ==, PT_ST_DONE);
    r = agent_take_kind(&lab, ATA_PAGE_REQUEST);
    g_assert_cmphex(r.addr, ==, AT(3));
    g_assert_cmpuint(agent_count(&lab, ATA_PAGE_REQUEST), ==, 0);
    agent_lab_stop(&lab);
}

/* PRI-03: a stop marker needs none */
static void test_marker_credit(void)
{
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 1);
    agent_fault(&lab, 0, AGENT_PASID, AT(0));
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_CREDITS), ==, 0);
    qpt_writel(&lab.d, PT_STOP_PASID, OTHER_PASID | PT_STOP_MARKER);
    r = agent_take_kind(&lab, ATA_PAGE_REQUEST);
    g_assert_cmphex(r.pasid, ==, OTHER_PASID);
    g_assert_cmphex(r.flags, ==, ATA_LAST);
    agent_lab_stop(&lab);
}

/* PRI-04: a group is sent when there are credits for all of it */
static void test_whole_group(void)
{
    AgentLab lab;

    agent_lab_start(&lab, NULL, 4);
    start(&lab, 0, 0, 3, 3);
    g_assert_cmpuint(agent_count(&lab, ATA_PAGE_REQUEST), ==, 3);
    start(&lab, 1, 8, 2, 2);
    g_assert_cmpuint(agent_count(&lab, ATA_PAGE_REQUEST), ==, 0);
    serve(&lab, 0, 3, 0);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmpuint(agent_count(&lab, ATA_PAGE_REQUEST), ==, 2);
    agent_lab_stop(&lab);
}

/* PRI-34: a group has no more pages than the allocation */
static void test_allocation(void)
{
    AgentLab lab;

    agent_lab_start(&lab, NULL, 2);
    start(&lab, 0, 0, 8, 8);
    g_assert_cmpuint(agent_count(&lab, ATA_PAGE_REQUEST), ==, 2);
    agent_lab_stop(&lab);
}

/* PASID-03: PASIDs share the credits */
static void test_shared(void)
{
    QPtOp op = agent_op(PT_OP_WRITE, OTHER_PASID, AT(0), 8);
    AgentLab lab;

    agent_lab_start(&lab, NULL, 1);
    agent_fault(&lab, 0, AGENT_PASID, AT(0));
    qpt_start(&lab.d, 1, &op);
    g_assert_cmpuint(qpt_wait(&lab.d, 1), ==, PT_ST_RUNNING);
    g_assert_cmpuint(agent_count(&lab, ATA_PAGE_REQUEST), ==, 0);
    serve(&lab, 0, 1, 0);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmphex(agent_take_kind(&lab, ATA_PAGE_REQUEST).pasid, ==,
                    OTHER_PASID);
    agent_lab_stop(&lab);
}

/* -- What is lost before the turn of a channel ----------------------------- */

static void set_ats(AgentLab *lab, uint16_t ctl)
{
    qpt_config_writew(&lab->d, lab->d.ats + QPT_ATS_CTRL, ctl);
}

static void lose_pri(AgentLab *lab)
{
    qpt_pri_disable(&lab->d);
}

static void lose_allocation(AgentLab *lab)
{
    qpt_pri_disable(&lab->d);
    qpt_config_writel(&lab->d, lab->d.pri + QPT_PRI_ALLOC, 0);
    qpt_config_writew(&lab->d, lab->d.pri + QPT_PRI_CTRL, QPT_PRI_CTRL_E);
}

static void lose_pasid(AgentLab *lab)
{
    set_ats(lab, 0);
    qpt_config_writew(&lab->d, lab->d.pasid + QPT_PASID_CTRL, 0);
    set_ats(lab, QPT_ATS_CTRL_E);
}

static void lose_master(AgentLab *lab)
{
    qpt_config_writew(&lab->d, 4, 2);
}

typedef struct LoseRow {
    const char *name;
    void (*lose)(AgentLab *lab);
} LoseRow;

static const LoseRow again_rows[] = {
    { "PRI-01/again-pri-off", lose_pri },
    { "PRI-34/again-no-allocation", lose_allocation },
    { "PRI-01/again-pasid-off", lose_pasid },
    { "PRI-01/again-no-master", lose_master },
};

/* It would send the request again, without a translation before it */
static void test_again(const void *opaque)
{
    const LoseRow *row = opaque;
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, "retry=request", 0);
    r = agent_fault(&lab, 0, AGENT_PASID, AT(0));
    row->lose(&lab);
    agent_respond(&lab, AGENT_PASID, r.tag, QPT_SUCCESS);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_NO_PRI);
    g_assert_cmpuint(agent_count(&lab, ATA_PAGE_REQUEST), ==, 0);
    agent_lab_stop(&lab);
}

static const LoseRow waits_rows[] = {
    { "PRI-31/waits-pri-off", lose_pri },
    { "PRI-34/waits-no-allocation", lose_allocation },
};

/* It has waited for credits, and ends */
static void test_waits(const void *opaque)
{
    const LoseRow *row = opaque;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 1);
    agent_fault(&lab, 0, AGENT_PASID, AT(0));
    start(&lab, 1, 1, 1, 1);
    /* it looks when all is done */
    qtest_qmp_assert_success(lab.qts, "{ 'execute': 'stop' }");
    row->lose(&lab);
    qtest_qmp_assert_success(lab.qts, "{ 'execute': 'cont' }");
    g_assert_cmpuint(qpt_wait(&lab.d, 1), ==, PT_ST_ABORTED);
    g_assert_cmpuint(agent_count(&lab, ATA_PAGE_REQUEST), ==, 0);
    agent_lab_stop(&lab);
}

/* -- Stop of a PASID ------------------------------------------------------- */

static uint32_t stop_status(AgentLab *lab)
{
    return qpt_readl(&lab->d, PT_STOP_STATUS);
}

/* PRI-40: without a marker it has stopped when all is answered */
static void test_stop(void)
{
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    r = agent_fault(&lab, 0, AGENT_PASID, AT(0));
    qpt_writel(&lab.d, PT_STOP_PASID, AGENT_PASID);
    g_assert_cmpuint(stop_status(&lab), ==, PT_STOP_BUSY);
    agent_respond(&lab, AGENT_PASID, r.tag, QPT_SUCCESS);
    g_assert_cmpuint(stop_status(&lab), ==, PT_STOP_DONE);
    g_assert_cmpuint(agent_count(&lab, ATA_PAGE_REQUEST), ==, 0);
    agent_lab_stop(&lab);
}

/* PRI-41: with one at once; PRI-42: which is behind the requests */
static void test_marker(void)
{
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    start(&lab, 0, 0, 2, 2);
    qpt_writel(&lab.d, PT_STOP_PASID, AGENT_PASID | PT_STOP_MARKER);
    g_assert_cmpuint(stop_status(&lab), ==, PT_STOP_DONE);
    for (unsigned int i = 0; i < 2; i++) {
        r = agent_take_kind(&lab, ATA_PAGE_REQUEST);
        g_assert_cmphex(r.addr, ==, AT(i));
    }
    r = agent_take(&lab);
    g_assert_cmpuint(r.kind, ==, ATA_PAGE_REQUEST);
    g_assert_cmphex(r.rid, ==, lab.d.rid);
    g_assert_cmphex(r.pasid, ==, AGENT_PASID);
    g_assert_cmphex(r.addr, ==, 0);
    g_assert_cmphex(r.tag, ==, 0);
    g_assert_cmphex(r.flags, ==, ATA_LAST);
    g_assert_cmpuint(agent_records(&lab), ==, 0);
    agent_lab_stop(&lab);
}

typedef struct MarkerRow {
    const char *name;
    const char *dev;
    unsigned int n;             /* messages */
    uint32_t pasid;
    uint64_t addr;
    uint32_t tag;
} MarkerRow;

#define DIRT_ADDR       0x00005aa5a55a5000ULL
#define DIRT_TAG        0x1e0

static const MarkerRow marker_rows[] = {
    { "PRI-42/ok", "stop-marker=ok", 1, AGENT_PASID, 0, 0 },
    { "PRI-42/none", "stop-marker=none", 0, 0, 0, 0 },
    { "PRI-42/no-pasid", "stop-marker=no-pasid", 1, QPT_NO_PASID, 0, 0 },
    { "PRI-42/type", "stop-marker=type", 1, AGENT_PASID, 0, 1 },
    { "PRI-42/dirty", "stop-marker=dirty", 1, AGENT_PASID, DIRT_ADDR,
      DIRT_TAG },
};

/* PRI-42: what it looks like, and what the knob makes of it */
static void test_markers(const void *opaque)
{
    const MarkerRow *row = opaque;
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, row->dev, 0);
    qpt_writel(&lab.d, PT_STOP_PASID, AGENT_PASID | PT_STOP_MARKER);
    g_assert_cmpuint(stop_status(&lab), ==, PT_STOP_DONE);
    g_assert_cmpuint(agent_records(&lab), ==, row->n);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_STOP_MARKERS), ==, row->n);
    if (row->n) {
        r = agent_take(&lab);
        g_assert_cmpuint(r.kind, ==, ATA_PAGE_REQUEST);
        g_assert_cmphex(r.flags, ==, ATA_LAST);
        g_assert_cmphex(r.pasid, ==, row->pasid);
        g_assert_cmphex(r.addr, ==, row->addr);
        g_assert_cmphex(r.tag, ==, row->tag);
    }
    agent_lab_stop(&lab);
}

/* PRI-44: who has the PASID next is not ended by a response from before it */
static void test_next_user(void)
{
    AgentRecord before, after;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    before = agent_fault(&lab, 0, AGENT_PASID, AT(0));
    qpt_writel(&lab.d, PT_STOP_PASID, AGENT_PASID | PT_STOP_MARKER);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_ABORTED);
    after = agent_fault(&lab, 1, AGENT_PASID, AT(0));
    g_assert_cmphex(after.tag, !=, before.tag);
    agent_respond(&lab, AGENT_PASID, before.tag, QPT_INVALID_REQUEST);
    g_assert_cmpuint(qpt_wait(&lab.d, 1), ==, PT_ST_RUNNING);
    agent_respond(&lab, AGENT_PASID, after.tag, QPT_INVALID_REQUEST);
    g_assert_cmpuint(qpt_wait(&lab.d, 1), ==, PT_ST_INVALID_REQUEST);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_UNEXPECTED), ==, 0);
    agent_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    agent_test_init(&argc, &argv);

    LAB_ADD_ROWS("/agent/pri", enable_rows, test_enables);
    LAB_ADD_ROWS("/agent/pri", look_rows, test_look);
    qtest_add_func("/agent/pri/PRI-06/group", test_group);
    LAB_ADD_ROWS("/agent/pri", index_rows, test_indices);
    qtest_add_func("/agent/pri/PRI-03/credits", test_credits);
    qtest_add_func("/agent/pri/PRI-03/marker", test_marker_credit);
    qtest_add_func("/agent/pri/PRI-04/whole-group", test_whole_group);
    qtest_add_func("/agent/pri/PRI-34/allocation", test_allocation);
    qtest_add_func("/agent/pri/PASID-03/shared", test_shared);
    LAB_ADD_ROWS("/agent/pri", again_rows, test_again);
    LAB_ADD_ROWS("/agent/pri", waits_rows, test_waits);
    qtest_add_func("/agent/stop/PRI-40/no-marker", test_stop);
    qtest_add_func("/agent/stop/PRI-41/PRI-42/marker", test_marker);
    LAB_ADD_ROWS("/agent/stop", marker_rows, test_markers);
    qtest_add_func("/agent/stop/PRI-44/next-user", test_next_user);

    return g_test_run();
}
