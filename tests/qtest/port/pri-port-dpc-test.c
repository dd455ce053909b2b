/*
 * Downstream Port Containment of pri-root-port: PCIe 6.2 6.2.11, 7.9.14
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-rows.h"
#include "libqos/lab-state.h"
#include "libqos/pri-root-port.h"
#include "libqos/vtd-inv.h"
#include <glib/gstdio.h>

#define R       PT_RAW_READ
#define L       PT_RAW_LAST

#define REASON_OWN          0
#define REASON_NONFATAL     1
#define REASON_FATAL        2
#define REASON_EXTENSION    3
#define EXTENSION_SOFTWARE  1

#define COR                 1   /* values of the knob aer-error */
#define NONFATAL            2
#define FATAL               3

#define MSI_PAGE            0x7000000ULL
#define MSI_DATA            0x4321

/* The port, with the function below reporting all its errors */
static void start(PriLab *lab, QRootPort *p, bool program)
{
    uint16_t devctl;

    if (program) {
        pri_lab_start_with(lab, "ite-timeout-ms=100", NULL, LAB_PRI_PORT);
    } else {
        pri_lab_boot(lab, NULL, NULL, LAB_PRI_PORT);
    }
    qrp_init(p, lab->qts, lab->d.port);
    devctl = qpt_config_readw(&lab->d, lab->d.exp + QPT_EXP_DEVCTL);
    qpt_config_writew(&lab->d, lab->d.exp + QPT_EXP_DEVCTL,
                      devctl | QRP_DEVCTL_CERE | QRP_DEVCTL_NFERE |
                      QRP_DEVCTL_FERE);
    devctl = qrp_readw(p, p->exp + QRP_DEVCTL);
    qrp_writew(p, p->exp + QRP_DEVCTL, devctl | QRP_DEVCTL_CERE |
               QRP_DEVCTL_NFERE | QRP_DEVCTL_FERE);
    /* Bridge Control: SERR# Enable lets error messages through, 6.2.6 */
    qrp_writew(p, 0x3e, 0x2);
}

static void control(QRootPort *p, uint16_t bits)
{
    qrp_writew(p, p->dpc + QRP_DPC_CTL, bits);
}

static uint16_t status(QRootPort *p)
{
    return qrp_readw(p, p->dpc + QRP_DPC_STATUS);
}

static uint32_t root_status(QRootPort *p)
{
    return qrp_readl(p, p->aer + QRP_AER_ROOT_STATUS);
}

static void raise_error(PriLab *lab, unsigned int which)
{
    qpt_writel(&lab->d, PT_KNOB_SELECT, PT_KNOB_AER_ERROR);
    qpt_writeq(&lab->d, PT_KNOB_VALUE, which);
}

static void release(QRootPort *p)
{
    qrp_writew(p, p->dpc + QRP_DPC_STATUS,
               QRP_DPC_TRIGGERED | QRP_DPC_INTERRUPT);
}

static void expect_triggered(PriLab *lab, QRootPort *p, unsigned int reason)
{
    uint16_t s = status(p);

    g_assert_cmphex(s & ~QRP_DPC_REASONS, ==,
                    QRP_DPC_TRIGGERED | QRP_DPC_INTERRUPT);
    g_assert_cmpuint(QRP_DPC_REASON(s), ==, reason);
    g_assert_false(qrp_link_up(p));
    qrp_expect_absent(lab);
}

static void expect_free(PriLab *lab, QRootPort *p)
{
    g_assert_cmphex(status(p) & QRP_DPC_TRIGGERED, ==, 0);
    g_assert_true(qrp_link_up(p));
    g_assert_cmphex(qpt_readl(&lab->d, PT_ID), ==, PT_ID_MAGIC);
}

/* -- The capability -------------------------------------------------------- */

