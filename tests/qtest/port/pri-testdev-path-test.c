/*
 * What the ports above a function are told to stop: Command, Access Control
 * Services, End-End TLP Prefix Blocking, at each port on the way
 *
 * PCIe 6.2 6.12, 7.5.1.1.3, 7.5.3.16, 7.7.11; error kinds of 6.2.7
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "qobject/qdict.h"
#include "libqos/pri-switch.h"
#include "libqos/vtd-inv.h"

#define PAGE            0x1000ull
#define PATTERN         0x0123456789abcdefull
#define COMMAND         0x04
#define COMMAND_ON      0x6
#define COMMAND_NO_BME  0x2
#define UNTRANSLATED    (PT_FLAG_UNTRANSLATED | PT_FLAG_PASID)
#define SHAPE_OTHER_BUS 7       /* values of knobs */
#define REPLY_WRONG_BUS 5
#define PRGI            0x155
#define RAM             0x2000000
#define WINDOW          0xe1000000ull
#define WINDOW_4_MIB    0xe130e100      /* its last MiB and its first one */

/* Header of a TLP: Fmt and Type in the first byte */
#define TLP_MRD64       0x20
#define TLP_MWR64       0x60
#define TLP_MSG_ROOT    0x30
#define TLP_AT(dw0)     ((dw0) >> 10 & 3)
#define CODE_PAGE_REQUEST   0x04
#define CODE_PRG_RESPONSE   0x05

/* What a function may send; memory is mapped and, for TRANSLATED, known */
enum {
    WRITE, READ, WRITE_PASID, READ_PASID, TRANSLATED, TRANSLATE, KINDS
};

static const char *const kind_names[] = {
    "write", "read", "write-pasid", "read-pasid", "translated", "translate"
};

#define IOVA(kind)      (LAB_IOVA + (kind) * PAGE)
#define IOVA_MSI        (LAB_IOVA + 0x10 * PAGE)

typedef struct PathTest {
    PriSwitch s;
    uint64_t pa;            /* of the page at IOVA(0), the others follow */
} PathTest;

static QPtOp request(unsigned int kind)
{
    bool read = kind == READ || kind == READ_PASID;

    return (QPtOp) {
        .cmd = read ? PT_OP_READ : PT_OP_WRITE,
        .flags = kind == TRANSLATED || kind == TRANSLATE ?
                 PT_FLAG_PASID | PT_FLAG_NO_PRI :
                 kind == WRITE || kind == READ ? PT_FLAG_UNTRANSLATED :
                 UNTRANSLATED,
        .pasid = LAB_PASID,
        .src = IOVA(kind), .dst = IOVA(kind), .len = 8, .pattern = PATTERN,
    };
}

static void start(PathTest *t, const char *vtd, const char *down)
{
    PriLab *lab = &t->s.lab;
    QPtOp op = request(TRANSLATED);

    pri_switch_start(&t->s, vtd, down, NULL);
    t->pa = qvtd_alloc(&lab->v, KINDS + 1);
    for (unsigned int i = 0; i < KINDS; i++) {
        qvtd_fs_map(&lab->v, lab->pml4, IOVA(i), t->pa + i * PAGE,
                    QVTD_FS_USER);
        qvtd_fs_map(&lab->v, lab->rid_pml4, IOVA(i), t->pa + i * PAGE,
                    QVTD_FS_USER);
    }
    g_assert_cmpuint(qpt_run(&lab->d, 0, &op), ==, PT_ST_DONE);
    qtest_memset(lab->qts, t->pa, 0, KINDS * PAGE);
}

static uint64_t memory(PathTest *t, unsigned int kind)
{
    return qtest_readq(t->s.lab.qts, t->pa + kind * PAGE);
}

static void check_works(PathTest *t)
{
    for (unsigned int kind = 0; kind < KINDS; kind++) {
        QPtOp op = request(kind);

        g_assert_cmpuint(qpt_run(&t->s.lab.d, 0, &op), ==, PT_ST_DONE);
    }
    pri_switch_expect(&t->s, 0, 0, false);
}

