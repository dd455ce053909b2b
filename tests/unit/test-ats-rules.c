/*
 * Any number of rules on a link: their order, their bound, and what becomes of
 * the messages that a rule keeps when it goes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "rules-world.h"
#include "hw/pci/ats_actor.h"

unsigned int shim_guest_errors;

/* The first rule that matches acts */
static void test_first(void)
{
    World *w = rules_new();
    AtsRuleKnobs one = rules_any(ATS_RULE_HOLD), two = rules_any(ATS_RULE_DROP);

    one.tag = 2;
    two.nth = 3;
    g_assert_true(rules_add(w, 0, one));
    g_assert_true(rules_add(w, 1, two));
    rules_send_four(w);
    RULES_EXPECT(w, 1, 3);
    g_assert_cmpuint(w->rule[0].knobs.acted, ==, 1);
    g_assert_cmpuint(w->rule[1].knobs.acted, ==, 1);
    ats_link_release(w->link, 1, false);
    RULES_EXPECT(w, 2);
    rules_free(w);
}

/* First is the one whose id is less, whenever it came */
static void test_order(void)
{
    static const unsigned int come[] = { 7, 3, 40, 5, 39 };
    static const unsigned int asked[] = { 3, 5, 7, 39, 40 };
    World *w = rules_new();

    for (unsigned int i = 0; i < ARRAY_SIZE(come); i++) {
        g_assert_true(rules_add(w, come[i], rules_any(ATS_RULE_DROP)));
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(asked); i++) {
        AtsRule *rule = &w->rule[asked[i]];

        g_assert_cmpuint(rule->knobs.acted, ==, 0);
        rules_send(w, ATS_MSG_PAGE_REQUEST, i);
        g_assert_cmpuint(rule->knobs.acted, ==, 1);
        ats_link_remove_rule(w->link, rule);
    }
    rules_expect_none(w);
    g_assert_false(w->ruleset.active);
    rules_send(w, ATS_MSG_PAGE_REQUEST, 9);
    RULES_EXPECT(w, 9);
    rules_free(w);
}

/* One rule a message, up to as many as there can be */
static void test_many(void)
{
    World *w = rules_new();

    for (unsigned int i = 0; i < ATS_RULES_MAX; i++) {
        AtsRuleKnobs knobs = rules_any(i % 2 ? ATS_RULE_HOLD : ATS_RULE_DROP);

        knobs.tag = i;
        g_assert_true(rules_add(w, i, knobs));
    }
    g_assert_false(rules_add(w, ATS_RULES_MAX, rules_any(ATS_RULE_DROP)));
    for (unsigned int i = 0; i <= ATS_RULES_MAX; i++) {
        rules_send(w, ATS_MSG_PAGE_REQUEST, i);
    }
    RULES_EXPECT(w, ATS_RULES_MAX);
    g_assert_cmpuint(w->ruleset.held.length, ==, ATS_RULES_MAX / 2);
    for (unsigned int i = 0; i < ATS_RULES_MAX; i++) {
        g_assert_cmpuint(w->rule[i].knobs.acted, ==, 1);
        g_assert_cmpuint(w->rule[i].knobs.held, ==, i % 2);
    }

    /* there is room again when one has gone */
    ats_link_remove_rule(w->link, &w->rule[0]);
    g_assert_true(rules_add(w, ATS_RULES_MAX, rules_any(ATS_RULE_DROP)));
    rules_send(w, ATS_MSG_PAGE_REQUEST, 100);
    rules_expect_none(w);
    rules_free(w);
}

