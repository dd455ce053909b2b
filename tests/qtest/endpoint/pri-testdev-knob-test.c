/*
 * pri-testdev: a function that leaks, over-issues, takes its time, or vanishes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "hw/i386/vtd-knobs.h"
#include "libqos/vtd-inv.h"
#include "qapi/error.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "qobject/qlist.h"

#define PAGE            4096
#define PA              0x8000000ULL
#define ONES            UINT32_MAX
#define COMMAND         0x04
#define DEVSTA          0x0a
#define DEVSTA_TP       0x20
#define PRQ_HOLD_HASH   0xafec8720  /* 32-bit FNV-1a of "prq-hold" */

static uint32_t invalidate(PriLab *lab)
{
    uint32_t slot;

    qinv_put_dev_tlb(&lab->v, lab->d.rid);
    slot = qinv_put_wait(&lab->v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab->v);
    return slot;
}

/* Write a page, without asking for it */
static uint32_t poke(PriLab *lab)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID | PT_FLAG_NO_PRI,
        .pasid = LAB_PASID, .dst = LAB_IOVA, .len = 8,
    };

    return qpt_run(&lab->d, 0, &op);
}

/* Start a channel on a page that is absent */
static void fault(PriLab *lab, unsigned int ch)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA + ch * PAGE, .len = 8,
    };

    qpt_start(&lab->d, ch, &op);
    g_assert_cmpuint(qpt_wait(&lab->d, ch), ==, PT_ST_RUNNING);
}

static uint32_t pop_prgi(PriLab *lab)
{
    QVtdDesc prd = { };

    g_assert_true(qvtd_prq_pop(&lab->v, &prd));
    return QVTD_PRD_PRGI(&prd);
}

/* -- ATC ------------------------------------------------------------------- */

static void check_leak(bool leak)
{
    PriLab lab;

    pri_lab_start(&lab);
    lab_knob(&lab, PT_KNOB_ATC_LEAK, leak);
    qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA, PA, QVTD_FS_USER);
    g_assert_cmpuint(poke(&lab), ==, PT_ST_DONE);
    qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA, 0, 0);
    qvtd_submit(&lab.v, qvtd_desc_piotlb(LAB_DID, LAB_PASID));
    g_assert_true(qvtd_wait_done(&lab.v, invalidate(&lab)));
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_INV_COMPLETIONS), ==, 1);
    g_assert_cmpuint(poke(&lab), ==, leak ? PT_ST_DONE : PT_ST_NO_PRI);
    pri_lab_stop(&lab);
}

static void test_leak(void)
{
    check_leak(false);
    check_leak(true);
}

/* ATS-20 and its opposite */
static void test_e0(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    qpt_config_writew(&lab.d, lab.d.ats + QPT_ATS_CTRL, 0);
    g_assert_true(qvtd_wait_done(&lab.v, invalidate(&lab)));
    lab_knob(&lab, PT_KNOB_INV_WHEN_E0, 1);
    g_assert_false(qvtd_wait_done(&lab.v, invalidate(&lab)));
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_INV_REQUESTS), ==, 2);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_INV_COMPLETIONS), ==, 1);
    pri_lab_stop(&lab);
}

/* -- Page Requests --------------------------------------------------------- */

static void test_over_issue(void)
{
    PriLab lab;
    int i;

    pri_lab_start(&lab);
    qpt_pri_disable(&lab.d);
    qpt_enable(&lab.d, 1);
    for (i = 0; i < 4; i++) {
        fault(&lab, i);
    }
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    lab_knob(&lab, PT_KNOB_HONOUR_ALLOC, 1);
    qpt_wait(&lab.d, 3);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 4);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 4);
    pri_lab_stop(&lab);
}

static void check_policy(uint64_t policy, const uint32_t *expected)
{
    PriLab lab;
    int i;

    pri_lab_start(&lab);
    lab_knob(&lab, PT_KNOB_PRGI_POLICY, policy);
    for (i = 0; i < 3; i++) {
        fault(&lab, i);
        g_assert_cmpuint(pop_prgi(&lab), ==, i);
    }
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 0, QPT_INVALID_REQUEST);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 1, QPT_INVALID_REQUEST);
    fault(&lab, 0);
    g_assert_cmpuint(pop_prgi(&lab), ==, expected[0]);
    fault(&lab, 1);
    g_assert_cmpuint(pop_prgi(&lab), ==, expected[1]);
    pri_lab_stop(&lab);
}

static void test_policy(void)
{
    static const uint32_t expected[3][2] = { { 3, 4 }, { 1, 0 }, { 0, 1 } };
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(expected); i++) {
        check_policy(i, expected[i]);
    }
}

