/*
 * Race: O-L
 * Title: VFIO puts a function into D3hot that is mapped, and memory is unmapped
 * What: VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY lets an open function go to D3hot
 *   by runtime PM. It stays attached, with ATS enabled, and so an unmap sends
 *   it Invalidate Requests. PCIe permits a function that is not in D0 to lose
 *   them (6.2, 10.3.1). Neither iommufd nor the VT-d driver asks what state it
 *   is in.
 * Loses: the CPU that unmaps: in qi_submit_sync() with interrupts off, from one
 *   Invalidation Time-out Error to the next, for good (O-K is the same loop).
 *   The process needs nothing but its VFIO device: any user of one can do it.
 * Order: the function has written a page, so that it holds the translation, and
 *   waits for another one: its page request group is with the process (a fault
 *   queue). The process sends it to D3hot, where it loses invalidations
 *   (inv-in-d3=drop, as on the strict platform), and unmaps the first page.
 * Fix: none known.
 * Kernels: 7.3.4; by reading, since there are low power features (6.1).
 * Sign: log /VT-d detected Invalidation Time-out Error/ x2
 * Expect: 7.3 yes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "hw/i386/vtd-knobs.h"
#include "hw/misc/pri-testdev-knobs.h"
#include "iofd.h"
#include "race.h"
#include "sysfs.h"

#define ITE_TIMEOUT_MS  1100        /* the log is quiet for a second between */
#define DROP            1           /* inv-in-d3 */
#define IOVA            0x100000ull
#define ABSENT          0x200000ull
#define PASID           1

/* "auto": the kernel may let it sleep; "on": it may not */
static void power(struct iofd *io, const char *control)
{
    char path[128];

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.31s/power/control",
             io->pci_name);
    sysfs_write(path, control);
}

static void low_power(struct iofd *io)
{
    struct vfio_fd_feature feature = {
        .argsz = sizeof(feature),
        .flags = VFIO_FD_FEATURE_SET | VFIO_FD_LOW_POWER_ENTRY,
    };

    CHECK(!ioctl(io->dev, VFIO_FD_FEATURE, &feature), "low power: %s",
          strerror(errno));
}

static void low_power_unmap(void)
{
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .dst = (void *)IOVA,
        .len = PT_PAGE, .pattern = 1, .no_irq = true,
    };
    struct pt_chan ch;
    struct iofd_pt pt;
    struct iofd io;
    void *memory;

    race_cpu(1);
    iofd_take(&io);
    power(&io, "on");                   /* or the bind is O-K's */
    iofd_bind(&io);
    io.pt.bound = true;
    io.pt.pasid = PASID;
    pt_iommu_knob(&io.pt, VTD_KNOB_ITE_TIMEOUT, ITE_TIMEOUT_MS);
    pt_knob(&io.pt, PT_KNOB_INV_IN_D3, DROP);
    iofd_pt_alloc(&io, &pt, true);
    iofd_attach(&io, pt.hwpt, PASID);
    memory = pt_map_anon(PT_PAGE);
    iofd_map(&io, pt.ioas, IOVA, memory, PT_PAGE);
    iofd_chan(&io, &ch, 0);
    pt_expect(&ch, &op, PT_ST_DONE, NULL);
    op.dst = (void *)ABSENT;
    pt_start(&ch, &op);
    iofd_wait(&pt);
    race_ready();

    power(&io, "auto");
    low_power(&io);
    sysfs_wait_power(io.pci_name, "D3hot");
    iofd_unmap(&io, pt.ioas, IOVA, PT_PAGE);
    ktap_note("unmapped");
}

RACE_MAIN("low-power-unmap", low_power_unmap, 20)
