/*
 * VT-d page requests: enumeration and registers (PRQ-01 to PRQ-10)
 *
 * VT-d 11.2, 11.4.3, 11.4.11
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-rows.h"
#include "libqos/pri-lab.h"

/* -- PRQ-01: enumeration --------------------------------------------------- */

static void test_enumeration_on(void)
{
    PriLab lab;
    uint64_t ecap;

    pri_lab_boot(&lab, NULL, NULL, 0);
    ecap = lab.v.ecap;
    g_assert_cmphex(ecap & QVTD_ECAP_PRS, !=, 0);
    g_assert_cmphex(ecap & QVTD_ECAP_PDS, !=, 0);
    g_assert_cmphex(ecap & QVTD_ECAP_DT, !=, 0);
    g_assert_cmphex(ecap & QVTD_ECAP_SMTS, !=, 0);
    g_assert_cmphex(ecap & QVTD_ECAP_FSTS, !=, 0);
    g_assert_cmphex(ecap & QVTD_ECAP_PASID, !=, 0);
    g_assert_cmphex(ecap & QVTD_ECAP_SMPWC, !=, 0);
    g_assert_cmphex(ecap & QVTD_ECAP_NWFS, !=, 0);
    /* PSS: N means PASIDs of N + 1 bits */
    g_assert_cmpuint(QVTD_ECAP_PSS(ecap), ==, 19);
    g_assert_cmphex(ecap & QVTD_ECAP_ERS, ==, 0);
    pri_lab_stop(&lab);
}

static void test_enumeration_off(void)
{
    PriLab lab;

    pri_lab_boot(&lab, "svm=off,x-pasid-mode=off", NULL, 0);
    g_assert_cmphex(lab.v.ecap & QVTD_ECAP_PRS, ==, 0);
    g_assert_cmphex(lab.v.ecap & QVTD_ECAP_PDS, ==, 0);
    g_assert_cmphex(lab.v.ecap & QVTD_ECAP_SMS, ==, 0);
    pri_lab_stop(&lab);
}

/*
 * Start QEMU with only an intel-iommu and let it quit.
 *
 * Returns: true if it started; else @message is what it said.
 */
static bool try_start(const char *options, char **message)
{
    g_autofree char *cmd = NULL;
    const char *argv[] = { "/bin/sh", "-c", NULL, NULL };
    g_autoptr(GError) err = NULL;
    int status = 0;

    cmd = g_strdup_printf("echo quit | %s -machine q35 -accel qtest "
                          "-display none -nodefaults -monitor stdio "
                          "-device intel-iommu,intremap=on,%s >/dev/null",
                          qtest_qemu_binary(NULL), options);
    argv[2] = cmd;
    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL,
                 message, &status, &err);
    g_assert_no_error(err);
    /* an abort is no refusal */
    g_assert_false(WIFSIGNALED(status));
    g_assert_cmpint(WEXITSTATUS(status), <=, 1);
    return WEXITSTATUS(status) == 0;
}

static const char *const svm_needs[] = {
    "device-iotlb", "x-scalable-mode", "x-flts", "x-pasid-mode",
};

/* ECAP of a machine with these options: the rules between its bits, 11.4.3 */
static void check_ecap_rules(const char *options)
{
    QTestState *qts;
    QVtd v;

    qts = qtest_initf("-machine q35 -nodefaults "
                      "-device intel-iommu,id=vtd,intremap=on,%s", options);
    qvtd_init(&v, qts);
    if (v.ecap & QVTD_ECAP_PRS) {
        g_assert_cmphex(v.ecap & QVTD_ECAP_DT, !=, 0);
        g_assert_cmphex(v.ecap & QVTD_ECAP_SMTS, !=, 0);
        g_assert_cmphex(v.ecap & QVTD_ECAP_PASID, !=, 0);
    }
    if (v.ecap & QVTD_ECAP_PDS) {
        g_assert_cmphex(v.ecap & QVTD_ECAP_DT, !=, 0);
    }
    if (v.ecap & QVTD_ECAP_SMS) {
        g_assert_cmphex(v.ecap & QVTD_ECAP_PRS, !=, 0);
    }
    g_assert_cmphex(v.ecap & QVTD_ECAP_ERS, ==, 0);
    qtest_quit(qts);
}