static void test_capability(void)
{
    QRootPort p;
    PriLab lab;

    start(&lab, &p, false);
    g_assert_cmpuint(p.dpc, !=, 0);
    g_assert_cmphex(qrp_readl(&p, p.dpc) & 0xfffff, ==, 0x1001d);
    /* vector 0, software triggering, no extensions for root ports */
    g_assert_cmphex(qrp_readw(&p, p.dpc + QRP_DPC_CAP), ==, 0x0080);
    g_assert_cmphex(qrp_readw(&p, p.dpc + QRP_DPC_CTL), ==, 0);
    g_assert_cmphex(status(&p), ==, 0);
    control(&p, 0xffff & ~QRP_DPC_CTL_SW);
    g_assert_cmphex(qrp_readw(&p, p.dpc + QRP_DPC_CTL), ==, 0x001f);
    qrp_writew(&p, p.dpc + QRP_DPC_STATUS, 0xffff);
    qrp_writew(&p, p.dpc + QRP_DPC_SOURCE, 0xffff);
    g_assert_cmphex(status(&p), ==, 0);
    g_assert_cmphex(qrp_readw(&p, p.dpc + QRP_DPC_SOURCE), ==, 0);
    expect_free(&lab, &p);
    pri_lab_stop(&lab);
}

/* -- Triggers -------------------------------------------------------------- */

static void test_disabled(void)
{
    QRootPort p;
    PriLab lab;

    start(&lab, &p, false);
    raise_error(&lab, FATAL);
    control(&p, QRP_DPC_CTL_SW);
    expect_free(&lab, &p);
    /* it went upstream: to AER of the root port */
    g_assert_cmphex(root_status(&p) & QRP_AER_FATAL_RCV, !=, 0);
    g_assert_cmphex(qrp_readl(&p, p.aer + QRP_AER_SOURCE) >> 16, ==,
                    lab.d.rid);
    pri_lab_stop(&lab);
}

static void test_fatal(void)
{
    QRootPort p;
    PriLab lab;

    start(&lab, &p, false);
    control(&p, QRP_DPC_CTL_FATAL);
    raise_error(&lab, COR);
    raise_error(&lab, NONFATAL);
    expect_free(&lab, &p);
    g_assert_cmphex(root_status(&p) & 0x7f, ==, QRP_AER_COR_RCV |
                    QRP_AER_UNCOR_RCV | QRP_AER_NONFATAL_RCV);
    g_assert_cmphex(qrp_readw(&p, p.dpc + QRP_DPC_SOURCE), ==, 0);

    raise_error(&lab, FATAL);
    expect_triggered(&lab, &p, REASON_FATAL);
    g_assert_cmphex(qrp_readw(&p, p.dpc + QRP_DPC_SOURCE), ==, lab.d.rid);
    /* the message is discarded */
    g_assert_cmphex(root_status(&p) & QRP_AER_FATAL_RCV, ==, 0);
    pri_lab_stop(&lab);
}

static void test_nonfatal(void)
{
    QRootPort p;
    PriLab lab;

    start(&lab, &p, false);
    control(&p, QRP_DPC_CTL_NONFATAL);
    raise_error(&lab, COR);
    expect_free(&lab, &p);
    raise_error(&lab, NONFATAL);
    expect_triggered(&lab, &p, REASON_NONFATAL);
    g_assert_cmphex(qrp_readw(&p, p.dpc + QRP_DPC_SOURCE), ==, lab.d.rid);
    g_assert_cmphex(root_status(&p) & QRP_AER_NONFATAL_RCV, ==, 0);
    pri_lab_stop(&lab);

    start(&lab, &p, false);
    control(&p, QRP_DPC_CTL_NONFATAL);
    raise_error(&lab, FATAL);
    expect_triggered(&lab, &p, REASON_FATAL);
    pri_lab_stop(&lab);
}

/* 6.2.6: what the function may not report does not reach the port */
static void test_not_reported(void)
{
    QRootPort p;
    PriLab lab;

    start(&lab, &p, false);
    qpt_config_writew(&lab.d, lab.d.exp + QPT_EXP_DEVCTL, 0);
    control(&p, QRP_DPC_CTL_NONFATAL);
    raise_error(&lab, NONFATAL);
    raise_error(&lab, FATAL);
    expect_free(&lab, &p);
    pri_lab_stop(&lab);
}

