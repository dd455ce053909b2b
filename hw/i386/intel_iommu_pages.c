/*
 * VT-d: the walk of first-stage and second-stage paging structures
 *
 * Every entry is read once and used as it was read: guest CPUs may change it
 * at any moment.  Accessed and Dirty flags are set with a compare-and-swap for
 * the same reason; ECAP.SMPWC promises that.
 *
 * Locking: iommu_lock is held, for the paging-structure cache
 * (intel_iommu_smcache.c).
 *
 * VT-d 3.6, 3.7, 3.10, 6.2.5, 9.7, 9.8
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "system/dma.h"
#include "system/memory.h"
#include "hw/i386/intel_iommu.h"
#include "intel_iommu_base.h"
#include "intel_iommu_pages.h"
#include "intel_iommu_walk.h"

/* Attempts to set a flag in an entry that changes under the walk */
#define VTD_SET_FLAGS_TRIES     16

static bool vtd_pte_read(IntelIOMMUState *s, hwaddr table, uint64_t iova,
                         uint32_t level, hwaddr *addr, uint64_t *pte)
{
    uint64_t index = extract64(iova, 12 + 9 * (level - 1), 9);

    *addr = table + index * sizeof(*pte);
    return vtd_table_read(s, *addr, pte, 1);
}

typedef enum VTDSetFlags {
    VTD_FLAGS_SET,
    VTD_FLAGS_CHANGED,          /* the entry is not what it was */
    VTD_FLAGS_FAILED,           /* the entry is in no RAM that can be written */
} VTDSetFlags;

/* Replace the entry at @addr, which was @old, by @new: atomically */
static VTDSetFlags vtd_pte_cmpxchg(hwaddr addr, uint64_t old, uint64_t new)
{
    MemoryRegionCache cache;
    VTDSetFlags ret = VTD_FLAGS_FAILED;
    int64_t len;

    RCU_READ_LOCK_GUARD();
    len = address_space_cache_init(&cache, &address_space_memory, addr,
                                   sizeof(old), true);
    if (len == sizeof(old) && cache.ptr) {
        uint64_t *host = (uint64_t *)cache.ptr;
        uint64_t was = cpu_to_le64(old);

        ret = qatomic_cmpxchg__nocheck(host, was, cpu_to_le64(new)) == was ?
              VTD_FLAGS_SET : VTD_FLAGS_CHANGED;
        address_space_cache_invalidate(&cache, 0, sizeof(old));
    }
    address_space_cache_destroy(&cache);
    return ret;
}

static uint64_t vtd_large_rsvd(uint32_t level)
{
    /* The address bits below the page size, but for PAT (bit 12) */
    return MAKE_64BIT_MASK(13, 9 * (level - 1) - 1);
}

static bool vtd_fs_reserved(IntelIOMMUState *s, uint64_t pte, uint32_t level)
{
    uint64_t rsvd = ~(VTD_HAW_MASK(s->aw_bits) | VTD_FS_UPPER_IGNORED);

    if (level == VTD_PML4_LEVEL ||
        (level == VTD_PDP_LEVEL && !(s->cap & VTD_CAP_FS1GP))) {
        rsvd |= VTD_PT_PAGE_SIZE_MASK;
    } else if (level > VTD_PT_LEVEL && (pte & VTD_PT_PAGE_SIZE_MASK)) {
        rsvd |= vtd_large_rsvd(level);
    }
    return pte & rsvd;
}

static bool vtd_pte_is_leaf(uint64_t pte, uint32_t level)
{
    return level == VTD_PT_LEVEL || (pte & VTD_PT_PAGE_SIZE_MASK);
}

/* -- first stage ----------------------------------------------------------- */

/* Read the entry of @level: 0, or the fault that it is, VT-d 7.1.3 */
static int vtd_fs_read(IntelIOMMUState *s, hwaddr table, uint64_t iova,
                       uint32_t level, hwaddr *addr, uint64_t *pte)
{
    if (!vtd_pte_read(s, table, iova, level, addr, pte)) {
        return level == VTD_PML4_LEVEL ? VTD_FR_SFS_4 : VTD_FR_SFS_1;
    }
    if (!(*pte & VTD_FL_P)) {
        return VTD_FR_SFS_2;
    }
    if (vtd_fs_reserved(s, *pte, level)) {
        return VTD_FR_SFS_3;
    }
    return *pte & VTD_FL_US ? 0 : VTD_FR_SGN_2;
}

/*
 * Read the entry of @level and set in it the flags that this walk must set:
 * Accessed, and Dirty for a write that @writable and the leaf let through.
 */
