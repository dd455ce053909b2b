/*
 * For scenarios that take a function away while a task uses its registers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_GUEST_GONE_H
#define TESTS_GUEST_GONE_H

#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>

#include "scene.h"

static void gone_registers(int sig, siginfo_t *info, void *context)
{
    uintptr_t page = (uintptr_t)info->si_addr & ~(uintptr_t)(PT_PAGE - 1);

    (void)sig;
    (void)context;
    if (mmap((void *)page, PT_PAGE, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
        signal(SIGBUS, SIG_DFL);
    }
}

/*
 * The driver takes its mappings back when the function goes: SIGBUS for who
 * still writes there.  From here on such a write goes nowhere, and the task on.
 */
static void gone_is_fine(void)
{
    struct sigaction sa = {
        .sa_sigaction = gone_registers, .sa_flags = SA_SIGINFO,
    };

    CHECK(!sigaction(SIGBUS, &sa, NULL), "sigaction");
}

#endif /* TESTS_GUEST_GONE_H */
