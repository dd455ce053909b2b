/*
 * VT-d page requests: the Page Group Response descriptor
 *
 * Locking: everything comes under the BQL.
 *
 * VT-d 7.6.1
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/i386/intel_iommu.h"
#include "intel_iommu_internal.h"
#include "trace.h"

/* Reserved fields; revision 3 had PDP (bit 5) and private data (qw2, qw3) */
static bool vtd_prq_response_reserved(IntelIOMMUState *s,
                                      const VTDInvDesc *desc)
{
    bool rev3 = s->svm.knobs.profile == VTD_PROFILE_REV3;
    uint64_t rsvd_lo = VTD_INV_DESC_PGRESP_RSVD_LO & ~(rev3 ? 1ULL << 5 : 0);

    return desc->val[0] & rsvd_lo ||
           desc->val[1] & VTD_INV_DESC_PGRESP_RSVD_HI ||
           (!rev3 && (desc->val[2] || desc->val[3]));
}

bool vtd_prq_response(IntelIOMMUState *s, const VTDInvDesc *desc)
{
    AtsMsg msg = {
        .kind = ATS_MSG_PRG_RESPONSE,
        .rid = VTD_INV_DESC_PGRESP_RID(desc->val[0]),
        .prgi = VTD_INV_DESC_PGRESP_PRGI(desc->val[1]),
        .code = VTD_INV_DESC_PGRESP_RC(desc->val[0]),
        .pasid = VTD_INV_DESC_PGRESP_PP(desc->val[0]) ?
                 VTD_INV_DESC_PGRESP_PASID(desc->val[0]) : ATS_NO_PASID,
    };

    if (!(s->ecap & VTD_ECAP_PRS) || !s->iq_dw || !s->root_scalable) {
        /* VT-d 7.6.1, 6.5.2 table 26 */
        s->svm.qi.iqei = VTD_IQEI_TYPE;
        return false;
    }
    if (vtd_prq_response_reserved(s, desc)) {
        return false;               /* VTD_IQEI_RSVD */
    }
    s->svm.prq.responses++;
    trace_vtd_prq_response(msg.rid, msg.pasid, msg.prgi, msg.code);
    ats_link_send(s->svm.link, &msg);
    return true;
}
