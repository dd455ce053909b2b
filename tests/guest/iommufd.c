/*
 * Page requests handled by user space alone: vfio-pci, and fault queues of
 * iommufd
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "iofd.h"

#define PATTERN     0x1fe2d3c4b5a69788ull
#define IOVA        0x600000000ull
#define PAGES(n)    ((n) * PT_PAGE)
#define PASID       5u
#define CHANNELS    4u

/* The device, a page table with a fault queue, channels that fill pages */
struct dev {
    struct iofd io;
    struct iofd_pt pt;
    uint32_t pasid;
    struct pt_chan ch[CHANNELS];
    struct pt_op op[CHANNELS];
};

static void dev_open(struct dev *dev, uint32_t pasid)
{
    unsigned i;

    memset(dev, 0, sizeof(*dev));
    iofd_open(&dev->io);
    iofd_pt_alloc(&dev->io, &dev->pt, true);
    iofd_attach(&dev->io, dev->pt.hwpt, pasid);
    dev->pasid = pasid;
    dev->io.pt.bound = pasid != IOFD_NO_PASID;
    dev->io.pt.pasid = pasid;
    for (i = 0; i < CHANNELS; i++) {
        iofd_chan(&dev->io, &dev->ch[i], i);
        dev->op[i] = (struct pt_op) {
            .cmd = PT_OP_FILL, .dst = (void *)(IOVA + PAGES(64 * i)),
            .len = PT_PAGE, .pattern = PATTERN + i, .no_irq = true,
        };
    }
}

static void dev_start(struct dev *dev, unsigned i)
{
    pt_start(&dev->ch[i], &dev->op[i]);
}

static void dev_ends(struct dev *dev, unsigned i, uint32_t status)
{
    uint32_t got = pt_wait(&dev->ch[i], &dev->op[i], PT_TIMEOUT);

    CHECK(got == status, "channel %u: %s, not %s", i, pt_status_name(got),
          pt_status_name(status));
}

static uint64_t dev_counter(struct dev *dev, unsigned offset)
{
    return pt_counter(&dev->io.pt, offset);
}

static void check_quiet(struct dev *dev)
{
    CHECK_EQ(pt_rd32(dev->io.pt.func, PT_PRI_GROUPS), 0, "open groups");
    CHECK_EQ(dev_counter(dev, PT_CNT_VIOLATIONS), 0, "violations");
}

/* One fault from the request to the byte in memory */
static void check_fault(struct dev *dev, struct iofd_pt *pt, unsigned i,
                        uint64_t pattern)
{
    struct iofd_pgfault fault;
    void *p = pt_map_anon(PT_PAGE);

    dev->op[i].pattern = pattern;
    dev_start(dev, i);
    iofd_read(pt, &fault, 1);
    CHECK_EQ(fault.addr, (uintptr_t)dev->op[i].dst, "address");
    iofd_map(&dev->io, pt->ioas, fault.addr, p, PT_PAGE);
    iofd_respond(pt, fault.cookie, IOFD_RESP_SUCCESS);
    dev_ends(dev, i, PT_ST_DONE);
    pt_check_fill(p, PT_PAGE, pattern);
    iofd_unmap(&dev->io, pt->ioas, fault.addr, PT_PAGE);
}

static void one_page(uint32_t pasid)
{
    struct iofd_pgfault fault;
    struct dev dev;
    void *p = pt_map_anon(PT_PAGE);

    dev_open(&dev, pasid);
    dev_start(&dev, 0);
    iofd_read(&dev.pt, &fault, 1);
    CHECK_EQ(fault.dev_id, dev.io.dev_id, "device");
    CHECK_EQ(fault.flags & IOFD_PGFAULT_PASID, pasid ? IOFD_PGFAULT_PASID : 0,
             "PASID valid");
    CHECK(fault.flags & IOFD_PGFAULT_LAST, "flags are 0x%x", fault.flags);
    CHECK_EQ(fault.pasid, pasid, "PASID");
    CHECK(fault.perm & PT_RAW_WRITE, "permissions are 0x%x", fault.perm);
    CHECK_EQ(fault.addr, IOVA, "address");

    pt_sleep_ms(50);
    CHECK_EQ(pt_rd32(dev.ch[0].regs, PT_CH_STATUS), PT_ST_RUNNING, "status");
    iofd_map(&dev.io, dev.pt.ioas, IOVA, p, PT_PAGE);
    pt_check_zero(p, PT_PAGE);
    iofd_respond(&dev.pt, fault.cookie, IOFD_RESP_SUCCESS);
    dev_ends(&dev, 0, PT_ST_DONE);
    pt_check_fill(p, PT_PAGE, PATTERN);

    /* What is unmapped is asked for again */
    iofd_unmap(&dev.io, dev.pt.ioas, IOVA, PT_PAGE);
    check_fault(&dev, &dev.pt, 0, ~PATTERN);
    pt_check_fill(p, PT_PAGE, PATTERN);
    iofd_detach(&dev.io, pasid);
    check_quiet(&dev);
}

