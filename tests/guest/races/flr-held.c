/*
 * Race: S-07
 * Title: user space answers a group from before a reset
 * What: a group that a fault queue of iommufd has handed to user space stays
 *   there over a reset of the function. The function has forgotten it. The
 *   answer goes out all the same, and the index is that of a new group. VT-d
 *   7.9 and 7.10 have software drain, which includes the responses that it
 *   owes, before a function is back in service after a reset.
 * Loses: the DMA of the new group: it ends with Invalid Request, or goes on
 *   without its page, by the answer to another question.
 * Order: vfio-pci, a page table with a fault queue; a channel asks, index 0
 *   (prgi-policy=immediate); user space reads the group; reset by VFIO; another
 *   channel asks, index 0; user space answers the first group Invalid Request.
 * Fix: none known. User space cannot know: neither the queue nor the write of
 *   the response tells of the reset.
 * Kernels: 7.3.4; by reading, all with fault queues (6.11).
 * Sign: mistaken
 * Sign: lost
 * Expect: 7.3 yes
 * Elsewhere: 7.2 yes, 6.18 yes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "hw/misc/pri-testdev-knobs.h"
#include "iofd.h"
#include "race.h"

#define PASID       5u
#define IOVA        0x600000000ull
#define PATTERN     0x1fe2d3c4b5a69788ull
#define IMMEDIATE   2               /* prgi-policy */

static void flr_held(void)
{
    struct iofd_pgfault old, new;
    struct pt_chan ch[2];
    struct pt_op op[2];
    struct iofd_pt table;
    struct iofd_response resp;
    struct iofd io;
    uint32_t status;
    void *p = pt_map_anon(PT_PAGE);

    race_cpu(1);
    memset(&io, 0, sizeof(io));
    iofd_open(&io);
    iofd_pt_alloc(&io, &table, true);
    iofd_attach(&io, table.hwpt, PASID);
    io.pt.bound = true;
    io.pt.pasid = PASID;
    pt_knob(&io.pt, PT_KNOB_PRGI_POLICY, IMMEDIATE);
    for (unsigned i = 0; i < 2; i++) {
        iofd_chan(&io, &ch[i], i);
        op[i] = (struct pt_op) {
            .cmd = PT_OP_FILL, .dst = (void *)(IOVA + 64 * i * PT_PAGE),
            .len = PT_PAGE, .pattern = PATTERN + i, .no_irq = true,
        };
    }
    race_ready();

    pt_start(&ch[0], &op[0]);
    iofd_read(&table, &old, 1);
    CHECK(!ioctl(io.dev, VFIO_FD_RESET), "reset: %s", strerror(errno));
    pt_start(&ch[1], &op[1]);
    iofd_read(&table, &new, 1);
    CHECK_EQ(new.grpid, old.grpid, "index of the new group");

    resp = (struct iofd_response) {
        .cookie = old.cookie, .code = IOFD_RESP_INVALID,
    };
    if (write(table.fault_fd, &resp, sizeof(resp)) != sizeof(resp)) {
        ktap_note("the old group's response is refused: %s", strerror(errno));
    }
    pt_sleep_ms(50);
    iofd_map(&io, table.ioas, new.addr, p, PT_PAGE);
    iofd_respond(&table, new.cookie, IOFD_RESP_SUCCESS);
    status = pt_wait(&ch[1], &op[1], PT_TIMEOUT);
    if (pt_counter(&io.pt, PT_CNT_RESP_MISTAKEN)) {
        race_sign("mistaken", "%llu groups ended by a response from before the "
                  "reset", (unsigned long long)
                  pt_counter(&io.pt, PT_CNT_RESP_MISTAKEN));
    }
    if (status != PT_ST_DONE) {
        race_sign("lost", "the write after the reset ends with %s",
                  pt_status_name(status));
    } else {
        pt_check_fill(p, PT_PAGE, PATTERN + 1);
    }
    iofd_detach(&io, PASID);
}

RACE_MAIN("flr-held", flr_held, 40)
