/*
 * Virtual Functions of pri-testdev: PCIe 6.2 9.3.3, 10.5.1, 10.5.2
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-state.h"
#include "libqos/pri-root-port.h"
#include "libqos/vtd-inv.h"
#include <glib/gstdio.h>

#define PAGE            4096
#define COMMAND         0x04
#define EXT_ID_SRIOV    0x0010
#define EXT_ID_ARI      0x000e

/* SR-IOV Extended Capability, 9.3.3 */
#define SRIOV_CTRL      0x08
#define SRIOV_VFE_MSE   0x09
#define SRIOV_INITIAL   0x0c
#define SRIOV_TOTAL     0x0e
#define SRIOV_NUM       0x10
#define SRIOV_OFFSET    0x14
#define SRIOV_STRIDE    0x16
#define SRIOV_VF_DID    0x1a
#define SRIOV_BAR0      0x24

#define VF_BAR0         (0xe0000000ULL + 4 * 0x400000ULL + 0x100000)
#define VF_BAR2         (VF_BAR0 + 0x80000)

#define FAILURE         QPT_RESPONSE_FAILURE

static uint16_t find_ext(QPriTestdev *d, uint16_t id)
{
    uint16_t at = 0x100;

    for (int left = 960; at && left; left--) {
        uint32_t header = qpt_config_readl(d, at);

        if (header == UINT32_MAX) {
            return 0;
        }
        if ((header & 0xffff) == id) {
            return at;
        }
        at = header >> 20 & 0xffc;
    }
    return 0;
}

static void enable_vfs(PriLab *lab, unsigned int n)
{
    QPriTestdev *pf = &lab->d;
    uint16_t cap = find_ext(pf, EXT_ID_SRIOV);

    g_assert_cmpuint(cap, !=, 0);
    qpt_config_writew(pf, cap + SRIOV_NUM, n);
    qpt_config_writel(pf, cap + SRIOV_BAR0, VF_BAR0);
    qpt_config_writel(pf, cap + SRIOV_BAR0 + 8, VF_BAR2);
    qpt_config_writew(pf, cap + SRIOV_CTRL, SRIOV_VFE_MSE);
}

/* Virtual Function @n as qpt_init() would find it */
static void find_vf(PriLab *lab, QPriTestdev *vf, unsigned int n)
{
    *vf = lab->d;
    vf->rid += 1 + n;
    vf->bar0 = VF_BAR0 + n * 0x10000;
    vf->bar2 = VF_BAR2 + n * 0x1000;
    vf->ats = find_ext(vf, QPT_EXT_ID_ATS);
    vf->pri = find_ext(vf, QPT_EXT_ID_PRI);
    vf->pasid = find_ext(vf, QPT_EXT_ID_PASID);
    /* QEMU maps the BARs of a VF by its own bit */
    qpt_config_writew(vf, COMMAND, 0x2);
    g_assert_cmphex(qpt_readl(vf, PT_ID), ==, PT_ID_MAGIC);
}

static void start_vf_at(PriLab *lab, QPriTestdev *vf, const char *options,
                        PriLabFlags flags)
{
    g_autofree char *dev = g_strdup_printf("vfs=3%s", options);

    pri_lab_start_with(lab, "ite-timeout-ms=100", dev, flags);
    enable_vfs(lab, 2);
    find_vf(lab, vf, 0);
    qvtd_device_setup(&lab->v, vf->rid, 7);
    qvtd_pasid_setup(&lab->v, vf->rid, 0, LAB_RID_DID);
    lab->pml4 = qvtd_pasid_setup(&lab->v, vf->rid, LAB_PASID, LAB_DID);
    qvtd_flush(&lab->v);
    qpt_config_writew(vf, COMMAND, 0x6);
    qpt_config_writew(vf, vf->ats + QPT_ATS_CTRL, QPT_ATS_CTRL_E);
}

