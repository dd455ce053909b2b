/*
 * What is left of a scenario when it is over: a PASID, memory
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "allocs.h"
#include "kept.h"
#include "leaks.h"
#include "race.h"
#include "witness.h"

#define QUIET_MS        100
#define FREE_TRIES      10          /* QUIET_MS each, for an mm to go (SRCU) */
#define MEMORY_MS       40
#define MEMORY_TRIES    5           /* MEMORY_MS each, the same */

/*
 * A CPU that is idle keeps the address space it has run last, and with it
 * the PASID, until a process runs there again (lazy TLB).
 */
static void visit_processors(void)
{
    for (unsigned i = sysconf(_SC_NPROCESSORS_ONLN); i--;) {
        race_cpu(i);
    }
}

/* -- PASIDs ---------------------------------------------------------------- */

uint32_t leaks_first_pasid(void)
{
    const char *why = "";
    uint32_t pasid;

    witness_start();
    pasid = witness_ask(&why);
    CHECK(pasid, "function 0: %s", why);
    witness_end();
    return pasid;
}

void leaks_look_at_pasid(uint32_t first)
{
    const char *why = "";
    uint32_t pasid = 0;

    visit_processors();
    for (unsigned i = 0; i < FREE_TRIES && pasid != first; i++) {
        if (i) {
            witness_end();
            pt_sleep_ms(QUIET_MS);
            witness_start();
        }
        pasid = witness_ask(&why);
    }
    if (!pasid) {
        race_sign("function-dead", "function 0: %s", why);
    } else if (pasid != first) {
        race_sign("leak-pasid", "the first free PASID is %u, it was %u", pasid,
                  first);
    }
}

/* -- Memory ---------------------------------------------------------------- */

static bool is_of_a_function(const char *path)
{
    return strstr(path, "/dev/" PRI_TESTDEV_NODE) ||
           strstr(path, "/dev/vfio/") || strstr(path, "/dev/iommu") ||
           strstr(path, "anon_inode:");
}

static void close_all(void)
{
    DIR *d = opendir("/proc/self/fd");
    struct dirent *e;

    CHECK(d, "no /proc/self/fd");
    while ((e = readdir(d))) {
        char path[128] = "";

        if (readlinkat(dirfd(d), e->d_name, path, sizeof(path) - 1) > 0 &&
            is_of_a_function(path)) {
            close(atoi(e->d_name));
        }
    }
    closedir(d);
}

static void unmap_all(void)
{
    FILE *f = fopen("/proc/self/maps", "re");
    unsigned long from, to;
    char line[512];

    CHECK(f, "no /proc/self/maps");
    while (fgets(line, sizeof(line), f)) {
        if (is_of_a_function(line) &&
            sscanf(line, "%lx-%lx ", &from, &to) == 2) {
            munmap((void *)from, to - from);
        }
    }
    fclose(f);
}

void leaks_look_at_memory(void)
{
    if (!allocs_counted()) {
        return;
    }
    witness_end();
    unmap_all();
    close_all();
    kept_forget();
    for (unsigned i = 0; i < MEMORY_TRIES && allocs_more(); i++) {
        visit_processors();
        pt_sleep_ms(MEMORY_MS);
    }
    allocs_after();
}
