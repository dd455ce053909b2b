/*
 * Unit tests of the Page Request engine, named after the checklist
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "hw/pci/pcie_pri.h"
#include "standard-headers/linux/pci_regs.h"

#define CTRL_E      PCI_PRI_CTRL_ENABLE
#define CTRL_R      PCI_PRI_CTRL_RESET

unsigned int shim_guest_errors;

typedef struct Done {
    uint64_t cookie;
    PciePriEnd end;
    unsigned int code;
} Done;

typedef struct World {
    PciePri pri;
    GArray *sent;           /* AtsMsg */
    GArray *done;           /* Done */
    unsigned int wakes;
    unsigned int raw_responses;
    AtsMsg last_raw;
    int answer;             /* code to answer L=1 with from inside, or -1 */
    int fail_at;            /* message that meets a Response Failure, or -1 */
} World;

static void world_respond(World *w, uint16_t prgi, uint32_t pasid, int code)
{
    AtsMsg msg = {
        .kind = ATS_MSG_PRG_RESPONSE,
        .prgi = prgi,
        .pasid = pasid,
        .code = code,
    };

    pcie_pri_response(&w->pri, &msg);
}

static void op_send(void *opaque, AtsMsg *msg)
{
    World *w = opaque;
    uint32_t n = w->sent->len;

    g_assert_cmpint(msg->kind, ==, ATS_MSG_PAGE_REQUEST);
    g_array_append_val(w->sent, *msg);
    if (msg->last && w->answer >= 0) {
        world_respond(w, msg->prgi, msg->pasid, w->answer);
    }
    if ((int)n == w->fail_at) {
        world_respond(w, msg->prgi, msg->pasid, ATS_PRG_RESPONSE_FAILURE);
    }
}

static void op_group_done(void *opaque, uint64_t cookie, PciePriEnd end,
                          unsigned int code)
{
    World *w = opaque;
    Done done = { .cookie = cookie, .end = end, .code = code };

    g_array_append_val(w->done, done);
}

static void op_wake(void *opaque)
{
    World *w = opaque;

    w->wakes++;
}

static void op_raw_response(void *opaque, const AtsMsg *msg)
{
    World *w = opaque;

    w->raw_responses++;
    w->last_raw = *msg;
}

static const PciePriOps ops = {
    .send = op_send,
    .group_done = op_group_done,
    .wake = op_wake,
    .raw_response = op_raw_response,
};

static World *world_new(uint32_t capacity, bool pasid_required)
{
    World *w = g_new0(World, 1);

    w->sent = g_array_new(false, false, sizeof(AtsMsg));
    w->done = g_array_new(false, false, sizeof(Done));
    w->answer = -1;
    w->fail_at = -1;
    pcie_pri_engine_init(&w->pri, capacity, pasid_required, &ops, w);
    shim_guest_errors = 0;
    return w;
}

/* Enabled, with an allocation */
static World *world_on(uint32_t allocation)
{
    World *w = world_new(1024, true);

    pcie_pri_write_allocation(&w->pri, allocation);
    pcie_pri_write_control(&w->pri, CTRL_E);
    return w;
}

static void world_free(World *w)
{
    g_array_free(w->sent, true);
    g_array_free(w->done, true);
    g_free(w);
}

/* A group of @n pages for reading; its cookie is its PASID + 1000 */
static PciePriSubmit world_submit(World *w, uint32_t n, uint32_t pasid)
{
    g_autofree PciePriPage *pages = g_new0(PciePriPage, MAX(n, 1));
    PciePriRequest req = {
        .pages = pages,
        .n_pages = n,
        .pasid = pasid,
        .cookie = pasid + 1000ULL,
    };

    for (uint32_t i = 0; i < n; i++) {
        pages[i].addr = 0x10000 + i * 0x1000ULL;
        pages[i].read = true;
    }
    return pcie_pri_submit(&w->pri, &req);
}

static AtsMsg *world_sent(World *w, uint32_t i)
{
    g_assert_cmpuint(i, <, w->sent->len);
    return &g_array_index(w->sent, AtsMsg, i);
}

static void world_expect_done(World *w, uint32_t i, uint64_t cookie,
                              PciePriEnd end, unsigned int code)
{
    Done *done;

    g_assert_cmpuint(i, <, w->done->len);
    done = &g_array_index(w->done, Done, i);
    g_assert_cmpuint(done->cookie, ==, cookie);
    g_assert_cmpint(done->end, ==, end);
    g_assert_cmpuint(done->code, ==, code);
}

static uint16_t world_status(World *w)
{
    return pcie_pri_read_status(&w->pri) & ~PCI_PRI_STATUS_PASID;
}

/* -- Page Request messages ------------------------------------------------ */

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
    w->pri.groups[5].use = PCIE_PRI_SENDING;
    w->pri.groups[5].pages = 1;
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

/* -- PRG Responses -------------------------------------------------------- */

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

/* -- Registers ------------------------------------------------------------ */

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

/* Whoever waits for credits learns that there will be none */
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

/* -- Reset of the function, raw requests ---------------------------------- */

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
    world_respond(w, 0, 3, 0);
    g_assert_cmpuint(w->pri.cnt.resp_stale, ==, 2);
    g_assert_cmpuint(w->done->len, ==, 1);

    /* no more of them are to come */
    world_respond(w, 0, 3, 0);
    g_assert_cmpuint(w->pri.cnt.resp_stale, ==, 2);
    world_free(w);
}

