/*
 * Title: a process binds and unbinds while the function is reset
 * What: one task resets the function (FLR), one binds and unbinds its address
 *   space, one attaches and detaches a page table.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <sys/ioctl.h>
#include <unistd.h>

#include "scene.h"
#include "sysfs.h"

/* Now and then over the 100 ms that a reset takes */
#define TIMES   6
#define WAIT_US 20000

static struct pt pt, own;
static struct pri_testdev_info info;

static void setup(void)
{
    pt_open(&pt, 0);
    pt_open(&own, 0);
    pt_info(&pt, &info);
}

static void reset(void)
{
    sysfs_flr(info.pci_name);
}

static void bind_it(void)
{
    for (unsigned i = 0; i < TIMES; i++) {
        if (scene_bind(&pt)) {
            scene_unbind(&pt);
        }
        usleep(WAIT_US);
    }
}

static void attach(void)
{
    struct pri_testdev_domain req = { .flags = PRI_TESTDEV_DOMAIN_PASID };
    uint32_t keep = 0;

    for (unsigned i = 0; i < TIMES; i++) {
        if (!ioctl(own.fd, PRI_TESTDEV_IOC_ATTACH_DOMAIN, &req)) {
            ioctl(own.fd, PRI_TESTDEV_IOC_DETACH_DOMAIN, &keep);
        }
        usleep(WAIT_US);
    }
}

SCENE(.name = "reset-attach", .setup = setup, .seconds = 8,
      .flags = SCENE_LOSES,
      .tasks = {
    SCENE_THREAD("bind", bind_it),
    SCENE_THREAD("reset", reset),
    SCENE_THREAD("attach", attach),
})
