/*
 * pri-testdev: registers bit by bit: what a write does, and what it does not
 *
 * docs/specs/pri-testdev.rst, "Register access" and what is behind it; PCIe
 * 6.2 6.6.2, 7.5.3.5
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/agent.h"
#include "libqos/fw_cfg.h"
#include "qobject/qdict.h"

#define MS              1000000
#define AF              0x60            /* where they are when they are there */
#define AF_CTRL         (AF + 4)
#define AF_STATUS       (AF + 5)
#define VNDR            0x68
#define EXP             0x80
#define DEVCTL          (EXP + QPT_EXP_DEVCTL)
#define DEVSTA          (DEVCTL + 2)
#define DEVSTA_TP       0x20
#define TABLES          (1 << 20)

/* -- PT_CTRL --------------------------------------------------------------- */

/* Each bit does what it says and nothing else */
static void test_control(void)
{
    static const uint32_t bits[] = {
        0, PT_CTRL_CLEAR_COUNTERS, PT_CTRL_FLUSH_ATC, PT_CTRL_ABORT,
        PT_CTRL_CLEAR_LOG,
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(bits); i++) {
        AgentLab lab;

        agent_lab_start(&lab, NULL, 0);
        agent_map(&lab, AGENT_PASID, AGENT_IOVA, AGENT_RAM, AGENT_PAGE,
                  ATA_READ);
        agent_touch(&lab, PT_OP_READ, AGENT_PASID, AGENT_IOVA);
        agent_fault(&lab, 0, AGENT_PASID, AGENT_IOVA + AGENT_PAGE);
        qpt_writel(&lab.d, PT_CTRL, bits[i]);
        g_assert_cmpint(qpt_readq(&lab.d, PT_CNT_BYTES_READ) == 0, ==,
                        bits[i] == PT_CTRL_CLEAR_COUNTERS);
        g_assert_cmpint(qpt_readl(&lab.d, PT_ATC_USED) == 0, ==,
                        bits[i] == PT_CTRL_FLUSH_ATC);
        g_assert_cmpint(qpt_ch_readl(&lab.d, 0, PT_CH_STATUS) ==
                        PT_ST_ABORTED, ==, bits[i] == PT_CTRL_ABORT);
        g_assert_cmpint(qpt_readl(&lab.d, PT_LOG_COUNT) == 0, ==,
                        bits[i] == PT_CTRL_CLEAR_LOG);
        agent_lab_stop(&lab);
    }
}

/* -- Widths ---------------------------------------------------------------- */

/* 1 and 2 bytes, and what is not aligned: read 0 and write nothing */
static void test_widths(void)
{
    uint64_t at;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    at = lab.d.bar0 + PT_SCRATCH;
    qtest_writel(lab.qts, at, 0x12345678);
    qtest_writel(lab.qts, at + 8, 0x12345678);
    qtest_writeb(lab.qts, at, 0xff);
    qtest_writew(lab.qts, at, 0xffff);
    qtest_writew(lab.qts, at + 2, 0xffff);
    qtest_writel(lab.qts, at + 1, UINT32_MAX);
    qtest_writel(lab.qts, at - 2, UINT32_MAX);
    g_assert_cmphex(qtest_readl(lab.qts, at), ==, 0x12345678);
    g_assert_cmphex(qtest_readb(lab.qts, at), ==, 0);
    g_assert_cmphex(qtest_readw(lab.qts, at), ==, 0);
    g_assert_cmphex(qtest_readw(lab.qts, at + 2), ==, 0);
    g_assert_cmphex(qtest_readl(lab.qts, at + 2), ==, 0);
    /* between the halves of 64 bits there is no register */
    at = lab.d.bar0 + PT_RAW_ADDR;
    qtest_writel(lab.qts, at + 2, UINT32_MAX);
    g_assert_cmphex(qtest_readq(lab.qts, at), ==, 0);
    qtest_writel(lab.qts, at, UINT32_MAX);
    g_assert_cmphex(qtest_readl(lab.qts, at + 2), ==, 0);
    agent_lab_stop(&lab);
}

