/*
 * Cells of `./pri-lab resets`: what is at work while a function is reset
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cell.h"
#include "hw/misc/pri-testdev-knobs.h"
#include "pt-domain.h"
#include "race.h"
#include "sysfs.h"

#define INV_DROP    1               /* inv-reply */
#define INV_HOLD    2
#define OWN_IOVA    0x700000000ull

/* -- One write ------------------------------------------------------------ */

uint32_t cell_dma_write(const struct cell_who *who, struct pt *pt,
                        struct pt_chan *ch)
{
    void *page = pt_map_anon(PT_PAGE);
    struct pri_testdev_map map = {
        .addr = (uintptr_t)page, .len = PT_PAGE,
        .prot = PRI_TESTDEV_READ | PRI_TESTDEV_WRITE,
    };
    struct pt_op op = {
        .cmd = PT_OP_FILL, .flags = cell_flags(who), .len = PT_PAGE,
        .pattern = CELL_PATTERN, .no_irq = true,
    };
    uint32_t status;

    CHECK(!ioctl(pt->fd, PRI_TESTDEV_IOC_DMA_MAP, &map), "map: %s",
          strerror(errno));
    op.dst = (void *)map.iova;
    pt_start(ch, &op);
    status = pt_wait(ch, &op, PT_TIMEOUT);
    CHECK(!ioctl(pt->fd, PRI_TESTDEV_IOC_DMA_UNMAP, &map), "unmap: %s",
          strerror(errno));
    if (status == PT_ST_DONE) {
        pt_check_fill(page, PT_PAGE, op.pattern);
    }
    munmap(page, PT_PAGE);
    return status;
}

/* -- A process that is bound ---------------------------------------------- */

static void work_bound(struct cell *cell)
{
    race_cpu(1);
    owner_start(&cell->owner, sysfs_wait_node(cell->user));
    race_cpu(0);
    CHECK_EQ(owner_do(&cell->owner, OWNER_WRITE), PT_ST_DONE, "status");
}

/* DMA of a file of its own, over and over; in a reset it may fail */
static void work_dma_loop(struct cell *cell, unsigned ms)
{
    double until = pt_now() + ms / 1000.0;
    unsigned n = 0, failed = 0;
    struct pt_chan ch;
    struct pt pt;

    pt_open(&pt, sysfs_wait_node(cell->user));
    pt_chan(&pt, &ch);
    do {
        failed += cell_dma_write(cell->who, &pt, &ch) != PT_ST_DONE;
        n++;
    } while (pt_now() < until);
    pt_close(&pt);
    if (failed && strcmp(cell->user, cell->target)) {
        cell_say("lost", "%u of %u writes of %s failed while %s was reset",
                 failed, n, cell->user, cell->target);
    }
    cell_say("note", "%u times mapped, written and unmapped", n);
}

static void idle_start(struct cell *cell)
{
    if (cell->vfio) {
        return;
    }
    if (cell->who->sva) {
        work_bound(cell);
    } else {
        struct pt_chan ch;
        struct pt pt;

        pt_open(&pt, sysfs_wait_node(cell->user));
        pt_chan(&pt, &ch);
        cell_began(cell->user, cell_dma_write(cell->who, &pt, &ch));
        pt_close(&pt);
    }
}

static void nothing(struct cell *cell)
{
    (void)cell;
}

/* -- unmap: each turn invalidates the device's TLB ------------------------ */

static void unmap_start(struct cell *cell)
{
    idle_start(cell);
    if (!cell->vfio && cell->who->sva) {
        owner_start_unmap(&cell->pt, &cell->owner);
    }
}

static void unmap_during(struct cell *cell)
{
    if (cell->vfio) {
        cell_vfio_unmap(cell);
    } else if (!cell->who->sva) {
        work_dma_loop(cell, CELL_LOOP_MS);
    }
}

static void unmap_end(struct cell *cell)
{
    if (!cell->vfio && cell->who->sva) {
        uint32_t turns = owner_do(&cell->owner, OWNER_FREE);    /* ends UNMAP */

        CHECK(owner_done(&cell->owner, OWNER_NO_LIMIT, NULL), "no reply");
        cell_say("note", "%u times unmapped", turns);
    }
}

/* -- groups: outstanding, without an end, held by user space -------------- */

static void groups_start(struct cell *cell)
{
    work_bound(cell);
    owner_do(&cell->owner, OWNER_FREE);
    cell_say("note", "%u groups outstanding",
             owner_start_asking(&cell->pt, &cell->owner));
}

static void groups_end(struct cell *cell)
{
    if (cell->method->gone) {           /* its registers are gone */
        kill(cell->owner.pid, SIGKILL);
        waitpid(cell->owner.pid, NULL, 0);
        cell->owner.pid = 0;
    } else {
        cell_say("note", "the write ends with %s", pt_status_name(
                 cell_result(&cell->owner, "the write with the groups")));
    }
}

static void partial_start(struct cell *cell)
{
    work_bound(cell);
    owner_do(&cell->owner, OWNER_FREE);
    owner_send(&cell->pt, &cell->owner, 0, PT_RAW_READ, 3);
    pt_sleep_ms(5);
}

static void held_start(struct cell *cell)
{
    struct pt_op op = {
        .cmd = PT_OP_FILL, .dst = (void *)OWN_IOVA, .len = PT_PAGE,
        .pattern = CELL_PATTERN, .no_irq = true,
    };
    struct pri_testdev_group group;
    struct pt_chan ch;

    pt_domain_attach(&cell->pt, PRI_TESTDEV_DOMAIN_PASID);
    pt_chan(&cell->pt, &ch);
    pt_start(&ch, &op);
    pt_domain_wait(&cell->pt, &group, 1);
}

