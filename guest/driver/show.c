// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The function in sysfs and debugfs
 *
 *   /sys/bus/pci/devices/<function>/
 *     counters/<name>       those of the device (PT_COUNTERS), one a file
 *     pri_testdev/<name>    those of the driver
 *   /sys/kernel/debug/pri_testdev/<function>/
 *     log                   event log of the device, oldest entry first
 *     files                 open files and what they have
 *     groups                page request groups that are held
 *   /sys/kernel/debug/pri_testdev/kept    what the kernel keeps (kept.c)
 */
#include <linux/ctype.h>
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "internal.h"

/* -- sysfs ------------------------------------------------------------------ */

struct pt_counter {
	struct device_attribute attr;
	u32 offset;
	char name[24];
};

#define PT_COUNTER_ENTRY(NAME, at, part, field, text) \
	{ .offset = at, .name = #NAME },
static struct pt_counter pt_counters[] = { PT_COUNTERS(PT_COUNTER_ENTRY) };
static struct attribute *pt_counter_attrs[ARRAY_SIZE(pt_counters) + 1];

static ssize_t pt_counter_show(struct device *dev,
			       struct device_attribute *attr, char *buf)
{
	struct pt_counter *cnt = container_of(attr, struct pt_counter, attr);
	struct pt_dev *pd = dev_get_drvdata(dev);
	ssize_t ret;

	down_read(&pd->sem);
	ret = pt_usable(pd);
	if (!ret)
		ret = sysfs_emit(buf, "%llu\n",
				 (u64)readq(pd->regs + cnt->offset));
	up_read(&pd->sem);
	return ret;
}

static const char *const pt_state_names[] = {
	[PT_LIVE] = "live",
	[PT_RESETTING] = "resetting",
	[PT_GONE] = "gone",
};

static ssize_t state_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	struct pt_dev *pd = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%s\n", pt_state_names[READ_ONCE(pd->state)]);
}
static DEVICE_ATTR_RO(state);

static ssize_t resets_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	struct pt_dev *pd = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%u\n", READ_ONCE(pd->resets));
}
static DEVICE_ATTR_RO(resets);

static ssize_t function_irqs_show(struct device *dev,
				  struct device_attribute *attr, char *buf)
{
	struct pt_dev *pd = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%u\n", atomic_read(&pd->function_irqs));
}
static DEVICE_ATTR_RO(function_irqs);

/* What the open files have together */
struct pt_totals {
	unsigned int files;
	unsigned int held;
	u64 late;
};

static struct pt_totals pt_totals(struct device *dev)
{
	struct pt_dev *pd = dev_get_drvdata(dev);
	struct pt_totals sum = {};
	struct pt_file *pf;

	spin_lock(&pd->group_lock);
	list_for_each_entry(pf, &pd->files, link) {
		sum.files++;
		sum.held += pf->nr_groups;
	}
	sum.late = pd->late;
	spin_unlock(&pd->group_lock);
	return sum;
}

static ssize_t files_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%u\n", pt_totals(dev).files);
}
static DEVICE_ATTR_RO(files);

static ssize_t groups_held_show(struct device *dev,
				struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", pt_totals(dev).held);
}
static DEVICE_ATTR_RO(groups_held);

static ssize_t groups_late_show(struct device *dev,
				struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", pt_totals(dev).late);
}
static DEVICE_ATTR_RO(groups_late);

static struct attribute *pt_driver_attrs[] = {
	&dev_attr_state.attr,
	&dev_attr_resets.attr,
	&dev_attr_function_irqs.attr,
	&dev_attr_files.attr,
	&dev_attr_groups_held.attr,
	&dev_attr_groups_late.attr,
	NULL
};

static const struct attribute_group pt_counter_group = {
	.name = "counters",
	.attrs = pt_counter_attrs,
};

static const struct attribute_group pt_driver_group = {
	.name = KBUILD_MODNAME,
	.attrs = pt_driver_attrs,
};

const struct attribute_group *pt_groups[] = {
	&pt_counter_group,
	&pt_driver_group,
	NULL
};

static void pt_counters_init(void)
{
	unsigned int i;
	char *c;

	for (i = 0; i < ARRAY_SIZE(pt_counters); i++) {
		struct pt_counter *cnt = &pt_counters[i];

		for (c = cnt->name; *c; c++)
			*c = tolower(*c);
		cnt->attr.attr.name = cnt->name;
		cnt->attr.attr.mode = 0444;
		cnt->attr.show = pt_counter_show;
		pt_counter_attrs[i] = &cnt->attr.attr;
	}
}

