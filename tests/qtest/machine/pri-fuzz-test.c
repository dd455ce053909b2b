/*
 * A guest that writes anything anywhere, for as long as the machine lives
 *
 * Random accesses to the registers, configuration space and vectors of a
 * function, its Virtual Functions and its port, to the IOMMU's registers,
 * queues and tables; knobs and rules; and every reset, the link, unplug and
 * migration in between.  The machine may do what it likes, but not end, not
 * hang, not write a stream that it cannot read, and after a reset it works as
 * on the first day.
 *
 * A seed is a run: `-p PATH` of one that fails runs it again.  In longer runs
 * PRI_FUZZ_STEPS says how many steps a seed has.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "libqtest.h"
#include "hw/i386/vtd-knobs.h"
#include "libqos/lab-state.h"
#include "libqos/lab-vf.h"
#include "libqos/pri-root-port.h"
#include "libqos/vtd-inv.h"
#include <glib/gstdio.h>

#define SEEDS           6
#define STEPS           3000
#define RECOVER         400     /* steps between two resets of the machine */
#define PORT            4
#define VFS             2
#define SECOND          1000000000LL
#define RULES           64
#define CABLE_OUT       1

typedef struct Fuzz {
    PriLab lab;
    QPriTestdev vf;
    GRand *rand;
    uint64_t tables;        /* where the remapping tables and queues are */
    char *dir;
    bool strict;
} Fuzz;

static uint32_t below(Fuzz *f, uint32_t n)
{
    return g_rand_int_range(f->rand, 0, n);
}

static bool chance(Fuzz *f, uint32_t one_in)
{
    return !below(f, one_in);
}

static uint64_t any64(Fuzz *f)
{
    return (uint64_t)g_rand_int(f->rand) << 32 | g_rand_int(f->rand);
}

/* Numbers that are more interesting than most */
static uint64_t value(Fuzz *f)
{
    switch (below(f, 7)) {
    case 0:
        return 0;
    case 1:
        return UINT64_MAX;
    case 2:
        return 1ULL << below(f, 64);
    case 3:
        return below(f, 16);
    case 4:
        return LAB_IOVA + below(f, 64) * 4096;
    case 5:
        return f->tables + below(f, 64) * 4096;
    default:
        return any64(f);
    }
}

/* -- The machine ----------------------------------------------------------- */

static QTestState *boot(Fuzz *f, const char *incoming)
{
    return qtest_initf(
        "-machine q35 -m 256M -nodefaults %s " LAB_NATIVE_HOTPLUG " "
        "-device intel-iommu,id=vtd," LAB_VTD_OPTIONS "%s "
        "-device pri-root-port,id=rp0,chassis=1,slot=1,bus=pcie.0,addr=%u "
        "-device pri-testdev,id=pt0,bus=rp0,vfs=%u,acs=on,af-flr=on,"
        "no-soft-reset=off,global-invalidate=on%s", incoming,
        f->strict ? ",platform=strict" : "", PORT, VFS,
        f->strict ? ",platform=strict" : "");
}

static void qom_set(Fuzz *f, const char *id, const char *name,
                    const char *val)
{
    g_autofree char *path = g_strdup_printf("/machine/peripheral/%s", id);

    qtest_qmp_assert_success(f->lab.qts, "{ 'execute': 'qom-set', "
        "'arguments': { 'path': %s, 'property': %s, 'value': %s } }", path,
        name, val);
}

static void attach(Fuzz *f)
{
    PriLab *lab = &f->lab;

    qvtd_init(&lab->v, lab->qts);
    qpt_init(&lab->d, lab->qts, PORT, LAB_BUS);
    f->vf = lab->d;
    f->vf.rid++;
    f->vf.bar0 += 0x100000;
    f->vf.bar2 += 0x100000;
}

/* As a driver would: what was before may be anything */
static void program(Fuzz *f)
{
    PriLab *lab = &f->lab;

    pri_lab_program(lab);
    f->tables = lab->v.root;
    lab_vf_enable(lab, VFS);
    lab_vf_find(lab, &f->vf, 0);
    qvtd_device_setup(&lab->v, f->vf.rid, 7);
    qvtd_pasid_setup(&lab->v, f->vf.rid, LAB_PASID, LAB_DID);
    qvtd_flush(&lab->v);
    qpt_config_writew(&f->vf, 0x04, 0x4);
    qpt_config_writew(&f->vf, f->vf.ats + QPT_ATS_CTRL, QPT_ATS_CTRL_E);
}

