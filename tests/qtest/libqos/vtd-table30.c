/*
 * VT-d table 30: ways to break the remapping structures, and what each is to a
 * page request and to a translation request
 *
 * VT-d 7.1.1, 7.1.3, 9.2, 9.4, 9.5, 9.6
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/vtd-table30.h"

#define ROW(item_, name_, fr_, q_, tr_, ...) \
    { .item = "PRQ-" #item_, .name = name_, .fr = fr_, .qualified = q_, \
      .tr = TR_##tr_, __VA_ARGS__ }

const QT30Row qt30_rows[] = {
    /* root table address register; ADMS only where it is advertised */
    ROW(12, "RTA.1.1", 0x30, false, CA, .unless_ecap = QVTD_ECAP_ADMS,
        .change = { { IN_TTM, .value = QVTD_TTM_ABORT } }),
    ROW(12, "RTA.1.2", 0x30, false, CA,
        .change = { { IN_TTM, .value = QVTD_TTM_RESERVED } }),
    ROW(12, "RTA.3", 0x32, false, NA,
        .change = { { IN_TTM, .value = QVTD_TTM_LEGACY } }),
    ROW(12, "RTA.4", 0x33, false, UR, .if_ecap = QVTD_ECAP_ADMS,
        .change = { { IN_TTM, .value = QVTD_TTM_ABORT } }),

    /* root table */
    ROW(47, "SRT.1", 0x38, false, CA,
        .change = { { IN_RTA, .value = QT30_NOWHERE } }),
    ROW(47, "SRT.2", 0x39, false, UR,
        .change = { { IN_RE, QVTD_RE_LP, 0 } }),
    ROW(47, "SRT.3-bit-1", 0x3a, false, CA,
        .change = { { IN_RE, QVTD_RE_RSVD, 1 } }),
    ROW(47, "SRT.3-bit-11", 0x3a, false, CA,
        .change = { { IN_RE, QVTD_RE_RSVD, 0x400 } }),
    ROW(47, "SRT.3-haw", 0x3a, false, CA,
        .change = { { IN_RE, QVTD_RE_LCTP, QT30_BEYOND_HAW } }),

    /* context table */
    ROW(47, "SCT.1", 0x40, false, CA,
        .change = { { IN_RE, QVTD_RE_LCTP, QT30_NOWHERE } }),
    ROW(47, "SCT.2", 0x41, true, UR,
        .change = { { IN_CE, QVTD_CE_P, 0 } }),
    ROW(47, "SCT.3-bit-7", 0x42, true, CA,
        .change = { { IN_CE, QVTD_CE_RSVD_LO, 1 } }),
    ROW(47, "SCT.3-bit-8", 0x42, true, CA,
        .change = { { IN_CE, QVTD_CE_RSVD_LO, 2 } }),
    ROW(47, "SCT.3-hpte", 0x42, true, CA,
        .change = { { IN_CE, QVTD_CE_HPTE, 1 } }),
    ROW(47, "SCT.3-haw", 0x42, true, CA,
        .change = { { IN_CE, QVTD_CE_PASIDDIRPTR, QT30_BEYOND_HAW } }),
    ROW(47, "SCT.3-rid-priv", 0x42, true, CA, .unless_ecap = QVTD_ECAP_RPRIVS,
        .change = { { IN_CE, QVTD_CE_RID_PRIV, 1 } }),
    ROW(47, "SCT.3-rid-pasid", 0x42, true, CA,
        .vtd = "x-rps=off", .unless_ecap = QVTD_ECAP_RPS,
        .change = { { IN_CE, QVTD_CE_RID_PASID, 1 } }),
    ROW(47, "SCT.3-eptr", 0x42, true, CA, .unless_ecap = QVTD_ECAP_PTRS,
        .change = { { IN_CE, QVTD_CE_EPTR, 1 } }),
    ROW(47, "SCT.3-bit-85", 0x42, true, CA,
        .change = { { IN_CE, QVTD_CE_RSVD_HI, 1 } }),
    ROW(47, "SCT.3-bit-127", 0x42, true, CA,
        .change = { { IN_CE, QVTD_CE_RSVD_HI, 1ULL << 42 } }),
    ROW(47, "SCT.3-bit-128", 0x42, true, CA,
        .change = { { IN_CE, QVTD_CE_RSVD_2, 1 } }),
    ROW(47, "SCT.3-bit-255", 0x42, true, CA,
        .change = { { IN_CE, QVTD_CE_RSVD_3, 1ULL << 63 } }),
    ROW(31, "SCT.4.1", 0x43, true, CA,
        .change = { { IN_CE, QVTD_CE_DTE, 0 } }),
    ROW(47, "SCT.4.2", 0x43, true, CA, .if_ecap = QVTD_ECAP_RPS, .pasid = 5,
        .change = { { IN_CE, QVTD_CE_PDTS, 0 },
                    { IN_CE, QVTD_CE_RID_PASID, 0x5000 } }),
    ROW(47, "SCT.4.2-one-too-many", 0x43, true, CA, .if_ecap = QVTD_ECAP_RPS,
        .pasid = 5, .change = { { IN_CE, QVTD_CE_PDTS, 1 },
                                { IN_CE, QVTD_CE_RID_PASID, 0x4000 } }),
    ROW(47, "SCT.4.3", 0x43, true, CA,
        .if_ecap = QVTD_ECAP_PTRS, .only = ONLY_NO_PASID,
        .change = { { IN_CE, QVTD_CE_EPTR, 1 }, { IN_CE, QVTD_CE_PASIDE, 0 } }),
    ROW(47, "SCT.6", 0x45, true, UR, .only = ONLY_PASID,
        .change = { { IN_CE, QVTD_CE_PASIDE, 0 } }),
    ROW(32, "SCT.7", 0x46, true, UR, .only = ONLY_PASID,
        .change = { { IN_CE, QVTD_CE_PDTS, 0 } }),
    ROW(32, "SCT.7-one-too-many", 0x46, true, UR,
        .only = ONLY_PASID, .pasid = 0x4000,
        .change = { { IN_CE, QVTD_CE_PDTS, 1 } }),
    ROW(47, "SCT.8", 0x47, true, NA,
        .change = { { IN_CE, QVTD_CE_PRE, 0 } }),
    /* DTE=0 alone (SCT.5, 44h) is not for page requests */
    ROW(31, "SCT.8-without-dte", 0x47, true, NA,
        .change = { { IN_CE, QVTD_CE_PRE, 0 }, { IN_CE, QVTD_CE_DTE, 0 } }),
    ROW(47, "SCT.9", 0x48, true, UR,
        .only = ONLY_PASID, .if_ecap = QVTD_ECAP_RPS,
        .change = { { IN_CE, QVTD_CE_RID_PASID, LAB_PASID } }),

    /* PASID directory */
    ROW(47, "SPD.1", 0x50, false, CA,
        .change = { { IN_CE, QVTD_CE_PASIDDIRPTR, QT30_NOWHERE } }),
    ROW(47, "SPD.2", 0x51, true, EMPTY,
        .change = { { IN_PDE, QVTD_PDE_P, 0 } }),
    ROW(47, "SPD.3-bit-2", 0x52, true, CA,
        .change = { { IN_PDE, QVTD_PDE_RSVD, 1 } }),
    ROW(47, "SPD.3-bit-11", 0x52, true, CA,
        .change = { { IN_PDE, QVTD_PDE_RSVD, 0x200 } }),
    ROW(47, "SPD.3-haw", 0x52, true, CA,
        .change = { { IN_PDE, QVTD_PDE_SMPTBLPTR, QT30_BEYOND_HAW } }),

    /* PASID table */
    ROW(47, "SPT.1", 0x58, false, CA,
        .change = { { IN_PDE, QVTD_PDE_SMPTBLPTR, QT30_NOWHERE } }),
    ROW(47, "SPT.2", 0x59, true, EMPTY,
        .change = { { IN_PE, QVTD_PE_P, 0 } }),
    ROW(47, "SPT.3-bit-5", 0x5a, true, CA,
        .change = { { IN_PE, QVTD_PE_RSVD_0, 1 } }),
    ROW(47, "SPT.3-bit-10", 0x5a, true, CA,
        .change = { { IN_PE, QVTD_PE_RSVD_0B, 1 } }),
    ROW(47, "SPT.3-bit-80", 0x5a, true, CA,
        .change = { { IN_PE, QVTD_PE_RSVD_1, 1 } }),
    ROW(47, "SPT.3-bit-91", 0x5a, true, CA,
        .change = { { IN_PE, QVTD_PE_RSVD_1B, 1 } }),
    ROW(47, "SPT.3-bit-129", 0x5a, true, CA,
        .change = { { IN_PE, QVTD_PE_RSVD_2, 1 } }),
    ROW(47, "SPT.3-bit-136", 0x5a, true, CA,
        .change = { { IN_PE, QVTD_PE_RSVD_2B, 1 } }),
    ROW(47, "SPT.3-haw", 0x5a, true, CA,
        .change = { { IN_PE, QVTD_PE_FSPTPTR, QT30_BEYOND_HAW } }),
    ROW(47, "SPT.3-bit-192", 0x5a, true, CA,
        .change = { { IN_PE, QVTD_PE_RSVD_3, 1 } }),
    ROW(47, "SPT.3-hpt", 0x5a, true, CA,
        .change = { { IN_PE, QVTD_PE_HPT, 1 } }),
    ROW(47, "SPT.3-bit-320", 0x5a, true, CA,
        .change = { { IN_PE, QVTD_FIELD(5, 0, 64), 1 } }),
    ROW(47, "SPT.3-bit-447", 0x5a, true, CA,
        .change = { { IN_PE, QVTD_FIELD(6, 0, 64), 1ULL << 63 } }),
    ROW(47, "SPT.3-bit-511", 0x5a, true, CA,
        .change = { { IN_PE, QVTD_PE_RSVD_7, 1ULL << 63 } }),
    ROW(47, "SPT.3-sre", 0x5a, true, CA, .unless_ecap = QVTD_ECAP_SRS,
        .change = { { IN_PE, QVTD_PE_SRE, 1 } }),
    ROW(47, "SPT.3-pgsnp", 0x5a, true, CA, .unless_ecap = QVTD_ECAP_SC,
        .change = { { IN_PE, QVTD_PE_PGSNP, 1 } }),
    ROW(47, "SPT.3-pwsnp", 0x5a, true, CA,
        .vtd = QT30_NO_SMPWC, .unless_ecap = QVTD_ECAP_SMPWC,
        .change = { { IN_PE, QVTD_PE_PWSNP, 1 } }),
    ROW(47, "SPT.3-ssade", 0x5a, true, CA, .unless_ecap = QVTD_ECAP_SSTS,
        .change = { { IN_PE, QVTD_PE_SSADE, 1 } }),
    ROW(47, "SPT.3-ssptptr", 0x5a, true, CA, .unless_ecap = QVTD_ECAP_SSTS,
        .change = { { IN_PE, QVTD_PE_SSPTPTR, 1 } }),
    ROW(47, "SPT.4.1-aw-0", 0x5b, true, CA, .vtd = QT30_SECOND_STAGE,
        .change = { { IN_PE, QVTD_PE_PGTT, QVTD_PGTT_SECOND },
                    { IN_PE, QVTD_PE_FSPTPTR, 0 },
                    { IN_PE, QVTD_PE_AW, 0 } }),
    ROW(47, "SPT.4.1-aw-57", 0x5b, true, CA, .vtd = QT30_SECOND_STAGE,
        .change = { { IN_PE, QVTD_PE_PGTT, QVTD_PGTT_SECOND },
                    { IN_PE, QVTD_PE_FSPTPTR, 0 },
                    { IN_PE, QVTD_PE_AW, 3 } }),
    ROW(47, "SPT.4.2-first-stage", 0x5b, true, CA, .vtd = QT30_SECOND_STAGE,
        .change = { { IN_PE, QVTD_PE_FSPTPTR, 0 } }),
    ROW(47, "SPT.3-fsptptr", 0x5a, true, CA, .vtd = QT30_SECOND_STAGE,
        .change = { { IN_PE, QVTD_PE_PGTT, QVTD_PGTT_SECOND },
                    { IN_PE, QVTD_PE_AW, 2 } }),
    ROW(47, "SPT.4.2-pgtt-0", 0x5b, true, CA,
        .change = { { IN_PE, QVTD_PE_PGTT, 0 } }),
    ROW(47, "SPT.4.2-second-stage", 0x5b, true, CA,
        .unless_ecap = QVTD_ECAP_SSTS,
        .change = { { IN_PE, QVTD_PE_PGTT, QVTD_PGTT_SECOND },
                    { IN_PE, QVTD_PE_AW, 2 } }),
    ROW(47, "SPT.4.2-nested", 0x5b, true, CA, .unless_ecap = QVTD_ECAP_NEST,
        .change = { { IN_PE, QVTD_PE_PGTT, QVTD_PGTT_NESTED } }),
    ROW(47, "SPT.4.2-pass-through", 0x5b, true, CA, .vtd = "pt=off",
        .change = { { IN_PE, QVTD_PE_PGTT, QVTD_PGTT_PASSTHROUGH } }),
    ROW(47, "SPT.4.2-pgtt-5", 0x5b, true, CA,
        .change = { { IN_PE, QVTD_PE_PGTT, 5 } }),
    ROW(47, "SPT.4.2-pgtt-6", 0x5b, true, CA,
        .change = { { IN_PE, QVTD_PE_PGTT, 6 } }),
    ROW(47, "SPT.4.2-pgtt-7", 0x5b, true, CA,
        .change = { { IN_PE, QVTD_PE_PGTT, 7 } }),
    /* q35 has no 5-level paging in the IOMMU (CAP.FS5LP=0) */
    ROW(47, "SPT.4.3-fspm-1", 0x5b, true, CA,
        .change = { { IN_PE, QVTD_PE_FSPM, 1 } }),
    ROW(47, "SPT.4.3-fspm-2", 0x5b, true, CA,
        .change = { { IN_PE, QVTD_PE_FSPM, 2 } }),
    ROW(47, "SPT.4.3-fspm-3", 0x5b, true, CA,
        .change = { { IN_PE, QVTD_PE_FSPM, 3 } }),
};

