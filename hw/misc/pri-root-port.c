/*
 * pri-root-port: a root port whose link can be lost
 *
 * A PCI Express root port with a hot-plug slot and Downstream Port
 * Containment.  Its link goes down, and what is below is reset and cannot be
 * reached, while
 *   - the card is out of the slot, or the link is down: knobs;
 *   - DPC is triggered;
 *   - Link Disable is set;
 *   - the slot has no power.
 * A card that was powered off by software stays in the slot, so that it comes
 * back when power does.
 *
 * PCIe 6.2 6.2.11, 6.7, 7.5.3.7 - 7.5.3.11
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/module.h"
#include "qemu/range.h"
#include "qapi/error.h"
#include "hw/hotplug.h"
#include "hw/misc/pri-root-port-regs.h"
#include "hw/misc/pri-testdev-regs.h"
#include "hw/pci/ats_knobs.h"
#include "hw/pci/msix.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pcie_dpc.h"
#include "hw/pci/pcie_port.h"
#include "hw/qdev-properties.h"
#include "hw/qdev-properties-system.h"
#include "migration/vmstate.h"
#include "trace.h"

#define TYPE_PRI_ROOT_PORT "pri-root-port"
OBJECT_DECLARE_TYPE(PriRootPort, PriRootPortClass, PRI_ROOT_PORT)

#define PRP_AER_OFFSET      0x100
#define PRP_ACS_OFFSET      (PRP_AER_OFFSET + PCI_ERR_SIZEOF)
#define PRP_DPC_OFFSET      (PRP_ACS_OFFSET + PCI_ACS_SIZEOF)
#define PRP_VSEC_OFFSET     ROUND_UP(PRP_DPC_OFFSET + PCIE_DPC_SIZEOF, 0x10)

/* All interrupts of the port are one message */
#define PRP_VECTOR          0

typedef struct PrpKnobs {
#define PRP_KNOB_FIELD(FIELD, field, name, def, max, values, help) \
    uint64_t field;
    PRP_KNOBS(PRP_KNOB_FIELD)
#undef PRP_KNOB_FIELD
} PrpKnobs;

struct PriRootPort {
    PCIESlot parent_obj;

    PcieDpc dpc;
    PrpKnobs knobs;
    MemoryRegion absent;    /* what is in the windows, but below no BAR */
};

struct PriRootPortClass {
    PCIERootPortClass parent_class;

    PCIConfigWriteFunc *parent_config_write;
    PCIUnregisterFunc *parent_exit;
    ResettablePhases parent_phases;
    void (*parent_plug)(HotplugHandler *handler, DeviceState *dev,
                        Error **errp);
    void (*parent_unplug_request)(HotplugHandler *handler, DeviceState *dev,
                                  Error **errp);
};

/* -- The link -------------------------------------------------------------- */

static bool prp_populated(PriRootPort *p)
{
    return pci_bridge_get_sec_bus(PCI_BRIDGE(p))->devices[0];
}

static bool prp_link_up(PriRootPort *p)
{
    PCIDevice *dev = PCI_DEVICE(p);
    uint16_t lnkctl = pci_get_word(dev->config + dev->exp.exp_cap +
                                   PCI_EXP_LNKCTL);

    return prp_populated(p) && !p->knobs.cable && !p->knobs.link &&
           !pcie_dpc_contained(&p->dpc) && !(lnkctl & PCI_EXP_LNKCTL_LD) &&
           pcie_cap_slot_has_power(dev);
}

/* Let the slot follow what keeps the link down, or does so no more */
static void prp_update_link(PCIDevice *dev)
{
    PriRootPort *p = PRI_ROOT_PORT(dev);
    bool present = prp_populated(p) && !p->knobs.cable;
    bool up = prp_link_up(p);

    trace_pri_root_port_link(DEVICE(p)->id, present, up);
    pcie_cap_slot_set_link(dev, up);
    pcie_cap_slot_set_presence(dev, present);
}

static bool prp_contain(PCIDevice *dev, const PCIEAERMsg *msg)
{
    return pcie_dpc_message(&PRI_ROOT_PORT(dev)->dpc, msg);
}

