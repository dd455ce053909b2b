/*
 * VT-d scalable mode: from a request to its PASID-table entry
 *
 * One walk, with the fault conditions of VT-d 7.1.3 table 30, for every
 * request: page requests, translation requests and untranslated requests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_I386_INTEL_IOMMU_WALK_H
#define HW_I386_INTEL_IOMMU_WALK_H

#include "hw/i386/intel_iommu.h"
#include "hw/pci/ats_link.h"
#include "intel_iommu_base.h"

/* Table 30: fault reasons in scalable mode, by the table's condition codes */
typedef enum VTDSmFault {
    VTD_FR_RTA_1 = 0x30,    /* TTM: not a mode of this implementation */
    VTD_FR_RTA_2 = 0x31,    /* TTM: legacy mode, request with PASID */
    VTD_FR_RTA_3 = 0x32,    /* TTM: legacy mode, page request */
    VTD_FR_RTA_4 = 0x33,    /* TTM: abort-DMA mode */
    VTD_FR_SRT_1 = 0x38,    /* root entry: access error */
    VTD_FR_SRT_2 = 0x39,    /* root entry: LP or UP is 0 */
    VTD_FR_SRT_3 = 0x3a,    /* root entry: reserved field */
    VTD_FR_SCT_1 = 0x40,    /* context entry: access error */
    VTD_FR_SCT_2 = 0x41,    /* context entry: P is 0 */
    VTD_FR_SCT_3 = 0x42,    /* context entry: reserved field */
    VTD_FR_SCT_4 = 0x43,    /* context entry: invalid programming */
    VTD_FR_SCT_5 = 0x44,    /* translation request, DTE is 0 */
    VTD_FR_SCT_6 = 0x45,    /* request with PASID, PASIDE is 0 */
    VTD_FR_SCT_7 = 0x46,    /* PASID beyond PDTS */
    VTD_FR_SCT_8 = 0x47,    /* page request, PRE is 0 */
    VTD_FR_SCT_9 = 0x48,    /* PASID equals RID_PASID */
    VTD_FR_SPD_1 = 0x50,    /* PASID-directory entry: access error */
    VTD_FR_SPD_2 = 0x51,    /* PASID-directory entry: P is 0 */
    VTD_FR_SPD_3 = 0x52,    /* PASID-directory entry: reserved field */
    VTD_FR_SPT_1 = 0x58,    /* PASID-table entry: access error */
    VTD_FR_SPT_2 = 0x59,    /* PASID-table entry: P is 0 */
    VTD_FR_SPT_3 = 0x5a,    /* PASID-table entry: reserved field */
    VTD_FR_SPT_4 = 0x5b,    /* PASID-table entry: invalid programming */
    VTD_FR_SPT_5 = 0x5c,    /* Execute-Requested, ECAP.ERS is 0 */
    VTD_FR_SPT_6 = 0x5d,    /* Privileged-mode-Requested, SRE is 0 */
    VTD_FR_SFS_1 = 0x70,    /* first-stage entry: access error */
    VTD_FR_SFS_2 = 0x71,    /* first-stage entry: P is 0 */
    VTD_FR_SFS_3 = 0x72,    /* first-stage entry: reserved field */
    VTD_FR_SFS_4 = 0x73,    /* FSPTPTR: access error */
    VTD_FR_SFS_9 = 0x90,    /* A or D to be set, the walk does not snoop */
    VTD_FR_SFS_10 = 0x91,   /* A or D could not be set */
    VTD_FR_SSS_1 = 0x78,    /* second-stage entry: access error */
    VTD_FR_SSS_2 = 0x79,    /* second-stage entries: no R and no W */
    VTD_FR_SSS_3 = 0x7a,    /* second-stage entry: reserved field */
    VTD_FR_SSS_4 = 0x7b,    /* SSPTPTR: access error */
    VTD_FR_SGN_1 = 0x80,    /* first-stage: address is not canonical */
    VTD_FR_SGN_2 = 0x81,    /* first-stage: user request, U/S is 0 */
    VTD_FR_SGN_4 = 0x83,    /* pass-through: address beyond HAW */
    VTD_FR_SGN_5 = 0x84,    /* second-stage: address beyond MGAW or AW */
    VTD_FR_SGN_6 = 0x85,    /* no write permission */
    VTD_FR_SGN_7 = 0x86,    /* no read permission */
    VTD_FR_SGN_8 = 0x87,    /* output address in the interrupt range */
    VTD_FR_SGN_10 = 0x89,   /* PASID beyond ECAP.PSS */
} VTDSmFault;

