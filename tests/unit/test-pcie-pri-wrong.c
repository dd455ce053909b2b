/*
 * Unit tests of the Page Request engine: rules broken on purpose
 *
 * Each of these fails if the knob behind it does nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "pri-world.h"

static World *world_wrong(PciePriQuirks quirks)
{
    World *w = world_on(64);

    pcie_pri_set_quirks(&w->pri, &quirks);
    return w;
}

static World *world_shape(PciePriShape shape)
{
    return world_wrong((PciePriQuirks) { .shape = shape });
}

/* PRI-07: a group without its end is never answered, and holds its credits */
static void test_no_last(void)
{
    World *w = world_shape(PCIE_PRI_NO_LAST);

    w->answer = ATS_PRG_SUCCESS;
    world_submit(w, 3, 1);
    g_assert_cmpuint(w->sent->len, ==, 3);
    g_assert_false(world_sent(w, 2)->last);
    g_assert_cmpuint(w->done->len, ==, 0);
    g_assert_cmpuint(w->pri.cnt.groups, ==, 0);
    g_assert_cmpuint(pcie_pri_credits(&w->pri), ==, 61);
    world_respond(w, 0, 1, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->pri.cnt.violations, ==, 1);
    pcie_pri_write_control(&w->pri, CTRL_R);
    world_expect_done(w, 0, 1001, PCIE_PRI_RESET, ATS_PRG_RESPONSE_FAILURE);
    world_free(w);
}

/* PRI-02 */
static void test_access(void)
{
    World *w = world_shape(PCIE_PRI_NO_ACCESS);

    world_submit(w, 2, 1);
    g_assert_false(world_sent(w, 0)->read || world_sent(w, 0)->write);
    g_assert_true(ats_msg_is_stop_marker(world_sent(w, 1)));
    world_free(w);

    w = world_shape(PCIE_PRI_EXEC_ONLY);
    world_submit(w, 1, 1);
    g_assert_true(world_sent(w, 0)->exec);
    g_assert_false(world_sent(w, 0)->read);
    world_free(w);
}

/* PRI-06 */
static void test_mixed(void)
{
    World *w = world_shape(PCIE_PRI_MIXED_PASID);

    world_submit(w, 3, 6);
    g_assert_cmpuint(world_sent(w, 0)->pasid, ==, 6);
    g_assert_cmpuint(world_sent(w, 1)->pasid, ==, 7);
    g_assert_cmpuint(world_sent(w, 2)->pasid, ==, 6);
    world_submit(w, 2, ATS_NO_PASID);
    g_assert_cmpuint(world_sent(w, 4)->pasid, ==, ATS_NO_PASID);
    world_free(w);

    w = world_shape(PCIE_PRI_OTHER_RID);
    world_submit(w, 1, 6);
    g_assert_cmpuint(world_sent(w, 0)->rid, ==, 1);
    world_free(w);
}

/* PRI-43 */
static void test_marker_inside(void)
{
    World *w = world_shape(PCIE_PRI_MARKER_INSIDE);

    world_submit(w, 2, 6);
    g_assert_cmpuint(w->sent->len, ==, 3);
    g_assert_true(ats_msg_is_stop_marker(world_sent(w, 1)));
    g_assert_cmpuint(world_sent(w, 1)->pasid, ==, 6);
    g_assert_true(world_sent(w, 2)->last);
    g_assert_cmpuint(w->pri.cnt.stop_markers, ==, 1);
    world_respond(w, 0, 6, ATS_PRG_SUCCESS);
    world_expect_done(w, 0, 1006, PCIE_PRI_RESPONSE, ATS_PRG_SUCCESS);
    world_free(w);
}

static AtsMsg marker(PciePriMarker which, uint32_t *n)
{
    World *w = world_wrong((PciePriQuirks) { .marker = which });
    AtsMsg msg = {};

    world_submit(w, 1, 5);
    g_assert_true(pcie_pri_stop_marker(&w->pri, 0, 5, true));
    /* whatever the marker is, the group's response has no meaning any more */
    world_expect_done(w, 0, 1005, PCIE_PRI_STALE_NOW,
                      ATS_PRG_RESPONSE_FAILURE);
    *n = w->sent->len - 1;
    g_assert_cmpuint(w->pri.cnt.stop_markers, ==, *n);
    if (*n) {
        msg = *world_sent(w, 1);
    }
    world_free(w);
    return msg;
}

/* PRI-42, PRI-43 */
static void test_marker(void)
{
    AtsMsg msg;
    uint32_t n;

    msg = marker(PCIE_PRI_MARKER_OK, &n);
    g_assert_true(ats_msg_is_stop_marker(&msg));
    g_assert_true(!msg.addr && !msg.prgi);
    marker(PCIE_PRI_MARKER_NONE, &n);
    g_assert_cmpuint(n, ==, 0);
    msg = marker(PCIE_PRI_MARKER_NO_PASID, &n);
    g_assert_true(n == 1 && msg.pasid == ATS_NO_PASID && msg.last);
    msg = marker(PCIE_PRI_MARKER_TYPE, &n);
    g_assert_cmphex(msg.prgi & 0x1f, !=, 0);
    msg = marker(PCIE_PRI_MARKER_DIRTY, &n);
    g_assert_true(ats_msg_is_stop_marker(&msg));
    g_assert_true(msg.addr && msg.prgi && !(msg.prgi & 0x1f));
}

