/*
 * pri-testdev: a PCI Express endpoint with ATS, Page Requests and PASID
 *
 * The register file, configuration space, reset and migration.  What the
 * channels do is in pri-testdev-channel.c, protocol rules are in hw/pci.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/host-utils.h"
#include "qemu/main-loop.h"
#include "qemu/module.h"
#include "qapi/error.h"
#include "hw/pci/ats_knobs.h"
#include "hw/pci/ats_vmstate.h"
#include "hw/pci/msix.h"
#include "hw/pci/pci.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_aer.h"
#include "hw/qdev-properties.h"
#include "hw/resettable.h"
#include "migration/vmstate.h"
#include "system/runstate.h"
#include "pri-testdev.h"
#include "trace.h"

#define PT_PM_OFFSET        0x40
#define PT_EXP_OFFSET       0x80
#define PT_AER_OFFSET       PCI_CONFIG_SPACE_SIZE
#define PT_DSN_OFFSET       (PT_AER_OFFSET + PCI_ERR_SIZEOF)
#define PT_ATS_OFFSET       (PT_DSN_OFFSET + 0x10)

#define PT_MSIX_BAR         2

#define PT_RAW_FLAGS_MASK   (PT_RAW_READ | PT_RAW_WRITE | PT_RAW_LAST | \
                             PT_RAW_PRIV | PT_RAW_EXEC)
#define PT_KNOB_SELECT_MASK (PT_KNOB_IOMMU | 0xffff)
#define PT_RAW_PASID_MASK   (PT_RAW_PASID_PRESENT | \
                             ((1u << ATS_PASID_BITS) - 1))

/* -- Function registers ---------------------------------------------------- */

static uint32_t pt_state(const PriTestdev *d)
{
    const AtsFunction *fn = &d->fn;

    return (PCI_DEVICE(d)->is_master ? PT_STATE_BME : 0) |
           (ats_function_ats_enabled(fn) ? PT_STATE_ATS : 0) |
           (fn->pri.enable ? PT_STATE_PRI : 0) |
           (ats_function_pasid_enabled(fn) ? PT_STATE_PASID : 0) |
           (fn->pri.stopped ? PT_STATE_PRI_STOPPED : 0) |
           (fn->pri.response_failure ? PT_STATE_PRI_RF : 0) |
           (fn->pri.uprgi ? PT_STATE_PRI_UPRGI : 0);
}

static void pt_control(PriTestdev *d, uint32_t val)
{
    if (val & PT_CTRL_CLEAR_COUNTERS) {
        ats_function_clear_counters(&d->fn);
        memset(&d->cnt, 0, sizeof(d->cnt));
        d->raw.resp_count = 0;
        d->flrs = 0;
    }
    if (val & PT_CTRL_FLUSH_ATC) {
        pcie_atc_flush(&d->fn.atc);
    }
    if (val & PT_CTRL_ABORT) {
        pt_channels_abort(d);
    }
}

static uint64_t pt_counter(const PriTestdev *d, uint32_t offset)
{
    const PciePriCounters *pri = &d->fn.pri.cnt;
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
        return d->cnt.bytes_read;
    case PT_CNT_BYTES_WRITTEN:
        return d->cnt.bytes_written;
    case PT_CNT_DMA_ERRORS:
        return d->cnt.dma_errors;
    case PT_CNT_VIOLATIONS:
        return pri->violations + fn->violations;
    case PT_CNT_FLRS:
        return d->flrs;
    default:
        return 0;
    }
}

/* The table that the selected knob is in, or NULL; the function has none yet */
static const AtsKnobTable *pt_knob_table(const PriTestdev *d, void **owner)
{
    if (!(d->knob.select & PT_KNOB_IOMMU) || !ats_function_has_link(&d->fn)) {
        return NULL;
    }
    return ats_link_agent_knobs(d->fn.link, owner);
}

static uint64_t pt_knob_read(const PriTestdev *d)
{
    void *owner;
    const AtsKnobTable *table = pt_knob_table(d, &owner);

    return table ? ats_knob_get(table, owner, d->knob.select & 0xffff) : 0;
}

