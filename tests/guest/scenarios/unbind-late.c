/*
 * Title: a process unbinds, requests are written when the drain waits
 * What: as unbind-faults, with an IOMMU that keeps the requests it has received
 *   until a wait descriptor with PD=1 is there (VT-d 7.7), which is the latest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>

#include "hw/i386/vtd-knobs.h"
#include "scene.h"

#define UNTIL_PD    2               /* prq-hold */
#define ANSWERED_MS 50

static void setup(void)
{
    scene_begin(4);
    pt_iommu_knob(&scene_asks, VTD_KNOB_PRQ_HOLD, UNTIL_PD);
}

static void after(void)
{
    pt_iommu_knob(&scene_asks, VTD_KNOB_PRQ_HOLD, 0);
    pt_sleep_ms(ANSWERED_MS);
}

SCENE(.name = "unbind-late", .setup = setup, .after = after, .tasks = {
    SCENE_THREAD("ask", scene_ask_groups),
    SCENE_THREAD("unbind", scene_unbind_bound),
})
