/*
 * Unit tests of the Page Request engine: an index for each PASID
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "pri-world.h"

static World *world_per_pasid(void)
{
    World *w = world_on(1024);
    PciePriQuirks quirks = { .policy = PCIE_PRI_PER_PASID };

    pcie_pri_set_quirks(&w->pri, &quirks);
    return w;
}

static uint16_t submit(World *w, uint32_t pasid)
{
    g_assert_cmpint(world_submit(w, 1, pasid), ==, PCIE_PRI_SENT);
    return world_sent(w, w->sent->len - 1)->prgi;
}

/* The same index in three PASIDs and in none; each has its own response */
static void test_pri_08_same(void)
{
    World *w = world_per_pasid();

    g_assert_cmpuint(submit(w, 1), ==, 0);
    g_assert_cmpuint(submit(w, 2), ==, 0);
    g_assert_cmpuint(submit(w, 1), ==, 1);
    g_assert_cmpuint(submit(w, 3), ==, 0);
    g_assert_cmpuint(submit(w, ATS_NO_PASID), ==, 0);
    g_assert_cmpuint(w->pri.n_groups, ==, 5);

    world_respond(w, 0, ATS_NO_PASID, ATS_PRG_SUCCESS);
    world_expect_done(w, 0, ATS_NO_PASID + 1000ULL, PCIE_PRI_RESPONSE, 0);
    world_respond(w, 0, 3, ATS_PRG_INVALID_REQUEST);
    world_expect_done(w, 1, 1003, PCIE_PRI_RESPONSE, 1);
    world_respond(w, 0, 1, ATS_PRG_SUCCESS);
    world_expect_done(w, 2, 1001, PCIE_PRI_RESPONSE, 0);
    world_respond(w, 0, 2, ATS_PRG_INVALID_REQUEST);
    world_expect_done(w, 3, 1002, PCIE_PRI_RESPONSE, 1);
    g_assert_cmpuint(w->pri.cnt.resp_unexpected, ==, 0);
    g_assert_cmpuint(w->pri.cnt.violations, ==, 0);

    /* and what is answered is answered: in no PASID a second time */
    world_respond(w, 0, 2, ATS_PRG_SUCCESS);
    world_respond(w, 1, 2, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->pri.cnt.resp_unexpected, ==, 2);
    g_assert_cmpuint(w->pri.n_groups, ==, 1);
    g_assert_cmpuint(pcie_pri_credits(&w->pri), ==, 1023);
    world_respond(w, 1, 1, ATS_PRG_SUCCESS);
    g_assert_cmpuint(pcie_pri_credits(&w->pri), ==, 1024);
    g_assert_cmpuint(submit(w, 1), ==, 0);
    world_free(w);
}

/* What is answered is free for its PASID again, and the lowest comes first */
static void test_pri_08_lowest(void)
{
    static const uint16_t answered[] = { 4, 3, 0, 1 };
    static const uint16_t next[] = { 0, 1, 3, 4, 6 };
    World *w = world_per_pasid();

    for (unsigned int i = 0; i < 6; i++) {
        g_assert_cmpuint(submit(w, 1), ==, i);
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(answered); i++) {
        world_respond(w, answered[i], 1, ATS_PRG_SUCCESS);
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(next); i++) {
        g_assert_cmpuint(submit(w, 1), ==, next[i]);
    }
    world_free(w);
}

/* Without PRG Response PASID Required nothing would tell them apart */
static void test_pri_08_par_0(void)
{
    World *w = world_new(64, false);
    PciePriQuirks quirks = { .policy = PCIE_PRI_PER_PASID };

    pcie_pri_set_quirks(&w->pri, &quirks);
    pcie_pri_write_allocation(&w->pri, 64);
    pcie_pri_write_control(&w->pri, CTRL_E);
    g_assert_cmpuint(submit(w, 1), ==, 0);
    g_assert_cmpuint(submit(w, 2), ==, 1);
    world_respond(w, 1, ATS_NO_PASID, ATS_PRG_SUCCESS);
    world_expect_done(w, 0, 1002, PCIE_PRI_RESPONSE, 0);
    world_free(w);
}