/* containment does not depend on SERR# Enable of the bridge */
static void test_no_serr(void)
{
    QRootPort p;
    PriLab lab;

    start(&lab, &p, false);
    qrp_writew(&p, 0x3e, 0);
    control(&p, QRP_DPC_CTL_FATAL);
    raise_error(&lab, FATAL);
    expect_triggered(&lab, &p, REASON_FATAL);
    pri_lab_stop(&lab);
}

static void test_software(void)
{
    QRootPort p;
    PriLab lab;

    start(&lab, &p, false);
    control(&p, QRP_DPC_CTL_FATAL | QRP_DPC_CTL_SW);
    expect_triggered(&lab, &p, REASON_EXTENSION);
    g_assert_cmpuint(QRP_DPC_EXTENSION(status(&p)), ==, EXTENSION_SOFTWARE);
    g_assert_cmphex(qrp_readw(&p, p.dpc + QRP_DPC_CTL), ==,
                    QRP_DPC_CTL_FATAL);
    g_assert_cmphex(root_status(&p) & 0x7f, ==, 0);
    pri_lab_stop(&lab);

    /* 6.2.11.4: in DPC already, the reason stays */
    start(&lab, &p, false);
    control(&p, QRP_DPC_CTL_FATAL);
    raise_error(&lab, FATAL);
    control(&p, QRP_DPC_CTL_FATAL | QRP_DPC_CTL_SW);
    expect_triggered(&lab, &p, REASON_FATAL);
    pri_lab_stop(&lab);
}

/*
 * ERR-04: an unmasked uncorrectable error that the port itself detects triggers
 * DPC, also if Device Control and Command let no message of it be sent, and
 * then none is; a masked one does not (6.2.11)
 */
typedef struct OwnRow {
    const char *name;
    bool reported;              /* Device Control lets it send a message */
    bool masked;                /* in AER */
} OwnRow;

static const OwnRow own_rows[] = {
    { "own-error", false, false },
    { "own-error-reported", true, false },
    { "own-error-masked", false, true },
    { "own-error-reported-masked", true, true },
};

static void test_own_error(const void *opaque)
{
    const OwnRow *row = opaque;
    g_autofree char *out = NULL;
    QRootPort p;
    PriLab lab;

    start(&lab, &p, false);
    control(&p, QRP_DPC_CTL_FATAL);
    if (!row->reported) {
        qrp_writew(&p, p.exp + QRP_DEVCTL, 0);
    }
    qrp_writel(&p, p.aer + QRP_AER_UNCOR_MASK, row->masked ? UINT32_MAX : 0);
    out = qtest_hmp(lab.qts, "pcie_aer_inject_error rp0 MALF_TLP");
    if (row->masked) {
        expect_free(&lab, &p);
    } else {
        expect_triggered(&lab, &p, REASON_OWN);
    }
    g_assert_cmphex(root_status(&p) & 0x7f, ==, 0);
    pri_lab_stop(&lab);
}

/* -- Signals --------------------------------------------------------------- */

static uint32_t take_msi(PriLab *lab)
{
    uint32_t data = qtest_readl(lab->qts, MSI_PAGE);

    qtest_writel(lab->qts, MSI_PAGE, 0);
    return data;
}

static void test_interrupt(void)
{
    QRootPort p;
    PriLab lab;

    start(&lab, &p, false);
    qtest_writel(lab.qts, MSI_PAGE, 0);
    qrp_msix(&p, 0xfd000000, MSI_PAGE, MSI_DATA);

    /* not enabled; enabled later: a message, which 6.2.11.1 permits */
    control(&p, QRP_DPC_CTL_FATAL | QRP_DPC_CTL_SW);
    g_assert_cmphex(take_msi(&lab), ==, 0);
    control(&p, QRP_DPC_CTL_FATAL | QRP_DPC_CTL_INT);
    g_assert_cmphex(take_msi(&lab), ==, MSI_DATA);

    /* released, but the status still set: no edge */
    qrp_writew(&p, p.dpc + QRP_DPC_STATUS, QRP_DPC_TRIGGERED);
    g_assert_cmphex(status(&p) & (QRP_DPC_TRIGGERED | QRP_DPC_INTERRUPT), ==,
                    QRP_DPC_INTERRUPT);
    qrp_expect_fresh(&lab);
    control(&p, QRP_DPC_CTL_FATAL | QRP_DPC_CTL_INT | QRP_DPC_CTL_SW);
    g_assert_cmphex(status(&p) & QRP_DPC_TRIGGERED, !=, 0);
    g_assert_cmphex(take_msi(&lab), ==, 0);

    /* the status alone cleared: still contained; the next trigger is an edge */
    qrp_writew(&p, p.dpc + QRP_DPC_STATUS, QRP_DPC_INTERRUPT);
    g_assert_cmphex(status(&p) & (QRP_DPC_TRIGGERED | QRP_DPC_INTERRUPT), ==,
                    QRP_DPC_TRIGGERED);
    qrp_expect_absent(&lab);
    release(&p);
    control(&p, QRP_DPC_CTL_FATAL | QRP_DPC_CTL_INT | QRP_DPC_CTL_SW);
    g_assert_cmphex(take_msi(&lab), ==, MSI_DATA);
    pri_lab_stop(&lab);
}

