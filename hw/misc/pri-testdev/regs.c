/*
 * pri-testdev: the registers in BAR0
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/timer.h"
#include "pri-testdev.h"
#include "hw/misc/trace.h"

#define PT_RAW_FLAGS_MASK   (PT_RAW_READ | PT_RAW_WRITE | PT_RAW_LAST | \
                             PT_RAW_PRIV | PT_RAW_EXEC)
#define PT_KNOB_SELECT_MASK (PT_KNOB_IOMMU | PT_KNOB_RULE(PT_RULES - 1) | \
                             0xffff)
#define PT_RAW_PASID_MASK   (PT_RAW_PASID_PRESENT | \
                             ((1u << ATS_PASID_BITS) - 1))
#define PT_FLAGS            (PT_FLAG_PASID | PT_FLAG_PRIV | PT_FLAG_EXEC | \
                             PT_FLAG_IRQ | PT_FLAG_UNTRANSLATED | \
                             PT_FLAG_NO_PRI | PT_FLAG_GATHER | PT_FLAG_SCATTER)

/* -- Function registers ---------------------------------------------------- */

static uint32_t pt_state(PriTestdev *d)
{
    const AtsFunction *fn = &d->fn;
    const PciePri *pri = ats_function_pri(&d->fn);

    return (PCI_DEVICE(d)->is_master ? PT_STATE_BME : 0) |
           (ats_function_ats_enabled(fn) ? PT_STATE_ATS : 0) |
           (pri->enable ? PT_STATE_PRI : 0) |
           (ats_function_pasid_enabled(fn) ? PT_STATE_PASID : 0) |
           (pri->stopped ? PT_STATE_PRI_STOPPED : 0) |
           (pri->response_failure ? PT_STATE_PRI_RF : 0) |
           (pri->uprgi ? PT_STATE_PRI_UPRGI : 0) |
           (fn->no_ats ? PT_STATE_NO_ATS : 0);
}

static void pt_control(PriTestdev *d, uint32_t val)
{
    if (val & PT_CTRL_CLEAR_COUNTERS) {
        ats_function_clear_counters(&d->fn);
        memset(&d->dma.cnt, 0, sizeof(d->dma.cnt));
        d->raw.resp_count = 0;
        d->resets.flrs = 0;
    }
    if (val & PT_CTRL_FLUSH_ATC) {
        ats_function_flush(&d->fn);
    }
    if (val & PT_CTRL_ABORT) {
        pt_channels_abort(d);
    }
    if (val & PT_CTRL_CLEAR_LOG) {
        d->log.count = 0;
    }
}

static uint64_t pt_counter(PriTestdev *d, uint32_t offset)
{
    const PciePriCounters *pri = &ats_function_pri(&d->fn)->cnt;
    const AtsFunctionCounters *fn = &d->fn.cnt;

    switch (offset) {
    case PT_CNT_PAGE_REQUESTS:
        return pri->page_requests;
    case PT_CNT_GROUPS:
        return pri->groups;
    case PT_CNT_STOP_MARKERS:
        return pri->stop_markers;
    case PT_CNT_RESP_SUCCESS:
        return pri->resp_success;
    case PT_CNT_RESP_INVALID:
        return pri->resp_invalid;
    case PT_CNT_RESP_FAILURE:
        return pri->resp_failure;
    case PT_CNT_RESP_UNEXPECTED:
        return pri->resp_unexpected;
    case PT_CNT_INV_REQUESTS:
        return fn->inv_requests;
    case PT_CNT_INV_COMPLETIONS:
        return fn->inv_completions;
    case PT_CNT_ATC_HITS:
        return fn->atc_hits;
    case PT_CNT_ATC_MISSES:
        return fn->atc_misses;
    case PT_CNT_TRANSLATIONS:
        return fn->translations;
    case PT_CNT_TRANS_UR:
        return fn->trans_ur;
    case PT_CNT_TRANS_CA:
        return fn->trans_ca;
    case PT_CNT_BYTES_READ:
        return d->dma.cnt.bytes_read;
    case PT_CNT_BYTES_WRITTEN:
        return d->dma.cnt.bytes_written;
    case PT_CNT_DMA_ERRORS:
        return d->dma.cnt.dma_errors;
    case PT_CNT_VIOLATIONS:
        return pri->violations + fn->violations;
    case PT_CNT_FLRS:
        return d->resets.flrs;
    case PT_CNT_RESP_STALE:
        return pri->resp_stale;
    case PT_CNT_TRANS_DISCARDED:
        return fn->trans_discarded;
    case PT_CNT_TRANS_UNEXPECTED:
        return fn->trans_unexpected;
    case PT_CNT_TRANS_TIMEOUTS:
        return fn->trans_timeouts;
    case PT_CNT_RESP_MISTAKEN:
        return pri->resp_mistaken;
    case PT_CNT_POSTED:
        return d->fn.posted.queued;
    case PT_CNT_OVERTAKEN:
        return d->fn.posted.overtaken;
    case PT_CNT_POSTED_LOST:
        return d->fn.posted.lost;
    default:
        return 0;
    }
}