/* Reserved bits of PT_STOP_PASID, and a function without PASIDs */
static void test_stop(void)
{
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    qpt_writel(&lab.d, PT_STOP_PASID, 0x7ff00005);
    g_assert_cmphex(qpt_readl(&lab.d, PT_STOP_PASID), ==, 5);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_STOP_STATUS), ==, PT_STOP_DONE);
    agent_lab_stop(&lab);

    agent_lab_start(&lab, "pasid=off", 0);
    qpt_writel(&lab.d, PT_STOP_PASID, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_STOP_STATUS), ==, PT_STOP_REFUSED);
    agent_lab_stop(&lab);
}

/* -- Parameters ------------------------------------------------------------ */

typedef struct Parameters {
    const char *name;
    uint32_t cmd, flags, group;
    uint64_t src, dst;
    uint32_t list_len;
    bool bad;
} Parameters;

#define P       PT_FLAG_PASID
#define LAST    (UINT64_MAX - 3)        /* 8 bytes from here wrap around */
#define HERE    AGENT_IOVA

static const Parameters parameters[] = {
    { "src-of-write", PT_OP_WRITE, P, 1, LAST, HERE, 0, false },
    { "src-of-read", PT_OP_READ, P, 1, LAST, HERE, 0, true },
    { "dst-of-read", PT_OP_READ, P, 1, HERE, LAST, 0, false },
    { "dst-of-write", PT_OP_WRITE, P, 1, HERE, LAST, 0, true },
    { "no-group", PT_OP_READ, P, 0, HERE, HERE, 0, true },
    { "largest-group", PT_OP_READ, P, 512, HERE, HERE, 0, false },
    { "group", PT_OP_READ, P, 513, HERE, HERE, 0, true },
    { "exec", PT_OP_READ, P | PT_FLAG_EXEC, 1, HERE, HERE, 0, false },
    { "exec-write", PT_OP_WRITE, P | PT_FLAG_EXEC, 1, HERE, HERE, 0, true },
    { "exec-no-pasid", PT_OP_READ, PT_FLAG_EXEC, 1, HERE, HERE, 0, true },
    { "priv-no-pasid", PT_OP_READ, PT_FLAG_PRIV, 1, HERE, HERE, 0, true },
    { "no-entries", PT_OP_READ, P | PT_FLAG_GATHER, 1, 0, HERE, 0, true },
    { "entry", PT_OP_READ, P | PT_FLAG_GATHER, 1, 0, HERE, 1, false },
};

/* What is a bad command, and what beside it is none */
static void test_parameters(const void *opaque)
{
    const Parameters *p = opaque;
    unsigned int ch = PT_CHANNEL(0);
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    qpt_writel(&lab.d, ch + PT_CH_FLAGS, p->flags | PT_FLAG_NO_PRI);
    qpt_writel(&lab.d, ch + PT_CH_PASID, AGENT_PASID);
    qpt_writel(&lab.d, ch + PT_CH_GROUP, p->group);
    qpt_writeq(&lab.d, ch + PT_CH_SRC, p->src);
    qpt_writeq(&lab.d, ch + PT_CH_DST, p->dst);
    qpt_writeq(&lab.d, ch + PT_CH_LEN, 8);
    qpt_writeq(&lab.d, ch + PT_CH_LIST, p->list_len ? HERE : 0);
    qpt_writel(&lab.d, ch + PT_CH_LIST_LEN, p->list_len);
    qpt_writel(&lab.d, ch + PT_CH_CMD, p->cmd);
    g_assert_cmpint(qpt_wait(&lab.d, 0) == PT_ST_BAD_COMMAND, ==, p->bad);
    agent_lab_stop(&lab);
}

/* -- Writes that begin a reset --------------------------------------------- */

static unsigned int waiting(AgentLab *lab)
{
    QDict *answer = qtest_qmp(lab->qts, "{ 'execute': 'qom-get', 'arguments': "
                              "{ 'path': '/machine/peripheral/pt0', "
                              "'property': 'dma-waiting' } }");
    unsigned int n = qdict_get_int(answer, "return");

    qobject_unref(answer);
    return n;
}

typedef struct Write {
    const char *name;
    const char *offers;
    unsigned int offset, size;
    uint32_t value;
    bool resets;
} Write;

