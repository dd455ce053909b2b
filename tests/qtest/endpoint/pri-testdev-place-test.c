/*
 * What a function is and what it has: identity, Access Control Services, and
 * ATS, Page Requests and PASIDs as three capabilities
 *
 * PCIe 6.2 6.12.1, 6.20, 7.5.1, 10.1.1; VT-d 11.4.3
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/fw_cfg.h"
#include "libqos/pri-switch.h"
#include "libqos/vtd-inv.h"

#define PAGE            0x1000ull
#define PATTERN         0x0123456789abcdefull
#define WINDOW          0xe1000000ULL       /* that of slot 4 */
#define EXT_ID_SRIOV    0x0010
#define SRIOV_VF_DID    0x1a
#define AER_UR          (1 << 20)
#define ECAP_DT         (1ULL << 2)
#define ECAP_PRS        (1ULL << 29)
#define ECAP_PASID      (1ULL << 40)

static QPtOp operation(uint32_t cmd, uint32_t flags)
{
    return (QPtOp) {
        .cmd = cmd, .flags = flags, .pasid = LAB_PASID, .src = LAB_IOVA,
        .dst = LAB_IOVA, .len = 8, .pattern = PATTERN,
    };
}

/* -- PORT-10: identity ----------------------------------------------------- */

static void boot_identity(QTestState **qts, QPriTestdev *d, const char *dev)
{
    *qts = qtest_initf("-machine q35 -m 256M -nodefaults "
                       "-device pcie-root-port,id=rp0,chassis=1,slot=1,"
                       "bus=pcie.0,addr=4 -device pri-testdev,bus=rp0%s", dev);
    qpt_ecam_enable(*qts);
    qpt_bridge_setup(*qts, 4, 1, WINDOW);
    qpt_init_at(d, *qts, 1 << 8, WINDOW);
}

static void test_identity_default(void)
{
    QTestState *qts;
    QPriTestdev d;

    boot_identity(&qts, &d, "");
    g_assert_cmphex(qpt_config_readl(&d, 0x00), ==, 0x50521234);
    g_assert_cmphex(qpt_config_readl(&d, 0x08), ==, 0xff000001);
    g_assert_cmphex(qpt_config_readl(&d, 0x2c), ==, 0x11001af4);
    qtest_quit(qts);
}

static void test_identity(void)
{
    QTestState *qts;
    QPriTestdev d;

    boot_identity(&qts, &d, ",vendor-id=0x8086,device-id=0x0b25,revision=0x33,"
                  "subsystem-vendor-id=0x1028,subsystem-id=0xbeef,"
                  "class=0x088001,vfs=2,vf-device-id=0x1515");
    g_assert_cmphex(qpt_config_readl(&d, 0x00), ==, 0x0b258086);
    g_assert_cmphex(qpt_config_readl(&d, 0x08), ==, 0x08800133);
    g_assert_cmphex(qpt_config_readl(&d, 0x2c), ==, 0xbeef1028);
    g_assert_cmphex(qpt_config_readw(&d, qpt_find_ext_cap(&d, EXT_ID_SRIOV) +
                                     SRIOV_VF_DID), ==, 0x1515);
    /* it stays what it is */
    qpt_flr(&d);
    qpt_config_writel(&d, 0, 0);
    qpt_config_writel(&d, 8, 0);
    g_assert_cmphex(qpt_config_readl(&d, 0x00), ==, 0x0b258086);
    g_assert_cmphex(qpt_config_readl(&d, 0x08), ==, 0x08800133);
    qtest_quit(qts);
}

/* -- Command lines that are refused ---------------------------------------- */

typedef struct Refusal {
    const char *name;
    const char *device;
    const char *message;
    const char *before;         /* a device that is there, or NULL */
} Refusal;

