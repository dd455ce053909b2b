/*
 * VT-d untranslated requests in scalable mode, with and without PASID: every
 * row of table 30 (UNT-01), FPD (UNT-02), the interrupt range (UNT-03),
 * pass-through (UNT-04), the IOTLB (UNT-05), migration (UNT-06)
 *
 * VT-d 3.6 to 3.9, 3.15, 6.2.4, 7.1.1, 7.1.3, 11.4.7.6
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "libqtest.h"
#include "libqos/lab-posted.h"
#include "libqos/lab-state.h"
#include "libqos/vtd-inv.h"
#include "libqos/vtd-pages.h"

#define FR_SGN_4        0x83
#define FR_SGN_8        0x87
#define MSI_ADDR        0xfee01000ULL
#define OTHER_PA        (QPG_PA + 0x1000)
#define POLLS           1000

static const uint32_t pasids[] = { QVTD_NO_PASID, LAB_PASID };

/* -- one untranslated request ---------------------------------------------- */

static QPtOp request(uint32_t cmd, uint32_t pasid, uint64_t addr)
{
    return (QPtOp) {
        .cmd = cmd, .src = addr, .dst = addr, .len = 8,
        .flags = PT_FLAG_UNTRANSLATED |
                 (pasid == QVTD_NO_PASID ? 0 : PT_FLAG_PASID),
        .pasid = pasid == QVTD_NO_PASID ? 0 : pasid,
    };
}

static uint32_t dma(PriLab *lab, uint32_t cmd, uint32_t pasid, uint64_t addr)
{
    QPtOp op = request(cmd, pasid, addr);

    return qpt_run(&lab->d, 0, &op);
}

/* 11.4.7.6; the register is clear afterwards */
static void expect_fault(PriLab *lab, uint8_t fr, uint32_t cmd, uint32_t pasid,
                         uint64_t addr)
{
    QVtdFault fault;

    if (!fr) {
        g_assert_false(qvtd_fault(&lab->v, &fault));
        g_assert_cmphex(qvtd_readl(&lab->v, QVTD_FSTS) & 0xff, ==, 0);
        return;
    }
    g_assert_true(qvtd_fault(&lab->v, &fault));
    g_assert_cmphex(QVTD_FAULT_FR(&fault), ==, fr);
    g_assert_cmphex(QVTD_FAULT_SID(&fault), ==, lab->d.rid);
    g_assert_cmphex(QVTD_FAULT_FI(&fault), ==, addr & 0xfffffffff000ULL);
    g_assert_cmpuint(QVTD_FAULT_AT(&fault), ==, 0);
    g_assert_cmpuint(QVTD_FAULT_T1(&fault), ==, cmd == PT_OP_READ);
    g_assert_cmpuint(QVTD_FAULT_T2(&fault), ==, 0);
    g_assert_cmpuint(QVTD_FAULT_PP(&fault), ==, pasid != QVTD_NO_PASID);
    g_assert_cmphex(QVTD_FAULT_PV(&fault), ==,
                    pasid == QVTD_NO_PASID ? 0 : pasid);
    qvtd_fault_clear(&lab->v);
}

/* @fr 0: it goes through */
static void expect(PriLab *lab, uint8_t fr, uint32_t cmd, uint32_t pasid,
                   uint64_t addr)
{
    g_assert_cmpuint(dma(lab, cmd, pasid, addr), ==,
                     fr ? PT_ST_DMA_ERROR : PT_ST_DONE);
    expect_fault(lab, fr, cmd, pasid, addr);
}

/* -- in front of the page tables ------------------------------------------- */

static const QT30Row more_rows[] = {
    { "UNT-01", "RTA.2", 0x31, false, TR_UR, ONLY_PASID,
      .change = { { IN_TTM, .value = QVTD_TTM_LEGACY } } },
    { "UNT-01", "SGN.10", 0x89, true, TR_UR, ONLY_PASID,
      .vtd = "pasid-bits=16" },
    { "UNT-01", "SGN.10-pss-of-qemu", 0x89, true, TR_UR, ONLY_PASID,
      .vtd = "svm=off" },
    /* Neither the device-TLB nor page requests are its business */
    { "UNT-01", "no-device-tlb", 0, false, TR_NA,
      .change = { { IN_CE, QVTD_CE_DTE, 0 }, { IN_CE, QVTD_CE_PRE, 0 } } },
};

