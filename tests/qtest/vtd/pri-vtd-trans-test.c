/*
 * VT-d translation requests: the completion and the fault record of every row
 * of table 30 (ATS-04), NW (ATS-02), what may be cached (ATS-03)
 *
 * VT-d 3.6, 3.7, 4.2.3, 7.1.1 to 7.1.3
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "libqtest.h"
#include "libqos/vtd-pages.h"

#define PA              QPG_PA
#define R               PT_RAW_READ
#define W               PT_RAW_WRITE
#define NO_COMPLETION   UINT32_MAX

/* -- one translation request ----------------------------------------------- */

/* The completion as the device logged it: its status, and what it permits */
typedef struct Completion {
    uint32_t status;            /* 0 Success, 1 UR, 2 CA */
    uint32_t permits;           /* PT_RAW_READ etc. */
} Completion;

/* The only completion in the log */
static Completion logged(PriLab *lab)
{
    Completion c = { NO_COMPLETION, 0 };
    uint32_t i, n = qpt_readl(&lab->d, PT_LOG_COUNT);

    for (i = 0; i < n; i++) {
        qpt_writel(&lab->d, PT_LOG_SELECT, i);
        if (qpt_readl(&lab->d, PT_LOG_KIND) == PT_LOG_TRANSLATION) {
            g_assert_cmphex(c.status, ==, NO_COMPLETION);
            c.status = qpt_readl(&lab->d, PT_LOG_TAG);
            c.permits = qpt_readl(&lab->d, PT_LOG_CODE);
        }
    }
    return c;
}

/* A translation request and the access behind it; PT_ST_* in @end, or NULL */
static Completion request(PriLab *lab, uint32_t cmd, uint32_t pasid,
                          uint64_t addr, uint32_t flags, uint32_t *end)
{
    QPtOp op = {
        .cmd = cmd, .src = addr, .dst = addr, .len = 8,
        .flags = flags | PT_FLAG_NO_PRI |
                 (pasid == QVTD_NO_PASID ? 0 : PT_FLAG_PASID),
        .pasid = pasid == QVTD_NO_PASID ? 0 : pasid,
    };
    uint32_t status;

    qpt_writel(&lab->d, PT_CTRL, PT_CTRL_CLEAR_LOG | PT_CTRL_FLUSH_ATC);
    status = qpt_run(&lab->d, 0, &op);
    if (end) {
        *end = status;
    }
    return logged(lab);
}

static void expect(PriLab *lab, QT30Completion tr, Completion c, uint32_t end)
{
    static const struct {
        uint32_t status;
        uint32_t end;
    } rows[] = {
        [TR_UR] = { 1, PT_ST_TRANS_UR },
        [TR_CA] = { 2, PT_ST_TRANS_CA },
        [TR_EMPTY] = { 0, PT_ST_NO_PRI },
    };

    g_assert_cmpuint(c.status, ==, rows[tr].status);
    g_assert_cmphex(c.permits, ==, 0);
    g_assert_cmpuint(end, ==, rows[tr].end);
    g_assert_cmpuint(qpt_readl(&lab->d, PT_ATC_USED), ==, 0);
}

/* 11.4.7.6; a recoverable fault is not recorded (7.1.2) */
static void expect_fault(PriLab *lab, uint8_t fr, uint32_t pasid,
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
    g_assert_cmphex(QVTD_FAULT_FI(&fault), ==, addr);
    g_assert_cmpuint(QVTD_FAULT_AT(&fault), ==, QVTD_FAULT_AT_TRANSLATION);
    g_assert_cmpuint(QVTD_FAULT_PP(&fault), ==, pasid != QVTD_NO_PASID);
    if (pasid != QVTD_NO_PASID) {
        g_assert_cmphex(QVTD_FAULT_PV(&fault), ==, pasid);
    }
    qvtd_fault_clear(&lab->v);
}

/* -- in front of the page tables ------------------------------------------- */

