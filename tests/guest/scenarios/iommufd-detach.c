/*
 * Title: a fault queue is detached while groups are on their way
 * What: the device asks for pages in the name of a PASID of iommufd, and the
 *   PASID is detached.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "scene-iofd.h"

static void setup(void)
{
    scene_begin_iofd(SCENE_PASID, 4);
    /* The queue stays in use */
    iofd_attach(&scene_io, scene_pt.hwpt, SCENE_OTHER_PASID);
}

SCENE(.name = "iommufd-detach", .setup = setup, .after = scene_check_late,
      .flags = SCENE_IOMMUFD, .tasks = {
    SCENE_THREAD("ask", scene_ask_iofd),
    SCENE_THREAD("detach", scene_detach_iofd),
})
