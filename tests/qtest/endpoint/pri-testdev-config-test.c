/*
 * pri-testdev: the whole configuration space, register by register
 *
 * What can be written is compared with a list, so that a bit that should be
 * reserved, read-only or a Virtual Function's Physical Function's is noticed;
 * and after each reset all of it, but for sticky registers, is what it was at
 * first.
 *
 * PCIe 6.2 7.4 - 7.8, 10.5; checklist items CFG-01, CFG-02
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-state.h"
#include "libqos/lab-vf.h"

#define SIZE            4096
#define ONES            UINT32_MAX
#define ALL             "af-flr=on,acpi-reset=on,no-soft-reset=off,sn=0x1234," \
                        "global-invalidate=on,acs=on,vfs=2"
#define BRIDGE_CONTROL  0x3e
#define BRIDGE_SBR      0x40
#define PMCSR           4
#define AF_CTRL         4
#define DEVCTL          0x08
#define DEVSTA          0x0a
#define AER_SIZE        0x48

/* A register, and the bits of it that a write of ones sets or clears */
typedef struct Writable {
    const char *name;
    uint16_t cap;           /* QPT_CAP_ID_*, or EXT | QPT_EXT_ID_*, or HEADER */
    uint16_t offset;
    uint32_t bits;
} Writable;

#define EXT     0x8000
#define HEADER  0

static const Writable pf_writable[] = {
    { "Command", HEADER, 0x04, 0x0547 },
    { "Cache Line Size", HEADER, 0x0c, 0xff },
    { "BAR 0", HEADER, 0x10, 0xffff0000 },
    { "BAR 2", HEADER, 0x18, 0xfffff000 },
    { "Interrupt Line", HEADER, 0x3c, 0xff },
    /* to D3hot is for itself */
    { "Device Control", QPT_CAP_ID_EXP, DEVCTL, 0xf },
    { "Device Control 2", QPT_CAP_ID_EXP, 0x28, 0x10 },
    { "Message Control", QPT_CAP_ID_MSIX, 0x00, 0xc0000000 },
    { "Uncorrectable Error Mask", EXT | QPT_EXT_ID_AER, 0x08, 0x03fff030 },
    { "Uncorrectable Error Severity", EXT | QPT_EXT_ID_AER, 0x0c, 0x03fff030 },
    { "Correctable Error Mask", EXT | QPT_EXT_ID_AER, 0x14, 0xf1c1 },
    { "Advanced Error Control", EXT | QPT_EXT_ID_AER, 0x18, 0x140 },
    { "ATS Control", EXT | QPT_EXT_ID_ATS, 0x04, 0x801f0000 },
    { "Page Request Control", EXT | QPT_EXT_ID_PRI, 0x04, 0x1 },
    /* the allocation stays as it is while Enable is set */
    { "PASID Control", EXT | QPT_EXT_ID_PASID, 0x04, 0x70000 },
    { "ACS Control", EXT | QPT_EXT_ID_ACS, 0x04, 0x4c0000 },
    /* NumVFs is read-only while VF Enable is set */
    { "SR-IOV Control", EXT | LAB_EXT_ID_SRIOV, 0x08, 0x19 },
    { "System Page Size", EXT | LAB_EXT_ID_SRIOV, 0x20, 0x553 },
    { "VF BAR 0", EXT | LAB_EXT_ID_SRIOV, 0x24, 0xffff0000 },
    { "VF BAR 2", EXT | LAB_EXT_ID_SRIOV, 0x2c, 0xfffff000 },
};

static const Writable vf_writable[] = {
    { "Command", HEADER, 0x04, 0x4 },
    { "Cache Line Size", HEADER, 0x0c, 0xff },
    { "Interrupt Line", HEADER, 0x3c, 0xff },
    { "Message Control", QPT_CAP_ID_MSIX, 0x00, 0xc0000000 },
    { "ATS Control", EXT | QPT_EXT_ID_ATS, 0x04, 0x80000000 },
    { "ACS Control", EXT | QPT_EXT_ID_ACS, 0x04, 0x4c0000 },
};

