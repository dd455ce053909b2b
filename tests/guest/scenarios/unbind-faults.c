/*
 * Title: a process unbinds while its groups are on their way
 * What: one task has the device ask for pages of the process, another one
 *   takes the process off the device.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "scene.h"

#define GROUPS  4

static struct pt pt, own;

static void setup(void)
{
    scene_map(GROUPS);
    pt_open(&own, 0);
    pt_open_bound(&pt, 0);
}

static void ask(void)
{
    scene_ask(&own, SCENE_BASE, pt.pasid, GROUPS);
}

static void unbind(void)
{
    scene_unbind(&pt);
}

SCENE(.name = "unbind-faults", .setup = setup, .tasks = {
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("unbind", unbind),
})
