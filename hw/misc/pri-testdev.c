/*
 * pri-testdev: a PCI Express endpoint with ATS, Page Requests and PASID
 *
 * What it is made of.  Registers are in pri-testdev/regs.c, what the channels
 * do in pri-testdev/channel.c, configuration space in pri-testdev/config.c,
 * resets in pri-testdev/reset.c, protocol rules in hw/pci.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "qemu/main-loop.h"
#include "qemu/module.h"
#include "qapi/error.h"
#include "hw/acpi/acpi_aml_interface.h"
#include "hw/pci/ats_actor.h"
#include "hw/pci/pci.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_sriov.h"
#include "hw/qdev-properties.h"
#include "migration/vmstate.h"
#include "system/runstate.h"
#include "pri-testdev/pri-testdev.h"

/* Virtual Functions follow their Physical Function one by one */
#define PT_VF_OFFSET        1
#define PT_VF_STRIDE        1

/* -- What the function tells: noted here, the bottom half acts ------------- */

static void pt_answer(PriTestdev *d, unsigned int n, PciePriEnd end,
                      unsigned int code)
{
    PtChannel *ch = &d->ch[n];

    if (end == PCIE_PRI_RESET || end == PCIE_PRI_STALE_NOW) {
        pt_end(d, n, PT_ST_ABORTED, ch->fault_page);
        return;
    }
    ch->resp_code = code;
    if (code == ATS_PRG_SUCCESS && pt_stopping(&d->stop, &ch->op)) {
        pt_end(d, n, PT_ST_ABORTED, ch->fault_page);
    } else if (code == ATS_PRG_SUCCESS) {
        ch->answered = true;
        pt_set_run(d, n, PT_RUN_READY);
    } else if (code == ATS_PRG_INVALID_REQUEST) {
        pt_end(d, n, PT_ST_INVALID_REQUEST, ch->fault_page);
    } else {
        pt_end(d, n, PT_ST_RESPONSE_FAILURE, ch->fault_page);
    }
}

static void pt_group_done(void *opaque, uint64_t cookie, PciePriEnd end,
                          unsigned int code)
{
    PriTestdev *d = opaque;
    unsigned int n = cookie & 0xff;

    /* The group may belong to an operation that was aborted */
    if (n < d->n_channels && d->ch[n].run == PT_RUN_RESPONSE &&
        pt_cookie(&d->ch[n], n) == cookie) {
        pt_answer(d, n, end, code);
    }
    pt_stop_check(d);
}

static void pt_wake(void *opaque)
{
    pt_sched_wake(opaque);
}

static void pt_translate_again(void *opaque, uint32_t n)
{
    PriTestdev *d = opaque;

    if (d->ch[n].run == PT_RUN_TRANSLATION) {
        pt_set_run(d, n, PT_RUN_READY);
    }
}

static void pt_errors(void *opaque)
{
    pt_channels_kick(opaque);
}

static const AtsFunctionOps pt_function_ops = {
    .group_done = pt_group_done,
    .wake = pt_wake,
    .raw_response = pt_raw_response,
    .inv_request = pt_inv_request,
    .note = pt_event_note,
    .message = pt_log_message,
    .translated = pt_log_translation,
    .translate_again = pt_translate_again,
    .due = pt_translation_due,
    .timed_out = pt_translation_timed_out,
    .errors = pt_errors,
    .stopping = pt_pri_stopping,
    .land = pt_posted_land,
};

/* -- The bottom half ------------------------------------------------------- */

/* A bounded piece of all the work there is */
static void pt_bh(void *opaque)
{
    PriTestdev *d = opaque;

    d->sched.bh_scheduled = false;
    if (!runstate_is_running()) {
        return;
    }
    if (d->late.due) {
        pt_late_run(d);
    }
    pt_channels_run(d);
    pt_msi_run(d);
    ats_function_report_errors(&d->fn);
    pt_channels_kick(d);
}

/* -- Realize --------------------------------------------------------------- */

static bool pt_check(PriTestdev *d, Error **errp)
{
    if (!pt_conventional_check(d, errp)) {
        return false;
    }
    if (d->n_vfs > ATS_FUNCTION_VF_MAX) {
        error_setg(errp, "vfs must be 0 to %u", ATS_FUNCTION_VF_MAX);
        return false;
    }
    if (d->n_channels < 1 || d->n_channels > PRI_TESTDEV_MAX_CHANNELS) {
        error_setg(errp, "channels must be 1 to %u",
                   PRI_TESTDEV_MAX_CHANNELS);
        return false;
    }
    /* what a Virtual Function lacks is in its PF, which has been checked */
    return pt_identity_check(&d->ident, errp) && pt_acs_check(d, errp) &&
           (pci_is_vf(PCI_DEVICE(d)) || ats_function_check(&d->cfg, errp));
}

