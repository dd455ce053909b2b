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

#define GROUPS      4
#define UNTIL_PD    2               /* prq-hold */
#define ANSWERED_MS 50

static struct pt pt, own;

static void setup(void)
{
    scene_map(GROUPS);
    pt_open(&own, 0);
    pt_open_bound(&pt, 0);
    pt_iommu_knob(&own, VTD_KNOB_PRQ_HOLD, UNTIL_PD);
}

static void ask(void)
{
    scene_ask(&own, SCENE_BASE, pt.pasid, GROUPS);
}

static void unbind(void)
{
    scene_unbind(&pt);
}

static void after(void)
{
    pt_iommu_knob(&own, VTD_KNOB_PRQ_HOLD, 0);
    pt_sleep_ms(ANSWERED_MS);
}

SCENE(.name = "unbind-late", .setup = setup, .after = after, .tasks = {
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("unbind", unbind),
})