static void start_vf(PriLab *lab, QPriTestdev *vf, const char *options)
{
    start_vf_at(lab, vf, options, 0);
}

static void start_dma(QPriTestdev *d, unsigned int pages)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA, .len = pages * PAGE, .pattern = 0x1234,
        .group = pages,
    };

    qpt_start(d, 0, &op);
    g_assert_cmpuint(qpt_wait(d, 0), ==, PT_ST_RUNNING);
}

static uint16_t take_request(PriLab *lab, uint16_t rid)
{
    QVtdDesc prd = { };

    while (qvtd_prq_pop(&lab->v, &prd)) {
        g_assert_cmphex(QVTD_PRD_RID(&prd), ==, rid);
        g_assert_cmphex(QVTD_PRD_PASID(&prd), ==, LAB_PASID);
        if (QVTD_PRD_LPIG(&prd)) {
            return QVTD_PRD_PRGI(&prd);
        }
    }
    g_test_message("no group in the queue");
    g_test_fail();
    return 0;
}

/* -- Capabilities ---------------------------------------------------------- */

static void test_capability(void)
{
    uint16_t cap;
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, 0);
    g_assert_cmpuint(find_ext(&lab.d, EXT_ID_SRIOV), ==, 0);
    pri_lab_stop(&lab);

    pri_lab_boot(&lab, NULL, "vfs=3", 0);
    cap = find_ext(&lab.d, EXT_ID_SRIOV);
    g_assert_cmpuint(cap, !=, 0);
    g_assert_cmpuint(find_ext(&lab.d, EXT_ID_ARI), !=, 0);
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

    start_vf(&lab, &vf, ",queue-depth=5");
    g_assert_cmpuint(vf.ats, !=, 0);
    g_assert_cmpuint(vf.pri, ==, 0);
    g_assert_cmpuint(vf.pasid, ==, 0);
    g_assert_cmpuint(find_ext(&vf, EXT_ID_SRIOV), ==, 0);
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
    find_vf(&lab, &second, 1);
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

    start_vf(&lab, &vf, "");
    credits = qpt_readl(&lab.d, PT_PRI_CREDITS);
    start_dma(&vf, 2);
    /* PRI-36, PRI-02: the credits are those of the PF */
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_CREDITS), ==, credits - 2);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 1);
    prgi = take_request(&lab, vf.rid);

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

/* PRI-21: a Response Failure for a VF disables the interface of the PF */
static void test_failure(void)
{
    uint16_t prgi;
    QPriTestdev vf;
    PriLab lab;

    start_vf(&lab, &vf, "");
    start_dma(&vf, 1);
    prgi = take_request(&lab, vf.rid);
    start_dma(&lab.d, 1);
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

    start_vf(&lab, &vf, "");
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

    start_vf(&lab, &vf, "");
    qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA, 0x8000000, QVTD_FS_USER);
    start_dma(&vf, 2);
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

    start_vf(&lab, &vf, "");
    cap = find_ext(&lab.d, EXT_ID_SRIOV);
    start_dma(&vf, 1);
    prgi = take_request(&lab, vf.rid);
    start_dma(&lab.d, 1);
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

