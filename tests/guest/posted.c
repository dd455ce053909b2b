/*
 * Writes of the device that are on their way when memory is unmapped
 *
 * An Invalidate Completion pushes them (PCIe 6.2 10.3.3), so that the page is
 * written before it is free.  A device that breaks this writes to a page that
 * has another owner by then; or it needs a second invalidation, which Linux
 * sends to devices that it knows (dev_needs_extra_dtlb_flush()).
 *
 * Interrupts and reads of registers push writes as well, so they are told not
 * to, or there are none.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "hw/misc/pri-testdev-knobs.h"
#include "pt.h"

#define PATTERN     0x6b5a49382716f5e4ull
#define FILL        0x3c
#define POOL        (512 * PT_PAGE)     /* one table of the last level */

/* Values of knobs */
#define LAND        0                   /* dma-do */
#define HOLD        1
#define PUSH        0                   /* inv-push */
#define LATE        1
#define PASS        2
#define NO          1                   /* read-push */

struct fix {
    struct pt pt;
    struct pt_chan ch;
    uint64_t overtaken;
};

/* What is freed is allocated next, on the same CPU */
static void stay_on_one_cpu(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(0, &set);
    CHECK(!sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity: %s",
          strerror(errno));
}

/*
 * Every invalidation pushes what is held, also one that somebody else asks for:
 * khugepaged, of an address space whose pages it puts together (EINVAL: there
 * is none)
 */
static void leave_pages_alone(void)
{
    CHECK(!prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) || errno == EINVAL,
          "PR_SET_THP_DISABLE: %s", strerror(errno));
}

static void setup(struct fix *f, unsigned inv_push)
{
    stay_on_one_cpu();
    leave_pages_alone();
    pt_open_bound(&f->pt, 0);
    pt_chan(&f->pt, &f->ch);
    pt_knob(&f->pt, PT_KNOB_DMA_DO, HOLD);
    pt_knob(&f->pt, PT_KNOB_INV_PUSH, inv_push);
    pt_knob(&f->pt, PT_KNOB_READ_PUSH, NO);
    f->overtaken = pt_counter(&f->pt, PT_CNT_OVERTAKEN);
}

static void teardown(struct fix *f)
{
    pt_knob(&f->pt, PT_KNOB_DMA_RELEASE, UINT32_MAX);
    pt_knob(&f->pt, PT_KNOB_DMA_DO, LAND);
    pt_knob(&f->pt, PT_KNOB_INV_PUSH, PUSH);
    pt_knob(&f->pt, PT_KNOB_READ_PUSH, 0);
}

static unsigned waiting(struct fix *f)
{
    return pt_rd32(f->pt.func, PT_DMA_WAITING);
}

static uint64_t overtaken(struct fix *f)
{
    return pt_counter(&f->pt, PT_CNT_OVERTAKEN) - f->overtaken;
}

/* A write of 8 bytes that is done, as far as the device is concerned */
static void post(struct fix *f, void *page)
{
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .dst = page, .len = 8, .pattern = PATTERN,
        .no_irq = true,
    };
    uint64_t requests = pt_counter(&f->pt, PT_CNT_INV_REQUESTS);

    /* allocated by this CPU, on whose lists nothing but this is then */
    memset(page, 0, 8);
    pt_expect(&f->ch, &op, PT_ST_DONE, NULL);
    CHECK(waiting(f) == 1, "%u writes on their way, %u invalidations meanwhile",
          waiting(f), (unsigned)(pt_counter(&f->pt, PT_CNT_INV_REQUESTS) -
                                 requests));
    pt_check_zero(page, 8);
}

static bool is_stamped(const void *memory, const void *page)
{
    unsigned char want[8];

    for (unsigned i = 0; i < sizeof(want); i++) {
        want[i] = PT_STAMP_BYTE(PATTERN, (uintptr_t)page + i);
    }
    return !memcmp(memory, want, sizeof(want));
}