#define ALL     "af-flr=on,acpi-reset=on"
#define NONE    "pcie-flr=off"

static const Write writes[] = {
    { "flr-1", ALL, DEVCTL + 1, 1, 0x80, true },
    { "flr-2", ALL, DEVCTL, 2, 0x8000, true },
    { "flr-4", ALL, DEVCTL, 4, 0x8000, true },
    { "flr-0", ALL, DEVCTL, 2, 0x000f, false },
    { "flr-off", NONE, DEVCTL, 2, 0x8000, false },
    { "af-1", ALL, AF_CTRL, 1, 1, true },
    { "af-4", ALL, AF_CTRL, 4, 1, true },
    { "af-0", ALL, AF_CTRL, 1, 0xfe, false },
    { "af-off", NONE, AF_CTRL, 1, 1, false },
    { "platform-1", ALL, VNDR + PT_VNDR_RESET, 1, 1, true },
    { "platform-4", ALL, VNDR + PT_VNDR_RESET, 4, 1, true },
    { "platform-0", ALL, VNDR + PT_VNDR_RESET, 4, 0xfffffffe, false },
    { "platform-off", NONE, VNDR + PT_VNDR_RESET, 4, 1, false },
    { "elsewhere", ALL, 0x0c, 4, 0xffffffff, false },
    { "elsewhere-off", NONE, 0x0c, 4, 0xffffffff, false },
};

/*
 * The completion of a configuration write pushes posted writes, and that of one
 * that begins a reset comes behind it: with flr-dma=keep they stay
 */
static void test_begins(const void *opaque)
{
    const Write *w = opaque;
    g_autofree char *dev = g_strdup_printf("dma-do=hold,flr-dma=keep,%s",
                                           w->offers);
    QPtOp op = agent_op(PT_OP_FILL, AGENT_PASID, AGENT_IOVA, 8);
    uint64_t at;
    AgentLab lab;

    agent_lab_start(&lab, dev, 0);
    at = qpt_ecam(lab.d.rid, w->offset);
    agent_map(&lab, AGENT_PASID, AGENT_IOVA, AGENT_RAM, AGENT_PAGE, ATA_WRITE);
    qpt_writel(&lab.d, PT_SCRATCH, 1);
    qpt_start(&lab.d, 0, &op);
    for (unsigned int i = 0; i < 1000 && !waiting(&lab); i++) {
        qtest_clock_step(lab.qts, 1);
    }
    g_assert_cmpuint(waiting(&lab), ==, 1);
    if (w->size == 1) {
        qtest_writeb(lab.qts, at, w->value);
    } else if (w->size == 2) {
        qtest_writew(lab.qts, at, w->value);
    } else {
        qtest_writel(lab.qts, at, w->value);
    }
    g_assert_cmpuint(waiting(&lab), ==, w->resets);
    qpt_restore(&lab.d);
    g_assert_cmphex(qpt_readl(&lab.d, PT_SCRATCH), ==, !w->resets);
    agent_lab_stop(&lab);
}

/* -- Reads ----------------------------------------------------------------- */

/* FLR-03: Transactions Pending, by reads of each width */
static void test_pending(void)
{
    QTestState *qts;
    uint16_t rid;
    AgentLab lab;

    agent_lab_boot(&lab, "af-flr=on,tp-bit=stuck", NULL);
    qts = lab.qts;
    rid = lab.d.rid;
    g_assert_cmphex(qtest_readb(qts, qpt_ecam(rid, DEVSTA)), ==, DEVSTA_TP);
    g_assert_cmphex(qtest_readw(qts, qpt_ecam(rid, DEVSTA)), ==, DEVSTA_TP);
    g_assert_cmphex(qtest_readl(qts, qpt_ecam(rid, DEVCTL)) >> 16, ==,
                    DEVSTA_TP);
    g_assert_cmphex(qtest_readb(qts, qpt_ecam(rid, AF_STATUS)), ==, 1);
    g_assert_cmphex(qtest_readw(qts, qpt_ecam(rid, AF_CTRL)), ==, 0x100);
    g_assert_cmphex(qtest_readb(qts, qpt_ecam(rid, AF_CTRL)), ==, 0);
    agent_lab_stop(&lab);
}

