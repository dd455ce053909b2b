/*
 * A paging domain: each page request group is seen, and answered when
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

#include "pt-domain.h"
#include "sysfs.h"

#define PATTERN     0x0f1e2d3c4b5a6978ull
#define IOVA        0x700000000ull
#define PAGES(n)    ((n) * PT_PAGE)

/* A file with a page table attached, and n channels that fill pages of it */
struct domain {
    struct pt pt;
    struct pt_chan ch[8];
    struct pt_op op[8];
};

static void domain_open(struct domain *dom, uint32_t how, unsigned n)
{
    unsigned i;

    memset(dom, 0, sizeof(*dom));
    pt_open(&dom->pt, 0);
    CHECK(dom->pt.channels >= n, "only %u channels", dom->pt.channels);
    pt_domain_attach(&dom->pt, how);
    for (i = 0; i < n; i++) {
        pt_chan(&dom->pt, &dom->ch[i]);
        dom->op[i] = (struct pt_op) {
            .cmd = PT_OP_FILL, .dst = (void *)(IOVA + PAGES(64 * i)),
            .len = PT_PAGE, .pattern = PATTERN + i,
        };
    }
}

static uint32_t domain_status(struct domain *dom, unsigned i)
{
    return pt_rd32(dom->ch[i].regs, PT_CH_STATUS);
}

static void domain_ends(struct domain *dom, unsigned i, uint32_t status)
{
    uint32_t got = pt_wait(&dom->ch[i], &dom->op[i], PT_TIMEOUT);

    CHECK(got == status, "channel %u: %s, not %s", i, pt_status_name(got),
          pt_status_name(status));
}

static void domain_close(struct domain *dom)
{
    struct pri_testdev_info info;

    pt_domain_detach(&dom->pt, 0);
    pt_info(&dom->pt, &info);
    CHECK_EQ(info.domain, 0, "page table in INFO");
    CHECK_EQ(info.late, 0, "groups that came after a detach");
    CHECK_EQ(pt_counter(&dom->pt, PT_CNT_VIOLATIONS), 0, "violations");
    CHECK_EQ(pt_rd32(dom->pt.func, PT_PRI_GROUPS), 0, "open groups");
}

/* One page: the group is what the device asked for, and waits for its answer */
static void one_page(uint32_t how)
{
    struct pri_testdev_request req;
    struct pri_testdev_group grp;
    struct pri_testdev_info info;
    struct domain dom;
    uint32_t flags;
    void *p = pt_map_anon(PT_PAGE);

    domain_open(&dom, how, 1);
    flags = how == PRI_TESTDEV_DOMAIN_PASID ? PRI_TESTDEV_REQ_PASID : 0;
    pt_info(&dom.pt, &info);
    CHECK_EQ(info.domain, how, "page table in INFO");
    CHECK_EQ(info.pasid, dom.pt.pasid, "PASID in INFO");
    CHECK_EQ(info.bound, 0, "bound in INFO");

    pt_start(&dom.ch[0], &dom.op[0]);
    pt_domain_wait(&dom.pt, &grp, 1);
    CHECK_EQ(grp.id, 1, "id");
    CHECK_EQ(grp.requests, 1, "requests");
    CHECK_EQ(grp.flags, flags | PRI_TESTDEV_REQ_LAST, "flags of the group");
    CHECK_EQ(grp.pasid, dom.pt.pasid, "PASID of the group");
    pt_domain_requests(&dom.pt, grp.id, &req, 1);
    CHECK_EQ(req.addr, IOVA, "address");
    CHECK_EQ(req.prgi, grp.prgi, "PRG index");
    CHECK_EQ(req.flags, grp.flags, "flags of the request");
    CHECK(req.perm & PT_RAW_WRITE, "permissions 0x%x", req.perm);

    /* As long as nobody answers nothing moves */
    pt_sleep_ms(100);
    CHECK_EQ(domain_status(&dom, 0), PT_ST_RUNNING, "status");
    CHECK_EQ(pt_rd32(dom.pt.func, PT_PRI_GROUPS), 1, "open groups");
    pt_domain_map(&dom.pt, IOVA, p, PT_PAGE);
    pt_sleep_ms(100);
    CHECK_EQ(domain_status(&dom, 0), PT_ST_RUNNING, "status");
    pt_check_zero(p, PT_PAGE);

    pt_domain_respond(&dom.pt, grp.id, PRI_TESTDEV_RESP_SUCCESS);
    domain_ends(&dom, 0, PT_ST_DONE);
    pt_check_fill(p, PT_PAGE, PATTERN);
    CHECK_EQ(pt_domain_groups(&dom.pt, &grp, 1), 0, "groups held");
    domain_close(&dom);
}

