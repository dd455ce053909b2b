/*
 * Legal but unusual IOMMU behaviour, selected by knobs, must be invisible to a
 * process; held messages stay held.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pt.h"
#include "sysfs.h"
#include "hw/i386/vtd-knobs.h"

#define PATTERN     0x6996966996696996ull
#define PAGES(n)    ((n) * PT_PAGE)

#define R           PT_RAW_READ
#define W           PT_RAW_WRITE
#define L           PT_RAW_LAST

/* A knob and the value of a test; the first one without a name ends a list */
struct setting {
    const char *knob;
    uint64_t value;
};

#define SETTINGS    4

static uint64_t default_of(const char *knob)
{
    static const struct setting defaults[] = {
#define DEFAULT(FIELD, field, name, def, max, values, help) { name, def },
        VTD_KNOBS(DEFAULT)
#undef DEFAULT
    };
    unsigned i = 0;

    while (strcmp(defaults[i].knob, knob)) {
        i++;
    }
    return defaults[i].value;
}

static void turn(const struct setting *s, bool back)
{
    struct pt pt;
    unsigned i;

    pt_open(&pt, 0);
    for (i = 0; i < SETTINGS && s[i].knob; i++) {
        pt_iommu_knob(&pt, s[i].knob,
                      back ? default_of(s[i].knob) : s[i].value);
    }
    pt_close(&pt);
}

/*
 * Run `work` in a process of its own with the knobs turned; turn them back
 * whatever becomes of it.
 */
static void with_knobs(const struct setting *s, void (*work)(void))
{
    double until = pt_now() + 40;
    int status = -1;
    pid_t child;

    pt_need("sva");
    turn(s, false);
    child = fork();
    CHECK(child >= 0, "fork: %s", strerror(errno));
    if (!child) {
        work();
        _exit(KTAP_PASS);
    }
    while (!waitpid(child, &status, WNOHANG) && pt_now() < until) {
        pt_sleep_ms(5);
    }
    turn(s, true);
    CHECK(status >= 0, "no end after 40 seconds");
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == KTAP_PASS,
          "ended with status 0x%x", status);
}

/*
 * A little of everything.  Nothing is in flight when the process ends: what
 * Linux makes of that is another matter.
 */
static void workload(void)
{
    struct pt_chan ch[4];
    struct pt_op op[4];
    struct pt pt;
    unsigned i, round;

    pt_open_bound(&pt, 0);
    for (i = 0; i < 4; i++) {
        pt_chan(&pt, &ch[i]);
        op[i] = (struct pt_op) {
            .cmd = PT_OP_WRITE, .len = PAGES(24), .group = 1 + i,
            .retries = ~0u,     /* a full queue says Success at once */
        };
        op[i].dst = pt_map_anon(op[i].len);
    }
    for (round = 0; round < 3; round++) {
        for (i = 0; i < 4; i++) {
            op[i].pattern = PATTERN + round * 4 + i;
            pt_start(&ch[i], &op[i]);
        }
        for (i = 0; i < 4; i++) {
            uint32_t status = pt_wait(&ch[i], &op[i], PT_TIMEOUT);

            CHECK(status == PT_ST_DONE, "channel %u: %s", i,
                  pt_status_name(status));
            pt_check_stamp(op[i].dst, op[i].len, op[i].pattern);
            CHECK(!madvise(op[i].dst, op[i].len, MADV_DONTNEED),
                  "madvise: %s", strerror(errno));
        }
    }

    for (i = 0; i < 2; i++) {
        struct pt_result res;

        op[i].cmd = PT_OP_READ;
        op[i].src = pt_map_file(op[i].len, 7 + i, NULL);
        pt_expect(&ch[i], &op[i], PT_ST_DONE, &res);
        CHECK_EQ(res.crc, pt_crc32(op[i].src, op[i].len), "CRC-32");
    }

    op[2].group = 1;
    CHECK(!mprotect(op[2].dst, op[2].len, PROT_READ), "mprotect: %s",
          strerror(errno));
    pt_expect(&ch[2], &op[2], PT_ST_INVALID_REQUEST, NULL);
    pt_check_zero(op[2].dst, op[2].len);
    CHECK(!munmap(op[3].dst, op[3].len), "munmap: %s", strerror(errno));
    pt_expect(&ch[3], &op[3], PT_ST_INVALID_REQUEST, NULL);
    CHECK_EQ(pt_rd32(pt.func, PT_PRI_GROUPS), 0, "open groups");
}

#define WITH(name, ...) \
    static void test_##name(void) \
    { \
        static const struct setting s[SETTINGS + 1] = { \
            __VA_ARGS__, { NULL, 0 } \
        }; \
        with_knobs(s, workload); \
    }