static uint16_t submit_of(World *w, uint16_t rid, uint32_t pasid)
{
    PciePriPage page = { .addr = 0x1000, .read = true };
    PciePriRequest req = {
        .rid = rid, .pasid = pasid, .cookie = rid, .n_pages = 1,
        .pages = &page,
    };

    g_assert_cmpint(pcie_pri_submit(&w->pri, &req), ==, PCIE_PRI_SENT);
    return world_sent(w, w->sent->len - 1)->prgi;
}

/* A PASID is one of a function: 0 is one as well, and others have it, too */
static void test_pri_08_functions(void)
{
    World *w = world_per_pasid();

    g_assert_cmpuint(submit_of(w, 0, 0), ==, 0);
    g_assert_cmpuint(submit_of(w, 1, 0), ==, 0);
    g_assert_cmpuint(submit_of(w, 1, 7), ==, 0);
    g_assert_cmpuint(submit_of(w, 2, 7), ==, 0);
    g_assert_cmpuint(submit_of(w, 2, 7), ==, 1);
    world_free(w);
}

/* Without PRG Response PASID Required the index decides, whatever PASID */
static void test_pri_08_superfluous(void)
{
    World *w = world_new(64, false);

    pcie_pri_write_allocation(&w->pri, 64);
    pcie_pri_write_control(&w->pri, CTRL_E);
    submit(w, 1);
    submit(w, 2);
    world_respond(w, 1, 9, ATS_PRG_SUCCESS);
    world_expect_done(w, 0, 1002, PCIE_PRI_RESPONSE, 0);
    g_assert_cmpuint(w->pri.cnt.violations, ==, 1);
    world_free(w);
}

/* By default all PASIDs share the indices */
static void test_pri_08_shared(void)
{
    World *w = world_on(64);

    g_assert_cmpuint(submit(w, 1), ==, 0);
    g_assert_cmpuint(submit(w, 2), ==, 1);
    world_respond(w, 0, 2, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->done->len, ==, 0);
    g_assert_cmpuint(w->pri.cnt.resp_unexpected, ==, 1);
    world_free(w);
}

/* A response without its PASID is a violation, and goes to one of them */
static void test_pri_08_no_pasid(void)
{
    World *w = world_per_pasid();

    submit(w, 1);
    submit(w, 2);
    world_respond(w, 0, ATS_NO_PASID, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->pri.cnt.violations, ==, 1);
    g_assert_cmpuint(w->done->len, ==, 1);
    g_assert_cmpuint(w->pri.n_groups, ==, 1);
    world_free(w);
}

/* 512 groups are all there can be, and all of one PASID's indices */
static void test_pri_08_full(void)
{
    World *w = world_per_pasid();

    for (unsigned int i = 0; i < ATS_PRGI_NR / 2; i++) {
        g_assert_cmpuint(submit(w, 1), ==, i);
        g_assert_cmpuint(submit(w, 2), ==, i);
    }
    g_assert_cmpint(world_submit(w, 1, 3), ==, PCIE_PRI_BUSY);
    world_respond(w, 77, 2, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->wakes, ==, 1);
    g_assert_cmpuint(submit(w, 3), ==, 0);
    for (unsigned int i = 0; i < ATS_PRGI_NR / 2; i++) {
        world_respond(w, i, 1, ATS_PRG_SUCCESS);
    }
    for (unsigned int i = 0; i < ATS_PRGI_NR / 2 - 1; i++) {
        g_assert_cmpuint(submit(w, 2), ==, i ? i + 255 : 77);
    }
    g_assert_cmpuint(w->pri.cnt.resp_unexpected, ==, 0);
    world_free(w);
}

/* An index that a raw request has is none for a group, were it the last one */
static void test_pri_08_last(void)
{
    AtsMsg msg = { .prgi = ATS_PRGI_NR - 1, .pasid = 5, .last = true,
                   .read = true };

    for (unsigned int i = 0; i < 2; i++) {
        World *w = i ? world_per_pasid() : world_on(1024);

        pcie_pri_send_raw(&w->pri, &msg);
        for (unsigned int n = 0; n < ATS_PRGI_NR - 1; n++) {
            g_assert_cmpuint(submit(w, 1), ==, n);
        }
        g_assert_cmpint(world_submit(w, 1, 1), ==, PCIE_PRI_BUSY);
        world_free(w);
    }
}

