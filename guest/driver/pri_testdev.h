/* SPDX-License-Identifier: GPL-2.0-or-later WITH Linux-syscall-note */
/*
 * What pri_testdev.ko offers to programs: /dev/pri_testdev<N>
 *
 * A function has one device node.  An open file can own any number of its
 * channels, and can give the function something to translate by, one of:
 *
 *   BIND           the address space of the calling process (SVA)
 *   ATTACH_DOMAIN  an empty paging domain, for a PASID or for requests without
 *                  PASID.  The program sees each page request group, maps what
 *                  it likes, and answers when and how it likes.
 *                  On 6.1 it is the caller's page table, one at a time for each
 *                  function: MAP maps the memory in the caller's address space
 *                  as well, at the iova, where nothing may be.
 *
 * Registers are not wrapped in ioctls: a program maps the page of a channel it
 * owns, or the page of function registers, and uses the register map itself
 * (hw/misc/pri-testdev-regs.h).
 *
 *   mmap, MAP_SHARED, offset in pages:
 *     n                             channel n, if this file owns it
 *     PRI_TESTDEV_FUNCTION_PAGE     function registers and counters; writable
 *                                   for CAP_SYS_RAWIO only
 *   read, 8 bytes: one bit a channel of this file that raised its interrupt
 *     since the last read.  Waits for a bit unless O_NONBLOCK.
 *   poll: POLLIN a read has bits; POLLRDBAND a group came in since the last
 *     GET_GROUPS; POLLPRI the function was reset since the last INFO; POLLHUP
 *     the function is gone.
 *
 * Nothing keeps a program from writing the PASID of another process into its
 * channel: this is a test device, for root.
 *
 * A function level reset ends every operation, answers every group and takes
 * every binding and page table away; channels stay owned and mapped, and the
 * file may bind again.  Once the driver
 * is unbound from the function, or the function has left, every call gives
 * ENODEV and touching a mapping gives SIGBUS.
 */
#ifndef PRI_TESTDEV_H
#define PRI_TESTDEV_H

#include <linux/ioctl.h>
#include <linux/types.h>

#include "hw/misc/pri-testdev-regs.h"

#define PRI_TESTDEV_NODE	"pri_testdev"
#define PRI_TESTDEV_FUNCTION_PAGE	PRI_TESTDEV_MAX_CHANNELS

struct pri_testdev_info {
	__u32 channels;		/* of the function */
	__u32 owned;		/* by this file */
	__u32 bound;		/* 1: this file holds a binding */
	__u32 pasid;		/* of the binding, else 0 */
	__u32 resets;		/* seen by the driver since it took over */
	__u32 function_irqs;	/* interrupts of PRI_TESTDEV_VECTOR_FUNCTION */
	char pci_name[32];	/* as in /sys/bus/pci/devices */
	__u32 domain;		/* PRI_TESTDEV_DOMAIN_*, 0: no page table attached */
	__u32 held;		/* groups that this file holds */
	__u64 groups;		/* groups that this file has seen */
	/* groups of the function that came after the end of the attachment */
	__u64 late;		/* that they belong to */
};

struct pri_testdev_eventfd {
	__u32 channel;		/* or PRI_TESTDEV_GROUPS */
	__s32 fd;		/* signalled at each event; -1: no more */
};

#define PRI_TESTDEV_GROUPS	0xffffffffu

struct pri_testdev_domain {
	__u32 flags;		/* in: PRI_TESTDEV_DOMAIN_* */
	__u32 pasid;		/* out: 0 with PRI_TESTDEV_DOMAIN_RID */
};

#define PRI_TESTDEV_DOMAIN_PASID	1
#define PRI_TESTDEV_DOMAIN_RID	2	/* what carries no PASID */

