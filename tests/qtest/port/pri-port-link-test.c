/*
 * The link and the slot of pri-root-port: cable, link down, power, button,
 * unplug with and without warning: PCIe 6.2 6.6.1, 6.7, 7.5.3.7 - 7.5.3.11
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-state.h"
#include "libqos/pri-root-port.h"
#include "libqos/vtd-inv.h"
#include <glib/gstdio.h>

#define R       PT_RAW_READ
#define L       PT_RAW_LAST
#define INV_HOLD        2       /* of the knob inv-reply */

#define MSI_PAGE        0x7000000ULL
#define MSI_DATA        0x4321

#define EVENTS  (QRP_SLTSTA_ABP | QRP_SLTSTA_PDC | QRP_SLTSTA_DLLSC)

static void start(PriLab *lab, QRootPort *p, const char *vtd)
{
    pri_lab_start_with(lab, vtd, NULL, LAB_PRI_PORT);
    qrp_init(p, lab->qts, lab->d.port);
    qrp_writew(p, p->exp + QRP_SLTCTL, QRP_SLTCTL_ON);
    qrp_slot_clear(p);
}

static void knob(QRootPort *p, uint32_t n, uint32_t value)
{
    g_assert_cmpuint(qrp_knob(p, n, value), ==, PT_KNOB_OK);
}

static void expect_slot(QRootPort *p, uint16_t present, uint16_t events)
{
    g_assert_cmphex(qrp_slot(p) & (QRP_SLTSTA_PDS | EVENTS), ==,
                    present | events);
}

/* One of everything: DMA that waits, a raw group, held completions */
static uint32_t in_flight(PriLab *lab)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA, .len = 4 * 4096, .group = 2,
    };
    uint32_t slot;

    qpt_writel(&lab->d, PT_SCRATCH, 0x5c5c);
    qpt_start(&lab->d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab->d, 0), ==, PT_ST_RUNNING);
    lab_request(lab, LAB_IOVA + 0x40000, R, 9);
    lab_request(lab, LAB_IOVA + 0x41000, R | L, 9);
    qpt_knob_set(&lab->d, PT_KNOB_INV_REPLY, INV_HOLD);
    qinv_put_dev_tlb(&lab->v, lab->d.rid);
    slot = qinv_put_wait(&lab->v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab->v);
    g_assert_cmpuint(qpt_readl(&lab->d, PT_INV_WAITING), ==, 1);
    g_assert_false(qvtd_wait_done(&lab->v, slot));
    return slot;
}

/* What was in flight: requests are queued, all else is lost */
static void expect_lost(PriLab *lab, uint16_t rid, uint32_t slot)
{
    QVtdDesc prd;

    qtest_clock_step(lab->qts, 110 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab->v) & QVTD_FSTS_ITE, !=, 0);
    g_assert_cmphex(qinv_itesid(&lab->v), ==, rid);
    g_assert_false(qvtd_wait_done(&lab->v, slot));
    qvtd_writel(&lab->v, QVTD_FSTS, QINV_FSTS_W1C);
    qvtd_wait(&lab->v, 0);
    while (qvtd_prq_pop(&lab->v, &prd)) {
        if (QVTD_PRD_LPIG(&prd)) {
            qvtd_respond(&lab->v, rid, LAB_PASID, QVTD_PRD_PRGI(&prd),
                         QPT_SUCCESS);
        }
    }
}

/* -- Cable and link -------------------------------------------------------- */

