/*
 * pri-testdev: Page Requests, stop markers, responses and invalidations that
 * are wrong on purpose, and functions that lack something
 *
 * Checklist part G, endpoint side.  Each test fails if its knob does nothing.
 * PCIe 6.2 10.2.3, 10.3.1, 10.4, 10.5.2
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "hw/i386/vtd-knobs.h"
#include "libqos/vtd-inv.h"

#define PAGE            4096
#define VTD             "ite-timeout-ms=60000,wait-depth=1024"
#define PATTERN         0x1122334455667788ULL
#define EXP_DEVSTA      10
#define DEVSTA_CED      (1 << 0)
#define DEVSTA_NFED     (1 << 1)
#define DEVSTA_URD      (1 << 3)
#define AER_UNC_STATUS  0x104
#define AER_COR_MASK    0x114
#define AER_HEADER      0x11c
#define TLP_MSG_BY_ID   0x32
#define TLP_MSGD_BY_ID  0x72
#define MSG_INV_REQUEST 0x01
#define MSG_PRG_RESPONSE 0x05
#define AER_UC          (1 << 16)
#define AER_UR          (1 << 20)

static void turn(PriLab *lab, uint32_t knob, uint64_t value)
{
    g_assert_cmpuint(qpt_knob_set(&lab->d, knob, value), ==, PT_KNOB_OK);
}

static uint64_t counter(PriLab *lab, unsigned int offset)
{
    return qpt_readq(&lab->d, offset);
}

static uint16_t pri_status(PriLab *lab)
{
    return qpt_config_readw(&lab->d, lab->d.pri + QPT_PRI_STATUS) &
           ~QPT_PRI_STATUS_PASID;
}

static QPtOp fill(unsigned int page, unsigned int pages)
{
    return (QPtOp) {
        .cmd = PT_OP_FILL, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA + page * PAGE, .len = pages * PAGE, .group = pages,
        .pattern = PATTERN,
    };
}

/* A group of @pages from channel 0, which then waits */
static void fault(PriLab *lab, unsigned int pages)
{
    QPtOp op = fill(0, pages);

    qpt_start(&lab->d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab->d, 0), ==, PT_ST_RUNNING);
}

static void pop(PriLab *lab, QVtdDesc *prd)
{
    memset(prd, 0, sizeof(*prd));
    g_assert_true(qvtd_prq_pop(&lab->v, prd));
}

static void respond(PriLab *lab, uint16_t prgi, unsigned int code)
{
    qvtd_respond(&lab->v, lab->d.rid, LAB_PASID, prgi, code);
}

static void map(PriLab *lab, unsigned int pages)
{
    uint64_t pa = qvtd_alloc(&lab->v, pages);

    for (unsigned int i = 0; i < pages; i++) {
        qvtd_fs_map(&lab->v, lab->pml4, LAB_IOVA + i * PAGE, pa + i * PAGE,
                    QVTD_FS_USER);
    }
}

/* Has the bottom half run that reports errors? */
static void settle(PriLab *lab)
{
    qpt_wait(&lab->d, 1);
    qtest_clock_step(lab->qts, QINV_US);
}

/* -- Groups ---------------------------------------------------------------- */

static void test_no_last(void)
{
    QVtdDesc prd[2];
    PriLab lab;

    pri_lab_start_with(&lab, VTD, "group-shape=no-last", 0);
    fault(&lab, 2);
    pop(&lab, &prd[0]);
    pop(&lab, &prd[1]);
    g_assert_false(QVTD_PRD_LPIG(&prd[0]) || QVTD_PRD_LPIG(&prd[1]));
    /* no answer is due, and one that comes is a violation */
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 1);
    respond(&lab, 0, QPT_SUCCESS);
    g_assert_cmpuint(counter(&lab, PT_CNT_VIOLATIONS), ==, 1);
    g_assert_cmpuint(qpt_ch_readl(&lab.d, 0, PT_CH_STATUS), ==,
                     PT_ST_RUNNING);
    pri_lab_stop(&lab);
}

static void test_no_access(void)
{
    QVtdDesc prd[2];
    PriLab lab;

    pri_lab_start_with(&lab, VTD, "group-shape=no-access", 0);
    fault(&lab, 2);
    pop(&lab, &prd[0]);
    pop(&lab, &prd[1]);
    for (int i = 0; i < 2; i++) {
        g_assert_false(QVTD_PRD_RDR(&prd[i]) || QVTD_PRD_WRR(&prd[i]));
    }
    pri_lab_stop(&lab);
}

