/*
 * Race: S-10
 * Title: what becomes of each kind of answer to a group
 * What: each of the four has an outcome that PCIe 10.4.2 promises. Success and
 *   the page still absent: the function asks again, up to its limit, and each
 *   time is a group of its own. Success and the page unmapped before the
 *   function has looked: the same, and nothing is written to the page that was
 *   taken back. Invalid Request and the page mapped afterwards: that operation
 *   has ended, the next one needs not even ask. Response Failure: page requests
 *   are off until they are enabled again, by a reset here, and work then.
 * Loses: the device, if it hangs; the data, if it lands in memory that was
 *   taken back.
 * Order: as it says, with a paging domain; for the second one the
 *   response is kept by a rule of the link until the page is unmapped.
 * Fix: none needed.
 * Kernels: all that can attach such a page table; by reading.
 * Sign: success-absent
 * Sign: success-unmapped
 * Sign: invalid-mapped
 * Sign: failure
 * Expect: 7.3 no, 7.3+S-10 yes
 * Elsewhere: 7.2 no, 6.18 no
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>

#include "hw/pci/ats-rule-knobs.h"
#include "pt-domain.h"
#include "race.h"
#include "sysfs.h"

#define IOVA            0x700000000ull
#define PATTERN         0x0f1e2d3c4b5a6978ull
#define RETRIES         5

static struct pt pt;
static struct pt_chan ch;

static struct pt_op fill(uint64_t pattern)
{
    return (struct pt_op) {
        .cmd = PT_OP_FILL, .dst = (void *)IOVA, .len = PT_PAGE,
        .pattern = pattern, .retries = RETRIES, .no_irq = true,
    };
}

/* The next group, answered with this code */
static void answer(uint32_t code)
{
    struct pri_testdev_group grp;

    pt_domain_wait(&pt, &grp, 1);
    pt_domain_respond(&pt, grp.id, code);
}

/* The same, as long as there are groups; false: the operation has ended */
static bool answer_if_asked(uint32_t code)
{
    double until = pt_now() + PT_TIMEOUT / 1000.0;
    struct pri_testdev_group grp;

    while (!pt_domain_groups(&pt, &grp, 1)) {
        if (pt_rd32(ch.regs, PT_CH_STATUS) != PT_ST_RUNNING) {
            return false;
        }
        CHECK(pt_now() < until, "neither a group nor an end");
        pt_sleep_ms(1);
    }
    pt_domain_respond(&pt, grp.id, code);
    return true;
}

/* Whether the operation ends so; says what it did instead */
static void expect(const char *sign, const struct pt_op *op, uint32_t status)
{
    uint32_t got = pt_wait(&ch, op, PT_TIMEOUT);

    if (got != status) {
        race_sign(sign, "the operation is %s, not %s", pt_status_name(got),
                  pt_status_name(status));
    }
}

/* Success each time, and nothing there */
static void success_absent(void)
{
    struct pt_op op = fill(PATTERN);

    pt_start(&ch, &op);
    for (unsigned i = 0; i <= RETRIES; i++) {
        if (!answer_if_asked(PRI_TESTDEV_RESP_SUCCESS)) {
            break;
        }
    }
    expect("success-absent", &op, PT_ST_RETRY_LIMIT);
    if (pt_rd32(ch.regs, PT_CH_GROUPS) < RETRIES) {
        race_sign("success-absent", "%u groups with %d retries",
                  pt_rd32(ch.regs, PT_CH_GROUPS), RETRIES);
    }
}

