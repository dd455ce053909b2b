/*
 * VT-d queued invalidation: wait descriptors and order (QI-30 to QI-34, QI-39)
 *
 * VT-d 6.5.2.9, 6.5.2.10, 6.5.2.12, 11.4.9.4, 11.4.9.5
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/vtd-inv.h"

#define SW      QVTD_WAIT_SW
#define IF      QVTD_WAIT_IF
#define FN      QVTD_WAIT_FN
#define PD      QVTD_WAIT_PD
#define CANARY  0xaaaaaaaaaaaaaaaaULL

static uint64_t msis(PriLab *lab)
{
    return qvtd_counter(&lab->v, "x-msis");
}

static QVtdDesc wait_desc(uint64_t flags, uint32_t data, uint64_t addr)
{
    return (QVtdDesc) { {
        QINV_WAIT | flags | (uint64_t)data << 32, addr
    } };
}

/* -- QI-30: SW and IF ------------------------------------------------------ */

/* All combinations are valid, and each flag does its own */
static void test_flags(const void *opaque)
{
    uint64_t flags = GPOINTER_TO_UINT(opaque);
    uint64_t addr;
    PriLab lab;

    qinv_start(&lab, NULL, NULL);
    qvtd_writel(&lab.v, QVTD_IECTL, 0);
    addr = qvtd_alloc(&lab.v, 1);
    qtest_writeq(lab.qts, addr, CANARY);
    qvtd_submit(&lab.v, wait_desc(flags, 0x12345678, addr));
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    g_assert_true(qvtd_qi_idle(&lab.v));
    g_assert_cmphex(qtest_readl(lab.qts, addr), ==,
                    flags & SW ? 0x12345678 : (uint32_t)CANARY);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_ICS), ==, flags & IF ? 1 : 0);
    g_assert_cmpuint(msis(&lab), ==, flags & IF ? 1 : 0);
    qvtd_wait(&lab.v, 0);
    pri_lab_stop(&lab);
}

/* One DWORD, at any address that is aligned to one */
static void test_status(void)
{
    static const uint32_t data[] = {
        0, 1, 2, 0x7fffffff, 0x80000000, 0xdeadbeef, 0xffffffff
    };
    uint64_t page, addr;
    unsigned int i, at;
    PriLab lab;

    qinv_start(&lab, NULL, NULL);
    page = qvtd_alloc(&lab.v, 1);
    for (i = 0; i < G_N_ELEMENTS(data); i++) {
        for (at = 0; at < 4; at++) {
            addr = page + 0xff0 + at * 4;
            qtest_memset(lab.qts, page, 0xaa, 4096);
            qvtd_submit(&lab.v, wait_desc(SW, data[i], addr));
            g_assert_cmphex(qtest_readl(lab.qts, addr), ==, data[i]);
            g_assert_cmphex(qtest_readl(lab.qts, addr - 4), ==,
                            (uint32_t)CANARY);
            if (at < 3) {
                g_assert_cmphex(qtest_readl(lab.qts, addr + 4), ==,
                                (uint32_t)CANARY);
            }
        }
    }
    pri_lab_stop(&lab);
}

/* Bits above the host address width are ignored; no unit has more than 52 */
static void test_status_address(void)
{
    unsigned int bit;
    uint64_t addr;
    PriLab lab;

    qinv_start(&lab, NULL, NULL);
    addr = qvtd_alloc(&lab.v, 1);
    for (bit = 52; bit < 64; bit++) {
        qvtd_submit(&lab.v, wait_desc(SW, bit, addr | 1ULL << bit));
        g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
        g_assert_cmpuint(qtest_readl(lab.qts, addr), ==, bit);
    }
    pri_lab_stop(&lab);
}

/* SW=0: status address and data are ignored; nothing is written anywhere */
static void test_status_ignored(void)
{
    uint64_t addr;
    PriLab lab;

    qinv_start(&lab, NULL, NULL);
    addr = qvtd_alloc(&lab.v, 1);
    qtest_writeq(lab.qts, addr, CANARY);
    qvtd_submit(&lab.v, wait_desc(FN, 0xffffffff, addr));
    qvtd_submit(&lab.v, wait_desc(FN, 0xffffffff, ~3ULL));
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    g_assert_true(qvtd_qi_idle(&lab.v));
    g_assert_cmphex(qtest_readq(lab.qts, addr), ==, CANARY);
    pri_lab_stop(&lab);
}

