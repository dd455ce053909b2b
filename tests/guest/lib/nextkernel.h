/*
 * Another kernel after this one: kexec, and kdump after a panic
 *
 * The program wants `@image kernel` (scripts/pri_lab/machine/jobs.py), which
 * puts the running kernel's own image into the guest.  The second kernel gets a
 * user space of the same files, and runs the same program: its race_boot() is
 * 2.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_GUEST_NEXTKERNEL_H
#define TESTS_GUEST_NEXTKERNEL_H

#include <stdbool.h>

/*
 * Load it.  `program` is its path below /tests.  With `crash` it is for a
 * panic, and goes into the memory that `crashkernel=` has kept free
 * (`@append crashkernel=...`).  Skips the test on a kernel without kexec.
 */
void next_load(const char *program, bool crash);

/* Before next_load(): more for its command line, words with a blank between */
void next_words(const char *words);

/*
 * The point before the race, and then: page requests of a process' DMA are on
 * their way, and reach the IOMMU so many microseconds from now
 */
void next_requests_out(unsigned later_us);

/*
 * The same for an invalidation of the function's TLB: CPU 1 waits for it with
 * interrupts off, and the function answers it not, or none of them from now on
 */
void next_invalidation_out(bool for_good);

/* The same, and the queue has stopped with an error that nobody clears */
void next_queue_stopped(void);

/* Start it, without a shutdown of user space; does not return */
void next_start(void) __attribute__((noreturn));

/* Panic; the kernel that was loaded for it starts */
void next_panic(void) __attribute__((noreturn));

/*
 * In the next kernel: DMA of a process to memory that has never been touched.
 * The sign `unseen` if its page requests are not answered.
 */
void next_served(void);

/*
 * The same: the sign `error-left` if its queue has met this error, by the words
 * of the log.  Nothing in this kernel makes one.
 */
void next_error_left(const char *error);

#endif