static void test_combinations(void)
{
    unsigned int bits, i;

    for (bits = 0; bits < 1u << (ARRAY_SIZE(svm_needs) + 1); bits++) {
        bool svm = bits >> ARRAY_SIZE(svm_needs);
        bool complete = true;
        g_autoptr(GString) options = g_string_new(svm ? "svm=on" : "svm=off");
        g_autofree char *message = NULL;

        for (i = 0; i < ARRAY_SIZE(svm_needs); i++) {
            bool on = bits >> i & 1;

            /* without device-TLBs there is svm, but are no page requests */
            complete &= on || i == 0;
            g_string_append_printf(options, ",%s=%s", svm_needs[i],
                                   on ? "on" : "off");
        }
        if (try_start(options->str, &message)) {
            g_assert_true(!svm || complete);
            check_ecap_rules(options->str);
        } else {
            g_assert_false(svm && complete);
            g_assert_cmpstr(message, !=, "");
        }
    }
}

typedef struct Refused {
    const char *name;
    const char *options;
    const char *missing;        /* what the message must name */
} Refused;

/* PRS needs DT and SMTS, PDS needs DT, SMS needs PRS; svm needs all but DT */
static const Refused refused[] = {
    { "svm-prs-dt", LAB_VTD_OPTIONS ",device-iotlb=off,x-prs=on",
      "device-iotlb" },
    { "svm-x-scalable-mode", LAB_VTD_OPTIONS ",x-scalable-mode=off",
      "x-scalable-mode" },
    { "svm-x-flts", LAB_VTD_OPTIONS ",x-flts=off", "x-flts" },
    { "svm-x-pasid-mode", LAB_VTD_OPTIONS ",x-pasid-mode=off",
      "x-pasid-mode" },
    { "svm-dma-translation", LAB_VTD_OPTIONS ",dma-translation=off",
      "dma-translation" },
    { "prs-smts", "x-prs=on,device-iotlb=on", "x-scalable-mode" },
    /* of several that lack the first is named, once */
    { "prs-first", "x-prs=on", "x-scalable-mode" },
    { "prs-before-pds", "x-prs=on,x-pds=on,x-scalable-mode=on", "x-prs=on" },
    { "svm-before-prs", LAB_VTD_OPTIONS ",dma-translation=off,"
      "device-iotlb=off,x-prs=on", "dma-translation" },
    { "svm-pasid-first", LAB_VTD_OPTIONS ",x-pasid-mode=off,"
      "dma-translation=off", "x-pasid-mode" },
    { "prs-dt", "x-prs=on,x-scalable-mode=on", "device-iotlb" },
    { "pds-dt", "x-pds=on,x-scalable-mode=on", "device-iotlb" },
    { "sms-prs", "x-sms=on,x-scalable-mode=on,device-iotlb=on", "x-prs" },
    { "pasid-bits", LAB_VTD_OPTIONS ",pasid-bits=21", "pasid-bits" },
};

static void test_missing_option_named(const void *opaque)
{
    const Refused *row = opaque;
    g_autofree char *message = NULL;

    g_assert_false(try_start(row->options, &message));
    if (!message || !strstr(message, row->missing)) {
        g_test_message("does not name %s: %s", row->missing, message);
        g_test_fail();
    }
}

/* each of the three bits by itself */
typedef struct BitRow {
    const char *name;
    const char *options;
    uint64_t set;
    uint64_t clear;
} BitRow;

