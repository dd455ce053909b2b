/*
 * Where functions are, and what Linux makes of it: IOMMU groups, and PASIDs
 * only where every port on the way redirects peer-to-peer requests (PCIe 6.2
 * 6.12).  Also who a function says it is: the driver's new_id.
 *
 * The subsystem ID tells this program which function is which: 1 is below a
 * switch with Access Control Services, 2 and 3 are one device with them; 4 and
 * 5 are below a switch without, 6 and 7 one device without; 8 has IDs that no
 * driver knows.
 *
 * @device subsystem-vendor-id=0x1234
 * @bridge x3130-upstream,id=up0,bus=rp0
 * @bridge xio3130-downstream,id=dn0,bus=up0,chassis=10,slot=10,acs=on
 * @device.0 bus=dn0,subsystem-id=1
 * @device.1 addr=0.0,multifunction=on,acs=on,subsystem-id=2
 * @iommu rmrr=pt0:80000000-8000ffff
 * @qemu -device pri-testdev,id=f3,bus=rp1,addr=0.1,acs=on,subsystem-vendor-id=0x1234,subsystem-id=3
 * @qemu -device pri-root-port,id=rp2,bus=pcie.0,chassis=3,slot=3
 * @qemu -device x3130-upstream,id=up1,bus=rp2
 * @qemu -device xio3130-downstream,id=dn2,bus=up1,chassis=12,slot=12
 * @qemu -device xio3130-downstream,id=dn3,bus=up1,chassis=13,slot=13
 * @qemu -device pri-testdev,id=f4,bus=dn2,subsystem-vendor-id=0x1234,subsystem-id=4
 * @qemu -device pri-testdev,id=f5,bus=dn3,subsystem-vendor-id=0x1234,subsystem-id=5
 * @qemu -device pri-root-port,id=rp3,bus=pcie.0,chassis=4,slot=4
 * @qemu -device pri-testdev,id=f6,bus=rp3,addr=0.0,multifunction=on,subsystem-vendor-id=0x1234,subsystem-id=6
 * @qemu -device pri-testdev,id=f7,bus=rp3,addr=0.1,subsystem-vendor-id=0x1234,subsystem-id=7
 * @qemu -device pri-root-port,id=rp4,bus=pcie.0,chassis=5,slot=5
 * @qemu -device pri-testdev,id=f8,bus=rp4,vendor-id=0x1b36,device-id=0x7e57,subsystem-vendor-id=0x1234,subsystem-id=8
 * @qemu -device pcie-root-port,id=rp5,bus=pcie.0,chassis=6,slot=6
 * @qemu -device pcie-pci-bridge,id=cb0,bus=rp5
 * @qemu -device edu,bus=cb0,addr=1 -device edu,bus=cb0,addr=2
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "pt.h"
#include "sysfs.h"

#define DEVICES     "/sys/bus/pci/devices/"
#define DRIVER      "/sys/bus/pci/drivers/pri_testdev/"
#define GROUPS      "/sys/kernel/iommu_groups/"
#define LAB_VENDOR  0x1234
#define EDU         0x123411e8u     /* vendor and device ID of edu */
#define NEW_ID      "1b36 7e57"

/* Functions, by subsystem ID */
enum {
    SWITCH_ACS = 1, DEVICE_ACS_0, DEVICE_ACS_1,
    SWITCH_0, SWITCH_1, DEVICE_0, DEVICE_1, UNKNOWN,
};

/* -- sysfs ----------------------------------------------------------------- */

static unsigned read_number(const char *dir, const char *name,
                            const char *file, int base)
{
    char path[PATH_MAX], text[64] = "";
    FILE *f;

    snprintf(path, sizeof(path), "%s%s/%s", dir, name, file);
    f = fopen(path, "r");
    CHECK(f, "%s: %s", path, strerror(errno));
    CHECK(fgets(text, sizeof(text), f), "%s is empty", path);
    fclose(f);
    return strtoul(text, NULL, base);
}

/* The n-th PCI function with these IDs, of `file` below and above; its name */
static void find(const char *vendor_file, unsigned vendor, const char *id_file,
                 unsigned id, unsigned n, char *name)
{
    DIR *dir = opendir(DEVICES);
    struct dirent *e;

    CHECK(dir, DEVICES ": %s", strerror(errno));
    while ((e = readdir(dir))) {
        if (e->d_name[0] != '.' &&
            read_number(DEVICES, e->d_name, vendor_file, 16) == vendor &&
            read_number(DEVICES, e->d_name, id_file, 16) == id && !n--) {
            snprintf(name, 32, "%.31s", e->d_name);
            closedir(dir);
            return;
        }
    }
    FAIL("there is no function with %s 0x%x and %s 0x%x", vendor_file, vendor,
         id_file, id);
}

static void find_function(unsigned which, char *name)
{
    find("subsystem_vendor", LAB_VENDOR, "subsystem_device", which, 0, name);
}

static unsigned group_of(const char *name)
{
    char path[PATH_MAX], link[PATH_MAX];
    ssize_t n;

    snprintf(path, sizeof(path), DEVICES "%s/iommu_group", name);
    n = readlink(path, link, sizeof(link) - 1);
    CHECK(n > 0, "%s: %s", path, strerror(errno));
    link[n] = '\0';
    return strtoul(strrchr(link, '/') + 1, NULL, 10);
}

