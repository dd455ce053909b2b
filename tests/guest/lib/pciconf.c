/*
 * Configuration space of a function, or of the port above it, through sysfs
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ktap.h"
#include "pciconf.h"

#define DEVICES "/sys/bus/pci/devices/"

static void read_file(struct pciconf *c, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    CHECK(fd >= 0, "%s: %s", path, strerror(errno));
    CHECK(pread(fd, c->byte, sizeof(c->byte), 0) == sizeof(c->byte),
          "%s is not 4096 bytes", path);
    close(fd);
}

void pciconf_read(struct pciconf *c, const char *pci_name)
{
    char path[128];

    snprintf(c->name, sizeof(c->name), "%s", pci_name);
    snprintf(path, sizeof(path), DEVICES "%s/config", pci_name);
    read_file(c, path);
}

void pciconf_read_port(struct pciconf *c, const char *pci_name)
{
    char path[128];

    /* the entry is a link to the place in the tree */
    snprintf(c->name, sizeof(c->name), "the port above %s", pci_name);
    snprintf(path, sizeof(path), DEVICES "%s/../config", pci_name);
    read_file(c, path);
}

uint16_t pciconf_word(const struct pciconf *c, unsigned offset)
{
    return c->byte[offset] | c->byte[offset + 1] << 8;
}

uint32_t pciconf_long(const struct pciconf *c, unsigned offset)
{
    return pciconf_word(c, offset) |
           (uint32_t)pciconf_word(c, offset + 2) << 16;
}

unsigned pciconf_cap(const struct pciconf *c, unsigned id)
{
    unsigned at = c->byte[0x34] & 0xfc, left = 48;

    while (at && left--) {
        if (c->byte[at] == id) {
            return at;
        }
        at = c->byte[at + 1] & 0xfc;
    }
    FAIL("%s has no capability 0x%02x", c->name, id);
}

unsigned pciconf_ext(const struct pciconf *c, unsigned id)
{
    unsigned at = 0x100, left = 960;

    while (at && left--) {
        if (pciconf_word(c, at) == id) {
            return at;
        }
        at = pciconf_long(c, at) >> 20 & 0xffc;
    }
    FAIL("%s has no extended capability 0x%04x", c->name, id);
}
