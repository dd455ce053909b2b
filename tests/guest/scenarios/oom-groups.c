/*
 * Title: a process is killed for its memory while its groups are on their way
 * What: the kernel is told to kill the process that it would kill if memory
 *   ran out, and to take its memory, while the device asks for its pages and
 *   writes them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <unistd.h>

#include "scene.h"

#define GROUPS      4
#define REAPER_MS   2200        /* the reaper keeps the address space for 2 s */

static void setup(void)
{
    scene_begin_process(GROUPS + 1);
}

static void bind_it(void)
{
    CHECK(race_write("/proc/self/oom_score_adj", "1000"), "oom_score_adj");
    scene_bind_process();
    *scene_page(GROUPS) = 1;
}

static void wait_for_it(void)
{
    pause();
}

static void kill_it(void)
{
    CHECK(race_write("/proc/sysrq-trigger", "f"), "sysrq f");
    scene_close_bound();
}

static void ask(void)
{
    scene_ask(&scene_asks, SCENE_BASE, scene_pasid(), GROUPS);
}

static void after(void)
{
    pt_sleep_ms(REAPER_MS);
}

SCENE(.name = "oom-groups", .setup = setup, .after = after, .seconds = 8,
      .tasks = {
    SCENE_PROCESS("victim", bind_it, wait_for_it),
    SCENE_THREAD("kill", kill_it),
    SCENE_THREAD("ask", ask),
})
