/*
 * Processes that own a PASID each, and do what they are told
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "owner.h"
#include "race.h"

#define FREE_MS     500         /* for an address space to go (SRCU) */
#define ANSWER_MS   10000
#define WRITE_PAGES (OWNER_PAGES / 2)
#define UNMAP_LEN   (4 * PT_PAGE)

/* -- In the process ------------------------------------------------------- */

struct self {
    struct pt pt;
    struct pt_chan ch;
    struct pt_op op;
    uint8_t *memory;
    int from;                   /* where commands come from */
};

static uint32_t self_present(struct self *me)
{
    uint32_t mask = 0;

    for (unsigned i = 0; i < 32; i++) {
        mask |= (uint32_t)pt_resident(me->memory + i * PT_PAGE) << i;
    }
    return mask;
}

static uint32_t self_start(struct self *me)
{
    if (!me->ch.regs) {
        pt_chan(&me->pt, &me->ch);
    }
    me->op = (struct pt_op) {
        .cmd = PT_OP_WRITE, .dst = me->memory + WRITE_PAGES * PT_PAGE,
        .len = WRITE_PAGES * PT_PAGE, .pattern = OWNER_PATTERN + me->pt.pasid,
        .group = 4, .no_irq = true,
    };
    pt_start(&me->ch, &me->op);
    return 0;
}

static uint32_t self_result(struct self *me)
{
    uint32_t status = pt_wait(&me->ch, &me->op, PT_TIMEOUT);

    if (status == PT_ST_DONE) {
        pt_check_stamp(me->op.dst, me->op.len, me->op.pattern);
    }
    return status;
}

/* Each turn is an invalidation, if anything is bound */
static uint32_t self_unmap(struct self *me)
{
    struct pollfd pfd = { .fd = me->from, .events = POLLIN };
    uint32_t n;

    for (n = 0; !poll(&pfd, 1, 0); n++) {
        void *p = pt_map_anon(UNMAP_LEN);

        memset(p, 1, UNMAP_LEN);
        CHECK(!munmap(p, UNMAP_LEN), "munmap: %s", strerror(errno));
    }
    return n;
}

static uint32_t self_free(struct self *me)
{
    CHECK(!madvise(me->memory, OWNER_PAGES * PT_PAGE, MADV_DONTNEED),
          "madvise: %s", strerror(errno));
    return 0;
}

static uint32_t self_obey(struct self *me, enum owner_cmd cmd)
{
    switch (cmd) {
    case OWNER_BIND:
        pt_bind(&me->pt);
        return me->pt.pasid;
    case OWNER_UNBIND:
        pt_unbind(&me->pt);
        return 0;
    case OWNER_PRESENT:
        return self_present(me);
    case OWNER_WRITE:
        self_start(me);
        return self_result(me);
    case OWNER_START:
        return self_start(me);
    case OWNER_RESULT:
        return self_result(me);
    case OWNER_UNMAP:
        return self_unmap(me);
    case OWNER_FREE:
        return self_free(me);
    case OWNER_END:
        break;
    }
    _exit(KTAP_PASS);
}