static uint32_t pt_raw_read(const PriTestdev *d, uint32_t reg)
{
    switch (reg) {
    case PT_RAW_ADDR ... PT_RAW_ADDR + 4:
        return pt_half(d->raw.addr, reg);
    case PT_RAW_PASID:
        return d->raw.pasid;
    case PT_RAW_FLAGS:
        return d->raw.flags;
    case PT_RAW_PRGI:
        return d->raw.prgi;
    case PT_RAW_RESP:
        return d->raw.resp;
    case PT_RAW_RESP_PASID:
        return d->raw.resp_pasid;
    case PT_RAW_RESP_COUNT:
        return d->raw.resp_count;
    default:
        return 0;
    }
}

static uint32_t pt_function_read(PriTestdev *d, uint32_t reg)
{
    switch (reg) {
    case PT_ID:
        return PT_ID_MAGIC;
    case PT_VERSION:
        return PT_VERSION_1;
    case PT_CHANNELS:
        return d->n_channels;
    case PT_PASID_BITS:
        return pt_has_pasid(d) ? d->cfg.pasid_bits : 0;
    case PT_STATE:
        return pt_state(d);
    case PT_PRI_CAPACITY:
        return ats_function_pri(&d->fn)->capacity;
    case PT_PRI_ALLOC:
        return ats_function_pri(&d->fn)->allocation;
    case PT_PRI_CREDITS:
        return pcie_pri_credits(ats_function_pri(&d->fn));
    case PT_PRI_GROUPS:
        return ats_function_pri(&d->fn)->n_groups;
    case PT_ATC_CAPACITY:
        return d->fn.atc.capacity;
    case PT_ATC_USED:
        return d->fn.atc.count;
    case PT_SCRATCH:
        return d->scratch;
    case PT_INV_WAITING:
        return d->inv.n;
    case PT_DMA_WAITING:
        return d->fn.posted.n;
    case PT_TRANS_WAITING:
        return ats_inflight_waiting(&d->fn.inflight);
    case PT_RAW_ADDR ... PT_RAW_RESP_COUNT:
        return pt_raw_read(d, reg);
    case PT_KNOB_SELECT:
        return d->window.select;
    case PT_KNOB_STATUS:
        return d->window.status;
    case PT_KNOB_VALUE ... PT_KNOB_VALUE + 4:
        return pt_half(pt_knob_read(d), reg);
    case PT_STOP_PASID:
        return d->stop.request;
    case PT_STOP_STATUS:
        return d->stop.status;
    case PT_EVENT_STATUS:
        return d->event.status;
    case PT_EVENT_ENABLE:
        return d->event.enable;
    case PT_LOG_COUNT ... PT_LOG_CODE:
        return pt_log_read(d, reg);
    case PT_CLOCK ... PT_CLOCK + 4:
        return pt_half(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL), reg);
    case PT_SOFT_RESET:
        return pt_in_soft_reset(d) ? PT_SOFT_RESET_BUSY : 0;
    case PT_RESETS:
        return d->resets.count;
    case PT_RESET_LAST:
        return d->presence.kind;
    default:
        return pt_half(pt_counter(d, reg & ~4u), reg);
    }
}

