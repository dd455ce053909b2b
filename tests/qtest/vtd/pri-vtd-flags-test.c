/*
 * VT-d: Accessed and Dirty flags: every read and write sets them, whatever the
 * IOTLB holds (AD-01, AD-02, AD-06), where they must not or cannot be set
 * (AD-03 to AD-05), and how (AD-07)
 *
 * VT-d 3.6.2, 3.10, 4.2.3.1, 6.2.4.1, 7.1.3
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <sys/mman.h>
#include "qemu/atomic.h"
#include "qemu/bitops.h"
#include "libqtest.h"
#include "libqos/vtd-pages.h"

#define A               QVTD_FS_A
#define D               QVTD_FS_D
#define FR_SFS_9        0x90
#define FR_SFS_10       0x91
#define FR_SGN_6        0x85
#define ROM_SIZE        0x10000

/* How the device comes at memory */
typedef enum Way { NO_ACCESS, ATS, UNTRANSLATED } Way;

static const char *const way_names[] = { "none", "ats", "untranslated" };

/* PT_ST_* of 8 bytes read or written */
static uint32_t dma(PriLab *lab, uint32_t cmd, Way way, uint32_t pasid,
                    uint64_t addr)
{
    QPtOp op = {
        .cmd = cmd, .src = addr, .dst = addr, .len = 8, .pattern = 1,
        .flags = PT_FLAG_NO_PRI |
                 (way == UNTRANSLATED ? PT_FLAG_UNTRANSLATED : 0) |
                 (pasid == QVTD_NO_PASID ? 0 : PT_FLAG_PASID),
        .pasid = pasid == QVTD_NO_PASID ? 0 : pasid,
    };

    return qpt_run(&lab->d, 0, &op);
}

static uint64_t table(PriLab *lab, uint32_t pasid)
{
    return pasid == QVTD_NO_PASID ? lab->rid_pml4 : lab->pml4;
}

static uint64_t flags(PriLab *lab, uint32_t pasid, int level)
{
    return qtest_readq(lab->qts, qfs_entry(lab, table(lab, pasid), level)) &
           (A | D);
}

/* No fault if @fr is 0 */
static void expect_fault(PriLab *lab, uint8_t fr)
{
    QVtdFault fault;

    g_assert_true(qvtd_fault(&lab->v, &fault) == !!fr);
    if (fr) {
        g_assert_cmphex(QVTD_FAULT_FR(&fault), ==, fr);
        qvtd_fault_clear(&lab->v);
    }
}

/*
 * Refused: an untranslated request with @fr, a translation request with a
 * completion without permissions and, as a rule, no record
 */
static void expect_refused(PriLab *lab, uint32_t cmd, Way way, uint32_t pasid,
                           uint8_t fr)
{
    qpt_writel(&lab->d, PT_CTRL, PT_CTRL_FLUSH_ATC);
    g_assert_cmpuint(dma(lab, cmd, way, pasid, LAB_IOVA), ==,
                     way == ATS ? PT_ST_NO_PRI : PT_ST_DMA_ERROR);
    expect_fault(lab, way == UNTRANSLATED || fr == FR_SFS_10 ? fr : 0);
}

static void expect_done(PriLab *lab, uint32_t cmd, Way way, uint32_t pasid)
{
    qpt_writel(&lab->d, PT_CTRL, PT_CTRL_FLUSH_ATC);
    g_assert_cmpuint(dma(lab, cmd, way, pasid, LAB_IOVA), ==, PT_ST_DONE);
    expect_fault(lab, 0);
}

/* -- AD-01: a write leaves Dirty ------------------------------------------- */

typedef struct Order {
    uint64_t before;            /* A: as Linux makes user pages */
    Way first, second;          /* these read ... */
    Way writer;                 /* ... and then this one writes */
    uint32_t pasid;
} Order;

/* All of them share a machine: the flags are all that one leaves behind */
static PriLab shared;

static PriLab *order_lab(void)
{
    if (!shared.qts) {
        qfs_start(&shared, NULL);
    }
    return &shared;
}

