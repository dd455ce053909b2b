/*
 * Marks: the schedule machine of QEMU (accel/tcg/sched) stops at them
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_LAB_MARK_H
#define PRI_LAB_MARK_H

#include <termios.h>
#include <unistd.h>

#define MARK_LEAF       0x5c4ed000u /* of CPUID */
#define MARK_READY      1
#define MARK_END        2
#define MARK_NOTE       3           /* with a number, does not stop */

/* Stop right here if QEMU has been told to, else nothing */
static inline void mark(unsigned what, unsigned number)
{
#ifdef __x86_64__
    unsigned a = MARK_LEAF, b, c = what, d = number;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "+d"(d)
                     : : "memory");
#endif
}

/* The same when all that was said is out */
static inline void mark_said(unsigned what)
{
    tcdrain(STDOUT_FILENO);
    mark(what, 0);
}

#endif /* PRI_LAB_MARK_H */
