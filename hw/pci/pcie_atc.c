/*
 * Address Translation Cache of a function
 *
 * Slots hang in one hash table, keyed by size class as well, and in one list
 * by last use.  A look-up probes the size classes that are in use; there are
 * rarely more than three.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "hw/pci/pcie_atc.h"
#include "trace.h"

static unsigned int pcie_atc_class(uint64_t mask)
{
    return ctz64(mask + 1);
}

static uint64_t pcie_atc_class_mask(unsigned int class)
{
    return (1ULL << class) - 1;
}

static uint32_t pcie_atc_bucket(const PcieAtc *atc, unsigned int class,
                                uint64_t iova, uint32_t pasid, bool priv)
{
    uint64_t h = (iova >> 12) * 0x9e3779b97f4a7c15ULL;

    h ^= (pasid * 2ULL + priv + 1) * 0xc2b2ae3d27d4eb4fULL;
    h ^= class * 0x165667b19e3779f9ULL;
    h ^= h >> 29;
    h *= 0xbf58476d1ce4e5b9ULL;
    return (h >> 32) & (atc->n_buckets - 1);
}

static uint32_t pcie_atc_bucket_of(const PcieAtc *atc, const PcieAtcEntry *e)
{
    return pcie_atc_bucket(atc, pcie_atc_class(e->mask), e->iova, e->pasid,
                           e->priv);
}

void pcie_atc_init(PcieAtc *atc, uint32_t capacity, bool global_inv)
{
    memset(atc, 0, sizeof(*atc));
    atc->capacity = capacity;
    atc->global_inv = global_inv;
    atc->n_buckets = pow2ceil(MAX(capacity, 1));
    atc->slots = g_new0(PcieAtcSlot, MAX(capacity, 1));
    atc->buckets = g_new(uint32_t, atc->n_buckets);
    pcie_atc_flush(atc);
}

void pcie_atc_destroy(PcieAtc *atc)
{
    pcie_atc_free_saved(atc);
    g_free(atc->slots);
    g_free(atc->buckets);
    atc->slots = NULL;
    atc->buckets = NULL;
    atc->capacity = 0;
    atc->count = 0;
}

void pcie_atc_flush(PcieAtc *atc)
{
    atc->count = 0;
    atc->newest = PCIE_ATC_NONE;
    atc->oldest = PCIE_ATC_NONE;
    atc->classes = 0;
    memset(atc->in_class, 0, sizeof(atc->in_class));
    for (uint32_t i = 0; i < atc->n_buckets; i++) {
        atc->buckets[i] = PCIE_ATC_NONE;
    }
    for (uint32_t i = 0; i < atc->capacity; i++) {
        atc->slots[i].hash_next = i + 1;
    }
    if (atc->capacity) {
        atc->slots[atc->capacity - 1].hash_next = PCIE_ATC_NONE;
    }
    atc->free = atc->capacity ? 0 : PCIE_ATC_NONE;
}

static void pcie_atc_use_unlink(PcieAtc *atc, uint32_t n)
{
    PcieAtcSlot *s = &atc->slots[n];

    if (s->newer == PCIE_ATC_NONE) {
        atc->newest = s->older;
    } else {
        atc->slots[s->newer].older = s->older;
    }
    if (s->older == PCIE_ATC_NONE) {
        atc->oldest = s->newer;
    } else {
        atc->slots[s->older].newer = s->newer;
    }
}

static void pcie_atc_use_link(PcieAtc *atc, uint32_t n)
{
    PcieAtcSlot *s = &atc->slots[n];

    s->newer = PCIE_ATC_NONE;
    s->older = atc->newest;
    if (atc->newest == PCIE_ATC_NONE) {
        atc->oldest = n;
    } else {
        atc->slots[atc->newest].newer = n;
    }
    atc->newest = n;
}

static void pcie_atc_remove(PcieAtc *atc, uint32_t n)
{
    PcieAtcSlot *s = &atc->slots[n];
    unsigned int class = pcie_atc_class(s->e.mask);
    uint32_t *link = &atc->buckets[pcie_atc_bucket_of(atc, &s->e)];

    while (*link != n) {
        link = &atc->slots[*link].hash_next;
    }
    *link = s->hash_next;
    pcie_atc_use_unlink(atc, n);
    if (!--atc->in_class[class]) {
        atc->classes &= ~(1ULL << class);
    }
    atc->count--;
    s->hash_next = atc->free;
    atc->free = n;
}

static bool pcie_atc_is(const PcieAtcEntry *e, uint32_t pasid, bool priv)
{
    return e->pasid == pasid && e->priv == priv;
}

/* The slot that translates @addr by an entry of size @class */
static uint32_t pcie_atc_find(const PcieAtc *atc, unsigned int class,
                              uint64_t addr, uint32_t pasid, bool priv)
{
    uint64_t iova = addr & ~pcie_atc_class_mask(class);
    uint32_t n = atc->buckets[pcie_atc_bucket(atc, class, iova, pasid, priv)];

    while (n != PCIE_ATC_NONE) {
        const PcieAtcEntry *e = &atc->slots[n].e;

        if (e->iova == iova && pcie_atc_is(e, pasid, priv) &&
            pcie_atc_class(e->mask) == class) {
            return n;
        }
        n = atc->slots[n].hash_next;
    }
    return PCIE_ATC_NONE;
}

