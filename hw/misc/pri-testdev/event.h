/*
 * pri-testdev: function events
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_TESTDEV_EVENT_H
#define PRI_TESTDEV_EVENT_H

#include "types.h"

/* Function events */
typedef struct PtEvent {
    uint32_t status;
    uint32_t enable;
    bool irq;               /* vector 0 shall be sent */
} PtEvent;

/**
 * pt_event: PT_EVENT_* has happened
 */
void pt_event(PriTestdev *d, uint32_t bit);

/**
 * pt_event_enable: write to PT_EVENT_ENABLE
 */
void pt_event_enable(PriTestdev *d, uint32_t val);

/* See AtsFunctionOps */
void pt_event_note(void *opaque, PciePriNote note, const AtsMsg *msg);

#endif /* PRI_TESTDEV_EVENT_H */
