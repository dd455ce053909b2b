/*
 * What happens outside the guest's CPUs, as events that somebody can decide on
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/pci/ats_actor.h"

/**
 * struct AtsKept - an event that has come up and not happened
 *
 * @age: rises from one to the next
 * @released: it may happen as soon as its lane lets it
 * @twice: it happens two times
 * @data: a copy for @fn, aligned as what it is a copy of
 */
typedef struct AtsKept {
    AtsEventKind kind;
    uint64_t n;
    uint64_t age;
    uint32_t lane;
    void *owner;
    AtsEventFn *fn;
    bool released;
    bool twice;
    uint64_t data[];
} AtsKept;

bool ats_actor_on;

static struct {
    const AtsActorOps *ops;
    bool ordered;
    bool pumping;
    GQueue kept;                            /* of AtsKept, oldest first */
    uint64_t age;                           /* of the next one */
    uint64_t count[ATS_EVENT_KIND_NR];
    uint64_t n_kept[ATS_EVENT_KIND_NR];
} actor = { .kept = G_QUEUE_INIT };

#define BIT_OF(kind)    (1u << ATS_EVENT_##kind)

/* Posted by a function, or to one */
#define UP_POSTED   (BIT_OF(PAGE_REQUEST) | BIT_OF(INV_COMPLETION) | \
                     BIT_OF(DMA_WRITE) | BIT_OF(MSI))
#define DOWN_POSTED (BIT_OF(PRG_RESPONSE) | BIT_OF(INV_REQUEST))

/* What a kind does not pass: PCIe 6.2 2.4.1 */
static uint32_t ats_actor_behind(AtsEventKind kind, uint32_t lane)
{
    switch (kind) {
    case ATS_EVENT_PAGE_REQUEST:
    case ATS_EVENT_INV_COMPLETION:
    case ATS_EVENT_DMA_WRITE:
        return UP_POSTED;
    case ATS_EVENT_PRG_RESPONSE:
    case ATS_EVENT_INV_REQUEST:
    case ATS_EVENT_TRANSLATION:
        return DOWN_POSTED;
    case ATS_EVENT_MSI:
        return lane != ATS_LANE_IOMMU ? UP_POSTED :
               BIT_OF(MSI) | BIT_OF(PRQ_WRITE) | BIT_OF(WAIT);
    case ATS_EVENT_PRQ_WRITE:
    case ATS_EVENT_DESCRIPTOR:
    case ATS_EVENT_WAIT:
        return 1u << kind;
    default:
        return 0;
    }
}

/* Is there a kept event, before @end if that is given, that this is behind? */
static bool ats_actor_blocked(AtsEventKind kind, uint32_t lane,
                              const GList *end)
{
    uint32_t behind = actor.ordered ? ats_actor_behind(kind, lane) : 0;

    for (GList *l = actor.kept.head; behind && l && l != end; l = l->next) {
        const AtsKept *item = l->data;

        if (item->lane == lane && (behind & (1u << item->kind))) {
            return true;
        }
    }
    return false;
}

static void ats_actor_happen(GList *l)
{
    AtsKept *item = l->data;

    g_queue_delete_link(&actor.kept, l);
    actor.n_kept[item->kind]--;
    if (actor.ops) {
        actor.ops->happens(item->kind, item->n);
    }
    item->fn(item->owner, item->data);
    if (item->twice) {
        item->fn(item->owner, item->data);
    }
    g_free(item);
}

/* The oldest one that was released and whose lane is free */
static GList *ats_actor_next(void)
{
    for (GList *l = actor.kept.head; l; l = l->next) {
        const AtsKept *item = l->data;

        if (item->released && !ats_actor_blocked(item->kind, item->lane, l)) {
            return l;
        }
    }
    return NULL;
}

/* What happens may bring more about: that is looked at here, not below */
static void ats_actor_pump(void)
{
    GList *l;

    if (actor.pumping) {
        return;
    }
    actor.pumping = true;
    while ((l = ats_actor_next())) {
        ats_actor_happen(l);
    }
    actor.pumping = false;
}

static void ats_actor_release_all(void)
{
    for (GList *l = actor.kept.head; l; l = l->next) {
        ((AtsKept *)l->data)->released = true;
    }
}

void ats_actor_flush(void)
{
    do {
        ats_actor_release_all();
        ats_actor_pump();
    } while (actor.kept.length && !actor.pumping);
}

void ats_actor_set(const AtsActorOps *ops, bool ordered)
{
    ats_actor_on = false;               /* nothing new is kept */
    ats_actor_flush();
    actor.ops = ops;
    actor.ordered = ordered;
    memset(actor.count, 0, sizeof(actor.count));
    ats_actor_on = ops;
}

