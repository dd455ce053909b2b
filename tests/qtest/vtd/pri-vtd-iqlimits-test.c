/*
 * VT-d queued invalidation: what a guest must not reach, and what it may do to
 * a queue that is not quiet (QI-40 to QI-44)
 *
 * VT-d 4.2.1, 4.3, 6.5.2, 6.5.2.4, 6.5.2.9, 11.4.9.9; PCIe 6.2 10.3.2
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/vtd-inv.h"

#define SW          QVTD_WAIT_SW
#define FN          QVTD_WAIT_FN
#define IQE         QVTD_FSTS_IQE
#define ITE         QVTD_FSTS_ITE
#define TIMEOUT     "ite-timeout-ms=100"

static void start(PriLab *lab, const char *vtd)
{
    pri_lab_start_with(lab, vtd, NULL, 0);
    qvtd_qi_start(&lab->v, 0, true);
    g_assert_cmphex(qinv_fsts(&lab->v), ==, 0);
}

static QVtdDesc wait_at(uint64_t flags, uint64_t addr, uint32_t data)
{
    return (QVtdDesc) { {
        QINV_WAIT | flags | (uint64_t)data << 32, addr
    } };
}

/* -- QI-40: memory only, and an end ---------------------------------------- */

/* A register is no place for a status: nothing is written, nothing stops */
static void test_status_into_register(const void *opaque)
{
    unsigned int reg = GPOINTER_TO_UINT(opaque);
    uint32_t before;
    PriLab lab;

    start(&lab, NULL);
    before = qvtd_readl(&lab.v, reg);
    qvtd_submit(&lab.v, wait_at(SW, QVTD_BASE + reg, ~before));
    g_assert_cmphex(qvtd_readl(&lab.v, reg), ==, before);
    qvtd_wait(&lab.v, 0);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    pri_lab_stop(&lab);
}

/*
 * A queue in which every slot is a wait that completes at once, and a status
 * write that would move the tail to where the head never gets.  The walk is
 * begun by a message, where QEMU has no guard against re-entrancy.  In an
 * endless loop QEMU gives no answer: who runs the tests ends one that makes no
 * progress.
 */
static void test_status_into_tail(void)
{
    unsigned int i, slots;
    uint64_t first;
    PriLab lab;

    start(&lab, NULL);
    slots = lab.v.iq_size / lab.v.iq_entry;
    qpt_knob_set(&lab.d, PT_KNOB_INV_REPLY, 2);         /* hold */
    first = lab.v.iq;
    qinv_put_dev_tlb(&lab.v, lab.d.rid);
    qinv_put_wait(&lab.v, SW | FN);
    qinv_put(&lab.v, wait_at(SW | FN, QVTD_BASE + QVTD_IQT, 0x7ffe0));
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qinv_head(&lab.v), ==, 2);
    for (i = 0; i < slots; i++) {
        QVtdDesc desc = wait_at(FN, 0, 0);

        if (i != 2) {
            qtest_memwrite(lab.qts, first + i * lab.v.iq_entry, desc.qw,
                           lab.v.iq_entry);
        }
    }
    qpt_knob_set(&lab.d, PT_KNOB_INV_RELEASE, 1);
    g_assert_cmpuint(qinv_head(&lab.v), ==, 3);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQT), ==, 3 * lab.v.iq_entry);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    pri_lab_stop(&lab);
}

/* Descriptors come from memory: a queue in registers has none */
static void test_queue_in_registers(const void *opaque)
{
    bool own = GPOINTER_TO_UINT(opaque);
    PriLab lab;

    start(&lab, NULL);
    qvtd_gcmd(&lab.v, 0, QVTD_GCMD_QIE);
    qvtd_writeq(&lab.v, QVTD_IQT, 0);
    qvtd_writeq(&lab.v, QVTD_IQA, (own ? QVTD_BASE : lab.d.bar0) |
                QVTD_IQA_DW);
    qvtd_gcmd(&lab.v, QVTD_GCMD_QIE, 0);
    qvtd_writeq(&lab.v, QVTD_IQT, 32);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, IQE);
    g_assert_cmpuint(qinv_iqei(&lab.v), ==, QVTD_IQEI_FETCH);
    pri_lab_stop(&lab);
}

