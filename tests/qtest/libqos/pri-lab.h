/*
 * The machine that the page-request tests start from
 *
 * q35 with an intel-iommu and a pri-testdev behind a root port, translation
 * in scalable mode, one PASID and the RID's own PASID with empty first-stage
 * tables, both queues running, the endpoint enabled.  A test changes what it
 * is about and leaves the rest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_LAB_LIBQOS_PRI_LAB_H
#define PRI_LAB_LIBQOS_PRI_LAB_H

#include "libqtest.h"
#include "libqos/vtd.h"
#include "libqos/pri-testdev.h"

#define LAB_VTD_OPTIONS \
    "intremap=on,device-iotlb=on,x-scalable-mode=on,x-flts=on," \
    "x-pasid-mode=on,svm=on"

#define LAB_PASID               0xabcdeU    /* needs all 20 bits */
#define LAB_DID                 0x1234
#define LAB_RID_DID             0x0777
#define LAB_BUS                 1
#define LAB_IOVA                0x00007f1234567000ULL
#define LAB_MSI_ADDR            0xfee00000ULL
#define LAB_PE_VECTOR           0x51
#define LAB_FE_VECTOR           0x61
#define LAB_IE_VECTOR           0x71

typedef struct PriLab {
    QTestState *qts;
    QVtd v;
    QPriTestdev d;
    QPriTestdev d2;             /* with LAB_TWO_DEVICES */
    uint64_t pml4;              /* top table of LAB_PASID */
    uint64_t rid_pml4;          /* top table of requests without PASID */
} PriLab;

typedef enum PriLabFlags {
    LAB_TWO_DEVICES = 1 << 0,
    LAB_PRI_PORT = 1 << 1,      /* the first behind a pri-root-port */
} PriLabFlags;

/**
 * pri_lab_boot: start QEMU and find the devices, program nothing
 *
 * @vtd: more options of intel-iommu, after LAB_VTD_OPTIONS, and behind a space
 *       more arguments for QEMU; or NULL
 * @dev: options of pri-testdev, or NULL
 */
void pri_lab_boot(PriLab *lab, const char *vtd, const char *dev,
                  PriLabFlags flags);

/**
 * pri_lab_boot_incoming: the same machine, with one device, that waits to be
 * told what to load; nothing but @lab->qts is set
 */
void pri_lab_boot_incoming(PriLab *lab, const char *vtd, const char *dev);

/**
 * pri_lab_program: set all up as the comment at the top of this file says
 */
void pri_lab_program(PriLab *lab);

/**
 * pri_lab_start: boot and program, no options
 */
void pri_lab_start(PriLab *lab);
void pri_lab_start_with(PriLab *lab, const char *vtd, const char *dev,
                        PriLabFlags flags);

void pri_lab_stop(PriLab *lab);

/**
 * pri_lab_test_init: what every main() of this directory starts with
 *
 * Assertions do not end the program, so that one broken rule does not hide
 * the state of the others.
 */
void pri_lab_test_init(int *argc, char ***argv);

/**
 * lab_counter: a counter of the function, PT_CNT_*
 */
uint64_t lab_counter(PriLab *lab, unsigned int offset);

/**
 * lab_knob: turn a knob of the function, PT_KNOB_*; fails the test if that is
 * refused
 */
void lab_knob(PriLab *lab, uint32_t knob, uint64_t value);

/**
 * lab_request: raw Page Request for @addr with LAB_PASID
 */
void lab_request(PriLab *lab, uint64_t addr, uint32_t flags, uint32_t prgi);

/**
 * lab_request_rid: the same without PASID
 */
void lab_request_rid(PriLab *lab, uint64_t addr, uint32_t flags,
                     uint32_t prgi);

/**
 * lab_fill: send single-page groups until the queue holds all that it can,
 * without overflow; PPR and the event are left as they come
 */
void lab_fill(PriLab *lab);

/**
 * lab_expect_response, lab_expect_silence: what came back for the last raw
 * request
 */
void lab_expect_response(PriLab *lab, unsigned int code, uint32_t prgi,
                         uint32_t pasid);
void lab_expect_silence(PriLab *lab);

/**
 * lab_serve: be the guest's handler once: map the page of every request that
 * is in the queue now, all of LAB_PASID, at its distance from @iova to memory
 * at the same distance from @pa, and answer the groups with Success
 *
 * Returns: requests served
 */
unsigned int lab_serve(PriLab *lab, uint64_t iova, uint64_t pa,
                       uint64_t pte_flags);

/**
 * lab_reset: system_reset, and wait until it is done
 */
void lab_reset(PriLab *lab);

#endif /* PRI_LAB_LIBQOS_PRI_LAB_H */
