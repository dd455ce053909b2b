/*
 * Title: the function is reset by every method there is while it is used
 * What: one task resets the function by each method that the kernel knows, one
 *   asks for pages, one binds and unbinds.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdio.h>
#include <string.h>

#include "scene.h"
#include "sysfs.h"

static char methods[128];

static void setup(void)
{
    scene_begin(2);
    sysfs_reset_methods(scene_info.pci_name, methods, sizeof(methods));
}

static void reset(void)
{
    char path[128], *word, *rest;

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.31s/reset",
             scene_info.pci_name);
    for (word = strtok_r(methods, " ", &rest); word;
         word = strtok_r(NULL, " ", &rest)) {
        sysfs_reset_method(scene_info.pci_name, word);
        race_write(path, "1");      /* busy, if another one is at it */
    }
}

static void bind_it(void)
{
    scene_rebind();
    scene_rebind();
}

SCENE(.name = "reset-methods", .setup = setup, .seconds = 8,
      .flags = SCENE_LOSES,
      .tasks = {
    SCENE_THREAD("reset", reset),
    SCENE_THREAD("ask", scene_ask_groups),
    SCENE_THREAD("bind", bind_it),
})