static void test_cable(void)
{
    uint32_t slot;
    QRootPort p;
    PriLab lab;

    start(&lab, &p, "ite-timeout-ms=100");
    expect_slot(&p, QRP_SLTSTA_PDS, 0);
    g_assert_true(qrp_link_up(&p));
    slot = in_flight(&lab);
    knob(&p, PRP_KNOB_CABLE, 1);
    expect_slot(&p, 0, QRP_SLTSTA_PDC | QRP_SLTSTA_DLLSC);
    g_assert_false(qrp_link_up(&p));
    qrp_expect_absent(&lab);
    expect_lost(&lab, lab.d.rid, slot);

    /* other slot events do not bring it back */
    qrp_writew(&p, p.exp + QRP_SLTCTL, QRP_SLTCTL_ON | QRP_SLTCTL_ABPE);
    qrp_expect_absent(&lab);

    qrp_slot_clear(&p);
    qpt_writel(&lab.d, PT_SCRATCH, 1);
    knob(&p, PRP_KNOB_CABLE, 0);
    expect_slot(&p, QRP_SLTSTA_PDS, QRP_SLTSTA_PDC | QRP_SLTSTA_DLLSC);
    g_assert_true(qrp_link_up(&p));
    qrp_expect_fresh(&lab);
    qpt_knob_set(&lab.d, PT_KNOB_INV_REPLY, 0);
    lab_restart(&lab);
    pri_lab_stop(&lab);
}

static void test_link(void)
{
    uint32_t slot;
    QRootPort p;
    PriLab lab;

    start(&lab, &p, "ite-timeout-ms=100");
    slot = in_flight(&lab);
    knob(&p, PRP_KNOB_LINK, 1);
    expect_slot(&p, QRP_SLTSTA_PDS, QRP_SLTSTA_DLLSC);
    g_assert_false(qrp_link_up(&p));
    qrp_expect_absent(&lab);
    expect_lost(&lab, lab.d.rid, slot);
    qrp_slot_clear(&p);
    knob(&p, PRP_KNOB_LINK, 0);
    expect_slot(&p, QRP_SLTSTA_PDS, QRP_SLTSTA_DLLSC);
    qrp_expect_fresh(&lab);
    qpt_knob_set(&lab.d, PT_KNOB_INV_REPLY, 0);
    lab_restart(&lab);
    pri_lab_stop(&lab);
}

static void test_link_disable(void)
{
    QRootPort p;
    PriLab lab;

    start(&lab, &p, NULL);
    qrp_writew(&p, p.exp + QRP_LNKCTL, QRP_LNKCTL_LD);
    g_assert_cmphex(qrp_readw(&p, p.exp + QRP_LNKCTL) & QRP_LNKCTL_LD, !=, 0);
    g_assert_false(qrp_link_up(&p));
    expect_slot(&p, QRP_SLTSTA_PDS, QRP_SLTSTA_DLLSC);
    qrp_expect_absent(&lab);
    /* two reasons: both must go */
    knob(&p, PRP_KNOB_LINK, 1);
    qrp_writew(&p, p.exp + QRP_LNKCTL, 0);
    qrp_expect_absent(&lab);
    knob(&p, PRP_KNOB_LINK, 0);
    g_assert_true(qrp_link_up(&p));
    qrp_expect_fresh(&lab);
    lab_restart(&lab);
    pri_lab_stop(&lab);
}

/* -- Slot ------------------------------------------------------------------ */

static void test_power(void)
{
    uint32_t slot;
    QRootPort p;
    PriLab lab;

    start(&lab, &p, "ite-timeout-ms=100");
    slot = in_flight(&lab);
    qrp_writew(&p, p.exp + QRP_SLTCTL, QRP_SLTCTL_OFF);
    g_assert_false(qrp_link_up(&p));
    expect_slot(&p, QRP_SLTSTA_PDS, QRP_SLTSTA_DLLSC);
    qrp_expect_absent(&lab);
    expect_lost(&lab, lab.d.rid, slot);
    qrp_writew(&p, p.exp + QRP_SLTCTL, QRP_SLTCTL_ON);
    g_assert_true(qrp_link_up(&p));
    qrp_expect_fresh(&lab);
    qpt_knob_set(&lab.d, PT_KNOB_INV_REPLY, 0);
    lab_restart(&lab);
    pri_lab_stop(&lab);
}

static uint32_t take_msi(PriLab *lab)
{
    uint32_t data = qtest_readl(lab->qts, MSI_PAGE);

    qtest_writel(lab->qts, MSI_PAGE, 0);
    return data;
}

