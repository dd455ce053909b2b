/*
 * Rules of the ATS link as objects: they come and go while the machine runs, by
 * the command line, QMP and the registers of a guest, and with a snapshot
 *
 * What a rule does to messages is in pri-link-rule-test.c and, without a
 * machine, in tests/unit/test-ats-ruleset.c and test-ats-rules.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-rules.h"
#include "libqos/lab-state.h"
#include "qobject/qdict.h"
#include <glib/gstdio.h>

#define PAGE        4096
#define RULES       64          /* that a link can have */
#define HOLD        ", 'action': 'hold', 'kind': 'page-request'"
#define DROP        ", 'action': 'drop', 'kind': 'page-request'"

static void request(PriLab *lab, uint32_t prgi)
{
    lab_request(lab, LAB_IOVA + prgi * PAGE, PT_RAW_READ | PT_RAW_LAST, prgi);
}

/* These requests, by PRG index, are in the queue, and no others */
static void expect(PriLab *lab, unsigned int n, const unsigned int *prgi)
{
    QVtdDesc prd;

    g_assert_cmpuint(qvtd_prq_pending(&lab->v), ==, n);
    for (unsigned int i = 0; i < n && qvtd_prq_pop(&lab->v, &prd); i++) {
        g_assert_cmpuint(QVTD_PRD_PRGI(&prd), ==, prgi[i]);
    }
}

#define EXPECT(lab, ...) do { \
    const unsigned int these[] = { __VA_ARGS__ }; \
    expect(lab, ARRAY_SIZE(these), these); \
} while (0)

static void expect_none(PriLab *lab)
{
    expect(lab, 0, NULL);
}

static void add(PriLab *lab, const char *id, const char *more)
{
    g_autofree char *why = lab_object_add(lab->qts, id, more);

    g_assert_cmpstr(why, ==, NULL);
}

static void refused(PriLab *lab, const char *id, const char *more,
                    const char *because)
{
    g_autofree char *why = lab_object_add(lab->qts, id, more);

    g_test_message("%s", why);
    g_assert_nonnull(strstr(why ?: "", because));
}

/* -- QMP ------------------------------------------------------------------- */

static void test_object_del(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    add(&lab, "r", HOLD ", 'tag': 2");
    add(&lab, "s", HOLD);
    for (unsigned int i = 1; i <= 4; i++) {
        request(&lab, i);
    }
    expect_none(&lab);
    g_assert_cmpuint(lab_object_number(lab.qts, "r", "held"), ==, 1);
    g_assert_cmpuint(lab_object_number(lab.qts, "s", "held"), ==, 3);
    lab_object_set(lab.qts, "s", "release", "1");
    EXPECT(&lab, 1);
    lab_object_del(lab.qts, "s");
    EXPECT(&lab, 3, 4);
    request(&lab, 5);
    request(&lab, 2);
    EXPECT(&lab, 5);
    g_assert_cmpuint(lab_object_number(lab.qts, "r", "held"), ==, 2);
    lab_object_set(lab.qts, "r", "held", "0");      /* changes nothing */
    g_assert_cmpuint(lab_object_number(lab.qts, "r", "held"), ==, 2);
    lab_object_del(lab.qts, "r");
    EXPECT(&lab, 2, 2);
    g_assert_cmpuint(lab_object_number(lab.qts, "r", "held"), ==, UINT64_MAX);
    pri_lab_stop(&lab);
}

