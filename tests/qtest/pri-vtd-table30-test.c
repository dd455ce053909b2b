/*
 * VT-d page requests: every row of table 30 that a page request can meet
 * (PRQ-12, PRQ-31, PRQ-32, PRQ-47, PRQ-48)
 *
 * VT-d 7.1.1, 7.1.3, 7.4.1 table 31, 9.2, 9.4, 9.5, 9.6
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/pri-lab.h"

typedef enum Where {
    IN_NOTHING,
    IN_TTM,                     /* RTADDR.TTM */
    IN_RTA,                     /* RTADDR.RTA, in pages */
    IN_RE,
    IN_CE,
    IN_PDE,
    IN_PE,
} Where;

typedef struct Change {
    Where where;
    QVtdField field;
    uint64_t value;
} Change;

/* A row does not apply to all requests */
#define ONLY_PASID      (1 << 0)
#define ONLY_NO_PASID   (1 << 1)

typedef struct Row {
    const char *item;           /* checklist item */
    const char *name;           /* condition code of table 30, and a hint */
    uint8_t fr;
    bool qualified;
    unsigned int only;
    Change change[3];
    uint32_t pasid;             /* of the request, if not LAB_PASID */
    const char *vtd;            /* options of intel-iommu, if any */
    uint64_t if_ecap;           /* the row needs these bits of ECAP ... */
    uint64_t unless_ecap;       /* ... and does not apply with these */
} Row;

/* Second-stage translation instead of first-stage, and no SMPWC */
#define SECOND_STAGE    "svm=off,x-flts=off,x-prs=on"
#define NO_SMPWC        "svm=off,x-prs=on"

#define NOWHERE_PAGE    (QVTD_NO_MEMORY >> 12)
/* in a field for address bits 63:12, this is bit 63: above every HAW */
#define BEYOND_HAW      (1ULL << 51)

#define ROW(item_, name_, fr_, q_, ...) \
    { .item = "PRQ-" #item_, .name = name_, .fr = fr_, .qualified = q_, \
      __VA_ARGS__ }

