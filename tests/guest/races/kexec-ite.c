/*
 * Race: O-W
 * Title: kexec while an invalidation is outstanding
 * What: kdump-ite without a panic. kexec stops the CPU that waits for an
 *   invalidation, by NMI after a second, and nobody clears ITE then. But
 *   the old kernel lives on: it masks its interrupts and invalidates what
 *   the IOMMU has of them, and whoever waits for that meets the error and
 *   clears it.
 * Loses: nobody.
 * Order: a process on CPU 1 unmaps memory, the function loses the
 *   invalidation (inv-reply=drop, one). The next kernel is started at once
 *   (kexec), the time-out comes 500 ms later.
 * Fix: none needed.
 * Kernels: 7.3.4.
 * Sign: error-left
 * Expect: 7.3 no
 * Needs: CONFIG_KEXEC
 * @image kernel
 * @iommu ite-timeout-ms=500
 * @qemu -m 640M
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "nextkernel.h"
#include "race.h"

#define PROGRAM     "races/kexec-ite"

static void kexec_ite(void)
{
    if (race_boot() == 1) {
        next_load(PROGRAM, false);
        next_invalidation_out(false);
        next_start();
    }
    next_error_left("Invalidation Time-out Error");
}

RACE_MAIN("kexec-ite", kexec_ite, 120)
