/*
 * Unit tests of a translation agent's ITags
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "hw/pci/ats_itag.h"

unsigned int shim_guest_errors;

#define RID     0x100
#define MS      1000000

typedef struct World {
    AtsItags t;
    int64_t clock;
    int64_t alarm;
    unsigned int alarms_by;
    GArray *sent;               /* of AtsMsg */
    bool answer;                /* each request, at once */
    unsigned int completed;
    unsigned int unexpected;
    unsigned int timed_out;
    unsigned int forgotten;
    unsigned int progress;
    uint16_t last_rid;
    unsigned int last_itag;
} World;

static int64_t on_now(void *opaque)
{
    return ((World *)opaque)->clock;
}

static void on_alarm(void *opaque, int64_t due)
{
    ((World *)opaque)->alarm = due;
}

static void on_alarm_by(void *opaque, int64_t due)
{
    World *w = opaque;

    w->alarms_by++;
    w->alarm = MIN(w->alarm, due);
}

static void complete(World *w, uint16_t rid, uint32_t itags, uint8_t cc)
{
    AtsMsg msg = {
        .kind = ATS_MSG_INV_COMPLETION, .rid = rid, .itags = itags, .cc = cc,
    };

    ats_itags_completion(&w->t, &msg, false);
}

static void on_send(void *opaque, const AtsMsg *msg)
{
    World *w = opaque;

    g_array_append_val(w->sent, *msg);
    if (w->answer) {
        complete(w, msg->rid, 1u << msg->itag, 1);
    }
}

static void on_completed(void *opaque, uint16_t rid, unsigned int itag)
{
    World *w = opaque;

    w->completed++;
    w->last_rid = rid;
    w->last_itag = itag;
}

static void on_unexpected(void *opaque, uint16_t rid, unsigned int itag)
{
    World *w = opaque;

    w->unexpected++;
    w->last_rid = rid;
    w->last_itag = itag;
}

static void on_timed_out(void *opaque, uint16_t rid, unsigned int itag,
                         bool forgotten)
{
    World *w = opaque;

    w->timed_out += !forgotten;
    w->forgotten += forgotten;
    w->last_rid = rid;
    w->last_itag = itag;
}

static void on_progress(void *opaque)
{
    ((World *)opaque)->progress++;
}

static const AtsItagOps ops = {
    .now = on_now,
    .alarm = on_alarm,
    .alarm_by = on_alarm_by,
    .send = on_send,
    .completed = on_completed,
    .unexpected = on_unexpected,
    .timed_out = on_timed_out,
    .progress = on_progress,
};

static World *world_new(void)
{
    World *w = g_new0(World, 1);

    w->sent = g_array_new(false, false, sizeof(AtsMsg));
    w->alarm = ATS_ITAG_NEVER;
    ats_itags_init(&w->t, &ops, w);
    return w;
}

static void world_free(World *w)
{
    g_assert_true(ats_itags_valid(&w->t));
    ats_itags_reset(&w->t);
    g_assert_cmpuint(w->t.outstanding, ==, 0);
    g_assert_cmpint(w->alarm, ==, ATS_ITAG_NEVER);
    g_assert_true(ats_itags_valid(&w->t));
    g_array_free(w->sent, true);
    g_free(w);
}

static bool send(World *w, uint16_t rid, unsigned int limit, int64_t timeout)
{
    AtsMsg msg = { .rid = rid, .addr = 0x5000, .pasid = 7, .size = true };

    return ats_itags_send(&w->t, &msg, limit, timeout);
}

static const AtsMsg *sent(World *w, unsigned int i)
{
    g_assert_cmpuint(w->sent->len, >, i);
    return &g_array_index(w->sent, AtsMsg, i);
}

