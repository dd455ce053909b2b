/*
 * The driver's own promises: who owns what, what is refused, and what is left
 * when the function goes away under an open file.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pt.h"
#include "sysfs.h"

#define PATTERN     0x8877665544332211ull
#define PAGES(n)    ((n) * PT_PAGE)

static void write_some(struct pt_chan *ch)
{
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .len = PAGES(4), .pattern = PATTERN,
    };

    op.dst = pt_map_anon(op.len);
    pt_expect(ch, &op, PT_ST_DONE, NULL);
    pt_check_stamp(op.dst, op.len, PATTERN);
    munmap(op.dst, op.len);
}

static void test_binding(void)
{
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .len = PAGES(4), .pattern = PATTERN,
    };
    struct pri_testdev_info info;
    struct pt_chan ch, ch2;
    struct pt pt, pt2;
    uint32_t pasid;

    pt_open(&pt, 0);
    CHECK_ERRNO(ioctl(pt.fd, PRI_TESTDEV_IOC_UNBIND), EINVAL);
    CHECK_ERRNO(ioctl(pt.fd, PRI_TESTDEV_IOC(9)), ENOTTY);
    pt_bind(&pt);
    CHECK_ERRNO(ioctl(pt.fd, PRI_TESTDEV_IOC_BIND, &pasid), EBUSY);
    pt_info(&pt, &info);
    CHECK_EQ(info.bound, 1, "bound");
    CHECK_EQ(info.pasid, pt.pasid, "PASID");
    CHECK_EQ(info.channels, pt_rd32(pt.func, PT_CHANNELS), "channels");
    pt_chan(&pt, &ch);
    write_some(&ch);

    /* One address space, two files: one PASID, which lasts as long as both */
    pt_open_bound(&pt2, 0);
    CHECK_EQ(pt2.pasid, pt.pasid, "PASID of the second file");
    pt_chan(&pt2, &ch2);
    write_some(&ch2);
    pt_unbind(&pt);
    write_some(&ch2);
    munmap((void *)ch2.regs, PT_PAGE);
    pt_close(&pt2);

    /* No binding is left: nothing is reached */
    op.dst = pt_map_anon(op.len);
    op.flags = PT_FLAG_PASID;
    CHECK(pt_run(&ch, &op, NULL) != PT_ST_DONE, "works without a binding");
    pt_check_zero(op.dst, op.len);

    pt_bind(&pt);
    write_some(&ch);
}

static void test_unbind_in_flight(void)
{
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .len = 64ull << 20, .pattern = PATTERN,
        .no_irq = true,
    };
    struct pt_chan ch;
    struct pt pt;
    unsigned i;

    pt_open(&pt, 0);
    pt_chan(&pt, &ch);
    op.dst = pt_map_anon(op.len);
    for (i = 0; i < 8; i++) {
        pt_bind(&pt);
        op.group = 1 + i;
        CHECK(!madvise(op.dst, op.len, MADV_DONTNEED), "madvise: %s",
              strerror(errno));
        pt_start(&ch, &op);
        while (pt_rd32(ch.regs, PT_CH_REQUESTS) < 2 * i) {
            pt_sleep_ms(0);
        }
        CHECK_EQ(pt_rd32(ch.regs, PT_CH_STATUS), PT_ST_RUNNING, "status");
        pt_unbind(&pt);
        CHECK_EQ(pt_rd32(ch.regs, PT_CH_STATUS), PT_ST_ABORTED, "status");
    }
    pt_bind(&pt);
    write_some(&ch);
}

/*
 * What a file has started ends with it, also where its address space stays
 * bound for another file: the device writes no more, and the next owner of
 * the channel finds it idle.
 */
