/*
 * Race: C-08
 * Title: unbind with groups that are being handled
 * What: before the fix the device left the iopf queue, which frees all
 *   groups, before the PASID was torn down and its requests were drained.
 *   Groups whose work is queued or running were freed.
 * Loses: iommu_sva_handle_iopf(), which works on a freed group.
 * Order: bind; device sends groups, each for a huge page, which takes long to
 *   clear; unbind while the workers are busy.
 * Fix: f0b9d31c6edd "iommu/vt-d: Fix UAF on sva unbind with pending IOPFs"
 *   (6.16.1, CVE-2025-38594). C-08 puts the bug back.
 * Kernels: 6.16.0.
 * Sign: log /ODEBUG: free active .*work_struct/
 * Sign: log /KASAN: .*use-after-free in .*(iopf|iommu|worker)/
 * Sign: answered-twice
 * Expect: 7.3 no, 7.3+C-08 yes
 * Elsewhere: 7.2 no, 6.18 no
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pt.h"
#include "race.h"

#define GROUPS  32

static void unbind_pending(void)
{
    uint64_t unexpected;
    uint32_t answers;
    uintptr_t base;
    struct pt pt;

    race_cpu(1);
    pt_open_bound(&pt, 0);
    base = (uintptr_t)pt_map_anon((GROUPS + 1) * PT_HUGE);
    base = (base + PT_HUGE - 1) & -PT_HUGE;
    CHECK(!madvise((void *)base, GROUPS * PT_HUGE, MADV_HUGEPAGE), "madvise");
    unexpected = pt_counter(&pt, PT_CNT_RESP_UNEXPECTED);
    answers = pt_rd32(pt.func, PT_RAW_RESP_COUNT);
    race_ready();

    for (unsigned i = 0; i < GROUPS; i++) {
        struct pt_raw raw = {
            .addr = base + i * PT_HUGE,
            .prgi = i,
            .flags = PT_RAW_WRITE | PT_RAW_LAST,
            .pasid = pt.pasid | PT_RAW_PASID_PRESENT,
        };

        pt_raw_send(&pt, &raw);
    }
    while (pt_rd32(pt.func, PT_RAW_RESP_COUNT) == answers) {
        continue;                       /* until the workers are at it */
    }
    pt_unbind(&pt);
    pt_sleep_ms(500);

    answers = pt_rd32(pt.func, PT_RAW_RESP_COUNT) - answers;
    unexpected = pt_counter(&pt, PT_CNT_RESP_UNEXPECTED) - unexpected;
    ktap_note("%u groups, %u answered", GROUPS, answers);
    CHECK_EQ(answers, GROUPS, "groups answered");
    if (unexpected) {
        race_sign("answered-twice", "%llu answers too many",
                  (unsigned long long)unexpected);
    }
}

RACE_MAIN("unbind-pending", unbind_pending, 20)