/* FLR-05: 0001h is read by two bytes at least, and of who is there */
static void test_rrs(void)
{
    AgentLab lab;
    uint64_t id;

    agent_lab_boot(&lab, "flr-config=rrs,flr-duration-ms=10", NULL);
    id = qpt_ecam(lab.d.rid, 0);
    qpt_config_writew(&lab.d, lab.d.exp + QPT_EXP_DEVCTL, QPT_EXP_DEVCTL_FLR);
    g_assert_cmphex(qtest_readl(lab.qts, id), ==, 0xffff0001);
    g_assert_cmphex(qtest_readw(lab.qts, id), ==, 0x0001);
    g_assert_cmphex(qtest_readb(lab.qts, id), ==, 0xff);
    qtest_clock_step(lab.qts, 11 * MS);
    qtest_qmp_assert_success(lab.qts, "{ 'execute': 'qom-set', 'arguments': "
                             "{ 'path': '/machine/peripheral/pt0', "
                             "'property': 'gone', 'value': 'on' } }");
    g_assert_cmphex(qtest_readl(lab.qts, id), ==, UINT32_MAX);
    agent_lab_stop(&lab);
}

/* What has no such capability reads 0 there, in a reset as well */
static void test_no_platform(void)
{
    AgentLab lab;

    agent_lab_boot(&lab, "flr-duration-ms=10", NULL);
    qpt_config_writew(&lab.d, lab.d.exp + QPT_EXP_DEVCTL, QPT_EXP_DEVCTL_FLR);
    g_assert_cmphex(qpt_config_readl(&lab.d, VNDR + PT_VNDR_RESET), ==, 0);
    agent_lab_stop(&lab);
}

/* -- MSI-X ----------------------------------------------------------------- */

#define MSI_PAGE        0x3000000ULL
#define ENTRY(n)        ((n) * 16)
#define PORT_COMMAND    0x04
#define BME             0x04
#define CHANNEL         7               /* the last one */
#define VECTOR          (CHANNEL + 1)

typedef struct Pend {
    const char *name;
    bool alike;             /* another vector has the same data */
    bool masked;            /* and the same address, and is masked */
    bool mask;              /* the vector itself is masked */
    bool bme, port_bme;
} Pend;

static const Pend pends[] = {
    { "no-bme", false, false, false, false, true },
    { "same-data", true, false, false, false, true },
    { "same-message-masked", true, true, false, false, true },
    { "masked", false, false, true, true, true },
    { "masked-no-way", false, false, true, true, false },
    { "no-bme-no-way", false, false, false, false, false },
};

/* A message that may not be sent is pending, and it is that of its vector */
static void test_pend(const void *opaque)
{
    const Pend *row = opaque;
    QPtOp op = agent_op(PT_OP_WRITE, AGENT_PASID, AGENT_IOVA, 8);
    uint64_t pba, table;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    table = lab.d.bar2;
    pba = table + (qpt_config_readl(&lab.d, lab.d.msix + 8) & ~7u);
    qpt_msix(&lab.d, MSI_PAGE, 0x40);
    if (row->alike) {
        qtest_writel(lab.qts, table + ENTRY(1) + 8, 0x40 + VECTOR);
        qtest_writel(lab.qts, table + ENTRY(1),
                     MSI_PAGE + (row->masked ? 0 : 4));
        qtest_writel(lab.qts, table + ENTRY(1) + 12, row->masked);
    }
    qtest_writel(lab.qts, table + ENTRY(VECTOR) + 12, row->mask);
    op.flags |= PT_FLAG_IRQ;
    qpt_start(&lab.d, CHANNEL, &op);
    g_assert_cmpuint(qpt_wait(&lab.d, CHANNEL), ==, PT_ST_RUNNING);
    qpt_config_writew(&lab.d, PORT_COMMAND, 2 | (row->bme ? BME : 0));
    qtest_writew(lab.qts, qpt_ecam(lab.d.port << 3, PORT_COMMAND),
                 2 | (row->port_bme ? BME : 0));
    qpt_writel(&lab.d, PT_CHANNEL(CHANNEL) + PT_CH_CMD, PT_OP_ABORT);
    g_assert_cmpuint(qpt_wait(&lab.d, CHANNEL), ==, PT_ST_ABORTED);
    g_assert_cmphex(qtest_readl(lab.qts, pba), ==, 1u << VECTOR);
    g_assert_cmphex(qtest_readl(lab.qts, MSI_PAGE), ==, 0);
    agent_lab_stop(&lab);
}

