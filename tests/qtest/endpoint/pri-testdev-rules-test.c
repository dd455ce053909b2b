/*
 * pri-testdev: what a function may do by its enables, and what it must take
 * from the other side
 *
 * More of it, with no VT-d, is in pri-agent-ats-test.c and its neighbours.
 * PCIe 6.2 6.6.2, 6.20, 7.8.9, 10.3, 10.4, 10.5; checklist C (ATS-*, PRI-*,
 * FLR-08, PASID-*)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/vtd-inv.h"
#include "libqos/vtd-pages.h"

#define RETRY_DELAY_NS  10000   /* retry-delay-us, as it is by default */
#define PAGE            4096
#define PA              0x8000000ULL
#define R               PT_RAW_READ
#define W               PT_RAW_WRITE
#define L               PT_RAW_LAST

static QPtOp op_at(uint32_t cmd, uint32_t pasid, uint64_t addr, uint32_t flags)
{
    return (QPtOp) {
        .cmd = cmd, .src = addr, .dst = addr, .len = 8, .pattern = 0x77,
        .flags = flags | (pasid == QVTD_NO_PASID ? 0 : PT_FLAG_PASID),
        .pasid = pasid == QVTD_NO_PASID ? 0 : pasid,
    };
}

static uint32_t access_page(PriLab *lab, uint32_t cmd, uint32_t pasid,
                            uint64_t addr, uint32_t flags)
{
    QPtOp op = op_at(cmd, pasid, addr, flags | PT_FLAG_NO_PRI);

    return qpt_run(&lab->d, 7, &op);
}

static void set_ats(PriLab *lab, uint16_t ctl)
{
    qpt_config_writew(&lab->d, lab->d.ats + QPT_ATS_CTRL, ctl);
}

static void set_pasid(PriLab *lab, uint16_t ctl)
{
    qpt_config_writew(&lab->d, lab->d.pasid + QPT_PASID_CTRL, ctl);
}

/* @n pages from LAB_IOVA on, in the space of LAB_PASID and in the RID's */
static void map_pages(PriLab *lab, unsigned int n, uint64_t flags)
{
    unsigned int i;

    for (i = 0; i < n; i++) {
        qvtd_fs_map(&lab->v, lab->pml4, LAB_IOVA + i * PAGE, PA + i * PAGE,
                    flags);
        qvtd_fs_map(&lab->v, lab->rid_pml4, LAB_IOVA + i * PAGE,
                    PA + i * PAGE, flags);
    }
    qvtd_flush(&lab->v);
}

/* -- ATS ------------------------------------------------------------------- */

/* ATS-05: more permission is seen without an invalidation of the ATC */
static void test_ats_upgrade(void)
{
    QPtOp op = op_at(PT_OP_WRITE, LAB_PASID, LAB_IOVA, 0);
    PriLab lab;

    pri_lab_start(&lab);
    map_pages(&lab, 1, QVTD_FS_RO);
    g_assert_cmpuint(access_page(&lab, PT_OP_READ, LAB_PASID, LAB_IOVA, 0),
                     ==, PT_ST_DONE);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 1);
    qpt_start(&lab.d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    g_assert_cmpuint(lab_serve(&lab, LAB_IOVA, PA, QVTD_FS_USER), ==, 1);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readb(lab.qts, PA), ==,
                    PT_STAMP_BYTE(0x77, LAB_IOVA));
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 1);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_INV_REQUESTS), ==, 0);
    pri_lab_stop(&lab);
}

/* ATS-07: noticed; the order in which Linux restores them is not */
static void test_control_while_enabled(void)
{
    uint16_t now;
    PriLab lab;

    pri_lab_start(&lab);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_VIOLATIONS), ==, 0);
    now = qpt_config_readw(&lab.d, lab.d.pasid + QPT_PASID_CTRL);
    g_assert_cmphex(now & QPT_PASID_CTRL_E, !=, 0);
    set_pasid(&lab, now);
    set_ats(&lab, QPT_ATS_CTRL_E);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_VIOLATIONS), ==, 0);
    set_pasid(&lab, 0);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_VIOLATIONS), ==, 1);
    set_pasid(&lab, QPT_PASID_CTRL_E);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_VIOLATIONS), ==, 2);
    set_ats(&lab, QPT_ATS_CTRL_E | 1);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_VIOLATIONS), ==, 3);
    set_ats(&lab, 0);
    set_pasid(&lab, 0);
    set_ats(&lab, 2);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_VIOLATIONS), ==, 3);
    pri_lab_stop(&lab);
}

