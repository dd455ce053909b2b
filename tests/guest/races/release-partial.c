/*
 * Race: S-01
 * Title: half a group of a released PASID becomes part of another one's group
 * What: requests that are not the last of their group wait in
 *   fault_param->partial. Neither a drain nor the end of a PASID takes them out
 *   as long as another PASID of the function is attached. iopf_group_alloc()
 *   takes them for part of the next group with that index, whosever it is.
 *   "Nothing reaches the next owner" is what iopf_queue_flush_dev() promises.
 * Loses: the process of the other PASID: a page that nobody asked for is
 *   faulted in, or its group is answered Invalid Request.
 * Order: processes A and B are bound. A has two requests of a group of three,
 *   index 9, at the kernel; A unbinds. B: a group of one request, index 9. A
 *   function that keeps to PCIe 10.4.1.2 finishes its groups before the unbind;
 *   one whose channel was reset (VT-d 7.9), or whose last request met a full
 *   queue and was answered by the IOMMU, does not.
 * Fix: none known. O-A-fix keeps it from another PASID, not from the next owner
 *   of the same one (reuse-partial).
 * Kernels: 7.3.4; by reading, every one with iopf_group_alloc() (6.9).
 * Sign: other-address-space
 * Sign: wrong-code
 * Expect: 7.3 yes, 7.3+O-A-fix no, 7.3+S-02-fix no
 * Elsewhere: 7.2 yes, 6.18 yes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>

#include "owner.h"
#include "race.h"

#define PRGI    9
#define PAGE    5               /* that B asks for */

static void release_partial(void)
{
    struct owner a, b;
    struct pt_raw_resp resp;
    uint32_t present;
    struct pt pt;

    race_cpu(1);
    pt_open(&pt, 0);
    owner_start(&b, 0);
    owner_start(&a, 0);
    race_ready();

    owner_send(&pt, &a, 0, PT_RAW_WRITE, PRGI);
    owner_send(&pt, &a, 1, PT_RAW_WRITE, PRGI);
    pt_expect_no_resp(&pt);
    owner_do(&a, OWNER_UNBIND);

    owner_send(&pt, &b, PAGE, PT_RAW_WRITE | PT_RAW_LAST, PRGI);
    CHECK(pt_raw_wait(&pt, &resp, PT_RESP_MS), "no response to B");
    if (resp.code) {
        race_sign("wrong-code", "B's group is answered %u", resp.code);
    }
    present = owner_do(&b, OWNER_PRESENT);
    if (present & ~(1u << PAGE)) {
        race_sign("other-address-space", "pages 0x%x of PASID %u are there: "
                  "PASID %u had asked for them before its unbind",
                  present & ~(1u << PAGE), b.pasid, a.pasid);
    }
    CHECK(present & 1u << PAGE || resp.code, "the page B asked for is absent");
    CHECK_EQ(owner_do(&b, OWNER_WRITE), PT_ST_DONE, "status");
}

RACE_MAIN("release-partial", release_partial, 30)
