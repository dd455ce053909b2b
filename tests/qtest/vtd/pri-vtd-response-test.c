/*
 * VT-d page requests: Page Group Responses (PRQ-70 to PRQ-77)
 *
 * VT-d 6.5.2.11 table 26, 7.6.1, 11.4.9.9
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/pri-lab.h"

#define R   PT_RAW_READ
#define L   PT_RAW_LAST

/* -- PRQ-70: once ---------------------------------------------------------- */

static void test_once(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 0x42);
    lab_expect_silence(&lab);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 0x42, QPT_SUCCESS);
    lab_expect_response(&lab, QPT_SUCCESS, 0x42, LAB_PASID);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_UNEXPECTED), ==, 0);

    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 0x42, QPT_SUCCESS);
    lab_expect_silence(&lab);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_UNEXPECTED), ==, 1);
    pri_lab_stop(&lab);
}

/* -- PRQ-71: where the descriptor is valid --------------------------------- */

/* The queue stops at its first descriptor for a reason that stays */
static void check_stopped(QVtd *v, unsigned int iqei)
{
    qvtd_submit(v, qvtd_desc_response(LAB_BUS << 8, LAB_PASID, 1, 0));
    g_assert_cmphex(qvtd_readl(v, QVTD_FSTS) & QVTD_FSTS_IQE, !=, 0);
    g_assert_cmpuint(qvtd_readq(v, QVTD_IQERCD) & 0xf, ==, iqei);
    g_assert_cmphex(qvtd_readq(v, QVTD_IQH), ==, 0);
}

static void test_width_scalable(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    qvtd_qi_start(&lab.v, 0, false);
    check_stopped(&lab.v, QVTD_IQEI_WIDTH);
    lab_expect_silence(&lab);
    pri_lab_stop(&lab);
}

static void test_legacy(const void *opaque)
{
    bool dw = opaque;
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, 0);
    qvtd_set_root(&lab.v, qvtd_alloc(&lab.v, 1), QVTD_TTM_LEGACY);
    qvtd_qi_start(&lab.v, 0, dw);
    check_stopped(&lab.v, QVTD_IQEI_TYPE);
    pri_lab_stop(&lab);
}

static void test_without_prs(void)
{
    PriLab lab;

    pri_lab_boot(&lab, "svm=off,x-pasid-mode=off", NULL, 0);
    qvtd_start(&lab.v);
    qvtd_expect_iqe(&lab.v, qvtd_desc_response(lab.d.rid, LAB_PASID, 1, 0),
                    QVTD_IQEI_TYPE);
    pri_lab_stop(&lab);
}

/* -- PRQ-72: reserved and ignored ------------------------------------------ */

static bool response_bit_reserved(unsigned int word, unsigned int bit)
{
    switch (word) {
    case 0:
        return (bit >= 5 && bit <= 8) || bit >= 52;
    case 1:
        return bit < 2 || bit >= 12;
    default:
        return true;
    }
}

static void test_reserved(void)
{
    unsigned int word, bit;
    PriLab lab;

    pri_lab_start(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 0x42);
    for (word = 0; word < 4; word++) {
        for (bit = 0; bit < 64; bit++) {
            QVtdDesc desc = qvtd_desc_response(lab.d.rid, LAB_PASID, 0x42, 0);

            if (response_bit_reserved(word, bit)) {
                desc.qw[word] |= 1ULL << bit;
                qvtd_expect_iqe(&lab.v, desc, QVTD_IQEI_RSVD);
                if (g_test_failed()) {
                    g_test_message("word %u bit %u", word, bit);
                    goto out;
                }
            }
        }
    }
    /* nothing of that reached the endpoint */
    lab_expect_silence(&lab);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_UNEXPECTED), ==, 0);
out:
    pri_lab_stop(&lab);
}

static void test_type_high(void)
{
    unsigned int bit;
    PriLab lab;

    pri_lab_start(&lab);
    for (bit = 9; bit < 12; bit++) {
        QVtdDesc desc = qvtd_desc_response(lab.d.rid, LAB_PASID, 0x42, 0);

        desc.qw[0] |= 1ULL << bit;
        qvtd_expect_iqe(&lab.v, desc, QVTD_IQEI_TYPE);
    }
    pri_lab_stop(&lab);
}

static void test_ignored(void)
{
    QVtdDesc desc;
    PriLab lab;

    pri_lab_start(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 0x42);
    desc = qvtd_desc_response(lab.d.rid, LAB_PASID, 0x42, 0);
    desc.qw[1] |= 1 << 2;
    qvtd_submit(&lab.v, desc);
    g_assert_true(qvtd_qi_idle(&lab.v));
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS), ==, 0);
    lab_expect_response(&lab, QPT_SUCCESS, 0x42, LAB_PASID);
    pri_lab_stop(&lab);
}

