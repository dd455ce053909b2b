/*
 * Race: O-B
 * Title: two tasks drain the page request queue, one is never woken
 * What: prq_event_thread() calls complete() once, which wakes one of the
 *   tasks that wait in intel_iommu_drain_pasid_prq(). With two of them the
 *   other keeps waiting although the queue is empty, until the next page
 *   request of any device behind this IOMMU.
 * Loses: the task that is not woken: a detach, a reset or an exit that hangs,
 *   with the mutex of the group held.
 * Order: two devices behind one IOMMU, a PASID each; both send a request, the
 *   event is held (prq-irq-hold); both PASIDs are detached, by two tasks: both
 *   wait for the queue; the event is let go.
 * Fix: none known. O-B-fix is our own trial.
 * Kernels: 7.3.4; by reading, all (two SVA unbinds are serialized by a mutex,
 *   so it takes a detach or a reset that is not one of SVA).
 * Sign: not-woken
 * Sign: log /INFO: task .* blocked for more than/
 * Expect: 7.3 yes, 7.3+O-B-fix no
 * Elsewhere: 7.2 yes, 6.18 yes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hw/i386/vtd-knobs.h"
#include "pt-domain.h"
#include "race.h"

#define DEVICES     2
#define IOVA        0x10000000ull
#define SECONDS     3           /* that a detach may take */

static void send(struct pt *pt, unsigned prgi)
{
    struct pt_raw raw = {
        .addr = IOVA,
        .prgi = prgi,
        .flags = PT_RAW_WRITE | PT_RAW_LAST,
        .pasid = pt->pasid | PT_RAW_PASID_PRESENT,
    };

    pt_raw_send(pt, &raw);
}

/* How many of the tasks have ended within so many seconds */
static unsigned ended(const pid_t *tasks, bool *gone, double seconds)
{
    double until = pt_now() + seconds;
    unsigned n;

    do {
        n = 0;
        for (unsigned i = 0; i < DEVICES; i++) {
            gone[i] = gone[i] || waitpid(tasks[i], NULL, WNOHANG) == tasks[i];
            n += gone[i];
        }
        pt_sleep_ms(10);
    } while (n < DEVICES && pt_now() < until);
    return n;
}

static void lost_wakeup(void)
{
    struct pt pt[DEVICES], control, other;
    bool gone[DEVICES] = { false };
    pid_t tasks[DEVICES];
    unsigned n;

    for (unsigned i = 0; i < DEVICES; i++) {
        pt_open(&pt[i], i);
        pt_domain_attach(&pt[i], PRI_TESTDEV_DOMAIN_PASID);
        pt_domain_hold(&pt[i], 0, PRI_TESTDEV_RESP_INVALID);
    }
    pt_open(&control, 0);
    pt_open(&other, 0);
    pt_domain_attach(&other, PRI_TESTDEV_DOMAIN_PASID);
    pt_domain_hold(&other, 0, PRI_TESTDEV_RESP_INVALID);
    race_ready();

    pt_iommu_knob(&control, VTD_KNOB_PRQ_IRQ_HOLD, 1);
    for (unsigned i = 0; i < DEVICES; i++) {
        send(&pt[i], i);
    }
    for (unsigned i = 0; i < DEVICES; i++) {
        tasks[i] = fork();
        CHECK(tasks[i] >= 0, "fork");
        if (!tasks[i]) {
            pt_domain_detach(&pt[i], 0);
            _exit(KTAP_PASS);
        }
    }
    n = ended(tasks, gone, 1);
    CHECK(!n, "%u detached with requests in the queue", n);
    pt_iommu_knob(&control, VTD_KNOB_PRQ_IRQ_HOLD, 0);
    n = ended(tasks, gone, SECONDS);
    if (n < DEVICES) {
        send(&other, 2);                /* of no concern to either of them */
        race_sign("not-woken", "%u of %d detached within %d s of the event; "
                  "after a request of another PASID %u", n, DEVICES, SECONDS,
                  ended(tasks, gone, SECONDS));
    }
}

RACE_MAIN("lost-wakeup", lost_wakeup, 30)