typedef struct Case {
    const QT30Row *row;
    bool with_pasid;
} Case;

static uint32_t case_pasid(const Case *c)
{
    return c->with_pasid ? c->row->pasid ?: LAB_PASID : QVTD_NO_PASID;
}

static void map_page(PriLab *lab)
{
    if (lab->v.ecap & QVTD_ECAP_FSTS) {
        qvtd_fs_map(&lab->v, lab->pml4, LAB_IOVA, QPG_PA, QVTD_FS_USER);
        qvtd_fs_map(&lab->v, lab->rid_pml4, LAB_IOVA, QPG_PA, QVTD_FS_USER);
    }
}

static void test_row(const void *opaque)
{
    const Case *c = opaque;
    PriLab *lab = qt30_start(c->row);

    if (lab) {
        map_page(lab);
        expect(lab, c->row->fr, PT_OP_READ, case_pasid(c), LAB_IOVA);
        expect(lab, c->row->fr, PT_OP_WRITE, case_pasid(c), LAB_IOVA);
    }
}

/* 7.1.1: FPD on the way suppresses the record of a qualified fault */
static void test_fpd(const void *opaque)
{
    const QT30Row *row = opaque;
    Case c = { row, row->only == ONLY_PASID };
    PriLab *lab = qt30_start(row);
    unsigned int i;

    for (i = 0; lab && i < QT30_FPD_PLACES; i++) {
        QT30Change fpd = qt30_fpd_places[i];
        uint32_t table_pasid = c.with_pasid ? LAB_PASID : 0;

        if (!qt30_fpd_is_met(row, fpd.where)) {
            continue;
        }
        qt30_apply(lab, &fpd, table_pasid);
        qvtd_flush(&lab->v);
        g_assert_cmpuint(dma(lab, PT_OP_WRITE, case_pasid(&c), LAB_IOVA), ==,
                         PT_ST_DMA_ERROR);
        expect_fault(lab, row->qualified ? 0 : row->fr, PT_OP_WRITE,
                     case_pasid(&c), LAB_IOVA);
        fpd.value = 0;
        qt30_apply(lab, &fpd, table_pasid);
        qvtd_flush(&lab->v);
    }
}

/* 9.4: fields of what ECAP does not report */
static void test_reserved_enables(void)
{
    static const QVtdField fields[] = {
        QVTD_CE_DTE, QVTD_CE_PASIDE, QVTD_CE_PRE
    };
    uint64_t ce;
    PriLab lab;

    pri_lab_boot(&lab, "svm=off,x-pasid-mode=off,device-iotlb=off", NULL, 0);
    pri_lab_program(&lab);
    g_assert_cmphex(lab.v.ecap & (QVTD_ECAP_DT | QVTD_ECAP_PASID |
                                  QVTD_ECAP_PRS), ==, 0);
    map_page(&lab);
    ce = qvtd_context_entry(&lab.v, lab.d.rid);
    expect(&lab, 0, PT_OP_WRITE, QVTD_NO_PASID, LAB_IOVA);
    for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++) {
        qvtd_set(&lab.v, ce, fields[i], 1);
        qvtd_flush(&lab.v);
        expect(&lab, QVTD_FR_SCT_RSVD, PT_OP_WRITE, QVTD_NO_PASID, LAB_IOVA);
        qvtd_set(&lab.v, ce, fields[i], 0);
    }
    pri_lab_stop(&lab);
}

/* -- page tables ----------------------------------------------------------- */

