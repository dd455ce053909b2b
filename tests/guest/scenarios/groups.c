/*
 * Title: requests of two PASIDs with one group index
 * What: a group of PASID A of two requests, whose last one may be good or
 *   refused, a group of PASID B of one request, and the end of A, in any
 *   order. Each request that is the last of its group is answered once and
 *   after it was sent; B gets the pages it asked for and no others.
 * Sign: early-answer
 * Sign: no-answer
 * Sign: answered-twice
 * Sign: other-address-space
 * Sign: log /KASAN: /
 * Sign: log /ODEBUG: /
 * Sign: log /INFO: task .* blocked for more than/
 * Sign: stuck
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
#define PAGES   4
#define PAGE_A  0
#define PAGE_B  2
#define PRGI    5
#define TIME_MS 30                  /* for the kernel to answer */

/* volatile: another process writes it */
static volatile uint32_t *pasid_a;  /* volatile: see above */
static struct pt pt;
static uint8_t *memory;
static uint32_t last;               /* requests sent that want an answer */
static int ready[2], stop[2];
static pid_t other;

static void map_at_base(void)
{
    memory = mmap((void *)BASE, PAGES * PT_PAGE, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    CHECK(memory == (void *)BASE, "mmap at 0x%llx", BASE);
}

static uint64_t answers(void)
{
    return pt_rd32(pt.func, PT_RAW_RESP_COUNT) +
           pt_counter(&pt, PT_CNT_RESP_UNEXPECTED);
}

static void send(uint32_t pasid, unsigned page, uint32_t flags)
{
    struct pt_raw raw = {
        .addr = BASE + page * PT_PAGE,
        .prgi = PRGI,
        .flags = PT_RAW_WRITE | flags,
        .pasid = pasid | PT_RAW_PASID_PRESENT,
    };
    double until;

    last += !!(flags & PT_RAW_LAST);
    pt_raw_send(&pt, &raw);
    for (until = pt_now() + TIME_MS / 1000.0; pt_now() < until;) {
        pt_sleep_ms(2);
    }
    if (answers() <= last) {
        return;
    }
    if (flags & PT_RAW_LAST) {
        race_sign("answered-twice", "%llu answers to %u groups",
                  (unsigned long long)answers(), last);
    } else {
        race_sign("early-answer", "%llu answers to %u groups that have been "
                  "sent", (unsigned long long)answers(), last);
    }
}

static void first_of_a(void)
{
    send(*pasid_a, PAGE_A, 0);
}

static void last_of_a(void)
{
    send(*pasid_a, PAGE_A + 1, PT_RAW_LAST);
}

static void refused_of_a(void)
{
    send(*pasid_a, PAGE_A + 1, PT_RAW_LAST | PT_RAW_PRIV);
}

static void group_of_b(void)
{
    send(pt.pasid, PAGE_B, PT_RAW_LAST);
}

static void end_of_a(void)
{
    close(stop[1]);
    pt_reap(other, KTAP_PASS);
}

static const struct race_step steps[] = {
    { "first-of-A", first_of_a },
    { "last-of-A", last_of_a },
    { "refused-last-of-A", refused_of_a },
    { "group-of-B", group_of_b },
    { "end-of-A", end_of_a },
};

/* Owns PASID A, and does nothing */
static void process_a(void)
{
    struct pt own;
    char c;

    close(stop[1]);
    pt_open_bound(&own, 0);
    map_at_base();
    *pasid_a = own.pasid;
    CHECK(write(ready[1], "r", 1) == 1, "pipe");
    CHECK(read(stop[0], &c, 1) == 0, "pipe");
    pt_unbind(&own);
    _exit(KTAP_PASS);
}

static void groups(void)
{
    char c;

    race_cpu(1);
    pasid_a = mmap(NULL, sizeof(*pasid_a), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(!pipe(ready) && !pipe(stop), "pipe");
    other = fork();
    CHECK(other >= 0, "fork");
    if (!other) {
        process_a();
    }
    close(stop[0]);
    CHECK(read(ready[0], &c, 1) == 1, "pipe");
    map_at_base();
    pt_open_bound(&pt, 0);
    last = answers();
    race_steps(steps, sizeof(steps) / sizeof(steps[0]));

    if (answers() < last) {
        race_sign("no-answer", "%llu answers to %u groups",
                  (unsigned long long)answers(), last);
    }
    for (unsigned i = 0; i < PAGES; i++) {
        if (i != PAGE_B && pt_resident(memory + i * PT_PAGE)) {
            race_sign("other-address-space", "page %u of B is there, which "
                      "nobody asked for", i);
        }
    }
}

RACE_MAIN("groups", groups, 20)
