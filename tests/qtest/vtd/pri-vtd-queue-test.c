/*
 * VT-d page requests: the queue (PRQ-07, PRQ-11, PRQ-13, PRQ-20 to PRQ-35)
 *
 * VT-d 7.4.1, 7.4.1.1, 6.5.3.1
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/pri-lab.h"

#define R   PT_RAW_READ
#define W   PT_RAW_WRITE
#define L   PT_RAW_LAST
#define X   PT_RAW_EXEC
#define P   PT_RAW_PRIV

/* -- PRQ-07: size and wrap ------------------------------------------------- */

static void test_wrap(const void *opaque)
{
    unsigned int pqs = GPOINTER_TO_UINT(opaque);
    uint32_t size = 0x1000u << pqs;
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start(&lab);
    qvtd_prq_start(&lab.v, pqs);

    /* hardware goes on from PQT as software wrote it */
    qvtd_writeq(&lab.v, QVTD_PQH, size - 0x20);
    qvtd_writeq(&lab.v, QVTD_PQT, size - 0x20);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, 0);
    lab_request(&lab, LAB_IOVA + 0x1000, R | L, 2);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, 0x20);
    qvtd_prq_read(&lab.v, 0, &prd);
    g_assert_cmphex(QVTD_PRD_ADDR(&prd), ==, LAB_IOVA);
    g_assert_cmphex(qtest_readq(lab.qts, lab.v.prq + size - 0x20 + 8), ==,
                    prd.qw[1]);
    qvtd_prq_read(&lab.v, 1, &prd);
    g_assert_cmphex(QVTD_PRD_ADDR(&prd), ==, LAB_IOVA + 0x1000);

    /* full across the wrap: the tail is one behind the head */
    qvtd_writeq(&lab.v, QVTD_PQH, 0);
    qvtd_writeq(&lab.v, QVTD_PQT, size - 0x20);
    lab_request(&lab, LAB_IOVA, R | L, 3);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, size - 0x20);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS) & QVTD_PRS_PRO, !=, 0);
    pri_lab_stop(&lab);
}

/* -- PRQ-11: without PASID ------------------------------------------------- */

static void test_no_pasid(void)
{
    uint64_t ce;
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start(&lab);
    /* PASIDE does not matter for them (9.4) */
    ce = qvtd_context_entry(&lab.v, lab.d.rid);
    qvtd_set(&lab.v, ce, QVTD_CE_PASIDE, 0);
    qvtd_flush(&lab.v);
    lab_request_rid(&lab, LAB_IOVA, R | W | L, 0x1a5);

    g_assert_true(qvtd_prq_pop(&lab.v, &prd));
    g_assert_cmpuint(QVTD_PRD_PP(&prd), ==, 0);
    g_assert_cmphex(QVTD_PRD_RID(&prd), ==, lab.d.rid);
    g_assert_cmphex(QVTD_PRD_PRGI(&prd), ==, 0x1a5);
    g_assert_cmphex(QVTD_PRD_ADDR(&prd), ==, LAB_IOVA);
    g_assert_cmpuint(QVTD_PRD_EXR(&prd), ==, 0);
    g_assert_cmpuint(QVTD_PRD_PMR(&prd), ==, 0);
    lab_expect_silence(&lab);
    pri_lab_stop(&lab);
}

/* The walk uses RID_PASID, or PASID 0 with ECAP.RPS=0 */
static void test_no_pasid_entry(void)
{
    uint64_t pe;
    PriLab lab;

    pri_lab_start(&lab);
    pe = qvtd_pasid_entry(&lab.v, lab.d.rid, 0);
    qvtd_set(&lab.v, pe, QVTD_PE_P, 0);
    qvtd_flush(&lab.v);
    lab_request_rid(&lab, LAB_IOVA, R | L, 7);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    lab_expect_response(&lab, QPT_INVALID_REQUEST, 7, QVTD_NO_PASID);

    if (lab.v.ecap & QVTD_ECAP_RPS) {
        uint64_t ce = qvtd_context_entry(&lab.v, lab.d.rid);

        qvtd_set(&lab.v, ce, QVTD_CE_RID_PASID, LAB_PASID);
        qvtd_flush(&lab.v);
        lab_request_rid(&lab, LAB_IOVA, R | L, 8);
        g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
        lab_expect_silence(&lab);
    }
    pri_lab_stop(&lab);
}

