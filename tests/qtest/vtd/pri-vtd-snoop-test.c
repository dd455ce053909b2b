/*
 * VT-d translation requests: the N bit of the completion (ATS-12)
 *
 * VT-d 4.2.3, table 10
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/vtd-pages.h"

#define PA              QPG_PA
#define SNP             (1ULL << 11)
#define WITH_SC         "x-ssts=on,snoop-control=on"
#define NO_COMPLETION   UINT32_MAX

/* What the completion of a translation request permits, by the log */
static uint32_t permits(PriLab *lab, uint64_t addr, uint32_t end)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .dst = addr, .len = 8, .pasid = LAB_PASID,
        .flags = PT_FLAG_NO_PRI | PT_FLAG_PASID,
    };
    uint32_t i, n;

    qpt_writel(&lab->d, PT_CTRL, PT_CTRL_CLEAR_LOG | PT_CTRL_FLUSH_ATC);
    g_assert_cmpuint(qpt_run(&lab->d, 0, &op), ==, end);
    n = qpt_readl(&lab->d, PT_LOG_COUNT);
    for (i = 0; i < n; i++) {
        qpt_writel(&lab->d, PT_LOG_SELECT, i);
        if (qpt_readl(&lab->d, PT_LOG_KIND) == PT_LOG_TRANSLATION) {
            g_assert_cmpuint(qpt_readl(&lab->d, PT_LOG_TAG), ==, 0);
            return qpt_readl(&lab->d, PT_LOG_CODE);
        }
    }
    return NO_COMPLETION;
}

/* Table 10, scalable mode: PGSNP of the entry, or SNP of a second-stage leaf */
typedef struct Row {
    const char *name;
    const char *options;
    uint64_t pgtt;
    uint64_t pgsnp;
    uint64_t snp;
    bool n;
} Row;

static const Row rows[] = {
    { "first-stage", WITH_SC, QVTD_PGTT_FIRST, 0, SNP, false },
    { "first-stage-pgsnp", WITH_SC, QVTD_PGTT_FIRST, 1, 0, true },
    { "second-stage", WITH_SC, QVTD_PGTT_SECOND, 0, 0, false },
    { "second-stage-snp", WITH_SC, QVTD_PGTT_SECOND, 0, SNP, true },
    { "second-stage-pgsnp", WITH_SC, QVTD_PGTT_SECOND, 1, 0, true },
    /* the bit is reserved there, and means nothing */
    { "no-snoop-control", "x-ssts=on", QVTD_PGTT_SECOND, 0, SNP, false },
    { "pass-through", WITH_SC, QVTD_PGTT_PASSTHROUGH, 0, 0, false },
    { "pass-through-pgsnp", WITH_SC, QVTD_PGTT_PASSTHROUGH, 1, 0, true },
};

/* From the tables, and from the IOTLB */
static void test_n(const void *opaque)
{
    const Row *row = opaque;
    uint64_t addr = row->pgtt == QVTD_PGTT_PASSTHROUGH ? PA : LAB_IOVA;
    uint64_t pe, top;
    PriLab lab;

    pri_lab_start_with(&lab, row->options, NULL, 0);
    pe = qvtd_pasid_entry(&lab.v, lab.d.rid, LAB_PASID);
    qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA, PA, QVTD_FS_USER | row->snp);
    if (row->pgtt == QVTD_PGTT_SECOND) {
        top = qvtd_alloc(&lab.v, 1);
        qvtd_ss_map(&lab.v, top, LAB_IOVA, PA,
                    QVTD_SS_R | QVTD_SS_W | row->snp);
        qvtd_set(&lab.v, pe, QVTD_PE_AW, 2);
        qvtd_set(&lab.v, pe, QVTD_PE_SSPTPTR, top >> 12);
    }
    qvtd_set(&lab.v, pe, QVTD_PE_PGTT, row->pgtt);
    qvtd_set(&lab.v, pe, QVTD_PE_PGSNP, row->pgsnp);
    qvtd_flush(&lab.v);
    for (unsigned int i = 0; i < 2; i++) {
        g_assert_cmphex(permits(&lab, addr, PT_ST_DONE), ==,
                        PT_RAW_READ | PT_RAW_WRITE |
                        (row->n ? PT_LOG_NON_SNOOPED : 0));
    }
    pri_lab_stop(&lab);
}

/* Either right is enough for N */
static void test_one_right(void)
{
    static const uint64_t rights[] = { QVTD_SS_R, QVTD_SS_W };
    uint64_t pe, top;
    PriLab lab;

    pri_lab_start_with(&lab, WITH_SC, NULL, 0);
    top = qvtd_alloc(&lab.v, 1);
    pe = qvtd_pasid_entry(&lab.v, lab.d.rid, LAB_PASID);
    qvtd_set(&lab.v, pe, QVTD_PE_PGTT, QVTD_PGTT_SECOND);
    qvtd_set(&lab.v, pe, QVTD_PE_AW, 2);
    qvtd_set(&lab.v, pe, QVTD_PE_SSPTPTR, top >> 12);
    for (unsigned int i = 0; i < G_N_ELEMENTS(rights); i++) {
        bool write = rights[i] == QVTD_SS_W;

        qvtd_ss_map(&lab.v, top, LAB_IOVA, PA, rights[i] | SNP);
        qvtd_flush(&lab.v);
        g_assert_cmphex(permits(&lab, LAB_IOVA,
                                write ? PT_ST_DONE : PT_ST_NO_PRI), ==,
                        (write ? PT_RAW_WRITE : PT_RAW_READ) |
                        PT_LOG_NON_SNOOPED);
    }
    pri_lab_stop(&lab);
}

/* Nothing is permitted: no N either */
static void test_empty(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, WITH_SC, NULL, 0);
    qvtd_set(&lab.v, qvtd_pasid_entry(&lab.v, lab.d.rid, LAB_PASID),
             QVTD_PE_PGSNP, 1);
    qvtd_flush(&lab.v);
    g_assert_cmphex(permits(&lab, LAB_IOVA, PT_ST_NO_PRI), ==, 0);
    /* nor of the interrupt address range, which passes nothing through */
    qvtd_set(&lab.v, qvtd_pasid_entry(&lab.v, lab.d.rid, LAB_PASID),
             QVTD_PE_PGTT, QVTD_PGTT_PASSTHROUGH);
    qvtd_flush(&lab.v);
    g_assert_cmphex(permits(&lab, 0xfee01000, PT_ST_NO_PRI), ==, 0);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    for (unsigned int i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *name = g_strdup_printf("/vtd/ats/ATS-12/%s",
                                                rows[i].name);

        g_test_add_data_func(name, &rows[i], test_n);
    }
    g_test_add_func("/vtd/ats/ATS-12/one-right", test_one_right);
    g_test_add_func("/vtd/ats/ATS-12/empty", test_empty);
    return g_test_run();
}
