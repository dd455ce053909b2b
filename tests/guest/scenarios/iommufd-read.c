/*
 * Title: groups of a fault queue are read and answered while it is detached
 * What: the device asks for pages in the name of a PASID of iommufd, one task
 *   reads the groups and answers them, one detaches the PASID.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "scene-iofd.h"

#define GROUPS  4
#define WAIT_MS 2

static void setup(void)
{
    scene_begin_iofd(SCENE_PASID, GROUPS);
}

static void answer(void)
{
    unsigned turns = 0;

    while (turns < GROUPS && iofd_answer(&scene_pt, WAIT_MS)) {
        turns++;
    }
}

static void detach(void)
{
    iofd_detach(&scene_io, SCENE_PASID);
}

SCENE(.name = "iommufd-read", .setup = setup, .flags = SCENE_IOMMUFD,
      .tasks = {
    SCENE_THREAD("ask", scene_ask_iofd),
    SCENE_THREAD("answer", answer),
    SCENE_THREAD("detach", detach),
})