/* -- PRQ-73: without PASID ------------------------------------------------- */

static void test_no_pasid(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    lab_request_rid(&lab, LAB_IOVA, R | L, 0x42);
    qvtd_respond(&lab.v, lab.d.rid, QVTD_NO_PASID, 0x42,
                 QPT_INVALID_REQUEST);
    lab_expect_response(&lab, QPT_INVALID_REQUEST, 0x42, QVTD_NO_PASID);
    pri_lab_stop(&lab);
}

/* PP=0: the PASID field is ignored, so it is not reserved either */
static void test_no_pasid_garbage(void)
{
    QVtdDesc desc;
    PriLab lab;

    pri_lab_start(&lab);
    lab_request_rid(&lab, LAB_IOVA, R | L, 0x42);
    desc = qvtd_desc_response(lab.d.rid, QVTD_NO_PASID, 0x42, 0);
    desc.qw[0] |= 0xfffffULL << 32;
    qvtd_submit(&lab.v, desc);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS), ==, 0);
    lab_expect_response(&lab, QPT_SUCCESS, 0x42, QVTD_NO_PASID);
    pri_lab_stop(&lab);
}

/* -- PRQ-74, PRQ-77: response codes ---------------------------------------- */

static void test_codes(const void *opaque)
{
    unsigned int code = GPOINTER_TO_UINT(opaque);
    PriLab lab;

    pri_lab_start(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 0x142);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 0x142, code);
    lab_expect_response(&lab, code, 0x142, LAB_PASID);
    pri_lab_stop(&lab);
}

/* Response Failure ends page requests of the function until it is re-enabled */
static void test_failure(void)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA, .len = 4096,
    };
    QVtdDesc prd;
    uint16_t status;
    PriLab lab;

    pri_lab_start(&lab);
    qpt_start(&lab.d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    g_assert_true(qvtd_prq_pop(&lab.v, &prd));
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, QVTD_PRD_PRGI(&prd),
                 QPT_RESPONSE_FAILURE);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RESPONSE_FAILURE);
    status = qpt_config_readw(&lab.d, lab.d.pri + QPT_PRI_STATUS);
    g_assert_cmphex(status & QPT_PRI_STATUS_RF, !=, 0);

    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_NO_PRI);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);

    qpt_pri_disable(&lab.d);
    qpt_enable(&lab.d, 0);
    status = qpt_config_readw(&lab.d, lab.d.pri + QPT_PRI_STATUS);
    g_assert_cmphex(status & QPT_PRI_STATUS_RF, ==, 0);
    qpt_start(&lab.d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    pri_lab_stop(&lab);
}

/* -- PRQ-75: hardware checks nothing --------------------------------------- */

static void test_unknown_prgi(void)
{
    uint16_t status;
    PriLab lab;

    pri_lab_start(&lab);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 0x123, QPT_SUCCESS);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_RESP_UNEXPECTED), ==, 1);
    status = qpt_config_readw(&lab.d, lab.d.pri + QPT_PRI_STATUS);
    g_assert_cmphex(status & QPT_PRI_STATUS_UPRGI, !=, 0);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS), ==, 0);
    pri_lab_stop(&lab);
}

static void test_unknown_rid(void)
{
    static const uint16_t rids[] = { 0x0000, 0x0108, 0x4200, 0xffff };
    unsigned int i;
    PriLab lab;

    pri_lab_start(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    for (i = 0; i < ARRAY_SIZE(rids); i++) {
        qvtd_respond(&lab.v, rids[i], LAB_PASID, 1, QPT_SUCCESS);
    }
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS), ==, 0);
    lab_expect_silence(&lab);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 1, QPT_SUCCESS);
    lab_expect_response(&lab, QPT_SUCCESS, 1, LAB_PASID);
    pri_lab_stop(&lab);
}

/* a PASID that has no entry any more, or never had one */
static void test_unknown_pasid(void)
{
    uint64_t pe;
    PriLab lab;

    pri_lab_start(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    pe = qvtd_pasid_entry(&lab.v, lab.d.rid, LAB_PASID);
    qvtd_set(&lab.v, pe, QVTD_PE_P, 0);
    qvtd_flush(&lab.v);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 1, QPT_INVALID_REQUEST);
    lab_expect_response(&lab, QPT_INVALID_REQUEST, 1, LAB_PASID);
    pri_lab_stop(&lab);
}

