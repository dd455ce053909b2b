/*
 * A process that finds out whether function 0 still works
 *
 * It has the device write a page in the name of its own, new PASID.  The one
 * that does so at the end of a scenario is there before the mark: a fork and an
 * exit take more instructions than all that is looked at.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_GUEST_WITNESS_H
#define TESTS_GUEST_WITNESS_H

#include <stdint.h>

/*
 * One at a time.  It has the files that are open here, so none of a function
 * may be: the driver would not see them closed.
 */
void witness_start(void);

/* Once: its PASID; 0: the device does not work, and why */
uint32_t witness_ask(const char **why);

/* Its address space and its PASID go, too; nothing, if there is none */
void witness_end(void);

#endif /* TESTS_GUEST_WITNESS_H */
