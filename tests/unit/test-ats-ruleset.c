/*
 * Unit tests of the rules of the ATS link
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "rules-world.h"

#define US  1000

unsigned int shim_guest_errors;

static void test_off(void)
{
    World *w = rules_new();

    rules_send(w, ATS_MSG_PAGE_REQUEST, 1);
    RULES_EXPECT(w, 1);
    g_assert_false(w->ruleset.active);
    g_assert_cmpuint(w->told, ==, 0);
    rules_free(w);
}

static void test_hold(void)
{
    World *w = rules_new();

    rules_set(w, rules_any(ATS_RULE_HOLD));
    rules_send_four(w);
    rules_send(w, ATS_MSG_PRG_RESPONSE, 5);
    rules_expect_none(w);
    g_assert_cmpuint(w->ruleset.held.length, ==, 5);
    g_assert_cmpuint(w->ruleset.kept, ==, 5);

    ats_link_release(w->link, 1, false);
    RULES_EXPECT(w, 1);
    ats_link_release(w->link, 1, true);
    RULES_EXPECT(w, 5);
    ats_link_release_at(w->link, 1);
    RULES_EXPECT(w, 3);
    ats_link_release_at(w->link, 2);        /* there is none */
    rules_expect_none(w);

    /* a rule that is off keeps what it has, and nothing more */
    rules_set(w, rules_any(ATS_RULE_OFF));
    rules_send(w, ATS_MSG_PAGE_REQUEST, 6);
    RULES_EXPECT(w, 6);
    ats_link_release(w->link, UINT64_MAX, true);
    RULES_EXPECT(w, 4, 2);
    g_assert_cmpuint(w->ruleset.held.length, ==, 0);
    rules_free(w);
}

/* What a released message causes is held again, and not released with it */
static void test_hold_causes(void)
{
    World *w = rules_new();

    w->answer = true;
    rules_set(w, rules_any(ATS_RULE_HOLD));
    rules_send(w, ATS_MSG_PAGE_REQUEST, 1);
    rules_send(w, ATS_MSG_PAGE_REQUEST, 2);
    ats_link_release(w->link, 10, false);
    RULES_EXPECT(w, 1, 2);
    g_assert_cmpuint(w->ruleset.held.length, ==, 2);
    ats_link_release(w->link, 10, true);
    g_assert_cmpint(rules_got(w, 0)->kind, ==, ATS_MSG_PRG_RESPONSE);
    RULES_EXPECT(w, 2, 1);
    rules_free(w);
}

/* The agent hears of what a rule did, not of each message that it let pass */
static void test_told(void)
{
    World *w = rules_new();
    AtsRuleKnobs rule = rules_any(ATS_RULE_DROP);
    unsigned int told;

    rule.kind = ATS_RULE_INV_REQUEST;
    rules_set(w, rule);
    rules_send(w, ATS_MSG_PAGE_REQUEST, 1);
    told = w->told;
    rules_send(w, ATS_MSG_PAGE_REQUEST, 2);
    g_assert_cmpuint(w->told, ==, told);
    rules_send(w, ATS_MSG_INV_REQUEST, 3);
    g_assert_cmpuint(w->told, ==, told + 1);
    RULES_EXPECT(w, 1, 2);
    rules_free(w);
}

static void test_kinds(void)
{
    static const AtsMsgKind kinds[] = {
        [ATS_RULE_PAGE_REQUEST] = ATS_MSG_PAGE_REQUEST,
        [ATS_RULE_PRG_RESPONSE] = ATS_MSG_PRG_RESPONSE,
        [ATS_RULE_INV_REQUEST] = ATS_MSG_INV_REQUEST,
        [ATS_RULE_INV_COMPLETION] = ATS_MSG_INV_COMPLETION,
    };
    World *w = rules_new();
    AtsRuleKnobs rule = rules_any(ATS_RULE_DROP);
    AtsMsg marker = {
        .kind = ATS_MSG_PAGE_REQUEST, .rid = RID, .pasid = 1, .last = true,
    };

    for (unsigned int k = 0; k < ARRAY_SIZE(kinds); k++) {
        rule.kind = k;
        if (k == ATS_RULE_ALL || k == ATS_RULE_STOP_MARKER) {
            continue;
        }
        rules_set(w, rule);
        for (AtsMsgKind m = 0; m < ATS_MSG_TRANSLATION; m++) {
            rules_send(w, m, 1);
            g_assert_cmpuint(w->log->len, ==, m != kinds[k]);
            g_array_set_size(w->log, 0);
        }
    }
    g_assert_cmpuint(w->ruleset.dropped, ==, 4);

    rule.kind = ATS_RULE_STOP_MARKER;
    rules_set(w, rule);
    rules_send(w, ATS_MSG_PAGE_REQUEST, 1);
    RULES_EXPECT(w, 1);
    ats_link_send(w->link, &marker);
    rules_expect_none(w);
    rules_free(w);
}