static void test_rid(void)
{
    one_page(IOFD_NO_PASID);
}

static void test_pasid(void)
{
    one_page(PASID);
}

/* A read gives whole groups, or says that the buffer is too small */
static void test_requests(void)
{
    struct iofd_pgfault fault[8];
    struct dev dev;
    ssize_t got;
    unsigned i;
    uint8_t *p = pt_map_anon(PAGES(8));

    dev_open(&dev, PASID);
    dev.op[0].len = PAGES(8);
    dev.op[0].group = 8;
    dev_start(&dev, 0);
    pt_sleep_ms(50);
    got = read(dev.pt.fault_fd, fault, 7 * sizeof(fault[0]));
    if (!got && pt_lacks("iopf-dequeue")) {
        ktap_note("this old kernel gives 0 for a read of too little");
    } else {
        CHECK(got == -1 && errno == EINVAL,
              "read of too little gives %zd, %s", got, strerror(errno));
    }
    iofd_read(&dev.pt, fault, 8);
    for (i = 0; i < 8; i++) {
        CHECK_EQ(fault[i].addr, IOVA + PAGES(i), "address");
        CHECK_EQ(fault[i].grpid, fault[0].grpid, "PRG index");
        CHECK_EQ(fault[i].cookie, fault[0].cookie, "cookie");
        CHECK_EQ(!!(fault[i].flags & IOFD_PGFAULT_LAST), i == 7, "last");
    }
    iofd_map(&dev.io, dev.pt.ioas, IOVA, p, PAGES(8));
    iofd_respond(&dev.pt, fault[0].cookie, IOFD_RESP_SUCCESS);
    dev_ends(&dev, 0, PT_ST_DONE);
    pt_check_fill(p, PAGES(8), PATTERN);
    iofd_detach(&dev.io, PASID);
    check_quiet(&dev);
}

static void test_order(void)
{
    struct iofd_pgfault fault[CHANNELS];
    struct dev dev;
    uint8_t *p = pt_map_anon(PAGES(CHANNELS));
    unsigned i, k;

    dev_open(&dev, PASID);
    for (i = 0; i < CHANNELS; i++) {
        dev_start(&dev, i);
        iofd_read(&dev.pt, &fault[i], 1);
        iofd_map(&dev.io, dev.pt.ioas, fault[i].addr, p + PAGES(i), PT_PAGE);
    }
    for (i = CHANNELS; i-- > 0;) {
        iofd_respond(&dev.pt, fault[i].cookie, IOFD_RESP_SUCCESS);
        dev_ends(&dev, i, PT_ST_DONE);
        pt_check_fill(p + PAGES(i), PT_PAGE, PATTERN + i);
        for (k = 0; k < i; k++) {
            CHECK_EQ(pt_rd32(dev.ch[k].regs, PT_CH_STATUS), PT_ST_RUNNING,
                     "status");
        }
    }
    iofd_detach(&dev.io, PASID);
    check_quiet(&dev);
}

static bool respond_fails(struct iofd_pt *pt, uint32_t cookie, uint32_t code)
{
    struct iofd_response resp = { .cookie = cookie, .code = code };

    return write(pt->fault_fd, &resp, sizeof(resp)) == -1 && errno == EINVAL;
}

static void test_responses(void)
{
    struct iofd_pgfault fault;
    struct dev dev;

    dev_open(&dev, IOFD_NO_PASID);
    dev_start(&dev, 0);
    iofd_read(&dev.pt, &fault, 1);
    CHECK(respond_fails(&dev.pt, fault.cookie + 1, IOFD_RESP_SUCCESS),
          "a response to nothing is taken");
    CHECK(respond_fails(&dev.pt, fault.cookie, 2), "code 2 is taken");
    CHECK_EQ(pt_rd32(dev.ch[0].regs, PT_CH_STATUS), PT_ST_RUNNING, "status");
    iofd_respond(&dev.pt, fault.cookie, IOFD_RESP_INVALID);
    dev_ends(&dev, 0, PT_ST_INVALID_REQUEST);
    CHECK(respond_fails(&dev.pt, fault.cookie, IOFD_RESP_SUCCESS),
          "a second response is taken");
    check_quiet(&dev);
}

/*
 * Something else is attached while groups wait, read and unread: the kernel
 * answers them Invalid Request, new ones go to the new fault queue.
 */