/* -- Where there is nobody above ------------------------------------------- */

/* Knobs and rules of an IOMMU that is not there */
static void test_no_link(void)
{
    const uint32_t knobs[] = { PT_KNOB_IOMMU, PT_KNOB_RULE(0), PT_KNOB_NR };
    QTestState *qts = qtest_init(
        "-machine q35 -m 64M -nodefaults "
        "-device pcie-root-port,id=rp0,chassis=1,bus=pcie.0,addr=4 "
        "-device pri-testdev,id=pt0,bus=rp0");
    QPriTestdev d;

    qpt_init(&d, qts, 4, 1);
    qpt_writel(&d, PT_RULE_REMOVE, 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(knobs); i++) {
        g_assert_cmpuint(qpt_knob_set(&d, knobs[i], 0), ==, PT_KNOB_NONE);
        g_assert_cmpuint(qpt_knob_get(&d, knobs[i]), ==, 0);
    }
    g_assert_cmphex(qpt_readl(&d, PT_ID), ==, PT_ID_MAGIC);
    qtest_quit(qts);
}

/* FLR-06: a Root Complex Integrated Endpoint has no port */
static void test_no_port(void)
{
    QPriTestdev rc;
    AgentLab lab;

    agent_lab_boot(&lab, NULL, "-device pri-testdev,id=rc,bus=pcie.0,addr=6");
    qpt_init_at(&rc, lab.qts, 6 << 3, 0xe1000000);
    qpt_writel(&rc, PT_SCRATCH, 1);
    qpt_config_writew(&rc, rc.exp + QPT_EXP_DEVCTL, QPT_EXP_DEVCTL_FLR);
    qpt_restore(&rc);
    g_assert_cmphex(qpt_readl(&rc, PT_SCRATCH), ==, 0);
    g_assert_cmpuint(qpt_readl(&rc, PT_RESET_LAST), ==, PT_RESET_FLR);
    g_assert_cmpuint(qpt_readl(&rc, PT_RESETS), ==, 1);
    qtest_system_reset(lab.qts);
    qpt_ecam_enable(lab.qts);
    qpt_restore(&rc);
    g_assert_cmpuint(qpt_readl(&rc, PT_RESET_LAST), ==, PT_RESET_OTHER);
    g_assert_cmpuint(qpt_readl(&rc, PT_RESETS), ==, 0);
    qtest_quit(lab.qts);
}

/* PORT-11: that a function is not the first one is reason enough for ACS */
static void test_second_function(void)
{
    AgentLab lab;

    agent_lab_boot(&lab, "multifunction=on",
                   "-device pri-testdev,bus=rp0,addr=0.1,acs=on");
    agent_lab_stop(&lab);
}

/* -- State ----------------------------------------------------------------- */

/* PT_STATE: all that is enabled, and no more */
static void test_state(void)
{
    AgentLab lab;

    agent_lab_boot(&lab, NULL, NULL);
    g_assert_cmphex(qpt_readl(&lab.d, PT_STATE), ==, PT_STATE_PRI_STOPPED);
    qpt_enable(&lab.d, 0);
    g_assert_cmphex(qpt_readl(&lab.d, PT_STATE), ==, PT_STATE_BME |
                    PT_STATE_ATS | PT_STATE_PRI | PT_STATE_PASID);
    agent_lab_stop(&lab);
}

/* An event is told once, also if its bit is enabled again */
static void test_event(void)
{
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    qpt_msix(&lab.d, MSI_PAGE, 0x40);
    qpt_writel(&lab.d, PT_EVENT_ENABLE, PT_EVENT_STOP);
    qpt_writel(&lab.d, PT_STOP_PASID, 5);
    qpt_wait(&lab.d, 0);
    g_assert_cmphex(qtest_readl(lab.qts, MSI_PAGE), ==, 0x40);
    qtest_writel(lab.qts, MSI_PAGE, 0);
    qpt_writel(&lab.d, PT_EVENT_ENABLE, PT_EVENT_STOP);
    qpt_wait(&lab.d, 0);
    g_assert_cmphex(qtest_readl(lab.qts, MSI_PAGE), ==, 0);
    agent_lab_stop(&lab);
}

