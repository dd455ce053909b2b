/*
 * pri-testdev: raw Page Requests
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_TESTDEV_RAW_H
#define PRI_TESTDEV_RAW_H

#include "types.h"

/* Raw Page Request registers */
typedef struct PtRaw {
    uint64_t addr;
    uint32_t pasid;
    uint32_t flags;
    uint32_t prgi;
    uint32_t resp;
    uint32_t resp_pasid;
    uint32_t resp_count;
} PtRaw;

/**
 * pt_raw_send: a message as the registers say
 */
void pt_raw_send(PriTestdev *d);

/**
 * pt_raw_response: note a response to a raw Page Request
 */
void pt_raw_response(void *opaque, const AtsMsg *msg);

#endif /* PRI_TESTDEV_RAW_H */
