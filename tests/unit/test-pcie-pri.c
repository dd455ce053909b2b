/*
 * Unit tests of the Page Request engine, named after the checklist: requests
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "pri-world.h"

static void test_pri_01_disabled(void)
{
    World *w = world_new(8, true);

    pcie_pri_write_allocation(&w->pri, 8);
    g_assert_false(pcie_pri_usable(&w->pri));
    g_assert_cmpint(world_submit(w, 1, 1), ==, PCIE_PRI_UNUSABLE);
    g_assert_cmpuint(pcie_pri_credits(&w->pri), ==, 0);
    g_assert_cmpuint(w->sent->len, ==, 0);
    world_free(w);
}

static void test_pri_01_fields(void)
{
    World *w = world_on(8);
    PciePriPage pages[2] = {
        { .addr = 0xfffffffffffffabc, .read = true, .write = true },
        { .addr = 0x7000, .read = true },
    };
    PciePriRequest req = {
        .pages = pages, .n_pages = 2, .pasid = 0xfffff, .priv = true,
        .exec = true,
    };

    g_assert_cmpint(pcie_pri_submit(&w->pri, &req), ==, PCIE_PRI_SENT);
    g_assert_cmpuint(w->sent->len, ==, 2);
    g_assert_cmphex(world_sent(w, 0)->addr, ==, 0xfffffffffffff000);
    g_assert_true(world_sent(w, 0)->read && world_sent(w, 0)->write);
    g_assert_false(world_sent(w, 0)->last);
    g_assert_true(world_sent(w, 0)->priv && world_sent(w, 0)->exec);
    g_assert_false(world_sent(w, 1)->write);
    g_assert_true(world_sent(w, 1)->last);
    g_assert_cmphex(world_sent(w, 1)->pasid, ==, 0xfffff);
    g_assert_cmpuint(world_sent(w, 0)->prgi, ==, world_sent(w, 1)->prgi);
    world_free(w);
}

static void test_pri_02_permissions(void)
{
    World *w = world_on(8);
    PciePriPage page = { .addr = 0x1000, .write = true };
    PciePriRequest req = { .pages = &page, .n_pages = 1, .exec = true };

    g_assert_cmpint(pcie_pri_submit(&w->pri, &req), ==, PCIE_PRI_INVALID);
    req.exec = false;
    g_assert_cmpint(pcie_pri_submit(&w->pri, &req), ==, PCIE_PRI_SENT);
    page.write = false;
    g_assert_cmpint(pcie_pri_submit(&w->pri, &req), ==, PCIE_PRI_INVALID);
    g_assert_cmpuint(w->sent->len, ==, 1);
    world_free(w);
}

static void test_pri_03_credits(void)
{
    World *w = world_on(10);
    AtsMsg marker = { .pasid = 1, .last = true };

    g_assert_cmpint(world_submit(w, 3, 1), ==, PCIE_PRI_SENT);
    g_assert_cmpuint(pcie_pri_credits(&w->pri), ==, 7);
    g_assert_cmpint(world_submit(w, 1, 2), ==, PCIE_PRI_SENT);
    g_assert_cmpuint(pcie_pri_credits(&w->pri), ==, 6);

    /* A stop marker costs nothing and expects nothing */
    pcie_pri_send_raw(&w->pri, &marker);
    g_assert_cmpuint(pcie_pri_credits(&w->pri), ==, 6);
    g_assert_cmpuint(w->pri.cnt.stop_markers, ==, 1);
    g_assert_cmpuint(w->pri.cnt.page_requests, ==, 4);

    world_respond(w, 0, 1, ATS_PRG_SUCCESS);
    g_assert_cmpuint(pcie_pri_credits(&w->pri), ==, 9);
    world_respond(w, 1, 2, ATS_PRG_INVALID_REQUEST);
    g_assert_cmpuint(pcie_pri_credits(&w->pri), ==, 10);
    g_assert_cmpuint(w->pri.n_groups, ==, 0);
    world_free(w);
}

