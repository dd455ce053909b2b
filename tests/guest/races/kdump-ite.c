/*
 * Race: O-W
 * Title: a time-out of the kernel before ends an invalidation of the next
 *   one
 * What: an invalidation times out after the panic, and nobody is left who
 *   clears ITE. dmar_fault() clears PPF, PFO and PRO and leaves the errors
 *   of the invalidation queue, and dmar_disable_qi() and dmar_enable_qi()
 *   do not look at them. So the next kernel's queue stands still until its
 *   first invalidation is waited for. qi_check_fault() finds ITE, with a
 *   requester that is no device yet, and gives up the wait (ETIMEDOUT).
 * Loses: whoever believes that its first invalidation is done; here that of
 *   the interrupt entry cache, for the table that is copied. It is done a
 *   moment later, once ITE is clear.
 * Order: a process on CPU 1 unmaps memory, the function loses the
 *   invalidation (inv-reply=drop, one). The kernel panics on CPU 0, the
 *   time-out comes 500 ms later. The kernel for a panic starts (kdump).
 * Fix: O-W-fix, a trial: the three bits are cleared where the queue is set
 *   up.
 * Kernels: 7.3.4.
 * Sign: error-left
 * Expect: 7.3 yes, 7.3+O-W-fix no
 * Needs: CONFIG_KEXEC, CONFIG_CRASH_DUMP
 * @image kernel
 * @iommu ite-timeout-ms=500
 * @qemu -m 768M
 * @append crashkernel=320M
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "nextkernel.h"
#include "race.h"

#define PROGRAM     "races/kdump-ite"

static void kdump_ite(void)
{
    if (race_boot() == 1) {
        next_load(PROGRAM, true);
        next_invalidation_out(false);
        next_panic();
    }
    next_error_left("Invalidation Time-out Error");
}

RACE_MAIN("kdump-ite", kdump_ite, 120)
