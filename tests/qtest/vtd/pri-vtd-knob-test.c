/*
 * VT-d page requests: the knobs, as properties, at run time and by the guest
 *
 * What each value of a knob changes in a rule is tested where the rule is;
 * here are the knobs themselves, the hold points and delays, and the values
 * that no rule is about.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/pri-lab.h"
#include "hw/i386/vtd-knobs.h"

#define R   PT_RAW_READ
#define L   PT_RAW_LAST
#define US  1000

typedef struct Knob {
    const char *name;
    uint64_t def;
    uint64_t max;
    const char *values;
} Knob;

static const Knob knobs[] = {
#define V(ID, name) name "\0"
#define KNOB_ROW(FIELD, field, name, def, max, values, help) \
    { name, def, max, values "" },
    VTD_KNOBS(KNOB_ROW)
#undef KNOB_ROW
#undef V
};

/* Writing these does something at once */
static bool is_command(const char *name)
{
    return g_str_has_prefix(name, "inject-") || !strcmp(name, "prq-release") ||
           g_str_has_prefix(name, "link-release") ||
           !strcmp(name, "link-discard") || !strcmp(name, "link-held");
}

/* Name of value @n of a knob, as qom-get shows it; or the number */
static char *value_name(const Knob *knob, uint64_t n)
{
    const char *name = knob->values;

    if (!*name) {
        return g_strdup_printf("%" PRIu64, n);
    }
    while (n-- && *name) {
        name += strlen(name) + 1;
    }
    return g_strdup(name);
}

static char *get_knob(PriLab *lab, const char *name)
{
    QDict *rsp = qtest_qmp(lab->qts, "{ 'execute': 'qom-get', 'arguments': { "
                           "'path': '/machine/peripheral/vtd', "
                           "'property': %s } }", name);
    QObject *value = qdict_get(rsp, "return");
    char *text;

    if (value && qobject_type(value) == QTYPE_QSTRING) {
        text = g_strdup(qdict_get_str(rsp, "return"));
    } else {
        text = g_strdup_printf("%" PRId64, qdict_get_try_int(rsp, "return",
                                                             -1));
    }
    qobject_unref(rsp);
    return text;
}

static bool try_set(PriLab *lab, const Knob *knob, const char *value)
{
    g_autofree char *cmd = g_strdup_printf(
        "{ 'execute': 'qom-set', 'arguments': { "
        "'path': '/machine/peripheral/vtd', 'property': '%s', "
        "'value': %s%s%s } }", knob->name, *knob->values ? "'" : "", value,
        *knob->values ? "'" : "");
    QDict *rsp;
    bool ok;

    qtest_qmp_send_raw(lab->qts, "%s", cmd);
    rsp = qtest_qmp_receive(lab->qts);
    ok = qdict_haskey(rsp, "return");
    qobject_unref(rsp);
    return ok;
}

static void guest_select(PriLab *lab, unsigned int index)
{
    qpt_writel(&lab->d, PT_KNOB_SELECT, index | PT_KNOB_IOMMU);
}

/* -- the table ------------------------------------------------------------- */

static void test_defaults(void)
{
    unsigned int i;
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, 0);
    for (i = 0; i < ARRAY_SIZE(knobs); i++) {
        g_autofree char *want = value_name(&knobs[i], knobs[i].def);
        g_autofree char *got = get_knob(&lab, knobs[i].name);

        g_assert_cmpstr(got, ==, want);
        guest_select(&lab, i);
        g_assert_cmpuint(qpt_readq(&lab.d, PT_KNOB_VALUE), ==, knobs[i].def);
    }
    pri_lab_stop(&lab);
}

static void test_set_by_host(void)
{
    unsigned int i;
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, 0);
    for (i = 0; i < ARRAY_SIZE(knobs); i++) {
        uint64_t n, step = *knobs[i].values ? 1 : MAX(knobs[i].max / 3, 1);

        if (is_command(knobs[i].name)) {
            continue;
        }
        for (n = 0; n <= knobs[i].max; n += step) {
            g_autofree char *value = value_name(&knobs[i], n);
            g_autofree char *got = NULL;

            g_assert_true(try_set(&lab, &knobs[i], value));
            got = get_knob(&lab, knobs[i].name);
            g_assert_cmpstr(got, ==, value);
            guest_select(&lab, i);
            g_assert_cmpuint(qpt_readq(&lab.d, PT_KNOB_VALUE), ==, n);
        }
    }
    pri_lab_stop(&lab);
}

