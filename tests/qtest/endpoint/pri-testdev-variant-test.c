/*
 * pri-testdev: functions that lack a capability, or have an unusual one
 *
 * PCIe 6.2 10.2, 10.5; what a driver meets in hardware of other makers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "hw/i386/vtd-knobs.h"
#include "libqos/vtd-inv.h"

#define PAGE            4096
#define VTD             "ite-timeout-ms=60000,wait-depth=1024"
#define PATTERN         0x1122334455667788ULL

static uint64_t counter(PriLab *lab, unsigned int offset)
{
    return qpt_readq(&lab->d, offset);
}

static QPtOp fill(unsigned int page, unsigned int pages)
{
    return (QPtOp) {
        .cmd = PT_OP_FILL, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA + page * PAGE, .len = pages * PAGE, .group = pages,
        .pattern = PATTERN,
    };
}

/* A group of @pages from channel 0, which then waits */
static void fault(PriLab *lab, unsigned int pages)
{
    QPtOp op = fill(0, pages);

    qpt_start(&lab->d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab->d, 0), ==, PT_ST_RUNNING);
}

static void map(PriLab *lab, unsigned int pages)
{
    uint64_t pa = qvtd_alloc(&lab->v, pages);

    for (unsigned int i = 0; i < pages; i++) {
        qvtd_fs_map(&lab->v, lab->pml4, LAB_IOVA + i * PAGE, pa + i * PAGE,
                    QVTD_FS_USER);
    }
}

/* -- Functions that lack something ----------------------------------------- */

/* ATS alone: it translates, and ends where a page is absent */
static void test_ats_only(void)
{
    QPtOp op = fill(0, 1);
    PriLab lab;

    pri_lab_boot(&lab, VTD, "pri=off,pasid=off", 0);
    g_assert_cmphex(lab.d.pri, ==, 0);
    g_assert_cmphex(lab.d.pasid, ==, 0);
    qvtd_start(&lab.v);
    qvtd_device_setup(&lab.v, lab.d.rid, 7);
    lab.pml4 = qvtd_pasid_setup(&lab.v, lab.d.rid, 0, LAB_RID_DID);
    qvtd_flush(&lab.v);
    qpt_config_writew(&lab.d, 4, 6);
    qpt_config_writew(&lab.d, lab.d.ats + QPT_ATS_CTRL, QPT_ATS_CTRL_E);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_NOT_ENABLED);
    op.flags = 0;
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_NO_PRI);
    map(&lab, 1);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
    /* a response that nobody can have asked for */
    qvtd_respond(&lab.v, lab.d.rid, QVTD_NO_PASID, 3, QPT_SUCCESS);
    g_assert_cmpuint(counter(&lab, PT_CNT_VIOLATIONS), ==, 1);
    pri_lab_stop(&lab);
}

/* PASIDs, but no Page Requests */
static void test_no_pri(void)
{
    QPtOp op = fill(0, 1);
    PriLab lab;

    pri_lab_boot(&lab, VTD, "pri=off", 0);
    g_assert_cmphex(lab.d.pri, ==, 0);
    g_assert_cmphex(lab.d.pasid, !=, 0);
    qvtd_start(&lab.v);
    qvtd_device_setup(&lab.v, lab.d.rid, 7);
    lab.pml4 = qvtd_pasid_setup(&lab.v, lab.d.rid, LAB_PASID, LAB_DID);
    qvtd_flush(&lab.v);
    qpt_config_writew(&lab.d, 4, 6);
    qpt_config_writew(&lab.d, lab.d.pasid + QPT_PASID_CTRL, QPT_PASID_CTRL_E);
    qpt_config_writew(&lab.d, lab.d.ats + QPT_ATS_CTRL, QPT_ATS_CTRL_E);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_NO_PRI);
    map(&lab, 1);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
    pri_lab_stop(&lab);
}

/* PRI-24, LNX-02: PRG Response PASID Required is 0 */
static void test_par_0(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD, "prg-resp-pasid-required=off", 0);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.pri + QPT_PRI_STATUS) &
                    QPT_PRI_STATUS_PASID, ==, 0);
    fault(&lab, 1);
    map(&lab, 1);
    qvtd_respond(&lab.v, lab.d.rid, QVTD_NO_PASID, 0, QPT_SUCCESS);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmpuint(counter(&lab, PT_CNT_VIOLATIONS), ==, 0);

    /* one that has a PASID is matched by its index, and is a violation */
    qvtd_prq_drop_all(&lab.v);
    lab_request(&lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, 40);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 40, QPT_SUCCESS);
    lab_expect_response(&lab, QPT_SUCCESS, 40, LAB_PASID);
    pri_lab_stop(&lab);
}

/* ATS-08: without Page Aligned Request the low bits are anything */
static void test_unaligned(void)
{
    QPtOp op = fill(0, 1);

    op.dst += 0x123;
    op.len = 8;
    for (unsigned int aligned = 0; aligned < 2; aligned++) {
        PriLab lab;
        uint32_t n;

        pri_lab_start_with(&lab, VTD, aligned ? NULL : "page-aligned=off", 0);
        g_assert_cmpint(!(qpt_config_readw(&lab.d, lab.d.ats + QPT_ATS_CAP) &
                          (1 << 5)), ==, !aligned);
        map(&lab, 1);
        g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
        /* the log has the Translation Request's address */
        n = qpt_readl(&lab.d, PT_LOG_COUNT);
        do {
            qpt_writel(&lab.d, PT_LOG_SELECT, --n);
        } while (n && qpt_readl(&lab.d, PT_LOG_KIND) != PT_LOG_TRANSLATION);
        g_assert_cmphex(qpt_readq(&lab.d, PT_LOG_ADDR), ==,
                        aligned ? LAB_IOVA : LAB_IOVA + 0x120);
        pri_lab_stop(&lab);
    }
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    qtest_add_func("/pri-testdev/variant/ATS-01/ats-only", test_ats_only);
    qtest_add_func("/pri-testdev/variant/LNX-05/no-pri", test_no_pri);
    qtest_add_func("/pri-testdev/variant/PRI-24/par-0", test_par_0);
    qtest_add_func("/pri-testdev/variant/ATS-08/unaligned", test_unaligned);
    return g_test_run();
}