/* Port @n stops this request, with @error; memory is as it was */
static void check_stopped(PathTest *t, unsigned int n, unsigned int kind,
                          uint32_t error)
{
    PriLab *lab = &t->s.lab;
    QRootPort *p = &t->s.port[n];
    QPtOp op = request(kind);
    bool non_posted = kind == TRANSLATE || op.cmd == PT_OP_READ;
    unsigned int status = kind != TRANSLATE ? PT_ST_DMA_ERROR :
                          error == QRP_AER_ACSV ? PT_ST_TRANS_CA :
                          PT_ST_TRANS_UR;
    uint32_t dw0;

    g_test_message("%s", kind_names[kind]);
    if (kind == TRANSLATE) {
        /* it must ask */
        qpt_writel(&lab->d, PT_CTRL, PT_CTRL_FLUSH_ATC);
    }
    g_assert_cmpuint(qpt_run(&lab->d, 0, &op), ==, status);
    g_assert_cmphex(memory(t, kind), ==, 0);

    dw0 = __builtin_bswap32(qrp_readl(p, p->aer + QRP_AER_HEADER));
    g_assert_cmphex(dw0 >> 24, ==, non_posted ? TLP_MRD64 : TLP_MWR64);
    g_assert_cmpuint(TLP_AT(dw0), ==, kind == TRANSLATE ? 1 :
                     kind == TRANSLATED ? 2 : 0);
    g_assert_cmphex(__builtin_bswap32(qrp_readl(p, p->aer + QRP_AER_HEADER +
                                                4)) >> 16, ==, lab->d.rid);
    pri_switch_expect(&t->s, n, error, non_posted);
}

/* -- PORT-01: Bus Master Enable -------------------------------------------- */

static void check_msi_lost(PathTest *t, unsigned int n)
{
    PriLab *lab = &t->s.lab;
    QPtOp op = request(WRITE);
    uint64_t pa = t->pa + KINDS * PAGE;

    /* an address that is memory: seen when it comes */
    qvtd_fs_map(&lab->v, lab->rid_pml4, IOVA_MSI & 0xfffff000, pa,
                QVTD_FS_USER);
    qpt_msix(&lab->d, IOVA_MSI & 0xfffff000, 0x4321);
    op.flags |= PT_FLAG_IRQ;
    g_assert_cmpuint(qpt_run(&lab->d, 0, &op), ==, PT_ST_DMA_ERROR);
    g_assert_cmphex(qtest_readl(lab->qts, pa), ==, 0);
    pri_switch_expect(&t->s, n, QRP_AER_UR, false);
    qrp_writew(&t->s.port[n], COMMAND, COMMAND_ON);
    g_assert_cmpuint(qpt_run(&lab->d, 0, &op), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readl(lab->qts, pa), ==,
                    0x4321 + PRI_TESTDEV_VECTOR_CHANNEL(0));
}

static void test_bme(const void *opaque)
{
    unsigned int n = GPOINTER_TO_UINT(opaque);
    PathTest t;
    PriLab *lab = &t.s.lab;
    uint32_t slot;

    start(&t, NULL, NULL);
    qrp_writew(&t.s.port[n], COMMAND, COMMAND_NO_BME);
    check_stopped(&t, n, WRITE, QRP_AER_UR);
    check_stopped(&t, n, READ, QRP_AER_UR);
    check_stopped(&t, n, WRITE_PASID, QRP_AER_UR);
    check_stopped(&t, n, READ_PASID, QRP_AER_UR);
    check_stopped(&t, n, TRANSLATED, QRP_AER_UR);
    check_stopped(&t, n, TRANSLATE, QRP_AER_UR);

    /* messages pass, either way */
    lab_request(lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, 5);
    g_assert_cmpuint(qvtd_prq_pending(&lab->v), ==, 1);
    qvtd_respond(&lab->v, lab->d.rid, LAB_PASID, 5, QPT_SUCCESS);
    lab_expect_response(lab, QPT_SUCCESS, 5, LAB_PASID);
    qinv_put_dev_tlb(&lab->v, lab->d.rid);
    slot = qinv_put_wait(&lab->v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab->v);
    g_assert_true(qvtd_wait_done(&lab->v, slot));
    pri_switch_expect(&t.s, n, 0, false);

    check_msi_lost(&t, n);
    check_works(&t);
    pri_lab_stop(lab);
}

