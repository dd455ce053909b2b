/*
 * Title: two PASIDs use one group index
 * What: the device asks in the name of two processes by turns, always with the
 *   same index and in groups of two, one of which is refused at its last
 *   request, and one of the processes unbinds. Nobody gets pages that were
 *   asked for in the name of the other.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "scene.h"

#define PAGES   4
#define PRGI    5
#define W       PT_RAW_WRITE

static struct pt pt, own;
static volatile uint32_t *pasid;    /* volatile: another process writes it */

static void setup(void)
{
    pasid = mmap(NULL, PT_PAGE, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(pasid != MAP_FAILED, "mmap: %s", strerror(errno));
    scene_map(PAGES);
    pt_open(&own, 0);
    pt_open_bound(&pt, 0);
}

/* The pages of SCENE_BASE that the other one may not get are its odd ones */
static void bind_it(void)
{
    scene_map(PAGES);
    pt_open_bound(&pt, 0);
    *pasid = pt.pasid;
}

static void unbind(void)
{
    scene_unbind(&pt);
    scene_check_pages();
}

static void ask(void)
{
    uint64_t base = SCENE_BASE;

    scene_send(&own, base + PT_PAGE, *pasid, W, PRGI);
    scene_send(&own, base, *pasid, W | PT_RAW_PRIV | PT_RAW_LAST, PRGI);
    scene_send(&own, base, pt.pasid, W, PRGI);
    scene_send(&own, base + 2 * PT_PAGE, pt.pasid, W | PT_RAW_LAST, PRGI);
}

SCENE(.name = "two-pasids", .setup = setup, .tasks = {
    SCENE_PROCESS("unbind", bind_it, unbind),
    SCENE_THREAD("ask", ask),
})
