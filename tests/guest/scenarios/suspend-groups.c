/*
 * Title: the machine suspends and resumes while groups are on their way
 * What: one task has the kernel suspend everything, down to the IOMMU, and
 *   resume it at once (the "core" test of /sys/power/pm_test: only the
 *   firmware's part is left out); one asks for pages, one unbinds and binds.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "scene.h"

#define TURNS   2

static void setup(void)
{
    CHECK(race_write("/sys/power/pm_test", "core"), "no pm_test");
    scene_begin(4);
}

/* Refused is one, too: a task that cannot be frozen in time */
static void suspend(void)
{
    for (unsigned i = 0; i < TURNS; i++) {
        race_write("/sys/power/state", "mem");
    }
}

SCENE(.name = "suspend-groups", .setup = setup, .seconds = 20,
      .flags = SCENE_LOSES, .tasks = {
    SCENE_THREAD("suspend", suspend),
    SCENE_THREAD("ask", scene_ask_groups),
    SCENE_THREAD("bind", scene_rebind),
})
