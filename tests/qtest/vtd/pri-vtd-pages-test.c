/*
 * VT-d paging structures: sizes of pages, levels of tables, what the entries
 * on the way permit, and what is reserved in which of them (ATS-04, UNT-01)
 *
 * VT-d 3.6, 3.7, 7.1.3, 9.7, 9.8
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "libqtest.h"
#include "libqos/vtd-inv.h"
#include "libqos/vtd-pages.h"

#define R               PT_RAW_READ
#define W               PT_RAW_WRITE
/* Below 2^39, and in its GiB and its 2 MiB where there is memory to go to */
#define IOVA            0x7f0a345000ULL
#define IOVA_BEYOND_39  (IOVA | 1ULL << 39)
#define OFFSET          0x10
#define PS              QVTD_FS_PS
#define SS_R            QVTD_SS_R
/* PAM3 of the host bridge decides whether this is RAM or the option ROMs' */
#define PAM_PAGE        0xd0000ULL
#define PAM_REG         0x80000090      /* bus 0, device 0, PAM0 to PAM3 */
#define PAM3            3
#define PAM_RAM         0x33
#define SS_W            QVTD_SS_W

#define FR_SFS_3        0x72
#define FR_SSS_2        0x79
#define FR_SSS_3        0x7a
#define FR_SGN_5        0x84
#define FR_SGN_6        0x85
#define FR_SGN_7        0x86

/* One entry on the way is changed; with PS in @set it becomes the page */
typedef struct Row {
    const char *name;
    int level;                  /* of the entry, 1 is the PTE; 0: none */
    uint64_t clear;
    uint64_t set;
    uint32_t permits;           /* R, W; or 0 and ... */
    uint8_t fr;                 /* ... this fault */
    unsigned int aw;            /* of second-stage tables; 0: 2, 48 bits */
    uint64_t addr;              /* 0: IOVA */
    uint64_t clear_pte;         /* of the PTE, too */
    const char *vtd;            /* options of intel-iommu */
} Row;

static const Row fs_rows[] = {
    { "4k", .permits = R | W },
    { "2m", 2, QPG_ADDR, PS | QPG_PA, R | W },
    { "1g", 3, QPG_ADDR, PS, R | W },
    /* bit 7 of a PTE and bit 12 of a larger page are PAT, not looked at */
    { "4k-pat", 1, 0, PS, R | W },
    { "2m-pat", 2, QPG_ADDR, PS | QPG_PA | BIT(12), R | W },
    { "1g-pat", 3, QPG_ADDR, PS | BIT(12), R | W },
    { "2m-bit-13", 2, QPG_ADDR, PS | QPG_PA | BIT(13), 0, FR_SFS_3 },
    { "2m-bit-20", 2, QPG_ADDR, PS | QPG_PA | BIT(20), 0, FR_SFS_3 },
    { "1g-bit-13", 3, QPG_ADDR, PS | BIT(13), 0, FR_SFS_3 },
    { "1g-bit-29", 3, QPG_ADDR, PS | BIT(29), 0, FR_SFS_3 },
    /* no page of 512 GiB, and without FS1GP none of 1 GiB */
    { "pml4e-ps", 4, QPG_ADDR, PS, 0, FR_SFS_3 },
    { "no-1g", 3, QPG_ADDR, PS, 0, FR_SFS_3, .vtd = "fs1gp=off" },
    { "no-1g-4k", .permits = R | W, .vtd = "fs1gp=off" },
    { "no-1g-2m", 2, QPG_ADDR, PS | QPG_PA, R | W, .vtd = "fs1gp=off" },
    /* XD and what is ignored */
    { "ignored", 1, 0, 0xfffULL << 52 | 7ULL << 9, R | W },
    { "pml4e-ignored", 4, 0, 0xfffULL << 52 | 7ULL << 9, R | W },
};