static void ats_actor_keep(AtsEventKind kind, uint64_t n, uint32_t lane,
                           void *owner, AtsEventFn *fn, const void *data,
                           size_t len, AtsActorVerdict verdict)
{
    AtsKept *item = g_malloc(sizeof(*item) + len);

    *item = (AtsKept) {
        .kind = kind, .n = n, .age = actor.age++, .lane = lane,
        .owner = owner, .fn = fn,
        .released = verdict != ATS_ACTOR_KEEP,
        .twice = verdict == ATS_ACTOR_TWICE,
    };
    if (len) {
        memcpy(item->data, data, len);
    }
    g_queue_push_tail(&actor.kept, item);
    actor.n_kept[kind]++;
    if (actor.kept.length > ATS_KEPT_MAX) {
        ats_actor_release_all();
        ats_actor_pump();
    }
}

bool ats_actor_pass(AtsEventKind kind, uint32_t lane, void *owner,
                    AtsEventFn *fn, const void *data, size_t len)
{
    uint64_t n = ++actor.count[kind];
    AtsActorVerdict verdict = actor.ops->judge(kind, n);

    if (verdict == ATS_ACTOR_KEEP || ats_actor_blocked(kind, lane, NULL)) {
        if (verdict != ATS_ACTOR_LOSE) {
            ats_actor_keep(kind, n, lane, owner, fn, data, len, verdict);
            return true;
        }
    }
    actor.ops->happens(kind, n);
    if (verdict == ATS_ACTOR_TWICE) {
        fn(owner, data);
    }
    return verdict == ATS_ACTOR_LOSE;
}

static void ats_actor_expired(void *owner, const void *data)
{
    void (*expired)(void *);

    memcpy(&expired, data, sizeof(expired));
    expired(owner);
}

void ats_actor_timer(uint32_t lane, void *owner, void (*expired)(void *owner))
{
    if (!ats_actor_event(ATS_EVENT_TIMER, lane, owner, ats_actor_expired,
                         &expired, sizeof(expired))) {
        expired(owner);
    }
}

void ats_actor_note(AtsEventKind kind)
{
    if (ats_actor_on) {
        actor.ops->happens(kind, ++actor.count[kind]);
    }
}

void ats_actor_forget(void *owner)
{
    GList *next;

    for (GList *l = actor.kept.head; l; l = next) {
        AtsKept *item = l->data;

        next = l->next;
        if (item->owner == owner) {
            g_queue_delete_link(&actor.kept, l);
            actor.n_kept[item->kind]--;
            if (actor.ops) {
                actor.ops->happens(item->kind, item->n);
            }
            g_free(item);
        }
    }
}

void ats_actor_run(void)
{
    ats_actor_pump();
}

static AtsKept *ats_actor_find(AtsEventKind kind, uint64_t n)
{
    for (GList *l = actor.kept.head; l; l = l->next) {
        AtsKept *item = l->data;

        if (item->kind == kind && item->n == n) {
            return item;
        }
    }
    return NULL;
}

void ats_actor_release(AtsEventKind kind, uint64_t n)
{
    AtsKept *item = ats_actor_find(kind, n);

    if (item) {
        item->released = true;
        ats_actor_pump();
    }
}

void ats_actor_push(AtsEventKind kind, uint32_t lane)
{
    bool some = false;

    if (!actor.n_kept[kind]) {
        return;
    }
    for (GList *l = actor.kept.head; l; l = l->next) {
        AtsKept *item = l->data;

        if (item->kind == kind && item->lane == lane) {
            item->released = true;
            some = true;
        }
    }
    if (some) {
        ats_actor_pump();
    }
}

const uint32_t ats_actor_posted = UP_POSTED;

/*
 * The oldest posted event of a function that one of @kinds is behind, or is; of
 * those that were kept before @age
 */
static GList *ats_actor_before(uint32_t lane, uint32_t kinds, uint64_t age)
{
    GList *first = NULL;

    for (GList *l = actor.kept.head; l; l = l->next) {
        const AtsKept *item = l->data;

        if (item->age >= age) {
            break;
        }
        if (item->lane != lane || !(UP_POSTED & (1u << item->kind))) {
            continue;
        }
        first = first ?: l;
        if (kinds & (1u << item->kind)) {
            return first;
        }
    }
    return NULL;
}

void ats_actor_push_lane(uint32_t lane, uint32_t kinds)
{
    uint64_t now = actor.age;       /* what follows from it comes behind */
    GList *l;

    /* Here and not in the pump, which may be what is below */
    while (actor.ordered && (l = ats_actor_before(lane, kinds, now))) {
        ats_actor_happen(l);
    }
}

bool ats_actor_release_oldest(void)
{
    AtsKept *item = g_queue_peek_head(&actor.kept);

    if (!item) {
        return false;
    }
    item->released = true;
    ats_actor_pump();
    return true;
}

bool ats_actor_is_kept(AtsEventKind kind, uint64_t n)
{
    return ats_actor_find(kind, n);
}

uint64_t ats_actor_count(AtsEventKind kind)
{
    return actor.count[kind];
}

uint64_t ats_actor_kept(AtsEventKind kind)
{
    return actor.n_kept[kind];
}
