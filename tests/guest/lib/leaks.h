/*
 * What is left of a scenario when it is over: a PASID, memory
 *
 * kept.h looks at what the kernel keeps of each function.  All of it is a sign
 * (race_sign() of race.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_GUEST_LEAKS_H
#define TESTS_GUEST_LEAKS_H

#include <stdint.h>

/*
 * The PASID that a process gets now, if it binds function 0, which must work.
 * This process has had its own, so that the next one that is free is the same
 * before and after a scenario, unless one got lost.
 */
uint32_t leaks_first_pasid(void);

/*
 * Is it free again, and does function 0 still work?  The signs leak-pasid and
 * function-dead.  witness_start() has been called before.
 */
void leaks_look_at_pasid(uint32_t first);

/*
 * Close and unmap all that this process has of the functions and of iommufd,
 * and see what the kernel has not freed (allocs.h).  allocs_before() was
 * called when nothing of this was there yet.
 */
void leaks_look_at_memory(void);

#endif /* TESTS_GUEST_LEAKS_H */