/* One PASID, one tag, one function */
static void test_match(void)
{
    World *w = rules_new();
    AtsRuleKnobs rule = rules_any(ATS_RULE_DROP);
    AtsMsg none = {
        .kind = ATS_MSG_PAGE_REQUEST, .rid = RID, .pasid = ATS_NO_PASID,
        .prgi = 9, .read = true,
    };

    rule.pasid = 8;
    rules_set(w, rule);
    rules_send(w, ATS_MSG_PAGE_REQUEST, 1);
    rule.pasid = 7;
    rules_set(w, rule);
    rules_send(w, ATS_MSG_PAGE_REQUEST, 2);
    ats_link_send(w->link, &none);
    rule.pasid = ATS_RULE_NO_PASID;
    rules_set(w, rule);
    ats_link_send(w->link, &none);
    rules_send(w, ATS_MSG_PAGE_REQUEST, 3);
    RULES_EXPECT(w, 1, 9, 3);

    rule = rules_any(ATS_RULE_DROP);
    rule.tag = 2;
    rules_set(w, rule);
    rules_send_four(w);
    RULES_EXPECT(w, 1, 3, 4);
    for (AtsMsgKind m = 0; m < ATS_MSG_TRANSLATION; m++) {
        rules_send(w, m, 2);
        rules_expect_none(w);
        rules_send(w, m, 5);
        RULES_EXPECT(w, 5);
    }

    rule = rules_any(ATS_RULE_DROP);
    rule.rid = RID + 1;
    rules_set(w, rule);
    rules_send(w, ATS_MSG_PAGE_REQUEST, 1);
    rule.rid = RID;
    rules_set(w, rule);
    rules_send(w, ATS_MSG_PAGE_REQUEST, 2);
    RULES_EXPECT(w, 1);
    rules_free(w);
}

/* The n-th that matches, and so many from there on */
static void test_nth(void)
{
    World *w = rules_new();
    AtsRuleKnobs rule = rules_any(ATS_RULE_DROP);

    rule.kind = ATS_RULE_PAGE_REQUEST;
    rule.nth = 2;
    rule.count = 2;
    rules_set(w, rule);
    rules_send(w, ATS_MSG_INV_REQUEST, 9);
    rules_send_four(w);
    RULES_EXPECT(w, 9, 1, 4);
    g_assert_cmpuint(w->rule[0].knobs.act, ==, ATS_RULE_OFF);
    g_assert_false(w->ruleset.active);
    g_assert_cmpuint(w->told, >, 0);

    rule.count = 0;
    rule.nth = 3;
    rules_set(w, rule);
    rules_send_four(w);
    RULES_EXPECT(w, 1, 2);
    rules_free(w);
}

static void test_duplicate(void)
{
    World *w = rules_new();
    AtsRuleKnobs rule = rules_any(ATS_RULE_DUPLICATE);

    rule.count = 1;
    rules_set(w, rule);
    rules_send(w, ATS_MSG_PRG_RESPONSE, 1);
    rules_send(w, ATS_MSG_PRG_RESPONSE, 2);
    RULES_EXPECT(w, 1, 1, 2);
    g_assert_cmpuint(w->ruleset.duplicated, ==, 1);
    rules_free(w);
}

