/*
 * VT-d: fault recording registers, as many as there are (PRQ-51, PRQ-52)
 *
 * VT-d 7.2.1, 7.3, 11.4.7.1, 11.4.7.6
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/vtd-inv.h"

#define R       PT_RAW_READ
#define L       PT_RAW_LAST
#define PFO     QVTD_FSTS_PFO
#define PPF     QVTD_FSTS_PPF
#define FRI(f)  (((f) >> 8) & 0xff)

/* A machine in which every page request is a fault */
static void start(PriLab *lab, const char *vtd, unsigned int records)
{
    g_autofree char *options = g_strdup_printf("fault-records=%u%s%s", records,
                                               vtd ? "," : "", vtd ?: "");

    pri_lab_start_with(lab, options, NULL, 0);
    g_assert_cmpuint(QVTD_CAP_NFR(lab->v.cap), ==, records);
    qvtd_set(&lab->v, qvtd_context_entry(&lab->v, lab->d.rid), QVTD_CE_PRE, 0);
    qvtd_flush(&lab->v);
}

static void fault(PriLab *lab, unsigned int n)
{
    lab_request(lab, LAB_IOVA + n * 0x1000, R | L, 1);
}

static unsigned int record(PriLab *lab, unsigned int index)
{
    return QVTD_CAP_FRO(lab->v.cap) + index * 16;
}

/* Record @index holds fault @n; or none, if @n is negative */
static void expect(PriLab *lab, unsigned int index, int n)
{
    uint64_t lo = qvtd_readq(&lab->v, record(lab, index));
    uint64_t hi = qvtd_readq(&lab->v, record(lab, index) + 8);

    g_assert_cmpint(hi >> 63, ==, n >= 0);
    if (n >= 0) {
        g_assert_cmphex(lo, ==, LAB_IOVA + n * 0x1000);
        g_assert_cmphex(hi & 0xffff, ==, lab->d.rid);
    }
}

/* As Linux does: the F bit by the highest dword */
static void clear(PriLab *lab, unsigned int index)
{
    qvtd_writel(&lab->v, record(lab, index) + 12, 1U << 31);
}

/* In order; when all are full the next one is lost and sets PFO */
static void test_fill(const void *opaque)
{
    unsigned int n = GPOINTER_TO_UINT(opaque), i;
    PriLab lab;

    start(&lab, NULL, n);
    for (i = 0; i < n; i++) {
        fault(&lab, i);
        g_assert_cmphex(qinv_fsts(&lab.v), ==, PPF);
    }
    fault(&lab, n);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, PPF | PFO);
    for (i = 0; i < n; i++) {
        expect(&lab, i, i);
        clear(&lab, i);
        g_assert_cmphex(qinv_fsts(&lab.v), ==, i < n - 1 ? PPF | PFO : PFO);
    }
    /* nothing is recorded while PFO is set */
    fault(&lab, 7);
    expect(&lab, 0, -1);
    qvtd_writel(&lab.v, QVTD_FSTS, PFO);
    fault(&lab, 8);
    expect(&lab, 0, 8);
    pri_lab_stop(&lab);
}

/* The index goes round; FRI names the first of those that are pending */
static void test_wrap(void)
{
    unsigned int i;
    PriLab lab;

    start(&lab, NULL, 4);
    for (i = 0; i < 3; i++) {
        fault(&lab, i);
    }
    for (i = 0; i < 3; i++) {
        clear(&lab, i);
    }
    g_assert_cmphex(qinv_fsts(&lab.v) & PPF, ==, 0);
    for (i = 10; i < 13; i++) {
        fault(&lab, i);
        g_assert_cmpuint(FRI(qinv_fsts(&lab.v)), ==, 3);
    }
    expect(&lab, 3, 10);
    expect(&lab, 0, 11);
    expect(&lab, 1, 12);
    expect(&lab, 2, -1);
    pri_lab_stop(&lab);
}

/* A record that software has cleared before its time is not used out of turn */
static void test_hole(void)
{
    PriLab lab;

    start(&lab, NULL, 4);
    fault(&lab, 0);
    fault(&lab, 1);
    clear(&lab, 0);
    fault(&lab, 2);
    expect(&lab, 0, -1);
    expect(&lab, 2, 2);
    fault(&lab, 3);
    fault(&lab, 4);
    expect(&lab, 0, 4);
    fault(&lab, 5);
    g_assert_cmphex(qinv_fsts(&lab.v) & PFO, ==, PFO);
    pri_lab_stop(&lab);
}

