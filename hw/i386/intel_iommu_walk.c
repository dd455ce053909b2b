/*
 * VT-d scalable mode: from a request to its PASID-table entry
 *
 * Table 30 decides by the exact condition what becomes of a request: which
 * fault reason is recorded, and whether the answer is an Invalid Request
 * response, Unsupported Request, Completer Abort or success without permission.
 *
 * VT-d 7.1.3 table 30, 9.1 to 9.6
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "system/dma.h"
#include "intel_iommu_internal.h"
#include "intel_iommu_walk.h"

/* Scalable-mode context entry, VT-d 9.4 */
#define VTD_SM_CE_DTE               (1ULL << 2)
#define VTD_SM_CE_PASIDE            (1ULL << 3)
#define VTD_SM_CE_PDTS(ce)          extract64((ce)->val[0], 9, 3)
#define VTD_SM_CE_PASIDDIRPTR(ce)   ((ce)->val[0] & ~0xfffULL)
#define VTD_SM_CE_RID_PASID(ce)     extract64((ce)->val[1], 0, 20)
#define VTD_SM_CE_RID_PASID_MASK    0xfffffULL

/* Scalable-mode PASID-directory entry, VT-d 9.5 */
#define VTD_SM_PDE_RSVD             0xffcULL

/* Scalable-mode PASID-table entry, VT-d 9.6 */
#define VTD_SM_PE_AW(pe)            extract64((pe)->val[0], 2, 3)
#define VTD_SM_PE_RSVD0             0xe20ULL        /* 5, SSADE, 11:10 */
#define VTD_SM_PE_DID               0xffffULL
#define VTD_SM_PE_FSPM(pe)          extract64((pe)->val[2], 2, 2)
#define VTD_SM_PE_RSVD2             0xf82ULL        /* 1, EAFE, 11:8 */
#define VTD_SM_PE_FS_FIELDS         (~0xfffULL | 0x1cULL)

typedef struct VTDSmFaultRow {
    uint8_t reason;
    bool qualified;
    AtsTrStatus tr_status;
} VTDSmFaultRow;

/*
 * The rows of table 30 that a walk, or the page walk behind it, can end in.
 * The last ones are of legacy mode, where no untranslated request gets here.
 */
