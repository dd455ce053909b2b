/*
 * The text of a plan of the schedule machine
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "sched-plan.h"

static SchedPlan plan;

static void good(const char *text)
{
    g_autofree char *error = NULL;

    if (!sched_plan_parse(&plan, text, 4, &error)) {
        g_error("%s: %s", text, error);
    }
    g_assert_null(error);
}

static void bad(const char *text, const char *why)
{
    g_autofree char *error = NULL;

    if (sched_plan_parse(&plan, text, 4, &error)) {
        g_error("%s: taken", text);
    }
    g_assert_nonnull(error);
    if (!strstr(error, why)) {
        g_error("%s: %s", text, error);
    }
}

static void test_empty(void)
{
    good("");
    g_assert_false(plan.on);
    good("  \t ");
    g_assert_false(plan.on);
    good("on");
    g_assert_true(plan.on);
    g_assert_cmpuint(plan.slice, ==, SCHED_SLICE);
    g_assert_cmpuint(plan.yield, ==, SCHED_YIELD);
    g_assert_cmpuint(plan.hold, ==, SCHED_HOLD);
    g_assert_cmpuint(plan.limit, ==, 0);
}

/* A function waits 50 ms for a Translation Completion, and no longer */
static void test_hold(void)
{
    good("order=0123 tr#1=idle");
    g_assert_cmpuint(sched_plan_hold(&plan, ATS_EVENT_TRANSLATION), ==,
                     SCHED_HOLD_TR);
    g_assert_cmpuint(SCHED_HOLD_TR << 3, <, 50000000);
    g_assert_cmpuint(sched_plan_hold(&plan, ATS_EVENT_PAGE_REQUEST), ==,
                     SCHED_HOLD);
    good("tr#1=idle broken");
    g_assert_cmpuint(sched_plan_hold(&plan, ATS_EVENT_TRANSLATION), ==,
                     SCHED_HOLD);
    good("tr#1=idle hold=100");
    g_assert_cmpuint(sched_plan_hold(&plan, ATS_EVENT_TRANSLATION), ==, 100);
}

static void test_order(void)
{
    good("order=2103");
    g_assert_cmpuint(plan.n_order, ==, 4);
    g_assert_cmpuint(plan.order[0], ==, 2);
    g_assert_cmpuint(plan.order[3], ==, 3);
    good("order=3");
    g_assert_cmpuint(plan.n_order, ==, 1);
    bad("order=", "no vCPU");
    bad("order=4", "no such");
    bad("order=0120", "twice");
    bad("order=01x", "no such");
}

static void test_points(void)
{
    good("at=0:52 at=3:l7>1 at=2:i100 at=i9 at=prq#4 at=pd#1>0");
    g_assert_cmpuint(plan.n_changes, ==, 6);
    g_assert_cmpuint(plan.change[0].at.kind, ==, SCHED_POINT_ACCESS);
    g_assert_cmpuint(plan.change[0].at.who, ==, 0);
    g_assert_cmpuint(plan.change[0].at.n, ==, 52);
    g_assert_cmpint(plan.change[0].first, ==, -1);
    g_assert_cmpuint(plan.change[1].at.kind, ==, SCHED_POINT_LOCK);
    g_assert_cmpuint(plan.change[1].at.who, ==, 3);
    g_assert_cmpint(plan.change[1].first, ==, 1);
    g_assert_cmpuint(plan.change[2].at.kind, ==, SCHED_POINT_CPU_INSNS);
    g_assert_cmpuint(plan.change[3].at.kind, ==, SCHED_POINT_INSNS);
    g_assert_cmpuint(plan.change[3].at.n, ==, 9);
    g_assert_cmpuint(plan.change[4].at.kind, ==, SCHED_POINT_EVENT);
    g_assert_cmpuint(plan.change[4].at.who, ==, ATS_EVENT_PRQ_WRITE);
    g_assert_cmpuint(plan.change[5].at.who, ==, ATS_EVENT_PRQ_DRAIN);
    bad("at=", "a point is");
    bad("at=0:0", "from 1");
    bad("at=4:1", "a point is");
    bad("at=0:1>4", "no such");
    bad("at=0:1x", "behind the point");
    bad("at=0:", "a point is");
    bad("at=prq", "a point is");
    bad("at=prx#1", "a point is");
    bad("at=0:99999999999999999999", "a point is");
}

static void test_numbers(void)
{
    good("slice=1 yield=0 hold=0 limit=9223372036854775807");
    g_assert_cmpuint(plan.slice, ==, 1);
    g_assert_cmpuint(plan.yield, ==, 0);
    g_assert_cmpuint(plan.hold, ==, 0);
    g_assert_cmpuint(plan.limit, ==, INT64_MAX);
    bad("slice=0", "number of instructions");
    bad("slice=-1", "number of instructions");
    bad("limit=0", "number of instructions");
    bad("limit=1k", "number of instructions");
    bad("yield=", "number of instructions");
    bad("limit=9223372036854775808", "number of instructions");
}

static void test_random(void)
{
    good("rand=7:500:50000");
    g_assert_true(plan.random);
    g_assert_cmpuint(plan.seed, ==, 7);
    g_assert_cmpuint(plan.slice_min, ==, 500);
    g_assert_cmpuint(plan.slice_max, ==, 50000);
    bad("rand=7", "SEED:SHORTEST:LONGEST");
    bad("rand=7:0:5", "at least");
    bad("rand=7:6:5", "at least");
    bad("rand=7:5:6:7", "SEED:SHORTEST:LONGEST");
}