/* FLR-02, FLR-07: one that takes time, which the PF does not notice */
static void test_vf_flr_duration(void)
{
    unsigned int devctl;
    uint32_t slot;
    uint16_t prgi;
    QPriTestdev vf;
    PriLab lab;

    start_vf(&lab, &vf, "");
    devctl = vf.exp + QPT_EXP_DEVCTL;
    g_assert_cmpuint(qpt_knob_set(&vf, PT_KNOB_FLR_DURATION, 70), ==,
                     PT_KNOB_OK);
    g_assert_cmpuint(qpt_knob_set(&vf, PT_KNOB_FLR_CONFIG, 1), ==, PT_KNOB_OK);
    g_assert_cmpuint(qpt_knob_get(&lab.d, PT_KNOB_FLR_DURATION), ==, 0);
    start_dma(&vf, 1);
    prgi = take_request(&lab, vf.rid);
    start_dma(&lab.d, 1);
    qpt_config_writew(&vf, devctl, QPT_EXP_DEVCTL_FLR);
    g_assert_cmphex(qpt_config_readl(&vf, 8), ==, UINT32_MAX);
    g_assert_cmphex(qpt_readl(&lab.d, PT_ID), ==, PT_ID_MAGIC);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 1);
    g_assert_cmpuint(qpt_ch_readl(&lab.d, 0, PT_CH_STATUS), ==,
                     PT_ST_RUNNING);

    /* Its response is lost, and so is an invalidation of it */
    qvtd_respond(&lab.v, vf.rid, LAB_PASID, prgi, QPT_SUCCESS);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_STALE), ==, 0);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_UNEXPECTED), ==, 0);
    qinv_put_dev_tlb(&lab.v, vf.rid);
    slot = qinv_put_wait(&lab.v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab.v);
    qtest_clock_step(lab.qts, 69 * QINV_MS);
    g_assert_cmphex(qpt_config_readl(&vf, 8), ==, UINT32_MAX);
    qtest_clock_step(lab.qts, 2 * QINV_MS);
    g_assert_cmphex(qpt_config_readl(&vf, 8), !=, UINT32_MAX);
    qpt_config_writew(&vf, COMMAND, 0x2);
    g_assert_cmphex(qpt_readl(&vf, PT_ID), ==, PT_ID_MAGIC);
    g_assert_cmpuint(qpt_ch_readl(&vf, 0, PT_CH_STATUS), ==, PT_ST_IDLE);
    g_assert_cmpuint(qpt_readl(&vf, PT_RESET_LAST), ==, PT_RESET_FLR);
    qtest_clock_step(lab.qts, 40 * QINV_MS);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(qinv_itesid(&lab.v), ==, vf.rid);

    /* the PF goes on */
    qvtd_writel(&lab.v, QVTD_FSTS, QVTD_FSTS_ITE);
    prgi = take_request(&lab, lab.d.rid);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, prgi, QPT_INVALID_REQUEST);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_INVALID_REQUEST);
    pri_lab_stop(&lab);
}

/* -- The port above -------------------------------------------------------- */

/* The VFs are gone with the link; the PF is back without them */
static void expect_vfs_lost(PriLab *lab, QPriTestdev *vf, QRootPort *p)
{
    uint16_t cap = find_ext(&lab->d, EXT_ID_SRIOV);

    g_assert_true(qrp_link_up(p));
    g_assert_cmphex(qpt_config_readw(&lab->d, cap + SRIOV_CTRL) & 1, ==, 0);
    g_assert_cmphex(qpt_config_readl(vf, 8), ==, UINT32_MAX);
    qpt_restore(&lab->d);
    qpt_enable(&lab->d, 0);
    g_assert_cmpuint(qpt_readl(&lab->d, PT_PRI_GROUPS), ==, 0);

    enable_vfs(lab, 2);
    find_vf(lab, vf, 0);
    g_assert_cmphex(qpt_readl(vf, PT_SCRATCH), ==, 0);
    g_assert_cmpuint(qpt_ch_readl(vf, 0, PT_CH_STATUS), ==, PT_ST_IDLE);
    g_assert_cmphex(qpt_config_readw(vf, vf->ats + QPT_ATS_CTRL), ==, 0);

    /* and they work */
    qpt_config_writew(vf, COMMAND, 0x6);
    qpt_config_writew(vf, vf->ats + QPT_ATS_CTRL, QPT_ATS_CTRL_E);
    qvtd_prq_drop_all(&lab->v);
    start_dma(vf, 1);
    qvtd_respond(&lab->v, vf->rid, LAB_PASID, take_request(lab, vf->rid),
                 QPT_INVALID_REQUEST);
    g_assert_cmpuint(qpt_wait(vf, 0), ==, PT_ST_INVALID_REQUEST);
}