static void test_close_in_flight(void)
{
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .len = 64ull << 20, .pattern = PATTERN,
        .no_irq = true,
    };
    struct pt_chan ch, next;
    struct pt pt, pt2;
    uint64_t done;

    pt_open_bound(&pt2, 0);
    pt_open_bound(&pt, 0);
    CHECK_EQ(pt2.pasid, pt.pasid, "PASID of the second file");
    pt_chan(&pt, &ch);
    op.dst = pt_map_anon(op.len);
    pt_start(&ch, &op);
    while (!pt_rd64(ch.regs, PT_CH_DONE)) {
        CHECK_EQ(pt_rd32(ch.regs, PT_CH_STATUS), PT_ST_RUNNING, "status");
    }
    munmap((void *)ch.regs, PT_PAGE);
    pt_close(&pt);

    /* channels are given out from the first: it is the same one */
    pt_chan(&pt2, &next);
    CHECK_EQ(next.index, ch.index, "channel of the second file");
    CHECK_EQ(pt_rd32(next.regs, PT_CH_STATUS), PT_ST_ABORTED,
             "status after the file was closed");
    done = pt_rd64(next.regs, PT_CH_DONE);
    CHECK(done < op.len, "64 MiB were too few to be in flight");
    pt_sleep_ms(50);
    CHECK_EQ(pt_rd64(next.regs, PT_CH_DONE), done, "bytes done");
    CHECK(!pt_resident((char *)op.dst + op.len - PT_PAGE),
          "the last page was written after the file was closed");
    write_some(&next);
}

static void test_channels(void)
{
    struct pt_chan ch, other;
    struct pt pt, pt2;
    uint32_t index;
    unsigned i;

    pt_open(&pt, 0);
    pt_open(&pt2, 0);
    pt_chan(&pt2, &other);
    for (i = 1; i < pt.channels; i++) {
        pt_chan(&pt, &ch);
        CHECK(ch.index != other.index, "channel %u twice", ch.index);
        CHECK_EQ(pt_rd32(ch.regs, PT_CH_GROUP), PT_GROUP_DEFAULT, "group");
        pt_wr32(ch.regs, PT_CH_GROUP, 77);
    }
    CHECK_ERRNO(ioctl(pt.fd, PRI_TESTDEV_IOC_ALLOC_CHANNEL, &index), ENOSPC);
    CHECK_ERRNO(ioctl(pt2.fd, PRI_TESTDEV_IOC_ALLOC_CHANNEL, &index), ENOSPC);

    /* Whose page is whose */
    CHECK_ERRNO(mmap(NULL, PT_PAGE, PROT_READ, MAP_SHARED, pt.fd,
                     PAGES(other.index)), EACCES);
    CHECK_ERRNO(mmap(NULL, PT_PAGE, PROT_READ, MAP_SHARED, pt2.fd,
                     PAGES(ch.index)), EACCES);
    CHECK_ERRNO(mmap(NULL, PT_PAGE, PROT_READ, MAP_SHARED, pt.fd,
                     PAGES(PRI_TESTDEV_FUNCTION_PAGE + 1)), EACCES);
    CHECK_ERRNO(mmap(NULL, 2 * PT_PAGE, PROT_READ, MAP_SHARED, pt.fd,
                     PAGES(ch.index)), EINVAL);
    CHECK_ERRNO(mmap(NULL, PT_PAGE, PROT_READ, MAP_PRIVATE, pt.fd,
                     PAGES(ch.index)), EINVAL);

    /* A channel that comes back has forgotten its parameters */
    munmap((void *)other.regs, PT_PAGE);
    pt_close(&pt2);
    pt_chan(&pt, &other);
    CHECK_EQ(pt_rd32(other.regs, PT_CH_GROUP), PT_GROUP_DEFAULT, "group");
}

static void test_function_page(void)
{
    struct pt pt;
    void *p;

    pt_open(&pt, 0);
    CHECK_EQ(pt_rd32(pt.func, PT_ID), PT_ID_MAGIC, "PT_ID");
    CHECK(!setuid(65534), "setuid: %s", strerror(errno));
    CHECK_ERRNO(mmap(NULL, PT_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, pt.fd,
                     PAGES(PRI_TESTDEV_FUNCTION_PAGE)), EPERM);
    p = mmap(NULL, PT_PAGE, PROT_READ, MAP_SHARED, pt.fd,
             PAGES(PRI_TESTDEV_FUNCTION_PAGE));
    CHECK(p != MAP_FAILED, "mmap: %s", strerror(errno));
    CHECK_EQ(pt_rd32(p, PT_ID), PT_ID_MAGIC, "PT_ID");
    CHECK_ERRNO(mprotect(p, PT_PAGE, PROT_READ | PROT_WRITE), EACCES);
}

