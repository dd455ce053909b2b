/*
 * Race: O-A
 * Title: a request of one PASID is handled on the address space of another
 * What: when the last request of a group is refused by prq_event_thread()
 *   (bad address, privileged, execute), the requests of the group that came
 *   before stay in fault_param->partial. iopf_group_alloc() collects partial
 *   requests by group index alone, so the next group with that index gets
 *   them, whatever its PASID is.
 * Loses: the process of the other PASID: a page that nobody asked for in its
 *   address space is faulted in, or its own group is answered Invalid Request
 *   because the address of the other process means nothing there.
 * Order: PASID A: request, group 5, not the last, for address X; last request
 *   of the group with Privileged Mode: refused, answered Invalid Request.
 *   PASID B: a group 5 of one request, for address Y. The worker of B handles
 *   X and Y on B's memory.
 * Fix: none known. O-A-fix is our own trial.
 * Kernels: 7.3.4; by reading, every one with iopf_group_alloc() (6.9).
 * Sign: other-address-space
 * Expect: 7.3 yes, 7.3+O-A-fix no
 * Elsewhere: 7.2 yes, 6.18 yes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pt.h"
#include "race.h"

#define BASE    0x100000000000ull   /* of the memory, in both processes */
#define X       BASE
#define Y       (BASE + PT_PAGE)
#define PRGI    5

/* volatile: another process writes it */
static volatile uint32_t *pasid_a;  /* volatile: see above */

static void *map_at_base(void)
{
    void *p = mmap((void *)BASE, 2 * PT_PAGE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    CHECK(p == (void *)BASE, "mmap at 0x%llx", BASE);
    return p;
}

static void send(struct pt *pt, uint32_t pasid, uint64_t addr, uint32_t flags)
{
    struct pt_raw raw = {
        .addr = addr,
        .prgi = PRGI,
        .flags = flags,
        .pasid = pasid | PT_RAW_PASID_PRESENT,
    };

    pt_raw_send(pt, &raw);
}

/* Owns PASID A, and does nothing */
static void process_a(int ready, int end)
{
    struct pt pt;
    char c;

    pt_open_bound(&pt, 0);
    map_at_base();
    *pasid_a = pt.pasid;
    CHECK(write(ready, "r", 1) == 1, "pipe");
    CHECK(read(end, &c, 1) == 0, "pipe");
    pt_unbind(&pt);
    _exit(KTAP_PASS);
}

static void stale_partial(void)
{
    struct pt_raw_resp resp;
    int ready[2], end[2];
    struct pt pt;
    uint8_t *p;
    pid_t a;
    char c;

    pasid_a = mmap(NULL, sizeof(*pasid_a), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(!pipe(ready) && !pipe(end), "pipe");
    a = fork();
    CHECK(a >= 0, "fork");
    if (!a) {
        close(end[1]);
        process_a(ready[1], end[0]);
    }
    close(end[0]);
    close(ready[1]);
    if (read(ready[0], &c, 1) != 1) {
        pt_reap(a, KTAP_PASS);          /* says why, or is a skip */
    }
    p = map_at_base();
    pt_open_bound(&pt, 0);
    CHECK(pt.pasid != *pasid_a, "both have PASID %u", pt.pasid);
    race_ready();

    send(&pt, *pasid_a, X, PT_RAW_WRITE);
    send(&pt, *pasid_a, Y, PT_RAW_WRITE | PT_RAW_LAST | PT_RAW_PRIV);
    CHECK(pt_raw_wait(&pt, &resp, 2000), "no response to the refused group");
    CHECK_EQ(resp.code, 1, "response to a privileged request");
    pt_sleep_ms(50);

    send(&pt, pt.pasid, Y, PT_RAW_WRITE | PT_RAW_LAST);
    CHECK(pt_raw_wait(&pt, &resp, 2000), "no response to the group of B");
    CHECK_EQ(resp.code, 0, "response to the group of B");
    CHECK(pt_resident(p + PT_PAGE), "the page that B asked for is absent");
    if (pt_resident(p)) {
        race_sign("other-address-space", "the page that PASID %u asked for "
                  "was faulted in on the memory of PASID %u", *pasid_a,
                  pt.pasid);
    }
    close(end[1]);
    pt_reap(a, KTAP_PASS);
    pt_unbind(&pt);
}

RACE_MAIN("stale-partial", stale_partial, 30)
