/*
 * VT-d device-TLB invalidation: completions that are late, missing, too many
 * or wrong, and functions that go away (QI-10 to QI-12, QI-21, QI-22, QI-24,
 * QI-25, QI-31, QI-39)
 *
 * VT-d 4.3, 6.5.2.11, 6.5.2.12; PCIe 6.2 10.3
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-state.h"
#include "libqos/vtd-inv.h"

#define SW      QVTD_WAIT_SW
#define IQE     QVTD_FSTS_IQE
#define ICE     QVTD_FSTS_ICE
#define ITE     QVTD_FSTS_ITE
#define TIMEOUT "ite-timeout-ms=100"
#define DEEP    TIMEOUT ",wait-depth=8"

static void put(PriLab *lab)
{
    qinv_put_dev_tlb(&lab->v, lab->d.rid);
}

static void set(PriLab *lab, const char *knob, const char *json)
{
    g_autofree char *cmd = g_strdup_printf(
        "{ 'execute': 'qom-set', 'arguments': { 'path': "
        "'/machine/peripheral/pt0', 'property': '%s', 'value': %s } }",
        knob, json);
    QDict *rsp;

    qtest_qmp_send_raw(lab->qts, "%s", cmd);
    rsp = qtest_qmp_receive(lab->qts);
    g_assert_true(qdict_haskey(rsp, "return"));
    qobject_unref(rsp);
}

static void step_ms(PriLab *lab, int64_t ms)
{
    qtest_clock_step(lab->qts, ms * QINV_MS);
}

static uint32_t fsts(PriLab *lab)
{
    return qinv_fsts(&lab->v);
}

/* -- QI-10: an invalidation ahead of the bad descriptor -------------------- */

static void test_ahead_of_iqe(void)
{
    uint32_t ahead, behind;
    PriLab lab;

    qinv_start(&lab, DEEP, "inv-reply=hold");
    put(&lab);
    ahead = qinv_put_wait(&lab.v, SW);
    qinv_put(&lab.v, qinv_desc_type(0));
    behind = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmphex(fsts(&lab), ==, IQE);
    g_assert_false(qvtd_wait_done(&lab.v, ahead));
    set(&lab, "inv-release", "1");
    g_assert_true(qvtd_wait_done(&lab.v, ahead));
    g_assert_false(qvtd_wait_done(&lab.v, behind));
    g_assert_cmphex(fsts(&lab), ==, IQE);
    g_assert_cmpuint(qinv_head(&lab.v), ==, 2);
    pri_lab_stop(&lab);
}

/* -- QI-11: ICE ------------------------------------------------------------ */

/* An ITag that is not in use: reported, and all goes on */
static void test_wrong_itag(void)
{
    uint32_t first, second;
    PriLab lab;

    qinv_start(&lab, DEEP, NULL);
    set(&lab, "inv-reply", "'wrong-itag'");
    put(&lab);
    first = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmphex(fsts(&lab), ==, ICE);
    g_assert_cmphex(qinv_icesid(&lab.v), ==, lab.d.rid);
    g_assert_cmpuint(qinv_count(&lab, "unexpected"), ==, 1);
    g_assert_cmpuint(qinv_count(&lab, "completions"), ==, 0);
    g_assert_false(qvtd_wait_done(&lab.v, first));

    /* with ICE set, descriptors are fetched and completions are taken */
    set(&lab, "inv-reply", "'complete'");
    put(&lab);
    second = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_true(qvtd_qi_idle(&lab.v));
    g_assert_cmpuint(qinv_count(&lab, "completions"), ==, 1);
    g_assert_false(qvtd_wait_done(&lab.v, second));

    /* the first one was never completed */
    step_ms(&lab, 101);
    g_assert_cmphex(fsts(&lab), ==, ICE | ITE);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, lab.d.rid);
    g_assert_false(qvtd_wait_done(&lab.v, first));
    qinv_clear(&lab, ITE);
    g_assert_cmphex(fsts(&lab), ==, ICE);
    qvtd_wait(&lab.v, 0);
    pri_lab_stop(&lab);
}

/*
 * One message for two ITags, the lower of which is not in use: the other is
 * completed all the same, unless hardware is of the old kind (VT-d 4.3)
 */
static void test_vector(const void *opaque)
{
    bool legacy = opaque;
    uint32_t slot;
    PriLab lab;

    qinv_start(&lab, legacy ? DEEP ",ice-legacy=on" : DEEP, "inv-reply=hold");
    put(&lab);
    put(&lab);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    set(&lab, "inv-vector", "1");
    g_assert_cmphex(fsts(&lab), ==, 0);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    set(&lab, "inv-vector", "3");
    g_assert_cmphex(fsts(&lab), ==, ICE);
    g_assert_cmphex(qinv_icesid(&lab.v), ==, lab.d.rid);
    g_assert_cmpuint(qinv_count(&lab, "completions"), ==, legacy ? 1 : 2);
    g_assert_true(qvtd_wait_done(&lab.v, slot) == !legacy);
    pri_lab_stop(&lab);
}