static void test_exec_only(void)
{
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, "group-shape=exec-only", 0);
    fault(&lab, 1);
    pop(&lab, &prd);
    g_assert_true(QVTD_PRD_EXR(&prd));
    g_assert_false(QVTD_PRD_RDR(&prd));
    pri_lab_stop(&lab);
}

static void test_mixed_pasid(void)
{
    QVtdDesc prd[2];
    PriLab lab;

    pri_lab_start_with(&lab, VTD, "group-shape=mixed-pasid", 0);
    qvtd_pasid_setup(&lab.v, lab.d.rid, LAB_PASID ^ 1, 0x99);
    qvtd_flush(&lab.v);
    fault(&lab, 2);
    pop(&lab, &prd[0]);
    pop(&lab, &prd[1]);
    g_assert_cmphex(QVTD_PRD_PASID(&prd[0]), ==, LAB_PASID);
    g_assert_cmphex(QVTD_PRD_PASID(&prd[1]), ==, LAB_PASID ^ 1);
    g_assert_cmpuint(QVTD_PRD_PRGI(&prd[0]), ==, QVTD_PRD_PRGI(&prd[1]));
    pri_lab_stop(&lab);
}

/* A neighbour that has no context entry: refused, and nobody gets the answer */
static void test_other_rid(void)
{
    QVtdFault f;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, "group-shape=other-rid", 0);
    fault(&lab, 1);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    g_assert_true(qvtd_fault(&lab.v, &f));
    g_assert_cmphex(QVTD_FAULT_SID(&f), ==, lab.d.rid ^ 1);
    g_assert_cmpuint(counter(&lab, PT_CNT_RESP_INVALID), ==, 0);
    g_assert_cmpuint(counter(&lab, PT_CNT_RESP_UNEXPECTED), ==, 0);
    pri_lab_stop(&lab);
}

static bool is_marker(const QVtdDesc *prd)
{
    return QVTD_PRD_PP(prd) && QVTD_PRD_LPIG(prd) && !QVTD_PRD_RDR(prd) &&
           !QVTD_PRD_WRR(prd);
}

static void test_marker_inside(void)
{
    QVtdDesc prd[3];
    PriLab lab;

    pri_lab_start_with(&lab, VTD, "group-shape=marker-inside", 0);
    fault(&lab, 2);
    for (int i = 0; i < 3; i++) {
        pop(&lab, &prd[i]);
        g_assert_cmpint(is_marker(&prd[i]), ==, i == 1);
    }
    g_assert_true(QVTD_PRD_LPIG(&prd[2]));
    g_assert_cmpuint(counter(&lab, PT_CNT_STOP_MARKERS), ==, 1);
    pri_lab_stop(&lab);
}

/* -- Stop markers ---------------------------------------------------------- */

static unsigned int stop(PriLab *lab, const char *dev, QVtdDesc *prd)
{
    unsigned int n;

    pri_lab_start_with(lab, VTD, dev, 0);
    qpt_writel(&lab->d, PT_STOP_PASID, PT_STOP_MARKER | LAB_PASID);
    g_assert_cmpuint(qpt_readl(&lab->d, PT_STOP_STATUS), ==, PT_STOP_DONE);
    n = qvtd_prq_pending(&lab->v);
    memset(prd, 0, sizeof(*prd));
    qvtd_prq_pop(&lab->v, prd);
    return n;
}

/* PRQ-26: the address of the message is copied as it is */
static void test_dirty_marker(void)
{
    QVtdDesc prd;
    PriLab lab;

    g_assert_cmpuint(stop(&lab, "stop-marker=dirty", &prd), ==, 1);
    g_assert_true(is_marker(&prd));
    g_assert_cmphex(QVTD_PRD_ADDR(&prd), !=, 0);
    pri_lab_stop(&lab);
}

/* -- The state machine ----------------------------------------------------- */

