/*
 * VT-d translation requests in legacy mode
 *
 * VT-d 4.2.3, 7.1.1 (LRT, LCT), 9.3
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "libqtest.h"
#include "libqos/vtd-inv.h"
#include "libqos/vtd-pages.h"

#define LEGACY          "svm=off,x-flts=off,x-prs=on"
#define PA              QPG_PA
#define IOVA_RO         LAB_IOVA
#define IOVA_RW         (LAB_IOVA + 0x1000)
#define IOVA_NONE       (LAB_IOVA + 0x2000)
#define FR_LCT_2        0x02    /* P=0 */
#define FR_LCT_4        0x03    /* the width, or no table where it says */
#define FR_LSS_1        0x07    /* no table where an entry says */
#define FR_LSS_2        0x0c    /* a reserved field of an entry */
#define FR_LCT_5        0x0d    /* the type lets no translation request in */
#define FR_LGN_4        0x0e    /* output address in the interrupt range */

/* Legacy context entry, VT-d 9.3 */
#define CE_P            (1 << 0)
#define CE_FPD          (1 << 1)
#define CE_TT_NONE      (0 << 2)
#define CE_TT_DEV_TLB   (1 << 2)

typedef struct Legacy {
    PriLab lab;
    uint64_t entry;             /* of the function in the context table */
    uint64_t top;
} Legacy;

static void set_entry(Legacy *l, uint64_t bits)
{
    qtest_writeq(l->lab.qts, l->entry + 8, LAB_DID << 8 | 2);   /* 48 bits */
    qtest_writeq(l->lab.qts, l->entry, l->top | bits);
}

/* Another entry, and what was cached of the old one is gone */
static void change_entry(Legacy *l, uint64_t bits)
{
    set_entry(l, bits);
    qvtd_submit(&l->lab.v, (QVtdDesc) { { QINV_CC | 1 << 4 } });
    qvtd_submit(&l->lab.v, (QVtdDesc) { { QINV_IOTLB | 1 << 4 } });
    qvtd_wait(&l->lab.v, 0);
}

static void start(Legacy *l, uint64_t bits)
{
    QVtd *v = &l->lab.v;
    uint64_t root, context;

    pri_lab_start_with(&l->lab, LEGACY, NULL, 0);
    root = qvtd_alloc(v, 1);
    context = qvtd_alloc(v, 1);
    l->top = qvtd_alloc(v, 1);
    l->entry = context + (l->lab.d.rid & 0xff) * 16;
    qvtd_ss_map(v, l->top, IOVA_RO, PA, QVTD_SS_R);
    qvtd_ss_map(v, l->top, IOVA_RW, PA + 0x1000, QVTD_SS_R | QVTD_SS_W);
    qtest_writeq(l->lab.qts, root + LAB_BUS * 16, context | 1);
    set_entry(l, bits);
    qvtd_set_root(v, root, QVTD_TTM_LEGACY);
}

/* A request without a PASID, by an empty ATC: PT_ST_* at its end */
static uint32_t access_page(Legacy *l, bool write, uint64_t addr)
{
    QPtOp op = {
        .cmd = write ? PT_OP_WRITE : PT_OP_READ, .src = addr, .dst = addr,
        .len = 8, .flags = PT_FLAG_NO_PRI,
    };

    qpt_writel(&l->lab.d, PT_CTRL, PT_CTRL_CLEAR_LOG | PT_CTRL_FLUSH_ATC);
    return qpt_run(&l->lab.d, 0, &op);
}

static void expect_fault(Legacy *l, uint8_t fr)
{
    QVtdFault fault;

    g_assert_cmpint(qvtd_fault(&l->lab.v, &fault), ==, fr != 0);
    if (fr) {
        g_assert_cmphex(QVTD_FAULT_FR(&fault), ==, fr);
        g_assert_cmphex(QVTD_FAULT_SID(&fault), ==, l->lab.d.rid);
        g_assert_cmpuint(QVTD_FAULT_AT(&fault), ==, QVTD_FAULT_AT_TRANSLATION);
        g_assert_cmpuint(QVTD_FAULT_PP(&fault), ==, 0);
        qvtd_fault_clear(&l->lab.v);
    }
}

/* What the second-stage tables permit; what is missing is no fault */
static void test_translates(void)
{
    Legacy l;

    start(&l, CE_P | CE_TT_DEV_TLB);
    for (unsigned int i = 0; i < 2; i++) {      /* and what the IOTLB knows */
        g_assert_cmpuint(access_page(&l, false, IOVA_RO), ==, PT_ST_DONE);
        g_assert_cmpuint(access_page(&l, true, IOVA_RO), ==, PT_ST_NO_PRI);
        g_assert_cmpuint(access_page(&l, true, IOVA_RW), ==, PT_ST_DONE);
        g_assert_cmpuint(access_page(&l, false, IOVA_NONE), ==, PT_ST_NO_PRI);
    }
    g_assert_cmphex(qtest_readq(l.lab.qts, PA), ==, 0);
    g_assert_cmphex(qtest_readq(l.lab.qts, PA + 0x1000), !=, 0);
    expect_fault(&l, 0);
    pri_lab_stop(&l.lab);
}