/* ATS-08, and PASID-02: requests of this function are never translated ones */
static void test_capability_bits(void)
{
    PriLab lab;

    pri_lab_boot(&lab, NULL, "page-aligned=off,pasid-exec=off", 0);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.ats + QPT_ATS_CAP) & 0x20,
                    ==, 0);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.pasid + QPT_PASID_CAP) &
                    0x0f, ==, 0x4);
    pri_lab_stop(&lab);
    pri_lab_boot(&lab, NULL, "pasid-priv=off", 0);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.ats + QPT_ATS_CAP) & 0x20,
                    ==, 0x20);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.pasid + QPT_PASID_CAP) &
                    0x0f, ==, 0x2);
    pri_lab_stop(&lab);
}

/*
 * ATS-24: 32 are taken while none is answered, whatever depth is announced;
 * a full buffer of completions is no reason to lose a request
 */
static void test_accepts_32(const void *opaque)
{
    uint32_t slot;
    unsigned int i;
    PriLab lab;

    pri_lab_start_with(&lab, "ite-timeout-ms=100,wait-depth=64", opaque, 0);
    qpt_knob_set(&lab.d, PT_KNOB_INV_REPLY, 2);     /* hold */
    for (i = 0; i < 40; i++) {
        qinv_put_dev_tlb(&lab.v, lab.d.rid);
    }
    slot = qinv_put_wait(&lab.v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_INV_REQUESTS), ==, 32);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_INV_WAITING), ==, 32);
    for (i = 0; i < 40; i++) {
        g_assert_false(qvtd_wait_done(&lab.v, slot));
        qpt_knob_set(&lab.d, PT_KNOB_INV_RELEASE, 1);
    }
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_INV_REQUESTS), ==, 40);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_INV_COMPLETIONS), ==, 40);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    pri_lab_stop(&lab);
}

/* -- Page Requests --------------------------------------------------------- */

/*
 * PRI-25, PRQ-44, PRQ-45: the queue is full, hardware says Success, the
 * function asks again until it is heard, each time after retry-delay-us
 */
static void test_overflow_recovers(void)
{
    QPtOp op = op_at(PT_OP_WRITE, LAB_PASID, LAB_IOVA, 0);
    unsigned int tries;
    PriLab lab;

    pri_lab_start(&lab);
    lab_fill(&lab);
    op.retries = 100;
    qpt_start(&lab.d, 0, &op);
    for (tries = 1; qpt_wait(&lab.d, 0) == PT_ST_RUNNING && tries <= 101;
         tries++) {
        g_assert_cmpuint(qpt_ch_readl(&lab.d, 0, PT_CH_GROUPS), ==, tries);
        qtest_clock_step(lab.qts, RETRY_DELAY_NS - 1);
        g_assert_cmpuint(qpt_ch_readl(&lab.d, 0, PT_CH_GROUPS), ==, tries);
        qtest_clock_step(lab.qts, 1);
    }
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RETRY_LIMIT);
    tries = qpt_ch_readl(&lab.d, 0, PT_CH_GROUPS);
    g_assert_cmpuint(tries, ==, 101);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_RESP_SUCCESS), ==, tries);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS) & QVTD_PRS_PRO, !=, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 0);

    qvtd_prq_drop_all(&lab.v);
    qvtd_writel(&lab.v, QVTD_PRS, QVTD_PRS_PPR | QVTD_PRS_PRO);
    qpt_start(&lab.d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    g_assert_cmpuint(lab_serve(&lab, LAB_IOVA, PA, QVTD_FS_USER), ==, 1);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_RESP_UNEXPECTED), ==, 0);
    pri_lab_stop(&lab);
}

/* PRI-43: they do no harm; what asks for nothing gets no answer */
static void test_not_quite_markers(void)
{
    static const QPtRaw rows[] = {
        { 0, LAB_PASID, L, 3 },                     /* marker type is not 0 */
        { 0, LAB_PASID, L, 0x1e0 },                 /* reserved bits of PRGI */
        { LAB_IOVA, LAB_PASID, L, 0 },              /* dirty address */
        { 0, LAB_PASID, L | PT_RAW_PRIV | PT_RAW_EXEC, 0 },
        { 0, 0x777, L, 0 },                         /* nobody stopped it */
    };
    unsigned int i;
    PriLab lab;

    pri_lab_start(&lab);
    qvtd_pasid_setup(&lab.v, lab.d.rid, 0x777, 9);
    qvtd_flush(&lab.v);
    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        QVtdDesc prd;

        /* in the middle of a group that has no last request yet */
        lab_request(&lab, LAB_IOVA, R, 0x44);
        qpt_raw(&lab.d, &rows[i]);
        lab_expect_silence(&lab);
        g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 2);
        qvtd_prq_read(&lab.v, 1, &prd);
        g_assert_cmphex(QVTD_PRD_LPIG(&prd), ==, 1);
        g_assert_cmphex(QVTD_PRD_RDR(&prd) | QVTD_PRD_WRR(&prd), ==, 0);
        lab_request(&lab, LAB_IOVA, R | L, 0x44);
        qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 0x44, QPT_SUCCESS);
        lab_expect_response(&lab, QPT_SUCCESS, 0x44, LAB_PASID);
        qvtd_prq_drop_all(&lab.v);
    }
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_STOP_MARKERS), ==,
                     ARRAY_SIZE(rows));
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_CREDITS), ==, 512);
    pri_lab_stop(&lab);
}

