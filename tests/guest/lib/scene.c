/*
 * Scenarios of `./pri-lab explore`: tasks, marks, and what holds for all
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allocs.h"
#include "kept.h"
#include "leaks.h"
#include "mark.h"
#include "scene.h"
#include "sysfs.h"
#include "witness.h"

#define SECONDS         2           /* a scenario may take, unless it says so */
#define SETTLE_MS       50          /* until all tasks wait */
#define AWAKE_MS        2           /* until all of them spin */
#define QUIET_MS        100         /* until all answers are there */
#define WORKS_MS        2000        /* for the device to write a page */
#define FUNCTIONS       2
#define PATTERN         0x7a6b5c4d3e2f1001ull
#define LOG_BYTES       (192u << 10)
#define LOG_WARNING     4           /* levels up to this one are passed on */

/* What all processes of a scenario share */
static struct {
    const struct scene *scene;
    pthread_barrier_t ready;
    bool go;                        /* atomic: the tasks spin for it */
    unsigned asked;                 /* requests that want an answer */
    unsigned prepared;              /* processes that have */
    uint32_t first_pasid;
    char names[FUNCTIONS][32];      /* as in /sys/bus/pci/devices */
} *all;

static unsigned mapped;             /* pages of scene_map() */
static uint64_t answers_before[FUNCTIONS], violations_before[FUNCTIONS];
static struct pt *looked_at;        /* with SCENE_IOMMUFD */

/* -- The kernel's log ------------------------------------------------------ */

static int log_fd = -1;

static void log_begin(void)
{
    log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (log_fd >= 0) {
        lseek(log_fd, 0, SEEK_END);
    }
}

/*
 * Pass on what the kernel has logged, if a warning or worse is in it: its own
 * thread may not have got to printing it when the machine stops.  Faults of
 * the IOMMU (DMAR) are what a function gets whose process has just left.
 */
static void log_end(void)
{
    static char text[LOG_BYTES];
    char record[2048];
    unsigned used = 0;
    bool bad = false;
    ssize_t n;

    while (log_fd >= 0 && ((n = read(log_fd, record, sizeof(record) - 1)) > 0 ||
                           (n < 0 && errno == EPIPE))) {
        char *line;

        if (n < 0) {
            continue;                   /* some were overwritten */
        }
        record[n] = 0;
        line = strchr(record, ';');     /* level,number,time,flags;text */
        if (!line || !strncmp(line, ";DMAR:", 6) ||
            used + (size_t)n + 1 > sizeof(text)) {
            continue;
        }
        line[strcspn(line, "\n")] = 0;
        bad |= (strtoul(record, NULL, 10) & 7) <= LOG_WARNING;
        used += snprintf(text + used, sizeof(text) - used, "%s\n", line + 1);
    }
    for (char *rest, *line = bad ? strtok_r(text, "\n", &rest) : NULL; line;
         line = strtok_r(NULL, "\n", &rest)) {
        ktap_note("log: %s", line);
    }
}

/* -- Memory ---------------------------------------------------------------- */

