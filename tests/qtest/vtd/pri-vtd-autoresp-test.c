/*
 * VT-d page requests: what hardware answers by itself (PRQ-40 to PRQ-50)
 *
 * VT-d 7.1.3, 7.2, 7.3, 7.4.1 table 31, 11.4.7.6.  The conditions of table 30
 * one by one are in pri-vtd-table30-test.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/pri-lab.h"

#define R   PT_RAW_READ
#define W   PT_RAW_WRITE
#define L   PT_RAW_LAST
#define PRS_BOTH    (QVTD_PRS_PPR | QVTD_PRS_PRO)

/* Full ring, one request too many: PRO=1 */
static void overflow(PriLab *lab)
{
    lab_fill(lab);
    g_assert_cmphex(qvtd_readl(&lab->v, QVTD_PRS), ==, QVTD_PRS_PPR);
    lab_request(lab, LAB_IOVA, R, 500);
    g_assert_cmphex(qvtd_readl(&lab->v, QVTD_PRS), ==, PRS_BOTH);
    lab_expect_silence(lab);
}

static void page_requests_off(PriLab *lab)
{
    qvtd_set(&lab->v, qvtd_context_entry(&lab->v, lab->d.rid), QVTD_CE_PRE, 0);
    qvtd_flush(&lab->v);
}

/* -- PRQ-40: never Response Failure ---------------------------------------- */

static void test_never_failure(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    overflow(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 1);      /* overflow */
    qvtd_writel(&lab.v, QVTD_PRS, PRS_BOTH);
    lab_request(&lab, LAB_IOVA, R | L, 2);      /* full */
    page_requests_off(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 3);      /* SCT.8 */
    qvtd_set_root(&lab.v, QVTD_NO_MEMORY, QVTD_TTM_SCALABLE);
    lab_request(&lab, LAB_IOVA, R | L, 4);      /* SRT.1 */
    qvtd_set_root(&lab.v, 0, QVTD_TTM_LEGACY);
    lab_request(&lab, LAB_IOVA, R | L, 5);      /* RTA.3 */
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RAW_RESP_COUNT), ==, 5);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_FAILURE), ==, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_STATE) & PT_STATE_PRI_RF, ==, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_STATE) & PT_STATE_PRI, !=, 0);
    pri_lab_stop(&lab);
}

/* -- PRQ-41: who gets it --------------------------------------------------- */

static void test_addressed_to_sender(void)
{
    QPtRaw raw = { LAB_IOVA, LAB_PASID, R | L, 0x111 };
    uint32_t prgi = 0, pasid = 0;
    PriLab lab;

    pri_lab_start_with(&lab, NULL, NULL, LAB_TWO_DEVICES);
    overflow(&lab);
    qpt_raw(&lab.d2, &raw);
    g_assert_cmphex(qpt_raw_response(&lab.d2, &prgi, &pasid), ==,
                    QPT_SUCCESS);
    g_assert_cmphex(prgi, ==, 0x111);
    g_assert_cmphex(pasid, ==, LAB_PASID);
    lab_expect_silence(&lab);
    pri_lab_stop(&lab);
}

static void test_pasid_follows_request(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    overflow(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 0x1ff);
    lab_expect_response(&lab, QPT_SUCCESS, 0x1ff, LAB_PASID);
    lab_request_rid(&lab, LAB_IOVA, R | L, 0);
    lab_expect_response(&lab, QPT_SUCCESS, 0, QVTD_NO_PASID);
    page_requests_off(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 0x100);
    lab_expect_response(&lab, QPT_INVALID_REQUEST, 0x100, LAB_PASID);
    lab_request_rid(&lab, LAB_IOVA, R | L, 0xff);
    lab_expect_response(&lab, QPT_INVALID_REQUEST, 0xff, QVTD_NO_PASID);

    qvtd_set_property(&lab.v, "autoresp-pasid", "\"never\"");
    lab_request(&lab, LAB_IOVA, R | L, 0x101);
    lab_expect_response(&lab, QPT_INVALID_REQUEST, 0x101, QVTD_NO_PASID);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-prq-auto_success"), ==, 2);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-prq-auto_invalid"), ==, 3);
    pri_lab_stop(&lab);
}

