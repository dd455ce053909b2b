/*
 * VT-d: paging-structure caches (QI-56, knob pwc)
 *
 * A page-directory entry is made to point to another page table: who caches
 * paging-structure entries goes on using the old one for pages that the IOTLB
 * does not hold, until an invalidation that names them.
 * VT-d 6.2.5, 6.5.2.3 table 23, 6.5.2.4 table 24, 6.5.3.1 table 27, 6.6
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-state.h"
#include "libqos/vtd-inv.h"

#define SECOND      (LAB_IOVA + 0x1000)
#define OTHER_DID   0x4321
#define OTHER_PASID 0x00123U
#define STALE       0x22
#define FRESH       0x33
#define IH          (1ULL << 6)

static uint8_t read_first_byte(PriLab *lab, uint64_t iova)
{
    QPtOp op = {
        .cmd = PT_OP_COPY, .flags = PT_FLAG_PASID | PT_FLAG_NO_PRI,
        .pasid = LAB_PASID, .src = iova, .dst = LAB_IOVA + 0x10000, .len = 1,
    };

    g_assert_cmpuint(qpt_run(&lab->d, 0, &op), ==, PT_ST_DONE);
    return qtest_readb(lab->qts, 0x8000000);
}

static uint64_t pde_of(PriLab *lab, uint64_t iova)
{
    uint64_t table = lab->pml4;
    int level;

    for (level = 3; level > 1; level--) {
        table = qtest_readq(lab->qts, table + (iova >> (12 + 9 * level)) % 512 *
                            8) & 0x000ffffffffff000ULL;
    }
    return table + (iova >> 21) % 512 * 8;
}

/*
 * Two pages, of which the first has been used; then the directory points to a
 * table with another second page
 */
static void start(PriLab *lab, const char *vtd)
{
    uint64_t old_pt, new_pt, pa;

    pri_lab_start_with(lab, vtd, "atc-entries=0", 0);
    pa = qvtd_alloc(&lab->v, 4);
    qvtd_fs_map(&lab->v, lab->pml4, LAB_IOVA + 0x10000, 0x8000000,
                QVTD_FS_USER);
    old_pt = qvtd_fs_map(&lab->v, lab->pml4, LAB_IOVA, pa, QVTD_FS_USER);
    qvtd_fs_map(&lab->v, lab->pml4, SECOND, pa + 0x1000, QVTD_FS_USER);
    qtest_writeb(lab->qts, pa, 0x11);
    qtest_writeb(lab->qts, pa + 0x1000, STALE);
    qtest_writeb(lab->qts, pa + 0x2000, FRESH);
    g_assert_cmphex(read_first_byte(lab, LAB_IOVA), ==, 0x11);

    old_pt &= ~0xfffULL;
    new_pt = qvtd_alloc(&lab->v, 1);
    for (int i = 0; i < 512; i++) {
        qtest_writeq(lab->qts, new_pt + i * 8,
                     qtest_readq(lab->qts, old_pt + i * 8));
    }
    qtest_writeq(lab->qts, new_pt + SECOND / 4096 % 512 * 8,
                 (pa + 0x2000) | QVTD_FS_USER);
    g_assert_cmphex(qtest_readq(lab->qts, pde_of(lab, LAB_IOVA)) &
                    0x000ffffffffff000ULL, ==, old_pt);
    qtest_writeq(lab->qts, pde_of(lab, LAB_IOVA), new_pt | QVTD_FS_USER);
}

static void submit(PriLab *lab, QVtdDesc desc)
{
    qvtd_submit(&lab->v, desc);
    qvtd_wait(&lab->v, 0);
}

/* 6.5.2.3; @granularity 1 global, 2 domain, 3 page */
static QVtdDesc iotlb(unsigned int granularity, uint16_t did, uint64_t addr)
{
    return (QVtdDesc) { {
        QINV_IOTLB | granularity << 4 | (uint64_t)did << 16, addr
    } };
}

/* 6.5.2.4; @granularity 2 PASID, 3 page */
static QVtdDesc piotlb(unsigned int granularity, uint16_t did, uint32_t pasid,
                       uint64_t addr)
{
    QVtdDesc desc = qvtd_desc_piotlb(did, pasid);

    desc.qw[0] = (desc.qw[0] & ~0x30ULL) | granularity << 4;
    desc.qw[1] = addr;
    return desc;
}

static void test_off(void)
{
    PriLab lab;

    start(&lab, NULL);
    g_assert_cmphex(read_first_byte(&lab, SECOND), ==, FRESH);
    pri_lab_stop(&lab);
}

static void test_on(void)
{
    PriLab lab;

    start(&lab, "pwc=on");
    g_assert_cmphex(read_first_byte(&lab, SECOND), ==, STALE);
    pri_lab_stop(&lab);
}

typedef struct Case {
    const char *name;
    QVtdDesc desc;
    bool drops;
} Case;

/* What it names is dropped, what it does not name is kept */
static void test_inv(const void *opaque)
{
    const Case *c = opaque;
    PriLab lab;

    start(&lab, "pwc=on");
    submit(&lab, c->desc);
    g_assert_cmphex(read_first_byte(&lab, SECOND), ==,
                    c->drops ? FRESH : STALE);
    pri_lab_stop(&lab);
}

