/*
 * Unit tests of the Page Request engine, named after the checklist: stop of a
 * PASID
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "pri-world.h"

/* PRI-40: outstanding is what still has a meaning, by PASID */
static void test_pri_40_outstanding(void)
{
    World *w = world_on(8);

    world_submit(w, 1, 1);
    world_submit(w, 2, 1);
    world_submit(w, 1, 2);
    world_submit(w, 1, ATS_NO_PASID);
    g_assert_cmpuint(pcie_pri_outstanding(&w->pri, 0, 1), ==, 2);
    g_assert_cmpuint(pcie_pri_outstanding(&w->pri, 0, 2), ==, 1);
    g_assert_cmpuint(pcie_pri_outstanding(&w->pri, 0, 3), ==, 0);
    g_assert_cmpuint(pcie_pri_outstanding(&w->pri, 1, 1), ==, 0);
    world_respond(w, 0, 1, 0);
    g_assert_cmpuint(pcie_pri_outstanding(&w->pri, 0, 1), ==, 1);
    world_free(w);
}

/* PRI-40: a group is under way before its last request is sent, if ever */
static void test_pri_40_no_last(void)
{
    World *w = world_on(8);
    PciePriQuirks quirks = { .shape = PCIE_PRI_NO_LAST };

    pcie_pri_set_quirks(&w->pri, &quirks);
    world_submit(w, 2, 1);
    g_assert_cmpuint(pcie_pri_outstanding(&w->pri, 0, 1), ==, 1);
    world_free(w);
}

/* PRI-40: whoever stops, what others have asked for stays as it is */
static void test_pri_40_others(void)
{
    World *w = world_on(8);

    for (unsigned int i = 0; i < 6; i++) {
        world_submit(w, 1, 7);
    }
    g_assert_cmpuint(pcie_pri_outstanding(&w->pri, 1, 1), ==, 0);
    g_assert_false(pcie_pri_stop_marker(&w->pri, 1, 1, false));
    g_assert_cmpuint(pcie_pri_cancel(&w->pri, 1, 0xff), ==, 0);
    g_assert_cmpuint(w->done->len, ==, 0);
    g_assert_cmpuint(w->pri.n_groups, ==, 6);
    g_assert_cmpuint(pcie_pri_outstanding(&w->pri, 0, 7), ==, 6);
    world_free(w);
}

/* PRI-41, PRI-42: groups end at once, credits and indices do not come back */
static void test_pri_41_marker(void)
{
    World *w = world_on(3);
    AtsMsg *marker;

    world_submit(w, 2, 1);
    world_submit(w, 1, 2);
    g_assert_true(pcie_pri_stop_marker(&w->pri, 0, 1, true));
    g_assert_cmpuint(w->sent->len, ==, 4);
    marker = world_sent(w, 3);
    g_assert_true(ats_msg_is_stop_marker(marker));
    g_assert_cmpuint(marker->pasid, ==, 1);
    g_assert_false(marker->priv || marker->exec);
    g_assert_cmpuint(marker->addr, ==, 0);
    g_assert_cmpuint(w->pri.cnt.stop_markers, ==, 1);
    g_assert_cmpuint(w->pri.cnt.page_requests, ==, 3);

    g_assert_cmpuint(w->done->len, ==, 1);
    g_assert_cmpint(g_array_index(w->done, Done, 0).end, ==,
                    PCIE_PRI_STALE_NOW);
    g_assert_cmpuint(g_array_index(w->done, Done, 0).cookie, ==, 1001);
    g_assert_cmpuint(pcie_pri_outstanding(&w->pri, 0, 1), ==, 0);
    g_assert_cmpuint(pcie_pri_outstanding(&w->pri, 0, 2), ==, 1);
    g_assert_cmpuint(pcie_pri_credits(&w->pri), ==, 0);

    /* only credits and index come back, and those who wait are woken */
    g_assert_cmpint(world_submit(w, 1, 1), ==, PCIE_PRI_BUSY);
    world_respond(w, 0, 1, ATS_PRG_INVALID_REQUEST);
    g_assert_cmpuint(w->done->len, ==, 1);
    g_assert_cmpuint(w->wakes, ==, 1);
    g_assert_cmpuint(w->pri.cnt.resp_unexpected, ==, 0);
    g_assert_cmpuint(pcie_pri_credits(&w->pri), ==, 2);
    world_free(w);
}

/* PRI-44: the next user of the PASID does not get the old response */
static void test_pri_44_reuse(void)
{
    World *w = world_on(8);

    world_submit(w, 1, 1);
    pcie_pri_stop_marker(&w->pri, 0, 1, true);
    world_submit(w, 1, 1);
    g_assert_cmpuint(world_sent(w, 2)->prgi, ==, 1);
    world_respond(w, 0, 1, 0);
    g_assert_cmpuint(w->done->len, ==, 1);
    g_assert_cmpuint(pcie_pri_outstanding(&w->pri, 0, 1), ==, 1);
    world_respond(w, 1, 1, 0);
    g_assert_cmpuint(w->done->len, ==, 2);
    g_assert_cmpint(g_array_index(w->done, Done, 1).end, ==,
                    PCIE_PRI_RESPONSE);
    world_free(w);
}

/* PRI-31 with stale groups: they are waited for, but nobody owns them */
static void test_pri_41_disable(void)
{
    World *w = world_on(8);

    world_submit(w, 1, 1);
    pcie_pri_stop_marker(&w->pri, 0, 1, true);
    pcie_pri_write_control(&w->pri, 0);
    g_assert_cmphex(pcie_pri_read_status(&w->pri) & PCI_PRI_STATUS_STOPPED,
                    ==, 0);
    world_respond(w, 0, 1, 0);
    g_assert_cmphex(pcie_pri_read_status(&w->pri) & PCI_PRI_STATUS_STOPPED,
                    !=, 0);
    g_assert_false(pcie_pri_stop_marker(&w->pri, 0, 1, true));
    g_assert_cmpuint(w->sent->len, ==, 2);

    pcie_pri_write_control(&w->pri, CTRL_E);
    world_submit(w, 1, 1);
    pcie_pri_stop_marker(&w->pri, 0, 1, true);
    pcie_pri_write_control(&w->pri, CTRL_R);
    g_assert_cmpuint(w->done->len, ==, 2);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pri/PRI-40/outstanding", test_pri_40_outstanding);
    g_test_add_func("/pri/PRI-40/no-last", test_pri_40_no_last);
    g_test_add_func("/pri/PRI-40/others", test_pri_40_others);
    g_test_add_func("/pri/PRI-41/marker", test_pri_41_marker);
    g_test_add_func("/pri/PRI-41/disable", test_pri_41_disable);
    g_test_add_func("/pri/PRI-44/reuse", test_pri_44_reuse);
    return g_test_run();
}