static const Row rows[] = {
    /* root table address register; ADMS only where it is advertised */
    ROW(12, "RTA.1.1", 0x30, false, .unless_ecap = QVTD_ECAP_ADMS,
        .change = { { IN_TTM, .value = QVTD_TTM_ABORT } }),
    ROW(12, "RTA.1.2", 0x30, false,
        .change = { { IN_TTM, .value = QVTD_TTM_RESERVED } }),
    ROW(12, "RTA.3", 0x32, false,
        .change = { { IN_TTM, .value = QVTD_TTM_LEGACY } }),
    ROW(12, "RTA.4", 0x33, false, .if_ecap = QVTD_ECAP_ADMS,
        .change = { { IN_TTM, .value = QVTD_TTM_ABORT } }),

    /* root table */
    ROW(47, "SRT.1", 0x38, false,
        .change = { { IN_RTA, .value = NOWHERE_PAGE } }),
    ROW(47, "SRT.2", 0x39, false, .change = { { IN_RE, QVTD_RE_LP, 0 } }),
    ROW(47, "SRT.3-bit-1", 0x3a, false,
        .change = { { IN_RE, QVTD_RE_RSVD, 1 } }),
    ROW(47, "SRT.3-bit-11", 0x3a, false,
        .change = { { IN_RE, QVTD_RE_RSVD, 0x400 } }),
    ROW(47, "SRT.3-haw", 0x3a, false,
        .change = { { IN_RE, QVTD_RE_LCTP, BEYOND_HAW } }),

    /* context table */
    ROW(47, "SCT.1", 0x40, false,
        .change = { { IN_RE, QVTD_RE_LCTP, NOWHERE_PAGE } }),
    ROW(47, "SCT.2", 0x41, true, .change = { { IN_CE, QVTD_CE_P, 0 } }),
    ROW(47, "SCT.3-bit-7", 0x42, true,
        .change = { { IN_CE, QVTD_CE_RSVD_LO, 1 } }),
    ROW(47, "SCT.3-bit-8", 0x42, true,
        .change = { { IN_CE, QVTD_CE_RSVD_LO, 2 } }),
    ROW(47, "SCT.3-hpte", 0x42, true,
        .change = { { IN_CE, QVTD_CE_HPTE, 1 } }),
    ROW(47, "SCT.3-haw", 0x42, true,
        .change = { { IN_CE, QVTD_CE_PASIDDIRPTR, BEYOND_HAW } }),
    ROW(47, "SCT.3-rid-priv", 0x42, true, .unless_ecap = QVTD_ECAP_RPRIVS,
        .change = { { IN_CE, QVTD_CE_RID_PRIV, 1 } }),
    ROW(47, "SCT.3-rid-pasid", 0x42, true, .unless_ecap = QVTD_ECAP_RPS,
        .change = { { IN_CE, QVTD_CE_RID_PASID, 1 } }),
    ROW(47, "SCT.3-eptr", 0x42, true, .unless_ecap = QVTD_ECAP_PTRS,
        .change = { { IN_CE, QVTD_CE_EPTR, 1 } }),
    ROW(47, "SCT.3-bit-85", 0x42, true,
        .change = { { IN_CE, QVTD_CE_RSVD_HI, 1 } }),
    ROW(47, "SCT.3-bit-127", 0x42, true,
        .change = { { IN_CE, QVTD_CE_RSVD_HI, 1ULL << 42 } }),
    ROW(47, "SCT.3-bit-128", 0x42, true,
        .change = { { IN_CE, QVTD_CE_RSVD_2, 1 } }),
    ROW(47, "SCT.3-bit-255", 0x42, true,
        .change = { { IN_CE, QVTD_CE_RSVD_3, 1ULL << 63 } }),
    ROW(31, "SCT.4.1", 0x43, true, .change = { { IN_CE, QVTD_CE_DTE, 0 } }),
    ROW(47, "SCT.4.2", 0x43, true, .if_ecap = QVTD_ECAP_RPS, .pasid = 5,
        .change = { { IN_CE, QVTD_CE_PDTS, 0 },
                    { IN_CE, QVTD_CE_RID_PASID, 0x5000 } }),
    ROW(47, "SCT.4.3", 0x43, true, .if_ecap = QVTD_ECAP_PTRS,
        .only = ONLY_NO_PASID,
        .change = { { IN_CE, QVTD_CE_EPTR, 1 },
                    { IN_CE, QVTD_CE_PASIDE, 0 } }),
    ROW(47, "SCT.6", 0x45, true, .only = ONLY_PASID,
        .change = { { IN_CE, QVTD_CE_PASIDE, 0 } }),
    ROW(32, "SCT.7", 0x46, true, .only = ONLY_PASID,
        .change = { { IN_CE, QVTD_CE_PDTS, 0 } }),
    ROW(32, "SCT.7-one-too-many", 0x46, true, .only = ONLY_PASID,
        .pasid = 0x4000, .change = { { IN_CE, QVTD_CE_PDTS, 1 } }),
    ROW(47, "SCT.8", 0x47, true, .change = { { IN_CE, QVTD_CE_PRE, 0 } }),
    /* DTE=0 alone (SCT.5, 44h) is not for page requests */
    ROW(31, "SCT.8-without-dte", 0x47, true,
        .change = { { IN_CE, QVTD_CE_PRE, 0 }, { IN_CE, QVTD_CE_DTE, 0 } }),
    ROW(47, "SCT.9", 0x48, true, .only = ONLY_PASID, .if_ecap = QVTD_ECAP_RPS,
        .change = { { IN_CE, QVTD_CE_RID_PASID, LAB_PASID } }),

    /* PASID directory */
    ROW(47, "SPD.1", 0x50, false,
        .change = { { IN_CE, QVTD_CE_PASIDDIRPTR, NOWHERE_PAGE } }),
    ROW(47, "SPD.2", 0x51, true, .change = { { IN_PDE, QVTD_PDE_P, 0 } }),
    ROW(47, "SPD.3-bit-2", 0x52, true,
        .change = { { IN_PDE, QVTD_PDE_RSVD, 1 } }),
    ROW(47, "SPD.3-bit-11", 0x52, true,
        .change = { { IN_PDE, QVTD_PDE_RSVD, 0x200 } }),
    ROW(47, "SPD.3-haw", 0x52, true,
        .change = { { IN_PDE, QVTD_PDE_SMPTBLPTR, BEYOND_HAW } }),

    /* PASID table */
    ROW(47, "SPT.1", 0x58, false,
        .change = { { IN_PDE, QVTD_PDE_SMPTBLPTR, NOWHERE_PAGE } }),
    ROW(47, "SPT.2", 0x59, true, .change = { { IN_PE, QVTD_PE_P, 0 } }),
    ROW(47, "SPT.3-bit-5", 0x5a, true,
        .change = { { IN_PE, QVTD_PE_RSVD_0, 1 } }),
    ROW(47, "SPT.3-bit-10", 0x5a, true,
        .change = { { IN_PE, QVTD_PE_RSVD_0B, 1 } }),
    ROW(47, "SPT.3-bit-80", 0x5a, true,
        .change = { { IN_PE, QVTD_PE_RSVD_1, 1 } }),
    ROW(47, "SPT.3-bit-91", 0x5a, true,
        .change = { { IN_PE, QVTD_PE_RSVD_1B, 1 } }),
    ROW(47, "SPT.3-bit-129", 0x5a, true,
        .change = { { IN_PE, QVTD_PE_RSVD_2, 1 } }),
    ROW(47, "SPT.3-bit-136", 0x5a, true,
        .change = { { IN_PE, QVTD_PE_RSVD_2B, 1 } }),
    ROW(47, "SPT.3-haw", 0x5a, true,
        .change = { { IN_PE, QVTD_PE_FSPTPTR, BEYOND_HAW } }),
    ROW(47, "SPT.3-bit-192", 0x5a, true,
        .change = { { IN_PE, QVTD_PE_RSVD_3, 1 } }),
    ROW(47, "SPT.3-hpt", 0x5a, true,
        .change = { { IN_PE, QVTD_PE_HPT, 1 } }),
    ROW(47, "SPT.3-bit-511", 0x5a, true,
        .change = { { IN_PE, QVTD_PE_RSVD_7, 1ULL << 63 } }),
    ROW(47, "SPT.3-sre", 0x5a, true, .unless_ecap = QVTD_ECAP_SRS,
        .change = { { IN_PE, QVTD_PE_SRE, 1 } }),
    ROW(47, "SPT.3-pgsnp", 0x5a, true, .unless_ecap = QVTD_ECAP_SC,
        .change = { { IN_PE, QVTD_PE_PGSNP, 1 } }),
    ROW(47, "SPT.3-pwsnp", 0x5a, true, .vtd = NO_SMPWC,
        .unless_ecap = QVTD_ECAP_SMPWC,
        .change = { { IN_PE, QVTD_PE_PWSNP, 1 } }),
    ROW(47, "SPT.3-ssade", 0x5a, true, .unless_ecap = QVTD_ECAP_SSTS,
        .change = { { IN_PE, QVTD_PE_SSADE, 1 } }),
    ROW(47, "SPT.3-ssptptr", 0x5a, true, .unless_ecap = QVTD_ECAP_SSTS,
        .change = { { IN_PE, QVTD_PE_SSPTPTR, 1 } }),
    ROW(47, "SPT.4.1-aw-0", 0x5b, true, .vtd = SECOND_STAGE,
        .change = { { IN_PE, QVTD_PE_PGTT, QVTD_PGTT_SECOND },
                    { IN_PE, QVTD_PE_FSPTPTR, 0 },
                    { IN_PE, QVTD_PE_AW, 0 } }),
    ROW(47, "SPT.4.1-aw-57", 0x5b, true, .vtd = SECOND_STAGE,
        .change = { { IN_PE, QVTD_PE_PGTT, QVTD_PGTT_SECOND },
                    { IN_PE, QVTD_PE_FSPTPTR, 0 },
                    { IN_PE, QVTD_PE_AW, 3 } }),
    ROW(47, "SPT.4.2-first-stage", 0x5b, true, .vtd = SECOND_STAGE,
        .change = { { IN_PE, QVTD_PE_FSPTPTR, 0 } }),
    ROW(47, "SPT.3-fsptptr", 0x5a, true, .vtd = SECOND_STAGE,
        .change = { { IN_PE, QVTD_PE_PGTT, QVTD_PGTT_SECOND },
                    { IN_PE, QVTD_PE_AW, 2 } }),
    ROW(47, "SPT.4.2-pgtt-0", 0x5b, true,
        .change = { { IN_PE, QVTD_PE_PGTT, 0 } }),
    ROW(47, "SPT.4.2-second-stage", 0x5b, true, .unless_ecap = QVTD_ECAP_SSTS,
        .change = { { IN_PE, QVTD_PE_PGTT, QVTD_PGTT_SECOND } }),
    ROW(47, "SPT.4.2-nested", 0x5b, true, .unless_ecap = QVTD_ECAP_NEST,
        .change = { { IN_PE, QVTD_PE_PGTT, QVTD_PGTT_NESTED } }),
    ROW(47, "SPT.4.2-pass-through", 0x5b, true, .vtd = "pt=off",
        .change = { { IN_PE, QVTD_PE_PGTT, QVTD_PGTT_PASSTHROUGH } }),
    ROW(47, "SPT.4.2-pgtt-5", 0x5b, true,
        .change = { { IN_PE, QVTD_PE_PGTT, 5 } }),
    ROW(47, "SPT.4.2-pgtt-6", 0x5b, true,
        .change = { { IN_PE, QVTD_PE_PGTT, 6 } }),
    ROW(47, "SPT.4.2-pgtt-7", 0x5b, true,
        .change = { { IN_PE, QVTD_PE_PGTT, 7 } }),
    /* q35 has no 5-level paging in the IOMMU (CAP.FS5LP=0) */
    ROW(47, "SPT.4.3-fspm-1", 0x5b, true,
        .change = { { IN_PE, QVTD_PE_FSPM, 1 } }),
    ROW(47, "SPT.4.3-fspm-2", 0x5b, true,
        .change = { { IN_PE, QVTD_PE_FSPM, 2 } }),
    ROW(47, "SPT.4.3-fspm-3", 0x5b, true,
        .change = { { IN_PE, QVTD_PE_FSPM, 3 } }),
};

