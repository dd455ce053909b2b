/*
 * VT-d: caches of remapping structures (QI-50 to QI-55, QI-57, knob sm-cache)
 *
 * The entry is changed in memory and nothing is invalidated: what was read
 * stays in use.  Each invalidation then drops what it names and nothing else.
 * VT-d 6.2.2, 6.2.3, 6.5.2.1, 6.5.2.2, 6.6
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-state.h"
#include "libqos/vtd-inv.h"

#define R           PT_RAW_READ
#define L           PT_RAW_LAST
#define ON          "sm-cache=on"
#define OTHER_PASID 0x00123U
#define OTHER_DID   0x4321

/* The requests that are checked against the tables */
typedef enum Kind {
    PAGE_REQUEST,
    TRANSLATION,
    UNTRANSLATED,
    KIND_NR,
} Kind;

static const char *const kinds[] = { "page-request", "translation",
                                     "untranslated" };

static uint64_t context(PriLab *lab)
{
    return qvtd_context_entry(&lab->v, lab->d.rid);
}

static uint64_t entry(PriLab *lab, uint32_t pasid)
{
    return qvtd_pasid_entry(&lab->v, lab->d.rid, pasid);
}

static void start_with(PriLab *lab, const char *vtd)
{
    pri_lab_start_with(lab, vtd, "atc-entries=0", 0);
    qvtd_fs_map(&lab->v, lab->pml4, LAB_IOVA, 0x8000000, QVTD_FS_USER);
}

static bool request(PriLab *lab, uint32_t pasid)
{
    QPtRaw raw = {
        .addr = LAB_IOVA + 0x100000, .pasid = pasid, .flags = R | L, .prgi = 1
    };
    bool queued;

    qpt_raw(&lab->d, &raw);
    queued = qvtd_prq_pending(&lab->v) == 1;
    qvtd_prq_drop_all(&lab->v);
    if (queued) {
        qvtd_respond(&lab->v, lab->d.rid, pasid, 1, QPT_SUCCESS);
    }
    return queued;
}

static bool dma(PriLab *lab, uint32_t pasid, uint32_t flags)
{
    const QPtOp op = {
        .cmd = PT_OP_WRITE,
        .flags = PT_FLAG_PASID | PT_FLAG_NO_PRI | flags,
        .pasid = pasid, .dst = LAB_IOVA, .len = 8,
    };

    return qpt_run(&lab->d, 0, &op) == PT_ST_DONE;
}

/* Does the IOMMU let a request with @pasid through? */
static bool passes(PriLab *lab, Kind kind, uint32_t pasid)
{
    switch (kind) {
    case PAGE_REQUEST:
        return request(lab, pasid);
    case TRANSLATION:
        return dma(lab, pasid, 0);
    default:
        return dma(lab, pasid, PT_FLAG_UNTRANSLATED);
    }
}

static void submit(PriLab *lab, QVtdDesc desc)
{
    qvtd_submit(&lab->v, desc);
    qvtd_wait(&lab->v, 0);
}

/* 6.5.2.1; @granularity 1 global, 2 domain, 3 device */
static QVtdDesc cc_inv(unsigned int granularity, uint16_t did, uint16_t sid,
                       unsigned int fm)
{
    return (QVtdDesc) { { QINV_CC | granularity << 4 | (uint64_t)did << 16 |
                          (uint64_t)sid << 32 | (uint64_t)fm << 48 } };
}

/* 6.5.2.2; @granularity 0 domain, 1 PASID, 3 global */
static QVtdDesc pc_inv(unsigned int granularity, uint16_t did, uint32_t pasid)
{
    return (QVtdDesc) { { QINV_PC | granularity << 4 | (uint64_t)did << 16 |
                          (uint64_t)pasid << 32 } };
}

static void expect_fault(PriLab *lab, unsigned int reason)
{
    QVtdFault fault;

    g_assert_true(qvtd_fault(&lab->v, &fault));
    g_assert_cmphex(QVTD_FAULT_FR(&fault), ==, reason);
    qvtd_fault_clear(&lab->v);
}

static void expect_no_fault(PriLab *lab)
{
    QVtdFault fault;

    g_assert_false(qvtd_fault(&lab->v, &fault));
}

