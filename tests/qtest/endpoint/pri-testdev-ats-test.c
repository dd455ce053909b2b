/*
 * pri-testdev: capabilities and Function Level Reset
 *
 * What the ATC does is in pri-agent-ats-test.c and pri-agent-inv-test.c.
 * PCIe 6.2 6.6.2, 7.8.8, 7.8.9, 10.5; checklist C (ATS-*, PRI-*, FLR-*)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/pri-lab.h"

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

/* -- Function Level Reset -------------------------------------------------- */

/* One translation, one group that waits for its response, then the reset */
static void start_and_reset(PriLab *lab)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA, .len = 8, .pattern = 5,
    };

    pri_lab_start(lab);
    qvtd_fs_map(&lab->v, lab->pml4, LAB_IOVA, qvtd_alloc(&lab->v, 1),
                QVTD_FS_USER);
    qvtd_flush(&lab->v);
    g_assert_cmpuint(qpt_run(&lab->d, 1, &op), ==, PT_ST_DONE);
    g_assert_cmpuint(qpt_readl(&lab->d, PT_ATC_USED), ==, 1);
    qpt_writel(&lab->d, PT_SCRATCH, 0x1234);
    op.dst += 0x100000;
    qpt_start(&lab->d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab->d, 0), ==, PT_ST_RUNNING);
    qpt_flr(&lab->d);
}

/* FLR-04: what is enabled in configuration space */
static void test_flr_config(void)
{
    PriLab lab;

    start_and_reset(&lab);
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
    pri_lab_stop(&lab);
}

/* FLR-06: what the function knew, and what it did */
static void test_flr_state(void)
{
    PriLab lab;

    start_and_reset(&lab);
    qpt_restore(&lab.d);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 0);
    g_assert_cmphex(qpt_readl(&lab.d, PT_SCRATCH), ==, 0);
    g_assert_cmphex(qpt_readl(&lab.d, PT_STATE) & ~PT_STATE_PRI_STOPPED, ==,
                    0);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_FLRS), ==, 1);
    g_assert_cmphex(qpt_ch_readq(&lab.d, 0, PT_CH_PATTERN), ==, 0);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), !=, PT_ST_RUNNING);
    pri_lab_stop(&lab);
}

/* FLR-06: it works again, and asks again for what it had */
static void test_flr_again(void)
{
    QPtOp op = {
        .cmd = PT_OP_READ, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .src = LAB_IOVA, .len = 8,
    };
    PriLab lab;

    start_and_reset(&lab);
    qpt_restore(&lab.d);
    qpt_enable(&lab.d, 0);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_TRANSLATIONS), ==, 1);
    pri_lab_stop(&lab);
}

/* FLR-04: the STU as well; it can be written while E is 0 (10.5.1.3) */
static void test_flr_stu(void)
{
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, 0);
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
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_FLRS), ==, 0);
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
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_FLRS), ==, 0);
    g_assert_cmphex(pri_status(&lab), ==,
                    QPT_PRI_STATUS_PASID | QPT_PRI_STATUS_STOPPED);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);

    qtest_add_func("/pri-testdev/capabilities", test_capabilities);
    qtest_add_func("/pri-testdev/properties", test_properties);
    qtest_add_func("/pri-testdev/ats/ATS-09/control", test_ats_control);
    qtest_add_func("/pri-testdev/flr/FLR-04/config", test_flr_config);
    qtest_add_func("/pri-testdev/flr/FLR-04/stu", test_flr_stu);
    qtest_add_func("/pri-testdev/flr/FLR-06/state", test_flr_state);
    qtest_add_func("/pri-testdev/flr/FLR-06/works-again", test_flr_again);
    qtest_add_func("/pri-testdev/flr/other-function", test_flr_other_function);
    qtest_add_func("/pri-testdev/flr/system-reset", test_system_reset);

    return g_test_run();
}
