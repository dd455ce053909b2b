/*
 * Title: a PASID is stopped by a marker and bound again
 * What: the device writes pages that nobody has touched, one task stops the
 *   PASID with a stop marker, one unbinds and binds again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "scene.h"

static struct pt_chan ch;

static void setup(void)
{
    scene_begin(8);
    pt_chan(&scene_bound, &ch);
}

static void use(void)
{
    for (unsigned i = 0; i < 4; i++) {
        scene_write(&ch, i);        /* the stop may end it */
    }
}

static void stop(void)
{
    pt_wr32(scene_asks.func, PT_STOP_PASID, scene_pasid() | PT_STOP_MARKER);
    while (pt_rd32(scene_asks.func, PT_STOP_STATUS) == PT_STOP_BUSY) {
        pt_sleep_ms(1);
    }
}

SCENE(.name = "stop-marker", .setup = setup, .tasks = {
    SCENE_THREAD("use", use),
    SCENE_THREAD("stop", stop),
    SCENE_THREAD("bind", scene_rebind),
})
