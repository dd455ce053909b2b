/*
 * libqos driver for VT-d: invalidation queue and page request queue
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/vtd.h"

#define QVTD_STATUS_SLOTS       1024

/* -- Queued invalidation, VT-d 6.5.2 --------------------------------------- */

void qvtd_qi_start(QVtd *v, unsigned int qs, bool dw)
{
    if (qvtd_readl(v, QVTD_GSTS) & QVTD_GCMD_QIE) {
        qvtd_gcmd(v, 0, QVTD_GCMD_QIE);
    }
    v->iq_size = 4096u << qs;
    v->iq_entry = dw ? 32 : 16;
    v->iq_tail = 0;
    v->iq = qvtd_alloc(v, 1 << qs);
    if (!v->status) {
        v->status = qvtd_alloc(v, 1);
    }
    qvtd_writeq(v, QVTD_IQT, 0);
    qvtd_writeq(v, QVTD_IQA, v->iq | (dw ? QVTD_IQA_DW : 0) | qs);
    qvtd_gcmd(v, QVTD_GCMD_QIE, 0);
}

uint64_t qvtd_qi_put(QVtd *v, const QVtdDesc *desc)
{
    uint64_t addr = v->iq + v->iq_tail;

    qtest_memwrite(v->qts, addr, desc->qw, v->iq_entry);
    v->iq_tail = (v->iq_tail + v->iq_entry) % v->iq_size;
    return addr;
}

void qvtd_qi_ring(QVtd *v)
{
    qvtd_writeq(v, QVTD_IQT, v->iq_tail);
}

bool qvtd_qi_idle(QVtd *v)
{
    return qvtd_readq(v, QVTD_IQH) == qvtd_readq(v, QVTD_IQT);
}

QVtdDesc qvtd_desc_cc_global(void)
{
    return (QVtdDesc) { { 0x1 | 1 << 4 } };
}

QVtdDesc qvtd_desc_iotlb_global(void)
{
    return (QVtdDesc) { { 0x2 | 1 << 4 } };
}

QVtdDesc qvtd_desc_pc_global(void)
{
    return (QVtdDesc) { { 0x7 | 3 << 4 } };
}

QVtdDesc qvtd_desc_piotlb(uint16_t did, uint32_t pasid)
{
    return (QVtdDesc) { {
        0x6 | 2 << 4 | (uint64_t)did << 16 | (uint64_t)pasid << 32
    } };
}

QVtdDesc qvtd_desc_dev_tlb(uint16_t rid, uint64_t addr, bool size)
{
    return (QVtdDesc) { { 0x3 | (uint64_t)rid << 32, addr | size } };
}

QVtdDesc qvtd_desc_dev_ptlb(uint16_t rid, uint32_t pasid, uint64_t addr,
                            bool size, bool global)
{
    return (QVtdDesc) { {
        0x8 | (uint64_t)rid << 16 | (uint64_t)pasid << 32,
        addr | size << 11 | global
    } };
}

QVtdDesc qvtd_desc_response(uint16_t rid, uint32_t pasid, uint16_t prgi,
                            unsigned int code)
{
    QVtdDesc desc = { {
        0x9 | code << 12 | (uint64_t)rid << 16, (uint64_t)prgi << 3
    } };

    if (pasid != QVTD_NO_PASID) {
        desc.qw[0] |= 1 << 4 | (uint64_t)pasid << 32;
    }
    return desc;
}

QVtdDesc qvtd_desc_wait(QVtd *v, uint64_t flags, uint32_t *slot)
{
    QVtdDesc desc = { { 0x5 | flags } };

    if (flags & QVTD_WAIT_SW) {
        uint32_t n = v->status_next++;
        uint64_t addr = v->status + n % QVTD_STATUS_SLOTS * 4;

        qtest_writel(v->qts, addr, 0);
        desc.qw[0] |= (uint64_t)(n + 1) << 32;
        desc.qw[1] = addr;
        *slot = n;
    }
    return desc;
}

bool qvtd_wait_done(QVtd *v, uint32_t slot)
{
    uint64_t addr = v->status + slot % QVTD_STATUS_SLOTS * 4;

    return qtest_readl(v->qts, addr) == slot + 1;
}

void qvtd_submit(QVtd *v, QVtdDesc desc)
{
    qvtd_qi_put(v, &desc);
    qvtd_qi_ring(v);
}

