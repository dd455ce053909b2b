/*
 * Title: a cell of the table of resets
 * What: the machine of `./pri-lab resets`: a function of every kind. The host
 *   names a cell, METHOD WORK WHO, when the guest is ready; cell.h says what
 *   comes back.
 *
 * Functions, by their subsystem ID: 1 is alone below a port, with every method
 * of reset; 2 is a Physical Function; 3 and 4 are one device, in two IOMMU
 * groups; 5 and 6 are one, in one group for want of Access Control Services; 7
 * is below a switch; 8 has a reserved region; 9 has three PASIDs; 10 is below a
 * port with Downstream Port Containment; 11 has the requester ID of 12 as an
 * alias, by its identity; 13 has a reset of its own in the kernel, by its
 * identity; 14 is below a CXL root port; 15 and 16 are conventional functions
 * below a PCIe-to-PCI bridge, whose requester ID both have.
 *
 * @append iommu.strict=1
 * @iommu ite-timeout-ms=60,rmrr=f8:80000000-8000ffff
 * @device flr-duration-ms=130,d3-duration-ms=130,hot-reset-ms=130
 * @device soft-reset-ms=130,flr-config=all-ones,subsystem-vendor-id=0x1234
 * @device.0 af-flr=on,acpi-reset=on,no-soft-reset=off,subsystem-id=1
 * @device.1 vfs=2,no-soft-reset=off,subsystem-id=2
 * @qemu -device pri-root-port,id=rp2,bus=pcie.0,chassis=3,slot=3
 * @qemu -device pri-testdev,id=f3,bus=rp2,addr=0.0,multifunction=on,acs=on,subsystem-vendor-id=0x1234,subsystem-id=3,flr-duration-ms=130,hot-reset-ms=130,flr-config=all-ones,no-soft-reset=off,d3-duration-ms=130
 * @qemu -device pri-testdev,id=f4,bus=rp2,addr=0.1,acs=on,subsystem-vendor-id=0x1234,subsystem-id=4,flr-duration-ms=130,hot-reset-ms=130,flr-config=all-ones
 * @qemu -device pri-root-port,id=rp3,bus=pcie.0,chassis=4,slot=4
 * @qemu -device pri-testdev,id=f5,bus=rp3,addr=0.0,multifunction=on,subsystem-vendor-id=0x1234,subsystem-id=5,flr-duration-ms=130,hot-reset-ms=130,flr-config=all-ones,no-soft-reset=off,d3-duration-ms=130
 * @qemu -device pri-testdev,id=f6,bus=rp3,addr=0.1,subsystem-vendor-id=0x1234,subsystem-id=6,flr-duration-ms=130,hot-reset-ms=130,flr-config=all-ones
 * @qemu -device pri-root-port,id=rp4,bus=pcie.0,chassis=5,slot=5
 * @qemu -device x3130-upstream,id=up0,bus=rp4
 * @qemu -device xio3130-downstream,id=dn0,bus=up0,chassis=20,slot=20,acs=on
 * @qemu -device pri-testdev,id=f7,bus=dn0,subsystem-vendor-id=0x1234,subsystem-id=7,flr-duration-ms=130,hot-reset-ms=130,flr-config=all-ones,no-soft-reset=off,d3-duration-ms=130
 * @qemu -device pri-root-port,id=rp5,bus=pcie.0,chassis=6,slot=6
 * @qemu -device pri-testdev,id=f8,bus=rp5,subsystem-vendor-id=0x1234,subsystem-id=8,flr-duration-ms=130,hot-reset-ms=130,flr-config=all-ones,no-soft-reset=off,d3-duration-ms=130
 * @qemu -device pri-root-port,id=rp6,bus=pcie.0,chassis=7,slot=7
 * @qemu -device pri-testdev,id=f9,bus=rp6,pasid-bits=2,subsystem-vendor-id=0x1234,subsystem-id=9,flr-duration-ms=130,hot-reset-ms=130,flr-config=all-ones,no-soft-reset=off,d3-duration-ms=130
 * @qemu -device pri-root-port,id=rp7,bus=pcie.0,chassis=8,slot=8,hotplug=off
 * @qemu -device pri-testdev,id=f10,bus=rp7,subsystem-vendor-id=0x1234,subsystem-id=10,flr-duration-ms=130,hot-reset-ms=130,flr-config=all-ones
 * @qemu -device pri-root-port,id=rp8,bus=pcie.0,chassis=9,slot=9
 * @qemu -device pri-testdev,id=f11,bus=rp8,addr=0.0,multifunction=on,vendor-id=0x1b4b,device-id=0x9123,subsystem-vendor-id=0x1234,subsystem-id=11,flr-duration-ms=130,hot-reset-ms=130,flr-config=all-ones,no-soft-reset=off,d3-duration-ms=130
 * @qemu -device pri-testdev,id=f12,bus=rp8,addr=0.1,subsystem-vendor-id=0x1234,subsystem-id=12,flr-duration-ms=130,hot-reset-ms=130,flr-config=all-ones
 * @qemu -device pri-root-port,id=rp9,bus=pcie.0,chassis=10,slot=10
 * @qemu -device pri-testdev,id=f13,bus=rp9,vendor-id=0x8086,device-id=0x0953,subsystem-vendor-id=0x1234,subsystem-id=13,flr-duration-ms=130,hot-reset-ms=130,flr-config=all-ones
 * @qemu -device pri-root-port,id=rp10,bus=pcie.0,chassis=11,slot=11
 * @qemu -device pcie-pci-bridge,id=br0,bus=rp10
 * @qemu -device pri-testdev,id=f15,bus=br0,addr=1,conventional=on,af-flr=on,subsystem-vendor-id=0x1234,subsystem-id=15,flr-duration-ms=130,hot-reset-ms=130,soft-reset-ms=130,flr-config=all-ones,no-soft-reset=off,d3-duration-ms=130
 * @qemu -device pri-testdev,id=f16,bus=br0,addr=2,conventional=on,af-flr=on,subsystem-vendor-id=0x1234,subsystem-id=16,flr-duration-ms=130,hot-reset-ms=130,flr-config=all-ones
 * @qemu -machine cxl=on
 * @qemu -device pxb-cxl,id=cxl0,bus=pcie.0,bus_nr=64
 * @qemu -device cxl-rp,id=crp0,bus=cxl0,port=0,chassis=30,slot=30
 * @qemu -device pri-testdev,id=f14,bus=crp0,subsystem-vendor-id=0x1234,subsystem-id=14,hot-reset-ms=130,flr-config=all-ones
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "cell.h"
#include "race.h"

static void table(void)
{
    char words[64];

    race_cpu(1);
    cell_setup();
    race_cpu(0);
    race_ready_words(words, sizeof(words));
    cell_run(*words ? words : "flr unmap function");
}

RACE_MAIN("table", table, 30)
