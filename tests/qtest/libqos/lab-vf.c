/*
 * Virtual Functions of pri-testdev: a machine with them, and one of them in use
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-vf.h"
#include "qobject/qdict.h"

#define PAGE            4096
#define COMMAND         0x04
#define VF_BAR0         (0xe0000000ULL + 4 * 0x400000ULL + 0x100000)
#define VF_BAR2         (VF_BAR0 + 0x80000)
#define DEVICES         64      /* that QEMU may have made by itself */

uint16_t lab_vf_find_ext(QPriTestdev *d, uint16_t id)
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

void lab_vf_enable(PriLab *lab, unsigned int n)
{
    QPriTestdev *pf = &lab->d;
    uint16_t cap = lab_vf_find_ext(pf, LAB_EXT_ID_SRIOV);

    g_assert_cmpuint(cap, !=, 0);
    qpt_config_writew(pf, cap + SRIOV_NUM, n);
    qpt_config_writel(pf, cap + SRIOV_BAR0, VF_BAR0);
    qpt_config_writel(pf, cap + SRIOV_BAR0 + 8, VF_BAR2);
    qpt_config_writew(pf, cap + SRIOV_CTRL, SRIOV_VFE_MSE);
}

void lab_vf_find(PriLab *lab, QPriTestdev *vf, unsigned int n)
{
    *vf = lab->d;
    vf->rid += 1 + n;
    vf->bar0 = VF_BAR0 + n * 0x10000;
    vf->bar2 = VF_BAR2 + n * 0x1000;
    vf->ats = lab_vf_find_ext(vf, QPT_EXT_ID_ATS);
    vf->pri = lab_vf_find_ext(vf, QPT_EXT_ID_PRI);
    vf->pasid = lab_vf_find_ext(vf, QPT_EXT_ID_PASID);
    g_assert_cmphex(qpt_readl(vf, PT_ID), ==, PT_ID_MAGIC);
}

void lab_vf_program(PriLab *lab, QPriTestdev *vf)
{
    qvtd_device_setup(&lab->v, vf->rid, 7);
    qvtd_pasid_setup(&lab->v, vf->rid, 0, LAB_RID_DID);
    lab->pml4 = qvtd_pasid_setup(&lab->v, vf->rid, LAB_PASID, LAB_DID);
    qvtd_flush(&lab->v);
    qpt_config_writew(vf, COMMAND, 0x4);
    qpt_config_writew(vf, vf->ats + QPT_ATS_CTRL, QPT_ATS_CTRL_E);
}

void lab_vf_start_at(PriLab *lab, QPriTestdev *vf, const char *options,
                     PriLabFlags flags)
{
    g_autofree char *dev = g_strdup_printf("vfs=3%s", options);

    pri_lab_start_with(lab, "ite-timeout-ms=100", dev, flags);
    lab_vf_enable(lab, 2);
    lab_vf_find(lab, vf, 0);
    lab_vf_program(lab, vf);
}

void lab_vf_start(PriLab *lab, QPriTestdev *vf, const char *options)
{
    lab_vf_start_at(lab, vf, options, 0);
}

void lab_vf_start_dma(QPriTestdev *d, unsigned int pages)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA, .len = pages * PAGE, .pattern = 0x1234,
        .group = pages,
    };

    qpt_start(d, 0, &op);
    g_assert_cmpuint(qpt_wait(d, 0), ==, PT_ST_RUNNING);
}

uint16_t lab_vf_take_request(PriLab *lab, uint16_t rid)
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

char *lab_vf_path(QTestState *qts)
{
    for (unsigned int i = 0; i < DEVICES; i++) {
        char *path = g_strdup_printf("/machine/unattached/device[%u]", i);
        QDict *rsp = qtest_qmp(qts, "{ 'execute': 'qom-get', 'arguments': "
                               "{ 'path': %s, 'property': 'type' } }", path);
        bool found = !g_strcmp0(qdict_get_try_str(rsp, "return"),
                                "pri-testdev-vf");

        qobject_unref(rsp);
        if (found) {
            return path;
        }
        g_free(path);
    }
    return NULL;
}
