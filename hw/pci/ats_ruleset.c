/*
 * What a test does to the messages on an ATS link
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "qemu/log.h"
#include "hw/pci/ats_ruleset.h"
#include "trace.h"

void ats_ruleset_init(AtsRuleSet *set)
{
    memset(set, 0, sizeof(*set));
    g_queue_init(&set->held);
    QTAILQ_INIT(&set->rules);
}

/* -- Rules ----------------------------------------------------------------- */

static void ats_ruleset_update(AtsRuleSet *set)
{
    AtsRule *rule;

    set->changed = true;
    set->active = set->n_swap[0] || set->n_swap[1];
    QTAILQ_FOREACH(rule, &set->rules, next) {
        set->active |= rule->knobs.act != ATS_RULE_OFF;
    }
}

bool ats_ruleset_add_rule(AtsRuleSet *set, AtsRule *rule)
{
    AtsRule *other;

    if (set->n_rules >= ATS_RULES_MAX) {
        return false;
    }
    QTAILQ_FOREACH(other, &set->rules, next) {
        if (strcmp(rule->id, other->id) < 0) {
            break;
        }
    }
    if (other) {
        QTAILQ_INSERT_BEFORE(other, rule, next);
    } else {
        QTAILQ_INSERT_TAIL(&set->rules, rule, next);
    }
    set->n_rules++;
    ats_ruleset_rule_changed(set, rule);
    return true;
}

void ats_ruleset_remove_rule(AtsRuleSet *set, AtsRule *rule)
{
    assert(!rule->n_held);
    QTAILQ_REMOVE(&set->rules, rule, next);
    set->n_rules--;
    ats_ruleset_update(set);
}

void ats_ruleset_rule_changed(AtsRuleSet *set, AtsRule *rule)
{
    rule->knobs.held = rule->n_held;
    rule->knobs.release = 0;
    ats_ruleset_update(set);
}

static void ats_rule_keeps(AtsRule *rule, int more)
{
    rule->n_held += more;
    rule->knobs.held = rule->n_held;
}

void ats_ruleset_drop(AtsRuleSet *set)
{
    AtsRule *rule;

    g_queue_clear_full(&set->held, g_free);
    memset(set->n_swap, 0, sizeof(set->n_swap));
    QTAILQ_FOREACH(rule, &set->rules, next) {
        ats_rule_keeps(rule, -(int)rule->n_held);
    }
    ats_ruleset_update(set);
}

void ats_ruleset_clear(AtsRuleSet *set)
{
#define ATS_RULESET_COUNTER_CLEAR(field, text) set->field = 0;
    ATS_RULESET_COUNTERS(ATS_RULESET_COUNTER_CLEAR)
#undef ATS_RULESET_COUNTER_CLEAR
    ats_ruleset_drop(set);
}

/* -- Which messages -------------------------------------------------------- */

static bool ats_rule_matches_kind(const AtsRuleKnobs *rule, const AtsMsg *msg)
{
    switch (rule->kind) {
    case ATS_RULE_ALL:
        return true;
    case ATS_RULE_PAGE_REQUEST:
        return msg->kind == ATS_MSG_PAGE_REQUEST;
    case ATS_RULE_STOP_MARKER:
        return ats_msg_is_stop_marker(msg);
    case ATS_RULE_PRG_RESPONSE:
        return msg->kind == ATS_MSG_PRG_RESPONSE;
    case ATS_RULE_INV_REQUEST:
        return msg->kind == ATS_MSG_INV_REQUEST;
    case ATS_RULE_INV_COMPLETION:
        return msg->kind == ATS_MSG_INV_COMPLETION;
    case ATS_RULE_TRANSLATION:
        return msg->kind == ATS_MSG_TRANSLATION;
    default:
        return false;
    }
}

