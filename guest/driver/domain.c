// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A paging domain
 *
 * It is attached to a PASID, or to the RID for what carries none.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "internal.h"

static struct pt_domain *pt_domain_alloc(struct pt_dev *pd, bool rid)
{
	struct pt_domain *dom;

	dom = kzalloc(sizeof(*dom), GFP_KERNEL_ACCOUNT);
	if (!dom)
		return ERR_PTR(-ENOMEM);
	dom->pd = pd;
	dom->rid = rid;
	dom->domain = compat_domain_alloc(&pd->pdev->dev);
	if (IS_ERR(dom->domain)) {
		long ret = PTR_ERR(dom->domain);

		kfree(dom);
		return ERR_PTR(ret);
	}
	return dom;
}

static void pt_domain_free(struct pt_domain *dom)
{
	if (dom->domain)
		iommu_domain_free(dom->domain);
	kfree(dom);
}

static int pt_domain_new(struct pt_file *pf, bool rid, u32 *pasid)
{
	struct pt_dev *pd = pf->pd;
	struct pt_domain *dom;
	int ret;

	lockdep_assert_held(&pf->lock);

	dom = pt_domain_alloc(pd, rid);
	if (IS_ERR(dom))
		return PTR_ERR(dom);
	spin_lock(&pd->group_lock);
	dom->pf = pf;
	pf->hold = PRI_TESTDEV_HOLD_ALL;
	pf->code = PRI_TESTDEV_RESP_INVALID;
	spin_unlock(&pd->group_lock);

	ret = pt_fault_attach(dom);
	if (ret) {
		pt_domain_free(dom);
		return ret;
	}
	pf->dom = dom;
	*pasid = dom->pasid;
	return 0;
}

/* Free what was detached longest ago, until `keep` are left */
static void pt_domain_expire(struct pt_dev *pd, unsigned int keep)
{
	struct pt_domain *dom;

	for (;;) {
		dom = NULL;
		spin_lock(&pd->group_lock);
		if (pd->nr_detached > keep) {
			dom = list_first_entry(&pd->detached, struct pt_domain,
					       link);
			list_del(&dom->link);
			pd->nr_detached--;
		}
		spin_unlock(&pd->group_lock);
		if (!dom)
			return;
		pt_domain_free(dom);
	}
}

/* Caller holds sem for writing, and no file has anything attached */
void pt_domain_free_detached(struct pt_dev *pd)
{
	pt_domain_expire(pd, 0);
}

static void pt_domain_set_closing(struct pt_domain *dom, bool closing)
{
	spin_lock(&dom->pd->group_lock);
	dom->closing = closing;
	spin_unlock(&dom->pd->group_lock);
}

/*
 * Take the page table off the function; the file's channels have stopped.
 * keep: the file goes on holding its groups.
 *
 * A kernel without iopf_group_dequeue() frees groups that are on its list when
 * the last attachment goes.  So they are answered before.
 */
void pt_domain_detach(struct pt_file *pf, bool keep)
{
	struct pt_dev *pd = pf->pd;
	struct pt_domain *dom = pf->dom;

	lockdep_assert_held(&pf->lock);

	if (!dom)
		return;
	pf->dom = NULL;
	if (!keep) {
		pt_domain_set_closing(dom, true);
		pt_groups_answer(pf, PRI_TESTDEV_RESP_INVALID);
	}
	pt_fault_detach(dom);
	spin_lock(&pd->group_lock);
	dom->pf = NULL;
	list_add_tail(&dom->link, &pd->detached);
	pd->nr_detached++;
	spin_unlock(&pd->group_lock);
	pt_unmap_all(pf, dom);
	pt_domain_expire(pd, PT_DETACHED);
}

/*
 * The IOMMU core is about to take the function off its domains for a reset, or
 * is through with that.  Where it would free the groups that are held, there
 * may be none meanwhile.
 */
void pt_domain_pause(struct pt_file *pf, bool pause)
{
	lockdep_assert_held(&pf->lock);

	if (!pf->dom || COMPAT_GROUPS_LAST)
		return;
	pt_domain_set_closing(pf->dom, pause);
	if (pause)
		pt_groups_answer(pf, PRI_TESTDEV_RESP_INVALID);
}

int pt_ioc_attach_domain(struct pt_file *pf, void __user *arg)
{
	struct pri_testdev_domain req;
	struct pt_dev *pd = pf->pd;
	int ret;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (req.flags != PRI_TESTDEV_DOMAIN_PASID &&
	    req.flags != PRI_TESTDEV_DOMAIN_RID)
		return -EINVAL;

	down_read(&pd->sem);
	mutex_lock(&pf->lock);
	ret = pt_usable(pd);
	if (!ret && (pf->sva || pf->dom))
		ret = -EBUSY;
	if (!ret)
		ret = pt_domain_new(pf, req.flags == PRI_TESTDEV_DOMAIN_RID,
				    &req.pasid);
	mutex_unlock(&pf->lock);
	up_read(&pd->sem);

	if (!ret && copy_to_user(arg, &req, sizeof(req)))
		ret = -EFAULT;		/* attached all the same: see INFO */
	return ret;
}

int pt_ioc_detach_domain(struct pt_file *pf, u32 __user *arg)
{
	struct pt_dev *pd = pf->pd;
	u32 flags;
	int ret;

	if (get_user(flags, arg))
		return -EFAULT;
	if (flags & ~PRI_TESTDEV_DETACH_KEEP)
		return -EINVAL;
	if (flags && !COMPAT_GROUPS_LAST)
		return -EOPNOTSUPP;

	down_read(&pd->sem);
	mutex_lock(&pf->lock);
	ret = pt_usable(pd);
	if (!ret && !pf->dom)
		ret = -EINVAL;
	if (!ret) {
		pt_stop_channels(pf);
		pt_domain_detach(pf, flags & PRI_TESTDEV_DETACH_KEEP);
	}
	mutex_unlock(&pf->lock);
	up_read(&pd->sem);
	return ret;
}
