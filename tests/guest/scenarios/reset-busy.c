/*
 * Title: a function is reset while the CPU of its requests is busy
 * What: one task asks for pages, with its PASID and without, one resets the
 *   function, one takes CPU 0, where requests are reported, with a real-time
 *   priority.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "scene.h"

#define GROUPS  4
#define BUSY    0.2             /* seconds, more than a reset takes */

static void setup(void)
{
    scene_begin_kept(GROUPS);
}

static void ask(void)
{
    scene_ask_groups();
    for (unsigned i = 0; i < GROUPS; i++) {
        scene_send(&scene_asks, SCENE_IOVA, SCENE_NO_PASID,
                   PT_RAW_WRITE | PT_RAW_LAST, GROUPS + i);
    }
}

static void busy(void)
{
    scene_busy(BUSY);
}

SCENE(.name = "reset-busy", .setup = setup, .seconds = 8,
      .flags = SCENE_LOSES, .tasks = {
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("reset", scene_flr),
    SCENE_THREAD("busy", busy),
})