/* -- Accesses -------------------------------------------------------------- */

static void poke(Fuzz *f, uint64_t base, uint32_t size)
{
    unsigned int width = 1 << below(f, 4);
    uint64_t at = base + (below(f, size) & ~(chance(f, 8) ? 0 : width - 1));
    uint64_t val = value(f);

    if (chance(f, 4)) {
        qtest_memread(f->lab.qts, at, &val, width);
    } else {
        qtest_memwrite(f->lab.qts, at, &val, width);
    }
}

static QPriTestdev *function(Fuzz *f)
{
    return chance(f, 3) ? &f->vf : &f->lab.d;
}

static void poke_registers(Fuzz *f)
{
    QPriTestdev *d = function(f);

    /* most of what there is is in the first 0x100 bytes of a page */
    poke(f, d->bar0 + below(f, 3) * PT_CHANNEL_SIZE,
         chance(f, 8) ? 0x1000 : 0x100);
}

static void poke_config(Fuzz *f)
{
    QPriTestdev *d = function(f);

    poke(f, qpt_ecam(d->rid, 0), chance(f, 4) ? 0x1000 : 0x220);
}

static void poke_port(Fuzz *f)
{
    poke(f, qpt_ecam(PORT << 3, 0), 0x200);
}

static void poke_vectors(Fuzz *f)
{
    poke(f, function(f)->bar2, 0x1000);
}

static void poke_iommu(Fuzz *f)
{
    poke(f, QVTD_BASE + (chance(f, 2) ? QVTD_IQH : 0),
         chance(f, 2) ? 0x70 : QVTD_REG_SIZE);
}

static void poke_tables(Fuzz *f)
{
    poke(f, f->tables, 64 * 4096);
}

/* -- What a driver does, more or less -------------------------------------- */

static void start_operation(Fuzz *f)
{
    QPtOp op = {
        .cmd = chance(f, 8) ? value(f) : below(f, 5),
        .flags = chance(f, 4) ? value(f) : PT_FLAG_PASID,
        .pasid = chance(f, 8) ? value(f) : LAB_PASID,
        .src = LAB_IOVA + below(f, 0x8000),
        .dst = LAB_IOVA + below(f, 0x8000),
        .len = chance(f, 8) ? value(f) : 1 + below(f, 0x6000),
        .group = chance(f, 8) ? value(f) : 1 + below(f, 8),
        .list = f->tables + below(f, 64) * 4096,
        .list_len = below(f, 16),
    };

    qpt_start(function(f), below(f, 8), &op);
}

static void send_raw(Fuzz *f)
{
    QPtRaw raw = {
        .addr = value(f),
        .pasid = chance(f, 4) ? value(f) & 0xfffff : LAB_PASID,
        .flags = below(f, 32),
        .prgi = below(f, 512),
    };

    qpt_raw(function(f), &raw);
}

static QVtdDesc any_descriptor(Fuzz *f)
{
    QVtd *v = &f->lab.v;
    uint16_t rid = function(f)->rid;
    uint64_t addr = LAB_IOVA + below(f, 16) * 4096;
    uint32_t slot;
    QVtdDesc desc = { {
        below(f, 11) | (any64(f) & any64(f) & ~0xe0fULL), any64(f) & any64(f),
    } };

    switch (below(f, 10)) {
    case 0:
        if ((desc.qw[0] & 0xf) == QINV_WAIT) {
            desc.qw[1] = v->status;
        }
        return desc;
    case 1:
        return qvtd_desc_dev_tlb(rid, addr, chance(f, 2));
    case 2:
    case 3:
        return qvtd_desc_dev_ptlb(rid, LAB_PASID, addr, chance(f, 4),
                                  chance(f, 8));
    case 4:
        return qvtd_desc_piotlb(LAB_DID, LAB_PASID);
    case 5:
        return qvtd_desc_pc_global();
    case 6:
    case 7:
        return qvtd_desc_response(rid, LAB_PASID, below(f, 512), below(f, 3));
    default:
        return qvtd_desc_wait(v, below(f, 16) << 4, &slot);
    }
}

