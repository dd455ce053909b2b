/*
 * VT-d page requests: resets, revocation and stop markers (PRQ-90 to PRQ-104)
 *
 * VT-d 7.9, 7.11, 11.4.3 (SMS); PCIe 6.2 10.4.1.2, 10.5.2
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/pri-lab.h"

#define R   PT_RAW_READ
#define W   PT_RAW_WRITE
#define L   PT_RAW_LAST
#define CHANNELS    4
#define PAGES       4

/* Operations that leave CHANNELS groups of PAGES requests outstanding */
static void start_faulting(PriLab *lab)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .len = PAGES * 4096, .group = PAGES,
    };
    unsigned int ch;

    for (ch = 0; ch < CHANNELS; ch++) {
        op.dst = LAB_IOVA + ch * 0x100000;
        qpt_start(&lab->d, ch, &op);
    }
    for (ch = 0; ch < CHANNELS; ch++) {
        g_assert_cmpuint(qpt_wait(&lab->d, ch), ==, PT_ST_RUNNING);
    }
    g_assert_cmpuint(qpt_readl(&lab->d, PT_PRI_GROUPS), ==, CHANNELS);
}

static void restart_device(PriLab *lab, uint32_t alloc)
{
    qpt_restore(&lab->d);
    qpt_enable(&lab->d, alloc);
}

/* 7.10 (b) and (c), which must complete within the time given */
static void drain(PriLab *lab, int64_t ns)
{
    uint32_t slot;
    QVtdDesc desc;

    desc = qvtd_desc_piotlb(LAB_DID, LAB_PASID);
    qvtd_qi_put(&lab->v, &desc);
    desc = qvtd_desc_dev_ptlb(lab->d.rid, LAB_PASID, QVTD_INV_ALL, true,
                              false);
    qvtd_qi_put(&lab->v, &desc);
    desc = qvtd_desc_wait(&lab->v, QVTD_WAIT_SW | QVTD_WAIT_PD, &slot);
    qvtd_qi_put(&lab->v, &desc);
    qvtd_qi_ring(&lab->v);
    if (ns) {
        qtest_clock_step(lab->qts, ns);
    }
    g_assert_true(qvtd_wait_done(&lab->v, slot));
    g_assert_cmphex(qvtd_readl(&lab->v, QVTD_FSTS), ==, 0);
}

/* -- PRQ-90 to PRQ-94: terminal conditions --------------------------------- */

/* what was dispatched before the reset is drained by what comes after it */
static void test_flr_dispatched(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, "prd-delay-us=200000", NULL, 0);
    start_faulting(&lab);
    qpt_flr(&lab.d);
    drain(&lab, 200 * 1000 * 1000);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, CHANNELS * PAGES);
    pri_lab_stop(&lab);
}

static void test_flr_credits(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    start_faulting(&lab);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_CREDITS), ==,
                     qpt_readl(&lab.d, PT_PRI_ALLOC) - CHANNELS * PAGES);
    qpt_flr(&lab.d);
    restart_device(&lab, 16);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_CREDITS), ==, 16);

    /* all of them are usable */
    qvtd_prq_drop_all(&lab.v);
    start_faulting(&lab);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_CREDITS), ==, 0);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 16);
    pri_lab_stop(&lab);
}

/* responses of the old life match nothing and do nothing */
static void test_late_responses(void)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA, .len = 64,
    };
    unsigned int answered = 0;
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start(&lab);
    start_faulting(&lab);
    qpt_flr(&lab.d);
    while (qvtd_prq_pop(&lab.v, &prd)) {
        if (QVTD_PRD_LPIG(&prd)) {
            qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, QVTD_PRD_PRGI(&prd),
                         answered % 2 ? QPT_SUCCESS : QPT_INVALID_REQUEST);
            answered++;
        }
    }
    g_assert_cmpuint(answered, ==, CHANNELS);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS), ==, 0);

    restart_device(&lab, 0);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_SUCCESS), ==, 0);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_INVALID), ==, 0);
    qpt_start(&lab.d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    g_assert_cmpuint(lab_serve(&lab, LAB_IOVA, qvtd_alloc(&lab.v, 1),
                               QVTD_FS_USER), ==, 1);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    pri_lab_stop(&lab);
}

