/*
 * pri-testdev: stop of a PASID, function events, event log
 *
 * What the messages of a stop look like is in pri-agent-pri-test.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/agent.h"
#include "qobject/qdict.h"

#define AT(page)        (AGENT_IOVA + (page) * AGENT_PAGE)
#define MSI_ADDR        0xfee00000ULL
#define R               PT_RAW_READ
#define W               PT_RAW_WRITE
#define L               PT_RAW_LAST
#define VECTOR          0xa0

static void start(AgentLab *lab, const char *dev)
{
    agent_lab_start(lab, dev, 0);
    qpt_writel(&lab->d, PT_CTRL, PT_CTRL_CLEAR_LOG);
}

/* Channel @ch writes the absent page @page with AGENT_PASID */
static void fault(AgentLab *lab, unsigned int ch, unsigned int page)
{
    QPtOp op = agent_op(PT_OP_WRITE, AGENT_PASID, AT(page), 8);

    qpt_start(&lab->d, ch, &op);
    g_assert_cmpuint(qpt_wait(&lab->d, ch), ==, PT_ST_RUNNING);
}

static void respond(AgentLab *lab, uint32_t prgi, unsigned int code)
{
    agent_respond(lab, AGENT_PASID, prgi, code);
}

static void raw(AgentLab *lab, uint64_t addr, uint32_t flags, uint32_t prgi)
{
    QPtRaw request = {
        .addr = addr, .pasid = AGENT_PASID, .flags = flags, .prgi = prgi
    };

    qpt_raw(&lab->d, &request);
}

static unsigned int requests(AgentLab *lab)
{
    return agent_count(lab, ATA_PAGE_REQUEST);
}

static uint32_t stop(AgentLab *lab, uint32_t request)
{
    qpt_writel(&lab->d, PT_STOP_PASID, request);
    return qpt_readl(&lab->d, PT_STOP_STATUS);
}

static void expect_channel(AgentLab *lab, unsigned int ch, uint32_t status)
{
    g_assert_cmpuint(qpt_wait(&lab->d, ch), ==, status);
}

/* A page of the space of @pasid, or of requests without one */
static void map(AgentLab *lab, uint32_t pasid, unsigned int page)
{
    agent_map(lab, pasid, AT(page), AGENT_RAM, AGENT_PAGE,
              ATA_READ | ATA_WRITE);
}

/* -- stop without a marker ------------------------------------------------- */

/* PRI-40: busy until every group of the PASID has its response */
static void test_wait(void)
{
    QPtOp op = agent_op(PT_OP_WRITE, AGENT_PASID, AT(3), 8);
    AgentLab lab;

    start(&lab, NULL);
    fault(&lab, 0, 0);
    fault(&lab, 1, 1);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_STOP_STATUS), ==, PT_STOP_IDLE);
    g_assert_cmpuint(stop(&lab, AGENT_PASID), ==, PT_STOP_BUSY);
    expect_channel(&lab, 0, PT_ST_RUNNING);
    g_assert_cmpuint(qpt_run(&lab.d, 2, &op), ==, PT_ST_ABORTED);
    g_assert_cmphex(qpt_ch_readq(&lab.d, 2, PT_CH_ERR_ADDR), ==, op.dst);

    respond(&lab, 0, QPT_SUCCESS);
    expect_channel(&lab, 0, PT_ST_ABORTED);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_STOP_STATUS), ==, PT_STOP_BUSY);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_EVENT_STATUS), ==, 0);
    respond(&lab, 1, QPT_INVALID_REQUEST);
    expect_channel(&lab, 1, PT_ST_INVALID_REQUEST);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_STOP_STATUS), ==, PT_STOP_DONE);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_EVENT_STATUS), ==, PT_EVENT_STOP);

    /* no request and no marker left since */
    g_assert_cmpuint(requests(&lab), ==, 2);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_STOP_MARKERS), ==, 0);

    /* the PASID can be used again */
    fault(&lab, 2, 3);
    g_assert_cmpuint(requests(&lab), ==, 1);
    agent_lab_stop(&lab);
}

