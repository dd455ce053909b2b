/*
 * The machine of the tests of a function that know no IOMMU
 *
 * q35 with an ats-test-agent (hw/misc/ats-test-agent.h) and a pri-testdev
 * behind a root port, with PASID, Page Requests and ATS enabled.  The agent
 * answers Translation Requests from its table, which is empty at first, and
 * nothing else; a test tells it what to send.  Whatever the function sends is
 * recorded in order, and a test looks at it record by record.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_LAB_LIBQOS_AGENT_H
#define PRI_LAB_LIBQOS_AGENT_H

#include "libqtest.h"
#include "libqos/lab-rows.h"
#include "libqos/pri-testdev.h"
#include "hw/misc/ats-test-agent.h"

#define AGENT_PASID     0xabcdeU            /* needs all 20 bits */
#define AGENT_IOVA      0x00007f1234568000ULL   /* aligned to 32 KiB */
#define AGENT_RAM       0x2000000ULL        /* where nothing else is */
#define AGENT_PAGE      4096ULL
#define AGENT_INV_ALL   0x7ffffffffffff000ULL   /* with S: every address */

typedef struct AgentLab {
    QTestState *qts;
    uint64_t bar;               /* of the agent */
    QPriTestdev d;
} AgentLab;

typedef struct AgentRecord {
    uint64_t kind, rid, pasid, addr, tag, code, flags;
} AgentRecord;

/**
 * agent_lab_boot: the machine, with nothing of the function enabled
 *
 * @dev: options of pri-testdev, or NULL
 * @more: more arguments for QEMU, or NULL
 */
void agent_lab_boot(AgentLab *lab, const char *dev, const char *more);

/**
 * agent_lab_start: the same with everything enabled
 *
 * @alloc: Outstanding Page Request Allocation; 0: all of the capacity
 */
void agent_lab_start(AgentLab *lab, const char *dev, uint32_t alloc);
void agent_lab_stop(AgentLab *lab);

/* -- What the agent is told ------------------------------------------------ */

/**
 * agent_map: pages of the function from @iova on are at @pa
 *
 * @size: bytes, a power of two that @iova is aligned to
 * @flags: ATA_READ, ATA_WRITE and so on
 */
void agent_map(AgentLab *lab, uint32_t pasid, uint64_t iova, uint64_t pa,
               uint64_t size, uint32_t flags);

/**
 * agent_fail: Translation Requests for the page end with @code, ATA_TR_*
 */
void agent_fail(AgentLab *lab, uint32_t pasid, uint64_t iova, uint32_t code);

/**
 * agent_put: a translation in which each field is the caller's
 */
void agent_put(AgentLab *lab, const uint64_t fields[ATA_FIELDS]);
void agent_unmap(AgentLab *lab, uint32_t pasid, uint64_t iova);

void agent_respond(AgentLab *lab, uint32_t pasid, uint32_t prgi,
                   unsigned int code);

/**
 * agent_invalidate: send an Invalidate Request
 *
 * @addr: its address field; @flags: ATA_INV_SIZE, ATA_INV_GLOBAL
 */
void agent_invalidate(AgentLab *lab, uint32_t pasid, uint64_t addr,
                      unsigned int itag, uint32_t flags);

/* -- What it has seen ------------------------------------------------------ */

/**
 * agent_records: how many there are that nobody has taken
 */
unsigned int agent_records(AgentLab *lab);

/**
 * agent_take: the oldest record; kind is ATA_NOTHING if there is none
 */
AgentRecord agent_take(AgentLab *lab);

/**
 * agent_take_kind: the oldest of that kind; those before it are lost
 */
AgentRecord agent_take_kind(AgentLab *lab, AtaKind kind);

/**
 * agent_forget: lose all records
 */
void agent_forget(AgentLab *lab);

/**
 * agent_count: records of a kind; all are lost
 */
unsigned int agent_count(AgentLab *lab, AtaKind kind);

/* -- What the function is told --------------------------------------------- */

/**
 * agent_op: an operation at @iova; @pasid may be QPT_NO_PASID
 */
QPtOp agent_op(uint32_t cmd, uint32_t pasid, uint64_t iova, uint64_t len);

/**
 * agent_touch: read or write 8 bytes at @iova with channel 7; do not ask for
 * the page
 *
 * Returns: PT_ST_*
 */
uint32_t agent_touch(AgentLab *lab, uint32_t cmd, uint32_t pasid,
                     uint64_t iova);

/**
 * agent_cached: does the function read @iova without a Translation Request?
 */
bool agent_cached(AgentLab *lab, uint32_t pasid, uint64_t iova);

/**
 * agent_fault: channel @ch writes to one page, which is absent
 *
 * Returns: the Page Request
 */
AgentRecord agent_fault(AgentLab *lab, unsigned int ch, uint32_t pasid,
                        uint64_t iova);

uint16_t agent_pri_status(AgentLab *lab);

/**
 * agent_test_init: what every main() of these tests starts with
 */
void agent_test_init(int *argc, char ***argv);

#endif /* PRI_LAB_LIBQOS_AGENT_H */
