/*
 * A page table of one's own: each page request group is seen, and answered when
 * and how the program likes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "pt-own.h"
#include "sysfs.h"

#define PATTERN     0x0f1e2d3c4b5a6978ull
#define IOVA        0x700000000ull
#define PAGES(n)    ((n) * PT_PAGE)

/* A file with a page table attached, and n channels that fill pages of it */
struct own {
    struct pt pt;
    struct pt_chan ch[8];
    struct pt_op op[8];
};

static void own_open(struct own *own, uint32_t how, unsigned n)
{
    unsigned i;

    memset(own, 0, sizeof(*own));
    pt_open(&own->pt, 0);
    CHECK(own->pt.channels >= n, "only %u channels", own->pt.channels);
    pt_own_attach(&own->pt, how);
    for (i = 0; i < n; i++) {
        pt_chan(&own->pt, &own->ch[i]);
        own->op[i] = (struct pt_op) {
            .cmd = PT_OP_FILL, .dst = (void *)(IOVA + PAGES(64 * i)),
            .len = PT_PAGE, .pattern = PATTERN + i,
        };
    }
}

static uint32_t own_status(struct own *own, unsigned i)
{
    return pt_rd32(own->ch[i].regs, PT_CH_STATUS);
}

static void own_ends(struct own *own, unsigned i, uint32_t status)
{
    uint32_t got = pt_wait(&own->ch[i], &own->op[i], PT_TIMEOUT);

    CHECK(got == status, "channel %u: %s, not %s", i, pt_status_name(got),
          pt_status_name(status));
}

static void own_close(struct own *own)
{
    struct pri_testdev_info info;

    pt_own_detach(&own->pt, 0);
    pt_info(&own->pt, &info);
    CHECK_EQ(info.own, 0, "page table in INFO");
    CHECK_EQ(info.late, 0, "groups that came after a detach");
    CHECK_EQ(pt_counter(&own->pt, PT_CNT_VIOLATIONS), 0, "violations");
    CHECK_EQ(pt_rd32(own->pt.func, PT_PRI_GROUPS), 0, "open groups");
}

/* One page: the group is what the device asked for, and waits for its answer */
static void one_page(uint32_t how)
{
    struct pri_testdev_request req;
    struct pri_testdev_group grp;
    struct pri_testdev_info info;
    struct own own;
    uint32_t flags;
    void *p = pt_map_anon(PT_PAGE);

    own_open(&own, how, 1);
    flags = how == PRI_TESTDEV_OWN_PASID ? PRI_TESTDEV_REQ_PASID : 0;
    pt_info(&own.pt, &info);
    CHECK_EQ(info.own, how, "page table in INFO");
    CHECK_EQ(info.pasid, own.pt.pasid, "PASID in INFO");
    CHECK_EQ(info.bound, 0, "bound in INFO");

    pt_start(&own.ch[0], &own.op[0]);
    pt_own_wait(&own.pt, &grp, 1);
    CHECK_EQ(grp.id, 1, "id");
    CHECK_EQ(grp.requests, 1, "requests");
    CHECK_EQ(grp.flags, flags | PRI_TESTDEV_REQ_LAST, "flags of the group");
    CHECK_EQ(grp.pasid, own.pt.pasid, "PASID of the group");
    pt_own_requests(&own.pt, grp.id, &req, 1);
    CHECK_EQ(req.addr, IOVA, "address");
    CHECK_EQ(req.prgi, grp.prgi, "PRG index");
    CHECK_EQ(req.flags, grp.flags, "flags of the request");
    CHECK(req.perm & PT_RAW_WRITE, "permissions 0x%x", req.perm);

    /* As long as nobody answers nothing moves */
    pt_sleep_ms(100);
    CHECK_EQ(own_status(&own, 0), PT_ST_RUNNING, "status");
    CHECK_EQ(pt_rd32(own.pt.func, PT_PRI_GROUPS), 1, "open groups");
    pt_own_map(&own.pt, IOVA, p, PT_PAGE);
    pt_sleep_ms(100);
    CHECK_EQ(own_status(&own, 0), PT_ST_RUNNING, "status");
    pt_check_zero(p, PT_PAGE);

    pt_own_respond(&own.pt, grp.id, PRI_TESTDEV_RESP_SUCCESS);
    own_ends(&own, 0, PT_ST_DONE);
    pt_check_fill(p, PT_PAGE, PATTERN);
    CHECK_EQ(pt_own_groups(&own.pt, &grp, 1), 0, "groups held");
    own_close(&own);
}

