/*
 * Unit tests of Translation Requests that have no completion yet
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/pci/ats_inflight.h"

unsigned int shim_guest_errors;

#define STU     0xfffULL
#define ALL     UINT64_MAX

typedef struct World {
    AtsInflight t;
    PcieAtc atc;
    int64_t due;            /* of the next request */
} World;

static World *world_new(bool global_inv)
{
    World *w = g_new0(World, 1);

    pcie_atc_init(&w->atc, 0, global_inv);
    w->due = ATS_INFLIGHT_NEVER;
    return w;
}

static void world_free(World *w)
{
    pcie_atc_destroy(&w->atc);
    g_free(w);
}

static uint32_t request(World *w, uint32_t owner, uint32_t pasid,
                        uint64_t addr)
{
    AtsTrReq req = {
        .addr = addr, .pasid = pasid, .tag = ats_inflight_tag(&w->t, owner),
    };

    if (req.tag != ATS_TR_NO_TAG) {
        ats_inflight_add(&w->t, &req, owner, w->due);
    }
    return req.tag;
}

static unsigned int state(World *w, uint32_t owner)
{
    const AtsInflightReq *r = ats_inflight_of(&w->t, owner);

    return r ? r->state : ATS_INFLIGHT_FREE;
}

static void invalidate(World *w, uint32_t pasid, uint64_t base, uint64_t last,
                       bool global)
{
    ats_inflight_invalidate(&w->t, &w->atc, STU, pasid, base, last, global);
}

/* PCIe 6.2 10.3.6: what overlaps is marked, nothing else */
static void test_overlap(void)
{
    World *w = world_new(false);

    request(w, 0, 1, 0x10000);
    request(w, 1, 1, 0x11000);
    request(w, 2, 2, 0x10000);
    request(w, 3, ATS_NO_PASID, 0x10000);
    invalidate(w, 1, 0x10000, 0xfff, false);
    g_assert_cmpuint(state(w, 0), ==, ATS_INFLIGHT_TAGGED);
    g_assert_cmpuint(state(w, 1), ==, ATS_INFLIGHT_WAITING);
    g_assert_cmpuint(state(w, 2), ==, ATS_INFLIGHT_WAITING);
    g_assert_cmpuint(state(w, 3), ==, ATS_INFLIGHT_WAITING);
    g_assert_true(ats_inflight_of(&w->t, 1)->narrow);
    g_assert_false(ats_inflight_of(&w->t, 2)->narrow);
    g_assert_cmpuint(ats_inflight_waiting(&w->t), ==, 4);

    /* without PASID: its range, and every PASID at all addresses */
    invalidate(w, ATS_NO_PASID, 0x20000, 0xfff, false);
    g_assert_cmpuint(state(w, 1), ==, ATS_INFLIGHT_TAGGED);
    g_assert_cmpuint(state(w, 2), ==, ATS_INFLIGHT_TAGGED);
    g_assert_cmpuint(state(w, 3), ==, ATS_INFLIGHT_WAITING);
    world_free(w);
}

/* The smallest translation is what a request is for */
static void test_stu(void)
{
    World *w = world_new(false);

    request(w, 0, 1, 0x13000);
    ats_inflight_invalidate(&w->t, &w->atc, 0x3fff, 1, 0x10000, 0xfff, false);
    g_assert_cmpuint(state(w, 0), ==, ATS_INFLIGHT_TAGGED);
    request(w, 1, 1, 0x14000);
    ats_inflight_invalidate(&w->t, &w->atc, 0x3fff, 1, 0x10000, 0x3fff, false);
    g_assert_cmpuint(state(w, 1), ==, ATS_INFLIGHT_WAITING);
    world_free(w);
}

static void test_global(void)
{
    World *w = world_new(true);

    request(w, 0, 1, 0x10000);
    invalidate(w, 5, 0x10000, 0xfff, true);
    g_assert_cmpuint(state(w, 0), ==, ATS_INFLIGHT_TAGGED);
    world_free(w);

    w = world_new(false);
    request(w, 0, 1, 0x10000);
    invalidate(w, 5, 0x10000, 0xfff, true);
    g_assert_cmpuint(state(w, 0), ==, ATS_INFLIGHT_WAITING);
    world_free(w);
}

/* An owner has what it asked for, and nothing of before */
static void test_owner(void)
{
    World *w = world_new(false);

    request(w, 0, 1, 0x1000);
    request(w, 1, 1, 0x2000);
    ats_inflight_free(&w->t, ats_inflight_of(&w->t, 0));
    g_assert_null(ats_inflight_of(&w->t, 0));
    g_assert_nonnull(ats_inflight_of(&w->t, 1));
    world_free(w);
}

/* A result that was not used yet is not used after its invalidation */
static void test_done(void)
{
    World *w = world_new(false);
    AtsInflightReq *r;

    r = ats_inflight_find(&w->t, request(w, 0, 1, 0x201000));
    r->state = ATS_INFLIGHT_DONE;
    g_assert_null(ats_inflight_find(&w->t, r->req.tag));
    r->entry = (AtsTrEntry) { .iova = 0x200000, .mask = 0x1fffff };
    invalidate(w, 1, 0x10000, 0xfff, false);
    g_assert_cmpuint(r->result, ==, 0);
    /* it is as large as it came */
    g_assert_false(r->narrow);
    invalidate(w, 1, 0x3ff000, 0xfff, false);
    g_assert_cmpuint(r->result, ==, UINT32_MAX);
    g_assert_cmpuint(ats_inflight_waiting(&w->t), ==, 0);
    world_free(w);
}

