/*
 * VT-d device-TLB invalidation: what is in the request (QI-35 to QI-38)
 *
 * Sizes, global bit, PASID, and units without device-TLB support.  VT-d
 * 6.5.2.5, 6.5.2.6, 6.5.3.3 table 28; PCIe 6.2 10.3.2, 10.3.8
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/vtd-inv.h"

#define SW          QVTD_WAIT_SW
#define PAGE        4096ULL
#define MAX_ORDER   52              /* everything */
#define USER_END    (1ULL << 47)    /* 4-level first stage, lower half */
#define OTHER_PASID 0x00321
#define NO_DT \
    "device-iotlb=off,x-scalable-mode=on,svm=off"

static void start(PriLab *lab, const char *vtd, const char *dev)
{
    pri_lab_start_with(lab, vtd, dev, 0);
    qvtd_qi_start(&lab->v, 0, true);
}

/* Figures 6-5 and 6-6: S and 63:12 of a region of 2^@order pages at @base */
static QVtdDesc sized_desc(unsigned int type, uint16_t rid, uint64_t base,
                           unsigned int order)
{
    uint64_t ones = order ? (1ULL << (12 + order - 1)) - PAGE : 0;

    if (type == QINV_DEV_TLB) {
        return qvtd_desc_dev_tlb(rid, base | ones, order != 0);
    }
    return qvtd_desc_dev_ptlb(rid, LAB_PASID, base | ones, order != 0, false);
}

/* -- The ATC of the function, seen through what it must ask for again ------ */

typedef struct Space {
    uint64_t pml4;
    uint32_t pasid;             /* QVTD_NO_PASID: requests without PASID */
} Space;

static void touch(PriLab *lab, const Space *space, uint64_t addr)
{
    QPtOp op = {
        .cmd = PT_OP_READ, .src = addr, .len = 8,
        .flags = space->pasid == QVTD_NO_PASID ? 0 : PT_FLAG_PASID,
        .pasid = space->pasid == QVTD_NO_PASID ? 0 : space->pasid,
    };

    g_assert_cmpuint(qpt_run(&lab->d, 0, &op), ==, PT_ST_DONE);
}

/* Is @addr in the ATC?  It is afterwards */
static bool cached(PriLab *lab, const Space *space, uint64_t addr)
{
    uint64_t hits = qpt_readq(&lab->d, PT_CNT_ATC_HITS);

    touch(lab, space, addr);
    return qpt_readq(&lab->d, PT_CNT_ATC_HITS) != hits;
}

static void map(PriLab *lab, const Space *space, uint64_t addr)
{
    qvtd_fs_map(&lab->v, space->pml4, addr, lab->v.status, QVTD_FS_USER);
}

/* -- QI-35: sizes ---------------------------------------------------------- */

/* The requests as they are on the wire, decoded as PCIe says */
static void test_sizes_sent(const void *opaque)
{
    unsigned int type = GPOINTER_TO_UINT(opaque), order;
    GArray *sent;
    QInvLog log;
    PriLab lab;

    qinv_log_start(&log, "itags=32");
    start(&lab, log.options, NULL);
    for (order = 0; order <= MAX_ORDER; order++) {
        uint64_t base = order < 51 ? 1ULL << (order + 12) : 0;

        qinv_put(&lab.v, sized_desc(type, lab.d.rid, base, order));
        qvtd_wait(&lab.v, 0);
    }
    pri_lab_stop(&lab);
    sent = qinv_log_finish(&log);
    g_assert_cmpuint(sent->len, ==, MAX_ORDER + 1);
    for (order = 0; order < sent->len; order++) {
        QInvRequest *req = &g_array_index(sent, QInvRequest, order);
        uint64_t base = order < 51 ? 1ULL << (order + 12) : 0;
        unsigned int ones = 0;

        g_assert_cmpuint(req->size, ==, order != 0);
        if (!order) {
            g_assert_cmphex(req->addr, ==, base);
            continue;
        }
        while (ones < 52 && req->addr >> (12 + ones) & 1) {
            ones++;
        }
        g_assert_cmpuint(ones, ==, order - 1);
        g_assert_cmphex(req->addr >> (12 + ones) << (12 + ones), ==, base);
    }
    g_assert_cmphex(g_array_index(sent, QInvRequest, MAX_ORDER).addr, ==,
                    QVTD_INV_ALL);
    g_array_free(sent, true);
}

