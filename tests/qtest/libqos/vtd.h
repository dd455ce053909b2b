/*
 * libqos driver for the VT-d remapping hardware of q35, in scalable mode
 *
 * Register offsets, bits and structure layouts are taken from the Intel VT-d
 * architecture specification, revision 5.10, and from nowhere else: not from
 * the headers of the model that these helpers are used to test.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_LAB_LIBQOS_VTD_H
#define PRI_LAB_LIBQOS_VTD_H

#include "libqtest.h"

/* -- Registers, VT-d 11.4 -------------------------------------------------- */

#define QVTD_BASE               0xfed90000ULL

#define QVTD_VER                0x00
#define QVTD_CAP                0x08
#define QVTD_ECAP               0x10
#define QVTD_GCMD               0x18
#define QVTD_GSTS               0x1c
#define QVTD_RTADDR             0x20
#define QVTD_FSTS               0x34
#define QVTD_FECTL              0x38
#define QVTD_FEDATA             0x3c
#define QVTD_FEADDR             0x40
#define QVTD_FEUADDR            0x44
#define QVTD_IQH                0x80
#define QVTD_IQT                0x88
#define QVTD_IQA                0x90
#define QVTD_ICS                0x9c
#define QVTD_IECTL              0xa0
#define QVTD_IEDATA             0xa4
#define QVTD_IEADDR             0xa8
#define QVTD_IEUADDR            0xac
#define QVTD_IQERCD             0xb0
#define QVTD_IRTA               0xb8
#define QVTD_PQH                0xc0
#define QVTD_PQT                0xc8
#define QVTD_PQA                0xd0
#define QVTD_PRS                0xdc
#define QVTD_PECTL              0xe0
#define QVTD_PEDATA             0xe4
#define QVTD_PEADDR             0xe8
#define QVTD_PEUADDR            0xec
#define QVTD_REG_SIZE           0x230

#define QVTD_CAP_SAGAW_48       (1ULL << 10)
#define QVTD_CAP_SAGAW_57       (1ULL << 11)
#define QVTD_CAP_FRO(cap)       ((((cap) >> 24) & 0x3ff) * 16)
#define QVTD_CAP_NFR(cap)       ((((cap) >> 40) & 0xff) + 1)
#define QVTD_CAP_FS5LP          (1ULL << 60)

#define QVTD_ECAP_QI            (1ULL << 1)
#define QVTD_ECAP_DT            (1ULL << 2)
#define QVTD_ECAP_EIM           (1ULL << 4)
#define QVTD_ECAP_PT            (1ULL << 6)
#define QVTD_ECAP_SC            (1ULL << 7)
#define QVTD_ECAP_NEST          (1ULL << 26)
#define QVTD_ECAP_PRS           (1ULL << 29)
#define QVTD_ECAP_ERS           (1ULL << 30)
#define QVTD_ECAP_SRS           (1ULL << 31)
#define QVTD_ECAP_NWFS          (1ULL << 33)
#define QVTD_ECAP_PSS(ecap)     (((ecap) >> 35) & 0x1f)
#define QVTD_ECAP_PASID         (1ULL << 40)
#define QVTD_ECAP_DIT           (1ULL << 41)
#define QVTD_ECAP_PDS           (1ULL << 42)
#define QVTD_ECAP_SMTS          (1ULL << 43)
#define QVTD_ECAP_SSTS          (1ULL << 46)
#define QVTD_ECAP_FSTS          (1ULL << 47)
#define QVTD_ECAP_SMPWC         (1ULL << 48)
#define QVTD_ECAP_RPS           (1ULL << 49)
#define QVTD_ECAP_PMS           (1ULL << 51)
#define QVTD_ECAP_ADMS          (1ULL << 52)
#define QVTD_ECAP_RPRIVS        (1ULL << 53)
#define QVTD_ECAP_PTRS          (1ULL << 56)
#define QVTD_ECAP_SMS           (1ULL << 58)

