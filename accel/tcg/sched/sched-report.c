/*
 * The schedule machine: what has happened
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "qobject/qstring.h"
#include "qobject/qjson.h"
#include "exec/cpu-common.h"
#include "system/cpus.h"
#include "system/physmem.h"
#include "sched-internal.h"

void sched_mix(uint64_t x)
{
    sched.hash = (sched.hash ^ x) * 0x100000001b3ull;
    sched.hash ^= sched.hash >> 29;
}

uint64_t sched_hash_value(uint64_t x)
{
    x *= 0x9e3779b97f4a7c15ull;
    return x ^ (x >> 32);
}

void sched_log(const char *fmt, ...)
{
    va_list ap;

    if (sched.log->len < SCHED_LOG_MAX) {
        va_start(ap, fmt);
        g_ptr_array_add(sched.log, g_strdup_vprintf(fmt, ap));
        va_end(ap);
    }
}

/* -- Trace ----------------------------------------------------------------- */

/* A device reads or writes RAM; whatever event happens it is part of */
static void sched_device_access(ram_addr_t addr, uint64_t len, bool write)
{
    SchedRecord record = {
        .actor = SCHED_ACTOR_DEVICE, .kind = SCHED_RECORD_DEVICE,
        .phys = addr, .size = len, .n = sched.event_n,
        .what = sched.event_kind, .flags = write ? SCHED_RECORD_WRITE : 0,
    };

    if (qemu_in_vcpu_thread() && !sched.looking) {
        sched_record(&record);
    }
}

void sched_trace_begin(void)
{
    if (sched.trace) {
        fclose(sched.trace);
        sched.trace = NULL;
    }
    sched.records = 0;
    sched.switched = false;
    if (sched.plan.on && sched.trace_path) {
        sched.trace = fopen(sched.trace_path, "wb");
        if (!sched.trace) {
            sched_log("trace %s: %s", sched.trace_path, strerror(errno));
        }
    }
    physmem_dma_watch = sched.trace ? sched_device_access : NULL;
}

void sched_trace_flush(void)
{
    if (sched.trace && fflush(sched.trace)) {
        sched_log("trace %s: %s", sched.trace_path, strerror(errno));
    }
}

static void sched_write(SchedRecord *record, uint64_t now)
{
    char comm[17];

    record->icount = cpu_to_le64(now);
    record->task = cpu_to_le64(current_cpu ? sched_task(comm) : 0);
    record->pc = cpu_to_le64(record->pc);
    record->addr = cpu_to_le64(record->addr);
    record->phys = cpu_to_le64(record->phys);
    record->value = cpu_to_le64(record->value);
    record->n = cpu_to_le32(record->n);
    record->size = cpu_to_le64(record->size);
    sched.records += fwrite(record, sizeof(*record), 1, sched.trace);
}

/*
 * vCPUs that wait take turns at each PAUSE, for as long as the run may last: of
 * switches without anything in between the last one is written.
 */
void sched_record(SchedRecord *record)
{
    if (!sched.trace) {
        return;
    }
    if (record->kind == SCHED_RECORD_SWITCH) {
        sched.switched = true;
        sched.switch_at = sched_now();
        return;
    }
    if (sched.switched) {
        SchedRecord last = {
            .actor = sched.current, .kind = SCHED_RECORD_SWITCH,
            .phys = UINT64_MAX,
        };

        sched.switched = false;
        sched_write(&last, sched.switch_at);
    }
    sched_write(record, sched_now());
}

/* -- Report ---------------------------------------------------------------- */

static void put_hex(QDict *to, const char *key, uint64_t value)
{
    g_autofree char *text = g_strdup_printf("%" PRIx64, value);

    qdict_put_str(to, key, text);
}

static QDict *report_cpu(unsigned int v)
{
    QDict *d = qdict_new();

    qdict_put_int(d, "instructions", sched.cpu[v].insns);
    qdict_put_int(d, "accesses", sched.cpu[v].accesses);
    qdict_put_int(d, "locks", sched.cpu[v].locks);
    qdict_put_int(d, "switches", sched.cpu[v].switches);
    return d;
}

