/*
 * Virtual Functions of pri-testdev: a machine with them, and one of them in use
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_LAB_LIBQOS_LAB_VF_H
#define PRI_LAB_LIBQOS_LAB_VF_H

#include "libqos/pri-lab.h"

#define LAB_EXT_ID_ARI      0x000e
#define LAB_EXT_ID_SRIOV    0x0010

/* SR-IOV Extended Capability, PCIe 6.2 9.3.3 */
#define SRIOV_CTRL          0x08
#define SRIOV_VFE_MSE       0x09
#define SRIOV_INITIAL       0x0c
#define SRIOV_TOTAL         0x0e
#define SRIOV_NUM           0x10
#define SRIOV_OFFSET        0x14
#define SRIOV_STRIDE        0x16
#define SRIOV_VF_DID        0x1a
#define SRIOV_BAR0          0x24

/**
 * lab_vf_find_ext: offset of an extended capability, or 0
 */
uint16_t lab_vf_find_ext(QPriTestdev *d, uint16_t id);

/**
 * lab_vf_enable: @n Virtual Functions of the lab's device, with their BARs
 */
void lab_vf_enable(PriLab *lab, unsigned int n);

/**
 * lab_vf_find: Virtual Function @n as qpt_init() would find it
 */
void lab_vf_find(PriLab *lab, QPriTestdev *vf, unsigned int n);

/**
 * lab_vf_program: tables for @vf as pri_lab_program() has them for the
 * function, @lab->pml4 of LAB_PASID among them, and its ATS enabled
 */
void lab_vf_program(PriLab *lab, QPriTestdev *vf);

/**
 * lab_vf_start: a machine whose first Virtual Function has a PASID and ATS
 * enabled
 *
 * @options: more of pri-testdev, with a comma before each
 */
void lab_vf_start(PriLab *lab, QPriTestdev *vf, const char *options);
void lab_vf_start_at(PriLab *lab, QPriTestdev *vf, const char *options,
                     PriLabFlags flags);

/**
 * lab_vf_start_dma: write to @pages that are absent; channel 0 then waits
 */
void lab_vf_start_dma(QPriTestdev *d, unsigned int pages);

/**
 * lab_vf_take_request: take a group from the queue, all of whose requests must
 * be from @rid
 *
 * Returns: its PRG index
 */
uint16_t lab_vf_take_request(PriLab *lab, uint16_t rid);

/**
 * lab_vf_path: QOM's name of the first Virtual Function that the machine has,
 * enabled or not; free it with g_free()
 */
char *lab_vf_path(QTestState *qts);

#endif /* PRI_LAB_LIBQOS_LAB_VF_H */
