/*
 * The knobs of pri-root-port, and the registers through which a guest turns
 * them
 *
 * Shared by the device, its qtests and guest programs, which name a knob by its
 * name: the order of rows means nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_PRI_ROOT_PORT_REGS_H
#define HW_MISC_PRI_ROOT_PORT_REGS_H

#define PRI_ROOT_PORT_VENDOR_ID 0x1234
#define PRI_ROOT_PORT_DEVICE_ID 0x5053

#ifndef ATS_KNOB_NUMBER
#define ATS_KNOB_NUMBER
#endif

/* X(FIELD, field, name, default, max, values, help) */
#define PRP_KNOBS(X) \
    X(CABLE, cable, "cable", 0, 1, \
      V(CABLE_IN, "in") V(CABLE_OUT, "out"), \
      "out: the card leaves the slot, presence and link are lost at once; " \
      "in: it is back, after a reset") \
    X(LINK, link, "link", 0, 1, \
      V(LINK_UP, "up") V(LINK_DOWN, "down"), \
      "down: the link is lost, the card stays present; up: it comes back, " \
      "and what is below was reset") \
    X(BUTTON, button, "button", 0, 1, \
      ATS_KNOB_NUMBER, \
      "write 1: the attention button is pressed")

/*
 * Values of a knob that has names for them: PRP_<ID of the value>.  @values of
 * a row is ATS_KNOB_NUMBER or a V(ID, name) each; who expands it defines V.
 * PRP_<FIELD>_END is how many there are, 0 for a number.
 */
#define V(ID, name) PRP_##ID,
#define PRP_KNOB_VALUES(FIELD, field, name, def, max, values, help) \
    enum { PRP_##FIELD##_BEFORE = -1, values PRP_##FIELD##_END };
PRP_KNOBS(PRP_KNOB_VALUES)
#undef PRP_KNOB_VALUES
#undef V

/*
 * What the code calls a knob: its row, or in a program of the guest, which is
 * not of QEMU's build, its name.
 */
#ifdef ATS_KNOB_NAMES
#define PRP_KNOB_NAMED(FIELD, field, name, def, max, values, help) \
    static const char PRP_KNOB_##FIELD[] __attribute__((unused)) = name;
PRP_KNOBS(PRP_KNOB_NAMED)
#undef PRP_KNOB_NAMED
#else
enum {
#define PRP_KNOB_INDEX(FIELD, field, name, def, max, values, help) \
    PRP_KNOB_##FIELD,
    PRP_KNOBS(PRP_KNOB_INDEX)
#undef PRP_KNOB_INDEX
    PRP_KNOB_NR
};
#endif

/*
 * Vendor-Specific Extended Capability (PCIe 6.2 7.9.5) in the configuration
 * space of the port
 *
 * X(NAME, offset, access, text): registers of 32 bits, offsets from the start
 * of the capability.  Of the row are PRP_VSEC_<NAME>, what a write changes,
 * what a reset clears (all that is not constant), and the page in docs/specs.
 */
#define PRP_VSEC_ID             0x5250
#define PRP_VSEC_REGS(X) \
    X(HEADER,      0x04, CONST, \
      "15:0 VSEC ID, 31:20 size of the capability in bytes") \
    X(KNOB_SELECT, 0x08, RW, \
      "Number of the knob: its row in the table of the QEMU that runs. It " \
      "means nothing in another one; select by name.") \
    X(KNOB_STATUS, 0x0c, RO, \
      "Of the last write to the value or the name: 0 done, 1 there is no " \
      "such knob, 2 the value is too large.") \
    X(KNOB_VALUE,  0x10, RW, \
      "Value; a write takes effect at once.") \
    X(KNOB_NAME,   0x14, RW, \
      "32-bit FNV-1a hash of a name: a write selects the knob of that name, " \
      "or ``ffffh``, which is none.")

enum {
#define PRP_VSEC_OFFSET_OF(NAME, offset, access, text) \
    PRP_VSEC_##NAME = (offset),
    PRP_VSEC_REGS(PRP_VSEC_OFFSET_OF)
#undef PRP_VSEC_OFFSET_OF
    PRP_VSEC_SIZEOF = PRP_VSEC_KNOB_NAME + 4    /* the last row's */
};

#endif /* HW_MISC_PRI_ROOT_PORT_REGS_H */
