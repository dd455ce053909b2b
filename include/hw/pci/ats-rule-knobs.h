/*
 * What a rule of an ATS link says: the table from which its properties, its
 * registers and docs/knobs.md come
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_PCI_ATS_RULE_KNOBS_H
#define HW_PCI_ATS_RULE_KNOBS_H

#ifndef ATS_KNOB_NUMBER
#define ATS_KNOB_NUMBER
#endif

/*
 * X(FIELD, field, name, default, max, values, help).  Nothing depends on the
 * order of rows.
 */
#define ATS_RULE_KNOBS(X) \
    X(ACTION, act, "action", 0, 6, \
      V(OFF, "off") V(HOLD, "hold") V(DROP, "drop") V(DELAY, "delay") \
      V(DUPLICATE, "duplicate") V(REORDER, "reorder") V(CORRUPT, "corrupt"), \
      "what becomes of a message on the link: kept until released, lost, " \
      "kept for delay-us, delivered twice, overtaken by the next one in its " \
      "direction, or changed") \
    X(KIND, kind, "kind", 0, 6, \
      V(ALL, "all") V(PAGE_REQUEST, "page-request") \
      V(STOP_MARKER, "stop-marker") V(PRG_RESPONSE, "prg-response") \
      V(INV_REQUEST, "inv-request") V(INV_COMPLETION, "inv-completion") \
      V(TRANSLATION, "translation"), \
      "of which messages; page-request includes stop markers, translation is " \
      "a Translation Completion") \
    X(PASID, pasid, "pasid", UINT32_MAX, UINT32_MAX, \
      ATS_KNOB_NUMBER, \
      "with that PASID; 1048576: without PASID, 4294967295: all") \
    X(TAG, tag, "tag", UINT32_MAX, UINT32_MAX, \
      ATS_KNOB_NUMBER, \
      "with that PRG index or ITag; 4294967295: all") \
    X(RID, rid, "rid", UINT32_MAX, UINT32_MAX, \
      ATS_KNOB_NUMBER, \
      "from or to that requester id; 4294967295: all") \
    X(NTH, nth, "nth", 0, UINT32_MAX, \
      ATS_KNOB_NUMBER, \
      "from the n-th of these messages on; counts down") \
    X(COUNT, count, "count", 0, UINT32_MAX, \
      ATS_KNOB_NUMBER, \
      "so many of them, then action is off; counts down; 0: all") \
    X(DELAY_US, delay_us, "delay-us", 0, 60000000, \
      ATS_KNOB_NUMBER, \
      "action=delay: microseconds") \
    X(FIELD, field, "field", 0, 6, \
      V(FIELD_TAG, "tag") V(FIELD_PASID, "pasid") \
      V(FIELD_NO_PASID, "no-pasid") V(FIELD_RID, "rid") \
      V(FIELD_CODE, "code") V(FIELD_ADDRESS, "address") \
      V(FIELD_FLAGS, "flags"), \
      "action=corrupt: what is changed; no-pasid takes the PASID away; code " \
      "is the Response Code, the Completion Count or, 1 or 2, status UR or " \
      "CA; address counts in pages; flags are R W L Priv Exe, S G, or R W " \
      "from bit 0 up") \
    X(BITS, bits, "bits", 1, UINT32_MAX, \
      ATS_KNOB_NUMBER, \
      "action=corrupt: the bits of the field that are flipped") \
    X(ACTED, acted, "acted", 0, UINT32_MAX, \
      ATS_KNOB_NUMBER, \
      "how many messages it has acted on since that was written last") \
    X(HELD, held, "held", 0, UINT32_MAX, \
      ATS_KNOB_NUMBER, \
      "read: how many messages it keeps; a write changes nothing") \
    X(RELEASE, release, "release", 0, UINT32_MAX, \
      ATS_KNOB_NUMBER, \
      "write: deliver that many of them, oldest first")

/*
 * Values of a knob that has names for them: ATS_RULE_<ID of the value>.
 * @values of a row is ATS_KNOB_NUMBER or a V(ID, name) each; who expands it
 * defines V.  ATS_RULE_<FIELD>_END is how many there are, 0 for a number.
 */
#define V(ID, name) ATS_RULE_##ID,
#define ATS_RULE_VALUES(FIELD, field, name, def, max, values, help) \
    enum { ATS_RULE_##FIELD##_BEFORE = -1, values ATS_RULE_##FIELD##_END };
ATS_RULE_KNOBS(ATS_RULE_VALUES)
#undef ATS_RULE_VALUES
#undef V

/* What the code calls a knob: its row, or in a program of the guest its name */
#ifdef ATS_KNOB_NAMES
#define ATS_RULE_NAMED(FIELD, field, name, def, max, values, help) \
    static const char ATS_RULE_KNOB_##FIELD[] __attribute__((unused)) = name;
ATS_RULE_KNOBS(ATS_RULE_NAMED)
#undef ATS_RULE_NAMED
#else
enum {
#define ATS_RULE_INDEX(FIELD, field, name, def, max, values, help) \
    ATS_RULE_KNOB_##FIELD,
    ATS_RULE_KNOBS(ATS_RULE_INDEX)
#undef ATS_RULE_INDEX
    ATS_RULE_KNOB_NR
};
#endif

typedef struct AtsRuleKnobs {
#define ATS_RULE_FIELD(FIELD, field, name, def, max, values, help) \
    uint64_t field;
    ATS_RULE_KNOBS(ATS_RULE_FIELD)
#undef ATS_RULE_FIELD
} AtsRuleKnobs;

#endif /* HW_PCI_ATS_RULE_KNOBS_H */
