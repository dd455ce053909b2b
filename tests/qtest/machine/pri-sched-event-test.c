/*
 * Device events of the schedule machine: what a plan keeps has not happened, it
 * happens when the plan goes, and what must not pass it waits behind it
 *
 * The machine is stopped, so nothing is released by itself.  When events happen
 * while CPUs run is decided in accel/tcg/sched, order in hw/pci/ats_actor.c, of
 * which tests/unit/test-ats-actor.c has more.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-posted.h"
#include "libqos/pri-lab.h"
#include "libqos/vtd-inv.h"
#include "qapi/error.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include <glib/gstdio.h>

#define PAGE    4096
#define STOPPED_TCG \
    "ite-timeout-ms=0,wait-depth=1024 -accel tcg -S " \
    "-icount shift=3,sleep=off -rtc clock=vm -seed 1"

static void start(PriLab *lab)
{
    pri_lab_start_with(lab, STOPPED_TCG, NULL, 0);
}

static void plan(PriLab *lab, const char *text)
{
    qtest_qmp_assert_success(lab->qts, "{ 'execute': 'qom-set', 'arguments': {"
        " 'path': '/sched', 'property': 'plan', 'value': %s } }", text);
}

static int64_t events(PriLab *lab, const char *kind, const char *what)
{
    QDict *r = qtest_qmp(lab->qts, "{ 'execute': 'qom-get', 'arguments': {"
                         " 'path': '/sched', 'property': 'report' } }");
    QDict *d = qobject_to(QDict, qobject_from_json(qdict_get_str(r, "return"),
                                                   &error_abort));
    int64_t n = qdict_get_int(qdict_get_qdict(qdict_get_qdict(d, "events"),
                                              kind), what);

    qobject_unref(r);
    qobject_unref(d);
    return n;
}

static void expect(PriLab *lab, const char *kind, int64_t held,
                   int64_t delivered)
{
    g_assert_cmpint(events(lab, kind, "held"), ==, held);
    g_assert_cmpint(events(lab, kind, "delivered"), ==, delivered);
}

static void request(PriLab *lab, uint32_t prgi)
{
    lab_request(lab, LAB_IOVA + prgi * PAGE, PT_RAW_READ | PT_RAW_LAST, prgi);
}

static uint32_t invalidate(PriLab *lab)
{
    uint32_t slot;

    qinv_put_dev_tlb(&lab->v, lab->d.rid);
    slot = qinv_put_wait(&lab->v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab->v);
    return slot;
}

/* -- One test a kind ------------------------------------------------------- */

static void test_request(void)
{
    PriLab lab;

    start(&lab);
    plan(&lab, "pr#1=idle");
    request(&lab, 1);
    request(&lab, 2);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    expect(&lab, "pr", 1, 0);
    plan(&lab, "");
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 2);
    pri_lab_stop(&lab);
}

/* VT-d 7.7: a wait with PD=1 reports behind the requests from before it */
static void test_queue(void)
{
    uint32_t slot;
    PriLab lab;

    start(&lab);
    plan(&lab, "prq=idle");
    request(&lab, 1);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    slot = qinv_put_wait(&lab.v, QVTD_WAIT_SW | QVTD_WAIT_PD);
    qvtd_qi_ring(&lab.v);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    expect(&lab, "pd", 0, 1);
    plan(&lab, "");
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

static void test_response(void)
{
    PriLab lab;

    start(&lab);
    request(&lab, 1);
    plan(&lab, "resp=idle");
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 1, QPT_SUCCESS);
    lab_expect_silence(&lab);
    plan(&lab, "");
    lab_expect_response(&lab, QPT_SUCCESS, 1, LAB_PASID);
    pri_lab_stop(&lab);
}

static void test_lost(void)
{
    PriLab lab;

    start(&lab);
    request(&lab, 1);
    plan(&lab, "resp=lost broken");
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 1, QPT_SUCCESS);
    plan(&lab, "");
    lab_expect_silence(&lab);
    pri_lab_stop(&lab);
}