static bool ats_rule_matches_tag(const AtsRuleKnobs *rule, const AtsMsg *msg)
{
    if (rule->tag == ATS_RULE_ANY) {
        return true;
    }
    switch (msg->kind) {
    case ATS_MSG_PAGE_REQUEST:
    case ATS_MSG_PRG_RESPONSE:
        return msg->prgi == rule->tag;
    case ATS_MSG_INV_REQUEST:
        return msg->itag == rule->tag;
    case ATS_MSG_INV_COMPLETION:
        return rule->tag < ATS_ITAG_NR && (msg->itags & (1u << rule->tag));
    default:
        return false;
    }
}

static bool ats_rule_matches_pasid(const AtsRuleKnobs *rule, const AtsMsg *msg)
{
    return rule->pasid == ATS_RULE_ANY ||
           (rule->pasid == ATS_RULE_NO_PASID ? msg->pasid == ATS_NO_PASID :
            msg->pasid == rule->pasid);
}

static bool ats_rule_matches(const AtsRuleKnobs *rule, const AtsMsg *msg)
{
    return (rule->rid == ATS_RULE_ANY || rule->rid == msg->rid) &&
           ats_rule_matches_kind(rule, msg) &&
           ats_rule_matches_tag(rule, msg) &&
           ats_rule_matches_pasid(rule, msg);
}

/* Is it the turn of @rule?  Counts.  One message can overtake one. */
static bool ats_rule_fires(AtsRuleSet *set, AtsRule *rule, const AtsMsg *msg)
{
    if (rule->knobs.act == ATS_RULE_REORDER &&
        ats_ruleset_overtaken(set, msg)) {
        return false;
    }
    if (rule->knobs.nth > 1) {
        rule->knobs.nth--;
        set->changed = true;
        return false;
    }
    return true;
}

static void ats_rule_fired(AtsRuleSet *set, AtsRule *rule)
{
    rule->knobs.acted += rule->knobs.acted < UINT32_MAX;
    if (rule->knobs.count && !--rule->knobs.count) {
        rule->knobs.act = ATS_RULE_OFF;
        rule->knobs.nth = 0;
    }
    ats_ruleset_update(set);
}

/* -- What becomes of them -------------------------------------------------- */

static void ats_corrupt_tag(AtsMsg *msg, uint32_t bits)
{
    uint32_t itags = msg->itags;

    msg->prgi = (msg->prgi ^ bits) % ATS_PRGI_NR;
    msg->itag = (msg->itag ^ bits) % ATS_ITAG_NR;
    msg->itags = 0;
    while (itags) {
        msg->itags |= 1u << ((ctz32(itags) ^ bits) % ATS_ITAG_NR);
        itags &= itags - 1;
    }
}

static void ats_corrupt_pasid(AtsMsg *msg, uint32_t bits)
{
    bits &= (1u << ATS_PASID_BITS) - 1;
    msg->pasid = msg->pasid == ATS_NO_PASID ? bits : msg->pasid ^ bits;
}

static void ats_corrupt_code(AtsHeld *item, uint32_t bits)
{
    AtsMsg *msg = &item->msg;

    msg->code = (msg->code ^ bits) & 0xf;
    if (msg->kind == ATS_MSG_INV_COMPLETION) {
        msg->cc = (msg->cc ^ bits) & 7;
        msg->cc = msg->cc ? msg->cc : 8;
    } else if (msg->kind == ATS_MSG_TRANSLATION) {
        item->status = bits & 2 ? ATS_TR_CA : ATS_TR_UR;
    }
}

static void ats_corrupt_flags(AtsHeld *item, uint32_t bits)
{
    AtsMsg *msg = &item->msg;

    if (msg->kind == ATS_MSG_PAGE_REQUEST) {
        msg->read ^= bits & 1;
        msg->write ^= (bits >> 1) & 1;
        msg->last ^= (bits >> 2) & 1;
        msg->priv ^= (bits >> 3) & 1;
        msg->exec ^= (bits >> 4) & 1;
    } else if (msg->kind == ATS_MSG_INV_REQUEST) {
        msg->size ^= bits & 1;
        msg->global ^= (bits >> 1) & 1;
    } else if (msg->kind == ATS_MSG_TRANSLATION) {
        item->entry.read ^= bits & 1;
        item->entry.write ^= (bits >> 1) & 1;
    }
}

