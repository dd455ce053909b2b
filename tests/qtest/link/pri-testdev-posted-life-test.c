/*
 * pri-testdev: posted writes on their way when the function or its link changes
 * state, and what a function sends that is not in D0
 *
 * PCIe 6.2 2.9.1, 5.3.1.4.1, 6.1.4.5, 6.6.2, 7.5.1.1.3, 10.3.3
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/lab-posted.h"
#include "libqos/lab-state.h"
#include "libqos/pri-root-port.h"
#include "libqos/vtd-inv.h"

#define PAGE            4096
#define COMMAND         0x04
#define COMMAND_MEMORY  0x2
#define COMMAND_BME     0x4
#define PM_CTRL         4
#define PM_D3HOT        3

static uint64_t start(PriLab *lab, const char *dev, PriLabFlags flags)
{
    uint64_t pa;

    pri_lab_start_with(lab, "wait-depth=64" LAB_NATIVE_HOTPLUG, dev, flags);
    pa = qvtd_alloc(&lab->v, 2);
    qvtd_fs_map(&lab->v, lab->pml4, LAB_IOVA, pa, QVTD_FS_USER);
    qvtd_fs_map(&lab->v, lab->pml4, LAB_IOVA + PAGE, pa + PAGE, QVTD_FS_USER);
    return pa;
}

static uint64_t start_posted(PriLab *lab, const char *dev, PriLabFlags flags)
{
    uint64_t pa = start(lab, dev, flags);

    lab_post(lab, 0, LAB_IOVA, 0);
    g_assert_cmpuint(lab_dma_waiting(lab), ==, 1);
    return pa;
}

/* -- Function Level Reset -------------------------------------------------- */

static void initiate_flr(PriLab *lab)
{
    qpt_config_writew(&lab->d, lab->d.exp + QPT_EXP_DEVCTL,
                      QPT_EXP_DEVCTL_FLR);
}

static void initiate_soft(PriLab *lab)
{
    qpt_writel(&lab->d, PT_SOFT_RESET, PT_SOFT_RESET_ALL);
}

typedef struct Reset {
    const char *name;
    void (*initiate)(PriLab *lab);
} Reset;

static const Reset resets[] = {
    { "flr", initiate_flr },
    { "soft-reset", initiate_soft },
};

/* In memory before the completion of the write that initiates it */
static void test_reset_lands(const void *opaque)
{
    const Reset *r = opaque;
    uint64_t pa;
    PriLab lab;

    pa = start_posted(&lab, "dma-do=hold", 0);
    r->initiate(&lab);
    g_assert_true(lab_landed(&lab, LAB_IOVA, pa));
    pri_lab_stop(&lab);
}

static void test_reset_drops(const void *opaque)
{
    const Reset *r = opaque;
    uint64_t pa;
    PriLab lab;

    pa = start_posted(&lab, "dma-do=hold,flr-dma=drop", 0);
    r->initiate(&lab);
    g_assert_cmpuint(lab_dma_waiting(&lab), ==, 0);
    lab_turn(&lab, "dma-release", "1");
    g_assert_false(lab_landed(&lab, LAB_IOVA, pa));
    pri_lab_stop(&lab);
}

/* With a translation from before it */
static void test_reset_keeps(const void *opaque)
{
    const Reset *r = opaque;
    uint64_t pa;
    PriLab lab;

    pa = start_posted(&lab, "dma-do=hold,flr-dma=keep,read-push=no", 0);
    r->initiate(&lab);
    g_assert_cmpuint(lab_dma_waiting(&lab), ==, 1);
    g_assert_false(lab_landed(&lab, LAB_IOVA, pa));
    qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA, 0, 0);
    qvtd_flush(&lab.v);
    lab_turn(&lab, "dma-release", "1");
    g_assert_true(lab_landed(&lab, LAB_IOVA, pa));
    pri_lab_stop(&lab);
}

/* The write of flr-late-dma=write is posted as well */
static void test_late_write(void)
{
    g_autofree char *log = NULL;
    uint64_t pa, late = cpu_to_le64(PT_LATE_DATA), got;
    PriLab lab;

    pa = start_posted(&lab, "dma-do=hold,flr-late-dma=write,read-push=no", 0);
    initiate_flr(&lab);
    do {
        g_free(log);
        log = lab_read_log(&lab);
    } while (!strstr(log, "late-write"));
    g_assert_true(lab_landed(&lab, LAB_IOVA, pa));
    g_assert_cmpuint(lab_dma_waiting(&lab), ==, 1);
    lab_turn(&lab, "dma-release", "1");
    qtest_memread(lab.qts, pa, &got, sizeof(got));
    g_assert_cmphex(got, ==, late);
    pri_lab_stop(&lab);
}

