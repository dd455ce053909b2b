/*
 * pri-testdev: Translation Completions that take their time
 *
 * PCIe 6.2 10.2.3, 10.3.3, 10.3.6, 10.3.7; checklist ATS-01, ATS-05, ATS-06,
 * ATS-21, ATS-27, FLR-03
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "hw/i386/vtd-knobs.h"
#include "libqos/lab-rules.h"
#include "libqos/lab-state.h"
#include "libqos/vtd-inv.h"
#include <glib/gstdio.h>

#define PAGE            4096
#define VTD             "ite-timeout-ms=60000,wait-depth=1024"
#define PATTERN         0x1122334455667788ULL

static void turn(PriLab *lab, uint32_t knob, uint64_t value)
{
    g_assert_cmpuint(qpt_knob_set(&lab->d, PT_KNOB_IOMMU | knob, value), ==,
                     PT_KNOB_OK);
}

static void rule(PriLab *lab, unsigned int what)
{
    lab_rule_kind(&lab->d, ATS_RULE_TRANSLATION, what);
}

static uint32_t status(PriLab *lab, unsigned int ch)
{
    return qpt_ch_readl(&lab->d, ch, PT_CH_STATUS);
}

/* Map the page of channel @ch; returns its memory */
static uint64_t map(PriLab *lab, unsigned int ch)
{
    uint64_t pa = qvtd_alloc(&lab->v, 1);

    qvtd_fs_map(&lab->v, lab->pml4, LAB_IOVA + ch * PAGE, pa, QVTD_FS_USER);
    return pa;
}

/* Channel @ch writes eight bytes into its page */
static void start(PriLab *lab, unsigned int ch)
{
    QPtOp op = {
        .cmd = PT_OP_FILL, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA + ch * PAGE, .len = 8, .pattern = PATTERN,
    };

    qpt_start(&lab->d, ch, &op);
}

static void start_waiting(PriLab *lab, unsigned int ch)
{
    uint32_t waiting = qpt_readl(&lab->d, PT_TRANS_WAITING);

    start(lab, ch);
    g_assert_cmpuint(qpt_wait(&lab->d, ch), ==, PT_ST_RUNNING);
    g_assert_cmpuint(qpt_readl(&lab->d, PT_TRANS_WAITING), ==, waiting + 1);
}

static void release(PriLab *lab, unsigned int n)
{
    turn(lab, VTD_KNOB_LINK_RELEASE, n);
}

static uint32_t put_invalidation(PriLab *lab, uint64_t addr)
{
    QVtdDesc desc = qvtd_desc_dev_ptlb(lab->d.rid, LAB_PASID, addr, false,
                                       false);
    uint32_t slot;

    qvtd_qi_put(&lab->v, &desc);
    slot = qinv_put_wait(&lab->v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab->v);
    return slot;
}

/* -- Held, and nothing happens to it --------------------------------------- */

static void test_hold(void)
{
    uint64_t pa[2];
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    pa[0] = map(&lab, 0);
    pa[1] = map(&lab, 1);
    rule(&lab, ATS_RULE_HOLD);
    start_waiting(&lab, 0);
    start_waiting(&lab, 1);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.exp + 10) & (1 << 5), !=,
                    0);                         /* Transactions Pending */
    turn(&lab, VTD_KNOB_LINK_RELEASE_LAST, 1);
    g_assert_cmpuint(qpt_wait(&lab.d, 1), ==, PT_ST_DONE);
    g_assert_cmpuint(status(&lab, 0), ==, PT_ST_RUNNING);
    g_assert_cmphex(qtest_readq(lab.qts, pa[1]), ==, PATTERN);
    g_assert_cmphex(qtest_readq(lab.qts, pa[0]), ==, 0);
    release(&lab, 1);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(lab.qts, pa[0]), ==, PATTERN);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.exp + 10) & (1 << 5), ==,
                    0);
    /* each was asked for once, and is in the ATC */
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_TRANSLATIONS), ==, 2);
    start(&lab, 0);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_TRANSLATIONS), ==, 2);
    pri_lab_stop(&lab);
}

