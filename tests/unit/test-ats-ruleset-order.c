/*
 * Unit tests of the rules of the ATS link: messages that are overtaken
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "rules-world.h"

unsigned int shim_guest_errors;

/* Neighbours of one direction change places */
static void test_reorder(void)
{
    World *w = rules_new();

    rules_set(w, rules_any(ATS_RULE_REORDER));
    rules_send(w, ATS_MSG_PAGE_REQUEST, 1);
    rules_send(w, ATS_MSG_PRG_RESPONSE, 2);
    rules_expect_none(w);
    rules_send(w, ATS_MSG_INV_REQUEST, 3);
    RULES_EXPECT(w, 3, 2);
    rules_send(w, ATS_MSG_INV_COMPLETION, 4);
    RULES_EXPECT(w, 4, 1);

    /* one that waits is overtaken after the rule has gone, too */
    rules_send(w, ATS_MSG_PAGE_REQUEST, 5);
    rules_set(w, rules_any(ATS_RULE_OFF));
    rules_send(w, ATS_MSG_PAGE_REQUEST, 6);
    RULES_EXPECT(w, 6, 5);
    g_assert_false(w->ruleset.active);
    rules_free(w);
}

/* Who is overtaken is who waits for it, not what else is held */
static void test_reorder_and_hold(void)
{
    World *w = rules_new();
    AtsRuleKnobs rule = rules_any(ATS_RULE_REORDER);

    rules_set(w, rules_any(ATS_RULE_HOLD));
    rules_send(w, ATS_MSG_PAGE_REQUEST, 1);
    rule.count = 1;
    rules_set(w, rule);
    rules_send(w, ATS_MSG_PAGE_REQUEST, 2);
    rules_send(w, ATS_MSG_PAGE_REQUEST, 3);
    RULES_EXPECT(w, 3, 2);
    g_assert_cmpuint(w->ruleset.held.length, ==, 1);

    /* a tag that no ITag is; a Page Request can have it */
    rule = rules_any(ATS_RULE_DROP);
    rule.tag = ATS_ITAG_NR;
    rules_set(w, rule);
    rules_send(w, ATS_MSG_INV_COMPLETION, 0);
    RULES_EXPECT(w, 0);
    rules_free(w);
}

/* A rule that is used up leaves a message behind, which the next overtakes */
static void test_reorder_used_up(void)
{
    World *w = rules_new();
    AtsRuleKnobs rule = rules_any(ATS_RULE_REORDER);

    rule.count = 1;
    rules_set(w, rule);
    rules_send(w, ATS_MSG_PRG_RESPONSE, 1);
    rules_expect_none(w);
    g_assert_cmpint(w->rule[0].knobs.act, ==, ATS_RULE_OFF);
    g_assert_true(w->ruleset.active);
    rules_send(w, ATS_MSG_PRG_RESPONSE, 2);
    RULES_EXPECT(w, 2, 1);
    g_assert_false(w->ruleset.active);

    /* another rule is for the next message, not for the one that is held */
    rules_set(w, rule);
    rules_send(w, ATS_MSG_PRG_RESPONSE, 3);
    rules_set(w, rules_any(ATS_RULE_DROP));
    rules_send(w, ATS_MSG_PRG_RESPONSE, 4);
    rules_expect_none(w);
    g_assert_cmpuint(w->ruleset.dropped, ==, 1);
    /* without a count it is never used up */
    g_assert_cmpuint(w->rule[0].knobs.count, ==, 0);
    rules_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link/rules/reorder", test_reorder);
    g_test_add_func("/link/rules/reorder-and-hold", test_reorder_and_hold);
    g_test_add_func("/link/rules/reorder-used-up", test_reorder_used_up);
    return g_test_run();
}
