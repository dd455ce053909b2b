/*
 * VT-d shared virtual memory: options, capabilities, and the link
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "migration/vmstate.h"
#include "hw/i386/intel_iommu.h"
#include "hw/i386/intel_iommu_rmrr.h"
#include "hw/pci/pci.h"
#include "hw/pci/ats_actor.h"
#include "hw/pci/ats_knobs.h"
#include "hw/pci/ats_vmstate.h"
#include "intel_iommu_base.h"
#include "intel_iommu_platform.h"

/* -- knobs and counters --------------------------------------------------- */

static const AtsKnobTable vtd_knob_table;

/* The largest value of a row with names is the last of them */
#define VTD_KNOB_CHECK(FIELD, field, name, def, max, values, help) \
    QEMU_BUILD_BUG_ON(VTD_##FIELD##_END && VTD_##FIELD##_END != (max) + 1ULL);
VTD_KNOBS(VTD_KNOB_CHECK)
#undef VTD_KNOB_CHECK

static const AtsKnob vtd_knob_rows[] = {
#define V(ID, name) name "\0"
#define VTD_KNOB_ROW(FIELD, field, name, def, max, values, help) \
    { name, values "", def, max, offsetof(IntelIOMMUState, svm.knobs.field), \
      help },
    VTD_KNOBS(VTD_KNOB_ROW)
#undef VTD_KNOB_ROW
#undef V
};

/* What the rules of the link keep has changed */
static void vtd_link_rules_changed(void *opaque)
{
    IntelIOMMUState *s = opaque;

    s->svm.knobs.link_held = s->svm.rules.ruleset.held.length;
}

static void vtd_link_knob_changed(IntelIOMMUState *s, unsigned int index)
{
    VTDKnobs *knobs = &s->svm.knobs;
    AtsLink *link = s->svm.link;
    uint64_t val = ats_knob_get(&vtd_knob_table, s, index);

    knobs->link_release = 0;
    knobs->link_release_last = 0;
    knobs->link_release_at = 0;
    knobs->link_discard = 0;
    knobs->link_held = s->svm.rules.ruleset.held.length;
    if (!link) {
        return;
    }
    if (index == VTD_KNOB_LINK_RELEASE_AT) {
        ats_link_release_at(link, val);
    } else if (index == VTD_KNOB_LINK_DISCARD) {
        ats_link_discard(link, val);
    } else if (index != VTD_KNOB_LINK_HELD) {
        ats_link_release(link, val, index == VTD_KNOB_LINK_RELEASE_LAST);
    }
}

static void vtd_knob_changed(void *owner, unsigned int index)
{
    IntelIOMMUState *s = owner;
    VTDKnobs *knobs = &s->svm.knobs;

    switch (index) {
    case VTD_KNOB_PRQ_RELEASE:
        vtd_prq_release(s, knobs->prq_release);
        knobs->prq_release = 0;
        break;
    case VTD_KNOB_PRQ_HOLD:
        vtd_prq_release(s, knobs->prq_hold ? 0 : UINT32_MAX);
        break;
    case VTD_KNOB_PRQ_IRQ_HOLD:
    case VTD_KNOB_PRQ_IRQ_AFTER:
        if (!knobs->prq_irq_hold) {
            vtd_prq_irq_release(s);
        }
        break;
    case VTD_KNOB_DESC_DELAY:
    case VTD_KNOB_DESC_DELAY_TYPE:
        vtd_qi_desc_anew(s);
        vtd_qi_kick(s);
        break;
    case VTD_KNOB_WAIT_HOLD:
    case VTD_KNOB_WAIT_DEPTH:
        vtd_qi_kick(s);
        break;
    case VTD_KNOB_PWC:
    case VTD_KNOB_SM_CACHE:
        vtd_smcache_flush(s);
        break;
    case VTD_KNOB_INJECT_AT:
        s->svm.qi.inject = 0;       /* it is for what is written after */
        break;
    case VTD_KNOB_INJECT_ITE:
        vtd_qi_inject(s, VTD_FSTS_ITE);
        break;
    case VTD_KNOB_INJECT_ICE:
        vtd_qi_inject(s, VTD_FSTS_ICE);
        break;
#define VTD_LINK_KEPT_CASE(FIELD, field, name, def, max, values, help) \
    case VTD_KNOB_##FIELD:
    VTD_LINK_KEPT_KNOBS(VTD_LINK_KEPT_CASE)
#undef VTD_LINK_KEPT_CASE
        vtd_link_knob_changed(s, index);
        break;
    default:
        break;
    }
}

static const AtsKnobTable vtd_knob_table = {
    .rows = vtd_knob_rows,
    .n = ARRAY_SIZE(vtd_knob_rows),
    .changed = vtd_knob_changed,
    .given = offsetof(IntelIOMMUState, svm.given),
};

typedef struct VTDCounter {
    const char *name;
    size_t offset;
    const char *help;
} VTDCounter;

static const VTDCounter vtd_counters[] = {
#define VTD_PRQ_COUNTER_ROW(field, text) \
    { "x-prq-" #field, offsetof(IntelIOMMUState, svm.prq.field), text },
    VTD_PRQ_COUNTERS(VTD_PRQ_COUNTER_ROW)
#undef VTD_PRQ_COUNTER_ROW
#define VTD_DEVTLB_COUNTER_ROW(field, text) \
    { "x-devtlb-" #field, offsetof(IntelIOMMUState, svm.devtlb.field), text },
    VTD_DEVTLB_COUNTERS(VTD_DEVTLB_COUNTER_ROW)
#undef VTD_DEVTLB_COUNTER_ROW
#define VTD_ITAG_COUNTER_ROW(field, text) \
    { "x-devtlb-" #field, offsetof(IntelIOMMUState, svm.devtlb.itags.field), \
      text },
    ATS_ITAG_COUNTERS(VTD_ITAG_COUNTER_ROW)
#undef VTD_ITAG_COUNTER_ROW
#define VTD_QI_COUNTER_ROW(field, text) \
    { "x-devtlb-" #field, offsetof(IntelIOMMUState, svm.qi.field), text },
    VTD_QI_COUNTERS(VTD_QI_COUNTER_ROW)
#undef VTD_QI_COUNTER_ROW
#define VTD_RULESET_COUNTER_ROW(field, text) \
    { "x-link-" #field, offsetof(IntelIOMMUState, svm.rules.ruleset.field), \
      text },
    ATS_RULESET_COUNTERS(VTD_RULESET_COUNTER_ROW)
#undef VTD_RULESET_COUNTER_ROW
    { "x-msis", offsetof(IntelIOMMUState, svm.msis), "interrupts sent" },
    { "x-last-msi-addr", offsetof(IntelIOMMUState, svm.last_msi_addr),
      "address of the last interrupt" },
    { "x-last-msi-data", offsetof(IntelIOMMUState, svm.last_msi_data),
      "data of the last interrupt" },
};

void vtd_svm_instance_init(Object *obj)
{
    IntelIOMMUState *s = INTEL_IOMMU_DEVICE(obj);

    ats_knobs_init(&vtd_knob_table, obj);
    object_initialize_child(obj, TYPE_ATS_RULES, &s->svm.rules, TYPE_ATS_RULES);
    for (int i = 0; i < ARRAY_SIZE(vtd_counters); i++) {
        const VTDCounter *counter = &vtd_counters[i];

        object_property_add_uint64_ptr(obj, counter->name,
                                       (void *)obj + counter->offset,
                                       OBJ_PROP_FLAG_READ);
        object_property_set_description(obj, counter->name, counter->help);
    }
    object_property_add_uint32_ptr(obj, "x-prq-pending",
                                   &s->svm.prq.queue.n_pending,
                                   OBJ_PROP_FLAG_READ);
    object_property_set_description(obj, "x-prq-pending",
                                    "requests received, but not accepted yet");
}

static char *vtd_svm_get_messages(Object *obj, Error **errp)
{
    return ats_ruleset_describe(&INTEL_IOMMU_DEVICE(obj)->svm.rules.ruleset);
}

void vtd_svm_class_init(ObjectClass *klass)
{
    ats_knobs_add_properties(klass, &vtd_knob_table);
    vtd_rmrr_class_init(klass);
    vtd_platform_class_init(klass);
    object_class_property_add_str(klass, "x-link-messages",
                                  vtd_svm_get_messages, NULL);
    object_class_property_set_description(klass, "x-link-messages",
        "the messages that the link keeps, a line each, oldest first");
}

/* -- options and capabilities --------------------------------------------- */

static bool vtd_svm_on(OnOffAuto option, bool follow)
{
    return option == ON_OFF_AUTO_AUTO ? follow : option == ON_OFF_AUTO_ON;
}

/* @option was asked for and needs @need */
static bool vtd_svm_need(bool need, const char *option, const char *missing,
                         Error **errp)
{
    if (!need) {
        error_setg(errp, "%s needs %s", option, missing);
    }
    return need;
}

/* Page requests need device-TLBs (VT-d 11.4.3): without, svm=on has none */
static bool vtd_svm_prs(IntelIOMMUState *s)
{
    return vtd_svm_on(s->svm.prs, s->svm.enabled &&
                      X86_IOMMU_DEVICE(s)->dt_supported);
}

bool vtd_svm_decide_config(IntelIOMMUState *s, Error **errp)
{
    X86IOMMUState *x86_iommu = X86_IOMMU_DEVICE(s);
    VTDSvm *svm = &s->svm;
    bool dt = x86_iommu->dt_supported;
    bool prs = vtd_svm_prs(s);

    if (!vtd_platform_apply(s, &vtd_knob_table, errp)) {
        return false;
    }
    if (svm->pasid_bits > ATS_PASID_BITS) {
        error_setg(errp, "pasid-bits=%u: the largest width is %u",
                   svm->pasid_bits, ATS_PASID_BITS);
        return false;
    }
    if (svm->enabled &&
        (!vtd_svm_need(s->scalable_mode, "svm=on", "x-scalable-mode=on",
                       errp) ||
         !vtd_svm_need(vtd_has_first_stage(s), "svm=on", "x-flts=on", errp) ||
         !vtd_svm_need(s->pasid, "svm=on", "x-pasid-mode=on", errp) ||
         !vtd_svm_need(x86_iommu->dma_translation, "svm=on",
                       "dma-translation=on", errp))) {
        return false;
    }
    /* VT-d 11.4.3: PRS needs DT and SMTS, PDS needs DT, SMS needs PRS */
    if (prs && (!vtd_svm_need(s->scalable_mode, "x-prs=on",
                              "x-scalable-mode=on", errp) ||
                !vtd_svm_need(dt, "x-prs=on", "device-iotlb=on", errp))) {
        return false;
    }
    if (svm->pds == ON_OFF_AUTO_ON &&
        !vtd_svm_need(dt, "x-pds=on", "device-iotlb=on", errp)) {
        return false;
    }
    if (svm->rps == ON_OFF_AUTO_ON &&
        !vtd_svm_need(s->scalable_mode, "x-rps=on", "x-scalable-mode=on",
                      errp)) {
        return false;
    }
    if (svm->sms == ON_OFF_AUTO_ON &&
        !vtd_svm_need(prs, "x-sms=on", "x-prs=on or svm=on", errp)) {
        return false;
    }
    return vtd_rmrr_realize(svm->rmrr, errp);
}

void vtd_svm_cap_init(IntelIOMMUState *s)
{
    VTDSvm *svm = &s->svm;
    bool prs = vtd_svm_prs(s);

    if (prs) {
        s->ecap |= VTD_ECAP_PRS;
    }
    if (vtd_svm_on(svm->rps, prs)) {
        s->ecap |= VTD_ECAP_RPS;
    }
    if (vtd_svm_on(svm->pds, prs)) {
        s->ecap |= VTD_ECAP_PDS;
    }
    if (vtd_svm_on(svm->sms,
                   prs && svm->knobs.profile == VTD_PROFILE_REV5)) {
        s->ecap |= VTD_ECAP_SMS;
    }
    if (svm->ssts == ON_OFF_AUTO_ON) {
        s->ecap |= VTD_ECAP_SLTS;
    }
    if (svm->enabled) {
        /* NWFS: intel_iommu_ats.c honours NW. SMPWC: walks are coherent */
        s->ecap |= VTD_ECAP_SMPWC | (s->ecap & VTD_ECAP_DT ? VTD_ECAP_NWFS : 0);
    }
    if (s->pasid && (prs || svm->enabled)) {
        vtd_set_pss(s, svm->pasid_bits);
    }
}

bool vtd_svm_fault_collapse(IntelIOMMUState *s)
{
    return s->svm.knobs.fault_collapse == VTD_FAULT_COLLAPSE_ON ||
           (s->svm.knobs.fault_collapse == VTD_FAULT_COLLAPSE_AUTO &&
            !(s->ecap & VTD_ECAP_PRS));
}

/* -- the link ------------------------------------------------------------- */

static void vtd_agent_page_request(void *opaque, const AtsMsg *msg)
{
    vtd_prq_page_request(opaque, msg);
}

/* VT-d 4.1, 11.4.3: without device-TLBs nothing of ATS is supported */
static void vtd_agent_inv_completion(void *opaque, const AtsMsg *msg)
{
    IntelIOMMUState *s = opaque;

    if (s->ecap & VTD_ECAP_DT) {
        vtd_devtlb_completion(s, msg);
    }
}

static AtsTrStatus vtd_agent_translate(void *opaque, const AtsTrReq *req,
                                       AtsTrEntry *entry)
{
    IntelIOMMUState *s = opaque;

    return s->ecap & VTD_ECAP_DT ? vtd_ats_translate(s, req, entry) : ATS_TR_UR;
}

static bool vtd_agent_untranslated(void *opaque, PCIDevice *dev, uint32_t pasid,
                                   uint64_t addr, bool write, uint64_t *out)
{
    return vtd_ats_untranslated(opaque, dev, pasid, addr, write, out);
}

static bool vtd_agent_blocks(void *opaque, PCIDevice *dev, uint64_t addr,
                             bool write)
{
    AddressSpace *as = pci_device_iommu_address_space(dev);

    return vtd_is_beyond_haw(container_of(as, VTDAddressSpace, as), addr,
                             write);
}

static bool vtd_agent_translated(void *opaque, uint16_t rid, uint64_t addr,
                                 bool write)
{
    IntelIOMMUState *s = opaque;

    return s->ecap & VTD_ECAP_DT && vtd_ats_translated(s, rid, addr, write);
}

static int64_t vtd_agent_now(void *opaque)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

static void vtd_agent_alarm(void *opaque, int64_t due)
{
    IntelIOMMUState *s = opaque;

    if (due == ATS_HELD_FOREVER) {
        timer_del(s->svm.link_timer);
    } else {
        timer_mod(s->svm.link_timer, due);
    }
}

static void vtd_link_expired(void *opaque)
{
    IntelIOMMUState *s = opaque;

    ats_link_alarm(s->svm.link);
}

static void vtd_link_timer(void *opaque)
{
    ats_actor_timer(ATS_LANE_IOMMU, opaque, vtd_link_expired);
}

static AtsRules *vtd_agent_rules(void *opaque)
{
    return &((IntelIOMMUState *)opaque)->svm.rules;
}

static const AtsAgentOps vtd_agent_ops = {
    .now = vtd_agent_now,
    .alarm = vtd_agent_alarm,
    .rules = vtd_agent_rules,
    .rules_changed = vtd_link_rules_changed,
    .knobs = &vtd_knob_table,
    .page_request = vtd_agent_page_request,
    .inv_completion = vtd_agent_inv_completion,
    .translate = vtd_agent_translate,
    .untranslated = vtd_agent_untranslated,
    .blocks = vtd_agent_blocks,
    .translated = vtd_agent_translated,
};

AtsLink *vtd_svm_get_link(PCIBus *bus, void *opaque, int devfn)
{
    IntelIOMMUState *s = opaque;

    return s->svm.link;
}

/* -- life ----------------------------------------------------------------- */

void vtd_svm_set_root(IntelIOMMUState *s)
{
    s->svm.ttm = extract64(vtd_get_quad_raw(s, DMAR_RTADDR_REG), 10, 2);
}

void vtd_svm_realize(IntelIOMMUState *s)
{
    vtd_tables_realize(s);
    vtd_prq_realize(s);
    vtd_qi_realize(s);
    vtd_devtlb_realize(s);
    /* Device-TLBs, or untranslated requests with a PASID, which need none */
    if (X86_IOMMU_DEVICE(s)->dt_supported || s->pasid) {
        s->svm.link_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, vtd_link_timer, s);
        s->svm.link = ats_link_new(&vtd_agent_ops, &s->svm.rules.ruleset, s);
        ats_rules_attach(&s->svm.rules, s->svm.link);
    }
}

void vtd_svm_reset(IntelIOMMUState *s)
{
    s->svm.ttm = 0;
    ats_actor_forget(s);
    vtd_smcache_flush(s);
    vtd_prq_reset(s);
    vtd_devtlb_reset(s);
    vtd_qi_reset(s);
    if (s->svm.link) {
        ats_link_reset(s->svm.link);
    }
    vtd_sticky_restore(s);
}

static int vtd_svm_post_load(void *opaque, int version_id)
{
    IntelIOMMUState *s = opaque;

    if (!ats_knobs_valid(&vtd_knob_table, s)) {
        return -EINVAL;
    }
    if (s->svm.link) {
        ats_link_rearm(s->svm.link);
    }
    return 0;
}

/*
 * Always in the stream: the latched mode and the knobs are there without page
 * requests as well, and what a stream lacks would stay as the loading machine
 * has it.
 */
static bool vtd_svm_needed(void *opaque)
{
    return true;
}

const VMStateDescription vmstate_vtd_svm = {
    .name = "iommu-intel/svm",
    .version_id = 4,
    .minimum_version_id = 4,
    .needed = vtd_svm_needed,
    .post_load = vtd_svm_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(svm.ttm, IntelIOMMUState),
        VMSTATE_STRUCT(svm.prq, IntelIOMMUState, 1, vmstate_vtd_prq, VTDPrq),
        VMSTATE_STRUCT(svm.devtlb, IntelIOMMUState, 1, vmstate_vtd_devtlb,
                       VTDDevTlb),
        VMSTATE_STRUCT(svm.qi, IntelIOMMUState, 1, vmstate_vtd_qi, VTDQi),
        VMSTATE_STRUCT(svm.rules, IntelIOMMUState, 1, vmstate_ats_rules,
                       AtsRules),
#define VTD_KNOB_VMSTATE(FIELD, field, name, def, max, values, help) \
        VMSTATE_UINT64(svm.knobs.field, IntelIOMMUState),
        VTD_KNOBS(VTD_KNOB_VMSTATE)
#undef VTD_KNOB_VMSTATE
        VMSTATE_UINT64(svm.msis, IntelIOMMUState),
        VMSTATE_UINT64(svm.last_msi_addr, IntelIOMMUState),
        VMSTATE_UINT64(svm.last_msi_data, IntelIOMMUState),
        VMSTATE_END_OF_LIST()
    },
    .subsections = (const VMStateDescription * const []) {
        &vmstate_vtd_smcache,
        NULL
    }
};
