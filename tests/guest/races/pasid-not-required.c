/*
 * Race: S-05
 * Title: a function that wants no PASID in its responses
 * What: with PRG Response PASID Required = 0 a function must not get a PASID in
 *   a response (PCIe 10.4.2.2). Linux does not use page requests with PASIDs
 *   then (pci_pri_supported(), pci_prg_resp_pasid_required()): page requests
 *   stay off, the process is refused, or is bound and DMA to a page that is
 *   absent fails. Nothing hangs, and no response with a PASID reaches the
 *   function.
 * Loses: the function.
 * Order: bind; if that works, DMA to memory that is there, and to memory that
 *   nobody has touched.
 * Fix: none needed.
 * Kernels: all; by reading.
 * Sign: pri-on
 * Sign: violation
 * Sign: hangs
 * Sign: lost
 * Expect: 7.3 no, 7.3+S-05-pri yes
 * Elsewhere: 7.2 no, 6.18 no
 *
 * @device prg-resp-pasid-required=off
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#include "race.h"

#define LEN         (4 * PT_PAGE)
#define PATTERN     0x0f1e2d3c4b5a6978ull
#define HANG_MS     5000

static struct pt pt;

static uint32_t write_to(struct pt_chan *ch, void *p)
{
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .dst = p, .len = LEN, .pattern = PATTERN,
        .no_irq = true,
    };

    pt_start(ch, &op);
    return pt_wait(ch, &op, HANG_MS);
}

static void bound(void)
{
    uint8_t *p = pt_map_anon(LEN);
    uint32_t status;
    struct pt_chan ch;

    pt_chan(&pt, &ch);
    memset(p, 1, LEN);
    status = write_to(&ch, p);
    if (status != PT_ST_DONE) {
        race_sign("lost", "DMA to memory that is there ends with %s",
                  pt_status_name(status));
    } else {
        pt_check_stamp(p, LEN, PATTERN);
    }
    p = pt_map_anon(LEN);
    status = write_to(&ch, p);
    ktap_note("DMA to memory that is not there: %s", pt_status_name(status));
    if (status == PT_ST_RUNNING) {
        race_sign("hangs", "DMA to memory that is not there does not end");
    }
    CHECK(!pt_resident(p), "a page came in");
}

static void pasid_not_required(void)
{
    uint32_t state;

    race_cpu(1);
    pt_open(&pt, 0);
    race_ready();

    pt.bound = !ioctl(pt.fd, PRI_TESTDEV_IOC_BIND, &pt.pasid);
    ktap_note("bind: %s", pt.bound ? "works" : strerror(errno));
    state = pt_rd32(pt.func, PT_STATE);
    if (state & PT_STATE_PRI && state & PT_STATE_PASID) {
        race_sign("pri-on", "page requests and PASIDs are both enabled");
    }
    if (pt.bound) {
        bound();
        pt_unbind(&pt);
    }
    if (pt_counter(&pt, PT_CNT_VIOLATIONS)) {
        race_sign("violation", "%llu breaches of protocol",
                  (unsigned long long)pt_counter(&pt, PT_CNT_VIOLATIONS));
    }
}

RACE_MAIN("pasid-not-required", pasid_not_required, 60)