static const VTDSmFaultRow vtd_sm_faults[] = {
    { VTD_FR_RTA_1,  false, ATS_TR_CA },
    { VTD_FR_RTA_2,  false, ATS_TR_UR },
    { VTD_FR_RTA_3,  false, ATS_TR_UR },
    { VTD_FR_RTA_4,  false, ATS_TR_UR },
    { VTD_FR_SRT_1,  false, ATS_TR_CA },
    { VTD_FR_SRT_2,  false, ATS_TR_UR },
    { VTD_FR_SRT_3,  false, ATS_TR_CA },
    { VTD_FR_SCT_1,  false, ATS_TR_CA },
    { VTD_FR_SCT_2,  true,  ATS_TR_UR },
    { VTD_FR_SCT_3,  true,  ATS_TR_CA },
    { VTD_FR_SCT_4,  true,  ATS_TR_CA },
    { VTD_FR_SCT_5,  true,  ATS_TR_UR },
    { VTD_FR_SCT_6,  true,  ATS_TR_UR },
    { VTD_FR_SCT_7,  true,  ATS_TR_UR },
    { VTD_FR_SCT_8,  true,  ATS_TR_UR },
    { VTD_FR_SCT_9,  true,  ATS_TR_UR },
    { VTD_FR_SPD_1,  false, ATS_TR_CA },
    { VTD_FR_SPD_2,  true,  ATS_TR_SUCCESS },
    { VTD_FR_SPD_3,  true,  ATS_TR_CA },
    { VTD_FR_SPT_1,  false, ATS_TR_CA },
    { VTD_FR_SPT_2,  true,  ATS_TR_SUCCESS },
    { VTD_FR_SPT_3,  true,  ATS_TR_CA },
    { VTD_FR_SPT_4,  true,  ATS_TR_CA },
    { VTD_FR_SPT_5,  true,  ATS_TR_SUCCESS },
    { VTD_FR_SPT_6,  true,  ATS_TR_SUCCESS },
    { VTD_FR_SFS_1,  true,  ATS_TR_SUCCESS },
    { VTD_FR_SFS_2,  true,  ATS_TR_SUCCESS },
    { VTD_FR_SFS_3,  true,  ATS_TR_SUCCESS },
    { VTD_FR_SFS_4,  true,  ATS_TR_SUCCESS },
    { VTD_FR_SFS_9,  true,  ATS_TR_SUCCESS },
    { VTD_FR_SFS_10, true,  ATS_TR_SUCCESS },           /* and recorded */
    { VTD_FR_SSS_1,  true,  ATS_TR_CA },
    { VTD_FR_SSS_2,  true,  ATS_TR_SUCCESS },
    { VTD_FR_SSS_3,  true,  ATS_TR_CA },
    { VTD_FR_SSS_4,  true,  ATS_TR_CA },
    { VTD_FR_SGN_1,  true,  ATS_TR_SUCCESS },
    { VTD_FR_SGN_2,  true,  ATS_TR_SUCCESS },
    { VTD_FR_SGN_4,  true,  ATS_TR_SUCCESS },
    { VTD_FR_SGN_5,  true,  ATS_TR_SUCCESS },
    { VTD_FR_SGN_6,  true,  ATS_TR_SUCCESS },
    { VTD_FR_SGN_7,  true,  ATS_TR_SUCCESS },
    { VTD_FR_SGN_8,  true,  ATS_TR_CA },
    { VTD_FR_SGN_10, true,  ATS_TR_UR },
    { VTD_FR_ROOT_TABLE_INV,     false, ATS_TR_CA },    /* LRT.1 */
    { VTD_FR_ROOT_ENTRY_P,       false, ATS_TR_UR },    /* LRT.2 */
    { VTD_FR_ROOT_ENTRY_RSVD,    false, ATS_TR_CA },    /* LRT.3 */
    { VTD_FR_CONTEXT_TABLE_INV,  false, ATS_TR_CA },    /* LCT.1 */
    { VTD_FR_CONTEXT_ENTRY_P,    true,  ATS_TR_UR },    /* LCT.2 */
    { VTD_FR_CONTEXT_ENTRY_RSVD, true,  ATS_TR_CA },    /* LCT.3 */
    { VTD_FR_CONTEXT_ENTRY_INV,  true,  ATS_TR_CA },    /* LCT.4 */
    { VTD_FR_CONTEXT_ENTRY_TT,   true,  ATS_TR_UR },    /* LCT.5 */
    { VTD_FR_ADDR_BEYOND_MGAW,   true,  ATS_TR_SUCCESS }, /* LGN.1.1 */
    { VTD_FR_WRITE,              true,  ATS_TR_SUCCESS }, /* LGN.2 */
    { VTD_FR_READ,               true,  ATS_TR_SUCCESS }, /* LGN.3 */
    { VTD_FR_PAGING_ENTRY_INV,   true,  ATS_TR_CA },    /* LSS.1 */
    { VTD_FR_PAGING_ENTRY_RSVD,  true,  ATS_TR_CA },    /* LSS.2 */
    { VTD_FR_INTERRUPT_ADDR,     true,  ATS_TR_CA },    /* LGN.4 */
};

static const VTDSmFaultRow *vtd_sm_fault_row(int reason)
{
    for (int i = 0; i < ARRAY_SIZE(vtd_sm_faults); i++) {
        if (vtd_sm_faults[i].reason == reason) {
            return &vtd_sm_faults[i];
        }
    }
    return NULL;
}

bool vtd_sm_fault_qualified(int reason)
{
    const VTDSmFaultRow *row = vtd_sm_fault_row(reason);

    return row && row->qualified;
}

AtsTrStatus vtd_sm_fault_tr_status(int reason)
{
    const VTDSmFaultRow *row = vtd_sm_fault_row(reason);

    return row ? row->tr_status : ATS_TR_CA;
}

