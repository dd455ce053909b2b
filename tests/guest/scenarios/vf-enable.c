/*
 * Title: VFs come and go while the Physical Function has groups out
 * What: one task switches Virtual Functions on and off, one asks for pages of
 *   the process in the name of the Physical Function, one binds and unbinds.
 *
 * @device.0 vfs=2
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdio.h>

#include "scene.h"
#include "sysfs.h"

#define GROUPS  4

static struct pt pt, own;
static char numvfs[128];

static void setup(void)
{
    struct pri_testdev_info info;

    scene_map(GROUPS);
    pt_open(&own, 0);
    pt_open_bound(&pt, 0);
    pt_info(&pt, &info);
    snprintf(numvfs, sizeof(numvfs), "/sys/bus/pci/devices/%.31s/sriov_numvfs",
             info.pci_name);
}

static void ask(void)
{
    scene_ask(&own, SCENE_BASE, pt.pasid, GROUPS);
}

static void functions(void)
{
    sysfs_write(numvfs, "2");
    sysfs_write(numvfs, "0");
}

static void bind_it(void)
{
    scene_unbind(&pt);
    scene_bind(&pt);
}

SCENE(.name = "vf-enable", .setup = setup, .tasks = {
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("functions", functions),
    SCENE_THREAD("bind", bind_it),
})