/* A request carries what it was given, and the lowest free tag */
static void test_request(void)
{
    World *w = world_new();

    g_assert_true(send(w, RID, 32, 0));
    g_assert_cmpuint(sent(w, 0)->kind, ==, ATS_MSG_INV_REQUEST);
    g_assert_cmpuint(sent(w, 0)->rid, ==, RID);
    g_assert_cmpuint(sent(w, 0)->pasid, ==, 7);
    g_assert_cmphex(sent(w, 0)->addr, ==, 0x5000);
    g_assert_true(sent(w, 0)->size);
    g_assert_cmpuint(sent(w, 0)->itag, ==, 0);
    g_assert_true(send(w, RID, 32, 0));
    g_assert_cmpuint(sent(w, 1)->itag, ==, 1);
    g_assert_true(send(w, RID + 1, 32, 0));     /* tags are per function */
    g_assert_cmpuint(sent(w, 2)->itag, ==, 0);
    complete(w, RID, 1u << 0, 1);
    g_assert_true(send(w, RID, 32, 0));
    g_assert_cmpuint(sent(w, 3)->itag, ==, 0);
    g_assert_cmpuint(w->t.outstanding, ==, 3);
    g_assert_cmpuint(w->t.requests, ==, 4);
    g_assert_cmpuint(w->alarms_by, ==, 0);      /* none of them times out */
    world_free(w);
}

/* All 32 tags, or as many as Max Invalidations Pending allows */
static void test_limit(void)
{
    World *w = world_new();

    for (unsigned int i = 0; i < 3; i++) {
        g_assert_true(send(w, RID, 3, 0));
    }
    g_assert_false(send(w, RID, 3, 0));
    g_assert_cmpuint(w->t.deferred, ==, 1);
    g_assert_cmpuint(w->sent->len, ==, 3);
    for (unsigned int i = 3; i < 32; i++) {
        g_assert_true(send(w, RID, 32, 0));
        g_assert_cmpuint(sent(w, i)->itag, ==, i);
    }
    g_assert_false(send(w, RID, 32, 0));
    g_assert_cmpuint(w->t.deferred, ==, 2);
    complete(w, RID, 1u << 31, 1);
    g_assert_true(send(w, RID, 32, 0));
    g_assert_cmpuint(sent(w, 32)->itag, ==, 31);
    world_free(w);
}

/* A guest names functions that do not answer: memory is bounded */
static void test_functions(void)
{
    World *w = world_new();

    for (unsigned int i = 0; i < ATS_ITAG_FUNCTIONS_MAX; i++) {
        g_assert_true(send(w, i, 32, 0));
    }
    g_assert_false(send(w, ATS_ITAG_FUNCTIONS_MAX, 32, 0));
    g_assert_true(send(w, 0, 32, 0));           /* one of them still can */
    g_assert_cmpuint(w->t.deferred, ==, 1);
    g_assert_true(ats_itags_valid(&w->t));
    complete(w, 5, 1, 1);
    g_assert_true(send(w, ATS_ITAG_FUNCTIONS_MAX, 32, 0));
    world_free(w);
}

/* As many copies as Completion Count says; 0 is 8 */
static void test_copies(void)
{
    World *w = world_new();

    send(w, RID, 32, 0);
    complete(w, RID, 1, 3);
    complete(w, RID, 1, 3);
    g_assert_cmpuint(w->completed, ==, 0);
    g_assert_false(ats_itags_done(&w->t, 1));
    complete(w, RID, 1, 3);
    g_assert_cmpuint(w->completed, ==, 1);
    g_assert_cmpuint(w->t.completions, ==, 1);
    g_assert_true(ats_itags_done(&w->t, 1));
    send(w, RID, 32, 0);
    for (unsigned int i = 0; i < 7; i++) {
        complete(w, RID, 1, 0);
    }
    g_assert_cmpuint(w->completed, ==, 1);
    complete(w, RID, 1, 0);
    g_assert_cmpuint(w->completed, ==, 2);
    g_assert_cmpuint(w->progress, ==, 11);
    world_free(w);
}

/* One message completes several tags; a number counts with all before it */
static void test_vector(void)
{
    World *w = world_new();

    for (unsigned int i = 0; i < 4; i++) {
        send(w, RID, 32, 0);
    }
    complete(w, RID, 0xe, 1);
    g_assert_cmpuint(w->completed, ==, 3);
    g_assert_true(ats_itags_done(&w->t, 0));
    g_assert_false(ats_itags_done(&w->t, 1));
    send(w, RID, 32, 0);                        /* number 5, tag 1 */
    complete(w, RID, 1, 1);
    g_assert_true(ats_itags_done(&w->t, 4));
    g_assert_false(ats_itags_done(&w->t, 5));
    world_free(w);
}