#define QVTD_GCMD_TE            (1U << 31)
#define QVTD_GCMD_SRTP          (1U << 30)
#define QVTD_GCMD_QIE           (1U << 26)
#define QVTD_GCMD_IRE           (1U << 25)
#define QVTD_GCMD_SIRTP         (1U << 24)
/* the enables that a write to GCMD must repeat, 11.4.4.1 */
#define QVTD_GSTS_ENABLES       0x96800000U

#define QVTD_TTM_LEGACY         0
#define QVTD_TTM_SCALABLE       1
#define QVTD_TTM_RESERVED       2
#define QVTD_TTM_ABORT          3

#define QVTD_FSTS_PFO           (1U << 0)
#define QVTD_FSTS_PPF           (1U << 1)
#define QVTD_FSTS_IQE           (1U << 4)
#define QVTD_FSTS_ICE           (1U << 5)
#define QVTD_FSTS_ITE           (1U << 6)
#define QVTD_FSTS_DEP           (1U << 7)

#define QVTD_IQA_DW             (1ULL << 11)
#define QVTD_IQEI_TAIL          1
#define QVTD_IQEI_FETCH         2
#define QVTD_IQEI_TYPE          3
#define QVTD_IQEI_RSVD          4
#define QVTD_IQEI_WIDTH         5
#define QVTD_IQEI_ALIGN         6
#define QVTD_IQEI_TTM           7

/* FECTL, IECTL, PECTL */
#define QVTD_EVENT_IM           (1U << 31)
#define QVTD_EVENT_IP           (1U << 30)

#define QVTD_PRS_PPR            (1U << 0)
#define QVTD_PRS_PRO            (1U << 1)

/* Fault reasons that a Page Request can meet, table 30 */
#define QVTD_FR_RTA_TTM         0x30
#define QVTD_FR_RTA_LEGACY      0x32
#define QVTD_FR_RTA_ABORT       0x33
#define QVTD_FR_SRT_ACCESS      0x38
#define QVTD_FR_SRT_P           0x39
#define QVTD_FR_SRT_RSVD        0x3a
#define QVTD_FR_SCT_ACCESS      0x40
#define QVTD_FR_SCT_P           0x41
#define QVTD_FR_SCT_RSVD        0x42
#define QVTD_FR_SCT_PROG        0x43
#define QVTD_FR_SCT_PASIDE      0x45
#define QVTD_FR_SCT_PDTS        0x46
#define QVTD_FR_SCT_PRE         0x47
#define QVTD_FR_SCT_RID_PASID   0x48
#define QVTD_FR_SPD_ACCESS      0x50
#define QVTD_FR_SPD_P           0x51
#define QVTD_FR_SPD_RSVD        0x52
#define QVTD_FR_SPT_ACCESS      0x58
#define QVTD_FR_SPT_P           0x59
#define QVTD_FR_SPT_RSVD        0x5a
#define QVTD_FR_SPT_PROG        0x5b

/* -- Fields of the remapping structures, VT-d chapter 9 -------------------- */

typedef struct QVtdField {
    uint8_t word;               /* 64-bit word of the entry */
    uint8_t shift;
    uint8_t width;
} QVtdField;

#define QVTD_FIELD(word, shift, width)  ((QVtdField) { word, shift, width })

/* scalable-mode root entry, 9.2; lower half, functions with devfn < 0x80 */
#define QVTD_RE_LP              QVTD_FIELD(0, 0, 1)
#define QVTD_RE_RSVD            QVTD_FIELD(0, 1, 11)
#define QVTD_RE_LCTP            QVTD_FIELD(0, 12, 52)