/* Bit 6 of DPC Control alone is Software Trigger, however wide the write is */
static void test_software_wide(void)
{
    QRootPort p;
    PriLab lab;

    start(&lab, &p, false);
    control(&p, QRP_DPC_CTL_FATAL);
    qrp_writel(&p, p.dpc + QRP_DPC_STATUS, QRP_DPC_CTL_SW << 16);
    qrp_writel(&p, p.dpc + QRP_DPC_CAP, QRP_DPC_CTL_FATAL << 16 |
               QRP_DPC_CTL_SW);
    expect_free(&lab, &p);
    qrp_writel(&p, p.dpc + QRP_DPC_CAP,
               (QRP_DPC_CTL_FATAL | QRP_DPC_CTL_SW) << 16);
    expect_triggered(&lab, &p, REASON_EXTENSION);
    pri_lab_stop(&lab);
}

static void test_err_cor(void)
{
    QRootPort p;
    PriLab lab;

    start(&lab, &p, false);
    control(&p, QRP_DPC_CTL_FATAL | QRP_DPC_CTL_SW);
    g_assert_cmphex(root_status(&p) & QRP_AER_COR_RCV, ==, 0);
    release(&p);
    control(&p, QRP_DPC_CTL_FATAL | QRP_DPC_CTL_COR | QRP_DPC_CTL_SW);
    g_assert_cmphex(root_status(&p) & 0x7f, ==, QRP_AER_COR_RCV);
    g_assert_cmphex(qrp_readl(&p, p.aer + QRP_AER_SOURCE) & 0xffff, ==, p.rid);
    g_assert_cmphex(qrp_readw(&p, p.exp + QRP_DEVSTA) & QRP_DEVSTA_CED, ==, 0);

    /* Correctable Error Reporting Enable of the port has its say */
    qrp_writel(&p, p.aer + QRP_AER_ROOT_STATUS, 0x7f);
    release(&p);
    qrp_writew(&p, p.exp + QRP_DEVCTL,
               qrp_readw(&p, p.exp + QRP_DEVCTL) & ~QRP_DEVCTL_CERE);
    control(&p, QRP_DPC_CTL_FATAL | QRP_DPC_CTL_COR | QRP_DPC_CTL_SW);
    g_assert_cmphex(status(&p) & QRP_DPC_TRIGGERED, !=, 0);
    g_assert_cmphex(root_status(&p) & QRP_AER_COR_RCV, ==, 0);
    pri_lab_stop(&lab);
}

/* -- What containment is --------------------------------------------------- */

static void start_dma(PriLab *lab)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA, .len = 4 * 4096, .group = 2,
    };

    qpt_writel(&lab->d, PT_SCRATCH, 0x5c5c);
    qpt_start(&lab->d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab->d, 0), ==, PT_ST_RUNNING);
}

