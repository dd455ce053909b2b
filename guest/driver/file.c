// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An open file: one binding, some channels, their events
 */
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "internal.h"

static void pt_unbind(struct pt_file *pf)
{
	lockdep_assert_held(&pf->lock);

	if (pf->sva) {
		iommu_sva_unbind_device(pf->sva);
		pf->sva = NULL;
	}
	pt_domain_detach(pf, false);
}

/*
 * Take the function away from a file, for a reset or for good.  Caller holds
 * sem for writing, has changed the state, and the function still answers
 * unless it left by itself.
 */
void pt_file_withdraw(struct pt_file *pf, bool unbind)
{
	lockdep_assert_held_write(&pf->pd->sem);

	pt_zap(pf);
	mutex_lock(&pf->lock);
	pt_stop_channels(pf);
	if (unbind) {
		pt_unbind(pf);
		pt_groups_answer(pf, PRI_TESTDEV_RESP_INVALID);
	} else {
		pt_domain_pause(pf, true);
	}
	if (pf->pd->state == PT_GONE)
		pt_dma_unmap_all(pf);
	mutex_unlock(&pf->lock);
	wake_up_all(&pf->wait);
}

/* The function is back after a reset; caller holds sem for writing */
void pt_file_resume(struct pt_file *pf)
{
	lockdep_assert_held_write(&pf->pd->sem);

	mutex_lock(&pf->lock);
	pt_domain_pause(pf, false);
	mutex_unlock(&pf->lock);
}

static int pt_open(struct inode *inode, struct file *filp)
{
	/* misc_open() left this here, and holds off misc_deregister() */
	struct pt_dev *pd = container_of(filp->private_data, struct pt_dev,
					 misc);
	struct pt_file *pf;

	pf = kzalloc(sizeof(*pf), GFP_KERNEL_ACCOUNT);
	if (!pf)
		return -ENOMEM;

	pf->pd = pd;
	pf->filp = filp;
	pf->pid = task_tgid_nr(current);
	mutex_init(&pf->lock);
	INIT_LIST_HEAD(&pf->maps);
	INIT_LIST_HEAD(&pf->groups);
	init_waitqueue_head(&pf->wait);

	down_read(&pd->sem);
	if (pd->state == PT_GONE) {
		up_read(&pd->sem);
		kfree(pf);
		return -ENODEV;
	}
	pt_dev_get(pd);
	pf->resets_seen = pd->resets;
	spin_lock(&pd->group_lock);
	list_add_tail(&pf->link, &pd->files);
	spin_unlock(&pd->group_lock);
	up_read(&pd->sem);

	filp->private_data = pf;
	return stream_open(inode, filp);
}

/* Channels of a closed file get a new owner from now on */
static void pt_disown(struct pt_file *pf)
{
	struct pt_dev *pd = pf->pd;
	struct eventfd_ctx *eventfd;
	unsigned int i;

	for (i = 0; i < pd->nr_channels; i++) {
		struct pt_channel *ch = &pd->channels[i];

		eventfd = NULL;
		spin_lock_irq(&pd->irq_lock);
		if (ch->owner == pf) {
			eventfd = ch->eventfd;
			ch->eventfd = NULL;
			ch->owner = NULL;
		}
		spin_unlock_irq(&pd->irq_lock);
		if (eventfd)
			eventfd_ctx_put(eventfd);
	}
}

static int pt_release(struct inode *inode, struct file *filp)
{
	struct pt_file *pf = filp->private_data;
	struct pt_dev *pd = pf->pd;

	/* Mappings hold a reference to the file: there are none any more */
	down_read(&pd->sem);
	mutex_lock(&pf->lock);
	if (pd->state == PT_LIVE)
		pt_stop_channels(pf);
	pt_unbind(pf);
	pt_groups_answer(pf, PRI_TESTDEV_RESP_INVALID);
	pt_dma_unmap_all(pf);
	mutex_unlock(&pf->lock);
	pt_disown(pf);
	spin_lock(&pd->group_lock);
	list_del(&pf->link);
	spin_unlock(&pd->group_lock);
	up_read(&pd->sem);

	if (pf->eventfd)
		eventfd_ctx_put(pf->eventfd);
	mutex_destroy(&pf->lock);
	kfree(pf);
	pt_dev_put(pd);
	return 0;
}