static void test_delay(void)
{
    World *w = rules_new();
    AtsRuleKnobs rule = rules_any(ATS_RULE_DELAY);

    rule.delay_us = 100;
    rules_set(w, rule);
    rules_send(w, ATS_MSG_PAGE_REQUEST, 1);
    w->clock = 50 * US;
    rule.delay_us = 20;
    rules_set(w, rule);
    rules_send(w, ATS_MSG_PAGE_REQUEST, 2);
    rules_send(w, ATS_MSG_PAGE_REQUEST, 3);
    g_assert_cmpint(w->alarm, ==, 70 * US);
    w->clock = 69 * US;
    ats_link_alarm(w->link);
    rules_expect_none(w);
    w->clock = 70 * US;
    ats_link_alarm(w->link);
    RULES_EXPECT(w, 2, 3);
    g_assert_cmpint(w->alarm, ==, 100 * US);

    /* late: in order of their times, those of one time in that of sending */
    rules_send(w, ATS_MSG_PAGE_REQUEST, 4);
    rules_send(w, ATS_MSG_PAGE_REQUEST, 5);
    w->clock = 200 * US;
    ats_link_alarm(w->link);
    RULES_EXPECT(w, 4, 5, 1);
    g_assert_cmpint(w->alarm, ==, FOREVER);
    rules_free(w);
}

static AtsMsg corrupted(World *w, AtsMsgKind kind, unsigned int field,
                        uint32_t bits)
{
    AtsRuleKnobs rule = rules_any(ATS_RULE_CORRUPT);
    AtsMsg msg;

    rule.field = field;
    rule.bits = bits;
    rules_set(w, rule);
    rules_send(w, kind, 5);
    g_assert_cmpuint(w->log->len, ==, 1);
    msg = *rules_got(w, 0);
    g_array_set_size(w->log, 0);
    return msg;
}

static void test_corrupt(void)
{
    World *w = rules_new();
    AtsRuleKnobs rule = rules_any(ATS_RULE_CORRUPT);
    AtsMsg m;

    g_assert_cmpuint(corrupted(w, ATS_MSG_PRG_RESPONSE, ATS_RULE_FIELD_TAG,
                               0x1ff).prgi, ==, 0x1ff ^ 5);
    g_assert_cmpuint(corrupted(w, ATS_MSG_INV_REQUEST, ATS_RULE_FIELD_TAG,
                               0x10).itag, ==, 0x15);
    g_assert_cmphex(corrupted(w, ATS_MSG_INV_COMPLETION, ATS_RULE_FIELD_TAG,
                              1).itags, ==, 1 << 4);
    g_assert_cmphex(corrupted(w, ATS_MSG_PAGE_REQUEST, ATS_RULE_FIELD_PASID,
                              0x80001).pasid, ==, 0x80006);
    g_assert_cmphex(corrupted(w, ATS_MSG_PRG_RESPONSE, ATS_RULE_FIELD_NO_PASID,
                              0).pasid, ==, ATS_NO_PASID);
    g_assert_cmphex(corrupted(w, ATS_MSG_PAGE_REQUEST, ATS_RULE_FIELD_RID,
                              1).rid, ==, RID + 1);
    g_assert_cmpuint(corrupted(w, ATS_MSG_PRG_RESPONSE, ATS_RULE_FIELD_CODE,
                               0xf).code, ==, 0xf);
    g_assert_cmpuint(corrupted(w, ATS_MSG_INV_COMPLETION, ATS_RULE_FIELD_CODE,
                               1).cc, ==, 8);
    g_assert_cmphex(corrupted(w, ATS_MSG_PAGE_REQUEST, ATS_RULE_FIELD_ADDRESS,
                              2).addr, ==, 0x7000);
    m = corrupted(w, ATS_MSG_PAGE_REQUEST, ATS_RULE_FIELD_FLAGS, 0x1f);
    g_assert_true(!m.read && m.write && !m.last && m.priv && m.exec);
    m = corrupted(w, ATS_MSG_INV_REQUEST, ATS_RULE_FIELD_FLAGS, 3);
    g_assert_true(m.size && m.global);
    /* bits that a field has not, and one bit alone */
    g_assert_cmpuint(corrupted(w, ATS_MSG_PRG_RESPONSE, ATS_RULE_FIELD_CODE,
                               0x11).code, ==, 1);
    m = corrupted(w, ATS_MSG_PAGE_REQUEST, ATS_RULE_FIELD_FLAGS, 0x10);
    g_assert_true(m.read && !m.write && m.last && !m.priv && m.exec);

    g_assert_cmphex(corrupted(w, ATS_MSG_PAGE_REQUEST, ATS_RULE_FIELD_PASID,
                              0x100001).pasid, ==, 6);
    /* no bits at all */
    m = corrupted(w, ATS_MSG_PAGE_REQUEST, ATS_RULE_FIELD_FLAGS, 0);
    g_assert_true(m.read && !m.write && m.last && !m.priv && !m.exec);
    m = corrupted(w, ATS_MSG_INV_REQUEST, ATS_RULE_FIELD_FLAGS, 0);
    g_assert_false(m.size || m.global);

    /* another function, or nobody */
    shim_guest_errors = 0;
    rule.field = ATS_RULE_FIELD_RID;
    rule.bits = 4;
    rules_set(w, rule);
    rules_send(w, ATS_MSG_PRG_RESPONSE, 1);
    rules_expect_none(w);
    g_assert_cmpuint(shim_guest_errors, ==, 1);
    rules_free(w);
}

