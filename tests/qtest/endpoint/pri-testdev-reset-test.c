/*
 * pri-testdev: every reset of the PCI function, with everything in flight
 *
 * Checklist items FLR-01 to FLR-12, ATS-27, ATS-29, and PRQ-91 of the IOMMU's
 * side.  Knobs of the Function Level Reset itself are in the knob test.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-state.h"
#include "libqos/vtd-inv.h"

#define PAGE            4096
#define PA              0x8000000ULL
#define PATTERN         0x1122334455667788ULL
#define ONES            UINT32_MAX
#define COMMAND         0x04
#define STATUS          0x06
#define STATUS_IMM      0x1
#define BRIDGE_CONTROL  0x3e
#define BRIDGE_SBR      0x40
#define PMCSR           4
#define PMCSR_NSR       0x8
#define AF_CTRL         4
#define AER_UNC_MASK    0x08
#define AER_UNC_SEVER   0x0c
#define AER_COR_MASK    0x14
#define DEVSTA          0x0a
#define DEVSTA_TP       0x20
#define VTD     "ite-timeout-ms=500,wait-depth=1024"
#define ALL     "af-flr=on,acpi-reset=on,no-soft-reset=off"

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

static void set_config(QPriTestdev *d, unsigned int offset, uint16_t bits)
{
    qpt_config_writew(d, offset, qpt_config_readw(d, offset) | bits);
}

static void begin_flr(QPriTestdev *d)
{
    set_config(d, d->exp + QPT_EXP_DEVCTL, QPT_EXP_DEVCTL_FLR);
}

static void begin_af(QPriTestdev *d)
{
    qtest_writeb(d->qts, qpt_ecam(d->rid, qpt_find_cap(d, QPT_CAP_ID_AF) +
                                  AF_CTRL), 1);
}

static void begin_d3(QPriTestdev *d)
{
    unsigned int pm = qpt_find_cap(d, QPT_CAP_ID_PM) + PMCSR;
    uint16_t ats = qpt_config_readw(d, d->ats + QPT_ATS_CTRL);

    qpt_config_writew(d, pm, 3);
    g_assert_cmphex(qpt_config_readw(d, pm) & 3, ==, 3);
    /* the reset is on the way back */
    g_assert_cmphex(qpt_config_readw(d, d->ats + QPT_ATS_CTRL), ==, ats);
    qpt_config_writew(d, pm, 0);
}

static void begin_platform(QPriTestdev *d)
{
    qpt_config_writel(d, qpt_find_cap(d, QPT_CAP_ID_VNDR) + PT_VNDR_RESET, 1);
}

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

typedef struct Method {
    const char *name;
    uint32_t kind;
    uint32_t knob;          /* how long it takes */
    void (*begin)(QPriTestdev *d);
} Method;

static const Method methods[] = {
    { "FLR-04/flr", PT_RESET_FLR, PT_KNOB_FLR_DURATION, begin_flr },
    { "FLR-04/af-flr", PT_RESET_AF, PT_KNOB_FLR_DURATION, begin_af },
    { "FLR-09/d3hot", PT_RESET_D3HOT, PT_KNOB_D3_DURATION, begin_d3 },
    { "FLR-10/hot", PT_RESET_HOT, PT_KNOB_HOT_DURATION, begin_hot },
    { "platform", PT_RESET_PLATFORM, PT_KNOB_FLR_DURATION, begin_platform },
};

/* -- Everything in flight -------------------------------------------------- */

/*
 * Channel 0 has a translation in the ATC, 1 waits for a response, 2 for
 * credits; 3 is in the middle of its DMA while the machine stands still.  A
 * completion is held, with a wait behind it.  MSI-X is on.
 */
