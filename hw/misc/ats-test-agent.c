/*
 * ats-test-agent: the smallest IOMMU that a function with ATS can be behind
 *
 * What it is for and what it does is in its header.  Nothing here knows what a
 * function may do: it is told what to answer, and by whom.
 *
 * Locking: register accesses, messages of the link and the timer all come under
 * the BQL.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/module.h"
#include "qemu/timer.h"
#include "qapi/error.h"
#include "hw/misc/ats-test-agent.h"
#include "hw/pci/ats_actor.h"
#include "hw/pci/ats_link.h"
#include "hw/pci/ats_rules.h"
#include "hw/pci/pci.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_device.h"
#include "migration/vmstate.h"
#include "system/address-spaces.h"

OBJECT_DECLARE_SIMPLE_TYPE(AtsTestAgent, ATS_TEST_AGENT)

/* A record, the arguments, a translation */
typedef struct AtaFields {
    uint64_t f[ATA_FIELDS];
} AtaFields;

struct AtsTestAgent {
    PCIDevice parent_obj;

    MemoryRegion bar;
    AtsLink *link;
    AtsRules rules;
    QEMUTimer *timer;           /* of the rules */
    AtaFields arg;
    GArray *table;              /* of AtaFields, the newest last */
    GArray *records;            /* of AtaFields, the oldest first */
    uint64_t lost;
};

static AtaFields *ata_get(GArray *array, unsigned int n)
{
    return &g_array_index(array, AtaFields, n);
}

/* -- What comes up the link ------------------------------------------------ */

static void ata_record(AtsTestAgent *s, const AtaFields *record)
{
    if (s->records->len == ATA_RECORDS_MAX) {
        s->lost++;
    } else {
        g_array_append_val(s->records, *record);
    }
}

static void ata_page_request(void *opaque, const AtsMsg *msg)
{
    ata_record(opaque, &(AtaFields) { .f = {
        [ATA_KIND] = ATA_PAGE_REQUEST,
        [ATA_RID] = msg->rid,
        [ATA_PASID] = msg->pasid,
        [ATA_ADDR] = msg->addr,
        [ATA_TAG] = msg->prgi,
        [ATA_FLAGS] = (msg->read ? ATA_READ : 0) |
                      (msg->write ? ATA_WRITE : 0) |
                      (msg->last ? ATA_LAST : 0) |
                      (msg->priv ? ATA_PRIV : 0) |
                      (msg->exec ? ATA_EXEC : 0),
    } });
}

static void ata_inv_completion(void *opaque, const AtsMsg *msg)
{
    ata_record(opaque, &(AtaFields) { .f = {
        [ATA_KIND] = ATA_INV_COMPLETION,
        [ATA_RID] = msg->rid,
        [ATA_PASID] = msg->pasid,
        [ATA_TAG] = msg->itags,
        [ATA_CODE] = msg->cc,
    } });
}

static bool ata_is_in(const AtaFields *entry, uint16_t rid, uint32_t pasid,
                      uint64_t addr)
{
    return entry->f[ATA_RID] == rid && entry->f[ATA_PASID] == pasid &&
           addr - entry->f[ATA_ADDR] <= entry->f[ATA_MASK];
}

static const AtaFields *ata_find(AtsTestAgent *s, uint16_t rid, uint32_t pasid,
                                 uint64_t addr)
{
    for (unsigned int n = s->table->len; n--;) {
        if (ata_is_in(ata_get(s->table, n), rid, pasid, addr)) {
            return ata_get(s->table, n);
        }
    }
    return NULL;
}

static AtsTrStatus ata_translate(void *opaque, const AtsTrReq *req,
                                 AtsTrEntry *entry)
{
    static const AtsTrStatus status[] = {
        [ATA_TR_SUCCESS] = ATS_TR_SUCCESS,
        [ATA_TR_UR] = ATS_TR_UR,
        [ATA_TR_CA] = ATS_TR_CA,
    };
    const AtaFields *found = ata_find(opaque, req->rid, req->pasid, req->addr);
    uint32_t flags = found ? found->f[ATA_FLAGS] : 0;
    unsigned int code = found ? found->f[ATA_CODE] : ATA_TR_SUCCESS;
    uint64_t shift = 0;

    ata_record(opaque, &(AtaFields) { .f = {
        [ATA_KIND] = ATA_TRANSLATION,
        [ATA_RID] = req->rid,
        [ATA_PASID] = req->pasid,
        [ATA_ADDR] = req->addr,
        [ATA_CODE] = code,
        [ATA_FLAGS] = (req->no_write ? ATA_NO_WRITE : 0) |
                      (req->priv ? ATA_PRIV : 0) | (req->exec ? ATA_EXEC : 0),
    } });
    if (flags & ATA_BEHIND) {
        shift = found->f[ATA_MASK] + 1;
    }
    *entry = (AtsTrEntry) {
        .iova = found ? found->f[ATA_ADDR] + shift : req->addr & ~0xfffULL,
        .addr = found ? found->f[ATA_TO] : 0,
        .mask = found ? found->f[ATA_MASK] : 0xfff,
        .read = flags & ATA_READ,
        .write = flags & ATA_WRITE,
        .exec = flags & ATA_EXEC,
        .untranslated = flags & ATA_UNTRANSLATED_ONLY,
        .non_snooped = flags & ATA_NON_SNOOPED,
    };
    return status[code];
}

