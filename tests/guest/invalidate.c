/*
 * What the process takes away from its address space, the device loses too:
 * its translation cache must not reach the old page.
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

#define PATTERN     0xfedcba9876543210ull
#define PAGES(n)    ((n) * PT_PAGE)

/* Each test: a device, a channel, and how many invalidations it had before */
struct fix {
    struct pt pt;
    struct pt_chan ch;
    uint64_t invalidations;
};

static void setup(struct fix *f)
{
    pt_open_bound(&f->pt, 0);
    pt_chan(&f->pt, &f->ch);
}

static void dev_write(struct fix *f, void *p, size_t len, uint64_t pattern,
                      uint32_t status)
{
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .dst = p, .len = len, .pattern = pattern,
    };

    pt_expect(&f->ch, &op, status, NULL);
}

static uint32_t dev_crc(struct fix *f, const void *p, size_t len)
{
    struct pt_op op = { .cmd = PT_OP_READ, .src = p, .len = len };
    struct pt_result res;

    pt_expect(&f->ch, &op, PT_ST_DONE, &res);
    return res.crc;
}

static void mark(struct fix *f)
{
    f->invalidations = pt_counter(&f->pt, PT_CNT_INV_REQUESTS);
}

/* The device was told, and has answered each request */
static void check_told(struct fix *f)
{
    uint64_t now = pt_counter(&f->pt, PT_CNT_INV_REQUESTS);

    CHECK(now > f->invalidations, "no Invalidate Request came");
    CHECK_EQ(pt_counter(&f->pt, PT_CNT_INV_COMPLETIONS), now,
             "Invalidate Completions");
}

/* Two mappings of a file: what is unmapped in one is still seen in the other */
static void test_munmap(void)
{
    size_t len = PAGES(16);
    struct pt_stat stat;
    struct fix f;
    void *p, *q;
    int fd;

    setup(&f);
    p = pt_map_file(len, 1, &fd);
    q = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(q != MAP_FAILED, "mmap: %s", strerror(errno));
    pt_stat_begin(&f.pt, &stat);
    dev_write(&f, p, len, PATTERN, PT_ST_DONE);
    mark(&f);
    CHECK(!munmap(p, len), "munmap: %s", strerror(errno));
    check_told(&f);
    dev_write(&f, p, len, ~PATTERN, PT_ST_INVALID_REQUEST);
    pt_stat_end(&f.pt, &stat, "munmap", 32);

    /* The stamp is of addresses in p */
    {
        void *again = mmap(p, len, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);

        CHECK(again == p, "mmap: %s", strerror(errno));
        pt_check_stamp(p, len, PATTERN);
        pt_check_equal(q, p, len);
    }
}

static void test_munmap_part(void)
{
    struct fix f;
    char *p;

    setup(&f);
    p = pt_map_anon(PAGES(16));
    dev_write(&f, p, PAGES(16), PATTERN, PT_ST_DONE);
    mark(&f);
    CHECK(!munmap(p + PAGES(5), PT_PAGE), "munmap: %s", strerror(errno));
    check_told(&f);
    dev_write(&f, p + PAGES(5), PT_PAGE, ~PATTERN, PT_ST_INVALID_REQUEST);
    pt_check_stamp(p, PAGES(5), PATTERN);
    pt_check_stamp(p + PAGES(6), PAGES(10), PATTERN);
    dev_write(&f, p, PAGES(5), ~PATTERN, PT_ST_DONE);
    dev_write(&f, p + PAGES(6), PAGES(10), ~PATTERN, PT_ST_DONE);
    pt_check_stamp(p, PAGES(5), ~PATTERN);
    pt_check_stamp(p + PAGES(6), PAGES(10), ~PATTERN);
}

