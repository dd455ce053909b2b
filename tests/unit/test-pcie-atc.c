/*
 * Unit tests of the Address Translation Cache, named after the checklist
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "hw/pci/pcie_atc.h"

#define K           0xfffULL
#define M2          0x1fffffULL
#define NONE        ATS_NO_PASID

unsigned int shim_guest_errors;

static PcieAtcEntry entry(uint32_t pasid, uint64_t iova, uint64_t mask)
{
    return (PcieAtcEntry) {
        .iova = iova,
        .addr = iova ^ 0x4000000000ULL,
        .mask = mask,
        .pasid = pasid,
        .read = true,
        .write = true,
    };
}

static bool add(PcieAtc *atc, uint32_t pasid, uint64_t iova, uint64_t mask)
{
    PcieAtcEntry e = entry(pasid, iova, mask);

    return pcie_atc_insert(atc, &e);
}

static bool has(PcieAtc *atc, uint32_t pasid, uint64_t addr)
{
    const PcieAtcEntry *e = pcie_atc_lookup(atc, addr, pasid, false);

    g_assert_true(!e || (e->iova <= addr && addr - e->iova <= e->mask));
    g_assert_true(!e || e->pasid == pasid);
    return e;
}

static void test_ats_03_not_cached(void)
{
    PcieAtc atc;
    PcieAtcEntry e = entry(1, 0x1000, K);

    pcie_atc_init(&atc, 8, false);
    e.read = false;
    e.write = false;
    g_assert_false(pcie_atc_insert(&atc, &e));
    e.read = true;
    e.mask = 0x7ff;
    g_assert_false(pcie_atc_insert(&atc, &e));
    e.mask = 0x2fff;
    g_assert_false(pcie_atc_insert(&atc, &e));
    e.mask = 0x1fff;
    g_assert_false(pcie_atc_insert(&atc, &e));
    e.iova = 0;
    e.addr = 0x1000;
    g_assert_false(pcie_atc_insert(&atc, &e));
    e.addr = 0;
    e.mask = UINT64_MAX;
    g_assert_false(pcie_atc_insert(&atc, &e));
    /* "all" is no size, 10.2.3.2 */
    e.mask = INT64_MAX;
    g_assert_false(pcie_atc_insert(&atc, &e));
    e = entry(1, 0x1000, M2);
    e.addr = 0;
    g_assert_false(pcie_atc_insert(&atc, &e));
    g_assert_cmpuint(atc.count, ==, 0);
    g_assert_false(has(&atc, 1, 0x1000));
    /* one that only writes can be */
    e = entry(1, 0x1000, K);
    e.read = false;
    e.write = true;
    g_assert_true(pcie_atc_insert(&atc, &e));
    g_assert_cmpuint(atc.count, ==, 1);
    pcie_atc_destroy(&atc);
}

static void test_sizes(void)
{
    PcieAtc atc;
    PcieAtcEntry huge = entry(NONE, 0, (1ULL << 62) - 1);

    huge.addr = 0;
    pcie_atc_init(&atc, 8, false);
    g_assert_true(add(&atc, 1, 0x200000, M2));
    g_assert_true(add(&atc, 1, 0x1000, K));
    g_assert_true(add(&atc, NONE, 0x40000000, 0x3fffffff));
    g_assert_true(pcie_atc_insert(&atc, &huge));
    g_assert_true(has(&atc, 1, 0x200000));
    g_assert_true(has(&atc, 1, 0x3fffff));
    g_assert_false(has(&atc, 1, 0x400000));
    g_assert_false(has(&atc, 1, 0x1fffff));
    g_assert_true(has(&atc, 1, 0x1fff));
    g_assert_false(has(&atc, 2, 0x1fff));
    g_assert_true(has(&atc, NONE, 0x1fff));
    g_assert_false(has(&atc, NONE, 1ULL << 62));
    pcie_atc_destroy(&atc);
}

