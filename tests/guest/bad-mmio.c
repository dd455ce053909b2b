/*
 * Garbage: every width, alignment and value to every register of BAR0, with
 * bus mastering on and a process bound.  The guest must survive it, and the
 * device must work after a reset.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pt-domain.h"
#include "sysfs.h"

#define PATTERN     0x5555aaaa3333ccccull
#define PAGES(n)    ((n) * PT_PAGE)
#define VICTIM_LEN  PAGES(64)
#define OWN_IOVA    0x600000000ull

/* A process whose memory the garbage may hit: bound, asleep */
struct victim {
    pid_t pid;
    uint32_t pasid;
    uint64_t addr;
};

struct bad {
    struct pri_testdev_info info;
    struct victim victim;
    pt_reg *bar;
    size_t len;
    uint64_t seed;
};

/*
 * Let the function reach memory of this process by a PASID: the address space,
 * or without SVA a page table of its own that maps it.  Returns where.
 */
static uint64_t reach(struct pt *pt, void *p, size_t len)
{
    pt_open(pt, 0);
    if (!pt_lacks("sva")) {
        pt_bind(pt);
        return (uintptr_t)p;
    }
    pt_domain_attach(pt, PRI_TESTDEV_DOMAIN_PASID);
    pt_domain_hold(pt, 0, PRI_TESTDEV_RESP_INVALID);
    pt_domain_map(pt, OWN_IOVA, p, len);
    return OWN_IOVA;
}

static void start_victim(struct victim *v)
{
    int pipefd[2];

    CHECK(!pipe(pipefd), "pipe: %s", strerror(errno));
    v->pid = fork();
    CHECK(v->pid >= 0, "fork: %s", strerror(errno));
    if (!v->pid) {
        struct pt pt;

        v->addr = reach(&pt, pt_map_anon(VICTIM_LEN), VICTIM_LEN);
        v->pasid = pt.pasid;
        v->pid = getpid();
        if (write(pipefd[1], v, sizeof(*v)) == sizeof(*v)) {
            pause();
        }
        _exit(KTAP_FAIL);
    }
    close(pipefd[1]);
    if (read(pipefd[0], v, sizeof(*v)) != sizeof(*v)) {
        pt_reap(v->pid, KTAP_PASS);     /* which it has not: says why */
    }
}

static void setup(struct bad *b)
{
    struct pt pt;

    memset(b, 0, sizeof(*b));
    b->seed = 1;
    pt_open(&pt, 0);
    pt_info(&pt, &b->info);
    CHECK(pt_rd32(pt.func, PT_STATE) & PT_STATE_BME, "not a bus master");
    b->bar = sysfs_bar0(b->info.pci_name, &b->len);
    pt_close(&pt);
    start_victim(&b->victim);
}

/*
 * Everything stops on demand; after a reset the device works.
 */
static void check_survived(struct bad *b)
{
    unsigned i;
    int status;
    struct pt_chan ch;
    struct pt pt;
    struct pt_op op = {
        .cmd = PT_OP_FILL, .len = PAGES(16), .pattern = PATTERN,
    };
    void *p = pt_map_anon(op.len);

    pt_wr32(b->bar, PT_CTRL, PT_CTRL_ABORT);
    for (i = 0; i < b->info.channels; i++) {
        pt_reg *regs = b->bar + PT_CHANNEL(i);
        double until = pt_now() + 5;

        while (pt_rd32(regs, PT_CH_STATUS) == PT_ST_RUNNING) {
            CHECK(pt_now() < until, "channel %u does not stop", i);
        }
    }
    sysfs_flr(b->info.pci_name);
    CHECK_EQ(pt_rd32(b->bar, PT_ID), PT_ID_MAGIC, "PT_ID");
    kill(b->victim.pid, SIGKILL);
    CHECK(waitpid(b->victim.pid, &status, 0) == b->victim.pid, "waitpid: %s",
          strerror(errno));
    CHECK(WIFSIGNALED(status), "the victim ended by itself");

    op.dst = (void *)(uintptr_t)reach(&pt, p, op.len);
    pt_chan(&pt, &ch);
    pt_expect(&ch, &op, PT_ST_DONE, NULL);
    pt_check_fill(p, op.len, PATTERN);
}

/*
 * Knobs are left alone: they are there to make the IOMMU misbehave, and some
 * would stop the guest for good.
 */
static bool is_knob(size_t off, unsigned width)
{
    return off + width > PT_RULE_REMOVE && off < PT_KNOB_NAME + 4;
}

static void poke(struct bad *b, size_t off, unsigned width, uint64_t v)
{
    pt_reg *p = b->bar + off;

    if (is_knob(off, width)) {
        return;
    }
    switch (width) {
    case 1:
        *p = v;
        break;
    case 2:
        *(volatile uint16_t *)p = v;
        break;
    case 4:
        *(volatile uint32_t *)p = v;
        break;
    default:
        *(volatile uint64_t *)p = v;
        break;
    }
}

static uint64_t peek(struct bad *b, size_t off, unsigned width)
{
    pt_reg *p = b->bar + off;

    switch (width) {
    case 1:
        return *p;
    case 2:
        return *(volatile uint16_t *)p;
    case 4:
        return *(volatile uint32_t *)p;
    default:
        return *(volatile uint64_t *)p;
    }
}