/* The same without an ATC to find the result in */
static void test_no_atc(void)
{
    uint64_t pa;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, "atc-entries=0", 0);
    pa = map(&lab, 0);
    rule(&lab, ATS_RULE_HOLD);
    start_waiting(&lab, 0);
    release(&lab, 1);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(lab.qts, pa), ==, PATTERN);
    pri_lab_stop(&lab);
}

static void test_delay(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    map(&lab, 0);
    lab_rule(&lab.d, ATS_RULE_KNOB_DELAY_US, 100);
    rule(&lab, ATS_RULE_DELAY);
    start_waiting(&lab, 0);
    qtest_clock_step(lab.qts, 99 * QINV_US);
    g_assert_cmpuint(status(&lab, 0), ==, PT_ST_RUNNING);
    qtest_clock_step(lab.qts, 2 * QINV_US);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    pri_lab_stop(&lab);
}

/* The page is absent: a held R=W=0 leads to a Page Request like any other */
static void test_fault(void)
{
    uint64_t pa;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    rule(&lab, ATS_RULE_HOLD);
    start_waiting(&lab, 0);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    release(&lab, 1);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    pa = qvtd_alloc(&lab.v, 1);
    g_assert_cmpuint(lab_serve(&lab, LAB_IOVA, pa, QVTD_FS_USER), ==, 1);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    release(&lab, 1);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(lab.qts, pa), ==, PATTERN);
    pri_lab_stop(&lab);
}

/* The rule changes these bits of @field of the completion on its way */
static void corrupt(PriLab *lab, unsigned int field, uint32_t bits)
{
    pri_lab_start_with(lab, VTD, "atc-entries=0", 0);
    map(lab, 0);
    lab_rule(&lab->d, ATS_RULE_KNOB_FIELD, field);
    lab_rule(&lab->d, ATS_RULE_KNOB_BITS, bits);
    rule(lab, ATS_RULE_CORRUPT);
    start(lab, 0);
}

static void test_made_ur(void)
{
    PriLab lab;

    corrupt(&lab, ATS_RULE_FIELD_CODE, 1);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_TRANS_UR);
    pri_lab_stop(&lab);
}

static void test_made_ca(void)
{
    PriLab lab;

    corrupt(&lab, ATS_RULE_FIELD_CODE, 2);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_TRANS_CA);
    pri_lab_stop(&lab);
}

/* R=W=0: the page is asked for */
static void test_made_absent(void)
{
    PriLab lab;

    corrupt(&lab, ATS_RULE_FIELD_FLAGS, PT_RAW_READ | PT_RAW_WRITE);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    pri_lab_stop(&lab);
}

/* An unexpected second one */
static void test_twice(void)
{
    uint64_t pa;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, "atc-entries=0", 0);
    pa = map(&lab, 0);
    rule(&lab, ATS_RULE_DUPLICATE);
    start(&lab, 0);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_TRANS_UNEXPECTED), ==, 1);
    g_assert_cmphex(qtest_readq(lab.qts, pa), ==, PATTERN);
    pri_lab_stop(&lab);
}

/* None at all */
static void test_lost(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    map(&lab, 0);
    rule(&lab, ATS_RULE_DROP);
    start_waiting(&lab, 0);
    qtest_clock_step(lab.qts, 50 * QINV_MS);
    g_assert_cmpuint(status(&lab, 0), ==, PT_ST_TIMEOUT);
    pri_lab_stop(&lab);
}

/* -- ATS-06: an invalidation passes the completion ------------------------- */

/*
 * The page moves while its old translation is on its way.  The invalidation is
 * confirmed at once, and the old page is not touched after that.
 */