static const Row ss_rows[] = {
    { "4k", .permits = R | W },
    { "2m", 2, QPG_ADDR, PS | QPG_PA, R | W },
    { "1g", 3, QPG_ADDR, PS, R | W },
    { "pml4e-ps", 4, QPG_ADDR, PS, 0, FR_SSS_3 },
    /* 9.8: bit 12 as well, where first-stage pages have PAT */
    { "2m-bit-12", 2, QPG_ADDR, PS | QPG_PA | BIT(12), 0, FR_SSS_3 },
    { "2m-bit-20", 2, QPG_ADDR, PS | QPG_PA | BIT(20), 0, FR_SSS_3 },
    { "1g-bit-12", 3, QPG_ADDR, PS | BIT(12), 0, FR_SSS_3 },
    { "1g-bit-29", 3, QPG_ADDR, PS | BIT(29), 0, FR_SSS_3 },
    { "pml4e-haw", 4, 0, BIT(51), 0, FR_SSS_3 },
    { "pdpe-haw", 3, 0, BIT(51), 0, FR_SSS_3 },
    { "pde-haw", 2, 0, BIT(51), 0, FR_SSS_3 },
    { "pdpe-snp", 3, 0, BIT(11), 0, FR_SSS_3 },
    { "2m-snp", 2, QPG_ADDR, PS | QPG_PA | BIT(11), R | W },
    /* TM, which old revisions had: in a leaf alone, and as an option */
    { "tm", 1, 0, BIT(62), 0, FR_SSS_3 },
    { "stale-tm", 1, 0, BIT(62), R | W, .vtd = "stale-tm=on" },
    { "stale-tm-pde", 2, 0, BIT(62), 0, FR_SSS_3, .vtd = "stale-tm=on" },
    { "stale-tm-haw", 1, 0, BIT(51), 0, FR_SSS_3, .vtd = "stale-tm=on" },
    /* every entry on the way must permit it */
    { "pml4e-read", 4, SS_W, 0, R, FR_SGN_6 },
    { "pdpe-read", 3, SS_W, 0, R, FR_SGN_6 },
    { "pde-read", 2, SS_W, 0, R, FR_SGN_6 },
    { "pte-read", 1, SS_W, 0, R, FR_SGN_6 },
    { "pml4e-write", 4, SS_R, 0, W, FR_SGN_7 },
    { "pdpe-write", 3, SS_R, 0, W, FR_SGN_7 },
    { "pde-write", 2, SS_R, 0, W, FR_SGN_7 },
    { "pte-write", 1, SS_R, 0, W, FR_SGN_7 },
    { "read-above-write", 4, SS_W, 0, 0, FR_SSS_2, .clear_pte = SS_R },
    { "write-above-read", 4, SS_R, 0, 0, FR_SSS_2, .clear_pte = SS_W },
    /* tables of three levels */
    { "39-bit", .permits = R | W, .aw = 1 },
    { "39-bit-1g", 3, QPG_ADDR, PS, R | W, .aw = 1 },
    { "39-bit-beyond", .fr = FR_SGN_5, .aw = 1, .addr = IOVA_BEYOND_39 },
};

typedef struct Case {
    const Row *row;
    bool second;                /* second-stage tables */
} Case;

static const uint32_t pasids[] = { LAB_PASID, 0 };

/* -- the tables ------------------------------------------------------------ */

static uint64_t entry_of(PriLab *lab, uint64_t table, int level)
{
    for (int i = 4; i > level; i--) {
        uint64_t slot = table + extract64(IOVA, 3 + 9 * i, 9) * 8;

        table = qtest_readq(lab->qts, slot) & QPG_ADDR;
    }
    return table + extract64(IOVA, 3 + 9 * level, 9) * 8;
}

static void change(PriLab *lab, uint64_t table, int level, uint64_t clear,
                   uint64_t set)
{
    uint64_t at = entry_of(lab, table, level);

    qtest_writeq(lab->qts, at, (qtest_readq(lab->qts, at) & ~clear) | set);
}

static void second_stage(PriLab *lab, const Row *row, uint64_t top)
{
    unsigned int aw = row->aw ?: 2;

    if (aw == 1) {
        top = qtest_readq(lab->qts, entry_of(lab, top, 4)) & QPG_ADDR;
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(pasids); i++) {
        uint64_t pe = qvtd_pasid_entry(&lab->v, lab->d.rid, pasids[i]);

        qvtd_set(&lab->v, pe, QVTD_PE_PGTT, QVTD_PGTT_SECOND);
        qvtd_set(&lab->v, pe, QVTD_PE_FSPTPTR, 0);
        qvtd_set(&lab->v, pe, QVTD_PE_AW, aw);
        qvtd_set(&lab->v, pe, QVTD_PE_SSPTPTR, top >> 12);
    }
}

