/*
 * Title: page tables of a PASID take each other's place under DMA
 * What: one task has the device write a page in the name of a PASID, one puts
 *   another page table in the place of the first and writes the page of the old
 *   one itself, one attaches and detaches the first to another PASID.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "iofd.h"
#include "scene.h"

#define PASID       5u
#define OTHER_PASID 6u
#define WRITES      4
#define MINE        0xa5

static struct iofd io;
static struct iofd_pt table[2];
static uint8_t *page[2];
static struct pt_chan ch;

static void setup(void)
{
    iofd_open(&io);
    scene_look(&io.pt);
    for (unsigned i = 0; i < 2; i++) {
        iofd_pt_alloc(&io, &table[i], false);
        page[i] = pt_map_anon(PT_PAGE);
        iofd_map(&io, table[i].ioas, SCENE_IOVA, page[i], PT_PAGE);
    }
    iofd_attach(&io, table[0].hwpt, PASID);
    io.pt.bound = true;
    io.pt.pasid = PASID;
    iofd_chan(&io, &ch, 0);
    CHECK_EQ(scene_fill(&ch, SCENE_IOVA, PT_PAGE), PT_ST_DONE, "status");
}

/* In between there may be no page table, and the write fails (S-09) */
static void write_page(void)
{
    for (unsigned i = 0; i < WRITES; i++) {
        scene_fill(&ch, SCENE_IOVA, PT_PAGE);
    }
}

static void replace(void)
{
    iofd_attach(&io, table[1].hwpt, PASID);
    *page[0] = MINE;
}

static void attach_other(void)
{
    iofd_attach(&io, table[0].hwpt, OTHER_PASID);
    iofd_detach(&io, OTHER_PASID);
}

static void after(void)
{
    if (*page[0] != MINE) {
        race_sign("written-later", "the page of the old page table: 0x%x",
                  *page[0]);
    }
}

SCENE(.name = "pasid-replace", .setup = setup, .flags = SCENE_IOMMUFD,
      .after = after, .tasks = {
    SCENE_THREAD("write", write_page),
    SCENE_THREAD("replace", replace),
    SCENE_THREAD("other", attach_other),
})