/* -- Access ---------------------------------------------------------------- */

static uint32_t get(QPriTestdev *d, unsigned int offset)
{
    return qpt_config_readl(d, offset);
}

static void dump(QPriTestdev *d, uint32_t *regs)
{
    for (unsigned int i = 0; i < SIZE / 4; i++) {
        regs[i] = get(d, i * 4);
    }
}

/* Of each function; one that it does not have is at 0 */
typedef struct Caps {
    uint16_t exp, af, vndr, pm, aer;
} Caps;

static Caps find_caps(QPriTestdev *d)
{
    return (Caps) {
        .exp = qpt_find_cap(d, QPT_CAP_ID_EXP),
        .af = qpt_find_cap(d, QPT_CAP_ID_AF),
        .vndr = qpt_find_cap(d, QPT_CAP_ID_VNDR),
        .pm = qpt_find_cap(d, QPT_CAP_ID_PM),
        .aer = qpt_find_ext_cap(d, QPT_EXT_ID_AER),
    };
}

/* Ones that would reset the function or change its power state are not */
static uint32_t harmless(const Caps *caps, unsigned int offset)
{
    if (offset == caps->exp + DEVCTL) {
        return ~(uint32_t)QPT_EXP_DEVCTL_FLR;
    }
    if ((caps->af && offset == caps->af + AF_CTRL) ||
        (caps->vndr && offset == caps->vndr + PT_VNDR_RESET)) {
        return ~1u;
    }
    if (caps->pm && offset == caps->pm + PMCSR) {
        return ~3u;
    }
    return ONES;
}

/*
 * Write ones everywhere, @size bytes at a time; @status: to Device Status, too,
 * which clears it
 */
static void write_ones(QPriTestdev *d, const Caps *caps, unsigned int size,
                       bool status)
{
    for (unsigned int i = 0; i < SIZE; i += size) {
        uint32_t ones = harmless(caps, i & ~3u) >> ((i & 3) * 8);
        uint64_t at = qpt_ecam(d->rid, i);

        if (!status && i == caps->exp + DEVCTL) {
            ones &= 0xffff;
        }
        if (size == 1) {
            qtest_writeb(d->qts, at, ones);
        } else if (size == 2) {
            qtest_writew(d->qts, at, ones);
        } else {
            qtest_writel(d->qts, at, ones);
        }
    }
}

/* -- CFG-01: what can be written ------------------------------------------- */

static uint32_t expected(QPriTestdev *d, const Writable *list, unsigned int n,
                         unsigned int offset, const char **name)
{
    *name = "reserved or read-only";
    for (unsigned int i = 0; i < n; i++) {
        uint16_t base = list[i].cap == HEADER ? 0 : list[i].cap & EXT ?
                        qpt_find_ext_cap(d, list[i].cap & ~EXT) :
                        qpt_find_cap(d, list[i].cap);

        if (base + list[i].offset == offset) {
            *name = list[i].name;
            return list[i].bits;
        }
    }
    return 0;
}

static void check_writable(QPriTestdev *d, const Writable *list,
                           unsigned int n, unsigned int size)
{
    uint32_t was[SIZE / 4];
    Caps caps = find_caps(d);

    dump(d, was);
    write_ones(d, &caps, size, true);
    for (unsigned int i = 0; i < SIZE / 4; i++) {
        const char *name;
        uint32_t bits = expected(d, list, n, i * 4, &name);
        uint32_t want = was[i] | bits;

        if (i * 4 == d->pri + QPT_PRI_CTRL && d->pri) {
            want &= ~((uint32_t)QPT_PRI_STATUS_STOPPED << 16);
        }
        if (get(d, i * 4) != want) {
            g_test_message("%s at 0x%03x: 0x%08x, not 0x%08x", name, i * 4,
                           get(d, i * 4), want);
            g_test_fail();
        }
    }
}

