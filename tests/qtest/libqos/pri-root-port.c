/*
 * libqos driver for pri-root-port
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/pri-root-port.h"

#define PCI_COMMAND             0x04
#define PCI_BAR0                0x10
#define PCI_CAP_LIST            0x34
#define CAP_ID_EXP              0x10
#define CAP_ID_MSIX             0x11
#define EXT_ID_AER              0x0001
#define EXT_ID_VSEC             0x000b
#define EXT_ID_ACS              0x000d
#define EXT_ID_DPC              0x001d

uint16_t qrp_readw(QRootPort *p, unsigned int offset)
{
    return qtest_readw(p->qts, qpt_ecam(p->rid, offset));
}

uint32_t qrp_readl(QRootPort *p, unsigned int offset)
{
    return qtest_readl(p->qts, qpt_ecam(p->rid, offset));
}

void qrp_writew(QRootPort *p, unsigned int offset, uint16_t value)
{
    qtest_writew(p->qts, qpt_ecam(p->rid, offset), value);
}

void qrp_writel(QRootPort *p, unsigned int offset, uint32_t value)
{
    qtest_writel(p->qts, qpt_ecam(p->rid, offset), value);
}

static uint16_t qrp_find(QRootPort *p, uint8_t id)
{
    uint8_t at = qrp_readw(p, PCI_CAP_LIST) & 0xfc;

    for (int left = 48; at && left; left--) {
        uint16_t header = qrp_readw(p, at);

        if ((header & 0xff) == id) {
            return at;
        }
        at = header >> 8 & 0xfc;
    }
    return 0;
}

static uint16_t qrp_find_ext(QRootPort *p, uint16_t id)
{
    uint16_t at = 0x100;

    for (int left = 960; at && left; left--) {
        uint32_t header = qrp_readl(p, at);

        if ((header & 0xffff) == id) {
            return at;
        }
        at = header >> 20 & 0xffc;
    }
    return 0;
}

void qrp_find_port(QRootPort *p, QTestState *qts, uint16_t rid)
{
    *p = (QRootPort) { .qts = qts, .rid = rid };
    p->exp = qrp_find(p, CAP_ID_EXP);
    p->msix = qrp_find(p, CAP_ID_MSIX);
    p->aer = qrp_find_ext(p, EXT_ID_AER);
    p->acs = qrp_find_ext(p, EXT_ID_ACS);
    p->dpc = qrp_find_ext(p, EXT_ID_DPC);
    p->vsec = qrp_find_ext(p, EXT_ID_VSEC);
    g_assert_cmpuint(p->exp, !=, 0);
}

void qrp_init(QRootPort *p, QTestState *qts, unsigned int slot)
{
    qrp_find_port(p, qts, slot << 3);
    g_assert_cmphex(qrp_readl(p, 0), ==,
                    PRI_ROOT_PORT_DEVICE_ID << 16 | PRI_ROOT_PORT_VENDOR_ID);
    g_assert_cmpuint(p->vsec, !=, 0);
    g_assert_cmphex(qrp_readl(p, p->vsec + PRP_VSEC_HEADER), ==,
                    PRP_VSEC_SIZEOF << 20 | PRP_VSEC_ID);
}

uint32_t qrp_knob(QRootPort *p, uint32_t knob, uint32_t value)
{
    qrp_writel(p, p->vsec + PRP_VSEC_KNOB_SELECT, knob);
    qrp_writel(p, p->vsec + PRP_VSEC_KNOB_VALUE, value);
    return qrp_readl(p, p->vsec + PRP_VSEC_KNOB_STATUS);
}

void qrp_msix(QRootPort *p, uint64_t bar, uint64_t addr, uint32_t data)
{
    uint64_t table = bar + (qrp_readl(p, p->msix + 4) & ~7u);

    qrp_writel(p, PCI_BAR0, bar);
    qrp_writew(p, PCI_COMMAND, 0x6);
    qtest_writel(p->qts, table, addr);
    qtest_writel(p->qts, table + 4, addr >> 32);
    qtest_writel(p->qts, table + 8, data);
    qtest_writel(p->qts, table + 12, 0);
    qrp_writew(p, p->msix + 2, 0x8000);
}

bool qrp_link_up(QRootPort *p)
{
    return qrp_readw(p, p->exp + QRP_LNKSTA) & QRP_LNKSTA_DLLLA;
}

uint16_t qrp_slot(QRootPort *p)
{
    return qrp_readw(p, p->exp + QRP_SLTSTA);
}

void qrp_slot_clear(QRootPort *p)
{
    qrp_writew(p, p->exp + QRP_SLTSTA, qrp_slot(p));
}

void qrp_expect_absent(PriLab *lab)
{
    g_assert_cmphex(qpt_config_readl(&lab->d, 0), ==, UINT32_MAX);
    g_assert_cmphex(qpt_config_readw(&lab->d, PCI_COMMAND), ==, UINT16_MAX);
    g_assert_cmphex(qpt_readl(&lab->d, PT_ID), ==, UINT32_MAX);
    g_assert_cmphex(qpt_readq(&lab->d, PT_CNT_FLRS), ==, UINT64_MAX);
    g_assert_cmphex(qtest_readl(lab->qts, lab->d.bar2), ==, UINT32_MAX);
}

void qrp_expect_fresh(PriLab *lab)
{
    QPriTestdev *d = &lab->d;

    g_assert_cmphex(qpt_config_readl(d, 0), ==,
                    PRI_TESTDEV_DEVICE_ID << 16 | PRI_TESTDEV_VENDOR_ID);
    g_assert_cmphex(qpt_config_readw(d, PCI_COMMAND), ==, 0);
    g_assert_cmphex(qpt_config_readl(d, PCI_BAR0) & ~0xfu, ==, 0);
    g_assert_cmphex(qpt_config_readw(d, d->ats + QPT_ATS_CTRL), ==, 0);
    g_assert_cmphex(qpt_config_readw(d, d->pri + QPT_PRI_CTRL), ==, 0);
    g_assert_cmphex(qpt_config_readl(d, d->pri + QPT_PRI_ALLOC), ==, 0);
    g_assert_cmphex(qpt_config_readw(d, d->pasid + QPT_PASID_CTRL), ==, 0);
    qpt_restore(d);
    g_assert_cmphex(qpt_readl(d, PT_SCRATCH), ==, 0);
    g_assert_cmpuint(qpt_readl(d, PT_ATC_USED), ==, 0);
    g_assert_cmpuint(qpt_readl(d, PT_PRI_GROUPS), ==, 0);
    g_assert_cmpuint(qpt_readl(d, PT_INV_WAITING), ==, 0);
    g_assert_cmpuint(qpt_ch_readl(d, 0, PT_CH_STATUS), ==, PT_ST_IDLE);
}

/* Each time another page, so that each is asked for */
void lab_restart(PriLab *lab)
{
    static unsigned int times;
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA + 0x100000 + times++ * 4096, .len = 4096,
        .pattern = 0x5a5a,
    };
    uint64_t pa = 0x9000000;

    qpt_restore(&lab->d);
    qpt_enable(&lab->d, 0);
    qvtd_prq_drop_all(&lab->v);
    g_assert_cmpuint(qpt_run(&lab->d, 0, &op), ==, PT_ST_RUNNING);
    g_assert_cmpuint(lab_serve(lab, op.dst, pa, QVTD_FS_USER), ==, 1);
    g_assert_cmpuint(qpt_wait(&lab->d, 0), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readb(lab->qts, pa + 9), ==,
                    PT_STAMP_BYTE(0x5a5a, op.dst + 9));
    g_assert_cmpuint(qpt_readq(&lab->d, PT_CNT_RESP_UNEXPECTED), ==, 0);
    g_assert_cmpuint(qpt_readq(&lab->d, PT_CNT_VIOLATIONS), ==, 0);
}