static void test_mprotect(void)
{
    size_t len = PAGES(16);
    struct fix f;
    void *p;

    setup(&f);
    p = pt_map_anon(len);
    dev_write(&f, p, len, PATTERN, PT_ST_DONE);
    mark(&f);
    CHECK(!mprotect(p, len, PROT_READ), "mprotect: %s", strerror(errno));
    check_told(&f);
    dev_write(&f, p, len, ~PATTERN, PT_ST_INVALID_REQUEST);
    pt_check_stamp(p, len, PATTERN);
    CHECK_EQ(dev_crc(&f, p, len), pt_crc32(p, len), "CRC-32");

    CHECK(!mprotect(p, len, PROT_READ | PROT_WRITE), "mprotect: %s",
          strerror(errno));
    dev_write(&f, p, len, ~PATTERN, PT_ST_DONE);
    pt_check_stamp(p, len, ~PATTERN);

    mark(&f);
    CHECK(!mprotect(p, len, PROT_NONE), "mprotect: %s", strerror(errno));
    check_told(&f);
    dev_write(&f, p, len, PATTERN, PT_ST_INVALID_REQUEST);
    CHECK(!mprotect(p, len, PROT_READ), "mprotect: %s", strerror(errno));
    pt_check_stamp(p, len, ~PATTERN);
}

/* After MADV_DONTNEED the device reads zeros, and writes to new pages */
static void test_dontneed(void)
{
    size_t len = PAGES(16);
    struct fix f;
    void *p, *zeros;

    setup(&f);
    p = pt_map_anon(len);
    zeros = pt_map_anon(len);
    dev_write(&f, p, len, PATTERN, PT_ST_DONE);
    mark(&f);
    CHECK(!madvise(p, len, MADV_DONTNEED), "madvise: %s", strerror(errno));
    check_told(&f);
    CHECK_EQ(dev_crc(&f, p, len), pt_crc32(zeros, len), "CRC-32 of zeros");

    dev_write(&f, p, len, PATTERN, PT_ST_DONE);
    mark(&f);
    CHECK(!madvise(p, len, MADV_DONTNEED), "madvise: %s", strerror(errno));
    check_told(&f);
    dev_write(&f, (char *)p + 100, 8, ~PATTERN, PT_ST_DONE);
    pt_check_zero(p, 100);
    pt_check_stamp((char *)p + 100, 8, ~PATTERN);
    pt_check_zero((char *)p + 108, len - 108);
}

