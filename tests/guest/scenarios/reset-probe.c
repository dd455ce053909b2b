/*
 * Title: somebody looks which resets there are while the device writes
 * What: one task names a method of reset (reset_method), which resets nothing,
 *   one has the device write pages that nobody has touched.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "scene.h"
#include "sysfs.h"

#define PAGES   3

static struct pt_chan ch;

static void setup(void)
{
    scene_begin_kept(PAGES);
    pt_chan(&scene_bound, &ch);
}

static void name_method(void)
{
    sysfs_reset_method(scene_info.pci_name, "bus");
}

static void use(void)
{
    for (unsigned i = 0; i < PAGES; i++) {
        uint32_t status = scene_write(&ch, i);

        if (status != PT_ST_DONE) {
            race_sign("write-ended", "of page %u: %s, and nobody has reset "
                      "anything", i, pt_status_name(status));
        }
    }
}

SCENE(.name = "reset-probe", .setup = setup, .tasks = {
    SCENE_THREAD("name", name_method),
    SCENE_THREAD("use", use),
})
