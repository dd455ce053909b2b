/*
 * VT-d: caches of remapping structures: what shares a slot is told apart
 * (QI-50, QI-51, QI-56, knobs sm-cache and pwc)
 *
 * The caches are tables with a slot for many a requester and PASID: an entry of
 * somebody else must never be used.  VT-d 6.2.2, 6.2.3, 6.2.5
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-rules.h"
#include "libqos/pri-lab.h"
#include "libqos/vtd-inv.h"

#define R           PT_RAW_READ
#define L           PT_RAW_LAST
#define PAGE        4096
/* Page directories 64 apart are in the same slot of the other cache */
#define PWC_SLOTS   64
#define REGION      (1ULL << 21)
#define SAME_REGION (PWC_SLOTS * REGION)
/* x and x ^ 0x101 are in the same slot, if it is (x ^ x >> 8) modulo 2^n */
#define SAME_SLOT   0x101

static const QPtRaw raw = {
    .addr = LAB_IOVA, .pasid = LAB_PASID, .flags = R | L, .prgi = 1,
};

static void expect_queued(PriLab *lab, QPriTestdev *d, const QPtRaw *req,
                          unsigned int reason)
{
    QVtdFault fault;

    qpt_raw(d, req);
    g_assert_cmpuint(qvtd_prq_pending(&lab->v), ==, !reason);
    g_assert_cmpint(qvtd_fault(&lab->v, &fault), ==, !!reason);
    if (reason) {
        g_assert_cmphex(QVTD_FAULT_FR(&fault), ==, reason);
        qvtd_fault_clear(&lab->v);
    }
    qvtd_prq_drop_all(&lab->v);
}

/* The same request with the RID of a bus whose root entry is absent */
static void test_context(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, "sm-cache=on", NULL, 0);
    expect_queued(&lab, &lab.d, &raw, 0);
    lab_rule(&lab.d, ATS_RULE_KNOB_FIELD, ATS_RULE_FIELD_RID);
    lab_rule(&lab.d, ATS_RULE_KNOB_BITS, SAME_SLOT);
    lab_rule_kind(&lab.d, ATS_RULE_PAGE_REQUEST, ATS_RULE_CORRUPT);
    expect_queued(&lab, &lab.d, &raw, QVTD_FR_SRT_P);
    pri_lab_stop(&lab);
}

static void test_pasid(void)
{
    QPtRaw other = raw;
    PriLab lab;

    other.pasid = LAB_PASID ^ SAME_SLOT;
    pri_lab_start_with(&lab, "sm-cache=on", NULL, 0);
    qvtd_pasid_setup(&lab.v, lab.d.rid, other.pasid, LAB_DID);
    qvtd_set(&lab.v, qvtd_pasid_entry(&lab.v, lab.d.rid, other.pasid),
             QVTD_PE_P, 0);
    qvtd_flush(&lab.v);
    expect_queued(&lab, &lab.d, &raw, 0);
    expect_queued(&lab, &lab.d, &other, QVTD_FR_SPT_P);
    expect_queued(&lab, &lab.d, &raw, 0);
    pri_lab_stop(&lab);
}

/* The same PASID of another function, whose RID differs in the bus alone */
static void test_function(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, "sm-cache=on", NULL, LAB_TWO_DEVICES);
    g_assert_cmphex((lab.d.rid ^ lab.d2.rid) & 0xff, ==, 0);
    qvtd_set(&lab.v, qvtd_pasid_entry(&lab.v, lab.d2.rid, LAB_PASID),
             QVTD_PE_P, 0);
    qvtd_flush(&lab.v);
    expect_queued(&lab, &lab.d, &raw, 0);
    expect_queued(&lab, &lab.d2, &raw, QVTD_FR_SPT_P);
    expect_queued(&lab, &lab.d, &raw, 0);
    pri_lab_stop(&lab);
}

static void submit(PriLab *lab, QVtdDesc desc)
{
    qvtd_submit(&lab->v, desc);
    qvtd_wait(&lab->v, 0);
}

/* 6.5.2.1: device-selective */
static QVtdDesc cc_inv_device(uint16_t rid)
{
    return (QVtdDesc) { { QINV_CC | 3 << 4 | (uint64_t)rid << 32 } };
}

/* 6.5.2.2; @granularity 0 domain, 1 PASID */
static QVtdDesc pc_inv(unsigned int granularity, uint16_t did, uint32_t pasid)
{
    return (QVtdDesc) { { QINV_PC | granularity << 4 | (uint64_t)did << 16 |
                          (uint64_t)pasid << 32 } };
}