static const Refusal refusals[] = {
    { "PORT-10/vendor-id", "pri-testdev,vendor-id=0xffff", "vendor-id=0xffff" },
    { "PORT-10/vendor-id-0", "pri-testdev,vendor-id=0", "vendor-id=0x0000" },
    { "PORT-10/class", "pri-testdev,class=0x1000000", "class has 24 bits" },
    { "PORT-11/acs", "pri-testdev,acs=on",
      "acs=on is for a device with several" },
    { "no-express", "pri-testdev,bus=br0,addr=1",
      "needs a PCI Express bus", "pcie-pci-bridge,id=br0" },
    { "agent-behind-a-port", "ats-test-agent,bus=rp0",
      "ats-test-agent needs the root bus", "pcie-root-port,id=rp0,chassis=1" },
    { "second-agent", "ats-test-agent,bus=pcie.0",
      "ats-test-agent needs the root bus", "ats-test-agent,bus=pcie.0" },
    { "PORT-13/bus", "pri-testdev,conventional=on",
      "conventional=on needs a conventional PCI bus" },
    { "PORT-13/vfs", "pri-testdev,conventional=on,vfs=1,bus=br0,addr=1",
      "are not for conventional=on", "pcie-pci-bridge,id=br0" },
    { "PORT-13/acs", "pri-testdev,conventional=on,acs=on,bus=br0,addr=1",
      "are not for conventional=on", "pcie-pci-bridge,id=br0" },
    { "PORT-13/sn", "pri-testdev,conventional=on,sn=1,bus=br0,addr=1",
      "are not for conventional=on", "pcie-pci-bridge,id=br0" },
    { "PORT-13/global-invalidate",
      "pri-testdev,conventional=on,global-invalidate=on,bus=br0,addr=1",
      "needs pasid=on", "pcie-pci-bridge,id=br0" },
    { "no-channels", "pri-testdev,channels=0",
      "channels must be 1 to 64" },
    { "channels", "pri-testdev,channels=65",
      "channels must be 1 to 64" },
    { "vfs", "pri-testdev,vfs=64", "vfs must be 0 to 63" },
    { "PASID-04/pri-without-ats", "pri-testdev,ats=off",
      "pri=on needs ats=on" },
    { "PASID-04/global-invalidate",
      "pri-testdev,pasid=off,global-invalidate=on",
      "global-invalidate=on needs pasid=on" },
    { "PASID-04/no-bits", "pri-testdev,pasid-bits=0",
      "pasid-bits must be 1 to 20" },
    { "PASID-04/bits", "pri-testdev,pasid-bits=21",
      "pasid-bits must be 1 to 20" },
    { "PASID-04/queue-depth", "pri-testdev,queue-depth=32",
      "queue-depth must be 0 to 31" },
    { "PASID-04/pri-capacity", "pri-testdev,pri-capacity=0",
      "pri-capacity must not be 0" },
    { "PASID-04/atc-entries", "pri-testdev,atc-entries=1048577",
      "atc-entries must be 0 to 1048576" },
    { "PASID-05/prs-without-dt",
      "intel-iommu,x-scalable-mode=on,x-flts=on,x-prs=on",
      "x-prs=on needs device-iotlb=on" },
    { "PORT-12/no-range", "intel-iommu,rmrr=pt0", "is not DEVICE:FIRST-LAST" },
    { "PORT-12/no-device", "intel-iommu,rmrr=:80000000-8000ffff",
      "is not DEVICE:FIRST-LAST" },
    { "PORT-12/no-first", "intel-iommu,rmrr=pt0:x-8000ffff",
      "is not DEVICE:FIRST-LAST" },
    { "PORT-12/minus", "intel-iommu,rmrr=pt0:--1", "is not DEVICE:FIRST-LAST" },
    { "PORT-12/no-dash", "intel-iommu,rmrr=pt0:80000000+8000ffff",
      "is not DEVICE:FIRST-LAST" },
    { "PORT-12/no-last", "intel-iommu,rmrr=pt0:80000000-",
      "is not DEVICE:FIRST-LAST" },
    { "PORT-12/no-pages", "intel-iommu,rmrr=pt0:80000000-80000800",
      "is not a range of whole pages" },
    { "PORT-12/no-first-page", "intel-iommu,rmrr=pt0:80000800-8000ffff",
      "is not a range of whole pages" },
    { "PORT-12/backwards", "intel-iommu,rmrr=pt0:80010000-8000ffff",
      "is not a range of whole pages" },
};

