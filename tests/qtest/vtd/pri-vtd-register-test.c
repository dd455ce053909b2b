/*
 * VT-d: registers beside those of page requests (REG-01 to REG-04, REG-06), and
 * what a Translation Disable does to caches (QI-58)
 *
 * VT-d 11.2 to 11.4.10
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/vtd-inv.h"

#define CCMD            0x28
#define CCMD_DONE       (1ULL << 63 | 3ULL << 59)       /* ICC, CAIG */
#define IOTLB_DONE      (1ULL << 63 | 3ULL << 57)       /* IVT, IAIG */
#define PAGE_SIZE       0x1000
#define QVTD_ECAP_IR    (1ULL << 3)
#define ECAP_IRO(ecap)  ((((ecap) >> 8) & 0x3ff) * 16)

/* Bits above the host address width need not be there */
#define HAW_MASK        0x00007fffffffffffULL

/* -- REG-01: reset values and what software can write ---------------------- */

typedef struct Reg {
    const char *name;
    unsigned int offset;
    unsigned int size;
    uint64_t reset;
    uint64_t writable;
    uint64_t if_ecap;           /* writable with this bit of ECAP alone */
} Reg;

/* GCMD is write-only, CCMD and IOTLB_REG are commands: not here */
static const Reg regs[] = {
    { "GSTS", QVTD_GSTS, 4, 0, 0 },
    { "RTADDR", QVTD_RTADDR, 8, 0, 0xfffffffffffffc00ULL },
    { "reserved 30h", 0x30, 4, 0, 0 },
    { "FSTS", QVTD_FSTS, 4, 0, 0 },
    { "FECTL", QVTD_FECTL, 4, QVTD_EVENT_IM, QVTD_EVENT_IM },
    { "FEDATA", QVTD_FEDATA, 4, 0, 0xffff },
    { "FEADDR", QVTD_FEADDR, 4, 0, 0xfffffffc },
    { "FEUADDR", QVTD_FEUADDR, 4, 0, 0xffffffff, QVTD_ECAP_EIM },
    { "PMEN", 0x64, 4, 0, 0 },
    { "PLMBASE", 0x68, 4, 0, 0 },
    { "PLMLIMIT", 0x6c, 4, 0, 0 },
    { "PHMBASE", 0x70, 8, 0, 0 },
    { "PHMLIMIT", 0x78, 8, 0, 0 },
    { "IQH", QVTD_IQH, 8, 0, 0 },
    { "IQT", QVTD_IQT, 8, 0, 0x7fff0 },
    { "IQA", QVTD_IQA, 8, 0, 0xfffffffffffff807ULL },
    { "reserved 98h", 0x98, 4, 0, 0 },
    { "ICS", QVTD_ICS, 4, 0, 0 },
    { "IECTL", QVTD_IECTL, 4, QVTD_EVENT_IM, QVTD_EVENT_IM },
    { "IEDATA", QVTD_IEDATA, 4, 0, 0xffff },
    { "IEADDR", QVTD_IEADDR, 4, 0, 0xfffffffc },
    { "IEUADDR", QVTD_IEUADDR, 4, 0, 0xffffffff, QVTD_ECAP_EIM },
    { "IQERCD", QVTD_IQERCD, 8, 0, 0 },
    { "IRTA", QVTD_IRTA, 8, 0, 0xfffffffffffff00fULL, QVTD_ECAP_IR },
    { "reserved d8h", 0xd8, 4, 0, 0 },
};

static uint64_t reg_read(QVtd *v, const Reg *reg)
{
    return reg->size == 8 ? qvtd_readq(v, reg->offset) :
                            qvtd_readl(v, reg->offset);
}

static void reg_write(QVtd *v, const Reg *reg, uint64_t value)
{
    if (reg->size == 8) {
        qvtd_writeq(v, reg->offset, value);
    } else {
        qvtd_writel(v, reg->offset, value);
    }
}

