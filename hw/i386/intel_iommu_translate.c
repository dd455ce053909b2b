/*
 * VT-d: one translation for every request with an address
 *
 * Untranslated requests and translation requests, with and without PASID, see
 * the same tables, the same flags and the same IOTLB.  What becomes of the
 * outcome is the business of intel_iommu_ats.c and intel_iommu_untranslated.c.
 *
 * The IOTLB is QEMU's.  An entry is found by requester and PASID of the
 * request (ATS_NO_PASID if it has none) and dropped by domain id and the PASID
 * of its tables, which is RID_PASID then.  It grants W only if the leaf had the
 * Dirty flag; a request that an entry does not permit walks the tables again.
 *
 * Locking: iommu_lock is held.
 *
 * VT-d 3.6 to 3.9, 3.15, 4.2.3, 6.2.4, 7.1.3
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/units.h"
#include "hw/i386/intel_iommu.h"
#include "intel_iommu_internal.h"
#include "intel_iommu_translate.h"
#include "intel_iommu_walk.h"

/* FRCD: VT-d 11.4.7.6 */
#define VTD_FRCD_AT_TRANSLATION (1ULL << 60)
#define VTD_FRCD_AT_TRANSLATED  (2ULL << 60)
#define VTD_FRCD_PRIV           (1ULL << 29)    /* bit 93 */
#define VTD_FRCD_EXE            (1ULL << 30)    /* bit 94 */

void vtd_xlat_record(IntelIOMMUState *s, const VTDXlatReq *req, int reason)
{
    uint64_t hi = VTD_FRCD_SID(req->rid) | VTD_FRCD_FR(reason);
    bool translation = !req->untranslated && !req->translated;

    hi |= translation ? VTD_FRCD_AT_TRANSLATION :
          req->translated ? VTD_FRCD_AT_TRANSLATED : 0;
    /* A translation request is a memory read, whatever it asks for (4.2.1) */
    hi |= req->write && !translation ? 0 : VTD_FRCD_T;
    if (req->pasid != ATS_NO_PASID) {
        hi |= VTD_FRCD_PP(1) | VTD_FRCD_PV((uint64_t)req->pasid);
        hi |= req->priv ? VTD_FRCD_PRIV : 0;
        hi |= req->exec ? VTD_FRCD_EXE : 0;
    }
    vtd_report_frcd_fault(s, req->rid, hi,
                          VTD_FRCD_FI(req->addr & VTD_HAW_MASK(s->aw_bits)));
}

/* Table 10: what of N the leaf decides; without Snoop Control SNP is nothing */
static bool vtd_leaf_snoop(IntelIOMMUState *s, uint64_t pte, uint16_t pgtt)
{
    return s->snoop_control && pgtt != VTD_SM_PASID_ENTRY_FLT &&
           (pte & VTD_SPTE_SNP);
}

/* -- the IOTLB ------------------------------------------------------------- */

/*
 * A translation request gets what the entry grants, unless it asks for a write
 * that may only lack the Dirty flag.
 */
static bool vtd_iotlb_permits(const VTDXlatReq *req, const VTDIOTLBEntry *hit)
{
    if (req->untranslated) {
        return hit->access_flags & (req->write ? IOMMU_WO : IOMMU_RO);
    }
    return !req->write || (hit->access_flags & IOMMU_WO) ||
           hit->pgtt != VTD_SM_PASID_ENTRY_FLT || !(hit->pte & VTD_FL_RW);
}

bool vtd_xlat_lookup(IntelIOMMUState *s, const VTDXlatReq *req, VTDXlat *x)
{
    VTDIOTLBEntry *hit = vtd_lookup_iotlb(s, req->rid, req->pasid, req->addr);

    if (!hit || !vtd_iotlb_permits(req, hit)) {
        return false;
    }
    x->addr = hit->pte & VTD_PT_BASE_ADDR_MASK(s->aw_bits) & hit->mask;
    x->mask = ~hit->mask;
    x->read = hit->access_flags & IOMMU_RO;
    x->write = hit->access_flags & IOMMU_WO;
    x->snoop = vtd_leaf_snoop(s, hit->pte, hit->pgtt);
    return true;
}

/* -- after the page tables ------------------------------------------------- */

/*
 * SGN.8, LGN.4.  For an untranslated request it is its own address that
 * counts; the rest of a large page can be reached, in pieces of 4 KiB.
 */
static bool vtd_xlat_blocked(const VTDXlatReq *req, VTDXlat *x)
{
    if (x->addr > VTD_INTERRUPT_ADDR_LAST ||
        x->addr + x->mask < VTD_INTERRUPT_ADDR_FIRST) {
        return false;
    }
    if (!req->untranslated) {
        return true;
    }
    x->addr += req->addr & x->mask & ~0xfffULL;
    x->mask = 0xfff;
    return vtd_addr_is_interrupt(x->addr);
}

