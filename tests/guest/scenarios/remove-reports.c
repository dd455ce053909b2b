/*
 * Title: a function is removed from the bus while its requests are reported
 * What: one task asks for pages, one removes the function and has the bus
 *   looked through again, one unbinds.
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

static void remove_it(void)
{
    sysfs_remove(info.pci_name);
    sysfs_rescan();
}

static void unbind(void)
{
    scene_unbind(&pt);
}

static void after(void)
{
    sysfs_wait_node(info.pci_name);
}

SCENE(.name = "remove-reports", .setup = setup, .after = after,
      .flags = SCENE_LOSES, .tasks = {
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("remove", remove_it),
    SCENE_THREAD("unbind", unbind),
})