/* The rule with the least id is asked first, whenever it came */
static void test_order(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    add(&lab, "m", DROP);
    add(&lab, "z", HOLD);
    request(&lab, 1);
    g_assert_cmpuint(lab_object_number(lab.qts, "m", "acted"), ==, 1);
    add(&lab, "a", HOLD);
    request(&lab, 2);
    g_assert_cmpuint(lab_object_number(lab.qts, "m", "acted"), ==, 1);
    g_assert_cmpuint(lab_object_number(lab.qts, "a", "acted"), ==, 1);
    lab_object_set(lab.qts, "a", "kind", "\"prg-response\"");
    request(&lab, 3);
    g_assert_cmpuint(lab_object_number(lab.qts, "m", "acted"), ==, 2);
    lab_object_del(lab.qts, "a");
    EXPECT(&lab, 2);
    g_assert_cmpuint(lab_object_number(lab.qts, "z", "acted"), ==, 0);
    pri_lab_stop(&lab);
}

static void test_refused(void)
{
    g_autofree char *longest = g_strnfill(63, 'x');
    g_autofree char *longer = g_strnfill(64, 'x');
    PriLab lab;

    pri_lab_start(&lab);
    refused(&lab, "r", ", 'action': 'hld'", "hold");
    refused(&lab, "r", ", 'delay-us': 60000001", "60000000");
    refused(&lab, "r", ", 'iommu': 'pt0'", "no IOMMU pt0");
    refused(&lab, "r", ", 'iommu': 'nobody'", "no IOMMU nobody");
    refused(&lab, longer, "", "63");
    add(&lab, longest, ", 'iommu': 'vtd'");
    request(&lab, 1);
    EXPECT(&lab, 1);
    pri_lab_stop(&lab);
}

/* As many as there is room for, together with those of a guest */
static void test_bounded(void)
{
    const uint32_t action = PT_KNOB_RULE(RULES - 1) | ATS_RULE_KNOB_ACTION;
    PriLab lab;

    pri_lab_start(&lab);
    for (unsigned int i = 0; i < RULES; i++) {
        g_autofree char *id = g_strdup_printf("r%02u", i);
        g_autofree char *more = g_strdup_printf(HOLD ", 'tag': %u", i);

        add(&lab, id, more);
    }
    refused(&lab, "one-more", HOLD, "64");
    g_assert_cmpuint(qpt_knob_set(&lab.d, action, ATS_RULE_DROP), ==,
                     PT_KNOB_FULL);
    request(&lab, RULES - 1);
    request(&lab, RULES);
    EXPECT(&lab, RULES);
    lab_object_del(lab.qts, "r63");
    EXPECT(&lab, RULES - 1);
    g_assert_cmpuint(qpt_knob_set(&lab.d, action, ATS_RULE_DROP), ==,
                     PT_KNOB_OK);
    request(&lab, RULES);
    expect_none(&lab);
    refused(&lab, "one-more", HOLD, "64");
    pri_lab_stop(&lab);
}

/* -- Registers ------------------------------------------------------------- */

static void test_registers(void)
{
    const uint32_t five = PT_KNOB_RULE(5);
    PriLab lab;

    pri_lab_start(&lab);
    g_assert_cmpuint(qpt_knob_get(&lab.d, five | ATS_RULE_KNOB_PASID), ==,
                     UINT32_MAX);
    g_assert_cmpuint(lab_object_number(lab.qts, "guest-rule-05", "tag"), ==,
                     UINT64_MAX);           /* reading does not make it */
    qpt_writel(&lab.d, PT_RULE_REMOVE, 5);

    /* by name, as guests do */
    qpt_writel(&lab.d, PT_KNOB_SELECT, five);
    qpt_writel(&lab.d, PT_KNOB_NAME, qpt_knob_hash("action"));
    g_assert_cmphex(qpt_readl(&lab.d, PT_KNOB_SELECT), ==,
                    five | ATS_RULE_KNOB_ACTION);
    qpt_writeq(&lab.d, PT_KNOB_VALUE, ATS_RULE_HOLD);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_KNOB_STATUS), ==, PT_KNOB_OK);
    request(&lab, 1);
    expect_none(&lab);
    g_assert_cmpuint(lab_object_number(lab.qts, "guest-rule-05", "held"), ==,
                     1);
    qpt_writel(&lab.d, PT_RULE_REMOVE, 4);
    expect_none(&lab);
    qpt_writel(&lab.d, PT_RULE_REMOVE, 5);
    EXPECT(&lab, 1);
    request(&lab, 2);
    EXPECT(&lab, 2);
    pri_lab_stop(&lab);
}

