/*
 * pri-testdev: memory
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_TESTDEV_DMA_H
#define PRI_TESTDEV_DMA_H

#include "op.h"

typedef struct PtCounters {
    uint64_t bytes_read;
    uint64_t bytes_written;
    uint64_t dma_errors;
} PtCounters;

/* What went over the link */
typedef struct PtDmaState {
    PtCounters cnt;
} PtDmaState;

typedef enum PtDma {
    PT_DMA_READ,
    PT_DMA_WRITE,
    PT_DMA_LANDS,       /* a write from before: to RAM alone */
} PtDma;

/**
 * pt_dma_access: read or write @len bytes that do not leave a page, now
 *
 * @entry: translation of @addr; or untranslated, then @addr is accessed as it
 *         is, with @pasid if that is not ATS_NO_PASID
 *
 * Returns: false if memory cannot be accessed; that is counted.
 */
bool pt_dma_access(PriTestdev *d, const AtsTrEntry *entry, uint32_t pasid,
                   uint64_t addr, uint8_t *buf, uint32_t len, PtDma how);

/**
 * pt_dma_generate: the bytes that WRITE or FILL has for @addr
 */
void pt_dma_generate(const PtOp *op, uint64_t addr, uint8_t *buf,
                     uint32_t len);

#endif /* PRI_TESTDEV_DMA_H */