static void test_pasid(void)
{
    one_page(PRI_TESTDEV_OWN_PASID);
}

static void test_rid(void)
{
    one_page(PRI_TESTDEV_OWN_RID);
}

/* Several requests a group: all are seen, in order, the last one marked */
static void test_requests(void)
{
    struct pri_testdev_request req[8];
    struct pri_testdev_group grp;
    struct own own;
    unsigned g, i;
    uint8_t *p = pt_map_anon(PAGES(20));

    own_open(&own, PRI_TESTDEV_OWN_PASID, 1);
    own.op[0].len = PAGES(20);
    own.op[0].group = 8;
    pt_start(&own.ch[0], &own.op[0]);
    for (g = 0; g < 3; g++) {
        unsigned n = g < 2 ? 8 : 4;

        pt_own_wait(&own.pt, &grp, 1);
        CHECK_EQ(grp.requests, n, "requests");
        pt_own_requests(&own.pt, grp.id, req, n);
        for (i = 0; i < n; i++) {
            uint64_t offset = PAGES(8 * g + i);

            CHECK_EQ(req[i].addr, IOVA + offset, "address");
            CHECK_EQ(req[i].prgi, grp.prgi, "PRG index");
            CHECK_EQ(req[i].pasid, own.pt.pasid, "PASID");
            CHECK_EQ(!!(req[i].flags & PRI_TESTDEV_REQ_LAST), i == n - 1,
                     "last");
            pt_own_map(&own.pt, req[i].addr, p + offset, PT_PAGE);
        }
        pt_own_respond(&own.pt, grp.id, PRI_TESTDEV_RESP_SUCCESS);
    }
    own_ends(&own, 0, PT_ST_DONE);
    pt_check_fill(p, PAGES(20), PATTERN);
    own_close(&own);
}

/* Groups are answered last in, first out: each answer ends its own operation */
static void test_order(void)
{
    struct pri_testdev_group grp[8];
    struct pri_testdev_request req;
    struct own own;
    unsigned i, k;
    uint8_t *p[8];

    own_open(&own, PRI_TESTDEV_OWN_PASID, 8);
    for (i = 0; i < 8; i++) {
        p[i] = pt_map_anon(PT_PAGE);
        pt_start(&own.ch[i], &own.op[i]);
        pt_own_wait(&own.pt, grp, i + 1);
        pt_own_map(&own.pt, (uintptr_t)own.op[i].dst, p[i], PT_PAGE);
    }
    for (i = 8; i-- > 0;) {
        pt_own_requests(&own.pt, grp[i].id, &req, 1);
        CHECK_EQ(req.addr, (uintptr_t)own.op[i].dst, "address");
        pt_own_respond(&own.pt, grp[i].id, PRI_TESTDEV_RESP_SUCCESS);
        own_ends(&own, i, PT_ST_DONE);
        pt_check_fill(p[i], PT_PAGE, PATTERN + i);
        for (k = 0; k < i; k++) {
            CHECK_EQ(own_status(&own, k), PT_ST_RUNNING, "status");
            pt_check_zero(p[k], PT_PAGE);
        }
    }
    own_close(&own);
}

static void invalid(uint32_t how)
{
    struct pri_testdev_group grp;
    struct pt_result res;
    struct own own;

    own_open(&own, how, 1);
    pt_start(&own.ch[0], &own.op[0]);
    pt_own_wait(&own.pt, &grp, 1);
    pt_own_respond(&own.pt, grp.id, PRI_TESTDEV_RESP_INVALID);
    own_ends(&own, 0, PT_ST_INVALID_REQUEST);
    pt_result(&own.ch[0], &res);
    CHECK_EQ(res.err_addr, IOVA, "address that ended the operation");
    CHECK_EQ(res.resp_code, PRI_TESTDEV_RESP_INVALID, "Response Code");
    own_close(&own);
}

static void test_invalid(void)
{
    invalid(PRI_TESTDEV_OWN_PASID);
}

static void test_invalid_rid(void)
{
    invalid(PRI_TESTDEV_OWN_RID);
}

/* Response Failure stops the Page Request Interface until a reset */
static void test_failure(void)
{
    struct pri_testdev_info info;
    struct pri_testdev_group grp;
    struct own own;

    own_open(&own, PRI_TESTDEV_OWN_PASID, 1);
    pt_start(&own.ch[0], &own.op[0]);
    pt_own_wait(&own.pt, &grp, 1);
    pt_own_respond(&own.pt, grp.id, PRI_TESTDEV_RESP_FAILURE);
    own_ends(&own, 0, PT_ST_RESPONSE_FAILURE);
    CHECK_EQ(pt_rd32(own.ch[0].regs, PT_CH_RESP_CODE),
             PRI_TESTDEV_RESP_FAILURE, "Response Code");
    CHECK(pt_rd32(own.pt.func, PT_STATE) & PT_STATE_PRI_RF,
          "Response Failure is not set");
    own_close(&own);
    pt_info(&own.pt, &info);
    sysfs_flr(info.pci_name);
}

