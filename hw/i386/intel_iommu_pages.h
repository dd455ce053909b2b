/*
 * VT-d: the walk of first-stage and second-stage paging structures
 *
 * One walk for every request with an address: untranslated requests and
 * translation requests, with and without PASID.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_I386_INTEL_IOMMU_PAGES_H
#define HW_I386_INTEL_IOMMU_PAGES_H

#include "hw/i386/intel_iommu.h"

/**
 * struct VTDLeaf - the entry that maps the page, and what the walk grants
 *
 * @pte: the entry, with the flags that the walk has set
 * @level: 1 for 4 KiB, 2 for 2 MiB, 3 for 1 GiB
 * @read, @write: what every entry on the way permits.  First-stage tables:
 *                @write only if the Dirty flag of the leaf is set as well
 */
typedef struct VTDLeaf {
    uint64_t pte;
    uint32_t level;
    bool read;
    bool write;
} VTDLeaf;

/**
 * vtd_fs_walk: first-stage walk of a user request, VT-d 3.6
 *
 * Sets Accessed in each entry and, if @want_write and every entry permits
 * writes, Dirty in the leaf.
 *
 * @pe: the PASID-table entry; @pasid: its PASID, for the cache (knob "pwc")
 *
 * Returns: 0 and sets @leaf, or a fault reason.  A missing write permission is
 * no fault here.  Called with iommu_lock held.
 */
int vtd_fs_walk(IntelIOMMUState *s, const VTDPASIDEntry *pe, uint32_t pasid,
                uint64_t iova, bool want_write, VTDLeaf *leaf);

/**
 * vtd_ss_walk: second-stage walk, VT-d 3.7
 *
 * @table: the top table; @aw: the AW field, of a context entry in legacy mode
 *
 * Returns: 0 and sets @leaf, or a fault reason of the mode (@scalable).  One
 * of read and write is granted then; that the other is missing is no fault
 * here.
 */
int vtd_ss_walk(IntelIOMMUState *s, bool scalable, hwaddr table, uint32_t aw,
                uint64_t iova, VTDLeaf *leaf);

#endif /* HW_I386_INTEL_IOMMU_PAGES_H */