/* -- Bus Master Enable and D3hot ------------------------------------------- */

static uint16_t pm_ctrl(PriLab *lab)
{
    return qpt_find_cap(&lab->d, QPT_CAP_ID_PM) + PM_CTRL;
}

/* 10.3.3: what is queued when it is cleared is sent or dropped */
static void test_bme(void)
{
    uint32_t slot;
    uint64_t pa;
    PriLab lab;

    pa = start_posted(&lab, "dma-do=hold", 0);
    qpt_config_writew(&lab.d, COMMAND, COMMAND_MEMORY);
    g_assert_true(lab_landed(&lab, LAB_IOVA, pa));
    qinv_put_dev_tlb(&lab.v, lab.d.rid);
    slot = qinv_put_wait(&lab.v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab.v);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

static void test_d3(void)
{
    uint64_t pa;
    PriLab lab;

    pa = start_posted(&lab, "dma-do=hold", 0);
    qpt_config_writew(&lab.d, pm_ctrl(&lab), PM_D3HOT);
    g_assert_true(lab_landed(&lab, LAB_IOVA, pa));
    pri_lab_stop(&lab);
}

typedef enum Off {
    OFF_D3,
    OFF_BME,
} Off;

static void turn_off(PriLab *lab, Off off, bool yes)
{
    if (off == OFF_D3) {
        qpt_config_writew(&lab->d, pm_ctrl(lab), yes ? PM_D3HOT : 0);
    } else {
        qpt_config_writew(&lab->d, COMMAND, COMMAND_MEMORY |
                          (yes ? 0 : COMMAND_BME));
    }
}

/*
 * Interrupts of an operation that is ended by its response, and of the
 * function, are sent when they may be, once
 */
static void test_interrupts(const void *opaque)
{
    Off off = GPOINTER_TO_UINT(opaque);
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID | PT_FLAG_IRQ,
        .pasid = LAB_PASID, .dst = LAB_IOVA + 8 * PAGE, .len = 8,
    };
    QVtdDesc prd;
    uint64_t page;
    PriLab lab;

    start(&lab, NULL, 0);
    page = lab_msix_memory(&lab);
    qpt_writel(&lab.d, PT_EVENT_ENABLE, PT_EVENT_STOP);
    qpt_start(&lab.d, 2, &op);
    g_assert_cmpuint(qpt_wait(&lab.d, 2), ==, PT_ST_RUNNING);
    qpt_writel(&lab.d, PT_STOP_PASID, LAB_PASID);
    g_assert_true(qvtd_prq_pop(&lab.v, &prd));

    turn_off(&lab, off, true);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, QVTD_PRD_PRGI(&prd),
                 QPT_SUCCESS);
    qtest_clock_step(lab.qts, QINV_MS);
    g_usleep(20000);            /* the bottom half has had its turn */
    g_assert_false(lab_msix_take(&lab, page, 0));
    g_assert_false(lab_msix_take(&lab, page, 3));
    if (off == OFF_BME) {
        /* the BARs are there: channel 2 and the function */
        g_assert_cmphex(lab_msix_pending(&lab), ==, 0x9);
    }
    turn_off(&lab, off, false);
    g_assert_true(lab_msix_take(&lab, page, 0));
    g_assert_true(lab_msix_take(&lab, page, 3));
    g_assert_cmphex(lab_msix_pending(&lab), ==, 0);
    turn_off(&lab, off, true);
    turn_off(&lab, off, false);
    g_assert_false(lab_msix_take(&lab, page, 0));
    g_assert_false(lab_msix_take(&lab, page, 3));
    pri_lab_stop(&lab);
}

/* A vector that is unmasked meanwhile stays pending; FLR forgets it */
static void test_unmasked(void)
{
    uint64_t ctl, page;
    PriLab lab;

    start(&lab, NULL, 0);
    page = lab_msix_memory(&lab);
    ctl = lab.d.bar2 + 12;
    qtest_writel(lab.qts, ctl, 1);
    qpt_writel(&lab.d, PT_EVENT_ENABLE, PT_EVENT_STOP);
    qpt_writel(&lab.d, PT_STOP_PASID, LAB_PASID);
    while (lab_msix_pending(&lab) != 1) {
        g_usleep(1000);         /* until the bottom half has had its turn */
    }
    turn_off(&lab, OFF_BME, true);
    qtest_writel(lab.qts, ctl, 0);
    g_assert_false(lab_msix_take(&lab, page, 0));
    g_assert_cmphex(lab_msix_pending(&lab), ==, 1);
    qpt_flr(&lab.d);
    qpt_restore(&lab.d);
    page = lab_msix_memory(&lab);
    turn_off(&lab, OFF_BME, false);
    g_assert_false(lab_msix_take(&lab, page, 0));
    pri_lab_stop(&lab);
}