static void test_order(const void *opaque)
{
    const Order *o = opaque;
    PriLab *lab = order_lab();

    qtest_writeq(lab->qts, QPG_PA, 0);
    for (int level = 1; level <= 4; level++) {
        qfs_change(lab, level, A | D, level == 1 ? o->before : 0);
    }
    if (o->first) {
        expect_done(lab, PT_OP_READ, o->first, o->pasid);
    }
    if (o->second) {
        expect_done(lab, PT_OP_READ, o->second, o->pasid);
    }
    /* AD-02: reading leaves Accessed, and no more */
    g_assert_cmphex(flags(lab, o->pasid, 1), ==,
                    o->first || o->second ? A : o->before);
    g_assert_cmphex(qtest_readq(lab->qts, QPG_PA), ==, 0);
    g_assert_cmpuint(dma(lab, PT_OP_WRITE, o->writer, o->pasid, LAB_IOVA), ==,
                     PT_ST_DONE);
    expect_fault(lab, 0);
    g_assert_cmphex(qtest_readq(lab->qts, QPG_PA), !=, 0);
    g_assert_cmphex(flags(lab, o->pasid, 1), ==, A | D);
    for (int level = 2; level <= 4; level++) {
        g_assert_cmphex(flags(lab, o->pasid, level), ==, A);
    }
    qpt_writel(&lab->d, PT_CTRL, PT_CTRL_FLUSH_ATC);
}

static void add_orders(void)
{
    for (int n = 0; n < 8 * 3 * 3; n++) {
        Order *o = g_new0(Order, 1);
        g_autofree char *name = NULL;

        *o = (Order) {
            .before = n & 1 ? A : 0,
            .pasid = n & 2 ? LAB_PASID : QVTD_NO_PASID,
            .writer = n & 4 ? ATS : UNTRANSLATED,
            .first = n / 8 % 3,
            .second = n / 24,
        };
        name = g_strdup_printf("/vtd/flags/AD-01-AD-02/%s/accessed-%d/"
                               "read-%s-read-%s-write-%s",
                               n & 2 ? "pasid" : "no-pasid", n & 1,
                               way_names[o->first], way_names[o->second],
                               way_names[o->writer]);
        g_test_add_data_func_full(name, o, test_order, g_free);
    }
}

/* -- AD-03: no Dirty without a write --------------------------------------- */

/* One entry on the way forbids writing; those below would permit it */
static void test_forbidden(const void *opaque)
{
    int forbids = GPOINTER_TO_INT(opaque);
    static const uint32_t pasids[] = { LAB_PASID, QVTD_NO_PASID };
    PriLab lab;

    qfs_start(&lab, NULL);
    qfs_change(&lab, forbids, QVTD_FS_RW, 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(pasids); i++) {
        for (Way way = ATS; way <= UNTRANSLATED; way++) {
            qfs_change(&lab, 1, A | D, 0);
            expect_refused(&lab, PT_OP_WRITE, way, pasids[i], FR_SGN_6);
            g_assert_cmphex(flags(&lab, pasids[i], 1) & D, ==, 0);
        }
    }
    g_assert_cmphex(qtest_readq(lab.qts, QPG_PA), ==, 0);
    pri_lab_stop(&lab);
}

/* -- AD-04: walks that do not snoop (SFS.9) -------------------------------- */

static void set_pwsnp(PriLab *lab, bool on)
{
    QVtd *v = &lab->v;

    qvtd_set(v, qvtd_pasid_entry(v, lab->d.rid, LAB_PASID), QVTD_PE_PWSNP, on);
    qvtd_set(v, qvtd_pasid_entry(v, lab->d.rid, 0), QVTD_PE_PWSNP, on);
    qvtd_flush(v);
}

static void check_no_snoop(PriLab *lab, uint32_t pasid, Way way)
{
    /* nothing to set */
    for (int level = 1; level <= 4; level++) {
        qfs_change(lab, level, 0, level == 1 ? A | D : A);
    }
    expect_done(lab, PT_OP_READ, way, pasid);
    expect_done(lab, PT_OP_WRITE, way, pasid);
    /* Accessed of any entry, whatever is asked for */
    for (int level = 1; level <= 4; level++) {
        qfs_change(lab, level, A, 0);
        expect_refused(lab, PT_OP_READ, way, pasid, FR_SFS_9);
        expect_refused(lab, PT_OP_WRITE, way, pasid, FR_SFS_9);
        g_assert_cmphex(flags(lab, pasid, level) & A, ==, 0);
        qfs_change(lab, level, 0, A);
    }
    /* Dirty, for a write */
    qfs_change(lab, 1, D, 0);
    expect_refused(lab, PT_OP_WRITE, way, pasid, FR_SFS_9);
    g_assert_cmphex(flags(lab, pasid, 1), ==, A);
    if (way == UNTRANSLATED || lab->v.ecap & QVTD_ECAP_NWFS) {
        expect_done(lab, PT_OP_READ, way, pasid);
    }
    /* no flag is needed for a write that is forbidden */
    qfs_change(lab, 1, QVTD_FS_RW, 0);
    expect_refused(lab, PT_OP_WRITE, way, pasid, FR_SGN_6);
    qfs_change(lab, 1, 0, QVTD_FS_RW);
}

