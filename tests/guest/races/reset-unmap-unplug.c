/*
 * Race: S-08
 * Title: the card is pulled while a process unmaps memory
 * What: as reset-unmap-dpc, but the function does not come back: invalidations
 *   for it time out, are not sent again to what has gone (ITESID), and the
 *   process that unmaps continues. When the card is in again it works.
 * Loses: the CPU that unmaps, if it tries again for ever.
 * Order: a process that is bound maps, touches and unmaps memory without pause;
 *   the card is pulled (pri-root-port, knob cable); the kernel notices and
 *   takes the function away; the process ends; the card comes back.
 * Fix: none needed.
 * Kernels: all with "iommu/vt-d: don't issue ATS Invalidation request when
 *   device is disconnected" (6.9).
 * Sign: stuck
 * Sign: log /(soft|hard) lockup|hard LOCKUP/
 * Sign: log /KASAN: /
 * Expect: 7.3 no, 7.3+S-08 yes
 * Elsewhere: 7.2 no, 6.18 yes
 *
 * @iommu ite-timeout-ms=100
 * @qemu -global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>

#include "owner.h"
#include "port.h"
#include "race.h"

#define GONE_MS     4000
#define BACK_MS     4000
#define LOCKUP      1               /* second */

static void reset_unmap_unplug(void)
{
    struct port port;
    struct owner a;
    struct pt pt;
    uint32_t turns;

    race_cpu(1);
    port_open(&port, 0);
    pt_open(&pt, port_node(&port));
    owner_start(&a, port_node(&port));
    race_cpu(0);
    race_lockup(LOCKUP);
    race_ready();

    CHECK_EQ(owner_do(&a, OWNER_WRITE), PT_ST_DONE, "status");
    owner_start_unmap(&pt, &a);
    pt_close(&pt);
    port_knob(&port, PRP_KNOB_CABLE, 1);
    port_wait_gone(&port, GONE_MS);
    turns = owner_do(&a, OWNER_FREE);       /* ends UNMAP */
    CHECK(owner_done(&a, PT_TIMEOUT, NULL), "no reply");
    ktap_note("%u times unmapped", turns);
    CHECK(turns, "nothing was unmapped");
    owner_end(&a);
    port_knob(&port, PRP_KNOB_CABLE, 0);
    port_power(&port, true);
    port_check_works(port_wait_back(&port, BACK_MS));
}

RACE_MAIN("reset-unmap-unplug", reset_unmap_unplug, 8)