static void replace(uint32_t pasid)
{
    struct iofd_pgfault fault;
    struct iofd_pt next;
    struct dev dev;
    struct iofd_pt plain;

    pt_need("iopf-dequeue");
    dev_open(&dev, pasid);
    iofd_pt_alloc(&dev.io, &next, true);
    dev_start(&dev, 0);
    iofd_read(&dev.pt, &fault, 1);
    dev_start(&dev, 1);
    iofd_wait(&dev.pt);         /* not before it: see races/rid-detach */
    iofd_attach(&dev.io, next.hwpt, pasid);
    dev_ends(&dev, 0, PT_ST_INVALID_REQUEST);
    dev_ends(&dev, 1, PT_ST_INVALID_REQUEST);
    CHECK(respond_fails(&dev.pt, fault.cookie, IOFD_RESP_SUCCESS),
          "a response after the replacement is taken");
    check_fault(&dev, &next, 2, ~PATTERN);

    /* A page table without fault queue: nobody is there to ask */
    iofd_pt_alloc(&dev.io, &plain, false);
    dev_start(&dev, 0);
    iofd_read(&next, &fault, 1);
    iofd_attach(&dev.io, plain.hwpt, pasid);
    dev_ends(&dev, 0, PT_ST_INVALID_REQUEST);
    dev_start(&dev, 1);
    dev_ends(&dev, 1, PT_ST_INVALID_REQUEST);

    /* And one with a fault queue again */
    iofd_attach(&dev.io, dev.pt.hwpt, pasid);
    check_fault(&dev, &dev.pt, 3, PATTERN);
    iofd_detach(&dev.io, pasid);
    check_quiet(&dev);
    iofd_destroy(&dev.io, next.hwpt);
    iofd_destroy(&dev.io, plain.hwpt);
}

static void test_replace_rid(void)
{
    replace(IOFD_NO_PASID);
}

static void test_replace_pasid(void)
{
    replace(PASID);
}

/* Detach while one group is read and not answered, and one not even read */
static void detach_unanswered(uint32_t pasid)
{
    struct iofd_pgfault fault;
    struct dev dev;
    uint64_t invalid;

    pt_need("iopf-dequeue");
    dev_open(&dev, pasid);
    dev_start(&dev, 0);
    iofd_read(&dev.pt, &fault, 1);
    dev_start(&dev, 1);
    iofd_wait(&dev.pt);         /* not before it: see races/rid-detach */
    invalid = dev_counter(&dev, PT_CNT_RESP_INVALID);
    iofd_detach(&dev.io, pasid);
    dev_ends(&dev, 0, PT_ST_INVALID_REQUEST);
    dev_ends(&dev, 1, PT_ST_INVALID_REQUEST);
    CHECK_EQ(dev_counter(&dev, PT_CNT_RESP_INVALID), invalid + 2,
             "responses Invalid Request");
    CHECK(respond_fails(&dev.pt, fault.cookie, IOFD_RESP_SUCCESS),
          "a response after the detach is taken");
    check_quiet(&dev);
    iofd_attach(&dev.io, dev.pt.hwpt, pasid);
    check_fault(&dev, &dev.pt, 0, ~PATTERN);
}

static void test_detach_rid(void)
{
    detach_unanswered(IOFD_NO_PASID);
}

static void test_detach_pasid(void)
{
    detach_unanswered(PASID);
}

/* The RID and two PASIDs at once, each with a fault queue of its own */
static void test_several(void)
{
    static const uint32_t pasid[3] = { IOFD_NO_PASID, PASID, PASID + 1 };
    struct iofd_pgfault fault;
    struct iofd_pt pt[3];
    struct dev dev;
    unsigned i;
    uint8_t *p = pt_map_anon(PAGES(3));

    dev_open(&dev, IOFD_NO_PASID);
    pt[0] = dev.pt;
    for (i = 0; i < 3; i++) {
        if (i) {
            iofd_pt_alloc(&dev.io, &pt[i], true);
            iofd_attach(&dev.io, pt[i].hwpt, pasid[i]);
        }
        dev.io.pt.bound = pasid[i];
        dev.io.pt.pasid = pasid[i];
        dev.op[i].dst = (void *)IOVA;
        dev_start(&dev, i);
    }
    for (i = 3; i-- > 0;) {
        iofd_read(&pt[i], &fault, 1);
        CHECK_EQ(fault.pasid, pasid[i], "PASID");
        iofd_map(&dev.io, pt[i].ioas, IOVA, p + PAGES(i), PT_PAGE);
        iofd_respond(&pt[i], fault.cookie, IOFD_RESP_SUCCESS);
        dev_ends(&dev, i, PT_ST_DONE);
    }
    for (i = 0; i < 3; i++) {
        pt_check_fill(p + PAGES(i), PT_PAGE, PATTERN + i);
        iofd_detach(&dev.io, pasid[i]);
    }
    check_quiet(&dev);
}

