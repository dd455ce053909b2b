/*
 * Scatter lists in the address space of a process: the list itself, and every
 * page that it names, come in by page requests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pt.h"

#define PATTERN     0x0f1e2d3c4b5a6978ull
#define ENTRIES     512             /* two pages of them */
#define PAGES(n)    ((n) * PT_PAGE)

/* A list in a file that this process has not looked at since it wrote it */
static struct pt_entry *cold_list(const struct pt_entry *entries, unsigned n)
{
    size_t len = n * sizeof(*entries);
    int fd = memfd_create("list", 0);
    void *list;

    CHECK(fd >= 0, "memfd_create failed");
    CHECK(write(fd, entries, len) == (ssize_t)len, "short write");
    list = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(list != MAP_FAILED, "mmap failed");
    close(fd);
    return list;
}

/* Entry i: a few bytes of page i of `base`, at a place that differs */
static void fill_list(struct pt_entry *entries, uint8_t *base)
{
    for (unsigned i = 0; i < ENTRIES; i++) {
        entries[i].addr = (uintptr_t)base + PAGES(i) + i * 7 % 4000;
        entries[i].len = 1 + i % 96;
        entries[i].flags = i == ENTRIES - 1 ? PT_LIST_LAST : 0;
    }
}

static uint64_t total(const struct pt_entry *entries)
{
    uint64_t len = 0;

    for (unsigned i = 0; i < ENTRIES; i++) {
        len += entries[i].len;
    }
    return len;
}

static void test_scatter(void)
{
    static struct pt_entry entries[ENTRIES];
    uint8_t *base = pt_map_anon(PAGES(ENTRIES));
    struct pt_stat stat;
    struct pt_result res;
    struct pt_chan ch;
    struct pt pt;
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_SCATTER, .pattern = PATTERN,
        .list_len = ENTRIES,
    };

    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    fill_list(entries, base);
    op.list = cold_list(entries, ENTRIES);
    pt_stat_begin(&pt, &stat);
    pt_expect(&ch, &op, PT_ST_DONE, &res);
    pt_stat_end(&pt, &stat, "scatter", ENTRIES);
    CHECK_EQ(res.done, total(entries), "bytes done");
    CHECK(res.requests > ENTRIES, "%u page requests: none for the list",
          res.requests);
    for (unsigned i = 0; i < ENTRIES; i++) {
        uint8_t *page = base + PAGES(i);
        uint8_t *at = (uint8_t *)(uintptr_t)entries[i].addr;
        uint8_t *end = at + entries[i].len;

        pt_check_zero(page, at - page);
        pt_check_stamp(at, entries[i].len, PATTERN);
        if (end < page + PT_PAGE) {
            pt_check_zero(end, page + PT_PAGE - end);
        }
    }
}

/* From pages of a file into one range: the bytes in their order */
static void test_gather(void)
{
    static struct pt_entry entries[ENTRIES];
    uint8_t *base = pt_map_file(PAGES(ENTRIES), 7, NULL);
    uint8_t *flat, *due;
    struct pt_result res;
    struct pt_chan ch;
    struct pt pt;
    struct pt_op op = {
        .cmd = PT_OP_COPY, .flags = PT_FLAG_GATHER, .list_len = ENTRIES,
        .group = 8,
    };
    size_t len, n = 0;

    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    fill_list(entries, base);
    len = total(entries);
    flat = pt_map_anon(len);
    op.list = cold_list(entries, ENTRIES);
    op.dst = flat;
    pt_expect(&ch, &op, PT_ST_DONE, &res);
    CHECK_EQ(res.done, len, "bytes done");
    due = malloc(len);
    CHECK(due, "no memory");
    for (unsigned i = 0; i < ENTRIES; i++) {
        memcpy(due + n, (void *)(uintptr_t)entries[i].addr, entries[i].len);
        n += entries[i].len;
    }
    pt_check_equal(flat, due, len);
    CHECK_EQ(res.crc, pt_crc32(due, len), "CRC-32");
    free(due);
}

