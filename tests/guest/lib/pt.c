/*
 * Drive pri-testdev from a program of the guest: device and operations
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "pt.h"

#define PT_NO_RESP_MS   300         /* none came by then: none will */

static pt_reg *pt_map_page(struct pt *pt, unsigned page)
{
    void *p = mmap(NULL, PT_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, pt->fd,
                   page * PT_PAGE);

    CHECK(p != MAP_FAILED, "mmap of register page %u: %s", page,
          strerror(errno));
    return p;
}

void pt_open(struct pt *pt, unsigned index)
{
    struct pri_testdev_info info;
    char name[32];

    memset(pt, 0, sizeof(*pt));
    pt->index = index;
    snprintf(name, sizeof(name), "/dev/" PRI_TESTDEV_NODE "%u", index);
    pt->fd = open(name, O_RDWR | O_CLOEXEC);
    if (pt->fd < 0 && errno == ENOENT && index > 0) {
        ktap_skip("no %s", name);
    }
    CHECK(pt->fd >= 0, "%s: %s", name, strerror(errno));
    pt_info(pt, &info);
    pt->channels = info.channels;
    pt->func = pt_map_page(pt, PRI_TESTDEV_FUNCTION_PAGE);
}

void pt_inherit(struct pt *pt)
{
    pt->func = pt_map_page(pt, PRI_TESTDEV_FUNCTION_PAGE);
}

void pt_open_bound(struct pt *pt, unsigned index)
{
    pt_open(pt, index);
    pt_bind(pt);
}

void pt_close(struct pt *pt)
{
    munmap((void *)pt->func, PT_PAGE);
    close(pt->fd);
    pt->fd = -1;
}

bool pt_lacks(const char *what)
{
    char line[2048], *word, *item, *outer, *inner;
    bool found = false;
    FILE *f = fopen("/proc/cmdline", "re");

    if (!f) {
        return false;
    }
    if (fgets(line, sizeof(line), f)) {
        for (word = strtok_r(line, " \n", &outer); word;
             word = strtok_r(NULL, " \n", &outer)) {
            if (strncmp(word, "pri_lab.lacks=", 14)) {
                continue;
            }
            for (item = strtok_r(word + 14, ",", &inner); item;
                 item = strtok_r(NULL, ",", &inner)) {
                found |= !strcmp(item, what);
            }
        }
    }
    fclose(f);
    return found;
}

void pt_need(const char *what)
{
    static const char *const why[][2] = {
        { "sva", "SVA is switched off in this kernel" },
        { "iopf-dequeue", "this kernel frees groups twice that are not "
          "answered at a detach (fixed in 6.18.44, 7.1.8, 7.2)" },
        { "ite-retry", "an invalidation that times out can stop this kernel "
          "for good (fixed in 6.18.20, 6.19.10, 7.0)" },
    };
    unsigned i;

    for (i = 0; i < sizeof(why) / sizeof(why[0]); i++) {
        if (!strcmp(why[i][0], what)) {
            if (pt_lacks(what)) {
                ktap_skip("%s", why[i][1]);
            }
            return;
        }
    }
    CHECK(false, "nothing is known of %s", what);
}

void pt_need_kernel(unsigned major, unsigned minor, const char *what)
{
    unsigned a = 0, b = 0;
    struct utsname name;

    CHECK(!uname(&name) && sscanf(name.release, "%u.%u", &a, &b) == 2,
          "no kernel version");
    if (a < major || (a == major && b < minor)) {
        ktap_skip("%s comes with Linux %u.%u", what, major, minor);
    }
}

void pt_bind(struct pt *pt)
{
    int ret = ioctl(pt->fd, PRI_TESTDEV_IOC_BIND, &pt->pasid);

    if (ret && (errno == EOPNOTSUPP || errno == ENODEV)) {
        pt_need("sva");
    }
    CHECK(!ret, "bind: %s%s", strerror(errno),
          errno == EOPNOTSUPP || errno == ENODEV ?
          " (no SVA: kernel or IOMMU lacks it)" : "");
    CHECK(pt->pasid, "bind gave PASID 0");
    pt->bound = true;
}

