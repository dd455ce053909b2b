/*
 * Race: S-09
 * Title: a replacement that fails takes the old page table away
 * What: a page table is to be replaced by another one, and memory for it
 *   cannot be had. iommufd_device_replace() has "If it fails then no change is
 *   made to the attachment". intel_iommu_attach_device() blocks translation
 *   before it does anything that can fail, so that on the RID nothing is
 *   attached afterwards; the core and iommufd continue as if the old page table
 *   were. A PASID is not touched before everything is there, and keeps its own.
 * Loses: the DMA of the old page table, from then on, and a caller that
 *   believes the error code.
 * Order: vfio-pci, a page table that maps a page, one channel without PASID and
 *   one with; the n-th allocation of the attach of a second page table fails
 *   (fail-nth), so for each n; after each failure both channels write the page.
 * Fix: none known.
 * Kernels: 7.3.4.
 * Sign: old-blocked
 * Expect: 7.3 yes
 * Elsewhere: 7.2 yes, 6.18 no
 * Needs: CONFIG_FAILSLAB, CONFIG_FAULT_INJECTION_DEBUG_FS
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "failnth.h"
#include "iofd.h"
#include "race.h"

#define IOVA        0x600000000ull
#define PASID       5u
#define PATTERN     0x6b1f0c2d9e3a5847ull

/* Status of a write through the page table of a PASID, or of the RID */
static uint32_t write_page(struct iofd *io, uint32_t pasid)
{
    struct pt_op op = {
        .cmd = PT_OP_FILL, .dst = (void *)IOVA, .len = PT_PAGE,
        .pattern = PATTERN, .no_irq = true,
    };
    struct pt_chan ch;

    io->pt.bound = pasid != IOFD_NO_PASID;
    io->pt.pasid = pasid;
    iofd_chan(io, &ch, 0);
    pt_start(&ch, &op);
    return pt_wait(&ch, &op, PT_TIMEOUT);
}

/* Replace the first one by the second with each allocation failing in turn */
static void replace(struct iofd *io, const struct iofd_pt *table,
                    uint32_t pasid, int fd)
{
    unsigned n, failed = 0;
    bool one = true;
    uint32_t status;
    int err;

    for (n = 1; n < FAIL_MOST && one; n++) {
        iofd_attach(io, table[0].hwpt, pasid);
        CHECK_EQ(write_page(io, pasid), PT_ST_DONE, "status");
        fail_arm(fd, n);
        err = iofd_try_attach(io, table[1].hwpt, pasid);
        one = fail_disarm(fd);
        CHECK(!err || err == ENOMEM, "allocation %u: %s", n, strerror(err));
        failed += err == ENOMEM;
        status = write_page(io, pasid);
        if (status != PT_ST_DONE) {
            race_sign("old-blocked", "allocation %u of a replacement on %s "
                      "failed, and DMA by the page table that was there ends "
                      "with %s", n, pasid ? "a PASID" : "the RID",
                      pt_status_name(status));
        }
        iofd_detach(io, pasid);
    }
    ktap_note("%s: %u allocations, %u of them needed",
              pasid ? "PASID" : "RID", n - 2, failed);
    CHECK(!one && failed, "no attach has failed for want of memory");
}

static void replace_fails(void)
{
    struct iofd_pt table[2];
    struct iofd io;
    void *page;
    int i, fd;

    iofd_open(&io);
    page = pt_map_anon(PT_PAGE);
    for (i = 0; i < 2; i++) {
        iofd_pt_alloc(&io, &table[i], false);
        iofd_map(&io, table[i].ioas, IOVA, page, PT_PAGE);
    }
    fd = fail_open();
    race_ready();

    replace(&io, table, PASID, fd);
    replace(&io, table, IOFD_NO_PASID, fd);
}

RACE_MAIN("replace-fails", replace_fails, 20)