static int vtd_fs_step(IntelIOMMUState *s, bool coherent, hwaddr table,
                       uint64_t iova, uint32_t level, bool writable,
                       uint64_t *pte)
{
    for (int i = 0; i < VTD_SET_FLAGS_TRIES; i++) {
        VTDSetFlags ret;
        uint64_t new;
        hwaddr addr;
        int reason = vtd_fs_read(s, table, iova, level, &addr, pte);

        if (reason) {
            return reason;
        }
        new = *pte | VTD_FL_A;
        if (writable && vtd_pte_is_leaf(*pte, level) && (*pte & VTD_FL_RW)) {
            new |= VTD_FL_D;
        }
        if (new == *pte) {
            return 0;
        }
        if (!coherent) {
            return VTD_FR_SFS_9;
        }
        ret = vtd_pte_cmpxchg(addr, *pte, new);
        if (ret == VTD_FLAGS_SET) {
            *pte = new;
            return 0;
        }
        if (ret == VTD_FLAGS_FAILED) {
            break;
        }
    }
    return VTD_FR_SFS_10;
}

int vtd_fs_walk(IntelIOMMUState *s, const VTDPASIDEntry *pe, uint32_t pasid,
                uint64_t iova, bool want_write, VTDLeaf *leaf)
{
    hwaddr table = pe->val[2] & VTD_SM_PASID_ENTRY_FLPTPTR;
    uint16_t did = vtd_pe_did(pe);
    /* 3.10: only walks that snoop may set flags */
    bool coherent = (s->ecap & VTD_ECAP_SMPWC) &&
                    (pe->val[1] & VTD_SM_PE_PWSNP);
    uint32_t level = VTD_PML4_LEVEL;
    bool write = true;

    if (sextract64(iova, 0, 48) != (int64_t)iova) {
        return VTD_FR_SGN_1;
    }
    if (vtd_pwc_lookup(s, pasid, did, iova, &table, &write)) {
        level = VTD_PT_LEVEL;
    }
    for (;; level--) {
        uint64_t pte;
        int reason = vtd_fs_step(s, coherent, table, iova, level,
                                 want_write && write, &pte);

        if (reason) {
            return reason;
        }
        write = write && (pte & VTD_FL_RW);
        if (vtd_pte_is_leaf(pte, level)) {
            leaf->pte = pte;
            leaf->level = level;
            leaf->read = true;
            leaf->write = write && (pte & VTD_FL_D);
            return 0;
        }
        table = pte & VTD_PT_BASE_ADDR_MASK(s->aw_bits);
        if (level == VTD_PD_LEVEL) {
            vtd_pwc_insert(s, pasid, did, iova, table, write);
        }
    }
}

/* -- second stage ---------------------------------------------------------- */

static bool vtd_ss_reserved(IntelIOMMUState *s, uint64_t pte, uint32_t level)
{
    uint64_t rsvd = ~(VTD_HAW_MASK(s->aw_bits) | VTD_SL_IGN_COM);

    if (level == VTD_PML4_LEVEL) {
        rsvd |= VTD_PT_PAGE_SIZE_MASK;
    }
    if (!vtd_pte_is_leaf(pte, level)) {
        rsvd |= VTD_SPTE_SNP;
    } else {
        /* Property "stale-tm": a field of old revisions */
        rsvd &= s->stale_tm ? ~VTD_SL_TM : UINT64_MAX;
        rsvd |= level > VTD_PT_LEVEL ? vtd_large_rsvd(level) | 0x1000 : 0;
    }
    return pte & rsvd;
}

int vtd_ss_walk(IntelIOMMUState *s, bool scalable, hwaddr table, uint32_t aw,
                uint64_t iova, VTDLeaf *leaf)
{
    uint32_t top = aw + 2;

    if (top < VTD_PDP_LEVEL || top > VTD_PML4_LEVEL) {
        return scalable ? VTD_FR_SPT_4 : VTD_FR_CONTEXT_ENTRY_INV;
    }
    if (iova >> MIN(12 + 9 * top, s->aw_bits)) {
        return scalable ? VTD_FR_SGN_5 : VTD_FR_ADDR_BEYOND_MGAW;
    }
    leaf->read = leaf->write = true;
    for (leaf->level = top; ; leaf->level--) {
        hwaddr addr;

        if (!vtd_pte_read(s, table, iova, leaf->level, &addr, &leaf->pte)) {
            if (leaf->level == top) {
                return scalable ? VTD_FR_SSS_4 : VTD_FR_CONTEXT_ENTRY_INV;
            }
            return scalable ? VTD_FR_SSS_1 : VTD_FR_PAGING_ENTRY_INV;
        }
        leaf->read = leaf->read && (leaf->pte & VTD_SL_R);
        leaf->write = leaf->write && (leaf->pte & VTD_SL_W);
        if (!leaf->read && !leaf->write) {
            return scalable ? VTD_FR_SSS_2 : VTD_FR_READ;
        }
        if (vtd_ss_reserved(s, leaf->pte, leaf->level)) {
            return scalable ? VTD_FR_SSS_3 : VTD_FR_PAGING_ENTRY_RSVD;
        }
        if (vtd_pte_is_leaf(leaf->pte, leaf->level)) {
            return 0;
        }
        table = leaf->pte & VTD_PT_BASE_ADDR_MASK(s->aw_bits);
    }
}
