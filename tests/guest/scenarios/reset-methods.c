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

#define GROUPS  2

static struct pt pt, own;
static struct pri_testdev_info info;
static char methods[128];

static void setup(void)
{
    scene_map(GROUPS);
    pt_open(&own, 0);
    pt_open_bound(&pt, 0);
    pt_info(&pt, &info);
    sysfs_reset_methods(info.pci_name, methods, sizeof(methods));
}

static void reset(void)
{
    char path[128], *word, *rest;

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.31s/reset",
             info.pci_name);
    for (word = strtok_r(methods, " ", &rest); word;
         word = strtok_r(NULL, " ", &rest)) {
        sysfs_reset_method(info.pci_name, word);
        race_write(path, "1");      /* busy, if another one is at it */
    }
}

static void ask(void)
{
    scene_ask(&own, SCENE_BASE, pt.pasid, GROUPS);
}

static void bind_it(void)
{
    for (unsigned i = 0; i < 2; i++) {
        scene_unbind(&pt);
        scene_bind(&pt);
    }
}

SCENE(.name = "reset-methods", .setup = setup, .flags = SCENE_LOSES,
      .tasks = {
    SCENE_THREAD("reset", reset),
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("bind", bind_it),
})