/* -- QI-50: context entries ------------------------------------------------ */

/* What takes the right to make such a request away, and the fault that is */
static void forbid(PriLab *lab, Kind kind)
{
    static const unsigned int reason[] = {
        QVTD_FR_SCT_PRE, QVTD_FR_SCT_P, QVTD_FR_SCT_PASIDE
    };

    if (kind == PAGE_REQUEST) {
        qvtd_set(&lab->v, context(lab), QVTD_CE_PRE, 0);
    } else if (kind == TRANSLATION) {
        qvtd_set(&lab->v, context(lab), QVTD_CE_P, 0);
    } else {
        qvtd_set(&lab->v, context(lab), QVTD_CE_PASIDE, 0);
    }
    expect_no_fault(lab);
    g_assert_true(passes(lab, kind, LAB_PASID));
    expect_no_fault(lab);
    submit(lab, cc_inv(3, 0, lab->d.rid, 0));
    g_assert_false(passes(lab, kind, LAB_PASID));
    expect_fault(lab, reason[kind]);
}

static void test_context(const void *opaque)
{
    Kind kind = GPOINTER_TO_UINT(opaque);
    PriLab lab;

    start_with(&lab, ON);
    g_assert_true(passes(&lab, kind, LAB_PASID));
    forbid(&lab, kind);
    pri_lab_stop(&lab);
}

/* Off: a change counts at once */
static void test_off(const void *opaque)
{
    Kind kind = GPOINTER_TO_UINT(opaque);
    PriLab lab;

    start_with(&lab, NULL);
    g_assert_true(passes(&lab, kind, LAB_PASID));
    qvtd_set(&lab.v, context(&lab), QVTD_CE_P, 0);
    g_assert_false(passes(&lab, kind, LAB_PASID));
    expect_fault(&lab, QVTD_FR_SCT_P);
    qvtd_set(&lab.v, context(&lab), QVTD_CE_P, 1);
    g_assert_true(passes(&lab, kind, LAB_PASID));
    qvtd_set(&lab.v, entry(&lab, LAB_PASID), QVTD_PE_P, 0);
    g_assert_false(passes(&lab, kind, LAB_PASID));
    pri_lab_stop(&lab);
}

/* Turned off and on again: nothing is left of what was cached before */
static void test_turned_off(void)
{
    PriLab lab;

    start_with(&lab, ON);
    g_assert_true(request(&lab, LAB_PASID));
    qvtd_set_property(&lab.v, "sm-cache", "'off'");
    qvtd_set_property(&lab.v, "sm-cache", "'on'");
    qvtd_set(&lab.v, context(&lab), QVTD_CE_P, 0);
    g_assert_false(request(&lab, LAB_PASID));
    pri_lab_stop(&lab);
}

/* FPD is part of what is cached: it is that of the old entry that counts */
static void test_context_fpd(void)
{
    PriLab lab;

    start_with(&lab, ON);
    qvtd_set(&lab.v, context(&lab), QVTD_CE_FPD, 1);
    g_assert_true(request(&lab, LAB_PASID));
    qvtd_set(&lab.v, context(&lab), QVTD_CE_FPD, 0);
    g_assert_false(request(&lab, OTHER_PASID));
    expect_no_fault(&lab);
    submit(&lab, cc_inv(1, 0, 0, 0));
    g_assert_false(request(&lab, OTHER_PASID));
    expect_fault(&lab, QVTD_FR_SPD_P);
    pri_lab_stop(&lab);
}

/* -- QI-51: PASID-table entries -------------------------------------------- */

static void test_pasid(const void *opaque)
{
    Kind kind = GPOINTER_TO_UINT(opaque);
    PriLab lab;

    start_with(&lab, ON);
    g_assert_true(passes(&lab, kind, LAB_PASID));
    qvtd_set(&lab.v, entry(&lab, LAB_PASID), QVTD_PE_P, 0);
    g_assert_true(passes(&lab, kind, LAB_PASID));
    expect_no_fault(&lab);
    submit(&lab, pc_inv(1, LAB_DID, LAB_PASID));
    g_assert_false(passes(&lab, kind, LAB_PASID));
    if (kind == TRANSLATION) {
        expect_no_fault(&lab);          /* SPT.2: Success with R=W=0 */
    } else {
        expect_fault(&lab, QVTD_FR_SPT_P);
    }
    pri_lab_stop(&lab);
}

