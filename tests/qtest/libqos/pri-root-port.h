/*
 * libqos driver for pri-root-port on bus 0 of q35
 *
 * Offsets and bits are those of PCIe 6.2 7.5.3 and 7.9.14.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_LAB_LIBQOS_PRI_ROOT_PORT_H
#define PRI_LAB_LIBQOS_PRI_ROOT_PORT_H

#include "libqos/pri-lab.h"
#include "hw/misc/pri-root-port-regs.h"

/* PCI Express Capability */
#define QRP_DEVCTL              0x08
#define QRP_DEVCTL_CERE         (1 << 0)
#define QRP_DEVCTL_NFERE        (1 << 1)
#define QRP_DEVCTL_FERE         (1 << 2)
#define QRP_DEVSTA              0x0a
#define QRP_DEVSTA_CED          (1 << 0)
#define QRP_LNKCTL              0x10
#define QRP_LNKCTL_LD           (1 << 4)
#define QRP_LNKSTA              0x12
#define QRP_LNKSTA_DLLLA        (1 << 13)
#define QRP_SLTCTL              0x18
#define QRP_SLTCTL_HPIE         (1 << 5)
#define QRP_SLTCTL_ABPE         (1 << 0)
#define QRP_SLTCTL_EIC          (1 << 11)   /* toggles the interlock */
#define QRP_SLTCTL_DLLSCE       (1 << 12)
#define QRP_SLTCTL_ON           0x01c0  /* indicator of power on, power on */
#define QRP_SLTCTL_OFF          0x07c0  /* indicator off, power off */
#define QRP_SLTSTA              0x1a
#define QRP_SLTSTA_ABP          (1 << 0)
#define QRP_SLTSTA_PDC          (1 << 3)
#define QRP_SLTSTA_CC           (1 << 4)
#define QRP_SLTSTA_PDS          (1 << 6)
#define QRP_SLTSTA_EIS          (1 << 7)    /* the interlock is closed */
#define QRP_SLTSTA_DLLSC        (1 << 8)

/* Advanced Error Reporting of a root port */
#define QRP_AER_ROOT_CMD        0x2c
#define QRP_AER_ROOT_STATUS     0x30
#define QRP_AER_COR_RCV         (1 << 0)
#define QRP_AER_UNCOR_RCV       (1 << 2)
#define QRP_AER_NONFATAL_RCV    (1 << 5)
#define QRP_AER_FATAL_RCV       (1 << 6)
#define QRP_AER_SOURCE          0x34    /* 15:0 correctable, 31:16 not */

/* Advanced Error Reporting of any port */
#define QRP_AER_UNCOR           0x04
#define QRP_AER_UNCOR_MASK      0x08
#define QRP_AER_UR              (1 << 20)
#define QRP_AER_ACSV            (1 << 21)
#define QRP_AER_PREFIX          (1 << 25)   /* TLP Prefix Blocked Error */
#define QRP_AER_COR             0x10
#define QRP_AER_COR_MASK        0x14
#define QRP_AER_ADVISORY        (1 << 13)
#define QRP_AER_HEADER          0x1c
#define QRP_AER_TLP_PREFIX      0x38

/* Access Control Services, 7.7.11 */
#define QRP_ACS_CAP             0x04
#define QRP_ACS_CTL             0x06
#define QRP_ACS_SV              (1 << 0)
#define QRP_ACS_TB              (1 << 1)
#define QRP_ACS_RR              (1 << 2)
#define QRP_ACS_CR              (1 << 3)
#define QRP_ACS_UF              (1 << 4)
#define QRP_ACS_DT              (1 << 6)

#define QRP_DEVCTL2             0x28
#define QRP_DEVCTL2_EETLPPB     (1 << 15)

/* Secondary Status of a bridge */
#define QRP_SEC_STATUS          0x1e
#define QRP_SEC_STA             (1 << 11)   /* Signaled Target Abort */

/* Downstream Port Containment */
#define QRP_DPC_CAP             0x04
#define QRP_DPC_CTL             0x06
#define QRP_DPC_CTL_FATAL       (1 << 0)
#define QRP_DPC_CTL_NONFATAL    (1 << 1)
#define QRP_DPC_CTL_INT         (1 << 3)
#define QRP_DPC_CTL_COR         (1 << 4)
#define QRP_DPC_CTL_SW          (1 << 6)
#define QRP_DPC_STATUS          0x08
#define QRP_DPC_TRIGGERED       (1 << 0)
#define QRP_DPC_INTERRUPT       (1 << 3)
#define QRP_DPC_REASONS         0x66
#define QRP_DPC_REASON(s)       (((s) >> 1) & 3)
#define QRP_DPC_EXTENSION(s)    (((s) >> 5) & 3)
#define QRP_DPC_SOURCE          0x0a

typedef struct QRootPort {
    QTestState *qts;
    uint16_t rid;
    uint16_t exp;               /* offsets of capabilities, 0: there is none */
    uint16_t msix;
    uint16_t aer;
    uint16_t acs;
    uint16_t dpc;
    uint16_t vsec;
} QRootPort;

/**
 * qrp_find_port: any PCI Express port, with what it has of the capabilities
 */
void qrp_find_port(QRootPort *p, QTestState *qts, uint16_t rid);

/**
 * qrp_init: the port in slot @slot of bus 0; configuration space must work
 */
void qrp_init(QRootPort *p, QTestState *qts, unsigned int slot);

uint16_t qrp_readw(QRootPort *p, unsigned int offset);
uint32_t qrp_readl(QRootPort *p, unsigned int offset);
void qrp_writew(QRootPort *p, unsigned int offset, uint16_t value);
void qrp_writel(QRootPort *p, unsigned int offset, uint32_t value);

/**
 * qrp_knob: turn a knob of the port by its registers
 *
 * @knob: PRP_KNOB_*
 *
 * Returns: PRP_VSEC_KNOB_STATUS
 */
uint32_t qrp_knob(QRootPort *p, uint32_t knob, uint32_t value);

/**
 * qrp_msix: let the port's vector write @data to @addr
 *
 * Uses the last page of the window that the port has, below BAR2 of the card.
 */
void qrp_msix(QRootPort *p, uint64_t bar, uint64_t addr, uint32_t data);

/**
 * qrp_link_up: Data Link Layer Link Active
 */
bool qrp_link_up(QRootPort *p);

/**
 * qrp_slot: Slot Status; events are left
 */
uint16_t qrp_slot(QRootPort *p);

/**
 * qrp_slot_clear: clear all events of Slot Status
 */
void qrp_slot_clear(QRootPort *p);

/**
 * qrp_expect_absent, qrp_expect_fresh: what is below cannot be reached, or can,
 * as after a reset; then it is set up again by lab_restart()
 */
void qrp_expect_absent(PriLab *lab);
void qrp_expect_fresh(PriLab *lab);

/**
 * lab_restart: BARs, enables and a DMA of one page, which must succeed
 */
void lab_restart(PriLab *lab);

#endif /* PRI_LAB_LIBQOS_PRI_ROOT_PORT_H */
