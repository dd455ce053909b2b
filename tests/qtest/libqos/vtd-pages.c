/*
 * Page tables of the IOMMU that are broken in every way of VT-d table 30
 *
 * VT-d 3.6, 3.7, 7.1.3
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "libqtest.h"
#include "libqos/vtd-pages.h"

/* Registers that can be read without a trace, so that a read of them is seen */
#define IO_APIC         0xfec00000

/* -- first-stage tables ---------------------------------------------------- */

const QFsRow qfs_rows[] = {
    { "SFS.1-pdpe", 4, QPG_ADDR, QVTD_NO_MEMORY, TR_EMPTY, 0x70 },
    { "SFS.1-pde", 3, QPG_ADDR, QVTD_NO_MEMORY, TR_EMPTY, 0x70 },
    { "SFS.1-pte", 2, QPG_ADDR, QVTD_NO_MEMORY, TR_EMPTY, 0x70 },
    { "SFS.1-registers", 2, QPG_ADDR, IO_APIC, TR_EMPTY, 0x70 },
    { "SFS.2-pml4e", 4, QVTD_FS_P, 0, TR_EMPTY, 0x71 },
    { "SFS.2-pdpe", 3, QVTD_FS_P, 0, TR_EMPTY, 0x71 },
    { "SFS.2-pde", 2, QVTD_FS_P, 0, TR_EMPTY, 0x71 },
    { "SFS.2-pte", 1, QVTD_FS_P, 0, TR_EMPTY, 0x71 },
    { "SFS.3-pml4e", 4, 0, QVTD_FS_PS, TR_EMPTY, 0x72 },
    { "SFS.3-pml4e-haw", 4, 0, QPG_BIT_51, TR_EMPTY, 0x72 },
    { "SFS.3-pdpe-haw", 3, 0, QPG_BIT_51, TR_EMPTY, 0x72 },
    { "SFS.3-pde-haw", 2, 0, QPG_BIT_51, TR_EMPTY, 0x72 },
    { "SFS.3-pde-2m", 2, 0, QVTD_FS_PS | 1ULL << 13, TR_EMPTY, 0x72 },
    { "SFS.3-pdpe-1g", 3, 0, QVTD_FS_PS | 1ULL << 29, TR_EMPTY, 0x72 },
    { "SFS.3-pte-haw", 1, 0, QPG_BIT_51, TR_EMPTY, 0x72 },
    { "SGN.2-pml4e", 4, QVTD_FS_US, 0, TR_EMPTY, 0x81 },
    { "SGN.2-pdpe", 3, QVTD_FS_US, 0, TR_EMPTY, 0x81 },
    { "SGN.2-pde", 2, QVTD_FS_US, 0, TR_EMPTY, 0x81 },
    { "SGN.2-pte", 1, QVTD_FS_US, 0, TR_EMPTY, 0x81 },
    { "SGN.8", 1, QPG_ADDR, 0xfee00000, TR_CA, 0x87 },
};

const unsigned int qfs_nr = ARRAY_SIZE(qfs_rows);

/* Where the entry of @level (1 is the PTE) for LAB_IOVA is */
uint64_t qfs_entry(PriLab *lab, uint64_t table, int level)
{
    int i;

    for (i = 4; i > level; i--) {
        uint64_t slot = table + extract64(LAB_IOVA, 3 + 9 * i, 9) * 8;

        table = qtest_readq(lab->qts, slot) & 0xfffffffff000ULL;
    }
    return table + extract64(LAB_IOVA, 3 + 9 * level, 9) * 8;
}

/* Both kinds of request walk tables of their own, broken the same way */
void qfs_change(PriLab *lab, int level, uint64_t clear, uint64_t set)
{
    uint64_t tables[] = { lab->pml4, lab->rid_pml4 };
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(tables); i++) {
        uint64_t at = qfs_entry(lab, tables[i], level);

        qtest_writeq(lab->qts, at, (qtest_readq(lab->qts, at) & ~clear) | set);
    }
    qvtd_flush(&lab->v);
}

void qfs_start(PriLab *lab, const char *vtd)
{
    pri_lab_start_with(lab, vtd, NULL, 0);
    qvtd_fs_map(&lab->v, lab->pml4, LAB_IOVA, QPG_PA, QVTD_FS_USER);
    qvtd_fs_map(&lab->v, lab->rid_pml4, LAB_IOVA, QPG_PA, QVTD_FS_USER);
}

/* -- second-stage tables --------------------------------------------------- */

const QSsRow qss_rows[] = {
    { "SSS.1", 0, 0, 0, 0, TR_CA, 0x78 },       /* see qss_start() */
    { "SSS.2", 0, QPG_PA, 0, 0, TR_EMPTY, 0x79 },
    { "SSS.3", 0, QPG_PA | QPG_BIT_51 | QVTD_SS_R, 0, 0, TR_CA, 0x7a },
    { "SSS.3-snp", 0, 0, 0, 0, TR_CA, 0x7a },   /* see qss_start() */
    { "SSS.4", QVTD_NO_MEMORY, 0, 0, 0, TR_CA, 0x7b },
    { "SGN.5", 0, QPG_PA | QVTD_SS_R, 1ULL << 48, 0, TR_EMPTY, 0x84 },
    { "SGN.6", 0, QPG_PA | QVTD_SS_R, 0, PT_RAW_READ, 0, 0x85 },
    { "SGN.7", 0, QPG_PA | QVTD_SS_W, 0, PT_RAW_WRITE, 0, 0x86 },
    { "SGN.8", 0, 0xfee00000 | QVTD_SS_R | QVTD_SS_W, 0, 0, TR_CA, 0x87 },
    { "present", 0, QPG_PA | QVTD_SS_R | QVTD_SS_W, 0,
      PT_RAW_READ | PT_RAW_WRITE },
};

const unsigned int qss_nr = ARRAY_SIZE(qss_rows);

void qss_start(PriLab *lab, const QSsRow *row)
{
    static const uint32_t pasids[] = { LAB_PASID, 0 };
    QVtd *v = &lab->v;
    uint64_t top;

    pri_lab_start_with(lab, QT30_SECOND_STAGE, NULL, 0);
    top = qvtd_alloc(v, 1);
    qtest_writeq(lab->qts, qvtd_ss_map(v, top, LAB_IOVA, QPG_PA, QVTD_SS_R),
                 row->entry);
    if (!strcmp(row->name, "SSS.1")) {
        qtest_writeq(lab->qts, top + extract64(LAB_IOVA, 39, 9) * 8,
                     QVTD_NO_MEMORY | QVTD_SS_R | QVTD_SS_W);
    } else if (!strcmp(row->name, "SSS.3-snp")) {
        /* 3.7: the bit is reserved where it cannot matter */
        uint64_t slot = top + extract64(LAB_IOVA, 39, 9) * 8;

        qtest_writeq(lab->qts, slot, qtest_readq(lab->qts, slot) | 1 << 11);
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(pasids); i++) {
        uint64_t pe = qvtd_pasid_entry(v, lab->d.rid, pasids[i]);

        qvtd_set(v, pe, QVTD_PE_PGTT, QVTD_PGTT_SECOND);
        qvtd_set(v, pe, QVTD_PE_FSPTPTR, 0);
        qvtd_set(v, pe, QVTD_PE_AW, 2);
        qvtd_set(v, pe, QVTD_PE_SSPTPTR, (row->table ?: top) >> 12);
    }
    qvtd_flush(v);
}
