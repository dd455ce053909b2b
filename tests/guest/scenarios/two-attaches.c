/*
 * Title: one page table with a fault queue comes to two PASIDs and goes
 * What: one task asks for pages in the name of one PASID and of another one,
 *   one detaches the first and attaches it again, one attaches the page table
 *   to the other one and detaches it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "scene-iofd.h"

#define GROUPS  3

static void setup(void)
{
    scene_begin_iofd(SCENE_PASID, GROUPS);
}

/* Before, while and after a PASID has the page table */
static void ask(void)
{
    scene_ask_iofd();
    scene_ask(&scene_io.pt, SCENE_IOVA, SCENE_OTHER_PASID, GROUPS);
}

static void detach(void)
{
    iofd_detach(&scene_io, SCENE_PASID);
    iofd_attach(&scene_io, scene_pt.hwpt, SCENE_PASID);
    iofd_detach(&scene_io, SCENE_PASID);
}

static void other(void)
{
    iofd_attach(&scene_io, scene_pt.hwpt, SCENE_OTHER_PASID);
    iofd_detach(&scene_io, SCENE_OTHER_PASID);
}

SCENE(.name = "two-attaches", .setup = setup, .flags = SCENE_IOMMUFD,
      .tasks = {
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("detach", detach),
    SCENE_THREAD("other", other),
})
