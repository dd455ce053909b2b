/*
 * A link with rules and what is at its ends, for their unit tests
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_UNIT_RULES_WORLD_H
#define TESTS_UNIT_RULES_WORLD_H

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "hw/pci/ats_ruleset.h"

#define RID     0x100
#define FOREVER ATS_HELD_FOREVER

/* A link with one function; both ends write down what arrives */
typedef struct World {
    AtsLink *link;
    AtsRuleSet ruleset;
    AtsRule rule[ATS_RULES_MAX + 1];
    char id[ATS_RULES_MAX + 1][8];
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

/* The function's end */
extern const AtsPortOps rules_port_ops;

World *rules_new(void);
void rules_free(World *w);

/**
 * rules_any: what a rule for all messages says; rules_set: rule "r00" says it
 */
AtsRuleKnobs rules_any(unsigned int act);
void rules_set(World *w, AtsRuleKnobs knobs);

/**
 * rules_add: rule @n, whose id is "r" and two digits, is there and says @knobs
 *
 * Returns: false if there is no room for it.
 */
bool rules_add(World *w, unsigned int n, AtsRuleKnobs knobs);

/**
 * rules_send: a message that the number @n tells from others: PRG index, ITag
 * and page
 */
void rules_send(World *w, AtsMsgKind kind, uint16_t n);

/**
 * rules_send_four: Page Requests 1 to 4
 */
void rules_send_four(World *w);

/**
 * rules_got: message number @i since the last look
 */
const AtsMsg *rules_got(World *w, unsigned int i);

/**
 * rules_expect: what has arrived since the last look are these, by PRG index
 */
void rules_expect(World *w, unsigned int n, const uint16_t *prgi);
void rules_expect_none(World *w);

#define RULES_EXPECT(w, ...) do { \
    const uint16_t these[] = { __VA_ARGS__ }; \
    rules_expect(w, ARRAY_SIZE(these), these); \
} while (0)

#endif /* TESTS_UNIT_RULES_WORLD_H */
