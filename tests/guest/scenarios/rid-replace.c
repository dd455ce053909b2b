/*
 * Title: page tables of the RID take each other's place under requests
 * What: one task puts a page table without a fault queue in the place of one
 *   that has one, and takes it off, one asks for pages without a PASID. Then
 *   the function is removed from its bus.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "iofd.h"
#include "scene.h"
#include "sysfs.h"

#define GROUPS  2

static struct iofd io;
static struct iofd_pt with, without;

static void setup(void)
{
    iofd_open(&io);
    scene_look(&io.pt);
    iofd_pt_alloc(&io, &with, true);
    iofd_pt_alloc(&io, &without, false);
    iofd_attach(&io, with.hwpt, IOFD_NO_PASID);
}

static void ask(void)
{
    scene_ask(&io.pt, SCENE_IOVA, SCENE_NO_PASID, GROUPS);
}

static void replace(void)
{
    iofd_attach(&io, without.hwpt, IOFD_NO_PASID);
    iofd_detach(&io, IOFD_NO_PASID);
}

static void after(void)
{
    scene_look(NULL);
    iofd_close(&io);
    sysfs_remove(io.pci_name);
}

SCENE(.name = "rid-replace", .setup = setup, .after = after,
      .flags = SCENE_IOMMUFD | SCENE_LOSES, .tasks = {
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("replace", replace),
})