static void check_reg(QVtd *v, const Reg *reg)
{
    static const uint64_t patterns[] = {
        UINT64_MAX, 0xaaaaaaaaaaaaaaaaULL, 0x5555555555555555ULL, 0,
    };
    uint64_t writable = reg->if_ecap && !(v->ecap & reg->if_ecap) ?
                        0 : reg->writable;
    uint64_t fixed = reg->reset & ~writable;
    uint64_t value = reg_read(v, reg);

    if (reg->offset == QVTD_IRTA && v->ecap & QVTD_ECAP_EIM) {
        writable |= 1 << 11;                            /* EIME */
    }
    if (value != reg->reset) {
        g_test_message("%s is 0x%" PRIx64, reg->name, value);
        g_test_fail();
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(patterns); i++) {
        reg_write(v, reg, patterns[i]);
        value = reg_read(v, reg);
        if ((value ^ (fixed | (patterns[i] & writable))) & HAW_MASK) {
            g_test_message("%s: wrote 0x%" PRIx64 ", read 0x%" PRIx64,
                           reg->name, patterns[i], value);
            g_test_fail();
        }
    }
}

/* REG-02: with other capabilities other bits can be written */
static void test_registers(const void *vtd)
{
    PriLab lab;

    pri_lab_boot(&lab, vtd, NULL, 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(regs); i++) {
        check_reg(&lab.v, &regs[i]);
    }
    pri_lab_stop(&lab);
}

/* 11.4: what is in the page and in no table is reserved */
static bool is_register(QVtd *v, unsigned int at)
{
    unsigned int iotlb = ECAP_IRO(v->ecap), frcd = QVTD_CAP_FRO(v->cap);

    return at < QVTD_PEUADDR + 4 || (at >= iotlb && at < iotlb + 16) ||
           (at >= frcd && at < frcd + QVTD_CAP_NFR(v->cap) * 16);
}

static void test_reserved(void)
{
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, 0);
    for (unsigned int at = 0; at < PAGE_SIZE; at += 4) {
        if (!is_register(&lab.v, at)) {
            qvtd_writel(&lab.v, at, UINT32_MAX);
            g_assert_cmphex(qvtd_readl(&lab.v, at), ==, 0);
        }
    }
    pri_lab_stop(&lab);
}

/* 11.4.1 to 11.4.3 */
static void test_read_only(void)
{
    static const unsigned int offsets[] = {
        QVTD_VER, QVTD_CAP, QVTD_CAP + 4, QVTD_ECAP, QVTD_ECAP + 4
    };
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(offsets); i++) {
        uint32_t value = qvtd_readl(&lab.v, offsets[i]);

        qvtd_writel(&lab.v, offsets[i], ~value);
        g_assert_cmphex(qvtd_readl(&lab.v, offsets[i]), ==, value);
    }
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_VER) >> 8, ==, 0);
    pri_lab_stop(&lab);
}

/* 11.4.4.1: a command of what is not there does nothing */
static void test_no_interrupt_remapping(void)
{
    PriLab lab;

    pri_lab_boot(&lab, "intremap=off", NULL, 0);
    g_assert_cmphex(lab.v.ecap & QVTD_ECAP_IR, ==, 0);
    qvtd_writel(&lab.v, QVTD_GCMD, QVTD_GCMD_SIRTP);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_GSTS), ==, 0);
    qvtd_writel(&lab.v, QVTD_GCMD, QVTD_GCMD_IRE);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_GSTS), ==, 0);
    pri_lab_stop(&lab);
}

/* -- REG-03: register-based invalidation, 11.4.6 --------------------------- */

