/*
 * Suspend to RAM: what outlasts it, and what does not
 *
 * Checklist items are in docs/conformance-items.txt.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include <glib/gstdio.h>
#include "libqos/pri-lab.h"

/* 82801IR LPC bridge (ICH9), 00:1f.0 */
#define LPC             0x8000f800u     /* CONFIG_ADDRESS */
#define LPC_PMBASE      0x40
#define LPC_ACPI_CTRL   0x44
#define ACPI_EN         0x80
#define PMBASE          0x600
#define PM1_CNT         (PMBASE + 4)
#define SLEEP_S3        (1u << 10 | 1u << 13)   /* SLP_TYP, SLP_EN */

/* Host bridge, 00:00.0 */
#define MCH             0x80000000u
#define PCIEXBAR        0x60
#define PCIEXBAR_ON     1u

#define LOADED_AT       0x200000
#define LOADED          0x5a5a1234u
#define CHANGED         0xa5a54321u
#define ROOT            0x123000        /* of the remapping tables: any page */
#define QUEUE           0x456000

static uint32_t config_readl(QTestState *qts, uint32_t addr)
{
    qtest_outl(qts, 0xcf8, addr);
    return qtest_inl(qts, 0xcfc);
}

static void config_writel(QTestState *qts, uint32_t addr, uint32_t v)
{
    qtest_outl(qts, 0xcf8, addr);
    qtest_outl(qts, 0xcfc, v);
}

/* As firmware and guest do it; a CPU of qtest executes nothing */
static void sleep_and_wake(QTestState *qts)
{
    config_writel(qts, LPC | LPC_PMBASE, PMBASE | 1);
    config_writel(qts, LPC | LPC_ACPI_CTRL, ACPI_EN);
    qtest_outw(qts, PM1_CNT, SLEEP_S3);
    qtest_qmp_eventwait(qts, "SUSPEND");
    qtest_qmp_assert_success(qts, "{ 'execute': 'system_wakeup' }");
    qtest_qmp_eventwait(qts, "WAKEUP");
}

static void reset(QTestState *qts)
{
    qtest_qmp_assert_success(qts, "{ 'execute': 'system_reset' }");
    qtest_qmp_eventwait(qts, "RESET");
}

/* Patch 0015: a kernel that was loaded as an ELF file is such an image */
static void test_ram(void)
{
    const uint32_t image = cpu_to_le32(LOADED);
    g_autofree char *name = NULL;
    int fd = g_file_open_tmp("pri-suspend-XXXXXX", &name, NULL);
    QTestState *qts;

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert_true(g_file_set_contents(name, (const char *)&image,
                                      sizeof(image), NULL));
    qts = qtest_initf("-machine q35 -nodefaults -m 64M -device "
                      "loader,file=%s,addr=0x%x,force-raw=on",
                      name, LOADED_AT);
    g_assert_cmphex(qtest_readl(qts, LOADED_AT), ==, LOADED);
    qtest_writel(qts, LOADED_AT, CHANGED);
    sleep_and_wake(qts);
    g_assert_cmphex(qtest_readl(qts, LOADED_AT), ==, CHANGED);

    /* a reset begins a new life, and has it again */
    reset(qts);
    g_assert_cmphex(qtest_readl(qts, LOADED_AT), ==, LOADED);
    qtest_quit(qts);
    g_unlink(name);
}

/* Patch 0016: without it no extended capability can be restored */
static void test_ecam(void)
{
    const uint32_t ecam = 0xb0000000u | PCIEXBAR_ON;
    QTestState *qts = qtest_init("-machine q35 -nodefaults -m 64M");
    uint32_t id = config_readl(qts, MCH);
    uint32_t before = config_readl(qts, MCH | PCIEXBAR);

    g_assert_cmphex(before & PCIEXBAR_ON, ==, 0);
    config_writel(qts, MCH | PCIEXBAR, ecam);
    g_assert_cmphex(qtest_readl(qts, ecam & ~PCIEXBAR_ON), ==, id);
    sleep_and_wake(qts);
    g_assert_cmphex(config_readl(qts, MCH | PCIEXBAR), ==, ecam);
    g_assert_cmphex(qtest_readl(qts, ecam & ~PCIEXBAR_ON), ==, id);
    /* as SeaBIOS does on its way up, which the write would end */
    qtest_writel(qts, (ecam & ~PCIEXBAR_ON) + PCIEXBAR, 0);
    qtest_writel(qts, (ecam & ~PCIEXBAR_ON) + PCIEXBAR, ecam);
    g_assert_cmphex(config_readl(qts, MCH | PCIEXBAR), ==, ecam);

    reset(qts);
    g_assert_cmphex(config_readl(qts, MCH | PCIEXBAR), ==, before);
    config_writel(qts, MCH | PCIEXBAR, ecam);
    g_assert_cmphex(config_readl(qts, MCH | PCIEXBAR), ==, ecam);
    config_writel(qts, MCH | PCIEXBAR, 0);
    g_assert_cmphex(config_readl(qts, MCH | PCIEXBAR), ==, 0);
    qtest_quit(qts);
}

/* What has to be restored by software: VT-d 11.4 says 0 for all of it */
static void test_registers(void)
{
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, 0);
    qvtd_writeq(&lab.v, QVTD_RTADDR, ROOT);
    qvtd_writeq(&lab.v, QVTD_PQA, QUEUE);
    qvtd_writel(&lab.v, QVTD_PEADDR, LAB_MSI_ADDR);
    sleep_and_wake(lab.qts);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_RTADDR), ==, 0);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQA), ==, 0);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PEADDR), ==, 0);
    pri_lab_stop(&lab);
}

/* VT-d 11.3: the power was off, whatever resets the knob is about */
static void test_sticky(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, "sticky-on-reset=on", NULL, 0);
    lab_request(&lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, 1);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, QVTD_PRS_PPR);
    reset(lab.qts);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, QVTD_PRS_PPR);
    sleep_and_wake(lab.qts);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, 0);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    qtest_add_func("/pri-lab/SLP-01/ram", test_ram);
    qtest_add_func("/pri-lab/SLP-02/ecam", test_ecam);
    qtest_add_func("/pri-lab/SLP-03/registers", test_registers);
    qtest_add_func("/pri-lab/SLP-03/sticky", test_sticky);
    return g_test_run();
}