void scene_map(unsigned n)
{
    size_t len = 2 * n * PT_PAGE;
    void *p;

    if (mapped) {
        munmap((void *)SCENE_BASE, 2 * mapped * PT_PAGE);
    }
    p = mmap((void *)SCENE_BASE, len, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    CHECK(p == (void *)SCENE_BASE, "mmap at 0x%llx: %s", SCENE_BASE,
          strerror(errno));
    CHECK(!madvise(p, len, MADV_NOHUGEPAGE), "madvise: %s", strerror(errno));
    mapped = n;
}

uint8_t *scene_page(unsigned i)
{
    return (uint8_t *)SCENE_BASE + 2 * i * PT_PAGE;
}

void scene_check_pages(void)
{
    for (unsigned i = 0; i < mapped; i++) {
        if (pt_resident(scene_page(i) + PT_PAGE)) {
            race_sign("page-nobody-asked-for", "page %u", 2 * i + 1);
        }
    }
}

/* -- The device ------------------------------------------------------------ */

void scene_send(struct pt *pt, uint64_t addr, uint32_t pasid, uint32_t flags,
                unsigned prgi)
{
    struct pt_raw raw = {
        .addr = addr, .flags = flags, .prgi = prgi,
        .pasid = pasid == SCENE_NO_PASID ? 0 : pasid | PT_RAW_PASID_PRESENT,
    };

    pt_raw_send(pt, &raw);
    if (flags & PT_RAW_LAST) {
        __atomic_add_fetch(&all->asked, 1, __ATOMIC_SEQ_CST);
    }
}

void scene_ask(struct pt *pt, uint64_t addr, uint32_t pasid, unsigned n)
{
    unsigned step = addr >= SCENE_BASE ? 2 : 1;

    for (unsigned i = 0; i < n; i++) {
        scene_send(pt, addr + step * i * PT_PAGE, pasid,
                   PT_RAW_WRITE | PT_RAW_LAST, i);
    }
}

static uint64_t answers(struct pt *pt)
{
    return pt_rd32(pt->func, PT_RAW_RESP_COUNT) +
           pt_counter(pt, PT_CNT_RESP_UNEXPECTED);
}

bool scene_open(struct pt *pt, unsigned index)
{
    int node = all->names[index][0] ? sysfs_node(all->names[index]) : -1;
    char name[32];

    if (node < 0) {
        return false;
    }
    snprintf(name, sizeof(name), "/dev/" PRI_TESTDEV_NODE "%d", node);
    memset(pt, 0, sizeof(*pt));
    pt->fd = open(name, O_RDWR | O_CLOEXEC);
    if (pt->fd < 0) {
        return false;
    }
    pt->func = mmap(NULL, PT_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, pt->fd,
                    PRI_TESTDEV_FUNCTION_PAGE * PT_PAGE);
    if (pt->func == MAP_FAILED) {
        close(pt->fd);
        return false;
    }
    return true;
}

void scene_look(struct pt *pt)
{
    looked_at = pt;
}

bool scene_bind(struct pt *pt)
{
    pt->bound = !ioctl(pt->fd, PRI_TESTDEV_IOC_BIND, &pt->pasid);
    return pt->bound;
}

unsigned scene_asked(void)
{
    return __atomic_load_n(&all->asked, __ATOMIC_SEQ_CST);
}

void scene_check_drained(struct pt *pt, unsigned asked)
{
    bool sure = !(all->scene->flags &
                  (SCENE_LOSES | SCENE_TWO | SCENE_OTHERS));
    uint64_t got = sure ? answers(pt) - answers_before[0] : 0;

    if (sure && got < asked) {
        race_sign("not-drained", "it is off the function, and of %u groups "
                  "from before that %llu are answered", asked,
                  (unsigned long long)got);
    }
}

bool scene_unbind(struct pt *pt)
{
    unsigned asked = scene_asked();

    if (ioctl(pt->fd, PRI_TESTDEV_IOC_UNBIND)) {
        return false;
    }
    pt->bound = false;
    scene_check_drained(pt, asked);
    return true;
}

uint32_t scene_write(struct pt_chan *ch, unsigned page)
{
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .dst = scene_page(page), .len = PT_PAGE,
        .pattern = PATTERN + page, .no_irq = true,
    };
    uint32_t status;

    pt_start(ch, &op);
    status = pt_wait(ch, &op, WORKS_MS);
    for (unsigned i = 0; status == PT_ST_DONE && i < PT_PAGE; i++) {
        uint8_t *p = (uint8_t *)op.dst + i;

        if (*p != PT_STAMP_BYTE(op.pattern, (uintptr_t)p)) {
            race_sign("wrong-data", "byte %u of page %u, operation done", i,
                      page);
            break;
        }
    }
    return status;
}

uint32_t scene_fill(struct pt_chan *ch, uint64_t addr, size_t len)
{
    struct pt_op op = {
        .cmd = PT_OP_FILL, .dst = (void *)(uintptr_t)addr, .len = len,
        .pattern = PATTERN, .no_irq = true,
    };

    pt_start(ch, &op);
    return pt_wait(ch, &op, WORKS_MS);
}

