/*
 * For scenarios that take a page table off the function while requests without
 * a PASID come
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_GUEST_RID_H
#define TESTS_GUEST_RID_H

#include "pt-domain.h"
#include "scene.h"

#define RID_GROUPS  4

static struct pt rid_pt, rid_own;

static void rid_setup(void)
{
    pt_open(&rid_own, 0);
    pt_open(&rid_pt, 0);
    pt_domain_attach(&rid_pt, PRI_TESTDEV_DOMAIN_RID);
    pt_domain_hold(&rid_pt, 0, PRI_TESTDEV_RESP_INVALID);
}

static void rid_ask(void)
{
    scene_ask(&rid_own, SCENE_IOVA, SCENE_NO_PASID, RID_GROUPS);
}

static void rid_detach(void)
{
    unsigned asked = scene_asked();

    pt_domain_detach(&rid_pt, 0);
    scene_check_drained(&rid_pt, asked);
}

#endif /* TESTS_GUEST_RID_H */
