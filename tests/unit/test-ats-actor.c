/*
 * Events that are decided on: order of the lanes, release, reset
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/pci/ats_actor.h"

#define FN0     0x100u
#define FN1     0x200u

static AtsActorVerdict verdict[ATS_EVENT_KIND_NR];
static GString *log_;
static int link_, iommu;

static AtsActorVerdict judge(AtsEventKind kind, uint64_t n)
{
    return verdict[kind];
}

static void happens(AtsEventKind kind, uint64_t n)
{
    g_string_append_printf(log_, "%d.%d ", kind, (int)n);
}

static const AtsActorOps ops = { .judge = judge, .happens = happens };

static void deliver(void *owner, const void *data)
{
    const char *text = data;

    g_string_append_printf(log_, "%s ", text);
}

static void start(bool ordered)
{
    log_ = g_string_new("");
    memset(verdict, 0, sizeof(verdict));
    ats_actor_set(&ops, ordered);
}

static void end(void)
{
    ats_actor_set(NULL, true);
    g_assert_false(ats_actor_on);
    g_string_free(log_, true);
}

static bool event(AtsEventKind kind, uint32_t lane, void *owner,
                  const char *text)
{
    return ats_actor_event(kind, lane, owner, deliver, text, strlen(text) + 1);
}

static void expect(const char *what)
{
    g_assert_cmpstr(log_->str, ==, what);
    g_string_truncate(log_, 0);
}

static void test_off(void)
{
    log_ = g_string_new("");
    g_assert_false(event(ATS_EVENT_PAGE_REQUEST, FN0, &link_, "a"));
    ats_actor_note(ATS_EVENT_PRQ_DRAIN);
    g_assert_false(ats_actor_release_oldest());
    expect("");
    g_string_free(log_, true);
}

static void test_now(void)
{
    start(true);
    g_assert_false(event(ATS_EVENT_PAGE_REQUEST, FN0, &link_, "a"));
    g_assert_false(event(ATS_EVENT_PAGE_REQUEST, FN0, &link_, "b"));
    ats_actor_note(ATS_EVENT_PRQ_DRAIN);
    expect("0.1 0.2 12.1 ");
    g_assert_cmpuint(ats_actor_count(ATS_EVENT_PAGE_REQUEST), ==, 2);
    end();
}

/* PCIe 2.4.1: nothing posted passes what was posted before it */
static void test_posted(void)
{
    start(true);
    verdict[ATS_EVENT_PAGE_REQUEST] = ATS_ACTOR_KEEP;
    g_assert_true(event(ATS_EVENT_PAGE_REQUEST, FN0, &link_, "request"));
    g_assert_true(event(ATS_EVENT_INV_COMPLETION, FN0, &link_, "completion"));
    g_assert_true(event(ATS_EVENT_DMA_WRITE, FN0, &link_, "write"));
    g_assert_true(event(ATS_EVENT_MSI, FN0, &link_, "interrupt"));
    /* another function, and the other direction, are another order */
    g_assert_false(event(ATS_EVENT_INV_COMPLETION, FN1, &link_, "x"));
    g_assert_false(event(ATS_EVENT_PRG_RESPONSE, FN0, &link_, "x"));
    expect("3.2 1.1 ");
    g_assert_cmpuint(ats_actor_kept(ATS_EVENT_MSI), ==, 1);
    ats_actor_release(ATS_EVENT_MSI, 1);
    expect("");
    ats_actor_release(ATS_EVENT_PAGE_REQUEST, 1);
    expect("0.1 request 3.1 completion 9.1 write 8.1 interrupt ");
    end();
}

/* A completion does not pass what is posted, which may pass it */
static void test_completion(void)
{
    start(true);
    verdict[ATS_EVENT_TRANSLATION] = ATS_ACTOR_KEEP;
    g_assert_true(event(ATS_EVENT_TRANSLATION, FN0, &link_, "t1"));
    g_assert_false(event(ATS_EVENT_INV_REQUEST, FN0, &link_, "x"));
    expect("2.1 ");
    verdict[ATS_EVENT_TRANSLATION] = ATS_ACTOR_NOW;
    g_assert_false(event(ATS_EVENT_TRANSLATION, FN0, &link_, "x"));
    expect("4.2 ");
    verdict[ATS_EVENT_PRG_RESPONSE] = ATS_ACTOR_KEEP;
    g_assert_true(event(ATS_EVENT_PRG_RESPONSE, FN0, &link_, "r"));
    g_assert_true(event(ATS_EVENT_TRANSLATION, FN0, &link_, "t3"));
    ats_actor_release(ATS_EVENT_TRANSLATION, 1);
    expect("4.1 t1 ");
    ats_actor_release(ATS_EVENT_PRG_RESPONSE, 1);
    expect("1.1 r 4.3 t3 ");
    end();
}

