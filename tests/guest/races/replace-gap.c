/*
 * Race: S-09
 * Title: DMA ends with an error while one page table takes another one's place
 * What: a page table is replaced by another one, and both map the page that the
 *   function writes all the time. Linux tears the PASID-table entry down, waits
 *   for the invalidations, and writes the new one: in between the function is
 *   told that there is nothing. The scenario has it that no DMA fails. Linux
 *   does not promise that much: iommufd_device_replace() "may" be without
 *   disruption, and __iommu_group_set_domain_internal() has "DMA can be
 *   discarded during the transition". VT-d would permit it: both are valid
 *   entries, and one can be written over the other and the caches be
 *   invalidated.
 * Loses: the DMA: it ends with an error though its page is mapped before, after
 *   and, for the user, all the time.
 * Order: vfio-pci, two page tables that map one address; a channel writes it
 *   without pause; the second page table is attached over the first one, and
 *   each wait for an invalidation takes 30 ms (wait-delay-us).
 * Fix: none known.
 * Kernels: 7.3.4; by reading, since intel_pasid_replace_*() was given up.
 * Sign: error-in-between
 * Expect: 7.3 yes
 * Elsewhere: 7.2 yes, 6.18 no
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hw/i386/vtd-knobs.h"
#include "iofd.h"
#include "race.h"

#define PASID       5u
#define IOVA        0x600000000ull
#define PATTERN     0x1fe2d3c4b5a69788ull
#define DELAY_US    30000

static void replace_gap(void)
{
    unsigned failed = 0, done = 0, i;
    uint32_t first = 0;
    struct iofd_pt table[2];
    struct pt_chan ch;
    struct pt_op op = {
        .cmd = PT_OP_FILL, .dst = (void *)IOVA, .len = PT_PAGE,
        .pattern = PATTERN, .no_irq = true,
    };
    struct iofd io;
    pid_t pid;
    int how;

    race_cpu(0);
    iofd_open(&io);
    for (i = 0; i < 2; i++) {
        iofd_pt_alloc(&io, &table[i], false);
        iofd_map(&io, table[i].ioas, IOVA, pt_map_anon(PT_PAGE), PT_PAGE);
    }
    iofd_attach(&io, table[0].hwpt, PASID);
    io.pt.bound = true;
    io.pt.pasid = PASID;
    iofd_chan(&io, &ch, 0);
    pt_start(&ch, &op);
    CHECK_EQ(pt_wait(&ch, &op, PT_TIMEOUT), PT_ST_DONE, "status");
    race_ready();

    pt_iommu_knob(&io.pt, VTD_KNOB_WAIT_DELAY, DELAY_US);
    pid = fork();
    CHECK(pid >= 0, "fork");
    if (!pid) {
        race_cpu(1);
        iofd_attach(&io, table[1].hwpt, PASID);
        _exit(KTAP_PASS);
    }
    while (!waitpid(pid, &how, WNOHANG)) {
        uint32_t status;

        pt_start(&ch, &op);
        status = pt_wait(&ch, &op, PT_TIMEOUT);
        done += status == PT_ST_DONE;
        if (status != PT_ST_DONE && !failed++) {
            first = status;
        }
    }
    CHECK(WIFEXITED(how) && WEXITSTATUS(how) == KTAP_PASS, "no new page table");
    pt_iommu_knob(&io.pt, VTD_KNOB_WAIT_DELAY, 0);
    ktap_note("%u operations done, %u failed", done, failed);
    CHECK(done, "nothing was done");
    if (failed) {
        race_sign("error-in-between", "operations on a page that both page "
                  "tables map end with %s", pt_status_name(first));
    }
    pt_start(&ch, &op);
    CHECK_EQ(pt_wait(&ch, &op, PT_TIMEOUT), PT_ST_DONE, "status");
    iofd_detach(&io, PASID);
}

RACE_MAIN("replace-gap", replace_gap, 40)
