/*
 * Title: a fault queue is detached while groups are on their way
 * What: the device asks for pages in the name of a PASID of iommufd, and the
 *   PASID is detached.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <poll.h>
#include <unistd.h>

#include "iofd.h"
#include "scene.h"

#define PASID       5u
#define OTHER_PASID 6u
#define GROUPS      4

static struct iofd io;
static struct iofd_pt pt;

static void setup(void)
{
    iofd_open(&io);
    scene_look(&io.pt);
    iofd_pt_alloc(&io, &pt, true);
    iofd_attach(&io, pt.hwpt, OTHER_PASID);     /* the queue stays in use */
    iofd_attach(&io, pt.hwpt, PASID);
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

    if (poll(&fault, 1, 0) == 1) {
        race_sign("late-group", "a group is there after the detach");
    }
}

SCENE(.name = "iommufd-detach", .setup = setup, .after = after,
      .flags = SCENE_IOMMUFD, .tasks = {
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("detach", detach),
})