void pt_unbind(struct pt *pt)
{
    CHECK(!ioctl(pt->fd, PRI_TESTDEV_IOC_UNBIND), "unbind: %s",
          strerror(errno));
    pt->bound = false;
}

void pt_info(struct pt *pt, struct pri_testdev_info *info)
{
    CHECK(!ioctl(pt->fd, PRI_TESTDEV_IOC_INFO, info), "info: %s",
          strerror(errno));
}

uint64_t pt_counter(struct pt *pt, unsigned offset)
{
    return pt_rd64(pt->func, offset);
}

void pt_chan(struct pt *pt, struct pt_chan *ch)
{
    uint32_t index;

    CHECK(!ioctl(pt->fd, PRI_TESTDEV_IOC_ALLOC_CHANNEL, &index),
          "channel: %s", strerror(errno));
    ch->pt = pt;
    ch->index = index;
    ch->regs = pt_map_page(pt, index);
}

void pt_start(struct pt_chan *ch, const struct pt_op *op)
{
    pt_reg *regs = ch->regs;
    uint32_t flags = op->flags;

    if (ch->pt->bound) {
        flags |= PT_FLAG_PASID;
    }
    if (!op->no_irq) {
        flags |= PT_FLAG_IRQ;
    }
    ch->pt->events &= ~(1ull << ch->index);
    pt_wr32(regs, PT_CH_IRQ_STATUS, 1);
    pt_wr32(regs, PT_CH_FLAGS, flags);
    pt_wr32(regs, PT_CH_PASID, ch->pt->pasid);
    pt_wr64(regs, PT_CH_SRC, (uintptr_t)op->src);
    pt_wr64(regs, PT_CH_DST, (uintptr_t)op->dst);
    pt_wr64(regs, PT_CH_LEN, op->len);
    pt_wr64(regs, PT_CH_PATTERN, op->pattern);
    pt_wr32(regs, PT_CH_GROUP, op->group ? op->group : PT_GROUP_DEFAULT);
    pt_wr32(regs, PT_CH_RETRIES,
            op->retries ? op->retries : PT_RETRIES_DEFAULT);
    pt_wr64(regs, PT_CH_LIST, (uintptr_t)op->list);
    pt_wr32(regs, PT_CH_LIST_LEN, op->list_len);
    ktap_mark("start channel=%u cmd=%u src=0x%llx dst=0x%llx len=%llu",
              ch->index, op->cmd, (unsigned long long)(uintptr_t)op->src,
              (unsigned long long)(uintptr_t)op->dst,
              (unsigned long long)op->len);
    pt_wr32(regs, PT_CH_CMD, op->cmd);
}

/*
 * Wait until the channel has raised its interrupt; false: not before `until`.
 */
static bool pt_wait_irq(struct pt_chan *ch, double until)
{
    struct pt *pt = ch->pt;
    uint64_t bit = 1ull << ch->index;

    while (!(pt->events & bit)) {
        struct pollfd pfd = { .fd = pt->fd, .events = POLLIN };
        double left = (until - pt_now()) * 1000;
        uint64_t events;

        if (left <= 0 || poll(&pfd, 1, left + 1) <= 0) {
            return false;
        }
        CHECK(read(pt->fd, &events, sizeof(events)) == sizeof(events),
              "read of events: %s", strerror(errno));
        pt->events |= events;
    }
    pt->events &= ~bit;
    return true;
}

