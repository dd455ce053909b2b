/*
 * Title: a fault queue is detached, requests are written when the drain waits
 * What: as iommufd-detach, with an IOMMU that keeps the requests it has
 *   received until a wait descriptor with PD=1 is there (VT-d 7.7), which is
 *   the latest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <poll.h>
#include <stdint.h>

#include "hw/i386/vtd-knobs.h"
#include "iofd.h"
#include "scene.h"

#define PASID       5u
#define OTHER_PASID 6u
#define GROUPS      4
#define UNTIL_PD    2               /* prq-hold */
#define ANSWERED_MS 50

static struct iofd io;
static struct iofd_pt pt;

static void setup(void)
{
    iofd_open(&io);
    scene_look(&io.pt);
    iofd_pt_alloc(&io, &pt, true);
    iofd_attach(&io, pt.hwpt, OTHER_PASID);     /* the queue stays in use */
    iofd_attach(&io, pt.hwpt, PASID);
    pt_iommu_knob(&io.pt, VTD_KNOB_PRQ_HOLD, UNTIL_PD);
}

static void ask(void)
{
    scene_ask(&io.pt, SCENE_IOVA, PASID, GROUPS);
}

static void detach(void)
{
    unsigned asked = scene_asked();

    iofd_detach(&io, PASID);
    scene_check_drained(&io.pt, asked);
}

/* A group that came after the end of the attachment is nobody's */
static void after(void)
{
    struct pollfd fault = { .fd = pt.fault_fd, .events = POLLIN };

    pt_iommu_knob(&io.pt, VTD_KNOB_PRQ_HOLD, 0);
    pt_sleep_ms(ANSWERED_MS);
    if (poll(&fault, 1, 0) == 1) {
        race_sign("late-group", "a group is there after the detach");
    }
}

SCENE(.name = "iommufd-late", .setup = setup, .after = after,
      .flags = SCENE_IOMMUFD, .tasks = {
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("detach", detach),
})
