/*
 * Posted writes on their way, in the tests of the page-request path
 *
 * Reads of the function's registers push posted writes, so everything here
 * looks and turns from the host's side.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_LAB_LIBQOS_LAB_POSTED_H
#define PRI_LAB_LIBQOS_LAB_POSTED_H

#include "libqos/pri-lab.h"

#define LAB_POSTED_PATTERN      0x8877665544332211ULL

/**
 * lab_turn: set a property of the first pri-testdev
 *
 * @json: the value
 */
void lab_turn(PriLab *lab, const char *knob, const char *json);

/**
 * lab_dma_waiting: how many writes are on their way
 */
unsigned int lab_dma_waiting(PriLab *lab);

/**
 * lab_post: channel @ch writes 8 bytes to @iova, which stay on their way; waits
 * until they are, and until the operation has ended
 *
 * dma-do must be "hold" or "delay".
 *
 * @flags: PT_FLAG_* besides PT_FLAG_PASID
 */
void lab_post(PriLab *lab, unsigned int ch, uint64_t iova, uint32_t flags);

/**
 * lab_msix_memory: interrupts of the first pri-testdev are written to memory,
 * where a test can see each: vector n to word n of a page
 *
 * Returns: the address of the page.
 */
uint64_t lab_msix_memory(PriLab *lab);

/**
 * lab_msix_take: was vector @n sent since this was last asked?
 */
bool lab_msix_take(PriLab *lab, uint64_t page, unsigned int n);

/**
 * lab_msix_pending: the first word of the Pending Bit Array
 */
uint32_t lab_msix_pending(PriLab *lab);

/**
 * lab_landed: is what lab_post() has written to @iova in memory at @pa?
 */
bool lab_landed(PriLab *lab, uint64_t iova, uint64_t pa);

#endif /* PRI_LAB_LIBQOS_LAB_POSTED_H */
