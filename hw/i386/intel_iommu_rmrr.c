/*
 * Reserved Memory Region Reporting of the DMAR table, VT-d 8.4
 *
 * Firmware names memory that a device uses behind software's back, such as
 * the buffer of a graphics device or a USB controller's keyboard emulation.
 * Software must keep it mapped one to one for the device, whatever domain the
 * device is in.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "qemu/error-report.h"
#include "qapi/error.h"
#include "e820_memory_layout.h"
#include "hw/acpi/aml-build.h"
#include "hw/i386/intel_iommu.h"
#include "hw/i386/intel_iommu_rmrr.h"
#include "hw/pci/pci.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_bus.h"
#include "hw/qdev-core.h"
#include "hw/sysbus.h"

#define RMRR_TYPE           1
#define RMRR_SCOPE_ENDPOINT 1
#define RMRR_SCOPE_BRIDGE   2       /* and all that is below it */
#define RMRR_DEPTH_MAX      32

typedef struct VTDRmrr {
    char *device;
    uint64_t first;
    uint64_t last;
} VTDRmrr;

static void vtd_rmrr_free(VTDRmrr *r)
{
    g_free(r->device);
    g_free(r);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VTDRmrr, vtd_rmrr_free)

/* One "DEVICE:FIRST-LAST" */
static VTDRmrr *vtd_rmrr_parse(const char *text, Error **errp)
{
    g_autoptr(VTDRmrr) r = g_new0(VTDRmrr, 1);
    const char *colon = strrchr(text, ':');
    const char *end;

    if (!colon || colon == text ||
        qemu_strtou64(colon + 1, &end, 16, &r->first) || *end != '-' ||
        qemu_strtou64(end + 1, NULL, 16, &r->last)) {
        error_setg(errp, "rmrr: '%s' is not DEVICE:FIRST-LAST, such as "
                   "pt0:80000000-8000ffff", text);
        return NULL;
    }
    if (r->first & 0xfff || (r->last & 0xfff) != 0xfff ||
        r->last < r->first) {
        error_setg(errp, "rmrr: '%s' is not a range of whole pages of 4 KiB",
                   text);
        return NULL;
    }
    r->device = g_strndup(text, colon - text);
    return g_steal_pointer(&r);
}

bool vtd_rmrr_realize(const char *text, Error **errp)
{
    g_auto(GStrv) all = g_strsplit(text ?: "", "/", -1);

    for (char **one = all; *one; one++) {
        g_autoptr(VTDRmrr) r = vtd_rmrr_parse(*one, errp);

        if (!r) {
            return false;
        }
        e820_add_entry(r->first, r->last - r->first + 1, E820_RESERVED);
    }
    return true;
}

/* Device scope, VT-d 8.3.1: the way from the root bus */
static void vtd_rmrr_scope(GArray *table, PCIDevice *dev)
{
    uint8_t type = IS_PCI_BRIDGE(dev) ? RMRR_SCOPE_BRIDGE :
                   RMRR_SCOPE_ENDPOINT;
    uint8_t path[RMRR_DEPTH_MAX];
    unsigned int n = 0;
    PCIBus *bus;

    for (bus = pci_get_bus(dev); n < ARRAY_SIZE(path);
         bus = pci_get_bus(dev)) {
        path[n++] = dev->devfn;
        if (pci_bus_is_root(bus)) {
            break;
        }
        dev = pci_bridge_get_device(bus);
    }
    build_append_int_noprefix(table, type, 1);
    build_append_int_noprefix(table, 6 + 2 * n, 1);     /* Length */
    build_append_int_noprefix(table, 0, 2);             /* Flags, Reserved */
    build_append_int_noprefix(table, 0, 1);             /* Enumeration ID */
    build_append_int_noprefix(table, pci_bus_num(bus), 1);
    while (n--) {
        build_append_int_noprefix(table, PCI_SLOT(path[n]), 1);
        build_append_int_noprefix(table, PCI_FUNC(path[n]), 1);
    }
}

static void vtd_rmrr_build_one(const VTDRmrr *r, PCIDevice *dev, GArray *table)
{
    g_autoptr(GArray) scope = g_array_new(false, true, 1);

    vtd_rmrr_scope(scope, dev);
    build_append_int_noprefix(table, RMRR_TYPE, 2);
    build_append_int_noprefix(table, 24 + scope->len, 2);   /* Length */
    build_append_int_noprefix(table, 0, 2);                 /* Reserved */
    build_append_int_noprefix(table, 0, 2);                 /* Segment Number */
    build_append_int_noprefix(table, r->first, 8);
    build_append_int_noprefix(table, r->last, 8);
    g_array_append_vals(table, scope->data, scope->len);
}

void vtd_rmrr_build(const char *text, GArray *table)
{
    g_auto(GStrv) all = g_strsplit(text ?: "", "/", -1);

    for (char **one = all; *one; one++) {
        g_autoptr(VTDRmrr) r = vtd_rmrr_parse(*one, &error_abort);
        DeviceState *dev = qdev_find_recursive(sysbus_get_default(),
                                               r->device);

        if (dev && object_dynamic_cast(OBJECT(dev), TYPE_PCI_DEVICE)) {
            vtd_rmrr_build_one(r, PCI_DEVICE(dev), table);
        } else {
            warn_report("intel-iommu: rmrr names '%s', which is the id of no "
                        "PCI device", r->device);
        }
    }
}

static char *vtd_rmrr_get(Object *obj, Error **errp)
{
    return g_strdup(INTEL_IOMMU_DEVICE(obj)->svm.rmrr);
}

static void vtd_rmrr_set(Object *obj, const char *value, Error **errp)
{
    IntelIOMMUState *s = INTEL_IOMMU_DEVICE(obj);

    if (DEVICE(obj)->realized) {
        error_setg(errp, "rmrr: the ACPI tables are made already");
        return;
    }
    g_free(s->svm.rmrr);
    s->svm.rmrr = g_strdup(value);
}

void vtd_rmrr_class_init(ObjectClass *klass)
{
    object_class_property_add_str(klass, "rmrr", vtd_rmrr_get, vtd_rmrr_set);
    object_class_property_set_description(klass, "rmrr",
        "reserved memory of PCI devices, DEVICE:FIRST-LAST[/...]");
}
