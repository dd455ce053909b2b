/*
 * What the kernel has logged
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_GUEST_KLOG_H
#define TESTS_GUEST_KLOG_H

#include <stdbool.h>

/* Is `text` anywhere in the kernel's log? */
bool klog_has(const char *text);

/* Listen from now on; lines with `text` since then or since the last call */
int klog_open(void);
unsigned klog_count(int fd, const char *text);

#endif
