/*
 * Unit tests of page requests between "received" and "accepted"
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/pci/ats_prq.h"

#define US      1000

/* An agent: an address says what becomes of a request */
#define BAD     0x1000          /* the tables refuse it */
#define SLOW    0x2000          /* its check takes two steps */

typedef struct Req {
    AtsPrqReq req;
    unsigned int steps;
} Req;

typedef struct World {
    AtsPrq q;
    int64_t clock;
    int64_t alarm;
    bool hold;
    int64_t delay;
    int64_t pause;              /* of a step before a check */
    bool later;                 /* acceptances are done with later */
    bool echo;                  /* the next acceptance brings a request */
    GArray *accepted;           /* of prgi */
    unsigned int refused;
    unsigned int progress;
} World;

static int64_t on_now(void *opaque)
{
    return ((World *)opaque)->clock;
}

static void on_alarm(void *opaque, int64_t due)
{
    ((World *)opaque)->alarm = due;
}

static bool on_held(void *opaque)
{
    return ((World *)opaque)->hold;
}

static int64_t on_delay(void *opaque)
{
    return ((World *)opaque)->delay;
}

static int64_t on_prepare(void *opaque, AtsPrqReq *req)
{
    Req *r = (Req *)req;

    return r->steps && r->steps-- ? ((World *)opaque)->pause : -1;
}

static bool on_check(void *opaque, AtsPrqReq *req)
{
    World *w = opaque;
    bool good = !(req->msg.addr & BAD);

    w->refused += !good;
    return good;
}

static void receive(World *w, uint16_t prgi, uint64_t addr);

static void accept_one(World *w, const AtsMsg *msg)
{
    g_array_append_val(w->accepted, msg->prgi);
    if (w->echo) {
        w->echo = false;
        receive(w, 100, 0);
    }
    if (!w->later) {
        ats_prq_accepted(&w->q);
    }
}

static void on_accept(void *opaque, const AtsPrqReq *req)
{
    accept_one(opaque, &req->msg);
}

static void on_progress(void *opaque)
{
    ((World *)opaque)->progress++;
}

static const AtsPrqOps ops = {
    .now = on_now,
    .alarm = on_alarm,
    .held = on_held,
    .delay = on_delay,
    .prepare = on_prepare,
    .check = on_check,
    .accept = on_accept,
    .progress = on_progress,
};

static void append(World *w, const AtsMsg *msg, bool checked)
{
    Req *r = g_new0(Req, 1);

    r->req.msg = *msg;
    r->req.checked = checked;
    r->steps = msg->addr & SLOW ? 2 : 0;
    ats_prq_append(&w->q, &r->req);
}

/* What an agent does with a message */
static void receive(World *w, uint16_t prgi, uint64_t addr)
{
    AtsMsg msg = { .kind = ATS_MSG_PAGE_REQUEST, .prgi = prgi, .addr = addr };

    if ((addr & SLOW) || !ats_prq_may_check(&w->q)) {
        append(w, &msg, false);
    } else if (addr & BAD) {
        w->refused++;
    } else if (ats_prq_at_once(&w->q)) {
        accept_one(w, &msg);
    } else {
        append(w, &msg, true);
    }
}

static World *world_new(void)
{
    World *w = g_new0(World, 1);

    w->accepted = g_array_new(false, false, sizeof(uint16_t));
    w->alarm = ATS_PRQ_NEVER;
    w->pause = 10 * US;
    ats_prq_init(&w->q, &ops, w);
    return w;
}

static void world_free(World *w)
{
    g_assert_true(ats_prq_valid(&w->q));
    ats_prq_reset(&w->q);
    g_assert_cmpuint(w->q.n_pending, ==, 0);
    g_assert_cmpint(w->alarm, ==, ATS_PRQ_NEVER);
    g_assert_true(ats_prq_drained(&w->q, w->q.received));
    g_array_free(w->accepted, true);
    g_free(w);
}

static void expect(World *w, unsigned int i, uint16_t prgi)
{
    g_assert_cmpuint(w->accepted->len, >, i);
    g_assert_cmpuint(g_array_index(w->accepted, uint16_t, i), ==, prgi);
}

