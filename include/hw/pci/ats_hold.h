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

#ifndef HW_PCI_ATS_HOLD_H
#define HW_PCI_ATS_HOLD_H

#include "hw/pci/ats_link.h"

/* Rules that can be at work at a time; the first one that matches acts */
#define ATS_RULE_NR         2

/* Messages that can be kept; those beyond are lost */
#define ATS_HELD_MAX        16384

/* Values of AtsRule::pasid, tag and rid that are no PASID, tag or id */
#define ATS_RULE_ANY        UINT32_MAX
#define ATS_RULE_NO_PASID   (1u << ATS_PASID_BITS)

/* AtsHeld::due of a message that somebody must release */
#define ATS_HELD_FOREVER    INT64_MAX

typedef enum AtsRuleAct {
    ATS_RULE_OFF,
    ATS_RULE_HOLD,          /* keep it until it is released */
    ATS_RULE_DROP,
    ATS_RULE_DELAY,         /* keep it for some time */
    ATS_RULE_DUPLICATE,     /* deliver it twice in a row */
    ATS_RULE_REORDER,       /* let the next one in its direction overtake it */
    ATS_RULE_CORRUPT,       /* deliver it with bits of one field turned over */
    ATS_RULE_ACT_NR,
} AtsRuleAct;

typedef enum AtsRuleKind {
    ATS_RULE_ALL,
    ATS_RULE_PAGE_REQUEST,  /* stop markers included */
    ATS_RULE_STOP_MARKER,
    ATS_RULE_PRG_RESPONSE,
    ATS_RULE_INV_REQUEST,
    ATS_RULE_INV_COMPLETION,
    ATS_RULE_TRANSLATION,   /* Translation Completion */
    ATS_RULE_KIND_NR,
} AtsRuleKind;

typedef enum AtsRuleField {
    ATS_FIELD_TAG,          /* PRG index or ITag */
    ATS_FIELD_PASID,
    ATS_FIELD_NO_PASID,     /* take it away */
    ATS_FIELD_RID,
    ATS_FIELD_CODE,         /* Response Code, Completion Count or status */
    ATS_FIELD_ADDRESS,      /* page number; of a completion the translated */
    ATS_FIELD_FLAGS,        /* Page Request: R W L Priv Exe from bit 0 up; */
    ATS_FIELD_NR,           /* Invalidate Request: S G; completion: R W */
} AtsRuleField;

/**
 * struct AtsRule - what happens to which messages
 *
 * @act, @kind, @field: as above
 * @pasid: PASID that the message must have, ATS_RULE_NO_PASID or ATS_RULE_ANY
 * @tag: PRG index or ITag that it must have, or ATS_RULE_ANY; Translation
 *       Completions match only the latter
 * @rid: requester id of the function, or ATS_RULE_ANY
 * @nth: the first message that is acted on, counted from 1 among those that
 *       match; 0 is 1.  Counts down
 * @count: so many messages are acted on, then @act is ATS_RULE_OFF; 0: all.
 *         Counts down
 * @delay: of ATS_RULE_DELAY, nanoseconds
 * @bits: of ATS_RULE_CORRUPT
 */
typedef struct AtsRule {
    uint8_t act;
    uint8_t kind;
    uint8_t field;
    uint32_t pasid;
    uint32_t tag;
    uint32_t rid;
    uint32_t nth;
    uint32_t count;
    int64_t delay;
    uint32_t bits;
} AtsRule;

/**
 * struct AtsHeld - a message on its way
 *
 * @msg: it; a Translation Completion has kind ATS_MSG_TRANSLATION, the tag of
 *       its request in @tr_tag, its result in @status and @entry
 * @due: virtual clock, ns, when it goes on by itself, or ATS_HELD_FOREVER
 * @swap: it goes on behind the next message in its direction
 */
typedef struct AtsHeld {
    AtsMsg msg;
    AtsTrEntry entry;
    uint32_t tr_tag;
    uint8_t status;
    bool swap;
    int64_t due;
} AtsHeld;

