/*
 * What Linux does with each kind of page request that can reach it
 *
 * The requests are raw: the device sends exactly these fields, whatever state
 * it is in.  What the kernel (or the IOMMU in its place) answers is seen in
 * the PRG Response, what it did in the memory of the process.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "klog.h"
#include "pt.h"
#include "sysfs.h"

#define PATTERN     0x0f1e2d3c4b5a6978ull
#define PAGES(n)    ((n) * PT_PAGE)

#define R           PT_RAW_READ
#define W           PT_RAW_WRITE
#define L           PT_RAW_LAST
#define PRIV        PT_RAW_PRIV
#define EXEC        PT_RAW_EXEC

/* Response codes, PCIe 10.4.2.2 */
#define SUCCESS     0
#define INVALID     1

#define PRQ_ENTRIES 2048        /* of Linux' queue: 64 KiB of 32 bytes */

/* The good path still works: a channel faults in fresh pages */
static void check_works(struct pt *pt)
{
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .len = PAGES(8), .pattern = PATTERN, .group = 4,
    };
    struct pt_result res;
    struct pt_chan ch;

    pt_chan(pt, &ch);
    op.dst = pt_map_anon(op.len);
    pt_expect(&ch, &op, PT_ST_DONE, &res);
    CHECK_EQ(res.groups, 2, "groups");
    pt_check_stamp(op.dst, op.len, PATTERN);
    CHECK_EQ(pt_counter(pt, PT_CNT_RESP_UNEXPECTED), 0,
             "unexpected responses");
    CHECK_EQ(pt_counter(pt, PT_CNT_VIOLATIONS), 0, "violations");
}

static void setup(struct pt *pt)
{
    pt_open_bound(pt, 0);
    pt_wr32(pt->func, PT_CTRL, PT_CTRL_CLEAR_COUNTERS);
}

static void test_success(void)
{
    struct pt pt;
    char *p;

    setup(&pt);
    p = pt_map_anon(PAGES(4));
    pt_send(&pt, p, W | L, 5);
    pt_expect_resp(&pt, 5, SUCCESS);
    CHECK(pt_resident(p), "the page did not come in");
    pt_send(&pt, p + PAGES(1), R | W | L, 511);
    pt_expect_resp(&pt, 511, SUCCESS);
    CHECK(pt_resident(p + PAGES(1)), "the page did not come in");
    CHECK(!pt_resident(p + PAGES(2)), "a page came in without a request");
    check_works(&pt);
}

/* Requests of a group wait for the last one, and are answered together */
static void test_group(void)
{
    struct pt pt;
    unsigned i;
    char *p;

    setup(&pt);
    p = pt_map_anon(PAGES(8));
    for (i = 0; i < 7; i++) {
        pt_send(&pt, p + PAGES(i), W, 9);
    }
    pt_expect_no_resp(&pt);
    CHECK(!pt_resident(p), "a page came in before the last request");
    pt_send(&pt, p + PAGES(7), W | L, 9);
    pt_expect_resp(&pt, 9, SUCCESS);
    for (i = 0; i < 8; i++) {
        CHECK(pt_resident(p + PAGES(i)), "page %u did not come in", i);
    }
    CHECK_EQ(pt_rd32(pt.func, PT_RAW_RESP_COUNT), 1, "responses");
    check_works(&pt);
}

/* One bad page spoils the answer to the group */
static void test_group_one_bad(void)
{
    struct pt pt;
    char *p;

    setup(&pt);
    p = pt_map_anon(PAGES(4));
    CHECK(!munmap(p + PAGES(1), PT_PAGE), "munmap: %s", strerror(errno));
    pt_send(&pt, p, W, 3);
    pt_send(&pt, p + PAGES(1), W, 3);
    pt_send(&pt, p + PAGES(2), W | L, 3);
    pt_expect_resp(&pt, 3, INVALID);
    check_works(&pt);
}

static void test_access(void)
{
    char *ro, *none;
    struct pt pt;

    setup(&pt);
    ro = pt_map_anon(PAGES(2));
    none = ro + PT_PAGE;
    CHECK(!mprotect(ro, PT_PAGE, PROT_READ) &&
          !mprotect(none, PT_PAGE, PROT_NONE), "mprotect: %s",
          strerror(errno));
    pt_send(&pt, ro, R | L, 1);
    pt_expect_resp(&pt, 1, SUCCESS);
    pt_send(&pt, ro, W | L, 2);
    pt_expect_resp(&pt, 2, INVALID);
    pt_send(&pt, ro, R | W | L, 3);
    pt_expect_resp(&pt, 3, INVALID);
    pt_send(&pt, none, R | L, 4);
    pt_expect_resp(&pt, 4, INVALID);
    pt_send(&pt, NULL, R | L, 5);
    pt_expect_resp(&pt, 5, INVALID);
    check_works(&pt);
}

