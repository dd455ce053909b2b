/*
 * Knobs: settings that a test turns while the machine runs
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "hw/qdev-core.h"
#include "hw/pci/ats_knobs.h"
#include "trace.h"

/* The class property of one knob needs the row and its table */
typedef struct AtsKnobProperty {
    const AtsKnobTable *table;
    unsigned int index;
} AtsKnobProperty;

static uint64_t *ats_knob_field(const AtsKnob *row, void *owner)
{
    return (uint64_t *)((char *)owner + row->offset);
}

void ats_knobs_init(const AtsKnobTable *table, void *owner)
{
    for (unsigned int i = 0; i < table->n; i++) {
        *ats_knob_field(&table->rows[i], owner) = table->rows[i].def;
    }
}

uint64_t ats_knob_get(const AtsKnobTable *table, void *owner,
                      unsigned int index)
{
    return index < table->n ? *ats_knob_field(&table->rows[index], owner) : 0;
}

bool ats_knobs_valid(const AtsKnobTable *table, void *owner)
{
    for (unsigned int i = 0; i < table->n; i++) {
        if (*ats_knob_field(&table->rows[i], owner) > table->rows[i].max) {
            return false;
        }
    }
    return true;
}

uint32_t ats_knob_hash(const char *name)
{
    uint32_t hash = 0x811c9dc5;

    while (*name) {
        hash = (hash ^ (uint8_t)*name++) * 0x01000193;
    }
    return hash;
}

unsigned int ats_knob_find(const AtsKnobTable *table, uint32_t hash)
{
    for (unsigned int i = 0; i < table->n; i++) {
        if (ats_knob_hash(table->rows[i].name) == hash) {
            return i;
        }
    }
    return ATS_KNOB_NONE;
}

static uint64_t *ats_knob_given(const AtsKnobTable *table, void *owner,
                                unsigned int index)
{
    AtsKnobsGiven *given = (void *)((char *)owner + table->given);

    return table->given && index < ATS_KNOBS_MAX ? &given->bits[index / 64] :
                                                   NULL;
}

void ats_knob_default(const AtsKnobTable *table, void *owner,
                      unsigned int index, uint64_t value)
{
    const uint64_t *given = ats_knob_given(table, owner, index);

    if (!given || !(*given & BIT_ULL(index % 64))) {
        *ats_knob_field(&table->rows[index], owner) = value;
    }
}

bool ats_knob_set(const AtsKnobTable *table, void *owner, unsigned int index,
                  uint64_t value)
{
    if (index >= table->n || value > table->rows[index].max) {
        return false;
    }
    *ats_knob_field(&table->rows[index], owner) = value;
    trace_ats_knob_set(table->rows[index].name, value);
    if (table->changed) {
        table->changed(owner, index);
    }
    return true;
}

/* Name of value @n, or NULL */
static const char *ats_knob_value_name(const AtsKnob *row, uint64_t n)
{
    const char *name = row->values;

    while (n-- && *name) {
        name += strlen(name) + 1;
    }
    return *name ? name : NULL;
}

/* The value names of a row, comma-separated */
static char *ats_knob_choices(const AtsKnob *row)
{
    GString *text = g_string_new(NULL);

    for (const char *name = row->values; *name; name += strlen(name) + 1) {
        g_string_append_printf(text, "%s%s", text->len ? ", " : "", name);
    }
    return g_string_free(text, false);
}

static void ats_knob_property_get(Object *obj, Visitor *v, const char *name,
                                  void *opaque, Error **errp)
{
    AtsKnobProperty *prop = opaque;
    const AtsKnob *row = &prop->table->rows[prop->index];
    uint64_t value = *ats_knob_field(row, obj);

    if (*row->values) {
        char *text = g_strdup(ats_knob_value_name(row, value) ?: "?");

        visit_type_str(v, name, &text, errp);
        g_free(text);
    } else {
        visit_type_uint64(v, name, &value, errp);
    }
}

static bool ats_knob_parse(const AtsKnob *row, const char *text,
                           uint64_t *value, Error **errp)
{
    const char *name;

    for (*value = 0; (name = ats_knob_value_name(row, *value)); ++*value) {
        if (g_str_equal(name, text)) {
            return true;
        }
    }

    g_autofree char *choices = ats_knob_choices(row);

    error_setg(errp, "%s=%s: the choices are %s", row->name, text, choices);
    return false;
}

/* Does a knob that is set take effect?  That of a device once it is realized */
static bool ats_knob_acts(Object *obj)
{
    DeviceState *dev = (DeviceState *)object_dynamic_cast(obj, TYPE_DEVICE);

    return !dev || dev->realized;
}

static void ats_knob_property_set(Object *obj, Visitor *v, const char *name,
                                  void *opaque, Error **errp)
{
    AtsKnobProperty *prop = opaque;
    const AtsKnob *row = &prop->table->rows[prop->index];
    uint64_t value;

    if (*row->values) {
        g_autofree char *text = NULL;

        if (!visit_type_str(v, name, &text, errp) ||
            !ats_knob_parse(row, text, &value, errp)) {
            return;
        }
    } else if (!visit_type_uint64(v, name, &value, errp)) {
        return;
    }

    if (value > row->max) {
        error_setg(errp, "%s=%" PRIu64 ": the largest value is %" PRIu64,
                   row->name, value, row->max);
    } else if (!ats_knob_acts(obj)) {
        uint64_t *given = ats_knob_given(prop->table, obj, prop->index);

        if (given) {
            *given |= BIT_ULL(prop->index % 64);
        }
        *ats_knob_field(row, obj) = value;
    } else if (prop->table->fixed) {
        error_setg(errp, "%s is for the command line: it cannot be changed "
                   "while the machine runs", row->name);
    } else {
        ats_knob_set(prop->table, obj, prop->index, value);
    }
}

void ats_knobs_add_properties(ObjectClass *klass, const AtsKnobTable *table)
{
    for (unsigned int i = 0; i < table->n; i++) {
        const AtsKnob *row = &table->rows[i];
        AtsKnobProperty *prop = g_new(AtsKnobProperty, 1);

        prop->table = table;
        prop->index = i;
        object_class_property_add(klass, row->name,
                                  *row->values ? "str" : "uint64",
                                  ats_knob_property_get, ats_knob_property_set,
                                  NULL, prop);
        object_class_property_set_description(klass, row->name, row->help);
    }
}