/* In the order that they are listed; printed as they were written */
static void test_slices(void)
{
    g_autoptr(GString) text = g_string_new("");

    good("slice=2103:500 slice=9 slice=0123:7");
    g_assert_cmpuint(plan.slice, ==, 9);
    g_assert_cmpuint(plan.n_listed, ==, 2);
    g_assert_cmphex(plan.listed[0].order, ==, 0x3012);
    g_assert_cmpuint(plan.listed[0].n, ==, 500);
    g_assert_cmpuint(plan.listed[1].n, ==, 7);
    sched_slice_print(text, &plan.listed[0], 4);
    g_assert_cmpstr(text->str, ==, "2103:500");
    bad("slice=210:5", "each vCPU once");
    bad("slice=2100:5", "each vCPU once");
    bad("slice=2104:5", "each vCPU once");
    bad("slice=21033:5", "ORDER:INSTRUCTIONS");
    bad("slice=2103:0", "of one at least");
    bad("slice=2103:5x", "ORDER:INSTRUCTIONS");
    bad("slice=2103:5 rand=7:5:6", "none can be listed");
    g_string_truncate(text, 0);
    for (int i = 0; i < SCHED_SLICES_MAX; i++) {
        g_string_append(text, "slice=0123:1 ");
    }
    good(text->str);
    g_string_append(text, "slice=0123:1");
    bad(text->str, "too many slices");
}

static void test_rules(void)
{
    good("prq=pd#1 resp#2=+500 msi#1=2:40 bh=idle wait#3=now cpl#1=i77");
    g_assert_cmpuint(plan.n_rules, ==, 6);
    g_assert_cmpuint(plan.rule[0].kind, ==, ATS_EVENT_PRQ_WRITE);
    g_assert_cmpuint(plan.rule[0].nth, ==, 0);
    g_assert_cmpuint(plan.rule[0].when, ==, SCHED_WHEN_POINT);
    g_assert_cmpuint(plan.rule[0].point.kind, ==, SCHED_POINT_EVENT);
    g_assert_cmpuint(plan.rule[1].nth, ==, 2);
    g_assert_cmpuint(plan.rule[1].when, ==, SCHED_WHEN_DELAY);
    g_assert_cmpuint(plan.rule[1].delay, ==, 500);
    g_assert_cmpuint(plan.rule[2].point.kind, ==, SCHED_POINT_ACCESS);
    g_assert_cmpuint(plan.rule[3].when, ==, SCHED_WHEN_IDLE);
    g_assert_cmpuint(plan.rule[4].when, ==, SCHED_WHEN_NOW);
    g_assert_cmpuint(plan.rule[5].point.kind, ==, SCHED_POINT_INSNS);
    bad("prq", "KIND=WHEN");
    bad("prq#0=now", "from 1");
    bad("prq#=now", "from 1");
    bad("prq#1", "KIND=WHEN");
    bad("prq=soon", "the moment is");
    bad("prq=+", "a delay is");
    bad("pd#1=now", "only be a point");
    bad("nothing", "no plan has");
}

/* Legal hardware neither loses nor doubles anything */
static void test_broken(void)
{
    bad("resp#1=lost", "broken");
    bad("resp#1=twice", "broken");
    bad("desc#1=lost broken", "only messages");
    bad("bh=twice broken", "only messages");
    good("resp#1=lost resp#2=twice broken");
    g_assert_true(plan.broken);
    g_assert_cmpuint(plan.rule[0].when, ==, SCHED_WHEN_LOST);
    g_assert_cmpuint(plan.rule[1].when, ==, SCHED_WHEN_TWICE);
}

static void test_bounds(void)
{
    g_autoptr(GString) text = g_string_new("");

    for (int i = 0; i < SCHED_WORDS_MAX; i++) {
        g_string_append_printf(text, "at=0:%d tr#%d=idle ", i + 1, i + 1);
    }
    good(text->str);
    g_string_append(text, "at=1:1");
    bad(text->str, "too many change points");
    g_string_truncate(text, text->len - strlen("at=1:1"));
    g_string_append(text, "tr=idle");
    bad(text->str, "too many rules");
}

/* A point is printed as it was written */
static void test_print(void)
{
    static const char *const points[] = {
        "0:52", "3:l7", "2:i100", "i9", "prq#4", "pd#1", "timer#2",
    };

    for (unsigned int i = 0; i < G_N_ELEMENTS(points); i++) {
        g_autofree char *text = g_strdup_printf("at=%s", points[i]);
        g_autoptr(GString) out = g_string_new("");

        good(text);
        sched_point_print(out, &plan.change[0].at);
        g_assert_cmpstr(out->str, ==, points[i]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sched-plan/empty", test_empty);
    g_test_add_func("/sched-plan/hold", test_hold);
    g_test_add_func("/sched-plan/order", test_order);
    g_test_add_func("/sched-plan/points", test_points);
    g_test_add_func("/sched-plan/numbers", test_numbers);
    g_test_add_func("/sched-plan/random", test_random);
    g_test_add_func("/sched-plan/slices", test_slices);
    g_test_add_func("/sched-plan/rules", test_rules);
    g_test_add_func("/sched-plan/broken", test_broken);
    g_test_add_func("/sched-plan/bounds", test_bounds);
    g_test_add_func("/sched-plan/print", test_print);
    return g_test_run();
}
