/*
 * pri-testdev: configuration space, resets, and being gone
 *
 * A Function Level Reset takes no time unless a knob says so.  While it lasts,
 * and while the function is gone, the function is silent: BARs read all ones,
 * and what comes down the link is lost, but for the invalidations that a knob
 * has answered.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/range.h"
#include "qemu/timer.h"
#include "hw/pci/pci.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_aer.h"
#include "pri-testdev.h"
#include "trace.h"

/* Values of the knob flr-config */
enum {
    PT_FLR_NORMAL,
    PT_FLR_ALL_ONES,
    PT_FLR_RRS,
};

/* Vendor ID while configuration requests are to be retried, PCIe 6.2 2.3.2 */
#define PT_RRS_VENDOR_ID    0x0001

bool pt_silent(const PriTestdev *d)
{
    return d->gone || d->in_flr;
}

/* Vectors cannot be reached either */
static void pt_update_silence(PriTestdev *d)
{
    ats_function_set_deaf(&d->fn, pt_silent(d));
    memory_region_set_enabled(&d->no_msix, pt_silent(d));
}

/* -- Configuration space --------------------------------------------------- */

static bool pt_config_lost(const PriTestdev *d)
{
    return d->gone || (d->in_flr && d->knobs.flr_config != PT_FLR_NORMAL);
}

static uint32_t pt_lost_config_read(const PriTestdev *d, uint32_t addr,
                                    int len)
{
    uint32_t ones = len == 4 ? UINT32_MAX : (1u << (len * 8)) - 1;

    if (!d->gone && d->knobs.flr_config == PT_FLR_RRS && !addr && len >= 2) {
        return (ones & 0xffff0000) | PT_RRS_VENDOR_ID;
    }
    return ones;
}

/*
 * Non-Posted Requests that have no completion yet: those of the channels that
 * move on by themselves, and Translation Requests.  Page Requests are posted
 * (PCIe 6.2 7.5.3.5).
 */
static bool pt_transactions_pending(const PriTestdev *d)
{
    return d->ready || ats_inflight_waiting(&d->fn.inflight) ||
           d->knobs.tp_bit;
}

uint32_t pt_config_read(PCIDevice *dev, uint32_t addr, int len)
{
    PriTestdev *d = PRI_TESTDEV(dev);
    uint32_t devsta = dev->exp.exp_cap + PCI_EXP_DEVSTA;
    uint32_t val;

    if (pt_config_lost(d)) {
        return pt_lost_config_read(d, addr, len);
    }
    val = pci_default_read_config(dev, addr, len);
    if (range_covers_byte(addr, len, devsta) && pt_transactions_pending(d)) {
        val |= PCI_EXP_DEVSTA_TRPND << ((devsta - addr) * 8);
    }
    return val;
}

void pt_config_write(PCIDevice *dev, uint32_t addr, uint32_t val, int len)
{
    PriTestdev *d = PRI_TESTDEV(dev);

    if (pt_config_lost(d)) {
        return;
    }
    pci_default_write_config(dev, addr, val, len);
    pcie_aer_write_config(dev, addr, val, len);
    ats_function_config_write(&d->fn, addr, val, len);
    pcie_cap_flr_write_config(dev, addr, val, len);
}

/* -- Resets ---------------------------------------------------------------- */

/* What no reset leaves */
static void pt_forget(PriTestdev *d)
{
    ats_function_reset(&d->fn);
    pt_channels_reset(d);
    pt_inv_reset(d);
    d->scratch = 0;
    memset(&d->raw, 0, sizeof(d->raw));
    memset(&d->knob, 0, sizeof(d->knob));
    pt_stop_reset(d);
    memset(&d->event, 0, sizeof(d->event));
    memset(&d->cnt, 0, sizeof(d->cnt));
    d->log.select = 0;
}

static void pt_set_in_flr(PriTestdev *d, bool in_flr)
{
    d->in_flr = in_flr;
    if (in_flr) {
        timer_mod(d->flr_timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                  d->knobs.flr_duration * SCALE_MS);
    } else {
        timer_del(d->flr_timer);
    }
    pt_update_silence(d);
}

static void pt_flr_end(void *opaque)
{
    PriTestdev *d = opaque;

    trace_pri_testdev_flr_end(DEVICE(d)->id);
    pt_log(d, PT_LOG_RESET, ATS_NO_PASID, 0, 0, PT_RESET_FLR_END);
    pt_set_in_flr(d, false);
}

/*
 * First all functions forget, then the IOMMU may say that no responses will
 * come, so that it does not depend on the order of devices.
 */