/* 6.7.3.4: a message each time that an enabled event is there, and was not */
static void test_events(void)
{
    uint16_t enable = QRP_SLTCTL_ON | QRP_SLTCTL_HPIE | QRP_SLTCTL_DLLSCE |
                      QRP_SLTCTL_ABPE;
    QRootPort p;
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, LAB_PRI_PORT);
    qrp_init(&p, lab.qts, lab.d.port);
    qtest_writel(lab.qts, MSI_PAGE, 0);
    qrp_msix(&p, 0xfd000000, MSI_PAGE, MSI_DATA);
    qrp_slot_clear(&p);

    knob(&p, PRP_KNOB_BUTTON, 1);
    expect_slot(&p, QRP_SLTSTA_PDS, QRP_SLTSTA_ABP);
    g_assert_cmphex(take_msi(&lab), ==, 0);
    qrp_slot_clear(&p);

    qrp_writew(&p, p.exp + QRP_SLTCTL, enable);
    qrp_slot_clear(&p);
    take_msi(&lab);
    knob(&p, PRP_KNOB_BUTTON, 1);
    g_assert_cmphex(take_msi(&lab), ==, MSI_DATA);
    knob(&p, PRP_KNOB_LINK, 1);
    expect_slot(&p, QRP_SLTSTA_PDS, QRP_SLTSTA_ABP | QRP_SLTSTA_DLLSC);
    g_assert_cmphex(take_msi(&lab), ==, 0);
    qrp_slot_clear(&p);
    expect_slot(&p, QRP_SLTSTA_PDS, 0);
    knob(&p, PRP_KNOB_LINK, 0);
    g_assert_cmphex(take_msi(&lab), ==, MSI_DATA);

    /* Data Link Layer State Changed without its enable */
    qrp_writew(&p, p.exp + QRP_SLTCTL, enable & ~QRP_SLTCTL_DLLSCE);
    qrp_slot_clear(&p);
    take_msi(&lab);
    knob(&p, PRP_KNOB_LINK, 1);
    expect_slot(&p, QRP_SLTSTA_PDS, QRP_SLTSTA_DLLSC);
    g_assert_cmphex(take_msi(&lab), ==, 0);
    pri_lab_stop(&lab);
}

/* A knob that there is not, and a value */
static void test_knob_range(void)
{
    QRootPort p;
    PriLab lab;

    start(&lab, &p, NULL);
    g_assert_cmpuint(qrp_knob(&p, PRP_KNOB_NR, 0), ==, PT_KNOB_NONE);
    g_assert_cmphex(qrp_readl(&p, p.vsec + PRP_VSEC_KNOB_VALUE), ==, 0);
    g_assert_cmpuint(qrp_knob(&p, UINT32_MAX, 0), ==, PT_KNOB_NONE);
    g_assert_cmpuint(qrp_knob(&p, PRP_KNOB_CABLE, 2), ==, PT_KNOB_RANGE);
    g_assert_true(qrp_link_up(&p));
    pri_lab_stop(&lab);
}

static uint32_t knob_find(QRootPort *p, const char *name)
{
    qrp_writel(p, p->vsec + PRP_VSEC_KNOB_NAME, qpt_knob_hash(name));
    return qrp_readl(p, p->vsec + PRP_VSEC_KNOB_STATUS);
}

/* By name, as a guest does */
static void test_knob_name(void)
{
    QRootPort p;
    PriLab lab;

    start(&lab, &p, NULL);
    g_assert_cmpuint(knob_find(&p, "button"), ==, PT_KNOB_OK);
    g_assert_cmpuint(qrp_readl(&p, p.vsec + PRP_VSEC_KNOB_SELECT), ==,
                     PRP_KNOB_BUTTON);
    g_assert_cmpuint(knob_find(&p, "cables"), ==, PT_KNOB_NONE);
    qrp_writel(&p, p.vsec + PRP_VSEC_KNOB_VALUE, 1);
    g_assert_cmpuint(qrp_readl(&p, p.vsec + PRP_VSEC_KNOB_STATUS), ==,
                     PT_KNOB_NONE);
    g_assert_true(qrp_link_up(&p));
    pri_lab_stop(&lab);
}

