/*
 * libqos driver for pri-testdev, behind a root port of q35
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_LAB_LIBQOS_PRI_TESTDEV_H
#define PRI_LAB_LIBQOS_PRI_TESTDEV_H

#include "libqtest.h"
#include "hw/misc/pri-testdev-knobs.h"
#include "hw/misc/pri-testdev-regs.h"

/* Capability registers, PCIe 6.2 chapters 7 and 10 */
#define QPT_CAP_ID_PM           0x01
#define QPT_CAP_ID_VNDR         0x09
#define QPT_CAP_ID_EXP          0x10
#define QPT_CAP_ID_MSIX         0x11
#define QPT_CAP_ID_AF           0x13
#define QPT_EXT_ID_AER          0x0001
#define QPT_EXT_ID_ACS          0x000d
#define QPT_EXT_ID_ATS          0x000f
#define QPT_EXT_ID_PRI          0x0013
#define QPT_EXT_ID_PASID        0x001b

#define QPT_ATS_CAP             4
#define QPT_ATS_CTRL            6
#define QPT_ATS_CTRL_E          (1 << 15)
#define QPT_PRI_CTRL            4
#define QPT_PRI_CTRL_E          (1 << 0)
#define QPT_PRI_CTRL_RESET      (1 << 1)
#define QPT_PRI_STATUS          6
#define QPT_PRI_STATUS_RF       (1 << 0)
#define QPT_PRI_STATUS_UPRGI    (1 << 1)
#define QPT_PRI_STATUS_STOPPED  (1 << 8)
#define QPT_PRI_STATUS_PASID    (1 << 15)
#define QPT_PRI_CAPACITY        8
#define QPT_PRI_ALLOC           12
#define QPT_PASID_CAP           4
#define QPT_PASID_CTRL          6
#define QPT_PASID_CTRL_E        (1 << 0)
#define QPT_PASID_CTRL_EXEC     (1 << 1)
#define QPT_PASID_CTRL_PRIV     (1 << 2)
#define QPT_EXP_DEVCAP          4
#define QPT_EXP_DEVCAP_FLR      (1 << 28)
#define QPT_EXP_DEVCTL          8
#define QPT_EXP_DEVCTL_FLR      (1 << 15)

/* PRG Response Codes, PCIe 6.2 table 10-7 */
#define QPT_SUCCESS             0x0
#define QPT_INVALID_REQUEST     0x1
#define QPT_RESPONSE_FAILURE    0xf
/* 4-bit code that no PRG Response has, for "no response" */
#define QPT_NO_RESPONSE         0x10

typedef struct QPriTestdev {
    QTestState *qts;
    unsigned int port;          /* device number of the root port, bus 0 */
    uint16_t rid;
    uint64_t bar0;
    uint64_t bar2;
    uint16_t exp;               /* offsets of capabilities */
    uint16_t msix;
    uint16_t ats;
    uint16_t pri;
    uint16_t pasid;
    unsigned int channels;
} QPriTestdev;

/* A channel operation; fields as in the registers of the same name */
typedef struct QPtOp {
    uint32_t cmd;
    uint32_t flags;
    uint32_t pasid;
    uint64_t src;
    uint64_t dst;
    uint64_t len;
    uint64_t pattern;
    uint32_t group;             /* 0: leave at the default */
    uint32_t retries;           /* 0: leave at the default */
    uint64_t list;              /* with PT_FLAG_GATHER or PT_FLAG_SCATTER */
    uint32_t list_len;
} QPtOp;

/* No PASID TLP prefix */
#define QPT_NO_PASID            UINT32_MAX

/* A raw Page Request; pasid may be QPT_NO_PASID */
typedef struct QPtRaw {
    uint64_t addr;
    uint32_t pasid;
    uint32_t flags;             /* PT_RAW_READ .. */
    uint32_t prgi;
} QPtRaw;

/* -- Configuration space of any function, through ECAM --------------------- */

void qpt_ecam_enable(QTestState *qts);
uint64_t qpt_ecam(uint16_t rid, unsigned int offset);

/**
 * qpt_bridge_range: bus numbers of the bridge @rid, and its memory window
 * [@base, @base + @size)
 */
void qpt_bridge_range(QTestState *qts, uint16_t rid, uint8_t secondary,
                      uint8_t subordinate, uint64_t base, uint64_t size);

/**
 * qpt_bridge_setup: bus numbers and memory window of the root port in slot
 * @port of bus 0
 */
void qpt_bridge_setup(QTestState *qts, unsigned int port, uint8_t bus,
                      uint64_t base);