/* Values that no register can have */
static void test_hostile(void)
{
    const uint32_t rule = PT_KNOB_RULE(0);
    PriLab lab;

    pri_lab_start(&lab);
    g_assert_cmpuint(qpt_knob_set(&lab.d, rule | ATS_RULE_KNOB_ACTION, 7), ==,
                     PT_KNOB_RANGE);
    g_assert_cmpuint(qpt_knob_set(&lab.d, rule | ATS_RULE_KNOB_NR, 0), ==,
                     PT_KNOB_NONE);
    g_assert_cmpuint(qpt_knob_get(&lab.d, rule | PT_KNOB_NO_NUMBER), ==, 0);
    qpt_writel(&lab.d, PT_RULE_REMOVE, RULES);
    qpt_writel(&lab.d, PT_RULE_REMOVE, UINT32_MAX);
    /* one that has the name of a guest's rule whose number is too large */
    add(&lab, "guest-rule-64", DROP);
    qpt_writel(&lab.d, PT_RULE_REMOVE, RULES);
    request(&lab, 1);
    expect_none(&lab);
    lab_object_del(lab.qts, "guest-rule-64");
    /* refused writes have made no rule */
    g_assert_cmpuint(lab_object_number(lab.qts, "guest-rule-00", "tag"), ==,
                     UINT64_MAX);
    qpt_writel(&lab.d, PT_KNOB_SELECT, UINT32_MAX);
    qpt_writeq(&lab.d, PT_KNOB_VALUE, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_KNOB_STATUS), ==, PT_KNOB_NONE);
    request(&lab, 1);
    EXPECT(&lab, 1);
    pri_lab_stop(&lab);
}

/* A guest's rule is an object like others, and one of that name is a guest's */
static void test_both(void)
{
    const uint32_t zero = PT_KNOB_RULE(0);
    PriLab lab;

    pri_lab_start_with(&lab, "prq-depth=0 -object ats-rule,id=guest-rule-00,"
                       "action=hold,tag=7", NULL, 0);
    g_assert_cmpuint(qpt_knob_get(&lab.d, zero | ATS_RULE_KNOB_TAG), ==, 7);
    request(&lab, 7);
    expect_none(&lab);
    lab_rule(&lab.d, ATS_RULE_KNOB_RELEASE, 1);
    EXPECT(&lab, 7);
    g_assert_cmpuint(qpt_knob_get(&lab.d, zero | ATS_RULE_KNOB_RELEASE), ==,
                     0);
    lab_object_del(lab.qts, "guest-rule-00");
    g_assert_cmpuint(qpt_knob_get(&lab.d, zero | ATS_RULE_KNOB_TAG), ==,
                     UINT32_MAX);
    request(&lab, 7);
    EXPECT(&lab, 7);
    pri_lab_stop(&lab);
}

/* -- Snapshots ------------------------------------------------------------- */

static void expect_iommu(PriLab *lab, const char *id, const char *iommu)
{
    g_autofree char *path = g_strdup_printf("/objects/%s", id);
    QDict *rsp = qtest_qmp(lab->qts, "{ 'execute': 'qom-get', 'arguments': "
                           "{ 'path': %s, 'property': 'iommu' } }", path);

    g_assert_cmpstr(qdict_get_try_str(rsp, "return"), ==, iommu ?: "");
    qobject_unref(rsp);
}