static const BitRow bit_rows[] = {
    { "pds-off", "x-pds=off", QVTD_ECAP_PRS, QVTD_ECAP_PDS },
    { "pds-on", "x-pds=on", QVTD_ECAP_PRS | QVTD_ECAP_PDS, 0 },
    { "rps-off", "x-rps=off", QVTD_ECAP_PRS, QVTD_ECAP_RPS },
    { "rps-on", "x-rps=on", QVTD_ECAP_PRS | QVTD_ECAP_RPS, 0 },
    /* stop markers are of revision 5 */
    { "sms-rev4", "profile=rev4", QVTD_ECAP_PRS, QVTD_ECAP_SMS },
    { "sms-rev4-on", "profile=rev4,x-sms=on", QVTD_ECAP_PRS | QVTD_ECAP_SMS },
    { "nwfs-dt", "device-iotlb=off", 0, QVTD_ECAP_PRS | QVTD_ECAP_NWFS },
    { "ssts-off", "x-ssts=off", QVTD_ECAP_PRS, QVTD_ECAP_SSTS },
    { "ssts-auto", "x-ssts=auto", QVTD_ECAP_PRS, QVTD_ECAP_SSTS },
    { "ssts-on", "x-ssts=on", QVTD_ECAP_PRS | QVTD_ECAP_SSTS, 0 },
    /* without PASIDs, or without what asks for pasid-bits, PSS is QEMU's own */
    { "pss-no-pasid", "svm=off,x-pasid-mode=off,x-prs=on", QVTD_ECAP_PRS,
      31ULL << 35 },
    { "pss-prs", "svm=off,x-prs=on,pasid-bits=10", 9ULL << 35, 22ULL << 35 },
    { "pss-svm", "device-iotlb=off,pasid-bits=10", 9ULL << 35, 22ULL << 35 },
    { "sms-off", "x-sms=off", QVTD_ECAP_PRS, QVTD_ECAP_SMS },
    { "sms-on", "x-sms=on", QVTD_ECAP_PRS | QVTD_ECAP_SMS, 0 },
    { "pasid-bits", "pasid-bits=10", QVTD_ECAP_PRS | 9ULL << 35,
      22ULL << 35 },
};

static void test_single_bits(const void *opaque)
{
    const BitRow *row = opaque;
    PriLab lab;

    pri_lab_boot(&lab, row->options, NULL, 0);
    g_assert_cmphex(lab.v.ecap & row->set, ==, row->set);
    g_assert_cmphex(lab.v.ecap & row->clear, ==, 0);
    pri_lab_stop(&lab);
}

/* -- PRQ-02 to PRQ-06: reset values and masks ------------------------------ */

typedef struct PrqReg {
    const char *name;
    unsigned int offset;
    unsigned int size;
    uint64_t reset;
    uint64_t writable;          /* bits that read back as written */
} PrqReg;

/* 11.4.11.1 to 11.4.11.8 */
static const PrqReg prq_regs[] = {
    { "PQH", QVTD_PQH, 8, 0, 0x7ffe0 },
    { "PQT", QVTD_PQT, 8, 0, 0x7ffe0 },
    { "PQA", QVTD_PQA, 8, 0, 0xfffffffffffff007ULL },
    { "PRS", QVTD_PRS, 4, 0, 0 },
    { "PECTL", QVTD_PECTL, 4, QVTD_EVENT_IM, QVTD_EVENT_IM },
    { "PEDATA", QVTD_PEDATA, 4, 0, 0xffff },
    { "PEADDR", QVTD_PEADDR, 4, 0, 0xfffffffc },
    { "PEUADDR", QVTD_PEUADDR, 4, 0, 0xffffffff },
};

static uint64_t prq_reg_read(QVtd *v, const PrqReg *reg)
{
    return reg->size == 8 ? qvtd_readq(v, reg->offset) :
                            qvtd_readl(v, reg->offset);
}

static void prq_reg_write(QVtd *v, const PrqReg *reg, uint64_t value)
{
    if (reg->size == 8) {
        qvtd_writeq(v, reg->offset, value);
    } else {
        qvtd_writel(v, reg->offset, value);
    }
}

/* PQA may ignore the bits above the host address width (11.4.11.3) */
static uint64_t prq_reg_care(const PrqReg *reg)
{
    return reg->offset == QVTD_PQA ? 0x00003fffffffffffULL : UINT64_MAX;
}

static void check_reset_values(QVtd *v)
{
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(prq_regs); i++) {
        uint64_t value = prq_reg_read(v, &prq_regs[i]);

        if (value != prq_regs[i].reset) {
            g_test_message("%s is 0x%" PRIx64, prq_regs[i].name, value);
            g_test_fail();
        }
    }
}

