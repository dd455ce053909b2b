/*
 * pri-testdev: device-specific resets, and what a reset should have ended
 *
 * The device's side of VT-d 7.9 and 7.10: checklist items PRQ-90 to PRQ-94
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-rows.h"
#include "libqos/lab-state.h"
#include "libqos/vtd-inv.h"

#define PAGE            4096
#define PA              0x8000000ULL
#define PATTERN         0x1122334455667788ULL
#define COMMAND         0x04
#define COMMAND_BME     0x4

#define VTD     "ite-timeout-ms=500,wait-depth=1024"

static uint32_t invalidate(PriLab *lab)
{
    uint32_t slot;

    qinv_put_dev_tlb(&lab->v, lab->d.rid);
    slot = qinv_put_wait(&lab->v, QVTD_WAIT_SW | QVTD_WAIT_PD);
    qvtd_qi_ring(&lab->v);
    return slot;
}

/* Channel @ch writes page @ch, which is absent */
static void fault(PriLab *lab, unsigned int ch)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA + ch * PAGE, .len = PAGE, .pattern = PATTERN,
    };

    qpt_start(&lab->d, ch, &op);
    g_assert_cmpuint(qpt_wait(&lab->d, ch), ==, PT_ST_RUNNING);
}

/* The next request in the queue: its channel, by its page */
static unsigned int pop_channel(PriLab *lab, uint32_t *prgi)
{
    QVtdDesc prd = { };

    g_assert_true(qvtd_prq_pop(&lab->v, &prd));
    g_assert_cmphex(QVTD_PRD_PASID(&prd), ==, LAB_PASID);
    *prgi = QVTD_PRD_PRGI(&prd);
    return (QVTD_PRD_ADDR(&prd) - LAB_IOVA) / PAGE;
}

static void flr(PriLab *lab)
{
    unsigned int at = lab->d.exp + QPT_EXP_DEVCTL;

    qpt_config_writew(&lab->d, at, qpt_config_readw(&lab->d, at) |
                      QPT_EXP_DEVCTL_FLR);
}

/* -- One channel ----------------------------------------------------------- */

/* Two groups in the queue, of channels 0 and 1; channel 2 has no credit left */
static void start_channels(PriLab *lab, uint32_t prgi[2])
{
    pri_lab_start_with(lab, VTD, NULL, 0);
    qpt_pri_disable(&lab->d);
    qpt_enable(&lab->d, 2);
    fault(lab, 0);
    fault(lab, 1);
    fault(lab, 2);
    g_assert_cmpuint(pop_channel(lab, &prgi[0]), ==, 0);
    g_assert_cmpuint(pop_channel(lab, &prgi[1]), ==, 1);
    g_assert_cmpuint(qpt_readl(&lab->d, PT_PRI_CREDITS), ==, 0);
}

/* PRQ-91: its credit and index are free, and its registers as after a reset */
static void test_channel(void)
{
    uint32_t prgi[2], again;
    PriLab lab;

    start_channels(&lab, prgi);
    qpt_writel(&lab.d, PT_SOFT_RESET, 0);
    g_assert_cmpuint(qpt_ch_readl(&lab.d, 0, PT_CH_STATUS), ==, PT_ST_IDLE);
    g_assert_cmpuint(qpt_ch_readq(&lab.d, 0, PT_CH_DST), ==, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RESET_LAST), ==, PT_RESET_CHANNEL);
    g_assert_cmphex(qpt_readl(&lab.d, PT_EVENT_STATUS) & PT_EVENT_SOFT_RESET,
                    !=, 0);
    /* the one that waited has the credit now, and another index */
    g_assert_cmpuint(pop_channel(&lab, &again), ==, 2);
    g_assert_cmpuint(again, !=, prgi[0]);
    pri_lab_stop(&lab);
}

/* PRQ-91: the rest of the function has not noticed */
static void test_channel_others(void)
{
    uint32_t prgi[2];
    PriLab lab;

    start_channels(&lab, prgi);
    qpt_writel(&lab.d, PT_SCRATCH, 7);
    qpt_writel(&lab.d, PT_SOFT_RESET, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_SCRATCH), ==, 7);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.ats + QPT_ATS_CTRL), ==,
                    QPT_ATS_CTRL_E);
    g_assert_cmpuint(qpt_ch_readl(&lab.d, 1, PT_CH_STATUS), ==,
                     PT_ST_RUNNING);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, prgi[1], QPT_INVALID_REQUEST);
    g_assert_cmpuint(qpt_wait(&lab.d, 1), ==, PT_ST_INVALID_REQUEST);
    pri_lab_stop(&lab);
}

