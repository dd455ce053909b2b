/*
 * pri-testdev: capabilities, ATC, invalidations and resets
 *
 * PCIe 6.2 6.6.2, 7.8.8, 7.8.9, 10.3, 10.5.2; checklist C (ATS-*, PRI-*,
 * FLR-*)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/pri-lab.h"

#define PAGE            4096
#define OTHER_PASID     0x77

static uint64_t counter(PriLab *lab, unsigned int offset)
{
    return qpt_readq(&lab->d, offset);
}

static uint16_t pri_status(PriLab *lab)
{
    return qpt_config_readw(&lab->d, lab->d.pri + QPT_PRI_STATUS);
}

static uint16_t pri_control(PriLab *lab)
{
    return qpt_config_readw(&lab->d, lab->d.pri + QPT_PRI_CTRL);
}

/* -- capabilities ---------------------------------------------------------- */

static void test_capabilities(void)
{
    uint16_t ats, pasid;
    QPriTestdev *d;
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, 0);
    d = &lab.d;
    g_assert_cmphex(d->exp, !=, 0);
    g_assert_cmphex(d->msix, !=, 0);
    g_assert_cmphex(d->ats, !=, 0);
    g_assert_cmphex(d->pri, !=, 0);
    g_assert_cmphex(d->pasid, !=, 0);

    ats = qpt_config_readw(d, d->ats + QPT_ATS_CAP);
    g_assert_cmphex(ats & (1 << 5), !=, 0);         /* Page Aligned, ATS-08 */
    g_assert_cmphex(ats & 0x1f, ==, 0);             /* QDEPTH 0: 32 */
    g_assert_cmphex(qpt_config_readw(d, d->ats + QPT_ATS_CTRL), ==, 0);
    pasid = qpt_config_readw(d, d->pasid + QPT_PASID_CAP);
    g_assert_cmpuint(pasid >> 8 & 0x1f, ==, 20);
    g_assert_cmphex(qpt_config_readw(d, d->pasid + QPT_PASID_CTRL), ==, 0);
    /* LNX-02, PRI-32 */
    g_assert_cmphex(pri_status(&lab), ==,
                    QPT_PRI_STATUS_PASID | QPT_PRI_STATUS_STOPPED);
    g_assert_cmpuint(qpt_config_readl(d, d->pri + QPT_PRI_CAPACITY), ==, 512);
    g_assert_cmpuint(qpt_config_readl(d, d->pri + QPT_PRI_ALLOC), ==, 0);
    g_assert_cmphex(qpt_config_readl(d, d->exp + QPT_EXP_DEVCAP) &
                    QPT_EXP_DEVCAP_FLR, !=, 0);
    g_assert_cmpuint(d->channels, ==, 8);
    g_assert_cmpuint(qpt_config_readw(d, d->msix + 2) & 0x7ff, ==, 8);
    pri_lab_stop(&lab);
}

static void test_properties(void)
{
    PriLab lab;

    pri_lab_boot(&lab, NULL, "channels=64,pasid-bits=7,queue-depth=3,"
                 "pri-capacity=33,atc-entries=5,global-invalidate=on,"
                 "prg-resp-pasid-required=off", 0);
    g_assert_cmpuint(lab.d.channels, ==, 64);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PASID_BITS), ==, 7);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_CAPACITY), ==, 33);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_CAPACITY), ==, 5);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.ats + QPT_ATS_CAP) & 0x7f,
                    ==, 3 | 1 << 5 | 1 << 6);
    g_assert_cmpuint(qpt_config_readw(&lab.d, lab.d.pasid + QPT_PASID_CAP)
                     >> 8 & 0x1f, ==, 7);
    g_assert_cmphex(pri_status(&lab) & QPT_PRI_STATUS_PASID, ==, 0);
    pri_lab_stop(&lab);
}

/* ATS-09: STU has 5 bits, E is bit 15, the rest is reserved */
static void test_ats_control(void)
{
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, 0);
    qpt_config_writew(&lab.d, lab.d.ats + QPT_ATS_CTRL, 0xffff);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.ats + QPT_ATS_CTRL) &
                    0x801f, ==, 0x801f);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.ats + QPT_ATS_CTRL) &
                    0x07e0, ==, 0);
    pri_lab_stop(&lab);
}

/* -- the ATC --------------------------------------------------------------- */

