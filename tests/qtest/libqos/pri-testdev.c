/*
 * libqos driver for pri-testdev, behind a root port of q35
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/pri-testdev.h"

#define QPT_ECAM_BASE           0xb0000000ULL
#define QPT_MMIO_BASE           0xe0000000ULL
#define QPT_MMIO_SIZE           0x400000ULL     /* a root port */
#define QPT_MMIO_BAR            0x40000ULL      /* a BAR of one of several */
#define QPT_POLLS               1000

#define PCI_COMMAND             0x04
#define PCI_COMMAND_MEMORY      0x2
#define PCI_COMMAND_MASTER      0x4
#define PCI_BAR0                0x10
#define PCI_BAR2                0x18
#define PCI_CAP_LIST            0x34
#define PCI_BRIDGE_BUSES        0x18
#define PCI_BRIDGE_MEMORY       0x20

void qpt_ecam_enable(QTestState *qts)
{
    /* PCIEXBAR of the q35 host bridge: 256 MiB, enabled */
    qtest_outl(qts, 0xcf8, 1U << 31 | 0x64);
    qtest_outl(qts, 0xcfc, QPT_ECAM_BASE >> 32);
    qtest_outl(qts, 0xcf8, 1U << 31 | 0x60);
    qtest_outl(qts, 0xcfc, (uint32_t)QPT_ECAM_BASE | 1);
}

uint64_t qpt_ecam(uint16_t rid, unsigned int offset)
{
    return QPT_ECAM_BASE + ((uint64_t)rid << 12) + offset;
}

