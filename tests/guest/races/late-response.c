/*
 * Race: S-11
 * Title: a response after the flush, and one for a function that has gone
 * What: a handler of a group may answer it after the page table was taken
 *   off (iopf_group_dequeue()): the response goes out once and gives the index
 *   and the credits back. User space that answers a group of a fault queue
 *   after the detach has answered for it is refused, so that there is no second
 *   response. A response for a function that does not answer any more is sent
 *   and lost (VT-d 7.6: nobody validates it), and hangs nobody.
 * Loses: the kernel, by a use after free; the device, by a second response.
 * Order: with a paging domain: a group is held, detach, response. The
 *   function vanishes (gone) with a group held; response; detach. With iommufd:
 *   a group is read, detach, response.
 * Fix: none needed (7.2; before, groups are freed at the detach: C-09).
 * Kernels: all; by reading.
 * Sign: answered-twice
 * Sign: unanswered
 * Sign: taken
 * Sign: log /KASAN: .*(iopf|iommu|worker)/
 * Sign: log /Invalidation Queue Error/
 * Expect: 7.3 no, 7.3+S-11 yes
 * Elsewhere: 7.2 no
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "hw/i386/vtd-knobs.h"
#include "hw/misc/pri-testdev-knobs.h"
#include "iofd.h"
#include "pt-domain.h"
#include "race.h"

#define IOVA            0x700000000ull
#define PATTERN         0x0f1e2d3c4b5a6978ull
#define PASID           5u
#define ITE_MS          100
#define GONE_NODE       1           /* the function that vanishes */

static const struct pt_op op = {
    .cmd = PT_OP_FILL, .dst = (void *)IOVA, .len = PT_PAGE,
    .pattern = PATTERN, .no_irq = true,
};

static void check_answers(struct pt *pt, uint64_t want, const char *when)
{
    uint64_t n = pt_counter(pt, PT_CNT_RESP_SUCCESS) +
                 pt_counter(pt, PT_CNT_RESP_INVALID);
    uint64_t more = pt_counter(pt, PT_CNT_RESP_UNEXPECTED);

    if (n > want || more) {
        race_sign("answered-twice", "%s: %llu answers to %llu groups, and %llu "
                  "to none", when, (unsigned long long)n,
                  (unsigned long long)want, (unsigned long long)more);
    }
    if (n < want || pt_rd32(pt->func, PT_PRI_GROUPS)) {
        race_sign("unanswered", "%s: %llu answers to %llu groups", when,
                  (unsigned long long)n, (unsigned long long)want);
    }
}

/* The page table has gone, the group is ours */
static void after_detach(struct pt *pt)
{
    struct pri_testdev_group grp;
    struct pt_chan ch;

    pt_chan(pt, &ch);
    pt_wr32(pt->func, PT_CTRL, PT_CTRL_CLEAR_COUNTERS);
    pt_start(&ch, &op);
    pt_domain_wait(pt, &grp, 1);
    pt_domain_detach(pt, PRI_TESTDEV_DETACH_KEEP);
    CHECK_EQ(pt_rd32(pt->func, PT_PRI_GROUPS), 1, "open groups");
    pt_domain_respond(pt, grp.id, PRI_TESTDEV_RESP_SUCCESS);
    pt_sleep_ms(20);
    check_answers(pt, 1, "after the detach");
    CHECK_EQ(pt_rd32(pt->func, PT_PRI_CREDITS), pt_rd32(pt->func, PT_PRI_ALLOC),
             "credits");
}

/* The function has gone */
static void after_end(struct pt *pt, struct pt *control)
{
    struct pri_testdev_group grp;
    struct pt_chan ch;

    pt_chan(pt, &ch);
    pt_start(&ch, &op);
    pt_domain_wait(pt, &grp, 1);
    pt_iommu_knob(control, VTD_KNOB_ITE_TIMEOUT, ITE_MS);
    pt_knob_blind(pt, PT_KNOB_GONE, 1);
    CHECK_EQ(pt_rd32(pt->func, PT_ID), UINT32_MAX, "PT_ID of what has gone");
    pt_domain_respond(pt, grp.id, PRI_TESTDEV_RESP_SUCCESS);
    ktap_note("answered what has gone");
    pt_domain_detach(pt, 0);
}

static void iommufd_refuses(void)
{
    struct iofd_response resp;
    struct iofd_pgfault fault;
    struct iofd_pt table;
    struct pt_chan ch;
    struct iofd io;

    iofd_open(&io);
    iofd_pt_alloc(&io, &table, true);
    iofd_attach(&io, table.hwpt, PASID);
    io.pt.bound = true;
    io.pt.pasid = PASID;
    iofd_chan(&io, &ch, 0);
    pt_wr32(io.pt.func, PT_CTRL, PT_CTRL_CLEAR_COUNTERS);
    pt_start(&ch, &op);
    iofd_read(&table, &fault, 1);
    iofd_detach(&io, PASID);
    check_answers(&io.pt, 1, "iommufd, detached");
    resp = (struct iofd_response) {
        .cookie = fault.cookie, .code = IOFD_RESP_SUCCESS,
    };
    if (write(table.fault_fd, &resp, sizeof(resp)) != -1) {
        race_sign("taken", "a response to a group that the detach has answered "
                  "is taken");
    }
    pt_sleep_ms(20);
    check_answers(&io.pt, 1, "iommufd, answered late");
}

static void late_response(void)
{
    struct pt pt, gone;

    race_cpu(1);
    pt_open(&gone, GONE_NODE);
    pt_domain_attach(&gone, PRI_TESTDEV_DOMAIN_PASID);
    pt_open(&pt, 0);
    pt_domain_attach(&pt, PRI_TESTDEV_DOMAIN_PASID);
    race_ready();

    after_detach(&pt);
    after_end(&gone, &pt);
    pt_close(&pt);
    iommufd_refuses();
}

RACE_MAIN("late-response", late_response, 40)