/* scalable-mode context entry, 9.4 */
#define QVTD_CE_P               QVTD_FIELD(0, 0, 1)
#define QVTD_CE_FPD             QVTD_FIELD(0, 1, 1)
#define QVTD_CE_DTE             QVTD_FIELD(0, 2, 1)
#define QVTD_CE_PASIDE          QVTD_FIELD(0, 3, 1)
#define QVTD_CE_PRE             QVTD_FIELD(0, 4, 1)
#define QVTD_CE_HPTE            QVTD_FIELD(0, 5, 1)
#define QVTD_CE_EPTR            QVTD_FIELD(0, 6, 1)
#define QVTD_CE_RSVD_LO         QVTD_FIELD(0, 7, 2)
#define QVTD_CE_PDTS            QVTD_FIELD(0, 9, 3)
#define QVTD_CE_PASIDDIRPTR     QVTD_FIELD(0, 12, 52)
#define QVTD_CE_RID_PASID       QVTD_FIELD(1, 0, 20)
#define QVTD_CE_RID_PRIV        QVTD_FIELD(1, 20, 1)
#define QVTD_CE_RSVD_HI         QVTD_FIELD(1, 21, 43)
#define QVTD_CE_RSVD_2          QVTD_FIELD(2, 0, 64)
#define QVTD_CE_RSVD_3          QVTD_FIELD(3, 0, 64)

/* scalable-mode PASID directory entry, 9.5 */
#define QVTD_PDE_P              QVTD_FIELD(0, 0, 1)
#define QVTD_PDE_FPD            QVTD_FIELD(0, 1, 1)
#define QVTD_PDE_RSVD           QVTD_FIELD(0, 2, 10)
#define QVTD_PDE_SMPTBLPTR      QVTD_FIELD(0, 12, 52)

/* scalable-mode PASID table entry, 9.6 */
#define QVTD_PE_P               QVTD_FIELD(0, 0, 1)
#define QVTD_PE_FPD             QVTD_FIELD(0, 1, 1)
#define QVTD_PE_AW              QVTD_FIELD(0, 2, 3)
#define QVTD_PE_RSVD_0          QVTD_FIELD(0, 5, 1)
#define QVTD_PE_PGTT            QVTD_FIELD(0, 6, 3)
#define QVTD_PE_SSADE           QVTD_FIELD(0, 9, 1)
#define QVTD_PE_RSVD_0B         QVTD_FIELD(0, 10, 2)
#define QVTD_PE_SSPTPTR         QVTD_FIELD(0, 12, 52)
#define QVTD_PE_DID             QVTD_FIELD(1, 0, 16)
#define QVTD_PE_RSVD_1          QVTD_FIELD(1, 16, 7)
#define QVTD_PE_PWSNP           QVTD_FIELD(1, 23, 1)
#define QVTD_PE_PGSNP           QVTD_FIELD(1, 24, 1)
#define QVTD_PE_RSVD_1B         QVTD_FIELD(1, 27, 5)
#define QVTD_PE_SRE             QVTD_FIELD(2, 0, 1)
#define QVTD_PE_RSVD_2          QVTD_FIELD(2, 1, 1)
#define QVTD_PE_FSPM            QVTD_FIELD(2, 2, 2)
#define QVTD_PE_WPE             QVTD_FIELD(2, 4, 1)
#define QVTD_PE_RSVD_2B         QVTD_FIELD(2, 8, 4)
#define QVTD_PE_FSPTPTR         QVTD_FIELD(2, 12, 52)
#define QVTD_PE_RSVD_3          QVTD_FIELD(3, 0, 64)
#define QVTD_PE_HPT             QVTD_FIELD(4, 0, 64)
#define QVTD_PE_RSVD_7          QVTD_FIELD(7, 0, 64)

#define QVTD_PGTT_FIRST         1
#define QVTD_PGTT_SECOND        2
#define QVTD_PGTT_NESTED        3
#define QVTD_PGTT_PASSTHROUGH   4

/* first-stage paging entries, 9.7 */
#define QVTD_FS_P               (1ULL << 0)
#define QVTD_FS_RW              (1ULL << 1)
#define QVTD_FS_US              (1ULL << 2)
#define QVTD_FS_A               (1ULL << 5)
#define QVTD_FS_D               (1ULL << 6)
#define QVTD_FS_PS              (1ULL << 7)

#define QVTD_FS_RO              (QVTD_FS_P | QVTD_FS_US)
#define QVTD_FS_USER            (QVTD_FS_P | QVTD_FS_RW | QVTD_FS_US)

/* second-stage paging entries, 9.8 */
#define QVTD_SS_R               (1ULL << 0)
#define QVTD_SS_W               (1ULL << 1)

