/*
 * pri-testdev: untranslated DMA with a PASID
 *
 * The IOMMU translates such a request on its way; what it finds absent is not
 * recoverable, so there is no page request, but a fault record of a request
 * with address type 0.  VT-d 3.4.3, 7.1.3; PCIe 6.2 6.20.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/pri-lab.h"

#define PAGE            0x1000ull
#define PATTERN         0x0123456789abcdefull
#define FLAGS           (PT_FLAG_PASID | PT_FLAG_UNTRANSLATED)
#define MSI_ADDR        0xfee01000ull
/* Fault reasons, VT-d 7.1.3 */
#define FR_RTA_2        0x31
#define FR_SPT_2        0x59    /* PASID-table entry not present */
#define FR_SFS_2        0x71    /* first-stage entry not present */

static QPtOp lab_op(uint32_t cmd, uint64_t src, uint64_t dst, uint64_t len)
{
    return (QPtOp) {
        .cmd = cmd, .flags = FLAGS, .pasid = LAB_PASID, .src = src, .dst = dst,
        .len = len, .pattern = PATTERN,
    };
}

static void check_bytes(PriLab *lab, uint64_t pa, uint64_t iova, size_t len)
{
    g_autofree uint8_t *bytes = g_malloc(len);

    qtest_bufread(lab->qts, pa, bytes, len);
    for (size_t i = 0; i < len; i++) {
        g_assert_cmphex(bytes[i], ==, PT_STAMP_BYTE(PATTERN, iova + i));
    }
}

/* One record of an untranslated request with LAB_PASID, and no page request */
static void expect_fault(PriLab *lab, unsigned int reason, uint64_t addr,
                         bool read)
{
    QVtdFault fault;

    g_assert_true(qvtd_fault(&lab->v, &fault));
    g_assert_cmphex(QVTD_FAULT_FR(&fault), ==, reason);
    g_assert_cmphex(QVTD_FAULT_FI(&fault), ==, addr & ~(PAGE - 1));
    g_assert_cmphex(QVTD_FAULT_SID(&fault), ==, lab->d.rid);
    g_assert_cmpuint(QVTD_FAULT_PP(&fault), ==, 1);
    g_assert_cmphex(QVTD_FAULT_PV(&fault), ==, LAB_PASID);
    g_assert_cmpuint(QVTD_FAULT_AT(&fault), ==, 0);
    g_assert_cmpuint(QVTD_FAULT_T1(&fault), ==, read);
    g_assert_cmpuint(QVTD_FAULT_T2(&fault), ==, 0);
    qvtd_fault_clear(&lab->v);
    g_assert_cmpuint(qvtd_prq_pending(&lab->v), ==, 0);
}

/* With ATS or without: the address is the IOMMU's business */
static void test_copy(const void *opaque)
{
    QPtOp write = lab_op(PT_OP_WRITE, 0, LAB_IOVA + 0x123, 3 * PAGE);
    QPtOp copy = lab_op(PT_OP_COPY, LAB_IOVA + 0x123, LAB_IOVA + 8 * PAGE,
                        2 * PAGE);
    uint8_t from[2 * PAGE], to[2 * PAGE];
    uint64_t pa;
    PriLab lab;

    pri_lab_start(&lab);
    pa = qvtd_alloc(&lab.v, 10);
    for (unsigned int i = 0; i < 10; i++) {
        /* in another order than they have in memory */
        qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA + i * PAGE,
                    pa + (9 - i) * PAGE, QVTD_FS_USER);
    }
    if (!opaque) {
        qpt_config_writew(&lab.d, lab.d.ats + QPT_ATS_CTRL, 0);
    }
    g_assert_cmpuint(qpt_run(&lab.d, 0, &write), ==, PT_ST_DONE);
    check_bytes(&lab, pa + 9 * PAGE + 0x123, LAB_IOVA + 0x123, PAGE - 0x123);
    check_bytes(&lab, pa + 8 * PAGE, LAB_IOVA + PAGE, PAGE);
    check_bytes(&lab, pa + 6 * PAGE, LAB_IOVA + 3 * PAGE, 0x123);
    g_assert_cmpuint(qpt_run(&lab.d, 1, &copy), ==, PT_ST_DONE);
    qtest_bufread(lab.qts, pa + 8 * PAGE, from, PAGE);
    qtest_bufread(lab.qts, pa + PAGE, to, PAGE);
    g_assert_cmpmem(to + PAGE - 0x123, 0x123, from, 0x123);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_TRANSLATIONS), ==, 0);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_PAGE_REQUESTS), ==, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 0);
    pri_lab_stop(&lab);
}

