/*
 * VT-d: translation requests, and the translated requests that follow them
 *
 * A Translation Request that comes over the link is answered with a completion
 * status and, if that is Success, with the permissions that the page tables
 * grant.  A page that is absent is not a fault: the answer is Success without
 * permissions and the endpoint may ask for the page (VT-d 7.1.2).  What table
 * 30 answers with UR or CA is recorded as a non-recoverable fault.
 *
 * A Translated Request is not translated again.  But the function must still be
 * allowed to send it: what has become of its context entry counts, whatever its
 * device-TLB holds (VT-d 4.2.5).
 *
 * Locking: called under the BQL; takes iommu_lock around the translation.
 *
 * VT-d 3.6, 3.7, 4.2, 7.1.2, 7.1.3
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/lockable.h"
#include "hw/i386/intel_iommu.h"
#include "intel_iommu_internal.h"
#include "intel_iommu_translate.h"
#include "intel_iommu_walk.h"
#include "trace.h"

/* Success without any permission: nothing to cache, VT-d 7.1.2 */
static AtsTrStatus vtd_ats_nothing(const VTDXlatReq *req, AtsTrEntry *entry)
{
    entry->iova = req->addr & ~0xfffULL;
    entry->mask = 0xfff;
    return ATS_TR_SUCCESS;
}

static AtsTrStatus vtd_ats_fault(IntelIOMMUState *s, const VTDXlatReq *req,
                                 int reason, bool fpd, AtsTrEntry *entry)
{
    AtsTrStatus status = vtd_sm_fault_tr_status(reason);

    if (vtd_sm_fault_tr_recorded(reason)) {
        trace_vtd_ats_fault(req->rid, req->pasid, req->addr, reason, fpd);
        if (!fpd || !vtd_sm_fault_qualified(reason)) {
            vtd_xlat_record(s, req, reason);
        }
    }
    return status == ATS_TR_SUCCESS ? vtd_ats_nothing(req, entry) : status;
}

/* -- legacy mode ----------------------------------------------------------- */

/* The context entry, and LCT.5: does it let translation requests through? */
static int vtd_ats_legacy_context(IntelIOMMUState *s, const VTDXlatReq *req,
                                  VTDContextEntry *ce)
{
    int reason;

    if (req->pasid != ATS_NO_PASID) {
        return VTD_FR_RTA_2;
    }
    reason = -vtd_dev_to_context_entry(s, req->rid >> 8, req->rid & 0xff, ce);
    if (!reason &&
        (ce->lo & VTD_CONTEXT_ENTRY_TT) != VTD_CONTEXT_TT_DEV_IOTLB) {
        reason = VTD_FR_CONTEXT_ENTRY_TT;
    }
    return reason;
}

static int vtd_ats_legacy(IntelIOMMUState *s, const VTDXlatReq *req, VTDXlat *x)
{
    VTDContextEntry ce = {};
    VTDLeaf leaf;
    int reason = vtd_ats_legacy_context(s, req, &ce);

    x->fpd = ce.lo & VTD_CONTEXT_ENTRY_FPD;
    if (reason) {
        return reason;
    }
    if (vtd_addr_is_interrupt(req->addr)) {
        x->write = x->untranslated_only = req->write;       /* S.1, S.2 */
        x->mask = 0xfff;
        return 0;
    }
    if (!vtd_xlat_lookup(s, req, x)) {
        reason = vtd_ss_walk(s, false, ce.lo & VTD_CONTEXT_ENTRY_SLPTPTR,
                             ce.hi & VTD_CONTEXT_ENTRY_AW, req->addr, &leaf) ?:
                 vtd_xlat_finish(s, req, false, &leaf, ATS_NO_PASID,
                                 VTD_CONTEXT_ENTRY_DID(ce.hi),
                                 VTD_SM_PASID_ENTRY_SLT, x);
    }
    x->non_snooped = x->snoop;
    return reason;
}

/* -- the completion -------------------------------------------------------- */

AtsTrStatus vtd_ats_translate(IntelIOMMUState *s, const AtsTrReq *req,
                              AtsTrEntry *entry)
{
    VTDXlatReq xreq = {
        .addr = req->addr,
        .pasid = req->pasid,
        .rid = req->rid,
        /* 4.2.3.1: without ECAP.NWFS the flag is ignored */
        .write = !req->no_write || !(s->ecap & VTD_ECAP_NWFS),
        .priv = req->priv,
        .exec = req->exec,
    };
    VTDXlat x = {};
    int reason;

    memset(entry, 0, sizeof(*entry));
    if (!s->dmar_enabled) {
        return ATS_TR_UR;                               /* VT-d 4.2.1 */
    }
    QEMU_LOCK_GUARD(&s->iommu_lock);
    /* A mode that does not exist is a fault of the walk in scalable mode */
    reason = s->svm.ttm == VTD_TTM_LEGACY ? vtd_ats_legacy(s, &xreq, &x) :
                                            vtd_sm_translate(s, &xreq, &x);
    if (reason) {
        return vtd_ats_fault(s, &xreq, reason, x.fpd, entry);
    }
    entry->iova = req->addr & ~x.mask;
    entry->addr = x.addr;
    entry->mask = x.mask;
    entry->read = x.read;
    entry->write = x.write && xreq.write;
    entry->untranslated = x.untranslated_only;
    entry->non_snooped = x.non_snooped && (entry->read || entry->write);
    return ATS_TR_SUCCESS;
}

/* -- translated requests --------------------------------------------------- */

/* May the function send it? */
static int vtd_ats_translated_function(IntelIOMMUState *s,
                                       const VTDXlatReq *req, bool *fpd)
{
    VTDSmWalk walk = { .rid = req->rid, .pasid = ATS_NO_PASID };
    VTDContextEntry ce = {};
    int reason;

    if (s->svm.ttm == VTD_TTM_LEGACY) {
        reason = vtd_ats_legacy_context(s, req, &ce);
        *fpd = ce.lo & VTD_CONTEXT_ENTRY_FPD;
    } else {
        reason = vtd_sm_walk_function(s, &walk);
        *fpd = walk.fpd;
    }
    return reason;
}

/* SGN.4.0 and SGN.8.3, LGN.1.2 and LGN.4 */
static int vtd_ats_translated_address(IntelIOMMUState *s, uint64_t addr)
{
    bool legacy = s->svm.ttm == VTD_TTM_LEGACY;

    if (addr >> s->aw_bits) {
        return legacy ? VTD_FR_ADDR_BEYOND_MGAW : VTD_FR_SGN_4;
    }
    if (vtd_addr_is_interrupt(addr)) {
        return legacy ? VTD_FR_INTERRUPT_ADDR : VTD_FR_SGN_8;
    }
    return 0;
}

bool vtd_ats_translated(IntelIOMMUState *s, uint16_t rid, uint64_t addr,
                        bool write)
{
    VTDXlatReq req = {
        .addr = addr,
        .pasid = ATS_NO_PASID,
        .rid = rid,
        .translated = true,
        .write = write,
    };
    bool fpd = false;
    int reason;

    if (!s->dmar_enabled) {
        return false;                                   /* VT-d 4.2.1 */
    }
    QEMU_LOCK_GUARD(&s->iommu_lock);
    reason = vtd_ats_translated_function(s, &req, &fpd) ?:
             vtd_ats_translated_address(s, addr);
    if (reason) {
        trace_vtd_ats_fault(rid, ATS_NO_PASID, addr, reason, fpd);
        if (!fpd || !vtd_sm_fault_qualified(reason)) {
            vtd_xlat_record(s, &req, reason);
        }
    }
    return !reason;
}