/*
 * Where the function is cut off before its driver is asked (DPC) the driver has
 * taken the page table off itself, and its groups are answered.
 */
static void held_end(struct cell *cell)
{
    struct pri_testdev_info info;

    if (cell->method->gone) {
        return;
    }
    pt_info(&cell->pt, &info);
    if (!info.domain) {
        cell_say("note", "the driver has detached, %u groups held", info.held);
        return;
    }
    cell_say("note", "%u groups still held after the reset",
             pt_domain_respond_all(&cell->pt, PRI_TESTDEV_RESP_INVALID));
    pt_domain_detach(&cell->pt, 0);     /* few PASIDs: its own is needed */
}

/* -- exit, stop, binds ---------------------------------------------------- */

static void exit_during(struct cell *cell)
{
    kill(cell->owner.pid, SIGKILL);
}

static void exit_end(struct cell *cell)
{
    waitpid(cell->owner.pid, NULL, 0);
    cell->owner.pid = 0;
}

static void stop_during(struct cell *cell)
{
    struct pt pt;

    /* the binding may be over with the reset, which is no error */
    pt_open(&pt, sysfs_wait_node(cell->user));
    if (ioctl(pt.fd, PRI_TESTDEV_IOC_BIND, &pt.pasid)) {
        cell_say("note", "bind in the reset: %s", strerror(errno));
    }
    pt_close(&pt);
    if (!cell->method->gone) {
        owner_tell(&cell->owner, OWNER_END);
    }
}

static void stop_end(struct cell *cell)
{
    if (cell->method->gone) {
        kill(cell->owner.pid, SIGKILL);
    }
    waitpid(cell->owner.pid, NULL, 0);
    cell->owner.pid = 0;
}

static void binds_during(struct cell *cell)
{
    double until = pt_now() + CELL_LOOP_MS / 1000.0;
    unsigned done = 0, not = 0;

    do {
        struct pt pt;
        int node = sysfs_node(cell->user);

        if (node < 0) {
            return;
        }
        pt_open(&pt, node);
        if (ioctl(pt.fd, PRI_TESTDEV_IOC_BIND, &pt.pasid)) {
            not++;
            pt_sleep_ms(1);
        } else {
            done++;
        }
        pt_close(&pt);
    } while (pt_now() < until);
    cell_say("note", "%u binds, %u refused", done, not);
}

/* -- invalidation: one is outstanding when the reset begins --------------- */

/* One, which times out: that is of this work's doing */
static void invalidation_start(struct cell *cell)
{
    work_bound(cell);
    cell_say("timeouts", "1");
    pt_knob(&cell->pt, PT_KNOB_INV_REPLY, INV_HOLD);
    pt_knob(&cell->pt, PT_KNOB_INV_NTH, 1);
    owner_tell(&cell->owner, OWNER_FREE);
    pt_sleep_ms(2);
}

/* It does not work any more, which a reset is to fix */
static void silent_start(struct cell *cell)
{
    work_bound(cell);
    pt_knob(&cell->pt, PT_KNOB_INV_REPLY, INV_DROP);
}

static void silent_end(struct cell *cell)
{
    if (!cell->method->gone) {
        pt_knob_blind(&cell->pt, PT_KNOB_INV_REPLY, 0);
    }
}

static void invalidation_end(struct cell *cell)
{
    CHECK(owner_done(&cell->owner, OWNER_NO_LIMIT, NULL), "no reply");
    if (!cell->method->gone) {
        pt_knob_blind(&cell->pt, PT_KNOB_INV_REPLY, 0);
    }
}

/* -- The table ------------------------------------------------------------ */

static void some_start(struct cell *cell, void (*start)(struct cell *cell))
{
    if (cell->vfio) {
        cell_vfio_start(cell);
    } else {
        start(cell);
    }
}

static void idle_any(struct cell *cell)
{
    some_start(cell, idle_start);
}

static void unmap_any(struct cell *cell)
{
    some_start(cell, unmap_start);
}

static const struct cell_work works[] = {
    { "idle", idle_any, NULL, nothing, false },
    { "unmap", unmap_any, unmap_during, unmap_end, false },
    { "groups", groups_start, NULL, groups_end, false },
    { "partial", partial_start, NULL, nothing, false },
    { "held", held_start, NULL, held_end, false },
    { "exit", groups_start, exit_during, exit_end, false },
    { "stop", work_bound, stop_during, stop_end, false },
    { "binds", work_bound, binds_during, nothing, false },
    { "invalidation", invalidation_start, NULL, invalidation_end, false },
    { "silent", silent_start, NULL, silent_end, false },
    { "attach", cell_attach_start, cell_attach_during, cell_attach_end, true },
    { "replace", cell_vfio_start, cell_replace_during, nothing, true },
    { "detach", cell_detach_start, cell_detach_during, cell_detach_end, true },
    { "release", cell_release_start, cell_release_during, cell_release_end,
      true },
};

const struct cell_work *cell_work(const char *name)
{
    for (unsigned i = 0; i < sizeof(works) / sizeof(works[0]); i++) {
        if (!strcmp(works[i].name, name)) {
            return &works[i];
        }
    }
    return NULL;
}
