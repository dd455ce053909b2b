/*
 * Many pri-testdevs in one machine: eight functions a root port
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_LAB_LIBQOS_PRI_FLEET_H
#define PRI_LAB_LIBQOS_PRI_FLEET_H

#include "libqos/pri-lab.h"

#define FLEET_MAX           64
#define FLEET_PRQ_ORDER     5       /* 4095 requests */
#define FLEET_IQ_ORDER      6       /* 8192 descriptors of 256 bits */

typedef struct PriFleet {
    QTestState *qts;
    QVtd v;
    unsigned int n;
    QPriTestdev d[FLEET_MAX];
    uint64_t pml4[FLEET_MAX];       /* LAB_PASID of each function: its own */
} PriFleet;

/**
 * pri_fleet_start: boot and program; all functions are enabled, each with its
 * own tables for LAB_PASID
 *
 * @n: 1 to FLEET_MAX functions
 * @vtd, @dev: more options of intel-iommu and of every pri-testdev, or NULL
 */
void pri_fleet_start(PriFleet *f, unsigned int n, const char *vtd,
                     const char *dev);
void pri_fleet_stop(PriFleet *f);

/**
 * pri_fleet_index: which function has requester id @rid; fails the test if none
 * has
 */
unsigned int pri_fleet_index(const PriFleet *f, uint16_t rid);

#endif /* PRI_LAB_LIBQOS_PRI_FLEET_H */