static const QT30Row tr_rows[] = {
    { "ATS-04", "RTA.2", 0x31, false, TR_UR, ONLY_PASID,
      .change = { { IN_TTM, .value = QVTD_TTM_LEGACY } } },
    { "ATS-04", "SCT.5", 0x44, true, TR_UR,
      .change = { { IN_CE, QVTD_CE_DTE, 0 }, { IN_CE, QVTD_CE_PRE, 0 } } },
    { "ATS-04", "SGN.10", 0x89, true, TR_UR, ONLY_PASID,
      .vtd = "pasid-bits=16" },
    /* PRE is for page requests only (SCT.8) */
    { "ATS-04", "no-page-requests", 0, false, TR_EMPTY,
      .change = { { IN_CE, QVTD_CE_PRE, 0 } } },
};

typedef struct Case {
    const QT30Row *row;
    bool with_pasid;
} Case;

static uint32_t case_pasid(const Case *c)
{
    return c->with_pasid ? c->row->pasid ?: LAB_PASID : QVTD_NO_PASID;
}

static void check_case(PriLab *lab, const Case *c, bool fpd)
{
    const QT30Row *row = c->row;
    uint32_t pasid = case_pasid(c), end;
    Completion got = request(lab, PT_OP_WRITE, pasid, LAB_IOVA, 0, &end);
    bool silent = row->tr == TR_EMPTY || (fpd && row->qualified);

    expect(lab, row->tr, got, end);
    expect_fault(lab, silent ? 0 : row->fr, pasid, LAB_IOVA);
    g_assert_cmphex(qvtd_readq(&lab->v, QVTD_PQT), ==, 0);
}

static void test_case(const void *opaque)
{
    const Case *c = opaque;
    PriLab *lab = qt30_start(c->row);

    if (lab) {
        check_case(lab, c, false);
    }
}

/* 7.1.1: FPD on the way suppresses the record of a qualified fault */
static void test_fpd(const void *opaque)
{
    const QT30Row *row = opaque;
    Case c = { row, row->only != ONLY_NO_PASID };
    uint32_t table_pasid = c.with_pasid ? LAB_PASID : 0;
    PriLab *lab = qt30_start(row);
    unsigned int i;

    for (i = 0; lab && i < QT30_FPD_PLACES; i++) {
        QT30Change fpd = qt30_fpd_places[i];

        if (qt30_fpd_is_met(row, fpd.where)) {
            qt30_apply(lab, &fpd, table_pasid);
            qvtd_flush(&lab->v);
            check_case(lab, &c, true);
            fpd.value = 0;
            qt30_apply(lab, &fpd, table_pasid);
            qvtd_flush(&lab->v);
        }
    }
}

/* -- first-stage tables ---------------------------------------------------- */

static void test_fs(const void *opaque)
{
    const QFsRow *row = opaque;
    uint32_t pasids[] = { LAB_PASID, QVTD_NO_PASID };
    unsigned int i;
    PriLab lab;

    qfs_start(&lab, NULL);
    qfs_change(&lab, row->level, row->clear, row->set);
    for (i = 0; i < ARRAY_SIZE(pasids); i++) {
        uint32_t end;
        Completion got = request(&lab, PT_OP_WRITE, pasids[i], LAB_IOVA, 0,
                                 &end);

        expect(&lab, row->tr, got, end);
        expect_fault(&lab, row->tr == TR_EMPTY ? 0 : row->fr, pasids[i],
                     LAB_IOVA);
    }
    pri_lab_stop(&lab);
}

/* SFS.4: the top table cannot be read */
static void test_fs_no_table(void)
{
    uint32_t end;
    Completion got;
    PriLab lab;

    qfs_start(&lab, NULL);
    qvtd_set(&lab.v, qvtd_pasid_entry(&lab.v, lab.d.rid, LAB_PASID),
             QVTD_PE_FSPTPTR, QT30_NOWHERE);
    qvtd_flush(&lab.v);
    got = request(&lab, PT_OP_READ, LAB_PASID, LAB_IOVA, 0, &end);
    expect(&lab, TR_EMPTY, got, end);
    expect_fault(&lab, 0, 0, 0);
    pri_lab_stop(&lab);
}