static void test_systematic(void)
{
    static const uint64_t values[] = {
        0, ~0ull, 1, 0x8000000080000000ull, 0x0000000100000002ull,
    };
    static const unsigned widths[] = { 1, 2, 4, 8 };
    struct bad b;
    size_t pages[4];
    unsigned p, w, v;
    size_t off;

    setup(&b);
    pages[0] = 0;
    pages[1] = PT_CHANNEL(0);
    pages[2] = PT_CHANNEL(b.info.channels - 1);
    pages[3] = b.len - PT_PAGE;
    for (p = 0; p < 4; p++) {
        for (w = 0; w < 4; w++) {
            for (v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
                for (off = 0; off + widths[w] <= 0x200; off++) {
                    poke(&b, pages[p] + off, widths[w], values[v]);
                    peek(&b, pages[p] + off, widths[w]);
                }
            }
            /* What is behind the registers reads as zero */
            for (off = 0x200; off < PT_PAGE; off += 61 & -widths[w]) {
                poke(&b, pages[p] + (off & -(size_t)widths[w]), widths[w],
                     ~0ull);
                CHECK_EQ(peek(&b, pages[p] + (off & -(size_t)widths[w]),
                              widths[w]), 0, "reserved register");
            }
        }
    }
    check_survived(&b);
}

static void test_random(void)
{
    struct bad b;
    unsigned i;

    setup(&b);
    for (i = 0; i < 40000; i++) {
        uint64_t r = pt_random(&b.seed);
        unsigned width = 1 << (r & 3);
        size_t off = (r >> 2) % (b.len - 8);
        uint64_t v = pt_random(&b.seed);

        /* mostly at registers */
        if (r >> 62) {
            off = (off & ~(PT_PAGE - 1)) | (off & 0xff);
        }
        if (off + width > b.len) {
            continue;
        }
        poke(&b, off, width, v >> (r >> 40 & 31));
        if (r >> 50 & 1) {
            peek(&b, off, width);
        }
    }
    check_survived(&b);
}

/* Operations that make sense up to the point where they do not */
static void test_operations(void)
{
    static const uint64_t lens[] = {
        1, 4096, 1ull << 20, 1ull << 32, 1ull << 48, 1ull << 63, ~0ull, 0,
    };
    struct bad b;
    unsigned i;

    setup(&b);
    for (i = 0; i < 1500; i++) {
        uint64_t r = pt_random(&b.seed);
        pt_reg *regs = b.bar + PT_CHANNEL(r % b.info.channels);
        uint64_t addrs[4];

        addrs[0] = b.victim.addr + (r >> 8) % VICTIM_LEN;
        addrs[1] = pt_random(&b.seed);
        addrs[2] = ~0ull - (r >> 8 & 0xffff);
        addrs[3] = r >> 8 & 0xffffffff;

        pt_wr32(regs, PT_CH_FLAGS, r >> 12 & 0x3f);
        pt_wr32(regs, PT_CH_PASID, r >> 20 & 3 ? b.victim.pasid : r >> 22);
        pt_wr64(regs, PT_CH_SRC, addrs[r >> 30 & 3]);
        pt_wr64(regs, PT_CH_DST, addrs[r >> 32 & 3]);
        pt_wr64(regs, PT_CH_LEN, lens[r >> 34 & 7]);
        pt_wr32(regs, PT_CH_GROUP, r >> 37 & 3 ? r >> 39 & 0x3f : ~0u);
        pt_wr32(regs, PT_CH_RETRIES, r >> 45 & 3);
        pt_wr32(regs, PT_CH_CMD, r >> 47 & 7);
        if (!(r >> 50 & 3)) {
            pt_wr32(regs, PT_CH_CMD, PT_OP_ABORT);
        }
        if (!(r >> 52 & 63)) {
            pt_wr32(b.bar, PT_CTRL, r >> 58 & 7);
        }
    }
    check_survived(&b);
}

/* Page Requests with any field, while the victim is bound */
static void test_raw_requests(void)
{
    struct bad b;
    unsigned i;

    setup(&b);
    for (i = 0; i < 400; i++) {
        uint64_t r = pt_random(&b.seed);

        pt_wr64(b.bar, PT_RAW_ADDR, r & 1 ? pt_random(&b.seed) :
                b.victim.addr + (r >> 8) % VICTIM_LEN);
        pt_wr32(b.bar, PT_RAW_PASID, r & 6 ?
                b.victim.pasid | PT_RAW_PASID_PRESENT : r >> 20);
        pt_wr32(b.bar, PT_RAW_FLAGS, r >> 40);
        pt_wr32(b.bar, PT_RAW_PRGI, r >> 50);
        pt_wr32(b.bar, PT_RAW_SEND, 1);
    }
    check_survived(&b);
}

static const struct ktap_test tests[] = {
    { "systematic", test_systematic, 0 },
    { "random", test_random, 0 },
    { "operations", test_operations, 0 },
    { "raw-requests", test_raw_requests, 0 },
};

KTAP_MAIN(tests)
