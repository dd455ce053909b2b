/*
 * Race: C-01
 * Title: the walk over descriptors that timed out never ends
 * What: after an Invalidation Time-out Error (ITE) qi_check_fault() marks the
 *   descriptors before IQH as aborted. It went back two slots at a time, on
 *   the assumption that waits sit at odd slots. An unmap on a shared address
 *   space takes three slots {P_IOTLB, device-TLB, wait}, and after it they are
 *   at even ones: the walk passes its end and goes round for ever, with
 *   interrupts off.
 * Loses: the CPU that invalidates, with a raw spinlock held (hard lockup).
 * Order: bind; munmap (three slots: the parity changes); the device swallows
 *   the next Invalidate Request (inv-reply=drop, inv-nth=1); munmap: ITE.
 * Fix: fe89277c9ceb "iommu/vt-d: Fix intel iommu iotlb sync hardlockup and
 *   retry" (7.0, 6.19.10, 6.12.78, 6.1.167). C-01 puts the bug back.
 * Kernels: 5.8 to 6.19; 6.1 and older never shift the parity.
 * Sign: log /Invalidation Time-out Error/ and log /qi_submit_sync/ and stuck
 * Expect: 7.3 no, 7.3+C-01 yes
 * Elsewhere: 7.2 no, 6.18 yes, 7.1.3 no, 6.12.57 yes, 6.19.8 yes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>
#include <sys/mman.h>

#include "hw/i386/vtd-knobs.h"
#include "hw/misc/pri-testdev-knobs.h"
#include "pt.h"
#include "race.h"

#define ITE_TIMEOUT_MS  20
#define DROP            1
/* One of two munmaps in a row has its wait at an even slot */
#define ROUNDS          2

static void slot_parity(void)
{
    volatile uint8_t *page;     /* volatile: the writes are to happen */
    struct pt pt;

    race_cpu(1);
    pt_open_bound(&pt, 0);
    pt_iommu_knob(&pt, VTD_KNOB_ITE_TIMEOUT, ITE_TIMEOUT_MS);
    page = pt_map_anon(2 * ROUNDS * PT_PAGE);
    for (unsigned i = 0; i < 2 * ROUNDS; i++) {
        page[i * PT_PAGE] = 1;
    }
    race_ready();

    for (unsigned i = 0; i < ROUNDS; i++) {
        CHECK(!munmap((void *)(page + 2 * i * PT_PAGE), PT_PAGE), "munmap");
        pt_knob(&pt, PT_KNOB_INV_REPLY, DROP);
        pt_knob(&pt, PT_KNOB_INV_NTH, 1);
        CHECK(!munmap((void *)(page + (2 * i + 1) * PT_PAGE), PT_PAGE),
              "munmap");
    }
    pt_unbind(&pt);
}

RACE_MAIN("slot-parity", slot_parity, 2)
