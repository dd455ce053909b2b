/*
 * Title: a page table of the RID goes while requests without a PASID come
 * What: the device asks without a PASID, and the page table is taken off and
 *   put on again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <sys/ioctl.h>

#include "pt-domain.h"
#include "scene.h"

#define GROUPS  4

static struct pt pt, own;

static void setup(void)
{
    pt_open(&own, 0);
    pt_open(&pt, 0);
    pt_domain_attach(&pt, PRI_TESTDEV_DOMAIN_RID);
    pt_domain_hold(&pt, 0, PRI_TESTDEV_RESP_INVALID);
}

static void ask(void)
{
    scene_ask(&own, SCENE_IOVA, SCENE_NO_PASID, GROUPS);
}

static void detach(void)
{
    unsigned asked = scene_asked();

    pt_domain_detach(&pt, 0);
    scene_check_drained(&pt, asked);
}

SCENE(.name = "rid-detach", .setup = setup, .tasks = {
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("detach", detach),
})
