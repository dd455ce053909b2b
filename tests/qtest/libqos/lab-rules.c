/*
 * Rules of the ATS link, by the registers of a guest and by QMP
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqos/lab-rules.h"
#include "qobject/qdict.h"

void lab_rule(QPriTestdev *d, uint32_t knob, uint64_t value)
{
    g_assert_cmpuint(qpt_knob_set(d, PT_KNOB_RULE(0) | knob, value), ==,
                     PT_KNOB_OK);
}

uint64_t lab_rule_get(QPriTestdev *d, uint32_t knob)
{
    return qpt_knob_get(d, PT_KNOB_RULE(0) | knob);
}

void lab_rule_kind(QPriTestdev *d, unsigned int kind, unsigned int action)
{
    lab_rule(d, ATS_RULE_KNOB_KIND, kind);
    lab_rule(d, ATS_RULE_KNOB_ACTION, action);
}

static QDict *lab_qmp(QTestState *qts, const char *json)
{
    qtest_qmp_send_raw(qts, "%s", json);
    return qtest_qmp_receive(qts);
}

char *lab_object_add(QTestState *qts, const char *id, const char *more)
{
    g_autofree char *cmd = g_strdup_printf(
        "{ 'execute': 'object-add', 'arguments': { 'qom-type': 'ats-rule', "
        "'id': '%s'%s } }", id, more);
    QDict *rsp = lab_qmp(qts, cmd);
    char *why = NULL;

    if (qdict_haskey(rsp, "error")) {
        why = g_strdup(qdict_get_str(qdict_get_qdict(rsp, "error"), "desc"));
    }
    qobject_unref(rsp);
    return why;
}

void lab_object_del(QTestState *qts, const char *id)
{
    qtest_qmp_assert_success(qts, "{ 'execute': 'object-del', 'arguments': "
                             "{ 'id': %s } }", id);
}

void lab_object_set(QTestState *qts, const char *id, const char *name,
                    const char *json)
{
    g_autofree char *cmd = g_strdup_printf(
        "{ 'execute': 'qom-set', 'arguments': { 'path': '/objects/%s', "
        "'property': '%s', 'value': %s } }", id, name, json);
    QDict *rsp = lab_qmp(qts, cmd);

    g_assert_true(qdict_haskey(rsp, "return"));
    qobject_unref(rsp);
}

uint64_t lab_object_number(QTestState *qts, const char *id, const char *name)
{
    g_autofree char *cmd = g_strdup_printf(
        "{ 'execute': 'qom-get', 'arguments': { 'path': '/objects/%s', "
        "'property': '%s' } }", id, name);
    QDict *rsp = lab_qmp(qts, cmd);
    uint64_t value = qdict_haskey(rsp, "return") ?
                     qdict_get_int(rsp, "return") : UINT64_MAX;

    qobject_unref(rsp);
    return value;
}
