/*
 * pri-testdev: Invalidate Completions, right or wrong
 *
 * What an invalidation does to the ATC and what a completion looks like is in
 * hw/pci/ats_function.c.  Here is when it is sent, and what the knobs change
 * about it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/timer.h"
#include "hw/pci/pci.h"
#include "hw/pci/ats_actor.h"
#include "pri-testdev.h"
#include "hw/misc/trace.h"

/* Another ITag, as far from the right one as can be */
#define PT_INV_OTHER_ITAG   (ATS_ITAG_NR / 2)

static void pt_inv_send(PriTestdev *d, const PtInvCompletion *cpl)
{
    uint16_t rid = pci_requester_id(PCI_DEVICE(d)) ^ cpl->rid_flip;

    for (unsigned int i = 0; i < cpl->messages; i++) {
        ats_function_complete(&d->fn, rid, 1u << cpl->itag, cpl->cc);
    }
}

/* -- Completions that wait ------------------------------------------------- */

static void pt_inv_arm(PriTestdev *d)
{
    int64_t due = PT_INV_HELD;

    for (uint32_t i = 0; i < d->inv.n; i++) {
        due = MIN(due, d->inv.waiting[i].due);
    }
    if (due == PT_INV_HELD) {
        timer_del(d->inv.timer);
    } else {
        timer_mod(d->inv.timer, due);
    }
}

static void pt_inv_keep(PriTestdev *d, const PtInvCompletion *cpl)
{
    if (d->inv.n == ARRAY_SIZE(d->inv.waiting)) {
        qemu_log_mask(LOG_GUEST_ERROR, "pri-testdev: too many Invalidate "
                      "Requests, ITag %u gets no answer\n", cpl->itag);
        return;
    }
    d->inv.waiting[d->inv.n++] = *cpl;
    pt_inv_arm(d);
}

static PtInvCompletion pt_inv_take(PriTestdev *d, uint32_t i)
{
    PtInvCompletion cpl = d->inv.waiting[i];

    d->inv.n--;
    memmove(&d->inv.waiting[i], &d->inv.waiting[i + 1],
            (d->inv.n - i) * sizeof(d->inv.waiting[0]));
    return cpl;
}

/*
 * Sending brings new requests, whose completions may have to wait as well, so
 * what is to be sent is taken out first.
 */
static void pt_inv_send_all(PriTestdev *d, const PtInvCompletion *out,
                            uint32_t n)
{
    pt_inv_arm(d);
    for (uint32_t i = 0; i < n; i++) {
        pt_inv_send(d, &out[i]);
    }
}

static void pt_inv_due(void *opaque)
{
    PriTestdev *d = opaque;
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    PtInvCompletion out[ATS_ITAG_NR];
    uint32_t i = 0, n = 0;

    while (i < d->inv.n) {
        if (d->inv.waiting[i].due <= now) {
            out[n++] = pt_inv_take(d, i);
        } else {
            i++;
        }
    }
    pt_inv_send_all(d, out, n);
}

static void pt_inv_timer(void *opaque)
{
    PriTestdev *d = opaque;

    ats_actor_timer(pci_requester_id(PCI_DEVICE(d)), d, pt_inv_due);
}

void pt_inv_release(PriTestdev *d, uint64_t count, bool newest_first)
{
    PtInvCompletion out[ATS_ITAG_NR];
    uint32_t had = d->inv.n;
    uint32_t at = 0, n = 0;

    for (uint32_t seen = 0; seen < had && n < count; seen++) {
        uint32_t i = newest_first ? had - 1 - seen : at;

        if (d->inv.waiting[i].due == PT_INV_HELD) {
            out[n++] = pt_inv_take(d, i);
        } else {
            at++;
        }
    }
    pt_inv_send_all(d, out, n);
}

void pt_inv_vector(PriTestdev *d, uint32_t itags)
{
    uint16_t rid = pci_requester_id(PCI_DEVICE(d));
    uint32_t i = 0;

    while (i < d->inv.n) {
        if (d->inv.waiting[i].due == PT_INV_HELD &&
            (itags & (1u << d->inv.waiting[i].itag))) {
            pt_inv_take(d, i);
        } else {
            i++;
        }
    }
    pt_inv_arm(d);
    if (itags && !d->presence.gone && !d->presence.link_down) {
        ats_function_complete(&d->fn, rid, itags, 1);
    }
}

/* -- Requests -------------------------------------------------------------- */

/*
 * The knobs as they are for this request, and what inv-nth makes of them.
 *
 * Returns: false if this request is one of those before the n-th.
 */
static bool pt_inv_knobs(PriTestdev *d, PriTestdevKnobs *now)
{
    PriTestdevKnobs *knobs = &d->knobs;

    if (knobs->inv_nth > 1) {
        knobs->inv_nth--;
        return false;
    }
    *now = *knobs;
    if (knobs->inv_nth) {
        knobs->inv_nth = 0;
        knobs->inv_reply = PT_INV_REPLY_COMPLETE;
        knobs->inv_delay = 0;
        knobs->inv_copies = 1;
        knobs->inv_short = 0;
        knobs->inv_extra = 0;
    }
    return true;
}