static void test_writable(const void *opaque)
{
    PriLab lab;

    pri_lab_boot(&lab, NULL, ALL, 0);
    check_writable(&lab.d, pf_writable, ARRAY_SIZE(pf_writable),
                   GPOINTER_TO_UINT(opaque));
    pri_lab_stop(&lab);
}

static void test_writable_vf(const void *opaque)
{
    QPriTestdev vf;
    PriLab lab;

    pri_lab_boot(&lab, NULL, ALL, 0);
    lab_vf_enable(&lab, 2);
    lab_vf_find(&lab, &vf, 0);
    check_writable(&vf, vf_writable, ARRAY_SIZE(vf_writable),
                   GPOINTER_TO_UINT(opaque));
    pri_lab_stop(&lab);
}

/* A byte is written, and those beside it are left alone */
static void test_bytes(void)
{
    QPriTestdev *d;
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, 0);
    d = &lab.d;
    qpt_config_writel(d, d->pri + QPT_PRI_ALLOC, 0x1ff);
    qtest_writeb(d->qts, qpt_ecam(d->rid, d->pri + QPT_PRI_ALLOC), 1);
    g_assert_cmphex(get(d, d->pri + QPT_PRI_ALLOC), ==, 0x101);
    qtest_writeb(d->qts, qpt_ecam(d->rid, d->pri + QPT_PRI_ALLOC + 1), 0);
    g_assert_cmphex(get(d, d->pri + QPT_PRI_ALLOC), ==, 1);
    qpt_config_writew(d, d->ats + QPT_ATS_CTRL, QPT_ATS_CTRL_E);
    qtest_writeb(d->qts, qpt_ecam(d->rid, d->ats + QPT_ATS_CTRL), 3);
    g_assert_cmphex(qpt_config_readw(d, d->ats + QPT_ATS_CTRL), ==,
                    QPT_ATS_CTRL_E | 3);
    pri_lab_stop(&lab);
}

/* -- CFG-02: after a reset ------------------------------------------------- */

static void hold_bus(QPriTestdev *d, bool hold)
{
    uint64_t at = qpt_ecam(d->port << 3, BRIDGE_CONTROL);
    uint16_t control = qtest_readw(d->qts, at) & ~BRIDGE_SBR;

    qtest_writew(d->qts, at, control | (hold ? BRIDGE_SBR : 0));
}

static void reset_flr(PriLab *lab, QPriTestdev *d, const Caps *caps)
{
    qpt_config_writew(d, caps->exp + DEVCTL, QPT_EXP_DEVCTL_FLR);
}

static void reset_af(PriLab *lab, QPriTestdev *d, const Caps *caps)
{
    qtest_writeb(d->qts, qpt_ecam(d->rid, caps->af + AF_CTRL), 1);
}

static void reset_platform(PriLab *lab, QPriTestdev *d, const Caps *caps)
{
    qpt_config_writel(d, caps->vndr + PT_VNDR_RESET, 1);
}

static void reset_d3hot(PriLab *lab, QPriTestdev *d, const Caps *caps)
{
    qpt_config_writew(d, caps->pm + PMCSR, 3);
    qpt_config_writew(d, caps->pm + PMCSR, 0);
}

static void reset_hot(PriLab *lab, QPriTestdev *d, const Caps *caps)
{
    hold_bus(d, true);
    hold_bus(d, false);
}

static void reset_machine(PriLab *lab, QPriTestdev *d, const Caps *caps)
{
    lab_reset(lab);
    qpt_ecam_enable(d->qts);
    qpt_bridge_setup(d->qts, d->port, LAB_BUS, d->bar0);
}

typedef struct Method {
    const char *name;
    void (*reset)(PriLab *lab, QPriTestdev *d, const Caps *caps);
    bool vf, sticky;        /* of a VF, too; sticky registers outlive it */
} Method;