static void test_refused(const void *opaque)
{
    const Refusal *refusal = opaque;
    g_autofree char *binary = g_strdup(getenv("QTEST_QEMU_BINARY"));
    const char *argv[] = {
        binary, "-machine", "q35", "-nodefaults", "-display", "none",
        "-device", refusal->before ?: "isa-debug-exit",
        "-device", refusal->device, "-S", NULL
    };
    g_autofree char *said = NULL;
    int status;

    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT,
                               NULL, NULL, NULL, &said, &status, NULL));
    g_assert_cmpint(status, !=, 0);
    g_test_message("%s", said);
    g_assert_nonnull(strstr(said, refusal->message));
}

/* The last values that are not, and those of a capability that is not there */
static void test_taken(void)
{
    static const char *const options[] = {
        "pasid-bits=1,queue-depth=31,pri-capacity=1,atc-entries=1048576",
        "channels=1,vfs=63",
        "channels=64",
        "pasid=off,pasid-bits=0,pri=off,pri-capacity=0",
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(options); i++) {
        PriLab lab;

        pri_lab_boot(&lab, NULL, options[i], 0);
        g_assert_cmphex(qpt_readl(&lab.d, PT_ID), ==, PT_ID_MAGIC);
        pri_lab_stop(&lab);
    }
}

/* -- PORT-11: Access Control Services -------------------------------------- */

static void test_acs_none(void)
{
    PriLab lab;

    pri_lab_boot(&lab, NULL, NULL, 0);
    g_assert_cmpuint(qpt_find_ext_cap(&lab.d, QPT_EXT_ID_ACS), ==, 0);
    pri_lab_stop(&lab);
}

/* RR and CR, and with ATS DT; no SV, TB, UF (6.12.1.2) */
static void test_acs_function(const void *opaque)
{
    const char *options = opaque;
    uint16_t want = QRP_ACS_RR | QRP_ACS_CR |
                    (strstr(options, "ats=off") ? 0 : QRP_ACS_DT);
    QTestState *qts;
    QPriTestdev d;
    uint16_t acs;

    boot_identity(&qts, &d, options);
    acs = qpt_find_ext_cap(&d, QPT_EXT_ID_ACS);
    g_assert_cmpuint(acs, !=, 0);
    g_assert_cmphex(qpt_config_readw(&d, acs + QRP_ACS_CAP), ==, want);
    g_assert_cmphex(qpt_config_readw(&d, acs + QRP_ACS_CTL), ==, 0);
    qpt_config_writew(&d, acs + QRP_ACS_CTL, UINT16_MAX);
    g_assert_cmphex(qpt_config_readw(&d, acs + QRP_ACS_CTL), ==, want);
    qpt_flr(&d);
    g_assert_cmphex(qpt_config_readw(&d, acs + QRP_ACS_CTL), ==, 0);
    qtest_quit(qts);
}

static void test_acs_switch(void)
{
    PriSwitch s;

    pri_switch_start(&s, NULL, NULL, NULL);
    g_assert_cmpuint(s.port[PRI_SWITCH_DOWN].acs, ==, 0);
    pri_lab_stop(&s.lab);
    pri_switch_start(&s, NULL, ",acs=on", NULL);
    g_assert_cmphex(qrp_readw(&s.port[PRI_SWITCH_DOWN],
                              s.port[PRI_SWITCH_DOWN].acs + QRP_ACS_CAP), ==,
                    QRP_ACS_SV | QRP_ACS_TB | QRP_ACS_RR | QRP_ACS_CR |
                    QRP_ACS_UF | QRP_ACS_DT);
    g_assert_cmpuint(s.port[PRI_SWITCH_UP].acs, ==, 0);
    pri_lab_stop(&s.lab);
}

