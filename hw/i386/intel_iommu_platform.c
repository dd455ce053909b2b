/*
 * VT-d: the platform, which sets the defaults of knobs and options
 *
 * What somebody gave on the command line is left alone, wherever it stands
 * there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/i386/intel_iommu.h"
#include "hw/i386/vtd-platform.h"
#include "hw/pci/ats_knobs.h"
#include "intel_iommu_base.h"
#include "intel_iommu_platform.h"

static const AtsKnob vtd_platform_row = {
    .name = "platform",
    .values = "permissive\0strict\0spr\0",
    .max = VTD_PLATFORM_SPR,
    .offset = offsetof(IntelIOMMUState, svm.platform),
    .help = "defaults of the knobs: each knob's own, those of the least "
            "forgiving legal machine, or those of a Sapphire Rapids machine",
};

static const AtsKnobTable vtd_platform_table = {
    .rows = &vtd_platform_row,
    .n = 1,
    .fixed = true,
};

typedef struct VTDPlatformKnob {
    unsigned int index;
    uint64_t value[VTD_PLATFORM_SPR + 1];
} VTDPlatformKnob;

static const VTDPlatformKnob vtd_platform_knobs[] = {
#define VTD_PLATFORM_ROW(FIELD, strict, spr) \
    { VTD_KNOB_##FIELD, { 0, strict, spr } },
    VTD_PLATFORM_KNOBS(VTD_PLATFORM_ROW)
#undef VTD_PLATFORM_ROW
};

void vtd_platform_class_init(ObjectClass *klass)
{
    ats_knobs_add_properties(klass, &vtd_platform_table);
}

bool vtd_platform_apply(IntelIOMMUState *s, const AtsKnobTable *knobs,
                        Error **errp)
{
    VTDSvm *svm = &s->svm;
    bool spr = svm->platform == VTD_PLATFORM_SPR;

    if (svm->platform != VTD_PLATFORM_PERMISSIVE) {
        for (int i = 0; i < ARRAY_SIZE(vtd_platform_knobs); i++) {
            const VTDPlatformKnob *row = &vtd_platform_knobs[i];

            ats_knob_default(knobs, s, row->index, row->value[svm->platform]);
        }
    }
    if (!svm->fault_records) {
        svm->fault_records = spr ? VTD_FAULT_RECORDS_SPR : 1;
    }
    if (svm->fault_records > VTD_FAULT_RECORDS_MAX) {
        error_setg(errp, "fault-records=%u: the largest number is %u",
                   svm->fault_records, VTD_FAULT_RECORDS_MAX);
        return false;
    }
    if (svm->snoop_control == ON_OFF_AUTO_AUTO) {
        svm->snoop_control = spr ? ON_OFF_AUTO_ON : ON_OFF_AUTO_OFF;
    }
    s->snoop_control = svm->snoop_control == ON_OFF_AUTO_ON;
    if (svm->ssts == ON_OFF_AUTO_AUTO) {
        svm->ssts = spr && vtd_has_first_stage(s) ?
                    ON_OFF_AUTO_ON : ON_OFF_AUTO_OFF;
    }
    if (svm->ssts == ON_OFF_AUTO_ON && !vtd_has_first_stage(s)) {
        error_setg(errp, "x-ssts=on needs x-flts=on: without first-stage "
                   "translation there is second-stage translation anyway");
        return false;
    }
    return true;
}
