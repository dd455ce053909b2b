/*
 * pri-testdev: the ACPI method _RST of the function
 *
 * With acpi-reset=on the tables have a method that does what the firmware of a
 * platform with a reset line to the slot would do: pull it, and wait until the
 * function is through (ACPI 6.5 7.3.25).  It is reached through configuration
 * space, as the method may be called when the function has no BARs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/acpi/acpi_aml_interface.h"
#include "hw/acpi/aml-build.h"
#include "pri-testdev.h"

/* The method waits for at most 20 s: ACPICA ends loops after 30 s */
#define PT_RST_POLL_MS      10
#define PT_RST_POLLS        2000

void pt_acpi_build(AcpiDevAmlIf *adev, Aml *scope)
{
    PriTestdev *d = PRI_TESTDEV(adev);
    Aml *field, *method, *loop, *count = aml_local(0);

    if (!d->offers.acpi) {
        return;
    }
    aml_append(scope, aml_operation_region(
        "RSTR", AML_PCI_CONFIG, aml_int(pt_config_platform_reset_offset()),
        sizeof(uint32_t)));
    field = aml_field("RSTR", AML_DWORD_ACC, AML_NOLOCK, AML_PRESERVE);
    aml_append(field, aml_named_field("RSTC", 32));
    aml_append(scope, field);

    method = aml_method("_RST", 0, AML_SERIALIZED);
    aml_append(method, aml_store(aml_int(1), aml_name("RSTC")));
    aml_append(method, aml_store(aml_int(0), count));
    /* bit 0 is 1 as long as it goes on, all are if nothing answers */
    loop = aml_while(aml_land(
        aml_equal(aml_and(aml_name("RSTC"), aml_int(1), NULL), aml_int(1)),
        aml_lless(count, aml_int(PT_RST_POLLS))));
    aml_append(loop, aml_sleep(PT_RST_POLL_MS));
    aml_append(loop, aml_increment(count));
    aml_append(method, loop);
    aml_append(scope, method);
}
