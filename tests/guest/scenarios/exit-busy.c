/*
 * Title: a process exits while the CPU of its requests is busy
 * What: a process exits with groups out, one task asks for them, one takes CPU
 *   0, where requests are reported, with a real-time priority.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "scene.h"

#define BUSY    0.06            /* seconds */

static void setup(void)
{
    scene_begin_process(4);
}

static void busy(void)
{
    scene_busy(BUSY);
}

SCENE(.name = "exit-busy", .setup = setup, .after = scene_close_bound,
      .tasks = {
    SCENE_PROCESS("exit", scene_bind_process, scene_check_pages),
    SCENE_THREAD("ask", scene_ask_groups),
    SCENE_THREAD("busy", busy),
})
