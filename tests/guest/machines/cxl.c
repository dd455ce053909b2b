/*
 * The reset of a CXL port's bus (Linux's reset_method "cxl_bus"), with SVA at
 * work: the function is below a CXL root port, whose port control masks
 * secondary bus resets until Linux unmasks them (CXL 3.1 8.1.5.2)
 *
 * @qemu -machine cxl=on
 * @qemu -device pxb-cxl,id=cxl0,bus=pcie.0,bus_nr=32
 * @qemu -device cxl-rp,id=crp0,bus=cxl0,port=0,chassis=9,slot=9
 * @qemu -device pri-testdev,id=ptc,bus=crp0
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "pt.h"
#include "sysfs.h"

#define PATTERN     0x1122334455667788ull
#define ROUNDS      3
#define METHOD      "cxl_bus"

/* Memory never touched is asked for, written, and gone */
static void test_reset(void)
{
    struct pri_testdev_info info;
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .len = 4096 * PT_PAGE, .pattern = PATTERN,
        .group = 32,
    };
    struct pt_chan ch, busy;
    struct pt pt;
    unsigned i;

    if (sysfs_open_resettable(&pt, &info, METHOD) < 0) {
        pt_need_kernel(6, 10, "the reset of a CXL port's bus");
        CHECK(false, "no function has the method " METHOD);
    }
    pt_bind(&pt);
    pt_chan(&pt, &ch);
    pt_chan(&pt, &busy);
    op.dst = pt_map_anon(op.len);
    for (i = 0; i < ROUNDS; i++) {
        uint32_t resets = pt_rd32(pt.func, PT_RESETS);

        pt_check_works(&ch);
        pt_start(&busy, &op);
        sysfs_reset(info.pci_name, METHOD);
        CHECK_EQ(pt_rd32(pt.func, PT_RESETS), resets + 1, "resets");
        CHECK_EQ(pt_rd32(pt.func, PT_RESET_LAST), PT_RESET_HOT,
                 "kind of the last reset");
        CHECK_EQ(pt_rd32(busy.regs, PT_CH_STATUS), PT_ST_IDLE, "status");
        pt.bound = false;
        pt_bind(&pt);
    }
    pt_check_works(&ch);
    sysfs_reset_method(info.pci_name, "default");
    CHECK_EQ(pt_counter(&pt, PT_CNT_VIOLATIONS), 0, "violations");
}

static const struct ktap_test tests[] = {
    { "cxl-bus", test_reset, 0 },
};

KTAP_MAIN(tests)
