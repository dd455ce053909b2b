/*
 * VT-d device-TLB invalidation: ITags, completions, and waits behind them
 *
 * VT-d 4.3, 6.5.2, 7.7
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_I386_INTEL_IOMMU_DEVTLB_H
#define HW_I386_INTEL_IOMMU_DEVTLB_H

#include "hw/pci/ats_actor.h"
#include "hw/pci/ats_link.h"
#include "hw/i386/vtd-knobs.h"
#include "qemu/queue.h"
#include "qemu/timer.h"

typedef struct IntelIOMMUState IntelIOMMUState;
typedef union VTDInvDesc VTDInvDesc;
typedef struct VTDInvWait VTDInvWait;
typedef struct VTDDevTlbFn VTDDevTlbFn;

/* IQERCD_REG.IQEI, VT-d 11.4.9.10 */
typedef enum VTDIqei {
    VTD_IQEI_NONE = 0,
    VTD_IQEI_TAIL = 1,          /* IQT beyond the queue */
    VTD_IQEI_FETCH = 2,         /* descriptor could not be read */
    VTD_IQEI_TYPE = 3,          /* no such descriptor type */
    VTD_IQEI_RSVD = 4,          /* reserved field */
    VTD_IQEI_WIDTH = 5,         /* descriptor width against mode */
    VTD_IQEI_TAIL_RSVD = 6,     /* IQT bit 4 with 256-bit descriptors */
    VTD_IQEI_TTM = 7,           /* TTM is reserved */
} VTDIqei;

/*
 * Counters of device-TLB invalidation; read with qom-get as "x-devtlb-<name>".
 * X(field, what it counts)
 */
#define VTD_DEVTLB_COUNTERS(X) \
    X(requests,      "Invalidate Requests sent") \
    X(completions,   "invalidations completed") \
    X(unexpected,    "Invalidate Completions that matched no ITag") \
    X(refused,       "Invalidate Completions that came while TES=0") \
    X(deferred,      "times a request waited for a free ITag") \
    X(waits_held,    "wait descriptors that could not complete at once") \
    X(timeouts,      "invalidations that timed out") \
    X(waits_aborted, "wait descriptors aborted by a time-out")

/* What has become of an event that may be kept (hw/pci/ats_actor.h) */
typedef enum VTDEventStage {
    VTD_EVENT_TO_COME,
    VTD_EVENT_KEPT,
    VTD_EVENT_LET,
} VTDEventStage;

/**
 * struct VTDDevTlb - device-TLB invalidations under way
 *
 * @functions: functions that have ITags in use
 * @waits: fetched wait descriptors that are not complete, in queue order; at
 *         most knob wait-depth of them
 * @n_waits: length of @waits
 * @timer: virtual clock; the first ITag that times out
 * @wait_timer: virtual clock; the first of what a delay knob keeps back
 * @outstanding: ITags in use
 * @seq: number of the last invalidation issued
 * @iqei: what to report if the descriptor being executed is refused
 * @inject: bits of FSTS that knob inject-at will set
 * @desc_due: when the descriptor at IQH has taken desc-delay-us, ns; or 0
 * @desc_stage: of the event that the descriptor at IQH is
 * @stalled: the descriptor at IQH waits for a free ITag or for its time
 * @fetching: the queue is being walked further up the stack
 */
typedef struct VTDDevTlb {
    QTAILQ_HEAD(, VTDDevTlbFn) functions;
    QTAILQ_HEAD(, VTDInvWait) waits;
    uint32_t n_waits;
    uint32_t outstanding;
    QEMUTimer *timer;
    QEMUTimer *wait_timer;
    uint64_t seq;
    uint32_t inject;
    int64_t desc_due;
    VTDEventStage desc_stage;
    uint8_t iqei;
    bool stalled;
    bool fetching;
#define VTD_DEVTLB_COUNTER_FIELD(field, text) uint64_t field;
    VTD_DEVTLB_COUNTERS(VTD_DEVTLB_COUNTER_FIELD)
#undef VTD_DEVTLB_COUNTER_FIELD
} VTDDevTlb;

extern const struct VMStateDescription vmstate_vtd_devtlb;

void vtd_devtlb_realize(IntelIOMMUState *s);
void vtd_devtlb_reset(IntelIOMMUState *s);

/**
 * vtd_devtlb_may_fetch: may the invalidation queue fetch a descriptor now?
 */
