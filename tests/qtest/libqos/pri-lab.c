/*
 * The machine that the page-request tests start from
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/pri-lab.h"

#define LAB_PORT                4
#define LAB_PORT_2              5

void pri_lab_test_init(int *argc, char ***argv)
{
    g_test_init(argc, argv, NULL);
    g_test_set_nonfatal_assertions();
}

void pri_lab_boot(PriLab *lab, const char *vtd, const char *dev,
                  PriLabFlags flags)
{
    g_autofree char *second = g_strdup("");

    memset(lab, 0, sizeof(*lab));
    if (flags & LAB_TWO_DEVICES) {
        g_free(second);
        second = g_strdup_printf(
            "-device pcie-root-port,id=rp1,chassis=2,slot=2,bus=pcie.0,addr=%u "
            "-device pri-testdev,id=pt1,bus=rp1", LAB_PORT_2);
    }
    lab->qts = qtest_initf(
        "-machine q35 -m 256M -nodefaults "
        "-device intel-iommu,id=vtd," LAB_VTD_OPTIONS "%s%s "
        "-device %s,id=rp0,chassis=1,slot=1,bus=pcie.0,addr=%u "
        "-device pri-testdev,id=pt0,bus=rp0%s%s %s",
        vtd ? "," : "", vtd ?: "",
        flags & LAB_PRI_PORT ? "pri-root-port" : "pcie-root-port", LAB_PORT,
        dev ? "," : "", dev ?: "", second);
    qvtd_init(&lab->v, lab->qts);
    qpt_init(&lab->d, lab->qts, LAB_PORT, LAB_BUS);
    if (flags & LAB_TWO_DEVICES) {
        qpt_init(&lab->d2, lab->qts, LAB_PORT_2, LAB_BUS + 1);
    }
}

void pri_lab_boot_incoming(PriLab *lab, const char *vtd, const char *dev)
{
    memset(lab, 0, sizeof(*lab));
    lab->qts = qtest_initf(
        "-machine q35 -m 256M -nodefaults -incoming defer "
        "-device intel-iommu,id=vtd," LAB_VTD_OPTIONS "%s%s "
        "-device pcie-root-port,id=rp0,chassis=1,slot=1,bus=pcie.0,addr=%u "
        "-device pri-testdev,id=pt0,bus=rp0%s%s",
        vtd ? "," : "", vtd ?: "", LAB_PORT, dev ? "," : "", dev ?: "");
}

static void lab_setup_device(PriLab *lab, QPriTestdev *d)
{
    qvtd_device_setup(&lab->v, d->rid, 7);
    lab->rid_pml4 = qvtd_pasid_setup(&lab->v, d->rid, 0, LAB_RID_DID);
    lab->pml4 = qvtd_pasid_setup(&lab->v, d->rid, LAB_PASID, LAB_DID);
}

void pri_lab_program(PriLab *lab)
{
    QVtd *v = &lab->v;

    qvtd_start(v);
    if (lab->d2.qts) {
        lab_setup_device(lab, &lab->d2);
    }
    lab_setup_device(lab, &lab->d);
    qvtd_flush(v);
    qvtd_prq_start(v, 0);
    qvtd_msi_setup(v, QVTD_PECTL, LAB_MSI_ADDR, LAB_PE_VECTOR);
    qvtd_msi_setup(v, QVTD_FECTL, LAB_MSI_ADDR, LAB_FE_VECTOR);
    qvtd_msi_setup(v, QVTD_IECTL, LAB_MSI_ADDR, LAB_IE_VECTOR);
    qpt_enable(&lab->d, 0);
    if (lab->d2.qts) {
        qpt_enable(&lab->d2, 0);
    }
}

void pri_lab_start_with(PriLab *lab, const char *vtd, const char *dev,
                        PriLabFlags flags)
{
    pri_lab_boot(lab, vtd, dev, flags);
    pri_lab_program(lab);
}

void pri_lab_start(PriLab *lab)
{
    pri_lab_start_with(lab, NULL, NULL, 0);
}

void pri_lab_stop(PriLab *lab)
{
    qtest_quit(lab->qts);
}

uint64_t lab_counter(PriLab *lab, unsigned int offset)
{
    return qpt_readq(&lab->d, offset);
}

void lab_knob(PriLab *lab, uint32_t knob, uint64_t value)
{
    g_assert_cmpuint(qpt_knob_set(&lab->d, knob, value), ==, PT_KNOB_OK);
}

void lab_request(PriLab *lab, uint64_t addr, uint32_t flags, uint32_t prgi)
{
    QPtRaw raw = {
        .addr = addr, .pasid = LAB_PASID, .flags = flags, .prgi = prgi
    };

    qpt_raw(&lab->d, &raw);
}

void lab_request_rid(PriLab *lab, uint64_t addr, uint32_t flags,
                     uint32_t prgi)
{
    QPtRaw raw = {
        .addr = addr, .pasid = QVTD_NO_PASID, .flags = flags, .prgi = prgi
    };

    qpt_raw(&lab->d, &raw);
}

void lab_fill(PriLab *lab)
{
    unsigned int room = lab->v.prq_size / QVTD_PRD_SIZE - 1;

    while (qvtd_prq_pending(&lab->v) < room) {
        unsigned int had = qvtd_prq_pending(&lab->v);

        lab_request(lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, had & 0x1ff);
        if (qvtd_prq_pending(&lab->v) == had) {
            g_test_message("a request was not queued with %u in the queue",
                           had);
            g_test_fail();
            return;
        }
    }
}

void lab_expect_response(PriLab *lab, unsigned int code, uint32_t prgi,
                         uint32_t pasid)
{
    uint32_t got_prgi = ~0u, got_pasid = 0;

    g_assert_cmphex(qpt_raw_response(&lab->d, &got_prgi, &got_pasid), ==,
                    code);
    g_assert_cmphex(got_prgi, ==, prgi);
    g_assert_cmphex(got_pasid, ==, pasid);
}

void lab_expect_silence(PriLab *lab)
{
    g_assert_cmphex(qpt_raw_response(&lab->d, NULL, NULL), ==,
                    QPT_NO_RESPONSE);
}

unsigned int lab_serve(PriLab *lab, uint64_t iova, uint64_t pa,
                       uint64_t pte_flags)
{
    unsigned int n = qvtd_prq_pending(&lab->v);
    unsigned int i;

    for (i = 0; i < n; i++) {
        uint64_t addr;
        QVtdDesc prd;

        qvtd_prq_pop(&lab->v, &prd);
        addr = QVTD_PRD_ADDR(&prd);

        g_assert_cmphex(QVTD_PRD_PASID(&prd), ==, LAB_PASID);
        qvtd_fs_map(&lab->v, lab->pml4, addr, pa + (addr - iova), pte_flags);
        if (QVTD_PRD_LPIG(&prd)) {
            qvtd_respond(&lab->v, QVTD_PRD_RID(&prd), LAB_PASID,
                         QVTD_PRD_PRGI(&prd), QPT_SUCCESS);
        }
    }
    return n;
}

void lab_reset(PriLab *lab)
{
    qobject_unref(qtest_qmp(lab->qts, "{ 'execute': 'system_reset' }"));
    qtest_qmp_eventwait(lab->qts, "RESET");
}
