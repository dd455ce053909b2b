/*
 * VT-d page requests: every row of table 30 that a page request can meet
 * (PRQ-12, PRQ-31, PRQ-32, PRQ-47, PRQ-48)
 *
 * VT-d 7.1.1, 7.1.3, 7.4.1 table 31
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/vtd-table30.h"

/* -- One row --------------------------------------------------------------- */

/* One request of a row */
typedef struct Case {
    const QT30Row *row;
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

static void test_row(const void *opaque)
{
    const Case *c = opaque;

    PriLab *lab = qt30_start(c->row);

    if (lab) {
        send_and_check(lab, c);
        check_fault(lab, c);
        qvtd_fault_clear(&lab->v);
    }
}

/* -- PRQ-48: Fault Processing Disable -------------------------------------- */

static void test_row_fpd(const void *opaque)
{
    const QT30Row *row = opaque;
    bool with_pasid = row->only != ONLY_NO_PASID;
    Case c = { row, true, with_pasid };
    uint32_t table_pasid = with_pasid ? LAB_PASID : 0;
    PriLab *lab = qt30_start(row);
    unsigned int i;

    for (i = 0; lab && i < QT30_FPD_PLACES; i++) {
        QT30Change fpd = qt30_fpd_places[i];
        QVtdFault fault;

        if (!qt30_fpd_is_met(row, fpd.where)) {
            continue;
        }
        qt30_apply(lab, &fpd, table_pasid);
        qvtd_flush(&lab->v);
        send_and_check(lab, &c);
        if (row->qualified) {
            g_assert_false(qvtd_fault(&lab->v, &fault));
            g_assert_cmphex(qvtd_readl(&lab->v, QVTD_FSTS), ==, 0);
        } else {
            check_fault(lab, &c);
        }
        qvtd_fault_clear(&lab->v);
        fpd.value = 0;
        qt30_apply(lab, &fpd, table_pasid);
        qvtd_flush(&lab->v);
    }
}

/* -- What must not fault --------------------------------------------------- */

static const QT30Row legal[] = {
    { "PRQ-47", "second-stage", .vtd = QT30_SECOND_STAGE,
      .change = { { IN_PE, QVTD_PE_PGTT, QVTD_PGTT_SECOND },
                  { IN_PE, QVTD_PE_FSPTPTR, 0 },
                  { IN_PE, QVTD_PE_AW, 2 } } },
    /*
     * 9.6 makes AW reserved where ECAP.SSTS=0, but Linux sets it in every
     * first-stage entry; so it is ignored as it would be with SSTS=1
     */
    { "PRQ-47", "aw-in-first-stage", .change = { { IN_PE, QVTD_PE_AW, 2 } } },
    { "PRQ-47", "pwsnp", .if_ecap = QVTD_ECAP_SMPWC,
      .change = { { IN_PE, QVTD_PE_PWSNP, 1 } } },
    { "PRQ-47", "largest-rid-pasid", .if_ecap = QVTD_ECAP_RPS, .pasid = 5,
      .change = { { IN_CE, QVTD_CE_PDTS, 1 },
                  { IN_CE, QVTD_CE_RID_PASID, 0x3fff } } },
    /* SGN.10 is not for page requests: PDTS alone counts */
    { "PRQ-32", "beyond-pss", .vtd = "pasid-bits=16" },
    { "PRQ-47", "wpe", .change = { { IN_PE, QVTD_PE_WPE, 1 } } },
    { "PRQ-47", "ignored-bit-133",
      .change = { { IN_PE, QVTD_FIELD(2, 5, 2), 3 } } },
    { "PRQ-47", "pass-through", .if_ecap = QVTD_ECAP_PT,
      .change = { { IN_PE, QVTD_PE_PGTT, QVTD_PGTT_PASSTHROUGH } } },
    { "PRQ-47", "upper-root-entry-not-present",
      .change = { { IN_RE, QVTD_FIELD(1, 1, 11), 0x7ff } } },
    { "PRQ-48", "fpd-alone",
      .change = { { IN_CE, QVTD_CE_FPD, 1 }, { IN_PDE, QVTD_PDE_FPD, 1 },
                  { IN_PE, QVTD_PE_FPD, 1 } } },
    { "PRQ-32", "largest-pasid-of-pdts", .pasid = 0x3fff,
      .change = { { IN_CE, QVTD_CE_PDTS, 1 } } },
};

static void test_legal(const void *opaque)
{
    const QT30Row *row = opaque;
    QPtRaw raw = { LAB_IOVA, LAB_PASID, PT_RAW_READ | PT_RAW_LAST, 1 };
    QVtdFault fault;
    PriLab lab;

    pri_lab_start_with(&lab, row->vtd, NULL, 0);
    if (qt30_applies(&lab, row)) {
        if (row->pasid) {
            raw.pasid = row->pasid;
            qvtd_pasid_setup(&lab.v, lab.d.rid, raw.pasid, 9);
        }
        qt30_apply_row(&lab, row, raw.pasid);
        qpt_raw(&lab.d, &raw);
        g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
        g_assert_false(qvtd_fault(&lab.v, &fault));
        lab_expect_silence(&lab);
    } else {
        g_test_skip("ECAP says otherwise");
    }
    pri_lab_stop(&lab);
}

/* SCT.9 with the RID_PASID there is without ECAP.RPS, which is 0 */
static void test_rid_pasid_zero(void)
{
    QPtRaw raw = { LAB_IOVA, 0, PT_RAW_READ | PT_RAW_LAST, 0x33 };
    QVtdFault fault;
    PriLab lab;

    pri_lab_start(&lab);
    qpt_raw(&lab.d, &raw);
    lab_expect_response(&lab, QPT_INVALID_REQUEST, 0x33, 0);
    g_assert_true(qvtd_fault(&lab.v, &fault));
    g_assert_cmphex(QVTD_FAULT_FR(&fault), ==, QVTD_FR_SCT_RID_PASID);
    g_assert_cmpuint(QVTD_FAULT_PP(&fault), ==, 1);
    g_assert_cmphex(QVTD_FAULT_PV(&fault), ==, 0);
    pri_lab_stop(&lab);
}

static void add_row(const QT30Row *row)
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
    for (i = 0; i < qt30_nr; i++) {
        g_autofree char *fpd = NULL;

        add_row(&qt30_rows[i]);
        if (qt30_fpd_is_met(&qt30_rows[i], IN_CE)) {
            fpd = g_strdup_printf("/vtd/prq/PRQ-48/%s", qt30_rows[i].name);
            g_test_add_data_func(fpd, &qt30_rows[i], test_row_fpd);
        }
    }
    for (i = 0; i < ARRAY_SIZE(legal); i++) {
        g_autofree char *name = g_strdup_printf("/vtd/prq/%s/legal/%s",
                                                legal[i].item, legal[i].name);

        g_test_add_data_func(name, &legal[i], test_legal);
    }
    g_test_add_func("/vtd/prq/PRQ-47/SCT.9/pasid-0", test_rid_pasid_zero);
    ret = g_test_run();
    qt30_stop();
    return ret;
}
