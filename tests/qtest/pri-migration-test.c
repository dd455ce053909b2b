/*
 * State that has been lost in a stream, or that a stream could not take
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-posted.h"
#include "libqos/lab-state.h"
#include "libqos/vtd-inv.h"
#include <glib/gstdio.h>

#define PAGE        4096
#define LNKCAP      0x0c
#define DEVSTA_W1C  0xf

/* -- the mode that Set Root Table Pointer has latched, without PRS --------- */

#define NO_SVM  "svm=off,x-pasid-mode=off"

static void expect_queue_runs(PriLab *lab)
{
    QVtdDesc pc = qvtd_desc_pc_global();

    qvtd_submit(&lab->v, pc);
    qvtd_submit(&lab->v, qvtd_desc_piotlb(LAB_DID, LAB_PASID));
    g_assert_true(qvtd_qi_idle(&lab->v));
    g_assert_cmphex(qvtd_readl(&lab->v, QVTD_FSTS), ==, 0);
    qvtd_wait(&lab->v, 0);
}

static void test_ttm(void)
{
    PriLab lab;

    pri_lab_boot(&lab, NO_SVM, NULL, 0);
    g_assert_false(lab.v.ecap & QVTD_ECAP_PRS);
    qvtd_start(&lab.v);
    expect_queue_runs(&lab);
    qvtd_set_property(&lab.v, "ite-timeout-ms", "1234");
    lab_migrate(&lab, NO_SVM, NULL, qtest_clock_step(lab.qts, 1));
    expect_queue_runs(&lab);
    g_assert_cmpuint(qvtd_counter(&lab.v, "ite-timeout-ms"), ==, 1234);
    pri_lab_stop(&lab);
}

/* -- errors ---------------------------------------------------------------- */

/*
 * An uncorrectable error changes no read-only register (PCIe 6.2 7.5.3.6), and
 * what was saved before it can be loaded after it, and the other way round
 */
static void test_error(const void *opaque)
{
    g_autofree char *dir = g_dir_make_tmp("pri-lab-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/disk", dir);
    uint32_t lnkcap;
    PriLab lab;

    pri_lab_start(&lab);
    lab_create_disk(lab.qts, file);
    lab_run_job(lab.qts, "snapshot-save", "save");
    lnkcap = qpt_config_readl(&lab.d, lab.d.exp + LNKCAP);
    g_assert_cmphex(lnkcap, !=, 0);
    lab_turn(&lab, "aer-error", opaque);
    g_assert_cmphex(qpt_config_readl(&lab.d, lab.d.exp + LNKCAP), ==, lnkcap);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.exp + QPT_EXP_DEVCTL + 2) &
                    DEVSTA_W1C, !=, 0);
    lab_run_job(lab.qts, "snapshot-load", "load");
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.exp + QPT_EXP_DEVCTL + 2) &
                    DEVSTA_W1C, ==, 0);
    lab_turn(&lab, "aer-error", opaque);
    lab_migrate(&lab, NULL, NULL, qtest_clock_step(lab.qts, 1));
    g_assert_cmphex(qpt_config_readl(&lab.d, lab.d.exp + LNKCAP), ==, lnkcap);
    pri_lab_stop(&lab);
    g_unlink(file);
    g_rmdir(dir);
}

/* -- channels that wait for credits ---------------------------------------- */

/* They do not look again because the machine was loaded */
static void test_credits(void)
{
    g_autofree char *dir = g_dir_make_tmp("pri-lab-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/disk", dir);
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA, .len = 8,
    };
    uint64_t pa, sent;
    PriLab lab;

    pri_lab_start(&lab);
    lab_create_disk(lab.qts, file);
    pa = qvtd_alloc(&lab.v, 1);
    qpt_pri_disable(&lab.d);
    qpt_enable(&lab.d, 1);
    qpt_start(&lab.d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    op.dst += PAGE;
    qpt_start(&lab.d, 1, &op);
    g_assert_cmpuint(qpt_wait(&lab.d, 1), ==, PT_ST_RUNNING);
    qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA + PAGE, pa, QVTD_FS_USER);
    sent = qpt_readq(&lab.d, PT_CNT_TRANSLATIONS);

    lab_run_job(lab.qts, "snapshot-save", "save");
    lab_run_job(lab.qts, "snapshot-load", "load");
    g_assert_cmpuint(qpt_wait(&lab.d, 1), ==, PT_ST_RUNNING);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_TRANSLATIONS), ==, sent);
    pri_lab_stop(&lab);
    g_unlink(file);
    g_rmdir(dir);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);

    qtest_add_func("/pri-lab/MIG-02/mode-without-page-requests", test_ttm);
    qtest_add_data_func("/pri-lab/MIG-03/non-fatal-error", "\"non-fatal\"",
                        test_error);
    qtest_add_data_func("/pri-lab/MIG-03/fatal-error", "\"fatal\"",
                        test_error);
    qtest_add_func("/pri-lab/MIG-04/waiters-for-credits", test_credits);
    return g_test_run();
}