/* -- PRQ-13: translation disabled, default of the knob tes0-pr ------------- */

static void test_tes0(void)
{
    QVtdFault fault;
    PriLab lab;

    pri_lab_start(&lab);
    qvtd_gcmd(&lab.v, 0, QVTD_GCMD_TE);
    lab_request(&lab, LAB_IOVA, R, 1);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, 0);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, 0);
    g_assert_false(qvtd_fault(&lab.v, &fault));
    lab_expect_silence(&lab);

    qvtd_gcmd(&lab.v, QVTD_GCMD_TE, 0);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, 0x20);
    pri_lab_stop(&lab);
}

/* -- PRQ-20, PRQ-35: empty, full, head ------------------------------------- */

static void test_full(void)
{
    PriLab lab;
    unsigned int i;

    pri_lab_start(&lab);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==,
                    qvtd_readq(&lab.v, QVTD_PQH));
    for (i = 0; i < 127; i++) {
        lab_request(&lab, LAB_IOVA + i * 0x1000ULL, R | L, i);
        g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, (i + 1) * 0x20);
        g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, QVTD_PRS_PPR);
    }
    lab_request(&lab, LAB_IOVA, R | L, 127);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, 127 * 0x20);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==,
                    QVTD_PRS_PPR | QVTD_PRS_PRO);
    for (i = 0; i < 127; i++) {
        QVtdDesc prd;

        qvtd_prq_read(&lab.v, i, &prd);
        g_assert_cmphex(QVTD_PRD_ADDR(&prd), ==, LAB_IOVA + i * 0x1000ULL);
        g_assert_cmpuint(QVTD_PRD_PRGI(&prd), ==, i);
    }
    pri_lab_stop(&lab);
}

/* the free slot is wherever the head is */
static void test_full_anywhere(void)
{
    uint32_t head;
    PriLab lab;

    pri_lab_start(&lab);
    for (head = 0; head < 0x1000; head += 0x1e0) {
        uint32_t tail = (head + 0x1000 - 0x20) % 0x1000;

        qvtd_writeq(&lab.v, QVTD_PQH, head);
        qvtd_writeq(&lab.v, QVTD_PQT, (tail + 0x1000 - 0x20) % 0x1000);
        lab_request(&lab, LAB_IOVA, R | L, 1);
        g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, tail);
        g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS) & QVTD_PRS_PRO, ==, 0);
        lab_request(&lab, LAB_IOVA, R | L, 1);
        g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, tail);
        g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS) & QVTD_PRS_PRO, !=, 0);
        qvtd_writel(&lab.v, QVTD_PRS, QVTD_PRS_PRO);
    }
    pri_lab_stop(&lab);
}

static void test_head_update(void)
{
    uint64_t events;
    PriLab lab;

    pri_lab_start(&lab);
    qvtd_writel(&lab.v, QVTD_PECTL, 0);
    lab_fill(&lab);
    qvtd_writel(&lab.v, QVTD_PRS, QVTD_PRS_PPR);
    events = qvtd_counter(&lab.v, "x-msis");

    /* no event on a head update, and each request looks at the head again */
    qvtd_writeq(&lab.v, QVTD_PQH, 0x20);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, 0);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-msis"), ==, events);
    lab_request(&lab, LAB_IOVA, R | L, 5);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, 0);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, QVTD_PRS_PPR);
    lab_request(&lab, LAB_IOVA, R | L, 6);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, 0);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==,
                    QVTD_PRS_PPR | QVTD_PRS_PRO);
    pri_lab_stop(&lab);
}

