/*
 * The whole machine sleeps, and wakes up
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ktap.h"
#include "sleep.h"
#include "sysfs.h"

#define STATES      "/sys/power/state"
#define SLEEP_KIND  "/sys/power/mem_sleep"      /* deep is S3, s2idle is not */

static const char *const names[SLEEP_REGS] = {
    "PQA", "PECTL", "PEDATA", "PEADDR", "PEUADDR",
};

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);

    CHECK(fd >= 0, "%s: %s", path, strerror(errno));
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text),
          "%s to %s: %s", text, path, strerror(errno));
    close(fd);
}

static void need_state(const char *state, const char *option)
{
    char states[256] = "";
    FILE *f = fopen(STATES, "re");

    if (!f || !fgets(states, sizeof(states), f) || !strstr(states, state)) {
        ktap_skip("the kernel cannot sleep so (%s)", option);
    }
    fclose(f);
}

void sleep_to_ram(void)
{
    need_state("mem", "CONFIG_SUSPEND");
    put(SLEEP_KIND, "deep");
    put(STATES, "mem");
}

void sleep_regs(struct sleep_regs *regs)
{
    for (unsigned i = 0; i < SLEEP_REGS; i++) {
        regs->value[i] = sysfs_iommu_reg(names[i]);
    }
}

bool sleep_regs_same(const struct sleep_regs *before)
{
    struct sleep_regs now;
    bool same = true;

    sleep_regs(&now);
    for (unsigned i = 0; i < SLEEP_REGS; i++) {
        if (now.value[i] != before->value[i]) {
            ktap_note("%s was 0x%" PRIx64 " and is 0x%" PRIx64, names[i],
                      before->value[i], now.value[i]);
            same = false;
        }
    }
    return same;
}
