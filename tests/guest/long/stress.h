/*
 * The workers of stress.c: each is run in a process of its own
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_GUEST_STRESS_H
#define TESTS_GUEST_STRESS_H

#include <stdint.h>

#define STRESS_LEAKS    1800    /* that the scans may take, with KASAN */
#define STRESS_HANG     120     /* seconds that an operation may take */
#define STRESS_CGROUP   "/tmp/stress-cgroup"    /* a cgroup2 with small/ */

/*
 * Work until a point in time (pt_now()); rnd is the seed.  A failed CHECK ends
 * the process.  stress_begin() comes before, once.
 */
typedef void stress_worker(uint64_t rnd, double until);

void stress_begin(void);

/* Memory that changes its place and form, but not its bytes */
stress_worker stress_keep;
/* Memory that goes, between guards that nobody may touch */
stress_worker stress_lose;
/* Processes that end, by themselves, by exec or killed */
stress_worker stress_lives;
/* Paging domains: held, answered, detached in any order */
stress_worker stress_domain;
/* Processes that are out of memory in STRESS_CGROUP/small */
stress_worker stress_oom;
/* Function level resets */
stress_worker stress_reset;
/* The driver leaves one function and comes back */
stress_worker stress_unbind;

#endif
