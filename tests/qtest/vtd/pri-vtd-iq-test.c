/*
 * VT-d queued invalidation: setting it up (QI-01 to QI-05)
 *
 * Size and width of the queue, head and tail, when descriptors are fetched,
 * and every value of IQEI.  VT-d 6.5.2, 6.5.2.11 table 26, 11.4.9
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/vtd-inv.h"

#define SW      QVTD_WAIT_SW
#define FN      QVTD_WAIT_FN
#define LEGACY_ONLY \
    "x-scalable-mode=off,x-flts=off,x-pasid-mode=off,svm=off"

/*
 * A machine with a root table in mode @ttm and no queue; translation is off,
 * and functions can answer all the same
 */
static void boot(PriLab *lab, const char *vtd, unsigned int ttm)
{
    pri_lab_boot(lab, vtd, NULL, 0);
    qvtd_set_property(&lab->v, "tes0-inv", "'complete'");
    lab->v.root = qvtd_alloc(&lab->v, 1);
    qvtd_set_root(&lab->v, lab->v.root, ttm);
}

static void expect_ok(QVtd *v)
{
    qvtd_wait(v, 0);
    g_assert_true(qvtd_qi_idle(v));
    g_assert_cmphex(qinv_fsts(v), ==, 0);
}

/* -- QI-01: size of the queue ---------------------------------------------- */

typedef struct QueueSize {
    unsigned int qs;
    bool dw;
} QueueSize;

/* The last entry is used, and behind it comes the first one */
static void test_size(const void *opaque)
{
    const QueueSize *size = opaque;
    unsigned int entries = 1 << (size->qs + (size->dw ? 7 : 8));
    QVtdDesc nop = { { QINV_WAIT | FN } };
    unsigned int i;
    uint32_t slot;
    PriLab lab;

    boot(&lab, NULL, size->dw ? QVTD_TTM_SCALABLE : QVTD_TTM_LEGACY);
    qvtd_qi_start(&lab.v, size->qs, size->dw);
    g_assert_cmpuint(lab.v.iq_size, ==, entries * (size->dw ? 32 : 16));
    for (i = 0; i < entries - 1; i++) {
        qinv_put(&lab.v, nop);
    }
    qvtd_qi_ring(&lab.v);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    g_assert_cmpuint(qinv_head(&lab.v), ==, entries - 1);

    slot = qinv_put_wait(&lab.v, SW);
    g_assert_cmpuint(lab.v.iq_tail, ==, 0);
    qvtd_qi_ring(&lab.v);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQH), ==, 0);
    expect_ok(&lab.v);
    pri_lab_stop(&lab);
}

/* QI-45, 11.4.9.3: reads say what was written, not what is in use */
static void test_address(void)
{
    const uint64_t mine = 0x12345000ULL | QVTD_IQA_DW | 2;
    const uint64_t next = 0x0000001abcdef000ULL | QVTD_IQA_DW | 1;
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, 0);
    qvtd_writeq(&lab.v, QVTD_IQA, mine);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQA), ==, mine);
    qvtd_set_root(&lab.v, qvtd_alloc(&lab.v, 1), QVTD_TTM_SCALABLE);
    qvtd_gcmd(&lab.v, QVTD_GCMD_QIE, 0);
    qvtd_writeq(&lab.v, QVTD_IQA, next);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQA), ==, next);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_IQA), ==, (uint32_t)next);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_IQA + 4), ==, next >> 32);
    pri_lab_stop(&lab);
}

/* One behind the last entry is no tail, and the last one is (QI-05, 1) */
static void test_size_limit(const void *opaque)
{
    const QueueSize *size = opaque;
    uint32_t bytes = 4096 << size->qs;
    uint32_t slot;
    PriLab lab;

    boot(&lab, NULL, size->dw ? QVTD_TTM_SCALABLE : QVTD_TTM_LEGACY);
    qvtd_qi_start(&lab.v, size->qs, size->dw);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_writeq(&lab.v, QVTD_IQT, bytes);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, QVTD_FSTS_IQE);
    g_assert_cmpuint(qinv_iqei(&lab.v), ==, QVTD_IQEI_TAIL);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQH), ==, 0);
    g_assert_false(qvtd_wait_done(&lab.v, slot));

    /* corrected, then cleared */
    qvtd_qi_ring(&lab.v);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    qvtd_writel(&lab.v, QVTD_FSTS, QVTD_FSTS_IQE);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    expect_ok(&lab.v);
    pri_lab_stop(&lab);
}