/* A page request group that waits for its response */
struct pri_testdev_group {
	__u64 id;		/* counts up from 1; never used twice */
	__u32 prgi;
	__u32 pasid;		/* of its last request */
	__u32 flags;		/* PRI_TESTDEV_REQ_* of its last request */
	__u32 requests;
};

struct pri_testdev_groups {
	__u64 groups;		/* in: pointer to struct pri_testdev_group[] */
	__u32 max;		/* in: how many fit */
	__u32 count;		/* out: how many there are, oldest first */
};

/* One request of a group; the last one has PRI_TESTDEV_REQ_LAST */
struct pri_testdev_request {
	__u64 addr;
	__u32 prgi;
	__u32 pasid;
	__u32 flags;		/* PRI_TESTDEV_REQ_* */
	__u32 perm;		/* PT_RAW_READ, _WRITE, _EXEC, _PRIV */
};

#define PRI_TESTDEV_REQ_PASID	(1u << 0)
#define PRI_TESTDEV_REQ_LAST	(1u << 1)

struct pri_testdev_requests {
	__u64 id;		/* in: of a group that is held */
	__u64 requests;		/* in: pointer to struct pri_testdev_request[] */
	__u32 max;		/* in: how many fit */
	__u32 count;		/* out: how many there are */
};

struct pri_testdev_respond {
	__u64 id;
	__u32 code;		/* Response Code */
	__u32 reserved;
};

#define PRI_TESTDEV_RESP_SUCCESS	0
#define PRI_TESTDEV_RESP_INVALID	1
#define PRI_TESTDEV_RESP_FAILURE	0xf

struct pri_testdev_hold {
	__u32 groups;		/* hold that many more, PRI_TESTDEV_HOLD_ALL */
	__u32 code;		/* Response Code of all others, at once */
};

#define PRI_TESTDEV_HOLD_ALL	0xffffffffu

struct pri_testdev_map {
	__u64 iova;
	__u64 addr;		/* of the caller */
	__u64 len;
	__u32 prot;		/* PRI_TESTDEV_READ, PRI_TESTDEV_WRITE */
	__u32 reserved;
};

#define PRI_TESTDEV_READ	1
#define PRI_TESTDEV_WRITE	2

#define PRI_TESTDEV_IOC(n)	(0x50 + (n))

/*
 * INFO: see above.  EBUSY never, works during a reset.
 */
#define PRI_TESTDEV_IOC_INFO	\
	_IOR('P', PRI_TESTDEV_IOC(0), struct pri_testdev_info)

/*
 * BIND: bind the caller's address space, store its PASID.  EBUSY: this file
 * holds a binding already.  EAGAIN: a reset is going on.  Else what
 * iommu_sva_bind_device() said; EOPNOTSUPP and ENODEV mean that the kernel or
 * the IOMMU has no SVA.
 */
#define PRI_TESTDEV_IOC_BIND	_IOR('P', PRI_TESTDEV_IOC(1), __u32)

/*
 * UNBIND: abort the file's channels and give the binding back.  EINVAL: none.
 */
#define PRI_TESTDEV_IOC_UNBIND	_IO('P', PRI_TESTDEV_IOC(2))

/*
 * ALLOC_CHANNEL: own one more channel, store its number.  ENOSPC: none free.
 * Channels go back when the file is closed.
 */
#define PRI_TESTDEV_IOC_ALLOC_CHANNEL	_IOR('P', PRI_TESTDEV_IOC(3), __u32)

/*
 * SET_EVENTFD: signal an eventfd at each interrupt of an owned channel, or for
 * each group that this file gets to hold.
 */
#define PRI_TESTDEV_IOC_SET_EVENTFD	\
	_IOW('P', PRI_TESTDEV_IOC(4), struct pri_testdev_eventfd)

/*
 * ATTACH_DOMAIN: attach an empty paging domain.  Every group is held until HOLD
 * otherwise.  EBUSY: this file has a binding or a page table already, or
 * something else has the RID.  EAGAIN: a reset is going on.  EOPNOTSUPP: the
 * kernel cannot do it.  Else what iommu_attach_device_pasid() said.
 */