const PcieAtcEntry *pcie_atc_lookup(PcieAtc *atc, uint64_t addr,
                                    uint32_t pasid, bool priv)
{
    for (uint64_t left = atc->classes; left; left &= left - 1) {
        uint32_t n = pcie_atc_find(atc, ctz64(left), addr, pasid, priv);

        if (n != PCIE_ATC_NONE) {
            pcie_atc_use_unlink(atc, n);
            pcie_atc_use_link(atc, n);
            return &atc->slots[n].e;
        }
    }
    return NULL;
}

static bool pcie_atc_overlaps(const PcieAtcEntry *e, uint64_t base,
                              uint64_t last)
{
    return e->iova <= base + last && base <= e->iova + e->mask;
}

/* Is it less work to probe a range than to look at all entries? */
static bool pcie_atc_few_probes(const PcieAtc *atc, uint64_t last)
{
    uint64_t probes = 0;

    for (uint64_t left = atc->classes; left; left &= left - 1) {
        probes += (last >> ctz64(left)) + 2;
    }
    return probes < atc->count;
}

/* Drop the entries of one key in a range, by probing */
static uint32_t pcie_atc_drop_probe(PcieAtc *atc, uint32_t pasid, bool priv,
                                    uint64_t base, uint64_t last,
                                    bool keep_global)
{
    uint32_t dropped = 0;

    for (uint64_t left = atc->classes; left; left &= left - 1) {
        unsigned int class = ctz64(left);
        uint64_t step = pcie_atc_class_mask(class);
        uint64_t iova = base & ~step;

        for (;;) {
            uint32_t n = pcie_atc_find(atc, class, iova, pasid, priv);

            if (n != PCIE_ATC_NONE &&
                !(keep_global && atc->slots[n].e.global)) {
                pcie_atc_remove(atc, n);
                dropped++;
            }
            if (base + last - iova <= step) {
                break;
            }
            iova += step + 1;
        }
    }
    return dropped;
}

/* Make room for @entry: an address has one translation, the newest */
static void pcie_atc_drop_covered(PcieAtc *atc, const PcieAtcEntry *entry)
{
    uint32_t n = atc->newest;

    if (pcie_atc_few_probes(atc, entry->mask)) {
        pcie_atc_drop_probe(atc, entry->pasid, entry->priv, entry->iova,
                            entry->mask, false);
        return;
    }
    while (n != PCIE_ATC_NONE) {
        const PcieAtcEntry *e = &atc->slots[n].e;
        uint32_t next = atc->slots[n].older;

        if (pcie_atc_is(e, entry->pasid, entry->priv) &&
            pcie_atc_overlaps(e, entry->iova, entry->mask)) {
            pcie_atc_remove(atc, n);
        }
        n = next;
    }
}

bool pcie_atc_is_target(const PcieAtc *atc, const PcieAtcEntry *e,
                        uint32_t pasid, uint64_t base, uint64_t last,
                        bool global)
{
    if (pasid == ATS_NO_PASID) {
        return e->pasid != ATS_NO_PASID || pcie_atc_overlaps(e, base, last);
    }
    if (e->pasid == ATS_NO_PASID || !pcie_atc_overlaps(e, base, last)) {
        return false;
    }
    if (global && atc->global_inv) {
        return true;
    }
    return e->pasid == pasid && !(e->global && atc->global_inv);
}

