/*
 * Title: a function is removed while the CPU of its requests has other work
 * What: one task asks for pages without a PASID, which no drain waits for, as
 *   nobody has a handler for them; one removes the function and has the bus
 *   looked through again; one takes CPU 0, where requests are reported, with
 *   a real-time priority.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "gone.h"
#include "scene.h"
#include "sysfs.h"

#define ASKS    60
/* Seconds: a removal takes 1.2, and at 1.7 the function is there again */
#define BUSY    1.42

static void setup(void)
{
    gone_is_fine();
    scene_begin(2);
}

static void ask(void)
{
    for (unsigned i = 0; i < ASKS; i++) {
        scene_send(&scene_asks, SCENE_IOVA, SCENE_NO_PASID,
                   PT_RAW_WRITE | PT_RAW_LAST, 8 + i);
    }
}

static void remove_it(void)
{
    sysfs_remove(scene_info.pci_name);
    sysfs_rescan();
}

static void busy(void)
{
    scene_busy(BUSY);
}

SCENE(.name = "remove-busy", .setup = setup, .seconds = 8,
      .after = scene_wait_node,
      .flags = SCENE_LOSES, .tasks = {
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("remove", remove_it),
    SCENE_THREAD("busy", busy),
})
