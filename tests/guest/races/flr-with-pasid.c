/*
 * Race: C-05
 * Title: a reset with a PASID attached reads past a structure
 * What: after a reset the PASIDs go from the blocking domain back to their
 *   own. domain_remove_dev_pasid() took the blocking domain, which has no
 *   data of the driver's around it, for one that has.
 * Loses: the task that resets: an oops, or a wild lock.
 * Order: bind, and keep the binding in a reset (keep_bindings); write reset.
 * Fix: a6dea58d8625 "iommu/vt-d: Fix oops due to out of scope access" (7.0.10,
 *   CVE-2026-52953). C-05 puts the bug back.
 * Kernels: 7.0.0 to 7.0.9.
 * Sign: log /(BUG|KASAN|RIP|WARNING|INFO): .*domain_remove_dev_pasid/
 * Sign: log /(BUG|KASAN|RIP|WARNING|INFO): .*(spin_lock|out-of-bounds)/
 * Sign: log /(BUG|KASAN|RIP|WARNING|INFO): .*trying to register/
 * Sign: log /general protection fault/
 * Expect: 7.3 no, 7.3+C-05 yes
 * Elsewhere: 7.2 no, 6.18 no
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "pt.h"
#include "race.h"
#include "sysfs.h"


static void flr_with_pasid(void)
{
    struct pri_testdev_info info;
    struct pt pt;

    pt_keep_bindings(true);
    pt_open_bound(&pt, 0);
    pt_info(&pt, &info);
    race_ready();

    sysfs_flr(info.pci_name);
    pt_info(&pt, &info);
    CHECK_EQ(info.bound, 1, "binding after the reset");
    pt_unbind(&pt);
}

RACE_MAIN("flr-with-pasid", flr_with_pasid, 20)
