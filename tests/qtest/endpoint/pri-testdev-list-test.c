/*
 * pri-testdev: scatter lists
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-state.h"
#include "libqos/vtd-inv.h"

#define PAGE            4096
#define PATTERN         0x1122334455667788ULL
#define LIST            (LAB_IOVA + 0x100000)   /* two pages */
#define FLAT            (LAB_IOVA + 0x200000)   /* the side that is no list */

/* A list in the last bytes of its first page and the first of its second */
#define LIST_AT         (LIST + PAGE - 2 * PT_LIST_ENTRY_SIZE)

typedef struct World {
    PriLab lab;
    uint64_t data;          /* memory of 16 pages at LAB_IOVA */
    uint64_t list;          /* of 2 pages at LIST */
    uint64_t flat;          /* of 16 pages at FLAT */
} World;

static void map(World *w, uint64_t iova, uint64_t pa, unsigned int pages)
{
    for (unsigned int i = 0; i < pages; i++) {
        qvtd_fs_map(&w->lab.v, w->lab.pml4, iova + i * PAGE, pa + i * PAGE,
                    QVTD_FS_USER | QVTD_FS_RW);
    }
}

/* Memory that is there; what is mapped is up to the test */
static void start_world(World *w)
{
    pri_lab_start_with(&w->lab, "ite-timeout-ms=60000", NULL, 0);
    w->data = qvtd_alloc(&w->lab.v, 16);
    w->list = qvtd_alloc(&w->lab.v, 2);
    w->flat = qvtd_alloc(&w->lab.v, 16);
}

static void start_mapped(World *w)
{
    start_world(w);
    map(w, LAB_IOVA, w->data, 16);
    map(w, LIST, w->list, 2);
    map(w, FLAT, w->flat, 16);
}

static void put(World *w, uint64_t list, unsigned int i, uint64_t addr,
                uint32_t len, uint32_t flags)
{
    uint64_t pa = w->list + (list - LIST) + i * PT_LIST_ENTRY_SIZE;

    qtest_writeq(w->lab.qts, pa + PT_LIST_ADDR, addr);
    qtest_writel(w->lab.qts, pa + PT_LIST_LEN, len);
    qtest_writel(w->lab.qts, pa + PT_LIST_FLAGS, flags);
}

/* Four pieces: inside a page, over a border, one byte, two pages and a bit */
static const struct {
    uint32_t at;
    uint32_t len;
} pieces[] = {
    { 0x0100, 0x40 },
    { 0x1ff0, 0x31 },
    { 0x4003, 0x01 },
    { 0x5ffd, 0x2006 },
};

#define PIECES  ARRAY_SIZE(pieces)
#define TOTAL   (0x40 + 0x31 + 0x01 + 0x2006)

static void put_pieces(World *w)
{
    for (unsigned int i = 0; i < PIECES; i++) {
        put(w, LIST_AT, i, LAB_IOVA + pieces[i].at, pieces[i].len, 0);
    }
}

static QPtOp scatter(void)
{
    return (QPtOp) {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID | PT_FLAG_SCATTER,
        .pasid = LAB_PASID, .pattern = PATTERN, .list = LIST_AT,
        .list_len = PIECES,
    };
}

/* Every byte of the pieces has its stamp, no other one has changed */
static void check_scattered(World *w)
{
    g_autofree uint8_t *is = g_malloc(16 * PAGE);
    g_autofree uint8_t *due = g_malloc0(16 * PAGE);

    for (unsigned int i = 0; i < PIECES; i++) {
        for (uint32_t at = pieces[i].at; at < pieces[i].at + pieces[i].len;
             at++) {
            due[at] = PT_STAMP_BYTE(PATTERN, LAB_IOVA + at);
        }
    }
    qtest_memread(w->lab.qts, w->data, is, 16 * PAGE);
    g_assert_cmpint(memcmp(is, due, 16 * PAGE), ==, 0);
}

