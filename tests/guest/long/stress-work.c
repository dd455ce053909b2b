/*
 * The workers of stress.c
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pt-domain.h"
#include "stress.h"
#include "sysfs.h"

#ifndef MADV_COLD
#define MADV_COLD       20
#define MADV_PAGEOUT    21
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE   25
#endif

#define PAGES(n)    ((n) * PT_PAGE)
#define KEEP        (4ull << 20)    /* memory whose bytes count */
#define LOSE        (1ull << 20)    /* memory that comes and goes */
static uint64_t rounds;             /* of this worker */

/* -- A device that can leave at any moment -------------------------------- */

/*
 * Registers of a function that leaves give SIGBUS; the process continues in
 * the loop of its worker, and starts again with an open.
 */
static sigjmp_buf gone;

struct dev {
    struct pt pt;
    struct pt_chan ch;
};

static struct dev dev = { .pt.fd = -1 };

static void on_bus_error(int sig)
{
    siglongjmp(gone, sig);
}

void stress_begin(void)
{
    struct sigaction sa = { .sa_handler = on_bus_error };

    sigaction(SIGBUS, &sa, NULL);
}

static void dev_close(void)
{
    if (dev.ch.regs) {
        munmap((void *)dev.ch.regs, PT_PAGE);
    }
    if (dev.pt.fd >= 0) {
        close(dev.pt.fd);
    }
    memset(&dev, 0, sizeof(dev));
    dev.pt.fd = -1;
}

/* What a call may say while others reset, unbind and use all the channels */
static bool may_fail(int error)
{
    return error == ENOENT || error == ENODEV || error == ENXIO ||
           error == EAGAIN || error == EBUSY || error == ENOSPC ||
           error == EINVAL || error == ENOMEM;
}

/* Open some function and get a channel; false: not now */
static bool dev_open(uint64_t *rnd)
{
    uint32_t index;
    char name[32];
    void *p;

    dev_close();
    snprintf(name, sizeof(name), "/dev/" PRI_TESTDEV_NODE "%u",
             (unsigned)(pt_random(rnd) % 2));
    dev.pt.fd = open(name, O_RDWR | O_CLOEXEC);
    if (dev.pt.fd < 0) {
        CHECK(may_fail(errno), "%s: %s", name, strerror(errno));
        return false;
    }
    if (ioctl(dev.pt.fd, PRI_TESTDEV_IOC_ALLOC_CHANNEL, &index)) {
        CHECK(may_fail(errno), "channel: %s", strerror(errno));
        return false;
    }
    p = mmap(NULL, PT_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, dev.pt.fd,
             index * PT_PAGE);
    if (p == MAP_FAILED) {
        CHECK(may_fail(errno), "channel page: %s", strerror(errno));
        return false;
    }
    dev.ch = (struct pt_chan) { .pt = &dev.pt, .index = index, .regs = p };
    return true;
}

static bool dev_bind(void)
{
    if (ioctl(dev.pt.fd, PRI_TESTDEV_IOC_BIND, &dev.pt.pasid)) {
        if (errno == EOPNOTSUPP) {
            ktap_skip("this kernel has SVA switched off");
        }
        CHECK(may_fail(errno), "bind: %s", strerror(errno));
        return false;
    }
    dev.pt.bound = true;
    return true;
}

/* The channel still belongs to a function that translates for this file */
static bool dev_bound(void)
{
    struct pri_testdev_info info;

    return !ioctl(dev.pt.fd, PRI_TESTDEV_IOC_INFO, &info) &&
           (info.bound || info.domain);
}

/* -- Workers: each a process that works until a point in time ------------- */

/*
 * Memory that changes its place and form, but not its bytes
 */
