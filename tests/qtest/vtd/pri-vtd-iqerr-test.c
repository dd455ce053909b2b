/*
 * VT-d queued invalidation: errors (QI-10 to QI-16)
 *
 * IQE, ICE and ITE, what they stop and what goes on, and IQERCD.  The fault
 * event is in pri-vtd-iqevent-test.c.  VT-d 6.5.2.11, 6.5.2.12, 11.4.9.9
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/vtd-inv.h"

#define SW      QVTD_WAIT_SW
#define IF      QVTD_WAIT_IF
#define FN      QVTD_WAIT_FN
#define IQE     QVTD_FSTS_IQE
#define ICE     QVTD_FSTS_ICE
#define ITE     QVTD_FSTS_ITE
#define PFO     QVTD_FSTS_PFO
#define TIMEOUT "ite-timeout-ms=100"

static QVtdDesc bad_desc(void)
{
    return qinv_desc_type(0x7f);
}

/* Start with an empty queue at its first descriptor and nothing counted */
static void start(PriLab *lab, const char *vtd)
{
    pri_lab_start_with(lab, vtd, NULL, 0);
    qvtd_qi_start(&lab->v, 0, true);
    g_assert_cmphex(qinv_fsts(&lab->v), ==, 0);
}

/* -- QI-10: IQE ------------------------------------------------------------ */

static void test_iqe_stops(void)
{
    uint32_t first, second, third;
    uint64_t addr;
    QVtdDesc desc;
    PriLab lab;

    start(&lab, NULL);
    first = qinv_put_wait(&lab.v, SW);
    desc = bad_desc();
    addr = qvtd_qi_put(&lab.v, &desc);
    second = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_true(qvtd_wait_done(&lab.v, first));
    g_assert_cmphex(qinv_fsts(&lab.v), ==, IQE);
    g_assert_cmpuint(qinv_iqei(&lab.v), ==, QVTD_IQEI_TYPE);
    g_assert_cmpuint(qinv_head(&lab.v), ==, 1);

    /* the tail is accepted, but nothing is fetched */
    third = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQT), ==, 4 * 32);
    qtest_clock_step(lab.qts, 1000 * QINV_MS);
    g_assert_cmpuint(qinv_head(&lab.v), ==, 1);
    g_assert_false(qvtd_wait_done(&lab.v, second));

    /* not even when it has been corrected */
    desc = qvtd_desc_iotlb_global();
    qtest_memwrite(lab.qts, addr, desc.qw, 32);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qinv_head(&lab.v), ==, 1);
    g_assert_false(qvtd_wait_done(&lab.v, second));

    qinv_clear(&lab, IQE);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    g_assert_true(qvtd_wait_done(&lab.v, second));
    g_assert_true(qvtd_wait_done(&lab.v, third));
    g_assert_true(qvtd_qi_idle(&lab.v));
    pri_lab_stop(&lab);
}

/* Cleared, but not corrected */
static void test_iqe_again(void)
{
    uint32_t slot;
    PriLab lab;

    start(&lab, NULL);
    qinv_put(&lab.v, bad_desc());
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    qinv_clear(&lab, IQE);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, IQE);
    g_assert_cmpuint(qinv_iqei(&lab.v), ==, QVTD_IQEI_TYPE);
    g_assert_cmpuint(qinv_head(&lab.v), ==, 0);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

/*
 * As Linux recovers: the bad descriptor becomes a copy of the wait behind it,
 * and who was queued further back goes on without a write of IQT
 */
static void test_iqe_linux(void)
{
    uint32_t slot, other;
    QVtdDesc desc, wait;
    uint64_t addr;
    PriLab lab;

    start(&lab, NULL);
    desc = bad_desc();
    addr = qvtd_qi_put(&lab.v, &desc);
    wait = qvtd_desc_wait(&lab.v, SW, &slot);
    qinv_put(&lab.v, wait);
    qvtd_qi_ring(&lab.v);
    qinv_put(&lab.v, qvtd_desc_iotlb_global());
    other = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qinv_head(&lab.v), ==, 0);

    qtest_memwrite(lab.qts, addr, wait.qw, 32);
    qinv_clear(&lab, IQE);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    g_assert_true(qvtd_wait_done(&lab.v, other));
    g_assert_true(qvtd_qi_idle(&lab.v));
    pri_lab_stop(&lab);
}

