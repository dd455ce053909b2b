/*
 * Title: the driver lets go of a function while its groups are on their way
 * What: one task asks for pages, one takes the driver off the function and
 *   puts it on again, one closes the file that is bound.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "scene.h"
#include "sysfs.h"

#define GROUPS  4

static struct pt pt, own;
static struct pri_testdev_info info;

static void setup(void)
{
    scene_map(GROUPS);
    pt_open(&own, 0);
    pt_open_bound(&pt, 0);
    pt_info(&pt, &info);
}

static void ask(void)
{
    scene_ask(&own, SCENE_BASE, pt.pasid, GROUPS);
}

static void driver(void)
{
    sysfs_unbind(info.pci_name);
    sysfs_bind(info.pci_name);
}

static void close_it(void)
{
    pt_close(&pt);
}

static void after(void)
{
    sysfs_wait_node(info.pci_name);
}

SCENE(.name = "driver-unbind", .setup = setup, .after = after,
      .flags = SCENE_LOSES, .tasks = {
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("driver", driver),
    SCENE_THREAD("close", close_it),
})