/* Nothing in the way: accepted in the call */
static void test_at_once(void)
{
    World *w = world_new();

    receive(w, 1, 0);
    receive(w, 2, BAD);
    receive(w, 3, 0);
    expect(w, 0, 1);
    expect(w, 1, 3);
    g_assert_cmpuint(w->q.received, ==, 2);
    g_assert_cmpuint(w->q.done, ==, 2);
    g_assert_cmpint(w->alarm, ==, ATS_PRQ_NEVER);
    world_free(w);
}

/* Held requests go on by number or all together, in order */
static void test_hold(void)
{
    World *w = world_new();

    w->hold = true;
    for (uint16_t i = 1; i <= 4; i++) {
        receive(w, i, 0);
    }
    g_assert_cmpuint(w->q.n_pending, ==, 4);
    g_assert_cmpint(w->alarm, ==, ATS_PRQ_NEVER);
    ats_prq_expire(&w->q);                      /* late: changes nothing */
    g_assert_cmpuint(w->accepted->len, ==, 0);
    ats_prq_release(&w->q, 2);
    expect(w, 1, 2);
    g_assert_cmpuint(w->accepted->len, ==, 2);
    g_assert_true(ats_prq_drained(&w->q, 2));
    g_assert_false(ats_prq_drained(&w->q, 3));
    w->hold = false;
    receive(w, 5, 0);                           /* not past 3 and 4 */
    g_assert_cmpuint(w->accepted->len, ==, 2);
    g_assert_cmpint(w->alarm, ==, 0);
    w->progress = 0;
    ats_prq_expire(&w->q);
    g_assert_cmpuint(w->progress, ==, 1);
    expect(w, 4, 5);
    g_assert_cmpint(w->alarm, ==, ATS_PRQ_NEVER);
    world_free(w);
}

/* More may be released than there are */
static void test_release_all(void)
{
    World *w = world_new();

    w->hold = true;
    receive(w, 1, 0);
    ats_prq_release(&w->q, UINT64_MAX);
    g_assert_cmpuint(w->accepted->len, ==, 1);
    g_assert_cmpuint(w->progress, ==, 1);
    ats_prq_release(&w->q, 0);
    g_assert_cmpuint(w->progress, ==, 2);
    world_free(w);
}

/* A drain asks for what is held, and looks at progress itself */
static void test_flush(void)
{
    World *w = world_new();

    w->hold = true;
    receive(w, 1, 0);
    receive(w, 2, SLOW | BAD);
    receive(w, 3, 0);
    g_assert_false(ats_prq_may_check(&w->q));
    ats_prq_flush(&w->q);
    g_assert_cmpuint(w->progress, ==, 0);
    g_assert_cmpuint(w->refused, ==, 1);
    expect(w, 0, 1);
    expect(w, 1, 3);
    g_assert_true(ats_prq_drained(&w->q, 3));
    world_free(w);
}

/* A delay is a request's own, from its check on */
static void test_delay(void)
{
    World *w = world_new();

    w->delay = 100 * US;
    receive(w, 1, 0);
    w->clock = 60 * US;
    receive(w, 2, 0);
    g_assert_cmpint(w->alarm, ==, 100 * US);
    w->clock = 100 * US;
    ats_prq_expire(&w->q);
    g_assert_cmpuint(w->accepted->len, ==, 1);
    g_assert_cmpint(w->alarm, ==, 160 * US);
    w->clock = 160 * US;
    ats_prq_expire(&w->q);
    expect(w, 1, 2);
    world_free(w);
}

/* A check that takes steps; those behind it are not checked before it */
static void test_steps(void)
{
    World *w = world_new();

    w->delay = 5 * US;
    receive(w, 1, SLOW);
    receive(w, 2, BAD);
    receive(w, 3, 0);
    g_assert_cmpuint(w->refused, ==, 0);
    g_assert_cmpint(w->alarm, ==, 0);
    ats_prq_expire(&w->q);
    g_assert_cmpint(w->alarm, ==, 10 * US);
    w->clock = 10 * US;
    ats_prq_expire(&w->q);
    g_assert_cmpint(w->alarm, ==, 20 * US);
    w->clock = 20 * US;
    ats_prq_expire(&w->q);                      /* checked, then delayed */
    g_assert_cmpuint(w->accepted->len, ==, 0);
    g_assert_cmpint(w->alarm, ==, 25 * US);
    w->clock = 25 * US;
    ats_prq_expire(&w->q);
    expect(w, 0, 1);
    g_assert_cmpuint(w->refused, ==, 1);
    g_assert_true(ats_prq_drained(&w->q, 2));   /* a refusal counts */
    g_assert_cmpint(w->alarm, ==, 30 * US);
    w->clock = 30 * US;
    ats_prq_expire(&w->q);
    expect(w, 1, 3);
    world_free(w);
}

