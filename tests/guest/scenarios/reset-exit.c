/*
 * Title: a process ends while the core keeps its binding over a reset
 * What: one task resets the function (FLR), whose binding the IOMMU core takes
 *   off and puts back, the process that is bound exits meanwhile, and one asks
 *   for its pages and closes the file.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "scene.h"

#define LATER_MS    5           /* the reset has begun, and has not ended */
#define AFTER_MS    130         /* it has ended: it takes 100 */

static void setup(void)
{
    scene_begin_process_kept(2);
}

static void end(void)
{
    pt_sleep_ms(LATER_MS);
    scene_check_pages();
}

static void ask_and_close(void)
{
    scene_ask_groups();
    pt_sleep_ms(AFTER_MS);
    scene_ask_groups();
    scene_unbind_bound();
    scene_close_bound();
}

SCENE(.name = "reset-exit", .setup = setup, .seconds = 8,
      .flags = SCENE_LOSES, .tasks = {
    SCENE_PROCESS("exit", scene_bind_process, end),
    SCENE_THREAD("reset", scene_flr),
    SCENE_THREAD("close", ask_and_close),
})
