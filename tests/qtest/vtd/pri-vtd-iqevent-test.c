/*
 * VT-d queued invalidation: its errors in FSTS, and the fault event (QI-17,
 * QI-18)
 *
 * VT-d 7.3, 11.4.7.1, 11.4.7.2
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
#define PPF     QVTD_FSTS_PPF
#define PFO     QVTD_FSTS_PFO
#define TIMEOUT "ite-timeout-ms=100"

static void clear(PriLab *lab, uint32_t bits)
{
    qvtd_writel(&lab->v, QVTD_FSTS, bits);
}

static void start(PriLab *lab, const char *vtd)
{
    pri_lab_start_with(lab, vtd, NULL, 0);
    qvtd_qi_start(&lab->v, 0, true);
    g_assert_cmphex(qinv_fsts(&lab->v), ==, 0);
}

static void inject(PriLab *lab, const char *knob, uint16_t sid)
{
    g_autofree char *json = g_strdup_printf("%u", sid);

    qvtd_set_property(&lab->v, knob, json);
}

/* -- QI-17: FSTS and the fault event --------------------------------------- */

/* The context entry must be absent: see start_faults() */
static void make_fault(PriLab *lab)
{
    lab_request(lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, 0);
}

static void start_faults(PriLab *lab)
{
    start(lab, "fault-collapse=off");
    qvtd_set(&lab->v, qvtd_context_entry(&lab->v, lab->d.rid), QVTD_CE_P, 0);
    qvtd_flush(&lab->v);
}

/* Bring condition @bit about; PFO needs PPF */
static void raise_condition(PriLab *lab, uint32_t bit)
{
    unsigned int i;

    switch (bit) {
    case PPF:
        make_fault(lab);
        break;
    case PFO:
        for (i = 0; i <= QVTD_CAP_NFR(lab->v.cap); i++) {
            make_fault(lab);
        }
        break;
    case IQE:
        qvtd_set_property(&lab->v, "inject-iqe", "1");
        qvtd_submit(&lab->v, qvtd_desc_iotlb_global());
        break;
    case ICE:
        inject(lab, "inject-ice", lab->d.rid);
        break;
    default:
        inject(lab, "inject-ite", lab->d.rid);
    }
    g_assert_cmphex(qinv_fsts(&lab->v) & bit, ==, bit);
}

static void clear_condition(PriLab *lab, uint32_t bit)
{
    unsigned int i;

    if (bit == PPF) {
        for (i = 0; i < QVTD_CAP_NFR(lab->v.cap); i++) {
            qvtd_writel(&lab->v, QVTD_CAP_FRO(lab->v.cap) + i * 16 + 12,
                        1U << 31);
        }
    } else {
        clear(lab, bit);
    }
    g_assert_cmphex(qinv_fsts(&lab->v) & bit, ==, 0);
}

static const uint32_t conditions[] = { PPF, PFO, IQE, ICE, ITE };

static uint32_t events(PriLab *lab)
{
    return qinv_fsts(&lab->v) & QINV_FSTS_EVENTS;
}

/* Each bit is cleared by writing 1 to it and to no other; PPF is not */
static void test_w1c(void)
{
    unsigned int i;
    PriLab lab;

    start_faults(&lab);
    for (i = 1; i < G_N_ELEMENTS(conditions); i++) {
        raise_condition(&lab, conditions[i]);
    }
    g_assert_cmphex(events(&lab), ==, QINV_FSTS_EVENTS);
    clear(&lab, 0);
    clear(&lab, ~QINV_FSTS_W1C);
    g_assert_cmphex(events(&lab), ==, QINV_FSTS_EVENTS);
    /* IQE first: it might come back otherwise */
    clear(&lab, IQE);
    g_assert_cmphex(events(&lab), ==, PPF | PFO | ICE | ITE);
    clear(&lab, PFO);
    g_assert_cmphex(events(&lab), ==, PPF | ICE | ITE);
    clear(&lab, ICE);
    g_assert_cmphex(events(&lab), ==, PPF | ITE);
    clear(&lab, ITE);
    g_assert_cmphex(events(&lab), ==, PPF);
    clear(&lab, UINT32_MAX);
    g_assert_cmphex(events(&lab), ==, PPF);
    clear_condition(&lab, PPF);
    g_assert_cmphex(events(&lab), ==, 0);
    pri_lab_stop(&lab);
}