/* What a rule keeps goes on when the rule goes, what others keep does not */
static void test_remove(void)
{
    World *w = rules_new();
    AtsRuleKnobs odd = rules_any(ATS_RULE_HOLD), two = rules_any(ATS_RULE_HOLD);

    two.tag = 2;
    g_assert_true(rules_add(w, 1, two));
    g_assert_true(rules_add(w, 2, odd));
    rules_send_four(w);
    rules_expect_none(w);
    g_assert_cmpuint(w->rule[1].knobs.held, ==, 1);
    g_assert_cmpuint(w->rule[2].knobs.held, ==, 3);
    ats_link_remove_rule(w->link, &w->rule[2]);
    RULES_EXPECT(w, 1, 3, 4);
    g_assert_cmpuint(w->ruleset.held.length, ==, 1);
    rules_send_four(w);
    RULES_EXPECT(w, 1, 3, 4);
    ats_link_release_of(w->link, &w->rule[1], 1);
    RULES_EXPECT(w, 2);
    g_assert_cmpuint(w->rule[1].knobs.held, ==, 1);
    ats_link_remove_rule(w->link, &w->rule[1]);
    RULES_EXPECT(w, 2);
    g_assert_cmpuint(w->ruleset.held.length, ==, 0);
    rules_free(w);
}

/* A rule that goes is not asked about the answers to what it lets go */
static void test_remove_answered(void)
{
    World *w = rules_new();

    rules_set(w, rules_any(ATS_RULE_HOLD));
    rules_send_four(w);
    w->answer = true;
    ats_link_remove_rule(w->link, &w->rule[0]);
    RULES_EXPECT(w, 1, 1, 2, 2, 3, 3, 4, 4);
    rules_free(w);
}

/* What was to be overtaken goes, too, and its direction is free again */
static void test_remove_reorder(void)
{
    World *w = rules_new();

    rules_set(w, rules_any(ATS_RULE_REORDER));
    rules_send(w, ATS_MSG_PAGE_REQUEST, 1);
    rules_expect_none(w);
    ats_link_remove_rule(w->link, &w->rule[0]);
    RULES_EXPECT(w, 1);
    g_assert_false(w->ruleset.active);
    rules_free(w);
}

/* A delayed message goes at once, and its alarm with it */
static void test_remove_delay(void)
{
    World *w = rules_new();
    AtsRuleKnobs rule = rules_any(ATS_RULE_DELAY);

    rule.delay_us = 1;
    rules_set(w, rule);
    rules_send(w, ATS_MSG_PAGE_REQUEST, 1);
    g_assert_cmpint(w->alarm, ==, 1000);
    ats_link_remove_rule(w->link, &w->rule[0]);
    RULES_EXPECT(w, 1);
    g_assert_cmpint(w->alarm, ==, FOREVER);
    rules_free(w);
}

/* Whose it is is saved by the place of the rule, and checked */
static void test_saved(void)
{
    World *w = rules_new();
    AtsRuleKnobs two = rules_any(ATS_RULE_HOLD);

    two.tag = 2;
    g_assert_true(rules_add(w, 1, two));
    g_assert_true(rules_add(w, 2, rules_any(ATS_RULE_HOLD)));
    rules_send_four(w);
    ats_ruleset_save(&w->ruleset);
    ats_link_release(w->link, 2, false);
    RULES_EXPECT(w, 1, 2);
    g_assert_true(ats_ruleset_restore(&w->ruleset));
    g_assert_cmpuint(w->rule[1].knobs.held, ==, 1);
    g_assert_cmpuint(w->rule[2].knobs.held, ==, 3);
    ats_link_release_of(w->link, &w->rule[1], 9);
    RULES_EXPECT(w, 2);

    ats_ruleset_save(&w->ruleset);
    w->ruleset.saved[1].rule_at = 2;
    g_assert_false(ats_ruleset_restore(&w->ruleset));
    g_assert_cmpuint(w->ruleset.held.length, ==, 0);
    g_assert_cmpuint(w->rule[2].knobs.held, ==, 0);
    rules_free(w);
}