/**
 * qpt_init: find the function behind root port @port, give it bus number @bus
 * and BARs, and set Memory Space Enable; Bus Master Enable stays clear
 *
 * Fails the test if there is no pri-testdev.
 */
void qpt_init(QPriTestdev *d, QTestState *qts, unsigned int port, uint8_t bus);

/**
 * qpt_init_function: the same for function @fn of a device with several, which
 * have at most 31 channels each; function 0 alone may have more
 */
void qpt_init_function(QPriTestdev *d, QTestState *qts, unsigned int port,
                       uint8_t bus, unsigned int fn);

/**
 * qpt_init_at: the same behind bridges that are set up, with @base as the begin
 * of the memory window above it, whatever its identity is
 */
void qpt_init_at(QPriTestdev *d, QTestState *qts, uint16_t rid, uint64_t base);

uint16_t qpt_config_readw(QPriTestdev *d, unsigned int offset);
uint32_t qpt_config_readl(QPriTestdev *d, unsigned int offset);
void qpt_config_writew(QPriTestdev *d, unsigned int offset, uint16_t value);
void qpt_config_writel(QPriTestdev *d, unsigned int offset, uint32_t value);

/**
 * qpt_find_cap, qpt_find_ext_cap: offset of a capability, 0 if there is none
 */
uint16_t qpt_find_cap(QPriTestdev *d, uint8_t id);
uint16_t qpt_find_ext_cap(QPriTestdev *d, uint16_t id);

/* -- What a driver does ---------------------------------------------------- */

/**
 * qpt_enable: Bus Master Enable, then PASID, PRI and ATS, in the order that
 * leaves every enable defined (PCIe 6.2 10.5.1, VT-d 4.5.1)
 *
 * @alloc: Outstanding Page Request Allocation; 0: all of the capacity
 */
void qpt_enable(QPriTestdev *d, uint32_t alloc);

void qpt_pri_disable(QPriTestdev *d);

/**
 * qpt_flr: Function Level Reset, with the virtual time that it may take
 */
void qpt_flr(QPriTestdev *d);

/**
 * qpt_restore: BARs, Memory Space Enable and MSI-X after a reset
 */
void qpt_restore(QPriTestdev *d);

/**
 * qpt_msix: enable MSI-X, with every vector at @addr and data @data + vector
 */
void qpt_msix(QPriTestdev *d, uint64_t addr, uint32_t data);

uint32_t qpt_readl(QPriTestdev *d, unsigned int offset);
uint64_t qpt_readq(QPriTestdev *d, unsigned int offset);
void qpt_writel(QPriTestdev *d, unsigned int offset, uint32_t value);
void qpt_writeq(QPriTestdev *d, unsigned int offset, uint64_t value);

uint32_t qpt_ch_readl(QPriTestdev *d, unsigned int ch, unsigned int offset);
uint64_t qpt_ch_readq(QPriTestdev *d, unsigned int ch, unsigned int offset);

/**
 * qpt_knob_hash: what PT_KNOB_NAME takes for a name
 */
uint32_t qpt_knob_hash(const char *name);

/**
 * qpt_knob_set: turn a knob of the function by its registers
 *
 * @knob: PT_KNOB_* of pri-testdev-knobs.h; with PT_KNOB_IOMMU one of
 *        vtd-knobs.h
 *
 * Returns: PT_KNOB_STATUS
 */
uint32_t qpt_knob_set(QPriTestdev *d, uint32_t knob, uint64_t value);
uint64_t qpt_knob_get(QPriTestdev *d, uint32_t knob);

/**
 * qpt_start: program channel @ch and start the operation
 */
void qpt_start(QPriTestdev *d, unsigned int ch, const QPtOp *op);

/**
 * qpt_wait: poll until channel @ch is not running; bounded
 *
 * Returns: PT_ST_*; PT_ST_RUNNING if it does not end. The virtual clock is
 * not moved.
 */
uint32_t qpt_wait(QPriTestdev *d, unsigned int ch);

/**
 * qpt_run: start and wait
 */
uint32_t qpt_run(QPriTestdev *d, unsigned int ch, const QPtOp *op);

/**
 * qpt_raw: send a Page Request with exactly these fields
 */
void qpt_raw(QPriTestdev *d, const QPtRaw *raw);

/**
 * qpt_raw_response: take the last response to a raw request
 *
 * @prgi, @pasid: set to those of the response, @pasid to QPT_NO_PASID if it
 *                has none; may be NULL
 *
 * Returns: response code, or QPT_NO_RESPONSE
 */
unsigned int qpt_raw_response(QPriTestdev *d, uint32_t *prgi,
                              uint32_t *pasid);

#endif /* PRI_LAB_LIBQOS_PRI_TESTDEV_H */