static uint32_t touch(PriLab *lab, uint32_t pasid, uint64_t iova, uint32_t cmd)
{
    QPtOp op = {
        .cmd = cmd,
        .flags = PT_FLAG_NO_PRI | (pasid == QVTD_NO_PASID ? 0 : PT_FLAG_PASID),
        .pasid = pasid == QVTD_NO_PASID ? 0 : pasid,
        .src = iova, .dst = iova, .len = 8,
    };

    return qpt_run(&lab->d, 7, &op);
}

/* Is (pasid, iova) in the ATC?  Reading it tells, and puts it there. */
static bool cached(PriLab *lab, uint32_t pasid, uint64_t iova)
{
    uint64_t before = counter(lab, PT_CNT_TRANSLATIONS);

    g_assert_cmpuint(touch(lab, pasid, iova, PT_OP_READ), ==, PT_ST_DONE);
    return counter(lab, PT_CNT_TRANSLATIONS) == before;
}

/* Two PASIDs and none, each with 16 pages from LAB_IOVA on */
static void map_three_spaces(PriLab *lab)
{
    uint64_t other = qvtd_pasid_setup(&lab->v, lab->d.rid, OTHER_PASID, 0x55);
    uint64_t pa = qvtd_alloc(&lab->v, 16);
    unsigned int i;

    for (i = 0; i < 16; i++) {
        uint64_t iova = LAB_IOVA + i * PAGE;

        qvtd_fs_map(&lab->v, lab->pml4, iova, pa + i * PAGE, QVTD_FS_USER);
        qvtd_fs_map(&lab->v, lab->rid_pml4, iova, pa + i * PAGE,
                    QVTD_FS_USER);
        qvtd_fs_map(&lab->v, other, iova, pa + i * PAGE, QVTD_FS_USER);
    }
    qvtd_flush(&lab->v);
}

static void test_atc_hit(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    map_three_spaces(&lab);
    g_assert_false(cached(&lab, LAB_PASID, LAB_IOVA));
    g_assert_true(cached(&lab, LAB_PASID, LAB_IOVA));
    g_assert_false(cached(&lab, OTHER_PASID, LAB_IOVA));
    g_assert_false(cached(&lab, QVTD_NO_PASID, LAB_IOVA));
    g_assert_true(cached(&lab, LAB_PASID, LAB_IOVA));
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 3);
    qpt_writel(&lab.d, PT_CTRL, PT_CTRL_FLUSH_ATC);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 0);
    g_assert_false(cached(&lab, LAB_PASID, LAB_IOVA));
    pri_lab_stop(&lab);
}

/* ATS-03: no permission is not cached */
static void test_absent_not_cached(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    g_assert_cmpuint(touch(&lab, LAB_PASID, LAB_IOVA, PT_OP_READ), ==,
                     PT_ST_NO_PRI);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 0);
    g_assert_cmpuint(touch(&lab, LAB_PASID, LAB_IOVA, PT_OP_READ), ==,
                     PT_ST_NO_PRI);
    g_assert_cmpuint(counter(&lab, PT_CNT_ATC_HITS), ==, 0);
    g_assert_cmpuint(counter(&lab, PT_CNT_TRANSLATIONS), ==, 2);
    pri_lab_stop(&lab);
}

typedef struct InvRow {
    const char *name;
    bool with_pasid;            /* type 8, else type 3 */
    bool global;
    uint64_t addr;
    bool size;
    /* what survives, of pages 0 to 15 of LAB_PASID, OTHER_PASID and none */
    uint16_t lab;
    uint16_t other;
    uint16_t none;
} InvRow;

#define ALL16   0xffff
/* LAB_IOVA is not aligned to 64 KiB: page 0 is 0x..567, 9 pages to 0x..570 */
#define AT(page)    (LAB_IOVA + (page) * PAGE)

