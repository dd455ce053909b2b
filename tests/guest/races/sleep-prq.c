/*
 * Race: O-P
 * Title: the page request queue is not there after the machine slept
 * What: in S3 the IOMMU loses its registers. iommu_resume() sets up the root
 *   table, translation, the invalidation queue and fault events again, and
 *   leaves out the page request queue: PQA, and address and data of its event.
 *   The core restores PRI of every function, which asks for pages that nobody
 *   will see.
 * Loses: every DMA of an SVA process that meets a page that is not there: it
 *   waits for ever. Releasing the PASID waits, too, as the drain finds head and
 *   tail of the queue apart. The entries go to address 0.
 * Order: a process is bound, and its DMA works. The machine sleeps and is
 *   woken. DMA to memory that has never been touched.
 * Fix: O-P-fix, a trial: the queue again as it was.
 * Kernels: by reading, all with page requests in VT-d.
 * Sign: unseen
 * Sign: registers
 * Expect: 7.3 yes, 7.3+O-P-fix no
 * Needs: CONFIG_SUSPEND
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "race.h"
#include "sleep.h"

static void sleep_prq(void)
{
    sleep_race(sleep_to_ram);
}

RACE_MAIN("sleep-prq", sleep_prq, 40)
