/*
 * Title: a fault queue is closed and destroyed at once
 * What: one task closes the file of a fault queue, another one destroys the
 *   queue by its ID.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "iofd-abi.h"
#include "scene.h"

#define TRIES   20              /* it is busy until it is closed */

static struct iofd_fault_alloc queue = { .size = sizeof(queue) };
static int iommu;

static void setup(void)
{
    iommu = open("/dev/iommu", O_RDWR | O_CLOEXEC);
    CHECK(iommu >= 0, "/dev/iommu: %s", strerror(errno));
    CHECK(!ioctl(iommu, IOFD_FAULT_ALLOC, &queue), "fault queue: %s",
          strerror(errno));
}

static void close_it(void)
{
    close(queue.out_fault_fd);
}

static void destroy(void)
{
    struct iofd_destroy req = {
        .size = sizeof(req), .id = queue.out_fault_id,
    };

    for (unsigned i = 0; i < TRIES && ioctl(iommu, IOFD_DESTROY, &req); i++) {
        usleep(10);
    }
}

SCENE(.name = "queue-close", .setup = setup, .flags = SCENE_IOMMUFD,
      .tasks = {
    SCENE_THREAD("close", close_it),
    SCENE_THREAD("destroy", destroy),
})