/* PRQ-92: a late response ends nothing and is counted */
static void test_channel_stale(void)
{
    uint32_t prgi[2];
    PriLab lab;

    start_channels(&lab, prgi);
    qpt_writel(&lab.d, PT_SOFT_RESET, 0);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, prgi[0], QPT_INVALID_REQUEST);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_RESP_STALE), ==, 1);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_RESP_MISTAKEN), ==, 0);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_VIOLATIONS), ==, 0);
    g_assert_cmpuint(qpt_wait(&lab.d, 2), ==, PT_ST_RUNNING);
    pri_lab_stop(&lab);
}

/* A channel that there is not, and one that does nothing */
static void test_bad_channel(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD, "channels=4", 0);
    qpt_writel(&lab.d, PT_SOFT_RESET, 4);
    qpt_writel(&lab.d, PT_SOFT_RESET, 63);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RESETS), ==, 0);
    qpt_writel(&lab.d, PT_SOFT_RESET, 3);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RESETS), ==, 1);
    pri_lab_stop(&lab);
}

/* A PASID that is being stopped does not wait for what was reset */
static void test_channel_stop(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    fault(&lab, 0);
    qpt_writel(&lab.d, PT_STOP_PASID, LAB_PASID);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_STOP_STATUS), ==, PT_STOP_BUSY);
    qpt_writel(&lab.d, PT_SOFT_RESET, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_STOP_STATUS), ==, PT_STOP_DONE);
    pri_lab_stop(&lab);
}

/* -- The whole function ---------------------------------------------------- */

typedef struct SoftRow {
    const char *name;
    uint64_t ms;                /* that the reset takes */
} SoftRow;

static const SoftRow soft_rows[] = {
    { "at-once", 0 }, { "slow", 30 },
};

static void soft_reset(PriLab *lab)
{
    qpt_writel(&lab->d, PT_SOFT_RESET, PT_SOFT_RESET_ALL);
}

/* Two groups without a response, indices 0 and 1; a reset will take @ms */
static void start_soft(PriLab *lab, uint64_t ms)
{
    uint32_t prgi;

    pri_lab_start_with(lab, VTD, NULL, 0);
    lab_knob(lab, PT_KNOB_SOFT_DURATION, ms);
    fault(lab, 0);
    fault(lab, 1);
    for (unsigned int i = 0; i < 2; i++) {
        g_assert_cmpuint(pop_channel(lab, &prgi), ==, i);
        g_assert_cmpuint(prgi, ==, i);
    }
}

/* PRQ-91: configuration space is as it was, the rest is not */
static void test_soft_state(const void *opaque)
{
    const SoftRow *row = opaque;
    PriLab lab;

    start_soft(&lab, row->ms);
    qpt_writel(&lab.d, PT_SCRATCH, 7);
    soft_reset(&lab);
    qtest_clock_step(lab.qts, row->ms * QINV_MS + QINV_US);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RESET_LAST), ==, PT_RESET_SOFT);
    g_assert_cmphex(qpt_config_readw(&lab.d, COMMAND) & COMMAND_BME, !=, 0);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.ats + QPT_ATS_CTRL), ==,
                    QPT_ATS_CTRL_E);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_SCRATCH), ==, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_CREDITS), ==, 512);
    for (unsigned int i = 0; i < 2; i++) {
        g_assert_cmpuint(qpt_ch_readl(&lab.d, i, PT_CH_STATUS), ==,
                         PT_ST_IDLE);
    }
    pri_lab_stop(&lab);
}

