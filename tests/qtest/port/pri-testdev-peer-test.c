/*
 * Peer-to-peer requests below a switch: who is asked for the address
 *
 * PCIe 6.2 6.12.2, 6.12.3 table 6-11
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/pri-switch.h"

#define PAGE            0x1000ull
/* In the window of the other port, between the BARs of the function there */
#define PEER            0xe1500000ull
#define WINDOW_FIRST    0xe1400000ull   /* of that port */
#define WINDOW_LAST     0xe17fffffull
#define OUTSIDE         0xe1900000ull   /* in that of no port */
#define PATTERN         0x0123456789abcdefull
#define OTHER           0x5555555555555555ull
#define PEER_MEMORY     (4 << 8 | 1)    /* of ivshmem, beside the peer */
#define PEER_BRIDGE     PEER_MEMORY
#define BEHIND_BRIDGE   (5 << 8 | 1 << 3)
#define PEER_IO         (4 << 8 | 2)    /* of pci-testdev */
#define ROOT_PORT       (4 << 3)
#define UPSTREAM        (1 << 8)
#define PEER_PORT       (2 << 8 | 1 << 3)
#define REGISTERS       0xe1780000ull   /* of ivshmem: 256 bytes */
#define UNCLAIMED       0xe1700000ull
#define IO_ADDRESS      0xc000
#define COMMAND         0x04
#define COMMAND_NO_MEM  0x4
#define COMMAND_NO_BME  0x2
#define BAR0            0x10
#define BAR1            0x14
#define BAR2            0x18
#define BUSES           0x18
#define WINDOW          0x20
#define PREFETCHABLE    0x24
#define CLOSED          0x0000fff0      /* ends before it begins */
#define BESIDE          (2 << 8 | 2 << 3)   /* a function beside the ports */
#define LOW             0x5000ull       /* in a window whose registers are 0 */
#define UNTRANSLATED    (PT_FLAG_UNTRANSLATED | PT_FLAG_PASID)
#define ATS             (PT_FLAG_PASID | PT_FLAG_NO_PRI)

typedef struct PeerTest {
    PriSwitch s;
    uint64_t page;          /* where the IOMMU has the address of the peer */
    uint64_t copy;          /* at LAB_IOVA */
} PeerTest;

static void start_devices(PeerTest *t, const char *devices)
{
    pri_switch_start_with(&t->s, " -object memory-backend-ram,id=m,size=1M",
                          ",acs=on", ",multifunction=on", devices);
}

/* What the addresses lead to: memory of the peer, of function @rid, or pages */
static void map(PeerTest *t, uint16_t rid)
{
    PriLab *lab = &t->s.lab;

    qtest_writel(lab->qts, qpt_ecam(rid, BAR2), PEER);
    qtest_writel(lab->qts, qpt_ecam(rid, BAR2 + 4), 0);
    qtest_writew(lab->qts, qpt_ecam(rid, COMMAND), 0x6);
    qtest_writeq(lab->qts, PEER, OTHER);
    g_assert_cmphex(qtest_readq(lab->qts, PEER), ==, OTHER);
    t->page = qvtd_alloc(&lab->v, 1);
    t->copy = qvtd_alloc(&lab->v, 1);
    for (unsigned int i = 0; i < 2; i++) {
        uint64_t pml4 = i ? lab->rid_pml4 : lab->pml4;

        qvtd_fs_map(&lab->v, pml4, PEER, t->page, QVTD_FS_USER);
        qvtd_fs_map(&lab->v, pml4, OUTSIDE, t->page, QVTD_FS_USER);
        qvtd_fs_map(&lab->v, pml4, LAB_IOVA, t->copy, QVTD_FS_USER);
    }
}

static void start(PeerTest *t)
{
    start_devices(t, " -device ivshmem-plain,memdev=m,bus=dn1,addr=0.1");
    map(t, PEER_MEMORY);
}

