/*
 * Race: C-06
 * Title: a page table is detached while its function is reset
 * What: during a reset the function is behind the blocking domain, and changes
 *   of its domain are refused. A detach must not be refused: it left the group
 *   with a domain that its owner then freed.
 * Loses: the task that detaches: a warning, and a use after free later.
 * Order: attach a page table of iommufd to the function; write reset, the
 *   function is away for 600 ms (flr-duration-ms, flr-config); 150 ms later
 *   detach.
 * Fix: 5474e6e17a26 (7.0 stable, CVE-2026-52952). C-06 puts the bug back.
 * Kernels: 7.0.
 * Sign: log /WARNING: .*__iommu_group_set_domain_nofail/
 * Sign: log /WARNING: .*iommu\.c/
 * Sign: log /KASAN: .*use-after-free/
 * Expect: 7.3 no, 7.3+C-06 yes
 * Elsewhere: 7.2 no
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hw/misc/pri-testdev-knobs.h"
#include "iofd.h"
#include "race.h"
#include "sysfs.h"

#define FLR_MS          600
#define ALL_ONES        1           /* what configuration reads give */
#define INTO_MS         150         /* from the write to the detach */

static void flr_iommufd_detach(void)
{
    struct iofd_pt pt;
    struct iofd io;
    pid_t resetter;

    race_cpu(1);
    iofd_open(&io);
    iofd_pt_alloc(&io, &pt, false);
    iofd_attach(&io, pt.hwpt, IOFD_NO_PASID);
    pt_knob(&io.pt, PT_KNOB_FLR_DURATION, FLR_MS);
    pt_knob(&io.pt, PT_KNOB_FLR_CONFIG, ALL_ONES);
    race_ready();

    resetter = fork();
    CHECK(resetter >= 0, "fork");
    if (!resetter) {
        race_cpu(0);
        sysfs_flr(io.pci_name);
        _exit(KTAP_PASS);
    }
    pt_sleep_ms(INTO_MS);
    CHECK(!waitpid(resetter, NULL, WNOHANG), "the reset is over already");
    iofd_detach(&io, IOFD_NO_PASID);
    iofd_destroy(&io, pt.hwpt);
    pt_reap(resetter, KTAP_PASS);
}

RACE_MAIN("flr-iommufd-detach", flr_iommufd_detach, 20)