static void disturb_keep(uint8_t *p, uint64_t *rnd)
{
    size_t at = PAGES(pt_random(rnd) % (KEEP / PT_PAGE / 2));
    size_t len = PAGES(1 + pt_random(rnd) % (KEEP / PT_PAGE / 2));
    pid_t child;

    switch (pt_random(rnd) % 12) {
    case 0:
        madvise(p, KEEP, MADV_HUGEPAGE);
        break;
    case 1:
        madvise(p + at, len, MADV_NOHUGEPAGE);
        break;
    case 2:
        madvise(p, KEEP, MADV_COLLAPSE);
        break;
    case 3:
        madvise(p + at, len, MADV_PAGEOUT);
        break;
    case 4:
        madvise(p + at, len, MADV_COLD);
        break;
    case 5:
        madvise(p, KEEP, MADV_MERGEABLE);
        break;
    case 6:
        madvise(p, KEEP, MADV_UNMERGEABLE);
        break;
    case 7:
        CHECK(!mprotect(p + at, len, PROT_READ), "mprotect: %s",
              strerror(errno));
        CHECK(!mprotect(p + at, len, PROT_READ | PROT_WRITE), "mprotect: %s",
              strerror(errno));
        break;
    case 8:
        child = fork();         /* pages are shared, writes copy them */
        if (!child) {
            memset(p + at, 0xee, len);
            _exit(0);
        }
        if (child > 0 && pt_random(rnd) % 2) {
            kill(child, SIGKILL);
        }
        break;
    case 9:
        while (waitpid(-1, NULL, WNOHANG) > 0) {
            continue;
        }
        break;
    case 10:
        if (pt_random(rnd) % 8 == 0) {
            sysfs_write("/proc/sys/vm/compact_memory", "1");
        }
        break;
    default:
        p[at] += 0;             /* a page that the CPU writes, too */
        break;
    }
}

/* Another process disturbs the same memory through the same address space */
void stress_keep(uint64_t rnd, double until)
{
    uintptr_t raw = (uintptr_t)pt_map_anon(KEEP + PT_HUGE);
    uint8_t *const p = (uint8_t *)((raw + PT_HUGE - 1) & -PT_HUGE);

    while (pt_now() < until) {
        if (sigsetjmp(gone, 1) || !dev_open(&rnd) || !dev_bind()) {
            pt_sleep_ms(5);
            continue;
        }
        while (pt_now() < until) {
            size_t at = pt_random(&rnd) % (KEEP - PAGES(33));
            struct pt_op op = {
                .cmd = PT_OP_WRITE, .dst = p + at, .group = 1 + rnd % 16,
                .len = 1 + pt_random(&rnd) % PAGES(32),
                .pattern = pt_random(&rnd),
            };
            double end = pt_now() + STRESS_HANG;

            op.no_irq = true;
            pt_start(&dev.ch, &op);
            while (pt_rd32(dev.ch.regs, PT_CH_STATUS) == PT_ST_RUNNING) {
                disturb_keep(p, &rnd);
                CHECK(pt_now() < end, "an operation takes more than %u s",
                      STRESS_HANG);
            }
            if (pt_rd32(dev.ch.regs, PT_CH_STATUS) != PT_ST_DONE) {
                if (!dev_bound()) {
                    break;
                }
                continue;       /* it met a moment of PROT_READ */
            }
            disturb_keep(p, &rnd);
            pt_check_stamp(op.dst, op.len, op.pattern);
            rounds++;
        }
    }
    dev_close();
    ktap_note("keep: %llu operations checked", (unsigned long long)rounds);
}

/* Memory of no content at a place that is taken, whatever is left of it */
static void map_anew(void *p, size_t len, int prot)
{
    void *q = mmap(p, len, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                   0);

    CHECK(q == p, "mmap: %s", strerror(errno));
}

/* Memory that goes; between two guards that the device must not touch */
void stress_lose(uint64_t rnd, double until)
{
    uint8_t *const base = pt_map_anon(3 * LOSE);
    uint8_t *const p = base + LOSE;
    uint8_t *const aside = pt_map_anon(LOSE);   /* where it is moved to */

    memset(base, 0xa5, LOSE);
    memset(base + 2 * LOSE, 0xa5, LOSE);
    while (pt_now() < until) {
        /* or the next channel's registers get the place */
        map_anew(p, LOSE, PROT_READ | PROT_WRITE);
        if (sigsetjmp(gone, 1) || !dev_open(&rnd) || !dev_bind()) {
            pt_sleep_ms(5);
            continue;
        }
        while (pt_now() < until && dev_bound()) {
            struct pt_op op = {
                .cmd = PT_OP_FILL, .dst = p, .len = LOSE, .no_irq = true,
                .group = 1 + rnd % 16, .pattern = pt_random(&rnd),
            };
            size_t at = PAGES(pt_random(&rnd) % 128);

            pt_start(&dev.ch, &op);
            switch (pt_random(&rnd) % 4) {
            case 0:
                munmap(p + at, LOSE - at);
                break;
            case 1:
                madvise(p + at, LOSE - at, MADV_DONTNEED);
                break;
            case 2:
                if (mremap(p, LOSE, LOSE, MREMAP_MAYMOVE | MREMAP_FIXED,
                           aside) != MAP_FAILED) {
                    map_anew(aside, LOSE, PROT_NONE);
                }
                break;
            default:
                mprotect(p + at, LOSE - at, PROT_NONE);
                break;
            }
            pt_wr32(dev.ch.regs, PT_CH_CMD, PT_OP_ABORT);
            while (pt_rd32(dev.ch.regs, PT_CH_STATUS) == PT_ST_RUNNING) {
                pt_sleep_ms(0);
            }
            map_anew(p, LOSE, PROT_READ | PROT_WRITE);
            pt_check_zero(p + at, 4 * PT_PAGE);
            rounds++;
        }
    }
    dev_close();
    pt_check_fill(base, LOSE, 0xa5a5a5a5a5a5a5a5ull);
    pt_check_fill(base + 2 * LOSE, LOSE, 0xa5a5a5a5a5a5a5a5ull);
    ktap_note("lose: %llu rounds", (unsigned long long)rounds);
}

