/*
 * VT-d queued invalidation: wait descriptors that cannot complete yet, for the
 * invalidation queue
 *
 * VT-d 6.5.2.9
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_I386_INTEL_IOMMU_INVWAIT_H
#define HW_I386_INTEL_IOMMU_INVWAIT_H

#include "hw/i386/intel_iommu.h"

/* A wait descriptor that was fetched and is not complete */
struct VTDInvWait {
    uint64_t lo;
    uint64_t hi;
    uint64_t seq;           /* invalidations up to this one come first */
    bool pd_armed;          /* @pd_seq is valid */
    uint64_t pd_seq;        /* with PD=1: page requests that come first */
    bool ready;             /* its turn has come, at @due it reports */
    int64_t due;            /* virtual clock, ns */
    VTDEventStage stage;    /* of its report, which is an event */
    QTAILQ_ENTRY(VTDInvWait) next;
};

extern const struct VMStateDescription vmstate_vtd_inv_wait;

/**
 * vtd_inv_wait_take: complete a wait descriptor, or keep it
 *
 * @let: for a report that is an event and was kept: call vtd_inv_wait_let()
 *       and go on
 */
void vtd_inv_wait_take(IntelIOMMUState *s, uint64_t lo, uint64_t hi,
                       AtsEventFn *let);

/**
 * vtd_inv_wait_report: complete those at the front that can be
 */
void vtd_inv_wait_report(IntelIOMMUState *s, AtsEventFn *let);

/**
 * vtd_inv_wait_let: the report that was kept first may happen
 */
void vtd_inv_wait_let(IntelIOMMUState *s);

/**
 * vtd_inv_wait_blocks: may nothing be fetched because of what is kept?
 */
bool vtd_inv_wait_blocks(IntelIOMMUState *s);

/**
 * vtd_inv_wait_abort_all: an invalidation has timed out, VT-d 6.5.2.11
 */
void vtd_inv_wait_abort_all(IntelIOMMUState *s);

void vtd_inv_wait_reset(IntelIOMMUState *s);

/**
 * vtd_inv_wait_valid: is what was migrated possible?
 */
bool vtd_inv_wait_valid(const VTDQi *qi);

#endif /* HW_I386_INTEL_IOMMU_INVWAIT_H */