/* What was dropped does not come back by an invalidation of something else */
static void test_dropped(void)
{
    uint64_t context, entry;
    PriLab lab;

    pri_lab_start_with(&lab, "sm-cache=on", NULL, 0);
    context = qvtd_context_entry(&lab.v, lab.d.rid);
    entry = qvtd_pasid_entry(&lab.v, lab.d.rid, LAB_PASID);
    expect_queued(&lab, &lab.d, &raw, 0);
    qvtd_set(&lab.v, context, QVTD_CE_PRE, 0);
    submit(&lab, cc_inv_device(lab.d.rid));
    submit(&lab, cc_inv_device(lab.d.rid ^ SAME_SLOT));
    expect_queued(&lab, &lab.d, &raw, QVTD_FR_SCT_PRE);
    qvtd_set(&lab.v, context, QVTD_CE_PRE, 1);
    submit(&lab, cc_inv_device(lab.d.rid));
    expect_queued(&lab, &lab.d, &raw, 0);

    qvtd_set(&lab.v, entry, QVTD_PE_P, 0);
    submit(&lab, pc_inv(1, LAB_DID, LAB_PASID));
    submit(&lab, pc_inv(1, LAB_DID, LAB_PASID ^ SAME_SLOT));
    submit(&lab, pc_inv(0, LAB_DID + 1, 0));
    expect_queued(&lab, &lab.d, &raw, QVTD_FR_SPT_P);
    pri_lab_stop(&lab);
}

/* What page tables another request has than the one that filled the slot */
typedef enum Other {
    OTHER_ADDRESS,
    OTHER_PASID,
    OTHER_DOMAIN,       /* 6.2.5: an entry is of a domain, too */
} Other;

static void test_pwc(const void *opaque)
{
    Other other = GPOINTER_TO_UINT(opaque);
    QPtOp op = {
        .cmd = PT_OP_FILL, .len = 8,
        .flags = PT_FLAG_PASID | PT_FLAG_UNTRANSLATED,
        .pasid = LAB_PASID, .dst = LAB_IOVA, .pattern = 0x1111111111111111ULL,
    };
    const uint64_t first = 0x8000000, second = 0x8001000;
    uint64_t pml4;
    PriLab lab;

    pri_lab_start_with(&lab, "pwc=on", NULL, 0);
    qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA, first, QVTD_FS_USER);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(lab.qts, first), ==, op.pattern);
    pml4 = lab.pml4;
    if (other == OTHER_ADDRESS) {
        op.dst += SAME_REGION;
    } else if (other == OTHER_PASID) {
        op.pasid = LAB_PASID ^ SAME_SLOT;
        pml4 = qvtd_pasid_setup(&lab.v, lab.d.rid, op.pasid, LAB_DID);
    } else {
        op.dst += PAGE;             /* not the page in the IOTLB */
        pml4 = qvtd_pasid_setup(&lab.v, lab.d.rid, op.pasid, LAB_DID + 1);
        qvtd_submit(&lab.v, qvtd_desc_pc_global());
        qvtd_wait(&lab.v, 0);
    }
    qvtd_fs_map(&lab.v, pml4, op.dst, second, QVTD_FS_USER);
    op.pattern *= 2;
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(lab.qts, second), ==, op.pattern);
    g_assert_cmphex(qtest_readq(lab.qts, first), ==, op.pattern / 2);
    pri_lab_stop(&lab);
}

/* One page of each region: the first one makes the region known */
static void write_regions(PriLab *lab, unsigned int page)
{
    for (unsigned int i = 0; i < PWC_SLOTS; i++) {
        const QPtOp op = {
            .cmd = PT_OP_WRITE, .len = 8, .pasid = LAB_PASID,
            .flags = PT_FLAG_PASID | PT_FLAG_UNTRANSLATED,
            .dst = LAB_IOVA + i * REGION + page * PAGE,
        };

        g_assert_cmpuint(qpt_run(&lab->d, 0, &op), ==, PT_ST_DONE);
    }
}

/* Invalidations of the other caches take no permission away, in any slot */
static void test_other_caches(void)
{
    uint64_t pa;
    PriLab lab;

    pri_lab_start_with(&lab, "sm-cache=on,pwc=on", NULL, 0);
    pa = qvtd_alloc(&lab.v, 1);
    for (unsigned int i = 0; i < PWC_SLOTS; i++) {
        for (unsigned int page = 0; page < 2; page++) {
            qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA + i * REGION + page * PAGE,
                        pa, QVTD_FS_USER);
        }
    }
    write_regions(&lab, 0);
    submit(&lab, qvtd_desc_cc_global());
    submit(&lab, qvtd_desc_pc_global());
    write_regions(&lab, 1);
    pri_lab_stop(&lab);
}