/* SGN.1: bits 63:48 are not all as bit 47 */
static void test_fs_non_canonical(void)
{
    static const uint64_t addrs[] = {
        0x0000800000000000ULL, 0xffff7ffffffff000ULL, 0x8000000000000000ULL,
        LAB_IOVA | 1ULL << 48,
    };
    unsigned int i;
    PriLab lab;

    qfs_start(&lab, NULL);
    for (i = 0; i < ARRAY_SIZE(addrs); i++) {
        uint32_t end;
        Completion got = request(&lab, PT_OP_READ, LAB_PASID, addrs[i], 0,
                                 &end);

        expect(&lab, TR_EMPTY, got, end);
        expect_fault(&lab, 0, 0, 0);
    }
    pri_lab_stop(&lab);
}

/* SPT.5, SPT.6: ECAP.ERS and SRS are 0; the page itself would permit it */
static void test_fs_privileged(const void *opaque)
{
    uint32_t flag = GPOINTER_TO_UINT(opaque), end;
    Completion got;
    PriLab lab;

    qfs_start(&lab, NULL);
    g_assert_cmphex(lab.v.ecap & (QVTD_ECAP_ERS | QVTD_ECAP_SRS), ==, 0);
    qpt_config_writew(&lab.d, lab.d.pasid + QPT_PASID_CTRL, QPT_PASID_CTRL_E |
                      QPT_PASID_CTRL_EXEC | QPT_PASID_CTRL_PRIV);
    got = request(&lab, PT_OP_READ, LAB_PASID, LAB_IOVA, flag, &end);
    expect(&lab, TR_EMPTY, got, end);
    expect_fault(&lab, 0, 0, 0);
    pri_lab_stop(&lab);
}

/* 9.6: with ECAP.SRS, SRE of the entry decides on privileged requests */
static void test_supervisor(void)
{
    static const QSsRow present = { "present", 0, PA | R | W };
    uint32_t end;
    Completion got;
    PriLab lab;

    qss_start(&lab, &present);
    g_assert_cmphex(lab.v.ecap & QVTD_ECAP_SRS, !=, 0);
    qpt_config_writew(&lab.d, lab.d.pasid + QPT_PASID_CTRL,
                      QPT_PASID_CTRL_E | QPT_PASID_CTRL_PRIV);
    got = request(&lab, PT_OP_READ, LAB_PASID, LAB_IOVA, PT_FLAG_PRIV, &end);
    expect(&lab, TR_EMPTY, got, end);
    qvtd_set(&lab.v, qvtd_pasid_entry(&lab.v, lab.d.rid, LAB_PASID),
             QVTD_PE_SRE, 1);
    qvtd_flush(&lab.v);
    got = request(&lab, PT_OP_READ, LAB_PASID, LAB_IOVA, PT_FLAG_PRIV, &end);
    g_assert_cmpuint(got.status, ==, 0);
    g_assert_cmphex(got.permits & R, ==, R);
    g_assert_cmpuint(end, ==, PT_ST_DONE);
    expect_fault(&lab, 0, 0, 0);
    pri_lab_stop(&lab);
}

/*
 * 11.4.7.6: PRIV and EXE are those of the request, which is a memory read also
 * if it asks for write permission (4.2.1)
 */
