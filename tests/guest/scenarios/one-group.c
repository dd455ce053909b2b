/*
 * Title: two functions of one IOMMU group come and go
 * What: two functions of a device without Access Control Services are in one
 *   group and have one page table, with a fault queue. Two tasks take theirs
 *   off it and put it on again, one resets one function (FLR) while the other
 *   one asks for pages.
 *
 * @device.0 addr=0.0,multifunction=on
 * @device.1 bus=rp0,addr=0.1
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "iofd.h"
#include "scene.h"
#include "sysfs.h"

#define TURNS       4
#define EVERY_MS    20      /* so that some are in a reset of 100 ms */

static struct iofd io[2];
static struct iofd_pt pt;

static void setup(void)
{
    const char *names[2];
    char group[2][160] = { "" };

    for (unsigned i = 0; i < 2; i++) {
        static struct pri_testdev_info info[2];
        char path[128];
        struct pt f;

        pt_open(&f, i);
        pt_info(&f, &info[i]);
        pt_close(&f);
        names[i] = info[i].pci_name;
        snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.31s/iommu_group",
                 names[i]);
        CHECK(readlink(path, group[i], sizeof(group[i]) - 1) > 0, "%s", path);
    }
    CHECK(!strcmp(group[0], group[1]), "%s and %s", group[0], group[1]);
    iofd_open_names(io, names, 2);
    scene_look(&io[0].pt);
    iofd_pt_alloc(&io[0], &pt, true);
    for (unsigned i = 0; i < 2; i++) {
        iofd_attach(&io[i], pt.hwpt, IOFD_NO_PASID);
    }
}

static void come_and_go(struct iofd *one)
{
    bool attached = true;

    for (unsigned i = 0; i < TURNS; i++) {
        if (attached) {
            iofd_detach(one, IOFD_NO_PASID);
        }
        attached = !iofd_try_attach(one, pt.hwpt, IOFD_NO_PASID);   /* busy */
        pt_sleep_ms(EVERY_MS);
    }
}

static void first(void)
{
    scene_ask(&io[0].pt, SCENE_IOVA, SCENE_NO_PASID, 1);
    come_and_go(&io[0]);
}

static void second(void)
{
    come_and_go(&io[1]);
}

static void reset(void)
{
    sysfs_flr(io[1].pci_name);
}

SCENE(.name = "one-group", .setup = setup, .seconds = 8,
      .flags = SCENE_IOMMUFD | SCENE_LOSES, .tasks = {
    SCENE_THREAD("first", first),
    SCENE_THREAD("second", second),
    SCENE_THREAD("reset", reset),
})