/* Page 0 of LAB_PASID is there, page 1 is not, page 2 is */
static uint64_t start_blocked(PriLab *lab)
{
    uint64_t pa;

    pri_lab_start(lab);
    pa = qvtd_alloc(&lab->v, 2);
    qvtd_fs_map(&lab->v, lab->pml4, LAB_IOVA, pa, QVTD_FS_USER);
    qvtd_fs_map(&lab->v, lab->pml4, LAB_IOVA + 2 * PAGE, pa + PAGE,
                QVTD_FS_USER);
    return pa;
}

/* What is before the absent page is written */
static void test_blocked_write(void)
{
    QPtOp op = lab_op(PT_OP_WRITE, 0, LAB_IOVA, 2 * PAGE);
    uint64_t pa;
    PriLab lab;

    pa = start_blocked(&lab);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DMA_ERROR);
    g_assert_cmphex(qpt_ch_readq(&lab.d, 0, PT_CH_ERR_ADDR), ==,
                    LAB_IOVA + PAGE);
    g_assert_cmpuint(qpt_ch_readq(&lab.d, 0, PT_CH_DONE), ==, PAGE);
    check_bytes(&lab, pa, LAB_IOVA, PAGE);
    expect_fault(&lab, FR_SFS_2, LAB_IOVA + PAGE, false);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_DMA_ERRORS), ==, 1);
    pri_lab_stop(&lab);
}

static void test_blocked_read(void)
{
    QPtOp op = lab_op(PT_OP_READ, LAB_IOVA + PAGE, 0, 8);
    PriLab lab;

    start_blocked(&lab);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DMA_ERROR);
    expect_fault(&lab, FR_SFS_2, LAB_IOVA + PAGE, true);
    pri_lab_stop(&lab);
}

/* What looks like an interrupt is a page like any other (VT-d 3.15) */
static void test_blocked_msi(void)
{
    QPtOp op = lab_op(PT_OP_WRITE, 0, MSI_ADDR, 4);
    PriLab lab;

    start_blocked(&lab);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DMA_ERROR);
    expect_fault(&lab, FR_SFS_2, MSI_ADDR, false);
    pri_lab_stop(&lab);
}

/* The PASID is gone; the page is there, but not in the IOTLB */
static void test_blocked_pasid(void)
{
    QPtOp op = lab_op(PT_OP_WRITE, 0, LAB_IOVA + 2 * PAGE, 8);
    uint64_t pa;
    PriLab lab;

    pa = start_blocked(&lab);
    qvtd_set(&lab.v, qvtd_pasid_entry(&lab.v, lab.d.rid, LAB_PASID),
             QVTD_PE_P, 0);
    qvtd_flush(&lab.v);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DMA_ERROR);
    expect_fault(&lab, FR_SPT_2, LAB_IOVA + 2 * PAGE, false);
    g_assert_cmphex(qtest_readq(lab.qts, pa + PAGE), ==, 0);
    pri_lab_stop(&lab);
}

static void test_read_only(void)
{
    QPtOp read = lab_op(PT_OP_READ, LAB_IOVA, 0, PAGE);
    QPtOp write = lab_op(PT_OP_WRITE, 0, LAB_IOVA, PAGE);
    uint64_t pa;
    PriLab lab;

    pri_lab_start(&lab);
    pa = qvtd_alloc(&lab.v, 1);
    qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA, pa, QVTD_FS_RO);
    /* before and after the IOTLB knows the page */
    for (unsigned int i = 0; i < 2; i++) {
        g_assert_cmpuint(qpt_run(&lab.d, 0, &write), ==, PT_ST_DMA_ERROR);
        g_assert_cmpuint(qpt_run(&lab.d, 0, &read), ==, PT_ST_DONE);
    }
    g_assert_cmphex(qtest_readq(lab.qts, pa), ==, 0);
    pri_lab_stop(&lab);
}