/* The host turns the same one */
static void test_knob_host(void)
{
    QRootPort p;
    PriLab lab;

    start(&lab, &p, NULL);
    qrp_writel(&p, p.vsec + PRP_VSEC_KNOB_SELECT, PRP_KNOB_CABLE);
    qtest_qmp_assert_success(lab.qts, "{ 'execute': 'qom-set', 'arguments': "
        "{ 'path': '/machine/peripheral/rp0', 'property': 'cable', "
        "'value': 'out' } }");
    qrp_expect_absent(&lab);
    g_assert_cmpuint(qrp_readl(&p, p.vsec + PRP_VSEC_KNOB_VALUE), ==, 1);
    qtest_qmp_assert_success(lab.qts, "{ 'execute': 'qom-set', 'arguments': "
        "{ 'path': '/machine/peripheral/rp0', 'property': 'cable', "
        "'value': 'in' } }");
    qrp_expect_fresh(&lab);
    pri_lab_stop(&lab);
}

/* A knob outlives a reset of the machine */
static void test_knob_reset(void)
{
    QRootPort p;
    PriLab lab;

    start(&lab, &p, NULL);
    knob(&p, PRP_KNOB_LINK, 1);
    lab_reset(&lab);
    qpt_ecam_enable(lab.qts);
    g_assert_false(qrp_link_up(&p));
    expect_slot(&p, QRP_SLTSTA_PDS, 0);
    knob(&p, PRP_KNOB_LINK, 0);
    qpt_init(&lab.d, lab.qts, lab.d.port, LAB_BUS);
    pri_lab_stop(&lab);
}

/* -- Unplug ---------------------------------------------------------------- */

static void device_del(PriLab *lab)
{
    qtest_qmp_device_del_send(lab->qts, "pt0");
}

static void device_add(PriLab *lab)
{
    qtest_qmp_device_add(lab->qts, "pri-testdev", "pt0", "{ 'bus': 'rp0' }");
}

static void back_to_work(PriLab *lab)
{
    qpt_init(&lab->d, lab->qts, lab->d.port, LAB_BUS);
    lab_restart(lab);
}

/* with warning: the guest powers the slot off when the button was pressed */
static void test_unplug_button(void)
{
    uint32_t slot;
    QRootPort p;
    PriLab lab;

    start(&lab, &p, "ite-timeout-ms=100"
          " -global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off");
    slot = in_flight(&lab);
    device_del(&lab);
    expect_slot(&p, QRP_SLTSTA_PDS, QRP_SLTSTA_ABP);
    qrp_slot_clear(&p);
    g_assert_true(qrp_link_up(&p));
    qrp_writew(&p, p.exp + QRP_SLTCTL, QRP_SLTCTL_OFF);
    qtest_qmp_eventwait(lab.qts, "DEVICE_DELETED");
    g_assert_cmphex(qrp_slot(&p) & QRP_SLTSTA_PDS, ==, 0);
    g_assert_false(qrp_link_up(&p));
    qrp_expect_absent(&lab);
    expect_lost(&lab, lab.d.rid, slot);

    qrp_slot_clear(&p);
    device_add(&lab);
    g_assert_cmphex(qrp_slot(&p) & (QRP_SLTSTA_PDS | QRP_SLTSTA_PDC), ==,
                    QRP_SLTSTA_PDS | QRP_SLTSTA_PDC);
    qrp_expect_absent(&lab);
    qrp_writew(&p, p.exp + QRP_SLTCTL, QRP_SLTCTL_ON);
    back_to_work(&lab);
    pri_lab_stop(&lab);
}