/* -- PRQ-42, PRQ-43: groups that do not fit -------------------------------- */

/* the first of a group is dropped, the last is queued: software answers */
static void test_first_dropped(void)
{
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start(&lab);
    lab_fill(&lab);
    lab_request(&lab, LAB_IOVA, R, 0x77);
    lab_expect_silence(&lab);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, PRS_BOTH);

    qvtd_prq_drop_all(&lab.v);
    qvtd_writel(&lab.v, QVTD_PRS, PRS_BOTH);
    lab_request(&lab, LAB_IOVA + 0x1000, R | L, 0x77);
    lab_expect_silence(&lab);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    g_assert_true(qvtd_prq_pop(&lab.v, &prd));
    g_assert_cmphex(QVTD_PRD_ADDR(&prd), ==, LAB_IOVA + 0x1000);
    g_assert_cmpuint(QVTD_PRD_LPIG(&prd), ==, 1);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 0x77, QPT_SUCCESS);
    lab_expect_response(&lab, QPT_SUCCESS, 0x77, LAB_PASID);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RAW_RESP_COUNT), ==, 1);
    pri_lab_stop(&lab);
}

/* the first is queued, the last is dropped: hardware answers, once */
static void test_last_dropped(void)
{
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start(&lab);
    lab_fill(&lab);
    qvtd_writeq(&lab.v, QVTD_PQH, 0x20);        /* room for one */
    lab_request(&lab, LAB_IOVA, R, 0x77);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, QVTD_PRS_PPR);
    lab_request(&lab, LAB_IOVA + 0x1000, R | L, 0x77);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, PRS_BOTH);
    lab_expect_response(&lab, QPT_SUCCESS, 0x77, LAB_PASID);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RAW_RESP_COUNT), ==, 1);

    /* the partial group is the last thing in the queue */
    qvtd_prq_read(&lab.v, 126, &prd);
    g_assert_cmpuint(QVTD_PRD_PRGI(&prd), ==, 0x77);
    g_assert_cmpuint(QVTD_PRD_LPIG(&prd), ==, 0);
    g_assert_cmphex(QVTD_PRD_ADDR(&prd), ==, LAB_IOVA);
    pri_lab_stop(&lab);
}

/* nothing of a group is ever answered before its last request */
static void test_not_last(void)
{
    unsigned int i;
    PriLab lab;

    pri_lab_start(&lab);
    overflow(&lab);
    for (i = 0; i < 8; i++) {
        lab_request(&lab, LAB_IOVA + i * 0x1000, R, 0x77);
        lab_request_rid(&lab, LAB_IOVA + i * 0x1000, W, 0x78);
    }
    qvtd_writel(&lab.v, QVTD_PRS, PRS_BOTH);
    lab_request(&lab, LAB_IOVA, R, 0x77);       /* full again */
    qvtd_prq_drop_all(&lab.v);
    qvtd_writel(&lab.v, QVTD_PRS, PRS_BOTH);
    lab_request(&lab, LAB_IOVA, R, 0x77);       /* queued */
    page_requests_off(&lab);
    lab_request(&lab, LAB_IOVA, R, 0x77);       /* table fault */
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RAW_RESP_COUNT), ==, 0);
    lab_expect_silence(&lab);
    pri_lab_stop(&lab);
}

/* -- PRQ-44, PRQ-45: PRO is sticky, clearing it opens the queue ------------ */

