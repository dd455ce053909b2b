/*
 * pri-testdev: what the channels wait for, and when the bottom half runs
 *
 * All but register accesses happens in one bottom half.  Here is who asks for
 * it, in which state each channel is, and how an operation ends.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "hw/pci/ats_actor.h"
#include "hw/pci/pci.h"
#include "system/replay.h"
#include "system/runstate.h"
#include "pri-testdev.h"
#include "hw/misc/trace.h"

static void pt_run_bh(void *opaque, const void *data)
{
    PriTestdev *d = opaque;

    aio_bh_call(d->sched.bh);
}

/* While the machine is stopped its memory must not change */
static void pt_schedule(PriTestdev *d)
{
    if (!d->sched.bh_scheduled && runstate_is_running()) {
        d->sched.bh_scheduled = true;
        if (!ats_actor_event(ATS_EVENT_BH, pci_requester_id(PCI_DEVICE(d)), d,
                             pt_run_bh, NULL, 0)) {
            replay_bh_schedule_event(d->sched.bh);
        }
    }
}

void pt_channels_kick(PriTestdev *d)
{
    const PtSched *s = &d->sched;

    if (s->ready || s->irqs || s->wake || d->event.irq ||
        d->late.due || d->fn.n_errors) {
        pt_schedule(d);
    }
}

void pt_sched_wake(PriTestdev *d)
{
    d->sched.wake = true;
    pt_schedule(d);
}

void pt_sched_reset(PriTestdev *d)
{
    d->sched.ready = 0;
    d->sched.irqs = 0;
    d->sched.n_waiters = 0;
    d->sched.next_channel = 0;
    d->sched.wake = false;
    d->sched.bh_scheduled = false;
    qemu_bh_cancel(d->sched.bh);
    ats_actor_forget(d);
}

/* -- States of a channel --------------------------------------------------- */

uint64_t pt_cookie(const PtChannel *ch, unsigned int n)
{
    return (uint64_t)ch->seq << 8 | n;
}

static void pt_unqueue(PriTestdev *d, unsigned int n)
{
    PtSched *s = &d->sched;

    for (uint32_t i = 0; i < s->n_waiters; i++) {
        if (s->waiters[i] == n) {
            s->n_waiters--;
            memmove(&s->waiters[i], &s->waiters[i + 1], s->n_waiters - i);
            return;
        }
    }
}

void pt_set_run(PriTestdev *d, unsigned int n, PtRun run)
{
    PtChannel *ch = &d->ch[n];

    if (ch->run == PT_RUN_CREDITS) {
        pt_unqueue(d, n);
    }
    ch->run = run;
    if (run == PT_RUN_READY) {
        d->sched.ready |= 1ULL << n;
        pt_schedule(d);
    } else {
        d->sched.ready &= ~(1ULL << n);
    }
}

void pt_end(PriTestdev *d, unsigned int n, uint32_t status,
            uint64_t err_addr)
{
    PtChannel *ch = &d->ch[n];

    trace_pri_testdev_end(DEVICE(d)->id, n, status, ch->done, err_addr);
    pt_log(d, PT_LOG_END, pt_op_pasid(&ch->op), n, err_addr, status);
    pt_set_run(d, n, PT_RUN_STOPPED);
    ats_function_abandon(&d->fn, n);
    ch->seq++;
    ch->status = status;
    ch->err_addr = err_addr;
    ch->irq_status |= 1;
    if (ch->op.flags & PT_FLAG_IRQ) {
        d->sched.irqs |= 1ULL << n;
        pt_schedule(d);
    }
}
