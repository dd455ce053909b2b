// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The I/O page fault handler of a page table of one's own
 *
 * It passes each page request group to the file (groups.c) and returns: it runs
 * in the thread of the page request interrupt.
 */
#include <linux/slab.h>

#include "internal.h"

#ifdef COMPAT_DOMAIN_HANDLER

static u32 pt_request_perm(u32 perm)
{
	return (perm & IOMMU_FAULT_PERM_READ ? PT_RAW_READ : 0) |
	       (perm & IOMMU_FAULT_PERM_WRITE ? PT_RAW_WRITE : 0) |
	       (perm & IOMMU_FAULT_PERM_EXEC ? PT_RAW_EXEC : 0) |
	       (perm & IOMMU_FAULT_PERM_PRIV ? PT_RAW_PRIV : 0);
}

static void pt_request_fill(struct pri_testdev_request *req,
			    const struct iommu_fault_page_request *prm)
{
	*req = (struct pri_testdev_request) {
		.addr = prm->addr,
		.prgi = prm->grpid,
		.pasid = prm->pasid,
		.perm = pt_request_perm(prm->perm),
	};
	if (prm->flags & IOMMU_FAULT_PAGE_REQUEST_PASID_VALID)
		req->flags |= PRI_TESTDEV_REQ_PASID;
	if (prm->flags & IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE)
		req->flags |= PRI_TESTDEV_REQ_LAST;
}

/*
 * A group for an attachment: PT_GROUP_HELD, or the Response Code that the
 * caller is to answer with, or an error.
 */
static int pt_fault_group(struct pt_own *own, struct pt_group *grp)
{
	const struct pri_testdev_request *last = &grp->requests[grp->nr - 1];
	struct pt_dev *pd = own->pd;
	int code = PRI_TESTDEV_RESP_INVALID;

	grp->prgi = last->prgi;
	grp->pasid = last->pasid;
	grp->flags = last->flags;

	spin_lock(&pd->group_lock);
	if (!own->pf)
		pd->late++;
	else if (!own->closing)
		code = pt_group_add(own->pf, grp);
	spin_unlock(&pd->group_lock);
	return code;
}

static int pt_iopf_handler(struct iopf_group *group)
{
	struct pt_own *own = container_of(group->attach_handle, struct pt_own,
					  handle);
	struct iopf_fault *fault;
	struct pt_group *grp;
	int code;

	compat_group_take(group);
	grp = kzalloc(struct_size(grp, requests, group->fault_count),
		      GFP_KERNEL);
	if (!grp)
		return -ENOMEM;
	grp->group.iopf = group;
	list_for_each_entry(fault, &group->faults, list)
		pt_request_fill(&grp->requests[grp->nr++], &fault->fault.prm);

	code = pt_fault_group(own, grp);
	if (code == PT_GROUP_HELD)
		return 0;
	if (code >= 0)
		compat_group_respond(&grp->group, code);
	kfree(grp);
	return min(code, 0);
}

int pt_fault_attach(struct pt_own *own)
{
	struct device *dev = &own->pd->pdev->dev;
	int ret;

	own->domain->iopf_handler = pt_iopf_handler;
	if (own->rid)
		return compat_attach_rid(own->domain, dev, &own->handle);

	own->pasid = iommu_alloc_global_pasid(dev);
	if (own->pasid == IOMMU_PASID_INVALID)
		return -ENOSPC;
	ret = iommu_attach_device_pasid(own->domain, dev, own->pasid,
					&own->handle);
	if (ret)
		iommu_free_global_pasid(own->pasid);
	return ret;
}

void pt_fault_detach(struct pt_own *own)
{
	struct device *dev = &own->pd->pdev->dev;

	if (own->rid) {
		compat_detach_rid(own->domain, dev);
	} else {
		iommu_detach_device_pasid(own->domain, dev, own->pasid);
		iommu_free_global_pasid(own->pasid);
	}
}

#else

/*
 * Before 6.11 there is no whole group to hand on.  In 6.1 there is not even a
 * PASID to attach to: the page table of the RID cannot be reached with a PASID
 * (the IOMMU blocks PASID 0, which is RID_PASID), and what carries none is
 * refused by the kernel.
 */

int pt_fault_attach(struct pt_own *own)
{
	return -EOPNOTSUPP;
}

void pt_fault_detach(struct pt_own *own)
{
}

#endif