/* At the tail that the IOMMU has; a bad one is replaced, as software would */
static void put(Fuzz *f, QVtdDesc desc)
{
    QVtd *v = &f->lab.v;
    uint64_t iqa = qvtd_readq(v, QVTD_IQA);
    uint64_t base = iqa & ~0xfffULL;
    uint32_t entry = iqa & QVTD_IQA_DW ? 32 : 16;
    uint32_t size = 4096u << (iqa & 7);
    uint32_t tail = qvtd_readq(v, QVTD_IQT) % size;
    QVtdDesc nop = { { QINV_WAIT | QVTD_WAIT_FN } };

    qtest_memwrite(v->qts, base + tail, desc.qw, entry);
    qvtd_writeq(v, QVTD_IQT, (tail + entry) % size);
    if (qvtd_readl(v, QVTD_FSTS) & QINV_FSTS_W1C) {
        qtest_memwrite(v->qts, base + qvtd_readq(v, QVTD_IQH), nop.qw, entry);
        qvtd_writel(v, QVTD_FSTS, QINV_FSTS_W1C);
    }
}

static void submit(Fuzz *f)
{
    put(f, any_descriptor(f));
}

/* What is in the queue is answered, and what was asked for may be there then */
static void serve(Fuzz *f)
{
    QVtd *v = &f->lab.v;
    uint64_t pqa = qvtd_readq(v, QVTD_PQA);
    uint32_t size = 4096u << (pqa & 7);
    QVtdDesc prd;

    for (unsigned int i = 0; i < 8; i++) {
        uint32_t head = qvtd_readq(v, QVTD_PQH) % size;

        if (head == qvtd_readq(v, QVTD_PQT) % size) {
            break;
        }
        qtest_memread(v->qts, (pqa & ~0xfffULL) + head, prd.qw, sizeof(prd.qw));
        qvtd_writeq(v, QVTD_PQH, (head + QVTD_PRD_SIZE) % size);
        if (chance(f, 2) && QVTD_PRD_ADDR(&prd) - LAB_IOVA < 64 * 4096) {
            qvtd_fs_map(v, f->lab.pml4, QVTD_PRD_ADDR(&prd), 0x8000000 +
                        below(f, 64) * 4096, chance(f, 4) ? QVTD_FS_RO :
                        QVTD_FS_USER);
        }
        put(f, qvtd_desc_response(QVTD_PRD_RID(&prd), QVTD_PRD_PASID(&prd),
                                  QVTD_PRD_PRGI(&prd),
                                  chance(f, 8) ? below(f, 16) : 0));
    }
    qvtd_writel(v, QVTD_PRS, 3);
    submit(f);
}

/* If there is a function to be seen */
static void enable(Fuzz *f)
{
    QPriTestdev *d = &f->lab.d;

    qpt_bridge_setup(d->qts, PORT, LAB_BUS, d->bar0);
    if (!lab_vf_find_ext(d, LAB_EXT_ID_SRIOV)) {
        return;
    }
    qpt_restore(d);
    qpt_enable(d, chance(f, 2) ? 0 : 1 + below(f, 16));
    lab_vf_enable(&f->lab, below(f, VFS + 1));
    qpt_config_writew(&f->vf, 0x04, 0x6);
    qpt_config_writew(&f->vf, f->vf.ats + QPT_ATS_CTRL, QPT_ATS_CTRL_E);
}

static void turn_knob(Fuzz *f)
{
    QPriTestdev *d = function(f);
    uint32_t whose = chance(f, 2) ? 0 : chance(f, 2) ? PT_KNOB_IOMMU :
                     PT_KNOB_RULE(below(f, 4));

    qpt_knob_set(d, whose | below(f, 72), chance(f, 4) ? value(f) :
                 below(f, 8));
}

static void pass_time(Fuzz *f)
{
    qtest_clock_step(f->lab.qts, 1 + below(f, chance(f, 4) ? 50000000 : 20000));
}

