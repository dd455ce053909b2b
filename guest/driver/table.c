// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a paging domain maps
 */
#include <linux/mman.h>
#include <linux/scatterlist.h>

#include "internal.h"

#ifndef COMPAT_OWN_MM

int pt_table_map(struct pt_file *pf, u64 iova, size_t len, u32 prot,
		 struct sg_table *sgt)
{
	struct iommu_domain *domain = pf->dom->domain;
	int iommu_prot = IOMMU_CACHE;
	ssize_t done;

	if (prot & PRI_TESTDEV_READ)
		iommu_prot |= IOMMU_READ;
	if (prot & PRI_TESTDEV_WRITE)
		iommu_prot |= IOMMU_WRITE;
	done = iommu_map_sgtable(domain, iova, sgt, iommu_prot);
	if (done == len)
		return 0;
	if (done > 0)
		iommu_unmap(domain, iova, done);
	return done < 0 ? done : -ENOMEM;
}

void pt_table_unmap(struct pt_file *pf, struct pt_domain *dom, u64 iova,
		    size_t len)
{
	WARN_ON(iommu_unmap(dom->domain, iova, len) != len);
}

int pt_table_mmap(struct pt_file *pf, struct vm_area_struct *vma)
{
	return -EACCES;
}

#else

/*
 * In 6.1 it is the page table of the caller (fault.c).  What is mapped is
 * mapped in the caller's address space too, at that address: pages of the
 * file, by an offset that tells where.
 */
#define PT_TABLE_OFFSET		BIT_ULL(52)

/* The CPU touches what is not mapped (any more) */
static vm_fault_t pt_table_fault(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

static const struct vm_operations_struct pt_table_vm_ops = {
	.fault = pt_table_fault,
};

/* Only out of pt_table_map(), not by the program's own mmap() */
int pt_table_mmap(struct pt_file *pf, struct vm_area_struct *vma)
{
	if (READ_ONCE(pf->mapper) != current)
		return -EACCES;
	compat_vm_flags(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP |
			VM_DONTCOPY, 0);
	vma->vm_ops = &pt_table_vm_ops;
	return 0;
}

static int pt_table_reserve(struct pt_file *pf, u64 iova, size_t len, u32 prot)
{
	unsigned long vm_prot = PROT_READ, addr;

	if (prot & PRI_TESTDEV_WRITE)
		vm_prot |= PROT_WRITE;
	WRITE_ONCE(pf->mapper, current);
	addr = vm_mmap(pf->filp, iova, len, vm_prot,
		       MAP_SHARED | MAP_FIXED_NOREPLACE,
		       PT_TABLE_OFFSET + iova);
	WRITE_ONCE(pf->mapper, NULL);
	return IS_ERR_VALUE(addr) ? (long)addr : 0;
}

/*
 * Take away what this file has mapped there, but nothing that the program has
 * put in its place.  What another process has emptied is still there, too.
 */
static void pt_table_clear(struct file *filp, struct mm_struct *mm, u64 iova,
			   size_t len)
{
	struct vm_area_struct *vma;
	bool ours;

	mmap_read_lock(mm);
	vma = find_vma(mm, iova);
	ours = vma && vma->vm_ops == &pt_table_vm_ops &&
	       vma->vm_file == filp && vma->vm_start <= iova &&
	       iova + len <= vma->vm_end;
	mmap_read_unlock(mm);
	if (ours)
		vm_munmap(iova, len);
}

static int pt_table_fill(struct mm_struct *mm, u64 iova, struct sg_table *sgt)
{
	struct sg_page_iter iter;
	struct vm_area_struct *vma;
	vm_fault_t ret = VM_FAULT_SIGBUS;

	mmap_read_lock(mm);
	vma = find_vma(mm, iova);
	if (vma && vma->vm_ops == &pt_table_vm_ops) {
		for_each_sgtable_page(sgt, &iter, 0) {
			ret = vmf_insert_pfn(vma, iova,
					     page_to_pfn(sg_page_iter_page(&iter)));
			if (ret != VM_FAULT_NOPAGE)
				break;
			iova += PAGE_SIZE;
		}
	}
	mmap_read_unlock(mm);
	return ret == VM_FAULT_NOPAGE ? 0 : -ENOMEM;
}

int pt_table_map(struct pt_file *pf, u64 iova, size_t len, u32 prot,
		 struct sg_table *sgt)
{
	struct mm_struct *mm = current->mm;
	int ret;

	if (mm != pf->dom->mm || iova >= TASK_SIZE)
		return -EINVAL;
	pt_table_clear(pf->filp, mm, iova, len);
	ret = pt_table_reserve(pf, iova, len, prot);
	if (ret)
		return ret;
	ret = pt_table_fill(mm, iova, sgt);
	if (ret)
		vm_munmap(iova, len);
	return ret;
}

void pt_table_unmap(struct pt_file *pf, struct pt_domain *dom, u64 iova,
		    size_t len)
{
	unmap_mapping_range(pf->filp->f_mapping, PT_TABLE_OFFSET + iova, len,
			    1);
	if (current->mm == dom->mm)
		pt_table_clear(pf->filp, current->mm, iova, len);
}

#endif
