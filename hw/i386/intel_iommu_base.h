/*
 * VT-d: what QEMU 11.1 writes in another form than QEMU 10.2
 *
 * The overlay is for both (patches/).  What has only another name in 11.1 gets
 * that of 10.2 from the patches; what has another shape is read through these.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_I386_INTEL_IOMMU_BASE_H
#define HW_I386_INTEL_IOMMU_BASE_H

#include "intel_iommu_internal.h"

/*
 * QEMU 11.1: MemoryRegionCache has a header of its own, the macros take the
 * entry, PGTT is a number; 10.2: it is in memory.h, word, bits
 */
#ifdef VTD_SM_PASID_ENTRY_FST
#include "system/memory_cached.h"
#define VTD_BASE_PGTT(pe)       VTD_SM_PASID_ENTRY_PGTT(pe)
#define VTD_BASE_DID(pe)        VTD_SM_PASID_ENTRY_DID(pe)
#define VTD_BASE_FLTS(s)        ((s)->fsts)
#else
#define VTD_BASE_PGTT(pe)       ((pe)->val[0] & VTD_SM_PASID_ENTRY_PGTT)
#define VTD_BASE_DID(pe)        VTD_SM_PASID_ENTRY_DID((pe)->val[1])
#define VTD_BASE_FLTS(s)        ((s)->flts)
#endif

/* PGTT of a PASID-table entry (VT-d 9.6): VTD_SM_PASID_ENTRY_FLT and so on */
static inline uint16_t vtd_pe_pgtt(const VTDPASIDEntry *pe)
{
    return VTD_BASE_PGTT(pe);
}

/* Domain ID of a PASID-table entry */
static inline uint16_t vtd_pe_did(const VTDPASIDEntry *pe)
{
    return VTD_BASE_DID(pe);
}

/* Has the IOMMU first-stage translation (ECAP.FSTS)? */
static inline bool vtd_has_first_stage(const IntelIOMMUState *s)
{
    return VTD_BASE_FLTS(s);
}

/* ECAP.PSS, bits 39:35 (VT-d 11.4.3): the PASID width in bits, less one */
static inline void vtd_set_pss(IntelIOMMUState *s, unsigned int pasid_bits)
{
    s->ecap = deposit64(s->ecap, 35, 5, pasid_bits - 1);
}

/* And read back: what a request with a PASID is held to */
static inline unsigned int vtd_get_pss(const IntelIOMMUState *s)
{
    return extract64(s->ecap, 35, 5) + 1;
}

#endif /* HW_I386_INTEL_IOMMU_BASE_H */
