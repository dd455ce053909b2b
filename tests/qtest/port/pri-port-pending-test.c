/*
 * Errors that wait until nothing else is under way: several at once, over a
 * reset of the function, and in a snapshot
 *
 * While the machine is stopped the function reports none, so that a test can
 * have as many as it needs.
 *
 * PCIe 6.2 6.2.3, 6.6.2, 7.8.4; checklist items ERR-01, PORT-05, MIG-06
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/agent.h"
#include "libqos/lab-state.h"
#include "libqos/lab-stream.h"
#include "libqos/pri-switch.h"
#include <glib/gstdio.h>

#define COMMAND         0x04
#define COMMAND_NO_BME  0x2
#define BUSES           0x18
#define AER_UNCOR       0x04
#define AER_COR         0x10
#define AER_COR_MASK    0x14
#define AER_PREFIX      0x38
#define AER_UC          (1 << 16)
#define AER_UR          (1 << 20)
#define ERRORS          12      /* as many as can wait */
#define NOWHERE         9       /* ports above the function: there are fewer */
#define SELF            0xff
#define BAR3            0x1c    /* of a bridge this has Secondary Status */
#define POLLS           1000
#define MS              1000000
#define MSI_ADDR        0x3000000
#define RESPONSE_UR     ",unexpected-resp=ur"

static void stop(QTestState *qts)
{
    qtest_qmp_assert_success(qts, "{ 'execute': 'stop' }");
}

static void cont(QTestState *qts)
{
    qtest_qmp_assert_success(qts, "{ 'execute': 'cont' }");
}

/* The function has an error of its own; what is said is not that it is wrong */
static void respond_to_nobody(PriLab *lab, uint32_t pasid)
{
    qvtd_respond(&lab->v, lab->d.rid, pasid, 0x155, QPT_SUCCESS);
}

static void block_prefix(PriSwitch *s, unsigned int n)
{
    QRootPort *p = &s->port[n];

    qrp_writew(p, p->exp + QRP_DEVCTL2, QRP_DEVCTL2_EETLPPB);
}

static uint32_t wait_error(QRootPort *p)
{
    uint32_t status = 0;

    for (unsigned int i = 0; i < POLLS && !status; i++) {
        status = qrp_readl(p, p->aer + QRP_AER_UNCOR);
    }
    return status;
}

/* -- PORT-05: several at once ---------------------------------------------- */

typedef struct TwoRow {
    const char *name;
    bool elsewhere;             /* the second one is of the root port */
    uint32_t down, root;
} TwoRow;

static const TwoRow two_rows[] = {
    { "PORT-05/two-kinds", false, QRP_AER_ACSV | QRP_AER_UR, 0 },
    { "PORT-05/two-ports", true, QRP_AER_ACSV, QRP_AER_ACSV },
};

/* The port above stops a translated write, and somebody its interrupt */
static void test_two(const void *opaque)
{
    const TwoRow *row = opaque;
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID | PT_FLAG_NO_PRI,
        .pasid = LAB_PASID, .dst = LAB_IOVA, .len = 8,
    };
    PriSwitch s;
    QRootPort *down = &s.port[PRI_SWITCH_DOWN];
    QRootPort *root = &s.port[PRI_SWITCH_ROOT];

    pri_switch_start(&s, NULL, ",acs=on", NULL);
    qvtd_fs_map(&s.lab.v, s.lab.pml4, LAB_IOVA, qvtd_alloc(&s.lab.v, 1),
                QVTD_FS_USER);
    g_assert_cmpuint(qpt_run(&s.lab.d, 0, &op), ==, PT_ST_DONE);
    qpt_msix(&s.lab.d, MSI_ADDR, 0);
    qrp_writew(down, down->acs + QRP_ACS_CTL, QRP_ACS_TB);
    if (row->elsewhere) {
        /* bus 3 is not below it any more */
        qrp_writew(root, root->acs + QRP_ACS_CTL, QRP_ACS_SV);
        qrp_writel(root, BUSES, 2 << 16 | 1 << 8);
    } else {
        qrp_writew(down, COMMAND, COMMAND_NO_BME);
    }
    op.flags |= PT_FLAG_IRQ;
    g_assert_cmpuint(qpt_run(&s.lab.d, 0, &op), ==, PT_ST_DMA_ERROR);
    g_assert_cmphex(wait_error(down), ==, row->down);
    g_assert_cmphex(qrp_readl(root, root->aer + QRP_AER_UNCOR), ==, row->root);
    pri_lab_stop(&s.lab);
}

