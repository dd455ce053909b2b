/*
 * VT-d page requests: order and draining (PRQ-80 to PRQ-87)
 *
 * VT-d 6.5.2.9, 6.5.2.11, 7.7, 7.8, 7.10.  The time between the arrival of a
 * request and its descriptor is the knob prd-delay-us; the virtual clock moves
 * only where a test moves it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/pri-lab.h"

#define R       PT_RAW_READ
#define L       PT_RAW_LAST
#define US      1000
#define SW      QVTD_WAIT_SW
#define FN      QVTD_WAIT_FN
#define PD      QVTD_WAIT_PD
#define DELAY   "prd-delay-us=100"

static void put_dev_tlb(PriLab *lab)
{
    QVtdDesc desc = qvtd_desc_dev_ptlb(lab->d.rid, LAB_PASID, QVTD_INV_ALL,
                                       true, false);

    qvtd_qi_put(&lab->v, &desc);
}

static uint32_t put_wait(PriLab *lab, uint64_t flags)
{
    uint32_t slot = 0;
    QVtdDesc desc = qvtd_desc_wait(&lab->v, flags, &slot);

    qvtd_qi_put(&lab->v, &desc);
    return slot;
}

static void ask(PriLab *lab, unsigned int n)
{
    unsigned int i;

    for (i = 0; i < n; i++) {
        lab_request(lab, LAB_IOVA + i * 0x1000ULL, R | L, i);
    }
}

/*
 * Move the clock until the wait is done.
 *
 * Returns: requests that were in the queue when its status word was there,
 * UINT_MAX if it never was
 */
static unsigned int pending_when_done(PriLab *lab, uint32_t slot)
{
    int i;

    for (i = 0; i < 400; i++) {
        /* the queue first: it must not be the later look that is complete */
        if (qvtd_wait_done(&lab->v, slot)) {
            return qvtd_prq_pending(&lab->v);
        }
        qtest_clock_step(lab->qts, US);
    }
    g_test_message("the wait descriptor never completed");
    return UINT_MAX;
}

/* Look at PQT without a read of the register, which would push (7.5) */
static unsigned int visible(PriLab *lab)
{
    unsigned int n = 0;

    while (n < 128 && qtest_readb(lab->qts, lab->v.prq + n * 32) == 1) {
        n++;
    }
    return n;
}

/* -- PRQ-80: requests of the endpoint stay ahead of its completion --------- */

static void test_endpoint_order(void)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA, .len = 4 * 4096, .group = 4,
    };
    unsigned int ch;
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, DELAY, NULL, 0);
    for (ch = 0; ch < 4; ch++) {
        op.dst = LAB_IOVA + ch * 0x10000;
        qpt_start(&lab.d, ch, &op);
    }
    for (ch = 0; ch < 4; ch++) {
        g_assert_cmpuint(qpt_wait(&lab.d, ch), ==, PT_ST_RUNNING);
    }
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_PAGE_REQUESTS), ==, 16);
    put_dev_tlb(&lab);
    slot = put_wait(&lab, SW | PD);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_INV_COMPLETIONS), ==, 1);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    g_assert_cmpuint(pending_when_done(&lab, slot), ==, 16);
    pri_lab_stop(&lab);
}

/* -- PRQ-81: PD=1 ---------------------------------------------------------- */

static void test_pd_waits(const void *opaque)
{
    unsigned int n = GPOINTER_TO_UINT(opaque);
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, DELAY, NULL, 0);
    ask(&lab, n);
    put_dev_tlb(&lab);
    slot = put_wait(&lab, SW | PD);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(visible(&lab), ==, 0);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    qtest_clock_step(lab.qts, 90 * US);
    g_assert_cmpuint(visible(&lab), ==, 0);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    qtest_clock_step(lab.qts, 20 * US);
    g_assert_cmpuint(visible(&lab), ==, n);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

/*
 * The requests that count are those received when the invalidations before the
 * wait are complete (7.7): also those that came after it was fetched, and none
 * that came later
 */
