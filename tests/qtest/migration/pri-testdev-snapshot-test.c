/*
 * pri-testdev: from a hold point the same run every time, and migration of
 * what is slow
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-state.h"
#include "libqos/vtd-inv.h"
#include <glib/gstdio.h>

#define PAGE            4096
#define ONES            UINT32_MAX
#define VTD             "ite-timeout-ms=60000,wait-depth=1024"

static uint32_t invalidate(PriLab *lab)
{
    uint32_t slot;

    qinv_put_dev_tlb(&lab->v, lab->d.rid);
    slot = qinv_put_wait(&lab->v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab->v);
    return slot;
}

static void fault(PriLab *lab, unsigned int ch)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA + ch * PAGE, .len = 8,
    };

    qpt_start(&lab->d, ch, &op);
    g_assert_cmpuint(qpt_wait(&lab->d, ch), ==, PT_ST_RUNNING);
}

/* -- the same run a hundred times ------------------------------------------ */

/*
 * Held: completions, two groups of which one outlives a reset's memory, a stop
 * that waits; and an index freed last, a knob that counts down, an event
 */
static void prepare(PriLab *lab, uint32_t *slot)
{
    fault(lab, 0);
    qpt_flr(&lab->d);
    qpt_restore(&lab->d);
    qpt_enable(&lab->d, 0);
    lab_knob(lab, PT_KNOB_PRGI_POLICY, 1);
    lab_knob(lab, PT_KNOB_INV_REPLY, 2);
    fault(lab, 0);
    fault(lab, 1);
    fault(lab, 2);
    qvtd_respond(&lab->v, lab->d.rid, LAB_PASID, 2, QPT_INVALID_REQUEST);
    slot[0] = invalidate(lab);
    slot[1] = invalidate(lab);
    lab_knob(lab, PT_KNOB_INV_REPLY, 1);
    lab_knob(lab, PT_KNOB_INV_NTH, 2);
    qpt_writel(&lab->d, PT_EVENT_ENABLE, PT_EVENT_STALE);
    qpt_writel(&lab->d, PT_STOP_PASID, LAB_PASID);
    g_assert_cmpuint(qpt_readl(&lab->d, PT_STOP_STATUS), ==, PT_STOP_BUSY);
}

static void finish(PriLab *lab, const uint32_t *slot)
{
    uint32_t third, fourth;

    g_assert_false(qvtd_wait_done(&lab->v, slot[0]));
    g_assert_cmpuint(qpt_readl(&lab->d, PT_INV_WAITING), ==, 2);
    g_assert_cmpuint(qpt_readl(&lab->d, PT_EVENT_ENABLE), ==, PT_EVENT_STALE);
    lab_knob(lab, PT_KNOB_INV_RELEASE, 1);
    g_assert_true(qvtd_wait_done(&lab->v, slot[0]));
    g_assert_false(qvtd_wait_done(&lab->v, slot[1]));
    lab_knob(lab, PT_KNOB_INV_RELEASE_LAST, 1);
    g_assert_true(qvtd_wait_done(&lab->v, slot[1]));

    /* the response from before the reset, then those that are waited for */
    qvtd_respond(&lab->v, lab->d.rid, LAB_PASID, 0, QPT_SUCCESS);
    g_assert_cmpuint(qpt_readq(&lab->d, PT_CNT_RESP_STALE), ==, 1);
    g_assert_cmpuint(qpt_readl(&lab->d, PT_STOP_STATUS), ==, PT_STOP_BUSY);
    qvtd_respond(&lab->v, lab->d.rid, LAB_PASID, 1, QPT_SUCCESS);
    g_assert_cmpuint(qpt_readl(&lab->d, PT_STOP_STATUS), ==, PT_STOP_DONE);
    g_assert_cmpuint(qpt_readl(&lab->d, PT_EVENT_STATUS), ==,
                     PT_EVENT_STOP | PT_EVENT_STALE);
    g_assert_cmpuint(qpt_ch_readl(&lab->d, 1, PT_CH_STATUS), ==,
                     PT_ST_ABORTED);

    /* freed last: 1, 0, 2 */
    fault(lab, 3);
    fault(lab, 4);
    fault(lab, 5);
    third = invalidate(lab);
    fourth = invalidate(lab);
    g_assert_true(qvtd_wait_done(&lab->v, third));
    g_assert_false(qvtd_wait_done(&lab->v, fourth));
    g_assert_cmpuint(qpt_readq(&lab->d, PT_CNT_INV_COMPLETIONS), ==, 3);
}