static void add(const char *name, QVtdDesc desc, bool drops)
{
    g_autofree char *path = g_strdup_printf("/vtd/qi/QI-56/%s", name);
    Case *c = g_new(Case, 1);

    *c = (Case) { .desc = desc, .drops = drops };
    g_test_add_data_func_full(path, c, test_inv, g_free);
}

static void add_invalidations(void)
{
    const uint64_t far = LAB_IOVA + (1 << 21);
    const uint64_t all = LAB_DID;

    add("iotlb/global", iotlb(1, 0, 0), true);
    add("iotlb/domain", iotlb(2, LAB_DID, 0), true);
    add("iotlb/other-domain", iotlb(2, OTHER_DID, 0), false);
    /* table 23: first-stage structures of the domain, whatever IH and ADDR */
    add("iotlb/page", iotlb(3, LAB_DID, SECOND), true);
    add("iotlb/page-ih", iotlb(3, LAB_DID, SECOND | IH), true);
    add("iotlb/far-page-ih", iotlb(3, LAB_DID, far | IH), true);
    add("iotlb/page-other-domain", iotlb(3, OTHER_DID, SECOND), false);
    add("piotlb/pasid", piotlb(2, all, LAB_PASID, 0), true);
    add("piotlb/other-pasid", piotlb(2, all, OTHER_PASID, 0), false);
    add("piotlb/other-domain", piotlb(2, OTHER_DID, LAB_PASID, 0), false);
    add("piotlb/page", piotlb(3, all, LAB_PASID, SECOND), true);
    add("piotlb/page-ih", piotlb(3, all, LAB_PASID, SECOND | IH), false);
    add("piotlb/far-page", piotlb(3, all, LAB_PASID, far), false);
    add("piotlb/page-below", piotlb(3, all, LAB_PASID, LAB_IOVA - (1 << 21)),
        false);
    add("piotlb/far-page-am-10", piotlb(3, all, LAB_PASID, far | 10),
        (LAB_IOVA >> 22) == (far >> 22));
    add("piotlb/far-page-am-63", piotlb(3, all, LAB_PASID, far | 63), true);
    add("piotlb/page-other-pasid", piotlb(3, all, OTHER_PASID, SECOND), false);
    add("cc", qvtd_desc_cc_global(), false);
    add("pc", qvtd_desc_pc_global(), false);
    add("iec", qinv_desc_type(QINV_IEC), false);
}

/* An accepted page request invalidates its page implicitly, with IH=0 */
static void test_page_request(const void *opaque)
{
    bool far = GPOINTER_TO_UINT(opaque);
    PriLab lab;

    start(&lab, "pwc=on");
    lab_request(&lab, far ? LAB_IOVA + (1 << 21) : SECOND,
                PT_RAW_READ | PT_RAW_LAST, 1);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    g_assert_cmphex(read_first_byte(&lab, SECOND), ==, far ? STALE : FRESH);
    pri_lab_stop(&lab);
}

static void test_srtp(void)
{
    PriLab lab;

    start(&lab, "pwc=on");
    qvtd_set_root(&lab.v, lab.v.root, QVTD_TTM_SCALABLE);
    g_assert_cmphex(read_first_byte(&lab, SECOND), ==, FRESH);
    pri_lab_stop(&lab);
}

/* The IOTLB as well, whatever the knobs are: CAP.ESRTPS */
static void test_srtp_iotlb(void)
{
    uint64_t pa;
    PriLab lab;

    pri_lab_start_with(&lab, NULL, "atc-entries=0", 0);
    pa = qvtd_alloc(&lab.v, 2);
    qtest_writeb(lab.qts, pa, STALE);
    qtest_writeb(lab.qts, pa + 0x1000, FRESH);
    qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA + 0x10000, 0x8000000,
                QVTD_FS_USER);
    qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA, pa, QVTD_FS_USER);
    g_assert_cmphex(read_first_byte(&lab, LAB_IOVA), ==, STALE);
    qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA, pa + 0x1000, QVTD_FS_USER);
    g_assert_cmphex(read_first_byte(&lab, LAB_IOVA), ==, STALE);
    qvtd_set_root(&lab.v, lab.v.root, QVTD_TTM_SCALABLE);
    g_assert_cmphex(read_first_byte(&lab, LAB_IOVA), ==, FRESH);
    pri_lab_stop(&lab);
}

static void test_migrate(void)
{
    PriLab lab;

    start(&lab, "pwc=on");
    lab_migrate(&lab, "pwc=on", "atc-entries=0", 1000 * QINV_MS);
    g_assert_cmphex(read_first_byte(&lab, SECOND), ==, STALE);
    submit(&lab, iotlb(1, 0, 0));
    g_assert_cmphex(read_first_byte(&lab, SECOND), ==, FRESH);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    g_test_add_func("/vtd/qi/QI-56/off", test_off);
    g_test_add_func("/vtd/qi/QI-56/on", test_on);
    add_invalidations();
    g_test_add_data_func("/vtd/qi/QI-56/page-request", GUINT_TO_POINTER(0),
                         test_page_request);
    g_test_add_data_func("/vtd/qi/QI-56/far-page-request", GUINT_TO_POINTER(1),
                         test_page_request);
    g_test_add_func("/vtd/qi/QI-55/pwc-srtp", test_srtp);
    g_test_add_func("/vtd/qi/QI-55/iotlb-srtp", test_srtp_iotlb);
    g_test_add_func("/vtd/qi/QI-57/pwc-migrate", test_migrate);
    return g_test_run();
}
