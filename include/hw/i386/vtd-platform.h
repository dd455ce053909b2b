/*
 * What the knobs of intel-iommu are on a platform
 *
 * permissive: each knob's own default.  strict: the least forgiving machine
 * that the specifications permit.  spr: what a public Sapphire Rapids machine
 * shows, as far as the model can.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_I386_VTD_PLATFORM_H
#define HW_I386_VTD_PLATFORM_H

/* X(FIELD of vtd-knobs.h, strict, spr); a knob that is not here is the same */
#define VTD_PLATFORM_KNOBS(X) \
    X(SM_CACHE, 1, 1) \
    X(PWC, 1, 1) \
    X(WAIT_DEPTH, 8, 8) \
    X(TES0_INV, 0, 0) \
    X(INV_ABSENT, 0, 0) \
    X(INV_NO_ATS, 0, 0) \
    X(IQERCD_STALE, 1, 0) \
    X(PRD_DELAY, 5, 0) \
    X(FAULT_COLLAPSE, 1, 1)

/* Values of the property platform, after their names there */
typedef enum VTDPlatform {
    VTD_PLATFORM_PERMISSIVE,
    VTD_PLATFORM_STRICT,
    VTD_PLATFORM_SPR,
} VTDPlatform;

/* Fault recording registers: property fault-records */
#define VTD_FAULT_RECORDS_MAX   16
#define VTD_FAULT_RECORDS_SPR   8

#endif /* HW_I386_VTD_PLATFORM_H */