/* -- Resets, and being away ------------------------------------------------ */

static void reset_function(Fuzz *f)
{
    QPriTestdev *d = function(f);
    uint16_t pm = qpt_find_cap(&f->lab.d, QPT_CAP_ID_PM);

    switch (below(f, 4)) {
    case 0:
        qpt_config_writew(d, d->exp + QPT_EXP_DEVCTL, QPT_EXP_DEVCTL_FLR);
        break;
    case 1:
        qpt_config_writew(&f->lab.d, pm + 4, 3);
        poke_registers(f);
        qpt_config_writew(&f->lab.d, pm + 4, 0);
        break;
    case 2:
        qpt_writel(d, PT_SOFT_RESET, chance(f, 2) ? 1u << 31 : below(f, 8));
        break;
    default:
        qtest_writew(f->lab.qts, qpt_ecam(PORT << 3, 0x3e), 0x40);
        poke_registers(f);
        submit(f);
        qtest_writew(f->lab.qts, qpt_ecam(PORT << 3, 0x3e), 0);
        break;
    }
}

static void lose_link(Fuzz *f)
{
    qom_set(f, "rp0", "link", "down");
    submit(f);
    pass_time(f);
    qom_set(f, "rp0", "link", "up");
}

static void go_away(Fuzz *f)
{
    qom_set(f, "pt0", "gone", "on");
    submit(f);
    poke_registers(f);
    qom_set(f, "pt0", "gone", "off");
}

/* The guest may have closed the electromechanical interlock: 7.5.3.10 */
static void unlock(Fuzz *f)
{
    QRootPort p;

    qrp_find_port(&p, f->lab.qts, PORT << 3);
    if (qrp_slot(&p) & QRP_SLTSTA_EIS) {
        qrp_writew(&p, p.exp + QRP_SLTCTL,
                   qrp_readw(&p, p.exp + QRP_SLTCTL) | QRP_SLTCTL_EIC);
    }
}

static void replug(Fuzz *f)
{
    QTestState *qts = f->lab.qts;

    unlock(f);
    qom_set(f, "rp0", "cable", "out");
    qtest_qmp_device_del_send(qts, "pt0");
    qtest_qmp_eventwait(qts, "DEVICE_DELETED");
    submit(f);
    pass_time(f);
    qtest_qmp_assert_success(qts, "{ 'execute': 'device_add', 'arguments': { "
        "'driver': 'pri-testdev', 'id': 'pt0', 'bus': 'rp0', 'vfs': %d, "
        "'acs': true, 'af-flr': true, 'no-soft-reset': false, "
        "'global-invalidate': true, 'platform': %s } }", VFS,
        f->strict ? "strict" : "permissive");
    qom_set(f, "rp0", "cable", "in");
}

static void stand_still(Fuzz *f)
{
    qtest_qmp_assert_success(f->lab.qts, "{ 'execute': 'stop' }");
    poke_registers(f);
    submit(f);
    qtest_qmp_assert_success(f->lab.qts, "{ 'execute': 'cont' }");
}

/* To a new machine, which is the same one */
static void migrate(Fuzz *f)
{
    g_autofree char *file = g_strdup_printf("%s/state", f->dir);
    g_autofree char *uri = g_strdup_printf("file:%s", file);
    int64_t now = qtest_clock_step(f->lab.qts, 1);
    QTestState *to;

    lab_save(&f->lab, uri);
    to = boot(f, "-incoming defer");
    qtest_qmp_assert_success(to, "{ 'execute': 'migrate-incoming', "
                             "'arguments': { 'uri': %s } }", uri);
    lab_wait_migrated(to);
    qtest_quit(f->lab.qts);
    qtest_qmp_assert_success(to, "{ 'execute': 'cont' }");
    qtest_clock_set(to, now);
    f->lab.qts = f->lab.v.qts = f->lab.d.qts = f->vf.qts = to;
    g_unlink(file);
}

/* -- A run ----------------------------------------------------------------- */