/* Lost for good, and not heard while the function was in reset */
static void test_flr_06_lost(void)
{
    World *w = world_on(8);
    AtsMsg msg = { .kind = ATS_MSG_PRG_RESPONSE, .prgi = 512 };

    world_submit(w, 1, 1);
    pcie_pri_reset(&w->pri);
    pcie_pri_unheard(&w->pri, &msg);
    pcie_pri_unheard(&w->pri, &msg);
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

/* PRI-40: outstanding is what still has a meaning, by PASID */
static void test_pri_40_outstanding(void)
{
    World *w = world_on(8);

    world_submit(w, 1, 1);
    world_submit(w, 2, 1);
    world_submit(w, 1, 2);
    world_submit(w, 1, ATS_NO_PASID);
    g_assert_cmpuint(pcie_pri_outstanding(&w->pri, 1), ==, 2);
    g_assert_cmpuint(pcie_pri_outstanding(&w->pri, 2), ==, 1);
    g_assert_cmpuint(pcie_pri_outstanding(&w->pri, 3), ==, 0);
    world_respond(w, 0, 1, 0);
    g_assert_cmpuint(pcie_pri_outstanding(&w->pri, 1), ==, 1);
    world_free(w);
}

/* PRI-41, PRI-42: groups end at once, credits and indices do not come back */
static void test_pri_41_marker(void)
{
    World *w = world_on(3);
    AtsMsg *marker;

    world_submit(w, 2, 1);
    world_submit(w, 1, 2);
    g_assert_true(pcie_pri_stop_marker(&w->pri, 1));
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
    g_assert_cmpuint(pcie_pri_outstanding(&w->pri, 1), ==, 0);
    g_assert_cmpuint(pcie_pri_outstanding(&w->pri, 2), ==, 1);
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
    pcie_pri_stop_marker(&w->pri, 1);
    world_submit(w, 1, 1);
    g_assert_cmpuint(world_sent(w, 2)->prgi, ==, 1);
    world_respond(w, 0, 1, 0);
    g_assert_cmpuint(w->done->len, ==, 1);
    g_assert_cmpuint(pcie_pri_outstanding(&w->pri, 1), ==, 1);
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
    pcie_pri_stop_marker(&w->pri, 1);
    pcie_pri_write_control(&w->pri, 0);
    g_assert_cmphex(pcie_pri_read_status(&w->pri) & PCI_PRI_STATUS_STOPPED,
                    ==, 0);
    world_respond(w, 0, 1, 0);
    g_assert_cmphex(pcie_pri_read_status(&w->pri) & PCI_PRI_STATUS_STOPPED,
                    !=, 0);
    g_assert_false(pcie_pri_stop_marker(&w->pri, 1));
    g_assert_cmpuint(w->sent->len, ==, 2);

    pcie_pri_write_control(&w->pri, CTRL_E);
    world_submit(w, 1, 1);
    pcie_pri_stop_marker(&w->pri, 1);
    pcie_pri_write_control(&w->pri, CTRL_R);
    g_assert_cmpuint(w->done->len, ==, 2);
    world_free(w);
}

static void test_over_issue(void)
{
    World *w = world_on(1);

    world_submit(w, 1, 1);
    g_assert_cmpint(world_submit(w, 1, 1), ==, PCIE_PRI_BUSY);
    pcie_pri_misbehave(&w->pri, true, PCIE_PRI_ROUND_ROBIN);
    g_assert_cmpuint(w->wakes, ==, 1);
    for (int i = 1; i < ATS_PRGI_NR; i++) {
        g_assert_cmpint(world_submit(w, 2, 1), ==, PCIE_PRI_SENT);
    }
    g_assert_cmpint(world_submit(w, 1, 1), ==, PCIE_PRI_BUSY);

    /* back to the rules: nothing until it has all been paid for */
    pcie_pri_misbehave(&w->pri, false, PCIE_PRI_ROUND_ROBIN);
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
    pcie_pri_misbehave(&w->pri, false, PCIE_PRI_LIFO);
    g_assert_cmpuint(next_prgi(w), ==, 3);
    g_assert_cmpuint(next_prgi(w), ==, 1);
    g_assert_cmpuint(next_prgi(w), ==, 4);
    g_assert_cmpuint(next_prgi(w), ==, 7);        /* never used */
    pcie_pri_misbehave(&w->pri, false, PCIE_PRI_LOWEST);
    world_respond(w, 4, 1, 0);
    world_respond(w, 2, 1, 0);
    g_assert_cmpuint(next_prgi(w), ==, 2);
    g_assert_cmpuint(next_prgi(w), ==, 4);
    pcie_pri_misbehave(&w->pri, false, PCIE_PRI_ROUND_ROBIN);
    g_assert_cmpuint(next_prgi(w), ==, 8);
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
    g_test_add_func("/pri/PRI-20/codes", test_pri_20_codes);
    g_test_add_func("/pri/PRI-21/failure", test_pri_21_failure);
    g_test_add_func("/pri/PRI-22/unexpected", test_pri_22_unexpected);
    g_test_add_func("/pri/PRI-23/burst", test_pri_23_burst);
    g_test_add_func("/pri/PRI-24/pasid", test_pri_24_pasid);
    g_test_add_func("/pri/PRI-30/enable", test_pri_30_enable);
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
    g_test_add_func("/pri/PRI-40/outstanding", test_pri_40_outstanding);
    g_test_add_func("/pri/PRI-41/marker", test_pri_41_marker);
    g_test_add_func("/pri/PRI-41/disable", test_pri_41_disable);
    g_test_add_func("/pri/PRI-44/reuse", test_pri_44_reuse);
    g_test_add_func("/pri/over-issue", test_over_issue);
    g_test_add_func("/pri/policy", test_policy);
    g_test_add_func("/pri/answer-inside", test_answer_inside);
    g_test_add_func("/pri/raw", test_raw);
    g_test_add_func("/pri/hostile-response", test_hostile_response);
    return g_test_run();
}
