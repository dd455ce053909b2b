/*
 * pri-testdev: channels, DMA and page requests through the IOMMU
 *
 * The test is the guest's page fault handler.  Bytes are checked at the
 * physical addresses where they must be, never read back through the IOMMU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/pri-lab.h"

#define PATTERN     0x8877665544332211ULL
#define PAGE        4096

static QPtOp lab_op(uint32_t cmd, uint64_t src, uint64_t dst, uint64_t len)
{
    return (QPtOp) {
        .cmd = cmd, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .src = src, .dst = dst, .len = len, .pattern = PATTERN,
    };
}

/* Map @n pages at LAB_IOVA to fresh memory; returns its address */
static uint64_t map_pages(PriLab *lab, unsigned int n, uint64_t flags)
{
    uint64_t pa = qvtd_alloc(&lab->v, n);
    unsigned int i;

    for (i = 0; i < n; i++) {
        qvtd_fs_map(&lab->v, lab->pml4, LAB_IOVA + i * PAGE, pa + i * PAGE,
                    flags);
    }
    return pa;
}

/* Are the @len bytes for @iova at @pa stamped (or filled)? */
static void check_bytes(PriLab *lab, uint64_t pa, uint64_t iova, size_t len,
                        bool stamp)
{
    g_autofree uint8_t *bytes = g_malloc(len);
    size_t i;

    qtest_bufread(lab->qts, pa, bytes, len);
    for (i = 0; i < len; i++) {
        uint8_t want = stamp ? PT_STAMP_BYTE(PATTERN, iova + i) :
                               PT_FILL_BYTE(PATTERN, iova + i);

        if (bytes[i] != want) {
            g_test_message("byte %zu: 0x%02x for 0x%02x", i, bytes[i], want);
            g_test_fail();
            return;
        }
    }
}

static bool all_zero(PriLab *lab, uint64_t pa, size_t len)
{
    g_autofree uint8_t *bytes = g_malloc(len);
    size_t i;

    qtest_bufread(lab->qts, pa, bytes, len);
    for (i = 0; i < len; i++) {
        if (bytes[i]) {
            return false;
        }
    }
    return true;
}

static uint32_t crc32_ieee(const uint8_t *bytes, size_t len)
{
    uint32_t crc = ~0u;
    size_t i;
    int bit;

    for (i = 0; i < len; i++) {
        crc ^= bytes[i];
        for (bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        }
    }
    return ~crc;
}

/* -- present pages --------------------------------------------------------- */

static void test_write(void)
{
    QPtOp op = lab_op(PT_OP_WRITE, 0, LAB_IOVA + 0x123, 3 * PAGE + 77);
    uint64_t pa;
    PriLab lab;

    pri_lab_start(&lab);
    pa = map_pages(&lab, 4, QVTD_FS_USER);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
    g_assert_cmpuint(qpt_ch_readq(&lab.d, 0, PT_CH_DONE), ==, op.len);
    check_bytes(&lab, pa + 0x123, op.dst, op.len, true);
    g_assert_true(all_zero(&lab, pa, 0x123));
    g_assert_true(all_zero(&lab, pa + 0x123 + op.len,
                           4 * PAGE - 0x123 - op.len));
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_BYTES_WRITTEN), ==, op.len);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_PAGE_REQUESTS), ==, 0);
    pri_lab_stop(&lab);
}

static void test_fill(void)
{
    QPtOp op = lab_op(PT_OP_FILL, 0, LAB_IOVA + 5, 100);
    uint64_t pa;
    PriLab lab;

    pri_lab_start(&lab);
    pa = map_pages(&lab, 1, QVTD_FS_USER);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
    check_bytes(&lab, pa + 5, op.dst, op.len, false);
    pri_lab_stop(&lab);
}

static void test_read(void)
{
    QPtOp op = lab_op(PT_OP_READ, LAB_IOVA + 0xff0, 0, 300);
    uint8_t bytes[300];
    uint64_t pa;
    unsigned int i;
    PriLab lab;

    pri_lab_start(&lab);
    pa = map_pages(&lab, 2, QVTD_FS_RO);
    for (i = 0; i < sizeof(bytes); i++) {
        bytes[i] = i * 7 + 1;
    }
    qtest_memwrite(lab.qts, pa + 0xff0, bytes, sizeof(bytes));
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
    g_assert_cmphex(qpt_ch_readl(&lab.d, 0, PT_CH_CRC), ==,
                    crc32_ieee(bytes, sizeof(bytes)));
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_BYTES_READ), ==, sizeof(bytes));
    pri_lab_stop(&lab);
}

