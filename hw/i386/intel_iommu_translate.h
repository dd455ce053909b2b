/*
 * VT-d: one translation for every request with an address
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_I386_INTEL_IOMMU_TRANSLATE_H
#define HW_I386_INTEL_IOMMU_TRANSLATE_H

#include "hw/i386/intel_iommu.h"
#include "intel_iommu_pages.h"

/**
 * struct VTDXlatReq - a request with an address
 *
 * @addr: untranslated address; of a translated request its own
 * @pasid: PASID or ATS_NO_PASID
 * @rid: requester
 * @untranslated: AT=00b; @translated: AT=10b; else a translation request,
 *                AT=01b
 * @write: a write, else a read. Translation request: write permission is asked
 *         for (NW=0)
 * @priv, @exec: bits of the PASID prefix
 */
typedef struct VTDXlatReq {
    uint64_t addr;
    uint32_t pasid;
    uint16_t rid;
    bool untranslated;
    bool translated;
    bool write;
    bool priv;
    bool exec;
} VTDXlatReq;

/**
 * struct VTDXlat - where a request goes
 *
 * @addr: first byte of the translated range
 * @mask: its size minus one, >= 0xfff
 * @read, @write: what is granted; @write only if Dirty is set, if there is one
 * @untranslated_only: the answer to a translation request is U=1 (S.1)
 * @snoop: the leaf is of second-stage tables and has SNP set (ECAP.SC=1)
 * @non_snooped: the answer to a translation request is N=1 (table 10)
 * @pass_through: no page tables were used (PGTT=100b)
 * @fpd: Fault Processing Disable was met; valid with a fault, too
 */
typedef struct VTDXlat {
    uint64_t addr;
    uint64_t mask;
    bool read;
    bool write;
    bool untranslated_only;
    bool snoop;
    bool non_snooped;
    bool pass_through;
    bool fpd;
} VTDXlat;

/**
 * vtd_sm_translate: translate a request in scalable mode
 *
 * IOTLB, remapping tables, page tables. An IOTLB entry that does not permit
 * what is asked for is not believed: the tables are walked.
 *
 * Returns: 0 and sets @x, or the fault reason that VT-d 7.1.3 table 30 gives
 * (lack of permission is one for untranslated requests only: a translation
 * request gets what there is). Called with iommu_lock held.
 */
int vtd_sm_translate(IntelIOMMUState *s, const VTDXlatReq *req, VTDXlat *x);

/**
 * vtd_xlat_lookup: ask the IOTLB
 *
 * Returns: true and sets @x if an entry permits what @req asks for.
 */
bool vtd_xlat_lookup(IntelIOMMUState *s, const VTDXlatReq *req, VTDXlat *x);

/**
 * vtd_xlat_finish: take the leaf of a page walk to @x and to the IOTLB
 *
 * @tag: PASID that invalidations name; @did: domain id; @pgtt: of the tables
 * @scalable: which fault reasons to return
 *
 * Returns: 0, or a fault reason.
 */
int vtd_xlat_finish(IntelIOMMUState *s, const VTDXlatReq *req, bool scalable,
                    const VTDLeaf *leaf, uint32_t tag, uint16_t did,
                    uint16_t pgtt, VTDXlat *x);

/**
 * vtd_xlat_record: record a fault of @req, VT-d 11.4.7.6
 */
void vtd_xlat_record(IntelIOMMUState *s, const VTDXlatReq *req, int reason);

/**
 * vtd_addr_is_interrupt: is @addr in the interrupt address range (3.15)?
 */
static inline bool vtd_addr_is_interrupt(uint64_t addr)
{
    return addr >> 20 == 0xfee;
}

#endif /* HW_I386_INTEL_IOMMU_TRANSLATE_H */
