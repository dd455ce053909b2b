/*
 * Title: a PASID is stopped by a marker and bound again
 * What: the device writes pages that nobody has touched, one task stops the
 *   PASID with a stop marker, one unbinds and binds again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "scene.h"

static struct pt pt, own;
static struct pt_chan ch;

static void setup(void)
{
    scene_map(8);
    pt_open(&own, 0);
    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
}

static void use(void)
{
    for (unsigned i = 0; i < 4; i++) {
        scene_write(&ch, i);        /* the stop may end it */
    }
}

static void stop(void)
{
    pt_wr32(own.func, PT_STOP_PASID, pt.pasid | PT_STOP_MARKER);
    while (pt_rd32(own.func, PT_STOP_STATUS) == PT_STOP_BUSY) {
        pt_sleep_ms(1);
    }
}

static void bind_it(void)
{
    scene_unbind(&pt);
    scene_bind(&pt);
}

SCENE(.name = "stop-marker", .setup = setup, .tasks = {
    SCENE_THREAD("use", use),
    SCENE_THREAD("stop", stop),
    SCENE_THREAD("bind", bind_it),
})
