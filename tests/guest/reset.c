/*
 * Function Level Reset: nothing of the time before is left, everything works
 * again after a new bind.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pt.h"
#include "sysfs.h"

#define PATTERN     0x1122334455667788ull
#define PAGES(n)    ((n) * PT_PAGE)


static void reset(struct pt *pt)
{
    struct pri_testdev_info info;

    pt_info(pt, &info);
    sysfs_flr(info.pci_name);
}

/* Bind again and use a channel that this file already has */
static void check_works(struct pt *pt, struct pt_chan *ch)
{
    pt_bind(pt);
    pt_check_works(ch);
}

static void check_enabled(struct pt *pt)
{
    uint32_t want = PT_STATE_BME | PT_STATE_ATS | PT_STATE_PRI |
                    PT_STATE_PASID;
    uint32_t state = pt_rd32(pt->func, PT_STATE);

    CHECK((state & want) == want, "state is 0x%x, without 0x%x", state,
          want & ~state);
}

static void test_idle(void)
{
    struct pri_testdev_info info;
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .len = PAGES(8), .pattern = PATTERN,
    };
    struct pt_chan ch;
    struct pollfd pfd;
    uint64_t flrs;
    struct pt pt;
    unsigned resets;

    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    op.dst = pt_map_anon(op.len);
    pt_expect(&ch, &op, PT_ST_DONE, NULL);
    pt_wr32(pt.func, PT_SCRATCH, 0x600dcafe);
    pt_wr32(ch.regs, PT_CH_RETRIES, 99);
    CHECK_EQ(pt_rd32(pt.func, PT_SCRATCH), 0x600dcafe, "PT_SCRATCH");
    CHECK(pt_counter(&pt, PT_CNT_PAGE_REQUESTS) >= 8, "too few requests");
    check_enabled(&pt);
    flrs = pt_counter(&pt, PT_CNT_FLRS);
    pt_info(&pt, &info);
    resets = info.resets;

    reset(&pt);

    pfd = (struct pollfd) { .fd = pt.fd, .events = POLLPRI };
    CHECK(poll(&pfd, 1, 0) == 1 && pfd.revents == POLLPRI,
          "poll says 0x%x, not POLLPRI", pfd.revents);
    pt_info(&pt, &info);
    CHECK_EQ(info.resets, resets + 1, "resets that the driver saw");
    CHECK_EQ(info.bound, 0, "binding after the reset");
    CHECK_EQ(info.owned, 1, "channels owned after the reset");
    CHECK(poll(&pfd, 1, 0) == 0, "poll says 0x%x after INFO", pfd.revents);

    CHECK_EQ(pt_counter(&pt, PT_CNT_FLRS), flrs + 1, "FLR counter");
    CHECK_EQ(pt_rd32(pt.func, PT_SCRATCH), 0, "PT_SCRATCH");
    CHECK_EQ(pt_rd32(pt.func, PT_ATC_USED), 0, "ATC entries");
    CHECK_EQ(pt_rd32(pt.func, PT_PRI_GROUPS), 0, "open groups");
    CHECK_EQ(pt_counter(&pt, PT_CNT_PAGE_REQUESTS), 0, "page requests");
    CHECK_EQ(pt_rd32(ch.regs, PT_CH_STATUS), PT_ST_IDLE, "status");
    CHECK_EQ(pt_rd32(ch.regs, PT_CH_RETRIES), PT_RETRIES_DEFAULT, "retries");
    check_enabled(&pt);

    /* The binding has gone: the device does not get at the memory */
    op.pattern = ~PATTERN;
    CHECK(pt_run(&ch, &op, NULL) != PT_ST_DONE, "works without a binding");
    pt_check_stamp(op.dst, op.len, PATTERN);

    pt.bound = false;
    check_works(&pt, &ch);
}

static void test_in_flight(void)
{
    struct pt_chan ch[8] = {};
    struct pt pt;
    unsigned i, n, round;

    pt_open_bound(&pt, 0);
    for (round = 0; round < 3; round++) {
        uint64_t flrs = pt_counter(&pt, PT_CNT_FLRS);

        n = pt.channels < 8 ? pt.channels : 8;
        pt_load(&pt, ch, n);
        CHECK(pt_rd32(ch[0].regs, PT_CH_STATUS) == PT_ST_RUNNING,
              "not in flight any more");
        reset(&pt);
        CHECK_EQ(pt_counter(&pt, PT_CNT_FLRS), flrs + 1, "FLR counter");
        CHECK_EQ(pt_rd32(pt.func, PT_PRI_GROUPS), 0, "open groups");
        CHECK_EQ(pt_rd32(pt.func, PT_PRI_CREDITS),
                 pt_rd32(pt.func, PT_PRI_ALLOC), "credits");
        for (i = 0; i < n; i++) {
            CHECK_EQ(pt_rd32(ch[i].regs, PT_CH_STATUS), PT_ST_IDLE, "status");
            CHECK_EQ(pt_rd64(ch[i].regs, PT_CH_DONE), 0, "bytes done");
        }
        check_enabled(&pt);
        pt.bound = false;
        check_works(&pt, &ch[round]);
    }
    CHECK_EQ(pt_counter(&pt, PT_CNT_VIOLATIONS), 0, "violations");
}