static void test_fault_record(const void *opaque)
{
    static const uint32_t flags[] = {
        0, PT_FLAG_EXEC, PT_FLAG_PRIV, PT_FLAG_EXEC | PT_FLAG_PRIV
    };
    uint32_t cmd = GPOINTER_TO_UINT(opaque);
    unsigned int i;
    PriLab lab;

    qfs_start(&lab, NULL);
    qpt_config_writew(&lab.d, lab.d.pasid + QPT_PASID_CTRL, QPT_PASID_CTRL_E |
                      QPT_PASID_CTRL_EXEC | QPT_PASID_CTRL_PRIV);
    qvtd_set(&lab.v, qvtd_context_entry(&lab.v, lab.d.rid), QVTD_CE_PASIDE, 0);
    qvtd_flush(&lab.v);
    for (i = 0; i < ARRAY_SIZE(flags); i++) {
        QVtdFault fault;

        if (cmd == PT_OP_WRITE && flags[i] & PT_FLAG_EXEC) {
            continue;                   /* EXEC is for what is read */
        }
        request(&lab, cmd, LAB_PASID, LAB_IOVA, flags[i], NULL);
        g_assert_true(qvtd_fault(&lab.v, &fault));
        g_assert_cmphex(QVTD_FAULT_FR(&fault), ==, QVTD_FR_SCT_PASIDE);
        g_assert_cmpuint(QVTD_FAULT_T1(&fault), ==, 1);
        g_assert_cmpuint(QVTD_FAULT_T2(&fault), ==, 0);
        g_assert_cmpuint(QVTD_FAULT_EXE(&fault), ==,
                         !!(flags[i] & PT_FLAG_EXEC));
        g_assert_cmpuint(QVTD_FAULT_PRIV(&fault), ==,
                         !!(flags[i] & PT_FLAG_PRIV));
        qvtd_fault_clear(&lab.v);
    }
    pri_lab_stop(&lab);
}

/* SGN.6: what is granted is less than was asked for, and is told */
static void test_fs_effective(void)
{
    uint32_t end;
    Completion got;
    PriLab lab;
    int level;

    qfs_start(&lab, NULL);
    got = request(&lab, PT_OP_WRITE, LAB_PASID, LAB_IOVA, 0, &end);
    g_assert_cmpuint(got.status, ==, 0);
    g_assert_cmphex(got.permits, ==, R | W);
    g_assert_cmpuint(end, ==, PT_ST_DONE);
    for (level = 1; level <= 4; level++) {
        qfs_change(&lab, level, QVTD_FS_RW, 0);
        got = request(&lab, PT_OP_WRITE, LAB_PASID, LAB_IOVA, 0, &end);
        g_assert_cmpuint(got.status, ==, 0);
        g_assert_cmphex(got.permits, ==, R);
        g_assert_cmpuint(end, ==, PT_ST_NO_PRI);
        expect_fault(&lab, 0, 0, 0);
        qfs_change(&lab, level, 0, QVTD_FS_RW);
    }
    pri_lab_stop(&lab);
}

/* 3.6.2, 4.2.3.1: Accessed on the way, Dirty if a write may follow */
static uint64_t flags_after(PriLab *lab, uint32_t cmd, uint32_t *permits)
{
    qfs_change(lab, 1, QVTD_FS_A | QVTD_FS_D, 0);
    qfs_change(lab, 4, QVTD_FS_A, 0);
    *permits = request(lab, cmd, LAB_PASID, LAB_IOVA, 0, NULL).permits;
    g_assert_cmphex(qtest_readq(lab->qts, qfs_entry(lab, lab->pml4, 4)) &
                    QVTD_FS_A, !=, 0);
    return qtest_readq(lab->qts, qfs_entry(lab, lab->pml4, 1)) &
           (QVTD_FS_A | QVTD_FS_D);
}

