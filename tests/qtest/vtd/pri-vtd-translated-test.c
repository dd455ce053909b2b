/*
 * VT-d translated requests: their address is not translated again, but the
 * function must still be allowed to send them (TRD-01 to TRD-05)
 *
 * Each test fills the ATC first and invalidates nothing in it afterwards.
 *
 * VT-d 4.2.1, 4.2.5, 7.1.3, 9.3, 9.4, 11.4.7.6
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "libqtest.h"
#include "libqos/lab-rules.h"
#include "libqos/vtd-inv.h"
#include "libqos/vtd-pages.h"

#define PA              QPG_PA
#define MSI_ADDR        0xfee00000ULL
#define AT_TRANSLATED   2
#define IOVA_39         0x12345000ULL   /* fits 39 bits */
#define SECOND_STAGE    "svm=off,x-flts=off,x-prs=on"

static const uint32_t pasids[] = { QVTD_NO_PASID, LAB_PASID };

/* -- one access ------------------------------------------------------------ */

static uint32_t dma(PriLab *lab, uint32_t cmd, uint32_t pasid, uint64_t addr)
{
    QPtOp op = {
        .cmd = cmd, .src = addr, .dst = addr, .len = 8,
        .flags = PT_FLAG_NO_PRI |
                 (pasid == QVTD_NO_PASID ? 0 : PT_FLAG_PASID),
        .pasid = pasid == QVTD_NO_PASID ? 0 : pasid,
    };

    return qpt_run(&lab->d, 0, &op);
}

/* Both translations are in the ATC, with all permissions */
static void fill(PriLab *lab, uint64_t addr)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(pasids); i++) {
        g_assert_cmpuint(dma(lab, PT_OP_WRITE, pasids[i], addr), ==,
                         PT_ST_DONE);
    }
    qtest_writeq(lab->qts, PA, 0);
}

/* 11.4.7.6: @fr 0 is no fault; the record has no PASID, the request had none */
static void expect_fault(PriLab *lab, uint8_t fr, uint32_t cmd, uint64_t at)
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
    g_assert_cmphex(QVTD_FAULT_FI(&fault), ==, at);
    g_assert_cmpuint(QVTD_FAULT_AT(&fault), ==, AT_TRANSLATED);
    g_assert_cmpuint(QVTD_FAULT_T1(&fault), ==, cmd == PT_OP_READ);
    g_assert_cmpuint(QVTD_FAULT_T2(&fault), ==, 0);
    g_assert_cmpuint(QVTD_FAULT_PP(&fault), ==, 0);
    qvtd_fault_clear(&lab->v);
}

/* What the ATC has is used, and memory is reached, or not */
static void access_one(PriLab *lab, uint32_t cmd, uint32_t pasid, uint64_t addr,
                       bool passes)
{
    uint64_t asked = qpt_readq(&lab->d, PT_CNT_TRANSLATIONS);

    g_assert_cmpuint(dma(lab, cmd, pasid, addr), ==,
                     passes ? PT_ST_DONE : PT_ST_DMA_ERROR);
    g_assert_cmpuint(qpt_readq(&lab->d, PT_CNT_TRANSLATIONS), ==, asked);
    if (cmd == PT_OP_WRITE) {
        g_assert_cmpint(qtest_readq(lab->qts, PA) != 0, ==, passes);
        qtest_writeq(lab->qts, PA, 0);
    }
}

static void expect(PriLab *lab, uint8_t fr, uint64_t addr, uint64_t at)
{
    static const uint32_t cmds[] = { PT_OP_READ, PT_OP_WRITE };

    for (unsigned int i = 0; i < ARRAY_SIZE(pasids); i++) {
        for (unsigned int k = 0; k < ARRAY_SIZE(cmds); k++) {
            access_one(lab, cmds[k], pasids[i], addr, !fr);
            expect_fault(lab, fr, cmds[k], at);
        }
    }
}

/* -- TRD-01, TRD-02: scalable mode ----------------------------------------- */

static const QT30Row more_rows[] = {
    { "TRD-01", "SCT.5", 0x44, true, TR_UR,
      .change = { { IN_CE, QVTD_CE_DTE, 0 }, { IN_CE, QVTD_CE_PRE, 0 } } },
    /* what is behind the context entry is not looked at: HPTE is 0 */
    { "TRD-01", "no-pasid-table-entry", 0, false, TR_NA,
      .change = { { IN_PE, QVTD_PE_P, 0 } } },
    { "TRD-01", "no-pasid-enable", 0, false, TR_NA,
      .change = { { IN_CE, QVTD_CE_PASIDE, 0 } } },
    { "TRD-01", "no-page-requests", 0, false, TR_NA,
      .change = { { IN_CE, QVTD_CE_PRE, 0 } } },
};