bool vtd_devtlb_may_fetch(IntelIOMMUState *s);

/**
 * vtd_devtlb_invalidate: send an Invalidate Request to a function on the link
 *
 * @pasid: or ATS_NO_PASID; @addr, @size, @global: as in the descriptor
 * @mip: Max Invalidations Pending of the descriptor, 0 is 32 (VT-d 6.5.2.5)
 *
 * Returns: true if the request was sent or none is, because the function has
 * QEMU's notifiers;
 * false if it must wait for an ITag: the descriptor stays at IQH.
 */
bool vtd_devtlb_invalidate(IntelIOMMUState *s, uint16_t rid, uint32_t pasid,
                           uint64_t addr, bool size, bool global,
                           unsigned int mip);

/**
 * vtd_devtlb_completion: an Invalidate Completion arrived (AtsAgentOps)
 */
void vtd_devtlb_completion(IntelIOMMUState *s, const AtsMsg *msg);

/**
 * vtd_devtlb_nothing_under_way: may a wait descriptor report at once?
 *
 * Almost always, so this asks no more than it must.  @pd: its PD flag
 */
static inline bool vtd_devtlb_nothing_under_way(const VTDDevTlb *devtlb,
                                                const VTDKnobs *knobs,
                                                bool pd)
{
    return likely(!(devtlb->outstanding | devtlb->n_waits | pd |
                    knobs->wait_hold | knobs->wait_delay | ats_actor_on));
}

/**
 * vtd_devtlb_wait: a valid wait descriptor was fetched, and something is under
 * way that it may have to wait for
 *
 * It completes now, or when what it waits for is done.
 */
void vtd_devtlb_wait(IntelIOMMUState *s, const VTDInvDesc *desc);

/**
 * vtd_devtlb_errors_cleared: software wrote FSTS; was @old before
 *
 * When ITE goes, fetching goes on at IQH (VT-d 6.5.2.11).
 */
void vtd_devtlb_errors_cleared(IntelIOMMUState *s, uint32_t old);

/**
 * vtd_devtlb_inject: report an error that did not happen
 *
 * @bit: VTD_FSTS_ITE or VTD_FSTS_ICE, with the source id of its knob; now, or
 * after as many descriptors as inject-at says
 */
void vtd_devtlb_inject(IntelIOMMUState *s, uint32_t bit);

/**
 * vtd_devtlb_each_desc: is there a knob that looks at each descriptor, or
 * somebody who decides on events?
 *
 * If not, none of the following three need be called.
 */
static inline bool vtd_devtlb_each_desc(const VTDKnobs *knobs)
{
    return unlikely(knobs->inject_iqe | knobs->inject_at | knobs->desc_delay |
                    ats_actor_on);
}

/**
 * vtd_devtlb_desc_anew: what is at IQH has not waited yet
 */
void vtd_devtlb_desc_anew(IntelIOMMUState *s);

/**
 * vtd_devtlb_inject_iqe: false if inject-iqe stops the queue at this descriptor
 */
bool vtd_devtlb_inject_iqe(IntelIOMMUState *s);

/**
 * vtd_devtlb_desc_due: false if the descriptor of @type at IQH is to wait
 *
 * It stays where it is, and fetching goes on when desc-delay-us have passed.
 */
bool vtd_devtlb_desc_due(IntelIOMMUState *s, uint8_t type);

/**
 * vtd_devtlb_executed: a descriptor was executed, or deferred
 */
void vtd_devtlb_executed(IntelIOMMUState *s);

/**
 * vtd_devtlb_qi_abort: software disables the queue while it is not quiet
 *
 * Waits that were fetched never report.  Invalidations that are outstanding are
 * forgotten: their ITags come back with their completions or after their
 * time-out, without an error (knob qie-busy; VT-d 6.5.2 says nothing).
 *
 * Returns: false if QIES has to stay set.
 */
bool vtd_devtlb_qi_abort(IntelIOMMUState *s);

/**
 * vtd_devtlb_idle: is nothing of the invalidation queue under way?
 */
bool vtd_devtlb_idle(IntelIOMMUState *s);

/**
 * vtd_devtlb_kick: something that a wait may wait for has happened
 *
 * Completes the waits that can be, then goes on fetching.
 */
void vtd_devtlb_kick(IntelIOMMUState *s);

#endif /* HW_I386_INTEL_IOMMU_DEVTLB_H */