/* Permission upgrade: the newest translation of an address counts */
static void test_ats_05_upgrade(void)
{
    PcieAtc atc;
    PcieAtcEntry e = entry(1, 0x201000, K);
    const PcieAtcEntry *hit;

    pcie_atc_init(&atc, 8, false);
    e.write = false;
    pcie_atc_insert(&atc, &e);
    g_assert_false(pcie_atc_lookup(&atc, 0x201000, 1, false)->write);
    add(&atc, 1, 0x201000, K);
    g_assert_cmpuint(atc.count, ==, 1);
    g_assert_true(pcie_atc_lookup(&atc, 0x201000, 1, false)->write);

    /* a larger one over a smaller one, and the reverse */
    pcie_atc_insert(&atc, &e);
    add(&atc, 1, 0x200000, M2);
    g_assert_cmpuint(atc.count, ==, 1);
    hit = pcie_atc_lookup(&atc, 0x201000, 1, false);
    g_assert_cmphex(hit->mask, ==, M2);
    pcie_atc_insert(&atc, &e);
    g_assert_cmpuint(atc.count, ==, 1);
    g_assert_false(pcie_atc_lookup(&atc, 0x201000, 1, false)->write);

    /* privileged and not are different translations */
    e.priv = true;
    pcie_atc_insert(&atc, &e);
    g_assert_cmpuint(atc.count, ==, 2);
    pcie_atc_destroy(&atc);
}

static void test_lru(void)
{
    PcieAtc atc;

    pcie_atc_init(&atc, 3, false);
    add(&atc, 1, 0x1000, K);
    add(&atc, 1, 0x2000, K);
    add(&atc, 1, 0x3000, K);
    g_assert_true(has(&atc, 1, 0x1000));
    add(&atc, 1, 0x4000, K);
    g_assert_cmpuint(atc.count, ==, 3);
    g_assert_false(has(&atc, 1, 0x2000));
    g_assert_true(has(&atc, 1, 0x1000));
    g_assert_true(has(&atc, 1, 0x3000));
    g_assert_true(has(&atc, 1, 0x4000));
    pcie_atc_destroy(&atc);

    pcie_atc_init(&atc, 0, false);
    g_assert_true(add(&atc, 1, 0x1000, K));
    g_assert_false(has(&atc, 1, 0x1000));
    pcie_atc_destroy(&atc);
}

/* Four kinds of entries at two addresses; +global is a Global Mapping */
static void fill(PcieAtc *atc)
{
    PcieAtcEntry g;

    pcie_atc_flush(atc);
    for (uint64_t iova = 0x10000; iova <= 0x20000; iova += 0x10000) {
        add(atc, NONE, iova, K);
        add(atc, 1, iova, K);
        add(atc, 2, iova, K);
        g = entry(3, iova, K);
        g.global = true;
        pcie_atc_insert(atc, &g);
    }
    g_assert_cmpuint(atc->count, ==, 8);
}

/* Which of none, 1, 2, 3 survive at 0x10000 and at 0x20000 */
static unsigned int survivors(PcieAtc *atc)
{
    static const uint32_t pasid[] = { NONE, 1, 2, 3 };
    unsigned int mask = 0;

    for (unsigned int i = 0; i < 4; i++) {
        mask |= has(atc, pasid[i], 0x10000) << i;
        mask |= has(atc, pasid[i], 0x20000) << (i + 4);
    }
    return mask;
}

static void test_ats_26(void)
{
    static const struct {
        uint32_t pasid;
        bool all, global, supported;
        unsigned int survive;
    } t[] = {
        /* with PASID: that PASID, in the range */
        { 1, false, false, false, 0xfd },
        { 2, true, false, false, 0xbb },
        { 9, true, false, false, 0xff },
        /* without PASID: range of those without, all of those with */
        { NONE, false, false, false, 0x10 },
        { NONE, true, false, false, 0x00 },
        /* G is ignored unless it is supported */
        { 1, false, true, false, 0xfd },
        { 1, true, true, false, 0xdd },
        { 1, false, true, true, 0xf1 },
        { 1, true, true, true, 0x11 },
        /* Global Mappings are kept only by a function that supports G */
        { 3, false, false, false, 0xf7 },
        { 3, true, false, false, 0x77 },
        { 3, false, false, true, 0xff },
        { 3, true, false, true, 0xff },
        { 1, false, false, true, 0xfd },
        { 1, true, false, true, 0xdd },
        /* and G means nothing without PASID */
        { NONE, false, true, true, 0x10 },
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(t); i++) {
        PcieAtc atc;

        pcie_atc_init(&atc, 16, t[i].supported);
        fill(&atc);
        pcie_atc_invalidate(&atc, t[i].pasid, t[i].all ? 0 : 0x10000,
                            t[i].all ? UINT64_MAX : K, t[i].global);
        g_assert_cmphex(survivors(&atc), ==, t[i].survive);
        pcie_atc_destroy(&atc);
    }
}