const unsigned int qt30_nr = ARRAY_SIZE(qt30_rows);

void qt30_apply(PriLab *lab, const QT30Change *c, uint32_t table_pasid)
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

void qt30_apply_row(PriLab *lab, const QT30Row *row, uint32_t table_pasid)
{
    int i;

    /* from the leaf up, because a broken entry hides those behind it */
    for (i = ARRAY_SIZE(row->change) - 1; i >= 0; i--) {
        qt30_apply(lab, &row->change[i], table_pasid);
    }
    if (row->change[0].where != IN_TTM && row->change[0].where != IN_RTA) {
        qvtd_flush(&lab->v);
    }
}

bool qt30_applies(PriLab *lab, const QT30Row *row)
{
    return (lab->v.ecap & row->if_ecap) == row->if_ecap &&
           !(lab->v.ecap & row->unless_ecap);
}

/*
 * Consecutive tests of a row share a machine, whose tables are broken as the
 * row says for requests with and without PASID.
 */
static PriLab row_lab;
static const QT30Row *row_now;

void qt30_stop(void)
{
    if (row_now) {
        pri_lab_stop(&row_lab);
        row_now = NULL;
    }
}

PriLab *qt30_start(const QT30Row *row)
{
    if (row_now != row) {
        qt30_stop();
        pri_lab_start_with(&row_lab, row->vtd, NULL, 0);
        row_now = row;
        if (qt30_applies(&row_lab, row)) {
            qt30_apply_row(&row_lab, row, 0);
            qt30_apply_row(&row_lab, row, LAB_PASID);
        }
    }
    if (!qt30_applies(&row_lab, row)) {
        g_test_skip("ECAP says otherwise");
        return NULL;
    }
    return &row_lab;
}

const QT30Change qt30_fpd_places[QT30_FPD_PLACES] = {
    { IN_CE, QVTD_CE_FPD, 1 },
    { IN_PDE, QVTD_PDE_FPD, 1 },
    { IN_PE, QVTD_PE_FPD, 1 },
};

bool qt30_fpd_is_met(const QT30Row *row, QT30Where place)
{
    QT30Where fault_in;

    if (row->fr < 0x40) {
        fault_in = IN_RE;
    } else if (row->fr == 0x40) {
        fault_in = IN_RE;       /* the context entry was never read */
    } else if (row->fr <= 0x50 || row->fr == 0x89) {
        fault_in = IN_CE;       /* nor, with 50h or 89h, the directory entry */
    } else if (row->fr <= 0x58) {
        fault_in = IN_PDE;
    } else {
        fault_in = IN_PE;
    }
    return place <= fault_in;
}
