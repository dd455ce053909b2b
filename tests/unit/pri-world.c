/*
 * A Page Request engine and what is around it, for its unit tests
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "pri-world.h"

unsigned int shim_guest_errors;

void world_respond(World *w, uint16_t prgi, uint32_t pasid, int code)
{
    AtsMsg msg = {
        .kind = ATS_MSG_PRG_RESPONSE,
        .prgi = prgi,
        .pasid = pasid,
        .code = code,
    };

    pcie_pri_response(&w->pri, &msg);
}

static void op_send(void *opaque, uint16_t rid, AtsMsg *msg)
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

static void op_stopping(void *opaque)
{
    World *w = opaque;

    w->stopping++;
}

static const PciePriOps ops = {
    .stopping = op_stopping,
    .send = op_send,
    .group_done = op_group_done,
    .wake = op_wake,
    .raw_response = op_raw_response,
};

World *world_new(uint32_t capacity, bool pasid_required)
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

World *world_on(uint32_t allocation)
{
    World *w = world_new(1024, true);

    pcie_pri_write_allocation(&w->pri, allocation);
    pcie_pri_write_control(&w->pri, CTRL_E);
    return w;
}

void world_free(World *w)
{
    g_array_free(w->sent, true);
    g_array_free(w->done, true);
    g_free(w);
}

PciePriSubmit world_submit(World *w, uint32_t n, uint32_t pasid)
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

AtsMsg *world_sent(World *w, uint32_t i)
{
    g_assert_cmpuint(i, <, w->sent->len);
    return &g_array_index(w->sent, AtsMsg, i);
}

void world_expect_done(World *w, uint32_t i, uint64_t cookie, PciePriEnd end,
                       unsigned int code)
{
    Done *done;

    g_assert_cmpuint(i, <, w->done->len);
    done = &g_array_index(w->done, Done, i);
    g_assert_cmpuint(done->cookie, ==, cookie);
    g_assert_cmpint(done->end, ==, end);
    g_assert_cmpuint(done->code, ==, code);
}

uint16_t world_status(World *w)
{
    return pcie_pri_read_status(&w->pri) & ~PCI_PRI_STATUS_PASID;
}
