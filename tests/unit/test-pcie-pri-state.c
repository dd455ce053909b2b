/*
 * Unit tests of the Page Request engine, named after the checklist: registers
 * and reset
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "pri-world.h"

static void test_pri_30_enable(void)
{
    World *w = world_on(8);

    g_assert_cmphex(pcie_pri_read_control(&w->pri), ==, CTRL_E);
    world_respond(w, 1, 1, ATS_PRG_SUCCESS);
    world_submit(w, 1, 1);
    world_respond(w, 0, 1, ATS_PRG_RESPONSE_FAILURE);
    pcie_pri_write_control(&w->pri, 0);
    g_assert_cmphex(world_status(w), ==, PCI_PRI_STATUS_STOPPED |
                    PCI_PRI_STATUS_RF | PCI_PRI_STATUS_UPRGI);
    pcie_pri_write_control(&w->pri, CTRL_E);
    g_assert_cmphex(world_status(w), ==, 0);

    /* E = 1 written again clears no flag */
    world_respond(w, 1, 1, ATS_PRG_SUCCESS);
    pcie_pri_write_control(&w->pri, CTRL_E);
    g_assert_cmphex(world_status(w), ==, PCI_PRI_STATUS_UPRGI);
    world_free(w);
}

/* E = 0 written again is no event either, and each flag is cleared alone */
static void test_pri_30_disabled(void)
{
    World *w = world_on(8);

    world_respond(w, 1, 1, ATS_PRG_SUCCESS);
    world_submit(w, 1, 1);
    world_respond(w, 0, 1, ATS_PRG_RESPONSE_FAILURE);
    pcie_pri_write_control(&w->pri, 0);
    pcie_pri_write_control(&w->pri, 0);
    g_assert_cmphex(world_status(w), ==, PCI_PRI_STATUS_STOPPED |
                    PCI_PRI_STATUS_RF | PCI_PRI_STATUS_UPRGI);
    pcie_pri_write_status(&w->pri, PCI_PRI_STATUS_UPRGI);
    g_assert_cmphex(world_status(w), ==, PCI_PRI_STATUS_STOPPED |
                    PCI_PRI_STATUS_RF);
    pcie_pri_write_status(&w->pri, PCI_PRI_STATUS_RF);
    g_assert_cmphex(world_status(w), ==, PCI_PRI_STATUS_STOPPED);
    world_free(w);
}

static void test_pri_30_too_early(void)
{
    World *w = world_on(8);

    world_submit(w, 1, 1);
    pcie_pri_write_control(&w->pri, 0);
    pcie_pri_write_control(&w->pri, CTRL_E);
    g_assert_cmpuint(w->pri.cnt.violations, ==, 1);
    g_assert_cmpuint(shim_guest_errors, ==, 1);
    world_free(w);
}

static void test_pri_31_stop(void)
{
    World *w = world_on(8);

    world_submit(w, 1, 1);
    world_submit(w, 1, 2);
    pcie_pri_write_control(&w->pri, 0);
    g_assert_cmphex(world_status(w), ==, 0);
    g_assert_cmpint(world_submit(w, 1, 3), ==, PCIE_PRI_UNUSABLE);
    world_respond(w, 1, 2, ATS_PRG_SUCCESS);
    g_assert_cmphex(world_status(w), ==, 0);
    world_respond(w, 0, 1, ATS_PRG_SUCCESS);
    g_assert_cmphex(world_status(w), ==, PCI_PRI_STATUS_STOPPED);
    g_assert_cmpuint(w->done->len, ==, 2);
    world_free(w);

    /* nothing outstanding: at once */
    w = world_on(8);
    pcie_pri_write_control(&w->pri, 0);
    g_assert_cmphex(world_status(w), ==, PCI_PRI_STATUS_STOPPED);
    world_free(w);
}

static void test_pri_31_failure(void)
{
    World *w = world_on(8);

    world_submit(w, 1, 1);
    world_submit(w, 1, 2);
    pcie_pri_write_control(&w->pri, 0);
    world_respond(w, 0, 1, ATS_PRG_RESPONSE_FAILURE);
    g_assert_cmphex(world_status(w), ==, PCI_PRI_STATUS_STOPPED |
                    PCI_PRI_STATUS_RF);
    g_assert_cmpuint(w->done->len, ==, 2);
    world_free(w);
}

