/*
 * VT-d page requests: the implicit IOTLB invalidation (PRQ-28, PRQ-29)
 *
 * VT-d 6.5.3.1 table 27
 *
 * Each test first shows that the IOTLB holds a translation that memory no
 * longer has; only then does it mean something that a page request drops it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/vtd-pages.h"

#define R           PT_RAW_READ
#define L           PT_RAW_LAST
#define SECOND_IOVA 0x0000000040000000ULL

/* Can the endpoint read or write a page now, without asking for it? */
static bool can_access(PriLab *lab, uint32_t pasid, uint64_t iova, bool write)
{
    QPtOp op = {
        .cmd = write ? PT_OP_FILL : PT_OP_READ,
        .flags = PT_FLAG_NO_PRI | (pasid == QVTD_NO_PASID ? 0 : PT_FLAG_PASID),
        .pasid = pasid == QVTD_NO_PASID ? 0 : pasid,
        .src = iova,
        .dst = iova,
        .len = 8,
    };
    uint32_t status;

    qpt_writel(&lab->d, PT_CTRL, PT_CTRL_FLUSH_ATC);
    status = qpt_run(&lab->d, 0, &op);
    g_assert_true(status == PT_ST_DONE || status == PT_ST_NO_PRI);
    return status == PT_ST_DONE;
}

static void invalidate(PriLab *lab)
{
    qvtd_submit(&lab->v, qvtd_desc_iotlb_global());
    qvtd_wait(&lab->v, 0);
}

/* What a test needs to know about one kind of translation */
typedef struct Space {
    uint32_t pasid;
    uint64_t iova;
    uint64_t pte;               /* of iova, and of the page behind it */
    uint64_t pte_next;
    uint64_t ro;                /* its value without write permission */
    uint64_t rw;
} Space;

static void first_stage(PriLab *lab, Space *s, uint32_t pasid)
{
    uint64_t pml4 = pasid == QVTD_NO_PASID ? lab->rid_pml4 : lab->pml4;
    uint64_t page = qvtd_alloc(&lab->v, 2);

    s->pasid = pasid;
    s->iova = LAB_IOVA;
    s->ro = page | QVTD_FS_RO;
    s->rw = page | QVTD_FS_USER;
    s->pte = qvtd_fs_map(&lab->v, pml4, s->iova, page, QVTD_FS_RO);
    s->pte_next = qvtd_fs_map(&lab->v, pml4, s->iova + 4096, page + 4096,
                              QVTD_FS_RO);
}

/*
 * Prime the IOTLB with a read-only translation, then allow writing in memory.
 *
 * Returns: false if the IOTLB does not keep the old permission, so that there
 * is nothing to see.
 */
static bool make_stale(PriLab *lab, const Space *s)
{
    qtest_writeq(lab->qts, s->pte, s->ro);
    qtest_writeq(lab->qts, s->pte_next, s->ro + 4096);
    invalidate(lab);
    g_assert_true(can_access(lab, s->pasid, s->iova, false));
    g_assert_true(can_access(lab, s->pasid, s->iova + 4096, false));
    g_assert_false(can_access(lab, s->pasid, s->iova, true));
    g_assert_true(can_access(lab, s->pasid, s->iova, false));
    qtest_writeq(lab->qts, s->pte, s->rw);
    qtest_writeq(lab->qts, s->pte_next, s->rw + 4096);
    return !can_access(lab, s->pasid, s->iova, true);
}

static void page_request(PriLab *lab, const Space *s, uint64_t iova,
                         uint32_t flags)
{
    QPtRaw raw = { iova, s->pasid, flags, 1 };

    qpt_raw(&lab->d, &raw);
}

static void check_upgrade(PriLab *lab, const Space *s)
{
    if (!make_stale(lab, s)) {
        g_test_skip("the IOTLB keeps no permission here");
        return;
    }
    page_request(lab, s, s->iova, R);
    g_assert_cmpuint(qvtd_prq_pending(&lab->v), ==, 1);
    g_assert_true(can_access(lab, s->pasid, s->iova, true));

    /* for the last of a group, too */
    g_assert_true(make_stale(lab, s));
    page_request(lab, s, s->iova, PT_RAW_WRITE | L);
    g_assert_true(can_access(lab, s->pasid, s->iova, true));
}

