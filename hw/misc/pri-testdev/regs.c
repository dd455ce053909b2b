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

/* Where the device has a counter: the part and the field of its row */
#define PT_IN_pri(d, field)     (ats_function_pri(&(d)->fn)->cnt.field)
#define PT_IN_fn(d, field)      ((d)->fn.cnt.field)
#define PT_IN_both(d, field)    (PT_IN_pri(d, field) + PT_IN_fn(d, field))
#define PT_IN_dma(d, field)     ((d)->dma.cnt.field)
#define PT_IN_resets(d, field)  ((d)->resets.field)
#define PT_IN_posted(d, field)  ((d)->fn.posted.field)

static uint64_t pt_counter(PriTestdev *d, uint32_t offset)
{
    switch (offset) {
#define PT_COUNTER_CASE(name, offset, part, field, text) \
    case PT_CNT_##name: \
        return PT_IN_##part(d, field);
    PT_COUNTERS(PT_COUNTER_CASE)
#undef PT_COUNTER_CASE
    }
    return 0;
}

/*
 * What each register of PT_FUNCTION_REGS reads as.  Which of these functions
 * there must be is what the table's column "access" says.
 */
#define PT_GET(NAME, value) \
    static inline uint64_t pt_get_##NAME(PriTestdev *d) { return value; }

PT_GET(ID, PT_ID_MAGIC)
PT_GET(VERSION, PT_VERSION_1)
PT_GET(CHANNELS, d->n_channels)
PT_GET(PASID_BITS, pt_has_pasid(d) ? d->cfg.pasid_bits : 0)
PT_GET(STATE, pt_state(d))
PT_GET(PRI_CAPACITY, ats_function_pri(&d->fn)->capacity)
PT_GET(PRI_ALLOC, ats_function_pri(&d->fn)->allocation)
PT_GET(PRI_CREDITS, pcie_pri_credits(ats_function_pri(&d->fn)))
PT_GET(PRI_GROUPS, ats_function_pri(&d->fn)->n_groups)
PT_GET(ATC_CAPACITY, d->fn.atc.capacity)
PT_GET(ATC_USED, d->fn.atc.count)
PT_GET(SCRATCH, d->scratch)
PT_GET(INV_WAITING, d->inv.n)
PT_GET(TRANS_WAITING, ats_inflight_waiting(&d->fn.inflight))
PT_GET(DMA_WAITING, d->fn.posted.n)
PT_GET(RAW_ADDR, d->raw.addr)
PT_GET(RAW_PASID, d->raw.pasid)
PT_GET(RAW_FLAGS, d->raw.flags)
PT_GET(RAW_PRGI, d->raw.prgi)
PT_GET(RAW_RESP, d->raw.resp)
PT_GET(RAW_RESP_PASID, d->raw.resp_pasid)
PT_GET(RAW_RESP_COUNT, d->raw.resp_count)
PT_GET(KNOB_SELECT, d->window.select)
PT_GET(KNOB_STATUS, d->window.status)
PT_GET(KNOB_VALUE, pt_knob_read(d))
PT_GET(STOP_PASID, d->stop.request)
PT_GET(STOP_STATUS, d->stop.status)
PT_GET(EVENT_STATUS, d->event.status)
PT_GET(EVENT_ENABLE, d->event.enable)
PT_GET(LOG_COUNT, d->log.count)
PT_GET(LOG_SELECT, d->log.select)
PT_GET(LOG_TIME, pt_log_selected(d)->time)
PT_GET(LOG_ADDR, pt_log_selected(d)->addr)
PT_GET(LOG_KIND, pt_log_selected(d)->kind)
PT_GET(LOG_PASID, pt_log_selected(d)->pasid)
PT_GET(LOG_TAG, pt_log_selected(d)->tag)
PT_GET(LOG_CODE, pt_log_selected(d)->code)
PT_GET(CLOCK, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL))
PT_GET(SOFT_RESET, pt_in_soft_reset(d) ? PT_SOFT_RESET_BUSY : 0)
PT_GET(RESETS, d->resets.count)
PT_GET(RESET_LAST, d->presence.kind)

