/*
 * VT-d page requests: the Page Request Event (PRQ-60 to PRQ-67)
 *
 * VT-d 7.5, 11.4.11.4, 11.4.11.5, 5.1.6
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/pri-lab.h"

#define R   PT_RAW_READ
#define L   PT_RAW_LAST
#define IM  QVTD_EVENT_IM
#define IP  QVTD_EVENT_IP
#define PPR QVTD_PRS_PPR
#define PRO QVTD_PRS_PRO

static uint64_t events(PriLab *lab)
{
    return qvtd_counter(&lab->v, "x-msis");
}

static uint32_t prs(PriLab *lab)
{
    return qvtd_readl(&lab->v, QVTD_PRS);
}

static uint32_t pectl(PriLab *lab)
{
    return qvtd_readl(&lab->v, QVTD_PECTL);
}

static void unmask(PriLab *lab)
{
    qvtd_writel(&lab->v, QVTD_PECTL, 0);
}

static void mask(PriLab *lab)
{
    qvtd_writel(&lab->v, QVTD_PECTL, IM);
}

/* -- PRQ-60: what is an event ---------------------------------------------- */

static void test_any_descriptor(const void *opaque)
{
    uint32_t flags = GPOINTER_TO_UINT(opaque);
    PriLab lab;

    pri_lab_start(&lab);
    unmask(&lab);
    g_assert_cmpuint(events(&lab), ==, 0);
    lab_request(&lab, LAB_IOVA, flags, 1);
    g_assert_cmphex(prs(&lab), ==, PPR);
    g_assert_cmpuint(events(&lab), ==, 1);
    g_assert_cmphex(pectl(&lab), ==, 0);
    pri_lab_stop(&lab);
}

/* a request that is answered or dropped for a table fault is none */
static void test_not_for_faults(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    unmask(&lab);
    qvtd_set(&lab.v, qvtd_context_entry(&lab.v, lab.d.rid), QVTD_CE_PRE, 0);
    qvtd_flush(&lab.v);
    lab_request(&lab, LAB_IOVA, R, 1);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    g_assert_cmphex(prs(&lab), ==, 0);
    g_assert_cmpuint(events(&lab), ==, 0);
    g_assert_cmphex(pectl(&lab), ==, 0);
    pri_lab_stop(&lab);
}

/* -- PRQ-61: one event until both bits are clear --------------------------- */

static void test_one_event(void)
{
    unsigned int i;
    PriLab lab;

    pri_lab_start(&lab);
    unmask(&lab);
    for (i = 0; i < 100; i++) {
        lab_request(&lab, LAB_IOVA, i % 4 == 3 ? R | L : R, i / 4);
    }
    g_assert_cmpuint(events(&lab), ==, 1);
    pri_lab_stop(&lab);
}