static void expect_done(World *w)
{
    QPriTestdev *d = &w->lab.d;

    g_assert_cmpuint(qpt_wait(d, 0), ==, PT_ST_DONE);
    g_assert_cmpuint(qpt_ch_readq(d, 0, PT_CH_DONE), ==, TOTAL);
    g_assert_cmpuint(qpt_ch_readl(d, 0, PT_CH_LIST_DONE), ==, PIECES);
    g_assert_cmphex(qpt_ch_readq(d, 0, PT_CH_ERR_ADDR), ==, 0);
}

/* -- What a list does ------------------------------------------------------ */

static void test_write(void)
{
    QPtOp op = scatter();
    World w;

    start_mapped(&w);
    put_pieces(&w);
    qpt_start(&w.lab.d, 0, &op);
    expect_done(&w);
    check_scattered(&w);
    g_assert_cmpuint(qpt_readq(&w.lab.d, PT_CNT_BYTES_WRITTEN), ==, TOTAL);
    pri_lab_stop(&w.lab);
}

/* COPY: from a list to one range, and back to the places it came from */
static void test_copy(void)
{
    QPtOp op = {
        .cmd = PT_OP_COPY, .flags = PT_FLAG_PASID | PT_FLAG_GATHER,
        .pasid = LAB_PASID, .dst = FLAT + 0x123, .list = LIST_AT,
        .list_len = PIECES,
    };
    g_autofree uint8_t *data = g_malloc(16 * PAGE);
    g_autofree uint8_t *flat = g_malloc(TOTAL + 1);
    uint32_t n = 0, crc;
    World w;

    start_mapped(&w);
    put_pieces(&w);
    for (unsigned int i = 0; i < 16 * PAGE; i++) {
        data[i] = g_test_rand_int();
    }
    qtest_memwrite(w.lab.qts, w.data, data, 16 * PAGE);
    qpt_start(&w.lab.d, 0, &op);
    expect_done(&w);
    crc = qpt_ch_readl(&w.lab.d, 0, PT_CH_CRC);
    qtest_memread(w.lab.qts, w.flat + 0x123, flat, TOTAL + 1);
    for (unsigned int i = 0; i < PIECES; i++) {
        g_assert_cmpint(memcmp(flat + n, data + pieces[i].at, pieces[i].len),
                        ==, 0);
        n += pieces[i].len;
    }
    g_assert_cmphex(flat[TOTAL], ==, 0);

    /* READ has the same sum */
    op.cmd = PT_OP_READ;
    qpt_start(&w.lab.d, 0, &op);
    expect_done(&w);
    g_assert_cmphex(qpt_ch_readl(&w.lab.d, 0, PT_CH_CRC), ==, crc);

    memset(data, 0, 16 * PAGE);
    qtest_memwrite(w.lab.qts, w.data, data, 16 * PAGE);
    op.cmd = PT_OP_COPY;
    op.flags = PT_FLAG_PASID | PT_FLAG_SCATTER;
    op.src = op.dst;
    qpt_start(&w.lab.d, 0, &op);
    expect_done(&w);
    qtest_memread(w.lab.qts, w.data, data, 16 * PAGE);
    for (unsigned int i = n = 0; i < PIECES; i++) {
        g_assert_cmpint(memcmp(flat + n, data + pieces[i].at, pieces[i].len),
                        ==, 0);
        n += pieces[i].len;
    }
    pri_lab_stop(&w.lab);
}

/* PT_LIST_LAST ends it before its length does */
static void test_last(void)
{
    QPtOp op = scatter();
    World w;

    start_mapped(&w);
    put(&w, LIST_AT, 0, LAB_IOVA, 8, 0);
    put(&w, LIST_AT, 1, LAB_IOVA + PAGE, 8, PT_LIST_LAST);
    put(&w, LIST_AT, 2, LAB_IOVA + 2 * PAGE, 8, 0);
    g_assert_cmpuint(qpt_run(&w.lab.d, 0, &op), ==, PT_ST_DONE);
    g_assert_cmpuint(qpt_ch_readl(&w.lab.d, 0, PT_CH_LIST_DONE), ==, 2);
    g_assert_cmpuint(qpt_ch_readq(&w.lab.d, 0, PT_CH_DONE), ==, 16);
    g_assert_cmphex(qtest_readq(w.lab.qts, w.data + 2 * PAGE), ==, 0);
    /* and its length before PT_LIST_LAST */
    op.list_len = 1;
    g_assert_cmpuint(qpt_run(&w.lab.d, 0, &op), ==, PT_ST_DONE);
    g_assert_cmpuint(qpt_ch_readq(&w.lab.d, 0, PT_CH_DONE), ==, 8);
    /* an operation without a list has none */
    op.flags = PT_FLAG_PASID;
    op.dst = FLAT;
    op.len = 8;
    g_assert_cmpuint(qpt_run(&w.lab.d, 0, &op), ==, PT_ST_DONE);
    g_assert_cmpuint(qpt_ch_readl(&w.lab.d, 0, PT_CH_LIST_DONE), ==, 0);
    pri_lab_stop(&w.lab);
}