static void test_invalidation(void)
{
    static const char *const plans[] = { "inv=idle", "cpl=idle", "wait=idle" };
    PriLab lab;

    start(&lab);
    for (int i = 0; i < ARRAY_SIZE(plans); i++) {
        uint32_t slot;

        plan(&lab, plans[i]);
        slot = invalidate(&lab);
        g_assert_true(qvtd_qi_idle(&lab.v));
        g_assert_false(qvtd_wait_done(&lab.v, slot));
        plan(&lab, "");
        g_assert_true(qvtd_wait_done(&lab.v, slot));
    }
    pri_lab_stop(&lab);
}

/* The descriptor stays at IQH */
static void test_descriptor(void)
{
    unsigned int head;
    uint32_t slot;
    PriLab lab;

    start(&lab);
    head = qinv_head(&lab.v);
    plan(&lab, "desc#2=idle");
    slot = invalidate(&lab);
    g_assert_cmpuint(qinv_head(&lab.v), ==, head + 1);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    plan(&lab, "");
    g_assert_cmpuint(qinv_head(&lab.v), ==, head + 2);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

/* What is kept has come up once, however often the queue is looked at */
static void test_once(void)
{
    static const char *const kinds[] = { "desc", "wait" };
    PriLab lab;

    start(&lab);
    for (int i = 0; i < ARRAY_SIZE(kinds); i++) {
        g_autofree char *text = g_strdup_printf("%s=idle", kinds[i]);
        uint32_t slot;

        plan(&lab, text);
        slot = invalidate(&lab);
        expect(&lab, kinds[i], 1, 0);
        qvtd_set_property(&lab.v, "wait-depth", "1024");
        expect(&lab, kinds[i], 1, 0);
        plan(&lab, "");
        g_assert_true(qvtd_wait_done(&lab.v, slot));
    }
    pri_lab_stop(&lab);
}

static void test_interrupt(void)
{
    PriLab lab;

    start(&lab);
    qvtd_writel(&lab.v, QVTD_PECTL, 0);
    plan(&lab, "msi=idle");
    request(&lab, 1);
    g_assert_cmpint(events(&lab, "msi", "held"), ==, 1);
    g_assert_cmpint(events(&lab, "msi", "delivered"), ==, 0);
    /* VT-d 7.5: a read of a register pushes it */
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, QVTD_PRD_SIZE);
    g_assert_cmpint(events(&lab, "msi", "delivered"), ==, 1);
    pri_lab_stop(&lab);
}

/* VT-d 6.5.2.10, 7.3: so does a read of a register of another event */
static void test_interrupt_pushed(void)
{
    static const unsigned int regs[] = {
        QVTD_FSTS, QVTD_FECTL, QVTD_ICS, QVTD_IECTL
    };
    PriLab lab;

    start(&lab);
    qvtd_writel(&lab.v, QVTD_FECTL, 0);
    qvtd_writel(&lab.v, QVTD_IECTL, 0);
    plan(&lab, "msi=idle");
    for (int i = 0; i < ARRAY_SIZE(regs); i++) {
        if (regs[i] == QVTD_FSTS || regs[i] == QVTD_FECTL) {
            qvtd_set_property(&lab.v, "inject-ice", "1");
        } else {
            qinv_put_wait(&lab.v, QVTD_WAIT_IF);
            qvtd_qi_ring(&lab.v);
        }
        g_assert_cmpint(events(&lab, "msi", "delivered"), ==, i);
        qvtd_readl(&lab.v, regs[i]);
        g_assert_cmpint(events(&lab, "msi", "delivered"), ==, i + 1);
        qvtd_writel(&lab.v, QVTD_FSTS, QVTD_FSTS_ICE);
        qvtd_writel(&lab.v, QVTD_ICS, 1);
    }
    pri_lab_stop(&lab);
}

/* -- Posted writes --------------------------------------------------------- */

#define FOREVER " hold=1000000000000000"

