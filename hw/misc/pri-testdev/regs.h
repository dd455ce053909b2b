/*
 * pri-testdev: registers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_TESTDEV_REGS_H
#define PRI_TESTDEV_REGS_H

#include "types.h"

extern const MemoryRegionOps pt_mmio_ops;

static inline uint32_t pt_half(uint64_t reg, uint32_t addr)
{
    return addr & 4 ? reg >> 32 : reg;
}

static inline void pt_set_half(uint64_t *reg, uint32_t addr, uint32_t val)
{
    unsigned int shift = (addr & 4) * 8;

    *reg = (*reg & ~(0xffffffffULL << shift)) | (uint64_t)val << shift;
}

#endif /* PRI_TESTDEV_REGS_H */
