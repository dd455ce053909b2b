/*
 * Virtual Functions of pri-testdev: PCIe 6.2 9.3.3, 10.5.1, 10.5.2
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-state.h"
#include "libqos/lab-vf.h"
#include "libqos/pri-root-port.h"
#include "libqos/vtd-inv.h"
#include <glib/gstdio.h>

#define PAGE            4096
#define COMMAND         0x04
#define EXT_ID_ARI      0x000e
#define FAILURE         QPT_RESPONSE_FAILURE
#define MEMORY_LIMIT    0x22            /* of a bridge */
#define VFS             63              /* as many as there can be */
#define ROOM            0x400000ull     /* for BARs of one kind */

/* -- Capabilities ---------------------------------------------------------- */

static void test_capability(void)
{
    uint16_t cap;
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, 0);
    g_assert_cmpuint(lab_vf_find_ext(&lab.d, LAB_EXT_ID_SRIOV), ==, 0);
    pri_lab_stop(&lab);

    pri_lab_boot(&lab, NULL, "vfs=3", 0);
    cap = lab_vf_find_ext(&lab.d, LAB_EXT_ID_SRIOV);
    g_assert_cmpuint(cap, !=, 0);
    g_assert_cmpuint(lab_vf_find_ext(&lab.d, EXT_ID_ARI), !=, 0);
    g_assert_cmpuint(qpt_config_readw(&lab.d, cap + SRIOV_INITIAL), ==, 3);
    g_assert_cmpuint(qpt_config_readw(&lab.d, cap + SRIOV_TOTAL), ==, 3);
    g_assert_cmpuint(qpt_config_readw(&lab.d, cap + SRIOV_OFFSET), ==, 1);
    g_assert_cmpuint(qpt_config_readw(&lab.d, cap + SRIOV_STRIDE), ==, 1);
    g_assert_cmphex(qpt_config_readw(&lab.d, cap + SRIOV_VF_DID), ==,
                    PRI_TESTDEV_VF_DEVICE_ID);
    pri_lab_stop(&lab);
}

/* PRI-36: ATS is in the VF, PRI and PASID are in the PF alone */
static void test_vf_capabilities(void)
{
    QPriTestdev vf, second;
    PriLab lab;

    lab_vf_start(&lab, &vf, ",queue-depth=5");
    g_assert_cmpuint(vf.ats, !=, 0);
    g_assert_cmpuint(vf.pri, ==, 0);
    g_assert_cmpuint(vf.pasid, ==, 0);
    g_assert_cmpuint(lab_vf_find_ext(&vf, LAB_EXT_ID_SRIOV), ==, 0);
    /* PCIe 6.2 7.8.8: each function of an ARI device has it */
    g_assert_cmpuint(lab_vf_find_ext(&vf, LAB_EXT_ID_ARI), !=, 0);
    g_assert_cmphex(qpt_config_readl(&vf, 0), ==, UINT32_MAX);
    g_assert_cmpuint(qpt_config_readl(&vf, vf.exp + QPT_EXP_DEVCAP) &
                     QPT_EXP_DEVCAP_FLR, !=, 0);

    /* ATS-24: Invalidate Queue Depth, and STU, are the PF's */
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.ats + QPT_ATS_CAP) & 0x1f,
                    ==, 5);
    g_assert_cmphex(qpt_config_readw(&vf, vf.ats + QPT_ATS_CAP) & 0x1f, ==, 0);
    qpt_config_writew(&vf, vf.ats + QPT_ATS_CTRL, 0x1f);
    g_assert_cmphex(qpt_config_readw(&vf, vf.ats + QPT_ATS_CTRL), ==, 0);

    /* what there is of the third is not enabled */
    lab_vf_find(&lab, &second, 1);
    second.rid++;
    g_assert_cmphex(qpt_config_readl(&second, 8), ==, UINT32_MAX);
    pri_lab_stop(&lab);
}

/* -- Page Requests --------------------------------------------------------- */

