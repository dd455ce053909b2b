/*
 * Race: S-07
 * Title: the response to a request from before a reset ends DMA from after it
 * What: a request that the IOMMU writes to the queue when it fetches the
 *   drain's wait descriptor (PD=1; VT-d 7.7) is in the queue when the unbind
 *   before a reset is back, and Linux has no drain after the reset (VT-d 7.9:
 *   drain after the terminal condition, before the function is back in
 *   service). The process binds again and has the PASID that it had, the old
 *   request is handled for it, and the response meets a new group that has the
 *   index by now.
 * Loses: the process whose DMA it is: Invalid Request for an address that is as
 *   good as any.
 * Order: a request, index 0, for an address that is not mapped, which the IOMMU
 *   keeps back (prq-hold=until-pd); FLR, in which the driver unbinds, the event
 *   is held (prq-irq-hold); bind; a channel writes, index 0
 *   (prgi-policy=immediate); the event.
 * Fix: none known. O-G-fix, our trial, drains the queue again in the unbind.
 * Kernels: 7.3.4; by reading, 6.11 and later.
 * Sign: mistaken
 * Sign: lost
 * Expect: 7.3 yes, 7.3+O-G-fix no
 * Elsewhere: 7.2 yes, 6.18 yes
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
#define HOLD_OFF        0
#define HOLD_UNTIL_PD   2
#define RESET_MS        2000
#define UNMAPPED        (1u << 20)      /* pages behind OWNER_BASE */

static struct pt pt;
static struct pt control;           /* works during a reset: another function */
static struct pri_testdev_info info;

/* If the reset waits for the queue, as it should: help it */
static void reset(void)
{
    double until = pt_now() + RESET_MS / 1000.0;
    int status;
    pid_t pid;

    pid = fork();
    CHECK(pid >= 0, "fork: %s", strerror(errno));
    if (!pid) {
        sysfs_flr(info.pci_name);
        _exit(KTAP_PASS);
    }
    while (!waitpid(pid, &status, WNOHANG)) {
        if (pt_now() > until) {
            pt_iommu_knob(&control, VTD_KNOB_PRQ_IRQ_HOLD, 0);
            pt_reap(pid, KTAP_PASS);
            return;
        }
        pt_sleep_ms(5);
    }
    CHECK(WIFEXITED(status) && !WEXITSTATUS(status), "the reset failed");
}

static void flr_late(void)
{
    uint64_t mistaken;
    uint32_t status;
    struct owner a;

    race_cpu(1);
    pt_open(&pt, 0);
    pt_open(&control, 1);
    pt_info(&pt, &info);
    pt_knob(&pt, PT_KNOB_PRGI_POLICY, IMMEDIATE);
    owner_start(&a, 0);
    race_ready();

    pt_iommu_knob(&control, VTD_KNOB_PRQ_HOLD, HOLD_UNTIL_PD);
    pt_iommu_knob(&control, VTD_KNOB_PRQ_IRQ_HOLD, 1);
    owner_send(&pt, &a, UNMAPPED, PT_RAW_WRITE | PT_RAW_LAST, 0);
    reset();
    pt_iommu_knob(&control, VTD_KNOB_PRQ_HOLD, HOLD_OFF);
    CHECK_EQ(owner_do(&a, OWNER_BIND), a.pasid, "PASID");
    owner_start_asking(&pt, &a);
    pt_iommu_knob(&control, VTD_KNOB_PRQ_IRQ_HOLD, 0);
    status = owner_do(&a, OWNER_RESULT);
    mistaken = pt_counter(&pt, PT_CNT_RESP_MISTAKEN);
    if (mistaken) {
        race_sign("mistaken", "%llu groups ended by a response from before the "
                  "reset", (unsigned long long)mistaken);
    }
    if (status != PT_ST_DONE) {
        race_sign("lost", "the write after the reset ends with %s",
                  pt_status_name(status));
    }
    owner_do(&a, OWNER_FREE);
    CHECK_EQ(owner_do(&a, OWNER_WRITE), PT_ST_DONE, "status");
    CHECK_EQ(pt_counter(&pt, PT_CNT_VIOLATIONS), 0, "violations");
}

RACE_MAIN("flr-late", flr_late, 40)
