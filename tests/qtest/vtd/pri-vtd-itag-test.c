/*
 * VT-d device-TLB invalidation: time-outs and ITags (QI-20, QI-21, QI-23,
 * QI-25)
 *
 * When the clock of an invalidation starts and ends, how many are on their way
 * at a time, and functions that are not there.  VT-d 4.3, 6.5.2.5, 6.5.2.6
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/vtd-inv.h"

#define SW      QVTD_WAIT_SW
#define ITE     QVTD_FSTS_ITE
#define TIMEOUT "ite-timeout-ms=100"

static void start(PriLab *lab, const char *vtd)
{
    pri_lab_start_with(lab, vtd, NULL, 0);
    qvtd_qi_start(&lab->v, 0, true);
}

static void put_n(PriLab *lab, uint16_t rid, unsigned int n)
{
    unsigned int i;

    for (i = 0; i < n; i++) {
        qinv_put_dev_tlb(&lab->v, rid);
    }
}

static uint64_t requests(PriLab *lab)
{
    return qvtd_counter(&lab->v, "x-devtlb-requests");
}

static void step_ms(PriLab *lab, int64_t ms)
{
    qtest_clock_step(lab->qts, ms * QINV_MS);
}

/* -- QI-20: the time-out --------------------------------------------------- */

static void test_timeout(const void *opaque)
{
    unsigned int ms = GPOINTER_TO_UINT(opaque);
    g_autofree char *vtd = g_strdup_printf("ite-timeout-ms=%u", ms);
    PriLab lab;

    start(&lab, vtd);
    put_n(&lab, QINV_ABSENT, 1);
    qvtd_qi_ring(&lab.v);
    qtest_clock_step(lab.qts, ms * QINV_MS - 100 * QINV_US);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    qtest_clock_step(lab.qts, 200 * QINV_US);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    pri_lab_stop(&lab);
}

/* PCIe gives the function a minute, and half a minute more */
static void test_timeout_default(void)
{
    uint32_t slot;
    PriLab lab;

    start(&lab, NULL);
    put_n(&lab, QINV_ABSENT, 1);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    step_ms(&lab, 59999);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    step_ms(&lab, 30001);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    pri_lab_stop(&lab);
}

static void test_timeout_never(void)
{
    uint32_t slot;
    PriLab lab;

    start(&lab, "ite-timeout-ms=0");
    put_n(&lab, QINV_ABSENT, 1);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    step_ms(&lab, 24 * 3600 * 1000LL);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

/* Each ITag has a timer of its own */
static void test_timeout_each(void)
{
    PriLab lab;

    start(&lab, TIMEOUT);
    put_n(&lab, QINV_ABSENT, 1);
    qvtd_qi_ring(&lab.v);
    step_ms(&lab, 60);
    put_n(&lab, QINV_ABSENT, 1);
    qvtd_qi_ring(&lab.v);
    step_ms(&lab, 41);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    qvtd_writel(&lab.v, QVTD_FSTS, ITE);
    step_ms(&lab, 58);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    step_ms(&lab, 2);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    pri_lab_stop(&lab);
}

/* It starts when the request is issued, not when the descriptor is queued */
static void test_timeout_from_issue(void)
{
    PriLab lab;

    start(&lab, TIMEOUT ",itags=1");
    put_n(&lab, QINV_ABSENT, 2);
    qvtd_qi_ring(&lab.v);
    step_ms(&lab, 101);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    g_assert_cmpuint(requests(&lab), ==, 1);
    step_ms(&lab, 50);
    qvtd_writel(&lab.v, QVTD_FSTS, ITE);
    g_assert_cmpuint(requests(&lab), ==, 2);
    step_ms(&lab, 99);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    step_ms(&lab, 2);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    pri_lab_stop(&lab);
}

/* A completion in time ends it */
static void test_timeout_ended(void)
{
    PriLab lab;

    start(&lab, TIMEOUT);
    put_n(&lab, lab.d.rid, 3);
    qvtd_wait(&lab.v, 0);
    step_ms(&lab, 1000);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-devtlb-completions"), ==, 3);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-devtlb-timeouts"), ==, 0);
    pri_lab_stop(&lab);
}

