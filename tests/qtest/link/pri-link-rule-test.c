/*
 * Rules of the ATS link: messages held, delayed, lost, sent twice, overtaken
 * and changed on their way between pri-testdev and VT-d
 *
 * What a rule does is tested without a machine in
 * tests/unit/test-ats-ruleset.c.
 * Here: that they work on the real messages, by each of the three doors, and
 * what unplug, resets and migration do to what is kept.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "hw/i386/vtd-knobs.h"
#include "libqos/lab-rules.h"
#include "libqos/lab-state.h"
#include "libqos/vtd-inv.h"
#include <glib/gstdio.h>

#define PAGE            4096
#define VTD             "ite-timeout-ms=60000,wait-depth=1024"

static void turn(PriLab *lab, uint32_t knob, uint64_t value)
{
    g_assert_cmpuint(qpt_knob_set(&lab->d, PT_KNOB_IOMMU | knob, value), ==,
                     PT_KNOB_OK);
}

static uint64_t knob(PriLab *lab, uint32_t knob)
{
    return qpt_knob_get(&lab->d, PT_KNOB_IOMMU | knob);
}

static void expect_held(PriLab *lab, unsigned int n)
{
    g_assert_cmpuint(knob(lab, VTD_KNOB_LINK_HELD), ==, n);
}

static void request(PriLab *lab, uint32_t prgi)
{
    lab_request(lab, LAB_IOVA + prgi * PAGE, PT_RAW_READ | PT_RAW_LAST, prgi);
}

static uint32_t invalidate(PriLab *lab)
{
    uint32_t slot;

    qinv_put_dev_tlb(&lab->v, lab->d.rid);
    slot = qinv_put_wait(&lab->v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab->v);
    return slot;
}

/* PRG index of the request at the head of the queue, which is taken */
static unsigned int pop(PriLab *lab)
{
    QVtdDesc prd;

    return qvtd_prq_pop(&lab->v, &prd) ? QVTD_PRD_PRGI(&prd) : ~0u;
}

/* -- Doors ----------------------------------------------------------------- */

static void test_command_line(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD " -object ats-rule,id=a,action=hold,"
                       "kind=page-request,tag=3 -object ats-rule,id=b,"
                       "action=drop,kind=page-request,nth=2,count=1", NULL, 0);
    for (unsigned int i = 1; i <= 4; i++) {
        request(&lab, i);
    }
    g_assert_cmpuint(pop(&lab), ==, 1);
    g_assert_cmpuint(pop(&lab), ==, 4);
    expect_held(&lab, 1);
    /* the second rule has done what it was for */
    g_assert_cmpuint(lab_object_number(lab.qts, "b", "count"), ==, 0);
    g_assert_cmpuint(lab_object_number(lab.qts, "b", "acted"), ==, 1);
    g_assert_cmpuint(lab_object_number(lab.qts, "a", "held"), ==, 1);
    pri_lab_stop(&lab);
}

static char *messages(PriLab *lab)
{
    QDict *rsp = qtest_qmp(lab->qts, "{ 'execute': 'qom-get', 'arguments': "
                           "{ 'path': 'vtd', 'property': 'x-link-messages' } "
                           "}");
    char *text = g_strdup(qdict_get_str(rsp, "return"));

    qobject_unref(rsp);
    return text;
}

static void test_qom_set(void)
{
    g_autofree char *text = NULL, *want = NULL;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    g_assert_null(lab_object_add(lab.qts, "r", ", 'action': 'hold'"));
    request(&lab, 5);
    request(&lab, 6);
    request(&lab, 7);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    text = messages(&lab);
    want = g_strdup_printf(
        "0 page-request rid=%02x:00.0 pasid=0x%x tag=5 addr=0x%llx code=0 "
        "rule=r\n", lab.d.rid >> 8, LAB_PASID, LAB_IOVA + 5ULL * PAGE);
    g_assert_true(g_str_has_prefix(text, want));
    qvtd_set_property(&lab.v, "link-release-at", "1");
    g_assert_cmpuint(pop(&lab), ==, 6);
    qvtd_set_property(&lab.v, "link-release-last", "1");
    g_assert_cmpuint(pop(&lab), ==, 7);
    qvtd_set_property(&lab.v, "link-release", "1");
    g_assert_cmpuint(pop(&lab), ==, 5);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-link-kept"), ==, 3);
    pri_lab_stop(&lab);
}

