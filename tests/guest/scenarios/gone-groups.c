/*
 * Title: a function vanishes while it is unbound
 * What: one task makes the function vanish, which answers nothing from then on
 *   and is not there for software either, one unmaps memory, one unbinds.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>
#include <sys/mman.h>

#include "hw/i386/vtd-knobs.h"
#include "hw/misc/pri-testdev-knobs.h"
#include "scene.h"

static void setup(void)
{
    scene_begin(2);
    *scene_page(0) = 1;
    pt_iommu_knob(&scene_asks, VTD_KNOB_ITE_TIMEOUT, SCENE_ITE_MS);
}

static void vanish(void)
{
    pt_knob_blind(&scene_asks, PT_KNOB_GONE, 1);
}

static void unmap(void)
{
    madvise(scene_page(0), PT_PAGE, MADV_DONTNEED);
}

SCENE(.name = "gone-groups", .setup = setup, .seconds = 8,
      .flags = SCENE_LOSES | SCENE_GONE, .tasks = {
    SCENE_THREAD("vanish", vanish),
    SCENE_THREAD("unmap", unmap),
    SCENE_THREAD("unbind", scene_unbind_bound),
})