/* X(field, what it counts): read with qom-get as "x-link-<field>" */
#define ATS_HOLD_COUNTERS(X) \
    X(kept,       "messages that a link rule held, delayed or had overtaken") \
    X(dropped,    "messages that a link rule lost, or that found no room") \
    X(duplicated, "messages that a link rule had delivered twice") \
    X(corrupted,  "messages that a link rule changed")

/**
 * struct AtsHolds - the rules of a link and what they keep
 *
 * @active: some message may meet a rule or is waiting to be overtaken
 * @changed: a rule has counted down or @held has changed since the agent was
 *           told
 * @held: of AtsHeld
 * @n_swap: of them waiting to be overtaken, downstream and upstream
 * @saved, @n_saved: migration only
 */
typedef struct AtsHolds {
    AtsRule rule[ATS_RULE_NR];
    bool active;
    bool changed;
    GQueue held;
    uint32_t n_swap[2];
    AtsHeld *saved;
    int32_t n_saved;
#define ATS_HOLD_COUNTER_FIELD(field, text) uint64_t field;
    ATS_HOLD_COUNTERS(ATS_HOLD_COUNTER_FIELD)
#undef ATS_HOLD_COUNTER_FIELD
} AtsHolds;

typedef enum AtsVerdict {
    ATS_VERDICT_PASS,
    ATS_VERDICT_TWICE,
    ATS_VERDICT_GONE,       /* kept or lost */
} AtsVerdict;

void ats_holds_init(AtsHolds *holds);

/**
 * ats_holds_clear: forget all messages and counters; rules stay
 */
void ats_holds_clear(AtsHolds *holds);

/**
 * ats_holds_set_rule: change rule @n; what is kept already stays
 */
void ats_holds_set_rule(AtsHolds *holds, unsigned int n, const AtsRule *rule);

/**
 * ats_holds_judge: what becomes of a message that is being sent
 *
 * @item: may be changed; copied if it is kept
 * @now: virtual clock, ns
 */
AtsVerdict ats_holds_judge(AtsHolds *holds, AtsHeld *item, int64_t now);

/**
 * ats_holds_take: take out messages to be delivered, in the order in which that
 * is to happen
 *
 * @count: at most so many
 * @newest: the newest first
 *
 * Returns: of AtsHeld, to be freed with its elements
 */
GQueue *ats_holds_take(AtsHolds *holds, uint64_t count, bool newest);

/**
 * ats_holds_take_at: take out the message at @index, 0 is the oldest
 */
GQueue *ats_holds_take_at(AtsHolds *holds, uint64_t index);

/**
 * ats_holds_take_due: take out what is due at @now, soonest first
 */
GQueue *ats_holds_take_due(AtsHolds *holds, int64_t now);

/**
 * ats_holds_overtaken: is there something that @msg has overtaken?
 * ats_holds_take_overtaken: take it out
 */
bool ats_holds_overtaken(const AtsHolds *holds, const AtsMsg *msg);
GQueue *ats_holds_take_overtaken(AtsHolds *holds, const AtsMsg *msg);

/**
 * ats_holds_forget: lose what is on its way down to @rid
 */
void ats_holds_forget(AtsHolds *holds, uint16_t rid);

/**
 * ats_holds_next_due: when the next message goes on by itself, or
 * ATS_HELD_FOREVER
 */
int64_t ats_holds_next_due(const AtsHolds *holds);

/**
 * ats_holds_describe: a line a message, oldest first
 */
char *ats_holds_describe(const AtsHolds *holds);

/**
 * ats_holds_save: list what is kept in @saved
 * ats_holds_restore: keep what is in @saved and free it
 */
void ats_holds_save(AtsHolds *holds);
void ats_holds_restore(AtsHolds *holds);
void ats_holds_free_saved(AtsHolds *holds);

#endif /* HW_PCI_ATS_HOLD_H */