static void test_row(const void *opaque)
{
    const QT30Row *row = opaque;
    QT30Change fpd = { IN_CE, QVTD_CE_FPD, 1 };
    PriLab lab;

    qfs_start(&lab, row->vtd);
    if (!qt30_applies(&lab, row)) {
        g_test_skip("ECAP says otherwise");
        pri_lab_stop(&lab);
        return;
    }
    fill(&lab, LAB_IOVA);
    expect(&lab, 0, LAB_IOVA, 0);
    qt30_apply_row(&lab, row, 0);
    qt30_apply_row(&lab, row, LAB_PASID);
    expect(&lab, row->fr, LAB_IOVA, PA);
    if (row->qualified) {
        qt30_apply(&lab, &fpd, 0);
        qvtd_flush(&lab.v);
        access_one(&lab, PT_OP_WRITE, LAB_PASID, LAB_IOVA, false);
        expect_fault(&lab, 0, 0, 0);
    }
    pri_lab_stop(&lab);
}

/* The context entry that hardware has is good until it is invalidated */
static void test_cached(void)
{
    PriLab lab;

    qfs_start(&lab, "sm-cache=on");
    fill(&lab, LAB_IOVA);
    qvtd_set(&lab.v, qvtd_context_entry(&lab.v, lab.d.rid), QVTD_CE_P, 0);
    expect(&lab, 0, LAB_IOVA, 0);
    qvtd_submit(&lab.v, qvtd_desc_cc_global());
    expect(&lab, QVTD_FR_SCT_P, LAB_IOVA, PA);
    pri_lab_stop(&lab);
}

/* -- TRD-03: the address --------------------------------------------------- */

/* Completions have the bits of @flip flipped in their addresses */
static void flip_address(PriLab *lab, uint64_t flip)
{
    lab_rule(&lab->d, ATS_RULE_KNOB_KIND, ATS_RULE_TRANSLATION);
    lab_rule(&lab->d, ATS_RULE_KNOB_FIELD, ATS_RULE_FIELD_ADDRESS);
    lab_rule(&lab->d, ATS_RULE_KNOB_BITS, flip >> 12);
    lab_rule(&lab->d, ATS_RULE_KNOB_ACTION, ATS_RULE_CORRUPT);
}

static void try_address(PriLab *lab, uint64_t iova, uint64_t flip, uint8_t fr,
                        uint64_t at)
{
    flip_address(lab, flip);
    g_assert_cmpuint(dma(lab, PT_OP_WRITE, QVTD_NO_PASID, iova), ==,
                     PT_ST_DMA_ERROR);
    expect_fault(lab, fr, PT_OP_WRITE, at);
    access_one(lab, PT_OP_READ, QVTD_NO_PASID, iova, false);
    expect_fault(lab, fr, PT_OP_READ, at);
}

/* SGN.8.3 */
static void test_interrupt_range(void)
{
    PriLab lab;

    qfs_start(&lab, NULL);
    try_address(&lab, LAB_IOVA, PA ^ (MSI_ADDR + 0x5000), 0x87,
                MSI_ADDR + 0x5000);
    pri_lab_stop(&lab);
}

/* SGN.4.0: 39 bits are within what a rule can flip; FI has no more than they */
static void test_beyond_haw(void)
{
    uint64_t pml4, pe;
    PriLab lab;

    pri_lab_start_with(&lab, SECOND_STAGE ",aw-bits=39", NULL, 0);
    pml4 = qvtd_alloc(&lab.v, 1);
    qvtd_ss_map(&lab.v, pml4, IOVA_39, PA, QVTD_SS_R | QVTD_SS_W);
    pe = qvtd_pasid_entry(&lab.v, lab.d.rid, 0);
    qvtd_set(&lab.v, pe, QVTD_PE_PGTT, QVTD_PGTT_SECOND);
    qvtd_set(&lab.v, pe, QVTD_PE_FSPTPTR, 0);
    qvtd_set(&lab.v, pe, QVTD_PE_AW, 1);
    qvtd_set(&lab.v, pe, QVTD_PE_SSPTPTR, qtest_readq(lab.qts, pml4) >> 12);
    qvtd_flush(&lab.v);
    try_address(&lab, IOVA_39, 1ULL << 39, 0x83, PA);
    pri_lab_stop(&lab);
}

/* -- TRD-04: translation is disabled (4.2.1) ------------------------------- */

static void test_disabled(void)
{
    PriLab lab;

    qfs_start(&lab, NULL);
    fill(&lab, LAB_IOVA);
    qvtd_gcmd(&lab.v, 0, QVTD_GCMD_TE);
    for (unsigned int i = 0; i < ARRAY_SIZE(pasids); i++) {
        access_one(&lab, PT_OP_READ, pasids[i], LAB_IOVA, false);
        access_one(&lab, PT_OP_WRITE, pasids[i], LAB_IOVA, false);
    }
    /* an Unsupported Request, no fault */
    expect_fault(&lab, 0, 0, 0);
    qvtd_gcmd(&lab.v, QVTD_GCMD_TE, 0);
    expect(&lab, 0, LAB_IOVA, 0);
    pri_lab_stop(&lab);
}

/* -- TRD-05: legacy mode --------------------------------------------------- */

typedef struct Legacy {
    const char *name;
    uint8_t fr;
    uint64_t root;              /* low word of the root entry, flipped bits */
    uint64_t entry;             /* low word of the context entry, the same */
    bool qualified;
    uint64_t flip;              /* bits of the translated address */
} Legacy;

