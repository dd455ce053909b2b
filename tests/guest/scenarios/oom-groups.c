/*
 * Title: a process is killed for its memory while its groups are on their way
 * What: the kernel is told to kill the process that it would kill if memory
 *   ran out, and to take its memory, while the device asks for its pages and
 *   writes them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scene.h"

#define GROUPS  4

static struct pt pt, own;
static volatile uint32_t *pasid;    /* volatile: another process writes it */

static void setup(void)
{
    pasid = mmap(NULL, PT_PAGE, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(pasid != MAP_FAILED, "mmap: %s", strerror(errno));
    pt_open(&own, 0);
}

static void bind_it(void)
{
    CHECK(race_write("/proc/self/oom_score_adj", "1000"), "oom_score_adj");
    scene_map(GROUPS + 1);
    *scene_page(GROUPS) = 1;
    pt_open_bound(&pt, 0);
    *pasid = pt.pasid;
}

static void wait_for_it(void)
{
    pause();
}

static void kill_it(void)
{
    CHECK(race_write("/proc/sysrq-trigger", "f"), "sysrq f");
}

static void ask(void)
{
    scene_ask(&own, SCENE_BASE, *pasid, GROUPS);
}

SCENE(.name = "oom-groups", .setup = setup, .tasks = {
    SCENE_PROCESS("victim", bind_it, wait_for_it),
    SCENE_THREAD("kill", kill_it),
    SCENE_THREAD("ask", ask),
})