/* -- One row --------------------------------------------------------------- */

static void apply(PriLab *lab, const Change *c, uint32_t table_pasid)
{
    QVtd *v = &lab->v;
    uint16_t rid = lab->d.rid;

    switch (c->where) {
    case IN_TTM:
        qvtd_set_root(v, v->root, c->value);
        break;
    case IN_RTA:
        qvtd_set_root(v, c->value << 12, QVTD_TTM_SCALABLE);
        break;
    case IN_RE:
        qvtd_set(v, qvtd_root_entry(v, rid), c->field, c->value);
        break;
    case IN_CE:
        qvtd_set(v, qvtd_context_entry(v, rid), c->field, c->value);
        break;
    case IN_PDE:
        qvtd_set(v, qvtd_pasid_dir_entry(v, rid, table_pasid), c->field,
                 c->value);
        break;
    case IN_PE:
        qvtd_set(v, qvtd_pasid_entry(v, rid, table_pasid), c->field,
                 c->value);
        break;
    case IN_NOTHING:
        break;
    }
}

static void apply_row(PriLab *lab, const Row *row, uint32_t table_pasid)
{
    int i;

    /* from the leaf up, because a broken entry hides those behind it */
    for (i = ARRAY_SIZE(row->change) - 1; i >= 0; i--) {
        apply(lab, &row->change[i], table_pasid);
    }
    if (row->change[0].where != IN_TTM && row->change[0].where != IN_RTA) {
        qvtd_flush(&lab->v);
    }
}