/* 6.5.2.10: the event, and what gates it */
static void test_event(void)
{
    PriLab lab;

    qinv_start(&lab, NULL, NULL);
    qvtd_writel(&lab.v, QVTD_IECTL, 0);
    qvtd_submit(&lab.v, wait_desc(IF, 0, 0));
    g_assert_cmpuint(msis(&lab), ==, 1);
    g_assert_cmphex(qvtd_counter(&lab.v, "x-last-msi-data"), ==,
                    LAB_IE_VECTOR);
    g_assert_cmphex(qvtd_counter(&lab.v, "x-last-msi-addr"), ==,
                    LAB_MSI_ADDR);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_ICS), ==, 1);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_IECTL), ==, 0);

    /* IWC=1: no new event, and none is made up for later */
    qvtd_submit(&lab.v, wait_desc(IF, 0, 0));
    g_assert_cmpuint(msis(&lab), ==, 1);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_IECTL), ==, 0);
    qvtd_writel(&lab.v, QVTD_ICS, 0);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_ICS), ==, 1);
    qvtd_writel(&lab.v, QVTD_ICS, 1);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_ICS), ==, 0);
    g_assert_cmpuint(msis(&lab), ==, 1);
    qvtd_submit(&lab.v, wait_desc(IF, 0, 0));
    g_assert_cmpuint(msis(&lab), ==, 2);
    pri_lab_stop(&lab);
}

static void test_event_masked(void)
{
    PriLab lab;

    qinv_start(&lab, NULL, NULL);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_IECTL), ==, QINV_CTL_IM);
    qvtd_submit(&lab.v, wait_desc(IF, 0, 0));
    g_assert_cmpuint(msis(&lab), ==, 0);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_IECTL), ==,
                    QINV_CTL_IM | QINV_CTL_IP);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_ICS), ==, 1);
    qvtd_writel(&lab.v, QVTD_IECTL, 0);
    g_assert_cmpuint(msis(&lab), ==, 1);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_IECTL), ==, 0);

    /* serviced while masked: nothing is left to be sent */
    qvtd_writel(&lab.v, QVTD_ICS, 1);
    qvtd_writel(&lab.v, QVTD_IECTL, QINV_CTL_IM);
    qvtd_submit(&lab.v, wait_desc(IF, 0, 0));
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_IECTL), ==,
                    QINV_CTL_IM | QINV_CTL_IP);
    qvtd_writel(&lab.v, QVTD_ICS, 1);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_IECTL), ==, QINV_CTL_IM);
    qvtd_writel(&lab.v, QVTD_IECTL, 0);
    g_assert_cmpuint(msis(&lab), ==, 1);
    pri_lab_stop(&lab);
}

/* IP and the reserved bits of IECTL are not software's to write */
static void test_event_registers(void)
{
    PriLab lab;

    qinv_start(&lab, NULL, NULL);
    qvtd_writel(&lab.v, QVTD_IECTL, UINT32_MAX);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_IECTL), ==, QINV_CTL_IM);
    qvtd_writel(&lab.v, QVTD_IECTL, QINV_CTL_IP);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_IECTL), ==, 0);
    g_assert_cmpuint(msis(&lab), ==, 0);
    qvtd_writel(&lab.v, QVTD_ICS, UINT32_MAX);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_ICS), ==, 0);
    pri_lab_stop(&lab);
}

/* -- QI-31: waits and what is around them ---------------------------------- */

/* FN=0: what is behind may start early, if the unit fetches that far */
static void test_no_fence(void)
{
    uint32_t a, b;
    PriLab lab;

    qinv_start(&lab, "wait-depth=4", NULL);
    qinv_put_dev_tlb(&lab.v, QINV_ABSENT);
    a = qinv_put_wait(&lab.v, SW);
    qinv_put_dev_tlb(&lab.v, lab.d.rid);
    b = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_INV_REQUESTS), ==, 1);
    g_assert_true(qvtd_qi_idle(&lab.v));
    g_assert_false(qvtd_wait_done(&lab.v, a));
    g_assert_false(qvtd_wait_done(&lab.v, b));
    pri_lab_stop(&lab);
}