/* The directory leads to it and is not looked at either */
static void test_directory(void)
{
    PriLab lab;

    start_with(&lab, ON);
    g_assert_true(request(&lab, LAB_PASID));
    qvtd_set(&lab.v, qvtd_pasid_dir_entry(&lab.v, lab.d.rid, LAB_PASID),
             QVTD_PDE_P, 0);
    g_assert_true(request(&lab, LAB_PASID));
    submit(&lab, pc_inv(1, LAB_DID, LAB_PASID));
    g_assert_false(request(&lab, LAB_PASID));
    expect_fault(&lab, QVTD_FR_SPD_P);
    pri_lab_stop(&lab);
}

/* FPD of the directory entry stays with what was cached by way of it */
static void test_pasid_fpd(void)
{
    PriLab lab;

    start_with(&lab, ON);
    qvtd_set(&lab.v, qvtd_pasid_dir_entry(&lab.v, lab.d.rid, LAB_PASID),
             QVTD_PDE_FPD, 1);
    g_assert_true(request(&lab, LAB_PASID));
    qvtd_set(&lab.v, qvtd_pasid_dir_entry(&lab.v, lab.d.rid, LAB_PASID),
             QVTD_PDE_FPD, 0);
    /* a page of interrupts: SGN.8, which FPD keeps out of the log */
    qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA, 0xfee00000, QVTD_FS_USER);
    g_assert_false(passes(&lab, TRANSLATION, LAB_PASID));
    expect_no_fault(&lab);
    submit(&lab, pc_inv(3, 0, 0));
    g_assert_false(passes(&lab, TRANSLATION, LAB_PASID));
    expect_fault(&lab, 0x87);
    pri_lab_stop(&lab);
}

/*
 * Between "not present" and the end of the invalidation requests are still
 * queued: who drains before that has not drained (6.5.3.3, 7.9)
 */
static void test_drained_too_early(void)
{
    PriLab lab;

    start_with(&lab, ON);
    g_assert_true(request(&lab, LAB_PASID));
    qvtd_set(&lab.v, entry(&lab, LAB_PASID), QVTD_PE_P, 0);
    qvtd_wait(&lab.v, QVTD_WAIT_PD);
    lab_request(&lab, LAB_IOVA, R | L, 2);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    submit(&lab, pc_inv(1, LAB_DID, LAB_PASID));
    lab_request(&lab, LAB_IOVA, R | L, 3);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    lab_expect_response(&lab, QPT_INVALID_REQUEST, 3, LAB_PASID);
    pri_lab_stop(&lab);
}

/* An entry that was cached is not read, so it is not torn either */
static void test_not_torn(void)
{
    PriLab lab;

    start_with(&lab, ON);
    g_assert_true(request(&lab, LAB_PASID));
    qvtd_set_property(&lab.v, "torn-entry", "'pasid'");
    qvtd_set(&lab.v, entry(&lab, LAB_PASID), QVTD_PE_P, 0);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    qtest_clock_step(lab.qts, QINV_MS);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    pri_lab_stop(&lab);
}

/* -- QI-52: context-cache invalidation ------------------------------------- */

typedef struct Inv {
    const char *name;
    unsigned int granularity;
    uint16_t did;
    int rid;                    /* distance from that of the function */
    unsigned int fm;
    uint32_t pasid;
    bool drops;
} Inv;

