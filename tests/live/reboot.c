/*
 * Race: L-boot
 * Title: a guest that starts again in the middle of a race
 * What: no race: it shows that `repro` follows a guest that boots again.
 * Loses: nobody
 * Order: a reset; the program runs again
 * Fix: none
 * Kernels: all
 * Sign: second-boot
 * Expect: 7.3 yes
 *
 * @qemu -action reboot=reset
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "race.h"

static void test_reboot(void)
{
    race_ready();
    if (race_boot() == 1) {
        race_reboot();
    }
    race_sign("second-boot", "this is boot %u", race_boot());
}

RACE_MAIN("reboot", test_reboot, 600)