static void ata_record_access(AtsTestAgent *s, AtaKind kind, uint16_t rid,
                              uint32_t pasid, uint64_t addr, bool write)
{
    ata_record(s, &(AtaFields) { .f = {
        [ATA_KIND] = kind,
        [ATA_RID] = rid,
        [ATA_PASID] = pasid,
        [ATA_ADDR] = addr,
        [ATA_FLAGS] = write ? ATA_WRITE : ATA_READ,
    } });
}

static bool ata_untranslated(void *opaque, PCIDevice *dev, uint32_t pasid,
                             uint64_t addr, bool write, uint64_t *out)
{
    uint16_t rid = pci_requester_id(dev);
    const AtaFields *found = ata_find(opaque, rid, pasid, addr);

    ata_record_access(opaque, ATA_UNTRANSLATED, rid, pasid, addr, write);
    if (!found || !(found->f[ATA_FLAGS] & (write ? ATA_WRITE : ATA_READ))) {
        return false;
    }
    *out = found->f[ATA_TO] + (addr - found->f[ATA_ADDR]);
    return true;
}

static bool ata_translated(void *opaque, uint16_t rid, uint64_t addr,
                           bool write)
{
    ata_record_access(opaque, ATA_TRANSLATED, rid, ATA_NO_PASID, addr, write);
    return true;
}

/* -- Rules ----------------------------------------------------------------- */

static int64_t ata_now(void *opaque)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

static void ata_alarm(void *opaque, int64_t due)
{
    AtsTestAgent *s = opaque;

    if (due == ATS_HELD_FOREVER) {
        timer_del(s->timer);
    } else {
        timer_mod(s->timer, due);
    }
}

static void ata_expired(void *opaque)
{
    ats_link_alarm(((AtsTestAgent *)opaque)->link);
}

static void ata_timer(void *opaque)
{
    ats_actor_timer(ATS_LANE_IOMMU, opaque, ata_expired);
}

static AtsRules *ata_rules(void *opaque)
{
    return &((AtsTestAgent *)opaque)->rules;
}

static const AtsAgentOps ata_agent_ops = {
    .page_request = ata_page_request,
    .inv_completion = ata_inv_completion,
    .translate = ata_translate,
    .untranslated = ata_untranslated,
    .translated = ata_translated,
    .now = ata_now,
    .alarm = ata_alarm,
    .rules = ata_rules,
};

/* -- What it is told to do ------------------------------------------------- */

static void ata_map(AtsTestAgent *s)
{
    if (s->table->len < ATA_TABLE_MAX && s->arg.f[ATA_CODE] <= ATA_TR_CA) {
        g_array_append_val(s->table, s->arg);
    }
}

static void ata_unmap(AtsTestAgent *s)
{
    const uint64_t *arg = s->arg.f;

    for (unsigned int n = s->table->len; n--;) {
        if (ata_is_in(ata_get(s->table, n), arg[ATA_RID], arg[ATA_PASID],
                      arg[ATA_ADDR])) {
            g_array_remove_index(s->table, n);
        }
    }
}

static void ata_send(AtsTestAgent *s, AtsMsgKind kind)
{
    const uint64_t *arg = s->arg.f;

    ats_link_send(s->link, &(AtsMsg) {
        .kind = kind,
        .rid = arg[ATA_RID],
        .pasid = arg[ATA_PASID],
        .addr = arg[ATA_ADDR],
        .prgi = kind == ATS_MSG_PRG_RESPONSE ? arg[ATA_TAG] : 0,
        .itag = kind == ATS_MSG_INV_REQUEST ? arg[ATA_TAG] : 0,
        .code = arg[ATA_CODE],
        .size = arg[ATA_FLAGS] & ATA_INV_SIZE,
        .global = arg[ATA_FLAGS] & ATA_INV_GLOBAL,
    });
}

static void ata_do(AtsTestAgent *s, uint64_t command)
{
    switch (command) {
    case ATA_MAP:
        ata_map(s);
        break;
    case ATA_UNMAP:
        ata_unmap(s);
        break;
    case ATA_RESPOND:
        ata_send(s, ATS_MSG_PRG_RESPONSE);
        break;
    case ATA_INVALIDATE:
        ata_send(s, ATS_MSG_INV_REQUEST);
        break;
    }
}

