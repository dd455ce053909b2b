// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Register pages in user space
 *
 * Pages are put in on first touch, so that a reset or a removal can take them
 * out (pt_zap) and decide what the next touch gives.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "internal.h"

static bool pt_may_map(struct pt_file *pf, unsigned long page)
{
	struct pt_dev *pd = pf->pd;
	bool mine;

	if (page == PRI_TESTDEV_FUNCTION_PAGE)
		return true;
	if (page >= pd->nr_channels)
		return false;

	spin_lock_irq(&pd->irq_lock);
	mine = pd->channels[page].owner == pf;
	spin_unlock_irq(&pd->irq_lock);
	return mine;
}

static vm_fault_t pt_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct pt_file *pf = vma->vm_file->private_data;
	struct pt_dev *pd = pf->pd;
	unsigned long pfn = PHYS_PFN(pd->regs_phys);
	vm_fault_t ret = VM_FAULT_SIGBUS;
	enum pt_state state;

	if (vma->vm_pgoff != PRI_TESTDEV_FUNCTION_PAGE)
		pfn += PT_CHANNEL(vma->vm_pgoff) >> PAGE_SHIFT;

	down_read(&pd->map_sem);
	state = pd->state;
	if (state == PT_LIVE)
		ret = vmf_insert_pfn(vma, vmf->address, pfn);
	up_read(&pd->map_sem);

	if (state == PT_RESETTING) {
		/*
		 * Nothing to map yet.  Let the access fault again: waiting for
		 * the end of the reset here would hold mmap_lock against the
		 * page faults of devices.
		 */
		schedule_timeout_killable(1);
		ret = VM_FAULT_NOPAGE;
	}
	return ret;
}

static const struct vm_operations_struct pt_vm_ops = {
	.fault = pt_fault,
};

int pt_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct pt_file *pf = filp->private_data;
	unsigned long clear = 0;

	BUILD_BUG_ON(PAGE_SIZE != PT_CHANNEL_SIZE);

	if (READ_ONCE(pf->pd->state) == PT_GONE)
		return -ENODEV;
	if (vma->vm_pgoff > PRI_TESTDEV_FUNCTION_PAGE)
		return pt_table_mmap(pf, vma);
	if (!(vma->vm_flags & VM_SHARED) ||
	    vma->vm_end - vma->vm_start != PAGE_SIZE)
		return -EINVAL;
	if (!pt_may_map(pf, vma->vm_pgoff))
		return -EACCES;

	/* Function registers act on the channels of everybody */
	if (vma->vm_pgoff == PRI_TESTDEV_FUNCTION_PAGE &&
	    !capable(CAP_SYS_RAWIO)) {
		if (vma->vm_flags & VM_WRITE)
			return -EPERM;
		clear = VM_MAYWRITE;
	}

	compat_vm_flags(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP |
			VM_DONTCOPY, clear);
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_ops = &pt_vm_ops;
	return 0;
}

/*
 * Take every register page out of user space.  The caller has changed the
 * state, so that none comes back.
 */
void pt_zap(struct pt_file *pf)
{
	unmap_mapping_range(pf->filp->f_mapping, 0,
			    (PRI_TESTDEV_FUNCTION_PAGE + 1) << PAGE_SHIFT, 1);
}
