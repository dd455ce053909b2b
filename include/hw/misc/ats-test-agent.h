/*
 * ats-test-agent: the smallest IOMMU that a function with ATS can be behind
 *
 * For tests of functions and of the link, which are to know no IOMMU that
 * exists: it does what the test says, right or wrong, and tells all that came
 * to it.  It is a PCI function on the root bus of a machine without an IOMMU,
 *
 *   -device ats-test-agent,bus=pcie.0,addr=3
 *
 * and must come before the functions behind it.  It has
 *
 *   a table of translations, each of which is a range of one requester id and
 *   PASID, and what a Translation Request in it is answered with;
 *
 *   a record of whatever comes up the link, in the order in which it came:
 *   Page Requests, Invalidate Completions, Translation Requests, and memory
 *   requests that are translated or have a PASID; nothing is answered but
 *   Translation Requests;
 *
 *   rules of the link (ats_rules.h).
 *
 * What goes down the link is sent by ATA_DO.  Untranslated requests without
 * PASID go to memory as they are.  It keeps no order, has no time-outs and no
 * queues, and does not migrate.
 *
 * BAR0 has registers of 64 bits, which are read and written as a whole.  The
 * oldest record and the arguments of ATA_DO are the same fields.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_ATS_TEST_AGENT_H
#define HW_MISC_ATS_TEST_AGENT_H

#define TYPE_ATS_TEST_AGENT     "ats-test-agent"
#define ATA_VENDOR_ID           0x1234
#define ATA_DEVICE_ID           0x4154      /* "AT" */

#define ATA_MAGIC               0x544e454741535441ULL   /* "ATSAGENT" */
#define ATA_RECORDS_MAX         2048
#define ATA_TABLE_MAX           1024

/* Registers of BAR0 */
#define ATA_ID                  0x00    /* RO: ATA_MAGIC */
#define ATA_RECORDS             0x08    /* RO: records that there are */
#define ATA_LOST                0x10    /* RO: records that found no room */
#define ATA_TAKE                0x18    /* WO: forget that many, oldest first */
#define ATA_DO                  0x20    /* WO: AtaCommand */
#define ATA_RECORD(field)       (0x080 + (field) * 8)   /* RO, 0: none */
#define ATA_ARG(field)          (0x100 + (field) * 8)   /* RW */
#define ATA_SIZE                0x1000

/* Fields of a record, of an argument, of a translation */
typedef enum AtaField {
    ATA_KIND,           /* of a record */
    ATA_RID,
    ATA_PASID,          /* or ATA_NO_PASID */
    ATA_ADDR,
    ATA_TAG,            /* PRG index, ITag, or ITag vector of a completion */
    ATA_CODE,           /* Response Code, Completion Count, ATA_TR_* */
    ATA_FLAGS,
    ATA_TO,             /* of a translation */
    ATA_MASK,           /* of a translation: its size minus one */
    ATA_FIELDS
} AtaField;

#define ATA_NO_PASID            UINT32_MAX

typedef enum AtaKind {
    ATA_NOTHING,
    ATA_PAGE_REQUEST,
    ATA_INV_COMPLETION,
    ATA_TRANSLATION,
    ATA_TRANSLATED,     /* memory request with AT=10b */
    ATA_UNTRANSLATED,   /* memory request with AT=00b and a PASID */
} AtaKind;

/* Completion status of a translation */
#define ATA_TR_SUCCESS          0
#define ATA_TR_UR               1
#define ATA_TR_CA               2

/* Flags: of Page Requests and memory requests */
#define ATA_READ                (1u << 0)
#define ATA_WRITE               (1u << 1)
#define ATA_LAST                (1u << 2)
#define ATA_PRIV                (1u << 3)   /* and of Translation Requests */
#define ATA_EXEC                (1u << 4)   /* and of both */
#define ATA_NO_WRITE            (1u << 5)   /* NW of a Translation Request */
/* of translations: ATA_READ, ATA_WRITE, ATA_EXEC and */
#define ATA_UNTRANSLATED_ONLY   (1u << 6)   /* U */
#define ATA_NON_SNOOPED         (1u << 7)   /* N */
#define ATA_BEHIND              (1u << 10)  /* wrong: of the range behind it */
/* of Invalidate Requests */
#define ATA_INV_SIZE            (1u << 8)   /* S */
#define ATA_INV_GLOBAL          (1u << 9)   /* G */

/*
 * What ATA_DO does with the arguments.  A translation is found before those
 * that were there when it came, and where there is none the answer is Success
 * without permissions.
 */
typedef enum AtaCommand {
    ATA_MAP = 1,        /* RID, PASID, ADDR, CODE, FLAGS, TO, MASK */
    ATA_UNMAP,          /* RID, PASID, ADDR: those that it is in */
    ATA_RESPOND,        /* RID, PASID, TAG, CODE: PRG Response */
    ATA_INVALIDATE,     /* RID, PASID, ADDR, TAG, FLAGS: Invalidate Request */
} AtaCommand;

#endif /* HW_MISC_ATS_TEST_AGENT_H */