/* An address below the host address width with no memory behind it */
#define QVTD_NO_MEMORY          (1ULL << 45)

/* -- Descriptors ----------------------------------------------------------- */

typedef struct QVtdDesc {
    uint64_t qw[4];
} QVtdDesc;

/* Page Request Descriptor, figure 7-1 */
#define QVTD_PRD_SIZE           32
#define QVTD_PRD_TYPE(d)        ((d)->qw[0] & 0xff)
#define QVTD_PRD_PP(d)          (((d)->qw[0] >> 8) & 1)
#define QVTD_PRD_RSVD_LO(d)     ((d)->qw[0] & 0xffc000000000fe00ULL)
#define QVTD_PRD_RID(d)         (((d)->qw[0] >> 16) & 0xffff)
#define QVTD_PRD_PASID(d)       (((d)->qw[0] >> 32) & 0xfffff)
#define QVTD_PRD_EXR(d)         (((d)->qw[0] >> 52) & 1)
#define QVTD_PRD_PMR(d)         (((d)->qw[0] >> 53) & 1)
#define QVTD_PRD_RDR(d)         ((d)->qw[1] & 1)
#define QVTD_PRD_WRR(d)         (((d)->qw[1] >> 1) & 1)
#define QVTD_PRD_LPIG(d)        (((d)->qw[1] >> 2) & 1)
#define QVTD_PRD_PRGI(d)        (((d)->qw[1] >> 3) & 0x1ff)
#define QVTD_PRD_ADDR(d)        ((d)->qw[1] & ~0xfffULL)

/* Invalidation Wait Descriptor, figure 6-9 */
#define QVTD_WAIT_IF            (1ULL << 4)
#define QVTD_WAIT_SW            (1ULL << 5)
#define QVTD_WAIT_FN            (1ULL << 6)
#define QVTD_WAIT_PD            (1ULL << 7)

/* Page Group Response Descriptor, figure 7-2; pasid may be QVTD_NO_PASID */
#define QVTD_NO_PASID           UINT32_MAX

/* Device-TLB invalidation of everything, table 28 */
#define QVTD_INV_ALL            0x7ffffffffffff000ULL

/* -- One fault recording register, 11.4.7.6 -------------------------------- */

typedef struct QVtdFault {
    uint64_t lo;
    uint64_t hi;
} QVtdFault;

#define QVTD_FAULT_F(f)         (((f)->hi >> 63) & 1)
#define QVTD_FAULT_T1(f)        (((f)->hi >> 62) & 1)
#define QVTD_FAULT_AT(f)        (((f)->hi >> 60) & 3)
#define QVTD_FAULT_PV(f)        (((f)->hi >> 40) & 0xfffff)
#define QVTD_FAULT_FR(f)        (((f)->hi >> 32) & 0xff)
#define QVTD_FAULT_PP(f)        (((f)->hi >> 31) & 1)
#define QVTD_FAULT_EXE(f)       (((f)->hi >> 30) & 1)
#define QVTD_FAULT_PRIV(f)      (((f)->hi >> 29) & 1)
#define QVTD_FAULT_T2(f)        (((f)->hi >> 28) & 1)
#define QVTD_FAULT_SID(f)       ((f)->hi & 0xffff)
#define QVTD_FAULT_FI(f)        ((f)->lo & ~0xfffULL)

#define QVTD_FAULT_AT_TRANSLATION   1

typedef struct QVtd {
    QTestState *qts;
    uint64_t cap;
    uint64_t ecap;
    uint64_t next;              /* next free page of guest memory */
    uint64_t root;              /* root table */
    uint64_t iq;                /* invalidation queue */
    uint32_t iq_size;           /* bytes */
    uint32_t iq_tail;           /* where the next descriptor goes */
    uint32_t iq_entry;          /* 16 or 32 bytes */
    uint64_t status;            /* page for wait status words */
    uint32_t status_next;       /* next value and slot of a wait */
    uint64_t prq;               /* page request queue */
    uint32_t prq_size;          /* bytes */
} QVtd;

