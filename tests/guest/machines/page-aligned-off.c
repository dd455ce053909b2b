/*
 * ATS-08: Linux does not enable ATS on a function without Page Aligned Request,
 * and so nothing that is built on it
 *
 * @device page-aligned=off
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "pciconf.h"
#include "pt.h"

static void test_left_off(void)
{
    struct pri_testdev_info info;
    struct pciconf fn;
    struct pt pt;
    unsigned cap;

    pt_open(&pt, 0);
    pt_info(&pt, &info);
    pciconf_read(&fn, info.pci_name);
    cap = pciconf_ext(&fn, PCICONF_ATS);
    CHECK_EQ(pciconf_word(&fn, cap + 4) & 1 << 5, 0, "Page Aligned Request");
    CHECK_EQ(pciconf_word(&fn, cap + 6), 0, "ATS Control");
    cap = pciconf_ext(&fn, PCICONF_PRI);
    if (pciconf_word(&fn, cap + 4)) {
        /* 6.1 enables it for every function that has it */
        pt_need_kernel(6, 12, "leaving PRI off where ATS is off");
    }
    CHECK_EQ(pciconf_word(&fn, cap + 4), 0, "PRI Control");
    CHECK_EQ(pt_rd32(pt.func, PT_STATE) & (PT_STATE_ATS | PT_STATE_PRI), 0,
             "state");
}

/* LNX-05: no binding without page requests on a function that has them */
static void test_no_binding(void)
{
    uint32_t pasid;
    struct pt pt;

    pt_open(&pt, 0);
    CHECK(ioctl(pt.fd, PRI_TESTDEV_IOC_BIND, &pasid) < 0, "it is bound");
    ktap_note("bind: %s", strerror(errno));
    CHECK(errno == EINVAL || errno == ENODEV || errno == EOPNOTSUPP,
          "bind: %s", strerror(errno));
}

static const struct ktap_test tests[] = {
    { "ATS-08-left-off", test_left_off, 0 },
    { "LNX-05-no-binding", test_no_binding, 0 },
};

KTAP_MAIN(tests)
