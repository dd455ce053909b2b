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

static struct pt pt, own;

static void setup(void)
{
    scene_map(2 * GROUPS);
    pt_open(&own, 0);
    pt_open_bound(&pt, 0);
}

static void ask(void)
{
    pt_iommu_knob(&own, VTD_KNOB_PRQ_DEPTH, DEPTH);
    for (unsigned i = 0; i < 2 * GROUPS; i++) {
        scene_send(&own, (uintptr_t)scene_page(i), pt.pasid,
                   PT_RAW_WRITE | (i % 2 ? PT_RAW_LAST : 0), i / 2);
    }
    pt_iommu_knob(&own, VTD_KNOB_PRQ_DEPTH, 0);
}

static void unbind(void)
{
    scene_unbind(&pt);
}

SCENE(.name = "overflow-drain", .setup = setup, .tasks = {
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("unbind", unbind),
})