/* -- PRQ-21: the tail moves after the descriptor --------------------------- */

static void test_tail_after_descriptor(void)
{
    static const uint64_t zero[4];
    uint64_t raw[4];
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start_with(&lab, "prd-delay-us=100", NULL, 0);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, 0);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, 0);
    qtest_memread(lab.qts, lab.v.prq, raw, sizeof(raw));
    g_assert_cmpmem(raw, sizeof(raw), zero, sizeof(zero));

    qtest_clock_step(lab.qts, 99 * 1000);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, 0);
    qtest_clock_step(lab.qts, 2 * 1000);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, 0x20);
    qvtd_prq_read(&lab.v, 0, &prd);
    g_assert_cmphex(QVTD_PRD_ADDR(&prd), ==, LAB_IOVA);
    pri_lab_stop(&lab);
}

/* -- PRQ-22 to PRQ-27: the descriptor, bit for bit ------------------------- */

static void test_all_bits_written(void)
{
    uint64_t raw[4];
    PriLab lab;

    pri_lab_start(&lab);
    qtest_memset(lab.qts, lab.v.prq, 0xa5, 4096);
    lab_request(&lab, 0x00007fffdeadb000ULL, R | W | L, 0x155);
    qtest_memread(lab.qts, lab.v.prq, raw, sizeof(raw));
    g_assert_cmphex(raw[0], ==, 0x01 | 1ULL << 8 |
                    (uint64_t)lab.d.rid << 16 | (uint64_t)LAB_PASID << 32);
    g_assert_cmphex(raw[1], ==, 0x00007fffdeadb000ULL | 0x155 << 3 | 7);
    g_assert_cmphex(raw[2], ==, 0);
    g_assert_cmphex(raw[3], ==, 0);
    /* and not a bit more */
    g_assert_cmphex(qtest_readq(lab.qts, lab.v.prq + 32), ==,
                    0xa5a5a5a5a5a5a5a5ULL);
    pri_lab_stop(&lab);
}

typedef struct BitRow {
    uint32_t flags;
    bool exr;                   /* relevant only with PP=RDR=1 */
    bool pmr;
} BitRow;

static const BitRow bit_rows[] = {
    { R, false, false }, { W, false, false }, { R | W, false, false },
    { R | X, true, false }, { R | W | X, true, false },
    { R | P, false, true }, { W | P, false, true },
    { R | X | P, true, true }, { R | W | X | P, true, true },
};

/* @opaque: whether it is about PMR or EXR */
static void test_permission_bits(const void *opaque)
{
    bool pmr = opaque;
    unsigned int i;
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start(&lab);
    for (i = 0; i < ARRAY_SIZE(bit_rows); i++) {
        const BitRow *row = &bit_rows[i];

        lab_request(&lab, LAB_IOVA, row->flags | L, i);
        g_assert_true(qvtd_prq_pop(&lab.v, &prd));
        if (pmr) {
            g_assert_cmpuint(QVTD_PRD_PMR(&prd), ==, row->pmr);
        } else {
            g_assert_cmpuint(QVTD_PRD_EXR(&prd), ==, row->exr);
        }
        g_assert_cmpuint(QVTD_PRD_RDR(&prd), ==, !!(row->flags & R));
        g_assert_cmpuint(QVTD_PRD_WRR(&prd), ==, !!(row->flags & W));
        g_assert_cmpuint(QVTD_PRD_LPIG(&prd), ==, 1);
        g_assert_cmpuint(QVTD_PRD_RSVD_LO(&prd), ==, 0);
    }
    pri_lab_stop(&lab);
}

