/*
 * Bit counting, as QEMU's qemu/host-utils.h has it
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef QEMU_HOST_UTILS_H
#define QEMU_HOST_UTILS_H

static inline int ctz64(uint64_t val)
{
    return val ? __builtin_ctzll(val) : 64;
}

static inline int ctz32(uint32_t val)
{
    return val ? __builtin_ctz(val) : 32;
}

static inline int ctpop32(uint32_t val)
{
    return __builtin_popcount(val);
}

static inline uint64_t pow2ceil(uint64_t val)
{
    uint64_t p = 1;

    while (p < val) {
        p <<= 1;
    }
    return p;
}

#endif /* QEMU_HOST_UTILS_H */
