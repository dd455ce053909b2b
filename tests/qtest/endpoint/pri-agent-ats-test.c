/*
 * Translations of a function and its ATC, behind an IOMMU that does as told
 *
 * What the function puts on the link is looked at message by message, so these
 * tests hold for any IOMMU.  PCIe 6.2 10.2, 10.3, 6.20
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/agent.h"

#define RW              (ATA_READ | ATA_WRITE)
#define PATTERN         0x1122334455667788ULL

static void set_ats(AgentLab *lab, uint16_t ctl)
{
    qpt_config_writew(&lab->d, lab->d.ats + QPT_ATS_CTRL, ctl);
}

static void set_pasid(AgentLab *lab, uint16_t ctl)
{
    set_ats(lab, 0);
    qpt_config_writew(&lab->d, lab->d.pasid + QPT_PASID_CTRL, ctl);
    set_ats(lab, QPT_ATS_CTRL_E);
}

/* A page at AGENT_IOVA; returns where it is */
static uint64_t map_page(AgentLab *lab, unsigned int n, uint32_t flags)
{
    uint64_t pa = AGENT_RAM + n * AGENT_PAGE;

    agent_map(lab, AGENT_PASID, AGENT_IOVA, pa, AGENT_PAGE, flags);
    return pa;
}

static uint32_t fill(AgentLab *lab, uint64_t pattern)
{
    QPtOp op = agent_op(PT_OP_FILL, AGENT_PASID, AGENT_IOVA, 8);

    op.pattern = pattern;
    op.flags |= PT_FLAG_NO_PRI;
    return qpt_run(&lab->d, 0, &op);
}

/* -- Translation Requests -------------------------------------------------- */

typedef struct AccessRow {
    const char *name;
    uint32_t cmd;
    uint32_t flags;
} AccessRow;

/* ATS-02: who only reads asks for no write permission */
static void test_no_write(const void *opaque)
{
    const AccessRow *row = opaque;
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    map_page(&lab, 0, RW);
    g_assert_cmpuint(agent_touch(&lab, row->cmd, AGENT_PASID, AGENT_IOVA), ==,
                     PT_ST_DONE);
    r = agent_take(&lab);
    g_assert_cmpuint(r.kind, ==, ATA_TRANSLATION);
    g_assert_cmphex(r.rid, ==, lab.d.rid);
    g_assert_cmphex(r.pasid, ==, AGENT_PASID);
    g_assert_cmphex(r.addr, ==, AGENT_IOVA);
    g_assert_cmphex(r.flags, ==, row->flags);
    agent_lab_stop(&lab);
}

typedef struct FailRow {
    const char *name;
    uint32_t code;
    uint32_t status;
    unsigned int counter;
} FailRow;

/* ATS-01: UR and CA end the access; nobody asks for the page */
static void test_fails(const void *opaque)
{
    const FailRow *row = opaque;
    QPtOp op = agent_op(PT_OP_READ, AGENT_PASID, AGENT_IOVA, 8);
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    agent_fail(&lab, AGENT_PASID, AGENT_IOVA, row->code);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, row->status);
    g_assert_cmpuint(qpt_readq(&lab.d, row->counter), ==, 1);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 0);
    g_assert_cmpuint(agent_count(&lab, ATA_PAGE_REQUEST), ==, 0);
    agent_lab_stop(&lab);
}

/* ATS-01: the translation of another page is not used, and it is noted */
static void test_another(void)
{
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    map_page(&lab, 0, RW | ATA_BEHIND);
    g_assert_cmpuint(agent_touch(&lab, PT_OP_READ, AGENT_PASID, AGENT_IOVA),
                     ==, PT_ST_TRANS_CA);
    g_assert_cmpuint(agent_count(&lab, ATA_TRANSLATED), ==, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 0);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_VIOLATIONS), ==, 1);
    agent_lab_stop(&lab);
}

/* ATS-05: who may read may not execute for that, until the IOMMU says so */
static void test_exec(void)
{
    QPtOp op = agent_op(PT_OP_READ, AGENT_PASID, AGENT_IOVA, 8);
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    op.flags |= PT_FLAG_EXEC | PT_FLAG_NO_PRI;
    map_page(&lab, 0, ATA_READ);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_NO_PRI);
    g_assert_true(agent_cached(&lab, AGENT_PASID, AGENT_IOVA));
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_NO_PRI);
    map_page(&lab, 0, ATA_READ | ATA_EXEC);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
    agent_lab_stop(&lab);
}