/*
 * What a write of @val does to each that can be written.  @half is 4 if it goes
 * to the upper half of 64 bits.
 */
#define PT_SET(NAME, ...) \
    static inline void pt_set_##NAME(PriTestdev *d, uint32_t half, \
                                     uint32_t val) { __VA_ARGS__; }
#define PT_SET64(NAME, reg) PT_SET(NAME, pt_set_half(&(reg), half, val))

PT_SET(CTRL, pt_control(d, val))
PT_SET(SCRATCH, d->scratch = val)
PT_SET64(RAW_ADDR, d->raw.addr)
PT_SET(RAW_PASID, d->raw.pasid = val & PT_RAW_PASID_MASK)
PT_SET(RAW_FLAGS, d->raw.flags = val & PT_RAW_FLAGS_MASK)
PT_SET(RAW_PRGI, d->raw.prgi = val & (ATS_PRGI_NR - 1))
PT_SET(RULE_REMOVE, pt_rule_remove(d, val))
PT_SET(KNOB_SELECT, d->window.select = val & PT_KNOB_SELECT_MASK)
PT_SET(KNOB_NAME, pt_knob_find(d, val))
PT_SET(STOP_PASID, pt_stop(d, val))
PT_SET(EVENT_STATUS, d->event.status &= ~val)
PT_SET(EVENT_ENABLE, pt_event_enable(d, val))
PT_SET(LOG_SELECT, d->log.select = val)
PT_SET(SOFT_RESET, pt_soft_reset(d, val))

static void pt_set_RAW_SEND(PriTestdev *d, uint32_t half, uint32_t val)
{
    if (val == 1) {
        pt_raw_send(d);
    }
}

static void pt_set_RAW_RESP(PriTestdev *d, uint32_t half, uint32_t val)
{
    d->raw.resp = 0;
    d->raw.resp_pasid = 0;
}

/* The whole value at once, when its upper half comes */
static void pt_set_KNOB_VALUE(PriTestdev *d, uint32_t half, uint32_t val)
{
    if (half) {
        pt_knob_write(d, (uint64_t)val << 32 | d->window.low);
    } else {
        d->window.low = val;
    }
}

/* -- From a row to its functions ------------------------------------------- */

#define PT_READ_RO(get, ...)    get(__VA_ARGS__)
#define PT_READ_RW(get, ...)    get(__VA_ARGS__)
#define PT_READ_W1C(get, ...)   get(__VA_ARGS__)
#define PT_READ_WO(get, ...)    0

#define PT_WRITE_RO(set, ...)   do { } while (0)
#define PT_WRITE_RW(set, ...)   set(__VA_ARGS__)
#define PT_WRITE_W1C(set, ...)  set(__VA_ARGS__)
#define PT_WRITE_WO(set, ...)   set(__VA_ARGS__)

/* The half of a register of @bits at @at that is asked for */
static inline uint32_t pt_part(unsigned int bits, uint32_t at, uint64_t val)
{
    return bits == 64 ? pt_half(val, at) : val;
}