/* -- What holds for all ---------------------------------------------------- */

/* A function to look at, if it is there; function_done() after that */
static bool function(unsigned i, struct pt *pt)
{
    if (!(all->scene->flags & SCENE_IOMMUFD)) {
        return scene_open(pt, i);
    }
    if (i || !looked_at) {
        return false;
    }
    *pt = *looked_at;
    return true;
}

static void function_done(struct pt *pt)
{
    if (!(all->scene->flags & SCENE_IOMMUFD)) {
        pt_close(pt);
    }
}

static void look_before(void)
{
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        struct pt pt;

        if (function(i, &pt)) {
            answers_before[i] = answers(&pt);
            violations_before[i] = pt_counter(&pt, PT_CNT_VIOLATIONS);
            function_done(&pt);
        }
    }
    kept_before();
}

static void look_at_answers(uint64_t got)
{
    if (got < all->asked) {
        race_sign("no-answer", "%llu answers to %u groups",
                  (unsigned long long)got, all->asked);
    } else if (got > all->asked) {
        race_sign("answered-twice", "%llu answers to %u groups",
                  (unsigned long long)got, all->asked);
    }
}

static void look_after(void)
{
    unsigned flags = all->scene->flags;
    uint64_t got = 0;

    for (unsigned i = 0; i < FUNCTIONS; i++) {
        struct pt pt;
        uint64_t bad;

        if (!function(i, &pt)) {
            continue;
        }
        got += answers(&pt) - answers_before[i];
        bad = pt_counter(&pt, PT_CNT_VIOLATIONS) - violations_before[i];
        if (bad && !(flags & (SCENE_REFUSED | SCENE_LOSES))) {
            race_sign("protocol", "%llu breaches at function %u",
                      (unsigned long long)bad, i);
        }
        function_done(&pt);
    }
    if (!(flags & SCENE_LOSES)) {
        look_at_answers(got);
    }
    kept_after(flags & SCENE_LOSES ? all->asked :
               got < all->asked ? all->asked - got : 0);
}

/* This process has its PASID for good from here on */
static void take_pasid(void)
{
    struct pri_testdev_info info;
    struct pt pt;

    for (unsigned i = 0; i < FUNCTIONS; i++) {
        pt_open(&pt, i);
        pt_info(&pt, &info);
        snprintf(all->names[i], sizeof(all->names[i]), "%.31s", info.pci_name);
        if (!i) {
            pt_bind(&pt);
            pt_unbind(&pt);
        }
        pt_close(&pt);
    }
    all->first_pasid = leaks_first_pasid();
}

/* -- Tasks ----------------------------------------------------------------- */

struct start {
    const struct scene_task *task;
    unsigned cpu;
};

static void task_begin(const struct start *s)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    prctl(PR_SET_NAME, s->task->name);
    race_cpu(s->cpu % cpus);
    if (s->task->prepare) {
        s->task->prepare();
    }
    __atomic_add_fetch(&all->prepared, 1, __ATOMIC_SEQ_CST);
    pthread_barrier_wait(&all->ready);
    while (!__atomic_load_n(&all->go, __ATOMIC_SEQ_CST)) {
#ifdef __x86_64__
        __builtin_ia32_pause();
#endif
    }
    s->task->run();
}

static void *thread_main(void *arg)
{
    task_begin(arg);
    return NULL;
}

static pid_t process_start(const struct start *s)
{
    pid_t pid = fork();

    CHECK(pid >= 0, "fork: %s", strerror(errno));
    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        task_begin(s);
        _exit(KTAP_PASS);
    }
    return pid;
}

