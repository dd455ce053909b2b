/*
 * Race: S-09
 * Title: a page table is replaced under DMA
 * What: once the replacement is done, which includes the invalidations (VT-d
 *   6.5.3.3), DMA goes by the new page table: it lands in the new memory and
 *   never again in the old. If the new page table maps nothing, DMA ends with
 *   an error, at once and not never, and writes nothing. DMA goes by one or the
 *   other meanwhile, "never something else". Whether it may fail meanwhile:
 *   replace-gap.
 * Loses: the memory that was taken back; the device, if it hangs.
 * Order: vfio-pci; page tables A and B map one address to a page each, C maps
 *   nothing. A channel writes without pause; A to B to C to A to C to B, each
 *   attached over the one before; without PASID, and with one.
 * Fix: none needed.
 * Kernels: all; by reading.
 * Sign: old-translation
 * Sign: not-blocked
 * Sign: hangs
 * Sign: lost
 * Expect: 7.3 no, 7.3+S-09 yes
 * Elsewhere: 7.2 no, 6.18 no
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "iofd.h"
#include "race.h"

#define PASID       5u
#define IOVA        0x600000000ull
#define PATTERN     0x1fe2d3c4b5a69788ull
#define HANG_MS     5000
#define NR          3

static struct iofd io;
static struct iofd_pt table[NR];
static uint64_t *page[NR];          /* table[2] maps none */
static struct pt_chan ch, busy;

static uint32_t fill(struct pt_chan *chan, uint64_t pattern)
{
    struct pt_op op = {
        .cmd = PT_OP_FILL, .dst = (void *)IOVA, .len = PT_PAGE,
        .pattern = pattern, .no_irq = true,
    };
    uint32_t status;

    pt_start(chan, &op);
    status = pt_wait(chan, &op, HANG_MS);
    if (status == PT_ST_RUNNING) {
        race_sign("hangs", "an operation does not end");
    }
    return status;
}

/* Writes all the time, whatever comes of it */
static pid_t background(void)
{
    pid_t pid = fork();

    CHECK(pid >= 0, "fork");
    if (!pid) {
        race_cpu(0);
        for (;;) {
            fill(&busy, PATTERN);
        }
    }
    return pid;
}

/* With table[i] attached, and nobody else at work */
static void check(unsigned i, uint64_t pattern)
{
    uint32_t status;

    memset(page[0], 0x55, PT_PAGE);
    memset(page[1], 0x55, PT_PAGE);
    status = fill(&ch, pattern);
    for (unsigned k = 0; k < 2; k++) {
        if (k != i && page[k][0] != 0x5555555555555555ull) {
            race_sign(i == 2 ? "not-blocked" : "old-translation",
                      "page table %c is attached, and the page of %c is "
                      "written", 'A' + i, 'A' + k);
        }
    }
    if (i == 2 && status == PT_ST_DONE) {
        race_sign("not-blocked", "DMA to a page that is not mapped is done");
    } else if (i < 2 && status != PT_ST_DONE) {
        race_sign("lost", "DMA to a page that is mapped ends with %s",
                  pt_status_name(status));
    } else if (i < 2) {
        pt_check_fill(page[i], PT_PAGE, pattern);
    }
}

static void replace(uint32_t pasid)
{
    static const unsigned order[] = { 1, 2, 0, 2, 1, 0 };

    iofd_attach(&io, table[0].hwpt, pasid);
    io.pt.bound = pasid;
    io.pt.pasid = pasid;
    check(0, PATTERN);
    for (unsigned n = 0; n < sizeof(order) / sizeof(order[0]); n++) {
        pid_t pid = background();

        pt_sleep_ms(5);
        iofd_attach(&io, table[order[n]].hwpt, pasid);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        pt_sleep_ms(1);             /* for what it had started */
        check(order[n], PATTERN + n);
    }
    iofd_detach(&io, pasid);
}

static void replace_domain(void)
{
    race_cpu(1);
    iofd_open(&io);
    for (unsigned i = 0; i < NR; i++) {
        iofd_pt_alloc(&io, &table[i], false);
        if (i < 2) {
            page[i] = pt_map_anon(PT_PAGE);
            iofd_map(&io, table[i].ioas, IOVA, page[i], PT_PAGE);
        }
    }
    iofd_chan(&io, &ch, 0);
    iofd_chan(&io, &busy, 1);
    race_ready();

    replace(PASID);
    replace(IOFD_NO_PASID);
    CHECK_EQ(pt_counter(&io.pt, PT_CNT_VIOLATIONS), 0, "violations");
}

RACE_MAIN("replace-domain", replace_domain, 40)
