/*
 * Translation Requests that have no completion yet
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/pci/ats_inflight.h"
#include "trace.h"

static bool ats_inflight_pending(const AtsInflightReq *r)
{
    return r->state == ATS_INFLIGHT_WAITING || r->state == ATS_INFLIGHT_TAGGED;
}

uint32_t ats_inflight_tag(AtsInflight *t, uint32_t owner)
{
    if (t->n == ATS_INFLIGHT_NR) {
        t->starved |= 1ULL << owner;
        return ATS_TR_NO_TAG;
    }
    do {
        t->last_tag++;
    } while (t->last_tag == ATS_TR_NO_TAG ||
             (t->n && ats_inflight_find(t, t->last_tag)));
    return t->last_tag;
}

void ats_inflight_add(AtsInflight *t, const AtsTrReq *req, uint32_t owner,
                      int64_t due)
{
    for (unsigned int i = 0; i < ATS_INFLIGHT_NR; i++) {
        if (t->slot[i].state == ATS_INFLIGHT_FREE) {
            t->slot[i] = (AtsInflightReq) {
                .req = *req,
                .owner = owner,
                .due = due,
                .state = ATS_INFLIGHT_WAITING,
            };
            t->n++;
            return;
        }
    }
}

AtsInflightReq *ats_inflight_find(AtsInflight *t, uint32_t tag)
{
    for (unsigned int i = 0; t->n && i < ATS_INFLIGHT_NR; i++) {
        if (ats_inflight_pending(&t->slot[i]) && t->slot[i].req.tag == tag) {
            return &t->slot[i];
        }
    }
    return NULL;
}

AtsInflightReq *ats_inflight_of(AtsInflight *t, uint32_t owner)
{
    for (unsigned int i = 0; t->n && i < ATS_INFLIGHT_NR; i++) {
        if (t->slot[i].state != ATS_INFLIGHT_FREE &&
            t->slot[i].owner == owner) {
            return &t->slot[i];
        }
    }
    return NULL;
}

/* -- Completion Timeout, PCIe 6.2 2.8 -------------------------------------- */

int64_t ats_inflight_due(const AtsInflight *t)
{
    int64_t due = ATS_INFLIGHT_NEVER;

    for (unsigned int i = 0; t->n && i < ATS_INFLIGHT_NR; i++) {
        if (ats_inflight_pending(&t->slot[i])) {
            due = MIN(due, t->slot[i].due);
        }
    }
    return due;
}

AtsInflightReq *ats_inflight_expired(AtsInflight *t, int64_t now)
{
    for (unsigned int i = 0; t->n && i < ATS_INFLIGHT_NR; i++) {
        AtsInflightReq *r = &t->slot[i];

        if (ats_inflight_pending(r) && r->due <= now) {
            return r;
        }
    }
    return NULL;
}

/* -- The end of a request -------------------------------------------------- */

uint64_t ats_inflight_free(AtsInflight *t, AtsInflightReq *r)
{
    uint64_t starved = t->starved;

    memset(r, 0, sizeof(*r));
    t->n--;
    t->starved = 0;
    return starved;
}

uint64_t ats_inflight_abandon(AtsInflight *t, uint32_t owner)
{
    AtsInflightReq *r = ats_inflight_of(t, owner);

    t->starved &= ~(1ULL << owner);
    if (!r) {
        return 0;
    }
    if (r->state == ATS_INFLIGHT_DONE) {
        return ats_inflight_free(t, r);
    }
    r->state = ATS_INFLIGHT_TAGGED;
    r->owner = ATS_NO_OWNER;
    return 0;
}

/* -- Invalidations --------------------------------------------------------- */

/* The result is stale.  Its owner is awake and will ask again. */
static void ats_inflight_discard(AtsInflightReq *r)
{
    trace_ats_inflight_tagged(r->req.tag, r->req.pasid, r->req.addr, r->state);
    if (r->state == ATS_INFLIGHT_WAITING) {
        r->state = ATS_INFLIGHT_TAGGED;
    } else if (r->state == ATS_INFLIGHT_DONE) {
        r->result = UINT32_MAX;
    }
}

/* What a request is for, or what has come, as the ATC would have it */
static PcieAtcEntry ats_inflight_entry(const AtsInflightReq *r, uint64_t stu)
{
    bool done = r->state == ATS_INFLIGHT_DONE;

    return (PcieAtcEntry) {
        .iova = (done ? r->entry.iova : r->req.addr) & ~stu,
        .mask = done ? r->entry.mask | stu : stu,
        .pasid = r->req.pasid,
        .priv = r->req.priv,
    };
}

/*
 * PCIe 6.2 10.3.6: one STU from the STU that has the address on.  The TA may
 * answer with more than was asked for; an invalidation of the rest leaves of
 * that what was asked for.
 */
void ats_inflight_invalidate(AtsInflight *t, const PcieAtc *atc, uint64_t stu,
                             uint32_t pasid, uint64_t base, uint64_t last,
                             bool global)
{
    for (unsigned int i = 0; t->n && i < ATS_INFLIGHT_NR; i++) {
        AtsInflightReq *r = &t->slot[i];
        PcieAtcEntry e = ats_inflight_entry(r, stu);

        if (r->state == ATS_INFLIGHT_FREE) {
            continue;
        }
        if (pcie_atc_is_target(atc, &e, pasid, base, last, global)) {
            ats_inflight_discard(r);
        } else if (r->state == ATS_INFLIGHT_WAITING &&
                   pcie_atc_is_target(atc, &e, pasid, 0, UINT64_MAX, global)) {
            r->narrow = true;
        }
    }
}

void ats_inflight_flush(AtsInflight *t)
{
    for (unsigned int i = 0; t->n && i < ATS_INFLIGHT_NR; i++) {
        ats_inflight_discard(&t->slot[i]);
    }
}

void ats_inflight_flush_pasid(AtsInflight *t, uint32_t pasid)
{
    for (unsigned int i = 0; t->n && i < ATS_INFLIGHT_NR; i++) {
        if (t->slot[i].req.pasid == pasid) {
            ats_inflight_discard(&t->slot[i]);
        }
    }
}

void ats_inflight_forget(AtsInflight *t)
{
    memset(t->slot, 0, sizeof(t->slot));
    t->n = 0;
    t->starved = 0;
}

uint32_t ats_inflight_waiting(const AtsInflight *t)
{
    uint32_t waiting = 0;

    for (unsigned int i = 0; t->n && i < ATS_INFLIGHT_NR; i++) {
        waiting += ats_inflight_pending(&t->slot[i]);
    }
    return waiting;
}