static void ats_corrupt(AtsHeld *item, const AtsRuleKnobs *rule)
{
    switch (rule->field) {
    case ATS_RULE_FIELD_TAG:
        ats_corrupt_tag(&item->msg, rule->bits);
        break;
    case ATS_RULE_FIELD_PASID:
        ats_corrupt_pasid(&item->msg, rule->bits);
        break;
    case ATS_RULE_FIELD_NO_PASID:
        item->msg.pasid = ATS_NO_PASID;
        break;
    case ATS_RULE_FIELD_RID:
        item->msg.rid ^= rule->bits;
        break;
    case ATS_RULE_FIELD_CODE:
        ats_corrupt_code(item, rule->bits);
        break;
    case ATS_RULE_FIELD_ADDRESS:
        item->msg.addr ^= (uint64_t)rule->bits << 12;
        item->entry.addr ^= (uint64_t)rule->bits << 12;
        break;
    case ATS_RULE_FIELD_FLAGS:
        ats_corrupt_flags(item, rule->bits);
        break;
    default:
        break;
    }
}

static void ats_ruleset_keep(AtsRuleSet *set, const AtsHeld *item)
{
    if (set->held.length >= ATS_HELD_MAX) {
        qemu_log_mask(LOG_GUEST_ERROR, "ats_link: %u messages are held, one "
                      "more is lost\n", ATS_HELD_MAX);
        set->dropped++;
        return;
    }
    g_queue_push_tail(&set->held, g_memdup2(item, sizeof(*item)));
    set->n_swap[ats_msg_is_upstream(&item->msg)] += item->swap;
    ats_rule_keeps(item->rule, 1);
    set->kept++;
}

static AtsRuleResult ats_rule_apply(AtsRuleSet *set, AtsRule *rule,
                                    AtsHeld *item, int64_t now)
{
    trace_ats_link_rule(item->msg.kind, item->msg.rid, item->msg.pasid,
                        rule->knobs.act, rule->id);
    item->due = ATS_HELD_FOREVER;
    item->swap = false;
    item->rule = rule;
    switch (rule->knobs.act) {
    case ATS_RULE_DROP:
        set->dropped++;
        return ATS_RULE_RESULT_GONE;
    case ATS_RULE_DUPLICATE:
        set->duplicated++;
        return ATS_RULE_RESULT_TWICE;
    case ATS_RULE_CORRUPT:
        set->corrupted++;
        ats_corrupt(item, &rule->knobs);
        return ATS_RULE_RESULT_PASS;
    case ATS_RULE_DELAY:
        item->due = now + (int64_t)rule->knobs.delay_us * 1000;
        break;
    case ATS_RULE_REORDER:
        item->swap = true;
        break;
    default:
        break;
    }
    ats_ruleset_keep(set, item);
    return ATS_RULE_RESULT_GONE;
}

AtsRuleResult ats_ruleset_apply(AtsRuleSet *set, AtsHeld *item, int64_t now)
{
    AtsRule *rule;

    QTAILQ_FOREACH(rule, &set->rules, next) {
        if (rule->knobs.act != ATS_RULE_OFF &&
            ats_rule_matches(&rule->knobs, &item->msg) &&
            ats_rule_fires(set, rule, &item->msg)) {
            AtsRuleResult verdict = ats_rule_apply(set, rule, item, now);

            ats_rule_fired(set, rule);
            return verdict;
        }
    }
    return ATS_RULE_RESULT_PASS;
}

/* -- What is kept ---------------------------------------------------------- */

static void ats_ruleset_move(AtsRuleSet *set, GQueue *out, GList *link)
{
    AtsHeld *item = link->data;

    set->n_swap[ats_msg_is_upstream(&item->msg)] -= item->swap;
    ats_rule_keeps(item->rule, -1);
    g_queue_unlink(&set->held, link);
    g_queue_push_tail_link(out, link);
}

