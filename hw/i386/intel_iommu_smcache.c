/*
 * VT-d: what hardware keeps of the remapping and paging structures
 *
 * Without these caches a change in memory counts at once, and software that
 * forgets an invalidation, or drains before it, is never seen to be wrong.
 * With them (knobs sm-cache and pwc) what was read stays in use until the
 * invalidation that the specification asks for, or until another entry takes
 * its place.  Only what led to no fault is kept (CAP.CM=0; with CM=1 hardware
 * may keep more, which this does not do).
 *
 * Locking: iommu_lock.  Translations come from any thread; page requests and
 * invalidations come under the BQL and take the lock as well.
 *
 * VT-d 6.2, 6.5.2.1 to 6.5.2.4, 6.6
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "migration/vmstate.h"
#include "hw/i386/intel_iommu.h"
#include "intel_iommu_internal.h"
#include "intel_iommu_walk.h"
#include "trace.h"

/* -- context cache and PASID cache ----------------------------------------- */

static VTDSmcContext *vtd_smcache_context_slot(IntelIOMMUState *s, uint16_t rid)
{
    /* Functions of a device differ in the low bits, devices in the others */
    return &s->svm.smc.context[(rid ^ rid >> 8) % VTD_SMC_CONTEXTS];
}

static VTDSmcPasid *vtd_smcache_pasid_slot(IntelIOMMUState *s, uint16_t rid,
                                           uint32_t pasid)
{
    /* 6.2.3: the same PASID of several functions must not thrash itself */
    return &s->svm.smc.pasid[(pasid ^ pasid >> 8 ^ rid * 37) % VTD_SMC_PASIDS];
}

bool vtd_smcache_context(IntelIOMMUState *s, VTDSmWalk *walk)
{
    VTDSmcContext *slot = vtd_smcache_context_slot(s, walk->rid);

    if (!s->svm.knobs.sm_cache || !slot->valid || slot->rid != walk->rid) {
        return false;
    }
    trace_vtd_smcache_hit("context", walk->rid, 0);
    memcpy(walk->ce.val, slot->ce, sizeof(slot->ce));
    walk->fpd |= !!(slot->ce[0] & VTD_CONTEXT_ENTRY_FPD);
    return true;
}

void vtd_smcache_add_context(IntelIOMMUState *s, const VTDSmWalk *walk)
{
    VTDSmcContext *slot = vtd_smcache_context_slot(s, walk->rid);

    if (s->svm.knobs.sm_cache) {
        memcpy(slot->ce, walk->ce.val, sizeof(slot->ce));
        slot->rid = walk->rid;
        slot->valid = true;
    }
}

bool vtd_smcache_pasid(IntelIOMMUState *s, VTDSmWalk *walk)
{
    VTDSmcPasid *slot = vtd_smcache_pasid_slot(s, walk->rid,
                                               walk->table_pasid);

    if (!s->svm.knobs.sm_cache || !slot->valid || slot->rid != walk->rid ||
        slot->pasid != walk->table_pasid) {
        return false;
    }
    trace_vtd_smcache_hit("pasid", walk->rid, walk->table_pasid);
    memcpy(walk->pe.val, slot->pe, sizeof(slot->pe));
    walk->fpd |= slot->fpd;
    return true;
}

void vtd_smcache_add_pasid(IntelIOMMUState *s, const VTDSmWalk *walk, bool fpd)
{
    VTDSmcPasid *slot = vtd_smcache_pasid_slot(s, walk->rid,
                                               walk->table_pasid);

    if (s->svm.knobs.sm_cache) {
        memcpy(slot->pe, walk->pe.val, sizeof(slot->pe));
        slot->pasid = walk->table_pasid;
        slot->rid = walk->rid;
        slot->fpd = fpd;
        slot->valid = true;
    }
}

void vtd_smcache_cc_inv(IntelIOMMUState *s, uint16_t rid, uint16_t mask)
{
    if (!s->svm.knobs.sm_cache) {
        return;
    }
    qemu_mutex_lock(&s->iommu_lock);
    for (int i = 0; i < VTD_SMC_CONTEXTS; i++) {
        VTDSmcContext *slot = &s->svm.smc.context[i];

        slot->valid = slot->valid && (slot->rid ^ rid) & mask;
    }
    qemu_mutex_unlock(&s->iommu_lock);
}

void vtd_smcache_pc_inv(IntelIOMMUState *s, unsigned int granularity,
                        uint16_t did, uint32_t pasid)
{
    if (!s->svm.knobs.sm_cache) {
        return;
    }
    qemu_mutex_lock(&s->iommu_lock);
    for (int i = 0; i < VTD_SMC_PASIDS; i++) {
        VTDSmcPasid *slot = &s->svm.smc.pasid[i];
        bool keep = false;

        if (granularity != VTD_INV_DESC_PASIDC_G_GLOBAL) {
            keep = (slot->pe[1] & VTD_DOMAIN_ID_MASK) != did;
        }
        if (granularity == VTD_INV_DESC_PASIDC_G_PASID_SI) {
            keep |= slot->pasid != pasid;
        }
        slot->valid = slot->valid && keep;
    }
    qemu_mutex_unlock(&s->iommu_lock);
}

/* -- paging-structure cache ------------------------------------------------ */

static VTDPwcEntry *vtd_pwc_slot(IntelIOMMUState *s, uint64_t iova)
{
    return &s->svm.smc.pwc[(iova >> VTD_PAGE_SHIFT_2M) % VTD_PWC_NR];
}