static void test_request(void)
{
    uint32_t credits;
    uint16_t prgi;
    QPriTestdev vf;
    PriLab lab;

    lab_vf_start(&lab, &vf, "");
    credits = qpt_readl(&lab.d, PT_PRI_CREDITS);
    lab_vf_start_dma(&vf, 2);
    /* PRI-36, PRI-02: the credits are those of the PF */
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_CREDITS), ==, credits - 2);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 1);
    prgi = lab_vf_take_request(&lab, vf.rid);

    /* the same index for the PF is not a response to it */
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, prgi, QPT_SUCCESS);
    g_assert_cmpuint(qpt_wait(&vf, 0), ==, PT_ST_RUNNING);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.pri + QPT_PRI_STATUS) &
                    QPT_PRI_STATUS_UPRGI, !=, 0);

    qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA, 0x8000000, QVTD_FS_USER);
    qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA + PAGE, 0x8001000, QVTD_FS_USER);
    qvtd_respond(&lab.v, vf.rid, LAB_PASID, prgi, QPT_SUCCESS);
    g_assert_cmpuint(qpt_wait(&vf, 0), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readb(lab.qts, 0x8001005), ==,
                    PT_STAMP_BYTE(0x1234, LAB_IOVA + PAGE + 5));
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_CREDITS), ==, credits);
    g_assert_cmpuint(qpt_readl(&vf, PT_ATC_USED), ==, 2);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 0);
    pri_lab_stop(&lab);
}

/* PRI-36: a response is for the function that has asked */
static void test_raw(void)
{
    QPtRaw raw = {
        .addr = LAB_IOVA, .pasid = LAB_PASID, .prgi = 40,
        .flags = PT_RAW_READ | PT_RAW_LAST,
    };
    QPriTestdev vf, second;
    PriLab lab;

    lab_vf_start(&lab, &vf, "");
    lab_vf_find(&lab, &second, 1);
    qpt_raw(&vf, &raw);
    g_assert_cmpuint(lab_vf_take_request(&lab, vf.rid), ==, raw.prgi);
    qvtd_respond(&lab.v, vf.rid, LAB_PASID, raw.prgi, QPT_SUCCESS);
    g_assert_cmpuint(qpt_raw_response(&second, NULL, NULL), ==,
                     QPT_NO_RESPONSE);
    g_assert_cmpuint(qpt_raw_response(&lab.d, NULL, NULL), ==,
                     QPT_NO_RESPONSE);
    g_assert_cmpuint(qpt_raw_response(&vf, NULL, NULL), ==, QPT_SUCCESS);
    pri_lab_stop(&lab);
}

/* The last Virtual Function of VFS; the port's window has room for all */
static void find_last(PriLab *lab, QPriTestdev *vf)
{
    uint16_t cap = lab_vf_find_ext(&lab->d, LAB_EXT_ID_SRIOV);
    uint64_t end = lab->d.bar0 + 3 * ROOM - 1;

    qtest_writew(lab->qts, qpt_ecam(lab->d.port << 3, MEMORY_LIMIT),
                 end >> 16 & 0xfff0);
    lab_vf_enable(lab, VFS);
    qpt_config_writel(&lab->d, cap + SRIOV_BAR0, lab->d.bar0 + ROOM);
    qpt_config_writel(&lab->d, cap + SRIOV_BAR0 + 8, lab->d.bar0 + 2 * ROOM);
    *vf = lab->d;
    vf->rid += VFS;
    vf->bar0 = lab->d.bar0 + ROOM + (VFS - 1) * 0x10000;
    vf->bar2 = lab->d.bar0 + 2 * ROOM + (VFS - 1) * 0x1000;
    vf->ats = lab_vf_find_ext(vf, QPT_EXT_ID_ATS);
    qpt_config_writew(vf, COMMAND, 0x2);
    g_assert_cmphex(qpt_readl(vf, PT_ID), ==, PT_ID_MAGIC);
}

