// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The function: probe, interrupts, reset, removal
 *
 * PASID, ATS and PRI are switched on by the IOMMU driver, never here.
 */
#include <linux/interrupt.h>
#include <linux/module.h>

#include "internal.h"

static bool keep_bindings;
module_param(keep_bindings, bool, 0644);
MODULE_PARM_DESC(keep_bindings,
		 "leave bindings to the IOMMU core across a reset (default: N)");

static irqreturn_t pt_function_irq(int irq, void *data)
{
	struct pt_dev *pd = data;

	atomic_inc(&pd->function_irqs);
	return IRQ_HANDLED;
}

/*
 * An operation of a channel ended.  PT_CH_IRQ_STATUS is left to the owner, who
 * may have the page mapped.
 */
static irqreturn_t pt_channel_irq(int irq, void *data)
{
	struct pt_channel *ch = data;
	struct pt_dev *pd = ch->pd;
	unsigned long flags;

	spin_lock_irqsave(&pd->irq_lock, flags);
	if (ch->owner) {
		ch->owner->events |= BIT_ULL(ch->index);
		wake_up_all(&ch->owner->wait);
		if (ch->eventfd)
			compat_eventfd_signal(ch->eventfd);
	}
	spin_unlock_irqrestore(&pd->irq_lock, flags);
	return IRQ_HANDLED;
}

static void pt_free_irqs(struct pt_dev *pd, unsigned int channels)
{
	while (channels--)
		pci_free_irq(pd->pdev, PRI_TESTDEV_VECTOR_CHANNEL(channels),
			     &pd->channels[channels]);
	pci_free_irq(pd->pdev, PRI_TESTDEV_VECTOR_FUNCTION, pd);
	pci_free_irq_vectors(pd->pdev);
}

static int pt_request_irqs(struct pt_dev *pd)
{
	int want = PRI_TESTDEV_VECTOR_CHANNEL(pd->nr_channels);
	unsigned int i;
	int ret;

	ret = pci_alloc_irq_vectors(pd->pdev, want, want, PCI_IRQ_MSIX);
	if (ret < 0)
		return dev_err_probe(&pd->pdev->dev, ret,
				     "no %d MSI-X vectors\n", want);

	ret = pci_request_irq(pd->pdev, PRI_TESTDEV_VECTOR_FUNCTION,
			      pt_function_irq, NULL, pd, "%s", pd->name);
	if (ret) {
		pci_free_irq_vectors(pd->pdev);
		return ret;
	}
	for (i = 0; i < pd->nr_channels; i++) {
		ret = pci_request_irq(pd->pdev, PRI_TESTDEV_VECTOR_CHANNEL(i),
				      pt_channel_irq, NULL, &pd->channels[i],
				      "%s-%u", pd->name, i);
		if (ret) {
			pt_free_irqs(pd, i);
			return ret;
		}
	}
	return 0;
}

/* Is the thing behind BAR0 what the register header describes? */
static int pt_identify(struct pt_dev *pd)
{
	u32 id = readl(pd->regs + PT_ID);
	u32 version = readl(pd->regs + PT_VERSION);
	u32 channels = readl(pd->regs + PT_CHANNELS);

	if (id != PT_ID_MAGIC || version != PT_VERSION_1 || !channels ||
	    channels > PRI_TESTDEV_MAX_CHANNELS ||
	    pci_resource_len(pd->pdev, 0) < PT_CHANNEL(channels)) {
		dev_err(&pd->pdev->dev,
			"id %#x, map version %u, %u channels: not usable\n",
			id, version, channels);
		return -ENODEV;
	}
	pd->nr_channels = channels;
	return 0;
}

static struct pt_dev *pt_dev_alloc(struct pci_dev *pdev)
{
	struct pt_dev *pd;
	unsigned int i;

	pd = pt_dev_new();
	if (IS_ERR(pd))
		return pd;