/* -- PASID-04: PASIDs without ATS ------------------------------------------ */

static void check_untranslated(PriLab *lab)
{
    QPtOp write = operation(PT_OP_WRITE, PT_FLAG_PASID | PT_FLAG_UNTRANSLATED);
    uint64_t pa = qvtd_alloc(&lab->v, 1);

    qvtd_fs_map(&lab->v, lab->pml4, LAB_IOVA, pa, QVTD_FS_USER);
    g_assert_cmpuint(qpt_run(&lab->d, 0, &write), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(lab->qts, pa), ==,
                    PATTERN ^ (LAB_IOVA & ~7ull));
}

static void test_no_ats(void)
{
    QPtOp write = operation(PT_OP_WRITE, PT_FLAG_PASID | PT_FLAG_UNTRANSLATED);
    QPtOp ats = operation(PT_OP_WRITE, PT_FLAG_PASID);
    QVtdFault fault;
    PriLab lab;

    pri_lab_start_with(&lab, NULL, "ats=off,pri=off", 0);
    g_assert_cmpuint(lab.d.ats, ==, 0);
    check_untranslated(&lab);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &ats), ==, PT_ST_NOT_ENABLED);

    /* what is absent is reported, and not asked for */
    write.dst += PAGE;
    g_assert_cmpuint(qpt_run(&lab.d, 0, &write), ==, PT_ST_DMA_ERROR);
    g_assert_true(qvtd_fault(&lab.v, &fault));
    g_assert_cmphex(QVTD_FAULT_PV(&fault), ==, LAB_PASID);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);

    qpt_config_writew(&lab.d, lab.d.pasid + QPT_PASID_CTRL, 0);
    write.dst -= PAGE;
    g_assert_cmpuint(qpt_run(&lab.d, 0, &write), ==, PT_ST_NOT_ENABLED);
    pri_lab_stop(&lab);
}

/* An Invalidate Request to such a function is an Unsupported Request, 10.3.4 */
static void test_no_ats_invalidation(void)
{
    PriLab lab;
    uint16_t aer;
    uint32_t slot;

    pri_lab_start_with(&lab, "ite-timeout-ms=100", "ats=off,pri=off", 0);
    aer = qpt_find_ext_cap(&lab.d, QPT_EXT_ID_AER);
    qinv_put_dev_tlb(&lab.v, lab.d.rid);
    slot = qinv_put_wait(&lab.v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab.v);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    qtest_clock_step(lab.qts, 200 * QINV_MS);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(qinv_fsts(&lab.v) & QVTD_FSTS_ITE, ==, QVTD_FSTS_ITE);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, lab.d.rid);
    g_assert_cmphex(qpt_config_readl(&lab.d, aer + 4), ==, AER_UR);
    pri_lab_stop(&lab);
}

/* -- PASID-05: an IOMMU without device-TLBs -------------------------------- */

static void test_no_dt(void)
{
    QPtOp ats = operation(PT_OP_WRITE, PT_FLAG_PASID);
    QVtdFault fault;
    uint64_t ecap;
    PriLab lab;

    pri_lab_start_with(&lab, "device-iotlb=off", NULL, 0);
    ecap = qvtd_readq(&lab.v, QVTD_ECAP);
    g_assert_cmphex(ecap & (ECAP_DT | ECAP_PRS | ECAP_PASID), ==, ECAP_PASID);
    check_untranslated(&lab);
    /* PCIe 6.2 10.2.3: it has no translations to give, and looks for none */
    g_assert_cmpuint(qpt_run(&lab.d, 0, &ats), ==, PT_ST_TRANS_UR);
    g_assert_false(qvtd_fault(&lab.v, &fault));
    lab_request(&lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, 3);
    lab_expect_silence(&lab);
    pri_lab_stop(&lab);
}