/* LCT.5: a type that is for untranslated requests alone */
static void test_type(void)
{
    Legacy l;

    start(&l, CE_P | CE_TT_NONE);
    g_assert_cmpuint(access_page(&l, true, IOVA_RW), ==, PT_ST_TRANS_UR);
    expect_fault(&l, FR_LCT_5);
    change_entry(&l, CE_P | CE_TT_DEV_TLB);
    g_assert_cmpuint(access_page(&l, true, IOVA_RW), ==, PT_ST_DONE);
    change_entry(&l, CE_TT_DEV_TLB);
    g_assert_cmpuint(access_page(&l, true, IOVA_RW), ==, PT_ST_TRANS_UR);
    expect_fault(&l, FR_LCT_2);
    /* of an entry that is not present no other field counts */
    change_entry(&l, CE_TT_NONE);
    g_assert_cmpuint(access_page(&l, true, IOVA_RW), ==, PT_ST_TRANS_UR);
    expect_fault(&l, FR_LCT_2);
    pri_lab_stop(&l.lab);
}

/* Fault Processing Disable is of the entry, whose other bits do not count */
static void test_fpd(void)
{
    Legacy l;

    start(&l, CE_P | CE_TT_NONE | CE_FPD);
    g_assert_cmpuint(access_page(&l, true, IOVA_RW), ==, PT_ST_TRANS_UR);
    expect_fault(&l, 0);
    change_entry(&l, CE_TT_DEV_TLB | CE_FPD);
    g_assert_cmpuint(access_page(&l, true, IOVA_RW), ==, PT_ST_TRANS_UR);
    expect_fault(&l, 0);
    pri_lab_stop(&l.lab);
}

/* Completer Abort and @fr, whatever the access is */
static void expect_abort(Legacy *l, uint8_t fr)
{
    change_entry(l, CE_P | CE_TT_DEV_TLB);
    g_assert_cmpuint(access_page(l, false, IOVA_RW), ==, PT_ST_TRANS_CA);
    expect_fault(l, fr);
    g_assert_cmpuint(access_page(l, true, IOVA_RW), ==, PT_ST_TRANS_CA);
    expect_fault(l, fr);
}

/* LSS.1, LSS.2, LCT.4; and LGN.1.1, which is no error */
static void test_tables(void)
{
    uint64_t pte, slot, old, top;
    Legacy l;

    start(&l, CE_P | CE_TT_DEV_TLB);
    pte = qvtd_ss_map(&l.lab.v, l.top, IOVA_RW, PA | QPG_BIT_51, QVTD_SS_R |
                      QVTD_SS_W);
    expect_abort(&l, FR_LSS_2);
    qtest_writeq(l.lab.qts, pte, PA | QVTD_SS_R | QVTD_SS_W);
    slot = l.top + extract64(IOVA_RW, 39, 9) * 8;
    old = qtest_readq(l.lab.qts, slot);
    qtest_writeq(l.lab.qts, slot, QVTD_NO_MEMORY | QVTD_SS_R | QVTD_SS_W);
    expect_abort(&l, FR_LSS_1);
    qtest_writeq(l.lab.qts, slot, old);
    top = l.top;
    l.top = QVTD_NO_MEMORY;
    expect_abort(&l, FR_LCT_4);
    l.top = top;
    change_entry(&l, CE_P | CE_TT_DEV_TLB);
    g_assert_cmpuint(access_page(&l, true, 1ULL << 48 | IOVA_RW), ==,
                     PT_ST_NO_PRI);
    g_assert_cmpuint(access_page(&l, true, IOVA_RW), ==, PT_ST_DONE);
    expect_fault(&l, 0);
    pri_lab_stop(&l.lab);
}

/* LGN.4: a page may lead to the interrupt range; that can be suppressed, too */
static void test_interrupt_output(void)
{
    Legacy l;

    start(&l, CE_P | CE_TT_DEV_TLB);
    qvtd_ss_map(&l.lab.v, l.top, IOVA_NONE, 0xfee00000, QVTD_SS_R | QVTD_SS_W);
    g_assert_cmpuint(access_page(&l, true, IOVA_NONE), ==, PT_ST_TRANS_CA);
    expect_fault(&l, FR_LGN_4);
    change_entry(&l, CE_P | CE_TT_DEV_TLB | CE_FPD);
    g_assert_cmpuint(access_page(&l, true, IOVA_NONE), ==, PT_ST_TRANS_CA);
    expect_fault(&l, 0);
    pri_lab_stop(&l.lab);
}

/* S.1, S.2: writing gets W and U, reading nothing; the tables are not asked */
static void test_interrupt_range(void)
{
    uint64_t used;
    Legacy l;

    start(&l, CE_P | CE_TT_DEV_TLB);
    qvtd_ss_map(&l.lab.v, l.top, 0xfee00000, PA, QVTD_SS_R | QVTD_SS_W);
    g_assert_cmpuint(access_page(&l, false, 0xfee00000), ==, PT_ST_NO_PRI);
    access_page(&l, true, 0xfee00000);
    used = qpt_readl(&l.lab.d, PT_ATC_USED);
    g_assert_cmpuint(used, ==, 0);
    g_assert_cmphex(qtest_readq(l.lab.qts, PA), ==, 0);
    expect_fault(&l, 0);
    pri_lab_stop(&l.lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    qtest_add_func("/vtd/ats/ATS-04/legacy/translates", test_translates);
    qtest_add_func("/vtd/ats/ATS-04/legacy/LCT.5", test_type);
    qtest_add_func("/vtd/ats/ATS-04/legacy/fpd", test_fpd);
    qtest_add_func("/vtd/ats/ATS-04/legacy/LSS.1-LSS.2-LCT.4", test_tables);
    qtest_add_func("/vtd/ats/ATS-04/legacy/LGN.4", test_interrupt_output);
    qtest_add_func("/vtd/ats/ATS-03/legacy/interrupt-range",
                   test_interrupt_range);
    return g_test_run();
}