/*
 * The region at each order, up to the largest that the tables can map: its
 * first and last page go, its neighbours stay
 */
static void test_sizes(const void *opaque)
{
    unsigned int type = GPOINTER_TO_UINT(opaque), order;
    Space space;
    PriLab lab;

    start(&lab, NULL, NULL);
    space.pasid = type == QINV_DEV_TLB ? QVTD_NO_PASID : LAB_PASID;
    space.pml4 = type == QINV_DEV_TLB ? lab.rid_pml4 : lab.pml4;
    for (order = 0; order < MAX_ORDER; order++) {
        uint64_t size = order < 35 ? PAGE << order : USER_END;
        uint64_t base = size < USER_END / 2 ? size * 2 : 0;
        uint64_t last = base + size - PAGE;
        bool neighbours = base != 0;

        map(&lab, &space, base + (base ? 0 : PAGE));
        map(&lab, &space, last);
        touch(&lab, &space, base + (base ? 0 : PAGE));
        touch(&lab, &space, last);
        if (neighbours) {
            map(&lab, &space, base - PAGE);
            map(&lab, &space, last + PAGE);
            touch(&lab, &space, base - PAGE);
            touch(&lab, &space, last + PAGE);
        }
        qinv_put(&lab.v, sized_desc(type, lab.d.rid, base, order));
        qvtd_wait(&lab.v, 0);
        if (neighbours) {
            g_assert_true(cached(&lab, &space, base - PAGE));
            g_assert_true(cached(&lab, &space, last + PAGE));
        }
        g_assert_false(cached(&lab, &space, base + (base ? 0 : PAGE)));
        if (order) {
            g_assert_false(cached(&lab, &space, last));
        }
    }
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_INV_REQUESTS), ==, MAX_ORDER);
    pri_lab_stop(&lab);
}

/* S=1, bits 62:12 ones and bit 63 zero: everything there is */
static void test_everything(const void *opaque)
{
    unsigned int type = GPOINTER_TO_UINT(opaque), i;
    Space space;
    PriLab lab;

    start(&lab, NULL, NULL);
    space.pasid = type == QINV_DEV_TLB ? QVTD_NO_PASID : LAB_PASID;
    space.pml4 = type == QINV_DEV_TLB ? lab.rid_pml4 : lab.pml4;
    for (i = 12; i < 47; i++) {
        map(&lab, &space, 1ULL << i);
        touch(&lab, &space, 1ULL << i);
    }
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), >=, 35);
    qinv_put(&lab.v, qinv_desc_valid(type, lab.d.rid));
    qvtd_wait(&lab.v, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 0);
    pri_lab_stop(&lab);
}

/* S=0: the address is one page, whatever its bits are */
static void test_one_page(void)
{
    Space space;
    PriLab lab;

    start(&lab, NULL, NULL);
    space = (Space) { lab.pml4, LAB_PASID };
    map(&lab, &space, LAB_IOVA | 0x1000);
    map(&lab, &space, LAB_IOVA & ~0x1000ULL);
    touch(&lab, &space, LAB_IOVA | 0x1000);
    touch(&lab, &space, LAB_IOVA & ~0x1000ULL);
    qinv_put(&lab.v, qvtd_desc_dev_ptlb(lab.d.rid, LAB_PASID,
                                        LAB_IOVA | 0x1000, false, false));
    qvtd_wait(&lab.v, 0);
    g_assert_true(cached(&lab, &space, LAB_IOVA & ~0x1000ULL));
    g_assert_false(cached(&lab, &space, LAB_IOVA | 0x1000));
    pri_lab_stop(&lab);
}

