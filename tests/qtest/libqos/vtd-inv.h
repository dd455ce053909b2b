/*
 * Queued invalidation of VT-d, as its own tests need it: descriptors field by
 * field, the state of the queue in one look, and the Invalidate Requests that
 * went down the link
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_LAB_LIBQOS_VTD_INV_H
#define PRI_LAB_LIBQOS_VTD_INV_H

#include "libqos/pri-lab.h"

#define QINV_MS                 1000000LL   /* of the virtual clock, in ns */
#define QINV_US                 1000LL

#define QINV_CC                 0x1
#define QINV_IOTLB              0x2
#define QINV_DEV_TLB            0x3
#define QINV_IEC                0x4
#define QINV_WAIT               0x5
#define QINV_PIOTLB             0x6
#define QINV_PC                 0x7
#define QINV_DEV_PTLB           0x8
#define QINV_RESPONSE           0x9
#define QINV_HPT                0xa

/* A function that no machine of these tests has: it never answers */
#define QINV_ABSENT             0x0318
#define QINV_ABSENT_2           0x0420

#define QINV_IQEI(iqercd)       ((iqercd) & 0xf)
#define QINV_ITESID(iqercd)     (((iqercd) >> 32) & 0xffff)
#define QINV_ICESID(iqercd)     (((iqercd) >> 48) & 0xffff)

/* FSTS: the conditions of a fault event, and those that a write of 1 clears */
#define QINV_FSTS_EVENTS        0x73U
#define QINV_FSTS_W1C           0x71U

#define QINV_CTL_IM             (1U << 31)
#define QINV_CTL_IP             (1U << 30)

/**
 * qinv_start: a machine whose queue is enabled, with descriptors of 256 bits
 *
 * @vtd, @dev: options of intel-iommu and pri-testdev, or NULL
 */
void qinv_start(PriLab *lab, const char *vtd, const char *dev);

/**
 * qinv_clear: write 1 to bits of FSTS
 */
void qinv_clear(PriLab *lab, uint32_t bits);

/**
 * qinv_count: counter "x-devtlb-<name>"
 */
uint64_t qinv_count(PriLab *lab, const char *name);

/**
 * qinv_desc_type: the bits of a descriptor's type, 7 bits: 11:9 and 3:0
 */
QVtdDesc qinv_desc_type(unsigned int type);

/**
 * qinv_desc_valid: a descriptor of the type that hardware must accept, with
 * all but the necessary fields 0
 *
 * @type: QINV_CC to QINV_DEV_PTLB, but for QINV_WAIT
 * @rid: for the two kinds of device-TLB invalidation
 */
QVtdDesc qinv_desc_valid(unsigned int type, uint16_t rid);

/* Fields of either kind of device-TLB invalidation */
void qinv_set_mip(QVtdDesc *desc, unsigned int mip);
void qinv_set_pfsid(QVtdDesc *desc, uint16_t pfsid);

/* Put a descriptor at the tail, without telling the hardware */
void qinv_put(QVtd *v, QVtdDesc desc);
void qinv_put_dev_tlb(QVtd *v, uint16_t rid);
uint32_t qinv_put_wait(QVtd *v, uint64_t flags);

/**
 * qinv_head: IQH in descriptors
 */
unsigned int qinv_head(QVtd *v);

/**
 * qinv_ring_at: write IQT with a number of descriptors of which those behind
 * the ones at hand are put later
 */
void qinv_ring_at(QVtd *v, unsigned int index);

uint32_t qinv_fsts(QVtd *v);
unsigned int qinv_iqei(QVtd *v);
uint16_t qinv_itesid(QVtd *v);
uint16_t qinv_icesid(QVtd *v);

/**
 * qinv_step_until: move the virtual clock in steps of @step ns until the wait
 * of @slot is done, at most @limit steps
 *
 * Returns: steps taken, or @limit + 1 if it never was
 */
unsigned int qinv_step_until(QVtd *v, uint32_t slot, int64_t step,
                             unsigned int limit);

/* -- Invalidate Requests as they went down the link ------------------------ */

typedef struct QInvRequest {
    uint16_t rid;
    uint32_t pasid;             /* QVTD_NO_PASID: no prefix */
    uint64_t addr;
    bool size;
    bool global;
    unsigned int itag;
} QInvRequest;

typedef struct QInvLog {
    char *path;
    char *options;              /* for QEMU's command line, after a device */
} QInvLog;

/**
 * qinv_log_start: prepare a log; give its options to pri_lab_boot() with those
 * of intel-iommu
 *
 * @vtd: options of intel-iommu, not empty
 */
void qinv_log_start(QInvLog *log, const char *vtd);

/**
 * qinv_log_finish: read the log of a QEMU that has ended, and delete it
 *
 * Returns: array of QInvRequest in the order in which they were sent
 */
GArray *qinv_log_finish(QInvLog *log);

#endif /* PRI_LAB_LIBQOS_VTD_INV_H */