static void test_iommu(void)
{
    start(true);
    verdict[ATS_EVENT_PRQ_WRITE] = ATS_ACTOR_KEEP;
    g_assert_true(event(ATS_EVENT_PRQ_WRITE, ATS_LANE_IOMMU, &iommu, "p1"));
    verdict[ATS_EVENT_PRQ_WRITE] = ATS_ACTOR_NOW;
    g_assert_true(event(ATS_EVENT_PRQ_WRITE, ATS_LANE_IOMMU, &iommu, "p2"));
    g_assert_true(event(ATS_EVENT_MSI, ATS_LANE_IOMMU, &iommu, "i"));
    g_assert_false(event(ATS_EVENT_WAIT, ATS_LANE_IOMMU, &iommu, "x"));
    expect("7.1 ");
    g_assert_true(ats_actor_release_oldest());
    expect("5.1 p1 5.2 p2 8.1 i ");
    g_assert_false(ats_actor_release_oldest());
    end();
}

static void test_broken(void)
{
    start(false);
    verdict[ATS_EVENT_PRG_RESPONSE] = ATS_ACTOR_KEEP;
    g_assert_true(event(ATS_EVENT_PRG_RESPONSE, FN0, &link_, "r1"));
    verdict[ATS_EVENT_PRG_RESPONSE] = ATS_ACTOR_NOW;
    g_assert_false(event(ATS_EVENT_PRG_RESPONSE, FN0, &link_, "x"));
    verdict[ATS_EVENT_PRG_RESPONSE] = ATS_ACTOR_LOSE;
    g_assert_true(event(ATS_EVENT_PRG_RESPONSE, FN0, &link_, "lost"));
    verdict[ATS_EVENT_PRG_RESPONSE] = ATS_ACTOR_TWICE;
    g_assert_false(event(ATS_EVENT_PRG_RESPONSE, FN0, &link_, "twice"));
    expect("1.2 1.3 1.4 twice ");
    end();
    start(true);
    verdict[ATS_EVENT_PRG_RESPONSE] = ATS_ACTOR_KEEP;
    g_assert_true(event(ATS_EVENT_PRG_RESPONSE, FN0, &link_, "r1"));
    verdict[ATS_EVENT_PRG_RESPONSE] = ATS_ACTOR_TWICE;
    g_assert_true(event(ATS_EVENT_PRG_RESPONSE, FN0, &link_, "r2"));
    ats_actor_release(ATS_EVENT_PRG_RESPONSE, 1);
    expect("1.1 r1 1.2 r2 r2 ");
    end();
}

/* A read pushes the interrupt, and only that */
static void test_push(void)
{
    start(true);
    verdict[ATS_EVENT_MSI] = ATS_ACTOR_KEEP;
    verdict[ATS_EVENT_WAIT] = ATS_ACTOR_KEEP;
    g_assert_true(event(ATS_EVENT_MSI, ATS_LANE_IOMMU, &iommu, "i"));
    g_assert_true(event(ATS_EVENT_MSI, FN0, &link_, "other"));
    g_assert_true(event(ATS_EVENT_WAIT, ATS_LANE_IOMMU, &iommu, "w"));
    ats_actor_push(ATS_EVENT_MSI, ATS_LANE_IOMMU);
    expect("8.1 i ");
    ats_actor_push(ATS_EVENT_MSI, ATS_LANE_IOMMU);
    expect("");
    end();
}