static void test_non_canonical(void)
{
    static const uint64_t addrs[] = {
        1ull << 63, 0x7ffffffffffff000ull, 0xff00000000000000ull,
    };
    struct pt pt;
    unsigned i;
    char *p;

    setup(&pt);
    for (i = 0; i < 3; i++) {
        pt_send(&pt, (void *)addrs[i], W | L, 20 + i);
        pt_expect_resp(&pt, 20 + i, INVALID);
    }
    /* A request that is not the last is dropped; the rest of its group lives */
    p = pt_map_anon(PT_PAGE);
    pt_send(&pt, (void *)addrs[0], W, 30);
    pt_expect_no_resp(&pt);
    pt_send(&pt, p, W | L, 30);
    pt_expect_resp(&pt, 30, SUCCESS);
    CHECK(pt_resident(p), "the page did not come in");
    check_works(&pt);
}

/* Canonical, but the kernel's half: no process may have it */
static void test_kernel_half(void)
{
    struct pt pt;

    setup(&pt);
    pt_send(&pt, (void *)0xffffffff81000000ull, R | L, 6);
    pt_expect_resp(&pt, 6, INVALID);
    pt_send(&pt, (void *)0xffff888000000000ull, W | L, 7);
    pt_expect_resp(&pt, 7, INVALID);
    check_works(&pt);
}

static void test_privileged(void)
{
    struct pt pt;
    char *p;

    setup(&pt);
    p = pt_map_anon(PAGES(2));
    pt_send(&pt, p, R | L | PRIV, 40);
    pt_expect_resp(&pt, 40, INVALID);
    pt_send(&pt, p, W | L | PRIV, 41);
    pt_expect_resp(&pt, 41, INVALID);
    CHECK(!pt_resident(p), "the page came in all the same");
    check_works(&pt);
}

/* Linux refuses to fetch code for a device, whatever the mapping allows */
static void test_execute(void)
{
    struct pt pt;
    char *p;

    setup(&pt);
    p = pt_map_anon(PAGES(2));
    CHECK(!mprotect(p, PAGES(2), PROT_READ | PROT_EXEC), "mprotect: %s",
          strerror(errno));
    pt_send(&pt, p, R | L | EXEC, 50);
    pt_expect_resp(&pt, 50, INVALID);
    CHECK(!pt_resident(p), "the page came in all the same");
    check_works(&pt);
}

/* L=1 without R and W is a stop marker: it gets no answer and harms nobody */
static void test_stop_marker(void)
{
    struct pt pt;
    char *p;

    setup(&pt);
    p = pt_map_anon(PT_PAGE);
    pt_send(&pt, NULL, L, 0);
    pt_expect_no_resp(&pt);
    pt_send(&pt, p, W, 12);
    pt_send(&pt, NULL, L, 0);
    pt_expect_no_resp(&pt);
    pt_send(&pt, p, W | L, 12);
    pt_expect_resp(&pt, 12, SUCCESS);
    check_works(&pt);
}

static void test_pasid_not_attached(void)
{
    struct pt pt;
    uint32_t mine;
    unsigned i;
    char *p;

    setup(&pt);
    mine = pt.pasid;
    p = pt_map_anon(PT_PAGE);
    for (i = 1; i < 4; i++) {
        /* near by: in the same leaf of the PASID table; and far away */
        pt.pasid = i < 3 ? mine + 17 * i :
                   (1u << pt_rd32(pt.func, PT_PASID_BITS)) - 1;
        pt_send(&pt, p, W | L, i);
        pt_expect_resp(&pt, i, INVALID);
        pt_send(&pt, p, W, i);
        pt_expect_no_resp(&pt);
    }
    CHECK(!pt_resident(p), "the page came in all the same");
    pt.pasid = mine;
    check_works(&pt);
}

/* Nobody handles faults without PASID here: the kernel says Invalid Request */
static void test_no_pasid(void)
{
    struct pt_raw raw = { .flags = R | L, .prgi = 70, .addr = 0x10000 };
    struct pt_raw_resp resp;
    struct pt pt;

    setup(&pt);
    pt_raw_send(&pt, &raw);
    CHECK(pt_raw_wait(&pt, &resp, PT_RESP_MS), "no response");
    CHECK_EQ(resp.code, INVALID, "response code");
    CHECK_EQ(resp.prgi, 70, "PRGI of the response");
    CHECK(!resp.had_pasid, "response with PASID %u", resp.pasid);
    check_works(&pt);
}