/* The kernel answers for the program what the program does not want to hold */
static void test_hold(void)
{
    struct pri_testdev_group grp[2];
    struct pri_testdev_info info;
    struct own own;
    unsigned i;

    own_open(&own, PRI_TESTDEV_OWN_PASID, 4);
    pt_own_hold(&own.pt, 2, PRI_TESTDEV_RESP_INVALID);
    for (i = 0; i < 4; i++) {
        pt_start(&own.ch[i], &own.op[i]);
        if (i < 2) {
            pt_own_wait(&own.pt, grp, i + 1);
        } else {
            own_ends(&own, i, PT_ST_INVALID_REQUEST);
        }
    }
    pt_info(&own.pt, &info);
    CHECK_EQ(info.held, 2, "groups held");
    CHECK_EQ(info.groups, 4, "groups seen");
    CHECK_EQ(pt_own_respond_all(&own.pt, PRI_TESTDEV_RESP_INVALID), 2,
             "groups answered");
    own_ends(&own, 0, PT_ST_INVALID_REQUEST);
    own_ends(&own, 1, PT_ST_INVALID_REQUEST);

    /* Success without a page: the device asks again until its patience ends */
    pt_own_hold(&own.pt, 0, PRI_TESTDEV_RESP_SUCCESS);
    own.op[0].retries = 5;
    pt_start(&own.ch[0], &own.op[0]);
    own_ends(&own, 0, PT_ST_RETRY_LIMIT);
    own_close(&own);
}

static void test_events(void)
{
    struct pri_testdev_eventfd req = { .channel = PRI_TESTDEV_GROUPS };
    struct pri_testdev_group grp[2];
    struct pollfd pfd;
    struct own own;
    uint64_t events;

    own_open(&own, PRI_TESTDEV_OWN_PASID, 2);
    req.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    CHECK(req.fd >= 0, "eventfd: %s", strerror(errno));
    CHECK(!ioctl(own.pt.fd, PRI_TESTDEV_IOC_SET_EVENTFD, &req), "eventfd: %s",
          strerror(errno));
    pfd = (struct pollfd) { .fd = own.pt.fd, .events = POLLRDBAND };
    CHECK(poll(&pfd, 1, 0) == 0, "poll says 0x%x", pfd.revents);
    pt_start(&own.ch[0], &own.op[0]);
    CHECK(poll(&pfd, 1, 5000) == 1 && pfd.revents == POLLRDBAND,
          "poll says 0x%x", pfd.revents);
    pt_own_wait(&own.pt, grp, 1);
    CHECK(poll(&pfd, 1, 0) == 0, "poll says 0x%x after a look", pfd.revents);
    pt_start(&own.ch[1], &own.op[1]);
    pt_own_wait(&own.pt, grp, 2);
    CHECK(read(req.fd, &events, 8) == 8, "read: %s", strerror(errno));
    CHECK_EQ(events, 2, "count of the eventfd");
    req.fd = -1;
    CHECK(!ioctl(own.pt.fd, PRI_TESTDEV_IOC_SET_EVENTFD, &req), "eventfd: %s",
          strerror(errno));
    own_close(&own);
}

/* What is unmapped is out of the device's cache as well */
static void unmap(uint32_t how)
{
    struct pri_testdev_group grp;
    struct own own;
    void *p = pt_map_anon(PT_PAGE);

    own_open(&own, how, 1);
    pt_own_map(&own.pt, IOVA, p, PT_PAGE);
    pt_start(&own.ch[0], &own.op[0]);
    own_ends(&own, 0, PT_ST_DONE);
    pt_check_fill(p, PT_PAGE, PATTERN);
    CHECK_EQ(pt_own_groups(&own.pt, &grp, 1), 0, "groups held");

    pt_own_unmap(&own.pt, IOVA, PT_PAGE);
    own.op[0].pattern = ~PATTERN;
    pt_start(&own.ch[0], &own.op[0]);
    pt_own_wait(&own.pt, &grp, 1);
    pt_check_fill(p, PT_PAGE, PATTERN);
    pt_own_map(&own.pt, IOVA, p, PT_PAGE);
    pt_own_respond(&own.pt, grp.id, PRI_TESTDEV_RESP_SUCCESS);
    own_ends(&own, 0, PT_ST_DONE);
    pt_check_fill(p, PT_PAGE, ~PATTERN);
    own_close(&own);
}

