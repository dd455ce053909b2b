/*
 * Race: S-08
 * Title: the reset of a CXL port's bus while a process unmaps memory
 * What: as in reset-unmap, for the method cxl_bus: Linux unmasks the
 *   secondary bus reset of a CXL root port (CXL 3.1 8.1.5.2), resets the bus,
 *   and masks it again. The function is blocked meanwhile, as by any other
 *   method.
 * Loses: the CPU that unmaps: it hangs until the invalidation times out.
 * Order: a process that is bound maps, touches and unmaps memory without pause;
 *   cxl_bus, which takes longer than an invalidation may (ite-timeout-ms), with
 *   the binding left to the IOMMU core (keep_bindings) and given back by the
 *   driver. DMA works afterwards.
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
 * @qemu -machine cxl=on
 * @qemu -device pxb-cxl,id=cxl0,bus=pcie.0,bus_nr=32
 * @qemu -device cxl-rp,id=crp0,bus=cxl0,port=0,chassis=9,slot=9
 * @qemu -device pri-testdev,id=ptc,bus=crp0,hot-reset-ms=130,flr-config=all-ones
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>

#include "owner.h"
#include "race.h"
#include "sysfs.h"

#define METHOD          "cxl_bus"

static struct pt pt;
static struct owner a;
static struct pri_testdev_info info;

/* The function below the CXL port */
static unsigned find(void)
{
    int index = sysfs_open_resettable(&pt, &info, METHOD);

    if (index < 0) {
        pt_need_kernel(6, 10, "the reset of a CXL port's bus");
        CHECK(false, "no function has the method " METHOD);
    }
    return index;
}

static void one(bool keep)
{
    uint32_t resets, turns, status;

    pt_keep_bindings(keep);
    CHECK_EQ(owner_do(&a, OWNER_WRITE), PT_ST_DONE, "status");
    resets = pt_rd32(pt.func, PT_RESETS);
    owner_start_unmap(&pt, &a);
    sysfs_reset(info.pci_name, METHOD);
    turns = owner_do(&a, keep ? OWNER_FREE : OWNER_BIND);   /* ends UNMAP */
    CHECK(owner_done(&a, PT_TIMEOUT, NULL), "no reply");
    CHECK_EQ(pt_rd32(pt.func, PT_RESETS), resets + 1, "resets");
    ktap_note("%s: %u times unmapped", keep ? "binding kept" : "new binding",
              turns);
    CHECK(turns, "nothing was unmapped");
    owner_do(&a, OWNER_FREE);
    status = owner_do(&a, OWNER_WRITE);
    if (status != PT_ST_DONE) {
        race_sign("lost", "DMA after the reset ends with %s",
                  pt_status_name(status));
    }
}

static void reset_unmap_cxl(void)
{
    race_cpu(1);
    owner_start(&a, find());
    race_cpu(0);
    race_ready();

    one(true);
    one(false);
    pt_keep_bindings(false);
    CHECK_EQ(pt_counter(&pt, PT_CNT_VIOLATIONS), 0, "violations");
}

RACE_MAIN("reset-unmap-cxl", reset_unmap_cxl, 30)
