/*
 * Invalidations at a function, behind an IOMMU that does as told
 *
 * What each Invalidate Completion looks like and what is ahead of it is seen on
 * the link.  PCIe 6.2 10.3
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/agent.h"

#define RW              (ATA_READ | ATA_WRITE)
#define OTHER_PASID     0x77
#define ITAG            5
#define PAGES           16
#define ALL16           0xffff
#define AT(page)        (AGENT_IOVA + (page) * AGENT_PAGE)
#define S               ATA_INV_SIZE

static void turn(AgentLab *lab, uint32_t knob, uint64_t value)
{
    g_assert_cmpuint(qpt_knob_set(&lab->d, knob, value), ==, PT_KNOB_OK);
}

/* The next record is the completion of @itag, one of @cc */
static void expect_completion(AgentLab *lab, unsigned int itag, unsigned int cc)
{
    AgentRecord r = agent_take(lab);

    g_assert_cmpuint(r.kind, ==, ATA_INV_COMPLETION);
    g_assert_cmphex(r.rid, ==, lab->d.rid);
    g_assert_cmphex(r.tag, ==, 1u << itag);
    g_assert_cmpuint(r.code, ==, cc);
}

/* -- What is invalidated: ATS-26 ------------------------------------------- */

/* Two PASIDs and none, each with the same pages, all of them cached */
static void fill_three_spaces(AgentLab *lab)
{
    static const uint32_t pasids[] = {
        AGENT_PASID, OTHER_PASID, QPT_NO_PASID
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(pasids); i++) {
        for (unsigned int page = 0; page < PAGES; page++) {
            agent_map(lab, pasids[i], AT(page),
                      AGENT_RAM + page * AGENT_PAGE, AGENT_PAGE, RW);
            g_assert_false(agent_cached(lab, pasids[i], AT(page)));
        }
    }
    g_assert_cmpuint(qpt_readl(&lab->d, PT_ATC_USED), ==, 3 * PAGES);
    agent_forget(lab);
}

static uint16_t survivors(AgentLab *lab, uint32_t pasid)
{
    uint16_t mask = 0;

    for (unsigned int page = 0; page < PAGES; page++) {
        mask |= agent_cached(lab, pasid, AT(page)) << page;
    }
    return mask;
}

typedef struct InvRow {
    const char *name;
    const char *dev;
    uint32_t pasid;
    uint64_t addr;
    uint32_t flags;
    /* what survives of AGENT_PASID, OTHER_PASID and none */
    uint16_t pages, other, none;
} InvRow;

static const InvRow inv_rows[] = {
    /*
     * PCIe 6.2 10.3.8: without PASID, the range of entries without one and
     * every address of those with one
     */
    { "ATS-26/no-pasid-page", NULL, QPT_NO_PASID, AT(3), 0, 0, 0, ALL16 & ~8 },
    { "ATS-26/no-pasid-all", NULL, QPT_NO_PASID, AGENT_INV_ALL, S, 0, 0, 0 },
    { "ATS-26/no-pasid-8k", NULL, QPT_NO_PASID, AT(2), S, 0, 0, ALL16 & ~0xc },
    { "ATS-26/pasid-page", NULL, AGENT_PASID, AT(3), 0, ALL16 & ~8, ALL16,
      ALL16 },
    { "ATS-26/pasid-8k", NULL, AGENT_PASID, AT(2), S, ALL16 & ~0xc, ALL16,
      ALL16 },
    /* 16 KiB and 32 KiB: one and two trailing ones from bit 12 up */
    { "ATS-26/pasid-16k", NULL, AGENT_PASID, AT(4) | 0x1000, S,
      ALL16 & ~0xf0, ALL16, ALL16 },
    { "ATS-26/pasid-32k", NULL, AGENT_PASID, AT(8) | 0x3000, S,
      ALL16 & ~0xff00, ALL16, ALL16 },
    { "ATS-26/pasid-all", NULL, AGENT_PASID, AGENT_INV_ALL, S, 0, ALL16,
      ALL16 },
    { "ATS-26/elsewhere", NULL, AGENT_PASID, AT(32), 0, ALL16, ALL16, ALL16 },
    /* G counts where Global Invalidate is supported, for all PASIDs */
    { "ATS-26/global", "global-invalidate=on", AGENT_PASID, AGENT_INV_ALL,
      S | ATA_INV_GLOBAL, 0, 0, ALL16 },
    { "ATS-26/no-global", "global-invalidate=off", AGENT_PASID, AGENT_INV_ALL,
      S | ATA_INV_GLOBAL, 0, ALL16, ALL16 },
};