/* The child binds, and goes; `shared` leaves its binding behind */
static void process_gone(bool shared)
{
    int pipefd[2];
    struct pt pt, me;
    pid_t child;
    char *p;

    setup(&me);
    p = pt_map_anon(PT_PAGE);
    pt_open(&pt, 0);
    CHECK(!pipe(pipefd), "pipe: %s", strerror(errno));
    child = fork();
    CHECK(child >= 0, "fork: %s", strerror(errno));
    if (!child) {
        struct pt own;

        if (shared) {
            pt_bind(&pt);
        } else {
            pt_open_bound(&own, 0);
            pt.pasid = own.pasid;
        }
        CHECK(write(pipefd[1], &pt.pasid, 4) == 4, "pipe: %s",
              strerror(errno));
        _exit(KTAP_PASS);
    }
    CHECK(read(pipefd[0], &pt.pasid, 4) == 4, "the child did not bind");
    pt_reap(child, KTAP_PASS);
    CHECK(pt.pasid != me.pasid, "both have PASID %u", pt.pasid);

    pt_send(&pt, p, W | L, 60);
    pt_expect_resp(&pt, 60, INVALID);
    pt_send(&pt, p, R | L, 61);
    pt_expect_resp(&pt, 61, INVALID);
    CHECK(!pt_resident(p), "the page came in all the same");
    if (shared) {
        struct pri_testdev_info info;

        pt_info(&pt, &info);
        CHECK(info.bound && info.pasid == pt.pasid, "the binding is gone");
        pt_unbind(&pt);
    }
    check_works(&me);
}

static void test_process_gone(void)
{
    process_gone(false);
}

static void test_process_gone_bound(void)
{
    process_gone(true);
}

/* After unbind the kernel answers no request for the PASID with Success */
static void test_after_unbind(void)
{
    uint32_t pasid;
    struct pt pt;
    char *p;

    setup(&pt);
    p = pt_map_anon(PT_PAGE);
    pt_send(&pt, p, W, 80);        /* a group that never ends */
    pasid = pt.pasid;
    pt_unbind(&pt);
    pt.pasid = pasid;
    pt_send(&pt, p, W | L, 81);
    pt_expect_resp(&pt, 81, INVALID);
    CHECK(!pt_resident(p), "the page came in all the same");
    pt_bind(&pt);
    check_works(&pt);
}

/*
 * Requests keep coming while the process binds and unbinds: each gets exactly
 * one answer, Success or Invalid Request, and nothing hangs.
 */
static void test_attach_window(void)
{
    uint64_t codes[2] = { 0, 0 };
    struct pt pt, sender;
    uint32_t sent = 0, base;
    double until;
    pid_t child;
    char *p;

    setup(&pt);
    p = pt_map_anon(PAGES(64));
    base = pt_rd32(pt.func, PT_RAW_RESP_COUNT);
    child = fork();
    CHECK(child >= 0, "fork: %s", strerror(errno));
    if (!child) {
        pt_open(&sender, 0);
        sender.pasid = pt.pasid;
        until = pt_now() + 5;
        while (pt_now() < until) {
            struct pt_raw_resp resp;

            pt_send(&sender, p + PAGES(sent % 64), W | L, sent % 512);
            CHECK(pt_raw_wait(&sender, &resp, PT_RESP_MS),
                  "no response for request %u", sent);
            CHECK(resp.code == SUCCESS || resp.code == INVALID,
                  "response code %u", resp.code);
            codes[resp.code]++;
            sent++;
        }
        CHECK_EQ(pt_rd32(sender.func, PT_RAW_RESP_COUNT) - base, sent,
                 "responses");
        ktap_note("%llu Success, %llu Invalid Request",
                  (unsigned long long)codes[0], (unsigned long long)codes[1]);
        CHECK(codes[0] && codes[1], "the window was never open, or always");
        _exit(KTAP_PASS);
    }
    until = pt_now() + 4.5;
    while (pt_now() < until) {
        uint32_t pasid = pt.pasid;

        pt_unbind(&pt);
        pt_bind(&pt);
        CHECK_EQ(pt.pasid, pasid, "PASID");
        CHECK(!madvise(p, PAGES(64), MADV_DONTNEED), "madvise: %s",
              strerror(errno));
    }
    pt_reap(child, KTAP_PASS);
    check_works(&pt);
}

/* -- Overflow -------------------------------------------------------------- */

/* Processes that keep one CPU each busy while *busy */
static atomic_int *busy, *ready;

static void become_hog(int cpu)
{
    struct sched_param param = { .sched_priority = 99 };
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    CHECK(!sched_setaffinity(0, sizeof(set), &set), "affinity: %s",
          strerror(errno));
    CHECK(!sched_setscheduler(0, SCHED_FIFO, &param), "SCHED_FIFO: %s",
          strerror(errno));
}

