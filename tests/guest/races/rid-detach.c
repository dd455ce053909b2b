/*
 * Race: O-E, C-15
 * Title: a domain is taken from the RID while its page requests are queued
 * What: blocking_domain_attach_dev() takes the device out of the iopf queue
 *   before it blocks translation. From then on a request that comes out of the
 *   page request queue finds a domain with a handler, and no fault parameter;
 *   and the drain that the blocking ends with does nothing, because it goes by
 *   the reference that was just dropped. C-15 is older: the blocking drained
 *   nothing in the first place.
 * Loses: iommu_report_device_fault(), which warns and answers Invalid Request;
 *   and the next domain of the RID, to which a request is reported that was
 *   made under the one before it.
 * Order: (1) a request is in the queue, its event is held (prq-irq-hold); the
 *   RID is detached, which ought to wait for it; another domain is attached;
 *   the event is let go. (2) a request is in the queue, its event comes 200 ms
 *   later (prq-irq-delay-us); the RID is detached, and each invalidation of
 *   the blocking takes 500 ms (wait-delay-us): the event falls between.
 * Fix: of O-E none known, O-E-fix is our own trial. Of C-15 c43e1ccdebf2
 *   "iommu/vt-d: Drain PRQs when domain removed from RID" (6.13, 6.12.75); C-15
 *   puts that bug back, on top of O-E-fix.
 * Kernels: 7.3.4; by reading, 6.16 and later.
 * Sign: not-drained
 * Sign: next-owner
 * Sign: log /WARNING: .*io-pgfault\.c:\d+ at iommu_report_device_fault/
 * Expect: 7.3 yes, 7.3+O-E-fix no, 7.3+O-E-fix+C-15 yes
 * Elsewhere: 7.2 yes, 6.18 yes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <poll.h>
#include <stdint.h>
#include <unistd.h>

#include "hw/i386/vtd-knobs.h"
#include "iofd.h"
#include "race.h"

#define IOVA            0x600000000ull
#define PRGI            9
#define EVENT_HOLD_MS   500
#define EVENT_DELAY_US  200000
#define WAIT_DELAY_US   500000
#define GRACE_MS        1000

static void send(struct iofd *io)
{
    struct pt_raw raw = {
        .addr = IOVA,
        .prgi = PRGI,
        .flags = PT_RAW_WRITE | PT_RAW_LAST,
    };

    pt_raw_send(&io->pt, &raw);
}

/* Lets the event go when the detach should long have been waiting for it */
static pid_t release_later(struct iofd *io)
{
    pid_t pid = fork();

    CHECK(pid >= 0, "fork");
    if (!pid) {
        pt_sleep_ms(EVENT_HOLD_MS);
        pt_iommu_knob(&io->pt, VTD_KNOB_PRQ_IRQ_HOLD, 0);
        _exit(KTAP_PASS);
    }
    return pid;
}

static void undrained(struct iofd *io, struct iofd_pt *next)
{
    struct pollfd pfd = { .fd = next->fault_fd, .events = POLLIN };
    uint32_t answers = pt_rd32(io->pt.func, PT_RAW_RESP_COUNT);
    struct iofd_pgfault fault;
    pid_t pid;

    pt_iommu_knob(&io->pt, VTD_KNOB_PRQ_IRQ_HOLD, 1);
    send(io);
    pid = release_later(io);
    iofd_detach(io, IOFD_NO_PASID);
    if (pt_rd32(io->pt.func, PT_RAW_RESP_COUNT) == answers) {
        race_sign("not-drained", "the RID was detached with a page request "
                  "in the queue");
    }
    iofd_attach(io, next->hwpt, IOFD_NO_PASID);
    pt_reap(pid, KTAP_PASS);
    if (poll(&pfd, 1, GRACE_MS) == 1) {
        iofd_read(next, &fault, 1);
        race_sign("next-owner", "PRGI %u, sent to the domain before, was "
                  "reported to the fault queue of the next", fault.grpid);
        iofd_respond(next, fault.cookie, IOFD_RESP_INVALID);
    }
}

static void unset(struct iofd *io)
{
    pt_iommu_knob(&io->pt, VTD_KNOB_PRQ_IRQ_DELAY, EVENT_DELAY_US);
    pt_iommu_knob(&io->pt, VTD_KNOB_WAIT_DELAY, WAIT_DELAY_US);
    send(io);
    iofd_detach(io, IOFD_NO_PASID);
    pt_iommu_knob(&io->pt, VTD_KNOB_WAIT_DELAY, 0);
    pt_iommu_knob(&io->pt, VTD_KNOB_PRQ_IRQ_DELAY, 0);
}

static void rid_detach(void)
{
    struct iofd_pt first, next;
    struct iofd io;

    race_cpu(1);
    iofd_open(&io);
    iofd_pt_alloc(&io, &first, true);
    iofd_pt_alloc(&io, &next, true);
    iofd_attach(&io, first.hwpt, IOFD_NO_PASID);
    race_ready();

    undrained(&io, &next);
    unset(&io);
}

RACE_MAIN("rid-detach", rid_detach, 30)
