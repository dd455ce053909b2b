/*
 * Race: S-02
 * Title: half a group of a PASID becomes part of a group of its next owner
 * What: as release-partial, but the other group is one of the process that gets
 *   the PASID next. It has all that could tell the two apart in common, so it
 *   is not enough to compare the PASID: the end of a PASID has to drop what it
 *   leaves behind in fault_param->partial.
 * Loses: the next owner: a page that it never touched and never asked for is
 *   faulted in, or its group is answered Invalid Request.
 * Order: A and another process are bound. A has sent two requests of a group of
 *   three, index 9; A unbinds and ends. B gets the PASID; a group of one
 *   request, index 9.
 * Fix: none known. S-02-fix is our own trial.
 * Kernels: 7.3.4; by reading, every one with iopf_group_alloc() (6.9).
 * Sign: next-owner
 * Sign: wrong-code
 * Expect: 7.3 yes, 7.3+S-02-fix no, 7.3+O-A-fix yes
 * Elsewhere: 7.2 yes, 6.18 yes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>

#include "owner.h"
#include "race.h"

#define PRGI    9
#define PAGE    5               /* that B asks for */

static void reuse_partial(void)
{
    struct owner a, b, other;
    struct pt_raw_resp resp;
    uint32_t present;
    struct pt pt;

    race_cpu(1);
    pt_open(&pt, 0);
    owner_start(&other, 0);
    owner_start(&a, 0);
    race_ready();

    owner_send(&pt, &a, 0, PT_RAW_WRITE, PRGI);
    owner_send(&pt, &a, 1, PT_RAW_WRITE, PRGI);
    pt_expect_no_resp(&pt);
    owner_do(&a, OWNER_UNBIND);
    owner_end(&a);

    owner_start_as(&b, 0, a.pasid);
    owner_send(&pt, &b, PAGE, PT_RAW_WRITE | PT_RAW_LAST, PRGI);
    CHECK(pt_raw_wait(&pt, &resp, PT_RESP_MS), "no response to B");
    if (resp.code) {
        race_sign("wrong-code", "B's group is answered %u", resp.code);
    }
    present = owner_do(&b, OWNER_PRESENT);
    if (present & ~(1u << PAGE)) {
        race_sign("next-owner", "pages 0x%x of PASID %u are there, which its "
                  "owner before had asked for", present & ~(1u << PAGE),
                  b.pasid);
    }
    CHECK_EQ(owner_do(&b, OWNER_WRITE), PT_ST_DONE, "status");
}

RACE_MAIN("reuse-partial", reuse_partial, 40)