/* ATS-01: one answer for eight pages is asked for once */
static void test_large(void)
{
    QPtOp op = agent_op(PT_OP_READ, AGENT_PASID, AGENT_IOVA, 8 * AGENT_PAGE);
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    agent_map(&lab, AGENT_PASID, AGENT_IOVA, AGENT_RAM, 8 * AGENT_PAGE, RW);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
    g_assert_cmpuint(agent_take(&lab).kind, ==, ATA_TRANSLATION);
    for (unsigned int i = 0; i < 8; i++) {
        r = agent_take(&lab);
        g_assert_cmpuint(r.kind, ==, ATA_TRANSLATED);
        g_assert_cmphex(r.addr, ==, AGENT_RAM + i * AGENT_PAGE);
    }
    g_assert_cmpuint(agent_records(&lab), ==, 0);
    agent_lab_stop(&lab);
}

/* ATS-03: an answer without permissions is asked for again each time */
static void test_absent(void)
{
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    for (unsigned int i = 0; i < 2; i++) {
        g_assert_cmpuint(agent_touch(&lab, PT_OP_READ, AGENT_PASID,
                                     AGENT_IOVA), ==, PT_ST_NO_PRI);
    }
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 0);
    g_assert_cmpuint(agent_count(&lab, ATA_TRANSLATION), ==, 2);
    agent_lab_stop(&lab);
}

/* ATS-03: U=1: the access is an untranslated request, and nothing is cached */
static void test_untranslated_only(void)
{
    uint64_t pa;
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    pa = map_page(&lab, 0, RW | ATA_UNTRANSLATED_ONLY);
    for (unsigned int i = 0; i < 2; i++) {
        g_assert_cmpuint(fill(&lab, PATTERN), ==, PT_ST_DONE);
        g_assert_cmpuint(agent_take(&lab).kind, ==, ATA_TRANSLATION);
        r = agent_take(&lab);
        g_assert_cmpuint(r.kind, ==, ATA_UNTRANSLATED);
        g_assert_cmphex(r.addr, ==, AGENT_IOVA);
        g_assert_cmphex(r.pasid, ==, AGENT_PASID);
    }
    g_assert_cmphex(qtest_readq(lab.qts, pa), ==, PATTERN);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 0);
    agent_lab_stop(&lab);
}

/* ATS-05: who may read and wants to write asks again */
static void test_upgrade(void)
{
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    map_page(&lab, 0, ATA_READ);
    g_assert_false(agent_cached(&lab, AGENT_PASID, AGENT_IOVA));
    g_assert_cmpuint(fill(&lab, PATTERN), ==, PT_ST_NO_PRI);
    map_page(&lab, 0, RW);
    agent_forget(&lab);
    g_assert_cmpuint(fill(&lab, PATTERN), ==, PT_ST_DONE);
    g_assert_cmpuint(agent_count(&lab, ATA_TRANSLATION), ==, 1);
    g_assert_true(agent_cached(&lab, AGENT_PASID, AGENT_IOVA));
    agent_lab_stop(&lab);
}

/* ATS-05: with E=0 nothing is asked for, and what is cached is not used */
static void test_disabled(void)
{
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    map_page(&lab, 0, RW);
    g_assert_false(agent_cached(&lab, AGENT_PASID, AGENT_IOVA));
    set_ats(&lab, 0);
    g_assert_cmpuint(agent_touch(&lab, PT_OP_READ, AGENT_PASID, AGENT_IOVA),
                     ==, PT_ST_NOT_ENABLED);
    g_assert_cmpuint(agent_records(&lab), ==, 0);
    agent_lab_stop(&lab);
}

typedef struct StuRow {
    const char *name;
    unsigned int stu;           /* 4 KiB << stu */
    uint64_t size;              /* of the translation; 0: there is none */
    uint32_t status;
} StuRow;

/* ATS-13: less than the STU is as good as UR, no permission included */
static void test_stu(const void *opaque)
{
    const StuRow *row = opaque;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    set_ats(&lab, 0);
    set_ats(&lab, QPT_ATS_CTRL_E | row->stu);
    if (row->size) {
        agent_map(&lab, AGENT_PASID, AGENT_IOVA, AGENT_RAM, row->size, RW);
    }
    g_assert_cmpuint(agent_touch(&lab, PT_OP_READ, AGENT_PASID, AGENT_IOVA),
                     ==, row->status);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==,
                     row->status == PT_ST_DONE);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_TRANS_UR), ==,
                     row->status == PT_ST_TRANS_UR);
    agent_lab_stop(&lab);
}

/* -- The ATC --------------------------------------------------------------- */

/* ATS-21: the old page until the completion, the new one after it */
static void test_stale(void)
{
    uint64_t old, fresh;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    old = map_page(&lab, 0, RW);
    g_assert_cmpuint(fill(&lab, PATTERN), ==, PT_ST_DONE);
    fresh = map_page(&lab, 1, RW);
    g_assert_cmpuint(fill(&lab, PATTERN + 1), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(lab.qts, old), ==, PATTERN + 1);

    agent_forget(&lab);
    agent_invalidate(&lab, AGENT_PASID, AGENT_IOVA, 3, 0);
    g_assert_cmpuint(agent_take(&lab).kind, ==, ATA_INV_COMPLETION);
    g_assert_cmpuint(fill(&lab, PATTERN + 2), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(lab.qts, old), ==, PATTERN + 1);
    g_assert_cmphex(qtest_readq(lab.qts, fresh), ==, PATTERN + 2);
    agent_lab_stop(&lab);
}