/* PRI-01, PRI-31 */
static void test_send_when_disabled(void)
{
    World *w = world_on(64);

    pcie_pri_write_control(&w->pri, 0);
    g_assert_cmpint(world_submit(w, 1, 1), ==, PCIE_PRI_UNUSABLE);
    pcie_pri_set_quirks(&w->pri,
                       &(PciePriQuirks) { .send_when_disabled = true });
    g_assert_cmpint(world_submit(w, 1, 1), ==, PCIE_PRI_SENT);
    world_respond(w, 0, 1, ATS_PRG_SUCCESS);
    world_expect_done(w, 0, 1001, PCIE_PRI_RESPONSE, ATS_PRG_SUCCESS);
    world_free(w);
}

/* PRI-20, PRI-21 */
static void test_rf_as_ir(void)
{
    World *w = world_wrong((PciePriQuirks) { .rf_as_ir = true });

    world_submit(w, 1, 1);
    world_submit(w, 1, 2);
    world_respond(w, 0, 1, ATS_PRG_RESPONSE_FAILURE);
    world_expect_done(w, 0, 1001, PCIE_PRI_RESPONSE,
                      ATS_PRG_INVALID_REQUEST);
    g_assert_cmpuint(w->done->len, ==, 1);
    g_assert_cmphex(world_status(w), ==, 0);
    g_assert_cmpint(world_submit(w, 1, 1), ==, PCIE_PRI_SENT);
    world_free(w);
}

/* PRI-22 */
static void test_no_uprgi(void)
{
    World *w = world_wrong((PciePriQuirks) { .no_uprgi = true });

    world_respond(w, 9, 1, ATS_PRG_SUCCESS);
    g_assert_cmphex(world_status(w), ==, 0);
    g_assert_cmpuint(w->pri.cnt.resp_unexpected, ==, 1);
    pcie_pri_set_quirks(&w->pri, &(PciePriQuirks) { 0 });
    world_respond(w, 9, 1, ATS_PRG_SUCCESS);
    g_assert_cmphex(world_status(w), ==, PCI_PRI_STATUS_UPRGI);
    world_free(w);
}

/* PRI-31 */
static void test_stop_by_owner(void)
{
    World *w = world_wrong((PciePriQuirks) { .stop_by_owner = true });

    world_submit(w, 1, 1);
    pcie_pri_write_control(&w->pri, 0);
    g_assert_cmpuint(w->stopping, ==, 0);
    /* too early: a group is outstanding */
    pcie_pri_stopped(&w->pri);
    g_assert_cmphex(world_status(w), ==, 0);
    world_respond(w, 0, 1, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->stopping, ==, 1);
    g_assert_cmphex(world_status(w), ==, 0);
    /* the owner is told once */
    pcie_pri_write_control(&w->pri, 0);
    g_assert_cmpuint(w->stopping, ==, 1);
    pcie_pri_stopped(&w->pri);
    g_assert_cmphex(world_status(w), ==, PCI_PRI_STATUS_STOPPED);
    g_assert_cmpuint(pcie_pri_cancel(&w->pri, 77, UINT64_MAX), ==, 0);
    g_assert_cmpuint(w->stopping, ==, 1);

    /* enabled again before that: it is not stopped any more */
    pcie_pri_write_control(&w->pri, CTRL_E);
    pcie_pri_write_control(&w->pri, 0);
    g_assert_cmpuint(w->stopping, ==, 2);
    pcie_pri_write_control(&w->pri, CTRL_E);
    pcie_pri_stopped(&w->pri);
    g_assert_cmphex(world_status(w), ==, 0);

    /* the last group is forgotten: that takes its time as well */
    world_submit(w, 1, 1);
    pcie_pri_write_control(&w->pri, 0);
    g_assert_cmpuint(pcie_pri_cancel(&w->pri, 1001, UINT64_MAX), ==, 1);
    g_assert_cmpuint(w->stopping, ==, 3);
    g_assert_cmphex(world_status(w), ==, 0);
    pcie_pri_stopped(&w->pri);
    g_assert_cmphex(world_status(w), ==, PCI_PRI_STATUS_STOPPED);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pri/wrong/PRI-07/no-last", test_no_last);
    g_test_add_func("/pri/wrong/PRI-02/access", test_access);
    g_test_add_func("/pri/wrong/PRI-06/mixed", test_mixed);
    g_test_add_func("/pri/wrong/PRI-43/marker-inside", test_marker_inside);
    g_test_add_func("/pri/wrong/PRI-42/marker", test_marker);
    g_test_add_func("/pri/wrong/PRI-01/send-when-disabled",
                    test_send_when_disabled);
    g_test_add_func("/pri/wrong/PRI-21/rf-as-ir", test_rf_as_ir);
    g_test_add_func("/pri/wrong/PRI-22/no-uprgi", test_no_uprgi);
    g_test_add_func("/pri/wrong/PRI-31/stop-by-owner", test_stop_by_owner);
    return g_test_run();
}