static void test_pasid(void)
{
    one_page(PRI_TESTDEV_DOMAIN_PASID);
}

static void test_rid(void)
{
    one_page(PRI_TESTDEV_DOMAIN_RID);
}

/* Several requests a group: all are seen, in order, the last one marked */
static void test_requests(void)
{
    struct pri_testdev_request req[8];
    struct pri_testdev_group grp;
    struct domain dom;
    unsigned g, i;
    uint8_t *p = pt_map_anon(PAGES(20));

    domain_open(&dom, PRI_TESTDEV_DOMAIN_PASID, 1);
    dom.op[0].len = PAGES(20);
    dom.op[0].group = 8;
    pt_start(&dom.ch[0], &dom.op[0]);
    for (g = 0; g < 3; g++) {
        unsigned n = g < 2 ? 8 : 4;

        pt_domain_wait(&dom.pt, &grp, 1);
        CHECK_EQ(grp.requests, n, "requests");
        pt_domain_requests(&dom.pt, grp.id, req, n);
        for (i = 0; i < n; i++) {
            uint64_t offset = PAGES(8 * g + i);

            CHECK_EQ(req[i].addr, IOVA + offset, "address");
            CHECK_EQ(req[i].prgi, grp.prgi, "PRG index");
            CHECK_EQ(req[i].pasid, dom.pt.pasid, "PASID");
            CHECK_EQ(!!(req[i].flags & PRI_TESTDEV_REQ_LAST), i == n - 1,
                     "last");
            pt_domain_map(&dom.pt, req[i].addr, p + offset, PT_PAGE);
        }
        pt_domain_respond(&dom.pt, grp.id, PRI_TESTDEV_RESP_SUCCESS);
    }
    domain_ends(&dom, 0, PT_ST_DONE);
    pt_check_fill(p, PAGES(20), PATTERN);
    domain_close(&dom);
}

/* Groups are answered last in, first out: each answer ends its own operation */
static void test_order(void)
{
    struct pri_testdev_group grp[8];
    struct pri_testdev_request req;
    struct domain dom;
    unsigned i, k;
    uint8_t *p[8];

    domain_open(&dom, PRI_TESTDEV_DOMAIN_PASID, 8);
    for (i = 0; i < 8; i++) {
        p[i] = pt_map_anon(PT_PAGE);
        pt_start(&dom.ch[i], &dom.op[i]);
        pt_domain_wait(&dom.pt, grp, i + 1);
        pt_domain_map(&dom.pt, (uintptr_t)dom.op[i].dst, p[i], PT_PAGE);
    }
    for (i = 8; i-- > 0;) {
        pt_domain_requests(&dom.pt, grp[i].id, &req, 1);
        CHECK_EQ(req.addr, (uintptr_t)dom.op[i].dst, "address");
        pt_domain_respond(&dom.pt, grp[i].id, PRI_TESTDEV_RESP_SUCCESS);
        domain_ends(&dom, i, PT_ST_DONE);
        pt_check_fill(p[i], PT_PAGE, PATTERN + i);
        for (k = 0; k < i; k++) {
            CHECK_EQ(domain_status(&dom, k), PT_ST_RUNNING, "status");
            pt_check_zero(p[k], PT_PAGE);
        }
    }
    domain_close(&dom);
}

static void invalid(uint32_t how)
{
    struct pri_testdev_group grp;
    struct pt_result res;
    struct domain dom;

    domain_open(&dom, how, 1);
    pt_start(&dom.ch[0], &dom.op[0]);
    pt_domain_wait(&dom.pt, &grp, 1);
    pt_domain_respond(&dom.pt, grp.id, PRI_TESTDEV_RESP_INVALID);
    domain_ends(&dom, 0, PT_ST_INVALID_REQUEST);
    pt_result(&dom.ch[0], &res);
    CHECK_EQ(res.err_addr, IOVA, "address that ended the operation");
    CHECK_EQ(res.resp_code, PRI_TESTDEV_RESP_INVALID, "Response Code");
    domain_close(&dom);
}

static void test_invalid(void)
{
    invalid(PRI_TESTDEV_DOMAIN_PASID);
}

static void test_invalid_rid(void)
{
    invalid(PRI_TESTDEV_DOMAIN_RID);
}

