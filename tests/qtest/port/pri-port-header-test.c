/*
 * The header of the TLP that a port has stopped, in its Header Log
 *
 * PCIe 6.2 2.2.5 (memory), 10.3.2, 10.4.1, 10.4.2 (messages of ATS), 7.8.4.8
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "qemu/host-utils.h"
#include "libqos/lab-rows.h"
#include "libqos/pri-switch.h"
#include "libqos/vtd-inv.h"

#define COMMAND             0x04
#define COMMAND_NO_BME      0x2
#define REPLY_WRONG_BUS     5       /* of knob inv-reply */
#define PREFIX_PASID        (0x91000000 | LAB_PASID)
#define PREFIX_PRIV         (1u << 23)
#define PREFIX_EXEC         (1u << 22)
#define INDEX               0x155   /* of a group: nine bits */

/* Fmt and Type, and the Message Code */
enum {
    MRD64 = 0x20, MWR64 = 0x60,
    MSG_TO_ROOT = 0x30, MSG_BY_ID = 0x32, MSGD_BY_ID = 0x72,
};
enum {
    INV_REQUEST = 1, INV_COMPLETION = 2, PAGE_REQUEST = 4, PRG_RESPONSE = 5,
};

static uint32_t header(QRootPort *p, unsigned int dw)
{
    return __builtin_bswap32(qrp_readl(p, p->aer + QRP_AER_HEADER + dw * 4));
}

static void check_header(QRootPort *p, uint32_t dw0, uint32_t dw1,
                         uint64_t address)
{
    g_assert_cmphex(header(p, 0), ==, dw0);
    g_assert_cmphex(header(p, 1), ==, dw1);
    g_assert_cmphex(header(p, 2), ==, address >> 32);
    g_assert_cmphex(header(p, 3), ==, (uint32_t)address);
}

static void check_prefix(QRootPort *p, uint32_t prefix)
{
    g_assert_cmphex(__builtin_bswap32(qrp_readl(p, p->aer +
                                                QRP_AER_TLP_PREFIX)), ==,
                    prefix);
}

static void block_prefix(PriSwitch *s, unsigned int n)
{
    QRootPort *p = &s->port[n];

    qrp_writew(p, p->exp + QRP_DEVCTL2, QRP_DEVCTL2_EETLPPB);
}

static void test_page_request(void)
{
    PriSwitch s;
    PriLab *lab = &s.lab;
    QRootPort *p = &s.port[PRI_SWITCH_UP];
    uint32_t dw1;

    pri_switch_start(&s, NULL, NULL, NULL);
    block_prefix(&s, PRI_SWITCH_UP);
    dw1 = lab->d.rid << 16 | PAGE_REQUEST;
    lab_request(lab, LAB_IOVA, PT_RAW_WRITE | PT_RAW_LAST, INDEX);
    check_header(p, MSG_TO_ROOT << 24, dw1,
                 LAB_IOVA | INDEX << 3 | 1 << 2 | 1 << 1);
    check_prefix(p, PREFIX_PASID);
    pri_switch_expect(&s, PRI_SWITCH_UP, QRP_AER_PREFIX, false);
    lab_request(lab, LAB_IOVA, PT_RAW_READ | PT_RAW_PRIV | PT_RAW_EXEC, INDEX);
    check_header(p, MSG_TO_ROOT << 24, dw1, LAB_IOVA | INDEX << 3 | 1);
    check_prefix(p, PREFIX_PASID | PREFIX_PRIV | PREFIX_EXEC);
    pri_switch_expect(&s, PRI_SWITCH_UP, QRP_AER_PREFIX, false);
    pri_lab_stop(lab);
}

static void test_response(void)
{
    PriSwitch s;
    PriLab *lab = &s.lab;

    pri_switch_start(&s, NULL, NULL, NULL);
    block_prefix(&s, PRI_SWITCH_ROOT);
    lab_request(lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, INDEX);
    qvtd_respond(&lab->v, lab->d.rid, LAB_PASID, INDEX, QPT_INVALID_REQUEST);
    check_header(&s.port[PRI_SWITCH_ROOT], MSG_BY_ID << 24, PRG_RESPONSE,
                 (uint64_t)lab->d.rid << 48 |
                 (uint64_t)QPT_INVALID_REQUEST << 44 | (uint64_t)INDEX << 32);
    check_prefix(&s.port[PRI_SWITCH_ROOT], PREFIX_PASID);
    pri_switch_expect(&s, PRI_SWITCH_ROOT, QRP_AER_PREFIX, false);
    pri_lab_stop(lab);
}

