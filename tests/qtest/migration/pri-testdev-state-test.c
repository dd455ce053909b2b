/*
 * pri-testdev and VT-d page requests: migration, snapshots, unplug, hostile
 * accesses
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "libqtest.h"
#include "libqos/lab-state.h"
#include <glib/gstdio.h>

#define PAGE    4096
#define R       PT_RAW_READ
#define W       PT_RAW_WRITE
#define L       PT_RAW_LAST

/* -- migration ------------------------------------------------------------- */

/* Everything in flight that there is; returns the virtual time */
static int64_t prepare(PriLab *lab, bool timed)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA, .len = 4 * PAGE, .pattern = 0x1234, .group = 2,
    };
    int64_t now;

    qvtd_writel(&lab->v, QVTD_PECTL, 0);
    qpt_writel(&lab->d, PT_SCRATCH, 0x5c5c);
    qpt_start(&lab->d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab->d, 0), ==, PT_ST_RUNNING);
    now = qtest_clock_step(lab->qts, 150 * 1000);
    if (!timed) {
        qvtd_set_property(&lab->v, "prq-hold", "\"on\"");
    }
    /* delivered: two; on their way: a raw group and a stop marker */
    lab_request(lab, LAB_IOVA + 0x40000, R, 0x1f0);
    lab_request(lab, LAB_IOVA + 0x41000, R | L, 0x1f0);
    lab_request(lab, 0, L, 0);
    return now;
}

static uint32_t submit_drain(PriLab *lab)
{
    uint32_t slot;
    QVtdDesc desc = qvtd_desc_dev_ptlb(lab->d.rid, LAB_PASID, QVTD_INV_ALL,
                                       true, false);

    qvtd_qi_put(&lab->v, &desc);
    desc = qvtd_desc_wait(&lab->v, QVTD_WAIT_SW | QVTD_WAIT_PD, &slot);
    qvtd_qi_put(&lab->v, &desc);
    qvtd_qi_ring(&lab->v);
    return slot;
}

/*
 * The rest of the story, which must be the same wherever it is told
 *
 * @timed: time releases what is kept back, else the knob prq-hold
 */
static void finish(PriLab *lab, uint32_t slot, bool timed)
{
    uint64_t pa = 0x8000000;
    QVtdDesc prd;

    g_assert_cmphex(qpt_readl(&lab->d, PT_SCRATCH), ==, 0x5c5c);
    g_assert_cmphex(qvtd_readl(&lab->v, QVTD_PECTL), ==, 0);
    g_assert_cmphex(qvtd_readl(&lab->v, QVTD_PRS), ==, QVTD_PRS_PPR);
    g_assert_cmpuint(qvtd_prq_pending(&lab->v), ==, 2);
    g_assert_false(qvtd_wait_done(&lab->v, slot));
    g_assert_cmpuint(qpt_readl(&lab->d, PT_PRI_GROUPS), ==, 1);
    g_assert_cmpuint(qpt_readq(&lab->d, PT_CNT_PAGE_REQUESTS), ==, 4);

    if (timed) {
        qtest_clock_step(lab->qts, 90 * 1000);
        g_assert_cmpuint(qvtd_prq_pending(&lab->v), ==, 2);
        g_assert_false(qvtd_wait_done(&lab->v, slot));
        qtest_clock_step(lab->qts, 20 * 1000);
    } else {
        qvtd_set_property(&lab->v, "prq-hold", "\"off\"");
    }
    g_assert_cmpuint(qvtd_prq_pending(&lab->v), ==, 5);
    g_assert_true(qvtd_wait_done(&lab->v, slot));

    /* the raw group is still outstanding */
    qvtd_prq_read(&lab->v, 3, &prd);
    g_assert_cmphex(QVTD_PRD_PRGI(&prd), ==, 0x1f0);
    qvtd_respond(&lab->v, lab->d.rid, LAB_PASID, 0x1f0, QPT_INVALID_REQUEST);
    lab_expect_response(lab, QPT_INVALID_REQUEST, 0x1f0, LAB_PASID);

    /* the channel is answered, asks for its second half, and ends */
    qvtd_prq_read(&lab->v, 1, &prd);
    qvtd_prq_drop_all(&lab->v);
    qvtd_fs_map(&lab->v, lab->pml4, LAB_IOVA, pa, QVTD_FS_USER);
    qvtd_fs_map(&lab->v, lab->pml4, LAB_IOVA + PAGE, pa + PAGE, QVTD_FS_USER);
    qvtd_respond(&lab->v, lab->d.rid, LAB_PASID, QVTD_PRD_PRGI(&prd), 0);
    g_assert_cmpuint(qpt_wait(&lab->d, 0), ==, PT_ST_RUNNING);
    if (timed) {
        qtest_clock_step(lab->qts, 110 * 1000);
    }
    g_assert_cmpuint(lab_serve(lab, LAB_IOVA, pa, QVTD_FS_USER), ==, 2);
    g_assert_cmpuint(qpt_wait(&lab->d, 0), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readb(lab->qts, pa + 3 * PAGE + 7), ==,
                    PT_STAMP_BYTE(0x1234, LAB_IOVA + 3 * PAGE + 7));
    g_assert_cmpuint(qpt_readq(&lab->d, PT_CNT_RESP_UNEXPECTED), ==, 0);
    g_assert_cmpuint(qpt_readq(&lab->d, PT_CNT_VIOLATIONS), ==, 0);
}

