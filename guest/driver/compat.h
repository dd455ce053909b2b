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
 * the IOMMU core does it when a domain is attached.  An error only means that
 * a later bind will fail.
 */
static inline void compat_sva_enable(struct device *dev)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
	if (iommu_dev_enable_feature(dev, IOMMU_DEV_FEAT_IOPF))
		return;
	if (iommu_dev_enable_feature(dev, IOMMU_DEV_FEAT_SVA))
		iommu_dev_disable_feature(dev, IOMMU_DEV_FEAT_IOPF);
#endif
}

static inline void compat_sva_disable(struct device *dev)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
	iommu_dev_disable_feature(dev, IOMMU_DEV_FEAT_SVA);
	iommu_dev_disable_feature(dev, IOMMU_DEV_FEAT_IOPF);
#endif
}

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
