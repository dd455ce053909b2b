/*
 * The pri-root-port above a function: its configuration space, its knobs, its
 * slot
 *
 * All fail the test when they cannot do their work.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_GUEST_PORT_H
#define TESTS_GUEST_PORT_H

#include "hw/misc/pri-root-port-regs.h"
#include "pt.h"

struct port {
    char name[32];          /* as in /sys/bus/pci/devices */
    char below[32];         /* the function below it */
    char slot[32];          /* in /sys/bus/pci/slots; "": no hot-plug driver */
    int config;             /* its configuration space */
    unsigned exp;           /* offsets of capabilities, 0: none */
    unsigned dpc;
    unsigned vsec;
};

/*
 * The port above the n-th function that the driver has, in order of their
 * names, or above the one of that name; skips the test if that is no
 * pri-root-port.  Nodes are numbered as
 * functions come: port_node() is the one of the function now.
 */
void port_open(struct port *port, unsigned n);
void port_open_above(struct port *port, const char *function);
unsigned port_node(struct port *port);
void port_close(struct port *port);

uint32_t port_rd32(struct port *port, unsigned offset);
uint16_t port_rd16(struct port *port, unsigned offset);
void port_wr16(struct port *port, unsigned offset, uint16_t value);

/* Turn a knob, PRP_KNOB_*; it stays when the process ends */
void port_knob(struct port *port, const char *knob, uint32_t value);

/* Slot power, as pciehp switches it; on returns when the card is there */
void port_power(struct port *port, bool on);

/* Wait until the kernel has forgotten the function, or knows it again */
void port_wait_gone(struct port *port, unsigned ms);
unsigned port_wait_back(struct port *port, unsigned ms);    /* index of node */

/* pt_check_works() by a new file of that index */
void port_check_works(unsigned index);

#endif