static void test_pd_counts_at_completion(void)
{
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, DELAY, "inv-reply=hold", 0);
    put_dev_tlb(&lab);
    slot = put_wait(&lab, SW | PD);
    qvtd_qi_ring(&lab.v);
    g_assert_true(qvtd_qi_idle(&lab.v));
    ask(&lab, 2);
    qpt_knob_set(&lab.d, PT_KNOB_INV_RELEASE, 64);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_INV_COMPLETIONS), ==, 1);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    qtest_clock_step(lab.qts, 50 * US);
    lab_request(&lab, LAB_IOVA, R | L, 2);
    qtest_clock_step(lab.qts, 49 * US);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    qtest_clock_step(lab.qts, 2 * US);
    g_assert_cmpuint(visible(&lab), ==, 2);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

/* no device-TLB invalidation before it: the rule is that of 6.5.2.9 */
static void test_pd_alone(void)
{
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, DELAY, NULL, 0);
    ask(&lab, 5);
    slot = put_wait(&lab, SW | PD);
    qvtd_qi_ring(&lab.v);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    g_assert_cmpuint(pending_when_done(&lab, slot), ==, 5);
    pri_lab_stop(&lab);
}

static void test_pd_nothing_pending(void)
{
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, DELAY, NULL, 0);
    put_dev_tlb(&lab);
    slot = put_wait(&lab, SW | PD);
    qvtd_qi_ring(&lab.v);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

/* the completion interrupt is bound by it like the status word */
static void test_pd_interrupt(void)
{
    QVtdDesc desc;
    int i;
    PriLab lab;

    pri_lab_start_with(&lab, DELAY, NULL, 0);
    qvtd_writel(&lab.v, QVTD_IECTL, 0);
    ask(&lab, 5);
    desc = qvtd_desc_wait(&lab.v, QVTD_WAIT_IF | PD, NULL);
    qvtd_submit(&lab.v, desc);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_ICS), ==, 0);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-msis"), ==, 0);
    for (i = 0; i < 200 && !qvtd_counter(&lab.v, "x-msis"); i++) {
        qtest_clock_step(lab.qts, US);
    }
    g_assert_cmpuint(visible(&lab), ==, 5);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_ICS), ==, 1);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-msis"), ==, 1);
    g_assert_cmphex(qvtd_counter(&lab.v, "x-last-msi-data"), ==,
                    LAB_IE_VECTOR);
    pri_lab_stop(&lab);
}

/* PD=0 need not wait; it must complete whatever it does */
static void test_pd_0(void)
{
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, DELAY, NULL, 0);
    ask(&lab, 5);
    put_dev_tlb(&lab);
    slot = put_wait(&lab, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(pending_when_done(&lab, slot), <=, 5);
    qtest_clock_step(lab.qts, 200 * US);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 5);
    pri_lab_stop(&lab);
}

/* nor behind an invalidation that is on its way */
static void test_pd_0_behind(void)
{
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, DELAY, NULL, 0);
    qpt_knob_set(&lab.d, PT_KNOB_INV_REPLY, 2);         /* hold */
    put_dev_tlb(&lab);
    slot = put_wait(&lab, SW);
    qvtd_qi_ring(&lab.v);
    ask(&lab, 5);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    qpt_knob_set(&lab.d, PT_KNOB_INV_RELEASE, 1);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    pri_lab_stop(&lab);
}

/* requests that arrive after the wait do not hold it up for ever */
static void test_pd_liveness(void)
{
    uint32_t slot;
    int i;
    PriLab lab;

    pri_lab_start_with(&lab, DELAY, NULL, 0);
    ask(&lab, 1);
    put_dev_tlb(&lab);
    slot = put_wait(&lab, SW | PD);
    qvtd_qi_ring(&lab.v);
    for (i = 0; i < 50 && !qvtd_wait_done(&lab.v, slot); i++) {
        ask(&lab, 1);
        qtest_clock_step(lab.qts, 30 * US);
    }
    g_assert_cmpint(i, <, 50);
    pri_lab_stop(&lab);
}

