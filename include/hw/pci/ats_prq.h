/*
 * A translation agent's page requests between "received" and "accepted"
 *
 * A Page Request message goes through these stages, as VT-d 7.7 names them:
 *
 *   received   it has arrived
 *   checked    the agent's tables let it through
 *   accepted   its turn has come to be written to the agent's queue
 *
 * With nothing before it a request needs no place here: the agent checks it,
 * asks ats_prq_at_once() and accepts it in the call that brings the message.  A
 * request that takes time, or that is behind one that does, waits here, in
 * order.  Requests have numbers, so that a drain can wait for all those that
 * came before it (VT-d 7.10).
 *
 * The engine knows no IOMMU: what a check and an acceptance are is for
 * AtsPrqOps.
 *
 * Locking: the BQL.  There are no threads, timers or host clocks in this file.
 *
 * PCIe 6.2 10.4.1; VT-d 7.4.1, 7.7, 7.10
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_PCI_ATS_PRQ_H
#define HW_PCI_ATS_PRQ_H

#include "hw/pci/ats_link.h"
#include "qemu/queue.h"

/* Requests that can wait */
#define ATS_PRQ_PENDING_MAX     65536

/* A time that does not come */
#define ATS_PRQ_NEVER           INT64_MAX

/**
 * struct AtsPrqReq - a request that waits
 *
 * The agent puts it at the beginning of what it knows of the request, allocated
 * with g_new(); the engine frees it.
 *
 * @msg: the message
 * @checked: the tables have let it through
 * @due: of its next step; virtual clock, ns
 */
typedef struct AtsPrqReq {
    AtsMsg msg;
    bool checked;
    int64_t due;
    QTAILQ_ENTRY(AtsPrqReq) next;
} AtsPrqReq;

/**
 * struct AtsPrqOps - the agent
 *
 * @check and @accept may send messages, and so bring new requests, which go to
 * the end; they must not call anything else here but ats_prq_accepted().
 *
 * @now: virtual clock, ns
 * @alarm: call ats_prq_expire() at @due, or not at all (ATS_PRQ_NEVER)
 * @held: are requests that are checked kept back?
 * @delay: nanoseconds that a request waits once it is checked
 * @prepare: take a step that comes before the check: nanoseconds until the next
 *           one, or -1 if there was none left
 * @check: do the tables let it through?  If not, the agent has refused it
 * @accept: its turn has come.  The agent calls ats_prq_accepted() when that is
 *          done, in the call or later
 * @progress: a drain may have come to its end
 */
typedef struct AtsPrqOps {
    int64_t (*now)(void *opaque);
    void (*alarm)(void *opaque, int64_t due);
    bool (*held)(void *opaque);
    int64_t (*delay)(void *opaque);
    int64_t (*prepare)(void *opaque, AtsPrqReq *req);
    bool (*check)(void *opaque, AtsPrqReq *req);
    void (*accept)(void *opaque, const AtsPrqReq *req);
    void (*progress)(void *opaque);
} AtsPrqOps;

/**
 * struct AtsPrq - the engine
 *
 * @pending: requests that wait, in order of arrival
 * @n_pending: how many, at most ATS_PRQ_PENDING_MAX
 * @received: number of the last request that was received
 * @done: requests that need nothing more (written, answered or dropped)
 */
typedef struct AtsPrq {
    const AtsPrqOps *ops;
    void *opaque;
    QTAILQ_HEAD(, AtsPrqReq) pending;
    uint32_t n_pending;
    uint64_t received;
    uint64_t done;
} AtsPrq;

void ats_prq_init(AtsPrq *q, const AtsPrqOps *ops, void *opaque);

/**
 * ats_prq_reset: nothing is pending, every request that came is done with
 */
void ats_prq_reset(AtsPrq *q);

/**
 * ats_prq_may_check: may a request that has just arrived be checked now?
 *
 * Returns: false if it is behind one that is not checked; it is to be appended.
 */
bool ats_prq_may_check(const AtsPrq *q);

/**
 * ats_prq_at_once: is it the turn of a request that has just been checked?
 *
 * Returns: true if it is, then it is received, and the caller accepts it; false
 * if it is to be appended.
 */
bool ats_prq_at_once(AtsPrq *q);

/**
 * ats_prq_full: is there no room for one more?
 */
bool ats_prq_full(const AtsPrq *q);

/**
 * ats_prq_append: a request is received, and waits
 *
 * @req: with @msg and @checked set; there is room for it
 */
void ats_prq_append(AtsPrq *q, AtsPrqReq *req);

/**
 * ats_prq_accepted: one request more needs nothing more
 */
void ats_prq_accepted(AtsPrq *q);

/**
 * ats_prq_expire: it is the time that was set with @alarm
 */
void ats_prq_expire(AtsPrq *q);

/**
 * ats_prq_release: let the first @n requests go on, whatever they wait for
 */
void ats_prq_release(AtsPrq *q, uint64_t n);

/**
 * ats_prq_flush: the same for all, asked for by somebody who looks at progress
 */
void ats_prq_flush(AtsPrq *q);

/**
 * ats_prq_drained: are all requests up to number @seq done with?
 */
bool ats_prq_drained(const AtsPrq *q, uint64_t seq);

/**
 * ats_prq_valid: can what was migrated have come about?
 */
bool ats_prq_valid(const AtsPrq *q);

#endif /* HW_PCI_ATS_PRQ_H */