static void test_migration(void)
{
    uint32_t slot;
    PriLab lab;
    int64_t now;

    pri_lab_start_with(&lab, "prd-delay-us=100", NULL, 0);
    now = prepare(&lab, true);
    slot = submit_drain(&lab);
    lab_migrate(&lab, "prd-delay-us=100", NULL, now);
    finish(&lab, slot, true);
    pri_lab_stop(&lab);
}

/* -- snapshots: the same run every time ------------------------------------ */

/*
 * The clock of a machine without CPUs never goes back, so nothing that is
 * kept back here waits for it
 */
static void test_snapshot(void)
{
    g_autofree char *dir = g_dir_make_tmp("pri-lab-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/disk", dir);
    uint32_t slot, tail, status_next;
    uint64_t next;
    int i;
    PriLab lab;

    pri_lab_start(&lab);
    lab_create_disk(lab.qts, file);
    prepare(&lab, false);
    slot = submit_drain(&lab);
    lab_run_job(lab.qts, "snapshot-save", "save");
    tail = lab.v.iq_tail;
    next = lab.v.next;
    status_next = lab.v.status_next;
    for (i = 0; i < LAB_RUNS; i++) {
        g_autofree char *job = g_strdup_printf("load%d", i);

        finish(&lab, slot, false);
        lab_run_job(lab.qts, "snapshot-load", job);
        lab.v.iq_tail = tail;
        lab.v.next = next;
        lab.v.status_next = status_next;
    }
    finish(&lab, slot, false);
    pri_lab_stop(&lab);
    g_unlink(file);
    g_rmdir(dir);
}

/* -- unplug ---------------------------------------------------------------- */

static void test_unplug(void)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA, .len = 4 * PAGE, .group = 4,
    };
    uint16_t rid;
    uint32_t slot;
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start_with(&lab, "prd-delay-us=100,ite-timeout-ms=100"
                       LAB_NATIVE_HOTPLUG, NULL, 0);
    rid = lab.d.rid;
    qpt_start(&lab.d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    lab_request(&lab, LAB_IOVA, R | L, 9);
    lab_unplug(&lab);

    /* its requests reach the queue all the same; responses are lost */
    qtest_clock_step(lab.qts, 200 * 1000);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 5);
    while (qvtd_prq_pop(&lab.v, &prd)) {
        if (QVTD_PRD_LPIG(&prd)) {
            qvtd_respond(&lab.v, rid, LAB_PASID, QVTD_PRD_PRGI(&prd), 0);
        }
    }
    /* QI-25: an invalidation of what is not there times out */
    qvtd_submit(&lab.v, qvtd_desc_dev_tlb(rid, QVTD_INV_ALL, true));
    qvtd_submit(&lab.v, qvtd_desc_wait(&lab.v, QVTD_WAIT_SW, &slot));
    qtest_clock_step(lab.qts, 200 * 1000 * 1000);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS) & QVTD_FSTS_ITE, !=, 0);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQERCD) >> 32 & 0xffff, ==, rid);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