/* PRI-01, PRI-31: requests when there should be none */
static void test_disabled(void)
{
    QPtOp op = fill(0, 1);
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    qpt_pri_disable(&lab.d);
    g_assert_cmphex(pri_status(&lab), ==, QPT_PRI_STATUS_STOPPED);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_NO_PRI);
    turn(&lab, PT_KNOB_PR_WHEN_DISABLED, 1);
    fault(&lab, 1);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    g_assert_cmphex(pri_status(&lab), ==, QPT_PRI_STATUS_STOPPED);
    pri_lab_stop(&lab);
}

static void test_stop_delay(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD, "pri-stop-delay-us=300", 0);
    fault(&lab, 1);
    qpt_pri_disable(&lab.d);
    qtest_clock_step(lab.qts, 1000 * QINV_US);
    g_assert_cmphex(pri_status(&lab), ==, 0);
    respond(&lab, 0, QPT_INVALID_REQUEST);
    qtest_clock_step(lab.qts, 299 * QINV_US);
    g_assert_cmphex(pri_status(&lab), ==, 0);
    qtest_clock_step(lab.qts, 2 * QINV_US);
    g_assert_cmphex(pri_status(&lab), ==, QPT_PRI_STATUS_STOPPED);

    /* so it does when a device-specific reset has forgotten the last group */
    qpt_enable(&lab.d, 0);
    fault(&lab, 1);
    qpt_pri_disable(&lab.d);
    qpt_writel(&lab.d, PT_SOFT_RESET, 0);
    qtest_clock_step(lab.qts, 299 * QINV_US);
    g_assert_cmphex(pri_status(&lab), ==, 0);
    qtest_clock_step(lab.qts, 2 * QINV_US);
    g_assert_cmphex(pri_status(&lab), ==, QPT_PRI_STATUS_STOPPED);

    /* Reset stops at once, whatever is slow */
    qpt_enable(&lab.d, 0);
    qpt_config_writew(&lab.d, lab.d.pri + QPT_PRI_CTRL, QPT_PRI_CTRL_RESET);
    g_assert_cmphex(pri_status(&lab), ==, QPT_PRI_STATUS_STOPPED);
    pri_lab_stop(&lab);
}

/* PRI-20: as PCIe says; what else it does is in pri-agent-response-test.c */
static void test_resp_spec(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    fault(&lab, 1);
    respond(&lab, 0, QPT_RESPONSE_FAILURE);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RESPONSE_FAILURE);
    g_assert_cmphex(pri_status(&lab) & QPT_PRI_STATUS_RF, !=, 0);
    pri_lab_stop(&lab);
}

/* PRI-20, the knob: it ends one group, and the function goes on asking */
static void test_resp_as_invalid(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD, "resp-code=rf-as-ir", 0);
    fault(&lab, 1);
    respond(&lab, 0, QPT_RESPONSE_FAILURE);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_INVALID_REQUEST);
    g_assert_cmphex(pri_status(&lab) & QPT_PRI_STATUS_RF, ==, 0);
    qvtd_prq_drop_all(&lab.v);
    fault(&lab, 1);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    pri_lab_stop(&lab);
}

static uint32_t aer(PriLab *lab)
{
    return qpt_config_readl(&lab->d, AER_UNC_STATUS);
}

/* ERR-01: the first byte of the header that is logged, and its Message Code */
static void check_logged(PriLab *lab, uint8_t type, uint8_t code)
{
    uint32_t dw0 = qpt_config_readl(&lab->d, AER_HEADER);
    uint32_t dw1 = qpt_config_readl(&lab->d, AER_HEADER + 4);

    g_assert_cmphex(__builtin_bswap32(dw0) >> 24, ==, type);
    g_assert_cmphex(__builtin_bswap32(dw1) & 0xff, ==, code);
}

/*
 * PRI-22: four ways to take a response to no group.  ERR-01: what is reported
 * has the header of the message, and an Unexpected Completion is an advisory
 * error.
 */
