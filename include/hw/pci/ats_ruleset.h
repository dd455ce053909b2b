/*
 * What a test does to the messages on an ATS link
 *
 * Rules say which messages are held, delayed, lost, sent twice, overtaken or
 * changed.  Messages that are kept wait here, oldest first, until they are
 * released.  This file decides and keeps; ats_link.c delivers.
 *
 * The functions of ats_link.h apply rules and release messages; nobody else
 * needs those below.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_PCI_ATS_RULESET_H
#define HW_PCI_ATS_RULESET_H

#include "qemu/queue.h"
#include "hw/pci/ats-rule-knobs.h"
#include "hw/pci/ats_link.h"

/* Rules that a link can have */
#define ATS_RULES_MAX       64

/* Messages that can be kept; those beyond are lost */
#define ATS_HELD_MAX        16384

/* Values of the knobs pasid, tag and rid that are no PASID, tag or id */
#define ATS_RULE_ANY        UINT32_MAX
#define ATS_RULE_NO_PASID   (1u << ATS_PASID_BITS)

/* AtsHeld::due of a message that somebody must release */
#define ATS_HELD_FOREVER    INT64_MAX

/**
 * struct AtsRule - what happens to which messages
 *
 * Its owner links it with ats_link_add_rule() and tells the link of changes.
 *
 * @id: its name among the rules of the link, the owner's
 * @knobs: see ats-rule-knobs.h; @nth, @count and @act count down
 * @n_held: messages that it keeps; @knobs.held follows it
 */
typedef struct AtsRule {
    const char *id;
    AtsRuleKnobs knobs;
    uint32_t n_held;
    QTAILQ_ENTRY(AtsRule) next;
} AtsRule;

/**
 * struct AtsHeld - a message on its way
 *
 * @msg: it; a Translation Completion has kind ATS_MSG_TRANSLATION, the tag of
 *       its request in @tr_tag, its result in @status and @entry
 * @due: virtual clock, ns, when it goes on by itself, or ATS_HELD_FOREVER
 * @swap: it goes on behind the next message in its direction
 * @rule: whose it is while it is kept
 * @rule_at: place of @rule among the rules, migration only
 */
typedef struct AtsHeld {
    AtsMsg msg;
    AtsTrEntry entry;
    uint32_t tr_tag;
    uint8_t status;
    bool swap;
    int64_t due;
    AtsRule *rule;
    uint32_t rule_at;
} AtsHeld;

/* X(field, what it counts): read with qom-get as "x-link-<field>" */
#define ATS_RULESET_COUNTERS(X) \
    X(kept,       "messages that a link rule held, delayed or had overtaken") \
    X(dropped,    "messages that a link rule lost, or that found no room") \
    X(duplicated, "messages that a link rule had delivered twice") \
    X(corrupted,  "messages that a link rule changed")

/**
 * struct AtsRuleSet - the rules of a link and what they keep
 *
 * @rules: in the order in which they are asked, which is that of their ids; the
 *         first one that matches acts
 * @active: some message may meet a rule or is waiting to be overtaken
 * @changed: a rule has counted down or @held has changed since the agent was
 *           told
 * @held: of AtsHeld
 * @n_swap: of them waiting to be overtaken, downstream and upstream
 * @saved, @n_saved: migration only
 */
typedef struct AtsRuleSet {
    QTAILQ_HEAD(, AtsRule) rules;
    uint32_t n_rules;
    bool active;
    bool changed;
    GQueue held;
    uint32_t n_swap[2];
    AtsHeld *saved;
    int32_t n_saved;
#define ATS_RULESET_COUNTER_FIELD(field, text) uint64_t field;
    ATS_RULESET_COUNTERS(ATS_RULESET_COUNTER_FIELD)
#undef ATS_RULESET_COUNTER_FIELD
} AtsRuleSet;

typedef enum AtsRuleResult {
    ATS_RULE_RESULT_PASS,
    ATS_RULE_RESULT_TWICE,
    ATS_RULE_RESULT_GONE,       /* kept or lost */
} AtsRuleResult;

void ats_ruleset_init(AtsRuleSet *set);

/**
 * ats_ruleset_clear: forget all messages and counters; rules stay
 */
void ats_ruleset_clear(AtsRuleSet *set);

/**
 * ats_ruleset_add_rule: link @rule, before the rules with a greater id
 *
 * The order is that of ids, not of creation, so that a machine that was loaded
 * asks in the same order, whenever its rules were made.
 *
 * Returns: false if there are ATS_RULES_MAX.
 */
bool ats_ruleset_add_rule(AtsRuleSet *set, AtsRule *rule);

/**
 * ats_ruleset_remove_rule: unlink @rule, which keeps nothing any more
 */
void ats_ruleset_remove_rule(AtsRuleSet *set, AtsRule *rule);

/**
 * ats_ruleset_rule_changed: somebody has turned a knob of @rule; what is kept
 * already stays
 */
void ats_ruleset_rule_changed(AtsRuleSet *set, AtsRule *rule);

/**
 * ats_ruleset_apply: what becomes of a message that is being sent
 *
 * @item: may be changed; copied if it is kept
 * @now: virtual clock, ns
 */
AtsRuleResult ats_ruleset_apply(AtsRuleSet *set, AtsHeld *item, int64_t now);

/**
 * ats_ruleset_take: take out messages to be delivered, in the order in which
 * that is to happen
 *
 * @count: at most so many
 * @newest: the newest first
 *
 * Returns: of AtsHeld, to be freed with its elements
 */
GQueue *ats_ruleset_take(AtsRuleSet *set, uint64_t count, bool newest);

/**
 * ats_ruleset_take_of: the same of those that @rule keeps, oldest first
 */
GQueue *ats_ruleset_take_of(AtsRuleSet *set, const AtsRule *rule,
                            uint64_t count);

/**
 * ats_ruleset_take_at: take out the message at @index, 0 is the oldest
 */
GQueue *ats_ruleset_take_at(AtsRuleSet *set, uint64_t index);

/**
 * ats_ruleset_take_due: take out what is due at @now, soonest first
 */
GQueue *ats_ruleset_take_due(AtsRuleSet *set, int64_t now);

/**
 * ats_ruleset_overtaken: is there something that @msg has overtaken?
 * ats_ruleset_take_overtaken: take it out
 */
bool ats_ruleset_overtaken(const AtsRuleSet *set, const AtsMsg *msg);
GQueue *ats_ruleset_take_overtaken(AtsRuleSet *set, const AtsMsg *msg);

/**
 * ats_ruleset_forget: lose what is on its way down to @rid
 */
void ats_ruleset_forget(AtsRuleSet *set, uint16_t rid);

/**
 * ats_ruleset_next_due: when the next message goes on by itself, or
 * ATS_HELD_FOREVER
 */
int64_t ats_ruleset_next_due(const AtsRuleSet *set);

/**
 * ats_ruleset_describe: a line a message, oldest first
 */
char *ats_ruleset_describe(const AtsRuleSet *set);

/**
 * ats_ruleset_save: list what is kept in @saved
 * ats_ruleset_restore: keep what is in @saved, for the rules that there are,
 * and free it
 *
 * Returns: false if a message is of no rule; nothing is kept then.
 */
void ats_ruleset_save(AtsRuleSet *set);
bool ats_ruleset_restore(AtsRuleSet *set);

/**
 * ats_ruleset_drop: nothing is kept any more; counters and rules stay
 */
void ats_ruleset_drop(AtsRuleSet *set);
void ats_ruleset_free_saved(AtsRuleSet *set);

#endif /* HW_PCI_ATS_RULESET_H */