static void test_absent(void)
{
    unsigned int i;
    PriLab lab;

    pri_lab_boot(&lab, "svm=off,x-pasid-mode=off", NULL, 0);
    for (i = 0; i < ARRAY_SIZE(prq_regs); i++) {
        const PrqReg *reg = &prq_regs[i];

        /* 11.4.11.8 does not ask this of PEUADDR */
        if (reg->offset == QVTD_PEUADDR) {
            continue;
        }
        prq_reg_write(&lab.v, reg, UINT64_MAX);
        g_assert_cmphex(prq_reg_read(&lab.v, reg), ==, 0);
    }
    pri_lab_stop(&lab);
}

static void test_reset_cold(void)
{
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, 0);
    check_reset_values(&lab.v);
    pri_lab_stop(&lab);
}

/* Every register different from its reset value, PPR and PRO set */
static void dirty_registers(PriLab *lab)
{
    unsigned int i;

    lab_fill(lab);
    lab_request(lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, 1);
    g_assert_cmphex(qvtd_readl(&lab->v, QVTD_PRS), ==,
                    QVTD_PRS_PPR | QVTD_PRS_PRO);
    qvtd_writel(&lab->v, QVTD_PECTL, 0);
    for (i = 0; i < ARRAY_SIZE(prq_regs); i++) {
        if (prq_regs[i].offset != QVTD_PRS &&
            prq_regs[i].offset != QVTD_PECTL) {
            prq_reg_write(&lab->v, &prq_regs[i], UINT64_MAX);
        }
    }
}

static void test_reset_warm(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    dirty_registers(&lab);
    lab_reset(&lab);
    check_reset_values(&lab.v);
    pri_lab_stop(&lab);
}

static void test_sticky(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, "sticky-on-reset=on", NULL, 0);
    dirty_registers(&lab);
    lab_reset(&lab);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==,
                    QVTD_PRS_PPR | QVTD_PRS_PRO);
    qvtd_writel(&lab.v, QVTD_PRS, QVTD_PRS_PPR | QVTD_PRS_PRO);
    check_reset_values(&lab.v);
    pri_lab_stop(&lab);
}

static void test_masks(void)
{
    static const uint64_t patterns[] = {
        UINT64_MAX, 0, 0xaaaaaaaaaaaaaaaaULL, 0x5555555555555555ULL,
        0x00000000ffffffffULL, 0xffffffff00000000ULL, 0x0123456789abcdefULL,
    };
    unsigned int i, j;
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, 0);
    for (i = 0; i < ARRAY_SIZE(prq_regs); i++) {
        const PrqReg *reg = &prq_regs[i];
        uint64_t care = prq_reg_care(reg);

        for (j = 0; j < ARRAY_SIZE(patterns); j++) {
            uint64_t got;

            prq_reg_write(&lab.v, reg, patterns[j]);
            got = prq_reg_read(&lab.v, reg);
            if ((got ^ (patterns[j] & reg->writable)) & care) {
                g_test_message("%s: wrote 0x%" PRIx64 ", read 0x%" PRIx64,
                               reg->name, patterns[j], got);
                g_test_fail();
            }
        }
    }
    pri_lab_stop(&lab);
}

static void test_tail_writable(void)
{
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start(&lab);
    lab_request(&lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, 1);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, 0x20);
    qvtd_writeq(&lab.v, QVTD_PQT, 0);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, 0);

    /* and hardware goes on from what software wrote */
    qvtd_writeq(&lab.v, QVTD_PQH, 0x400);
    qvtd_writeq(&lab.v, QVTD_PQT, 0x400);
    lab_request(&lab, LAB_IOVA + 0x1000, PT_RAW_READ | PT_RAW_LAST, 2);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, 0x420);
    qvtd_prq_read(&lab.v, 0, &prd);
    g_assert_cmphex(QVTD_PRD_ADDR(&prd), ==, LAB_IOVA + 0x1000);
    pri_lab_stop(&lab);
}

/* -- PRQ-08: nothing programmed -------------------------------------------- */

