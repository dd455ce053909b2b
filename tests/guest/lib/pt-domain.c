/*
 * A paging domain: the program sees each page request group and
 * answers it
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>

#include "pt-domain.h"

void pt_domain_attach(struct pt *pt, uint32_t how)
{
    struct pri_testdev_domain dom = { .flags = how };
    int ret = ioctl(pt->fd, PRI_TESTDEV_IOC_ATTACH_DOMAIN, &dom);

    if (ret && errno == EOPNOTSUPP) {
        ktap_skip("this kernel cannot attach a page table with a fault "
                  "handler to a %s",
                  how == PRI_TESTDEV_DOMAIN_RID ? "RID" : "PASID");
    }
    CHECK(!ret, "attach: %s", strerror(errno));
    pt->bound = how == PRI_TESTDEV_DOMAIN_PASID;
    pt->pasid = dom.pasid;
}

void pt_domain_detach(struct pt *pt, uint32_t flags)
{
    int ret = ioctl(pt->fd, PRI_TESTDEV_IOC_DETACH_DOMAIN, &flags);

    if (ret && errno == EOPNOTSUPP) {
        ktap_skip("this kernel cannot keep groups beyond the detach of their "
                  "page table (6.11 to 6.15, or iopf_group_dequeue())");
    }
    CHECK(!ret, "detach: %s", strerror(errno));
    pt->bound = false;
}

unsigned pt_domain_groups(struct pt *pt, struct pri_testdev_group *groups,
                          unsigned max)
{
    struct pri_testdev_groups req = {
        .groups = (uintptr_t)groups, .max = max,
    };

    CHECK(!ioctl(pt->fd, PRI_TESTDEV_IOC_GET_GROUPS, &req), "groups: %s",
          strerror(errno));
    return req.count;
}

void pt_domain_wait(struct pt *pt, struct pri_testdev_group *groups, unsigned n)
{
    struct pollfd pfd = { .fd = pt->fd, .events = POLLRDBAND };
    double until = pt_now() + PT_TIMEOUT / 1000.0;
    unsigned got;

    for (;;) {
        double left = (until - pt_now()) * 1000;

        got = pt_domain_groups(pt, groups, n);
        if (got >= n || left <= 0) {
            break;
        }
        poll(&pfd, 1, left + 1);
    }
    CHECK_EQ(got, n, "groups held");
}

void pt_domain_requests(struct pt *pt, uint64_t id,
                        struct pri_testdev_request *requests, unsigned n)
{
    struct pri_testdev_requests req = {
        .id = id, .requests = (uintptr_t)requests, .max = n,
    };

    CHECK(!ioctl(pt->fd, PRI_TESTDEV_IOC_GET_REQUESTS, &req), "requests: %s",
          strerror(errno));
    CHECK_EQ(req.count, n, "requests of the group");
}

void pt_domain_respond(struct pt *pt, uint64_t id, uint32_t code)
{
    struct pri_testdev_respond req = { .id = id, .code = code };

    CHECK(!ioctl(pt->fd, PRI_TESTDEV_IOC_RESPOND, &req), "respond: %s",
          strerror(errno));
}

unsigned pt_domain_respond_all(struct pt *pt, uint32_t code)
{
    int n = ioctl(pt->fd, PRI_TESTDEV_IOC_RESPOND_ALL, &code);

    CHECK(n >= 0, "respond: %s", strerror(errno));
    return n;
}

void pt_domain_hold(struct pt *pt, uint32_t n, uint32_t code)
{
    struct pri_testdev_hold req = { .groups = n, .code = code };

    CHECK(!ioctl(pt->fd, PRI_TESTDEV_IOC_HOLD, &req), "hold: %s",
          strerror(errno));
}

void pt_domain_map(struct pt *pt, uint64_t iova, void *addr, size_t len)
{
    struct pri_testdev_map req = {
        .iova = iova, .addr = (uintptr_t)addr, .len = len,
        .prot = PRI_TESTDEV_READ | PRI_TESTDEV_WRITE,
    };

    CHECK(!ioctl(pt->fd, PRI_TESTDEV_IOC_MAP, &req), "map of 0x%llx: %s",
          (unsigned long long)iova, strerror(errno));
}

void pt_domain_unmap(struct pt *pt, uint64_t iova, size_t len)
{
    struct pri_testdev_map req = { .iova = iova, .len = len };

    CHECK(!ioctl(pt->fd, PRI_TESTDEV_IOC_UNMAP, &req), "unmap of 0x%llx: %s",
          (unsigned long long)iova, strerror(errno));
}
