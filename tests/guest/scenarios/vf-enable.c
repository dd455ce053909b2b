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

static char numvfs[128];

static void setup(void)
{
    scene_begin(4);
    snprintf(numvfs, sizeof(numvfs), "/sys/bus/pci/devices/%.31s/sriov_numvfs",
             scene_info.pci_name);
}

static void functions(void)
{
    sysfs_write(numvfs, "1");
    sysfs_write(numvfs, "0");
}

SCENE(.name = "vf-enable", .setup = setup, .seconds = 8, .tasks = {
    SCENE_THREAD("ask", scene_ask_groups),
    SCENE_THREAD("functions", functions),
    SCENE_THREAD("bind", scene_rebind),
})
