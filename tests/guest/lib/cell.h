/*
 * A cell of the table of `./pri-lab resets`: a METHOD of reset, what is at
 * WORK meanwhile, and WHO is reset and who works
 *
 * The host names the three (scripts/pri_lab/resets/cells.py has the same
 * names); what came of them goes out as lines `# cell: KEY TEXT`, which
 * scripts/pri_lab/resets/judge.py reads:
 *
 *   at       setup, method, end, check, done: how far it is
 *   ms       how long the method took, of the guest's time
 *   refused  the kernel would not do it, and why
 *   lost     DMA that must be done is not
 *   data     memory is not as it must be, or was reached when it must not be
 *   timeouts so many invalidations time out by what the work itself does
 *   faults   DMA follows that must be refused: a fault that the IOMMU records
 *            is no sign
 *   note     a fact that decides nothing
 *
 * Everything else that goes wrong ends the test, as in pt.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_GUEST_CELL_H
#define TESTS_GUEST_CELL_H

#include <stdbool.h>

#include "iofd.h"
#include "owner.h"

struct cell;

/* Functions go by their subsystem ID; 0: the first Virtual Function of 2 */
struct cell_who {
    const char *name;
    unsigned target, user;
    bool sva;                   /* PASIDs may be enabled in the user */
    bool fails;                 /* allocations of the reset fail */
    bool no_ats;                /* conventional functions */
};

struct cell_method {
    const char *name;
    int (*run)(struct cell *cell);      /* 0, or errno: refused */
    const char *word;           /* of the file reset_method */
    bool keeps;                 /* bindings are the IOMMU core's business */
    bool gone;                  /* the function leaves and comes back */
    bool vfio;                  /* by the file of VFIO */
    bool all;                   /* every function of the slot is reset */
    unsigned target;            /* a function of its own, instead of WHO's */
};

struct cell_work {
    const char *name;
    void (*start)(struct cell *cell);
    void (*during)(struct cell *cell);  /* in a process, while it is reset */
    void (*end)(struct cell *cell);
    bool vfio;
};

struct cell {
    const struct cell_who *who;
    const struct cell_method *method;
    const struct cell_work *work;
    char target[32], user[32];  /* as in /sys/bus/pci/devices */
    bool vfio;                  /* user and target are vfio-pci's */
    struct pt pt;               /* a file of the user, without vfio */
    struct owner owner;         /* pid 0: there is none */
    struct iofd io[2];          /* the user, and the target if it is another */
    unsigned n_io;
    pid_t holder;               /* has them instead of this process */
    struct iofd_pt table[2];
    void *page;                 /* mapped by both, shared with what is forked */
};

#define CELL_LOOP_MS    400     /* of works that go on by themselves */
#define CELL_PATTERN    0x1fe2d3c4b5a69788ull

/* Before the snapshot: what every cell needs */
void cell_setup(void);

/* "METHOD WORK WHO", run to its end */
void cell_run(const char *words);

void cell_say(const char *key, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * The status of what OWNER_START began.  If it has no end the cell is over: DMA
 * is lost, and a caller that waits for it (to release a PASID) waits for ever.
 */
uint32_t cell_result(struct owner *owner, const char *what);

/* Without DMA before the reset the cell is over as well */
void cell_began(const char *name, uint32_t status);

/* NULL: there is no such name */
const struct cell_who *cell_who(const char *name);
const struct cell_method *cell_method(const char *name);
const struct cell_work *cell_work(const char *name);

/* The name of a function */
void cell_find(unsigned id, char *name);

/* Works by VFIO; `start`, `during` and `end` of struct cell_work */
void cell_vfio_start(struct cell *cell);
void cell_vfio_unmap(struct cell *cell);
void cell_attach_start(struct cell *cell);
void cell_attach_during(struct cell *cell);
void cell_attach_end(struct cell *cell);
void cell_replace_during(struct cell *cell);
void cell_detach_start(struct cell *cell);
void cell_detach_during(struct cell *cell);
void cell_detach_end(struct cell *cell);
void cell_release_start(struct cell *cell);
void cell_release_during(struct cell *cell);
void cell_release_end(struct cell *cell);

/* At the end: DMA of all functions that VFIO has */
void cell_vfio_after(struct cell *cell);

/* The same by the DMA API, without PASID, and given back again */
uint32_t cell_dma_write(const struct cell_who *who, struct pt *pt,
                        struct pt_chan *ch);

/* PT_FLAG_*: who has no ATS asks for no translation */
uint32_t cell_flags(const struct cell_who *who);

#endif