/* Bottom halves happen when CPUs run, so one does: always the same thing */
static void start_spinning(PriLab *lab, const char *dev)
{
    static const uint8_t spin[] = { 0xeb, 0xfe };
    g_autofree uint8_t *image = g_malloc0(0x10000);
    g_autofree char *name = NULL, *vtd = NULL;
    int fd = g_file_open_tmp("pri-sched-event-XXXXXX", &name, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    memcpy(image + 0xfff0, spin, sizeof(spin));
    g_assert_true(g_file_set_contents(name, (char *)image, 0x10000, NULL));
    vtd = g_strdup_printf(STOPPED_TCG " -bios %s", name);
    pri_lab_start_with(lab, vtd, dev, 0);
    g_unlink(name);
}

static void command(PriLab *lab, const char *what)
{
    qtest_qmp_assert_success(lab->qts, "{ 'execute': %s }", what);
}

/* Page @page is written by channel @page and the write is kept by @text */
static uint64_t keep_write(PriLab *lab, const char *text, unsigned int page)
{
    uint64_t pa = qvtd_alloc(&lab->v, 1);
    uint64_t iova = LAB_IOVA + page * PAGE;

    qvtd_fs_map(&lab->v, lab->pml4, iova, pa, QVTD_FS_USER);
    if (text) {
        plan(lab, text);
        command(lab, "cont");
    }
    lab_post(lab, page, iova, 0);
    g_assert_false(lab_landed(lab, iova, pa));
    return pa;
}

/* PCIe 6.2 2.4.1: a read's completion pushes it, a completion waits for it */
static void test_write(void)
{
    uint64_t first, second;
    uint32_t slot;
    PriLab lab;

    start_spinning(&lab, NULL);
    first = keep_write(&lab, "dma=idle" FOREVER, 0);
    expect(&lab, "dma", 1, 0);
    slot = invalidate(&lab);
    expect(&lab, "inv", 0, 1);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    expect(&lab, "cpl", 0, 0);
    second = keep_write(&lab, NULL, 1);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_POSTED), ==, 2);
    g_assert_true(lab_landed(&lab, LAB_IOVA, first));
    g_assert_true(lab_landed(&lab, LAB_IOVA + PAGE, second));
    expect(&lab, "dma", 2, 2);
    expect(&lab, "cpl", 0, 1);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    command(&lab, "stop");
    pri_lab_stop(&lab);
}

/* Unless reads push nothing */
static void test_write_passed(void)
{
    PriLab lab;
    uint64_t pa;

    start_spinning(&lab, "read-push=no");
    pa = keep_write(&lab, "dma=idle" FOREVER, 0);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_POSTED), ==, 1);
    g_assert_false(lab_landed(&lab, LAB_IOVA, pa));
    command(&lab, "stop");
    plan(&lab, "");
    g_assert_true(lab_landed(&lab, LAB_IOVA, pa));
    pri_lab_stop(&lab);
}

/* It lands where the plan says, and in order */
static void test_write_until(void)
{
    uint64_t pa[2];
    PriLab lab;

    start_spinning(&lab, NULL);
    pa[0] = keep_write(&lab, "dma#1=inv#1" FOREVER, 0);
    pa[1] = keep_write(&lab, NULL, 1);
    expect(&lab, "dma", 1, 0);
    invalidate(&lab);
    while (events(&lab, "dma", "delivered") < 2) {
        g_usleep(1000);
    }
    for (int i = 0; i < 2; i++) {
        g_assert_true(lab_landed(&lab, LAB_IOVA + i * PAGE, pa[i]));
    }
    command(&lab, "stop");
    pri_lab_stop(&lab);
}

/* Broken hardware: the page is written when it is somebody else's */
static void test_write_overtaken(void)
{
    uint32_t slot;
    uint64_t pa;
    PriLab lab;

    start_spinning(&lab, NULL);
    pa = keep_write(&lab, "dma=idle broken" FOREVER, 0);
    slot = invalidate(&lab);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    qpt_readq(&lab.d, PT_CNT_POSTED);
    g_assert_false(lab_landed(&lab, LAB_IOVA, pa));
    command(&lab, "stop");
    plan(&lab, "");
    g_assert_true(lab_landed(&lab, LAB_IOVA, pa));
    pri_lab_stop(&lab);
}

