/*
 * Race: S-05
 * Title: a response has a PASID if and only if its request had one
 * What: with PRG Response PASID Required the response to a request with PASID
 *   carries that PASID, and the one to a request without carries none (PCIe
 *   10.4.2.2, VT-d 7.6). The sender can be the SVA handler, the handler of a
 *   paging domain, the kernel if there is no handler, and the IOMMU if there is
 *   no PASID-table entry.
 * Loses: the function, to which a response without its PASID, or with one too
 *   many, means anything or nothing.
 * Order: requests with the PASID of a process, with a PASID that nobody has,
 *   without PASID; then paging domains for a PASID and for what has
 *   none, and a channel that writes by each.
 * Fix: none needed.
 * Kernels: all; by reading of intel_iommu_page_response().
 * Sign: pasid
 * Sign: violation
 * Sign: lost
 * Expect: 7.3 no, 7.3+S-05 yes
 * Elsewhere: 7.2 no, 6.18 no
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>

#include "owner.h"
#include "pt-domain.h"
#include "race.h"

#define IOVA        0x700000000ull
#define PATTERN     0x0f1e2d3c4b5a6978ull
#define NOBODY      77u             /* a PASID */

static struct pt pt;

/* PASID as in PT_RAW_PASID; the response must have just that */
static void raw(uint32_t pasid, uint64_t addr, uint32_t code, unsigned prgi)
{
    struct pt_raw req = {
        .addr = addr, .pasid = pasid, .prgi = prgi,
        .flags = PT_RAW_READ | PT_RAW_LAST,
    };
    bool has = pasid & PT_RAW_PASID_PRESENT;
    struct pt_raw_resp resp;

    pt_raw_send(&pt, &req);
    CHECK(pt_raw_wait(&pt, &resp, PT_RESP_MS), "no response %u", prgi);
    CHECK_EQ(resp.code, code, "response code");
    CHECK_EQ(resp.prgi, prgi, "index of the response");
    if (resp.had_pasid != has ||
        (has && resp.pasid != (pasid & ~PT_RAW_PASID_PRESENT))) {
        race_sign("pasid", "request 0x%x is answered %s %u", pasid,
                  resp.had_pasid ? "with PASID" : "without PASID", resp.pasid);
    }
}

/* A paging domain; the checker looks at the response */
static void own(uint32_t how)
{
    struct pt_op op = {
        .cmd = PT_OP_FILL, .dst = (void *)IOVA, .len = PT_PAGE,
        .pattern = PATTERN + how, .no_irq = true,
    };
    struct pri_testdev_group grp;
    void *p = pt_map_anon(PT_PAGE);
    struct pt_chan ch;
    uint32_t status;

    pt_domain_attach(&pt, how);
    pt_chan(&pt, &ch);
    pt_start(&ch, &op);
    pt_domain_wait(&pt, &grp, 1);
    pt_domain_map(&pt, IOVA, p, PT_PAGE);
    pt_domain_respond(&pt, grp.id, PRI_TESTDEV_RESP_SUCCESS);
    status = pt_wait(&ch, &op, PT_TIMEOUT);
    if (status != PT_ST_DONE) {
        race_sign("lost", "the write ends with %s", pt_status_name(status));
    } else {
        pt_check_fill(p, PT_PAGE, PATTERN + how);
    }
    pt_domain_detach(&pt, 0);
}

static void pasid_response(void)
{
    struct owner a;

    race_cpu(1);
    pt_open(&pt, 0);
    owner_start(&a, 0);
    pt_wr32(pt.func, PT_CTRL, PT_CTRL_CLEAR_COUNTERS);
    race_ready();

    raw(a.pasid | PT_RAW_PASID_PRESENT, OWNER_BASE, 0, 1);
    raw(NOBODY | PT_RAW_PASID_PRESENT, OWNER_BASE, 1, 2);
    raw(0, 0x10000, 1, 3);
    own(PRI_TESTDEV_DOMAIN_PASID);
    own(PRI_TESTDEV_DOMAIN_RID);
    CHECK_EQ(owner_do(&a, OWNER_WRITE), PT_ST_DONE, "status");
    if (pt_counter(&pt, PT_CNT_VIOLATIONS) ||
        pt_counter(&pt, PT_CNT_RESP_UNEXPECTED)) {
        race_sign("violation", "%llu breaches of protocol, %llu responses to "
                  "no group",
                  (unsigned long long)pt_counter(&pt, PT_CNT_VIOLATIONS),
                  (unsigned long long)pt_counter(&pt, PT_CNT_RESP_UNEXPECTED));
    }
}

RACE_MAIN("pasid-response", pasid_response, 40)