static void test_range(const void *opaque)
{
    const InvRow *row = opaque;
    AgentLab lab;

    agent_lab_start(&lab, row->dev, 0);
    fill_three_spaces(&lab);
    agent_invalidate(&lab, row->pasid, row->addr, ITAG, row->flags);
    expect_completion(&lab, ITAG, 1);
    g_assert_cmpuint(agent_records(&lab), ==, 0);
    g_assert_cmphex(survivors(&lab, AGENT_PASID), ==, row->pages);
    g_assert_cmphex(survivors(&lab, OTHER_PASID), ==, row->other);
    g_assert_cmphex(survivors(&lab, QPT_NO_PASID), ==, row->none);
    agent_lab_stop(&lab);
}

typedef struct ForeignRow {
    const char *name;
    uint32_t pasid;
} ForeignRow;

static const ForeignRow foreign_rows[] = {
    { "ATS-26/unused-pasid", 0xff }, { "ATS-26/pasid-too-large", 0x100 },
};

/* ATS-26: a PASID that it does not use, or cannot have, is completed as well */
static void test_foreign_pasid(const void *opaque)
{
    const ForeignRow *row = opaque;
    AgentLab lab;

    agent_lab_start(&lab, "pasid-bits=8", 0);
    agent_invalidate(&lab, row->pasid, AGENT_INV_ALL, ITAG, S);
    expect_completion(&lab, ITAG, 1);
    agent_lab_stop(&lab);
}

/*
 * ATS-25: with an STU of 16 KiB, 4 KiB are rounded up to it.  The translations
 * are from before: those of less than the STU are not taken (ATS-13).
 */
static void test_below_stu(void)
{
    uint16_t at;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    at = lab.d.ats + QPT_ATS_CTRL;
    for (unsigned int page = 0; page < PAGES; page++) {
        agent_map(&lab, AGENT_PASID, AT(page), AGENT_RAM, AGENT_PAGE, RW);
        g_assert_false(agent_cached(&lab, AGENT_PASID, AT(page)));
    }
    qpt_config_writew(&lab.d, at, QPT_ATS_CTRL_E | 2);
    agent_forget(&lab);
    agent_invalidate(&lab, AGENT_PASID, AT(6), ITAG, 0);
    expect_completion(&lab, ITAG, 1);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, PAGES - 4);
    qpt_config_writew(&lab.d, at, QPT_ATS_CTRL_E);
    g_assert_cmphex(survivors(&lab, AGENT_PASID), ==, ALL16 & ~0xf0);
    agent_lab_stop(&lab);
}

/* -- When and how it is completed ------------------------------------------ */

typedef struct WhenRow {
    const char *name;
    bool start;                 /* everything was enabled once */
    uint16_t command;           /* Command register at the invalidation */
    uint16_t ats;               /* ATS Control */
} WhenRow;

static const WhenRow when_rows[] = {
    { "ATS-20/never-enabled", false, 2, 0 },
    { "ATS-20/ats-disabled", true, 6, 0 },
    { "ATS-20/no-bus-master", true, 2, QPT_ATS_CTRL_E },
};

static void test_when(const void *opaque)
{
    const WhenRow *row = opaque;
    AgentLab lab;

    agent_lab_boot(&lab, NULL, NULL);
    if (row->start) {
        qpt_enable(&lab.d, 0);
    }
    qpt_config_writew(&lab.d, lab.d.ats + QPT_ATS_CTRL, row->ats);
    qpt_config_writew(&lab.d, 4, row->command);
    agent_invalidate(&lab, QPT_NO_PASID, AGENT_INV_ALL, ITAG, S);
    expect_completion(&lab, ITAG, 1);
    g_assert_cmpuint(agent_records(&lab), ==, 0);
    agent_lab_stop(&lab);
}

typedef struct CopiesRow {
    const char *name;
    unsigned int n;
} CopiesRow;

static const CopiesRow copies_rows[] = {
    { "ATS-22/two", 2 }, { "ATS-22/eight", 8 },
};

/* ATS-22: as many as the Completion Count in each of them says */
static void test_copies(const void *opaque)
{
    const CopiesRow *row = opaque;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    turn(&lab, PT_KNOB_INV_COPIES, row->n);
    agent_invalidate(&lab, AGENT_PASID, AT(0), ITAG, 0);
    for (unsigned int i = 0; i < row->n; i++) {
        expect_completion(&lab, ITAG, row->n);
    }
    g_assert_cmpuint(agent_records(&lab), ==, 0);
    agent_lab_stop(&lab);
}

/* ATS-23: the completion that is sent first need not be that of the first */
static void test_order(void)
{
    static const unsigned int itags[] = { 4, 31, 0 };
    AgentLab lab;

    agent_lab_start(&lab, "inv-reply=hold", 0);
    for (unsigned int i = 0; i < 3; i++) {
        agent_invalidate(&lab, AGENT_PASID, AT(i), itags[i], 0);
    }
    g_assert_cmpuint(agent_records(&lab), ==, 0);
    turn(&lab, PT_KNOB_INV_RELEASE_LAST, 3);
    for (unsigned int i = 3; i--;) {
        expect_completion(&lab, itags[i], 1);
    }
    agent_lab_stop(&lab);
}

