/*
 * pri-testdev: event log
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "hw/pci/pci.h"
#include "hw/pci/pcie_aer.h"
#include "pri-testdev.h"

/* -- Writing --------------------------------------------------------------- */

void pt_log(PriTestdev *d, uint32_t kind, uint32_t pasid, uint32_t tag,
            uint64_t addr, uint32_t code)
{
    d->log.entry[d->log.count++ % PT_LOG_SIZE] = (PtLogEntry) {
        .time = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL),
        .addr = addr,
        .kind = kind,
        .pasid = pasid == ATS_NO_PASID ? 0 : pasid | PT_LOG_PASID_PRESENT,
        .tag = tag,
        .code = code,
    };
}

void pt_log_message(void *opaque, const AtsMsg *msg)
{
    PriTestdev *d = opaque;

    switch (msg->kind) {
    case ATS_MSG_PAGE_REQUEST:
        pt_log(d, ats_msg_is_stop_marker(msg) ? PT_LOG_STOP_MARKER :
               PT_LOG_PAGE_REQUEST, msg->pasid, msg->prgi, msg->addr,
               (msg->read ? PT_RAW_READ : 0) |
               (msg->write ? PT_RAW_WRITE : 0) |
               (msg->last ? PT_RAW_LAST : 0) |
               (msg->priv ? PT_RAW_PRIV : 0) |
               (msg->exec ? PT_RAW_EXEC : 0));
        break;
    case ATS_MSG_PRG_RESPONSE:
        pt_log(d, PT_LOG_PRG_RESPONSE, msg->pasid, msg->prgi, 0, msg->code);
        break;
    case ATS_MSG_INV_REQUEST:
        pt_log(d, PT_LOG_INV_REQUEST, msg->pasid, msg->itag, msg->addr,
               msg->size | msg->global << 1);
        break;
    case ATS_MSG_INV_COMPLETION:
        pt_log(d, PT_LOG_INV_COMPLETION, ATS_NO_PASID,
               msg->itags ? ctz32(msg->itags) : 0, 0, msg->cc);
        break;
    default:
        break;
    }
}

void pt_log_translation(void *opaque, const AtsTrReq *req, AtsTrStatus status,
                        const AtsTrEntry *entry, bool discarded)
{
    uint32_t permitted = discarded ? PT_LOG_DISCARDED : 0;

    if (status == ATS_TR_SUCCESS) {
        permitted |= (entry->read ? PT_RAW_READ : 0) |
                     (entry->write ? PT_RAW_WRITE : 0) |
                     (entry->exec ? PT_RAW_EXEC : 0) |
                     (entry->non_snooped ? PT_LOG_NON_SNOOPED : 0);
    }
    pt_log(opaque, PT_LOG_TRANSLATION, req->pasid, status, req->addr,
           permitted);
}

/* -- Reading --------------------------------------------------------------- */

/* The entry with the number @n, or NULL.  Numbers wrap around. */
static const PtLogEntry *pt_log_entry(const PriTestdev *d, uint32_t n)
{
    uint32_t age = (uint32_t)d->log.count - n;

    if (!age || age > MIN(d->log.count, PT_LOG_SIZE)) {
        return NULL;
    }
    return &d->log.entry[n % PT_LOG_SIZE];
}

const PtLogEntry *pt_log_selected(const PriTestdev *d)
{
    static const PtLogEntry none;

    return pt_log_entry(d, d->log.select) ?: &none;
}

static const char *const pt_log_kind_names[] = {
#define PT_LOG_KIND_NAME(NAME, number, name, text) [number] = name,
    PT_LOG_KINDS(PT_LOG_KIND_NAME)
#undef PT_LOG_KIND_NAME
};

static void pt_log_print(GString *text, uint32_t n, const PtLogEntry *e)
{
    g_string_append_printf(text, "%u %" PRIu64 " %s", n, e->time,
                           pt_log_kind_names[e->kind]);
    if (e->pasid & PT_LOG_PASID_PRESENT) {
        g_string_append_printf(text, " pasid=0x%x",
                               e->pasid & ~PT_LOG_PASID_PRESENT);
    }
    g_string_append_printf(text, " tag=%u addr=0x%" PRIx64 " code=0x%x\n",
                           e->tag, e->addr, e->code);
}

/* The property "log": a line an entry, oldest first */
static char *pt_log_get(Object *obj, Error **errp)
{
    const PriTestdev *d = PRI_TESTDEV(obj);
    GString *text = g_string_new(NULL);
    uint32_t n = d->log.count - MIN(d->log.count, PT_LOG_SIZE);

    for (; n != (uint32_t)d->log.count; n++) {
        pt_log_print(text, n, pt_log_entry(d, n));
    }
    return g_string_free(text, false);
}

int pt_log_post_load(PriTestdev *d)
{
    for (unsigned int i = 0; i < PT_LOG_SIZE; i++) {
        if (d->log.entry[i].kind >= ARRAY_SIZE(pt_log_kind_names) ||
            (i < d->log.count && !d->log.entry[i].kind)) {
            return -EINVAL;
        }
    }
    return 0;
}

void pt_log_add_property(ObjectClass *klass)
{
    object_class_property_add_str(klass, "log", pt_log_get, NULL);
    object_class_property_set_description(klass, "log",
        "the last events: number, virtual time in ns, kind, fields");
}