int vtd_xlat_finish(IntelIOMMUState *s, const VTDXlatReq *req, bool scalable,
                    const VTDLeaf *leaf, uint32_t tag, uint16_t did,
                    uint16_t pgtt, VTDXlat *x)
{
    uint64_t mask = MAKE_64BIT_MASK(0, 12 + 9 * (leaf->level - 1));

    x->addr = leaf->pte & VTD_PT_BASE_ADDR_MASK(s->aw_bits) & ~mask;
    x->mask = mask;
    x->read = leaf->read;
    x->write = leaf->write;
    x->snoop = vtd_leaf_snoop(s, leaf->pte, pgtt);
    if (req->untranslated && !(req->write ? x->write : x->read)) {
        return req->write ? VTD_FR_SGN_6 : VTD_FR_SGN_7;
    }
    if (vtd_xlat_blocked(req, x)) {
        return scalable ? VTD_FR_SGN_8 : VTD_FR_INTERRUPT_ADDR;
    }
    if (x->mask == mask) {
        vtd_update_iotlb(s, req->rid, did, req->addr, leaf->pte,
                         IOMMU_ACCESS_FLAG(leaf->read, leaf->write),
                         leaf->level, req->pasid, tag, pgtt);
        if (pgtt == VTD_SM_PASID_ENTRY_FLT) {
            vtd_iotlb_added(s, did, tag, req->addr, leaf->level);
        }
    }
    return 0;
}

/*
 * 3.9.  A translation covers as much as the largest page (4.2.3), but nothing
 * of the interrupt address range, whose addresses are no memory.
 */
static int vtd_xlat_pass_through(IntelIOMMUState *s, const VTDXlatReq *req,
                                 VTDXlat *x)
{
    static const uint64_t sizes[] = { 1 * GiB, 2 * MiB, 4 * KiB };

    if (req->addr >> s->aw_bits) {
        return VTD_FR_SGN_4;
    }
    x->pass_through = true;
    for (int i = 0; i < ARRAY_SIZE(sizes); i++) {
        x->mask = sizes[i] - 1;
        x->addr = req->addr & ~x->mask;
        if (x->addr > VTD_INTERRUPT_ADDR_LAST ||
            x->addr + x->mask < VTD_INTERRUPT_ADDR_FIRST) {
            x->read = x->write = true;
            return 0;
        }
    }
    /* 3.15; a translation request gets no permission, without a fault */
    return req->untranslated ? VTD_FR_SGN_8 : 0;
}

/* -- the translation ------------------------------------------------------- */

static int vtd_sm_page_walk(IntelIOMMUState *s, const VTDXlatReq *req,
                            const VTDSmWalk *walk, VTDXlat *x)
{
    const VTDPASIDEntry *pe = &walk->pe;
    uint16_t pgtt = vtd_pe_pgtt(pe);
    VTDLeaf leaf;
    int reason;

    if (pgtt == VTD_SM_PASID_ENTRY_FLT) {
        reason = vtd_fs_walk(s, pe, walk->table_pasid, req->addr, req->write,
                             &leaf);
    } else {
        reason = vtd_ss_walk(s, true, pe->val[0] & VTD_SM_PASID_ENTRY_SLPTPTR,
                             extract64(pe->val[0], 2, 3), req->addr, &leaf);
    }
    if (reason) {
        return reason;
    }
    return vtd_xlat_finish(s, req, true, &leaf, walk->table_pasid,
                           vtd_pe_did(pe), pgtt, x);
}

/* The tables let the request in: pass-through, IOTLB or page tables */
static int vtd_sm_grant(IntelIOMMUState *s, const VTDXlatReq *req,
                        const VTDSmWalk *walk, VTDXlat *x)
{
    int reason = 0;

    if (vtd_pe_pgtt(&walk->pe) == VTD_SM_PASID_ENTRY_PT) {
        reason = vtd_xlat_pass_through(s, req, x);
    } else if (!vtd_xlat_lookup(s, req, x)) {
        reason = vtd_sm_page_walk(s, req, walk, x);
    }
    x->non_snooped = x->snoop || (walk->pe.val[1] & VTD_SM_PE_PGSNP);
    return reason;
}

int vtd_sm_translate(IntelIOMMUState *s, const VTDXlatReq *req, VTDXlat *x)
{
    VTDSmWalk walk = {
        .rid = req->rid,
        .pasid = req->pasid,
        .untranslated = req->untranslated,
    };
    int reason;

    memset(x, 0, sizeof(*x));
    /*
     * Ordinary DMA asks the IOTLB alone.  All others pass the tables first
     * (DTE, PASIDE, ...), or what knob "sm-cache" has kept of them.
     */
    if (req->untranslated && req->pasid == ATS_NO_PASID &&
        vtd_xlat_lookup(s, req, x)) {
        return 0;
    }
    reason = vtd_sm_walk(s, &walk);
    x->fpd = walk.fpd;
    if (reason) {
        return reason;
    }
    if (req->pasid != ATS_NO_PASID && req->exec) {
        return VTD_FR_SPT_5;                            /* ECAP.ERS is 0 */
    }
    /* ECAP.SRS, and SRE with it, is 0 if there is first-stage translation */
    if (req->pasid != ATS_NO_PASID && req->priv &&
        !(walk.pe.val[2] & VTD_SM_PE_SRE)) {
        return VTD_FR_SPT_6;
    }
    if (!req->untranslated && req->pasid == ATS_NO_PASID &&
        vtd_addr_is_interrupt(req->addr)) {
        /* S.1 and S.2: write only, and untranslated; or nothing */
        x->write = x->untranslated_only = req->write;
        x->mask = 0xfff;
        return 0;
    }
    return vtd_sm_grant(s, req, &walk, x);
}
