/*
 * Title: one page table with a fault queue comes to two PASIDs and goes
 * What: one task asks for pages in the name of one PASID and of another one,
 *   one detaches the first and attaches it again, one attaches the page table
 *   to the other one and detaches it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "iofd.h"
#include "scene.h"

#define PASID       5u
#define OTHER_PASID 6u
#define GROUPS      3

static struct iofd io;
static struct iofd_pt pt;

static void setup(void)
{
    iofd_open(&io);
    scene_look(&io.pt);
    iofd_pt_alloc(&io, &pt, true);
    iofd_attach(&io, pt.hwpt, PASID);
}

/* Before, while and after a PASID has the page table */
static void ask(void)
{
    scene_ask(&io.pt, SCENE_IOVA, PASID, GROUPS);
    scene_ask(&io.pt, SCENE_IOVA, OTHER_PASID, GROUPS);
}

static void detach(void)
{
    iofd_detach(&io, PASID);
    iofd_attach(&io, pt.hwpt, PASID);
    iofd_detach(&io, PASID);
}

static void other(void)
{
    iofd_attach(&io, pt.hwpt, OTHER_PASID);
    iofd_detach(&io, OTHER_PASID);
}

SCENE(.name = "two-attaches", .setup = setup, .flags = SCENE_IOMMUFD,
      .tasks = {
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("detach", detach),
    SCENE_THREAD("other", other),
})
