/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the driver share
 *
 *   pci.c    the function: probe, interrupts, reset, removal
 *   file.c   an open file: binding, channels, events
 *   mmap.c   register pages in user space
 *
 * Order of locks, outer to inner:
 *
 *   device_lock(), misc_mtx
 *     pt_dev.sem
 *       pt_file.lock
 *         locks of the IOMMU core, mmap_lock
 *           pt_dev.map_sem
 *           pt_dev.irq_lock
 *
 * pt_dev.sem may not be taken under mmap_lock: binding takes mmap_lock, and
 * giving a binding back waits for page faults that take it.
 */
#ifndef PRI_TESTDEV_INTERNAL_H
#define PRI_TESTDEV_INTERNAL_H

#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "compat.h"
#include "pri_testdev.h"

struct pt_file;

enum pt_state {
	PT_LIVE,
	PT_RESETTING,	/* between reset_prepare and reset_done */
	PT_GONE,	/* for good: removed, or dead after a reset */
};

struct pt_channel {
	struct pt_dev *pd;
	unsigned int index;
	/* the rest under pt_dev.irq_lock */
	struct pt_file *owner;
	struct eventfd_ctx *eventfd;
	bool stuck;	/* did not obey an abort: not handed out again */
};

/* One function; lives until its driver is unbound and its last file closed */
struct pt_dev {
	struct kref ref;
	struct pci_dev *pdev;		/* only while state is not PT_GONE */
	void __iomem *regs;		/* same */
	phys_addr_t regs_phys;
	struct miscdevice misc;
	int id;
	char name[24];
	char pci_name[32];

	/*
	 * Held for reading by whoever touches the function or a binding, for
	 * writing by who takes the function away from them (reset, removal).
	 */
	struct rw_semaphore sem;
	/*
	 * Held for reading while a page is put into a mapping.  Inner to
	 * mmap_lock, which is why sem cannot do this.
	 */
	struct rw_semaphore map_sem;
	/* Changed with sem and map_sem held for writing, read under either */
	enum pt_state state;
	/* Written with sem held for writing; read anywhere */
	u32 resets;

	/*
	 * Owners of channels and their events; taken by interrupt handlers.
	 * Also the list of files among those that hold sem for reading; who
	 * holds sem for writing may walk the list without it.
	 */
	spinlock_t irq_lock;
	struct list_head files;
	atomic_t function_irqs;

	unsigned int nr_channels;
	struct pt_channel channels[PRI_TESTDEV_MAX_CHANNELS];
};

struct pt_file {
	struct pt_dev *pd;
	struct file *filp;
	struct list_head link;		/* pt_dev.files */
	/* Taken inside pt_dev.sem; makes bind and unbind of one file exclusive */
	struct mutex lock;
	struct iommu_sva *sva;		/* under lock; NULL: not bound */
	u32 resets_seen;
	u64 events;			/* under pt_dev.irq_lock */
	wait_queue_head_t wait;
};

static inline void __iomem *pt_channel_regs(struct pt_channel *ch)
{
	return ch->pd->regs + PT_CHANNEL(ch->index);
}

/* pci.c */
void pt_dev_get(struct pt_dev *pd);
void pt_dev_put(struct pt_dev *pd);

/* file.c */
extern const struct file_operations pt_fops;
void pt_file_withdraw(struct pt_file *pf, bool unbind);

/* mmap.c */
int pt_mmap(struct file *filp, struct vm_area_struct *vma);
void pt_zap(struct pt_file *pf);

#endif /* PRI_TESTDEV_INTERNAL_H */