static void test_ppr_then_overflow(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    unmask(&lab);
    lab_fill(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    g_assert_cmphex(prs(&lab), ==, PPR | PRO);
    g_assert_cmpuint(events(&lab), ==, 1);
    /* requests that find PRO set make no event either (7.4.1) */
    lab_request(&lab, LAB_IOVA, R | L, 1);
    qvtd_writel(&lab.v, QVTD_PRS, PPR);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    g_assert_cmphex(prs(&lab), ==, PRO);
    g_assert_cmpuint(events(&lab), ==, 1);
    pri_lab_stop(&lab);
}

static void test_overflow_alone(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    unmask(&lab);
    lab_fill(&lab);
    qvtd_writel(&lab.v, QVTD_PRS, PPR);
    g_assert_cmpuint(events(&lab), ==, 1);
    lab_request(&lab, LAB_IOVA, R, 1);
    g_assert_cmphex(prs(&lab), ==, PRO);
    g_assert_cmpuint(events(&lab), ==, 2);
    pri_lab_stop(&lab);
}

/*
 * A descriptor is never written with PRO set.  With PRO cleared and PPR left
 * there is no event for the next one.
 */
static void test_pro_cleared_ppr_left(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    unmask(&lab);
    lab_fill(&lab);
    lab_request(&lab, LAB_IOVA, R, 1);
    qvtd_prq_drop_all(&lab.v);
    qvtd_writel(&lab.v, QVTD_PRS, PRO);
    lab_request(&lab, LAB_IOVA, R, 1);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    g_assert_cmphex(prs(&lab), ==, PPR);
    g_assert_cmpuint(events(&lab), ==, 1);
    pri_lab_stop(&lab);
}

/* -- PRQ-62: IM and IP ----------------------------------------------------- */

static void test_masked(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    g_assert_cmphex(pectl(&lab), ==, IM);
    lab_request(&lab, LAB_IOVA, R, 1);
    g_assert_cmphex(pectl(&lab), ==, IM | IP);
    g_assert_cmpuint(events(&lab), ==, 0);
    mask(&lab);
    g_assert_cmphex(pectl(&lab), ==, IM | IP);

    unmask(&lab);
    g_assert_cmphex(pectl(&lab), ==, 0);
    g_assert_cmpuint(events(&lab), ==, 1);

    /* once only, though PPR is still set */
    unmask(&lab);
    mask(&lab);
    unmask(&lab);
    g_assert_cmpuint(events(&lab), ==, 1);
    g_assert_cmphex(pectl(&lab), ==, 0);
    g_assert_cmphex(prs(&lab), ==, PPR);
    pri_lab_stop(&lab);
}

/*
 * 7.5 as a model: the state that registers show, and the number of MSIs
 */
typedef struct Model {
    uint32_t prs;
    uint32_t pectl;
    uint64_t msi;
    unsigned int queued;
} Model;

static void model_event(Model *m, uint32_t bit)
{
    if (!m->prs) {
        m->pectl |= IP;
        if (!(m->pectl & IM)) {
            m->pectl &= ~IP;
            m->msi++;
        }
    }
    m->prs |= bit;
}

static void model_request(Model *m)
{
    if (m->prs & PRO) {
        return;
    }
    if (m->queued == 127) {
        model_event(m, PRO);
    } else {
        m->queued++;
        model_event(m, PPR);
    }
}

static void model_clear(Model *m, uint32_t bits)
{
    m->prs &= ~bits;
    if (!m->prs) {
        m->pectl &= ~IP;
    }
}

static void model_mask(Model *m, bool masked)
{
    if (!masked && (m->pectl & IM) && (m->pectl & IP)) {
        m->pectl &= ~IP;
        m->msi++;
    }
    m->pectl = (m->pectl & IP) | (masked ? IM : 0);
}

/* Long random walks through every order of the things that can happen */
static void test_every_order(void)
{
    GRand *rand = g_rand_new_with_seed(62);
    Model m = { .pectl = IM };
    int step;
    PriLab lab;

    pri_lab_start(&lab);
    for (step = 0; step < 3000; step++) {
        int op = g_rand_int_range(rand, 0, 9);
        uint32_t bits;

        switch (op) {
        case 0:
        case 1:
            lab_request(&lab, LAB_IOVA, R, 1);
            model_request(&m);
            break;
        case 2:
        case 3:
            bits = g_rand_int_range(rand, 0, 4);
            qvtd_writel(&lab.v, QVTD_PRS, bits);
            model_clear(&m, bits);
            break;
        case 4:
            mask(&lab);
            model_mask(&m, true);
            break;
        case 5:
            unmask(&lab);
            model_mask(&m, false);
            break;
        case 6:
            qvtd_prq_drop_all(&lab.v);
            m.queued = 0;
            break;
        case 7:
            /* one behind full, so that overflow is as likely as the rest */
            qvtd_writeq(&lab.v, QVTD_PQT,
                        (qvtd_readq(&lab.v, QVTD_PQH) + 126 * 0x20) % 0x1000);
            m.queued = 126;
            break;
        default:
            /* IP is read-only, and so is all of 29:0 */
            qvtd_writel(&lab.v, QVTD_PECTL, (m.pectl & IM) | 0x7fffffff);
            model_mask(&m, m.pectl & IM);
            break;
        }
        if (prs(&lab) != m.prs || pectl(&lab) != m.pectl ||
            events(&lab) != m.msi) {
            g_test_message("step %d op %d: PRS %x for %x, PECTL %x for %x, "
                           "%" PRIu64 " MSIs for %" PRIu64, step, op,
                           prs(&lab), m.prs, pectl(&lab), m.pectl,
                           events(&lab), m.msi);
            g_test_fail();
            break;
        }
    }
    g_assert_cmpuint(m.msi, >, 100);
    g_rand_free(rand);
    pri_lab_stop(&lab);
}

/* -- PRQ-63, PRQ-64: IP ---------------------------------------------------- */

static void test_ip_cleared_by_both(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    lab_fill(&lab);
    lab_request(&lab, LAB_IOVA, R, 1);
    g_assert_cmphex(prs(&lab), ==, PPR | PRO);
    g_assert_cmphex(pectl(&lab), ==, IM | IP);
    qvtd_writel(&lab.v, QVTD_PRS, PPR);
    g_assert_cmphex(pectl(&lab), ==, IM | IP);
    qvtd_writel(&lab.v, QVTD_PRS, PRO);
    g_assert_cmphex(pectl(&lab), ==, IM);
    unmask(&lab);
    g_assert_cmpuint(events(&lab), ==, 0);
    pri_lab_stop(&lab);
}

static void test_ip_pro_first(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    lab_fill(&lab);
    lab_request(&lab, LAB_IOVA, R, 1);
    qvtd_writel(&lab.v, QVTD_PRS, PRO);
    g_assert_cmphex(pectl(&lab), ==, IM | IP);
    unmask(&lab);
    g_assert_cmpuint(events(&lab), ==, 1);
    g_assert_cmphex(pectl(&lab), ==, 0);
    pri_lab_stop(&lab);
}

/* 11.4.11.5 names only PPR: the other value of the knob ip-clear */
static void test_ip_clear_ppr(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, "ip-clear=ppr", NULL, 0);
    lab_fill(&lab);
    lab_request(&lab, LAB_IOVA, R, 1);
    qvtd_writel(&lab.v, QVTD_PRS, PPR);
    g_assert_cmphex(prs(&lab), ==, PRO);
    g_assert_cmphex(pectl(&lab), ==, IM);
    pri_lab_stop(&lab);
}