/**
 * qvtd_init: get to know the unit; programs nothing
 */
void qvtd_init(QVtd *v, QTestState *qts);

/**
 * qvtd_alloc: @pages zeroed, contiguous pages of guest memory, never freed
 */
uint64_t qvtd_alloc(QVtd *v, unsigned int pages);

uint32_t qvtd_readl(QVtd *v, unsigned int reg);
uint64_t qvtd_readq(QVtd *v, unsigned int reg);
void qvtd_writel(QVtd *v, unsigned int reg, uint32_t value);
void qvtd_writeq(QVtd *v, unsigned int reg, uint64_t value);

/**
 * qvtd_gcmd: give a command or change enables and check that GSTS follows
 */
void qvtd_gcmd(QVtd *v, uint32_t set, uint32_t clear);

/**
 * qvtd_set_root: Set Root Table Pointer to @root with translation mode @ttm
 */
void qvtd_set_root(QVtd *v, uint64_t root, unsigned int ttm);

/**
 * qvtd_start: root table in scalable mode, 256-bit invalidation queue,
 * translation enabled; no function has a context entry yet
 */
void qvtd_start(QVtd *v);

/* -- Remapping structures -------------------------------------------------- */

/* Addresses of entries; what leads there must be present */
uint64_t qvtd_root_entry(QVtd *v, uint16_t rid);
uint64_t qvtd_context_entry(QVtd *v, uint16_t rid);
uint64_t qvtd_pasid_dir_entry(QVtd *v, uint16_t rid, uint32_t pasid);
uint64_t qvtd_pasid_entry(QVtd *v, uint16_t rid, uint32_t pasid);

uint64_t qvtd_get(QVtd *v, uint64_t entry, QVtdField field);
void qvtd_set(QVtd *v, uint64_t entry, QVtdField field, uint64_t value);

/**
 * qvtd_device_setup: context entry with P, and of DTE, PASIDE and PRE what ECAP
 * knows, and RID_PASID 0
 *
 * @pdts: the PASID directory has 2^(@pdts + 7) entries of 64 PASIDs each
 */
void qvtd_device_setup(QVtd *v, uint16_t rid, unsigned int pdts);

/**
 * qvtd_pasid_setup: first-stage PASID entry with empty page tables; PWSNP is
 * set if hardware can set Accessed and Dirty (ECAP.SMPWC)
 *
 * Returns: address of the top table (FS-PML4), for qvtd_fs_map()
 */
uint64_t qvtd_pasid_setup(QVtd *v, uint16_t rid, uint32_t pasid, uint16_t did);

/**
 * qvtd_fs_map: map one 4 KiB page at @iova to @pa with flags QVTD_FS_*;
 * Accessed and Dirty on top if hardware cannot set them
 *
 * Returns: address of the PTE. Flags 0 make it not present.
 */
uint64_t qvtd_fs_map(QVtd *v, uint64_t pml4, uint64_t iova, uint64_t pa,
                     uint64_t flags);

/**
 * qvtd_ss_map: the same for second-stage tables, flags QVTD_SS_*
 */
uint64_t qvtd_ss_map(QVtd *v, uint64_t pml4, uint64_t iova, uint64_t pa,
                     uint64_t flags);

/* -- Queued invalidation --------------------------------------------------- */

/**
 * qvtd_qi_start: (re)start the queue with 2^@qs pages of 128-bit (@dw false)
 * or 256-bit descriptors
 */
void qvtd_qi_start(QVtd *v, unsigned int qs, bool dw);

/**
 * qvtd_qi_put: write a descriptor at the tail without telling the hardware
 *
 * Returns: its address in guest memory
 */
uint64_t qvtd_qi_put(QVtd *v, const QVtdDesc *desc);

/**
 * qvtd_qi_ring: write IQT
 */
void qvtd_qi_ring(QVtd *v);

/**
 * qvtd_qi_idle: has everything been fetched (IQH == IQT)?
 */
bool qvtd_qi_idle(QVtd *v);