static void test_copy(void)
{
    QPtOp op = lab_op(PT_OP_COPY, LAB_IOVA + 0x7f3, LAB_IOVA + 8 * PAGE + 1,
                      3 * PAGE);
    g_autofree uint8_t *from = g_malloc(3 * PAGE);
    g_autofree uint8_t *to = g_malloc(3 * PAGE);
    uint64_t pa;
    int i;
    PriLab lab;

    pri_lab_start(&lab);
    pa = map_pages(&lab, 16, QVTD_FS_USER);
    for (i = 0; i < 3 * PAGE; i++) {
        from[i] = i * 31 + (i >> 8);
    }
    qtest_bufwrite(lab.qts, pa + 0x7f3, from, 3 * PAGE);
    g_assert_cmpuint(qpt_run(&lab.d, 2, &op), ==, PT_ST_DONE);
    qtest_bufread(lab.qts, pa + 8 * PAGE + 1, to, 3 * PAGE);
    g_assert_true(!memcmp(from, to, 3 * PAGE));
    g_assert_cmphex(qpt_ch_readl(&lab.d, 2, PT_CH_CRC), ==,
                    crc32_ieee(from, 3 * PAGE));
    pri_lab_stop(&lab);
}

/* without PASID: the tables of the requester id, translated by ATS or not */
static void test_no_pasid(const void *opaque)
{
    QPtOp op = lab_op(PT_OP_WRITE, 0, LAB_IOVA, 64);
    uint64_t pa;
    PriLab lab;

    pri_lab_start(&lab);
    pa = qvtd_alloc(&lab.v, 1);
    qvtd_fs_map(&lab.v, lab.rid_pml4, LAB_IOVA, pa, QVTD_FS_USER);
    op.flags = opaque ? PT_FLAG_UNTRANSLATED : 0;
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
    check_bytes(&lab, pa, LAB_IOVA, 64, true);
    pri_lab_stop(&lab);
}

/* -- absent pages ---------------------------------------------------------- */

typedef struct GroupRow {
    unsigned int pages;
    unsigned int group;
} GroupRow;

static const GroupRow group_rows[] = {
    { 1, 1 }, { 5, 1 }, { 8, 4 }, { 7, 3 }, { 16, 16 }, { 3, 512 },
};

static void test_groups(const void *opaque)
{
    const GroupRow *row = opaque;
    QPtOp op = lab_op(PT_OP_WRITE, 0, LAB_IOVA, row->pages * PAGE);
    unsigned int groups = DIV_ROUND_UP(row->pages, row->group);
    unsigned int i, served = 0;
    uint64_t pa;
    PriLab lab;

    pri_lab_start(&lab);
    pa = qvtd_alloc(&lab.v, row->pages);
    op.group = row->group;
    qpt_start(&lab.d, 0, &op);
    for (i = 0; i < groups; i++) {
        unsigned int n = MIN(row->group, row->pages - served);
        unsigned int k;
        QVtdDesc prd;

        g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
        g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, n);
        for (k = 0; k < n; k++) {
            qvtd_prq_read(&lab.v, k, &prd);
            g_assert_cmphex(QVTD_PRD_ADDR(&prd), ==,
                            LAB_IOVA + (served + k) * PAGE);
            g_assert_cmpuint(QVTD_PRD_LPIG(&prd), ==, k == n - 1);
            g_assert_cmpuint(QVTD_PRD_WRR(&prd), ==, 1);
        }
        g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 1);
        g_assert_cmpuint(lab_serve(&lab, LAB_IOVA, pa, QVTD_FS_USER), ==, n);
        served += n;
    }
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    check_bytes(&lab, pa, LAB_IOVA, op.len, true);
    g_assert_cmpuint(qpt_ch_readl(&lab.d, 0, PT_CH_REQUESTS), ==, row->pages);
    g_assert_cmpuint(qpt_ch_readl(&lab.d, 0, PT_CH_GROUPS), ==, groups);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_RESP_SUCCESS), ==, groups);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_VIOLATIONS), ==, 0);
    pri_lab_stop(&lab);
}