uint32_t pt_wait(struct pt_chan *ch, const struct pt_op *op, unsigned ms)
{
    double until = pt_now() + ms / 1000.0;
    uint64_t done = pt_rd64(ch->regs, PT_CH_DONE);
    uint32_t status;

    for (;;) {
        uint64_t before = done;

        /*
         * An interrupt of an operation before this one can still come in:
         * the status decides.
         */
        bool irq = op->no_irq || pt_wait_irq(ch, until);

        status = pt_rd32(ch->regs, PT_CH_STATUS);
        if (status != PT_ST_RUNNING) {
            CHECK(irq, "channel %u: status %s, but no interrupt", ch->index,
                  pt_status_name(status));
            ktap_mark("end channel=%u status=%u", ch->index, status);
            return status;
        }
        /*
         * The guest's clock continues while a busy host gives the guest no
         * CPU: bytes that are done, and not the time, tell a slow
         * operation from one that hangs.
         */
        done = pt_rd64(ch->regs, PT_CH_DONE);
        if (done != before && ms >= PT_TIMEOUT) {
            until = pt_now() + ms / 1000.0;
        } else if (pt_now() > until) {
            return status;
        }
        if (op->no_irq) {
            pt_sleep_ms(1);
        }
    }
}

void pt_result(struct pt_chan *ch, struct pt_result *res)
{
    res->status = pt_rd32(ch->regs, PT_CH_STATUS);
    res->crc = pt_rd32(ch->regs, PT_CH_CRC);
    res->resp_code = pt_rd32(ch->regs, PT_CH_RESP_CODE);
    res->requests = pt_rd32(ch->regs, PT_CH_REQUESTS);
    res->groups = pt_rd32(ch->regs, PT_CH_GROUPS);
    res->done = pt_rd64(ch->regs, PT_CH_DONE);
    res->err_addr = pt_rd64(ch->regs, PT_CH_ERR_ADDR);
}

uint32_t pt_run(struct pt_chan *ch, const struct pt_op *op,
                struct pt_result *res)
{
    struct pt_result local;

    pt_start(ch, op);
    pt_wait(ch, op, PT_TIMEOUT);
    pt_result(ch, res ? res : &local);
    return res ? res->status : local.status;
}

void pt_expect(struct pt_chan *ch, const struct pt_op *op,
               uint32_t status, struct pt_result *res)
{
    struct pt_result local;

    res = res ? res : &local;
    pt_run(ch, op, res);
    CHECK(res->status == status,
          "op %u of %llu bytes ended with %s, not %s "
          "(done %llu, address 0x%llx, response %u, %u requests, %u groups)",
          op->cmd, (unsigned long long)op->len, pt_status_name(res->status),
          pt_status_name(status), (unsigned long long)res->done,
          (unsigned long long)res->err_addr, res->resp_code, res->requests,
          res->groups);
}

const char *pt_status_name(uint32_t status)
{
    static const char *const names[] = {
        [PT_ST_IDLE] = "idle",
        [PT_ST_RUNNING] = "running",
        [PT_ST_DONE] = "done",
        [PT_ST_INVALID_REQUEST] = "invalid-request",
        [PT_ST_RESPONSE_FAILURE] = "response-failure",
        [PT_ST_NO_PRI] = "no-pri",
        [PT_ST_TRANS_UR] = "translation-ur",
        [PT_ST_TRANS_CA] = "translation-ca",
        [PT_ST_RETRY_LIMIT] = "retry-limit",
        [PT_ST_DMA_ERROR] = "dma-error",
        [PT_ST_ABORTED] = "aborted",
        [PT_ST_BAD_COMMAND] = "bad-command",
        [PT_ST_NOT_ENABLED] = "not-enabled",
        [PT_ST_BAD_LIST] = "bad-list",
        [PT_ST_TIMEOUT] = "timeout",
    };

    if (status < sizeof(names) / sizeof(names[0])) {
        return names[status];
    }
    return status == UINT32_MAX ? "all ones" : "an unknown status";
}

void pt_raw_send(struct pt *pt, const struct pt_raw *raw)
{
    pt_wr32(pt->func, PT_RAW_RESP, 0);
    pt_wr64(pt->func, PT_RAW_ADDR, raw->addr);
    pt_wr32(pt->func, PT_RAW_PASID, raw->pasid);
    pt_wr32(pt->func, PT_RAW_FLAGS, raw->flags);
    pt_wr32(pt->func, PT_RAW_PRGI, raw->prgi);
    pt_wr32(pt->func, PT_RAW_SEND, 1);
}