/* with requests and a drain still on their way */
static void test_unplug_in_flight(void)
{
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, "prd-delay-us=30000000" LAB_NATIVE_HOTPLUG,
                       NULL, 0);
    lab_request(&lab, LAB_IOVA, R | L, 9);
    slot = submit_drain(&lab);
    lab_unplug(&lab);
    qtest_clock_step(lab.qts, 30 * 1000 * 1000 * 1000LL);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    qvtd_wait(&lab.v, 0);
    pri_lab_stop(&lab);
}

/* reset of the machine with everything in flight forgets it all */
static void test_reset_in_flight(void)
{
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, "prd-delay-us=100", NULL, 0);
    prepare(&lab, true);
    slot = submit_drain(&lab);
    lab_reset(&lab);
    qtest_clock_step(lab.qts, 1000 * 1000);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, 0);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, 0);

    /* from the start again */
    qpt_init(&lab.d, lab.qts, lab.d.port, LAB_BUS);
    lab.v.status_next++;
    pri_lab_program(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    qtest_clock_step(lab.qts, 200 * 1000);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    pri_lab_stop(&lab);
}

/* -- hostile accesses ------------------------------------------------------ */

static void poke(PriLab *lab, GRand *rand, uint64_t base, uint64_t size)
{
    unsigned int width = 1 << g_rand_int_range(rand, 0, 4);
    uint64_t at = base + g_rand_int(rand) % (size - width);
    uint64_t value = (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);

    if (g_rand_boolean(rand)) {
        at &= ~(uint64_t)(width - 1);
    }
    switch (g_rand_int_range(rand, 0, 4)) {
    case 0:
        value = 0;
        break;
    case 1:
        value = UINT64_MAX;
        break;
    case 2:
        value = 1ULL << g_rand_int_range(rand, 0, 64);
        break;
    default:
        break;
    }
    if (g_rand_int_range(rand, 0, 4) == 0) {
        qtest_memread(lab->qts, at, &value, width);
    } else {
        qtest_memwrite(lab->qts, at, &value, width);
    }
}

static bool alive(PriLab *lab)
{
    QDict *rsp = qtest_qmp(lab->qts, "{ 'execute': 'query-status' }");
    bool ok = qdict_haskey(rsp, "return");

    qobject_unref(rsp);
    return ok;
}

/* A reset, and it is a machine like any other */
static void check_survives(PriLab *lab)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA, .len = 8,
    };

    g_assert_true(alive(lab));
    lab_reset(lab);
    qvtd_init(&lab->v, lab->qts);
    qpt_init(&lab->d, lab->qts, lab->d.port, LAB_BUS);
    pri_lab_program(lab);
    qpt_start(&lab->d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab->d, 0), ==, PT_ST_RUNNING);
    qtest_clock_step(lab->qts, 1000 * 1000);
    g_assert_cmpuint(lab_serve(lab, LAB_IOVA, 0x8000000, QVTD_FS_USER), ==, 1);
    g_assert_cmpuint(qpt_wait(&lab->d, 0), ==, PT_ST_DONE);
    qvtd_submit(&lab->v, qvtd_desc_dev_tlb(lab->d.rid, QVTD_INV_ALL, true));
    qtest_clock_step(lab->qts, 1000 * 1000);
    qvtd_wait(&lab->v, QVTD_WAIT_PD);
    g_assert_cmphex(qvtd_readl(&lab->v, QVTD_FSTS), ==, 0);
}

