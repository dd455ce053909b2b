/*
 * A CXL root port keeps its state over loadvm (patch 0012): a race of a reset
 * of its bus begins with a snapshot
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-state.h"
#include "hw/pci/pci_regs.h"
#include <glib/gstdio.h>

#define CXL_BUS         32
#define BELOW           33
#define CONFIG_ADDRESS  0xcf8
#define CONFIG_DATA     0xcfc

static void select_reg(QTestState *qts, uint8_t reg)
{
    qtest_outl(qts, CONFIG_ADDRESS, 0x80000000u | CXL_BUS << 16 | (reg & ~3));
}

/* Secondary and subordinate bus, of the port 20:00.0 */
static void set_buses(QTestState *qts, uint8_t bus)
{
    select_reg(qts, PCI_PRIMARY_BUS);
    qtest_outl(qts, CONFIG_DATA, CXL_BUS | bus << 8 | bus << 16);
}

static uint32_t buses(QTestState *qts)
{
    select_reg(qts, PCI_PRIMARY_BUS);
    return qtest_inl(qts, CONFIG_DATA) & 0xffffff;
}

static void test_bus_numbers(void)
{
    g_autofree char *disk = NULL;
    int fd = g_file_open_tmp("pri-loadvm-XXXXXX", &disk, NULL);
    QTestState *qts;

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    qts = qtest_init("-machine q35,cxl=on -nodefaults "
                     "-device pxb-cxl,id=cxl0,bus=pcie.0,bus_nr=32 "
                     "-device cxl-rp,id=rp,bus=cxl0,port=0,chassis=9,slot=9");
    lab_create_disk(qts, disk);
    set_buses(qts, BELOW);
    lab_run_job(qts, "snapshot-save", "save");
    set_buses(qts, BELOW + 1);
    lab_run_job(qts, "snapshot-load", "load");
    g_assert_cmphex(buses(qts), ==, CXL_BUS | BELOW << 8 | BELOW << 16);
    qtest_quit(qts);
    g_unlink(disk);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/pri-loadvm-cxl/bus-numbers", test_bus_numbers);
    return g_test_run();
}