bool vtd_sm_fault_tr_recorded(int reason)
{
    return reason == VTD_FR_SFS_10 ||
           vtd_sm_fault_tr_status(reason) != ATS_TR_SUCCESS;
}

/* Read @n little-endian qwords of a remapping structure */
static bool vtd_sm_read(IntelIOMMUState *s, const VTDSmWalk *walk, hwaddr addr,
                        uint64_t *val, unsigned int n)
{
    return walk->uncached ? vtd_table_read_unlocked(addr, val, n) :
                            vtd_table_read(s, addr, val, n);
}

/* The same for an entry that may have been read in pieces before */
static bool vtd_sm_read_entry(IntelIOMMUState *s, const VTDSmWalk *walk,
                              VTDTornKind kind, hwaddr addr, uint64_t *val,
                              unsigned int n)
{
    if (walk->torn && walk->torn->kind == kind && walk->torn->done == n) {
        memcpy(val, walk->torn->val, n * sizeof(*val));
        return true;
    }
    return vtd_sm_read(s, walk, addr, val, n);
}

bool vtd_ttm_valid(IntelIOMMUState *s)
{
    switch (s->svm.ttm) {
    case VTD_TTM_LEGACY:
        return true;
    case VTD_TTM_SCALABLE:
        return s->scalable_mode;
    case VTD_TTM_RESERVED:
    case VTD_TTM_ABORT:     /* ECAP.ADMS is 0 */
    default:
        return false;
    }
}

/* RTA.1 to RTA.4 */
static int vtd_sm_check_mode(IntelIOMMUState *s, const VTDSmWalk *walk)
{
    if (!vtd_ttm_valid(s)) {
        return VTD_FR_RTA_1;
    }
    if (s->svm.ttm == VTD_TTM_SCALABLE) {
        return 0;
    }
    /* A walk is asked for in legacy mode only for what it cannot do */
    return walk->page_request ? VTD_FR_RTA_3 : VTD_FR_RTA_2;
}

/* SRT.1 to SRT.3: find the context table; VT-d 9.2 */
static int vtd_sm_walk_root(IntelIOMMUState *s, VTDSmWalk *walk,
                            hwaddr *context_table)
{
    uint8_t bus = walk->rid >> 8;
    bool upper = walk->rid & VTD_DEVFN_CHECK_MASK;
    uint64_t re[2];

    if (!vtd_sm_read(s, walk, s->root + bus * sizeof(re), re, 2)) {
        return VTD_FR_SRT_1;
    }
    if (!(re[upper] & VTD_ROOT_ENTRY_P)) {
        return VTD_FR_SRT_2;
    }
    if (re[upper] & VTD_ROOT_ENTRY_RSVD(s->aw_bits)) {
        return VTD_FR_SRT_3;
    }
    *context_table = re[upper] & VTD_ROOT_ENTRY_CTP;
    return 0;
}

/* SCT.3.  Fields of features that ECAP does not report are reserved */
static bool vtd_sm_ce_reserved(IntelIOMMUState *s, const VTDContextEntry *ce)
{
    uint64_t rsvd0 = VTD_SM_CONTEXT_ENTRY_RSVD_VAL0(s->aw_bits);
    /* Without ECAP.RPS RID_PASID is 0 */
    uint64_t rid_pasid = s->ecap & VTD_ECAP_RPS ? VTD_SM_CE_RID_PASID_MASK : 0;

    if (!(s->ecap & VTD_ECAP_DT)) {
        rsvd0 |= VTD_SM_CE_DTE;
    }
    if (!(s->ecap & VTD_ECAP_PASID)) {
        rsvd0 |= VTD_SM_CE_PASIDE;
    }
    if (!(s->ecap & VTD_ECAP_PRS)) {
        rsvd0 |= VTD_SM_CONTEXT_ENTRY_PRE;
    }
    return ce->val[0] & rsvd0 || ce->val[1] & ~rid_pasid || ce->val[2] ||
           ce->val[3];
}