static uint64_t fault_msis(PriLab *lab)
{
    uint64_t n = qvtd_counter(&lab->v, "x-msis");

    if (n) {
        g_assert_cmphex(qvtd_counter(&lab->v, "x-last-msi-data"), ==,
                        LAB_FE_VECTOR);
    }
    return n;
}

/* Each condition sends the event, if it is the first one */
static void test_event(const void *opaque)
{
    uint32_t bit = GPOINTER_TO_UINT(opaque);
    PriLab lab;

    start_faults(&lab);
    qvtd_writel(&lab.v, QVTD_FECTL, 0);
    raise_condition(&lab, bit);
    g_assert_cmpuint(fault_msis(&lab), ==, 1);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FECTL), ==, 0);
    pri_lab_stop(&lab);
}

/* Masked, it is pending, until it is unmasked or the condition is gone */
static void test_event_masked(const void *opaque)
{
    uint32_t bit = GPOINTER_TO_UINT(opaque);
    PriLab lab;

    start_faults(&lab);
    raise_condition(&lab, bit);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FECTL), ==,
                    QINV_CTL_IM | QINV_CTL_IP);
    g_assert_cmpuint(fault_msis(&lab), ==, 0);
    clear_condition(&lab, bit);
    if (bit == PFO) {
        clear_condition(&lab, PPF);
    }
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FECTL), ==, QINV_CTL_IM);
    qvtd_writel(&lab.v, QVTD_FECTL, 0);
    g_assert_cmpuint(fault_msis(&lab), ==, 0);

    qvtd_writel(&lab.v, QVTD_FECTL, QINV_CTL_IM);
    raise_condition(&lab, bit);
    g_assert_cmpuint(fault_msis(&lab), ==, 0);
    qvtd_writel(&lab.v, QVTD_FECTL, 0);
    g_assert_cmpuint(fault_msis(&lab), ==, 1);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FECTL), ==, 0);
    pri_lab_stop(&lab);
}

/* With any of the five set, another one is no new condition */
static void test_event_gated(const void *opaque)
{
    uint32_t first = GPOINTER_TO_UINT(opaque);
    unsigned int i;
    PriLab lab;

    start_faults(&lab);
    qvtd_writel(&lab.v, QVTD_FECTL, 0);
    raise_condition(&lab, first);
    g_assert_cmpuint(fault_msis(&lab), ==, 1);
    for (i = 0; i < G_N_ELEMENTS(conditions); i++) {
        uint32_t second = conditions[i];

        /* PFO brings PPF with it; with ITE set nothing is fetched */
        if (second == first || second == PFO ||
            (first == ITE && second == IQE)) {
            continue;
        }
        raise_condition(&lab, second);
        g_assert_cmpuint(fault_msis(&lab), ==, 1);
        g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FECTL), ==, 0);
        clear_condition(&lab, second);
    }
    g_assert_cmphex(events(&lab) & first, ==, first);
    clear_condition(&lab, first);
    raise_condition(&lab, first);
    g_assert_cmpuint(fault_msis(&lab), ==, 2);
    pri_lab_stop(&lab);
}

/* PFO alone, after the faults themselves were taken, gates as well */
static void test_event_gated_by_pfo(void)
{
    PriLab lab;

    start_faults(&lab);
    qvtd_writel(&lab.v, QVTD_FECTL, 0);
    raise_condition(&lab, PFO);
    clear_condition(&lab, PPF);
    g_assert_cmphex(events(&lab), ==, PFO);
    raise_condition(&lab, ITE);
    raise_condition(&lab, ICE);
    g_assert_cmpuint(fault_msis(&lab), ==, 1);
    clear_condition(&lab, ITE);
    clear_condition(&lab, ICE);
    clear_condition(&lab, PFO);
    raise_condition(&lab, ITE);
    g_assert_cmpuint(fault_msis(&lab), ==, 2);
    pri_lab_stop(&lab);
}

