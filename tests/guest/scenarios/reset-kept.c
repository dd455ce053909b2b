/*
 * Title: bindings that the core keeps over a reset go while it resets
 * What: one task resets the function (FLR), whose binding the IOMMU core takes
 *   off and puts back, one asks for pages, one unbinds and binds again and
 *   closes the file in the end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <unistd.h>

#include "scene.h"

/* Now and then over the 100 ms that a reset takes */
#define TIMES   6
#define WAIT_US 20000

static void setup(void)
{
    scene_begin_kept(4);
}

static void rebind(void)
{
    for (unsigned i = 0; i < TIMES; i++) {
        scene_rebind();
        usleep(WAIT_US);
    }
    scene_close_bound();
}

SCENE(.name = "reset-kept", .setup = setup, .seconds = 8,
      .flags = SCENE_LOSES, .tasks = {
    SCENE_THREAD("ask", scene_ask_groups),
    SCENE_THREAD("reset", scene_flr),
    SCENE_THREAD("rebind", rebind),
})