/* Response Failure stops the Page Request Interface until a reset */
static void test_failure(void)
{
    struct pri_testdev_info info;
    struct pri_testdev_group grp;
    struct domain dom;

    domain_open(&dom, PRI_TESTDEV_DOMAIN_PASID, 1);
    pt_start(&dom.ch[0], &dom.op[0]);
    pt_domain_wait(&dom.pt, &grp, 1);
    pt_domain_respond(&dom.pt, grp.id, PRI_TESTDEV_RESP_FAILURE);
    domain_ends(&dom, 0, PT_ST_RESPONSE_FAILURE);
    CHECK_EQ(pt_rd32(dom.ch[0].regs, PT_CH_RESP_CODE),
             PRI_TESTDEV_RESP_FAILURE, "Response Code");
    CHECK(pt_rd32(dom.pt.func, PT_STATE) & PT_STATE_PRI_RF,
          "Response Failure is not set");
    domain_close(&dom);
    pt_info(&dom.pt, &info);
    sysfs_flr(info.pci_name);
}

/* The kernel answers for the program what the program does not want to hold */
static void test_hold(void)
{
    struct pri_testdev_group grp[2];
    struct pri_testdev_info info;
    struct domain dom;
    unsigned i;

    domain_open(&dom, PRI_TESTDEV_DOMAIN_PASID, 4);
    pt_domain_hold(&dom.pt, 2, PRI_TESTDEV_RESP_INVALID);
    for (i = 0; i < 4; i++) {
        pt_start(&dom.ch[i], &dom.op[i]);
        if (i < 2) {
            pt_domain_wait(&dom.pt, grp, i + 1);
        } else {
            domain_ends(&dom, i, PT_ST_INVALID_REQUEST);
        }
    }
    pt_info(&dom.pt, &info);
    CHECK_EQ(info.held, 2, "groups held");
    CHECK_EQ(info.groups, 4, "groups seen");
    CHECK_EQ(pt_domain_respond_all(&dom.pt, PRI_TESTDEV_RESP_INVALID), 2,
             "groups answered");
    domain_ends(&dom, 0, PT_ST_INVALID_REQUEST);
    domain_ends(&dom, 1, PT_ST_INVALID_REQUEST);

    /* Success without a page: the device asks again until its patience ends */
    pt_domain_hold(&dom.pt, 0, PRI_TESTDEV_RESP_SUCCESS);
    dom.op[0].retries = 5;
    pt_start(&dom.ch[0], &dom.op[0]);
    domain_ends(&dom, 0, PT_ST_RETRY_LIMIT);
    domain_close(&dom);
}

static void test_events(void)
{
    struct pri_testdev_eventfd req = { .channel = PRI_TESTDEV_GROUPS };
    struct pri_testdev_group grp[2];
    struct pollfd pfd;
    struct domain dom;
    uint64_t events;

    domain_open(&dom, PRI_TESTDEV_DOMAIN_PASID, 2);
    req.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    CHECK(req.fd >= 0, "eventfd: %s", strerror(errno));
    CHECK(!ioctl(dom.pt.fd, PRI_TESTDEV_IOC_SET_EVENTFD, &req), "eventfd: %s",
          strerror(errno));
    pfd = (struct pollfd) { .fd = dom.pt.fd, .events = POLLRDBAND };
    CHECK(poll(&pfd, 1, 0) == 0, "poll says 0x%x", pfd.revents);
    pt_start(&dom.ch[0], &dom.op[0]);
    CHECK(poll(&pfd, 1, 5000) == 1 && pfd.revents == POLLRDBAND,
          "poll says 0x%x", pfd.revents);
    pt_domain_wait(&dom.pt, grp, 1);
    CHECK(poll(&pfd, 1, 0) == 0, "poll says 0x%x after a look", pfd.revents);
    pt_start(&dom.ch[1], &dom.op[1]);
    pt_domain_wait(&dom.pt, grp, 2);
    CHECK(read(req.fd, &events, 8) == 8, "read: %s", strerror(errno));
    CHECK_EQ(events, 2, "count of the eventfd");
    req.fd = -1;
    CHECK(!ioctl(dom.pt.fd, PRI_TESTDEV_IOC_SET_EVENTFD, &req), "eventfd: %s",
          strerror(errno));
    domain_close(&dom);
}

