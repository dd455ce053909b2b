// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory of programs that the function can reach
 *
 * The memory is pinned while it is mapped, and let go only when the mapping is
 * out of the page table, the IOTLB and the function's own cache.
 */
#include <linux/dma-mapping.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "internal.h"

struct pt_map {
	struct list_head link;		/* pt_file.maps */
	u64 iova;
	size_t len;
	bool write;
	bool dma;			/* by the DMA API, else pt_domain.domain */
	struct page **pages;
	struct sg_table sgt;
};

static void pt_map_free(struct pt_map *map)
{
	sg_free_table(&map->sgt);
	unpin_user_pages_dirty_lock(map->pages, map->len >> PAGE_SHIFT,
				    map->write);
	kvfree(map->pages);
	kfree(map);
}

/* Pin memory of the caller; no locks held: this can wait for page faults */
static struct pt_map *pt_map_pin(const struct pri_testdev_map *req)
{
	unsigned int flags = FOLL_LONGTERM;
	int nr = req->len >> PAGE_SHIFT;
	struct pt_map *map;
	int ret, got;

	map = kzalloc(sizeof(*map), GFP_KERNEL_ACCOUNT);
	if (!map)
		return ERR_PTR(-ENOMEM);
	map->iova = req->iova;
	map->len = req->len;
	map->write = req->prot & PRI_TESTDEV_WRITE;
	map->pages = kvmalloc_array(nr, sizeof(*map->pages),
				    GFP_KERNEL_ACCOUNT);
	if (!map->pages) {
		ret = -ENOMEM;
		goto err_map;
	}

	if (map->write)
		flags |= FOLL_WRITE;
	got = pin_user_pages_fast(req->addr, nr, flags, map->pages);
	if (got != nr) {
		ret = got < 0 ? got : -EFAULT;
		goto err_unpin;
	}
	ret = sg_alloc_table_from_pages(&map->sgt, map->pages, nr, 0, map->len,
					GFP_KERNEL_ACCOUNT);
	if (ret)
		goto err_unpin;
	return map;

err_unpin:
	if (got > 0)
		unpin_user_pages(map->pages, got);
	kvfree(map->pages);
err_map:
	kfree(map);
	return ERR_PTR(ret);
}

static bool pt_map_valid(const struct pri_testdev_map *req)
{
	return req->len && req->len <= PT_MAP_MAX_LEN && !req->reserved &&
	       req->prot && !(req->prot & ~(PRI_TESTDEV_READ |
					    PRI_TESTDEV_WRITE)) &&
	       PAGE_ALIGNED(req->iova | req->addr | req->len) &&
	       req->iova + req->len > req->iova;
}

static struct pt_map *pt_map_overlap(struct pt_file *pf, u64 iova, u64 len)
{
	struct pt_map *map;

	lockdep_assert_held(&pf->lock);

	list_for_each_entry(map, &pf->maps, link) {
		if (map->dma)
			continue;
		if (iova < map->iova + map->len && map->iova < iova + len)
			return map;
	}
	return NULL;
}

static int pt_map_install(struct pt_file *pf, struct pt_map *map, u32 prot)
{
	int ret;

	if (pt_map_overlap(pf, map->iova, map->len))
		return -EEXIST;
	ret = pt_table_map(pf, map->iova, map->len, prot, &map->sgt);
	if (!ret)
		list_add(&map->link, &pf->maps);
	return ret;
}

int pt_ioc_map(struct pt_file *pf, void __user *arg)
{
	struct pri_testdev_map req;
	struct pt_dev *pd = pf->pd;
	struct pt_map *map;
	int ret;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	if (!pt_map_valid(&req))
		return -EINVAL;
	map = pt_map_pin(&req);
	if (IS_ERR(map))
		return PTR_ERR(map);

	down_read(&pd->sem);
	mutex_lock(&pf->lock);
	ret = pt_usable(pd);
	if (!ret)
		ret = pf->dom ? pt_map_install(pf, map, req.prot) : -EINVAL;
	mutex_unlock(&pf->lock);
	up_read(&pd->sem);

	if (ret)
		pt_map_free(map);
	return ret;
}