static void test_read_fault(void)
{
    QPtOp op = lab_op(PT_OP_READ, LAB_IOVA, 0, PAGE);
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start(&lab);
    qpt_start(&lab.d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    qvtd_prq_read(&lab.v, 0, &prd);
    g_assert_cmpuint(QVTD_PRD_RDR(&prd), ==, 1);
    g_assert_cmpuint(QVTD_PRD_WRR(&prd), ==, 0);
    lab_serve(&lab, LAB_IOVA, qvtd_alloc(&lab.v, 1), QVTD_FS_RO);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    pri_lab_stop(&lab);
}

static void test_copy_fault(void)
{
    QPtOp op = lab_op(PT_OP_COPY, LAB_IOVA, LAB_IOVA + 0x100000, 2 * PAGE);
    uint64_t pa = 0x8000000;
    int rounds;
    PriLab lab;

    pri_lab_start(&lab);
    qtest_memset(lab.qts, pa, 0x3c, 2 * PAGE);
    qpt_start(&lab.d, 0, &op);
    for (rounds = 0; rounds < 10; rounds++) {
        if (qpt_wait(&lab.d, 0) != PT_ST_RUNNING) {
            break;
        }
        lab_serve(&lab, LAB_IOVA, pa, QVTD_FS_USER);
    }
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmpuint(qpt_ch_readl(&lab.d, 0, PT_CH_REQUESTS), ==, 4);
    g_assert_cmphex(qtest_readq(lab.qts, pa + 0x100000 + 2 * PAGE - 8), ==,
                    0x3c3c3c3c3c3c3c3cULL);
    pri_lab_stop(&lab);
}

/* a write to a read-only page: denied, and nothing is written */
static void test_invalid_request(void)
{
    QPtOp op = lab_op(PT_OP_WRITE, 0, LAB_IOVA, PAGE);
    QVtdFault fault;
    QVtdDesc prd;
    uint64_t pa;
    PriLab lab;

    pri_lab_start(&lab);
    pa = map_pages(&lab, 1, QVTD_FS_RO);
    qpt_start(&lab.d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    g_assert_true(qvtd_prq_pop(&lab.v, &prd));
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, QVTD_PRD_PRGI(&prd),
                 QPT_INVALID_REQUEST);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_INVALID_REQUEST);
    g_assert_cmphex(qpt_ch_readq(&lab.d, 0, PT_CH_ERR_ADDR), ==, LAB_IOVA);
    g_assert_cmpuint(qpt_ch_readl(&lab.d, 0, PT_CH_RESP_CODE), ==, 1);
    g_assert_true(all_zero(&lab, pa, PAGE));
    /* 7.1.2: a recoverable fault is not reported */
    g_assert_false(qvtd_fault(&lab.v, &fault));
    pri_lab_stop(&lab);
}

static void test_retry_limit(void)
{
    QPtOp op = lab_op(PT_OP_WRITE, 0, LAB_IOVA, PAGE);
    unsigned int groups = 0;
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start(&lab);
    op.retries = 3;
    qpt_start(&lab.d, 0, &op);
    while (groups < 20 && qpt_wait(&lab.d, 0) == PT_ST_RUNNING) {
        g_assert_true(qvtd_prq_pop(&lab.v, &prd));
        qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, QVTD_PRD_PRGI(&prd),
                     QPT_SUCCESS);
        groups++;
    }
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RETRY_LIMIT);
    g_assert_cmpuint(groups, ==, 4);
    pri_lab_stop(&lab);
}

/* eight channels at once, answered in any order */
static void test_channels(void)
{
    QPtOp op = lab_op(PT_OP_WRITE, 0, 0, PAGE);
    uint64_t pa = 0x8000000;
    QVtdDesc prds[8];
    unsigned int ch;
    PriLab lab;

    pri_lab_start(&lab);
    g_assert_cmpuint(lab.d.channels, >=, 8);
    for (ch = 0; ch < 8; ch++) {
        op.dst = LAB_IOVA + ch * PAGE;
        qpt_start(&lab.d, ch, &op);
    }
    for (ch = 0; ch < 8; ch++) {
        g_assert_cmpuint(qpt_wait(&lab.d, ch), ==, PT_ST_RUNNING);
    }
    for (ch = 0; ch < 8; ch++) {
        g_assert_true(qvtd_prq_pop(&lab.v, &prds[ch]));
    }
    for (ch = 8; ch-- > 0;) {
        uint64_t addr = QVTD_PRD_ADDR(&prds[ch]);
        unsigned int n = (addr - LAB_IOVA) / PAGE;

        qvtd_fs_map(&lab.v, lab.pml4, addr, pa + n * PAGE, QVTD_FS_USER);
        qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, QVTD_PRD_PRGI(&prds[ch]),
                     QPT_SUCCESS);
        g_assert_cmpuint(qpt_wait(&lab.d, n), ==, PT_ST_DONE);
    }
    check_bytes(&lab, pa, LAB_IOVA, 8 * PAGE, true);
    pri_lab_stop(&lab);
}