bool vtd_pwc_lookup(IntelIOMMUState *s, uint32_t pasid, uint16_t did,
                    uint64_t iova, uint64_t *table, bool *write)
{
    VTDPwcEntry *slot = vtd_pwc_slot(s, iova);

    if (!s->svm.knobs.pwc || !slot->valid || slot->pasid != pasid ||
        slot->did != did || slot->region != iova >> VTD_PAGE_SHIFT_2M) {
        return false;
    }
    *table = slot->table;
    *write = slot->write;
    return true;
}

void vtd_pwc_insert(IntelIOMMUState *s, uint32_t pasid, uint16_t did,
                    uint64_t iova, uint64_t table, bool write)
{
    if (s->svm.knobs.pwc) {
        *vtd_pwc_slot(s, iova) = (VTDPwcEntry) {
            .region = iova >> VTD_PAGE_SHIFT_2M,
            .table = table,
            .pasid = pasid,
            .did = did,
            .valid = true,
            .write = write,
        };
    }
}

/* What an invalidation names; a field that it does not name matches all */
typedef struct VTDPwcInv {
    bool any_did;
    bool any_pasid;
    bool any_addr;
    uint16_t did;
    uint32_t pasid;
    uint64_t first;             /* regions */
    uint64_t last;
} VTDPwcInv;

static void vtd_pwc_drop(IntelIOMMUState *s, const VTDPwcInv *inv)
{
    if (!s->svm.knobs.pwc) {
        return;
    }
    qemu_mutex_lock(&s->iommu_lock);
    for (int i = 0; i < VTD_PWC_NR; i++) {
        VTDPwcEntry *slot = &s->svm.smc.pwc[i];

        if ((inv->any_did || slot->did == inv->did) &&
            (inv->any_pasid || slot->pasid == inv->pasid) &&
            (inv->any_addr || (slot->region >= inv->first &&
                               slot->region <= inv->last))) {
            slot->valid = false;
        }
    }
    qemu_mutex_unlock(&s->iommu_lock);
}

void vtd_pwc_inv_all(IntelIOMMUState *s)
{
    vtd_pwc_drop(s, &(VTDPwcInv) {
        .any_did = true, .any_pasid = true, .any_addr = true,
    });
}

void vtd_pwc_inv_domain(IntelIOMMUState *s, uint16_t did)
{
    vtd_pwc_drop(s, &(VTDPwcInv) {
        .did = did, .any_pasid = true, .any_addr = true,
    });
}

void vtd_pwc_inv_pasid(IntelIOMMUState *s, uint16_t did, uint32_t pasid)
{
    vtd_pwc_drop(s, &(VTDPwcInv) {
        .did = did, .pasid = pasid, .any_addr = true,
    });
}

void vtd_pwc_inv_pages(IntelIOMMUState *s, uint16_t did, uint32_t pasid,
                       uint64_t addr, uint8_t am)
{
    uint8_t shift = MIN(am + VTD_PAGE_SHIFT_4K, 64);
    uint64_t size_mask = MAKE_64BIT_MASK(0, shift);

    vtd_pwc_drop(s, &(VTDPwcInv) {
        .did = did,
        .pasid = pasid,
        .first = (addr & ~size_mask) >> VTD_PAGE_SHIFT_2M,
        .last = (addr | size_mask) >> VTD_PAGE_SHIFT_2M,
    });
}

/* -- life ------------------------------------------------------------------ */

void vtd_smcache_flush(IntelIOMMUState *s)
{
    qemu_mutex_lock(&s->iommu_lock);
    memset(&s->svm.smc, 0, sizeof(s->svm.smc));
    qemu_mutex_unlock(&s->iommu_lock);
}

static const VMStateDescription vmstate_vtd_smc_context = {
    .name = "intel-iommu/smcache/context",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64_ARRAY(ce, VTDSmcContext, 4),
        VMSTATE_UINT16(rid, VTDSmcContext),
        VMSTATE_BOOL(valid, VTDSmcContext),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_vtd_smc_pasid = {
    .name = "intel-iommu/smcache/pasid",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64_ARRAY(pe, VTDSmcPasid, 8),
        VMSTATE_UINT32(pasid, VTDSmcPasid),
        VMSTATE_UINT16(rid, VTDSmcPasid),
        VMSTATE_BOOL(fpd, VTDSmcPasid),
        VMSTATE_BOOL(valid, VTDSmcPasid),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_vtd_pwc_entry = {
    .name = "intel-iommu/smcache/pwc",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(region, VTDPwcEntry),
        VMSTATE_UINT64(table, VTDPwcEntry),
        VMSTATE_UINT32(pasid, VTDPwcEntry),
        VMSTATE_UINT16(did, VTDPwcEntry),
        VMSTATE_BOOL(valid, VTDPwcEntry),
        VMSTATE_BOOL(write, VTDPwcEntry),
        VMSTATE_END_OF_LIST()
    }
};

static bool vtd_smcache_needed(void *opaque)
{
    IntelIOMMUState *s = opaque;

    return s->svm.knobs.sm_cache || s->svm.knobs.pwc;
}

const VMStateDescription vmstate_vtd_smcache = {
    .name = "iommu-intel/svm/smcache",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = vtd_smcache_needed,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT_ARRAY(svm.smc.context, IntelIOMMUState,
                             VTD_SMC_CONTEXTS, 1, vmstate_vtd_smc_context,
                             VTDSmcContext),
        VMSTATE_STRUCT_ARRAY(svm.smc.pasid, IntelIOMMUState, VTD_SMC_PASIDS, 1,
                             vmstate_vtd_smc_pasid, VTDSmcPasid),
        VMSTATE_STRUCT_ARRAY(svm.smc.pwc, IntelIOMMUState, VTD_PWC_NR, 1,
                             vmstate_vtd_pwc_entry, VTDPwcEntry),
        VMSTATE_END_OF_LIST()
    }
};