/*
 * A partial reset is none of the bus: invalidations are completed, the groups
 * are answered by the drain, credits come back
 */
static void test_partial_reset(void)
{
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start(&lab);
    start_faulting(&lab);
    qpt_writel(&lab.d, PT_CTRL, PT_CTRL_ABORT);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_ABORTED);
    drain(&lab, 0);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, CHANNELS * PAGES);
    while (qvtd_prq_pop(&lab.v, &prd)) {
        if (QVTD_PRD_LPIG(&prd)) {
            qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, QVTD_PRD_PRGI(&prd),
                         QPT_INVALID_REQUEST);
        }
    }
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_CREDITS), ==,
                     qpt_readl(&lab.d, PT_PRI_ALLOC));
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_UNEXPECTED), ==, 0);
    pri_lab_stop(&lab);
}

/* PRQ-94: drain and discard, then the same indices serve the new life */
static void test_drain_and_discard(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    start_faulting(&lab);
    qpt_flr(&lab.d);
    restart_device(&lab, 0);
    drain(&lab, 0);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, CHANNELS * PAGES);
    qvtd_prq_drop_all(&lab.v);

    start_faulting(&lab);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, CHANNELS * PAGES);
    g_assert_cmpuint(lab_serve(&lab, LAB_IOVA, 0x8000000, QVTD_FS_USER), ==,
                     CHANNELS * PAGES);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmpuint(qpt_wait(&lab.d, CHANNELS - 1), ==, PT_ST_DONE);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_UNEXPECTED), ==, 0);
    pri_lab_stop(&lab);
}

/* PRQ-95: when a PASID is revoked nothing of it is outstanding or comes */
static void test_revoke(void)
{
    uint64_t sent;
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start(&lab);
    start_faulting(&lab);
    qpt_writel(&lab.d, PT_CTRL, PT_CTRL_ABORT);
    while (qvtd_prq_pop(&lab.v, &prd)) {
        if (QVTD_PRD_LPIG(&prd)) {
            qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, QVTD_PRD_PRGI(&prd),
                         QPT_SUCCESS);
        }
    }
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 0);
    sent = qpt_readq(&lab.d, PT_CNT_PAGE_REQUESTS);
    qvtd_set(&lab.v, qvtd_pasid_entry(&lab.v, lab.d.rid, LAB_PASID),
             QVTD_PE_P, 0);
    qvtd_flush(&lab.v);
    drain(&lab, 0);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_PAGE_REQUESTS), ==, sent);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_ATC_HITS), ==, 0);
    pri_lab_stop(&lab);
}

/* -- PRQ-100, PRQ-101: stop markers ---------------------------------------- */

static const char *const sms_options[] = { "x-sms=off", "x-sms=on" };

static void check_marker(QVtdDesc *prd)
{
    g_assert_cmpuint(QVTD_PRD_TYPE(prd), ==, 1);
    g_assert_cmpuint(QVTD_PRD_PP(prd), ==, 1);
    g_assert_cmphex(QVTD_PRD_PASID(prd), ==, LAB_PASID);
    g_assert_cmpuint(QVTD_PRD_LPIG(prd), ==, 1);
    g_assert_cmpuint(QVTD_PRD_RDR(prd), ==, 0);
    g_assert_cmpuint(QVTD_PRD_WRR(prd), ==, 0);
    g_assert_cmphex(QVTD_PRD_RSVD_LO(prd), ==, 0);
    g_assert_cmphex(prd->qw[2] | prd->qw[3], ==, 0);
}

/* PRQ-103: what software sees does not depend on SMS while it can be written */
static void test_marker_written(const void *opaque)
{
    QVtdFault fault;
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start_with(&lab, opaque, NULL, 0);
    lab_request(&lab, LAB_IOVA, R, 3);
    lab_request(&lab, LAB_IOVA, R | L, 3);
    lab_request(&lab, 0, L, 0);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, QVTD_PRS_PPR);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 3);
    qvtd_prq_read(&lab.v, 2, &prd);
    check_marker(&prd);
    g_assert_cmphex(QVTD_PRD_RID(&prd), ==, lab.d.rid);
    g_assert_false(qvtd_fault(&lab.v, &fault));

    /* PRQ-101: not answered by hardware */
    lab_expect_silence(&lab);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RAW_RESP_COUNT), ==, 0);
    pri_lab_stop(&lab);
}

