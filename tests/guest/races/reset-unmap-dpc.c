/*
 * Race: S-08
 * Title: Downstream Port Containment while a process unmaps memory
 * What: the port cuts the function off, nobody has asked the IOMMU core before.
 *   Invalidations that are on their way then are never answered: each of them
 *   times out once (VT-d 6.5.2.11), and the process that unmaps continues. Then
 *   the driver recovers the function through its error handlers, and DMA works.
 * Loses: the CPU that unmaps, if it tries again for ever.
 * Order: a process that is bound maps, touches and unmaps memory without pause;
 *   DPC Software Trigger; recovery; the process binds again.
 * Fix: none needed.
 * Kernels: all; by reading.
 * Sign: stuck
 * Sign: lost
 * Sign: log /(soft|hard) lockup|hard LOCKUP/
 * Sign: log /KASAN: /
 * Expect: 7.3 no, 7.3+S-08 yes
 * Elsewhere: 7.2 no, 6.18 yes
 *
 * @iommu ite-timeout-ms=100
 * @port hotplug=off
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <poll.h>
#include <stdint.h>
#include <unistd.h>

#include "owner.h"
#include "port.h"
#include "race.h"

#define RECOVER_MS      4000
#define LOCKUP          1           /* second */
#define DPC_CTL         6
#define DPC_CTL_SW      (1 << 6)

static void reset_unmap_dpc(void)
{
    struct pollfd pfd = { .events = POLLPRI };
    struct pri_testdev_info info;
    uint32_t turns, status;
    struct port port;
    struct owner a;
    struct pt pt;

    race_cpu(1);
    port_open(&port, 0);
    CHECK(port.dpc, "%s has no DPC", port.name);
    pt_open(&pt, 0);
    pt_info(&pt, &info);            /* from now on POLLPRI means a reset */
    owner_start(&a, 0);
    race_cpu(0);
    race_lockup(LOCKUP);
    race_ready();

    CHECK_EQ(owner_do(&a, OWNER_WRITE), PT_ST_DONE, "status");
    owner_start_unmap(&pt, &a);
    port_wr16(&port, port.dpc + DPC_CTL,
              port_rd16(&port, port.dpc + DPC_CTL) | DPC_CTL_SW);
    pfd.fd = pt.fd;
    CHECK(poll(&pfd, 1, RECOVER_MS) == 1 && pfd.revents == POLLPRI,
          "no recovery, poll says 0x%x", pfd.revents);
    turns = owner_do(&a, OWNER_BIND);       /* ends UNMAP */
    CHECK(owner_done(&a, PT_TIMEOUT, NULL), "no reply");
    ktap_note("%u times unmapped", turns);
    owner_do(&a, OWNER_FREE);
    status = owner_do(&a, OWNER_WRITE);
    if (status != PT_ST_DONE) {
        race_sign("lost", "DMA after the recovery ends with %s",
                  pt_status_name(status));
    }
    CHECK_EQ(pt_counter(&pt, PT_CNT_VIOLATIONS), 0, "violations");
}

RACE_MAIN("reset-unmap-dpc", reset_unmap_dpc, 5)
