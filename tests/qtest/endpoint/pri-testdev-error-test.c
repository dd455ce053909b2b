/*
 * Errors of a function and of the ports above it: what is logged, how it is
 * graded and who is told
 *
 * PCIe 6.2 6.2.3.2.4, 6.2.4.2, 7.5, 7.8.4; checklist items ERR-01 to ERR-03,
 * more of ERR-01 is in pri-testdev-wrong-test.c
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-vf.h"
#include "libqos/pri-root-port.h"
#include "libqos/pri-switch.h"

#define POLLS           1000
#define PAGE            4096
#define COMMAND         0x04
#define COMMAND_ON      0x6
#define COMMAND_NO_BME  0x2
#define BRIDGE_CONTROL  0x3e
#define BRIDGE_SERR     0x2

#define AER_UNCOR       0x04
#define AER_UNCOR_MASK  0x08
#define AER_UNCOR_SEVER 0x0c
#define AER_CAP         0x18
#define AER_FEP(cap)    ((cap) & 0x1f)
#define AER_HEADER      0x1c
#define AER_CTO         (1 << 14)
#define AER_UR          (1 << 20)
#define AER_ACSV_BIT    21
#define AER_UR_BIT      20
#define DEVSTA          0x0a
#define DEVSTA_NFED     (1 << 1)
#define DEVSTA_FED      (1 << 2)
#define AER_ERROR_NONFATAL  2       /* the knob: a Completion Timeout */

#define TLP_MRD64       0x20
#define TLP_MWR64       0x60
#define TLP_MSG_BY_ID   0x32
#define MSG_PRG_RESPONSE    0x05

/* -- ERR-01: the header of the message ------------------------------------- */

/* It is reported from the function's bottom half */
static uint32_t wait_error(QPriTestdev *d, uint16_t aer)
{
    for (unsigned int i = 0; i < POLLS; i++) {
        uint32_t status = qpt_config_readl(d, aer + AER_UNCOR);

        if (status) {
            return status;
        }
    }
    return 0;
}

/* A PRG Response to a function without Page Requests is Unsupported, 2.3.1 */
static void test_no_pri(void)
{
    uint16_t aer;
    PriLab lab;

    pri_lab_start_with(&lab, NULL, "pri=off", 0);
    aer = qpt_find_ext_cap(&lab.d, QPT_EXT_ID_AER);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 0x155, QPT_INVALID_REQUEST);
    g_assert_cmphex(wait_error(&lab.d, aer), ==, AER_UR);
    g_assert_cmphex(__builtin_bswap32(qpt_config_readl(&lab.d, aer +
                                                       AER_HEADER)) >> 24,
                    ==, TLP_MSG_BY_ID);
    g_assert_cmphex(__builtin_bswap32(qpt_config_readl(&lab.d, aer +
                                                       AER_HEADER + 4)),
                    ==, MSG_PRG_RESPONSE);
    /* destination, Response Code, PRG index: PCIe 6.2 10.4.2 */
    g_assert_cmphex(__builtin_bswap32(qpt_config_readl(&lab.d, aer +
                                                       AER_HEADER + 8)),
                    ==, (uint32_t)lab.d.rid << 16 |
                    QPT_INVALID_REQUEST << 12 | 0x155);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_VIOLATIONS), ==, 1);
    pri_lab_stop(&lab);
}

/* -- ERR-02: First Error Pointer and the log ------------------------------- */

static void expect_log(QRootPort *p, unsigned int fep, uint8_t type)
{
    g_assert_cmpuint(AER_FEP(qrp_readl(p, p->aer + AER_CAP)), ==, fep);
    g_assert_cmphex(__builtin_bswap32(qrp_readl(p, p->aer + AER_HEADER)) >> 24,
                    ==, type);
}

static uint32_t uncor(QRootPort *p)
{
    return qrp_readl(p, p->aer + AER_UNCOR);
}

static void dma(PriSwitch *s, uint32_t cmd, uint32_t flags)
{
    QPtOp op = {
        .cmd = cmd, .flags = flags, .pasid = LAB_PASID,
        .src = LAB_IOVA, .dst = LAB_IOVA, .len = 8,
    };

    g_assert_cmpuint(qpt_run(&s->lab.d, 0, &op), !=, PT_ST_DONE);
}

/* The first error keeps the log until software clears its bit */
static void test_first_error(void)
{
    PriSwitch s;
    QRootPort *p = &s.port[PRI_SWITCH_ROOT];

    pri_switch_start(&s, NULL, NULL, NULL);
    pri_switch_quiet(&s);
    qrp_writew(p, p->acs + QRP_ACS_CTL, QRP_ACS_TB);
    dma(&s, PT_OP_READ, PT_FLAG_PASID);         /* a Translation Request */
    g_assert_cmphex(uncor(p), ==, QRP_AER_ACSV);
    expect_log(p, AER_ACSV_BIT, TLP_MRD64);

    qrp_writew(p, COMMAND, COMMAND_NO_BME);
    dma(&s, PT_OP_WRITE, PT_FLAG_UNTRANSLATED);
    g_assert_cmphex(uncor(p), ==, QRP_AER_ACSV | QRP_AER_UR);
    expect_log(p, AER_ACSV_BIT, TLP_MRD64);

    /* the other one may be cleared without it */
    qrp_writel(p, p->aer + AER_UNCOR, QRP_AER_UR);
    expect_log(p, AER_ACSV_BIT, TLP_MRD64);
    qrp_writel(p, p->aer + AER_UNCOR, QRP_AER_ACSV);
    g_assert_cmphex(uncor(p), ==, 0);
    dma(&s, PT_OP_WRITE, PT_FLAG_UNTRANSLATED);
    g_assert_cmphex(uncor(p), ==, QRP_AER_UR);
    expect_log(p, AER_UR_BIT, TLP_MWR64);
    pri_lab_stop(&s.lab);
}

