/*
 * Rules of an ATS link as objects
 *
 * A rule is an object of type "ats-rule".  -object, object-add and object-del
 * make and remove it, a guest does so by registers of a function on the link
 * (ats_rules_get(), ats_rules_remove()), and qom-get and qom-set read and
 * change it.  The owner of a link has an AtsRules for it, which has the
 * messages that rules keep (ats_ruleset.h) and puts rules into the stream: they
 * are state of the machine, and a machine that is loaded has those of the
 * stream, whatever it had before.
 *
 * All of it runs under the BQL.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_PCI_ATS_RULES_H
#define HW_PCI_ATS_RULES_H

#include "hw/pci/ats_ruleset.h"
#include "hw/pci/ats_knobs.h"
#include "qom/object.h"

#define TYPE_ATS_RULES "ats-rules"
OBJECT_DECLARE_SIMPLE_TYPE(AtsRules, ATS_RULES)

#define TYPE_ATS_RULE "ats-rule"

/* Characters of the id of a rule, with the NUL */
#define ATS_RULE_ID_SIZE    64

/* A rule in the stream */
typedef struct AtsRuleSaved {
    uint8_t id[ATS_RULE_ID_SIZE];   /* with a NUL */
    AtsRuleKnobs knobs;
} AtsRuleSaved;

typedef struct AtsRulesSaved {
    AtsRuleSaved *rules;
    int32_t n;
} AtsRulesSaved;

/**
 * struct AtsRules - the rules of a link, a child of the device that has it
 *
 * @link: NULL until ats_rules_attach(): rules find nothing here until then
 * @ruleset: for ats_link_new()
 * @saved: migration only
 */
struct AtsRules {
    Object parent_obj;

    AtsLink *link;
    AtsRuleSet ruleset;
    AtsRulesSaved saved;
};

extern const AtsKnobTable ats_rule_knob_table;

/**
 * ats_rules_attach: rules may come from now on; they act on @link
 */
void ats_rules_attach(AtsRules *rules, AtsLink *link);

/**
 * ats_rules_get: a guest's rule number @n, object "guest-rule-<two digits>"
 *
 * @make: make it if it is not there
 *
 * Returns: the owner of its knobs for @ats_rule_knob_table, or NULL if it is
 * not there, cannot be made because the link has as many rules as it can have,
 * or @n is ATS_RULES_MAX or more.
 */
void *ats_rules_get(AtsRules *rules, unsigned int n, bool make);

/**
 * ats_rules_remove: remove a guest's rule number @n; what it keeps is delivered
 *
 * Returns: false if it is not there.
 */
bool ats_rules_remove(AtsRules *rules, unsigned int n);

extern const struct VMStateDescription vmstate_ats_rules;

#endif /* HW_PCI_ATS_RULES_H */
