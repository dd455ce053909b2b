/*
 * pri-testdev: DMA, and posted writes that are on their way to memory
 *
 * Which TLP pushes them is in hw/pci/ats_posted.c.  Here is when they are
 * there at all, and what becomes of them when the function is reset.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "hw/pci/ats_actor.h"
#include "hw/pci/pci_device.h"
#include "qapi/visitor.h"
#include "pri-testdev.h"

static void pt_posted_arm(PriTestdev *d)
{
    int64_t due = ats_posted_due(&d->fn.posted);

    if (due == ATS_POSTED_HELD) {
        timer_del(d->posted.timer);
    } else {
        timer_mod(d->posted.timer, due);
    }
}

static void pt_posted_timer(void *opaque)
{
    PriTestdev *d = opaque;

    ats_posted_expire(&d->fn.posted, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
    pt_posted_arm(d);
}

/* -- Writes that a decider on events keeps --------------------------------- */

static uint32_t pt_posted_lane(PriTestdev *d)
{
    return pci_requester_id(PCI_DEVICE(d));
}

/* @data: an AtsPostedWrite and the bytes of it */
static void pt_posted_happens(void *owner, const void *data)
{
    PriTestdev *d = container_of(owner, PriTestdev, posted);
    AtsPostedWrite w;

    memcpy(&w, data, sizeof(w));
    w.data = (uint8_t *)data + sizeof(w);
    pt_posted_land(d, &w);
}

/* The write is an event of the schedule machine; true: that takes care of it */
static bool pt_posted_event(PriTestdev *d, const AtsPostedWrite *w)
{
    g_autofree uint8_t *data = NULL;
    size_t len = sizeof(*w) + w->len;

    if (!ats_actor_on) {
        return false;
    }
    data = g_malloc(len);
    memcpy(data, w, sizeof(*w));
    memcpy(data + sizeof(*w), w->data, w->len);
    if (!ats_actor_event(ATS_EVENT_DMA_WRITE, pt_posted_lane(d), &d->posted,
                         pt_posted_happens, data, len)) {
        return false;
    }
    d->fn.posted.queued++;
    pt_log(d, PT_LOG_POSTED, w->pasid, 0, w->addr, w->len);
    return true;
}

/* -- Reads and writes ------------------------------------------------------ */

bool pt_dma_read(PriTestdev *d, const AtsTrEntry *entry, uint32_t pasid,
                 uint64_t addr, uint8_t *buf, uint32_t len)
{
    ats_function_push(&d->fn, ATS_SEND_READ);
    return pt_dma_access(d, entry, pasid, addr, buf, len, PT_DMA_READ);
}

bool pt_dma_write(PriTestdev *d, const AtsTrEntry *entry, uint32_t pasid,
                  uint64_t addr, uint8_t *buf, uint32_t len)
{
    AtsPostedWrite w = {
        .entry = *entry,
        .addr = addr,
        .pasid = pasid,
        .len = len,
        .data = buf,
        .due = ATS_POSTED_HELD,
    };

    if (d->knobs.dma_do == PT_DMA_DO_LAND) {
        ats_posted_sending(&d->fn.posted, ATS_SEND_WRITE);
        if (pt_posted_event(d, &w)) {
            return true;
        }
        return pt_dma_access(d, entry, pasid, addr, buf, len, PT_DMA_WRITE);
    }
    ats_actor_push_posted(pt_posted_lane(d));
    if (d->knobs.dma_do == PT_DMA_DO_DELAY) {
        w.due = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                d->knobs.dma_delay * SCALE_US;
    }
    pt_log(d, PT_LOG_POSTED, pasid, 0, addr, len);
    ats_posted_write(&d->fn.posted, &w);
    pt_posted_arm(d);
    return true;
}

/* Nobody hears of a write that fails: it is posted */
void pt_posted_land(void *opaque, const AtsPostedWrite *w)
{
    PriTestdev *d = opaque;

    if (!ats_function_connected(&d->fn)) {
        d->fn.posted.lost++;
        return;
    }
    pt_log(d, PT_LOG_LANDED, w->pasid, w->overtaken, w->addr, w->len);
    pt_dma_access(d, &w->entry, w->pasid, w->addr, w->data, w->len,
                  PT_DMA_LANDS);
}

/* -- Resets ---------------------------------------------------------------- */

void pt_posted_reset(PriTestdev *d, bool link)
{
    if (link && d->knobs.flr_dma == PT_FLR_DMA_LAND) {
        ats_actor_push_writes(pt_posted_lane(d));
    }
    if (!link || d->knobs.flr_dma != PT_FLR_DMA_KEEP) {
        ats_actor_forget(&d->posted);
    }
    if (!link || d->knobs.flr_dma == PT_FLR_DMA_DROP) {
        ats_posted_lose(&d->fn.posted);
    } else if (d->knobs.flr_dma == PT_FLR_DMA_LAND) {
        ats_posted_release(&d->fn.posted, UINT32_MAX);
    }
    pt_posted_arm(d);
}

bool pt_posted_outlive(const PriTestdev *d)
{
    return d->knobs.flr_dma != PT_FLR_DMA_LAND;
}

/* -- Life ------------------------------------------------------------------ */

static void pt_get_dma_waiting(Object *obj, Visitor *v, const char *name,
                               void *opaque, Error **errp)
{
    uint32_t n = PRI_TESTDEV(obj)->fn.posted.n;

    visit_type_uint32(v, name, &n, errp);
}

void pt_posted_add_property(ObjectClass *klass)
{
    object_class_property_add(klass, "dma-waiting", "uint32",
                              pt_get_dma_waiting, NULL, NULL, NULL);
    object_class_property_set_description(klass, "dma-waiting",
        "posted writes on their way to memory; to look pushes none");
}

void pt_posted_realize(PriTestdev *d)
{
    d->posted.timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, pt_posted_timer, d);
}

void pt_posted_exit(PriTestdev *d)
{
    ats_actor_forget(&d->posted);
    timer_free(d->posted.timer);
}

void pt_posted_post_load(PriTestdev *d)
{
    pt_posted_arm(d);
}
