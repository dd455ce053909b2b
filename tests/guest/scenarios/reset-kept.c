/*
 * Title: bindings that the core keeps over a reset go while it resets
 * What: one task resets the function (FLR), whose binding the IOMMU core takes
 *   off and puts back, one asks for pages, one closes the file that is bound.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "scene.h"

static void setup(void)
{
    scene_begin_kept(4);
}

SCENE(.name = "reset-kept", .setup = setup, .seconds = 8,
      .flags = SCENE_LOSES, .tasks = {
    SCENE_THREAD("ask", scene_ask_groups),
    SCENE_THREAD("reset", scene_flr),
    SCENE_THREAD("close", scene_close_bound),
})