/* -- QI-02: width and translation mode ------------------------------------- */

typedef struct Mode {
    const char *name;
    const char *vtd;
    unsigned int ttm;
    bool dw;
    unsigned int iqei;          /* 0: none */
} Mode;

static const Mode modes[] = {
    { "legacy-128", NULL, QVTD_TTM_LEGACY, false, 0 },
    { "legacy-256", NULL, QVTD_TTM_LEGACY, true, 0 },
    { "scalable-128", NULL, QVTD_TTM_SCALABLE, false, QVTD_IQEI_WIDTH },
    { "scalable-256", NULL, QVTD_TTM_SCALABLE, true, 0 },
    { "reserved-128", NULL, QVTD_TTM_RESERVED, false, QVTD_IQEI_TTM },
    { "reserved-256", NULL, QVTD_TTM_RESERVED, true, QVTD_IQEI_TTM },
    { "abort-dma-128", NULL, QVTD_TTM_ABORT, false, QVTD_IQEI_TTM },
    { "abort-dma-256", NULL, QVTD_TTM_ABORT, true, QVTD_IQEI_TTM },
    { "no-smts-128", LEGACY_ONLY, QVTD_TTM_LEGACY, false, 0 },
    { "no-smts-256", LEGACY_ONLY, QVTD_TTM_LEGACY, true, QVTD_IQEI_WIDTH },
    { "no-smts-01b", LEGACY_ONLY, QVTD_TTM_SCALABLE, false, QVTD_IQEI_TTM },
};

static void test_mode(const void *opaque)
{
    const Mode *mode = opaque;
    uint32_t slot;
    PriLab lab;

    boot(&lab, mode->vtd, mode->ttm);
    qvtd_qi_start(&lab.v, 0, mode->dw);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    if (!mode->iqei) {
        g_assert_true(qvtd_wait_done(&lab.v, slot));
        expect_ok(&lab.v);
        pri_lab_stop(&lab);
        return;
    }
    g_assert_cmphex(qinv_fsts(&lab.v), ==, QVTD_FSTS_IQE);
    g_assert_cmpuint(qinv_iqei(&lab.v), ==, mode->iqei);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQH), ==, 0);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

/* The root table is corrected: the descriptor that is there is executed */
static void test_mode_corrected(const void *opaque)
{
    const Mode *mode = opaque;
    uint32_t slot;
    PriLab lab;

    boot(&lab, mode->vtd, mode->ttm);
    qvtd_qi_start(&lab.v, 0, mode->dw);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, QVTD_FSTS_IQE);
    qvtd_set_root(&lab.v, lab.v.root, QVTD_TTM_LEGACY);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    qvtd_writel(&lab.v, QVTD_FSTS, QVTD_FSTS_IQE);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    expect_ok(&lab.v);
    pri_lab_stop(&lab);
}

/* TTM counts from the Set Root Table Pointer command on */
static void test_mode_latched(void)
{
    PriLab lab;

    boot(&lab, NULL, QVTD_TTM_LEGACY);
    qvtd_qi_start(&lab.v, 0, false);
    qvtd_writeq(&lab.v, QVTD_RTADDR, lab.v.root | QVTD_TTM_RESERVED << 10);
    expect_ok(&lab.v);
    qvtd_gcmd(&lab.v, QVTD_GCMD_SRTP, 0);
    qvtd_qi_ring(&lab.v);
    qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, QVTD_FSTS_IQE);
    g_assert_cmpuint(qinv_iqei(&lab.v), ==, QVTD_IQEI_TTM);
    pri_lab_stop(&lab);
}

/*
 * Table 26: which types there are in which mode; 0xa needs HPT support, which
 * no machine of these tests has
 */
