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

#include "owner.h"
#include "race.h"
#include "sleep.h"

#define ANSWER_MS   10000
#define DISK        "/dev/vda"

static void hibernate_prq(void)
{
    struct sleep_regs before;
    struct owner a;
    struct pt pt;
    bool same;

    if (race_boot() > 1) {
        sleep_load_image(DISK);
    }
    sleep_disk(DISK);
    pt_open(&pt, 0);
    owner_start(&a, 0);
    CHECK_EQ(owner_do(&a, OWNER_WRITE), PT_ST_DONE, "the write before");
    sleep_regs(&before);
    race_ready();

    sleep_to_disk();
    ktap_note("awake");
    same = sleep_regs_same(&before);
    if (!owner_served(&a, ANSWER_MS)) {
        race_sign("unseen", "after %u ms the function has %u groups that "
                  "nobody has answered", ANSWER_MS,
                  pt_rd32(pt.func, PT_PRI_GROUPS));
    }
    if (!same) {
        race_sign("registers", "the queue is not what it was");
    }
}

RACE_MAIN("hibernate-prq", hibernate_prq, 240)
