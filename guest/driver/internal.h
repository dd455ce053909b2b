/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the driver share
 *
 *   life.c   who keeps a device, and whether it can be used
 *   pci.c    the function: probe, interrupts, reset, removal
 *   file.c   an open file: binding, channels, events
 *   mmap.c   register pages in user space
 *   domain.c a paging domain
 *   fault.c  its I/O page fault handler
 *   table.c  what it maps
 *   groups.c page request groups that a file holds
 *   maps.c   memory of programs that the function can reach
 *   show.c   sysfs and debugfs
 *
 * Order of locks, outer to inner:
 *
 *   device_lock(), misc_mtx
 *     pt_dev.sem
 *       pt_file.lock
 *         locks of the IOMMU core, mmap_lock
 *           pt_dev.map_sem
 *           pt_dev.group_lock
 *             pt_dev.irq_lock
 *
 * The I/O page fault handler runs under locks of the IOMMU driver, which
 * detaching waits for: it takes pt_dev.group_lock only.
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
	 * Held for reading by code that touches the function or a binding, for
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

	/* Owners of channels and their events; taken by interrupt handlers */
	spinlock_t irq_lock;
	atomic_t function_irqs;
	struct dentry *debugfs;
	struct mutex log_lock;		/* readers of the event log */

	/*
	 * Groups and who holds them; taken by the I/O page fault handler.
	 * Also the list of files among those that hold sem for reading; who
	 * holds sem for writing may walk the list without it.
	 */
	spinlock_t group_lock;
	struct list_head files;
	struct pt_domain *handler;		/* of a kernel with one: see fault.c */
	struct list_head detached;	/* pt_domain.link; under group_lock */
	unsigned int nr_detached;	/* same */
	u64 late;			/* same */

	unsigned int nr_channels;
	struct pt_channel channels[PRI_TESTDEV_MAX_CHANNELS];
};

/*
 * A page table that is attached to the function, or was.  A group that comes
 * in after the end of the attachment is counted and not followed into freed
 * memory: the last PT_DETACHED of them are kept.
 */
struct pt_domain {
	struct iommu_attach_handle handle;
	struct pt_dev *pd;
	struct iommu_domain *domain;
	struct pt_file *pf;		/* under group_lock; NULL: detached */
	bool closing;			/* same: nothing is held any more */
#ifdef COMPAT_OWN_MM
	struct mm_struct *mm;		/* whose page table it is */
	struct iommu_sva *sva;
	struct list_head partial;	/* of the fault handler alone */
	u32 nr_partial;			/* same */
#endif
	bool rid;
	u32 pasid;
	struct list_head link;		/* pt_dev.detached */
};

#define PT_DETACHED	16

/* A page request group that waits for its response */
struct pt_group {
	struct list_head link;		/* pt_file.groups */
	struct compat_group group;
	u64 id;
	u32 prgi;
	u32 pasid;
	u32 flags;
	u32 nr;
	struct pri_testdev_request requests[];
};

#define PT_GROUPS_MAX	4096	/* that one file may hold */
#define PT_REQUESTS_MAX	4096	/* that GET_REQUESTS gives */
#define PT_MAP_MAX_LEN	SZ_64M	/* of one mapping */
#define PT_GROUP_HELD	0x100	/* of pt_group_add(): no Response Code */

struct pt_file {
	struct pt_dev *pd;
	struct file *filp;
	struct list_head link;		/* pt_dev.files */
	/* Taken inside pt_dev.sem; makes bind and unbind of one file exclusive */
	struct mutex lock;
	struct iommu_sva *sva;		/* under lock; NULL: not bound */
	struct pt_domain *dom;		/* same */
	struct list_head maps;		/* same */
	struct task_struct *mapper;	/* same; see table.c */
	pid_t pid;			/* who opened it */
	u32 resets_seen;
	u64 events;			/* under pt_dev.irq_lock */
	wait_queue_head_t wait;

	/* The rest under pt_dev.group_lock */
	struct list_head groups;	/* held, oldest first */
	u32 nr_groups;
	bool news;			/* since the last look at them */
	u32 hold;			/* groups to come that are held */
	u32 code;			/* answer to the others */
	u64 seen;			/* id of the last one */
	struct eventfd_ctx *eventfd;
};

static inline void __iomem *pt_channel_regs(struct pt_channel *ch)
{
	return ch->pd->regs + PT_CHANNEL(ch->index);
}

/* life.c */
struct pt_dev *pt_dev_new(void);
void pt_dev_get(struct pt_dev *pd);
void pt_dev_put(struct pt_dev *pd);
void pt_stop_channels(struct pt_file *pf);
int pt_usable(struct pt_dev *pd);
u64 pt_owned(struct pt_file *pf);

/* file.c */
extern const struct file_operations pt_fops;
void pt_file_withdraw(struct pt_file *pf, bool unbind);
void pt_file_resume(struct pt_file *pf);

/* fault.c */
int pt_fault_attach(struct pt_domain *dom);
void pt_fault_detach(struct pt_domain *dom);

/* domain.c */
int pt_ioc_attach_domain(struct pt_file *pf, void __user *arg);
int pt_ioc_detach_domain(struct pt_file *pf, u32 __user *arg);
void pt_domain_detach(struct pt_file *pf, bool keep);
void pt_domain_pause(struct pt_file *pf, bool pause);
void pt_domain_free_detached(struct pt_dev *pd);

bool pt_fault_taken(struct pt_dev *pd);

/* table.c */
struct sg_table;
int pt_table_map(struct pt_file *pf, u64 iova, size_t len, u32 prot,
		 struct sg_table *sgt);
void pt_table_unmap(struct pt_file *pf, struct pt_domain *dom, u64 iova,
		    size_t len);
int pt_table_mmap(struct pt_file *pf, struct vm_area_struct *vma);

/* groups.c */
int pt_group_add(struct pt_file *pf, struct pt_group *grp);
int pt_groups_answer(struct pt_file *pf, u32 code);
int pt_ioc_get_groups(struct pt_file *pf, void __user *arg);
int pt_ioc_get_requests(struct pt_file *pf, void __user *arg);
int pt_ioc_respond(struct pt_file *pf, void __user *arg);
int pt_ioc_respond_all(struct pt_file *pf, u32 __user *arg);
int pt_ioc_hold(struct pt_file *pf, void __user *arg);

/* maps.c */
int pt_ioc_map(struct pt_file *pf, void __user *arg);
int pt_ioc_unmap(struct pt_file *pf, void __user *arg);
int pt_ioc_dma_map(struct pt_file *pf, void __user *arg);
int pt_ioc_dma_unmap(struct pt_file *pf, void __user *arg);
void pt_dma_unmap_all(struct pt_file *pf);
void pt_unmap_all(struct pt_file *pf, struct pt_domain *dom);

/* pci.c */
extern const struct pci_device_id pt_id_table[];
struct pt_dev *pt_driver_dev(struct pci_dev *pdev);

/* kept.c */
const struct file_operations *pt_kept_init(void);
void pt_kept_exit(void);

/* show.c */
extern const struct attribute_group *pt_groups[];
void pt_show_add(struct pt_dev *pd);
void pt_show_remove(struct pt_dev *pd);
void pt_show_init(void);
void pt_show_exit(void);

/* mmap.c */
int pt_mmap(struct file *filp, struct vm_area_struct *vma);
void pt_zap(struct pt_file *pf);

#endif /* PRI_TESTDEV_INTERNAL_H */