/* A group whose operation was aborted is waited for as well */
static void test_wait_orphan(void)
{
    AgentLab lab;

    start(&lab, NULL);
    fault(&lab, 0, 0);
    qpt_writel(&lab.d, PT_CHANNEL(0) + PT_CH_CMD, PT_OP_ABORT);
    expect_channel(&lab, 0, PT_ST_ABORTED);
    g_assert_cmpuint(stop(&lab, AGENT_PASID), ==, PT_STOP_BUSY);

    /* one at a time */
    g_assert_cmpuint(stop(&lab, 5), ==, PT_STOP_BUSY);
    g_assert_cmphex(qpt_readl(&lab.d, PT_STOP_PASID), ==, AGENT_PASID);
    respond(&lab, 0, QPT_SUCCESS);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_STOP_STATUS), ==, PT_STOP_DONE);
    g_assert_cmpuint(stop(&lab, 5), ==, PT_STOP_DONE);
    agent_lab_stop(&lab);
}

/* Those who wait for credits have not asked yet, and do not any more */
static void test_wait_credits(void)
{
    AgentLab lab;

    start(&lab, NULL);
    qpt_pri_disable(&lab.d);
    qpt_enable(&lab.d, 1);
    fault(&lab, 0, 0);
    fault(&lab, 1, 1);
    g_assert_cmpuint(stop(&lab, AGENT_PASID), ==, PT_STOP_BUSY);
    expect_channel(&lab, 0, PT_ST_RUNNING);
    expect_channel(&lab, 1, PT_ST_ABORTED);
    respond(&lab, 0, QPT_SUCCESS);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_STOP_STATUS), ==, PT_STOP_DONE);
    g_assert_cmpuint(requests(&lab), ==, 1);
    agent_lab_stop(&lab);
}

/* Requests of others go on, their translations stay (ATS-27) */
static void test_others(void)
{
    QPtOp op = agent_op(PT_OP_WRITE, QPT_NO_PASID, AT(0), 8);
    AgentLab lab;

    start(&lab, NULL);
    map(&lab, QPT_NO_PASID, 0);
    map(&lab, AGENT_PASID, 0);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
    op.flags = PT_FLAG_PASID;
    op.pasid = AGENT_PASID;
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 2);
    op.flags = 0;
    op.dst += AGENT_PAGE;
    qpt_start(&lab.d, 1, &op);
    g_assert_cmpuint(stop(&lab, AGENT_PASID), ==, PT_STOP_DONE);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 1);
    expect_channel(&lab, 1, PT_ST_RUNNING);
    map(&lab, QPT_NO_PASID, 1);
    agent_respond(&lab, QPT_NO_PASID, 0, QPT_SUCCESS);
    expect_channel(&lab, 1, PT_ST_DONE);
    agent_lab_stop(&lab);
}

static void test_refused(void)
{
    AgentLab lab;

    start(&lab, "pasid-bits=8");
    g_assert_cmpuint(stop(&lab, 0x100), ==, PT_STOP_REFUSED);
    g_assert_cmpuint(stop(&lab, 0x100 | PT_STOP_MARKER), ==, PT_STOP_REFUSED);
    g_assert_cmpuint(requests(&lab), ==, 0);
    g_assert_cmpuint(stop(&lab, 0xff), ==, PT_STOP_DONE);
    agent_lab_stop(&lab);
}

static void test_flr(void)
{
    AgentLab lab;

    start(&lab, NULL);
    fault(&lab, 0, 0);
    g_assert_cmpuint(stop(&lab, AGENT_PASID), ==, PT_STOP_BUSY);
    qpt_flr(&lab.d);
    qpt_restore(&lab.d);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_STOP_STATUS), ==, PT_STOP_IDLE);
    agent_lab_stop(&lab);
}

/* PRI Reset ends what is waited for */
static void test_pri_reset(void)
{
    AgentLab lab;

    start(&lab, NULL);
    fault(&lab, 0, 0);
    g_assert_cmpuint(stop(&lab, AGENT_PASID), ==, PT_STOP_BUSY);
    qpt_config_writew(&lab.d, lab.d.pri + QPT_PRI_CTRL, QPT_PRI_CTRL_RESET);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_STOP_STATUS), ==, PT_STOP_DONE);
    agent_lab_stop(&lab);
}

/* -- with a marker --------------------------------------------------------- */

