/*
 * Cells of `./pri-lab resets`: VFIO has the functions
 *
 * One function has PASIDs, and what is attached is a page table to a PASID.  In
 * a group of several Linux enables none: there the RID is attached, which is
 * the whole group's, and nobody but the function that is reset may notice.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cell.h"

#define IOVA        0x600000000ull
#define PASID       5u              /* attached before the reset */
#define PASID_NEW   6u

static bool vfio_pair(const struct cell *cell)
{
    return cell->n_io > 1;
}

static uint32_t vfio_pasid(const struct cell *cell)
{
    return vfio_pair(cell) ? IOFD_NO_PASID : PASID;
}

/* A page that is mapped at iova: PT_ST_*; looks at the data if it is done */
static uint32_t vfio_write_to(const struct cell_who *who, struct iofd *io,
                              uint64_t iova, void *page, uint32_t pasid)
{
    struct pt_op op = {
        .cmd = PT_OP_FILL, .flags = cell_flags(who), .dst = (void *)iova,
        .len = PT_PAGE, .pattern = CELL_PATTERN + pasid, .no_irq = true,
    };
    struct pt_chan ch;
    uint32_t status;

    memset(page, 0, PT_PAGE);
    io->pt.bound = pasid != IOFD_NO_PASID;
    io->pt.pasid = pasid;
    iofd_chan(io, &ch, 0);
    pt_start(&ch, &op);
    status = pt_wait(&ch, &op, PT_TIMEOUT);
    if (status == PT_ST_DONE) {
        pt_check_fill(page, PT_PAGE, op.pattern);
    }
    return status;
}

static uint32_t vfio_write(struct cell *cell, struct iofd *io, uint32_t pasid)
{
    return vfio_write_to(cell->who, io, IOVA, cell->page, pasid);
}

/* -- Before the reset ------------------------------------------------------ */

static void vfio_open(struct cell *cell)
{
    const char *names[] = { cell->user, cell->target };

    cell->n_io = strcmp(cell->user, cell->target) ? 2 : 1;
    iofd_open_names(cell->io, names, cell->n_io);
    cell->page = mmap(NULL, PT_PAGE, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(cell->page != MAP_FAILED, "mmap: %s", strerror(errno));
    for (unsigned i = 0; i < 2; i++) {
        iofd_pt_alloc(cell->io, &cell->table[i], false);
        iofd_map(cell->io, cell->table[i].ioas, IOVA, cell->page, PT_PAGE);
    }
}

static void vfio_attach(struct cell *cell)
{
    for (unsigned i = 0; i < cell->n_io; i++) {
        iofd_attach(&cell->io[i], cell->table[0].hwpt, vfio_pasid(cell));
    }
}

void cell_vfio_start(struct cell *cell)
{
    vfio_open(cell);
    vfio_attach(cell);
    for (unsigned i = 0; i < cell->n_io; i++) {
        cell_began(cell->io[i].pci_name,
                   vfio_write(cell, &cell->io[i], vfio_pasid(cell)));
    }
}

void cell_attach_start(struct cell *cell)
{
    vfio_open(cell);
    if (!vfio_pair(cell)) {
        vfio_attach(cell);
    }
}

void cell_detach_start(struct cell *cell)
{
    cell_vfio_start(cell);
    if (!vfio_pair(cell)) {
        iofd_attach(cell->io, cell->table[0].hwpt, PASID_NEW);
    }
}

/* It has said why it does not have them: the kernel cannot, or it failed */
static void release_not_held(pid_t holder)
{
    int status;

    CHECK(waitpid(holder, &status, 0) == holder, "wait: %s", strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == KTAP_SKIP) {
        _exit(KTAP_SKIP);
    }
    FAIL("VFIO does not have the functions: 0x%x", status);
}

/* Another process has the functions, and nobody else a file of them */
void cell_release_start(struct cell *cell)
{
    int ready[2];
    char byte = 0;

    CHECK(!pipe(ready), "pipe: %s", strerror(errno));
    cell->holder = fork();
    CHECK(cell->holder >= 0, "fork: %s", strerror(errno));
    if (!cell->holder) {
        cell_vfio_start(cell);
        CHECK(write(ready[1], &byte, 1) == 1, "pipe: %s", strerror(errno));
        for (;;) {
            pause();
        }
    }
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1) {
        release_not_held(cell->holder);
    }
    close(ready[0]);
}