static bool row_applies(PriLab *lab, const Row *row)
{
    return (lab->v.ecap & row->if_ecap) == row->if_ecap &&
           !(lab->v.ecap & row->unless_ecap);
}

/* One request of a row */
typedef struct Case {
    const Row *row;
    bool last;
    bool with_pasid;
} Case;

static uint32_t case_pasid(const Case *c)
{
    if (!c->with_pasid) {
        return QVTD_NO_PASID;
    }
    return c->row->pasid ?: LAB_PASID;
}

static void check_fault(PriLab *lab, const Case *c)
{
    uint32_t pasid = case_pasid(c);
    QVtdFault fault;

    g_assert_true(qvtd_fault(&lab->v, &fault));
    g_assert_cmphex(QVTD_FAULT_FR(&fault), ==, c->row->fr);
    g_assert_cmphex(QVTD_FAULT_SID(&fault), ==, lab->d.rid);
    g_assert_cmphex(QVTD_FAULT_FI(&fault), ==, LAB_IOVA);
    /* type: page request */
    g_assert_cmpuint(QVTD_FAULT_T1(&fault), ==, 0);
    g_assert_cmpuint(QVTD_FAULT_T2(&fault), ==, 1);
    g_assert_cmpuint(QVTD_FAULT_PP(&fault), ==, c->with_pasid);
    if (c->with_pasid) {
        g_assert_cmphex(QVTD_FAULT_PV(&fault), ==, pasid);
        g_assert_cmpuint(QVTD_FAULT_PRIV(&fault), ==, 0);
    }
    g_assert_cmphex(qvtd_readl(&lab->v, QVTD_FSTS) & 0xff, ==,
                    QVTD_FSTS_PPF);
}

