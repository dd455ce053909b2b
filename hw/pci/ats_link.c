/*
 * The link between functions with an ATC and the translation agent
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "hw/pci/ats_actor.h"
#include "hw/pci/ats_ruleset.h"
#include "hw/pci/ats_link.h"
#include "trace.h"

/*
 * Messages that wait for the one being delivered.  A receiver sends a few
 * messages for each that it gets, so the FIFO stays short unless both ends
 * are told to amplify; then it is cut off here.
 */
#define ATS_LINK_FIFO_MIN   16u
#define ATS_LINK_FIFO_MAX   (64u * 1024)

struct AtsPort {
    const AtsPortOps *ops;
    void *opaque;
};

struct AtsLink {
    const AtsAgentOps *ops;
    void *opaque;
    AtsRuleSet *ruleset;        /* or NULL */
    GPtrArray *ports;           /* of AtsPort, in order of attachment */
    GHashTable *by_rid;         /* last known requester id -> AtsPort */
    AtsMsg *fifo;               /* ring of fifo_size, a power of two */
    uint32_t fifo_size;
    uint32_t fifo_head;
    uint32_t fifo_len;
    bool delivering;
    AtsLinkCounters cnt;
};

AtsLink *ats_link_new(const AtsAgentOps *ops, AtsRuleSet *ruleset,
                      void *opaque)
{
    AtsLink *link = g_new0(AtsLink, 1);

    link->ops = ops;
    link->opaque = opaque;
    link->ruleset = ruleset;
    if (ruleset) {
        ats_ruleset_init(ruleset);
    }
    link->ports = g_ptr_array_new_with_free_func(g_free);
    link->by_rid = g_hash_table_new(NULL, NULL);
    return link;
}

void ats_link_free(AtsLink *link)
{
    if (!link) {
        return;
    }
    ats_actor_forget(link);
    if (link->ruleset) {
        ats_ruleset_clear(link->ruleset);
    }
    g_hash_table_destroy(link->by_rid);
    g_ptr_array_free(link->ports, true);
    g_free(link->fifo);
    g_free(link);
}

struct AtsRules *ats_link_rules(AtsLink *link)
{
    return link->ops->rules ? link->ops->rules(link->opaque) : NULL;
}

const struct AtsKnobTable *ats_link_agent_knobs(AtsLink *link, void **owner)
{
    *owner = link->opaque;
    return link->ops->knobs;
}

/* Tell the agent what rules did to themselves and when they want to go on */
static void ats_link_tell(AtsLink *link)
{
    if (link->ruleset && link->ruleset->changed) {
        link->ruleset->changed = false;
        if (link->ops->alarm) {
            link->ops->alarm(link->opaque, ats_ruleset_next_due(link->ruleset));
        }
        if (link->ops->rules_changed) {
            link->ops->rules_changed(link->opaque);
        }
    }
}

void ats_link_reset(AtsLink *link)
{
    link->fifo_head = 0;
    link->fifo_len = 0;
    ats_actor_forget(link);
    if (link->ruleset) {
        ats_ruleset_clear(link->ruleset);
        ats_link_tell(link);
    }
    for (guint i = 0; i < link->ports->len; i++) {
        AtsPort *port = g_ptr_array_index(link->ports, i);

        if (port->ops->reset) {
            port->ops->reset(port->opaque);
        }
    }
}

AtsPort *ats_link_attach(AtsLink *link, const AtsPortOps *ops, void *opaque)
{
    AtsPort *port = g_new0(AtsPort, 1);

    port->ops = ops;
    port->opaque = opaque;
    g_ptr_array_add(link->ports, port);
    return port;
}

void ats_link_detach(AtsLink *link, AtsPort *port)
{
    if (link->ruleset) {
        ats_ruleset_forget(link->ruleset, port->ops->rid(port->opaque));
        ats_link_tell(link);
    }
    g_hash_table_remove_all(link->by_rid);
    g_ptr_array_remove(link->ports, port);
}

/*
 * The guest renumbers buses without telling anyone, so what the hash says is
 * a guess that its port confirms.  Only a wrong guess costs a walk.
 */
static AtsPort *ats_link_port(AtsLink *link, uint16_t rid)
{
    AtsPort *port = g_hash_table_lookup(link->by_rid, GUINT_TO_POINTER(rid));

    if (port && port->ops->rid(port->opaque) == rid) {
        return port;
    }
    for (guint i = 0; i < link->ports->len; i++) {
        port = g_ptr_array_index(link->ports, i);
        if (port->ops->rid(port->opaque) == rid) {
            g_hash_table_insert(link->by_rid, GUINT_TO_POINTER(rid), port);
            return port;
        }
    }
    return NULL;
}