static void test_unmap(void)
{
    unmap(PRI_TESTDEV_OWN_PASID);
}

static void test_unmap_rid(void)
{
    unmap(PRI_TESTDEV_OWN_RID);
}

/* One address, three page tables: no PASID and two */
static void test_several(void)
{
    static const uint32_t how[3] = {
        PRI_TESTDEV_OWN_RID, PRI_TESTDEV_OWN_PASID, PRI_TESTDEV_OWN_PASID,
    };
    struct pri_testdev_group grp;
    struct own own[3];
    uint8_t *p[3];
    unsigned i;

    for (i = 0; i < 3; i++) {
        own_open(&own[i], how[i], 1);
        own[i].op[0].pattern = PATTERN << i;
        p[i] = pt_map_anon(PT_PAGE);
        pt_start(&own[i].ch[0], &own[i].op[0]);
        pt_own_wait(&own[i].pt, &grp, 1);
        CHECK_EQ(grp.pasid, own[i].pt.pasid, "PASID of the group");
    }
    CHECK(own[1].pt.pasid != own[2].pt.pasid, "one PASID twice");
    for (i = 0; i < 3; i++) {
        pt_own_wait(&own[i].pt, &grp, 1);
        pt_own_map(&own[i].pt, IOVA, p[i], PT_PAGE);
        pt_own_respond(&own[i].pt, grp.id, PRI_TESTDEV_RESP_SUCCESS);
        own_ends(&own[i], 0, PT_ST_DONE);
    }
    for (i = 0; i < 3; i++) {
        pt_check_fill(p[i], PT_PAGE, PATTERN << i);
        own_close(&own[i]);
    }
}

/* CHECK that a system call fails, and why */
#define CHECK_ERRNO(call, error) \
    do { \
        errno = 0; \
        CHECK((long)(call) == -1 && errno == (error), \
              #call " gives %s, not %s", errno ? strerror(errno) : "success", \
              strerror(error)); \
    } while (0)

static void test_refusals(void)
{
    struct pri_testdev_own req = { .flags = PRI_TESTDEV_OWN_PASID };
    struct pri_testdev_respond resp = { .id = 1 };
    struct pri_testdev_requests reqs = { .id = 1 };
    struct pri_testdev_map map = { .iova = IOVA, .len = PT_PAGE, .prot = 3 };
    struct own own;
    uint32_t v = 0;
    struct pt pt;

    pt_open(&pt, 0);
    map.addr = (uintptr_t)pt_map_anon(PT_PAGE);
    CHECK_ERRNO(ioctl(pt.fd, PRI_TESTDEV_IOC_DETACH_OWN, &v), EINVAL);
    CHECK_ERRNO(ioctl(pt.fd, PRI_TESTDEV_IOC_MAP, &map), EINVAL);
    CHECK_ERRNO(ioctl(pt.fd, PRI_TESTDEV_IOC_UNMAP, &map), EINVAL);
    req.flags = 3;
    CHECK_ERRNO(ioctl(pt.fd, PRI_TESTDEV_IOC_ATTACH_OWN, &req), EINVAL);

    own_open(&own, PRI_TESTDEV_OWN_PASID, 0);
    req.flags = PRI_TESTDEV_OWN_PASID;
    CHECK_ERRNO(ioctl(own.pt.fd, PRI_TESTDEV_IOC_ATTACH_OWN, &req), EBUSY);
    CHECK_ERRNO(ioctl(own.pt.fd, PRI_TESTDEV_IOC_BIND, &v), EBUSY);
    CHECK_ERRNO(ioctl(own.pt.fd, PRI_TESTDEV_IOC_UNBIND), EINVAL);
    CHECK_ERRNO(ioctl(own.pt.fd, PRI_TESTDEV_IOC_RESPOND, &resp), ENOENT);
    CHECK_ERRNO(ioctl(own.pt.fd, PRI_TESTDEV_IOC_GET_REQUESTS, &reqs), ENOENT);
    resp.code = 16;
    CHECK_ERRNO(ioctl(own.pt.fd, PRI_TESTDEV_IOC_RESPOND, &resp), EINVAL);
    v = 16;
    CHECK_ERRNO(ioctl(own.pt.fd, PRI_TESTDEV_IOC_RESPOND_ALL, &v), EINVAL);
    v = 2;
    CHECK_ERRNO(ioctl(own.pt.fd, PRI_TESTDEV_IOC_DETACH_OWN, &v), EINVAL);

    CHECK_ERRNO(ioctl(own.pt.fd, PRI_TESTDEV_IOC_UNMAP, &map), ENOENT);
    CHECK(!ioctl(own.pt.fd, PRI_TESTDEV_IOC_MAP, &map), "map: %s",
          strerror(errno));
    CHECK_ERRNO(ioctl(own.pt.fd, PRI_TESTDEV_IOC_MAP, &map), EEXIST);
    map.len = PAGES(2);
    CHECK_ERRNO(ioctl(own.pt.fd, PRI_TESTDEV_IOC_UNMAP, &map), ENOENT);
    map.iova += 1;
    CHECK_ERRNO(ioctl(own.pt.fd, PRI_TESTDEV_IOC_MAP, &map), EINVAL);
    map.iova = -PT_PAGE;
    CHECK_ERRNO(ioctl(own.pt.fd, PRI_TESTDEV_IOC_MAP, &map), EINVAL);
    map.iova = IOVA + PAGES(8);
    map.addr = PT_PAGE;             /* nothing is there */
    CHECK_ERRNO(ioctl(own.pt.fd, PRI_TESTDEV_IOC_MAP, &map), EFAULT);
    own_close(&own);
}