/* A hold keeps back what is checked, and not the check itself */
static void test_steps_held(void)
{
    World *w = world_new();
    Req *r;

    w->hold = true;
    w->pause = 0;
    receive(w, 1, SLOW);
    r = (Req *)w->q.pending.tqh_first;
    g_assert_cmpint(w->alarm, ==, 0);
    ats_prq_expire(&w->q);                      /* both steps, and the check */
    g_assert_cmpuint(r->steps, ==, 0);
    g_assert_true(r->req.checked);
    g_assert_cmpuint(w->accepted->len, ==, 0);
    g_assert_cmpint(w->alarm, ==, ATS_PRQ_NEVER);
    ats_prq_release(&w->q, 1);
    expect(w, 0, 1);
    world_free(w);
}

/* An acceptance that is done with later: a drain waits for it */
static void test_later(void)
{
    World *w = world_new();

    w->later = true;
    receive(w, 1, 0);
    g_assert_false(ats_prq_drained(&w->q, 1));
    ats_prq_accepted(&w->q);
    g_assert_true(ats_prq_drained(&w->q, 1));
    world_free(w);
}

/* A request that an acceptance brings about goes behind it, to the end */
static void test_echo(void)
{
    World *w = world_new();

    w->hold = true;
    receive(w, 1, 0);
    receive(w, 2, 0);
    w->hold = false;
    w->echo = true;
    ats_prq_expire(&w->q);
    expect(w, 0, 1);
    expect(w, 1, 2);
    expect(w, 2, 100);
    w->hold = true;
    receive(w, 3, 0);
    w->hold = false;
    w->echo = true;
    ats_prq_release(&w->q, 1);
    g_assert_cmpuint(w->accepted->len, ==, 4);
    g_assert_cmpuint(w->q.n_pending, ==, 1);
    world_free(w);
}

/* Memory is bounded: who appends asks first */
static void test_full(void)
{
    World *w = world_new();

    w->hold = true;
    for (unsigned int i = 0; i < ATS_PRQ_PENDING_MAX; i++) {
        g_assert_false(ats_prq_full(&w->q));
        receive(w, i % ATS_PRGI_NR, 0);
    }
    g_assert_true(ats_prq_full(&w->q));
    ats_prq_release(&w->q, 1);
    g_assert_false(ats_prq_full(&w->q));
    world_free(w);
}

static void test_valid(void)
{
    World *w = world_new();

    w->hold = true;
    receive(w, 1, 0);
    g_assert_true(ats_prq_valid(&w->q));
    w->q.n_pending = 2;
    g_assert_false(ats_prq_valid(&w->q));
    w->q.n_pending = 1;
    for (unsigned int i = 0; i < ATS_PRQ_PENDING_MAX; i++) {
        receive(w, 1, 0);
    }
    g_assert_false(ats_prq_valid(&w->q));
    ats_prq_release(&w->q, 1);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ats-prq/at-once", test_at_once);
    g_test_add_func("/ats-prq/hold", test_hold);
    g_test_add_func("/ats-prq/release-all", test_release_all);
    g_test_add_func("/ats-prq/flush", test_flush);
    g_test_add_func("/ats-prq/delay", test_delay);
    g_test_add_func("/ats-prq/steps", test_steps);
    g_test_add_func("/ats-prq/steps-held", test_steps_held);
    g_test_add_func("/ats-prq/later", test_later);
    g_test_add_func("/ats-prq/echo", test_echo);
    g_test_add_func("/ats-prq/full", test_full);
    g_test_add_func("/ats-prq/valid", test_valid);
    return g_test_run();
}
