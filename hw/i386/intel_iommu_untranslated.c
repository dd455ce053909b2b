/*
 * VT-d: untranslated requests in scalable mode
 *
 * They come by two ways: without PASID through the address space that QEMU
 * gives the function, with a PASID over the link, because an endpoint with many
 * PASIDs would need an address space for each.  In legacy mode QEMU's own
 * vtd_do_iommu_translate() serves those without PASID.
 *
 * What table 30 answers with UR is recorded as a non-recoverable fault.
 *
 * Locking: takes iommu_lock.  Requests without PASID need not hold the BQL.
 *
 * VT-d 3.4.3, 7.1.1, 7.1.3
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

static bool vtd_untranslated(IntelIOMMUState *s, const VTDXlatReq *req,
                             VTDXlat *x)
{
    int reason;

    QEMU_LOCK_GUARD(&s->iommu_lock);
    reason = vtd_sm_translate(s, req, x);
    if (reason && !(x->fpd && vtd_sm_fault_qualified(reason))) {
        trace_vtd_dmar_fault(req->rid, reason, req->addr, req->write);
        vtd_xlat_record(s, req, reason);
    }
    return !reason;
}

bool vtd_sm_untranslated(IntelIOMMUState *s, uint16_t rid, uint32_t pasid,
                         uint64_t addr, bool write, IOMMUTLBEntry *entry,
                         bool *pass_through)
{
    VTDXlatReq req = {
        .addr = addr,
        .pasid = pasid,
        .rid = rid,
        .untranslated = true,
        .write = write,
    };
    VTDXlat x;

    if (!vtd_untranslated(s, &req, &x)) {
        entry->iova = 0;
        entry->translated_addr = 0;
        entry->addr_mask = 0xfff;
        entry->perm = IOMMU_NONE;
        return false;
    }
    entry->iova = addr & ~x.mask;
    entry->translated_addr = x.addr;
    entry->addr_mask = x.mask;
    /* Not more than was asked for: Dirty is set for a write only */
    entry->perm = IOMMU_ACCESS_FLAG(x.read, x.write && write);
    *pass_through = x.pass_through;
    return true;
}

bool vtd_sm_pass_through(IntelIOMMUState *s, uint16_t rid, uint32_t pasid)
{
    VTDSmWalk walk = {
        .rid = rid,
        .pasid = pasid,
        .untranslated = true,
        .uncached = true,
    };

    return !vtd_sm_walk(s, &walk) &&
           vtd_pe_pgtt(&walk.pe) == VTD_SM_PASID_ENTRY_PT;
}

bool vtd_ats_untranslated(IntelIOMMUState *s, PCIDevice *dev, uint32_t pasid,
                          hwaddr addr, bool write, uint64_t *out)
{
    VTDXlatReq req = {
        .addr = addr,
        .pasid = pasid,
        .rid = pci_requester_id(dev),
        .untranslated = true,
        .write = write,
    };
    VTDXlat x;

    if (!s->dmar_enabled) {
        *out = addr;
        return true;
    }
    if (!vtd_untranslated(s, &req, &x)) {
        return false;
    }
    *out = x.addr | (addr & x.mask);
    return true;
}
