/*
 * Race: C-20
 * Title: the owner of an address space exits before its device is unbound
 * What: iommu_sva_unbind_device() freed the domain, and with it the last
 *   reference to the address space, and then looked at a list in it.
 * Loses: the task that unbinds: a use after free.
 * Order: parent binds, child keeps the descriptor; parent exits; child closes
 *   the descriptor (unbind).
 * Fix: 06e14c36e20b "iommu/sva: Fix crash in iommu_sva_unbind_device()" (6.18.20,
 *   6.19.10, 7.0, CVE-2026-23429). C-20 puts the bug back.
 * Kernels: 6.18.7 to 6.18.19, 6.19 to 6.19.9.
 * Sign: log /KASAN: .*use-after-free in iommu_sva_unbind_device/
 * Expect: 7.3 no, 7.3+C-20 yes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <unistd.h>

#include "pt.h"
#include "race.h"

#define FREE_MS     500             /* for an address space to go (SRCU) */

static void exit_before_unbind(void)
{
    pid_t owner;
    struct pt pt;

    pt_open(&pt, 0);
    owner = fork();
    CHECK(owner >= 0, "fork");
    if (!owner) {
        pt_bind(&pt);
        race_ready();
        _exit(KTAP_PASS);
    }
    /* This process shares the open file, and holds the binding by it */
    pt_reap(owner, KTAP_PASS);
    pt_sleep_ms(FREE_MS);
    pt_close(&pt);                      /* unbinds */
    pt_sleep_ms(FREE_MS);
}

RACE_MAIN("exit-before-unbind", exit_before_unbind, 20)