/* -- Function Level Reset -------------------------------------------------- */

static void start_flr(PriLab *lab, const char *options)
{
    pri_lab_start_with(lab, "ite-timeout-ms=500,wait-depth=1024", options,
                       0);
}

static void flr(PriLab *lab)
{
    QPriTestdev *d = &lab->d;
    uint16_t ctl = qpt_config_readw(d, d->exp + QPT_EXP_DEVCTL);

    qpt_config_writew(d, d->exp + QPT_EXP_DEVCTL, ctl | QPT_EXP_DEVCTL_FLR);
}

/* FLR-01: no register can be reached before its time */
static void test_flr_duration(void)
{
    PriLab lab;

    start_flr(&lab, "flr-duration-ms=100");
    qpt_writel(&lab.d, PT_SCRATCH, 7);
    flr(&lab);
    qpt_restore(&lab.d);
    g_assert_cmphex(qpt_readl(&lab.d, PT_ID), ==, ONES);
    g_assert_cmphex(qtest_readl(lab.qts, lab.d.bar2), ==, ONES);
    qpt_writel(&lab.d, PT_SCRATCH, 8);
    qtest_clock_step(lab.qts, 99 * QINV_MS);
    g_assert_cmphex(qpt_readl(&lab.d, PT_ID), ==, ONES);
    qtest_clock_step(lab.qts, 2 * QINV_MS);
    g_assert_cmphex(qpt_readl(&lab.d, PT_ID), ==, PT_ID_MAGIC);
    g_assert_cmphex(qtest_readl(lab.qts, lab.d.bar2), ==, 0);
    g_assert_cmphex(qpt_readl(&lab.d, PT_SCRATCH), ==, 0);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_FLRS), ==, 1);
    pri_lab_stop(&lab);
}

/* FLR-05 */
static void check_flr_config(const char *options, uint32_t id)
{
    PriLab lab;

    start_flr(&lab, options);
    flr(&lab);
    g_assert_cmphex(qpt_config_readl(&lab.d, 0), ==, id);
    g_assert_cmphex(qpt_config_readw(&lab.d, 0), ==, id & 0xffff);
    g_assert_cmphex(qpt_config_readl(&lab.d, COMMAND), ==, ONES);
    g_assert_cmphex(qpt_config_readl(&lab.d, lab.d.pri), ==, ONES);
    qpt_config_writew(&lab.d, COMMAND, 6);
    qtest_clock_step(lab.qts, 101 * QINV_MS);
    g_assert_cmphex(qpt_config_readl(&lab.d, 0), ==,
                    PRI_TESTDEV_DEVICE_ID << 16 | PRI_TESTDEV_VENDOR_ID);
    g_assert_cmphex(qpt_config_readw(&lab.d, COMMAND) & 6, ==, 0);
    pri_lab_stop(&lab);
}

static void test_flr_config(void)
{
    check_flr_config("flr-duration-ms=100,flr-config=all-ones", ONES);
    check_flr_config("flr-duration-ms=100,flr-config=rrs", 0xffff0001);
}

/* ATS-29, FLR-02 */
static void check_flr_inv(const char *options, bool during, bool after)
{
    uint32_t slot;
    PriLab lab;

    start_flr(&lab, options);
    flr(&lab);
    slot = invalidate(&lab);
    g_assert_true(qvtd_wait_done(&lab.v, slot) == during);
    qtest_clock_step(lab.qts, 99 * QINV_MS);
    g_assert_true(qvtd_wait_done(&lab.v, slot) == during);
    qtest_clock_step(lab.qts, 2 * QINV_MS);
    g_assert_true(qvtd_wait_done(&lab.v, slot) == after);
    qtest_clock_step(lab.qts, 500 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab.v) & QVTD_FSTS_ITE, ==,
                    after ? 0 : QVTD_FSTS_ITE);
    pri_lab_stop(&lab);
}

static void test_flr_inv(void)
{
    check_flr_inv("flr-duration-ms=100", false, false);
    check_flr_inv("flr-duration-ms=100,inv-in-flr=complete", true, true);
    check_flr_inv("flr-duration-ms=100,inv-in-flr=complete-after", false,
                  true);
}

