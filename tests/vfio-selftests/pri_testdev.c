// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pri-testdev as a driver of the kernel's VFIO selftests
 * (tools/testing/selftests/vfio/lib/drivers)
 *
 * A channel copies once: count copies run on count channels, side by side, with
 * the PASID in driver.pasid.  An address that is not mapped becomes a page
 * request.  Without a fault queue nobody resolves it: the copy ends with Invalid
 * Request.
 */
#include <errno.h>
#include <stdint.h>

#include <linux/io.h>
#include <linux/pci_regs.h>
#include <linux/sizes.h>

#include <libvfio.h>

#include "pri-testdev-regs.h"

#define PT_MAX_COPY	SZ_1M
#define PT_VECTOR	PRI_TESTDEV_VECTOR_CHANNEL(0)

/* Lives in the driver's region; the device does not look at it */
struct pt_state {
	void *bar0;
	u32 channels;
	u32 running;	/* of them, since the last memcpy_start() */
};

static struct pt_state *to_pt_state(struct vfio_pci_device *device)
{
	return device->driver.region.vaddr;
}

static void pt_write32(struct pt_state *pt, u32 reg, u32 value)
{
	writel(value, pt->bar0 + reg);
}

static void pt_write64(struct pt_state *pt, u32 reg, u64 value)
{
	writel(value, pt->bar0 + reg);
	writel(value >> 32, pt->bar0 + reg + 4);
}

static u32 pt_read32(struct pt_state *pt, u32 reg)
{
	return readl(pt->bar0 + reg);
}

/* The PT_ST_* that a channel ends with; the device sees to it that it ends */
static u32 pt_channel_end(struct pt_state *pt, u32 channel)
{
	u32 status;

	do {
		status = pt_read32(pt, PT_CHANNEL(channel) + PT_CH_STATUS);
	} while (status == PT_ST_RUNNING);
	return status;
}

static int pri_testdev_probe(struct vfio_pci_device *device)
{
	if (!vfio_pci_device_match(device, PRI_TESTDEV_VENDOR_ID,
				   PRI_TESTDEV_DEVICE_ID) &&
	    !vfio_pci_device_match(device, PRI_TESTDEV_VENDOR_ID,
				   PRI_TESTDEV_VF_DEVICE_ID))
		return -ENODEV;
	return 0;
}

static void pri_testdev_init(struct vfio_pci_device *device)
{
	struct pt_state *pt = to_pt_state(device);
	u32 i;

	VFIO_ASSERT_GE(device->driver.region.size, sizeof(*pt));
	pt->bar0 = device->bars[0].vaddr;
	VFIO_ASSERT_NOT_NULL(pt->bar0);

	vfio_pci_cmd_set(device, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	VFIO_ASSERT_EQ(pt_read32(pt, PT_ID), PT_ID_MAGIC);
	VFIO_ASSERT_EQ(pt_read32(pt, PT_VERSION), PT_VERSION_1);
	pt->channels = pt_read32(pt, PT_CHANNELS);
	pt->running = 0;
	for (i = 0; i < pt->channels; i++) {
		u32 regs = PT_CHANNEL(i);

		pt_write32(pt, regs + PT_CH_FLAGS, 0);
		pt_write32(pt, regs + PT_CH_GROUP, PT_GROUP_DEFAULT);
		pt_write32(pt, regs + PT_CH_RETRIES, PT_RETRIES_DEFAULT);
		pt_write32(pt, regs + PT_CH_IRQ_STATUS, 1);
	}
	vfio_pci_msix_enable(device, PT_VECTOR, 1);

	device->driver.max_memcpy_size = PT_MAX_COPY;
	device->driver.max_memcpy_count = pt->channels;
	device->driver.msi = PT_VECTOR;
}

static void pri_testdev_remove(struct vfio_pci_device *device)
{
	struct pt_state *pt = to_pt_state(device);
	u32 i;

	pt_write32(pt, PT_CTRL, PT_CTRL_ABORT);
	for (i = 0; i < pt->channels; i++)
		pt_channel_end(pt, i);
	vfio_pci_msix_disable(device);
	vfio_pci_cmd_clear(device, PCI_COMMAND_MASTER);
}

static void pri_testdev_memcpy_start(struct vfio_pci_device *device,
				     iova_t src, iova_t dst, u64 size,
				     u64 count)
{
	struct pt_state *pt = to_pt_state(device);
	u32 i;

	for (i = 0; i < count; i++) {
		u32 regs = PT_CHANNEL(i);
		u32 pasid = device->driver.pasid;

		pt_write32(pt, regs + PT_CH_PASID, pasid);
		pt_write32(pt, regs + PT_CH_FLAGS, pasid ? PT_FLAG_PASID : 0);
		pt_write64(pt, regs + PT_CH_SRC, src);
		pt_write64(pt, regs + PT_CH_DST, dst);
		pt_write64(pt, regs + PT_CH_LEN, size);
		pt_write32(pt, regs + PT_CH_CMD, PT_OP_COPY);
	}
	pt->running = count;
}

static int pri_testdev_memcpy_wait(struct vfio_pci_device *device)
{
	struct pt_state *pt = to_pt_state(device);
	int ret = 0;
	u32 i;

	for (i = 0; i < pt->running; i++) {
		if (pt_channel_end(pt, i) != PT_ST_DONE)
			ret = -EFAULT;
	}
	pt->running = 0;
	return ret;
}

/* An operation that does nothing, and reports that it has */
static void pri_testdev_send_msi(struct vfio_pci_device *device)
{
	struct pt_state *pt = to_pt_state(device);
	u32 regs = PT_CHANNEL(0);

	pt_write32(pt, regs + PT_CH_FLAGS, PT_FLAG_IRQ);
	pt_write32(pt, regs + PT_CH_CMD, PT_OP_NOP);
	pt_channel_end(pt, 0);
	pt_write32(pt, regs + PT_CH_IRQ_STATUS, 1);
	pt_write32(pt, regs + PT_CH_FLAGS, 0);
}

struct vfio_pci_driver_ops pri_testdev_ops = {
	.name = "pri_testdev",
	.probe = pri_testdev_probe,
	.init = pri_testdev_init,
	.remove = pri_testdev_remove,
	.memcpy_start = pri_testdev_memcpy_start,
	.memcpy_wait = pri_testdev_memcpy_wait,
	.send_msi = pri_testdev_send_msi,
};
