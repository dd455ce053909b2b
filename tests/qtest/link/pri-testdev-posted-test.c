/*
 * pri-testdev: posted writes on their way to memory, and what pushes them
 *
 * PCIe 6.2 2.4.1 table 2-40, 10.2.2.3, 10.3.3; 5.3.1.4.1, 6.6.2
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-posted.h"
#include "libqos/lab-state.h"
#include "libqos/vtd-inv.h"

#define PAGE    4096
#define PAGES   4
#define VTD     "wait-depth=64"

/* A function with writes to pages 0 and 1 on their way */
typedef struct Posted {
    PriLab lab;
    uint64_t pa;
    uint64_t msix;              /* page of interrupts */
} Posted;

static void start(Posted *t, const char *dev)
{
    pri_lab_start_with(&t->lab, VTD, dev, 0);
    t->msix = lab_msix_memory(&t->lab);
    t->pa = qvtd_alloc(&t->lab.v, PAGES);
    for (int i = 0; i < PAGES; i++) {
        qvtd_fs_map(&t->lab.v, t->lab.pml4, LAB_IOVA + i * PAGE,
                    t->pa + i * PAGE, QVTD_FS_USER);
    }
}

static void post(Posted *t, unsigned int page)
{
    lab_post(&t->lab, page, LAB_IOVA + page * PAGE, 0);
}

static bool landed(Posted *t, unsigned int page)
{
    return lab_landed(&t->lab, LAB_IOVA + page * PAGE, t->pa + page * PAGE);
}

/* Both are on their way */
static void start_posted(Posted *t, const char *dev)
{
    start(t, dev);
    post(t, 0);
    post(t, 1);
    g_assert_cmpuint(lab_dma_waiting(&t->lab), ==, 2);
    g_assert_false(landed(t, 0) || landed(t, 1));
}

static uint32_t invalidate(Posted *t)
{
    uint32_t slot;

    qinv_put_dev_tlb(&t->lab.v, t->lab.d.rid);
    slot = qinv_put_wait(&t->lab.v, QVTD_WAIT_SW);
    qvtd_qi_ring(&t->lab.v);
    return slot;
}

static void expect_pushed(Posted *t, bool pushed)
{
    g_assert_cmpint(landed(t, 0), ==, pushed);
    g_assert_cmpint(landed(t, 1), ==, pushed);
    g_assert_cmpuint(lab_dma_waiting(&t->lab), ==, pushed ? 0 : 2);
}

/* -- the Invalidate Completion --------------------------------------------- */

/* 10.3.3: in memory before the completion is sent */
static void test_inv_pushes(void)
{
    g_autofree char *log = NULL;
    const char *landed_at, *sent;
    Posted t;

    start_posted(&t, "dma-do=hold");
    g_assert_true(qvtd_wait_done(&t.lab.v, invalidate(&t)));
    expect_pushed(&t, true);
    log = lab_read_log(&t.lab);
    landed_at = strstr(log, "landed");
    sent = strstr(log, "inv-completion");
    g_assert_nonnull(landed_at);
    g_assert_nonnull(sent);
    /* both of them, and none behind it */
    g_assert_true(landed_at < sent);
    g_assert_null(sent ? strstr(sent, "landed") : NULL);
    g_assert_cmpuint(qpt_readq(&t.lab.d, PT_CNT_POSTED), ==, 2);
    g_assert_cmpuint(qpt_readq(&t.lab.d, PT_CNT_OVERTAKEN), ==, 0);
    pri_lab_stop(&t.lab);
}

/* When the completion is late it pushes what was issued meanwhile, too */
static void test_inv_held(void)
{
    uint32_t slot;
    Posted t;

    start(&t, "dma-do=hold,inv-reply=hold");
    post(&t, 0);
    slot = invalidate(&t);
    post(&t, 1);
    g_assert_cmpuint(lab_dma_waiting(&t.lab), ==, 2);
    g_assert_false(qvtd_wait_done(&t.lab.v, slot));
    lab_turn(&t.lab, "inv-release", "1");
    g_assert_true(qvtd_wait_done(&t.lab.v, slot));
    expect_pushed(&t, true);
    pri_lab_stop(&t.lab);
}

