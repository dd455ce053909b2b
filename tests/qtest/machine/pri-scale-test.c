/*
 * Many functions on several root ports, many PASIDs, many invalidations
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/pri-fleet.h"
#include "libqos/vtd-inv.h"

#define PAGE            4096
#define CHANNELS        8
#define PASIDS          2048

static uint64_t iova(unsigned int ch)
{
    return LAB_IOVA + ch * PAGE;
}

/* All functions and channels at once; every one writes its own pattern */
static void start_all(PriFleet *f)
{
    for (unsigned int i = 0; i < f->n; i++) {
        for (unsigned int ch = 0; ch < CHANNELS; ch++) {
            QPtOp op = {
                .cmd = PT_OP_FILL, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
                .dst = iova(ch), .len = 8, .pattern = i << 8 | ch | 1ULL << 63,
            };

            qpt_start(&f->d[i], ch, &op);
        }
    }
}

/*
 * 64 functions on 8 root ports, 512 groups with the same PRG indices in the
 * same PASID, answered in reverse: every answer finds its group
 */
static void test_faults(void)
{
    g_autofree QVtdDesc *prd = g_new0(QVtdDesc, FLEET_MAX * CHANNELS);
    g_autofree uint64_t *pa = g_new0(uint64_t, FLEET_MAX * CHANNELS);
    unsigned int n = FLEET_MAX * CHANNELS;
    PriFleet f;

    pri_fleet_start(&f, FLEET_MAX, NULL, NULL);
    start_all(&f);
    g_assert_cmpuint(qvtd_prq_pending(&f.v), ==, n);
    for (unsigned int k = 0; k < n; k++) {
        g_assert_true(qvtd_prq_pop(&f.v, &prd[k]));
    }
    for (unsigned int k = n; k--; ) {
        unsigned int i = pri_fleet_index(&f, QVTD_PRD_RID(&prd[k]));
        unsigned int ch = (QVTD_PRD_ADDR(&prd[k]) - LAB_IOVA) / PAGE;
        uint64_t mem = qvtd_alloc(&f.v, 1);

        g_assert_cmpuint(ch, <, CHANNELS);
        pa[i * CHANNELS + ch % CHANNELS] = mem;
        qvtd_fs_map(&f.v, f.pml4[i], iova(ch), mem, QVTD_FS_USER);
        qvtd_respond(&f.v, QVTD_PRD_RID(&prd[k]), LAB_PASID,
                     QVTD_PRD_PRGI(&prd[k]), QPT_SUCCESS);
    }
    for (unsigned int k = 0; k < n; k++) {
        unsigned int i = k / CHANNELS, ch = k % CHANNELS;

        g_assert_cmpuint(qpt_wait(&f.d[i], ch), ==, PT_ST_DONE);
        g_assert_cmphex(qtest_readq(f.qts, pa[k]), ==,
                        i << 8 | ch | 1ULL << 63);
    }
    for (unsigned int i = 0; i < f.n; i++) {
        g_assert_cmpuint(qpt_readq(&f.d[i], PT_CNT_RESP_SUCCESS), ==,
                         CHANNELS);
        g_assert_cmpuint(qpt_readq(&f.d[i], PT_CNT_RESP_UNEXPECTED), ==, 0);
    }
    pri_fleet_stop(&f);
}

