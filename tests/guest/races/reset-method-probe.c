/*
 * Race: O-R
 * Title: asking whether a function can be reset by its bus takes its PASIDs
 *   away
 * What: a write of "bus" or "default" to reset_method resets nothing, it
 *   looks whether the method is possible. pci_reset_bus_function() calls
 *   pci_dev_reset_iommu_prepare() and _done() for this look, too: the domains
 *   of the RID and of all PASIDs are replaced by the blocking domain and come
 *   back.
 * Loses: DMA of that moment: it ends with an error though nobody has reset
 *   anything, and the driver is not told.
 * Order: a process uses SVA without pause; another one writes "bus" to
 *   reset_method, up to 40 times.
 * Fix: none known. O-R-fix is our own trial.
 * Kernels: 7.3.4; by reading, those whose pci_reset_bus_function() has
 *   pci_dev_reset_iommu_prepare() before it looks at its argument probe.
 * Sign: dma-blocked
 * Expect: 7.3 yes, 7.3+O-R-fix no
 * Elsewhere: 7.2 yes, 6.18 no
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "race.h"
#include "sysfs.h"

#define PATTERN     0x1122334455667788ull
#define LEN         (16 * PT_PAGE)
#define WRITES      40

static void child_main(int fd)
{
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .len = LEN, .pattern = PATTERN, .group = 4,
        .no_irq = true,
    };
    struct pt_chan ch;
    struct pt pt;

    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    for (;;) {
        uint32_t status;

        op.dst = pt_map_anon(op.len);
        pt_start(&ch, &op);
        status = pt_wait(&ch, &op, 10000);
        munmap(op.dst, op.len);
        if (write(fd, &status, sizeof(status)) != sizeof(status)) {
            _exit(KTAP_PASS);
        }
    }
}

static void reset_method_probe(void)
{
    struct pri_testdev_info info;
    unsigned done = 0, ended = 0, i;
    uint32_t status;
    struct pt pt;
    int fds[2];
    pid_t pid;

    pt_open(&pt, 0);
    pt_info(&pt, &info);
    pt_close(&pt);
    CHECK(!pipe(fds), "pipe: %s", strerror(errno));
    pid = fork();
    CHECK(pid >= 0, "fork: %s", strerror(errno));
    if (!pid) {
        close(fds[0]);
        child_main(fds[1]);
    }
    close(fds[1]);
    race_ready();
    for (i = 0; i < WRITES && ended < 3; i++) {
        sysfs_reset_method(info.pci_name, "bus");
        CHECK(read(fds[0], &status, sizeof(status)) == sizeof(status),
              "the other process has ended");
        if (status == PT_ST_DONE) {
            done++;
        } else {
            ktap_note("an operation ended: %s", pt_status_name(status));
            ended++;
        }
    }
    close(fds[0]);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    sysfs_reset_method(info.pci_name, "default");
    ktap_note("%u writes: %u operations done, %u ended", i, done, ended);
    if (ended) {
        race_sign("dma-blocked", "%u operations were ended by a look at "
                  "reset_method", ended);
    }
}

RACE_MAIN("reset-method-probe", reset_method_probe, 60)
