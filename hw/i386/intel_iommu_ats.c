/*
 * VT-d translation requests
 *
 * A Translation Request that comes over the link is answered with a completion
 * status and, if that is Success, with the permissions that the page tables
 * grant.  A page that is absent is not a fault: the answer is Success without
 * permissions and the endpoint may ask for the page (VT-d 7.1.2).  What table
 * 30 answers with UR or CA is recorded as a non-recoverable fault.
 *
 * Every structure is read once and used as it was read: guest CPUs may change
 * it at any moment.  Accessed and Dirty flags are set with a compare-and-swap
 * for the same reason; ECAP.SMPWC promises that.
 *
 * Untranslated requests with a PASID come this way, too, because an address
 * space of QEMU has none.
 *
 * Locking: called under the BQL; takes iommu_lock around the IOTLB.
 *
 * VT-d 3.6, 3.7, 4.2.3, 7.1.2, 7.1.3
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "system/dma.h"
#include "hw/i386/intel_iommu.h"
#include "intel_iommu_internal.h"
#include "intel_iommu_walk.h"
#include "trace.h"

/* FRCD: address type "translation request", VT-d 11.4.7.6 */
#define VTD_FRCD_AT_TRANSLATION (1ULL << 60)

/* Bits 51:HAW and the size bit of entries that have none, VT-d 9.7, 9.8 */
#define VTD_FS_IGNORED          0xfff0000000000000ULL
#define VTD_SS_IGNORED          (VTD_SL_IGN_COM | VTD_SPTE_SNP)

/* What a page walk found */
typedef struct VTDLeaf {
    uint64_t pte;
    uint32_t level;
    bool read;
    bool write;         /* granted; for first-stage tables: and Dirty is set */
} VTDLeaf;

/* A walk ends: with a leaf, or with nothing, or with a fault reason (> 0) */
#define VTD_WALK_LEAF           0
#define VTD_WALK_NOTHING        (-1)

static bool vtd_ats_read_pte(hwaddr table, uint64_t iova, uint32_t level,
                             hwaddr *addr, uint64_t *pte)
{
    const MemTxAttrs attrs = MEMTXATTRS_UNSPECIFIED;
    uint64_t index = extract64(iova, 12 + 9 * (level - 1), 9);

    *addr = table + index * sizeof(*pte);
    if (dma_memory_read(&address_space_memory, *addr, pte, sizeof(*pte),
                        attrs) != MEMTX_OK) {
        return false;
    }
    *pte = le64_to_cpu(*pte);
    return true;
}

/*
 * Set @flags in the entry at @addr, which was @pte.  Returns false if it has
 * changed meanwhile; true with @pte updated otherwise.  Entries that are not in
 * RAM are left alone.
 */
static bool vtd_ats_set_flags(hwaddr addr, uint64_t *pte, uint64_t flags)
{
    const MemTxAttrs attrs = MEMTXATTRS_UNSPECIFIED;
    hwaddr len = sizeof(*pte);
    uint64_t old = cpu_to_le64(*pte);
    uint64_t new = cpu_to_le64(*pte | flags);
    uint64_t *host;
    bool same = true;

    if (old == new) {
        return true;
    }
    host = address_space_map(&address_space_memory, addr, &len, true, attrs);
    if (!host) {
        return true;
    }
    if (len == sizeof(*pte)) {
        same = qatomic_cmpxchg__nocheck(host, old, new) == old;
    }
    address_space_unmap(&address_space_memory, host, len, true, len);
    *pte |= flags;
    return same;
}

static uint64_t vtd_ats_large_rsvd(uint32_t level)
{
    /* The address bits below the page size, but for PAT (bit 12) */
    return MAKE_64BIT_MASK(13, 9 * (level - 1) - 1);
}

static bool vtd_ats_fs_reserved(IntelIOMMUState *s, uint64_t pte,
                                uint32_t level)
{
    uint64_t rsvd = ~(VTD_HAW_MASK(s->aw_bits) | VTD_FS_IGNORED);

    if (level == VTD_PML4_LEVEL ||
        (level == VTD_PDP_LEVEL && !(s->cap & VTD_CAP_FS1GP))) {
        rsvd |= VTD_PT_PAGE_SIZE_MASK;
    } else if (level > VTD_PT_LEVEL && (pte & VTD_PT_PAGE_SIZE_MASK)) {
        rsvd |= vtd_ats_large_rsvd(level);
    }
    return pte & rsvd;
}