/* alone it sets PPR and makes an event like any other descriptor */
static void test_marker_event(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    lab_request(&lab, 0, L, 0);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, QVTD_PRS_PPR);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PECTL), ==,
                    QVTD_EVENT_IM | QVTD_EVENT_IP);
    pri_lab_stop(&lab);
}

/* its address is reserved in the message, not in the descriptor */
static void test_marker_dirty_address(void)
{
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start(&lab);
    lab_request(&lab, 0xdeadbeef00000000ULL, L, 0x1e0);
    g_assert_true(qvtd_prq_pop(&lab.v, &prd));
    check_marker(&prd);
    lab_expect_silence(&lab);
    pri_lab_stop(&lab);
}

/* -- PRQ-102: stop markers that cannot be written -------------------------- */

/* With SMS=1: silently dropped, which leaves no response and no fault */
static void test_marker_full(void)
{
    QVtdFault fault;
    PriLab lab;

    pri_lab_start_with(&lab, "x-sms=on", NULL, 0);
    lab_fill(&lab);
    lab_request(&lab, 0, L, 0);
    lab_expect_silence(&lab);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 127);

    qvtd_prq_drop_all(&lab.v);
    lab_request(&lab, 0, L, 0);
    lab_expect_silence(&lab);
    g_assert_false(qvtd_fault(&lab.v, &fault));
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RAW_RESP_COUNT), ==, 0);
    pri_lab_stop(&lab);
}

static void test_marker_overflow(void)
{
    QVtdFault fault;
    PriLab lab;

    pri_lab_start_with(&lab, "x-sms=on", NULL, 0);
    lab_fill(&lab);
    lab_request(&lab, LAB_IOVA, R, 1);
    qvtd_prq_drop_all(&lab.v);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS) & QVTD_PRS_PRO, !=, 0);
    lab_request(&lab, 0, L, 0);
    lab_expect_silence(&lab);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    g_assert_false(qvtd_fault(&lab.v, &fault));
    pri_lab_stop(&lab);
}

static void test_marker_fault(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, "x-sms=on", NULL, 0);
    qvtd_set(&lab.v, qvtd_context_entry(&lab.v, lab.d.rid), QVTD_CE_PRE, 0);
    qvtd_flush(&lab.v);
    lab_request(&lab, 0, L, 0);
    lab_expect_silence(&lab);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, 0);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RAW_RESP_COUNT), ==, 0);
    pri_lab_stop(&lab);
}

/* With SMS=0 it is undefined: one value of the knob sms0-fault each */
typedef struct Sms0Row {
    const char *value;
    unsigned int on_fault;      /* number of responses */
    unsigned int on_full;
} Sms0Row;

static const Sms0Row sms0_rows[] = {
    { "respond", 1, 1 }, { "success", 1, 1 }, { "drop", 0, 0 },
};

static void test_marker_sms0(const void *opaque)
{
    const Sms0Row *row = opaque;
    g_autofree char *options = g_strdup_printf("x-sms=off,sms0-fault=%s",
                                               row->value);
    bool invalid = row->on_fault && !strcmp(row->value, "respond");
    uint32_t unexpected;
    PriLab lab;

    pri_lab_start_with(&lab, options, NULL, 0);
    lab_fill(&lab);
    unexpected = qpt_readq(&lab.d, PT_CNT_RESP_UNEXPECTED);
    lab_request(&lab, 0, L, 0);
    unexpected += row->on_full;
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_UNEXPECTED) +
                     qpt_readl(&lab.d, PT_RAW_RESP_COUNT), ==, unexpected);
    qvtd_set(&lab.v, qvtd_context_entry(&lab.v, lab.d.rid), QVTD_CE_PRE, 0);
    qvtd_flush(&lab.v);
    lab_request(&lab, 0, L, 0);
    unexpected += row->on_fault;
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_UNEXPECTED) +
                     qpt_readl(&lab.d, PT_RAW_RESP_COUNT), ==, unexpected);
    /* the fault's own code, or Success */
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-prq-auto_invalid"), ==, invalid);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 127);
    pri_lab_stop(&lab);
}