bool ats_link_has_port(AtsLink *link, uint16_t rid)
{
    return link->ports->len && ats_link_port(link, rid);
}

static void ats_link_trace(const AtsMsg *msg)
{
    switch (msg->kind) {
    case ATS_MSG_PAGE_REQUEST:
        trace_ats_link_page_request(msg->rid, msg->pasid, msg->addr, msg->prgi,
                                    msg->read, msg->write, msg->last,
                                    msg->priv, msg->exec);
        break;
    case ATS_MSG_INV_COMPLETION:
        trace_ats_link_inv_completion(msg->rid, msg->itags, msg->cc);
        break;
    case ATS_MSG_PRG_RESPONSE:
        trace_ats_link_prg_response(msg->rid, msg->pasid, msg->prgi,
                                    msg->code);
        break;
    case ATS_MSG_INV_REQUEST:
        trace_ats_link_inv_request(msg->rid, msg->pasid, msg->addr, msg->size,
                                   msg->global, msg->itag);
        break;
    default:
        break;
    }
}

static void ats_link_lose(AtsLink *link, const AtsMsg *msg, const char *why)
{
    link->cnt.lost++;
    trace_ats_link_lost(msg->kind, msg->rid, why);
    qemu_log_mask(LOG_GUEST_ERROR,
                  "ats_link: message of kind %u for %04x lost: %s\n",
                  msg->kind, msg->rid, why);
}

static void ats_link_deliver(AtsLink *link, const AtsMsg *msg)
{
    AtsPort *port;

    ats_link_trace(msg);
    if (msg->kind == ATS_MSG_PAGE_REQUEST) {
        link->ops->page_request(link->opaque, msg);
        return;
    }
    if (msg->kind == ATS_MSG_INV_COMPLETION) {
        link->ops->inv_completion(link->opaque, msg);
        return;
    }

    port = ats_link_port(link, msg->rid);
    if (!port) {
        ats_link_lose(link, msg, "no function");
    } else if (msg->kind == ATS_MSG_PRG_RESPONSE) {
        port->ops->prg_response(port->opaque, msg);
    } else {
        port->ops->inv_request(port->opaque, msg);
    }
}

static void ats_link_fifo_grow(AtsLink *link)
{
    uint32_t size = MAX(link->fifo_size * 2, ATS_LINK_FIFO_MIN);
    AtsMsg *fifo = g_new(AtsMsg, size);

    for (uint32_t i = 0; i < link->fifo_len; i++) {
        fifo[i] = link->fifo[(link->fifo_head + i) & (link->fifo_size - 1)];
    }
    g_free(link->fifo);
    link->fifo = fifo;
    link->fifo_size = size;
    link->fifo_head = 0;
}

static void ats_link_fifo_push(AtsLink *link, const AtsMsg *msg)
{
    if (link->fifo_len == link->fifo_size) {
        if (link->fifo_size == ATS_LINK_FIFO_MAX) {
            ats_link_lose(link, msg, "too many messages under way");
            return;
        }
        ats_link_fifo_grow(link);
    }
    link->fifo[(link->fifo_head + link->fifo_len++) &
               (link->fifo_size - 1)] = *msg;
}

static AtsMsg ats_link_fifo_pop(AtsLink *link)
{
    AtsMsg msg = link->fifo[link->fifo_head];

    link->fifo_head = (link->fifo_head + 1) & (link->fifo_size - 1);
    link->fifo_len--;
    return msg;
}

/* Deliver it now, or when the one being delivered is done with */
static void ats_link_arrive(void *opaque, const void *data)
{
    AtsLink *link = opaque;
    const AtsMsg *msg = data;

    if (link->delivering) {
        ats_link_fifo_push(link, msg);
        return;
    }

    link->delivering = true;
    ats_link_deliver(link, msg);
    while (link->fifo_len) {
        AtsMsg next = ats_link_fifo_pop(link);

        ats_link_deliver(link, &next);
    }
    link->delivering = false;
}