/* the allocation is never exceeded, and who waits for credits gets them */
static void test_credits(void)
{
    QPtOp op = lab_op(PT_OP_WRITE, 0, 0, 3 * PAGE);
    unsigned int ch;
    int rounds;
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, 0);
    pri_lab_program(&lab);
    qpt_pri_disable(&lab.d);
    qpt_enable(&lab.d, 8);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_ALLOC), ==, 8);
    op.group = 3;
    for (ch = 0; ch < 8; ch++) {
        op.dst = LAB_IOVA + ch * 0x10000;
        qpt_start(&lab.d, ch, &op);
        qpt_wait(&lab.d, ch);
    }
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 6);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_CREDITS), ==, 2);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 2);
    for (rounds = 0; rounds < 8 && qvtd_prq_pending(&lab.v); rounds++) {
        g_assert_cmpuint(qvtd_prq_pending(&lab.v), <=, 8);
        lab_serve(&lab, LAB_IOVA, 0x8000000, QVTD_FS_USER);
        for (ch = 0; ch < 8; ch++) {
            qpt_wait(&lab.d, ch);
        }
    }
    for (ch = 0; ch < 8; ch++) {
        g_assert_cmpuint(qpt_wait(&lab.d, ch), ==, PT_ST_DONE);
    }
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_PAGE_REQUESTS), ==, 24);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_CREDITS), ==, 8);
    pri_lab_stop(&lab);
}

/* -- completion interrupt -------------------------------------------------- */

static bool apic_pending(PriLab *lab, unsigned int vector)
{
    g_autofree char *text = qtest_hmp(lab->qts, "info lapic");
    g_autofree char *number = g_strdup_printf(" %u", vector);
    char *irr = strstr(text, "IRR");
    char *end = irr ? strchr(irr, '\n') : NULL;

    g_assert_nonnull(end);
    *end = 0;
    return strstr(irr, number);
}

static void test_interrupt(void)
{
    QPtOp op = lab_op(PT_OP_FILL, 0, LAB_IOVA, 8);
    PriLab lab;

    pri_lab_start(&lab);
    map_pages(&lab, 1, QVTD_FS_USER);
    qpt_msix(&lab.d, 0xfee00000, 0xa0);
    g_assert_cmpuint(qpt_run(&lab.d, 3, &op), ==, PT_ST_DONE);
    g_assert_cmpuint(qpt_ch_readl(&lab.d, 3, PT_CH_IRQ_STATUS), ==, 1);
    g_assert_false(apic_pending(&lab, 0xa0 + PRI_TESTDEV_VECTOR_CHANNEL(3)));

    op.flags |= PT_FLAG_IRQ;
    g_assert_cmpuint(qpt_run(&lab.d, 3, &op), ==, PT_ST_DONE);
    qpt_readl(&lab.d, PT_ID);
    g_assert_true(apic_pending(&lab, 0xa0 + PRI_TESTDEV_VECTOR_CHANNEL(3)));
    g_assert_false(apic_pending(&lab, 0xa0 + PRI_TESTDEV_VECTOR_CHANNEL(4)));
    qpt_writel(&lab.d, PT_CHANNEL(3) + PT_CH_IRQ_STATUS, 1);
    g_assert_cmpuint(qpt_ch_readl(&lab.d, 3, PT_CH_IRQ_STATUS), ==, 0);
    pri_lab_stop(&lab);
}

/* -- commands that cannot be done ------------------------------------------ */

static void test_bad_commands(void)
{
    static const QPtOp ops[] = {
        { .cmd = 7, .len = 8 },
        { .cmd = PT_OP_WRITE, .len = 0 },
        { .cmd = PT_OP_WRITE, .len = 8, .group = 513 },
        { .cmd = PT_OP_WRITE, .len = UINT64_MAX, .dst = 4096 },
        { .cmd = PT_OP_READ, .len = 4097, .src = 0xfffffffffffff000ULL },
        { .cmd = 0xffffffff, .len = 8 },
    };
    unsigned int i;
    PriLab lab;

    pri_lab_start(&lab);
    for (i = 0; i < ARRAY_SIZE(ops); i++) {
        g_assert_cmpuint(qpt_run(&lab.d, 0, &ops[i]), ==, PT_ST_BAD_COMMAND);
    }
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    pri_lab_stop(&lab);
}

