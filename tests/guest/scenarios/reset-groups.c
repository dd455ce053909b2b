/*
 * Title: the function is reset while its groups are on their way
 * What: one task asks for pages of the process, one resets the function (FLR),
 *   one unbinds.
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

static void reset(void)
{
    sysfs_flr(info.pci_name);
}

static void ask(void)
{
    scene_ask(&own, SCENE_BASE, pt.pasid, GROUPS);
}

static void unbind(void)
{
    scene_unbind(&pt);
}

SCENE(.name = "reset-groups", .setup = setup, .flags = SCENE_LOSES, .tasks = {
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("reset", reset),
    SCENE_THREAD("unbind", unbind),
})
