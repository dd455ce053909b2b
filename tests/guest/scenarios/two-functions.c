/*
 * Title: two functions come and go while both are used
 * What: one task binds the process to both functions by turns, one takes the
 *   driver off the first and puts it on again, one resets the second.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "gone.h"
#include "scene.h"
#include "sysfs.h"

static struct pri_testdev_info info[2];

static void setup(void)
{
    gone_is_fine();
    scene_map(2);
    for (unsigned i = 0; i < 2; i++) {
        struct pt pt;

        pt_open(&pt, i);
        pt_info(&pt, &info[i]);
        pt_close(&pt);
    }
}

static void use(void)
{
    for (unsigned i = 0; i < 2; i++) {
        struct pt pt;

        if (scene_open(&pt, i)) {
            if (scene_bind(&pt)) {
                scene_ask(&pt, SCENE_BASE, pt.pasid, 1);
                scene_unbind(&pt);
            }
            pt_close(&pt);
        }
    }
}

static void driver(void)
{
    sysfs_unbind(info[0].pci_name);
    sysfs_bind(info[0].pci_name);
}

static void reset(void)
{
    sysfs_flr(info[1].pci_name);
}

static void after(void)
{
    sysfs_wait_node(info[0].pci_name);
}

SCENE(.name = "two-functions", .setup = setup, .seconds = 8, .after = after,
      .flags = SCENE_LOSES, .tasks = {
    SCENE_THREAD("use", use),
    SCENE_THREAD("driver", driver),
    SCENE_THREAD("reset", reset),
})