static int pt_ioc_info(struct pt_file *pf, void __user *arg)
{
	struct pri_testdev_info info = {};
	struct pt_dev *pd = pf->pd;

	down_read(&pd->sem);
	if (pd->state == PT_GONE) {
		up_read(&pd->sem);
		return -ENODEV;
	}
	info.channels = pd->nr_channels;
	info.owned = hweight64(pt_owned(pf));
	info.resets = pd->resets;
	info.function_irqs = atomic_read(&pd->function_irqs);
	strscpy(info.pci_name, pd->pci_name, sizeof(info.pci_name));
	mutex_lock(&pf->lock);
	pf->resets_seen = info.resets;
	if (pf->sva) {
		info.bound = 1;
		info.pasid = iommu_sva_get_pasid(pf->sva);
	}
	if (pf->dom) {
		info.domain = pf->dom->rid ? PRI_TESTDEV_DOMAIN_RID :
					  PRI_TESTDEV_DOMAIN_PASID;
		info.pasid = pf->dom->pasid;
	}
	mutex_unlock(&pf->lock);
	spin_lock(&pd->group_lock);
	info.held = pf->nr_groups;
	info.groups = pf->seen;
	info.late = pd->late;
	spin_unlock(&pd->group_lock);
	up_read(&pd->sem);

	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static int pt_ioc_bind(struct pt_file *pf, u32 __user *arg)
{
	struct pt_dev *pd = pf->pd;
	struct iommu_sva *sva;
	u32 pasid = 0;
	int ret;

	down_read(&pd->sem);
	mutex_lock(&pf->lock);
	ret = pt_usable(pd);
	if (!ret && (pf->sva || pf->dom || pt_fault_taken(pd)))
		ret = -EBUSY;
	if (!ret) {
		sva = compat_sva_bind(&pd->pdev->dev, current->mm);
		if (IS_ERR(sva)) {
			ret = PTR_ERR(sva);
		} else {
			pf->sva = sva;
			pasid = iommu_sva_get_pasid(sva);
		}
	}
	mutex_unlock(&pf->lock);
	up_read(&pd->sem);

	if (!ret && put_user(pasid, arg))
		ret = -EFAULT;		/* bound all the same: see INFO */
	return ret;
}

static int pt_ioc_unbind(struct pt_file *pf)
{
	struct pt_dev *pd = pf->pd;
	int ret;

	down_read(&pd->sem);
	mutex_lock(&pf->lock);
	ret = pt_usable(pd);
	if (!ret && !pf->sva)
		ret = -EINVAL;
	if (!ret) {
		pt_stop_channels(pf);
		pt_unbind(pf);
	}
	mutex_unlock(&pf->lock);
	up_read(&pd->sem);
	return ret;
}

/* Forget what the last owner of a channel left in its registers */
static void pt_clear_channel(struct pt_channel *ch)
{
	void __iomem *regs = pt_channel_regs(ch);

	writel(0, regs + PT_CH_FLAGS);
	writel(0, regs + PT_CH_PASID);
	writeq(0, regs + PT_CH_SRC);
	writeq(0, regs + PT_CH_DST);
	writeq(0, regs + PT_CH_LEN);
	writeq(0, regs + PT_CH_PATTERN);
	writel(PT_GROUP_DEFAULT, regs + PT_CH_GROUP);
	writel(PT_RETRIES_DEFAULT, regs + PT_CH_RETRIES);
	writel(1, regs + PT_CH_IRQ_STATUS);
}

static int pt_ioc_alloc_channel(struct pt_file *pf, u32 __user *arg)
{
	struct pt_dev *pd = pf->pd;
	struct pt_channel *ch = NULL;
	unsigned int i;
	int ret;

	down_read(&pd->sem);
	ret = pt_usable(pd);
	if (!ret) {
		ret = -ENOSPC;
		spin_lock_irq(&pd->irq_lock);
		for (i = 0; i < pd->nr_channels; i++) {
			ch = &pd->channels[i];
			if (ch->owner || ch->stuck)
				continue;
			ch->owner = pf;
			pf->events &= ~BIT_ULL(i);
			ret = 0;
			break;
		}
		spin_unlock_irq(&pd->irq_lock);
		if (!ret)
			pt_clear_channel(ch);
	}
	up_read(&pd->sem);

	if (!ret && put_user(ch->index, arg))
		ret = -EFAULT;
	return ret;
}

/* Put a new eventfd in the place of the one of a channel; -EACCES: not owned */
static int pt_channel_eventfd(struct pt_file *pf, u32 channel,
			      struct eventfd_ctx **ctx)
{
	struct pt_channel *ch = &pf->pd->channels[channel];
	int ret = -EACCES;

	spin_lock_irq(&pf->pd->irq_lock);
	if (ch->owner == pf) {
		swap(ch->eventfd, *ctx);
		ret = 0;
	}
	spin_unlock_irq(&pf->pd->irq_lock);
	return ret;
}

static int pt_ioc_set_eventfd(struct pt_file *pf, void __user *arg)
{
	struct pri_testdev_eventfd req;
	struct eventfd_ctx *ctx = NULL;
	struct pt_dev *pd = pf->pd;
	int ret = 0;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (READ_ONCE(pd->state) == PT_GONE)
		return -ENODEV;
	if (req.channel != PRI_TESTDEV_GROUPS && req.channel >= pd->nr_channels)
		return -EINVAL;
	if (req.fd >= 0) {
		ctx = eventfd_ctx_fdget(req.fd);
		if (IS_ERR(ctx))
			return PTR_ERR(ctx);
	}

	if (req.channel == PRI_TESTDEV_GROUPS) {
		spin_lock(&pd->group_lock);
		swap(pf->eventfd, ctx);
		spin_unlock(&pd->group_lock);
	} else {
		ret = pt_channel_eventfd(pf, req.channel, &ctx);
	}
	if (ctx)
		eventfd_ctx_put(ctx);	/* the old one, or one not taken */
	return ret;
}

/* The reset calls back (pci.c) and takes sem there */
static int pt_ioc_reset(struct pt_file *pf, u32 __user *arg)
{
	struct pt_dev *pd = pf->pd;
	struct pci_dev *pdev = NULL;
	u32 flags;
	int ret;

	if (get_user(flags, arg))
		return -EFAULT;
	if (flags & ~PRI_TESTDEV_RESET_TRY)
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;

	down_read(&pd->sem);
	if (pd->state != PT_GONE)
		pdev = pci_dev_get(pd->pdev);
	up_read(&pd->sem);
	if (!pdev)
		return -ENODEV;
	ret = flags & PRI_TESTDEV_RESET_TRY ? pci_try_reset_function(pdev) :
					      pci_reset_function(pdev);
	pci_dev_put(pdev);
	return ret;
}

static long pt_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct pt_file *pf = filp->private_data;
	void __user *user = (void __user *)arg;

	switch (cmd) {
	case PRI_TESTDEV_IOC_INFO:
		return pt_ioc_info(pf, user);
	case PRI_TESTDEV_IOC_BIND:
		return pt_ioc_bind(pf, user);
	case PRI_TESTDEV_IOC_UNBIND:
		return pt_ioc_unbind(pf);
	case PRI_TESTDEV_IOC_ALLOC_CHANNEL:
		return pt_ioc_alloc_channel(pf, user);
	case PRI_TESTDEV_IOC_SET_EVENTFD:
		return pt_ioc_set_eventfd(pf, user);
	case PRI_TESTDEV_IOC_ATTACH_DOMAIN:
		return pt_ioc_attach_domain(pf, user);
	case PRI_TESTDEV_IOC_DETACH_DOMAIN:
		return pt_ioc_detach_domain(pf, user);
	case PRI_TESTDEV_IOC_GET_GROUPS:
		return pt_ioc_get_groups(pf, user);
	case PRI_TESTDEV_IOC_GET_REQUESTS:
		return pt_ioc_get_requests(pf, user);
	case PRI_TESTDEV_IOC_RESPOND:
		return pt_ioc_respond(pf, user);
	case PRI_TESTDEV_IOC_RESPOND_ALL:
		return pt_ioc_respond_all(pf, user);
	case PRI_TESTDEV_IOC_HOLD:
		return pt_ioc_hold(pf, user);
	case PRI_TESTDEV_IOC_MAP:
		return pt_ioc_map(pf, user);
	case PRI_TESTDEV_IOC_UNMAP:
		return pt_ioc_unmap(pf, user);
	case PRI_TESTDEV_IOC_DMA_MAP:
		return pt_ioc_dma_map(pf, user);
	case PRI_TESTDEV_IOC_DMA_UNMAP:
		return pt_ioc_dma_unmap(pf, user);
	case PRI_TESTDEV_IOC_RESET:
		return pt_ioc_reset(pf, user);
	default:
		return -ENOTTY;
	}
}

