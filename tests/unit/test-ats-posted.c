/*
 * Unit tests of posted writes on their way to memory
 *
 * PCIe 6.2 2.4.1 table 2-40, 10.2.2.3, 10.3.3
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/pci/ats_posted.h"

/* A memory that writes down what lands */
typedef struct World {
    AtsPosted p;
    GString *landed;            /* a letter a write */
    AtsPosted *again;           /* what landing pushes again, or NULL */
} World;

static void land(void *opaque, const AtsPostedWrite *w)
{
    World *world = opaque;

    g_string_append_len(world->landed, (const char *)w->data, w->len);
    if (world->again) {
        ats_posted_sending(world->again, ATS_SEND_READ);
    }
}

static World *world_new(void)
{
    World *w = g_new0(World, 1);

    w->landed = g_string_new(NULL);
    ats_posted_init(&w->p, land, w);
    return w;
}

static void world_free(World *w)
{
    ats_posted_forget(&w->p);
    g_assert_cmpuint(w->p.n, ==, 0);
    g_string_free(w->landed, true);
    g_free(w);
}

static void post_due(World *w, char name, int64_t due)
{
    uint8_t data = name;
    AtsPostedWrite write = {
        .entry = { .iova = 0x1000, .addr = 0x8000, .mask = 0xfff,
                   .write = true },
        .addr = 0x1000 + name, .pasid = 1, .len = 1, .data = &data,
        .due = due,
    };

    ats_posted_write(&w->p, &write);
    data = '?';                 /* the engine has its copy */
}

static void post(World *w, const char *names)
{
    for (; *names; names++) {
        post_due(w, *names, ATS_POSTED_HELD);
    }
}

static void invalidate(World *w)
{
    ats_posted_inv_request(&w->p);
    ats_posted_sending(&w->p, ATS_SEND_INV_COMPLETION);
}

/* What pushes, and what does not */
static void test_pushes(void)
{
    for (unsigned int tlp = 0; tlp < ATS_SEND_NR; tlp++) {
        World *w = world_new();

        post(w, "abc");
        ats_posted_sending(&w->p, tlp);
        g_assert_cmpstr(w->landed->str, ==,
                        tlp == ATS_SEND_TRANSLATION ? "" : "abc");
        g_assert_cmpuint(w->p.n, ==, tlp == ATS_SEND_TRANSLATION ? 3 : 0);
        g_assert_cmpuint(w->p.overtaken, ==, 0);
        world_free(w);
    }
}

/* Each can be told to pass, and the others push all the same */
static void test_passes(void)
{
    for (unsigned int tlp = 0; tlp < ATS_SEND_NR; tlp++) {
        World *w = world_new();

        if (tlp == ATS_SEND_INV_COMPLETION || tlp == ATS_SEND_TRANSLATION) {
            world_free(w);
            continue;
        }
        w->p.quirks.passes = 1u << tlp;
        post(w, "ab");
        ats_posted_sending(&w->p, tlp);
        g_assert_cmpstr(w->landed->str, ==, "");
        g_assert_cmpuint(w->p.overtaken, ==, 0);
        ats_posted_sending(&w->p, tlp == ATS_SEND_READ ? ATS_SEND_MSI :
                           ATS_SEND_READ);
        g_assert_cmpstr(w->landed->str, ==, "ab");
        world_free(w);
    }
}

/* 10.3.3: those with a translation that a completion overtakes count, once */
static void test_overtaken(void)
{
    World *w = world_new();
    uint8_t data = 'u';
    AtsPostedWrite untranslated = {
        .entry.untranslated = true, .addr = 0x5000, .len = 1, .data = &data,
        .due = ATS_POSTED_HELD,
    };

    w->p.quirks.inv = ATS_INV_PASS;
    post(w, "ab");
    ats_posted_write(&w->p, &untranslated);
    invalidate(w);
    g_assert_cmpstr(w->landed->str, ==, "");
    g_assert_cmpuint(w->p.overtaken, ==, 2);
    g_assert_true(w->p.slot[0].overtaken);
    g_assert_false(w->p.slot[2].overtaken);
    post(w, "c");
    invalidate(w);
    invalidate(w);
    g_assert_cmpuint(w->p.overtaken, ==, 3);
    g_assert_cmpuint(w->p.n, ==, 4);
    w->p.quirks.inv = ATS_INV_PUSH;
    invalidate(w);
    g_assert_cmpstr(w->landed->str, ==, "abuc");
    world_free(w);
}

/* The second request pushes what the completion of the first has overtaken */
static void test_late_push(void)
{
    World *w = world_new();

    w->p.quirks.inv = ATS_INV_PUSH_LATE;
    post(w, "ab");
    invalidate(w);
    g_assert_cmpstr(w->landed->str, ==, "");
    /* another copy of the same completion is not another request */
    ats_posted_sending(&w->p, ATS_SEND_INV_COMPLETION);
    g_assert_cmpstr(w->landed->str, ==, "");
    post(w, "c");
    invalidate(w);
    g_assert_cmpstr(w->landed->str, ==, "ab");
    g_assert_cmpuint(w->p.overtaken, ==, 3);
    /* others push as always */
    ats_posted_sending(&w->p, ATS_SEND_PAGE_REQUEST);
    g_assert_cmpstr(w->landed->str, ==, "abc");
    world_free(w);
}