#define CE_P            (1 << 0)
#define CE_FPD          (1 << 1)
#define CE_TT_DEV_TLB   (1 << 2)

static const Legacy legacy_rows[] = {
    { "passes", 0 },
    { "LRT.2", 0x01, .root = 1 },
    { "LRT.3", 0x0a, .root = 2 },
    { "LCT.2", 0x02, .entry = CE_P, .qualified = true },
    { "LCT.3", 0x0b, .entry = 1 << 4, .qualified = true },
    /* TT becomes 00b, and 10b */
    { "LCT.5", 0x0d, .entry = CE_TT_DEV_TLB, .qualified = true },
    { "LCT.5-pass-through", 0x0d, .entry = 3 << 2, .qualified = true },
    { "LGN.4", 0x0e, .qualified = true, .flip = PA ^ MSI_ADDR },
};

static void flush_legacy(PriLab *lab)
{
    qvtd_submit(&lab->v, (QVtdDesc) { { QINV_CC | 1 << 4 } });
    qvtd_submit(&lab->v, (QVtdDesc) { { QINV_IOTLB | 1 << 4 } });
    qvtd_wait(&lab->v, 0);
}

static void test_legacy(const void *opaque)
{
    const Legacy *row = opaque;
    uint64_t root, context, top, entry, at = row->flip ? MSI_ADDR : PA;
    PriLab lab;

    pri_lab_start_with(&lab, SECOND_STAGE, NULL, 0);
    root = qvtd_alloc(&lab.v, 1);
    context = qvtd_alloc(&lab.v, 1);
    top = qvtd_alloc(&lab.v, 1);
    entry = context + (lab.d.rid & 0xff) * 16;
    qvtd_ss_map(&lab.v, top, LAB_IOVA, PA, QVTD_SS_R | QVTD_SS_W);
    qtest_writeq(lab.qts, root + LAB_BUS * 16, context | 1);
    qtest_writeq(lab.qts, entry + 8, LAB_DID << 8 | 2);     /* 48 bits */
    qtest_writeq(lab.qts, entry, top | CE_P | CE_TT_DEV_TLB);
    qvtd_set_root(&lab.v, root, QVTD_TTM_LEGACY);
    if (row->flip) {
        flip_address(&lab, row->flip);
    }
    dma(&lab, PT_OP_WRITE, QVTD_NO_PASID, LAB_IOVA);
    qvtd_fault_clear(&lab.v);
    qtest_writeq(lab.qts, PA, 0);

    qtest_writeq(lab.qts, root + LAB_BUS * 16, (context | 1) ^ row->root);
    qtest_writeq(lab.qts, entry, (top | CE_P | CE_TT_DEV_TLB) ^ row->entry);
    flush_legacy(&lab);
    access_one(&lab, PT_OP_READ, QVTD_NO_PASID, LAB_IOVA, !row->fr);
    expect_fault(&lab, row->fr, PT_OP_READ, at);
    access_one(&lab, PT_OP_WRITE, QVTD_NO_PASID, LAB_IOVA, !row->fr);
    expect_fault(&lab, row->fr, PT_OP_WRITE, at);
    if (row->qualified) {
        qtest_writeq(lab.qts, entry,
                     ((top | CE_P | CE_TT_DEV_TLB) ^ row->entry) | CE_FPD);
        flush_legacy(&lab);
        access_one(&lab, PT_OP_WRITE, QVTD_NO_PASID, LAB_IOVA, false);
        expect_fault(&lab, 0, 0, 0);
    }
    pri_lab_stop(&lab);
}

/* -------------------------------------------------------------------------- */

/* Rows of the root table and of the context table */
static bool is_for_translated(const QT30Row *row)
{
    return row->fr <= 0x43 && row->tr != TR_NA && row->only != ONLY_PASID;
}

static void add_row(const QT30Row *row)
{
    g_autofree char *name = g_strconcat("/vtd/translated/TRD-01/TRD-02/",
                                        row->name, NULL);

    g_test_add_data_func(name, row, test_row);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    for (unsigned int i = 0; i < qt30_nr; i++) {
        if (is_for_translated(&qt30_rows[i])) {
            add_row(&qt30_rows[i]);
        }
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(more_rows); i++) {
        add_row(&more_rows[i]);
    }
    g_test_add_func("/vtd/translated/TRD-01/cached-context", test_cached);
    g_test_add_func("/vtd/translated/TRD-03/interrupt-range",
                    test_interrupt_range);
    g_test_add_func("/vtd/translated/TRD-03/beyond-haw", test_beyond_haw);
    g_test_add_func("/vtd/translated/TRD-04/disabled", test_disabled);
    for (unsigned int i = 0; i < ARRAY_SIZE(legacy_rows); i++) {
        g_autofree char *name = g_strconcat("/vtd/translated/TRD-05/",
                                            legacy_rows[i].name, NULL);

        g_test_add_data_func(name, &legacy_rows[i], test_legacy);
    }
    return g_test_run();
}