/* The message is on the wire: it arrives, or is an event that is kept */
static void ats_link_pass(AtsLink *link, const AtsMsg *msg)
{
    static const AtsEventKind events[ATS_MSG_KIND_NR] = {
        [ATS_MSG_PAGE_REQUEST] = ATS_EVENT_PAGE_REQUEST,
        [ATS_MSG_INV_COMPLETION] = ATS_EVENT_INV_COMPLETION,
        [ATS_MSG_PRG_RESPONSE] = ATS_EVENT_PRG_RESPONSE,
        [ATS_MSG_INV_REQUEST] = ATS_EVENT_INV_REQUEST,
    };

    if (!ats_actor_event(events[msg->kind], msg->rid, link, ats_link_arrive,
                         msg, sizeof(*msg))) {
        ats_link_arrive(link, msg);
    }
}

/* -- Rules ----------------------------------------------------------------- */

static int64_t ats_link_now(AtsLink *link)
{
    return link->ops->now ? link->ops->now(link->opaque) : 0;
}

static void ats_link_trace_translation(uint16_t rid, uint32_t pasid,
                                       uint64_t addr, AtsTrStatus status,
                                       const AtsTrEntry *entry)
{
    if (status == ATS_TR_SUCCESS) {
        trace_ats_link_translation(rid, pasid, addr, entry->addr, entry->mask,
                                   entry->read, entry->write);
    } else {
        trace_ats_link_translation_error(rid, pasid, addr, status);
    }
}

/*
 * A completion goes to its port at once: it is not ordered with messages, and
 * the port only takes note.
 */
static void ats_link_pass_translation(void *opaque, const void *data)
{
    AtsLink *link = opaque;
    const AtsHeld *item = data;
    const AtsMsg *msg = &item->msg;
    AtsPort *port = ats_link_port(link, msg->rid);

    ats_link_trace_translation(msg->rid, msg->pasid, msg->addr, item->status,
                               &item->entry);
    if (port && port->ops->translated) {
        port->ops->translated(port->opaque, item->tr_tag, item->status,
                              &item->entry);
    } else {
        ats_link_lose(link, msg, "no function");
    }
}

/* Deliver @items in order, free them, then those that they have overtaken */
static void ats_link_pass_all(AtsLink *link, GQueue *items);

static void ats_link_pass_item(AtsLink *link, const AtsHeld *item)
{
    if (item->msg.kind == ATS_MSG_TRANSLATION) {
        ats_link_pass_translation(link, item);
    } else {
        ats_link_pass(link, &item->msg);
    }
    if (ats_ruleset_overtaken(link->ruleset, &item->msg)) {
        ats_link_pass_all(link, ats_ruleset_take_overtaken(link->ruleset,
                                                           &item->msg));
    }
}

static void ats_link_pass_all(AtsLink *link, GQueue *items)
{
    AtsHeld *item;

    while ((item = g_queue_pop_head(items))) {
        ats_link_pass_item(link, item);
        g_free(item);
    }
    g_queue_free(items);
    ats_link_tell(link);
}

static void ats_link_send_by_rules(AtsLink *link, const AtsMsg *msg)
{
    AtsHeld item = { .msg = *msg };
    AtsRuleResult result = ats_ruleset_apply(link->ruleset, &item,
                                             ats_link_now(link));

    ats_link_tell(link);
    if (result == ATS_RULE_RESULT_TWICE) {
        ats_link_pass(link, &item.msg);
    }
    if (result != ATS_RULE_RESULT_GONE) {
        ats_link_pass_item(link, &item);
    }
}

bool ats_link_add_rule(AtsLink *link, AtsRule *rule)
{
    bool room = ats_ruleset_add_rule(link->ruleset, rule);

    ats_link_tell(link);
    return room;
}

/* The rule goes first: it is not asked about what a receiver sends meanwhile */
void ats_link_remove_rule(AtsLink *link, AtsRule *rule)
{
    GQueue *items = ats_ruleset_take_of(link->ruleset, rule, UINT64_MAX);

    ats_ruleset_remove_rule(link->ruleset, rule);
    ats_link_pass_all(link, items);
}

void ats_link_rule_changed(AtsLink *link, AtsRule *rule)
{
    ats_ruleset_rule_changed(link->ruleset, rule);
    ats_link_tell(link);
}

void ats_link_release_of(AtsLink *link, AtsRule *rule, uint64_t count)
{
    ats_link_pass_all(link, ats_ruleset_take_of(link->ruleset, rule, count));
}

void ats_link_release(AtsLink *link, uint64_t count, bool newest)
{
    ats_link_pass_all(link, ats_ruleset_take(link->ruleset, count, newest));
}