static void pt_knob_write(PriTestdev *d, uint64_t val)
{
    uint32_t n = d->knob.select & 0xffff;
    void *owner;
    const AtsKnobTable *table = pt_knob_table(d, &owner);

    if (!table || n >= table->n) {
        d->knob.status = PT_KNOB_NONE;
    } else {
        d->knob.status = ats_knob_set(table, owner, n, val) ? PT_KNOB_OK :
                         PT_KNOB_RANGE;
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
        return d->cfg.pasid ? d->cfg.pasid_bits : 0;
    case PT_STATE:
        return pt_state(d);
    case PT_PRI_CAPACITY:
        return d->fn.pri.capacity;
    case PT_PRI_ALLOC:
        return d->fn.pri.allocation;
    case PT_PRI_CREDITS:
        return pcie_pri_credits(&d->fn.pri);
    case PT_PRI_GROUPS:
        return d->fn.pri.n_groups;
    case PT_ATC_CAPACITY:
        return d->fn.atc.capacity;
    case PT_ATC_USED:
        return d->fn.atc.count;
    case PT_SCRATCH:
        return d->scratch;
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
    case PT_KNOB_SELECT:
        return d->knob.select;
    case PT_KNOB_STATUS:
        return d->knob.status;
    case PT_KNOB_VALUE ... PT_KNOB_VALUE + 4:
        return pt_half(pt_knob_read(d), reg);
    default:
        return pt_half(pt_counter(d, reg & ~4u), reg);
    }
}

static void pt_raw_send(PriTestdev *d)
{
    const PtRaw *raw = &d->raw;
    AtsMsg msg = {
        .addr = raw->addr & ~0xfffULL,
        .pasid = raw->pasid & PT_RAW_PASID_PRESENT ?
                 raw->pasid & ~PT_RAW_PASID_PRESENT : ATS_NO_PASID,
        .prgi = raw->prgi,
        .read = raw->flags & PT_RAW_READ,
        .write = raw->flags & PT_RAW_WRITE,
        .last = raw->flags & PT_RAW_LAST,
        .priv = raw->flags & PT_RAW_PRIV,
        .exec = raw->flags & PT_RAW_EXEC,
    };

    if (!ats_function_send_raw(&d->fn, &msg)) {
        qemu_log_mask(LOG_GUEST_ERROR, "pri-testdev: raw request without an "
                      "IOMMU that takes it\n");
    }
}

void pt_raw_response(PriTestdev *d, const AtsMsg *msg)
{
    bool pasid = msg->pasid != ATS_NO_PASID;

    d->raw.resp = PT_RAW_RESP_VALID | (pasid ? PT_RAW_RESP_HAD_PASID : 0) |
                  msg->prgi << 4 | msg->code;
    d->raw.resp_pasid = pasid ? msg->pasid : 0;
    d->raw.resp_count++;
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
    case PT_KNOB_SELECT:
        d->knob.select = val & PT_KNOB_SELECT_MASK;
        break;
    case PT_KNOB_VALUE:
        d->knob.low = val;
        break;
    case PT_KNOB_VALUE + 4:
        pt_knob_write(d, (uint64_t)val << 32 | d->knob.low);
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

    if (!pt_access_ok(addr, size)) {
        return 0;
    }
    if (!page) {
        val = pt_function_read(d, reg);
    } else if (page <= d->n_channels) {
        val = pt_channel_read(d, page - 1, reg);
    }
    trace_pri_testdev_read(DEVICE(d)->id, addr, val);
    return val;
}

static void pt_mmio_write(void *opaque, hwaddr addr, uint64_t val,
                          unsigned int size)
{
    PriTestdev *d = opaque;
    uint32_t page = addr / PT_CHANNEL_SIZE;
    uint32_t reg = addr % PT_CHANNEL_SIZE;

    if (!pt_access_ok(addr, size)) {
        return;
    }
    trace_pri_testdev_write(DEVICE(d)->id, addr, val);
    if (!page) {
        pt_function_write(d, reg, val);
    } else if (page <= d->n_channels) {
        pt_channel_write(d, page - 1, reg, val);
    }
}

