/*
 * Title: a page table is detached while the CPU of its requests is busy
 * What: one task asks for pages without a PASID, one detaches the page table of
 *   the function, one takes CPU 0, where requests are reported, with a
 *   real-time priority.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "rid.h"

#define BUSY    0.06            /* seconds */

static void busy(void)
{
    scene_busy(BUSY);
}

SCENE(.name = "detach-busy", .setup = rid_setup, .tasks = {
    SCENE_THREAD("ask", rid_ask),
    SCENE_THREAD("detach", rid_detach),
    SCENE_THREAD("busy", busy),
})