/* The same address, another page under it */
static void test_remap(void)
{
    size_t len = PAGES(16);
    struct fix f;
    uint32_t crc;
    void *p, *other, *got;
    int fd;

    setup(&f);
    p = pt_map_anon(len);
    other = pt_map_file(len, 2, &fd);
    crc = pt_crc32(other, len);
    dev_write(&f, p, len, PATTERN, PT_ST_DONE);
    mark(&f);
    got = mmap(p, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
    CHECK(got == p, "mmap: %s", strerror(errno));
    check_told(&f);
    CHECK_EQ(dev_crc(&f, p, len), crc, "CRC-32 of the new pages");
}

static void test_mremap(void)
{
    size_t len = PAGES(16);
    void *p, *place, *got;
    struct fix f;
    uint32_t crc;

    setup(&f);
    p = pt_map_anon(len);
    place = pt_map_anon(len);
    dev_write(&f, p, len, PATTERN, PT_ST_DONE);
    crc = pt_crc32(p, len);
    mark(&f);
    got = mremap(p, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, place);
    CHECK(got == place, "mremap: %s", strerror(errno));
    check_told(&f);
    dev_write(&f, p, len, ~PATTERN, PT_ST_INVALID_REQUEST);
    CHECK_EQ(pt_crc32(place, len), crc, "CRC-32 at the new place");
    CHECK_EQ(dev_crc(&f, place, len), crc, "CRC-32 as the device sees it");
}

/* After fork the pages are shared: the device of the parent gets copies */
static void test_fork(void)
{
    size_t len = PAGES(16);
    int go[2], status;
    struct fix f;
    pid_t child;
    char byte = 0;
    void *p;

    setup(&f);
    p = pt_map_anon(len);
    dev_write(&f, p, len, PATTERN, PT_ST_DONE);
    CHECK(!pipe(go), "pipe: %s", strerror(errno));
    mark(&f);
    child = fork();
    CHECK(child >= 0, "fork: %s", strerror(errno));
    if (!child) {
        status = read(go[0], &byte, 1);
        CHECK(status == 1, "pipe: %s", strerror(errno));
        pt_check_stamp(p, len, PATTERN);
        _exit(KTAP_PASS);
    }
    check_told(&f);
    dev_write(&f, p, len, ~PATTERN, PT_ST_DONE);
    CHECK(write(go[1], &byte, 1) == 1, "pipe: %s", strerror(errno));
    pt_reap(child, KTAP_PASS);
    pt_check_stamp(p, len, ~PATTERN);
}

/* Pages behind the end of a file are gone, though the mapping is there */
static void test_truncate(void)
{
    size_t len = PAGES(16);
    struct fix f;
    char *p;
    int fd;

    setup(&f);
    p = pt_map_file(len, 3, &fd);
    dev_write(&f, p, len, PATTERN, PT_ST_DONE);
    mark(&f);
    CHECK(!ftruncate(fd, PAGES(4)), "ftruncate: %s", strerror(errno));
    check_told(&f);
    dev_write(&f, p + PAGES(4), PT_PAGE, ~PATTERN, PT_ST_INVALID_REQUEST);
    CHECK(!ftruncate(fd, len), "ftruncate: %s", strerror(errno));
    pt_check_stamp(p, PAGES(4), PATTERN);
    pt_check_zero(p + PAGES(4), len - PAGES(4));
}

static void test_punch_hole(void)
{
    size_t len = PAGES(16);
    struct fix f;
    char *p;
    int fd;

    setup(&f);
    p = pt_map_file(len, 4, &fd);
    dev_write(&f, p, len, PATTERN, PT_ST_DONE);
    mark(&f);
    CHECK(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGES(4),
                     PAGES(2)), "fallocate: %s", strerror(errno));
    check_told(&f);
    dev_write(&f, p + PAGES(4), 8, ~PATTERN, PT_ST_DONE);
    pt_check_stamp(p, PAGES(4), PATTERN);
    pt_check_stamp(p + PAGES(4), 8, ~PATTERN);
    pt_check_zero(p + PAGES(4) + 8, PAGES(2) - 8);
    pt_check_stamp(p + PAGES(6), PAGES(10), PATTERN);
}

