/*
 * Configuration space of ports: pri-root-port, QEMU's own root port and its
 * switch, register by register
 *
 * What can be written is compared with a list; the rest is read-only or
 * reserved.  After a reset all is what it was at first: after a machine reset
 * the sticky registers, too, and not after a hot reset.
 *
 * PCIe 6.2 6.6.1, 7.2, 7.4, 7.5.1, 7.5.3, 7.8.4, 7.9.14; checklist items CFG-01
 * and CFG-02
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/pri-switch.h"

#define SIZE            4096
#define ONES            UINT32_MAX
#define BRIDGE          0x3c            /* Interrupt Line, Bridge Control */
#define BRIDGE_SBR      (0x40u << 16)
#define SLTCTL_PCC      (1u << 10)
#define SLTCTL_EIC      (1u << 11)      /* toggles the interlock, reads 0 */
#define SLTSTA_CC       (QRP_SLTSTA_CC << 16)
#define DPC_SW          ((uint32_t)QRP_DPC_CTL_SW << 16)
#define AER_SIZE        0x48
#define CAP_ID_MSI      0x05
#define SLOT            4
#define WINDOW          0xe0000000

/* Which ports have a register */
enum {
    PRI = 1, PLAIN = 2, UP = 4, DOWN = 8,
    ROOT = PRI | PLAIN, SLOTS = ROOT | DOWN, ALL = SLOTS | UP,
};

/* @base is where a capability begins; the bits that a write of ones sets */
typedef struct Writable {
    const char *name;
    unsigned int ports;
    enum { HEADER, EXP, MSIX, MSI, AER, DPC } base;
    uint16_t offset;
    uint32_t bits;
} Writable;

static const Writable writable[] = {
    { "Command", PRI, HEADER, 0x04, 0x547 },
    /* QEMU's have no Parity Error Response */
    { "Command", ALL & ~PRI, HEADER, 0x04, 0x507 },
    { "Cache Line Size", ALL, HEADER, 0x0c, 0xff },
    { "BAR 0", ROOT, HEADER, 0x10, 0xfffff000 },
    { "bus numbers", ALL, HEADER, 0x18, 0xffffff },
    { "I/O Base and Limit", ALL, HEADER, 0x1c, 0xf0f0 },
    { "Memory Base and Limit", ALL, HEADER, 0x20, 0xfff0fff0 },
    { "Prefetchable Base and Limit", ALL, HEADER, 0x24, 0xfff0fff0 },
    { "Prefetchable Base Upper", ALL, HEADER, 0x28, ONES },
    { "Prefetchable Limit Upper", ALL, HEADER, 0x2c, ONES },
    { "Interrupt Line, Bridge Control", ALL, HEADER, BRIDGE, 0x1f00ff },
    { "Device Control", ALL, EXP, QRP_DEVCTL, 0xf },
    { "Link Control", PRI, EXP, QRP_LNKCTL, 0xc0 },
    { "Slot Control", PRI, EXP, QRP_SLTCTL, 0x13f9 },
    { "Slot Control", PLAIN | DOWN, EXP, QRP_SLTCTL, 0x3f9 },
    { "Root Control", PRI, EXP, 0x1c, 0xf },
    { "Root Control", PLAIN, EXP, 0x1c, 0x7 },
    { "Device Control 2", SLOTS, EXP, QRP_DEVCTL2, 0x8020 },
    { "Device Control 2", UP, EXP, QRP_DEVCTL2, 0x8000 },
    { "Message Control of MSI-X", ROOT, MSIX, 0, 0xc0000000 },
    /* more vectors than it can have are none */
    { "Message Control of MSI", UP | DOWN, MSI, 0, 0x10000 },
    { "Message Address", UP | DOWN, MSI, 4, 0xfffffffc },
    { "Message Upper Address", UP | DOWN, MSI, 8, ONES },
    { "Message Data", UP | DOWN, MSI, 12, 0xffff },
    { "Uncorrectable Error Mask", ALL, AER, QRP_AER_UNCOR_MASK, 0x03fff030 },
    { "Uncorrectable Error Severity", ALL, AER, 0x0c, 0x03fff030 },
    { "Correctable Error Mask", ALL, AER, QRP_AER_COR_MASK, 0xf1c1 },
    { "Advanced Error Control", ALL, AER, 0x18, 0x540 },
    { "Root Error Command", ROOT, AER, QRP_AER_ROOT_CMD, 0x7 },
    { "DPC Control", PRI, DPC, QRP_DPC_CAP, 0x1f0000 },
};