static void test_unexpected(void)
{
    static const struct {
        const char *knob;
        uint16_t status;
        uint32_t aer;
        uint16_t devsta;
    } ways[] = {
        { "unexpected-resp=uprgi", QPT_PRI_STATUS_UPRGI, 0, 0 },
        { "unexpected-resp=ignore", 0, 0, 0 },
        { "unexpected-resp=ur", 0, AER_UR, DEVSTA_URD | DEVSTA_NFED },
        { "unexpected-resp=uc", 0, AER_UC, DEVSTA_CED },
    };

    for (int i = 0; i < ARRAY_SIZE(ways); i++) {
        PriLab lab;

        pri_lab_start_with(&lab, VTD, ways[i].knob, 0);
        /* Advisory Non-Fatal Errors are masked by default */
        qpt_config_writel(&lab.d, AER_COR_MASK, 0);
        respond(&lab, 17, QPT_SUCCESS);
        settle(&lab);
        g_assert_cmphex(pri_status(&lab), ==, ways[i].status);
        g_assert_cmphex(aer(&lab), ==, ways[i].aer);
        g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.exp + EXP_DEVSTA) & 0xf,
                        ==, ways[i].devsta);
        check_logged(&lab, ways[i].aer ? TLP_MSG_BY_ID : 0,
                     ways[i].aer ? MSG_PRG_RESPONSE : 0);
        g_assert_cmpuint(counter(&lab, PT_CNT_RESP_UNEXPECTED), ==, 1);
        pri_lab_stop(&lab);
    }
}

/* A channel has asked for its page, which has come since */
static void start_retry(PriLab *lab, const char *dev)
{
    pri_lab_start_with(lab, VTD, dev, 0);
    fault(lab, 1);
    map(lab, 1);
}

/* PRI-20, H12: what a channel does with Success: it translates again */
static void test_retry_translate(void)
{
    PriLab lab;

    start_retry(&lab, NULL);
    respond(&lab, 0, QPT_SUCCESS);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    pri_lab_stop(&lab);
}

/* or asks again without a look, up to its limit */
static void test_retry_request(void)
{
    QVtdDesc prd;
    PriLab lab;

    start_retry(&lab, "retry=request");
    for (unsigned int i = 0; i < 16; i++) {
        pop(&lab, &prd);
        respond(&lab, QVTD_PRD_PRGI(&prd), QPT_SUCCESS);
        g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    }
    pop(&lab, &prd);
    respond(&lab, QVTD_PRD_PRGI(&prd), QPT_SUCCESS);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RETRY_LIMIT);
    g_assert_cmpuint(counter(&lab, PT_CNT_TRANSLATIONS), ==, 1);
    pri_lab_stop(&lab);
}

/* or gives up */
static void test_retry_give_up(void)
{
    PriLab lab;

    start_retry(&lab, "retry=give-up");
    respond(&lab, 0, QPT_SUCCESS);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RETRY_LIMIT);
    g_assert_cmpuint(counter(&lab, PT_CNT_TRANSLATIONS), ==, 1);
    pri_lab_stop(&lab);
}

/* -- Translations and invalidations ---------------------------------------- */

/* ATS-01: status UR may stop the use of ATS */
static void test_rc_on_ur(void)
{
    QPtOp op = fill(0, 1);

    for (unsigned int disable = 0; disable < 2; disable++) {
        PriLab lab;

        pri_lab_start_with(&lab, VTD, disable ? "rc-on-ur=disable" : NULL, 0);
        map(&lab, 1);
        qvtd_set(&lab.v, qvtd_context_entry(&lab.v, lab.d.rid), QVTD_CE_P,
                 0);
        qvtd_flush(&lab.v);
        g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_TRANS_UR);
        qvtd_set(&lab.v, qvtd_context_entry(&lab.v, lab.d.rid), QVTD_CE_P,
                 1);
        qvtd_flush(&lab.v);
        g_assert_cmpint(!(qpt_readl(&lab.d, PT_STATE) & PT_STATE_NO_ATS), ==,
                        !disable);
        g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, disable ?
                         PT_ST_NOT_ENABLED : PT_ST_DONE);
        /* until it is enabled again */
        qpt_config_writew(&lab.d, lab.d.ats + QPT_ATS_CTRL, 0);
        qpt_config_writew(&lab.d, lab.d.ats + QPT_ATS_CTRL, QPT_ATS_CTRL_E);
        g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
        pri_lab_stop(&lab);
    }
}

static bool invalidate(PriLab *lab, uint64_t addr, bool size)
{
    QVtdDesc desc = qvtd_desc_dev_ptlb(lab->d.rid, LAB_PASID, addr, size,
                                       false);
    uint32_t slot;

    qvtd_qi_put(&lab->v, &desc);
    slot = qinv_put_wait(&lab->v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab->v);
    settle(lab);
    return qvtd_wait_done(&lab->v, slot);
}