/* A caller that waits for credits is told that there will be none */
static void test_pri_31_waiters(void)
{
    World *w = world_on(1);

    world_submit(w, 1, 1);
    g_assert_cmpint(world_submit(w, 1, 2), ==, PCIE_PRI_BUSY);
    pcie_pri_write_control(&w->pri, 0);
    g_assert_cmpuint(w->wakes, ==, 1);
    g_assert_cmpint(world_submit(w, 1, 2), ==, PCIE_PRI_UNUSABLE);
    world_free(w);
}

static void test_pri_32_reset_value(void)
{
    World *w = world_new(8, true);

    g_assert_cmphex(pcie_pri_read_status(&w->pri), ==,
                    PCI_PRI_STATUS_STOPPED | PCI_PRI_STATUS_PASID);
    g_assert_cmphex(pcie_pri_read_control(&w->pri), ==, 0);
    g_assert_cmpuint(w->pri.allocation, ==, 0);
    world_free(w);
}

static void test_pri_33_reset(void)
{
    World *w = world_on(8);

    /* Not while E stays 1 */
    world_submit(w, 3, 1);
    pcie_pri_write_control(&w->pri, CTRL_E | CTRL_R);
    g_assert_cmpuint(w->pri.n_groups, ==, 1);
    g_assert_cmphex(pcie_pri_read_control(&w->pri), ==, CTRL_E);

    /* In the write that clears E: at once, and it reads 0 */
    pcie_pri_write_control(&w->pri, CTRL_R);
    g_assert_cmphex(pcie_pri_read_control(&w->pri), ==, 0);
    g_assert_cmphex(world_status(w), ==, PCI_PRI_STATUS_STOPPED);
    g_assert_cmpuint(w->pri.n_groups, ==, 0);
    world_expect_done(w, 0, 1001, PCIE_PRI_RESET, 0xf);

    /* A response to what was forgotten is unexpected; credits are all back */
    world_respond(w, 0, 1, ATS_PRG_SUCCESS);
    g_assert_cmpuint(w->pri.cnt.resp_unexpected, ==, 1);
    pcie_pri_write_control(&w->pri, CTRL_E);
    g_assert_cmpuint(pcie_pri_credits(&w->pri), ==, 8);

    /* While it is stopping */
    world_submit(w, 3, 1);
    pcie_pri_write_control(&w->pri, 0);
    g_assert_cmphex(world_status(w), ==, 0);
    pcie_pri_write_control(&w->pri, CTRL_R);
    g_assert_cmphex(world_status(w), ==, PCI_PRI_STATUS_STOPPED);
    g_assert_cmpuint(w->done->len, ==, 2);

    /* E = 0 before, 1 after: enabled, no reset */
    pcie_pri_write_control(&w->pri, CTRL_E);
    world_submit(w, 3, 1);
    pcie_pri_write_control(&w->pri, 0);
    pcie_pri_write_control(&w->pri, CTRL_E | CTRL_R);
    g_assert_cmpuint(w->pri.n_groups, ==, 1);
    world_free(w);
}

static void test_pri_34_allocation(void)
{
    World *w = world_on(8);

    pcie_pri_write_allocation(&w->pri, 4);
    g_assert_cmpuint(w->pri.allocation, ==, 8);
    g_assert_cmpuint(w->pri.cnt.violations, ==, 1);
    pcie_pri_write_control(&w->pri, 0);
    pcie_pri_write_allocation(&w->pri, 4);
    g_assert_cmpuint(w->pri.allocation, ==, 4);
    g_assert_cmpuint(w->pri.cnt.violations, ==, 1);

    /* Above the capacity: no more credits than that */
    pcie_pri_write_allocation(&w->pri, 5000);
    g_assert_cmpuint(w->pri.cnt.violations, ==, 2);
    pcie_pri_write_control(&w->pri, CTRL_E);
    g_assert_cmpuint(pcie_pri_credits(&w->pri), ==, 1024);
    world_free(w);
}

