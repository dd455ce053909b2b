/*
 * VT-d page requests: what a function must not send, and hardware passes on
 *
 * What such messages look like is in pri-testdev-wrong-test.c.
 * VT-d 7.1.3, 7.4.1, 7.11; PCIe 6.2 10.4
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/pri-lab.h"

/* A neighbour that has no context entry: refused, and nobody gets the answer */
static void test_other_rid(void)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA, .len = 8,
    };
    QVtdFault f;
    PriLab lab;

    pri_lab_start_with(&lab, NULL, "group-shape=other-rid", 0);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_RUNNING);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    g_assert_true(qvtd_fault(&lab.v, &f));
    g_assert_cmphex(QVTD_FAULT_SID(&f), ==, lab.d.rid ^ 1);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_INVALID), ==, 0);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_UNEXPECTED), ==, 0);
    pri_lab_stop(&lab);
}

/* PRQ-26: reserved fields of a stop marker are copied as they are */
static void test_dirty_marker(void)
{
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start_with(&lab, NULL, "stop-marker=dirty", 0);
    qpt_writel(&lab.d, PT_STOP_PASID, PT_STOP_MARKER | LAB_PASID);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    g_assert_true(qvtd_prq_pop(&lab.v, &prd));
    g_assert_true(QVTD_PRD_PP(&prd) && QVTD_PRD_LPIG(&prd));
    g_assert_false(QVTD_PRD_RDR(&prd) || QVTD_PRD_WRR(&prd));
    g_assert_cmphex(QVTD_PRD_ADDR(&prd), !=, 0);
    g_assert_cmphex(QVTD_PRD_PRGI(&prd), !=, 0);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);

    qtest_add_func("/vtd/prq/PRI-06/other-rid", test_other_rid);
    qtest_add_func("/vtd/prq/PRQ-26/dirty-marker", test_dirty_marker);

    return g_test_run();
}
