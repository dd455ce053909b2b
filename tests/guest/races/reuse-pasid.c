/*
 * Race: S-02
 * Title: a PASID has its next owner at once
 * What: a process unbinds and ends, the next one gets its PASID. No request of
 *   the old owner faults pages into the new address space, and no response to
 *   the old owner releases DMA of the new one: all of them were sent before the
 *   unbind returned (VT-d 7.9 to 7.11), even those for groups that the device
 *   itself has forgotten, whose indices it uses again.
 * Loses: the next owner.
 * Order: A writes with groups of four pages, the event is held (prq-irq-hold);
 *   a device-specific reset: the device forgets; A unbinds, which waits; the
 *   event; A ends. B gets the PASID and writes to the same addresses, with the
 *   lowest group indices again (prgi-policy=immediate).
 * Fix: none needed. S-01 is a kernel that does not drain.
 * Kernels: all; by reading.
 * Sign: not-drained
 * Sign: late-response
 * Sign: mistaken
 * Sign: next-owner
 * Expect: 7.3 no, 7.3+S-01 yes
 * Elsewhere: 7.2 no, 6.18 no
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>

#include "hw/i386/vtd-knobs.h"
#include "hw/misc/pri-testdev-knobs.h"
#include "owner.h"
#include "race.h"

#define GROUPS      4
#define IMMEDIATE   2               /* prgi-policy */
#define UNBIND_MS   300
#define W_LAST      (PT_RAW_WRITE | PT_RAW_LAST)

static void reuse_pasid(void)
{
    uint64_t sent, stale;
    uint32_t present;
    struct owner a, b;
    struct pt pt;

    race_cpu(1);
    pt_open(&pt, 0);
    pt_knob(&pt, PT_KNOB_PRGI_POLICY, IMMEDIATE);
    owner_start(&a, 0);
    race_ready();

    pt_wr32(pt.func, PT_CTRL, PT_CTRL_CLEAR_COUNTERS);
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_IRQ_HOLD, 1);
    sent = owner_start_asking(&pt, &a);
    pt_wr32(pt.func, PT_SOFT_RESET, PT_SOFT_RESET_ALL);
    CHECK_EQ(pt_rd32(pt.func, PT_PRI_GROUPS), 0, "groups after the reset");
    owner_tell(&a, OWNER_UNBIND);
    if (owner_done(&a, UNBIND_MS, NULL)) {
        race_sign("not-drained", "the unbind did not wait for the queue");
        pt_iommu_knob(&pt, VTD_KNOB_PRQ_IRQ_HOLD, 0);
    } else {
        pt_iommu_knob(&pt, VTD_KNOB_PRQ_IRQ_HOLD, 0);
        CHECK(owner_done(&a, PT_TIMEOUT, NULL), "the unbind does not return");
    }
    stale = pt_counter(&pt, PT_CNT_RESP_STALE);
    ktap_note("%llu groups forgotten, %llu responses",
              (unsigned long long)sent, (unsigned long long)stale);
    if (stale != sent) {
        race_sign("late-response", "%llu of %llu responses have come when the "
                  "unbind is back", (unsigned long long)stale,
                  (unsigned long long)sent);
    }
    owner_end(&a);

    owner_start_as(&b, 0, a.pasid);
    CHECK_EQ(owner_do(&b, OWNER_WRITE), PT_ST_DONE, "status");
    present = owner_do(&b, OWNER_PRESENT);
    if (present) {
        race_sign("next-owner", "pages 0x%x of PASID %u are there, which "
                  "nobody asked for", present, b.pasid);
    }
    if (pt_counter(&pt, PT_CNT_RESP_MISTAKEN)) {
        race_sign("mistaken", "%llu groups were ended by a response to the "
                  "owner before", (unsigned long long)
                  pt_counter(&pt, PT_CNT_RESP_MISTAKEN));
    }
    CHECK_EQ(pt_counter(&pt, PT_CNT_VIOLATIONS), 0, "violations");
}

RACE_MAIN("reuse-pasid", reuse_pasid, 40)
