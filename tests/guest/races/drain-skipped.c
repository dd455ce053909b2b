/*
 * Race: O-H, C-14
 * Title: requests of an exited process reach the next owner of its PASID
 * What: when a process exits before its device is unbound, mm_release tears
 *   down the PASID entry, and the unbind that follows is to drain the queue.
 *   intel_pasid_tear_down_entry() clears Present before
 *   intel_pasid_clear_entry() looks at it, so the entry never gets the FPD bit
 *   by which the unbind knows that there is something left to drain: it
 *   returns at once. Requests that are in the queue stay there, and the PASID
 *   is free. C-14 is the same by another bug: there was an FPD bit, and that
 *   branch of the unbind did not drain.
 * Loses: the process that gets the PASID next. The old requests are handled
 *   on its address space: pages that it never touched are faulted in, and the
 *   device is told Success for addresses that mean nothing to it.
 * Order: parent binds, child keeps the descriptor; device sends requests, the
 *   event is held (prq-irq-hold); parent exits (mm_release); child closes the
 *   descriptor (unbind): no drain; another process binds and gets the same
 *   PASID, with memory at the same address; the event is let go.
 * Fix: of O-H none known, O-H-fix is our own trial. Of C-14 cf08ca81d08a
 *   "iommu/vt-d: Draining PRQ in sva unbind path when FPD bit set" (6.14,
 *   6.12.92); C-14 puts that bug back, on top of O-H-fix.
 * Kernels: 7.3.4 has it; by reading, since "Clear Present bit before tearing
 *   down PASID entry" (7.0, 6.18 and 6.19 stable).
 * Sign: next-owner
 * Sign: log /KASAN: .*use-after-free in .*(iopf|iommu|worker)/
 * Expect: 7.3 yes, 7.3+O-H-fix no, 7.3+O-H-fix+C-14 yes
 * Elsewhere: 7.2 yes, 6.18 yes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hw/i386/vtd-knobs.h"
#include "pt.h"
#include "race.h"

#define GROUPS  8
#define BASE    0x100000000000ull       /* of the memory, in every process */
/* A drain has to wait for the queue, so the unbind does not return */
#define UNBIND_MS   2000
#define FREE_MS     500             /* for an address space to go (SRCU) */

/* volatile: another process writes it */
struct shared {
    volatile uint32_t pasid;        /* volatile: see above */
    volatile int step;              /* volatile: see above */
};

static struct shared *shared;

static void *map_at_base(void)
{
    void *p = mmap((void *)BASE, GROUPS * PT_PAGE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    CHECK(p == (void *)BASE, "mmap at 0x%llx", BASE);
    return p;
}

static void wait_for(int step, unsigned ms)
{
    double until = pt_now() + ms / 1000.0;

    while (shared->step < step && pt_now() < until) {
        pt_sleep_ms(1);
    }
}

/* Binds, has the device ask for its memory, and exits with the binding */
static void first_owner(struct pt *pt)
{
    struct pt own;                      /* mappings are not inherited */

    pt_open(&own, 0);
    pt_bind(pt);
    map_at_base();
    shared->pasid = pt->pasid;
    race_ready();
    pt_iommu_knob(&own, VTD_KNOB_PRQ_IRQ_HOLD, 1);
    for (unsigned i = 0; i < GROUPS; i++) {
        struct pt_raw raw = {
            .addr = BASE + i * PT_PAGE,
            .prgi = i,
            .flags = PT_RAW_WRITE | PT_RAW_LAST,
            .pasid = pt->pasid | PT_RAW_PASID_PRESENT,
        };

        pt_raw_send(&own, &raw);
    }
    _exit(KTAP_PASS);
}

/* Has the PASID now; asks the device for nothing */
static void next_owner(void)
{
    unsigned present = 0;
    uint8_t *p;
    struct pt pt;

    pt_open(&pt, 0);
    p = map_at_base();
    pt_sleep_ms(FREE_MS);
    pt_bind(&pt);
    CHECK(pt.pasid == shared->pasid, "PASID %u is not used again at once: %u",
          shared->pasid, pt.pasid);
    pt_iommu_knob(&pt, VTD_KNOB_PRQ_IRQ_HOLD, 0);
    pt_sleep_ms(500);
    for (unsigned i = 0; i < GROUPS; i++) {
        present += pt_resident(p + i * PT_PAGE);
    }
    if (present) {
        race_sign("next-owner", "%u pages of PASID %u were faulted in by "
                  "requests of the process that had it before", present,
                  pt.pasid);
    }
    pt_unbind(&pt);
    _exit(KTAP_PASS);
}

static void drain_skipped(void)
{
    pid_t first, closer, next;
    struct pt pt;

    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pt_open(&pt, 0);
    first = fork();
    CHECK(first >= 0, "fork");
    if (!first) {
        first_owner(&pt);
    }
    /* This process shares the open file, and holds the binding by it */
    pt_reap(first, KTAP_PASS);

    closer = fork();
    CHECK(closer >= 0, "fork");
    if (!closer) {
        pt_close(&pt);                  /* not the last one */
        wait_for(1, UNBIND_MS);
        if (!shared->step) {
            /* The unbind waits for the queue, as it has to: help it */
            struct pt own;

            pt_open(&own, 0);
            pt_iommu_knob(&own, VTD_KNOB_PRQ_IRQ_HOLD, 0);
            pt_close(&own);
        }
        _exit(KTAP_PASS);
    }
    pt_sleep_ms(50);                    /* the other one has closed by now */
    pt_close(&pt);                      /* unbinds */
    shared->step = 1;
    pt_reap(closer, KTAP_PASS);

    next = fork();
    CHECK(next >= 0, "fork");
    if (!next) {
        next_owner();
    }
    pt_reap(next, KTAP_PASS);
}

RACE_MAIN("drain-skipped", drain_skipped, 30)