/* -- QI-04, QI-05, QI-12: when a bad queue is an error --------------------- */

/* Nothing is fetched while QIE=0, from an empty queue, or while ITE=1 */
static void test_bad_unnoticed(void)
{
    PriLab lab;

    start(&lab, NULL);
    qvtd_gcmd(&lab.v, 0, QVTD_GCMD_QIE);
    qvtd_writeq(&lab.v, QVTD_IQT, 0x7ffe0);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    qvtd_writeq(&lab.v, QVTD_IQT, 0);
    qvtd_gcmd(&lab.v, QVTD_GCMD_QIE, 0);
    qvtd_set_root(&lab.v, lab.v.root, QVTD_TTM_RESERVED);
    qvtd_writeq(&lab.v, QVTD_IQT, 0);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    /* the tail is looked at first: just outside, and misaligned */
    qvtd_writeq(&lab.v, QVTD_IQT, lab.v.iq_size);
    g_assert_cmpuint(qinv_iqei(&lab.v), ==, QVTD_IQEI_TAIL);
    qvtd_writeq(&lab.v, QVTD_IQT, 0);
    qvtd_writel(&lab.v, QVTD_FSTS, IQE);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    qvtd_writeq(&lab.v, QVTD_IQT, 0x7fff0);
    g_assert_cmpuint(qinv_iqei(&lab.v), ==, QVTD_IQEI_ALIGN);
    qvtd_writeq(&lab.v, QVTD_IQT, 0);
    qvtd_writel(&lab.v, QVTD_FSTS, IQE);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    qvtd_set_root(&lab.v, lab.v.root, QVTD_TTM_SCALABLE);
    qvtd_set_property(&lab.v, "inject-ite", "1");
    qvtd_writeq(&lab.v, QVTD_IQT, 0x7ffe0);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    qvtd_writel(&lab.v, QVTD_FSTS, ITE);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, IQE);
    g_assert_cmpuint(qinv_iqei(&lab.v), ==, QVTD_IQEI_TAIL);
    pri_lab_stop(&lab);
}

/* 11.4.9.2: bit 4 of the tail, although the queue looks empty without it */
static void test_bad_alignment(void)
{
    PriLab lab;

    start(&lab, NULL);
    qvtd_wait(&lab.v, 0);
    qvtd_writeq(&lab.v, QVTD_IQT, qvtd_readq(&lab.v, QVTD_IQT) | 1 << 4);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, IQE);
    g_assert_cmpuint(qinv_iqei(&lab.v), ==, QVTD_IQEI_ALIGN);
    pri_lab_stop(&lab);
}

/* -- QI-41: QIE=0 while the queue is not quiet ----------------------------- */

static bool disable(PriLab *lab)
{
    uint32_t gsts = qvtd_readl(&lab->v, QVTD_GSTS) & QVTD_GSTS_ENABLES;

    qvtd_writel(&lab->v, QVTD_GCMD, gsts & ~QVTD_GCMD_QIE);
    return !(qvtd_readl(&lab->v, QVTD_GSTS) & QVTD_GCMD_QIE);
}

/* A new kernel after a crash: the queue begins at 0 and works */
static void restart(PriLab *lab)
{
    g_assert_cmpuint(qinv_head(&lab->v), ==, 0);
    qvtd_writel(&lab->v, QVTD_FSTS, QINV_FSTS_W1C);
    lab->v.iq_tail = 0;
    qvtd_writeq(&lab->v, QVTD_IQT, 0);
    qvtd_gcmd(&lab->v, QVTD_GCMD_QIE, 0);
    qvtd_wait(&lab->v, 0);
    g_assert_cmphex(qinv_fsts(&lab->v), ==, 0);
}

