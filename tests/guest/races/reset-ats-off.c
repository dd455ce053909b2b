/*
 * Race: O-D
 * Title: invalidations are sent to a function whose ATS is still off
 * What: pcie_flr() puts the PASIDs back when the reset is over, and returns;
 *   the configuration, ATS Enable among it, is restored by its caller after
 *   that. In between an unmap sends an Invalidate Request to a function that
 *   has ATS disabled.
 * Loses: nobody as long as the function answers, as PCIe 10.3.4 wants it to
 *   even then. With one that does not, the CPU that unmaps: it waits with
 *   interrupts off until the Invalidation Time-out Error, and then tries
 *   again.
 * Order: bind, and keep the binding in a reset (keep_bindings); a function with
 *   ATS disabled drops Invalidate Requests (inv-when-e0); a process writes
 *   reset, and runs in short slices between which one of a higher priority
 *   unmaps memory.
 * Fix: none known. O-D-fix is our own trial.
 * Kernels: 7.3.4, 7.2.12; by reading, 7.0 and later. 6.18 does not take a
 *   function off its domains for a reset: it has the sign all the more.
 * Sign: log /VT-d detected Invalidation Time-out Error/
 * Expect: 7.3 yes, 7.3+O-D-fix no
 * Elsewhere: 7.2 yes, 6.18 yes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hw/i386/vtd-knobs.h"
#include "hw/misc/pri-testdev-knobs.h"
#include "klog.h"
#include "pt.h"
#include "race.h"
#include "sysfs.h"

#define ITE_TIMEOUT_MS  20
#define DROP            1
#define RESETS          4           /* at most: one with the sign is enough */
#define SIGN            "Invalidation Time-out Error"
#define TURNS           8

static void unmap_once(void)
{
    volatile uint8_t *page = pt_map_anon(PT_PAGE);      /* volatile: written */

    *page = 1;
    CHECK(!munmap((void *)page, PT_PAGE), "munmap");
}

/* A fifth of the CPU is left to others, in slices as short as can be */
static struct timespec nap_for(void)
{
    struct timespec nap = { .tv_nsec = 1 };
    double start = pt_now();

    for (unsigned i = 0; i < TURNS; i++) {
        unmap_once();
        nanosleep(&nap, NULL);
    }
    nap.tv_nsec = (pt_now() - start) / TURNS / 4 * 1e9;
    ktap_note("%ld us between two turns", nap.tv_nsec / 1000);
    return nap;
}

static void reset_ats_off(void)
{
    struct pri_testdev_info info;
    struct timespec nap;
    unsigned unmapped = 0;
    pid_t resetter;
    struct pt pt;

    race_cpu(0);
    pt_keep_bindings(true);
    pt_open_bound(&pt, 0);
    pt_info(&pt, &info);
    pt_iommu_knob(&pt, VTD_KNOB_ITE_TIMEOUT, ITE_TIMEOUT_MS);
    pt_knob(&pt, PT_KNOB_INV_WHEN_E0, DROP);
    race_ready();

    resetter = fork();
    CHECK(resetter >= 0, "fork");
    if (!resetter) {
        for (unsigned i = 0; i < RESETS && !klog_has(SIGN); i++) {
            sysfs_flr(info.pci_name);
        }
        _exit(KTAP_PASS);
    }
    race_first();
    nap = nap_for();
    while (!waitpid(resetter, NULL, WNOHANG)) {
        unmap_once();
        unmapped++;
        nanosleep(&nap, NULL);
    }
    ktap_note("%u pages unmapped meanwhile", unmapped);
    pt_unbind(&pt);
}

RACE_MAIN("reset-ats-off", reset_ats_off, 60)
