// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Page request groups that a file holds until its program answers them
 */
#include <linux/eventfd.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "internal.h"

/*
 * A group has come in; caller holds group_lock.  PT_GROUP_HELD, or the
 * Response Code that the caller is to answer with, or an error.
 */
int pt_group_add(struct pt_file *pf, struct pt_group *grp)
{
	lockdep_assert_held(&pf->pd->group_lock);

	grp->id = ++pf->seen;
	if (!pf->hold)
		return pf->code;
	if (pf->nr_groups >= PT_GROUPS_MAX)
		return -ENOSPC;
	if (pf->hold != PRI_TESTDEV_HOLD_ALL)
		pf->hold--;
	list_add_tail(&grp->link, &pf->groups);
	pf->nr_groups++;
	pf->news = true;
	wake_up_all(&pf->wait);
	if (pf->eventfd)
		compat_eventfd_signal(pf->eventfd);
	return PT_GROUP_HELD;
}

/* The group with an id, or the oldest one for 0; caller holds group_lock */
static struct pt_group *pt_group_find(struct pt_file *pf, u64 id)
{
	struct pt_group *grp;

	lockdep_assert_held(&pf->pd->group_lock);

	list_for_each_entry(grp, &pf->groups, link) {
		if (!id || grp->id == id)
			return grp;
	}
	return NULL;
}

/* Answer one group, the oldest for id 0; -ENOENT: there is none */
static int pt_group_answer(struct pt_file *pf, u64 id, u32 code)
{
	struct pt_dev *pd = pf->pd;
	struct pt_group *grp;

	spin_lock(&pd->group_lock);
	grp = pt_group_find(pf, id);
	if (grp) {
		list_del(&grp->link);
		pf->nr_groups--;
	}
	spin_unlock(&pd->group_lock);
	if (!grp)
		return -ENOENT;

	compat_group_respond(&grp->group, code);
	kfree(grp);
	return 0;
}

/*
 * Answer those that are held now, which with new ones coming in all the time
 * has an end; returns how many.
 */
int pt_groups_answer(struct pt_file *pf, u32 code)
{
	int max = PT_GROUPS_MAX, n = 0;

	while (n < max && !pt_group_answer(pf, 0, code))
		n++;
	return n;
}

int pt_ioc_respond(struct pt_file *pf, void __user *arg)
{
	struct pri_testdev_respond req;
	struct pt_dev *pd = pf->pd;
	int ret = -ENODEV;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (req.code > 0xf || req.reserved || !req.id)
		return -EINVAL;

	down_read(&pd->sem);
	if (pd->state != PT_GONE)
		ret = pt_group_answer(pf, req.id, req.code);
	up_read(&pd->sem);
	return ret;
}

int pt_ioc_respond_all(struct pt_file *pf, u32 __user *arg)
{
	struct pt_dev *pd = pf->pd;
	int ret = -ENODEV;
	u32 code;

	if (get_user(code, arg))
		return -EFAULT;
	if (code > 0xf)
		return -EINVAL;

	down_read(&pd->sem);
	if (pd->state != PT_GONE)
		ret = pt_groups_answer(pf, code);
	up_read(&pd->sem);
	return ret;
}

int pt_ioc_hold(struct pt_file *pf, void __user *arg)
{
	struct pri_testdev_hold req;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (req.code > 0xf)
		return -EINVAL;

	spin_lock(&pf->pd->group_lock);
	pf->hold = req.groups;
	pf->code = req.code;
	spin_unlock(&pf->pd->group_lock);
	return READ_ONCE(pf->pd->state) == PT_GONE ? -ENODEV : 0;
}

int pt_ioc_get_groups(struct pt_file *pf, void __user *arg)
{
	struct pri_testdev_group *copy = NULL;
	struct pri_testdev_groups req;
	struct pt_group *grp;
	u32 n = 0;
	int ret = 0;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (READ_ONCE(pf->pd->state) == PT_GONE)
		return -ENODEV;
	req.max = min_t(u32, req.max, PT_GROUPS_MAX);
	if (req.max) {
		copy = kvcalloc(req.max, sizeof(*copy), GFP_KERNEL_ACCOUNT);
		if (!copy)
			return -ENOMEM;
	}

	spin_lock(&pf->pd->group_lock);
	list_for_each_entry(grp, &pf->groups, link) {
		if (n == req.max)
			break;
		copy[n++] = (struct pri_testdev_group) {
			.id = grp->id,
			.prgi = grp->prgi,
			.pasid = grp->pasid,
			.flags = grp->flags,
			.requests = grp->nr,
		};
	}
	req.count = pf->nr_groups;
	pf->news = false;
	spin_unlock(&pf->pd->group_lock);

	if (copy_to_user(u64_to_user_ptr(req.groups), copy, n * sizeof(*copy)) ||
	    copy_to_user(arg, &req, sizeof(req)))
		ret = -EFAULT;
	kvfree(copy);
	return ret;
}

int pt_ioc_get_requests(struct pt_file *pf, void __user *arg)
{
	struct pri_testdev_request *copy = NULL;
	struct pri_testdev_requests req;
	struct pt_group *grp;
	int ret = -ENOENT;
	u32 n = 0;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (READ_ONCE(pf->pd->state) == PT_GONE)
		return -ENODEV;
	req.max = min_t(u32, req.max, PT_REQUESTS_MAX);
	if (req.max) {
		copy = kvcalloc(req.max, sizeof(*copy), GFP_KERNEL_ACCOUNT);
		if (!copy)
			return -ENOMEM;
	}

	spin_lock(&pf->pd->group_lock);
	grp = req.id ? pt_group_find(pf, req.id) : NULL;
	if (grp) {
		n = min(req.max, grp->nr);
		memcpy(copy, grp->requests, n * sizeof(*copy));
		req.count = grp->nr;
		ret = 0;
	}
	spin_unlock(&pf->pd->group_lock);

	if (!ret && (copy_to_user(u64_to_user_ptr(req.requests), copy,
				  n * sizeof(*copy)) ||
		     copy_to_user(arg, &req, sizeof(req))))
		ret = -EFAULT;
	kvfree(copy);
	return ret;
}