static void pt_function_write(PriTestdev *d, uint32_t reg, uint32_t val)
{
    switch (reg) {
    case PT_CTRL:
        pt_control(d, val);
        break;
    case PT_SCRATCH:
        d->scratch = val;
        break;
    case PT_RAW_ADDR ... PT_RAW_ADDR + 4:
        pt_set_half(&d->raw.addr, reg, val);
        break;
    case PT_RAW_PASID:
        d->raw.pasid = val & PT_RAW_PASID_MASK;
        break;
    case PT_RAW_FLAGS:
        d->raw.flags = val & PT_RAW_FLAGS_MASK;
        break;
    case PT_RAW_PRGI:
        d->raw.prgi = val & (ATS_PRGI_NR - 1);
        break;
    case PT_RAW_SEND:
        if (val == 1) {
            pt_raw_send(d);
        }
        break;
    case PT_RAW_RESP:
        d->raw.resp = 0;
        d->raw.resp_pasid = 0;
        break;
    case PT_RULE_REMOVE:
        pt_rule_remove(d, val);
        break;
    case PT_KNOB_SELECT:
        d->window.select = val & PT_KNOB_SELECT_MASK;
        break;
    case PT_KNOB_NAME:
        pt_knob_find(d, val);
        break;
    case PT_KNOB_VALUE:
        d->window.low = val;
        break;
    case PT_KNOB_VALUE + 4:
        pt_knob_write(d, (uint64_t)val << 32 | d->window.low);
        break;
    case PT_STOP_PASID:
        pt_stop(d, val);
        break;
    case PT_EVENT_STATUS:
        d->event.status &= ~val;
        break;
    case PT_EVENT_ENABLE:
        pt_event_enable(d, val);
        break;
    case PT_LOG_SELECT:
        d->log.select = val;
        break;
    case PT_SOFT_RESET:
        pt_soft_reset(d, val);
        break;
    default:
        break;
    }
}

/* -- Channel registers ----------------------------------------------------- */

static uint32_t pt_channel_read(PriTestdev *d, unsigned int n, uint32_t reg)
{
    const PtChannel *ch = &d->ch[n];

    switch (reg) {
    case PT_CH_STATUS:
        return ch->status;
    case PT_CH_FLAGS:
        return ch->next.flags;
    case PT_CH_PASID:
        return ch->next.pasid;
    case PT_CH_SRC ... PT_CH_SRC + 4:
        return pt_half(ch->next.src, reg);
    case PT_CH_DST ... PT_CH_DST + 4:
        return pt_half(ch->next.dst, reg);
    case PT_CH_LEN ... PT_CH_LEN + 4:
        return pt_half(ch->next.len, reg);
    case PT_CH_PATTERN ... PT_CH_PATTERN + 4:
        return pt_half(ch->next.pattern, reg);
    case PT_CH_GROUP:
        return ch->next.group;
    case PT_CH_RETRIES:
        return ch->next.retries;
    case PT_CH_IRQ_STATUS:
        return ch->irq_status;
    case PT_CH_CRC:
        return ch->crc;
    case PT_CH_DONE ... PT_CH_DONE + 4:
        return pt_half(ch->done, reg);
    case PT_CH_ERR_ADDR ... PT_CH_ERR_ADDR + 4:
        return pt_half(ch->err_addr, reg);
    case PT_CH_RESP_CODE:
        return ch->resp_code;
    case PT_CH_REQUESTS:
        return ch->requests;
    case PT_CH_GROUPS:
        return ch->groups;
    case PT_CH_REFUSED:
        return ch->refused;
    case PT_CH_LIST ... PT_CH_LIST + 4:
        return pt_half(ch->next.list, reg);
    case PT_CH_LIST_LEN:
        return ch->next.list_len;
    case PT_CH_LIST_DONE:
        return ch->list_done;
    default:
        return 0;
    }
}

