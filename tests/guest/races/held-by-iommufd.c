/*
 * Race: C-09
 * Title: a group that user space has read is freed by a detach
 * What: a group that iommufd hands to user space stayed in the list of the
 *   device as well. A detach takes the device out of the iopf queue, which
 *   frees the groups in that list; then iommufd answers the same group.
 * Loses: iommufd_auto_response_faults(), which works on a freed group.
 * Order: attach a page table with a fault queue to a PASID; the device asks for
 *   a page; the group is read, and not answered; detach.
 * Fix: 738e6f32e61d "iommu/iommufd: Fix IOPF group ownership UAF" (7.2, 7.1.8,
 *   6.18.44, CVE-2026-74520). C-09 puts the bug back.
 * Kernels: 6.11 to 7.1.7.
 * Sign: log /KASAN: .*use-after-free in .*(iopf|iommufd|iommu)/
 * Sign: log /KASAN: .*use-after-free in __list_/
 * Sign: log /ODEBUG: /
 * Expect: 7.3 no, 7.3+C-09 yes
 * Elsewhere: 7.1.3 yes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>

#include "iofd.h"
#include "race.h"

#define IOVA        0x10000000ull
#define PASID       5u
#define PATTERN     0x1122334455667788ull

static void held_by_iommufd(void)
{
    struct iofd_pgfault fault;
    struct pt_op op = {
        .cmd = PT_OP_FILL, .dst = (void *)IOVA, .len = PT_PAGE,
        .pattern = PATTERN, .no_irq = true,
    };
    struct pt_chan ch;
    struct iofd_pt pt;
    struct iofd io;
    uint32_t status;

    iofd_open(&io);
    iofd_pt_alloc(&io, &pt, true);
    iofd_attach(&io, pt.hwpt, PASID);
    io.pt.bound = true;
    io.pt.pasid = PASID;
    iofd_chan(&io, &ch, 0);
    race_ready();

    pt_start(&ch, &op);
    iofd_read(&pt, &fault, 1);
    iofd_detach(&io, PASID);
    status = pt_wait(&ch, &op, 5000);
    CHECK(status == PT_ST_INVALID_REQUEST, "the operation: %s",
          pt_status_name(status));
}

RACE_MAIN("held-by-iommufd", held_by_iommufd, 20)