/* ATS-02 */
static void test_no_write(void)
{
    uint32_t permits;
    PriLab lab;

    qfs_start(&lab, NULL);
    g_assert_cmphex(lab.v.ecap & QVTD_ECAP_NWFS, !=, 0);
    g_assert_cmphex(flags_after(&lab, PT_OP_WRITE, &permits), ==,
                    QVTD_FS_A | QVTD_FS_D);
    g_assert_cmphex(permits, ==, R | W);
    /* Dirty is set, and yet: what is not asked for is not given */
    g_assert_cmphex(request(&lab, PT_OP_READ, LAB_PASID, LAB_IOVA, 0,
                            NULL).permits, ==, R);
    g_assert_cmphex(flags_after(&lab, PT_OP_READ, &permits), ==, QVTD_FS_A);
    g_assert_cmphex(permits, ==, R);
    pri_lab_stop(&lab);
}

/*
 * ATS-02 without ECAP.NWFS: NW=1 asks for write permission all the same.  There
 * is no SMPWC either: without Dirty it gets nothing (SFS.9), although reading
 * would be allowed.
 */
static void test_no_nwfs(void)
{
    Completion got;
    uint32_t end;
    PriLab lab;

    qfs_start(&lab, QT30_NO_SMPWC);
    g_assert_cmphex(lab.v.ecap & (QVTD_ECAP_NWFS | QVTD_ECAP_SMPWC), ==, 0);
    got = request(&lab, PT_OP_READ, LAB_PASID, LAB_IOVA, 0, &end);
    g_assert_cmphex(got.permits, ==, R | W);
    g_assert_cmpuint(end, ==, PT_ST_DONE);
    qfs_change(&lab, 1, QVTD_FS_D, 0);
    got = request(&lab, PT_OP_READ, LAB_PASID, LAB_IOVA, 0, &end);
    expect(&lab, TR_EMPTY, got, end);
    expect_fault(&lab, 0, 0, 0);
    pri_lab_stop(&lab);
}

/* -- second-stage tables --------------------------------------------------- */

static void test_ss(const void *opaque)
{
    const QSsRow *row = opaque;
    uint64_t addr = row->addr ?: LAB_IOVA;
    uint32_t end;
    Completion got;
    PriLab lab;

    qss_start(&lab, row);
    got = request(&lab, PT_OP_WRITE, LAB_PASID, addr, 0, &end);
    if (row->tr) {
        expect(&lab, row->tr, got, end);
    } else {
        g_assert_cmpuint(got.status, ==, 0);
        g_assert_cmphex(got.permits, ==, row->permits);
        g_assert_cmpuint(end, ==, row->permits & W ? PT_ST_DONE :
                         PT_ST_NO_PRI);
    }
    expect_fault(&lab, row->tr == TR_CA ? row->fr : 0, LAB_PASID, addr);
    pri_lab_stop(&lab);
}

/* -- pass-through, and the interrupt range --------------------------------- */

/* SGN.4.2: above the Host Address Width */
static void test_pass_through(void)
{
    uint32_t end;
    Completion got;
    PriLab lab;

    pri_lab_start(&lab);
    g_assert_cmphex(lab.v.ecap & QVTD_ECAP_PT, !=, 0);
    qvtd_set(&lab.v, qvtd_pasid_entry(&lab.v, lab.d.rid, LAB_PASID),
             QVTD_PE_PGTT, QVTD_PGTT_PASSTHROUGH);
    qvtd_flush(&lab.v);
    got = request(&lab, PT_OP_WRITE, LAB_PASID, PA, 0, &end);
    g_assert_cmphex(got.permits, ==, R | W);
    g_assert_cmpuint(end, ==, PT_ST_DONE);
    got = request(&lab, PT_OP_WRITE, LAB_PASID, 1ULL << 51, 0, &end);
    expect(&lab, TR_EMPTY, got, end);
    expect_fault(&lab, 0, 0, 0);
    pri_lab_stop(&lab);
}

/* The completion that @addr needs, if the ATC does not have it: 0 or 1 */
static unsigned int asks(PriLab *lab, uint64_t addr)
{
    QPtOp op = {
        .cmd = PT_OP_READ, .src = addr, .len = 8, .pasid = LAB_PASID,
        .flags = PT_FLAG_PASID | PT_FLAG_NO_PRI,
    };
    uint64_t before = qpt_readq(&lab->d, PT_CNT_TRANSLATIONS);

    qpt_run(&lab->d, 0, &op);
    return qpt_readq(&lab->d, PT_CNT_TRANSLATIONS) - before;
}

