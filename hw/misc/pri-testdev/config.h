/*
 * pri-testdev: configuration space
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_TESTDEV_CONFIG_H
#define PRI_TESTDEV_CONFIG_H

#include "types.h"

/*
 * Who the function says it is, PCIe 6.2 7.5.1.1, 7.5.1.2.  @class_code: base
 * class, sub-class and programming interface, 24 bits.  @vf_device: VF Device
 * ID of SR-IOV; the rest is the same in Virtual Functions.
 */
typedef struct PtIdentity {
    uint16_t vendor;
    uint16_t device;
    uint16_t vf_device;
    uint16_t subsystem_vendor;
    uint16_t subsystem;
    uint8_t revision;
    uint32_t class_code;
} PtIdentity;

/**
 * pt_identity_check: can a function be found that says this?
 *
 * Returns: false with @errp set, naming the property, if not.
 */
bool pt_identity_check(const PtIdentity *id, Error **errp);

/**
 * pt_conventional_check: is the bus one for the function, and does it ask for
 * nothing that its bus does not have?
 *
 * Returns: false with @errp set if not.
 */
bool pt_conventional_check(PriTestdev *d, Error **errp);

/**
 * pt_conventional_config: take from a conventional function what is on by
 * default and is in the PCI Express capability or behind it
 */
void pt_conventional_config(PriTestdev *d);

/**
 * pt_config_realize: identity, and the capabilities that are not for ATS
 *
 * Returns: false with @errp set if it cannot be done; nothing is left behind.
 */
bool pt_config_realize(PriTestdev *d, Error **errp);
void pt_config_exit(PriTestdev *d);

/**
 * pt_config_ats_offset: where the capabilities for ATS can begin
 */
uint16_t pt_config_ats_offset(void);

/**
 * pt_acs_check: can the function have what acs=on asks for?
 *
 * Returns: false with @errp set if not.
 */
bool pt_acs_check(PriTestdev *d, Error **errp);

/**
 * pt_config_add_acs: Access Control Services, with acs=on
 *
 * Returns: the first free byte behind @offset.
 */
uint16_t pt_config_add_acs(PriTestdev *d, uint16_t offset);

/**
 * pt_config_platform_reset_offset: of PT_VNDR_RESET in configuration space
 */
uint32_t pt_config_platform_reset_offset(void);

uint32_t pt_config_read(PCIDevice *dev, uint32_t addr, int len);
void pt_config_write(PCIDevice *dev, uint32_t addr, uint32_t val, int len);

#endif /* PRI_TESTDEV_CONFIG_H */