void pt_raw_send_groups(struct pt *pt, uint64_t addr, unsigned n)
{
    struct pt_raw raw = {
        .addr = addr,
        .flags = PT_RAW_WRITE | PT_RAW_LAST,
        .pasid = pt->pasid | PT_RAW_PASID_PRESENT,
    };

    for (raw.prgi = 0; raw.prgi < n; raw.prgi++) {
        pt_raw_send(pt, &raw);
    }
}

bool pt_raw_wait(struct pt *pt, struct pt_raw_resp *resp, unsigned ms)
{
    double until = pt_now() + ms / 1000.0;
    uint32_t v;

    while (!((v = pt_rd32(pt->func, PT_RAW_RESP)) & PT_RAW_RESP_VALID)) {
        if (pt_now() > until) {
            return false;
        }
        pt_sleep_ms(1);
    }
    resp->code = PT_RAW_RESP_CODE(v);
    resp->prgi = PT_RAW_RESP_PRGI(v);
    resp->had_pasid = v & PT_RAW_RESP_HAD_PASID;
    resp->pasid = pt_rd32(pt->func, PT_RAW_RESP_PASID);
    return true;
}

void pt_send(struct pt *pt, const void *addr, uint32_t flags, unsigned prgi)
{
    struct pt_raw raw = {
        .addr = (uintptr_t)addr, .flags = flags, .prgi = prgi,
        .pasid = pt->pasid | PT_RAW_PASID_PRESENT,
    };

    pt_raw_send(pt, &raw);
}

void pt_expect_resp(struct pt *pt, unsigned prgi, uint32_t code)
{
    struct pt_raw_resp resp;

    CHECK(pt_raw_wait(pt, &resp, PT_RESP_MS), "no response for PRGI %u", prgi);
    CHECK_EQ(resp.prgi, prgi, "PRGI of the response");
    CHECK_EQ(resp.code, code, "response code");
    CHECK(resp.had_pasid, "response without PASID");
    CHECK_EQ(resp.pasid, pt->pasid, "PASID of the response");
}

void pt_expect_no_resp(struct pt *pt)
{
    struct pt_raw_resp resp;

    CHECK(!pt_raw_wait(pt, &resp, PT_NO_RESP_MS),
          "response with code %u for PRGI %u", resp.code, resp.prgi);
}

/* -- Statistics ------------------------------------------------------------ */

static const struct {
    const char *name;
    unsigned offset;
} pt_stats[] = {
    { "page_requests", PT_CNT_PAGE_REQUESTS },      /* first: for the rate */
    { "groups", PT_CNT_GROUPS },
    { "resp_success", PT_CNT_RESP_SUCCESS },
    { "resp_invalid", PT_CNT_RESP_INVALID },
    { "resp_failure", PT_CNT_RESP_FAILURE },
    { "invalidations", PT_CNT_INV_REQUESTS },
};

#define PT_STATS    (sizeof(pt_stats) / sizeof(pt_stats[0]))

void pt_stat_begin(struct pt *pt, struct pt_stat *stat)
{
    unsigned i;

    for (i = 0; i < PT_STATS; i++) {
        stat->before[i] = pt_counter(pt, pt_stats[i].offset);
    }
    stat->start = pt_now();
}

void pt_stat_end(struct pt *pt, struct pt_stat *stat, const char *workload,
                 uint64_t pages)
{
    double seconds = pt_now() - stat->start;
    uint64_t requests = 0;
    unsigned i;

    ktap_note("stat %s pages %llu", workload, (unsigned long long)pages);
    for (i = 0; i < PT_STATS; i++) {
        uint64_t v = pt_counter(pt, pt_stats[i].offset) - stat->before[i];

        ktap_note("stat %s %s %llu", workload, pt_stats[i].name,
                  (unsigned long long)v);
        requests = i == 0 ? v : requests;
    }
    ktap_note("stat %s faults_per_second %.0f", workload,
              seconds > 0 ? requests / seconds : 0);
}