/* A reset while groups wait: they are forgotten, and their answers harmless */
static void reset_held(uint32_t pasid)
{
    struct iofd_pgfault fault;
    struct dev dev;

    pt_need("iopf-dequeue");
    dev_open(&dev, pasid);
    dev_start(&dev, 0);
    iofd_read(&dev.pt, &fault, 1);
    dev_start(&dev, 1);
    iofd_wait(&dev.pt);     /* not before it: the reset would take it away */
    CHECK(!ioctl(dev.io.dev, VFIO_FD_RESET), "reset: %s", strerror(errno));
    CHECK_EQ(pt_rd32(dev.io.pt.func, PT_PRI_GROUPS), 0, "open groups");
    CHECK_EQ(pt_rd32(dev.ch[0].regs, PT_CH_STATUS), PT_ST_IDLE, "status");
    iofd_respond(&dev.pt, fault.cookie, IOFD_RESP_SUCCESS);
    iofd_read(&dev.pt, &fault, 1);
    iofd_respond(&dev.pt, fault.cookie, IOFD_RESP_INVALID);
    CHECK_EQ(dev_counter(&dev, PT_CNT_RESP_UNEXPECTED), 2,
             "responses to no group");
    check_fault(&dev, &dev.pt, 0, PATTERN);
    iofd_detach(&dev.io, pasid);
    check_quiet(&dev);
}

static void test_reset_rid(void)
{
    reset_held(IOFD_NO_PASID);
}

static void test_reset_pasid(void)
{
    reset_held(PASID);
}

/* A process that has groups in both states */
static void ask_and_end(const void *pasid)
{
    struct iofd_pgfault fault;
    struct dev dev;

    dev_open(&dev, *(const uint32_t *)pasid);
    dev_start(&dev, 0);
    iofd_read(&dev.pt, &fault, 1);
    dev_start(&dev, 1);
    iofd_wait(&dev.pt);         /* not before it: see races/rid-detach */
}

static void process_ends(uint32_t pasid, bool by_signal)
{
    struct dev dev;

    pt_need("iopf-dequeue");
    ktap_process(ask_and_end, &pasid, by_signal);
    dev_open(&dev, pasid);
    check_quiet(&dev);
    check_fault(&dev, &dev.pt, 0, PATTERN);
}

static void test_exit_rid(void)
{
    process_ends(IOFD_NO_PASID, false);
}

static void test_exit_pasid(void)
{
    process_ends(PASID, false);
}

static void test_kill(void)
{
    process_ends(PASID, true);
}

/* The second function by itself, with the first one in use (W7) */
static void test_second_function(void)
{
    struct iofd_pt pt;
    struct iofd io;
    struct dev dev;

    dev_open(&dev, IOFD_NO_PASID);
    iofd_open_nth(&io, 1);
    CHECK(strcmp(io.pci_name, dev.io.pci_name), "both are %s", io.pci_name);
    iofd_pt_alloc(&io, &pt, true);
    iofd_attach(&io, pt.hwpt, IOFD_NO_PASID);
    check_fault(&dev, &dev.pt, 0, PATTERN);
    iofd_close(&io);
    iofd_close(&dev.io);
    /* nodes have the lowest number that is free */
    CHECK_EQ(iofd_back(), 0, "node of the first one");
    CHECK_EQ(iofd_back_nth(1), 1, "node of the second one");
}

/* Last: pri_testdev.ko gets its function again */
static void test_back(void)
{
    struct pt_op op = { .cmd = PT_OP_NOP };
    struct pt_chan ch;
    struct pt pt;

    pt_open(&pt, iofd_back());
    pt_chan(&pt, &ch);
    pt_expect(&ch, &op, PT_ST_DONE, NULL);
}

static const struct ktap_test tests[] = {
    { "rid", test_rid, 0 },
    { "pasid", test_pasid, 0 },
    { "requests", test_requests, 0 },
    { "order", test_order, 0 },
    { "responses", test_responses, 0 },
    { "replace-rid", test_replace_rid, 0 },
    { "replace-pasid", test_replace_pasid, 0 },
    { "detach-rid", test_detach_rid, 0 },
    { "detach-pasid", test_detach_pasid, 0 },
    { "several", test_several, 0 },
    { "reset-rid", test_reset_rid, 0 },
    { "reset-pasid", test_reset_pasid, 0 },
    { "exit-rid", test_exit_rid, 0 },
    { "exit-pasid", test_exit_pasid, 0 },
    { "kill", test_kill, 0 },
    { "second-function", test_second_function, 0 },
    { "back", test_back, 0 },
};

KTAP_MAIN(tests)
