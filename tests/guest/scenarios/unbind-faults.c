/*
 * Title: a process unbinds while its groups are on their way
 * What: one task has the device ask for pages of the process, another one
 *   takes the process off the device.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "scene.h"

static void setup(void)
{
    scene_begin(4);
}

SCENE(.name = "unbind-faults", .setup = setup, .tasks = {
    SCENE_THREAD("ask", scene_ask_groups),
    SCENE_THREAD("unbind", scene_unbind_bound),
})
