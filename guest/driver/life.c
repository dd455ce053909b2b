// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A device's life: who keeps it, whether it can be used, and how its channels
 * are stopped
 *
 * Every file of the driver calls these, so nothing here calls one of them.
 */
#include <linux/idr.h>
#include <linux/iopoll.h>
#include <linux/slab.h>

#include "internal.h"

#define PT_ABORT_TIMEOUT_US	(2 * USEC_PER_SEC)

static DEFINE_IDA(pt_ids);

/* A device with a number of its own and one reference, or an ERR_PTR() */
struct pt_dev *pt_dev_new(void)
{
	struct pt_dev *pd;
	int id;

	pd = kzalloc(sizeof(*pd), GFP_KERNEL);
	if (!pd)
		return ERR_PTR(-ENOMEM);
	id = ida_alloc(&pt_ids, GFP_KERNEL);
	if (id < 0) {
		kfree(pd);
		return ERR_PTR(id);
	}
	pd->id = id;
	kref_init(&pd->ref);
	return pd;
}

static void pt_dev_free(struct kref *ref)
{
	struct pt_dev *pd = container_of(ref, struct pt_dev, ref);

	ida_free(&pt_ids, pd->id);
	kfree(pd);
}

void pt_dev_get(struct pt_dev *pd)
{
	kref_get(&pd->ref);
}

void pt_dev_put(struct pt_dev *pd)
{
	kref_put(&pd->ref, pt_dev_free);
}

/* The function is there and can be used; caller holds sem */
int pt_usable(struct pt_dev *pd)
{
	lockdep_assert_held(&pd->sem);

	switch (pd->state) {
	case PT_LIVE:
		return 0;
	case PT_RESETTING:
		return -EAGAIN;
	default:
		return -ENODEV;
	}
}

/*
 * Bits of the channels that a file owns.  The set can only grow while the file
 * is open.
 */
u64 pt_owned(struct pt_file *pf)
{
	struct pt_dev *pd = pf->pd;
	u64 owned = 0;
	unsigned int i;

	spin_lock_irq(&pd->irq_lock);
	for (i = 0; i < pd->nr_channels; i++) {
		if (pd->channels[i].owner == pf)
			owned |= BIT_ULL(i);
	}
	spin_unlock_irq(&pd->irq_lock);
	return owned;
}

/*
 * Abort what the channels of a file are doing and wait until they stopped.
 * All ones are what a function that has left reads as: stopped as well.
 */
void pt_stop_channels(struct pt_file *pf)
{
	struct pt_dev *pd = pf->pd;
	u64 owned = pt_owned(pf);
	unsigned int i;
	u32 status;

	for (i = 0; i < pd->nr_channels; i++) {
		if (owned & BIT_ULL(i))
			writel(PT_OP_ABORT,
			       pt_channel_regs(&pd->channels[i]) + PT_CH_CMD);
	}
	for (i = 0; i < pd->nr_channels; i++) {
		struct pt_channel *ch = &pd->channels[i];

		if (!(owned & BIT_ULL(i)))
			continue;
		if (!readl_poll_timeout(pt_channel_regs(ch) + PT_CH_STATUS,
					status, status != PT_ST_RUNNING, 100,
					PT_ABORT_TIMEOUT_US))
			continue;
		dev_err(&pd->pdev->dev, "channel %u does not stop\n", i);
		spin_lock_irq(&pd->irq_lock);
		ch->stuck = true;
		spin_unlock_irq(&pd->irq_lock);
	}
}