static void test_types(const void *opaque)
{
    const Mode *mode = opaque;
    unsigned int last = mode->ttm == QVTD_TTM_LEGACY ? QINV_WAIT :
                        QINV_RESPONSE;
    unsigned int type;
    PriLab lab;

    boot(&lab, mode->vtd, mode->ttm);
    qvtd_qi_start(&lab.v, 0, mode->dw);
    for (type = 0; type < 128; type++) {
        if (type == 0 || type > last) {
            QVtdDesc desc = type < QINV_RESPONSE ?
                            qinv_desc_valid(type, lab.d.rid) :
                            qinv_desc_type(type);

            qvtd_expect_iqe(&lab.v, desc, QVTD_IQEI_TYPE);
        } else if (type != QINV_WAIT && type != QINV_RESPONSE) {
            qvtd_submit(&lab.v, qinv_desc_valid(type, lab.d.rid));
            expect_ok(&lab.v);
        }
    }
    pri_lab_stop(&lab);
}

/* -- QI-03: head and tail -------------------------------------------------- */

static void test_head(void)
{
    unsigned int i;
    PriLab lab;

    boot(&lab, NULL, QVTD_TTM_SCALABLE);
    qvtd_qi_start(&lab.v, 0, true);
    for (i = 1; i <= 5; i++) {
        qvtd_submit(&lab.v, qvtd_desc_iotlb_global());
        g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQH), ==, i * 32);
    }
    qvtd_writeq(&lab.v, QVTD_IQH, 0);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQH), ==, 5 * 32);
    qvtd_writel(&lab.v, QVTD_IQH, UINT32_MAX);
    qvtd_writel(&lab.v, QVTD_IQH + 4, UINT32_MAX);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQH), ==, 5 * 32);
    expect_ok(&lab.v);
    pri_lab_stop(&lab);
}

static void test_head_reset(const void *opaque)
{
    bool dw = GPOINTER_TO_UINT(opaque);
    PriLab lab;

    boot(&lab, NULL, dw ? QVTD_TTM_SCALABLE : QVTD_TTM_LEGACY);
    qvtd_qi_start(&lab.v, 0, dw);
    qvtd_submit(&lab.v, qvtd_desc_iotlb_global());
    expect_ok(&lab.v);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQH), ==, dw ? 64 : 32);
    qvtd_gcmd(&lab.v, 0, QVTD_GCMD_QIE);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQH), ==, 0);
    /* and again from the start */
    qvtd_qi_start(&lab.v, 1, dw);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQH), ==, 0);
    expect_ok(&lab.v);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQH), ==, dw ? 32 : 16);
    pri_lab_stop(&lab);
}

/* RsvdZ bits of the three registers */
static void test_reserved_bits(void)
{
    PriLab lab;

    boot(&lab, NULL, QVTD_TTM_SCALABLE);
    qvtd_writeq(&lab.v, QVTD_IQT, UINT64_MAX);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQT), ==, 0x7fff0);
    qvtd_writeq(&lab.v, QVTD_IQT, 0);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQT), ==, 0);
    qvtd_writeq(&lab.v, QVTD_IQA, UINT64_MAX);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQA) & 0xfff, ==, 0x807);
    qvtd_writeq(&lab.v, QVTD_IQA, 0);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQA), ==, 0);
    pri_lab_stop(&lab);
}

/* -- QI-04: when descriptors are fetched ----------------------------------- */

static void test_independent(void)
{
    uint64_t table;
    PriLab lab;

    boot(&lab, NULL, QVTD_TTM_SCALABLE);
    qvtd_qi_start(&lab.v, 0, true);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_GSTS) &
                    (QVTD_GCMD_TE | QVTD_GCMD_IRE), ==, 0);
    expect_ok(&lab.v);
    qvtd_gcmd(&lab.v, QVTD_GCMD_TE, 0);
    expect_ok(&lab.v);
    table = qvtd_alloc(&lab.v, 1);
    qvtd_writeq(&lab.v, QVTD_IRTA, table);
    qvtd_gcmd(&lab.v, QVTD_GCMD_SIRTP, 0);
    qvtd_gcmd(&lab.v, QVTD_GCMD_IRE, 0);
    expect_ok(&lab.v);
    qvtd_gcmd(&lab.v, 0, QVTD_GCMD_TE);
    expect_ok(&lab.v);
    qvtd_gcmd(&lab.v, 0, QVTD_GCMD_IRE);
    expect_ok(&lab.v);
    pri_lab_stop(&lab);
}

