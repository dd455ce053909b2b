/*
 * pri-testdev: DMA and what it pushes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_TESTDEV_POSTED_H
#define PRI_TESTDEV_POSTED_H

#include "types.h"

/* @timer: of the posted write that is due next */
typedef struct PtPosted {
    QEMUTimer *timer;
} PtPosted;

/**
 * pt_dma_read, pt_dma_write: as pt_dma_access(), in the order of the link; a
 * write reaches memory when the knob dma-do says
 */
bool pt_dma_read(PriTestdev *d, const AtsTrEntry *entry, uint32_t pasid,
                 uint64_t addr, uint8_t *buf, uint32_t len);
bool pt_dma_write(PriTestdev *d, const AtsTrEntry *entry, uint32_t pasid,
                  uint64_t addr, uint8_t *buf, uint32_t len);

/**
 * pt_posted_land: see AtsFunctionOps
 */
void pt_posted_land(void *opaque, const AtsPostedWrite *w);

/**
 * pt_posted_reset: the function is about to be reset, or is gone
 *
 * @link: there is one, and stays
 */
void pt_posted_reset(PriTestdev *d, bool link);

/**
 * pt_posted_outlive: are posted writes for the knob flr-dma, also when a
 * configuration write begins the reset, whose completion would push them?
 */
bool pt_posted_outlive(const PriTestdev *d);

void pt_posted_add_property(ObjectClass *klass);
void pt_posted_realize(PriTestdev *d);
void pt_posted_exit(PriTestdev *d);
void pt_posted_post_load(PriTestdev *d);

#endif /* PRI_TESTDEV_POSTED_H */