/* -- FLR-08 ---------------------------------------------------------------- */

/* Registers that software can write: nothing of the old life is left in them */
static void test_no_secrets(void)
{
    static const unsigned int regs[] = {
        PT_SCRATCH, PT_RAW_ADDR, PT_RAW_ADDR + 4, PT_RAW_PASID, PT_RAW_FLAGS,
        PT_RAW_PRGI, PT_KNOB_SELECT, PT_STOP_PASID, PT_EVENT_ENABLE,
        PT_LOG_SELECT, PT_CHANNEL(0) + PT_CH_FLAGS,
        PT_CHANNEL(0) + PT_CH_PASID, PT_CHANNEL(0) + PT_CH_SRC,
        PT_CHANNEL(0) + PT_CH_SRC + 4, PT_CHANNEL(0) + PT_CH_DST,
        PT_CHANNEL(0) + PT_CH_LEN, PT_CHANNEL(0) + PT_CH_PATTERN,
        PT_CHANNEL(0) + PT_CH_PATTERN + 4, PT_CHANNEL(0) + PT_CH_GROUP,
        PT_CHANNEL(0) + PT_CH_RETRIES,
    };
    uint32_t fresh[ARRAY_SIZE(regs)];
    unsigned int i;
    PriLab lab;

    pri_lab_start(&lab);
    map_pages(&lab, 1, QVTD_FS_USER);
    qpt_msix(&lab.d, 0xfee12340, 0x5555);
    for (i = 0; i < ARRAY_SIZE(regs); i++) {
        fresh[i] = qpt_readl(&lab.d, regs[i]);
        qpt_writel(&lab.d, regs[i], 0x0badcafe & ~PT_KNOB_IOMMU);
        g_assert_cmphex(qpt_readl(&lab.d, regs[i]), !=, fresh[i]);
    }
    g_assert_cmpuint(access_page(&lab, PT_OP_READ, LAB_PASID, LAB_IOVA, 0),
                     ==, PT_ST_DONE);
    g_assert_cmphex(qpt_ch_readl(&lab.d, 7, PT_CH_CRC), !=, 0);
    lab_request(&lab, LAB_IOVA, R | L, 5);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 5, QPT_SUCCESS);
    g_assert_cmphex(qpt_readl(&lab.d, PT_RAW_RESP), !=, 0);

    qpt_flr(&lab.d);
    qpt_restore(&lab.d);
    for (i = 0; i < ARRAY_SIZE(regs); i++) {
        g_assert_cmphex(qpt_readl(&lab.d, regs[i]), ==, fresh[i]);
    }
    g_assert_cmphex(qpt_ch_readl(&lab.d, 7, PT_CH_CRC), ==, 0);
    g_assert_cmphex(qpt_ch_readq(&lab.d, 7, PT_CH_DONE), ==, 0);
    g_assert_cmphex(qpt_readl(&lab.d, PT_RAW_RESP), ==, 0);
    g_assert_cmphex(qpt_readl(&lab.d, PT_RAW_RESP_PASID), ==, 0);
    for (i = 0; i < 12; i += 4) {
        g_assert_cmphex(qtest_readl(lab.qts, lab.d.bar2 + i), ==, 0);
    }
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);

    qtest_add_func("/pri-testdev/ats/ATS-05/upgrade", test_ats_upgrade);
    qtest_add_func("/pri-testdev/ats/ATS-07/while-enabled",
                   test_control_while_enabled);
    qtest_add_func("/pri-testdev/cap/ATS-08/PASID-02/bits",
                   test_capability_bits);
    qtest_add_data_func("/pri-testdev/inv/ATS-24/depth-32", NULL,
                        test_accepts_32);
    qtest_add_data_func("/pri-testdev/inv/ATS-24/depth-3", "queue-depth=3",
                        test_accepts_32);
    qtest_add_func("/pri-testdev/pri/PRI-25/recovers",
                   test_overflow_recovers);
    qtest_add_func("/pri-testdev/stop/PRI-43/not-quite",
                   test_not_quite_markers);
    qtest_add_func("/pri-testdev/flr/FLR-08/no-secrets", test_no_secrets);

    return g_test_run();
}