/* Commands that are ahead and were fetched complete as normal */
static void test_iqe_ahead(void)
{
    uint32_t ahead, behind;
    PriLab lab;

    start(&lab, "wait-depth=4");
    qvtd_set_property(&lab.v, "wait-delay-us", "1000");
    qinv_put(&lab.v, qvtd_desc_iotlb_global());
    ahead = qinv_put_wait(&lab.v, SW | IF);
    qinv_put(&lab.v, bad_desc());
    behind = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, IQE);
    g_assert_cmpuint(qinv_head(&lab.v), ==, 2);
    g_assert_false(qvtd_wait_done(&lab.v, ahead));
    qtest_clock_step(lab.qts, 2 * QINV_MS);
    g_assert_true(qvtd_wait_done(&lab.v, ahead));
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_ICS), ==, 1);
    g_assert_false(qvtd_wait_done(&lab.v, behind));
    g_assert_cmphex(qinv_fsts(&lab.v), ==, IQE);
    g_assert_cmpuint(qinv_head(&lab.v), ==, 2);
    pri_lab_stop(&lab);
}

/* The knob that makes the n-th descriptor one that stops the queue */
static void test_iqe_injected(const void *opaque)
{
    unsigned int n = GPOINTER_TO_UINT(opaque);
    g_autofree char *json = g_strdup_printf("%u", n);
    uint32_t slot;
    unsigned int i;
    PriLab lab;

    start(&lab, "inject-iqei=2");
    qvtd_set_property(&lab.v, "inject-iqe", json);
    for (i = 0; i < 8; i++) {
        qinv_put(&lab.v, qvtd_desc_iotlb_global());
    }
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, IQE);
    g_assert_cmpuint(qinv_iqei(&lab.v), ==, QVTD_IQEI_FETCH);
    g_assert_cmpuint(qinv_head(&lab.v), ==, n - 1);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    qinv_clear(&lab, IQE);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    pri_lab_stop(&lab);
}

/* -- QI-11: ICE ------------------------------------------------------------ */

static void inject(PriLab *lab, const char *knob, uint16_t sid)
{
    g_autofree char *json = g_strdup_printf("%u", sid);

    qvtd_set_property(&lab->v, knob, json);
}

/* Nothing stops; ICESID is that of the first */
static void test_ice(void)
{
    uint32_t slot;
    PriLab lab;

    start(&lab, NULL);
    qvtd_set_property(&lab.v, "wait-delay-us", "1000");
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    inject(&lab, "inject-ice", 0x1234);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ICE);
    g_assert_cmphex(qinv_icesid(&lab.v), ==, 0x1234);
    inject(&lab, "inject-ice", 0x4321);
    g_assert_cmphex(qinv_icesid(&lab.v), ==, 0x1234);
    qtest_clock_step(lab.qts, 2 * QINV_MS);
    g_assert_true(qvtd_wait_done(&lab.v, slot));

    qvtd_submit(&lab.v, qvtd_desc_iotlb_global());
    g_assert_true(qvtd_qi_idle(&lab.v));
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ICE);
    qinv_clear(&lab, ICE);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    inject(&lab, "inject-ice", 0x4321);
    g_assert_cmphex(qinv_icesid(&lab.v), ==, 0x4321);
    pri_lab_stop(&lab);
}

/* -- QI-12: ITE ------------------------------------------------------------ */