void ats_link_release_at(AtsLink *link, uint64_t index)
{
    ats_link_pass_all(link, ats_ruleset_take_at(link->ruleset, index));
}

void ats_link_discard(AtsLink *link, uint64_t count)
{
    GQueue *items = ats_ruleset_take(link->ruleset, count, false);

    link->ruleset->dropped += items->length;
    g_queue_free_full(items, g_free);
    ats_link_tell(link);
}

void ats_link_alarm(AtsLink *link)
{
    ats_link_pass_all(link, ats_ruleset_take_due(link->ruleset,
                                                 ats_link_now(link)));
}

void ats_link_rearm(AtsLink *link)
{
    link->ruleset->changed = true;
    ats_link_tell(link);
}

/* -- Sending --------------------------------------------------------------- */

void ats_link_send(AtsLink *link, const AtsMsg *msg)
{
    assert(msg->kind < ATS_MSG_TRANSLATION);
    link->cnt.sent[msg->kind]++;
    if (link->ruleset && link->ruleset->active) {
        ats_link_send_by_rules(link, msg);
    } else {
        ats_link_pass(link, msg);
    }
}

static AtsHeld ats_link_completion(const AtsTrReq *req, AtsTrStatus status,
                                   const AtsTrEntry *entry)
{
    return (AtsHeld) {
        .msg = {
            .kind = ATS_MSG_TRANSLATION,
            .rid = req->rid,
            .pasid = req->pasid,
            .addr = req->addr,
        },
        .tr_tag = req->tag,
        .status = status,
        .entry = *entry,
    };
}

/* Is the completion on the wire an event that is kept? */
static bool ats_link_keep_completion(AtsLink *link, const AtsTrReq *req,
                                     AtsTrStatus status,
                                     const AtsTrEntry *entry)
{
    AtsHeld item;

    if (!ats_actor_on || req->tag == ATS_TR_NO_TAG) {
        return false;
    }
    item = ats_link_completion(req, status, entry);
    return ats_actor_event(ATS_EVENT_TRANSLATION, req->rid, link,
                           ats_link_pass_translation, &item, sizeof(item));
}

/* Does a rule take the completion or change it? */
static AtsTrStatus ats_link_complete_by_rules(AtsLink *link,
                                              const AtsTrReq *req,
                                              AtsTrStatus status,
                                              AtsTrEntry *entry)
{
    AtsHeld item = ats_link_completion(req, status, entry);
    AtsRuleResult result = ats_ruleset_apply(link->ruleset, &item,
                                             ats_link_now(link));

    ats_link_tell(link);
    if (result == ATS_RULE_RESULT_GONE) {
        return ATS_TR_PENDING;
    }
    if (result == ATS_RULE_RESULT_TWICE) {
        /* the sender has the tag free by then: this one is unexpected */
        ats_link_pass_translation(link, &item);
    }
    *entry = item.entry;
    return item.status;
}

AtsTrStatus ats_link_translate(AtsLink *link, const AtsTrReq *req,
                               AtsTrEntry *entry)
{
    AtsTrStatus status = link->ops->translate(link->opaque, req, entry);

    link->cnt.sent[ATS_MSG_TRANSLATION]++;
    if (link->ruleset && link->ruleset->active && req->tag != ATS_TR_NO_TAG) {
        status = ats_link_complete_by_rules(link, req, status, entry);
        if (status == ATS_TR_PENDING) {
            return status;
        }
    }
    if (ats_link_keep_completion(link, req, status, entry)) {
        return ATS_TR_PENDING;
    }
    ats_link_trace_translation(req->rid, req->pasid, req->addr, status, entry);
    return status;
}

bool ats_link_untranslated(AtsLink *link, struct PCIDevice *dev,
                           uint32_t pasid, uint64_t addr, bool write,
                           uint64_t *out)
{
    return link->ops->untranslated &&
           link->ops->untranslated(link->opaque, dev, pasid, addr, write, out);
}

bool ats_link_blocks(AtsLink *link, struct PCIDevice *dev, uint64_t addr,
                     bool write)
{
    return link->ops->blocks &&
           link->ops->blocks(link->opaque, dev, addr, write);
}

bool ats_link_translated(AtsLink *link, uint16_t rid, uint64_t addr,
                         bool write)
{
    return !link->ops->translated ||
           link->ops->translated(link->opaque, rid, addr, write);
}

const AtsLinkCounters *ats_link_counters(const AtsLink *link)
{
    return &link->cnt;
}
