/*
 * Everything at once: processes that work with the device while their memory is
 * moved, shared, taken away and brought back, while they are killed, and while
 * the function is reset and taken from its driver.
 *
 * The kernel's own checks (KASAN, lockdep, hung tasks) are half of the test;
 * the other half is that a byte which the device was not to write stays as it
 * is, and that one which it says it has written is there.
 *
 *   seconds=N     how long, for all tests together (default 24)
 *   seed=N        of all that is random (default 1)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pt.h"
#include "stress.h"
#include "sysfs.h"

static unsigned seconds = 24;
static uint64_t seed = 1;
static unsigned parts = 1;          /* tests that share the time */

static void run_workers(stress_worker *const *workers, unsigned n)
{
    double until = pt_now() + (double)seconds / parts;
    pid_t pid[16];
    unsigned i;

    stress_begin();
    for (i = 0; i < n; i++) {
        pid[i] = fork();
        CHECK(pid[i] >= 0, "fork: %s", strerror(errno));
        if (!pid[i]) {
            workers[i](seed * 1000003 + i, until);
            _exit(KTAP_PASS);
        }
    }
    for (i = 0; i < n; i++) {
        int status;

        CHECK(waitpid(pid[i], &status, 0) == pid[i], "wait: %s",
              strerror(errno));
        if (WIFEXITED(status) && WEXITSTATUS(status) == KTAP_SKIP) {
            _exit(KTAP_SKIP);
        }
        CHECK(!status, "worker %u ended with 0x%x", i, status);
    }
}

#define RUN_WORKERS(...) \
    do { \
        static stress_worker *const workers[] = { __VA_ARGS__ }; \
        run_workers(workers, sizeof(workers) / sizeof(workers[0])); \
    } while (0)

static void set_up_ksm(void)
{
    if (!access("/sys/kernel/mm/ksm/run", W_OK)) {
        sysfs_write("/sys/kernel/mm/ksm/sleep_millisecs", "20");
        sysfs_write("/sys/kernel/mm/ksm/run", "1");
    } else {
        ktap_note("this kernel has no KSM");
    }
}

static void set_up_cgroup(void)
{
    mkdir(STRESS_CGROUP, 0755);
    if (mount("none", STRESS_CGROUP, "cgroup2", 0, NULL) && errno != EBUSY) {
        ktap_skip("no cgroup2: %s", strerror(errno));
    }
    if (access(STRESS_CGROUP "/cgroup.subtree_control", W_OK)) {
        ktap_skip("no cgroup.subtree_control");
    }
    sysfs_write(STRESS_CGROUP "/cgroup.subtree_control", "+memory");
    mkdir(STRESS_CGROUP "/small", 0755);
    sysfs_write(STRESS_CGROUP "/small/memory.max", "16777216");
}

static void test_memory(void)
{
    set_up_ksm();
    RUN_WORKERS(stress_keep, stress_lose, stress_keep);
}

static void test_lives(void)
{
    RUN_WORKERS(stress_lives, stress_lives, stress_keep);
}

static void test_domain(void)
{
    RUN_WORKERS(stress_domain, stress_domain, stress_domain);
}

static void test_oom(void)
{
    set_up_cgroup();
    RUN_WORKERS(stress_oom, stress_keep);
}

static void test_reset(void)
{
    RUN_WORKERS(stress_reset, stress_keep, stress_domain, stress_lives);
}

static void test_unbind(void)
{
    RUN_WORKERS(stress_unbind, stress_lose, stress_domain, stress_lives);
}

static void test_all(void)
{
    set_up_ksm();
    set_up_cgroup();
    RUN_WORKERS(stress_keep, stress_lose, stress_lives, stress_domain,
                stress_oom, stress_reset, stress_unbind);
}

#define KMEMLEAK    "/sys/kernel/debug/kmemleak"
#define SCANS       4

static void test_kmemleak(void)
{
    char line[256];
    unsigned lines = 0;
    FILE *f;

    if (access(KMEMLEAK, W_OK)) {
        ktap_skip("kmemleak is off: kmemleak=on on the kernel command line");
    }
    /*
     * An object counts that has been lost for five seconds and has not changed
     * since the scan before; 7.3 may want it lost in several scans.
     */
    pt_sleep_ms(6000);
    for (unsigned i = 0; i < SCANS; i++) {
        sysfs_write(KMEMLEAK, "scan");
    }
    f = fopen(KMEMLEAK, "re");
    CHECK(f, KMEMLEAK ": %s", strerror(errno));
    while (fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = 0;
        if (lines++ < 40) {
            ktap_note("%s", line);
        }
    }
    fclose(f);
    CHECK(!lines, "kmemleak has found something");
}

static struct ktap_test tests[] = {
    { "memory", test_memory, 0 },
    { "lives", test_lives, 0 },
    { "domain", test_domain, 0 },
    { "oom", test_oom, 0 },
    { "reset", test_reset, 0 },
    { "unbind", test_unbind, 0 },
    { "all", test_all, 0 },
    { "kmemleak", test_kmemleak, 0 },
};

#define TESTS   (sizeof(tests) / sizeof(tests[0]))

int main(int argc, char **argv)
{
    char *names[TESTS + 2] = { argv[0] };
    int i, n = 1;

    for (i = 1; i < argc; i++) {
        if (sscanf(argv[i], "seconds=%u", &seconds) == 1 ||
            sscanf(argv[i], "seed=%ju", &seed) == 1) {
            continue;
        }
        if (n <= (int)TESTS) {
            names[n++] = argv[i];
        }
    }
    parts = n > 1 ? n - 1 : (int)TESTS - 1;
    for (i = 0; i < (int)TESTS; i++) {
        tests[i].timeout = seconds + 2 * STRESS_HANG + 60;
        if (tests[i].run == test_kmemleak) {
            tests[i].timeout = STRESS_LEAKS;
        }
    }
    return ktap_run(tests, TESTS, n, names);
}