/* A bridge that is none of PCI Express has no say in this */
static void test_conventional(void)
{
    static const uint16_t bridges[] = { 4 << 3, 1 << 8 | 1 << 3, 2 << 8 };
    QPtOp op = {
        .cmd = PT_OP_FILL, .flags = PT_FLAG_UNTRANSLATED, .dst = RAM,
        .len = 8, .pattern = PATTERN,
    };
    QPriTestdev d;
    QTestState *qts = qtest_init(
        "-machine q35 -m 64M -nodefaults "
        "-device pci-bridge,id=b0,chassis_nr=1,bus=pcie.0,addr=4 "
        "-device x3130-upstream,id=up0,bus=b0,addr=1 "
        "-device xio3130-downstream,id=dn0,bus=up0,chassis=2,slot=2,addr=0 "
        "-device pri-testdev,bus=dn0");

    qpt_ecam_enable(qts);
    for (unsigned int i = 0; i < ARRAY_SIZE(bridges); i++) {
        qtest_writel(qts, qpt_ecam(bridges[i], 0x18), 3 << 16 | (i + 1) << 8 |
                     i);
        qtest_writel(qts, qpt_ecam(bridges[i], 0x20), WINDOW_4_MIB);
        qtest_writew(qts, qpt_ecam(bridges[i], COMMAND), COMMAND_ON);
    }
    qpt_init_at(&d, qts, 3 << 8, WINDOW);
    qpt_config_writew(&d, COMMAND, COMMAND_ON);
    g_assert_cmpuint(qpt_run(&d, 0, &op), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(qts, RAM), ==, PATTERN);
    qtest_writew(qts, qpt_ecam(bridges[1], COMMAND), COMMAND_NO_BME);
    g_assert_cmpuint(qpt_run(&d, 0, &op), ==, PT_ST_DMA_ERROR);
    qtest_quit(qts);
}

/* -- PORT-02, PORT-03: Access Control Services ----------------------------- */

static void acs(PathTest *t, unsigned int n, uint16_t bits)
{
    QRootPort *p = &t->s.port[n];

    g_assert_cmpuint(p->acs, !=, 0);
    qrp_writew(p, p->acs + QRP_ACS_CTL, bits);
    g_assert_cmphex(qrp_readw(p, p->acs + QRP_ACS_CTL), ==, bits);
}

