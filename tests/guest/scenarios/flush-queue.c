/*
 * Title: the flush queue is switched on while memory is unmapped and reset
 * What: one task maps memory by the DMA API, has the device write it and unmaps
 *   it, one changes the group's type to DMA-FQ, from where on invalidations are
 *   collected, one resets the function.  What is unmapped must be out of reach
 *   when the queue has been flushed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "scene.h"
#include "sysfs.h"

#define TURNS   4
#define FLUSHED_MS  20              /* the queue's timer has 10 */

static char type[128];
static struct pt pt;
static struct pri_testdev_info info;
static struct pt_chan ch;
static uint64_t iova[TURNS];

static void setup(void)
{
    pt_open(&pt, 0);
    pt_info(&pt, &info);
    pt_chan(&pt, &ch);
    scene_map(TURNS);
    snprintf(type, sizeof(type), "/sys/bus/pci/devices/%.31s/iommu_group/type",
             info.pci_name);
    sysfs_reset_method(info.pci_name, "flr");
}

static void use(void)
{
    for (unsigned i = 0; i < TURNS; i++) {
        struct pri_testdev_map map = {
            .addr = (uintptr_t)scene_page(i), .len = PT_PAGE,
            .prot = PRI_TESTDEV_READ | PRI_TESTDEV_WRITE,
        };

        if (!ioctl(pt.fd, PRI_TESTDEV_IOC_DMA_MAP, &map)) {
            iova[i] = map.iova;
            scene_fill(&ch, iova[i], PT_PAGE);      /* a reset may end it */
            ioctl(pt.fd, PRI_TESTDEV_IOC_DMA_UNMAP, &map);
        }
    }
}

static void change(void)
{
    race_write(type, "DMA-FQ");
}

static void reset(void)
{
    sysfs_flr(info.pci_name);
}

static void after(void)
{
    pt_sleep_ms(FLUSHED_MS);
    for (unsigned i = 0; i < TURNS; i++) {
        volatile uint8_t *page = scene_page(i);     /* the device writes it */

        *page = 0;
        if (iova[i]) {
            scene_fill(&ch, iova[i], PT_PAGE);
        }
        if (*page) {
            race_sign("written-later", "page %u, which is unmapped: 0x%x", i,
                      *page);
        }
    }
}

SCENE(.name = "flush-queue", .setup = setup, .seconds = 8, .after = after,
      .flags = SCENE_LOSES, .tasks = {
    SCENE_THREAD("use", use),
    SCENE_THREAD("type", change),
    SCENE_THREAD("reset", reset),
})