GQueue *ats_ruleset_take(AtsRuleSet *set, uint64_t count, bool newest)
{
    GQueue *out = g_queue_new();

    while (count-- && set->held.length) {
        ats_ruleset_move(set, out, newest ? set->held.tail :
                         set->held.head);
    }
    ats_ruleset_update(set);
    return out;
}

GQueue *ats_ruleset_take_of(AtsRuleSet *set, const AtsRule *rule,
                            uint64_t count)
{
    GQueue *out = g_queue_new();
    GList *next;

    for (GList *link = set->held.head; link && count; link = next) {
        const AtsHeld *item = link->data;

        next = link->next;
        if (item->rule == rule) {
            ats_ruleset_move(set, out, link);
            count--;
        }
    }
    ats_ruleset_update(set);
    return out;
}

GQueue *ats_ruleset_take_at(AtsRuleSet *set, uint64_t index)
{
    GQueue *out = g_queue_new();

    if (index < set->held.length) {
        ats_ruleset_move(set, out,
                         g_queue_peek_nth_link(&set->held, index));
        ats_ruleset_update(set);
    } else {
        qemu_log_mask(LOG_GUEST_ERROR, "ats_link: no message %" PRIu64
                      " among %u\n", index, set->held.length);
    }
    return out;
}

static int ats_held_compare(const void *a, const void *b, void *opaque)
{
    const AtsHeld *x = a, *y = b;

    return x->due < y->due ? -1 : x->due > y->due;
}

GQueue *ats_ruleset_take_due(AtsRuleSet *set, int64_t now)
{
    GQueue *out = g_queue_new();
    GList *next;

    for (GList *link = set->held.head; link; link = next) {
        const AtsHeld *item = link->data;

        next = link->next;
        if (item->due <= now) {
            ats_ruleset_move(set, out, link);
        }
    }
    /* stable: of those that are due together the oldest goes first */
    g_queue_sort(out, ats_held_compare, NULL);
    ats_ruleset_update(set);
    return out;
}

bool ats_ruleset_overtaken(const AtsRuleSet *set, const AtsMsg *msg)
{
    return set->n_swap[ats_msg_is_upstream(msg)];
}

GQueue *ats_ruleset_take_overtaken(AtsRuleSet *set, const AtsMsg *msg)
{
    bool upstream = ats_msg_is_upstream(msg);
    GQueue *out = g_queue_new();
    GList *next;

    for (GList *link = set->held.head; link && set->n_swap[upstream];
         link = next) {
        const AtsHeld *item = link->data;

        next = link->next;
        if (item->swap && ats_msg_is_upstream(&item->msg) == upstream) {
            ats_ruleset_move(set, out, link);
        }
    }
    ats_ruleset_update(set);
    return out;
}

void ats_ruleset_forget(AtsRuleSet *set, uint16_t rid)
{
    GList *next;

    for (GList *link = set->held.head; link; link = next) {
        AtsHeld *item = link->data;

        next = link->next;
        if (item->msg.rid == rid && !ats_msg_is_upstream(&item->msg)) {
            set->n_swap[0] -= item->swap;
            ats_rule_keeps(item->rule, -1);
            g_queue_delete_link(&set->held, link);
            g_free(item);
        }
    }
    ats_ruleset_update(set);
}

int64_t ats_ruleset_next_due(const AtsRuleSet *set)
{
    int64_t due = ATS_HELD_FOREVER;

    for (GList *link = set->held.head; link; link = link->next) {
        due = MIN(due, ((const AtsHeld *)link->data)->due);
    }
    return due;
}

/* -- Reading and migration ------------------------------------------------- */