static void test_registers(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    lab_rule_kind(&lab.d, ATS_RULE_PAGE_REQUEST, ATS_RULE_HOLD);
    request(&lab, 1);
    request(&lab, 2);
    expect_held(&lab, 2);
    turn(&lab, VTD_KNOB_LINK_HELD, 77);     /* changes nothing */
    expect_held(&lab, 2);
    turn(&lab, VTD_KNOB_LINK_DISCARD, 1);
    turn(&lab, VTD_KNOB_LINK_RELEASE, 9);
    expect_held(&lab, 0);
    g_assert_cmpuint(pop(&lab), ==, 2);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    g_assert_cmpuint(qpt_knob_set(&lab.d, PT_KNOB_RULE(0) |
                                  ATS_RULE_KNOB_ACTION, 7), ==, PT_KNOB_RANGE);
    pri_lab_stop(&lab);
}

/* -- Kinds of messages ----------------------------------------------------- */

static void test_response(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    request(&lab, 1);
    request(&lab, 2);
    lab_rule_kind(&lab.d, ATS_RULE_PRG_RESPONSE, ATS_RULE_HOLD);
    lab_rule(&lab.d, ATS_RULE_KNOB_PASID, LAB_PASID);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 1, QPT_SUCCESS);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 2, QPT_INVALID_REQUEST);
    lab_expect_silence(&lab);
    turn(&lab, VTD_KNOB_LINK_RELEASE_LAST, 1);
    lab_expect_response(&lab, QPT_INVALID_REQUEST, 2, LAB_PASID);
    turn(&lab, VTD_KNOB_LINK_RELEASE, 1);
    lab_expect_response(&lab, QPT_SUCCESS, 1, LAB_PASID);

    /* twice: the second one meets nothing */
    request(&lab, 3);
    lab_rule_kind(&lab.d, ATS_RULE_PRG_RESPONSE, ATS_RULE_DUPLICATE);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 3, QPT_SUCCESS);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_RESP_UNEXPECTED), ==, 1);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RAW_RESP_COUNT), ==, 3);

    /* Success becomes Response Failure */
    request(&lab, 4);
    lab_rule(&lab.d, ATS_RULE_KNOB_FIELD, ATS_RULE_FIELD_CODE);
    lab_rule(&lab.d, ATS_RULE_KNOB_BITS, 0xf);
    lab_rule_kind(&lab.d, ATS_RULE_PRG_RESPONSE, ATS_RULE_CORRUPT);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 4, QPT_SUCCESS);
    lab_expect_response(&lab, QPT_RESPONSE_FAILURE, 4, LAB_PASID);
    pri_lab_stop(&lab);
}