/* Tags that are not in use; VT-d 4.3 */
static void test_unexpected(void)
{
    World *w = world_new();
    AtsMsg msg = { .kind = ATS_MSG_INV_COMPLETION, .rid = RID, .itags = 5,
                   .cc = 1 };

    complete(w, RID, 1, 1);                     /* no such function */
    g_assert_cmpuint(w->unexpected, ==, 1);
    g_assert_cmpuint(w->progress, ==, 1);
    send(w, RID, 32, 0);
    send(w, RID, 32, 0);
    send(w, RID, 32, 0);
    complete(w, RID, 1u << 9, 1);               /* no such tag */
    g_assert_cmpuint(w->unexpected, ==, 2);
    g_assert_cmpuint(w->last_itag, ==, 9);
    complete(w, RID, 1, 1);
    complete(w, RID, 5, 1);                     /* 0 is bad, 2 counts */
    g_assert_cmpuint(w->unexpected, ==, 3);
    g_assert_cmpuint(w->completed, ==, 2);
    send(w, RID, 32, 0);
    complete(w, RID, 1, 1);
    g_assert_cmpuint(w->completed, ==, 3);
    msg.itags = 3;
    ats_itags_completion(&w->t, &msg, true);    /* old hardware stops at 0 */
    g_assert_cmpuint(w->unexpected, ==, 4);
    g_assert_cmpuint(w->completed, ==, 3);
    send(w, RID, 32, 0);                        /* tag 0 */
    ats_itags_completion(&w->t, &msg, true);    /* both are good */
    g_assert_cmpuint(w->completed, ==, 5);
    g_assert_cmpuint(w->t.unexpected, ==, 4);
    g_assert_cmpuint(shim_guest_errors, ==, 4);
    shim_guest_errors = 0;
    world_free(w);
}

/* A completion that comes from inside @send */
static void test_at_once(void)
{
    World *w = world_new();

    w->answer = true;
    g_assert_true(send(w, RID, 32, 5 * MS));
    g_assert_cmpuint(w->completed, ==, 1);
    g_assert_cmpint(w->alarm, ==, ATS_ITAG_NEVER);
    g_assert_cmpuint(w->t.outstanding, ==, 0);
    g_assert_cmpuint(w->alarms_by, ==, 0);
    w->answer = false;
    send(w, RID, 32, 5 * MS);
    send(w, RID, 32, 0);
    g_assert_cmpint(w->alarm, ==, 5 * MS);
    complete(w, RID, 1, 1);                     /* one is outstanding */
    g_assert_cmpint(w->alarm, ==, 5 * MS);
    complete(w, RID, 2, 1);
    g_assert_cmpint(w->alarm, ==, ATS_ITAG_NEVER);
    world_free(w);
}

/* Each tag has a time of its own, the alarm is the first */
static void test_timeout(void)
{
    World *w = world_new();

    w->clock = 10 * MS;
    send(w, RID, 32, 5 * MS);
    w->clock = 11 * MS;
    send(w, RID, 32, 5 * MS);
    send(w, RID + 1, 32, 2 * MS);
    send(w, RID + 2, 32, 0);                    /* never */
    g_assert_cmpint(w->alarm, ==, 13 * MS);
    w->clock = 13 * MS;
    ats_itags_expire(&w->t);
    g_assert_cmpuint(w->timed_out, ==, 1);
    g_assert_cmpuint(w->last_rid, ==, RID + 1);
    g_assert_cmpint(w->alarm, ==, 15 * MS);
    g_assert_true(ats_itags_done(&w->t, 0));
    complete(w, RID, 1, 1);                     /* the alarm is too early now */
    w->clock = 15 * MS;
    ats_itags_expire(&w->t);
    g_assert_cmpuint(w->timed_out, ==, 1);
    g_assert_cmpint(w->alarm, ==, 16 * MS);
    w->clock = 16 * MS;
    w->progress = 0;
    ats_itags_expire(&w->t);
    g_assert_cmpuint(w->timed_out, ==, 2);
    g_assert_cmpuint(w->last_itag, ==, 1);
    g_assert_cmpuint(w->t.timeouts, ==, 2);
    g_assert_cmpint(w->alarm, ==, ATS_ITAG_NEVER);
    g_assert_cmpuint(w->progress, ==, 0);       /* the error stops the queue */
    g_assert_cmpuint(w->t.outstanding, ==, 1);
    world_free(w);
}