static const Method methods[] = {
    { "flr", reset_flr, true, true },
    { "af-flr", reset_af, false, true },
    { "platform", reset_platform, false, true },
    { "d3hot", reset_d3hot, false, true },
    { "hot", reset_hot, false, true },
    { "machine", reset_machine, false, false },
};

/* A Completion Timeout, a Receiver Error and a Malformed TLP: all is logged */
static void raise_errors(PriLab *lab, QPriTestdev *d)
{
    for (unsigned int error = 1; error <= 3; error++) {
        g_assert_cmpuint(qpt_knob_set(d, PT_KNOB_AER_ERROR, error), ==,
                         PT_KNOB_OK);
    }
    g_assert_cmphex(qpt_config_readw(d, d->exp + DEVSTA) & 0xf, ==, 0x7);
}

static void check_reset(PriLab *lab, QPriTestdev *d, const Method *m)
{
    uint32_t was[SIZE / 4];
    Caps caps;

    /* as it is before somebody has found a place for it */
    lab_reset(lab);
    qpt_ecam_enable(d->qts);
    qpt_bridge_setup(d->qts, d->port, LAB_BUS, d->bar0);
    if (d->rid != lab->d.rid) {
        lab_vf_enable(lab, 2);
    }
    caps = find_caps(d);
    dump(d, was);
    if (d->rid == lab->d.rid) {
        qpt_restore(d);
    } else {
        /* VF MSE has mapped it */
        g_assert_cmphex(qpt_readl(d, PT_ID), ==, PT_ID_MAGIC);
    }
    raise_errors(lab, d);
    write_ones(d, &caps, 4, false);

    m->reset(lab, d, &caps);
    for (unsigned int i = 0; i < SIZE / 4; i++) {
        if (m->sticky && i * 4 >= caps.aer && i * 4 < caps.aer + AER_SIZE) {
            continue;
        }
        if (get(d, i * 4) != was[i]) {
            g_test_message("after %s 0x%03x: 0x%08x, not 0x%08x", m->name,
                           i * 4, get(d, i * 4), was[i]);
            g_test_fail();
        }
    }
}

static void test_reset(const void *opaque)
{
    PriLab lab;

    pri_lab_boot(&lab, NULL, ALL, 0);
    check_reset(&lab, &lab.d, opaque);
    pri_lab_stop(&lab);
}

static void test_reset_vf(const void *opaque)
{
    QPriTestdev vf;
    PriLab lab;

    pri_lab_boot(&lab, NULL, ALL, 0);
    lab_vf_enable(&lab, 2);
    lab_vf_find(&lab, &vf, 0);
    check_reset(&lab, &vf, opaque);
    pri_lab_stop(&lab);
}

/* -------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    for (unsigned int size = 1; size <= 4; size *= 2) {
        g_autofree char *pf = g_strdup_printf(
            "/pri-testdev/config/CFG-01/writable/%u-bytes", size);
        g_autofree char *vf = g_strdup_printf(
            "/pri-testdev/config/CFG-01/writable-vf/%u-bytes", size);

        qtest_add_data_func(pf, GUINT_TO_POINTER(size), test_writable);
        qtest_add_data_func(vf, GUINT_TO_POINTER(size), test_writable_vf);
    }
    qtest_add_func("/pri-testdev/config/CFG-01/bytes", test_bytes);
    for (unsigned int i = 0; i < ARRAY_SIZE(methods); i++) {
        g_autofree char *pf = g_strdup_printf(
            "/pri-testdev/config/CFG-02/%s", methods[i].name);
        g_autofree char *vf = g_strdup_printf(
            "/pri-testdev/config/CFG-02/%s-of-vf", methods[i].name);

        qtest_add_data_func(pf, &methods[i], test_reset);
        if (methods[i].vf) {
            qtest_add_data_func(vf, &methods[i], test_reset_vf);
        }
    }
    return g_test_run();
}
