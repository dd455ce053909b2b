/*
 * Race: O-G
 * Title: page requests that reach the queue while the kernel drains it
 * What: a page request that the IOMMU has received, but writes to the queue
 *   only when the drain's wait descriptor (PD=1) is fetched, is handed to iopf
 *   after the kernel has flushed iopf's workqueue and before it lets go of the
 *   PASID. VT-d 7.7 allows just this; PD is there for it.
 * Loses: iommu_sva_unbind_device() frees the group
 *   (iopf_queue_remove_device(), called by blocking_domain_set_dev_pasid())
 *   while its work item is queued or running. With CONFIG_DEBUG_OBJECTS_WORK
 *   that is "ODEBUG: free active", with KASAN a use after free; without either
 *   the workqueue meets an item that is gone (an oops, a broken list), or the
 *   group is answered twice.
 * Order: bind; device sends groups, the IOMMU keeps them back
 *   (prq-hold=until-pd); unbind: the kernel waits for the queue (empty),
 *   flushes the workqueue (empty), submits {wait FN, P_IOTLB, device-TLB, wait
 *   PD}; the PD wait lets the requests into the queue; the wait reports 100 ms
 *   later (wait-delay-us), when the event thread has handed the groups to
 *   iopf; unbind continues while the worker is busy: each group is for a huge
 *   page of its own, which takes long to clear.
 * Fix: none known. O-G-fix is our own trial.
 * Kernels: 7.3.4 has it; by reading, 6.11 and later.
 * Sign: log /ODEBUG: free active .*work_struct/
 * Sign: log /KASAN: .*use-after-free in .*(iopf|iommu|worker)/
 * Sign: log /RIP: .*mayday|list_del corruption/
 * Sign: answered-twice
 * Expect: 7.3 yes, 7.3+O-G-fix no
 * Elsewhere: 7.2 yes, 6.18 yes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hw/i386/vtd-knobs.h"
#include "pt.h"
#include "race.h"

#define GROUPS          64
#define WAIT_DELAY_US   100000
#define HOLD_OFF        0
#define HOLD_UNTIL_PD   2

static void late_request(void)
{
    uint64_t unexpected;
    uint32_t answers;
    struct pt pt;
    uintptr_t base;

    race_cpu(1);
    pt_open_bound(&pt, 0);
    base = (uintptr_t)pt_map_anon((GROUPS + 1) * PT_HUGE);
    base = (base + PT_HUGE - 1) & -PT_HUGE;
    CHECK(!madvise((void *)base, GROUPS * PT_HUGE, MADV_HUGEPAGE), "madvise");
    unexpected = pt_counter(&pt, PT_CNT_RESP_UNEXPECTED);
    answers = pt_rd32(pt.func, PT_RAW_RESP_COUNT);
    race_ready();

    pt_iommu_knob(&pt, VTD_KNOB_PRQ_HOLD, HOLD_UNTIL_PD);
    for (unsigned i = 0; i < GROUPS; i++) {
        struct pt_raw raw = {
            .addr = base + i * PT_HUGE,
            .prgi = i,
            .flags = PT_RAW_WRITE | PT_RAW_LAST,
            .pasid = pt.pasid | PT_RAW_PASID_PRESENT,
        };

        pt_raw_send(&pt, &raw);
    }
    pt_iommu_knob(&pt, VTD_KNOB_WAIT_DELAY, WAIT_DELAY_US);
    pt_unbind(&pt);
    pt_iommu_knob(&pt, VTD_KNOB_WAIT_DELAY, 0);
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_HOLD, HOLD_OFF);
    sleep(3);                           /* for answers of freed groups */

    answers = pt_rd32(pt.func, PT_RAW_RESP_COUNT) - answers;
    unexpected = pt_counter(&pt, PT_CNT_RESP_UNEXPECTED) - unexpected;
    ktap_note("%u groups, %u answered", GROUPS, answers);
    if (unexpected) {
        race_sign("answered-twice", "%llu answers too many",
                  (unsigned long long)unexpected);
    }
}

RACE_MAIN("late-request", late_request, 30)