static void test_ip_read_only(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    qvtd_writel(&lab.v, QVTD_PECTL, IM | IP);
    g_assert_cmphex(pectl(&lab), ==, IM);
    unmask(&lab);
    qvtd_writel(&lab.v, QVTD_PECTL, IP);
    g_assert_cmphex(pectl(&lab) & IP, ==, 0);
    g_assert_cmpuint(events(&lab), ==, 0);
    mask(&lab);
    lab_request(&lab, LAB_IOVA, R, 1);
    qvtd_writel(&lab.v, QVTD_PECTL, IM);
    g_assert_cmphex(pectl(&lab), ==, IM | IP);
    pri_lab_stop(&lab);
}

/* -- PRQ-65: no lost wake-up ----------------------------------------------- */

/*
 * The handler of Linux: clear PPR, then read PQT, serve up to there.  A
 * request can come at any point; whenever the handler has returned, either
 * the queue is empty or there was another event.
 */
static void test_no_lost_wakeup(void)
{
    uint64_t handled = 0;
    int round, when;
    PriLab lab;

    pri_lab_start(&lab);
    unmask(&lab);
    for (round = 0; round < 64; round++) {
        uint64_t tail;

        lab_request(&lab, LAB_IOVA, R, 1);
        g_assert_cmpuint(events(&lab), >, handled);
        handled = events(&lab);

        when = round % 4;
        if (when == 0) {
            lab_request(&lab, LAB_IOVA, R, 1);
        }
        qvtd_writel(&lab.v, QVTD_PRS, PPR);
        if (when == 1) {
            lab_request(&lab, LAB_IOVA, R, 1);
        }
        tail = qvtd_readq(&lab.v, QVTD_PQT);
        if (when == 2) {
            lab_request(&lab, LAB_IOVA, R, 1);
        }
        qvtd_writeq(&lab.v, QVTD_PQH, tail);
        if (when == 3) {
            lab_request(&lab, LAB_IOVA, R, 1);
        }
        g_assert_true(!qvtd_prq_pending(&lab.v) || events(&lab) > handled);

        /* serve that event too, before the next round */
        handled = events(&lab);
        qvtd_writel(&lab.v, QVTD_PRS, PPR);
        qvtd_prq_drop_all(&lab.v);
    }
    pri_lab_stop(&lab);
}

/* -- PRQ-67: the message --------------------------------------------------- */