/* the descriptors behind a wait that waits are executed in their turn */
static void test_pd_queue_goes_on(void)
{
    uint32_t first, second;
    PriLab lab;

    pri_lab_start_with(&lab, DELAY, NULL, 0);
    ask(&lab, 3);
    first = put_wait(&lab, SW | PD);
    second = put_wait(&lab, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_false(qvtd_wait_done(&lab.v, first));
    g_assert_cmpuint(pending_when_done(&lab, first), ==, 3);
    g_assert_cmpuint(pending_when_done(&lab, second), ==, 3);
    g_assert_true(qvtd_qi_idle(&lab.v));
    pri_lab_stop(&lab);
}

/* requests that are answered by hardware are done with, too */
static void test_pd_auto_answered(void)
{
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, "prd-delay-us=100,prq-depth=4", NULL, 0);
    ask(&lab, 12);
    put_dev_tlb(&lab);
    slot = put_wait(&lab, SW | PD);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(pending_when_done(&lab, slot), ==, 4);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RAW_RESP_COUNT), ==, 8);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS) & QVTD_PRS_PRO, !=, 0);
    pri_lab_stop(&lab);
}

/* negative control: with the rule broken on purpose the above would notice */
static void test_pd_violation(void)
{
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, DELAY ",pd-violation=on", NULL, 0);
    ask(&lab, 5);
    put_dev_tlb(&lab);
    slot = put_wait(&lab, SW | PD);
    qvtd_qi_ring(&lab.v);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    g_assert_cmpuint(visible(&lab), ==, 0);
    qtest_clock_step(lab.qts, 200 * US);
    g_assert_cmpuint(visible(&lab), ==, 5);
    pri_lab_stop(&lab);
}

/* -- PRQ-82: PD is reserved without PDS ------------------------------------ */

static void test_pd_reserved(void)
{
    QVtdDesc desc;
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, "x-pds=off", NULL, 0);
    g_assert_cmphex(lab.v.ecap & QVTD_ECAP_PDS, ==, 0);
    desc = qvtd_desc_wait(&lab.v, SW | PD, &slot);
    qvtd_expect_iqe(&lab.v, desc, QVTD_IQEI_RSVD);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    qvtd_wait(&lab.v, 0);
    pri_lab_stop(&lab);
}

static void test_wait_reserved(void)
{
    unsigned int bit;
    PriLab lab;

    pri_lab_start(&lab);
    for (bit = 8; bit < 32; bit++) {
        uint32_t slot;
        QVtdDesc desc = qvtd_desc_wait(&lab.v, SW | PD, &slot);

        desc.qw[0] |= 1ULL << bit;
        /* 11:9 belong to the type */
        qvtd_expect_iqe(&lab.v, desc, bit >= 9 && bit <= 11 ?
                        QVTD_IQEI_TYPE : QVTD_IQEI_RSVD);
        g_assert_false(qvtd_wait_done(&lab.v, slot));
    }
    pri_lab_stop(&lab);
}

/* -- PRQ-83: responses and invalidations in queue order -------------------- */