/* SCT.4: combinations of fields that software must not program */
static int vtd_sm_check_context_programming(const VTDContextEntry *ce)
{
    uint32_t max_pasid = (1u << (VTD_SM_CE_PDTS(ce) + 13)) - 1;

    if ((ce->val[0] & VTD_SM_CONTEXT_ENTRY_PRE) &&
        !(ce->val[0] & VTD_SM_CE_DTE)) {
        return VTD_FR_SCT_4;        /* SCT.4.1 */
    }
    if (VTD_SM_CE_RID_PASID(ce) > max_pasid) {
        return VTD_FR_SCT_4;        /* SCT.4.2 */
    }
    return 0;
}

/* SCT.5 to SCT.9, SGN.10: does the context entry let this request through? */
static int vtd_sm_check_request(IntelIOMMUState *s, VTDSmWalk *walk)
{
    const VTDContextEntry *ce = &walk->ce;
    uint32_t max_pasid = (1u << (VTD_SM_CE_PDTS(ce) + 13)) - 1;

    if (walk->page_request) {
        if (!(ce->val[0] & VTD_SM_CONTEXT_ENTRY_PRE)) {
            return VTD_FR_SCT_8;
        }
    } else if (!walk->untranslated && !(ce->val[0] & VTD_SM_CE_DTE)) {
        return VTD_FR_SCT_5;
    }

    walk->table_pasid = VTD_SM_CE_RID_PASID(ce);
    if (walk->pasid == ATS_NO_PASID) {
        return 0;
    }
    if (!(ce->val[0] & VTD_SM_CE_PASIDE)) {
        return VTD_FR_SCT_6;
    }
    if (!walk->page_request && walk->pasid >> vtd_get_pss(s)) {
        return VTD_FR_SGN_10;
    }
    if (walk->pasid > max_pasid) {
        return VTD_FR_SCT_7;
    }
    if (walk->pasid == VTD_SM_CE_RID_PASID(ce)) {
        return VTD_FR_SCT_9;
    }
    walk->table_pasid = walk->pasid;
    return 0;
}

static hwaddr vtd_sm_context_addr(const VTDSmWalk *walk, hwaddr context_table)
{
    return context_table + (walk->rid & (VTD_DEVFN_CHECK_MASK - 1)) *
                           VTD_CTX_ENTRY_SCALABLE_SIZE;
}

/* SCT.1 to SCT.9; VT-d 9.4 */
static int vtd_sm_walk_context(IntelIOMMUState *s, VTDSmWalk *walk,
                               hwaddr context_table)
{
    VTDContextEntry *ce = &walk->ce;
    hwaddr addr = vtd_sm_context_addr(walk, context_table);
    int ret;

    if (!vtd_sm_read_entry(s, walk, VTD_TORN_CONTEXT, addr, ce->val,
                           ARRAY_SIZE(ce->val))) {
        return VTD_FR_SCT_1;
    }
    walk->fpd |= !!(ce->val[0] & VTD_CONTEXT_ENTRY_FPD);
    if (!(ce->val[0] & VTD_CONTEXT_ENTRY_P)) {
        return VTD_FR_SCT_2;
    }
    if (vtd_sm_ce_reserved(s, ce)) {
        return VTD_FR_SCT_3;
    }
    ret = vtd_sm_check_context_programming(ce);
    return ret ? ret : vtd_sm_check_request(s, walk);
}

/* SPD.1 to SPD.3: find the PASID table; VT-d 9.5 */
static int vtd_sm_walk_dir(IntelIOMMUState *s, VTDSmWalk *walk,
                           hwaddr *pasid_table)
{
    uint64_t pde;
    hwaddr addr = VTD_SM_CE_PASIDDIRPTR(&walk->ce) +
                  VTD_PASID_DIR_INDEX(walk->table_pasid) *
                  VTD_PASID_DIR_ENTRY_SIZE;

    if (!vtd_sm_read(s, walk, addr, &pde, 1)) {
        return VTD_FR_SPD_1;
    }
    walk->fpd |= !!(pde & VTD_PASID_DIR_FPD);
    if (!(pde & 1)) {
        return VTD_FR_SPD_2;
    }
    if (pde & (VTD_SM_PDE_RSVD | ~VTD_HAW_MASK(s->aw_bits))) {
        return VTD_FR_SPD_3;
    }
    *pasid_table = pde & VTD_PASID_TABLE_BASE_ADDR_MASK;
    return 0;
}

