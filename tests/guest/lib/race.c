/*
 * What a reproducer of tests/guest/races says to the host
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mark.h"
#include "race.h"

#define RACE_PORT   "/dev/ttyS1"
#define RACE_LOG_LINES  300         /* of the kernel, when it is stuck, twice */
#define RACE_LOOK_MS    100         /* between looks whether it has ended */
#define RACE_LOG_LOST   1000            /* times that lines were overwritten */
#define RACE_CONSOLE_LEVEL  8           /* klogctl(): what the console shows */
#define RACE_ORDER  64              /* bytes of a line from the host */
/* Seconds for the whole test, of which the host may take any part */
#define RACE_PATIENCE   1000000

/* Shared by all processes of the test */
static struct {
    void (*body)(void);
    unsigned limit;                 /* seconds for the race */
    unsigned signs;                 /* that were seen */
    double start;                   /* of the race; 0: not yet */
} *race;

static bool race_host_waits(void)
{
    char line[4096];
    int fd = open("/proc/cmdline", O_RDONLY);
    ssize_t n;

    CHECK(fd >= 0, "/proc/cmdline: %s", strerror(errno));
    n = read(fd, line, sizeof(line) - 1);
    close(fd);
    CHECK(n > 0, "/proc/cmdline: %s", strerror(errno));
    line[n] = 0;
    return strstr(line, " pri_lab.go");
}

/* From now on time counts; set once, another process looks at it */
static void race_begin(void)
{
    double start = pt_now();

    __atomic_store(&race->start, &start, __ATOMIC_RELAXED);
}

static bool race_too_long(void)
{
    double start;

    __atomic_load(&race->start, &start, __ATOMIC_RELAXED);
    return start && pt_now() > start + race->limit;
}

unsigned race_boot(void)
{
    const char *boot = getenv("PRI_LAB_BOOT");      /* guest/init/init */

    return boot ? atoi(boot) : 1;
}

void race_reboot(void)
{
    if (!race_host_waits()) {       /* it would be the first boot for ever */
        ktap_skip("only ./pri-lab repro tells a program that it boots again");
    }
    reboot(RB_AUTOBOOT);
    FAIL("reboot: %s", strerror(errno));
}

/* Wait for the line `go ORDER` and store the order; false: no host waits */
static bool race_wait(char *order, unsigned max)
{
    unsigned n = 0;
    int fd;
    char c;

    if (!race_host_waits() || race_boot() > 1) {
        race_begin();
        return false;
    }
    fd = open(RACE_PORT, O_RDONLY | O_NOCTTY);
    CHECK(fd >= 0, "%s: %s", RACE_PORT, strerror(errno));
    ktap_note("race: ready");
    mark_said(MARK_READY);
    do {
        CHECK(read(fd, &c, 1) == 1, "read of %s: %s", RACE_PORT,
              strerror(errno));
        if (n + 1 < max) {
            order[n++] = c;
        }
    } while (c != '\n');
    order[n] = 0;
    close(fd);
    race_begin();
    return true;
}

void race_ready(void)
{
    char order[RACE_ORDER];

    race_wait(order, sizeof(order));
    ktap_mark("race begins");
}

void race_ready_words(char *words, unsigned max)
{
    char line[RACE_ORDER];

    words[0] = 0;
    if (race_wait(line, sizeof(line)) && !strncmp(line, "go ", 3)) {
        snprintf(words, max, "%s", line + 3);
    }
    ktap_mark("race begins");
}

void race_steps(const struct race_step *steps, unsigned n)
{
    char order[RACE_ORDER], names[256] = "";

    for (unsigned i = 0; i < n; i++) {
        strncat(names, " ", sizeof(names) - strlen(names) - 1);
        strncat(names, steps[i].name, sizeof(names) - strlen(names) - 1);
    }
    ktap_note("race: steps%s", names);
    if (!race_wait(order, sizeof(order))) {
        for (unsigned i = 0; i < n; i++) {
            order[i] = 'a' + i;
        }
        order[n] = 0;
    } else {
        memmove(order, order + 3, strlen(order + 3) + 1);   /* "go " */
    }
    for (const char *c = order; *c >= 'a' && *c < 'a' + (int)n; c++) {
        ktap_note("race: step %s", steps[*c - 'a'].name);
        steps[*c - 'a'].run();
    }
}