/* -- ERR-03: a Virtual Function has the controls of its PF ----------------- */

typedef struct VfErrors {
    PriLab lab;
    QPriTestdev vf;
    QRootPort port;
    uint16_t aer;
} VfErrors;

static void start_vf(VfErrors *t)
{
    lab_vf_start_at(&t->lab, &t->vf, "", LAB_PRI_PORT);
    qrp_init(&t->port, t->lab.qts, t->lab.d.port);
    t->aer = qpt_find_ext_cap(&t->lab.d, QPT_EXT_ID_AER);
    qrp_writew(&t->port, t->port.exp + QRP_DEVCTL, 0xf);
    qrp_writew(&t->port, BRIDGE_CONTROL, BRIDGE_SERR);
}

/* The function reports a Completion Timeout: who is named at the root port? */
static uint32_t report(VfErrors *t, QPriTestdev *d)
{
    QRootPort *p = &t->port;
    uint32_t status;

    g_assert_cmpuint(qpt_knob_set(d, PT_KNOB_AER_ERROR, AER_ERROR_NONFATAL),
                     ==, PT_KNOB_OK);
    g_assert_cmphex(qpt_config_readl(d, t->aer + AER_UNCOR), ==, AER_CTO);
    qpt_config_writel(d, t->aer + AER_UNCOR, AER_CTO);
    status = qrp_readl(p, p->aer + QRP_AER_ROOT_STATUS) & 0x7f;
    qrp_writel(p, p->aer + QRP_AER_ROOT_STATUS, status);
    g_assert_cmphex(status ? qrp_readl(p, p->aer + QRP_AER_SOURCE) >> 16 :
                    d->rid, ==, d->rid);
    return status;
}

static void test_vf_controls(void)
{
    const uint32_t nonfatal = QRP_AER_UNCOR_RCV | QRP_AER_NONFATAL_RCV;
    const uint32_t fatal = QRP_AER_UNCOR_RCV | QRP_AER_FATAL_RCV | 1 << 4;
    QPriTestdev *pf;
    uint32_t mask;
    VfErrors t;

    start_vf(&t);
    pf = &t.lab.d;
    /* what is written to the VF counts for nothing */
    qpt_config_writew(&t.vf, t.vf.exp + QRP_DEVCTL, 0xf);
    g_assert_cmphex(report(&t, &t.vf), ==, 0);
    g_assert_cmphex(qpt_config_readw(&t.vf, t.vf.exp + DEVSTA) & 0xf, ==,
                    DEVSTA_NFED);

    qpt_config_writew(pf, pf->exp + QRP_DEVCTL, 0xf);
    qpt_config_writew(&t.vf, t.vf.exp + QRP_DEVCTL, 0);
    g_assert_cmphex(report(&t, &t.vf), ==, nonfatal);
    g_assert_cmphex(report(&t, pf), ==, nonfatal);

    mask = qpt_config_readl(pf, t.aer + AER_UNCOR_MASK);
    qpt_config_writel(pf, t.aer + AER_UNCOR_MASK, mask | AER_CTO);
    g_assert_cmphex(report(&t, &t.vf), ==, 0);
    qpt_config_writel(pf, t.aer + AER_UNCOR_MASK, mask);
    qpt_config_writel(pf, t.aer + AER_UNCOR_SEVER, AER_CTO);
    g_assert_cmphex(report(&t, &t.vf), ==, fatal);
    g_assert_cmphex(qpt_config_readw(&t.vf, t.vf.exp + DEVSTA) & 0xf, ==,
                    DEVSTA_NFED | DEVSTA_FED);
    pri_lab_stop(&t.lab);
}

/* One that is not enabled is not there, and has no error to report */
static void test_vf_disabled(void)
{
    g_autofree char *path = NULL;
    QRootPort *p;
    VfErrors t;

    start_vf(&t);
    p = &t.port;
    path = lab_vf_path(t.lab.qts);
    g_assert_nonnull(path);
    qpt_config_writew(&t.lab.d, t.lab.d.exp + QRP_DEVCTL, 0xf);
    g_assert_cmphex(report(&t, &t.vf), !=, 0);
    qpt_config_writew(&t.lab.d, lab_vf_find_ext(&t.lab.d, LAB_EXT_ID_SRIOV) +
                      SRIOV_CTRL, 0);
    qtest_qmp_assert_success(t.lab.qts, "{ 'execute': 'qom-set', 'arguments': "
                             "{ 'path': %s, 'property': 'aer-error', "
                             "'value': 'fatal' } }", path);
    g_assert_cmphex(qrp_readl(p, p->aer + QRP_AER_ROOT_STATUS) & 0x7f, ==, 0);
    pri_lab_stop(&t.lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    qtest_add_func("/pri-testdev/error/ERR-01/no-page-requests", test_no_pri);
    qtest_add_func("/pri-root-port/error/ERR-02/first-error",
                   test_first_error);
    qtest_add_func("/pri-testdev/error/ERR-03/controls-of-a-vf",
                   test_vf_controls);
    qtest_add_func("/pri-testdev/error/ERR-03/vf-not-enabled",
                   test_vf_disabled);
    return g_test_run();
}
