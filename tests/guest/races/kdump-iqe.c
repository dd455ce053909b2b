/*
 * Race: O-W
 * Title: a queue error of the kernel before replaces an invalidation of the
 *   next one
 * What: the kernel hangs with an Invalidation Queue Error that it does not
 *   clear (C-02), which is a reason to panic. dmar_fault() clears PPF, PFO
 *   and PRO and leaves the errors of the invalidation queue, and
 *   dmar_disable_qi() and dmar_enable_qi() do not look at them. IQE is set,
 *   IQH is 0, as is the index of the first descriptor of the next kernel:
 *   qi_check_fault() takes it for the one that is wrong, puts a wait in its
 *   place and clears IQE.
 * Loses: whoever believes that its first invalidation is done, as it never
 *   is; here that of the interrupt entry cache, for the table that is
 *   copied. And time: dmar_disable_qi() waits ten seconds, with interrupts
 *   off, for descriptors that nobody fetches.
 * Order: a process on CPU 1 unmaps memory, the queue stops at the second
 *   descriptor (inject-iqe=2). The kernel panics on CPU 0. The kernel for a
 *   panic starts (kdump).
 * Fix: O-W-fix, a trial: the three bits are cleared where the queue is set
 *   up.
 * Kernels: 7.3.4.
 * Sign: error-left
 * Expect: 7.3 yes, 7.3+O-W-fix no
 * Needs: CONFIG_KEXEC, CONFIG_CRASH_DUMP
 * @image kernel
 * @qemu -m 768M
 * @append crashkernel=320M
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "nextkernel.h"
#include "race.h"

#define PROGRAM     "races/kdump-iqe"

static void kdump_iqe(void)
{
    if (race_boot() == 1) {
        next_load(PROGRAM, true);
        next_queue_stopped();
        next_panic();
    }
    next_error_left("Invalidation Queue Error");
}

RACE_MAIN("kdump-iqe", kdump_iqe, 120)
