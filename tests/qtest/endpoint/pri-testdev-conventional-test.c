/*
 * pri-testdev: a conventional PCI function, below a PCIe-to-PCI bridge
 *
 * PORT-13: it has no PCI Express capability and no extended ones, so no ATS,
 * Page Requests or PASIDs, and no messages.  What it sends has the requester ID
 * of the bridge, which is device 0 of the secondary bus (PCI Express to
 * PCI/PCI-X Bridge Specification 1.0, 2.3).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/pri-root-port.h"
#include "libqos/vtd-inv.h"

#define SLOT            4
#define WINDOW          0xe1000000ULL
#define WINDOW_SIZE     0x400000ULL
#define BRIDGE          (1 << 8)
#define BUS             2
#define BRIDGE_ID       (BUS << 8)          /* of what comes from BUS */
#define FUNCTION(n)     (BUS << 8 | 1 << 3 | (n))

#define PAGE            0x1000ULL
#define IOVA            0x7000000ULL
#define PATTERN         0x0123456789abcdefULL
#define COMMAND         0x04
#define CLASS           0x08
#define HEADER          0x0c
#define SUBSYSTEM       0x2c
#define BRIDGE_CONTROL  0x3e
#define BRIDGE_SBR      0x40
#define AF_CTRL         4
#define PMCSR           4
#define ONES            UINT32_MAX

static void boot(PriLab *lab)
{
    QTestState *qts;

    memset(lab, 0, sizeof(*lab));
    qts = lab->qts = qtest_initf(
        "-machine q35 -m 256M -nodefaults "
        "-device intel-iommu,id=vtd," LAB_VTD_OPTIONS ",ite-timeout-ms=100 "
        "-device pri-root-port,id=rp0,chassis=1,slot=1,bus=pcie.0,addr=%u "
        "-device pcie-pci-bridge,id=br0,bus=rp0 "
        "-device pri-testdev,id=pt0,bus=br0,addr=1.0,multifunction=on,"
        "conventional=on,af-flr=on,no-soft-reset=off "
        "-device pri-testdev,id=pt1,bus=br0,addr=1.1,conventional=on", SLOT);
    qvtd_init(&lab->v, qts);
    qpt_ecam_enable(qts);
    qpt_bridge_range(qts, SLOT << 3, 1, BUS, WINDOW, WINDOW_SIZE);
    qpt_bridge_range(qts, BRIDGE, BUS, BUS, WINDOW, WINDOW_SIZE);
    qpt_init_at(&lab->d, qts, FUNCTION(0), WINDOW);
    qpt_init_at(&lab->d2, qts, FUNCTION(1), WINDOW);
}

/* The IOMMU knows the bridge's ID, and none of the functions' own */
static void start(PriLab *lab)
{
    boot(lab);
    qvtd_start(&lab->v);
    qvtd_device_setup(&lab->v, BRIDGE_ID, 7);
    lab->rid_pml4 = qvtd_pasid_setup(&lab->v, BRIDGE_ID, 0, LAB_RID_DID);
    qvtd_flush(&lab->v);
    qvtd_prq_start(&lab->v, 0);
    qpt_enable(&lab->d, 0);
    qpt_enable(&lab->d2, 0);
}

static uint32_t write_to(QPriTestdev *d, uint64_t iova)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_UNTRANSLATED, .dst = iova,
        .len = 8, .pattern = PATTERN,
    };

    return qpt_run(d, 0, &op);
}

/* -- What it has ----------------------------------------------------------- */

static void check_header(QPriTestdev *d, bool first)
{
    g_assert_cmphex(qpt_config_readl(d, 0), ==, 0x50521234);
    g_assert_cmphex(qpt_config_readl(d, CLASS), ==, 0xff000001);
    g_assert_cmphex(qpt_config_readl(d, HEADER), ==, first ? 0x800000 : 0);
    g_assert_cmphex(qpt_config_readl(d, SUBSYSTEM), ==, 0x11001af4);
}