static void test_fs(const void *opaque)
{
    const QFsRow *row = opaque;
    PriLab lab;

    qfs_start(&lab, NULL);
    qfs_change(&lab, row->level, row->clear, row->set);
    for (unsigned int i = 0; i < ARRAY_SIZE(pasids); i++) {
        expect(&lab, row->fr, PT_OP_READ, pasids[i], LAB_IOVA);
        expect(&lab, row->fr, PT_OP_WRITE, pasids[i], LAB_IOVA);
    }
    pri_lab_stop(&lab);
}

/* SFS.4, SGN.1, SGN.6: what no change of an entry brings about */
static void test_fs_other(void)
{
    PriLab lab;

    qfs_start(&lab, NULL);
    for (unsigned int i = 0; i < ARRAY_SIZE(pasids); i++) {
        expect(&lab, 0x80, PT_OP_READ, pasids[i], 0x0000800000000000ULL);
        expect(&lab, 0x80, PT_OP_WRITE, pasids[i], 0xffff7ffffffff000ULL);
    }
    for (int level = 1; level <= 4; level++) {
        qfs_change(&lab, level, QVTD_FS_RW, 0);
        for (unsigned int i = 0; i < ARRAY_SIZE(pasids); i++) {
            expect(&lab, 0x85, PT_OP_WRITE, pasids[i], LAB_IOVA);
            expect(&lab, 0, PT_OP_READ, pasids[i], LAB_IOVA);
            /* and again, with what the read left in the IOTLB */
            expect(&lab, 0x85, PT_OP_WRITE, pasids[i], LAB_IOVA);
        }
        qfs_change(&lab, level, 0, QVTD_FS_RW);
    }
    qvtd_set(&lab.v, qvtd_pasid_entry(&lab.v, lab.d.rid, LAB_PASID),
             QVTD_PE_FSPTPTR, QT30_NOWHERE);
    qvtd_set(&lab.v, qvtd_pasid_entry(&lab.v, lab.d.rid, 0),
             QVTD_PE_FSPTPTR, QT30_NOWHERE);
    qvtd_flush(&lab.v);
    for (unsigned int i = 0; i < ARRAY_SIZE(pasids); i++) {
        expect(&lab, 0x73, PT_OP_READ, pasids[i], LAB_IOVA);
    }
    pri_lab_stop(&lab);
}

static void test_ss(const void *opaque)
{
    static const struct {
        uint32_t cmd;
        uint32_t needs;
    } accesses[] = {
        { PT_OP_READ, PT_RAW_READ }, { PT_OP_WRITE, PT_RAW_WRITE },
        { PT_OP_READ, PT_RAW_READ },
    };
    const QSsRow *row = opaque;
    uint64_t addr = row->addr ?: LAB_IOVA;
    PriLab lab;

    qss_start(&lab, row);
    for (unsigned int i = 0; i < ARRAY_SIZE(pasids); i++) {
        /* the third with what the second left in the IOTLB */
        for (unsigned int k = 0; k < ARRAY_SIZE(accesses); k++) {
            expect(&lab, row->permits & accesses[k].needs ? 0 : row->fr,
                   accesses[k].cmd, pasids[i], addr);
        }
    }
    pri_lab_stop(&lab);
}

/* Legacy mode, with @low in the entry of the function next to P */
static void legacy_start(PriLab *lab, uint64_t low)
{
    uint64_t root, context, top;
    QVtd *v = &lab->v;

    pri_lab_start_with(lab, "svm=off,x-flts=off,x-prs=on", NULL, 0);
    root = qvtd_alloc(v, 1);
    context = qvtd_alloc(v, 1);
    top = qvtd_alloc(v, 1);
    qvtd_ss_map(v, top, LAB_IOVA, QPG_PA, QVTD_SS_R);
    qtest_writeq(lab->qts, root + LAB_BUS * 16, context | 1);
    /* DID 1, AW 48 bits */
    qtest_writeq(lab->qts, context + (lab->d.rid & 0xff) * 16 + 8, 1 << 8 | 2);
    qtest_writeq(lab->qts, context + (lab->d.rid & 0xff) * 16, top | low | 1);
    qvtd_set_root(v, root, QVTD_TTM_LEGACY);
}

