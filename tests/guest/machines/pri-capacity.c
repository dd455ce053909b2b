/*
 * LNX-04: Linux gives a function that could have more 2048 Page Requests, while
 * its queue holds 2047: the one function alone can overflow it.  What
 * then happens is docs/findings/overflow-no-end.md.
 *
 * @device pri-capacity=4096
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <string.h>

#include "pciconf.h"
#include "pt.h"

#define ALLOCATION  2048

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

static const struct ktap_test tests[] = {
    { "LNX-04-allocation", test_allocation, 0 },
};

KTAP_MAIN(tests)
