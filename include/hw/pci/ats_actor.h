/*
 * What happens outside the guest's CPUs, as events that somebody can decide on
 *
 * Messages of the link, entries of queues, interrupts, timers and bottom
 * halves pass here before they happen, if there is a decider: it lets each
 * happen now or keeps it until it is released.  Without one nothing is asked
 * and nothing is kept.  Nothing is known here of the decider (it is the
 * schedule machine); what an event does is known to the caller.
 *
 * Order: an event that is kept keeps back those behind it that hardware must
 * not let pass (PCIe 6.2 2.4.1), per lane:
 *
 *   up      page requests, completions of invalidations, writes and interrupts
 *           of one function, all of them posted, in the order they were sent
 *   down    responses and invalidations to one function in that order; a
 *           Translation Completion does not pass them, they may pass it
 *   IOMMU   page requests in their queue, reports of waits, descriptors and
 *           interrupts: each kind in order, interrupts also behind page
 *           requests and reports
 *
 * Events happen where nothing else of the device is on the stack: kept ones
 * when they are released, which the decider does between two guest
 * instructions.
 *
 * Locking: the BQL.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_PCI_ATS_ACTOR_H
#define HW_PCI_ATS_ACTOR_H

/*
 * X(kind, name in a plan, what happens): kinds of events.  Each kind counts its
 * events from 1.
 */
#define ATS_EVENTS(X) \
    X(PAGE_REQUEST,   "pr",    "Page Request message, stop markers included") \
    X(PRG_RESPONSE,   "resp",  "PRG Response message") \
    X(INV_REQUEST,    "inv",   "Invalidate Request message") \
    X(INV_COMPLETION, "cpl",   "Invalidate Completion message") \
    X(TRANSLATION,    "tr",    "Translation Completion") \
    X(PRQ_WRITE,      "prq",   "page request written to its queue") \
    X(DESCRIPTOR,     "desc",  "invalidation descriptor executed") \
    X(WAIT,           "wait",  "wait descriptor reports") \
    X(MSI,            "msi",   "message-signalled interrupt") \
    X(DMA_WRITE,      "dma",   "posted write of a device") \
    X(TIMER,          "timer", "timer of a device or the IOMMU") \
    X(BH,             "bh",    "bottom half of a device") \
    X(PRQ_DRAIN,      "pd",    "wait with PD=1 waits for page requests")

#define ATS_EVENT_ENUM(kind, name, what) ATS_EVENT_##kind,
typedef enum AtsEventKind {
    ATS_EVENTS(ATS_EVENT_ENUM)
    ATS_EVENT_KIND_NR,
} AtsEventKind;
#undef ATS_EVENT_ENUM

/* A lane is the requester id of a function, or the IOMMU itself */
#define ATS_LANE_IOMMU      UINT32_MAX

/* Events that can be kept; one more lets all of them happen */
#define ATS_KEPT_MAX        1024

typedef enum AtsActorVerdict {
    ATS_ACTOR_NOW,
    ATS_ACTOR_KEEP,         /* until ats_actor_release() */
    ATS_ACTOR_LOSE,         /* broken hardware */
    ATS_ACTOR_TWICE,        /* broken hardware */
} AtsActorVerdict;

/**
 * struct AtsActorOps - the decider
 *
 * @judge: event @n of @kind comes up: what becomes of it?  It may be kept for
 *         its lane all the same
 * @happens: it happens (or is lost, or forgotten) now
 */
typedef struct AtsActorOps {
    AtsActorVerdict (*judge)(AtsEventKind kind, uint64_t n);
    void (*happens)(AtsEventKind kind, uint64_t n);
} AtsActorOps;

/* What an event does; @data is the one that came with it, or a copy */
typedef void AtsEventFn(void *owner, const void *data);

extern bool ats_actor_on;

/**
 * ats_actor_set: there is a decider from now on, or none
 *
 * What is kept happens first; numbers begin at 1 again.
 *
 * @ops: NULL: none
 * @ordered: keep the order of the lanes; false is broken hardware
 */
void ats_actor_set(const AtsActorOps *ops, bool ordered);

/* For ats_actor_event() alone */
bool ats_actor_pass(AtsEventKind kind, uint32_t lane, void *owner,
                    AtsEventFn *fn, const void *data, size_t len);

/**
 * ats_actor_event: something is about to happen
 *
 * @kind: what
 * @lane: whose order it keeps
 * @owner: given to @fn; ats_actor_forget() knows the event by it
 * @fn: does it
 * @data, @len: given to @fn; copied if the event is kept
 *
 * Returns: true if that is taken care of; false: the caller does it now.
 */
static inline bool ats_actor_event(AtsEventKind kind, uint32_t lane,
                                   void *owner, AtsEventFn *fn,
                                   const void *data, size_t len)
{
    return ats_actor_on &&
           ats_actor_pass(kind, lane, owner, fn, data, len);
}

/**
 * ats_actor_timer: a timer of @owner has expired: @expired() is called, now or
 * when the event happens.  It must do no harm if the timer was set again or
 * stopped meanwhile
 */
void ats_actor_timer(uint32_t lane, void *owner, void (*expired)(void *owner));

/* Something has happened that nobody can keep */
void ats_actor_note(AtsEventKind kind);

/**
 * ats_actor_forget: @owner was reset or goes: what is kept of it is lost.  What
 * was behind it waits for ats_actor_run()
 */
void ats_actor_forget(void *owner);

/**
 * ats_actor_release: event @n of @kind may happen; so it does, and others that
 * waited behind it, unless its lane keeps it back
 */
void ats_actor_release(AtsEventKind kind, uint64_t n);

/**
 * ats_actor_push: something goes that kept events of @kind and @lane must not
 * stay behind: they happen now
 */
void ats_actor_push(AtsEventKind kind, uint32_t lane);

/* For the two below alone */
void ats_actor_push_lane(uint32_t lane, uint32_t kinds);
extern const uint32_t ats_actor_posted;

/**
 * ats_actor_push_posted: a TLP that is no event goes, and passes nothing that
 * function @lane has posted before it, be that a message, an interrupt or a
 * write (PCIe 6.2 2.4.1): what is kept happens now, in order.  It does not on
 * broken hardware.
 *
 * It happens below the caller, whatever it is called from.
 */
static inline void ats_actor_push_posted(uint32_t lane)
{
    if (ats_actor_on) {
        ats_actor_push_lane(lane, ats_actor_posted);
    }
}

/**
 * ats_actor_push_writes: the same up to the last kept write of the function,
 * for what may pass messages but does not pass writes
 */
static inline void ats_actor_push_writes(uint32_t lane)
{
    if (ats_actor_on) {
        ats_actor_push_lane(lane, 1u << ATS_EVENT_DMA_WRITE);
    }
}

/**
 * ats_actor_release_oldest: let the oldest kept event happen
 *
 * Returns: false if none is kept.
 */
bool ats_actor_release_oldest(void);

/**
 * ats_actor_run: let happen what was released and was behind something that has
 * been forgotten
 */
void ats_actor_run(void);

/**
 * ats_actor_flush: let all of them happen, and what they bring about
 */
void ats_actor_flush(void);

/* Is event @n of @kind kept?  How many have come up, how many are kept? */
bool ats_actor_is_kept(AtsEventKind kind, uint64_t n);
uint64_t ats_actor_count(AtsEventKind kind);
uint64_t ats_actor_kept(AtsEventKind kind);

#endif /* HW_PCI_ATS_ACTOR_H */