static uint32_t pcie_atc_drop_scan(PcieAtc *atc, uint32_t pasid, uint64_t base,
                                   uint64_t last, bool global)
{
    uint32_t n = atc->newest;
    uint32_t dropped = 0;

    while (n != PCIE_ATC_NONE) {
        uint32_t next = atc->slots[n].older;

        if (pcie_atc_is_target(atc, &atc->slots[n].e, pasid, base, last,
                               global)) {
            pcie_atc_remove(atc, n);
            dropped++;
        }
        n = next;
    }
    return dropped;
}

uint32_t pcie_atc_invalidate(PcieAtc *atc, uint32_t pasid, uint64_t base,
                             uint64_t last, bool global)
{
    uint32_t dropped;

    if (pasid != ATS_NO_PASID && !(global && atc->global_inv) &&
        pcie_atc_few_probes(atc, last)) {
        dropped = pcie_atc_drop_probe(atc, pasid, false, base, last,
                                      atc->global_inv) +
                  pcie_atc_drop_probe(atc, pasid, true, base, last,
                                      atc->global_inv);
    } else {
        dropped = pcie_atc_drop_scan(atc, pasid, base, last, global);
    }
    trace_pcie_atc_invalidate(pasid, base, last, global, dropped);
    return dropped;
}

uint32_t pcie_atc_flush_pasid(PcieAtc *atc, uint32_t pasid)
{
    uint32_t n = atc->newest;
    uint32_t dropped = 0;

    while (n != PCIE_ATC_NONE) {
        uint32_t next = atc->slots[n].older;

        if (atc->slots[n].e.pasid == pasid && !atc->slots[n].e.global) {
            pcie_atc_remove(atc, n);
            dropped++;
        }
        n = next;
    }
    return dropped;
}

static bool pcie_atc_valid(const PcieAtcEntry *e)
{
    return (e->read || e->write) && e->mask >= 0xfff &&
           e->mask < (1ULL << 63) - 1 && !(e->mask & (e->mask + 1)) &&
           !(e->iova & e->mask) && !(e->addr & e->mask);
}

bool pcie_atc_insert(PcieAtc *atc, const PcieAtcEntry *entry)
{
    uint32_t bucket, n;

    if (!pcie_atc_valid(entry)) {
        return false;
    }
    if (!atc->capacity) {
        return true;
    }
    pcie_atc_drop_covered(atc, entry);
    if (atc->free == PCIE_ATC_NONE) {
        pcie_atc_remove(atc, atc->oldest);
    }

    n = atc->free;
    atc->free = atc->slots[n].hash_next;
    atc->slots[n].e = *entry;
    bucket = pcie_atc_bucket_of(atc, entry);
    atc->slots[n].hash_next = atc->buckets[bucket];
    atc->buckets[bucket] = n;
    pcie_atc_use_link(atc, n);
    atc->in_class[pcie_atc_class(entry->mask)]++;
    atc->classes |= entry->mask + 1;    /* 2^class is its size */
    atc->count++;
    trace_pcie_atc_insert(entry->pasid, entry->iova, entry->mask, entry->addr);
    return true;
}

void pcie_atc_free_saved(PcieAtc *atc)
{
    g_free(atc->saved);
    atc->saved = NULL;
    atc->n_saved = 0;
}

void pcie_atc_save(PcieAtc *atc)
{
    uint32_t n = atc->oldest;

    pcie_atc_free_saved(atc);
    atc->saved = g_new0(PcieAtcEntry, MAX(atc->count, 1));
    while (n != PCIE_ATC_NONE) {
        atc->saved[atc->n_saved++] = atc->slots[n].e;
        n = atc->slots[n].newer;
    }
}

void pcie_atc_restore(PcieAtc *atc)
{
    pcie_atc_flush(atc);
    for (int32_t i = 0; i < atc->n_saved; i++) {
        pcie_atc_insert(atc, &atc->saved[i]);
    }
    pcie_atc_free_saved(atc);
}