/* A read that nobody completes gives all ones, PCIe 6.2 2.3.2 */
static uint64_t prp_absent_read(void *opaque, hwaddr addr, unsigned int size)
{
    return UINT64_MAX;
}

static void prp_absent_write(void *opaque, hwaddr addr, uint64_t val,
                             unsigned int size)
{
}

static const MemoryRegionOps prp_absent_ops = {
    .read = prp_absent_read,
    .write = prp_absent_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl.max_access_size = 8,
    .valid.max_access_size = 8,
    .valid.unaligned = true,
};

/* -- Knobs ----------------------------------------------------------------- */

static const AtsKnob prp_knob_rows[] = {
#define V(ID, name) name "\0"
#define PRP_KNOB_ROW(FIELD, field, name, def, max, values, help) \
    { name, values "", def, max, offsetof(PriRootPort, knobs.field), help },
    PRP_KNOBS(PRP_KNOB_ROW)
#undef PRP_KNOB_ROW
#undef V
};

static void prp_knob_changed(void *owner, unsigned int index)
{
    PriRootPort *p = owner;

    if (index != PRP_KNOB_BUTTON) {
        prp_update_link(PCI_DEVICE(p));
    } else if (p->knobs.button) {
        p->knobs.button = 0;
        pcie_cap_slot_push_attention_button(PCI_DEVICE(p));
    }
}

static const AtsKnobTable prp_knob_table = {
    .rows = prp_knob_rows,
    .n = ARRAY_SIZE(prp_knob_rows),
    .changed = prp_knob_changed,
};

/* -- Registers of the capability ------------------------------------------- */

static void prp_written_KNOB_SELECT(PriRootPort *p, uint8_t *vsec)
{
    /* Status is that of the last write to the value or the name */
}

static void prp_written_KNOB_NAME(PriRootPort *p, uint8_t *vsec)
{
    uint32_t n = ats_knob_find(&prp_knob_table,
                               pci_get_long(vsec + PRP_VSEC_KNOB_NAME));

    pci_set_long(vsec + PRP_VSEC_KNOB_SELECT, n);
    pci_set_long(vsec + PRP_VSEC_KNOB_STATUS,
                 n == ATS_KNOB_NONE ? PT_KNOB_NONE : PT_KNOB_OK);
}

static void prp_written_KNOB_VALUE(PriRootPort *p, uint8_t *vsec)
{
    uint32_t n = pci_get_long(vsec + PRP_VSEC_KNOB_SELECT);
    uint32_t value = pci_get_long(vsec + PRP_VSEC_KNOB_VALUE);
    uint32_t status = PT_KNOB_OK;

    if (n >= PRP_KNOB_NR) {
        status = PT_KNOB_NONE;
    } else if (!ats_knob_set(&prp_knob_table, p, n, value)) {
        status = PT_KNOB_RANGE;
    }
    pci_set_long(vsec + PRP_VSEC_KNOB_STATUS, status);
}

typedef enum PrpAccess {
    PRP_CONST,          /* never changes */
    PRP_RO,
    PRP_RW,
} PrpAccess;

