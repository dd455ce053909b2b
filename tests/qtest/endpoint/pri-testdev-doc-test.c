/*
 * What docs/specs/pri-testdev.rst says: its example, and sentences that no
 * other test holds
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/pri-lab.h"

/*
 * The example at the head of docs/specs/pri-testdev.rst, access by access: what
 * it says in numbers is said in the same numbers here
 */
static void test_example(void)
{
    const uint32_t pasid = 5;
    uint64_t pml4, pa, bar0;
    QVtdDesc prd = { };
    PriLab lab;

    pri_lab_start(&lab);
    pml4 = qvtd_pasid_setup(&lab.v, lab.d.rid, pasid, LAB_DID + 1);
    bar0 = lab.d.bar0;
    qtest_writel(lab.qts, bar0 + 0x1008, 0x00000001);
    qtest_writel(lab.qts, bar0 + 0x100c, 0x00000005);
    qtest_writeq(lab.qts, bar0 + 0x1018, 0x00007f0000000000);
    qtest_writeq(lab.qts, bar0 + 0x1020, 0x0000000000000008);
    qtest_writeq(lab.qts, bar0 + 0x1028, 0x0123456789abcdef);
    qtest_writel(lab.qts, bar0 + 0x1000, 0x00000002);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    g_assert_cmphex(qtest_readl(lab.qts, bar0 + 0x1004), ==, 0x00000001);
    g_assert_cmphex(qtest_readl(lab.qts, bar0 + 0x0024), ==, 0x00000001);
    g_assert_cmphex(qtest_readl(lab.qts, bar0 + 0x1054), ==, 0x00000001);

    g_assert_true(qvtd_prq_pop(&lab.v, &prd));
    g_assert_cmphex(QVTD_PRD_PASID(&prd), ==, pasid);
    g_assert_cmphex(QVTD_PRD_ADDR(&prd), ==, 0x00007f0000000000);
    g_assert_cmpuint(QVTD_PRD_LPIG(&prd), ==, 1);
    pa = qvtd_alloc(&lab.v, 1);
    qvtd_fs_map(&lab.v, pml4, 0x00007f0000000000, pa, QVTD_FS_USER);
    qvtd_respond(&lab.v, lab.d.rid, pasid, QVTD_PRD_PRGI(&prd), QPT_SUCCESS);

    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readl(lab.qts, bar0 + 0x1004), ==, 0x00000002);
    g_assert_cmphex(qtest_readq(lab.qts, bar0 + 0x1040), ==,
                    0x0000000000000008);
    g_assert_cmphex(qtest_readl(lab.qts, bar0 + 0x1050), ==, 0x00000000);
    g_assert_cmphex(qtest_readl(lab.qts, bar0 + 0x0024), ==, 0x00000000);
    g_assert_cmphex(qtest_readq(lab.qts, pa), ==, 0x01233a6789abcdef);
    pri_lab_stop(&lab);
}

/* What the description says of operations that cannot go on */
static void test_documented_ends(void)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA, .len = 8,
    };
    PriLab lab;

    pri_lab_start_with(&lab, NULL, "pasid-bits=8", 0);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_BAD_COMMAND);
    pri_lab_stop(&lab);

    /* an allocation of 0 is no credit to wait for, whatever the knob says */
    pri_lab_start(&lab);
    qpt_pri_disable(&lab.d);
    qpt_config_writel(&lab.d, lab.d.pri + QPT_PRI_ALLOC, 0);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_NO_PRI);
    qpt_knob_set(&lab.d, PT_KNOB_PR_WHEN_DISABLED, 1);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_NO_PRI);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    qpt_config_writew(&lab.d, lab.d.pri + QPT_PRI_CTRL, QPT_PRI_CTRL_E);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_NO_PRI);
    pri_lab_stop(&lab);
}

/* 8 bytes are two accesses of 4, wherever they go */
static void test_wide_access(void)
{
    PriLab lab;
    uint64_t bar0;

    pri_lab_start(&lab);
    bar0 = lab.d.bar0;
    g_assert_cmphex(qtest_readq(lab.qts, bar0 + PT_ID), ==,
                    (uint64_t)PT_VERSION_1 << 32 | PT_ID_MAGIC);
    qtest_writeq(lab.qts, bar0 + PT_CHANNEL(0) + PT_CH_SRC + 4,
                 0x1122334455667788);
    g_assert_cmphex(qpt_ch_readq(&lab.d, 0, PT_CH_SRC), ==,
                    0x5566778800000000);
    g_assert_cmphex(qpt_ch_readq(&lab.d, 0, PT_CH_DST), ==, 0x11223344);
    pri_lab_stop(&lab);
}

