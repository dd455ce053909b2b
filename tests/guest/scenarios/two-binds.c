/*
 * Title: two threads bind the same address space
 * What: two tasks of one process bind it to the same function and unbind, each
 *   by a file of its own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "scene.h"

static struct pt pt[2];

static void setup(void)
{
    scene_map(2);
    pt_open(&pt[0], 0);
    pt_open(&pt[1], 0);
}

static void turn(struct pt *one)
{
    if (scene_bind(one)) {
        scene_unbind(one);
    }
}

static void first(void)
{
    turn(&pt[0]);
}

static void second(void)
{
    turn(&pt[1]);
}

SCENE(.name = "two-binds", .setup = setup, .tasks = {
    SCENE_THREAD("bind-1", first),
    SCENE_THREAD("bind-2", second),
})