static void test_sticky(void)
{
    uint64_t tail;
    unsigned int i;
    PriLab lab;

    pri_lab_start(&lab);
    overflow(&lab);
    tail = qvtd_readq(&lab.v, QVTD_PQT);
    qvtd_prq_drop_all(&lab.v);
    qvtd_writel(&lab.v, QVTD_PRS, QVTD_PRS_PPR);
    for (i = 0; i < 4; i++) {
        lab_request(&lab, LAB_IOVA, R | L, i);
        lab_expect_response(&lab, QPT_SUCCESS, i, LAB_PASID);
        lab_request(&lab, LAB_IOVA, R, i);
        lab_expect_silence(&lab);
    }
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, tail);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, QVTD_PRS_PRO);
    pri_lab_stop(&lab);
}

static void test_reopen(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    overflow(&lab);
    qvtd_prq_drop_all(&lab.v);
    qvtd_writel(&lab.v, QVTD_PRS, QVTD_PRS_PRO);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, QVTD_PRS_PPR);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    lab_expect_silence(&lab);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    pri_lab_stop(&lab);
}

/* clearing PRO while the ring is still full: full again, PRO again */
static void test_reopen_still_full(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    overflow(&lab);
    qvtd_writel(&lab.v, QVTD_PRS, PRS_BOTH);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, 0);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    lab_expect_response(&lab, QPT_SUCCESS, 1, LAB_PASID);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, QVTD_PRS_PRO);
    pri_lab_stop(&lab);
}

/* neither overflow nor full is a fault (7.4.1) */
static void test_no_fault(void)
{
    QVtdFault fault;
    PriLab lab;

    pri_lab_start(&lab);
    overflow(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    g_assert_false(qvtd_fault(&lab.v, &fault));
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS), ==, 0);
    pri_lab_stop(&lab);
}

/* -- PRQ-46: table fault and PRO together ---------------------------------- */

static void test_order_tables_first(void)
{
    QVtdFault fault;
    PriLab lab;

    pri_lab_start(&lab);
    overflow(&lab);
    page_requests_off(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    lab_expect_response(&lab, QPT_INVALID_REQUEST, 1, LAB_PASID);
    g_assert_true(qvtd_fault(&lab.v, &fault));
    g_assert_cmphex(QVTD_FAULT_FR(&fault), ==, QVTD_FR_SCT_PRE);
    pri_lab_stop(&lab);
}

static void test_order_pro_first(void)
{
    QVtdFault fault;
    PriLab lab;

    pri_lab_start_with(&lab, "check-order=pro", NULL, 0);
    overflow(&lab);
    page_requests_off(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    lab_expect_response(&lab, QPT_SUCCESS, 1, LAB_PASID);
    g_assert_false(qvtd_fault(&lab.v, &fault));
    pri_lab_stop(&lab);
}

/* -- PRQ-49: the fault record ---------------------------------------------- */

static void test_fault_record(void)
{
    static const uint32_t flags[] = {
        R, W, R | W, R | PT_RAW_PRIV, W | PT_RAW_PRIV,
        R | PT_RAW_EXEC, R | L | PT_RAW_PRIV,
    };
    unsigned int i;
    QVtdFault fault;
    PriLab lab;

    pri_lab_start(&lab);
    page_requests_off(&lab);
    for (i = 0; i < ARRAY_SIZE(flags); i++) {
        uint64_t addr = LAB_IOVA + i * 0x1000ULL;

        lab_request(&lab, addr, flags[i], 1);
        g_assert_true(qvtd_fault(&lab.v, &fault));
        g_assert_cmphex(QVTD_FAULT_FI(&fault), ==, addr);
        g_assert_cmphex(fault.lo & 0xfff, ==, 0);
        g_assert_cmphex(QVTD_FAULT_SID(&fault), ==, lab.d.rid);
        g_assert_cmpuint(QVTD_FAULT_T1(&fault), ==, 0);
        g_assert_cmpuint(QVTD_FAULT_T2(&fault), ==, 1);
        g_assert_cmpuint(QVTD_FAULT_PP(&fault), ==, 1);
        g_assert_cmphex(QVTD_FAULT_PV(&fault), ==, LAB_PASID);
        g_assert_cmpuint(QVTD_FAULT_PRIV(&fault), ==,
                         !!(flags[i] & PT_RAW_PRIV));
        g_assert_cmpuint(QVTD_FAULT_EXE(&fault), ==,
                         !!(flags[i] & PT_RAW_EXEC));
        /* RsvdZ 91:80 */
        g_assert_cmphex(fault.hi & 0x0fff0000, ==, 0);
        qvtd_fault_clear(&lab.v);
        g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS), ==, 0);
    }
    pri_lab_stop(&lab);
}