static void test_first_stage(const void *opaque)
{
    Space s;
    PriLab lab;

    pri_lab_start(&lab);
    first_stage(&lab, &s, opaque ? QVTD_NO_PASID : LAB_PASID);
    check_upgrade(&lab, &s);
    pri_lab_stop(&lab);
}

/* A stale not-present entry cannot be cached; a stale present one can */
static void test_first_stage_remapped(void)
{
    uint64_t other;
    Space s;
    PriLab lab;

    pri_lab_start(&lab);
    first_stage(&lab, &s, LAB_PASID);
    qtest_writeq(lab.qts, s.pte, s.rw);
    invalidate(&lab);
    g_assert_true(can_access(&lab, LAB_PASID, s.iova, true));
    other = qvtd_alloc(&lab.v, 1);
    qtest_memset(lab.qts, other, 0xaa, 4096);
    qtest_writeq(lab.qts, s.pte, other | QVTD_FS_USER);
    page_request(&lab, &s, s.iova, R | L);
    g_assert_true(can_access(&lab, LAB_PASID, s.iova, true));
    g_assert_cmphex(qtest_readq(lab.qts, other), ==, 0);
    pri_lab_stop(&lab);
}

/* -- whatever else the IOTLB holds ----------------------------------------- */

#define MANY        512
#define MANY_IOVA   ((LAB_IOVA + (1ULL << 30)) & ~0x1fffffULL)

/* 512 entries that come and go, @rounds times */
static void come_and_go(PriLab *lab, unsigned int rounds)
{
    uint64_t page = qvtd_alloc(&lab->v, 1);
    QVtdDesc all = qvtd_desc_piotlb(LAB_DID, LAB_PASID);
    QPtOp op = {
        .cmd = PT_OP_READ, .flags = PT_FLAG_NO_PRI | PT_FLAG_PASID,
        .pasid = LAB_PASID, .src = MANY_IOVA, .len = MANY * 4096,
    };

    all.qw[0] |= 1ULL << 4;                     /* G: by page */
    all.qw[1] = MANY_IOVA | 9;                  /* AM */
    for (unsigned int i = 0; i < MANY; i++) {
        qvtd_fs_map(&lab->v, lab->pml4, MANY_IOVA + i * 4096ULL, page,
                    QVTD_FS_USER);
    }
    while (rounds--) {
        qpt_writel(&lab->d, PT_CTRL, PT_CTRL_FLUSH_ATC);
        g_assert_cmpuint(qpt_run(&lab->d, 0, &op), ==, PT_ST_DONE);
        qvtd_submit(&lab->v, all);
        qvtd_wait(&lab->v, 0);
    }
}

/* However many others there were: before it, or since */
static void test_many(void)
{
    Space s;
    PriLab lab;

    pri_lab_start(&lab);
    first_stage(&lab, &s, LAB_PASID);
    g_assert_true(make_stale(&lab, &s));
    come_and_go(&lab, 5);
    g_assert_false(can_access(&lab, LAB_PASID, s.iova, true));
    page_request(&lab, &s, s.iova, R | L);
    g_assert_true(can_access(&lab, LAB_PASID, s.iova, true));
    g_assert_true(make_stale(&lab, &s));
    page_request(&lab, &s, s.iova, R | L);
    g_assert_true(can_access(&lab, LAB_PASID, s.iova, true));
    pri_lab_stop(&lab);
}

/* The entry of a page of 2 MiB goes with a request for 4 KiB of it */
static void test_large(void)
{
    const uint64_t ro = QPG_PA | QVTD_FS_RO | QVTD_FS_PS;
    uint64_t iova = LAB_IOVA & ~0x1fffffULL, pde = 0;
    Space s;
    PriLab lab;

    pri_lab_start(&lab);
    first_stage(&lab, &s, LAB_PASID);
    pde = qfs_entry(&lab, lab.pml4, 2);
    for (unsigned int n = 0; n < 2; n++) {
        qtest_writeq(lab.qts, pde, ro);
        invalidate(&lab);
        g_assert_true(can_access(&lab, LAB_PASID, iova, false));
        qtest_writeq(lab.qts, pde, ro | QVTD_FS_USER);
        g_assert_false(can_access(&lab, LAB_PASID, iova, true));
        page_request(&lab, &s, iova + 0x5000, R | L);
        g_assert_true(can_access(&lab, LAB_PASID, iova, true));
    }
    pri_lab_stop(&lab);
}