typedef enum Busy {
    BUSY_IQE,               /* stopped at a bad descriptor */
    BUSY_ITE,               /* stopped by a time-out, more behind it */
    BUSY_WAIT,              /* a wait that was fetched */
    BUSY_NO_WAIT,           /* empty, but the last was no wait */
} Busy;

static uint32_t make_busy(PriLab *lab, Busy busy)
{
    uint32_t slot = 0;

    switch (busy) {
    case BUSY_IQE:
        qinv_put(&lab->v, qinv_desc_type(0x7f));
        break;
    case BUSY_NO_WAIT:
        qinv_put(&lab->v, qvtd_desc_iotlb_global());
        break;
    default:
        qinv_put_dev_tlb(&lab->v, QINV_ABSENT);
        slot = qinv_put_wait(&lab->v, SW);
        qinv_put(&lab->v, qvtd_desc_iotlb_global());
        break;
    }
    qvtd_qi_ring(&lab->v);
    if (busy == BUSY_ITE) {
        qtest_clock_step(lab->qts, 101 * QINV_MS);
        g_assert_cmphex(qinv_fsts(&lab->v), ==, ITE);
    }
    return slot;
}

static void test_busy_abort(const void *opaque)
{
    uint32_t slot;
    PriLab lab;

    start(&lab, TIMEOUT);
    slot = make_busy(&lab, GPOINTER_TO_UINT(opaque));
    g_assert_true(disable(&lab));
    restart(&lab);
    /* what was outstanding is forgotten: no status, no time-out */
    qtest_clock_step(lab.qts, 1000 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    g_assert_true(!slot || !qvtd_wait_done(&lab.v, slot));
    qvtd_wait(&lab.v, 0);
    pri_lab_stop(&lab);
}

static void test_busy_refuse(const void *opaque)
{
    PriLab lab;

    start(&lab, TIMEOUT ",qie-busy=refuse");
    make_busy(&lab, GPOINTER_TO_UINT(opaque));
    g_assert_false(disable(&lab));
    pri_lab_stop(&lab);
}

/* Neither of the two looks to be quiet: a wait that is kept alone ... */
static void test_busy_refuse_wait(void)
{
    PriLab lab;

    start(&lab, "qie-busy=refuse");
    qvtd_set_property(&lab.v, "wait-hold", "\"on\"");
    qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qinv_head(&lab.v), ==, 1);
    g_assert_false(disable(&lab));
    qvtd_set_property(&lab.v, "wait-hold", "\"off\"");
    g_assert_true(disable(&lab));
    pri_lab_stop(&lab);
}