/* A function that breaks it: the page is written when it is somebody else's */
static void test_inv_overtakes(void)
{
    uint32_t slot;
    Posted t;

    start_posted(&t, "dma-do=hold,inv-push=no");
    for (int i = 0; i < 2; i++) {
        qvtd_fs_map(&t.lab.v, t.lab.pml4, LAB_IOVA + i * PAGE, 0, 0);
    }
    slot = invalidate(&t);
    g_assert_true(qvtd_wait_done(&t.lab.v, slot));
    g_assert_true(qvtd_wait_done(&t.lab.v, invalidate(&t)));
    expect_pushed(&t, false);
    lab_turn(&t.lab, "dma-release", "1");
    g_assert_true(landed(&t, 0));
    g_assert_false(landed(&t, 1));
    lab_turn(&t.lab, "dma-release", "1");
    g_assert_true(landed(&t, 1));
    g_assert_cmpuint(qpt_readq(&t.lab.d, PT_CNT_OVERTAKEN), ==, 2);
    pri_lab_stop(&t.lab);
}

/* Or it needs a second request */
static void test_inv_late(void)
{
    Posted t;

    start_posted(&t, "dma-do=hold,inv-push=late,inv-copies=2");
    g_assert_true(qvtd_wait_done(&t.lab.v, invalidate(&t)));
    expect_pushed(&t, false);
    g_assert_true(qvtd_wait_done(&t.lab.v, invalidate(&t)));
    expect_pushed(&t, true);
    g_assert_cmpuint(qpt_readq(&t.lab.d, PT_CNT_OVERTAKEN), ==, 2);
    pri_lab_stop(&t.lab);
}

/* -- others ---------------------------------------------------------------- */

static void page_request(Posted *t)
{
    lab_request(&t->lab, LAB_IOVA + 0x100000,
                PT_RAW_READ | PT_RAW_LAST, 0x1f0);
}

static void stop_marker(Posted *t)
{
    lab_request(&t->lab, 0, PT_RAW_LAST, 0);
}

static void wait_msix(Posted *t, unsigned int n)
{
    for (int i = 0; i < 2000; i++) {
        if (lab_msix_take(&t->lab, t->msix, n)) {
            return;
        }
        g_usleep(100);
    }
    g_test_message("no interrupt of vector %u", n);
    g_test_fail();
}

/* the last write of an operation, and its interrupt */
static void interrupt(Posted *t)
{
    lab_post(&t->lab, 2, LAB_IOVA + 2 * PAGE, PT_FLAG_IRQ);
    wait_msix(t, PRI_TESTDEV_VECTOR_CHANNEL(2));
}

static void event(Posted *t)
{
    qpt_writel(&t->lab.d, PT_EVENT_ENABLE, PT_EVENT_STOP);
    qpt_writel(&t->lab.d, PT_STOP_PASID, LAB_PASID + 1);
    wait_msix(t, PRI_TESTDEV_VECTOR_FUNCTION);
}

static void error_message(Posted *t)
{
    lab_turn(&t->lab, "aer-error", "\"correctable\"");
}

/* It is reported by the function's bottom half */
static void response_to_nobody(Posted *t)
{
    lab_turn(&t->lab, "unexpected-resp", "\"ur\"");
    qvtd_respond(&t->lab.v, t->lab.d.rid, LAB_PASID, 0, QPT_SUCCESS);
    for (int i = 0; i < 200 && lab_dma_waiting(&t->lab); i++) {
        g_usleep(100);
    }
}

static void register_read(Posted *t)
{
    /* as it was when the read arrived */
    g_assert_cmpuint(qpt_readl(&t->lab.d, PT_DMA_WAITING), ==, 2);
}

static void config_read(Posted *t)
{
    qpt_config_readl(&t->lab.d, 0);
}

static void config_write(Posted *t)
{
    qpt_config_writew(&t->lab.d, t->lab.d.exp + QPT_EXP_DEVCTL, 0);
}