#define PRI_TESTDEV_IOC_ATTACH_DOMAIN	\
	_IOWR('P', PRI_TESTDEV_IOC(5), struct pri_testdev_domain)

/*
 * DETACH_DOMAIN: abort the file's channels, answer what is held with Invalid
 * Request, detach, unmap.  With PRI_TESTDEV_DETACH_KEEP nothing is answered:
 * the file goes on holding the groups (EOPNOTSUPP: this kernel would free
 * them).  EINVAL: nothing attached.
 */
#define PRI_TESTDEV_IOC_DETACH_DOMAIN	_IOW('P', PRI_TESTDEV_IOC(6), __u32)
#define PRI_TESTDEV_DETACH_KEEP		1

/*
 * GET_GROUPS: what is held; GET_REQUESTS: of one group.  Both store what fits
 * and the true count.  ENOENT: no group of that id is held.
 */
#define PRI_TESTDEV_IOC_GET_GROUPS	\
	_IOWR('P', PRI_TESTDEV_IOC(7), struct pri_testdev_groups)
#define PRI_TESTDEV_IOC_GET_REQUESTS	\
	_IOWR('P', PRI_TESTDEV_IOC(8), struct pri_testdev_requests)

/*
 * RESPOND: answer one group.  RESPOND_ALL: every group that is held, oldest
 * first, with that Response Code; returns how many.  Both work during a reset.
 */
#define PRI_TESTDEV_IOC_RESPOND	\
	_IOW('P', PRI_TESTDEV_IOC(9), struct pri_testdev_respond)
#define PRI_TESTDEV_IOC_RESPOND_ALL	_IOW('P', PRI_TESTDEV_IOC(10), __u32)

/*
 * HOLD: how many of the groups to come are held; the others are answered in
 * the kernel, as soon as they come.
 */
#define PRI_TESTDEV_IOC_HOLD	\
	_IOW('P', PRI_TESTDEV_IOC(11), struct pri_testdev_hold)

/*
 * MAP: let the page table of this file translate iova to memory of the caller,
 * which stays pinned.  UNMAP: take back a mapping, with the iova and len of
 * the MAP; when it returns the function cannot reach the memory.  EINVAL: not
 * whole pages, or nothing attached.  EEXIST: mapped already.  ENOENT: no such
 * mapping.
 */
#define PRI_TESTDEV_IOC_MAP	\
	_IOW('P', PRI_TESTDEV_IOC(12), struct pri_testdev_map)
#define PRI_TESTDEV_IOC_UNMAP	\
	_IOW('P', PRI_TESTDEV_IOC(13), struct pri_testdev_map)

/*
 * DMA_MAP: pin memory of the caller, map it by the DMA API, store its iova.  It
 * is reached without PASID, unless a page table is attached to the RID.
 * DMA_UNMAP: give it back, with that iova and the len; works during a reset.
 * EINVAL: not whole pages.  EIO: not one range.  ENOENT: no such mapping.
 * Mappings stay over a reset and end with the file.
 */
#define PRI_TESTDEV_IOC_DMA_MAP	\
	_IOWR('P', PRI_TESTDEV_IOC(14), struct pri_testdev_map)
#define PRI_TESTDEV_IOC_DMA_UNMAP	\
	_IOW('P', PRI_TESTDEV_IOC(15), struct pri_testdev_map)

/*
 * RESET: reset the function as the PCI core would (pci_reset_function); with
 * PRI_TESTDEV_RESET_TRY do not wait for locks (EAGAIN).  For CAP_SYS_ADMIN.
 */
#define PRI_TESTDEV_IOC_RESET	_IOW('P', PRI_TESTDEV_IOC(16), __u32)
#define PRI_TESTDEV_RESET_TRY	1

#endif /* PRI_TESTDEV_H */
