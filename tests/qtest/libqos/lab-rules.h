/*
 * Rules of the ATS link, by the registers of a guest and by QMP
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_LAB_LIBQOS_LAB_RULES_H
#define PRI_LAB_LIBQOS_LAB_RULES_H

#include "hw/pci/ats-rule-knobs.h"
#include "libqos/pri-testdev.h"

/**
 * lab_rule: turn a knob of the guest's rule 0, ATS_RULE_KNOB_*, which makes the
 * rule if it is not there; fails the test if that is refused
 */
void lab_rule(QPriTestdev *d, uint32_t knob, uint64_t value);

/**
 * lab_rule_get: a knob of it
 */
uint64_t lab_rule_get(QPriTestdev *d, uint32_t knob);

/**
 * lab_rule_kind: the guest's rule 0 does @action to messages of @kind
 */
void lab_rule_kind(QPriTestdev *d, unsigned int kind, unsigned int action);

/**
 * lab_object_add: object-add of an ats-rule
 *
 * @more: properties as JSON, ", 'action': 'hold'", or ""
 *
 * Returns: NULL, or why it was refused; to be freed.
 */
char *lab_object_add(QTestState *qts, const char *id, const char *more);

/**
 * lab_object_del: object-del; lab_object_set: qom-set; both must succeed
 */
void lab_object_del(QTestState *qts, const char *id);
void lab_object_set(QTestState *qts, const char *id, const char *name,
                    const char *json);

/**
 * lab_object_number: qom-get of a number; UINT64_MAX if there is no such object
 */
uint64_t lab_object_number(QTestState *qts, const char *id, const char *name);

#endif /* PRI_LAB_LIBQOS_LAB_RULES_H */
