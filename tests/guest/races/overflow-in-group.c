/*
 * Race: S-03
 * Title: the queue is full in the middle of a group
 * What: the first requests of a group are in the queue, the others find it
 *   full: those are dropped, and the last one is answered Success by the IOMMU
 *   itself (VT-d 7.4, PCIe 10.4.2). The half that came through waits in
 *   software for a last request that never comes: software throws it away
 *   (iopf_queue_discard_partial()), and the device, which finds the pages still
 *   absent, asks again. The next group with that index gets nothing of the
 *   discarded half, and the data is right.
 * Loses: the device, if nobody answers; the next group with that index.
 * Order: the queue takes four entries (prq-depth), the event is held
 *   (prq-irq-hold); a group of six requests, the last one answered at once; the
 *   event: overflow. One request with the same index. The whole group again.
 *   Then a channel writes 64 pages in groups of eight, the event comes late
 *   (prq-irq-delay-us).
 * Fix: none needed. S-03 is a kernel that keeps the half.
 * Kernels: all; by reading.
 * Sign: no-auto-response
 * Sign: wrong-code
 * Sign: partial-survives
 * Sign: not-recovered
 * Sign: answered-twice
 * Expect: 7.3 no, 7.3+S-03 yes
 * Elsewhere: 7.2 no, 6.18 no
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>

#include "hw/i386/vtd-knobs.h"
#include "klog.h"
#include "owner.h"
#include "race.h"

#define DEPTH       4
#define GROUP       6
#define PRGI        100
#define AGAIN       10          /* page of the next group with that index */
#define DELAY_US    2000
#define LEN         (64 * PT_PAGE)
#define W           PT_RAW_WRITE
#define W_LAST      (PT_RAW_WRITE | PT_RAW_LAST)

static struct pt pt;
static struct owner a;

static void send_group(void)
{
    for (unsigned i = 0; i < GROUP; i++) {
        owner_send(&pt, &a, i, i == GROUP - 1 ? W_LAST : W, PRGI);
    }
}

/* The answer to the last request that was sent; must be Success */
static bool answered(const char *what)
{
    struct pt_raw_resp resp;

    if (!pt_raw_wait(&pt, &resp, 1000)) {
        return false;
    }
    if (resp.code || resp.prgi != PRGI) {
        race_sign("wrong-code", "%s: code %u, index %u", what, resp.code,
                  resp.prgi);
    }
    return true;
}

static void check_present(uint32_t want, const char *sign, const char *when)
{
    uint32_t present = owner_do(&a, OWNER_PRESENT);

    if (present != want) {
        race_sign(sign, "%s pages 0x%x are there, not 0x%x", when, present,
                  want);
    }
}

static void one_group(void)
{
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_DEPTH, DEPTH);
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_IRQ_HOLD, 1);
    send_group();
    if (!answered("full queue")) {
        race_sign("no-auto-response", "the last request of a group that met a "
                  "full queue is not answered");
    }
    check_present(0, "partial-survives", "with the event held");
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_IRQ_HOLD, 0);
    pt_sleep_ms(200);
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_DEPTH, 0);
    CHECK(klog_has("PRQ overflow detected"), "Linux saw no overflow");

    owner_send(&pt, &a, AGAIN, W_LAST, PRGI);
    if (!answered("after the overflow")) {
        race_sign("not-recovered", "no answer after the overflow");
    }
    check_present(1u << AGAIN, "partial-survives", "after the overflow");

    send_group();
    if (!answered("second try")) {
        race_sign("not-recovered", "the second try is not answered");
    }
    check_present(1u << AGAIN | ((1u << GROUP) - 1), "not-recovered",
                  "after the second try");
}

/* A channel asks again by itself, until all is there */
static void channel(void)
{
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .len = LEN, .pattern = OWNER_PATTERN, .group = 8,
        .retries = 1u << 20,
    };
    struct pt_result res;
    struct pt_chan ch;
    struct pt own;
    int log = klog_open();
    unsigned overflows;

    pt_open_bound(&own, 0);
    pt_chan(&own, &ch);
    op.dst = pt_map_anon(LEN);
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_DEPTH, DEPTH);
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_IRQ_DELAY, DELAY_US);
    pt_start(&ch, &op);
    pt_sleep_ms(20);
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_DEPTH, 0);
    pt_wait(&ch, &op, PT_TIMEOUT);
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_IRQ_DELAY, 0);
    pt_result(&ch, &res);
    overflows = klog_count(log, "PRQ overflow detected");
    ktap_note("channel: %u groups instead of 8, %u overflows", res.groups,
              overflows);
    CHECK(overflows && res.groups > 8, "no overflow");
    if (res.status != PT_ST_DONE) {
        race_sign("not-recovered", "the channel ends with %s",
                  pt_status_name(res.status));
    } else {
        pt_check_stamp(op.dst, LEN, OWNER_PATTERN);
    }
}

static void overflow_in_group(void)
{
    race_cpu(1);
    pt_open(&pt, 0);
    owner_start(&a, 0);
    pt_wr32(pt.func, PT_CTRL, PT_CTRL_CLEAR_COUNTERS);
    race_ready();

    one_group();
    channel();
    if (pt_counter(&pt, PT_CNT_RESP_UNEXPECTED)) {
        race_sign("answered-twice", "%llu answers too many",
                  (unsigned long long)pt_counter(&pt, PT_CNT_RESP_UNEXPECTED));
    }
    CHECK_EQ(pt_counter(&pt, PT_CNT_VIOLATIONS), 0, "violations");
    CHECK_EQ(owner_do(&a, OWNER_WRITE), PT_ST_DONE, "status");
}

RACE_MAIN("overflow-in-group", overflow_in_group, 40)
