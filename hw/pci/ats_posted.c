/*
 * Posted writes of a function on their way to memory
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/pci/ats_posted.h"
#include "trace.h"

void ats_posted_init(AtsPosted *p, AtsPostedLand *land, void *opaque)
{
    p->land = land;
    p->opaque = opaque;
}

/* -- In and out ------------------------------------------------------------ */

/* The oldest; its data are the caller's */
static AtsPostedWrite ats_posted_pop(AtsPosted *p)
{
    AtsPostedWrite w = p->slot[0];

    p->n--;
    memmove(&p->slot[0], &p->slot[1], p->n * sizeof(p->slot[0]));
    p->slot[p->n].data = NULL;
    return w;
}

/* The @n oldest; each is gone from here before its data move */
static void ats_posted_land(AtsPosted *p, uint32_t n, const char *why)
{
    while (n-- && p->n) {
        AtsPostedWrite w = ats_posted_pop(p);

        trace_ats_posted_land(w.pasid, w.addr, w.len, w.overtaken, why);
        p->land(p->opaque, &w);
        g_free(w.data);
    }
}

void ats_posted_write(AtsPosted *p, const AtsPostedWrite *w)
{
    AtsPostedWrite *slot;

    if (p->n == ATS_POSTED_MAX) {
        ats_posted_land(p, 1, "no room");
    }
    slot = &p->slot[p->n++];
    *slot = *w;
    slot->data = g_memdup2(w->data, w->len);
    slot->requests = 0;
    slot->overtaken = false;
    p->queued++;
    trace_ats_posted_write(w->pasid, w->addr, w->len, p->n);
}

void ats_posted_release(AtsPosted *p, uint64_t count)
{
    ats_posted_land(p, MIN(count, p->n), "released");
}

void ats_posted_forget(AtsPosted *p)
{
    for (uint32_t i = 0; i < p->n; i++) {
        g_free(p->slot[i].data);
        p->slot[i].data = NULL;
    }
    p->n = 0;
}

void ats_posted_lose(AtsPosted *p)
{
    p->lost += p->n;
    if (p->n) {
        trace_ats_posted_lost(p->n);
    }
    ats_posted_forget(p);
}

/* -- Time ------------------------------------------------------------------ */

void ats_posted_expire(AtsPosted *p, int64_t now)
{
    uint32_t n = p->n;

    while (n && p->slot[n - 1].due > now) {
        n--;
    }
    ats_posted_land(p, n, "due");
}

int64_t ats_posted_due(const AtsPosted *p)
{
    int64_t due = ATS_POSTED_HELD;

    for (uint32_t i = 0; i < p->n; i++) {
        due = MIN(due, p->slot[i].due);
    }
    return due;
}

/* -- Order ----------------------------------------------------------------- */

void ats_posted_inv_request(AtsPosted *p)
{
    for (uint32_t i = 0; i < p->n; i++) {
        p->slot[i].requests = MIN(p->slot[i].requests + 1, 2);
    }
}

static void ats_posted_overtake(AtsPosted *p)
{
    for (uint32_t i = 0; i < p->n; i++) {
        AtsPostedWrite *w = &p->slot[i];

        if (!w->overtaken && !w->entry.untranslated) {
            w->overtaken = true;
            p->overtaken++;
            trace_ats_posted_overtaken(w->pasid, w->addr, w->len);
        }
    }
}

/* PCIe 6.2 10.3.3, or what the function makes of it */
static void ats_posted_inv_completion(AtsPosted *p)
{
    uint32_t n = p->n;

    if (p->quirks.inv == ATS_INV_PASS) {
        n = 0;
    } else if (p->quirks.inv == ATS_INV_PUSH_LATE) {
        while (n && p->slot[n - 1].requests < 2) {
            n--;
        }
    }
    ats_posted_land(p, n, "Invalidate Completion");
    ats_posted_overtake(p);
}

void ats_posted_sending_slow(AtsPosted *p, AtsSend tlp)
{
    static const char *const names[ATS_SEND_NR] = {
        [ATS_SEND_WRITE] = "Memory Write",
        [ATS_SEND_READ] = "Memory Read",
        [ATS_SEND_MSI] = "MSI",
        [ATS_SEND_PAGE_REQUEST] = "Page Request",
        [ATS_SEND_ERROR] = "error message",
        [ATS_SEND_COMPLETION] = "Completion",
        [ATS_SEND_WRITE_COMPLETION] = "Completion of a write",
    };

    if (tlp == ATS_SEND_INV_COMPLETION) {
        ats_posted_inv_completion(p);
    } else if (tlp != ATS_SEND_TRANSLATION &&
               !(p->quirks.passes & (1u << tlp))) {
        ats_posted_land(p, p->n, names[tlp]);
    }
}

bool ats_posted_valid(const AtsPosted *p)
{
    for (uint32_t i = 0; i < p->n; i++) {
        const AtsPostedWrite *w = &p->slot[i];

        if (w->requests > 2 || w->due < 0 ||
            (!w->entry.untranslated && w->addr < w->entry.iova)) {
            return false;
        }
    }
    return true;
}