/* All ITags of all functions, completed from the last function to the first */
static void test_invalidations(void)
{
    uint32_t slot;
    PriFleet f;

    pri_fleet_start(&f, FLEET_MAX, "ite-timeout-ms=60000,wait-depth=1024",
                    "inv-reply=hold");
    for (unsigned int tag = 0; tag < 32; tag++) {
        for (unsigned int i = 0; i < f.n; i++) {
            qinv_put_dev_tlb(&f.v, f.d[i].rid);
        }
    }
    slot = qinv_put_wait(&f.v, QVTD_WAIT_SW);
    qvtd_qi_ring(&f.v);
    g_assert_true(qvtd_qi_idle(&f.v));
    g_assert_cmpuint(qvtd_counter(&f.v, "x-devtlb-requests"), ==, 32 * f.n);
    for (unsigned int i = f.n; i--; ) {
        g_assert_false(qvtd_wait_done(&f.v, slot));
        g_assert_cmpuint(qpt_readl(&f.d[i], PT_INV_WAITING), ==, 32);
        g_assert_cmpuint(qpt_knob_set(&f.d[i], PT_KNOB_INV_RELEASE_LAST, 32),
                         ==, PT_KNOB_OK);
    }
    g_assert_true(qvtd_wait_done(&f.v, slot));
    g_assert_cmphex(qinv_fsts(&f.v), ==, 0);
    pri_fleet_stop(&f);
}

/* Functions that are silent time out, each by itself; the others do not */
static void test_timeouts(void)
{
    uint32_t slot;
    PriFleet f;

    pri_fleet_start(&f, FLEET_MAX, "ite-timeout-ms=100,wait-depth=1024", NULL);
    for (unsigned int i = 0; i < f.n; i++) {
        if (i % 2) {
            qpt_knob_set(&f.d[i], PT_KNOB_INV_REPLY, 1);
        }
        qinv_put_dev_tlb(&f.v, f.d[i].rid);
    }
    slot = qinv_put_wait(&f.v, QVTD_WAIT_SW);
    qvtd_qi_ring(&f.v);
    qtest_clock_step(f.qts, 101 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&f.v), ==, QVTD_FSTS_ITE);
    g_assert_false(qvtd_wait_done(&f.v, slot));
    g_assert_cmpuint(qvtd_counter(&f.v, "x-devtlb-timeouts"), ==, f.n / 2);
    g_assert_cmpuint(qvtd_counter(&f.v, "x-devtlb-completions"), ==, f.n / 2);
    qvtd_writel(&f.v, QVTD_FSTS, QVTD_FSTS_ITE);
    qvtd_wait(&f.v, 0);
    pri_fleet_stop(&f);
}

/* Thousands of PASIDs, each with memory of its own at the same address */
static void test_pasids(void)
{
    g_autofree uint64_t *pa = g_new0(uint64_t, PASIDS);
    PriFleet f;

    pri_fleet_start(&f, 1, NULL, NULL);
    for (unsigned int i = 0; i < PASIDS; i++) {
        uint64_t pml4 = qvtd_pasid_setup(&f.v, f.d[0].rid, 1 + i * 511,
                                         1 + i);

        pa[i] = qvtd_alloc(&f.v, 1);
        qvtd_fs_map(&f.v, pml4, LAB_IOVA, pa[i], QVTD_FS_USER);
    }
    qvtd_flush(&f.v);
    for (unsigned int i = 0; i < PASIDS; i++) {
        QPtOp op = {
            .cmd = PT_OP_FILL, .flags = PT_FLAG_PASID, .pasid = 1 + i * 511,
            .dst = LAB_IOVA, .len = 8, .pattern = ~(uint64_t)i,
        };

        g_assert_cmpuint(qpt_run(&f.d[0], i % CHANNELS, &op), ==, PT_ST_DONE);
    }
    for (unsigned int i = 0; i < PASIDS; i++) {
        g_assert_cmphex(qtest_readq(f.qts, pa[i]), ==, ~(uint64_t)i);
    }
    g_assert_cmpuint(qpt_readl(&f.d[0], PT_ATC_USED), ==, 1024);
    pri_fleet_stop(&f);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);

    qtest_add_func("/scale/64-functions/faults", test_faults);
    qtest_add_func("/scale/64-functions/QI-21/invalidations",
                   test_invalidations);
    qtest_add_func("/scale/64-functions/QI-12/timeouts", test_timeouts);
    qtest_add_func("/scale/PASID-01/thousands", test_pasids);

    return g_test_run();
}