static void test_runs(void)
{
    g_autofree char *dir = g_dir_make_tmp("pri-lab-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/disk", dir);
    g_autofree char *first = NULL;
    uint32_t slot[2];
    QVtd saved;
    PriLab lab;
    int i;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    lab_create_disk(lab.qts, file);
    prepare(&lab, slot);
    lab_run_job(lab.qts, "snapshot-save", "save");
    saved = lab.v;
    finish(&lab, slot);
    first = lab_read_log(&lab);
    g_assert_nonnull(strstr(first, "stale"));
    g_assert_nonnull(strstr(first, "tag=1 addr=0x7f123456a000"));
    for (i = 0; i < LAB_RUNS; i++) {
        g_autofree char *job = g_strdup_printf("load%d", i);

        lab_run_job(lab.qts, "snapshot-load", job);
        lab.v = saved;
        finish(&lab, slot);
        lab_expect_same_log(&lab, &first);
    }
    pri_lab_stop(&lab);
    g_unlink(file);
    g_rmdir(dir);
}

/* -- migration of what waits for its time ---------------------------------- */

static void test_delay(void)
{
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    lab_knob(&lab, PT_KNOB_INV_DELAY, 500);
    slot = invalidate(&lab);
    lab_migrate(&lab, VTD, NULL, qtest_clock_step(lab.qts, 150 * QINV_US));
    g_assert_cmpuint(qpt_knob_get(&lab.d, PT_KNOB_INV_DELAY), ==, 500);
    qtest_clock_step(lab.qts, 349 * QINV_US);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    qtest_clock_step(lab.qts, 2 * QINV_US);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

static void test_flr(void)
{
    unsigned int devctl;
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, "flr-duration-ms=100,flr-config=all-ones,"
                       "inv-in-flr=complete-after", 0);
    devctl = lab.d.exp + QPT_EXP_DEVCTL;
    qpt_config_writew(&lab.d, devctl, QPT_EXP_DEVCTL_FLR);
    slot = invalidate(&lab);
    lab_migrate(&lab, VTD, NULL, qtest_clock_step(lab.qts, 40 * QINV_MS));
    qtest_clock_step(lab.qts, 59 * QINV_MS);
    g_assert_cmphex(qpt_config_readl(&lab.d, 0), ==, ONES);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    qtest_clock_step(lab.qts, 2 * QINV_MS);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    qpt_restore(&lab.d);
    g_assert_cmphex(qpt_readl(&lab.d, PT_ID), ==, PT_ID_MAGIC);
    pri_lab_stop(&lab);
}

static void test_gone(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    lab_knob(&lab, PT_KNOB_GONE_MS, 30);
    qpt_knob_set(&lab.d, PT_KNOB_GONE, 1);
    lab_migrate(&lab, VTD, NULL, qtest_clock_step(lab.qts, 10 * QINV_MS));
    qtest_clock_step(lab.qts, 19 * QINV_MS);
    g_assert_cmphex(qpt_readl(&lab.d, PT_ID), ==, ONES);
    g_assert_cmphex(qtest_readl(lab.qts, lab.d.bar2), ==, ONES);
    qtest_clock_step(lab.qts, 2 * QINV_MS);
    qpt_restore(&lab.d);
    g_assert_cmphex(qpt_readl(&lab.d, PT_ID), ==, PT_ID_MAGIC);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);

    qtest_add_func("/pri-testdev/snapshot/runs", test_runs);
    qtest_add_func("/pri-testdev/migration/inv-delay", test_delay);
    qtest_add_func("/pri-testdev/migration/flr", test_flr);
    qtest_add_func("/pri-testdev/migration/gone", test_gone);

    return g_test_run();
}