void race_cpu(unsigned cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    CHECK(!sched_setaffinity(0, sizeof(set), &set), "CPU %u: %s", cpu,
          strerror(errno));
}

void race_first(void)
{
    struct sched_param highest = {
        .sched_priority = sched_get_priority_max(SCHED_FIFO),
    };

    CHECK(!sched_setscheduler(0, SCHED_FIFO, &highest), "priority: %s",
          strerror(errno));
}

pid_t race_event_thread(unsigned *irq)
{
    DIR *proc = opendir("/proc");
    char path[300], comm[64];
    struct dirent *e;
    pid_t found = 0;

    CHECK(proc, "/proc: %s", strerror(errno));
    while (!found && (e = readdir(proc))) {
        FILE *f;

        snprintf(path, sizeof(path), "/proc/%s/comm", e->d_name);
        f = atoi(e->d_name) ? fopen(path, "re") : NULL;
        if (f && fgets(comm, sizeof(comm), f) &&
            sscanf(comm, "irq/%u-dmar", irq) == 1 && strstr(comm, "-p")) {
            found = atoi(e->d_name);
        }
        if (f) {
            fclose(f);
        }
    }
    closedir(proc);
    CHECK(found, "there is no thread of page requests");
    return found;
}

/* Wherever the scheduler likes */
static void race_any_cpu(void)
{
    cpu_set_t set;

    memset(&set, 0xff, sizeof(set));
    CHECK(!sched_setaffinity(0, sizeof(set), &set), "CPUs: %s",
          strerror(errno));
}

void race_sign(const char *name, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    __atomic_add_fetch(&race->signs, 1, __ATOMIC_RELAXED);
    ktap_mark("sign %s: %s", name, text);
    ktap_note("race: sign %s: %s", name, text);
}

bool race_write(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    ssize_t n = -1;

    if (fd >= 0) {
        n = write(fd, text, strlen(text));
        close(fd);
    }
    return n == (ssize_t)strlen(text);
}

static void race_sysctl(const char *name, unsigned value)
{
    char path[64], text[16];

    snprintf(path, sizeof(path), "/proc/sys/kernel/%s", name);
    snprintf(text, sizeof(text), "%u", value);
    CHECK(race_write(path, text), "%s: %s", path, strerror(errno));
}

void race_hung_task(unsigned seconds)
{
    race_sysctl("hung_task_timeout_secs", seconds);
}

void race_lockup(unsigned seconds)
{
    race_sysctl("watchdog_thresh", seconds);
}

/*
 * Interrupts go to CPU 0: a race often blocks the other one, and the page
 * request event must come all the same, as must our own output.
 */
static void race_interrupts(void)
{
    char path[300];
    struct dirent *e;
    DIR *dir = opendir("/proc/irq");

    CHECK(dir, "/proc/irq: %s", strerror(errno));
    while ((e = readdir(dir))) {
        snprintf(path, sizeof(path), "/proc/irq/%s/smp_affinity", e->d_name);
        race_write(path, "1");          /* some cannot be moved */
    }
    closedir(dir);
}

/* The same for the threads that print the kernel's messages, pr/ttyS0 */
static void race_printers(void)
{
    char path[300], comm[32] = "";
    cpu_set_t set;
    struct dirent *e;
    DIR *dir = opendir("/proc");

    CHECK(dir, "/proc: %s", strerror(errno));
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    while ((e = readdir(dir))) {
        FILE *f;

        snprintf(path, sizeof(path), "/proc/%s/comm", e->d_name);
        f = fopen(path, "r");
        if (!f) {
            continue;
        }
        if (fgets(comm, sizeof(comm), f) && !strncmp(comm, "pr/", 3)) {
            CHECK(!sched_setaffinity(atoi(e->d_name), sizeof(set), &set),
                  "%s: %s", comm, strerror(errno));
        }
        fclose(f);
    }
    closedir(dir);
}