/* There when it is answered, gone when the function looks */
static void success_unmapped(void)
{
    struct pt_op op = fill(PATTERN + 1);
    struct pri_testdev_group grp;
    void *gone = pt_map_anon(PT_PAGE), *p = pt_map_anon(PT_PAGE);

    pt_start(&ch, &op);
    pt_domain_wait(&pt, &grp, 1);
    pt_rule(&pt, 0, ATS_RULE_KNOB_KIND, ATS_RULE_PRG_RESPONSE);
    pt_rule(&pt, 0, ATS_RULE_KNOB_ACTION, ATS_RULE_HOLD);
    pt_domain_map(&pt, IOVA, gone, PT_PAGE);
    pt_domain_respond(&pt, grp.id, PRI_TESTDEV_RESP_SUCCESS);
    pt_domain_unmap(&pt, IOVA, PT_PAGE);
    pt_rule_remove(&pt, 0);

    pt_domain_wait(&pt, &grp, 1);
    pt_domain_map(&pt, IOVA, p, PT_PAGE);
    pt_domain_respond(&pt, grp.id, PRI_TESTDEV_RESP_SUCCESS);
    expect("success-unmapped", &op, PT_ST_DONE);
    for (unsigned i = 0; i < PT_PAGE; i++) {
        if (((uint8_t *)gone)[i]) {
            race_sign("success-unmapped", "byte %u of the page that was taken "
                      "back is written", i);
            break;
        }
    }
    pt_check_fill(p, PT_PAGE, PATTERN + 1);
    pt_domain_unmap(&pt, IOVA, PT_PAGE);
}

static void invalid_mapped(void)
{
    struct pt_op op = fill(PATTERN + 2);
    void *p = pt_map_anon(PT_PAGE);

    pt_start(&ch, &op);
    answer(PRI_TESTDEV_RESP_INVALID);
    pt_domain_map(&pt, IOVA, p, PT_PAGE);
    expect("invalid-mapped", &op, PT_ST_INVALID_REQUEST);
    pt_check_zero(p, PT_PAGE);
    pt_start(&ch, &op);
    expect("invalid-mapped", &op, PT_ST_DONE);
    if (pt_rd32(ch.regs, PT_CH_GROUPS)) {
        race_sign("invalid-mapped", "the function asks for a page that is "
                  "there");
    }
    pt_check_fill(p, PT_PAGE, PATTERN + 2);
    pt_domain_unmap(&pt, IOVA, PT_PAGE);
}

static void failure(void)
{
    struct pt_op op = fill(PATTERN + 3);
    struct pri_testdev_group grp;
    struct pri_testdev_info info;
    void *p = pt_map_anon(PT_PAGE);
    uint64_t asked;

    pt_start(&ch, &op);
    answer(PRI_TESTDEV_RESP_FAILURE);
    expect("failure", &op, PT_ST_RESPONSE_FAILURE);
    asked = pt_counter(&pt, PT_CNT_PAGE_REQUESTS);
    pt_start(&ch, &op);
    expect("failure", &op, PT_ST_NO_PRI);
    if (!(pt_rd32(pt.func, PT_STATE) & PT_STATE_PRI_RF) ||
        pt_counter(&pt, PT_CNT_PAGE_REQUESTS) != asked) {
        race_sign("failure", "state 0x%x, %llu requests after it",
                  pt_rd32(pt.func, PT_STATE), (unsigned long long)
                  (pt_counter(&pt, PT_CNT_PAGE_REQUESTS) - asked));
    }
    pt_domain_detach(&pt, 0);
    pt_info(&pt, &info);
    sysfs_flr(info.pci_name);

    pt_domain_attach(&pt, PRI_TESTDEV_DOMAIN_PASID);
    pt_start(&ch, &op);
    pt_domain_wait(&pt, &grp, 1);
    pt_domain_map(&pt, IOVA, p, PT_PAGE);
    pt_domain_respond(&pt, grp.id, PRI_TESTDEV_RESP_SUCCESS);
    expect("failure", &op, PT_ST_DONE);
    pt_check_fill(p, PT_PAGE, PATTERN + 3);
}

static void four_outcomes(void)
{
    race_cpu(1);
    pt_open(&pt, 0);
    pt_domain_attach(&pt, PRI_TESTDEV_DOMAIN_PASID);
    pt_chan(&pt, &ch);
    race_ready();

    success_absent();
    success_unmapped();
    invalid_mapped();
    failure();
    pt_domain_detach(&pt, 0);
    CHECK_EQ(pt_counter(&pt, PT_CNT_RESP_UNEXPECTED), 0, "stray responses");
    CHECK_EQ(pt_counter(&pt, PT_CNT_VIOLATIONS), 0, "violations");
}

RACE_MAIN("four-outcomes", four_outcomes, 40)
