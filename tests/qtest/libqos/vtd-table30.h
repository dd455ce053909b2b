/*
 * VT-d table 30: ways to break the remapping structures, and what each is to a
 * page request, to a translation request and to an untranslated request
 *
 * The rows are those whose cause lies in front of the page tables, so that all
 * kinds of request can meet them.  An untranslated request meets those that a
 * translation request does, with the same fault reason.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_LAB_LIBQOS_VTD_TABLE30_H
#define PRI_LAB_LIBQOS_VTD_TABLE30_H

#include "libqos/pri-lab.h"

typedef enum QT30Where {
    IN_NOTHING,
    IN_TTM,                     /* RTADDR.TTM */
    IN_RTA,                     /* RTADDR.RTA, in pages */
    IN_RE,
    IN_CE,
    IN_PDE,
    IN_PE,
} QT30Where;

typedef struct QT30Change {
    QT30Where where;
    QVtdField field;
    uint64_t value;
} QT30Change;

/* A row does not apply to all requests */
#define ONLY_PASID      (1 << 0)
#define ONLY_NO_PASID   (1 << 1)

/* What a translation request gets */
typedef enum QT30Completion {
    TR_NA,                      /* it does not meet this condition */
    TR_UR,
    TR_CA,
    TR_EMPTY,                   /* Success with R=W=U=S=0 */
} QT30Completion;

typedef struct QT30Row {
    const char *item;           /* checklist item of the page request */
    const char *name;           /* condition code of table 30, and a hint */
    uint8_t fr;
    bool qualified;
    QT30Completion tr;
    unsigned int only;
    QT30Change change[3];
    uint32_t pasid;             /* of the request, if not LAB_PASID */
    const char *vtd;            /* options of intel-iommu, if any */
    uint64_t if_ecap;           /* the row needs these bits of ECAP ... */
    uint64_t unless_ecap;       /* ... and does not apply with these */
} QT30Row;

/* Second-stage translation instead of first-stage, and no SMPWC, no NWFS */
#define QT30_SECOND_STAGE       "svm=off,x-flts=off,x-prs=on"
#define QT30_NO_SMPWC           "svm=off,x-prs=on"

/* In a field for address bits 63:12: a page with no memory behind it ... */
#define QT30_NOWHERE            (QVTD_NO_MEMORY >> 12)
/* ... and bit 63, above every HAW */
#define QT30_BEYOND_HAW         (1ULL << 51)

extern const QT30Row qt30_rows[];
extern const unsigned int qt30_nr;

/**
 * qt30_apply: make one change, for requests of @table_pasid
 *
 * @table_pasid: PASID that selects the PASID-table entry: 0 for those without
 */
void qt30_apply(PriLab *lab, const QT30Change *c, uint32_t table_pasid);

/**
 * qt30_apply_row: make all changes of a row and flush what caches there are
 */
void qt30_apply_row(PriLab *lab, const QT30Row *row, uint32_t table_pasid);

/**
 * qt30_applies: does ECAP allow for the row?
 */
bool qt30_applies(PriLab *lab, const QT30Row *row);

/**
 * qt30_start: a machine that is broken as @row says for requests with and
 * without PASID; the one at hand, if that is for this row
 *
 * Returns: NULL if the row does not apply; then the test is marked as skipped.
 */
PriLab *qt30_start(const QT30Row *row);

/**
 * qt30_stop: end the machine of qt30_start(), if there is one
 */
void qt30_stop(void);

/**
 * qt30_fpd_places: where Fault Processing Disable is; three of them
 * qt30_fpd_is_met: is the bit in @place on the way to the fault of @row?
 */
#define QT30_FPD_PLACES 3
extern const QT30Change qt30_fpd_places[QT30_FPD_PLACES];
bool qt30_fpd_is_met(const QT30Row *row, QT30Where place);

#endif /* PRI_LAB_LIBQOS_VTD_TABLE30_H */