	init_rwsem(&pd->sem);
	init_rwsem(&pd->map_sem);
	spin_lock_init(&pd->irq_lock);
	INIT_LIST_HEAD(&pd->files);
	mutex_init(&pd->log_lock);
	spin_lock_init(&pd->group_lock);
	INIT_LIST_HEAD(&pd->detached);
	pd->pdev = pdev;
	snprintf(pd->name, sizeof(pd->name), PRI_TESTDEV_NODE "%d", pd->id);
	strscpy(pd->pci_name, pci_name(pdev), sizeof(pd->pci_name));
	for (i = 0; i < PRI_TESTDEV_MAX_CHANNELS; i++) {
		pd->channels[i].pd = pd;
		pd->channels[i].index = i;
	}
	pd->misc.minor = MISC_DYNAMIC_MINOR;
	pd->misc.name = pd->name;
	pd->misc.fops = &pt_fops;
	pd->misc.parent = &pdev->dev;
	pd->misc.mode = 0600;
	return pd;
}

static int pt_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct pt_dev *pd;
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	ret = pci_request_regions(pdev, KBUILD_MODNAME);
	if (ret)
		return ret;

	pd = pt_dev_alloc(pdev);
	if (IS_ERR(pd)) {
		ret = PTR_ERR(pd);
		goto err_regions;
	}
	pd->regs_phys = pci_resource_start(pdev, 0);
	pd->regs = pcim_iomap(pdev, 0, 0);
	if (!pd->regs) {
		ret = -ENOMEM;
		goto err_put;
	}
	ret = pt_identify(pd);
	if (ret)
		goto err_put;

	pci_set_drvdata(pdev, pd);
	pci_set_master(pdev);
	dma_set_max_seg_size(&pdev->dev, PT_MAP_MAX_LEN);
	ret = pt_request_irqs(pd);
	if (ret)
		goto err_master;

	compat_sva_enable(&pdev->dev);
	ret = misc_register(&pd->misc);
	if (ret)
		goto err_irqs;

	pci_save_state(pdev);		/* for pt_slot_reset() */
	pt_show_add(pd);
	dev_info(&pdev->dev, "%s: %u channels\n", pd->name, pd->nr_channels);
	return 0;

err_irqs:
	compat_sva_disable(&pdev->dev);
	pt_free_irqs(pd, pd->nr_channels);
err_master:
	pci_clear_master(pdev);
err_put:
	pt_dev_put(pd);
err_regions:
	pci_release_regions(pdev);
	return ret;
}

/* Caller holds sem for writing */
static void pt_set_state(struct pt_dev *pd, enum pt_state state)
{
	lockdep_assert_held_write(&pd->sem);

	down_write(&pd->map_sem);
	WRITE_ONCE(pd->state, state);
	up_write(&pd->map_sem);
}

/* The function leaves the hands of everybody; caller holds sem for writing */
static void pt_withdraw(struct pt_dev *pd, enum pt_state state, bool unbind)
{
	struct pt_file *pf;

	pt_set_state(pd, state);
	list_for_each_entry(pf, &pd->files, link)
		pt_file_withdraw(pf, unbind);
}

static void pt_remove(struct pci_dev *pdev)
{
	struct pt_dev *pd = pci_get_drvdata(pdev);

	misc_deregister(&pd->misc);	/* no new files from here */
	pt_show_remove(pd);

	down_write(&pd->sem);
	pt_withdraw(pd, PT_GONE, true);
	pt_domain_free_detached(pd);
	up_write(&pd->sem);

	compat_sva_disable(&pdev->dev);
	pt_free_irqs(pd, pd->nr_channels);
	pci_clear_master(pdev);
	pci_release_regions(pdev);
	pt_dev_put(pd);
}

/*
 * The PCI core is about to reset the function: stop it, take its pages out of
 * user space, give the bindings back while it still answers invalidations.
 */
static void pt_reset_prepare(struct pci_dev *pdev)
{
	struct pt_dev *pd = pci_get_drvdata(pdev);

	down_write(&pd->sem);
	if (pd->state == PT_LIVE)
		pt_withdraw(pd, PT_RESETTING, !keep_bindings);
	up_write(&pd->sem);
}

static void pt_reset_done(struct pci_dev *pdev)
{
	struct pt_dev *pd = pci_get_drvdata(pdev);
	struct pt_file *pf;
	unsigned int i;

	down_write(&pd->sem);
	if (pd->state == PT_RESETTING) {
		if (readl(pd->regs + PT_ID) == PT_ID_MAGIC) {
			spin_lock_irq(&pd->irq_lock);
			for (i = 0; i < pd->nr_channels; i++)
				pd->channels[i].stuck = false;
			spin_unlock_irq(&pd->irq_lock);
			WRITE_ONCE(pd->resets, pd->resets + 1);
			pt_set_state(pd, PT_LIVE);
			list_for_each_entry(pf, &pd->files, link)
				pt_file_resume(pf);
		} else {
			dev_err(&pdev->dev, "does not answer after reset\n");
			pt_withdraw(pd, PT_GONE, true);
		}
		list_for_each_entry(pf, &pd->files, link)
			wake_up_all(&pf->wait);
	}
	up_write(&pd->sem);
}

