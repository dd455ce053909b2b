/*
 * VT-d page requests: the queue and the responses
 *
 * A Page Request message goes through three stages, VT-d 7.7 names them:
 *
 *   received   it arrived, and the remapping tables are checked
 *   accepted   its turn has come to be written to the queue, before which what
 *              the IOTLB holds for the page is dropped; or to be answered
 *              because the queue is full
 *   delivered  descriptor and PQT are visible to software
 *
 * All three happen inside the call that brings the message, unless a knob puts
 * time or a hold point between the first two; only then a request is allocated
 * and waits in the engine of hw/pci/ats_prq.c, in order.
 *
 * Locking: messages, register accesses, timers and knobs all come under the
 * BQL, which protects everything here.  No other lock is taken but the
 * iommu_lock, around walks and inside the IOTLB invalidations.
 *
 * VT-d 7.1.3, 7.4 to 7.11, 11.4.11
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "migration/vmstate.h"
#include "hw/pci/ats_vmstate.h"
#include "system/dma.h"
#include "hw/pci/ats_actor.h"
#include "hw/i386/intel_iommu.h"
#include "intel_iommu_internal.h"
#include "intel_iommu_prq_event.h"
#include "intel_iommu_walk.h"
#include "trace.h"

/* Bits of a page request's FRCD that only page requests set, VT-d 11.4.7.6 */
#define VTD_FRCD_PRIV           (1ULL << 29)    /* bit 93 */
#define VTD_FRCD_EXE            (1ULL << 30)    /* bit 94 */
#define VTD_FRCD_T2             (1ULL << 28)    /* bit 92 */

/* What the implicit invalidation of a request names, VT-d 6.5.3.1 table 27 */
typedef struct VTDPrqInv {
    uint16_t did, pgtt;
    uint32_t pasid;             /* of the PASID-table entry */
} VTDPrqInv;

/* A request that was received, but not accepted yet */
typedef struct VTDPageReq {
    AtsPrqReq req;
    VTDPrqInv inv;              /* of a request that is checked */
    VTDTornRead torn;           /* of a request that is not checked */
} VTDPageReq;

static bool vtd_prq_supported(IntelIOMMUState *s)
{
    return s->ecap & VTD_ECAP_PRS;
}

/* -- responses made by hardware: VT-d 7.4.1 table 31 ---------------------- */

static void vtd_prq_respond(IntelIOMMUState *s, const AtsMsg *req, uint8_t code)
{
    bool follow = s->svm.knobs.autoresp_pasid == VTD_AUTORESP_PASID_FOLLOW;
    AtsMsg msg = {
        .kind = ATS_MSG_PRG_RESPONSE,
        .rid = req->rid,
        .pasid = follow ? req->pasid : ATS_NO_PASID,
        .prgi = req->prgi,
        .code = code,
    };

    trace_vtd_prq_auto_response(req->rid, req->pasid, req->prgi, code);
    if (code == ATS_PRG_SUCCESS) {
        s->svm.prq.auto_success++;
    } else {
        s->svm.prq.auto_invalid++;
    }
    ats_link_send(s->svm.link, &msg);
}

/*
 * A request cannot be queued: answer the last one of a group with @code, drop
 * all others.  A stop marker needs no answer (ECAP.SMS=1); what hardware
 * without that capability does with it is a knob.
 */
static void vtd_prq_refuse(IntelIOMMUState *s, const AtsMsg *msg, uint8_t code)
{
    bool answer = msg->last;

    if (ats_msg_is_stop_marker(msg)) {
        if (s->ecap & VTD_ECAP_SMS ||
            s->svm.knobs.sms0_fault == VTD_SMS0_FAULT_DROP) {
            answer = false;
        } else if (s->svm.knobs.sms0_fault == VTD_SMS0_FAULT_SUCCESS) {
            code = ATS_PRG_SUCCESS;
        }
    }

    if (answer) {
        vtd_prq_respond(s, msg, code);
    } else {
        trace_vtd_prq_drop(msg->rid, msg->pasid, msg->addr, msg->prgi);
        s->svm.prq.dropped++;
    }
}

/* -- accepting: the queue, VT-d 7.4.1 ------------------------------------- */