/* Set by the host at run time: it counts for requests from then on */
static void test_timeout_knob(void)
{
    PriLab lab;

    start(&lab, NULL);
    put_n(&lab, QINV_ABSENT, 1);
    qvtd_qi_ring(&lab.v);
    qvtd_set_property(&lab.v, "ite-timeout-ms", "50");
    step_ms(&lab, 1000);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    put_n(&lab, QINV_ABSENT_2, 1);
    qvtd_qi_ring(&lab.v);
    step_ms(&lab, 51);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, QINV_ABSENT_2);
    pri_lab_stop(&lab);
}

/* Nothing of it survives a reset of the machine */
static void test_timeout_reset(void)
{
    uint32_t slot;
    PriLab lab;

    start(&lab, TIMEOUT);
    put_n(&lab, QINV_ABSENT, 40);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    lab_reset(&lab);
    step_ms(&lab, 1000);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQH), ==, 0);
    g_assert_false(qvtd_wait_done(&lab.v, slot));

    /* and the unit is as new */
    qvtd_set_root(&lab.v, lab.v.root, QVTD_TTM_SCALABLE);
    qvtd_qi_start(&lab.v, 0, true);
    put_n(&lab, QINV_ABSENT, 32);
    qvtd_qi_ring(&lab.v);
    g_assert_true(qvtd_qi_idle(&lab.v));
    pri_lab_stop(&lab);
}

/* -- QI-21: ITags ---------------------------------------------------------- */

/* @opaque: how many there are */
static void test_deferred(const void *opaque)
{
    unsigned int n = GPOINTER_TO_UINT(opaque);
    g_autofree char *vtd = g_strdup_printf(TIMEOUT ",itags=%u", n);
    uint32_t slot;
    PriLab lab;

    start(&lab, vtd);
    put_n(&lab, QINV_ABSENT, n + 8);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(requests(&lab), ==, n);
    g_assert_cmpuint(qinv_head(&lab.v), ==, n);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-devtlb-deferred"), ==, 1);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);

    /* deferred, not failed: they are sent when there are ITags again */
    step_ms(&lab, 101);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    g_assert_cmpuint(requests(&lab), ==, n);
    qvtd_writel(&lab.v, QVTD_FSTS, ITE);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    g_assert_cmpuint(requests(&lab), ==, MIN(2 * n, n + 8));
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

/* The tag is unique among those on their way to the function */
static void test_unique(void)
{
    uint32_t seen = 0;
    GArray *sent;
    QInvLog log;
    unsigned int i;
    PriLab lab;

    qinv_log_start(&log, TIMEOUT);
    start(&lab, log.options);
    put_n(&lab, QINV_ABSENT, 40);
    qvtd_qi_ring(&lab.v);
    pri_lab_stop(&lab);
    sent = qinv_log_finish(&log);
    g_assert_cmpuint(sent->len, ==, 32);
    for (i = 0; i < sent->len; i++) {
        QInvRequest *req = &g_array_index(sent, QInvRequest, i);

        g_assert_cmphex(req->rid, ==, QINV_ABSENT);
        g_assert_cmpuint(req->itag, <, 32);
        seen |= 1U << req->itag;
    }
    g_assert_cmphex(seen, ==, UINT32_MAX);
    g_array_free(sent, true);
}

/* They are counted by function */
static void test_per_function(void)
{
    PriLab lab;

    start(&lab, TIMEOUT);
    put_n(&lab, QINV_ABSENT, 32);
    put_n(&lab, QINV_ABSENT_2, 32);
    put_n(&lab, lab.d.rid, 1);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(requests(&lab), ==, 65);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-devtlb-completions"), ==, 1);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-devtlb-deferred"), ==, 0);
    g_assert_true(qvtd_qi_idle(&lab.v));
    pri_lab_stop(&lab);
}

/*
 * A queue full of requests for functions that are not there, each another one:
 * what is on its way has a bound, the rest is deferred, and all of them come
 * to an end
 */
static void test_many_functions(void)
{
    unsigned int n = (1 << 14) - 2, i, rounds;
    uint64_t sent, before = 0;
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, TIMEOUT, NULL, 0);
    qvtd_qi_start(&lab.v, 7, true);
    for (i = 0; i < n; i++) {
        qinv_put_dev_tlb(&lab.v, 0x8000 + i);
    }
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    for (rounds = 0; rounds < n && !qvtd_qi_idle(&lab.v); rounds++) {
        sent = requests(&lab);
        g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
        g_assert_cmpuint(sent, >, before);
        g_assert_cmpuint(sent - before, <=, 4096);
        g_assert_cmpuint(qinv_head(&lab.v), ==, sent);
        before = sent;
        step_ms(&lab, 101);
        g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
        qvtd_writel(&lab.v, QVTD_FSTS, ITE);
    }
    g_assert_true(qvtd_qi_idle(&lab.v));
    g_assert_cmpuint(requests(&lab), ==, n);
    g_assert_cmpuint(rounds, >, 1);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

