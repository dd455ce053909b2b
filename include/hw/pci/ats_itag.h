/*
 * A translation agent's ITags: invalidations that are on their way
 *
 * An Invalidate Request carries one of 32 tags, its function answers with as
 * many copies of a completion as it says, and the tag is free again when the
 * last copy has come.  A tag whose completions do not come in time is taken
 * back, and the agent is told.  An agent that no longer wants to know forgets:
 * the tags come back as before, but nobody hears of it.
 *
 * An agent (an IOMMU) has one of these for all functions on its link.  The
 * engine knows no IOMMU: what the end of a tag means is for AtsItagOps.
 *
 * Locking: the BQL.  There are no threads, timers or host clocks in this file.
 *
 * PCIe 6.2 10.3.1 to 10.3.4; VT-d 4.3, 6.5.2.11
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_PCI_ATS_ITAG_H
#define HW_PCI_ATS_ITAG_H

#include "hw/pci/ats_link.h"
#include "qemu/queue.h"

/*
 * Functions that may have tags in use at a time: a guest can name 65536 that do
 * not answer.  A request for one more is deferred, as one without a free tag.
 */
#define ATS_ITAG_FUNCTIONS_MAX  256

/* A time that does not come */
#define ATS_ITAG_NEVER          INT64_MAX

/**
 * struct AtsItagOps - the agent
 *
 * None of them may call the engine, but for @send and @progress, which may
 * bring completions and send requests.
 *
 * @now: virtual clock, ns
 * @alarm: call ats_itags_expire() at @due, or not at all (ATS_ITAG_NEVER)
 * @alarm_by: call it at @due or before: what was set stays if it comes sooner
 * @send: a request goes out; @msg is complete
 * @completed: the last copy has come
 * @unexpected: a completion names a tag that is not in use
 * @timed_out: the completions have not come; @forgotten: nobody waits for them
 * @progress: what waits for a tag, or for a completion, may go on
 */
typedef struct AtsItagOps {
    int64_t (*now)(void *opaque);
    void (*alarm)(void *opaque, int64_t due);
    void (*alarm_by)(void *opaque, int64_t due);
    void (*send)(void *opaque, const AtsMsg *msg);
    void (*completed)(void *opaque, uint16_t rid, unsigned int itag);
    void (*unexpected)(void *opaque, uint16_t rid, unsigned int itag);
    void (*timed_out)(void *opaque, uint16_t rid, unsigned int itag,
                      bool forgotten);
    void (*progress)(void *opaque);
} AtsItagOps;

/**
 * struct AtsItagFn - the tags of one function; there is one while it uses any
 *
 * @rid: requester id of the function
 * @used, @forgotten: one bit a tag; @forgotten is part of @used
 * @seq: number of the invalidation
 * @copies: completions that have come
 * @deadline: virtual clock, ns, or ATS_ITAG_NEVER
 */
typedef struct AtsItagFn {
    uint16_t rid;
    uint32_t used;
    uint32_t forgotten;
    uint64_t seq[ATS_ITAG_NR];
    uint8_t copies[ATS_ITAG_NR];
    int64_t deadline[ATS_ITAG_NR];
    QTAILQ_ENTRY(AtsItagFn) next;
} AtsItagFn;

/* X(field, what it counts) */
#define ATS_ITAG_COUNTERS(X) \
    X(requests,      "Invalidate Requests sent") \
    X(completions,   "invalidations completed") \
    X(unexpected,    "Invalidate Completions that matched no ITag") \
    X(deferred,      "times a request waited for a free ITag") \
    X(timeouts,      "invalidations that timed out")

/**
 * struct AtsItags - the engine
 *
 * @functions: those with tags in use, at most ATS_ITAG_FUNCTIONS_MAX
 * @outstanding: tags in use
 * @seq: number of the last invalidation that was sent; the first has 1
 */
typedef struct AtsItags {
    const AtsItagOps *ops;
    void *opaque;
    QTAILQ_HEAD(, AtsItagFn) functions;
    uint32_t outstanding;
    uint64_t seq;
#define ATS_ITAG_COUNTER_FIELD(field, text) uint64_t field;
    ATS_ITAG_COUNTERS(ATS_ITAG_COUNTER_FIELD)
#undef ATS_ITAG_COUNTER_FIELD
} AtsItags;

void ats_itags_init(AtsItags *t, const AtsItagOps *ops, void *opaque);

/**
 * ats_itags_reset: no tag is in use; counters and numbers stay
 */
void ats_itags_reset(AtsItags *t);

/**
 * ats_itags_send: send an Invalidate Request
 *
 * @msg: the request but for its kind and tag, which are set here
 * @limit: tags of its function that may be in use, 1..ATS_ITAG_NR
 * @timeout: nanoseconds until it times out; 0: never
 *
 * Returns: false if there is no tag for it now; it is counted as deferred, and
 * @progress says when to try again.
 */
bool ats_itags_send(AtsItags *t, AtsMsg *msg, unsigned int limit,
                    int64_t timeout);

/**
 * ats_itags_completion: an Invalidate Completion has arrived
 *
 * @stop_at_bad: a tag that is not in use ends the processing of the message;
 *               otherwise the tags behind it count (VT-d 4.3)
 */
void ats_itags_completion(AtsItags *t, const AtsMsg *msg, bool stop_at_bad);

/**
 * ats_itags_forget: nobody waits for what is outstanding
 *
 * It counts as done, and its tags come back with their completions, or without
 * an error when it is their time.
 */
void ats_itags_forget(AtsItags *t);

/**
 * ats_itags_expire: it is the time that was set with @alarm
 */
void ats_itags_expire(AtsItags *t);

/**
 * ats_itags_done: are all invalidations up to number @seq complete?
 */
bool ats_itags_done(const AtsItags *t, uint64_t seq);

/**
 * ats_itags_valid: can what was migrated have come about?
 */
bool ats_itags_valid(const AtsItags *t);

#endif /* HW_PCI_ATS_ITAG_H */
