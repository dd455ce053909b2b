/*
 * Race: C-11
 * Title: a page table that replaces one with faults leaves a count behind
 * What: the attach of a page table to the RID counted a user of page faults
 *   for the new one, and did not take back that of the one it replaced. The
 *   function stays in the iopf queue when nobody handles its faults any more.
 * Loses: the kernel: a warning when the function goes, which is fatal with
 *   panic_on_warn.
 * Order: vfio-pci; a page table with a fault queue is attached to the RID; one
 *   without takes its place; detach; the function is removed from its bus.
 * Fix: 236dd58fabd2 "iommu/vt-d: Fix iopf_refcount leak on RID domain
 *   replacement" (7.2, CVE-2026-90242). C-11 puts the bug back.
 * Kernels: 6.16 up to 7.2.
 * Sign: log /WARNING: .*(intel_iommu_release_device|iommu_disable_pci_pri)/
 * Expect: 7.3 no, 7.3+C-11 yes
 * Elsewhere: 7.2 no, 6.18 yes, 7.1.3 yes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "iofd.h"
#include "race.h"
#include "sysfs.h"

static void replace_leak(void)
{
    struct iofd_pt with, without;
    struct iofd io;

    iofd_open(&io);
    iofd_pt_alloc(&io, &with, true);
    iofd_pt_alloc(&io, &without, false);
    race_ready();

    iofd_attach(&io, with.hwpt, IOFD_NO_PASID);
    iofd_attach(&io, without.hwpt, IOFD_NO_PASID);
    iofd_detach(&io, IOFD_NO_PASID);
    iofd_close(&io);
    sysfs_remove(io.pci_name);
}

RACE_MAIN("replace-leak", replace_leak, 20)