static void test_not_enabled(void)
{
    uint32_t slot;
    PriLab lab;

    boot(&lab, NULL, QVTD_TTM_SCALABLE);
    qvtd_qi_start(&lab.v, 0, true);
    expect_ok(&lab.v);
    qvtd_gcmd(&lab.v, 0, QVTD_GCMD_QIE);
    lab.v.iq_tail = 0;
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQH), ==, 0);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    pri_lab_stop(&lab);
}

/* IQH == IQT is empty: the tail written again fetches nothing */
static void test_empty(void)
{
    uint32_t slot;
    PriLab lab;

    boot(&lab, NULL, QVTD_TTM_SCALABLE);
    qvtd_qi_start(&lab.v, 0, true);
    expect_ok(&lab.v);
    qvtd_qi_ring(&lab.v);
    slot = qinv_put_wait(&lab.v, SW);       /* in memory, not in the queue */
    qvtd_writeq(&lab.v, QVTD_IQT, qvtd_readq(&lab.v, QVTD_IQT));
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    g_assert_true(qvtd_qi_idle(&lab.v));
    qvtd_qi_ring(&lab.v);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

/* -- QI-05: values of IQEI ------------------------------------------------- */

/* 6: bit 4 of the tail with 256-bit descriptors */
static void test_tail_alignment(void)
{
    uint32_t slot;
    PriLab lab;

    boot(&lab, NULL, QVTD_TTM_SCALABLE);
    qvtd_qi_start(&lab.v, 0, true);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_writeq(&lab.v, QVTD_IQT, lab.v.iq_tail | 0x10);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, QVTD_FSTS_IQE);
    g_assert_cmpuint(qinv_iqei(&lab.v), ==, QVTD_IQEI_ALIGN);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQH), ==, 0);
    g_assert_false(qvtd_wait_done(&lab.v, slot));

    /* not corrected: there it is again */
    qvtd_writel(&lab.v, QVTD_FSTS, QVTD_FSTS_IQE);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, QVTD_FSTS_IQE);
    g_assert_cmpuint(qinv_iqei(&lab.v), ==, QVTD_IQEI_ALIGN);
    g_assert_false(qvtd_wait_done(&lab.v, slot));

    qvtd_qi_ring(&lab.v);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    qvtd_writel(&lab.v, QVTD_FSTS, QVTD_FSTS_IQE);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    expect_ok(&lab.v);
    pri_lab_stop(&lab);
}

/* with 128-bit descriptors the bit is one like the others */
static void test_tail_alignment_128(void)
{
    PriLab lab;

    boot(&lab, NULL, QVTD_TTM_LEGACY);
    qvtd_qi_start(&lab.v, 0, false);
    expect_ok(&lab.v);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQT), ==, 0x10);
    pri_lab_stop(&lab);
}

/* 2: the descriptor cannot be read */
static void test_fetch(void)
{
    uint64_t queue;
    uint32_t slot;
    PriLab lab;

    boot(&lab, NULL, QVTD_TTM_SCALABLE);
    qvtd_qi_start(&lab.v, 0, true);
    expect_ok(&lab.v);
    qvtd_gcmd(&lab.v, 0, QVTD_GCMD_QIE);
    queue = lab.v.iq;
    lab.v.iq = QVTD_NO_MEMORY;
    qvtd_writeq(&lab.v, QVTD_IQT, 0);
    qvtd_writeq(&lab.v, QVTD_IQA, QVTD_NO_MEMORY | QVTD_IQA_DW);
    qvtd_gcmd(&lab.v, QVTD_GCMD_QIE, 0);
    qvtd_writeq(&lab.v, QVTD_IQT, 0x20);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, QVTD_FSTS_IQE);
    g_assert_cmpuint(qinv_iqei(&lab.v), ==, QVTD_IQEI_FETCH);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQH), ==, 0);

    /* nothing has changed, so it happens again */
    qvtd_writel(&lab.v, QVTD_FSTS, QVTD_FSTS_IQE);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, QVTD_FSTS_IQE);
    g_assert_cmpuint(qinv_iqei(&lab.v), ==, QVTD_IQEI_FETCH);

    lab.v.iq = queue;
    lab.v.iq_tail = 0;
    slot = qinv_put_wait(&lab.v, SW);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