/* ATS-24: all 32 ITags wait at a time, and each is answered once */
static void test_all_itags(void)
{
    AgentLab lab;

    agent_lab_start(&lab, "inv-reply=hold", 0);
    for (unsigned int itag = 0; itag < 32; itag++) {
        agent_invalidate(&lab, AGENT_PASID, AT(0), itag, 0);
    }
    g_assert_cmpuint(qpt_readl(&lab.d, PT_INV_WAITING), ==, 32);
    turn(&lab, PT_KNOB_INV_RELEASE, 32);
    for (unsigned int itag = 0; itag < 32; itag++) {
        expect_completion(&lab, itag, 1);
    }
    g_assert_cmpuint(agent_records(&lab), ==, 0);
    agent_lab_stop(&lab);
}

/* ATS-21: the entry is gone before its completion is sent */
static void test_gone_first(void)
{
    AgentLab lab;

    agent_lab_start(&lab, "inv-reply=hold", 0);
    agent_map(&lab, AGENT_PASID, AT(0), AGENT_RAM, AGENT_PAGE, RW);
    g_assert_false(agent_cached(&lab, AGENT_PASID, AT(0)));
    agent_invalidate(&lab, AGENT_PASID, AT(0), ITAG, 0);
    g_assert_cmpuint(agent_records(&lab), ==, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 0);
    agent_lab_stop(&lab);
}

/* ATS-29: what waits when the reset begins is never sent */
static void test_reset(void)
{
    AgentLab lab;

    agent_lab_start(&lab, "inv-reply=hold", 0);
    agent_invalidate(&lab, AGENT_PASID, AT(0), ITAG, 0);
    qpt_flr(&lab.d);
    qpt_restore(&lab.d);
    turn(&lab, PT_KNOB_INV_RELEASE, 1);
    g_assert_cmpuint(agent_records(&lab), ==, 0);
    agent_lab_stop(&lab);
}

/* -- Posted writes and the completion: ATS-30 ------------------------------ */

typedef struct PushRow {
    const char *name;
    const char *dev;
    AtaKind first, second;
} PushRow;

static const PushRow push_rows[] = {
    { "ATS-30/pushed", "dma-do=hold,inv-push=yes", ATA_TRANSLATED,
      ATA_INV_COMPLETION },
    { "ATS-30/overtaken", "dma-do=hold,inv-push=no", ATA_INV_COMPLETION,
      ATA_TRANSLATED },
};

static void test_push(const void *opaque)
{
    const PushRow *row = opaque;
    QPtOp op = agent_op(PT_OP_FILL, AGENT_PASID, AT(0), 8);
    AgentLab lab;

    agent_lab_start(&lab, row->dev, 0);
    agent_map(&lab, AGENT_PASID, AT(0), AGENT_RAM, AGENT_PAGE, RW);
    op.pattern = 0x77;
    qpt_start(&lab.d, 0, &op);
    /* a read of the function's registers would push the write */
    do {
        g_usleep(1000);
    } while (!agent_records(&lab));
    g_assert_cmpuint(agent_take(&lab).kind, ==, ATA_TRANSLATION);
    qtest_clock_step(lab.qts, 1);
    g_assert_cmpuint(agent_records(&lab), ==, 0);
    agent_invalidate(&lab, AGENT_PASID, AT(0), ITAG, 0);
    turn(&lab, PT_KNOB_DMA_RELEASE, 1);
    g_assert_cmpuint(agent_take(&lab).kind, ==, row->first);
    g_assert_cmpuint(agent_take(&lab).kind, ==, row->second);
    g_assert_cmphex(qtest_readq(lab.qts, AGENT_RAM), ==, 0x77);
    agent_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    agent_test_init(&argc, &argv);

    LAB_ADD_ROWS("/agent/inv", inv_rows, test_range);
    LAB_ADD_ROWS("/agent/inv", foreign_rows, test_foreign_pasid);
    qtest_add_func("/agent/inv/ATS-25/below-stu", test_below_stu);
    LAB_ADD_ROWS("/agent/inv", when_rows, test_when);
    LAB_ADD_ROWS("/agent/inv", copies_rows, test_copies);
    qtest_add_func("/agent/inv/ATS-23/order", test_order);
    qtest_add_func("/agent/inv/ATS-24/all-itags", test_all_itags);
    qtest_add_func("/agent/inv/ATS-21/gone-first", test_gone_first);
    qtest_add_func("/agent/inv/ATS-29/reset", test_reset);
    LAB_ADD_ROWS("/agent/inv", push_rows, test_push);

    return g_test_run();
}
