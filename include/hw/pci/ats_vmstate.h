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

#define VMSTATE_ATS_FUNCTION(_field, _state) \
    VMSTATE_STRUCT(_field, _state, 1, vmstate_ats_function, AtsFunction)

#endif /* HW_PCI_ATS_VMSTATE_H */