/* tables 30 and 31: dropped, or Invalid Request for the last of a group */
static void send_and_check(PriLab *lab, const Case *c)
{
    uint32_t pasid = case_pasid(c);
    QPtRaw raw = {
        LAB_IOVA, pasid, PT_RAW_READ | (c->last ? PT_RAW_LAST : 0), 0x0a5
    };

    qpt_raw(&lab->d, &raw);
    if (c->last) {
        lab_expect_response(lab, QPT_INVALID_REQUEST, 0x0a5, pasid);
    }
    lab_expect_silence(lab);
    g_assert_cmphex(qvtd_readq(&lab->v, QVTD_PQT), ==, 0);
    g_assert_cmphex(qvtd_readl(&lab->v, QVTD_PRS), ==, 0);
    /* PRQ-40 */
    g_assert_cmpuint(qpt_readq(&lab->d, PT_CNT_RESP_FAILURE), ==, 0);
}

/*
 * Consecutive cases of a row share a machine, whose tables are broken as the
 * row says for requests with and without PASID.
 */
static PriLab row_lab;
static const Row *row_now;

static void row_stop(void)
{
    if (row_now) {
        pri_lab_stop(&row_lab);
        row_now = NULL;
    }
}

static bool row_start(const Row *row)
{
    if (row_now != row) {
        row_stop();
        pri_lab_start_with(&row_lab, row->vtd, NULL, 0);
        row_now = row;
        if (row_applies(&row_lab, row)) {
            apply_row(&row_lab, row, 0);
            apply_row(&row_lab, row, LAB_PASID);
        }
    }
    if (!row_applies(&row_lab, row)) {
        g_test_skip("ECAP says otherwise");
        return false;
    }
    return true;
}

