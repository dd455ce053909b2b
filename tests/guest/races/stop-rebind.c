/*
 * Race: S-06
 * Title: a PASID is stopped, by waiting and by a stop marker, and used again
 * What: a function stops a PASID by waiting for its responses, or at once with
 *   a stop marker behind its last request (PCIe 10.4.1.2). Requests of the old
 *   life are in the queue then, the marker behind them, and requests of the new
 *   life with the same PASID behind the marker. The old ones are answered,
 *   which only gives indices and credits back; the marker is not answered; the
 *   new ones get their pages. An unbind in between waits for the old ones.
 * Loses: the DMA of the new life, if a response of the old one is taken for its
 *   own; the device, if something is not answered, or a marker is.
 * Order: the event is held (prq-irq-hold). A channel writes; stop, the event,
 *   done; unbind, bind, write. A channel writes; stop with a marker, done; it
 *   writes again; the event. A channel writes; stop with a marker; unbind,
 *   which waits; the event; bind, write.
 * Fix: none needed. S-01 is a kernel that does not drain.
 * Kernels: all; by reading of iommu_report_device_fault()'s comment.
 * Sign: not-drained
 * Sign: marker-answered
 * Sign: mistaken
 * Sign: lost
 * Sign: unanswered
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

#define IMMEDIATE   2               /* prgi-policy */
#define UNBIND_MS   300
#define STOP_MS     5000

static struct pt pt;
static struct owner a;

static void stop(uint32_t how)
{
    pt_wr32(pt.func, PT_STOP_PASID, a.pasid | how);
}

static void wait_stopped(void)
{
    double until = pt_now() + STOP_MS / 1000.0;

    while (pt_rd32(pt.func, PT_STOP_STATUS) != PT_STOP_DONE) {
        if (pt_now() > until) {
            race_sign("unanswered", "the stop does not end, %u groups are "
                      "outstanding", pt_rd32(pt.func, PT_PRI_GROUPS));
            return;
        }
        pt_sleep_ms(1);
    }
}

static void hold_event(bool on)
{
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_IRQ_HOLD, on);
}

/* A write with its first group in the queue, and the event held */
static void start_held(void)
{
    hold_event(true);
    owner_do(&a, OWNER_FREE);
    owner_start_asking(&pt, &a);
}

static void check_ended(void)
{
    uint32_t status = owner_do(&a, OWNER_RESULT);

    CHECK(status == PT_ST_ABORTED, "what was stopped is %s",
          pt_status_name(status));
}

static void check_write(const char *when)
{
    uint32_t status = owner_do(&a, OWNER_WRITE);

    if (status != PT_ST_DONE) {
        race_sign("lost", "the write %s ends with %s", when,
                  pt_status_name(status));
    }
}

static void unbind_held(void)
{
    owner_tell(&a, OWNER_UNBIND);
    if (owner_done(&a, UNBIND_MS, NULL)) {
        race_sign("not-drained", "the unbind did not wait for the queue");
        hold_event(false);
        return;
    }
    hold_event(false);
    CHECK(owner_done(&a, PT_TIMEOUT, NULL), "the unbind does not return");
}

static void by_waiting(void)
{
    start_held();
    stop(0);
    pt_sleep_ms(50);
    CHECK_EQ(pt_rd32(pt.func, PT_STOP_STATUS), PT_STOP_BUSY, "stop status");
    hold_event(false);
    wait_stopped();
    check_ended();
    owner_do(&a, OWNER_UNBIND);
    CHECK_EQ(owner_do(&a, OWNER_BIND), a.pasid, "PASID");
    check_write("after a stop by waiting");
}

/* The next life begins behind the marker, in the queue */
static void by_marker(void)
{
    uint32_t status;

    start_held();
    stop(PT_STOP_MARKER);
    CHECK_EQ(pt_rd32(pt.func, PT_STOP_STATUS), PT_STOP_DONE, "stop status");
    check_ended();
    owner_do(&a, OWNER_START);
    hold_event(false);
    status = owner_do(&a, OWNER_RESULT);
    if (status != PT_ST_DONE) {
        race_sign("lost", "the write behind a marker ends with %s",
                  pt_status_name(status));
    }
}

static void marker_unbind(void)
{
    start_held();
    stop(PT_STOP_MARKER);
    check_ended();
    unbind_held();
    if (pt_rd32(pt.func, PT_PRI_GROUPS)) {
        race_sign("unanswered", "%u groups are outstanding when the unbind is "
                  "back", pt_rd32(pt.func, PT_PRI_GROUPS));
    }
    CHECK_EQ(owner_do(&a, OWNER_BIND), a.pasid, "PASID");
    check_write("after a stop with a marker");
}

static void stop_rebind(void)
{
    race_cpu(1);
    pt_open(&pt, 0);
    pt_knob(&pt, PT_KNOB_PRGI_POLICY, IMMEDIATE);
    owner_start(&a, 0);
    pt_wr32(pt.func, PT_CTRL, PT_CTRL_CLEAR_COUNTERS);
    race_ready();

    for (unsigned i = 0; i < 3; i++) {
        by_waiting();
        by_marker();
        marker_unbind();
    }
    CHECK_EQ(pt_counter(&pt, PT_CNT_STOP_MARKERS), 6, "stop markers");
    if (pt_counter(&pt, PT_CNT_RESP_UNEXPECTED)) {
        race_sign("marker-answered", "%llu answers to nothing that asks for "
                  "one", (unsigned long long)
                  pt_counter(&pt, PT_CNT_RESP_UNEXPECTED));
    }
    if (pt_counter(&pt, PT_CNT_RESP_MISTAKEN)) {
        race_sign("mistaken", "%llu groups ended by a response to another",
                  (unsigned long long)pt_counter(&pt, PT_CNT_RESP_MISTAKEN));
    }
    CHECK_EQ(pt_counter(&pt, PT_CNT_VIOLATIONS), 0, "violations");
    CHECK_EQ(pt_rd32(pt.func, PT_PRI_GROUPS), 0, "open groups");
    CHECK_EQ(pt_rd32(pt.func, PT_PRI_CREDITS), pt_rd32(pt.func, PT_PRI_ALLOC),
             "credits");
}

RACE_MAIN("stop-rebind", stop_rebind, 40)
