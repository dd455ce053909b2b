/*
 * Posted writes on their way, in the tests of the page-request path
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-posted.h"
#include "libqos/lab-state.h"

#define POLLS       2000
#define MSIX_IOVA   0x00007e0000000000ULL
#define MSIX_DATA   0x80

void lab_turn(PriLab *lab, const char *knob, const char *json)
{
    g_autofree char *cmd = g_strdup_printf(
        "{ 'execute': 'qom-set', 'arguments': { 'path': 'pt0', "
        "'property': '%s', 'value': %s } }", knob, json);
    QDict *rsp;

    qtest_qmp_send_raw(lab->qts, "%s", cmd);
    rsp = qtest_qmp_receive(lab->qts);
    if (!qdict_haskey(rsp, "return")) {
        g_test_message("cannot set %s to %s", knob, json);
        g_test_fail();
    }
    qobject_unref(rsp);
}

unsigned int lab_dma_waiting(PriLab *lab)
{
    QDict *rsp = qtest_qmp(lab->qts, "{ 'execute': 'qom-get', 'arguments': "
                           "{ 'path': 'pt0', 'property': 'dma-waiting' } }");
    unsigned int n = qdict_get_int(rsp, "return");

    qobject_unref(rsp);
    return n;
}

/* The last entry of the log, as text */
static char *last_entry(PriLab *lab)
{
    g_autofree char *log = lab_read_log(lab);
    char *line;

    g_strchomp(log);
    line = strrchr(log, '\n');
    return g_strdup(line ? line + 1 : log);
}

void lab_post(PriLab *lab, unsigned int ch, uint64_t iova, uint32_t flags)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID | flags,
        .pasid = LAB_PASID, .dst = iova, .len = 8,
        .pattern = LAB_POSTED_PATTERN,
    };
    g_autofree char *end = g_strdup_printf(" end pasid=0x%x tag=%u ",
                                           LAB_PASID, ch);
    int i;

    qpt_start(&lab->d, ch, &op);
    for (i = 0; i < POLLS; i++) {
        g_autofree char *last = last_entry(lab);

        /* with PT_FLAG_IRQ the interrupt may have pushed it by now */
        if (strstr(last, end) || strstr(last, " landed ")) {
            return;
        }
        g_usleep(100);
    }
    g_test_message("the write of channel %u is not issued", ch);
    g_test_fail();
}

bool lab_landed(PriLab *lab, uint64_t iova, uint64_t pa)
{
    uint8_t bytes[8];

    qtest_bufread(lab->qts, pa, bytes, sizeof(bytes));
    for (unsigned int i = 0; i < sizeof(bytes); i++) {
        if (bytes[i] != PT_STAMP_BYTE(LAB_POSTED_PATTERN, iova + i)) {
            return false;
        }
    }
    return true;
}

uint64_t lab_msix_memory(PriLab *lab)
{
    uint16_t ctl = qpt_config_readw(&lab->d, lab->d.msix + 2);
    uint64_t page = qvtd_alloc(&lab->v, 1);

    qvtd_fs_map(&lab->v, lab->rid_pml4, MSIX_IOVA, page, QVTD_FS_USER);
    for (unsigned int i = 0; i <= (ctl & 0x7ff); i++) {
        uint64_t entry = lab->d.bar2 + i * 16;
        uint64_t addr = MSIX_IOVA + i * 4;

        qtest_writel(lab->qts, entry, addr);
        qtest_writel(lab->qts, entry + 4, addr >> 32);
        qtest_writel(lab->qts, entry + 8, MSIX_DATA + i);
        qtest_writel(lab->qts, entry + 12, 0);
    }
    qpt_config_writew(&lab->d, lab->d.msix + 2, ctl | 0x8000);
    return page;
}

bool lab_msix_take(PriLab *lab, uint64_t page, unsigned int n)
{
    uint32_t data = qtest_readl(lab->qts, page + n * 4);

    qtest_writel(lab->qts, page + n * 4, 0);
    return data == MSIX_DATA + n;
}

uint32_t lab_msix_pending(PriLab *lab)
{
    uint32_t pba = qpt_config_readl(&lab->d, lab->d.msix + 8) & ~7u;

    return qtest_readl(lab->qts, lab->d.bar2 + pba);
}
