/*
 * Race: S-08
 * Title: every reset method while a process unmaps memory
 * What: a function that is being reset need not answer invalidations (PCIe
 *   10.3.1), and the CPU that waits for the answer spins with interrupts
 *   off. So none may be sent to it: pci_dev_reset_iommu_prepare() blocks it
 *   before and pci_dev_reset_iommu_done() lets it back afterwards. For a reset
 *   that only the function's driver knows of, the function answers all the
 *   while (VT-d 7.9). Nobody notices a reset but the function's own users.
 * Loses: the CPU that unmaps: it hangs until the invalidation times out.
 * Order: a process that is bound maps, touches and unmaps memory without pause;
 *   reset by FLR, AF FLR, PM, secondary bus, ACPI _RST, each taking longer than
 *   an invalidation may (ite-timeout-ms), with the binding left to the IOMMU
 *   core (keep_bindings) and given back by the driver; and a device-specific
 *   reset. DMA works afterwards. CXL, DPC and unplug: reset-unmap-*.
 * Fix: none needed ("iommu: Introduce pci_dev_reset_iommu_prepare/done()",
 *   7.0).
 * Kernels: 7.0 and later; before, see C-04.
 * Sign: log /Invalidation Time-out Error/
 * Sign: stuck
 * Sign: lost
 * Expect: 7.3 no, 7.3+S-08-blocked yes
 * Elsewhere: 7.2 no, 6.18 yes
 *
 * @iommu ite-timeout-ms=60
 * @device af-flr=on,acpi-reset=on,no-soft-reset=off
 * @device flr-duration-ms=130,d3-duration-ms=130,hot-reset-ms=130
 * @device soft-reset-ms=130,flr-config=all-ones
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "owner.h"
#include "race.h"
#include "sysfs.h"

#define SOFT_MS         5000

static struct pt pt;
static struct owner a;
static struct pri_testdev_info info;

/* "": the one that the kernel does not know of */
static void reset(const char *method)
{
    double until = pt_now() + SOFT_MS / 1000.0;

    if (*method) {
        sysfs_reset(info.pci_name, method);
        return;
    }
    pt_wr32(pt.func, PT_SOFT_RESET, PT_SOFT_RESET_ALL);
    while (pt_rd32(pt.func, PT_SOFT_RESET) & PT_SOFT_RESET_BUSY) {
        CHECK(pt_now() < until, "the reset does not end");
        pt_sleep_ms(1);
    }
}

static void one(const char *method, uint32_t kind, bool keep)
{
    uint32_t resets, turns, status;

    pt_keep_bindings(keep);
    CHECK_EQ(owner_do(&a, OWNER_WRITE), PT_ST_DONE, "status");
    resets = pt_rd32(pt.func, PT_RESETS);
    owner_start_unmap(&pt, &a);
    reset(method);
    turns = owner_do(&a, keep ? OWNER_FREE : OWNER_BIND);   /* ends UNMAP */
    CHECK(owner_done(&a, PT_TIMEOUT, NULL), "no reply");
    CHECK_EQ(pt_rd32(pt.func, PT_RESETS), resets + 1, "resets");
    CHECK_EQ(pt_rd32(pt.func, PT_RESET_LAST), kind, "kind of the last reset");
    ktap_note("%s, %s: %u times unmapped", *method ? method : "device-specific",
              keep ? "binding kept" : "new binding", turns);
    CHECK(turns, "nothing was unmapped");
    owner_do(&a, OWNER_FREE);
    status = owner_do(&a, OWNER_WRITE);
    if (status != PT_ST_DONE) {
        race_sign("lost", "DMA after %s ends with %s", *method ? method :
                  "a device-specific reset", pt_status_name(status));
    }
}

static void reset_unmap(void)
{
    static const struct {
        const char *method;
        uint32_t kind;
    } methods[] = {
        { "flr", PT_RESET_FLR },
        { "af_flr", PT_RESET_AF },
        { "pm", PT_RESET_D3HOT },
        { "bus", PT_RESET_HOT },
        { "acpi", PT_RESET_PLATFORM },
    };

    race_cpu(1);
    pt_open(&pt, 0);
    pt_info(&pt, &info);
    owner_start(&a, 0);
    race_cpu(0);
    race_ready();

    for (unsigned i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        one(methods[i].method, methods[i].kind, true);
        one(methods[i].method, methods[i].kind, false);
    }
    one("", PT_RESET_SOFT, true);
    pt_keep_bindings(false);
    CHECK_EQ(pt_counter(&pt, PT_CNT_VIOLATIONS), 0, "violations");
}

RACE_MAIN("reset-unmap", reset_unmap, 120)