/* with translation, and even page requests, disabled meanwhile */
static void test_disabled_meanwhile(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    lab_request(&lab, LAB_IOVA, R | L, 1);
    qvtd_set(&lab.v, qvtd_context_entry(&lab.v, lab.d.rid), QVTD_CE_PRE, 0);
    qvtd_flush(&lab.v);
    qvtd_respond(&lab.v, lab.d.rid, LAB_PASID, 1, QPT_INVALID_REQUEST);
    lab_expect_response(&lab, QPT_INVALID_REQUEST, 1, LAB_PASID);
    pri_lab_stop(&lab);
}

/* -- PRQ-76: the retry sees the new translation ---------------------------- */

static void test_retry(void)
{
    QPtOp op = {
        .cmd = PT_OP_READ, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .src = LAB_IOVA, .dst = LAB_IOVA, .len = 64, .pattern = 0x1122334455,
    };
    uint64_t page;
    PriLab lab;

    pri_lab_start(&lab);
    page = qvtd_alloc(&lab.v, 1);
    qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA, page, QVTD_FS_RO);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);

    /* the read-only translation is cached all the way */
    op.cmd = PT_OP_WRITE;
    qpt_start(&lab.d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    g_assert_cmpuint(lab_serve(&lab, LAB_IOVA, page, QVTD_FS_USER), ==, 1);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    g_assert_cmpuint(qpt_ch_readl(&lab.d, 0, PT_CH_GROUPS), ==, 1);
    g_assert_cmphex(qtest_readb(lab.qts, page), ==,
                    PT_STAMP_BYTE(op.pattern, LAB_IOVA));
    pri_lab_stop(&lab);
}

/* Revision 3 had private data, which later ones have reserved (knob profile) */
static void test_private_data(const void *opaque)
{
    const char *profile = opaque;
    g_autofree char *vtd = g_strdup_printf("profile=%s", profile);
    bool taken = !strcmp(profile, "rev3");
    QVtdDesc desc;
    PriLab lab;

    pri_lab_start_with(&lab, vtd, NULL, 0);
    lab_request(&lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, 0x12);
    desc = qvtd_desc_response(lab.d.rid, LAB_PASID, 0x12, QPT_SUCCESS);
    desc.qw[0] |= 1 << 5;
    desc.qw[2] = 0x1122334455667788ULL;
    desc.qw[3] = 0x99aabbccddeeff00ULL;
    qvtd_submit(&lab.v, desc);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS), ==,
                    taken ? 0 : QVTD_FSTS_IQE);
    if (taken) {
        lab_expect_response(&lab, QPT_SUCCESS, 0x12, LAB_PASID);
    } else {
        lab_expect_silence(&lab);
    }
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    unsigned int code;

    pri_lab_test_init(&argc, &argv);
    g_test_add_func("/vtd/prq/PRQ-70/once", test_once);
    g_test_add_func("/vtd/prq/PRQ-71/128-bit-queue", test_width_scalable);
    g_test_add_data_func("/vtd/prq/PRQ-71/legacy-128-bit", NULL, test_legacy);
    g_test_add_data_func("/vtd/prq/PRQ-71/legacy-256-bit",
                         GUINT_TO_POINTER(1), test_legacy);
    g_test_add_func("/vtd/prq/PRQ-71/without-prs", test_without_prs);
    g_test_add_func("/vtd/prq/PRQ-72/reserved-bits", test_reserved);
    g_test_add_func("/vtd/prq/PRQ-72/type-high-bits", test_type_high);
    g_test_add_func("/vtd/prq/PRQ-72/bit-66-ignored", test_ignored);
    g_test_add_func("/vtd/prq/PRQ-73/no-pasid", test_no_pasid);
    g_test_add_func("/vtd/prq/PRQ-73/no-pasid-field-ignored",
                    test_no_pasid_garbage);
    for (code = 0; code < 16; code++) {
        g_autofree char *name = g_strdup_printf("/vtd/prq/PRQ-74/code-%x",
                                                code);

        g_test_add_data_func(name, GUINT_TO_POINTER(code), test_codes);
    }
    g_test_add_func("/vtd/prq/PRQ-75/unknown-prgi", test_unknown_prgi);
    g_test_add_func("/vtd/prq/PRQ-75/unknown-rid", test_unknown_rid);
    g_test_add_func("/vtd/prq/PRQ-75/unknown-pasid", test_unknown_pasid);
    g_test_add_func("/vtd/prq/PRQ-75/disabled-meanwhile",
                    test_disabled_meanwhile);
    g_test_add_func("/vtd/prq/PRQ-76/retry-sees-new-translation", test_retry);
    g_test_add_func("/vtd/prq/PRQ-77/response-failure", test_failure);
    g_test_add_data_func("/vtd/prq/PRQ-72/private-data-rev3", "rev3",
                         test_private_data);
    g_test_add_data_func("/vtd/prq/PRQ-72/private-data-rev4", "rev4",
                         test_private_data);
    return g_test_run();
}
