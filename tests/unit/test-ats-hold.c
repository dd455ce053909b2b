/*
 * Unit tests of the rules of the ATS link
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "hw/pci/ats_hold.h"

unsigned int shim_guest_errors;

#define RID     0x100
#define FOREVER ATS_HELD_FOREVER

/* A link with one function; both ends write down what arrives */
typedef struct World {
    AtsLink *link;
    AtsHolds holds;
    AtsPort *port;
    uint16_t rid;
    GArray *log;                /* of AtsMsg */
    GArray *tags;               /* of Translation Completions */
    AtsTrEntry entry;
    AtsTrStatus status;
    int64_t clock;
    int64_t alarm;
    unsigned int told;
    unsigned int depth;
    bool answer;                /* each page request, at once */
} World;

static void world_log(World *w, const AtsMsg *msg)
{
    g_assert_cmpuint(w->depth, ==, 0);
    g_array_append_val(w->log, *msg);
}

static void on_page_request(void *opaque, const AtsMsg *msg)
{
    World *w = opaque;

    world_log(w, msg);
    if (w->answer) {
        AtsMsg resp = {
            .kind = ATS_MSG_PRG_RESPONSE, .rid = msg->rid,
            .pasid = msg->pasid, .prgi = msg->prgi,
        };

        w->depth++;
        ats_link_send(w->link, &resp);
        w->depth--;
    }
}

static void on_message(void *opaque, const AtsMsg *msg)
{
    world_log(opaque, msg);
}

static AtsTrStatus on_translate(void *opaque, const AtsTrReq *req,
                                AtsTrEntry *entry)
{
    *entry = (AtsTrEntry) {
        .iova = req->addr, .addr = 0x40000, .mask = 0xfff, .read = true,
    };
    return ATS_TR_SUCCESS;
}

static int64_t on_now(void *opaque)
{
    return ((World *)opaque)->clock;
}

static void on_alarm(void *opaque, int64_t due)
{
    ((World *)opaque)->alarm = due;
}

static void on_rules_changed(void *opaque)
{
    ((World *)opaque)->told++;
}

static uint16_t on_rid(void *opaque)
{
    return ((World *)opaque)->rid;
}

static void on_translated(void *opaque, uint32_t tag, AtsTrStatus status,
                          const AtsTrEntry *entry)
{
    World *w = opaque;

    g_array_append_val(w->tags, tag);
    w->status = status;
    w->entry = *entry;
}

static const AtsAgentOps agent_ops = {
    .page_request = on_page_request,
    .inv_completion = on_message,
    .translate = on_translate,
    .now = on_now,
    .alarm = on_alarm,
    .rules_changed = on_rules_changed,
};

static const AtsPortOps port_ops = {
    .rid = on_rid,
    .prg_response = on_message,
    .inv_request = on_message,
    .translated = on_translated,
};

static World *world_new(void)
{
    World *w = g_new0(World, 1);

    w->log = g_array_new(false, false, sizeof(AtsMsg));
    w->tags = g_array_new(false, false, sizeof(uint32_t));
    w->link = ats_link_new(&agent_ops, &w->holds, w);
    w->port = ats_link_attach(w->link, &port_ops, w);
    w->rid = RID;
    w->alarm = FOREVER;
    return w;
}

static void world_free(World *w)
{
    ats_link_free(w->link);
    g_array_free(w->log, true);
    g_array_free(w->tags, true);
    g_free(w);
}

static AtsRule any(AtsRuleAct act)
{
    return (AtsRule) {
        .act = act, .pasid = ATS_RULE_ANY, .tag = ATS_RULE_ANY,
        .rid = ATS_RULE_ANY,
    };
}

static void set(World *w, AtsRule rule)
{
    ats_link_set_rule(w->link, 0, &rule);
}

/* prgi and addr number the messages */
static void send(World *w, AtsMsgKind kind, uint16_t n)
{
    AtsMsg msg = {
        .kind = kind, .rid = RID, .pasid = 7, .prgi = n, .itag = n % 32,
        .itags = 1u << (n % 32), .cc = 1, .addr = n * 0x1000ULL,
        .read = true, .last = true,
    };

    ats_link_send(w->link, &msg);
}