static void self_main(unsigned index, int from, int to)
{
    struct self me = { .from = from };
    uint32_t reply;
    char cmd;

    me.memory = mmap((void *)OWNER_BASE, OWNER_PAGES * PT_PAGE,
                     PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    CHECK(me.memory == (void *)OWNER_BASE, "mmap at 0x%llx: %s", OWNER_BASE,
          strerror(errno));
    CHECK(!madvise(me.memory, OWNER_PAGES * PT_PAGE, MADV_NOHUGEPAGE),
          "madvise: %s", strerror(errno));
    pt_open(&me.pt, index);
    while (read(from, &cmd, 1) == 1) {
        reply = self_obey(&me, cmd);
        CHECK(write(to, &reply, sizeof(reply)) == sizeof(reply), "pipe: %s",
              strerror(errno));
    }
    _exit(KTAP_PASS);                   /* the test is over */
}

/* -- To the process -------------------------------------------------------- */

void owner_start(struct owner *o, unsigned index)
{
    int to[2], from[2];

    CHECK(!pipe2(to, O_CLOEXEC) && !pipe2(from, O_CLOEXEC), "pipe: %s",
          strerror(errno));
    o->pid = fork();
    CHECK(o->pid >= 0, "fork: %s", strerror(errno));
    if (!o->pid) {
        close(to[1]);
        close(from[0]);
        self_main(index, to[0], from[1]);
    }
    close(to[0]);
    close(from[1]);
    o->to = to[1];
    o->from = from[0];
    o->pasid = owner_do(o, OWNER_BIND);
}

void owner_start_as(struct owner *o, unsigned index, uint32_t pasid)
{
    owner_start(o, index);
    CHECK(o->pasid == pasid, "PASID %u is not used again at once: %u", pasid,
          o->pasid);
}

void owner_tell(struct owner *o, enum owner_cmd cmd)
{
    char byte = cmd;

    CHECK(write(o->to, &byte, 1) == 1, "pipe: %s", strerror(errno));
}

bool owner_done(struct owner *o, unsigned ms, uint32_t *reply)
{
    struct pollfd pfd = { .fd = o->from, .events = POLLIN };
    uint32_t local;
    ssize_t n;

    if (poll(&pfd, 1, ms == OWNER_NO_LIMIT ? -1 : (int)ms) != 1) {
        return false;
    }
    n = read(o->from, reply ? reply : &local, sizeof(local));
    if (n != sizeof(local)) {
        pt_reap(o->pid, KTAP_PASS);     /* says why, or is a skip */
        FAIL("a process that owns PASID %u has ended", o->pasid);
    }
    return true;
}

uint32_t owner_do(struct owner *o, enum owner_cmd cmd)
{
    uint32_t reply;

    owner_tell(o, cmd);
    CHECK(owner_done(o, 2 * PT_TIMEOUT, &reply), "PASID %u: no end of %d",
          o->pasid, cmd);
    return reply;
}

bool owner_result(struct owner *o, unsigned ms, uint32_t *status)
{
    owner_tell(o, OWNER_RESULT);
    return owner_done(o, ms, status);
}

void owner_need_answer(struct owner *o, struct pt *pt)
{
    uint32_t status;

    owner_do(o, OWNER_FREE);
    owner_do(o, OWNER_START);
    if (!owner_result(o, ANSWER_MS, &status)) {
        race_sign("unseen", "after %u ms the function has %u groups that "
                  "nobody has answered", ANSWER_MS,
                  pt_rd32(pt->func, PT_PRI_GROUPS));
        return;
    }
    CHECK_EQ(status, PT_ST_DONE, "the write");
}

unsigned owner_start_asking(struct pt *pt, struct owner *o)
{
    double until = pt_now() + PT_TIMEOUT / 1000.0;
    unsigned n;

    owner_do(o, OWNER_START);
    while (!(n = pt_rd32(pt->func, PT_PRI_GROUPS))) {
        CHECK(pt_now() < until, "no group is outstanding");
    }
    return n;
}

void owner_start_unmap(struct pt *pt, struct owner *o)
{
    uint64_t before = pt_counter(pt, PT_CNT_INV_REQUESTS);
    double until = pt_now() + PT_TIMEOUT / 1000.0;

    owner_tell(o, OWNER_UNMAP);
    while (pt_counter(pt, PT_CNT_INV_REQUESTS) < before + 2) {
        CHECK(pt_now() < until, "nothing is invalidated");
        pt_sleep_ms(1);
    }
}

/*
 * A CPU that is idle keeps the address space that it had last (lazy TLB), and
 * the PASID goes with the address space, not with the process: visit them all
 */
void owner_freed(void)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    cpu_set_t mine, one;

    CHECK(!sched_getaffinity(0, sizeof(mine), &mine), "affinity: %s",
          strerror(errno));
    for (int cpu = 0; cpu < cpus; cpu++) {
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        CHECK(!sched_setaffinity(0, sizeof(one), &one), "CPU %d: %s", cpu,
              strerror(errno));
    }
    CHECK(!sched_setaffinity(0, sizeof(mine), &mine), "affinity: %s",
          strerror(errno));
    pt_sleep_ms(FREE_MS);
}

void owner_end(struct owner *o)
{
    owner_tell(o, OWNER_END);
    pt_reap(o->pid, KTAP_PASS);
    close(o->to);
    close(o->from);
    owner_freed();
}

void owner_send(struct pt *pt, const struct owner *o, unsigned page,
                uint32_t flags, unsigned prgi)
{
    struct pt_raw raw = {
        .addr = OWNER_BASE + page * PT_PAGE,
        .pasid = o->pasid | PT_RAW_PASID_PRESENT,
        .flags = flags,
        .prgi = prgi,
    };

    pt_raw_send(pt, &raw);
}
