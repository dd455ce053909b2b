/*
 * Race: S-02
 * Title: a request that came in during the drain reaches the PASID's next owner
 * What: a request that the IOMMU writes to the queue when it fetches the
 *   drain's wait descriptor (PD=1; VT-d 7.7 has it so) is in the queue when the
 *   drain is over: intel_iommu_drain_pasid_prq() looks at the queue before, and
 *   not after. Until the event comes the unbind is back, the process has ended,
 *   and another one has the PASID.
 * Loses: that process. The request is handled on its address space, and the
 *   device is told Success.
 * Order: A is bound; groups that the IOMMU keeps back (prq-hold=until-pd); A
 *   unbinds and ends, the event is held (prq-irq-hold); B gets the PASID, with
 *   memory at the same address; the event.
 * Fix: none known. O-G-fix is our own trial.
 * Kernels: 7.3.4; by reading, 6.11 and later.
 * Sign: next-owner
 * Expect: 7.3 yes, 7.3+O-G-fix no
 * Elsewhere: 7.2 yes, 6.18 yes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>

#include "hw/i386/vtd-knobs.h"
#include "owner.h"
#include "race.h"

#define GROUPS          4
#define UNBIND_MS       1000
#define ANSWER_MS       300
#define HOLD_OFF        0
#define HOLD_UNTIL_PD   2

static void reuse_late(void)
{
    struct owner a, b, other;
    uint64_t success;
    uint32_t present;
    struct pt pt;

    race_cpu(1);
    pt_open(&pt, 0);
    owner_start(&other, 0);
    owner_start(&a, 0);
    race_ready();

    pt_iommu_knob(&pt, VTD_KNOB_PRQ_HOLD, HOLD_UNTIL_PD);
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_IRQ_HOLD, 1);
    for (unsigned i = 0; i < GROUPS; i++) {
        owner_send(&pt, &a, i, PT_RAW_WRITE | PT_RAW_LAST, i);
    }
    owner_tell(&a, OWNER_UNBIND);
    if (!owner_done(&a, UNBIND_MS, NULL)) {
        /* It waits for them, as it should: help it */
        pt_iommu_knob(&pt, VTD_KNOB_PRQ_IRQ_HOLD, 0);
        CHECK(owner_done(&a, PT_TIMEOUT, NULL), "the unbind does not return");
    }
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_HOLD, HOLD_OFF);
    owner_end(&a);

    owner_start_as(&b, 0, a.pasid);
    success = pt_counter(&pt, PT_CNT_RESP_SUCCESS);
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_IRQ_HOLD, 0);
    pt_sleep_ms(ANSWER_MS);
    success = pt_counter(&pt, PT_CNT_RESP_SUCCESS) - success;
    present = owner_do(&b, OWNER_PRESENT);
    if (present || success) {
        race_sign("next-owner", "pages 0x%x of PASID %u are there, and %llu "
                  "answers Success: for requests of the owner before", present,
                  b.pasid, (unsigned long long)success);
    }
    CHECK_EQ(owner_do(&b, OWNER_WRITE), PT_ST_DONE, "status");
}

RACE_MAIN("reuse-late", reuse_late, 40)