static void test_pqa_unset(void)
{
    uint8_t page[4096];
    PriLab lab;
    unsigned int i;

    pri_lab_boot(&lab, NULL, NULL, 0);
    qvtd_start(&lab.v);
    qvtd_device_setup(&lab.v, lab.d.rid, 7);
    qvtd_pasid_setup(&lab.v, lab.d.rid, LAB_PASID, LAB_DID);
    qvtd_flush(&lab.v);
    qpt_enable(&lab.d, 0);
    qtest_memset(lab.qts, 0, 0x5a, sizeof(page));

    lab_request(&lab, LAB_IOVA, PT_RAW_READ, 1);
    lab_request(&lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, 1);

    /* default of the knob pqa-unset: drop */
    lab_expect_silence(&lab);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PQT), ==, 0);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==, 0);
    qtest_memread(lab.qts, 0, page, sizeof(page));
    for (i = 0; i < sizeof(page); i++) {
        if (page[i] != 0x5a) {
            g_test_message("byte %u of memory was written", i);
            g_test_fail();
            break;
        }
    }
    pri_lab_stop(&lab);
}

/* -- PRQ-09: access widths ------------------------------------------------- */

static void test_split_access(void)
{
    static const unsigned int regs[] = { QVTD_PQH, QVTD_PQT, QVTD_PQA };
    unsigned int i;
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, 0);
    for (i = 0; i < ARRAY_SIZE(regs); i++) {
        uint64_t whole;

        qvtd_writeq(&lab.v, regs[i], 0x0000001234567abfULL);
        whole = qvtd_readq(&lab.v, regs[i]);
        g_assert_cmphex(whole, !=, 0);
        g_assert_cmphex(qvtd_readl(&lab.v, regs[i]), ==, (uint32_t)whole);
        g_assert_cmphex(qvtd_readl(&lab.v, regs[i] + 4), ==, whole >> 32);
        qvtd_writeq(&lab.v, regs[i], 0);
        qvtd_writel(&lab.v, regs[i], 0x34567abf);
        qvtd_writel(&lab.v, regs[i] + 4, 0x12);
        g_assert_cmphex(qvtd_readq(&lab.v, regs[i]), ==, whole);
    }
    pri_lab_stop(&lab);
}

/* A queue set up by dwords works like one set up by qwords */
static void test_split_setup(void)
{
    PriLab lab;
    QVtdDesc prd;

    pri_lab_start(&lab);
    qvtd_writel(&lab.v, QVTD_PQH, 0x20);
    qvtd_writel(&lab.v, QVTD_PQH + 4, 0);
    qvtd_writel(&lab.v, QVTD_PQT, 0x20);
    qvtd_writel(&lab.v, QVTD_PQT + 4, 0);
    lab.v.prq = qvtd_alloc(&lab.v, 1);
    qvtd_writel(&lab.v, QVTD_PQA, lab.v.prq);
    qvtd_writel(&lab.v, QVTD_PQA + 4, lab.v.prq >> 32);
    lab_request(&lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, 3);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    qvtd_prq_read(&lab.v, 0, &prd);
    g_assert_cmpuint(QVTD_PRD_PRGI(&prd), ==, 3);
    pri_lab_stop(&lab);
}

/*
 * What 11.2 does not allow must not end QEMU: any width anywhere in the
 * register page, with every register holding whatever was written before
 */
static void test_any_width(void)
{
    static const unsigned int sizes[] = { 1, 2, 4, 8 };
    unsigned int i, at;
    PriLab lab;

    pri_lab_start(&lab);
    for (i = 0; i < ARRAY_SIZE(sizes); i++) {
        for (at = QVTD_IQH; at < QVTD_PEUADDR + 8; at += sizes[i]) {
            uint64_t ones = UINT64_MAX;
            uint64_t value;

            qtest_memread(lab.qts, QVTD_BASE + at, &value, sizes[i]);
            qtest_memwrite(lab.qts, QVTD_BASE + at, &ones, sizes[i]);
            qtest_memwrite(lab.qts, QVTD_BASE + at, &value, sizes[i]);
        }
    }
    for (at = QVTD_IQH; at < QVTD_PEUADDR + 8; at += 8) {
        qvtd_writeq(&lab.v, at, UINT64_MAX);
        qvtd_readq(&lab.v, at);
        qvtd_writeq(&lab.v, at, 0);
    }
    for (at = QVTD_IQH; at < QVTD_PEUADDR + 8; at += 4) {
        qvtd_writeq(&lab.v, at, UINT64_MAX);
        qvtd_readq(&lab.v, at);
        qvtd_writeq(&lab.v, at, 0);
    }
    lab_request(&lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, 3);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_VER), !=, 0);
    pri_lab_stop(&lab);
}