static void test_containment(void)
{
    uint32_t slot, lost;
    QVtdDesc prd;
    QRootPort p;
    PriLab lab;

    start(&lab, &p, true);
    start_dma(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 9);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 3);
    qrp_slot_clear(&p);
    control(&p, QRP_DPC_CTL_FATAL);
    raise_error(&lab, FATAL);
    expect_triggered(&lab, &p, REASON_FATAL);
    g_assert_cmphex(qrp_slot(&p) & (QRP_SLTSTA_DLLSC | QRP_SLTSTA_PDC |
                                    QRP_SLTSTA_PDS), ==,
                    QRP_SLTSTA_DLLSC | QRP_SLTSTA_PDS);

    /* requests from before stay in the queue; responses do not arrive */
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 3);
    for (lost = 0; qvtd_prq_pop(&lab.v, &prd);) {
        if (QVTD_PRD_LPIG(&prd)) {
            qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, QVTD_PRD_PRGI(&prd),
                         QPT_SUCCESS);
            lost++;
        }
    }
    g_assert_cmpuint(lost, ==, 2);

    /* an invalidation is not answered, and times out */
    qinv_put_dev_tlb(&lab.v, lab.d.rid);
    slot = qinv_put_wait(&lab.v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab.v);
    qtest_clock_step(lab.qts, 90 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab.v) & QVTD_FSTS_ITE, ==, 0);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    qtest_clock_step(lab.qts, 20 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab.v) & QVTD_FSTS_ITE, !=, 0);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, lab.d.rid);
    qrp_expect_absent(&lab);

    /* and writes from the host's side are lost */
    qpt_writel(&lab.d, PT_SCRATCH, 1);
    qpt_config_writew(&lab.d, 4, 0x6);
    qrp_expect_absent(&lab);
    pri_lab_stop(&lab);
}

static void test_release(void)
{
    QRootPort p;
    PriLab lab;

    start(&lab, &p, true);
    start_dma(&lab);
    control(&p, QRP_DPC_CTL_FATAL);
    raise_error(&lab, FATAL);
    qrp_slot_clear(&p);

    /* only a 1 releases */
    qrp_writew(&p, p.dpc + QRP_DPC_STATUS, 0);
    control(&p, 0);
    expect_triggered(&lab, &p, REASON_FATAL);
    release(&p);
    g_assert_true(qrp_link_up(&p));
    g_assert_cmphex(qrp_slot(&p) & QRP_SLTSTA_DLLSC, !=, 0);
    qrp_expect_fresh(&lab);
    lab_restart(&lab);

    /* and again */
    control(&p, QRP_DPC_CTL_FATAL | QRP_DPC_CTL_SW);
    expect_triggered(&lab, &p, REASON_EXTENSION);
    release(&p);
    qrp_expect_fresh(&lab);
    lab_restart(&lab);
    pri_lab_stop(&lab);
}

/* a reset of the machine ends it */
static void test_machine_reset(void)
{
    QRootPort p;
    PriLab lab;

    start(&lab, &p, true);
    control(&p, QRP_DPC_CTL_FATAL | QRP_DPC_CTL_INT | QRP_DPC_CTL_SW);
    expect_triggered(&lab, &p, REASON_EXTENSION);
    lab_reset(&lab);
    qpt_init(&lab.d, lab.qts, lab.d.port, LAB_BUS);
    g_assert_cmphex(qrp_readw(&p, p.dpc + QRP_DPC_CTL), ==, 0);
    g_assert_cmphex(status(&p), ==, 0);
    g_assert_cmphex(qrp_slot(&p) & (QRP_SLTSTA_DLLSC | QRP_SLTSTA_PDC), ==, 0);
    expect_free(&lab, &p);
    pri_lab_stop(&lab);
}

/* Another QEMU has the state of @src, which ends; @p is then its port */
static void migrate(PriLab *lab, QRootPort *p)
{
    g_autofree char *dir = g_dir_make_tmp("pri-lab-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/state", dir);
    g_autofree char *uri = g_strdup_printf("file:%s", file);
    QTestState *to;

    lab_save(lab, uri);
    to = qtest_initf(
        "-machine q35 -m 256M -nodefaults -incoming defer "
        "-device intel-iommu,id=vtd," LAB_VTD_OPTIONS ",ite-timeout-ms=100 "
        "-device pri-root-port,id=rp0,chassis=1,slot=1,bus=pcie.0,addr=4 "
        "-device pri-testdev,id=pt0,bus=rp0");
    qtest_qmp_assert_success(to, "{ 'execute': 'migrate-incoming', "
                             "'arguments': { 'uri': %s } }", uri);
    lab_wait_migrated(to);
    qtest_qmp_assert_success(to, "{ 'execute': 'cont' }");
    qtest_quit(lab->qts);
    lab->qts = lab->v.qts = lab->d.qts = p->qts = to;
    g_unlink(file);
    g_rmdir(dir);
}