typedef struct Reserved {
    const char *name;
    unsigned int type;
    bool dw;
    uint64_t lo;                /* reserved bits of the first two words */
    uint64_t hi;
} Reserved;

/* Figures 6-1 to 6-6 and 6-8, with DIT=0 */
static const Reserved reserved[] = {
    { "cc", QINV_CC, true, 0xfffc00000000f1c0ULL, UINT64_MAX },
    { "iotlb", QINV_IOTLB, true, 0xffffffff0000f100ULL, 0xf80 },
    { "dev-tlb", QINV_DEV_TLB, true, 0xffff0000ffe0f1f0ULL, 0xffe },
    { "iec", QINV_IEC, true, 0xffff000007fff1e0ULL, UINT64_MAX },
    { "p-iotlb", QINV_PIOTLB, true, 0xfff000000000f1c0ULL, 0xf80 },
    { "pc", QINV_PC, true, 0xfff000000000f1c0ULL, UINT64_MAX },
    { "p-dev-tlb", QINV_DEV_PTLB, true, 0xfff000000000f000ULL, 0x7fe },
    { "cc-128", QINV_CC, false, 0xfffc00000000f1c0ULL, UINT64_MAX },
    { "iotlb-128", QINV_IOTLB, false, 0xffffffff0000f100ULL, 0xf80 },
    { "dev-tlb-128", QINV_DEV_TLB, false, 0xffff0000ffe0f1f0ULL, 0xffe },
    { "iec-128", QINV_IEC, false, 0xffff000007fff1e0ULL, UINT64_MAX },
};

/* 4: each reserved bit of each type, by itself */
static void test_reserved_fields(const void *opaque)
{
    const Reserved *rsvd = opaque;
    unsigned int bit;
    PriLab lab;

    boot(&lab, NULL, rsvd->dw ? QVTD_TTM_SCALABLE : QVTD_TTM_LEGACY);
    g_assert_cmphex(lab.v.ecap & QVTD_ECAP_DIT, ==, 0);
    qvtd_qi_start(&lab.v, 0, rsvd->dw);
    for (bit = 0; bit < 128; bit++) {
        QVtdDesc desc = qinv_desc_valid(rsvd->type, lab.d.rid);
        uint64_t mask = bit < 64 ? rsvd->lo : rsvd->hi;

        if (mask & (1ULL << (bit & 63))) {
            desc.qw[bit / 64] |= 1ULL << (bit & 63);
            qvtd_expect_iqe(&lab.v, desc, QVTD_IQEI_RSVD);
        }
    }
    /* without any of them it is valid */
    qvtd_submit(&lab.v, qinv_desc_valid(rsvd->type, lab.d.rid));
    expect_ok(&lab.v);
    pri_lab_stop(&lab);
}

/* Granularities that are reserved make a descriptor invalid */
static void test_granularity(void)
{
    static const struct {
        unsigned int type;
        unsigned int g;
    } bad[] = {
        { QINV_CC, 0 }, { QINV_IOTLB, 0 }, { QINV_PIOTLB, 0 },
        { QINV_PIOTLB, 1 }, { QINV_PC, 2 },
    };
    unsigned int i;
    PriLab lab;

    boot(&lab, NULL, QVTD_TTM_SCALABLE);
    qvtd_qi_start(&lab.v, 0, true);
    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        QVtdDesc desc = qinv_desc_valid(bad[i].type, 0);

        desc.qw[0] = (desc.qw[0] & ~0x30ULL) | bad[i].g << 4;
        qvtd_expect_iqe(&lab.v, desc, QVTD_IQEI_RSVD);
    }
    pri_lab_stop(&lab);
}