/* The policy changes while groups are outstanding: no index is given twice */
static void test_pri_08_turn(void)
{
    World *w = world_per_pasid();
    PciePriQuirks quirks = { .policy = PCIE_PRI_LOWEST };

    submit(w, 1);
    submit(w, 2);
    submit(w, 2);
    pcie_pri_set_quirks(&w->pri, &quirks);
    g_assert_cmpuint(submit(w, 3), ==, 2);
    g_assert_cmpuint(submit(w, 1), ==, 3);
    world_respond(w, 2, 3, ATS_PRG_SUCCESS);
    world_expect_done(w, 0, 1003, PCIE_PRI_RESPONSE, 0);
    world_respond(w, 0, 2, ATS_PRG_SUCCESS);
    world_expect_done(w, 1, 1002, PCIE_PRI_RESPONSE, 0);
    g_assert_cmpuint(submit(w, 9), ==, 2);      /* 0 is still PASID 1's */
    world_respond(w, 0, 1, ATS_PRG_SUCCESS);
    world_expect_done(w, 2, 1001, PCIE_PRI_RESPONSE, 0);
    g_assert_cmpuint(submit(w, 9), ==, 0);
    world_free(w);
}

/* Stop marker and reset reach the groups of one PASID, wherever they are */
static void test_pri_08_stop(void)
{
    World *w = world_per_pasid();

    submit(w, 1);
    submit(w, 2);
    submit(w, 3);
    g_assert_true(pcie_pri_stop_marker(&w->pri, 0, 2, true));
    world_expect_done(w, 0, 1002, PCIE_PRI_STALE_NOW,
                      ATS_PRG_RESPONSE_FAILURE);
    /* the index is not free, and the answer to it is no answer to a new one */
    g_assert_cmpuint(submit(w, 2), ==, 1);
    world_respond(w, 0, 2, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->done->len, ==, 1);
    g_assert_cmpuint(w->pri.cnt.resp_unexpected, ==, 0);
    g_assert_cmpuint(pcie_pri_cancel(&w->pri, 1003, UINT64_MAX), ==, 1);
    g_assert_cmpuint(w->pri.forgotten[0], ==, 1);
    world_respond(w, 0, 3, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->pri.cnt.resp_stale, ==, 1);
    world_respond(w, 0, 1, ATS_PRG_SUCCESS);
    world_expect_done(w, 1, 1001, PCIE_PRI_RESPONSE, 0);
    pcie_pri_reset(&w->pri);
    g_assert_cmpuint(w->pri.forgotten[1], ==, 1);
    world_free(w);
}

/* A raw request has its index in all of them */
static void test_pri_08_raw(void)
{
    World *w = world_per_pasid();
    AtsMsg msg = { .read = true, .last = true, .pasid = 7, .prgi = 0 };

    pcie_pri_send_raw(&w->pri, &msg);
    g_assert_cmpuint(submit(w, 1), ==, 1);
    world_respond(w, 0, 7, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->raw_responses, ==, 1);
    g_assert_cmpuint(submit(w, 1), ==, 0);

    /* one with the index of a group, for another PASID */
    pcie_pri_send_raw(&w->pri, &msg);
    world_respond(w, 0, 7, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->raw_responses, ==, 2);
    g_assert_cmpuint(w->done->len, ==, 0);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pri/PRI-08/same-index", test_pri_08_same);
    g_test_add_func("/pri/PRI-08/lowest", test_pri_08_lowest);
    g_test_add_func("/pri/PRI-08/par-0", test_pri_08_par_0);
    g_test_add_func("/pri/PRI-08/functions", test_pri_08_functions);
    g_test_add_func("/pri/PRI-08/superfluous-pasid",
                    test_pri_08_superfluous);
    g_test_add_func("/pri/PRI-08/shared", test_pri_08_shared);
    g_test_add_func("/pri/PRI-08/response-without-pasid",
                    test_pri_08_no_pasid);
    g_test_add_func("/pri/PRI-08/raw", test_pri_08_raw);
    g_test_add_func("/pri/PRI-08/full", test_pri_08_full);
    g_test_add_func("/pri/PRI-08/last", test_pri_08_last);
    g_test_add_func("/pri/PRI-08/policy-changes", test_pri_08_turn);
    g_test_add_func("/pri/PRI-08/stop-and-reset", test_pri_08_stop);
    return g_test_run();
}