/* PRI-41: at once; credits come back with the response */
static void test_marker(void)
{
    AgentLab lab;

    start(&lab, NULL);
    fault(&lab, 0, 0);
    g_assert_cmpuint(stop(&lab, AGENT_PASID | PT_STOP_MARKER), ==,
                     PT_STOP_DONE);
    expect_channel(&lab, 0, PT_ST_ABORTED);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 1);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_CREDITS), ==, 511);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_EVENT_STATUS), ==, PT_EVENT_STOP);

    respond(&lab, 0, QPT_INVALID_REQUEST);
    expect_channel(&lab, 0, PT_ST_ABORTED);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_CREDITS), ==, 512);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_UNEXPECTED), ==, 0);
    agent_lab_stop(&lab);
}

/* PRI-44: the PASID has a new user when the old response comes */
static void test_marker_reuse(void)
{
    AgentLab lab;

    start(&lab, "prgi-policy=immediate");
    fault(&lab, 0, 0);
    stop(&lab, AGENT_PASID | PT_STOP_MARKER);
    fault(&lab, 0, 0);
    respond(&lab, 0, QPT_INVALID_REQUEST);
    expect_channel(&lab, 0, PT_ST_RUNNING);
    respond(&lab, 1, QPT_INVALID_REQUEST);
    expect_channel(&lab, 0, PT_ST_INVALID_REQUEST);
    agent_lab_stop(&lab);
}

/* -- events ---------------------------------------------------------------- */

static bool apic_pending(AgentLab *lab, unsigned int vector)
{
    g_autofree char *text = qtest_hmp(lab->qts, "info lapic");
    g_autofree char *number = g_strdup_printf(" %u", vector);
    char *irr = strstr(text, "IRR");
    char *end = irr ? strchr(irr, '\n') : NULL;

    g_assert_nonnull(end);
    *end = 0;
    return strstr(irr, number);
}

static void test_event_irq(void)
{
    AgentLab lab;

    start(&lab, NULL);
    qpt_msix(&lab.d, MSI_ADDR, VECTOR);
    qpt_writel(&lab.d, PT_EVENT_ENABLE, ~0u);
    g_assert_cmphex(qpt_readl(&lab.d, PT_EVENT_ENABLE), ==, PT_EVENT_ALL);
    qpt_writel(&lab.d, PT_EVENT_ENABLE, PT_EVENT_UNEXPECTED);
    stop(&lab, AGENT_PASID);
    qpt_readl(&lab.d, PT_ID);
    g_assert_false(apic_pending(&lab, VECTOR));
    respond(&lab, 77, QPT_SUCCESS);
    qpt_readl(&lab.d, PT_ID);
    g_assert_true(apic_pending(&lab, VECTOR));
    g_assert_false(apic_pending(&lab, VECTOR + 1));
    g_assert_cmphex(qpt_readl(&lab.d, PT_EVENT_STATUS), ==,
                    PT_EVENT_STOP | PT_EVENT_UNEXPECTED);
    qpt_writel(&lab.d, PT_EVENT_STATUS, PT_EVENT_STOP);
    g_assert_cmphex(qpt_readl(&lab.d, PT_EVENT_STATUS), ==,
                    PT_EVENT_UNEXPECTED);
    agent_lab_stop(&lab);
}

/* An event that was there before it was enabled */
static void test_event_late(void)
{
    AgentLab lab;

    start(&lab, NULL);
    qpt_msix(&lab.d, MSI_ADDR, VECTOR);
    raw(&lab, AGENT_IOVA, R | L, 3);
    respond(&lab, 3, QPT_SUCCESS);
    g_assert_cmphex(qpt_readl(&lab.d, PT_EVENT_STATUS), ==, PT_EVENT_RAW);
    g_assert_false(apic_pending(&lab, VECTOR));
    qpt_writel(&lab.d, PT_EVENT_ENABLE, PT_EVENT_RAW);
    qpt_readl(&lab.d, PT_ID);
    g_assert_true(apic_pending(&lab, VECTOR));
    qpt_config_writel(&lab.d, lab.d.pri + QPT_PRI_ALLOC, 1);
    g_assert_cmphex(qpt_readl(&lab.d, PT_EVENT_STATUS), ==,
                    PT_EVENT_RAW | PT_EVENT_VIOLATION);
    agent_lab_stop(&lab);
}