/* The rules of the snapshot, with what they keep, and no others */
static void test_snapshot(void)
{
    g_autofree char *dir = g_dir_make_tmp("pri-lab-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/disk", dir);
    QVtd saved;
    PriLab lab;

    pri_lab_start(&lab);
    lab_create_disk(lab.qts, file);
    add(&lab, "b", HOLD ", 'nth': 2");
    add(&lab, "a", HOLD ", 'tag': 9, 'iommu': 'vtd'");
    lab_rule_kind(&lab.d, ATS_RULE_PRG_RESPONSE, ATS_RULE_DROP);
    request(&lab, 1);
    request(&lab, 9);
    request(&lab, 2);
    request(&lab, 3);
    EXPECT(&lab, 1);
    lab_run_job(lab.qts, "snapshot-save", "save");
    saved = lab.v;

    lab_object_del(lab.qts, "b");
    EXPECT(&lab, 2, 3);
    add(&lab, "c", DROP);
    lab_object_set(lab.qts, "a", "tag", "4");
    qpt_writel(&lab.d, PT_RULE_REMOVE, 0);

    for (unsigned int i = 0; i < 2; i++) {
        g_autofree char *job = g_strdup_printf("load%u", i);

        lab_run_job(lab.qts, "snapshot-load", job);
        lab.v = saved;
        g_assert_cmpuint(lab_object_number(lab.qts, "c", "held"), ==,
                         UINT64_MAX);
        g_assert_cmpuint(lab_object_number(lab.qts, "a", "held"), ==, 1);
        /* the same object, but what is deleted below is made again */
        expect_iommu(&lab, "a", i ? NULL : "vtd");
        g_assert_cmpuint(lab_object_number(lab.qts, "b", "held"), ==, 2);
        g_assert_cmpuint(lab_object_number(lab.qts, "b", "acted"), ==, 2);
        g_assert_cmpuint(lab_rule_get(&lab.d, ATS_RULE_KNOB_ACTION), ==,
                         ATS_RULE_DROP);
        expect_none(&lab);
        lab_object_del(lab.qts, "a");
        EXPECT(&lab, 9);
        request(&lab, 9);
        expect_none(&lab);
        lab_object_del(lab.qts, "b");
        EXPECT(&lab, 2, 3, 9);
    }
    pri_lab_stop(&lab);
    g_unlink(file);
    g_rmdir(dir);
}

/* -- Command line ---------------------------------------------------------- */

/* An IOMMU that has no link has no rules */
static void test_no_ats(void)
{
    g_autofree char *why = NULL;
    QTestState *qts = qtest_init("-machine q35 -nodefaults "
                                 "-device intel-iommu,intremap=on");

    why = lab_object_add(qts, "r", HOLD);
    g_test_message("%s", why);
    g_assert_nonnull(strstr(why ?: "", "no IOMMU that has a link"));
    qtest_quit(qts);
}

/* QEMU does not start with a rule that has no link, and says why */
static void test_no_link(void)
{
    g_autofree char *qemu = g_strdup(qtest_qemu_binary(NULL));
    const char *argv[] = {
        qemu, "-machine", "q35,accel=qtest", "-display", "none", "-nodefaults",
        "-object", "ats-rule,id=r,action=hold", NULL,
    };
    g_autofree char *err = NULL;
    int status = 0;

    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL,
                               G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
                               &err, &status, NULL));
    g_test_message("%s", err);
    g_assert_cmpint(status, !=, 0);
    g_assert_nonnull(strstr(err, "no IOMMU that has a link"));
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);

    qtest_add_func("/link/objects/del", test_object_del);
    qtest_add_func("/link/objects/order", test_order);
    qtest_add_func("/link/objects/refused", test_refused);
    qtest_add_func("/link/objects/bounded", test_bounded);
    qtest_add_func("/link/objects/registers", test_registers);
    qtest_add_func("/link/objects/hostile", test_hostile);
    qtest_add_func("/link/objects/both", test_both);
    qtest_add_func("/link/objects/snapshot", test_snapshot);
    qtest_add_func("/link/objects/no-ats", test_no_ats);
    qtest_add_func("/link/objects/no-link", test_no_link);

    return g_test_run();
}