static void test_events(void)
{
    struct pt_op op = { .cmd = PT_OP_NOP };
    struct pri_testdev_eventfd req;
    struct pt_chan ch, ch2;
    struct pollfd pfd;
    uint64_t events;
    struct pt pt;

    pt_open(&pt, 0);
    pt_chan(&pt, &ch);
    pt_chan(&pt, &ch2);
    CHECK(!fcntl(pt.fd, F_SETFL, O_NONBLOCK), "fcntl: %s", strerror(errno));
    CHECK_ERRNO(read(pt.fd, &events, 8), EAGAIN);
    CHECK_ERRNO(read(pt.fd, &events, 7), EINVAL);

    pt_start(&ch, &op);
    pt_start(&ch2, &op);
    pfd = (struct pollfd) { .fd = pt.fd, .events = POLLIN };
    CHECK(poll(&pfd, 1, 5000) == 1 && pfd.revents == POLLIN,
          "poll says 0x%x", pfd.revents);
    pt_sleep_ms(50);
    CHECK(read(pt.fd, &events, 8) == 8, "read: %s", strerror(errno));
    CHECK_EQ(events, 1ull << ch.index | 1ull << ch2.index, "events");
    CHECK_ERRNO(read(pt.fd, &events, 8), EAGAIN);

    /* No interrupt that was not asked for */
    op.no_irq = true;
    pt_start(&ch, &op);
    CHECK_EQ(pt_wait(&ch, &op, PT_TIMEOUT), PT_ST_DONE, "status");
    pt_sleep_ms(50);
    CHECK_ERRNO(read(pt.fd, &events, 8), EAGAIN);

    op.no_irq = false;
    req.channel = ch2.index;
    req.fd = eventfd(0, EFD_CLOEXEC);
    CHECK(req.fd >= 0, "eventfd: %s", strerror(errno));
    CHECK(!ioctl(pt.fd, PRI_TESTDEV_IOC_SET_EVENTFD, &req), "eventfd: %s",
          strerror(errno));
    pt_start(&ch, &op);
    pt_wait(&ch, &op, PT_TIMEOUT);
    pfd = (struct pollfd) { .fd = req.fd, .events = POLLIN };
    CHECK(poll(&pfd, 1, 50) == 0, "eventfd signalled by another channel");
    pt_start(&ch2, &op);
    CHECK(read(req.fd, &events, 8) == 8, "read: %s", strerror(errno));
    CHECK_EQ(events, 1, "count of the eventfd");

    req.fd = -1;
    CHECK(!ioctl(pt.fd, PRI_TESTDEV_IOC_SET_EVENTFD, &req), "eventfd: %s",
          strerror(errno));
    req.channel = (ch2.index + 1) % pt.channels;
    CHECK_ERRNO(ioctl(pt.fd, PRI_TESTDEV_IOC_SET_EVENTFD, &req), EACCES);
    req.channel = pt.channels;
    CHECK_ERRNO(ioctl(pt.fd, PRI_TESTDEV_IOC_SET_EVENTFD, &req), EINVAL);
}

static sigjmp_buf bus_error;

static void on_bus_error(int sig)
{
    siglongjmp(bus_error, sig);
}

static bool readable(pt_reg *regs)
{
    struct sigaction sa = { .sa_handler = on_bus_error };

    sigaction(SIGBUS, &sa, NULL);
    if (sigsetjmp(bus_error, 1)) {
        return false;
    }
    pt_rd32(regs, 0);
    return true;
}

/* The function has left an open file that had a binding and an operation */
static void check_gone(struct pt *pt, struct pt_chan *ch)
{
    struct pollfd pfd = { .fd = pt->fd, .events = POLLIN };
    struct pri_testdev_info info;
    uint64_t events;
    uint32_t v;

    CHECK(poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLHUP),
          "poll says 0x%x", pfd.revents);
    CHECK_ERRNO(ioctl(pt->fd, PRI_TESTDEV_IOC_INFO, &info), ENODEV);
    CHECK_ERRNO(ioctl(pt->fd, PRI_TESTDEV_IOC_BIND, &v), ENODEV);
    CHECK_ERRNO(ioctl(pt->fd, PRI_TESTDEV_IOC_UNBIND), ENODEV);
    CHECK_ERRNO(ioctl(pt->fd, PRI_TESTDEV_IOC_ALLOC_CHANNEL, &v), ENODEV);
    CHECK_ERRNO(mmap(NULL, PT_PAGE, PROT_READ, MAP_SHARED, pt->fd,
                     PAGES(PRI_TESTDEV_FUNCTION_PAGE)), ENODEV);
    if (pt->events || read(pt->fd, &events, 8) == 8) {
        CHECK_ERRNO(read(pt->fd, &events, 8), ENODEV);
    }
    CHECK(!readable(ch->regs), "channel page is still mapped");
    CHECK(!readable(pt->func), "function page is still mapped");
}