typedef struct Port {
    const char *name;
    unsigned int kind;
    unsigned int n;             /* of PriSwitch; not of PLAIN */
} Port;

static const Port ports[] = {
    { "pri-root-port", PRI, PRI_SWITCH_ROOT },
    { "pcie-root-port", PLAIN },
    { "x3130-upstream", UP, PRI_SWITCH_UP },
    { "xio3130-downstream", DOWN, PRI_SWITCH_DOWN },
};

typedef struct Case {
    const Port *port;
    unsigned int size;
} Case;

/* -- Access ---------------------------------------------------------------- */

static void start(const Port *port, PriSwitch *s, QRootPort *p)
{
    if (port->kind == PLAIN) {
        pri_lab_boot(&s->lab, NULL, NULL, 0);
        qrp_find_port(p, s->lab.qts, SLOT << 3);
    } else {
        pri_switch_start(s, NULL, ",acs=on", NULL);
        *p = s->port[port->n];
    }
}

/* Where a capability of the first 256 bytes is */
static uint16_t find_msi(QRootPort *p)
{
    uint8_t at = qrp_readw(p, 0x34) & 0xfc;

    while (at && (qrp_readw(p, at) & 0xff) != CAP_ID_MSI) {
        at = qrp_readw(p, at) >> 8 & 0xfc;
    }
    return at;
}

static uint16_t base_of(QRootPort *p, const Writable *w)
{
    switch (w->base) {
    case EXP:
        return p->exp;
    case MSIX:
        return p->msix;
    case MSI:
        return find_msi(p);
    case AER:
        return p->aer;
    case DPC:
        return p->dpc;
    default:
        return 0;
    }
}

/* Knobs, which have their own test */
static bool is_knob(QRootPort *p, unsigned int offset)
{
    return p->vsec && offset >= p->vsec && offset < p->vsec + PRP_VSEC_SIZEOF;
}

/* Ones that would reset what is below, or take its link or its power */
static uint32_t harmless(QRootPort *p, unsigned int offset)
{
    if (offset == BRIDGE) {
        return ~BRIDGE_SBR;
    }
    if (offset == p->exp + QRP_LNKCTL) {
        return ~QRP_LNKCTL_LD;
    }
    if (offset == p->exp + QRP_SLTCTL) {
        return ~(SLTCTL_PCC | SLTCTL_EIC);
    }
    if (p->dpc && offset == p->dpc + QRP_DPC_CAP) {
        return ~DPC_SW;
    }
    return is_knob(p, offset) ? 0 : ONES;
}

static void dump(QRootPort *p, uint32_t *regs)
{
    for (unsigned int i = 0; i < SIZE / 4; i++) {
        regs[i] = qrp_readl(p, i * 4);
    }
}

static void write_ones(QRootPort *p, unsigned int size)
{
    for (unsigned int i = 0; i < SIZE; i += size) {
        uint32_t ones = harmless(p, i & ~3u) >> ((i & 3) * 8);
        uint64_t at = qpt_ecam(p->rid, i);

        if (size == 1) {
            qtest_writeb(p->qts, at, ones);
        } else if (size == 2) {
            qtest_writew(p->qts, at, ones);
        } else {
            qtest_writel(p->qts, at, ones);
        }
    }
}

/* -- CFG-01: what can be written ------------------------------------------- */