/* What is unmapped is out of the device's cache as well */
static void unmap(uint32_t how)
{
    struct pri_testdev_group grp;
    struct domain dom;
    void *p = pt_map_anon(PT_PAGE);

    domain_open(&dom, how, 1);
    pt_domain_map(&dom.pt, IOVA, p, PT_PAGE);
    pt_start(&dom.ch[0], &dom.op[0]);
    domain_ends(&dom, 0, PT_ST_DONE);
    pt_check_fill(p, PT_PAGE, PATTERN);
    CHECK_EQ(pt_domain_groups(&dom.pt, &grp, 1), 0, "groups held");

    pt_domain_unmap(&dom.pt, IOVA, PT_PAGE);
    dom.op[0].pattern = ~PATTERN;
    pt_start(&dom.ch[0], &dom.op[0]);
    pt_domain_wait(&dom.pt, &grp, 1);
    pt_check_fill(p, PT_PAGE, PATTERN);
    pt_domain_map(&dom.pt, IOVA, p, PT_PAGE);
    pt_domain_respond(&dom.pt, grp.id, PRI_TESTDEV_RESP_SUCCESS);
    domain_ends(&dom, 0, PT_ST_DONE);
    pt_check_fill(p, PT_PAGE, ~PATTERN);
    domain_close(&dom);
}

static void test_unmap(void)
{
    unmap(PRI_TESTDEV_DOMAIN_PASID);
}

static void test_unmap_rid(void)
{
    unmap(PRI_TESTDEV_DOMAIN_RID);
}

/* One address, three page tables: no PASID and two */
static void test_several(void)
{
    static const uint32_t how[3] = {
        PRI_TESTDEV_DOMAIN_RID, PRI_TESTDEV_DOMAIN_PASID,
        PRI_TESTDEV_DOMAIN_PASID,
    };
    struct pri_testdev_group grp;
    struct domain dom[3];
    uint8_t *p[3];
    unsigned i;

    for (i = 0; i < 3; i++) {
        domain_open(&dom[i], how[i], 1);
        dom[i].op[0].pattern = PATTERN << i;
        p[i] = pt_map_anon(PT_PAGE);
        pt_start(&dom[i].ch[0], &dom[i].op[0]);
        pt_domain_wait(&dom[i].pt, &grp, 1);
        CHECK_EQ(grp.pasid, dom[i].pt.pasid, "PASID of the group");
    }
    CHECK(dom[1].pt.pasid != dom[2].pt.pasid, "one PASID twice");
    for (i = 0; i < 3; i++) {
        pt_domain_wait(&dom[i].pt, &grp, 1);
        pt_domain_map(&dom[i].pt, IOVA, p[i], PT_PAGE);
        pt_domain_respond(&dom[i].pt, grp.id, PRI_TESTDEV_RESP_SUCCESS);
        domain_ends(&dom[i], 0, PT_ST_DONE);
    }
    for (i = 0; i < 3; i++) {
        pt_check_fill(p[i], PT_PAGE, PATTERN << i);
        domain_close(&dom[i]);
    }
}