static void acs(PeerTest *t, uint16_t bits)
{
    QRootPort *p = &t->s.port[PRI_SWITCH_DOWN];

    qrp_writew(p, p->acs + QRP_ACS_CTL, bits);
    g_assert_cmphex(qrp_readw(p, p->acs + QRP_ACS_CTL), ==, bits);
}

static unsigned int fill_bytes(PeerTest *t, uint32_t flags, uint64_t addr,
                               uint64_t len)
{
    QPtOp op = {
        .cmd = PT_OP_FILL, .flags = flags, .pasid = LAB_PASID, .dst = addr,
        .len = len, .pattern = PATTERN,
    };

    return qpt_run(&t->s.lab.d, 0, &op);
}

static unsigned int fill(PeerTest *t, uint32_t flags, uint64_t addr)
{
    return fill_bytes(t, flags, addr, 8);
}

/* What a read of @addr gets */
static uint64_t read_at(PeerTest *t, uint32_t flags, uint64_t addr)
{
    QPtOp op = {
        .cmd = PT_OP_COPY, .flags = flags, .pasid = LAB_PASID, .src = addr,
        .dst = LAB_IOVA, .len = 8,
    };

    g_assert_cmpuint(qpt_run(&t->s.lab.d, 0, &op), ==, PT_ST_DONE);
    return qtest_readq(t->s.lab.qts, t->copy);
}

/* Memory of the peer, or what the IOMMU has at that address, is written */
static void check_write(PeerTest *t, uint32_t flags, uint64_t addr, bool peer)
{
    QTestState *qts = t->s.lab.qts;
    QVtdFault fault;

    qtest_writeq(qts, PEER, OTHER);
    qtest_writeq(qts, t->page, OTHER);
    g_assert_cmpuint(fill(t, flags, addr), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(qts, PEER), !=, qtest_readq(qts, t->page));
    g_assert_cmphex(qtest_readq(qts, peer ? PEER : t->page), !=, OTHER);
    g_assert_false(qvtd_fault(&t->s.lab.v, &fault));
    pri_switch_expect(&t->s, 0, 0, false);
}

static void check_read(PeerTest *t, uint32_t flags, uint64_t addr, bool peer)
{
    QTestState *qts = t->s.lab.qts;

    qtest_writeq(qts, PEER, PATTERN);
    qtest_writeq(qts, t->page, OTHER);
    g_assert_cmphex(read_at(t, flags, addr), ==, peer ? PATTERN : OTHER);
}

/* Without redirection an untranslated request meets no IOMMU */
static void test_redirect(const void *opaque)
{
    uint32_t flags = GPOINTER_TO_UINT(opaque);
    PeerTest t;

    start(&t);
    acs(&t, 0);
    check_write(&t, flags, PEER, true);
    check_read(&t, flags, PEER, true);
    check_write(&t, flags, OUTSIDE, false);
    /* bits of other services do not redirect */
    acs(&t, QRP_ACS_SV | QRP_ACS_CR | QRP_ACS_UF);
    check_write(&t, flags, PEER, true);
    acs(&t, QRP_ACS_RR);
    check_write(&t, flags, PEER, false);
    check_read(&t, flags, PEER, false);
    /* what is untranslated is not let through by DT */
    acs(&t, QRP_ACS_RR | QRP_ACS_DT);
    check_write(&t, flags, PEER, false);
    pri_lab_stop(&t.s.lab);
}

/* A peer without a window: the request is the Root Complex's */
static void test_no_window(void)
{
    QRootPort peer;
    PeerTest t;

    start(&t);
    qrp_find_port(&peer, t.s.lab.qts, 2 << 8 | 1 << 3);
    qrp_writew(&peer, COMMAND, COMMAND_NO_MEM);
    qtest_writeq(t.s.lab.qts, t.page, OTHER);
    g_assert_cmpuint(fill(&t, PT_FLAG_UNTRANSLATED, PEER), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(t.s.lab.qts, t.page), !=, OTHER);
    pri_lab_stop(&t.s.lab);
}