/*
 * The machine goes to sleep: as before a reset, but the bindings stay, as they
 * do in the IOMMU.  The PCI core saves and restores the function's capabilities.
 */
static int pt_suspend(struct device *dev)
{
	struct pt_dev *pd = dev_get_drvdata(dev);

	down_write(&pd->sem);
	if (pd->state == PT_LIVE)
		pt_withdraw(pd, PT_RESETTING, false);
	up_write(&pd->sem);
	return 0;
}

static int pt_resume(struct device *dev)
{
	pt_reset_done(to_pci_dev(dev));
	return 0;
}

static DEFINE_SIMPLE_DEV_PM_OPS(pt_pm_ops, pt_suspend, pt_resume);

/*
 * An error was reported, or contained by the port above.  Frozen: the function
 * does not answer until slot_reset.
 */
static pci_ers_result_t pt_error_detected(struct pci_dev *pdev,
					  pci_channel_state_t state)
{
	struct pt_dev *pd = pci_get_drvdata(pdev);

	if (state == pci_channel_io_normal)
		return PCI_ERS_RESULT_CAN_RECOVER;
	if (state == pci_channel_io_frozen) {
		pt_reset_prepare(pdev);
		return PCI_ERS_RESULT_NEED_RESET;
	}
	down_write(&pd->sem);
	pt_withdraw(pd, PT_GONE, true);
	up_write(&pd->sem);
	return PCI_ERS_RESULT_DISCONNECT;
}

static pci_ers_result_t pt_slot_reset(struct pci_dev *pdev)
{
	struct pt_dev *pd = pci_get_drvdata(pdev);

	pci_restore_state(pdev);
	pci_save_state(pdev);
	return readl(pd->regs + PT_ID) == PT_ID_MAGIC ?
	       PCI_ERS_RESULT_RECOVERED : PCI_ERS_RESULT_DISCONNECT;
}

static const struct pci_error_handlers pt_err_handlers = {
	.error_detected = pt_error_detected,
	.slot_reset = pt_slot_reset,
	.resume = pt_reset_done,
	.reset_prepare = pt_reset_prepare,
	.reset_done = pt_reset_done,
};

const struct pci_device_id pt_id_table[] = {
	{ PCI_DEVICE(PRI_TESTDEV_VENDOR_ID, PRI_TESTDEV_DEVICE_ID) },
	{ PCI_DEVICE(PRI_TESTDEV_VENDOR_ID, PRI_TESTDEV_VF_DEVICE_ID) },
	{ }
};
MODULE_DEVICE_TABLE(pci, pt_id_table);

static struct pci_driver pt_driver = {
	.name = KBUILD_MODNAME,
	.id_table = pt_id_table,
	.probe = pt_probe,
	.remove = pt_remove,
	.sriov_configure = pci_sriov_configure_simple,
	.err_handler = &pt_err_handlers,
	.dev_groups = pt_groups,
	.driver.pm = pm_sleep_ptr(&pt_pm_ops),
};

/* NULL: it has another driver, or none; caller holds the device's lock */
struct pt_dev *pt_driver_dev(struct pci_dev *pdev)
{
	if (pdev->dev.driver != &pt_driver.driver)
		return NULL;
	return pci_get_drvdata(pdev);
}

static int __init pt_init(void)
{
	int ret;

	pt_show_init();
	ret = pci_register_driver(&pt_driver);
	if (ret)
		pt_show_exit();
	return ret;
}
module_init(pt_init);

static void __exit pt_exit(void)
{
	pci_unregister_driver(&pt_driver);
	pt_show_exit();
}
module_exit(pt_exit);

MODULE_DESCRIPTION("Driver for the ATS/PRI/PASID test endpoint pri-testdev");
MODULE_LICENSE("GPL");
COMPAT_IMPORT_NS
