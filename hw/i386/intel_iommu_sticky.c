/*
 * VT-d: registers that only a Power Good Reset initializes
 *
 * VT-d 11.3: RW1CS and ROS, in 11.4.7.1, 11.4.7.6, 11.4.9.4, 11.4.9.9 and
 * 11.4.11.4.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/i386/intel_iommu.h"
#include "intel_iommu_internal.h"

/* The sticky bits, by 32-bit register; fault recording registers are extra */
static const struct {
    hwaddr reg;
    uint32_t mask;
} vtd_sticky_regs[VTD_STICKY_REGS] = {
    { DMAR_FSTS_REG, VTD_FSTS_FRI_MASK | VTD_FSTS_ITE | VTD_FSTS_ICE |
                     VTD_FSTS_IQE | VTD_FSTS_PPF | VTD_FSTS_PFO },
    { DMAR_ICS_REG, VTD_ICS_IWC },
    { DMAR_IQERCD_REG, VTD_IQERCD_IQEI },
    { DMAR_IQERCD_REG + 4, UINT32_MAX },        /* ITESID, ICESID */
    { DMAR_PRS_REG, VTD_PR_STATUS_PPR | VTD_PR_STATUS_PRO },
};

/* All bits of a record are sticky, or reserved */
static uint8_t *vtd_sticky_records(IntelIOMMUState *s, size_t *len)
{
    *len = s->svm.fault_records * VTD_FAULT_RECORD_SIZE;
    return &s->csr[DMAR_FRCD_REG_OFFSET];
}

void vtd_sticky_save(IntelIOMMUState *s, ResetType type)
{
    VTDSticky *sticky = &s->svm.sticky;
    const uint8_t *records;
    size_t len;

    memset(sticky, 0, sizeof(*sticky));
    if (!s->svm.knobs.sticky_reset || type == RESET_TYPE_WAKEUP) {
        return;                 /* the power was off, in S3 as well */
    }
    for (unsigned int i = 0; i < VTD_STICKY_REGS; i++) {
        sticky->regs[i] = ldl_le_p(&s->csr[vtd_sticky_regs[i].reg]) &
                          vtd_sticky_regs[i].mask;
    }
    records = vtd_sticky_records(s, &len);
    memcpy(sticky->records, records, len);
}

void vtd_sticky_restore(IntelIOMMUState *s)
{
    const VTDSticky *sticky = &s->svm.sticky;
    uint8_t *records;
    size_t len;

    for (unsigned int i = 0; i < VTD_STICKY_REGS; i++) {
        uint8_t *reg = &s->csr[vtd_sticky_regs[i].reg];

        stl_le_p(reg, ldl_le_p(reg) | sticky->regs[i]);
    }
    records = vtd_sticky_records(s, &len);
    memcpy(records, sticky->records, len);
}