static void test_release(void)
{
    World *w = world_new();

    post(w, "abcd");
    ats_posted_release(&w->p, 1);
    g_assert_cmpstr(w->landed->str, ==, "a");
    ats_posted_release(&w->p, 2);
    g_assert_cmpstr(w->landed->str, ==, "abc");
    ats_posted_release(&w->p, UINT64_MAX);
    g_assert_cmpstr(w->landed->str, ==, "abcd");
    ats_posted_release(&w->p, 1);
    g_assert_cmpuint(w->p.queued, ==, 4);
    world_free(w);
}

/* A write that is due takes those before it along: none passes another */
static void test_time(void)
{
    World *w = world_new();

    g_assert_cmpint(ats_posted_due(&w->p), ==, ATS_POSTED_HELD);
    post_due(w, 'a', 100);
    post_due(w, 'b', ATS_POSTED_HELD);
    post_due(w, 'c', 150);
    post_due(w, 'd', 140);
    g_assert_cmpint(ats_posted_due(&w->p), ==, 100);
    ats_posted_expire(&w->p, 99);
    g_assert_cmpstr(w->landed->str, ==, "");
    ats_posted_expire(&w->p, 100);
    g_assert_cmpstr(w->landed->str, ==, "a");
    g_assert_cmpint(ats_posted_due(&w->p), ==, 140);
    ats_posted_expire(&w->p, 140);
    g_assert_cmpstr(w->landed->str, ==, "abcd");
    g_assert_cmpint(ats_posted_due(&w->p), ==, ATS_POSTED_HELD);
    world_free(w);
}

/* No more than there is room for; the oldest goes, none is lost */
static void test_bounded(void)
{
    World *w = world_new();

    for (unsigned int i = 0; i < ATS_POSTED_MAX + 2; i++) {
        post(w, i == 0 ? "a" : i == 1 ? "b" : "x");
    }
    g_assert_cmpuint(w->p.n, ==, ATS_POSTED_MAX);
    g_assert_cmpstr(w->landed->str, ==, "ab");
    ats_posted_lose(&w->p);
    g_assert_cmpuint(w->p.lost, ==, ATS_POSTED_MAX);
    g_assert_cmpuint(w->p.n, ==, 0);
    ats_posted_sending(&w->p, ATS_SEND_READ);
    g_assert_cmpstr(w->landed->str, ==, "ab");
    world_free(w);
}

/* The last one there is room for is one of them, and nothing is behind it */
static void test_full(void)
{
    World *w = world_new();

    for (unsigned int i = 0; i < ATS_POSTED_MAX; i++) {
        post(w, "x");
    }
    g_assert_true(ats_posted_valid(&w->p));
    w->p.quirks.inv = ATS_INV_PUSH_LATE;
    invalidate(w);
    g_assert_cmpuint(w->p.n, ==, ATS_POSTED_MAX);
    g_assert_cmpuint(w->p.overtaken, ==, ATS_POSTED_MAX);
    invalidate(w);
    g_assert_cmpuint(w->p.n, ==, 0);
    g_assert_cmpuint(w->landed->len, ==, ATS_POSTED_MAX);
    world_free(w);
}

/* What lands may push what is behind it */
static void test_reentered(void)
{
    World *w = world_new();

    post(w, "abc");
    w->again = &w->p;
    ats_posted_release(&w->p, 1);
    g_assert_cmpstr(w->landed->str, ==, "abc");
    post(w, "def");
    ats_posted_sending(&w->p, ATS_SEND_MSI);
    g_assert_cmpstr(w->landed->str, ==, "abcdef");
    world_free(w);
}

static void test_valid(void)
{
    World *w = world_new();

    g_assert_true(ats_posted_valid(&w->p));
    post(w, "ab");
    g_assert_true(ats_posted_valid(&w->p));
    w->p.slot[1].requests = 3;
    g_assert_false(ats_posted_valid(&w->p));
    w->p.slot[1].requests = 0;
    w->p.slot[1].due = -1;
    g_assert_false(ats_posted_valid(&w->p));
    w->p.slot[1].due = 0;
    w->p.slot[0].addr = 0xfff;
    g_assert_false(ats_posted_valid(&w->p));
    w->p.slot[0].entry.untranslated = true;
    g_assert_true(ats_posted_valid(&w->p));
    /* whatever comes while they are held */
    for (unsigned int i = 0; i < 257; i++) {
        ats_posted_inv_request(&w->p);
        g_assert_true(ats_posted_valid(&w->p));
    }
    w->p.quirks.inv = ATS_INV_PUSH_LATE;
    ats_posted_sending(&w->p, ATS_SEND_INV_COMPLETION);
    g_assert_cmpstr(w->landed->str, ==, "ab");
    world_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ats-posted/ATS-31/pushes", test_pushes);
    g_test_add_func("/ats-posted/ATS-31/passes", test_passes);
    g_test_add_func("/ats-posted/ATS-30/overtaken", test_overtaken);
    g_test_add_func("/ats-posted/ATS-30/late-push", test_late_push);
    g_test_add_func("/ats-posted/ATS-31/release", test_release);
    g_test_add_func("/ats-posted/ATS-31/time", test_time);
    g_test_add_func("/ats-posted/ATS-31/bounded", test_bounded);
    g_test_add_func("/ats-posted/ATS-30/full", test_full);
    g_test_add_func("/ats-posted/ATS-31/reentered", test_reentered);
    g_test_add_func("/ats-posted/valid", test_valid);
    return g_test_run();
}