/* Smaller allocation while requests of a larger one are outstanding */
static void test_pri_34_shrunk(void)
{
    World *w = world_on(8);

    world_submit(w, 6, 1);
    pcie_pri_write_control(&w->pri, 0);
    pcie_pri_write_allocation(&w->pri, 2);
    pcie_pri_write_control(&w->pri, CTRL_E);
    g_assert_cmpuint(pcie_pri_credits(&w->pri), ==, 0);
    g_assert_cmpint(world_submit(w, 1, 2), ==, PCIE_PRI_BUSY);
    world_respond(w, 0, 1, ATS_PRG_SUCCESS);
    g_assert_cmpuint(pcie_pri_credits(&w->pri), ==, 2);
    world_free(w);
}

/* What Linux does: pci_reset_pri(), allocation, enable */
static void test_pri_35_linux(void)
{
    World *w = world_new(512, true);

    pcie_pri_write_control(&w->pri, CTRL_R);
    g_assert_cmphex(world_status(w), ==, PCI_PRI_STATUS_STOPPED);
    pcie_pri_write_allocation(&w->pri, 512);
    pcie_pri_write_control(&w->pri, CTRL_E);
    g_assert_cmpint(world_submit(w, 512, 1), ==, PCIE_PRI_SENT);
    g_assert_cmpuint(w->sent->len, ==, 512);
    g_assert_cmpuint(w->pri.cnt.groups, ==, 1);
    g_assert_cmpuint(w->pri.cnt.violations, ==, 0);
    world_free(w);
}

static void test_flr_06(void)
{
    World *w = world_on(8);

    world_submit(w, 3, 1);
    pcie_pri_reset(&w->pri);
    g_assert_cmpuint(w->done->len, ==, 0);
    g_assert_cmpuint(w->pri.allocation, ==, 0);
    g_assert_cmpuint(w->pri.n_groups, ==, 0);
    g_assert_cmphex(pcie_pri_read_control(&w->pri), ==, 0);
    g_assert_cmphex(world_status(w), ==, PCI_PRI_STATUS_STOPPED);
    world_respond(w, 0, 1, ATS_PRG_SUCCESS);
    g_assert_cmphex(world_status(w), ==, PCI_PRI_STATUS_STOPPED |
                    PCI_PRI_STATUS_UPRGI);
    g_assert_cmpuint(w->pri.cnt.page_requests, ==, 0);

    /* A failure that comes too late does not disable what is new */
    pcie_pri_reset(&w->pri);
    world_respond(w, 0, 1, ATS_PRG_RESPONSE_FAILURE);
    g_assert_cmphex(world_status(w), ==, PCI_PRI_STATUS_STOPPED |
                    PCI_PRI_STATUS_UPRGI);
    world_free(w);
}

/* A response to what a reset made it forget meets the next group: counted */
static void test_flr_06_stale(void)
{
    World *w = world_on(8);

    world_submit(w, 1, 1);
    world_submit(w, 1, 2);
    pcie_pri_reset(&w->pri);
    pcie_pri_write_allocation(&w->pri, 8);
    pcie_pri_write_control(&w->pri, CTRL_E);

    /* index 1 is free, index 0 is in use again */
    world_submit(w, 1, 3);
    g_assert_cmpuint(world_sent(w, 2)->prgi, ==, 0);
    world_respond(w, 1, 2, 0);
    g_assert_cmpuint(w->pri.cnt.resp_stale, ==, 1);
    g_assert_cmpuint(w->pri.cnt.resp_unexpected, ==, 1);
    g_assert_cmpuint(w->pri.cnt.resp_mistaken, ==, 0);
    world_respond(w, 0, 3, 0);
    g_assert_cmpuint(w->pri.cnt.resp_stale, ==, 2);
    g_assert_cmpuint(w->pri.cnt.resp_mistaken, ==, 1);
    g_assert_cmpuint(w->done->len, ==, 1);

    /* no more of them are to come */
    world_respond(w, 0, 3, 0);
    g_assert_cmpuint(w->pri.cnt.resp_stale, ==, 2);
    world_free(w);
}

