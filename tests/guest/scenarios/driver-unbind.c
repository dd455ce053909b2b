/*
 * Title: the driver lets go of a function while its groups are on their way
 * What: one task asks for pages, one takes the driver off the function and
 *   puts it on again, one closes the file that is bound.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "gone.h"
#include "scene.h"
#include "sysfs.h"

static void setup(void)
{
    gone_is_fine();
    scene_begin(4);
}

static void driver(void)
{
    sysfs_unbind(scene_info.pci_name);
    sysfs_bind(scene_info.pci_name);
}

SCENE(.name = "driver-unbind", .setup = setup, .seconds = 8,
      .after = scene_wait_node,
      .flags = SCENE_LOSES, .tasks = {
    SCENE_THREAD("ask", scene_ask_groups),
    SCENE_THREAD("driver", driver),
    SCENE_THREAD("close", scene_close_bound),
})
