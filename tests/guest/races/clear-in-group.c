/*
 * Race: S-04
 * Title: the last request of a group is refused, its PASID has gone
 * What: a PASID is released when the kernel has two requests of a group of
 *   three. The last one finds no PASID-table entry: the IOMMU answers Invalid
 *   Request (VT-d 7.5, SPT.*), once, and nobody else answers. When the PASID is
 *   bound again the device sends the group again, and gets all of it.
 * Loses: the device, which is answered twice, or never.
 * Order: bind; two requests, index 9; unbind; the last request; bind; three
 *   requests, index 9. Then the same with the first two in the queue when the
 *   unbind begins, the event held (prq-irq-hold) until it waits.
 * Fix: none needed. Requests that are let into the queue by the drain itself
 *   are another matter: half-answered.
 * Kernels: all; by reading.
 * Sign: answered-twice
 * Sign: unanswered
 * Sign: wrong-code
 * Sign: not-again
 * Expect: 7.3 no
 * Elsewhere: 7.2 no, 6.18 no
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>

#include "hw/i386/vtd-knobs.h"
#include "owner.h"
#include "race.h"

#define PRGI        9
#define PAGES       3
#define UNBIND_MS   300
#define INVALID     1
#define W           PT_RAW_WRITE
#define W_LAST      (PT_RAW_WRITE | PT_RAW_LAST)

static struct pt pt;
static struct owner a;

static void first_two(void)
{
    owner_send(&pt, &a, 0, W, PRGI);
    owner_send(&pt, &a, 1, W, PRGI);
}

static void expect(uint32_t code, const char *what)
{
    struct pt_raw_resp resp;

    if (!pt_raw_wait(&pt, &resp, PT_RESP_MS)) {
        race_sign("unanswered", "%s is not answered", what);
    } else if (resp.code != code || resp.prgi != PRGI || !resp.had_pasid ||
               resp.pasid != a.pasid) {
        race_sign("wrong-code", "%s: code %u, index %u, PASID %u", what,
                  resp.code, resp.prgi, resp.pasid);
    }
}

/* The unbind waits for the queue, which is let go then */
static void unbind(bool held)
{
    owner_tell(&a, OWNER_UNBIND);
    if (held) {
        CHECK(!owner_done(&a, UNBIND_MS, NULL), "the unbind did not wait");
        pt_iommu_knob(&pt, VTD_KNOB_PRQ_IRQ_HOLD, 0);
    }
    CHECK(owner_done(&a, PT_TIMEOUT, NULL), "the unbind does not return");
}

static void once(bool held)
{
    uint32_t n = pt_rd32(pt.func, PT_RAW_RESP_COUNT);
    uint32_t present;

    pt_iommu_knob(&pt, VTD_KNOB_PRQ_IRQ_HOLD, held);
    first_two();
    if (!held) {
        pt_expect_no_resp(&pt);
    }
    unbind(held);
    owner_send(&pt, &a, 2, W_LAST, PRGI);
    expect(INVALID, "the last request without PASID-table entry");
    CHECK_EQ(owner_do(&a, OWNER_BIND), a.pasid, "PASID");
    present = owner_do(&a, OWNER_PRESENT);
    CHECK_EQ(present, 0, "pages that came in");

    first_two();
    owner_send(&pt, &a, 2, W_LAST, PRGI);
    expect(0, "the group after the bind");
    present = owner_do(&a, OWNER_PRESENT);
    if (present != (1u << PAGES) - 1) {
        race_sign("not-again", "pages 0x%x are there after the second try",
                  present);
    }
    pt_sleep_ms(200);
    n = pt_rd32(pt.func, PT_RAW_RESP_COUNT) - n;
    if (n != 2 || pt_counter(&pt, PT_CNT_RESP_UNEXPECTED)) {
        race_sign("answered-twice", "%u answers to 2 groups, and %llu to none",
                  n, (unsigned long long)
                  pt_counter(&pt, PT_CNT_RESP_UNEXPECTED));
    }
    owner_do(&a, OWNER_FREE);
}

static void clear_in_group(void)
{
    race_cpu(1);
    pt_open(&pt, 0);
    owner_start(&a, 0);
    pt_wr32(pt.func, PT_CTRL, PT_CTRL_CLEAR_COUNTERS);
    race_ready();

    once(false);
    once(true);
    CHECK_EQ(owner_do(&a, OWNER_WRITE), PT_ST_DONE, "status");
    CHECK_EQ(pt_counter(&pt, PT_CNT_VIOLATIONS), 0, "violations");
}

RACE_MAIN("clear-in-group", clear_in_group, 40)
