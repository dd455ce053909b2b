// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The I/O page fault handler of a paging domain
 *
 * It passes each page request group to the file (groups.c) and returns: it runs
 * in the thread of the page request interrupt.
 */
#include <linux/delay.h>
#include <linux/slab.h>

#include "internal.h"

#if defined(COMPAT_DOMAIN_HANDLER) || defined(COMPAT_OWN_MM)

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
static int pt_fault_group(struct pt_domain *dom, struct pt_group *grp)
{
	const struct pri_testdev_request *last = &grp->requests[grp->nr - 1];
	struct pt_dev *pd = dom->pd;
	int code = PRI_TESTDEV_RESP_INVALID;

	grp->prgi = last->prgi;
	grp->pasid = last->pasid;
	grp->flags = last->flags;

	spin_lock(&pd->group_lock);
	if (!dom->pf)
		pd->late++;
	else if (!dom->closing)
		code = pt_group_add(dom->pf, grp);
	spin_unlock(&pd->group_lock);
	return code;
}

#endif

#ifdef COMPAT_DOMAIN_HANDLER

static int pt_iopf_handler(struct iopf_group *group)
{
	struct pt_domain *dom = container_of(group->attach_handle,
					     struct pt_domain, handle);
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

	code = pt_fault_group(dom, grp);
	if (code == PT_GROUP_HELD)
		return 0;
	if (code >= 0)
		compat_group_respond(&grp->group, code);
	kfree(grp);
	return min(code, 0);
}

int pt_fault_attach(struct pt_domain *dom)
{
	struct device *dev = &dom->pd->pdev->dev;
	int ret;

	dom->domain->iopf_handler = pt_iopf_handler;
	if (dom->rid)
		return compat_attach_rid(dom->domain, dev, &dom->handle);

	dom->pasid = iommu_alloc_global_pasid(dev);
	if (dom->pasid == IOMMU_PASID_INVALID)
		return -ENOSPC;
	ret = iommu_attach_device_pasid(dom->domain, dev, dom->pasid,
					&dom->handle);
	if (ret)
		iommu_free_global_pasid(dom->pasid);
	return ret;
}

void pt_fault_detach(struct pt_domain *dom)
{
	struct device *dev = &dom->pd->pdev->dev;

	if (dom->rid) {
		compat_detach_rid(dom->domain, dev);
	} else {
		iommu_detach_device_pasid(dom->domain, dev, dom->pasid);
		iommu_free_global_pasid(dom->pasid);
	}
}

/* No: each domain has its handler */
bool pt_fault_taken(struct pt_dev *pd)
{
	return false;
}

#elif defined(COMPAT_OWN_MM)

/*
 * 6.1 gives a PASID to nothing but an address space: the page table of the RID
 * cannot be reached with a PASID (the IOMMU blocks PASID 0, which is RID_PASID),
 * and what carries none is refused by the kernel.  iommu_sva_bind_device() is
 * switched off on x86, but what it calls is there.  So the paging domain is the
 * caller's page table, at addresses where nothing else is (table.c), and its
 * page requests come here, not to the kernel's own handler.
 *
 * A function has one handler, of single requests; the core keeps the last one
 * of each group until it is answered.
 */

struct pt_partial {
	struct list_head link;
	struct pri_testdev_request req;
};

static void pt_partial_free(struct pt_domain *dom, struct pt_partial *part)
{
	list_del(&part->link);
	dom->nr_partial--;
	kfree(part);
}

static int pt_partial_add(struct pt_domain *dom,
			  const struct iommu_fault_page_request *prm)
{
	struct pt_partial *part;

	if (dom->nr_partial >= PT_REQUESTS_MAX)
		return -ENOSPC;
	part = kzalloc(sizeof(*part), GFP_KERNEL);
	if (!part)
		return -ENOMEM;
	pt_request_fill(&part->req, prm);
	list_add_tail(&part->link, &dom->partial);
	dom->nr_partial++;
	return 0;
}