static void test_prgi_lpig(void)
{
    unsigned int prgi;
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start(&lab);
    for (prgi = 0; prgi < 512; prgi += prgi < 16 ? 1 : 31) {
        lab_request(&lab, LAB_IOVA, R, prgi);
        lab_request(&lab, LAB_IOVA, R | L, prgi);
        g_assert_true(qvtd_prq_pop(&lab.v, &prd));
        g_assert_cmpuint(QVTD_PRD_PRGI(&prd), ==, prgi);
        g_assert_cmpuint(QVTD_PRD_LPIG(&prd), ==, 0);
        g_assert_true(qvtd_prq_pop(&lab.v, &prd));
        g_assert_cmpuint(QVTD_PRD_PRGI(&prd), ==, prgi);
        g_assert_cmpuint(QVTD_PRD_LPIG(&prd), ==, 1);
    }
    pri_lab_stop(&lab);
}

static void test_address_verbatim(void)
{
    static const uint64_t addrs[] = {
        0, 0x1000, 0xfee00000, 0x0000800000000000ULL, 0x7ffffffffffff000ULL,
        0x8000000000000000ULL, 0xffff800000000000ULL, 0xfffffffffffff000ULL,
        0x123456789abcd000ULL,
    };
    unsigned int i;
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start(&lab);
    for (i = 0; i < ARRAY_SIZE(addrs); i++) {
        lab_request(&lab, addrs[i], R | L, i);
        lab_request_rid(&lab, addrs[i], R | L, i + 64);
        g_assert_true(qvtd_prq_pop(&lab.v, &prd));
        g_assert_cmphex(QVTD_PRD_ADDR(&prd), ==, addrs[i]);
        g_assert_true(qvtd_prq_pop(&lab.v, &prd));
        g_assert_cmphex(QVTD_PRD_ADDR(&prd), ==, addrs[i]);
    }
    lab_expect_silence(&lab);
    pri_lab_stop(&lab);
}

static void test_pasids(void)
{
    static const uint32_t pasids[] = { 1, 0x7f, 0x100, 0xffff, 0x10000,
                                       0xfffff };
    unsigned int i;
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start(&lab);
    for (i = 0; i < ARRAY_SIZE(pasids); i++) {
        QPtRaw raw = { LAB_IOVA, pasids[i], R | L, i };

        qvtd_pasid_setup(&lab.v, lab.d.rid, pasids[i], 16 + i);
        qvtd_flush(&lab.v);
        qpt_raw(&lab.d, &raw);
        g_assert_true(qvtd_prq_pop(&lab.v, &prd));
        g_assert_cmpuint(QVTD_PRD_PP(&prd), ==, 1);
        g_assert_cmphex(QVTD_PRD_PASID(&prd), ==, pasids[i]);
    }
    pri_lab_stop(&lab);
}

static void test_rid(void)
{
    QPtRaw raw = { LAB_IOVA, LAB_PASID, R | L, 9 };
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start_with(&lab, NULL, NULL, LAB_TWO_DEVICES);
    g_assert_cmphex(lab.d.rid, !=, lab.d2.rid);
    qpt_raw(&lab.d2, &raw);
    qpt_raw(&lab.d, &raw);
    g_assert_true(qvtd_prq_pop(&lab.v, &prd));
    g_assert_cmphex(QVTD_PRD_RID(&prd), ==, lab.d2.rid);
    g_assert_true(qvtd_prq_pop(&lab.v, &prd));
    g_assert_cmphex(QVTD_PRD_RID(&prd), ==, lab.d.rid);
    pri_lab_stop(&lab);
}

/* the guest renumbers the bus: the next request has the new requester id */
static void test_rid_renumbered(void)
{
    QPtRaw raw = { LAB_IOVA, LAB_PASID, R | L, 9 };
    QPriTestdev moved;
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start(&lab);
    qpt_init(&moved, lab.qts, lab.d.port, 0x42);
    qvtd_device_setup(&lab.v, moved.rid, 7);
    qvtd_pasid_setup(&lab.v, moved.rid, LAB_PASID, LAB_DID + 1);
    qvtd_flush(&lab.v);
    qpt_enable(&moved, 0);
    qpt_raw(&moved, &raw);
    g_assert_true(qvtd_prq_pop(&lab.v, &prd));
    g_assert_cmphex(QVTD_PRD_RID(&prd), ==, 0x4200);
    qvtd_respond(&lab.v, 0x4200, LAB_PASID, 9, 0);
    g_assert_cmphex(qpt_raw_response(&moved, NULL, NULL), ==, 0);
    pri_lab_stop(&lab);
}