/* The response to a raw request from before a Response Failure is stale */
static void test_raw_after_failure(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    lab_request(&lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, 1);
    lab_request(&lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, 2);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 1, QPT_RESPONSE_FAILURE);
    lab_expect_response(&lab, QPT_RESPONSE_FAILURE, 1, LAB_PASID);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 2, QPT_SUCCESS);
    lab_expect_silence(&lab);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_STALE), ==, 1);
    /* one sent after it is recorded */
    lab_request(&lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, 3);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 3, QPT_SUCCESS);
    lab_expect_response(&lab, QPT_SUCCESS, 3, LAB_PASID);
    pri_lab_stop(&lab);
}

/* -- The table of registers ------------------------------------------------ */

typedef enum Access { RO, RW, WO, W1C } Access;

typedef struct Register {
    const char *name;
    unsigned int offset;
    unsigned int bits;
    Access access;
} Register;

#define REGISTER(NAME, offset, bits, access, text) \
    { #NAME, offset, bits, access },
static const Register function_regs[] = { PT_FUNCTION_REGS(REGISTER) };
static const Register channel_regs[] = { PT_CHANNEL_REGS(REGISTER) };
#undef REGISTER

/* RW registers in which a write of all ones is no number that stays */
static bool acts(const Register *reg)
{
    return reg->offset == PT_KNOB_VALUE || reg->offset == PT_STOP_PASID ||
           reg->offset == PT_SOFT_RESET || reg->offset == PT_RAW_RESP;
}

static void check_register(PriLab *lab, unsigned int page, const Register *reg)
{
    unsigned int at = page + reg->offset + reg->bits / 8 - 4;
    uint32_t was = qpt_readl(&lab->d, at);

    g_test_message("%s", reg->name);
    switch (reg->access) {
    case RO:
        qpt_writel(&lab->d, at, UINT32_MAX);
        g_assert_cmphex(qpt_readl(&lab->d, at), ==, was);
        break;
    case RW:
        if (page || !acts(reg)) {
            qpt_writel(&lab->d, at, UINT32_MAX);
            g_assert_cmphex(qpt_readl(&lab->d, at), !=, 0);
            qpt_writel(&lab->d, at, was);
            g_assert_cmphex(qpt_readl(&lab->d, at), ==, was);
        }
        break;
    default:
        g_assert_cmphex(was, ==, 0);
        break;
    }
}

/* Offsets of @page that are in no row read 0, whatever is written to them */
static void check_reserved(PriLab *lab, unsigned int page, unsigned int end,
                           const Register *regs, unsigned int n)
{
    for (unsigned int at = 0; at < end; at += 4) {
        unsigned int i = 0;

        while (i < n && (at < regs[i].offset ||
                         at >= regs[i].offset + regs[i].bits / 8)) {
            i++;
        }
        if (i == n) {
            qpt_writel(&lab->d, page + at, UINT32_MAX);
            g_assert_cmphex(qpt_readl(&lab->d, page + at), ==, 0);
        }
    }
}

/* Every register does what its row says of access and width */
static void test_registers(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    for (unsigned int i = 0; i < ARRAY_SIZE(function_regs); i++) {
        check_register(&lab, 0, &function_regs[i]);
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(channel_regs); i++) {
        check_register(&lab, PT_CHANNEL(0), &channel_regs[i]);
    }
    check_reserved(&lab, 0, PT_CNT_PAGE_REQUESTS, function_regs,
                   ARRAY_SIZE(function_regs));
    check_reserved(&lab, PT_CHANNEL(0), 0x100, channel_regs,
                   ARRAY_SIZE(channel_regs));
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    qtest_add_func("/pri-testdev/doc/example", test_example);
    qtest_add_func("/pri-testdev/doc/ends", test_documented_ends);
    qtest_add_func("/pri-testdev/doc/wide-access", test_wide_access);
    qtest_add_func("/pri-testdev/doc/raw-after-failure",
                   test_raw_after_failure);
    qtest_add_func("/pri-testdev/doc/registers", test_registers);
    return g_test_run();
}