static bool vtd_prq_write_desc(IntelIOMMUState *s, hwaddr addr,
                               const AtsMsg *msg)
{
    bool pp = msg->pasid != ATS_NO_PASID;
    uint64_t desc[4] = {
        cpu_to_le64(VTD_PRD_TYPE | VTD_PRD_PP(pp) | VTD_PRD_RID(msg->rid) |
                    VTD_PRD_PASID(pp ? msg->pasid : 0) |
                    VTD_PRD_EXR(msg->exec) | VTD_PRD_PMR(msg->priv)),
        cpu_to_le64(VTD_PRD_RDR(msg->read) | VTD_PRD_WRR(msg->write) |
                    VTD_PRD_LPIG(msg->last) | VTD_PRD_PRGI(msg->prgi) |
                    VTD_PRD_ADDR(msg->addr)),
    };
    /* Into memory only: the queue is no way for a guest to poke devices */
    const MemTxAttrs attrs = { .memory = true };

    return dma_memory_write(&address_space_memory, addr, desc, sizeof(desc),
                            attrs) == MEMTX_OK;
}

/* The descriptor cannot be written: no rule in the specification */
static void vtd_prq_write_failed(IntelIOMMUState *s, const AtsMsg *msg,
                                 hwaddr addr)
{
    qemu_log_mask(LOG_GUEST_ERROR, "vtd: page request queue at 0x%" HWADDR_PRIx
                  " cannot be written\n", addr);
    s->svm.prq.write_errors++;
    switch (s->svm.knobs.prq_write_error) {
    case VTD_PRQ_WRITE_ERROR_PRO:
        vtd_prq_set_status(s, VTD_PR_STATUS_PRO);
        vtd_prq_refuse(s, msg, ATS_PRG_SUCCESS);
        break;
    case VTD_PRQ_WRITE_ERROR_SUCCESS:
        vtd_prq_refuse(s, msg, ATS_PRG_SUCCESS);
        break;
    default:
        s->svm.prq.dropped++;
        break;
    }
}

/*
 * VT-d 7.4.1, 6.5.3.1: what the IOTLB holds for the page is dropped, so that
 * software may make a page present, or permit more, and answer without another
 * invalidation: the function's next request must find what is in memory.
 */
static void vtd_prq_implicit_invalidation(IntelIOMMUState *s,
                                          const VTDPrqInv *inv, uint64_t addr)
{
    switch (inv->pgtt) {
    case VTD_SM_PASID_ENTRY_FLT:
        vtd_pwc_inv_pages(s, inv->did, inv->pasid, addr, 0);
        vtd_iotlb_drop_page(s, inv->did, inv->pasid, addr);
        break;
    case VTD_SM_PASID_ENTRY_SLT:
    case VTD_SM_PASID_ENTRY_PT:
        vtd_iotlb_page_invalidate(s, inv->did, addr, 0);
        break;
    case VTD_SM_PASID_ENTRY_NESTED:
        vtd_iotlb_domain_invalidate(s, inv->did);
        break;
    }
}

/*
 * PQA, PQH and PQT are what software wrote last, so each is cut to the size of
 * the queue before it is used: nothing is ever written outside the queue.
 */
static void vtd_prq_accept(IntelIOMMUState *s, const AtsMsg *msg,
                           const VTDPrqInv *inv)
{
    VTDPrq *prq = &s->svm.prq;
    uint64_t pqa = vtd_get_quad_raw(s, DMAR_PQA_REG);
    uint64_t size = 0x1000ULL << (pqa & VTD_PQA_SIZE);
    uint64_t mask = (size - 1) & ~(uint64_t)(VTD_PQA_ENTRY_SIZE - 1);
    uint64_t tail = vtd_get_quad_raw(s, DMAR_PQT_REG) & mask;
    uint64_t depth = size / VTD_PQA_ENTRY_SIZE - 1;     /* PQH = PQT: empty */
    hwaddr addr = (pqa & VTD_PQA_ADDR) + tail;

    ats_prq_accepted(&prq->queue);
    /*
     * VT-d 7.4.1: once one is lost none is queued until software has cleared
     * PRO, or it would see the rest of a group and take it for the whole.  The
     * answer is Success although nobody has looked: the function finds its page
     * absent still and asks again, where a failure would end its work for want
     * of room in a queue.
     */
    if (vtd_get_long_raw(s, DMAR_PRS_REG) & VTD_PR_STATUS_PRO) {
        vtd_prq_refuse(s, msg, ATS_PRG_SUCCESS);
        return;
    }
    if (s->svm.knobs.prq_depth) {
        depth = MIN(depth, s->svm.knobs.prq_depth);
    }
    if (vtd_prq_level(s) >= depth) {
        prq->overflows++;
        vtd_prq_set_status(s, VTD_PR_STATUS_PRO);
        vtd_prq_refuse(s, msg, ATS_PRG_SUCCESS);
        return;
    }
    vtd_prq_implicit_invalidation(s, inv, msg->addr);
    if (!vtd_prq_write_desc(s, addr, msg)) {
        vtd_prq_write_failed(s, msg, addr);
        return;
    }
    /* VT-d 7.4.1: the descriptor must be visible before PQT says so */
    smp_wmb();
    vtd_set_quad_raw(s, DMAR_PQT_REG, (tail + VTD_PQA_ENTRY_SIZE) & mask);
    prq->delivered++;
    trace_vtd_prq_deliver(msg->rid, msg->pasid, msg->addr, msg->prgi, tail);
    vtd_prq_set_status(s, VTD_PR_STATUS_PPR);
}