/* One message completes several ITags */
static void test_coalesced(void)
{
    uint32_t slot;
    PriLab lab;

    qinv_start(&lab, DEEP, "inv-reply=hold");
    for (unsigned int i = 0; i < 32; i++) {
        put(&lab);
    }
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    set(&lab, "inv-vector", "4294967294");
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    set(&lab, "inv-vector", "1");
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(fsts(&lab), ==, 0);
    g_assert_cmpuint(qinv_count(&lab, "completions"), ==, 32);
    pri_lab_stop(&lab);
}

/* A function in D3hot: it answers, or may lose the request (PCIe 10.3.1) */
static void test_d3(const void *opaque)
{
    bool drop = opaque;
    unsigned int pmcsr;
    uint32_t slot;
    PriLab lab;

    qinv_start(&lab, TIMEOUT, drop ? "inv-in-d3=drop" : NULL);
    for (pmcsr = qpt_config_readw(&lab.d, 0x34) & 0xff;
         (qpt_config_readw(&lab.d, pmcsr) & 0xff) != 1;
         pmcsr = qpt_config_readw(&lab.d, pmcsr) >> 8) {
        g_assert_cmpuint(pmcsr, !=, 0);
    }
    pmcsr += 4;
    qpt_config_writew(&lab.d, pmcsr, 3);
    g_assert_cmphex(qpt_config_readw(&lab.d, pmcsr) & 3, ==, 3);
    put(&lab);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_true(qvtd_wait_done(&lab.v, slot) == !drop);
    step_ms(&lab, 101);
    g_assert_cmphex(fsts(&lab), ==, drop ? ITE : 0);
    qpt_config_writew(&lab.d, pmcsr, 0);
    qinv_clear(&lab, ITE);
    put(&lab);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

/* The right ITag of the wrong function; ICESID is who sent it */
static void test_wrong_source(void)
{
    uint32_t slot;
    PriLab lab;

    qinv_start(&lab, DEEP, "inv-reply=wrong-rid");
    put(&lab);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmphex(fsts(&lab), ==, ICE);
    g_assert_cmphex(qinv_icesid(&lab.v), ==, lab.d.rid ^ 1);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    step_ms(&lab, 101);
    g_assert_cmphex(fsts(&lab), ==, ICE | ITE);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, lab.d.rid);
    pri_lab_stop(&lab);
}

/*
 * ITags are a function's own: where that other function has this ITag in use,
 * it is the other's invalidation that is complete
 */
static void test_wrong_source_waits(void)
{
    PriLab lab;

    qinv_start(&lab, DEEP, "inv-reply=wrong-rid");
    qinv_put_dev_tlb(&lab.v, lab.d.rid ^ 1);
    put(&lab);
    qvtd_qi_ring(&lab.v);
    g_assert_cmphex(fsts(&lab), ==, 0);
    g_assert_cmpuint(qinv_count(&lab, "completions"), ==, 1);
    step_ms(&lab, 101);
    g_assert_cmphex(fsts(&lab), ==, ITE);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, lab.d.rid);
    g_assert_cmpuint(qinv_count(&lab, "timeouts"), ==, 1);
    pri_lab_stop(&lab);
}

/* ICESID is that of the first, until ICE is cleared; one event */
static void test_icesid_of_first(void)
{
    PriLab lab;

    qinv_start(&lab, DEEP, NULL);
    qvtd_writel(&lab.v, QVTD_FECTL, 0);
    set(&lab, "inv-reply", "'wrong-itag'");
    put(&lab);
    qvtd_qi_ring(&lab.v);
    g_assert_cmphex(qinv_icesid(&lab.v), ==, lab.d.rid);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-msis"), ==, 1);
    g_assert_cmphex(qvtd_counter(&lab.v, "x-last-msi-data"), ==,
                    LAB_FE_VECTOR);
    set(&lab, "inv-reply", "'wrong-rid'");
    put(&lab);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qinv_count(&lab, "unexpected"), ==, 2);
    g_assert_cmphex(qinv_icesid(&lab.v), ==, lab.d.rid);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-msis"), ==, 1);
    qinv_clear(&lab, ICE);
    put(&lab);
    qvtd_qi_ring(&lab.v);
    g_assert_cmphex(qinv_icesid(&lab.v), ==, lab.d.rid ^ 1);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-msis"), ==, 2);
    pri_lab_stop(&lab);
}

/* -- QI-12: completions while ITE is set ----------------------------------- */