static void test_refused_while_running(void)
{
    QPtOp op = lab_op(PT_OP_WRITE, 0, LAB_IOVA, 8);
    PriLab lab;

    pri_lab_start(&lab);
    qpt_start(&lab.d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    qpt_writel(&lab.d, PT_CHANNEL(0) + PT_CH_CMD, PT_OP_NOP);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    g_assert_cmpuint(qpt_ch_readl(&lab.d, 0, PT_CH_REFUSED), ==, 1);
    qpt_writel(&lab.d, PT_CHANNEL(0) + PT_CH_CMD, PT_OP_ABORT);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_ABORTED);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &(QPtOp) { .cmd = PT_OP_NOP }), ==,
                     PT_ST_DONE);
    pri_lab_stop(&lab);
}

/* What each missing enable turns an operation on an absent page into */
static void test_not_enabled(void)
{
    QPtOp op = lab_op(PT_OP_WRITE, 0, LAB_IOVA, 8);
    PriLab lab;

    pri_lab_start(&lab);
    qpt_pri_disable(&lab.d);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_NO_PRI);
    qpt_config_writew(&lab.d, lab.d.ats + QPT_ATS_CTRL, 0);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_NOT_ENABLED);
    qpt_config_writew(&lab.d, lab.d.pasid + QPT_PASID_CTRL, 0);
    qpt_enable(&lab.d, 0);
    qpt_config_writew(&lab.d, 4, 2);        /* no Bus Master Enable */
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_NOT_ENABLED);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_PAGE_REQUESTS), ==, 0);
    pri_lab_stop(&lab);
}

/* Translation Requests that the IOMMU refuses, table 30 */
static void test_translation_errors(void)
{
    QPtOp op = lab_op(PT_OP_WRITE, 0, LAB_IOVA, 8);
    uint64_t ce, pe;
    PriLab lab;

    pri_lab_start(&lab);
    ce = qvtd_context_entry(&lab.v, lab.d.rid);
    pe = qvtd_pasid_entry(&lab.v, lab.d.rid, LAB_PASID);

    qvtd_set(&lab.v, pe, QVTD_PE_RSVD_3, 1);            /* SPT.3: CA */
    qvtd_flush(&lab.v);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_TRANS_CA);
    qvtd_set(&lab.v, pe, QVTD_PE_RSVD_3, 0);
    qvtd_fault_clear(&lab.v);

    qvtd_set(&lab.v, ce, QVTD_CE_P, 0);                 /* SCT.2: UR */
    qvtd_flush(&lab.v);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_TRANS_UR);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_TRANS_CA), ==, 1);
    g_assert_cmpuint(lab_counter(&lab, PT_CNT_TRANS_UR), ==, 1);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    unsigned int i;

    pri_lab_test_init(&argc, &argv);
    g_test_add_func("/pri-testdev/dma/write", test_write);
    g_test_add_func("/pri-testdev/dma/fill", test_fill);
    g_test_add_func("/pri-testdev/dma/read", test_read);
    g_test_add_func("/pri-testdev/dma/copy", test_copy);
    g_test_add_data_func("/pri-testdev/dma/no-pasid", NULL, test_no_pasid);
    g_test_add_data_func("/pri-testdev/dma/untranslated", GUINT_TO_POINTER(1),
                         test_no_pasid);
    for (i = 0; i < ARRAY_SIZE(group_rows); i++) {
        g_autofree char *name = g_strdup_printf(
            "/pri-testdev/fault/%u-pages-by-%u", group_rows[i].pages,
            group_rows[i].group);

        g_test_add_data_func(name, &group_rows[i], test_groups);
    }
    g_test_add_func("/pri-testdev/fault/read", test_read_fault);
    g_test_add_func("/pri-testdev/fault/copy", test_copy_fault);
    g_test_add_func("/pri-testdev/fault/invalid-request",
                    test_invalid_request);
    g_test_add_func("/pri-testdev/fault/retry-limit", test_retry_limit);
    g_test_add_func("/pri-testdev/fault/channels", test_channels);
    g_test_add_func("/pri-testdev/fault/credits", test_credits);
    g_test_add_func("/pri-testdev/irq", test_interrupt);
    g_test_add_func("/pri-testdev/error/bad-commands", test_bad_commands);
    g_test_add_func("/pri-testdev/error/refused-while-running",
                    test_refused_while_running);
    g_test_add_func("/pri-testdev/error/not-enabled", test_not_enabled);
    g_test_add_func("/pri-testdev/error/ATS-01/translation",
                    test_translation_errors);
    return g_test_run();
}