/* An address of the window that no function has is the end of it */
static void test_unclaimed(void)
{
    PeerTest t;

    start(&t);
    qtest_writel(t.s.lab.qts, qpt_ecam(PEER_MEMORY, BAR0), REGISTERS);
    qvtd_fs_map(&t.s.lab.v, t.s.lab.rid_pml4, UNCLAIMED, t.page,
                QVTD_FS_USER);
    qtest_writeq(t.s.lab.qts, t.page, OTHER);
    g_assert_cmpuint(fill(&t, PT_FLAG_UNTRANSLATED, UNCLAIMED), ==,
                     PT_ST_DMA_ERROR);
    g_assert_cmphex(qtest_readq(t.s.lab.qts, t.page), ==, OTHER);
    /* the first behind the function's */
    g_assert_cmpuint(fill(&t, PT_FLAG_UNTRANSLATED, REGISTERS + 0x100), ==,
                     PT_ST_DMA_ERROR);
    pri_lab_stop(&t.s.lab);
}

/* The first and the last byte of the window are in it */
static void test_edges(void)
{
    PeerTest t;
    PriLab *lab = &t.s.lab;

    start(&t);
    g_assert_cmphex(lab->d2.bar0, ==, WINDOW_FIRST);
    qvtd_fs_map(&lab->v, lab->rid_pml4, WINDOW_FIRST, t.page, QVTD_FS_USER);
    qvtd_fs_map(&lab->v, lab->rid_pml4, WINDOW_LAST & ~(PAGE - 1), t.page,
                QVTD_FS_USER);
    fill(&t, PT_FLAG_UNTRANSLATED, WINDOW_FIRST);
    g_assert_cmpuint(fill_bytes(&t, PT_FLAG_UNTRANSLATED, WINDOW_LAST, 1), ==,
                     PT_ST_DMA_ERROR);
    g_assert_cmpuint(fill(&t, PT_FLAG_UNTRANSLATED, WINDOW_LAST - 7), ==,
                     PT_ST_DMA_ERROR);
    for (unsigned int i = 0; i < PAGE; i += 8) {
        g_assert_cmphex(qtest_readq(lab->qts, t.page + i), ==, 0);
    }
    pri_lab_stop(lab);
}

/* A function has its BARs to the last byte, and no request that leaves one */
static void test_bar_edges(void)
{
    PeerTest t;
    QTestState *qts;

    start(&t);
    qts = t.s.lab.qts;
    qtest_writel(qts, qpt_ecam(PEER_MEMORY, BAR0), REGISTERS);
    g_assert_cmpuint(fill(&t, PT_FLAG_UNTRANSLATED, PEER + 0x100000 - 8), ==,
                     PT_ST_DONE);
    g_assert_cmphex(qtest_readq(qts, PEER + 0x100000 - 8), !=, 0);
    g_assert_cmpuint(fill(&t, PT_FLAG_UNTRANSLATED, REGISTERS), ==,
                     PT_ST_DONE);
    g_assert_cmpuint(fill(&t, PT_FLAG_UNTRANSLATED, REGISTERS + 0xf8), ==,
                     PT_ST_DONE);
    g_assert_cmpuint(fill_bytes(&t, PT_FLAG_UNTRANSLATED, REGISTERS + 0xf8,
                                16), ==, PT_ST_DMA_ERROR);
    g_assert_cmpuint(fill(&t, PT_FLAG_UNTRANSLATED, REGISTERS - 8), ==,
                     PT_ST_DMA_ERROR);
    pri_lab_stop(&t.s.lab);
}