/* Ask for a global invalidation in @mode; CAIG and IAIG say what was done */
static void test_register_invalidation(const void *opaque)
{
    unsigned int ttm = GPOINTER_TO_UINT(opaque);
    uint64_t done = ttm == QVTD_TTM_LEGACY ? 1 : 0, value;
    unsigned int iotlb;
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, 0);
    iotlb = ECAP_IRO(lab.v.ecap) + 8;
    qvtd_set_root(&lab.v, qvtd_alloc(&lab.v, 1), ttm);
    qvtd_writeq(&lab.v, CCMD, 1ULL << 63 | 1ULL << 61);
    value = qvtd_readq(&lab.v, CCMD);
    g_assert_cmphex(value >> 63, ==, 0);
    g_assert_cmphex((value >> 59) & 3, ==, done);
    qvtd_writeq(&lab.v, iotlb, 1ULL << 63 | 1ULL << 60);
    value = qvtd_readq(&lab.v, iotlb);
    g_assert_cmphex(value >> 63, ==, 0);
    g_assert_cmphex((value >> 57) & 3, ==, done);
    /* by dwords, the upper one starts it; granularity 00b is an error */
    qvtd_writel(&lab.v, CCMD, 0);
    qvtd_writel(&lab.v, CCMD + 4, 1U << 31);
    g_assert_cmphex(qvtd_readl(&lab.v, CCMD + 4) & 0x98000000, ==, 0);
    qvtd_writel(&lab.v, iotlb, 0);
    qvtd_writel(&lab.v, iotlb + 4, 1U << 31);
    g_assert_cmphex(qvtd_readl(&lab.v, iotlb + 4) & 0x86000000, ==, 0);
    pri_lab_stop(&lab);
}

/*
 * 6.5.1: only while queued invalidation is not enabled.  It ends all the same,
 * and says that nothing was done.
 */
static void test_register_invalidation_with_queue(void)
{
    unsigned int iotlb;
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, 0);
    iotlb = ECAP_IRO(lab.v.ecap) + 8;
    qvtd_set_root(&lab.v, qvtd_alloc(&lab.v, 1), QVTD_TTM_LEGACY);
    qvtd_qi_start(&lab.v, 0, false);
    qvtd_writeq(&lab.v, CCMD, 1ULL << 63 | 1ULL << 61);
    g_assert_cmphex(qvtd_readq(&lab.v, CCMD) & CCMD_DONE, ==, 0);
    qvtd_writeq(&lab.v, iotlb, 1ULL << 63 | 1ULL << 60);
    g_assert_cmphex(qvtd_readq(&lab.v, iotlb) & IOTLB_DONE, ==, 0);
    /* and it is one again without the queue */
    qvtd_gcmd(&lab.v, 0, QVTD_GCMD_QIE);
    qvtd_writeq(&lab.v, CCMD, 1ULL << 63 | 1ULL << 61);
    g_assert_cmphex(qvtd_readq(&lab.v, CCMD) & CCMD_DONE, ==, 1ULL << 59);
    qvtd_writeq(&lab.v, iotlb, 1ULL << 63 | 1ULL << 60);
    g_assert_cmphex(qvtd_readq(&lab.v, iotlb) & IOTLB_DONE, ==, 1ULL << 57);
    pri_lab_stop(&lab);
}

/* -- REG-04: a qword that 11.2 does not allow ------------------------------ */

/* The upper half is not written, so that no bit goes without what it does */
static void test_qword_at_fsts(void)
{
    PriLab lab;

    qinv_start(&lab, NULL, NULL);
    qvtd_submit(&lab.v, qinv_desc_type(0x7f));
    g_assert_cmphex(qinv_fsts(&lab.v), ==, QVTD_FSTS_IQE);
    qvtd_writeq(&lab.v, QVTD_FSTS - 4, UINT64_MAX);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, QVTD_FSTS_IQE);
    pri_lab_stop(&lab);
}

static void test_qword_at_ics(void)
{
    PriLab lab;

    qinv_start(&lab, NULL, NULL);
    qinv_put_wait(&lab.v, QVTD_WAIT_IF);
    qvtd_qi_ring(&lab.v);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_ICS), ==, 1);
    qvtd_writeq(&lab.v, QVTD_ICS - 4, UINT64_MAX);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_ICS), ==, 1);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_IECTL), ==,
                    QVTD_EVENT_IM | QVTD_EVENT_IP);
    pri_lab_stop(&lab);
}

/* -- REG-06: only a Power Good Reset initializes sticky registers, 11.3 ---- */

#define RECORDS         2

static const struct {
    const char *name;
    unsigned int offset;
} sticky[] = {
    { "FSTS", QVTD_FSTS }, { "ICS", QVTD_ICS }, { "IQERCD", QVTD_IQERCD },
    { "SIDs of IQERCD", QVTD_IQERCD + 4 }, { "PRS", QVTD_PRS },
};

