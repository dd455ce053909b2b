/*
 * The whole machine sleeps, and wakes up
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_GUEST_SLEEP_H
#define TESTS_GUEST_SLEEP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Suspend to RAM (S3) and come back.  Skips the test on a kernel that cannot,
 * fails it when the kernel refuses.  Nobody has to set an alarm: the lab wakes
 * a guest as soon as it sleeps (scripts/pri_lab/machine, session.py and vm.py),
 * so that a busy host changes nothing.
 */
void sleep_to_ram(void);

/*
 * Suspend to disk (S4): make a block device the swap space that takes the
 * image, then go there.  The machine starts again, and the kernel that boots
 * has to load the image from that device, which does not return:
 * sleep_to_disk() does.
 * Skip and fail as above.
 */
void sleep_disk(const char *device);
void sleep_to_disk(void);
void sleep_load_image(const char *device);

/* Registers of the page request queue, by debugfs */
#define SLEEP_REGS  5

struct sleep_regs {
    uint64_t value[SLEEP_REGS];
};

void sleep_regs(struct sleep_regs *regs);

/* Are they the same as before?  Says which are not. */
bool sleep_regs_same(const struct sleep_regs *before);

#endif