/* The end of a process that the device works for */
static void short_life(uint64_t rnd)
{
    static char *const argv[] = { "/bin/busybox", "true", NULL };
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .len = 16ull << 20, .group = 1 + rnd % 32,
        .no_irq = true,
    };

    signal(SIGBUS, SIG_DFL);
    if (!dev_open(&rnd) || !dev_bind()) {
        _exit(0);
    }
    op.dst = pt_map_anon(op.len);
    pt_start(&dev.ch, &op);
    switch (pt_random(&rnd) % 5) {
    case 0:
        _exit(0);
    case 1:
        execv(argv[0], argv);
        _exit(0);
    case 2:
        if (fork() == 0) {      /* the file outlives the address space */
            pt_sleep_ms(pt_random(&rnd) % 20);
        }
        _exit(0);
    case 3:
        close(dev.pt.fd);
        pause();                /* until it is killed */
        _exit(0);
    default:
        pause();
        _exit(0);
    }
}

void stress_lives(uint64_t rnd, double until)
{

    while (pt_now() < until) {
        pid_t child = fork();

        CHECK(child >= 0, "fork: %s", strerror(errno));
        if (!child) {
            short_life(pt_random(&rnd));
        }
        pt_sleep_ms(pt_random(&rnd) % 30);
        kill(child, SIGKILL);
        CHECK(waitpid(child, NULL, 0) == child, "wait: %s", strerror(errno));
        pt_random(&rnd);
        rounds++;
    }
    ktap_note("lives: %llu processes", (unsigned long long)rounds);
}

/* Paging domains: held, answered, detached, in any order */
static void own_round(uint64_t *rnd, uint64_t iova, void *memory)
{
    struct pri_testdev_map map = {
        .iova = iova, .addr = (uintptr_t)memory, .len = PAGES(8), .prot = 3,
    };
    struct pri_testdev_domain dom = {
        .flags = pt_random(rnd) % 4 ? PRI_TESTDEV_DOMAIN_PASID :
                                      PRI_TESTDEV_DOMAIN_RID,
    };
    struct pri_testdev_hold hold = {
        .groups = pt_random(rnd) % 4, .code = PRI_TESTDEV_RESP_INVALID,
    };
    struct pt_op op = {
        .cmd = PT_OP_FILL, .dst = (void *)iova, .len = PAGES(8),
        .group = 1 + pt_random(rnd) % 8, .pattern = pt_random(rnd),
        .no_irq = true,
    };
    uint32_t v;

    if (ioctl(dev.pt.fd, PRI_TESTDEV_IOC_ATTACH_DOMAIN, &dom)) {
        CHECK(may_fail(errno) || errno == EOPNOTSUPP, "attach: %s",
              strerror(errno));
        return;
    }
    dev.pt.bound = dom.flags == PRI_TESTDEV_DOMAIN_PASID;
    dev.pt.pasid = dom.pasid;
    ioctl(dev.pt.fd, PRI_TESTDEV_IOC_HOLD, &hold);
    pt_start(&dev.ch, &op);
    pt_sleep_ms(pt_random(rnd) % 4);
    if (pt_random(rnd) % 2 &&
        !ioctl(dev.pt.fd, PRI_TESTDEV_IOC_MAP, &map)) {
        v = PRI_TESTDEV_RESP_SUCCESS;
        ioctl(dev.pt.fd, PRI_TESTDEV_IOC_RESPOND_ALL, &v);
        if (pt_random(rnd) % 2) {
            ioctl(dev.pt.fd, PRI_TESTDEV_IOC_UNMAP, &map);
        }
    }
    v = pt_random(rnd) % 4 ? 0 : PRI_TESTDEV_DETACH_KEEP;
    if (pt_random(rnd) % 4) {
        if (ioctl(dev.pt.fd, PRI_TESTDEV_IOC_DETACH_DOMAIN, &v)) {
            CHECK(may_fail(errno) || errno == EOPNOTSUPP, "detach: %s",
                  strerror(errno));
            dev_close();
            return;
        }
        v = pt_random(rnd) % 2;
        ioctl(dev.pt.fd, PRI_TESTDEV_IOC_RESPOND_ALL, &v);
    } else {
        dev_close();
    }
}

