/*
 * Benchmarks of the IOMMU side, over qtest
 *
 * usage: pri-bench prq | iq | fault [rounds]
 *
 * prints lines "bench NAME NANOSECONDS", one a round.  What is timed happens
 * inside QEMU between one register write and the next read, so the cost of the
 * qtest protocol does not grow with the amount of work.
 *
 *   prq   2047 page requests of pri-testdev into the queue; then the drain of
 *         VT-d 7.10 with the queue full
 *   fault 64 groups of 32 pages from 1, 8 and 64 functions: until the last
 *         request is in the queue, and from the responses to the last byte of
 *         the DMA
 *   iq    16383 descriptors, an IOTLB invalidation and a wait with a status
 *         write in turn; then the same with device-TLB invalidations of a
 *         virtio device, which takes no messages.  Runs on any intel-iommu,
 *         also on one without page requests, with the same options
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/pri-fleet.h"

#define PAGE        4096
#define PRQ_N       2047
#define GROUP       512
#define IQ_QS       7               /* 16384 descriptors of 256 bits */

static int64_t now(void)
{
    return g_get_monotonic_time() * 1000;
}

/* -- prq ------------------------------------------------------------------ */

static void start_faults(PriLab *lab)
{
    for (unsigned int ch = 0; ch * GROUP < PRQ_N; ch++) {
        unsigned int n = MIN(GROUP, PRQ_N - ch * GROUP);
        QPtOp op = {
            .cmd = PT_OP_READ, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
            .src = LAB_IOVA + ch * GROUP * PAGE, .len = n * PAGE,
            .group = GROUP,
        };

        qpt_start(&lab->d, ch, &op);
    }
}

/* Refuse every group, so that the channels end */
static void refuse_all(PriLab *lab)
{
    QVtdDesc prd;

    while (qvtd_prq_pop(&lab->v, &prd)) {
        if (prd.qw[1] & (1 << 2)) {
            qvtd_respond(&lab->v, lab->d.rid, LAB_PASID,
                         (prd.qw[1] >> 3) & 0x1ff, 1);
        }
    }
    qvtd_writel(&lab->v, QVTD_PRS, QVTD_PRS_PPR | QVTD_PRS_PRO);
}

static void put_drain(PriLab *lab, uint32_t *slot)
{
    uint32_t fence;
    QVtdDesc desc[] = {
        qvtd_desc_wait(&lab->v, QVTD_WAIT_FN, &fence),
        qvtd_desc_piotlb(LAB_DID, LAB_PASID),
        qvtd_desc_dev_ptlb(lab->d.rid, LAB_PASID, QVTD_INV_ALL, true, false),
        qvtd_desc_wait(&lab->v, QVTD_WAIT_SW | QVTD_WAIT_PD, slot),
    };

    for (int i = 0; i < ARRAY_SIZE(desc); i++) {
        qvtd_qi_put(&lab->v, &desc[i]);
    }
}

static void bench_prq(unsigned int rounds)
{
    PriLab lab;

    pri_lab_boot(&lab, NULL, "pri-capacity=2048", 0);
    pri_lab_program(&lab);
    qvtd_prq_start(&lab.v, 4);
    while (rounds--) {
        uint32_t slot;
        int64_t start = now();

        start_faults(&lab);
        while (qvtd_prq_pending(&lab.v) < PRQ_N) {
            ;                       /* each look is a round trip */
        }
        printf("bench prq-2047 %" PRId64 "\n", now() - start);

        put_drain(&lab, &slot);
        start = now();
        qvtd_qi_ring(&lab.v);
        while (!qvtd_wait_done(&lab.v, slot)) {
            ;
        }
        printf("bench prq-drain %" PRId64 "\n", now() - start);
        refuse_all(&lab);
    }
    pri_lab_stop(&lab);
}

/* -- fault ---------------------------------------------------------------- */

#define FAULT_GROUPS    64
#define FAULT_PAGES     32
#define FAULT_N         (FAULT_GROUPS * FAULT_PAGES)

/* Group @g is channel g / n of function g % n, at an address of its own */
static uint64_t fault_iova(unsigned int round, unsigned int g)
{
    return LAB_IOVA + ((uint64_t)round * FAULT_GROUPS + g) * FAULT_PAGES * PAGE;
}

static void fault_program(PriFleet *f, unsigned int round)
{
    for (unsigned int g = 0; g < FAULT_GROUPS; g++) {
        QPriTestdev *d = &f->d[g % f->n];
        uint64_t base = PT_CHANNEL(g / f->n);

        qpt_writel(d, base + PT_CH_FLAGS, PT_FLAG_PASID);
        qpt_writel(d, base + PT_CH_PASID, LAB_PASID);
        qpt_writeq(d, base + PT_CH_DST, fault_iova(round, g));
        qpt_writeq(d, base + PT_CH_LEN, FAULT_PAGES * PAGE);
        qpt_writel(d, base + PT_CH_GROUP, FAULT_PAGES);
    }
}

