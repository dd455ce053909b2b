/*
 * Configuration space of a function, or of the port above it, through sysfs
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_GUEST_PCICONF_H
#define TESTS_GUEST_PCICONF_H

#include <stdint.h>

#define PCICONF_EXP     0x10        /* capabilities */
#define PCICONF_ACS     0x000d      /* extended capabilities */
#define PCICONF_ATS     0x000f
#define PCICONF_PRI     0x0013
#define PCICONF_PASID   0x001b

struct pciconf {
    char name[64];                  /* for messages */
    uint8_t byte[4096];
};

/* Read all of it now; pci_name as in pri_testdev_info */
void pciconf_read(struct pciconf *c, const char *pci_name);
void pciconf_read_port(struct pciconf *c, const char *pci_name);

uint16_t pciconf_word(const struct pciconf *c, unsigned offset);
uint32_t pciconf_long(const struct pciconf *c, unsigned offset);

/* Offset of a capability; its absence fails the test */
unsigned pciconf_cap(const struct pciconf *c, unsigned id);
unsigned pciconf_ext(const struct pciconf *c, unsigned id);

#endif