/* Both PASIDs have tables of their own, or second-stage tables together */
static void set_up(PriLab *lab, const Case *c)
{
    const Row *row = c->row;
    uint64_t tables[] = { lab->pml4, lab->rid_pml4 };
    unsigned int n = 2;

    if (c->second) {
        tables[0] = qvtd_alloc(&lab->v, 1);
        n = 1;
    }
    for (unsigned int i = 0; i < n; i++) {
        if (c->second) {
            qvtd_ss_map(&lab->v, tables[i], IOVA, QPG_PA, SS_R | SS_W);
        } else {
            qvtd_fs_map(&lab->v, tables[i], IOVA, QPG_PA, QVTD_FS_USER);
        }
        if (row->clear_pte) {
            change(lab, tables[i], 1, row->clear_pte, 0);
        }
        if (row->level) {
            change(lab, tables[i], row->level, row->clear, row->set);
        }
    }
    if (c->second) {
        second_stage(lab, row, tables[0]);
    }
    qvtd_flush(&lab->v);
}

/* -- one access ------------------------------------------------------------ */

/* Where the row leads to */
static uint64_t target(const Row *row)
{
    bool large = row->set & PS && (row->level == 2 || row->level == 3);
    uint64_t size = large ? 1ULL << (3 + 9 * row->level) : 0x1000;
    uint64_t page = size > 0x200000 ? 0 : QPG_PA;

    return page + (IOVA & (size - 1)) + OFFSET;
}

static void expect_fault(PriLab *lab, uint8_t fr)
{
    QVtdFault fault;

    g_assert_true(qvtd_fault(&lab->v, &fault) == !!fr);
    if (fr) {
        g_assert_cmphex(QVTD_FAULT_FR(&fault), ==, fr);
        qvtd_fault_clear(&lab->v);
    }
}

/* What is not permitted to a translation request is recorded if it gets CA */
static void expect_access(PriLab *lab, const Row *row, uint32_t flags,
                          uint32_t pasid, uint32_t wants)
{
    static uint64_t pattern = 0x1122334455667788ULL;
    uint64_t at = target(row), addr = (row->addr ?: IOVA) + OFFSET;
    QPtOp op = {
        .cmd = wants == W ? PT_OP_FILL : PT_OP_READ,
        .src = addr, .dst = addr, .len = 8, .pasid = pasid,
        .pattern = ++pattern,
        .flags = flags | PT_FLAG_NO_PRI | (pasid ? PT_FLAG_PASID : 0),
    };
    bool ats = !(flags & PT_FLAG_UNTRANSLATED);
    bool ca = row->fr == FR_SSS_3;
    uint32_t end;

    qtest_writeq(lab->qts, at, 0);
    qpt_writel(&lab->d, PT_CTRL, PT_CTRL_FLUSH_ATC);
    end = qpt_run(&lab->d, 0, &op);
    if (row->permits & wants) {
        g_assert_cmpuint(end, ==, PT_ST_DONE);
        g_assert_cmphex(qtest_readq(lab->qts, at), ==,
                        wants == W ? pattern : 0);
        expect_fault(lab, 0);
    } else {
        g_assert_cmpuint(end, ==, !ats ? PT_ST_DMA_ERROR :
                         ca ? PT_ST_TRANS_CA : PT_ST_NO_PRI);
        g_assert_cmphex(qtest_readq(lab->qts, at), ==, 0);
        expect_fault(lab, ats && !ca ? 0 : row->fr);
    }
}

/* From the tables, and from what the IOTLB has of them */
static void test_row(const void *opaque)
{
    const Case *c = opaque;
    g_autofree char *vtd = g_strdup_printf(
        "%s%s%s", c->second ? "svm=off,x-flts=off,x-prs=on" : "svm=on",
        c->row->vtd ? "," : "", c->row->vtd ?: "");
    PriLab lab;

    pri_lab_start_with(&lab, vtd, NULL, 0);
    set_up(&lab, c);
    for (unsigned int i = 0; i < ARRAY_SIZE(pasids); i++) {
        for (unsigned int k = 0; k < 2; k++) {
            expect_access(&lab, c->row, 0, pasids[i], R);
            expect_access(&lab, c->row, 0, pasids[i], W);
            expect_access(&lab, c->row, PT_FLAG_UNTRANSLATED, pasids[i], R);
            expect_access(&lab, c->row, PT_FLAG_UNTRANSLATED, pasids[i], W);
        }
        qvtd_flush(&lab.v);
    }
    pri_lab_stop(&lab);
}

static void add(const Row *row, bool second)
{
    g_autofree char *name = g_strdup_printf(
        "/vtd/pages/ATS-04-UNT-01/%s/%s", second ? "second" : "first",
        row->name);
    Case *c = g_new(Case, 1);

    *c = (Case) { row, second };
    g_test_add_data_func_full(name, c, test_row, g_free);
}

