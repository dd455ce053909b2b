/*
 * Page tables of the IOMMU that are broken in every way of VT-d table 30, and
 * what each is to a translation request and to an untranslated request
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_LAB_LIBQOS_VTD_PAGES_H
#define PRI_LAB_LIBQOS_VTD_PAGES_H

#include "libqos/vtd-table30.h"

/* Where LAB_IOVA is mapped to */
#define QPG_PA          0x8000000ULL

/* Address bits of a first-stage entry, and one beyond every HAW */
#define QPG_ADDR        0xffffffffff000ULL
#define QPG_BIT_51      (1ULL << 51)

/* The entry of one level of first-stage tables is changed */
typedef struct QFsRow {
    const char *name;           /* condition code of table 30, and a hint */
    int level;                  /* 1 is the PTE, 4 the PML4 entry */
    uint64_t clear;
    uint64_t set;
    QT30Completion tr;          /* of a translation request */
    uint8_t fr;                 /* fault reason, if the fault is recorded */
} QFsRow;

extern const QFsRow qfs_rows[];
extern const unsigned int qfs_nr;

/**
 * qfs_start: LAB_IOVA is mapped to QPG_PA for LAB_PASID and without PASID
 *
 * @vtd: see pri_lab_start_with()
 */
void qfs_start(PriLab *lab, const char *vtd);

/**
 * qfs_entry: address of the entry of @level for LAB_IOVA below @table
 */
uint64_t qfs_entry(PriLab *lab, uint64_t table, int level);

/**
 * qfs_change: clear and set bits of the entries of @level for LAB_IOVA, of
 * both tables, and flush
 */
void qfs_change(PriLab *lab, int level, uint64_t clear, uint64_t set);

/* Second-stage tables */
typedef struct QSsRow {
    const char *name;
    uint64_t table;             /* SSPTPTR, 0: a good one */
    uint64_t entry;             /* of the page */
    uint64_t addr;              /* to translate, 0: LAB_IOVA */
    uint32_t permits;           /* PT_RAW_READ, PT_RAW_WRITE; or 0 and ... */
    QT30Completion tr;          /* ... this to a translation request */
    uint8_t fr;                 /* of what is not permitted */
} QSsRow;

extern const QSsRow qss_rows[];
extern const unsigned int qss_nr;

/**
 * qss_start: second-stage translation as @row says, for LAB_PASID and without
 * PASID
 */
void qss_start(PriLab *lab, const QSsRow *row);

#endif /* PRI_LAB_LIBQOS_VTD_PAGES_H */
