/*
 * What the kernel has logged
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/klog.h>
#include <unistd.h>

#include "klog.h"
#include "ktap.h"

bool klog_has(const char *text)
{
    static char log[1 << 20];
    int n = klogctl(3, log, sizeof(log) - 1);   /* SYSLOG_ACTION_READ_ALL */

    CHECK(n >= 0, "klogctl: %s", strerror(errno));
    log[n] = 0;
    return strstr(log, text);
}

int klog_open(void)
{
    int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);

    CHECK(fd >= 0, "/dev/kmsg: %s", strerror(errno));
    CHECK(lseek(fd, 0, SEEK_END) >= 0, "/dev/kmsg: %s", strerror(errno));
    return fd;
}

unsigned klog_count(int fd, const char *text)
{
    char line[1024];
    unsigned n = 0;
    ssize_t len;

    while ((len = read(fd, line, sizeof(line) - 1)) > 0 ||
           (len < 0 && errno == EPIPE)) {
        if (len > 0) {
            line[len] = 0;
            n += strstr(line, text) != NULL;
        }
    }
    return n;
}