static void test_invalidated(void)
{
    uint64_t old, fresh;
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    old = map(&lab, 0);
    rule(&lab, ATS_RULE_HOLD);
    start_waiting(&lab, 0);
    fresh = map(&lab, 0);
    g_assert_cmphex(fresh, !=, old);
    slot = put_invalidation(&lab, LAB_IOVA);
    g_assert_true(qvtd_wait_done(&lab.v, slot));

    lab_rule(&lab.d, ATS_RULE_KNOB_ACTION, ATS_RULE_OFF);
    qvtd_flush(&lab.v);
    release(&lab, 1);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(lab.qts, old), ==, 0);
    g_assert_cmphex(qtest_readq(lab.qts, fresh), ==, PATTERN);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_TRANS_DISCARDED), ==, 1);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_TRANSLATIONS), ==, 2);
    pri_lab_stop(&lab);
}

/* The next page is invalidated: the completion counts */
static void test_beside(void)
{
    uint64_t pa;
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    pa = map(&lab, 0);
    rule(&lab, ATS_RULE_HOLD);
    start_waiting(&lab, 0);
    slot = put_invalidation(&lab, LAB_IOVA + PAGE);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    release(&lab, 1);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(lab.qts, pa), ==, PATTERN);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_TRANS_DISCARDED), ==, 0);
    pri_lab_stop(&lab);
}

/* Negative control: with atc-leak the old page is written to */
static void test_leak(void)
{
    uint64_t old;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, "atc-leak=on", 0);
    old = map(&lab, 0);
    rule(&lab, ATS_RULE_HOLD);
    start_waiting(&lab, 0);
    map(&lab, 0);
    g_assert_true(qvtd_wait_done(&lab.v, put_invalidation(&lab, LAB_IOVA)));
    release(&lab, 1);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(lab.qts, old), ==, PATTERN);
    pri_lab_stop(&lab);
}

/* -- Resets, stop, disable ------------------------------------------------- */

/* FLR-03: a completion from before the reset meets nothing after it */
static void test_flr(void)
{
    uint64_t pa;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    pa = map(&lab, 0);
    rule(&lab, ATS_RULE_HOLD);
    start_waiting(&lab, 0);
    qpt_flr(&lab.d);
    qpt_restore(&lab.d);
    qpt_enable(&lab.d, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_TRANS_WAITING), ==, 0);
    start_waiting(&lab, 0);
    release(&lab, 1);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_TRANS_UNEXPECTED), ==, 1);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    release(&lab, 1);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(lab.qts, pa), ==, PATTERN);
    pri_lab_stop(&lab);
}

/* ATS-27: stop of the PASID discards what is on its way for it */
static void test_stop(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    map(&lab, 0);
    rule(&lab, ATS_RULE_HOLD);
    start_waiting(&lab, 0);
    qpt_writel(&lab.d, PT_STOP_PASID, LAB_PASID);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_STOP_STATUS), ==, PT_STOP_DONE);
    g_assert_cmpuint(status(&lab, 0), ==, PT_ST_ABORTED);
    release(&lab, 1);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 0);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_TRANS_DISCARDED), ==, 1);
    pri_lab_stop(&lab);
}

/* ATS-05: nothing is cached while E=0, and E 0 to 1 empties (ATS-27) */
static void test_disable(void)
{
    uint16_t ctrl;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    map(&lab, 0);
    map(&lab, 1);
    rule(&lab, ATS_RULE_HOLD);
    start_waiting(&lab, 0);
    start_waiting(&lab, 1);
    ctrl = lab.d.ats + QPT_ATS_CTRL;
    qpt_config_writew(&lab.d, ctrl, 0);
    release(&lab, 1);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_NOT_ENABLED);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 0);
    qpt_config_writew(&lab.d, ctrl, QPT_ATS_CTRL_E);
    lab_rule(&lab.d, ATS_RULE_KNOB_ACTION, ATS_RULE_OFF);
    release(&lab, 1);
    g_assert_cmpuint(qpt_wait(&lab.d, 1), ==, PT_ST_DONE);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_TRANS_DISCARDED), ==, 2);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_TRANSLATIONS), ==, 3);
    pri_lab_stop(&lab);
}