static void test_completion_during_ite(void)
{
    PriLab lab;

    qinv_start(&lab, DEEP, "inv-reply=hold");
    qinv_put_dev_tlb(&lab.v, QINV_ABSENT);
    qvtd_qi_ring(&lab.v);
    step_ms(&lab, 50);
    put(&lab);
    qvtd_qi_ring(&lab.v);
    step_ms(&lab, 51);
    g_assert_cmphex(fsts(&lab), ==, ITE);
    set(&lab, "inv-release", "1");
    g_assert_cmphex(fsts(&lab), ==, ITE);
    g_assert_cmpuint(qinv_count(&lab, "completions"), ==, 1);
    qinv_clear(&lab, ITE);
    qvtd_wait(&lab.v, 0);
    step_ms(&lab, 1000);
    g_assert_cmphex(fsts(&lab), ==, 0);
    g_assert_cmpuint(qinv_count(&lab, "timeouts"), ==, 1);
    pri_lab_stop(&lab);
}

/* -- QI-21: a free ITag lets a deferred request go ------------------------- */

static void test_deferred_goes_on(void)
{
    unsigned int i;
    uint32_t slot;
    PriLab lab;

    qinv_start(&lab, NULL, "inv-reply=hold");
    for (i = 0; i < 40; i++) {
        put(&lab);
    }
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_INV_REQUESTS), ==, 32);
    for (i = 0; i < 40; i++) {
        g_assert_false(qvtd_wait_done(&lab.v, slot));
        /* in any order */
        set(&lab, i % 3 ? "inv-release-last" : "inv-release", "1");
        g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_INV_REQUESTS), ==,
                         MIN(33 + i, 40));
    }
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    g_assert_true(qvtd_qi_idle(&lab.v));
    g_assert_cmphex(fsts(&lab), ==, 0);
    g_assert_cmpuint(qinv_count(&lab, "completions"), ==, 40);
    pri_lab_stop(&lab);
}

/* -- QI-22: Completion Count; 8 is 0 on the wire --------------------------- */

static void test_copies(const void *opaque)
{
    unsigned int n = GPOINTER_TO_UINT(opaque);
    g_autofree char *dev = g_strdup_printf("inv-copies=%u", n);
    PriLab lab;

    qinv_start(&lab, TIMEOUT, dev);
    put(&lab);
    qvtd_wait(&lab.v, 0);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_INV_COMPLETIONS), ==, n);
    g_assert_cmpuint(qinv_count(&lab, "completions"), ==, 1);
    step_ms(&lab, 1000);
    g_assert_cmphex(fsts(&lab), ==, 0);
    pri_lab_stop(&lab);
}

static void test_copy_missing(const void *opaque)
{
    unsigned int n = GPOINTER_TO_UINT(opaque);
    g_autofree char *dev = g_strdup_printf("inv-copies=%u,inv-short=1", n);
    uint32_t slot;
    PriLab lab;

    qinv_start(&lab, TIMEOUT, dev);
    put(&lab);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_INV_COMPLETIONS), ==, n - 1);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(fsts(&lab), ==, 0);
    step_ms(&lab, 101);
    g_assert_cmphex(fsts(&lab), ==, ITE);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, lab.d.rid);
    pri_lab_stop(&lab);
}

static void test_copy_too_many(const void *opaque)
{
    unsigned int n = GPOINTER_TO_UINT(opaque);
    g_autofree char *dev = g_strdup_printf("inv-copies=%u,inv-extra=1", n);
    PriLab lab;

    qinv_start(&lab, TIMEOUT, dev);
    put(&lab);
    qvtd_wait(&lab.v, 0);
    g_assert_cmphex(fsts(&lab), ==, ICE);
    g_assert_cmphex(qinv_icesid(&lab.v), ==, lab.d.rid);
    g_assert_cmpuint(qinv_count(&lab, "completions"), ==, 1);
    g_assert_cmpuint(qinv_count(&lab, "unexpected"), ==, 1);
    pri_lab_stop(&lab);
}

/* Copies are counted by ITag: those of one do not complete the other */
static void test_copies_by_itag(void)
{
    uint32_t slot;
    PriLab lab;

    qinv_start(&lab, TIMEOUT, "inv-copies=3,inv-short=1");
    put(&lab);
    put(&lab);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_INV_COMPLETIONS), ==, 4);
    g_assert_cmpuint(qinv_count(&lab, "completions"), ==, 0);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(fsts(&lab), ==, 0);
    pri_lab_stop(&lab);
}

/*
 * An ITag that is used again starts to count again, though others of the
 * function were in use all the time
 */
