/*
 * What a reproducer of tests/guest/races says to the host
 *
 * The header comment of a reproducer is read by `./pri-lab repro`
 * (scripts/pri_lab/races/race.py says how): it names the signs that prove the
 * race. A sign is something in the kernel's log, or one that the program
 * itself gives here, judged by the data or by the endpoint's protocol
 * checker.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_GUEST_RACE_H
#define TESTS_GUEST_RACE_H

#include <stdbool.h>
#include <sys/types.h>

#include "ktap.h"
#include "pt.h"

/*
 * Everything is set up and the race has not begun: the place where a snapshot
 * is taken.  Returns at once unless the host asked to be waited for
 * (pri_lab.go on the kernel command line), then when it has said "go".
 */
void race_ready(void);

/*
 * The same, for a program that does one of many things: what the host said
 * after "go", a line, stored with at most max - 1 bytes; "" without a host.
 */
void race_ready_words(char *words, unsigned max);

/*
 * Which boot of this program this is, 1 or more.  The guest may start again in
 * the middle of a race, by a reset (`@qemu -action reboot=reset`, and
 * race_reboot()) or by kexec: the program runs again, and its race_ready() does
 * not wait.
 */
unsigned race_boot(void);
void race_reboot(void) __attribute__((noreturn));

/*
 * The steps of a scenario, for `./pri-lab explore`.  Tells the host their
 * names, waits as race_ready() does, and runs those that the host names, in its
 * order; without a host, all of them as they stand.
 */
struct race_step {
    const char *name;
    void (*run)(void);
};

void race_steps(const struct race_step *steps, unsigned n);

/* Stay on one CPU; the page request event is handled on another */
void race_cpu(unsigned cpu);

/*
 * Go before every other task on a CPU, threads of interrupts among them:
 * when this one wakes up, another one stops where it is
 */
void race_first(void);

/* The kernel's thread of page requests, and its interrupt */
pid_t race_event_thread(unsigned *irq);

/*
 * The sign `name` of the header was seen.  The test continues, and fails at its
 * end.  May be called by any process of the test.
 */
void race_sign(const char *name, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Seconds after which a task that waits counts as hung, instead of what the
 * kernel's configuration says; the report comes within twice the time.
 */
void race_hung_task(unsigned seconds);

/*
 * Seconds of the soft lockup detector's clock, instead of ten: a CPU that
 * does not take interrupts any more is reported after two of them or three.
 */
void race_lockup(unsigned seconds);

/* Write text to a file of /proc or /sys; false: it could not be done */
bool race_write(const char *path, const char *text);

/* Before race_main(): what to do when the race is stuck and that was said */
void race_when_stuck(void (*then)(void));

/*
 * One test: `run` is the race, and may take so many seconds from race_ready()
 * on.  A race that takes longer is stuck, which can be a sign of it.
 */
int race_main(const char *name, void (*run)(void), unsigned seconds, int argc,
              char **argv);

#define RACE_MAIN(name, run, seconds) \
    int main(int argc, char **argv) \
    { \
        return race_main(name, run, seconds, argc, argv); \
    }

#endif