static AtsTrStatus translate(World *w, uint32_t tag, AtsTrEntry *entry)
{
    AtsTrReq req = { .addr = 0x5000, .pasid = 7, .rid = RID, .tag = tag };

    return ats_link_translate(w->link, &req, entry);
}

static void test_translation(void)
{
    World *w = rules_new();
    AtsRuleKnobs rule = rules_any(ATS_RULE_HOLD);
    AtsTrEntry entry;

    rule.kind = ATS_RULE_TRANSLATION;
    rules_set(w, rule);
    rules_send(w, ATS_MSG_PAGE_REQUEST, 1);
    RULES_EXPECT(w, 1);

    /* who cannot wait is answered at once, and does not count */
    g_assert_cmpint(translate(w, ATS_TR_NO_TAG, &entry), ==, ATS_TR_SUCCESS);
    g_assert_cmpint(translate(w, 11, &entry), ==, ATS_TR_PENDING);
    g_assert_cmpint(translate(w, 12, &entry), ==, ATS_TR_PENDING);
    ats_link_release(w->link, 1, true);
    g_assert_cmpuint(w->tags->len, ==, 1);
    g_assert_cmpuint(g_array_index(w->tags, uint32_t, 0), ==, 12);
    g_assert_cmpint(w->status, ==, ATS_TR_SUCCESS);
    g_assert_cmphex(w->entry.addr, ==, 0x40000);

    rule.act = ATS_RULE_DROP;
    rules_set(w, rule);
    g_assert_cmpint(translate(w, 13, &entry), ==, ATS_TR_PENDING);
    rule.act = ATS_RULE_DUPLICATE;
    rules_set(w, rule);
    g_assert_cmpint(translate(w, 14, &entry), ==, ATS_TR_SUCCESS);
    g_assert_cmpuint(g_array_index(w->tags, uint32_t, 1), ==, 14);

    rule.act = ATS_RULE_CORRUPT;
    rule.field = ATS_RULE_FIELD_CODE;
    rule.bits = 1;
    rules_set(w, rule);
    g_assert_cmpint(translate(w, 15, &entry), ==, ATS_TR_UR);
    rule.bits = 2;
    rules_set(w, rule);
    g_assert_cmpint(translate(w, 16, &entry), ==, ATS_TR_CA);
    rule.field = ATS_RULE_FIELD_FLAGS;
    rules_set(w, rule);
    g_assert_cmpint(translate(w, 17, &entry), ==, ATS_TR_SUCCESS);
    g_assert_true(entry.read && entry.write);
    rule.bits = 0;
    rules_set(w, rule);
    g_assert_cmpint(translate(w, 18, &entry), ==, ATS_TR_SUCCESS);
    g_assert_true(entry.read && !entry.write);
    rule.field = ATS_RULE_FIELD_ADDRESS;
    rule.bits = 3;
    rules_set(w, rule);
    g_assert_cmpint(translate(w, 19, &entry), ==, ATS_TR_SUCCESS);
    g_assert_cmphex(entry.addr, ==, 0x43000);
    rules_free(w);
}

