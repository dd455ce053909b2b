/*
 * VT-d queued invalidation: errors and delays that a knob puts at a chosen
 * descriptor (inject-at, inject-iqe, desc-delay-us), and with the delay the
 * order of the kinds of descriptors (QI-32, VT-d 6.5.2.12)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/vtd-inv.h"

#define SW      QVTD_WAIT_SW
#define IQE     QVTD_FSTS_IQE
#define ICE     QVTD_FSTS_ICE
#define ITE     QVTD_FSTS_ITE
#define SID     0x4321

static void start(PriLab *lab, const char *vtd)
{
    pri_lab_start_with(lab, vtd, NULL, 0);
    qvtd_qi_start(&lab->v, 0, true);
}

static void set(PriLab *lab, const char *knob, unsigned int value)
{
    g_autofree char *json = g_strdup_printf("%u", value);

    qvtd_set_property(&lab->v, knob, json);
}

static void put_iotlb(PriLab *lab, unsigned int n)
{
    while (n--) {
        qinv_put(&lab->v, qvtd_desc_iotlb_global());
    }
}

/* -- an error at descriptor n ---------------------------------------------- */

/* Nothing behind the n-th is fetched, and nothing is lost */
static void test_ite_at(const void *opaque)
{
    unsigned int n = GPOINTER_TO_UINT(opaque);
    uint32_t slot;
    PriLab lab;

    start(&lab, NULL);
    set(&lab, "inject-at", n);
    set(&lab, "inject-ite", SID);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    put_iotlb(&lab, 8);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, SID);
    g_assert_cmpuint(qinv_head(&lab.v), ==, n);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    qvtd_writel(&lab.v, QVTD_FSTS, ITE);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);

    /* once */
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    pri_lab_stop(&lab);
}

/* A wait that was fetched before is aborted: it never reports */
static void test_ite_at_aborts(void)
{
    uint32_t aborted, behind;
    PriLab lab;

    start(&lab, "wait-depth=4");
    set(&lab, "wait-delay-us", 1000);
    set(&lab, "inject-at", 2);
    set(&lab, "inject-ite", SID);
    aborted = qinv_put_wait(&lab.v, SW);
    put_iotlb(&lab, 1);
    behind = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    g_assert_cmpuint(qinv_head(&lab.v), ==, 2);
    qvtd_writel(&lab.v, QVTD_FSTS, ITE);
    qtest_clock_step(lab.qts, 10 * QINV_MS);
    g_assert_false(qvtd_wait_done(&lab.v, aborted));
    g_assert_true(qvtd_wait_done(&lab.v, behind));
    pri_lab_stop(&lab);
}

/* ICE stops nothing, and comes with the n-th, not before */
static void test_ice_at(void)
{
    uint32_t slot;
    PriLab lab;

    start(&lab, NULL);
    set(&lab, "inject-at", 3);
    set(&lab, "inject-ice", SID);
    put_iotlb(&lab, 2);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qinv_head(&lab.v), ==, 2);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    put_iotlb(&lab, 3);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ICE);
    g_assert_cmphex(qinv_icesid(&lab.v), ==, SID);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

static void test_both_at(void)
{
    uint32_t slot;
    PriLab lab;

    start(&lab, NULL);
    set(&lab, "inject-at", 1);
    set(&lab, "inject-ice", 0x1234);
    set(&lab, "inject-ite", SID);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ICE | ITE);
    g_assert_cmphex(qinv_icesid(&lab.v), ==, 0x1234);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, SID);
    pri_lab_stop(&lab);
}

/* A descriptor that is looked at again and again is one descriptor */
static void test_counts_executed(void)
{
    PriLab lab;
    unsigned int i;

    start(&lab, NULL);
    set(&lab, "desc-delay-us", 1000);
    set(&lab, "inject-iqe", 2);
    put_iotlb(&lab, 3);
    qvtd_qi_ring(&lab.v);
    for (i = 0; i < 5; i++) {
        set(&lab, "wait-depth", i + 1);         /* makes the queue go on */
        g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
        g_assert_cmpuint(qinv_head(&lab.v), ==, 0);
    }
    qtest_clock_step(lab.qts, QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, IQE);
    g_assert_cmpuint(qinv_head(&lab.v), ==, 1);
    pri_lab_stop(&lab);
}

/* What waited for an inject-at of before does not come with the next one */
static void test_anew(void)
{
    uint32_t slot;
    PriLab lab;

    start(&lab, NULL);
    set(&lab, "inject-at", 5);
    set(&lab, "inject-ite", SID);
    set(&lab, "inject-at", 0);
    set(&lab, "inject-at", 1);
    set(&lab, "inject-ice", SID);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ICE);
    pri_lab_stop(&lab);
}

static void test_reset_forgets(void)
{
    uint32_t slot;
    PriLab lab;

    start(&lab, NULL);
    set(&lab, "inject-at", 1);
    set(&lab, "inject-ite", SID);
    qtest_system_reset(lab.qts);
    pri_lab_program(&lab);
    qvtd_qi_start(&lab.v, 0, true);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    pri_lab_stop(&lab);
}

