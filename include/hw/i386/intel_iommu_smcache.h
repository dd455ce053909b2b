/*
 * VT-d: what hardware keeps of the remapping and paging structures
 *
 * The context cache (6.2.2), the PASID cache (6.2.3) and the paging-structure
 * cache (6.2.5) of requests that vtd_sm_walk() serves: page requests,
 * Translation Requests, and untranslated requests in scalable mode.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_I386_INTEL_IOMMU_SMCACHE_H
#define HW_I386_INTEL_IOMMU_SMCACHE_H

typedef struct IntelIOMMUState IntelIOMMUState;
typedef struct VTDSmWalk VTDSmWalk;

/* Entries of each cache, which has one place for each; powers of two */
#define VTD_SMC_CONTEXTS    64
#define VTD_SMC_PASIDS      256
#define VTD_PWC_NR          64

/* A scalable-mode context entry; in this mode it has no domain-id (6.2.1) */
typedef struct VTDSmcContext {
    uint64_t ce[4];
    uint16_t rid;
    bool valid;
} VTDSmcContext;

/* A PASID-table entry; the domain-id that tags it is in it */
typedef struct VTDSmcPasid {
    uint64_t pe[8];
    uint32_t pasid;
    uint16_t rid;
    bool fpd;                   /* of it, or of the directory entry */
    bool valid;
} VTDSmcPasid;

/* A pointer to a last-level first-stage table: an entry of a PDE-cache */
typedef struct VTDPwcEntry {
    uint64_t region;            /* untranslated address >> 21 */
    uint64_t table;
    uint32_t pasid;
    uint16_t did;
    bool valid;
    bool write;                 /* W of the levels above */
} VTDPwcEntry;

/**
 * struct VTDSmCache - embedded in VTDSvm; protected by iommu_lock
 *
 * Filled only while knobs sm-cache and pwc are on.  A snapshot keeps it: a run
 * from a snapshot meets the same stale entries as the run it was taken from.
 */
typedef struct VTDSmCache {
    VTDSmcContext context[VTD_SMC_CONTEXTS];
    VTDSmcPasid pasid[VTD_SMC_PASIDS];
    VTDPwcEntry pwc[VTD_PWC_NR];
} VTDSmCache;

extern const struct VMStateDescription vmstate_vtd_smcache;

/* -- use; the caller holds iommu_lock -------------------------------------- */

/**
 * vtd_smcache_context: is the context entry of @walk cached?
 *
 * Returns: true, with walk->ce and its FPD taken over; all checks of the entry
 * that do not depend on the request were passed when it was cached.
 */
bool vtd_smcache_context(IntelIOMMUState *s, VTDSmWalk *walk);

/**
 * vtd_smcache_pasid: is the PASID-table entry of walk->table_pasid cached?
 *
 * Returns: true, with walk->pe and the FPD flags taken over.
 */
bool vtd_smcache_pasid(IntelIOMMUState *s, VTDSmWalk *walk);

/**
 * vtd_smcache_add_context, vtd_smcache_add_pasid: what a walk has read without
 * a fault may be cached (6.2.2, 6.2.3); @fpd: FPD of directory and table entry
 */
void vtd_smcache_add_context(IntelIOMMUState *s, const VTDSmWalk *walk);
void vtd_smcache_add_pasid(IntelIOMMUState *s, const VTDSmWalk *walk, bool fpd);

/**
 * vtd_pwc_lookup: the last-level table of @iova, if it is cached
 *
 * @table: set to its address; @write: set to W of the levels above it
 */
bool vtd_pwc_lookup(IntelIOMMUState *s, uint32_t pasid, uint16_t did,
                    uint64_t iova, uint64_t *table, bool *write);
void vtd_pwc_insert(IntelIOMMUState *s, uint32_t pasid, uint16_t did,
                    uint64_t iova, uint64_t table, bool write);

/* -- invalidation; these take iommu_lock ----------------------------------- */

/**
 * vtd_smcache_flush: drop everything: machine reset, and Set Root Table Pointer
 * as CAP.ESRTPS=1 promises (6.6)
 */
void vtd_smcache_flush(IntelIOMMUState *s);

/**
 * vtd_smcache_cc_inv: context-cache invalidation (6.5.2.1)
 *
 * In scalable mode a domain-selective one is a global one, and the domain-id of
 * a device-selective one is ignored.  PASID-table entries are kept.
 *
 * @rid, @mask: entries whose requester id equals @rid in the bits of @mask; 0
 *              is global
 */
void vtd_smcache_cc_inv(IntelIOMMUState *s, uint16_t rid, uint16_t mask);

/**
 * vtd_smcache_pc_inv: PASID-cache invalidation (6.5.2.2)
 *
 * @granularity: VTD_INV_DESC_PASIDC_G_*; @did and @pasid as it says
 */
void vtd_smcache_pc_inv(IntelIOMMUState *s, unsigned int granularity,
                        uint16_t did, uint32_t pasid);

/**
 * vtd_pwc_inv_domain: IOTLB invalidation, domain-selective or page-selective:
 * first-stage structures of @did go, whatever IH is (table 23)
 */
void vtd_pwc_inv_domain(IntelIOMMUState *s, uint16_t did);

/**
 * vtd_pwc_inv_all: global IOTLB invalidation
 */
void vtd_pwc_inv_all(IntelIOMMUState *s);

/**
 * vtd_pwc_inv_pasid: PASID-selective P_IOTLB invalidation (table 24)
 */
void vtd_pwc_inv_pasid(IntelIOMMUState *s, uint16_t did, uint32_t pasid);

/**
 * vtd_pwc_inv_pages: page-selective P_IOTLB invalidation with IH=0 of 2^@am
 * pages at @addr (table 24); the implicit one of a page request, too (table 27)
 */
void vtd_pwc_inv_pages(IntelIOMMUState *s, uint16_t did, uint32_t pasid,
                       uint64_t addr, uint8_t am);

#endif /* HW_I386_INTEL_IOMMU_SMCACHE_H */