/* A request whose acceptance is an event that was kept */
typedef struct VTDPrqEvent {
    AtsMsg msg;
    VTDPrqInv inv;
} VTDPrqEvent;

static void vtd_prq_write(void *opaque, const void *data)
{
    const VTDPrqEvent *event = data;

    vtd_prq_accept(opaque, &event->msg, &event->inv);
    vtd_qi_kick(opaque);    /* a wait with PD=1 may be behind it */
}

/* It is the turn of a request: accept it, or it is an event that is kept */
static void vtd_prq_deliver(IntelIOMMUState *s, const AtsMsg *msg,
                            const VTDPrqInv *inv)
{
    VTDPrqEvent event;

    if (ats_actor_on) {
        event = (VTDPrqEvent) { .msg = *msg, .inv = *inv };
        if (ats_actor_event(ATS_EVENT_PRQ_WRITE, ATS_LANE_IOMMU, s,
                            vtd_prq_write, &event, sizeof(event))) {
            return;
        }
    }
    vtd_prq_accept(s, msg, inv);
}

/* -- checking: VT-d 7.4.1, 7.11 -------------------------------------------- */

/* Record the non-recoverable fault of a page request, VT-d 11.4.7.6 */
static void vtd_prq_report_fault(IntelIOMMUState *s, const AtsMsg *msg,
                                 int reason)
{
    bool pp = msg->pasid != ATS_NO_PASID;
    uint64_t hi = VTD_FRCD_SID(msg->rid) | VTD_FRCD_FR(reason) | VTD_FRCD_T2;

    if (pp) {
        hi |= VTD_FRCD_PP(1) | VTD_FRCD_PV((uint64_t)msg->pasid);
        hi |= msg->priv ? VTD_FRCD_PRIV : 0;
        hi |= msg->exec ? VTD_FRCD_EXE : 0;
    }
    vtd_report_frcd_fault(s, msg->rid, hi,
                          VTD_FRCD_FI(msg->addr & VTD_HAW_MASK(s->aw_bits)));
}

/* Check the tables: a request that fails is answered and goes no further */
static bool vtd_prq_check(IntelIOMMUState *s, const AtsMsg *msg,
                          const VTDTornRead *torn, VTDPrqInv *inv)
{
    VTDSmWalk walk = {
        .rid = msg->rid,
        .pasid = msg->pasid,
        .page_request = true,
        .torn = torn,
    };
    int reason;

    qemu_mutex_lock(&s->iommu_lock);
    reason = vtd_sm_walk(s, &walk);
    qemu_mutex_unlock(&s->iommu_lock);
    if (!reason) {
        inv->did = vtd_pe_did(&walk.pe);
        inv->pgtt = vtd_pe_pgtt(&walk.pe);
        inv->pasid = walk.table_pasid;
        return true;
    }
    trace_vtd_prq_fault(msg->rid, msg->pasid, msg->addr, reason, walk.fpd);
    if (!walk.fpd || !vtd_sm_fault_qualified(reason)) {
        vtd_prq_report_fault(s, msg, reason);
    }
    vtd_prq_refuse(s, msg, ATS_PRG_INVALID_REQUEST);
    return false;
}

/* -- between received and accepted: the engine's owner -------------------- */

static int64_t vtd_prq_now(void *opaque)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

static void vtd_prq_alarm(void *opaque, int64_t due)
{
    IntelIOMMUState *s = opaque;

    if (due == ATS_PRQ_NEVER) {
        timer_del(s->svm.prq.timer);
    } else {
        timer_mod(s->svm.prq.timer, due);
    }
}

static bool vtd_prq_held(void *opaque)
{
    return ((IntelIOMMUState *)opaque)->svm.knobs.prq_hold;
}

static int64_t vtd_prq_delay(void *opaque)
{
    return ((IntelIOMMUState *)opaque)->svm.knobs.prd_delay * SCALE_US;
}

/* Knob torn-entry: the entry is read in pieces before it counts */
static int64_t vtd_prq_prepare(void *opaque, AtsPrqReq *req)
{
    VTDPageReq *page = container_of(req, VTDPageReq, req);

    if (!page->torn.kind || !vtd_sm_torn_step(&page->torn)) {
        return -1;
    }
    return ((IntelIOMMUState *)opaque)->svm.knobs.torn_pause * SCALE_US;
}

