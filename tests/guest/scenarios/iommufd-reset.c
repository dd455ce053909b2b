/*
 * Title: a function of iommufd is reset while its page table goes
 * What: one task resets the function (FLR), one detaches the page table of the
 *   RID and attaches it again, now and then, one asks for pages without a
 *   PASID.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "scene-iofd.h"
#include "sysfs.h"

#define TURNS       6
#define EVERY_MS    20      /* so that some are in a reset of 100 ms */

static void setup(void)
{
    scene_begin_iofd(IOFD_NO_PASID, 2);
}

static void reset(void)
{
    sysfs_flr(scene_io.pci_name);
}

static void detach(void)
{
    bool attached = true;

    for (unsigned i = 0; i < TURNS; i++) {
        if (attached) {
            iofd_detach(&scene_io, IOFD_NO_PASID);
        }
        attached = !iofd_try_attach(&scene_io, scene_pt.hwpt,
                                    IOFD_NO_PASID);     /* busy */
        pt_sleep_ms(EVERY_MS);
    }
}

SCENE(.name = "iommufd-reset", .setup = setup, .seconds = 8,
      .flags = SCENE_IOMMUFD | SCENE_LOSES, .tasks = {
    SCENE_THREAD("ask", scene_ask_iofd),
    SCENE_THREAD("reset", reset),
    SCENE_THREAD("detach", detach),
})
