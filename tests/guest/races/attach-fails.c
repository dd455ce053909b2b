/*
 * Race: C-12
 * Title: an attach that fails leaves a user of page faults behind
 * What: a page table with a fault queue is to be replaced on the RID, and
 *   memory for the new one's attachment cannot be had. By then the translation
 *   of the old one is gone and info->domain is NULL; what the core still takes
 *   to be attached has its count of page faults back. The detach that follows
 *   goes by info->domain and not by the domain the core names, finds nothing,
 *   and the count stays.
 * Loses: the kernel: the function stays in the iopf queue without a domain, and
 *   there is a warning when it goes, which is fatal with panic_on_warn.
 * Order: vfio-pci; a page table with a fault queue is attached to the RID; the
 *   n-th allocation of the attach of another one fails (fail-nth); detach; so
 *   for each n until nothing is left that could fail; the function is removed.
 * Fix: 91b55eb171cb "iommu/vt-d: Use old domain parameter when attaching the
 *   blocking domain", queued for 7.4. C-12-fix is our own patch to that effect.
 * Kernels: 7.3.4, 7.2.12, 6.18.15; by reading, 6.16 and later.
 * Sign: log /WARNING: .*(intel_iommu_release_device|iommu_disable_pci_pri)/
 * Expect: 7.3 yes, 7.3+C-12-fix no
 * Elsewhere: 7.2 yes, 6.18 yes
 * Needs: CONFIG_FAILSLAB, CONFIG_FAULT_INJECTION_DEBUG_FS
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <string.h>

#include "failnth.h"
#include "iofd.h"
#include "race.h"
#include "sysfs.h"

static void attach_fails(void)
{
    unsigned n, failed = 0;
    struct iofd_pt first, next;
    bool one = true;
    struct iofd io;
    int fd, err;

    iofd_open(&io);
    iofd_pt_alloc(&io, &first, true);
    iofd_pt_alloc(&io, &next, false);
    fd = fail_open();
    race_ready();

    for (n = 1; n < FAIL_MOST && one; n++) {
        iofd_attach(&io, first.hwpt, IOFD_NO_PASID);
        fail_arm(fd, n);
        err = iofd_try_attach(&io, next.hwpt, IOFD_NO_PASID);
        one = fail_disarm(fd);
        CHECK(!err || err == ENOMEM, "allocation %u: %s", n, strerror(err));
        failed += err == ENOMEM;
        iofd_detach(&io, IOFD_NO_PASID);
    }
    ktap_note("%u allocations, %u of them needed", n - 2, failed);
    CHECK(!one && failed, "no attach has failed for want of memory");
    iofd_close(&io);
    sysfs_remove(io.pci_name);
}

RACE_MAIN("attach-fails", attach_fails, 20)
