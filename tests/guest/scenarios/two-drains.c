/*
 * Title: two functions are detached at once
 * What: each of two tasks has its function send a group and takes the page
 *   table off again, which drains the page requests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "pt-domain.h"
#include "scene.h"

static struct pt pt[2];

static void setup(void)
{
    for (unsigned i = 0; i < 2; i++) {
        pt_open(&pt[i], i);
        pt_domain_attach(&pt[i], PRI_TESTDEV_DOMAIN_PASID);
        pt_domain_hold(&pt[i], 0, PRI_TESTDEV_RESP_INVALID);
    }
}

static void drain(unsigned i)
{
    scene_ask(&pt[i], SCENE_IOVA, pt[i].pasid, 1);
    pt_domain_detach(&pt[i], 0);
}

static void drain_first(void)
{
    drain(0);
}

static void drain_second(void)
{
    drain(1);
}

SCENE(.name = "two-drains", .setup = setup, .flags = SCENE_TWO, .tasks = {
    SCENE_THREAD("drain-0", drain_first),
    SCENE_THREAD("drain-1", drain_second),
})