static void test_invalidation(void)
{
    uint32_t first, second;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    lab_rule_kind(&lab.d, ATS_RULE_INV_REQUEST, ATS_RULE_HOLD);
    first = invalidate(&lab);
    lab_rule(&lab.d, ATS_RULE_KNOB_KIND, ATS_RULE_INV_COMPLETION);
    second = invalidate(&lab);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_INV_REQUESTS), ==, 1);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_INV_COMPLETIONS), ==, 1);
    expect_held(&lab, 2);
    turn(&lab, VTD_KNOB_LINK_RELEASE_LAST, 1);
    g_assert_false(qvtd_wait_done(&lab.v, second));
    lab_rule(&lab.d, ATS_RULE_KNOB_ACTION, ATS_RULE_OFF);
    turn(&lab, VTD_KNOB_LINK_RELEASE, 1);
    g_assert_true(qvtd_wait_done(&lab.v, first));
    g_assert_true(qvtd_wait_done(&lab.v, second));

    /* ATS-28, QI-11: another ITag is reported as ICE */
    lab_rule(&lab.d, ATS_RULE_KNOB_COUNT, 1);
    lab_rule_kind(&lab.d, ATS_RULE_INV_COMPLETION, ATS_RULE_CORRUPT);
    first = invalidate(&lab);
    g_assert_cmphex(qinv_fsts(&lab.v) & QVTD_FSTS_ICE, !=, 0);
    g_assert_false(qvtd_wait_done(&lab.v, first));
    pri_lab_stop(&lab);
}

static void test_reorder(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    lab_rule_kind(&lab.d, ATS_RULE_PAGE_REQUEST, ATS_RULE_REORDER);
    for (unsigned int i = 1; i <= 4; i++) {
        request(&lab, i);
    }
    g_assert_cmpuint(pop(&lab), ==, 2);
    g_assert_cmpuint(pop(&lab), ==, 1);
    g_assert_cmpuint(pop(&lab), ==, 4);
    g_assert_cmpuint(pop(&lab), ==, 3);
    pri_lab_stop(&lab);
}

static void test_delay(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    lab_rule(&lab.d, ATS_RULE_KNOB_DELAY_US, 100);
    lab_rule_kind(&lab.d, ATS_RULE_PAGE_REQUEST, ATS_RULE_DELAY);
    request(&lab, 1);
    qtest_clock_step(lab.qts, 60 * QINV_US);
    request(&lab, 2);
    qtest_clock_step(lab.qts, 39 * QINV_US);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    qtest_clock_step(lab.qts, 2 * QINV_US);
    g_assert_cmpuint(pop(&lab), ==, 1);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    qtest_clock_step(lab.qts, 60 * QINV_US);
    g_assert_cmpuint(pop(&lab), ==, 2);
    pri_lab_stop(&lab);
}

/* PRI-02 and the others of "group shape": requests that no function sends */
static void test_shape(void)
{
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    lab_rule(&lab.d, ATS_RULE_KNOB_FIELD, ATS_RULE_FIELD_RID);
    lab_rule_kind(&lab.d, ATS_RULE_PAGE_REQUEST, ATS_RULE_CORRUPT);
    request(&lab, 1);
    /* its neighbour has no context entry: refused, and answered to nobody */
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    lab_expect_silence(&lab);

    lab_rule(&lab.d, ATS_RULE_KNOB_FIELD, ATS_RULE_FIELD_FLAGS);
    lab_rule(&lab.d, ATS_RULE_KNOB_BITS,
             PT_RAW_EXEC | PT_RAW_READ | PT_RAW_WRITE);
    request(&lab, 2);
    g_assert_true(qvtd_prq_pop(&lab.v, &prd));
    g_assert_cmpuint(QVTD_PRD_RDR(&prd), ==, 0);
    g_assert_cmpuint(QVTD_PRD_WRR(&prd), ==, 1);
    g_assert_cmpuint(QVTD_PRD_EXR(&prd), ==, 1);
    lab_rule(&lab.d, ATS_RULE_KNOB_FIELD, ATS_RULE_FIELD_ADDRESS);
    lab_rule(&lab.d, ATS_RULE_KNOB_BITS, 0x100);
    request(&lab, 3);
    g_assert_true(qvtd_prq_pop(&lab.v, &prd));
    g_assert_cmphex(QVTD_PRD_ADDR(&prd), ==,
                    (LAB_IOVA + 3 * PAGE) ^ 0x100000);
    pri_lab_stop(&lab);
}

