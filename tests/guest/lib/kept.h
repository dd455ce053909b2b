/*
 * What the kernel keeps of the functions, before a scenario and after it
 *
 * guest/driver/kept.c says what each number is, and which are not known on old
 * kernels.  Those are not compared.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_GUEST_KEPT_H
#define TESTS_GUEST_KEPT_H

#include <stdbool.h>

#define KEPT_UNKNOWN    (-1)

struct kept {
    char name[32];              /* as in /sys/bus/pci/devices */
    int users, groups, partial;
    int held;
    int handles, attached;
    int refs;
};

/* How many functions there are, at most `max`; *removed as there */
unsigned kept_read(struct kept *kept, unsigned max, int *removed);

/* The driver lets go of detached page tables; nothing of them is on its way */
void kept_forget(void);

/* What the tasks begin with */
void kept_before(void);

/*
 * Everything is quiet.  What the kernel has too much of is a sign (race_sign()
 * of race.h):
 *
 *   leak-group        a group on the function's list, or that has its reference
 *                     to the fault data, and nobody is to answer it
 *   leak-partial      a request of a group that has no last one any more
 *   leak-handle       an attach handle of what is detached
 *   leak-device       a function that is removed and not released, or that has
 *                     more references than before, with the same driver
 *   leak-iommu-group  an IOMMU group without a device
 *
 * waiting: groups that user space may still answer.
 */
void kept_after(unsigned waiting);

#endif /* TESTS_GUEST_KEPT_H */