/* ATS-27: E 0 to 1 drops everything, 1 to 0 does not */
static void test_enable(void)
{
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    map_page(&lab, 0, RW);
    g_assert_false(agent_cached(&lab, AGENT_PASID, AGENT_IOVA));
    set_ats(&lab, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 1);
    set_ats(&lab, QPT_ATS_CTRL_E);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 0);
    g_assert_false(agent_cached(&lab, AGENT_PASID, AGENT_IOVA));
    agent_lab_stop(&lab);
}

/* ATS-21: a PASID, another one and none have entries of their own */
static void test_spaces(void)
{
    static const uint32_t pasids[] = {
        AGENT_PASID, AGENT_PASID ^ 1, QPT_NO_PASID
    };
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(pasids); i++) {
        agent_map(&lab, pasids[i], AGENT_IOVA, AGENT_RAM, AGENT_PAGE, RW);
        g_assert_false(agent_cached(&lab, pasids[i], AGENT_IOVA));
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(pasids); i++) {
        g_assert_true(agent_cached(&lab, pasids[i], AGENT_IOVA));
    }
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 3);
    agent_lab_stop(&lab);
}

/* -- PASID ----------------------------------------------------------------- */

typedef struct PasidRow {
    const char *name;
    uint16_t ctl;
    uint32_t flags;             /* of the operation */
    uint32_t status;
    uint32_t sent;              /* in the Translation Request */
} PasidRow;

/* PASID-01: each bit of the prefix has its own enable, or is not sent */
static void test_pasid(const void *opaque)
{
    const PasidRow *row = opaque;
    QPtOp op = agent_op(PT_OP_READ, AGENT_PASID, AGENT_IOVA, 8);
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    set_pasid(&lab, row->ctl);
    map_page(&lab, 0, RW | ATA_EXEC);
    op.flags |= row->flags;
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, row->status);
    r = agent_take_kind(&lab, ATA_TRANSLATION);
    if (row->status == PT_ST_DONE) {
        g_assert_cmphex(r.pasid, ==, AGENT_PASID);
        g_assert_cmphex(r.flags, ==, row->sent | ATA_NO_WRITE);
    } else {
        g_assert_cmpuint(r.kind, ==, ATA_NOTHING);
    }
    agent_lab_stop(&lab);
}

/* PASID-01: what needs no prefix goes on without the enable */
static void test_no_pasid(void)
{
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    set_pasid(&lab, 0);
    agent_map(&lab, QPT_NO_PASID, AGENT_IOVA, AGENT_RAM, AGENT_PAGE, RW);
    g_assert_cmpuint(agent_touch(&lab, PT_OP_READ, QPT_NO_PASID, AGENT_IOVA),
                     ==, PT_ST_DONE);
    agent_lab_stop(&lab);
}

/* PASID-01: the width, and bits of control that the function does not have */
static void test_width(void)
{
    AgentLab lab;

    agent_lab_start(&lab, "pasid-bits=8,pasid-exec=off,pasid-priv=off", 0);
    g_assert_cmpuint(agent_touch(&lab, PT_OP_READ, 0x100, AGENT_IOVA), ==,
                     PT_ST_BAD_COMMAND);
    g_assert_cmpuint(agent_records(&lab), ==, 0);
    g_assert_cmpuint(agent_touch(&lab, PT_OP_READ, 0xff, AGENT_IOVA), ==,
                     PT_ST_NO_PRI);
    g_assert_cmphex(agent_take(&lab).pasid, ==, 0xff);
    set_pasid(&lab, 0xffff);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.pasid + QPT_PASID_CTRL),
                    ==, QPT_PASID_CTRL_E);
    agent_lab_stop(&lab);
}

/* PASID-02: a Translated Request carries none */
static void test_translated(void)
{
    AgentRecord r;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    map_page(&lab, 0, RW);
    g_assert_cmpuint(fill(&lab, PATTERN), ==, PT_ST_DONE);
    r = agent_take_kind(&lab, ATA_TRANSLATED);
    g_assert_cmphex(r.pasid, ==, ATA_NO_PASID);
    g_assert_cmphex(r.addr, ==, AGENT_RAM);
    g_assert_cmphex(r.flags, ==, ATA_WRITE);
    agent_lab_stop(&lab);
}

