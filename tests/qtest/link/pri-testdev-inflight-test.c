/*
 * Unplug, resets, migration and the end of QEMU while everything that can be
 * under way is: nothing dangles, nothing of the old life comes after it, and
 * what stays works (with --sanitize: no use after free, no leak)
 *
 * VT-d 6.5.2.11, 7.9; PCIe 6.2 6.6.2, 10.3.1; QI-25, PRQ-90 to PRQ-94
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-state.h"
#include "libqos/vtd-inv.h"
#include <glib/gstdio.h>

#define PAGE            4096
#define PA              0x8000000ULL
#define R               PT_RAW_READ
#define L               PT_RAW_LAST
#define ITE_MS          200
#define VTD             "ite-timeout-ms=200,wait-depth=64"
#define HOLD            2           /* inv-reply */
#define REQUESTS        40          /* invalidations: 32 outstanding, 8 wait */

/* What is under way besides; each in a machine of its own */
typedef struct Mix {
    const char *name;
    const char *vtd_name;
    const char *vtd_value;          /* JSON */
    bool stop;                      /* a PASID is being stopped */
    bool answered;                  /* a channel is about to go on */
} Mix;

static const Mix mixes[] = {
    { "requests-held", "prq-hold", "\"on\"", false, false },
    { "requests-slow", "prd-delay-us", "50000", true, false },
    { "entries-torn", "torn-entry", "\"pasid\"", false, true },
    { "events-held", "prq-irq-hold", "\"on\"", true, true },
    { "waits-held", "wait-hold", "\"on\"", false, false },
};

static void fault(PriLab *lab, unsigned int ch, unsigned int page)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID | PT_FLAG_IRQ,
        .pasid = LAB_PASID, .dst = LAB_IOVA + page * PAGE, .len = 4 * PAGE,
        .group = 2,
    };

    qpt_start(&lab->d, ch, &op);
    qpt_wait(&lab->d, ch);
}

static void start(PriLab *lab, PriLabFlags flags)
{
    pri_lab_start_with(lab, VTD LAB_NATIVE_HOTPLUG, NULL, flags);
    qpt_msix(&lab->d, LAB_MSI_ADDR, 0x80);
    qpt_pri_disable(&lab->d);
    qpt_enable(&lab->d, 4);
}

/*
 * Under way: requests in the queue, before it, and for want of credits before
 * that; completions that are held, one that is timed, invalidations without an
 * ITag; waits, a fence last; the time-out
 */
static uint32_t get_busy(PriLab *lab, const Mix *mix)
{
    unsigned int i;
    uint32_t slot;

    qvtd_writel(&lab->v, QVTD_PECTL, 0);
    qvtd_writel(&lab->v, QVTD_FECTL, 0);
    fault(lab, 0, 0);
    if (mix->answered) {
        /* its second half is asked for, or is about to be */
        qvtd_fs_map(&lab->v, lab->pml4, LAB_IOVA, PA, QVTD_FS_USER);
        qvtd_fs_map(&lab->v, lab->pml4, LAB_IOVA + PAGE, PA, QVTD_FS_USER);
        qvtd_respond(&lab->v, lab->d.rid, LAB_PASID, 0, QPT_SUCCESS);
    }
    qvtd_set_property(&lab->v, mix->vtd_name, mix->vtd_value);
    for (i = 1; i < 6; i++) {
        fault(lab, i, 8 * i);
    }
    lab_request(lab, LAB_IOVA + 0x100000, R, 0x1f0);
    lab_request(lab, LAB_IOVA + 0x101000, R | L, 0x1f0);
    lab_request(lab, 0, L, 0);
    if (mix->stop) {
        qpt_writel(&lab->d, PT_STOP_PASID, LAB_PASID);
    }

    lab_knob(lab, PT_KNOB_INV_REPLY, HOLD);
    for (i = 0; i < REQUESTS; i++) {
        if (i == 7) {
            lab_knob(lab, PT_KNOB_INV_REPLY, 0);
            lab_knob(lab, PT_KNOB_INV_DELAY, 60000);
        } else if (i == 8) {
            lab_knob(lab, PT_KNOB_INV_DELAY, 0);
            lab_knob(lab, PT_KNOB_INV_REPLY, HOLD);
        }
        qinv_put_dev_tlb(&lab->v, lab->d.rid);
        if (i % 8 == 0) {
            qinv_put_wait(&lab->v, QVTD_WAIT_SW | QVTD_WAIT_PD);
        }
        qvtd_qi_ring(&lab->v);
    }
    qinv_put_wait(&lab->v, QVTD_WAIT_IF);
    qinv_put_wait(&lab->v, QVTD_WAIT_FN);
    slot = qinv_put_wait(&lab->v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab->v);
    g_assert_cmpuint(qpt_readl(&lab->d, PT_INV_WAITING), ==, 32);
    g_assert_false(qvtd_wait_done(&lab->v, slot));
    qtest_clock_step(lab->qts, 10 * QINV_MS);
    return slot;
}

