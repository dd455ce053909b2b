/*
 * pri-testdev: migration
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/host-utils.h"
#include "hw/pci/ats_vmstate.h"
#include "hw/pci/msix.h"
#include "hw/pci/pcie_aer.h"
#include "migration/vmstate.h"
#include "pri-testdev.h"

static const VMStateDescription vmstate_pt_op = {
    .name = "pri-testdev/op",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(cmd, PtOp),
        VMSTATE_UINT32(flags, PtOp),
        VMSTATE_UINT32(pasid, PtOp),
        VMSTATE_UINT32(group, PtOp),
        VMSTATE_UINT32(retries, PtOp),
        VMSTATE_UINT64(src, PtOp),
        VMSTATE_UINT64(dst, PtOp),
        VMSTATE_UINT64(len, PtOp),
        VMSTATE_UINT64(pattern, PtOp),
        VMSTATE_UINT64(list, PtOp),
        VMSTATE_UINT32(list_len, PtOp),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_pt_channel = {
    .name = "pri-testdev/channel",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(next, PtChannel, 1, vmstate_pt_op, PtOp),
        VMSTATE_STRUCT(op, PtChannel, 1, vmstate_pt_op, PtOp),
        VMSTATE_UINT8(run, PtChannel),
        VMSTATE_UINT32(seq, PtChannel),
        VMSTATE_UINT32(status, PtChannel),
        VMSTATE_UINT32(irq_status, PtChannel),
        VMSTATE_UINT32(crc, PtChannel),
        VMSTATE_UINT32(resp_code, PtChannel),
        VMSTATE_UINT32(requests, PtChannel),
        VMSTATE_UINT32(groups, PtChannel),
        VMSTATE_UINT32(refused, PtChannel),
        VMSTATE_UINT64(done, PtChannel),
        VMSTATE_UINT64(err_addr, PtChannel),
        VMSTATE_BOOL(fault, PtChannel),
        VMSTATE_BOOL(fault_write, PtChannel),
        VMSTATE_BOOL(answered, PtChannel),
        VMSTATE_UINT32(tries, PtChannel),
        VMSTATE_UINT64(fault_page, PtChannel),
        VMSTATE_UINT32(list_done, PtChannel),
        VMSTATE_UINT64(piece.addr, PtChannel),
        VMSTATE_UINT32(piece.len, PtChannel),
        VMSTATE_UINT32(piece.done, PtChannel),
        VMSTATE_BOOL(piece.last, PtChannel),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_pt_raw = {
    .name = "pri-testdev/raw",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(addr, PtRaw),
        VMSTATE_UINT32(pasid, PtRaw),
        VMSTATE_UINT32(flags, PtRaw),
        VMSTATE_UINT32(prgi, PtRaw),
        VMSTATE_UINT32(resp, PtRaw),
        VMSTATE_UINT32(resp_pasid, PtRaw),
        VMSTATE_UINT32(resp_count, PtRaw),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_pt_inv_completion = {
    .name = "pri-testdev/inv-completion",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_INT64(due, PtInvCompletion),
        VMSTATE_UINT8(itag, PtInvCompletion),
        VMSTATE_UINT8(cc, PtInvCompletion),
        VMSTATE_UINT8(messages, PtInvCompletion),
        VMSTATE_UINT16(rid_flip, PtInvCompletion),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_pt_log_entry = {
    .name = "pri-testdev/log-entry",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(time, PtLogEntry),
        VMSTATE_UINT64(addr, PtLogEntry),
        VMSTATE_UINT32(kind, PtLogEntry),
        VMSTATE_UINT32(pasid, PtLogEntry),
        VMSTATE_UINT32(tag, PtLogEntry),
        VMSTATE_UINT32(code, PtLogEntry),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_pt_late_request = {
    .name = "pri-testdev/late-request",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(addr, PtLateRequest),
        VMSTATE_UINT32(pasid, PtLateRequest),
        VMSTATE_BOOL(write, PtLateRequest),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_pt_late = {
    .name = "pri-testdev/late",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL(due, PtLate),
        VMSTATE_UINT32(n, PtLate),
        VMSTATE_STRUCT_ARRAY(request, PtLate, PRI_TESTDEV_MAX_CHANNELS, 1,
                             vmstate_pt_late_request, PtLateRequest),
        VMSTATE_BOOL(write, PtLate),
        VMSTATE_UINT32(pasid, PtLate),
        VMSTATE_UINT64(iova, PtLate),
        VMSTATE_UINT64(addr, PtLate),
        VMSTATE_END_OF_LIST()
    }
};

/* A channel waits for credits exactly if it is in the queue, once */
static bool pt_waiters_valid(const PriTestdev *d)
{
    uint64_t queued = 0, waiting = 0;

    if (d->sched.n_waiters > d->n_channels) {
        return false;
    }
    for (uint32_t i = 0; i < d->sched.n_waiters; i++) {
        if (d->sched.waiters[i] >= d->n_channels) {
            return false;
        }
        queued |= 1ULL << d->sched.waiters[i];
    }
    for (unsigned int n = 0; n < d->n_channels; n++) {
        if (d->ch[n].run == PT_RUN_CREDITS) {
            waiting |= 1ULL << n;
        }
    }
    return queued == waiting && ctpop64(queued) == d->sched.n_waiters;
}

