/*
 * Have the n-th allocation of the kernel fail: fail-nth and failslab
 *
 * The same one each time, and of the calling thread alone.  A kernel without
 * CONFIG_FAILSLAB skips the test.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_GUEST_FAILNTH_H
#define TESTS_GUEST_FAILNTH_H

#include <stdbool.h>

/* More than anything makes that this is for */
#define FAIL_MOST   200u

/* Set up, once; a descriptor for the functions below */
int fail_open(void);

/* From now on the n-th allocation fails, n from 1 to FAIL_MOST; slabs only */
void fail_arm(int fd, unsigned n);

/* No more of it; did one fail since fail_arm()? */
bool fail_disarm(int fd);

#endif