/* FN=1: nothing behind it starts before it is complete, at any depth */
static void test_fence(void)
{
    uint32_t a, b;
    PriLab lab;

    qinv_start(&lab, "wait-depth=4", NULL);
    qinv_put_dev_tlb(&lab.v, QINV_ABSENT);
    a = qinv_put_wait(&lab.v, SW | FN);
    qinv_put_dev_tlb(&lab.v, lab.d.rid);
    b = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qinv_count(&lab, "requests"), ==, 1);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_INV_REQUESTS), ==, 0);
    g_assert_false(qvtd_wait_done(&lab.v, a));
    g_assert_false(qvtd_wait_done(&lab.v, b));
    pri_lab_stop(&lab);
}

/* A fence that can complete: then, and only then, comes what is behind it */
static void test_fence_ends(void)
{
    uint32_t a, b;
    PriLab lab;

    qinv_start(&lab, "wait-depth=4", NULL);
    qvtd_set_property(&lab.v, "wait-hold", "'on'");
    a = qinv_put_wait(&lab.v, SW | FN);
    qinv_put_dev_tlb(&lab.v, lab.d.rid);
    b = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qinv_count(&lab, "requests"), ==, 0);
    g_assert_false(qvtd_wait_done(&lab.v, a));
    qvtd_set_property(&lab.v, "wait-hold", "'off'");
    g_assert_cmpuint(qinv_count(&lab, "requests"), ==, 1);
    g_assert_true(qvtd_wait_done(&lab.v, a));
    g_assert_true(qvtd_wait_done(&lab.v, b));
    pri_lab_stop(&lab);
}

/* Waits report in their order: the later one never is first */
static void test_order(const void *opaque)
{
    unsigned int depth = GPOINTER_TO_UINT(opaque), i, n, done = 0;
    g_autofree char *vtd = g_strdup_printf("wait-depth=%u", depth);
    uint32_t slot[6];
    PriLab lab;

    qinv_start(&lab, vtd, NULL);
    qvtd_set_property(&lab.v, "wait-delay-us", "1000");
    for (i = 0; i < G_N_ELEMENTS(slot); i++) {
        slot[i] = qinv_put_wait(&lab.v, SW | (i == 3 ? FN : 0));
        qinv_put_dev_tlb(&lab.v, lab.d.rid);
    }
    qvtd_qi_ring(&lab.v);
    for (n = 0; n < 200 && done < G_N_ELEMENTS(slot); n++) {
        qtest_clock_step(lab.qts, 100 * QINV_US);
        done = 0;
        while (done < G_N_ELEMENTS(slot) &&
               qvtd_wait_done(&lab.v, slot[done])) {
            done++;
        }
        for (i = done; i < G_N_ELEMENTS(slot); i++) {
            g_assert_false(qvtd_wait_done(&lab.v, slot[i]));
        }
    }
    g_assert_cmpuint(done, ==, G_N_ELEMENTS(slot));
    g_assert_true(qvtd_qi_idle(&lab.v));
    g_assert_cmpuint(qinv_count(&lab, "requests"), ==, G_N_ELEMENTS(slot));
    pri_lab_stop(&lab);
}

/* The same where the first one waits for page requests and the second not */
static void test_order_drain(void)
{
    uint32_t first, second;
    PriLab lab;

    qinv_start(&lab, "wait-depth=4,prd-delay-us=100", NULL);
    lab_request(&lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, 0);
    first = qinv_put_wait(&lab.v, SW | PD);
    second = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_true(qvtd_qi_idle(&lab.v));
    g_assert_false(qvtd_wait_done(&lab.v, first));
    g_assert_false(qvtd_wait_done(&lab.v, second));
    qtest_clock_step(lab.qts, 101 * QINV_US);
    g_assert_true(qvtd_wait_done(&lab.v, first));
    g_assert_true(qvtd_wait_done(&lab.v, second));
    pri_lab_stop(&lab);
}