/* Unplugged: what is on its way down is lost, what it has sent arrives */
static void test_detach(void)
{
    World *w = rules_new();

    rules_set(w, rules_any(ATS_RULE_HOLD));
    rules_send(w, ATS_MSG_PAGE_REQUEST, 1);
    rules_send(w, ATS_MSG_PRG_RESPONSE, 2);
    rules_send(w, ATS_MSG_INV_REQUEST, 3);
    rules_send(w, ATS_MSG_INV_REQUEST, 4);
    /* of another function */
    ((AtsHeld *)g_queue_peek_tail(&w->ruleset.held))->msg.rid = RID + 1;
    ats_link_detach(w->link, w->port);
    g_assert_cmpuint(w->ruleset.held.length, ==, 2);

    /* the next function in the slot gets nothing of it */
    w->port = ats_link_attach(w->link, &rules_port_ops, w);
    ats_link_release(w->link, 10, false);
    RULES_EXPECT(w, 1);
    rules_free(w);
}

static void test_reset(void)
{
    World *w = rules_new();
    AtsRuleKnobs rule = rules_any(ATS_RULE_DELAY);

    rule.delay_us = 10;
    rules_set(w, rule);
    rules_send_four(w);
    g_assert_cmpint(w->alarm, ==, 10 * US);
    ats_link_reset(w->link);
    g_assert_cmpint(w->alarm, ==, FOREVER);
    g_assert_cmpuint(w->ruleset.kept, ==, 0);
    ats_link_release(w->link, 10, false);
    rules_expect_none(w);

    /* the rule is a setting and stays */
    rules_send(w, ATS_MSG_PAGE_REQUEST, 1);
    g_assert_cmpuint(w->ruleset.held.length, ==, 1);
    ats_link_discard(w->link, 5);
    g_assert_cmpuint(w->ruleset.held.length, ==, 0);
    g_assert_cmpuint(w->ruleset.dropped, ==, 1);
    rules_free(w);
}

static void test_bounded(void)
{
    World *w = rules_new();

    shim_guest_errors = 0;
    rules_set(w, rules_any(ATS_RULE_HOLD));
    for (unsigned int i = 0; i < ATS_HELD_MAX + 3; i++) {
        rules_send(w, ATS_MSG_PAGE_REQUEST, i % 512);
    }
    g_assert_cmpuint(w->ruleset.held.length, ==, ATS_HELD_MAX);
    g_assert_cmpuint(w->ruleset.dropped, ==, 3);
    g_assert_cmpuint(shim_guest_errors, ==, 3);
    ats_link_release(w->link, UINT64_MAX, false);
    g_assert_cmpuint(w->log->len, ==, ATS_HELD_MAX);
    rules_free(w);
}

static void test_described(void)
{
    World *w = rules_new();
    AtsRuleKnobs rule = rules_any(ATS_RULE_DELAY);
    g_autofree char *text = NULL;
    AtsTrEntry entry;
    AtsHeld *item;

    rule.delay_us = 10;
    rules_set(w, rule);
    rules_send(w, ATS_MSG_PAGE_REQUEST, 1);
    item = g_queue_peek_head(&w->ruleset.held);
    item->msg.rid = 0x1fb;
    item->msg.code = 3;
    rule.act = ATS_RULE_HOLD;
    rules_set(w, rule);
    translate(w, 11, &entry);
    item = g_queue_peek_tail(&w->ruleset.held);
    item->status = ATS_TR_CA;
    rules_send(w, ATS_MSG_INV_COMPLETION, 6);
    text = ats_ruleset_describe(&w->ruleset);
    g_assert_cmpstr(text, ==,
                    "0 page-request rid=01:1f.3 pasid=0x7 tag=1 addr=0x1000 "
                    "code=3 due=10000 rule=r00\n"
                    "1 translation rid=01:00.0 pasid=0x7 tag=0 addr=0x5000 "
                    "code=2 rule=r00\n"
                    "2 inv-completion rid=01:00.0 pasid=0x7 tag=6 "
                    "addr=0x6000 code=0 rule=r00\n");
    rules_free(w);
}