static bool vtd_ats_is_leaf(uint64_t pte, uint32_t level)
{
    return level == VTD_PT_LEVEL || (pte & VTD_PT_PAGE_SIZE_MASK);
}

/* First-stage walk for a user request, VT-d 3.6 */
static int vtd_ats_walk_fs(IntelIOMMUState *s, const VTDPASIDEntry *pe,
                           uint32_t pasid, uint64_t iova, bool want_write,
                           VTDLeaf *leaf)
{
    hwaddr table = pe->val[2] & VTD_SM_PASID_ENTRY_FLPTPTR;
    uint16_t did = VTD_SM_PASID_ENTRY_DID(pe->val[1]);
    uint32_t level = VTD_PML4_LEVEL;
    bool write = true;
    int tries = 16;

    if (sextract64(iova, 0, 48) != (int64_t)iova) {
        return VTD_WALK_NOTHING;                        /* SGN.1 */
    }
    if (vtd_pwc_lookup(s, pasid, did, iova, &table, &write)) {
        level = VTD_PT_LEVEL;
    }
    while (tries) {
        uint64_t flags = VTD_FL_A;
        uint64_t pte;
        hwaddr addr;
        bool is_leaf;

        if (!vtd_ats_read_pte(table, iova, level, &addr, &pte) ||
            !(pte & VTD_FL_P) || !(pte & VTD_FL_US) ||
            vtd_ats_fs_reserved(s, pte, level)) {
            return VTD_WALK_NOTHING;        /* SFS.1 to SFS.4, SGN.2 */
        }
        is_leaf = vtd_ats_is_leaf(pte, level);
        if (is_leaf && want_write && write && (pte & VTD_FL_RW)) {
            flags |= VTD_FL_D;
        }
        if (!vtd_ats_set_flags(addr, &pte, flags)) {
            tries--;
            continue;                       /* the entry has changed */
        }
        write = write && (pte & VTD_FL_RW);
        if (is_leaf) {
            leaf->pte = pte;
            leaf->level = level;
            leaf->read = true;
            leaf->write = write && (pte & VTD_FL_D);
            return VTD_WALK_LEAF;
        }
        table = pte & VTD_PT_BASE_ADDR_MASK(s->aw_bits);
        level--;
        if (level == VTD_PT_LEVEL) {
            vtd_pwc_insert(s, pasid, did, iova, table, write);
        }
    }
    return VTD_WALK_NOTHING;
}

/*
 * Second-stage walk, VT-d 3.7.  @aw is the AW field; the fault reasons are
 * those of scalable mode, or of legacy mode if there is no PASID-table entry.
 */
static int vtd_ats_walk_ss(IntelIOMMUState *s, hwaddr table, uint32_t aw,
                           uint64_t iova, VTDLeaf *leaf)
{
    bool scalable = s->root_scalable;
    uint32_t level = aw + 2;
    uint64_t rsvd = ~(VTD_HAW_MASK(s->aw_bits) | VTD_SS_IGNORED);

    if (level < VTD_PDP_LEVEL || level > VTD_PML4_LEVEL) {
        return scalable ? VTD_FR_SPT_4 : VTD_FR_CONTEXT_ENTRY_INV;
    }
    if (iova >> MIN(12 + 9 * level, s->aw_bits)) {
        return VTD_WALK_NOTHING;                        /* SGN.5, LGN.1.1 */
    }
    leaf->read = leaf->write = true;
    for (bool first = true; ; first = false, level--) {
        uint64_t pte;
        hwaddr addr;

        if (!vtd_ats_read_pte(table, iova, level, &addr, &pte)) {
            if (!scalable) {
                return first ? VTD_FR_CONTEXT_ENTRY_INV :
                               VTD_FR_PAGING_ENTRY_INV;
            }
            return first ? VTD_FR_SSS_4 : VTD_FR_SSS_1;
        }
        leaf->read = leaf->read && (pte & VTD_SL_R);
        leaf->write = leaf->write && (pte & VTD_SL_W);
        if (!leaf->read && !leaf->write) {
            return VTD_WALK_NOTHING;                    /* SSS.2 */
        }
        if (pte & rsvd || (level == VTD_PML4_LEVEL &&
                           (pte & VTD_PT_PAGE_SIZE_MASK)) ||
            (level > VTD_PT_LEVEL && (pte & VTD_PT_PAGE_SIZE_MASK) &&
             (pte & (vtd_ats_large_rsvd(level) | 0x1000)))) {
            return scalable ? VTD_FR_SSS_3 : VTD_FR_PAGING_ENTRY_RSVD;
        }
        if (vtd_ats_is_leaf(pte, level)) {
            leaf->pte = pte;
            leaf->level = level;
            return VTD_WALK_LEAF;
        }
        table = pte & VTD_PT_BASE_ADDR_MASK(s->aw_bits);
    }
}

