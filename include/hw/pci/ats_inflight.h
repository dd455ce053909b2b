/*
 * Translation Requests that have no completion yet
 *
 * As a rule there are none: the completion comes inside the request.  When a
 * rule of the link takes it, the request waits here, and an invalidation that
 * overlaps it marks it: its completion is discarded when it comes.
 *
 * A request has an owner, who has at most one.  A completion that came and was
 * not discarded waits for its owner to take it, and an invalidation can still
 * take it away from him.
 *
 * PCIe 6.2 10.3.3, 10.3.6, 10.3.7
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_PCI_ATS_INFLIGHT_H
#define HW_PCI_ATS_INFLIGHT_H

#include "hw/pci/ats_link.h"
#include "hw/pci/pcie_atc.h"

/* Requests that can be under way; those whose owner has gone count too */
#define ATS_INFLIGHT_NR     128

/* Owners are 0 to ATS_OWNER_NR - 1 */
#define ATS_OWNER_NR        64
#define ATS_NO_OWNER        UINT32_MAX

/* A request that has no Completion Timeout */
#define ATS_INFLIGHT_NEVER  INT64_MAX

typedef enum AtsInflightState {
    ATS_INFLIGHT_FREE,
    ATS_INFLIGHT_WAITING,
    ATS_INFLIGHT_TAGGED,    /* its completion will be discarded */
    ATS_INFLIGHT_DONE,      /* its owner has not taken the result yet */
} AtsInflightState;

/**
 * struct AtsInflightReq - one of them
 *
 * @req: as it was sent
 * @entry, @result: once it is done; @result means something to the owner alone
 * @owner: ATS_NO_OWNER if he does not want it any more
 * @due: when it times out, QEMU_CLOCK_VIRTUAL in ns, or ATS_INFLIGHT_NEVER
 * @narrow: something of its PASID was invalidated beside it, so what is larger
 *          than the request must not be cached
 */
typedef struct AtsInflightReq {
    AtsTrReq req;
    AtsTrEntry entry;
    int64_t due;
    uint32_t owner;
    uint32_t result;
    uint8_t state;
    bool narrow;
} AtsInflightReq;

/**
 * struct AtsInflight - all of a function
 *
 * @n: in use
 * @last_tag: tag of the last request; tags survive resets, so that a late
 *            completion meets nothing
 * @starved: one bit an owner who was refused
 */
typedef struct AtsInflight {
    AtsInflightReq slot[ATS_INFLIGHT_NR];
    uint32_t n;
    uint32_t last_tag;
    uint64_t starved;
} AtsInflight;

/**
 * ats_inflight_tag: tag for a request of @owner, or ATS_TR_NO_TAG if there is
 * no room; then the owner is starved
 */
uint32_t ats_inflight_tag(AtsInflight *t, uint32_t owner);

/**
 * ats_inflight_add: @req was sent, and is pending until @due
 */
void ats_inflight_add(AtsInflight *t, const AtsTrReq *req, uint32_t owner,
                      int64_t due);

/**
 * ats_inflight_due: when the first request will time out, or
 * ATS_INFLIGHT_NEVER
 */
int64_t ats_inflight_due(const AtsInflight *t);

/**
 * ats_inflight_expired: a request without a completion that is due at @now, or
 * NULL
 */
AtsInflightReq *ats_inflight_expired(AtsInflight *t, int64_t now);

/**
 * ats_inflight_find: the request that a completion with @tag belongs to, or
 * NULL
 */
AtsInflightReq *ats_inflight_find(AtsInflight *t, uint32_t tag);

/**
 * ats_inflight_of: the request of @owner, or NULL
 */
AtsInflightReq *ats_inflight_of(AtsInflight *t, uint32_t owner);

/**
 * ats_inflight_free: it is over
 *
 * Returns: the owners who were refused meanwhile, one bit each; they should
 * try again.
 */
uint64_t ats_inflight_free(AtsInflight *t, AtsInflightReq *r);

/**
 * ats_inflight_abandon: @owner wants nothing any more
 *
 * Returns: as ats_inflight_free()
 */
uint64_t ats_inflight_abandon(AtsInflight *t, uint32_t owner);

/**
 * ats_inflight_invalidate: an Invalidate Request has come; arguments are those
 * of pcie_atc_invalidate()
 *
 * @stu: size of the Smallest Translation Unit minus one
 */
void ats_inflight_invalidate(AtsInflight *t, const PcieAtc *atc, uint64_t stu,
                             uint32_t pasid, uint64_t base, uint64_t last,
                             bool global);

/**
 * ats_inflight_flush: what empties the ATC discards all completions
 * ats_inflight_flush_pasid: the same for one PASID
 */
void ats_inflight_flush(AtsInflight *t);
void ats_inflight_flush_pasid(AtsInflight *t, uint32_t pasid);

/**
 * ats_inflight_forget: reset: completions will find no request
 */
void ats_inflight_forget(AtsInflight *t);

/**
 * ats_inflight_waiting: requests without a completion
 */
uint32_t ats_inflight_waiting(const AtsInflight *t);

#endif /* HW_PCI_ATS_INFLIGHT_H */