/*
 * SPT.3.  Fields of features that ECAP does not report are reserved, but for
 * AW: software that uses first-stage tables only sets it too.
 */
static bool vtd_sm_pe_reserved(IntelIOMMUState *s, const VTDPASIDEntry *pe)
{
    uint64_t high = ~VTD_HAW_MASK(s->aw_bits);
    uint64_t rsvd0 = VTD_SM_PE_RSVD0 | high;
    uint64_t rsvd1 = ~(VTD_SM_PE_DID | VTD_SM_PE_PWSNP | VTD_SM_PE_PGSNP);
    uint64_t rsvd2 = VTD_SM_PE_RSVD2 | high;

    if (!(s->ecap & VTD_ECAP_SLTS)) {
        rsvd0 |= VTD_SM_PASID_ENTRY_SLPTPTR;
    }
    if (!(s->ecap & VTD_ECAP_SMPWC)) {
        rsvd1 |= VTD_SM_PE_PWSNP;
    }
    if (!(s->ecap & VTD_ECAP_SC)) {
        rsvd1 |= VTD_SM_PE_PGSNP;
    }
    if (!(s->ecap & VTD_ECAP_SRS)) {
        rsvd2 |= VTD_SM_PE_SRE;
    }
    if (!(s->ecap & VTD_ECAP_FLTS)) {
        rsvd2 |= VTD_SM_PE_FS_FIELDS;
    }
    return pe->val[0] & rsvd0 || pe->val[1] & rsvd1 || pe->val[2] & rsvd2 ||
           pe->val[3] || pe->val[4] || pe->val[5] || pe->val[6] || pe->val[7];
}

/* SPT.4: PGTT and the fields that go with it */
static bool vtd_sm_pe_valid(IntelIOMMUState *s, const VTDPASIDEntry *pe)
{
    switch (vtd_pe_pgtt(pe)) {
    case VTD_SM_PASID_ENTRY_FLT:
        return (s->ecap & VTD_ECAP_FLTS) && VTD_SM_PE_FSPM(pe) == 0;
    case VTD_SM_PASID_ENTRY_SLT:
        return (s->ecap & VTD_ECAP_SLTS) &&
               s->cap & (1ULL << (VTD_CAP_SAGAW_SHIFT + VTD_SM_PE_AW(pe))) &
               VTD_CAP_SAGAW_MASK;
    case VTD_SM_PASID_ENTRY_PT:
        return s->ecap & VTD_ECAP_PT;
    default:                        /* NESTED: ECAP.NEST is 0 */
        return false;
    }
}

static hwaddr vtd_sm_pasid_addr(const VTDSmWalk *walk, hwaddr pasid_table)
{
    return pasid_table + VTD_PASID_TABLE_INDEX(walk->table_pasid) *
                         VTD_PASID_ENTRY_SIZE;
}

/* SPT.1 to SPT.4; VT-d 9.6 */
static int vtd_sm_walk_table(IntelIOMMUState *s, VTDSmWalk *walk,
                             hwaddr pasid_table)
{
    VTDPASIDEntry *pe = &walk->pe;
    hwaddr addr = vtd_sm_pasid_addr(walk, pasid_table);

    if (!vtd_sm_read_entry(s, walk, VTD_TORN_PASID, addr, pe->val,
                           ARRAY_SIZE(pe->val))) {
        return VTD_FR_SPT_1;
    }
    walk->fpd |= !!(pe->val[0] & VTD_PASID_ENTRY_FPD);
    if (!(pe->val[0] & VTD_PASID_ENTRY_P)) {
        return VTD_FR_SPT_2;
    }
    if (vtd_sm_pe_reserved(s, pe)) {
        return VTD_FR_SPT_3;
    }
    return vtd_sm_pe_valid(s, pe) ? 0 : VTD_FR_SPT_4;
}