/* Resets come from another process, again and again, at any moment */
static void test_storm(void)
{
    struct pri_testdev_info info;
    struct pt_chan ch;
    double until;
    struct pt pt;
    unsigned done = 0, lost = 0;
    pid_t child;

    pt_need("sva");
    pt_open(&pt, 0);
    pt_info(&pt, &info);
    pt_chan(&pt, &ch);
    child = fork();
    CHECK(child >= 0, "fork: %s", strerror(errno));
    if (!child) {
        unsigned i;

        for (i = 0; i < 12; i++) {
            sysfs_flr(info.pci_name);
            pt_sleep_ms(20 + 13 * i);
        }
        _exit(KTAP_PASS);
    }

    until = pt_now() + 40;
    while (!waitpid(child, NULL, WNOHANG)) {
        struct pt_op op = {
            .cmd = PT_OP_WRITE, .len = PAGES(32), .pattern = PATTERN,
            .group = 4, .no_irq = true,
        };
        void *p;

        CHECK(pt_now() < until, "the resets do not come to an end");
        pt_info(&pt, &info);
        if (!info.bound &&
            ioctl(pt.fd, PRI_TESTDEV_IOC_BIND, &pt.pasid)) {
            CHECK(errno == EAGAIN || errno == EBUSY, "bind: %s",
                  strerror(errno));
            continue;
        }
        pt.bound = true;
        p = pt_map_anon(op.len);
        op.dst = p;
        pt_start(&ch, &op);
        if (pt_wait(&ch, &op, 10000) == PT_ST_DONE) {
            pt_check_stamp(p, op.len, PATTERN);
            done++;
        } else {
            lost++;
        }
        CHECK(pt_rd32(ch.regs, PT_CH_STATUS) != PT_ST_RUNNING, "hangs");
    }
    ktap_note("%u operations done, %u ended by a reset", done, lost);
    CHECK(done, "no operation came through");
    pt_info(&pt, &info);
    pt.bound = info.bound;
    if (pt.bound) {
        pt_unbind(&pt);
    }
    check_works(&pt, &ch);
}

/* A reset by one process takes the binding of another away as well */
static void test_two_processes(void)
{
    int ready[2], go[2];
    struct pt_chan ch = {};
    struct pt pt;
    pid_t child;
    char byte = 0;

    CHECK(!pipe(ready) && !pipe(go), "pipe: %s", strerror(errno));
    child = fork();
    CHECK(child >= 0, "fork: %s", strerror(errno));
    if (!child) {
        pt_open_bound(&pt, 0);
        pt_load(&pt, &ch, 1);
        CHECK(write(ready[1], &byte, 1) == 1 && read(go[0], &byte, 1) == 1,
              "pipe: %s", strerror(errno));
        CHECK_EQ(pt_rd32(ch.regs, PT_CH_STATUS), PT_ST_IDLE, "status");
        pt.bound = false;
        check_works(&pt, &ch);
        _exit(KTAP_PASS);
    }
    pt_open_bound(&pt, 0);
    CHECK(read(ready[0], &byte, 1) == 1, "the child is gone");
    pt_load(&pt, &ch, 1);
    reset(&pt);
    CHECK(write(go[1], &byte, 1) == 1, "pipe: %s", strerror(errno));
    pt_reap(child, KTAP_PASS);
    pt.bound = false;
    check_works(&pt, &ch);
}

/*
 * With keep_bindings the driver leaves the PASID to the IOMMU core, which
 * takes it off before the reset and puts it back afterwards (Linux 7.0 on).
 */
static void test_keep_bindings(void)
{
    struct pri_testdev_info info;
    struct pt_chan ch[4] = {};
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .len = PAGES(16), .pattern = PATTERN, .group = 4,
    };
    struct pt_result res;
    struct pt pt;
    unsigned round;

    pt_keep_bindings(true);
    pt_open_bound(&pt, 0);
    for (round = 0; round < 4; round++) {
        pt_load(&pt, ch, 4);
        reset(&pt);
        pt_info(&pt, &info);
        CHECK_EQ(info.bound, 1, "binding after the reset");
        CHECK_EQ(info.pasid, pt.pasid, "PASID");
        check_enabled(&pt);
        op.dst = pt_map_anon(op.len);
        pt_expect(&ch[round], &op, PT_ST_DONE, &res);
        CHECK_EQ(res.requests, 16, "page requests");
        pt_check_stamp(op.dst, op.len, PATTERN);
    }
    pt_keep_bindings(false);
    reset(&pt);
    pt_info(&pt, &info);
    CHECK_EQ(info.bound, 0, "binding after the reset");
    pt.bound = false;
    check_works(&pt, &ch[0]);
}

static const struct ktap_test tests[] = {
    { "idle", test_idle, 0 },
    { "in-flight", test_in_flight, 0 },
    { "two-processes", test_two_processes, 0 },
    { "keep-bindings", test_keep_bindings, 0 },
    { "storm", test_storm, 0 },
};

KTAP_MAIN(tests)
