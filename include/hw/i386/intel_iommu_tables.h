/*
 * VT-d: where the structures that the IOMMU reads lie in the host's memory
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_I386_INTEL_IOMMU_TABLES_H
#define HW_I386_INTEL_IOMMU_TABLES_H

#include "exec/hwaddr.h"
#include "system/memory.h"

typedef struct IntelIOMMUState IntelIOMMUState;

/* Pages that are remembered, which have one place for each; a power of two */
#define VTD_TABLE_PAGES     64

/* A page of guest RAM; @view is 0 if the place is free */
typedef struct VTDTablePage {
    hwaddr addr;
    const uint64_t *host;
    uint64_t view;
} VTDTablePage;

/**
 * struct VTDTables - embedded in VTDSvm
 *
 * @listener: hears when the map of memory changes
 * @view: counts the beginnings and ends of these changes; odd while one is
 *        under way.  Written under the BQL, read by anybody
 * @page: of tables, protected by iommu_lock.  Holds if its view is this one
 * @queue: the page of the invalidation queue that was read last; by the BQL
 *
 * Nothing of the guest's is in it, so it is not in a snapshot.
 */
typedef struct VTDTables {
    MemoryListener listener;
    uint64_t view;
    VTDTablePage page[VTD_TABLE_PAGES];
    VTDTablePage queue;
} VTDTables;

void vtd_tables_realize(IntelIOMMUState *s);

/**
 * vtd_table_read: read @n little-endian qwords, which lie in one page
 *
 * Each of them is read once and as a whole.  The caller holds iommu_lock, and
 * the BQL or the RCU's read lock.  Orders nothing: dma_barrier() goes ahead of
 * a walk.
 *
 * Returns: false if there is no RAM.
 */
bool vtd_table_read(IntelIOMMUState *s, hwaddr addr, uint64_t *val,
                    unsigned int n);

/**
 * vtd_desc_read: the same for an invalidation descriptor, under the BQL
 *
 * The guest wrote it before the tail, and that write took the BQL: nothing else
 * has to order the two.
 */
bool vtd_desc_read(IntelIOMMUState *s, hwaddr addr, uint64_t *val,
                   unsigned int n);

/**
 * vtd_table_read_unlocked: the same without a lock, and slower
 */
bool vtd_table_read_unlocked(hwaddr addr, uint64_t *val, unsigned int n);

#endif /* HW_I386_INTEL_IOMMU_TABLES_H */
