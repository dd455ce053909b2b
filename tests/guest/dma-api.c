/*
 * Memory that the DMA API maps: what is unmapped is out of reach when the call
 * returns, whatever the device is doing
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pt.h"
#include "sysfs.h"

#include "hw/misc/pri-testdev-knobs.h"

#define PATTERN     0x55aa33cc0ff00ff0ull
#define PAGES(n)    ((n) * PT_PAGE)

static uint64_t dma_map(struct pt *pt, void *addr, size_t len)
{
    struct pri_testdev_map req = {
        .addr = (uintptr_t)addr, .len = len,
        .prot = PRI_TESTDEV_READ | PRI_TESTDEV_WRITE,
    };

    CHECK(!ioctl(pt->fd, PRI_TESTDEV_IOC_DMA_MAP, &req), "map: %s",
          strerror(errno));
    return req.iova;
}

static void dma_unmap(struct pt *pt, uint64_t iova, size_t len)
{
    struct pri_testdev_map req = { .iova = iova, .len = len };

    CHECK(!ioctl(pt->fd, PRI_TESTDEV_IOC_DMA_UNMAP, &req), "unmap: %s",
          strerror(errno));
}

/* Write through ATS, or without; the bytes arrive, the device asks no pages */
static void transfer(uint32_t flags)
{
    struct pt_op op = {
        .cmd = PT_OP_FILL, .len = PAGES(40), .pattern = PATTERN,
        .flags = flags,
    };
    struct pt_result res;
    struct pt_chan ch;
    uint64_t iova, translations, errors;
    struct pt pt;
    uint8_t *p = pt_map_anon(op.len);

    pt_open(&pt, 0);
    pt_chan(&pt, &ch);
    iova = dma_map(&pt, p, op.len);
    op.dst = (void *)iova;
    translations = pt_counter(&pt, PT_CNT_TRANSLATIONS);
    pt_expect(&ch, &op, PT_ST_DONE, &res);
    CHECK_EQ(res.requests, 0, "page requests");
    CHECK((pt_counter(&pt, PT_CNT_TRANSLATIONS) != translations) ==
          !(flags & PT_FLAG_UNTRANSLATED), "translations");
    pt_check_fill(p, op.len, PATTERN);

    /* Half a page, somewhere in the middle */
    op.dst = (void *)(iova + PAGES(3) + 512);
    op.len = 2048;
    op.pattern = ~PATTERN;
    pt_expect(&ch, &op, PT_ST_DONE, NULL);
    pt_check_fill(p + PAGES(3) + 512, 2048, ~PATTERN);
    pt_check_fill(p, PAGES(3) + 512, PATTERN);
    pt_check_fill(p + PAGES(3) + 2560, PAGES(36) + 1536, PATTERN);

    dma_unmap(&pt, iova, PAGES(40));
    op.pattern = 0;
    /* of a write that is posted only the counter tells that it failed */
    errors = pt_counter(&pt, PT_CNT_DMA_ERRORS);
    CHECK(pt_run(&ch, &op, &res) != PT_ST_DONE ||
          pt_counter(&pt, PT_CNT_DMA_ERRORS) != errors,
          "reaches what is unmapped");
    pt_check_fill(p + PAGES(3) + 512, 2048, ~PATTERN);
}

static void test_ats(void)
{
    transfer(0);
}

static void test_untranslated(void)
{
    transfer(PT_FLAG_UNTRANSLATED);
}

/*
 * A channel fills 64 pages with zeros, over and over.  When unmap has returned
 * the process fills them with ones.  Returns how many of `rounds` times the
 * device wrote after that, and how often it was at work when unmap was called.
 */
static unsigned writes_after_unmap(struct pt *pt, struct pt_chan *ch,
                                   uint32_t flags, unsigned rounds,
                                   unsigned *running)
{
    struct pt_op op = {
        .cmd = PT_OP_FILL, .flags = flags | PT_FLAG_NO_PRI, .no_irq = true,
    };
    size_t len = PAGES(64), k;
    unsigned i, late = 0;
    uint8_t *p = pt_map_anon(len);

    *running = 0;
    for (i = 0; i < rounds; i++) {
        uint64_t iova = dma_map(pt, p, len);

        memset(p, 0x11, len);
        op.dst = (void *)iova;
        op.len = len;
        /* until the first operation is through the cache is filling */
        pt_start(ch, &op);
        pt_wait(ch, &op, PT_TIMEOUT);
        op.len = len;
        pt_start(ch, &op);
        *running += pt_rd32(ch->regs, PT_CH_STATUS) == PT_ST_RUNNING;
        dma_unmap(pt, iova, len);
        memset(p, 0xff, len);
        pt_wait(ch, &op, PT_TIMEOUT);
        /* the device may have been through; now it must not get there */
        pt_start(ch, &op);
        CHECK(pt_wait(ch, &op, PT_TIMEOUT) != PT_ST_RUNNING, "hangs");
        for (k = 0; k < len && p[k] == 0xff; k++) {
            continue;
        }
        late += k < len;
    }
    return late;
}

static void loop(uint32_t flags)
{
    unsigned running, late;
    struct pt_chan ch;
    struct pt pt;

    pt_open(&pt, 0);
    pt_chan(&pt, &ch);
    late = writes_after_unmap(&pt, &ch, flags, 100, &running);
    ktap_note("%u of 100 unmaps came while the device wrote", running);
    CHECK(running, "no unmap came while the device wrote");
    CHECK_EQ(late, 0, "writes after unmap");
    CHECK_EQ(pt_counter(&pt, PT_CNT_VIOLATIONS), 0, "violations");
}

