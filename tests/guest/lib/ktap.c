/*
 * KTAP version 1 for the programs of the guest
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ktap.h"

/* Seconds that a killed process gets to go away */
#define KTAP_GRACE  60

/*
 * One write a line, so that lines of several processes do not mix.
 */
static void ktap_line(const char *prefix, const char *fmt, va_list ap)
{
    char line[512];
    int n = snprintf(line, sizeof(line), "%s", prefix);

    n += vsnprintf(line + n, sizeof(line) - n - 1, fmt, ap);
    if (n > (int)sizeof(line) - 2) {
        n = sizeof(line) - 2;
    }
    line[n++] = '\n';
    if (write(STDOUT_FILENO, line, n) != n) {
        _exit(KTAP_FAIL);
    }
}

static void ktap_print(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    ktap_line("", fmt, ap);
    va_end(ap);
}

void ktap_note(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    ktap_line("# ", fmt, ap);
    va_end(ap);
}

void ktap_fail(const char *file, int line, const char *fmt, ...)
{
    const char *base = strrchr(file, '/');
    char prefix[128];
    va_list ap;

    snprintf(prefix, sizeof(prefix), "# %s:%d: ", base ? base + 1 : file, line);
    va_start(ap, fmt);
    ktap_line(prefix, fmt, ap);
    va_end(ap);
    _exit(KTAP_FAIL);
}

/*
 * A line in the kernel's trace, while pri-lab-record copies it
 */
void ktap_mark(const char *fmt, ...)
{
    static int marker = -2;
    char line[160] = "pri-lab ";
    va_list ap;
    int n;

    if (marker == -2) {
        marker = access("/tmp/recording", F_OK) ? -1 :
                 open("/sys/kernel/tracing/trace_marker",
                      O_WRONLY | O_CLOEXEC);
    }
    if (marker < 0) {
        return;
    }
    va_start(ap, fmt);
    n = strlen(line);
    vsnprintf(line + n, sizeof(line) - n, fmt, ap);
    va_end(ap);
    if (write(marker, line, strlen(line)) < 0) {
        marker = -1;
    }
}

/* Why the test was skipped; shared with the process that runs it */
static char *ktap_reason;

#define KTAP_REASON 256

void ktap_skip(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(ktap_reason, KTAP_REASON, fmt, ap);
    va_end(ap);
    _exit(KTAP_SKIP);
}

static double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec + ts.tv_nsec / 1e9;
}

/*
 * Wait for the process of a test until a point in time; false: still there.
 */
static bool ktap_wait(pid_t pid, int *status, double until)
{
    /* Who looks every millisecond has half of all instructions of a guest */
    struct pollfd end = {
        .fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN,
    };
    double left;
    pid_t got;

    while (!(got = waitpid(pid, status, WNOHANG))) {
        left = until - now();
        if (left < 0) {
            break;
        }
        poll(&end, 1, end.fd < 0 ? 1 : (int)(left * 1000) + 1);
    }
    close(end.fd);
    if (got < 0) {
        *status = KTAP_FAIL << 8;
    }
    return got;
}

void ktap_process(void (*body)(const void *arg), const void *arg, bool kill_it)
{
    int ready[2], status;
    pid_t pid;
    char byte;

    CHECK(!pipe(ready), "pipe: %s", strerror(errno));
    pid = fork();
    CHECK(pid >= 0, "fork: %s", strerror(errno));
    if (!pid) {
        close(ready[0]);
        body(arg);
        if (!kill_it) {
            _exit(KTAP_PASS);
        }
        CHECK(write(ready[1], "x", 1) == 1, "pipe: %s", strerror(errno));
        pause();
    }
    close(ready[1]);
    if (kill_it && read(ready[0], &byte, 1) == 1) {
        kill(pid, SIGKILL);
    }
    close(ready[0]);
    CHECK(waitpid(pid, &status, 0) == pid, "wait: %s", strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == KTAP_SKIP) {
        _exit(KTAP_SKIP);
    }
    CHECK(kill_it ? WIFSIGNALED(status) : !status,
          "the process ended with 0x%x", status);
}

void (*ktap_after)(bool passed);