/* -- QI-36, QI-37: global bit and PASID ------------------------------------ */

static void add_other_space(PriLab *lab, Space *space)
{
    space->pasid = OTHER_PASID;
    space->pml4 = qvtd_pasid_setup(&lab->v, lab->d.rid, OTHER_PASID, 0x99);
    qvtd_flush(&lab->v);
}

/* GI and PASID of the descriptor are those of the message */
static void test_fields_sent(void)
{
    GArray *sent;
    QInvLog log;
    QInvRequest *req;
    PriLab lab;

    qinv_log_start(&log, "itags=32");
    start(&lab, log.options, NULL);
    qinv_put(&lab.v, qvtd_desc_dev_tlb(lab.d.rid, QVTD_INV_ALL, true));
    qinv_put(&lab.v, qvtd_desc_dev_ptlb(lab.d.rid, LAB_PASID, QVTD_INV_ALL,
                                        true, false));
    qinv_put(&lab.v, qvtd_desc_dev_ptlb(lab.d.rid, LAB_PASID, QVTD_INV_ALL,
                                        true, true));
    qinv_put(&lab.v, qvtd_desc_dev_ptlb(lab.d.rid, 0, QVTD_INV_ALL, true,
                                        false));
    qinv_put(&lab.v, qvtd_desc_dev_ptlb(lab.d.rid, 0xfffff, QVTD_INV_ALL,
                                        true, false));
    qvtd_wait(&lab.v, 0);
    pri_lab_stop(&lab);
    sent = qinv_log_finish(&log);
    g_assert_cmpuint(sent->len, ==, 5);
    g_array_set_size(sent, 5);
    req = (QInvRequest *)sent->data;
    g_assert_cmphex(req[0].pasid, ==, QVTD_NO_PASID);
    g_assert_false(req[0].global);
    g_assert_cmphex(req[1].pasid, ==, LAB_PASID);
    g_assert_false(req[1].global);
    g_assert_cmphex(req[2].pasid, !=, QVTD_NO_PASID);
    g_assert_true(req[2].global);
    g_assert_cmphex(req[3].pasid, ==, 0);
    g_assert_cmphex(req[4].pasid, ==, 0xfffff);
    g_array_free(sent, true);
}

/* GI=1: every PASID, whatever the PASID field says */
static void test_global(const void *opaque)
{
    uint32_t pasid = GPOINTER_TO_UINT(opaque);
    Space first, other, none;
    PriLab lab;

    start(&lab, NULL, "global-invalidate=on");
    first = (Space) { lab.pml4, LAB_PASID };
    none = (Space) { lab.rid_pml4, QVTD_NO_PASID };
    add_other_space(&lab, &other);
    map(&lab, &first, LAB_IOVA);
    map(&lab, &other, LAB_IOVA);
    map(&lab, &none, LAB_IOVA);
    touch(&lab, &first, LAB_IOVA);
    touch(&lab, &other, LAB_IOVA);
    touch(&lab, &none, LAB_IOVA);
    qinv_put(&lab.v, qvtd_desc_dev_ptlb(lab.d.rid, pasid, LAB_IOVA, false,
                                        true));
    qvtd_wait(&lab.v, 0);
    g_assert_false(cached(&lab, &first, LAB_IOVA));
    g_assert_false(cached(&lab, &other, LAB_IOVA));
    pri_lab_stop(&lab);
}

static void fill(PriLab *lab, const Space *spaces)
{
    unsigned int i;

    for (i = 0; i < 3; i++) {
        map(lab, &spaces[i], LAB_IOVA);
        touch(lab, &spaces[i], LAB_IOVA);
    }
}

/*
 * A request with PASID reaches the entries of that PASID only; one without
 * reaches those without in its range, and all with (PCIe 6.2 10.3.8)
 */