static void test_legacy_mode(void)
{
    QPtOp op = lab_op(PT_OP_WRITE, 0, LAB_IOVA, 8);
    PriLab lab;

    pri_lab_start(&lab);
    qvtd_set_root(&lab.v, qvtd_alloc(&lab.v, 1), QVTD_TTM_LEGACY);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DMA_ERROR);
    expect_fault(&lab, FR_RTA_2, LAB_IOVA, false);
    pri_lab_stop(&lab);
}

/* What the function must not even send */
static void test_gates(void)
{
    QPtOp op = lab_op(PT_OP_WRITE, 0, LAB_IOVA, 8);
    PriLab lab;

    pri_lab_start(&lab);
    op.flags = FLAGS | PT_FLAG_PRIV;
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_BAD_COMMAND);
    op.cmd = PT_OP_READ;
    op.flags = FLAGS | PT_FLAG_EXEC;
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_BAD_COMMAND);
    op.flags = FLAGS;
    qpt_config_writew(&lab.d, 4, 2);            /* no Bus Master Enable */
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_NOT_ENABLED);
    qpt_config_writew(&lab.d, 4, 6);
    qpt_config_writew(&lab.d, lab.d.ats + QPT_ATS_CTRL, 0);
    qpt_config_writew(&lab.d, lab.d.pasid + QPT_PASID_CTRL, 0);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_NOT_ENABLED);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_DMA_ERRORS), ==, 0);
    pri_lab_stop(&lab);
}

/* A machine without an IOMMU: nobody on the other side who knows PASIDs */
static void test_no_iommu(void)
{
    QPtOp op = lab_op(PT_OP_WRITE, 0, 0x100000, 8);
    PriLab lab = {};

    lab.qts = qtest_init("-machine q35 -m 256M -nodefaults "
                         "-device pcie-root-port,id=rp0,chassis=1,slot=1,"
                         "bus=pcie.0,addr=4 -device pri-testdev,bus=rp0");
    qpt_init(&lab.d, lab.qts, 4, LAB_BUS);
    qpt_enable(&lab.d, 0);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DMA_ERROR);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_DMA_ERRORS), ==, 1);
    /* nobody translates, and messages go to nobody */
    op.flags &= ~PT_FLAG_UNTRANSLATED;
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_NOT_ENABLED);
    qpt_writel(&lab.d, PT_STOP_PASID, PT_STOP_MARKER | LAB_PASID);
    g_assert_cmphex(qpt_readl(&lab.d, PT_STOP_STATUS), ==, PT_STOP_DONE);
    qpt_knob_set(&lab.d, PT_KNOB_INV_VECTOR, 1);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_INV_COMPLETIONS), ==, 0);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    qtest_add_data_func("/pri-testdev/untranslated/copy/ats-on",
                        GINT_TO_POINTER(1), test_copy);
    qtest_add_data_func("/pri-testdev/untranslated/copy/ats-off",
                        GINT_TO_POINTER(0), test_copy);
    qtest_add_func("/pri-testdev/untranslated/blocked-write",
                   test_blocked_write);
    qtest_add_func("/pri-testdev/untranslated/blocked-read",
                   test_blocked_read);
    qtest_add_func("/pri-testdev/untranslated/blocked-msi", test_blocked_msi);
    qtest_add_func("/pri-testdev/untranslated/blocked-pasid",
                   test_blocked_pasid);
    qtest_add_func("/pri-testdev/untranslated/read-only", test_read_only);
    qtest_add_func("/pri-testdev/untranslated/legacy-mode", test_legacy_mode);
    qtest_add_func("/pri-testdev/untranslated/PASID-01/gates", test_gates);
    qtest_add_func("/pri-testdev/untranslated/no-iommu", test_no_iommu);
    return g_test_run();
}