QVtdDesc qvtd_desc_cc_global(void);
QVtdDesc qvtd_desc_iotlb_global(void);
QVtdDesc qvtd_desc_pc_global(void);
QVtdDesc qvtd_desc_piotlb(uint16_t did, uint32_t pasid);
QVtdDesc qvtd_desc_dev_tlb(uint16_t rid, uint64_t addr, bool size);
QVtdDesc qvtd_desc_dev_ptlb(uint16_t rid, uint32_t pasid, uint64_t addr,
                            bool size, bool global);
QVtdDesc qvtd_desc_response(uint16_t rid, uint32_t pasid, uint16_t prgi,
                            unsigned int code);

/**
 * qvtd_desc_wait: wait descriptor; with QVTD_WAIT_SW it gets a status word of
 * its own, which qvtd_wait_done() looks at
 *
 * @slot: set to the slot of the status word
 */
QVtdDesc qvtd_desc_wait(QVtd *v, uint64_t flags, uint32_t *slot);
bool qvtd_wait_done(QVtd *v, uint32_t slot);

/**
 * qvtd_submit: put one descriptor and ring
 */
void qvtd_submit(QVtd *v, QVtdDesc desc);

/**
 * qvtd_wait: submit a wait descriptor with @flags | SW and check that it
 * completes without the virtual clock moving
 */
void qvtd_wait(QVtd *v, uint64_t flags);

/**
 * qvtd_flush: invalidate the context cache, PASID cache and IOTLB, all of them
 */
void qvtd_flush(QVtd *v);

/**
 * qvtd_respond: submit one Page Group Response and check that it was fetched
 */
void qvtd_respond(QVtd *v, uint16_t rid, uint32_t pasid, uint16_t prgi,
                  unsigned int code);

/**
 * qvtd_expect_iqe: submit @desc, check that it stops the queue with IQEI
 * @iqei and the head on it, replace it by a harmless descriptor, clear IQE and
 * check that the hardware goes on by itself (6.5.2.11)
 */
void qvtd_expect_iqe(QVtd *v, QVtdDesc desc, unsigned int iqei);

/* -- Page request queue ---------------------------------------------------- */

/**
 * qvtd_prq_start: a queue of 2^@pqs pages, as 7.4.1 wants it set up
 */
void qvtd_prq_start(QVtd *v, unsigned int pqs);

/**
 * qvtd_prq_pending: descriptors between PQH and PQT
 */
unsigned int qvtd_prq_pending(QVtd *v);

/**
 * qvtd_prq_read: the descriptor @n places after PQH
 */
void qvtd_prq_read(QVtd *v, unsigned int n, QVtdDesc *prd);

/**
 * qvtd_prq_pop: take the descriptor at PQH and move PQH on
 *
 * Returns: false if the queue is empty
 */
bool qvtd_prq_pop(QVtd *v, QVtdDesc *prd);

/**
 * qvtd_prq_drop_all: set PQH to PQT
 */
void qvtd_prq_drop_all(QVtd *v);

/* -- Faults and events ----------------------------------------------------- */

/**
 * qvtd_fault: read the fault recording register that FSTS.FRI names
 *
 * Returns: its F bit
 */
bool qvtd_fault(QVtd *v, QVtdFault *fault);

/**
 * qvtd_fault_clear: clear F everywhere, and all of FSTS
 */
void qvtd_fault_clear(QVtd *v);

/**
 * qvtd_msi_setup: program address and data of an event
 *
 * @ctl: QVTD_FECTL, QVTD_IECTL or QVTD_PECTL; IM is not touched
 */
void qvtd_msi_setup(QVtd *v, unsigned int ctl, uint64_t addr, uint16_t data);

/* Counters of MSIs sent, read from the device: "x-msis" and so on */
uint64_t qvtd_counter(QVtd *v, const char *name);

/**
 * qvtd_has_property, qvtd_set_property: a knob of the unit, for qom-set
 */
bool qvtd_has_property(QVtd *v, const char *name);
void qvtd_set_property(QVtd *v, const char *name, const char *json);

#endif /* PRI_LAB_LIBQOS_VTD_H */