/* LGN.1.3, in pass-through (TT=10b), also with FPD */
static void test_legacy_pass_through(void)
{
    PriLab lab;

    legacy_start(&lab, 2 << 2);
    expect(&lab, 0, PT_OP_WRITE, QVTD_NO_PASID, QPG_PA);
    g_assert_cmphex(qtest_readq(lab.qts, QPG_PA), !=, 0);
    expect(&lab, 4, PT_OP_WRITE, QVTD_NO_PASID, 1ULL << 51);
    expect(&lab, 4, PT_OP_READ, QVTD_NO_PASID, 1ULL << 48 | QPG_PA);
    pri_lab_stop(&lab);

    legacy_start(&lab, 2 << 2 | 1 << 1);
    g_assert_cmpuint(dma(&lab, PT_OP_WRITE, QVTD_NO_PASID, 1ULL << 51), ==,
                     PT_ST_DMA_ERROR);
    expect_fault(&lab, 0, 0, 0, 0);
    pri_lab_stop(&lab);
}

/* LGN.2: legacy mode has the IOTLB too, and must not fail in silence */
static void test_legacy_read_only(void)
{
    PriLab lab;

    legacy_start(&lab, 0);
    for (unsigned int i = 0; i < 2; i++) {
        expect(&lab, 5, PT_OP_WRITE, QVTD_NO_PASID, LAB_IOVA);
        expect(&lab, 0, PT_OP_READ, QVTD_NO_PASID, LAB_IOVA);
    }
    pri_lab_stop(&lab);
}

/* -- the interrupt range, pass-through ------------------------------------- */

/* 3.15: with a PASID the address is one like any other */
static void test_interrupt_range(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    expect(&lab, 0x71, PT_OP_WRITE, LAB_PASID, MSI_ADDR);
    qvtd_fs_map(&lab.v, lab.pml4, MSI_ADDR, QPG_PA, QVTD_FS_USER);
    expect(&lab, 0, PT_OP_WRITE, LAB_PASID, MSI_ADDR);
    g_assert_cmphex(qtest_readq(lab.qts, QPG_PA), !=, 0);
    pri_lab_stop(&lab);
}

/* SGN.8.1: what counts is where the request goes, not the whole large page */
static void test_large_page(void)
{
    const uint64_t gib = 1ULL << 30, base = 0xc0000000ULL;
    const uint64_t iova = LAB_IOVA & ~(gib - 1);
    PriLab lab;

    qfs_start(&lab, NULL);
    qtest_writeq(lab.qts, qfs_entry(&lab, lab.pml4, 3),
                 base | QVTD_FS_PS | QVTD_FS_USER);
    qvtd_flush(&lab.v);
    for (unsigned int i = 0; i < 2; i++) {
        expect(&lab, FR_SGN_8, PT_OP_WRITE, LAB_PASID, iova + MSI_ADDR - base);
        /* no memory there, but no fault of the IOMMU */
        g_assert_cmpuint(dma(&lab, PT_OP_WRITE, LAB_PASID, iova), ==,
                         PT_ST_DMA_ERROR);
        expect_fault(&lab, 0, 0, 0, 0);
    }
    pri_lab_stop(&lab);
}

static void pass_through(PriLab *lab, uint32_t table_pasid)
{
    qvtd_set(&lab->v, qvtd_pasid_entry(&lab->v, lab->d.rid, table_pasid),
             QVTD_PE_PGTT, QVTD_PGTT_PASSTHROUGH);
}