static void pt_map_remove(struct pt_file *pf, struct pt_domain *dom,
			  struct pt_map *map)
{
	pt_table_unmap(pf, dom, map->iova, map->len);
	list_del(&map->link);
	pt_map_free(map);
}

int pt_ioc_unmap(struct pt_file *pf, void __user *arg)
{
	struct pri_testdev_map req;
	struct pt_dev *pd = pf->pd;
	struct pt_map *map;
	int ret;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;

	down_read(&pd->sem);
	mutex_lock(&pf->lock);
	ret = pt_usable(pd);
	if (!ret && !pf->dom)
		ret = -EINVAL;
	if (!ret) {
		map = pt_map_overlap(pf, req.iova, 1);
		if (map && map->iova == req.iova && map->len == req.len)
			pt_map_remove(pf, pf->dom, map);
		else
			ret = -ENOENT;
	}
	mutex_unlock(&pf->lock);
	up_read(&pd->sem);
	return ret;
}

/* Empty the page table, which is attached to nothing any more */
void pt_unmap_all(struct pt_file *pf, struct pt_domain *dom)
{
	struct pt_map *map, *next;

	lockdep_assert_held(&pf->lock);

	list_for_each_entry_safe(map, next, &pf->maps, link) {
		if (!map->dma)
			pt_map_remove(pf, dom, map);
	}
}

/* -- The DMA API ------------------------------------------------------------ */

static enum dma_data_direction pt_dma_dir(const struct pt_map *map)
{
	return map->write ? DMA_BIDIRECTIONAL : DMA_TO_DEVICE;
}

int pt_ioc_dma_map(struct pt_file *pf, void __user *arg)
{
	struct pri_testdev_map req;
	struct pt_dev *pd = pf->pd;
	struct pt_map *map;
	int ret;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	req.iova = 0;
	if (!pt_map_valid(&req))
		return -EINVAL;
	map = pt_map_pin(&req);
	if (IS_ERR(map))
		return PTR_ERR(map);
	map->dma = true;

	down_read(&pd->sem);
	mutex_lock(&pf->lock);
	ret = pt_usable(pd);
	if (!ret)
		ret = dma_map_sgtable(&pd->pdev->dev, &map->sgt,
				      pt_dma_dir(map), 0);
	if (!ret && map->sgt.nents != 1) {
		/* the IOMMU makes one range of it, if it translates */
		dma_unmap_sgtable(&pd->pdev->dev, &map->sgt, pt_dma_dir(map),
				  0);
		ret = -EIO;
	}
	if (!ret) {
		map->iova = sg_dma_address(map->sgt.sgl);
		req.iova = map->iova;
		list_add(&map->link, &pf->maps);
	}
	mutex_unlock(&pf->lock);
	up_read(&pd->sem);

	if (ret) {
		pt_map_free(map);
		return ret;
	}
	return copy_to_user(arg, &req, sizeof(req)) ? -EFAULT : 0;
}

static void pt_dma_remove(struct pt_dev *pd, struct pt_map *map)
{
	dma_unmap_sgtable(&pd->pdev->dev, &map->sgt, pt_dma_dir(map), 0);
	list_del(&map->link);
	pt_map_free(map);
}

/* Works during a reset: drivers do unmap then */
int pt_ioc_dma_unmap(struct pt_file *pf, void __user *arg)
{
	struct pri_testdev_map req;
	struct pt_dev *pd = pf->pd;
	struct pt_map *map;
	int ret = -ENOENT;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;

	down_read(&pd->sem);
	mutex_lock(&pf->lock);
	if (pd->state == PT_GONE)
		ret = -ENODEV;
	list_for_each_entry(map, &pf->maps, link) {
		if (map->dma && map->iova == req.iova && map->len == req.len) {
			pt_dma_remove(pd, map);
			ret = 0;
			break;
		}
	}
	mutex_unlock(&pf->lock);
	up_read(&pd->sem);
	return ret;
}

/* Before the function goes, or its file */
void pt_dma_unmap_all(struct pt_file *pf)
{
	struct pt_map *map, *next;

	lockdep_assert_held(&pf->lock);

	list_for_each_entry_safe(map, next, &pf->maps, link) {
		if (map->dma)
			pt_dma_remove(pf->pd, map);
	}
}
