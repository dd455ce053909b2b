/*
 * Unit tests of the ATS link
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "hw/pci/ats_link.h"

unsigned int shim_guest_errors;

/* One world: a link, an agent and ports that write down what they receive */
typedef struct World World;

typedef struct Port {
    World *w;
    AtsPort *port;
    uint16_t rid;
    unsigned int rid_calls;
    unsigned int received;
    unsigned int resets;
} Port;

struct World {
    AtsLink *link;
    GArray *log;                /* of AtsMsg, in order of delivery */
    unsigned int depth;
    unsigned int echo;          /* answer this many more page requests */
    unsigned int amplify;       /* send that many for each invalidation */
    bool reset_inside;
    Port ports[64];
};

static void world_log(World *w, const AtsMsg *msg)
{
    /* No receiver is ever re-entered */
    g_assert_cmpuint(w->depth, ==, 0);
    w->depth++;
    g_array_append_val(w->log, *msg);
}

static void agent_page_request(void *opaque, const AtsMsg *msg)
{
    World *w = opaque;

    world_log(w, msg);
    if (w->echo) {
        AtsMsg resp = {
            .kind = ATS_MSG_PRG_RESPONSE,
            .rid = msg->rid,
            .pasid = msg->pasid,
            .prgi = msg->prgi,
        };

        w->echo--;
        ats_link_send(w->link, &resp);
        resp.kind = ATS_MSG_INV_REQUEST;
        ats_link_send(w->link, &resp);
    }
    w->depth--;
}

static void agent_inv_completion(void *opaque, const AtsMsg *msg)
{
    World *w = opaque;

    world_log(w, msg);
    if (w->reset_inside) {
        ats_link_reset(w->link);
    }
    w->depth--;
}

static AtsTrStatus agent_translate(void *opaque, const AtsTrReq *req,
                                   AtsTrEntry *entry)
{
    *entry = (AtsTrEntry) {
        .iova = req->addr,
        .addr = req->addr + req->rid,
        .mask = 0xfff,
        .read = true,
        .write = !req->no_write,
    };
    return req->pasid == 1 ? ATS_TR_SUCCESS : ATS_TR_UR;
}

static uint16_t port_rid(void *opaque)
{
    Port *p = opaque;

    p->rid_calls++;
    return p->rid;
}

static void port_prg_response(void *opaque, const AtsMsg *msg)
{
    Port *p = opaque;

    world_log(p->w, msg);
    p->received++;
    p->w->depth--;
}

static void port_inv_request(void *opaque, const AtsMsg *msg)
{
    Port *p = opaque;
    AtsMsg completion = {
        .kind = ATS_MSG_INV_COMPLETION,
        .rid = msg->rid,
        .itags = 1u << msg->itag,
        .cc = 1,
    };

    world_log(p->w, msg);
    p->received++;
    for (unsigned int i = 0; i < p->w->amplify; i++) {
        completion.addr = i;
        ats_link_send(p->w->link, &completion);
    }
    p->w->depth--;
}

static const AtsAgentOps agent_ops = {
    .page_request = agent_page_request,
    .inv_completion = agent_inv_completion,
    .translate = agent_translate,
};

static void port_reset(void *opaque)
{
    Port *p = opaque;

    p->resets++;
}

static const AtsPortOps port_ops = {
    .reset = port_reset,
    .rid = port_rid,
    .prg_response = port_prg_response,
    .inv_request = port_inv_request,
};

static World *world_new(unsigned int n_ports)
{
    World *w = g_new0(World, 1);

    w->log = g_array_new(false, false, sizeof(AtsMsg));
    w->link = ats_link_new(&agent_ops, NULL, w);
    for (unsigned int i = 0; i < n_ports; i++) {
        w->ports[i].w = w;
        w->ports[i].rid = 0x100 * (i + 1);
        w->ports[i].port = ats_link_attach(w->link, &port_ops, &w->ports[i]);
    }
    return w;
}

static void world_free(World *w)
{
    ats_link_free(w->link);
    g_array_free(w->log, true);
    g_free(w);
}

static void world_send(World *w, AtsMsgKind kind, uint16_t rid)
{
    AtsMsg msg = { .kind = kind, .rid = rid, .pasid = 7, .prgi = 3 };

    ats_link_send(w->link, &msg);
}

static AtsMsgKind world_kind(const World *w, unsigned int i)
{
    g_assert_cmpuint(i, <, w->log->len);
    return g_array_index(w->log, AtsMsg, i).kind;
}

/* A machine whose IOMMU has no link has none to free */
static void test_none(void)
{
    ats_link_free(NULL);
}