static uint32_t expected(QRootPort *p, unsigned int kind, unsigned int offset,
                         const char **name)
{
    if (p->acs && offset == p->acs + QRP_ACS_CAP) {
        *name = "ACS Control";  /* 7.7.11.3: as ACS Capability says */
        return (qrp_readl(p, offset) & 0x7f) << 16;
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(writable); i++) {
        const Writable *w = &writable[i];

        if (w->ports & kind && base_of(p, w) + w->offset == offset) {
            *name = w->name;
            return w->bits;
        }
    }
    *name = "reserved or read-only";
    return 0;
}

static void test_writable(const void *opaque)
{
    const Case *c = opaque;
    uint32_t was[SIZE / 4];
    PriSwitch s;
    QRootPort p;

    start(c->port, &s, &p);
    dump(&p, was);
    write_ones(&p, c->size);
    for (unsigned int i = 0; i < SIZE / 4; i++) {
        uint32_t value = qrp_readl(&p, i * 4), want;
        const char *name;

        want = was[i] | expected(&p, c->port->kind, i * 4, &name);
        if (i * 4 == p.exp + QRP_SLTCTL) {
            value &= ~SLTSTA_CC;            /* that is what it has led to */
        }
        if (!is_knob(&p, i * 4) && value != want) {
            g_test_message("%s at 0x%03x: 0x%08x, not 0x%08x", name, i * 4,
                           value, want);
            g_test_fail();
        }
    }
    pri_lab_stop(&s.lab);
}

/* -- CFG-02: after a reset ------------------------------------------------- */

static void reset(PriSwitch *s, bool hot)
{
    QTestState *qts = s->lab.qts;
    uint64_t at = qpt_ecam(SLOT << 3, BRIDGE);

    if (hot) {
        qtest_writel(qts, at, qtest_readl(qts, at) | BRIDGE_SBR);
        qtest_writel(qts, at, qtest_readl(qts, at) & ~BRIDGE_SBR);
    } else {
        lab_reset(&s->lab);
        qpt_ecam_enable(qts);
    }
}

/* The way to a port of the switch; nothing else is set in any port */
static void find_again(PriSwitch *s, const Port *port)
{
    static const uint32_t buses[] = { 0x040100, 0x040201 };

    if (port->kind & (UP | DOWN)) {
        qtest_writel(s->lab.qts, qpt_ecam(SLOT << 3, 0x18), buses[0]);
    }
    if (port->kind == DOWN) {
        qtest_writel(s->lab.qts, qpt_ecam(1 << 8, 0x18), buses[1]);
    }
}

/* A UR of the port itself, with its header; and a message of it, if it may */
static void make_error(PriSwitch *s, const Port *port, QRootPort *p)
{
    static const char *const ids[] = {
        [PRI] = "rp0", [PLAIN] = "rp0", [UP] = "up0", [DOWN] = "dn0",
    };
    g_autofree char *said = NULL;

    qrp_writew(p, 0x04, 0x106);                     /* SERR */
    qrp_writew(p, p->exp + QRP_DEVCTL, 0xf);
    qrp_writel(p, p->aer + QRP_AER_UNCOR_MASK, 0);
    said = qtest_hmp(p->qts, "pcie_aer_inject_error %s UNSUP 1 2 3 4",
                     ids[port->kind]);
    g_assert_cmphex(qrp_readl(p, p->aer + QRP_AER_UNCOR), ==, QRP_AER_UR);
    g_assert_cmphex(qrp_readl(p, p->aer + QRP_AER_HEADER), !=, 0);
}

