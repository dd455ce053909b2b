/*
 * VT-d: interrupt requests in compatibility format (IR-01)
 *
 * VT-d 5.1.2.1, 5.1.4, 5.1.4.1, 11.4.4.1, 11.4.10
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/vtd-inv.h"

#define GCMD_CFI        (1U << 23)
#define IRTA_EIME       (1U << 11)
#define FR_COMPAT       0x25
#define VECTOR          0x83
/* physical destination 0, and bit 4, the format, is 0 */
#define COMPAT          LAB_MSI_ADDR

typedef struct Case {
    const char *name;
    const char *vtd;
    bool remap;                 /* interrupt remapping is enabled */
    bool cfi;
    bool x2apic;
    bool passes;
} Case;

static const Case cases[] = {
    { "remapping-off", NULL, false, false, false, true },
    { "remapping-off-cfi", NULL, false, true, false, true },
    { "blocked", NULL, true, false, false, false },
    { "cfi", NULL, true, true, false, true },
    { "x2apic", "eim=on", true, false, true, false },
    { "x2apic-cfi", "eim=on", true, true, true, false },
};

/* Has the interrupt reached the APIC of CPU 0? */
static bool arrived(PriLab *lab)
{
    g_autofree char *lapic = qtest_hmp(lab->qts, "info lapic 0");
    g_autofree char *vector = g_strdup_printf(" %u", VECTOR);
    const char *irr = strstr(lapic, "IRR");

    g_assert_nonnull(irr);
    return strstr(irr, vector);
}

static void remap(PriLab *lab, const Case *c)
{
    QVtd *v = &lab->v;

    qvtd_writeq(v, QVTD_IRTA, qvtd_alloc(v, 1) |
                (c->x2apic ? IRTA_EIME : 0));
    qvtd_gcmd(v, QVTD_GCMD_SIRTP, 0);
    if (c->remap) {
        qvtd_gcmd(v, QVTD_GCMD_IRE, 0);
    }
    if (c->cfi) {
        qvtd_gcmd(v, GCMD_CFI, 0);
    }
}

/* That of channel 0, behind the function's own */
static void interrupt(PriLab *lab)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_UNTRANSLATED | PT_FLAG_IRQ,
        .dst = LAB_IOVA, .len = 8,
    };

    qvtd_fs_map(&lab->v, lab->rid_pml4, LAB_IOVA, qvtd_alloc(&lab->v, 1),
                QVTD_FS_USER);
    qpt_msix(&lab->d, COMPAT, VECTOR - 1);
    g_assert_cmpuint(qpt_run(&lab->d, 0, &op), ==, PT_ST_DONE);
}

static void check(PriLab *lab, bool passes)
{
    QVtdFault f;
    uint16_t rid = lab->d.rid;

    g_assert_cmpint(arrived(lab), ==, passes);
    g_assert_cmpint(qvtd_fault(&lab->v, &f), ==, !passes);
    if (!passes) {
        g_assert_cmphex(QVTD_FAULT_FR(&f), ==, FR_COMPAT);
        g_assert_cmphex(QVTD_FAULT_SID(&f), ==, rid);
    }
}

static void test_format(const void *opaque)
{
    const Case *c = opaque;
    PriLab lab;

    pri_lab_start_with(&lab, c->vtd, NULL, 0);
    remap(&lab, c);
    interrupt(&lab);
    check(&lab, c->passes);
    pri_lab_stop(&lab);
}

/* CFIS follows the command both ways, and a reset clears it */
static void test_status(void)
{
    PriLab lab;
    QVtd *v = &lab.v;

    pri_lab_boot(&lab, NULL, NULL, 0);
    qvtd_gcmd(v, GCMD_CFI, 0);
    qvtd_gcmd(v, 0, GCMD_CFI);
    qvtd_gcmd(v, GCMD_CFI, 0);
    lab_reset(&lab);
    g_assert_cmphex(qvtd_readl(v, QVTD_GSTS), ==, 0);
    pri_lab_stop(&lab);

    /* 11.4.4.1: valid only with interrupt remapping */
    pri_lab_boot(&lab, "intremap=off", NULL, 0);
    qvtd_writel(v, QVTD_GCMD, GCMD_CFI);
    g_assert_cmphex(qvtd_readl(v, QVTD_GSTS), ==, 0);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *name = g_strdup_printf("/vtd/ir/IR-01/%s",
                                                cases[i].name);

        g_test_add_data_func(name, &cases[i], test_format);
    }
    g_test_add_func("/vtd/ir/IR-01/status", test_status);
    return g_test_run();
}