static void test_fuzz_device(void)
{
    GRand *rand = g_rand_new_with_seed(1);
    int i;
    PriLab lab;

    pri_lab_start(&lab);
    for (i = 0; i < 6000; i++) {
        poke(&lab, rand, lab.d.bar0, 0x10000);
        if (i % 200 == 0) {
            /* do not let one stuck channel or a full queue be all there is */
            qpt_writel(&lab.d, PT_CTRL, PT_CTRL_ABORT);
            qvtd_prq_drop_all(&lab.v);
            qvtd_writel(&lab.v, QVTD_PRS, 3);
        }
    }
    qpt_writel(&lab.d, PT_CTRL, PT_CTRL_ABORT);
    g_assert_true(alive(&lab));
    g_assert_cmphex(qpt_readl(&lab.d, PT_ID), ==, PT_ID_MAGIC);
    g_rand_free(rand);
    pri_lab_stop(&lab);
}

static void test_fuzz_config(void)
{
    GRand *rand = g_rand_new_with_seed(2);
    int i;
    PriLab lab;

    pri_lab_start(&lab);
    for (i = 0; i < 3000; i++) {
        poke(&lab, rand, qpt_ecam(lab.d.rid, lab.d.ats & ~0xffu), 0x200);
        if (i % 4 == 0) {
            lab_request(&lab, LAB_IOVA, R | L, i & 0x1ff);
        }
    }
    for (i = 0; i < 1000; i++) {
        poke(&lab, rand, qpt_ecam(lab.d.rid, 0x40), 0x400);
    }
    check_survives(&lab);
    g_rand_free(rand);
    pri_lab_stop(&lab);
}

static void test_fuzz_vtd(void)
{
    GRand *rand = g_rand_new_with_seed(3);
    int i;
    PriLab lab;

    pri_lab_start(&lab);
    for (i = 0; i < 6000; i++) {
        poke(&lab, rand, QVTD_BASE + (i % 2 ? QVTD_IQH : 0),
             i % 2 ? 0x70 : QVTD_REG_SIZE);
        if (i % 8 == 0) {
            lab_request(&lab, LAB_IOVA, R | W | (i & 8 ? L : 0), i & 0x1ff);
        }
    }
    check_survives(&lab);
    g_rand_free(rand);
    pri_lab_stop(&lab);
}

/*
 * What software does about errors: a harmless descriptor in place of a bad
 * one, time for what times out, and all bits of FSTS cleared
 */
static void recover_queue(PriLab *lab)
{
    QVtdDesc nop = { { 0x5 | QVTD_WAIT_FN } };
    int i;

    for (i = 0; i < 10 && !qvtd_qi_idle(&lab->v); i++) {
        if (qvtd_readl(&lab->v, QVTD_FSTS) & QVTD_FSTS_IQE) {
            qtest_memwrite(lab->qts, lab->v.iq + qvtd_readq(&lab->v, QVTD_IQH),
                           nop.qw, sizeof(nop.qw));
        }
        qvtd_writel(&lab->v, QVTD_FSTS, 0x71);
        qtest_clock_step(lab->qts, 2 * 1000 * 1000);
    }
    g_assert_cmpint(i, <, 10);
}

/* random descriptors of every type in a queue that always goes on */
static void test_fuzz_queue(void)
{
    GRand *rand = g_rand_new_with_seed(4);
    int i;
    PriLab lab;

    pri_lab_start_with(&lab, "prd-delay-us=10,ite-timeout-ms=1", NULL, 0);
    for (i = 0; i < 3000; i++) {
        QVtdDesc desc = { {
            g_rand_int_range(rand, 0, 16) |
            (g_rand_int(rand) & g_rand_int(rand) & ~0xe0fu) |
            (uint64_t)(g_rand_int(rand) & g_rand_int(rand)) << 32,
            (uint64_t)(g_rand_int(rand) & g_rand_int(rand)) << 12,
        } };

        if (g_rand_int_range(rand, 0, 3) == 0) {
            desc.qw[0] = deposit64(desc.qw[0], 16, 16, lab.d.rid);
        }
        if ((desc.qw[0] & 0xf) == 5) {
            /* keep the status word out of everybody's tables */
            desc.qw[1] = lab.v.status;
        }
        qvtd_submit(&lab.v, desc);
        if (i % 16 == 0) {
            lab_request(&lab, LAB_IOVA, R | L, i & 0x1ff);
            qtest_clock_step(lab.qts, 3 * 1000 * 1000);
        }
        recover_queue(&lab);
    }
    g_assert_true(alive(&lab));
    qtest_clock_step(lab.qts, 10 * 1000 * 1000);
    qvtd_writel(&lab.v, QVTD_FSTS, 0x71);
    qvtd_wait(&lab.v, 0);
    check_survives(&lab);
    g_rand_free(rand);
    pri_lab_stop(&lab);
}