static void test_pri_04_whole_group(void)
{
    World *w = world_on(4);

    /* 5 never fit; 3 do not fit beside 2, and not one of them is sent */
    g_assert_cmpint(world_submit(w, 5, 1), ==, PCIE_PRI_INVALID);
    g_assert_cmpint(world_submit(w, 0, 1), ==, PCIE_PRI_INVALID);
    g_assert_cmpint(world_submit(w, 2, 1), ==, PCIE_PRI_SENT);
    g_assert_cmpint(world_submit(w, 3, 2), ==, PCIE_PRI_BUSY);
    g_assert_cmpuint(w->sent->len, ==, 2);
    g_assert_cmpuint(w->wakes, ==, 0);
    world_respond(w, 0, 1, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->wakes, ==, 1);
    g_assert_cmpint(world_submit(w, 3, 2), ==, PCIE_PRI_SENT);

    /* nobody waits, so nobody is woken */
    world_respond(w, 1, 2, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->wakes, ==, 1);
    world_free(w);
}

static void test_pri_05_indices(void)
{
    World *w = world_on(1024);

    for (unsigned int i = 0; i < ATS_PRGI_NR; i++) {
        g_assert_cmpint(world_submit(w, 1, i), ==, PCIE_PRI_SENT);
        g_assert_cmpuint(world_sent(w, i)->prgi, ==, i);
    }
    g_assert_cmpint(world_submit(w, 1, 600), ==, PCIE_PRI_BUSY);
    g_assert_cmpuint(pcie_pri_credits(&w->pri), ==, 512);
    world_respond(w, 77, 77, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->wakes, ==, 1);
    g_assert_cmpint(world_submit(w, 1, 600), ==, PCIE_PRI_SENT);
    g_assert_cmpuint(world_sent(w, 512)->prgi, ==, 77);
    world_free(w);
}

static void test_pri_05_round_robin(void)
{
    World *w = world_on(4);

    w->answer = ATS_PRG_SUCCESS;
    for (unsigned int i = 0; i < 1030; i++) {
        g_assert_cmpint(world_submit(w, 1, i), ==, PCIE_PRI_SENT);
        g_assert_cmpuint(world_sent(w, i)->prgi, ==, i % ATS_PRGI_NR);
    }
    world_free(w);
}

static void test_pri_07_before_last(void)
{
    World *w = world_on(8);
    uint32_t groups;

    /* From inside the first of three requests: a Success is premature */
    w->pri.groups[5] = (PciePriGroup) {
        .use = PCIE_PRI_SENDING, .pages = 1, .pasid = ATS_NO_PASID, .prgi = 5,
    };
    w->pri.in_use[5] = 1;
    groups = w->done->len;
    world_respond(w, 5, ATS_NO_PASID, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->done->len, ==, groups);
    g_assert_cmpuint(w->pri.cnt.violations, ==, 1);
    g_assert_cmphex(world_status(w), ==, PCI_PRI_STATUS_UPRGI);
    world_free(w);
}

/* A Response Failure may come before the last request; the rest is not sent */
static void test_pri_07_failure_inside(void)
{
    World *w = world_on(8);

    w->fail_at = 1;
    world_submit(w, 4, 1);
    g_assert_cmpuint(w->sent->len, ==, 2);
    g_assert_cmpuint(w->done->len, ==, 1);
    world_expect_done(w, 0, 1001, PCIE_PRI_RESPONSE, 0xf);
    g_assert_cmpuint(w->pri.cnt.violations, ==, 0);
    g_assert_cmpuint(w->pri.cnt.resp_unexpected, ==, 0);
    g_assert_cmpuint(w->pri.n_groups, ==, 0);
    g_assert_cmpuint(w->pri.credits_used, ==, 0);
    world_free(w);
}

static void test_pri_09_any_order(void)
{
    World *w = world_on(8);

    world_submit(w, 1, 1);
    world_submit(w, 2, 2);
    world_respond(w, 1, 2, ATS_PRG_SUCCESS);
    world_respond(w, 0, 1, ATS_PRG_INVALID_REQUEST);
    world_expect_done(w, 0, 1002, PCIE_PRI_RESPONSE, ATS_PRG_SUCCESS);
    world_expect_done(w, 1, 1001, PCIE_PRI_RESPONSE,
                      ATS_PRG_INVALID_REQUEST);
    world_free(w);
}

