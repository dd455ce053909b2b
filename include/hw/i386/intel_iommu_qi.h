/*
 * VT-d queued invalidation: fetching, waits, errors
 *
 * VT-d 6.5.2, 11.4.9
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_I386_INTEL_IOMMU_QI_H
#define HW_I386_INTEL_IOMMU_QI_H

#include "hw/pci/ats_actor.h"
#include "hw/i386/vtd-knobs.h"
#include "qemu/queue.h"
#include "qemu/timer.h"

typedef struct IntelIOMMUState IntelIOMMUState;
typedef union VTDInvDesc VTDInvDesc;
typedef struct VTDInvWait VTDInvWait;

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

/* X(field, what it counts); read with qom-get as "x-devtlb-<name>" */
#define VTD_QI_COUNTERS(X) \
    X(waits_held,    "wait descriptors that could not complete at once") \
    X(waits_aborted, "wait descriptors aborted by a time-out")

/* What has become of an event that may be kept (hw/pci/ats_actor.h) */
typedef enum VTDEventStage {
    VTD_EVENT_TO_COME,
    VTD_EVENT_KEPT,
    VTD_EVENT_LET,
} VTDEventStage;

/**
 * struct VTDQi - the invalidation queue beyond its registers
 *
 * @waits: fetched wait descriptors that are not complete, in queue order; at
 *         most knob wait-depth of them
 * @n_waits: length of @waits
 * @timer: virtual clock; the first of what a delay knob keeps back
 * @iqei: what to report if the descriptor being executed is refused
 * @inject: bits of FSTS that knob inject-at will set
 * @desc_due: when the descriptor at IQH has taken desc-delay-us, ns; or 0
 * @desc_stage: of the event that the descriptor at IQH is
 * @stalled: the descriptor at IQH waits for a free ITag or for its time
 * @fetching: the queue is being walked further up the stack
 */
typedef struct VTDQi {
    QTAILQ_HEAD(, VTDInvWait) waits;
    uint32_t n_waits;
    QEMUTimer *timer;
    uint32_t inject;
    int64_t desc_due;
    VTDEventStage desc_stage;
    uint8_t iqei;
    bool stalled;
    bool fetching;
#define VTD_QI_COUNTER_FIELD(field, text) uint64_t field;
    VTD_QI_COUNTERS(VTD_QI_COUNTER_FIELD)
#undef VTD_QI_COUNTER_FIELD
} VTDQi;

extern const struct VMStateDescription vmstate_vtd_qi;

void vtd_qi_realize(IntelIOMMUState *s);
void vtd_qi_reset(IntelIOMMUState *s);

/**
 * vtd_qi_fetch: fetch and execute descriptors for as long as that is allowed
 *
 * It is if the queue is enabled and not empty, FSTS has no error that stops it
 * (VT-d 6.5.2.11), and no wait descriptor or missing ITag is in its way.
 */
void vtd_qi_fetch(IntelIOMMUState *s);

/**
 * vtd_qi_wait: a valid wait descriptor was fetched, and something is under way
 * that it may have to wait for
 *
 * It completes now, or when what it waits for is done.
 */
void vtd_qi_wait(IntelIOMMUState *s, const VTDInvDesc *desc);

/**
 * vtd_qi_kick: something that a wait may wait for has happened
 *
 * Completes the waits that can be, then goes on fetching.
 */
void vtd_qi_kick(IntelIOMMUState *s);

/**
 * vtd_qi_error: ITE or ICE becomes 1 in FSTS (VT-d 6.5.2.11)
 *
 * @bit: VTD_FSTS_ITE, which aborts the waits that are kept, or VTD_FSTS_ICE
 * @sid: function that it is about; IQERCD keeps that of the first error
 */
void vtd_qi_error(IntelIOMMUState *s, uint32_t bit, uint16_t sid);

/**
 * vtd_qi_errors_cleared: software wrote FSTS; was @old before
 *
 * When IQE or ITE goes, fetching goes on at IQH (VT-d 6.5.2.11).
 */
void vtd_qi_errors_cleared(IntelIOMMUState *s, uint32_t old);

/**
 * vtd_qi_inject: report an error that did not happen
 *
 * @bit: VTD_FSTS_ITE or VTD_FSTS_ICE, with the source id of its knob; now, or
 * after as many descriptors as inject-at says
 */
void vtd_qi_inject(IntelIOMMUState *s, uint32_t bit);

/**
 * vtd_qi_each_desc: is there a knob that looks at each descriptor, or somebody
 * who decides on events?
 *
 * If not, vtd_qi_desc_due() need not be called.
 */
static inline bool vtd_qi_each_desc(const VTDKnobs *knobs)
{
    return unlikely(knobs->inject_iqe | knobs->inject_at | knobs->desc_delay |
                    ats_actor_on);
}

/**
 * vtd_qi_desc_due: false if the descriptor of @type at IQH is to wait
 *
 * It stays where it is, and fetching goes on when desc-delay-us have passed.
 */
bool vtd_qi_desc_due(IntelIOMMUState *s, uint8_t type);

/**
 * vtd_qi_desc_anew: what is at IQH has not waited yet
 */
void vtd_qi_desc_anew(IntelIOMMUState *s);

/**
 * vtd_qi_abort: software disables the queue while it is not quiet
 *
 * Waits that were fetched never report.  Invalidations that are outstanding are
 * forgotten: their ITags come back with their completions or after their
 * time-out, without an error (knob qie-busy; VT-d 6.5.2 says nothing).
 *
 * Returns: false if QIES has to stay set.
 */
bool vtd_qi_abort(IntelIOMMUState *s);

/**
 * vtd_qi_idle: is nothing of the invalidation queue under way?
 */
bool vtd_qi_idle(IntelIOMMUState *s);

#endif /* HW_I386_INTEL_IOMMU_QI_H */
