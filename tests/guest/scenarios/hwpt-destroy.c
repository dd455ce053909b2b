/*
 * Title: a page table and its fault queue are destroyed under groups
 * What: one task asks, one detaches the PASID and destroys the page table, one
 *   closes the fault queue and destroys it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <sys/ioctl.h>
#include <unistd.h>

#include "scene-iofd.h"

#define TRIES   20              /* it is busy as long as it is in use */

static void setup(void)
{
    scene_begin_iofd(SCENE_PASID, 4);
}

static void destroy_id(uint32_t id)
{
    struct iofd_destroy req = { .size = sizeof(req), .id = id };

    for (unsigned i = 0; i < TRIES &&
         ioctl(scene_io.iommu, IOFD_DESTROY, &req); i++) {
        usleep(10);
    }
}

static void destroy(void)
{
    iofd_detach(&scene_io, SCENE_PASID);
    destroy_id(scene_pt.hwpt);
}

static void close_queue(void)
{
    close(scene_pt.fault_fd);
    destroy_id(scene_pt.fault);
}

SCENE(.name = "hwpt-destroy", .setup = setup, .flags = SCENE_IOMMUFD,
      .tasks = {
    SCENE_THREAD("ask", scene_ask_iofd),
    SCENE_THREAD("destroy", destroy),
    SCENE_THREAD("close", close_queue),
})