/* -- PRQ-30: page requests do not walk page tables ------------------------- */

static void test_broken_page_tables(void)
{
    QVtdFault fault;
    uint64_t pe;
    PriLab lab;

    pri_lab_start(&lab);
    pe = qvtd_pasid_entry(&lab.v, lab.d.rid, LAB_PASID);

    /* top table where there is no memory: SFS.4 for a translation */
    qvtd_set(&lab.v, pe, QVTD_PE_FSPTPTR, QVTD_NO_MEMORY >> 12);
    qvtd_flush(&lab.v);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);

    /* reserved bits in every entry of it: SFS.3 */
    qvtd_set(&lab.v, pe, QVTD_PE_FSPTPTR, lab.pml4 >> 12);
    qtest_memset(lab.qts, lab.pml4, 0xff, 4096);
    qvtd_flush(&lab.v);
    lab_request(&lab, LAB_IOVA, R | L, 2);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 2);

    g_assert_false(qvtd_fault(&lab.v, &fault));
    lab_expect_silence(&lab);
    pri_lab_stop(&lab);
}

/* -- PRQ-33, PRQ-34: where the specification says nothing ------------------ */

static void test_queue_nowhere(void)
{
    static const uint64_t bases[] = {
        QVTD_NO_MEMORY, 0xe8000000ULL, 0xfffffffffffff000ULL
    };
    unsigned int i;
    QVtdFault fault;
    PriLab lab;

    pri_lab_start(&lab);
    for (i = 0; i < ARRAY_SIZE(bases); i++) {
        qvtd_writeq(&lab.v, QVTD_PQH, 0);
        qvtd_writeq(&lab.v, QVTD_PQT, 0);
        qvtd_writeq(&lab.v, QVTD_PQA, bases[i]);
        lab_request(&lab, LAB_IOVA, R, 1);
        lab_request(&lab, LAB_IOVA, R | L, 1);
        /* default of the knob prq-write-error: drop */
        lab_expect_silence(&lab);
        g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, 0);
        g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS) & QVTD_PRS_PRO, ==, 0);
    }
    g_assert_false(qvtd_fault(&lab.v, &fault));
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_FAILURE), ==, 0);

    qvtd_prq_start(&lab.v, 0);
    lab_request(&lab, LAB_IOVA, R | L, 2);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    pri_lab_stop(&lab);
}

#define ARENA_PAGES     16

/* Is there a byte of the arena outside [from, from + size) that changed? */
static bool arena_spoilt(PriLab *lab, uint64_t arena, uint64_t from,
                         uint64_t size)
{
    size_t len = ARENA_PAGES * 4096;
    g_autofree uint8_t *bytes = g_malloc(len);
    size_t i;

    qtest_bufread(lab->qts, arena, bytes, len);
    for (i = 0; i < len; i++) {
        uint64_t at = arena + i;

        if (bytes[i] != 0x5a && (at < from || at >= from + size)) {
            g_test_message("0x%" PRIx64 " written, queue at 0x%" PRIx64
                           " size 0x%" PRIx64, at, from, size);
            return true;
        }
    }
    return false;
}