static void test_no_snoop(const void *opaque)
{
    const char *vtd = opaque;
    static const uint32_t pasids[] = { LAB_PASID, QVTD_NO_PASID };
    PriLab lab;

    qfs_start(&lab, vtd);
    if (!vtd) {
        set_pwsnp(&lab, false);
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(pasids); i++) {
        check_no_snoop(&lab, pasids[i], ATS);
        check_no_snoop(&lab, pasids[i], UNTRANSLATED);
    }
    if (!vtd) {
        set_pwsnp(&lab, true);
        qfs_change(&lab, 1, A | D, 0);
        expect_done(&lab, PT_OP_WRITE, UNTRANSLATED, LAB_PASID);
        g_assert_cmphex(flags(&lab, LAB_PASID, 1), ==, A | D);
    }
    pri_lab_stop(&lab);
}

/* -- AD-05: flags that cannot be set (SFS.10) ------------------------------ */

/* A page table in ROM, which is the firmware's and ends at 4 GiB */
static char *make_rom(void)
{
    g_autofree uint64_t *entries = g_new(uint64_t, ROM_SIZE / 8);
    char *path;
    int fd = g_file_open_tmp("pri-lab-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    for (unsigned int i = 0; i < ROM_SIZE / 8; i++) {
        entries[i] = cpu_to_le64(QPG_PA | QVTD_FS_USER);
    }
    g_assert_true(g_file_set_contents(path, (char *)entries, ROM_SIZE, NULL));
    return path;
}

static void test_rom(void)
{
    static const uint32_t pasids[] = { LAB_PASID, QVTD_NO_PASID };
    g_autofree char *path = make_rom();
    g_autofree char *options = g_strdup_printf("svm=on -bios %s", path);
    PriLab lab;

    qfs_start(&lab, options);
    qfs_change(&lab, 2, QPG_ADDR, (1ULL << 32) - ROM_SIZE);
    for (unsigned int i = 0; i < ARRAY_SIZE(pasids); i++) {
        g_assert_cmpuint(dma(&lab, PT_OP_READ, UNTRANSLATED, pasids[i],
                             LAB_IOVA), ==, PT_ST_DMA_ERROR);
        expect_fault(&lab, FR_SFS_10);
        /* the one condition that is recorded with a Success */
        g_assert_cmpuint(dma(&lab, PT_OP_READ, ATS, pasids[i], LAB_IOVA), ==,
                         PT_ST_NO_PRI);
        expect_fault(&lab, FR_SFS_10);
    }
    g_assert_cmphex(flags(&lab, LAB_PASID, 1), ==, 0);
    pri_lab_stop(&lab);
    unlink(path);
}

/* -- AD-06: an entry of the IOTLB is not the last word --------------------- */

/* More permission needs no invalidation (6.5): the tables are asked again */
static void test_upgrade(const void *opaque)
{
    Way way = GPOINTER_TO_INT(opaque);
    PriLab lab;

    qfs_start(&lab, NULL);
    qfs_change(&lab, 1, QVTD_FS_RW, 0);
    expect_done(&lab, PT_OP_READ, way, LAB_PASID);
    expect_refused(&lab, PT_OP_WRITE, UNTRANSLATED, LAB_PASID, FR_SGN_6);
    qtest_writeq(lab.qts, qfs_entry(&lab, lab.pml4, 1),
                 QPG_PA | QVTD_FS_USER | A);
    expect_done(&lab, PT_OP_WRITE, UNTRANSLATED, LAB_PASID);
    g_assert_cmphex(flags(&lab, LAB_PASID, 1), ==, A | D);
    pri_lab_stop(&lab);
}

/* -- AD-07: flags are set by compare-and-swap ------------------------------ */

#define RACE_PAGES      256
#define RACE_ROUNDS     20
/* A first-stage entry has bits that hardware ignores, 62:52; and XD, 9.7 */
#define RACE_ONE        (1ULL << 52)

typedef struct Racer {
    uint64_t *pte;              /* RACE_PAGES of them, in the guest's memory */
    uint64_t added[RACE_PAGES];
    int stop;
} Racer;