/* A page in the middle that must not be written: refused, the rest untouched */
static void test_refused(void)
{
    static struct pt_entry entries[ENTRIES];
    uint8_t *base = pt_map_anon(PAGES(ENTRIES));
    struct pt_result res;
    struct pt_chan ch;
    struct pt pt;
    struct pt_op op = {
        .cmd = PT_OP_FILL, .flags = PT_FLAG_SCATTER, .pattern = PATTERN,
        .list_len = ENTRIES,
    };

    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    fill_list(entries, base);
    op.list = cold_list(entries, ENTRIES);
    CHECK(!mprotect(base + PAGES(100), PT_PAGE, PROT_READ), "mprotect failed");
    pt_expect(&ch, &op, PT_ST_INVALID_REQUEST, &res);
    CHECK_EQ(res.err_addr, (uintptr_t)base + PAGES(100), "address");
    CHECK_EQ(pt_rd32(ch.regs, PT_CH_LIST_DONE), 100, "entries done");
    pt_check_fill((void *)(uintptr_t)entries[99].addr, entries[99].len,
                  PATTERN);
    pt_check_zero(base + PAGES(100), PAGES(2));
}

/* A list that is not there at all, and one that ends in a hole */
static void test_no_list(void)
{
    static struct pt_entry entries[ENTRIES];
    uint8_t *base = pt_map_anon(PAGES(ENTRIES));
    struct pt_entry *list;
    struct pt_result res;
    struct pt_chan ch;
    struct pt pt;
    struct pt_op op = {
        .cmd = PT_OP_FILL, .flags = PT_FLAG_SCATTER, .pattern = PATTERN,
        .list_len = ENTRIES,
    };

    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    fill_list(entries, base);
    list = cold_list(entries, ENTRIES);
    op.list = list;
    munmap((uint8_t *)list + PT_PAGE, PT_PAGE);
    pt_expect(&ch, &op, PT_ST_INVALID_REQUEST, &res);
    CHECK_EQ(res.err_addr, (uintptr_t)list + PT_PAGE, "address");
    CHECK_EQ(pt_rd32(ch.regs, PT_CH_LIST_DONE), PT_PAGE / sizeof(*list),
             "entries done");
    munmap(list, PT_PAGE);
    pt_expect(&ch, &op, PT_ST_INVALID_REQUEST, &res);
    CHECK_EQ(res.err_addr, (uintptr_t)list, "address");
    CHECK_EQ(res.done, 0, "bytes done");
}

/* The process rewrites its list while the device is at work on it */
static void test_rewritten(void)
{
    struct pt_entry *list = pt_map_anon(PAGES(2));
    uint8_t *base = pt_map_anon(PAGES(ENTRIES + 1));
    uint64_t seed = 3;
    struct pt_chan ch;
    struct pt pt;
    struct pt_op op = {
        .cmd = PT_OP_FILL, .flags = PT_FLAG_SCATTER, .pattern = PATTERN,
        .list = list, .list_len = ENTRIES, .no_irq = true,
    };

    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    fill_list(list, base);
    for (unsigned round = 0; round < 4; round++) {
        uint32_t status;

        pt_start(&ch, &op);
        do {
            unsigned i = pt_random(&seed) % ENTRIES;
            struct pt_entry entry = {
                .addr = (uintptr_t)base + PAGES(pt_random(&seed) % ENTRIES),
                .len = 1 + pt_random(&seed) % PT_PAGE,
            };

            /* in whatever order the device sees the halves of it */
            list[i] = entry;
            status = pt_wait(&ch, &op, 1);
        } while (status == PT_ST_RUNNING);
        CHECK(status == PT_ST_DONE, "ended with %s", pt_status_name(status));
    }
}

static const struct ktap_test tests[] = {
    { "scatter", test_scatter, 0 },
    { "gather", test_gather, 0 },
    { "refused", test_refused, 0 },
    { "no-list", test_no_list, 0 },
    { "rewritten", test_rewritten, 0 },
};

KTAP_MAIN(tests)
