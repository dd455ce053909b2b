/*
 * Title: a function of iommufd is reset while its page table goes
 * What: one task resets the function (FLR), one detaches the page table of the
 *   RID and attaches it again, now and then, one asks for pages without a
 *   PASID.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "iofd.h"
#include "scene.h"
#include "sysfs.h"

#define GROUPS      2
#define TURNS       6
#define EVERY_MS    20      /* so that some are in a reset of 100 ms */

static struct iofd io;
static struct iofd_pt pt;

static void setup(void)
{
    iofd_open(&io);
    scene_look(&io.pt);
    iofd_pt_alloc(&io, &pt, true);
    iofd_attach(&io, pt.hwpt, IOFD_NO_PASID);
}

static void ask(void)
{
    scene_ask(&io.pt, SCENE_IOVA, SCENE_NO_PASID, GROUPS);
}

static void reset(void)
{
    sysfs_flr(io.pci_name);
}

static void detach(void)
{
    bool attached = true;

    for (unsigned i = 0; i < TURNS; i++) {
        if (attached) {
            iofd_detach(&io, IOFD_NO_PASID);
        }
        attached = !iofd_try_attach(&io, pt.hwpt, IOFD_NO_PASID);  /* busy */
        pt_sleep_ms(EVERY_MS);
    }
}

SCENE(.name = "iommufd-reset", .setup = setup, .seconds = 8,
      .flags = SCENE_IOMMUFD | SCENE_LOSES, .tasks = {
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("reset", reset),
    SCENE_THREAD("detach", detach),
})
