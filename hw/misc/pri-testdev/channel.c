/*
 * pri-testdev: DMA channels
 *
 * A channel walks its operation page by page in the device's bottom half.
 * What it does about a page that may not be accessed is in fault.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/host-utils.h"
#include "hw/misc/pri-testdev-regs.h"
#include "pri-testdev.h"
#include "hw/misc/trace.h"
#include <zlib.h>       /* crc32() */

/*
 * Pages touched in one run of the bottom half, and by one channel in a row; a
 * group of requests is not cut at either.
 */
#define PT_BH_PAGES         64
#define PT_TURN_PAGES       8

static void pt_abort(PriTestdev *d, unsigned int n)
{
    if (d->ch[n].run != PT_RUN_STOPPED) {
        pt_end(d, n, PT_ST_ABORTED, pt_op_position(&d->ch[n]));
    }
}

void pt_channels_abort(PriTestdev *d)
{
    for (unsigned int n = 0; n < d->n_channels; n++) {
        pt_abort(d, n);
    }
}

void pt_channels_stop(PriTestdev *d)
{
    for (unsigned int n = 0; n < d->n_channels; n++) {
        if (pt_stopping(&d->stop, &d->ch[n].op) &&
            d->ch[n].run != PT_RUN_RESPONSE) {
            pt_abort(d, n);
        }
    }
}

static PtChannel pt_channel_defaults(void)
{
    return (PtChannel) {
        .next.group = PT_GROUP_DEFAULT,
        .next.retries = PT_RETRIES_DEFAULT,
    };
}

void pt_channel_reset(PriTestdev *d, unsigned int n)
{
    uint32_t seq = d->ch[n].seq;

    pt_set_run(d, n, PT_RUN_STOPPED);
    d->ch[n] = pt_channel_defaults();
    /* no operation before and after it is the same */
    d->ch[n].seq = seq + 1;
    d->sched.irqs &= ~(1ULL << n);
    ats_function_cancel(&d->fn, n, 0xff);
}

void pt_channels_reset(PriTestdev *d)
{
    for (unsigned int n = 0; n < PRI_TESTDEV_MAX_CHANNELS; n++) {
        d->ch[n] = pt_channel_defaults();
    }
    pt_sched_reset(d);
    timer_del(d->sched.pause_timer);
    pt_channels_kick(d);        /* errors of the ports above are theirs */
}

/* -- Memory accesses ------------------------------------------------------- */

/* Move one piece that lies in one page on either side */
static void pt_transfer(PriTestdev *d, unsigned int n, const PtSide *src,
                        const AtsTrEntry *from, const PtSide *dst,
                        const AtsTrEntry *to, uint32_t len)
{
    PtChannel *ch = &d->ch[n];
    QEMU_UNINITIALIZED uint8_t buf[PT_PAGE];

    if (pt_op_reads(&ch->op)) {
        if (!pt_dma_read(d, from, src->acc.pasid, src->addr, buf, len)) {
            pt_end(d, n, PT_ST_DMA_ERROR, src->addr);
            return;
        }
        ch->crc = crc32(ch->crc, buf, len);
    } else {
        pt_dma_generate(&ch->op, dst->addr, buf, len);
    }
    if (pt_op_writes(&ch->op) &&
        !pt_dma_write(d, to, dst->acc.pasid, dst->addr, buf, len)) {
        pt_end(d, n, PT_ST_DMA_ERROR, dst->addr);
        return;
    }

    ch->fault = false;
    ch->answered = false;
    if (pt_op_advance(ch, len)) {
        pt_end(d, n, PT_ST_DONE, 0);
    }
}

/*
 * Returns: false if the operation cannot go on now; then it has been ended
 * or waits.
 */
static bool pt_translate(PriTestdev *d, unsigned int n, const PtSide *side,
                         AtsTrEntry *entry, bool waited, int32_t *budget)
{
    if (d->ch[n].op.flags & PT_FLAG_UNTRANSLATED) {
        entry->untranslated = true;
        if (!ats_function_may_request(&d->fn) ||
            !ats_function_pasid_ok(&d->fn, side->acc.pasid, false, false)) {
            pt_end(d, n, PT_ST_NOT_ENABLED, side->addr);
            return false;
        }
        return true;
    }
    switch (ats_function_translate(&d->fn, &side->acc, entry, n)) {
    case ATS_OK:
        return true;
    case ATS_ABSENT:
        pt_fault(d, n, side, waited, budget);
        return false;
    case ATS_PENDING:
        pt_set_run(d, n, PT_RUN_TRANSLATION);
        return false;
    case ATS_UR:
        pt_end(d, n, PT_ST_TRANS_UR, side->addr);
        return false;
    case ATS_CA:
        pt_end(d, n, PT_ST_TRANS_CA, side->addr);
        return false;
    default:
        pt_end(d, n, PT_ST_NOT_ENABLED, side->addr);
        return false;
    }
}

static uint32_t pt_in_page(uint64_t addr)
{
    return PT_PAGE - (addr & ~PT_PAGE_MASK);
}

/*
 * Success: knobs that do something else than to translate again
 *
 * Returns: false if there is nothing to be done about the side that faulted.
 */
static bool pt_retry(PriTestdev *d, unsigned int n, bool waited,
                     int32_t *budget)
{
    PtChannel *ch = &d->ch[n];
    PtSide side = pt_op_wants_entry(ch) ? pt_list_side(ch) :
                  pt_op_side(ch, ch->fault_write);

    if ((side.addr & PT_PAGE_MASK) != ch->fault_page) {
        return false;
    }
    if (d->knobs.retry == PT_RETRY_GIVE_UP) {
        pt_end(d, n, PT_ST_RETRY_LIMIT, side.addr);
    } else {
        pt_fault(d, n, &side, waited, budget);
    }
    return true;
}

