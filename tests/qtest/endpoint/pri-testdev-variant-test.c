/*
 * pri-testdev: functions that lack a capability, or have an unusual one
 *
 * Behind an IOMMU that does as told.  PCIe 6.2 10.2, 10.5; what a driver meets
 * in hardware of other makers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/agent.h"

#define RW              (ATA_READ | ATA_WRITE)

static void map(AgentLab *lab, uint32_t pasid)
{
    agent_map(lab, pasid, AGENT_IOVA, AGENT_RAM, AGENT_PAGE, RW);
}

/* Channel 0 writes to the page of AGENT_IOVA and may ask for it */
static uint32_t fill(AgentLab *lab, uint32_t pasid)
{
    QPtOp op = agent_op(PT_OP_FILL, pasid, AGENT_IOVA, 8);

    return qpt_run(&lab->d, 0, &op);
}

/* -- Functions that lack something ----------------------------------------- */

/* ATS alone: it translates, and ends where a page is absent */
static void test_ats_only(void)
{
    AgentLab lab;

    agent_lab_start(&lab, "pri=off,pasid=off", 0);
    g_assert_cmphex(lab.d.pri, ==, 0);
    g_assert_cmphex(lab.d.pasid, ==, 0);
    g_assert_cmpuint(fill(&lab, AGENT_PASID), ==, PT_ST_NOT_ENABLED);
    g_assert_cmpuint(agent_records(&lab), ==, 0);
    g_assert_cmpuint(fill(&lab, QPT_NO_PASID), ==, PT_ST_NO_PRI);
    g_assert_cmpuint(agent_count(&lab, ATA_PAGE_REQUEST), ==, 0);
    map(&lab, QPT_NO_PASID);
    g_assert_cmpuint(fill(&lab, QPT_NO_PASID), ==, PT_ST_DONE);
    agent_lab_stop(&lab);
}

/* and takes a response that nobody can have asked for */
static void test_ats_only_response(void)
{
    AgentLab lab;

    agent_lab_start(&lab, "pri=off,pasid=off", 0);
    agent_respond(&lab, QPT_NO_PASID, 3, QPT_SUCCESS);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_VIOLATIONS), ==, 1);
    agent_lab_stop(&lab);
}

/* PASIDs, but no Page Requests */
static void test_no_pri(void)
{
    AgentLab lab;

    agent_lab_start(&lab, "pri=off", 0);
    g_assert_cmphex(lab.d.pri, ==, 0);
    g_assert_cmphex(lab.d.pasid, !=, 0);
    g_assert_cmpuint(fill(&lab, AGENT_PASID), ==, PT_ST_NO_PRI);
    g_assert_cmpuint(agent_count(&lab, ATA_PAGE_REQUEST), ==, 0);
    map(&lab, AGENT_PASID);
    g_assert_cmpuint(fill(&lab, AGENT_PASID), ==, PT_ST_DONE);
    agent_lab_stop(&lab);
}

/* PRI-24, LNX-02: PRG Response PASID Required is 0 */
static void test_par_0(void)
{
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, "prg-resp-pasid-required=off", 0);
    g_assert_cmphex(agent_pri_status(&lab) & QPT_PRI_STATUS_PASID, ==, 0);
    r = agent_fault(&lab, 0, AGENT_PASID, AGENT_IOVA);
    map(&lab, AGENT_PASID);
    agent_respond(&lab, QPT_NO_PASID, r.tag, QPT_SUCCESS);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_VIOLATIONS), ==, 0);
    agent_lab_stop(&lab);
}

/* PRI-24: a raw request is matched by its index as well, PASID or not */
static void test_par_0_raw(void)
{
    QPtRaw raw = {
        .addr = AGENT_IOVA, .pasid = AGENT_PASID, .prgi = 40,
        .flags = PT_RAW_READ | PT_RAW_LAST,
    };
    uint32_t prgi = 0, pasid = 0;
    AgentLab lab;

    agent_lab_start(&lab, "prg-resp-pasid-required=off", 0);
    qpt_raw(&lab.d, &raw);
    agent_respond(&lab, AGENT_PASID, 40, QPT_SUCCESS);
    g_assert_cmphex(qpt_raw_response(&lab.d, &prgi, &pasid), ==, QPT_SUCCESS);
    g_assert_cmphex(prgi, ==, 40);
    g_assert_cmphex(pasid, ==, AGENT_PASID);
    agent_lab_stop(&lab);
}

#define STATUS          0x06        /* of the header */

/* What would be a control register, were there its capability, is not one */
static void test_absent(void)
{
    QPtOp op = agent_op(PT_OP_FILL, AGENT_PASID, AGENT_IOVA, 8);
    AgentLab lab;

    agent_lab_start(&lab, "ats=off,pri=off,pasid=off", 0);
    map(&lab, AGENT_PASID);
    map(&lab, QPT_NO_PASID);
    qpt_config_writew(&lab.d, STATUS, 0xffff);
    g_assert_cmpuint(fill(&lab, AGENT_PASID), ==, PT_ST_NOT_ENABLED);
    g_assert_cmpuint(fill(&lab, QPT_NO_PASID), ==, PT_ST_NOT_ENABLED);
    op.flags |= PT_FLAG_UNTRANSLATED;
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_NOT_ENABLED);
    g_assert_cmpuint(agent_records(&lab), ==, 0);
    agent_lab_stop(&lab);
}

typedef struct AlignedRow {
    const char *name;
    const char *dev;
    uint16_t cap;               /* Page Aligned Request */
    uint64_t addr;
} AlignedRow;

static const AlignedRow aligned_rows[] = {
    { "ATS-08/aligned", "page-aligned=on", 1 << 5, AGENT_IOVA },
    { "ATS-08/unaligned", "page-aligned=off", 0, AGENT_IOVA + 0x120 },
};

/* ATS-08: without Page Aligned Request the low bits but two are anything */
static void test_aligned(const void *opaque)
{
    const AlignedRow *row = opaque;
    AgentLab lab;

    agent_lab_start(&lab, row->dev, 0);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.ats + QPT_ATS_CAP) &
                    (1 << 5), ==, row->cap);
    map(&lab, AGENT_PASID);
    g_assert_cmpuint(agent_touch(&lab, PT_OP_WRITE, AGENT_PASID,
                                 AGENT_IOVA + 0x123), ==, PT_ST_DONE);
    g_assert_cmphex(agent_take_kind(&lab, ATA_TRANSLATION).addr, ==,
                    row->addr);
    agent_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    agent_test_init(&argc, &argv);

    qtest_add_func("/pri-testdev/variant/ATS-01/ats-only", test_ats_only);
    qtest_add_func("/pri-testdev/variant/ats-only-response",
                   test_ats_only_response);
    qtest_add_func("/pri-testdev/variant/LNX-05/no-pri", test_no_pri);
    qtest_add_func("/pri-testdev/variant/PRI-24/par-0", test_par_0);
    qtest_add_func("/pri-testdev/variant/PRI-24/par-0-raw", test_par_0_raw);
    qtest_add_func("/pri-testdev/variant/CFG-01/absent", test_absent);
    LAB_ADD_ROWS("/pri-testdev/variant", aligned_rows, test_aligned);

    return g_test_run();
}