static void test_pasid(void)
{
    Space spaces[3];
    PriLab lab;

    start(&lab, NULL, NULL);
    spaces[0] = (Space) { lab.pml4, LAB_PASID };
    spaces[1] = (Space) { lab.rid_pml4, QVTD_NO_PASID };
    add_other_space(&lab, &spaces[2]);

    fill(&lab, spaces);
    qinv_put(&lab.v, qvtd_desc_dev_ptlb(lab.d.rid, OTHER_PASID, QVTD_INV_ALL,
                                        true, false));
    qvtd_wait(&lab.v, 0);
    g_assert_true(cached(&lab, &spaces[0], LAB_IOVA));
    g_assert_true(cached(&lab, &spaces[1], LAB_IOVA));
    g_assert_false(cached(&lab, &spaces[2], LAB_IOVA));

    /* another page: what is without PASID stays, what has one goes */
    fill(&lab, spaces);
    qinv_put(&lab.v, qvtd_desc_dev_tlb(lab.d.rid, LAB_IOVA + PAGE, false));
    qvtd_wait(&lab.v, 0);
    g_assert_false(cached(&lab, &spaces[0], LAB_IOVA));
    g_assert_true(cached(&lab, &spaces[1], LAB_IOVA));
    g_assert_false(cached(&lab, &spaces[2], LAB_IOVA));

    qinv_put(&lab.v, qvtd_desc_dev_tlb(lab.d.rid, LAB_IOVA, false));
    qvtd_wait(&lab.v, 0);
    g_assert_false(cached(&lab, &spaces[1], LAB_IOVA));
    pri_lab_stop(&lab);
}

/* -- QI-38: units without device-TLB support ------------------------------- */

static void test_no_dt(const void *opaque)
{
    unsigned int type = GPOINTER_TO_UINT(opaque);
    QVtdDesc desc;
    PriLab lab;

    pri_lab_boot(&lab, NO_DT, NULL, 0);
    g_assert_cmphex(lab.v.ecap & QVTD_ECAP_DT, ==, 0);
    qvtd_set_root(&lab.v, qvtd_alloc(&lab.v, 1), QVTD_TTM_SCALABLE);
    qvtd_qi_start(&lab.v, 0, true);
    qvtd_expect_iqe(&lab.v, qinv_desc_valid(type, lab.d.rid),
                    QVTD_IQEI_TYPE);
    /* of a type that there is not, no field is reserved */
    desc = qinv_desc_valid(type, lab.d.rid);
    desc.qw[0] |= 1ULL << 63;
    desc.qw[2] = 1;
    qvtd_expect_iqe(&lab.v, desc, QVTD_IQEI_TYPE);
    qvtd_submit(&lab.v, qvtd_desc_iotlb_global());
    qvtd_wait(&lab.v, 0);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    static const unsigned int types[] = { QINV_DEV_TLB, QINV_DEV_PTLB };
    static const struct {
        const char *item;
        void (*fn)(const void *);
    } cases[] = {
        { "QI-35/sizes-sent", test_sizes_sent },
        { "QI-35/sizes", test_sizes },
        { "QI-35/everything", test_everything },
        { "QI-38/no-dt", test_no_dt },
    };
    unsigned int i, j;

    pri_lab_test_init(&argc, &argv);
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (j = 0; j < G_N_ELEMENTS(types); j++) {
            g_autofree char *name = g_strdup_printf("/vtd/qi/%s-type-%u",
                                                    cases[i].item, types[j]);

            g_test_add_data_func(name, GUINT_TO_POINTER(types[j]),
                                 cases[i].fn);
        }
    }
    g_test_add_func("/vtd/qi/QI-35/one-page", test_one_page);
    g_test_add_func("/vtd/qi/QI-37/fields-sent", test_fields_sent);
    g_test_add_data_func("/vtd/qi/QI-36/global", GUINT_TO_POINTER(LAB_PASID),
                         test_global);
    g_test_add_data_func("/vtd/qi/QI-36/global-ignores-pasid",
                         GUINT_TO_POINTER(0x7777), test_global);
    g_test_add_func("/vtd/qi/QI-37/pasid", test_pasid);
    return g_test_run();
}