/* @written: what a write does besides changing the register */
static const struct {
    uint32_t offset;
    PrpAccess access;
    void (*written)(PriRootPort *p, uint8_t *vsec);
} prp_vsec_regs[] = {
#define PRP_WRITTEN_CONST(f)    NULL
#define PRP_WRITTEN_RO(f)       NULL
#define PRP_WRITTEN_RW(f)       f
#define PRP_VSEC_ROW(NAME, offset, access, text) \
    { offset, PRP_##access, PRP_WRITTEN_##access(prp_written_##NAME) },
    PRP_VSEC_REGS(PRP_VSEC_ROW)
#undef PRP_VSEC_ROW
};

static void prp_vsec_init(PCIDevice *dev)
{
    pcie_add_capability(dev, PCI_EXT_CAP_ID_VNDR, 1, PRP_VSEC_OFFSET,
                        PRP_VSEC_SIZEOF);
    pci_set_long(dev->config + PRP_VSEC_OFFSET + PRP_VSEC_HEADER,
                 PRP_VSEC_SIZEOF << 20 | PRP_VSEC_ID);
    for (unsigned int i = 0; i < ARRAY_SIZE(prp_vsec_regs); i++) {
        uint32_t at = PRP_VSEC_OFFSET + prp_vsec_regs[i].offset;
        PrpAccess access = prp_vsec_regs[i].access;

        pci_set_long(dev->wmask + at, access == PRP_RW ? UINT32_MAX : 0);
        pci_set_long(dev->cmask + at, access == PRP_RO ? 0 : UINT32_MAX);
    }
}

/* The host may have turned the knob that is selected */
static void prp_vsec_refresh(PriRootPort *p)
{
    uint8_t *vsec = PCI_DEVICE(p)->config + PRP_VSEC_OFFSET;

    pci_set_long(vsec + PRP_VSEC_KNOB_VALUE,
                 ats_knob_get(&prp_knob_table, p,
                              pci_get_long(vsec + PRP_VSEC_KNOB_SELECT)));
}

static void prp_vsec_write(PriRootPort *p, uint32_t addr, int len)
{
    uint8_t *vsec = PCI_DEVICE(p)->config + PRP_VSEC_OFFSET;

    for (unsigned int i = 0; i < ARRAY_SIZE(prp_vsec_regs); i++) {
        if (prp_vsec_regs[i].written &&
            range_covers_byte(addr, len,
                              PRP_VSEC_OFFSET + prp_vsec_regs[i].offset)) {
            prp_vsec_regs[i].written(p, vsec);
        }
    }
    prp_vsec_refresh(p);
}

static void prp_vsec_reset(PriRootPort *p)
{
    uint8_t *vsec = PCI_DEVICE(p)->config + PRP_VSEC_OFFSET;

    for (unsigned int i = 0; i < ARRAY_SIZE(prp_vsec_regs); i++) {
        if (prp_vsec_regs[i].access != PRP_CONST) {
            pci_set_long(vsec + prp_vsec_regs[i].offset, 0);
        }
    }
}

/* -- Configuration space, resets ------------------------------------------- */

static uint32_t prp_config_read(PCIDevice *dev, uint32_t addr, int len)
{
    prp_vsec_refresh(PRI_ROOT_PORT(dev));
    return pci_default_read_config(dev, addr, len);
}

static void prp_config_write(PCIDevice *dev, uint32_t addr, uint32_t val,
                             int len)
{
    PriRootPort *p = PRI_ROOT_PORT(dev);
    uint32_t exp = dev->exp.exp_cap;

    PRI_ROOT_PORT_GET_CLASS(p)->parent_config_write(dev, addr, val, len);
    pcie_dpc_write_config(&p->dpc, addr, val, len);
    if (ranges_overlap(addr, len, PRP_VSEC_OFFSET, PRP_VSEC_SIZEOF)) {
        prp_vsec_write(p, addr, len);
    }
    if (ranges_overlap(addr, len, exp + PCI_EXP_LNKCTL, 2) ||
        ranges_overlap(addr, len, exp + PCI_EXP_SLTCTL, 2)) {
        prp_update_link(dev);
    }
}

static void prp_reset_hold(Object *obj, ResetType type)
{
    PriRootPort *p = PRI_ROOT_PORT(obj);
    PCIDevice *dev = PCI_DEVICE(obj);
    uint8_t *exp = dev->config + dev->exp.exp_cap;

    if (PRI_ROOT_PORT_GET_CLASS(p)->parent_phases.hold) {
        PRI_ROOT_PORT_GET_CLASS(p)->parent_phases.hold(obj, type);
    }
    pcie_dpc_reset(&p->dpc);
    pci_word_test_and_clear_mask(exp + PCI_EXP_LNKCTL, PCI_EXP_LNKCTL_LD |
                                 PCI_EXP_LNKCTL_CCC | PCI_EXP_LNKCTL_ES);
    pci_word_test_and_clear_mask(exp + PCI_EXP_SLTCTL, PCI_EXP_SLTCTL_DLLSCE);
    prp_vsec_reset(p);
    prp_update_link(dev);
    pci_word_test_and_clear_mask(exp + PCI_EXP_SLTSTA,
                                 PCI_EXP_SLTSTA_DLLSC | PCI_EXP_SLTSTA_PDC);
}

/* -- Plug and unplug ------------------------------------------------------- */

/* A card that is not in the slot yet is not seen */
static void prp_plug(HotplugHandler *handler, DeviceState *dev, Error **errp)
{
    PriRootPort *p = PRI_ROOT_PORT(handler);

    if (!p->knobs.cable) {
        PRI_ROOT_PORT_GET_CLASS(p)->parent_plug(handler, dev, errp);
    }
    if (pci_get_function_0(PCI_DEVICE(dev))) {
        prp_update_link(PCI_DEVICE(p));
    }
}

static void prp_leave(PCIBus *bus, PCIDevice *dev, void *opaque)
{
    hotplug_handler_unplug(qdev_get_hotplug_handler(DEVICE(dev)), DEVICE(dev),
                           &error_abort);
    object_unparent(OBJECT(dev));
}

/* A card that was pulled out goes without the guest's consent */
static void prp_unplug_request(HotplugHandler *handler, DeviceState *dev,
                               Error **errp)
{
    PriRootPort *p = PRI_ROOT_PORT(handler);

    if (!p->knobs.cable) {
        PRI_ROOT_PORT_GET_CLASS(p)->parent_unplug_request(handler, dev, errp);
        return;
    }
    pci_for_each_device_under_bus(pci_bridge_get_sec_bus(PCI_BRIDGE(p)),
                                  prp_leave, NULL);
}

/* -- Life ------------------------------------------------------------------ */

static uint8_t prp_aer_vector(const PCIDevice *dev)
{
    return PRP_VECTOR;
}

static int prp_interrupts_init(PCIDevice *dev, Error **errp)
{
    int ret = msix_init_exclusive_bar(dev, PRP_VECTOR + 1, 0, errp);

    if (!ret) {
        msix_vector_use(dev, PRP_VECTOR);
    }
    return ret;
}

static void prp_interrupts_uninit(PCIDevice *dev)
{
    msix_uninit_exclusive_bar(dev);
}

static void prp_realize(DeviceState *qdev, Error **errp)
{
    ERRP_GUARD();
    PriRootPort *p = PRI_ROOT_PORT(qdev);
    PCIDevice *dev = PCI_DEVICE(qdev);
    PCIESlot *slot = PCIE_SLOT(qdev);

    slot->retain = true;
    PCIE_ROOT_PORT_GET_CLASS(p)->parent_realize(qdev, errp);
    if (*errp) {
        return;
    }
    pci_word_test_and_set_mask(dev->wmask + PCI_COMMAND, PCI_COMMAND_PARITY);
    pcie_cap_slot_link_init(dev);
    pcie_cap_lnkctl_init(dev);
    pci_word_test_and_set_mask(dev->wmask + dev->exp.exp_cap + PCI_EXP_LNKCTL,
                               PCI_EXP_LNKCTL_LD);
    /* PCIe 6.2 7.5.3.12: nothing below sends PM_PME, but it can be enabled */
    pci_word_test_and_set_mask(dev->wmask + dev->exp.exp_cap + PCI_EXP_RTCTL,
                               PCI_EXP_RTCTL_PMEIE);
    pcie_dpc_init(&p->dpc, dev, PRP_DPC_OFFSET, PRP_VECTOR, prp_update_link);
    slot->contain = prp_contain;
    prp_vsec_init(dev);
    memory_region_init_io(&p->absent, OBJECT(p), &prp_absent_ops, p,
                          "pri-root-port-absent", UINT64_MAX);
    memory_region_add_subregion_overlap(&PCI_BRIDGE(p)->address_space_mem, 0,
                                        &p->absent, -1);
    slot->link_down = p->knobs.cable || p->knobs.link;
}

static void prp_exit(PCIDevice *dev)
{
    PriRootPort *p = PRI_ROOT_PORT(dev);

    memory_region_del_subregion(&PCI_BRIDGE(p)->address_space_mem, &p->absent);
    PRI_ROOT_PORT_GET_CLASS(p)->parent_exit(dev);
}

static int prp_post_load(void *opaque, int version_id)
{
    PriRootPort *p = opaque;

    if (!ats_knobs_valid(&prp_knob_table, p)) {
        return -EINVAL;
    }
    pcie_dpc_post_load(&p->dpc);
    PCIE_SLOT(p)->link_down = !prp_link_up(p);
    return pcie_cap_slot_post_load(PCI_DEVICE(p), version_id);
}

static const VMStateDescription vmstate_prp = {
    .name = TYPE_PRI_ROOT_PORT,
    .priority = MIG_PRI_PCI_BUS,
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = prp_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_PCI_DEVICE(parent_obj.parent_obj.parent_obj, PCIESlot),
        VMSTATE_STRUCT(parent_obj.parent_obj.parent_obj.exp.aer_log, PCIESlot,
                       0, vmstate_pcie_aer_log, PCIEAERLog),
        VMSTATE_MSIX(parent_obj.parent_obj.parent_obj.parent_obj,
                     PriRootPort),
#define PRP_KNOB_VMSTATE(FIELD, field, name, def, max, values, help) \
        VMSTATE_UINT64(knobs.field, PriRootPort),
        PRP_KNOBS(PRP_KNOB_VMSTATE)
#undef PRP_KNOB_VMSTATE
        VMSTATE_END_OF_LIST()
    }
};