static void pt_channel_write(PriTestdev *d, unsigned int n, uint32_t reg,
                             uint32_t val)
{
    PtChannel *ch = &d->ch[n];

    switch (reg) {
    case PT_CH_CMD:
        pt_channel_command(d, n, val);
        break;
    case PT_CH_FLAGS:
        ch->next.flags = val & PT_FLAGS;
        break;
    case PT_CH_PASID:
        ch->next.pasid = val & ((1u << ATS_PASID_BITS) - 1);
        break;
    case PT_CH_SRC ... PT_CH_SRC + 4:
        pt_set_half(&ch->next.src, reg, val);
        break;
    case PT_CH_DST ... PT_CH_DST + 4:
        pt_set_half(&ch->next.dst, reg, val);
        break;
    case PT_CH_LEN ... PT_CH_LEN + 4:
        pt_set_half(&ch->next.len, reg, val);
        break;
    case PT_CH_PATTERN ... PT_CH_PATTERN + 4:
        pt_set_half(&ch->next.pattern, reg, val);
        break;
    case PT_CH_GROUP:
        ch->next.group = val;
        break;
    case PT_CH_RETRIES:
        ch->next.retries = val;
        break;
    case PT_CH_LIST ... PT_CH_LIST + 4:
        pt_set_half(&ch->next.list, reg, val);
        break;
    case PT_CH_LIST_LEN:
        ch->next.list_len = val;
        break;
    case PT_CH_IRQ_STATUS:
        ch->irq_status &= ~val;
        break;
    default:
        break;
    }
}

/* -- BAR0 ------------------------------------------------------------------ */

/* Registers are 32 bits wide; a 64-bit access arrives here as two */
static bool pt_access_ok(hwaddr addr, unsigned int size)
{
    if (size == 4 && !(addr & 3)) {
        return true;
    }
    qemu_log_mask(LOG_GUEST_ERROR, "pri-testdev: %u-byte access at 0x%"
                  HWADDR_PRIx "\n", size, addr);
    return false;
}

static uint64_t pt_mmio_read(void *opaque, hwaddr addr, unsigned int size)
{
    PriTestdev *d = opaque;
    uint32_t page = addr / PT_CHANNEL_SIZE;
    uint32_t reg = addr % PT_CHANNEL_SIZE;
    uint32_t val = 0;

    if (pt_silent(d)) {
        return UINT64_MAX;
    }
    if (!pt_access_ok(addr, size)) {
        return 0;
    }
    if (!page) {
        val = pt_function_read(d, reg);
    } else if (page <= d->n_channels) {
        val = pt_channel_read(d, page - 1, reg);
    }
    trace_pri_testdev_read(DEVICE(d)->id, addr, val);
    ats_function_sending(&d->fn, ATS_SEND_COMPLETION);
    return val;
}

static void pt_mmio_write(void *opaque, hwaddr addr, uint64_t val,
                          unsigned int size)
{
    PriTestdev *d = opaque;
    uint32_t page = addr / PT_CHANNEL_SIZE;
    uint32_t reg = addr % PT_CHANNEL_SIZE;

    if (pt_silent(d) || !pt_access_ok(addr, size)) {
        return;
    }
    trace_pri_testdev_write(DEVICE(d)->id, addr, val);
    if (!page) {
        pt_function_write(d, reg, val);
    } else if (page <= d->n_channels) {
        pt_channel_write(d, page - 1, reg, val);
    }
}

const MemoryRegionOps pt_mmio_ops = {
    .read = pt_mmio_read,
    .write = pt_mmio_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {
        .min_access_size = 1,
        .max_access_size = 8,
        .unaligned = true,
    },
    .impl = {
        .min_access_size = 1,
        .max_access_size = 4,
        .unaligned = true,
    },
};