/* A function that answers gives its tags back, however many are asked for */
static void test_reused(void)
{
    unsigned int i;
    PriLab lab;

    start(&lab, "itags=2");
    for (i = 0; i < 10; i++) {
        put_n(&lab, lab.d.rid, 100);
        qvtd_wait(&lab.v, 0);
    }
    g_assert_cmpuint(requests(&lab), ==, 1000);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_INV_REQUESTS), ==, 1000);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-devtlb-deferred"), ==, 0);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    pri_lab_stop(&lab);
}

/* -- QI-23: MIP and PFSID -------------------------------------------------- */

/* Not reserved, whatever ECAP.DIT says; a hint that hardware may follow */
static void test_mip(const void *opaque)
{
    unsigned int type = GPOINTER_TO_UINT(opaque), mip;
    PriLab lab;

    start(&lab, TIMEOUT);
    for (mip = 0; mip < 32; mip++) {
        QVtdDesc desc = qinv_desc_valid(type, lab.d.rid);

        qinv_set_mip(&desc, mip);
        qinv_put(&lab.v, desc);
        qvtd_wait(&lab.v, 0);
        g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
        g_assert_cmpuint(requests(&lab), ==, mip + 1);
    }
    pri_lab_stop(&lab);
}

/* This unit follows it; 0 is 32 */
static void test_mip_throttles(const void *opaque)
{
    unsigned int type = GPOINTER_TO_UINT(opaque) & 0xf;
    unsigned int mip = GPOINTER_TO_UINT(opaque) >> 4;
    unsigned int limit = mip ? mip : 32, i;
    QVtdDesc desc = qinv_desc_valid(type, QINV_ABSENT);
    PriLab lab;

    start(&lab, TIMEOUT);
    qinv_set_mip(&desc, mip);
    for (i = 0; i < 40; i++) {
        qinv_put(&lab.v, desc);
    }
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(requests(&lab), ==, limit);
    g_assert_cmpuint(qinv_head(&lab.v), ==, limit);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    pri_lab_stop(&lab);
}

/* DIT=0: each of its bits is reserved, though it be that of the function */
static void test_pfsid(const void *opaque)
{
    unsigned int type = GPOINTER_TO_UINT(opaque), bit;
    PriLab lab;

    start(&lab, NULL);
    g_assert_cmphex(lab.v.ecap & QVTD_ECAP_DIT, ==, 0);
    for (bit = 0; bit <= 16; bit++) {
        QVtdDesc desc = qinv_desc_valid(type, lab.d.rid);

        qinv_set_pfsid(&desc, bit == 16 ? lab.d.rid : 1 << bit);
        qvtd_expect_iqe(&lab.v, desc, QVTD_IQEI_RSVD);
    }
    g_assert_cmpuint(requests(&lab), ==, 0);
    pri_lab_stop(&lab);
}

/* -- QI-25: functions that are not there ----------------------------------- */

typedef struct Absent {
    const char *name;
    uint16_t rid;
} Absent;

static const Absent absent[] = {
    { "no-bus", QINV_ABSENT },
    { "last-bus", 0xffff },
    { "no-device", 11 << 3 },
    { "no-device-behind-port", LAB_BUS << 8 | 3 << 3 },
    { "no-function", LAB_BUS << 8 | 1 },
};

static void test_absent(const void *opaque)
{
    uint16_t rid = ((const Absent *)opaque)->rid;
    unsigned int type;
    PriLab lab;

    start(&lab, TIMEOUT);
    for (type = QINV_DEV_TLB; type <= QINV_DEV_PTLB;
         type += QINV_DEV_PTLB - QINV_DEV_TLB) {
        uint32_t slot;

        qinv_put(&lab.v, qinv_desc_valid(type, rid));
        slot = qinv_put_wait(&lab.v, SW);
        qvtd_qi_ring(&lab.v);
        step_ms(&lab, 99);
        g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
        g_assert_false(qvtd_wait_done(&lab.v, slot));
        step_ms(&lab, 2);
        g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
        g_assert_cmphex(qinv_itesid(&lab.v), ==, rid);
        g_assert_false(qvtd_wait_done(&lab.v, slot));
        qvtd_writel(&lab.v, QVTD_FSTS, ITE);
        qvtd_wait(&lab.v, 0);
    }
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_INV_REQUESTS), ==, 0);
    pri_lab_stop(&lab);
}