/* -- the other PGTTs ------------------------------------------------------- */

static void start_second_stage(PriLab *lab)
{
    QVtd *v = &lab->v;
    uint64_t pe;

    pri_lab_boot(lab, "svm=off,x-flts=off,x-prs=on", NULL, 0);
    pri_lab_program(lab);
    pe = qvtd_pasid_entry(v, lab->d.rid, LAB_PASID);
    qvtd_set(v, pe, QVTD_PE_PGTT, QVTD_PGTT_SECOND);
    qvtd_set(v, pe, QVTD_PE_FSPTPTR, 0);
    qvtd_set(v, pe, QVTD_PE_SSPTPTR, lab->pml4 >> 12);
    qvtd_set(v, pe, QVTD_PE_AW, 2);
    qvtd_flush(v);
}

static void test_second_stage(void)
{
    uint64_t page;
    Space s;
    PriLab lab;

    start_second_stage(&lab);
    g_assert_cmphex(lab.v.ecap & QVTD_ECAP_SSTS, !=, 0);
    page = qvtd_alloc(&lab.v, 2);
    s = (Space) {
        .pasid = LAB_PASID, .iova = SECOND_IOVA,
        .ro = page | QVTD_SS_R, .rw = page | QVTD_SS_R | QVTD_SS_W,
    };
    s.pte = qvtd_ss_map(&lab.v, lab.pml4, s.iova, page, QVTD_SS_R);
    s.pte_next = qvtd_ss_map(&lab.v, lab.pml4, s.iova + 4096, page + 4096,
                             QVTD_SS_R);
    check_upgrade(&lab, &s);
    pri_lab_stop(&lab);
}

/* The same for a permission that an entry above the page lacked */
static void test_second_stage_above(void)
{
    uint64_t page, pde, rw;
    Space s = { .pasid = LAB_PASID, .iova = LAB_IOVA };
    PriLab lab;

    start_second_stage(&lab);
    page = qvtd_alloc(&lab.v, 1);
    qvtd_ss_map(&lab.v, lab.pml4, s.iova, page, QVTD_SS_R | QVTD_SS_W);
    pde = qfs_entry(&lab, lab.pml4, 2);
    rw = qtest_readq(lab.qts, pde);
    qtest_writeq(lab.qts, pde, rw & ~QVTD_SS_W);
    invalidate(&lab);
    g_assert_true(can_access(&lab, s.pasid, s.iova, false));
    g_assert_false(can_access(&lab, s.pasid, s.iova, true));
    qtest_writeq(lab.qts, pde, rw);
    g_assert_false(can_access(&lab, s.pasid, s.iova, true));
    page_request(&lab, &s, s.iova, PT_RAW_WRITE | L);
    g_assert_true(can_access(&lab, s.pasid, s.iova, true));
    pri_lab_stop(&lab);
}

/* Pass-through has no permissions to be stale; the request is accepted */
static void test_pass_through(void)
{
    QVtdFault fault;
    uint64_t pe;
    PriLab lab;

    pri_lab_start(&lab);
    if (lab.v.ecap & QVTD_ECAP_PT) {
        pe = qvtd_pasid_entry(&lab.v, lab.d.rid, LAB_PASID);
        qvtd_set(&lab.v, pe, QVTD_PE_PGTT, QVTD_PGTT_PASSTHROUGH);
        qvtd_flush(&lab.v);
        lab_request(&lab, LAB_IOVA, R | L, 1);
        g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
        g_assert_false(qvtd_fault(&lab.v, &fault));
        lab_expect_silence(&lab);
    } else {
        g_test_skip("no pass-through");
    }
    pri_lab_stop(&lab);
}

static void test_nested(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    if (!(lab.v.ecap & QVTD_ECAP_NEST)) {
        g_test_skip("ECAP.NEST=0: PGTT 011b is SPT.4.2, tested there");
    } else {
        g_test_message("nested translation without a test");
        g_test_fail();
    }
    pri_lab_stop(&lab);
}

/* -- what it must not do --------------------------------------------------- */