/* PCIe 6.2 10.3.2: the Completion Count says how many completions there are */
static void pt_inv_vary(PtInvCompletion *cpl, const PriTestdevKnobs *knobs)
{
    cpl->cc = MAX(knobs->inv_copies, 1);
    cpl->messages = cpl->cc - MIN(knobs->inv_short, cpl->cc) +
                    knobs->inv_extra;
    if (knobs->inv_reply == PT_INV_REPLY_WRONG_ITAG) {
        cpl->itag ^= PT_INV_OTHER_ITAG;
    } else if (knobs->inv_reply == PT_INV_REPLY_WRONG_RID) {
        cpl->rid_flip = 1;
    } else if (knobs->inv_reply == PT_INV_REPLY_WRONG_BUS) {
        cpl->rid_flip = 1 << 8;
    }
}

/*
 * PCIe 6.2 10.3.1 lets a function lose what comes while it is in reset.  There
 * is nothing to invalidate then.
 */
static void pt_inv_in_reset(PriTestdev *d, PtInvCompletion *cpl)
{
    if (d->knobs.inv_in_flr == PT_INV_IN_FLR_COMPLETE) {
        pt_inv_send(d, cpl);
    } else if (d->knobs.inv_in_flr == PT_INV_IN_FLR_COMPLETE_AFTER) {
        cpl->due = pt_reset_end_time(d);
        pt_inv_keep(d, cpl);
    }
}

void pt_inv_request(void *opaque, const AtsMsg *msg)
{
    PriTestdev *d = opaque;
    PriTestdevKnobs knobs;
    PtInvCompletion cpl = {
        .itag = msg->itag % ATS_ITAG_NR,
        .cc = 1,
        .messages = 1,
    };

    if (d->presence.gone || d->presence.link_down ||
        (pt_in_soft_reset(d) && d->knobs.soft_reset)) {
        return;
    }
    if (pt_in_reset(d)) {
        pt_inv_in_reset(d, &cpl);
        return;
    }
    if (d->knobs.inv_when_e0 && !ats_function_ats_enabled(&d->fn)) {
        if (d->knobs.inv_when_e0 == PT_INV_WHEN_E0_UR) {
            ats_function_error(&d->fn, PCI_ERR_UNC_UNSUP, msg);
        }
        return;
    }
    if (d->knobs.inv_in_d3 && !ats_function_in_d0(&d->fn)) {
        return;
    }
    if (d->knobs.inv_sub_stu && ats_function_inv_too_small(&d->fn, msg)) {
        ats_function_error(&d->fn, PCI_ERR_UNC_UNSUP, msg);
        return;
    }
    if (!d->knobs.atc_leak) {
        ats_function_invalidate(&d->fn, msg);
    }
    if (!pt_inv_knobs(d, &knobs)) {
        pt_inv_send(d, &cpl);
        return;
    }
    pt_inv_vary(&cpl, &knobs);
    trace_pri_testdev_inv(DEVICE(d)->id, msg->itag, knobs.inv_reply,
                          knobs.inv_delay, cpl.messages, cpl.cc);
    if (knobs.inv_reply == PT_INV_REPLY_DROP) {
        return;
    }
    if (knobs.inv_reply == PT_INV_REPLY_HOLD) {
        cpl.due = PT_INV_HELD;
        pt_inv_keep(d, &cpl);
    } else if (knobs.inv_delay) {
        cpl.due = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                  knobs.inv_delay * SCALE_US;
        pt_inv_keep(d, &cpl);
    } else {
        pt_inv_send(d, &cpl);
    }
}

/* -- Life ------------------------------------------------------------------ */

void pt_inv_realize(PriTestdev *d)
{
    d->inv.timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, pt_inv_timer, d);
}

void pt_inv_lose(PriTestdev *d)
{
    d->inv.n = 0;
    timer_del(d->inv.timer);
}

/* PCIe 6.2 10.3.1: what is pending when a reset begins may be lost */
void pt_inv_reset(PriTestdev *d, bool can_answer)
{
    PtInvCompletion out[ATS_ITAG_NR];
    uint32_t n = d->inv.n;

    if (!can_answer || d->knobs.inv_at_flr == PT_INV_AT_FLR_DROP) {
        pt_inv_lose(d);
    } else if (d->knobs.inv_at_flr == PT_INV_AT_FLR_COMPLETE_AFTER) {
        for (uint32_t i = 0; i < n; i++) {
            d->inv.waiting[i].due = pt_reset_end_time(d);
        }
        pt_inv_arm(d);
    } else {
        memcpy(out, d->inv.waiting, sizeof(out));
        d->inv.n = 0;
        pt_inv_send_all(d, out, n);
    }
}

/* The same for a change of the power state */
void pt_inv_leave_d0(PriTestdev *d)
{
    if (d->knobs.inv_in_d3) {
        pt_inv_lose(d);
    }
}

void pt_inv_exit(PriTestdev *d)
{
    timer_free(d->inv.timer);
    d->inv.timer = NULL;
    d->inv.n = 0;
}

int pt_inv_post_load(PriTestdev *d)
{
    if (d->inv.n > ARRAY_SIZE(d->inv.waiting)) {
        return -EINVAL;
    }
    for (uint32_t i = 0; i < d->inv.n; i++) {
        const PtInvCompletion *cpl = &d->inv.waiting[i];

        if (cpl->itag >= ATS_ITAG_NR || cpl->cc < 1 || cpl->cc > 8 ||
            cpl->messages > 16 || cpl->due < 0) {
            return -EINVAL;
        }
    }
    pt_inv_arm(d);
    return 0;
}