/* -- Virtual Functions ----------------------------------------------------- */

/* A Virtual Function has what its Physical Function lets it have */
static void pt_join(PriTestdev *d)
{
    PCIDevice *dev = PCI_DEVICE(d);
    PriTestdev *pf = PRI_TESTDEV(pcie_sriov_get_pf(dev));

    d->n_channels = pf->n_channels;
    d->n_vfs = 0;
    d->sn = 0;
    d->ident = pf->ident;
    d->acs = pf->acs;
    d->platform = pf->platform;
    ats_function_vf_config(&d->cfg, &pf->cfg);
    ats_function_join(&d->fn, &pf->fn, pcie_sriov_vf_number(dev));
}

static uint32_t pt_bar0_size(const PriTestdev *d)
{
    return pow2ceil((d->n_channels + 1) * PT_CHANNEL_SIZE);
}

/* ARI is in each function of such a device, PCIe 6.2 7.8.8; @offset is free */
static bool pt_add_vfs(PriTestdev *d, uint16_t offset, Error **errp)
{
    PCIDevice *dev = PCI_DEVICE(d);

    if (d->n_vfs || pci_is_vf(dev)) {
        pcie_ari_init(dev, offset);
        offset += PCI_ARI_SIZEOF;
    }
    if (!d->n_vfs) {
        return true;
    }
    if (!pcie_sriov_pf_init(dev, offset, TYPE_PRI_TESTDEV_VF,
                            d->ident.vf_device, d->n_vfs, d->n_vfs,
                            PT_VF_OFFSET, PT_VF_STRIDE, errp)) {
        dev->exp.sriov_cap = 0;     /* there is nothing to undo */
        return false;
    }
    pcie_sriov_pf_init_vf_bar(dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY,
                              pt_bar0_size(d));
    pcie_sriov_pf_init_vf_bar(dev, PT_MSIX_BAR, PCI_BASE_ADDRESS_SPACE_MEMORY,
                              memory_region_size(&dev->msix_exclusive_bar));
    return true;
}

static void pt_vm_state_change(void *opaque, bool running, RunState state)
{
    if (running) {
        pt_channels_kick(opaque);
    }
}

static void pt_exit(PCIDevice *dev)
{
    PriTestdev *d = PRI_TESTDEV(dev);

    pcie_sriov_pf_exit(dev);
    ats_function_exit(&d->fn);
    pt_inv_exit(d);
    pt_stop_exit(d);
    pt_timeout_exit(d);
    pt_posted_exit(d);
    pt_reset_exit(d);
    qemu_del_vm_change_state_handler(d->sched.vm_state);
    pt_fault_exit(d);
    ats_actor_forget(d);
    qemu_bh_delete(d->sched.bh);
    pt_config_exit(d);
}

static void pt_realize(PCIDevice *dev, Error **errp)
{
    PriTestdev *d = PRI_TESTDEV(dev);
    uint16_t offset;

    if (pci_is_vf(dev)) {
        pt_join(d);
    }
    pt_conventional_config(d);
    if (!pt_check(d, errp) || !pt_config_realize(d, errp)) {
        return;
    }
    memory_region_init_io(&d->mmio, OBJECT(d), &pt_mmio_ops, d, "pri-testdev",
                          pt_bar0_size(d));
    pci_register_bar(dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &d->mmio);
    d->sched.bh = aio_bh_new_guarded(qemu_get_aio_context(), pt_bh, d,
                                     &DEVICE(d)->mem_reentrancy_guard);
    pt_fault_realize(d);
    pt_inv_realize(d);
    pt_stop_realize(d);
    pt_timeout_realize(d);
    pt_posted_realize(d);
    pt_reset_realize(d);
    d->sched.vm_state = qemu_add_vm_change_state_handler(pt_vm_state_change, d);
    offset = ats_function_realize(&d->fn, dev, &d->cfg, pt_config_ats_offset(),
                                  &pt_function_ops, d);
    offset = pt_config_add_acs(d, offset);
    pt_channels_reset(d);
    pt_knobs_realize(d);
    if (!pt_add_vfs(d, offset, errp)) {
        pt_exit(dev);
    }
}

/* -- Type ------------------------------------------------------------------ */