static void test_set_by_guest(void)
{
    unsigned int i;
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, 0);
    for (i = 0; i < ARRAY_SIZE(knobs); i++) {
        g_autofree char *want = value_name(&knobs[i], knobs[i].max);
        g_autofree char *got = NULL;

        if (is_command(knobs[i].name)) {
            continue;
        }
        guest_select(&lab, i);
        qpt_writeq(&lab.d, PT_KNOB_VALUE, knobs[i].max);
        g_assert_cmpuint(qpt_readl(&lab.d, PT_KNOB_STATUS), ==, PT_KNOB_OK);
        got = get_knob(&lab, knobs[i].name);
        g_assert_cmpstr(got, ==, want);

        qpt_writeq(&lab.d, PT_KNOB_VALUE, knobs[i].max + 1);
        g_assert_cmpuint(qpt_readl(&lab.d, PT_KNOB_STATUS), ==,
                         PT_KNOB_RANGE);
        g_assert_cmpuint(qpt_readq(&lab.d, PT_KNOB_VALUE), ==, knobs[i].max);
    }
    guest_select(&lab, ARRAY_SIZE(knobs));
    qpt_writeq(&lab.d, PT_KNOB_VALUE, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_KNOB_STATUS), ==, PT_KNOB_NONE);
    pri_lab_stop(&lab);
}

static void test_refused(void)
{
    unsigned int i;
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, 0);
    for (i = 0; i < ARRAY_SIZE(knobs); i++) {
        g_autofree char *over = g_strdup_printf("%" PRIu64, knobs[i].max + 1);
        g_autofree char *before = get_knob(&lab, knobs[i].name);
        g_autofree char *after = NULL;

        g_assert_false(try_set(&lab, &knobs[i], *knobs[i].values ? "nonsense" :
                               over));
        after = get_knob(&lab, knobs[i].name);
        g_assert_cmpstr(before, ==, after);
    }
    pri_lab_stop(&lab);
}

/* -- holding requests ------------------------------------------------------ */

static void test_hold_and_release(void)
{
    unsigned int i;
    PriLab lab;

    pri_lab_start_with(&lab, "prq-hold=on", NULL, 0);
    for (i = 0; i < 5; i++) {
        lab_request(&lab, LAB_IOVA + i * 0x1000, R | L, i);
    }
    qtest_clock_step(lab.qts, 1000 * 1000 * US);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, 0);

    qvtd_set_property(&lab.v, "prq-release", "2");
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 2);
    qvtd_set_property(&lab.v, "prq-hold", "\"off\"");
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 5);
    for (i = 0; i < 5; i++) {
        QVtdDesc prd;

        g_assert_true(qvtd_prq_pop(&lab.v, &prd));
        g_assert_cmpuint(QVTD_PRD_PRGI(&prd), ==, i);
    }
    pri_lab_stop(&lab);
}

/* checked when it was received: what the tables say later does not matter */
static void test_hold_after_check(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, "prq-hold=on", NULL, 0);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    qvtd_set(&lab.v, qvtd_pasid_entry(&lab.v, lab.d.rid, LAB_PASID),
             QVTD_PE_P, 0);
    qvtd_flush(&lab.v);
    lab_request(&lab, LAB_IOVA, R | L, 2);
    lab_expect_response(&lab, QPT_INVALID_REQUEST, 2, LAB_PASID);
    qvtd_set_property(&lab.v, "prq-hold", "\"off\"");
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    lab_expect_silence(&lab);
    pri_lab_stop(&lab);
}

static void test_hold_until_pd(void)
{
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, "prq-hold=until-pd", NULL, 0);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    lab_request(&lab, LAB_IOVA, R | L, 2);
    qvtd_wait(&lab.v, 0);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    qvtd_submit(&lab.v, qvtd_desc_wait(&lab.v, QVTD_WAIT_SW | QVTD_WAIT_PD,
                                       &slot));
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 2);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

/* a PD wait waits for what is held, as long as it is held */
static void test_hold_blocks_pd(void)
{
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, "prq-hold=on", NULL, 0);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    qvtd_submit(&lab.v, qvtd_desc_wait(&lab.v, QVTD_WAIT_SW | QVTD_WAIT_PD,
                                       &slot));
    qtest_clock_step(lab.qts, 1000 * 1000 * US);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    qvtd_set_property(&lab.v, "prq-release", "1");
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    pri_lab_stop(&lab);
}

static void test_depth(void)
{
    unsigned int i;
    PriLab lab;

    pri_lab_start_with(&lab, "prq-depth=3", NULL, 0);
    for (i = 0; i < 3; i++) {
        lab_request(&lab, LAB_IOVA, R | L, i);
    }
    lab_expect_silence(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 3);
    lab_expect_response(&lab, QPT_SUCCESS, 3, LAB_PASID);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 3);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==,
                    QVTD_PRS_PPR | QVTD_PRS_PRO);
    pri_lab_stop(&lab);
}

