/*
 * pri-testdev: page faults of the DMA channels
 *
 * A page that may not be accessed becomes a page request group, together with
 * those behind it; the channel then waits for the response, or for credits
 * first, in the order in which the channels asked.  PCIe 6.2 10.4.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/misc/pri-testdev-regs.h"
#include "hw/pci/ats_actor.h"
#include "pri-testdev.h"
#include "hw/misc/trace.h"

/*
 * The absent pages of one side from the one that faulted on, as many as a
 * group may have.  Pages that are present meanwhile get into the ATC.
 */
static uint32_t pt_collect(PriTestdev *d, const PtSide *side, uint32_t max,
                           PciePriPage *pages, int32_t *budget)
{
    AtsAccess acc = side->acc;
    uint32_t n = 0;

    acc.addr = side->addr & PT_PAGE_MASK;
    for (uint32_t i = 0; i < ATS_PRGI_NR && n < max; i++) {
        AtsTrEntry entry;
        AtsResult res = ATS_ABSENT;

        if (i) {
            res = ats_function_translate(&d->fn, &acc, &entry, ATS_NO_OWNER);
            *budget -= 1;
        }
        if (res == ATS_ABSENT) {
            pages[n++] = (PciePriPage) {
                .addr = acc.addr,
                .read = acc.read,
                .write = acc.write,
            };
        } else if (res != ATS_OK) {
            break;
        }
        if (side->last - acc.addr < PT_PAGE) {
            break;
        }
        acc.addr += PT_PAGE;
    }
    return n;
}

static void pt_wait_credits(PriTestdev *d, unsigned int n, bool first)
{
    pt_set_run(d, n, PT_RUN_CREDITS);
    if (first) {
        memmove(&d->sched.waiters[1], &d->sched.waiters[0], d->sched.n_waiters);
        d->sched.waiters[0] = n;
    } else {
        d->sched.waiters[d->sched.n_waiters] = n;
    }
    d->sched.n_waiters++;
}

/*
 * A response that arrives during the submission is an automatic one.  Pause
 * before the retry: while the queue stays full (VT-d 7.4.1) every retry would
 * get it again, and the guest would never run to empty the queue.
 */
static void pt_pause(PriTestdev *d, unsigned int n)
{
    if (d->ch[n].run != PT_RUN_READY || !d->knobs.retry_delay) {
        return;
    }
    pt_set_run(d, n, PT_RUN_PAUSE);
    if (!timer_pending(d->sched.pause_timer)) {
        timer_mod(d->sched.pause_timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                  d->knobs.retry_delay * SCALE_US);
    }
}

/* All pauses end together; one that began later is shorter */
static void pt_pause_ends(void *opaque)
{
    PriTestdev *d = opaque;

    for (unsigned int n = 0; n < d->n_channels; n++) {
        if (d->ch[n].run == PT_RUN_PAUSE) {
            pt_set_run(d, n, PT_RUN_READY);
        }
    }
}

static void pt_pause_over(void *opaque)
{
    PriTestdev *d = opaque;

    ats_actor_timer(pci_requester_id(PCI_DEVICE(d)), d, pt_pause_ends);
}

static void pt_request(PriTestdev *d, unsigned int n, const PtSide *side,
                       bool first, int32_t *budget)
{
    PtChannel *ch = &d->ch[n];
    QEMU_UNINITIALIZED PciePriPage pages[ATS_PRGI_NR];
    PciePriRequest req = {
        .pages = pages,
        .pasid = side->acc.pasid,
        .priv = side->acc.priv,
        .exec = side->acc.exec,
        .cookie = pt_cookie(ch, n),
    };
    PciePriSubmit res;

    req.n_pages = pt_collect(d, side, MIN(ch->op.group,
                                          pcie_pri_limit(
                                              ats_function_pri(&d->fn))),
                             pages, budget);
    trace_pri_testdev_fault(DEVICE(d)->id, n, side->addr, req.n_pages,
                            ch->tries);

    /* The response can come from inside the submission */
    pt_set_run(d, n, PT_RUN_RESPONSE);
    ch->requests += req.n_pages;
    ch->groups++;
    res = ats_function_submit(&d->fn, &req);
    if (res == PCIE_PRI_SENT) {
        pt_pause(d, n);
        return;
    }
    ch->requests -= req.n_pages;
    ch->groups--;
    if (res == PCIE_PRI_BUSY) {
        pt_wait_credits(d, n, first);
    } else {
        pt_end(d, n, PT_ST_NO_PRI, side->addr);
    }
}

void pt_fault(PriTestdev *d, unsigned int n, const PtSide *side, bool waited,
              int32_t *budget)
{
    PtChannel *ch = &d->ch[n];
    uint64_t page = side->addr & PT_PAGE_MASK;

    if (!ch->fault || ch->fault_page != page ||
        ch->fault_write != side->acc.write) {
        ch->fault = true;
        ch->fault_page = page;
        ch->fault_write = side->acc.write;
        ch->tries = 0;
    } else if (ch->answered && ch->tries++ >= ch->op.retries) {
        pt_end(d, n, PT_ST_RETRY_LIMIT, side->addr);
        return;
    }
    ch->answered = false;

    if (ch->op.flags & PT_FLAG_NO_PRI) {
        pt_end(d, n, PT_ST_NO_PRI, side->addr);
    } else if (!ats_function_pri_usable(&d->fn, side->acc.pasid)) {
        pt_end(d, n, waited ? PT_ST_ABORTED : PT_ST_NO_PRI, side->addr);
    } else if (d->sched.n_waiters && !waited) {
        pt_wait_credits(d, n, false);
    } else {
        pt_request(d, n, side, waited, budget);
    }
}

void pt_fault_realize(PriTestdev *d)
{
    d->sched.pause_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, pt_pause_over, d);
}

void pt_fault_exit(PriTestdev *d)
{
    timer_free(d->sched.pause_timer);
}