/* One of each privilege, found by looking for them and by looking at all */
static void test_ats_21_privilege(void)
{
    for (unsigned int others = 0; others < 16; others += 15) {
        PcieAtcEntry e = entry(1, 0x1000, K);
        PcieAtc atc;

        pcie_atc_init(&atc, 32, false);
        for (unsigned int i = 0; i < others; i++) {
            add(&atc, 2, 0x100000 + i * 0x1000, K);
        }
        pcie_atc_insert(&atc, &e);
        e.priv = true;
        pcie_atc_insert(&atc, &e);
        g_assert_cmpuint(pcie_atc_invalidate(&atc, 1, 0x1000, K, false), ==,
                         2);
        g_assert_cmpuint(atc.count, ==, others);
        pcie_atc_destroy(&atc);
    }
}

/* A range that touches an entry drops it, however their sizes differ */
static void test_ats_21_overlap(void)
{
    PcieAtc atc;

    pcie_atc_init(&atc, 64, false);
    for (unsigned int pass = 0; pass < 2; pass++) {
        pcie_atc_flush(&atc);
        /* the second time, so many entries that the range is probed */
        for (uint64_t i = 0; pass && i < 50; i++) {
            add(&atc, 2, i << 12, K);
        }
        add(&atc, 1, 0x200000, M2);
        add(&atc, 1, 0x400000, K);
        add(&atc, 1, 0x5ff000, K);
        g_assert_cmpuint(pcie_atc_invalidate(&atc, 1, 0x3ff000, K, false), ==,
                         1);
        g_assert_false(has(&atc, 1, 0x200000));
        g_assert_true(has(&atc, 1, 0x400000));
        g_assert_cmpuint(pcie_atc_invalidate(&atc, 1, 0x400000, M2, false),
                         ==, 2);
        g_assert_cmpuint(pcie_atc_invalidate(&atc, 1, 0x400000, M2, false),
                         ==, 0);
        /* a range that is not aligned to its size */
        add(&atc, 1, 0x600000, M2);
        add(&atc, 1, 0x5fe000, K);
        g_assert_cmpuint(pcie_atc_invalidate(&atc, 1, 0x5ff000, 0x1fff,
                                             false), ==, 1);
        g_assert_true(has(&atc, 1, 0x5fe000));
        pcie_atc_invalidate(&atc, 1, 0x5fe000, K, false);
        g_assert_cmpuint(atc.count, ==, pass ? 50 : 0);
    }
    pcie_atc_destroy(&atc);
}

static void test_ats_27_flush(void)
{
    PcieAtc atc;

    pcie_atc_init(&atc, 16, false);
    fill(&atc);
    g_assert_cmpuint(pcie_atc_flush_pasid(&atc, 1), ==, 2);
    g_assert_cmphex(survivors(&atc), ==, 0xdd);
    g_assert_cmpuint(pcie_atc_flush_pasid(&atc, 3), ==, 0);
    g_assert_cmphex(survivors(&atc), ==, 0xdd);
    pcie_atc_flush(&atc);
    g_assert_cmphex(survivors(&atc), ==, 0);
    g_assert_cmpuint(atc.count, ==, 0);
    pcie_atc_destroy(&atc);
}

/* Order of use survives migration */
static void test_migration(void)
{
    PcieAtc a, b;

    pcie_atc_init(&a, 3, false);
    pcie_atc_init(&b, 3, false);
    add(&b, 9, 0x9000, K);
    add(&a, 1, 0x1000, K);
    add(&a, 1, 0x2000, K);
    add(&a, 1, 0x3000, K);
    has(&a, 1, 0x1000);
    pcie_atc_save(&a);
    b.saved = a.saved;
    b.n_saved = a.n_saved;
    a.saved = NULL;
    pcie_atc_restore(&b);
    g_assert_null(b.saved);
    g_assert_cmpuint(b.count, ==, 3);
    add(&b, 1, 0x4000, K);
    g_assert_false(has(&b, 1, 0x2000));
    g_assert_true(has(&b, 1, 0x1000));
    g_assert_false(has(&b, 9, 0x9000));
    pcie_atc_destroy(&a);
    pcie_atc_destroy(&b);
}

/* -- Against a list that does the same in the obvious way ------------------ */