static void test_migration(void)
{
    QRootPort p;
    PriLab lab;

    start(&lab, &p, true);
    control(&p, QRP_DPC_CTL_FATAL | QRP_DPC_CTL_INT | QRP_DPC_CTL_SW);
    migrate(&lab, &p);
    expect_triggered(&lab, &p, REASON_EXTENSION);
    release(&p);
    qrp_expect_fresh(&lab);
    lab_restart(&lab);
    pri_lab_stop(&lab);
}

/* The message of a trigger that is over is not sent again, a new one is */
static void test_migration_message(void)
{
    QRootPort p;
    PriLab lab;

    start(&lab, &p, false);
    qrp_msix(&p, 0xfd000000, MSI_PAGE, MSI_DATA);
    control(&p, QRP_DPC_CTL_FATAL | QRP_DPC_CTL_INT | QRP_DPC_CTL_SW);
    g_assert_cmphex(take_msi(&lab), ==, MSI_DATA);
    migrate(&lab, &p);
    control(&p, QRP_DPC_CTL_FATAL | QRP_DPC_CTL_INT);
    g_assert_cmphex(take_msi(&lab), ==, 0);
    release(&p);
    migrate(&lab, &p);
    control(&p, QRP_DPC_CTL_FATAL | QRP_DPC_CTL_INT | QRP_DPC_CTL_SW);
    g_assert_cmphex(take_msi(&lab), ==, MSI_DATA);
    pri_lab_stop(&lab);
}

/* Enabled, and an error comes; or a trigger whose message is not enabled */
static void test_migration_enabled(void)
{
    QRootPort p;
    PriLab lab;

    start(&lab, &p, false);
    control(&p, QRP_DPC_CTL_FATAL);
    migrate(&lab, &p);
    expect_free(&lab, &p);
    raise_error(&lab, FATAL);
    expect_triggered(&lab, &p, REASON_FATAL);
    qrp_msix(&p, 0xfd000000, MSI_PAGE, MSI_DATA);
    qtest_writel(lab.qts, MSI_PAGE, 0);
    migrate(&lab, &p);
    control(&p, QRP_DPC_CTL_FATAL | QRP_DPC_CTL_INT);
    g_assert_cmphex(take_msi(&lab), ==, MSI_DATA);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    qtest_add_func("/pri-root-port/dpc/capability", test_capability);
    qtest_add_func("/pri-root-port/dpc/disabled", test_disabled);
    qtest_add_func("/pri-root-port/dpc/fatal", test_fatal);
    qtest_add_func("/pri-root-port/dpc/non-fatal", test_nonfatal);
    qtest_add_func("/pri-root-port/dpc/not-reported", test_not_reported);
    qtest_add_func("/pri-root-port/dpc/no-serr", test_no_serr);
    qtest_add_func("/pri-root-port/dpc/software", test_software);
    LAB_ADD_ROWS("/pri-root-port/dpc/ERR-04", own_rows, test_own_error);
    qtest_add_func("/pri-root-port/dpc/software-wide", test_software_wide);
    qtest_add_func("/pri-root-port/dpc/interrupt", test_interrupt);
    qtest_add_func("/pri-root-port/dpc/err-cor", test_err_cor);
    qtest_add_func("/pri-root-port/dpc/FLR-10/containment", test_containment);
    qtest_add_func("/pri-root-port/dpc/FLR-10/release", test_release);
    qtest_add_func("/pri-root-port/dpc/machine-reset", test_machine_reset);
    qtest_add_func("/pri-root-port/dpc/migration", test_migration);
    qtest_add_func("/pri-root-port/dpc/migration-message",
                   test_migration_message);
    qtest_add_func("/pri-root-port/dpc/migration-enabled",
                   test_migration_enabled);
    return g_test_run();
}
