/*
 * Title: two PASIDs use one group index
 * What: the device asks in the name of two processes by turns, always with the
 *   same index and in groups of two, one of which is refused at its last
 *   request, and one of the processes unbinds. Nobody gets pages that were
 *   asked for in the name of the other.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "scene.h"

#define PAGES   4
#define PRGI    5
#define W       PT_RAW_WRITE

static struct pt other;             /* this process's binding */

static void setup(void)
{
    scene_begin_process(PAGES);
    scene_map(PAGES);
    pt_open_bound(&other, 0);
}

/* The pages of SCENE_BASE that the other one may not get are its odd ones */
static void unbind(void)
{
    scene_unbind(&scene_bound);
    scene_check_pages();
}

static void ask(void)
{
    uint32_t pasid = scene_pasid();
    uint64_t base = SCENE_BASE;

    scene_send(&scene_asks, base + PT_PAGE, pasid, W, PRGI);
    scene_send(&scene_asks, base, pasid, W | PT_RAW_PRIV | PT_RAW_LAST, PRGI);
    scene_send(&scene_asks, base, other.pasid, W, PRGI);
    scene_send(&scene_asks, base + 2 * PT_PAGE, other.pasid, W | PT_RAW_LAST,
               PRGI);
}

SCENE(.name = "two-pasids", .setup = setup, .after = scene_close_bound,
      .flags = SCENE_OTHERS, .tasks = {
    SCENE_PROCESS("unbind", scene_bind_process, unbind),
    SCENE_THREAD("ask", ask),
})