/* -- the completion ------------------------------------------------------- */

static void vtd_ats_fill(IntelIOMMUState *s, const AtsTrReq *req,
                         const VTDLeaf *leaf, AtsTrEntry *entry)
{
    uint64_t mask = MAKE_64BIT_MASK(0, 12 + 9 * (leaf->level - 1));

    entry->iova = req->addr & ~mask;
    entry->addr = leaf->pte & VTD_PT_BASE_ADDR_MASK(s->aw_bits) & ~mask;
    entry->mask = mask;
    entry->read = leaf->read;
    entry->write = leaf->write && !req->no_write;
}

/* Success without any permission: nothing to cache, VT-d 7.1.2 */
static AtsTrStatus vtd_ats_nothing(const AtsTrReq *req, AtsTrEntry *entry)
{
    entry->iova = req->addr & ~0xfffULL;
    entry->mask = 0xfff;
    return ATS_TR_SUCCESS;
}

static void vtd_ats_record(IntelIOMMUState *s, uint16_t rid, uint32_t pasid,
                           uint64_t addr, int reason, uint64_t flags)
{
    uint64_t hi = VTD_FRCD_SID(rid) | VTD_FRCD_FR(reason) | flags;

    if (pasid != ATS_NO_PASID) {
        hi |= VTD_FRCD_PP(1) | VTD_FRCD_PV((uint64_t)pasid);
    }
    vtd_report_frcd_fault(s, rid, hi,
                          VTD_FRCD_FI(addr & VTD_HAW_MASK(s->aw_bits)));
}

static AtsTrStatus vtd_ats_fault(IntelIOMMUState *s, const AtsTrReq *req,
                                 int reason, bool fpd, AtsTrEntry *entry)
{
    AtsTrStatus status = vtd_sm_fault_tr_status(reason);

    if (status == ATS_TR_SUCCESS) {
        return vtd_ats_nothing(req, entry);
    }
    trace_vtd_ats_fault(req->rid, req->pasid, req->addr, reason, fpd);
    if (fpd && vtd_sm_fault_qualified(reason)) {
        return status;
    }
    vtd_ats_record(s, req->rid, req->pasid, req->addr, reason,
                   VTD_FRCD_AT_TRANSLATION | (req->no_write ? VTD_FRCD_T : 0));
    return status;
}

/* -- the IOTLB ------------------------------------------------------------ */

/*
 * A cached entry serves unless a write is asked for that only lacks the Dirty
 * flag: then hardware walks again to set it.
 */
static bool vtd_ats_iotlb_lookup(IntelIOMMUState *s, const AtsTrReq *req,
                                 uint32_t pasid, AtsTrEntry *entry)
{
    VTDIOTLBEntry *hit = vtd_lookup_iotlb(s, req->rid, pasid, req->addr);
    bool write;

    if (!hit) {
        return false;
    }
    write = hit->access_flags & IOMMU_WO;
    if (!req->no_write && !write && hit->pgtt == VTD_SM_PASID_ENTRY_FLT &&
        (hit->pte & VTD_FL_RW)) {
        return false;
    }
    entry->iova = req->addr & hit->mask;
    entry->addr = hit->pte & VTD_PT_BASE_ADDR_MASK(s->aw_bits) & hit->mask;
    entry->mask = ~hit->mask;
    entry->read = hit->access_flags & IOMMU_RO;
    entry->write = write && !req->no_write;
    return true;
}

