/*
 * A function with ATS: what its files share, and nobody else needs
 *
 * Levels, each calls those below it only: ats_function.c, ats_port.c,
 * ats_translate.c, ats_send.c, ats_state.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_PCI_ATS_FUNCTION_INTERNAL_H
#define HW_PCI_ATS_FUNCTION_INTERNAL_H

#include "hw/pci/ats_function.h"
#include "hw/pci/ats_path.h"

/* STU is five bits wide, PCIe 6.2 10.5.1.3 */
#define ATS_CTRL_STU_MASK   0x1f
#define ATS_CTRL_MASK       (PCI_ATS_CTRL_ENABLE | ATS_CTRL_STU_MASK)

/**
 * ats_function_note: tell the owner, if it wants to know (AtsFunctionOps)
 */
void ats_function_note(AtsFunction *f, PciePriNote note, const AtsMsg *msg);

/**
 * ats_function_pass: does a TLP pass the ports above the function?
 *
 * If not, the error is kept for ats_function_report_errors().
 */
AtsPathEnd ats_function_pass(AtsFunction *f, const AtsTlp *tlp);

/**
 * ats_function_note_error: keep an error of a port above, or of the function
 */
void ats_function_note_error(AtsFunction *f, const AtsPathError *error);

/**
 * ats_function_forget_errors: those of the function are not reported any more
 */
void ats_function_forget_errors(AtsFunction *f);

#endif /* HW_PCI_ATS_FUNCTION_INTERNAL_H */