static const AtsMsg *got(World *w, unsigned int i)
{
    g_assert_cmpuint(i, <, w->log->len);
    return &g_array_index(w->log, AtsMsg, i);
}

/* What has arrived since the last look are these, by PRG index */
static void expect(World *w, unsigned int n, const uint16_t *prgi)
{
    g_assert_cmpuint(w->log->len, ==, n);
    for (unsigned int i = 0; i < n; i++) {
        g_assert_cmpuint(got(w, i)->prgi, ==, prgi[i]);
    }
    g_array_set_size(w->log, 0);
}

#define EXPECT(w, ...) do { \
    const uint16_t these[] = { __VA_ARGS__ }; \
    expect(w, ARRAY_SIZE(these), these); \
} while (0)

static void expect_none(World *w)
{
    g_assert_cmpuint(w->log->len, ==, 0);
}

static void send_four(World *w)
{
    for (uint16_t i = 1; i <= 4; i++) {
        send(w, ATS_MSG_PAGE_REQUEST, i);
    }
}

static void test_off(void)
{
    World *w = world_new();

    send(w, ATS_MSG_PAGE_REQUEST, 1);
    EXPECT(w, 1);
    g_assert_false(w->holds.active);
    g_assert_cmpuint(w->told, ==, 0);
    world_free(w);
}

static void test_hold(void)
{
    World *w = world_new();

    set(w, any(ATS_RULE_HOLD));
    send_four(w);
    send(w, ATS_MSG_PRG_RESPONSE, 5);
    expect_none(w);
    g_assert_cmpuint(w->holds.held.length, ==, 5);
    g_assert_cmpuint(w->holds.kept, ==, 5);

    ats_link_release(w->link, 1, false);
    EXPECT(w, 1);
    ats_link_release(w->link, 1, true);
    EXPECT(w, 5);
    ats_link_release_at(w->link, 1);
    EXPECT(w, 3);
    ats_link_release_at(w->link, 2);        /* there is none */
    expect_none(w);

    /* a rule that is off keeps what it has, and nothing more */
    set(w, any(ATS_RULE_OFF));
    send(w, ATS_MSG_PAGE_REQUEST, 6);
    EXPECT(w, 6);
    ats_link_release(w->link, UINT64_MAX, true);
    EXPECT(w, 4, 2);
    g_assert_cmpuint(w->holds.held.length, ==, 0);
    world_free(w);
}

/* What a released message causes is held anew, and not released with it */
static void test_hold_causes(void)
{
    World *w = world_new();

    w->answer = true;
    set(w, any(ATS_RULE_HOLD));
    send(w, ATS_MSG_PAGE_REQUEST, 1);
    send(w, ATS_MSG_PAGE_REQUEST, 2);
    ats_link_release(w->link, 10, false);
    EXPECT(w, 1, 2);
    g_assert_cmpuint(w->holds.held.length, ==, 2);
    ats_link_release(w->link, 10, true);
    g_assert_cmpint(got(w, 0)->kind, ==, ATS_MSG_PRG_RESPONSE);
    EXPECT(w, 2, 1);
    world_free(w);
}

static void test_kinds(void)
{
    static const AtsMsgKind kinds[] = {
        [ATS_RULE_PAGE_REQUEST] = ATS_MSG_PAGE_REQUEST,
        [ATS_RULE_PRG_RESPONSE] = ATS_MSG_PRG_RESPONSE,
        [ATS_RULE_INV_REQUEST] = ATS_MSG_INV_REQUEST,
        [ATS_RULE_INV_COMPLETION] = ATS_MSG_INV_COMPLETION,
    };
    World *w = world_new();
    AtsRule rule = any(ATS_RULE_DROP);
    AtsMsg marker = {
        .kind = ATS_MSG_PAGE_REQUEST, .rid = RID, .pasid = 1, .last = true,
    };

    for (unsigned int k = 0; k < ARRAY_SIZE(kinds); k++) {
        rule.kind = k;
        if (k == ATS_RULE_ALL || k == ATS_RULE_STOP_MARKER) {
            continue;
        }
        set(w, rule);
        for (AtsMsgKind m = 0; m < ATS_MSG_TRANSLATION; m++) {
            send(w, m, 1);
            g_assert_cmpuint(w->log->len, ==, m != kinds[k]);
            g_array_set_size(w->log, 0);
        }
    }
    g_assert_cmpuint(w->holds.dropped, ==, 4);

    rule.kind = ATS_RULE_STOP_MARKER;
    set(w, rule);
    send(w, ATS_MSG_PAGE_REQUEST, 1);
    EXPECT(w, 1);
    ats_link_send(w->link, &marker);
    expect_none(w);
    world_free(w);
}