static const MemoryRegionOps pt_mmio_ops = {
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

/* -- Configuration space, reset -------------------------------------------- */

static void pt_config_write(PCIDevice *dev, uint32_t addr, uint32_t val,
                            int len)
{
    PriTestdev *d = PRI_TESTDEV(dev);

    pci_default_write_config(dev, addr, val, len);
    pcie_aer_write_config(dev, addr, val, len);
    ats_function_config_write(&d->fn, addr, val, len);
    pcie_cap_flr_write_config(dev, addr, val, len);
}

/*
 * Any reset.  The PCI core clears the command register, BARs and MSI-X after
 * this, and leaves the rest to us (PCIe 6.2 6.6).
 */
static void pt_reset_hold(Object *obj, ResetType type)
{
    PriTestdev *d = PRI_TESTDEV(obj);
    PCIDevice *dev = PCI_DEVICE(obj);
    bool flr = pci_get_word(dev->config + dev->exp.exp_cap + PCI_EXP_DEVCTL) &
               PCI_EXP_DEVCTL_BCR_FLR;

    trace_pri_testdev_reset(DEVICE(d)->id, flr);
    pcie_cap_deverr_reset(dev);
    ats_function_reset(&d->fn);
    pt_channels_reset(d);
    d->scratch = 0;
    memset(&d->raw, 0, sizeof(d->raw));
    memset(&d->knob, 0, sizeof(d->knob));
    memset(&d->cnt, 0, sizeof(d->cnt));
    d->flrs = flr ? d->flrs + 1 : 0;
}

/* -- Realize --------------------------------------------------------------- */

static bool pt_check(PriTestdev *d, Error **errp)
{
    if (!pci_bus_is_express(pci_get_bus(PCI_DEVICE(d)))) {
        error_setg(errp, "pri-testdev needs a PCI Express bus, such as that "
                   "of a pcie-root-port");
        return false;
    }
    if (d->n_channels < 1 || d->n_channels > PRI_TESTDEV_MAX_CHANNELS) {
        error_setg(errp, "channels must be 1 to %u",
                   PRI_TESTDEV_MAX_CHANNELS);
        return false;
    }
    return ats_function_check(&d->cfg, errp);
}

static bool pt_add_pm(PCIDevice *dev, Error **errp)
{
    if (pci_pm_init(dev, PT_PM_OFFSET, errp) < 0) {
        return false;
    }
    pci_set_word(dev->config + dev->pm_cap + PCI_PM_PMC, 3);
    pci_set_word(dev->config + dev->pm_cap + PCI_PM_CTRL,
                 PCI_PM_CTRL_NO_SOFT_RESET);
    pci_set_word(dev->wmask + dev->pm_cap + PCI_PM_CTRL,
                 PCI_PM_CTRL_STATE_MASK);
    return true;
}

static bool pt_add_caps(PriTestdev *d, Error **errp)
{
    PCIDevice *dev = PCI_DEVICE(d);

    if (!pt_add_pm(dev, errp)) {
        return false;
    }
    if (pcie_endpoint_cap_init(dev, PT_EXP_OFFSET) < 0) {
        error_setg(errp, "no room for the PCI Express capability");
        return false;
    }
    pcie_cap_deverr_init(dev);
    pcie_cap_flr_init(dev);
    if (msix_init_exclusive_bar(dev, d->n_channels + 1, PT_MSIX_BAR, errp)) {
        goto no_msix;
    }
    for (unsigned int i = 0; i <= d->n_channels; i++) {
        msix_vector_use(dev, i);
    }
    if (pcie_aer_init(dev, PCI_ERR_VER, PT_AER_OFFSET, PCI_ERR_SIZEOF,
                      errp) < 0) {
        goto no_aer;
    }
    if (d->sn) {
        pcie_dev_ser_num_init(dev, PT_DSN_OFFSET, d->sn);
    }
    return true;

no_aer:
    msix_uninit_exclusive_bar(dev);
no_msix:
    pcie_cap_exit(dev);
    return false;
}

static void pt_vm_state_change(void *opaque, bool running, RunState state)
{
    if (running) {
        pt_channels_kick(opaque);
    }
}

static void pt_realize(PCIDevice *dev, Error **errp)
{
    PriTestdev *d = PRI_TESTDEV(dev);

    if (!pt_check(d, errp) || !pt_add_caps(d, errp)) {
        return;
    }
    memory_region_init_io(&d->mmio, OBJECT(d), &pt_mmio_ops, d, "pri-testdev",
                          pow2ceil((d->n_channels + 1) * PT_CHANNEL_SIZE));
    pci_register_bar(dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &d->mmio);
    d->bh = aio_bh_new_guarded(qemu_get_aio_context(), pt_channels_bh, d,
                               &DEVICE(d)->mem_reentrancy_guard);
    d->vm_state = qemu_add_vm_change_state_handler(pt_vm_state_change, d);
    ats_function_realize(&d->fn, dev, &d->cfg, PT_ATS_OFFSET,
                         &pt_channel_function_ops, d);
    pt_channels_reset(d);
}

static void pt_exit(PCIDevice *dev)
{
    PriTestdev *d = PRI_TESTDEV(dev);

    ats_function_exit(&d->fn);
    qemu_del_vm_change_state_handler(d->vm_state);
    qemu_bh_delete(d->bh);
    pcie_aer_exit(dev);
    msix_uninit_exclusive_bar(dev);
    pcie_cap_exit(dev);
}

/* -- Migration ------------------------------------------------------------- */

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

static int pt_post_load(void *opaque, int version_id)
{
    return pt_channels_post_load(opaque);
}

static const VMStateDescription vmstate_pri_testdev = {
    .name = TYPE_PRI_TESTDEV,
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = pt_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_PCI_DEVICE(parent_obj, PriTestdev),
        VMSTATE_STRUCT(parent_obj.exp.aer_log, PriTestdev, 0,
                       vmstate_pcie_aer_log, PCIEAERLog),
        VMSTATE_MSIX(parent_obj, PriTestdev),
        VMSTATE_UINT32_EQUAL(n_channels, PriTestdev, NULL),
        VMSTATE_ATS_FUNCTION(fn, PriTestdev),
        VMSTATE_BOOL(wake, PriTestdev),
        VMSTATE_UINT64(irqs, PriTestdev),
        VMSTATE_UINT8_ARRAY(waiters, PriTestdev, PRI_TESTDEV_MAX_CHANNELS),
        VMSTATE_UINT32(n_waiters, PriTestdev),
        VMSTATE_UINT32(turn, PriTestdev),
        VMSTATE_UINT32(scratch, PriTestdev),
        VMSTATE_UINT64(flrs, PriTestdev),
        VMSTATE_STRUCT(raw, PriTestdev, 1, vmstate_pt_raw, PtRaw),
        VMSTATE_UINT32(knob.select, PriTestdev),
        VMSTATE_UINT32(knob.status, PriTestdev),
        VMSTATE_UINT32(knob.low, PriTestdev),
        VMSTATE_UINT64(cnt.bytes_read, PriTestdev),
        VMSTATE_UINT64(cnt.bytes_written, PriTestdev),
        VMSTATE_UINT64(cnt.dma_errors, PriTestdev),
        VMSTATE_STRUCT_ARRAY(ch, PriTestdev, PRI_TESTDEV_MAX_CHANNELS, 1,
                             vmstate_pt_channel, PtChannel),
        VMSTATE_END_OF_LIST()
    }
};