/* PRI-36: the last of as many Virtual Functions as there can be */
static void test_last(void)
{
    static const QPtOp once = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA + PAGE, .len = 8,
    };
    uint16_t prgi;
    QPriTestdev vf;
    PriLab lab;

    pri_lab_start_with(&lab, NULL, "vfs=" G_STRINGIFY(VFS), 0);
    find_last(&lab, &vf);
    lab_vf_program(&lab, &vf);
    lab_vf_start_dma(&vf, 1);
    prgi = lab_vf_take_request(&lab, vf.rid);
    qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA, 0x8000000, QVTD_FS_USER);
    qvtd_respond(&lab.v, vf.rid, LAB_PASID, prgi, QPT_SUCCESS);
    g_assert_cmpuint(qpt_wait(&vf, 0), ==, PT_ST_DONE);

    /* it waits for credits, and is told that there are some */
    qpt_pri_disable(&lab.d);
    qpt_enable(&lab.d, 1);
    lab_vf_start_dma(&lab.d, 1);
    qpt_start(&vf, 0, &once);
    g_assert_cmpuint(qpt_wait(&vf, 0), ==, PT_ST_RUNNING);
    prgi = lab_vf_take_request(&lab, lab.d.rid);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, prgi, QPT_INVALID_REQUEST);
    prgi = lab_vf_take_request(&lab, vf.rid);
    qvtd_respond(&lab.v, vf.rid, LAB_PASID, prgi, QPT_INVALID_REQUEST);
    g_assert_cmpuint(qpt_wait(&vf, 0), ==, PT_ST_INVALID_REQUEST);
    pri_lab_stop(&lab);
}

/* As many as there can be go with the device, one of them at work */
static void test_unplug(void)
{
    QPriTestdev vf;
    PriLab lab;

    pri_lab_start_with(&lab, LAB_NATIVE_HOTPLUG, "vfs=" G_STRINGIFY(VFS), 0);
    find_last(&lab, &vf);
    lab_vf_program(&lab, &vf);
    lab_vf_start_dma(&vf, 1);
    lab_unplug(&lab);
    g_assert_cmphex(qpt_config_readl(&vf, 8), ==, UINT32_MAX);
    pri_lab_stop(&lab);
}

/* PRI-21: a Response Failure for a VF disables the interface of the PF */
static void test_failure(void)
{
    uint16_t prgi;
    QPriTestdev vf;
    PriLab lab;

    lab_vf_start(&lab, &vf, "");
    lab_vf_start_dma(&vf, 1);
    prgi = lab_vf_take_request(&lab, vf.rid);
    lab_vf_start_dma(&lab.d, 1);
    qvtd_respond(&lab.v, vf.rid, LAB_PASID, prgi, FAILURE);
    g_assert_cmpuint(qpt_wait(&vf, 0), ==, PT_ST_RESPONSE_FAILURE);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RESPONSE_FAILURE);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.pri + QPT_PRI_STATUS) &
                    QPT_PRI_STATUS_RF, !=, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_CREDITS), ==, 0);
    pri_lab_stop(&lab);
}

/* PASID Enable of the PF is that of the VF; so is Page Request Enable */
static void test_gates(void)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA, .len = 8,
    };
    QPriTestdev vf;
    PriLab lab;

    lab_vf_start(&lab, &vf, "");
    qpt_config_writew(&lab.d, lab.d.pri + QPT_PRI_CTRL, 0);
    g_assert_cmpuint(qpt_run(&vf, 0, &op), ==, PT_ST_NO_PRI);
    qpt_config_writew(&lab.d, lab.d.pasid + QPT_PASID_CTRL, 0);
    g_assert_cmpuint(qpt_run(&vf, 0, &op), ==, PT_ST_NOT_ENABLED);
    pri_lab_stop(&lab);
}

/* -- Invalidations --------------------------------------------------------- */

