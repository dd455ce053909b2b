/*
 * Race: C-13
 * Title: SVA on a function that has no PRI
 * What: a function without Page Request Interface can use SVA for memory that
 *   is there. The bind did not count it as a user of page faults, the unbind
 *   did.
 * Loses: nobody; a warning at each unbind, which is fatal with panic_on_warn.
 *   6.16 to 6.19 refused the bind altogether.
 * Order: a function without PRI (pri=off); bind; unbind.
 * Fix: 39c20c4e83b9 "iommu/vt-d: Only handle IOPF for SVA when PRI is
 *   supported" (7.0) and 534b5f98ab73 "iommu/vt-d: Avoid WARNING in sva
 *   unbind path" (7.2). C-13 puts the second bug back.
 * Kernels: 7.0 and 7.1.
 * Sign: log /WARNING: .*intel_iommu_disable_iopf/
 * Sign: log /WARNING: drivers.iommu.intel.iommu\.c/
 * Expect: 7.3 no, 7.3+C-13 yes
 * Elsewhere: 7.2 no, 7.1.3 yes, 6.12.57 no
 *
 * @device pri=off
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>

#include "pt.h"
#include "race.h"

static void sva_without_pri(void)
{
    struct pt pt;

    pt_open(&pt, 0);
    race_ready();

    pt_bind(&pt);
    pt_unbind(&pt);
}

RACE_MAIN("sva-without-pri", sva_without_pri, 20)