/* Two functions: one is cut off from its responses, the other one is not */
static void test_requester(void)
{
    QPtRaw raw = {
        .addr = LAB_IOVA, .pasid = LAB_PASID,
        .flags = PT_RAW_READ | PT_RAW_LAST, .prgi = 9,
    };
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, LAB_TWO_DEVICES);
    lab_rule(&lab.d, ATS_RULE_KNOB_RID, lab.d2.rid);
    lab_rule_kind(&lab.d, ATS_RULE_ALL, ATS_RULE_HOLD);
    request(&lab, 9);
    qpt_raw(&lab.d2, &raw);
    g_assert_cmpuint(pop(&lab), ==, 9);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    turn(&lab, VTD_KNOB_LINK_RELEASE, 1);
    g_assert_cmpuint(pop(&lab), ==, 9);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 9, QPT_SUCCESS);
    qvtd_respond(&lab.v, lab.d2.rid, LAB_PASID, 9, QPT_SUCCESS);
    lab_expect_response(&lab, QPT_SUCCESS, 9, LAB_PASID);
    g_assert_cmphex(qpt_raw_response(&lab.d2, NULL, NULL), ==,
                    QPT_NO_RESPONSE);
    turn(&lab, VTD_KNOB_LINK_RELEASE, 1);
    g_assert_cmphex(qpt_raw_response(&lab.d2, NULL, NULL), ==, QPT_SUCCESS);
    pri_lab_stop(&lab);
}

/* -- Unplug, reset, migration ---------------------------------------------- */

/* What the function has sent arrives, what it was to get does not */
static void test_unplug(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD LAB_NATIVE_HOTPLUG, NULL, 0);
    request(&lab, 1);
    pop(&lab);
    lab_rule_kind(&lab.d, ATS_RULE_ALL, ATS_RULE_HOLD);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 1, QPT_SUCCESS);
    request(&lab, 3);
    invalidate(&lab);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-link-kept"), ==, 3);
    lab_unplug(&lab);
    qvtd_set_property(&lab.v, "link-release", "9");
    g_assert_cmpuint(pop(&lab), ==, 3);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    /* the answer to it finds nobody */
    lab_object_set(lab.qts, "guest-rule-00", "action", "\"off\"");
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 3, QPT_SUCCESS);
    pri_lab_stop(&lab);
}

static void test_reset(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    lab_rule(&lab.d, ATS_RULE_KNOB_DELAY_US, 500000);
    lab_rule_kind(&lab.d, ATS_RULE_PAGE_REQUEST, ATS_RULE_DELAY);
    request(&lab, 1);
    lab_rule(&lab.d, ATS_RULE_KNOB_ACTION, ATS_RULE_HOLD);
    request(&lab, 2);
    qpt_flr(&lab.d);                /* what was sent has left the function */
    qpt_restore(&lab.d);
    expect_held(&lab, 2);
    lab_reset(&lab);
    qpt_init(&lab.d, lab.qts, lab.d.port, LAB_BUS);
    expect_held(&lab, 0);
    g_assert_cmpuint(lab_rule_get(&lab.d, ATS_RULE_KNOB_ACTION), ==,
                     ATS_RULE_HOLD);
    qtest_clock_step(lab.qts, 500 * QINV_MS);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-prq-pending"), ==, 0);
    pri_lab_stop(&lab);
}

static void finish(PriLab *lab, uint32_t slot, int64_t now)
{
    expect_held(lab, 4);
    g_assert_cmpuint(lab_rule_get(&lab->d, ATS_RULE_KNOB_COUNT), ==, 6);
    turn(lab, VTD_KNOB_LINK_RELEASE_AT, 1);
    lab_expect_response(lab, QPT_SUCCESS, 1, LAB_PASID);
    g_assert_false(qvtd_wait_done(&lab->v, slot));
    lab_rule(&lab->d, ATS_RULE_KNOB_ACTION, ATS_RULE_OFF);
    turn(lab, VTD_KNOB_LINK_RELEASE_LAST, 1);
    g_assert_true(qvtd_wait_done(&lab->v, slot));
    turn(lab, VTD_KNOB_LINK_RELEASE, 1);
    g_assert_cmpuint(pop(lab), ==, 3);
    qtest_clock_set(lab->qts, now + 499 * QINV_US);
    expect_held(lab, 1);
    qtest_clock_set(lab->qts, now + 501 * QINV_US);
    g_assert_cmpuint(pop(lab), ==, 2);
    expect_held(lab, 0);
}

