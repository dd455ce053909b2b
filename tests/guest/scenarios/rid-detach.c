/*
 * Title: a page table of the RID goes while requests without a PASID come
 * What: the device asks without a PASID, and the page table is taken off and
 *   put on again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "rid.h"

SCENE(.name = "rid-detach", .setup = rid_setup, .tasks = {
    SCENE_THREAD("ask", rid_ask),
    SCENE_THREAD("detach", rid_detach),
})
