/*
 * VT-d page requests: when the message of a Page Request Event comes (PRQ-66)
 *
 * VT-d 7.5, 7.7
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/pri-lab.h"

#define R       PT_RAW_READ
#define L       PT_RAW_LAST
#define PPR     QVTD_PRS_PPR

static uint64_t events(PriLab *lab)
{
    return qvtd_counter(&lab->v, "x-msis");
}

static void unmask(PriLab *lab)
{
    qvtd_writel(&lab->v, QVTD_PECTL, 0);
}

static void test_event_after_tail(void)
{
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start_with(&lab, "prd-delay-us=50,prq-irq-delay-us=100", NULL, 0);
    unmask(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    g_assert_cmpuint(events(&lab), ==, 0);
    qtest_clock_step(lab.qts, 60 * 1000);
    /* delivered; the MSI is still on its way, for the QOM reader at least */
    g_assert_cmpuint(events(&lab), ==, 0);
    qtest_clock_step(lab.qts, 100 * 1000);
    g_assert_cmpuint(events(&lab), ==, 1);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, 0x20);
    qvtd_prq_read(&lab.v, 0, &prd);
    g_assert_cmphex(QVTD_PRD_ADDR(&prd), ==, LAB_IOVA);
    pri_lab_stop(&lab);
}