/* A burst makes one event; the next one comes when all was clear */
static void test_event(void)
{
    PriLab lab;

    start(&lab, NULL, 8);
    qvtd_writel(&lab.v, QVTD_FECTL, 0);
    fault(&lab, 0);
    fault(&lab, 1);
    fault(&lab, 2);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-msis"), ==, 1);
    clear(&lab, 0);
    clear(&lab, 1);
    fault(&lab, 3);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-msis"), ==, 1);
    clear(&lab, 2);
    clear(&lab, 3);
    fault(&lab, 4);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-msis"), ==, 2);
    pri_lab_stop(&lab);
}

/* By qword as well; a write to another part clears nothing */
static void test_clear(void)
{
    PriLab lab;

    start(&lab, NULL, 3);
    fault(&lab, 0);
    fault(&lab, 1);
    qvtd_writeq(&lab.v, record(&lab, 1), UINT64_MAX);
    qvtd_writel(&lab.v, record(&lab, 1) + 8, UINT32_MAX);
    expect(&lab, 1, 1);
    qvtd_writeq(&lab.v, record(&lab, 1) + 8, 1ULL << 63);
    expect(&lab, 1, -1);
    expect(&lab, 0, 0);
    pri_lab_stop(&lab);
}

/* Behind the last one there is nothing */
static void test_beyond(void)
{
    PriLab lab;

    start(&lab, NULL, 2);
    qvtd_writeq(&lab.v, record(&lab, 2), UINT64_MAX);
    qvtd_writeq(&lab.v, record(&lab, 2) + 8, UINT64_MAX);
    g_assert_cmphex(qvtd_readq(&lab.v, record(&lab, 2)), ==, 0);
    g_assert_cmphex(qvtd_readq(&lab.v, record(&lab, 2) + 8), ==, 0);
    pri_lab_stop(&lab);
}

/* The index is 0 again when TES and IRES are both 0, and not for one of them */
static void test_index_restarts(const void *opaque)
{
    bool remapping = GPOINTER_TO_UINT(opaque);
    PriLab lab;

    start(&lab, NULL, 4);
    fault(&lab, 0);
    clear(&lab, 0);
    if (remapping) {
        qvtd_gcmd(&lab.v, QVTD_GCMD_IRE, 0);
    }
    qvtd_gcmd(&lab.v, 0, QVTD_GCMD_TE);
    qvtd_gcmd(&lab.v, QVTD_GCMD_TE, 0);
    fault(&lab, 1);
    expect(&lab, remapping ? 1 : 0, 1);
    pri_lab_stop(&lab);
}

static void add_counts(void)
{
    static const unsigned int counts[] = { 1, 2, 4, 8, 16 };

    for (unsigned int i = 0; i < G_N_ELEMENTS(counts); i++) {
        g_autofree char *name = g_strdup_printf("/vtd/prq/PRQ-51/fill-%u",
                                                counts[i]);

        g_test_add_data_func(name, GUINT_TO_POINTER(counts[i]), test_fill);
    }
}

/*
 * 7.2.1: one pending fault of a function is enough, unless there are page
 * requests (knob fault-collapse, which can say so or not)
 */
static void test_collapse(const void *opaque)
{
    const char *vtd = opaque;
    bool collapse = !strstr(vtd, "collapse=off") && !strstr(vtd, "svm=on");
    PriLab lab;

    pri_lab_start_with(&lab, vtd, NULL, 0);
    for (unsigned int i = 0; i < 2; i++) {
        QPtOp op = {
            .cmd = PT_OP_READ, .flags = PT_FLAG_UNTRANSLATED, .len = 8,
            .src = LAB_IOVA + i * 0x1000,
        };

        g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DMA_ERROR);
    }
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS) & 0xff, ==,
                    collapse ? QVTD_FSTS_PPF :
                    QVTD_FSTS_PPF | QVTD_FSTS_PFO);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    add_counts();
    g_test_add_func("/vtd/prq/PRQ-51/wrap", test_wrap);
    g_test_add_func("/vtd/prq/PRQ-51/hole", test_hole);
    g_test_add_func("/vtd/prq/PRQ-51/event", test_event);
    g_test_add_func("/vtd/prq/PRQ-51/clear", test_clear);
    g_test_add_func("/vtd/prq/PRQ-51/beyond", test_beyond);
    g_test_add_data_func("/vtd/prq/PRQ-52/translation-off", GUINT_TO_POINTER(0),
                         test_index_restarts);
    g_test_add_data_func("/vtd/prq/PRQ-52/remapping-on", GUINT_TO_POINTER(1),
                         test_index_restarts);
    g_test_add_data_func("/vtd/prq/PRQ-51/collapse-auto", "svm=on",
                         test_collapse);
    g_test_add_data_func("/vtd/prq/PRQ-51/collapse-auto-no-prs", "svm=off",
                         test_collapse);
    g_test_add_data_func("/vtd/prq/PRQ-51/collapse-off-no-prs",
                         "svm=off,fault-collapse=off", test_collapse);
    return g_test_run();
}