/* -- PRQ-104: what is no stop marker --------------------------------------- */

/* L=0 with R=W=0: PCIe does not define it; it is queued and never answered */
static void test_empty_not_last(void)
{
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start(&lab);
    lab_request(&lab, LAB_IOVA, 0, 5);
    g_assert_true(qvtd_prq_pop(&lab.v, &prd));
    g_assert_cmpuint(QVTD_PRD_LPIG(&prd), ==, 0);
    g_assert_cmpuint(QVTD_PRD_RDR(&prd), ==, 0);
    g_assert_cmpuint(QVTD_PRD_WRR(&prd), ==, 0);
    g_assert_cmphex(QVTD_PRD_ADDR(&prd), ==, LAB_IOVA);
    lab_expect_silence(&lab);

    lab_fill(&lab);
    lab_request(&lab, LAB_IOVA, 0, 5);
    lab_expect_silence(&lab);
    qvtd_set(&lab.v, qvtd_context_entry(&lab.v, lab.d.rid), QVTD_CE_PRE, 0);
    qvtd_flush(&lab.v);
    lab_request(&lab, LAB_IOVA, 0, 5);
    lab_expect_silence(&lab);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RAW_RESP_COUNT), ==, 0);
    pri_lab_stop(&lab);
}

/* a stop marker has a PASID; without one it is a request like any other */
static void test_no_pasid_not_marker(void)
{
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start(&lab);
    lab_request_rid(&lab, LAB_IOVA, L, 6);
    g_assert_true(qvtd_prq_pop(&lab.v, &prd));
    g_assert_cmpuint(QVTD_PRD_PP(&prd), ==, 0);
    g_assert_cmpuint(QVTD_PRD_LPIG(&prd), ==, 1);
    lab_expect_silence(&lab);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    unsigned int i;

    pri_lab_test_init(&argc, &argv);
    g_test_add_func("/vtd/prq/PRQ-90/dispatched-before-flr",
                    test_flr_dispatched);
    g_test_add_func("/vtd/prq/PRQ-91/flr-returns-credits", test_flr_credits);
    g_test_add_func("/vtd/prq/PRQ-92/late-responses", test_late_responses);
    g_test_add_func("/vtd/prq/PRQ-93/partial-reset", test_partial_reset);
    g_test_add_func("/vtd/prq/PRQ-94/drain-and-discard",
                    test_drain_and_discard);
    g_test_add_func("/vtd/prq/PRQ-95/revoke", test_revoke);
    g_test_add_data_func("/vtd/prq/PRQ-100/written", sms_options[1],
                         test_marker_written);
    g_test_add_func("/vtd/prq/PRQ-100/event", test_marker_event);
    g_test_add_func("/vtd/prq/PRQ-101/dirty-address",
                    test_marker_dirty_address);
    g_test_add_func("/vtd/prq/PRQ-102/full-sms-1", test_marker_full);
    g_test_add_func("/vtd/prq/PRQ-102/overflow-sms-1", test_marker_overflow);
    g_test_add_func("/vtd/prq/PRQ-102/table-fault-sms-1", test_marker_fault);
    for (i = 0; i < ARRAY_SIZE(sms0_rows); i++) {
        g_autofree char *name = g_strdup_printf("/vtd/prq/PRQ-102/sms-0-%s",
                                                sms0_rows[i].value);

        g_test_add_data_func(name, &sms0_rows[i], test_marker_sms0);
    }
    g_test_add_data_func("/vtd/prq/PRQ-103/written-sms-0", sms_options[0],
                         test_marker_written);
    g_test_add_func("/vtd/prq/PRQ-104/empty-not-last", test_empty_not_last);
    g_test_add_func("/vtd/prq/PRQ-104/no-pasid", test_no_pasid_not_marker);
    return g_test_run();
}
