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

#include "scene-iofd.h"

#define WAIT_MS 2

static void setup(void)
{
    scene_begin_iofd(SCENE_PASID, 4);
    scene_look(NULL);                   /* its registers go */
}

/* The mapping of its registers holds the function open, too */
static void close_function(void)
{
    scene_ask_iofd();
    munmap((void *)scene_io.pt.func, scene_io.bar0_size);
    close(scene_io.dev);
}

static void close_queue(void)
{
    iofd_answer(&scene_pt, WAIT_MS);
    close(scene_pt.fault_fd);
}

static void close_iommu(void)
{
    close(scene_io.iommu);
}

SCENE(.name = "iommufd-close", .setup = setup, .seconds = 8,
      .flags = SCENE_IOMMUFD | SCENE_LOSES, .tasks = {
    SCENE_THREAD("close", close_function),
    SCENE_THREAD("answer", close_queue),
    SCENE_THREAD("iommu", close_iommu),
})
