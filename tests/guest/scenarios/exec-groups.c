/*
 * Title: a process executes another program while its groups are on their way
 * What: exec gives up the address space and the file that is bound to it while
 *   the device asks for pages.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "scene.h"

static void setup(void)
{
    scene_begin_process(4);
}

/* The program to come has no file of the device: O_CLOEXEC */
static void execute(void)
{
    execl("/bin/busybox", "true", (char *)NULL);
    FAIL("exec: %s", strerror(errno));
}

SCENE(.name = "exec-groups", .setup = setup, .tasks = {
    SCENE_PROCESS("exec", scene_bind_process, execute),
    SCENE_THREAD("ask", scene_ask_groups),
    SCENE_THREAD("close", scene_close_bound),
})