/* A reset does to it what the knob says; that of the machine loses it */
static void test_write_reset(void)
{
    static const struct {
        const char *dev;
        bool machine, lands;
    } cases[] = {
        { NULL, false, true },
        { "flr-dma=drop", false, false },
        { NULL, true, false },
    };
    PriLab lab;

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t pa;

        start_spinning(&lab, cases[i].dev);
        pa = keep_write(&lab, "dma=idle" FOREVER, 0);
        command(&lab, "stop");
        if (cases[i].machine) {
            lab_reset(&lab);
        } else {
            /* no read before it, which would push the write */
            qpt_config_writew(&lab.d, lab.d.exp + QPT_EXP_DEVCTL,
                              QPT_EXP_DEVCTL_FLR);
        }
        expect(&lab, "dma", 1, 1);
        plan(&lab, "");
        g_assert_cmpint(lab_landed(&lab, LAB_IOVA, pa), ==, cases[i].lands);
        pri_lab_stop(&lab);
    }
}

/* -- Order ----------------------------------------------------------------- */

/* PCIe 6.2 2.4.1: a completion, which is posted, does not pass a request */
static void test_posted(void)
{
    uint32_t slot;
    PriLab lab;

    start(&lab);
    plan(&lab, "pr#1=idle");
    request(&lab, 1);
    slot = invalidate(&lab);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    expect(&lab, "inv", 0, 1);
    expect(&lab, "cpl", 0, 0);
    plan(&lab, "");
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    plan(&lab, "pr#1=idle broken");
    request(&lab, 2);
    slot = invalidate(&lab);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

/* PCIe 6.2 2.4.1: nor does the completion of a read pass either of them */
static void test_read(void)
{
    uint32_t slot;
    PriLab lab;

    start(&lab);
    plan(&lab, "pr=idle cpl=idle");
    request(&lab, 1);
    slot = invalidate(&lab);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    qpt_readq(&lab.d, PT_CNT_INV_REQUESTS);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    expect(&lab, "pr", 1, 1);
    expect(&lab, "cpl", 1, 1);
    request(&lab, 2);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    qpt_config_readw(&lab.d, 0);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 2);
    plan(&lab, "pr=idle broken");
    request(&lab, 3);
    qpt_readq(&lab.d, PT_CNT_INV_REQUESTS);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 2);
    pri_lab_stop(&lab);
}

/* A reset of the machine loses what is on its way */
static void test_reset(void)
{
    static const char *const plans[] = {
        "pr=idle", "prq=idle", "inv=idle", "desc=idle", "wait=idle",
    };
    static const unsigned int received[] = { 0, 1, 1, 1, 1 };
    uint32_t slot;
    PriLab lab;

    for (int i = 0; i < ARRAY_SIZE(plans); i++) {
        g_test_message("%s", plans[i]);
        start(&lab);
        plan(&lab, plans[i]);
        request(&lab, 1);
        slot = invalidate(&lab);
        lab_reset(&lab);
        plan(&lab, "");
        qpt_init(&lab.d, lab.qts, lab.d.port, LAB_BUS);
        g_assert_cmpuint(qvtd_counter(&lab.v, "x-prq-received"), ==,
                         received[i]);
        g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, 0);
        g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_INV_REQUESTS), ==, 0);
        g_assert_true(i != 4 || !qvtd_wait_done(&lab.v, slot));
        pri_lab_stop(&lab);
    }
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    qtest_add_func("/pri-sched-event/request", test_request);
    qtest_add_func("/pri-sched-event/queue", test_queue);
    qtest_add_func("/pri-sched-event/response", test_response);
    qtest_add_func("/pri-sched-event/lost", test_lost);
    qtest_add_func("/pri-sched-event/invalidation", test_invalidation);
    qtest_add_func("/pri-sched-event/descriptor", test_descriptor);
    qtest_add_func("/pri-sched-event/once", test_once);
    qtest_add_func("/pri-sched-event/interrupt", test_interrupt);
    qtest_add_func("/pri-sched-event/REG-05/interrupt-pushed",
                   test_interrupt_pushed);
    qtest_add_func("/pri-sched-event/write", test_write);
    qtest_add_func("/pri-sched-event/ATS-31/write-passed", test_write_passed);
    qtest_add_func("/pri-sched-event/write-until", test_write_until);
    qtest_add_func("/pri-sched-event/write-overtaken", test_write_overtaken);
    qtest_add_func("/pri-sched-event/write-reset", test_write_reset);
    qtest_add_func("/pri-sched-event/posted", test_posted);
    qtest_add_func("/pri-sched-event/ATS-31/read", test_read);
    qtest_add_func("/pri-sched-event/reset", test_reset);
    return g_test_run();
}