/* A wait without anything ahead of it is not kept by what is behind it */
static void test_not_kept(void)
{
    uint32_t slot;
    PriLab lab;

    qinv_start(&lab, NULL, NULL);
    slot = qinv_put_wait(&lab.v, SW);
    qinv_put_dev_tlb(&lab.v, QINV_ABSENT);
    qvtd_qi_ring(&lab.v);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

/* -- QI-32: order of the kinds --------------------------------------------- */

/*
 * What was executed, in its order, from the log of the unit: this queue is
 * executed in order whatever is in it, which satisfies every rule of 6.5.2.12
 */
static void test_kinds(const void *opaque)
{
    bool dw = GPOINTER_TO_UINT(opaque);
    static const struct {
        unsigned int type;
        const char *text;
    } kinds[] = {
        { QINV_CC, "context-cache" }, { QINV_PC, "pasid-cache" },
        { QINV_IOTLB, "type iotlb" }, { QINV_PIOTLB, "p-iotlb" },
        { QINV_IEC, "type iec" }, { QINV_DEV_TLB, "ats_link_inv_request" },
        { QINV_DEV_PTLB, "ats_link_inv_request" },
    };
    g_autofree char *path = NULL, *options = NULL, *text = NULL;
    const char *at;
    unsigned int i;
    PriLab lab;
    int fd;

    fd = g_file_open_tmp("pri-lab-XXXXXX", &path, NULL);
    g_assert_cmpint(fd, >=, 0);
    close(fd);
    /* translation is not enabled here */
    options = g_strdup_printf("wait-depth=4,tes0-inv=complete -D %s "
                              "-trace vtd_inv_desc -trace ats_link_inv_request "
                              "-trace vtd_inv_qi_enable", path);
    pri_lab_boot(&lab, options, NULL, 0);
    qvtd_set_root(&lab.v, qvtd_alloc(&lab.v, 1),
                  dw ? QVTD_TTM_SCALABLE : QVTD_TTM_LEGACY);
    qvtd_qi_start(&lab.v, 0, dw);
    for (i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (dw || kinds[i].type <= QINV_WAIT) {
            qinv_put(&lab.v, qinv_desc_valid(kinds[i].type, lab.d.rid));
        }
    }
    qvtd_wait(&lab.v, 0);
    g_assert_cmpuint(qinv_count(&lab, "requests"), ==, dw ? 2 : 1);
    pri_lab_stop(&lab);

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    at = text ? text : "";
    for (i = 0; i < G_N_ELEMENTS(kinds) && at; i++) {
        if (dw || kinds[i].type <= QINV_WAIT) {
            at = strstr(at, kinds[i].text);
            g_assert_nonnull(at);
            at = at ? strchr(at, '\n') : NULL;
        }
    }
    at = at ? strstr(at, "type wait") : NULL;
    g_assert_nonnull(at);
    unlink(path);
}

/* The IOTLB is clean when the function asks again */
static void test_iotlb_before_device(void)
{
    QPtOp op = {
        .cmd = PT_OP_READ, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .src = LAB_IOVA, .len = 8,
    };
    uint32_t crc[3];
    unsigned int i;
    PriLab lab;

    qinv_start(&lab, NULL, NULL);
    for (i = 0; i < 3; i++) {
        /* old, then new in the tables but cached, then invalidated */
        if (i < 2) {
            uint64_t page = qvtd_alloc(&lab.v, 1);

            qtest_writeq(lab.qts, page, 0x1111 * (i + 1));
            qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA, page, QVTD_FS_USER);
        } else {
            qinv_put(&lab.v, qvtd_desc_piotlb(LAB_DID, LAB_PASID));
            qinv_put_dev_tlb(&lab.v, lab.d.rid);
            qvtd_wait(&lab.v, 0);
        }
        g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
        crc[i] = qpt_ch_readl(&lab.d, 0, PT_CH_CRC);
    }
    g_assert_cmphex(crc[1], ==, crc[0]);
    g_assert_cmphex(crc[2], !=, crc[0]);
    pri_lab_stop(&lab);
}

/* -- QI-33: the upper half of 256-bit descriptors -------------------------- */

static void test_upper_half(const void *opaque)
{
    unsigned int type = GPOINTER_TO_UINT(opaque), bit;
    PriLab lab;

    qinv_start(&lab, NULL, NULL);
    for (bit = 128; bit < 256; bit++) {
        QVtdDesc desc = type == QINV_WAIT ? wait_desc(FN, 0, 0) :
                        qinv_desc_valid(type, lab.d.rid);

        desc.qw[bit / 64] |= 1ULL << (bit % 64);
        qvtd_expect_iqe(&lab.v, desc, QVTD_IQEI_RSVD);
    }
    g_assert_cmpuint(qinv_count(&lab, "requests"), ==, 0);
    pri_lab_stop(&lab);
}

