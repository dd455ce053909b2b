// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A page table of one's own
 *
 * It is attached to a PASID, or to the RID for what carries none.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "internal.h"

static struct pt_own *pt_own_alloc(struct pt_dev *pd, bool rid)
{
	struct pt_own *own;

	own = kzalloc(sizeof(*own), GFP_KERNEL_ACCOUNT);
	if (!own)
		return ERR_PTR(-ENOMEM);
	own->pd = pd;
	own->rid = rid;
	own->domain = compat_domain_alloc(&pd->pdev->dev);
	if (IS_ERR(own->domain)) {
		long ret = PTR_ERR(own->domain);

		kfree(own);
		return ERR_PTR(ret);
	}
	return own;
}

static void pt_own_free(struct pt_own *own)
{
	if (own->domain)
		iommu_domain_free(own->domain);
	kfree(own);
}

static int pt_own_new(struct pt_file *pf, bool rid, u32 *pasid)
{
	struct pt_dev *pd = pf->pd;
	struct pt_own *own;
	int ret;

	lockdep_assert_held(&pf->lock);

	own = pt_own_alloc(pd, rid);
	if (IS_ERR(own))
		return PTR_ERR(own);
	spin_lock(&pd->group_lock);
	own->pf = pf;
	pf->hold = PRI_TESTDEV_HOLD_ALL;
	pf->code = PRI_TESTDEV_RESP_INVALID;
	spin_unlock(&pd->group_lock);

	ret = pt_fault_attach(own);
	if (ret) {
		pt_own_free(own);
		return ret;
	}
	pf->own = own;
	*pasid = own->pasid;
	return 0;
}

/* Free what was detached longest ago, until `keep` are left */
static void pt_own_expire(struct pt_dev *pd, unsigned int keep)
{
	struct pt_own *own;

	for (;;) {
		own = NULL;
		spin_lock(&pd->group_lock);
		if (pd->nr_detached > keep) {
			own = list_first_entry(&pd->detached, struct pt_own,
					       link);
			list_del(&own->link);
			pd->nr_detached--;
		}
		spin_unlock(&pd->group_lock);
		if (!own)
			return;
		pt_own_free(own);
	}
}

/* Caller holds sem for writing, and no file has anything attached */
void pt_own_free_detached(struct pt_dev *pd)
{
	pt_own_expire(pd, 0);
}

static void pt_own_set_closing(struct pt_own *own, bool closing)
{
	spin_lock(&own->pd->group_lock);
	own->closing = closing;
	spin_unlock(&own->pd->group_lock);
}

/*
 * Take the page table off the function; the file's channels have stopped.
 * keep: the file goes on holding its groups.
 *
 * A kernel without iopf_group_dequeue() frees groups that are on its list when
 * the last attachment goes.  So they are answered before.
 */
void pt_own_detach(struct pt_file *pf, bool keep)
{
	struct pt_dev *pd = pf->pd;
	struct pt_own *own = pf->own;

	lockdep_assert_held(&pf->lock);

	if (!own)
		return;
	pf->own = NULL;
	if (!keep) {
		pt_own_set_closing(own, true);
		pt_groups_answer(pf, PRI_TESTDEV_RESP_INVALID);
	}
	pt_fault_detach(own);
	spin_lock(&pd->group_lock);
	own->pf = NULL;
	list_add_tail(&own->link, &pd->detached);
	pd->nr_detached++;
	spin_unlock(&pd->group_lock);
	pt_unmap_all(pf, own);
	pt_own_expire(pd, PT_DETACHED);
}

/*
 * The IOMMU core is about to take the function off its domains for a reset, or
 * is through with that.  Where it would free the groups that are held, there
 * may be none meanwhile.
 */
void pt_own_pause(struct pt_file *pf, bool pause)
{
	lockdep_assert_held(&pf->lock);

	if (!pf->own || COMPAT_GROUPS_LAST)
		return;
	pt_own_set_closing(pf->own, pause);
	if (pause)
		pt_groups_answer(pf, PRI_TESTDEV_RESP_INVALID);
}

int pt_ioc_attach_own(struct pt_file *pf, void __user *arg)
{
	struct pri_testdev_own req;
	struct pt_dev *pd = pf->pd;
	int ret;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (req.flags != PRI_TESTDEV_OWN_PASID &&
	    req.flags != PRI_TESTDEV_OWN_RID)
		return -EINVAL;

	down_read(&pd->sem);
	mutex_lock(&pf->lock);
	ret = pt_usable(pd);
	if (!ret && (pf->sva || pf->own))
		ret = -EBUSY;
	if (!ret)
		ret = pt_own_new(pf, req.flags == PRI_TESTDEV_OWN_RID,
				 &req.pasid);
	mutex_unlock(&pf->lock);
	up_read(&pd->sem);

	if (!ret && copy_to_user(arg, &req, sizeof(req)))
		ret = -EFAULT;		/* attached all the same: see INFO */
	return ret;
}

int pt_ioc_detach_own(struct pt_file *pf, u32 __user *arg)
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
	if (!ret && !pf->own)
		ret = -EINVAL;
	if (!ret) {
		pt_stop_channels(pf);
		pt_own_detach(pf, flags & PRI_TESTDEV_DETACH_KEEP);
	}
	mutex_unlock(&pf->lock);
	up_read(&pd->sem);
	return ret;
}