/* FLR-03: a response from before the reset meets a group from after it */
static void test_flr_stale(void)
{
    PriLab lab;

    start_flr(&lab, NULL);
    fault(&lab, 0);
    fault(&lab, 1);
    g_assert_cmpuint(pop_prgi(&lab), ==, 0);
    g_assert_cmpuint(pop_prgi(&lab), ==, 1);
    flr(&lab);
    qpt_restore(&lab.d);
    qpt_enable(&lab.d, 0);
    fault(&lab, 0);
    g_assert_cmpuint(pop_prgi(&lab), ==, 0);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 1, QPT_SUCCESS);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_RESP_STALE), ==, 1);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_RESP_UNEXPECTED), ==, 1);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 0, QPT_INVALID_REQUEST);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_RESP_STALE), ==, 2);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_RESP_UNEXPECTED), ==, 1);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_RESP_INVALID), ==, 1);
    pri_lab_stop(&lab);
}

/* What comes in the middle of a reset is lost */
static void test_flr_response(void)
{
    PriLab lab;

    start_flr(&lab, "flr-duration-ms=100");
    fault(&lab, 0);
    g_assert_cmpuint(pop_prgi(&lab), ==, 0);
    flr(&lab);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 0, QPT_SUCCESS);
    qtest_clock_step(lab.qts, 101 * QINV_MS);
    qpt_restore(&lab.d);
    qpt_enable(&lab.d, 0);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_RESP_UNEXPECTED), ==, 0);
    fault(&lab, 0);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, pop_prgi(&lab), QPT_SUCCESS);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_RESP_STALE), ==, 0);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_RESP_SUCCESS), ==, 1);
    pri_lab_stop(&lab);
}

/* After a reset of the machine nothing comes from before it */
static void test_machine_reset(void)
{
    PriLab lab;

    start_flr(&lab, "flr-duration-ms=100,flr-config=all-ones");
    fault(&lab, 0);
    flr(&lab);
    lab_reset(&lab);
    qvtd_init(&lab.v, lab.qts);
    qpt_init(&lab.d, lab.qts, lab.d.port, LAB_BUS);
    pri_lab_program(&lab);
    fault(&lab, 0);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, pop_prgi(&lab),
                 QPT_INVALID_REQUEST);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_RESP_INVALID), ==, 1);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_RESP_STALE), ==, 0);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_FLRS), ==, 0);
    pri_lab_stop(&lab);
}

/* FLR-03: while the machine stands still a channel is in the middle */
static void test_pending(void)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA, .len = 8,
    };
    unsigned int at;
    PriLab lab;

    pri_lab_start(&lab);
    at = lab.d.exp + DEVSTA;
    g_assert_cmphex(qpt_config_readw(&lab.d, at) & DEVSTA_TP, ==, 0);
    qtest_qmp_assert_success(lab.qts, "{ 'execute': 'stop' }");
    qpt_start(&lab.d, 0, &op);
    g_assert_cmphex(qpt_config_readw(&lab.d, at) & DEVSTA_TP, !=, 0);
    g_assert_cmphex(qpt_config_readl(&lab.d, at - 2) >> 16 & DEVSTA_TP, !=, 0);
    qtest_qmp_assert_success(lab.qts, "{ 'execute': 'cont' }");
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);

    /* a Page Request is posted */
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 1);
    g_assert_cmphex(qpt_config_readw(&lab.d, at) & DEVSTA_TP, ==, 0);
    lab_knob(&lab, PT_KNOB_TP_BIT, 1);
    g_assert_cmphex(qpt_config_readw(&lab.d, at) & DEVSTA_TP, !=, 0);
    pri_lab_stop(&lab);
}

/* -- Gone ------------------------------------------------------------------ */

static void check_gone(PriLab *lab)
{
    g_assert_cmphex(qpt_config_readl(&lab->d, 0), ==, ONES);
    g_assert_cmphex(qpt_config_readw(&lab->d, COMMAND), ==, 0xffff);
    g_assert_cmphex(qpt_readl(&lab->d, PT_ID), ==, ONES);
    g_assert_cmphex(qpt_readq(&lab->d, PT_CNT_FLRS), ==, UINT64_MAX);
    g_assert_cmphex(qpt_ch_readl(&lab->d, 0, PT_CH_STATUS), ==, ONES);
    g_assert_cmphex(qtest_readl(lab->qts, lab->d.bar2), ==, ONES);
}