static void test_at_once(void)
{
    World *w = world_new(2);
    AtsMsg msg = {
        .kind = ATS_MSG_PAGE_REQUEST, .rid = 0x100, .pasid = 0xfffff,
        .addr = 0x123456789000, .prgi = 511, .read = true, .last = true,
    };

    ats_link_send(w->link, &msg);
    g_assert_cmpuint(w->log->len, ==, 1);
    g_assert_cmpmem(w->log->data, sizeof(msg), &msg, sizeof(msg));
    world_send(w, ATS_MSG_PRG_RESPONSE, 0x200);
    g_assert_cmpuint(w->ports[0].received, ==, 0);
    g_assert_cmpuint(w->ports[1].received, ==, 1);
    g_assert_cmpuint(ats_link_counters(w->link)->sent[0], ==, 1);
    g_assert_cmpuint(ats_link_counters(w->link)
                     ->sent[ATS_MSG_PRG_RESPONSE], ==, 1);
    world_free(w);
}

/* What a receiver sends is delivered after it has returned, in order */
static void test_no_reentry(void)
{
    World *w = world_new(1);

    w->echo = 1;
    w->amplify = 1;
    world_send(w, ATS_MSG_PAGE_REQUEST, 0x100);
    g_assert_cmpuint(w->log->len, ==, 4);
    g_assert_cmpint(world_kind(w, 0), ==, ATS_MSG_PAGE_REQUEST);
    g_assert_cmpint(world_kind(w, 1), ==, ATS_MSG_PRG_RESPONSE);
    g_assert_cmpint(world_kind(w, 2), ==, ATS_MSG_INV_REQUEST);
    g_assert_cmpint(world_kind(w, 3), ==, ATS_MSG_INV_COMPLETION);

    /* and the link is idle again */
    world_send(w, ATS_MSG_PRG_RESPONSE, 0x100);
    g_assert_cmpuint(w->log->len, ==, 5);
    world_free(w);
}

/* Its FIFO grows while the oldest message is not at its beginning */
static void test_order_when_it_grows(void)
{
    World *w = world_new(1);

    w->echo = 1;
    w->amplify = 1000;
    world_send(w, ATS_MSG_PAGE_REQUEST, 0x100);
    g_assert_cmpuint(w->log->len, ==, 3 + w->amplify);
    for (unsigned int i = 0; i < w->amplify; i++) {
        const AtsMsg *msg = &g_array_index(w->log, AtsMsg, 3 + i);

        g_assert_cmpint(msg->kind, ==, ATS_MSG_INV_COMPLETION);
        g_assert_cmphex(msg->addr, ==, i);
    }
    world_free(w);
}

static void test_bounded(void)
{
    World *w = world_new(1);
    unsigned int cap = 64 * 1024;

    w->amplify = cap + 5;
    shim_guest_errors = 0;
    world_send(w, ATS_MSG_INV_REQUEST, 0x100);
    g_assert_cmpuint(w->log->len, ==, 1 + cap);
    g_assert_cmpuint(ats_link_counters(w->link)->lost, ==, 5);
    g_assert_cmpuint(shim_guest_errors, ==, 5);
    world_free(w);
}

static void test_reset_inside(void)
{
    World *w = world_new(1);

    w->amplify = 3;
    w->reset_inside = true;
    world_send(w, ATS_MSG_INV_REQUEST, 0x100);
    g_assert_cmpuint(w->log->len, ==, 2);
    g_assert_cmpuint(w->ports[0].resets, ==, 1);
    w->reset_inside = false;
    world_send(w, ATS_MSG_INV_REQUEST, 0x100);
    g_assert_cmpuint(w->log->len, ==, 6);
    world_free(w);
}

/* The guest gives functions new bus numbers behind our back */
static void test_renumber(void)
{
    World *w = world_new(3);

    world_send(w, ATS_MSG_INV_REQUEST, 0x100);
    world_send(w, ATS_MSG_INV_REQUEST, 0x200);
    w->ports[0].rid = 0x200;
    w->ports[1].rid = 0x100;
    world_send(w, ATS_MSG_INV_REQUEST, 0x100);
    world_send(w, ATS_MSG_INV_REQUEST, 0x100);
    g_assert_cmpuint(w->ports[0].received, ==, 1);
    g_assert_cmpuint(w->ports[1].received, ==, 3);

    w->ports[2].rid = 0x900;
    g_assert_false(ats_link_has_port(w->link, 0x300));
    g_assert_true(ats_link_has_port(w->link, 0x900));
    world_free(w);
}

static void test_nobody(void)
{
    World *w = world_new(1);

    shim_guest_errors = 0;
    world_send(w, ATS_MSG_PRG_RESPONSE, 0x101);
    world_send(w, ATS_MSG_INV_REQUEST, 0);
    g_assert_cmpuint(ats_link_counters(w->link)->lost, ==, 2);
    g_assert_cmpuint(shim_guest_errors, ==, 2);
    g_assert_cmpuint(w->ports[0].received, ==, 0);
    world_free(w);
}

