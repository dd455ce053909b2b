/*
 * Queued invalidation of VT-d, as its own tests need it
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/vtd-inv.h"

void qinv_start(PriLab *lab, const char *vtd, const char *dev)
{
    pri_lab_start_with(lab, vtd, dev, 0);
    qvtd_qi_start(&lab->v, 0, true);
}

void qinv_clear(PriLab *lab, uint32_t bits)
{
    qvtd_writel(&lab->v, QVTD_FSTS, bits);
}

uint64_t qinv_count(PriLab *lab, const char *name)
{
    g_autofree char *counter = g_strdup_printf("x-devtlb-%s", name);

    return qvtd_counter(&lab->v, counter);
}

QVtdDesc qinv_desc_type(unsigned int type)
{
    return (QVtdDesc) { { (type & 0xf) | (type & 0x70) << 5 } };
}

QVtdDesc qinv_desc_valid(unsigned int type, uint16_t rid)
{
    switch (type) {
    case QINV_CC:
        return qvtd_desc_cc_global();
    case QINV_IOTLB:
        return qvtd_desc_iotlb_global();
    case QINV_DEV_TLB:
        return qvtd_desc_dev_tlb(rid, QVTD_INV_ALL, true);
    case QINV_PIOTLB:
        return qvtd_desc_piotlb(LAB_DID, LAB_PASID);
    case QINV_PC:
        return qvtd_desc_pc_global();
    case QINV_DEV_PTLB:
        return qvtd_desc_dev_ptlb(rid, LAB_PASID, QVTD_INV_ALL, true, false);
    case QINV_IEC:
    default:
        return qinv_desc_type(type);
    }
}

void qinv_set_mip(QVtdDesc *desc, unsigned int mip)
{
    desc->qw[0] |= mip << ((desc->qw[0] & 0xf) == QINV_DEV_TLB ? 16 : 4);
}

void qinv_set_pfsid(QVtdDesc *desc, uint16_t pfsid)
{
    desc->qw[0] |= (uint64_t)(pfsid & 0xf) << 12 |
                   (uint64_t)(pfsid >> 4) << 52;
}

void qinv_put(QVtd *v, QVtdDesc desc)
{
    qvtd_qi_put(v, &desc);
}

void qinv_put_dev_tlb(QVtd *v, uint16_t rid)
{
    qinv_put(v, qvtd_desc_dev_ptlb(rid, LAB_PASID, QVTD_INV_ALL, true, false));
}

uint32_t qinv_put_wait(QVtd *v, uint64_t flags)
{
    uint32_t slot = 0;

    qinv_put(v, qvtd_desc_wait(v, flags, &slot));
    return slot;
}

unsigned int qinv_head(QVtd *v)
{
    return qvtd_readq(v, QVTD_IQH) / v->iq_entry;
}

void qinv_ring_at(QVtd *v, unsigned int index)
{
    qvtd_writeq(v, QVTD_IQT, index * v->iq_entry);
}

uint32_t qinv_fsts(QVtd *v)
{
    return qvtd_readl(v, QVTD_FSTS);
}

unsigned int qinv_iqei(QVtd *v)
{
    return QINV_IQEI(qvtd_readq(v, QVTD_IQERCD));
}

uint16_t qinv_itesid(QVtd *v)
{
    return QINV_ITESID(qvtd_readq(v, QVTD_IQERCD));
}

uint16_t qinv_icesid(QVtd *v)
{
    return QINV_ICESID(qvtd_readq(v, QVTD_IQERCD));
}

unsigned int qinv_step_until(QVtd *v, uint32_t slot, int64_t step,
                             unsigned int limit)
{
    unsigned int n;

    for (n = 0; n <= limit; n++) {
        if (qvtd_wait_done(v, slot)) {
            return n;
        }
        qtest_clock_step(v->qts, step);
    }
    g_test_message("the wait descriptor never completed");
    return limit + 1;
}

/* -- Invalidate Requests as they went down the link ------------------------ */

void qinv_log_start(QInvLog *log, const char *vtd)
{
    int fd = g_file_open_tmp("pri-lab-XXXXXX", &log->path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    log->options = g_strdup_printf("%s -D %s -trace ats_link_inv_request",
                                   vtd, log->path);
}

static bool qinv_log_parse(const char *line, QInvRequest *req)
{
    const char *text = strstr(line, "ats_link_inv_request ");
    unsigned int rid, pasid, size, global, itag;
    unsigned long long addr;

    if (!text || sscanf(text, "ats_link_inv_request %x pasid %x addr %llx "
                        "S=%u G=%u itag %u", &rid, &pasid, &addr, &size,
                        &global, &itag) != 6) {
        return false;
    }
    *req = (QInvRequest) {
        .rid = rid, .pasid = pasid, .addr = addr, .size = size,
        .global = global, .itag = itag,
    };
    return true;
}

GArray *qinv_log_finish(QInvLog *log)
{
    GArray *requests = g_array_new(false, true, sizeof(QInvRequest));
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    unsigned int i;

    g_assert_true(g_file_get_contents(log->path, &text, NULL, NULL));
    lines = g_strsplit(text ? text : "", "\n", -1);
    for (i = 0; lines[i]; i++) {
        QInvRequest req;

        if (qinv_log_parse(lines[i], &req)) {
            g_array_append_val(requests, req);
        }
    }
    unlink(log->path);
    g_clear_pointer(&log->path, g_free);
    g_clear_pointer(&log->options, g_free);
    return requests;
}