static bool vtd_prq_check_pending(void *opaque, AtsPrqReq *req)
{
    VTDPageReq *page = container_of(req, VTDPageReq, req);

    return vtd_prq_check(opaque, &req->msg, &page->torn, &page->inv);
}

static void vtd_prq_accept_pending(void *opaque, const AtsPrqReq *req)
{
    const VTDPageReq *page = container_of(req, VTDPageReq, req);

    vtd_prq_deliver(opaque, &req->msg, &page->inv);
}

static void vtd_prq_progress(void *opaque)
{
    vtd_qi_kick(opaque);        /* a wait with PD=1 may be behind it */
}

static const AtsPrqOps vtd_prq_ops = {
    .now = vtd_prq_now,
    .alarm = vtd_prq_alarm,
    .held = vtd_prq_held,
    .delay = vtd_prq_delay,
    .prepare = vtd_prq_prepare,
    .check = vtd_prq_check_pending,
    .accept = vtd_prq_accept_pending,
    .progress = vtd_prq_progress,
};

static void vtd_prq_expired(void *opaque)
{
    IntelIOMMUState *s = opaque;

    ats_prq_expire(&s->svm.prq.queue);
}

static void vtd_prq_timer(void *opaque)
{
    ats_actor_timer(ATS_LANE_IOMMU, opaque, vtd_prq_expired);
}

void vtd_prq_release(IntelIOMMUState *s, uint64_t n)
{
    ats_prq_release(&s->svm.prq.queue, n);
}

/* -- receiving ------------------------------------------------------------ */

/* Append a request to those that wait; @inv: it is checked, or NULL */
static void vtd_prq_postpone(IntelIOMMUState *s, const AtsMsg *msg,
                             const VTDPrqInv *inv)
{
    AtsPrq *queue = &s->svm.prq.queue;
    VTDPageReq *page;

    if (ats_prq_full(queue)) {
        /*
         * As if the queue in memory were full.  None of those that wait may be
         * touched here, one of them may be on its way further up the stack.
         */
        vtd_prq_refuse(s, msg, ATS_PRG_SUCCESS);
        return;
    }
    page = g_new0(VTDPageReq, 1);
    page->req.msg = *msg;
    page->req.checked = inv;
    if (inv) {
        page->inv = *inv;
    } else if (s->svm.knobs.torn_entry) {
        VTDSmWalk walk = {
            .rid = msg->rid,
            .pasid = msg->pasid,
            .page_request = true,
        };

        qemu_mutex_lock(&s->iommu_lock);
        vtd_sm_torn_start(s, &walk, s->svm.knobs.torn_entry, &page->torn);
        qemu_mutex_unlock(&s->iommu_lock);
    }
    trace_vtd_prq_pending(msg->rid, msg->pasid, msg->addr, msg->prgi,
                          queue->n_pending + 1);
    ats_prq_append(queue, &page->req);
}

/* States in which the specification does not say what happens: knobs */
static bool vtd_prq_ready(IntelIOMMUState *s, const AtsMsg *msg)
{
    const char *why;
    bool answer;

    if (!s->dmar_enabled) {
        why = "translation is disabled";
        answer = s->svm.knobs.tes0_pr == VTD_TES0_PR_INVALID;
    } else if (!s->svm.prq.pqa_written &&
               s->svm.knobs.pqa_unset != VTD_PQA_UNSET_WRITE) {
        why = "PQA was never written";
        answer = s->svm.knobs.pqa_unset == VTD_PQA_UNSET_INVALID;
    } else {
        return true;
    }
    qemu_log_mask(LOG_GUEST_ERROR, "vtd: page request of %04x: %s\n",
                  msg->rid, why);
    if (answer) {
        vtd_prq_refuse(s, msg, ATS_PRG_INVALID_REQUEST);
    } else {
        s->svm.prq.dropped++;
    }
    return false;
}

