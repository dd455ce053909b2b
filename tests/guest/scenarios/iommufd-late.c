/*
 * Title: a fault queue is detached, requests are written when the drain waits
 * What: as iommufd-detach, with an IOMMU that keeps the requests it has
 *   received until a wait descriptor with PD=1 is there (VT-d 7.7), which is
 *   the latest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>

#include "hw/i386/vtd-knobs.h"
#include "scene-iofd.h"

#define UNTIL_PD    2               /* prq-hold */
#define ANSWERED_MS 50

static void setup(void)
{
    scene_begin_iofd(SCENE_PASID, 4);
    /* The queue stays in use */
    iofd_attach(&scene_io, scene_pt.hwpt, SCENE_OTHER_PASID);
    pt_iommu_knob(&scene_io.pt, VTD_KNOB_PRQ_HOLD, UNTIL_PD);
}

static void after(void)
{
    pt_iommu_knob(&scene_io.pt, VTD_KNOB_PRQ_HOLD, 0);
    pt_sleep_ms(ANSWERED_MS);
    scene_check_late();
}

SCENE(.name = "iommufd-late", .setup = setup, .after = after,
      .flags = SCENE_IOMMUFD, .tasks = {
    SCENE_THREAD("ask", scene_ask_iofd),
    SCENE_THREAD("detach", scene_detach_iofd),
})