/* Take the outcome of a page walk to the IOTLB and to the completion */
static AtsTrStatus vtd_ats_finish(IntelIOMMUState *s, const AtsTrReq *req,
                                  int outcome, const VTDLeaf *leaf,
                                  uint32_t pasid, uint16_t did, uint16_t pgtt,
                                  bool fpd, AtsTrEntry *entry)
{
    if (outcome == VTD_WALK_NOTHING) {
        return vtd_ats_nothing(req, entry);
    }
    if (outcome == VTD_WALK_LEAF) {
        vtd_ats_fill(s, req, leaf, entry);
        if (entry->addr <= VTD_INTERRUPT_ADDR_LAST &&
            entry->addr + entry->mask >= VTD_INTERRUPT_ADDR_FIRST) {
            memset(entry, 0, sizeof(*entry));
            outcome = VTD_FR_SGN_8;
        }
    }
    if (outcome != VTD_WALK_LEAF) {
        return vtd_ats_fault(s, req, outcome, fpd, entry);
    }
    vtd_update_iotlb(s, req->rid, did, req->addr, leaf->pte,
                     IOMMU_ACCESS_FLAG(leaf->read, leaf->write), leaf->level,
                     pasid, pgtt);
    return ATS_TR_SUCCESS;
}

/* -- the two modes -------------------------------------------------------- */

static AtsTrStatus vtd_ats_scalable(IntelIOMMUState *s, const AtsTrReq *req,
                                    AtsTrEntry *entry)
{
    VTDSmWalk walk = { .rid = req->rid, .pasid = req->pasid };
    uint64_t pgtt;
    VTDLeaf leaf;
    int outcome = vtd_sm_walk(s, &walk);

    if (outcome) {
        return vtd_ats_fault(s, req, outcome, walk.fpd, entry);
    }
    if (req->pasid != ATS_NO_PASID && (req->exec || req->priv)) {
        /* ECAP.ERS and SRS are 0 with first-stage tables: SPT.5, SPT.6 */
        return vtd_ats_nothing(req, entry);
    }
    pgtt = walk.pe.val[0] & VTD_SM_PASID_ENTRY_PGTT;
    if (pgtt == VTD_SM_PASID_ENTRY_PT) {
        if (req->addr >> s->aw_bits) {
            return vtd_ats_nothing(req, entry);         /* SGN.4.2 */
        }
        leaf.pte = req->addr;
        leaf.level = VTD_PT_LEVEL;
        leaf.read = leaf.write = true;
        vtd_ats_fill(s, req, &leaf, entry);
        return ATS_TR_SUCCESS;
    }
    if (vtd_ats_iotlb_lookup(s, req, walk.table_pasid, entry)) {
        return ATS_TR_SUCCESS;
    }
    if (pgtt == VTD_SM_PASID_ENTRY_FLT) {
        outcome = vtd_ats_walk_fs(s, &walk.pe, walk.table_pasid, req->addr,
                                  !req->no_write, &leaf);
    } else {
        outcome = vtd_ats_walk_ss(s, walk.pe.val[0] &
                                  VTD_SM_PASID_ENTRY_SLPTPTR,
                                  extract64(walk.pe.val[0], 2, 3), req->addr,
                                  &leaf);
    }
    return vtd_ats_finish(s, req, outcome, &leaf, walk.table_pasid,
                          VTD_SM_PASID_ENTRY_DID(walk.pe.val[1]), pgtt,
                          walk.fpd, entry);
}

