/*
 * Race: S-12
 * Title: an attach during a reset
 * What: while a function is being reset an attach to it is refused with EBUSY
 *   (VFIO_DEVICE_ATTACH_IOMMUFD_PT says so) or waits, and is done afterwards. A
 *   detach works. When the reset is over the PASIDs that were attached are
 *   there as they were, those that were detached are not, and the function has
 *   been able to reach nothing meanwhile.
 * Loses: the caller that attaches, if it hangs or half succeeds; the memory of
 *   the one that has detached.
 * Order: vfio-pci, PASIDs 5 and 7 attached; a reset that takes 300 ms
 *   (flr-duration-ms); during it attach PASID 6, detach PASID 7; afterwards DMA
 *   with 5 and 7; attach 6, DMA with 6.
 * Fix: none needed.
 * Kernels: 7.0 and later; before, a reset touched no page table.
 * Sign: attached
 * Sign: other-error
 * Sign: not-as-it-was
 * Sign: not-after
 * Sign: still-there
 * Expect: 7.3 no, 7.3+S-12 yes
 * Elsewhere: 7.2 no, 6.18 yes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hw/misc/pri-testdev-knobs.h"
#include "iofd.h"
#include "race.h"

#define KEPT        5u
#define NEW         6u
#define DROPPED     7u
#define IOVA        0x600000000ull
#define PATTERN     0x1fe2d3c4b5a69788ull
#define FLR_MS      300
#define ALL_ONES    1           /* flr-config: Linux sees that it goes on */

static struct iofd io;
static struct iofd_pt table;
static struct pt_chan ch;
static void *page;

static uint32_t fill(uint32_t pasid)
{
    struct pt_op op = {
        .cmd = PT_OP_FILL, .dst = (void *)IOVA, .len = PT_PAGE,
        .pattern = PATTERN + pasid, .no_irq = true,
    };

    memset(page, 0, PT_PAGE);
    io.pt.pasid = pasid;
    pt_start(&ch, &op);
    return pt_wait(&ch, &op, PT_TIMEOUT);
}

static void check_there(uint32_t pasid, const char *sign)
{
    uint32_t status = fill(pasid);

    if (status != PT_ST_DONE) {
        race_sign(sign, "DMA with PASID %u ends with %s", pasid,
                  pt_status_name(status));
    } else {
        pt_check_fill(page, PT_PAGE, PATTERN + pasid);
    }
}

/* 0, or errno */
static int attach(uint32_t pasid)
{
    struct vfio_fd_attach req = {
        .argsz = sizeof(req), .pt_id = table.hwpt,
        .flags = VFIO_FD_WITH_PASID, .pasid = pasid,
    };

    return ioctl(io.dev, VFIO_FD_ATTACH, &req) ? errno : 0;
}

static void attach_in_reset(void)
{
    bool over;
    int error;
    pid_t pid;

    race_cpu(1);
    iofd_open(&io);
    iofd_pt_alloc(&io, &table, false);
    page = pt_map_anon(PT_PAGE);
    iofd_map(&io, table.ioas, IOVA, page, PT_PAGE);
    iofd_attach(&io, table.hwpt, KEPT);
    iofd_attach(&io, table.hwpt, DROPPED);
    iofd_chan(&io, &ch, 0);
    io.pt.bound = true;
    pt_knob(&io.pt, PT_KNOB_FLR_DURATION, FLR_MS);
    pt_knob(&io.pt, PT_KNOB_FLR_CONFIG, ALL_ONES);
    check_there(KEPT, "not-as-it-was");
    check_there(DROPPED, "not-as-it-was");
    race_ready();

    pid = fork();
    CHECK(pid >= 0, "fork");
    if (!pid) {
        race_cpu(0);
        CHECK(!ioctl(io.dev, VFIO_FD_RESET), "reset: %s", strerror(errno));
        _exit(KTAP_PASS);
    }
    pt_sleep_ms(50);
    error = attach(NEW);
    over = waitpid(pid, NULL, WNOHANG) == pid;
    ktap_note("attach in a reset: %s", error ? strerror(error) : over ?
              "deferred" : "done at once");
    if (!error && !over) {
        race_sign("attached", "the attach is done while the reset goes on");
    } else if (error && error != EBUSY) {
        race_sign("other-error", "the attach fails with %s", strerror(error));
    }
    CHECK(!over || !error, "the reset was over too soon");
    iofd_detach(&io, DROPPED);
    if (!over) {
        pt_reap(pid, KTAP_PASS);
    }

    check_there(KEPT, "not-as-it-was");
    if (fill(DROPPED) == PT_ST_DONE) {
        race_sign("still-there", "DMA with a PASID that was detached during "
                  "the reset is done");
    }
    error = error ? attach(NEW) : 0;
    if (error) {
        race_sign("not-after", "the attach after the reset fails with %s",
                  strerror(error));
    } else {
        check_there(NEW, "not-after");
    }
    CHECK_EQ(pt_counter(&io.pt, PT_CNT_VIOLATIONS), 0, "violations");
}

RACE_MAIN("attach-in-reset", attach_in_reset, 40)