static unsigned group_size(unsigned group)
{
    char path[PATH_MAX];
    struct dirent *e;
    unsigned n = 0;
    DIR *dir;

    snprintf(path, sizeof(path), GROUPS "%u/devices", group);
    dir = opendir(path);
    CHECK(dir, "%s: %s", path, strerror(errno));
    while ((e = readdir(dir))) {
        n += e->d_name[0] != '.';
    }
    closedir(dir);
    return n;
}

static unsigned group(unsigned which)
{
    char name[32];
    unsigned n;

    find_function(which, name);
    n = group_of(name);
    ktap_note("function %u, %s: group %u of %u", which, name, n, group_size(n));
    return n;
}

/* -- Tests ----------------------------------------------------------------- */

/* With ACS each function is alone, without it is not */
static void test_groups(void)
{
    CHECK_EQ(group_size(group(SWITCH_ACS)), 1, "group below the switch");
    CHECK_EQ(group_size(group(DEVICE_ACS_0)), 1, "group of function 0");
    CHECK_EQ(group_size(group(DEVICE_ACS_1)), 1, "group of function 1");
    /*
     * Linux 7.3 takes each for one with the port above it, although the switch
     * would pass requests from one port to the other
     */
    CHECK(group_size(group(SWITCH_0)) >= 2, "alone below a port without ACS");
    CHECK(group_size(group(SWITCH_1)) >= 2, "alone below a port without ACS");
    CHECK(group(DEVICE_0) == group(DEVICE_1),
          "two groups in a device without ACS");
    CHECK_EQ(group_size(group(DEVICE_0)), 2, "group of a device without ACS");
}

/* What is below a conventional bridge has the bridge's requester id */
static void test_alias(void)
{
    char name[2][32];

    for (unsigned i = 0; i < 2; i++) {
        find("vendor", EDU >> 16, "device", EDU & 0xffff, i, name[i]);
    }
    CHECK_EQ(group_of(name[0]), group_of(name[1]), "group of the second");
    CHECK(group_size(group_of(name[0])) >= 3, "the bridge is not in the group");
}

static void check_sva(unsigned which)
{
    struct pt_chan ch;
    struct pt pt;
    char name[32];

    find_function(which, name);
    ktap_note("function %u", which);
    pt_open_bound(&pt, sysfs_wait_node(name));
    pt_chan(&pt, &ch);
    pt_check_works(&ch);
    CHECK_EQ(pt_counter(&pt, PT_CNT_VIOLATIONS), 0, "violations");
    pt_unbind(&pt);
    pt_close(&pt);
}

static void test_sva(void)
{
    check_sva(SWITCH_ACS);
    check_sva(DEVICE_ACS_0);
    check_sva(DEVICE_ACS_1);
}

/* No PASID where a peer could get a request by its address */
static void test_no_sva(void)
{
    for (unsigned which = SWITCH_0; which <= DEVICE_1; which++) {
        struct pt pt;
        char name[32];
        uint32_t pasid;

        find_function(which, name);
        pt_open(&pt, sysfs_wait_node(name));
        CHECK(ioctl(pt.fd, PRI_TESTDEV_IOC_BIND, &pasid) < 0,
              "function %u was bound", which);
        ktap_note("function %u: %s", which, strerror(errno));
        CHECK_EQ(pt_rd32(pt.func, PT_STATE) & PT_STATE_PASID, 0,
                 "PASID Enable");
        pt_close(&pt);
    }
}

/* A function of another vendor gets the driver when it is told of the IDs */
static void test_new_id(void)
{
    char path[PATH_MAX], name[32];

    find_function(UNKNOWN, name);
    snprintf(path, sizeof(path), DEVICES "%s/driver", name);
    CHECK(access(path, F_OK), "%s has a driver", name);
    sysfs_write(DRIVER "new_id", NEW_ID);
    check_sva(UNKNOWN);
    sysfs_write(DRIVER "remove_id", NEW_ID);
    sysfs_unbind(name);
}

/* The reserved region of the DMAR table, mapped one to one */
static void test_reserved(void)
{
    char path[PATH_MAX], line[128], name[32];
    bool found = false;
    FILE *f;

    find_function(SWITCH_ACS, name);
    snprintf(path, sizeof(path), GROUPS "%u/reserved_regions", group_of(name));
    f = fopen(path, "r");
    CHECK(f, "%s: %s", path, strerror(errno));
    while (fgets(line, sizeof(line), f)) {
        ktap_note("%.*s", (int)strcspn(line, "\n"), line);
        found |= !strncmp(line, "0x0000000080000000 0x000000008000ffff direct",
                          44);
    }
    fclose(f);
    CHECK(found, "%s does not have the region", path);
}

static const struct ktap_test tests[] = {
    { "groups", test_groups, 0 },
    { "alias", test_alias, 0 },
    { "sva", test_sva, 0 },
    { "no-sva", test_no_sva, 0 },
    { "new-id", test_new_id, 0 },
    { "reserved", test_reserved, 0 },
};

KTAP_MAIN(tests)
