/*
 * Title: memory is unmapped while PASIDs of its page table come and go
 * What: one task has the device write pages in the name of one PASID, one
 *   unmaps them and writes them itself, one attaches the page table to another
 *   PASID and detaches it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "iofd.h"
#include "scene.h"

#define PASID       5u
#define OTHER_PASID 6u
#define PAGES       3u
#define MINE        0xa5

static struct iofd io;
static struct iofd_pt pt;
static uint8_t *page[PAGES];
static struct pt_chan ch;

static uint64_t iova(unsigned i)
{
    return SCENE_IOVA + i * PT_HUGE;    /* each has tables of its own */
}

static void setup(void)
{
    iofd_open(&io);
    scene_look(&io.pt);
    iofd_pt_alloc(&io, &pt, false);
    for (unsigned i = 0; i < PAGES; i++) {
        page[i] = pt_map_anon(PT_PAGE);
        iofd_map(&io, pt.ioas, iova(i), page[i], PT_PAGE);
    }
    iofd_attach(&io, pt.hwpt, PASID);
    io.pt.bound = true;
    io.pt.pasid = PASID;
    iofd_chan(&io, &ch, 0);
    for (unsigned i = 0; i < PAGES; i++) {
        CHECK_EQ(scene_fill(&ch, iova(i), PT_PAGE), PT_ST_DONE, "status");
    }
}

/* What is unmapped by then fails */
static void write_pages(void)
{
    for (unsigned i = 0; i < 2 * PAGES; i++) {
        scene_fill(&ch, iova(i % PAGES), PT_PAGE);
    }
}

static void unmap(void)
{
    for (unsigned i = 0; i < PAGES; i++) {
        iofd_unmap(&io, pt.ioas, iova(i), PT_PAGE);
        *page[i] = MINE;
    }
}

static void attach_other(void)
{
    for (unsigned i = 0; i < 2; i++) {
        iofd_attach(&io, pt.hwpt, OTHER_PASID);
        iofd_detach(&io, OTHER_PASID);
    }
}

static void after(void)
{
    for (unsigned i = 0; i < PAGES; i++) {
        if (*page[i] != MINE) {
            race_sign("written-later", "page %u, which is unmapped: 0x%x", i,
                      *page[i]);
        }
    }
}

SCENE(.name = "iommufd-unmap", .setup = setup, .flags = SCENE_IOMMUFD,
      .after = after, .tasks = {
    SCENE_THREAD("write", write_pages),
    SCENE_THREAD("unmap", unmap),
    SCENE_THREAD("other", attach_other),
})