static const InvRow inv_rows[] = {
    /*
     * PCIe 6.2 10.3.8 (ATS-26): without PASID, the range of entries without
     * one and every address of those with one
     */
    { "type-3-page", false, false, AT(3), false, 0, 0, ALL16 & ~8 },
    { "type-3-all", false, false, QVTD_INV_ALL, true, 0, 0, 0 },
    /* 8 KiB at 0x..568: pages 1 and 2 */
    { "type-3-8k", false, false, AT(1), true, 0, 0, ALL16 & ~6 },
    { "type-8-page", true, false, AT(3), false, ALL16 & ~8, ALL16, ALL16 },
    { "type-8-8k", true, false, AT(1), true, ALL16 & ~6, ALL16, ALL16 },
    /* 16 KiB from 0x..568: trailing one in bit 12; pages 1 to 4 */
    { "type-8-16k", true, false, AT(1) | 0x1000, true, ALL16 & ~0x1e, ALL16,
      ALL16 },
    /* 32 KiB from 0x..568: pages 1 to 8 */
    { "type-8-32k", true, false, AT(1) | 0x3000, true, ALL16 & ~0x1fe, ALL16,
      ALL16 },
    { "type-8-all", true, false, QVTD_INV_ALL, true, 0, ALL16, ALL16 },
    { "type-8-elsewhere", true, false, AT(32), false, ALL16, ALL16, ALL16 },
};

static uint16_t survivors(PriLab *lab, uint32_t pasid)
{
    uint16_t mask = 0;
    unsigned int i;

    for (i = 0; i < 16; i++) {
        mask |= cached(lab, pasid, LAB_IOVA + i * PAGE) << i;
    }
    return mask;
}

static void test_invalidation(const void *opaque)
{
    const InvRow *row = opaque;
    QVtdDesc desc;
    PriLab lab;

    pri_lab_start(&lab);
    map_three_spaces(&lab);
    survivors(&lab, LAB_PASID);
    survivors(&lab, OTHER_PASID);
    survivors(&lab, QVTD_NO_PASID);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 48);

    desc = row->with_pasid ?
           qvtd_desc_dev_ptlb(lab.d.rid, LAB_PASID, row->addr, row->size,
                              row->global) :
           qvtd_desc_dev_tlb(lab.d.rid, row->addr, row->size);
    qvtd_submit(&lab.v, desc);
    qvtd_wait(&lab.v, 0);
    g_assert_cmpuint(counter(&lab, PT_CNT_INV_REQUESTS), ==, 1);
    g_assert_cmpuint(counter(&lab, PT_CNT_INV_COMPLETIONS), ==, 1);

    g_assert_cmphex(survivors(&lab, LAB_PASID), ==, row->lab);
    g_assert_cmphex(survivors(&lab, OTHER_PASID), ==, row->other);
    g_assert_cmphex(survivors(&lab, QVTD_NO_PASID), ==, row->none);
    pri_lab_stop(&lab);
}

/* GI counts where Global Invalidate is supported, and then for all PASIDs */
static void test_global(const void *opaque)
{
    bool supported = opaque;
    PriLab lab;

    pri_lab_start_with(&lab, NULL, supported ? "global-invalidate=on" :
                       "global-invalidate=off", 0);
    map_three_spaces(&lab);
    survivors(&lab, LAB_PASID);
    survivors(&lab, OTHER_PASID);
    qvtd_submit(&lab.v, qvtd_desc_dev_ptlb(lab.d.rid, LAB_PASID, QVTD_INV_ALL,
                                           true, true));
    qvtd_wait(&lab.v, 0);
    g_assert_cmphex(survivors(&lab, LAB_PASID), ==, 0);
    g_assert_cmphex(survivors(&lab, OTHER_PASID), ==, supported ? 0 : ALL16);
    pri_lab_stop(&lab);
}

/* ATS-20: completed with E=0, with BME=0, and by a function never enabled */
static void test_completed_when_disabled(void)
{
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, 0);
    qvtd_start(&lab.v);
    qvtd_submit(&lab.v, qvtd_desc_dev_tlb(lab.d.rid, QVTD_INV_ALL, true));
    qvtd_wait(&lab.v, 0);
    qvtd_submit(&lab.v, qvtd_desc_dev_ptlb(lab.d.rid, 5, QVTD_INV_ALL, true,
                                           false));
    qvtd_wait(&lab.v, 0);
    g_assert_cmpuint(counter(&lab, PT_CNT_INV_COMPLETIONS), ==, 2);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS), ==, 0);
    pri_lab_stop(&lab);
}

/* ATS-27: E 0 to 1 drops everything, 1 to 0 does not */
static void test_enable_flushes(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    map_three_spaces(&lab);
    cached(&lab, LAB_PASID, LAB_IOVA);
    qpt_config_writew(&lab.d, lab.d.ats + QPT_ATS_CTRL, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 1);
    qpt_config_writew(&lab.d, lab.d.ats + QPT_ATS_CTRL, QPT_ATS_CTRL_E);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 0);
    g_assert_cmpuint(counter(&lab, PT_CNT_INV_COMPLETIONS), ==, 0);
    pri_lab_stop(&lab);
}

