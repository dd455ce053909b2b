/*
 * pri-testdev: function events, and errors that are reported
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
 * pt_report: report an uncorrectable error, PCI_ERR_UNC_* or 0, some time later
 *
 * The port above may contain it and reset the function, so this does not happen
 * in the middle of something.
 */
void pt_report(PriTestdev *d, uint32_t error);

/**
 * pt_report_now: from the bottom half
 */
void pt_report_now(PriTestdev *d);

/**
 * pt_event_enable: write to PT_EVENT_ENABLE
 */
void pt_event_enable(PriTestdev *d, uint32_t val);

/* See AtsFunctionOps */
void pt_event_note(void *opaque, PciePriNote note, uint16_t prgi);

#endif /* PRI_TESTDEV_EVENT_H */