/* One allocation for all PASIDs and for none (PCIe 6.2 10.5.2.5) */
static void test_pasid_03_shared(void)
{
    World *w = world_on(4);

    g_assert_cmpint(world_submit(w, 3, 1), ==, PCIE_PRI_SENT);
    g_assert_cmpint(world_submit(w, 1, 2), ==, PCIE_PRI_SENT);
    g_assert_cmpint(world_submit(w, 1, 3), ==, PCIE_PRI_BUSY);
    g_assert_cmpint(world_submit(w, 1, ATS_NO_PASID), ==, PCIE_PRI_BUSY);
    g_assert_cmpuint(w->sent->len, ==, 4);

    /* what one gives back another can have */
    world_respond(w, 0, 1, ATS_PRG_SUCCESS);
    g_assert_cmpint(world_submit(w, 2, ATS_NO_PASID), ==, PCIE_PRI_SENT);
    g_assert_cmpint(world_submit(w, 1, 3), ==, PCIE_PRI_SENT);
    g_assert_cmpuint(pcie_pri_credits(&w->pri), ==, 0);
    world_free(w);
}

/* The response can come from inside the submission */
static void test_answer_inside(void)
{
    World *w = world_on(2);

    w->answer = ATS_PRG_SUCCESS;
    for (unsigned int i = 0; i < 5; i++) {
        g_assert_cmpint(world_submit(w, 2, i), ==, PCIE_PRI_SENT);
        g_assert_cmpuint(w->done->len, ==, i + 1);
    }
    g_assert_cmpuint(w->pri.credits_used, ==, 0);
    g_assert_cmphex(world_status(w), ==, 0);
    world_free(w);
}

static void set_quirks(World *w, bool ignore_allocation,
                       PciePriPolicy policy)
{
    PciePriQuirks quirks = {
        .ignore_allocation = ignore_allocation,
        .policy = policy,
    };

    pcie_pri_set_quirks(&w->pri, &quirks);
}

static void test_over_issue(void)
{
    World *w = world_on(1);

    world_submit(w, 1, 1);
    g_assert_cmpint(world_submit(w, 1, 1), ==, PCIE_PRI_BUSY);
    set_quirks(w, true, PCIE_PRI_ROUND_ROBIN);
    g_assert_cmpuint(w->wakes, ==, 1);
    for (int i = 1; i < ATS_PRGI_NR; i++) {
        g_assert_cmpint(world_submit(w, 2, 1), ==, PCIE_PRI_SENT);
    }
    g_assert_cmpint(world_submit(w, 1, 1), ==, PCIE_PRI_BUSY);

    /* back to the rules: nothing until it has all been paid for */
    set_quirks(w, false, PCIE_PRI_ROUND_ROBIN);
    g_assert_cmpuint(pcie_pri_credits(&w->pri), ==, 0);
    for (int i = 0; i < ATS_PRGI_NR - 1; i++) {
        world_respond(w, i, 1, 0);
        g_assert_cmpuint(pcie_pri_credits(&w->pri), ==, 0);
    }
    world_respond(w, ATS_PRGI_NR - 1, 1, 0);
    g_assert_cmpuint(pcie_pri_credits(&w->pri), ==, 1);
    world_free(w);
}

static uint16_t next_prgi(World *w)
{
    g_assert_cmpint(world_submit(w, 1, 1), ==, PCIE_PRI_SENT);
    return world_sent(w, w->sent->len - 1)->prgi;
}

