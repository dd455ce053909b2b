/*
 * Parts that many scenarios have: set-ups and tasks
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <string.h>

#include "klog.h"
#include "scene.h"
#include "sysfs.h"

struct pt scene_bound, scene_asks;
struct pri_testdev_info scene_info;

static unsigned groups;
/* volatile: a process of the scenario writes it */
static volatile uint32_t *pasid;

static void begin(unsigned n)
{
    groups = n;
    pasid = pt_map_shared(PT_PAGE);
    pt_open(&scene_asks, 0);
    pt_info(&scene_asks, &scene_info);
}

void scene_begin(unsigned n)
{
    begin(n);
    scene_map(n);
    pt_open_bound(&scene_bound, 0);
    *pasid = scene_bound.pasid;
}

void scene_begin_kept(unsigned n)
{
    pt_keep_bindings(true);
    scene_begin(n);
}

void scene_begin_process(unsigned n)
{
    begin(n);
    pt_open(&scene_bound, 0);
}

void scene_begin_process_kept(unsigned n)
{
    pt_keep_bindings(true);
    scene_begin_process(n);
}

void scene_bind_process(void)
{
    pt_inherit(&scene_bound);
    scene_map(groups);
    CHECK(scene_bind(&scene_bound), "bind: %s", strerror(errno));
    *pasid = scene_bound.pasid;
}

uint32_t scene_pasid(void)
{
    return *pasid;
}

void scene_ask_groups(void)
{
    scene_ask(&scene_asks, SCENE_BASE, *pasid, groups);
}

void scene_unbind_bound(void)
{
    scene_unbind(&scene_bound);
}

void scene_close_bound(void)
{
    pt_close(&scene_bound);
}

void scene_rebind(void)
{
    scene_unbind(&scene_bound);
    scene_bind(&scene_bound);
}

void scene_flr(void)
{
    sysfs_flr(scene_info.pci_name);
}

void scene_busy(double seconds)
{
    double end;

    race_first();           /* first: it would not get there otherwise */
    race_cpu(0);
    end = pt_now() + seconds;
    while (pt_now() < end) {
    }
}

void scene_wait_node(void)
{
    sysfs_wait_node(scene_info.pci_name);
}

void scene_check_timeouts(void)
{
    if (klog_has("Invalidation Time-out Error")) {
        race_sign("invalidation-timeout", "an invalidation was sent to a "
                  "function that could not answer it");
    }
}