/* Eight channels, groups of all sizes, answered in random order */
static void test_random(void)
{
    enum { ROUNDS = 4, LEN = 24 };
    uint64_t seed = 42, mapped[8];
    struct pri_testdev_group grp[8];
    struct pri_testdev_request req[LEN];
    unsigned round, i, n, groups = 0;
    struct pt_stat stat;
    struct own own;
    uint8_t *p = pt_map_anon(PAGES(8 * LEN));

    own_open(&own, PRI_TESTDEV_OWN_PASID, 8);
    pt_stat_begin(&own.pt, &stat);
    for (round = 0; round < ROUNDS; round++) {
        for (i = 0; i < 8; i++) {
            mapped[i] = 0;
            own.op[i].len = PAGES(LEN);
            own.op[i].group = 1 + pt_random(&seed) % 8;
            own.op[i].pattern = pt_random(&seed);
            pt_start(&own.ch[i], &own.op[i]);
        }
        for (;;) {
            unsigned running = 0, pick, k;

            n = pt_own_groups(&own.pt, grp, 8);
            for (i = 0; i < 8; i++) {
                running += own_status(&own, i) == PT_ST_RUNNING;
            }
            if (!n && !running) {
                break;
            }
            if (!n) {
                continue;
            }
            n = n < 8 ? n : 8;
            pick = pt_random(&seed) % n;
            pt_own_requests(&own.pt, grp[pick].id, req, grp[pick].requests);
            for (k = 0; k < grp[pick].requests; k++) {
                unsigned page = (req[k].addr - IOVA) / PT_PAGE;

                i = page / 64;
                CHECK(i < 8 && page % 64 == mapped[i], "page %u of %u", page,
                      i);
                pt_own_map(&own.pt, req[k].addr,
                           p + PAGES(LEN * i + mapped[i]++), PT_PAGE);
            }
            pt_own_respond(&own.pt, grp[pick].id, PRI_TESTDEV_RESP_SUCCESS);
            groups++;
        }
        for (i = 0; i < 8; i++) {
            own_ends(&own, i, PT_ST_DONE);
            pt_check_fill(p + PAGES(LEN * i), PAGES(LEN), own.op[i].pattern);
            for (n = 0; n < LEN; n++) {
                pt_own_unmap(&own.pt, (uintptr_t)own.op[i].dst + PAGES(n),
                             PT_PAGE);
            }
        }
    }
    pt_stat_end(&own.pt, &stat, "own-handler", ROUNDS * 8 * LEN);
    ktap_note("%u groups answered", groups);
    own_close(&own);
}

static const struct ktap_test tests[] = {
    { "pasid", test_pasid, 0 },
    { "rid", test_rid, 0 },
    { "requests", test_requests, 0 },
    { "order", test_order, 0 },
    { "invalid", test_invalid, 0 },
    { "invalid-rid", test_invalid_rid, 0 },
    { "failure", test_failure, 0 },
    { "hold", test_hold, 0 },
    { "events", test_events, 0 },
    { "unmap", test_unmap, 0 },
    { "unmap-rid", test_unmap_rid, 0 },
    { "several", test_several, 0 },
    { "refusals", test_refusals, 0 },
    { "random", test_random, 0 },
};

KTAP_MAIN(tests)