static void test_response_before_invalidation(void)
{
    g_autofree char *log = NULL, *options = NULL, *text = NULL;
    const char *response, *invalidation;
    QVtdDesc desc;
    uint32_t slot;
    int fd;
    PriLab lab;

    fd = g_file_open_tmp("pri-lab-XXXXXX", &log, NULL);
    g_assert_cmpint(fd, >=, 0);
    close(fd);
    options = g_strdup_printf("prd-delay-us=0 -D %s "
                              "-trace ats_link_prg_response "
                              "-trace ats_link_inv_request", log);
    pri_lab_start_with(&lab, options, NULL, 0);
    lab_request(&lab, LAB_IOVA, R | L, 0x1e);
    desc = qvtd_desc_response(lab.d.rid, LAB_PASID, 0x1e, QPT_SUCCESS);
    qvtd_qi_put(&lab.v, &desc);
    put_dev_tlb(&lab);
    slot = put_wait(&lab, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    lab_expect_response(&lab, QPT_SUCCESS, 0x1e, LAB_PASID);
    pri_lab_stop(&lab);

    g_assert_true(g_file_get_contents(log, &text, NULL, NULL));
    response = text ? strstr(text, "ats_link_prg_response") : NULL;
    invalidation = text ? strstr(text, "ats_link_inv_request") : NULL;
    g_assert_nonnull(response);
    g_assert_nonnull(invalidation);
    g_assert_true(response < invalidation);
    unlink(log);
}

/* -- PRQ-84 to PRQ-86: the recipe ------------------------------------------ */

/* 7.10 (a) to (c) as Linux submits them; returns the slot of the last wait */
static uint32_t submit_recipe(PriLab *lab, bool fence)
{
    QVtdDesc desc;
    uint32_t slot;

    if (fence) {
        put_wait(lab, FN);
    }
    desc = qvtd_desc_piotlb(LAB_DID, LAB_PASID);
    qvtd_qi_put(&lab->v, &desc);
    put_dev_tlb(lab);
    slot = put_wait(lab, SW | PD);
    qvtd_qi_ring(&lab->v);
    return slot;
}

static void test_recipe(void)
{
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, DELAY, NULL, 0);
    ask(&lab, 20);
    slot = submit_recipe(&lab, true);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    g_assert_cmpuint(pending_when_done(&lab, slot), ==, 20);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, QVTD_PRS_PPR);
    g_assert_true(qvtd_qi_idle(&lab.v));
    pri_lab_stop(&lab);
}

/* (d): overflow on the way, so again; then everything is answered */
static void test_recipe_overflow(void)
{
    unsigned int rounds = 0, served = 0;
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start_with(&lab, "prd-delay-us=100,prq-depth=8", NULL, 0);
    ask(&lab, 30);
    for (;;) {
        uint32_t slot = submit_recipe(&lab, rounds == 0);

        rounds++;
        g_assert_cmpuint(pending_when_done(&lab, slot), !=, UINT_MAX);
        if (!(qvtd_readl(&lab.v, QVTD_PRS) & QVTD_PRS_PRO) || rounds > 4) {
            break;
        }
        /* the handler: serve all, clear PRO, then PPR */
        while (qvtd_prq_pop(&lab.v, &prd)) {
            qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, QVTD_PRD_PRGI(&prd),
                         QPT_INVALID_REQUEST);
            served++;
        }
        qvtd_writel(&lab.v, QVTD_PRS, QVTD_PRS_PRO | QVTD_PRS_PPR);
    }
    g_assert_cmpuint(rounds, ==, 2);
    g_assert_cmpuint(served, ==, 8);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RAW_RESP_COUNT), ==, 30);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_UNEXPECTED), ==, 0);
    pri_lab_stop(&lab);
}

static void test_fence_alone(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    qvtd_submit(&lab.v, qvtd_desc_wait(&lab.v, FN, NULL));
    g_assert_true(qvtd_qi_idle(&lab.v));
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS), ==, 0);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_ICS), ==, 0);
    pri_lab_stop(&lab);
}

/*
 * Who drains waits for the handler when it sees PRO, so there must have been
 * an event, unless one is still to be served
 */
static void test_overflow_event(void)
{
    uint64_t handled;
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, "prq-depth=4", NULL, 0);
    qvtd_writel(&lab.v, QVTD_PECTL, 0);
    ask(&lab, 4);
    handled = qvtd_counter(&lab.v, "x-msis");
    g_assert_cmpuint(handled, ==, 1);
    qvtd_writel(&lab.v, QVTD_PRS, QVTD_PRS_PPR);    /* handler has begun */

    ask(&lab, 1);
    slot = submit_recipe(&lab, true);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, QVTD_PRS_PRO);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-msis"), ==, handled + 1);
    pri_lab_stop(&lab);
}

