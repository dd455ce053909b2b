/*
 * Race: C-03
 * Title: a function that has vanished is unbound
 * What: unbind takes the PASID off and invalidates the device's cache. A
 *   function that does not answer any more never completes that, and every
 *   time-out (ITE) was taken as a reason to try again.
 * Loses: the CPU that unbinds: in qi_submit_sync() for ever.
 * Order: bind; the function vanishes (gone); unbind: device-TLB invalidation,
 *   ITE, again.
 * Fix: 4fc82cd907ac, 80a9b50c0b9e, 10e60d878139 (6.18.x, 6.19): nothing is sent
 *   to a function that is not there, and ITE of one ends the wait. C-03 takes
 *   both away.
 * Kernels: up to 6.17.  6.12.57 has 10e60d878139: two time-outs, and an end, or
 *   none because of C-01; 6.19.8 has that, too, and had no end.
 * Sign: log /Invalidation Time-out Error/ x5 and log /qi_submit_sync/ and stuck
 * Expect: 7.3 no, 7.3+C-03 yes
 * Elsewhere: 7.2 no, 7.1.3 no
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>

#include "hw/i386/vtd-knobs.h"
#include "hw/misc/pri-testdev-knobs.h"
#include "pt.h"
#include "race.h"

#define ITE_TIMEOUT_MS  20

static void gone_unbind(void)
{
    struct pt pt;

    race_cpu(1);
    pt_open_bound(&pt, 0);
    pt_iommu_knob(&pt, VTD_KNOB_ITE_TIMEOUT, ITE_TIMEOUT_MS);
    race_ready();

    pt_knob_blind(&pt, PT_KNOB_GONE, 1);
    pt_unbind(&pt);
}

RACE_MAIN("gone-unbind", gone_unbind, 3)