void qpt_bridge_range(QTestState *qts, uint16_t rid, uint8_t secondary,
                      uint8_t subordinate, uint64_t base, uint64_t size)
{
    uint64_t last = base + size - 1;

    qtest_writel(qts, qpt_ecam(rid, PCI_BRIDGE_BUSES), subordinate << 16 |
                 secondary << 8 | rid >> 8);
    qtest_writel(qts, qpt_ecam(rid, PCI_BRIDGE_MEMORY),
                 (last >> 16 & 0xfff0) << 16 | (base >> 16 & 0xfff0));
    qtest_writew(qts, qpt_ecam(rid, PCI_COMMAND),
                 PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

void qpt_bridge_setup(QTestState *qts, unsigned int port, uint8_t bus,
                      uint64_t base)
{
    qpt_bridge_range(qts, port << 3, bus, bus, base, QPT_MMIO_SIZE);
}

uint16_t qpt_config_readw(QPriTestdev *d, unsigned int offset)
{
    return qtest_readw(d->qts, qpt_ecam(d->rid, offset));
}

uint32_t qpt_config_readl(QPriTestdev *d, unsigned int offset)
{
    return qtest_readl(d->qts, qpt_ecam(d->rid, offset));
}

void qpt_config_writew(QPriTestdev *d, unsigned int offset, uint16_t value)
{
    qtest_writew(d->qts, qpt_ecam(d->rid, offset), value);
}

void qpt_config_writel(QPriTestdev *d, unsigned int offset, uint32_t value)
{
    qtest_writel(d->qts, qpt_ecam(d->rid, offset), value);
}

uint16_t qpt_find_cap(QPriTestdev *d, uint8_t id)
{
    uint8_t at = qpt_config_readw(d, PCI_CAP_LIST) & 0xfc;
    int left = 48;

    while (at && left--) {
        uint16_t header = qpt_config_readw(d, at);

        if ((header & 0xff) == id) {
            return at;
        }
        at = header >> 8 & 0xfc;
    }
    return 0;
}

uint16_t qpt_find_ext_cap(QPriTestdev *d, uint16_t id)
{
    uint16_t at = 0x100;
    int left = 960;

    while (at && left--) {
        uint32_t header = qpt_config_readl(d, at);

        if ((header & 0xffff) == id) {
            return at;
        }
        at = header >> 20 & 0xffc;
    }
    return 0;
}

void qpt_restore(QPriTestdev *d)
{
    qpt_config_writel(d, PCI_BAR0, d->bar0);
    qpt_config_writel(d, PCI_BAR2, d->bar2);
    if (qpt_config_readl(d, PCI_BAR0) & 4) {
        qpt_config_writel(d, PCI_BAR0 + 4, 0);
    }
    if (qpt_config_readl(d, PCI_BAR2) & 4) {
        qpt_config_writel(d, PCI_BAR2 + 4, 0);
    }
    qpt_config_writew(d, PCI_COMMAND, PCI_COMMAND_MEMORY);
}

void qpt_init(QPriTestdev *d, QTestState *qts, unsigned int port, uint8_t bus)
{
    qpt_init_function(d, qts, port, bus, 0);
}

void qpt_init_function(QPriTestdev *d, QTestState *qts, unsigned int port,
                       uint8_t bus, unsigned int fn)
{
    uint64_t base = QPT_MMIO_BASE + port * QPT_MMIO_SIZE;

    qpt_ecam_enable(qts);
    qpt_bridge_setup(qts, port, bus, base);
    qpt_init_at(d, qts, bus << 8 | fn, base);
    d->port = port;
    g_assert_cmphex(qpt_config_readl(d, 0), ==,
                    PRI_TESTDEV_DEVICE_ID << 16 | PRI_TESTDEV_VENDOR_ID);
}

void qpt_init_at(QPriTestdev *d, QTestState *qts, uint16_t rid, uint64_t base)
{
    unsigned int fn = rid & 7;

    memset(d, 0, sizeof(*d));
    d->qts = qts;
    d->rid = rid;
    d->bar0 = base + fn * QPT_MMIO_BAR;
    d->bar2 = base + QPT_MMIO_SIZE / 2 + fn * QPT_MMIO_BAR;
    qpt_restore(d);

    d->exp = qpt_find_cap(d, QPT_CAP_ID_EXP);
    d->msix = qpt_find_cap(d, QPT_CAP_ID_MSIX);
    d->ats = qpt_find_ext_cap(d, QPT_EXT_ID_ATS);
    d->pri = qpt_find_ext_cap(d, QPT_EXT_ID_PRI);
    d->pasid = qpt_find_ext_cap(d, QPT_EXT_ID_PASID);
    g_assert_cmphex(qpt_readl(d, PT_ID), ==, PT_ID_MAGIC);
    d->channels = qpt_readl(d, PT_CHANNELS);
}

void qpt_enable(QPriTestdev *d, uint32_t alloc)
{
    qpt_config_writew(d, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    if (d->pasid) {
        uint16_t cap = qpt_config_readw(d, d->pasid + QPT_PASID_CAP);

        qpt_config_writew(d, d->pasid + QPT_PASID_CTRL, QPT_PASID_CTRL_E |
                          (cap & (QPT_PASID_CTRL_EXEC | QPT_PASID_CTRL_PRIV)));
    }
    if (d->pri) {
        if (!alloc) {
            alloc = qpt_config_readl(d, d->pri + QPT_PRI_CAPACITY);
        }
        qpt_config_writew(d, d->pri + QPT_PRI_CTRL, QPT_PRI_CTRL_RESET);
        qpt_config_writel(d, d->pri + QPT_PRI_ALLOC, alloc);
        qpt_config_writew(d, d->pri + QPT_PRI_CTRL, QPT_PRI_CTRL_E);
    }
    if (d->ats) {
        qpt_config_writew(d, d->ats + QPT_ATS_CTRL, QPT_ATS_CTRL_E);
    }
}

void qpt_pri_disable(QPriTestdev *d)
{
    qpt_config_writew(d, d->pri + QPT_PRI_CTRL, 0);
}

void qpt_flr(QPriTestdev *d)
{
    uint16_t ctl = qpt_config_readw(d, d->exp + QPT_EXP_DEVCTL);

    qpt_config_writew(d, d->exp + QPT_EXP_DEVCTL, ctl | QPT_EXP_DEVCTL_FLR);
    /* PCIe 6.2 6.6.2: software waits 100 ms */
    qtest_clock_step(d->qts, 100 * 1000 * 1000);
}

void qpt_msix(QPriTestdev *d, uint64_t addr, uint32_t data)
{
    uint16_t ctl = qpt_config_readw(d, d->msix + 2);
    uint32_t table = qpt_config_readl(d, d->msix + 4) & ~7u;
    unsigned int i;

    for (i = 0; i <= (ctl & 0x7ff); i++) {
        uint64_t entry = d->bar2 + table + i * 16;

        qtest_writel(d->qts, entry, addr);
        qtest_writel(d->qts, entry + 4, addr >> 32);
        qtest_writel(d->qts, entry + 8, data + i);
        qtest_writel(d->qts, entry + 12, 0);
    }
    qpt_config_writew(d, d->msix + 2, ctl | 0x8000);
}

uint32_t qpt_readl(QPriTestdev *d, unsigned int offset)
{
    return qtest_readl(d->qts, d->bar0 + offset);
}

uint64_t qpt_readq(QPriTestdev *d, unsigned int offset)
{
    return qtest_readq(d->qts, d->bar0 + offset);
}

void qpt_writel(QPriTestdev *d, unsigned int offset, uint32_t value)
{
    qtest_writel(d->qts, d->bar0 + offset, value);
}

void qpt_writeq(QPriTestdev *d, unsigned int offset, uint64_t value)
{
    qtest_writeq(d->qts, d->bar0 + offset, value);
}

uint32_t qpt_ch_readl(QPriTestdev *d, unsigned int ch, unsigned int offset)
{
    return qpt_readl(d, PT_CHANNEL(ch) + offset);
}

uint64_t qpt_ch_readq(QPriTestdev *d, unsigned int ch, unsigned int offset)
{
    return qpt_readq(d, PT_CHANNEL(ch) + offset);
}

uint32_t qpt_knob_hash(const char *name)
{
    uint32_t hash = PT_KNOB_HASH_BASIS;

    while (*name) {
        hash = (hash ^ (uint8_t)*name++) * PT_KNOB_HASH_PRIME;
    }
    return hash;
}

uint32_t qpt_knob_set(QPriTestdev *d, uint32_t knob, uint64_t value)
{
    qpt_writel(d, PT_KNOB_SELECT, knob);
    qpt_writeq(d, PT_KNOB_VALUE, value);
    return qpt_readl(d, PT_KNOB_STATUS);
}

uint64_t qpt_knob_get(QPriTestdev *d, uint32_t knob)
{
    qpt_writel(d, PT_KNOB_SELECT, knob);
    return qpt_readq(d, PT_KNOB_VALUE);
}

void qpt_start(QPriTestdev *d, unsigned int ch, const QPtOp *op)
{
    unsigned int at = PT_CHANNEL(ch);

    qpt_writel(d, at + PT_CH_FLAGS, op->flags);
    qpt_writel(d, at + PT_CH_PASID, op->pasid);
    qpt_writeq(d, at + PT_CH_SRC, op->src);
    qpt_writeq(d, at + PT_CH_DST, op->dst);
    qpt_writeq(d, at + PT_CH_LEN, op->len);
    qpt_writeq(d, at + PT_CH_PATTERN, op->pattern);
    qpt_writel(d, at + PT_CH_GROUP, op->group ? op->group : PT_GROUP_DEFAULT);
    qpt_writel(d, at + PT_CH_RETRIES,
               op->retries ? op->retries : PT_RETRIES_DEFAULT);
    if (op->flags & (PT_FLAG_GATHER | PT_FLAG_SCATTER)) {
        qpt_writeq(d, at + PT_CH_LIST, op->list);
        qpt_writel(d, at + PT_CH_LIST_LEN, op->list_len);
    }
    qpt_writel(d, at + PT_CH_CMD, op->cmd);
}

uint32_t qpt_wait(QPriTestdev *d, unsigned int ch)
{
    uint32_t status = PT_ST_RUNNING;
    int i;

    for (i = 0; i < QPT_POLLS && status == PT_ST_RUNNING; i++) {
        status = qpt_ch_readl(d, ch, PT_CH_STATUS);
    }
    return status;
}

uint32_t qpt_run(QPriTestdev *d, unsigned int ch, const QPtOp *op)
{
    qpt_start(d, ch, op);
    return qpt_wait(d, ch);
}

void qpt_raw(QPriTestdev *d, const QPtRaw *raw)
{
    qpt_writeq(d, PT_RAW_ADDR, raw->addr);
    qpt_writel(d, PT_RAW_PASID, raw->pasid == QPT_NO_PASID ? 0 :
               raw->pasid | PT_RAW_PASID_PRESENT);
    qpt_writel(d, PT_RAW_FLAGS, raw->flags);
    qpt_writel(d, PT_RAW_PRGI, raw->prgi);
    qpt_writel(d, PT_RAW_SEND, 1);
}

unsigned int qpt_raw_response(QPriTestdev *d, uint32_t *prgi, uint32_t *pasid)
{
    uint32_t resp = qpt_readl(d, PT_RAW_RESP);
    uint32_t p = qpt_readl(d, PT_RAW_RESP_PASID);

    qpt_writel(d, PT_RAW_RESP, 0);
    if (!(resp & PT_RAW_RESP_VALID)) {
        return QPT_NO_RESPONSE;
    }
    if (prgi) {
        *prgi = PT_RAW_RESP_PRGI(resp);
    }
    if (pasid) {
        *pasid = resp & PT_RAW_RESP_HAD_PASID ? p : QPT_NO_PASID;
    }
    return PT_RAW_RESP_CODE(resp);
}
