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
 * space of the port.  Offsets from its start, registers of 32 bits.
 */
#define PRP_VSEC_ID             0x5250
#define PRP_VSEC_HEADER         0x04    /* RO  15:0 PRP_VSEC_ID, 31:20 size */
#define PRP_VSEC_KNOB_SELECT    0x08    /* RW  number of the knob */
#define PRP_VSEC_KNOB_STATUS    0x0c    /* RO  PT_KNOB_*, of the last write */
#define PRP_VSEC_KNOB_VALUE     0x10    /* RW  takes effect at once */
#define PRP_VSEC_KNOB_NAME      0x14    /* RW  selects, as PT_KNOB_NAME does */
#define PRP_VSEC_SIZEOF         0x18

#endif /* HW_MISC_PRI_ROOT_PORT_REGS_H */