/* -- debugfs ---------------------------------------------------------------- */

static struct dentry *pt_debugfs;

static const char *pt_log_name(u32 kind)
{
	switch (kind) {
#define PT_LOG_CASE(NAME, number, name, text) case number: return name;
	PT_LOG_KINDS(PT_LOG_CASE)
#undef PT_LOG_CASE
	default:
		return "unknown";
	}
}

static void pt_log_entry(struct seq_file *m, void __iomem *regs, u32 n)
{
	u32 kind, pasid;

	writel(n, regs + PT_LOG_SELECT);
	kind = readl(regs + PT_LOG_KIND);
	pasid = readl(regs + PT_LOG_PASID);
	if (!kind)
		return;		/* overwritten meanwhile */
	seq_printf(m, "%u %llu %s", n, (u64)readq(regs + PT_LOG_TIME),
		   pt_log_name(kind));
	if (pasid & PT_LOG_PASID_PRESENT)
		seq_printf(m, " pasid=0x%x", pasid & ~PT_LOG_PASID_PRESENT);
	seq_printf(m, " tag=%u addr=0x%llx code=0x%x\n",
		   readl(regs + PT_LOG_TAG), (u64)readq(regs + PT_LOG_ADDR),
		   readl(regs + PT_LOG_CODE));
}

/*
 * The device has one register to select entries with.  What a program has
 * selected in its mapping is put back, but a program that reads the log at the
 * same time can be disturbed.
 */
static int log_show(struct seq_file *m, void *unused)
{
	struct pt_dev *pd = m->private;
	u32 n, count, selected;

	down_read(&pd->sem);
	if (pd->state == PT_LIVE) {
		mutex_lock(&pd->log_lock);
		selected = readl(pd->regs + PT_LOG_SELECT);
		count = readl(pd->regs + PT_LOG_COUNT);
		for (n = count - min_t(u32, count, PT_LOG_SIZE); n != count;
		     n++)
			pt_log_entry(m, pd->regs, n);
		writel(selected, pd->regs + PT_LOG_SELECT);
		mutex_unlock(&pd->log_lock);
	}
	up_read(&pd->sem);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(log);

static int files_dump_show(struct seq_file *m, void *unused)
{
	struct pt_dev *pd = m->private;
	struct pt_file *pf;

	spin_lock(&pd->group_lock);
	list_for_each_entry(pf, &pd->files, link) {
		seq_printf(m, "pid=%d groups=%llu held=%u hold=%#x channels=%#llx\n",
			   pf->pid, pf->seen, pf->nr_groups, pf->hold,
			   pt_owned(pf));
	}
	spin_unlock(&pd->group_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(files_dump);

static int groups_dump_show(struct seq_file *m, void *unused)
{
	struct pt_dev *pd = m->private;
	struct pt_group *grp;
	struct pt_file *pf;
	u32 i;

	spin_lock(&pd->group_lock);
	list_for_each_entry(pf, &pd->files, link) {
		list_for_each_entry(grp, &pf->groups, link) {
			seq_printf(m, "pid=%d id=%llu prgi=%u", pf->pid,
				   grp->id, grp->prgi);
			if (grp->flags & PRI_TESTDEV_REQ_PASID)
				seq_printf(m, " pasid=%#x", grp->pasid);
			for (i = 0; i < grp->nr; i++)
				seq_printf(m, " addr=0x%llx/%#x",
					   grp->requests[i].addr,
					   grp->requests[i].perm);
			seq_putc(m, '\n');
		}
	}
	spin_unlock(&pd->group_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(groups_dump);

void pt_show_add(struct pt_dev *pd)
{
	pd->debugfs = debugfs_create_dir(pd->pci_name, pt_debugfs);
	debugfs_create_file("log", 0400, pd->debugfs, pd, &log_fops);
	debugfs_create_file("files", 0400, pd->debugfs, pd, &files_dump_fops);
	debugfs_create_file("groups", 0400, pd->debugfs, pd,
			    &groups_dump_fops);
}

/* Waits for readers: caller does not hold sem */
void pt_show_remove(struct pt_dev *pd)
{
	debugfs_remove_recursive(pd->debugfs);
}

void pt_show_init(void)
{
	pt_counters_init();
	pt_debugfs = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("kept", 0600, pt_debugfs, NULL, pt_kept_init());
}

void pt_show_exit(void)
{
	pt_kept_exit();
	debugfs_remove_recursive(pt_debugfs);
}