/* A kernel that has gone wrong may not let it end: the rest runs anyway */
static void ktap_undo(void)
{
    int status = 0;
    pid_t pid = fork();

    if (!pid) {
        ktap_after(false);
        _exit(KTAP_PASS);
    }
    if (pid > 0 && !ktap_wait(pid, &status, now() + KTAP_GRACE)) {
        kill(pid, SIGKILL);
        status = KTAP_FAIL;
    }
    if (pid < 0 || status) {
        ktap_note("what the test has done to the machine is not undone");
    }
}

/*
 * Run one test; return KTAP_PASS, KTAP_FAIL or KTAP_SKIP.
 */
static int ktap_one(const struct ktap_test *test)
{
    unsigned timeout = test->timeout ? test->timeout : KTAP_TIMEOUT;
    int status = 0;
    pid_t pid = fork();

    if (pid < 0) {
        ktap_note("fork: %s", strerror(errno));
        return KTAP_FAIL;
    }
    if (pid == 0) {
        setpgid(0, 0);
        ktap_mark("test %s", test->name);
        test->run();
        ktap_mark("test-end %s", test->name);
        _exit(KTAP_PASS);
    }
    setpgid(pid, pid);

    if (!ktap_wait(pid, &status, now() + timeout)) {
        ktap_note("no end after %u seconds", timeout);
        kill(-pid, SIGKILL);
        if (!ktap_wait(pid, &status, now() + KTAP_GRACE)) {
            ktap_print("Bail out! %s cannot be killed", test->name);
            _exit(KTAP_FAIL);
        }
        return KTAP_FAIL;
    }
    kill(-pid, SIGKILL);    /* what it may have left behind */
    if (WIFSIGNALED(status)) {
        ktap_note("ended by signal %d (%s)", WTERMSIG(status),
                  strsignal(WTERMSIG(status)));
        return KTAP_FAIL;
    }
    switch (WEXITSTATUS(status)) {
    case KTAP_PASS:
    case KTAP_SKIP:
        return WEXITSTATUS(status);
    default:
        return KTAP_FAIL;
    }
}

static bool ktap_chosen(const struct ktap_test *test, int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++) {
        if (!strcmp(argv[i], test->name)) {
            return true;
        }
    }
    return argc < 2;
}

/*
 * A name that no test has is an error of the user: nothing runs then.
 */
static bool ktap_known(const struct ktap_test *tests, unsigned n, int argc,
                       char **argv)
{
    unsigned i;
    int a;

    for (a = 1; a < argc; a++) {
        for (i = 0; i < n && strcmp(argv[a], tests[i].name); i++) {
            ;
        }
        if (i < n) {
            continue;
        }
        for (i = 0; i < n; i++) {
            ktap_note("there is: %s", tests[i].name);
        }
        ktap_print("Bail out! no such test: %s", argv[a]);
        return false;
    }
    return true;
}

int ktap_run(const struct ktap_test *tests, unsigned n, int argc, char **argv)
{
    unsigned i, plan = 0, run = 0, failed = 0, skipped = 0;
    int status;

    for (i = 0; i < n; i++) {
        plan += ktap_chosen(&tests[i], argc, argv);
    }
    ktap_reason = mmap(NULL, KTAP_REASON, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ktap_reason == MAP_FAILED) {
        ktap_print("Bail out! mmap: %s", strerror(errno));
        return KTAP_FAIL;
    }
    ktap_print("KTAP version 1");
    ktap_print("1..%u", plan);
    if (!ktap_known(tests, n, argc, argv)) {
        return KTAP_FAIL;
    }

    for (i = 0; i < n; i++) {
        if (!ktap_chosen(&tests[i], argc, argv)) {
            continue;
        }
        run++;
        status = ktap_one(&tests[i]);
        if (ktap_after && status != KTAP_PASS) {
            ktap_undo();
        }
        if (ktap_after) {
            ktap_after(true);
        }
        switch (status) {
        case KTAP_PASS:
            ktap_print("ok %u %s", run, tests[i].name);
            break;
        case KTAP_SKIP:
            skipped++;
            ktap_print("ok %u %s # SKIP %s", run, tests[i].name, ktap_reason);
            break;
        default:
            failed++;
            ktap_print("not ok %u %s", run, tests[i].name);
            break;
        }
    }
    if (failed) {
        return KTAP_FAIL;
    }
    return skipped == plan ? KTAP_SKIP : KTAP_PASS;
}
