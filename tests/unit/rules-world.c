/*
 * A link with rules and what is at its ends, for their unit tests
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "rules-world.h"

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

const AtsPortOps rules_port_ops = {
    .rid = on_rid,
    .prg_response = on_message,
    .inv_request = on_message,
    .translated = on_translated,
};

World *rules_new(void)
{
    World *w = g_new0(World, 1);

    w->log = g_array_new(false, false, sizeof(AtsMsg));
    w->tags = g_array_new(false, false, sizeof(uint32_t));
    w->link = ats_link_new(&agent_ops, &w->ruleset, w);
    w->port = ats_link_attach(w->link, &rules_port_ops, w);
    w->rid = RID;
    w->alarm = FOREVER;
    return w;
}

void rules_free(World *w)
{
    ats_link_free(w->link);
    g_array_free(w->log, true);
    g_array_free(w->tags, true);
    g_free(w);
}

AtsRuleKnobs rules_any(unsigned int act)
{
    return (AtsRuleKnobs) {
        .act = act, .pasid = ATS_RULE_ANY, .tag = ATS_RULE_ANY,
        .rid = ATS_RULE_ANY,
    };
}

bool rules_add(World *w, unsigned int n, AtsRuleKnobs knobs)
{
    AtsRule *rule = &w->rule[n];
    bool there = rule->id;

    rule->knobs = knobs;
    if (there) {
        ats_link_rule_changed(w->link, rule);
        return true;
    }
    snprintf(w->id[n], sizeof(w->id[n]), "r%02u", n);
    rule->id = w->id[n];
    if (!ats_link_add_rule(w->link, rule)) {
        rule->id = NULL;
    }
    return rule->id;
}

void rules_set(World *w, AtsRuleKnobs knobs)
{
    g_assert_true(rules_add(w, 0, knobs));
}

/* prgi and addr number the messages */
void rules_send(World *w, AtsMsgKind kind, uint16_t n)
{
    AtsMsg msg = {
        .kind = kind, .rid = RID, .pasid = 7, .prgi = n, .itag = n % 32,
        .itags = 1u << (n % 32), .cc = 1, .addr = n * 0x1000ULL,
        .read = true, .last = true,
    };

    ats_link_send(w->link, &msg);
}

const AtsMsg *rules_got(World *w, unsigned int i)
{
    g_assert_cmpuint(i, <, w->log->len);
    return &g_array_index(w->log, AtsMsg, i);
}

/* What has arrived since the last look are these, by PRG index */
void rules_expect(World *w, unsigned int n, const uint16_t *prgi)
{
    g_assert_cmpuint(w->log->len, ==, n);
    for (unsigned int i = 0; i < n; i++) {
        g_assert_cmpuint(rules_got(w, i)->prgi, ==, prgi[i]);
    }
    g_array_set_size(w->log, 0);
}

void rules_expect_none(World *w)
{
    g_assert_cmpuint(w->log->len, ==, 0);
}

void rules_send_four(World *w)
{
    for (uint16_t i = 1; i <= 4; i++) {
        rules_send(w, ATS_MSG_PAGE_REQUEST, i);
    }
}