/* Device-TLBs and PASIDs without page requests */
static void test_no_prs(void)
{
    QPtOp ats = operation(PT_OP_WRITE, PT_FLAG_PASID | PT_FLAG_NO_PRI);
    PriLab lab;
    uint64_t pa;
    uint32_t slot;

    pri_lab_start_with(&lab, "x-prs=off", "pri=off", 0);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_ECAP) &
                    (ECAP_DT | ECAP_PRS | ECAP_PASID), ==,
                    ECAP_DT | ECAP_PASID);
    pa = qvtd_alloc(&lab.v, 1);
    qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA, pa, QVTD_FS_USER);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &ats), ==, PT_ST_DONE);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_ATC_USED), ==, 1);
    qinv_put(&lab.v, qinv_desc_valid(QINV_DEV_TLB, lab.d.rid));
    slot = qinv_put_wait(&lab.v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab.v);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

/* -- PASID-06: Page Requests without PASIDs -------------------------------- */

/* With @opaque, options of a unit that has none, either */
static void test_no_pasid(const void *opaque)
{
    QPtOp op = operation(PT_OP_WRITE, 0);
    QVtdDesc prd = { };
    PriLab lab;
    uint64_t pa;

    pri_lab_start_with(&lab, opaque, "pasid=off", 0);
    g_assert_cmphex(lab.v.ecap & ECAP_PASID, ==, opaque ? 0 : ECAP_PASID);
    g_assert_cmpuint(lab.d.pasid, ==, 0);
    g_assert_cmpuint(lab.d.pri, !=, 0);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.pri + QPT_PRI_STATUS) &
                    QPT_PRI_STATUS_PASID, ==, 0);
    qpt_start(&lab.d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    g_assert_true(qvtd_prq_pop(&lab.v, &prd));
    g_assert_cmpuint(QVTD_PRD_PP(&prd), ==, 0);
    pa = qvtd_alloc(&lab.v, 1);
    qvtd_fs_map(&lab.v, lab.rid_pml4, LAB_IOVA, pa, QVTD_FS_USER);
    qvtd_respond(&lab.v, lab.d.rid, QVTD_NO_PASID, QVTD_PRD_PRGI(&prd),
                 QPT_SUCCESS);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_DONE);
    op.flags = PT_FLAG_PASID;
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), !=, PT_ST_DONE);
    pri_lab_stop(&lab);
}

/* -- PASID-01: one gate for every TLP with a PASID ------------------------- */

static void test_marker_gate(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    qpt_writel(&lab.d, PT_STOP_PASID, PT_STOP_MARKER | LAB_PASID);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_STOP_STATUS), ==, PT_STOP_DONE);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    qvtd_prq_drop_all(&lab.v);
    qpt_config_writew(&lab.d, lab.d.ats + QPT_ATS_CTRL, 0);
    qpt_config_writew(&lab.d, lab.d.pasid + QPT_PASID_CTRL, 0);
    qpt_writel(&lab.d, PT_STOP_PASID, PT_STOP_MARKER | LAB_PASID);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_STOP_STATUS), ==, PT_STOP_DONE);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    pri_lab_stop(&lab);
}

/* -- PORT-12: reserved memory, VT-d 8.4 ------------------------------------ */

#define TABLES_MAX      (256 * 1024)
#define RMRR            1           /* structure types */
#define E820_RESERVED   2

typedef struct E820 {
    uint64_t addr;
    uint64_t len;
    uint32_t type;
} QEMU_PACKED E820;