typedef struct Model {
    PcieAtcEntry e[64];         /* oldest use first */
    unsigned int n;
    unsigned int capacity;
} Model;

static void model_remove(Model *m, unsigned int i)
{
    m->n--;
    memmove(&m->e[i], &m->e[i + 1], (m->n - i) * sizeof(m->e[0]));
}

static bool model_overlap(const PcieAtcEntry *e, uint64_t base, uint64_t last)
{
    return !(e->iova > base + last || base > e->iova + e->mask);
}

static void model_insert(Model *m, const PcieAtcEntry *e)
{
    for (unsigned int i = m->n; i-- > 0;) {
        if (m->e[i].pasid == e->pasid &&
            model_overlap(&m->e[i], e->iova, e->mask)) {
            model_remove(m, i);
        }
    }
    if (m->n == m->capacity) {
        model_remove(m, 0);
    }
    m->e[m->n++] = *e;
}

static bool model_lookup(Model *m, uint64_t addr, uint32_t pasid,
                         PcieAtcEntry *e)
{
    for (unsigned int i = 0; i < m->n; i++) {
        if (m->e[i].pasid == pasid && model_overlap(&m->e[i], addr, 0)) {
            *e = m->e[i];
            model_remove(m, i);
            m->e[m->n++] = *e;
            return true;
        }
    }
    return false;
}

static unsigned int model_invalidate(Model *m, uint32_t pasid, uint64_t base,
                                     uint64_t last)
{
    unsigned int dropped = 0;

    for (unsigned int i = m->n; i-- > 0;) {
        bool same = m->e[i].pasid == pasid &&
                    model_overlap(&m->e[i], base, last);

        if (same || (pasid == NONE && m->e[i].pasid != NONE)) {
            model_remove(m, i);
            dropped++;
        }
    }
    return dropped;
}

static void test_model(void)
{
    static const uint64_t masks[] = { K, K, K, 0xffff, M2, 0x3fffffff };
    GRand *r = g_rand_new_with_seed(0x505249);
    Model m = { .capacity = 24 };
    PcieAtc atc;

    pcie_atc_init(&atc, m.capacity, false);
    for (unsigned int i = 0; i < 50000; i++) {
        uint64_t mask = masks[g_rand_int_range(r, 0, ARRAY_SIZE(masks))];
        uint64_t addr = (uint64_t)g_rand_int_range(r, 0, 0x40) << 12 |
                        (uint64_t)g_rand_int_range(r, 0, 4) << 21;
        uint32_t pasid = g_rand_int_range(r, 0, 3);
        PcieAtcEntry e, found;
        const PcieAtcEntry *hit;

        pasid = pasid ? pasid : NONE;
        switch (g_rand_int_range(r, 0, 20)) {
        case 0 ... 9:
            hit = pcie_atc_lookup(&atc, addr, pasid, false);
            g_assert_cmpint(!!hit, ==, model_lookup(&m, addr, pasid, &found));
            if (hit) {
                g_assert_cmphex(hit->addr, ==, found.addr);
                g_assert_cmphex(hit->mask, ==, found.mask);
            }
            break;
        case 10 ... 16:
            e = entry(pasid, addr & ~mask, mask);
            g_assert_true(pcie_atc_insert(&atc, &e));
            model_insert(&m, &e);
            break;
        default:
            g_assert_cmpuint(pcie_atc_invalidate(&atc, pasid, addr & ~mask,
                                                 mask, false), ==,
                             model_invalidate(&m, pasid, addr & ~mask, mask));
            break;
        }
        g_assert_cmpuint(atc.count, ==, m.n);
    }
    g_rand_free(r);
    pcie_atc_destroy(&atc);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/atc/ATS-03/not-cached", test_ats_03_not_cached);
    g_test_add_func("/atc/ATS-05/upgrade", test_ats_05_upgrade);
    g_test_add_func("/atc/ATS-21/overlap", test_ats_21_overlap);
    g_test_add_func("/atc/ATS-21/privilege", test_ats_21_privilege);
    g_test_add_func("/atc/ATS-26/pasid-and-global", test_ats_26);
    g_test_add_func("/atc/ATS-27/flush", test_ats_27_flush);
    g_test_add_func("/atc/sizes", test_sizes);
    g_test_add_func("/atc/lru", test_lru);
    g_test_add_func("/atc/migration", test_migration);
    g_test_add_func("/atc/model", test_model);
    return g_test_run();
}