/* The second one while the first has its tag still */
static void test_invalidation(void)
{
    PriSwitch s;
    PriLab *lab = &s.lab;
    QRootPort *p = &s.port[PRI_SWITCH_ROOT];
    uint32_t tag[2];

    pri_switch_start(&s, NULL, NULL, NULL);
    block_prefix(&s, PRI_SWITCH_ROOT);
    for (unsigned int i = 0; i < 2; i++) {
        qinv_put(&lab->v, qinv_desc_valid(QINV_DEV_PTLB, lab->d.rid));
        qvtd_qi_ring(&lab->v);
        tag[i] = header(p, 1) >> 8;
        check_header(p, (uint32_t)MSGD_BY_ID << 24, tag[i] << 8 | INV_REQUEST,
                     (uint64_t)lab->d.rid << 48);
        pri_switch_expect(&s, PRI_SWITCH_ROOT, QRP_AER_PREFIX, false);
    }
    g_assert_cmpuint(tag[0], <, 32);
    g_assert_cmpuint(tag[1], <, 32);
    g_assert_cmpuint(tag[0], !=, tag[1]);
    pri_lab_stop(lab);
}

static void test_completion(void)
{
    PriSwitch s;
    PriLab *lab = &s.lab;
    QRootPort *p = &s.port[PRI_SWITCH_DOWN];
    uint32_t itags;

    pri_switch_start(&s, NULL, ",acs=on", NULL);
    qrp_writew(p, p->acs + QRP_ACS_CTL, QRP_ACS_SV);
    qpt_knob_set(&lab->d, PT_KNOB_INV_REPLY, REPLY_WRONG_BUS);
    qinv_put_dev_tlb(&lab->v, lab->d.rid);
    qvtd_qi_ring(&lab->v);
    itags = header(p, 3);
    g_assert_cmpuint(ctpop32(itags), ==, 1);
    check_header(p, MSG_BY_ID << 24,
                 (lab->d.rid ^ 0x100) << 16 | INV_COMPLETION,
                 1ull << 32 | itags);           /* Completion Count: 1 */
    pri_switch_expect(&s, PRI_SWITCH_DOWN, QRP_AER_ACSV, false);
    pri_lab_stop(lab);
}

/* Where a write begins and ends: its doublewords, and their Byte Enables */
typedef struct MemoryRow {
    const char *name;
    unsigned int first, len;
    unsigned int words, enables;
} MemoryRow;

static const MemoryRow memory_rows[] = {
    { "memory", 7, 6, 3, 0x18 },        /* bytes 7, 8 to 11, 12 */
    { "memory-whole", 0, 8, 2, 0xff },
    { "memory-one", 5, 2, 1, 0x06 },
    { "memory-byte", 3, 1, 1, 0x08 },
    { "memory-page", 1, 0xfff, 0x400 & 0x3ff, 0xfe },
};

static void test_memory(const void *opaque)
{
    const MemoryRow *row = opaque;
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_UNTRANSLATED,
        .dst = LAB_IOVA + row->first, .len = row->len,
    };
    PriSwitch s;
    PriLab *lab = &s.lab;
    QRootPort *p = &s.port[PRI_SWITCH_DOWN];

    pri_switch_start(&s, NULL, NULL, NULL);
    qvtd_fs_map(&lab->v, lab->rid_pml4, LAB_IOVA, qvtd_alloc(&lab->v, 1),
                QVTD_FS_USER);
    qrp_writew(p, COMMAND, COMMAND_NO_BME);
    g_assert_cmpuint(qpt_run(&lab->d, 0, &op), ==, PT_ST_DMA_ERROR);
    check_header(p, MWR64 << 24 | row->words,
                 lab->d.rid << 16 | row->enables,
                 (LAB_IOVA + row->first) & ~3ull);
    pri_switch_expect(&s, PRI_SWITCH_DOWN, QRP_AER_UR, false);
    pri_lab_stop(lab);
}

/* AT 01b, two doublewords, and NW says that it is for reads (10.2.2) */
static void test_translation(void)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID | PT_FLAG_NO_PRI,
        .pasid = LAB_PASID, .dst = LAB_IOVA, .src = LAB_IOVA, .len = 8,
    };
    PriSwitch s;
    PriLab *lab = &s.lab;
    QRootPort *p = &s.port[PRI_SWITCH_DOWN];

    pri_switch_start(&s, NULL, NULL, NULL);
    for (unsigned int nw = 0; nw < 2; nw++) {
        qrp_writew(p, COMMAND, COMMAND_NO_BME);
        op.cmd = nw ? PT_OP_READ : PT_OP_WRITE;
        g_assert_cmpuint(qpt_run(&lab->d, 0, &op), ==, PT_ST_TRANS_UR);
        check_header(p, MRD64 << 24 | 1 << 10 | 2, lab->d.rid << 16 | 0xff,
                     LAB_IOVA | nw);
        check_prefix(p, PREFIX_PASID);
        pri_switch_expect(&s, PRI_SWITCH_DOWN, QRP_AER_UR, true);
    }
    pri_lab_stop(lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    qtest_add_func("/port/PORT-05/header/page-request", test_page_request);
    qtest_add_func("/port/PORT-05/header/response", test_response);
    qtest_add_func("/port/PORT-05/header/invalidation", test_invalidation);
    qtest_add_func("/port/PORT-05/header/completion", test_completion);
    LAB_ADD_ROWS("/port/PORT-05/header", memory_rows, test_memory);
    qtest_add_func("/port/PORT-05/header/translation", test_translation);
    return g_test_run();
}