/* The function is there, and its completion is lost */
static void test_ite(void)
{
    uint32_t slot;
    PriLab lab;

    start(&lab, TIMEOUT ",cpl-drop=1");
    qinv_put_dev_tlb(&lab.v, lab.d.rid);
    slot = qinv_put_wait(&lab.v, SW | IF);
    qvtd_qi_ring(&lab.v);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    qtest_clock_step(lab.qts, 99 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    qtest_clock_step(lab.qts, 2 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, lab.d.rid);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-devtlb-timeouts"), ==, 1);

    qinv_clear(&lab, ITE);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    /* the function answers again */
    qinv_put_dev_tlb(&lab.v, lab.d.rid);
    qvtd_wait(&lab.v, 0);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    pri_lab_stop(&lab);
}

/* Every wait that was fetched is aborted: no status, no IWC, ever */
static void test_ite_aborts(const void *opaque)
{
    uint64_t flags = GPOINTER_TO_UINT(opaque);
    uint32_t a, b, c;
    PriLab lab;

    start(&lab, TIMEOUT ",wait-depth=8");
    qvtd_writel(&lab.v, QVTD_IECTL, 0);
    qinv_put_dev_tlb(&lab.v, QINV_ABSENT);
    a = qinv_put_wait(&lab.v, SW | flags);
    qinv_put(&lab.v, qvtd_desc_iotlb_global());
    b = qinv_put_wait(&lab.v, SW | flags);
    c = qinv_put_wait(&lab.v, SW | flags);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qinv_head(&lab.v), ==, 5);
    qtest_clock_step(lab.qts, 101 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, QINV_ABSENT);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-devtlb-waits_aborted"), ==, 3);
    qinv_clear(&lab, ITE);
    qvtd_wait(&lab.v, 0);
    qtest_clock_step(lab.qts, 1000 * QINV_MS);
    g_assert_false(qvtd_wait_done(&lab.v, a));
    g_assert_false(qvtd_wait_done(&lab.v, b));
    g_assert_false(qvtd_wait_done(&lab.v, c));
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_ICS), ==, 0);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_IECTL), ==, 0);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-msis"), ==, 0);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    pri_lab_stop(&lab);
}

/* A wait whose turn had come, but which has not reported, is pending, too */
static void test_ite_aborts_late_report(void)
{
    uint32_t slot;
    PriLab lab;

    start(&lab, TIMEOUT ",wait-depth=2");
    qvtd_set_property(&lab.v, "wait-hold", "'on'");
    slot = qinv_put_wait(&lab.v, SW);
    qinv_put_dev_tlb(&lab.v, QINV_ABSENT);
    qvtd_qi_ring(&lab.v);
    qtest_clock_step(lab.qts, 101 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    qvtd_set_property(&lab.v, "wait-hold", "'off'");
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    qinv_clear(&lab, ITE);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

/* No fetch while ITE is set, though the tail is accepted */
static void test_ite_no_fetch(void)
{
    uint32_t slot;
    PriLab lab;

    start(&lab, TIMEOUT);
    qinv_put_dev_tlb(&lab.v, QINV_ABSENT);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qinv_head(&lab.v), ==, 1);
    qtest_clock_step(lab.qts, 101 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    qinv_put(&lab.v, qvtd_desc_iotlb_global());
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQT), ==, 3 * 32);
    qtest_clock_step(lab.qts, 1000 * QINV_MS);
    g_assert_cmpuint(qinv_head(&lab.v), ==, 1);
    g_assert_false(qvtd_wait_done(&lab.v, slot));

    /* other bits do not let it go on */
    inject(&lab, "inject-ice", 1);
    qinv_clear(&lab, ICE | IQE | PFO);
    g_assert_cmpuint(qinv_head(&lab.v), ==, 1);
    qinv_clear(&lab, ITE);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    g_assert_true(qvtd_qi_idle(&lab.v));
    pri_lab_stop(&lab);
}