static const Inv cc_invs[] = {
    { "global", .granularity = 1, .drops = true },
    /* 6.5.2.1: in scalable mode that is a global one, and DID is ignored */
    { "domain", .granularity = 2, .did = OTHER_DID, .drops = true },
    { "device", .granularity = 3, .did = OTHER_DID, .drops = true },
    { "other-device", .granularity = 3, .rid = 8 },
    { "other-bus", .granularity = 3, .rid = 0x100 },
    { "function-1", .granularity = 3, .rid = 1 },
    { "function-4-fm-1", .granularity = 3, .rid = 4, .fm = 1, .drops = true },
    { "function-1-fm-1", .granularity = 3, .rid = 1, .fm = 1 },
    { "function-6-fm-2", .granularity = 3, .rid = 6, .fm = 2, .drops = true },
    { "function-7-fm-2", .granularity = 3, .rid = 7, .fm = 2 },
    { "function-7-fm-3", .granularity = 3, .rid = 7, .fm = 3, .drops = true },
    { "device-1-fm-3", .granularity = 3, .rid = 8, .fm = 3 },
};

static void test_cc_inv(const void *opaque)
{
    const Inv *inv = opaque;
    PriLab lab;

    start_with(&lab, ON);
    g_assert_true(request(&lab, LAB_PASID));
    qvtd_set(&lab.v, context(&lab), QVTD_CE_PRE, 0);
    submit(&lab, cc_inv(inv->granularity, inv->did, lab.d.rid + inv->rid,
                        inv->fm));
    g_assert_cmpint(request(&lab, LAB_PASID), ==, !inv->drops);
    pri_lab_stop(&lab);
}

/* It drops no PASID-table entries: software follows it up with pc_inv */
static void test_cc_inv_alone(void)
{
    PriLab lab;

    start_with(&lab, ON);
    g_assert_true(request(&lab, LAB_PASID));
    qvtd_set(&lab.v, entry(&lab, LAB_PASID), QVTD_PE_P, 0);
    submit(&lab, cc_inv(1, 0, 0, 0));
    g_assert_true(request(&lab, LAB_PASID));
    pri_lab_stop(&lab);
}

/* -- QI-53: PASID-cache invalidation --------------------------------------- */

static const Inv pc_invs[] = {
    { "global", .granularity = 3, .drops = true },
    { "domain", .granularity = 0, .did = LAB_DID, .drops = true },
    { "other-domain", .granularity = 0, .did = OTHER_DID },
    { "pasid", .granularity = 1, .did = LAB_DID, .pasid = LAB_PASID,
      .drops = true },
    { "other-pasid", .granularity = 1, .did = LAB_DID, .pasid = OTHER_PASID },
    { "pasid-other-domain", .granularity = 1, .did = OTHER_DID,
      .pasid = LAB_PASID },
    { "pasid-0", .granularity = 1, .did = LAB_DID, .pasid = 0 },
};

static void test_pc_inv(const void *opaque)
{
    const Inv *inv = opaque;
    PriLab lab;

    start_with(&lab, ON);
    g_assert_true(request(&lab, LAB_PASID));
    qvtd_set(&lab.v, entry(&lab, LAB_PASID), QVTD_PE_P, 0);
    submit(&lab, pc_inv(inv->granularity, inv->did, inv->pasid));
    g_assert_cmpint(request(&lab, LAB_PASID), ==, !inv->drops);
    pri_lab_stop(&lab);
}

/* The tag is the DID that was cached, not that of a changed entry */
static void test_pc_inv_old_did(void)
{
    PriLab lab;

    start_with(&lab, ON);
    g_assert_true(request(&lab, LAB_PASID));
    qvtd_set(&lab.v, entry(&lab, LAB_PASID), QVTD_PE_DID, OTHER_DID);
    qvtd_set(&lab.v, entry(&lab, LAB_PASID), QVTD_PE_P, 0);
    submit(&lab, pc_inv(1, OTHER_DID, LAB_PASID));
    g_assert_true(request(&lab, LAB_PASID));
    submit(&lab, pc_inv(1, LAB_DID, LAB_PASID));
    g_assert_false(request(&lab, LAB_PASID));
    pri_lab_stop(&lab);
}

/* Of requests without PASID it is the entry of RID_PASID, 0 here */
static void test_pc_inv_rid(void)
{
    PriLab lab;

    start_with(&lab, ON);
    lab_request_rid(&lab, LAB_IOVA, R | L, 1);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    qvtd_set(&lab.v, entry(&lab, 0), QVTD_PE_P, 0);
    lab_request_rid(&lab, LAB_IOVA, R | L, 2);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 2);
    submit(&lab, pc_inv(1, LAB_RID_DID, 0));
    lab_request_rid(&lab, LAB_IOVA, R | L, 3);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 2);
    pri_lab_stop(&lab);
}