/*
 * FI has address bits up to the largest AGAW; those above are reserved (0)
 * in the record (11.4.7.6), though a descriptor would have them all
 */
static void test_fault_address(void)
{
    static const uint64_t addrs[] = {
        0xffff800000000000ULL, 0xfffffffffffff000ULL, 0x8000000000001000ULL,
        0x0000ffffffff0000ULL,
    };
    uint64_t mask;
    unsigned int i;
    QVtdFault fault;
    PriLab lab;

    pri_lab_start(&lab);
    g_assert_cmphex(lab.v.cap & QVTD_CAP_SAGAW_48, !=, 0);
    mask = lab.v.cap & QVTD_CAP_SAGAW_57 ? 0x01fffffffffff000ULL :
                                           0x0000fffffffff000ULL;
    page_requests_off(&lab);
    for (i = 0; i < ARRAY_SIZE(addrs); i++) {
        lab_request(&lab, addrs[i], R, 1);
        g_assert_true(qvtd_fault(&lab.v, &fault));
        g_assert_cmphex(QVTD_FAULT_FI(&fault), ==, addrs[i] & mask);
        qvtd_fault_clear(&lab.v);
    }
    pri_lab_stop(&lab);
}

/* -- PRQ-50: fault logging and its event ----------------------------------- */

static void test_fault_overflow(void)
{
    QPtRaw raw = { LAB_IOVA, LAB_PASID, R | L, 1 };
    QVtdFault first, fault;
    unsigned int i, nfr;
    PriLab lab;

    pri_lab_start_with(&lab, NULL, NULL, LAB_TWO_DEVICES);
    nfr = QVTD_CAP_NFR(lab.v.cap);
    page_requests_off(&lab);
    qvtd_set(&lab.v, qvtd_context_entry(&lab.v, lab.d2.rid), QVTD_CE_PRE, 0);
    qvtd_flush(&lab.v);

    /* alternate, so that nothing may be collapsed when NFR is 1 */
    for (i = 0; i < nfr; i++) {
        qpt_raw(i % 2 ? &lab.d2 : &lab.d, &raw);
    }
    g_assert_true(qvtd_fault(&lab.v, &first));
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS) & 0xff, ==, QVTD_FSTS_PPF);
    raw.addr += 0x1000;
    qpt_raw(nfr % 2 ? &lab.d2 : &lab.d, &raw);
    if (nfr == 1) {
        g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS) & 0xff, ==,
                        QVTD_FSTS_PPF | QVTD_FSTS_PFO);
        /* with PFO set nothing is recorded, even into a free register */
        qvtd_writel(&lab.v, QVTD_CAP_FRO(lab.v.cap) + 12, 1U << 31);
        g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS) & 0xff, ==,
                        QVTD_FSTS_PFO);
        qpt_raw(&lab.d, &raw);
        g_assert_false(qvtd_fault(&lab.v, &fault));
        qvtd_writel(&lab.v, QVTD_FSTS, QVTD_FSTS_PFO);
    } else {
        qvtd_fault_clear(&lab.v);
    }
    raw.addr += 0x1000;
    qpt_raw(&lab.d, &raw);
    g_assert_true(qvtd_fault(&lab.v, &fault));
    g_assert_cmphex(QVTD_FAULT_FI(&fault), ==, raw.addr);
    /* the response does not depend on any of this */
    g_assert_cmphex(qpt_raw_response(&lab.d2, NULL, NULL), ==,
                    QPT_INVALID_REQUEST);
    pri_lab_stop(&lab);
}