/* What is in no state of a channel that is there */
static bool pt_channel_valid(const PriTestdev *d, unsigned int n)
{
    const PtChannel *ch = &d->ch[n];

    if (ch->run == PT_RUN_STOPPED) {
        return true;
    }
    return n < d->n_channels && ch->run <= PT_RUN_PAUSE &&
           (ch->run != PT_RUN_PAUSE || timer_pending(d->sched.pause_timer)) &&
           pt_op_started(d, ch);
}

static int pt_channels_post_load(PriTestdev *d)
{
    if (!pt_waiters_valid(d) || d->sched.next_channel >= d->n_channels) {
        return -EINVAL;
    }
    d->sched.ready = 0;
    for (unsigned int n = 0; n < ARRAY_SIZE(d->ch); n++) {
        if (!pt_channel_valid(d, n)) {
            return -EINVAL;
        }
        if (d->ch[n].run == PT_RUN_READY) {
            d->sched.ready |= 1ULL << n;
        }
    }
    d->sched.irqs &= MAKE_64BIT_MASK(0, d->n_channels);
    pt_channels_kick(d);
    return 0;
}

static int pt_post_load(void *opaque, int version_id)
{
    int ret = pt_channels_post_load(opaque);

    ret = ret ? ret : pt_knobs_post_load(opaque);
    ret = ret ? ret : pt_inv_post_load(opaque);
    ret = ret ? ret : pt_log_post_load(opaque);
    ret = ret ? ret : pt_late_post_load(opaque);
    pt_timeout_post_load(opaque);
    pt_posted_post_load(opaque);
    return ret ? ret : pt_reset_post_load(opaque);
}

/* Before its Virtual Functions, which it enables, and that resets them */
const VMStateDescription vmstate_pri_testdev = {
    .name = TYPE_PRI_TESTDEV,
    .priority = MIG_PRI_PCI_BUS,
    .version_id = 5,
    .minimum_version_id = 5,
    .post_load = pt_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_PCI_DEVICE(parent_obj, PriTestdev),
        VMSTATE_STRUCT(parent_obj.exp.aer_log, PriTestdev, 0,
                       vmstate_pcie_aer_log, PCIEAERLog),
        VMSTATE_MSIX(parent_obj, PriTestdev),
        VMSTATE_ATS_EQUAL(n_channels, PriTestdev),
        VMSTATE_ATS_FUNCTION(fn, PriTestdev),
        VMSTATE_TIMER_PTR(sched.pause_timer, PriTestdev),
        VMSTATE_BOOL(sched.wake, PriTestdev),
        VMSTATE_UINT64(sched.irqs, PriTestdev),
        VMSTATE_UINT8_ARRAY(sched.waiters, PriTestdev,
                            PRI_TESTDEV_MAX_CHANNELS),
        VMSTATE_UINT32(sched.n_waiters, PriTestdev),
        VMSTATE_UINT32(sched.next_channel, PriTestdev),
        VMSTATE_UINT32(scratch, PriTestdev),
        VMSTATE_UINT64(resets.flrs, PriTestdev),
        VMSTATE_STRUCT(raw, PriTestdev, 1, vmstate_pt_raw, PtRaw),
        VMSTATE_UINT32(window.select, PriTestdev),
        VMSTATE_UINT32(window.status, PriTestdev),
        VMSTATE_UINT32(window.low, PriTestdev),
#define PT_KNOB_VMSTATE(FIELD, field, name, def, max, values, help) \
        VMSTATE_UINT64(knobs.field, PriTestdev),
        PT_KNOBS(PT_KNOB_VMSTATE)
#undef PT_KNOB_VMSTATE
        VMSTATE_UINT32(stop.request, PriTestdev),
        VMSTATE_UINT32(stop.status, PriTestdev),
        VMSTATE_TIMER_PTR(stop.timer, PriTestdev),
        VMSTATE_UINT32(event.status, PriTestdev),
        VMSTATE_UINT32(event.enable, PriTestdev),
        VMSTATE_BOOL(event.irq, PriTestdev),
        VMSTATE_UINT64(log.count, PriTestdev),
        VMSTATE_UINT32(log.select, PriTestdev),
        VMSTATE_STRUCT_ARRAY(log.entry, PriTestdev, PT_LOG_SIZE, 1,
                             vmstate_pt_log_entry, PtLogEntry),
        VMSTATE_BOOL(presence.in_reset, PriTestdev),
        VMSTATE_UINT8(presence.kind, PriTestdev),
        VMSTATE_UINT32(resets.count, PriTestdev),
        VMSTATE_BOOL(presence.link_down, PriTestdev),
        VMSTATE_STRUCT(late, PriTestdev, 1, vmstate_pt_late, PtLate),
        VMSTATE_BOOL(presence.gone, PriTestdev),
        VMSTATE_TIMER_PTR(presence.reset_timer, PriTestdev),
        VMSTATE_TIMER_PTR(resets.gone_timer, PriTestdev),
        VMSTATE_UINT32(inv.n, PriTestdev),
        VMSTATE_STRUCT_ARRAY(inv.waiting, PriTestdev, ATS_ITAG_NR, 1,
                             vmstate_pt_inv_completion, PtInvCompletion),
        VMSTATE_UINT64(dma.cnt.bytes_read, PriTestdev),
        VMSTATE_UINT64(dma.cnt.bytes_written, PriTestdev),
        VMSTATE_UINT64(dma.cnt.dma_errors, PriTestdev),
        VMSTATE_STRUCT_ARRAY(ch, PriTestdev, PRI_TESTDEV_MAX_CHANNELS, 1,
                             vmstate_pt_channel, PtChannel),
        VMSTATE_END_OF_LIST()
    }
};