/* It says when it is over, and nothing starts before that */
static void test_soft_busy(void)
{
    PriLab lab;

    start_soft(&lab, 30);
    soft_reset(&lab);
    g_assert_cmphex(qpt_readl(&lab.d, PT_SOFT_RESET), ==, PT_SOFT_RESET_BUSY);
    qpt_writel(&lab.d, PT_CHANNEL(0) + PT_CH_CMD, PT_OP_NOP);
    g_assert_cmpuint(qpt_ch_readl(&lab.d, 0, PT_CH_REFUSED), ==, 1);
    g_assert_cmphex(qpt_readl(&lab.d, PT_EVENT_STATUS) & PT_EVENT_SOFT_RESET,
                    ==, 0);
    qtest_clock_step(lab.qts, 30 * QINV_MS);
    g_assert_cmphex(qpt_readl(&lab.d, PT_SOFT_RESET), ==, 0);
    g_assert_cmphex(qpt_readl(&lab.d, PT_EVENT_STATUS) & PT_EVENT_SOFT_RESET,
                    !=, 0);
    pri_lab_stop(&lab);
}

/* One invalidation whose completion waits at the reset, and one in it */
static void invalidate_around(PriLab *lab, uint32_t slot[2])
{
    lab_knob(lab, PT_KNOB_INV_DELAY, 10);
    slot[0] = invalidate(lab);
    lab_knob(lab, PT_KNOB_INV_DELAY, 0);
    soft_reset(lab);
    slot[1] = invalidate(lab);
    g_assert_false(qvtd_wait_done(&lab->v, slot[1]));
    qtest_clock_step(lab->qts, 20 * QINV_US);
}

/* PRQ-93: both are answered */
static void test_soft_answers(const void *opaque)
{
    const SoftRow *row = opaque;
    uint32_t slot[2];
    PriLab lab;

    start_soft(&lab, row->ms);
    invalidate_around(&lab, slot);
    g_assert_true(qvtd_wait_done(&lab.v, slot[0]));
    g_assert_true(qvtd_wait_done(&lab.v, slot[1]));
    pri_lab_stop(&lab);
}

/* PRQ-93, the knob: neither is, and they time out */
static void test_soft_unresponsive(void)
{
    uint32_t slot[2];
    PriLab lab;

    start_soft(&lab, 30);
    lab_knob(&lab, PT_KNOB_SOFT_RESET, PT_SOFT_RESET_UNRESPONSIVE);
    invalidate_around(&lab, slot);
    g_assert_false(qvtd_wait_done(&lab.v, slot[0]));
    g_assert_false(qvtd_wait_done(&lab.v, slot[1]));
    qtest_clock_step(lab.qts, 531 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab.v) & QVTD_FSTS_ITE, !=, 0);
    g_assert_cmphex(qpt_readl(&lab.d, PT_SOFT_RESET), ==, 0);
    pri_lab_stop(&lab);
}

/* PRQ-92: responses that come late end nothing, and the next fault is served */
static void test_soft_stale(const void *opaque)
{
    const SoftRow *row = opaque;
    uint32_t prgi;
    PriLab lab;

    start_soft(&lab, row->ms);
    soft_reset(&lab);
    qtest_clock_step(lab.qts, row->ms * QINV_MS + QINV_US);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 0, QPT_SUCCESS);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 1, QPT_SUCCESS);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_RESP_STALE), ==, 2);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_RESP_MISTAKEN), ==, 0);
    fault(&lab, 0);
    g_assert_cmpuint(pop_channel(&lab, &prgi), ==, 0);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, prgi, QPT_INVALID_REQUEST);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_INVALID_REQUEST);
    pri_lab_stop(&lab);
}

/* An FLR in the middle of it is an FLR, and ends it */
static void test_soft_flr(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD, "soft-reset-ms=30", 0);
    qpt_writel(&lab.d, PT_SOFT_RESET, PT_SOFT_RESET_ALL);
    flr(&lab);
    qpt_restore(&lab.d);
    g_assert_cmphex(qpt_readl(&lab.d, PT_SOFT_RESET), ==, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RESET_LAST), ==, PT_RESET_FLR);
    qtest_clock_step(lab.qts, 40 * QINV_MS);
    g_assert_cmphex(qpt_readl(&lab.d, PT_EVENT_STATUS) & PT_EVENT_SOFT_RESET,
                    ==, 0);
    pri_lab_stop(&lab);
}

