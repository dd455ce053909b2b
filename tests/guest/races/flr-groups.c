/*
 * Race: S-07
 * Title: a Function Level Reset while groups are outstanding
 * What: the function forgets its groups and uses their indices again.
 *   Software that resets it has to drain (VT-d 7.9, 7.10): every old request is
 *   answered before the function is back, and no old response meets a new
 *   group. Linux drains before the reset, when it blocks the function.
 * Loses: the DMA of the new life: an old response ends it, or lets it go on
 *   without its page.
 * Order: a channel writes, its group is in the queue, the event is held
 *   (prq-irq-hold); reset, which waits; the event; reset. The channel writes
 *   again, the lowest indices first (prgi-policy=immediate). Once with the
 *   binding given back by the driver, once with keep_bindings, where the IOMMU
 *   core takes it off and puts it back.
 * Fix: none needed. S-01 is a kernel that does not drain. A request that the
 *   drain itself lets into the queue is another matter: flr-late.
 * Kernels: all; by reading, keep_bindings from 7.0 on.
 * Sign: not-drained
 * Sign: late-response
 * Sign: mistaken
 * Sign: lost
 * Expect: 7.3 no, 7.3+S-01 yes
 * Elsewhere: 7.2 no, 6.18 yes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hw/i386/vtd-knobs.h"
#include "hw/misc/pri-testdev-knobs.h"
#include "owner.h"
#include "race.h"
#include "sysfs.h"

#define IMMEDIATE       2               /* prgi-policy */
#define WAIT_MS         500             /* a reset takes some 100 ms */

static struct pt pt;
static struct pt control;           /* works during a reset: another function */
static struct owner a;
static struct pri_testdev_info info;

/* Reset in a process of its own, which waits until the event is let go */
static void reset_held(void)
{
    int status;
    pid_t pid;

    pid = fork();
    CHECK(pid >= 0, "fork: %s", strerror(errno));
    if (!pid) {
        sysfs_flr(info.pci_name);
        _exit(KTAP_PASS);
    }
    pt_sleep_ms(WAIT_MS);
    if (waitpid(pid, &status, WNOHANG)) {
        race_sign("not-drained", "the reset did not wait for the queue");
        pt_iommu_knob(&control, VTD_KNOB_PRQ_IRQ_HOLD, 0);
        return;
    }
    pt_iommu_knob(&control, VTD_KNOB_PRQ_IRQ_HOLD, 0);
    pt_reap(pid, KTAP_PASS);
}

static void one_reset(bool keep)
{
    const char *how = keep ? "with keep_bindings" : "with a new binding";
    uint32_t status;

    pt_keep_bindings(keep);
    pt_iommu_knob(&control, VTD_KNOB_PRQ_IRQ_HOLD, 1);
    owner_do(&a, OWNER_FREE);
    owner_start_asking(&pt, &a);
    reset_held();
    CHECK_EQ(pt_rd32(pt.func, PT_PRI_GROUPS), 0, "groups after the reset");
    if (!keep) {
        CHECK_EQ(owner_do(&a, OWNER_BIND), a.pasid, "PASID");
    }
    owner_do(&a, OWNER_FREE);
    status = owner_do(&a, OWNER_WRITE);
    if (status != PT_ST_DONE) {
        race_sign("lost", "%s: the write after the reset ends with %s", how,
                  pt_status_name(status));
    }
    if (pt_counter(&pt, PT_CNT_RESP_MISTAKEN)) {
        race_sign("mistaken", "%s: %llu groups ended by a response from before "
                  "the reset", how, (unsigned long long)
                  pt_counter(&pt, PT_CNT_RESP_MISTAKEN));
    }
    if (pt_counter(&pt, PT_CNT_RESP_UNEXPECTED)) {
        race_sign("late-response", "%s: %llu responses to groups from before "
                  "the reset", how, (unsigned long long)
                  pt_counter(&pt, PT_CNT_RESP_UNEXPECTED));
    }
    CHECK_EQ(pt_counter(&pt, PT_CNT_VIOLATIONS), 0, "violations");
}

static void flr_groups(void)
{
    race_cpu(1);
    pt_open(&pt, 0);
    pt_open(&control, 1);
    pt_info(&pt, &info);
    pt_knob(&pt, PT_KNOB_PRGI_POLICY, IMMEDIATE);
    owner_start(&a, 0);
    race_ready();

    one_reset(false);
    one_reset(true);
    one_reset(false);
}

RACE_MAIN("flr-groups", flr_groups, 40)