/* Memory that nobody has touched but for its first page; tables are there */
static char *pool_map(void)
{
    char *pool = mmap(NULL, 2 * POOL, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(pool != MAP_FAILED, "mmap: %s", strerror(errno));
    pool = (char *)(((uintptr_t)pool + POOL - 1) & ~(POOL - 1));
    CHECK(!madvise(pool, POOL, MADV_NOHUGEPAGE), "madvise: %s",
          strerror(errno));
    memset(pool, FILL, PT_PAGE);
    return pool;
}

/*
 * Words of 8 bytes of the pool that are not what its owner has written.  Not
 * bytes: those of a stamp depend on its address, and one in 256 is FILL.
 */
static unsigned pool_changed(const char *pool, size_t *where)
{
    char owner[8];
    unsigned n = 0;

    memset(owner, FILL, sizeof(owner));
    for (size_t i = 0; i < POOL; i += sizeof(owner)) {
        if (memcmp(pool + i, owner, sizeof(owner))) {
            *where = n ? *where : i;
            n++;
        }
    }
    return n;
}

/* The page is written when munmap() is back, and not after that */
static void test_pushed(void)
{
    size_t where = 0;
    struct fix f;
    char *p, *pool;

    setup(&f, PUSH);
    pool = pool_map();
    p = pt_map_anon(PT_PAGE);
    post(&f, p);
    CHECK(!munmap(p, PT_PAGE), "munmap: %s", strerror(errno));
    CHECK_EQ(waiting(&f), 0, "writes on their way after munmap()");
    CHECK_EQ(overtaken(&f), 0, "writes that a completion has overtaken");
    memset(pool, FILL, POOL);
    pt_knob(&f.pt, PT_KNOB_DMA_RELEASE, UINT32_MAX);
    CHECK_EQ(pool_changed(pool, &where), 0, "words that have changed");
    teardown(&f);
}

/* The same where it can be seen that the data have arrived */
static void test_pushed_file(void)
{
    struct fix f;
    char *p, *q;
    int fd;

    setup(&f, PUSH);
    p = pt_map_file(PT_PAGE, 1, &fd);
    memset(p, 0, PT_PAGE);
    q = mmap(NULL, PT_PAGE, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(q != MAP_FAILED, "mmap: %s", strerror(errno));
    post(&f, p);
    CHECK(!is_stamped(q, p), "written already");
    CHECK(!munmap(p, PT_PAGE), "munmap: %s", strerror(errno));
    CHECK(is_stamped(q, p), "not written after munmap()");
    CHECK_EQ(waiting(&f), 0, "writes on their way");
    teardown(&f);
}

/* A device that breaks the rule writes to memory that is somebody else's */
static void free_and_release(struct fix *f)
{
    char *p = pt_map_anon(PT_PAGE), *pool = pool_map();
    size_t where = 0;
    unsigned n;

    post(f, p);
    CHECK(!munmap(p, PT_PAGE), "munmap: %s", strerror(errno));
    memset(pool, FILL, POOL);
    CHECK_EQ(waiting(f), 1, "writes on their way after munmap()");
    CHECK_EQ(overtaken(f), 1, "writes that a completion has overtaken");
    CHECK_EQ(pool_changed(pool, &where), 0, "words that have changed");
    pt_knob(&f->pt, PT_KNOB_DMA_RELEASE, 1);
    n = pool_changed(pool, &where);
    CHECK_EQ(n, 1, "words that the device has changed");
    CHECK(is_stamped(pool + where, p), "changed by somebody else");
    ktap_note("page %llu of memory that the device was never given: 8 bytes",
              where / PT_PAGE);
}

static void test_overtaken(void)
{
    struct fix f;

    setup(&f, PASS);
    free_and_release(&f);
    teardown(&f);
}

/* One that needs a second invalidation, which Linux does not know of it */
static void test_second_flush(void)
{
    struct fix f;
    char *p, *other;

    setup(&f, LATE);
    free_and_release(&f);

    /* a second one pushes: here that of another page */
    p = pt_map_anon(PT_PAGE);
    other = pt_map_anon(PT_PAGE);
    memset(other, 1, PT_PAGE);
    post(&f, p);
    CHECK(!munmap(p, PT_PAGE), "munmap: %s", strerror(errno));
    CHECK_EQ(waiting(&f), 1, "writes on their way after munmap()");
    CHECK(!munmap(other, PT_PAGE), "munmap: %s", strerror(errno));
    CHECK_EQ(waiting(&f), 0, "writes on their way after a second one");
    teardown(&f);
}

static const struct ktap_test tests[] = {
    { "pushed", test_pushed, 0 },
    { "pushed-file", test_pushed_file, 0 },
    { "overtaken", test_overtaken, 0 },
    { "second-flush", test_second_flush, 0 },
};

KTAP_MAIN(tests)