/* -- Meanwhile, in a process ----------------------------------------------- */

/*
 * Memory is mapped and unmapped, and in a group of two the function beside the
 * one that is reset writes to it, as if nothing were: each time it has to ask
 * for the translation
 */
static void vfio_turns(struct cell *cell, uint32_t ioas)
{
    bool writes = vfio_pair(cell) && !cell->method->all;
    double until = pt_now() + CELL_LOOP_MS / 1000.0;
    void *page = pt_map_anon(PT_PAGE);
    unsigned n = 0, failed = 0;

    do {
        iofd_map(cell->io, ioas, IOVA + PT_PAGE, page, PT_PAGE);
        failed += writes && vfio_write_to(cell->who, cell->io, IOVA + PT_PAGE,
                                          page, IOFD_NO_PASID) != PT_ST_DONE;
        iofd_unmap(cell->io, ioas, IOVA + PT_PAGE, PT_PAGE);
        n++;
    } while (pt_now() < until);
    if (failed) {
        cell_say("lost", "%u of %u writes of %s failed while %s was reset",
                 failed, n, cell->user, cell->target);
    }
    cell_say("note", "%u times mapped and unmapped", n);
}

/* Refused: who was not reset learns of it all the same */
static void vfio_say(struct cell *cell, const char *what, int err)
{
    if (err && vfio_pair(cell)) {
        cell_say("refused", "%s of %s while %s is reset: %s", what, cell->user,
                 cell->target, strerror(err));
    } else {
        cell_say("note", "%s in the reset: %s", what,
                 err ? strerror(err) : "done");
    }
}

void cell_attach_during(struct cell *cell)
{
    uint32_t pasid = vfio_pair(cell) ? IOFD_NO_PASID : PASID_NEW;
    int err = iofd_try_attach(cell->io, cell->table[0].hwpt, pasid);

    vfio_say(cell, "attach", err);
    if (!err && vfio_pair(cell)) {
        vfio_turns(cell, cell->table[0].ioas);
    }
}

void cell_replace_during(struct cell *cell)
{
    int err = iofd_try_attach(cell->io, cell->table[1].hwpt, vfio_pasid(cell));

    vfio_say(cell, "replace", err);
    if (vfio_pair(cell)) {
        vfio_turns(cell, cell->table[!err].ioas);
    }
}

void cell_detach_during(struct cell *cell)
{
    uint32_t pasid = vfio_pair(cell) ? IOFD_NO_PASID : PASID_NEW;

    for (unsigned i = 0; i < cell->n_io; i++) {
        iofd_detach(&cell->io[i], pasid);
    }
}

void cell_release_during(struct cell *cell)
{
    kill(cell->holder, SIGKILL);
}

void cell_vfio_unmap(struct cell *cell)
{
    vfio_turns(cell, cell->table[0].ioas);
}

/* -- After the reset ------------------------------------------------------- */

/* Whatever was refused is done now */
void cell_attach_end(struct cell *cell)
{
    if (vfio_pair(cell)) {
        vfio_attach(cell);
    }
}

void cell_detach_end(struct cell *cell)
{
    uint32_t pasid = vfio_pair(cell) ? IOFD_NO_PASID : PASID_NEW;

    cell_say("faults", "what it was attached to is detached");
    for (unsigned i = 0; i < cell->n_io; i++) {
        if (vfio_write(cell, &cell->io[i], pasid) == PT_ST_DONE) {
            cell_say("data", "DMA of %s is done, which was detached in the "
                     "reset", cell->io[i].pci_name);
        }
    }
    if (vfio_pair(cell)) {
        vfio_attach(cell);
    }
}

/* They are the driver's again, with the domain of the kernel */
void cell_release_end(struct cell *cell)
{
    waitpid(cell->holder, NULL, 0);
    cell->vfio = false;
    iofd_back_name(cell->user);
    if (strcmp(cell->user, cell->target)) {
        iofd_back_name(cell->target);
    }
}

void cell_vfio_after(struct cell *cell)
{
    for (unsigned i = 0; i < cell->n_io; i++) {
        uint32_t status = vfio_write(cell, &cell->io[i], vfio_pasid(cell));

        if (status != PT_ST_DONE) {
            cell_say("lost", "DMA of %s afterwards ends with %s",
                     cell->io[i].pci_name, pt_status_name(status));
        }
    }
}
