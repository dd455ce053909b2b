/*
 * Knobs: settings that a test turns while the machine runs
 *
 * A knob is a uint64_t in a structure and a row in a table.  From the row come
 * the property (-device NAME,knob=value and qom-set), the register access of
 * the guest and the line in the manual.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_PCI_ATS_KNOBS_H
#define HW_PCI_ATS_KNOBS_H

/**
 * struct AtsKnob - one row
 *
 * @name: as in the property
 * @values: names of the values 0, 1, ..., each ended by a NUL, the last by two;
 *          "" for a number
 * @def: default
 * @max: largest value
 * @offset: of the uint64_t, from the object that owns the knob
 * @help: one line
 */
typedef struct AtsKnob {
    const char *name;
    const char *values;
    uint64_t def;
    uint64_t max;
    size_t offset;
    const char *help;
} AtsKnob;

/* Which knobs of an object were set before it was realized, a bit each */
#define ATS_KNOBS_MAX   128

typedef struct AtsKnobsGiven {
    uint64_t bits[ATS_KNOBS_MAX / 64];
} AtsKnobsGiven;

/**
 * struct AtsKnobTable - the knobs of a class
 *
 * @changed: called after a knob was set, with its index in @rows, unless the
 *           object is not realized yet; may be NULL
 * @given: offset of an AtsKnobsGiven in the object, for ats_knob_default(); 0
 *         if there is none
 * @fixed: the knobs say what the object is and can be set before it is realized
 *         only
 */
typedef struct AtsKnobTable {
    const AtsKnob *rows;
    unsigned int n;
    void (*changed)(void *owner, unsigned int index);
    size_t given;
    bool fixed;
} AtsKnobTable;

/**
 * ats_knobs_init: set every knob of @owner to its default
 */
void ats_knobs_init(const AtsKnobTable *table, void *owner);

/**
 * ats_knob_get: value of knob @index, 0 if there is no such knob
 */
uint64_t ats_knob_get(const AtsKnobTable *table, void *owner,
                      unsigned int index);

/**
 * ats_knob_hash: what stands for a name in a register: its 32-bit FNV-1a hash
 * (offset basis 0x811c9dc5, prime 0x01000193)
 */
uint32_t ats_knob_hash(const char *name);

/* What ats_knob_find() returns if there is no such knob; fits 16 bits */
#define ATS_KNOB_NONE   0xffffu

/**
 * ats_knob_find: index of the knob whose name has that hash, or ATS_KNOB_NONE
 *
 * The order of rows means nothing outside of the build that has them, so
 * a program that is not built with it (a guest) looks a knob up by its name.
 */
unsigned int ats_knob_find(const AtsKnobTable *table, uint32_t hash);

/**
 * ats_knob_set: change knob @index
 *
 * Returns: false if there is no such knob or @value is out of range.
 */
bool ats_knob_set(const AtsKnobTable *table, void *owner, unsigned int index,
                  uint64_t value);

/**
 * ats_knob_default: give knob @index another default; the value that somebody
 * has set stays, on the command line whatever the order there
 *
 * Before the object is realized.
 */
void ats_knob_default(const AtsKnobTable *table, void *owner,
                      unsigned int index, uint64_t value);

/**
 * ats_knobs_valid: is every knob of @owner in range?  For what was migrated.
 */
bool ats_knobs_valid(const AtsKnobTable *table, void *owner);

/**
 * ats_knobs_add_properties: make each knob a property of @klass
 */
void ats_knobs_add_properties(ObjectClass *klass, const AtsKnobTable *table);

#endif /* HW_PCI_ATS_KNOBS_H */
