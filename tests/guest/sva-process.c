/*
 * Several processes, several functions, and processes that end while the
 * device is at work for them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pt.h"

#define PATTERN     0x0123456789abcdefull
#define PAGES(n)    ((n) * PT_PAGE)

/* One address space on two functions: one PASID, two caches to keep right */
static void test_two_functions(void)
{
    struct pt_op op[2];
    struct pt_chan ch[2];
    struct pt pt[2];
    unsigned i, round;
    char *p;

    for (i = 0; i < 2; i++) {
        pt_open_bound(&pt[i], i);
        pt_chan(&pt[i], &ch[i]);
        op[i] = (struct pt_op) {
            .cmd = PT_OP_WRITE, .len = PAGES(64), .group = 1 + 3 * i,
        };
    }
    CHECK_EQ(pt[0].pasid, pt[1].pasid, "PASID");
    p = pt_map_anon(PAGES(128));
    for (round = 0; round < 4; round++) {
        /* they take turns at each half, so that each has seen all pages */
        op[round % 2].dst = p;
        op[1 - round % 2].dst = p + PAGES(64);
        op[0].pattern = PATTERN + round;
        op[1].pattern = ~PATTERN + round;
        for (i = 0; i < 2; i++) {
            pt_start(&ch[i], &op[i]);
        }
        for (i = 0; i < 2; i++) {
            uint32_t status = pt_wait(&ch[i], &op[i], PT_TIMEOUT);

            CHECK(status == PT_ST_DONE, "function %u: %s", i,
                  pt_status_name(status));
            pt_check_stamp(op[i].dst, op[i].len, op[i].pattern);
        }
        CHECK(!madvise(p, PAGES(128), MADV_DONTNEED), "madvise: %s",
              strerror(errno));
    }
}

#define ROUNDS  16

/*
 * Bind, tell the other process our PASID, then write the same addresses again
 * and again with a pattern of our own while the other process does so too.
 */
static void write_rounds(void *p, size_t len, uint64_t pattern, int to,
                         int from)
{
    uint32_t other;
    struct pt_chan ch;
    struct pt pt;
    unsigned i;

    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    CHECK(write(to, &pt.pasid, sizeof(pt.pasid)) == sizeof(pt.pasid) &&
          read(from, &other, sizeof(other)) == sizeof(other), "pipe: %s",
          strerror(errno));
    CHECK(pt.pasid != other, "both processes have PASID %u", other);
    for (i = 0; i < ROUNDS; i++) {
        struct pt_op op = {
            .cmd = PT_OP_WRITE, .dst = p, .len = len, .pattern = pattern + i,
            .group = 1 + i % 4,
        };

        CHECK(!madvise(p, len, MADV_DONTNEED), "madvise: %s",
              strerror(errno));
        pt_expect(&ch, &op, PT_ST_DONE, NULL);
        pt_check_stamp(p, len, pattern + i);
    }
}

static void test_two_processes(void)
{
    size_t len = PAGES(32);
    void *p = pt_map_anon(len);
    int to[2], from[2];
    pid_t child;

    CHECK(!pipe(to) && !pipe(from), "pipe: %s", strerror(errno));
    child = fork();
    CHECK(child >= 0, "fork: %s", strerror(errno));
    if (!child) {
        write_rounds(p, len, ~PATTERN, from[1], to[0]);
        _exit(KTAP_PASS);
    }
    write_rounds(p, len, PATTERN, to[1], from[0]);
    pt_reap(child, KTAP_PASS);
    /* what the other process did after our last round is not here */
    pt_check_stamp(p, len, PATTERN + ROUNDS - 1);
}

/* Groups that the function still waits for must come to an end */
static void check_quiet(struct pt *pt)
{
    double until = pt_now() + 5;

    while (pt_rd32(pt->func, PT_PRI_GROUPS)) {
        CHECK(pt_now() < until, "%u groups never got a response",
              pt_rd32(pt->func, PT_PRI_GROUPS));
        pt_sleep_ms(1);
    }
}

static void end_in_flight(bool by_signal)
{
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .len = 64ull << 20, .pattern = PATTERN,
        .group = 2,
    };
    struct pt_chan ch;
    struct pt pt;
    unsigned i;

    pt_need("sva");
    for (i = 0; i < 4; i++) {
        pid_t child = fork();

        CHECK(child >= 0, "fork: %s", strerror(errno));
        if (!child) {
            pt_open_bound(&pt, 0);
            pt_chan(&pt, &ch);
            op.dst = pt_map_anon(op.len);
            pt_start(&ch, &op);
            while (!pt_rd64(ch.regs, PT_CH_DONE)) {
                CHECK(pt_rd32(ch.regs, PT_CH_STATUS) == PT_ST_RUNNING,
                      "the operation ended: %s",
                      pt_status_name(pt_rd32(ch.regs, PT_CH_STATUS)));
            }
            CHECK(pt_rd32(ch.regs, PT_CH_STATUS) == PT_ST_RUNNING,
                  "64 MiB were too few to be in flight");
            if (by_signal) {
                kill(getpid(), SIGKILL);
            }
            _exit(KTAP_PASS);
        }
        if (by_signal) {
            int status;

            CHECK(waitpid(child, &status, 0) == child, "waitpid: %s",
                  strerror(errno));
            CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
                  "child ended with status 0x%x", status);
        } else {
            pt_reap(child, KTAP_PASS);
        }
    }

    /* Every channel is free and works; nothing is left of the old groups */
    pt_open_bound(&pt, 0);
    check_quiet(&pt);
    for (i = 0; i < pt.channels; i++) {
        op.len = PAGES(4);
        op.dst = pt_map_anon(op.len);
        pt_chan(&pt, &ch);
        pt_expect(&ch, &op, PT_ST_DONE, NULL);
        pt_check_stamp(op.dst, op.len, PATTERN);
    }
}

static void test_exit_in_flight(void)
{
    end_in_flight(false);
}

static void test_kill_in_flight(void)
{
    end_in_flight(true);
}

static const struct ktap_test tests[] = {
    { "two-processes", test_two_processes, 0 },
    { "two-functions", test_two_functions, 0 },
    { "exit-in-flight", test_exit_in_flight, 0 },
    { "kill-in-flight", test_kill_in_flight, 0 },
};

KTAP_MAIN(tests)