static const char *ats_held_name(const AtsMsg *msg)
{
    static const char *const names[ATS_MSG_KIND_NR] = {
        [ATS_MSG_PAGE_REQUEST] = "page-request",
        [ATS_MSG_INV_COMPLETION] = "inv-completion",
        [ATS_MSG_PRG_RESPONSE] = "prg-response",
        [ATS_MSG_INV_REQUEST] = "inv-request",
        [ATS_MSG_TRANSLATION] = "translation",
    };

    return ats_msg_is_stop_marker(msg) ? "stop-marker" : names[msg->kind];
}

static unsigned int ats_held_tag(const AtsMsg *msg)
{
    switch (msg->kind) {
    case ATS_MSG_INV_REQUEST:
        return msg->itag;
    case ATS_MSG_INV_COMPLETION:
        return msg->itags ? ctz32(msg->itags) : 0;
    default:
        return msg->prgi;
    }
}

char *ats_ruleset_describe(const AtsRuleSet *set)
{
    GString *text = g_string_new(NULL);
    unsigned int n = 0;

    for (GList *link = set->held.head; link; link = link->next) {
        const AtsHeld *item = link->data;
        const AtsMsg *msg = &item->msg;

        g_string_append_printf(text, "%u %s rid=%02x:%02x.%x", n++,
                               ats_held_name(msg), msg->rid >> 8,
                               (msg->rid >> 3) & 0x1f, msg->rid & 7);
        if (msg->pasid != ATS_NO_PASID) {
            g_string_append_printf(text, " pasid=0x%x", msg->pasid);
        }
        g_string_append_printf(text, " tag=%u addr=0x%" PRIx64 " code=%u",
                               ats_held_tag(msg), msg->addr,
                               msg->kind == ATS_MSG_TRANSLATION ?
                               item->status : msg->code);
        if (item->due != ATS_HELD_FOREVER) {
            g_string_append_printf(text, " due=%" PRId64, item->due);
        }
        g_string_append_printf(text, "%s rule=%s\n",
                               item->swap ? " to-be-overtaken" : "",
                               item->rule->id);
    }
    return g_string_free(text, false);
}

void ats_ruleset_free_saved(AtsRuleSet *set)
{
    g_free(set->saved);
    set->saved = NULL;
    set->n_saved = 0;
}

/* Place of @rule among the rules */
static uint32_t ats_ruleset_place(const AtsRuleSet *set, const AtsRule *rule)
{
    const AtsRule *other;
    uint32_t place = 0;

    QTAILQ_FOREACH(other, &set->rules, next) {
        if (other == rule) {
            break;
        }
        place++;
    }
    return place;
}

static AtsRule *ats_ruleset_rule_at(const AtsRuleSet *set, uint32_t place)
{
    AtsRule *rule;

    QTAILQ_FOREACH(rule, &set->rules, next) {
        if (!place--) {
            break;
        }
    }
    return rule;
}

void ats_ruleset_save(AtsRuleSet *set)
{
    ats_ruleset_free_saved(set);
    set->saved = g_new0(AtsHeld, MAX(set->held.length, 1));
    for (GList *link = set->held.head; link; link = link->next) {
        AtsHeld *item = &set->saved[set->n_saved++];

        *item = *(const AtsHeld *)link->data;
        item->rule_at = ats_ruleset_place(set, item->rule);
    }
}

bool ats_ruleset_restore(AtsRuleSet *set)
{
    bool ok = true;

    ats_ruleset_drop(set);
    for (int32_t i = 0; ok && i < set->n_saved; i++) {
        AtsHeld *item = &set->saved[i];

        item->rule = ats_ruleset_rule_at(set, item->rule_at);
        ok = item->rule;
        if (ok) {
            g_queue_push_tail(&set->held, g_memdup2(item, sizeof(*item)));
            set->n_swap[ats_msg_is_upstream(&item->msg)] += item->swap;
            ats_rule_keeps(item->rule, 1);
        }
    }
    ats_ruleset_free_saved(set);
    if (!ok) {
        ats_ruleset_drop(set);
    }
    ats_ruleset_update(set);
    return ok;
}
