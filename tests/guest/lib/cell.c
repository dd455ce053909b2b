/*
 * A cell of the table of `./pri-lab resets`: who, and the way through it
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cell.h"
#include "failnth.h"
#include "race.h"
#include "sysfs.h"

#define DEVICES         "/sys/bus/pci/devices/"
#define DRIVER          "/sys/bus/pci/drivers/pri_testdev/"
#define LAB_VENDOR      0x1234
#define PF              2u
#define VFS             "2"
#define DURING_MS       40          /* the resets of the lab take 130 */
#define END_MS          3000        /* of DMA, some 20 times as long */
#define FEW_PASIDS      9u          /* 1 to 3: two of them for others */

/* -- Who ------------------------------------------------------------------- */

static const struct cell_who kinds[] = {
    { "function", 1, 1, .sva = true },
    { "pf", PF, 0, .sva = true },
    { "vf", 0, 0, .sva = true },
    { "neighbour", 3, 4, .sva = true },
    { "group", 5, 6, .sva = false },
    { "switch", 7, 7, .sva = true },
    { "rmrr", 8, 8, .sva = true },
    { "few-pasids", FEW_PASIDS, FEW_PASIDS, .sva = true },
    { "alias", 11, 12, .sva = false },
    { "bridge", 15, 16, .no_ats = true },
    { "fails", 1, 1, .sva = true, .fails = true },
};

const struct cell_who *cell_who(const char *name)
{
    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!strcmp(kinds[i].name, name)) {
            return &kinds[i];
        }
    }
    return NULL;
}

uint32_t cell_flags(const struct cell_who *who)
{
    return who->no_ats ? PT_FLAG_UNTRANSLATED : 0;
}

static unsigned long cell_number(const char *function, const char *file)
{
    char path[PATH_MAX], text[32] = "";
    FILE *f;

    snprintf(path, sizeof(path), DEVICES "%.31s/%s", function, file);
    f = fopen(path, "re");
    CHECK(f && fgets(text, sizeof(text), f), "%s: %s", path, strerror(errno));
    fclose(f);
    return strtoul(text, NULL, 16);
}

/* Virtual Functions have the ID of theirs, and come behind it */
void cell_find(unsigned id, char *name)
{
    char path[PATH_MAX], real[PATH_MAX];
    struct dirent **list;
    int n = scandir(DEVICES, &list, NULL, alphasort);

    CHECK(n >= 0, DEVICES ": %s", strerror(errno));
    name[0] = 0;
    for (int i = 0; i < n; i++) {
        const char *here = list[i]->d_name;

        if (here[0] != '.' && !name[0] &&
            cell_number(here, "subsystem_vendor") == LAB_VENDOR &&
            cell_number(here, "subsystem_device") == (id ? id : PF)) {
            snprintf(name, 32, "%.31s", here);
        }
        free(list[i]);
    }
    free(list);
    CHECK(name[0], "there is no function %u", id);
    if (!id) {
        snprintf(path, sizeof(path), DEVICES "%.31s/virtfn0", name);
        CHECK(realpath(path, real), "%s: %s", path, strerror(errno));
        snprintf(name, 32, "%.31s", strrchr(real, '/') + 1);
    }
}

void cell_setup(void)
{
    char path[PATH_MAX], name[32];

    sysfs_write(DRIVER "new_id", "1b4b 9123");      /* quirk: an alias */
    sysfs_write(DRIVER "new_id", "8086 0953");      /* quirk: its own reset */
    cell_find(PF, name);
    snprintf(path, sizeof(path), DEVICES "%.31s/sriov_numvfs", name);
    sysfs_write(path, VFS);
    cell_find(0, name);
    sysfs_wait_node(name);
}

/* -- What is said ---------------------------------------------------------- */

void cell_say(const char *key, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    ktap_note("cell: %s %s", key, text);
    ktap_mark("cell: %s %s", key, text);
}

uint32_t cell_result(struct owner *owner, const char *what)
{
    uint32_t status;

    if (!owner_result(owner, END_MS, &status)) {
        cell_say("lost", "%s has no end within %u ms", what, END_MS);
        cell_say("at", "done");
        _exit(KTAP_PASS);
    }
    return status;
}

void cell_began(const char *name, uint32_t status)
{
    if (status != PT_ST_DONE) {
        cell_say("lost", "DMA of %s before any reset ends with %s", name,
                 pt_status_name(status));
        cell_say("at", "done");
        _exit(KTAP_PASS);
    }
}

/* -- The way through ------------------------------------------------------- */