static uint32_t pt_function_read(PriTestdev *d, uint32_t reg)
{
    switch (reg) {
#define PT_READ_CASE(NAME, offset, bits, access, text) \
    case (offset) ... (offset) + (bits) / 8 - 4: \
        return pt_part(bits, reg, PT_READ_##access(pt_get_##NAME, d));
    PT_FUNCTION_REGS(PT_READ_CASE)
#undef PT_READ_CASE
    }
    return pt_half(pt_counter(d, reg & ~4u), reg);
}

static void pt_function_write(PriTestdev *d, uint32_t reg, uint32_t val)
{
    switch (reg) {
#define PT_WRITE_CASE(NAME, offset, bits, access, text) \
    case (offset) ... (offset) + (bits) / 8 - 4: \
        PT_WRITE_##access(pt_set_##NAME, d, reg - (offset), val); \
        break;
    PT_FUNCTION_REGS(PT_WRITE_CASE)
#undef PT_WRITE_CASE
    }
}

/* -- Channel registers ----------------------------------------------------- */

#define PT_CH_GET(NAME, value) \
    static inline uint64_t pt_get_##NAME(const PtChannel *ch) { return value; }

PT_CH_GET(CH_STATUS, ch->status)
PT_CH_GET(CH_FLAGS, ch->next.flags)
PT_CH_GET(CH_PASID, ch->next.pasid)
PT_CH_GET(CH_SRC, ch->next.src)
PT_CH_GET(CH_DST, ch->next.dst)
PT_CH_GET(CH_LEN, ch->next.len)
PT_CH_GET(CH_PATTERN, ch->next.pattern)
PT_CH_GET(CH_GROUP, ch->next.group)
PT_CH_GET(CH_RETRIES, ch->next.retries)
PT_CH_GET(CH_IRQ_STATUS, ch->irq_status)
PT_CH_GET(CH_CRC, ch->crc)
PT_CH_GET(CH_DONE, ch->done)
PT_CH_GET(CH_ERR_ADDR, ch->err_addr)
PT_CH_GET(CH_RESP_CODE, ch->resp_code)
PT_CH_GET(CH_REQUESTS, ch->requests)
PT_CH_GET(CH_GROUPS, ch->groups)
PT_CH_GET(CH_REFUSED, ch->refused)
PT_CH_GET(CH_LIST, ch->next.list)
PT_CH_GET(CH_LIST_LEN, ch->next.list_len)
PT_CH_GET(CH_LIST_DONE, ch->list_done)

#define PT_CH_SET(NAME, ...) \
    static inline void pt_set_##NAME(PriTestdev *d, unsigned int n, \
                                     uint32_t half, uint32_t val) \
    { \
        PtChannel *ch = &d->ch[n]; \
        __VA_ARGS__; \
    }
#define PT_CH_SET64(NAME, reg) PT_CH_SET(NAME, pt_set_half(&(reg), half, val))

PT_CH_SET(CH_FLAGS, ch->next.flags = val & PT_FLAGS)
PT_CH_SET(CH_PASID, ch->next.pasid = val & ((1u << ATS_PASID_BITS) - 1))
PT_CH_SET64(CH_SRC, ch->next.src)
PT_CH_SET64(CH_DST, ch->next.dst)
PT_CH_SET64(CH_LEN, ch->next.len)
PT_CH_SET64(CH_PATTERN, ch->next.pattern)
PT_CH_SET(CH_GROUP, ch->next.group = val)
PT_CH_SET(CH_RETRIES, ch->next.retries = val)
PT_CH_SET(CH_IRQ_STATUS, ch->irq_status &= ~val)
PT_CH_SET64(CH_LIST, ch->next.list)
PT_CH_SET(CH_LIST_LEN, ch->next.list_len = val)

static void pt_set_CH_CMD(PriTestdev *d, unsigned int n, uint32_t half,
                          uint32_t val)
{
    pt_channel_command(d, n, val);
}

static uint32_t pt_channel_read(PriTestdev *d, unsigned int n, uint32_t reg)
{
    switch (reg) {
#define PT_READ_CASE(NAME, offset, bits, access, text) \
    case (offset) ... (offset) + (bits) / 8 - 4: \
        return pt_part(bits, reg, PT_READ_##access(pt_get_##NAME, &d->ch[n]));
    PT_CHANNEL_REGS(PT_READ_CASE)
#undef PT_READ_CASE
    }
    return 0;
}

static void pt_channel_write(PriTestdev *d, unsigned int n, uint32_t reg,
                             uint32_t val)
{
    switch (reg) {
#define PT_WRITE_CASE(NAME, offset, bits, access, text) \
    case (offset) ... (offset) + (bits) / 8 - 4: \
        PT_WRITE_##access(pt_set_##NAME, d, n, reg - (offset), val); \
        break;
    PT_CHANNEL_REGS(PT_WRITE_CASE)
#undef PT_WRITE_CASE
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

    if (pt_unresponsive(d)) {
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

    if (pt_unresponsive(d) || !pt_access_ok(addr, size)) {
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
