/*
 * Virtual Functions of pri-testdev that go with their Physical Function: the
 * link below a port that contains an error or is disabled, a bus reset, an FLR
 *
 * PCIe 6.2 6.2.11, 6.6.2, 9.3.3.3.1
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-rules.h"
#include "libqos/lab-state.h"
#include "libqos/lab-vf.h"
#include "libqos/pri-root-port.h"
#include "libqos/vtd-inv.h"
#include "qobject/qdict.h"
#include <glib/gstdio.h>

#define COMMAND         0x04

/* -- The port above -------------------------------------------------------- */

/* The VFs are gone with the link; the PF is back without them */
static void expect_vfs_lost(PriLab *lab, QPriTestdev *vf, QRootPort *p)
{
    uint16_t cap = lab_vf_find_ext(&lab->d, LAB_EXT_ID_SRIOV);

    g_assert_true(qrp_link_up(p));
    g_assert_cmphex(qpt_config_readw(&lab->d, cap + SRIOV_CTRL) & 1, ==, 0);
    g_assert_cmphex(qpt_config_readl(vf, 8), ==, UINT32_MAX);
    qpt_restore(&lab->d);
    qpt_enable(&lab->d, 0);
    g_assert_cmpuint(qpt_readl(&lab->d, PT_PRI_GROUPS), ==, 0);

    lab_vf_enable(lab, 2);
    lab_vf_find(lab, vf, 0);
    g_assert_cmphex(qpt_readl(vf, PT_SCRATCH), ==, 0);
    g_assert_cmpuint(qpt_ch_readl(vf, 0, PT_CH_STATUS), ==, PT_ST_IDLE);
    g_assert_cmphex(qpt_config_readw(vf, vf->ats + QPT_ATS_CTRL), ==, 0);

    /* and they work */
    qpt_config_writew(vf, COMMAND, 0x6);
    qpt_config_writew(vf, vf->ats + QPT_ATS_CTRL, QPT_ATS_CTRL_E);
    qvtd_prq_drop_all(&lab->v);
    lab_vf_start_dma(vf, 1);
    qvtd_respond(&lab->v, vf->rid, LAB_PASID, lab_vf_take_request(lab, vf->rid),
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
    lab_vf_start_at(lab, vf, "", LAB_PRI_PORT);
    qrp_init(p, lab->qts, lab->d.port);
    lab_vf_start_dma(vf, 1);
    *prgi = lab_vf_take_request(lab, vf->rid);
    lab_vf_start_dma(&lab->d, 1);
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
    /* a VF has none of its own: that of the PF counts */
    qpt_config_writew(&lab.d, lab.d.exp + QPT_EXP_DEVCTL, QRP_DEVCTL_FERE);
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

    lab_vf_start(&lab, &vf, "");
    cap = lab_vf_find_ext(&lab.d, LAB_EXT_ID_SRIOV);
    lab_vf_start_dma(&vf, 1);
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
    lab_vf_enable(&lab, 2);
    lab_vf_find(&lab, &vf, 0);
    g_assert_cmphex(qpt_readl(&vf, PT_SCRATCH), ==, 0);
    g_assert_cmpuint(qpt_ch_readl(&vf, 0, PT_CH_STATUS), ==, PT_ST_IDLE);
    /* to be disabled is no hot reset */
    g_assert_cmpuint(qpt_readl(&vf, PT_RESET_LAST), ==, PT_RESET_OTHER);
    pri_lab_stop(&lab);
}

/* FLR-02: what comes for a VF that is not enabled any more meets nobody */
static void test_late(void)
{
    g_autofree char *path = NULL, *why = NULL;
    QPriTestdev vf;
    PriLab lab;
    QDict *rsp;

    lab_vf_start(&lab, &vf, "");
    path = lab_vf_path(lab.qts);
    g_assert_nonnull(path);
    why = lab_object_add(lab.qts, "r", ", 'action': 'hold', "
                         "'kind': 'translation'");
    g_assert_null(why);
    lab_vf_start_dma(&vf, 1);
    g_assert_cmpuint(qpt_readl(&vf, PT_TRANS_WAITING), ==, 1);
    qpt_config_writew(&lab.d, lab_vf_find_ext(&lab.d, LAB_EXT_ID_SRIOV) +
                      SRIOV_CTRL, 0);
    lab_object_set(lab.qts, "r", "release", "1");
    rsp = qtest_qmp(lab.qts, "{ 'execute': 'qom-get', 'arguments': "
                    "{ 'path': %s, 'property': 'log' } }", path);
    g_assert_null(strstr(qdict_get_str(rsp, "return"), " translation "));
    qobject_unref(rsp);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    qtest_add_func("/pri-testdev/vf/FLR-07/pf", test_pf_flr);
    qtest_add_func("/pri-testdev/vf/FLR-02/late", test_late);
    qtest_add_func("/pri-testdev/vf/dpc", test_dpc);
    qtest_add_data_func("/pri-testdev/vf/link-disable", "", test_link);
    qtest_add_data_func("/pri-testdev/vf/bus-reset", NULL, test_link);
    return g_test_run();
}
