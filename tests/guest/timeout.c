/*
 * Device-TLB invalidations that get lost: what Linux makes of a time-out
 *
 * Linux submits an invalidation and spins on the wait behind it with interrupts
 * off, without a time-out of its own.  The IOMMU ends that with ITE; Linux
 * clears it and submits again, unless ITESID names a function that is not
 * there any more (qi_check_fault()).
 *
 * VT-d 6.5.2.11; QI-12, QI-14, QI-15
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "klog.h"
#include "pt.h"
#include "hw/i386/vtd-knobs.h"
#include "hw/misc/pri-testdev-knobs.h"

#define PATTERN         0x0123456789abcdefull
#define LEN             (4 * PT_PAGE)
#define ITE_MS          200
#define ITE_DEFAULT_MS  60000
#define GONE_MS         10000
#define DROP            1           /* inv-reply */

/* -- pieces --------------------------------------------------------------- */

static void run_on(unsigned cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    CHECK(!sched_setaffinity(0, sizeof(set), &set), "CPU %u: %s", cpu,
          strerror(errno));
}

/* The second CPU helps while the first spins */
static void need_two_processors(void)
{
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
        ktap_skip("needs two CPUs: one spins in the kernel");
    }
}

/* Let the device write to fresh memory, so that its ATC knows it */
static char *touched(struct pt_chan *ch)
{
    struct pt_op op = { .cmd = PT_OP_WRITE, .len = LEN, .pattern = PATTERN };

    op.dst = pt_map_anon(LEN);
    pt_expect(ch, &op, PT_ST_DONE, NULL);
    pt_check_stamp(op.dst, LEN, PATTERN);
    return op.dst;
}

/* munmap() and how long it took, in ms */
static unsigned timed_munmap(char *p)
{
    double start = pt_now();

    CHECK(!munmap(p, LEN), "munmap: %s", strerror(errno));
    return (pt_now() - start) * 1000;
}

/* -- tests ---------------------------------------------------------------- */

/* One completion is lost: one time-out, one retry */
static void test_lost_once(void)
{
    struct pt_chan ch;
    struct pt pt;
    unsigned ms;
    char *p;
    int log;

    pt_need("ite-retry");
    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    p = touched(&ch);
    log = klog_open();
    pt_iommu_knob(&pt, VTD_KNOB_ITE_TIMEOUT, ITE_MS);
    pt_knob(&pt, PT_KNOB_INV_REPLY, DROP);
    pt_knob(&pt, PT_KNOB_INV_NTH, 1);
    ms = timed_munmap(p);
    pt_iommu_knob(&pt, VTD_KNOB_ITE_TIMEOUT, ITE_DEFAULT_MS);

    ktap_note("munmap took %u ms", ms);
    CHECK(ms >= ITE_MS, "munmap did not wait for the time-out");
    CHECK_EQ(klog_count(log, "Invalidation Time-out Error: SID"), 1,
             "time-outs that Linux saw");
    munmap(touched(&ch), LEN);
    close(log);
}

/* The device is unresponsive for a second: Linux retries until it answers */
static void test_unresponsive(void)
{
    struct pt_chan ch;
    struct pt pt;
    unsigned ms, errors;
    pid_t child;
    char *p;
    int log;

    pt_need("ite-retry");
    need_two_processors();
    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    p = touched(&ch);
    log = klog_open();
    child = fork();
    CHECK(child >= 0, "fork: %s", strerror(errno));
    if (!child) {
        struct pt other;

        run_on(1);
        pt_open(&other, 0);
        pt_sleep_ms(1000);
        pt_knob(&other, PT_KNOB_INV_REPLY, 0);
        _exit(KTAP_PASS);
    }
    run_on(0);
    pt_iommu_knob(&pt, VTD_KNOB_ITE_TIMEOUT, ITE_MS);
    pt_knob(&pt, PT_KNOB_INV_REPLY, DROP);
    ms = timed_munmap(p);
    pt_iommu_knob(&pt, VTD_KNOB_ITE_TIMEOUT, ITE_DEFAULT_MS);
    pt_reap(child, KTAP_PASS);

    errors = klog_count(log, "Invalidation Time-out Error: SID");
    ktap_note("munmap took %u ms and %u time-outs", ms, errors);
    CHECK(errors >= 2, "Linux did not retry");
    munmap(touched(&ch), LEN);
    close(log);
}

/*
 * The function is gone: Linux gives each of its invalidations up after one
 * time-out.  Nobody else uses the IOMMU meanwhile: the CPU that sees a time-out
 * first clears it and gives up what it waits for itself, and the owner of the
 * invalidation, if that is another one, submits it again (O-T).  What was given
 * up may be completed after that, and then its entry of the queue is never free
 * again: whoever goes on may wait for one with interrupts off, for ever.
 */
static void gone_alone(struct pt *pt, char *p, unsigned requests)
{
    int log = klog_open();
    unsigned ms, errors;

    pt_knob(pt, PT_KNOB_GONE_MS, GONE_MS);
    pt_knob_blind(pt, PT_KNOB_GONE, 1);
    ms = timed_munmap(p);
    errors = klog_count(log, "Invalidation Time-out Error: SID");
    close(log);
    ktap_note("munmap took %u ms, %u time-outs of %u invalidations", ms,
              errors, requests);
    CHECK(errors >= 1, "no time-out");
    CHECK(errors <= requests, "Linux retried");
}

static void test_gone(void)
{
    struct pt_chan ch;
    struct pt pt, second;
    uint64_t requests;
    char *p;

    pt_need("ite-retry");
    need_two_processors();
    if (access("/dev/pri_testdev1", F_OK)) {
        ktap_skip("needs a second pri-testdev");
    }
    pt_open_bound(&pt, 0);
    pt_open(&second, 1);
    pt_chan(&pt, &ch);
    p = touched(&ch);
    requests = pt_counter(&pt, PT_CNT_INV_REQUESTS);
    munmap(touched(&ch), LEN);
    requests = pt_counter(&pt, PT_CNT_INV_REQUESTS) - requests;
    run_on(0);
    pt_iommu_knob(&second, VTD_KNOB_ITE_TIMEOUT, ITE_MS);
    gone_alone(&pt, p, requests);

    /* Back, but as after a power cycle: no use to anybody, the last test */
    pt_sleep_ms(GONE_MS);
    pt_iommu_knob(&second, VTD_KNOB_ITE_TIMEOUT, ITE_DEFAULT_MS);
}

static const struct ktap_test tests[] = {
    { "lost-once", test_lost_once, 0 },
    { "unresponsive-for-a-second", test_unresponsive, 0 },
    { "gone", test_gone, 0 },
};

KTAP_MAIN(tests)
