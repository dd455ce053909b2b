/*
 * Race: C-18
 * Title: a request that is not the last of its group is answered
 * What: iommu_report_device_fault() stored a request that is not the last of
 *   its group and then, for want of a return, continued as if it were: the
 *   request became a group of its own as well, and was answered.
 * Loses: the device, which gets a response to a group that it is still
 *   sending; and the kernel, which has the request in two lists.
 * Order: one group of two requests.
 * Fix: "iommu: Restore lost return in iommu_report_device_fault()" (6.10.7,
 *   6.11, CVE-2024-44994). C-18 puts the bug back.
 * Kernels: 6.9 to 6.10.6.
 * Sign: early-answer
 * Sign: log /KASAN: .*(use-after-free|double-free)/
 * Expect: 7.3 no, 7.3+C-18 yes
 * Elsewhere: 7.2 no, 6.18 no
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>

#include "pt.h"
#include "race.h"

#define PRGI    7

static void partial_twice(void)
{
    uint32_t answers;
    uint8_t *p;
    struct pt pt;

    race_cpu(1);
    pt_open_bound(&pt, 0);
    p = pt_map_anon(2 * PT_PAGE);
    answers = pt_rd32(pt.func, PT_RAW_RESP_COUNT) +
              pt_counter(&pt, PT_CNT_RESP_UNEXPECTED);
    race_ready();

    for (unsigned i = 0; i < 2; i++) {
        struct pt_raw raw = {
            .addr = (uintptr_t)p + i * PT_PAGE,
            .prgi = PRGI,
            .flags = PT_RAW_WRITE | (i ? PT_RAW_LAST : 0),
            .pasid = pt.pasid | PT_RAW_PASID_PRESENT,
        };

        pt_raw_send(&pt, &raw);
        pt_sleep_ms(200);
        if (!i && pt_rd32(pt.func, PT_RAW_RESP_COUNT) +
            pt_counter(&pt, PT_CNT_RESP_UNEXPECTED) != answers) {
            race_sign("early-answer", "the group was answered before its last "
                      "request was sent");
        }
    }
    CHECK(pt_rd32(pt.func, PT_RAW_RESP_COUNT) > 0, "no response at all");
    CHECK(pt_resident(p) && pt_resident(p + PT_PAGE), "not faulted in");
    pt_unbind(&pt);
}

RACE_MAIN("partial-twice", partial_twice, 10)