void stress_domain(uint64_t rnd, double until)
{
    /* a range of its own: a PASID of before may be another's by now */
    uint64_t iova = 0x100000000ull * (16 + rnd % 4096);
    void *memory = pt_map_anon(PAGES(8));

    while (pt_now() < until) {
        if (sigsetjmp(gone, 1) || !dev_open(&rnd)) {
            pt_sleep_ms(5);
            continue;
        }
        while (pt_now() < until && dev.pt.fd >= 0) {
            struct pri_testdev_info info;

            own_round(&rnd, iova, memory);
            rounds++;
            if (ioctl(dev.pt.fd, PRI_TESTDEV_IOC_INFO, &info) || info.domain) {
                break;
            }
        }
    }
    dev_close();
    ktap_note("domain: %llu attachments", (unsigned long long)rounds);
}

/* A process group that is out of memory */
void stress_oom(uint64_t rnd, double until)
{
    char pid[16];
    unsigned kills = 0;

    do {
        int status;
        pid_t child = fork();

        CHECK(child >= 0, "fork: %s", strerror(errno));
        if (!child) {
            struct pt_op op = {
                .cmd = PT_OP_WRITE, .len = 64ull << 20, .no_irq = true,
                .group = 32,
            };
            uint8_t *p = pt_map_anon(op.len);
            size_t at;

            snprintf(pid, sizeof(pid), "%d", getpid());
            sysfs_write(STRESS_CGROUP "/small/cgroup.procs", pid);
            if (dev_open(&rnd) && dev_bind()) {
                op.dst = p;
                pt_start(&dev.ch, &op);
            }
            for (at = op.len; at; at -= PT_PAGE) {
                p[at - 1] = 1;
            }
            _exit(0);
        }
        CHECK(waitpid(child, &status, 0) == child, "wait: %s",
              strerror(errno));
        kills += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        pt_random(&rnd);
    } while (pt_now() < until);
    ktap_note("oom: %u processes killed", kills);
    CHECK(kills, "nobody was killed");
}

/* Function level resets, by the ioctl, of one function or the other */
void stress_reset(uint64_t rnd, double until)
{

    while (pt_now() < until) {
        uint32_t flags = pt_random(&rnd) % 2 ? PRI_TESTDEV_RESET_TRY : 0;

        if (sigsetjmp(gone, 1) || !dev_open(&rnd)) {
            pt_sleep_ms(5);
            continue;
        }
        if (ioctl(dev.pt.fd, PRI_TESTDEV_IOC_RESET, &flags)) {
            CHECK(may_fail(errno), "reset: %s", strerror(errno));
        } else {
            rounds++;
        }
        dev_close();
        pt_sleep_ms(50 + pt_random(&rnd) % 300);
    }
    ktap_note("reset: %llu resets", (unsigned long long)rounds);
}

/* The function loses its driver and gets it back */
void stress_unbind(uint64_t rnd, double until)
{
    struct pri_testdev_info info = {};

    while (!info.pci_name[0] && pt_now() < until) {
        if (dev_open(&rnd)) {
            ioctl(dev.pt.fd, PRI_TESTDEV_IOC_INFO, &info);
        }
    }
    dev_close();
    CHECK(info.pci_name[0], "no function could be opened");
    while (pt_now() < until) {
        pt_sleep_ms(200 + pt_random(&rnd) % 500);
        sysfs_unbind(info.pci_name);
        sysfs_bind(info.pci_name);
        rounds++;
    }
    ktap_note("unbind: %llu times", (unsigned long long)rounds);
}