static void check_back(PriLab *lab)
{
    g_assert_cmphex(qpt_config_readl(&lab->d, 0), ==,
                    PRI_TESTDEV_DEVICE_ID << 16 | PRI_TESTDEV_VENDOR_ID);
    g_assert_cmphex(qpt_config_readw(&lab->d, COMMAND), ==, 0);
    g_assert_cmphex(qpt_config_readw(&lab->d, lab->d.ats + QPT_ATS_CTRL), ==,
                    0);
    qpt_restore(&lab->d);
    g_assert_cmphex(qpt_readl(&lab->d, PT_ID), ==, PT_ID_MAGIC);
    g_assert_cmpuint(qpt_ch_readl(&lab->d, 0, PT_CH_STATUS), ==, PT_ST_IDLE);
    g_assert_cmpuint(qpt_knob_get(&lab->d, PT_KNOB_GONE), ==, 0);
}

static void test_gone(void)
{
    uint32_t slot, prgi;
    PriLab lab;

    start_flr(&lab, NULL);
    fault(&lab, 0);
    prgi = pop_prgi(&lab);
    lab_knob(&lab, PT_KNOB_INV_REPLY, 2);
    invalidate(&lab);
    qpt_knob_set(&lab.d, PT_KNOB_GONE, 1);
    check_gone(&lab);

    /* nothing is answered and nothing is heard */
    slot = invalidate(&lab);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, prgi, QPT_SUCCESS);
    qpt_writel(&lab.d, PT_CTRL, PT_CTRL_ABORT);
    qpt_config_writew(&lab.d, COMMAND, 0);
    qtest_clock_step(lab.qts, 501 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab.v) & QVTD_FSTS_ITE, !=, 0);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    check_gone(&lab);

    qtest_qmp_assert_success(lab.qts, "{ 'execute': 'qom-set', 'arguments': "
        "{ 'path': 'pt0', 'property': 'gone', 'value': 'off' } }");
    check_back(&lab);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_INV_WAITING), ==, 0);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_RESP_UNEXPECTED), ==, 0);
    pri_lab_stop(&lab);
}

static void test_gone_ms(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    lab_knob(&lab, PT_KNOB_GONE_MS, 20);
    qpt_knob_set(&lab.d, PT_KNOB_GONE, 1);
    qtest_clock_step(lab.qts, 19 * QINV_MS);
    check_gone(&lab);

    /* a reset of the machine does not bring it back */
    lab_reset(&lab);
    qpt_ecam_enable(lab.qts);
    qpt_bridge_setup(lab.qts, lab.d.port, LAB_BUS, lab.d.bar0);
    g_assert_cmphex(qpt_config_readl(&lab.d, 0), ==, ONES);
    qtest_clock_step(lab.qts, 2 * QINV_MS);
    check_back(&lab);
    pri_lab_stop(&lab);
}

/* -- Names ----------------------------------------------------------------- */

typedef struct Name {
    const char *name;
    uint32_t select;            /* what PT_KNOB_SELECT is then */
} Name;

static const Name names[] = {
#define PT_NAME(FIELD, field, name, def, max, values, help) \
    { name, PT_KNOB_##FIELD },
    PT_KNOBS(PT_NAME)
#undef PT_NAME
#define VTD_NAME(FIELD, field, name, def, max, values, help) \
    { name, PT_KNOB_IOMMU | VTD_KNOB_##FIELD },
    VTD_KNOBS(VTD_NAME)
#undef VTD_NAME
};

static uint32_t find(PriLab *lab, uint32_t whose, const char *name)
{
    qpt_writel(&lab->d, PT_KNOB_SELECT, whose);
    qpt_writel(&lab->d, PT_KNOB_NAME, qpt_knob_hash(name));
    return qpt_readl(&lab->d, PT_KNOB_STATUS);
}

/* Every knob has a name of its own, and what has none is no knob */
static void test_names(void)
{
    const uint32_t iommu = PT_KNOB_IOMMU;
    PriLab lab;

    pri_lab_start(&lab);
    for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
        g_assert_cmpuint(find(&lab, names[i].select & iommu, names[i].name),
                         ==, PT_KNOB_OK);
        g_assert_cmphex(qpt_readl(&lab.d, PT_KNOB_SELECT), ==,
                        names[i].select);
    }
    /* one of the IOMMU is none of the function, and takes no value */
    g_assert_cmpuint(find(&lab, 0, "prq-depth"), ==, PT_KNOB_NONE);
    g_assert_cmphex(qpt_readl(&lab.d, PT_KNOB_SELECT), ==, PT_KNOB_NO_NUMBER);
    qpt_writeq(&lab.d, PT_KNOB_VALUE, 1);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_KNOB_STATUS), ==, PT_KNOB_NONE);
    g_assert_cmpuint(find(&lab, iommu, "inv-reply"), ==, PT_KNOB_NONE);
    g_assert_cmpuint(find(&lab, iommu, ""), ==, PT_KNOB_NONE);
    /* the hash is the one that programs have been compiled with */
    qpt_writel(&lab.d, PT_KNOB_SELECT, iommu);
    qpt_writel(&lab.d, PT_KNOB_NAME, PRQ_HOLD_HASH);
    g_assert_cmphex(qpt_readl(&lab.d, PT_KNOB_SELECT), ==,
                    iommu | VTD_KNOB_PRQ_HOLD);
    pri_lab_stop(&lab);
}