/*
 * The kernel's log from here on; what is in it already is skipped.  -1: it
 * cannot be read.
 */
static int race_log_open(void)
{
    int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);

    if (fd >= 0) {
        lseek(fd, 0, SEEK_END);
    }
    return fd;
}

/* Pass on what the log has from `log` on, up to RACE_LOG_LINES */
static void race_pass_on(int log)
{
    char record[2048];
    unsigned lines = 0, lost = 0;

    while (log >= 0 && lines < RACE_LOG_LINES) {
        ssize_t n = read(log, record, sizeof(record) - 1);
        char *text;

        if (n < 0 && errno == EPIPE && lost++ < RACE_LOG_LOST) {
            continue;                   /* some were overwritten */
        }
        if (n <= 0) {
            break;
        }
        record[n] = 0;
        text = strchr(record, ';');     /* level,number,time,flags;text */
        if (text) {
            text[strcspn(text, "\n")] = 0;
            ktap_note("log: %s", text + 1);
            lines++;
        }
    }
}

/*
 * Pass on what the kernel has said, then what every CPU is at, and every task
 * that cannot be interrupted.  A CPU that is stuck with interrupts off
 * answers the NMI of the sysrq, but whatever it prints stays in the buffer:
 * nobody else can wake the thread of the console once this CPU was to
 * do it.  Nothing goes to the console meanwhile: who prints the first line
 * prints all that are there, which never ends if the other CPU is
 * faster.
 */
static void race_show_processors(int log)
{
    int now;

    klogctl(RACE_CONSOLE_LEVEL, NULL, 1);
    race_pass_on(log);
    now = race_log_open();              /* behind what was too much to pass */
    race_write("/proc/sysrq-trigger", "l");
    race_write("/proc/sysrq-trigger", "w");
    pt_sleep_ms(100);
    race_pass_on(now);
    close(now);
}

static void (*race_then)(void);

void race_when_stuck(void (*then)(void))
{
    race_then = then;
}

/*
 * Watch the body from CPU 0, as long as it may take.  This process has
 * never been on another one, race_main() sees to that: Linux sends the flush
 * of a TLB to every CPU that an address space was on, and waits for its
 * answer, which does not come from one that is stuck.
 */
static void race_run(void)
{
    int status, log = race_log_open();
    pid_t body;

    race_interrupts();
    race_printers();
    body = fork();
    CHECK(body >= 0, "fork: %s", strerror(errno));
    if (!body) {
        race_any_cpu();
        race->body();
        _exit(KTAP_PASS);
    }
    while (waitpid(body, &status, WNOHANG) != body) {
        if (race_too_long()) {
            race_show_processors(log);
            ktap_note("race: stuck: no end after %u seconds", race->limit);
            if (race_then) {
                race_then();
            }
            _exit(KTAP_FAIL);
        }
        pt_sleep_ms(RACE_LOOK_MS);
    }
    CHECK(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) != KTAP_PASS) {
        _exit(WEXITSTATUS(status));
    }
    ktap_note("race: done");
    CHECK(!race->signs, "%u sign(s) of the race", race->signs);
}

int race_main(const char *name, void (*run)(void), unsigned seconds, int argc,
              char **argv)
{
    const struct ktap_test test = { name, race_run, RACE_PATIENCE };

    race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (race == MAP_FAILED) {
        return KTAP_FAIL;
    }
    race->body = run;
    race->limit = seconds;
    ktap_after = NULL;              /* the boot is its own: nothing follows */
    race_cpu(0);                    /* inherited by the process of the test */
    return ktap_run(&test, 1, argc, argv);
}