static void read_sticky(QVtd *v, uint32_t *regs, uint64_t *records)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(sticky); i++) {
        regs[i] = qvtd_readl(v, sticky[i].offset);
    }
    for (unsigned int i = 0; i < RECORDS * 2; i++) {
        records[i] = qvtd_readq(v, QVTD_CAP_FRO(v->cap) + i * 8);
    }
}

/* A full page request queue, records and none left, an error of each kind */
static void make_errors(PriLab *lab)
{
    lab_fill(lab);
    lab_request(lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, 1);
    qvtd_set(&lab->v, qvtd_context_entry(&lab->v, lab->d.rid), QVTD_CE_PRE, 0);
    qvtd_flush(&lab->v);
    for (unsigned int i = 0; i <= RECORDS; i++) {
        lab_request(lab, LAB_IOVA + i * PAGE_SIZE, PT_RAW_READ, 2);
    }
    qvtd_wait(&lab->v, QVTD_WAIT_IF);
    qinv_put_dev_tlb(&lab->v, QINV_ABSENT);
    qvtd_submit(&lab->v, qinv_desc_type(0x7f));
    qtest_clock_step(lab->qts, 100 * QINV_MS * 1000);
    g_assert_cmphex(qinv_fsts(&lab->v) & 0xff, ==,
                    QVTD_FSTS_PFO | QVTD_FSTS_PPF | QVTD_FSTS_IQE |
                    QVTD_FSTS_ITE);
    g_assert_cmphex(qinv_itesid(&lab->v), ==, QINV_ABSENT);
}

/* The errors are still there for the queue, too */
static void check_queue(QVtd *v)
{
    uint32_t slot;

    qvtd_set_root(v, qvtd_alloc(v, 1), QVTD_TTM_SCALABLE);
    qvtd_qi_start(v, 0, true);
    slot = qinv_put_wait(v, QVTD_WAIT_SW);
    qvtd_qi_ring(v);
    g_assert_false(qvtd_wait_done(v, slot));
    qvtd_writel(v, QVTD_FSTS, QVTD_FSTS_IQE);
    g_assert_false(qvtd_wait_done(v, slot));
    qvtd_writel(v, QVTD_FSTS, QVTD_FSTS_ITE);
    g_assert_true(qvtd_wait_done(v, slot));
}

static void test_sticky(const void *opaque)
{
    bool on = GPOINTER_TO_UINT(opaque);
    uint32_t before[ARRAY_SIZE(sticky)], after[ARRAY_SIZE(sticky)];
    uint64_t records[RECORDS * 2], now[RECORDS * 2];
    PriLab lab;

    pri_lab_start_with(&lab, on ? "sticky-on-reset=on,fault-records=2" :
                       "fault-records=2", NULL, 0);
    make_errors(&lab);
    read_sticky(&lab.v, before, records);
    lab_reset(&lab);
    read_sticky(&lab.v, after, now);
    for (unsigned int i = 0; i < ARRAY_SIZE(sticky); i++) {
        g_assert_cmphex(before[i], !=, 0);
        if (after[i] != (on ? before[i] : 0)) {
            g_test_message("%s was 0x%x and is 0x%x", sticky[i].name,
                           before[i], after[i]);
            g_test_fail();
        }
    }
    for (unsigned int i = 0; i < RECORDS * 2; i++) {
        g_assert_cmphex(records[i], !=, 0);
        g_assert_cmphex(now[i], ==, on ? records[i] : 0);
    }
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FECTL), ==, QVTD_EVENT_IM);
    if (on) {
        check_queue(&lab.v);
    }
    pri_lab_stop(&lab);
}

/* -- QI-58: Translation Disable drops every cache -------------------------- */

static bool request(PriLab *lab)
{
    bool queued;

    lab_request(lab, LAB_IOVA, PT_RAW_READ, 1);
    queued = qvtd_prq_pending(&lab->v) == 1;
    qvtd_prq_drop_all(&lab->v);
    return queued;
}

/*
 * 11.4.4.1.  Software must set the root table pointer before it enables
 * translation again; that drops them too, and is left out here.
 */