/* -- FLR-02: over a reset of the function ---------------------------------- */

/* What a port has seen is told whatever becomes of the function, and once */
static void test_outlives(void)
{
    PriSwitch s;
    PriLab *lab = &s.lab;
    QRootPort *up = &s.port[PRI_SWITCH_UP];
    uint16_t aer;

    pri_switch_start(&s, NULL, NULL, RESPONSE_UR ",flr-duration-ms=50");
    aer = qpt_find_ext_cap(&lab->d, QPT_EXT_ID_AER);
    block_prefix(&s, PRI_SWITCH_UP);
    stop(lab->qts);
    respond_to_nobody(lab, QVTD_NO_PASID);
    lab_request(lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, 0);
    qpt_config_writew(&lab->d, lab->d.exp + QPT_EXP_DEVCTL,
                      QPT_EXP_DEVCTL_FLR);
    cont(lab->qts);
    g_assert_cmphex(wait_error(up), ==, QRP_AER_PREFIX);
    qtest_clock_step(lab->qts, 50 * MS);
    g_assert_cmphex(qpt_config_readl(&lab->d, aer + AER_UNCOR), ==, 0);
    pri_switch_expect(&s, PRI_SWITCH_UP, QRP_AER_PREFIX, false);
    qpt_flr(&lab->d);
    pri_switch_expect(&s, PRI_SWITCH_UP, 0, false);
    pri_lab_stop(lab);
}

typedef struct LostRow {
    const char *name;
    const char *dev;
    bool invalidate;
} LostRow;

static const LostRow lost_rows[] = {
    { "FLR-02/ERR-01/response", "pri=off,flr-duration-ms=50", false },
    { "FLR-02/ERR-01/invalidation", "ats=off,pri=off,flr-duration-ms=50",
      true },
};

static void send_unsupported(AgentLab *lab, bool invalidate)
{
    if (invalidate) {
        agent_invalidate(lab, QPT_NO_PASID, AGENT_INV_ALL, 0, ATA_INV_SIZE);
    } else {
        agent_respond(lab, AGENT_PASID, 0, QPT_SUCCESS);
    }
    qtest_clock_step(lab->qts, MS);
}

/* A message that it does not support, but that comes in its reset */
static void test_lost(const void *opaque)
{
    const LostRow *row = opaque;
    AgentLab lab;
    uint16_t aer;

    agent_lab_start(&lab, row->dev, 0);
    aer = qpt_find_ext_cap(&lab.d, QPT_EXT_ID_AER);
    qpt_config_writew(&lab.d, lab.d.exp + QPT_EXP_DEVCTL, QPT_EXP_DEVCTL_FLR);
    send_unsupported(&lab, row->invalidate);
    qtest_clock_step(lab.qts, 50 * MS);
    g_assert_cmphex(qpt_config_readl(&lab.d, aer + AER_UNCOR), ==, 0);
    qpt_restore(&lab.d);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_VIOLATIONS), ==, 0);
    send_unsupported(&lab, row->invalidate);
    g_assert_cmphex(qpt_config_readl(&lab.d, aer + AER_UNCOR), ==, AER_UR);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_VIOLATIONS), ==,
                     !row->invalidate);
    agent_lab_stop(&lab);
}

/* -- MIG-01, MIG-06: in a snapshot ----------------------------------------- */