/* Requests whose requester id is of another bus: messages, too */
static void test_source(const void *opaque)
{
    unsigned int n = GPOINTER_TO_UINT(opaque);
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA + 0x100 * PAGE, .len = 8,
    };
    PathTest t;
    PriLab *lab = &t.s.lab;
    QRootPort *p = &t.s.port[n];
    bool stopped = n == PRI_SWITCH_DOWN;
    QVtdFault fault;
    uint32_t slot;

    start(&t, NULL, ",acs=on");
    acs(&t, n, QRP_ACS_SV);
    check_works(&t);
    qpt_knob_set(&lab->d, PT_KNOB_GROUP_SHAPE, SHAPE_OTHER_BUS);
    qpt_start(&lab->d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab->d, 0), ==, PT_ST_RUNNING);
    /* it says it is of bus 2, which is below the root port, so it passes */
    g_assert_cmpint(qvtd_fault(&lab->v, &fault), ==, !stopped);
    if (stopped) {
        g_assert_cmphex(__builtin_bswap32(qrp_readl(p, p->aer +
                                                    QRP_AER_HEADER)) >> 24,
                        ==, TLP_MSG_ROOT);
        g_assert_cmphex(__builtin_bswap32(qrp_readl(p, p->aer +
                                                    QRP_AER_HEADER + 4)), ==,
                        (lab->d.rid ^ 0x100) << 16 | CODE_PAGE_REQUEST);
    } else {
        g_assert_cmphex(QVTD_FAULT_SID(&fault), ==, lab->d.rid ^ 0x100);
    }
    pri_switch_expect(&t.s, n, stopped ? QRP_AER_ACSV : 0, false);

    /* the same for a completion: it never comes */
    qpt_knob_set(&lab->d, PT_KNOB_INV_REPLY, REPLY_WRONG_BUS);
    qinv_put_dev_tlb(&lab->v, lab->d.rid);
    slot = qinv_put_wait(&lab->v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab->v);
    g_assert_false(qvtd_wait_done(&lab->v, slot));
    /* ICE: somebody else's completion */
    g_assert_cmphex(qinv_fsts(&lab->v) & QVTD_FSTS_ICE, ==,
                    stopped ? 0 : QVTD_FSTS_ICE);
    pri_switch_expect(&t.s, n, stopped ? QRP_AER_ACSV : 0, false);
    pri_lab_stop(lab);
}

/* The port's own bus numbers are what it compares with */
static void test_source_aperture(void)
{
    PathTest t;
    QRootPort *p = &t.s.port[PRI_SWITCH_ROOT];

    start(&t, NULL, NULL);
    acs(&t, PRI_SWITCH_ROOT, QRP_ACS_SV);
    /* subordinate 2: bus 3 is not below it any more */
    qrp_writel(p, 0x18, 2 << 16 | 1 << 8);
    lab_request(&t.s.lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, 0);
    qrp_writel(p, 0x18, 4 << 16 | 1 << 8);
    g_assert_cmpuint(qvtd_prq_pending(&t.s.lab.v), ==, 0);
    pri_switch_expect(&t.s, PRI_SWITCH_ROOT, QRP_AER_ACSV, false);
    check_works(&t);
    pri_lab_stop(&t.s.lab);
}

static void test_translation_blocking(const void *opaque)
{
    unsigned int n = GPOINTER_TO_UINT(opaque);
    PathTest t;
    PriLab *lab = &t.s.lab;

    start(&t, NULL, ",acs=on");
    acs(&t, n, QRP_ACS_TB);
    for (unsigned int kind = WRITE; kind <= READ_PASID; kind++) {
        QPtOp op = request(kind);

        g_assert_cmpuint(qpt_run(&lab->d, 0, &op), ==, PT_ST_DONE);
    }
    pri_switch_expect(&t.s, n, 0, false);
    check_stopped(&t, n, TRANSLATED, QRP_AER_ACSV);
    check_stopped(&t, n, TRANSLATE, QRP_AER_ACSV);
    /* Received Target Abort of the function, 7.5.1.1.4 */
    g_assert_cmphex(qpt_config_readw(&lab->d, 6) & (1 << 12), ==, 1 << 12);
    lab_request(lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, 5);
    g_assert_cmpuint(qvtd_prq_pending(&lab->v), ==, 1);
    /* ACS Violation comes before Unsupported Request, 6.2.3.2.3 */
    qrp_writew(&t.s.port[n], COMMAND, COMMAND_NO_BME);
    check_stopped(&t, n, TRANSLATE, QRP_AER_ACSV);
    qrp_writew(&t.s.port[n], COMMAND, COMMAND_ON);
    acs(&t, n, 0);
    check_works(&t);
    pri_lab_stop(lab);
}

/* -- PORT-04: End-End TLP Prefix Blocking ---------------------------------- */

static void block_prefix(PathTest *t, unsigned int n, bool block)
{
    QRootPort *p = &t->s.port[n];

    qrp_writew(p, p->exp + QRP_DEVCTL2, block ? QRP_DEVCTL2_EETLPPB : 0);
}