static void test_loop(void)
{
    loop(0);
}

static void test_loop_untranslated(void)
{
    loop(PT_FLAG_UNTRANSLATED);
}

/* The control: with a cache that keeps what it is told to drop it shows */
static void test_leak_shows(void)
{
    unsigned running, late;
    struct pt_chan ch;
    struct pt pt;
    int status;
    pid_t child = fork();

    CHECK(child >= 0, "fork: %s", strerror(errno));
    if (!child) {
        pt_open(&pt, 0);
        pt_chan(&pt, &ch);
        pt_knob(&pt, PT_KNOB_ATC_LEAK, 1);
        late = writes_after_unmap(&pt, &ch, 0, 8, &running);
        CHECK(late >= 7, "only %u of 8 leaks seen", late);
        _exit(KTAP_PASS);
    }
    pt_open(&pt, 0);
    pt_chan(&pt, &ch);
    waitpid(child, &status, 0);
    /* whatever became of the child */
    pt_knob(&pt, PT_KNOB_ATC_LEAK, 0);
    CHECK(!status, "the child ended with 0x%x", status);
    pt_wr32(pt.func, PT_CTRL, PT_CTRL_FLUSH_ATC);
    CHECK_EQ(writes_after_unmap(&pt, &ch, 0, 4, &running), 0,
             "writes after unmap");
}

static void test_refusals(void)
{
    struct pri_testdev_map req = { .len = PT_PAGE, .prot = 3 };
    struct pt pt;
    uint32_t flags = 2;

    pt_open(&pt, 0);
    req.addr = PT_PAGE;
    CHECK(ioctl(pt.fd, PRI_TESTDEV_IOC_DMA_MAP, &req) && errno == EFAULT,
          "map of nothing: %s", strerror(errno));
    req.addr = (uintptr_t)pt_map_anon(PT_PAGE) + 1;
    CHECK(ioctl(pt.fd, PRI_TESTDEV_IOC_DMA_MAP, &req) && errno == EINVAL,
          "map of an odd address: %s", strerror(errno));
    CHECK(ioctl(pt.fd, PRI_TESTDEV_IOC_DMA_UNMAP, &req) && errno == ENOENT,
          "unmap of nothing: %s", strerror(errno));
    CHECK(ioctl(pt.fd, PRI_TESTDEV_IOC_RESET, &flags) && errno == EINVAL,
          "reset: %s", strerror(errno));
}

/* A mapping lasts over a reset, and goes with its file */
static void test_reset(void)
{
    struct pt_op op = {
        .cmd = PT_OP_FILL, .len = PAGES(4), .pattern = PATTERN,
    };
    struct pri_testdev_info info;
    uint32_t flags = 0, resets;
    struct pt_chan ch;
    struct pt pt;
    void *p = pt_map_anon(op.len);

    pt_open(&pt, 0);
    pt_chan(&pt, &ch);
    op.dst = (void *)dma_map(&pt, p, op.len);
    pt_info(&pt, &info);
    resets = info.resets;
    CHECK(!ioctl(pt.fd, PRI_TESTDEV_IOC_RESET, &flags), "reset: %s",
          strerror(errno));
    flags = PRI_TESTDEV_RESET_TRY;
    CHECK(!ioctl(pt.fd, PRI_TESTDEV_IOC_RESET, &flags), "reset: %s",
          strerror(errno));
    pt_info(&pt, &info);
    CHECK_EQ(info.resets, resets + 2, "resets");
    pt_expect(&ch, &op, PT_ST_DONE, NULL);
    pt_check_fill(p, op.len, PATTERN);

    munmap((void *)ch.regs, PT_PAGE);
    pt_close(&pt);
    pt_open(&pt, 0);
    pt_chan(&pt, &ch);
    op.pattern = ~PATTERN;
    CHECK(pt_run(&ch, &op, NULL) != PT_ST_DONE, "the mapping is still there");
    pt_check_fill(p, op.len, PATTERN);
}

/* The driver leaves while something is mapped and the device writes there */
static void test_unbind(void)
{
    struct pt_op op = {
        .cmd = PT_OP_FILL, .len = 32ull << 20, .pattern = 0, .no_irq = true,
    };
    struct pri_testdev_info info;
    struct pt_chan ch;
    struct pt pt;
    uint8_t *p = pt_map_anon(op.len);

    pt_open(&pt, 0);
    pt_info(&pt, &info);
    pt_chan(&pt, &ch);
    op.dst = (void *)dma_map(&pt, p, op.len);
    pt_start(&ch, &op);
    sysfs_unbind(info.pci_name);
    memset(p, 0xff, op.len);
    munmap((void *)ch.regs, PT_PAGE);
    pt_close(&pt);
    pt_sleep_ms(100);
    pt_check_fill(p, op.len, -1ull);
    sysfs_bind(info.pci_name);
    CHECK_EQ(sysfs_wait_node(info.pci_name), 0, "number of the node");
    pt_open(&pt, 0);
    dma_unmap(&pt, dma_map(&pt, p, op.len), op.len);
}

static const struct ktap_test tests[] = {
    { "ats", test_ats, 0 },
    { "untranslated", test_untranslated, 0 },
    { "loop", test_loop, 0 },
    { "loop-untranslated", test_loop_untranslated, 0 },
    { "leak-shows", test_leak_shows, 0 },
    { "refusals", test_refusals, 0 },
    { "reset", test_reset, 0 },
    { "unbind", test_unbind, 0 },
};

KTAP_MAIN(tests)
