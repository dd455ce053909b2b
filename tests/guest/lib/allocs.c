/*
 * Memory of the IOMMU code that is never freed
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allocs.h"
#include "ktap.h"
#include "race.h"

#ifndef ALLOCINFO               /* the test of the rules has its own */
#define ALLOCINFO   "/proc/allocinfo"
#define SWITCH      "/proc/sys/vm/mem_profiling"
#endif
#define PLACES      1024        /* that are compared */

/* A line is `bytes calls file:line [module] func:name` */
struct place {
    char where[96];             /* file:line */
    char function[48];
    unsigned long calls;        /* allocated and not freed */
};

static struct place before[PLACES];
static unsigned n_before;

/* Functions that are not looked at, as they may have more and all is well */
static const char *const left_out[] = {
    "iova_magazine_alloc",          /* a cache of IOVAs */
    "alloc_iova_mem",               /* one of them, or in a flush queue */
    "iommu_alloc_pages_node_sz",    /* page tables, until their domain goes */
    "iopf_queue_add_device",        /* kfree_rcu() frees it seconds later */
    "_vfio_alloc_device",           /* vfio-pci has the function now */
    "vfio_assign_device_set",       /* the same */
};

/*
 * The path from the top of the kernel's source on; NULL: not looked at.  What
 * is built of a copy of the source has the copy's path before it.
 */
static const char *watched(const char *path)
{
    static const char *const parts[] = {
        "drivers/iommu/", "drivers/vfio/", "drivers/pci/",
    };
    const char *where = NULL;

    for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]) && !where; i++) {
        where = strstr(path, parts[i]);
    }
    return where;
}

static bool is_left_out(const char *function)
{
    for (unsigned i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++) {
        if (!strcmp(function, left_out[i])) {
            return true;
        }
    }
    return false;
}

/* False: another line, or of another part of the kernel */
static bool read_line(const char *line, struct place *place)
{
    const char *func = strstr(line, " func:"), *where;
    char path[256];

    if (!func || sscanf(line, "%*u %lu %255s", &place->calls, path) != 2 ||
        sscanf(func, " func:%47s", place->function) != 1) {
        return false;
    }
    where = watched(path);
    snprintf(place->where, sizeof(place->where), "%s", where ? where : "");
    return where && !is_left_out(place->function);
}

static const struct place *find_before(const struct place *place, unsigned i)
{
    /* the list is the same one, unless a module has come or gone */
    if (i < n_before && !strcmp(before[i].where, place->where)) {
        return &before[i];
    }
    for (i = 0; i < n_before; i++) {
        if (!strcmp(before[i].where, place->where) &&
            !strcmp(before[i].function, place->function)) {
            return &before[i];
        }
    }
    return NULL;
}

static unsigned long calls_before(const struct place *place, unsigned i)
{
    const struct place *was = find_before(place, i);

    return was ? was->calls : 0;
}

static FILE *open_allocinfo(void)
{
    return fopen(ALLOCINFO, "re");
}

void allocs_before(void)
{
    FILE *f = open_allocinfo();
    char line[512];

    if (!f && !access(SWITCH, F_OK)) {
        ktap_note("memory is not looked at: this kernel counts it with "
                  "sysctl.vm.mem_profiling=1 on its command line");
    }
    n_before = 0;
    while (f && fgets(line, sizeof(line), f)) {
        if (n_before < PLACES && read_line(line, &before[n_before])) {
            n_before++;
        }
    }
    CHECK(n_before < PLACES, "more than %u places in " ALLOCINFO, PLACES);
    if (f) {
        fclose(f);
    }
}

bool allocs_counted(void)
{
    return n_before;
}

static void tell(const struct place *place, unsigned long was)
{
    char sign[80];

    snprintf(sign, sizeof(sign), "leak-in-%s", place->function);
    race_sign(sign, "%s has %lu allocations, it had %lu", place->where,
              place->calls, was);
}

/* How many places have more than before; `say` may be NULL */
static unsigned compare(void (*say)(const struct place *place,
                                    unsigned long was))
{
    FILE *f = n_before ? open_allocinfo() : NULL;
    unsigned n = 0, more = 0;
    struct place place;
    char line[512];

    while (f && fgets(line, sizeof(line), f)) {
        unsigned long was;

        if (!read_line(line, &place)) {
            continue;
        }
        was = calls_before(&place, n++);
        if (place.calls > was) {
            more++;
            if (say) {
                say(&place, was);
            }
        }
    }
    if (f) {
        fclose(f);
    }
    return more;
}

unsigned allocs_more(void)
{
    return compare(NULL);
}

void allocs_after(void)
{
    compare(tell);
}