/* It is still an advisory one, of a message with a PASID */
static void test_advisory(void)
{
    QPriTestdev *d;
    uint16_t aer;
    PriLab lab;

    pri_lab_start_with(&lab, NULL, "unexpected-resp=uc", 0);
    d = &lab.d;
    aer = qpt_find_ext_cap(d, QPT_EXT_ID_AER);
    qpt_config_writel(d, aer + AER_COR_MASK, 0);
    stop(lab.qts);
    respond_to_nobody(&lab, LAB_PASID);
    g_assert_cmphex(qpt_config_readl(d, aer + AER_UNCOR), ==, 0);
    lab_migrate(&lab, NULL, "unexpected-resp=uc", 0);
    qtest_clock_step(lab.qts, MS);
    g_assert_cmphex(qpt_config_readl(d, aer + AER_UNCOR), ==, AER_UC);
    g_assert_cmphex(qpt_config_readl(d, aer + AER_COR), ==, QRP_AER_ADVISORY);
    g_assert_cmphex(__builtin_bswap32(qpt_config_readl(d, aer + AER_PREFIX)),
                    ==, 0x91000000 | LAB_PASID);
    pri_lab_stop(&lab);
}

/*
 * The place for errors is full: of ports that are not there, and one that a
 * function does not have, but a port
 */
static void fill(LabStream *s)
{
    lab_stream_set(s, "pri-testdev", "fn/n_errors", 1, ERRORS);
    for (unsigned int i = 0; i < ERRORS; i++) {
        g_autofree char *above = g_strdup_printf("fn/errors[%u]/above", i);
        g_autofree char *status = g_strdup_printf("fn/errors[%u]/err.status",
                                                  i);

        lab_stream_set(s, "pri-testdev", above, 1, i ? NOWHERE : SELF);
        lab_stream_set(s, "pri-testdev", status, 4,
                       i ? QRP_AER_UR : QRP_AER_ACSV);
    }
}

static uint32_t uncor(PriLab *lab)
{
    uint16_t aer = qpt_find_ext_cap(&lab->d, QPT_EXT_ID_AER);

    return qpt_config_readl(&lab->d, aer + AER_UNCOR);
}

/* One more is lost, and the others but one are nobody's */
static void test_full(void)
{
    g_autofree char *dir = g_dir_make_tmp("pri-lab-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/state", dir);
    g_autofree char *uri = g_strdup_printf("file:%s", file);
    LabStream s;
    PriLab lab, to;

    pri_lab_start_with(&lab, NULL, "unexpected-resp=ur", 0);
    lab_save(&lab, uri);
    pri_lab_stop(&lab);
    lab_stream_read(&s, file);
    fill(&s);
    g_assert_true(g_file_set_contents(file, (char *)s.data, s.len, NULL));
    pri_lab_boot_incoming(&to, NULL, "unexpected-resp=ur");
    qtest_qmp_assert_success(to.qts, "{ 'execute': 'migrate-incoming', "
                             "'arguments': { 'uri': %s } }", uri);
    lab_wait_migrated(to.qts);
    lab.qts = lab.v.qts = lab.d.qts = to.qts;
    respond_to_nobody(&lab, LAB_PASID);
    cont(lab.qts);
    qtest_clock_step(lab.qts, MS);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_INV_REQUESTS), ==, 0);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_INV_COMPLETIONS), ==, 0);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_UNEXPECTED), ==, 1);
    g_assert_cmphex(uncor(&lab), ==, QRP_AER_ACSV);
    g_assert_cmphex(qpt_config_readl(&lab.d, BAR3), ==, 0);
    /* now there is room */
    respond_to_nobody(&lab, LAB_PASID);
    qtest_clock_step(lab.qts, MS);
    g_assert_cmphex(uncor(&lab), ==, QRP_AER_ACSV | AER_UR);
    pri_lab_stop(&lab);
    lab_stream_free(&s);
    g_unlink(file);
    g_rmdir(dir);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    LAB_ADD_ROWS("/port/pending", two_rows, test_two);
    qtest_add_func("/port/pending/PORT-05/FLR-02/outlives", test_outlives);
    LAB_ADD_ROWS("/port/pending", lost_rows, test_lost);
    qtest_add_func("/port/pending/MIG-01/ERR-01/advisory", test_advisory);
    qtest_add_func("/port/pending/MIG-06/ERR-01/full", test_full);
    return g_test_run();
}