static void test_flush(void)
{
    World *w = world_new(false);

    request(w, 0, 1, 0x1000);
    request(w, 1, 2, 0x1000);
    ats_inflight_flush_pasid(&w->t, 2);
    g_assert_cmpuint(state(w, 0), ==, ATS_INFLIGHT_WAITING);
    g_assert_cmpuint(state(w, 1), ==, ATS_INFLIGHT_TAGGED);
    ats_inflight_flush(&w->t);
    g_assert_cmpuint(state(w, 0), ==, ATS_INFLIGHT_TAGGED);
    world_free(w);
}

/* A completion from before a reset meets nothing after it */
static void test_forget(void)
{
    World *w = world_new(false);
    uint32_t before = request(w, 0, 1, 0x1000), after;

    ats_inflight_forget(&w->t);
    after = request(w, 0, 1, 0x1000);
    g_assert_cmpuint(after, !=, before);
    g_assert_null(ats_inflight_find(&w->t, before));
    g_assert_nonnull(ats_inflight_find(&w->t, after));
    world_free(w);
}

static void test_abandon(void)
{
    World *w = world_new(false);
    uint32_t tag = request(w, 4, 1, 0x1000);
    AtsInflightReq *r;

    ats_inflight_abandon(&w->t, 4);
    g_assert_null(ats_inflight_of(&w->t, 4));
    r = ats_inflight_find(&w->t, tag);
    g_assert_cmpuint(r->state, ==, ATS_INFLIGHT_TAGGED);
    g_assert_cmpuint(r->owner, ==, ATS_NO_OWNER);

    /* its owner may ask for something else meanwhile */
    tag = request(w, 4, 1, 0x2000);
    g_assert_true(ats_inflight_of(&w->t, 4) == ats_inflight_find(&w->t, tag));
    ats_inflight_of(&w->t, 4)->state = ATS_INFLIGHT_DONE;
    ats_inflight_abandon(&w->t, 4);
    g_assert_cmpuint(w->t.n, ==, 1);
    world_free(w);
}

/* No more than there is room for; who was refused hears of room */
static void test_bounded(void)
{
    World *w = world_new(false);

    for (unsigned int i = 0; i < ATS_INFLIGHT_NR; i++) {
        g_assert_cmpuint(request(w, 1, 1, 0x1000), !=, ATS_TR_NO_TAG);
        ats_inflight_abandon(&w->t, 1);
    }
    g_assert_cmpuint(request(w, 1, 1, 0x1000), ==, ATS_TR_NO_TAG);
    g_assert_cmpuint(request(w, 63, 1, 0x1000), ==, ATS_TR_NO_TAG);
    ats_inflight_abandon(&w->t, 1);
    g_assert_cmphex(ats_inflight_free(&w->t, &w->t.slot[7]), ==, 1ULL << 63);
    g_assert_cmpuint(request(w, 63, 1, 0x1000), !=, ATS_TR_NO_TAG);

    /* tags wrap around those in use */
    ats_inflight_forget(&w->t);
    w->t.last_tag = UINT32_MAX - 1;
    g_assert_cmpuint(request(w, 0, 1, 0x1000), ==, UINT32_MAX);
    g_assert_cmpuint(request(w, 1, 1, 0x1000), ==, 1);
    w->t.last_tag = UINT32_MAX - 1;
    g_assert_cmpuint(request(w, 2, 1, 0x1000), ==, 2);
    world_free(w);
}

/* PCIe 6.2 2.8: a request has timed out, and somebody may still wait for it */
static void test_timeout(void)
{
    World *w = world_new(false);

    g_assert_cmpint(ats_inflight_due(&w->t), ==, ATS_INFLIGHT_NEVER);
    request(w, 0, 1, 0x1000);
    g_assert_cmpint(ats_inflight_due(&w->t), ==, ATS_INFLIGHT_NEVER);
    w->due = 300;
    request(w, 1, 1, 0x2000);
    w->due = 200;
    request(w, 2, 1, 0x3000);
    request(w, 3, 1, 0x4000);
    g_assert_cmpint(ats_inflight_due(&w->t), ==, 200);
    g_assert_null(ats_inflight_expired(&w->t, 199));

    /* one that is invalidated still waits, one that is done does not */
    invalidate(w, 1, 0x3000, 0x3fff, false);
    ats_inflight_of(&w->t, 3)->state = ATS_INFLIGHT_DONE;
    g_assert_true(ats_inflight_expired(&w->t, 200) ==
                  ats_inflight_of(&w->t, 2));
    ats_inflight_free(&w->t, ats_inflight_of(&w->t, 2));
    g_assert_null(ats_inflight_expired(&w->t, 299));
    g_assert_cmpint(ats_inflight_due(&w->t), ==, 300);

    /* and so does one whose owner has left */
    ats_inflight_abandon(&w->t, 1);
    g_assert_nonnull(ats_inflight_expired(&w->t, 300));
    ats_inflight_forget(&w->t);
    g_assert_null(ats_inflight_expired(&w->t, ATS_INFLIGHT_NEVER));
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/inflight/ATS-06/overlap", test_overlap);
    g_test_add_func("/inflight/ATS-25/stu", test_stu);
    g_test_add_func("/inflight/ATS-26/global", test_global);
    g_test_add_func("/inflight/ATS-21/owner", test_owner);
    g_test_add_func("/inflight/ATS-21/done", test_done);
    g_test_add_func("/inflight/ATS-27/flush", test_flush);
    g_test_add_func("/inflight/FLR-03/forget", test_forget);
    g_test_add_func("/inflight/timeout", test_timeout);
    g_test_add_func("/inflight/abandon", test_abandon);
    g_test_add_func("/inflight/bounded", test_bounded);
    return g_test_run();
}
