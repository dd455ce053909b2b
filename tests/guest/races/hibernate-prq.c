/*
 * Race: O-P
 * Title: the page request queue is the other kernel's after hibernation
 * What: the kernel that boots to load the image sets up the IOMMU for itself,
 *   and a page request queue in its own memory. When the image runs,
 *   iommu_resume() sets up the root table, translation, the invalidation queue
 *   and fault events again, and leaves PQA and the event as that kernel has
 *   set them.
 * Loses: the queue is where this kernel has something else, unless both have
 *   got the same pages for it: requests are written over that, and the handler
 *   takes what its own queue has kept from before for new requests.
 * Order: a process is bound, and its DMA works. The machine hibernates, boots,
 *   and loads the image. DMA to memory that has never been touched.
 * Fix: O-P-fix, a trial, not run here: the queue again as it was.
 * Kernels: by reading, all with page requests in VT-d.
 * Sign: unseen
 * Sign: registers
 * Expect: 7.3/disk yes
 * Needs: CONFIG_HIBERNATION, CONFIG_VIRTIO_BLK
 * @disk 512M
 * @qemu -m 640M -action reboot=reset
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "race.h"
#include "sleep.h"

#define DISK        "/dev/vda"

static void hibernate_prq(void)
{
    if (race_boot() > 1) {
        sleep_load_image(DISK);
    }
    sleep_disk(DISK);
    sleep_race(sleep_to_disk);
}

RACE_MAIN("hibernate-prq", hibernate_prq, 240)