static void test_soft_migration(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD, "soft-reset-ms=30", 0);
    fault(&lab, 0);
    qpt_writel(&lab.d, PT_SOFT_RESET, PT_SOFT_RESET_ALL);
    lab_migrate(&lab, VTD, "soft-reset-ms=30",
                qtest_clock_step(lab.qts, 10 * QINV_MS));
    qtest_clock_step(lab.qts, 19 * QINV_MS);
    g_assert_cmphex(qpt_readl(&lab.d, PT_SOFT_RESET), ==, PT_SOFT_RESET_BUSY);
    qtest_clock_step(lab.qts, 2 * QINV_MS);
    g_assert_cmphex(qpt_readl(&lab.d, PT_SOFT_RESET), ==, 0);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 0, QPT_SUCCESS);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_RESP_STALE), ==, 1);
    pri_lab_stop(&lab);
}

/* -- Faults that wait for credits when a reset begins ---------------------- */

typedef struct Prs {
    const char *name;
    uint64_t value;
    bool soft;
    bool before;            /* the request is in front of the completion */
    bool after;             /* it comes once the reset is over */
} Prs;

static const Prs prs[] = {
    { "drop/flr", 0, false, false, false },
    { "flush/flr", 1, false, true, false },
    { "after/flr", 2, false, false, true },
    { "drop/soft", 0, true, false, false },
    { "flush/soft", 1, true, true, false },
    { "after/soft", 2, true, false, true },
};

/*
 * PRQ-90: nothing is posted behind the completion of an invalidation that
 * follows the reset.  PRQ-94: then a drain finds all there is.
 */
static void test_prs(const void *opaque)
{
    const Prs *p = opaque;
    uint32_t prgi;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, "flr-duration-ms=20,soft-reset-ms=20,"
                       "inv-in-flr=complete", 0);
    lab_knob(&lab, PT_KNOB_FLR_PRS, p->value);
    qpt_pri_disable(&lab.d);
    qpt_enable(&lab.d, 1);
    fault(&lab, 0);
    fault(&lab, 1);
    g_assert_cmpuint(pop_channel(&lab, &prgi), ==, 0);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    if (p->soft) {
        qpt_writel(&lab.d, PT_SOFT_RESET, PT_SOFT_RESET_ALL);
    } else {
        flr(&lab);
    }
    g_assert_true(qvtd_wait_done(&lab.v, invalidate(&lab)));
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, p->before);
    qtest_clock_step(lab.qts, 21 * QINV_MS);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, p->before || p->after);
    if (p->before || p->after) {
        g_assert_cmpuint(pop_channel(&lab, &prgi), ==, 1);
    }
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 0);
    pri_lab_stop(&lab);
}

/* -- flr-late-dma ---------------------------------------------------------- */

static void late_start(PriLab *lab, uint64_t value)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA, .len = 2 * PAGE, .pattern = PATTERN,
    };

    pri_lab_start_with(lab, VTD, "flr-duration-ms=20", 0);
    lab_knob(lab, PT_KNOB_FLR_LATE_DMA, value);
    qvtd_fs_map(&lab->v, lab->pml4, LAB_IOVA, PA, QVTD_FS_USER);
    qpt_start(&lab->d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab->d, 0), ==, PT_ST_RUNNING);
    g_assert_cmphex(qtest_readq(lab->qts, PA), ==, PATTERN ^ LAB_IOVA);
    qtest_memset(lab->qts, PA, 0, PAGE);
    qvtd_prq_drop_all(&lab->v);
    flr(lab);
    qtest_clock_step(lab->qts, 19 * QINV_MS);
    g_assert_cmpuint(qvtd_prq_pending(&lab->v), ==, 0);
    g_assert_cmphex(qtest_readq(lab->qts, PA), ==, 0);
    qtest_clock_step(lab->qts, 2 * QINV_MS);
}

static void test_late_none(void)
{
    PriLab lab;

    late_start(&lab, 0);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    g_assert_cmphex(qtest_readq(lab.qts, PA), ==, 0);
    pri_lab_stop(&lab);
}