/* An entry that is read in pieces is read: the cache has nothing to say then */
static bool vtd_sm_may_hit(const VTDSmWalk *walk, VTDTornKind kind)
{
    return !walk->uncached && (!walk->torn || walk->torn->kind != kind);
}

/* The context entry from the cache, or from memory */
static int vtd_sm_find_context(IntelIOMMUState *s, VTDSmWalk *walk)
{
    hwaddr table;
    int ret;

    if (vtd_sm_may_hit(walk, VTD_TORN_CONTEXT) &&
        vtd_smcache_context(s, walk)) {
        return vtd_sm_check_request(s, walk);
    }
    ret = vtd_sm_walk_root(s, walk, &table);
    if (!ret) {
        ret = vtd_sm_walk_context(s, walk, table);
    }
    if (!ret && !walk->uncached) {
        vtd_smcache_add_context(s, walk);
    }
    return ret;
}

/* The same for the PASID-table entry */
static int vtd_sm_find_pasid(IntelIOMMUState *s, VTDSmWalk *walk)
{
    bool fpd = walk->fpd;
    hwaddr table;
    int ret;

    if (vtd_sm_may_hit(walk, VTD_TORN_PASID) && vtd_smcache_pasid(s, walk)) {
        return 0;
    }
    walk->fpd = false;
    ret = vtd_sm_walk_dir(s, walk, &table);
    if (!ret) {
        ret = vtd_sm_walk_table(s, walk, table);
    }
    if (!ret && !walk->uncached) {
        vtd_smcache_add_pasid(s, walk, walk->fpd);
    }
    walk->fpd |= fpd;
    return ret;
}

int vtd_sm_walk_function(IntelIOMMUState *s, VTDSmWalk *walk)
{
    int ret;

    walk->fpd = false;
    walk->table_pasid = 0;
    dma_barrier(&address_space_memory, DMA_DIRECTION_TO_DEVICE);
    ret = vtd_sm_check_mode(s, walk);
    return ret ? ret : vtd_sm_find_context(s, walk);
}

int vtd_sm_walk(IntelIOMMUState *s, VTDSmWalk *walk)
{
    int ret = vtd_sm_walk_function(s, walk);

    return ret ? ret : vtd_sm_find_pasid(s, walk);
}

bool vtd_sm_torn_start(IntelIOMMUState *s, VTDSmWalk *walk, VTDTornKind kind,
                       VTDTornRead *torn)
{
    hwaddr table;

    memset(torn, 0, sizeof(*torn));
    if (vtd_sm_check_mode(s, walk) ||
        (kind == VTD_TORN_CONTEXT && vtd_smcache_context(s, walk)) ||
        vtd_sm_walk_root(s, walk, &table)) {
        return false;
    }
    if (kind == VTD_TORN_CONTEXT) {
        torn->addr = vtd_sm_context_addr(walk, table);
        torn->n = VTD_CTX_ENTRY_SCALABLE_SIZE / sizeof(uint64_t);
    } else {
        if (vtd_sm_find_context(s, walk) || vtd_smcache_pasid(s, walk) ||
            vtd_sm_walk_dir(s, walk, &table)) {
            return false;
        }
        torn->addr = vtd_sm_pasid_addr(walk, table);
        torn->n = VTD_PASID_ENTRY_SIZE / sizeof(uint64_t);
    }
    torn->kind = kind;
    return true;
}

bool vtd_sm_torn_step(VTDTornRead *torn)
{
    if (torn->done + 2 > ARRAY_SIZE(torn->val) ||
        !vtd_table_read_unlocked(torn->addr + torn->done * sizeof(uint64_t),
                                 &torn->val[torn->done], 2)) {
        torn->kind = VTD_TORN_NONE;     /* the walk will say what is wrong */
        return false;
    }
    torn->done += 2;
    return torn->done < torn->n;
}
