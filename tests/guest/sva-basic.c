/*
 * The device works in the address space of a process, on memory that nobody
 * has touched: every page comes in by a page request.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pt.h"

#define PATTERN     0x0123456789abcdefull
#define PAGES(n)    ((n) * PT_PAGE)

static void test_write(void)
{
    struct pt_stat stat;
    struct pt_result res;
    struct pt_chan ch;
    struct pt pt;
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .len = PAGES(256), .pattern = PATTERN,
    };

    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    op.dst = pt_map_anon(op.len);
    CHECK(!pt_resident(op.dst), "the page is there before the test");
    pt_stat_begin(&pt, &stat);
    pt_expect(&ch, &op, PT_ST_DONE, &res);
    pt_stat_end(&pt, &stat, "write", 256);
    CHECK_EQ(res.done, op.len, "bytes done");
    CHECK_EQ(res.requests, 256, "page requests");
    pt_check_stamp(op.dst, op.len, PATTERN);

    /* Again: the pages are there now, and no request is due */
    op.pattern = ~PATTERN;
    pt_expect(&ch, &op, PT_ST_DONE, &res);
    CHECK_EQ(res.requests, 0, "page requests for pages that are there");
    pt_check_stamp(op.dst, op.len, ~PATTERN);
}

static void test_read(void)
{
    struct pt_op op = { .cmd = PT_OP_READ, .len = PAGES(128) };
    struct pt_stat stat;
    struct pt_result res;
    struct pt_chan ch;
    struct pt pt;

    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    op.src = pt_map_file(op.len, 1, NULL);
    pt_stat_begin(&pt, &stat);
    pt_expect(&ch, &op, PT_ST_DONE, &res);
    pt_stat_end(&pt, &stat, "read", 128);
    CHECK_EQ(res.done, op.len, "bytes done");
    /* Linux maps pages around a fault in a file: not each needs a request */
    CHECK(res.requests > 0, "no page request");
    CHECK_EQ(res.crc, pt_crc32(op.src, op.len), "CRC-32");
}

/* Memory never written reads as zeros; the write that follows copies it */
static void test_read_zero_page(void)
{
    struct pt_op op = {
        .cmd = PT_OP_READ, .len = PAGES(16), .pattern = PATTERN,
    };
    struct pt_result res;
    struct pt_chan ch;
    struct pt pt;

    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    op.dst = pt_map_anon(op.len);
    op.src = op.dst;
    pt_expect(&ch, &op, PT_ST_DONE, &res);
    CHECK_EQ(res.requests, 16, "page requests to read");
    CHECK_EQ(res.crc, pt_crc32(op.src, op.len), "CRC-32");

    op.cmd = PT_OP_WRITE;
    pt_expect(&ch, &op, PT_ST_DONE, &res);
    CHECK_EQ(res.requests, 16, "page requests to write the zero page");
    pt_check_stamp(op.dst, op.len, PATTERN);
}

static void test_copy(void)
{
    struct pt_stat stat;
    struct pt_result res;
    struct pt_chan ch;
    struct pt pt;
    struct pt_op op = { .cmd = PT_OP_COPY, .len = PAGES(128) };

    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    op.src = pt_map_file(op.len, 2, NULL);
    op.dst = pt_map_anon(op.len);
    pt_stat_begin(&pt, &stat);
    pt_expect(&ch, &op, PT_ST_DONE, &res);
    pt_stat_end(&pt, &stat, "copy", 256);
    CHECK_EQ(res.done, op.len, "bytes done");
    CHECK(res.requests > 128, "only %u page requests", res.requests);
    pt_check_equal(op.dst, op.src, op.len);
    CHECK_EQ(res.crc, pt_crc32(op.src, op.len), "CRC-32");
}

static void test_copy_unaligned(void)
{
    static const struct {
        unsigned src, dst, len;
    } cases[] = {
        { 0, 1, 4096 }, { 1, 0, 4096 }, { 4095, 1, 2 }, { 1, 4095, 8194 },
        { 123, 2048, 10000 }, { 4090, 7, 12 },
    };
    struct pt_chan ch;
    struct pt pt;
    unsigned i;

    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned char *src = pt_map_file(PAGES(5), 3 + i, NULL);
        unsigned char *dst = pt_map_anon(PAGES(5));
        struct pt_op op = {
            .cmd = PT_OP_COPY, .src = src + cases[i].src,
            .dst = dst + cases[i].dst, .len = cases[i].len,
        };

        pt_expect(&ch, &op, PT_ST_DONE, NULL);
        pt_check_zero(dst, cases[i].dst);
        pt_check_equal(op.dst, op.src, op.len);
        pt_check_zero(dst + cases[i].dst + cases[i].len,
                      PAGES(5) - cases[i].dst - cases[i].len);
    }
}

