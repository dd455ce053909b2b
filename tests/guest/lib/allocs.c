/*
 * Memory of the IOMMU code that is never freed
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocs.h"
#include "ktap.h"
#include "race.h"

#ifndef ALLOCINFO               /* the test of the rules has its own */
#define ALLOCINFO   "/proc/allocinfo"
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

/*
 * Not looked at: caches, which may be larger afterwards, and what is freed
 * with kfree_rcu(), seconds later.
 */
static const char *const left_out[] = {
    "drivers/iommu/iova.c:",
};

static bool is_watched(const char *where)
{
    if (strncmp(where, "drivers/iommu/", 14) &&
        strncmp(where, "drivers/vfio/", 13) &&
        strncmp(where, "drivers/pci/", 12)) {
        return false;
    }
    for (unsigned i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++) {
        if (!strncmp(where, left_out[i], strlen(left_out[i]))) {
            return false;
        }
    }
    return true;
}

/* False: another line, or of another part of the kernel */
static bool read_line(const char *line, struct place *place)
{
    const char *func = strstr(line, " func:");

    return func && sscanf(line, "%*u %lu %95s", &place->calls, place->where)
           == 2 && sscanf(func, " func:%47s", place->function) == 1 &&
           is_watched(place->where);
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