static AtsTrStatus vtd_ats_legacy(IntelIOMMUState *s, const AtsTrReq *req,
                                  AtsTrEntry *entry)
{
    VTDContextEntry ce = {};
    VTDLeaf leaf;
    int outcome;

    if (req->pasid != ATS_NO_PASID) {
        return vtd_ats_fault(s, req, VTD_FR_RTA_2, false, entry);
    }
    outcome = -vtd_dev_to_context_entry(s, req->rid >> 8, req->rid & 0xff, &ce);
    if (!outcome &&
        (ce.lo & VTD_CONTEXT_ENTRY_TT) != VTD_CONTEXT_TT_DEV_IOTLB) {
        outcome = VTD_FR_CONTEXT_ENTRY_TT;              /* LCT.5 */
    }
    if (outcome) {
        return vtd_ats_fault(s, req, outcome, ce.lo & VTD_CONTEXT_ENTRY_FPD,
                             entry);
    }
    if (vtd_ats_iotlb_lookup(s, req, ATS_NO_PASID, entry)) {
        return ATS_TR_SUCCESS;
    }
    outcome = vtd_ats_walk_ss(s, ce.lo & VTD_CONTEXT_ENTRY_SLPTPTR,
                              ce.hi & VTD_CONTEXT_ENTRY_AW, req->addr, &leaf);
    return vtd_ats_finish(s, req, outcome, &leaf, ATS_NO_PASID,
                          VTD_CONTEXT_ENTRY_DID(ce.hi), VTD_SM_PASID_ENTRY_SLT,
                          ce.lo & VTD_CONTEXT_ENTRY_FPD, entry);
}

AtsTrStatus vtd_ats_translate(IntelIOMMUState *s, const AtsTrReq *req,
                              AtsTrEntry *entry)
{
    AtsTrReq effective = *req;
    AtsTrStatus status;

    memset(entry, 0, sizeof(*entry));
    if (!s->dmar_enabled) {
        return ATS_TR_UR;                               /* VT-d 4.2.3 */
    }
    if (!(s->ecap & VTD_ECAP_NWFS)) {
        effective.no_write = false;                     /* VT-d 4.2.3.1 */
    }
    if (req->pasid == ATS_NO_PASID &&
        req->addr >= VTD_INTERRUPT_ADDR_FIRST &&
        req->addr <= VTD_INTERRUPT_ADDR_LAST) {
        /* S.1 and S.2: write only, and untranslated; or nothing */
        status = vtd_ats_nothing(req, entry);
        entry->write = entry->untranslated = !effective.no_write;
        return status;
    }
    qemu_mutex_lock(&s->iommu_lock);
    /* A mode that does not exist is a fault of the walk in scalable mode */
    status = s->svm.ttm == VTD_TTM_LEGACY ?
             vtd_ats_legacy(s, &effective, entry) :
             vtd_ats_scalable(s, &effective, entry);
    qemu_mutex_unlock(&s->iommu_lock);
    return status;
}

/* The tables down to the PASID-table entry; QEMU looks at less of them */
static bool vtd_ats_untranslated_check(IntelIOMMUState *s, uint16_t rid,
                                       uint32_t pasid, hwaddr addr, bool write)
{
    VTDSmWalk walk = { .rid = rid, .pasid = pasid, .untranslated = true };
    int reason;

    qemu_mutex_lock(&s->iommu_lock);
    reason = vtd_sm_walk(s, &walk);
    if (reason && !(walk.fpd && vtd_sm_fault_qualified(reason))) {
        vtd_ats_record(s, rid, pasid, addr, reason, write ? 0 : VTD_FRCD_T);
    }
    qemu_mutex_unlock(&s->iommu_lock);
    return !reason;
}

bool vtd_ats_untranslated(IntelIOMMUState *s, PCIDevice *dev, uint32_t pasid,
                          hwaddr addr, bool write, uint64_t *out)
{
    IOMMUTLBEntry entry = {};

    if (!s->dmar_enabled) {
        *out = addr;
        return true;
    }
    if (!vtd_ats_untranslated_check(s, pci_requester_id(dev), pasid, addr,
                                    write) ||
        !vtd_translate_pasid(s, pci_get_bus(dev), dev->devfn, pasid, addr,
                             write, &entry) ||
        !(entry.perm & (write ? IOMMU_WO : IOMMU_RO))) {
        return false;
    }
    *out = entry.translated_addr | (addr & entry.addr_mask);
    return true;
}
