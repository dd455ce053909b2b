/*
 * Title: the default domain of a function changes while it comes and is reset
 * What: the function has no driver at first. One task writes another type to
 *   its group (iommu_groups/N/type) and the first one again, one resets the
 *   function, one has the driver take it and let go of it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdio.h>

#include "scene.h"
#include "sysfs.h"

#define DEVICE  "/sys/bus/pci/devices/%.31s/"
#define DRIVER  "/sys/bus/pci/drivers/pri_testdev/"

static char type[128], reset[128];
static struct pri_testdev_info info;

static void setup(void)
{
    struct pt pt;

    pt_open(&pt, 0);
    pt_info(&pt, &info);
    pt_close(&pt);
    snprintf(type, sizeof(type), DEVICE "iommu_group/type", info.pci_name);
    snprintf(reset, sizeof(reset), DEVICE "reset", info.pci_name);
    sysfs_reset_method(info.pci_name, "flr");
    sysfs_unbind(info.pci_name);
}

/* Each may be refused: somebody has the group, or it is being reset */
static void change(void)
{
    race_write(type, "identity");
    race_write(type, "DMA");
    race_write(type, "DMA-FQ");
}

static void reset_it(void)
{
    race_write(reset, "1");
}

static void driver(void)
{
    race_write(DRIVER "bind", info.pci_name);
    race_write(DRIVER "unbind", info.pci_name);
}

static void after(void)
{
    sysfs_write(type, "DMA");
    sysfs_bind(info.pci_name);
    sysfs_wait_node(info.pci_name);
}

SCENE(.name = "group-type", .setup = setup, .seconds = 8, .after = after,
      .tasks = {
    SCENE_THREAD("type", change),
    SCENE_THREAD("reset", reset_it),
    SCENE_THREAD("driver", driver),
})
