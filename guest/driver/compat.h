/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one place that knows kernel versions
 *
 * The driver is written against Linux 7.3; each helper below says since when
 * the kernel has what it wraps.
 */
#ifndef PRI_TESTDEV_COMPAT_H
#define PRI_TESTDEV_COMPAT_H

#include <linux/eventfd.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/version.h>

/* -- SVA -------------------------------------------------------------------- */

/* The driver data argument went away in 6.2 */
static inline struct iommu_sva *compat_sva_bind(struct device *dev,
						struct mm_struct *mm)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	return iommu_sva_bind_device(dev, mm);
#else
	return iommu_sva_bind_device(dev, mm, NULL);
#endif
}

/*
 * Until 6.15 a driver switched I/O page faults and SVA on by hand; since 6.16
 * the IOMMU driver does it when a domain is attached.  An error only means that
 * a later bind or attach will fail.
 */
static inline void compat_sva_enable(struct device *dev)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
	if (!iommu_dev_enable_feature(dev, IOMMU_DEV_FEAT_IOPF))
		iommu_dev_enable_feature(dev, IOMMU_DEV_FEAT_SVA);
#endif
}

static inline void compat_sva_disable(struct device *dev)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
	iommu_dev_disable_feature(dev, IOMMU_DEV_FEAT_SVA);
	iommu_dev_disable_feature(dev, IOMMU_DEV_FEAT_IOPF);
#endif
}

/* -- A paging domain with an I/O page fault handler ------------------------ */

/*
 * A domain has a handler of whole groups, with an attach handle, since 6.11.
 * Until 6.1 a function has one handler of single requests, and a PASID can be
 * given to nothing but an address space (fault.c and table.c say how that will
 * do).  In between neither is there.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
#define COMPAT_DOMAIN_HANDLER	1
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define COMPAT_OWN_MM		1
#endif

/*
 * May a program hold groups beyond the detach of their page table?  A group
 * stays on a list of the core until it is answered.  From 6.16 on the core
 * frees what is on it when the last attachment with a handler goes, unless the
 * handler has taken the group off first: that is possible since 7.2, 7.1.8 and
 * 6.18.44.
 */
#if defined(COMPAT_GROUP_DEQUEUE) || (defined(COMPAT_DOMAIN_HANDLER) && \
	LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0))
#define COMPAT_GROUPS_LAST	true
#else
#define COMPAT_GROUPS_LAST	false
#endif

#ifdef COMPAT_DOMAIN_HANDLER
struct compat_group {
	struct iopf_group *iopf;
};

static inline void compat_group_take(struct iopf_group *group)
{
#ifdef COMPAT_GROUP_DEQUEUE
	iopf_group_dequeue(group);
#endif
}

/* Answer a group and free what the kernel keeps of it */
static inline void compat_group_respond(struct compat_group *group, u32 code)
{
	iopf_group_response(group->iopf, code);
	iopf_free_group(group->iopf);
}
#else
struct iommu_attach_handle {
	struct iommu_domain *domain;
};

#ifdef COMPAT_OWN_MM
struct compat_group {
	struct device *dev;
	u32 pasid;
	u32 prgi;
};

static inline void compat_group_respond(struct compat_group *group, u32 code)
{
	struct iommu_page_response msg = {
		.argsz = sizeof(msg),
		.version = IOMMU_PAGE_RESP_VERSION_1,
		.flags = IOMMU_PAGE_RESP_PASID_VALID,
		.pasid = group->pasid,
		.grpid = group->prgi,
		.code = code,
	};

	iommu_page_response(group->dev, &msg);
}
#else
struct compat_group {
};

static inline void compat_group_respond(struct compat_group *group, u32 code)
{
}
#endif
#endif /* COMPAT_DOMAIN_HANDLER */

/* NULL where an address space takes the place of a domain */
static inline struct iommu_domain *compat_domain_alloc(struct device *dev)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	struct iommu_domain *domain;

	domain = iommu_paging_domain_alloc_flags(dev, IOMMU_HWPT_ALLOC_PASID);
	if (domain == ERR_PTR(-EOPNOTSUPP))
		domain = iommu_paging_domain_alloc(dev);
	return domain;
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
	return iommu_paging_domain_alloc(dev);
#elif defined(COMPAT_OWN_MM)
	return NULL;
#else
	return iommu_domain_alloc(dev->bus) ?: ERR_PTR(-ENOMEM);
#endif
}

/*
 * Requests without PASID are reported since 6.13.  The fault handler of a
 * domain on the RID is found by its attach handle, and the call that takes one
 * is kept for iommufd (drivers/iommu/iommu-priv.h).
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
int iommu_attach_group_handle(struct iommu_domain *domain,
			      struct iommu_group *group,
			      struct iommu_attach_handle *handle);
void iommu_detach_group_handle(struct iommu_domain *domain,
			       struct iommu_group *group);

static inline int compat_attach_rid(struct iommu_domain *domain,
				    struct device *dev,
				    struct iommu_attach_handle *handle)
{
	return iommu_attach_group_handle(domain, dev->iommu_group, handle);
}

static inline void compat_detach_rid(struct iommu_domain *domain,
				     struct device *dev)
{
	iommu_detach_group_handle(domain, dev->iommu_group);
}

#define COMPAT_IMPORT_NS	MODULE_IMPORT_NS("IOMMUFD_INTERNAL");
#else
static inline int compat_attach_rid(struct iommu_domain *domain,
				    struct device *dev,
				    struct iommu_attach_handle *handle)
{
	return -EOPNOTSUPP;
}

static inline void compat_detach_rid(struct iommu_domain *domain,
				     struct device *dev)
{
}

#define COMPAT_IMPORT_NS
#endif

/* -- What the IOMMU core keeps of a function (kept.c) ----------------------- */

/* struct iommu_fault_param has counted its users and listed groups since 6.9 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
#define COMPAT_FAULT_PARAM	1
#endif

/* Exported since 6.11, in that namespace; drivers/iommu/iommu-priv.h */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define COMPAT_ATTACH_HANDLES	1
struct iommu_attach_handle *
iommu_attach_handle_get(struct iommu_group *group, ioasid_t pasid,
			unsigned int type);
#endif

/* -- Small things ----------------------------------------------------------- */

/* The count went away in 6.8 */
static inline void compat_eventfd_signal(struct eventfd_ctx *ctx)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	eventfd_signal(ctx);
#else
	eventfd_signal(ctx, 1);
#endif
}

/* vm_flags became read-only in 6.3 */
static inline void compat_vm_flags(struct vm_area_struct *vma,
				   unsigned long set, unsigned long clear)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_mod(vma, set, clear);
#else
	vma->vm_flags |= set;
	vma->vm_flags &= ~clear;
#endif
}

#endif /* PRI_TESTDEV_COMPAT_H */