/* The RMRR structure of the DMAR table in @size bytes of tables, or NULL */
static const uint8_t *find_rmrr(const uint8_t *tables, size_t size)
{
    for (size_t i = 0; i + 48 < size; i++) {
        uint32_t len = ldl_le_p(tables + i + 4);

        if (memcmp(tables + i, "DMAR", 4) || i + len > size) {
            continue;
        }
        for (size_t at = 48; at + 4 <= len; ) {
            const uint8_t *s = tables + i + at;

            if (lduw_le_p(s) == RMRR) {
                return s;
            }
            if (!lduw_le_p(s + 2)) {
                return NULL;
            }
            at += lduw_le_p(s + 2);
        }
    }
    return NULL;
}

/* With @opaque, the name of a device, for memory of that device */
static void test_rmrr(const void *opaque)
{
    /* function 0 below a switch: slot 4 of bus 0, then the first of each */
    static const uint8_t scope[] = {
        1, 14, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0
    };
    g_autofree char *option = opaque ?
        g_strdup_printf(",rmrr=%s:80000000-8000ffff", (char *)opaque) : NULL;
    bool with = opaque, function = !g_strcmp0(opaque, "pt0");
    g_autofree uint8_t *tables = g_malloc0(TABLES_MAX);
    E820 e820[64] = { };
    const uint8_t *rmrr;
    QFWCFG *fw_cfg;
    bool reserved = false;
    PriSwitch s;
    size_t n;

    pri_switch_start_with(&s, option, NULL, NULL,
                          " -device isa-debug-exit,id=isa0");
    fw_cfg = pc_fw_cfg_init(s.lab.qts);
    n = qfw_cfg_get_file(fw_cfg, "etc/acpi/tables", tables, TABLES_MAX);
    rmrr = find_rmrr(tables, MIN(n, TABLES_MAX));
    n = qfw_cfg_get_file(fw_cfg, "etc/e820", e820, sizeof(e820));
    for (size_t i = 0; i < MIN(n / sizeof(E820), ARRAY_SIZE(e820)); i++) {
        reserved |= e820[i].addr == 0x80000000 && e820[i].len == 0x10000 &&
                    e820[i].type == E820_RESERVED;
    }
    g_assert_cmpint(reserved, ==, with);
    if (!function) {
        g_assert_null(rmrr);
    } else if (rmrr) {
        g_assert_cmpuint(lduw_le_p(rmrr + 2), ==, 24 + sizeof(scope));
        g_assert_cmphex(ldq_le_p(rmrr + 8), ==, 0x80000000);
        g_assert_cmphex(ldq_le_p(rmrr + 16), ==, 0x8000ffff);
        g_assert_cmpmem(rmrr + 24, sizeof(scope), scope, sizeof(scope));
    } else {
        g_test_fail();
    }
    pc_fw_cfg_uninit(fw_cfg);
    pri_lab_stop(&s.lab);
}

/* A device scope has so many path elements at most: those next to the device */
#define SCOPE_DEPTH     32

static void test_rmrr_deep(void)
{
    g_autoptr(GString) args = g_string_new(
        "-machine q35 -nodefaults -device intel-iommu,rmrr=deep:0-fff "
        "-device pcie-pci-bridge,id=b0");
    g_autofree uint8_t *tables = g_malloc0(TABLES_MAX);
    const uint8_t *rmrr;
    QTestState *qts;
    QFWCFG *fw_cfg;
    size_t n;

    for (unsigned int i = 1; i < SCOPE_DEPTH; i++) {
        g_string_append_printf(args, " -device pci-bridge,chassis_nr=%u,"
                               "id=b%u,bus=b%u,addr=%x", i, i, i - 1,
                               i % 31 + 1);
    }
    g_string_append_printf(args, " -device edu,id=deep,bus=b%u,addr=9",
                           SCOPE_DEPTH - 1);
    qts = qtest_init(args->str);
    fw_cfg = pc_fw_cfg_init(qts);
    n = qfw_cfg_get_file(fw_cfg, "etc/acpi/tables", tables, TABLES_MAX);
    rmrr = find_rmrr(tables, MIN(n, TABLES_MAX));
    g_assert_nonnull(rmrr);
    g_assert_cmpuint(lduw_le_p(rmrr + 2), ==, 24 + 6 + 2 * SCOPE_DEPTH);
    g_assert_cmpuint(rmrr[24], ==, 1);
    g_assert_cmpuint(rmrr[25], ==, 6 + 2 * SCOPE_DEPTH);
    /* b1 is the first of them, and the device itself the last */
    g_assert_cmpuint(rmrr[30], ==, 2);
    g_assert_cmpuint(rmrr[30 + 2 * (SCOPE_DEPTH - 1)], ==, 9);
    pc_fw_cfg_uninit(fw_cfg);
    qtest_quit(qts);
}