/* More than the ring holds: the ring counts */
static void test_depth_beyond_ring(void)
{
    unsigned int room;
    PriLab lab;

    pri_lab_start_with(&lab, "prq-depth=200", NULL, 0);
    room = lab.v.prq_size / QVTD_PRD_SIZE - 1;
    g_assert_cmpuint(room, <, 200);
    lab_fill(&lab);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, QVTD_PRS_PPR);
    lab_request(&lab, LAB_IOVA, R | L, 3);
    lab_expect_response(&lab, QPT_SUCCESS, 3, LAB_PASID);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, room);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==,
                    QVTD_PRS_PPR | QVTD_PRS_PRO);
    pri_lab_stop(&lab);
}

/* -- holding the event ----------------------------------------------------- */

static uint64_t msis(PriLab *lab)
{
    return qvtd_counter(&lab->v, "x-msis");
}

static void test_irq_hold(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, "prq-irq-hold=on", NULL, 0);
    qvtd_writel(&lab.v, QVTD_PECTL, 0);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    g_assert_cmpuint(msis(&lab), ==, 0);
    /* 11.4.11.5: held pending by "other transient hardware conditions" */
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PECTL), ==, QVTD_EVENT_IP);
    qvtd_set_property(&lab.v, "prq-irq-hold", "\"off\"");
    g_assert_cmpuint(msis(&lab), ==, 1);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PECTL), ==, 0);
    pri_lab_stop(&lab);
}

/* served before it is let go: then there is nothing to send */
static void test_irq_hold_serviced(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, "prq-irq-hold=on", NULL, 0);
    qvtd_writel(&lab.v, QVTD_PECTL, 0);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    qvtd_writel(&lab.v, QVTD_PRS, QVTD_PRS_PPR);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PECTL), ==, 0);
    qvtd_set_property(&lab.v, "prq-irq-hold", "\"off\"");
    g_assert_cmpuint(msis(&lab), ==, 0);
    pri_lab_stop(&lab);
}

/* masked meanwhile: hardware is prohibited from sending (11.4.11.5) */
static void test_irq_hold_masked(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, "prq-irq-hold=on", NULL, 0);
    qvtd_writel(&lab.v, QVTD_PECTL, 0);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    qvtd_writel(&lab.v, QVTD_PECTL, QVTD_EVENT_IM);
    qvtd_set_property(&lab.v, "prq-irq-hold", "\"off\"");
    g_assert_cmpuint(msis(&lab), ==, 0);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PECTL), ==,
                    QVTD_EVENT_IM | QVTD_EVENT_IP);
    qvtd_writel(&lab.v, QVTD_PECTL, 0);
    g_assert_cmpuint(msis(&lab), ==, 1);
    pri_lab_stop(&lab);
}

static void test_irq_after(void)
{
    unsigned int i;
    PriLab lab;

    pri_lab_start_with(&lab, "prq-irq-hold=on,prq-irq-after=4", NULL, 0);
    qvtd_writel(&lab.v, QVTD_PECTL, 0);
    for (i = 0; i < 3; i++) {
        lab_request(&lab, LAB_IOVA, R | L, i);
        g_assert_cmpuint(msis(&lab), ==, 0);
    }
    lab_request(&lab, LAB_IOVA, R | L, 3);
    g_assert_cmpuint(msis(&lab), ==, 1);
    pri_lab_stop(&lab);
}

/* -- values that no rule is about ------------------------------------------ */

static void test_pqa_unset(const void *opaque)
{
    bool invalid = opaque;
    PriLab lab;

    pri_lab_boot(&lab, invalid ? "pqa-unset=invalid" : "pqa-unset=write",
                 NULL, 0);
    qvtd_start(&lab.v);
    qvtd_device_setup(&lab.v, lab.d.rid, 7);
    qvtd_pasid_setup(&lab.v, lab.d.rid, LAB_PASID, LAB_DID);
    qvtd_flush(&lab.v);
    qpt_enable(&lab.d, 0);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    if (invalid) {
        lab_expect_response(&lab, QPT_INVALID_REQUEST, 1, LAB_PASID);
        g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, 0);
    } else {
        lab_expect_silence(&lab);
        g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, 0x20);
        g_assert_cmphex(qtest_readq(lab.qts, 8) & ~0xfffULL, ==, LAB_IOVA);
    }
    pri_lab_stop(&lab);
}

static void test_write_error(const void *opaque)
{
    bool pro = opaque;
    PriLab lab;

    pri_lab_start_with(&lab, pro ? "prq-write-error=pro" :
                       "prq-write-error=success", NULL, 0);
    qvtd_writeq(&lab.v, QVTD_PQA, QVTD_NO_MEMORY);
    lab_request(&lab, LAB_IOVA, R, 1);
    lab_expect_silence(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    lab_expect_response(&lab, QPT_SUCCESS, 1, LAB_PASID);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==,
                    pro ? QVTD_PRS_PRO : 0);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, 0);
    pri_lab_stop(&lab);
}

