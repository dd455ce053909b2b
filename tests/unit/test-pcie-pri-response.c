/*
 * Unit tests of the Page Request engine, named after the checklist: responses
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "pri-world.h"

static void test_pri_20_codes(void)
{
    for (unsigned int code = 0; code < 16; code++) {
        World *w = world_on(8);
        bool fatal = code > 1;

        world_submit(w, 1, 1);
        world_respond(w, 0, 1, code);
        world_expect_done(w, 0, 1001, PCIE_PRI_RESPONSE, code);
        g_assert_cmpuint(w->pri.cnt.resp_success, ==, code == 0);
        g_assert_cmpuint(w->pri.cnt.resp_invalid, ==, code == 1);
        g_assert_cmpuint(w->pri.cnt.resp_failure, ==, fatal);
        g_assert_cmphex(world_status(w), ==, fatal ? PCI_PRI_STATUS_RF : 0);
        g_assert_cmpint(pcie_pri_usable(&w->pri), ==, !fatal);
        world_free(w);
    }
}

static void test_pri_21_failure(void)
{
    World *w = world_on(8);

    world_submit(w, 1, 1);
    world_submit(w, 2, 2);
    world_submit(w, 5, 3);
    world_submit(w, 1, 4);      /* has to wait */
    world_respond(w, 1, 2, ATS_PRG_RESPONSE_FAILURE);
    g_assert_cmpuint(w->done->len, ==, 3);
    world_expect_done(w, 0, 1002, PCIE_PRI_RESPONSE, 0xf);
    world_expect_done(w, 1, 1001, PCIE_PRI_FAILED, 0xf);
    world_expect_done(w, 2, 1003, PCIE_PRI_FAILED, 0xf);
    g_assert_cmpuint(w->wakes, ==, 1);
    g_assert_cmpint(world_submit(w, 1, 5), ==, PCIE_PRI_UNUSABLE);

    /* Later responses change nothing */
    world_respond(w, 0, 1, ATS_PRG_SUCCESS);
    world_respond(w, 9, 9, ATS_PRG_RESPONSE_FAILURE);
    g_assert_cmpuint(w->done->len, ==, 3);
    g_assert_cmpuint(w->pri.cnt.resp_success, ==, 0);
    g_assert_cmpuint(w->pri.cnt.resp_unexpected, ==, 0);
    g_assert_cmpuint(w->pri.cnt.resp_ignored, ==, 2);
    g_assert_cmphex(world_status(w), ==, PCI_PRI_STATUS_RF);

    /* Clearing the flag enables nothing; enabling does */
    pcie_pri_write_status(&w->pri, PCI_PRI_STATUS_RF);
    g_assert_cmphex(world_status(w), ==, 0);
    g_assert_cmpint(world_submit(w, 1, 5), ==, PCIE_PRI_UNUSABLE);
    pcie_pri_write_control(&w->pri, 0);
    g_assert_cmphex(world_status(w), ==, PCI_PRI_STATUS_STOPPED);
    pcie_pri_write_control(&w->pri, CTRL_E);
    g_assert_cmpint(world_submit(w, 8, 5), ==, PCIE_PRI_SENT);
    g_assert_cmpuint(w->pri.cnt.violations, ==, 0);
    world_free(w);
}

static void test_pri_22_unexpected(void)
{
    World *w = world_on(8);

    world_submit(w, 1, 1);
    world_respond(w, 3, 1, ATS_PRG_SUCCESS);
    g_assert_cmphex(world_status(w), ==, PCI_PRI_STATUS_UPRGI);
    g_assert_cmpuint(w->pri.cnt.resp_unexpected, ==, 1);
    g_assert_cmpuint(w->done->len, ==, 0);

    /* W1C, and other bits do nothing */
    pcie_pri_write_status(&w->pri, 0xfffd);
    g_assert_cmphex(world_status(w), ==, PCI_PRI_STATUS_UPRGI);
    pcie_pri_write_status(&w->pri, PCI_PRI_STATUS_UPRGI);
    g_assert_cmphex(world_status(w), ==, 0);

    /* A second response to the same group is unexpected too */
    world_respond(w, 0, 1, ATS_PRG_SUCCESS);
    world_respond(w, 0, 1, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->done->len, ==, 1);
    g_assert_cmpuint(w->pri.cnt.resp_unexpected, ==, 2);
    g_assert_cmpuint(w->pri.credits_used, ==, 0);
    world_free(w);
}

static void test_pri_23_burst(void)
{
    World *w = world_on(512);

    for (unsigned int i = 0; i < ATS_PRGI_NR; i++) {
        world_submit(w, 1, i);
    }
    for (int i = ATS_PRGI_NR - 1; i >= 0; i--) {
        world_respond(w, i, i, ATS_PRG_SUCCESS);
    }
    g_assert_cmpuint(w->done->len, ==, 512);
    g_assert_cmpuint(pcie_pri_credits(&w->pri), ==, 512);
    g_assert_cmpuint(w->pri.cnt.resp_unexpected, ==, 0);
    world_free(w);
}

static void test_pri_24_pasid(void)
{
    World *w = world_on(8);

    /* Required: another PASID does not match */
    world_submit(w, 1, 1);
    world_respond(w, 0, 2, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->done->len, ==, 0);
    g_assert_cmpuint(w->pri.cnt.resp_unexpected, ==, 1);
    g_assert_cmpuint(w->pri.cnt.violations, ==, 0);

    /* none is a violation, and so is one that was not in the request */
    world_respond(w, 0, ATS_NO_PASID, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->done->len, ==, 1);
    g_assert_cmpuint(w->pri.cnt.violations, ==, 1);
    world_submit(w, 1, ATS_NO_PASID);
    world_respond(w, 1, 0, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->done->len, ==, 2);
    g_assert_cmpuint(w->pri.cnt.violations, ==, 2);
    world_submit(w, 1, ATS_NO_PASID);
    world_respond(w, 2, ATS_NO_PASID, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->pri.cnt.violations, ==, 2);
    world_free(w);

    /* Not required: none is right, one is a violation */
    w = world_new(8, false);
    g_assert_cmphex(pcie_pri_read_status(&w->pri) & PCI_PRI_STATUS_PASID, ==,
                    0);
    pcie_pri_write_allocation(&w->pri, 8);
    pcie_pri_write_control(&w->pri, CTRL_E);
    world_submit(w, 1, 1);
    world_submit(w, 1, 2);
    world_respond(w, 0, ATS_NO_PASID, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->pri.cnt.violations, ==, 0);
    world_respond(w, 1, 2, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->pri.cnt.violations, ==, 1);
    g_assert_cmpuint(w->done->len, ==, 2);
    world_free(w);
}

/* Fields wider than the wire do no harm */
static void test_hostile_response(void)
{
    World *w = world_on(8);

    world_respond(w, 0xffff, UINT32_MAX, 0xff);
    world_respond(w, 512, 0xffffffff, 0xf0);
    g_assert_cmpuint(w->done->len, ==, 0);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pri/PRI-20/codes", test_pri_20_codes);
    g_test_add_func("/pri/PRI-21/failure", test_pri_21_failure);
    g_test_add_func("/pri/PRI-22/unexpected", test_pri_22_unexpected);
    g_test_add_func("/pri/PRI-23/burst", test_pri_23_burst);
    g_test_add_func("/pri/PRI-24/pasid", test_pri_24_pasid);
    g_test_add_func("/pri/hostile-response", test_hostile_response);
    return g_test_run();
}
