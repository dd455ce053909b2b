/*
 * Title: a process ends while groups in its name are on their way
 * What: a process whose address space is bound exits, another one that shares
 *   the file closes it, and the device asks for its pages all the while.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "scene.h"

static void setup(void)
{
    scene_begin_process(4);
}

/* The binding is of the file, whichever process has it */
static void unbind_and_close(void)
{
    scene_unbind(&scene_bound);
    scene_close_bound();
}

SCENE(.name = "exit-groups", .setup = setup, .tasks = {
    SCENE_PROCESS("exit", scene_bind_process, scene_check_pages),
    SCENE_THREAD("ask", scene_ask_groups),
    SCENE_THREAD("close", unbind_and_close),
})