static void expect_lost(PriLab *lab, QPriTestdev *vf)
{
    qrp_expect_absent(lab);
    g_assert_cmphex(qpt_config_readl(vf, 8), ==, UINT32_MAX);
    g_assert_cmphex(qpt_readl(vf, PT_ID), ==, UINT32_MAX);
}

/* A VF and its PF with requests, invalidations and work under way */
static void start_busy(PriLab *lab, QPriTestdev *vf, QRootPort *p,
                       uint16_t *prgi)
{
    start_vf_at(lab, vf, "", LAB_PRI_PORT);
    qrp_init(p, lab->qts, lab->d.port);
    start_dma(vf, 1);
    *prgi = take_request(lab, vf->rid);
    start_dma(&lab->d, 1);
    qpt_writel(vf, PT_SCRATCH, 0x5c5c);
}

/*
 * Downstream Port Containment by a fatal error of a VF (PCIe 6.2 6.2.11): the
 * source is the VF, and all functions are below a link that is down
 */
static void test_dpc(void)
{
    uint32_t slot;
    uint16_t prgi;
    QPriTestdev vf;
    QRootPort p;
    PriLab lab;

    start_busy(&lab, &vf, &p, &prgi);
    qrp_writew(&p, p.exp + QRP_DEVCTL, QRP_DEVCTL_FERE);
    qrp_writew(&p, 0x3e, 0x2);
    qpt_config_writew(&vf, vf.exp + QPT_EXP_DEVCTL, QRP_DEVCTL_FERE);
    qrp_writew(&p, p.dpc + QRP_DPC_CTL, 1);
    /* the VF may be gone before the knob could say that it was turned */
    qpt_writel(&vf, PT_KNOB_SELECT, PT_KNOB_AER_ERROR);
    qpt_writeq(&vf, PT_KNOB_VALUE, 3);
    g_assert_cmphex(qrp_readw(&p, p.dpc + QRP_DPC_STATUS) & QRP_DPC_TRIGGERED,
                    !=, 0);
    g_assert_cmphex(qrp_readw(&p, p.dpc + QRP_DPC_SOURCE), ==, vf.rid);
    expect_lost(&lab, &vf);

    /* nobody hears the response, nobody answers the invalidation */
    qvtd_respond(&lab.v, vf.rid, LAB_PASID, prgi, QPT_SUCCESS);
    qinv_put_dev_tlb(&lab.v, vf.rid);
    slot = qinv_put_wait(&lab.v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab.v);
    qtest_clock_step(lab.qts, 110 * QINV_MS);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(qinv_itesid(&lab.v), ==, vf.rid);
    qvtd_writel(&lab.v, QVTD_FSTS, QVTD_FSTS_ITE);

    qrp_writew(&p, p.dpc + QRP_DPC_STATUS,
               QRP_DPC_TRIGGERED | QRP_DPC_INTERRUPT);
    expect_vfs_lost(&lab, &vf, &p);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_UNEXPECTED), ==, 0);
    pri_lab_stop(&lab);
}

/* Link Disable, and a secondary bus reset */
static void test_link(const void *opaque)
{
    bool disable = opaque;
    uint16_t prgi;
    QPriTestdev vf;
    QRootPort p;
    PriLab lab;

    start_busy(&lab, &vf, &p, &prgi);
    if (disable) {
        qrp_writew(&p, p.exp + QRP_LNKCTL, QRP_LNKCTL_LD);
        expect_lost(&lab, &vf);
        qvtd_respond(&lab.v, vf.rid, LAB_PASID, prgi, QPT_SUCCESS);
        qrp_writew(&p, p.exp + QRP_LNKCTL, 0);
    } else {
        qrp_writew(&p, 0x3e, 0x40);
        expect_lost(&lab, &vf);
        qvtd_respond(&lab.v, vf.rid, LAB_PASID, prgi, QPT_SUCCESS);
        qrp_writew(&p, 0x3e, 0);
    }
    expect_vfs_lost(&lab, &vf, &p);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_UNEXPECTED), ==, 0);
    pri_lab_stop(&lab);
}