/* -- PRQ-87: the endpoint does not complete the invalidation --------------- */

static void test_timeout(void)
{
    uint32_t aborted, next;
    uint64_t head;
    PriLab lab;

    pri_lab_start_with(&lab, "cpl-drop=1,ite-timeout-ms=200", NULL, 0);
    ask(&lab, 3);
    aborted = submit_recipe(&lab, true);
    g_assert_false(qvtd_wait_done(&lab.v, aborted));
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS), ==, 0);
    qtest_clock_step(lab.qts, 190 * 1000 * US);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS), ==, 0);
    qtest_clock_step(lab.qts, 20 * 1000 * US);

    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS), ==, QVTD_FSTS_ITE);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQERCD) >> 32 & 0xffff, ==,
                    lab.d.rid);
    g_assert_false(qvtd_wait_done(&lab.v, aborted));
    head = qvtd_readq(&lab.v, QVTD_IQH);

    /* nothing is fetched until ITE is cleared */
    next = put_wait(&lab, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_false(qvtd_wait_done(&lab.v, next));
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQH), ==, head);
    qvtd_writel(&lab.v, QVTD_FSTS, QVTD_FSTS_ITE);
    g_assert_true(qvtd_wait_done(&lab.v, next));
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS), ==, 0);
    /* it was aborted: it does not complete later either */
    g_assert_false(qvtd_wait_done(&lab.v, aborted));
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    g_test_add_func("/vtd/prq/PRQ-80/endpoint-order", test_endpoint_order);
    g_test_add_data_func("/vtd/prq/PRQ-81/pd-waits-for-1",
                         GUINT_TO_POINTER(1), test_pd_waits);
    g_test_add_data_func("/vtd/prq/PRQ-81/pd-waits-for-100",
                         GUINT_TO_POINTER(100), test_pd_waits);
    g_test_add_func("/vtd/prq/PRQ-81/pd-counts-at-completion",
                    test_pd_counts_at_completion);
    g_test_add_func("/vtd/prq/PRQ-81/pd-without-invalidation", test_pd_alone);
    g_test_add_func("/vtd/prq/PRQ-81/pd-nothing-pending",
                    test_pd_nothing_pending);
    g_test_add_func("/vtd/prq/PRQ-81/pd-interrupt", test_pd_interrupt);
    g_test_add_func("/vtd/prq/PRQ-81/pd-0", test_pd_0);
    g_test_add_func("/vtd/prq/PRQ-81/pd-0-behind", test_pd_0_behind);
    g_test_add_func("/vtd/prq/PRQ-81/pd-liveness", test_pd_liveness);
    g_test_add_func("/vtd/prq/PRQ-81/pd-queue-goes-on",
                    test_pd_queue_goes_on);
    g_test_add_func("/vtd/prq/PRQ-81/pd-auto-answered",
                    test_pd_auto_answered);
    g_test_add_func("/vtd/prq/PRQ-81/pd-violation-is-noticed",
                    test_pd_violation);
    g_test_add_func("/vtd/prq/PRQ-82/pd-reserved", test_pd_reserved);
    g_test_add_func("/vtd/prq/PRQ-82/wait-reserved-bits", test_wait_reserved);
    g_test_add_func("/vtd/prq/PRQ-83/response-before-invalidation",
                    test_response_before_invalidation);
    g_test_add_func("/vtd/prq/PRQ-84/recipe", test_recipe);
    g_test_add_func("/vtd/prq/PRQ-84/recipe-with-overflow",
                    test_recipe_overflow);
    g_test_add_func("/vtd/prq/PRQ-85/fence-alone", test_fence_alone);
    g_test_add_func("/vtd/prq/PRQ-86/overflow-event", test_overflow_event);
    g_test_add_func("/vtd/prq/PRQ-87/time-out", test_timeout);
    return g_test_run();
}