/* -- Properties ------------------------------------------------------------ */

/* Why a property of the function cannot have a value: JSON, free it */
static char *refused(PriLab *lab, const char *property, const char *value)
{
    QDict *rsp = qtest_qmp(lab->qts, "{ 'execute': 'qom-set', 'arguments': "
                           "{ 'path': 'pt0', 'property': %s, 'value': %p } }",
                           property, qobject_from_json(value, &error_abort));
    char *why = g_strdup(qdict_haskey(rsp, "error") ?
                         qdict_get_str(qdict_get_qdict(rsp, "error"),
                                       "desc") : "");

    qobject_unref(rsp);
    return why;
}

/* Who mistakes a value is told which there are, and nothing changes */
static void test_values(void)
{
    g_autofree char *name = NULL, *number = NULL, *text = NULL;
    PriLab lab;

    pri_lab_start(&lab);
    lab_knob(&lab, PT_KNOB_INV_WHEN_E0, PT_INV_WHEN_E0_UR);
    name = refused(&lab, "inv-when-e0", "'never'");
    g_assert_nonnull(strstr(name, "choices are complete, drop, ur"));
    number = refused(&lab, "inv-when-e0", "1");
    g_assert_cmpstr(number, !=, "");
    text = refused(&lab, "inv-nth", "'drop'");
    g_assert_cmpstr(text, !=, "");
    g_assert_cmpuint(qpt_knob_get(&lab.d, PT_KNOB_INV_WHEN_E0), ==,
                     PT_INV_WHEN_E0_UR);
    g_assert_cmpuint(qpt_knob_get(&lab.d, PT_KNOB_INV_NTH), ==, 0);
    pri_lab_stop(&lab);
}

/* A knob with names for its values is a string, another one a number */
static void test_types(void)
{
    const QListEntry *e;
    unsigned int n = 0;
    PriLab lab;
    QDict *rsp;

    pri_lab_boot(&lab, NULL, NULL, 0);
    rsp = qtest_qmp(lab.qts, "{ 'execute': 'qom-list', 'arguments': "
                    "{ 'path': 'pt0' } }");
    QLIST_FOREACH_ENTRY(qdict_get_qlist(rsp, "return"), e) {
        QDict *p = qobject_to(QDict, qlist_entry_obj(e));

        if (!strcmp(qdict_get_str(p, "name"), "inv-reply")) {
            g_assert_cmpstr(qdict_get_str(p, "type"), ==, "str");
            n++;
        } else if (!strcmp(qdict_get_str(p, "name"), "inv-nth")) {
            g_assert_cmpstr(qdict_get_str(p, "type"), ==, "uint64");
            n++;
        }
    }
    g_assert_cmpuint(n, ==, 2);
    qobject_unref(rsp);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);

    qtest_add_func("/pri-testdev/knob/atc-leak", test_leak);
    qtest_add_func("/pri-testdev/knob/ATS-20/inv-when-e0", test_e0);
    qtest_add_func("/pri-testdev/knob/PRI-04/honour-alloc", test_over_issue);
    qtest_add_func("/pri-testdev/knob/prgi-policy", test_policy);
    qtest_add_func("/pri-testdev/flr/FLR-01/duration", test_flr_duration);
    qtest_add_func("/pri-testdev/flr/FLR-05/config", test_flr_config);
    qtest_add_func("/pri-testdev/flr/ATS-29/invalidate", test_flr_inv);
    qtest_add_func("/pri-testdev/flr/FLR-03/stale", test_flr_stale);
    qtest_add_func("/pri-testdev/flr/FLR-02/response", test_flr_response);
    qtest_add_func("/pri-testdev/flr/machine-reset", test_machine_reset);
    qtest_add_func("/pri-testdev/flr/FLR-03/pending", test_pending);
    qtest_add_func("/pri-testdev/knob/names", test_names);
    qtest_add_func("/pri-testdev/knob/values", test_values);
    qtest_add_func("/pri-testdev/knob/types", test_types);
    qtest_add_func("/pri-testdev/gone", test_gone);
    qtest_add_func("/pri-testdev/gone-ms", test_gone_ms);

    return g_test_run();
}