static void test_row(const void *opaque)
{
    const Case *c = opaque;

    if (row_start(c->row)) {
        send_and_check(&row_lab, c);
        check_fault(&row_lab, c);
        qvtd_fault_clear(&row_lab.v);
    }
}

/* -- PRQ-48: Fault Processing Disable -------------------------------------- */

static const Change fpd_places[] = {
    { IN_CE, QVTD_CE_FPD, 1 },
    { IN_PDE, QVTD_PDE_FPD, 1 },
    { IN_PE, QVTD_PE_FPD, 1 },
};

/* Is an FPD bit in @place met on the way to the fault of @row? */
static bool fpd_is_met(const Row *row, Where place)
{
    Where fault_in;

    if (row->fr < 0x40) {
        fault_in = IN_RE;
    } else if (row->fr == 0x40) {
        fault_in = IN_RE;       /* the context entry was never read */
    } else if (row->fr <= 0x50) {
        fault_in = IN_CE;       /* nor, with 50h, the directory entry */
    } else if (row->fr <= 0x58) {
        fault_in = IN_PDE;
    } else {
        fault_in = IN_PE;
    }
    return place <= fault_in;
}

static void test_row_fpd(const void *opaque)
{
    const Row *row = opaque;
    bool with_pasid = row->only != ONLY_NO_PASID;
    Case c = { row, true, with_pasid };
    uint32_t table_pasid = with_pasid ? LAB_PASID : 0;
    unsigned int i;

    if (!row_start(row)) {
        return;
    }
    for (i = 0; i < ARRAY_SIZE(fpd_places); i++) {
        Change fpd = fpd_places[i];
        QVtdFault fault;

        if (!fpd_is_met(row, fpd.where)) {
            continue;
        }
        apply(&row_lab, &fpd, table_pasid);
        qvtd_flush(&row_lab.v);
        send_and_check(&row_lab, &c);
        if (row->qualified) {
            g_assert_false(qvtd_fault(&row_lab.v, &fault));
            g_assert_cmphex(qvtd_readl(&row_lab.v, QVTD_FSTS), ==, 0);
        } else {
            check_fault(&row_lab, &c);
        }
        qvtd_fault_clear(&row_lab.v);
        fpd.value = 0;
        apply(&row_lab, &fpd, table_pasid);
        qvtd_flush(&row_lab.v);
    }
}

/* -- What must not fault --------------------------------------------------- */

static const Row legal[] = {
    ROW(47, "second-stage", 0, false, .vtd = SECOND_STAGE,
        .change = { { IN_PE, QVTD_PE_PGTT, QVTD_PGTT_SECOND },
                    { IN_PE, QVTD_PE_FSPTPTR, 0 },
                    { IN_PE, QVTD_PE_AW, 2 } }),
    /*
     * 9.6 makes AW reserved where ECAP.SSTS=0, but Linux sets it in every
     * first-stage entry; so it is ignored as it would be with SSTS=1
     */
    ROW(47, "aw-in-first-stage", 0, false,
        .change = { { IN_PE, QVTD_PE_AW, 2 } }),
    ROW(47, "pwsnp", 0, false, .if_ecap = QVTD_ECAP_SMPWC,
        .change = { { IN_PE, QVTD_PE_PWSNP, 1 } }),
    ROW(47, "wpe", 0, false, .change = { { IN_PE, QVTD_PE_WPE, 1 } }),
    ROW(47, "ignored-bit-133", 0, false,
        .change = { { IN_PE, QVTD_FIELD(2, 5, 2), 3 } }),
    ROW(47, "pass-through", 0, false, .if_ecap = QVTD_ECAP_PT,
        .change = { { IN_PE, QVTD_PE_PGTT, QVTD_PGTT_PASSTHROUGH } }),
    ROW(47, "upper-root-entry-not-present", 0, false,
        .change = { { IN_RE, QVTD_FIELD(1, 1, 11), 0x7ff } }),
    ROW(48, "fpd-alone", 0, false,
        .change = { { IN_CE, QVTD_CE_FPD, 1 }, { IN_PDE, QVTD_PDE_FPD, 1 },
                    { IN_PE, QVTD_PE_FPD, 1 } }),
    ROW(32, "largest-pasid-of-pdts", 0, false, .pasid = 0x3fff,
        .change = { { IN_CE, QVTD_CE_PDTS, 1 } }),
};

