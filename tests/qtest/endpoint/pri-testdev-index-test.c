/*
 * pri-testdev: the same PRG index in several PASIDs
 *
 * PCIe 6.2 10.4.2.2, 10.5.2.3: with PRG Response PASID Required a response
 * names its group by index and PASID.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-state.h"

#define PAGE            4096
#define PASIDS          3
#define KNOB            "prgi-policy=per-pasid"
#define PATTERN         0x5152535455565758ULL

typedef struct Space {
    uint32_t pasid;
    uint64_t pml4;
    uint64_t pa;
} Space;

/* LAB_PASID and its neighbours: each with a page of its own at LAB_IOVA */
static void start(PriLab *lab, Space *s, const char *dev)
{
    pri_lab_start_with(lab, NULL, dev, 0);
    for (int i = 0; i < PASIDS; i++) {
        s[i].pasid = LAB_PASID + i;
        s[i].pml4 = i ? qvtd_pasid_setup(&lab->v, lab->d.rid, s[i].pasid,
                                         0x20 + i) : lab->pml4;
        s[i].pa = qvtd_alloc(&lab->v, 1);
    }
    qvtd_flush(&lab->v);
}

/* Channel @ch faults at LAB_IOVA; the request that is in the queue now */
static QVtdDesc fault(PriLab *lab, unsigned int ch, uint32_t pasid)
{
    QVtdDesc prd = { };
    QPtOp op = {
        .cmd = PT_OP_FILL, .flags = PT_FLAG_PASID, .pasid = pasid,
        .dst = LAB_IOVA, .len = 8, .pattern = PATTERN + ch,
    };

    qpt_start(&lab->d, ch, &op);
    g_assert_cmpuint(qpt_wait(&lab->d, ch), ==, PT_ST_RUNNING);
    g_assert_true(qvtd_prq_pop(&lab->v, &prd));
    g_assert_cmphex(QVTD_PRD_PASID(&prd), ==, pasid);
    return prd;
}

static void respond(PriLab *lab, uint32_t pasid, uint16_t prgi,
                    unsigned int code)
{
    qvtd_respond(&lab->v, lab->d.rid, pasid, prgi, code);
}

/* Answer index @prgi of PASID 1 with a refusal, of 2 and 0 with their pages */
static void finish(PriLab *lab, Space *s, uint16_t prgi)
{
    QPriTestdev *d = &lab->d;

    respond(lab, s[1].pasid, prgi, QPT_INVALID_REQUEST);
    g_assert_cmpuint(qpt_wait(d, 1), ==, PT_ST_INVALID_REQUEST);
    g_assert_cmpuint(qpt_wait(d, 0), ==, PT_ST_RUNNING);
    g_assert_cmpuint(qpt_wait(d, 2), ==, PT_ST_RUNNING);
    for (int i = PASIDS - 1; i >= 0; i -= 2) {
        qvtd_fs_map(&lab->v, s[i].pml4, LAB_IOVA, s[i].pa, QVTD_FS_USER |
                    QVTD_FS_RW);
        respond(lab, s[i].pasid, prgi, QPT_SUCCESS);
        g_assert_cmpuint(qpt_wait(d, i), ==, PT_ST_DONE);
        g_assert_cmphex(qtest_readq(lab->qts, s[i].pa), ==, PATTERN + i);
    }
    g_assert_cmphex(qtest_readq(lab->qts, s[1].pa), ==, 0);
    g_assert_cmpuint(qpt_readl(d, PT_PRI_CREDITS), ==,
                     qpt_readl(d, PT_PRI_CAPACITY) -
                     qpt_readl(d, PT_PRI_GROUPS));
    g_assert_cmpuint(qpt_readq(d, PT_CNT_RESP_UNEXPECTED), ==, 0);
    g_assert_cmpuint(qpt_readq(d, PT_CNT_VIOLATIONS), ==, 0);
}

static void test_same(void)
{
    Space s[PASIDS];
    PriLab lab;

    start(&lab, s, KNOB);
    for (int i = 0; i < PASIDS; i++) {
        QVtdDesc prd = fault(&lab, i, s[i].pasid);

        g_assert_cmpuint(QVTD_PRD_PRGI(&prd), ==, 0);
    }
    /* in one PASID indices are different */
    {
        QVtdDesc prd = fault(&lab, 3, s[0].pasid);

        g_assert_cmpuint(QVTD_PRD_PRGI(&prd), ==, 1);
        respond(&lab, s[0].pasid, 1, QPT_INVALID_REQUEST);
    }
    finish(&lab, s, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 0);
    pri_lab_stop(&lab);
}

/* A PASID that has no such group: nobody's response */
static void test_other(void)
{
    Space s[PASIDS];
    PriLab lab;

    start(&lab, s, KNOB);
    fault(&lab, 0, s[0].pasid);
    fault(&lab, 1, s[1].pasid);
    respond(&lab, s[2].pasid, 0, QPT_SUCCESS);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_UNEXPECTED), ==, 1);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.pri + QPT_PRI_STATUS) &
                    QPT_PRI_STATUS_UPRGI, !=, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 2);
    pri_lab_stop(&lab);
}

/* Otherwise each has its own: nothing else would tell them apart */
static void test_par_0(void)
{
    QVtdDesc prd;
    Space s[PASIDS];
    PriLab lab;

    start(&lab, s, KNOB ",prg-resp-pasid-required=off");
    prd = fault(&lab, 0, s[0].pasid);
    g_assert_cmpuint(QVTD_PRD_PRGI(&prd), ==, 0);
    prd = fault(&lab, 1, s[1].pasid);
    g_assert_cmpuint(QVTD_PRD_PRGI(&prd), ==, 1);
    pri_lab_stop(&lab);
}

static void test_default(void)
{
    QVtdDesc prd;
    Space s[PASIDS];
    PriLab lab;

    start(&lab, s, NULL);
    fault(&lab, 0, s[0].pasid);
    prd = fault(&lab, 1, s[1].pasid);
    g_assert_cmpuint(QVTD_PRD_PRGI(&prd), ==, 1);
    pri_lab_stop(&lab);
}

/* The groups that share an index find their place after a migration */
static void test_migration(void)
{
    Space s[PASIDS];
    PriLab lab;

    start(&lab, s, KNOB);
    for (int i = 0; i < PASIDS; i++) {
        QVtdDesc prd = fault(&lab, PASIDS + i, s[i].pasid);

        g_assert_cmpuint(QVTD_PRD_PRGI(&prd), ==, 0);
        prd = fault(&lab, i, s[i].pasid);
        g_assert_cmpuint(QVTD_PRD_PRGI(&prd), ==, 1);
    }
    lab_migrate(&lab, NULL, KNOB, qtest_clock_step(lab.qts, 1));
    finish(&lab, s, 1);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, PASIDS);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);

    qtest_add_func("/pri-testdev/pri/PRI-08/same-index", test_same);
    qtest_add_func("/pri-testdev/pri/PRI-08/no-such-group", test_other);
    qtest_add_func("/pri-testdev/pri/PRI-08/par-0", test_par_0);
    qtest_add_func("/pri-testdev/pri/PRI-08/default", test_default);
    qtest_add_func("/pri-testdev/pri/PRI-08/migration", test_migration);

    return g_test_run();
}
