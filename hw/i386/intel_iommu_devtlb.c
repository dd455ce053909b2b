/*
 * VT-d device-TLB invalidation: descriptors as messages, and their completions
 *
 * An invalidation of a function on the link is a message with an ITag, and it
 * is done when the function's completions have come (hw/pci/ats_itag.c).  The
 * queue does not stop for it: see intel_iommu_qi.c.
 *
 * Functions that are not on the link keep QEMU's synchronous notifiers.
 *
 * Locking: everything comes under the BQL.
 *
 * VT-d 4.3, 6.5.2.5, 6.5.2.6, 6.5.2.11
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "migration/vmstate.h"
#include "hw/i386/intel_iommu.h"
#include "hw/i386/pc.h"
#include "hw/pci/ats_actor.h"
#include "hw/pci/ats_vmstate.h"
#include "hw/pci/pci.h"
#include "hw/pci/pcie.h"
#include "intel_iommu_internal.h"
#include "trace.h"

/* -- the engine's owner ---------------------------------------------------- */

static int64_t vtd_itag_now(void *opaque)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

static void vtd_itag_alarm(void *opaque, int64_t due)
{
    IntelIOMMUState *s = opaque;

    if (due == ATS_ITAG_NEVER) {
        timer_del(s->svm.devtlb.timer);
    } else {
        timer_mod(s->svm.devtlb.timer, due);
    }
}

static void vtd_itag_alarm_by(void *opaque, int64_t due)
{
    IntelIOMMUState *s = opaque;

    timer_mod_anticipate(s->svm.devtlb.timer, due);
}

static void vtd_itag_send(void *opaque, const AtsMsg *msg)
{
    IntelIOMMUState *s = opaque;

    trace_vtd_devtlb_request(msg->rid, msg->pasid, msg->addr, msg->itag);
    ats_link_send(s->svm.link, msg);
}

static void vtd_itag_completed(void *opaque, uint16_t rid, unsigned int itag)
{
    trace_vtd_devtlb_completion(rid, itag);
}

static void vtd_itag_unexpected(void *opaque, uint16_t rid, unsigned int itag)
{
    vtd_qi_error(opaque, VTD_FSTS_ICE, rid);
}

/*
 * A time-out stops the queue (ITE) and aborts the waits that are kept; IQH is
 * past them, so they are not executed again (VT-d 6.5.2.11).
 */
static void vtd_itag_timed_out(void *opaque, uint16_t rid, unsigned int itag,
                               bool forgotten)
{
    trace_vtd_devtlb_timeout(rid, itag);
    if (!forgotten) {
        vtd_qi_error(opaque, VTD_FSTS_ITE, rid);
    }
}

static void vtd_itag_progress(void *opaque)
{
    vtd_qi_kick(opaque);
}

static const AtsItagOps vtd_itag_ops = {
    .now = vtd_itag_now,
    .alarm = vtd_itag_alarm,
    .alarm_by = vtd_itag_alarm_by,
    .send = vtd_itag_send,
    .completed = vtd_itag_completed,
    .unexpected = vtd_itag_unexpected,
    .timed_out = vtd_itag_timed_out,
    .progress = vtd_itag_progress,
};

static void vtd_devtlb_expired(void *opaque)
{
    IntelIOMMUState *s = opaque;

    ats_itags_expire(&s->svm.devtlb.itags);
}

static void vtd_devtlb_timer(void *opaque)
{
    ats_actor_timer(ATS_LANE_IOMMU, opaque, vtd_devtlb_expired);
}

/* -- descriptors ----------------------------------------------------------- */

/* Can a function answer an Invalidate Request? */
typedef enum VTDFunctionKind {
    VTD_FUNCTION_ABSENT,
    VTD_FUNCTION_NO_ATS,        /* no ATS capability */
    VTD_FUNCTION_ATS,
} VTDFunctionKind;

static VTDFunctionKind vtd_devtlb_function_kind(uint16_t rid)
{
    PCMachineState *pcms = PC_MACHINE(qdev_get_machine());
    PCIDevice *dev = pci_find_device(pcms->pcibus, rid >> 8, rid & 0xff);

    if (!dev) {
        return VTD_FUNCTION_ABSENT;
    }
    return pci_is_express(dev) &&
           pcie_find_capability(dev, PCI_EXT_CAP_ID_ATS) ?
           VTD_FUNCTION_ATS : VTD_FUNCTION_NO_ATS;
}