static void test_untranslated(void)
{
    QPtOp op = scatter();
    World w;

    /* without translation by the IOMMU these are addresses of memory */
    pri_lab_boot(&w.lab, NULL, NULL, 0);
    qpt_config_writew(&w.lab.d, 4, 0x6);
    w.data = 0x8000000;
    w.list = w.data + 16 * PAGE;
    for (unsigned int i = 0; i < PIECES; i++) {
        put(&w, LIST, i, w.data + pieces[i].at, pieces[i].len, 0);
    }
    op.flags = PT_FLAG_UNTRANSLATED | PT_FLAG_SCATTER;
    op.list = w.list;
    qpt_start(&w.lab.d, 0, &op);
    expect_done(&w);
    g_assert_cmphex(qtest_readb(w.lab.qts, w.data + 0x4003), ==,
                    PT_STAMP_BYTE(PATTERN, w.data + 0x4003));
    pri_lab_stop(&w.lab);
}

/* -- Pages that are absent ------------------------------------------------- */

/* Answer the request that is there; it is for page @iova with access @write */
static void serve(World *w, uint64_t iova, bool write, unsigned int code)
{
    uint64_t pa = iova >= LIST ? w->list + (iova - LIST) :
                  w->data + (iova - LAB_IOVA);
    QVtdDesc prd = { };

    g_assert_cmpuint(qpt_wait(&w->lab.d, 0), ==, PT_ST_RUNNING);
    g_assert_true(qvtd_prq_pop(&w->lab.v, &prd));
    g_assert_cmphex(QVTD_PRD_ADDR(&prd), ==, iova);
    g_assert_cmpint(!!QVTD_PRD_WRR(&prd), ==, write);
    g_assert_cmpint(!!QVTD_PRD_RDR(&prd), ==, !write);
    if (code == QPT_SUCCESS) {
        map(w, iova, pa, 1);
    }
    qvtd_respond(&w->lab.v, w->lab.d.rid, LAB_PASID, QVTD_PRD_PRGI(&prd),
                 code);
}

/* Every page of the list and of its pieces is asked for, once */
static void test_faults(void)
{
    QPtOp op = scatter();
    World w;

    start_world(&w);
    put_pieces(&w);
    qpt_start(&w.lab.d, 0, &op);
    serve(&w, LIST, false, QPT_SUCCESS);
    serve(&w, LAB_IOVA, true, QPT_SUCCESS);
    serve(&w, LAB_IOVA + 1 * PAGE, true, QPT_SUCCESS);
    serve(&w, LAB_IOVA + 2 * PAGE, true, QPT_SUCCESS);
    serve(&w, LIST + PAGE, false, QPT_SUCCESS);
    for (unsigned int page = 4; page < 9; page++) {
        serve(&w, LAB_IOVA + page * PAGE, true, QPT_SUCCESS);
    }
    expect_done(&w);
    check_scattered(&w);
    g_assert_cmpuint(qpt_ch_readl(&w.lab.d, 0, PT_CH_REQUESTS), ==, 10);
    pri_lab_stop(&w.lab);
}

