/*
 * VT-d shared virtual memory: what the page-request, device-TLB and
 * translation-request engines need from the IOMMU, in one place
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_I386_INTEL_IOMMU_SVM_H
#define HW_I386_INTEL_IOMMU_SVM_H

#include "qapi/qapi-types-common.h"
#include "hw/pci/ats_ruleset.h"
#include "hw/pci/ats_link.h"
#include "hw/i386/intel_iommu_iotlb.h"
#include "hw/i386/intel_iommu_prq.h"
#include "hw/i386/intel_iommu_devtlb.h"
#include "hw/i386/intel_iommu_qi.h"
#include "hw/i386/intel_iommu_smcache.h"
#include "hw/i386/intel_iommu_sticky.h"
#include "hw/i386/intel_iommu_tables.h"
#include "hw/i386/vtd-knobs.h"
#include "hw/i386/vtd-platform.h"
#include "hw/pci/ats_knobs.h"
#include "hw/pci/ats_rules.h"

/**
 * struct VTDSvm - embedded in IntelIOMMUState
 *
 * @enabled: property "svm": everything that Linux needs for SVA
 * @prs, @pds, @sms, @rps: properties "x-prs" and so on; auto follows @enabled
 * @pasid_bits: property "pasid-bits": ECAP.PSS + 1
 * @rmrr: property "rmrr", see intel_iommu_rmrr.h
 * @platform: property "platform", VTDPlatform
 * @fault_records: property "fault-records": CAP.NFR + 1; 0 until it is decided
 * @snoop_control: property "snoop-control": ECAP.SC; auto follows @platform
 * @ssts: property "x-ssts": ECAP.SSTS next to FSTS; auto follows @platform
 * @ttm: RTADDR_REG.TTM as of the last Set Root Table Pointer
 * @link: where the endpoints are
 * @rules: rules of @link and the messages that they keep
 * @link_timer: virtual clock; the next of them that is delayed
 * @knobs: see vtd-knobs.h; @given: those that somebody set at the start
 * @smc: caches of remapping and paging structures
 * @iotlb_pages: of which pages the IOTLB may hold something
 * @tables: where remapping and paging structures lie in the host's memory
 * @sticky: registers that outlast a reset, while it is under way
 * @msis, @last_msi_addr, @last_msi_data: interrupts sent, for tests
 */
typedef struct VTDSvm {
    bool enabled;
    OnOffAuto prs;
    OnOffAuto pds;
    OnOffAuto sms;
    OnOffAuto rps;
    uint8_t pasid_bits;
    char *rmrr;
    uint64_t platform;
    uint8_t fault_records;
    OnOffAuto snoop_control;
    OnOffAuto ssts;
    uint8_t ttm;
    AtsLink *link;
    AtsRules rules;
    QEMUTimer *link_timer;
    VTDPrq prq;
    VTDDevTlb devtlb;
    VTDQi qi;
    VTDKnobs knobs;
    AtsKnobsGiven given;
    VTDSmCache smc;
    VTDTables tables;
    VTDIotlbPages iotlb_pages;
    VTDSticky sticky;
    uint64_t msis;
    uint64_t last_msi_addr;
    uint64_t last_msi_data;
} VTDSvm;

/**
 * vtd_qi_nothing_under_way: may a wait descriptor report at once?
 *
 * Almost always, so this asks no more than it must.  @pd: its PD flag
 */
static inline bool vtd_qi_nothing_under_way(const VTDSvm *svm, bool pd)
{
    return likely(!(svm->devtlb.itags.outstanding | svm->qi.n_waits | pd |
                    svm->knobs.wait_hold | svm->knobs.wait_delay |
                    ats_actor_on));
}

extern const struct VMStateDescription vmstate_vtd_svm;

/**
 * vtd_svm_decide_config: refuse options that contradict each other
 */
bool vtd_svm_decide_config(IntelIOMMUState *s, Error **errp);

/**
 * vtd_svm_cap_init: add to s->cap and s->ecap what the options ask for
 */
void vtd_svm_cap_init(IntelIOMMUState *s);

/**
 * vtd_svm_fault_collapse: is one pending fault a requester enough?
 */
bool vtd_svm_fault_collapse(IntelIOMMUState *s);

void vtd_svm_realize(IntelIOMMUState *s);
void vtd_svm_reset(IntelIOMMUState *s);

/**
 * vtd_svm_set_root: Set Root Table Pointer was executed
 */
void vtd_svm_set_root(IntelIOMMUState *s);

/**
 * vtd_svm_instance_init: knobs to their defaults; counters for qom-get
 */
void vtd_svm_instance_init(Object *obj);

/**
 * vtd_svm_class_init: knobs as properties, for -device and qom-set
 */
void vtd_svm_class_init(ObjectClass *klass);

/**
 * vtd_svm_get_link: the link of the IOMMU (PCIIOMMUOps)
 */
AtsLink *vtd_svm_get_link(PCIBus *bus, void *opaque, int devfn);

/**
 * vtd_ats_translate: answer a Translation Request (AtsAgentOps)
 */
AtsTrStatus vtd_ats_translate(IntelIOMMUState *s, const AtsTrReq *req,
                              AtsTrEntry *entry);

/**
 * vtd_ats_translated: may a Translated Request go to memory? (AtsAgentOps)
 */
bool vtd_ats_translated(IntelIOMMUState *s, uint16_t rid, uint64_t addr,
                        bool write);

/**
 * vtd_sm_untranslated: translate an untranslated request in scalable mode, or
 * one with a PASID in any mode
 *
 * @pasid: PASID or ATS_NO_PASID
 * @entry: set to the translation, with no more permissions than were asked for
 * @pass_through: set if no page tables were used
 *
 * Returns: false if the request is blocked; the fault is recorded then.
 */
bool vtd_sm_untranslated(IntelIOMMUState *s, uint16_t rid, uint32_t pasid,
                         uint64_t addr, bool write, IOMMUTLBEntry *entry,
                         bool *pass_through);

/**
 * vtd_sm_pass_through: do the tables say pass-through (PGTT=100b) for
 * untranslated requests of @rid with @pasid (or ATS_NO_PASID) in scalable mode?
 *
 * Takes no lock.
 */
bool vtd_sm_pass_through(IntelIOMMUState *s, uint16_t rid, uint32_t pasid);

/**
 * vtd_ats_untranslated: translate an untranslated request with a PASID
 * (AtsAgentOps)
 */
bool vtd_ats_untranslated(IntelIOMMUState *s, PCIDevice *dev, uint32_t pasid,
                          hwaddr addr, bool write, uint64_t *out);

#endif /* HW_I386_INTEL_IOMMU_SVM_H */
