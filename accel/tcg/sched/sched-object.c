/*
 * The schedule machine: /sched, its properties
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/guest-random.h"
#include "qom/object.h"
#include "exec/icount.h"
#include "exec/tb-flush.h"
#include "system/runstate.h"
#include "system/system.h"
#include "sched-internal.h"

static bool sched_stopped(Error **errp)
{
    if (runstate_is_running()) {
        error_setg(errp, "the machine runs: stop it first");
        return false;
    }
    return true;
}

/* Translations are as @sched_hooks_on and the two sets say */
static void sched_translate_anew(bool sets_changed)
{
    bool on = sched.n_focus || sched.n_locks || sched.markers ||
              sched_plan_on;

    if (sets_changed || on != sched_hooks_on) {
        sched_hooks_on = on;
        tb_flush__exclusive_or_serial();
    }
}

static void sched_keep_text(char **to, const char *text)
{
    g_free(*to);
    *to = g_strdup(text);
}

static char *sched_given(const char *text)
{
    return g_strdup(text ? text : "");
}

static char *get_focus(Object *obj, Error **errp)
{
    return sched_given(sched.focus_text);
}

static void set_focus(Object *obj, const char *text, Error **errp)
{
    g_autofree char *error = NULL;

    if (!sched_stopped(errp)) {
        return;
    }
    if (!sched_set_focus(text, &error)) {
        error_setg(errp, "focus: %s", error);
        return;
    }
    sched_keep_text(&sched.focus_text, text);
    sched_translate_anew(true);
}

static char *get_locks(Object *obj, Error **errp)
{
    return sched_given(sched.locks_text);
}

static void set_locks(Object *obj, const char *text, Error **errp)
{
    g_autofree char *error = NULL;

    if (!sched_stopped(errp)) {
        return;
    }
    if (!sched_set_locks(text, &error)) {
        error_setg(errp, "locks: %s", error);
        return;
    }
    sched_keep_text(&sched.locks_text, text);
    sched_translate_anew(true);
}

static char *get_tasks(Object *obj, Error **errp)
{
    return sched_given(sched.tasks_text);
}

static void set_tasks(Object *obj, const char *text, Error **errp)
{
    uint64_t gs = 0, comm = 0;
    char *end = NULL;

    if (*text) {
        gs = g_ascii_strtoull(text, &end, 16);
        if (end == text || *end != ':') {
            error_setg(errp, "tasks: it is GS-OFFSET:NAME-OFFSET, both "
                       "hexadecimal");
            return;
        }
        comm = g_ascii_strtoull(end + 1, &end, 16);
    }
    sched.gs_offset = gs;
    sched.comm_offset = comm;
    sched.tasks = *text;
    sched_keep_text(&sched.tasks_text, text);
}

static char *get_plan(Object *obj, Error **errp)
{
    return sched_given(sched.text);
}

/* What would let the host decide something */
static bool sched_exact(unsigned int n_cpus, Error **errp)
{
    if (!icount_enabled() || icount_enabled() == ICOUNT_ADAPTATIVE) {
        error_setg(errp, "plan: needs -icount shift=N,sleep=off");
    } else if (!qemu_guest_random_is_seeded()) {
        error_setg(errp, "plan: needs -seed N, for the guest's random numbers");
    } else if (rtc_clock != QEMU_CLOCK_VIRTUAL) {
        error_setg(errp, "plan: needs -rtc clock=vm");
    } else if (n_cpus > SCHED_CPUS_MAX) {
        error_setg(errp, "plan: %u vCPUs, it can do %u", n_cpus,
                   SCHED_CPUS_MAX);
    } else {
        return true;
    }
    return false;
}

static void set_plan(Object *obj, const char *text, Error **errp)
{
    g_autofree SchedPlan *plan = g_new(SchedPlan, 1);
    g_autofree char *error = NULL;
    unsigned int n_cpus = 0;
    CPUState *cpu;

    CPU_FOREACH(cpu) {
        n_cpus++;
    }
    if (!sched_stopped(errp)) {
        return;
    }
    if (!sched_plan_parse(plan, text, n_cpus, &error)) {
        error_setg(errp, "plan: %s", error);
        return;
    }
    if (plan->on && !sched_exact(n_cpus, errp)) {
        return;
    }
    sched_begin(text, plan);
    sched_translate_anew(false);
}

static bool get_markers(Object *obj, Error **errp)
{
    return sched.markers;
}

static void set_markers(Object *obj, bool on, Error **errp)
{
    if (sched_stopped(errp)) {
        sched.markers = on;
        sched_translate_anew(false);
    }
}

static char *get_trace(Object *obj, Error **errp)
{
    return sched_given(sched.trace_path);
}

static void set_trace(Object *obj, const char *text, Error **errp)
{
    g_free(sched.trace_path);
    sched.trace_path = *text ? g_strdup(text) : NULL;
}

static char *get_report(Object *obj, Error **errp)
{
    return sched_report();
}

static void sched_class_init(ObjectClass *oc, const void *data)
{
    static const struct {
        const char *name;
        char *(*get)(Object *, Error **);
        void (*set)(Object *, const char *, Error **);
        const char *what;
    } texts[] = {
        { "focus", get_focus, set_focus,
          "text ranges whose accesses count: LO-HI,... hexadecimal" },
        { "locks", get_locks, set_locks,
          "lock functions: ADDRESS=a|r|t,... (takes, gives, tries)" },
        { "tasks", get_tasks, set_tasks,
          "GS-OFFSET:NAME-OFFSET of the guest's current task, hexadecimal" },
        { "plan", get_plan, set_plan, "the plan; none: off" },
        { "trace", get_trace, set_trace, "file for records; none: no trace" },
        { "report", get_report, NULL, "what has happened, as JSON" },
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(texts); i++) {
        object_class_property_add_str(oc, texts[i].name, texts[i].get,
                                      texts[i].set);
        object_class_property_set_description(oc, texts[i].name,
                                              texts[i].what);
    }
    object_class_property_add_bool(oc, "markers", get_markers, set_markers);
    object_class_property_set_description(oc, "markers",
        "markers stop the machine without a plan, too");
}

static const TypeInfo sched_type = {
    .name = "tcg-sched",
    .parent = TYPE_OBJECT,
    .instance_size = sizeof(Object),
    .class_init = sched_class_init,
};

static void sched_register(void)
{
    type_register_static(&sched_type);
}

type_init(sched_register)

static void sched_state_changed(void *opaque, bool running, RunState state)
{
    if (running) {
        sched.frozen = false;
        if (sched_active()) {
            sched.state = SCHED_STATE_RUNNING;
        }
    }
}

void sched_init(void)
{
    if (sched.log) {
        return;
    }
    sched.log = g_ptr_array_new_with_free_func(g_free);
    sched.notes = g_array_new(false, false, 2 * sizeof(uint64_t));
    sched.made = g_array_new(false, false, sizeof(SchedSlice));
    object_property_add_child(object_get_root(), "sched",
                              object_new("tcg-sched"));
    qemu_add_vm_change_state_handler(sched_state_changed, NULL);
}
