/*
 * pri-testdev: knobs
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "hw/misc/pri-testdev-platform.h"
#include "hw/pci/ats_knobs.h"
#include "hw/pci/ats_rules.h"
#include "pri-testdev.h"

static const AtsKnob pt_knob_rows[] = {
#define V(ID, name) name "\0"
#define PT_KNOB_ROW(FIELD, field, name, def, max, values, help) \
    { name, values "", def, max, offsetof(PriTestdev, knobs.field), help },
    PT_KNOBS(PT_KNOB_ROW)
#undef PT_KNOB_ROW
#undef V
};

static PciePriQuirks pt_knobs_pri_quirks(const PriTestdev *d)
{
    return (PciePriQuirks) {
        .policy = d->knobs.prgi_policy,
        .shape = d->knobs.group_shape,
        .marker = d->knobs.stop_marker,
        .ignore_allocation = d->knobs.honour_alloc == PT_HONOUR_ALLOC_NO,
        .send_when_disabled =
            d->knobs.pr_when_disabled == PT_PR_WHEN_DISABLED_YES,
        .rf_as_ir = d->knobs.resp_code == PT_RESP_CODE_RF_AS_IR,
        .no_uprgi = d->knobs.unexpected_resp != PT_UNEXPECTED_RESP_UPRGI,
        .stop_by_owner = d->knobs.pri_stop_delay,
    };
}

static void pt_knobs_to_posted(PriTestdev *d)
{
    d->fn.posted.quirks = (AtsPostedQuirks) {
        .inv = d->knobs.inv_push,
        .passes = d->knobs.msg_push << ATS_SEND_PAGE_REQUEST |
                  d->knobs.msg_push << ATS_SEND_ERROR |
                  d->knobs.msi_push << ATS_SEND_MSI |
                  d->knobs.read_push << ATS_SEND_READ |
                  d->knobs.read_push << ATS_SEND_COMPLETION |
                  d->knobs.read_push << ATS_SEND_WRITE_COMPLETION,
    };
}

/* Engines have copies of the knobs that are theirs */
static void pt_knobs_to_engines(PriTestdev *d)
{
    const PciePriQuirks quirks = pt_knobs_pri_quirks(d);

    pcie_pri_set_quirks(&d->fn.pri, &quirks);
    pt_knobs_to_posted(d);
    d->fn.ur_disables = d->knobs.rc_on_ur;
}

static void pt_knob_changed(void *owner, unsigned int index)
{
    PriTestdev *d = owner;
    PriTestdevKnobs *knobs = &d->knobs;

    pt_log(d, PT_LOG_KNOB, ATS_NO_PASID, index,
           ats_knob_get(&pt_knob_table, d, index), 0);
    switch (index) {
    case PT_KNOB_INV_RELEASE:
        pt_inv_release(d, knobs->inv_release, false);
        knobs->inv_release = 0;
        break;
    case PT_KNOB_INV_RELEASE_LAST:
        pt_inv_release(d, knobs->inv_release_last, true);
        knobs->inv_release_last = 0;
        break;
    case PT_KNOB_INV_VECTOR:
        pt_inv_vector(d, knobs->inv_vector);
        knobs->inv_vector = 0;
        break;
    case PT_KNOB_DMA_RELEASE:
        ats_posted_release(&d->fn.posted, knobs->dma_release);
        knobs->dma_release = 0;
        break;
    case PT_KNOB_GONE:
        pt_set_gone(d);
        break;
    case PT_KNOB_AER_ERROR:
        pt_raise_error(d);
        break;
    default:
        pt_knobs_to_engines(d);
        break;
    }
}

const AtsKnobTable pt_knob_table = {
    .rows = pt_knob_rows,
    .n = ARRAY_SIZE(pt_knob_rows),
    .changed = pt_knob_changed,
    .given = offsetof(PriTestdev, given),
};

/* -- Platform -------------------------------------------------------------- */

static const AtsKnob pt_platform_row = {
    .name = "platform",
    .values = "permissive\0strict\0",
    .max = PT_PLATFORM_STRICT,
    .offset = offsetof(PriTestdev, platform),
    .help = "defaults of the knobs: each knob's own, or those of the least "
            "forgiving legal function",
};

static const AtsKnobTable pt_platform_table = {
    .rows = &pt_platform_row,
    .n = 1,
    .fixed = true,
};