static void check_reset(const Port *port, bool hot)
{
    uint32_t was[SIZE / 4], dirty[SIZE / 4];
    PriSwitch s;
    QRootPort p;

    start(port, &s, &p);
    reset(&s, false);
    find_again(&s, port);
    dump(&p, was);
    make_error(&s, port, &p);
    write_ones(&p, 2);
    make_error(&s, port, &p);
    dump(&p, dirty);
    reset(&s, hot);
    find_again(&s, port);
    for (unsigned int i = 0; i < SIZE / 4; i++) {
        bool sticky = hot && i * 4 >= p.aer && i * 4 < p.aer + AER_SIZE;
        uint32_t want = sticky ? dirty[i] : was[i];
        uint32_t value = qrp_readl(&p, i * 4);

        if (!is_knob(&p, i * 4) && value != want) {
            g_test_message("0x%03x: 0x%08x, not 0x%08x", i * 4, value, want);
            g_test_fail();
        }
    }
    pri_lab_stop(&s.lab);
}

static void test_machine_reset(const void *opaque)
{
    check_reset(opaque, false);
}

static void test_hot_reset(const void *opaque)
{
    check_reset(opaque, true);
}

/*
 * A device in slot 4 of bus 0 that has been there when the machine was reset;
 * @more: what QEMU has to know besides
 */
static void start_one(QTestState **qts, QRootPort *p, const char *device,
                      const char *more)
{
    PriLab lab = {
        .qts = qtest_initf("-machine q35 -m 64M -nodefaults "
                           "-device %s,bus=pcie.0,addr=%u %s", device, SLOT,
                           more),
    };

    lab_reset(&lab);
    *qts = lab.qts;
    qpt_ecam_enable(lab.qts);
    qrp_find_port(p, lab.qts, SLOT << 3);
}

/* Nothing of Advanced Error Reporting is reset where there is none */
static void test_no_aer(void)
{
    QTestState *qts;
    QRootPort p;

    start_one(&qts, &p, "pcie-root-port,id=rp0,chassis=1",
              "-device virtio-rng-pci,bus=rp0");
    qpt_bridge_setup(qts, SLOT, 1, WINDOW);
    qrp_find_port(&p, qts, 1 << 8);
    g_assert_cmpuint(p.exp, !=, 0);
    g_assert_cmpuint(p.aer, ==, 0);
    g_assert_cmphex(qrp_readl(&p, 0x04), ==, 0x100000);     /* Capabilities */
    g_assert_cmphex(qrp_readl(&p, 0x08) >> 8, ==, 0x00ff00);
    qtest_quit(qts);
}

/* A machine of old has an Uncorrectable Error Mask of 0 for good */
static void test_no_mask(void)
{
    QTestState *qts;
    QRootPort p;

    start_one(&qts, &p, "pcie-root-port,chassis=1,x-pcie-err-unc-mask=off",
              "");
    g_assert_cmphex(qrp_readl(&p, p.aer + QRP_AER_UNCOR_MASK), ==, 0);
    qtest_quit(qts);
    start_one(&qts, &p, "pcie-root-port,chassis=1", "");
    g_assert_cmphex(qrp_readl(&p, p.aer + QRP_AER_UNCOR_MASK), !=, 0);
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    static Case cases[ARRAY_SIZE(ports)][3];

    pri_lab_test_init(&argc, &argv);
    for (unsigned int i = 0; i < ARRAY_SIZE(ports); i++) {
        const Port *port = &ports[i];
        g_autofree char *machine = g_strdup_printf(
            "/port/config/CFG-02/machine/%s", port->name);
        g_autofree char *hot = g_strdup_printf(
            "/port/config/CFG-02/hot/%s", port->name);

        for (unsigned int k = 0; k < 3; k++) {
            g_autofree char *name = g_strdup_printf(
                "/port/config/CFG-01/%s/%u-bytes", port->name, 1 << k);

            cases[i][k] = (Case) { port, 1 << k };
            qtest_add_data_func(name, &cases[i][k], test_writable);
        }
        qtest_add_data_func(machine, port, test_machine_reset);
        if (port->kind & (UP | DOWN)) {
            qtest_add_data_func(hot, port, test_hot_reset);
        }
    }
    qtest_add_func("/port/config/CFG-02/machine/no-aer", test_no_aer);
    qtest_add_func("/port/config/CFG-02/machine/no-mask", test_no_mask);
    return g_test_run();
}