void pt_reset_enter(Object *obj, ResetType type)
{
    ats_function_forget(&PRI_TESTDEV(obj)->fn);
}

/*
 * Any reset.  The PCI core clears the command register, BARs and MSI-X after
 * this, and leaves the rest to us (PCIe 6.2 6.6).
 */
void pt_reset_hold(Object *obj, ResetType type)
{
    PriTestdev *d = PRI_TESTDEV(obj);
    PCIDevice *dev = PCI_DEVICE(obj);
    bool flr = pci_get_word(dev->config + dev->exp.exp_cap + PCI_EXP_DEVCTL) &
               PCI_EXP_DEVCTL_BCR_FLR;

    trace_pri_testdev_reset(DEVICE(d)->id, flr);
    pt_log(d, PT_LOG_RESET, ATS_NO_PASID, 0, 0,
           flr ? PT_RESET_FLR : PT_RESET_OTHER);
    pcie_cap_deverr_reset(dev);
    pt_forget(d);
    d->flrs = flr ? d->flrs + 1 : 0;
    pt_set_in_flr(d, flr && d->knobs.flr_duration);
}

int64_t pt_flr_end_time(const PriTestdev *d)
{
    return timer_expire_time_ns(d->flr_timer);
}

/* -- Gone ------------------------------------------------------------------ */

void pt_set_gone(PriTestdev *d)
{
    if (d->knobs.gone == d->gone) {
        return;
    }
    d->gone = d->knobs.gone;
    trace_pri_testdev_gone(DEVICE(d)->id, d->gone);
    pt_log(d, PT_LOG_RESET, ATS_NO_PASID, 0, 0,
           d->gone ? PT_RESET_GONE : PT_RESET_BACK);
    timer_del(d->gone_timer);
    if (!d->gone) {
        pci_device_reset(PCI_DEVICE(d));
        return;
    }
    pt_forget(d);
    pt_update_silence(d);
    if (d->knobs.gone_ms) {
        timer_mod(d->gone_timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                  d->knobs.gone_ms * SCALE_MS);
    }
}

static void pt_gone_end(void *opaque)
{
    PriTestdev *d = opaque;

    d->knobs.gone = 0;
    pt_set_gone(d);
}

/* -- Errors ---------------------------------------------------------------- */

/*
 * The port above may contain the error, which resets the function before this
 * returns.  Severities are the defaults of PCIe 6.2 7.8.4.4.
 */
void pt_raise_error(PriTestdev *d)
{
    static const PCIEAERErr errors[] = {
        { .status = PCI_ERR_COR_RCVR, .flags = PCIE_AER_ERR_IS_CORRECTABLE },
        { .status = PCI_ERR_UNC_COMP_TIME },
        { .status = PCI_ERR_UNC_MALF_TLP },
    };
    uint64_t which = d->knobs.aer_error;
    PCIEAERErr err;

    d->knobs.aer_error = 0;
    if (which && !pt_silent(d) && ats_function_connected(&d->fn)) {
        err = errors[which - 1];
        err.source_id = pci_requester_id(PCI_DEVICE(d));
        pcie_aer_inject_error(PCI_DEVICE(d), &err);
    }
}

/* -- Life ------------------------------------------------------------------ */

static uint64_t pt_no_msix_read(void *opaque, hwaddr addr, unsigned int size)
{
    return UINT64_MAX;
}

static void pt_no_msix_write(void *opaque, hwaddr addr, uint64_t val,
                             unsigned int size)
{
}

static const MemoryRegionOps pt_no_msix_ops = {
    .read = pt_no_msix_read,
    .write = pt_no_msix_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

void pt_reset_realize(PriTestdev *d)
{
    MemoryRegion *bar = &PCI_DEVICE(d)->msix_exclusive_bar;

    memory_region_init_io(&d->no_msix, OBJECT(d), &pt_no_msix_ops, d,
                          "pri-testdev-silent", memory_region_size(bar));
    memory_region_set_enabled(&d->no_msix, false);
    memory_region_add_subregion_overlap(bar, 0, &d->no_msix, 1);
    d->flr_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, pt_flr_end, d);
    d->gone_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, pt_gone_end, d);
}

void pt_reset_exit(PriTestdev *d)
{
    timer_free(d->flr_timer);
    timer_free(d->gone_timer);
    memory_region_del_subregion(&PCI_DEVICE(d)->msix_exclusive_bar,
                                &d->no_msix);
}

int pt_reset_post_load(PriTestdev *d)
{
    if (d->gone != !!d->knobs.gone ||
        (d->in_flr && !timer_pending(d->flr_timer))) {
        return -EINVAL;
    }
    pt_update_silence(d);
    return 0;
}
