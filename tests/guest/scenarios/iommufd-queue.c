/*
 * Title: a fault queue is read while its page table is replaced
 * What: one task asks, one reads groups of the fault queue and answers them,
 *   and one puts another page table in the place of the first and detaches it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "scene-iofd.h"

#define GROUPS      4
#define WAIT_MS     2

static struct iofd_pt other;

static void setup(void)
{
    scene_begin_iofd(SCENE_PASID, GROUPS);
    iofd_pt_alloc(&scene_io, &other, true);
}

/* What is still unread at the end is answered by the kernel */
static void answer(void)
{
    for (unsigned i = 0; i < GROUPS; i++) {
        iofd_answer(&scene_pt, WAIT_MS);
    }
}

static void replace(void)
{
    iofd_attach(&scene_io, other.hwpt, SCENE_PASID);
    iofd_detach(&scene_io, SCENE_PASID);
}

SCENE(.name = "iommufd-queue", .setup = setup, .flags = SCENE_IOMMUFD,
      .tasks = {
    SCENE_THREAD("ask", scene_ask_iofd),
    SCENE_THREAD("answer", answer),
    SCENE_THREAD("replace", replace),
})
