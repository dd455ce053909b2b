/*
 * Title: a page table and its fault queue are destroyed under groups
 * What: one task asks, one detaches the PASID and destroys the page table, one
 *   closes the fault queue and destroys it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <sys/ioctl.h>
#include <unistd.h>

#include "iofd.h"
#include "scene.h"

#define PASID   5u
#define GROUPS  4
#define TRIES   20              /* it is busy as long as it is in use */

static struct iofd io;
static struct iofd_pt pt;

static void setup(void)
{
    iofd_open(&io);
    scene_look(&io.pt);
    iofd_pt_alloc(&io, &pt, true);
    iofd_attach(&io, pt.hwpt, PASID);
}

static void ask(void)
{
    scene_ask(&io.pt, SCENE_IOVA, PASID, GROUPS);
}

static void destroy_id(uint32_t id)
{
    struct iofd_destroy req = { .size = sizeof(req), .id = id };

    for (unsigned i = 0; i < TRIES &&
         ioctl(io.iommu, IOFD_DESTROY, &req); i++) {
        usleep(10);
    }
}

static void destroy(void)
{
    iofd_detach(&io, PASID);
    destroy_id(pt.hwpt);
}

static void close_queue(void)
{
    close(pt.fault_fd);
    destroy_id(pt.fault);
}

SCENE(.name = "hwpt-destroy", .setup = setup, .flags = SCENE_IOMMUFD,
      .tasks = {
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("destroy", destroy),
    SCENE_THREAD("close", close_queue),
})
