/*
 * Race: S-04
 * Title: requests that are not the last of their group are answered
 * What: iommu_report_device_fault() looks for a handler before it looks whether
 *   a request is the last of its group. If there is none it answers Invalid
 *   Request, to each request of the group. VT-d 7.6 and PCIe 10.4.2 have one
 *   response a group, after its last request; the function's own comment has it
 *   too ("A request that is not the last does not need to be ack'd").
 * Loses: the device. It gets a response to a group that it is still sending,
 *   and more of them later: these meet the next group with that index, and DMA
 *   that nothing is wrong with ends with Invalid Request.
 * Order: requests without PASID, of which no handler takes care: two that are
 *   not the last. Then A is bound; two requests, not the last, that the IOMMU
 *   keeps back (prq-hold=until-pd); A unbinds, the event is held; the event.
 * Fix: none known. S-04-fix is our own trial.
 * Kernels: 7.3.4; by reading, all with iopf_group_alloc() (6.9).
 * Sign: early-answer
 * Expect: 7.3 yes, 7.3+S-04-fix no
 * Elsewhere: 7.2 yes, 6.18 yes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>

#include "hw/i386/vtd-knobs.h"
#include "owner.h"
#include "race.h"

#define PRGI            9
#define UNBIND_MS       1000
#define ANSWER_MS       300
#define HOLD_OFF        0
#define HOLD_UNTIL_PD   2

static struct pt pt;
static struct owner a;

static void check(const char *what, unsigned sent)
{
    uint64_t n;

    pt_sleep_ms(ANSWER_MS);
    n = pt_counter(&pt, PT_CNT_RESP_UNEXPECTED) +
        pt_rd32(pt.func, PT_RAW_RESP_COUNT);
    if (n) {
        race_sign("early-answer", "%s: %llu answers to %u requests, none of "
                  "them the last of its group", what, (unsigned long long)n,
                  sent);
    }
}

static void no_pasid(void)
{
    struct pt_raw raw = {
        .flags = PT_RAW_READ, .prgi = PRGI, .addr = 0x10000,
    };

    pt_raw_send(&pt, &raw);
    pt_raw_send(&pt, &raw);
    check("without PASID", 2);
}

static void released(void)
{
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_HOLD, HOLD_UNTIL_PD);
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_IRQ_HOLD, 1);
    owner_send(&pt, &a, 0, PT_RAW_WRITE, PRGI + 1);
    owner_send(&pt, &a, 1, PT_RAW_WRITE, PRGI + 1);
    owner_tell(&a, OWNER_UNBIND);
    if (!owner_done(&a, UNBIND_MS, NULL)) {
        pt_iommu_knob(&pt, VTD_KNOB_PRQ_IRQ_HOLD, 0);
        CHECK(owner_done(&a, PT_TIMEOUT, NULL), "the unbind does not return");
    }
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_IRQ_HOLD, 0);
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_HOLD, HOLD_OFF);
    check("PASID released (those before included)", 4);
}

static void half_answered(void)
{
    struct owner other;

    race_cpu(1);
    pt_open(&pt, 0);
    owner_start(&other, 0);
    owner_start(&a, 0);
    pt_wr32(pt.func, PT_CTRL, PT_CTRL_CLEAR_COUNTERS);
    CHECK_EQ(pt_rd32(pt.func, PT_RAW_RESP_COUNT), 0, "responses so far");
    race_ready();

    no_pasid();
    released();
    CHECK_EQ(owner_do(&other, OWNER_WRITE), PT_ST_DONE, "status");
}

RACE_MAIN("half-answered", half_answered, 40)