/* without: the card is out, and device_del does not ask */
static void test_unplug_surprise(void)
{
    uint32_t slot;
    QRootPort p;
    PriLab lab;

    start(&lab, &p, "ite-timeout-ms=100"
          " -global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off");
    slot = in_flight(&lab);
    knob(&p, PRP_KNOB_CABLE, 1);
    qrp_slot_clear(&p);
    device_del(&lab);
    qtest_qmp_eventwait(lab.qts, "DEVICE_DELETED");
    expect_slot(&p, 0, 0);
    qrp_expect_absent(&lab);
    expect_lost(&lab, lab.d.rid, slot);

    /* another card is at hand, but not in the slot */
    device_add(&lab);
    expect_slot(&p, 0, 0);
    g_assert_false(qrp_link_up(&p));
    qrp_expect_absent(&lab);
    knob(&p, PRP_KNOB_CABLE, 0);
    expect_slot(&p, QRP_SLTSTA_PDS, QRP_SLTSTA_PDC | QRP_SLTSTA_DLLSC);
    back_to_work(&lab);
    pri_lab_stop(&lab);
}

/* requests that the IOMMU has not taken yet come from nowhere in the end */
static void test_unplug_held(void)
{
    QRootPort p;
    PriLab lab;

    start(&lab, &p, "prd-delay-us=1000"
          " -global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off");
    lab_request(&lab, LAB_IOVA, R | L, 1);
    lab_request(&lab, LAB_IOVA, R | L, 2);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    knob(&p, PRP_KNOB_CABLE, 1);
    device_del(&lab);
    qtest_qmp_eventwait(lab.qts, "DEVICE_DELETED");
    qtest_clock_step(lab.qts, 2 * QINV_MS);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 2);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 1, QPT_SUCCESS);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 2, QPT_SUCCESS);
    pri_lab_stop(&lab);
}

static void test_empty_slot(void)
{
    QTestState *qts = qtest_init(
        "-machine q35 -m 256M -nodefaults "
        "-device pri-root-port,id=rp0,chassis=1,slot=1,bus=pcie.0,addr=4");
    QRootPort p;

    qpt_ecam_enable(qts);
    qrp_init(&p, qts, 4);
    expect_slot(&p, 0, 0);
    g_assert_false(qrp_link_up(&p));
    knob(&p, PRP_KNOB_CABLE, 1);
    knob(&p, PRP_KNOB_CABLE, 0);
    knob(&p, PRP_KNOB_BUTTON, 1);
    expect_slot(&p, 0, QRP_SLTSTA_ABP);
    /* power alone makes no link */
    qrp_writew(&p, p.exp + QRP_SLTCTL, QRP_SLTCTL_ON);
    g_assert_false(qrp_link_up(&p));
    qtest_quit(qts);
}

/* Each row of the table is what it says: what a write changes, and a reset */
static void test_registers(void)
{
    enum { CONST, RO, RW };
    static const struct {
        uint32_t offset;
        int access;
    } rows[] = {
#define ROW(NAME, offset, access, text) { offset, access },
        PRP_VSEC_REGS(ROW)
#undef ROW
    };
    PriLab lab;
    QRootPort p;
    uint32_t header;

    start(&lab, &p, NULL);
    header = qrp_readl(&p, p.vsec + PRP_VSEC_HEADER);
    for (int i = 0; i < ARRAY_SIZE(rows); i++) {
        uint32_t at = p.vsec + rows[i].offset;
        uint32_t before = qrp_readl(&p, at);

        if (rows[i].access != RW) {
            qrp_writel(&p, at, ~before);
            g_assert_cmphex(qrp_readl(&p, at), ==, before);
        }
    }
    qrp_writel(&p, p.vsec + PRP_VSEC_KNOB_SELECT, PRP_KNOB_BUTTON);
    g_assert_cmphex(qrp_readl(&p, p.vsec + PRP_VSEC_KNOB_SELECT), ==,
                    PRP_KNOB_BUTTON);
    qrp_writel(&p, p.vsec + PRP_VSEC_KNOB_VALUE, 2);
    g_assert_cmphex(qrp_readl(&p, p.vsec + PRP_VSEC_KNOB_STATUS), ==,
                    PT_KNOB_RANGE);
    qrp_writel(&p, p.vsec + PRP_VSEC_KNOB_NAME, qpt_knob_hash("link"));

    lab_reset(&lab);
    qpt_ecam_enable(lab.qts);
    for (int i = 0; i < ARRAY_SIZE(rows); i++) {
        g_assert_cmphex(qrp_readl(&p, p.vsec + rows[i].offset), ==,
                        rows[i].access == CONST ? header : 0);
    }
    pri_lab_stop(&lab);
}