/* The other ways in which a message leaves */
static void test_counted(void)
{
    World *w = rules_new();

    rules_set(w, rules_any(ATS_RULE_HOLD));
    rules_send_four(w);
    ats_link_discard(w->link, 1);
    g_assert_cmpuint(w->rule[0].knobs.held, ==, 3);
    ats_link_release_at(w->link, 1);
    g_assert_cmpuint(w->rule[0].knobs.held, ==, 2);
    rules_send(w, ATS_MSG_PRG_RESPONSE, 7);
    g_assert_cmpuint(w->rule[0].knobs.held, ==, 3);
    ats_ruleset_forget(&w->ruleset, RID);
    g_assert_cmpuint(w->rule[0].knobs.held, ==, 2);
    ats_link_reset(w->link);
    g_assert_cmpuint(w->rule[0].knobs.held, ==, 0);
    g_assert_cmpuint(w->rule[0].knobs.acted, ==, 5);
    rules_free(w);
}

/* The counter stays at the last number that the register has */
static void test_acted_ends(void)
{
    World *w = rules_new();
    AtsRuleKnobs rule = rules_any(ATS_RULE_DROP);

    rule.acted = UINT32_MAX - 1;
    rules_set(w, rule);
    for (int i = 0; i < 3; i++) {
        rules_send(w, ATS_MSG_PAGE_REQUEST, 1);
        g_assert_cmpuint(w->rule[0].knobs.acted, ==, UINT32_MAX);
    }
    rules_free(w);
}

/* -- Completions that a decider on events keeps, with rules and without ---- */

static AtsActorVerdict keep_translation(AtsEventKind kind, uint64_t n)
{
    return kind == ATS_EVENT_TRANSLATION ? ATS_ACTOR_KEEP : ATS_ACTOR_NOW;
}

static void ignore(AtsEventKind kind, uint64_t n)
{
}

static AtsTrStatus translate(World *w, uint32_t tag)
{
    AtsTrReq req = { .addr = 0x1000, .rid = RID, .pasid = 1, .tag = tag };
    AtsTrEntry entry;

    return ats_link_translate(w->link, &req, &entry);
}

/* Who has a tag can wait for it */
static void test_kept(void)
{
    static const AtsActorOps ops = {
        .judge = keep_translation, .happens = ignore,
    };
    AtsRuleKnobs other = rules_any(ATS_RULE_DROP);
    World *w = rules_new();

    other.kind = ATS_RULE_PRG_RESPONSE;
    g_assert_cmpint(translate(w, 7), ==, ATS_TR_SUCCESS);
    ats_actor_set(&ops, true);
    g_assert_cmpint(translate(w, ATS_TR_NO_TAG), ==, ATS_TR_SUCCESS);
    g_assert_cmpint(translate(w, 7), ==, ATS_TR_PENDING);
    g_assert_true(rules_add(w, 0, other));
    g_assert_true(w->ruleset.active);
    g_assert_cmpint(translate(w, 8), ==, ATS_TR_PENDING);
    g_assert_cmpuint(w->tags->len, ==, 0);
    ats_actor_release(ATS_EVENT_TRANSLATION, 1);
    g_assert_cmpuint(w->tags->len, ==, 1);
    g_assert_cmpuint(g_array_index(w->tags, uint32_t, 0), ==, 7);
    ats_actor_set(NULL, true);
    rules_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/link/rules/first", test_first);
    g_test_add_func("/link/rules/order", test_order);
    g_test_add_func("/link/rules/many", test_many);
    g_test_add_func("/link/rules/remove", test_remove);
    g_test_add_func("/link/rules/remove-answered", test_remove_answered);
    g_test_add_func("/link/rules/remove-reorder", test_remove_reorder);
    g_test_add_func("/link/rules/remove-delay", test_remove_delay);
    g_test_add_func("/link/rules/saved", test_saved);
    g_test_add_func("/link/rules/counted", test_counted);

    g_test_add_func("/link/rules/acted-ends", test_acted_ends);
    g_test_add_func("/link/rules/kept", test_kept);
    return g_test_run();
}