/* One PASID, one tag, one function */
static void test_match(void)
{
    World *w = world_new();
    AtsRule rule = any(ATS_RULE_DROP);
    AtsMsg none = {
        .kind = ATS_MSG_PAGE_REQUEST, .rid = RID, .pasid = ATS_NO_PASID,
        .prgi = 9, .read = true,
    };

    rule.pasid = 8;
    set(w, rule);
    send(w, ATS_MSG_PAGE_REQUEST, 1);
    rule.pasid = 7;
    set(w, rule);
    send(w, ATS_MSG_PAGE_REQUEST, 2);
    ats_link_send(w->link, &none);
    rule.pasid = ATS_RULE_NO_PASID;
    set(w, rule);
    ats_link_send(w->link, &none);
    send(w, ATS_MSG_PAGE_REQUEST, 3);
    EXPECT(w, 1, 9, 3);

    rule = any(ATS_RULE_DROP);
    rule.tag = 2;
    set(w, rule);
    send_four(w);
    EXPECT(w, 1, 3, 4);
    for (AtsMsgKind m = 0; m < ATS_MSG_TRANSLATION; m++) {
        send(w, m, 2);
        expect_none(w);
        send(w, m, 5);
        EXPECT(w, 5);
    }

    rule = any(ATS_RULE_DROP);
    rule.rid = RID + 1;
    set(w, rule);
    send(w, ATS_MSG_PAGE_REQUEST, 1);
    rule.rid = RID;
    set(w, rule);
    send(w, ATS_MSG_PAGE_REQUEST, 2);
    EXPECT(w, 1);
    world_free(w);
}

/* The n-th that matches, and so many from there on */
static void test_nth(void)
{
    World *w = world_new();
    AtsRule rule = any(ATS_RULE_DROP);

    rule.kind = ATS_RULE_PAGE_REQUEST;
    rule.nth = 2;
    rule.count = 2;
    set(w, rule);
    send(w, ATS_MSG_INV_REQUEST, 9);
    send_four(w);
    EXPECT(w, 9, 1, 4);
    g_assert_cmpuint(w->holds.rule[0].act, ==, ATS_RULE_OFF);
    g_assert_false(w->holds.active);
    g_assert_cmpuint(w->told, >, 0);

    rule.count = 0;
    rule.nth = 3;
    set(w, rule);
    send_four(w);
    EXPECT(w, 1, 2);
    world_free(w);
}

/* The first rule that matches acts */
static void test_two_rules(void)
{
    World *w = world_new();
    AtsRule one = any(ATS_RULE_HOLD), two = any(ATS_RULE_DROP);

    one.tag = 2;
    two.nth = 3;
    ats_link_set_rule(w->link, 0, &one);
    ats_link_set_rule(w->link, 1, &two);
    send_four(w);
    EXPECT(w, 1, 3);
    ats_link_release(w->link, 1, false);
    EXPECT(w, 2);
    world_free(w);
}

static void test_duplicate(void)
{
    World *w = world_new();
    AtsRule rule = any(ATS_RULE_DUPLICATE);

    rule.count = 1;
    set(w, rule);
    send(w, ATS_MSG_PRG_RESPONSE, 1);
    send(w, ATS_MSG_PRG_RESPONSE, 2);
    EXPECT(w, 1, 1, 2);
    g_assert_cmpuint(w->holds.duplicated, ==, 1);
    world_free(w);
}

