/*
 * Rules of an ATS link as objects
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/cutils.h"
#include "qemu/error-report.h"
#include "qemu/id.h"
#include "qemu/module.h"
#include "hw/pci/ats_link.h"
#include "hw/pci/ats_rules.h"
#include "hw/pci/ats_vmstate.h"
#include "hw/qdev-core.h"
#include "migration/vmstate.h"
#include "qom/object_interfaces.h"
#include "system/runstate.h"
#include "system/system.h"

OBJECT_DECLARE_SIMPLE_TYPE(AtsRuleObject, ATS_RULE)

/**
 * struct AtsRuleObject - an object of type "ats-rule"
 *
 * @iommu: property "iommu": id or path of the device that has the link; NULL:
 *         the only one that there is
 * @rules: where @rule is linked; NULL: nowhere
 * @ready: of a rule of the command line, which is there before the link
 */
struct AtsRuleObject {
    Object parent_obj;

    AtsRule rule;
    char *iommu;
    char *id;
    AtsRules *rules;
    Notifier ready;
};

/* -- Knobs ----------------------------------------------------------------- */

static const AtsKnob ats_rule_rows[] = {
#define V(ID, name) name "\0"
#define ATS_RULE_ROW(FIELD, field, name, def, max, values, help) \
    { name, values "", def, max, offsetof(AtsRuleObject, rule.knobs.field), \
      help },
    ATS_RULE_KNOBS(ATS_RULE_ROW)
#undef ATS_RULE_ROW
#undef V
};