static void go_away(void (*leave)(const char *), void (*back)(const char *))
{
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .len = 64ull << 20, .pattern = PATTERN,
    };
    struct pri_testdev_info info;
    struct pt_chan ch;
    struct pt pt;

    pt_open_bound(&pt, 0);
    pt_info(&pt, &info);
    pt_chan(&pt, &ch);
    op.dst = pt_map_anon(op.len);
    pt_start(&ch, &op);
    while (!pt_rd64(ch.regs, PT_CH_DONE)) {
        CHECK_EQ(pt_rd32(ch.regs, PT_CH_STATUS), PT_ST_RUNNING, "status");
    }
    leave(info.pci_name);
    check_gone(&pt, &ch);
    munmap((void *)ch.regs, PT_PAGE);
    pt_close(&pt);

    back(info.pci_name);
    CHECK_EQ(sysfs_wait_node(info.pci_name), 0, "number of the node");
    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    write_some(&ch);
}

static void test_driver_unbind(void)
{
    go_away(sysfs_unbind, sysfs_bind);
}

static void rescan(const char *pci_name)
{
    (void)pci_name;
    sysfs_rescan();
}

static void test_remove_rescan(void)
{
    go_away(sysfs_remove, rescan);
}

/* The file of before may stay open while the function is in use again */
static void test_late_close(void)
{
    struct pri_testdev_info info;
    struct pt_chan ch, ch2;
    struct pt pt, pt2;
    unsigned node;

    pt_open_bound(&pt, 0);
    pt_info(&pt, &info);
    pt_chan(&pt, &ch);
    sysfs_unbind(info.pci_name);
    sysfs_bind(info.pci_name);
    /* the old function keeps its number until its last file is closed */
    node = sysfs_wait_node(info.pci_name);
    CHECK(node, "number 0 was given away");
    pt_open_bound(&pt2, node);
    pt_chan(&pt2, &ch2);
    write_some(&ch2);
    check_gone(&pt, &ch);
    munmap((void *)ch.regs, PT_PAGE);
    pt_close(&pt);
    write_some(&ch2);
    munmap((void *)ch2.regs, PT_PAGE);
    pt_close(&pt2);
    /* back to number 0 for the tests that follow */
    sysfs_unbind(info.pci_name);
    sysfs_bind(info.pci_name);
    CHECK_EQ(sysfs_wait_node(info.pci_name), 0, "number of the node");
}

/* The module stays while a file is open, goes without, and comes back */
static void test_reload(void)
{
    struct pri_testdev_info info;
    struct pt_chan ch;
    struct pt pt;
    int fd;

    pt_open_bound(&pt, 0);
    pt_info(&pt, &info);
    pt_chan(&pt, &ch);
    CHECK_ERRNO(syscall(SYS_delete_module, "pri_testdev", O_NONBLOCK), EAGAIN);
    write_some(&ch);
    munmap((void *)ch.regs, PT_PAGE);
    pt_close(&pt);

    CHECK(!syscall(SYS_delete_module, "pri_testdev", O_NONBLOCK),
          "delete_module: %s", strerror(errno));
    CHECK_ERRNO(open("/dev/pri_testdev0", O_RDWR), ENOENT);
    fd = open("/lib/pri_testdev.ko", O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0 && !syscall(SYS_finit_module, fd, "", 0),
          "finit_module: %s", strerror(errno));
    /* functions may be found in another order now */
    pt_open_bound(&pt, sysfs_wait_node(info.pci_name));
    pt_chan(&pt, &ch);
    write_some(&ch);
}

/* Many processes come, bind, fault, unbind and go, for a while */
static void test_stress(void)
{
    double until = pt_now() + 6;
    pid_t child[4];
    unsigned i;

    for (i = 0; i < 4; i++) {
        child[i] = fork();
        CHECK(child[i] >= 0, "fork: %s", strerror(errno));
        if (child[i]) {
            continue;
        }
        while (pt_now() < until) {
            struct pt_chan ch;
            struct pt pt;

            pt_open_bound(&pt, 0);
            pt_chan(&pt, &ch);
            write_some(&ch);
            pt_unbind(&pt);
            pt_bind(&pt);
            write_some(&ch);
            munmap((void *)ch.regs, PT_PAGE);
            pt_close(&pt);
        }
        _exit(KTAP_PASS);
    }
    for (i = 0; i < 4; i++) {
        pt_reap(child[i], KTAP_PASS);
    }
}