void pt_knobs_class_init(ObjectClass *klass)
{
    ats_knobs_add_properties(klass, &pt_knob_table);
    ats_knobs_add_properties(klass, &pt_platform_table);
}

static void pt_platform_apply(PriTestdev *d)
{
    static const struct {
        unsigned int index;
        uint64_t strict;
    } rows[] = {
#define PT_PLATFORM_ROW(FIELD, strict) { PT_KNOB_##FIELD, strict },
        PT_PLATFORM_KNOBS(PT_PLATFORM_ROW)
#undef PT_PLATFORM_ROW
    };

    for (int i = 0; d->platform && i < ARRAY_SIZE(rows); i++) {
        ats_knob_default(&pt_knob_table, d, rows[i].index, rows[i].strict);
    }
}

/* -- Life ------------------------------------------------------------------ */

void pt_knobs_realize(PriTestdev *d)
{
    pt_platform_apply(d);
    pt_knobs_to_engines(d);
    pt_set_gone(d);
}

int pt_knobs_post_load(PriTestdev *d)
{
    if (!ats_knobs_valid(&pt_knob_table, d)) {
        return -EINVAL;
    }
    /* nobody has turned one, so nobody who waits is to try again */
    d->fn.pri.quirks = pt_knobs_pri_quirks(d);
    pt_knobs_to_posted(d);
    d->fn.ur_disables = d->knobs.rc_on_ur;
    return 0;
}

/* -- Registers ------------------------------------------------------------- */

/* Rules of the function's link, or NULL */
static AtsRules *pt_rules(PriTestdev *d)
{
    QEMU_BUILD_BUG_ON(PT_RULES != ATS_RULES_MAX);
    return ats_function_has_link(&d->fn) ? ats_link_rules(d->fn.link) : NULL;
}

void pt_rule_remove(PriTestdev *d, uint32_t n)
{
    AtsRules *rules = pt_rules(d);

    if (!rules || !ats_rules_remove(rules, n)) {
        qemu_log_mask(LOG_GUEST_ERROR, "pri-testdev: no rule %u\n", n);
    }
}

/*
 * The table that the selected knob is in, or NULL.  @owner is NULL if the rule
 * is not there; @make makes it.
 */
static const AtsKnobTable *pt_knob_selected(PriTestdev *d, bool make,
                                            void **owner)
{
    uint32_t select = d->window.select;
    AtsRules *rules;

    if (select & PT_KNOB_RULE(0)) {
        rules = pt_rules(d);
        *owner = rules ? ats_rules_get(rules, PT_KNOB_RULE_NUMBER(select),
                                       make) : NULL;
        return rules ? &ats_rule_knob_table : NULL;
    }
    if (select & PT_KNOB_IOMMU) {
        return ats_function_has_link(&d->fn) ?
               ats_link_agent_knobs(d->fn.link, owner) : NULL;
    }
    *owner = d;
    return &pt_knob_table;
}

void pt_knob_find(PriTestdev *d, uint32_t hash)
{
    void *owner;
    const AtsKnobTable *table = pt_knob_selected(d, false, &owner);
    unsigned int n = table ? ats_knob_find(table, hash) : ATS_KNOB_NONE;

    QEMU_BUILD_BUG_ON(ATS_KNOB_NONE != PT_KNOB_NO_NUMBER);
    d->window.select = (d->window.select & ~0xffffu) | n;
    d->window.status = n == ATS_KNOB_NONE ? PT_KNOB_NONE : PT_KNOB_OK;
}

uint64_t pt_knob_read(PriTestdev *d)
{
    uint32_t n = d->window.select & 0xffff;
    void *owner;
    const AtsKnobTable *table = pt_knob_selected(d, false, &owner);

    if (!table || n >= table->n) {
        return 0;
    }
    return owner ? ats_knob_get(table, owner, n) : table->rows[n].def;
}

void pt_knob_write(PriTestdev *d, uint64_t val)
{
    uint32_t n = d->window.select & 0xffff;
    void *owner;
    const AtsKnobTable *table = pt_knob_selected(d, false, &owner);

    if (!table || n >= table->n) {
        d->window.status = PT_KNOB_NONE;
    } else if (val > table->rows[n].max) {
        d->window.status = PT_KNOB_RANGE;
    } else {
        pt_knob_selected(d, true, &owner);
        d->window.status = owner && ats_knob_set(table, owner, n, val) ?
                           PT_KNOB_OK : PT_KNOB_FULL;
    }
}