/* Invalid Request ends it: for the list, for a piece; what is done stays */
static void test_refused(void)
{
    QPtOp op = scatter();
    World w;

    start_world(&w);
    put_pieces(&w);
    qpt_start(&w.lab.d, 0, &op);
    serve(&w, LIST, false, QPT_INVALID_REQUEST);
    g_assert_cmpuint(qpt_wait(&w.lab.d, 0), ==, PT_ST_INVALID_REQUEST);
    g_assert_cmphex(qpt_ch_readq(&w.lab.d, 0, PT_CH_ERR_ADDR), ==, LIST);
    g_assert_cmpuint(qpt_ch_readl(&w.lab.d, 0, PT_CH_LIST_DONE), ==, 0);

    map(&w, LIST, w.list, 2);
    qpt_start(&w.lab.d, 0, &op);
    serve(&w, LAB_IOVA, true, QPT_SUCCESS);
    serve(&w, LAB_IOVA + PAGE, true, QPT_SUCCESS);
    serve(&w, LAB_IOVA + 2 * PAGE, true, QPT_INVALID_REQUEST);
    g_assert_cmpuint(qpt_wait(&w.lab.d, 0), ==, PT_ST_INVALID_REQUEST);
    g_assert_cmpuint(qpt_ch_readl(&w.lab.d, 0, PT_CH_LIST_DONE), ==, 1);
    g_assert_cmpuint(qpt_ch_readq(&w.lab.d, 0, PT_CH_DONE), ==, 0x40 + 0x10);
    pri_lab_stop(&w.lab);
}