/* One write of 8 bytes without a PASID, untranslated: PT_ST_* */
static uint32_t write_page(PriLab *lab)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_UNTRANSLATED, .dst = LAB_IOVA,
        .len = 8, .pattern = 1,
    };

    return qpt_run(&lab->d, 0, &op);
}

/* A PASID-table entry with tables of its own for requests without PASID */
static uint64_t other_tables(PriLab *lab, uint64_t pa)
{
    uint64_t table = qvtd_alloc(&lab->v, 1);

    qvtd_fs_map(&lab->v, table, LAB_IOVA, pa, QVTD_FS_USER);
    return table;
}

/* QI-54: of an entry that was absent no field is kept */
static void test_absent(void)
{
    uint64_t pa, pe;
    PriLab lab;

    pri_lab_start_with(&lab, "sm-cache=on", NULL, 0);
    pa = qvtd_alloc(&lab.v, 2);
    qvtd_fs_map(&lab.v, lab.rid_pml4, LAB_IOVA, pa, QVTD_FS_USER);
    pe = qvtd_pasid_entry(&lab.v, lab.d.rid, 0);
    qvtd_set(&lab.v, pe, QVTD_PE_P, 0);
    qvtd_flush(&lab.v);
    g_assert_cmpuint(write_page(&lab), ==, PT_ST_DMA_ERROR);
    qvtd_set(&lab.v, pe, QVTD_PE_FSPTPTR,
             other_tables(&lab, pa + PAGE) >> 12);
    qvtd_set(&lab.v, pe, QVTD_PE_P, 1);
    g_assert_cmpuint(write_page(&lab), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(lab.qts, pa), ==, 0);
    g_assert_cmphex(qtest_readq(lab.qts, pa + PAGE), !=, 0);
    pri_lab_stop(&lab);
}

/*
 * Whether a function is in pass-through is asked when something is invalidated,
 * and is no request: it leaves nothing in the caches, and finds nothing there
 */
static void test_pass_through(void)
{
    uint64_t pa, ce, pe;
    PriLab lab;

    pri_lab_start_with(&lab, "sm-cache=on", NULL, 0);
    pa = qvtd_alloc(&lab.v, 2);
    qvtd_fs_map(&lab.v, lab.rid_pml4, LAB_IOVA, pa, QVTD_FS_USER);
    ce = qvtd_context_entry(&lab.v, lab.d.rid);
    pe = qvtd_pasid_entry(&lab.v, lab.d.rid, 0);
    qvtd_flush(&lab.v);
    qvtd_set(&lab.v, pe, QVTD_PE_FSPTPTR,
             other_tables(&lab, pa + PAGE) >> 12);
    g_assert_cmpuint(write_page(&lab), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(lab.qts, pa), ==, 0);
    g_assert_cmphex(qtest_readq(lab.qts, pa + PAGE), !=, 0);
    qvtd_flush(&lab.v);
    qvtd_set(&lab.v, ce, QVTD_CE_P, 0);
    g_assert_cmpuint(write_page(&lab), ==, PT_ST_DMA_ERROR);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    g_test_add_func("/vtd/qi/QI-50/same-slot", test_context);
    g_test_add_func("/vtd/qi/QI-51/same-slot-pasid", test_pasid);
    g_test_add_func("/vtd/qi/QI-51/same-slot-function", test_function);
    g_test_add_func("/vtd/qi/QI-52/dropped", test_dropped);
    g_test_add_data_func("/vtd/qi/QI-56/same-slot-address",
                         GUINT_TO_POINTER(OTHER_ADDRESS), test_pwc);
    g_test_add_data_func("/vtd/qi/QI-56/same-slot-pasid",
                         GUINT_TO_POINTER(OTHER_PASID), test_pwc);
    g_test_add_data_func("/vtd/qi/QI-56/same-slot-domain",
                         GUINT_TO_POINTER(OTHER_DOMAIN), test_pwc);
    g_test_add_func("/vtd/qi/QI-56/other-caches", test_other_caches);
    g_test_add_func("/vtd/qi/QI-54/absent", test_absent);
    g_test_add_func("/vtd/qi/QI-54/pass-through", test_pass_through);
    return g_test_run();
}