/* A CPU of the guest: it counts in the entries, all the time */
static void *race_count(void *opaque)
{
    Racer *r = opaque;

    while (!qatomic_read(&r->stop)) {
        for (int i = 0; i < RACE_PAGES; i++) {
            qatomic_fetch_add(&r->pte[i], RACE_ONE);
            r->added[i] += RACE_ONE;
        }
    }
    return NULL;
}

/* The IOMMU sets Accessed in all entries meanwhile and loses no addition */
static void race_round(PriLab *lab, Racer *r, const QPtOp *op)
{
    const uint64_t pte = QPG_PA | QVTD_FS_USER;
    unsigned int lost = 0;
    pthread_t cpu;

    for (int i = 0; i < RACE_PAGES; i++) {
        qatomic_set(&r->pte[i], pte);
        r->added[i] = 0;
    }
    qvtd_flush(&lab->v);
    qpt_writel(&lab->d, PT_CTRL, PT_CTRL_FLUSH_ATC);
    r->stop = 0;
    g_assert_cmpint(pthread_create(&cpu, NULL, race_count, r), ==, 0);
    g_assert_cmpuint(qpt_run(&lab->d, 0, op), ==, PT_ST_DONE);
    qatomic_set(&r->stop, 1);
    pthread_join(cpu, NULL);
    for (int i = 0; i < RACE_PAGES; i++) {
        g_assert_cmphex(r->pte[i] & A, ==, A);
        lost += r->pte[i] != (pte | A) + r->added[i];
    }
    g_assert_cmpuint(lost, ==, 0);
}

static void test_race(const void *opaque)
{
    const uint64_t iova = LAB_IOVA & ~0x1fffffULL;
    QPtOp op = {
        .cmd = PT_OP_READ, .src = iova, .len = RACE_PAGES * 0x1000ULL,
        .pasid = LAB_PASID, .flags = PT_FLAG_PASID | PT_FLAG_NO_PRI |
                                     GPOINTER_TO_UINT(opaque),
    };
    g_autofree char *path = NULL;
    g_autofree char *options = NULL;
    int fd = g_file_open_tmp("pri-lab-XXXXXX", &path, NULL);
    uint64_t table;
    PriLab lab;
    Racer r;
    char *ram;

    g_assert_cmpint(ftruncate(fd, 256 << 20), ==, 0);
    ram = mmap(NULL, 256 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    g_assert_true(ram != MAP_FAILED);
    options = g_strdup_printf("svm=on -object memory-backend-file,id=ram0,"
                              "size=256M,share=on,mem-path=%s "
                              "-machine memory-backend=ram0", path);
    pri_lab_start_with(&lab, options, NULL, 0);
    unlink(path);
    table = qvtd_fs_map(&lab.v, lab.pml4, iova, QPG_PA, QVTD_FS_USER);
    r.pte = (uint64_t *)(ram + (table & ~0xfffULL));
    for (int i = 0; i < RACE_ROUNDS; i++) {
        race_round(&lab, &r, &op);
    }
    pri_lab_stop(&lab);
    munmap(ram, 256 << 20);
    close(fd);
}

int main(int argc, char **argv)
{
    int ret;

    pri_lab_test_init(&argc, &argv);
    add_orders();
    for (int level = 1; level <= 4; level++) {
        g_autofree char *name = g_strdup_printf("/vtd/flags/AD-03/level-%d",
                                                level);

        g_test_add_data_func(name, GINT_TO_POINTER(level), test_forbidden);
    }
    g_test_add_data_func("/vtd/flags/AD-04/pwsnp", NULL, test_no_snoop);
    g_test_add_data_func("/vtd/flags/AD-04/smpwc", QT30_NO_SMPWC,
                         test_no_snoop);
    g_test_add_func("/vtd/flags/AD-05/rom", test_rom);
    g_test_add_data_func("/vtd/flags/AD-06/ats", GINT_TO_POINTER(ATS),
                         test_upgrade);
    g_test_add_data_func("/vtd/flags/AD-06/untranslated",
                         GINT_TO_POINTER(UNTRANSLATED), test_upgrade);
    g_test_add_data_func("/vtd/flags/AD-07/ats", NULL, test_race);
    g_test_add_data_func("/vtd/flags/AD-07/untranslated",
                         GUINT_TO_POINTER(PT_FLAG_UNTRANSLATED), test_race);
    ret = g_test_run();
    if (shared.qts) {
        pri_lab_stop(&shared);
    }
    return ret;
}
