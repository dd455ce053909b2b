// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the kernel keeps of each function: a leak shows here
 *
 *   /sys/kernel/debug/pri_testdev/kept
 *
 * A line for each function that is there, whoever its driver is:
 *
 *   <function> users=N groups=N partial=N held=N handles=N attached=N refs=N
 *
 *   users     references to its I/O page fault data (iommu_fault_param): one of
 *             the IOMMU driver and one of each group; 0: there is none
 *   groups    page request groups without an answer
 *   partial   requests of groups whose last request has not come
 *   held      of the groups, those that files of this driver hold
 *   handles   PASIDs and the RID, if they have an attach handle
 *   attached  address spaces and page tables that files of this driver have there
 *   refs      references to the device
 *
 * held and attached are - with another driver, or none; users to handles are - on
 * kernels that cannot tell.  The last line is `removed=N`: functions that have
 * been removed from the bus, and are not released yet.
 *
 * This driver keeps page tables that were detached, too (PT_DETACHED).  Those of
 * functions without an open file are freed when anything is written to the file:
 * no group for them may be on its way.
 */
#include <linux/pci.h>
#include <linux/seq_file.h>

#include "internal.h"

#define PT_KEPT_PASIDS	64	/* that are looked at, from the first one on */

/* -- The IOMMU core's ------------------------------------------------------- */

#ifdef COMPAT_FAULT_PARAM
static void pt_kept_faults(struct seq_file *m, struct device *dev)
{
	struct iommu_fault_param *param = NULL;
	size_t groups = 0, partial = 0;
	unsigned int users = 0;

	rcu_read_lock();
	if (dev->iommu)
		param = rcu_dereference(dev->iommu->fault_param);
	if (param && !refcount_inc_not_zero(&param->users))
		param = NULL;
	rcu_read_unlock();

	if (param) {
		mutex_lock(&param->lock);
		groups = list_count_nodes(&param->faults);
		partial = list_count_nodes(&param->partial);
		users = refcount_read(&param->users) - 1;
		mutex_unlock(&param->lock);
		if (refcount_dec_and_test(&param->users))
			kfree_rcu(param, rcu);
	}
	seq_printf(m, " users=%u groups=%zu partial=%zu", users, groups, partial);
}
#else
static void pt_kept_faults(struct seq_file *m, struct device *dev)
{
	seq_puts(m, " users=- groups=- partial=-");
}
#endif

#ifdef COMPAT_ATTACH_HANDLES
static void pt_kept_handles(struct seq_file *m, struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);
	unsigned int handles = 0;
	ioasid_t pasid;

	for (pasid = IOMMU_NO_PASID; group && pasid < PT_KEPT_PASIDS; pasid++)
		handles += !IS_ERR(iommu_attach_handle_get(group, pasid, 0));
	if (group)
		iommu_group_put(group);
	seq_printf(m, " handles=%u", handles);
}
#else
static void pt_kept_handles(struct seq_file *m, struct device *dev)
{
	seq_puts(m, " handles=-");
}
#endif

/* -- This driver's ---------------------------------------------------------- */

/* Files of one address space have one handle; caller holds sem for writing */
static bool pt_sva_is_first(struct pt_dev *pd, struct pt_file *pf)
{
	struct pt_file *other;

	list_for_each_entry(other, &pd->files, link) {
		if (other == pf)
			return true;
		if (other->sva == pf->sva)
			return false;
	}
	return true;
}

static void pt_kept_files(struct seq_file *m, struct pt_dev *pd)
{
	unsigned int attached = 0, held = 0;
	struct pt_file *pf;

	down_write(&pd->sem);
	list_for_each_entry(pf, &pd->files, link) {
		attached += !!pf->dom;
		attached += pf->sva && pt_sva_is_first(pd, pf);
		held += READ_ONCE(pf->nr_groups);
	}
	up_write(&pd->sem);
	seq_printf(m, " held=%u attached=%u", held, attached);
}

/* -- All of it -------------------------------------------------------------- */

static atomic_t pt_removed;

static void pt_released(void *unused)
{
	atomic_dec(&pt_removed);
	module_put(THIS_MODULE);
}

/*
 * What is managed for a device that has been deleted is released with the
 * device itself.
 */
static int pt_removed_notify(struct notifier_block *nb, unsigned long event,
			     void *data)
{
	struct pci_dev *pdev = to_pci_dev(data);

	if (event != BUS_NOTIFY_REMOVED_DEVICE ||
	    !pci_match_id(pt_id_table, pdev))
		return NOTIFY_DONE;
	__module_get(THIS_MODULE);
	atomic_inc(&pt_removed);
	devm_add_action_or_reset(&pdev->dev, pt_released, NULL);
	return NOTIFY_OK;
}

static struct notifier_block pt_removed_nb = {
	.notifier_call = pt_removed_notify,
};

static void pt_kept_function(struct seq_file *m, struct pci_dev *pdev)
{
	struct pt_dev *pd;

	seq_printf(m, "%s", pci_name(pdev));
	pt_kept_faults(m, &pdev->dev);
	pt_kept_handles(m, &pdev->dev);
	device_lock(&pdev->dev);	/* the driver stays */
	pd = pt_driver_dev(pdev);
	if (pd)
		pt_kept_files(m, pd);
	else
		seq_puts(m, " held=- attached=-");
	device_unlock(&pdev->dev);
	/* but for that of who looks */
	seq_printf(m, " refs=%u\n", kref_read(&pdev->dev.kobj.kref) - 1);
}

static void pt_kept_forget(struct pci_dev *pdev)
{
	struct pt_dev *pd;

	device_lock(&pdev->dev);
	pd = pt_driver_dev(pdev);
	if (pd) {
		down_write(&pd->sem);
		if (list_empty(&pd->files))
			pt_domain_free_detached(pd);
		up_write(&pd->sem);
	}
	device_unlock(&pdev->dev);
}

/* Each function is told to m; without m the driver forgets */
static void pt_kept_each(struct seq_file *m)
{
	struct pci_dev *pdev = NULL;

	pci_lock_rescan_remove();	/* functions stay where they are */
	while ((pdev = pci_get_device(PRI_TESTDEV_VENDOR_ID, PCI_ANY_ID,
				      pdev))) {
		if (!pci_match_id(pt_id_table, pdev))
			continue;
		if (m)
			pt_kept_function(m, pdev);
		else
			pt_kept_forget(pdev);
	}
	pci_unlock_rescan_remove();
}

static int pt_kept_show(struct seq_file *m, void *unused)
{
	pt_kept_each(m);
	seq_printf(m, "removed=%d\n", atomic_read(&pt_removed));
	return 0;
}

static int pt_kept_open(struct inode *inode, struct file *filp)
{
	return single_open(filp, pt_kept_show, NULL);
}

static ssize_t pt_kept_write(struct file *filp, const char __user *buf,
			     size_t count, loff_t *pos)
{
	pt_kept_each(NULL);
	return count;
}

static const struct file_operations pt_kept_fops = {
	.owner = THIS_MODULE,
	.open = pt_kept_open,
	.read = seq_read,
	.write = pt_kept_write,
	.llseek = seq_lseek,
	.release = single_release,
};

const struct file_operations *pt_kept_init(void)
{
	bus_register_notifier(&pci_bus_type, &pt_removed_nb);
	return &pt_kept_fops;
}

void pt_kept_exit(void)
{
	bus_unregister_notifier(&pci_bus_type, &pt_removed_nb);
}