/* ATS-25 */
static void test_sub_stu(void)
{
    QPtOp op = fill(0, 1);

    for (unsigned int ur = 0; ur < 2; ur++) {
        PriLab lab;

        pri_lab_start_with(&lab, VTD, ur ? "inv-sub-stu=ur" : NULL, 0);
        map(&lab, 1);
        g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
        /* that one is in the ATC; none of less than 8 KiB comes after it */
        qpt_config_writew(&lab.d, lab.d.ats + QPT_ATS_CTRL,
                          QPT_ATS_CTRL_E | 1);
        /* its neighbour in a unit of 8 KiB */
        g_assert_cmpint(invalidate(&lab, LAB_IOVA ^ PAGE, false), ==, !ur);
        g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, ur);
        g_assert_cmphex(aer(&lab), ==, ur ? AER_UR : 0);
        g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.exp + EXP_DEVSTA) &
                        (DEVSTA_URD | DEVSTA_NFED), ==,
                        ur ? DEVSTA_URD | DEVSTA_NFED : 0);
        check_logged(&lab, ur ? TLP_MSGD_BY_ID : 0, ur ? MSG_INV_REQUEST : 0);
        if (!ur) {
            g_assert_true(invalidate(&lab, LAB_IOVA & ~0x1fffULL, true));
        }
        pri_lab_stop(&lab);
    }
}

/* ATS-20 and against it */
static void test_when_e0(void)
{
    static const struct {
        const char *knob;
        bool done;
        uint32_t aer;
    } ways[] = {
        { "inv-when-e0=complete", true, 0 },
        { "inv-when-e0=drop", false, 0 },
        { "inv-when-e0=ur", false, AER_UR },
    };

    for (int i = 0; i < ARRAY_SIZE(ways); i++) {
        PriLab lab;

        pri_lab_start_with(&lab, VTD, ways[i].knob, 0);
        qpt_config_writew(&lab.d, lab.d.ats + QPT_ATS_CTRL, 0);
        g_assert_cmpint(invalidate(&lab, LAB_IOVA, false), ==, ways[i].done);
        g_assert_cmphex(aer(&lab), ==, ways[i].aer);
        pri_lab_stop(&lab);
    }
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    qtest_add_func("/pri-testdev/wrong/PRI-07/no-last", test_no_last);
    qtest_add_func("/pri-testdev/wrong/PRI-43/no-access", test_no_access);
    qtest_add_func("/pri-testdev/wrong/PRI-02/exec-only", test_exec_only);
    qtest_add_func("/pri-testdev/wrong/PRI-06/mixed-pasid", test_mixed_pasid);
    qtest_add_func("/pri-testdev/wrong/PRI-06/other-rid", test_other_rid);
    qtest_add_func("/pri-testdev/wrong/PRI-43/marker-inside",
                   test_marker_inside);
    qtest_add_func("/pri-testdev/wrong/PRQ-26/dirty-marker", test_dirty_marker);
    qtest_add_func("/pri-testdev/wrong/PRI-01/disabled", test_disabled);
    qtest_add_func("/pri-testdev/wrong/PRI-31/stop-delay", test_stop_delay);
    qtest_add_func("/pri-testdev/wrong/PRI-20/resp-spec", test_resp_spec);
    qtest_add_func("/pri-testdev/wrong/PRI-20/resp-as-invalid",
                   test_resp_as_invalid);
    qtest_add_func("/pri-testdev/wrong/PRI-22/ERR-01/unexpected",
                   test_unexpected);
    qtest_add_func("/pri-testdev/wrong/PRI-20/retry-translate",
                   test_retry_translate);
    qtest_add_func("/pri-testdev/wrong/PRI-20/retry-request",
                   test_retry_request);
    qtest_add_func("/pri-testdev/wrong/PRI-20/retry-give-up",
                   test_retry_give_up);
    qtest_add_func("/pri-testdev/wrong/ATS-01/rc-on-ur", test_rc_on_ur);
    qtest_add_func("/pri-testdev/wrong/ATS-25/ERR-01/sub-stu", test_sub_stu);
    qtest_add_func("/pri-testdev/wrong/ATS-20/when-e0", test_when_e0);
    return g_test_run();
}