void vtd_prq_page_request(IntelIOMMUState *s, const AtsMsg *msg)
{
    VTDPrq *prq = &s->svm.prq;
    const VTDKnobs *knobs = &s->svm.knobs;
    bool overflowed = vtd_get_long_raw(s, DMAR_PRS_REG) & VTD_PR_STATUS_PRO;
    VTDPrqInv inv;

    if (!vtd_prq_supported(s)) {
        qemu_log_mask(LOG_GUEST_ERROR, "vtd: page request of %04x, but "
                      "ECAP.PRS is 0\n", msg->rid);
        return;
    }

    prq->received++;
    if (!vtd_prq_ready(s, msg)) {
        return;
    }
    if (overflowed && knobs->check_order == VTD_CHECK_ORDER_PRO) {
        vtd_prq_refuse(s, msg, ATS_PRG_SUCCESS);
    } else if (knobs->torn_entry || !ats_prq_may_check(&prq->queue)) {
        vtd_prq_postpone(s, msg, NULL);
    } else if (!vtd_prq_check(s, msg, NULL, &inv)) {
        return;
    } else if (ats_prq_at_once(&prq->queue)) {
        vtd_prq_deliver(s, msg, &inv);
    } else {
        vtd_prq_postpone(s, msg, &inv);
    }
}

/* -- migration ------------------------------------------------------------ */

static const VMStateDescription vmstate_vtd_torn_read = {
    .name = "intel-iommu/prq/torn",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(kind, VTDTornRead),
        VMSTATE_UINT8(n, VTDTornRead),
        VMSTATE_UINT8(done, VTDTornRead),
        VMSTATE_UINT64(addr, VTDTornRead),
        VMSTATE_UINT64_ARRAY(val, VTDTornRead, 8),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_vtd_page_req = {
    .name = "intel-iommu/prq/request",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(req.msg, VTDPageReq, 1, vmstate_ats_msg, AtsMsg),
        VMSTATE_BOOL(req.checked, VTDPageReq),
        VMSTATE_UINT16(inv.did, VTDPageReq),
        VMSTATE_UINT16(inv.pgtt, VTDPageReq),
        VMSTATE_UINT32(inv.pasid, VTDPageReq),
        VMSTATE_STRUCT(torn, VTDPageReq, 1, vmstate_vtd_torn_read,
                       VTDTornRead),
        VMSTATE_INT64(req.due, VTDPageReq),
        VMSTATE_END_OF_LIST()
    }
};

/* The engine frees what it is given a part of */
QEMU_BUILD_BUG_ON(offsetof(VTDPageReq, req) != 0);

static int vtd_prq_post_load(void *opaque, int version_id)
{
    VTDPrq *prq = opaque;

    return ats_prq_valid(&prq->queue) && vtd_prq_event_valid(prq) ? 0 :
           -EINVAL;
}

const VMStateDescription vmstate_vtd_prq = {
    .name = "intel-iommu/prq",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = vtd_prq_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_QTAILQ_V(queue.pending, VTDPrq, 1, vmstate_vtd_page_req,
                         VTDPageReq, req.next),
        VMSTATE_UINT32(queue.n_pending, VTDPrq),
        VMSTATE_TIMER_PTR(timer, VTDPrq),
        VMSTATE_TIMER_PTR(irq_timer, VTDPrq),
        VMSTATE_INT64_ARRAY(irq_due, VTDPrq, VTD_PRQ_IRQ_MAX),
        VMSTATE_UINT32(irq_first, VTDPrq),
        VMSTATE_UINT32(irq_n, VTDPrq),
        VMSTATE_BOOL(pqa_written, VTDPrq),
        VMSTATE_BOOL(irq_held, VTDPrq),
        VMSTATE_UINT64(queue.received, VTDPrq),
        VMSTATE_UINT64(queue.done, VTDPrq),
#define VTD_PRQ_COUNTER_VMSTATE(field, text) VMSTATE_UINT64(field, VTDPrq),
        VTD_PRQ_COUNTERS(VTD_PRQ_COUNTER_VMSTATE)
#undef VTD_PRQ_COUNTER_VMSTATE
        VMSTATE_END_OF_LIST()
    }
};

/* -- life ----------------------------------------------------------------- */

void vtd_prq_realize(IntelIOMMUState *s)
{
    ats_prq_init(&s->svm.prq.queue, &vtd_prq_ops, s);
    s->svm.prq.timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, vtd_prq_timer, s);
    vtd_prq_event_realize(s);
}

void vtd_prq_reset(IntelIOMMUState *s)
{
    VTDPrq *prq = &s->svm.prq;

    ats_prq_reset(&prq->queue);
    prq->pqa_written = false;
    vtd_prq_event_reset(s);
    if (!vtd_prq_supported(s)) {
        return;
    }
    vtd_define_quad(s, DMAR_PQH_REG, 0, 0x7ffe0ULL, 0);
    vtd_define_quad(s, DMAR_PQT_REG, 0, 0x7ffe0ULL, 0);
    vtd_define_quad(s, DMAR_PQA_REG, 0, 0xfffffffffffff007ULL, 0);
    vtd_prq_event_registers(s);
}
