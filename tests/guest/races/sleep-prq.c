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

#include "owner.h"
#include "race.h"
#include "sleep.h"

#define ANSWER_MS   10000

static void sleep_prq(void)
{
    struct sleep_regs before;
    struct owner a;
    struct pt pt;
    bool same;

    pt_open(&pt, 0);
    owner_start(&a, 0);
    CHECK_EQ(owner_do(&a, OWNER_WRITE), PT_ST_DONE, "the write before");
    sleep_regs(&before);
    race_ready();

    sleep_to_ram();
    ktap_note("awake");
    same = sleep_regs_same(&before);
    if (!owner_served(&a, ANSWER_MS)) {
        race_sign("unseen", "after %u ms the function has %u groups that "
                  "nobody has answered", ANSWER_MS,
                  pt_rd32(pt.func, PT_PRI_GROUPS));
    }
    if (!same) {
        race_sign("registers", "the queue is not what it was");
    }
}

RACE_MAIN("sleep-prq", sleep_prq, 40)
