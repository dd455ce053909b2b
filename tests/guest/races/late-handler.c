/*
 * Race: O-I
 * Title: a fault handler is called after the detach of its domain has returned
 * What: iommu_report_device_fault() looks the attach handle up, and calls the
 *   handler of its domain with nothing held that a detach waits for.
 *   iommu_detach_device_pasid() erases the handle; that nobody uses it any more
 *   it owes to the drain, which lets requests into the queue that it does not
 *   wait for (O-G).
 * Loses: the owner of the handle, which it frees after the detach, as iommufd
 *   does: the event thread calls a handler through the freed memory. If that
 *   memory is unchanged, a group of the detached PASID gets into the fault
 *   queue after all of them were answered.
 * Order: vfio-pci; a page table with a fault queue is attached to two PASIDs;
 *   the function sends many groups with one, the IOMMU keeps them back
 *   (prq-hold=until-pd); detach: they reach the queue at the wait with PD=1,
 *   which reports later (wait-delay-us), when the event thread is at work on
 *   them. A task of a higher priority looks where that thread is
 *   (/proc/PID/stack) until it is between lookup and handler, and puts it off;
 *   the detach returns; the thread continues. Up to 4 times.
 * Fix: none known. O-G-fix is our own trial.
 * Kernels: 7.3.4, 7.2.12, 6.18.15; by reading, 6.11 and later.
 * Sign: log /KASAN: .*use-after-free in
 *   (iommu_report_device_fault|iommufd_fault)/
 * Sign: late-group
 * Expect: 7.3 yes, 7.3+O-G-fix no
 * Elsewhere: 7.2 yes, 6.18 yes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "hw/i386/vtd-knobs.h"
#include "iofd.h"
#include "race.h"

#define IOVA            0x10000000ull
#define PASID           5u
#define OTHER_PASID     6u
#define UNTIL_PD        2       /* prq-hold */
#define GROUPS          256
#define WAIT_DELAY_US   30000
#define BUSY_MS         150     /* by then the detach has returned */
#define LOOK_MS         200
#define TIMES           4

/*
 * Is the thread between the lookup of a handle and the call of its handler, and
 * has it no lock that a detach takes?
 */
static bool reports(pid_t thread)
{
    char path[64], line[256];
    bool allocates = false, found = false;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/stack", thread);
    f = fopen(path, "re");
    CHECK(f, "%s: %s", path, strerror(errno));
    while (!found && fgets(line, sizeof(line), f)) {
        allocates |= strstr(line, "kmalloc") != NULL;
        found = allocates && strstr(line, "iommu_report_device_fault");
    }
    fclose(f);
    return found;
}

/* Stop the thread in the midst of a report: the CPU is ours a while */
static void busy(struct pt *pt, pid_t thread)
{
    double look, until, start = pt_now();

    reports(thread);
    look = pt_now() - start;
    do {
        usleep(look * 1e6);             /* half of the time is the thread's */
    } while (!reports(thread) && pt_now() < start + LOOK_MS / 1000.0);
    pt_iommu_knob(pt, VTD_KNOB_WAIT_DELAY, 0);      /* for what follows */
    until = pt_now() + BUSY_MS / 1000.0;
    while (pt_now() < until) {
    }
}

/* A task that does so when it is told to */
static int busy_start(struct pt *pt)
{
    pid_t pid, thread;
    unsigned irq;
    int ends[2];
    char c;

    CHECK(!pipe(ends), "pipe: %s", strerror(errno));
    pid = fork();
    CHECK(pid >= 0, "fork: %s", strerror(errno));
    if (pid) {
        close(ends[0]);
        return ends[1];
    }
    close(ends[1]);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    race_cpu(0);
    race_first();
    thread = race_event_thread(&irq);
    while (read(ends[0], &c, 1) == 1) {
        busy(pt, thread);
    }
    _exit(KTAP_PASS);
}

/* Detach with requests on the way; is there a group left afterwards? */
static bool detach_late(struct iofd *io, struct iofd_pt *pt, int tell)
{
    struct pollfd fault = { .fd = pt->fault_fd, .events = POLLIN };

    iofd_attach(io, pt->hwpt, PASID);
    pt_iommu_knob(&io->pt, VTD_KNOB_PRQ_HOLD, UNTIL_PD);
    pt_raw_send_groups(&io->pt, IOVA, GROUPS);
    pt_iommu_knob(&io->pt, VTD_KNOB_WAIT_DELAY, WAIT_DELAY_US);
    CHECK(write(tell, "", 1) == 1, "write: %s", strerror(errno));
    iofd_detach(io, PASID);
    pt_iommu_knob(&io->pt, VTD_KNOB_PRQ_HOLD, 0);
    pt_sleep_ms(2 * BUSY_MS);
    return poll(&fault, 1, 0) == 1;
}

static void late_handler(void)
{
    bool late = false;
    struct iofd_pt pt;
    struct iofd io;
    unsigned n;
    int tell;

    race_cpu(1);
    iofd_open(&io);
    iofd_pt_alloc(&io, &pt, true);
    iofd_attach(&io, pt.hwpt, OTHER_PASID);
    io.pt.pasid = PASID;
    tell = busy_start(&io.pt);
    race_ready();

    for (n = 0; n < TIMES && !late; n++) {
        late = detach_late(&io, &pt, tell);
    }
    if (late) {
        race_sign("late-group", "after detach %u of %d there is a group of its "
                  "PASID", n, TIMES);
    }
    ktap_note("%u detaches", n);
}

RACE_MAIN("late-handler", late_handler, 60)