static void test_detach(void)
{
    World *w = world_new(2);

    world_send(w, ATS_MSG_INV_REQUEST, 0x100);
    ats_link_detach(w->link, w->ports[0].port);
    g_assert_false(ats_link_has_port(w->link, 0x100));
    world_send(w, ATS_MSG_INV_REQUEST, 0x100);
    g_assert_cmpuint(w->ports[0].received, ==, 1);
    g_assert_cmpuint(ats_link_counters(w->link)->lost, ==, 1);

    /* its number may be taken by another */
    w->ports[1].rid = 0x100;
    world_send(w, ATS_MSG_INV_REQUEST, 0x100);
    g_assert_cmpuint(w->ports[1].received, ==, 1);
    world_free(w);
}

/* 64 functions: a message costs one question, not 64 */
static void test_many_ports(void)
{
    World *w = world_new(64);
    unsigned int calls = 0;

    for (unsigned int round = 0; round < 100; round++) {
        for (unsigned int i = 0; i < 64; i++) {
            world_send(w, ATS_MSG_PRG_RESPONSE, 0x100 * (i + 1));
        }
    }
    for (unsigned int i = 0; i < 64; i++) {
        g_assert_cmpuint(w->ports[i].received, ==, 100);
        calls += w->ports[i].rid_calls;
    }
    g_assert_cmpuint(calls, <, 6400 + 64 * 64);
    world_free(w);
}

static void test_translate(void)
{
    World *w = world_new(0);
    AtsTrReq req = { .addr = 0x5000, .rid = 1, .pasid = 1 };
    AtsTrEntry entry;
    uint64_t out;

    /* an agent that knows no PASIDs without ATS */
    g_assert_false(ats_link_untranslated(w->link, NULL, 1, 0x5000, false,
                                         &out));
    /* blocks no untranslated one without PASID on its way */
    g_assert_false(ats_link_blocks(w->link, NULL, 0x5000, true));
    /* and one that looks at no translated request lets all of them through */
    g_assert_true(ats_link_translated(w->link, 1, 0x5000, true));
    g_assert_cmpint(ats_link_translate(w->link, &req, &entry), ==,
                    ATS_TR_SUCCESS);
    g_assert_cmphex(entry.addr, ==, 0x5001);
    g_assert_true(entry.write);
    req.pasid = ATS_NO_PASID;
    g_assert_cmpint(ats_link_translate(w->link, &req, &entry), ==, ATS_TR_UR);
    world_free(w);
}

/* PCIe 6.2 10.3.2, VT-d table 28 */
static void test_range(void)
{
    static const struct {
        uint64_t addr;
        bool size;
        uint64_t base, last;
    } t[] = {
        { 0x123000, false, 0x123000, 0xfff },
        { 0x122000, true, 0x122000, 0x1fff },
        { 0x121000, true, 0x120000, 0x3fff },
        { 0x123000, true, 0x120000, 0x7fff },
        { 0x2ff000, true, 0x200000, 0x1fffff },
        { 0x7ffffffffffff000, true, 0, UINT64_MAX },
        { 0xfffffffffffff000, true, 0, UINT64_MAX },
        { 0xbffffffffffff000, true, 0x8000000000000000, INT64_MAX },
        { 0xfffffffffffff000, false, 0xfffffffffffff000, 0xfff },
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(t); i++) {
        uint64_t base;

        g_assert_cmphex(ats_inv_range(t[i].addr, t[i].size, &base), ==,
                        t[i].last);
        g_assert_cmphex(base, ==, t[i].base);
    }
}

static void test_stop_marker(void)
{
    AtsMsg msg = { .kind = ATS_MSG_PAGE_REQUEST, .pasid = 1, .last = true };

    g_assert_true(ats_msg_is_stop_marker(&msg));
    msg.read = true;
    g_assert_false(ats_msg_is_stop_marker(&msg));
    msg.read = false;
    msg.last = false;
    g_assert_false(ats_msg_is_stop_marker(&msg));
    msg.last = true;
    msg.pasid = ATS_NO_PASID;
    g_assert_false(ats_msg_is_stop_marker(&msg));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link/none", test_none);
    g_test_add_func("/link/at-once", test_at_once);
    g_test_add_func("/link/no-reentry", test_no_reentry);
    g_test_add_func("/link/bounded", test_bounded);
    g_test_add_func("/link/order-when-it-grows", test_order_when_it_grows);
    g_test_add_func("/link/reset-inside", test_reset_inside);
    g_test_add_func("/link/renumber", test_renumber);
    g_test_add_func("/link/nobody", test_nobody);
    g_test_add_func("/link/detach", test_detach);
    g_test_add_func("/link/many-ports", test_many_ports);
    g_test_add_func("/link/translate", test_translate);
    g_test_add_func("/link/ATS-25/range", test_range);
    g_test_add_func("/link/PRI-42/stop-marker", test_stop_marker);
    return g_test_run();
}