static void test_migration(void)
{
    g_autofree char *dir = g_dir_make_tmp("pri-lab-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/state", dir);
    g_autofree char *uri = g_strdup_printf("file:%s", file);
    PriLab src, dst;
    QRootPort p;

    start(&src, &p, NULL);
    knob(&p, PRP_KNOB_CABLE, 1);
    g_assert_cmpuint(qrp_knob(&p, PRP_KNOB_NR, 0), ==, PT_KNOB_NONE);
    qtest_qmp_assert_success(src.qts, "{ 'execute': 'stop' }");
    qtest_qmp_assert_success(src.qts, "{ 'execute': 'migrate', 'arguments': "
                             "{ 'uri': %s } }", uri);
    lab_wait_migrated(src.qts);

    dst = src;
    dst.qts = qtest_initf(
        "-machine q35 -m 256M -nodefaults -incoming defer "
        "-device intel-iommu,id=vtd," LAB_VTD_OPTIONS " "
        "-device pri-root-port,id=rp0,chassis=1,slot=1,bus=pcie.0,addr=4 "
        "-device pri-testdev,id=pt0,bus=rp0");
    dst.v.qts = dst.d.qts = p.qts = dst.qts;
    qtest_qmp_assert_success(dst.qts, "{ 'execute': 'migrate-incoming', "
                             "'arguments': { 'uri': %s } }", uri);
    lab_wait_migrated(dst.qts);
    qtest_qmp_assert_success(dst.qts, "{ 'execute': 'cont' }");
    g_assert_cmpuint(qrp_readl(&p, p.vsec + PRP_VSEC_KNOB_STATUS), ==,
                     PT_KNOB_NONE);
    expect_slot(&p, 0, QRP_SLTSTA_PDC | QRP_SLTSTA_DLLSC);
    qrp_expect_absent(&dst);
    knob(&p, PRP_KNOB_CABLE, 0);
    qrp_expect_fresh(&dst);
    lab_restart(&dst);

    qtest_quit(dst.qts);
    pri_lab_stop(&src);
    g_unlink(file);
    g_rmdir(dir);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    qtest_add_func("/pri-root-port/link/FLR-10/cable", test_cable);
    qtest_add_func("/pri-root-port/link/FLR-10/down", test_link);
    qtest_add_func("/pri-root-port/link/FLR-10/disable", test_link_disable);
    qtest_add_func("/pri-root-port/slot/FLR-10/power", test_power);
    qtest_add_func("/pri-root-port/slot/events", test_events);
    qtest_add_func("/pri-root-port/knob/range", test_knob_range);
    qtest_add_func("/pri-root-port/knob/name", test_knob_name);
    qtest_add_func("/pri-root-port/knob/host", test_knob_host);
    qtest_add_func("/pri-root-port/knob/reset", test_knob_reset);
    qtest_add_func("/pri-root-port/registers", test_registers);
    qtest_add_func("/pri-root-port/unplug/button", test_unplug_button);
    qtest_add_func("/pri-root-port/unplug/surprise", test_unplug_surprise);
    qtest_add_func("/pri-root-port/unplug/held", test_unplug_held);
    qtest_add_func("/pri-root-port/slot/empty", test_empty_slot);
    qtest_add_func("/pri-root-port/link/migration", test_migration);
    return g_test_run();
}