/* -- log ------------------------------------------------------------------- */

static uint32_t log_read(AgentLab *lab, uint32_t n, unsigned int reg)
{
    qpt_writel(&lab->d, PT_LOG_SELECT, n);
    return qpt_readl(&lab->d, reg);
}

static void log_expect(AgentLab *lab, uint32_t n, uint32_t kind, uint32_t tag,
                       uint64_t addr, uint32_t code)
{
    g_assert_cmpuint(log_read(lab, n, PT_LOG_KIND), ==, kind);
    g_assert_cmpuint(qpt_readl(&lab->d, PT_LOG_TAG), ==, tag);
    g_assert_cmphex(qpt_readq(&lab->d, PT_LOG_ADDR), ==, addr);
    g_assert_cmphex(qpt_readl(&lab->d, PT_LOG_CODE), ==, code);
}

/* One fault from beginning to end, then an invalidation */
static void test_log(void)
{
    uint64_t then;
    unsigned int i;
    AgentLab lab;

    start(&lab, NULL);
    fault(&lab, 2, 0);
    map(&lab, AGENT_PASID, 0);
    then = qtest_clock_step(lab.qts, 12345);
    respond(&lab, 0, QPT_SUCCESS);
    expect_channel(&lab, 2, PT_ST_DONE);
    agent_invalidate(&lab, AGENT_PASID, AGENT_INV_ALL, 0, ATA_INV_SIZE);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_LOG_COUNT), ==, 8);
    log_expect(&lab, 0, PT_LOG_START, 2, AGENT_IOVA, PT_OP_WRITE);
    log_expect(&lab, 1, PT_LOG_TRANSLATION, 0, AGENT_IOVA, 0);
    log_expect(&lab, 2, PT_LOG_PAGE_REQUEST, 0, AGENT_IOVA, W | L);
    log_expect(&lab, 3, PT_LOG_PRG_RESPONSE, 0, 0, QPT_SUCCESS);
    log_expect(&lab, 4, PT_LOG_TRANSLATION, 0, AGENT_IOVA, R | W);
    log_expect(&lab, 5, PT_LOG_END, 2, 0, PT_ST_DONE);
    log_expect(&lab, 6, PT_LOG_INV_REQUEST, 0, AGENT_INV_ALL, 1);
    log_expect(&lab, 7, PT_LOG_INV_COMPLETION, 0, 0, 1);
    log_expect(&lab, 8, 0, 0, 0, 0);
    for (i = 0; i < 7; i++) {
        g_assert_cmphex(log_read(&lab, i, PT_LOG_PASID), ==,
                        AGENT_PASID | PT_LOG_PASID_PRESENT);
    }
    g_assert_cmphex(log_read(&lab, 7, PT_LOG_PASID), ==, 0);
    log_read(&lab, 3, PT_LOG_KIND);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_LOG_TIME), ==, then);
    log_read(&lab, 2, PT_LOG_KIND);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_LOG_TIME), ==, then - 12345);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CLOCK), ==, then);
    qtest_clock_step(lab.qts, 6000000000LL);    /* both halves move */
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CLOCK), ==, then + 6000000000ULL);
    agent_lab_stop(&lab);
}