/* PCIe 6.2 2.4.1: a read passes nothing that its function has posted */
static void test_push_posted(void)
{
    static const AtsEventKind posted[] = {
        ATS_EVENT_PAGE_REQUEST, ATS_EVENT_INV_COMPLETION, ATS_EVENT_MSI,
        ATS_EVENT_DMA_WRITE,
    };

    for (int i = 0; i < ARRAY_SIZE(posted); i++) {
        g_autofree char *want = g_strdup_printf("%d.1 mine ", posted[i]);

        start(true);
        for (int k = 0; k < ATS_EVENT_KIND_NR; k++) {
            verdict[k] = ATS_ACTOR_KEEP;
        }
        event(ATS_EVENT_TRANSLATION, FN0, &link_, "completion");
        event(ATS_EVENT_PRG_RESPONSE, FN0, &link_, "down");
        event(ATS_EVENT_PRQ_WRITE, ATS_LANE_IOMMU, &iommu, "queue");
        event(ATS_EVENT_TIMER, FN0, &link_, "timer");
        event(posted[i], FN0, &link_, "mine");
        event(posted[i], FN1, &link_, "other");
        ats_actor_push_posted(FN0);
        expect(want);
        end();
    }
    start(false);
    verdict[ATS_EVENT_PAGE_REQUEST] = ATS_ACTOR_KEEP;
    event(ATS_EVENT_PAGE_REQUEST, FN0, &link_, "request");
    ats_actor_push_posted(FN0);
    expect("");
    end();
}

static void posts_again(void *owner, const void *data)
{
    g_string_append(log_, "again ");
    ats_actor_event(ATS_EVENT_PAGE_REQUEST, FN0, &link_, posts_again, NULL, 0);
}

/* What is posted when an event happens was not there when the read came */
static void test_push_ends(void)
{
    start(true);
    verdict[ATS_EVENT_PAGE_REQUEST] = ATS_ACTOR_KEEP;
    ats_actor_event(ATS_EVENT_PAGE_REQUEST, FN0, &link_, posts_again, NULL, 0);
    ats_actor_push_posted(FN0);
    expect("0.1 again ");
    g_assert_cmpuint(ats_actor_kept(ATS_EVENT_PAGE_REQUEST), ==, 1);
    ats_actor_forget(&link_);
    end();
}

/* The completion of a write pushes writes, with what is posted before them */
static void test_push_writes(void)
{
    start(true);
    for (int i = 0; i < ATS_EVENT_KIND_NR; i++) {
        verdict[i] = ATS_ACTOR_KEEP;
    }
    event(ATS_EVENT_PAGE_REQUEST, FN0, &link_, "request");
    ats_actor_push_writes(FN0);
    expect("");
    event(ATS_EVENT_DMA_WRITE, FN1, &link_, "other");
    event(ATS_EVENT_TIMER, FN0, &link_, "timer");
    event(ATS_EVENT_DMA_WRITE, FN0, &link_, "write");
    event(ATS_EVENT_INV_COMPLETION, FN0, &link_, "completion");
    ats_actor_push_writes(FN0);
    expect("0.1 request 9.2 write ");
    end();
    start(false);
    verdict[ATS_EVENT_DMA_WRITE] = ATS_ACTOR_KEEP;
    event(ATS_EVENT_DMA_WRITE, FN0, &link_, "write");
    ats_actor_push_writes(FN0);
    expect("");
    end();
}

static void read_below(void *owner, const void *data)
{
    g_string_append(log_, "read ");
    ats_actor_push_writes(FN0);
    g_string_append(log_, "is done ");
}

/* The read of what an event does: the write lands below it and not behind it */
static void test_push_below(void)
{
    start(true);
    verdict[ATS_EVENT_BH] = verdict[ATS_EVENT_DMA_WRITE] = ATS_ACTOR_KEEP;
    event(ATS_EVENT_DMA_WRITE, FN0, &link_, "write");
    g_assert_true(ats_actor_event(ATS_EVENT_BH, FN0, &iommu, read_below, NULL,
                                  0));
    ats_actor_release(ATS_EVENT_BH, 1);
    expect("11.1 read 9.1 write is done ");
    end();
}

/* A reset loses what is kept of its owner, and nothing else */
static void test_forget(void)
{
    start(true);
    verdict[ATS_EVENT_PAGE_REQUEST] = ATS_ACTOR_KEEP;
    verdict[ATS_EVENT_MSI] = ATS_ACTOR_KEEP;
    g_assert_true(event(ATS_EVENT_PAGE_REQUEST, FN0, &link_, "request"));
    g_assert_true(event(ATS_EVENT_MSI, FN0, &iommu, "interrupt"));
    ats_actor_forget(&link_);
    expect("0.1 ");
    g_assert_false(ats_actor_is_kept(ATS_EVENT_PAGE_REQUEST, 1));
    g_assert_true(ats_actor_is_kept(ATS_EVENT_MSI, 1));
    ats_actor_flush();
    expect("8.1 interrupt ");
    end();
}