/* What the method says, with allocations failing one by one if so wanted */
static int cell_reset(struct cell *cell)
{
    unsigned n, refused = 0;
    bool one = true;
    int fd, err = 0;

    if (!cell->who->fails) {
        return cell->method->run(cell);
    }
    fd = fail_open();
    for (n = 1; n < FAIL_MOST && one; n++) {
        fail_arm(fd, n);
        err = cell->method->run(cell);
        one = fail_disarm(fd);
        refused += one && err;
        owner_do(&cell->owner, OWNER_FREE);
        if (owner_do(&cell->owner, OWNER_WRITE) != PT_ST_DONE) {
            cell_say("lost", "allocation %u of the reset failed, it says %s, "
                     "and DMA ends with an error", n,
                     err ? strerror(err) : "that all is well");
            break;
        }
    }
    cell_say("note", "%u allocations, %u of them needed", n - 1, refused);
    return one ? 0 : err;
}

static pid_t cell_meanwhile(struct cell *cell)
{
    pid_t pid = 0;

    if (cell->work->during) {
        pid = fork();
        CHECK(pid >= 0, "fork: %s", strerror(errno));
        if (!pid) {
            pt_sleep_ms(DURING_MS);
            cell->work->during(cell);
            _exit(KTAP_PASS);
        }
    }
    return pid;
}

/* A process that was never here before works: so does the function */
static void cell_check_works(const struct cell_who *who, const char *name)
{
    uint32_t status;

    if (who->sva) {
        struct owner o;

        owner_start(&o, sysfs_wait_node(name));
        owner_do(&o, OWNER_START);
        status = cell_result(&o, "DMA of a new process");
        owner_end(&o);
    } else {
        struct pt_chan ch;
        struct pt pt;

        pt_open(&pt, sysfs_wait_node(name));
        pt_chan(&pt, &ch);
        status = cell_dma_write(who, &pt, &ch);
        pt_close(&pt);
    }
    if (status != PT_ST_DONE) {
        cell_say("lost", "DMA of %s afterwards ends with %s", name,
                 pt_status_name(status));
    }
}

/* An owner that was not told of the reset must still have what it had */
static void cell_check_kept(struct cell *cell)
{
    bool told = cell->method->gone || !(cell->method->keeps ||
                                       cell->who->target != cell->who->user);
    uint32_t status;

    if (!cell->owner.pid || told) {
        return;
    }
    owner_do(&cell->owner, OWNER_FREE);
    owner_do(&cell->owner, OWNER_START);
    status = cell_result(&cell->owner, "DMA by the process that was bound "
                         "before");
    if (status != PT_ST_DONE) {
        cell_say("lost", "DMA of %s by the process that was bound before ends "
                 "with %s", cell->user, pt_status_name(status));
    }
}

static void cell_after(struct cell *cell)
{
    cell_say("at", "check");
    if (cell->vfio) {
        cell_vfio_after(cell);
        return;
    }
    cell_check_kept(cell);
    if (cell->owner.pid) {              /* few PASIDs: its own is needed */
        owner_end(&cell->owner);
    } else {
        owner_freed();
    }
    cell_check_works(cell->who, cell->user);
    if (strcmp(cell->user, cell->target)) {
        cell_check_works(cell->who, cell->target);
    }
}

static void cell_open(struct cell *cell, const char *words)
{
    char method[16], work[16], who[16];
    unsigned id;

    CHECK(sscanf(words, "%15s %15s %15s", method, work, who) == 3,
          "not METHOD WORK WHO: %s", words);
    cell->method = cell_method(method);
    cell->work = cell_work(work);
    cell->who = cell_who(who);
    CHECK(cell->method && cell->work && cell->who, "no such cell: %s", words);
    cell->vfio = cell->method->vfio || cell->work->vfio;
    id = cell->method->target;
    cell_find(id ? id : cell->who->target, cell->target);
    cell_find(id ? id : cell->who->user, cell->user);
    if (cell->method->gone) {
        pt_keep_bindings(false);
    } else {
        pt_keep_bindings(cell->method->keeps);
    }
    if (cell->who->target == FEW_PASIDS) {
        static struct owner others[2];      /* end when this process does */

        owner_start(&others[0], sysfs_wait_node(cell->user));
        owner_start(&others[1], sysfs_wait_node(cell->user));
    }
    if (!cell->vfio) {
        pt_open(&cell->pt, sysfs_wait_node(cell->user));
    }
}

void cell_run(const char *words)
{
    struct cell cell = {};
    double start;
    pid_t child;
    int err;

    cell_say("at", "setup");
    cell_open(&cell, words);
    cell.work->start(&cell);
    child = cell_meanwhile(&cell);
    cell_say("at", "method");
    start = pt_now();
    err = cell_reset(&cell);
    cell_say("ms", "%.0f", (pt_now() - start) * 1000);
    if (err) {
        cell_say("refused", "%s", strerror(err));
    }
    cell_say("at", "end");
    if (child && cell.method->gone) {
        waitpid(child, NULL, 0);        /* it may have lost its function */
    } else if (child) {
        pt_reap(child, KTAP_PASS);
    }
    cell.work->end(&cell);
    cell_after(&cell);
    cell_say("at", "done");
}