/* -- The PF ---------------------------------------------------------------- */

/* FLR-07: that of the PF takes its VFs along */
static void test_pf_flr(void)
{
    uint32_t slot;
    uint16_t cap;
    QPriTestdev vf;
    PriLab lab;

    start_vf(&lab, &vf, "");
    cap = find_ext(&lab.d, EXT_ID_SRIOV);
    start_dma(&vf, 1);
    qpt_writel(&vf, PT_SCRATCH, 0x5c5c);
    qpt_flr(&lab.d);
    g_assert_cmphex(qpt_config_readw(&lab.d, cap + SRIOV_CTRL) & 1, ==, 0);
    g_assert_cmphex(qpt_config_readl(&vf, 8), ==, UINT32_MAX);

    /* nobody there */
    qinv_put_dev_tlb(&lab.v, vf.rid);
    slot = qinv_put_wait(&lab.v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab.v);
    qtest_clock_step(lab.qts, 110 * QINV_MS);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(qinv_itesid(&lab.v), ==, vf.rid);

    qpt_restore(&lab.d);
    qpt_enable(&lab.d, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 0);
    enable_vfs(&lab, 2);
    find_vf(&lab, &vf, 0);
    g_assert_cmphex(qpt_readl(&vf, PT_SCRATCH), ==, 0);
    g_assert_cmpuint(qpt_ch_readl(&vf, 0, PT_CH_STATUS), ==, PT_ST_IDLE);
    /* to be disabled is no hot reset */
    g_assert_cmpuint(qpt_readl(&vf, PT_RESET_LAST), ==, PT_RESET_OTHER);
    pri_lab_stop(&lab);
}

/* VT-d 7.9: groups of other functions, of the same channels, live on */
static void test_soft_reset(void)
{
    uint16_t prgi;
    QPriTestdev vf;
    PriLab lab;

    start_vf(&lab, &vf, "");
    start_dma(&vf, 1);
    prgi = take_request(&lab, vf.rid);
    start_dma(&lab.d, 1);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 2);
    qpt_writel(&lab.d, PT_SOFT_RESET, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 1);
    start_dma(&lab.d, 1);
    qpt_writel(&lab.d, PT_SOFT_RESET, PT_SOFT_RESET_ALL);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 1);
    g_assert_cmpuint(qpt_ch_readl(&vf, 0, PT_CH_STATUS), ==, PT_ST_RUNNING);

    start_dma(&lab.d, 1);
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

    start_vf(&src, &vf, "");
    start_dma(&vf, 1);
    prgi = take_request(&src, vf.rid);
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
    qtest_add_func("/pri-testdev/vf/PRI-21/failure", test_failure);
    qtest_add_func("/pri-testdev/vf/gates", test_gates);
    qtest_add_func("/pri-testdev/vf/invalidate", test_invalidate);
    qtest_add_func("/pri-testdev/vf/FLR-07/vf", test_vf_flr);
    qtest_add_func("/pri-testdev/vf/FLR-02/FLR-07/vf-duration",
                   test_vf_flr_duration);
    qtest_add_func("/pri-testdev/vf/FLR-07/pf", test_pf_flr);
    qtest_add_func("/pri-testdev/vf/dpc", test_dpc);
    qtest_add_data_func("/pri-testdev/vf/link-disable", "", test_link);
    qtest_add_data_func("/pri-testdev/vf/bus-reset", NULL, test_link);
    qtest_add_func("/pri-testdev/vf/soft-reset", test_soft_reset);
    qtest_add_func("/pri-testdev/vf/migration", test_migration);
    return g_test_run();
}
