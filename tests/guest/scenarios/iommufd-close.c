/*
 * Title: everything of iommufd is closed at once, under groups
 * What: one task asks for pages and closes the function, which detaches and
 *   resets it; one answers groups and closes the fault queue; one closes
 *   /dev/iommu, which destroys what is not in use.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <sys/mman.h>
#include <unistd.h>

#include "iofd.h"
#include "scene.h"

#define PASID   5u
#define GROUPS  4
#define WAIT_MS 2

static struct iofd io;
static struct iofd_pt pt;

static void setup(void)
{
    iofd_open(&io);
    iofd_pt_alloc(&io, &pt, true);
    iofd_attach(&io, pt.hwpt, PASID);
}

/* The mapping of its registers holds the function open, too */
static void close_function(void)
{
    scene_ask(&io.pt, SCENE_IOVA, PASID, GROUPS);
    munmap((void *)io.pt.func, io.bar0_size);
    close(io.dev);
}

static void close_queue(void)
{
    iofd_answer(&pt, WAIT_MS);
    close(pt.fault_fd);
}

static void close_iommu(void)
{
    close(io.iommu);
}

SCENE(.name = "iommufd-close", .setup = setup, .seconds = 8,
      .flags = SCENE_IOMMUFD | SCENE_LOSES, .tasks = {
    SCENE_THREAD("close", close_function),
    SCENE_THREAD("answer", close_queue),
    SCENE_THREAD("iommu", close_iommu),
})