/* SGN.8 is for the interrupt range, not for what is above it */
static void test_above(const void *opaque)
{
    bool pass_through = opaque;
    const uint64_t pa = 1ULL << 32;
    PriLab lab;

    pri_lab_start(&lab);
    if (pass_through) {
        qvtd_set(&lab.v, qvtd_pasid_entry(&lab.v, lab.d.rid, LAB_PASID),
                 QVTD_PE_PGTT, QVTD_PGTT_PASSTHROUGH);
        qvtd_flush(&lab.v);
    } else {
        qvtd_fs_map(&lab.v, lab.pml4, IOVA, pa, QVTD_FS_USER);
    }
    /* the translation request first: what is in the IOTLB is not looked at */
    for (unsigned int n = 0; n < 2; n++) {
        QPtOp op = {
            .cmd = PT_OP_READ, .src = pass_through ? pa : IOVA, .len = 8,
            .pasid = LAB_PASID, .flags = PT_FLAG_NO_PRI | PT_FLAG_PASID |
                                         (n ? PT_FLAG_UNTRANSLATED : 0),
        };

        /* no memory is there, but the IOMMU has nothing against it */
        g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DMA_ERROR);
        expect_fault(&lab, 0);
    }
    pri_lab_stop(&lab);
}

/* 8 bytes read or written: PT_ST_* */
static uint32_t dma(PriLab *lab, uint32_t cmd, uint32_t flags, uint32_t pasid)
{
    QPtOp op = {
        .cmd = cmd, .src = IOVA, .dst = IOVA, .len = 8, .pattern = 1,
        .pasid = pasid,
        .flags = flags | PT_FLAG_NO_PRI | (pasid ? PT_FLAG_PASID : 0),
    };

    qpt_writel(&lab->d, PT_CTRL, PT_CTRL_FLUSH_ATC);
    return qpt_run(&lab->d, 0, &op);
}

static void map_both(PriLab *lab, uint64_t pa)
{
    qvtd_fs_map(&lab->v, lab->pml4, IOVA, pa, QVTD_FS_USER);
    qvtd_fs_map(&lab->v, lab->rid_pml4, IOVA, pa, QVTD_FS_USER);
}

/*
 * The IOTLB alone answers ordinary DMA.  All others pass the context entry and
 * the PASID-table entry first, which no cache has here.
 */
static void test_tables_first(void)
{
    uint64_t ce, pe;
    PriLab lab;

    pri_lab_start(&lab);
    map_both(&lab, QPG_PA);
    ce = qvtd_context_entry(&lab.v, lab.d.rid);
    pe = qvtd_pasid_entry(&lab.v, lab.d.rid, 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(pasids); i++) {
        g_assert_cmpuint(dma(&lab, PT_OP_WRITE, 0, pasids[i]), ==, PT_ST_DONE);
        g_assert_cmpuint(dma(&lab, PT_OP_WRITE, PT_FLAG_UNTRANSLATED,
                             pasids[i]), ==, PT_ST_DONE);
    }
    qvtd_set(&lab.v, ce, QVTD_CE_PASIDE, 0);
    g_assert_cmpuint(dma(&lab, PT_OP_WRITE, PT_FLAG_UNTRANSLATED, LAB_PASID),
                     ==, PT_ST_DMA_ERROR);
    expect_fault(&lab, QVTD_FR_SCT_PASIDE);
    qvtd_set(&lab.v, pe, QVTD_PE_P, 0);
    g_assert_cmpuint(dma(&lab, PT_OP_WRITE, PT_FLAG_UNTRANSLATED, 0), ==,
                     PT_ST_DONE);
    qvtd_set(&lab.v, pe, QVTD_PE_P, 1);
    qvtd_set(&lab.v, ce, QVTD_CE_PRE, 0);
    qvtd_set(&lab.v, ce, QVTD_CE_DTE, 0);
    g_assert_cmpuint(dma(&lab, PT_OP_WRITE, 0, 0), ==, PT_ST_TRANS_UR);
    expect_fault(&lab, 0x44);
    pri_lab_stop(&lab);
}

