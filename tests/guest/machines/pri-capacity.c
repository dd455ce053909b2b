/*
 * LNX-04: Linux gives a function that could have more 2048 Page Requests, while
 * its queue holds 2047: the one function alone can overflow it
 *
 * @device pri-capacity=4096,channels=64
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <string.h>

#include "pciconf.h"
#include "pt.h"

#define ALLOCATION  2048
#define CHANNELS    34          /* of 64 pages: two more than that at once */

static void test_allocation(void)
{
    struct pri_testdev_info info;
    struct pciconf fn;
    struct pt pt;
    unsigned cap;

    pt_open(&pt, 0);
    pt_info(&pt, &info);
    pciconf_read(&fn, info.pci_name);
    cap = pciconf_ext(&fn, PCICONF_PRI);
    CHECK_EQ(pciconf_long(&fn, cap + 8), 4096, "capacity");
    CHECK_EQ(pciconf_long(&fn, cap + 12), ALLOCATION, "allocation");
}

/* As many requests at once as it may have: whatever overflows comes again */
static void test_all_at_once(void)
{
    struct pt_chan ch[CHANNELS];
    struct pt_op op[CHANNELS];
    struct pt pt;
    unsigned i;

    pt_open_bound(&pt, 0);
    for (i = 0; i < CHANNELS; i++) {
        pt_chan(&pt, &ch[i]);
        op[i] = (struct pt_op) {
            .cmd = PT_OP_WRITE, .len = 64 * PT_PAGE, .pattern = i,
            .group = 64, .retries = ~0u,
        };
        op[i].dst = pt_map_anon(op[i].len);
    }
    for (i = 0; i < CHANNELS; i++) {
        pt_start(&ch[i], &op[i]);
    }
    for (i = 0; i < CHANNELS; i++) {
        uint32_t status = pt_wait(&ch[i], &op[i], PT_TIMEOUT);

        CHECK(status == PT_ST_DONE, "channel %u: %s", i,
              pt_status_name(status));
        pt_check_stamp(op[i].dst, op[i].len, op[i].pattern);
    }
    CHECK_EQ(pt_rd32(pt.func, PT_PRI_GROUPS), 0, "open groups");
    CHECK_EQ(pt_counter(&pt, PT_CNT_VIOLATIONS), 0, "violations");
}

static const struct ktap_test tests[] = {
    { "LNX-04-allocation", test_allocation, 0 },
    { "LNX-04-all-at-once", test_all_at_once, 0 },
};

KTAP_MAIN(tests)
