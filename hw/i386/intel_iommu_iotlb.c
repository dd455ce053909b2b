/*
 * VT-d: may the IOTLB hold something of a page?
 *
 * Each page request that is accepted drops what the IOTLB holds for its page
 * (VT-d 6.5.3.1), and that is nothing, as a rule: what cannot be accessed is
 * not cached.  An invalidation does not name the requester, by which QEMU's
 * IOTLB finds its entries, so it looks at all of them.  This here says when it
 * need not.
 *
 * A bit is never missing.  Entries that go leave theirs behind, but when all
 * others have gone at once, or too many bits are set, it starts again with what
 * there is.
 *
 * Locking: iommu_lock.
 *
 * VT-d 6.2.4, 6.5.3.1
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitmap.h"
#include "qemu/lockable.h"
#include "hw/i386/intel_iommu.h"
#include "intel_iommu_internal.h"

/* Entries of which the bits were set, before those of old ones are cleared */
#define VTD_IOTLB_ADDED_MAX     (2 * VTD_IOTLB_MAX_SIZE)

static unsigned int vtd_iotlb_bit(uint16_t did, uint32_t pasid, hwaddr addr,
                                  uint32_t level)
{
    uint64_t page = addr >> (12 + 9 * (level - 1));
    uint64_t h = page * 0x9e3779b97f4a7c15ULL;

    h ^= ((uint64_t)pasid << 24 | (uint64_t)did << 8 | level) *
         0xc2b2ae3d27d4eb4fULL;
    h ^= h >> 29;
    h *= 0xbf58476d1ce4e5b9ULL;
    return (h >> 32) % VTD_IOTLB_BITS;
}

static void vtd_iotlb_set(VTDIotlbPages *p, uint16_t did, uint32_t pasid,
                          hwaddr addr, uint32_t level)
{
    set_bit(vtd_iotlb_bit(did, pasid, addr, level), p->bits);
    p->levels |= 1u << level;
    p->added++;
}

static void vtd_iotlb_clear(VTDIotlbPages *p)
{
    bitmap_zero(p->bits, VTD_IOTLB_BITS);
    p->levels = 0;
    p->added = 0;
}

/* Only what the IOTLB still has */
static void vtd_iotlb_again(IntelIOMMUState *s)
{
    VTDIotlbPages *p = &s->svm.iotlb_pages;
    GHashTableIter it;
    gpointer value;

    vtd_iotlb_clear(p);
    g_hash_table_iter_init(&it, s->iotlb);
    while (g_hash_table_iter_next(&it, NULL, &value)) {
        const VTDIOTLBEntry *e = value;
        uint32_t level = (ctz64(e->mask) - 12) / 9 + 1;

        if (e->pgtt == VTD_SM_PASID_ENTRY_FLT) {
            vtd_iotlb_set(p, e->domain_id, e->pasid, e->gfn << 12, level);
        }
    }
}

void vtd_iotlb_added(IntelIOMMUState *s, uint16_t did, uint32_t pasid,
                     hwaddr addr, uint32_t level)
{
    VTDIotlbPages *p = &s->svm.iotlb_pages;

    if (g_hash_table_size(s->iotlb) == 1 || p->added >= VTD_IOTLB_ADDED_MAX) {
        vtd_iotlb_again(s);         /* and the new one is there */
    } else {
        vtd_iotlb_set(p, did, pasid, addr, level);
    }
}

static bool vtd_iotlb_may_hold(IntelIOMMUState *s, uint16_t did, uint32_t pasid,
                               hwaddr addr)
{
    const VTDIotlbPages *p = &s->svm.iotlb_pages;

    QEMU_LOCK_GUARD(&s->iommu_lock);
    for (uint32_t levels = p->levels; levels; levels &= levels - 1) {
        if (test_bit(vtd_iotlb_bit(did, pasid, addr, ctz32(levels)),
                     p->bits)) {
            return true;
        }
    }
    return false;
}

void vtd_iotlb_drop_page(IntelIOMMUState *s, uint16_t did, uint32_t pasid,
                         hwaddr addr)
{
    /* Those who are notified of unmapped pages may have cached it themselves */
    if (!QLIST_EMPTY(&s->vtd_as_with_notifiers) ||
        vtd_iotlb_may_hold(s, did, pasid, addr)) {
        vtd_piotlb_page_invalidate(s, did, pasid, addr, 0);
    }
}
