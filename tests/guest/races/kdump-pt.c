/*
 * Race: O-V
 * Title: with iommu=pt a crash kernel leaves functions to the old tables
 * What: a crash kernel attaches a function to its own domain with the first
 *   mapping that goes through the IOMMU (iommu_deferred_attach()). Mappings of
 *   an identity domain do not (dma_map_direct()), so it is never attached: DMA
 *   goes through the tables of the kernel before, where this address means
 *   something else or nothing.
 * Loses: the crash kernel, whose DMA ends with faults or goes elsewhere: no
 *   dump is written.
 * Order: the kernel panics; the one for that starts with iommu=pt, the one
 *   before had domains for DMA. The function reads and writes a page without
 *   PASID.
 * Fix: O-V-fix, a trial: the crash kernel uses a domain with mappings.
 * Kernels: 7.3.4.
 * Sign: old-tables
 * Expect: 7.3 yes, 7.3+O-V-fix no
 * Needs: CONFIG_KEXEC, CONFIG_CRASH_DUMP
 * @image kernel
 * @qemu -m 768M
 * @append crashkernel=320M
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "nextkernel.h"
#include "race.h"

#define PROGRAM     "races/kdump-pt"
#define PATTERN     0x5a4b3c2d1e0f9687ull

static uint64_t mapped(struct pt *pt, void *page)
{
    struct pri_testdev_map req = {
        .addr = (uintptr_t)page, .len = PT_PAGE,
        .prot = PRI_TESTDEV_READ | PRI_TESTDEV_WRITE,
    };

    CHECK(!ioctl(pt->fd, PRI_TESTDEV_IOC_DMA_MAP, &req), "map: %s",
          strerror(errno));
    return req.iova;
}

/* Returns PT_ST_*; a write is posted, whether it came shows in the page */
static uint32_t reaches(struct pt_chan *ch, uint64_t iova, uint8_t *page)
{
    const struct pt_op fill = {
        .cmd = PT_OP_FILL, .dst = (void *)iova, .len = PT_PAGE,
        .pattern = PATTERN,
    };
    uint32_t status = pt_run(ch, &fill, NULL);
    uint64_t first;

    memcpy(&first, page, sizeof(first));
    ktap_note("DMA to 0x%llx: %s, %s", (unsigned long long)iova,
              pt_status_name(status), first == PATTERN ? "there" : "not there");
    return first == PATTERN ? status : PT_ST_DMA_ERROR;
}

static void kdump_pt(void)
{
    uint8_t *page = pt_map_anon(PT_PAGE);
    uint32_t status;
    struct pt pt;
    struct pt_chan ch;
    uint64_t iova;

    memset(page, 1, PT_PAGE);
    pt_open(&pt, 0);
    pt_chan(&pt, &ch);
    iova = mapped(&pt, page);
    status = reaches(&ch, iova, page);
    if (race_boot() == 1) {
        CHECK_EQ(status, PT_ST_DONE, "DMA of the first kernel");
        next_words("iommu=pt");
        next_load(PROGRAM, true);
        race_ready();
        next_panic();
    }
    if (status != PT_ST_DONE) {
        race_sign("old-tables", "DMA to memory that is mapped ends with %s",
                  pt_status_name(status));
    }
}

RACE_MAIN("kdump-pt", kdump_pt, 120)
