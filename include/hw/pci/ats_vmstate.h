/*
 * Migration of the engines behind a function with ATS and Page Requests
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_PCI_ATS_VMSTATE_H
#define HW_PCI_ATS_VMSTATE_H

#include "hw/pci/ats_function.h"

extern const VMStateDescription vmstate_ats_msg;
extern const VMStateDescription vmstate_ats_ruleset;
extern const VMStateDescription vmstate_ats_itags;
extern const VMStateDescription vmstate_pcie_pri;
extern const VMStateDescription vmstate_pcie_atc;
extern const VMStateDescription vmstate_ats_function;

/* The stream must have what the field has: the same in QEMU 10.2 and 11.1 */
#define VMSTATE_ATS_EQUAL(_field, _state) \
    VMSTATE_SINGLE(_field, _state, 0, vmstate_info_uint32_equal, uint32_t)

/*
 * post_save frees what pre_save has made.  It returns int in QEMU 10.2 and
 * nothing in 11.1: both are defined, and a description takes the one that fits.
 */
#define ATS_DEFINE_POST_SAVE(name, free_saved) \
    static inline int name##_int(void *opaque) \
    { \
        free_saved(opaque); \
        return 0; \
    } \
    static inline void name##_void(void *opaque) \
    { \
        free_saved(opaque); \
    }
#define ATS_POST_SAVE(name) \
    __builtin_choose_expr( \
        __builtin_types_compatible_p( \
            typeof(((VMStateDescription *)NULL)->post_save), int (*)(void *)), \
        name##_int, name##_void)

#define VMSTATE_ATS_FUNCTION(_field, _state) \
    VMSTATE_STRUCT(_field, _state, 1, vmstate_ats_function, AtsFunction)

#endif /* HW_PCI_ATS_VMSTATE_H */
