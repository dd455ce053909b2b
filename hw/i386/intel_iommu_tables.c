/*
 * VT-d: where the structures that the IOMMU reads lie in the host's memory
 *
 * A walk reads eight entries or more, each in a page of its own, and the next
 * request reads the same ones; the next invalidation descriptor is in the page
 * of the one before.  What is remembered here is not what is in them:
 * every entry is read from the guest's memory when it is needed.  It is the
 * place of the page in the host's memory, which costs more to find than all the
 * rest of a walk.
 *
 * It holds until the map of memory changes.  Whoever finds @view as it was, and
 * holds the BQL or is in an RCU read-side critical section since before, may
 * use the pointer: the change has not begun by then, and what it takes away is
 * freed only later, under the BQL and after a grace period.
 *
 * A structure is in RAM.  What a guest's pointer says to be elsewhere is not
 * read: a register of a device might do something then.
 *
 * Locking: iommu_lock for the tables, the BQL for the queue.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "system/address-spaces.h"
#include "system/dma.h"
#include "system/memory.h"
#include "system/physmem.h"
#include "hw/i386/intel_iommu.h"
#include "intel_iommu_internal.h"

bool vtd_table_read_unlocked(hwaddr addr, uint64_t *val, unsigned int n)
{
    const MemTxAttrs attrs = { .memory = true };

    if (dma_memory_read(&address_space_memory, addr, val, n * sizeof(*val),
                        attrs) != MEMTX_OK) {
        return false;
    }
    for (unsigned int i = 0; i < n; i++) {
        val[i] = le64_to_cpu(val[i]);
    }
    return true;
}

/* The page at @addr, or NULL if it is not RAM in one piece */
static const uint64_t *vtd_table_map(hwaddr addr)
{
    hwaddr offset, len = VTD_PAGE_SIZE;
    MemoryRegion *mr = address_space_translate(&address_space_memory, addr,
                                               &offset, &len, false,
                                               MEMTXATTRS_UNSPECIFIED);

    if (len < VTD_PAGE_SIZE || !memory_region_is_ram(mr) ||
        memory_region_is_ram_device(mr)) {
        return NULL;
    }
    return memory_region_get_ram_ptr(mr) + offset;
}

/* The same from @page, if its view is still that of the map */
static inline const uint64_t *vtd_table_page(VTDTables *t, VTDTablePage *page,
                                             hwaddr addr)
{
    uint64_t view = qatomic_load_acquire(&t->view);

    if (likely(page->addr == addr && page->view == view)) {
        return page->host;
    }
    page->addr = addr;
    page->host = vtd_table_map(addr);
    page->view = page->host && !(view & 1) ? view : 0;
    return page->host;
}

static inline bool vtd_table_read_by(VTDTables *t, VTDTablePage *page,
                                     hwaddr addr, uint64_t *val,
                                     unsigned int n)
{
    hwaddr offset = addr & (VTD_PAGE_SIZE - 1);
    const uint64_t *host;

    /* Who wants to be told of accesses is told of them by address_space_*() */
    host = likely(!physmem_dma_watch) ?
           vtd_table_page(t, page, addr - offset) : NULL;
    if (unlikely(!host)) {
        return vtd_table_read_unlocked(addr, val, n);
    }
    host += offset / sizeof(*host);
    for (unsigned int i = 0; i < n; i++) {
        val[i] = le64_to_cpu(qatomic_read(&host[i]));
    }
    return true;
}

bool vtd_table_read(IntelIOMMUState *s, hwaddr addr, uint64_t *val,
                    unsigned int n)
{
    VTDTables *t = &s->svm.tables;

    return vtd_table_read_by(t, &t->page[(addr / VTD_PAGE_SIZE) %
                                         VTD_TABLE_PAGES], addr, val, n);
}

bool vtd_desc_read(IntelIOMMUState *s, hwaddr addr, uint64_t *val,
                   unsigned int n)
{
    VTDTables *t = &s->svm.tables;

    return vtd_table_read_by(t, &t->queue, addr, val, n);
}

/* -- life ------------------------------------------------------------------ */

static void vtd_tables_changing(MemoryListener *listener)
{
    VTDTables *t = container_of(listener, VTDTables, listener);

    qatomic_set(&t->view, t->view + 1);
    smp_mb();           /* before anything is taken away */
}

static void vtd_tables_changed(MemoryListener *listener)
{
    VTDTables *t = container_of(listener, VTDTables, listener);

    qatomic_store_release(&t->view, t->view + 1);
}

void vtd_tables_realize(IntelIOMMUState *s)
{
    VTDTables *t = &s->svm.tables;

    t->view = 2;                        /* no page has that yet */
    t->listener = (MemoryListener) {
        .name = "intel-iommu-tables",
        .begin = vtd_tables_changing,
        .commit = vtd_tables_changed,
    };
    memory_listener_register(&t->listener, &address_space_memory);
}