static void test_invalidate(void)
{
    uint32_t slot;
    QPriTestdev vf;
    PriLab lab;

    lab_vf_start(&lab, &vf, "");
    qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA, 0x8000000, QVTD_FS_USER);
    lab_vf_start_dma(&vf, 2);
    g_assert_cmpuint(qpt_readl(&vf, PT_ATC_USED), ==, 1);
    qinv_put_dev_tlb(&lab.v, lab.d.rid);
    slot = qinv_put_wait(&lab.v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab.v);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    g_assert_cmpuint(qpt_readl(&vf, PT_ATC_USED), ==, 1);
    g_assert_cmpuint(qpt_readq(&vf, PT_CNT_INV_REQUESTS), ==, 0);

    qvtd_submit(&lab.v, qvtd_desc_dev_ptlb(vf.rid, LAB_PASID, QVTD_INV_ALL,
                                           true, false));
    slot = qinv_put_wait(&lab.v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab.v);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    g_assert_cmpuint(qpt_readl(&vf, PT_ATC_USED), ==, 0);
    g_assert_cmpuint(qpt_readq(&vf, PT_CNT_INV_COMPLETIONS), ==, 1);
    pri_lab_stop(&lab);
}

/* -- Resets ---------------------------------------------------------------- */

/* FLR-07: that of a VF is its own affair */
static void test_vf_flr(void)
{
    uint16_t prgi, cap;
    QPriTestdev vf;
    PriLab lab;

    lab_vf_start(&lab, &vf, "");
    cap = lab_vf_find_ext(&lab.d, LAB_EXT_ID_SRIOV);
    lab_vf_start_dma(&vf, 1);
    prgi = lab_vf_take_request(&lab, vf.rid);
    lab_vf_start_dma(&lab.d, 1);
    qpt_writel(&lab.d, PT_SCRATCH, 0x5c5c);
    qpt_flr(&vf);
    qpt_config_writew(&vf, COMMAND, 0x2);
    g_assert_cmpuint(qpt_ch_readl(&vf, 0, PT_CH_STATUS), ==, PT_ST_IDLE);
    g_assert_cmphex(qpt_config_readw(&vf, vf.ats + QPT_ATS_CTRL), ==, 0);
    g_assert_cmphex(qpt_readl(&lab.d, PT_SCRATCH), ==, 0x5c5c);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 1);
    g_assert_cmpuint(qpt_ch_readl(&lab.d, 0, PT_CH_STATUS), ==,
                     PT_ST_RUNNING);
    g_assert_cmpuint(qpt_config_readw(&lab.d, cap + SRIOV_NUM), ==, 2);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.ats + QPT_ATS_CTRL), ==,
                    QPT_ATS_CTRL_E);

    /* its response comes from before the reset */
    qvtd_respond(&lab.v, vf.rid, LAB_PASID, prgi, QPT_SUCCESS);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_STALE), ==, 1);
    g_assert_cmpuint(qpt_ch_readl(&lab.d, 0, PT_CH_STATUS), ==,
                     PT_ST_RUNNING);
    pri_lab_stop(&lab);
}

/*
 * A Virtual Function's reset that takes 70 ms, with a group of it and one of
 * the Physical Function outstanding; returns the PRG index of the former
 */
static uint16_t start_slow_flr(PriLab *lab, QPriTestdev *vf)
{
    uint16_t prgi;

    lab_vf_start(lab, vf, "");
    g_assert_cmpuint(qpt_knob_set(vf, PT_KNOB_FLR_DURATION, 70), ==,
                     PT_KNOB_OK);
    g_assert_cmpuint(qpt_knob_set(vf, PT_KNOB_FLR_CONFIG,
                                  PT_FLR_CONFIG_ALL_ONES), ==, PT_KNOB_OK);
    lab_vf_start_dma(vf, 1);
    prgi = lab_vf_take_request(lab, vf->rid);
    lab_vf_start_dma(&lab->d, 1);
    qpt_config_writew(vf, vf->exp + QPT_EXP_DEVCTL, QPT_EXP_DEVCTL_FLR);
    return prgi;
}