/* The largest value of a row with names is the last of them */
#define ATS_RULE_CHECK(FIELD, field, name, def, max, values, help) \
    QEMU_BUILD_BUG_ON(ATS_RULE_##FIELD##_END && \
                      ATS_RULE_##FIELD##_END != (max) + 1ULL);
ATS_RULE_KNOBS(ATS_RULE_CHECK)
#undef ATS_RULE_CHECK

static void ats_rule_knob_changed(void *owner, unsigned int index)
{
    AtsRuleObject *obj = owner;
    uint64_t release = obj->rule.knobs.release;

    if (!obj->rules) {
        obj->rule.knobs.held = 0;
        obj->rule.knobs.release = 0;
        return;
    }
    ats_link_rule_changed(obj->rules->link, &obj->rule);
    ats_link_release_of(obj->rules->link, &obj->rule, release);
}

const AtsKnobTable ats_rule_knob_table = {
    .rows = ats_rule_rows,
    .n = ARRAY_SIZE(ats_rule_rows),
    .changed = ats_rule_knob_changed,
};

/* -- A rule finds its link, and leaves it ---------------------------------- */

static AtsRules *ats_rule_find_link(const AtsRuleObject *obj, Error **errp)
{
    bool ambiguous = false;
    Object *found;

    if (obj->iommu) {
        found = object_resolve_path(obj->iommu, &ambiguous);
        found = found ? object_resolve_path_component(found, TYPE_ATS_RULES) :
                        NULL;
        found = found ? object_dynamic_cast(found, TYPE_ATS_RULES) : NULL;
    } else {
        found = object_resolve_path_type("", TYPE_ATS_RULES, &ambiguous);
    }
    if (ambiguous) {
        error_setg(errp, "ats-rule: there are several IOMMUs that iommu=%s can "
                   "be: give the id of one", obj->iommu ?: "");
        return NULL;
    }
    if (!found || !ATS_RULES(found)->link) {
        error_setg(errp, "ats-rule: there is no IOMMU%s%s that has a link "
                   "(device-iotlb=on or x-pasid-mode=on)",
                   obj->iommu ? " " : "", obj->iommu ?: "");
        return NULL;
    }
    return ATS_RULES(found);
}

static bool ats_rule_join(AtsRuleObject *obj, AtsRules *rules, Error **errp)
{
    if (!ats_link_add_rule(rules->link, &obj->rule)) {
        error_setg(errp, "ats-rule: a link has at most %u rules",
                   ATS_RULES_MAX);
        return false;
    }
    obj->rules = rules;
    return true;
}

static void ats_rule_machine_ready(Notifier *ready, void *data)
{
    AtsRuleObject *obj = container_of(ready, AtsRuleObject, ready);

    ready->notify = NULL;
    qemu_remove_machine_init_done_notifier(ready);
    ats_rule_join(obj, ats_rule_find_link(obj, &error_fatal), &error_fatal);
}

/* The id, which no two objects have in common, is that of the rule */
static bool ats_rule_take_id(AtsRuleObject *obj, Error **errp)
{
    obj->id = g_strdup(object_get_canonical_path_component(OBJECT(obj)));
    if (!obj->id || strlen(obj->id) >= ATS_RULE_ID_SIZE) {
        error_setg(errp, "ats-rule: an id has at most %d characters",
                   ATS_RULE_ID_SIZE - 1);
        return false;
    }
    obj->rule.id = obj->id;
    return true;
}

static void ats_rule_complete(UserCreatable *uc, Error **errp)
{
    AtsRuleObject *obj = ATS_RULE(uc);
    AtsRules *rules;

    if (!ats_rule_take_id(obj, errp)) {
        return;
    }
    if (!phase_check(PHASE_MACHINE_READY)) {
        obj->ready.notify = ats_rule_machine_ready;
        qemu_add_machine_init_done_notifier(&obj->ready);
        return;
    }
    rules = ats_rule_find_link(obj, errp);
    if (rules) {
        ats_rule_join(obj, rules, errp);
    }
}

/*
 * What the rule keeps goes on.  When QEMU ends nobody is there to get it, and
 * the link is not for it to touch.
 */
static void ats_rule_unparent(Object *o)
{
    AtsRuleObject *obj = ATS_RULE(o);
    AtsRules *rules = obj->rules;

    if (obj->ready.notify) {
        obj->ready.notify = NULL;
        qemu_remove_machine_init_done_notifier(&obj->ready);
    }
    if (rules) {
        obj->rules = NULL;
        if (runstate_check(RUN_STATE_SHUTDOWN)) {
            ats_ruleset_drop(&rules->ruleset);
        }
        ats_link_remove_rule(rules->link, &obj->rule);
    }
}

static char *ats_rule_get_iommu(Object *o, Error **errp)
{
    return g_strdup(ATS_RULE(o)->iommu);
}

static void ats_rule_set_iommu(Object *o, const char *value, Error **errp)
{
    AtsRuleObject *obj = ATS_RULE(o);

    if (obj->id) {
        error_setg(errp, "iommu of an ats-rule cannot be changed");
        return;
    }
    g_free(obj->iommu);
    obj->iommu = g_strdup(value);
}

static void ats_rule_init(Object *o)
{
    ats_knobs_init(&ats_rule_knob_table, o);
}

static void ats_rule_finalize(Object *o)
{
    AtsRuleObject *obj = ATS_RULE(o);

    g_free(obj->iommu);
    g_free(obj->id);
}

static void ats_rule_class_init(ObjectClass *klass, const void *data)
{
    klass->unparent = ats_rule_unparent;
    USER_CREATABLE_CLASS(klass)->complete = ats_rule_complete;
    ats_knobs_add_properties(klass, &ats_rule_knob_table);
    object_class_property_add_str(klass, "iommu", ats_rule_get_iommu,
                                  ats_rule_set_iommu);
    object_class_property_set_description(klass, "iommu",
        "id or path of the IOMMU whose link it is; the only one by default");
}

/* -- Rules that a guest or a stream makes ---------------------------------- */

static AtsRuleObject *ats_rules_find(AtsRules *rules, const char *id)
{
    Object *o = object_resolve_path_component(object_get_objects_root(), id);
    AtsRuleObject *obj = o ? (AtsRuleObject *)
                             object_dynamic_cast(o, TYPE_ATS_RULE) : NULL;

    return obj && obj->rules == rules ? obj : NULL;
}

static AtsRuleObject *ats_rules_make(AtsRules *rules, const char *id,
                                     Error **errp)
{
    Object *o;
    AtsRuleObject *obj;

    if (rules->ruleset.n_rules >= ATS_RULES_MAX) {
        error_setg(errp, "no room for rule %s", id);
        return NULL;
    }
    o = object_new(TYPE_ATS_RULE);
    if (!object_property_try_add_child(object_get_objects_root(), id, o,
                                       errp)) {
        object_unref(o);
        return NULL;
    }
    object_unref(o);            /* its parent has it */
    obj = ATS_RULE(o);
    if (!ats_rule_take_id(obj, errp) || !ats_rule_join(obj, rules, errp)) {
        object_unparent(o);
        return NULL;
    }
    return obj;
}

static AtsRuleObject *ats_rules_of_guest(AtsRules *rules, unsigned int n,
                                         bool make)
{
    g_autofree char *id = g_strdup_printf("guest-rule-%02u", n);
    AtsRuleObject *obj;

    if (!rules->link || n >= ATS_RULES_MAX) {
        return NULL;
    }
    obj = ats_rules_find(rules, id);
    return obj || !make ? obj : ats_rules_make(rules, id, NULL);
}

void *ats_rules_get(AtsRules *rules, unsigned int n, bool make)
{
    return ats_rules_of_guest(rules, n, make);
}

bool ats_rules_remove(AtsRules *rules, unsigned int n)
{
    AtsRuleObject *obj = ats_rules_of_guest(rules, n, false);

    if (obj) {
        object_unparent(OBJECT(obj));
    }
    return obj;
}

/* -- The rules of a link --------------------------------------------------- */

void ats_rules_attach(AtsRules *rules, AtsLink *link)
{
    rules->link = link;
}

static void ats_rules_init(Object *o)
{
    ats_ruleset_init(&ATS_RULES(o)->ruleset);
}

static const TypeInfo ats_rules_types[] = {
    {
        .name = TYPE_ATS_RULES,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(AtsRules),
        .instance_init = ats_rules_init,
    }, {
        .name = TYPE_ATS_RULE,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(AtsRuleObject),
        .instance_init = ats_rule_init,
        .instance_finalize = ats_rule_finalize,
        .class_init = ats_rule_class_init,
        .interfaces = (const InterfaceInfo[]) {
            { TYPE_USER_CREATABLE },
            { }
        }
    }
};

DEFINE_TYPES(ats_rules_types)

/* -- Migration ------------------------------------------------------------- */

static void ats_rules_free_saved(AtsRulesSaved *saved)
{
    g_free(saved->rules);
    saved->rules = NULL;
    saved->n = 0;
}

static int ats_rules_pre_save(void *opaque)
{
    AtsRulesSaved *saved = opaque;
    AtsRules *rules = container_of(saved, AtsRules, saved);
    AtsRule *rule;

    ats_rules_free_saved(saved);
    saved->rules = g_new0(AtsRuleSaved, MAX(rules->ruleset.n_rules, 1));
    QTAILQ_FOREACH(rule, &rules->ruleset.rules, next) {
        AtsRuleSaved *s = &saved->rules[saved->n++];

        pstrcpy((char *)s->id, sizeof(s->id), rule->id);
        s->knobs = rule->knobs;
    }
    return 0;
}

ATS_DEFINE_POST_SAVE(ats_rules_post_save, ats_rules_free_saved)

static int ats_rules_pre_load(void *opaque)
{
    ats_rules_free_saved(opaque);
    return 0;
}

/* Rules that the stream has not are no more */
static void ats_rules_remove_others(AtsRules *rules)
{
    const AtsRulesSaved *saved = &rules->saved;
    AtsRule *rule, *next;

    QTAILQ_FOREACH_SAFE(rule, &rules->ruleset.rules, next, next) {
        int32_t i = 0;

        while (i < saved->n &&
               strcmp((char *)saved->rules[i].id, rule->id)) {
            i++;
        }
        if (i == saved->n) {
            object_unparent(OBJECT(container_of(rule, AtsRuleObject, rule)));
        }
    }
}

static bool ats_rules_load(AtsRules *rules, AtsRuleSaved *s, Error **errp)
{
    const char *id = (char *)s->id;
    AtsRuleObject *obj;

    s->id[sizeof(s->id) - 1] = '\0';
    if (!rules->link || !id_wellformed(id)) {
        error_setg(errp, "rule %s cannot be", id);
        return false;
    }
    obj = ats_rules_find(rules, id) ?: ats_rules_make(rules, id, errp);
    if (!obj) {
        return false;
    }
    obj->rule.knobs = s->knobs;
    if (!ats_knobs_valid(&ats_rule_knob_table, obj)) {
        error_setg(errp, "rule %s has a knob that is out of range", id);
        ats_knobs_init(&ats_rule_knob_table, obj);
        return false;
    }
    return true;
}

/* What the old rules keep is lost: loading sends nothing */
static int ats_rules_post_load(void *opaque, int version_id)
{
    AtsRulesSaved *saved = opaque;
    AtsRules *rules = container_of(saved, AtsRules, saved);
    Error *err = NULL;
    bool ok = true;

    ats_ruleset_drop(&rules->ruleset);
    ats_rules_remove_others(rules);
    for (int32_t i = 0; ok && i < saved->n; i++) {
        ok = ats_rules_load(rules, &saved->rules[i], &err);
    }
    ats_rules_free_saved(saved);
    if (!ok) {
        error_report_err(err);
    }
    return ok ? 0 : -EINVAL;
}

static bool ats_rules_count_ok(void *opaque, int version_id)
{
    AtsRulesSaved *saved = opaque;

    return saved->n >= 0 && saved->n <= ATS_RULES_MAX;
}

static const VMStateDescription vmstate_ats_rule = {
    .name = "ats/rule",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_BUFFER(id, AtsRuleSaved),
#define ATS_RULE_VMSTATE(FIELD, field, name, def, max, values, help) \
        VMSTATE_UINT64(knobs.field, AtsRuleSaved),
        ATS_RULE_KNOBS(ATS_RULE_VMSTATE)
#undef ATS_RULE_VMSTATE
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_ats_rules_saved = {
    .name = "ats/rules/list",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_save = ats_rules_pre_save,
    .post_save = ATS_POST_SAVE(ats_rules_post_save),
    .pre_load = ats_rules_pre_load,
    .post_load = ats_rules_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_INT32(n, AtsRulesSaved),
        VMSTATE_VALIDATE("no more rules than there can be",
                         ats_rules_count_ok),
        VMSTATE_STRUCT_VARRAY_ALLOC(rules, AtsRulesSaved, n, 1,
                                    vmstate_ats_rule, AtsRuleSaved),
        VMSTATE_END_OF_LIST()
    }
};

/* The rules before what they keep */
const VMStateDescription vmstate_ats_rules = {
    .name = "ats/rules",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(saved, AtsRules, 1, vmstate_ats_rules_saved,
                       AtsRulesSaved),
        VMSTATE_STRUCT(ruleset, AtsRules, 1, vmstate_ats_ruleset, AtsRuleSet),
        VMSTATE_END_OF_LIST()
    }
};
