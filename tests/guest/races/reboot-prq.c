/*
 * Race: O-Q
 * Title: after a panic and a reboot nobody hears of page requests
 * What: PPR of the Page Request Status register keeps its value over a reset
 *   that keeps power (VT-d 11.2, RW1CS; sticky-on-reset). A kernel that panics
 *   handles no event any more; a request that comes then sets PPR. The kernel
 *   that boots next leaves PRS as it is, and the IOMMU sends an event only when
 *   PPR goes from 0 to 1: kdump-prq without kdump.
 * Loses: all SVA, until the machine is switched off.
 * Order: a process is bound, its DMA asks for pages that are not there, and the
 *   requests are on the way (action=delay) while the kernel panics. It reboots
 *   a second later (panic=1). A process is bound again: DMA to memory that has
 *   never been touched.
 * Fix: O-Q-fix, a trial: PPR and PRO are cleared at the set-up.
 * Kernels: by reading, all with page requests in VT-d.
 * Sign: unseen
 * Expect: 7.3 yes, 7.3+O-Q-fix no
 * @iommu sticky-on-reset=on
 * @qemu -action reboot=reset
 * @append panic=1
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "nextkernel.h"
#include "race.h"

#define LATER_US    300000              /* after the panic */

static void reboot_prq(void)
{
    if (race_boot() == 1) {
        next_requests_out(LATER_US);
        next_panic();
    }
    next_served();
}

RACE_MAIN("reboot-prq", reboot_prq, 120)
