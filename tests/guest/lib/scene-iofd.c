/*
 * Parts of scenarios in which user space has function 0
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <poll.h>

#include "scene-iofd.h"

struct iofd scene_io;
struct iofd_pt scene_pt;

static uint32_t attached;           /* PASID, or IOFD_NO_PASID */
static unsigned groups;

void scene_begin_iofd(uint32_t pasid, unsigned n)
{
    attached = pasid;
    groups = n;
    iofd_open(&scene_io);
    scene_look(&scene_io.pt);
    iofd_pt_alloc(&scene_io, &scene_pt, true);
    iofd_attach(&scene_io, scene_pt.hwpt, pasid);
}

void scene_ask_iofd(void)
{
    scene_ask(&scene_io.pt, SCENE_IOVA,
              attached == IOFD_NO_PASID ? SCENE_NO_PASID : attached, groups);
}

void scene_detach_iofd(void)
{
    unsigned asked = scene_asked();

    iofd_detach(&scene_io, attached);
    scene_check_drained(&scene_io.pt, asked);
}

void scene_check_late(void)
{
    struct pollfd fault = { .fd = scene_pt.fault_fd, .events = POLLIN };

    if (poll(&fault, 1, 0) == 1) {
        race_sign("late-group", "a group is there after the detach");
    }
}