/* Clear time-outs until everything that was submitted has been dealt with */
static unsigned int clear_timeouts(PriLab *lab)
{
    unsigned int n = 0;
    int i;

    for (i = 0; i < 20; i++) {
        qtest_clock_step(lab->qts, ITE_MS * QINV_MS);
        if (qinv_fsts(&lab->v) & QVTD_FSTS_ITE) {
            n++;
            qvtd_writel(&lab->v, QVTD_FSTS, QVTD_FSTS_ITE);
        }
    }
    g_assert_true(qvtd_qi_idle(&lab->v));
    return n;
}

/* The knobs of the IOMMU as they were, and what they kept let go */
static void let_go(PriLab *lab)
{
    qvtd_set_property(&lab->v, "prq-hold", "\"off\"");
    qvtd_set_property(&lab->v, "prd-delay-us", "0");
    qvtd_set_property(&lab->v, "torn-entry", "\"off\"");
    qvtd_set_property(&lab->v, "prq-irq-hold", "\"off\"");
    qvtd_set_property(&lab->v, "wait-hold", "\"off\"");
    qtest_clock_step(lab->qts, 100 * QINV_MS);
    qvtd_prq_drop_all(&lab->v);
    qvtd_writel(&lab->v, QVTD_PRS, QVTD_PRS_PPR | QVTD_PRS_PRO);
}

/* One fault from beginning to end, and an invalidation, with function @d */
static void check_works(PriLab *lab, QPriTestdev *d)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA + 0x400000, .len = 8, .pattern = 0x99,
    };
    QVtdDesc prd;
    uint64_t pml4;

    pml4 = qvtd_get(&lab->v, qvtd_pasid_entry(&lab->v, d->rid, LAB_PASID),
                    QVTD_PE_FSPTPTR) << 12;
    qpt_start(d, 0, &op);
    g_assert_cmpuint(qpt_wait(d, 0), ==, PT_ST_RUNNING);
    g_assert_true(qvtd_prq_pop(&lab->v, &prd));
    g_assert_cmphex(QVTD_PRD_RID(&prd), ==, d->rid);
    qvtd_fs_map(&lab->v, pml4, op.dst, PA + PAGE, QVTD_FS_USER);
    qvtd_respond(&lab->v, d->rid, LAB_PASID, QVTD_PRD_PRGI(&prd), QPT_SUCCESS);
    g_assert_cmpuint(qpt_wait(d, 0), ==, PT_ST_DONE);
    qvtd_submit(&lab->v, qvtd_desc_dev_tlb(d->rid, QVTD_INV_ALL, true));
    qvtd_wait(&lab->v, QVTD_WAIT_PD);
}

/* -- ways to end it -------------------------------------------------------- */

/* Every invalidation times out, and the neighbour does not notice */
static void test_unplug(const void *opaque)
{
    uint32_t slot;
    PriLab lab;

    start(&lab, LAB_TWO_DEVICES);
    slot = get_busy(&lab, opaque);
    lab_unplug(&lab);
    g_assert_cmpuint(clear_timeouts(&lab), >=, 1);
    let_go(&lab);
    /* the last wait had not been fetched: it is executed in the end */
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    check_works(&lab, &lab.d2);
    pri_lab_stop(&lab);
}

/*
 * What was outstanding is never answered; all credits are there again.  The
 * eight that had no ITag are sent when there is one, into the new life.
 */
static void end_flr(const Mix *mix, bool slow)
{
    PriLab lab;

    start(&lab, 0);
    if (slow) {
        lab_knob(&lab, PT_KNOB_FLR_DURATION, 100);
    }
    get_busy(&lab, mix);
    qpt_flr(&lab.d);
    qtest_clock_step(lab.qts, 100 * QINV_MS);
    g_assert_cmpuint(clear_timeouts(&lab), >=, 1);
    let_go(&lab);
    qpt_restore(&lab.d);
    qpt_knob_set(&lab.d, PT_KNOB_INV_REPLY, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_INV_WAITING), ==, REQUESTS - 32);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 0);
    qpt_enable(&lab.d, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_CREDITS), ==, 512);
    check_works(&lab, &lab.d);
    pri_lab_stop(&lab);
}

static void test_flr(const void *opaque)
{
    end_flr(opaque, false);
}

static void test_slow_flr(const void *opaque)
{
    end_flr(opaque, true);
}

/* The function vanishes and comes back */
static void test_gone(const void *opaque)
{
    PriLab lab;

    start(&lab, 0);
    lab_knob(&lab, PT_KNOB_GONE_MS, 150);
    get_busy(&lab, opaque);
    qpt_knob_set(&lab.d, PT_KNOB_GONE, 1);
    g_assert_cmpuint(clear_timeouts(&lab), >=, 1);
    let_go(&lab);
    qpt_restore(&lab.d);
    qpt_knob_set(&lab.d, PT_KNOB_INV_REPLY, 0);
    qpt_enable(&lab.d, 0);
    check_works(&lab, &lab.d);
    pri_lab_stop(&lab);
}

