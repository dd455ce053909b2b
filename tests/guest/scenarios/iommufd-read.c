/*
 * Title: groups of a fault queue are read and answered while it is detached
 * What: the device asks for pages in the name of a PASID of iommufd, one task
 *   reads the groups and answers them, one detaches the PASID.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "iofd.h"
#include "scene.h"

#define PASID   5u
#define GROUPS  4
#define WAIT_MS 2

static struct iofd io;
static struct iofd_pt pt;

static void setup(void)
{
    iofd_open(&io);
    scene_look(&io.pt);
    iofd_pt_alloc(&io, &pt, true);
    iofd_attach(&io, pt.hwpt, PASID);
}

static void ask(void)
{
    scene_ask(&io.pt, SCENE_IOVA, PASID, GROUPS);
}

static void answer(void)
{
    unsigned turns = 0;

    while (turns < GROUPS && iofd_answer(&pt, WAIT_MS)) {
        turns++;
    }
}

static void detach(void)
{
    iofd_detach(&io, PASID);
}

SCENE(.name = "iommufd-read", .setup = setup, .flags = SCENE_IOMMUFD,
      .tasks = {
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("answer", answer),
    SCENE_THREAD("detach", detach),
})
