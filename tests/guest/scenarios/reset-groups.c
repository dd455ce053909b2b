/*
 * Title: the function is reset while its groups are on their way
 * What: one task asks for pages of the process, one resets the function (FLR),
 *   one unbinds.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "scene.h"

static void setup(void)
{
    scene_begin(4);
}

SCENE(.name = "reset-groups", .setup = setup, .seconds = 8,
      .flags = SCENE_LOSES, .tasks = {
    SCENE_THREAD("ask", scene_ask_groups),
    SCENE_THREAD("reset", scene_flr),
    SCENE_THREAD("unbind", scene_unbind_bound),
})
