/*
 * Race: O-U
 * Title: SVA in the kernel after a panic reaches memory of the kernel before
 * What: a crash kernel copies the tables of the kernel before, and attaches a
 *   function to its own domain with the first mapping of its driver
 *   (intel_iommu_is_attach_deferred()). iommu_attach_device_pasid() does not
 *   make up for that, and intel_svm_set_dev_pasid() does not look at
 *   context_copied() as intel_iommu_set_dev_pasid() does: the PASID is entered
 *   in a table that no context entry points to. The function works with the
 *   page tables of the kernel before: whose process had the PASID there.
 * Loses: the process, whose DMA goes elsewhere, and the dump, which is changed.
 * Order: a process is bound and has a page. The kernel panics, the kernel for
 *   that starts (kdump). A process is bound there, which has a page at the same
 *   address; the function reads it, and writes it.
 * Fix: O-U-fix, a trial: a PASID is attached after the deferred attach.
 * Kernels: 7.3.4.
 * Sign: old-memory
 * Expect: 7.3 yes, 7.3+O-U-fix no
 * Needs: CONFIG_KEXEC, CONFIG_CRASH_DUMP
 * @image kernel
 * @qemu -m 768M
 * @append crashkernel=320M
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <string.h>
#include <sys/mman.h>

#include "nextkernel.h"
#include "owner.h"
#include "race.h"

#define PROGRAM     "races/kdump-sva"

/* A page at the same address in both kernels, whose bytes say which one */
static uint8_t *page_of(unsigned boot)
{
    uint8_t *p = mmap((void *)OWNER_BASE, PT_PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    CHECK(p == (void *)OWNER_BASE, "no page at 0x%llx", OWNER_BASE);
    memset(p, boot, PT_PAGE);
    return p;
}

static uint32_t crc_of(unsigned boot)
{
    static uint8_t bytes[PT_PAGE];

    memset(bytes, boot, sizeof(bytes));
    return pt_crc32(bytes, sizeof(bytes));
}

/* True if what the function reads and writes is this process' page */
static bool reaches(struct pt_chan *ch, uint8_t *page)
{
    const struct pt_op read = {
        .cmd = PT_OP_READ, .src = page, .len = PT_PAGE,
    };
    const struct pt_op fill = {
        .cmd = PT_OP_FILL, .dst = page, .len = PT_PAGE,
        .pattern = OWNER_PATTERN,
    };
    struct pt_result res;
    uint32_t crc = pt_crc32(page, PT_PAGE);
    uint64_t first;

    pt_expect(ch, &read, PT_ST_DONE, &res);
    if (res.crc != crc) {
        ktap_note("the function has read %s", res.crc == crc_of(1) ?
                  "the page of the kernel before" : "some other page");
    }
    pt_expect(ch, &fill, PT_ST_DONE, NULL);
    memcpy(&first, page, sizeof(first));
    return res.crc == crc && first == OWNER_PATTERN;
}

static void kdump_sva(void)
{
    uint8_t *page = page_of(race_boot());
    struct pt pt;
    struct pt_chan ch;

    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    ktap_note("PASID %u", pt.pasid);
    if (race_boot() == 1) {
        next_load(PROGRAM, true);
        CHECK(reaches(&ch, page), "DMA of the first kernel is wrong");
        memset(page, 1, PT_PAGE);
        race_ready();
        next_panic();
    }
    if (!reaches(&ch, page)) {
        race_sign("old-memory",
                  "the function's DMA does not reach the process");
    }
}

RACE_MAIN("kdump-sva", kdump_sva, 120)