/* Neighbours of one direction change places */
static void test_reorder(void)
{
    World *w = world_new();

    set(w, any(ATS_RULE_REORDER));
    send(w, ATS_MSG_PAGE_REQUEST, 1);
    send(w, ATS_MSG_PRG_RESPONSE, 2);
    expect_none(w);
    send(w, ATS_MSG_INV_REQUEST, 3);
    EXPECT(w, 3, 2);
    send(w, ATS_MSG_INV_COMPLETION, 4);
    EXPECT(w, 4, 1);

    /* one that waits is overtaken after the rule has gone, too */
    send(w, ATS_MSG_PAGE_REQUEST, 5);
    set(w, any(ATS_RULE_OFF));
    send(w, ATS_MSG_PAGE_REQUEST, 6);
    EXPECT(w, 6, 5);
    g_assert_false(w->holds.active);
    world_free(w);
}

static void test_delay(void)
{
    World *w = world_new();
    AtsRule rule = any(ATS_RULE_DELAY);

    rule.delay = 100;
    set(w, rule);
    send(w, ATS_MSG_PAGE_REQUEST, 1);
    w->clock = 50;
    rule.delay = 20;
    set(w, rule);
    send(w, ATS_MSG_PAGE_REQUEST, 2);
    send(w, ATS_MSG_PAGE_REQUEST, 3);
    g_assert_cmpint(w->alarm, ==, 70);
    w->clock = 69;
    ats_link_alarm(w->link);
    expect_none(w);
    w->clock = 70;
    ats_link_alarm(w->link);
    EXPECT(w, 2, 3);
    g_assert_cmpint(w->alarm, ==, 100);

    /* late: in order of their times, those of one time in that of sending */
    send(w, ATS_MSG_PAGE_REQUEST, 4);
    send(w, ATS_MSG_PAGE_REQUEST, 5);
    w->clock = 200;
    ats_link_alarm(w->link);
    EXPECT(w, 4, 5, 1);
    g_assert_cmpint(w->alarm, ==, FOREVER);
    world_free(w);
}

static AtsMsg corrupted(World *w, AtsMsgKind kind, AtsRuleField field,
                        uint32_t bits)
{
    AtsRule rule = any(ATS_RULE_CORRUPT);
    AtsMsg msg;

    rule.field = field;
    rule.bits = bits;
    set(w, rule);
    send(w, kind, 5);
    g_assert_cmpuint(w->log->len, ==, 1);
    msg = *got(w, 0);
    g_array_set_size(w->log, 0);
    return msg;
}

