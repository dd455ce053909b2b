/*
 * Title: memory is unmapped while the function is reset
 * What: one task unmaps memory that the device has used and maps it again, one
 *   resets the function (FLR), one has the device write.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <sys/mman.h>

#include "scene.h"

static struct pt_chan ch;

static void setup(void)
{
    scene_begin(4);
    pt_chan(&scene_bound, &ch);
    CHECK_EQ(scene_write(&ch, 0), PT_ST_DONE, "status");
}

static void unmap(void)
{
    for (unsigned i = 0; i < 3; i++) {
        madvise(scene_page(i), PT_PAGE, MADV_DONTNEED);
        *scene_page(i) = 1;
    }
}

static void use(void)
{
    scene_write(&ch, 3);            /* the reset may end it */
}

SCENE(.name = "reset-unmap", .setup = setup, .flags = SCENE_LOSES, .tasks = {
    SCENE_THREAD("unmap", unmap),
    SCENE_THREAD("reset", scene_flr),
    SCENE_THREAD("use", use),
})