/* FLR-01, FLR-05: all ones for as long as it takes, then as after any FLR */
static void test_vf_flr_duration(void)
{
    QPriTestdev vf;
    PriLab lab;

    start_slow_flr(&lab, &vf);
    g_assert_cmphex(qpt_config_readl(&vf, 8), ==, UINT32_MAX);
    qtest_clock_step(lab.qts, 69 * QINV_MS);
    g_assert_cmphex(qpt_config_readl(&vf, 8), ==, UINT32_MAX);
    qtest_clock_step(lab.qts, 2 * QINV_MS);
    g_assert_cmphex(qpt_config_readl(&vf, 8), !=, UINT32_MAX);
    qpt_config_writew(&vf, COMMAND, 0x2);
    g_assert_cmphex(qpt_readl(&vf, PT_ID), ==, PT_ID_MAGIC);
    g_assert_cmpuint(qpt_ch_readl(&vf, 0, PT_CH_STATUS), ==, PT_ST_IDLE);
    g_assert_cmpuint(qpt_readl(&vf, PT_RESET_LAST), ==, PT_RESET_FLR);
    pri_lab_stop(&lab);
}

/* FLR-02: its response is lost meanwhile, and so is an invalidation of it */
static void test_vf_flr_lost(void)
{
    uint32_t slot;
    uint16_t prgi;
    QPriTestdev vf;
    PriLab lab;

    prgi = start_slow_flr(&lab, &vf);
    qvtd_respond(&lab.v, vf.rid, LAB_PASID, prgi, QPT_SUCCESS);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_STALE), ==, 0);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_UNEXPECTED), ==, 0);
    qinv_put_dev_tlb(&lab.v, vf.rid);
    slot = qinv_put_wait(&lab.v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab.v);
    qtest_clock_step(lab.qts, 111 * QINV_MS);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(qinv_itesid(&lab.v), ==, vf.rid);
    pri_lab_stop(&lab);
}

/* FLR-07: the PF does not notice, its knob least of all */
static void test_vf_flr_pf(void)
{
    uint16_t prgi;
    QPriTestdev vf;
    PriLab lab;

    start_slow_flr(&lab, &vf);
    g_assert_cmpuint(qpt_knob_get(&lab.d, PT_KNOB_FLR_DURATION), ==, 0);
    g_assert_cmphex(qpt_readl(&lab.d, PT_ID), ==, PT_ID_MAGIC);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 1);
    g_assert_cmpuint(qpt_ch_readl(&lab.d, 0, PT_CH_STATUS), ==,
                     PT_ST_RUNNING);
    prgi = lab_vf_take_request(&lab, lab.d.rid);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, prgi, QPT_INVALID_REQUEST);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_INVALID_REQUEST);
    pri_lab_stop(&lab);
}

/* -- The PF ---------------------------------------------------------------- */

/* VT-d 7.9: groups of other functions, of the same channels, live on */
static void test_soft_reset(void)
{
    uint16_t prgi;
    QPriTestdev vf;
    PriLab lab;

    lab_vf_start(&lab, &vf, "");
    lab_vf_start_dma(&vf, 1);
    prgi = lab_vf_take_request(&lab, vf.rid);
    lab_vf_start_dma(&lab.d, 1);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 2);
    qpt_writel(&lab.d, PT_SOFT_RESET, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 1);
    lab_vf_start_dma(&lab.d, 1);
    qpt_writel(&lab.d, PT_SOFT_RESET, PT_SOFT_RESET_ALL);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 1);
    g_assert_cmpuint(qpt_ch_readl(&vf, 0, PT_CH_STATUS), ==, PT_ST_RUNNING);

    lab_vf_start_dma(&lab.d, 1);
    qpt_writel(&vf, PT_SOFT_RESET, PT_SOFT_RESET_ALL);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 1);
    g_assert_cmpuint(qpt_ch_readl(&lab.d, 0, PT_CH_STATUS), ==,
                     PT_ST_RUNNING);
    qvtd_respond(&lab.v, vf.rid, LAB_PASID, prgi, QPT_SUCCESS);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_STALE), ==, 1);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 1);
    pri_lab_stop(&lab);
}

