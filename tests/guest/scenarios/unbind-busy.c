/*
 * Title: a process unbinds and binds while the CPU of its requests is busy
 * What: one task asks for pages, one unbinds and binds again, one takes CPU 0,
 *   where requests are reported, with a real-time priority.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "scene.h"

#define BUSY    0.06            /* seconds */

static void setup(void)
{
    scene_begin(4);
}

static void busy(void)
{
    scene_busy(BUSY);
}

SCENE(.name = "unbind-busy", .setup = setup, .tasks = {
    SCENE_THREAD("ask", scene_ask_groups),
    SCENE_THREAD("rebind", scene_rebind),
    SCENE_THREAD("busy", busy),
})
