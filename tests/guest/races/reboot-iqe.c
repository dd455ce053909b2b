/*
 * Race: O-W
 * Title: a queue error from before a reboot replaces an invalidation after it
 * What: IQE of the Fault Status register keeps its value over a reset that
 *   keeps power (VT-d 11.4.7.1, RW1CS; sticky-on-reset). The kernel hangs with
 *   an error that it does not clear (C-02), panics and reboots. The kernel that
 *   boots next leaves IQE, IQH is 0, as is the index of its first descriptor:
 *   qi_check_fault() takes it for the one that is wrong, puts a wait in its
 *   place and clears IQE. This is kdump-iqe without kdump.
 * Loses: whoever believes that its first invalidation is done, as it never is;
 *   here that of the interrupt entry cache, which has nothing in it after a
 *   reset.
 * Order: a process on CPU 1 unmaps memory, the queue stops at the second
 *   descriptor (inject-iqe=2). The kernel panics on CPU 0 and reboots
 *   (panic=1).
 * Fix: O-W-fix, a trial: the three bits are cleared where the queue is set up.
 * Kernels: 7.3.4.
 * Sign: error-left
 * Expect: 7.3 yes, 7.3+O-W-fix no
 * @iommu sticky-on-reset=on
 * @qemu -action reboot=reset
 * @append panic=1
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "nextkernel.h"
#include "race.h"

static void reboot_iqe(void)
{
    if (race_boot() == 1) {
        next_queue_stopped();
        next_panic();
    }
    next_error_left("Invalidation Queue Error");
}

RACE_MAIN("reboot-iqe", reboot_iqe, 120)