static void test_legal(const void *opaque)
{
    const Row *row = opaque;
    QPtRaw raw = { LAB_IOVA, LAB_PASID, PT_RAW_READ | PT_RAW_LAST, 1 };
    QVtdFault fault;

    row_stop();
    pri_lab_start_with(&row_lab, row->vtd, NULL, 0);
    if (row_applies(&row_lab, row)) {
        if (row->pasid) {
            raw.pasid = row->pasid;
            qvtd_pasid_setup(&row_lab.v, row_lab.d.rid, raw.pasid, 9);
        }
        apply_row(&row_lab, row, raw.pasid);
        qpt_raw(&row_lab.d, &raw);
        g_assert_cmpuint(qvtd_prq_pending(&row_lab.v), ==, 1);
        g_assert_false(qvtd_fault(&row_lab.v, &fault));
        lab_expect_silence(&row_lab);
    } else {
        g_test_skip("ECAP says otherwise");
    }
    pri_lab_stop(&row_lab);
}

/* SCT.9 with the RID_PASID there is without ECAP.RPS, which is 0 */
static void test_rid_pasid_zero(void)
{
    QPtRaw raw = { LAB_IOVA, 0, PT_RAW_READ | PT_RAW_LAST, 0x33 };
    QVtdFault fault;

    row_stop();
    pri_lab_start(&row_lab);
    qpt_raw(&row_lab.d, &raw);
    lab_expect_response(&row_lab, QPT_INVALID_REQUEST, 0x33, 0);
    g_assert_true(qvtd_fault(&row_lab.v, &fault));
    g_assert_cmphex(QVTD_FAULT_FR(&fault), ==, QVTD_FR_SCT_RID_PASID);
    g_assert_cmpuint(QVTD_FAULT_PP(&fault), ==, 1);
    g_assert_cmphex(QVTD_FAULT_PV(&fault), ==, 0);
    pri_lab_stop(&row_lab);
}

static void add_row(const Row *row)
{
    int with_pasid, last;

    for (with_pasid = 0; with_pasid < 2; with_pasid++) {
        for (last = 0; last < 2; last++) {
            g_autofree char *name = NULL;
            Case *c;

            if ((with_pasid && row->only == ONLY_NO_PASID) ||
                (!with_pasid && row->only == ONLY_PASID)) {
                continue;
            }
            c = g_new0(Case, 1);
            *c = (Case) { row, last, with_pasid };
            name = g_strdup_printf("/vtd/prq/%s/%s/lpig-%d-%s", row->item,
                                   row->name, last,
                                   with_pasid ? "pasid" : "no-pasid");
            g_test_add_data_func_full(name, c, test_row, g_free);
        }
    }
}

int main(int argc, char **argv)
{
    unsigned int i;
    int ret;

    pri_lab_test_init(&argc, &argv);
    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        g_autofree char *fpd = NULL;

        add_row(&rows[i]);
        if (fpd_is_met(&rows[i], IN_CE)) {
            fpd = g_strdup_printf("/vtd/prq/PRQ-48/%s", rows[i].name);
            g_test_add_data_func(fpd, &rows[i], test_row_fpd);
        }
    }
    for (i = 0; i < ARRAY_SIZE(legal); i++) {
        g_autofree char *name = g_strdup_printf("/vtd/prq/%s/legal/%s",
                                                legal[i].item, legal[i].name);

        g_test_add_data_func(name, &legal[i], test_legal);
    }
    g_test_add_func("/vtd/prq/PRQ-47/SCT.9/pasid-0", test_rid_pasid_zero);
    ret = g_test_run();
    row_stop();
    return ret;
}