/* An address of I/O space is no address of memory */
static void test_io_bar(void)
{
    PeerTest t;
    QTestState *qts;

    start_devices(&t, " -device ivshmem-plain,memdev=m,bus=dn1,addr=0.1"
                  " -device pci-testdev,bus=dn1,addr=0.2");
    map(&t, PEER_MEMORY);
    qts = t.s.lab.qts;
    qtest_writel(qts, qpt_ecam(PEER_IO, BAR1), IO_ADDRESS);
    qtest_writew(qts, qpt_ecam(PEER_IO, COMMAND), 0x7);
    g_assert_cmphex(qtest_readl(qts, qpt_ecam(PEER_IO, BAR1)), ==,
                    IO_ADDRESS | 1);
    qtest_writel(qts, qpt_ecam(PEER_PORT, WINDOW), 0);  /* the first MiB */
    qtest_writeq(qts, IO_ADDRESS, OTHER);
    g_assert_cmpuint(fill(&t, PT_FLAG_UNTRANSLATED, IO_ADDRESS), ==,
                     PT_ST_DMA_ERROR);
    g_assert_cmphex(qtest_readq(qts, IO_ADDRESS), ==, OTHER);
    pri_lab_stop(&t.s.lab);
}

/* The other window of the port, for memory that can be prefetched */
static void test_prefetchable(void)
{
    PeerTest t;

    start(&t);
    qtest_writel(t.s.lab.qts, qpt_ecam(PEER_PORT, WINDOW), CLOSED);
    qtest_writel(t.s.lab.qts, qpt_ecam(PEER_PORT, PREFETCHABLE),
                 (PEER >> 16) << 16 | PEER >> 16);
    check_write(&t, PT_FLAG_UNTRANSLATED, PEER, true);
    pri_lab_stop(&t.s.lab);
}

/*
 * What is no peer: a port of the Root Complex beside that of the switch, and a
 * function beside the ports, whose registers are no windows
 */
static void test_others(void)
{
    PeerTest t;
    PriLab *lab = &t.s.lab;

    start_devices(&t, " -device ivshmem-plain,memdev=m,bus=dn1,addr=0.1"
                  " -device pci-testdev,bus=up0,addr=2"
                  " -device pcie-root-port,id=rp9,bus=pcie.0,addr=5,"
                  "chassis=9,slot=9");
    map(&t, PEER_MEMORY);
    qtest_writel(lab->qts, qpt_ecam(5 << 3, WINDOW),
                 (OUTSIDE >> 16) << 16 | OUTSIDE >> 16);
    qtest_writew(lab->qts, qpt_ecam(5 << 3, COMMAND), 0x6);
    check_write(&t, PT_FLAG_UNTRANSLATED, OUTSIDE, false);

    qtest_writel(lab->qts, qpt_ecam(PEER_PORT, PREFETCHABLE), CLOSED);
    qtest_writew(lab->qts, qpt_ecam(BESIDE, COMMAND), 0x2);
    qvtd_fs_map(&lab->v, lab->rid_pml4, LOW, t.page, QVTD_FS_USER);
    check_write(&t, PT_FLAG_UNTRANSLATED, LOW, false);
    pri_lab_stop(lab);
}

/* The function is behind a bridge that is behind the port */
static void test_bridge(void)
{
    static const uint16_t above[] = { ROOT_PORT, UPSTREAM, PEER_PORT };
    PeerTest t;
    QTestState *qts;

    start_devices(&t, " -device pcie-pci-bridge,id=br0,bus=dn1,addr=0.1"
                  " -device ivshmem-plain,memdev=m,bus=br0,addr=1");
    qts = t.s.lab.qts;
    for (unsigned int i = 0; i < ARRAY_SIZE(above); i++) {
        qtest_writeb(qts, qpt_ecam(above[i], BUSES + 2), 5);
    }
    qtest_writel(qts, qpt_ecam(PEER_BRIDGE, BUSES), 5 << 16 | 5 << 8 | 4);
    qtest_writel(qts, qpt_ecam(PEER_BRIDGE, WINDOW),
                 (PEER >> 16) << 16 | PEER >> 16);
    qtest_writew(qts, qpt_ecam(PEER_BRIDGE, COMMAND), 0x6);
    map(&t, BEHIND_BRIDGE);
    check_write(&t, PT_FLAG_UNTRANSLATED, PEER, true);
    check_read(&t, PT_FLAG_UNTRANSLATED, PEER, true);
    /* where nobody behind it is, though there is memory */
    qtest_writeq(qts, LOW, OTHER);
    g_assert_cmpuint(fill(&t, PT_FLAG_UNTRANSLATED, LOW), ==,
                     PT_ST_DMA_ERROR);
    g_assert_cmphex(qtest_readq(qts, LOW), ==, OTHER);
    pri_lab_stop(&t.s.lab);
}