/* ... and an invalidation whose wait was aborted by the time-out of another */
static void test_busy_refuse_itag(void)
{
    PriLab lab;

    start(&lab, TIMEOUT ",qie-busy=refuse");
    qpt_knob_set(&lab.d, PT_KNOB_INV_REPLY, 2);         /* hold */
    qinv_put_dev_tlb(&lab.v, QINV_ABSENT);
    qvtd_qi_ring(&lab.v);
    qtest_clock_step(lab.qts, 50 * QINV_MS);
    qinv_put_dev_tlb(&lab.v, lab.d.rid);
    qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    qtest_clock_step(lab.qts, 51 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    qinv_clear(&lab, ITE);
    g_assert_false(disable(&lab));
    qpt_knob_set(&lab.d, PT_KNOB_INV_RELEASE, 1);
    g_assert_true(disable(&lab));
    pri_lab_stop(&lab);
}

/* A forgotten ITag is in use until its completion comes, which is no error */
static void test_busy_late_completion(void)
{
    PriLab lab;

    start(&lab, TIMEOUT ",itags=2");
    qpt_knob_set(&lab.d, PT_KNOB_INV_REPLY, 2);         /* hold */
    qinv_put_dev_tlb(&lab.v, lab.d.rid);
    qinv_put_dev_tlb(&lab.v, lab.d.rid);
    qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-devtlb-requests"), ==, 2);
    g_assert_true(disable(&lab));
    restart(&lab);
    qinv_put_dev_tlb(&lab.v, lab.d.rid);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-devtlb-requests"), ==, 2);
    qpt_knob_set(&lab.d, PT_KNOB_INV_RELEASE, 1);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-devtlb-requests"), ==, 3);
    qpt_knob_set(&lab.d, PT_KNOB_INV_RELEASE, 2);
    qvtd_wait(&lab.v, 0);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-devtlb-unexpected"), ==, 0);
    pri_lab_stop(&lab);
}

/* Or until its time is over: then who waits for an ITag goes on */
static void test_busy_late_itag(void)
{
    uint32_t slot;
    PriLab lab;

    start(&lab, TIMEOUT ",itags=1");
    qpt_knob_set(&lab.d, PT_KNOB_INV_REPLY, 1);         /* drop */
    qinv_put_dev_tlb(&lab.v, lab.d.rid);
    qvtd_qi_ring(&lab.v);
    g_assert_true(disable(&lab));
    restart(&lab);
    qpt_knob_set(&lab.d, PT_KNOB_INV_REPLY, 0);
    qinv_put_dev_tlb(&lab.v, lab.d.rid);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    qtest_clock_step(lab.qts, 101 * QINV_MS);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    pri_lab_stop(&lab);
}

/* -- QI-42: completions while TES=0 ---------------------------------------- */

static void test_tes0(void)
{
    uint32_t slot;
    PriLab lab;

    start(&lab, TIMEOUT);
    qvtd_gcmd(&lab.v, 0, QVTD_GCMD_TE);
    qinv_put_dev_tlb(&lab.v, lab.d.rid);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-devtlb-refused"), ==, 1);
    qtest_clock_step(lab.qts, 101 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, lab.d.rid);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

static void test_tes0_complete(void)
{
    PriLab lab;

    start(&lab, TIMEOUT ",tes0-inv=complete");
    qvtd_gcmd(&lab.v, 0, QVTD_GCMD_TE);
    qinv_put_dev_tlb(&lab.v, lab.d.rid);
    qvtd_wait(&lab.v, 0);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-devtlb-refused"), ==, 0);
    pri_lab_stop(&lab);
}

/* Pending when TES goes: it is the moment of the completion that counts */
static void test_tes0_pending(const void *opaque)
{
    bool again = GPOINTER_TO_UINT(opaque);
    uint32_t slot;
    PriLab lab;

    start(&lab, TIMEOUT);
    qpt_knob_set(&lab.d, PT_KNOB_INV_REPLY, 2);         /* hold */
    qinv_put_dev_tlb(&lab.v, lab.d.rid);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    qvtd_gcmd(&lab.v, 0, QVTD_GCMD_TE);
    if (again) {
        qvtd_gcmd(&lab.v, QVTD_GCMD_TE, 0);
    }
    qpt_knob_set(&lab.d, PT_KNOB_INV_RELEASE, 1);
    g_assert_cmpint(qvtd_wait_done(&lab.v, slot), ==, again);
    qtest_clock_step(lab.qts, 101 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, again ? 0 : ITE);
    pri_lab_stop(&lab);
}

/* -- QI-43: a function without ATS ----------------------------------------- */

/* The root port is a function, and has no ATS capability */
static void test_no_ats(const void *opaque)
{
    bool complete = GPOINTER_TO_UINT(opaque);
    uint16_t rid;
    uint32_t slot;
    PriLab lab;

    start(&lab, complete ? TIMEOUT ",inv-no-ats=complete" : TIMEOUT);
    rid = lab.d.port << 3;
    qinv_put(&lab.v, qvtd_desc_dev_tlb(rid, QVTD_INV_ALL, true));
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpint(qvtd_wait_done(&lab.v, slot), ==, complete);
    qtest_clock_step(lab.qts, 101 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, complete ? 0 : ITE);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, complete ? 0 : rid);
    pri_lab_stop(&lab);
}

/* pri-testdev without the capability is such a function */
static void test_testdev_no_ats(void)
{
    uint32_t slot;
    PriLab lab;

    pri_lab_boot(&lab, TIMEOUT, "ats=off,pri=off", 0);
    qvtd_start(&lab.v);
    qinv_put(&lab.v, qvtd_desc_dev_tlb(lab.d.rid, QVTD_INV_ALL, true));
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    qtest_clock_step(lab.qts, 101 * QINV_MS);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    pri_lab_stop(&lab);
}

/* A function with ATS that is not on the link answers: QEMU's notifiers do */
static void test_foreign_ats(void)
{
    PriLab lab;

    pri_lab_boot(&lab, TIMEOUT
                 " -device pcie-root-port,id=rp1,chassis=9,slot=9,bus=pcie.0,"
                 "addr=0x1d"
                 " -device virtio-rng-pci,bus=rp1,ats=on,disable-legacy=on,"
                 "iommu_platform=on", NULL, 0);
    qpt_bridge_setup(lab.qts, 0x1d, 9, 0xe0000000);
    pri_lab_program(&lab);
    qinv_put(&lab.v, qvtd_desc_dev_tlb(9 << 8, QVTD_INV_ALL, true));
    qvtd_wait(&lab.v, 0);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    g_assert_cmpuint(qvtd_counter(&lab.v, "x-devtlb-requests"), ==, 0);
    pri_lab_stop(&lab);
}

/* -- QI-44: address masks of p_iotlb_inv_dsc ------------------------------- */

#define IOVA        0x5000ULL
#define OLD_PAGE    0x6000000ULL
#define NEW_PAGE    0x6001000ULL

/* Untranslated, so that the IOTLB serves it; what it has read */
static uint32_t read_page(PriLab *lab)
{
    const QPtOp op = {
        .cmd = PT_OP_READ,
        .flags = PT_FLAG_PASID | PT_FLAG_UNTRANSLATED,
        .pasid = LAB_PASID, .src = IOVA, .len = 8,
    };

    g_assert_cmphex(qpt_run(&lab->d, 0, &op), ==, PT_ST_DONE);
    return qpt_ch_readl(&lab->d, 0, PT_CH_CRC);
}

static void test_address_mask(const void *opaque)
{
    unsigned int am = GPOINTER_TO_UINT(opaque);
    QVtdDesc desc = qvtd_desc_piotlb(LAB_DID, LAB_PASID);
    uint32_t old, fresh;
    PriLab lab;

    start(&lab, NULL);
    qtest_writeq(lab.qts, OLD_PAGE, 1);
    qtest_writeq(lab.qts, NEW_PAGE, 2);
    qvtd_fs_map(&lab.v, lab.pml4, IOVA, OLD_PAGE, QVTD_FS_USER | QVTD_FS_A);
    old = read_page(&lab);
    qvtd_fs_map(&lab.v, lab.pml4, IOVA, NEW_PAGE, QVTD_FS_USER | QVTD_FS_A);
    g_assert_cmphex(read_page(&lab), ==, old);
    desc.qw[0] |= 3ULL << 4;            /* page-selective */
    desc.qw[1] = am;
    qvtd_submit(&lab.v, desc);
    qvtd_wait(&lab.v, 0);
    fresh = read_page(&lab);
    /* without a mask that reaches 5000h the entry stays: it is there */
    if (am > 2) {
        g_assert_cmphex(fresh, !=, old);
    } else {
        g_assert_cmphex(fresh, ==, old);
    }
    g_assert_cmphex(qinv_fsts(&lab.v), ==, 0);
    pri_lab_stop(&lab);
}

/* -------------------------------------------------------------------------- */

static void add_masks(void)
{
    static const unsigned int masks[] = {
        0, 2, 3, 9, 18, 20, 31, 32, 33, 35, 40, 51, 52, 63
    };

    for (unsigned int i = 0; i < G_N_ELEMENTS(masks); i++) {
        g_autofree char *name = g_strdup_printf("/vtd/qi/QI-44/am-%u",
                                                masks[i]);

        g_test_add_data_func(name, GUINT_TO_POINTER(masks[i]),
                             test_address_mask);
    }
}

static void add_busy(void)
{
    static const char *const names[] = {
        [BUSY_IQE] = "iqe", [BUSY_ITE] = "ite", [BUSY_WAIT] = "wait",
        [BUSY_NO_WAIT] = "no-wait",
    };

    for (unsigned int i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *abort = g_strdup_printf("/vtd/qi/QI-41/abort/%s",
                                                 names[i]);
        g_autofree char *refuse = g_strdup_printf("/vtd/qi/QI-41/refuse/%s",
                                                  names[i]);

        g_test_add_data_func(abort, GUINT_TO_POINTER(i), test_busy_abort);
        g_test_add_data_func(refuse, GUINT_TO_POINTER(i), test_busy_refuse);
    }
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    g_test_add_data_func("/vtd/qi/QI-40/status-into-fedata",
                         GUINT_TO_POINTER(QVTD_FEDATA),
                         test_status_into_register);
    g_test_add_data_func("/vtd/qi/QI-40/status-into-pqh",
                         GUINT_TO_POINTER(QVTD_PQH),
                         test_status_into_register);
    g_test_add_data_func("/vtd/qi/QI-40/status-into-iqa",
                         GUINT_TO_POINTER(QVTD_IQA),
                         test_status_into_register);
    g_test_add_func("/vtd/qi/QI-40/status-into-tail", test_status_into_tail);
    g_test_add_data_func("/vtd/qi/QI-40/queue-in-own-registers",
                         GUINT_TO_POINTER(1), test_queue_in_registers);
    g_test_add_data_func("/vtd/qi/QI-40/queue-in-device", GUINT_TO_POINTER(0),
                         test_queue_in_registers);
    add_busy();
    g_test_add_func("/vtd/qi/QI-04/bad-unnoticed", test_bad_unnoticed);
    g_test_add_func("/vtd/qi/QI-05/alignment-of-an-empty-queue",
                    test_bad_alignment);
    g_test_add_func("/vtd/qi/QI-41/refuse-wait-alone", test_busy_refuse_wait);
    g_test_add_func("/vtd/qi/QI-41/refuse-itag-alone", test_busy_refuse_itag);
    g_test_add_func("/vtd/qi/QI-41/late-completion", test_busy_late_completion);
    g_test_add_func("/vtd/qi/QI-41/late-itag", test_busy_late_itag);
    g_test_add_func("/vtd/qi/QI-42/timeout", test_tes0);
    g_test_add_func("/vtd/qi/QI-42/complete", test_tes0_complete);
    g_test_add_data_func("/vtd/qi/QI-42/pending-off", GUINT_TO_POINTER(0),
                         test_tes0_pending);
    g_test_add_data_func("/vtd/qi/QI-42/pending-off-on", GUINT_TO_POINTER(1),
                         test_tes0_pending);
    g_test_add_data_func("/vtd/qi/QI-43/timeout", GUINT_TO_POINTER(0),
                         test_no_ats);
    g_test_add_data_func("/vtd/qi/QI-43/complete", GUINT_TO_POINTER(1),
                         test_no_ats);
    g_test_add_func("/vtd/qi/QI-43/testdev", test_testdev_no_ats);
    g_test_add_func("/vtd/qi/QI-43/foreign", test_foreign_ats);
    add_masks();
    return g_test_run();
}