/* 3.9; SGN.4.2, SGN.8 */
static void test_pass_through(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    pass_through(&lab, LAB_PASID);
    pass_through(&lab, 0);
    qvtd_flush(&lab.v);
    for (unsigned int i = 0; i < ARRAY_SIZE(pasids); i++) {
        expect(&lab, 0, PT_OP_WRITE, pasids[i], QPG_PA + i * 0x1000);
        g_assert_cmphex(qtest_readq(lab.qts, QPG_PA + i * 0x1000), !=, 0);
    }
    expect(&lab, FR_SGN_8, PT_OP_WRITE, LAB_PASID, MSI_ADDR);
    for (unsigned int i = 0; i < ARRAY_SIZE(pasids); i++) {
        expect(&lab, FR_SGN_4, PT_OP_WRITE, pasids[i], 1ULL << 51);
        expect(&lab, FR_SGN_4, PT_OP_READ, pasids[i], 1ULL << 48 | QPG_PA);
    }
    pri_lab_stop(&lab);
}

/*
 * Nobody waits for a posted write: what it meets is found when it lands.  To
 * look whether the operation has ended would push it.
 */
static void expect_posted(PriLab *lab, uint8_t fr, uint64_t addr)
{
    QPtOp op = request(PT_OP_WRITE, QVTD_NO_PASID, addr);

    qpt_start(&lab->d, 0, &op);
    for (int i = 0; i < POLLS && !lab_dma_waiting(lab); i++) {
        qtest_clock_step(lab->qts, 1);
    }
    g_assert_cmpuint(lab_dma_waiting(lab), ==, 1);
    expect_fault(lab, 0, 0, 0, 0);
    lab_turn(lab, "dma-release", "1");
    g_assert_cmpuint(lab_dma_waiting(lab), ==, 0);
    expect_fault(lab, fr, PT_OP_WRITE, QVTD_NO_PASID, addr);
}

/* SGN.4.2 and LGN.1.3, which FPD keeps out of the record */
static void test_pass_through_posted(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, NULL, "dma-do=hold", 0);
    pass_through(&lab, 0);
    qvtd_flush(&lab.v);
    expect_posted(&lab, 0, QPG_PA);
    g_assert_cmphex(qtest_readq(lab.qts, QPG_PA), !=, 0);
    expect_posted(&lab, FR_SGN_4, 1ULL << 48 | QPG_PA);
    expect_posted(&lab, FR_SGN_4, 1ULL << 51);
    pri_lab_stop(&lab);

    for (unsigned int fpd = 0; fpd < 2; fpd++) {
        legacy_start(&lab, 2 << 2 | fpd << 1);
        lab_turn(&lab, "dma-do", "'hold'");
        expect_posted(&lab, fpd ? 0 : 4, 1ULL << 48 | QPG_PA);
        pri_lab_stop(&lab);
    }
}

/* The tables in front of it count: it is no way round them */
static void test_pass_through_tables(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    pass_through(&lab, 0);
    qvtd_set(&lab.v, qvtd_pasid_dir_entry(&lab.v, lab.d.rid, 0),
             QVTD_PDE_RSVD, 1);
    qvtd_flush(&lab.v);
    expect(&lab, QVTD_FR_SPD_RSVD, PT_OP_WRITE, QVTD_NO_PASID, QPG_PA);
    g_assert_cmphex(qtest_readq(lab.qts, QPG_PA), ==, 0);
    qvtd_set(&lab.v, qvtd_pasid_dir_entry(&lab.v, lab.d.rid, 0),
             QVTD_PDE_RSVD, 0);
    qvtd_flush(&lab.v);
    expect(&lab, 0, PT_OP_WRITE, QVTD_NO_PASID, QPG_PA);
    pri_lab_stop(&lab);
}

/*
 * 6.5.2.2, table 28: pass-through ends with the invalidation of its entry, also
 * of one that became present without any, and whatever RID_PASID is
 */
