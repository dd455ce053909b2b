/*
 * pri-testdev: Completion Timeout of Translation Requests
 *
 * PCIe 6.2 2.3.2, 2.8, 7.5.3.15, 7.5.3.16
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "hw/i386/vtd-knobs.h"
#include "libqos/lab-rules.h"
#include "libqos/lab-state.h"
#include "libqos/vtd-inv.h"

#define PAGE            4096
#define PATTERN         0x1122334455667788ULL
#define VTD             "ite-timeout-ms=60000,wait-depth=1024"

#define EXP_DEVSTA      10
#define DEVSTA_NFED     (1 << 1)
#define DEVSTA_TP       (1 << 5)
#define EXP_DEVCAP2     0x24
#define EXP_DEVCTL2     0x28
#define COMPL_TMOUT_DIS (1 << 4)
#define AER_UNC_STATUS  0x104
#define AER_TIMEOUT     (1 << 14)

static void rule(PriLab *lab, unsigned int what)
{
    lab_rule_kind(&lab->d, ATS_RULE_TRANSLATION, what);
}

static void release(PriLab *lab, unsigned int n)
{
    lab_knob(lab, PT_KNOB_IOMMU | VTD_KNOB_LINK_RELEASE, n);
}

static uint32_t status(PriLab *lab, unsigned int ch)
{
    return qpt_ch_readl(&lab->d, ch, PT_CH_STATUS);
}

static bool pending(PriLab *lab)
{
    return qpt_config_readw(&lab->d, lab->d.exp + EXP_DEVSTA) & DEVSTA_TP;
}

static uint64_t map(PriLab *lab, unsigned int ch)
{
    uint64_t pa = qvtd_alloc(&lab->v, 1);

    qvtd_fs_map(&lab->v, lab->pml4, LAB_IOVA + ch * PAGE, pa,
                QVTD_FS_USER | QVTD_FS_RW);
    return pa;
}

/* Channel @ch asks for the translation of its page, and waits */
static void start(PriLab *lab, unsigned int ch)
{
    QPtOp op = {
        .cmd = PT_OP_FILL, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA + ch * PAGE + 16, .len = 8, .pattern = PATTERN,
    };

    qpt_start(&lab->d, ch, &op);
    g_assert_cmpuint(qpt_wait(&lab->d, ch), ==, PT_ST_RUNNING);
}

/* 50 ms, reported as the error that it is, and written down */
static void test_default(void)
{
    g_autofree char *log = NULL;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    map(&lab, 0);
    rule(&lab, ATS_RULE_DROP);
    start(&lab, 0);
    g_assert_true(pending(&lab));
    qtest_clock_step(lab.qts, 50 * QINV_MS - QINV_US);
    g_assert_cmpuint(status(&lab, 0), ==, PT_ST_RUNNING);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_TRANS_TIMEOUTS), ==, 0);
    qtest_clock_step(lab.qts, 2 * QINV_US);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_TIMEOUT);
    g_assert_cmphex(qpt_ch_readq(&lab.d, 0, PT_CH_ERR_ADDR), ==, LAB_IOVA);
    g_assert_cmpuint(qpt_ch_readl(&lab.d, 0, PT_CH_IRQ_STATUS), ==, 1);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_TRANS_TIMEOUTS), ==, 1);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_TRANS_WAITING), ==, 0);
    g_assert_false(pending(&lab));

    qtest_clock_step(lab.qts, QINV_US);
    g_assert_cmphex(qpt_config_readl(&lab.d, AER_UNC_STATUS), ==,
                    AER_TIMEOUT);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.exp + EXP_DEVSTA) &
                    DEVSTA_NFED, !=, 0);
    log = lab_read_log(&lab);
    g_assert_nonnull(strstr(log, " timeout pasid=0xabcde"));
    pri_lab_stop(&lab);
}

/* What comes too late belongs to no request, not to the next one either */
static void test_late(void)
{
    uint64_t pa;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, "completion-timeout-us=100", 0);
    pa = map(&lab, 0);
    rule(&lab, ATS_RULE_HOLD);
    start(&lab, 0);
    qtest_clock_step(lab.qts, 101 * QINV_US);
    g_assert_cmpuint(status(&lab, 0), ==, PT_ST_TIMEOUT);
    start(&lab, 0);
    release(&lab, 1);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_TRANS_UNEXPECTED), ==, 1);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    g_assert_cmphex(qtest_readq(lab.qts, pa + 16), ==, 0);
    release(&lab, 1);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(lab.qts, pa + 16), ==, PATTERN);

    /* which came in time: nothing is due any more */
    qtest_clock_step(lab.qts, QINV_MS);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_TRANS_TIMEOUTS), ==, 1);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_TRANS_UNEXPECTED), ==, 1);
    pri_lab_stop(&lab);
}