static void test_refusals(void)
{
    struct pri_testdev_domain req = { .flags = PRI_TESTDEV_DOMAIN_PASID };
    struct pri_testdev_respond resp = { .id = 1 };
    struct pri_testdev_requests reqs = { .id = 1 };
    struct pri_testdev_map map = { .iova = IOVA, .len = PT_PAGE, .prot = 3 };
    struct domain dom;
    uint32_t v = 0;
    struct pt pt;

    pt_open(&pt, 0);
    map.addr = (uintptr_t)pt_map_anon(PT_PAGE);
    CHECK_ERRNO(ioctl(pt.fd, PRI_TESTDEV_IOC_DETACH_DOMAIN, &v), EINVAL);
    CHECK_ERRNO(ioctl(pt.fd, PRI_TESTDEV_IOC_MAP, &map), EINVAL);
    CHECK_ERRNO(ioctl(pt.fd, PRI_TESTDEV_IOC_UNMAP, &map), EINVAL);
    req.flags = 3;
    CHECK_ERRNO(ioctl(pt.fd, PRI_TESTDEV_IOC_ATTACH_DOMAIN, &req), EINVAL);

    domain_open(&dom, PRI_TESTDEV_DOMAIN_PASID, 0);
    req.flags = PRI_TESTDEV_DOMAIN_PASID;
    CHECK_ERRNO(ioctl(dom.pt.fd, PRI_TESTDEV_IOC_ATTACH_DOMAIN, &req), EBUSY);
    CHECK_ERRNO(ioctl(dom.pt.fd, PRI_TESTDEV_IOC_BIND, &v), EBUSY);
    CHECK_ERRNO(ioctl(dom.pt.fd, PRI_TESTDEV_IOC_UNBIND), EINVAL);
    CHECK_ERRNO(ioctl(dom.pt.fd, PRI_TESTDEV_IOC_RESPOND, &resp), ENOENT);
    CHECK_ERRNO(ioctl(dom.pt.fd, PRI_TESTDEV_IOC_GET_REQUESTS, &reqs), ENOENT);
    resp.code = 16;
    CHECK_ERRNO(ioctl(dom.pt.fd, PRI_TESTDEV_IOC_RESPOND, &resp), EINVAL);
    v = 16;
    CHECK_ERRNO(ioctl(dom.pt.fd, PRI_TESTDEV_IOC_RESPOND_ALL, &v), EINVAL);
    v = 2;
    CHECK_ERRNO(ioctl(dom.pt.fd, PRI_TESTDEV_IOC_DETACH_DOMAIN, &v), EINVAL);

    CHECK_ERRNO(ioctl(dom.pt.fd, PRI_TESTDEV_IOC_UNMAP, &map), ENOENT);
    CHECK(!ioctl(dom.pt.fd, PRI_TESTDEV_IOC_MAP, &map), "map: %s",
          strerror(errno));
    CHECK_ERRNO(ioctl(dom.pt.fd, PRI_TESTDEV_IOC_MAP, &map), EEXIST);
    map.len = PAGES(2);
    CHECK_ERRNO(ioctl(dom.pt.fd, PRI_TESTDEV_IOC_UNMAP, &map), ENOENT);
    map.iova += 1;
    CHECK_ERRNO(ioctl(dom.pt.fd, PRI_TESTDEV_IOC_MAP, &map), EINVAL);
    map.iova = -PT_PAGE;
    CHECK_ERRNO(ioctl(dom.pt.fd, PRI_TESTDEV_IOC_MAP, &map), EINVAL);
    map.iova = IOVA + PAGES(8);
    map.addr = PT_PAGE;             /* nothing is there */
    CHECK_ERRNO(ioctl(dom.pt.fd, PRI_TESTDEV_IOC_MAP, &map), EFAULT);
    domain_close(&dom);
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
    struct domain dom;
    uint8_t *p = pt_map_anon(PAGES(8 * LEN));

    domain_open(&dom, PRI_TESTDEV_DOMAIN_PASID, 8);
    pt_stat_begin(&dom.pt, &stat);
    for (round = 0; round < ROUNDS; round++) {
        for (i = 0; i < 8; i++) {
            mapped[i] = 0;
            dom.op[i].len = PAGES(LEN);
            dom.op[i].group = 1 + pt_random(&seed) % 8;
            dom.op[i].pattern = pt_random(&seed);
            pt_start(&dom.ch[i], &dom.op[i]);
        }
        for (;;) {
            unsigned running = 0, pick, k;

            n = pt_domain_groups(&dom.pt, grp, 8);
            for (i = 0; i < 8; i++) {
                running += domain_status(&dom, i) == PT_ST_RUNNING;
            }
            if (!n && !running) {
                break;
            }
            if (!n) {
                continue;
            }
            n = n < 8 ? n : 8;
            pick = pt_random(&seed) % n;
            pt_domain_requests(&dom.pt, grp[pick].id, req, grp[pick].requests);
            for (k = 0; k < grp[pick].requests; k++) {
                unsigned page = (req[k].addr - IOVA) / PT_PAGE;

                i = page / 64;
                CHECK(i < 8 && page % 64 == mapped[i], "page %u of %u", page,
                      i);
                pt_domain_map(&dom.pt, req[k].addr,
                              p + PAGES(LEN * i + mapped[i]++), PT_PAGE);
            }
            pt_domain_respond(&dom.pt, grp[pick].id, PRI_TESTDEV_RESP_SUCCESS);
            groups++;
        }
        for (i = 0; i < 8; i++) {
            domain_ends(&dom, i, PT_ST_DONE);
            pt_check_fill(p + PAGES(LEN * i), PAGES(LEN), dom.op[i].pattern);
            for (n = 0; n < LEN; n++) {
                pt_domain_unmap(&dom.pt, (uintptr_t)dom.op[i].dst + PAGES(n),
                                PT_PAGE);
            }
        }
    }
    pt_stat_end(&dom.pt, &stat, "domain-handler", ROUNDS * 8 * LEN);
    ktap_note("%u groups answered", groups);
    domain_close(&dom);
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
