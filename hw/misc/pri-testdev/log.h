/*
 * pri-testdev: event log
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_TESTDEV_LOG_H
#define PRI_TESTDEV_LOG_H

#include "types.h"

typedef struct PtLogEntry {
    uint64_t time;
    uint64_t addr;
    uint32_t kind;
    uint32_t pasid;         /* as in PT_LOG_PASID */
    uint32_t tag;
    uint32_t code;
} PtLogEntry;

typedef struct PtLog {
    uint64_t count;         /* entries ever written */
    uint32_t select;
    PtLogEntry entry[PT_LOG_SIZE];
} PtLog;

/**
 * pt_log: write an entry
 *
 * @kind: PT_LOG_*; PT_LOG_KINDS says what the others are
 * @pasid: PASID or ATS_NO_PASID
 */
void pt_log(PriTestdev *d, uint32_t kind, uint32_t pasid, uint32_t tag,
            uint64_t addr, uint32_t code);

/* See AtsFunctionOps */
void pt_log_message(void *opaque, const AtsMsg *msg);
void pt_log_translation(void *opaque, const AtsTrReq *req, AtsTrStatus status,
                        const AtsTrEntry *entry, bool discarded);

/**
 * pt_log_selected: the entry that PT_LOG_SELECT names, or one of zeros
 */
const PtLogEntry *pt_log_selected(const PriTestdev *d);

/**
 * pt_log_post_load: check what was migrated
 *
 * Returns: 0, or -EINVAL if an entry is impossible.
 */
int pt_log_post_load(PriTestdev *d);

void pt_log_add_property(ObjectClass *klass);

#endif /* PRI_TESTDEV_LOG_H */
