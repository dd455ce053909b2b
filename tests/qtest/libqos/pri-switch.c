/*
 * A pri-testdev below a switch
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/pri-switch.h"

#define SLOT            4
#define WINDOW          0xe1000000ULL
#define WINDOW_SIZE     0x400000ULL     /* of each Downstream Port */

static void find(PriSwitch *s)
{
    QTestState *qts = s->lab.qts;

    qpt_ecam_enable(qts);
    qpt_bridge_range(qts, SLOT << 3, 1, 4, WINDOW, 2 * WINDOW_SIZE);
    qpt_bridge_range(qts, 1 << 8, 2, 4, WINDOW, 2 * WINDOW_SIZE);
    qpt_bridge_range(qts, 2 << 8, 3, 3, WINDOW, WINDOW_SIZE);
    qpt_bridge_range(qts, 2 << 8 | 1 << 3, 4, 4, WINDOW + WINDOW_SIZE,
                     WINDOW_SIZE);
    qrp_find_port(&s->port[PRI_SWITCH_ROOT], qts, SLOT << 3);
    qrp_find_port(&s->port[PRI_SWITCH_UP], qts, 1 << 8);
    qrp_find_port(&s->port[PRI_SWITCH_DOWN], qts, 2 << 8);
    qpt_init_at(&s->lab.d, qts, 3 << 8, WINDOW);
    qpt_init_at(&s->lab.d2, qts, 4 << 8, WINDOW + WINDOW_SIZE);
}

void pri_switch_start_with(PriSwitch *s, const char *vtd, const char *down,
                           const char *dev, const char *more)
{
    memset(s, 0, sizeof(*s));
    s->lab.qts = qtest_initf(
        "-machine q35 -m 256M -nodefaults "
        "-device intel-iommu,id=vtd," LAB_VTD_OPTIONS ",ite-timeout-ms=100%s "
        "-device pri-root-port,id=rp0,chassis=1,slot=1,bus=pcie.0,addr=%u "
        "-device x3130-upstream,id=up0,bus=rp0 "
        "-device xio3130-downstream,id=dn0,bus=up0,chassis=2,slot=2,addr=0%s "
        "-device xio3130-downstream,id=dn1,bus=up0,chassis=3,slot=3,addr=1%s "
        "-device pri-testdev,id=pt0,bus=dn0%s "
        "-device pri-testdev,id=pt1,bus=dn1%s%s",
        vtd ?: "", SLOT, down ?: "", down ?: "", dev ?: "", dev ?: "", more);
    qvtd_init(&s->lab.v, s->lab.qts);
    find(s);
    pri_lab_program(&s->lab);
    pri_switch_quiet(s);
}

void pri_switch_start(PriSwitch *s, const char *vtd, const char *down,
                      const char *dev)
{
    pri_switch_start_with(s, vtd, down, dev, "");
}

void pri_switch_quiet(PriSwitch *s)
{
    for (unsigned int i = 0; i < PRI_SWITCH_PORTS; i++) {
        QRootPort *p = &s->port[i];

        qrp_writel(p, p->aer + QRP_AER_UNCOR_MASK, 0);
        qrp_writel(p, p->aer + QRP_AER_COR_MASK, 0);
        qrp_writel(p, p->aer + QRP_AER_UNCOR, UINT32_MAX);
        qrp_writel(p, p->aer + QRP_AER_COR, UINT32_MAX);
        qrp_writew(p, QRP_SEC_STATUS, UINT16_MAX);
    }
}

void pri_switch_expect(PriSwitch *s, unsigned int n, uint32_t uncor,
                       bool advisory)
{
    for (unsigned int i = 0; i < PRI_SWITCH_PORTS; i++) {
        QRootPort *p = &s->port[i];
        bool here = i == n && uncor;

        g_assert_cmphex(qrp_readl(p, p->aer + QRP_AER_UNCOR), ==,
                        here ? uncor : 0);
        g_assert_cmphex(qrp_readl(p, p->aer + QRP_AER_COR), ==,
                        here && advisory ? QRP_AER_ADVISORY : 0);
        /* 6.12.5 */
        g_assert_cmphex(qrp_readw(p, QRP_SEC_STATUS) & QRP_SEC_STA, ==,
                        here && uncor == QRP_AER_ACSV ? QRP_SEC_STA : 0);
    }
    pri_switch_quiet(s);
}