static QDict *report_point(unsigned int i)
{
    const SchedChange *change = &sched.plan.change[i];
    const SchedHit *hit = &sched.hit[i];
    g_autoptr(GString) word = g_string_new("at=");
    QDict *d = qdict_new();

    sched_point_print(word, &change->at);
    if (change->first >= 0) {
        g_string_append_printf(word, ">%x", change->first);
    }
    qdict_put_str(d, "word", word->str);
    qdict_put_bool(d, "done", hit->done);
    if (hit->done) {
        qdict_put_int(d, "cpu", hit->cpu);
        qdict_put_int(d, "n", change->at.n);
        put_hex(d, "pc", hit->pc);
        put_hex(d, "addr", hit->addr);
        qdict_put_int(d, "size", hit->size);
        qdict_put_bool(d, "write", hit->write);
        qdict_put_int(d, "instructions", hit->insns);
        qdict_put_str(d, "task", hit->comm);
        put_hex(d, "task-id", hit->task);
    }
    return d;
}

static QList *report_notes(void)
{
    QList *list = qlist_new();

    for (unsigned int i = 0; i < sched.notes->len; i++) {
        const uint64_t *note = (const uint64_t *)sched.notes->data + 2 * i;
        QList *pair = qlist_new();

        qlist_append_int(pair, note[0]);
        qlist_append_int(pair, note[1]);
        qlist_append(list, pair);
    }
    return list;
}

/* What `rand` made, as the words of a plan have it */
static QList *report_made(void)
{
    QList *list = qlist_new();

    for (unsigned int i = 0; i < sched.made->len; i++) {
        const SchedSlice *slice = &g_array_index(sched.made, SchedSlice, i);
        g_autoptr(GString) text = g_string_new("");

        sched_slice_print(text, slice, sched.n_cpus);
        qlist_append_str(list, text->str);
    }
    return list;
}

static QDict *report_events(void)
{
    QDict *all = qdict_new();

    for (unsigned int kind = 0; kind < ATS_EVENT_KIND_NR; kind++) {
        const SchedEvents *e = sched_events(kind);
        QDict *d = qdict_new();

        qdict_put_int(d, "sent", e->sent);
        qdict_put_int(d, "held", e->held);
        qdict_put_int(d, "delivered", e->delivered);
        qdict_put(all, sched_event_name(kind), d);
    }
    return all;
}

static void report_lists(QDict *d)
{
    QList *cpus = qlist_new(), *points = qlist_new(), *log = qlist_new();

    for (unsigned int v = 0; v < sched.n_cpus; v++) {
        qlist_append(cpus, report_cpu(v));
    }
    for (unsigned int i = 0; i < sched.plan.n_changes; i++) {
        qlist_append(points, report_point(i));
    }
    for (unsigned int i = 0; i < sched.log->len; i++) {
        qlist_append_str(log, g_ptr_array_index(sched.log, i));
    }
    qdict_put(d, "cpus", cpus);
    qdict_put(d, "events", report_events());
    qdict_put(d, "points", points);
    qdict_put(d, "notes", report_notes());
    qdict_put(d, "made", report_made());
    qdict_put(d, "log", log);
}

char *sched_report(void)
{
    static const char *const states[] = {
        [SCHED_STATE_OFF] = "off",
        [SCHED_STATE_RUNNING] = "running",
        [SCHED_STATE_READY] = "ready",
        [SCHED_STATE_END] = "end",
        [SCHED_STATE_LIMIT] = "limit",
    };
    g_autofree char *hash = g_strdup_printf("%016" PRIx64, sched.hash);
    QDict *d = qdict_new();
    GString *text;

    sched_trace_flush();
    qdict_put_str(d, "plan", sched.text ? sched.text : "");
    qdict_put_str(d, "state", states[sched.state]);
    qdict_put_int(d, "instructions", sched_now());
    qdict_put_str(d, "hash", hash);
    qdict_put_int(d, "switches", sched.switches);
    qdict_put_int(d, "slices", sched.slices);
    qdict_put_int(d, "pauses", sched.pauses);
    qdict_put_int(d, "accesses", sched.accesses);
    qdict_put_int(d, "records", sched.records);
    report_lists(d);
    text = qobject_to_json_pretty(QOBJECT(d), false);
    qobject_unref(d);
    return g_string_free(text, false);
}
