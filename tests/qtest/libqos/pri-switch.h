/*
 * A pri-testdev below a switch: the machine of pri-lab.h with two ports more on
 * the way
 *
 *   bus 0   root port --- bus 1   Upstream Port --- bus 2   Downstream Ports
 *   bus 3   pri-testdev   bus 4   another one, with PRI_SWITCH_PEER
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_LAB_LIBQOS_PRI_SWITCH_H
#define PRI_LAB_LIBQOS_PRI_SWITCH_H

#include "libqos/pri-root-port.h"

/* In the order in which what the function sends meets them */
enum {
    PRI_SWITCH_DOWN,
    PRI_SWITCH_UP,
    PRI_SWITCH_ROOT,
    PRI_SWITCH_PORTS,
};

typedef struct PriSwitch {
    PriLab lab;                 /* lab.d2 is the peer */
    QRootPort port[PRI_SWITCH_PORTS];
} PriSwitch;

/**
 * pri_switch_start: boot and program, as pri_lab_start_with()
 *
 * @vtd, @down, @dev: more options of intel-iommu, of the Downstream Ports and
 *                    of both functions, or NULL
 */
void pri_switch_start(PriSwitch *s, const char *vtd, const char *down,
                      const char *dev);

/**
 * pri_switch_start_with: the same with @more options of QEMU at the end, or ""
 */
void pri_switch_start_with(PriSwitch *s, const char *vtd, const char *down,
                           const char *dev, const char *more);

/**
 * pri_switch_quiet: clear the errors of all ports, and unmask all
 */
void pri_switch_quiet(PriSwitch *s);

/**
 * pri_switch_expect: port @n reports @uncor, QRP_AER_*, as an advisory error if
 * @advisory, and no other port anything; then all is clear again
 *
 * With @uncor 0 no port does.
 */
void pri_switch_expect(PriSwitch *s, unsigned int n, uint32_t uncor,
                       bool advisory);

#endif /* PRI_LAB_LIBQOS_PRI_SWITCH_H */
