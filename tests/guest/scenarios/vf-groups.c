/*
 * Title: a Virtual Function goes while it has groups out
 * What: one task asks for pages of the process in the name of a Virtual
 *   Function, one switches the Virtual Functions off, one binds and unbinds the
 *   process at the Physical Function, whose Page Request Interface it is.
 *
 * @device.0 vfs=1
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gone.h"
#include "scene.h"
#include "sysfs.h"

#define DEVICE  "/sys/bus/pci/devices/%.31s/"
#define GROUPS  4

static char numvfs[128];
static struct pt vf;

static unsigned vf_node(void)
{
    char link[128], path[PATH_MAX];

    snprintf(link, sizeof(link), DEVICE "virtfn0", scene_info.pci_name);
    CHECK(realpath(link, path), "%s: %s", link, strerror(errno));
    return sysfs_wait_node(strrchr(path, '/') + 1);
}

static void setup(void)
{
    gone_is_fine();
    scene_begin(GROUPS);
    snprintf(numvfs, sizeof(numvfs), DEVICE "sriov_numvfs",
             scene_info.pci_name);
    sysfs_write(numvfs, "1");
    pt_open_bound(&vf, vf_node());
}

static void ask(void)
{
    scene_ask(&vf, SCENE_BASE, scene_pasid(), GROUPS);
}

static void off(void)
{
    sysfs_write(numvfs, "0");
}

SCENE(.name = "vf-groups", .setup = setup, .seconds = 8,
      .flags = SCENE_LOSES, .tasks = {
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("off", off),
    SCENE_THREAD("bind", scene_rebind),
})
