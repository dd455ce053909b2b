/*
 * Title: the page request queue overflows while it is drained
 * What: with room for two requests in the queue one task asks for more in
 *   groups of two, and another one unbinds.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>

#include "hw/i386/vtd-knobs.h"
#include "scene.h"

#define GROUPS  4
#define DEPTH   2               /* entries at which the queue is full */

static void setup(void)
{
    scene_begin(2 * GROUPS);
}

static void ask(void)
{
    pt_iommu_knob(&scene_asks, VTD_KNOB_PRQ_DEPTH, DEPTH);
    for (unsigned i = 0; i < 2 * GROUPS; i++) {
        scene_send(&scene_asks, (uintptr_t)scene_page(i), scene_pasid(),
                   PT_RAW_WRITE | (i % 2 ? PT_RAW_LAST : 0), i / 2);
    }
    pt_iommu_knob(&scene_asks, VTD_KNOB_PRQ_DEPTH, 0);
}

SCENE(.name = "overflow-drain", .setup = setup, .tasks = {
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("unbind", scene_unbind_bound),
})