static uint64_t ata_read(void *opaque, hwaddr addr, unsigned int size)
{
    AtsTestAgent *s = opaque;

    if (addr >= ATA_ARG(0) && addr < ATA_ARG(ATA_FIELDS)) {
        return s->arg.f[(addr - ATA_ARG(0)) / 8];
    }
    if (addr >= ATA_RECORD(0) && addr < ATA_RECORD(ATA_FIELDS)) {
        return s->records->len ?
               ata_get(s->records, 0)->f[(addr - ATA_RECORD(0)) / 8] : 0;
    }
    switch (addr) {
    case ATA_ID:
        return ATA_MAGIC;
    case ATA_RECORDS:
        return s->records->len;
    case ATA_LOST:
        return s->lost;
    default:
        return 0;
    }
}

static void ata_write(void *opaque, hwaddr addr, uint64_t val,
                      unsigned int size)
{
    AtsTestAgent *s = opaque;

    if (addr >= ATA_ARG(0) && addr < ATA_ARG(ATA_FIELDS)) {
        s->arg.f[(addr - ATA_ARG(0)) / 8] = val;
    } else if (addr == ATA_TAKE) {
        g_array_remove_range(s->records, 0, MIN(val, s->records->len));
    } else if (addr == ATA_DO) {
        ata_do(s, val);
    }
}

static const MemoryRegionOps ata_ops = {
    .read = ata_read,
    .write = ata_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 8, .max_access_size = 8 },
    .impl = { .min_access_size = 8, .max_access_size = 8 },
};

/* -- Life ------------------------------------------------------------------ */

static AddressSpace *ata_address_space(PCIBus *bus, void *opaque, int devfn)
{
    return &address_space_memory;
}

static AtsLink *ata_link(PCIBus *bus, void *opaque, int devfn)
{
    return ((AtsTestAgent *)opaque)->link;
}

static const PCIIOMMUOps ata_iommu_ops = {
    .get_address_space = ata_address_space,
    .get_ats_link = ata_link,
};

static void ata_realize(PCIDevice *dev, Error **errp)
{
    AtsTestAgent *s = ATS_TEST_AGENT(dev);
    PCIBus *bus = pci_get_bus(dev);

    if (!pci_bus_is_root(bus) || bus->iommu_ops) {
        error_setg(errp, "ats-test-agent needs the root bus of a machine "
                   "without an IOMMU");
        return;
    }
    memory_region_init_io(&s->bar, OBJECT(s), &ata_ops, s,
                          TYPE_ATS_TEST_AGENT, ATA_SIZE);
    pci_register_bar(dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->bar);
    s->table = g_array_new(false, false, sizeof(AtaFields));
    s->records = g_array_new(false, false, sizeof(AtaFields));
    s->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, ata_timer, s);
    s->link = ats_link_new(&ata_agent_ops, &s->rules.ruleset, s);
    ats_rules_attach(&s->rules, s->link);
    pci_setup_iommu(bus, &ata_iommu_ops, s);
}

static void ata_reset_hold(Object *obj, ResetType type)
{
    AtsTestAgent *s = ATS_TEST_AGENT(obj);

    memset(&s->arg, 0, sizeof(s->arg));
    g_array_set_size(s->table, 0);
    g_array_set_size(s->records, 0);
    s->lost = 0;
    ats_link_reset(s->link);
}

static void ata_instance_init(Object *obj)
{
    object_initialize_child(obj, TYPE_ATS_RULES, &ATS_TEST_AGENT(obj)->rules,
                            TYPE_ATS_RULES);
}

static const VMStateDescription vmstate_ata = {
    .name = TYPE_ATS_TEST_AGENT,
    .unmigratable = 1,
};

static void ata_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *k = PCI_DEVICE_CLASS(klass);

    k->realize = ata_realize;
    k->vendor_id = ATA_VENDOR_ID;
    k->device_id = ATA_DEVICE_ID;
    k->class_id = PCI_CLASS_OTHERS;
    RESETTABLE_CLASS(klass)->phases.hold = ata_reset_hold;
    dc->desc = "IOMMU that does what a test of ATS says";
    dc->vmsd = &vmstate_ata;
    dc->hotpluggable = false;   /* functions behind it hold its link */
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
}

static const TypeInfo ata_type = {
    .name = TYPE_ATS_TEST_AGENT,
    .parent = TYPE_PCI_DEVICE,
    .instance_size = sizeof(AtsTestAgent),
    .instance_init = ata_instance_init,
    .class_init = ata_class_init,
    .interfaces = (const InterfaceInfo[]) {
        { INTERFACE_CONVENTIONAL_PCI_DEVICE },
        { }
    },
};

static void ata_register(void)
{
    type_register_static(&ata_type);
}

type_init(ata_register)
