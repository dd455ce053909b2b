/*
 * Every method by which Linux can reset the function, each alone, with SVA at
 * work and another process that maps and unmaps
 *
 * Function 0 has all of them.  Function 1 says that it is ready at once
 * (FLR-12), and takes no time.
 *
 * @device af-flr=on,acpi-reset=on,no-soft-reset=off
 * @device.0 flr-duration-ms=60,d3-duration-ms=5,hot-reset-ms=120,flr-config=all-ones
 * @device.1 immediate-readiness=on
 *
 * FLR-01, FLR-05, FLR-09 to FLR-12, PRQ-93, PRQ-94
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pt.h"
#include "sysfs.h"
#include "hw/misc/pri-testdev-knobs.h"

#define PATTERN         0x1122334455667788ull
#define PAGES(n)        ((n) * PT_PAGE)
#define CHANNELS        4
#define ROUNDS          3

/* -- A process that comes and goes ---------------------------------------- */

/* What the child tells; shared memory */
struct child {
    pid_t pid;
    volatile unsigned done;         /* volatile: another process writes */
    volatile unsigned lost;
    volatile bool stop;
};

/* Returns: bound; false if the function is in the hands of a reset */
static bool child_bind(struct pt *pt)
{
    struct pri_testdev_info info;

    pt_info(pt, &info);
    if (!info.bound && ioctl(pt->fd, PRI_TESTDEV_IOC_BIND, &pt->pasid)) {
        CHECK(errno == EAGAIN || errno == EBUSY, "bind: %s", strerror(errno));
        return false;
    }
    pt->bound = true;
    return true;
}

static void child_main(struct child *c)
{
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .len = PAGES(16), .pattern = PATTERN,
        .group = 4, .no_irq = true,
    };
    struct pt_chan ch;
    struct pt pt;

    pt_open(&pt, 0);
    pt_chan(&pt, &ch);
    while (!c->stop) {
        if (!child_bind(&pt)) {
            pt_sleep_ms(1);
            continue;
        }
        op.dst = pt_map_anon(op.len);
        pt_start(&ch, &op);
        if (pt_wait(&ch, &op, 10000) == PT_ST_DONE) {
            pt_check_stamp(op.dst, op.len, PATTERN);
            c->done++;
        } else {
            c->lost++;
        }
        munmap(op.dst, op.len);
    }
    _exit(KTAP_PASS);
}

