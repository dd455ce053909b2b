/*
 * Posted writes of a function on their way to memory
 *
 * A Memory Write has no completion: its sender is done with it when it is
 * sent, and it reaches memory some time later.  What tells others that it has
 * are TLPs that must not pass it.  PCIe 6.2 2.4.1, table 2-40, without Relaxed
 * Ordering and ID-Based Ordering:
 *
 *   a Posted Request does not pass a Posted Request: Memory Writes among
 *     themselves, MSI, Page Requests, Invalidate Completions, error messages
 *   a Read Request does not pass a Posted Request
 *   a Completion does not pass a Posted Request: that of a read or of a
 *     configuration write by software
 *   no order is known between a Translation Request and anything (10.2.2.3)
 *
 * and 10.3.3: writes that use a translation are ahead of the Invalidate
 * Completion for it.
 *
 * This engine keeps the writes in the order in which they were issued, and
 * says which are to reach memory, or "land", before another TLP goes.  As a
 * rule a write lands at once and is never here.
 *
 * It knows no device, clock or memory.  Who has it does the writing.  All of it
 * runs under the BQL.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_PCI_ATS_POSTED_H
#define HW_PCI_ATS_POSTED_H

#include "hw/pci/ats_link.h"

/* Writes that can be on their way; one more pushes the oldest */
#define ATS_POSTED_MAX      128
/* Bytes of one */
#define ATS_POSTED_LEN      4096

/* AtsPostedWrite::due of a write that does not land by itself */
#define ATS_POSTED_HELD     INT64_MAX

/* What a function sends */
typedef enum AtsSend {
    ATS_SEND_WRITE,
    ATS_SEND_READ,
    ATS_SEND_MSI,
    ATS_SEND_TRANSLATION,        /* Translation Request */
    ATS_SEND_PAGE_REQUEST,       /* stop markers as well */
    ATS_SEND_INV_COMPLETION,
    ATS_SEND_ERROR,              /* error message */
    ATS_SEND_COMPLETION,         /* of a read by software */
    ATS_SEND_WRITE_COMPLETION,   /* of a configuration write by software */
    ATS_SEND_NR,
} AtsSend;

/* What an Invalidate Completion does to writes from before it */
typedef enum AtsInvPush {
    ATS_INV_PUSH,       /* pushes them */
    ATS_INV_PUSH_LATE,  /* pushes those from before the last request but one */
    ATS_INV_PASS,       /* overtakes them */
} AtsInvPush;

/**
 * struct AtsPostedQuirks - where a function departs from the rules
 *
 * @inv: what its Invalidate Completions do
 * @passes: bit n is set: AtsSend n overtakes writes; that of
 *          ATS_SEND_INV_COMPLETION means nothing
 */
typedef struct AtsPostedQuirks {
    AtsInvPush inv;
    uint32_t passes;
} AtsPostedQuirks;

/**
 * struct AtsPostedWrite - a write on its way
 *
 * @entry: the translation that it was issued with; with U=1 there is none, and
 *         the IOMMU translates @addr when the write arrives
 * @addr: untranslated address of the first byte
 * @pasid: PASID, or ATS_NO_PASID
 * @len: bytes, 1 to ATS_POSTED_LEN
 * @data: the bytes
 * @due: when it lands by itself, ns of the owner's clock, or ATS_POSTED_HELD
 * @requests: Invalidate Requests that have come since, at most 2
 * @overtaken: an Invalidate Completion has passed it
 */
typedef struct AtsPostedWrite {
    AtsTrEntry entry;
    uint64_t addr;
    uint32_t pasid;
    uint32_t len;
    uint8_t *data;
    int64_t due;
    uint8_t requests;
    bool overtaken;
} AtsPostedWrite;

/* The write reaches memory; may be lost on the way if that cannot be */
typedef void AtsPostedLand(void *opaque, const AtsPostedWrite *w);

/**
 * struct AtsPosted - all of a function
 *
 * @n: how many; slot[0] is the oldest
 * @queued: writes that did not land at once
 * @overtaken: of those with a translation, how many an Invalidate Completion
 *             has passed
 * @lost: writes that did not reach the link
 */
typedef struct AtsPosted {
    AtsPostedLand *land;
    void *opaque;
    AtsPostedQuirks quirks;
    uint32_t n;
    AtsPostedWrite slot[ATS_POSTED_MAX];
    uint64_t queued;
    uint64_t overtaken;
    uint64_t lost;
} AtsPosted;

/**
 * ats_posted_init: @p is zeroed
 */
void ats_posted_init(AtsPosted *p, AtsPostedLand *land, void *opaque);

/**
 * ats_posted_write: put a write on its way
 *
 * @w: @w->data is copied; @w->due as it is to be, but a write does not land
 *     before one that was issued before it
 */
void ats_posted_write(AtsPosted *p, const AtsPostedWrite *w);

/**
 * ats_posted_sending: @tlp goes now: what it pushes lands
 */
void ats_posted_sending_slow(AtsPosted *p, AtsSend tlp);

static inline void ats_posted_sending(AtsPosted *p, AtsSend tlp)
{
    if (p->n) {
        ats_posted_sending_slow(p, tlp);
    }
}

/**
 * ats_posted_inv_request: an Invalidate Request has come
 */
void ats_posted_inv_request(AtsPosted *p);

/**
 * ats_posted_release: up to @count writes land, oldest first
 */
void ats_posted_release(AtsPosted *p, uint64_t count);

/**
 * ats_posted_expire: writes that are due at @now land
 *
 * A write that is due takes those before it along, those that are held as well.
 */
void ats_posted_expire(AtsPosted *p, int64_t now);

/**
 * ats_posted_due: when ats_posted_expire() is to be called next, or
 * ATS_POSTED_HELD
 */
int64_t ats_posted_due(const AtsPosted *p);

/**
 * ats_posted_lose: none of them will land
 */
void ats_posted_lose(AtsPosted *p);

/**
 * ats_posted_forget: the same, and nobody counts them: before migration and at
 * the end
 */
void ats_posted_forget(AtsPosted *p);

/**
 * ats_posted_valid: is what was migrated possible?
 */
bool ats_posted_valid(const AtsPosted *p);

#endif /* HW_PCI_ATS_POSTED_H */