/* -- QI-34: what pushes what ----------------------------------------------- */

/* Whenever software can see the interrupt or IWC, the status is there */
static void test_status_first(void)
{
    unsigned int i;
    uint32_t slot;
    PriLab lab;

    qinv_start(&lab, "wait-depth=2", NULL);
    qvtd_writel(&lab.v, QVTD_IECTL, 0);
    qvtd_set_property(&lab.v, "wait-delay-us", "100");
    slot = qinv_put_wait(&lab.v, SW | IF);
    qvtd_qi_ring(&lab.v);
    for (i = 0; i < 300; i++) {
        bool seen = msis(&lab) == 1 || qvtd_readl(&lab.v, QVTD_ICS) == 1;

        g_assert_true(!seen || qvtd_wait_done(&lab.v, slot));
        if (seen) {
            break;
        }
        qtest_clock_step(lab.qts, QINV_US);
    }
    g_assert_cmpuint(i, <, 300);
    g_assert_cmpuint(i, >=, 99);
    g_assert_cmpuint(msis(&lab), ==, 1);
    pri_lab_stop(&lab);
}

/* The status of the wait before is there, too */
static void test_status_of_earlier(void)
{
    uint32_t slot;
    PriLab lab;

    qinv_start(&lab, NULL, NULL);
    slot = qinv_put_wait(&lab.v, SW);
    qinv_put_wait(&lab.v, IF);
    qvtd_qi_ring(&lab.v);
    g_assert_cmphex(qvtd_readl(&lab.v, QVTD_ICS), ==, 1);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

/* -- QI-39: progress without a write of IQT -------------------------------- */

static void add_flags(void)
{
    unsigned int n;

    for (n = 0; n < 16; n++) {
        unsigned int flags = n << 4;
        g_autofree char *name = g_strdup_printf(
            "/vtd/qi/QI-30/if%u-sw%u-fn%u-pd%u", n & 1, n >> 1 & 1,
            n >> 2 & 1, n >> 3);

        g_test_add_data_func(name, GUINT_TO_POINTER(flags), test_flags);
    }
}

int main(int argc, char **argv)
{
    unsigned int i;

    pri_lab_test_init(&argc, &argv);
    add_flags();
    g_test_add_func("/vtd/qi/QI-30/status", test_status);
    g_test_add_func("/vtd/qi/QI-30/status-address", test_status_address);
    g_test_add_func("/vtd/qi/QI-30/status-ignored", test_status_ignored);
    g_test_add_func("/vtd/qi/QI-30/event", test_event);
    g_test_add_func("/vtd/qi/QI-30/event-masked", test_event_masked);
    g_test_add_func("/vtd/qi/QI-30/event-registers", test_event_registers);
    g_test_add_func("/vtd/qi/QI-31/no-fence", test_no_fence);
    g_test_add_func("/vtd/qi/QI-31/fence", test_fence);
    g_test_add_func("/vtd/qi/QI-31/fence-ends", test_fence_ends);
    for (i = 1; i <= 4; i++) {
        g_autofree char *name = g_strdup_printf("/vtd/qi/QI-31/order-%u", i);

        g_test_add_data_func(name, GUINT_TO_POINTER(i), test_order);
    }
    g_test_add_func("/vtd/qi/QI-31/order-drain", test_order_drain);
    g_test_add_func("/vtd/qi/QI-31/not-kept", test_not_kept);
    g_test_add_data_func("/vtd/qi/QI-32/kinds-128", GUINT_TO_POINTER(0),
                         test_kinds);
    g_test_add_data_func("/vtd/qi/QI-32/kinds-256", GUINT_TO_POINTER(1),
                         test_kinds);
    g_test_add_func("/vtd/qi/QI-32/iotlb-before-device",
                    test_iotlb_before_device);
    for (i = QINV_CC; i <= QINV_DEV_PTLB; i++) {
        g_autofree char *name = g_strdup_printf(
            "/vtd/qi/QI-33/upper-half-type-%u", i);

        g_test_add_data_func(name, GUINT_TO_POINTER(i), test_upper_half);
    }
    g_test_add_func("/vtd/qi/QI-34/status-first", test_status_first);
    g_test_add_func("/vtd/qi/QI-34/status-of-earlier",
                    test_status_of_earlier);
    return g_test_run();
}