static void test_fill(void)
{
    struct pt_stat stat;
    struct pt_chan ch;
    struct pt pt;
    struct pt_op op = {
        .cmd = PT_OP_FILL, .len = PAGES(128), .pattern = PATTERN, .group = 8,
    };

    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    op.dst = pt_map_anon(op.len);
    pt_stat_begin(&pt, &stat);
    pt_expect(&ch, &op, PT_ST_DONE, NULL);
    pt_stat_end(&pt, &stat, "fill", 128);
    pt_check_fill(op.dst, op.len, PATTERN);
}

static void test_unaligned(void)
{
    static const struct {
        unsigned at, len;
    } cases[] = {
        { 0, 1 }, { 1, 1 }, { 4095, 1 }, { 4095, 2 }, { 1, 4096 },
        { 8, 4088 }, { 2047, 4098 }, { 7, 8193 }, { 123, 10000 },
        { 4093, 8197 },
    };
    struct pt_chan ch;
    struct pt pt;
    unsigned i;

    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned at = cases[i].at, len = cases[i].len;
        unsigned char *p = pt_map_anon(PAGES(4));
        struct pt_op op = {
            .cmd = PT_OP_WRITE, .dst = p + at, .len = len,
            .pattern = PATTERN,
        };
        struct pt_result res;

        pt_expect(&ch, &op, PT_ST_DONE, &res);
        CHECK_EQ(res.done, len, "bytes done");
        CHECK_EQ(res.requests, (at + len + PT_PAGE - 1) / PT_PAGE
                 - at / PT_PAGE, "page requests");
        pt_check_zero(p, at);
        pt_check_stamp(p + at, len, PATTERN);
        pt_check_zero(p + at + len, PAGES(4) - at - len);

        op.cmd = PT_OP_READ;
        op.src = p + at;
        pt_expect(&ch, &op, PT_ST_DONE, &res);
        CHECK_EQ(res.crc, pt_crc32(p + at, len), "CRC-32");
    }
}

static void test_groups(void)
{
    struct pt_stat stat;
    struct pt_chan ch;
    struct pt pt;
    unsigned group, total = 0;

    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    pt_stat_begin(&pt, &stat);
    for (group = 1; group <= 32; group++) {
        unsigned pages = 2 * group + 1;
        struct pt_op op = {
            .cmd = PT_OP_WRITE, .len = PAGES(pages), .group = group,
            .pattern = PATTERN + group,
        };
        struct pt_result res;

        op.dst = pt_map_anon(op.len);
        pt_expect(&ch, &op, PT_ST_DONE, &res);
        CHECK_EQ(res.requests, pages, "page requests");
        CHECK_EQ(res.groups, 3, "groups");
        pt_check_stamp(op.dst, op.len, op.pattern);
        total += pages;
    }
    pt_stat_end(&pt, &stat, "groups", total);
}

static void huge_write(const char *name, void *p, unsigned huge_pages)
{
    struct pt_stat stat;
    struct pt_result res;
    struct pt_chan ch;
    struct pt pt;
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .dst = p, .len = huge_pages * PT_HUGE,
        .pattern = PATTERN,
    };

    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    pt_stat_begin(&pt, &stat);
    pt_expect(&ch, &op, PT_ST_DONE, &res);
    pt_stat_end(&pt, &stat, name, huge_pages * PT_HUGE / PT_PAGE);
    CHECK_EQ(res.requests, huge_pages, "page requests, one a huge page");
    pt_check_stamp(p, op.len, PATTERN);

    op.cmd = PT_OP_READ;
    op.src = p;
    pt_expect(&ch, &op, PT_ST_DONE, &res);
    CHECK_EQ(res.crc, pt_crc32(p, op.len), "CRC-32");
}