/* -- the Page Request capability ------------------------------------------- */

/* PRI-30, PRI-31, PRI-33 */
static void test_pri_control(void)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA, .len = 8,
    };
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start(&lab);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 0x1ab, 0);
    g_assert_cmphex(pri_status(&lab) & QPT_PRI_STATUS_UPRGI, !=, 0);
    qpt_config_writew(&lab.d, lab.d.pri + QPT_PRI_STATUS,
                      QPT_PRI_STATUS_UPRGI);
    g_assert_cmphex(pri_status(&lab) & QPT_PRI_STATUS_UPRGI, ==, 0);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 0x1ab, 0);

    /* stopping takes until the last response */
    qpt_start(&lab.d, 0, &op);
    qpt_wait(&lab.d, 0);
    qpt_pri_disable(&lab.d);
    g_assert_cmphex(pri_status(&lab) & QPT_PRI_STATUS_STOPPED, ==, 0);
    g_assert_true(qvtd_prq_pop(&lab.v, &prd));
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, QVTD_PRD_PRGI(&prd), 0);
    g_assert_cmphex(pri_status(&lab) & QPT_PRI_STATUS_STOPPED, !=, 0);

    /* E 0 to 1 clears the flags */
    g_assert_cmphex(pri_status(&lab) & QPT_PRI_STATUS_UPRGI, !=, 0);
    qpt_config_writew(&lab.d, lab.d.pri + QPT_PRI_CTRL, QPT_PRI_CTRL_E);
    g_assert_cmphex(pri_status(&lab) & (QPT_PRI_STATUS_UPRGI |
                                        QPT_PRI_STATUS_RF), ==, 0);
    g_assert_cmphex(pri_control(&lab), ==, QPT_PRI_CTRL_E);

    /* Reset does nothing with E=1 and reads 0 */
    op.dst += PAGE;
    qpt_start(&lab.d, 1, &op);
    qpt_wait(&lab.d, 1);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), >=, 1);
    qpt_config_writew(&lab.d, lab.d.pri + QPT_PRI_CTRL,
                      QPT_PRI_CTRL_E | QPT_PRI_CTRL_RESET);
    g_assert_cmphex(pri_control(&lab), ==, QPT_PRI_CTRL_E);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), >=, 1);
    g_assert_cmpuint(qpt_wait(&lab.d, 1), ==, PT_ST_RUNNING);
    pri_lab_stop(&lab);
}

static void test_pri_reset(void)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA, .len = 8,
    };
    PriLab lab;

    pri_lab_start(&lab);
    qpt_start(&lab.d, 0, &op);
    qpt_wait(&lab.d, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 1);
    /* E is being cleared in the same write */
    qpt_config_writew(&lab.d, lab.d.pri + QPT_PRI_CTRL, QPT_PRI_CTRL_RESET);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 0);
    g_assert_cmphex(pri_status(&lab) & QPT_PRI_STATUS_STOPPED, !=, 0);
    g_assert_cmphex(pri_control(&lab), ==, 0);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_ABORTED);
    pri_lab_stop(&lab);
}

/* -- Function Level Reset -------------------------------------------------- */