/* Two at once: one of them is reported, once */
static void test_ite_two_at_once(void)
{
    uint16_t sid;
    PriLab lab;

    start(&lab, TIMEOUT);
    qinv_put_dev_tlb(&lab.v, QINV_ABSENT);
    qinv_put_dev_tlb(&lab.v, QINV_ABSENT_2);
    qvtd_qi_ring(&lab.v);
    qtest_clock_step(lab.qts, 101 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    sid = qinv_itesid(&lab.v);
    g_assert_true(sid == QINV_ABSENT || sid == QINV_ABSENT_2);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-devtlb-timeouts"), ==, 2);
    qinv_clear(&lab, ITE);
    qtest_clock_step(lab.qts, 1000 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    qvtd_wait(&lab.v, 0);
    pri_lab_stop(&lab);
}

/* A second time-out while ITE is set leaves ITESID alone */
static void test_ite_sid_of_first(void)
{
    PriLab lab;

    start(&lab, TIMEOUT);
    qinv_put_dev_tlb(&lab.v, QINV_ABSENT_2);
    qvtd_qi_ring(&lab.v);
    qtest_clock_step(lab.qts, 50 * QINV_MS);
    qinv_put_dev_tlb(&lab.v, QINV_ABSENT);
    qvtd_qi_ring(&lab.v);
    qtest_clock_step(lab.qts, 51 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-devtlb-timeouts"), ==, 1);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, QINV_ABSENT_2);
    qtest_clock_step(lab.qts, 51 * QINV_MS);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-devtlb-timeouts"), ==, 2);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, QINV_ABSENT_2);
    qinv_clear(&lab, ITE);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);

    qinv_put_dev_tlb(&lab.v, QINV_ABSENT);
    qvtd_qi_ring(&lab.v);
    qtest_clock_step(lab.qts, 101 * QINV_MS);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, QINV_ABSENT);
    pri_lab_stop(&lab);
}

/* The ITag is free again: the only one there is serves the next request */
static void test_ite_frees_itag(void)
{
    uint32_t slot;
    PriLab lab;

    start(&lab, TIMEOUT ",itags=1,cpl-drop=1");
    qinv_put_dev_tlb(&lab.v, lab.d.rid);
    qinv_put_dev_tlb(&lab.v, lab.d.rid);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-devtlb-requests"), ==, 1);
    qtest_clock_step(lab.qts, 101 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    g_assert_cmpuint(qinv_head(&lab.v), ==, 1);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-devtlb-requests"), ==, 1);
    qinv_clear(&lab, ITE);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-devtlb-requests"), ==, 2);
    /* it had not been fetched, so it is executed */
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

/* What is still outstanding when ITE is cleared is waited for */
static void test_ite_others_go_on(void)
{
    uint32_t slot;
    PriLab lab;

    start(&lab, TIMEOUT);
    qinv_put_dev_tlb(&lab.v, QINV_ABSENT);
    qvtd_qi_ring(&lab.v);
    qtest_clock_step(lab.qts, 50 * QINV_MS);
    qinv_put_dev_tlb(&lab.v, QINV_ABSENT_2);
    qvtd_qi_ring(&lab.v);
    qtest_clock_step(lab.qts, 51 * QINV_MS);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, QINV_ABSENT);
    qinv_clear(&lab, ITE);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    qtest_clock_step(lab.qts, 51 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, QINV_ABSENT_2);
    qinv_clear(&lab, ITE);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

/* -- QI-13, QI-14: where it goes on ---------------------------------------- */

/* [dead, wait A] fetched, [iotlb, wait B] not: A never completes, B does */
static void test_resume(const void *opaque)
{
    uint64_t flags = GPOINTER_TO_UINT(opaque);
    uint32_t a, b;
    PriLab lab;

    start(&lab, TIMEOUT);
    qinv_put_dev_tlb(&lab.v, QINV_ABSENT);
    a = qinv_put_wait(&lab.v, SW | flags);
    qinv_put(&lab.v, qvtd_desc_iotlb_global());
    b = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qinv_head(&lab.v), ==, 2);
    qtest_clock_step(lab.qts, 101 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    g_assert_cmpuint(qinv_head(&lab.v), ==, 2);
    g_assert_false(qvtd_wait_done(&lab.v, b));
    qinv_clear(&lab, ITE);
    g_assert_true(qvtd_wait_done(&lab.v, b));
    g_assert_false(qvtd_wait_done(&lab.v, a));
    g_assert_true(qvtd_qi_idle(&lab.v));
    pri_lab_stop(&lab);
}

/*
 * Linux marks the slots from IQH - 1 backwards as aborted and resubmits what
 * they were part of.  So a wait completes, or IQH is past it at ITE: there is
 * no third case, at whatever depth the waits are fetched.
 */
static void test_abort_walk(const void *opaque)
{
    unsigned int depth = GPOINTER_TO_UINT(opaque), n = 5, i, head;
    g_autofree char *vtd = g_strdup_printf(TIMEOUT ",wait-depth=%u", depth);
    uint32_t slot[5];
    PriLab lab;

    start(&lab, vtd);
    qinv_put_dev_tlb(&lab.v, QINV_ABSENT);
    for (i = 0; i < n; i++) {
        slot[i] = qinv_put_wait(&lab.v, SW);
    }
    qvtd_qi_ring(&lab.v);
    qtest_clock_step(lab.qts, 101 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    head = qinv_head(&lab.v);
    g_assert_cmpuint(head, ==, 1 + MIN(depth, n));
    qinv_clear(&lab, ITE);
    for (i = 0; i < n; i++) {
        if (i + 1 < head) {
            g_assert_false(qvtd_wait_done(&lab.v, slot[i]));
        } else {
            g_assert_true(qvtd_wait_done(&lab.v, slot[i]));
        }
    }
    pri_lab_stop(&lab);
}

/* The flush of somebody else, between two that are dead */
static void test_unrelated(void)
{
    uint32_t dead, other;
    PriLab lab;

    start(&lab, TIMEOUT ",wait-depth=4");
    qinv_put_dev_tlb(&lab.v, QINV_ABSENT);
    dead = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    qinv_put(&lab.v, qvtd_desc_iotlb_global());
    other = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    qtest_clock_step(lab.qts, 101 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    qinv_clear(&lab, ITE);
    g_assert_false(qvtd_wait_done(&lab.v, dead));
    g_assert_false(qvtd_wait_done(&lab.v, other));
    g_assert_cmpuint(qinv_head(&lab.v), ==, 4);

    /* it resubmits, and is served */
    qinv_put(&lab.v, qvtd_desc_iotlb_global());
    qvtd_wait(&lab.v, 0);
    pri_lab_stop(&lab);
}

/* -- QI-15, QI-16: IQERCD -------------------------------------------------- */

static void add_injected(void)
{
    unsigned int n;

    for (n = 1; n <= 8; n++) {
        g_autofree char *name = g_strdup_printf("/vtd/qi/QI-10/injected-%u",
                                                n);

        g_test_add_data_func(name, GUINT_TO_POINTER(n), test_iqe_injected);
    }
}

static void add_walks(void)
{
    unsigned int depth;

    for (depth = 1; depth <= 6; depth++) {
        g_autofree char *name = g_strdup_printf("/vtd/qi/QI-14/abort-walk-%u",
                                                depth);

        g_test_add_data_func(name, GUINT_TO_POINTER(depth), test_abort_walk);
    }
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    g_test_add_func("/vtd/qi/QI-10/stops", test_iqe_stops);
    g_test_add_func("/vtd/qi/QI-10/not-corrected", test_iqe_again);
    g_test_add_func("/vtd/qi/QI-10/linux-recovery", test_iqe_linux);
    g_test_add_func("/vtd/qi/QI-10/ahead-completes", test_iqe_ahead);
    add_injected();
    g_test_add_func("/vtd/qi/QI-11/continues", test_ice);
    g_test_add_func("/vtd/qi/QI-12/time-out", test_ite);
    g_test_add_data_func("/vtd/qi/QI-12/waits-aborted", GUINT_TO_POINTER(0),
                         test_ite_aborts);
    g_test_add_data_func("/vtd/qi/QI-12/waits-aborted-if",
                         GUINT_TO_POINTER(IF), test_ite_aborts);
    g_test_add_func("/vtd/qi/QI-12/waits-aborted-late-report",
                    test_ite_aborts_late_report);
    g_test_add_func("/vtd/qi/QI-12/no-fetch", test_ite_no_fetch);
    g_test_add_func("/vtd/qi/QI-12/two-at-once", test_ite_two_at_once);
    g_test_add_func("/vtd/qi/QI-12/itesid-of-first", test_ite_sid_of_first);
    g_test_add_func("/vtd/qi/QI-12/itag-freed", test_ite_frees_itag);
    g_test_add_func("/vtd/qi/QI-12/others-go-on", test_ite_others_go_on);
    g_test_add_data_func("/vtd/qi/QI-13/resume", GUINT_TO_POINTER(0),
                         test_resume);
    g_test_add_data_func("/vtd/qi/QI-13/resume-fence", GUINT_TO_POINTER(FN),
                         test_resume);
    add_walks();
    g_test_add_func("/vtd/qi/QI-14/unrelated", test_unrelated);
    return g_test_run();
}