/* Map everything and put the responses at the tail, in order of arrival */
static void fault_serve(PriFleet *f, uint64_t pa)
{
    QVtdDesc prd;

    while (qvtd_prq_pop(&f->v, &prd)) {
        unsigned int i = pri_fleet_index(f, QVTD_PRD_RID(&prd));

        qvtd_fs_map(&f->v, f->pml4[i], QVTD_PRD_ADDR(&prd), pa, QVTD_FS_USER);
        if (QVTD_PRD_LPIG(&prd)) {
            QVtdDesc resp = qvtd_desc_response(f->d[i].rid, LAB_PASID,
                                               QVTD_PRD_PRGI(&prd),
                                               QPT_SUCCESS);

            qvtd_qi_put(&f->v, &resp);
        }
    }
}

static bool fault_done(PriFleet *f)
{
    for (unsigned int g = 0; g < FAULT_GROUPS; g++) {
        if (qpt_ch_readl(&f->d[g % f->n], g / f->n, PT_CH_STATUS) ==
            PT_ST_RUNNING) {
            return false;
        }
    }
    return true;
}

static void fault_round(PriFleet *f, unsigned int round, uint64_t pa)
{
    int64_t start, asked, served;

    fault_program(f, round);
    start = now();
    for (unsigned int g = 0; g < FAULT_GROUPS; g++) {
        qpt_writel(&f->d[g % f->n], PT_CHANNEL(g / f->n) + PT_CH_CMD,
                   PT_OP_FILL);
    }
    while (qvtd_prq_pending(&f->v) < FAULT_N) {
        ;
    }
    asked = now() - start;
    fault_serve(f, pa);
    start = now();
    qvtd_qi_ring(&f->v);
    while (!fault_done(f)) {
        ;
    }
    served = now() - start;
    printf("bench fault-%u-request %" PRId64 "\n", f->n, asked);
    printf("bench fault-%u-response %" PRId64 "\n", f->n, served);
}

static void bench_fault(unsigned int rounds)
{
    static const unsigned int functions[] = { 1, 8, 64 };

    for (int i = 0; i < ARRAY_SIZE(functions); i++) {
        g_autofree char *dev = g_strdup_printf(
            "pri-capacity=2048,channels=%u,atc-entries=4096",
            FAULT_GROUPS / functions[i]);
        uint64_t pa;
        PriFleet f;

        pri_fleet_start(&f, functions[i], NULL, dev);
        pa = qvtd_alloc(&f.v, 1);
        for (unsigned int round = 0; round < rounds; round++) {
            fault_round(&f, round, pa);
        }
        pri_fleet_stop(&f);
    }
}

/* -- iq ------------------------------------------------------------------- */

#define DISK_DEVFN  "5"             /* slot of the virtio device */
#define DISK_RID    (5 << 3)

/* Hand the IOMMU the queue, full of @desc and a wait in turn, @rounds times */
static void bench_queue(const char *name, QVtdDesc desc, unsigned int rounds)
{
    QTestState *qts = qtest_init("-machine q35 -nodefaults -device intel-iommu,"
                                 "intremap=on,x-scalable-mode=on,x-flts=on,"
                                 "device-iotlb=on -device virtio-balloon-pci,"
                                 "addr=" DISK_DEVFN ",disable-legacy=on,"
                                 "iommu_platform=on,ats=on");
    QVtd v = {};
    QVtdDesc wait;
    uint32_t slot, size;

    qvtd_init(&v, qts);
    qvtd_set_root(&v, qvtd_alloc(&v, 1), QVTD_TTM_SCALABLE);
    qvtd_qi_start(&v, IQ_QS, true);
    size = v.iq_size / v.iq_entry;
    wait = qvtd_desc_wait(&v, QVTD_WAIT_SW, &slot);
    for (unsigned int i = 0; i < size; i++) {
        qvtd_qi_put(&v, i % 2 ? &wait : &desc);
    }
    while (rounds--) {
        int64_t start;

        v.iq_tail = (v.iq_tail + v.iq_size - v.iq_entry) % v.iq_size;
        start = now();
        qvtd_qi_ring(&v);
        while (!qvtd_qi_idle(&v)) {
            ;
        }
        printf("bench %s %" PRId64 "\n", name, now() - start);
    }
    qtest_quit(qts);
}

static void bench_iq(unsigned int rounds)
{
    bench_queue("iq-16383", qvtd_desc_iotlb_global(), rounds);
    bench_queue("iq-dev-tlb", qvtd_desc_dev_tlb(DISK_RID, QVTD_INV_ALL, true),
                rounds);
}

int main(int argc, char **argv)
{
    unsigned int rounds = argc > 2 ? strtoul(argv[2], NULL, 0) : 20;

    if (argc > 1 && g_str_equal(argv[1], "prq")) {
        bench_prq(rounds);
    } else if (argc > 1 && g_str_equal(argv[1], "fault")) {
        bench_fault(rounds);
    } else if (argc > 1 && g_str_equal(argv[1], "iq")) {
        bench_iq(rounds);
    } else {
        fprintf(stderr, "usage: pri-bench prq | iq | fault [rounds]\n");
        return 2;
    }
    return 0;
}