static void test_pass_through_ends(const void *opaque)
{
    uint32_t rid_pasid = GPOINTER_TO_UINT(opaque);
    uint64_t pe;
    PriLab lab;

    pri_lab_start(&lab);
    qvtd_pasid_setup(&lab.v, lab.d.rid, rid_pasid, LAB_RID_DID);
    pe = qvtd_pasid_entry(&lab.v, lab.d.rid, rid_pasid);
    pass_through(&lab, rid_pasid);
    qvtd_set(&lab.v, pe, QVTD_PE_P, 0);
    qvtd_set(&lab.v, qvtd_context_entry(&lab.v, lab.d.rid),
             QVTD_CE_RID_PASID, rid_pasid);
    qvtd_flush(&lab.v);
    qvtd_set(&lab.v, pe, QVTD_PE_P, 1);
    expect(&lab, 0, PT_OP_WRITE, QVTD_NO_PASID, QPG_PA);
    qvtd_set(&lab.v, pe, QVTD_PE_P, 0);
    qvtd_submit(&lab.v, (QVtdDesc) { { QINV_PC | 1 << 4 | LAB_RID_DID << 16 |
                                       (uint64_t)rid_pasid << 32 } });
    qvtd_submit(&lab.v, qvtd_desc_iotlb_global());
    qvtd_wait(&lab.v, 0);
    expect(&lab, QVTD_FR_SPT_P, PT_OP_WRITE, QVTD_NO_PASID, QPG_PA);
    pri_lab_stop(&lab);
}

/* -- the IOTLB ------------------------------------------------------------- */

static uint64_t where(PriLab *lab, uint32_t pasid)
{
    qtest_writeq(lab->qts, QPG_PA, 0);
    qtest_writeq(lab->qts, OTHER_PA, 0);
    expect(lab, 0, PT_OP_WRITE, pasid, LAB_IOVA);
    return qtest_readq(lab->qts, QPG_PA) ? QPG_PA :
           qtest_readq(lab->qts, OTHER_PA) ? OTHER_PA : 0;
}

/*
 * Entries of requests without PASID are dropped as those of RID_PASID are, and
 * no others are
 */
static void test_iotlb(void)
{
    QVtdDesc other = qvtd_desc_piotlb(LAB_DID, LAB_PASID);
    QVtdDesc own = qvtd_desc_piotlb(LAB_RID_DID, 0);
    PriLab lab;

    qfs_start(&lab, NULL);
    g_assert_cmphex(where(&lab, QVTD_NO_PASID), ==, QPG_PA);
    qvtd_fs_map(&lab.v, lab.rid_pml4, LAB_IOVA, OTHER_PA, QVTD_FS_USER);
    g_assert_cmphex(where(&lab, QVTD_NO_PASID), ==, QPG_PA);
    qvtd_qi_put(&lab.v, &other);
    qvtd_qi_ring(&lab.v);
    g_assert_cmphex(where(&lab, QVTD_NO_PASID), ==, QPG_PA);
    qvtd_qi_put(&lab.v, &own);
    qvtd_qi_ring(&lab.v);
    g_assert_cmphex(where(&lab, QVTD_NO_PASID), ==, OTHER_PA);
    /* that was no entry of the other PASID */
    qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA, OTHER_PA, QVTD_FS_USER);
    g_assert_cmphex(where(&lab, LAB_PASID), ==, OTHER_PA);
    pri_lab_stop(&lab);
}

/* SCT.9: an entry of a request without PASID is none of RID_PASID's own */
static void test_iotlb_rid_pasid(void)
{
    PriLab lab;

    qfs_start(&lab, NULL);
    expect(&lab, 0, PT_OP_READ, QVTD_NO_PASID, LAB_IOVA);
    expect(&lab, QVTD_FR_SCT_RID_PASID, PT_OP_READ, 0, LAB_IOVA);
    pri_lab_stop(&lab);
}

/* The translation mode is state, whatever else the IOMMU can do */
static void test_migration(const void *opaque)
{
    const char *vtd = opaque;
    PriLab lab;

    pri_lab_start_with(&lab, vtd, NULL, 0);
    map_page(&lab);
    expect(&lab, 0, PT_OP_WRITE, QVTD_NO_PASID, LAB_IOVA);
    lab_migrate(&lab, vtd, NULL, 0);
    qtest_writeq(lab.qts, QPG_PA, 0);
    expect(&lab, 0, PT_OP_WRITE, QVTD_NO_PASID, LAB_IOVA);
    g_assert_cmphex(qtest_readq(lab.qts, QPG_PA), !=, 0);
    /* a descriptor of scalable mode */
    qvtd_submit(&lab.v, qvtd_desc_pc_global());
    qvtd_wait(&lab.v, 0);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS) & 0xff, ==, 0);
    pri_lab_stop(&lab);
}