/* The tables are made: a write comes too late, and changes nothing */
static void test_rmrr_late(void)
{
    QDict *rsp;
    PriLab lab;

    pri_lab_boot(&lab, "rmrr=pt0:80000000-8000ffff", NULL, 0);
    rsp = qtest_qmp(lab.qts, "{ 'execute': 'qom-set', 'arguments': { 'path': "
                    "'vtd', 'property': 'rmrr', 'value': 'pt0:0-fff' } }");
    g_assert_true(qdict_haskey(rsp, "error"));
    qobject_unref(rsp);
    rsp = qtest_qmp(lab.qts, "{ 'execute': 'qom-get', 'arguments': { 'path': "
                    "'vtd', 'property': 'rmrr' } }");
    g_assert_cmpstr(qdict_get_try_str(rsp, "return"), ==,
                    "pt0:80000000-8000ffff");
    qobject_unref(rsp);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    qtest_add_func("/place/PORT-10/default", test_identity_default);
    qtest_add_func("/place/PORT-10/properties", test_identity);
    for (unsigned int i = 0; i < ARRAY_SIZE(refusals); i++) {
        g_autofree char *path = g_strdup_printf("/place/%s/refused",
                                                refusals[i].name);

        qtest_add_data_func(path, &refusals[i], test_refused);
    }
    qtest_add_func("/place/PASID-04/taken", test_taken);
    qtest_add_func("/place/PORT-11/none", test_acs_none);
    qtest_add_data_func("/place/PORT-11/function", ",acs=on,multifunction=on",
                        test_acs_function);
    qtest_add_data_func("/place/PORT-11/function-vfs", ",acs=on,vfs=2",
                        test_acs_function);
    qtest_add_data_func("/place/PORT-11/function-no-ats",
                        ",acs=on,multifunction=on,ats=off,pri=off",
                        test_acs_function);
    qtest_add_func("/place/PORT-11/switch", test_acs_switch);
    qtest_add_func("/place/PASID-04/no-ats", test_no_ats);
    qtest_add_func("/place/PASID-04/no-ats-invalidation",
                   test_no_ats_invalidation);
    qtest_add_func("/place/PASID-05/no-device-tlb", test_no_dt);
    qtest_add_func("/place/PASID-05/no-page-requests", test_no_prs);
    qtest_add_data_func("/place/PASID-06/no-pasid", NULL, test_no_pasid);
    qtest_add_data_func("/place/PASID-06/no-pasid-unit",
                        "svm=off,x-pasid-mode=off,x-prs=on", test_no_pasid);
    qtest_add_func("/place/PASID-01/stop-marker", test_marker_gate);
    qtest_add_data_func("/place/PORT-12/rmrr", "pt0", test_rmrr);
    qtest_add_data_func("/place/PORT-12/not-pci", "isa0", test_rmrr);
    qtest_add_data_func("/place/PORT-12/nobody", "pt7", test_rmrr);
    qtest_add_data_func("/place/PORT-12/none", NULL, test_rmrr);
    qtest_add_func("/place/PORT-12/deep", test_rmrr_deep);
    qtest_add_func("/place/PORT-12/late", test_rmrr_late);
    return g_test_run();
}
