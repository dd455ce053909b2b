/*
 * Title: iommufd detaches while the CPU of the requests is busy
 * What: one task asks for pages, one detaches and attaches, one takes CPU 0,
 *   where requests are reported, with a real-time priority.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "scene-iofd.h"

#define BUSY    0.06            /* seconds */

static void setup(void)
{
    scene_begin_iofd(SCENE_PASID, 4);
    /* The queue stays in use */
    iofd_attach(&scene_io, scene_pt.hwpt, SCENE_OTHER_PASID);
}

static void busy(void)
{
    scene_busy(BUSY);
}

SCENE(.name = "iommufd-busy", .setup = setup, .after = scene_check_late,
      .flags = SCENE_IOMMUFD, .tasks = {
    SCENE_THREAD("ask", scene_ask_iofd),
    SCENE_THREAD("detach", scene_detach_iofd),
    SCENE_THREAD("busy", busy),
})
