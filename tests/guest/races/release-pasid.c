/*
 * Race: S-01
 * Title: a PASID is released while its groups are outstanding
 * What: after an unbind nothing of the PASID is left: groups in
 *   the queue are answered before the unbind returns, and groups that the IOMMU
 *   lets into the queue during the drain (VT-d 7.7) are answered once, Success
 *   only as long as the PASID is there. Another PASID of the function notices
 *   nothing. Groups without a last request: release-partial.
 * Loses: the device, whose groups are not answered; or another process.
 * Order: two processes are bound. Four groups of the first one are in the
 *   queue, the event is held (prq-irq-hold); unbind, which must wait; the
 *   event. Bind again, four groups that the IOMMU keeps back
 *   (prq-hold=until-pd); unbind; the event.
 * Fix: none needed. S-01 is a kernel that does not drain.
 * Kernels: all; by reading of iopf_queue_flush_dev() and
 *   intel_iommu_drain_pasid_prq().
 * Sign: not-drained
 * Sign: unanswered
 * Sign: answered-twice
 * Sign: wrong-code
 * Sign: other-address-space
 * Sign: log /KASAN: .*(iopf|iommu|worker)/
 * Expect: 7.3 no, 7.3+S-01 yes
 * Elsewhere: 7.2 no, 6.18 no
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>

#include "hw/i386/vtd-knobs.h"
#include "owner.h"
#include "race.h"

#define GROUPS          4
#define UNBIND_MS       300         /* an unbind that does not wait is back */
#define ANSWER_MS       300         /* an answer is there */
#define HOLD_OFF        0
#define HOLD_UNTIL_PD   2
#define W_LAST          (PT_RAW_WRITE | PT_RAW_LAST)

static struct pt pt;
static struct owner first, other;

static uint32_t answers(void)
{
    return pt_rd32(pt.func, PT_RAW_RESP_COUNT);
}

/* GROUPS groups of the first one, each answered once since `before` */
static void check_answers(uint32_t before, const char *when)
{
    uint32_t n = answers() - before;

    if (n < GROUPS) {
        race_sign("unanswered", "%u of %d groups are answered %s", n, GROUPS,
                  when);
    }
    if (pt_counter(&pt, PT_CNT_RESP_UNEXPECTED)) {
        race_sign("answered-twice", "%llu answers too many",
                  (unsigned long long)pt_counter(&pt, PT_CNT_RESP_UNEXPECTED));
    }
    if (pt_counter(&pt, PT_CNT_RESP_FAILURE)) {
        race_sign("wrong-code", "%llu answers Response Failure",
                  (unsigned long long)pt_counter(&pt, PT_CNT_RESP_FAILURE));
    }
}

static void send_groups(unsigned from)
{
    for (unsigned i = from; i < from + GROUPS; i++) {
        owner_send(&pt, &first, i, W_LAST, i);
    }
}

/* In the queue: the unbind waits, and when it is back all are answered */
static void in_queue(void)
{
    uint32_t before = answers();

    pt_iommu_knob(&pt, VTD_KNOB_PRQ_IRQ_HOLD, 1);
    send_groups(0);
    owner_tell(&first, OWNER_UNBIND);
    if (owner_done(&first, UNBIND_MS, NULL)) {
        race_sign("not-drained", "the unbind did not wait for the queue");
        pt_iommu_knob(&pt, VTD_KNOB_PRQ_IRQ_HOLD, 0);
        return;
    }
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_IRQ_HOLD, 0);
    CHECK(owner_done(&first, PT_TIMEOUT, NULL), "the unbind does not return");
    check_answers(before, "when the unbind is back");
}

/* In the IOMMU: the drain lets them into the queue, the event is later still */
static void in_iommu(void)
{
    uint64_t success;
    uint32_t before;
    bool back;

    CHECK_EQ(owner_do(&first, OWNER_BIND), first.pasid, "PASID");
    before = answers();
    success = pt_counter(&pt, PT_CNT_RESP_SUCCESS);
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_HOLD, HOLD_UNTIL_PD);
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_IRQ_HOLD, 1);
    send_groups(GROUPS);
    owner_tell(&first, OWNER_UNBIND);
    back = owner_done(&first, UNBIND_MS, NULL);
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_IRQ_HOLD, 0);
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_HOLD, HOLD_OFF);
    ktap_note("groups in the IOMMU: the unbind %s", back ?
              "does not wait for them" : "waits for them");
    CHECK(back || owner_done(&first, PT_TIMEOUT, NULL),
          "the unbind does not return");
    pt_sleep_ms(ANSWER_MS);
    check_answers(before, "after the event");
    success = pt_counter(&pt, PT_CNT_RESP_SUCCESS) - success;
    if (back && success) {
        race_sign("wrong-code", "%llu answers Success after the unbind",
                  (unsigned long long)success);
    }
}

static void release_pasid(void)
{
    uint32_t present;

    race_cpu(1);
    pt_open(&pt, 0);
    owner_start(&other, 0);
    owner_start(&first, 0);
    pt_wr32(pt.func, PT_CTRL, PT_CTRL_CLEAR_COUNTERS);
    race_ready();

    in_queue();
    in_iommu();
    present = owner_do(&other, OWNER_PRESENT);
    if (present) {
        race_sign("other-address-space", "pages 0x%x of PASID %u are there, "
                  "which nobody asked for", present, other.pasid);
    }
    CHECK_EQ(pt_counter(&pt, PT_CNT_VIOLATIONS), 0, "violations");
    CHECK_EQ(owner_do(&other, OWNER_WRITE), PT_ST_DONE, "status");
    CHECK_EQ(owner_do(&first, OWNER_BIND), first.pasid, "PASID");
    CHECK_EQ(owner_do(&first, OWNER_WRITE), PT_ST_DONE, "status");
}

RACE_MAIN("release-pasid", release_pasid, 40)