static uint32_t fly(PriLab *lab)
{
    QPriTestdev *d = &lab->d;
    uint32_t slot;

    qpt_pri_disable(d);
    qpt_enable(d, 1);
    qpt_msix(d, LAB_MSI_ADDR, 0x80);
    qpt_writel(d, PT_SCRATCH, 7);
    qpt_writel(d, PT_EVENT_ENABLE, PT_EVENT_ALL);
    qvtd_fs_map(&lab->v, lab->pml4, LAB_IOVA, PA, QVTD_FS_USER);
    start(lab, 0, LAB_IOVA);
    g_assert_cmpuint(qpt_wait(d, 0), ==, PT_ST_DONE);
    lab_knob(lab, PT_KNOB_INV_REPLY, 2);
    slot = invalidate(lab);
    start(lab, 0, LAB_IOVA);
    g_assert_cmpuint(qpt_wait(d, 0), ==, PT_ST_DONE);
    start(lab, 1, LAB_IOVA + PAGE);
    g_assert_cmpuint(qpt_wait(d, 1), ==, PT_ST_RUNNING);
    start(lab, 2, LAB_IOVA + 2 * PAGE);
    g_assert_cmpuint(qpt_wait(d, 2), ==, PT_ST_RUNNING);
    qtest_memset(lab->qts, PA, 0, PAGE);
    qtest_qmp_assert_success(lab->qts, "{ 'execute': 'stop' }");
    start(lab, 3, LAB_IOVA);

    g_assert_cmpuint(qpt_readl(d, PT_PRI_GROUPS), ==, 1);
    g_assert_cmpuint(qpt_readl(d, PT_PRI_CREDITS), ==, 0);
    g_assert_cmpuint(qpt_readl(d, PT_ATC_USED), ==, 1);
    g_assert_cmpuint(qpt_readl(d, PT_INV_WAITING), ==, 1);
    g_assert_cmpuint(qvtd_prq_pending(&lab->v), ==, 1);
    g_assert_cmphex(qpt_config_readw(d, d->exp + DEVSTA) & DEVSTA_TP, !=, 0);
    return slot;
}

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

/* FLR-06, FLR-08: nothing is left in it */
static void check_forgotten(PriLab *lab)
{
    QPriTestdev *d = &lab->d;

    g_assert_cmpuint(qpt_readl(d, PT_SCRATCH), ==, 0);
    g_assert_cmpuint(qpt_readl(d, PT_PRI_GROUPS), ==, 0);
    g_assert_cmpuint(qpt_readl(d, PT_ATC_USED), ==, 0);
    g_assert_cmpuint(qpt_readl(d, PT_INV_WAITING), ==, 0);
    g_assert_cmpuint(qpt_readl(d, PT_EVENT_ENABLE), ==, 0);
    for (int ch = 0; ch < 4; ch++) {
        g_assert_cmpuint(qpt_ch_readl(d, ch, PT_CH_STATUS), ==, PT_ST_IDLE);
        g_assert_cmpuint(qpt_ch_readq(d, ch, PT_CH_DST), ==, 0);
    }
    g_assert_cmpuint(lab_counter(lab, PT_CNT_PAGE_REQUESTS), ==, 0);
    /* ATS-27: the ATC is empty, and no message says so */
    g_assert_cmpuint(lab_counter(lab, PT_CNT_INV_COMPLETIONS), ==, 0);
}

/* It works again, with all its credits (PRQ-91) */
static void check_works(PriLab *lab, uint32_t prgi)
{
    QPriTestdev *d = &lab->d;
    QVtdDesc prd = { };

    qpt_enable(d, 0);
    g_assert_cmpuint(qpt_readl(d, PT_PRI_CREDITS), ==, 512);
    start(lab, 0, LAB_IOVA);
    g_assert_cmpuint(qpt_wait(d, 0), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(lab->qts, PA), ==, PATTERN ^ LAB_IOVA);
    start(lab, 1, LAB_IOVA + PAGE);
    g_assert_cmpuint(qpt_wait(d, 1), ==, PT_ST_RUNNING);
    g_assert_true(qvtd_prq_pop(&lab->v, &prd));
    g_assert_cmpuint(QVTD_PRD_PRGI(&prd), ==, prgi);

    /* FLR-03: the response from before comes, and meets it */
    qvtd_respond(&lab->v, d->rid, LAB_PASID, prgi, QPT_INVALID_REQUEST);
    g_assert_cmpuint(lab_counter(lab, PT_CNT_RESP_STALE), ==, 1);
    g_assert_cmpuint(lab_counter(lab, PT_CNT_RESP_MISTAKEN), ==, 1);
    g_assert_cmpuint(lab_counter(lab, PT_CNT_RESP_UNEXPECTED), ==, 0);
    g_assert_cmpuint(qpt_wait(d, 1), ==, PT_ST_INVALID_REQUEST);
    qvtd_respond(&lab->v, d->rid, LAB_PASID, prgi, QPT_INVALID_REQUEST);
    g_assert_cmpuint(lab_counter(lab, PT_CNT_RESP_STALE), ==, 1);
    g_assert_cmpuint(lab_counter(lab, PT_CNT_RESP_UNEXPECTED), ==, 1);
}

static void log_last_reset(PriLab *lab, uint32_t kind)
{
    uint32_t n = qpt_readl(&lab->d, PT_LOG_COUNT);

    while (n--) {
        qpt_writel(&lab->d, PT_LOG_SELECT, n);
        if (qpt_readl(&lab->d, PT_LOG_KIND) == PT_LOG_RESET) {
            g_assert_cmpuint(qpt_readl(&lab->d, PT_LOG_CODE), ==, kind);
            return;
        }
    }
    g_assert_not_reached();
}