static struct child *child_start(void)
{
    struct child *c = mmap(NULL, PT_PAGE, PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid;

    pt_need("sva");
    CHECK(c != MAP_FAILED, "mmap: %s", strerror(errno));
    pid = fork();
    CHECK(pid >= 0, "fork: %s", strerror(errno));
    if (!pid) {
        child_main(c);
    }
    c->pid = pid;
    return c;
}

/* Wait until the child has got something done */
static void child_works(struct child *c)
{
    unsigned had = c->done;
    double until = pt_now() + 20;

    while (c->done < had + 2) {
        CHECK(!waitpid(c->pid, NULL, WNOHANG), "the other process has ended");
        CHECK(pt_now() < until, "the other process gets nothing done");
        pt_sleep_ms(1);
    }
}

static void child_stop(struct child *c)
{
    c->stop = true;
    pt_reap(c->pid, KTAP_PASS);
}

/* -- This process --------------------------------------------------------- */

static void check_enabled(struct pt *pt)
{
    uint32_t want = PT_STATE_BME | PT_STATE_ATS | PT_STATE_PRI |
                    PT_STATE_PASID;
    uint32_t state = pt_rd32(pt->func, PT_STATE);

    CHECK((state & want) == want, "state is 0x%x, without 0x%x", state,
          want & ~state);
}

/* One reset with everything at work */
static void one_reset(struct pt *pt, struct pt_chan *ch, const char *name,
                      const char *method, uint32_t kind, bool keep)
{
    struct pri_testdev_info info;
    uint32_t resets = pt_rd32(pt->func, PT_RESETS);
    unsigned i;

    pt_load(pt, ch, CHANNELS);
    sysfs_reset(name, method);
    CHECK_EQ(pt_rd32(pt->func, PT_RESETS), resets + 1, "resets");
    CHECK_EQ(pt_rd32(pt->func, PT_RESET_LAST), kind, "kind of the last reset");
    CHECK_EQ(pt_rd32(pt->func, PT_SCRATCH), 0, "PT_SCRATCH");
    for (i = 0; i < CHANNELS; i++) {
        CHECK_EQ(pt_rd32(ch[i].regs, PT_CH_STATUS), PT_ST_IDLE, "status");
    }
    check_enabled(pt);
    pt_info(pt, &info);
    CHECK_EQ(info.bound, keep, "binding after the reset");
    if (!keep) {
        pt->bound = false;
        pt_bind(pt);
    }
    pt_check_works(&ch[0]);
}

static void run_method(const char *method, uint32_t kind)
{
    struct pri_testdev_info info;
    struct pt_chan ch[CHANNELS] = {};
    struct child *child;
    struct pt pt;
    unsigned i;

    pt_open_bound(&pt, 0);
    pt_info(&pt, &info);
    child = child_start();
    for (i = 0; i < 2 * ROUNDS; i++) {
        bool keep = i >= ROUNDS;

        pt_keep_bindings(keep);
        child_works(child);
        pt_wr32(pt.func, PT_SCRATCH, 7);
        one_reset(&pt, ch, info.pci_name, method, kind, keep);
    }
    child_works(child);
    child_stop(child);
    pt_keep_bindings(false);
    sysfs_reset_method(info.pci_name, "default");
    ktap_note("the other process: %u operations done, %u ended by a reset",
              child->done, child->lost);
    CHECK_EQ(pt_counter(&pt, PT_CNT_VIOLATIONS), 0, "violations");
}

static void test_flr(void)
{
    run_method("flr", PT_RESET_FLR);
}

static void test_af_flr(void)
{
    run_method("af_flr", PT_RESET_AF);
}

static void test_pm(void)
{
    run_method("pm", PT_RESET_D3HOT);
}

static void test_bus(void)
{
    run_method("bus", PT_RESET_HOT);
}

static void test_acpi(void)
{
    run_method("acpi", PT_RESET_PLATFORM);
}

/* Linux finds all of them, and prefers the firmware's */
static void test_list(void)
{
    struct pri_testdev_info info;
    char list[128];
    struct pt pt;

    pt_open(&pt, 0);
    pt_info(&pt, &info);
    sysfs_reset_methods(info.pci_name, list, sizeof(list));
    CHECK(!strcmp(list, "acpi flr af_flr pm bus"), "reset_method is '%s'",
          list);
}

/*
 * To name a method is not to use it: what is at work continues.  For "bus" and
 * "default" that is not so: races/reset-method-probe.
 */
static void test_choose(void)
{
    static const char *const names[] = { "acpi", "flr", "af_flr", "pm" };
    struct pri_testdev_info info;
    struct child *child;
    struct pt pt;
    unsigned i, j;

    pt_open(&pt, 0);
    pt_info(&pt, &info);
    child = child_start();
    child_works(child);
    for (i = 0; i < 10; i++) {
        for (j = 0; j < sizeof(names) / sizeof(names[0]); j++) {
            sysfs_reset_method(info.pci_name, names[j]);
            CHECK_EQ(child->lost, 0, "operations that were ended");
        }
    }
    child_works(child);
    child_stop(child);
    CHECK_EQ(child->lost, 0, "operations that were ended");
    sysfs_reset_method(info.pci_name, "default");
}

/* FLR-11: milliseconds that the kernel takes for a reset */
static unsigned timed_reset(unsigned index, const char *method)
{
    struct pri_testdev_info info;
    struct pt_chan ch;
    struct pt pt;
    double start;
    unsigned ms;

    pt_open_bound(&pt, index);
    pt_chan(&pt, &ch);
    pt_check_works(&ch);
    pt_info(&pt, &info);
    start = pt_now();
    sysfs_reset(info.pci_name, method);
    ms = (pt_now() - start) * 1000;
    ktap_note("function %u, %s: %u ms", index, method, ms);
    pt.bound = false;
    pt_bind(&pt);
    pt_check_works(&ch);
    sysfs_reset_method(info.pci_name, "default");
    pt_close(&pt);
    return ms;
}

/* On a busy machine everything can take long; the shortest of some tries */
static unsigned shortest_reset(unsigned index, const char *method,
                               unsigned enough)
{
    unsigned best = ~0u, i;

    for (i = 0; i < 20 && best >= enough; i++) {
        unsigned ms = timed_reset(index, method);

        best = ms < best ? ms : best;
    }
    return best;
}

/* FLR-01, FLR-12: the 100 ms, and none of them */
static void test_immediate(void)
{
    if (access("/dev/pri_testdev1", F_OK)) {
        ktap_skip("needs a second pri-testdev");
    }
    CHECK(timed_reset(0, "flr") >= 100, "Linux did not wait");
    CHECK(shortest_reset(1, "flr", 100) < 100, "Linux waited");
    CHECK(shortest_reset(1, "af_flr", 100) < 100, "Linux waited");
}

/* FLR-05, FLR-10: longer than Linux waits at first */
static void test_slow(void)
{
    struct pt pt;

    pt_open(&pt, 0);
    pt_knob(&pt, PT_KNOB_FLR_DURATION, 1500);
    CHECK(timed_reset(0, "flr") >= 1500, "the reset was too short");
    CHECK(timed_reset(0, "acpi") >= 1500, "the reset was too short");
    pt_knob(&pt, PT_KNOB_FLR_DURATION, 60);
    pt_knob(&pt, PT_KNOB_HOT_DURATION, 900);
    CHECK(timed_reset(0, "bus") >= 900, "the reset was too short");
    pt_knob(&pt, PT_KNOB_HOT_DURATION, 120);
}

/*
 * PRQ-94: the function asks for a page with the PASID of before, and writes by
 * a translation of before.  Linux must not be harmed by the one, and nobody
 * can by the other: the page is this process's own.
 */
static void late(uint64_t what)
{
    struct pri_testdev_info info;
    struct pt_chan ch[CHANNELS] = {};
    struct pt pt;
    unsigned i;

    pt_open_bound(&pt, 0);
    pt_info(&pt, &info);
    pt_knob(&pt, PT_KNOB_FLR_LATE_DMA, what);
    for (i = 0; i < ROUNDS; i++) {
        pt_load(&pt, ch, CHANNELS);
        sysfs_reset(info.pci_name, "flr");
        pt.bound = false;
        pt_bind(&pt);
        pt_check_works(&ch[0]);
    }
    pt_knob(&pt, PT_KNOB_FLR_LATE_DMA, 0);
    sysfs_reset_method(info.pci_name, "default");
}

static void test_late_request(void)
{
    late(1);
}

static void test_late_write(void)
{
    late(2);
}

/*
 * PRQ-93: a device-specific reset that nobody but this process knows of.  The
 * kernel's invalidations are answered all the while.
 */
static void test_soft(void)
{
    struct pt_chan ch[CHANNELS] = {};
    struct child *child;
    struct pt pt;
    unsigned i;

    pt_open_bound(&pt, 0);
    pt_knob(&pt, PT_KNOB_SOFT_DURATION, 50);
    child = child_start();
    for (i = 0; i < 4 * ROUNDS; i++) {
        double until = pt_now() + 10;

        child_works(child);
        pt_load(&pt, ch, CHANNELS);
        pt_wr32(pt.func, PT_SOFT_RESET, i & 1 ? ch[0].index :
                PT_SOFT_RESET_ALL);
        while (pt_rd32(pt.func, PT_SOFT_RESET)) {
            /* what is unmapped now waits for the function's answer */
            char *p = pt_map_anon(PAGES(4));

            memset(p, 1, PAGES(4));
            munmap(p, PAGES(4));
            CHECK(pt_now() < until, "the reset does not end");
        }
        CHECK_EQ(pt_rd32(ch[0].regs, PT_CH_STATUS), PT_ST_IDLE, "status");
        if (i & 1) {
            CHECK_EQ(pt_rd32(ch[1].regs, PT_CH_STATUS), PT_ST_RUNNING,
                     "status of another channel");
            pt_wr32(pt.func, PT_CTRL, PT_CTRL_ABORT);
        }
        check_enabled(&pt);
        pt_check_works(&ch[0]);
    }
    pt_knob(&pt, PT_KNOB_SOFT_DURATION, 0);
    child_stop(child);
    ktap_note("%u responses came late, %u of them met another group",
              (unsigned)pt_counter(&pt, PT_CNT_RESP_STALE),
              (unsigned)pt_counter(&pt, PT_CNT_RESP_MISTAKEN));
    CHECK_EQ(pt_counter(&pt, PT_CNT_VIOLATIONS), 0, "violations");
}

static const struct ktap_test tests[] = {
    { "list", test_list, 0 },
    { "flr", test_flr, 0 },
    { "af-flr", test_af_flr, 0 },
    { "pm", test_pm, 0 },
    { "bus", test_bus, 0 },
    { "acpi", test_acpi, 0 },
    { "immediate-readiness", test_immediate, 0 },
    { "slow", test_slow, 0 },
    { "late-request", test_late_request, 0 },
    { "late-write", test_late_write, 0 },
    { "device-specific", test_soft, 0 },
    { "choose", test_choose, 0 },
};

KTAP_MAIN(tests)