/* No request at all from D3hot: not by a channel that is about to go on */
static void test_d3_requests(const void *opaque)
{
    const char *retry = opaque;     /* what comes first: knob retry */
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA + 8 * PAGE, .len = 8, .group = 1,
    };
    uint64_t trans, requests;
    QVtdDesc prd;
    PriLab lab;

    start(&lab, retry, 0);
    qpt_start(&lab.d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    trans = qpt_readq(&lab.d, PT_CNT_TRANSLATIONS);
    requests = qpt_readq(&lab.d, PT_CNT_PAGE_REQUESTS);
    g_assert_true(qvtd_prq_pop(&lab.v, &prd));
    turn_off(&lab, OFF_D3, true);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, QVTD_PRD_PRGI(&prd),
                 QPT_SUCCESS);
    g_usleep(20000);
    turn_off(&lab, OFF_D3, false);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==,
                     retry ? PT_ST_NO_PRI : PT_ST_NOT_ENABLED);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_TRANSLATIONS), ==, trans);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_PAGE_REQUESTS), ==, requests);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    pri_lab_stop(&lab);
}

/* -- Link, slot, machine --------------------------------------------------- */

static void lose_link(PriLab *lab)
{
    QRootPort port;

    qrp_init(&port, lab->qts, lab->d.port);
    qrp_knob(&port, PRP_KNOB_LINK, 1);
    qrp_knob(&port, PRP_KNOB_LINK, 0);
}

static void vanish(PriLab *lab)
{
    lab_turn(lab, "gone", "\"on\"");
    lab_turn(lab, "gone", "\"off\"");
}

typedef struct Loss {
    const char *name;
    void (*happen)(PriLab *lab);
    bool stays;             /* the function is there again */
} Loss;

static const Loss losses[] = {
    { "link-down", lose_link, true },
    { "gone", vanish, true },
    { "machine-reset", lab_reset, true },
    { "unplug", lab_unplug, false },
};

/* 2.9.1: what is not on the link yet is discarded */
static void test_lost(const void *opaque)
{
    const Loss *loss = opaque;
    uint64_t pa;
    PriLab lab;

    pa = start_posted(&lab, "dma-do=hold,flr-dma=keep,read-push=no",
                      LAB_PRI_PORT);
    loss->happen(&lab);
    if (loss->stays) {
        g_assert_cmpuint(lab_dma_waiting(&lab), ==, 0);
        lab_turn(&lab, "dma-release", "1");
    }
    g_assert_false(lab_landed(&lab, LAB_IOVA, pa));
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);

    for (unsigned int i = 0; i < ARRAY_SIZE(resets); i++) {
        g_autofree char *lands = g_strdup_printf(
            "/pri-testdev/ATS-32/%s-lands", resets[i].name);
        g_autofree char *drops = g_strdup_printf(
            "/pri-testdev/ATS-32/%s-drops", resets[i].name);
        g_autofree char *keeps = g_strdup_printf(
            "/pri-testdev/ATS-32/%s-keeps", resets[i].name);

        qtest_add_data_func(lands, &resets[i], test_reset_lands);
        qtest_add_data_func(drops, &resets[i], test_reset_drops);
        qtest_add_data_func(keeps, &resets[i], test_reset_keeps);
    }
    qtest_add_func("/pri-testdev/ATS-32/late-write", test_late_write);
    qtest_add_func("/pri-testdev/ATS-32/bus-master-enable", test_bme);
    qtest_add_func("/pri-testdev/ATS-32/d3hot", test_d3);
    for (unsigned int i = 0; i < ARRAY_SIZE(losses); i++) {
        g_autofree char *name = g_strdup_printf("/pri-testdev/ATS-32/%s",
                                                losses[i].name);

        qtest_add_data_func(name, &losses[i], test_lost);
    }
    qtest_add_data_func("/pri-testdev/FLR-13/interrupts-in-d3hot",
                        GUINT_TO_POINTER(OFF_D3), test_interrupts);
    qtest_add_data_func("/pri-testdev/FLR-13/interrupts-without-bme",
                        GUINT_TO_POINTER(OFF_BME), test_interrupts);
    qtest_add_func("/pri-testdev/FLR-13/unmasked-without-bme", test_unmasked);
    qtest_add_data_func("/pri-testdev/FLR-13/requests-in-d3hot", NULL,
                        test_d3_requests);
    qtest_add_data_func("/pri-testdev/FLR-13/page-requests-in-d3hot",
                        "retry=request", test_d3_requests);

    return g_test_run();
}