static void check_capabilities(QPriTestdev *d)
{
    g_assert_cmpuint(d->exp, ==, 0);
    g_assert_cmpuint(d->msix, !=, 0);
    g_assert_cmpuint(qpt_find_cap(d, QPT_CAP_ID_PM), !=, 0);
    /* there is nothing behind 256 bytes, nor does a write get there */
    for (unsigned int at = 0x100; at < 0x1000; at += 4) {
        g_assert_cmphex(qpt_config_readl(d, at), ==, ONES);
        qpt_config_writel(d, at, 0);
        qpt_config_writel(d, at, ONES);
    }
    g_assert_cmpuint(qpt_readl(d, PT_PASID_BITS), ==, 0);
    g_assert_cmphex(qpt_readl(d, PT_STATE) &
                    (PT_STATE_ATS | PT_STATE_PRI | PT_STATE_PASID), ==, 0);
}

static void test_capabilities(void)
{
    PriLab lab;

    start(&lab);
    check_capabilities(&lab.d);
    check_capabilities(&lab.d2);
    check_header(&lab.d, true);
    check_header(&lab.d2, false);
    g_assert_cmpuint(qpt_find_cap(&lab.d, QPT_CAP_ID_AF), !=, 0);
    g_assert_cmpuint(qpt_find_cap(&lab.d2, QPT_CAP_ID_AF), ==, 0);
    pri_lab_stop(&lab);
}

/* Whatever is written: what is not there is not changed by a reset either */
static void test_config_writes(void)
{
    static const uint32_t values[] = { ONES, 0, 0xa5a5a5a5, 0x80008000 };
    PriLab lab;

    start(&lab);
    for (unsigned int v = 0; v < ARRAY_SIZE(values); v++) {
        for (unsigned int at = 0; at < 0x100; at += 4) {
            qpt_config_writel(&lab.d, at, values[v]);
            qtest_writeb(lab.qts, qpt_ecam(lab.d.rid, at + 1), values[v]);
        }
        check_header(&lab.d, true);
    }
    qpt_restore(&lab.d);
    g_assert_cmphex(qpt_readl(&lab.d, PT_ID), ==, PT_ID_MAGIC);
    lab_reset(&lab);
    qpt_ecam_enable(lab.qts);
    qpt_bridge_range(lab.qts, SLOT << 3, 1, BUS, WINDOW, WINDOW_SIZE);
    qpt_bridge_range(lab.qts, BRIDGE, BUS, BUS, WINDOW, WINDOW_SIZE);
    check_header(&lab.d, true);
    check_header(&lab.d2, false);
    pri_lab_stop(&lab);
}

/* Knobs, messages and resets by registers, in any order */
static void test_register_writes(void)
{
    GRand *rand = g_rand_new_with_seed(13);
    PriLab lab;

    start(&lab);
    for (unsigned int i = 0; i < 4000; i++) {
        uint32_t at = g_rand_int_range(rand, 0, 0x3000) & ~3u;

        qpt_writel(&lab.d, at, i & 1 ? 1 : g_rand_int(rand));
        if (i % 64 == 0) {
            qtest_clock_step(lab.qts, 10 * QINV_MS);
            qpt_restore(&lab.d);
            qpt_enable(&lab.d, 0);
        }
    }
    for (uint32_t knob = 0; knob < PT_KNOB_NR; knob++) {
        qpt_knob_set(&lab.d, knob, 1);
        write_to(&lab.d, IOVA);
    }
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    check_header(&lab.d2, false);
    g_assert_cmphex(qpt_readl(&lab.d2, PT_ID), ==, PT_ID_MAGIC);
    g_rand_free(rand);
    pri_lab_stop(&lab);
}

/* -- What the IOMMU sees --------------------------------------------------- */