/* Without a decider nothing stays behind */
static void test_end(void)
{
    start(true);
    verdict[ATS_EVENT_BH] = ATS_ACTOR_KEEP;
    g_assert_true(event(ATS_EVENT_BH, FN0, &link_, "work"));
    ats_actor_set(NULL, true);
    expect("11.1 work ");
    g_assert_false(event(ATS_EVENT_BH, FN0, &link_, "x"));
    ats_actor_set(&ops, true);
    g_assert_cmpuint(ats_actor_count(ATS_EVENT_BH), ==, 0);
    end();
}

static void test_bounded(void)
{
    start(true);
    verdict[ATS_EVENT_PAGE_REQUEST] = ATS_ACTOR_KEEP;
    for (int i = 0; i < 3 * ATS_KEPT_MAX; i++) {
        g_assert_true(event(ATS_EVENT_PAGE_REQUEST, FN0, &link_, ""));
        g_assert_false(ats_actor_is_kept(ATS_EVENT_PAGE_REQUEST, i + 2));
        /* all of them happen when there is one too many */
        g_assert_cmpuint(ats_actor_kept(ATS_EVENT_PAGE_REQUEST), ==,
                         (i + 1) % (ATS_KEPT_MAX + 1));
    }
    end();
}

/* What happens brings about more of the same: no recursion, nothing is lost */
static void again(void *owner, const void *data)
{
    static unsigned int depth;
    int left = *(const int *)data - 1;

    g_assert_cmpuint(++depth, ==, 1);
    if (left) {
        g_assert_true(ats_actor_event(ATS_EVENT_BH, FN0, owner, again, &left,
                                      sizeof(left)));
        ats_actor_release_oldest();
    }
    depth--;
}

static void test_chain(void)
{
    int left = 5;

    start(true);
    verdict[ATS_EVENT_BH] = ATS_ACTOR_KEEP;
    g_assert_true(ats_actor_event(ATS_EVENT_BH, FN0, &link_, again, &left,
                                  sizeof(left)));
    ats_actor_flush();
    expect("11.1 11.2 11.3 11.4 11.5 ");
    end();
}

static void flush_below(void *owner, const void *data)
{
    ats_actor_flush();
    g_string_append(log_, "flushed ");
}

/* What happens lets all happen: the others do when it is through */
static void test_flush_below(void)
{
    start(false);
    verdict[ATS_EVENT_MSI] = verdict[ATS_EVENT_PRG_RESPONSE] = ATS_ACTOR_KEEP;
    g_assert_true(ats_actor_event(ATS_EVENT_MSI, FN0, &link_, flush_below,
                                  NULL, 0));
    g_assert_true(event(ATS_EVENT_PRG_RESPONSE, FN0, &link_, "r"));
    ats_actor_release(ATS_EVENT_MSI, 1);
    expect("8.1 flushed 1.1 r ");
    end();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ats-actor/off", test_off);
    g_test_add_func("/ats-actor/now", test_now);
    g_test_add_func("/ats-actor/posted", test_posted);
    g_test_add_func("/ats-actor/completion", test_completion);
    g_test_add_func("/ats-actor/iommu", test_iommu);
    g_test_add_func("/ats-actor/broken", test_broken);
    g_test_add_func("/ats-actor/push", test_push);
    g_test_add_func("/ats-actor/ATS-31/push-posted", test_push_posted);
    g_test_add_func("/ats-actor/push-ends", test_push_ends);
    g_test_add_func("/ats-actor/push-writes", test_push_writes);
    g_test_add_func("/ats-actor/push-below", test_push_below);
    g_test_add_func("/ats-actor/forget", test_forget);
    g_test_add_func("/ats-actor/end", test_end);
    g_test_add_func("/ats-actor/bounded", test_bounded);
    g_test_add_func("/ats-actor/chain", test_chain);
    g_test_add_func("/ats-actor/flush-below", test_flush_below);
    return g_test_run();
}
