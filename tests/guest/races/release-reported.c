/*
 * Race: C-17
 * Title: a function is removed while its requests are being reported
 * What: prq_event_thread() looks a function up by its number and reports its
 *   requests with nothing that keeps the IOMMU's data of it: once it is off
 *   the bus, iommu_release_device() frees dev->iommu, whose mutex
 *   iommu_report_device_fault() may be about to take.
 * Loses: the page request thread: use after free (CVE-2024-35843).
 * Order: a PASID is attached; the function sends many requests with it, which
 *   reach the queue when its detach drains them (prq-hold=until-pd), too late
 *   for it to wait for; their event is held (prq-irq-hold) and let go. The
 *   function is removed by a task with a higher priority, on the CPU of
 *   the thread. With voluntary preemption, as distributions had it, that puts
 *   the thread off at the next might_sleep(), which is in
 *   mutex_lock(&dev->iommu->lock).
 * Fix: def054b01a86 (6.9, 6.8.2): a tree of functions, looked up under a
 *   mutex that their release takes too. Not in 6.1; C-17-fix puts a mutex
 *   around both there.
 * Kernels: 6.1.176; by reading, up to 6.8.1. The window is open without
 *   CONFIG_PREEMPT_VOLUNTARY too, but nothing makes the thread stop in it.
 * Sign: log /KASAN: .*use-after-free in .*mutex/
 * Expect: 6.1/voluntary yes, 6.1/voluntary+C-17-fix no, 7.3 no
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>
#include <stdio.h>

#include "hw/i386/vtd-knobs.h"
#include "pt-domain.h"
#include "race.h"
#include "sysfs.h"

#define IOVA        0x10000000ull
#define UNTIL_PD    2           /* prq-hold */
#define REQUESTS    300         /* the thread needs a fifth of a second */
#define BEGUN_MS    50          /* after that it is at work */
#define END_MS      400

/* CPU 0 for us and for the thread, and we go first on it */
static pid_t go_first(void)
{
    char path[64];
    pid_t thread;
    unsigned irq;

    thread = race_event_thread(&irq);
    snprintf(path, sizeof(path), "/proc/irq/%u/smp_affinity_list", irq);
    CHECK(race_write(path, "0"), "%s cannot be written", path);
    race_cpu(0);
    race_first();
    return thread;
}

/* Has it anything left to do? */
static bool at_work(pid_t thread)
{
    char path[64], state = 0;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/stat", thread);
    f = fopen(path, "re");
    CHECK(f && fscanf(f, "%*d (%*[^)]) %c", &state) == 1, "%s", path);
    fclose(f);
    return state == 'R';
}

static void release_reported(void)
{
    struct pri_testdev_info info;
    struct pt pt, other;
    pid_t thread;

    pt_open(&other, 1);
    pt_open(&pt, 0);
    pt_info(&pt, &info);
    pt_domain_attach(&pt, PRI_TESTDEV_DOMAIN_PASID);
    thread = go_first();
    race_ready();

    pt_iommu_knob(&other, VTD_KNOB_PRQ_HOLD, UNTIL_PD);
    pt_iommu_knob(&other, VTD_KNOB_PRQ_IRQ_HOLD, 1);
    pt_raw_send_groups(&pt, IOVA, REQUESTS);
    sysfs_unbind(info.pci_name);
    pt_iommu_knob(&other, VTD_KNOB_PRQ_IRQ_HOLD, 0);
    pt_sleep_ms(BEGUN_MS);
    sysfs_remove(info.pci_name);
    ktap_note("when the function is gone the thread is %s",
              at_work(thread) ? "at work" : "done");
    pt_sleep_ms(END_MS);
}

RACE_MAIN("release-reported", release_reported, 20)