/* Messages of each kind are saved with the machine, and go on as before */
/* The clock of qtest does not go back: what was delayed has arrived */
static void finish_loaded(PriLab *lab, uint32_t slot)
{
    expect_held(lab, 3);
    g_assert_cmpuint(pop(lab), ==, 2);
    turn(lab, VTD_KNOB_LINK_RELEASE, 1);
    g_assert_cmpuint(pop(lab), ==, 3);
    lab_expect_silence(lab);
    turn(lab, VTD_KNOB_LINK_RELEASE, 1);
    lab_expect_response(lab, QPT_SUCCESS, 1, LAB_PASID);
    lab_rule(&lab->d, ATS_RULE_KNOB_ACTION, ATS_RULE_OFF);
    g_assert_false(qvtd_wait_done(&lab->v, slot));
    turn(lab, VTD_KNOB_LINK_RELEASE, 1);
    g_assert_true(qvtd_wait_done(&lab->v, slot));
}

static void test_snapshot(void)
{
    g_autofree char *dir = g_dir_make_tmp("pri-lab-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/disk", dir);
    g_autofree char *first = NULL;
    int64_t now;
    uint32_t slot;
    QVtd saved;
    PriLab lab;

    pri_lab_start_with(&lab, VTD, NULL, 0);
    lab_create_disk(lab.qts, file);
    request(&lab, 1);
    pop(&lab);
    lab_rule(&lab.d, ATS_RULE_KNOB_COUNT, 10);
    lab_rule_kind(&lab.d, ATS_RULE_ALL, ATS_RULE_HOLD);
    request(&lab, 3);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 1, QPT_SUCCESS);
    lab_rule(&lab.d, ATS_RULE_KNOB_DELAY_US, 500);
    lab_rule(&lab.d, ATS_RULE_KNOB_ACTION, ATS_RULE_DELAY);
    now = qtest_clock_step(lab.qts, 1000);
    request(&lab, 2);
    lab_rule(&lab.d, ATS_RULE_KNOB_ACTION, ATS_RULE_HOLD);
    slot = invalidate(&lab);
    lab_run_job(lab.qts, "snapshot-save", "save");
    saved = lab.v;
    finish(&lab, slot, now);
    for (unsigned int i = 0; i < LAB_RUNS; i++) {
        g_autofree char *job = g_strdup_printf("load%u", i);

        lab_run_job(lab.qts, "snapshot-load", job);
        lab.v = saved;
        finish_loaded(&lab, slot);
        lab_expect_same_log(&lab, &first);
    }
    pri_lab_stop(&lab);
    g_unlink(file);
    g_rmdir(dir);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);

    qtest_add_func("/link/rules/command-line", test_command_line);
    qtest_add_func("/link/rules/qom-set", test_qom_set);
    qtest_add_func("/link/rules/registers", test_registers);
    qtest_add_func("/link/rules/response", test_response);
    qtest_add_func("/link/rules/ATS-28/invalidation", test_invalidation);
    qtest_add_func("/link/rules/reorder", test_reorder);
    qtest_add_func("/link/rules/delay", test_delay);
    qtest_add_func("/link/rules/PRI-02/shape", test_shape);
    qtest_add_func("/link/rules/requester", test_requester);
    qtest_add_func("/link/rules/unplug", test_unplug);
    qtest_add_func("/link/rules/reset", test_reset);
    qtest_add_func("/link/rules/snapshot", test_snapshot);

    return g_test_run();
}