static void memory_read(Posted *t)
{
    QPtOp op = {
        .cmd = PT_OP_READ, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .src = LAB_IOVA + 3 * PAGE, .len = 8,
    };
    g_autofree char *log = NULL;

    qpt_start(&t->lab.d, 3, &op);
    do {
        g_free(log);
        log = lab_read_log(&t->lab);
    } while (!strstr(log, "tag=3 addr=0x0 code=0x2"));
}

typedef struct Pusher {
    const char *name;
    void (*send)(Posted *t);
    const char *knob;           /* that lets it overtake */
} Pusher;

static const Pusher pushers[] = {
    { "page-request", page_request, "msg-push" },
    { "stop-marker", stop_marker, "msg-push" },
    { "error-message", error_message, "msg-push" },
    { "unsupported-request", response_to_nobody, "msg-push" },
    { "interrupt", interrupt, "msi-push" },
    { "event", event, "msi-push" },
    { "register-read", register_read, "read-push" },
    { "config-read", config_read, "read-push" },
    { "config-write", config_write, "read-push" },
    { "memory-read", memory_read, "read-push" },
};

static void test_pushes(const void *opaque)
{
    const Pusher *p = opaque;
    Posted t;

    start_posted(&t, "dma-do=hold");
    p->send(&t);
    g_assert_true(landed(&t, 0) && landed(&t, 1));
    g_assert_cmpuint(lab_dma_waiting(&t.lab), ==, 0);
    pri_lab_stop(&t.lab);
}

static void test_overtakes(const void *opaque)
{
    const Pusher *p = opaque;
    Posted t;

    start_posted(&t, "dma-do=hold");
    lab_turn(&t.lab, p->knob, "\"no\"");
    p->send(&t);
    g_assert_false(landed(&t, 0) || landed(&t, 1));
    lab_turn(&t.lab, "dma-release", "8");
    g_assert_true(landed(&t, 0) && landed(&t, 1));
    pri_lab_stop(&t.lab);
}

/* A Translation Request and its completion push nothing, writes keep order */
static void test_translation(void)
{
    Posted t;

    start_posted(&t, "dma-do=hold");
    post(&t, 2);
    g_assert_cmpuint(lab_dma_waiting(&t.lab), ==, 3);
    g_assert_false(landed(&t, 0));
    lab_turn(&t.lab, "dma-do", "\"land\"");
    g_assert_cmpuint(lab_dma_waiting(&t.lab), ==, 3);
    post(&t, 3);
    expect_pushed(&t, true);
    g_assert_true(landed(&t, 2) && landed(&t, 3));
    g_assert_cmpuint(qpt_readq(&t.lab.d, PT_CNT_TRANSLATIONS), ==, 4);
    g_assert_cmpuint(qpt_readq(&t.lab.d, PT_CNT_POSTED), ==, 3);
    pri_lab_stop(&t.lab);
}

static void test_delay(void)
{
    Posted t;

    start(&t, "dma-do=delay,dma-delay-us=500");
    post(&t, 0);
    qtest_clock_step(t.lab.qts, 300 * QINV_US);
    post(&t, 1);
    qtest_clock_step(t.lab.qts, 199 * QINV_US);
    g_assert_false(landed(&t, 0));
    qtest_clock_step(t.lab.qts, 1 * QINV_US);
    g_assert_true(landed(&t, 0));
    g_assert_false(landed(&t, 1));
    qtest_clock_step(t.lab.qts, 299 * QINV_US);
    g_assert_false(landed(&t, 1));
    qtest_clock_step(t.lab.qts, 1 * QINV_US);
    g_assert_true(landed(&t, 1));
    /* and it can be pushed before its time */
    post(&t, 2);
    g_assert_true(qvtd_wait_done(&t.lab.v, invalidate(&t)));
    g_assert_true(landed(&t, 2));
    pri_lab_stop(&t.lab);
}

