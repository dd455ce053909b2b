/*
 * A Page Request engine and what is around it, for its unit tests
 *
 * The other side is the test: it sees every message, and answers by hand, or
 * from inside the engine's call if it is told to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_UNIT_PRI_WORLD_H
#define TESTS_UNIT_PRI_WORLD_H

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "hw/pci/pcie_pri.h"
#include "standard-headers/linux/pci_regs.h"

#define CTRL_E      PCI_PRI_CTRL_ENABLE
#define CTRL_R      PCI_PRI_CTRL_RESET

typedef struct Done {
    uint64_t cookie;
    PciePriEnd end;
    unsigned int code;
} Done;

typedef struct World {
    PciePri pri;
    GArray *sent;           /* AtsMsg */
    GArray *done;           /* Done */
    unsigned int wakes;
    unsigned int stopping;
    unsigned int raw_responses;
    AtsMsg last_raw;
    int answer;             /* code to answer L=1 with from inside, or -1 */
    int fail_at;            /* message that meets a Response Failure, or -1 */
} World;

/**
 * world_new: an engine as it is after reset
 *
 * @pasid_required: PRG Response PASID Required
 */
World *world_new(uint32_t capacity, bool pasid_required);

/**
 * world_on: an engine of capacity 1024, enabled, that may have @allocation
 * requests outstanding, and whose responses need a PASID
 */
World *world_on(uint32_t allocation);
void world_free(World *w);

/**
 * world_submit: a group of @n pages for reading; its cookie is its PASID + 1000
 */
PciePriSubmit world_submit(World *w, uint32_t n, uint32_t pasid);

/**
 * world_respond: a PRG Response with any fields
 */
void world_respond(World *w, uint16_t prgi, uint32_t pasid, int code);

/**
 * world_sent: the message number @i since the engine was made
 */
AtsMsg *world_sent(World *w, uint32_t i);

/**
 * world_expect_done: check what the owner of a group heard, the @i-th time
 * that any heard anything
 */
void world_expect_done(World *w, uint32_t i, uint64_t cookie, PciePriEnd end,
                       unsigned int code);

/**
 * world_status: Page Request Status without PRG Response PASID Required
 */
uint16_t world_status(World *w);

#endif /* TESTS_UNIT_PRI_WORLD_H */