/* One random thing of any kind that a guest can do, knobs aside */
static void poke_anything(PriLab *lab, GRand *rand)
{
    uint64_t desc[4] = {
        g_rand_int_range(rand, 1, 10) | (uint64_t)lab->d.rid << 16 |
        (uint64_t)(g_rand_int(rand) & g_rand_int(rand)) << 32,
        (uint64_t)(g_rand_int(rand) & g_rand_int(rand)) << 12,
    };

    switch (g_rand_int_range(rand, 0, 8)) {
    case 0:
        poke(lab, rand, QVTD_BASE + QVTD_IQH, 0x70);
        break;
    case 1:
        poke(lab, rand, QVTD_BASE + QVTD_FSTS, 0x10);
        break;
    case 2:
        qtest_memwrite(lab->qts, lab->v.iq + g_rand_int_range(rand, 0, 128) *
                       sizeof(desc), desc, sizeof(desc));
        break;
    case 3:
        qvtd_writel(&lab->v, QVTD_IQT, g_rand_int_range(rand, 0, 128) *
                    sizeof(desc));
        break;
    case 4:
        poke(lab, rand, lab->d.bar0 + PT_CHANNEL(g_rand_int_range(rand, 0, 8)),
             0x60);
        break;
    case 5:
        poke(lab, rand, lab->d.bar0 + PT_RAW_ADDR, 0x18);
        qpt_writel(&lab->d, PT_RAW_SEND, 1);
        break;
    case 6:
        poke(lab, rand, qpt_ecam(lab->d.rid, lab->d.ats & ~0xffu), 0x200);
        break;
    default:
        qtest_clock_step(lab->qts, g_rand_int_range(rand, 1, 3000000));
        break;
    }
}

/*
 * Everything at once: registers, descriptors, operations, requests,
 * configuration space and time, with resets of the function in between
 */
static void test_fuzz_all(const void *opaque)
{
    GRand *rand = g_rand_new_with_seed(GPOINTER_TO_UINT(opaque));
    int i;
    PriLab lab;

    pri_lab_start_with(&lab, "prd-delay-us=50,ite-timeout-ms=1,wait-depth=8",
                       "inv-delay-us=200", 0);
    for (i = 0; i < 3000; i++) {
        poke_anything(&lab, rand);
        if (i % 100 == 0) {
            qpt_flr(&lab.d);
            qpt_restore(&lab.d);
            qpt_enable(&lab.d, 0);
            qvtd_writel(&lab.v, QVTD_FSTS, 0x71);
            qvtd_prq_start(&lab.v, 0);
        }
    }
    check_survives(&lab);
    g_rand_free(rand);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    unsigned int i;

    pri_lab_test_init(&argc, &argv);
    g_test_add_func("/pri-lab/state/migration", test_migration);
    g_test_add_func("/pri-lab/state/snapshot", test_snapshot);
    g_test_add_func("/pri-lab/state/reset-in-flight", test_reset_in_flight);
    g_test_add_func("/pri-lab/unplug/outstanding", test_unplug);
    g_test_add_func("/pri-lab/unplug/in-flight", test_unplug_in_flight);
    g_test_add_func("/pri-lab/fuzz/device", test_fuzz_device);
    g_test_add_func("/pri-lab/fuzz/config-space", test_fuzz_config);
    g_test_add_func("/pri-lab/fuzz/vtd", test_fuzz_vtd);
    g_test_add_func("/pri-lab/fuzz/descriptors", test_fuzz_queue);
    for (i = 10; i < 13; i++) {
        g_autofree char *name = g_strdup_printf("/pri-lab/fuzz/all-%u", i);

        g_test_add_data_func(name, GUINT_TO_POINTER(i), test_fuzz_all);
    }
    return g_test_run();
}
