/*
 * A test that fails with knobs and the driver's parameter turned, and the one
 * behind it
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "pt.h"
#include "hw/i386/vtd-knobs.h"
#include "hw/misc/pri-testdev-knobs.h"

#define DELAY_US    12345
#define KEPT        "/sys/module/pri_testdev/parameters/keep_bindings"

static char kept(void)
{
    char c = 0;
    int fd = open(KEPT, O_RDONLY | O_CLOEXEC);

    CHECK(fd >= 0 && read(fd, &c, 1) == 1, KEPT);
    close(fd);
    return c;
}

static uint64_t delay(struct pt *pt)
{
    pt_wr32(pt->func, PT_KNOB_SELECT, 0);
    pt_wr32(pt->func, PT_KNOB_NAME, pt_knob_hash(PT_KNOB_DMA_DELAY));
    return pt_rd64(pt->func, PT_KNOB_VALUE);
}

static void test_fails(void)
{
    struct pt pt;

    pt_open(&pt, 0);
    CHECK(delay(&pt) != DELAY_US, "turned already");
    pt_knob(&pt, PT_KNOB_DMA_DELAY, 1);
    pt_knob(&pt, PT_KNOB_DMA_DELAY, DELAY_US);
    pt_iommu_knob(&pt, VTD_KNOB_ITE_TIMEOUT, DELAY_US);
    CHECK_EQ(delay(&pt), DELAY_US, "dma-delay");
    pt_keep_bindings(true);
    pt_keep_bindings(true);
    CHECK(kept() == 'Y', "keep_bindings is %c", kept());
    FAIL("on purpose, ITE after %llu ms, dma-delay %llu us",
         (unsigned long long)pt_iommu_knob_value(&pt, VTD_KNOB_ITE_TIMEOUT),
         (unsigned long long)delay(&pt));
}

static void test_behind_it(void)
{
    struct pt pt;

    pt_open(&pt, 0);
    CHECK(delay(&pt) != 1 && delay(&pt) != DELAY_US, "dma-delay is %llu",
          (unsigned long long)delay(&pt));
    CHECK(pt_iommu_knob_value(&pt, VTD_KNOB_ITE_TIMEOUT) != DELAY_US,
          "the IOMMU's knob is as it was left");
    CHECK(kept() == 'N', "keep_bindings is %c", kept());
}

static const struct ktap_test tests[] = {
    { "fails", test_fails, 0 },
    { "behind-it", test_behind_it, 0 },
};

KTAP_MAIN(tests)