static void test_in_flight(const void *opaque)
{
    const Method *method = opaque;
    QVtdDesc prd = { };
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, ALL, 0);
    slot = fly(&lab);
    method->begin(&lab.d);
    qtest_qmp_assert_success(lab.qts, "{ 'execute': 'cont' }");
    check_defaults(&lab.d);
    qpt_restore(&lab.d);
    check_forgotten(&lab);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RESETS), ==, 1);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RESET_LAST), ==, method->kind);
    log_last_reset(&lab, method->kind);

    /* no DMA, no request, no completion comes from before it */
    g_assert_cmphex(qtest_readq(lab.qts, PA), ==, 0);
    g_assert_true(qvtd_prq_pop(&lab.v, &prd));
    g_assert_false(qvtd_prq_pop(&lab.v, &prd));
    qtest_clock_step(lab.qts, 501 * QINV_MS);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(ite(&lab), !=, 0);
    qvtd_writel(&lab.v, QVTD_FSTS, QINV_FSTS_W1C);
    check_works(&lab, 0);
    pri_lab_stop(&lab);
}

/* -- A reset that takes its time ------------------------------------------- */

/* FLR-01, FLR-02, FLR-05: one state machine for all */
static void test_duration(const void *opaque)
{
    const Method *method = opaque;
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, ALL ",flr-config=rrs", 0);
    lab_knob(&lab, method->knob, 40);
    method->begin(&lab.d);
    g_assert_cmphex(qpt_config_readl(&lab.d, 0), ==, 0xffff0001);
    g_assert_cmphex(qpt_config_readl(&lab.d, COMMAND), ==, ONES);
    qpt_config_writew(&lab.d, COMMAND, 6);
    slot = invalidate(&lab);
    qtest_clock_step(lab.qts, 39 * QINV_MS);
    g_assert_cmphex(qpt_config_readl(&lab.d, COMMAND), ==, ONES);
    qtest_clock_step(lab.qts, 2 * QINV_MS);
    check_defaults(&lab.d);
    qpt_restore(&lab.d);
    g_assert_cmphex(qpt_readl(&lab.d, PT_ID), ==, PT_ID_MAGIC);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    qtest_clock_step(lab.qts, 501 * QINV_MS);
    g_assert_cmphex(ite(&lab), !=, 0);
    pri_lab_stop(&lab);
}

/* with configuration space that works: registers do not */
static void test_registers(const void *opaque)
{
    const Method *method = opaque;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, ALL, 0);
    lab_knob(&lab, method->knob, 40);
    method->begin(&lab.d);
    check_defaults(&lab.d);
    qpt_restore(&lab.d);
    g_assert_cmphex(qpt_readl(&lab.d, PT_ID), ==, ONES);
    g_assert_cmphex(qtest_readl(lab.qts, lab.d.bar2), ==, ONES);
    qtest_clock_step(lab.qts, 39 * QINV_MS);
    g_assert_cmphex(qpt_readl(&lab.d, PT_ID), ==, ONES);
    qtest_clock_step(lab.qts, 2 * QINV_MS);
    g_assert_cmphex(qpt_readl(&lab.d, PT_ID), ==, PT_ID_MAGIC);
    pri_lab_stop(&lab);
}

/* ATS-29: knob inv-pending-at-flr */
static void check_pending(const Method *method, uint64_t value, bool first,
                          bool after)
{
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, ALL, 0);
    lab_knob(&lab, method->knob, 40);
    lab_knob(&lab, PT_KNOB_INV_AT_FLR, value);
    lab_knob(&lab, PT_KNOB_INV_REPLY, 2);
    slot = invalidate(&lab);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    method->begin(&lab.d);
    g_assert_true(qvtd_wait_done(&lab.v, slot) == first);
    qtest_clock_step(lab.qts, 39 * QINV_MS);
    g_assert_true(qvtd_wait_done(&lab.v, slot) == first);
    qtest_clock_step(lab.qts, 2 * QINV_MS);
    g_assert_true(qvtd_wait_done(&lab.v, slot) == after);
    pri_lab_stop(&lab);
}

static void test_pending(const void *opaque)
{
    const Method *method = opaque;
    bool hot = method->kind == PT_RESET_HOT;

    check_pending(method, 0, false, false);
    /* through a link that is down nothing goes */
    check_pending(method, 1, !hot, !hot);
    check_pending(method, 2, false, !hot);
}

