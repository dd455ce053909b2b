/*
 * A translation agent's ITags: invalidations that are on their way
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "qemu/log.h"
#include "hw/pci/ats_itag.h"

void ats_itags_init(AtsItags *t, const AtsItagOps *ops, void *opaque)
{
    memset(t, 0, sizeof(*t));
    t->ops = ops;
    t->opaque = opaque;
    QTAILQ_INIT(&t->functions);
}

void ats_itags_reset(AtsItags *t)
{
    AtsItagFn *fn, *next;

    QTAILQ_FOREACH_SAFE(fn, &t->functions, next, next) {
        QTAILQ_REMOVE(&t->functions, fn, next);
        g_free(fn);
    }
    t->outstanding = 0;
    t->ops->alarm(t->opaque, ATS_ITAG_NEVER);
}

static AtsItagFn *ats_itags_find(const AtsItags *t, uint16_t rid)
{
    AtsItagFn *fn;

    QTAILQ_FOREACH(fn, &t->functions, next) {
        if (fn->rid == rid) {
            return fn;
        }
    }
    return NULL;
}

static void ats_itags_free(AtsItags *t, AtsItagFn *fn, unsigned int itag)
{
    fn->used &= ~(1u << itag);
    fn->forgotten &= ~(1u << itag);
    t->outstanding--;
    if (!fn->used) {
        QTAILQ_REMOVE(&t->functions, fn, next);
        g_free(fn);
    }
}

/* -- Requests -------------------------------------------------------------- */

/* A function with a free tag, or NULL if there is none now */
static AtsItagFn *ats_itags_room(AtsItags *t, uint16_t rid, unsigned int limit)
{
    unsigned int n = 0;
    AtsItagFn *fn;

    QTAILQ_FOREACH(fn, &t->functions, next) {
        if (fn->rid == rid) {
            return (unsigned int)ctpop32(fn->used) < limit ? fn : NULL;
        }
        n++;
    }
    if (n >= ATS_ITAG_FUNCTIONS_MAX) {
        return NULL;
    }
    fn = g_new0(AtsItagFn, 1);
    fn->rid = rid;
    QTAILQ_INSERT_TAIL(&t->functions, fn, next);
    return fn;
}

/*
 * Everything about the tag is set before the request is sent: the link may
 * bring the completion before it returns.
 */
bool ats_itags_send(AtsItags *t, AtsMsg *msg, unsigned int limit,
                    int64_t timeout)
{
    int64_t deadline = timeout ? t->ops->now(t->opaque) + timeout :
                       ATS_ITAG_NEVER;
    AtsItagFn *fn = ats_itags_room(t, msg->rid, limit);

    if (!fn) {
        t->deferred++;
        return false;
    }
    msg->kind = ATS_MSG_INV_REQUEST;
    msg->itag = ctz32(~fn->used);
    fn->used |= 1u << msg->itag;
    fn->seq[msg->itag] = ++t->seq;
    fn->copies[msg->itag] = 0;
    fn->deadline[msg->itag] = deadline;
    t->outstanding++;
    t->requests++;
    t->ops->send(t->opaque, msg);
    /*
     * The completion may have come already.  If others are outstanding the
     * alarm may be too early for them: then it is set again.
     */
    if (t->outstanding && timeout) {
        t->ops->alarm_by(t->opaque, deadline);
    }
    return true;
}

/* -- Completions ----------------------------------------------------------- */

/*
 * One copy of the completion of one tag: a function with several paths to
 * memory sends as many as Completion Count says, 0 is 8 (PCIe 6.2 10.3.2).
 */
static bool ats_itags_copy(AtsItags *t, uint16_t rid, unsigned int itag,
                           uint8_t cc)
{
    AtsItagFn *fn = ats_itags_find(t, rid);

    if (!fn || !(fn->used & (1u << itag))) {
        qemu_log_mask(LOG_GUEST_ERROR, "ats_itag: %04x completes ITag %u, "
                      "which is not in use\n", rid, itag);
        t->unexpected++;
        t->ops->unexpected(t->opaque, rid, itag);
        return false;
    }
    if (++fn->copies[itag] >= (cc ? cc : 8)) {
        t->completions++;
        t->ops->completed(t->opaque, rid, itag);
        ats_itags_free(t, fn, itag);
    }
    return true;
}