/* Nothing of the time before, neither at once nor when its time has come */
static void test_system_reset(const void *opaque)
{
    uint32_t slot;
    PriLab lab;

    start(&lab, 0);
    slot = get_busy(&lab, opaque);
    lab_reset(&lab);
    qtest_clock_step(lab.qts, 1000 * QINV_MS);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, 0);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, 0);
    let_go(&lab);
    qvtd_init(&lab.v, lab.qts);
    qpt_init(&lab.d, lab.qts, lab.d.port, LAB_BUS);
    pri_lab_program(&lab);
    qtest_clock_step(lab.qts, 1000 * QINV_MS);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, 0);
    qpt_knob_set(&lab.d, PT_KNOB_INV_REPLY, 0);
    check_works(&lab, &lab.d);
    pri_lab_stop(&lab);
}

/* QEMU ends */
static void test_quit(const void *opaque)
{
    PriLab lab;

    start(&lab, 0);
    get_busy(&lab, opaque);
    pri_lab_stop(&lab);
}

/* -- and a way to go on ---------------------------------------------------- */

/*
 * Held completions are sent, the timed one comes at its time, and all waits
 * report: no time-out, since that was the knob's before and is after
 */
static void go_on(PriLab *lab, const Mix *mix, uint32_t slot)
{
    uint32_t groups = qpt_readl(&lab->d, PT_PRI_GROUPS);
    unsigned int i;

    g_assert_cmpuint(qpt_readl(&lab->d, PT_INV_WAITING), ==, 32);
    g_assert_cmpuint(groups, ==, 2);
    g_assert_cmpuint(qpt_readl(&lab->d, PT_STOP_STATUS), ==,
                     mix->stop ? PT_STOP_BUSY : PT_STOP_IDLE);
    g_assert_false(qvtd_wait_done(&lab->v, slot));
    for (i = 0; i < 3; i++) {
        lab_knob(lab, PT_KNOB_INV_RELEASE, 64);
        let_go(lab);
    }
    g_assert_cmphex(qinv_fsts(&lab->v), ==, 0);
    g_assert_true(qvtd_qi_idle(&lab->v));
    g_assert_true(qvtd_wait_done(&lab->v, slot));
    g_assert_cmpuint(qpt_readq(&lab->d, PT_CNT_INV_COMPLETIONS), ==,
                     REQUESTS);
    g_assert_cmpuint(qpt_readq(&lab->d, PT_CNT_VIOLATIONS), ==, 0);
    qvtd_respond(&lab->v, lab->d.rid, LAB_PASID, 0x1f0, QPT_INVALID_REQUEST);
    lab_expect_response(lab, QPT_INVALID_REQUEST, 0x1f0, LAB_PASID);
    qpt_writel(&lab->d, PT_CTRL, PT_CTRL_ABORT);
    qpt_config_writew(&lab->d, lab->d.pri + QPT_PRI_CTRL, QPT_PRI_CTRL_RESET);
    qpt_enable(&lab->d, 4);
    lab_knob(lab, PT_KNOB_INV_REPLY, 0);
    check_works(lab, &lab->d);
}

static void test_migration(const void *opaque)
{
    uint32_t slot;
    PriLab lab;

    start(&lab, 0);
    slot = get_busy(&lab, opaque);
    lab_migrate(&lab, VTD, NULL, qtest_clock_step(lab.qts, 1));
    go_on(&lab, opaque, slot);
    pri_lab_stop(&lab);
}

/*
 * The virtual clock of a machine without CPUs does not go back, so a snapshot
 * is loaded before its timers have fired
 */
static void test_snapshot(const void *opaque)
{
    g_autofree char *dir = g_dir_make_tmp("pri-lab-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/disk", dir);
    uint32_t slot;
    PriLab lab;
    QVtd saved;

    start(&lab, 0);
    lab_create_disk(lab.qts, file);
    slot = get_busy(&lab, opaque);
    lab_run_job(lab.qts, "snapshot-save", "save");
    saved = lab.v;
    lab_knob(&lab, PT_KNOB_INV_RELEASE, 64);
    qpt_flr(&lab.d);
    qvtd_writel(&lab.v, QVTD_FSTS, QINV_FSTS_W1C);
    lab_run_job(lab.qts, "snapshot-load", "load");
    lab.v = saved;
    go_on(&lab, opaque, slot);
    pri_lab_stop(&lab);
    g_unlink(file);
    g_rmdir(dir);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        GTestDataFunc run;
    } ends[] = {
        { "unplug", test_unplug },
        { "flr", test_flr },
        { "slow-flr", test_slow_flr },
        { "gone", test_gone },
        { "system-reset", test_system_reset },
        { "quit", test_quit },
        { "migration", test_migration },
        { "snapshot", test_snapshot },
    };
    unsigned int i, k;

    pri_lab_test_init(&argc, &argv);
    for (i = 0; i < ARRAY_SIZE(ends); i++) {
        for (k = 0; k < ARRAY_SIZE(mixes); k++) {
            g_autofree char *name = g_strdup_printf(
                "/pri-lab/in-flight/%s/%s", ends[i].name, mixes[k].name);

            g_test_add_data_func(name, &mixes[k], ends[i].run);
        }
    }
    return g_test_run();
}