static void check_fault(PriLab *lab, QPriTestdev *d)
{
    QVtdFault fault;

    g_assert_cmpuint(write_to(d, IOVA + PAGE), ==, PT_ST_DMA_ERROR);
    g_assert_true(qvtd_fault(&lab->v, &fault));
    g_assert_cmphex(QVTD_FAULT_SID(&fault), ==, BRIDGE_ID);
    g_assert_cmphex(QVTD_FAULT_FI(&fault), ==, IOVA + PAGE);
    g_assert_cmpuint(QVTD_FAULT_AT(&fault), ==, 0);
    g_assert_cmpuint(QVTD_FAULT_PP(&fault), ==, 0);
    qvtd_fault_clear(&lab->v);
}

static void test_requester_id(void)
{
    QPriTestdev *each[2];
    uint64_t pa;
    PriLab lab;

    start(&lab);
    each[0] = &lab.d;
    each[1] = &lab.d2;
    pa = qvtd_alloc(&lab.v, 1);
    qvtd_fs_map(&lab.v, lab.rid_pml4, IOVA, pa, QVTD_FS_USER);
    for (unsigned int i = 0; i < ARRAY_SIZE(each); i++) {
        qtest_writeq(lab.qts, pa, 0);
        g_assert_cmpuint(write_to(each[i], IOVA), ==, PT_ST_DONE);
        g_assert_cmphex(qtest_readq(lab.qts, pa), ==, PATTERN ^ IOVA);
        check_fault(&lab, each[i]);
    }
    /* one entry for both: when it is gone, so is the DMA of each */
    qvtd_set(&lab.v, qvtd_pasid_entry(&lab.v, BRIDGE_ID, 0), QVTD_PE_P, 0);
    qvtd_flush(&lab.v);
    for (unsigned int i = 0; i < ARRAY_SIZE(each); i++) {
        g_assert_cmpuint(write_to(each[i], IOVA), ==, PT_ST_DMA_ERROR);
    }
    pri_lab_stop(&lab);
}

/* It sends no messages, and gets none */
static void test_messages(void)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .dst = IOVA, .len = 8, .pattern = PATTERN,
    };
    QPtRaw raw = { .addr = IOVA, .pasid = QPT_NO_PASID,
                   .flags = PT_RAW_READ | PT_RAW_LAST };
    PriLab lab;
    uint32_t slot;

    start(&lab);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_NOT_ENABLED);
    op.flags = PT_FLAG_PASID | PT_FLAG_UNTRANSLATED;
    op.pasid = 1;
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_NOT_ENABLED);
    qpt_raw(&lab.d, &raw);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    qpt_writel(&lab.d, PT_STOP_PASID, PT_STOP_MARKER | 1);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    qinv_put_dev_tlb(&lab.v, BRIDGE_ID);
    slot = qinv_put_wait(&lab.v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab.v);
    qtest_clock_step(lab.qts, 200 * QINV_MS);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(qinv_fsts(&lab.v) & QVTD_FSTS_ITE, ==, QVTD_FSTS_ITE);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_INV_REQUESTS), ==, 0);
    pri_lab_stop(&lab);
}

/* The bridge takes nothing of its bus then: an abort, and no error on PCIe */
static void test_bridge_master(void)
{
    QRootPort port, bridge;
    QVtdFault fault;
    PriLab lab;

    start(&lab);
    qrp_find_port(&port, lab.qts, SLOT << 3);
    qrp_find_port(&bridge, lab.qts, BRIDGE);
    qrp_writel(&port, port.aer + QRP_AER_UNCOR_MASK, 0);
    qrp_writel(&bridge, bridge.aer + QRP_AER_UNCOR_MASK, 0);
    qrp_writew(&bridge, COMMAND, 2);
    g_assert_cmpuint(write_to(&lab.d, IOVA), ==, PT_ST_DMA_ERROR);
    g_assert_false(qvtd_fault(&lab.v, &fault));
    g_assert_cmphex(qrp_readl(&bridge, bridge.aer + QRP_AER_UNCOR), ==, 0);
    g_assert_cmphex(qrp_readl(&port, port.aer + QRP_AER_UNCOR), ==, 0);
    /* it goes on as a TLP, with the bridge's ID */
    qrp_writew(&bridge, COMMAND, 6);
    qrp_writew(&port, COMMAND, 2);
    g_assert_cmpuint(write_to(&lab.d, IOVA), ==, PT_ST_DMA_ERROR);
    g_assert_cmphex(qrp_readl(&port, port.aer + QRP_AER_UNCOR), ==, QRP_AER_UR);
    g_assert_cmphex(bswap32(qrp_readl(&port, port.aer + QRP_AER_HEADER + 4)) >>
                    16, ==, BRIDGE_ID);
    pri_lab_stop(&lab);
}

