/*
 * Drive pri-testdev from a program of the guest: knobs, and the driver's own
 *
 * A knob stays as it is when the process ends, and the next test, of this
 * program or of another one in the same boot, would run with it.  So what was
 * turned first is remembered with its value before, and put back when a test
 * does not get to do that itself.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pt.h"
#include "sysfs.h"

#define KEEP_BINDINGS   "/sys/module/pri_testdev/parameters/keep_bindings"
#define TURNED_MAX  64              /* more are not put back, which is said */

/* A knob as it was, or a rule that was not there */
struct turned {
    unsigned index;                 /* of the function, pt_open() */
    uint32_t whose;                 /* PT_KNOB_SELECT */
    uint32_t hash;
    uint64_t before;
};

/* Of the test that runs; all its processes add to it */
static struct {
    unsigned n;
    struct turned knob[TURNED_MAX];
    char kept[2];                   /* keep_bindings as it was; "": untouched */
} *turned;

uint32_t pt_knob_hash(const char *name)
{
    uint32_t hash = PT_KNOB_HASH_BASIS;

    while (*name) {
        hash = (hash ^ (uint8_t)*name++) * PT_KNOB_HASH_PRIME;
    }
    return hash;
}

static void select_knob(struct pt *pt, uint32_t whose, uint32_t hash)
{
    pt_wr32(pt->func, PT_KNOB_SELECT, whose);
    pt_wr32(pt->func, PT_KNOB_NAME, hash);
}

/* -- What was turned ------------------------------------------------------- */

static bool is_remembered(const struct turned *t)
{
    unsigned i;

    for (i = 0; i < turned->n && i < TURNED_MAX; i++) {
        const struct turned *k = &turned->knob[i];

        if (k->index == t->index && k->whose == t->whose &&
            k->hash == t->hash) {
            return true;
        }
    }
    return false;
}

/* The knob is selected and has the value it had when the test began */
static void remember(struct pt *pt, uint32_t whose, uint32_t hash)
{
    struct turned t = { .index = pt->index, .whose = whose, .hash = hash };
    unsigned i;

    if (is_remembered(&t)) {
        return;
    }
    t.before = pt_rd64(pt->func, PT_KNOB_VALUE);
    i = __atomic_fetch_add(&turned->n, 1, __ATOMIC_SEQ_CST);
    if (i < TURNED_MAX) {
        turned->knob[i] = t;
    }
}

static void put_back(const struct turned *t)
{
    struct pt pt;

    pt_open(&pt, t->index);
    if (t->whose & PT_KNOB_RULE(0)) {
        pt_rule_remove(&pt, PT_KNOB_RULE_NUMBER(t->whose));
    } else {
        select_knob(&pt, t->whose, t->hash);
        pt_wr64(pt.func, PT_KNOB_VALUE, t->before);
    }
    pt_close(&pt);
}

static void put_back_kept(bool passed)
{
    if (!passed && *turned->kept) {
        ktap_note("keep_bindings is put back");
        sysfs_write(KEEP_BINDINGS, turned->kept);
    }
    *turned->kept = 0;
}

static void after_test(bool passed)
{
    unsigned n = turned->n;

    put_back_kept(passed);
    turned->n = 0;
    if (passed || !n) {
        return;
    }
    if (n > TURNED_MAX) {
        ktap_note("%u knobs were turned, some of them stay", n);
        n = TURNED_MAX;
    }
    ktap_note("%u knobs are put back", n);
    while (n--) {
        put_back(&turned->knob[n]);
    }
}

/* Before there is a second process */
static void __attribute__((constructor)) share_turned(void)
{
    turned = mmap(NULL, sizeof(*turned), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(turned != MAP_FAILED, "mmap: %s", strerror(errno));
    ktap_after = after_test;
}

/* -- Turning --------------------------------------------------------------- */

static void turn_knob(struct pt *pt, uint32_t whose, const char *knob,
                      uint64_t value)
{
    uint32_t hash = pt_knob_hash(knob);

    select_knob(pt, whose, hash);
    remember(pt, whose, hash);
    pt_wr64(pt->func, PT_KNOB_VALUE, value);
}

static void check_turned(struct pt *pt, const char *knob)
{
    uint32_t status = pt_rd32(pt->func, PT_KNOB_STATUS);

    CHECK(status != PT_KNOB_NONE, "there is no knob %s", knob);
    CHECK_EQ(status, PT_KNOB_OK, "knob status");
}

void pt_knob_blind(struct pt *pt, const char *knob, uint64_t value)
{
    select_knob(pt, 0, pt_knob_hash(knob));
    pt_wr64(pt->func, PT_KNOB_VALUE, value);
}

void pt_knob(struct pt *pt, const char *knob, uint64_t value)
{
    turn_knob(pt, 0, knob, value);
    check_turned(pt, knob);
}

void pt_iommu_knob(struct pt *pt, const char *knob, uint64_t value)
{
    turn_knob(pt, PT_KNOB_IOMMU, knob, value);
    check_turned(pt, knob);
}

uint64_t pt_iommu_knob_value(struct pt *pt, const char *knob)
{
    select_knob(pt, PT_KNOB_IOMMU, pt_knob_hash(knob));
    return pt_rd64(pt->func, PT_KNOB_VALUE);
}

void pt_rule(struct pt *pt, unsigned rule, const char *knob, uint64_t value)
{
    turn_knob(pt, PT_KNOB_RULE(rule), knob, value);
    CHECK(pt_rd32(pt->func, PT_KNOB_STATUS) != PT_KNOB_FULL,
          "no room for rule %u of the link", rule);
    check_turned(pt, knob);
}

void pt_rule_remove(struct pt *pt, unsigned rule)
{
    pt_wr32(pt->func, PT_RULE_REMOVE, rule);
}

void pt_keep_bindings(bool keep)
{
    if (!*turned->kept) {
        int fd = open(KEEP_BINDINGS, O_RDONLY | O_CLOEXEC);

        CHECK(fd >= 0 && read(fd, turned->kept, 1) == 1, KEEP_BINDINGS ": %s",
              strerror(errno));
        close(fd);
    }
    sysfs_write(KEEP_BINDINGS, keep ? "Y" : "N");
}
