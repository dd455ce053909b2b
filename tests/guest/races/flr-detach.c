/*
 * Race: C-07
 * Title: a PASID is detached while its function is reset
 * What: before a reset the domains of all PASIDs are taken off the function and
 *   stay in the group's list. A detach at that moment took them off again.
 * Loses: the task that detaches: warnings, and counters of users that go below
 *   zero.
 * Order: bind, and keep the binding in a reset (keep_bindings); write reset,
 *   the function is away for 600 ms (flr-duration-ms, flr-config); 150 ms
 *   later the device is closed: unbind.
 * Fix: fc3523b16d2b, 0d5fd7a9323c (7.0 stable, 7.1). C-07 puts the first bug
 *   back.
 * Kernels: 7.0.
 * Sign: log /WARNING: .*(intel_iommu_disable_iopf|domain_remove_dev_pasid)/
 * Sign: log /WARNING: drivers.iommu.intel.iommu\.c/
 * Expect: 7.3 no, 7.3+C-07 yes
 * Elsewhere: 7.2 no
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hw/misc/pri-testdev-knobs.h"
#include "pt.h"
#include "race.h"
#include "sysfs.h"

#define FLR_MS          600
#define ALL_ONES        1           /* what configuration reads give */
#define INTO_MS         150         /* from the write to the detach */

static void flr_detach(void)
{
    struct pri_testdev_info info;
    pid_t resetter;
    struct pt pt;

    race_cpu(1);
    pt_keep_bindings(true);
    pt_open_bound(&pt, 0);
    pt_info(&pt, &info);
    pt_knob(&pt, PT_KNOB_FLR_DURATION, FLR_MS);
    pt_knob(&pt, PT_KNOB_FLR_CONFIG, ALL_ONES);
    race_ready();

    resetter = fork();
    CHECK(resetter >= 0, "fork");
    if (!resetter) {
        race_cpu(0);
        close(pt.fd);                   /* only the other process has it */
        sysfs_flr(info.pci_name);
        _exit(KTAP_PASS);
    }
    pt_sleep_ms(INTO_MS);
    CHECK(!waitpid(resetter, NULL, WNOHANG), "the reset is over already");
    pt_close(&pt);                      /* unbinds */
    CHECK(!waitpid(resetter, NULL, WNOHANG), "the unbind waited for the reset");
    pt_reap(resetter, KTAP_PASS);
}

RACE_MAIN("flr-detach", flr_detach, 20)