/* What leaves the switch by its Upstream Port */
static void test_prefix_up(void)
{
    PathTest t;
    PriLab *lab = &t.s.lab;
    QRootPort *p = &t.s.port[PRI_SWITCH_UP];
    QPtOp op = request(WRITE), translated = request(TRANSLATED);
    uint32_t slot;

    start(&t, NULL, NULL);
    block_prefix(&t, PRI_SWITCH_UP, true);
    check_stopped(&t, PRI_SWITCH_UP, WRITE_PASID, QRP_AER_PREFIX);
    check_stopped(&t, PRI_SWITCH_UP, READ_PASID, QRP_AER_PREFIX);
    /* a translated request has none: PASID Capability bit 3 is 0 */
    g_assert_cmpuint(qpt_run(&lab->d, 0, &translated), ==, PT_ST_DONE);
    g_assert_cmphex(memory(&t, TRANSLATED), !=, 0);
    check_stopped(&t, PRI_SWITCH_UP, TRANSLATE, QRP_AER_PREFIX);
    g_assert_cmpuint(qpt_run(&lab->d, 0, &op), ==, PT_ST_DONE);

    lab_request(lab, LAB_IOVA, PT_RAW_READ | PT_RAW_WRITE | PT_RAW_LAST, PRGI);
    g_assert_cmpuint(qvtd_prq_pending(&lab->v), ==, 0);
    g_assert_cmphex(__builtin_bswap32(qrp_readl(p, p->aer +
                                                QRP_AER_TLP_PREFIX)), ==,
                    0x91000000 | LAB_PASID);
    /* the page, the index, L, W and R: 10.4.1 */
    g_assert_cmphex(__builtin_bswap32(qrp_readl(p, p->aer + QRP_AER_HEADER +
                                                8)), ==, LAB_IOVA >> 32);
    g_assert_cmphex(__builtin_bswap32(qrp_readl(p, p->aer + QRP_AER_HEADER +
                                                12)), ==,
                    (uint32_t)LAB_IOVA | PRGI << 3 | 7);
    pri_switch_expect(&t.s, PRI_SWITCH_UP, QRP_AER_PREFIX, false);
    lab_request_rid(lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, 6);
    g_assert_cmpuint(qvtd_prq_pending(&lab->v), ==, 1);

    /* what comes down comes in here, and does not leave */
    qinv_put(&lab->v, qinv_desc_valid(QINV_DEV_PTLB, lab->d.rid));
    slot = qinv_put_wait(&lab->v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab->v);
    g_assert_true(qvtd_wait_done(&lab->v, slot));
    /* nor does what the port does not let in: that is the error then */
    qrp_writew(p, COMMAND, COMMAND_NO_BME);
    check_stopped(&t, PRI_SWITCH_UP, WRITE_PASID, QRP_AER_UR);
    qrp_writew(p, COMMAND, COMMAND_ON);
    block_prefix(&t, PRI_SWITCH_UP, false);
    check_works(&t);
    pri_lab_stop(lab);
}