static void test_flr(void)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA + 0x100000, .len = 8, .pattern = 5,
    };
    PriLab lab;

    pri_lab_start(&lab);
    map_three_spaces(&lab);
    cached(&lab, LAB_PASID, LAB_IOVA);
    qpt_writel(&lab.d, PT_SCRATCH, 0x1234);
    qpt_start(&lab.d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    qpt_flr(&lab.d);

    /* FLR-04, FLR-06 */
    g_assert_cmphex(qpt_config_readw(&lab.d, 4) & 0x406, ==, 0);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.ats + QPT_ATS_CTRL), ==, 0);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.pasid + QPT_PASID_CTRL),
                    ==, 0);
    g_assert_cmphex(pri_control(&lab), ==, 0);
    g_assert_cmphex(pri_status(&lab) & QPT_PRI_STATUS_STOPPED, !=, 0);
    g_assert_cmpuint(qpt_config_readl(&lab.d, lab.d.pri + QPT_PRI_ALLOC), ==,
                     0);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.msix + 2) & 0x8000, ==, 0);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.exp + QPT_EXP_DEVCTL) &
                    QPT_EXP_DEVCTL_FLR, ==, 0);
    qpt_restore(&lab.d);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 0);
    g_assert_cmphex(qpt_readl(&lab.d, PT_SCRATCH), ==, 0);
    g_assert_cmphex(qpt_readl(&lab.d, PT_STATE) & ~PT_STATE_PRI_STOPPED, ==,
                    0);
    g_assert_cmpuint(counter(&lab, PT_CNT_FLRS), ==, 1);
    g_assert_cmphex(qpt_ch_readq(&lab.d, 0, PT_CH_PATTERN), ==, 0);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), !=, PT_ST_RUNNING);

    /* and it works again */
    qpt_enable(&lab.d, 0);
    g_assert_false(cached(&lab, LAB_PASID, LAB_IOVA));

    /* the STU is 0 as well; it can be written while E is 0 (10.5.1.3) */
    qpt_config_writew(&lab.d, lab.d.ats + QPT_ATS_CTRL, 0);
    qpt_config_writew(&lab.d, lab.d.ats + QPT_ATS_CTRL, 3);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.ats + QPT_ATS_CTRL), ==, 3);
    qpt_flr(&lab.d);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.ats + QPT_ATS_CTRL), ==, 0);
    pri_lab_stop(&lab);
}

/* another function is not concerned */
static void test_flr_other_function(void)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA, .len = 8,
    };
    PriLab lab;

    pri_lab_start_with(&lab, NULL, NULL, LAB_TWO_DEVICES);
    qpt_start(&lab.d2, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab.d2, 0), ==, PT_ST_RUNNING);
    qpt_flr(&lab.d);
    g_assert_cmpuint(qpt_readl(&lab.d2, PT_PRI_GROUPS), ==, 1);
    g_assert_cmphex(qpt_readl(&lab.d2, PT_STATE) & PT_STATE_PRI, !=, 0);
    g_assert_cmpuint(counter(&lab, PT_CNT_FLRS), ==, 0);
    pri_lab_stop(&lab);
}

/* reset of the machine clears the FLR counter, too */
static void test_system_reset(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    qpt_flr(&lab.d);
    lab_reset(&lab);
    qpt_init(&lab.d, lab.qts, lab.d.port, LAB_BUS);
    g_assert_cmpuint(counter(&lab, PT_CNT_FLRS), ==, 0);
    g_assert_cmphex(pri_status(&lab), ==,
                    QPT_PRI_STATUS_PASID | QPT_PRI_STATUS_STOPPED);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    unsigned int i;

    pri_lab_test_init(&argc, &argv);
    g_test_add_func("/pri-testdev/capabilities", test_capabilities);
    g_test_add_func("/pri-testdev/properties", test_properties);
    g_test_add_func("/pri-testdev/ats/ATS-09/control", test_ats_control);
    g_test_add_func("/pri-testdev/ats/hit", test_atc_hit);
    g_test_add_func("/pri-testdev/ats/ATS-03/absent-not-cached",
                    test_absent_not_cached);
    for (i = 0; i < ARRAY_SIZE(inv_rows); i++) {
        g_autofree char *name = g_strdup_printf("/pri-testdev/ats/ATS-26/%s",
                                                inv_rows[i].name);

        g_test_add_data_func(name, &inv_rows[i], test_invalidation);
    }
    g_test_add_data_func("/pri-testdev/ats/ATS-26/global-supported",
                         GUINT_TO_POINTER(1), test_global);
    g_test_add_data_func("/pri-testdev/ats/ATS-26/global-not-supported", NULL,
                         test_global);
    g_test_add_func("/pri-testdev/ats/ATS-20/completed-when-disabled",
                    test_completed_when_disabled);
    g_test_add_func("/pri-testdev/ats/ATS-27/enable-flushes",
                    test_enable_flushes);
    g_test_add_func("/pri-testdev/pri/PRI-31/control", test_pri_control);
    g_test_add_func("/pri-testdev/pri/PRI-33/reset", test_pri_reset);
    g_test_add_func("/pri-testdev/flr/FLR-04/defaults", test_flr);
    g_test_add_func("/pri-testdev/flr/other-function",
                    test_flr_other_function);
    g_test_add_func("/pri-testdev/flr/system-reset", test_system_reset);
    return g_test_run();
}
