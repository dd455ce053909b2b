/*
 * Race: C-02
 * Title: a queue error at the second descriptor is never cleared
 * What: qi_check_fault() clears an Invalidation Queue Error (IQE) only if IQH
 *   is at the first descriptor of the submission that looks at it. If hardware
 *   stops at another one, nobody clears the error, and qi_submit_sync() waits
 *   for ever with interrupts off, printing the error each time round.
 * Loses: the CPU that invalidates, with a spinlock held; then every other one
 *   that invalidates anything.
 * Order: bind; munmap of a page: the kernel submits {P_IOTLB, device-TLB,
 *   wait}; the IOMMU stops at the second descriptor with IQE (inject-iqe=2).
 * Fix: 754d07b940c4 "iommu/vt-d: Fix IQE handling to cover all descriptors in
 *   submission range", queued for 7.4. C-02-fix is our own patch to that
 *   effect.
 * Kernels: up to 7.3 wherever a submission has more than one descriptor.
 * Sign: log /VT-d detected Invalidation Queue Error/ x50 and stuck
 * Expect: 7.3 yes, 7.3+C-02-fix no
 * Elsewhere: 7.2 yes, 6.18 yes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>
#include <sys/mman.h>

#include "hw/i386/vtd-knobs.h"
#include "pt.h"
#include "race.h"

static void second_descriptor(void)
{
    volatile uint8_t *page;     /* volatile: the writes are to happen */
    struct pt pt;

    race_cpu(1);
    pt_open_bound(&pt, 0);
    page = pt_map_anon(PT_PAGE);
    *page = 1;
    race_ready();

    pt_iommu_knob(&pt, VTD_KNOB_INJECT_IQE, 2);
    CHECK(!munmap((void *)page, PT_PAGE), "munmap");
    ktap_note("munmap came back");
    pt_unbind(&pt);
}

RACE_MAIN("second-descriptor", second_descriptor, 2)