void ats_itags_completion(AtsItags *t, const AtsMsg *msg, bool stop_at_bad)
{
    uint32_t itags = msg->itags;

    while (itags) {
        if (!ats_itags_copy(t, msg->rid, ctz32(itags), msg->cc) &&
            stop_at_bad) {
            break;
        }
        itags &= itags - 1;
    }
    if (!t->outstanding) {
        t->ops->alarm(t->opaque, ATS_ITAG_NEVER);
    }
    t->ops->progress(t->opaque);
}

/*
 * The owner's queue is switched off and waits for nothing any more, but the
 * functions do not know and will answer.  A tag that was free at once could be
 * given to a new request, which the old completion would end before the
 * function has dropped anything (PCIe 6.2 10.3.1).  So it stays in use, and
 * what becomes of it is not reported.
 */
void ats_itags_forget(AtsItags *t)
{
    AtsItagFn *fn;

    QTAILQ_FOREACH(fn, &t->functions, next) {
        fn->forgotten |= fn->used;
    }
}

/*
 * A wait descriptor speaks for the invalidations before it alone (VT-d
 * 6.5.2.9).  Tags come back in any order, so their requests are numbered.
 */
bool ats_itags_done(const AtsItags *t, uint64_t seq)
{
    AtsItagFn *fn;

    QTAILQ_FOREACH(fn, &t->functions, next) {
        uint32_t waited = fn->used & ~fn->forgotten;

        for (; waited; waited &= waited - 1) {
            if (fn->seq[ctz32(waited)] <= seq) {
                return false;
            }
        }
    }
    return true;
}

/* -- Time-outs ------------------------------------------------------------- */

/* Set the alarm to the tag that times out first */
static void ats_itags_arm(AtsItags *t)
{
    int64_t first = ATS_ITAG_NEVER;
    AtsItagFn *fn;

    QTAILQ_FOREACH(fn, &t->functions, next) {
        for (uint32_t used = fn->used; used; used &= used - 1) {
            first = MIN(first, fn->deadline[ctz32(used)]);
        }
    }
    t->ops->alarm(t->opaque, first);
}

static uint32_t ats_itags_expired(const AtsItagFn *fn, int64_t now)
{
    uint32_t expired = 0;

    for (uint32_t used = fn->used; used; used &= used - 1) {
        unsigned int itag = ctz32(used);

        if (fn->deadline[itag] <= now) {
            expired |= 1u << itag;
        }
    }
    return expired;
}

void ats_itags_expire(AtsItags *t)
{
    int64_t now = t->ops->now(t->opaque);
    AtsItagFn *fn, *next;
    bool freed = false;

    QTAILQ_FOREACH_SAFE(fn, &t->functions, next, next) {
        uint32_t expired = ats_itags_expired(fn, now);
        uint32_t forgotten = fn->forgotten;
        uint16_t rid = fn->rid;

        for (; expired; expired &= expired - 1) {
            unsigned int itag = ctz32(expired);
            bool quiet = forgotten & (1u << itag);

            ats_itags_free(t, fn, itag);    /* the last one frees @fn */
            t->timeouts += !quiet;
            t->ops->timed_out(t->opaque, rid, itag, quiet);
            freed |= quiet;
        }
    }
    ats_itags_arm(t);
    if (freed) {
        t->ops->progress(t->opaque);    /* a request may wait for a tag */
    }
}

/* -- Migration ------------------------------------------------------------- */

bool ats_itags_valid(const AtsItags *t)
{
    uint32_t outstanding = 0;
    unsigned int n = 0;
    AtsItagFn *fn;

    QTAILQ_FOREACH(fn, &t->functions, next) {
        if (!fn->used || (fn->forgotten & ~fn->used) ||
            ++n > ATS_ITAG_FUNCTIONS_MAX) {
            return false;
        }
        outstanding += ctpop32(fn->used);
    }
    return outstanding == t->outstanding;
}
