/*
 * What the kernel keeps of the functions, before a scenario and after it
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kept.h"
#include "ktap.h"
#include "race.h"

#ifndef KEPT                    /* the test of the rules has its own */
#define KEPT    "/sys/kernel/debug/pri_testdev/kept"
#define GROUPS  "/sys/kernel/iommu_groups"
#endif
#define MAX     64              /* functions */

static struct kept before[MAX];
static unsigned n_before, groups_before;
static int removed_before;

/* -- Reading --------------------------------------------------------------- */

/* The number behind ` word=`; a dash is one that is not known */
static int number(const char *line, const char *word)
{
    const char *p = strstr(line, word);
    char *end;
    int n;

    CHECK(p, "no '%s' in a line of " KEPT ": %s", word, line);
    p += strlen(word);
    n = strtol(p, &end, 10);
    return end == p ? KEPT_UNKNOWN : n;
}

static void read_line(const char *line, struct kept *k)
{
    *k = (struct kept){
        .users = number(line, " users="), .groups = number(line, " groups="),
        .partial = number(line, " partial="), .held = number(line, " held="),
        .handles = number(line, " handles="),
        .attached = number(line, " attached="), .refs = number(line, " refs="),
    };
    snprintf(k->name, sizeof(k->name), "%.*s", (int)strcspn(line, " "), line);
}

unsigned kept_read(struct kept *kept, unsigned max, int *removed)
{
    FILE *f = fopen(KEPT, "re");
    unsigned n = 0;
    char line[256];

    CHECK(f, "no " KEPT " (CONFIG_DEBUG_FS)");
    *removed = KEPT_UNKNOWN;
    while (fgets(line, sizeof(line), f)) {
        if (sscanf(line, "removed=%d", removed) != 1) {
            CHECK(n < max, "more than %u functions in " KEPT, max);
            read_line(line, &kept[n++]);
        }
    }
    fclose(f);
    CHECK(*removed != KEPT_UNKNOWN, "no 'removed=' in " KEPT);
    return n;
}

static unsigned entries(const char *path)
{
    DIR *d = opendir(path);
    unsigned n = 0;

    while (d && readdir(d)) {
        n++;
    }
    if (d) {
        closedir(d);
    }
    return n;
}

/* -- Comparing ------------------------------------------------------------- */

static const struct kept *find_before(const char *name)
{
    for (unsigned i = 0; i < n_before; i++) {
        if (!strcmp(before[i].name, name)) {
            return &before[i];
        }
    }
    return NULL;
}

static bool same_driver(const struct kept *a, const struct kept *b)
{
    return (a->held == KEPT_UNKNOWN) == (b->held == KEPT_UNKNOWN);
}

/*
 * Of a function of vfio-pci the groups are in a fault queue of iommufd, whose
 * owner may read and answer them.
 */
static void look_at_groups(const struct kept *k, int waiting)
{
    int may = k->held == KEPT_UNKNOWN ? waiting : k->held;

    if (k->users == KEPT_UNKNOWN) {
        return;
    }
    if (k->groups > may) {
        race_sign("leak-group", "%d groups of %s have no answer", k->groups,
                  k->name);
    } else if (k->users > 1 + k->groups + may) {
        race_sign("leak-group", "%d references to the fault data of %s, which "
                  "has %d groups", k->users, k->name, k->groups);
    }
    if (k->partial) {
        race_sign("leak-partial", "%d requests of %s wait for the last of "
                  "their group", k->partial, k->name);
    }
}

static void look_at_function(const struct kept *k, int waiting)
{
    const struct kept *was = find_before(k->name);

    look_at_groups(k, waiting);
    if (k->handles != KEPT_UNKNOWN && k->attached != KEPT_UNKNOWN &&
        k->handles > k->attached) {
        race_sign("leak-handle", "%d attach handles of %s, and %d attachments",
                  k->handles, k->name, k->attached);
    }
    /* a driver has references of its own */
    if (was && same_driver(was, k) && k->refs > was->refs) {
        race_sign("leak-device", "%d references to %s, there were %d", k->refs,
                  k->name, was->refs);
    }
}

/* A group goes with its last device, unless somebody has a reference */
static void look_at_iommu_groups(void)
{
    DIR *d = opendir(GROUPS);
    struct dirent *e;

    while (d && (e = readdir(d))) {
        char path[sizeof(GROUPS) + 32];

        snprintf(path, sizeof(path), GROUPS "/%.16s/devices", e->d_name);
        if (e->d_name[0] != '.' && entries(path) == 2) {
            race_sign("leak-iommu-group", "group %s has no device", e->d_name);
        }
    }
    if (d) {
        closedir(d);
    }
}

void kept_forget(void)
{
    CHECK(race_write(KEPT, "1"), "write " KEPT);
}

void kept_before(void)
{
    n_before = kept_read(before, MAX, &removed_before);
    groups_before = entries(GROUPS);
}

void kept_after(unsigned waiting)
{
    struct kept after[MAX];
    int removed;
    unsigned n = kept_read(after, MAX, &removed);

    for (unsigned i = 0; i < n; i++) {
        look_at_function(&after[i], waiting);
    }
    if (removed > removed_before) {
        race_sign("leak-device", "%d functions are removed and not released",
                  removed - removed_before);
    }
    if (entries(GROUPS) > groups_before || removed) {
        look_at_iommu_groups();
    }
}