/* -- Type ------------------------------------------------------------------ */

static const Property pt_properties[] = {
    DEFINE_PROP_UINT32("channels", PriTestdev, n_channels, 8),
    DEFINE_PROP_UINT64("sn", PriTestdev, sn, 0),
    DEFINE_ATS_FUNCTION_PROPERTIES(PriTestdev, cfg),
};

static void pt_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *k = PCI_DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    k->realize = pt_realize;
    k->exit = pt_exit;
    k->config_write = pt_config_write;
    k->vendor_id = PRI_TESTDEV_VENDOR_ID;
    k->device_id = PRI_TESTDEV_DEVICE_ID;
    k->revision = 1;
    k->class_id = PCI_CLASS_OTHERS;
    rc->phases.hold = pt_reset_hold;
    dc->desc = "ATS, Page Request and PASID test endpoint";
    dc->vmsd = &vmstate_pri_testdev;
    device_class_set_props(dc, pt_properties);
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
}

static const TypeInfo pt_type = {
    .name = TYPE_PRI_TESTDEV,
    .parent = TYPE_PCI_DEVICE,
    .instance_size = sizeof(PriTestdev),
    .class_init = pt_class_init,
    .interfaces = (const InterfaceInfo[]) {
        { INTERFACE_PCIE_DEVICE },
        { }
    },
};

static void pt_register(void)
{
    type_register_static(&pt_type);
}

type_init(pt_register)