static void test_fault_event(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    page_requests_off(&lab);

    /* masked: IP, and the MSI when IM is cleared */
    lab_request(&lab, LAB_IOVA, R, 1);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FECTL), ==,
                    QVTD_EVENT_IM | QVTD_EVENT_IP);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-msis"), ==, 0);
    qvtd_writel(&lab.v, QVTD_FECTL, 0);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FECTL), ==, 0);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-msis"), ==, 1);
    g_assert_cmphex(qvtd_counter(&lab.v, "x-last-msi-data"), ==,
                    LAB_FE_VECTOR);

    /* PPF still set: no other event */
    lab_request(&lab, LAB_IOVA, R, 1);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-msis"), ==, 1);
    qvtd_fault_clear(&lab.v);
    lab_request(&lab, LAB_IOVA, R, 1);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-msis"), ==, 2);
    pri_lab_stop(&lab);
}

/* a queue error that nobody cleared suppresses the fault event (7.3) */
static void test_fault_event_suppressed(void)
{
    QVtdDesc bad = { { 0x5, 1 } };
    QVtdFault fault;
    PriLab lab;

    pri_lab_start(&lab);
    page_requests_off(&lab);
    qvtd_writel(&lab.v, QVTD_FECTL, 0);
    qvtd_submit(&lab.v, bad);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS) & 0xff, ==, QVTD_FSTS_IQE);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-msis"), ==, 1);
    lab_request(&lab, LAB_IOVA, R, 1);
    g_assert_true(qvtd_fault(&lab.v, &fault));
    g_assert_cmphex(QVTD_FAULT_FR(&fault), ==, QVTD_FR_SCT_PRE);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-msis"), ==, 1);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FECTL), ==, 0);
    pri_lab_stop(&lab);
}

/* FECTL.IP goes away when software has dealt with all five bits */
static void test_fault_ip_clear(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    page_requests_off(&lab);
    lab_request(&lab, LAB_IOVA, R, 1);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FECTL) & QVTD_EVENT_IP, !=, 0);
    qvtd_fault_clear(&lab.v);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FECTL), ==, QVTD_EVENT_IM);
    qvtd_writel(&lab.v, QVTD_FECTL, 0);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-msis"), ==, 0);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    g_test_add_func("/vtd/prq/PRQ-40/never-failure", test_never_failure);
    g_test_add_func("/vtd/prq/PRQ-41/addressed-to-sender",
                    test_addressed_to_sender);
    g_test_add_func("/vtd/prq/PRQ-41/pasid-follows-request",
                    test_pasid_follows_request);
    g_test_add_func("/vtd/prq/PRQ-42/first-dropped", test_first_dropped);
    g_test_add_func("/vtd/prq/PRQ-42/not-last", test_not_last);
    g_test_add_func("/vtd/prq/PRQ-43/last-dropped-on-full", test_last_dropped);
    g_test_add_func("/vtd/prq/PRQ-44/sticky", test_sticky);
    g_test_add_func("/vtd/prq/PRQ-44/no-fault", test_no_fault);
    g_test_add_func("/vtd/prq/PRQ-45/reopen", test_reopen);
    g_test_add_func("/vtd/prq/PRQ-45/reopen-still-full",
                    test_reopen_still_full);
    g_test_add_func("/vtd/prq/PRQ-46/tables-first", test_order_tables_first);
    g_test_add_func("/vtd/prq/PRQ-46/pro-first", test_order_pro_first);
    g_test_add_func("/vtd/prq/PRQ-49/fault-record", test_fault_record);
    g_test_add_func("/vtd/prq/PRQ-49/fault-address", test_fault_address);
    g_test_add_func("/vtd/prq/PRQ-50/fault-overflow", test_fault_overflow);
    g_test_add_func("/vtd/prq/PRQ-50/fault-event", test_fault_event);
    g_test_add_func("/vtd/prq/PRQ-50/fault-event-suppressed",
                    test_fault_event_suppressed);
    g_test_add_func("/vtd/prq/PRQ-50/fault-ip-clear", test_fault_ip_clear);
    return g_test_run();
}
