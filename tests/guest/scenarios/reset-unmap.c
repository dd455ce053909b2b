/*
 * Title: memory is unmapped while the function is reset
 * What: one task unmaps memory that the device has used and maps it again, now
 *   and then, one resets the function (FLR), one has the device write. The
 *   function is away for longer than an invalidation may take, and loses those
 *   that come.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>
#include <sys/mman.h>

#include "hw/i386/vtd-knobs.h"
#include "hw/misc/pri-testdev-knobs.h"
#include "scene.h"

#define FLR_MS          130
#define ALL_ONES        1       /* flr-config */
#define TURNS           8
#define EVERY_MS        20      /* so that some are in a reset of 100 ms */

static struct pt_chan ch;

static void setup(void)
{
    scene_begin_kept(4);
    pt_chan(&scene_bound, &ch);
    CHECK_EQ(scene_write(&ch, 0), PT_ST_DONE, "status");
    pt_iommu_knob(&scene_asks, VTD_KNOB_ITE_TIMEOUT, SCENE_ITE_MS);
    pt_knob(&scene_asks, PT_KNOB_FLR_DURATION, FLR_MS);
    pt_knob(&scene_asks, PT_KNOB_FLR_CONFIG, ALL_ONES);
}

static void unmap(void)
{
    for (unsigned i = 0; i < TURNS; i++) {
        madvise(scene_page(i % 3), PT_PAGE, MADV_DONTNEED);
        *scene_page(i % 3) = 1;
        pt_sleep_ms(EVERY_MS);
    }
}

static void use(void)
{
    scene_write(&ch, 3);            /* the reset may end it */
}

SCENE(.name = "reset-unmap", .setup = setup, .seconds = 8,
      .after = scene_check_timeouts,
      .flags = SCENE_LOSES, .tasks = {
    SCENE_THREAD("unmap", unmap),
    SCENE_THREAD("reset", scene_flr),
    SCENE_THREAD("use", use),
})