/* What the other kinds look like; a reset leaves the log alone */
static void test_log_kinds(void)
{
    AgentLab lab;

    start(&lab, NULL);
    raw(&lab, 0, L, 0);
    respond(&lab, 9, QPT_SUCCESS);
    qpt_knob_set(&lab.d, PT_KNOB_INV_COPIES, 2);
    stop(&lab, 7);
    qpt_config_writel(&lab.d, lab.d.pri + QPT_PRI_ALLOC, 1);
    fault(&lab, 0, 0);
    qpt_flr(&lab.d);
    qpt_restore(&lab.d);
    respond(&lab, 0, QPT_SUCCESS);
    log_expect(&lab, 0, PT_LOG_STOP_MARKER, 0, 0, L);
    log_expect(&lab, 1, PT_LOG_PRG_RESPONSE, 9, 0, QPT_SUCCESS);
    log_expect(&lab, 2, PT_LOG_UNEXPECTED, 9, 0, 0);
    log_expect(&lab, 3, PT_LOG_KNOB, PT_KNOB_INV_COPIES, 2, 0);
    log_expect(&lab, 4, PT_LOG_STOP, 0, 0, PT_STOP_BUSY);
    log_expect(&lab, 5, PT_LOG_STOP, 0, 0, PT_STOP_DONE);
    log_expect(&lab, 6, PT_LOG_VIOLATION, 0, 0, 0);
    /* start, translation, page request */
    log_expect(&lab, 10, PT_LOG_RESET, 0, 0, PT_RESET_FLR);
    log_expect(&lab, 11, PT_LOG_PRG_RESPONSE, 0, 0, QPT_SUCCESS);
    log_expect(&lab, 12, PT_LOG_STALE, 0, 0, 0);
    log_expect(&lab, 13, PT_LOG_UNEXPECTED, 0, 0, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_LOG_COUNT), ==, 14);
    qpt_writel(&lab.d, PT_CTRL, PT_CTRL_CLEAR_LOG);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_LOG_COUNT), ==, 0);
    log_expect(&lab, 0, 0, 0, 0, 0);
    agent_lab_stop(&lab);
}

/* The ring keeps the last entries; the host reads the same */
static void test_log_ring(void)
{
    g_autofree char *first = NULL;
    const char *text;
    unsigned int i, lines = 0;
    QDict *rsp;
    AgentLab lab;

    start(&lab, NULL);
    for (i = 0; i < PT_LOG_SIZE + 44; i++) {
        raw(&lab, AGENT_IOVA, R, i);
    }
    g_assert_cmpuint(qpt_readl(&lab.d, PT_LOG_COUNT), ==, PT_LOG_SIZE + 44);
    log_expect(&lab, 43, 0, 0, 0, 0);
    log_expect(&lab, 44, PT_LOG_PAGE_REQUEST, 44, AGENT_IOVA, R);
    log_expect(&lab, PT_LOG_SIZE + 43, PT_LOG_PAGE_REQUEST, PT_LOG_SIZE + 43,
               AGENT_IOVA, R);
    log_expect(&lab, PT_LOG_SIZE + 44, 0, 0, 0, 0);
    log_expect(&lab, ~0u, 0, 0, 0, 0);

    rsp = qtest_qmp(lab.qts, "{ 'execute': 'qom-get', 'arguments': "
                    "{ 'path': 'pt0', 'property': 'log' } }");
    text = qdict_get_str(rsp, "return");
    for (i = 0; text[i]; i++) {
        lines += text[i] == '\n';
    }
    g_assert_cmpuint(lines, ==, PT_LOG_SIZE);
    first = g_strdup_printf(" page-request pasid=0x%x tag=44 addr=0x%" PRIx64
                            " code=0x%x\n", AGENT_PASID,
                            (uint64_t)AGENT_IOVA, R);
    g_assert_true(g_str_has_prefix(text, "44 "));
    g_assert_nonnull(strstr(text, first));
    qobject_unref(rsp);
    agent_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    agent_test_init(&argc, &argv);

    qtest_add_func("/pri-testdev/stop/PRI-40/wait", test_wait);
    qtest_add_func("/pri-testdev/stop/PRI-40/orphan", test_wait_orphan);
    qtest_add_func("/pri-testdev/stop/PRI-40/credits", test_wait_credits);
    qtest_add_func("/pri-testdev/stop/ATS-27/others", test_others);
    qtest_add_func("/pri-testdev/stop/refused", test_refused);
    qtest_add_func("/pri-testdev/stop/flr", test_flr);
    qtest_add_func("/pri-testdev/stop/PRI-33/pri-reset", test_pri_reset);
    qtest_add_func("/pri-testdev/stop/PRI-41/marker", test_marker);
    qtest_add_func("/pri-testdev/stop/PRI-44/reuse", test_marker_reuse);
    qtest_add_func("/pri-testdev/event/irq", test_event_irq);
    qtest_add_func("/pri-testdev/event/late", test_event_late);
    qtest_add_func("/pri-testdev/log/fault", test_log);
    qtest_add_func("/pri-testdev/log/kinds", test_log_kinds);
    qtest_add_func("/pri-testdev/log/ring", test_log_ring);

    return g_test_run();
}