/*
 * Keep the kernel's thread of page requests, real-time but of a lower
 * priority, from running: this process and one more for each other CPU
 * do not let go of theirs.
 */
static void starve_prq_thread(void)
{
    int cpus = sysconf(_SC_NPROCESSORS_ONLN), cpu;

    busy = mmap(NULL, PT_PAGE, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(busy != MAP_FAILED, "mmap: %s", strerror(errno));
    ready = busy + 1;
    *busy = 1;
    sysfs_write("/proc/sys/kernel/sched_rt_runtime_us", "-1");
    for (cpu = 1; cpu < cpus; cpu++) {
        pid_t pid = fork();

        CHECK(pid >= 0, "fork: %s", strerror(errno));
        if (!pid) {
            double until = pt_now() + 20;

            become_hog(cpu);
            (*ready)++;
            while (*busy && pt_now() < until) {
                continue;
            }
            _exit(KTAP_PASS);
        }
    }
    while (*ready < cpus - 1) {
        pt_sleep_ms(1);
    }
    become_hog(0);
}

static void release_prq_thread(void)
{
    struct sched_param param = { .sched_priority = 0 };

    *busy = 0;
    CHECK(!sched_setscheduler(0, SCHED_OTHER, &param), "SCHED_OTHER: %s",
          strerror(errno));
    sysfs_write("/proc/sys/kernel/sched_rt_runtime_us", "950000");
}

/*
 * Fill the queue while nobody empties it.  Requests that find it full are
 * dropped; the last of a group is answered with Success by the IOMMU itself,
 * which tells the device to try again.  Linux throws the halves of groups
 * away that it had collected, and continues.
 */
static void test_overflow(void)
{
    struct pt_raw_resp resp;
    struct pt pt;
    unsigned i;
    bool answered;
    double until;
    char *p;

    setup(&pt);
    p = pt_map_anon(PAGES(4));
    starve_prq_thread();
    for (i = 0; i < PRQ_ENTRIES + 64; i++) {
        pt_send(&pt, p + PAGES(1), W, 100);
    }
    pt_send(&pt, p + PAGES(2), W | L, 101);
    until = pt_now() + 1;
    do {
        answered = pt_rd32(pt.func, PT_RAW_RESP) & PT_RAW_RESP_VALID;
    } while (!answered && pt_now() < until);
    release_prq_thread();

    CHECK(answered, "the queue is full, but no response came");
    CHECK(pt_raw_wait(&pt, &resp, 0), "the response is gone");
    CHECK_EQ(resp.code, SUCCESS, "code of the automatic response");
    CHECK_EQ(resp.prgi, 101, "PRGI of the automatic response");
    CHECK(!pt_resident(p + PAGES(2)), "the page came in all the same");

    /*
     * The thread catches up and opens the queue again; until then, Success is
     * the answer to everything and brings nothing.
     */
    for (i = 0; i < 100 && !pt_resident(p + PAGES(2)); i++) {
        pt_send(&pt, p + PAGES(2), W | L, 102);
        pt_expect_resp(&pt, 102, SUCCESS);
        pt_sleep_ms(50);
    }
    CHECK(i < 100, "the queue stays closed");
    CHECK(klog_has("PRQ overflow detected"), "Linux saw no overflow");

    /* The collected halves of group 100 have gone */
    CHECK(!pt_resident(p + PAGES(1)), "half a group was handled");
    pt_send(&pt, p + PAGES(3), W | L, 100);
    pt_expect_resp(&pt, 100, SUCCESS);
    CHECK(pt_resident(p + PAGES(3)), "the page did not come in");
    CHECK(!pt_resident(p + PAGES(1)), "a discarded half came to life");
    check_works(&pt);
}

static const struct ktap_test tests[] = {
    { "success", test_success, 0 },
    { "group", test_group, 0 },
    { "group-one-bad", test_group_one_bad, 0 },
    { "access", test_access, 0 },
    { "non-canonical", test_non_canonical, 0 },
    { "kernel-half", test_kernel_half, 0 },
    { "privileged", test_privileged, 0 },
    { "execute", test_execute, 0 },
    { "stop-marker", test_stop_marker, 0 },
    { "pasid-not-attached", test_pasid_not_attached, 0 },
    { "LNX-05-no-pasid", test_no_pasid, 0 },
    { "process-gone", test_process_gone, 0 },
    { "process-gone-bound", test_process_gone_bound, 0 },
    { "after-unbind", test_after_unbind, 0 },
    { "attach-window", test_attach_window, 0 },
    { "overflow", test_overflow, 0 },
};

KTAP_MAIN(tests)
