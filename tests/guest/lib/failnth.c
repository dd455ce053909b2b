/*
 * Have the n-th allocation of the kernel fail: fail-nth and failslab
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "failnth.h"
#include "ktap.h"
#include "sysfs.h"

#define FAILSLAB    "/sys/kernel/debug/failslab/"

static void set(int fd, unsigned n)
{
    char text[16];
    int len = snprintf(text, sizeof(text), "%u", n);

    CHECK(pwrite(fd, text, len, 0) == len, "fail-nth: %s", strerror(errno));
}

int fail_open(void)
{
    int fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);

    if (fd < 0 || access(FAILSLAB "verbose", W_OK)) {
        ktap_skip("this kernel has no fail-nth, or no failslab");
    }
    /* Those that may sleep, too; and no word about it in the log */
    sysfs_write(FAILSLAB "ignore-gfp-wait", "N");
    sysfs_write(FAILSLAB "verbose", "0");
    return fd;
}

void fail_arm(int fd, unsigned n)
{
    CHECK(n >= 1 && n <= FAIL_MOST, "allocation %u", n);
    set(fd, n);
}

bool fail_disarm(int fd)
{
    char text[16] = "";

    CHECK(pread(fd, text, sizeof(text) - 1, 0) > 0, "fail-nth: %s",
          strerror(errno));
    set(fd, 0);
    return !strtoul(text, NULL, 10);
}
