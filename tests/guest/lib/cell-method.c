/*
 * Cells of `./pri-lab resets`: the methods of reset
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cell.h"
#include "port.h"
#include "sleep.h"
#include "sysfs.h"

#define DEVICES     "/sys/bus/pci/devices/"
#define QUIRK       13u             /* has a reset of its own in the kernel */
#define CONTAINED   10u             /* below a port with DPC, no hot-plug */
#define CXL         14u             /* below a CXL root port */
#define SOFT_MS     5000
#define RECOVER_MS  20000
#define GONE_MS     20000
#define BACK_MS     20000
#define DPC_CTL     6
#define DPC_CTL_SW  (1 << 6)

/* VFIO_DEVICE_PCI_HOT_RESET; no groups: the iommufd owns them all */
#define HOT_RESET   _IO(VFIO_FD_TYPE, VFIO_FD_BASE + 13)
struct hot_reset {
    uint32_t argsz;
    uint32_t flags;
    uint32_t count;
};

/* Write a file of the function; 0, or errno */
static int method_write(const char *function, const char *file,
                        const char *text)
{
    char path[128];
    int fd, err;

    snprintf(path, sizeof(path), DEVICES "%.31s/%s", function, file);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    err = write(fd, text, strlen(text)) < 0 ? errno : 0;
    close(fd);
    return err;
}

/* The kernel's own, by name */
static int method_sysfs(struct cell *cell)
{
    int err = method_write(cell->target, "reset_method", cell->method->word);

    if (err) {
        cell_say("note", "the function has no method %s", cell->method->word);
        return err;
    }
    return method_write(cell->target, "reset", "1");
}

/* All functions of the slot, by the port above it */
static int method_slot(struct cell *cell)
{
    return method_write(cell->target, "../reset_subordinate", "1");
}

/* One that only the function's driver knows of (VT-d 7.9) */
static int method_device(struct cell *cell)
{
    double until = pt_now() + SOFT_MS / 1000.0;
    struct pt pt;

    pt_open(&pt, sysfs_wait_node(cell->target));
    pt_wr32(pt.func, PT_SOFT_RESET, PT_SOFT_RESET_ALL);
    while (pt_rd32(pt.func, PT_SOFT_RESET) & PT_SOFT_RESET_BUSY) {
        CHECK(pt_now() < until, "the reset does not end");
        pt_sleep_ms(1);
    }
    pt_close(&pt);
    return 0;
}

static int method_dpc(struct cell *cell)
{
    double until = pt_now() + RECOVER_MS / 1000.0;
    struct pri_testdev_info info;
    struct port port;
    uint32_t before;

    port_open_above(&port, cell->target);
    CHECK(port.dpc, "%s has no DPC", port.name);
    pt_info(&cell->pt, &info);
    before = info.resets;
    port_wr16(&port, port.dpc + DPC_CTL,
              port_rd16(&port, port.dpc + DPC_CTL) | DPC_CTL_SW);
    do {
        CHECK(pt_now() < until, "no recovery");
        pt_sleep_ms(5);
        pt_info(&cell->pt, &info);
    } while (info.resets == before);
    port_close(&port);
    return 0;
}

/* The cable is pulled, and is in again later */
static int method_surprise(struct cell *cell)
{
    struct port port;

    port_open_above(&port, cell->target);
    pt_close(&cell->pt);
    port_knob(&port, PRP_KNOB_CABLE, 1);
    port_wait_gone(&port, GONE_MS);
    port_knob(&port, PRP_KNOB_CABLE, 0);
    port_power(&port, true);
    port_wait_back(&port, BACK_MS);
    port_close(&port);
    return 0;
}

/* The slot's power is switched off, and on again */
static int method_unplug(struct cell *cell)
{
    struct port port;

    port_open_above(&port, cell->target);
    pt_close(&cell->pt);
    port_power(&port, false);
    port_wait_gone(&port, GONE_MS);
    port_power(&port, true);
    port_wait_back(&port, BACK_MS);
    port_close(&port);
    return 0;
}

/* The link goes down and comes up by itself */
static int method_link(struct cell *cell)
{
    struct port port;
    int node = sysfs_node(cell->target);

    port_open_above(&port, cell->target);
    pt_close(&cell->pt);
    port_knob(&port, PRP_KNOB_LINK, 1);
    port_knob(&port, PRP_KNOB_LINK, 0);
    for (unsigned ms = 0; sysfs_node(cell->target) == node; ms += 10) {
        CHECK(ms < GONE_MS, "%s stays", cell->target);
        pt_sleep_ms(10);
    }
    pt_sleep_ms(100);
    port_wait_back(&port, BACK_MS);
    port_close(&port);
    return 0;
}

/* The whole machine sleeps: the function loses its state, so does the IOMMU */
static int method_s3(struct cell *cell)
{
    (void)cell;
    sleep_to_ram();
    return 0;
}

static struct iofd *method_io(struct cell *cell)
{
    return &cell->io[cell->n_io - 1];           /* the target is the last */
}

static int method_vfio(struct cell *cell)
{
    return ioctl(method_io(cell)->dev, VFIO_FD_RESET) ? errno : 0;
}

static int method_hot(struct cell *cell)
{
    struct hot_reset hot = { .argsz = sizeof(hot) };

    return ioctl(method_io(cell)->dev, HOT_RESET, &hot) ? errno : 0;
}

static const struct cell_method methods[] = {
    { "flr", method_sysfs, "flr", .keeps = true },
    { "af-flr", method_sysfs, "af_flr", .keeps = true },
    { "d3hot", method_sysfs, "pm", .keeps = true },
    { "bus", method_sysfs, "bus", .keeps = true },
    { "rst", method_sysfs, "acpi", .keeps = true },
    { "quirk", method_sysfs, "device_specific", .keeps = true,
      .target = QUIRK },
    { "cxl", method_sysfs, "cxl_bus", .keeps = true, .target = CXL },
    { "slot", method_slot, .keeps = true, .all = true },
    { "device", method_device, .keeps = true },
    { "dpc", method_dpc, .target = CONTAINED },
    { "surprise", method_surprise, .gone = true },
    { "unplug", method_unplug, .gone = true },
    { "link", method_link, .gone = true },
    { "s3", method_s3, .keeps = true },
    { "vfio", method_vfio, .vfio = true },
    { "vfio-hot", method_hot, .vfio = true, .all = true },
};

const struct cell_method *cell_method(const char *name)
{
    for (unsigned i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (!strcmp(methods[i].name, name)) {
            return &methods[i];
        }
    }
    return NULL;
}