/* What leaves a Root Port or a Downstream Port on its way down */
static void test_prefix_down(const void *opaque)
{
    unsigned int n = GPOINTER_TO_UINT(opaque);
    PathTest t;
    PriLab *lab = &t.s.lab;
    QRootPort *p = &t.s.port[n];
    uint32_t slot;

    start(&t, NULL, NULL);
    block_prefix(&t, n, true);
    check_works(&t);
    lab_request(lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, 5);
    g_assert_cmpuint(qvtd_prq_pending(&lab->v), ==, 1);
    qvtd_respond(&lab->v, lab->d.rid, LAB_PASID, 5, QPT_SUCCESS);
    lab_expect_silence(lab);
    g_assert_cmphex(__builtin_bswap32(qrp_readl(p, p->aer + QRP_AER_HEADER +
                                                4)), ==, CODE_PRG_RESPONSE);
    pri_switch_expect(&t.s, n, QRP_AER_PREFIX, false);
    lab_request_rid(lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, 6);
    qvtd_respond(&lab->v, lab->d.rid, QVTD_NO_PASID, 6, QPT_SUCCESS);
    lab_expect_response(lab, QPT_SUCCESS, 6, QVTD_NO_PASID);

    /* an invalidation of a PASID does not come, one of the function does */
    qinv_put(&lab->v, qinv_desc_valid(QINV_DEV_TLB, lab->d.rid));
    slot = qinv_put_wait(&lab->v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab->v);
    g_assert_true(qvtd_wait_done(&lab->v, slot));
    pri_switch_expect(&t.s, n, 0, false);
    qinv_put(&lab->v, qinv_desc_valid(QINV_DEV_PTLB, lab->d.rid));
    slot = qinv_put_wait(&lab->v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab->v);
    g_assert_false(qvtd_wait_done(&lab->v, slot));
    pri_switch_expect(&t.s, n, QRP_AER_PREFIX, false);
    pri_lab_stop(lab);
}

/* Both bits are clear after a reset of the machine */
static void test_reset(void)
{
    PathTest t;

    start(&t, NULL, ",acs=on");
    for (unsigned int n = 0; n < PRI_SWITCH_PORTS; n++) {
        block_prefix(&t, n, true);
        if (t.s.port[n].acs) {
            acs(&t, n, QRP_ACS_TB);
        }
    }
    lab_reset(&t.s.lab);
    qpt_ecam_enable(t.s.lab.qts);
    g_assert_cmphex(qrp_readw(&t.s.port[PRI_SWITCH_ROOT],
                              t.s.port[PRI_SWITCH_ROOT].exp + QRP_DEVCTL2), ==,
                    0);
    g_assert_cmphex(qrp_readw(&t.s.port[PRI_SWITCH_ROOT],
                              t.s.port[PRI_SWITCH_ROOT].acs + QRP_ACS_CTL), ==,
                    0);
    /* bus numbers are gone as well */
    qtest_writel(t.s.lab.qts, qpt_ecam(t.s.port[PRI_SWITCH_ROOT].rid, 0x18),
                 4 << 16 | 1 << 8);
    qtest_writel(t.s.lab.qts, qpt_ecam(1 << 8, 0x18), 4 << 16 | 2 << 8 | 1);
    for (unsigned int n = PRI_SWITCH_DOWN; n <= PRI_SWITCH_UP; n++) {
        QRootPort *p = &t.s.port[n];

        g_assert_cmphex(qrp_readw(p, p->exp + QRP_DEVCTL2), ==, 0);
        if (p->acs) {
            g_assert_cmphex(qrp_readw(p, p->acs + QRP_ACS_CTL), ==, 0);
        }
    }
    pri_lab_stop(&t.s.lab);
}

/* -- PORT-05: what a port reports ------------------------------------------ */

/* Its own error is not held up by SERR# Enable of its Bridge Control */
static void test_message(void)
{
    PathTest t;
    QRootPort *p = &t.s.port[PRI_SWITCH_ROOT];
    QPtOp op = request(WRITE);

    start(&t, NULL, NULL);
    qrp_writew(p, p->exp + QRP_DEVCTL, QRP_DEVCTL_NFERE | 1 << 3);
    qrp_writew(p, COMMAND, COMMAND_NO_BME);
    qpt_run(&t.s.lab.d, 0, &op);
    g_assert_cmphex(qrp_readl(p, p->aer + QRP_AER_ROOT_STATUS), ==,
                    QRP_AER_UNCOR_RCV | QRP_AER_NONFATAL_RCV);
    g_assert_cmphex(qrp_readl(p, p->aer + QRP_AER_SOURCE) >> 16, ==, p->rid);
    /* Received System Error of the Secondary Status is for what it forwards */
    g_assert_cmphex(qrp_readw(p, QRP_SEC_STATUS) & (1 << 14), ==, 0);
    pri_lab_stop(&t.s.lab);
}

