/*
 * Title: memory is unmapped while a reset has left ATS disabled
 * What: one task resets the function (FLR), whose binding the IOMMU core keeps,
 *   one unmaps memory again and again, as the reset takes a while to begin. The
 *   function completes no Invalidate Request that reaches it with ATS disabled,
 *   so one that was sent shows as a time-out. It has Immediate Readiness: there
 *   is no wait in the reset in which the other task would come to its end.
 *
 * @device immediate-readiness=on
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>
#include <sys/mman.h>

#include "hw/i386/vtd-knobs.h"
#include "hw/misc/pri-testdev-knobs.h"
#include "scene.h"

#define PAGES           4
#define TIMES           40
#define DROP            1           /* inv-when-e0 */

static void setup(void)
{
    scene_begin_kept(PAGES);
    pt_iommu_knob(&scene_asks, VTD_KNOB_ITE_TIMEOUT, SCENE_ITE_MS);
    pt_knob(&scene_asks, PT_KNOB_INV_WHEN_E0, DROP);
}

static void unmap(void)
{
    for (unsigned i = 0; i < TIMES * PAGES; i++) {
        *scene_page(i % PAGES) = 1;
        madvise(scene_page(i % PAGES), PT_PAGE, MADV_DONTNEED);
    }
}

SCENE(.name = "reset-ats", .setup = setup, .after = scene_check_timeouts,
      .flags = SCENE_LOSES, .tasks = {
    SCENE_THREAD("unmap", unmap),
    SCENE_THREAD("reset", scene_flr),
})
