/*
 * VT-d queued invalidation: the queue does not sleep (QI-39)
 *
 * A wait that takes its time keeps nobody else back.  VT-d 6.5.2.9, 6.5.2.12
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/vtd-inv.h"

#define SW      QVTD_WAIT_SW
#define IF      QVTD_WAIT_IF

/* -- QI-39: progress without a write of IQT -------------------------------- */

/* Software that only looks at its status word sees it change after 100 ms */
static void test_async(void)
{
    uint32_t slot, next;
    PriLab lab;

    qinv_start(&lab, NULL, NULL);
    qvtd_set_property(&lab.v, "wait-delay-us", "100000");
    slot = qinv_put_wait(&lab.v, SW);
    qinv_put(&lab.v, qvtd_desc_iotlb_global());
    next = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qinv_step_until(&lab.v, slot, QINV_MS, 200), ==, 100);
    g_assert_cmpuint(qinv_step_until(&lab.v, next, QINV_MS, 200), ==, 100);
    g_assert_true(qvtd_qi_idle(&lab.v));
    pri_lab_stop(&lab);
}

/* Several submitters, one behind the other, all of them only looking */
static void test_submitters(void)
{
    uint32_t slot[8];
    unsigned int i;
    PriLab lab;

    qinv_start(&lab, NULL, NULL);
    qvtd_set_property(&lab.v, "wait-delay-us", "1000");
    for (i = 0; i < G_N_ELEMENTS(slot); i++) {
        qinv_put_dev_tlb(&lab.v, lab.d.rid);
        slot[i] = qinv_put_wait(&lab.v, SW);
        qvtd_qi_ring(&lab.v);
    }
    for (i = 0; i < G_N_ELEMENTS(slot); i++) {
        g_assert_cmpuint(qinv_step_until(&lab.v, slot[i], 100 * QINV_US, 100),
                         <=, 10);
    }
    g_assert_true(qvtd_qi_idle(&lab.v));
    pri_lab_stop(&lab);
}

/* The hold: the ring goes on behind it, and nothing but the knob lets it go */
static void test_hold(void)
{
    uint32_t slot;
    PriLab lab;

    qinv_start(&lab, "wait-depth=8", NULL);
    qvtd_set_property(&lab.v, "wait-hold", "'on'");
    slot = qinv_put_wait(&lab.v, SW | IF);
    qinv_put_dev_tlb(&lab.v, lab.d.rid);
    qvtd_qi_ring(&lab.v);
    g_assert_true(qvtd_qi_idle(&lab.v));
    g_assert_cmpuint(qinv_count(&lab, "requests"), ==, 1);
    qtest_clock_step(lab.qts, 1000 * QINV_MS);
    qvtd_qi_ring(&lab.v);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_ICS), ==, 0);
    qvtd_set_property(&lab.v, "wait-hold", "'off'");
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_ICS), ==, 1);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{

    pri_lab_test_init(&argc, &argv);
    g_test_add_func("/vtd/qi/QI-39/100-ms", test_async);
    g_test_add_func("/vtd/qi/QI-39/submitters", test_submitters);
    g_test_add_func("/vtd/qi/QI-39/hold", test_hold);
    return g_test_run();
}
