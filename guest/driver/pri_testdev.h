/* SPDX-License-Identifier: GPL-2.0-or-later WITH Linux-syscall-note */
/*
 * What pri_testdev.ko offers to programs: /dev/pri_testdev<N>
 *
 * A function has one device node.  An open file can bind the address space of
 * the calling process to the function (SVA) and own any number of its
 * channels.  Registers are not wrapped in ioctls: a program maps the page of a
 * channel it owns, or the page of function registers, and uses the register
 * map itself (hw/misc/pri-testdev-regs.h).
 *
 *   mmap, MAP_SHARED, offset in pages:
 *     n                             channel n, if this file owns it
 *     PRI_TESTDEV_FUNCTION_PAGE     function registers and counters; writable
 *                                   for CAP_SYS_RAWIO only
 *   read, 8 bytes: one bit a channel of this file that raised its interrupt
 *     since the last read.  Waits for a bit unless O_NONBLOCK.
 *   poll: POLLIN a read has bits; POLLPRI the function was reset since the
 *     last PRI_TESTDEV_IOC_INFO; POLLHUP the function is gone.
 *
 * Nothing keeps a program from writing the PASID of another process into its
 * channel: this is a test device, for root.
 *
 * A function level reset ends every operation and takes every binding away;
 * channels stay owned and mapped, and the file may bind again.  Once the driver
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
};

struct pri_testdev_eventfd {
	__u32 channel;
	__s32 fd;		/* signalled at each interrupt; -1: no more */
};

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
 * SET_EVENTFD: signal an eventfd at each interrupt of an owned channel.
 */
#define PRI_TESTDEV_IOC_SET_EVENTFD	\
	_IOW('P', PRI_TESTDEV_IOC(4), struct pri_testdev_eventfd)

#endif /* PRI_TESTDEV_H */