/* Saved and restored it goes on in the same way */
static void test_saved(void)
{
    World *w = rules_new();
    AtsRuleKnobs rule = rules_any(ATS_RULE_REORDER);
    g_autofree char *before = NULL, *after = NULL;

    rule.nth = 2;
    rule.count = 1;
    rules_set(w, rule);
    rules_send(w, ATS_MSG_PAGE_REQUEST, 1);
    rules_send(w, ATS_MSG_PAGE_REQUEST, 2);
    RULES_EXPECT(w, 1);
    rules_set(w, rules_any(ATS_RULE_HOLD));
    rules_send(w, ATS_MSG_INV_REQUEST, 3);
    rules_set(w, rules_any(ATS_RULE_OFF));
    before = ats_ruleset_describe(&w->ruleset);
    g_assert_cmpstr(before, ==,
                    "0 page-request rid=01:00.0 pasid=0x7 tag=2 addr=0x2000 "
                    "code=0 to-be-overtaken rule=r00\n"
                    "1 inv-request rid=01:00.0 pasid=0x7 tag=3 addr=0x3000 "
                    "code=0 rule=r00\n");

    ats_ruleset_save(&w->ruleset);
    ats_link_release(w->link, 10, false);
    RULES_EXPECT(w, 2, 3);
    ats_ruleset_restore(&w->ruleset);
    after = ats_ruleset_describe(&w->ruleset);
    g_assert_cmpstr(before, ==, after);
    rules_send(w, ATS_MSG_PAGE_REQUEST, 4);
    RULES_EXPECT(w, 4, 2);
    ats_link_release(w->link, 10, false);
    RULES_EXPECT(w, 3);
    rules_free(w);
}

static uint16_t other_rid(void *opaque)
{
    return RID + 8;
}

/* The bus has another number when it comes, or the function takes none */
static void test_translation_for_nobody(void)
{
    static const AtsPortOps no_ats = { .rid = other_rid };
    World *w = rules_new();
    AtsRuleKnobs rule = rules_any(ATS_RULE_HOLD);
    AtsTrReq req = { .addr = 0x5000, .pasid = 7, .rid = RID + 8, .tag = 12 };
    AtsTrEntry entry;
    AtsPort *port = ats_link_attach(w->link, &no_ats, w);

    rule.kind = ATS_RULE_TRANSLATION;
    rules_set(w, rule);
    g_assert_cmpint(translate(w, 11, &entry), ==, ATS_TR_PENDING);
    g_assert_cmpint(ats_link_translate(w->link, &req, &entry), ==,
                    ATS_TR_PENDING);
    w->rid = RID + 0x100;
    ats_link_release(w->link, 2, false);
    g_assert_cmpuint(w->tags->len, ==, 0);
    ats_link_detach(w->link, port);
    rules_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link/rules/off", test_off);
    g_test_add_func("/link/rules/hold", test_hold);
    g_test_add_func("/link/rules/hold-causes", test_hold_causes);
    g_test_add_func("/link/rules/told", test_told);
    g_test_add_func("/link/rules/kinds", test_kinds);
    g_test_add_func("/link/rules/match", test_match);
    g_test_add_func("/link/rules/nth", test_nth);
    g_test_add_func("/link/rules/duplicate", test_duplicate);
    g_test_add_func("/link/rules/delay", test_delay);
    g_test_add_func("/link/rules/corrupt", test_corrupt);
    g_test_add_func("/link/rules/ATS-06/translation", test_translation);
    g_test_add_func("/link/rules/detach", test_detach);
    g_test_add_func("/link/rules/reset", test_reset);
    g_test_add_func("/link/rules/bounded", test_bounded);
    g_test_add_func("/link/rules/described", test_described);
    g_test_add_func("/link/rules/saved", test_saved);
    g_test_add_func("/link/rules/translation-for-nobody",
                    test_translation_for_nobody);
    return g_test_run();
}