/* Registers of a peer; its own port's window is not a peer's */
static void test_registers(void)
{
    PeerTest t;
    PriLab *lab = &t.s.lab;
    uint64_t own, reg = PT_CHANNEL(0) + PT_CH_SRC;

    start(&t);
    own = lab->d.bar0 & ~(PAGE - 1);
    qpt_writeq(&lab->d2, reg, OTHER);
    g_assert_cmpuint(fill(&t, PT_FLAG_UNTRANSLATED, lab->d2.bar0 + reg), ==,
                     PT_ST_DONE);
    g_assert_cmphex(qpt_readq(&lab->d2, reg), !=, OTHER);
    qvtd_fs_map(&lab->v, lab->rid_pml4, own, t.page, QVTD_FS_USER);
    qtest_writeq(lab->qts, t.page, OTHER);
    g_assert_cmpuint(fill(&t, PT_FLAG_UNTRANSLATED, own), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(lab->qts, t.page), !=, OTHER);
    pri_lab_stop(lab);
}

/*
 * Translated: the same place either way, so the Upstream Port tells; it stops
 * what is redirected to it
 */
static void test_translated(void)
{
    PeerTest t;
    PriLab *lab = &t.s.lab;
    uint64_t iova = LAB_IOVA + PAGE;

    start(&t);
    acs(&t, QRP_ACS_RR);
    qvtd_fs_map(&lab->v, lab->pml4, iova, PEER, QVTD_FS_USER);
    check_write(&t, ATS, iova, true);
    qrp_writew(&t.s.port[PRI_SWITCH_UP], COMMAND, COMMAND_NO_BME);
    g_assert_cmpuint(fill(&t, ATS, iova), ==, PT_ST_DMA_ERROR);
    pri_switch_expect(&t.s, PRI_SWITCH_UP, QRP_AER_UR, false);
    acs(&t, QRP_ACS_RR | QRP_ACS_DT);
    check_write(&t, ATS, iova, true);
    acs(&t, 0);
    check_write(&t, ATS, iova, true);
    pri_lab_stop(lab);
}

/* A Translation Request that goes to a peer comes to no Translation Agent */
static void test_translation_request(void)
{
    PeerTest t;

    start(&t);
    g_assert_cmpuint(fill(&t, ATS, PEER), ==, PT_ST_TRANS_UR);
    pri_switch_expect(&t.s, 0, 0, false);
    acs(&t, QRP_ACS_RR | QRP_ACS_DT);
    check_write(&t, ATS, PEER, false);
    pri_lab_stop(&t.s.lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    qtest_add_data_func("/peer/PORT-06/redirect/rid",
                        GUINT_TO_POINTER(PT_FLAG_UNTRANSLATED), test_redirect);
    qtest_add_data_func("/peer/PORT-06/redirect/pasid",
                        GUINT_TO_POINTER(UNTRANSLATED), test_redirect);
    qtest_add_func("/peer/PORT-06/no-window", test_no_window);
    qtest_add_func("/peer/PORT-06/unclaimed", test_unclaimed);
    qtest_add_func("/peer/PORT-06/edges", test_edges);
    qtest_add_func("/peer/PORT-06/bar-edges", test_bar_edges);
    qtest_add_func("/peer/PORT-06/io-bar", test_io_bar);
    qtest_add_func("/peer/PORT-06/prefetchable", test_prefetchable);
    qtest_add_func("/peer/PORT-06/others", test_others);
    qtest_add_func("/peer/PORT-06/bridge", test_bridge);
    qtest_add_func("/peer/PORT-06/registers", test_registers);
    qtest_add_func("/peer/PORT-06/translated", test_translated);
    qtest_add_func("/peer/PORT-06/translation-request",
                   test_translation_request);
    return g_test_run();
}