/*
 * Does an invalidation of function @rid go out as a message?  Functions with
 * ATS that are not on the link have QEMU's notifiers instead, which are done at
 * once.  A function that does not exist, or has no ATS and so an Unsupported
 * Request (PCIe 6.2 10.3.2), never answers; without page requests the unit is
 * QEMU's own, whose users know no time-out.
 */
static bool vtd_devtlb_by_message(IntelIOMMUState *s, uint16_t rid)
{
    if (ats_link_has_port(s->svm.link, rid)) {
        return true;
    }
    if (!(s->ecap & VTD_ECAP_PRS)) {
        return false;
    }
    switch (vtd_devtlb_function_kind(rid)) {
    case VTD_FUNCTION_ABSENT:
        return s->svm.knobs.inv_absent == VTD_INV_ABSENT_TIMEOUT;
    case VTD_FUNCTION_NO_ATS:
        return s->svm.knobs.inv_no_ats == VTD_INV_NO_ATS_TIMEOUT;
    default:
        return false;
    }
}

/* Send the message, or leave it for later if all ITags are in use */
static bool vtd_devtlb_send(IntelIOMMUState *s, AtsMsg *msg, unsigned int mip)
{
    unsigned int limit = MIN(MAX(s->svm.knobs.itags, 1), mip ? mip : 32);

    if (!ats_itags_send(&s->svm.devtlb.itags, msg, limit,
                        s->svm.knobs.ite_timeout * SCALE_MS)) {
        trace_vtd_devtlb_deferred(msg->rid);
        s->svm.qi.stalled = true;
        return false;
    }
    return true;
}

bool vtd_devtlb_invalidate(IntelIOMMUState *s, uint16_t rid, uint32_t pasid,
                           uint64_t addr, bool size, bool global,
                           unsigned int mip)
{
    if (vtd_devtlb_by_message(s, rid)) {
        AtsMsg msg = {
            .rid = rid,
            .pasid = pasid,
            .addr = addr,
            .size = size,
            .global = global,
        };

        return vtd_devtlb_send(s, &msg, mip);
    }
    return true;
}

void vtd_devtlb_completion(IntelIOMMUState *s, const AtsMsg *msg)
{
    if (!s->dmar_enabled &&
        s->svm.knobs.tes0_inv == VTD_TES0_INV_TIMEOUT) {
        /*
         * VT-d 4.2.1: an Unsupported Request.  So what is outstanding when TES
         * goes to 0 times out, unless its completion came before, or comes
         * when TES is 1 again.
         */
        trace_vtd_devtlb_completion_lost(msg->rid, msg->itags);
        s->svm.devtlb.refused++;
        return;
    }
    if (s->svm.knobs.cpl_drop && !--s->svm.knobs.cpl_drop) {
        trace_vtd_devtlb_completion_lost(msg->rid, msg->itags);
        return;
    }
    ats_itags_completion(&s->svm.devtlb.itags, msg, s->svm.knobs.ice_legacy);
}

/* -- life ------------------------------------------------------------------ */

const VMStateDescription vmstate_vtd_devtlb = {
    .name = "intel-iommu/devtlb",
    .version_id = 2,
    .minimum_version_id = 2,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(itags, VTDDevTlb, 1, vmstate_ats_itags, AtsItags),
        VMSTATE_TIMER_PTR(timer, VTDDevTlb),
#define VTD_DEVTLB_COUNTER_VMSTATE(field, text) \
        VMSTATE_UINT64(field, VTDDevTlb),
        VTD_DEVTLB_COUNTERS(VTD_DEVTLB_COUNTER_VMSTATE)
#undef VTD_DEVTLB_COUNTER_VMSTATE
        VMSTATE_END_OF_LIST()
    }
};

void vtd_devtlb_realize(IntelIOMMUState *s)
{
    ats_itags_init(&s->svm.devtlb.itags, &vtd_itag_ops, s);
    s->svm.devtlb.timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, vtd_devtlb_timer,
                                       s);
}

void vtd_devtlb_reset(IntelIOMMUState *s)
{
    ats_itags_reset(&s->svm.devtlb.itags);
}