/* IP goes when the last of the five goes, whichever that is */
static void test_ip_cleared(const void *opaque)
{
    uint32_t last = GPOINTER_TO_UINT(opaque);
    unsigned int i;
    PriLab lab;

    start_faults(&lab);
    for (i = 1; i < G_N_ELEMENTS(conditions); i++) {
        raise_condition(&lab, conditions[i]);
    }
    g_assert_cmphex(events(&lab), ==, QINV_FSTS_EVENTS);
    for (i = 0; i < G_N_ELEMENTS(conditions); i++) {
        g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FECTL), ==,
                        QINV_CTL_IM | QINV_CTL_IP);
        if (conditions[i] != last) {
            clear_condition(&lab, conditions[i]);
        }
    }
    g_assert_cmphex(events(&lab), ==, last);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FECTL), ==,
                    QINV_CTL_IM | QINV_CTL_IP);
    clear_condition(&lab, last);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FECTL), ==, QINV_CTL_IM);
    qvtd_writel(&lab.v, QVTD_FECTL, 0);
    g_assert_cmpuint(fault_msis(&lab), ==, 0);
    pri_lab_stop(&lab);
}

/* F is cleared by a qword as well as by a dword */
static void test_ip_cleared_by_qword(void)
{
    unsigned int i;
    PriLab lab;

    start_faults(&lab);
    raise_condition(&lab, PPF);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FECTL), ==,
                    QINV_CTL_IM | QINV_CTL_IP);
    for (i = 0; i < QVTD_CAP_NFR(lab.v.cap); i++) {
        qvtd_writeq(&lab.v, QVTD_CAP_FRO(lab.v.cap) + i * 16 + 8,
                    1ULL << 63);
    }
    g_assert_cmphex(events(&lab), ==, 0);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FECTL), ==, QINV_CTL_IM);
    pri_lab_stop(&lab);
}

/* -- QI-18: what Linux's fault handler sees -------------------------------- */

/* Status 40h and no fault; nothing but a write of ITE moves the queue */
static void test_ite_only(void)
{
    uint32_t slot;
    QVtdFault fault;
    PriLab lab;

    start(&lab, TIMEOUT);
    qvtd_writel(&lab.v, QVTD_FECTL, 0);
    qinv_put_dev_tlb(&lab.v, QINV_ABSENT);
    qvtd_qi_ring(&lab.v);
    qtest_clock_step(lab.qts, 101 * QINV_MS);
    g_assert_cmpuint(fault_msis(&lab), ==, 1);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0x40);
    g_assert_false(qvtd_fault(&lab.v, &fault));

    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0x40);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    clear(&lab, ITE);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    g_assert_cmpuint(fault_msis(&lab), ==, 1);
    pri_lab_stop(&lab);
}

static void add_conditions(void)
{
    static const char *const names[] = { "ppf", "pfo", "iqe", "ice", "ite" };
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(conditions); i++) {
        gpointer bit = GUINT_TO_POINTER(conditions[i]);
        g_autofree char *event = g_strdup_printf("/vtd/qi/QI-17/event-%s",
                                                 names[i]);
        g_autofree char *masked = g_strdup_printf(
            "/vtd/qi/QI-17/event-masked-%s", names[i]);
        g_autofree char *gated = g_strdup_printf(
            "/vtd/qi/QI-17/event-gated-by-%s", names[i]);
        g_autofree char *last = g_strdup_printf(
            "/vtd/qi/QI-17/ip-cleared-by-%s", names[i]);

        g_test_add_data_func(event, bit, test_event);
        g_test_add_data_func(masked, bit, test_event_masked);
        if (conditions[i] != PFO) {
            g_test_add_data_func(gated, bit, test_event_gated);
        }
        g_test_add_data_func(last, bit, test_ip_cleared);
    }
    g_test_add_func("/vtd/qi/QI-17/event-gated-by-pfo",
                    test_event_gated_by_pfo);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    g_test_add_func("/vtd/qi/QI-17/w1c-0x71", test_w1c);
    add_conditions();
    g_test_add_func("/vtd/qi/QI-17/ip-cleared-by-qword",
                    test_ip_cleared_by_qword);
    g_test_add_func("/vtd/qi/QI-18/ite-only", test_ite_only);
    return g_test_run();
}