/* One huge page: splitting it off takes away only what was unmapped */
static void test_huge_split(void)
{
    char *raw = mmap(NULL, 2 * PT_HUGE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *p = (char *)(((uintptr_t)raw + PT_HUGE - 1) & ~(PT_HUGE - 1));
    struct fix f;

    CHECK(raw != MAP_FAILED, "mmap: %s", strerror(errno));
    if (madvise(p, PT_HUGE, MADV_HUGEPAGE)) {
        ktap_skip("no transparent huge pages: %s", strerror(errno));
    }
    setup(&f);
    dev_write(&f, p, PT_HUGE, PATTERN, PT_ST_DONE);
    mark(&f);
    CHECK(!munmap(p + PAGES(100), PT_PAGE), "munmap: %s", strerror(errno));
    check_told(&f);
    dev_write(&f, p + PAGES(100), 8, ~PATTERN, PT_ST_INVALID_REQUEST);
    dev_write(&f, p + PAGES(99), PT_PAGE, ~PATTERN, PT_ST_DONE);
    dev_write(&f, p + PAGES(101), PT_PAGE, ~PATTERN, PT_ST_DONE);
    pt_check_stamp(p, PAGES(99), PATTERN);
    pt_check_stamp(p + PAGES(99), PT_PAGE, ~PATTERN);
    pt_check_stamp(p + PAGES(101), PT_PAGE, ~PATTERN);
    pt_check_stamp(p + PAGES(102), PT_HUGE - PAGES(102), PATTERN);
}

/*
 * The device is at work while pages go away under it.  Whatever it meets, the
 * operation ends, with an answer that fits, and the file shows no byte that
 * was written after the mapping had gone.
 */
static void test_munmap_in_flight(void)
{
    size_t len = PAGES(512);
    struct fix f;
    unsigned i, in_flight = 0;

    setup(&f);
    for (i = 0; i < 16; i++) {
        struct pt_op op = {
            .cmd = PT_OP_WRITE, .len = len, .pattern = PATTERN,
            .group = 1 + i % 8,
        };
        struct pt_result res;
        uint32_t status;
        uint32_t crc;
        char *p;
        int fd;

        p = pt_map_file(len, 5 + i, &fd);
        op.dst = p;
        pt_start(&f.ch, &op);
        while (pt_rd64(f.ch.regs, PT_CH_DONE) < PAGES(4 + i)) {
            continue;
        }
        CHECK(!munmap(p, len), "munmap: %s", strerror(errno));
        p = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
        CHECK(p != MAP_FAILED, "mmap: %s", strerror(errno));
        crc = pt_crc32(p, len);
        status = pt_wait(&f.ch, &op, PT_TIMEOUT);
        pt_result(&f.ch, &res);
        CHECK(status == PT_ST_INVALID_REQUEST || status == PT_ST_DONE,
              "ended with %s", pt_status_name(status));
        CHECK(status == PT_ST_DONE || res.done < len, "all done and invalid");
        in_flight += status == PT_ST_INVALID_REQUEST;
        CHECK_EQ(pt_crc32(p, len), crc, "CRC-32 of the file at the end");
        munmap(p, len);
        close(fd);
    }
    CHECK(in_flight, "the device was faster each time");
}

/* Pages come and go all the time under several channels */
static void test_churn(void)
{
    size_t len = PAGES(64);
    struct pt_chan ch[4];
    struct pt_op op[4];
    struct pt_stat stat;
    struct pt pt;
    unsigned i, round;

    pt_open_bound(&pt, 0);
    for (i = 0; i < 4; i++) {
        pt_chan(&pt, &ch[i]);
        op[i] = (struct pt_op) {
            .cmd = PT_OP_WRITE, .len = len, .group = 1 << i,
        };
        op[i].dst = pt_map_anon(len);
    }
    pt_stat_begin(&pt, &stat);
    for (round = 0; round < 8; round++) {
        for (i = 0; i < 4; i++) {
            op[i].pattern = PATTERN + round * 4 + i;
            pt_start(&ch[i], &op[i]);
        }
        for (i = 0; i < 32; i++) {
            CHECK(!madvise((char *)op[i % 4].dst + PAGES(i), PAGES(8),
                           MADV_DONTNEED), "madvise: %s", strerror(errno));
        }
        for (i = 0; i < 4; i++) {
            uint32_t status = pt_wait(&ch[i], &op[i], PT_TIMEOUT);

            CHECK(status == PT_ST_DONE, "channel %u: %s", i,
                  pt_status_name(status));
            /* The madvise calls ended before this run: nothing is lost */
            pt_expect(&ch[i], &op[i], PT_ST_DONE, NULL);
            pt_check_stamp(op[i].dst, len, op[i].pattern);
        }
    }
    pt_stat_end(&pt, &stat, "churn", 8 * 4 * 64 * 2);
}

static const struct ktap_test tests[] = {
    { "munmap", test_munmap, 0 },
    { "munmap-part", test_munmap_part, 0 },
    { "mprotect", test_mprotect, 0 },
    { "dontneed", test_dontneed, 0 },
    { "remap", test_remap, 0 },
    { "mremap", test_mremap, 0 },
    { "fork", test_fork, 0 },
    { "truncate", test_truncate, 0 },
    { "punch-hole", test_punch_hole, 0 },
    { "huge-split", test_huge_split, 0 },
    { "munmap-in-flight", test_munmap_in_flight, 0 },
    { "churn", test_churn, 0 },
};

KTAP_MAIN(tests)