/* Migration in the middle of it */
static void test_migration(const void *opaque)
{
    const Method *method = opaque;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, ALL ",flr-config=all-ones", 0);
    lab_knob(&lab, method->knob, 40);
    method->begin(&lab.d);
    lab_migrate(&lab, VTD, ALL ",flr-config=all-ones",
                qtest_clock_step(lab.qts, 15 * QINV_MS));
    qtest_clock_step(lab.qts, 24 * QINV_MS);
    g_assert_cmphex(qpt_config_readl(&lab.d, 0), ==, ONES);
    qtest_clock_step(lab.qts, 2 * QINV_MS);
    check_defaults(&lab.d);
    qpt_restore(&lab.d);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RESET_LAST), ==, method->kind);
    pri_lab_stop(&lab);
}

/* -- What each of them has of its own -------------------------------------- */

/* The capabilities follow the properties */
static void test_capabilities(void)
{
    unsigned int af, pm;
    PriLab lab;

    pri_lab_start_with(&lab, NULL, ALL ",immediate-readiness=on", 0);
    af = qpt_find_cap(&lab.d, QPT_CAP_ID_AF);
    pm = qpt_find_cap(&lab.d, QPT_CAP_ID_PM);
    g_assert_cmphex(qpt_config_readl(&lab.d, af) >> 16, ==, 0x0306);
    g_assert_cmphex(qpt_config_readw(&lab.d, af + AF_CTRL), ==, 0);
    g_assert_cmphex(qpt_config_readw(&lab.d, pm + PMCSR) & PMCSR_NSR, ==, 0);
    g_assert_cmphex(qpt_find_cap(&lab.d, QPT_CAP_ID_VNDR), !=, 0);
    g_assert_cmphex(qpt_config_readw(&lab.d, STATUS) & STATUS_IMM, !=, 0);
    begin_flr(&lab.d);
    /* FLR-12: it is no state that a reset could clear */
    g_assert_cmphex(qpt_config_readw(&lab.d, STATUS) & STATUS_IMM, !=, 0);
    pri_lab_stop(&lab);

    pri_lab_start_with(&lab, NULL, "pcie-flr=off", 0);
    pm = qpt_find_cap(&lab.d, QPT_CAP_ID_PM);
    g_assert_cmphex(qpt_find_cap(&lab.d, QPT_CAP_ID_AF), ==, 0);
    g_assert_cmphex(qpt_find_cap(&lab.d, QPT_CAP_ID_VNDR), ==, 0);
    g_assert_cmphex(qpt_config_readw(&lab.d, pm + PMCSR) & PMCSR_NSR, !=, 0);
    g_assert_cmphex(qpt_config_readw(&lab.d, STATUS) & STATUS_IMM, ==, 0);
    g_assert_cmphex(qpt_config_readl(&lab.d, lab.d.exp + QPT_EXP_DEVCAP) &
                    QPT_EXP_DEVCAP_FLR, ==, 0);
    begin_flr(&lab.d);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RESETS), ==, 0);
    pri_lab_stop(&lab);
}

/* AF: Transactions Pending as in Device Status, and only a 1 resets */
static void test_af(void)
{
    unsigned int af;
    PriLab lab;

    pri_lab_start_with(&lab, NULL, ALL, 0);
    af = qpt_find_cap(&lab.d, QPT_CAP_ID_AF);
    lab_knob(&lab, PT_KNOB_TP_BIT, 1);
    g_assert_cmphex(qpt_config_readw(&lab.d, af + AF_CTRL), ==, 0x0100);
    g_assert_cmphex(qpt_config_readl(&lab.d, af + AF_CTRL) & 0xffff, ==,
                    0x0100);
    lab_knob(&lab, PT_KNOB_TP_BIT, 0);
    g_assert_cmphex(qpt_config_readw(&lab.d, af + AF_CTRL), ==, 0);
    qpt_config_writew(&lab.d, af + AF_CTRL, 0xfffe);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RESETS), ==, 0);
    qpt_config_writew(&lab.d, af + AF_CTRL, 1);
    qpt_restore(&lab.d);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RESETS), ==, 1);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_FLRS), ==, 1);
    g_assert_cmphex(qpt_config_readw(&lab.d, af + AF_CTRL), ==, 0);
    pri_lab_stop(&lab);
}