static void test_copies_anew(void)
{
    uint32_t slot;
    PriLab lab;

    qinv_start(&lab, TIMEOUT, "inv-copies=2,inv-short=1");
    put(&lab);
    qvtd_qi_ring(&lab.v);
    step_ms(&lab, 50);
    put(&lab);
    qvtd_qi_ring(&lab.v);
    step_ms(&lab, 51);
    g_assert_cmphex(fsts(&lab), ==, ITE);
    g_assert_cmpuint(qinv_count(&lab, "timeouts"), ==, 1);
    qinv_clear(&lab, ITE);
    put(&lab);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qinv_count(&lab, "completions"), ==, 0);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

/* -- QI-39: the function answers after 100 ms ------------------------------ */

static void add_copies(void)
{
    unsigned int n;

    for (n = 1; n <= 8; n++) {
        gpointer arg = GUINT_TO_POINTER(n);
        g_autofree char *all = g_strdup_printf("/vtd/qi/QI-22/copies-%u", n);
        g_autofree char *few = g_strdup_printf("/vtd/qi/QI-22/missing-%u", n);
        g_autofree char *many = g_strdup_printf("/vtd/qi/QI-22/too-many-%u",
                                                n);

        g_test_add_data_func(all, arg, test_copies);
        g_test_add_data_func(few, arg, test_copy_missing);
        g_test_add_data_func(many, arg, test_copy_too_many);
    }
}

/* Knob cpl-drop counts completions, and those before it are taken */
static void test_drop_second(void)
{
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, "ite-timeout-ms=100", NULL, 0);
    qvtd_qi_start(&lab.v, 0, true);
    for (unsigned int n = 0; n < 2; n++) {
        qinv_put_dev_tlb(&lab.v, lab.d.rid);
        slot = qinv_put_wait(&lab.v, QVTD_WAIT_SW);
        qvtd_qi_ring(&lab.v);
        g_assert_true(qvtd_wait_done(&lab.v, slot));
        g_assert_cmpuint(qvtd_counter(&lab.v, "cpl-drop"), ==, 0);
        qvtd_set_property(&lab.v, "cpl-drop", "2");
        qinv_put_dev_tlb(&lab.v, lab.d.rid);
        slot = qinv_put_wait(&lab.v, QVTD_WAIT_SW);
        qvtd_qi_ring(&lab.v);
        g_assert_true(qvtd_wait_done(&lab.v, slot));
        qinv_put_dev_tlb(&lab.v, lab.d.rid);
        slot = qinv_put_wait(&lab.v, QVTD_WAIT_SW);
        qvtd_qi_ring(&lab.v);
        g_assert_false(qvtd_wait_done(&lab.v, slot));
        qtest_clock_step(lab.qts, 101 * QINV_MS);
        g_assert_cmphex(qinv_fsts(&lab.v), ==, QVTD_FSTS_ITE);
        qinv_clear(&lab, QVTD_FSTS_ITE);
    }
    pri_lab_stop(&lab);
}

/* Without page requests nobody waits for a function that does not exist */
static void test_absent_without_prs(void)
{
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, "svm=off", NULL, 0);
    g_assert_cmphex(lab.v.ecap & QVTD_ECAP_PRS, ==, 0);
    qvtd_qi_start(&lab.v, 0, true);
    qinv_put_dev_tlb(&lab.v, QINV_ABSENT);
    slot = qinv_put_wait(&lab.v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab.v);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    g_test_add_func("/vtd/qi/QI-10/device-ahead-completes",
                    test_ahead_of_iqe);
    g_test_add_func("/vtd/qi/QI-11/wrong-itag", test_wrong_itag);
    g_test_add_data_func("/vtd/qi/QI-11/vector", NULL, test_vector);
    g_test_add_data_func("/vtd/qi/QI-11/vector-ice-legacy",
                         GUINT_TO_POINTER(1), test_vector);
    g_test_add_func("/vtd/qi/QI-11/coalesced", test_coalesced);
    g_test_add_data_func("/ats/ATS-29/d3-complete", NULL, test_d3);
    g_test_add_data_func("/ats/ATS-29/d3-drop", GUINT_TO_POINTER(1), test_d3);
    g_test_add_func("/vtd/qi/QI-11/wrong-source", test_wrong_source);
    g_test_add_func("/vtd/qi/QI-11/wrong-source-that-waits",
                    test_wrong_source_waits);
    g_test_add_func("/vtd/qi/QI-11/icesid-of-first", test_icesid_of_first);
    g_test_add_func("/vtd/qi/QI-12/completion-during-ite",
                    test_completion_during_ite);
    g_test_add_func("/vtd/qi/QI-21/deferred-goes-on", test_deferred_goes_on);
    add_copies();
    g_test_add_func("/vtd/qi/QI-22/by-itag", test_copies_by_itag);
    g_test_add_func("/vtd/qi/QI-22/again", test_copies_anew);
    g_test_add_func("/vtd/qi/QI-24/second-is-lost", test_drop_second);
    g_test_add_func("/vtd/qi/QI-25/without-page-requests",
                    test_absent_without_prs);
    return g_test_run();
}