/* 4.2.3: as large as the largest page, but for the interrupt range */
static void test_pass_through_size(void)
{
    uint32_t end;
    Completion got;
    PriLab lab;

    pri_lab_start(&lab);
    qvtd_set(&lab.v, qvtd_pasid_entry(&lab.v, lab.d.rid, LAB_PASID),
             QVTD_PE_PGTT, QVTD_PGTT_PASSTHROUGH);
    qvtd_flush(&lab.v);
    g_assert_cmpuint(asks(&lab, PA), ==, 1);
    g_assert_cmpuint(asks(&lab, PA + 0x1000), ==, 0);
    g_assert_cmpuint(asks(&lab, 0x3ffffff8), ==, 0);
    g_assert_cmpuint(asks(&lab, 0x40000000), ==, 1);
    /* 2 MiB in the GiB of the interrupt range, 4 KiB in its 2 MiB */
    g_assert_cmpuint(asks(&lab, 0xfec00000), ==, 1);
    g_assert_cmpuint(asks(&lab, 0xfedffff8), ==, 0);
    g_assert_cmpuint(asks(&lab, 0xfebffff8), ==, 1);
    g_assert_cmpuint(asks(&lab, 0xfef00000), ==, 1);
    g_assert_cmpuint(asks(&lab, 0xfef01000), ==, 1);
    expect_fault(&lab, 0, 0, 0);
    /* and nothing of the range itself, without a fault */
    got = request(&lab, PT_OP_WRITE, LAB_PASID, 0xfee01000, 0, &end);
    expect(&lab, TR_EMPTY, got, end);
    expect_fault(&lab, 0, 0, 0);
    pri_lab_stop(&lab);
}

/* S.1, S.2: no PASID; writing gets W and U, which is not to be cached */
static void test_interrupt_range(void)
{
    uint32_t end;
    Completion got;
    PriLab lab;

    pri_lab_start(&lab);
    got = request(&lab, PT_OP_READ, QVTD_NO_PASID, 0xfeefff00, 0, &end);
    expect(&lab, TR_EMPTY, got, end);
    got = request(&lab, PT_OP_WRITE, QVTD_NO_PASID, 0xfee00ff8, 0, &end);
    g_assert_cmpuint(got.status, ==, 0);
    g_assert_cmphex(got.permits, ==, W);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 0);
    expect_fault(&lab, 0, 0, 0);

    /* with a PASID it is an address like any other */
    got = request(&lab, PT_OP_WRITE, LAB_PASID, 0xfee00ff8, 0, &end);
    expect(&lab, TR_EMPTY, got, end);

    /* 4.2.3: it is special if there is no error */
    qvtd_set(&lab.v, qvtd_context_entry(&lab.v, lab.d.rid), QVTD_CE_PRE, 0);
    qvtd_set(&lab.v, qvtd_context_entry(&lab.v, lab.d.rid), QVTD_CE_DTE, 0);
    qvtd_flush(&lab.v);
    got = request(&lab, PT_OP_WRITE, QVTD_NO_PASID, 0xfee00ff8, 0, &end);
    expect(&lab, TR_UR, got, end);
    expect_fault(&lab, 0x44, QVTD_NO_PASID, 0xfee00000);
    pri_lab_stop(&lab);
}

/* 4.2.3: nothing is translated while TES=0 */
static void test_disabled(void)
{
    uint32_t end;
    Completion got;
    PriLab lab;

    qfs_start(&lab, NULL);
    qvtd_gcmd(&lab.v, 0, QVTD_GCMD_TE);
    got = request(&lab, PT_OP_WRITE, LAB_PASID, LAB_IOVA, 0, &end);
    expect(&lab, TR_UR, got, end);
    got = request(&lab, PT_OP_WRITE, QVTD_NO_PASID, LAB_IOVA, 0, &end);
    expect(&lab, TR_UR, got, end);
    expect_fault(&lab, 0, 0, 0);
    pri_lab_stop(&lab);
}

