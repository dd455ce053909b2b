/*
 * Title: a PASID gets its next owner while the old one's groups come
 * What: the owner of a PASID ends and another process binds at once, which
 *   gets the PASID if it is free by then; the device still asks in its name.
 *   The new owner gets no page but those it has asked for itself.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scene.h"

#define GROUPS  3

static struct pt pt, own;
static volatile uint32_t *pasid;    /* volatile: another process writes it */

static void setup(void)
{
    pasid = mmap(NULL, PT_PAGE, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(pasid != MAP_FAILED, "mmap: %s", strerror(errno));
    pt_open(&own, 0);
}

static void bind_first(void)
{
    scene_map(GROUPS);
    pt_open_bound(&pt, 0);
    *pasid = pt.pasid;
}

static void end(void)
{
    scene_unbind(&pt);
}

static void map_next(void)
{
    scene_map(GROUPS);
    pt_open(&pt, 0);
}

/* Pages of the old owner are odd ones here: nobody may get them */
static void bind_next(void)
{
    struct pt_chan ch;

    if (scene_bind(&pt)) {
        pt_chan(&pt, &ch);
        scene_write(&ch, 0);
        scene_unbind(&pt);
    }
    scene_check_pages();
}

static void ask(void)
{
    for (unsigned i = 0; i < GROUPS; i++) {
        scene_send(&own, SCENE_BASE + (2 * i + 1) * PT_PAGE, *pasid,
                   PT_RAW_WRITE | PT_RAW_LAST, i);
    }
}

SCENE(.name = "reuse-pasid", .setup = setup, .tasks = {
    SCENE_PROCESS("end", bind_first, end),
    SCENE_PROCESS("next", map_next, bind_next),
    SCENE_THREAD("ask", ask),
})