static void test_translation_disable(const void *opaque)
{
    bool context = GPOINTER_TO_UINT(opaque);
    uint64_t entry;
    PriLab lab;

    pri_lab_start_with(&lab, "sm-cache=on", NULL, 0);
    entry = context ? qvtd_context_entry(&lab.v, lab.d.rid) :
                      qvtd_pasid_entry(&lab.v, lab.d.rid, LAB_PASID);
    g_assert_true(request(&lab));
    qvtd_set(&lab.v, entry, context ? QVTD_CE_PRE : QVTD_PE_P, 0);
    g_assert_true(request(&lab));
    qvtd_gcmd(&lab.v, 0, QVTD_GCMD_TE);
    qvtd_gcmd(&lab.v, QVTD_GCMD_TE, 0);
    g_assert_false(request(&lab));
    pri_lab_stop(&lab);
}

/* -- QI-01: the tail counts in descriptors of the width that IQA says ------ */

static void test_tail_before_width(void)
{
    uint64_t status;
    PriLab lab;
    QVtd *v = &lab.v;

    pri_lab_boot(&lab, NULL, NULL, 0);
    v->iq = qvtd_alloc(v, 1);
    status = qvtd_alloc(v, 1);
    qtest_writeq(lab.qts, v->iq,
                 0x12345678ULL << 32 | QVTD_WAIT_SW | QINV_WAIT);
    qtest_writeq(lab.qts, v->iq + 8, status);
    qvtd_set_root(v, qvtd_alloc(v, 1), QVTD_TTM_SCALABLE);
    /* one descriptor of 256 bits, and the tail written first */
    qvtd_writeq(v, QVTD_IQT, 0x20);
    qvtd_writeq(v, QVTD_IQA, v->iq | QVTD_IQA_DW);
    qvtd_writel(v, QVTD_GCMD, QVTD_GCMD_QIE);
    g_assert_cmphex(qvtd_readq(v, QVTD_IQH), ==, 0x20);
    g_assert_cmphex(qtest_readl(lab.qts, status), ==, 0x12345678);
    g_assert_cmphex(qinv_fsts(v), ==, 0);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    static const char *const machines[] = {
        NULL, "intremap=off", "eim=on", "svm=off,x-pasid-mode=off",
    };

    pri_lab_test_init(&argc, &argv);
    for (unsigned int i = 0; i < ARRAY_SIZE(machines); i++) {
        g_autofree char *name = g_strdup_printf(
            "/vtd/reg/REG-01/REG-02/%s", machines[i] ?: "default");

        g_test_add_data_func(name, machines[i], test_registers);
    }
    g_test_add_func("/vtd/reg/REG-01/reserved", test_reserved);
    g_test_add_func("/vtd/reg/REG-01/read-only", test_read_only);
    g_test_add_func("/vtd/reg/REG-02/no-interrupt-remapping",
                    test_no_interrupt_remapping);
    g_test_add_data_func("/vtd/reg/REG-03/legacy",
                         GUINT_TO_POINTER(QVTD_TTM_LEGACY),
                         test_register_invalidation);
    g_test_add_data_func("/vtd/reg/REG-03/scalable",
                         GUINT_TO_POINTER(QVTD_TTM_SCALABLE),
                         test_register_invalidation);
    g_test_add_func("/vtd/reg/REG-03/queue",
                    test_register_invalidation_with_queue);
    g_test_add_func("/vtd/reg/REG-04/fsts", test_qword_at_fsts);
    g_test_add_func("/vtd/reg/REG-04/ics", test_qword_at_ics);
    g_test_add_data_func("/vtd/reg/REG-06/sticky", GUINT_TO_POINTER(true),
                         test_sticky);
    g_test_add_data_func("/vtd/reg/REG-06/power-on", GUINT_TO_POINTER(false),
                         test_sticky);
    g_test_add_data_func("/vtd/qi/QI-58/context", GUINT_TO_POINTER(true),
                         test_translation_disable);
    g_test_add_data_func("/vtd/qi/QI-58/pasid", GUINT_TO_POINTER(false),
                         test_translation_disable);
    g_test_add_func("/vtd/qi/QI-01/tail-before-width", test_tail_before_width);
    return g_test_run();
}
