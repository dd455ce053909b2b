/*
 * Record what the guest kernel does, for `pri-lab run --record`
 *
 *   pri-lab-record PORT
 *
 * Turns on the tracepoints of the IOMMU code and of the kernel's log, and the
 * probes below (one that the kernel has no function for is left out).  When
 * all is on it goes to the background, its process ID in /tmp/recording, and
 * copies the trace to the serial port PORT as it comes, so that a kernel that
 * dies leaves what it did before.  SIGTERM ends it: the last event goes out,
 * then the file goes away.
 *
 * The trace is stamped with the TSC.  To put it on the clock of QEMU's log, the
 * recorder writes marks of this form into it, often enough to interpolate:
 *
 *   pri-lab clock TSC VIRTUAL TSC
 *
 * The value between the two is the device's PT_CLOCK, read between the two
 * readings of the TSC.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "hw/misc/pri-testdev-regs.h"

#define RUNNING     "/tmp/recording"
#define TRACING     "/sys/kernel/tracing/"
#define DEVICES     "/sys/bus/pci/devices/"
#define BUFFER_KB   "8192"
#define BURST       8               /* readings for a mark, the best is kept */
#define MARK_MS     50
#define COPY_MS     10              /* what a dying kernel can take with it */

/*
 * What the tracepoints do not show.  Names are those of the functions in Linux
 * 6.1 to 7.3; scripts/pri_lab/machine/events.py knows the events by theirs.
 */
#define GROUP       "pri_lab"
#define SYSCALL(name) \
    "p:" GROUP "/" name " __x64_sys_" name \
    " addr=+112(%di):x64 len=+104(%di):x64"
static const char *const probes[] = {
    /* The process; arguments of system calls are in a struct pt_regs */
    SYSCALL("munmap"), SYSCALL("mprotect"), SYSCALL("madvise"),
    SYSCALL("mremap"),
    "p:" GROUP "/fork kernel_clone",
    "p:" GROUP "/exit do_exit code=%di:x32",
    "p:" GROUP "/sva_bind iommu_sva_bind_device",
    "p:" GROUP "/sva_unbind iommu_sva_unbind_device",
    "r:" GROUP "/sva_unbound iommu_sva_unbind_device",
    "p:" GROUP "/drain intel_iommu_drain_pasid_prq pasid=%si:u32",
    "r:" GROUP "/drained intel_iommu_drain_pasid_prq",
    "p:" GROUP "/flr pcie_flr",
    "r:" GROUP "/flr_done pcie_flr",
    "p:" GROUP "/reset_prepare pci_dev_reset_iommu_prepare",
    "p:" GROUP "/reset_done pci_dev_reset_iommu_done",
    "p:" GROUP "/device_irq pt_channel_irq",
    /* The page request thread and what it hands faults to */
    "p:" GROUP "/prq_thread prq_event_thread",
    "r:" GROUP "/prq_thread_done prq_event_thread",
    "p:" GROUP "/iopf_work iommu_sva_handle_iopf",
    "r:" GROUP "/iopf_work_done iommu_sva_handle_iopf",
    "p:" GROUP "/mm_fault handle_mm_fault addr=%si:x64",
    /* Who submits to the invalidation queue, and until when it waits */
    "p:" GROUP "/qi_begin qi_submit_sync count=%dx:u32",
    "r:" GROUP "/qi_end qi_submit_sync ret=$retval:s32",
};

/* A register page that another process may reset or unplug at any time */
static volatile uint32_t *clock_regs;   /* volatile: device registers */
static sigjmp_buf clock_gone;
static volatile sig_atomic_t ending;    /* volatile: set by a signal */
static int marker = -1;

static bool put(const char *path, const char *text, int flags)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | flags);
    bool good = fd >= 0 && write(fd, text, strlen(text)) ==
                           (ssize_t)strlen(text);

    if (fd >= 0) {
        close(fd);
    }
    return good;
}

static void mark(const char *text)
{
    if (write(marker, text, strlen(text)) < 0) {
        return;                     /* tracing is off: nothing to mark */
    }
}

/* -- The clock ------------------------------------------------------------- */

static void on_bus_error(int sig)
{
    (void)sig;
    siglongjmp(clock_gone, 1);
}

/*
 * BAR0 of the last pri-testdev: tests reset and unplug the first
 */
static void clock_open(void)
{
    char best[64] = "", path[128], id[32];
    DIR *dir = opendir(DEVICES);
    struct dirent *e;
    int fd;

    while (dir && (e = readdir(dir))) {
        ssize_t n = 0;

        snprintf(path, sizeof(path), DEVICES "%.40s/modalias", e->d_name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            n = read(fd, id, sizeof(id) - 1);
            close(fd);
        }
        id[n > 0 ? n : 0] = '\0';
        if (!strncmp(id, "pci:v00001234d00005052", 22) &&
            strcmp(e->d_name, best) > 0) {
            snprintf(best, sizeof(best), "%.40s", e->d_name);
        }
    }
    if (dir) {
        closedir(dir);
    }
    if (!best[0]) {
        return;
    }
    snprintf(path, sizeof(path), DEVICES "%s/resource0", best);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0) {
        void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

        clock_regs = p == MAP_FAILED ? NULL : p;
        close(fd);
    }
}