/* The knob that reports any value, 0 (old hardware) and 8 to 15 included */
static void test_inject(void)
{
    unsigned int iqei;
    PriLab lab;

    boot(&lab, NULL, QVTD_TTM_SCALABLE);
    qvtd_qi_start(&lab.v, 0, true);
    for (iqei = 0; iqei < 16; iqei++) {
        g_autofree char *json = g_strdup_printf("%u", iqei);

        qvtd_set_property(&lab.v, "inject-iqei", json);
        qvtd_set_property(&lab.v, "inject-iqe", "1");
        qvtd_expect_iqe(&lab.v, qvtd_desc_iotlb_global(), iqei);
        expect_ok(&lab.v);
    }
    pri_lab_stop(&lab);
}

static void add_sizes(void)
{
    unsigned int qs, dw;

    for (qs = 0; qs < 8; qs++) {
        for (dw = 0; dw < 2; dw++) {
            QueueSize *size = g_new0(QueueSize, 1);
            g_autofree char *name = g_strdup_printf(
                "/vtd/qi/QI-01/wrap-qs%u-%u", qs, dw ? 256 : 128);
            g_autofree char *limit = g_strdup_printf(
                "/vtd/qi/QI-01/limit-qs%u-%u", qs, dw ? 256 : 128);

            size->qs = qs;
            size->dw = dw;
            g_test_add_data_func(name, size, test_size);
            if (qs < 7) {       /* IQT has no larger value than the last one */
                g_test_add_data_func(limit, size, test_size_limit);
            }
        }
    }
}

static void add_modes(void)
{
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(modes); i++) {
        const Mode *mode = &modes[i];
        g_autofree char *name = g_strdup_printf("/vtd/qi/QI-02/mode-%s",
                                                mode->name);
        g_autofree char *types = g_strdup_printf("/vtd/qi/QI-02/types-%s",
                                                 mode->name);
        g_autofree char *corrected = g_strdup_printf(
            "/vtd/qi/QI-02/corrected-%s", mode->name);

        g_test_add_data_func(name, mode, test_mode);
        if (!mode->iqei) {
            g_test_add_data_func(types, mode, test_types);
        }
        if (mode->iqei && !mode->vtd) {
            g_test_add_data_func(corrected, mode, test_mode_corrected);
        }
    }
}

int main(int argc, char **argv)
{
    unsigned int i;

    pri_lab_test_init(&argc, &argv);
    add_sizes();
    add_modes();
    g_test_add_func("/vtd/qi/QI-02/ttm-latched", test_mode_latched);
    g_test_add_func("/vtd/qi/QI-03/head-read-only", test_head);
    g_test_add_data_func("/vtd/qi/QI-03/head-reset-256", GUINT_TO_POINTER(1),
                         test_head_reset);
    g_test_add_data_func("/vtd/qi/QI-03/head-reset-128", GUINT_TO_POINTER(0),
                         test_head_reset);
    g_test_add_func("/vtd/qi/QI-03/reserved-bits", test_reserved_bits);
    g_test_add_func("/vtd/qi/QI-04/independent-of-te-and-ire",
                    test_independent);
    g_test_add_func("/vtd/qi/QI-04/not-enabled", test_not_enabled);
    g_test_add_func("/vtd/qi/QI-04/empty", test_empty);
    g_test_add_func("/vtd/qi/QI-05/iqei-6-alignment", test_tail_alignment);
    g_test_add_func("/vtd/qi/QI-05/iqei-6-not-with-128-bit",
                    test_tail_alignment_128);
    g_test_add_func("/vtd/qi/QI-05/iqei-2-fetch", test_fetch);
    for (i = 0; i < G_N_ELEMENTS(reserved); i++) {
        g_autofree char *name = g_strdup_printf("/vtd/qi/QI-05/iqei-4-%s",
                                                reserved[i].name);

        g_test_add_data_func(name, &reserved[i], test_reserved_fields);
    }
    g_test_add_func("/vtd/qi/QI-05/iqei-4-granularity", test_granularity);
    g_test_add_func("/vtd/qi/QI-05/iqei-injected", test_inject);
    g_test_add_func("/vtd/qi/QI-45/iqa", test_address);
    return g_test_run();
}