/* The next entry of a list */
static void pt_fetch(PriTestdev *d, unsigned int n, bool waited,
                     int32_t *budget)
{
    PtChannel *ch = &d->ch[n];
    PtSide side = pt_list_side(ch);
    uint8_t buf[PT_LIST_ENTRY_SIZE];
    AtsTrEntry entry;

    if (!pt_translate(d, n, &side, &entry, waited, budget)) {
        return;
    }
    if (!pt_dma_read(d, &entry, side.acc.pasid, side.addr, buf,
                     sizeof(buf))) {
        pt_end(d, n, PT_ST_DMA_ERROR, side.addr);
        return;
    }
    ch->fault = false;
    ch->answered = false;
    if (!pt_list_take(ch, buf)) {
        qemu_log_mask(LOG_GUEST_ERROR, "pri-testdev: bad entry %u in the list "
                      "of channel %u\n", ch->list_done, n);
        pt_end(d, n, PT_ST_BAD_LIST, side.addr);
    }
}

/* One page of an operation */
static void pt_move(PriTestdev *d, unsigned int n, bool waited,
                    int32_t *budget)
{
    PtChannel *ch = &d->ch[n];
    PtSide src = pt_op_side(ch, false), dst = pt_op_side(ch, true);
    AtsTrEntry from, to;
    uint64_t len = pt_op_left(ch);

    if (pt_op_reads(&ch->op)) {
        len = MIN(len, pt_in_page(src.addr));
    }
    if (pt_op_writes(&ch->op)) {
        len = MIN(len, pt_in_page(dst.addr));
    }

    if (pt_op_reads(&ch->op) &&
        !pt_translate(d, n, &src, &from, waited, budget)) {
        return;
    }
    if (pt_op_writes(&ch->op) &&
        !pt_translate(d, n, &dst, &to, waited, budget)) {
        return;
    }
    pt_transfer(d, n, &src, &from, &dst, &to, len);
}

/* One page or entry of an operation, or one attempt */
static void pt_step(PriTestdev *d, unsigned int n, bool waited,
                    int32_t *budget)
{
    PtChannel *ch = &d->ch[n];

    *budget -= 1;
    if (ch->answered && d->knobs.retry && pt_retry(d, n, waited, budget)) {
        return;
    }
    if (pt_op_wants_entry(ch)) {
        pt_fetch(d, n, waited, budget);
    } else {
        pt_move(d, n, waited, budget);
    }
}

/* -- The bottom half ------------------------------------------------------- */

/*
 * Those who wait for credits try in the order in which they came, until one
 * has to wait on.
 */
static void pt_run_waiters(PriTestdev *d, int32_t *budget)
{
    while (d->sched.wake && *budget > 0) {
        unsigned int n;

        if (!d->sched.n_waiters) {
            d->sched.wake = false;
            return;
        }
        n = d->sched.waiters[0];
        pt_set_run(d, n, PT_RUN_READY);
        pt_step(d, n, true, budget);
        if (d->ch[n].run == PT_RUN_CREDITS) {
            d->sched.wake = false;
        }
    }
}

static void pt_run_ready(PriTestdev *d, int32_t *budget)
{
    while (d->sched.ready && *budget > 0) {
        int32_t turn = MIN(*budget, PT_TURN_PAGES);
        int32_t left = turn;
        unsigned int n = d->sched.next_channel;

        d->sched.next_channel = (d->sched.next_channel + 1) % d->n_channels;
        while (left > 0 && (d->sched.ready & (1ULL << n))) {
            pt_step(d, n, false, &left);
        }
        *budget -= turn - left;
    }
}

void pt_channels_run(PriTestdev *d)
{
    int32_t budget = PT_BH_PAGES;

    pt_run_waiters(d, &budget);
    pt_run_ready(d, &budget);
}

/* -- Commands -------------------------------------------------------------- */

void pt_channel_command(PriTestdev *d, unsigned int n, uint32_t cmd)
{
    PtChannel *ch = &d->ch[n];

    if (cmd == PT_OP_ABORT) {
        pt_abort(d, n);
        return;
    }
    if (ch->run != PT_RUN_STOPPED || pt_in_soft_reset(d)) {
        ch->refused++;
        qemu_log_mask(LOG_GUEST_ERROR, "pri-testdev: channel %u is running "
                      "or in reset\n", n);
        return;
    }

    ch->op = ch->next;
    ch->op.cmd = cmd;
    trace_pri_testdev_start(DEVICE(d)->id, n, cmd, ch->op.flags, ch->op.pasid,
                            ch->op.src, ch->op.dst, ch->op.len);
    ch->crc = 0;
    ch->done = 0;
    ch->list_done = 0;
    memset(&ch->piece, 0, sizeof(ch->piece));
    ch->resp_code = 0;
    ch->requests = 0;
    ch->groups = 0;
    ch->err_addr = 0;
    ch->fault = false;
    ch->answered = false;
    pt_log(d, PT_LOG_START, pt_op_pasid(&ch->op), n, pt_op_position(ch), cmd);
    if (cmd == PT_OP_NOP) {
        pt_end(d, n, PT_ST_DONE, 0);
    } else if (!pt_op_valid(d, &ch->op)) {
        qemu_log_mask(LOG_GUEST_ERROR,
                      "pri-testdev: bad command %u for channel %u\n", cmd, n);
        pt_end(d, n, PT_ST_BAD_COMMAND, 0);
    } else if (pt_stopping(&d->stop, &ch->op)) {
        pt_end(d, n, PT_ST_ABORTED, pt_op_position(ch));
    } else {
        ch->status = PT_ST_RUNNING;
        pt_set_run(d, n, PT_RUN_READY);
    }
}