static u64 pt_take_events(struct pt_file *pf)
{
	u64 events;

	spin_lock_irq(&pf->pd->irq_lock);
	events = pf->events;
	pf->events = 0;
	spin_unlock_irq(&pf->pd->irq_lock);
	return events;
}

static ssize_t pt_read(struct file *filp, char __user *buf, size_t count,
		       loff_t *ppos)
{
	struct pt_file *pf = filp->private_data;
	struct pt_dev *pd = pf->pd;
	u64 events;
	int ret;

	if (count < sizeof(events))
		return -EINVAL;

	events = pt_take_events(pf);
	if (!events && READ_ONCE(pd->state) != PT_GONE) {
		if (filp->f_flags & O_NONBLOCK)
			return -EAGAIN;
		ret = wait_event_interruptible(pf->wait,
					       (events = pt_take_events(pf)) ||
					       READ_ONCE(pd->state) == PT_GONE);
		if (ret)
			return ret;
	}
	if (!events)
		return -ENODEV;
	return copy_to_user(buf, &events, sizeof(events)) ? -EFAULT :
	       sizeof(events);
}

static __poll_t pt_poll(struct file *filp, poll_table *wait)
{
	struct pt_file *pf = filp->private_data;
	struct pt_dev *pd = pf->pd;
	__poll_t mask = 0;

	poll_wait(filp, &pf->wait, wait);

	spin_lock_irq(&pd->irq_lock);
	if (pf->events)
		mask |= EPOLLIN | EPOLLRDNORM;
	spin_unlock_irq(&pd->irq_lock);
	spin_lock(&pd->group_lock);
	if (pf->news)
		mask |= EPOLLRDBAND;
	spin_unlock(&pd->group_lock);
	if (READ_ONCE(pd->resets) != READ_ONCE(pf->resets_seen))
		mask |= EPOLLPRI;
	if (READ_ONCE(pd->state) == PT_GONE)
		mask |= EPOLLHUP;
	return mask;
}

const struct file_operations pt_fops = {
	.owner = THIS_MODULE,
	.open = pt_open,
	.release = pt_release,
	.read = pt_read,
	.poll = pt_poll,
	.unlocked_ioctl = pt_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = pt_mmap,
};
