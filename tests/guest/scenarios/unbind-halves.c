/*
 * Title: a process unbinds while groups of several requests are on their way
 * What: one task has the device ask for pages of the process in groups of two,
 *   another one takes the process off the device. A group has one answer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>

#include "scene.h"

#define PAGES   6

static void setup(void)
{
    scene_begin(PAGES);
}

static void ask(void)
{
    for (unsigned i = 0; i < PAGES; i++) {
        scene_send(&scene_asks, (uintptr_t)scene_page(i), scene_pasid(),
                   PT_RAW_WRITE | (i % 2 ? PT_RAW_LAST : 0), i / 2);
    }
}

SCENE(.name = "unbind-halves", .setup = setup, .tasks = {
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("unbind", scene_unbind_bound),
})