/* The knob: as QEMU without the link does it */
static void test_absent_complete(void)
{
    PriLab lab;

    start(&lab, TIMEOUT ",inv-absent=complete");
    put_n(&lab, QINV_ABSENT, 40);
    qvtd_wait(&lab.v, 0);
    step_ms(&lab, 1000);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    pri_lab_stop(&lab);
}

/* A function that takes no messages completes at once: here, the root port */
static void test_not_on_link(void)
{
    PriLab lab;

    start(&lab, TIMEOUT ",inv-no-ats=complete");
    put_n(&lab, lab.d.port << 3, 40);
    qvtd_wait(&lab.v, 0);
    step_ms(&lab, 1000);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    pri_lab_stop(&lab);
}

static void add_timeouts(void)
{
    static const unsigned int ms[] = { 1, 50, 200, 2000, 60000, 90000 };
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(ms); i++) {
        g_autofree char *name = g_strdup_printf("/vtd/qi/QI-20/%u-ms", ms[i]);

        g_test_add_data_func(name, GUINT_TO_POINTER(ms[i]), test_timeout);
    }
}

static void add_itags(void)
{
    static const unsigned int n[] = { 1, 2, 7, 31, 32 };
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(n); i++) {
        g_autofree char *name = g_strdup_printf("/vtd/qi/QI-21/deferred-%u",
                                                n[i]);

        g_test_add_data_func(name, GUINT_TO_POINTER(n[i]), test_deferred);
    }
}

static void add_types(void)
{
    static const unsigned int types[] = { QINV_DEV_TLB, QINV_DEV_PTLB };
    static const unsigned int mips[] = { 0, 1, 16, 31 };
    unsigned int i, j;

    for (i = 0; i < G_N_ELEMENTS(types); i++) {
        gpointer type = GUINT_TO_POINTER(types[i]);
        g_autofree char *mip = g_strdup_printf("/vtd/qi/QI-23/mip-type-%u",
                                               types[i]);
        g_autofree char *pfsid = g_strdup_printf(
            "/vtd/qi/QI-23/pfsid-reserved-type-%u", types[i]);

        g_test_add_data_func(mip, type, test_mip);
        g_test_add_data_func(pfsid, type, test_pfsid);
        for (j = 0; j < G_N_ELEMENTS(mips); j++) {
            g_autofree char *name = g_strdup_printf(
                "/vtd/qi/QI-23/mip-%u-throttles-type-%u", mips[j], types[i]);

            g_test_add_data_func(name,
                                 GUINT_TO_POINTER(types[i] | mips[j] << 4),
                                 test_mip_throttles);
        }
    }
}

int main(int argc, char **argv)
{
    unsigned int i;

    pri_lab_test_init(&argc, &argv);
    add_timeouts();
    g_test_add_func("/vtd/qi/QI-20/default", test_timeout_default);
    g_test_add_func("/vtd/qi/QI-20/never", test_timeout_never);
    g_test_add_func("/vtd/qi/QI-20/each-itag", test_timeout_each);
    g_test_add_func("/vtd/qi/QI-20/from-issue", test_timeout_from_issue);
    g_test_add_func("/vtd/qi/QI-20/ended-by-completion", test_timeout_ended);
    g_test_add_func("/vtd/qi/QI-20/knob-at-run-time", test_timeout_knob);
    g_test_add_func("/vtd/qi/QI-20/machine-reset", test_timeout_reset);
    add_itags();
    g_test_add_func("/vtd/qi/QI-21/unique", test_unique);
    g_test_add_func("/vtd/qi/QI-21/per-function", test_per_function);
    g_test_add_func("/vtd/qi/QI-21/many-functions", test_many_functions);
    g_test_add_func("/vtd/qi/QI-21/reused", test_reused);
    add_types();
    for (i = 0; i < G_N_ELEMENTS(absent); i++) {
        g_autofree char *name = g_strdup_printf("/vtd/qi/QI-25/%s",
                                                absent[i].name);

        g_test_add_data_func(name, &absent[i], test_absent);
    }
    g_test_add_func("/vtd/qi/QI-25/knob-complete", test_absent_complete);
    g_test_add_func("/vtd/qi/QI-25/not-on-the-link", test_not_on_link);
    return g_test_run();
}