WITH(slow_requests, { VTD_KNOB_PRD_DELAY, 700 })
WITH(slow_events, { VTD_KNOB_PRQ_IRQ_DELAY, 700 })
WITH(slow_waits, { VTD_KNOB_WAIT_DELAY, 300 })
WITH(one_itag, { VTD_KNOB_ITAGS, 1 })
WITH(many_waits, { VTD_KNOB_WAIT_DEPTH, 16 }, { VTD_KNOB_WAIT_DELAY, 100 })
WITH(small_queue, { VTD_KNOB_PRQ_DEPTH, 8 })
WITH(small_slow_queue, { VTD_KNOB_PRQ_DEPTH, 5 },
     { VTD_KNOB_PRQ_IRQ_DELAY, 300 })
WITH(torn_pasid_entry, { VTD_KNOB_TORN_ENTRY, VTD_TORN_ENTRY_PASID },
     { VTD_KNOB_TORN_PAUSE, 200 })
WITH(torn_context_entry, { VTD_KNOB_TORN_ENTRY, VTD_TORN_ENTRY_CONTEXT },
     { VTD_KNOB_TORN_PAUSE, 200 })
WITH(paging_cache, { VTD_KNOB_PWC, VTD_PWC_ON })
WITH(rev3, { VTD_KNOB_PROFILE, VTD_PROFILE_REV3 })
WITH(rev4, { VTD_KNOB_PROFILE, VTD_PROFILE_REV4 })
WITH(ip_clear, { VTD_KNOB_IP_CLEAR, VTD_IP_CLEAR_PPR })
WITH(pro_first, { VTD_KNOB_CHECK_ORDER, VTD_CHECK_ORDER_PRO },
     { VTD_KNOB_PRQ_DEPTH, 8 })

/* -- Hold points ----------------------------------------------------------- */

static void check_works(struct pt *pt)
{
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .len = PAGES(8), .pattern = PATTERN, .group = 4,
    };
    struct pt_chan ch;

    pt_chan(pt, &ch);
    op.dst = pt_map_anon(op.len);
    pt_expect(&ch, &op, PT_ST_DONE, NULL);
    pt_check_stamp(op.dst, op.len, PATTERN);
}

/* Requests wait in front of the queue and continue one by one */
static void hold_requests(void)
{
    struct pt pt;
    char *p;

    pt_open_bound(&pt, 0);
    p = pt_map_anon(PAGES(2));
    pt_send(&pt, p, W | L, 1);
    pt_send(&pt, p + PT_PAGE, W | L, 2);
    pt_expect_no_resp(&pt);
    CHECK(!pt_resident(p), "a request was not held");
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_RELEASE, 1);
    pt_expect_resp(&pt, 1, 0);
    CHECK(pt_resident(p) && !pt_resident(p + PT_PAGE),
          "not exactly one request was released");
    pt_wr32(pt.func, PT_RAW_RESP, 0);
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_HOLD, 0);
    pt_expect_resp(&pt, 2, 0);
    CHECK(pt_resident(p + PT_PAGE), "the second request was lost");
    check_works(&pt);
}

static void test_hold_requests(void)
{
    static const struct setting s[] = {
        { VTD_KNOB_PRQ_HOLD, VTD_PRQ_HOLD_ON }, { NULL, 0 },
    };

    with_knobs(s, hold_requests);
}

/* Requests are in the queue, but the kernel does not hear of them */
static void hold_event(void)
{
    struct pt pt;
    char *p;

    pt_open_bound(&pt, 0);
    p = pt_map_anon(PT_PAGE);
    pt_send(&pt, p, W | L, 1);
    pt_expect_no_resp(&pt);
    CHECK(!pt_resident(p), "the kernel heard of the request");
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_IRQ_HOLD, 0);
    pt_expect_resp(&pt, 1, 0);
    CHECK(pt_resident(p), "the page did not come in");
    check_works(&pt);
}

static void test_hold_event(void)
{
    static const struct setting s[] = {
        { VTD_KNOB_PRQ_IRQ_HOLD, VTD_PRQ_IRQ_HOLD_ON }, { NULL, 0 },
    };

    with_knobs(s, hold_event);
}

/*
 * A queue of four that nobody empties: what comes after is answered by the
 * IOMMU (the last of a group) or dropped.  Linux discards the half of a group
 * that got in, and asks no page of it.
 */