/* In the device's log nothing ends behind the reset: that would be of before */
static void check_log(PriLab *lab)
{
    QDict *rsp = qtest_qmp(lab->qts, "{ 'execute': 'qom-get', 'arguments': "
                           "{ 'path': '/machine/peripheral/pt0', "
                           "'property': 'log' } }");
    const char *log = qdict_get_try_str(rsp, "return") ?: "";
    const char *reset = strstr(log, " reset ");

    g_assert_nonnull(strstr(log, " end "));
    g_assert_nonnull(reset);
    g_assert_null(strstr(reset ?: "", " end "));
    qobject_unref(rsp);
}

/* Containment resets the function that is in the middle of an operation */
static void test_contained(const void *opaque)
{
    unsigned int kind = GPOINTER_TO_UINT(opaque);
    PathTest t;
    PriLab *lab = &t.s.lab;
    QRootPort *p = &t.s.port[PRI_SWITCH_ROOT];
    QPtOp op = request(kind);

    start(&t, NULL, NULL);
    qrp_writew(p, p->exp + QRP_DEVCTL, QRP_DEVCTL_NFERE | QRP_DEVCTL_FERE |
               1 << 3);
    /* fatal: an advisory error triggers nothing */
    qrp_writel(p, p->aer + 0xc, QRP_AER_UR);
    qrp_writew(p, p->dpc + QRP_DPC_CTL, QRP_DPC_CTL_FATAL);
    qrp_writew(p, COMMAND, COMMAND_NO_BME);
    qpt_writel(&lab->d, PT_CTRL, PT_CTRL_FLUSH_ATC | PT_CTRL_CLEAR_LOG);
    op.len = 3 * PAGE;
    for (unsigned int ch = 0; ch < 4; ch++) {
        qpt_start(&lab->d, ch, &op);
    }
    qtest_clock_step(lab->qts, 1000);
    g_assert_cmphex(qrp_readw(p, p->dpc + QRP_DPC_STATUS) & QRP_DPC_TRIGGERED,
                    ==, QRP_DPC_TRIGGERED);
    /* nothing below can be reached */
    g_assert_cmphex(qtest_readl(lab->qts, lab->d.bar0), ==, UINT32_MAX);
    g_assert_cmphex(qrp_readl(p, p->aer + QRP_AER_UNCOR), ==, QRP_AER_UR);
    check_log(lab);
    pri_lab_stop(lab);
}

static void add(const char *name, unsigned int n, void (*fn)(const void *))
{
    static const char *const port_names[] = {
        "downstream", "upstream", "root"
    };
    g_autofree char *path = g_strdup_printf("/path/%s/%s", name, port_names[n]);

    qtest_add_data_func(path, GUINT_TO_POINTER(n), fn);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    for (unsigned int n = 0; n < PRI_SWITCH_PORTS; n++) {
        add("PORT-01/bus-master-enable", n, test_bme);
        if (n == PRI_SWITCH_UP) {
            continue;
        }
        add("PORT-02/source-validation", n, test_source);
        add("PORT-03/translation-blocking", n, test_translation_blocking);
        add("PORT-04/prefix-down", n, test_prefix_down);
    }
    qtest_add_func("/path/PORT-01/conventional-bridge", test_conventional);
    qtest_add_func("/path/PORT-02/aperture", test_source_aperture);
    qtest_add_func("/path/PORT-04/PASID-02/prefix-up", test_prefix_up);
    qtest_add_func("/path/PORT-04/reset", test_reset);
    qtest_add_func("/path/PORT-05/message", test_message);
    qtest_add_data_func("/path/PORT-05/contained/write",
                        GUINT_TO_POINTER(WRITE), test_contained);
    qtest_add_data_func("/path/PORT-05/contained/translate",
                        GUINT_TO_POINTER(TRANSLATE), test_contained);
    return g_test_run();
}
