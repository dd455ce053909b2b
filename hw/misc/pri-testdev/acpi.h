/*
 * pri-testdev: ACPI
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_TESTDEV_ACPI_H
#define PRI_TESTDEV_ACPI_H

#include "types.h"

struct AcpiDevAmlIf;
struct Aml;

/**
 * pt_acpi_build: add what the function has in the ACPI tables to @scope
 */
void pt_acpi_build(struct AcpiDevAmlIf *adev, struct Aml *scope);

#endif /* PRI_TESTDEV_ACPI_H */
