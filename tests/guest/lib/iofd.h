/*
 * pri-testdev in the hands of user space alone: vfio-pci and iommufd
 *
 * As in pt.h, everything ends the test when it cannot do its work; what the
 * kernel has no support for skips it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_GUEST_IOFD_H
#define TESTS_GUEST_IOFD_H

#include "iofd-abi.h"
#include "pt.h"

#define IOFD_NO_PASID   0u

struct iofd {
    int iommu;                  /* /dev/iommu */
    int dev;                    /* /dev/vfio/devices/vfio<n> */
    uint32_t dev_id;
    struct pt pt;               /* registers only: no fd */
    uint64_t bar0_size;
    char pci_name[32];
};

/* A fault queue, an address space, and a page table that has both */
struct iofd_pt {
    uint32_t ioas;
    uint32_t hwpt;
    uint32_t fault;             /* 0: none */
    int fault_fd;
};

/*
 * Take the first pri-testdev from its driver, if need be, and open it through
 * VFIO, awake (in D0) until its driver changes.
 */
void iofd_open(struct iofd *io);

/* The same with the pri-testdev n, from 0 on in the order of addresses */
void iofd_open_nth(struct iofd *io, unsigned n);

/*
 * The same with n functions by their names, which share one /dev/iommu: those
 * of a group of several can be had in no other way
 */
void iofd_open_names(struct iofd *io, const char *const *names, unsigned n);

/* The two halves of iofd_open(), with the power state left to the kernel */
void iofd_take(struct iofd *io);
void iofd_bind(struct iofd *io);

/* To its driver again; the number of its node */
unsigned iofd_back(void);
unsigned iofd_back_nth(unsigned n);
unsigned iofd_back_name(const char *pci_name);

/* Give up the function and what was allocated; its driver is still vfio-pci */
void iofd_close(struct iofd *io);

/* Channel n; there is no interrupt, so operations need no_irq */
void iofd_chan(struct iofd *io, struct pt_chan *ch, unsigned n);

/* A new address space and a page table of it, with a fault queue or without */
void iofd_pt_alloc(struct iofd *io, struct iofd_pt *pt, bool faults);

/*
 * Attach to a PASID, or to the RID with IOFD_NO_PASID; instead of what was
 * there, if something was.  iofd_try_attach() returns 0, or errno.
 */
void iofd_attach(struct iofd *io, uint32_t pt_id, uint32_t pasid);
int iofd_try_attach(struct iofd *io, uint32_t pt_id, uint32_t pasid);
void iofd_detach(struct iofd *io, uint32_t pasid);

void iofd_map(struct iofd *io, uint32_t ioas, uint64_t iova, void *addr,
              size_t len);
void iofd_unmap(struct iofd *io, uint32_t ioas, uint64_t iova, size_t len);
void iofd_destroy(struct iofd *io, uint32_t id);

/* Wait until the fault queue holds a group that was not read */
void iofd_wait(struct iofd_pt *pt);

/* Wait for a group and read it: it has exactly n requests */
void iofd_read(struct iofd_pt *pt, struct iofd_pgfault *faults, unsigned n);
void iofd_respond(struct iofd_pt *pt, uint32_t cookie, uint32_t code);

/*
 * Wait ms for groups, read those that are there and answer them with success.
 * False: none came, or what was read is not to be answered any more, as the
 * page table was detached.
 */
bool iofd_answer(struct iofd_pt *pt, int ms);

#endif
