/*
 * Race: O-K
 * Title: a function is bound to an iommufd while it sleeps in D3hot
 * What: vfio-pci lets a function that nobody has open go to D3hot, with ATS
 *   enabled. vfio_df_device_first_open() binds it to the iommufd, or takes its
 *   group, before open_device() wakes it: taking the old domain away sends it
 *   Invalidate Requests. PCIe permits a function that is not in D0 to lose them
 *   (6.2, 10.3.1). vfio_df_device_last_close() is the same backwards.
 * Loses: the CPU that opens: in qi_submit_sync() with interrupts off, from one
 *   Invalidation Time-out Error to the next, for good. The configuration space
 *   answers in D3hot, so that pci_device_is_present() does not end it.
 * Order: the function loses invalidations in D3hot (inv-in-d3=drop, as on the
 *   strict platform); vfio-pci takes it; when it is in D3hot it is opened.
 * Fix: none known. O-K-fix is our own trial: wake it around bind and unbind.
 * Kernels: 7.3.4; by reading, since vfio-pci lets idle functions sleep.
 * Sign: log /VT-d detected Invalidation Time-out Error/ x2
 * Expect: 7.3 yes, 7.3+O-K-fix no
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>

#include "hw/i386/vtd-knobs.h"
#include "hw/misc/pri-testdev-knobs.h"
#include "iofd.h"
#include "race.h"
#include "sysfs.h"

#define ITE_TIMEOUT_MS  1100        /* the log is quiet for a second between */
#define DROP            1           /* inv-in-d3 */

static void d3_invalidation(void)
{
    struct iofd io;
    struct pt pt;

    race_cpu(1);
    pt_open(&pt, 0);
    pt_iommu_knob(&pt, VTD_KNOB_ITE_TIMEOUT, ITE_TIMEOUT_MS);
    pt_knob(&pt, PT_KNOB_INV_IN_D3, DROP);
    pt_close(&pt);
    iofd_take(&io);
    sysfs_wait_power(io.pci_name, "D3hot");
    race_ready();

    iofd_bind(&io);
    iofd_close(&io);
    sysfs_wait_power(io.pci_name, "D3hot");
}

RACE_MAIN("d3-invalidation", d3_invalidation, 20)