static void overflow(void)
{
    struct pt pt;
    unsigned i;
    char *p;

    pt_open_bound(&pt, 0);
    p = pt_map_anon(PAGES(8));
    for (i = 0; i < 5; i++) {
        pt_send(&pt, p + PAGES(i), W, 9);
    }
    pt_send(&pt, p + PAGES(5), W | L, 9);
    pt_expect_resp(&pt, 9, 0);
    CHECK(!pt_resident(p + PAGES(5)), "the last request got in");

    pt_iommu_knob(&pt, VTD_KNOB_PRQ_IRQ_HOLD, 0);
    for (i = 0; i < 100 && !pt_resident(p + PAGES(6)); i++) {
        pt_send(&pt, p + PAGES(6), W | L, 10);
        pt_expect_resp(&pt, 10, 0);
        pt_sleep_ms(20);
    }
    CHECK(i < 100, "the queue stays closed");
    pt_send(&pt, p + PAGES(7), W | L, 9);
    pt_expect_resp(&pt, 9, 0);
    CHECK(pt_resident(p + PAGES(7)), "the page did not come in");
    for (i = 0; i < 6; i++) {
        CHECK(!pt_resident(p + PAGES(i)),
              "page %u of a discarded group came in", i);
    }
    check_works(&pt);
}

static void test_overflow(void)
{
    static const struct setting s[] = {
        { VTD_KNOB_PRQ_DEPTH, 4 },
        { VTD_KNOB_PRQ_IRQ_HOLD, VTD_PRQ_IRQ_HOLD_ON },
        { NULL, 0 },
    };

    with_knobs(s, overflow);
}

/* -- What a program can read of the IOMMU (W7) ----------------------------- */

static void test_read(void)
{
    uint64_t ecap, pqa;
    struct pt pt;

    pt_open(&pt, 0);
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_DEPTH, 33);
    CHECK_EQ(pt_iommu_knob_value(&pt, VTD_KNOB_PRQ_DEPTH), 33, "prq-depth");
    CHECK_EQ(pt_iommu_knob_value(&pt, VTD_KNOB_PRQ_HOLD), 0, "prq-hold");
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_DEPTH, 0);
    ecap = sysfs_iommu_reg("ECAP");
    CHECK(ecap >> 29 & 1, "no ECAP.PRS in 0x%" PRIx64, ecap);
    pqa = sysfs_iommu_reg("PQA");
    CHECK(pqa >> 12, "no page request queue: 0x%" PRIx64, pqa);
}

/* -- The registers of knobs ------------------------------------------------ */

static void test_registers(void)
{
    struct pt pt;

    pt_open(&pt, 0);
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_DEPTH, 77);
    CHECK_EQ(pt_rd64(pt.func, PT_KNOB_VALUE), 77, "value");
    pt_wr64(pt.func, PT_KNOB_VALUE, 1ull << 40);
    CHECK_EQ(pt_rd32(pt.func, PT_KNOB_STATUS), PT_KNOB_RANGE, "status");
    CHECK_EQ(pt_rd64(pt.func, PT_KNOB_VALUE), 77, "value after a refusal");
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_DEPTH, 0);

    pt_wr32(pt.func, PT_KNOB_SELECT, PT_KNOB_IOMMU);
    pt_wr32(pt.func, PT_KNOB_NAME, pt_knob_hash("prq-depths"));
    CHECK_EQ(pt_rd32(pt.func, PT_KNOB_STATUS), PT_KNOB_NONE, "status");
    pt_wr64(pt.func, PT_KNOB_VALUE, 0);
    CHECK_EQ(pt_rd32(pt.func, PT_KNOB_STATUS), PT_KNOB_NONE, "status");
    pt_wr32(pt.func, PT_KNOB_SELECT, PT_KNOB_IOMMU | 0xffff);
    pt_wr64(pt.func, PT_KNOB_VALUE, ~0ull);
    CHECK_EQ(pt_rd32(pt.func, PT_KNOB_STATUS), PT_KNOB_NONE, "status");
}

static const struct ktap_test tests[] = {
    { "registers", test_registers, 0 },
    { "read", test_read, 0 },
    { "slow-requests", test_slow_requests, 0 },
    { "slow-events", test_slow_events, 0 },
    { "slow-waits", test_slow_waits, 0 },
    { "one-itag", test_one_itag, 0 },
    { "many-waits", test_many_waits, 0 },
    { "small-queue", test_small_queue, 0 },
    { "small-slow-queue", test_small_slow_queue, 0 },
    { "torn-pasid-entry", test_torn_pasid_entry, 0 },
    { "torn-context-entry", test_torn_context_entry, 0 },
    { "paging-cache", test_paging_cache, 0 },
    { "rev3", test_rev3, 0 },
    { "rev4", test_rev4, 0 },
    { "ip-clear", test_ip_clear, 0 },
    { "pro-first", test_pro_first, 0 },
    { "hold-requests", test_hold_requests, 0 },
    { "hold-event", test_hold_event, 0 },
    { "overflow", test_overflow, 0 },
};

KTAP_MAIN(tests)