/* PASID-04: PASIDs without ATS: no Translation Request, no completion */
static void test_no_ats(void)
{
    QPtOp op = agent_op(PT_OP_FILL, AGENT_PASID, AGENT_IOVA, 8);
    AgentRecord r;
    uint64_t pa;
    AgentLab lab;

    agent_lab_start(&lab, "ats=off,pri=off", 0);
    pa = map_page(&lab, 0, RW);
    op.flags |= PT_FLAG_UNTRANSLATED;
    op.pattern = PATTERN;
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
    r = agent_take(&lab);
    g_assert_cmpuint(r.kind, ==, ATA_UNTRANSLATED);
    g_assert_cmphex(r.pasid, ==, AGENT_PASID);
    g_assert_cmphex(r.addr, ==, AGENT_IOVA);
    g_assert_cmphex(qtest_readq(lab.qts, pa), ==, PATTERN);
    agent_invalidate(&lab, AGENT_PASID, AGENT_INV_ALL, 0, ATA_INV_SIZE);
    g_assert_cmpuint(agent_records(&lab), ==, 0);
    agent_lab_stop(&lab);
}

/* -- Rows ------------------------------------------------------------------ */

#define E               QPT_PASID_CTRL_E
#define PRIV            QPT_PASID_CTRL_PRIV
#define EXEC            QPT_PASID_CTRL_EXEC

static const FailRow fail_rows[] = {
    { "ATS-01/ur", ATA_TR_UR, PT_ST_TRANS_UR, PT_CNT_TRANS_UR },
    { "ATS-01/ca", ATA_TR_CA, PT_ST_TRANS_CA, PT_CNT_TRANS_CA },
};

static const AccessRow access_rows[] = {
    { "ATS-02/read", PT_OP_READ, ATA_NO_WRITE },
    { "ATS-02/write", PT_OP_WRITE, 0 },
};

static const StuRow stu_rows[] = {
    { "ATS-13/as-large", 1, 2 * AGENT_PAGE, PT_ST_DONE },
    { "ATS-13/larger", 1, 4 * AGENT_PAGE, PT_ST_DONE },
    { "ATS-13/smaller", 1, AGENT_PAGE, PT_ST_TRANS_UR },
    { "ATS-13/absent", 1, 0, PT_ST_TRANS_UR },
    { "ATS-13/absent-4k", 0, 0, PT_ST_NO_PRI },
    { "ATS-13/as-large-32k", 3, 8 * AGENT_PAGE, PT_ST_DONE },
    { "ATS-13/smaller-64k", 4, 8 * AGENT_PAGE, PT_ST_TRANS_UR },
};

static const PasidRow pasid_rows[] = {
    { "PASID-01/disabled", 0, 0, PT_ST_NOT_ENABLED, 0 },
    { "PASID-01/enabled", E, 0, PT_ST_DONE, 0 },
    { "PASID-01/priv-without", E | EXEC, PT_FLAG_PRIV, PT_ST_NOT_ENABLED, 0 },
    { "PASID-01/exec-without", E | PRIV, PT_FLAG_EXEC, PT_ST_NOT_ENABLED, 0 },
    { "PASID-01/priv", E | PRIV, PT_FLAG_PRIV, PT_ST_DONE, ATA_PRIV },
    { "PASID-01/exec", E | EXEC, PT_FLAG_EXEC, PT_ST_DONE, ATA_EXEC },
};

int main(int argc, char **argv)
{
    agent_test_init(&argc, &argv);

    LAB_ADD_ROWS("/agent/ats", fail_rows, test_fails);
    qtest_add_func("/agent/ats/ATS-01/another-page", test_another);
    qtest_add_func("/agent/ats/ATS-05/exec", test_exec);
    qtest_add_func("/agent/ats/ATS-01/large", test_large);
    LAB_ADD_ROWS("/agent/ats", access_rows, test_no_write);
    qtest_add_func("/agent/ats/ATS-03/absent", test_absent);
    qtest_add_func("/agent/ats/ATS-03/untranslated-only",
                   test_untranslated_only);
    qtest_add_func("/agent/ats/ATS-05/upgrade", test_upgrade);
    qtest_add_func("/agent/ats/ATS-05/disabled", test_disabled);
    LAB_ADD_ROWS("/agent/ats", stu_rows, test_stu);
    qtest_add_func("/agent/ats/ATS-21/stale", test_stale);
    qtest_add_func("/agent/ats/ATS-21/spaces", test_spaces);
    qtest_add_func("/agent/ats/ATS-27/enable", test_enable);
    LAB_ADD_ROWS("/agent/pasid", pasid_rows, test_pasid);
    qtest_add_func("/agent/pasid/PASID-01/none", test_no_pasid);
    qtest_add_func("/agent/pasid/PASID-01/width", test_width);
    qtest_add_func("/agent/pasid/PASID-02/translated", test_translated);
    qtest_add_func("/agent/pasid/PASID-04/untranslated", test_no_ats);

    return g_test_run();
}
