/*
 * KTAP version 1 for the programs of the guest
 *
 * A program is a table of tests.  Each test runs in a process of its own, so
 * that a crash, a time-out or an address space in a bad state ends one test
 * and not the program; that process passes by returning.  A failed CHECK
 * prints where and why and ends the process it is in.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_GUEST_KTAP_H
#define TESTS_GUEST_KTAP_H

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Exit statuses, of programs as of the processes of tests */
#define KTAP_PASS   0
#define KTAP_FAIL   1
#define KTAP_SKIP   4

struct ktap_test {
    const char *name;       /* words joined by '-' */
    void (*run)(void);
    unsigned timeout;       /* seconds, 0: KTAP_TIMEOUT */
};

/*
 * Of the guest's clock, which continues while a busy host gives the guest no
 * CPU: with 45 others on two CPUs, 20 times as long as alone.  The limit
 * of the whole job is the host's, and of the guest's own time (vm.py).
 */
#define KTAP_TIMEOUT    300

/*
 * Run the tests, or those that are named as arguments; return the exit status
 * for main().
 */
int ktap_run(const struct ktap_test *tests, unsigned n, int argc, char **argv);

#define KTAP_MAIN(tests) \
    int main(int argc, char **argv) \
    { \
        return ktap_run(tests, sizeof(tests) / sizeof(tests[0]), argc, argv); \
    }

/*
 * Called after each test, whatever became of it: false, it has failed or was
 * skipped, and what it has done to the machine may have to be undone.  Then in
 * a process of its own, which may hang.  NULL: nothing to do.
 */
extern void (*ktap_after)(bool passed);

/*
 * A line in the kernel's trace, for `pri-lab run --record`; nothing without
 */
void ktap_mark(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * A process that does its part of the test and ends, by itself or killed, which
 * this waits for.  It may fail or skip the test.
 */
void ktap_process(void (*body)(const void *arg), const void *arg, bool kill_it);

/* A line of diagnostics */
void ktap_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* End this process, and with it the test */
void ktap_fail(const char *file, int line, const char *fmt, ...)
    __attribute__((noreturn, format(printf, 3, 4)));
void ktap_skip(const char *fmt, ...)
    __attribute__((noreturn, format(printf, 1, 2)));

#define FAIL(...)   ktap_fail(__FILE__, __LINE__, __VA_ARGS__)

/* CHECK(condition, what went wrong, ...) */
#define CHECK(cond, ...) \
    do { \
        if (!(cond)) { \
            FAIL(__VA_ARGS__); \
        } \
    } while (0)

/* CHECK that a system call fails, and why */
#define CHECK_ERRNO(call, error) \
    do { \
        errno = 0; \
        CHECK((long)(call) == -1 && errno == (error), \
              #call " gives %s, not %s", errno ? strerror(errno) : "success", \
              strerror(error)); \
    } while (0)

/* Compare two unsigned numbers and say both when they differ */
#define CHECK_EQ(a, b, what) \
    do { \
        unsigned long long a_ = (a), b_ = (b); \
        CHECK(a_ == b_, "%s is %llu (0x%llx), not %llu (0x%llx)", what, \
              a_, a_, b_, b_); \
    } while (0)

#endif
