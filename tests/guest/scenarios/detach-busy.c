/*
 * Title: a page table is detached while the CPU of its requests is busy
 * What: one task asks for pages without a PASID, one detaches the page table of
 *   the function, one takes CPU 0, where requests are reported, with a
 *   real-time priority.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "pt-domain.h"
#include "scene.h"

#define GROUPS  4
#define BUSY    0.06            /* seconds */

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

static void busy(void)
{
    scene_busy(BUSY);
}

SCENE(.name = "detach-busy", .setup = setup, .tasks = {
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("detach", detach),
    SCENE_THREAD("busy", busy),
})