/* Scalable-mode PASID-table entry, VT-d 9.6: Page-walk Snoop, Page Snoop ... */
#define VTD_SM_PE_PWSNP         (1ULL << 23)
#define VTD_SM_PE_PGSNP         (1ULL << 24)
/* ... and Supervisor Requests Enable, in the third word */
#define VTD_SM_PE_SRE           (1ULL << 0)

/* Entries that can be read in pieces, knob "torn-entry" */
typedef enum VTDTornKind {
    VTD_TORN_NONE,
    VTD_TORN_CONTEXT,       /* scalable-mode context entry, 256 bits */
    VTD_TORN_PASID,         /* scalable-mode PASID-table entry, 512 bits */
} VTDTornKind;

/**
 * struct VTDTornRead - an entry that is read in pieces of 128 bits
 *
 * Hardware may fetch an entry so; between two pieces software can change it
 * (VT-d 6.2.3.1 and 9 ask software to write fields in an order that makes
 * this harmless).
 *
 * @kind: VTDTornKind; @addr: of the entry; @n: its qwords; @done: those read
 */
typedef struct VTDTornRead {
    uint8_t kind;
    uint8_t n;
    uint8_t done;
    uint64_t addr;
    uint64_t val[8];
} VTDTornRead;

/**
 * struct VTDSmWalk - a walk and what it found
 *
 * @rid: requester id; @pasid: PASID or ATS_NO_PASID; @page_request,
 *       @untranslated: the request is a page request, or an untranslated one,
 *       else a translation request. Set by the caller.
 * @uncached: read memory; no cache is asked or filled. Set by the caller
 * @torn: entry that was read earlier, to be used instead of memory, or NULL
 * @table_pasid: PASID that selects the PASID-table entry: @pasid, or RID_PASID
 *               of the context entry for a request without PASID
 * @fpd: Fault Processing Disable was set in an entry on the way
 * @ce: context entry; @pe: PASID-table entry; valid when the walk succeeds
 */
typedef struct VTDSmWalk {
    const VTDTornRead *torn;
    uint16_t rid;
    uint32_t pasid;
    bool page_request;
    bool untranslated;
    bool uncached;
    uint32_t table_pasid;
    bool fpd;
    VTDContextEntry ce;
    VTDPASIDEntry pe;
} VTDSmWalk;

/**
 * vtd_ttm_valid: is the latched RTADDR.TTM a mode that there is?  RTA.1 if not
 */
bool vtd_ttm_valid(IntelIOMMUState *s);

/**
 * vtd_sm_walk: find the PASID-table entry that governs a request
 *
 * The caller holds iommu_lock, for the caches (intel_iommu_smcache.h), unless
 * the walk is @uncached.
 *
 * Returns: 0, or the fault reason that table 30 gives.
 */
int vtd_sm_walk(IntelIOMMUState *s, VTDSmWalk *walk);

/**
 * vtd_sm_walk_function: the same walk as far as the context entry, which is all
 * that a translated request needs (VT-d 4.2.5)
 */
int vtd_sm_walk_function(IntelIOMMUState *s, VTDSmWalk *walk);

/**
 * vtd_sm_torn_start: find the entry of @kind that the walk would read
 *
 * The caller holds iommu_lock.
 *
 * Returns: true and sets up @torn, or false if the walk does not get so far, or
 * the entry is cached and will not be read.
 */
bool vtd_sm_torn_start(IntelIOMMUState *s, VTDSmWalk *walk, VTDTornKind kind,
                       VTDTornRead *torn);

/**
 * vtd_sm_torn_step: read the next 128 bits
 *
 * Returns: true if there are more to read.
 */
bool vtd_sm_torn_step(VTDTornRead *torn);

/**
 * vtd_sm_fault_qualified: is @reason suppressed by FPD? (table 30, "Qualified")
 */
bool vtd_sm_fault_qualified(int reason);

/**
 * vtd_sm_fault_tr_recorded: is @reason recorded as a non-recoverable fault
 * when a translation request meets it?
 */
bool vtd_sm_fault_tr_recorded(int reason);

/**
 * vtd_sm_fault_tr_status: completion status of a translation request that
 * met @reason; ATS_TR_SUCCESS stands for "Success with R=W=U=S=0"
 */
AtsTrStatus vtd_sm_fault_tr_status(int reason);

#endif /* HW_I386_INTEL_IOMMU_WALK_H */
