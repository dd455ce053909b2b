/*
 * Race: O-Q
 * Title: a kernel that starts with PRS.PPR set never hears of page requests
 * What: the IOMMU sends a Page Request Event when PPR goes from 0 to 1. A
 *   request that arrives after the panic and before the next kernel has set up
 *   its queue sets PPR, and its event goes to a kernel that is no more.
 *   intel_iommu_enable_prq() of the next kernel writes PQH, PQT and PQA and
 *   leaves PRS as it is: PPR is 1 already, so there is no event any more.
 * Loses: all SVA of the next kernel: page requests wait in the queue for ever,
 *   and so does the release of a PASID (the drain finds head and tail apart).
 * Order: a process is bound, its DMA asks for pages that are not there, and the
 *   requests are on the way (action=delay) while the kernel panics. The kernel
 *   for a panic starts (kdump). A process is bound again: DMA to memory that
 *   has never been touched.
 * Fix: O-Q-fix, a trial: PPR and PRO are cleared at the set-up.
 * Kernels: by reading, all with page requests in VT-d.
 * Sign: unseen
 * Expect: 7.3 yes, 7.3+O-Q-fix+O-U-fix no
 * Needs: CONFIG_KEXEC, CONFIG_CRASH_DUMP
 * @image kernel
 * @qemu -m 768M
 * @append crashkernel=320M
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "nextkernel.h"
#include "race.h"

#define PROGRAM     "races/kdump-prq"
#define LATER_US    300000              /* after the panic */

static void kdump_prq(void)
{
    if (race_boot() == 1) {
        next_load(PROGRAM, true);
        next_requests_out(LATER_US);
        next_panic();
    }
    next_served();
}

RACE_MAIN("kdump-prq", kdump_prq, 120)