static void test_policy(void)
{
    World *w = world_on(1024);

    for (int i = 0; i < 6; i++) {
        next_prgi(w);
    }
    world_respond(w, 4, 1, 0);
    world_respond(w, 1, 1, 0);
    world_respond(w, 3, 1, 0);
    g_assert_cmpuint(next_prgi(w), ==, 6);
    set_quirks(w, false, PCIE_PRI_LIFO);
    g_assert_cmpuint(next_prgi(w), ==, 3);
    g_assert_cmpuint(next_prgi(w), ==, 1);
    g_assert_cmpuint(next_prgi(w), ==, 4);
    g_assert_cmpuint(next_prgi(w), ==, 7);        /* never used */
    set_quirks(w, false, PCIE_PRI_LOWEST);
    world_respond(w, 4, 1, 0);
    world_respond(w, 2, 1, 0);
    g_assert_cmpuint(next_prgi(w), ==, 2);
    g_assert_cmpuint(next_prgi(w), ==, 4);
    set_quirks(w, false, PCIE_PRI_ROUND_ROBIN);
    g_assert_cmpuint(next_prgi(w), ==, 8);
    world_free(w);
}

static void test_raw(void)
{
    World *w = world_new(8, true);
    AtsMsg msg = { .prgi = 0, .pasid = 5, .read = true };

    /* Sent whatever the state is; L=0 expects no response */
    pcie_pri_send_raw(&w->pri, &msg);
    g_assert_cmpuint(w->sent->len, ==, 1);
    world_respond(w, 0, 5, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->raw_responses, ==, 0);
    g_assert_cmpuint(w->pri.cnt.resp_unexpected, ==, 1);

    /* L=1 expects one, whatever it says */
    msg.last = true;
    pcie_pri_send_raw(&w->pri, &msg);
    world_respond(w, 0, ATS_NO_PASID, ATS_PRG_RESPONSE_FAILURE);
    g_assert_cmpuint(w->raw_responses, ==, 1);
    g_assert_cmpuint(w->last_raw.code, ==, ATS_PRG_RESPONSE_FAILURE);
    world_respond(w, 0, 5, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->raw_responses, ==, 1);
    g_assert_cmpuint(w->pri.cnt.resp_unexpected, ==, 2);

    /* Its index is not taken for a group, and not its response */
    pcie_pri_send_raw(&w->pri, &msg);
    pcie_pri_write_allocation(&w->pri, 8);
    pcie_pri_write_control(&w->pri, CTRL_E);
    world_submit(w, 1, 1);
    g_assert_cmpuint(world_sent(w, w->sent->len - 1)->prgi, ==, 1);
    world_respond(w, 1, 1, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->done->len, ==, 1);
    g_assert_cmpuint(w->raw_responses, ==, 1);
    world_respond(w, 0, 5, ATS_PRG_INVALID_REQUEST);
    g_assert_cmpuint(w->raw_responses, ==, 2);
    g_assert_true(pcie_pri_usable(&w->pri));

    /* a group that has its index is answered first */
    world_submit(w, 1, 1);
    msg.prgi = world_sent(w, w->sent->len - 1)->prgi;
    pcie_pri_send_raw(&w->pri, &msg);
    world_respond(w, msg.prgi, 1, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->done->len, ==, 2);
    g_assert_cmpuint(w->raw_responses, ==, 2);
    world_respond(w, msg.prgi, 5, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->raw_responses, ==, 3);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pri/PRI-01/disabled", test_pri_01_disabled);
    g_test_add_func("/pri/PRI-01/fields", test_pri_01_fields);
    g_test_add_func("/pri/PRI-02/permissions", test_pri_02_permissions);
    g_test_add_func("/pri/PRI-03/credits", test_pri_03_credits);
    g_test_add_func("/pri/PRI-04/whole-group", test_pri_04_whole_group);
    g_test_add_func("/pri/PRI-05/indices", test_pri_05_indices);
    g_test_add_func("/pri/PRI-05/round-robin", test_pri_05_round_robin);
    g_test_add_func("/pri/PRI-07/before-last", test_pri_07_before_last);
    g_test_add_func("/pri/PRI-07/failure-inside", test_pri_07_failure_inside);
    g_test_add_func("/pri/PRI-09/any-order", test_pri_09_any_order);
    g_test_add_func("/pri/PASID-03/shared-credits", test_pasid_03_shared);
    g_test_add_func("/pri/over-issue", test_over_issue);
    g_test_add_func("/pri/policy", test_policy);
    g_test_add_func("/pri/answer-inside", test_answer_inside);
    g_test_add_func("/pri/raw", test_raw);
    return g_test_run();
}