/* An untranslated write is translated when it arrives */
static void test_untranslated(void)
{
    QVtdFault fault;
    Posted t;

    start(&t, "dma-do=hold");
    lab_post(&t.lab, 0, LAB_IOVA, PT_FLAG_UNTRANSLATED);
    lab_post(&t.lab, 1, LAB_IOVA + PAGE, PT_FLAG_UNTRANSLATED);
    g_assert_cmpuint(lab_dma_waiting(&t.lab), ==, 2);
    qvtd_fs_map(&t.lab.v, t.lab.pml4, LAB_IOVA, t.pa + 3 * PAGE,
                QVTD_FS_USER);
    qvtd_fs_map(&t.lab.v, t.lab.pml4, LAB_IOVA + PAGE, 0, 0);
    qvtd_flush(&t.lab.v);
    g_assert_cmpuint(lab_dma_waiting(&t.lab), ==, 2);
    g_assert_true(qvtd_wait_done(&t.lab.v, invalidate(&t)));
    g_assert_false(landed(&t, 0) || landed(&t, 1));
    g_assert_true(lab_landed(&t.lab, LAB_IOVA, t.pa + 3 * PAGE));
    g_assert_true(qvtd_fault(&t.lab.v, &fault));
    g_assert_cmphex(QVTD_FAULT_FI(&fault), ==, LAB_IOVA + PAGE);
    g_assert_cmpuint(qpt_readq(&t.lab.d, PT_CNT_DMA_ERRORS), ==, 1);
    g_assert_cmpuint(qpt_readq(&t.lab.d, PT_CNT_OVERTAKEN), ==, 0);
    g_assert_cmpuint(qpt_ch_readl(&t.lab.d, 1, PT_CH_STATUS), ==, PT_ST_DONE);
    pri_lab_stop(&t.lab);
}

/* More than there is room for: the oldest land */
static void test_bounded(void)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA, .len = 300 * PAGE, .pattern = LAB_POSTED_PATTERN,
    };
    unsigned int n = 0;
    uint64_t pa;
    Posted t;

    start(&t, "dma-do=hold,read-push=no");
    pa = qvtd_alloc(&t.lab.v, 300);
    for (int i = 0; i < 300; i++) {
        qvtd_fs_map(&t.lab.v, t.lab.pml4, LAB_IOVA + i * PAGE, pa + i * PAGE,
                    QVTD_FS_USER);
    }
    g_assert_cmpuint(qpt_run(&t.lab.d, 0, &op), ==, PT_ST_DONE);
    g_assert_cmpuint(lab_dma_waiting(&t.lab), ==, 128);
    for (int i = 0; i < 300; i++) {
        n += lab_landed(&t.lab, LAB_IOVA + i * PAGE, pa + i * PAGE);
    }
    g_assert_cmpuint(n, ==, 172);
    lab_turn(&t.lab, "dma-release", "1000");
    g_assert_true(lab_landed(&t.lab, LAB_IOVA + 299 * PAGE,
                             pa + 299 * PAGE));
    pri_lab_stop(&t.lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);

    qtest_add_func("/pri-testdev/ATS-30/completion-pushes", test_inv_pushes);
    qtest_add_func("/pri-testdev/ATS-30/late-completion", test_inv_held);
    qtest_add_func("/pri-testdev/ATS-30/completion-overtakes",
                   test_inv_overtakes);
    qtest_add_func("/pri-testdev/ATS-30/second-request", test_inv_late);
    for (unsigned int i = 0; i < ARRAY_SIZE(pushers); i++) {
        g_autofree char *pushes = g_strdup_printf(
            "/pri-testdev/ATS-31/%s-pushes", pushers[i].name);
        g_autofree char *overtakes = g_strdup_printf(
            "/pri-testdev/ATS-31/%s-overtakes", pushers[i].name);

        qtest_add_data_func(pushes, &pushers[i], test_pushes);
        qtest_add_data_func(overtakes, &pushers[i], test_overtakes);
    }
    qtest_add_func("/pri-testdev/ATS-31/translation-request",
                   test_translation);
    qtest_add_func("/pri-testdev/ATS-31/delay", test_delay);
    qtest_add_func("/pri-testdev/ATS-31/untranslated", test_untranslated);
    qtest_add_func("/pri-testdev/ATS-31/bounded", test_bounded);

    return g_test_run();
}