/* Another function's entry for the same PASID goes, too: the tag is no RID */
static void test_pc_inv_two(void)
{
    const QPtRaw raw = { .addr = LAB_IOVA, .pasid = LAB_PASID, .flags = R | L };
    PriLab lab;

    pri_lab_start_with(&lab, ON, NULL, LAB_TWO_DEVICES);
    qpt_raw(&lab.d, &raw);
    qpt_raw(&lab.d2, &raw);
    qvtd_set(&lab.v, entry(&lab, LAB_PASID), QVTD_PE_P, 0);
    qvtd_set(&lab.v, qvtd_pasid_entry(&lab.v, lab.d2.rid, LAB_PASID),
             QVTD_PE_P, 0);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 2);
    submit(&lab, pc_inv(1, LAB_DID, LAB_PASID));
    qpt_raw(&lab.d, &raw);
    qpt_raw(&lab.d2, &raw);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 2);
    pri_lab_stop(&lab);
}

/* -- QI-54: what is not cached --------------------------------------------- */

typedef struct Bad {
    const char *name;
    bool context;
    QVtdField field;
    uint64_t bad;
    uint64_t good;
} Bad;

static const Bad bads[] = {
    { "context-p", true, { 0, 0, 1 }, 0, 1 },
    { "context-reserved", true, { 0, 7, 2 }, 1, 0 },
    { "context-pre", true, { 0, 4, 1 }, 0, 1 },
    { "pasid-p", false, { 0, 0, 1 }, 0, 1 },
    { "pasid-reserved", false, { 0, 5, 1 }, 1, 0 },
    { "pasid-pgtt", false, { 0, 6, 3 }, 5, QVTD_PGTT_FIRST },
};

/* Made good, it counts without an invalidation (CAP.CM=0) */
static void test_bad(const void *opaque)
{
    const Bad *bad = opaque;
    uint64_t at;
    PriLab lab;

    start_with(&lab, ON);
    at = bad->context ? context(&lab) : entry(&lab, LAB_PASID);
    qvtd_set(&lab.v, at, bad->field, bad->bad);
    g_assert_false(request(&lab, LAB_PASID));
    qvtd_set(&lab.v, at, bad->field, bad->good);
    g_assert_true(request(&lab, LAB_PASID));
    pri_lab_stop(&lab);
}

/* -- QI-55: Set Root Table Pointer, and what drops nothing ---------------- */

static void test_srtp(void)
{
    PriLab lab;

    start_with(&lab, ON);
    g_assert_true(request(&lab, LAB_PASID));
    qvtd_set(&lab.v, entry(&lab, LAB_PASID), QVTD_PE_P, 0);
    g_assert_true(request(&lab, LAB_PASID));
    qvtd_set_root(&lab.v, lab.v.root, QVTD_TTM_SCALABLE);
    g_assert_false(request(&lab, LAB_PASID));
    expect_fault(&lab, QVTD_FR_SPT_P);

    qvtd_set(&lab.v, entry(&lab, LAB_PASID), QVTD_PE_P, 1);
    g_assert_true(request(&lab, LAB_PASID));
    qvtd_set(&lab.v, context(&lab), QVTD_CE_PRE, 0);
    g_assert_true(request(&lab, LAB_PASID));
    qvtd_set_root(&lab.v, lab.v.root, QVTD_TTM_SCALABLE);
    g_assert_false(request(&lab, LAB_PASID));
    pri_lab_stop(&lab);
}

/* IOTLB invalidations leave these caches alone */
static void test_iotlb_inv(void)
{
    PriLab lab;

    start_with(&lab, ON);
    g_assert_true(request(&lab, LAB_PASID));
    qvtd_set(&lab.v, context(&lab), QVTD_CE_PRE, 0);
    qvtd_set(&lab.v, entry(&lab, LAB_PASID), QVTD_PE_P, 0);
    submit(&lab, qvtd_desc_iotlb_global());
    submit(&lab, qvtd_desc_piotlb(LAB_DID, LAB_PASID));
    submit(&lab, qinv_desc_type(QINV_IEC));
    g_assert_true(request(&lab, LAB_PASID));
    pri_lab_stop(&lab);
}

