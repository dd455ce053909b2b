/*
 * The whole machine sleeps, and wakes up
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_GUEST_SLEEP_H
#define TESTS_GUEST_SLEEP_H

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

/*
 * The race over a sleep: a process' DMA works, the machine sleeps, and its DMA
 * reaches memory that has never been touched.  The sign `unseen` if the page
 * requests are not answered, `registers` if those of the queue are not what
 * they were.  Comes to race_ready() on its way.
 */
void sleep_race(void (*to_sleep)(void));

#endif