/* PT_CLOCK between two readings of the TSC; false: no clock there now */
static bool clock_read(uint64_t tsc[2], uint64_t *ns)
{
    uint32_t high, low, again;
    unsigned aux;

    tsc[0] = __rdtscp(&aux);
    high = clock_regs[PT_CLOCK / 4 + 1];
    low = clock_regs[PT_CLOCK / 4];
    tsc[1] = __rdtscp(&aux);
    again = clock_regs[PT_CLOCK / 4 + 1];
    *ns = (uint64_t)high << 32 | low;
    /* A function in reset or in D3 reads all ones */
    return high == again && high != UINT32_MAX;
}

/* A line with the narrowest of some readings; false: none was good */
static bool clock_best(char *line, size_t len)
{
    uint64_t tsc[2], best[2] = { 0, UINT64_MAX }, ns, best_ns = 0;

    for (int i = 0; i < BURST; i++) {
        if (clock_read(tsc, &ns) && tsc[1] - tsc[0] < best[1] - best[0]) {
            best[0] = tsc[0];
            best[1] = tsc[1];
            best_ns = ns;
        }
    }
    snprintf(line, len, "pri-lab clock %llu %llu %llu",
             (unsigned long long)best[0], (unsigned long long)best_ns,
             (unsigned long long)best[1]);
    return best[1] != UINT64_MAX;
}

static void clock_mark(void)
{
    char line[96];

    if (!clock_regs) {
        return;
    }
    if (sigsetjmp(clock_gone, 1)) {
        clock_regs = NULL;          /* unplugged */
        return;
    }
    if (clock_best(line, sizeof(line))) {
        mark(line);
    }
}

/* -- The trace ------------------------------------------------------------- */

static void trace_start(void)
{
    put(TRACING "trace_clock", "x86-tsc", 0);
    put(TRACING "buffer_size_kb", BUFFER_KB, 0);
    put(TRACING "events/intel_iommu/enable", "1", 0);
    put(TRACING "events/iommu/enable", "1", 0);
    put(TRACING "events/printk/console/enable", "1", 0);    /* splats */
    for (unsigned i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
        if (!put(TRACING "kprobe_events", probes[i], O_APPEND)) {
            fprintf(stderr, "pri-lab-record: this kernel does not take %s\n",
                    probes[i]);
        }
    }
    /* Faults of the CPU are many, and are not the device's */
    put(TRACING "events/" GROUP "/mm_fault/filter", "comm ~ \"kworker*\"", 0);
    put(TRACING "events/" GROUP "/enable", "1", 0);
}

static void trace_stop(void)
{
    put(TRACING "tracing_on", "0", 0);
}

static bool copy(int from, int to)
{
    char buf[4096];
    ssize_t n = read(from, buf, sizeof(buf));

    for (ssize_t at = 0; at < n;) {
        ssize_t out = write(to, buf + at, n - at);

        if (out < 0 && errno != EINTR) {
            return false;
        }
        at += out > 0 ? out : 0;
    }
    return n > 0;
}

static int port_open(const char *name)
{
    int fd = open(name, O_WRONLY | O_NOCTTY | O_CLOEXEC);
    struct termios raw;

    if (fd >= 0 && !tcgetattr(fd, &raw)) {
        cfmakeraw(&raw);
        tcsetattr(fd, TCSANOW, &raw);
    }
    return fd;
}

static void on_term(int sig)
{
    (void)sig;
    ending = 1;
}

/* true in the process that is to continue */
static bool background(void)
{
    pid_t pid = fork();
    FILE *f;

    if (pid <= 0) {
        return true;                /* the child, or there can be none */
    }
    f = fopen(RUNNING, "w");
    if (f) {
        fprintf(f, "%d\n", pid);
        fclose(f);
    }
    return false;
}

int main(int argc, char **argv)
{
    struct sigaction term = { .sa_handler = on_term };
    struct sigaction gone = { .sa_handler = on_bus_error };
    int port = argc > 1 ? port_open(argv[1]) : -1;
    int pipe;

    marker = open(TRACING "trace_marker", O_WRONLY | O_CLOEXEC);
    if (port < 0 || marker < 0) {
        fprintf(stderr, "pri-lab-record: %s\n", port < 0 ?
                "no such port" : "this kernel has no tracing");
        return 1;
    }
    sigaction(SIGTERM, &term, NULL);
    sigaction(SIGBUS, &gone, NULL);
    setpriority(PRIO_PROCESS, 0, 19);   /* not in the way of what is traced */

    trace_start();
    pipe = open(TRACING "trace_pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    clock_open();
    if (!background()) {
        return 0;
    }
    clock_mark();
    for (unsigned ms = 0; !ending; ms += COPY_MS) {
        struct timespec nap = { 0, COPY_MS * 1000000 };

        nanosleep(&nap, NULL);
        while (!ending && copy(pipe, port)) {
            continue;
        }
        if (ms % MARK_MS == 0) {
            clock_mark();
        }
    }
    clock_mark();
    trace_stop();
    while (copy(pipe, port)) {
        continue;
    }
    tcdrain(port);
    unlink(RUNNING);
    return 0;
}
