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
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "ktap.h"
#include "owner.h"
#include "race.h"
#include "sleep.h"
#include "sysfs.h"

#define STATES      "/sys/power/state"
#define SLEEP_KIND  "/sys/power/mem_sleep"      /* deep is S3, s2idle is not */
#define DISK_KIND   "/sys/power/disk"
#define IMAGE_SIZE  "/sys/power/image_size"
#define RESUME      "/sys/power/resume"
#define PAGE        4096
#define SLEEP_REGS  5

/* include/linux/swap.h of Linux */
union swap_header {
    struct {
        uint8_t bootbits[1024];
        uint32_t version;
        uint32_t last_page;
        uint32_t nr_badpages;
    } info;
};

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

/* What mkswap(8) writes */
static void make_swap(int fd, off_t size)
{
    static uint8_t page[PAGE];
    union swap_header *h = (union swap_header *)page;

    h->info.version = 1;
    h->info.last_page = size / PAGE - 1;
    memcpy(page + PAGE - 10, "SWAPSPACE2", 10);
    CHECK_EQ(pwrite(fd, page, PAGE, 0), PAGE, "the header of the swap space");
    CHECK(!fsync(fd), "fsync: %s", strerror(errno));
}

void sleep_disk(const char *device)
{
    int fd;

    need_state("disk", "CONFIG_HIBERNATION");
    fd = open(device, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        ktap_skip("there is no %s (a kernel with disk.config)", device);
    }
    make_swap(fd, lseek(fd, 0, SEEK_END));
    close(fd);
    CHECK(!swapon(device, 0), "swapon %s: %s", device, strerror(errno));
}

void sleep_to_disk(void)
{
    put(DISK_KIND, "reboot");
    put(IMAGE_SIZE, "0");           /* as small as it can be */
    put(STATES, "disk");
}

void sleep_load_image(const char *device)
{
    char number[32];
    struct stat st;

    CHECK(!stat(device, &st), "%s: %s", device, strerror(errno));
    snprintf(number, sizeof(number), "%u:%u", major(st.st_rdev),
             minor(st.st_rdev));
    put(RESUME, number);
    FAIL("there is no image on %s", device);
}

/* Registers of the page request queue, by debugfs */
struct sleep_regs {
    uint64_t value[SLEEP_REGS];
};

static void sleep_regs(struct sleep_regs *regs)
{
    for (unsigned i = 0; i < SLEEP_REGS; i++) {
        regs->value[i] = sysfs_iommu_reg(names[i]);
    }
}

/* Are they the same as before?  Says which are not. */
static bool sleep_regs_same(const struct sleep_regs *before)
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

void sleep_race(void (*to_sleep)(void))
{
    struct sleep_regs before;
    struct owner a;
    struct pt pt;
    bool same;

    pt_open(&pt, 0);
    owner_start(&a, 0);
    CHECK_EQ(owner_do(&a, OWNER_WRITE), PT_ST_DONE, "the write before");
    sleep_regs(&before);
    race_ready();

    to_sleep();
    ktap_note("awake");
    same = sleep_regs_same(&before);
    owner_need_answer(&a, &pt);
    if (!same) {
        race_sign("registers", "the queue is not what it was");
    }
}
