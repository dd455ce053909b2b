/*
 * The knobs of pri-testdev
 *
 * Each makes the function slow, forgetful or wrong.  Defaults first, and with
 * all of them at their defaults it does what PCI Express says.  Numbers do not
 * change: new knobs go to the end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_PRI_TESTDEV_KNOBS_H
#define HW_MISC_PRI_TESTDEV_KNOBS_H

/* X(FIELD, field, name, default, max, values, help) */
#define PT_KNOBS(X) \
    X(INV_REPLY, inv_reply, "inv-reply", 0, 4, \
      "complete\0drop\0hold\0wrong-itag\0wrong-rid\0", \
      "Invalidate Request: answer it, never answer, keep the completion back " \
      "until released, or send one with another ITag or requester id") \
    X(INV_DELAY, inv_delay, "inv-delay-us", 0, 60000000, \
      NULL, \
      "microseconds between an Invalidate Request and its completion") \
    X(INV_NTH, inv_nth, "inv-nth", 0, UINT32_MAX, \
      NULL, \
      "the other inv knobs above and the three below apply to the n-th " \
      "Invalidate Request from now alone, then all return to their defaults; " \
      "0: to every one") \
    X(INV_COPIES, inv_copies, "inv-copies", 1, 8, \
      NULL, \
      "Completion Count, and how many completions are sent for a request; " \
      "0 is 1") \
    X(INV_SHORT, inv_short, "inv-short", 0, 8, \
      NULL, \
      "completions that are missing from that count") \
    X(INV_EXTRA, inv_extra, "inv-extra", 0, 8, \
      NULL, \
      "completions sent beyond that count") \
    X(INV_RELEASE, inv_release, "inv-release", 0, UINT32_MAX, \
      NULL, \
      "write: send that many completions that inv-reply=hold keeps, oldest " \
      "first") \
    X(INV_RELEASE_LAST, inv_release_last, "inv-release-last", 0, UINT32_MAX, \
      NULL, \
      "write: the same, newest first")

/* The number of each knob, for registers */
enum {
#define PT_KNOB_INDEX(FIELD, field, name, def, max, values, help) \
    PT_KNOB_##FIELD,
    PT_KNOBS(PT_KNOB_INDEX)
#undef PT_KNOB_INDEX
    PT_KNOB_NR
};

typedef struct PriTestdevKnobs {
#define PT_KNOB_FIELD(FIELD, field, name, def, max, values, help) \
    uint64_t field;
    PT_KNOBS(PT_KNOB_FIELD)
#undef PT_KNOB_FIELD
} PriTestdevKnobs;

#endif /* HW_MISC_PRI_TESTDEV_KNOBS_H */