/* Processes first, so that they copy no threads; one after another */
static void tasks_start(struct start *start, pthread_t *threads,
                            pid_t *pids)
{
    unsigned n = 0;

    for (int turn = 0; turn < 2; turn++) {
        for (unsigned i = 0; i < SCENE_TASKS; i++) {
            const struct scene_task *task = &all->scene->tasks[i];

            if (!task->run || task->process != !turn) {
                continue;
            }
            start[i] = (struct start){ task, i + 1 };
            if (task->process) {
                pids[i] = process_start(&start[i]);
            } else {
                CHECK(!pthread_create(&threads[i], NULL, thread_main,
                                      &start[i]), "thread");
            }
            for (n++; __atomic_load_n(&all->prepared, __ATOMIC_SEQ_CST) < n;) {
                pt_sleep_ms(1);
                CHECK(!pids[i] || !waitpid(pids[i], NULL, WNOHANG),
                      "%s ended before the scenario began", task->name);
            }
        }
    }
}

/*
 * The kernel may have killed a process for its memory, or it was using a
 * function that is gone.  Of another signal the kernel is to blame, or the
 * scenario, and what was to be looked at there was not.
 */
static void task_ended(const struct scene_task *task, int status)
{
    int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

    if (sig && sig != SIGKILL && sig != SIGBUS) {
        race_sign("task-dies", "%s ended by signal %d", task->name, sig);
    }
}

static void tasks_end(pthread_t *threads, pid_t *pids)
{
    for (unsigned i = 0; i < SCENE_TASKS; i++) {
        int status = 0;

        if (pids[i]) {
            waitpid(pids[i], &status, 0);
            task_ended(&all->scene->tasks[i], status);
        } else if (all->scene->tasks[i].run) {
            pthread_join(threads[i], NULL);
        }
    }
}

/* The driver has function 0 at the end, too */
static bool works_after(void)
{
    return !(all->scene->flags & (SCENE_IOMMUFD | SCENE_GONE));
}

/* Everything is quiet: what came of it? */
static void look(void)
{
    pt_sleep_ms(QUIET_MS);              /* threads of the kernel continue */
    mark(MARK_NOTE, 1);                 /* nothing races from here on */
    if (all->scene->after) {
        all->scene->after();
    }
    scene_check_pages();
    look_after();
    if (works_after()) {
        leaks_look_at_pasid(all->first_pasid);
    }
    leaks_look_at_memory();
}

static void scene_body(void)
{
    const struct scene *s = all->scene;
    pthread_t threads[SCENE_TASKS];
    struct start start[SCENE_TASKS];
    pid_t pids[SCENE_TASKS] = {};
    pthread_barrierattr_t shared;
    unsigned n = 0;

    race_cpu(0);
    prctl(PR_SET_NAME, "scene");
    for (unsigned i = 0; i < SCENE_TASKS; i++) {
        n += !!s->tasks[i].run;
    }
    CHECK(!pthread_barrierattr_init(&shared) &&
          !pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED) &&
          !pthread_barrier_init(&all->ready, &shared, n + 1), "barrier");
    if (!(s->flags & SCENE_IOMMUFD)) {
        take_pasid();
    }
    if (works_after()) {
        witness_start();
    }
    allocs_before();
    s->setup();
    look_before();
    tasks_start(start, threads, pids);
    pt_sleep_ms(SETTLE_MS);
    log_begin();
    /*
     * All tasks are awake when they may begin: if they are woken one after
     * another, and this CPU comes last, the first has come to its end
     * before the next one begins.
     */
    pthread_barrier_wait(&all->ready);
    pt_sleep_ms(AWAKE_MS);
    mark_said(MARK_READY);
    race_ready();                       /* time counts from here on */
    __atomic_store_n(&all->go, true, __ATOMIC_SEQ_CST);
    tasks_end(threads, pids);
    look();
    log_end();
    ktap_note("scene: end");
    mark_said(MARK_END);
}

/* The machine stops at an instruction of the guest, not where it is off */
static void stuck(void)
{
    mark_said(MARK_END);
}

int scene_main(const struct scene *scene, int argc, char **argv)
{
    all = mmap(NULL, sizeof(*all), PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) {
        return KTAP_FAIL;
    }
    all->scene = scene;
    race_when_stuck(stuck);
    return race_main(scene->name, scene_body,
                     scene->seconds ? scene->seconds : SECONDS, argc, argv);
}
