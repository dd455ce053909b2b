/*
 * Title: a function is removed from the bus while its requests are reported
 * What: one task asks for pages, one removes the function and has the bus
 *   looked through again, one unbinds.
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

static void remove_it(void)
{
    sysfs_remove(scene_info.pci_name);
    sysfs_rescan();
}

SCENE(.name = "remove-reports", .setup = setup, .seconds = 8,
      .after = scene_wait_node,
      .flags = SCENE_LOSES, .tasks = {
    SCENE_THREAD("ask", scene_ask_groups),
    SCENE_THREAD("remove", remove_it),
    SCENE_THREAD("unbind", scene_unbind_bound),
})