/* Each has its own time, from when it was sent */
static void test_each(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD, "completion-timeout-us=100", 0);
    for (int i = 0; i < 3; i++) {
        map(&lab, i);
    }
    rule(&lab, ATS_RULE_HOLD);
    start(&lab, 0);
    qtest_clock_step(lab.qts, 60 * QINV_US);
    start(&lab, 1);
    lab_knob(&lab, PT_KNOB_COMPLETION_TIMEOUT, 0);
    start(&lab, 2);
    qtest_clock_step(lab.qts, 41 * QINV_US);
    g_assert_cmpuint(status(&lab, 0), ==, PT_ST_TIMEOUT);
    g_assert_cmpuint(status(&lab, 1), ==, PT_ST_RUNNING);
    qtest_clock_step(lab.qts, 60 * QINV_US);
    g_assert_cmpuint(status(&lab, 1), ==, PT_ST_TIMEOUT);
    qtest_clock_step(lab.qts, 100000 * QINV_MS);
    g_assert_cmpuint(status(&lab, 2), ==, PT_ST_RUNNING);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_TRANS_TIMEOUTS), ==, 2);
    pri_lab_stop(&lab);
}

/* Completion Timeout Disable; a reset clears it */
static void test_disable(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    g_assert_cmphex(qpt_config_readl(&lab.d, lab.d.exp + EXP_DEVCAP2) & 0x1f,
                    ==, COMPL_TMOUT_DIS);
    map(&lab, 0);
    rule(&lab, ATS_RULE_DROP);
    qpt_config_writew(&lab.d, lab.d.exp + EXP_DEVCTL2, COMPL_TMOUT_DIS);
    start(&lab, 0);
    qtest_clock_step(lab.qts, 100000 * QINV_MS);
    g_assert_cmpuint(status(&lab, 0), ==, PT_ST_RUNNING);
    qpt_flr(&lab.d);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.exp + EXP_DEVCTL2) &
                    COMPL_TMOUT_DIS, ==, 0);
    pri_lab_stop(&lab);
}

/*
 * Requests that nobody waits for, and one whose result would be discarded: they
 * time out too, and end nothing that came after them
 */
static void test_abandoned(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    map(&lab, 0);
    map(&lab, 1);
    rule(&lab, ATS_RULE_DROP);
    start(&lab, 0);
    start(&lab, 1);
    qpt_writel(&lab.d, PT_CHANNEL(0) + PT_CH_CMD, PT_OP_ABORT);
    qinv_put_dev_tlb(&lab.v, lab.d.rid);
    qvtd_qi_ring(&lab.v);
    rule(&lab, 0);
    start(&lab, 7);                     /* absent: waits for its response */
    qpt_writel(&lab.d, PT_CHANNEL(7) + PT_CH_CMD, PT_OP_ABORT);
    g_assert_true(pending(&lab));
    qtest_clock_step(lab.qts, 51 * QINV_MS);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_TRANS_TIMEOUTS), ==, 2);
    g_assert_cmpuint(status(&lab, 0), ==, PT_ST_ABORTED);
    g_assert_cmpuint(status(&lab, 1), ==, PT_ST_TIMEOUT);
    g_assert_false(pending(&lab));
    pri_lab_stop(&lab);
}

/* A reset forgets the request: it does not time out */
static void test_reset(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    map(&lab, 0);
    rule(&lab, ATS_RULE_DROP);
    start(&lab, 0);
    qpt_flr(&lab.d);
    qtest_clock_step(lab.qts, 1000 * QINV_MS);
    qpt_restore(&lab.d);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_TRANS_TIMEOUTS), ==, 0);
    g_assert_cmphex(qpt_config_readl(&lab.d, AER_UNC_STATUS), ==, 0);
    g_assert_cmpuint(status(&lab, 0), ==, PT_ST_IDLE);
    pri_lab_stop(&lab);
}

/* The rest of its time migrates */
static void test_migration(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    map(&lab, 0);
    rule(&lab, ATS_RULE_DROP);
    start(&lab, 0);
    lab_migrate(&lab, VTD, NULL, qtest_clock_step(lab.qts, 20 * QINV_MS));
    qtest_clock_step(lab.qts, 29 * QINV_MS);
    g_assert_cmpuint(status(&lab, 0), ==, PT_ST_RUNNING);
    qtest_clock_step(lab.qts, 2 * QINV_MS);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_TIMEOUT);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_TRANS_TIMEOUTS), ==, 1);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);

    qtest_add_func("/pri-testdev/timeout/default", test_default);
    qtest_add_func("/pri-testdev/timeout/late", test_late);
    qtest_add_func("/pri-testdev/timeout/each", test_each);
    qtest_add_func("/pri-testdev/timeout/disable", test_disable);
    qtest_add_func("/pri-testdev/timeout/abandoned", test_abandoned);
    qtest_add_func("/pri-testdev/timeout/FLR-03/reset", test_reset);
    qtest_add_func("/pri-testdev/timeout/migration", test_migration);

    return g_test_run();
}
