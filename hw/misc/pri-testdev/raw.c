/*
 * pri-testdev: raw Page Requests
 *
 * A message as the registers say, outside the Page Request Interface and its
 * rules, and what answers it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "pri-testdev.h"

void pt_raw_send(PriTestdev *d)
{
    const PtRaw *raw = &d->raw;
    AtsMsg msg = {
        .addr = raw->addr & ~0xfffULL,
        .pasid = raw->pasid & PT_RAW_PASID_PRESENT ?
                 raw->pasid & ~PT_RAW_PASID_PRESENT : ATS_NO_PASID,
        .prgi = raw->prgi,
        .read = raw->flags & PT_RAW_READ,
        .write = raw->flags & PT_RAW_WRITE,
        .last = raw->flags & PT_RAW_LAST,
        .priv = raw->flags & PT_RAW_PRIV,
        .exec = raw->flags & PT_RAW_EXEC,
    };

    if (!ats_function_send_raw(&d->fn, &msg)) {
        qemu_log_mask(LOG_GUEST_ERROR, "pri-testdev: raw request without an "
                      "IOMMU that takes it\n");
    }
}

void pt_raw_response(void *opaque, const AtsMsg *msg)
{
    PriTestdev *d = opaque;
    bool pasid = msg->pasid != ATS_NO_PASID;

    d->raw.resp = PT_RAW_RESP_VALID | (pasid ? PT_RAW_RESP_HAD_PASID : 0) |
                  msg->prgi << 4 | msg->code;
    d->raw.resp_pasid = pasid ? msg->pasid : 0;
    d->raw.resp_count++;
    pt_event(d, PT_EVENT_RAW);
}
