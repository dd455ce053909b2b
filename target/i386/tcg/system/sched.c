/*
 * What the schedule machine wants to know of an x86 vCPU
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/module.h"
#include "cpu.h"
#include "accel/tcg/sched.h"

/* Linux's stacks are so large with KASAN, and lie at a multiple of it */
#define STACK_SIZE      0x8000ull

/* KASAN's shadow with 4-level paging: Linux, arch/x86/x86_64/mm.rst */
#define KASAN_FIRST     0xffffec0000000000ull
#define KASAN_BEHIND    0xfffffc0000000000ull

/*
 * Nobody else looks at the stack that a CPU is on; user memory and the shadow
 * are not what the code in focus works with.  In 64-bit mode the kernel has
 * the upper half of the addresses.
 */
static bool x86_sched_counts(CPUState *cpu, vaddr addr)
{
    CPUX86State *env = cpu_env(cpu);

    if (env->hflags & HF_LMA_MASK &&
        ((int64_t)addr >= 0 || (addr >= KASAN_FIRST && addr < KASAN_BEHIND))) {
        return false;
    }
    return (addr ^ env->regs[R_ESP]) & ~(STACK_SIZE - 1);
}

/* System V ABI: the first argument is in RDI */
static bool x86_sched_call(CPUState *cpu, uint64_t *arg, uint64_t *ret)
{
    CPUX86State *env = cpu_env(cpu);
    uint64_t value;

    if (!(env->hflags & HF_LMA_MASK) ||
        cpu_memory_rw_debug(cpu, env->regs[R_ESP], &value, 8, false)) {
        return false;
    }
    *arg = env->regs[R_EDI];
    *ret = le64_to_cpu(value);
    return true;
}

static uint64_t x86_sched_base(CPUState *cpu)
{
    return cpu_env(cpu)->segs[R_GS].base;
}

static const SchedTarget x86_sched = {
    .counts = x86_sched_counts,
    .call = x86_sched_call,
    .base = x86_sched_base,
};

static void x86_sched_register(void)
{
    sched_set_target(&x86_sched);
}

type_init(x86_sched_register)