static const Property prp_properties[] = {
    DEFINE_PROP_PCIE_LINK_SPEED("x-speed", PCIESlot, speed,
                                PCIE_LINK_SPEED_16),
    DEFINE_PROP_PCIE_LINK_WIDTH("x-width", PCIESlot, width,
                                PCIE_LINK_WIDTH_32),
};

static void prp_instance_init(Object *obj)
{
    ats_knobs_init(&prp_knob_table, obj);
}

static void prp_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *k = PCI_DEVICE_CLASS(klass);
    PCIERootPortClass *rpc = PCIE_ROOT_PORT_CLASS(klass);
    PriRootPortClass *prpc = PRI_ROOT_PORT_CLASS(klass);
    HotplugHandlerClass *hc = HOTPLUG_HANDLER_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    k->vendor_id = PRI_ROOT_PORT_VENDOR_ID;
    k->device_id = PRI_ROOT_PORT_DEVICE_ID;
    prpc->parent_config_write = k->config_write;
    prpc->parent_exit = k->exit;
    k->config_read = prp_config_read;
    k->config_write = prp_config_write;
    k->exit = prp_exit;
    prpc->parent_plug = hc->plug;
    hc->plug = prp_plug;
    prpc->parent_unplug_request = hc->unplug_request;
    hc->unplug_request = prp_unplug_request;
    resettable_class_set_parent_phases(rc, NULL, prp_reset_hold, NULL,
                                       &prpc->parent_phases);
    device_class_set_parent_realize(dc, prp_realize, &rpc->parent_realize);
    rpc->aer_vector = prp_aer_vector;
    rpc->interrupts_init = prp_interrupts_init;
    rpc->interrupts_uninit = prp_interrupts_uninit;
    rpc->aer_offset = PRP_AER_OFFSET;
    rpc->acs_offset = PRP_ACS_OFFSET;
    dc->desc = "PCI Express root port whose link can be lost, with DPC";
    dc->vmsd = &vmstate_prp;
    device_class_set_props(dc, prp_properties);
    ats_knobs_add_properties(klass, &prp_knob_table);
}

static const TypeInfo prp_type = {
    .name = TYPE_PRI_ROOT_PORT,
    .parent = TYPE_PCIE_ROOT_PORT,
    .instance_size = sizeof(PriRootPort),
    .instance_init = prp_instance_init,
    .class_size = sizeof(PriRootPortClass),
    .class_init = prp_class_init,
};

static void prp_register(void)
{
    type_register_static(&prp_type);
}

type_init(prp_register)