/* -------------------------------------------------------------------------- */

static void add_row(const QT30Row *row)
{
    int with_pasid;

    for (with_pasid = 0; with_pasid < 2; with_pasid++) {
        if (row->only != (with_pasid ? ONLY_NO_PASID : ONLY_PASID)) {
            g_autofree char *name = g_strdup_printf(
                "/vtd/ats/ATS-04/%s/%s", row->name,
                with_pasid ? "pasid" : "no-pasid");
            Case *c = g_new0(Case, 1);

            *c = (Case) { row, with_pasid };
            g_test_add_data_func_full(name, c, test_case, g_free);
        }
    }
    if (row->fr && qt30_fpd_is_met(row, IN_CE)) {
        g_autofree char *name = g_strdup_printf("/vtd/ats/ATS-04/%s/fpd",
                                                row->name);

        g_test_add_data_func(name, row, test_fpd);
    }
}

#define ADD_ROWS(rows, nr, prefix, test) \
    for (i = 0; i < nr; i++) { \
        g_autofree char *name = g_strconcat(prefix, rows[i].name, NULL); \
        g_test_add_data_func(name, &rows[i], test); \
    }

int main(int argc, char **argv)
{
    unsigned int i;
    int ret;

    pri_lab_test_init(&argc, &argv);
    for (i = 0; i < qt30_nr; i++) {
        if (qt30_rows[i].tr != TR_NA) {
            add_row(&qt30_rows[i]);
        }
    }
    for (i = 0; i < ARRAY_SIZE(tr_rows); i++) {
        add_row(&tr_rows[i]);
    }
    ADD_ROWS(qfs_rows, qfs_nr, "/vtd/ats/ATS-04/", test_fs);
    ADD_ROWS(qss_rows, qss_nr, "/vtd/ats/ATS-04/second-stage/", test_ss);
    g_test_add_func("/vtd/ats/ATS-04/SFS.4", test_fs_no_table);
    g_test_add_func("/vtd/ats/ATS-04/SGN.1", test_fs_non_canonical);
    g_test_add_func("/vtd/ats/ATS-04/SGN.4.2", test_pass_through);
    g_test_add_func("/vtd/ats/ATS-11/pass-through", test_pass_through_size);
    g_test_add_func("/vtd/ats/ATS-04/SGN.6", test_fs_effective);
    g_test_add_data_func("/vtd/ats/ATS-04/SPT.5",
                         GUINT_TO_POINTER(PT_FLAG_EXEC), test_fs_privileged);
    g_test_add_data_func("/vtd/ats/ATS-04/SPT.6",
                         GUINT_TO_POINTER(PT_FLAG_PRIV), test_fs_privileged);
    g_test_add_func("/vtd/ats/ATS-04/disabled", test_disabled);
    g_test_add_data_func("/vtd/ats/ATS-10/priv-exe/read",
                         GUINT_TO_POINTER(PT_OP_READ), test_fault_record);
    g_test_add_data_func("/vtd/ats/ATS-10/priv-exe/write",
                         GUINT_TO_POINTER(PT_OP_WRITE), test_fault_record);
    g_test_add_func("/vtd/ats/ATS-04/SPT.6-SRE", test_supervisor);
    g_test_add_func("/vtd/ats/ATS-02/nwfs", test_no_write);
    g_test_add_func("/vtd/ats/ATS-02/no-nwfs", test_no_nwfs);
    g_test_add_func("/vtd/ats/ATS-03/interrupt-range", test_interrupt_range);
    ret = g_test_run();
    qt30_stop();
    return ret;
}
