/*
 * pri-testdev: what a reset should have ended, and did not
 *
 * Faults that wait for credits when a reset begins, and what the function does
 * with its old PASIDs when it is over.  VT-d 7.9, 7.10.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/pci/pci.h"
#include "pri-testdev.h"
#include "hw/misc/trace.h"

/* A cookie of no operation */
#define PT_LATE_COOKIE  MAKE_64BIT_MASK(0, 48)

void pt_late_forget(PriTestdev *d)
{
    memset(&d->late, 0, sizeof(d->late));
}

/* -- Faults that were not dispatched --------------------------------------- */

static PtLateRequest pt_late_fault(const PtChannel *ch)
{
    return (PtLateRequest) {
        .addr = ch->fault_page,
        .pasid = ch->op.flags & PT_FLAG_PASID ? ch->op.pasid : ATS_NO_PASID,
        .write = ch->fault_write,
    };
}

/*
 * What is outstanding is cancelled, so there are credits; then what waits is
 * posted.  All of that is forgotten by the reset that begins now.
 */
static void pt_late_flush(PriTestdev *d, const PtLateRequest *req)
{
    PciePriPage page = {
        .addr = req->addr,
        .read = !req->write,
        .write = req->write,
    };
    PciePriRequest group = {
        .pages = &page,
        .n_pages = 1,
        .pasid = req->pasid,
        .cookie = PT_LATE_COOKIE,
    };

    if (ats_function_pri_usable(&d->fn, req->pasid)) {
        ats_function_submit(&d->fn, &group);
    }
}

static void pt_late_take_faults(PriTestdev *d, uint64_t channels, bool link)
{
    bool flush = d->knobs.flr_prs == PT_FLR_PRS_FLUSH && link;
    PtLateRequest waiting[PRI_TESTDEV_MAX_CHANNELS];
    uint32_t n = 0;

    if (!flush && d->knobs.flr_prs != PT_FLR_PRS_AFTER) {
        return;
    }
    /* in the order in which they wait */
    for (uint32_t i = 0; i < d->sched.n_waiters; i++) {
        if (channels & (1ULL << d->sched.waiters[i])) {
            waiting[n++] = pt_late_fault(&d->ch[d->sched.waiters[i]]);
        }
    }
    if (!flush) {
        memcpy(d->late.request, waiting, sizeof(waiting));
        d->late.n = n;
        return;
    }
    for (unsigned int i = 0; i < d->n_channels; i++) {
        if (channels & (1ULL << i)) {
            ats_function_cancel(&d->fn, i, 0xff);
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        pt_late_flush(d, &waiting[i]);
    }
    ats_function_cancel(&d->fn, PT_LATE_COOKIE, PT_LATE_COOKIE);
}

/* -- The old PASID --------------------------------------------------------- */

/* A channel that has a PASID, rather one that runs, or NULL */
static const PtChannel *pt_late_channel(PriTestdev *d, uint64_t channels)
{
    const PtChannel *idle = NULL;

    for (unsigned int n = 0; n < d->n_channels; n++) {
        const PtChannel *ch = &d->ch[n];

        if (!(channels & (1ULL << n)) || ch->status == PT_ST_IDLE ||
            !(ch->op.flags & PT_FLAG_PASID)) {
            continue;
        }
        if (ch->run != PT_RUN_STOPPED) {
            return ch;
        }
        idle = idle ? idle : ch;
    }
    return idle;
}

static void pt_late_take_pasid(PriTestdev *d, uint64_t channels)
{
    const PtChannel *ch = pt_late_channel(d, channels);
    const PcieAtcEntry *entry;
    const PtOp *op;
    uint64_t page;

    if (!ch || d->knobs.flr_late_dma == PT_FLR_LATE_DMA_NONE) {
        return;
    }
    op = &ch->op;
    page = (pt_op_has_list(op) ? pt_op_position(ch) :
            pt_op_writes(op) ? op->dst : op->src) & PT_PAGE_MASK;
    if (d->knobs.flr_late_dma == PT_FLR_LATE_DMA_REQUEST) {
        if (d->late.n < ARRAY_SIZE(d->late.request)) {
            d->late.request[d->late.n++] = (PtLateRequest) {
                .addr = page,
                .pasid = op->pasid,
                .write = pt_op_writes(op),
            };
        }
        return;
    }
    entry = pcie_atc_lookup(&d->fn.atc, page, op->pasid,
                            op->flags & PT_FLAG_PRIV);
    if (entry && entry->write) {
        d->late.write = true;
        d->late.pasid = op->pasid;
        d->late.iova = page;
        d->late.addr = entry->addr + (page - entry->iova);
    }
}

void pt_late_take(PriTestdev *d, uint64_t channels, bool link)
{
    pt_late_forget(d);
    pt_late_take_faults(d, channels, link);
    pt_late_take_pasid(d, channels);
}

/* -- When the reset is over ------------------------------------------------ */

void pt_late_begin(PriTestdev *d)
{
    if (d->late.n || d->late.write) {
        d->late.due = true;
        pt_channels_kick(d);
    }
}

static void pt_late_request(PriTestdev *d, const PtLateRequest *req,
                            uint16_t prgi)
{
    AtsMsg msg = {
        .addr = req->addr,
        .pasid = req->pasid,
        .prgi = prgi,
        .read = !req->write,
        .write = req->write,
        .last = true,
    };

    ats_function_send_raw(&d->fn, &msg);
}

static void pt_late_write(PriTestdev *d, const PtLate *late)
{
    uint64_t data = cpu_to_le64(PT_LATE_DATA);
    AtsTrEntry entry = {
        .iova = late->iova,
        .addr = late->addr,
        .mask = ~PT_PAGE_MASK,
        .write = true,
    };

    pt_log(d, PT_LOG_LATE_WRITE, late->pasid, 0, late->iova, 0);
    pt_dma_write(d, &entry, late->pasid, late->iova, (uint8_t *)&data,
                 sizeof(data));
}

/*
 * It breaks the rules in any case, so Bus Master Enable and the state of the
 * Page Request Interface do not matter.
 */
void pt_late_run(PriTestdev *d)
{
    PtLate late = d->late;

    pt_late_forget(d);
    if (pt_unresponsive(d)) {
        return;
    }
    trace_pri_testdev_late(DEVICE(d)->id, late.n, late.write);
    for (uint32_t i = 0; i < late.n; i++) {
        pt_late_request(d, &late.request[i], i);
    }
    if (late.write) {
        pt_late_write(d, &late);
    }
}

int pt_late_post_load(PriTestdev *d)
{
    return d->late.n > ARRAY_SIZE(d->late.request) ? -EINVAL : 0;
}