static void test_reset(void)
{
    PriLab lab;

    start_with(&lab, ON);
    g_assert_true(request(&lab, LAB_PASID));
    lab_reset(&lab);
    qpt_restore(&lab.d);
    pri_lab_program(&lab);
    qvtd_set(&lab.v, entry(&lab, LAB_PASID), QVTD_PE_P, 0);
    g_assert_false(request(&lab, LAB_PASID));
    pri_lab_stop(&lab);
}

/* -- QI-57: snapshots ------------------------------------------------------ */

/* The stale entry is as stale on the other side */
static void test_migrate(void)
{
    PriLab lab;

    start_with(&lab, ON);
    g_assert_true(request(&lab, LAB_PASID));
    qvtd_set(&lab.v, context(&lab), QVTD_CE_PRE, 0);
    qvtd_set(&lab.v, entry(&lab, LAB_PASID), QVTD_PE_P, 0);
    lab_migrate(&lab, ON, "atc-entries=0", 1000 * QINV_MS);
    g_assert_true(request(&lab, LAB_PASID));
    submit(&lab, pc_inv(3, 0, 0));
    g_assert_false(request(&lab, LAB_PASID));
    expect_fault(&lab, QVTD_FR_SPT_P);
    pri_lab_stop(&lab);
}

/* -------------------------------------------------------------------------- */

static void add(const char *item, const char *name, GTestDataFunc func,
                const void *data)
{
    g_autofree char *path = g_strdup_printf("/vtd/qi/%s/%s", item, name);

    g_test_add_data_func(path, data, func);
}

static void add_kinds(void)
{
    for (unsigned int i = 0; i < KIND_NR; i++) {
        g_autofree char *off = g_strdup_printf("off/%s", kinds[i]);

        add("QI-50", kinds[i], test_context, GUINT_TO_POINTER(i));
        add("QI-50", off, test_off, GUINT_TO_POINTER(i));
        add("QI-51", kinds[i], test_pasid, GUINT_TO_POINTER(i));
    }
}

int main(int argc, char **argv)
{
    unsigned int i;

    pri_lab_test_init(&argc, &argv);
    add_kinds();
    g_test_add_func("/vtd/qi/QI-50/turned-off", test_turned_off);
    g_test_add_func("/vtd/qi/QI-50/fpd", test_context_fpd);
    g_test_add_func("/vtd/qi/QI-51/directory", test_directory);
    g_test_add_func("/vtd/qi/QI-51/fpd", test_pasid_fpd);
    g_test_add_func("/vtd/qi/QI-51/drained-too-early", test_drained_too_early);
    g_test_add_func("/vtd/qi/QI-51/not-torn", test_not_torn);
    for (i = 0; i < G_N_ELEMENTS(cc_invs); i++) {
        add("QI-52", cc_invs[i].name, test_cc_inv, &cc_invs[i]);
    }
    g_test_add_func("/vtd/qi/QI-52/alone", test_cc_inv_alone);
    for (i = 0; i < G_N_ELEMENTS(pc_invs); i++) {
        add("QI-53", pc_invs[i].name, test_pc_inv, &pc_invs[i]);
    }
    g_test_add_func("/vtd/qi/QI-53/old-did", test_pc_inv_old_did);
    g_test_add_func("/vtd/qi/QI-53/without-pasid", test_pc_inv_rid);
    g_test_add_func("/vtd/qi/QI-53/two-functions", test_pc_inv_two);
    for (i = 0; i < G_N_ELEMENTS(bads); i++) {
        add("QI-54", bads[i].name, test_bad, &bads[i]);
    }
    g_test_add_func("/vtd/qi/QI-55/srtp", test_srtp);
    g_test_add_func("/vtd/qi/QI-55/iotlb", test_iotlb_inv);
    g_test_add_func("/vtd/qi/QI-55/reset", test_reset);
    g_test_add_func("/vtd/qi/QI-57/migrate", test_migrate);
    return g_test_run();
}