static void test_corrupt(void)
{
    World *w = world_new();
    AtsMsg m;

    g_assert_cmpuint(corrupted(w, ATS_MSG_PRG_RESPONSE, ATS_FIELD_TAG,
                               0x1ff).prgi, ==, 0x1ff ^ 5);
    g_assert_cmpuint(corrupted(w, ATS_MSG_INV_REQUEST, ATS_FIELD_TAG,
                               0x10).itag, ==, 0x15);
    g_assert_cmphex(corrupted(w, ATS_MSG_INV_COMPLETION, ATS_FIELD_TAG,
                              1).itags, ==, 1 << 4);
    g_assert_cmphex(corrupted(w, ATS_MSG_PAGE_REQUEST, ATS_FIELD_PASID,
                              0x80001).pasid, ==, 0x80006);
    g_assert_cmphex(corrupted(w, ATS_MSG_PRG_RESPONSE, ATS_FIELD_NO_PASID,
                              0).pasid, ==, ATS_NO_PASID);
    g_assert_cmphex(corrupted(w, ATS_MSG_PAGE_REQUEST, ATS_FIELD_RID,
                              1).rid, ==, RID + 1);
    g_assert_cmpuint(corrupted(w, ATS_MSG_PRG_RESPONSE, ATS_FIELD_CODE,
                               0xf).code, ==, 0xf);
    g_assert_cmpuint(corrupted(w, ATS_MSG_INV_COMPLETION, ATS_FIELD_CODE,
                               1).cc, ==, 8);
    g_assert_cmphex(corrupted(w, ATS_MSG_PAGE_REQUEST, ATS_FIELD_ADDRESS,
                              2).addr, ==, 0x7000);
    m = corrupted(w, ATS_MSG_PAGE_REQUEST, ATS_FIELD_FLAGS, 0x1f);
    g_assert_true(!m.read && m.write && !m.last && m.priv && m.exec);
    m = corrupted(w, ATS_MSG_INV_REQUEST, ATS_FIELD_FLAGS, 3);
    g_assert_true(m.size && m.global);
    /* bits that a field has not, and one bit alone */
    g_assert_cmpuint(corrupted(w, ATS_MSG_PRG_RESPONSE, ATS_FIELD_CODE,
                               0x11).code, ==, 1);
    m = corrupted(w, ATS_MSG_PAGE_REQUEST, ATS_FIELD_FLAGS, 0x10);
    g_assert_true(m.read && !m.write && m.last && !m.priv && m.exec);

    /* another function, or nobody */
    shim_guest_errors = 0;
    set(w, (AtsRule) { .act = ATS_RULE_CORRUPT, .field = ATS_FIELD_RID,
                       .bits = 4, .pasid = ATS_RULE_ANY, .tag = ATS_RULE_ANY,
                       .rid = ATS_RULE_ANY });
    send(w, ATS_MSG_PRG_RESPONSE, 1);
    expect_none(w);
    g_assert_cmpuint(shim_guest_errors, ==, 1);
    world_free(w);
}

static AtsTrStatus translate(World *w, uint32_t tag, AtsTrEntry *entry)
{
    AtsTrReq req = { .addr = 0x5000, .pasid = 7, .rid = RID, .tag = tag };

    return ats_link_translate(w->link, &req, entry);
}

static void test_translation(void)
{
    World *w = world_new();
    AtsRule rule = any(ATS_RULE_HOLD);
    AtsTrEntry entry;

    rule.kind = ATS_RULE_TRANSLATION;
    set(w, rule);
    send(w, ATS_MSG_PAGE_REQUEST, 1);
    EXPECT(w, 1);

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
    set(w, rule);
    g_assert_cmpint(translate(w, 13, &entry), ==, ATS_TR_PENDING);
    rule.act = ATS_RULE_DUPLICATE;
    set(w, rule);
    g_assert_cmpint(translate(w, 14, &entry), ==, ATS_TR_SUCCESS);
    g_assert_cmpuint(g_array_index(w->tags, uint32_t, 1), ==, 14);

    rule.act = ATS_RULE_CORRUPT;
    rule.field = ATS_FIELD_CODE;
    rule.bits = 1;
    set(w, rule);
    g_assert_cmpint(translate(w, 15, &entry), ==, ATS_TR_UR);
    rule.bits = 2;
    set(w, rule);
    g_assert_cmpint(translate(w, 16, &entry), ==, ATS_TR_CA);
    rule.field = ATS_FIELD_FLAGS;
    set(w, rule);
    g_assert_cmpint(translate(w, 17, &entry), ==, ATS_TR_SUCCESS);
    g_assert_true(entry.read && entry.write);
    world_free(w);
}

/* Unplugged: what is on its way down is lost, what it has sent arrives */
static void test_detach(void)
{
    World *w = world_new();

    set(w, any(ATS_RULE_HOLD));
    send(w, ATS_MSG_PAGE_REQUEST, 1);
    send(w, ATS_MSG_PRG_RESPONSE, 2);
    send(w, ATS_MSG_INV_REQUEST, 3);
    ats_link_detach(w->link, w->port);
    g_assert_cmpuint(w->holds.held.length, ==, 1);

    /* the next function in the slot gets nothing of it */
    w->port = ats_link_attach(w->link, &port_ops, w);
    ats_link_release(w->link, 10, false);
    EXPECT(w, 1);
    world_free(w);
}