void qvtd_wait(QVtd *v, uint64_t flags)
{
    uint32_t slot;

    qvtd_submit(v, qvtd_desc_wait(v, flags | QVTD_WAIT_SW, &slot));
    g_assert_true(qvtd_wait_done(v, slot));
}

void qvtd_flush(QVtd *v)
{
    QVtdDesc desc;

    desc = qvtd_desc_cc_global();
    qvtd_qi_put(v, &desc);
    desc = qvtd_desc_pc_global();
    qvtd_qi_put(v, &desc);
    desc = qvtd_desc_iotlb_global();
    qvtd_qi_put(v, &desc);
    qvtd_wait(v, 0);
}

void qvtd_respond(QVtd *v, uint16_t rid, uint32_t pasid, uint16_t prgi,
                  unsigned int code)
{
    qvtd_submit(v, qvtd_desc_response(rid, pasid, prgi, code));
    g_assert_true(qvtd_qi_idle(v));
    g_assert_cmphex(qvtd_readl(v, QVTD_FSTS) & QVTD_FSTS_IQE, ==, 0);
}

void qvtd_expect_iqe(QVtd *v, QVtdDesc desc, unsigned int iqei)
{
    uint32_t head = v->iq_tail;
    uint64_t addr = qvtd_qi_put(v, &desc);
    QVtdDesc nop = { { 0x5 | QVTD_WAIT_FN } };
    uint32_t slot, fsts;

    desc = qvtd_desc_wait(v, QVTD_WAIT_SW, &slot);
    qvtd_qi_put(v, &desc);
    qvtd_qi_ring(v);

    fsts = qvtd_readl(v, QVTD_FSTS);
    g_assert_cmphex(fsts & QVTD_FSTS_IQE, ==, QVTD_FSTS_IQE);
    g_assert_cmphex(qvtd_readq(v, QVTD_IQH), ==, head);
    g_assert_cmpuint(qvtd_readq(v, QVTD_IQERCD) & 0xf, ==, iqei);
    g_assert_false(qvtd_wait_done(v, slot));

    qtest_memwrite(v->qts, addr, nop.qw, v->iq_entry);
    qvtd_writel(v, QVTD_FSTS, QVTD_FSTS_IQE);
    g_assert_cmphex(qvtd_readl(v, QVTD_FSTS) & QVTD_FSTS_IQE, ==, 0);
    g_assert_true(qvtd_wait_done(v, slot));
    g_assert_true(qvtd_qi_idle(v));
}

/* -- Page request queue, VT-d 7.4.1 ---------------------------------------- */

void qvtd_prq_start(QVtd *v, unsigned int pqs)
{
    v->prq_size = 4096u << pqs;
    v->prq = qvtd_alloc(v, 1 << pqs);
    qvtd_writeq(v, QVTD_PQH, 0);
    qvtd_writeq(v, QVTD_PQT, 0);
    qvtd_writeq(v, QVTD_PQA, v->prq | pqs);
}

unsigned int qvtd_prq_pending(QVtd *v)
{
    uint32_t bytes = qvtd_readq(v, QVTD_PQT) - qvtd_readq(v, QVTD_PQH);

    return bytes % v->prq_size / QVTD_PRD_SIZE;
}

void qvtd_prq_read(QVtd *v, unsigned int n, QVtdDesc *prd)
{
    uint32_t head = qvtd_readq(v, QVTD_PQH);
    uint32_t offset = (head + n * QVTD_PRD_SIZE) % v->prq_size;
    unsigned int i;

    for (i = 0; i < 4; i++) {
        prd->qw[i] = qtest_readq(v->qts, v->prq + offset + i * 8);
    }
}

bool qvtd_prq_pop(QVtd *v, QVtdDesc *prd)
{
    uint32_t head = qvtd_readq(v, QVTD_PQH);

    if (!qvtd_prq_pending(v)) {
        memset(prd, 0, sizeof(*prd));
        return false;
    }
    qvtd_prq_read(v, 0, prd);
    qvtd_writeq(v, QVTD_PQH, (head + QVTD_PRD_SIZE) % v->prq_size);
    return true;
}

void qvtd_prq_drop_all(QVtd *v)
{
    qvtd_writeq(v, QVTD_PQH, qvtd_readq(v, QVTD_PQT));
}
