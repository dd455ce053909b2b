/*
 * Race: O-T
 * Title: the time-out of a function that has gone ends another one's wait
 * What: a CPU that waits for an invalidation looks for errors of the queue
 *   (qi_check_fault()). With an Invalidation Time-out Error it looks whether
 *   the function that ITESID names is still there; if not, its own wait ends
 *   with -ETIMEDOUT, even if it is for another function. Its invalidation may
 *   not have been sent yet, or is not answered; nobody sends it again, and the
 *   unmap continues.
 * Loses: the new owner of the page. Software is to wait for the completion
 *   before memory is used again; here a write that the function had on its
 *   way, which the completion pushes (PCIe 6.2 10.3.3), lands in it.
 * Order: two processes, one bound to a function that has vanished (gone),
 *   which unmaps memory without pause; the other one has its function write a
 *   page, the write is on its way (dma-do=hold), the page is unmapped, other
 *   memory is allocated, the write lands. The second function keeps all rules;
 *   it takes 30 ms to answer. So over and over, up to 20 times.
 * Fix: none known.
 * Kernels: 7.3.4; by reading, since 80a9b50c0b9e (6.9).
 * Sign: early
 * Sign: other-owner
 * Expect: 7.3 yes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "hw/i386/vtd-knobs.h"
#include "hw/misc/pri-testdev-knobs.h"
#include "owner.h"
#include "race.h"

#define PATTERN     0x6b5a49382716f5e4ull
#define FILL        0x3c
#define POOL        (512 * PT_PAGE)
#define TRIES       20
#define ITE_MS      60
#define ANSWER_US   30000
#define HOLD        1               /* dma-do */
#define NO          1               /* read-push */

static struct pt gone, pt;
static struct pt_chan ch;
static struct owner a;

/* A write of 8 bytes that is done, as far as the function is concerned */
static void post(void *page)
{
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .dst = page, .len = 8, .pattern = PATTERN,
        .no_irq = true,
    };

    memset(page, 0, 8);
    pt_expect(&ch, &op, PT_ST_DONE, NULL);
    CHECK_EQ(pt_rd32(pt.func, PT_DMA_WAITING), 1, "writes on their way");
}

/* Bytes that are not what the owner of the memory has written */
static unsigned changed(const char *pool)
{
    unsigned n = 0;

    for (size_t i = 0; i < POOL; i++) {
        n += pool[i] != FILL;
    }
    return n;
}

/* True: the unmap did not wait */
static bool one(unsigned try, char *pool)
{
    char *page = pt_map_anon(PT_PAGE);
    unsigned n;

    CHECK(!madvise(pool, POOL, MADV_DONTNEED), "madvise: %s", strerror(errno));
    memset(pool, FILL, PT_PAGE);
    post(page);
    CHECK(!munmap(page, PT_PAGE), "munmap: %s", strerror(errno));
    if (!pt_rd32(pt.func, PT_DMA_WAITING)) {
        return false;
    }
    race_sign("early", "try %u: munmap() is back, the invalidation is not "
              "completed, and a write is on its way", try);
    memset(pool, FILL, POOL);
    pt_sleep_ms(2 * ITE_MS);            /* the completion pushes it */
    n = changed(pool);
    if (n) {
        race_sign("other-owner", "%u bytes of memory that the function was "
                  "never given are changed", n);
    }
    return true;
}

static void other_timeout(void)
{
    char *pool;
    unsigned n;

    race_cpu(1);
    pt_open(&gone, 0);
    pt_iommu_knob(&gone, VTD_KNOB_ITE_TIMEOUT, ITE_MS);
    owner_start(&a, 0);
    race_cpu(0);
    pt_open_bound(&pt, 1);
    pt_chan(&pt, &ch);
    pt_knob(&pt, PT_KNOB_DMA_DO, HOLD);
    pt_knob(&pt, PT_KNOB_READ_PUSH, NO);
    pt_knob(&pt, PT_KNOB_INV_DELAY, ANSWER_US);
    pool = mmap(NULL, POOL, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pool != MAP_FAILED, "mmap: %s", strerror(errno));
    CHECK(!madvise(pool, POOL, MADV_NOHUGEPAGE), "madvise: %s",
          strerror(errno));
    CHECK_EQ(owner_do(&a, OWNER_WRITE), PT_ST_DONE, "status");
    race_ready();

    pt_knob_blind(&gone, PT_KNOB_GONE, 1);
    owner_tell(&a, OWNER_UNMAP);
    for (n = 0; n < TRIES && !one(n + 1, pool); n++) {
        ;
    }
    owner_tell(&a, OWNER_FREE);
    ktap_note("%u times unmapped", n);
    CHECK_EQ(pt_counter(&pt, PT_CNT_VIOLATIONS), 0, "violations");
}

RACE_MAIN("other-timeout", other_timeout, 30)
