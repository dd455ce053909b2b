/*
 * pri-testdev: hot resets and links that are down (FLR-10), and D3hot
 *
 * PCIe 6.2 5.3.1.4, 6.6.1
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-state.h"
#include "libqos/vtd-inv.h"

#define PAGE            4096
#define PATTERN         0x1122334455667788ULL
#define ONES            UINT32_MAX
#define COMMAND         0x04
#define BRIDGE_CONTROL  0x3e
#define BRIDGE_SBR      0x40
#define LNKSTA          0x12
#define LNKSTA_ACTIVE   0x2000
#define PMCSR           4
#define DEVSTA          0x0a
#define DEVSTA_TP       0x20
#define VTD     "ite-timeout-ms=500,wait-depth=1024"

static uint32_t invalidate(PriLab *lab)
{
    uint32_t slot;

    qinv_put_dev_tlb(&lab->v, lab->d.rid);
    slot = qinv_put_wait(&lab->v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab->v);
    return slot;
}

static uint32_t ite(PriLab *lab)
{
    return qinv_fsts(&lab->v) & QVTD_FSTS_ITE;
}

/* Start a write of a page */
static void start(PriLab *lab, unsigned int ch, uint64_t dst)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = dst, .len = PAGE, .pattern = PATTERN,
    };

    qpt_start(&lab->d, ch, &op);
}

/* -- The resets ------------------------------------------------------------ */

static void hold_bus(QPriTestdev *d, bool hold)
{
    uint64_t at = qpt_ecam(d->port << 3, BRIDGE_CONTROL);
    uint16_t control = qtest_readw(d->qts, at) & ~BRIDGE_SBR;

    qtest_writew(d->qts, at, control | (hold ? BRIDGE_SBR : 0));
}

static void begin_hot(QPriTestdev *d)
{
    hold_bus(d, true);
    g_assert_cmphex(qpt_config_readl(d, 0), ==, ONES);
    hold_bus(d, false);
}

/* -- Everything in flight -------------------------------------------------- */

/* FLR-04: what the function is like before software restores anything */
static void check_defaults(QPriTestdev *d)
{
    g_assert_cmphex(qpt_config_readw(d, COMMAND), ==, 0);
    g_assert_cmphex(qpt_config_readl(d, 0x10) & ~0xf, ==, 0);
    g_assert_cmphex(qpt_config_readw(d, d->msix + 2) & 0x8000, ==, 0);
    g_assert_cmphex(qpt_config_readw(d, d->ats + QPT_ATS_CTRL), ==, 0);
    g_assert_cmphex(qpt_config_readw(d, d->pri + QPT_PRI_CTRL), ==, 0);
    g_assert_cmphex(qpt_config_readw(d, d->pri + QPT_PRI_STATUS), ==,
                    QPT_PRI_STATUS_STOPPED | QPT_PRI_STATUS_PASID);
    g_assert_cmphex(qpt_config_readl(d, d->pri + QPT_PRI_ALLOC), ==, 0);
    g_assert_cmphex(qpt_config_readw(d, d->pasid + QPT_PASID_CTRL), ==, 0);
    /* FLR-03 */
    g_assert_cmphex(qpt_config_readw(d, d->exp + DEVSTA) & DEVSTA_TP, ==, 0);
}

/* -- What each of them has of its own -------------------------------------- */

/* ATS-29: pending when the function leaves D0, knob inv-in-d3 */
static void check_d3_pending(uint64_t value, bool done)
{
    PriLab lab;
    unsigned int pm;
    uint32_t slot, second;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    pm = qpt_find_cap(&lab.d, QPT_CAP_ID_PM) + PMCSR;
    lab_knob(&lab, PT_KNOB_INV_IN_D3, value);
    lab_knob(&lab, PT_KNOB_INV_DELAY, 1000);
    slot = invalidate(&lab);
    qpt_config_writew(&lab.d, pm, 3);
    second = invalidate(&lab);
    qtest_clock_step(lab.qts, 2 * QINV_MS);
    g_assert_true(qvtd_wait_done(&lab.v, slot) == done);
    g_assert_true(qvtd_wait_done(&lab.v, second) == done);
    pri_lab_stop(&lab);
}

static void test_d3_pending(void)
{
    check_d3_pending(0, true);
    check_d3_pending(1, false);
}

/* FLR-10: as long as the port says; the time counts from its end */
static void test_hot_hold(void)
{
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, "hot-reset-ms=100,flr-config=rrs,"
                       "inv-in-flr=complete", 0);
    start(&lab, 0, LAB_IOVA);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    hold_bus(&lab.d, true);
    /* whatever the knob says, there is no link */
    slot = invalidate(&lab);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 0, QPT_SUCCESS);
    qtest_clock_step(lab.qts, 300 * QINV_MS);
    g_assert_cmphex(qpt_config_readl(&lab.d, 0), ==, ONES);
    g_assert_cmphex(qpt_readl(&lab.d, PT_ID), !=, PT_ID_MAGIC);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    hold_bus(&lab.d, false);
    g_assert_cmphex(qpt_config_readl(&lab.d, 0), ==, 0xffff0001);
    qtest_clock_step(lab.qts, 99 * QINV_MS);
    g_assert_cmphex(qpt_config_readl(&lab.d, 0), ==, 0xffff0001);
    qtest_clock_step(lab.qts, 2 * QINV_MS);
    check_defaults(&lab.d);
    qpt_restore(&lab.d);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RESETS), ==, 1);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RESET_LAST), ==, PT_RESET_HOT);

    /* the response was lost with the link: nothing stale is left */
    qpt_enable(&lab.d, 0);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_RESP_UNEXPECTED), ==, 0);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_RESP_STALE), ==, 0);
    pri_lab_stop(&lab);
}

/* FLR-10: the port says that the link is up, which Linux waits for */
static void test_hot_link(void)
{
    QPriTestdev port;
    unsigned int at;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, "hot-reset-ms=100,flr-config=all-ones", 0);
    port = lab.d;
    port.rid = lab.d.port << 3;
    at = qpt_find_cap(&port, QPT_CAP_ID_EXP) + LNKSTA;
    g_assert_cmphex(qpt_config_readw(&port, at) & LNKSTA_ACTIVE, !=, 0);
    begin_hot(&lab.d);
    g_assert_cmphex(qpt_config_readw(&port, at) & LNKSTA_ACTIVE, !=, 0);
    pri_lab_stop(&lab);
}

/* A reset of the machine in the middle of a hot reset ends it */
static void test_hot_machine_reset(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, NULL, "hot-reset-ms=100,flr-config=all-ones", 0);
    hold_bus(&lab.d, true);
    lab_reset(&lab);
    qvtd_init(&lab.v, lab.qts);
    qpt_init(&lab.d, lab.qts, lab.d.port, LAB_BUS);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RESETS), ==, 0);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{

    pri_lab_test_init(&argc, &argv);
    qtest_add_func("/pri-testdev/reset/ATS-29/d3-pending", test_d3_pending);
    qtest_add_func("/pri-testdev/reset/FLR-10/hold", test_hot_hold);
    qtest_add_func("/pri-testdev/reset/FLR-10/link", test_hot_link);
    qtest_add_func("/pri-testdev/reset/FLR-10/machine-reset",
                   test_hot_machine_reset);
    return g_test_run();
}