/* Table 27 names one page: a request for another one leaves it alone */
static void test_other_page_kept(void)
{
    Space s;
    PriLab lab;

    pri_lab_start(&lab);
    first_stage(&lab, &s, LAB_PASID);
    g_assert_true(make_stale(&lab, &s));
    page_request(&lab, &s, s.iova + 4096, R | L);
    g_assert_false(can_access(&lab, LAB_PASID, s.iova, true));
    g_assert_true(can_access(&lab, LAB_PASID, s.iova + 4096, true));
    pri_lab_stop(&lab);
}

/* PRQ-29: a request that meets a table fault invalidates nothing */
static void test_not_on_fault(void)
{
    uint64_t ce;
    Space s;
    PriLab lab;

    pri_lab_start(&lab);
    first_stage(&lab, &s, LAB_PASID);
    g_assert_true(make_stale(&lab, &s));
    ce = qvtd_context_entry(&lab.v, lab.d.rid);
    qvtd_set(&lab.v, ce, QVTD_CE_PRE, 0);
    qvtd_submit(&lab.v, qvtd_desc_cc_global());
    qvtd_wait(&lab.v, 0);

    page_request(&lab, &s, s.iova, R | L);
    lab_expect_response(&lab, QPT_INVALID_REQUEST, 1, LAB_PASID);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, 0);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, 0);
    g_assert_false(can_access(&lab, LAB_PASID, s.iova, true));
    pri_lab_stop(&lab);
}

/* 7.4.1: none of a request that is not written because the queue is full */
static void test_not_on_overflow(const void *opaque)
{
    bool pro_before = opaque;
    Space s;
    PriLab lab;

    pri_lab_start(&lab);
    first_stage(&lab, &s, LAB_PASID);
    /* full, by requests for another page; PRO is set by one more of them */
    while (qvtd_prq_pending(&lab.v) <
           lab.v.prq_size / QVTD_PRD_SIZE - 1) {
        page_request(&lab, &s, s.iova + 0x10000, R);
    }
    if (pro_before) {
        page_request(&lab, &s, s.iova + 0x10000, R);
        g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS) & QVTD_PRS_PRO, !=, 0);
    }
    g_assert_true(make_stale(&lab, &s));
    page_request(&lab, &s, s.iova, R | L);
    lab_expect_response(&lab, QPT_SUCCESS, 1, LAB_PASID);
    g_assert_false(can_access(&lab, LAB_PASID, s.iova, true));
    pri_lab_stop(&lab);
}

/* It is by domain, so a request of one function serves another one's IOTLB */
static void test_by_domain(void)
{
    QPtRaw raw = { LAB_IOVA, LAB_PASID, R | L, 1 };
    Space s;
    PriLab lab;

    pri_lab_start_with(&lab, NULL, NULL, LAB_TWO_DEVICES);
    first_stage(&lab, &s, LAB_PASID);
    g_assert_true(make_stale(&lab, &s));
    qpt_raw(&lab.d2, &raw);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    g_assert_true(can_access(&lab, LAB_PASID, s.iova, true));
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    g_test_add_data_func("/vtd/prq/PRQ-28/first-stage", NULL,
                         test_first_stage);
    g_test_add_data_func("/vtd/prq/PRQ-28/first-stage-no-pasid",
                         GUINT_TO_POINTER(1), test_first_stage);
    g_test_add_func("/vtd/prq/PRQ-28/first-stage-remapped",
                    test_first_stage_remapped);
    g_test_add_func("/vtd/prq/PRQ-28/many", test_many);
    g_test_add_func("/vtd/prq/PRQ-28/large", test_large);
    g_test_add_func("/vtd/prq/PRQ-28/second-stage", test_second_stage);
    g_test_add_func("/vtd/prq/PRQ-28/second-stage-above",
                    test_second_stage_above);
    g_test_add_func("/vtd/prq/PRQ-28/nested", test_nested);
    g_test_add_func("/vtd/prq/PRQ-28/pass-through", test_pass_through);
    g_test_add_func("/vtd/prq/PRQ-28/other-page-kept", test_other_page_kept);
    g_test_add_func("/vtd/prq/PRQ-28/by-domain", test_by_domain);
    g_test_add_func("/vtd/prq/PRQ-29/not-on-table-fault", test_not_on_fault);
    g_test_add_data_func("/vtd/prq/PRQ-29/not-on-full", NULL,
                         test_not_on_overflow);
    g_test_add_data_func("/vtd/prq/PRQ-29/not-on-overflow",
                         GUINT_TO_POINTER(1), test_not_on_overflow);
    return g_test_run();
}