/* -------------------------------------------------------------------------- */

static void add_row(const QT30Row *row)
{
    for (int with_pasid = 0; with_pasid < 2; with_pasid++) {
        if (row->only != (with_pasid ? ONLY_NO_PASID : ONLY_PASID)) {
            g_autofree char *name = g_strdup_printf(
                "/vtd/untranslated/UNT-01/%s/%s", row->name,
                with_pasid ? "pasid" : "no-pasid");
            Case *c = g_new0(Case, 1);

            *c = (Case) { row, with_pasid };
            g_test_add_data_func_full(name, c, test_row, g_free);
        }
    }
    if (row->fr && qt30_fpd_is_met(row, IN_CE)) {
        g_autofree char *name = g_strdup_printf(
            "/vtd/untranslated/UNT-02/%s", row->name);

        g_test_add_data_func(name, row, test_fpd);
    }
}

static void add_page_rows(void)
{
    for (unsigned int i = 0; i < qfs_nr; i++) {
        g_autofree char *name = g_strconcat("/vtd/untranslated/UNT-01/",
                                            qfs_rows[i].name, NULL);

        g_test_add_data_func(name, &qfs_rows[i], test_fs);
    }
    for (unsigned int i = 0; i < qss_nr; i++) {
        g_autofree char *name = g_strconcat(
            "/vtd/untranslated/UNT-01/second-stage/", qss_rows[i].name, NULL);

        g_test_add_data_func(name, &qss_rows[i], test_ss);
    }
    g_test_add_func("/vtd/untranslated/UNT-01/SFS.4-SGN.1-SGN.6",
                    test_fs_other);
}

int main(int argc, char **argv)
{
    int ret;

    pri_lab_test_init(&argc, &argv);
    for (unsigned int i = 0; i < qt30_nr; i++) {
        if (qt30_rows[i].tr != TR_NA) {
            add_row(&qt30_rows[i]);
        }
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(more_rows); i++) {
        add_row(&more_rows[i]);
    }
    add_page_rows();
    g_test_add_func("/vtd/untranslated/UNT-01/SCT.3-enables",
                    test_reserved_enables);
    g_test_add_func("/vtd/untranslated/UNT-01/LGN.2", test_legacy_read_only);
    g_test_add_func("/vtd/untranslated/UNT-04/LGN.1.3",
                    test_legacy_pass_through);
    g_test_add_func("/vtd/untranslated/UNT-03/input", test_interrupt_range);
    g_test_add_func("/vtd/untranslated/UNT-03/large-page", test_large_page);
    g_test_add_func("/vtd/untranslated/UNT-04/pass-through",
                    test_pass_through);
    g_test_add_func("/vtd/untranslated/UNT-04/posted",
                    test_pass_through_posted);
    g_test_add_func("/vtd/untranslated/UNT-04/tables",
                    test_pass_through_tables);
    g_test_add_data_func("/vtd/untranslated/UNT-04/ends",
                         GUINT_TO_POINTER(0), test_pass_through_ends);
    g_test_add_data_func("/vtd/untranslated/UNT-04/ends-rid-pasid",
                         GUINT_TO_POINTER(5), test_pass_through_ends);
    g_test_add_func("/vtd/untranslated/UNT-05/invalidation", test_iotlb);
    g_test_add_func("/vtd/untranslated/UNT-05/rid-pasid",
                    test_iotlb_rid_pasid);
    g_test_add_data_func("/vtd/untranslated/UNT-06/svm", NULL, test_migration);
    g_test_add_data_func("/vtd/untranslated/UNT-06/no-page-requests",
                         "svm=off,x-pasid-mode=off", test_migration);
    ret = g_test_run();
    qt30_stop();
    return ret;
}
