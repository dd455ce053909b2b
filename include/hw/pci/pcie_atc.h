/*
 * Address Translation Cache of a function
 *
 * Translations of any power-of-two size from 4 KiB up, keyed by PASID (or
 * none), privilege and address.  When it is full, the translation that was
 * not used for the longest time goes, so that a run repeats exactly.
 *
 * PCIe 6.2 10.2, 10.3
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_PCI_PCIE_ATC_H
#define HW_PCI_PCIE_ATC_H

#include "hw/pci/ats_link.h"

/* Size classes: an entry of class n has 2^n bytes */
#define PCIE_ATC_CLASS_NR   64
#define PCIE_ATC_NONE       UINT32_MAX

/**
 * struct PcieAtcEntry - a cached translation
 *
 * @iova: untranslated address, aligned to @mask + 1
 * @addr: translated address, aligned likewise
 * @mask: size minus one, a power of two minus one, >= 0xfff
 * @pasid: PASID it was requested with, or ATS_NO_PASID
 * @priv: it was requested with Privileged Mode
 * @global: Global Mapping
 */
typedef struct PcieAtcEntry {
    uint64_t iova;
    uint64_t addr;
    uint64_t mask;
    uint32_t pasid;
    bool priv;
    bool read;
    bool write;
    bool exec;
    bool global;
} PcieAtcEntry;

typedef struct PcieAtcSlot {
    PcieAtcEntry e;
    uint32_t hash_next;     /* in the bucket; or in the free list */
    uint32_t newer;         /* by last use */
    uint32_t older;
} PcieAtcSlot;

typedef struct PcieAtc {
    uint32_t capacity;
    uint32_t count;
    uint32_t n_buckets;     /* a power of two */
    uint32_t newest;
    uint32_t oldest;
    uint32_t free;
    bool global_inv;        /* Global Invalidate Supported */
    uint32_t in_class[PCIE_ATC_CLASS_NR];   /* entries of each size */
    uint64_t classes;       /* bit n: in_class[n] is not 0 */
    PcieAtcSlot *slots;
    uint32_t *buckets;
    PcieAtcEntry *saved;    /* migration only */
    int32_t n_saved;
} PcieAtc;

/**
 * pcie_atc_init: make an empty cache
 *
 * @capacity: entries; 0 is a cache that never holds anything
 * @global_inv: Global Invalidate Supported, PCIe 6.2 10.3.8
 */
void pcie_atc_init(PcieAtc *atc, uint32_t capacity, bool global_inv);
void pcie_atc_destroy(PcieAtc *atc);

/**
 * pcie_atc_lookup: the newest translation of @addr, or NULL
 *
 * The result is good until the cache is changed.  Its permissions may be less
 * than what is needed.
 */
const PcieAtcEntry *pcie_atc_lookup(PcieAtc *atc, uint64_t addr,
                                    uint32_t pasid, bool priv);

/**
 * pcie_atc_insert: cache a translation, replacing those that overlap it
 *
 * Returns: false if it must not be cached: R=W=0 (PCIe 6.2 10.2.3.5), a size
 * that is no power of two from 4 KiB to 2^62, or an unaligned address.
 */
bool pcie_atc_insert(PcieAtc *atc, const PcieAtcEntry *entry);

/**
 * pcie_atc_invalidate: what an Invalidate Request does, PCIe 6.2 10.3.8
 *
 * @pasid: with a PASID: entries of that PASID in the range.  ATS_NO_PASID:
 *         entries without PASID in the range and all entries with one
 * @base, @last: the range is @base .. @base + @last
 * @global: G bit; counts only with a PASID, and if it is supported
 *
 * Returns: how many entries were dropped.
 */
uint32_t pcie_atc_invalidate(PcieAtc *atc, uint32_t pasid, uint64_t base,
                             uint64_t last, bool global);

/**
 * pcie_atc_is_target: does an Invalidate Request name this translation, cached
 * or not?  Arguments as for pcie_atc_invalidate()
 */
bool pcie_atc_is_target(const PcieAtc *atc, const PcieAtcEntry *e,
                        uint32_t pasid, uint64_t base, uint64_t last,
                        bool global);

/**
 * pcie_atc_flush: drop everything, PCIe 6.2 10.3.7
 */
void pcie_atc_flush(PcieAtc *atc);

/**
 * pcie_atc_flush_pasid: drop what is not global of a PASID that is stopped,
 * PCIe 6.2 10.3.7
 */
uint32_t pcie_atc_flush_pasid(PcieAtc *atc, uint32_t pasid);

/**
 * pcie_atc_save: list the entries in @saved, oldest first
 * pcie_atc_restore: fill the empty cache from @saved and free it
 */
void pcie_atc_save(PcieAtc *atc);
void pcie_atc_restore(PcieAtc *atc);
void pcie_atc_free_saved(PcieAtc *atc);

#endif /* HW_PCI_PCIE_ATC_H */