/* -- descriptors that take time -------------------------------------------- */

static uint64_t requests(PriLab *lab)
{
    return qvtd_counter(&lab->v, "x-devtlb-requests");
}

/* QI-32: the function hears of nothing before the slow one is executed */
static void test_slow_before_device(const void *opaque)
{
    unsigned int type = GPOINTER_TO_UINT(opaque);
    uint32_t slot;
    PriLab lab;

    start(&lab, NULL);
    set(&lab, "desc-delay-type", type);
    set(&lab, "desc-delay-us", 10000);
    qinv_put(&lab.v, qinv_desc_valid(type, lab.d.rid));
    qinv_put(&lab.v, qinv_desc_valid(QINV_DEV_TLB, lab.d.rid));
    qinv_put(&lab.v, qinv_desc_valid(QINV_DEV_PTLB, lab.d.rid));
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    qtest_clock_step(lab.qts, 10 * QINV_MS - QINV_US);
    g_assert_cmpuint(qinv_head(&lab.v), ==, 0);
    g_assert_cmpuint(requests(&lab), ==, 0);
    qtest_clock_step(lab.qts, 2 * QINV_US);
    g_assert_cmpuint(requests(&lab), ==, 2);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

/* Every descriptor is slow; the waits report in their turn */
static void test_slow_all(void)
{
    uint32_t first, second;
    PriLab lab;

    start(&lab, NULL);
    set(&lab, "desc-delay-us", 1000);
    put_iotlb(&lab, 1);
    first = qinv_put_wait(&lab.v, SW);
    put_iotlb(&lab, 1);
    second = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qinv_step_until(&lab.v, first, QINV_MS / 2, 100), ==, 4);
    g_assert_false(qvtd_wait_done(&lab.v, second));
    g_assert_cmpuint(qinv_step_until(&lab.v, second, QINV_MS / 2, 100), ==, 4);

    /* turned off, it lets go at once */
    put_iotlb(&lab, 1);
    first = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_false(qvtd_wait_done(&lab.v, first));
    set(&lab, "desc-delay-us", 0);
    g_assert_true(qvtd_wait_done(&lab.v, first));
    pri_lab_stop(&lab);
}

/* A wait whose report is due earlier than the descriptor behind it */
static void test_slow_behind_wait(void)
{
    uint32_t slot;
    PriLab lab;

    start(&lab, "wait-depth=4");
    set(&lab, "desc-delay-type", QINV_IOTLB);
    set(&lab, "desc-delay-us", 100000);
    set(&lab, "wait-delay-us", 1000);
    slot = qinv_put_wait(&lab.v, SW);
    put_iotlb(&lab, 1);
    qvtd_qi_ring(&lab.v);
    qtest_clock_step(lab.qts, 2 * QINV_MS);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    g_assert_cmpuint(qinv_head(&lab.v), ==, 1);
    qtest_clock_step(lab.qts, 100 * QINV_MS);
    g_assert_true(qvtd_qi_idle(&lab.v));
    pri_lab_stop(&lab);
}

/* Without inject-at an error comes at once, whatever else counts descriptors */
static void test_at_once(void)
{
    PriLab lab;

    start(&lab, NULL);
    set(&lab, "inject-iqe", 3);
    put_iotlb(&lab, 1);
    qvtd_qi_ring(&lab.v);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    set(&lab, "inject-ite", SID);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, SID);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    static const unsigned int slow[] = {
        QINV_CC, QINV_PC, QINV_IOTLB, QINV_PIOTLB, QINV_IEC,
    };
    unsigned int i;

    g_test_init(&argc, &argv, NULL);
    for (i = 1; i <= 8; i++) {
        g_autofree char *name = g_strdup_printf("/vtd/qi/QI-12/injected-at-%u",
                                                i);

        g_test_add_data_func(name, GUINT_TO_POINTER(i), test_ite_at);
    }
    g_test_add_func("/vtd/qi/QI-12/injected-at-aborts", test_ite_at_aborts);
    g_test_add_func("/vtd/qi/QI-11/injected-at", test_ice_at);
    g_test_add_func("/vtd/qi/QI-12/injected-both-at", test_both_at);
    g_test_add_func("/vtd/qi/QI-10/injected-counts-executed",
                    test_counts_executed);
    g_test_add_func("/vtd/qi/QI-12/injected-again", test_anew);
    g_test_add_func("/vtd/qi/QI-12/injected-reset", test_reset_forgets);
    for (i = 0; i < G_N_ELEMENTS(slow); i++) {
        g_autofree char *name = g_strdup_printf(
            "/vtd/qi/QI-32/slow-type-%u-before-device", slow[i]);

        g_test_add_data_func(name, GUINT_TO_POINTER(slow[i]),
                             test_slow_before_device);
    }
    g_test_add_func("/vtd/qi/QI-32/slow-all", test_slow_all);
    g_test_add_func("/vtd/qi/QI-32/slow-behind-wait", test_slow_behind_wait);
    g_test_add_func("/vtd/qi/QI-12/injected-at-once", test_at_once);
    return g_test_run();
}