/* FLR-09: with No_Soft_Reset all is as it was */
static void test_no_soft_reset(void)
{
    PriLab lab;
    unsigned int pm;
    uint32_t slot;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    pm = qpt_find_cap(&lab.d, QPT_CAP_ID_PM) + PMCSR;
    qpt_writel(&lab.d, PT_SCRATCH, 7);
    start(&lab, 0, LAB_IOVA);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    lab_knob(&lab, PT_KNOB_INV_REPLY, 2);
    slot = invalidate(&lab);

    qpt_config_writew(&lab.d, pm, 3);
    /* BARs are not decoded in D3hot */
    g_assert_cmphex(qpt_readl(&lab.d, PT_ID), !=, PT_ID_MAGIC);
    qpt_config_writew(&lab.d, pm, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RESETS), ==, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_SCRATCH), ==, 7);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 1);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.ats + QPT_ATS_CTRL), ==,
                    QPT_ATS_CTRL_E);
    lab_knob(&lab, PT_KNOB_INV_RELEASE, 1);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 0, QPT_INVALID_REQUEST);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_INVALID_REQUEST);
    pri_lab_stop(&lab);
}

/* FLR-04: sticky registers outlive all but a reset of the machine */
static void test_sticky(const void *opaque)
{
    static const unsigned int regs[] = {
        AER_UNC_MASK, AER_UNC_SEVER, AER_COR_MASK,
    };
    const Method *method = opaque;
    uint32_t was[ARRAY_SIZE(regs)], set[ARRAY_SIZE(regs)];
    unsigned int aer, i;
    PriLab lab;

    pri_lab_start_with(&lab, NULL, ALL, 0);
    aer = qpt_find_ext_cap(&lab.d, QPT_EXT_ID_AER);
    for (i = 0; i < ARRAY_SIZE(regs); i++) {
        was[i] = qpt_config_readl(&lab.d, aer + regs[i]);
        qpt_config_writel(&lab.d, aer + regs[i], ~was[i]);
        set[i] = qpt_config_readl(&lab.d, aer + regs[i]);
        g_assert_cmphex(set[i], !=, was[i]);
    }
    method->begin(&lab.d);
    for (i = 0; i < ARRAY_SIZE(regs); i++) {
        g_assert_cmphex(qpt_config_readl(&lab.d, aer + regs[i]), ==, set[i]);
    }
    lab_reset(&lab);
    qpt_init(&lab.d, lab.qts, lab.d.port, LAB_BUS);
    for (i = 0; i < ARRAY_SIZE(regs); i++) {
        g_assert_cmphex(qpt_config_readl(&lab.d, aer + regs[i]), ==, was[i]);
    }
    pri_lab_stop(&lab);
}

/* What the method _RST polls: bit 0 is 1 as long as it goes on */
static void test_platform(void)
{
    unsigned int at;
    PriLab lab;

    pri_lab_start_with(&lab, NULL, ALL ",flr-duration-ms=20", 0);
    at = qpt_find_cap(&lab.d, QPT_CAP_ID_VNDR) + PT_VNDR_RESET;
    g_assert_cmphex(qpt_config_readl(&lab.d, at), ==, 0);
    qpt_config_writel(&lab.d, at, 1);
    g_assert_cmphex(qpt_config_readl(&lab.d, at), ==, 1);
    qtest_clock_step(lab.qts, 19 * QINV_MS);
    g_assert_cmphex(qpt_config_readl(&lab.d, at), ==, 1);
    qtest_clock_step(lab.qts, 2 * QINV_MS);
    g_assert_cmphex(qpt_config_readl(&lab.d, at), ==, 0);
    g_assert_cmphex(qpt_config_readw(&lab.d, COMMAND), ==, 0);
    pri_lab_stop(&lab);
}

static void add(const char *prefix, const Method *method,
                void (*test)(const void *))
{
    g_autofree char *path = g_strdup_printf("/pri-testdev/%s/%s", prefix,
                                            method->name);

    qtest_add_data_func(path, method, test);
}

int main(int argc, char **argv)
{
    unsigned int i;

    pri_lab_test_init(&argc, &argv);
    for (i = 0; i < ARRAY_SIZE(methods); i++) {
        add("reset/in-flight", &methods[i], test_in_flight);
        add("reset/FLR-01/duration", &methods[i], test_duration);
        add("reset/FLR-02/registers", &methods[i], test_registers);
        add("reset/ATS-29/pending", &methods[i], test_pending);
        add("reset/sticky", &methods[i], test_sticky);
        add("reset/migration", &methods[i], test_migration);
    }
    qtest_add_func("/pri-testdev/reset/FLR-12/capabilities",
                   test_capabilities);
    qtest_add_func("/pri-testdev/reset/FLR-03/af", test_af);
    qtest_add_func("/pri-testdev/reset/FLR-09/no-soft-reset",
                   test_no_soft_reset);
    qtest_add_func("/pri-testdev/reset/platform", test_platform);
    return g_test_run();
}
