/*
 * Memory of the IOMMU code that is never freed: what each place of its source
 * has allocated, before a scenario and after it
 *
 * Needs a kernel that counts this (guest/kernel/leaks.config); on any other one
 * nothing is looked at.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_GUEST_ALLOCS_H
#define TESTS_GUEST_ALLOCS_H

#include <stdbool.h>

/* What a scenario begins with */
void allocs_before(void);

/* Does this kernel count it?  Of how many places is there more than before? */
bool allocs_counted(void);
unsigned allocs_more(void);

/*
 * Everything is quiet.  More than before is the sign leak-in-FUNCTION, of the
 * function that has allocated it.
 */
void allocs_after(void);

#endif /* TESTS_GUEST_ALLOCS_H */
