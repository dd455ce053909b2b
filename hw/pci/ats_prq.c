/*
 * A translation agent's page requests between "received" and "accepted"
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/pci/ats_prq.h"

void ats_prq_init(AtsPrq *q, const AtsPrqOps *ops, void *opaque)
{
    memset(q, 0, sizeof(*q));
    q->ops = ops;
    q->opaque = opaque;
    QTAILQ_INIT(&q->pending);
}

static void ats_prq_remove(AtsPrq *q, AtsPrqReq *req)
{
    QTAILQ_REMOVE(&q->pending, req, next);
    q->n_pending--;
    g_free(req);
}

/* What is lost counts as done: a drain that waits for it would never end */
void ats_prq_reset(AtsPrq *q)
{
    while (!QTAILQ_EMPTY(&q->pending)) {
        ats_prq_remove(q, QTAILQ_FIRST(&q->pending));
    }
    q->done = q->received;
    q->ops->alarm(q->opaque, ATS_PRQ_NEVER);
}

/* Set the alarm to the first request's next step */
static void ats_prq_arm(AtsPrq *q)
{
    AtsPrqReq *first = QTAILQ_FIRST(&q->pending);
    bool waits = first && !(first->checked && q->ops->held(q->opaque));

    q->ops->alarm(q->opaque, waits ? first->due : ATS_PRQ_NEVER);
}

/* -- Receiving ------------------------------------------------------------- */

/*
 * Requests are checked in the order in which they came, as they are accepted.
 * A group has one response, and were its last request refused before an
 * earlier one is looked at, that one would be queued for a group that has
 * ended.
 */
bool ats_prq_may_check(const AtsPrq *q)
{
    AtsPrqReq *last = QTAILQ_LAST(&q->pending);

    return !last || last->checked;
}

/*
 * Behind one that waits all must wait: software tells the end of a group by
 * the descriptor of its last request, so none may overtake.
 */
bool ats_prq_at_once(AtsPrq *q)
{
    if (!QTAILQ_EMPTY(&q->pending) || q->ops->held(q->opaque) ||
        q->ops->delay(q->opaque)) {
        return false;
    }
    q->received++;
    return true;
}

bool ats_prq_full(const AtsPrq *q)
{
    return q->n_pending >= ATS_PRQ_PENDING_MAX;
}

void ats_prq_append(AtsPrq *q, AtsPrqReq *req)
{
    q->received++;
    req->due = q->ops->now(q->opaque) +
               (req->checked ? q->ops->delay(q->opaque) : 0);
    QTAILQ_INSERT_TAIL(&q->pending, req, next);
    q->n_pending++;
    ats_prq_arm(q);
}

/* -- Going on -------------------------------------------------------------- */

void ats_prq_accepted(AtsPrq *q)
{
    q->done++;
}

/* Check a request that was not: false if it was refused, and is gone */
static bool ats_prq_check(AtsPrq *q, AtsPrqReq *req)
{
    if (!req->checked) {
        if (!q->ops->check(q->opaque, req)) {
            q->done++;
            ats_prq_remove(q, req);
            return false;
        }
        req->checked = true;
        req->due = q->ops->now(q->opaque) + q->ops->delay(q->opaque);
    }
    return true;
}

/*
 * It stays in the list while it is accepted: a request that this brings about
 * goes behind it.
 */
static void ats_prq_accept(AtsPrq *q, AtsPrqReq *req)
{
    q->ops->accept(q->opaque, req);
    ats_prq_remove(q, req);
}

/* The first request takes its next step; it is due */
static void ats_prq_step(AtsPrq *q, AtsPrqReq *req)
{
    int64_t pause;

    if (req->checked) {
        ats_prq_accept(q, req);
        return;
    }
    pause = q->ops->prepare(q->opaque, req);
    if (pause >= 0) {
        req->due = q->ops->now(q->opaque) + pause;
    } else {
        ats_prq_check(q, req);
    }
}

static void ats_prq_progress(AtsPrq *q)
{
    ats_prq_arm(q);
    q->ops->progress(q->opaque);
}

void ats_prq_expire(AtsPrq *q)
{
    int64_t now = q->ops->now(q->opaque);
    AtsPrqReq *req;

    while ((req = QTAILQ_FIRST(&q->pending)) && req->due <= now &&
           !(req->checked && q->ops->held(q->opaque))) {
        ats_prq_step(q, req);
    }
    ats_prq_progress(q);
}

static void ats_prq_first_goes_on(AtsPrq *q)
{
    AtsPrqReq *req = QTAILQ_FIRST(&q->pending);

    if (ats_prq_check(q, req)) {
        ats_prq_accept(q, req);
    }
}

void ats_prq_release(AtsPrq *q, uint64_t n)
{
    while (n-- && !QTAILQ_EMPTY(&q->pending)) {
        ats_prq_first_goes_on(q);
    }
    ats_prq_progress(q);
}

void ats_prq_flush(AtsPrq *q)
{
    while (!QTAILQ_EMPTY(&q->pending)) {
        ats_prq_first_goes_on(q);
    }
}

bool ats_prq_drained(const AtsPrq *q, uint64_t seq)
{
    return q->done >= seq;
}

/* -- Migration ------------------------------------------------------------- */

bool ats_prq_valid(const AtsPrq *q)
{
    uint32_t n = 0;
    AtsPrqReq *req;

    QTAILQ_FOREACH(req, &q->pending, next) {
        n++;
    }
    return n == q->n_pending && n <= ATS_PRQ_PENDING_MAX;
}