static const Property pt_properties[] = {
    DEFINE_PROP_UINT32("channels", PriTestdev, n_channels, 8),
    DEFINE_PROP_UINT64("sn", PriTestdev, sn, 0),
    DEFINE_PROP_BOOL("acs", PriTestdev, acs, false),
    DEFINE_PROP_BOOL("conventional", PriTestdev, conventional, false),
    DEFINE_PROP_UINT16("vendor-id", PriTestdev, ident.vendor,
                       PRI_TESTDEV_VENDOR_ID),
    DEFINE_PROP_UINT16("device-id", PriTestdev, ident.device,
                       PRI_TESTDEV_DEVICE_ID),
    DEFINE_PROP_UINT16("vf-device-id", PriTestdev, ident.vf_device,
                       PRI_TESTDEV_VF_DEVICE_ID),
    DEFINE_PROP_UINT16("subsystem-vendor-id", PriTestdev,
                       ident.subsystem_vendor,
                       PCI_SUBVENDOR_ID_REDHAT_QUMRANET),
    DEFINE_PROP_UINT16("subsystem-id", PriTestdev, ident.subsystem,
                       PCI_SUBDEVICE_ID_QEMU),
    DEFINE_PROP_UINT8("revision", PriTestdev, ident.revision, 1),
    DEFINE_PROP_UINT32("class", PriTestdev, ident.class_code,
                       PRI_TESTDEV_CLASS),
    DEFINE_PROP_BOOL("pcie-flr", PriTestdev, offers.pcie_flr, true),
    DEFINE_PROP_BOOL("af-flr", PriTestdev, offers.af_flr, false),
    DEFINE_PROP_BOOL("acpi-reset", PriTestdev, offers.acpi, false),
    DEFINE_PROP_BOOL("no-soft-reset", PriTestdev, offers.no_soft_reset, true),
    DEFINE_PROP_BOOL("immediate-readiness", PriTestdev, offers.immediate,
                     false),
    DEFINE_PROP_UINT32("vfs", PriTestdev, n_vfs, 0),
    DEFINE_ATS_FUNCTION_PROPERTIES(PriTestdev, cfg),
};

/* PCI's own; what comes after it is for a device that is complete */
static DeviceRealize pt_pci_realize;

static void pt_qdev_realize(DeviceState *qdev, Error **errp)
{
    Error *err = NULL;

    /* of a device that can be both, PCI leaves it to us which one it is */
    if (!PRI_TESTDEV(qdev)->conventional) {
        PCI_DEVICE(qdev)->cap_present |= QEMU_PCI_CAP_EXPRESS;
    }
    pt_pci_realize(qdev, &err);
    if (err) {
        error_propagate(errp, err);
        return;
    }
    pt_msi_realize(PRI_TESTDEV(qdev));
}

static void pt_instance_init(Object *obj)
{
    ats_knobs_init(&pt_knob_table, obj);
}

static void pt_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *k = PCI_DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);
    AcpiDevAmlIfClass *adevc = ACPI_DEV_AML_IF_CLASS(klass);

    k->realize = pt_realize;
    k->exit = pt_exit;
    k->config_read = pt_config_read;
    k->config_write = pt_config_write;
    k->vendor_id = PRI_TESTDEV_VENDOR_ID;
    k->device_id = PRI_TESTDEV_DEVICE_ID;
    k->revision = 1;
    k->class_id = PRI_TESTDEV_CLASS >> 8;
    pt_pci_realize = dc->realize;
    dc->realize = pt_qdev_realize;
    rc->phases.enter = pt_reset_enter;
    rc->phases.hold = pt_reset_hold;
    adevc->build_dev_aml = pt_acpi_build;
    dc->desc = "ATS, Page Request and PASID test endpoint";
    dc->vmsd = &vmstate_pri_testdev;
    device_class_set_props(dc, pt_properties);
    pt_knobs_class_init(klass);
    pt_log_add_property(klass);
    pt_posted_add_property(klass);
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
}

static const TypeInfo pt_type = {
    .name = TYPE_PRI_TESTDEV,
    .parent = TYPE_PCI_DEVICE,
    .instance_size = sizeof(PriTestdev),
    .instance_init = pt_instance_init,
    .class_init = pt_class_init,
    .interfaces = (const InterfaceInfo[]) {
        { INTERFACE_PCIE_DEVICE },
        { INTERFACE_CONVENTIONAL_PCI_DEVICE },
        { TYPE_ACPI_DEV_AML_IF },
        { }
    },
};

static void pt_vf_class_init(ObjectClass *klass, const void *data)
{
    static VMStateDescription vmstate;
    DeviceClass *dc = DEVICE_CLASS(klass);

    vmstate = vmstate_pri_testdev;
    vmstate.priority = MIG_PRI_DEFAULT;
    dc->vmsd = &vmstate;
    dc->desc = "Virtual Function of a pri-testdev";
    /* they come with their Physical Function */
    dc->user_creatable = false;
}

static const TypeInfo pt_vf_type = {
    .name = TYPE_PRI_TESTDEV_VF,
    .parent = TYPE_PRI_TESTDEV,
    .class_init = pt_vf_class_init,
};

static void pt_register(void)
{
    type_register_static(&pt_type);
    type_register_static(&pt_vf_type);
}

type_init(pt_register)
