/*
 * What the knobs of pri-testdev are on a platform
 *
 * permissive: each knob's own default.  strict: the least forgiving function
 * that PCI Express permits.  Resets take a little less than the time for which
 * Linux waits before it looks: 100 ms after a Function Level Reset (PCIe 6.2
 * 6.6.2) and after a hot reset (6.6.1), 10 ms on the way to D0 (5.9).  Posted
 * writes take longer than a completion does, so that what does not push them
 * (2.4.1) meets them on their way; a reset has them land first (flr-dma), since
 * the completion of the write that initiates it pushes them.  In a
 * device-specific reset the function has to answer invalidations (VT-d 7.9).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_PRI_TESTDEV_PLATFORM_H
#define HW_MISC_PRI_TESTDEV_PLATFORM_H

/* X(FIELD of pri-testdev-knobs.h, strict); a knob not here is the same */
#define PT_PLATFORM_KNOBS(X) \
    X(INV_IN_FLR, 0) \
    X(INV_AT_FLR, 0) \
    X(INV_IN_D3, 1) \
    X(INV_DELAY, 20) \
    X(FLR_DURATION, 90) \
    X(FLR_CONFIG, 2) \
    X(HOT_DURATION, 90) \
    X(D3_DURATION, 9) \
    X(DMA_DO, 2) \
    X(DMA_DELAY, 100)

/* Values of the property platform */
typedef enum PtPlatform {
    PT_PLATFORM_PERMISSIVE,
    PT_PLATFORM_STRICT,
} PtPlatform;

#endif /* HW_MISC_PRI_TESTDEV_PLATFORM_H */