static void test_msi(void)
{
    static const uint64_t addrs[] = {
        0xfee00000, 0xfee01000, 0xfee0f004, 0xffffff00fee00000ULL,
        0x00000100fee00000ULL,
    };
    unsigned int i;
    PriLab lab;

    pri_lab_start(&lab);
    unmask(&lab);
    for (i = 0; i < ARRAY_SIZE(addrs); i++) {
        qvtd_msi_setup(&lab.v, QVTD_PECTL, addrs[i], 0x40 + i);
        lab_request(&lab, LAB_IOVA, R, 1);
        g_assert_cmpuint(events(&lab), ==, i + 1);
        g_assert_cmphex(qvtd_counter(&lab.v, "x-last-msi-addr"), ==, addrs[i]);
        g_assert_cmphex(qvtd_counter(&lab.v, "x-last-msi-data"), ==, 0x40 + i);
        qvtd_writel(&lab.v, QVTD_PRS, PPR);
    }
    pri_lab_stop(&lab);
}

/* Is @vector pending in the local APIC of the boot CPU? */
static bool apic_pending(PriLab *lab, unsigned int vector)
{
    g_autofree char *text = qtest_hmp(lab->qts, "info lapic");
    g_autofree char *number = g_strdup_printf(" %u", vector);
    char *irr = strstr(text, "IRR");
    char *end = irr ? strchr(irr, '\n') : NULL;
    char *found;

    if (!irr || !end) {
        g_test_message("no IRR in: %s", text);
        return false;
    }
    *end = 0;
    found = strstr(irr, number);
    return found && !g_ascii_isdigit(found[strlen(number)]);
}

/* the message reaches a CPU, interrupt remapping or not */
static void test_reaches_cpu(const void *opaque)
{
    bool remapping = opaque;
    PriLab lab;

    pri_lab_start(&lab);
    if (remapping) {
        /* every entry of the table is not present: all else is blocked */
        qvtd_writeq(&lab.v, QVTD_IRTA, qvtd_alloc(&lab.v, 1) | 7);
        qvtd_gcmd(&lab.v, QVTD_GCMD_SIRTP, 0);
        qvtd_gcmd(&lab.v, QVTD_GCMD_IRE, 0);
    }
    unmask(&lab);
    g_assert_false(apic_pending(&lab, LAB_PE_VECTOR));
    lab_request(&lab, LAB_IOVA, R, 1);
    g_assert_true(apic_pending(&lab, LAB_PE_VECTOR));
    g_assert_false(apic_pending(&lab, LAB_FE_VECTOR));
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS), ==, 0);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    g_test_add_data_func("/vtd/prq/PRQ-60/lpig-0", GUINT_TO_POINTER(R),
                         test_any_descriptor);
    g_test_add_data_func("/vtd/prq/PRQ-60/lpig-1", GUINT_TO_POINTER(R | L),
                         test_any_descriptor);
    g_test_add_data_func("/vtd/prq/PRQ-60/stop-marker", GUINT_TO_POINTER(L),
                         test_any_descriptor);
    g_test_add_func("/vtd/prq/PRQ-60/not-for-faults", test_not_for_faults);
    g_test_add_func("/vtd/prq/PRQ-61/one-event", test_one_event);
    g_test_add_func("/vtd/prq/PRQ-61/ppr-then-overflow",
                    test_ppr_then_overflow);
    g_test_add_func("/vtd/prq/PRQ-61/overflow-alone", test_overflow_alone);
    g_test_add_func("/vtd/prq/PRQ-61/pro-cleared-ppr-left",
                    test_pro_cleared_ppr_left);
    g_test_add_func("/vtd/prq/PRQ-62/masked", test_masked);
    g_test_add_func("/vtd/prq/PRQ-62/every-order", test_every_order);
    g_test_add_func("/vtd/prq/PRQ-63/ip-cleared-by-both",
                    test_ip_cleared_by_both);
    g_test_add_func("/vtd/prq/PRQ-63/ip-pro-first", test_ip_pro_first);
    g_test_add_func("/vtd/prq/PRQ-63/ip-clear-ppr", test_ip_clear_ppr);
    g_test_add_func("/vtd/prq/PRQ-64/ip-read-only", test_ip_read_only);
    g_test_add_func("/vtd/prq/PRQ-65/no-lost-wakeup", test_no_lost_wakeup);
    g_test_add_func("/vtd/prq/PRQ-67/msi", test_msi);
    g_test_add_data_func("/vtd/prq/PRQ-67/reaches-cpu", NULL,
                         test_reaches_cpu);
    g_test_add_data_func("/vtd/prq/PRQ-67/not-remapped",
                         GUINT_TO_POINTER(1), test_reaches_cpu);
    return g_test_run();
}