/* PRQ-91, PRQ-92: some groups are cancelled, the others know nothing of it */
static void test_prq_91_cancel(void)
{
    World *w = world_on(4);

    world_submit(w, 2, 1);
    world_submit(w, 2, 2);
    g_assert_cmpint(world_submit(w, 1, 3), ==, PCIE_PRI_BUSY);
    g_assert_cmpuint(pcie_pri_cancel(&w->pri, 1001, UINT64_MAX), ==, 1);
    g_assert_cmpuint(w->wakes, ==, 1);
    g_assert_cmpuint(w->done->len, ==, 0);
    g_assert_cmpuint(w->pri.n_groups, ==, 1);
    g_assert_cmpuint(pcie_pri_credits(&w->pri), ==, 2);
    g_assert_true(w->pri.enable);

    /* the late response ends nothing; the other's does */
    world_respond(w, 0, 1, 0);
    g_assert_cmpuint(w->pri.cnt.resp_stale, ==, 1);
    g_assert_cmpuint(w->pri.cnt.resp_mistaken, ==, 0);
    g_assert_cmpuint(w->done->len, ==, 0);
    world_respond(w, 1, 2, 0);
    g_assert_cmpuint(w->pri.cnt.resp_stale, ==, 1);
    g_assert_cmpuint(w->done->len, ==, 1);
    g_assert_cmpuint(pcie_pri_credits(&w->pri), ==, 4);
    world_free(w);
}

/* All of them, when the interface is stopping: then it has stopped */
static void test_prq_91_cancel_all(void)
{
    World *w = world_on(4);

    world_submit(w, 1, 1);
    world_submit(w, 1, 2);
    pcie_pri_write_control(&w->pri, 0);
    g_assert_false(w->pri.stopped);
    g_assert_cmpuint(pcie_pri_cancel(&w->pri, 0, 0), ==, 2);
    g_assert_true(w->pri.stopped);
    g_assert_cmpuint(w->pri.credits_used, ==, 0);
    g_assert_cmpuint(pcie_pri_cancel(&w->pri, 0, 0), ==, 0);
    world_free(w);
}

/* Lost for good, and not heard while the function was in reset */
static void test_flr_06_lost(void)
{
    World *w = world_on(8);
    AtsMsg msg = { .kind = ATS_MSG_PRG_RESPONSE, .prgi = 512 };

    world_submit(w, 1, 1);
    pcie_pri_reset(&w->pri);
    pcie_pri_drop_response(&w->pri, &msg);
    pcie_pri_drop_response(&w->pri, &msg);
    world_respond(w, 0, 1, 0);
    g_assert_cmpuint(w->pri.cnt.resp_stale, ==, 0);

    pcie_pri_write_allocation(&w->pri, 8);
    pcie_pri_write_control(&w->pri, CTRL_E);
    world_submit(w, 1, 1);
    pcie_pri_reset(&w->pri);
    pcie_pri_lost_responses(&w->pri);
    world_respond(w, 0, 1, 0);
    g_assert_cmpuint(w->pri.cnt.resp_stale, ==, 0);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pri/PRI-30/enable", test_pri_30_enable);
    g_test_add_func("/pri/PRI-30/disabled", test_pri_30_disabled);
    g_test_add_func("/pri/PRI-30/too-early", test_pri_30_too_early);
    g_test_add_func("/pri/PRI-31/stop", test_pri_31_stop);
    g_test_add_func("/pri/PRI-31/failure", test_pri_31_failure);
    g_test_add_func("/pri/PRI-31/waiters", test_pri_31_waiters);
    g_test_add_func("/pri/PRI-32/reset-value", test_pri_32_reset_value);
    g_test_add_func("/pri/PRI-33/reset", test_pri_33_reset);
    g_test_add_func("/pri/PRI-34/allocation", test_pri_34_allocation);
    g_test_add_func("/pri/PRI-34/shrunk", test_pri_34_shrunk);
    g_test_add_func("/pri/PRI-35/linux", test_pri_35_linux);
    g_test_add_func("/pri/FLR-06/forget", test_flr_06);
    g_test_add_func("/pri/FLR-06/stale", test_flr_06_stale);
    g_test_add_func("/pri/FLR-06/lost", test_flr_06_lost);
    g_test_add_func("/pri/PRQ-91/cancel", test_prq_91_cancel);
    g_test_add_func("/pri/PRQ-91/cancel-all", test_prq_91_cancel_all);
    return g_test_run();
}