static void test_hugetlb(void)
{
    int fd = open("/proc/sys/vm/nr_hugepages", O_WRONLY);
    void *p;

    if (fd < 0 || write(fd, "4", 1) != 1) {
        ktap_skip("no huge pages to be had: %s", strerror(errno));
    }
    close(fd);
    p = mmap(NULL, 2 * PT_HUGE, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
    if (p == MAP_FAILED) {
        ktap_skip("no huge pages to be had: %s", strerror(errno));
    }
    huge_write("hugetlb", p, 2);
}

static void test_thp(void)
{
    char *raw = mmap(NULL, 3 * PT_HUGE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *p = (char *)(((uintptr_t)raw + PT_HUGE - 1) & ~(PT_HUGE - 1));

    CHECK(raw != MAP_FAILED, "mmap: %s", strerror(errno));
    if (madvise(p, 2 * PT_HUGE, MADV_HUGEPAGE)) {
        ktap_skip("no transparent huge pages: %s", strerror(errno));
    }
    huge_write("thp", p, 2);
}

/* The device may read, but not write, what the process may only read */
static void test_read_only(void)
{
    struct pt_stat stat;
    struct pt_result res;
    struct pt_chan ch;
    struct pt pt;
    unsigned i;

    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    pt_stat_begin(&pt, &stat);
    for (i = 0; i < 2; i++) {
        unsigned char *all = pt_map_file(PAGES(4), 10 + i, NULL);
        uint32_t crc = pt_crc32(all, PAGES(4));
        struct pt_op op = {
            .cmd = PT_OP_WRITE, .dst = all, .len = PAGES(4),
            .pattern = PATTERN,
        };

        /* once never touched by the device, once read by it before */
        CHECK(!mprotect(all, PAGES(4), PROT_READ), "mprotect: %s",
              strerror(errno));
        if (i) {
            struct pt_op rd = {
                .cmd = PT_OP_READ, .src = all, .len = PAGES(4),
            };

            pt_expect(&ch, &rd, PT_ST_DONE, &res);
            CHECK_EQ(res.crc, crc, "CRC-32");
        }
        pt_expect(&ch, &op, PT_ST_INVALID_REQUEST, &res);
        CHECK_EQ(res.done, 0, "bytes done");
        CHECK_EQ(res.resp_code, 1, "response code");
        CHECK_EQ(res.err_addr, (uintptr_t)all, "address");
        CHECK_EQ(pt_crc32(all, PAGES(4)), crc, "CRC-32 after the write");
    }
    pt_stat_end(&pt, &stat, "read-only", 4 * i);
}

static void test_unmapped(void)
{
    static const uint32_t cmds[] = { PT_OP_WRITE, PT_OP_FILL, PT_OP_READ };
    struct pt_stat stat;
    struct pt_result res;
    struct pt_chan ch;
    struct pt pt;
    unsigned i;

    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    pt_stat_begin(&pt, &stat);
    for (i = 0; i < 3; i++) {
        unsigned char *p = pt_map_anon(PAGES(4));
        struct pt_op op = {
            .cmd = cmds[i], .src = p, .dst = p, .len = PAGES(4),
        };

        CHECK(!munmap(p, PAGES(4)), "munmap: %s", strerror(errno));
        pt_expect(&ch, &op, PT_ST_INVALID_REQUEST, &res);
        CHECK_EQ(res.done, 0, "bytes done");
        CHECK_EQ(res.resp_code, 1, "response code");
        CHECK_EQ(res.err_addr, (uintptr_t)p, "address");
    }
    pt_stat_end(&pt, &stat, "unmapped", 4 * i);
}

/* Nothing is written at or behind a hole; with groups of one, all before */
static void test_hole(void)
{
    unsigned groups[] = { 1, 4, 8 }, i;
    struct pt_result res;
    struct pt_chan ch;
    struct pt pt;

    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    for (i = 0; i < 3; i++) {
        unsigned char *p = pt_map_anon(PAGES(8));
        struct pt_op op = {
            .cmd = PT_OP_WRITE, .dst = p, .len = PAGES(8),
            .pattern = PATTERN, .group = groups[i],
        };

        CHECK(!munmap(p + PAGES(3), PT_PAGE), "munmap: %s", strerror(errno));
        pt_expect(&ch, &op, PT_ST_INVALID_REQUEST, &res);
        if (groups[i] == 1) {
            CHECK_EQ(res.done, PAGES(3), "bytes done");
            CHECK_EQ(res.err_addr, (uintptr_t)p + PAGES(3), "address");
        }
        CHECK(res.done <= PAGES(3), "%llu bytes done, across the hole",
              (unsigned long long)res.done);
        pt_check_stamp(p, res.done, PATTERN);
        pt_check_zero(p + res.done, PAGES(3) - res.done);
        pt_check_zero(p + PAGES(4), PAGES(4));
    }
}

static void test_prot_none(void)
{
    static const uint32_t cmds[] = { PT_OP_WRITE, PT_OP_READ };
    struct pt_result res;
    struct pt_chan ch;
    struct pt pt;
    unsigned i;

    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    for (i = 0; i < 2; i++) {
        unsigned char *p = pt_map_anon(PAGES(2));
        struct pt_op op = {
            .cmd = cmds[i], .src = p, .dst = p, .len = PAGES(2),
        };

        CHECK(!mprotect(p, PAGES(2), PROT_NONE), "mprotect: %s",
              strerror(errno));
        pt_expect(&ch, &op, PT_ST_INVALID_REQUEST, &res);
        CHECK_EQ(res.done, 0, "bytes done");
    }
}

static void test_parallel(void)
{
    struct pt_chan ch[PRI_TESTDEV_MAX_CHANNELS];
    struct pt_op op[PRI_TESTDEV_MAX_CHANNELS];
    struct pt_stat stat;
    struct pt pt;
    unsigned i, n;

    pt_open_bound(&pt, 0);
    n = pt.channels < 16 ? pt.channels : 16;
    for (i = 0; i < n; i++) {
        pt_chan(&pt, &ch[i]);
        op[i] = (struct pt_op) {
            .cmd = i % 4 == 3 ? PT_OP_FILL : PT_OP_WRITE,
            .len = PAGES(64), .group = 1 + i % 8,
            .pattern = PATTERN * (i + 1),
        };
        op[i].dst = pt_map_anon(op[i].len);
    }
    pt_stat_begin(&pt, &stat);
    for (i = 0; i < n; i++) {
        pt_start(&ch[i], &op[i]);
    }
    for (i = 0; i < n; i++) {
        uint32_t status = pt_wait(&ch[i], &op[i], PT_TIMEOUT);

        CHECK(status == PT_ST_DONE, "channel %u: %s", i,
              pt_status_name(status));
    }
    pt_stat_end(&pt, &stat, "parallel", n * 64);
    for (i = 0; i < n; i++) {
        if (op[i].cmd == PT_OP_FILL) {
            pt_check_fill(op[i].dst, op[i].len, op[i].pattern);
        } else {
            pt_check_stamp(op[i].dst, op[i].len, op[i].pattern);
        }
    }
}

/* Several channels fault on the same pages at once; all of them get through */
static void test_parallel_same_pages(void)
{
    struct pt_chan ch[8];
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .len = PAGES(64), .pattern = PATTERN, .group = 4,
    };
    struct pt pt;
    unsigned i;

    pt_open_bound(&pt, 0);
    op.dst = pt_map_anon(op.len);
    for (i = 0; i < 8; i++) {
        pt_chan(&pt, &ch[i]);
    }
    for (i = 0; i < 8; i++) {
        pt_start(&ch[i], &op);
    }
    for (i = 0; i < 8; i++) {
        uint32_t status = pt_wait(&ch[i], &op, PT_TIMEOUT);

        CHECK(status == PT_ST_DONE, "channel %u: %s", i,
              pt_status_name(status));
    }
    pt_check_stamp(op.dst, op.len, PATTERN);
}

static const struct ktap_test tests[] = {
    { "write", test_write, 0 },
    { "read", test_read, 0 },
    { "read-zero-page", test_read_zero_page, 0 },
    { "copy", test_copy, 0 },
    { "copy-unaligned", test_copy_unaligned, 0 },
    { "fill", test_fill, 0 },
    { "unaligned", test_unaligned, 0 },
    { "groups", test_groups, 0 },
    { "hugetlb", test_hugetlb, 0 },
    { "thp", test_thp, 0 },
    { "read-only", test_read_only, 0 },
    { "unmapped", test_unmapped, 0 },
    { "hole", test_hole, 0 },
    { "prot-none", test_prot_none, 0 },
    { "parallel", test_parallel, 0 },
    { "parallel-same-pages", test_parallel_same_pages, 0 },
};

KTAP_MAIN(tests)