/* A file of sysfs or debugfs as text */
static void read_text(char *buf, size_t size, const char *dir,
                      const char *pci_name, const char *file)
{
    size_t done = 0;
    ssize_t n = 1;
    char path[160];
    int fd;

    snprintf(path, sizeof(path), "%s/%s/%s", dir, pci_name, file);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0, "%s: %s", path, strerror(errno));
    while (n > 0 && done < size - 1) {
        n = read(fd, buf + done, size - 1 - done);
        CHECK(n >= 0, "%s: %s", path, strerror(errno));
        done += n;
    }
    buf[done] = 0;
    close(fd);
}

static unsigned long long read_number(const char *pci_name, const char *file)
{
    char buf[64];

    read_text(buf, sizeof(buf), "/sys/bus/pci/devices", pci_name, file);
    return strtoull(buf, NULL, 0);
}

/* sysfs and debugfs say what the registers say */
static void test_show(void)
{
    static char log[64 << 10];
    struct pri_testdev_info info;
    struct pt_chan ch;
    char buf[256];
    unsigned files;
    struct pt pt;

    pt_open(&pt, 0);
    pt_info(&pt, &info);
    files = read_number(info.pci_name, "pri_testdev/files");
    pt_bind(&pt);
    pt_chan(&pt, &ch);
    pt_wr32(pt.func, PT_CTRL, PT_CTRL_CLEAR_COUNTERS | PT_CTRL_CLEAR_LOG);
    write_some(&ch);
    CHECK_EQ(read_number(info.pci_name, "counters/page_requests"), 4,
             "page requests");
#define CHECK_COUNTER(NAME, offset, part, field, text) do { \
        char file[64] = "counters/" #NAME, *c; \
        for (c = file; *c; c++) { \
            *c = tolower((unsigned char)*c); \
        } \
        CHECK_EQ(read_number(info.pci_name, file), pt_counter(&pt, offset), \
                 #NAME); \
    } while (0);
    PT_COUNTERS(CHECK_COUNTER)
    CHECK_EQ(read_number(info.pci_name, "pri_testdev/resets"), info.resets,
             "resets");
    CHECK_EQ(read_number(info.pci_name, "pri_testdev/files"), files, "files");
    CHECK_EQ(read_number(info.pci_name, "pri_testdev/groups_held"), 0,
             "groups held");
    CHECK_EQ(read_number(info.pci_name, "pri_testdev/groups_late"), 0,
             "late groups");
    read_text(buf, sizeof(buf), "/sys/bus/pci/devices", info.pci_name,
              "pri_testdev/state");
    CHECK(!strcmp(buf, "live\n"), "state is %s", buf);

    pt_wr32(pt.func, PT_LOG_SELECT, 3);
    read_text(log, sizeof(log), "/sys/kernel/debug/pri_testdev",
              info.pci_name, "log");
    CHECK_EQ(pt_rd32(pt.func, PT_LOG_SELECT), 3, "PT_LOG_SELECT");
    snprintf(buf, sizeof(buf), " page-request pasid=0x%x tag=", pt.pasid);
    CHECK(strstr(log, buf), "no '%s' in the log", buf);
    CHECK(strstr(log, " prg-response "), "no response in the log");
    read_text(log, sizeof(log), "/sys/kernel/debug/pri_testdev",
              info.pci_name, "files");
    snprintf(buf, sizeof(buf), "pid=%d groups=0 held=0 ", getpid());
    CHECK(strstr(log, buf), "no '%s' in files: %s", buf, log);
}

static const struct ktap_test tests[] = {
    { "binding", test_binding, 0 },
    { "unbind-in-flight", test_unbind_in_flight, 0 },
    { "close-in-flight", test_close_in_flight, 0 },
    { "channels", test_channels, 0 },
    { "function-page", test_function_page, 0 },
    { "events", test_events, 0 },
    { "driver-unbind", test_driver_unbind, 0 },
    { "remove-rescan", test_remove_rescan, 0 },
    { "late-close", test_late_close, 0 },
    { "reload", test_reload, 0 },
    { "show", test_show, 0 },
    { "stress", test_stress, 0 },
};

KTAP_MAIN(tests)
