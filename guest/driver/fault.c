// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The I/O page fault handler of a page table of one's own
 *
 * It passes each page request group to the file (groups.c) and returns: it runs
 * in the thread of the page request interrupt.
 */
#include <linux/slab.h>
#include <linux/delay.h>

#include "internal.h"

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

#ifdef COMPAT_DOMAIN_HANDLER

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

void pt_fault_free(struct pt_own *own)
{
}

#elif defined(COMPAT_DEVICE_HANDLER)

/*
 * Linux 6.1 attaches page tables to the RID only, and drops requests without
 * PASID.  But the page table of the RID is that of PASID 0 as well: requests
 * that carry PASID 0 are translated by it, and reported.
 */

struct pt_partial {
	struct work_struct work;
	struct pt_own *own;
	struct list_head answer;	/* pt_group.link; under group_lock */
	unsigned int nr;		/* the rest is the handler's */
	struct pri_testdev_request requests[PT_REQUESTS_MAX];
};

/* Answers cannot be given by the handler: it holds the lock they take */
static void pt_fault_answer(struct work_struct *work)
{
	struct pt_partial *part = container_of(work, struct pt_partial, work);
	spinlock_t *lock = &part->own->pd->group_lock;
	struct pt_group *grp;

	for (;;) {
		spin_lock(lock);
		grp = list_first_entry_or_null(&part->answer, struct pt_group,
					       link);
		if (grp)
			list_del(&grp->link);
		spin_unlock(lock);
		if (!grp)
			return;
		compat_group_respond(&grp->group, grp->group.resp.code);
		kfree(grp);
	}
}

/* The requests before the last one of a group become part of it */
static struct pt_group *pt_fault_collect(struct pt_partial *part,
					 const struct pri_testdev_request *last)
{
	struct pt_group *grp;
	unsigned int i, keep = 0;

	grp = kzalloc(struct_size(grp, requests, part->nr + 1), GFP_KERNEL);
	if (!grp)
		return NULL;
	for (i = 0; i < part->nr; i++) {
		const struct pri_testdev_request *req = &part->requests[i];

		if (req->prgi == last->prgi && req->pasid == last->pasid)
			grp->requests[grp->nr++] = *req;
		else
			part->requests[keep++] = *req;
	}
	part->nr = keep;
	grp->requests[grp->nr++] = *last;
	return grp;
}

static int pt_fault_handler(struct iommu_fault *fault, void *data)
{
	struct pri_testdev_request req;
	struct pt_own *own = data;
	struct pt_partial *part = own->partial;
	struct pt_group *grp;
	int code;

	if (fault->type != IOMMU_FAULT_PAGE_REQ)
		return -EOPNOTSUPP;
	pt_request_fill(&req, &fault->prm);
	if (!(req.flags & PRI_TESTDEV_REQ_LAST)) {
		if (part->nr == PT_REQUESTS_MAX)
			return -ENOSPC;
		part->requests[part->nr++] = req;
		return 0;
	}

	grp = pt_fault_collect(part, &req);
	if (!grp)
		return -ENOMEM;
	grp->group.dev = &own->pd->pdev->dev;
	grp->group.resp = (struct iommu_page_response) {
		.argsz = sizeof(grp->group.resp),
		.version = IOMMU_PAGE_RESP_VERSION_1,
		.grpid = req.prgi,
		.pasid = req.pasid,
	};
	if (req.flags & PRI_TESTDEV_REQ_PASID)
		grp->group.resp.flags = IOMMU_PAGE_RESP_PASID_VALID;

	code = pt_fault_group(own, grp);
	if (code == PT_GROUP_HELD)
		return 0;
	if (code < 0 || code == PRI_TESTDEV_RESP_INVALID) {
		kfree(grp);	/* an error makes it Invalid Request */
		return -EINVAL;
	}
	grp->group.resp.code = code;
	spin_lock(&own->pd->group_lock);
	list_add_tail(&grp->link, &part->answer);
	spin_unlock(&own->pd->group_lock);
	schedule_work(&part->work);
	return 0;
}

static void pt_fault_unregister(struct pt_own *own)
{
	/* busy as long as a group waits for the work above */
	while (iommu_unregister_device_fault_handler(&own->pd->pdev->dev)) {
		flush_work(&own->partial->work);
		msleep(1);
	}
	flush_work(&own->partial->work);
}

int pt_fault_attach(struct pt_own *own)
{
	struct device *dev = &own->pd->pdev->dev;
	int ret;

	if (own->rid)
		return -EOPNOTSUPP;
	own->partial = kvzalloc(sizeof(*own->partial), GFP_KERNEL_ACCOUNT);
	if (!own->partial)
		return -ENOMEM;
	own->partial->own = own;
	INIT_WORK(&own->partial->work, pt_fault_answer);
	INIT_LIST_HEAD(&own->partial->answer);

	ret = iommu_register_device_fault_handler(dev, pt_fault_handler, own);
	if (ret)
		return ret;
	ret = iommu_attach_device(own->domain, dev);
	if (ret)
		pt_fault_unregister(own);
	return ret;
}

void pt_fault_detach(struct pt_own *own)
{
	iommu_detach_device(own->domain, &own->pd->pdev->dev);
	pt_fault_unregister(own);
}

void pt_fault_free(struct pt_own *own)
{
	kvfree(own->partial);
}

#else /* 6.2 to 6.10 */

int pt_fault_attach(struct pt_own *own)
{
	return -EOPNOTSUPP;
}

void pt_fault_detach(struct pt_own *own)
{
}

void pt_fault_free(struct pt_own *own)
{
}

#endif