/* A channel that is started again has no more requests than there are */
static void test_bounded(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    map(&lab, 0);
    rule(&lab, ATS_RULE_HOLD);
    for (unsigned int i = 0; i < 140; i++) {
        start(&lab, 0);
        g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
        if (i < 139) {
            qpt_writel(&lab.d, PT_CHANNEL(0) + PT_CH_CMD, PT_OP_ABORT);
        }
    }
    g_assert_cmpuint(qpt_readl(&lab.d, PT_TRANS_WAITING), ==, 128);
    lab_rule(&lab.d, ATS_RULE_KNOB_ACTION, ATS_RULE_OFF);
    release(&lab, 1);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    pri_lab_stop(&lab);
}

/* -- Migration ------------------------------------------------------------- */

static void test_snapshot(void)
{
    g_autofree char *dir = g_dir_make_tmp("pri-lab-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/disk", dir);
    g_autofree char *first = NULL;
    uint64_t old, fresh, pa;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    lab_create_disk(lab.qts, file);
    old = map(&lab, 0);
    pa = map(&lab, 1);
    rule(&lab, ATS_RULE_HOLD);
    start_waiting(&lab, 0);
    start_waiting(&lab, 1);
    fresh = map(&lab, 0);
    qvtd_flush(&lab.v);
    put_invalidation(&lab, LAB_IOVA);
    lab_rule(&lab.d, ATS_RULE_KNOB_ACTION, ATS_RULE_OFF);
    lab_run_job(lab.qts, "snapshot-save", "save");
    for (unsigned int i = 0; i < LAB_RUNS; i++) {
        g_autofree char *job = g_strdup_printf("load%u", i);

        lab_run_job(lab.qts, "snapshot-load", job);
        g_assert_cmpuint(qpt_readl(&lab.d, PT_TRANS_WAITING), ==, 2);
        release(&lab, 2);
        g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
        g_assert_cmpuint(qpt_wait(&lab.d, 1), ==, PT_ST_DONE);
        g_assert_cmphex(qtest_readq(lab.qts, old), ==, 0);
        g_assert_cmphex(qtest_readq(lab.qts, fresh), ==, PATTERN);
        g_assert_cmphex(qtest_readq(lab.qts, pa), ==, PATTERN);
        g_assert_cmpuint(lab_counter(&lab, PT_CNT_TRANS_DISCARDED), ==, 1);
        lab_expect_same_log(&lab, &first);
    }
    pri_lab_stop(&lab);
    g_unlink(file);
    g_rmdir(dir);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);

    qtest_add_func("/pri-testdev/trans/hold", test_hold);
    qtest_add_func("/pri-testdev/trans/no-atc", test_no_atc);
    qtest_add_func("/pri-testdev/trans/delay", test_delay);
    qtest_add_func("/pri-testdev/trans/ATS-03/fault", test_fault);
    qtest_add_func("/pri-testdev/trans/ATS-01/made-ur", test_made_ur);
    qtest_add_func("/pri-testdev/trans/ATS-01/made-ca", test_made_ca);
    qtest_add_func("/pri-testdev/trans/ATS-03/made-absent", test_made_absent);
    qtest_add_func("/pri-testdev/trans/twice", test_twice);
    qtest_add_func("/pri-testdev/trans/ATS-01/lost", test_lost);
    qtest_add_func("/pri-testdev/trans/ATS-06/invalidated", test_invalidated);
    qtest_add_func("/pri-testdev/trans/ATS-06/beside", test_beside);
    qtest_add_func("/pri-testdev/trans/ATS-21/leak", test_leak);
    qtest_add_func("/pri-testdev/trans/FLR-03/flr", test_flr);
    qtest_add_func("/pri-testdev/trans/ATS-27/stop", test_stop);
    qtest_add_func("/pri-testdev/trans/ATS-05/disable", test_disable);
    qtest_add_func("/pri-testdev/trans/bounded", test_bounded);
    qtest_add_func("/pri-testdev/trans/snapshot", test_snapshot);

    return g_test_run();
}