/*
 * 8 bytes at PECTL, which 11.2 does not allow: either register takes its half
 * or keeps its value, and that is what all reads show
 */
static void test_qword_at_pectl(void)
{
    uint32_t pectl, pedata;
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, 0);
    qvtd_writeq(&lab.v, QVTD_PECTL, 0x0000abcd00000000ULL);
    pectl = qvtd_readl(&lab.v, QVTD_PECTL);
    pedata = qvtd_readl(&lab.v, QVTD_PEDATA);
    g_assert_true(pectl == 0 || pectl == QVTD_EVENT_IM);
    g_assert_true(pedata == 0 || pedata == 0xabcd);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_PECTL), ==,
                    (uint64_t)pedata << 32 | pectl);
    pri_lab_stop(&lab);
}

/* -- PRQ-10 ---------------------------------------------------------------- */

static void test_fsts_bit7(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS), ==, 0);
    lab_fill(&lab);
    lab_request(&lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, 1);
    /* overflow shows in PRS only, and Linux' write of FSTS bit 7 is lost */
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS), ==, 0);
    qvtd_writel(&lab.v, QVTD_FSTS,
                QVTD_FSTS_DEP | QVTD_FSTS_PFO | QVTD_FSTS_PPF);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_FSTS), ==, 0);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_PRS), ==,
                    QVTD_PRS_PPR | QVTD_PRS_PRO);
    pri_lab_stop(&lab);
}

/* -- PRQ-68: performance monitoring events of page requests ---------------- */

static void test_no_perfmon(void)
{
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, 0);
    g_assert_cmphex(lab.v.ecap & QVTD_ECAP_PMS, ==, 0);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    unsigned int i;

    pri_lab_test_init(&argc, &argv);
    g_test_add_func("/vtd/prq/PRQ-01/on", test_enumeration_on);
    g_test_add_func("/vtd/prq/PRQ-01/off", test_enumeration_off);
    g_test_add_func("/vtd/prq/PRQ-01/all-combinations", test_combinations);
    LAB_ADD_ROWS("/vtd/prq/PRQ-01", bit_rows, test_single_bits);
    for (i = 0; i < ARRAY_SIZE(refused); i++) {
        g_autofree char *name = g_strdup_printf("/vtd/prq/PRQ-01/refused-%s",
                                                refused[i].name);

        g_test_add_data_func(name, &refused[i], test_missing_option_named);
    }
    g_test_add_func("/vtd/prq/PRQ-02/absent-without-prs", test_absent);
    g_test_add_func("/vtd/prq/PRQ-03/reset-values", test_reset_cold);
    g_test_add_func("/vtd/prq/PRQ-03/reset-values-warm", test_reset_warm);
    g_test_add_func("/vtd/prq/PRQ-04/sticky-status", test_sticky);
    g_test_add_func("/vtd/prq/PRQ-05/masks", test_masks);
    g_test_add_func("/vtd/prq/PRQ-06/tail-writable", test_tail_writable);
    g_test_add_func("/vtd/prq/PRQ-08/pqa-unset", test_pqa_unset);
    g_test_add_func("/vtd/prq/PRQ-09/split-access", test_split_access);
    g_test_add_func("/vtd/prq/PRQ-09/split-setup", test_split_setup);
    g_test_add_func("/vtd/prq/PRQ-09/any-width", test_any_width);
    g_test_add_func("/vtd/prq/PRQ-09/qword-at-pectl", test_qword_at_pectl);
    g_test_add_func("/vtd/prq/PRQ-10/fsts-bit-7", test_fsts_bit7);
    g_test_add_func("/vtd/prq/PRQ-68/not-advertised", test_no_perfmon);
    return g_test_run();
}