static void test_live_reprogramming(void)
{
    GRand *rand = g_rand_new_with_seed(34);
    uint64_t arena;
    int round, i;
    PriLab lab;

    pri_lab_start(&lab);
    arena = qvtd_alloc(&lab.v, ARENA_PAGES);
    for (round = 0; round < 60; round++) {
        unsigned int pqs = g_rand_int_range(rand, 0, 3);
        uint64_t base = arena + g_rand_int_range(rand, 0, 5) * 0x4000;

        /* the base need not be aligned to the size of the queue */
        base += pqs < 2 ? g_rand_int_range(rand, 0, 2) * 0x1000 : 0;
        base = MIN(base, arena + (ARENA_PAGES << 12) - (0x1000u << pqs));
        qtest_memset(lab.qts, arena, 0x5a, ARENA_PAGES * 4096);
        qvtd_writeq(&lab.v, QVTD_PQA, base | pqs);
        for (i = 0; i < 20; i++) {
            switch (g_rand_int_range(rand, 0, 4)) {
            case 0:
                qvtd_writeq(&lab.v, QVTD_PQT, g_rand_int(rand));
                break;
            case 1:
                qvtd_writeq(&lab.v, QVTD_PQH, g_rand_int(rand));
                break;
            case 2:
                qvtd_writel(&lab.v, QVTD_PRS, g_rand_int(rand));
                break;
            default:
                lab_request(&lab, LAB_IOVA, R | L, i);
                break;
            }
        }
        g_assert_false(arena_spoilt(&lab, arena, base, 0x1000u << pqs));
    }
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_FAILURE), ==, 0);

    /* set up again, the queue works */
    qvtd_writel(&lab.v, QVTD_PRS, QVTD_PRS_PPR | QVTD_PRS_PRO);
    qvtd_prq_start(&lab.v, 0);
    lab_request(&lab, LAB_IOVA, R | L, 2);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    g_rand_free(rand);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    unsigned int pqs;

    pri_lab_test_init(&argc, &argv);
    for (pqs = 0; pqs < 8; pqs++) {
        g_autofree char *name = g_strdup_printf("/vtd/prq/PRQ-07/wrap-pqs-%u",
                                                pqs);

        g_test_add_data_func(name, GUINT_TO_POINTER(pqs), test_wrap);
    }
    g_test_add_func("/vtd/prq/PRQ-11/no-pasid", test_no_pasid);
    g_test_add_func("/vtd/prq/PRQ-11/rid-pasid-entry", test_no_pasid_entry);
    g_test_add_func("/vtd/prq/PRQ-13/translation-disabled", test_tes0);
    g_test_add_func("/vtd/prq/PRQ-20/full-at-n-1", test_full);
    g_test_add_func("/vtd/prq/PRQ-20/full-anywhere", test_full_anywhere);
    g_test_add_func("/vtd/prq/PRQ-21/tail-after-descriptor",
                    test_tail_after_descriptor);
    g_test_add_func("/vtd/prq/PRQ-22/all-bits-written", test_all_bits_written);
    g_test_add_func("/vtd/prq/PRQ-22/prgi-lpig", test_prgi_lpig);
    g_test_add_func("/vtd/prq/PRQ-22/pasid-20-bits", test_pasids);
    g_test_add_data_func("/vtd/prq/PRQ-23/exr", NULL, test_permission_bits);
    g_test_add_data_func("/vtd/prq/PRQ-24/pmr", GUINT_TO_POINTER(1),
                         test_permission_bits);
    g_test_add_func("/vtd/prq/PRQ-26/address-verbatim", test_address_verbatim);
    g_test_add_func("/vtd/prq/PRQ-27/rid", test_rid);
    g_test_add_func("/vtd/prq/PRQ-27/rid-renumbered", test_rid_renumbered);
    g_test_add_func("/vtd/prq/PRQ-30/no-page-walk", test_broken_page_tables);
    g_test_add_func("/vtd/prq/PRQ-33/queue-nowhere", test_queue_nowhere);
    g_test_add_func("/vtd/prq/PRQ-34/live-reprogramming",
                    test_live_reprogramming);
    g_test_add_func("/vtd/prq/PRQ-35/head-update", test_head_update);
    return g_test_run();
}