static void test_tes0_invalid(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, "tes0-pr=invalid", NULL, 0);
    qvtd_gcmd(&lab.v, 0, QVTD_GCMD_TE);
    lab_request(&lab, LAB_IOVA, R, 1);
    lab_expect_silence(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    lab_expect_response(&lab, QPT_INVALID_REQUEST, 1, LAB_PASID);
    pri_lab_stop(&lab);
}

/* 7.2.1: with compression, a second fault of a function is not recorded */
static void test_fault_collapse(const void *opaque)
{
    bool collapse = opaque;
    PriLab lab;

    pri_lab_start_with(&lab, collapse ? "fault-collapse=on" :
                       "fault-collapse=off", NULL, 0);
    qvtd_set(&lab.v, qvtd_context_entry(&lab.v, lab.d.rid), QVTD_CE_PRE, 0);
    qvtd_flush(&lab.v);
    lab_request(&lab, LAB_IOVA, R, 1);
    lab_request(&lab, LAB_IOVA + 0x1000, R, 1);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS) & 0xff, ==,
                    collapse ? QVTD_FSTS_PPF :
                    QVTD_FSTS_PPF | QVTD_FSTS_PFO);
    pri_lab_stop(&lab);
}

/*
 * Requests that are kept back are bounded: where there is no room for one more
 * it is dropped, or answered with Success if it is the last of its group, as if
 * the queue were full (table 31)
 */
static void test_hold_bounded(void)
{
    const unsigned int room = 65536;
    unsigned int i;
    PriLab lab;

    pri_lab_start_with(&lab, "prq-hold=on", NULL, 0);
    lab_request(&lab, LAB_IOVA, PT_RAW_READ, 1);
    for (i = 1; i < room; i++) {
        qpt_writel(&lab.d, PT_RAW_SEND, 1);
    }
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-prq-pending"), ==, room);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, 0);
    lab_request(&lab, LAB_IOVA, PT_RAW_READ, 2);
    lab_expect_silence(&lab);
    lab_request(&lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, 3);
    lab_expect_response(&lab, QPT_SUCCESS, 3, LAB_PASID);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-prq-pending"), ==, room);

    qvtd_set_property(&lab.v, "prq-hold", "\"off\"");
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-prq-pending"), ==, 0);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    g_test_add_func("/vtd/knob/defaults", test_defaults);
    g_test_add_func("/vtd/knob/set-by-host", test_set_by_host);
    g_test_add_func("/vtd/knob/set-by-guest", test_set_by_guest);
    g_test_add_func("/vtd/knob/refused", test_refused);
    g_test_add_func("/vtd/knob/prq-hold/release", test_hold_and_release);
    g_test_add_func("/vtd/knob/prq-hold/after-check", test_hold_after_check);
    g_test_add_func("/vtd/knob/prq-hold/until-pd", test_hold_until_pd);
    g_test_add_func("/vtd/knob/prq-hold/blocks-pd", test_hold_blocks_pd);
    g_test_add_func("/vtd/knob/prq-hold/bounded", test_hold_bounded);
    g_test_add_func("/vtd/knob/prq-depth", test_depth);
    g_test_add_func("/vtd/knob/PRQ-20/prq-depth-beyond-ring",
                    test_depth_beyond_ring);
    g_test_add_func("/vtd/knob/prq-irq-hold/release", test_irq_hold);
    g_test_add_func("/vtd/knob/prq-irq-hold/serviced",
                    test_irq_hold_serviced);
    g_test_add_func("/vtd/knob/prq-irq-hold/masked", test_irq_hold_masked);
    g_test_add_func("/vtd/knob/prq-irq-after", test_irq_after);
    g_test_add_data_func("/vtd/knob/pqa-unset/write", NULL, test_pqa_unset);
    g_test_add_data_func("/vtd/knob/pqa-unset/invalid", GUINT_TO_POINTER(1),
                         test_pqa_unset);
    g_test_add_data_func("/vtd/knob/prq-write-error/success", NULL,
                         test_write_error);
    g_test_add_data_func("/vtd/knob/prq-write-error/pro",
                         GUINT_TO_POINTER(1), test_write_error);
    g_test_add_func("/vtd/knob/tes0-pr/invalid", test_tes0_invalid);
    g_test_add_data_func("/vtd/knob/fault-collapse/off", NULL,
                         test_fault_collapse);
    g_test_add_data_func("/vtd/knob/fault-collapse/on", GUINT_TO_POINTER(1),
                         test_fault_collapse);
    return g_test_run();
}