/* An entry is read when its turn comes, and once */
static void test_changed(void)
{
    QPtOp op = scatter();
    World w;

    start_world(&w);
    map(&w, LIST, w.list, 2);
    put(&w, LIST_AT, 0, LAB_IOVA, 8, 0);
    put(&w, LIST_AT, 1, LAB_IOVA + PAGE, 8, 0);
    op.list_len = 2;
    qpt_start(&w.lab.d, 0, &op);
    g_assert_cmpuint(qpt_wait(&w.lab.d, 0), ==, PT_ST_RUNNING);
    put(&w, LIST_AT, 0, UINT64_MAX, 0, UINT32_MAX);
    put(&w, LIST_AT, 1, LAB_IOVA + 3 * PAGE, 16, PT_LIST_LAST);
    serve(&w, LAB_IOVA, true, QPT_SUCCESS);
    serve(&w, LAB_IOVA + 3 * PAGE, true, QPT_SUCCESS);
    g_assert_cmpuint(qpt_wait(&w.lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmpuint(qpt_ch_readq(&w.lab.d, 0, PT_CH_DONE), ==, 24);
    pri_lab_stop(&w.lab);
}

/* -- Lists that are wrong -------------------------------------------------- */

static void test_bad_command(void)
{
    static const struct {
        uint32_t cmd;
        uint32_t flags;
        uint64_t list;
        uint32_t list_len;
    } bad[] = {
        { PT_OP_WRITE, PT_FLAG_SCATTER, LIST_AT, 0 },
        { PT_OP_WRITE, PT_FLAG_SCATTER, LIST_AT, PT_LIST_MAX + 1 },
        { PT_OP_WRITE, PT_FLAG_SCATTER, LIST_AT, UINT32_MAX },
        { PT_OP_WRITE, PT_FLAG_SCATTER, LIST_AT + 8, 1 },
        { PT_OP_WRITE, PT_FLAG_SCATTER, LIST_AT + 1, 1 },
        { PT_OP_WRITE, PT_FLAG_SCATTER, -16ULL, 2 },
        { PT_OP_WRITE, PT_FLAG_GATHER, LIST_AT, 1 },
        { PT_OP_FILL, PT_FLAG_GATHER, LIST_AT, 1 },
        { PT_OP_READ, PT_FLAG_SCATTER, LIST_AT, 1 },
        { PT_OP_COPY, PT_FLAG_SCATTER | PT_FLAG_GATHER, LIST_AT, 1 },
    };
    World w;

    start_mapped(&w);
    put(&w, LIST_AT, 0, LAB_IOVA, 8, 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
        QPtOp op = {
            .cmd = bad[i].cmd, .flags = PT_FLAG_PASID | bad[i].flags,
            .pasid = LAB_PASID, .src = FLAT, .dst = FLAT, .len = 8,
            .list = bad[i].list, .list_len = bad[i].list_len,
        };

        g_assert_cmpuint(qpt_run(&w.lab.d, 0, &op), ==, PT_ST_BAD_COMMAND);
    }
    g_assert_cmpuint(qpt_readq(&w.lab.d, PT_CNT_BYTES_READ), ==, 0);
    pri_lab_stop(&w.lab);
}

static void test_bad_entry(void)
{
    static const struct {
        uint64_t addr;
        uint32_t len;
        uint32_t flags;
    } bad[] = {
        { LAB_IOVA, 0, 0 },
        { LAB_IOVA, 0, PT_LIST_LAST },
        { 0, 0, 0 },
        { LAB_IOVA, 8, 2 },
        { LAB_IOVA, 8, 0x80000000 },
        { -8ULL, 9, 0 },
        { UINT64_MAX, UINT32_MAX, 0 },
    };
    QPtOp op = scatter();
    World w;

    start_mapped(&w);
    put(&w, LIST_AT, 0, LAB_IOVA + PAGE, 8, 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
        put(&w, LIST_AT, 1, bad[i].addr, bad[i].len, bad[i].flags);
        g_assert_cmpuint(qpt_run(&w.lab.d, 0, &op), ==, PT_ST_BAD_LIST);
        g_assert_cmphex(qpt_ch_readq(&w.lab.d, 0, PT_CH_ERR_ADDR), ==,
                        LIST_AT + PT_LIST_ENTRY_SIZE);
        g_assert_cmpuint(qpt_ch_readl(&w.lab.d, 0, PT_CH_LIST_DONE), ==, 1);
        g_assert_cmpuint(qpt_ch_readq(&w.lab.d, 0, PT_CH_DONE), ==, 8);
    }
    /* the other side of a COPY wraps around */
    op.cmd = PT_OP_COPY;
    op.src = -15ULL;
    put(&w, LIST_AT, 0, LAB_IOVA, 16, 0);
    g_assert_cmpuint(qpt_run(&w.lab.d, 0, &op), ==, PT_ST_BAD_LIST);

    /* one entry at the last address there is */
    op = scatter();
    op.list = -(uint64_t)PT_LIST_ENTRY_SIZE;
    op.list_len = 1;
    qpt_start(&w.lab.d, 0, &op);
    serve(&w, -(uint64_t)PAGE, false, QPT_INVALID_REQUEST);
    g_assert_cmpuint(qpt_wait(&w.lab.d, 0), ==, PT_ST_INVALID_REQUEST);
    pri_lab_stop(&w.lab);
}

/* As long as it can be, of the largest pieces: it ends when it is told to */
static void test_huge(void)
{
    QPtOp op = scatter();
    World w;

    start_mapped(&w);
    put(&w, LIST, 0, 0x1000, UINT32_MAX, 0);
    map(&w, 0x1000, w.flat, 1);
    op.list = LIST;
    op.list_len = PT_LIST_MAX;
    qpt_start(&w.lab.d, 0, &op);
    g_assert_cmpuint(qpt_wait(&w.lab.d, 0), ==, PT_ST_RUNNING);
    g_assert_cmpuint(qpt_ch_readq(&w.lab.d, 0, PT_CH_DONE), ==, PAGE);
    qpt_writel(&w.lab.d, PT_CHANNEL(0) + PT_CH_CMD, PT_OP_ABORT);
    g_assert_cmpuint(qpt_wait(&w.lab.d, 0), ==, PT_ST_ABORTED);
    pri_lab_stop(&w.lab);
}

/* -- In the middle --------------------------------------------------------- */

/* Stop before page 2, at the second piece; then at the list's second page */
static void go_to_middle(World *w, bool list)
{
    QPtOp op = scatter();

    start_world(w);
    map(w, LIST, w->list, 1);
    put_pieces(w);
    qpt_start(&w->lab.d, 0, &op);
    serve(w, LAB_IOVA, true, QPT_SUCCESS);
    serve(w, LAB_IOVA + PAGE, true, QPT_SUCCESS);
    if (list) {
        serve(w, LAB_IOVA + 2 * PAGE, true, QPT_SUCCESS);
    }
    g_assert_cmpuint(qpt_wait(&w->lab.d, 0), ==, PT_ST_RUNNING);
}

static void test_reset(void)
{
    for (int list = 0; list < 2; list++) {
        QPtOp op = scatter();
        World w;

        go_to_middle(&w, list);
        qpt_writel(&w.lab.d, PT_SOFT_RESET, 0);
        g_assert_cmpuint(qpt_wait(&w.lab.d, 0), ==, PT_ST_IDLE);
        g_assert_cmpuint(qpt_ch_readl(&w.lab.d, 0, PT_CH_LIST_DONE), ==, 0);
        g_assert_cmphex(qpt_ch_readq(&w.lab.d, 0, PT_CH_LIST), ==, 0);
        map(&w, LAB_IOVA, w.data, 16);
        map(&w, LIST, w.list, 2);
        qpt_start(&w.lab.d, 0, &op);
        expect_done(&w);
        pri_lab_stop(&w.lab);

        go_to_middle(&w, list);
        qpt_flr(&w.lab.d);
        qpt_restore(&w.lab.d);
        qpt_enable(&w.lab.d, 0);
        g_assert_cmpuint(qpt_wait(&w.lab.d, 0), ==, PT_ST_IDLE);
        map(&w, LAB_IOVA, w.data, 16);
        map(&w, LIST, w.list, 2);
        qpt_start(&w.lab.d, 0, &op);
        expect_done(&w);
        check_scattered(&w);
        pri_lab_stop(&w.lab);
    }
}

static void test_migration(void)
{
    for (int list = 0; list < 2; list++) {
        World w;

        go_to_middle(&w, list);
        lab_migrate(&w.lab, "ite-timeout-ms=60000", NULL,
                    qtest_clock_step(w.lab.qts, 1));
        if (!list) {
            serve(&w, LAB_IOVA + 2 * PAGE, true, QPT_SUCCESS);
        }
        serve(&w, LIST + PAGE, false, QPT_SUCCESS);
        for (unsigned int page = 4; page < 9; page++) {
            serve(&w, LAB_IOVA + page * PAGE, true, QPT_SUCCESS);
        }
        expect_done(&w);
        check_scattered(&w);
        pri_lab_stop(&w.lab);
    }
}

/* The knob that asks again without a look asks for the same page */
static void test_retry(void)
{
    QPtOp op = scatter();
    World w;

    start_world(&w);
    put_pieces(&w);
    qpt_knob_set(&w.lab.d, PT_KNOB_RETRY, 1);
    qpt_start(&w.lab.d, 0, &op);
    serve(&w, LIST, false, QPT_SUCCESS);
    serve(&w, LIST, false, QPT_SUCCESS);
    qpt_knob_set(&w.lab.d, PT_KNOB_RETRY, 0);
    serve(&w, LIST, false, QPT_SUCCESS);
    serve(&w, LAB_IOVA, true, QPT_SUCCESS);
    pri_lab_stop(&w.lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);

    qtest_add_func("/pri-testdev/list/write", test_write);
    qtest_add_func("/pri-testdev/list/copy", test_copy);
    qtest_add_func("/pri-testdev/list/last", test_last);
    qtest_add_func("/pri-testdev/list/untranslated", test_untranslated);
    qtest_add_func("/pri-testdev/list/faults", test_faults);
    qtest_add_func("/pri-testdev/list/PRI-20/refused", test_refused);
    qtest_add_func("/pri-testdev/list/changed", test_changed);
    qtest_add_func("/pri-testdev/list/bad-command", test_bad_command);
    qtest_add_func("/pri-testdev/list/bad-entry", test_bad_entry);
    qtest_add_func("/pri-testdev/list/huge", test_huge);
    qtest_add_func("/pri-testdev/list/reset", test_reset);
    qtest_add_func("/pri-testdev/list/migration", test_migration);
    qtest_add_func("/pri-testdev/list/retry", test_retry);

    return g_test_run();
}