/* PRQ-94: a request of the old life */
static void test_late_request(void)
{
    uint32_t prgi;
    PriLab lab;

    late_start(&lab, 1);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    g_assert_cmpuint(pop_channel(&lab, &prgi), ==, 0);
    g_assert_cmphex(qtest_readq(lab.qts, PA), ==, 0);
    /* its response finds it */
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, prgi, QPT_INVALID_REQUEST);
    qpt_restore(&lab.d);
    lab_expect_response(&lab, QPT_INVALID_REQUEST, prgi, LAB_PASID);
    pri_lab_stop(&lab);
}

static void test_late_write(void)
{
    PriLab lab;

    late_start(&lab, 2);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    g_assert_cmphex(qtest_readq(lab.qts, PA), ==, PT_LATE_DATA);
    g_assert_cmphex(qtest_readq(lab.qts, PA + 8), ==, 0);
    qpt_restore(&lab.d);
    qpt_writel(&lab.d, PT_LOG_SELECT, qpt_readl(&lab.d, PT_LOG_COUNT) - 1);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_LOG_KIND), ==, PT_LOG_LATE_WRITE);
    g_assert_cmphex(qpt_readq(&lab.d, PT_LOG_ADDR), ==, LAB_IOVA);
    pri_lab_stop(&lab);
}

/* A reset of the machine in between ends that, too */
static void test_late_machine_reset(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD, "flr-duration-ms=20,flr-late-dma=request",
                       0);
    fault(&lab, 0);
    flr(&lab);
    lab_reset(&lab);
    qtest_clock_step(lab.qts, 30 * QINV_MS);
    qvtd_init(&lab.v, lab.qts);
    qpt_init(&lab.d, lab.qts, lab.d.port, LAB_BUS);
    pri_lab_program(&lab);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_PAGE_REQUESTS), ==, 0);
    pri_lab_stop(&lab);
}

/* It is part of what migrates */
static void test_late_migration(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD, "flr-duration-ms=20,flr-late-dma=request",
                       0);
    fault(&lab, 0);
    qvtd_prq_drop_all(&lab.v);
    flr(&lab);
    lab_migrate(&lab, VTD, "flr-duration-ms=20,flr-late-dma=request",
                qtest_clock_step(lab.qts, 10 * QINV_MS));
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    qtest_clock_step(lab.qts, 11 * QINV_MS);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    unsigned int i;

    pri_lab_test_init(&argc, &argv);
    qtest_add_func("/pri-testdev/soft-reset/PRQ-91/channel", test_channel);
    qtest_add_func("/pri-testdev/soft-reset/PRQ-91/others",
                   test_channel_others);
    qtest_add_func("/pri-testdev/soft-reset/PRQ-92/channel",
                   test_channel_stale);
    qtest_add_func("/pri-testdev/soft-reset/bad-channel", test_bad_channel);
    qtest_add_func("/pri-testdev/soft-reset/channel-stop", test_channel_stop);
    LAB_ADD_ROWS("/pri-testdev/soft-reset/PRQ-91", soft_rows,
                 test_soft_state);
    LAB_ADD_ROWS("/pri-testdev/soft-reset/PRQ-92", soft_rows,
                 test_soft_stale);
    LAB_ADD_ROWS("/pri-testdev/soft-reset/PRQ-93/answers", soft_rows,
                 test_soft_answers);
    qtest_add_func("/pri-testdev/soft-reset/PRQ-91/busy", test_soft_busy);
    qtest_add_func("/pri-testdev/soft-reset/PRQ-93/unresponsive",
                   test_soft_unresponsive);
    qtest_add_func("/pri-testdev/soft-reset/flr", test_soft_flr);
    qtest_add_func("/pri-testdev/soft-reset/migration", test_soft_migration);
    for (i = 0; i < ARRAY_SIZE(prs); i++) {
        g_autofree char *path = g_strdup_printf(
            "/pri-testdev/flr-prs/PRQ-90/%s", prs[i].name);

        qtest_add_data_func(path, &prs[i], test_prs);
    }
    qtest_add_func("/pri-testdev/late/none", test_late_none);
    qtest_add_func("/pri-testdev/late/PRQ-94/request", test_late_request);
    qtest_add_func("/pri-testdev/late/PRQ-94/write", test_late_write);
    qtest_add_func("/pri-testdev/late/machine-reset", test_late_machine_reset);
    qtest_add_func("/pri-testdev/late/migration", test_late_migration);
    return g_test_run();
}
