/*
 * Title: a function vanishes while another one's memory is unmapped
 * What: one task makes function 0 vanish and unmaps memory that it may have
 *   cached, which times out; a process that is bound to function 1 unmaps its
 *   own, more often than the invalidation queue has room.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>
#include <sys/mman.h>

#include "hw/i386/vtd-knobs.h"
#include "hw/misc/pri-testdev-knobs.h"
#include "scene.h"

#define PAGES   2
#define OFTEN   100             /* 256 entries, three or more a time */

static struct pt other;
static uint8_t *own;

static void setup(void)
{
    scene_begin(PAGES);
    for (unsigned i = 0; i < PAGES; i++) {
        *scene_page(i) = 1;
    }
    pt_iommu_knob(&scene_asks, VTD_KNOB_ITE_TIMEOUT, SCENE_ITE_MS);
}

static void vanish(void)
{
    pt_knob_blind(&scene_asks, PT_KNOB_GONE, 1);
    for (unsigned i = 0; i < PAGES; i++) {
        madvise(scene_page(i), PT_PAGE, MADV_DONTNEED);
    }
}

static void bind_other(void)
{
    pt_open_bound(&other, 1);
    own = pt_map_anon(PT_PAGE);
}

static void unmap_own(void)
{
    for (unsigned i = 0; i < OFTEN; i++) {
        *own = 1;
        madvise(own, PT_PAGE, MADV_DONTNEED);
    }
}

SCENE(.name = "gone-beside", .setup = setup, .seconds = 3,
      .flags = SCENE_LOSES | SCENE_GONE, .tasks = {
    SCENE_THREAD("vanish", vanish),
    SCENE_PROCESS("beside", bind_other, unmap_own),
})
