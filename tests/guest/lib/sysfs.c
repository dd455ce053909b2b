/*
 * The function as sysfs shows it: reset, unbind, remove, BAR0
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pt.h"
#include "sysfs.h"

#define DEVICES "/sys/bus/pci/devices/"
#define DRIVER  "/sys/bus/pci/drivers/pri_testdev/"
#define REGSET  "/sys/kernel/debug/iommu/intel/iommu_regset"
#define NODES   8               /* that are looked for */

void sysfs_write(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    CHECK(fd >= 0, "%s: %s", path, strerror(errno));
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text),
          "write of '%s' to %s: %s", text, path, strerror(errno));
    close(fd);
}

int sysfs_open_resettable(struct pt *pt, struct pri_testdev_info *info,
                          const char *method)
{
    char node[32], list[128];

    for (int i = 0; i < NODES; i++) {
        snprintf(node, sizeof(node), "/dev/pri_testdev%d", i);
        if (access(node, F_OK)) {
            continue;
        }
        pt_open(pt, i);
        pt_info(pt, info);
        sysfs_reset_methods(info->pci_name, list, sizeof(list));
        ktap_note("%s: %s", info->pci_name, list);
        if (strstr(list, method)) {
            return i;
        }
        pt_close(pt);
    }
    return -1;
}

void sysfs_reset_method(const char *pci_name, const char *method)
{
    char path[128];

    snprintf(path, sizeof(path), DEVICES "%s/reset_method", pci_name);
    sysfs_write(path, method);
}

void sysfs_reset_methods(const char *pci_name, char *list, size_t size)
{
    char path[128];
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), DEVICES "%s/reset_method", pci_name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0, "%s: %s", path, strerror(errno));
    n = read(fd, list, size - 1);
    CHECK(n >= 0, "%s: %s", path, strerror(errno));
    list[n] = 0;
    list[strcspn(list, "\n")] = 0;
    close(fd);
}

void sysfs_reset(const char *pci_name, const char *method)
{
    char path[128];

    sysfs_reset_method(pci_name, method);
    snprintf(path, sizeof(path), DEVICES "%s/reset", pci_name);
    sysfs_write(path, "1");
}

void sysfs_flr(const char *pci_name)
{
    sysfs_reset(pci_name, "flr");
}

void sysfs_unbind(const char *pci_name)
{
    sysfs_write(DRIVER "unbind", pci_name);
}

void sysfs_bind(const char *pci_name)
{
    sysfs_write(DRIVER "bind", pci_name);
}

void sysfs_remove(const char *pci_name)
{
    char path[128];

    snprintf(path, sizeof(path), DEVICES "%s/remove", pci_name);
    sysfs_write(path, "1");
}

void sysfs_rescan(void)
{
    sysfs_write("/sys/bus/pci/rescan", "1");
}

pt_reg *sysfs_bar0(const char *pci_name, size_t *len)
{
    struct stat st;
    char path[128];
    void *p;
    int fd;

    snprintf(path, sizeof(path), DEVICES "%s/resource0", pci_name);
    fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && !fstat(fd, &st), "%s: %s", path, strerror(errno));
    p = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(p != MAP_FAILED, "mmap of %s: %s", path, strerror(errno));
    close(fd);
    *len = st.st_size;
    return p;
}

/* The driver's node as a child of the function: misc/pri_testdev<index> */
int sysfs_node(const char *pci_name)
{
    char path[128];
    unsigned index;
    int found = -1;
    struct dirent *e;
    DIR *dir;

    snprintf(path, sizeof(path), DEVICES "%s/misc", pci_name);
    dir = opendir(path);
    while (dir && (e = readdir(dir))) {
        if (sscanf(e->d_name, PRI_TESTDEV_NODE "%u", &index) == 1) {
            found = index;
        }
    }
    if (dir) {
        closedir(dir);
    }
    return found;
}

unsigned sysfs_wait_node(const char *pci_name)
{
    double until = pt_now() + 10;
    char name[32];

    for (;;) {
        int index = sysfs_node(pci_name);

        snprintf(name, sizeof(name), "/dev/" PRI_TESTDEV_NODE "%d", index);
        if (index >= 0 && !access(name, R_OK | W_OK)) {
            return index;
        }
        CHECK(pt_now() < until, "%s has no node", pci_name);
        pt_sleep_ms(10);
    }
}

void sysfs_wait_power(const char *pci_name, const char *state)
{
    double end = pt_now() + PT_TIMEOUT / 1000.0;
    char path[96], now[16] = "";

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/power_state",
             pci_name);
    while (strncmp(now, state, strlen(state))) {
        FILE *f = fopen(path, "re");

        CHECK(f && fgets(now, sizeof(now), f), "%s: %s", path,
              strerror(errno));
        fclose(f);
        CHECK(pt_now() < end, "it stays in %s", now);
        pt_sleep_ms(10);
    }
}

uint64_t sysfs_iommu_reg(const char *name)
{
    unsigned long long offset, value;
    char line[256], reg[64];
    FILE *f = fopen(REGSET, "re");

    if (!f) {
        ktap_skip("this kernel does not show the IOMMU's registers");
    }
    while (fgets(line, sizeof(line), f)) {
        if (sscanf(line, "%63s %llx %llx", reg, &offset, &value) == 3 &&
            !strcmp(reg, name)) {
            fclose(f);
            return value;
        }
    }
    FAIL("%s has no %s", REGSET, name);
}