static void test_reset(void)
{
    World *w = world_new();
    AtsRule rule = any(ATS_RULE_DELAY);

    rule.delay = 10;
    set(w, rule);
    send_four(w);
    g_assert_cmpint(w->alarm, ==, 10);
    ats_link_reset(w->link);
    g_assert_cmpint(w->alarm, ==, FOREVER);
    g_assert_cmpuint(w->holds.kept, ==, 0);
    ats_link_release(w->link, 10, false);
    expect_none(w);

    /* the rule is a setting and stays */
    send(w, ATS_MSG_PAGE_REQUEST, 1);
    g_assert_cmpuint(w->holds.held.length, ==, 1);
    ats_link_discard(w->link, 5);
    g_assert_cmpuint(w->holds.held.length, ==, 0);
    g_assert_cmpuint(w->holds.dropped, ==, 1);
    world_free(w);
}

static void test_bounded(void)
{
    World *w = world_new();

    shim_guest_errors = 0;
    set(w, any(ATS_RULE_HOLD));
    for (unsigned int i = 0; i < ATS_HELD_MAX + 3; i++) {
        send(w, ATS_MSG_PAGE_REQUEST, i % 512);
    }
    g_assert_cmpuint(w->holds.held.length, ==, ATS_HELD_MAX);
    g_assert_cmpuint(w->holds.dropped, ==, 3);
    g_assert_cmpuint(shim_guest_errors, ==, 3);
    ats_link_release(w->link, UINT64_MAX, false);
    g_assert_cmpuint(w->log->len, ==, ATS_HELD_MAX);
    world_free(w);
}

/* Saved and restored it goes on in the same way */
static void test_saved(void)
{
    World *w = world_new();
    AtsRule rule = any(ATS_RULE_REORDER);
    g_autofree char *before = NULL, *after = NULL;

    rule.nth = 2;
    rule.count = 1;
    set(w, rule);
    send(w, ATS_MSG_PAGE_REQUEST, 1);
    send(w, ATS_MSG_PAGE_REQUEST, 2);
    EXPECT(w, 1);
    set(w, any(ATS_RULE_HOLD));
    send(w, ATS_MSG_INV_REQUEST, 3);
    set(w, any(ATS_RULE_OFF));
    before = ats_holds_describe(&w->holds);
    g_assert_cmpstr(before, ==,
                    "0 page-request rid=01:00.0 pasid=0x7 tag=2 addr=0x2000 "
                    "code=0 to-be-overtaken\n"
                    "1 inv-request rid=01:00.0 pasid=0x7 tag=3 addr=0x3000 "
                    "code=0\n");

    ats_holds_save(&w->holds);
    ats_link_release(w->link, 10, false);
    EXPECT(w, 2, 3);
    ats_holds_restore(&w->holds);
    after = ats_holds_describe(&w->holds);
    g_assert_cmpstr(before, ==, after);
    send(w, ATS_MSG_PAGE_REQUEST, 4);
    EXPECT(w, 4, 2);
    ats_link_release(w->link, 10, false);
    EXPECT(w, 3);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link/rules/off", test_off);
    g_test_add_func("/link/rules/hold", test_hold);
    g_test_add_func("/link/rules/hold-causes", test_hold_causes);
    g_test_add_func("/link/rules/kinds", test_kinds);
    g_test_add_func("/link/rules/match", test_match);
    g_test_add_func("/link/rules/nth", test_nth);
    g_test_add_func("/link/rules/two-rules", test_two_rules);
    g_test_add_func("/link/rules/duplicate", test_duplicate);
    g_test_add_func("/link/rules/reorder", test_reorder);
    g_test_add_func("/link/rules/delay", test_delay);
    g_test_add_func("/link/rules/corrupt", test_corrupt);
    g_test_add_func("/link/rules/ATS-06/translation", test_translation);
    g_test_add_func("/link/rules/detach", test_detach);
    g_test_add_func("/link/rules/reset", test_reset);
    g_test_add_func("/link/rules/bounded", test_bounded);
    g_test_add_func("/link/rules/saved", test_saved);
    return g_test_run();
}
