/*
 * Title: a fault queue is read while its page table is replaced
 * What: one task asks, one reads groups of the fault queue and answers them,
 *   and one puts another page table in the place of the first and detaches it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "iofd.h"
#include "scene.h"

#define PASID       5u
#define OTHER_PASID 6u
#define GROUPS      4
#define WAIT_MS     2

static struct iofd io;
static struct iofd_pt pt, other;

static void setup(void)
{
    iofd_open(&io);
    scene_look(&io.pt);
    iofd_pt_alloc(&io, &pt, true);
    iofd_pt_alloc(&io, &other, true);
    iofd_attach(&io, pt.hwpt, PASID);
}

static void ask(void)
{
    scene_ask(&io.pt, SCENE_IOVA, PASID, GROUPS);
}

/* What is still unread at the end is answered by the kernel */
static void answer(void)
{
    for (unsigned i = 0; i < GROUPS; i++) {
        iofd_answer(&pt, WAIT_MS);
    }
}

static void replace(void)
{
    iofd_attach(&io, other.hwpt, PASID);
    iofd_detach(&io, PASID);
}

SCENE(.name = "iommufd-queue", .setup = setup, .flags = SCENE_IOMMUFD,
      .tasks = {
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("answer", answer),
    SCENE_THREAD("replace", replace),
})