/* What @weight of all steps do */
static const struct {
    void (*step)(Fuzz *f);
    unsigned int weight;
} steps[] = {
    { poke_registers, 200 }, { poke_config, 60 }, { poke_port, 20 },
    { poke_vectors, 20 }, { poke_iommu, 60 }, { poke_tables, 20 },
    { start_operation, 80 }, { send_raw, 80 }, { submit, 120 },
    { serve, 80 }, { enable, 40 }, { turn_knob, 40 }, { pass_time, 60 },
    { reset_function, 20 }, { lose_link, 6 }, { go_away, 4 },
    { stand_still, 4 }, { replug, 2 }, { migrate, 1 },
};

static void one_step(Fuzz *f)
{
    unsigned int total = 0, pick;

    for (unsigned int i = 0; i < ARRAY_SIZE(steps); i++) {
        total += steps[i].weight;
    }
    pick = below(f, total);
    for (unsigned int i = 0; i < ARRAY_SIZE(steps); i++) {
        if (pick < steps[i].weight) {
            steps[i].step(f);
            return;
        }
        pick -= steps[i].weight;
    }
}

static void calm_knobs(QPriTestdev *d)
{
#define V(ID, name)
#define CALM(FIELD, field, name, def, max, values, help) \
    qpt_knob_set(d, PT_KNOB_##FIELD, def);
    PT_KNOBS(CALM)
#undef CALM
}

static void calm_iommu(QPriTestdev *d)
{
#define CALM(FIELD, field, name, def, max, values, help) \
    qpt_knob_set(d, PT_KNOB_IOMMU | VTD_KNOB_##FIELD, def);
    VTD_KNOBS(CALM)
#undef CALM
#undef V
}

/* A machine as on the first day: all that a guest cannot undo is undone */
static void calm_down(Fuzz *f)
{
    PriLab *lab = &f->lab;

    qom_set(f, "rp0", "cable", "in");
    qom_set(f, "rp0", "link", "up");
    qom_set(f, "pt0", "gone", "off");
    qtest_clock_step(lab->qts, 400 * SECOND);
    lab_reset(lab);
    attach(f);
    for (unsigned int i = 0; i < RULES; i++) {
        qpt_writel(&lab->d, PT_RULE_REMOVE, i);
    }
    lab_vf_enable(lab, VFS);
    lab_vf_find(lab, &f->vf, 0);
    calm_knobs(&f->vf);
    calm_knobs(&lab->d);
    calm_iommu(&lab->d);
    qtest_clock_step(lab->qts, SECOND);
    lab_reset(lab);
    attach(f);
}

static void check_works(Fuzz *f)
{
    PriLab *lab = &f->lab;

    calm_down(f);
    program(f);
    lab_restart(lab);
    qvtd_submit(&lab->v, qvtd_desc_dev_tlb(lab->d.rid, QVTD_INV_ALL, true));
    qvtd_wait(&lab->v, QVTD_WAIT_PD);
    g_assert_cmphex(qvtd_readl(&lab->v, QVTD_FSTS), ==, 0);
}

static void test_fuzz(const void *opaque)
{
    const char *longer = g_getenv("PRI_FUZZ_STEPS");
    unsigned int n = longer ? atoi(longer) : STEPS;
    unsigned int seed = GPOINTER_TO_UINT(opaque);
    Fuzz f = {
        .rand = g_rand_new_with_seed(seed),
        .dir = g_dir_make_tmp("pri-fuzz-XXXXXX", NULL),
        .strict = seed % 2,
    };

    f.lab.qts = boot(&f, "");
    attach(&f);
    program(&f);
    for (unsigned int i = 1; i <= n && !g_test_failed(); i++) {
        one_step(&f);
        if (i % RECOVER == 0) {
            check_works(&f);
        }
    }
    check_works(&f);
    g_rand_free(f.rand);
    g_rmdir(f.dir);
    g_free(f.dir);
    pri_lab_stop(&f.lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    for (unsigned int seed = 0; seed < SEEDS; seed++) {
        g_autofree char *path = g_strdup_printf("/pri/fuzz/ROB-01/seed-%u",
                                                seed);

        qtest_add_data_func(path, GUINT_TO_POINTER(seed), test_fuzz);
    }
    return g_test_run();
}