/* -- How it is reset ------------------------------------------------------- */

static void begin_af(PriLab *lab)
{
    qtest_writeb(lab->qts, qpt_ecam(lab->d.rid, AF_CTRL +
                 qpt_find_cap(&lab->d, QPT_CAP_ID_AF)), 1);
}

static void begin_d3hot(PriLab *lab)
{
    unsigned int pm = qpt_find_cap(&lab->d, QPT_CAP_ID_PM) + PMCSR;

    qpt_config_writew(&lab->d, pm, 3);
    qpt_config_writew(&lab->d, pm, 0);
}

static void reset_below(PriLab *lab, uint16_t rid)
{
    uint64_t at = qpt_ecam(rid, BRIDGE_CONTROL);

    qtest_writew(lab->qts, at, BRIDGE_SBR);
    qtest_writew(lab->qts, at, 0);
}

static void begin_bridge(PriLab *lab)
{
    reset_below(lab, BRIDGE);
}

/* The bridge is reset as well, and has no bus numbers any more */
static void begin_port(PriLab *lab)
{
    reset_below(lab, SLOT << 3);
    qpt_bridge_range(lab->qts, BRIDGE, BUS, BUS, WINDOW, WINDOW_SIZE);
}

typedef struct Reset {
    const char *name;
    void (*begin)(PriLab *lab);
    uint32_t kind;
    bool both;
} Reset;

static const Reset resets[] = {
    { "af-flr", begin_af, PT_RESET_AF, false },
    { "d3hot", begin_d3hot, PT_RESET_D3HOT, false },
    { "bridge", begin_bridge, PT_RESET_HOT, true },
    { "port", begin_port, PT_RESET_OTHER, true },
};

static void test_reset(const void *opaque)
{
    const Reset *reset = opaque;
    PriLab lab;

    start(&lab);
    qpt_writel(&lab.d, PT_SCRATCH, 1);
    qpt_writel(&lab.d2, PT_SCRATCH, 1);
    reset->begin(&lab);
    g_assert_cmphex(qpt_config_readw(&lab.d, COMMAND), ==, 0);
    check_header(&lab.d, true);
    qpt_restore(&lab.d);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_SCRATCH), ==, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_RESET_LAST), ==, reset->kind);
    g_assert_cmphex(qpt_config_readw(&lab.d2, COMMAND), ==,
                    reset->both ? 0 : 6);
    qpt_restore(&lab.d2);
    g_assert_cmpuint(qpt_readl(&lab.d2, PT_SCRATCH), ==, !reset->both);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    qtest_add_func("/conventional/PORT-13/capabilities", test_capabilities);
    qtest_add_func("/conventional/PORT-13/config-writes", test_config_writes);
    qtest_add_func("/conventional/PORT-13/register-writes",
                   test_register_writes);
    qtest_add_func("/conventional/PORT-13/requester-id", test_requester_id);
    qtest_add_func("/conventional/PORT-13/messages", test_messages);
    qtest_add_func("/conventional/PORT-13/bridge-master", test_bridge_master);
    for (unsigned int i = 0; i < ARRAY_SIZE(resets); i++) {
        g_autofree char *name = g_strdup_printf("/conventional/reset/%s",
                                                resets[i].name);

        qtest_add_data_func(name, &resets[i], test_reset);
    }
    return g_test_run();
}
