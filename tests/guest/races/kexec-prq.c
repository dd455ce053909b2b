/*
 * Race: O-Q
 * Title: kexec while page requests are under way
 * What: device_shutdown() leaves ATS and PRI of a function as they are, unless
 *   its driver does something about it, and groups that it waits for stay
 *   outstanding. intel_iommu_shutdown() turns translation off and leaves the
 *   page request queue; a request that comes then is dropped. The next kernel
 *   has to make of all that a function that works. It does: pci_reset_pri()
 *   forgets the groups, the queue is set up with head and tail 0, and PRS is
 *   clear, as the old kernel served its events to the end. kdump-prq is about
 *   the kernel that could not.
 * Loses: nobody.
 * Order: a process is bound, its DMA asks for pages that are not there, and the
 *   requests are on the way (action=delay) while the next kernel is started.
 *   There a process is bound again: DMA to memory that has never been touched.
 * Fix: none needed.
 * Kernels: 7.3.4.
 * Sign: unseen
 * Expect: 7.3 no
 * Needs: CONFIG_KEXEC
 * @image kernel
 * @qemu -m 640M
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "nextkernel.h"
#include "race.h"

#define PROGRAM     "races/kexec-prq"
#define LATER_US    300000              /* translation is off by then */

static void kexec_prq(void)
{
    if (race_boot() == 1) {
        next_load(PROGRAM, false);
        next_requests_out(LATER_US);
        next_start();
    }
    next_served();
}

RACE_MAIN("kexec-prq", kexec_prq, 120)