/* reads of PQT, PRS and PECTL push an MSI that is on its way */
static void test_reads_push(const void *opaque)
{
    unsigned int reg = GPOINTER_TO_UINT(opaque);
    PriLab lab;

    pri_lab_start_with(&lab, "prq-irq-delay-us=100", NULL, 0);
    unmask(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    g_assert_cmpuint(events(&lab), ==, 0);
    if (reg == QVTD_PQT) {
        g_assert_cmphex(qvtd_readq(&lab.v, reg), ==, 0x20);
    } else {
        qvtd_readl(&lab.v, reg);
    }
    g_assert_cmpuint(events(&lab), ==, 1);
    qtest_clock_step(lab.qts, 200 * 1000);
    g_assert_cmpuint(events(&lab), ==, 1);
    pri_lab_stop(&lab);
}

/* a handler that runs at the MSI always finds something */
static void test_event_finds_entry(void)
{
    int round;
    PriLab lab;

    pri_lab_start_with(&lab, "prd-delay-us=7", NULL, 0);
    unmask(&lab);
    for (round = 0; round < 32; round++) {
        uint64_t before = events(&lab);
        int i;

        lab_request(&lab, LAB_IOVA, R, 1);
        for (i = 0; i < 20 && events(&lab) == before; i++) {
            qtest_clock_step(lab.qts, 1000);
        }
        g_assert_cmpuint(events(&lab), ==, before + 1);
        g_assert_cmpuint(qvtd_prq_pending(&lab.v), >=, 1);
        qvtd_writel(&lab.v, QVTD_PRS, PPR);
        qvtd_prq_drop_all(&lab.v);
    }
    pri_lab_stop(&lab);
}

/* each event has its message, and its delay does not depend on the next one */
static void test_delays_apart(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, "prq-irq-delay-us=1000", NULL, 0);
    unmask(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    qtest_clock_step(lab.qts, 900 * 1000);
    qvtd_writel(&lab.v, QVTD_PRS, PPR);
    lab_request(&lab, LAB_IOVA, R | L, 2);
    g_assert_cmpuint(events(&lab), ==, 0);
    qtest_clock_step(lab.qts, 200 * 1000);
    g_assert_cmpuint(events(&lab), ==, 1);
    qtest_clock_step(lab.qts, 700 * 1000);
    g_assert_cmpuint(events(&lab), ==, 1);
    qtest_clock_step(lab.qts, 200 * 1000);
    g_assert_cmpuint(events(&lab), ==, 2);
    qtest_clock_step(lab.qts, 5000 * 1000);
    g_assert_cmpuint(events(&lab), ==, 2);
    pri_lab_stop(&lab);
}

/* Without the knob, behind one that is delayed: posted writes keep order */
static void test_delay_keeps_order(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, "prq-irq-delay-us=1000", NULL, 0);
    unmask(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    qvtd_set_property(&lab.v, "prq-irq-delay-us", "0");
    qvtd_writel(&lab.v, QVTD_PRS, PPR);
    lab_request(&lab, LAB_IOVA, R | L, 2);
    g_assert_cmpuint(events(&lab), ==, 0);
    qtest_clock_step(lab.qts, 1001 * 1000);
    g_assert_cmpuint(events(&lab), ==, 2);
    pri_lab_stop(&lab);
}

/* more of them than there is room for: none is lost, the oldest goes early */
static void test_delays_many(void)
{
    int round;
    PriLab lab;

    pri_lab_start_with(&lab, "prq-irq-delay-us=60000000", NULL, 0);
    unmask(&lab);
    for (round = 0; round < 40; round++) {
        qtest_clock_step(lab.qts, 1000);
        lab_request(&lab, LAB_IOVA, R | L, 1);
        qvtd_writel(&lab.v, QVTD_PRS, PPR);
    }
    g_assert_cmpuint(events(&lab), <, 40);
    qtest_clock_step(lab.qts, 61000LL * 1000 * 1000);
    g_assert_cmpuint(events(&lab), ==, 40);
    pri_lab_stop(&lab);
}

/* A message that a read has pushed delays no later one, and PQA pushes none */
static void test_delay_after_push(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, "prq-irq-delay-us=1000000", NULL, 0);
    unmask(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    qvtd_readq(&lab.v, QVTD_PQA);
    qvtd_readq(&lab.v, QVTD_PQH);
    g_assert_cmpuint(events(&lab), ==, 0);
    qvtd_readl(&lab.v, QVTD_PRS);
    g_assert_cmpuint(events(&lab), ==, 1);
    qvtd_set_property(&lab.v, "prq-irq-delay-us", "10");
    qvtd_writel(&lab.v, QVTD_PRS, PPR);
    lab_request(&lab, LAB_IOVA, R | L, 2);
    g_assert_cmpuint(events(&lab), ==, 1);
    qtest_clock_step(lab.qts, 10 * 1000);
    g_assert_cmpuint(events(&lab), ==, 2);
    pri_lab_stop(&lab);
}

/* However many there were, and however long they would have taken */
static void test_delay_after_many(void)
{
    unsigned int round;
    PriLab lab;

    pri_lab_start_with(&lab, "prq-irq-delay-us=1000000", NULL, 0);
    unmask(&lab);
    for (round = 0; round < 42; round++) {
        if (round == 40) {
            qvtd_set_property(&lab.v, "prq-irq-delay-us", "10");
        }
        lab_request(&lab, LAB_IOVA, R | L, 1);
        if (round < 40) {
            qvtd_readl(&lab.v, QVTD_PRS);
            g_assert_cmpuint(events(&lab), ==, round + 1);
        }
        qvtd_writel(&lab.v, QVTD_PRS, PPR);
    }
    g_assert_cmpuint(events(&lab), ==, 40);
    qtest_clock_step(lab.qts, 10 * 1000);
    g_assert_cmpuint(events(&lab), ==, 42);
    pri_lab_stop(&lab);
}

/* Turning prq-hold off lets go what it kept, turning it on nothing */
static void test_hold_off(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, "prd-delay-us=10", NULL, 0);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    qvtd_set_property(&lab.v, "prq-hold", "\"on\"");
    qtest_clock_step(lab.qts, 20 * 1000);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    qvtd_set_property(&lab.v, "prq-hold", "\"off\"");
    qtest_clock_step(lab.qts, 20 * 1000);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    g_test_add_func("/vtd/prq/PRQ-66/event-after-tail", test_event_after_tail);
    g_test_add_func("/vtd/prq/PRQ-66/event-finds-entry",
                    test_event_finds_entry);
    g_test_add_data_func("/vtd/prq/PRQ-66/pqt-read-pushes",
                         GUINT_TO_POINTER(QVTD_PQT), test_reads_push);
    g_test_add_data_func("/vtd/prq/PRQ-66/prs-read-pushes",
                         GUINT_TO_POINTER(QVTD_PRS), test_reads_push);
    g_test_add_data_func("/vtd/prq/PRQ-66/pectl-read-pushes",
                         GUINT_TO_POINTER(QVTD_PECTL), test_reads_push);
    g_test_add_func("/vtd/prq/PRQ-66/delays-apart", test_delays_apart);
    g_test_add_func("/vtd/prq/PRQ-66/delay-keeps-order",
                    test_delay_keeps_order);
    g_test_add_func("/vtd/prq/PRQ-66/delays-many", test_delays_many);
    g_test_add_func("/vtd/prq/PRQ-66/delay-after-push", test_delay_after_push);
    g_test_add_func("/vtd/prq/PRQ-66/delay-after-many", test_delay_after_many);
    g_test_add_func("/vtd/knob/prq-hold/off-and-on", test_hold_off);
    return g_test_run();
}