/* ATS-29: completions that wait are lost by leaving D0, not by any write */
static void test_power(void)
{
    uint16_t pmcsr;
    AgentLab lab;

    agent_lab_start(&lab, "inv-in-d3=drop,inv-reply=hold,no-soft-reset=off",
                    0);
    pmcsr = qpt_find_cap(&lab.d, QPT_CAP_ID_PM) + 4;
    agent_invalidate(&lab, AGENT_PASID, AGENT_IOVA, 1, 0);
    qpt_config_writew(&lab.d, 0x0c, 0xff);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_INV_WAITING), ==, 1);
    qpt_config_writew(&lab.d, pmcsr, 3);
    qpt_config_writew(&lab.d, 0x0c, 0);
    g_assert_cmphex(qpt_config_readw(&lab.d, pmcsr) & 3, ==, 3);
    qpt_config_writew(&lab.d, pmcsr, 0);
    qpt_restore(&lab.d);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RESETS), ==, 1);
    agent_lab_stop(&lab);
}

/* -- ACPI ------------------------------------------------------------------ */

/* _RST is there for who asks for it, and reaches the register */
static void test_acpi(void)
{
    /* OperationRegion(RSTR, PCI_Config, offset, 4) */
    const uint8_t region[] = {
        'R', 'S', 'T', 'R', 0x02, 0x0a, VNDR + PT_VNDR_RESET, 0x0a, 4,
    };
    g_autofree uint8_t *tables = g_malloc0(TABLES);

    for (unsigned int on = 0; on < 2; on++) {
        QFWCFG *fw_cfg;
        AgentLab lab;
        size_t n;

        agent_lab_boot(&lab, on ? "acpi-reset=on" : NULL, NULL);
        fw_cfg = pc_fw_cfg_init(lab.qts);
        n = qfw_cfg_get_file(fw_cfg, "etc/acpi/tables", tables, TABLES);
        g_assert_cmpuint(n, >, sizeof(region));
        g_assert_cmpint(!!memmem(tables, n, "_RST", 4), ==, on);
        g_assert_cmpint(!!memmem(tables, n, region, sizeof(region)), ==, on);
        pc_fw_cfg_uninit(fw_cfg);
        g_assert_cmpuint(qtest_readb(lab.qts, qpt_ecam(lab.d.rid, VNDR + 2)),
                         ==, on ? PT_VNDR_SIZE : 0);
        agent_lab_stop(&lab);
    }
}

int main(int argc, char **argv)
{
    agent_test_init(&argc, &argv);

    qtest_add_func("/pri-testdev/bits/control", test_control);
    qtest_add_func("/pri-testdev/bits/widths", test_widths);
    qtest_add_func("/pri-testdev/bits/stop", test_stop);
    LAB_ADD_ROWS("/pri-testdev/bits/parameters", parameters, test_parameters);
    LAB_ADD_ROWS("/pri-testdev/bits/ATS-32", writes, test_begins);
    qtest_add_func("/pri-testdev/bits/FLR-03/pending", test_pending);
    qtest_add_func("/pri-testdev/bits/FLR-05/rrs", test_rrs);
    qtest_add_func("/pri-testdev/bits/no-platform", test_no_platform);
    LAB_ADD_ROWS("/pri-testdev/bits/FLR-13", pends, test_pend);
    qtest_add_func("/pri-testdev/bits/no-link", test_no_link);
    qtest_add_func("/pri-testdev/bits/FLR-06/no-port", test_no_port);
    qtest_add_func("/pri-testdev/bits/PORT-11/second", test_second_function);
    qtest_add_func("/pri-testdev/bits/state", test_state);
    qtest_add_func("/pri-testdev/bits/event", test_event);
    qtest_add_func("/pri-testdev/bits/ATS-29/power", test_power);
    qtest_add_func("/pri-testdev/bits/acpi", test_acpi);

    return g_test_run();
}