/* A last request has come: with those before it in the same group */
static struct pt_group *pt_partial_take(struct pt_domain *dom,
					const struct iommu_fault_page_request *prm)
{
	struct pt_partial *part, *next;
	struct pt_group *grp;
	u32 nr = 1;

	list_for_each_entry(part, &dom->partial, link)
		nr += part->req.prgi == prm->grpid;
	grp = kzalloc(struct_size(grp, requests, nr), GFP_KERNEL);
	list_for_each_entry_safe(part, next, &dom->partial, link) {
		if (part->req.prgi != prm->grpid)
			continue;
		if (grp)
			grp->requests[grp->nr++] = part->req;
		pt_partial_free(dom, part);
	}
	if (!grp)
		return NULL;
	pt_request_fill(&grp->requests[grp->nr++], prm);
	grp->group = (struct compat_group) {
		.dev = &dom->pd->pdev->dev,
		.pasid = prm->pasid,
		.prgi = prm->grpid,
	};
	return grp;
}

/* An error: the IOMMU driver answers with Invalid Request */
static int pt_fault_handler(struct iommu_fault *fault, void *data)
{
	const struct iommu_fault_page_request *prm = &fault->prm;
	struct pt_domain *dom = data;
	struct pt_group *grp;
	int code;

	if (fault->type != IOMMU_FAULT_PAGE_REQ || prm->pasid != dom->pasid)
		return -EINVAL;
	if (!(prm->flags & IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE))
		return pt_partial_add(dom, prm);

	grp = pt_partial_take(dom, prm);
	if (!grp)
		return -ENOMEM;
	code = pt_fault_group(dom, grp);
	if (code == PT_GROUP_HELD)
		return 0;
	if (code >= 0)
		compat_group_respond(&grp->group, code);
	kfree(grp);
	return min(code, 0);
}

/* Is a paging domain of somebody attached, so that nobody can bind? */
bool pt_fault_taken(struct pt_dev *pd)
{
	return READ_ONCE(pd->handler);
}

/* The one handler is free, and nobody needs that of the kernel */
static int pt_fault_claim(struct pt_domain *dom)
{
	struct pt_dev *pd = dom->pd;
	struct pt_file *pf;
	int ret = 0;

	spin_lock(&pd->group_lock);
	if (pd->handler)
		ret = -EBUSY;
	list_for_each_entry(pf, &pd->files, link) {
		if (READ_ONCE(pf->sva))
			ret = -EBUSY;
	}
	if (!ret)
		WRITE_ONCE(pd->handler, dom);
	spin_unlock(&pd->group_lock);
	return ret;
}

/* A group that is being answered at this moment is off the list already */
static void pt_fault_unregister(struct pt_domain *dom)
{
	struct device *dev = &dom->pd->pdev->dev;
	struct pt_partial *part, *next;
	int ret, tries = 1000;

	do {
		ret = iommu_unregister_device_fault_handler(dev);
		if (ret)
			usleep_range(1000, 2000);
	} while (ret == -EBUSY && --tries);
	WARN_ON(ret);

	list_for_each_entry_safe(part, next, &dom->partial, link)
		pt_partial_free(dom, part);
	compat_sva_enable(dev);
	WRITE_ONCE(dom->pd->handler, NULL);
}

int pt_fault_attach(struct pt_domain *dom)
{
	struct device *dev = &dom->pd->pdev->dev;
	const struct iommu_ops *ops = dev_iommu_ops(dev);
	struct iommu_sva *sva;
	int ret;

	if (dom->rid || !ops->sva_bind || !current->mm)
		return -EOPNOTSUPP;
	ret = pt_fault_claim(dom);
	if (ret)
		return ret;

	INIT_LIST_HEAD(&dom->partial);
	compat_sva_disable(dev);
	ret = iommu_register_device_fault_handler(dev, pt_fault_handler, dom);
	if (ret) {
		compat_sva_enable(dev);
		WRITE_ONCE(dom->pd->handler, NULL);
		return ret;
	}
	sva = ops->sva_bind(dev, current->mm, NULL);
	if (IS_ERR(sva)) {
		pt_fault_unregister(dom);
		return PTR_ERR(sva);
	}
	dom->sva = sva;
	dom->pasid = ops->sva_get_pasid(sva);
	dom->mm = current->mm;
	return 0;
}

/* All that was held has been answered, and nothing is held any more */
void pt_fault_detach(struct pt_domain *dom)
{
	dev_iommu_ops(&dom->pd->pdev->dev)->sva_unbind(dom->sva);
	pt_fault_unregister(dom);
}

#else

/* From 6.2 to 6.10 there is neither a whole group nor one handler */

int pt_fault_attach(struct pt_domain *dom)
{
	return -EOPNOTSUPP;
}

void pt_fault_detach(struct pt_domain *dom)
{
}

bool pt_fault_taken(struct pt_dev *pd)
{
	return false;
}

#endif
