/*
 * Race: C-04
 * Title: memory is unmapped while the function is reset
 * What: a Function Level Reset loses the Invalidate Requests that reach the
 *   function meanwhile. Up to Linux 6.19 a PASID stayed attached through a
 *   reset, so an unmap at that moment waited for a completion that nobody
 *   sends.
 * Loses: the CPU that unmaps: in qi_submit_sync() with interrupts off and a
 *   spinlock held, from one Invalidation Time-out Error to the next, until the
 *   function is back.
 * Order: bind, and keep the binding in a reset (keep_bindings); write reset,
 *   the function is away for 600 ms (flr-duration-ms, flr-config) and
 *   swallows Invalidate Requests; munmap of a page that the device may use
 *   every 20 ms, until the midst of the reset.
 * Fix: c279e83953d9, f5b16b802174 (7.0): the PASIDs are taken off before a
 *   reset and put back after it. C-04 takes that away again.
 * Kernels: up to 6.19.
 * Sign: log /VT-d detected Invalidation Time-out Error/
 * Expect: 7.3 no, 7.3+C-04 yes
 * Elsewhere: 7.2 no, 6.18 yes, 7.1.3 no, 6.12.57 yes, 6.19.8 yes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hw/i386/vtd-knobs.h"
#include "hw/misc/pri-testdev-knobs.h"
#include "pt.h"
#include "race.h"
#include "sysfs.h"

#define ITE_TIMEOUT_MS  20
#define FLR_MS          600
#define ALL_ONES        1           /* what configuration reads give */
/* Pages are unmapped one by one, from before the reset to the midst of it */
#define EVERY_MS        20
#define PAGES           25

static void flr_invalidation(void)
{
    volatile uint8_t *page;     /* volatile: the writes are to happen */
    struct pri_testdev_info info;
    struct pt pt;
    double before, longest = 0;
    pid_t resetter;

    race_cpu(1);
    pt_keep_bindings(true);
    pt_open_bound(&pt, 0);
    pt_info(&pt, &info);
    pt_iommu_knob(&pt, VTD_KNOB_ITE_TIMEOUT, ITE_TIMEOUT_MS);
    pt_knob(&pt, PT_KNOB_FLR_DURATION, FLR_MS);
    pt_knob(&pt, PT_KNOB_FLR_CONFIG, ALL_ONES);
    page = pt_map_anon(PAGES * PT_PAGE);
    for (unsigned i = 0; i < PAGES; i++) {
        page[i * PT_PAGE] = 1;
    }
    race_ready();

    resetter = fork();
    CHECK(resetter >= 0, "fork");
    if (!resetter) {
        race_cpu(0);
        sysfs_flr(info.pci_name);
        _exit(KTAP_PASS);
    }
    for (unsigned i = 0; i < PAGES; i++) {
        pt_sleep_ms(EVERY_MS);
        before = pt_now();
        CHECK(!munmap((void *)(page + i * PT_PAGE), PT_PAGE), "munmap");
        longest = MAX(longest, pt_now() - before);
    }
    CHECK(!waitpid(resetter, NULL, WNOHANG), "the reset was over too early");
    ktap_note("munmap took up to %.0f ms", longest * 1000);
    pt_reap(resetter, KTAP_PASS);
    pt_unbind(&pt);
}

RACE_MAIN("flr-invalidation", flr_invalidation, 20)
