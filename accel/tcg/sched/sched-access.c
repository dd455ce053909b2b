/*
 * The schedule machine: accesses of code in focus, operations on locks
 *
 * The translator asks for each instruction whether it is in focus; one that is
 * has a block of its own and tells of each load and store that it has done.  So
 * the turn can end right behind it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "exec/helper-proto-common.h"
#include "exec/memop.h"
#include "exec/target_page.h"
#include "sched-internal.h"

static const SchedTarget *sched_target;

void sched_set_target(const SchedTarget *target)
{
    sched_target = target;
}

/* -- The two sets ---------------------------------------------------------- */

static int sched_compare_ranges(const void *a, const void *b)
{
    const SchedRange *x = a, *y = b;

    return x->lo < y->lo ? -1 : x->lo > y->lo;
}

static int sched_compare_locks(const void *a, const void *b)
{
    const SchedLock *x = a, *y = b;

    return x->pc < y->pc ? -1 : x->pc > y->pc;
}

static bool sched_parse_range(const char *text, SchedRange *range)
{
    char *end;

    range->lo = g_ascii_strtoull(text, &end, 16);
    if (end == text || *end != '-') {
        return false;
    }
    text = end + 1;
    range->hi = g_ascii_strtoull(text, &end, 16);
    return end != text && !*end && range->lo < range->hi;
}

static bool sched_parse_lock(const char *text, SchedLock *lock)
{
    char *end;

    lock->pc = g_ascii_strtoull(text, &end, 16);
    if (end == text || *end != '=' || !end[1] || end[2]) {
        return false;
    }
    lock->what = end[1];
    return strchr("art", lock->what);
}

bool sched_set_focus(const char *text, char **error)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    g_autofree SchedRange *focus = g_new(SchedRange, SCHED_RANGES_MAX);
    unsigned int n = 0, merged = 0;

    for (char **word = words; *word; word++) {
        if (n == SCHED_RANGES_MAX) {
            *error = g_strdup_printf("more than %u ranges", n);
            return false;
        }
        if (!sched_parse_range(*word, &focus[n++])) {
            *error = g_strdup_printf("%s: a range is FIRST-BEHIND, both "
                                     "hexadecimal", *word);
            return false;
        }
    }
    qsort(focus, n, sizeof(focus[0]), sched_compare_ranges);
    for (unsigned int i = 0; i < n; i++) {
        if (merged && focus[i].lo <= focus[merged - 1].hi) {
            focus[merged - 1].hi = MAX(focus[merged - 1].hi, focus[i].hi);
        } else {
            focus[merged++] = focus[i];
        }
    }
    memcpy(sched.focus, focus, merged * sizeof(focus[0]));
    sched.n_focus = merged;
    return true;
}

bool sched_set_locks(const char *text, char **error)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    g_autofree SchedLock *locks = g_new(SchedLock, SCHED_LOCKS_MAX);
    unsigned int n = 0;

    for (char **word = words; *word; word++) {
        if (n == SCHED_LOCKS_MAX) {
            *error = g_strdup_printf("more than %u functions", n);
            return false;
        }
        if (!sched_parse_lock(*word, &locks[n++])) {
            *error = g_strdup_printf("%s: a function is ADDRESS=a, =r or =t, "
                                     "the address hexadecimal", *word);
            return false;
        }
    }
    qsort(locks, n, sizeof(locks[0]), sched_compare_locks);
    memcpy(sched.locks, locks, n * sizeof(locks[0]));
    sched.n_locks = n;
    return true;
}

bool sched_in_focus(vaddr pc)
{
    unsigned int lo = 0, hi = sched.n_focus;

    while (lo < hi) {
        unsigned int mid = (lo + hi) / 2;

        if (pc < sched.focus[mid].lo) {
            hi = mid;
        } else if (pc >= sched.focus[mid].hi) {
            lo = mid + 1;
        } else {
            return true;
        }
    }
    return false;
}

static const SchedLock *sched_lock_at(vaddr pc)
{
    SchedLock key = { .pc = pc };

    return bsearch(&key, sched.locks, sched.n_locks, sizeof(key),
                   sched_compare_locks);
}

bool sched_is_lock(vaddr pc)
{
    return sched.n_locks && sched_lock_at(pc);
}

/* -- Helpers of translated code -------------------------------------------- */

static uint64_t sched_phys(CPUState *cpu, vaddr addr)
{
    MemTxAttrs attrs;
    hwaddr page = cpu_get_phys_page_attrs_debug(cpu, addr & TARGET_PAGE_MASK,
                                                &attrs);

    return page == -1 ? UINT64_MAX : page | (addr & ~TARGET_PAGE_MASK);
}

void HELPER(sched_access)(CPUArchState *env, uint64_t addr, uint64_t value,
                          uint64_t pc, uint32_t info)
{
    CPUState *cpu = current_cpu;
    unsigned int v = cpu->cpu_index;
    bool write = info & 1;
    SchedHit facts = {
        .cpu = v, .pc = pc, .addr = addr, .size = 1u << (info >> 1),
        .write = write,
    };

    if (!sched.in_turn || !sched_target->counts(cpu, addr)) {
        return;
    }
    facts.n = ++sched.cpu[v].accesses;
    sched.accesses++;
    value = sched_hash_value(value);
    sched_mix(pc);
    sched_mix((addr << 8) ^ (v << 1) ^ write);
    sched_mix(value);
    if (sched.trace) {
        SchedRecord record = {
            .pc = pc, .addr = addr, .phys = sched_phys(cpu, addr),
            .value = value, .n = facts.n, .actor = v,
            .kind = SCHED_RECORD_ACCESS, .what = facts.size,
            .flags = write ? SCHED_RECORD_WRITE : 0,
        };

        sched_record(&record);
    }
    sched_point_reached(SCHED_POINT_ACCESS, v, facts.n, &facts);
}

void HELPER(sched_lock)(CPUArchState *env, uint64_t pc)
{
    CPUState *cpu = current_cpu;
    unsigned int v = cpu->cpu_index;
    const SchedLock *lock = sched_lock_at(pc);
    SchedHit facts = { .cpu = v, .pc = pc };
    SchedRecord record = {
        .actor = v, .kind = SCHED_RECORD_LOCK, .phys = UINT64_MAX,
    };
    bool called;

    if (!sched.in_turn || !lock) {
        return;
    }
    sched.looking = true;
    called = sched_target->call(cpu, &record.addr, &record.pc);
    sched.looking = false;
    if (!called || !sched_in_focus(record.pc)) {
        return;
    }
    facts.n = record.n = ++sched.cpu[v].locks;
    facts.addr = record.addr;
    record.what = lock->what;
    sched_mix(record.pc);
    sched_mix((record.addr << 8) ^ lock->what);
    sched_record(&record);
    sched_point_reached(SCHED_POINT_LOCK, v, facts.n, &facts);
}

uint64_t sched_task(char comm[17])
{
    CPUState *cpu = current_cpu;
    uint64_t at = sched_target->base(cpu) + sched.gs_offset, task = 0;
    bool known;

    memset(comm, 0, 17);
    sched.looking = true;
    known = sched.tasks && !cpu_memory_rw_debug(cpu, at, &task, 8, false) &&
            !cpu_memory_rw_debug(cpu, task + sched.comm_offset, comm, 16,
                                 false);
    sched.looking = false;
    return known ? le64_to_cpu(task) : 0;
}