/* Several tags of a function in one alarm, the last one frees it */
static void test_timeout_all(void)
{
    World *w = world_new();

    for (unsigned int i = 0; i < 32; i++) {
        send(w, RID, 32, MS);
    }
    send(w, RID + 1, 32, MS);
    w->clock = MS;
    ats_itags_expire(&w->t);
    g_assert_cmpuint(w->timed_out, ==, 33);
    g_assert_cmpuint(w->t.outstanding, ==, 0);
    g_assert_cmpint(w->alarm, ==, ATS_ITAG_NEVER);
    world_free(w);
}

/* Forgotten: done at once, tags come back quietly */
static void test_forget(void)
{
    World *w = world_new();

    send(w, RID, 2, MS);
    send(w, RID, 2, 2 * MS);
    ats_itags_forget(&w->t);
    g_assert_true(ats_itags_done(&w->t, 2));
    g_assert_false(send(w, RID, 2, 0));         /* the tags are still in use */
    complete(w, RID, 1, 1);
    g_assert_cmpuint(w->unexpected, ==, 0);
    g_assert_true(send(w, RID, 2, 3 * MS));     /* tag 0 again, not forgotten */
    g_assert_false(ats_itags_done(&w->t, 3));
    g_assert_true(ats_itags_valid(&w->t));
    w->clock = 2 * MS;
    w->progress = 0;
    ats_itags_expire(&w->t);
    g_assert_cmpuint(w->forgotten, ==, 1);
    g_assert_true(ats_itags_valid(&w->t));      /* tag 1 is not, any more */
    g_assert_cmpuint(w->timed_out, ==, 0);
    g_assert_cmpuint(w->t.timeouts, ==, 0);
    g_assert_cmpuint(w->progress, ==, 1);
    w->clock = 3 * MS;
    ats_itags_expire(&w->t);
    g_assert_cmpuint(w->timed_out, ==, 1);
    world_free(w);
}

/* What a stream may bring and what not */
static void test_valid(void)
{
    World *w = world_new();
    AtsItagFn *fn;

    send(w, RID, 32, 0);
    send(w, RID, 32, 0);
    fn = w->t.functions.tqh_first;
    fn->forgotten = 4;
    g_assert_false(ats_itags_valid(&w->t));
    fn->forgotten = 2;
    g_assert_true(ats_itags_valid(&w->t));
    w->t.outstanding = 3;
    g_assert_false(ats_itags_valid(&w->t));
    w->t.outstanding = 0;
    fn->used = fn->forgotten = 0;
    g_assert_false(ats_itags_valid(&w->t));
    fn->used = 1;
    w->t.outstanding = 1;
    for (unsigned int i = 0; i < ATS_ITAG_FUNCTIONS_MAX; i++) {
        AtsItagFn *more = g_new0(AtsItagFn, 1);

        g_assert_true(ats_itags_valid(&w->t));
        more->used = 1;
        w->t.outstanding++;
        QTAILQ_INSERT_TAIL(&w->t.functions, more, next);
    }
    g_assert_false(ats_itags_valid(&w->t));
    ats_itags_reset(&w->t);
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ats-itag/request", test_request);
    g_test_add_func("/ats-itag/limit", test_limit);
    g_test_add_func("/ats-itag/functions", test_functions);
    g_test_add_func("/ats-itag/copies", test_copies);
    g_test_add_func("/ats-itag/vector", test_vector);
    g_test_add_func("/ats-itag/unexpected", test_unexpected);
    g_test_add_func("/ats-itag/at-once", test_at_once);
    g_test_add_func("/ats-itag/timeout", test_timeout);
    g_test_add_func("/ats-itag/timeout-all", test_timeout_all);
    g_test_add_func("/ats-itag/forget", test_forget);
    g_test_add_func("/ats-itag/valid", test_valid);
    return g_test_run();
}
