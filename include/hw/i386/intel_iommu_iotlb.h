/*
 * VT-d: may the IOTLB hold something of a page?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_I386_INTEL_IOMMU_IOTLB_H
#define HW_I386_INTEL_IOMMU_IOTLB_H

#include "qemu/bitops.h"
#include "exec/hwaddr.h"

typedef struct IntelIOMMUState IntelIOMMUState;

/* Many more than the IOTLB has entries, so that few pages share a bit */
#define VTD_IOTLB_BITS      (128 * 1024)

/**
 * struct VTDIotlbPages - embedded in VTDSvm; protected by iommu_lock
 *
 * @bits: one is set for the page of each entry of first-stage tables, and of
 *        some that are gone
 * @levels: bit N: there was such an entry of level N
 * @added: entries that @bits knows
 *
 * Nothing of the guest's is in it, so it is not in a snapshot.
 */
typedef struct VTDIotlbPages {
    unsigned long bits[BITS_TO_LONGS(VTD_IOTLB_BITS)];
    uint32_t levels;
    uint32_t added;
} VTDIotlbPages;

/**
 * vtd_iotlb_added: the IOTLB has got an entry of first-stage tables
 *
 * @did, @pasid: what invalidations name (vtd_update_iotlb())
 *
 * Called with iommu_lock held.
 */
void vtd_iotlb_added(IntelIOMMUState *s, uint16_t did, uint32_t pasid,
                     hwaddr addr, uint32_t level);

/**
 * vtd_iotlb_drop_page: drop what the IOTLB holds of first-stage tables for the
 * page at @addr: vtd_piotlb_page_invalidate() of one page, at once if there is
 * nothing.  Takes iommu_lock.
 */
void vtd_iotlb_drop_page(IntelIOMMUState *s, uint16_t did, uint32_t pasid,
                         hwaddr addr);

#endif /* HW_I386_INTEL_IOMMU_IOTLB_H */