/* -- Migration ------------------------------------------------------------- */

static void test_migration(void)
{
    g_autofree char *dir = g_dir_make_tmp("pri-lab-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/state", dir);
    g_autofree char *uri = g_strdup_printf("file:%s", file);
    QPriTestdev vf;
    uint16_t prgi;
    PriLab src, dst;

    lab_vf_start(&src, &vf, "");
    lab_vf_start_dma(&vf, 1);
    prgi = lab_vf_take_request(&src, vf.rid);
    qvtd_fs_map(&src.v, src.pml4, LAB_IOVA, 0x8000000, QVTD_FS_USER);
    qtest_qmp_assert_success(src.qts, "{ 'execute': 'stop' }");
    qtest_qmp_assert_success(src.qts, "{ 'execute': 'migrate', 'arguments': "
                             "{ 'uri': %s } }", uri);
    lab_wait_migrated(src.qts);

    dst = src;
    dst.qts = qtest_initf(
        "-machine q35 -m 256M -nodefaults -incoming defer "
        "-device intel-iommu,id=vtd," LAB_VTD_OPTIONS ",ite-timeout-ms=100 "
        "-device pcie-root-port,id=rp0,chassis=1,slot=1,bus=pcie.0,addr=4 "
        "-device pri-testdev,id=pt0,bus=rp0,vfs=3");
    dst.v.qts = dst.d.qts = vf.qts = dst.qts;
    qtest_qmp_assert_success(dst.qts, "{ 'execute': 'migrate-incoming', "
                             "'arguments': { 'uri': %s } }", uri);
    lab_wait_migrated(dst.qts);
    qtest_qmp_assert_success(dst.qts, "{ 'execute': 'cont' }");
    g_assert_cmpuint(qpt_readl(&dst.d, PT_PRI_GROUPS), ==, 1);
    qvtd_respond(&dst.v, vf.rid, LAB_PASID, prgi, QPT_SUCCESS);
    g_assert_cmpuint(qpt_wait(&vf, 0), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readb(dst.qts, 0x8000003), ==,
                    PT_STAMP_BYTE(0x1234, LAB_IOVA + 3));

    qtest_quit(dst.qts);
    pri_lab_stop(&src);
    g_unlink(file);
    g_rmdir(dir);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    qtest_add_func("/pri-testdev/vf/capability", test_capability);
    qtest_add_func("/pri-testdev/vf/PRI-36/ATS-24/capabilities",
                   test_vf_capabilities);
    qtest_add_func("/pri-testdev/vf/PRI-36/PRQ-27/request", test_request);
    qtest_add_func("/pri-testdev/vf/PRI-36/raw", test_raw);
    qtest_add_func("/pri-testdev/vf/PRI-36/last", test_last);
    qtest_add_func("/pri-testdev/vf/ROB-01/unplug", test_unplug);
    qtest_add_func("/pri-testdev/vf/PRI-21/failure", test_failure);
    qtest_add_func("/pri-testdev/vf/gates", test_gates);
    qtest_add_func("/pri-testdev/vf/invalidate", test_invalidate);
    qtest_add_func("/pri-testdev/vf/FLR-07/vf", test_vf_flr);
    qtest_add_func("/pri-testdev/vf/FLR-01/FLR-05/duration",
                   test_vf_flr_duration);
    qtest_add_func("/pri-testdev/vf/FLR-02/lost", test_vf_flr_lost);
    qtest_add_func("/pri-testdev/vf/FLR-07/pf-goes-on", test_vf_flr_pf);
    qtest_add_func("/pri-testdev/vf/soft-reset", test_soft_reset);
    qtest_add_func("/pri-testdev/vf/migration", test_migration);
    return g_test_run();
}