/* Translation requests, too, get what the IOTLB has until it is invalidated */
static void test_iotlb_first(const void *opaque)
{
    uint32_t cmd = GPOINTER_TO_UINT(opaque);
    PriLab lab;

    pri_lab_start(&lab);
    for (unsigned int i = 0; i < ARRAY_SIZE(pasids); i++) {
        map_both(&lab, QPG_PA);
        qvtd_flush(&lab.v);
        g_assert_cmpuint(dma(&lab, cmd, 0, pasids[i]), ==, PT_ST_DONE);
        change(&lab, lab.pml4, 1, QVTD_FS_P, 0);
        change(&lab, lab.rid_pml4, 1, QVTD_FS_P, 0);
        g_assert_cmpuint(dma(&lab, cmd, 0, pasids[i]), ==, PT_ST_DONE);
        qvtd_flush(&lab.v);
        g_assert_cmpuint(dma(&lab, cmd, 0, pasids[i]), ==, PT_ST_NO_PRI);
    }
    pri_lab_stop(&lab);
}

static void set_pam3(PriLab *lab, uint8_t val)
{
    qtest_outl(lab->qts, 0xcf8, PAM_REG);
    qtest_outb(lab->qts, 0xcfc + PAM3, val);
}

/* A table is where the map of memory has it now */
static void test_map_changes(void)
{
    uint64_t pte;
    PriLab lab;

    pri_lab_start(&lab);
    map_both(&lab, QPG_PA);
    pte = qtest_readq(lab.qts, entry_of(&lab, lab.pml4, 1));
    change(&lab, lab.pml4, 2, QPG_ADDR, PAM_PAGE);
    set_pam3(&lab, PAM_RAM);
    qtest_writeq(lab.qts, entry_of(&lab, lab.pml4, 1), pte);
    for (unsigned int n = 0; n < 2; n++) {
        g_assert_cmpuint(dma(&lab, PT_OP_READ, 0, LAB_PASID), ==, PT_ST_DONE);
        set_pam3(&lab, 0);
        qvtd_flush(&lab.v);
        g_assert_cmpuint(dma(&lab, PT_OP_READ, 0, LAB_PASID), ==, PT_ST_NO_PRI);
        set_pam3(&lab, PAM_RAM);
    }
    pri_lab_stop(&lab);
}

/* So is the invalidation queue: QI-40 */
static void test_queue_map_changes(void)
{
    uint32_t slot;
    PriLab lab;

    pri_lab_start(&lab);
    qvtd_gcmd(&lab.v, 0, QVTD_GCMD_QIE);
    set_pam3(&lab, PAM_RAM);
    lab.v.iq = PAM_PAGE;
    lab.v.iq_tail = 0;
    qvtd_writeq(&lab.v, QVTD_IQT, 0);
    qvtd_writeq(&lab.v, QVTD_IQA, PAM_PAGE | QVTD_IQA_DW);
    qvtd_gcmd(&lab.v, QVTD_GCMD_QIE, 0);
    for (unsigned int n = 0; n < 2; n++) {
        slot = qinv_put_wait(&lab.v, QVTD_WAIT_SW);
        qvtd_qi_ring(&lab.v);
        g_assert_true(qvtd_wait_done(&lab.v, slot));
        slot = qinv_put_wait(&lab.v, QVTD_WAIT_SW);
        set_pam3(&lab, 0);
        qvtd_qi_ring(&lab.v);
        g_assert_cmphex(qinv_fsts(&lab.v), ==, QVTD_FSTS_IQE);
        g_assert_false(qvtd_wait_done(&lab.v, slot));
        set_pam3(&lab, PAM_RAM);
        qinv_clear(&lab, QVTD_FSTS_IQE);
        g_assert_true(qvtd_wait_done(&lab.v, slot));
    }
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    for (unsigned int i = 0; i < ARRAY_SIZE(fs_rows); i++) {
        add(&fs_rows[i], false);
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(ss_rows); i++) {
        add(&ss_rows[i], true);
    }
    g_test_add_data_func("/vtd/pages/UNT-03/above", NULL, test_above);
    g_test_add_data_func("/vtd/pages/UNT-04/above", "", test_above);
    g_test_add_func("/vtd/pages/UNT-05/tables-first", test_tables_first);
    g_test_add_func("/vtd/pages/UNT-05/map-changes", test_map_changes);
    g_test_add_func("/vtd/pages/QI-40/queue-map-changes",
                    test_queue_map_changes);
    g_test_add_data_func("/vtd/pages/UNT-05/read", GUINT_TO_POINTER(PT_OP_READ),
                         test_iotlb_first);
    g_test_add_data_func("/vtd/pages/UNT-05/write",
                         GUINT_TO_POINTER(PT_OP_WRITE), test_iotlb_first);
    return g_test_run();
}
