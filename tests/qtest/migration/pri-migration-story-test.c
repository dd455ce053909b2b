/*
 * A run that is loaded is the run that was saved, wherever it was saved
 *
 * Stories of each kind: groups, credits, holds, waits, resets, errors,
 * interrupts, writes on their way.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/lab-posted.h"
#include "libqos/lab-rules.h"
#include "libqos/lab-story.h"
#include "libqos/vtd-inv.h"

#define PAGE    4096
#define R       PT_RAW_READ
#define W       PT_RAW_WRITE
#define L       PT_RAW_LAST
#define VTD     "wait-depth=64,ite-timeout-ms=200"

/* -- Steps of several stories ---------------------------------------------- */

static void map(LabStory *s, unsigned int first, unsigned int n)
{
    for (unsigned int i = first; i < first + n; i++) {
        qvtd_fs_map(&s->lab.v, s->lab.pml4, LAB_IOVA + i * PAGE,
                    s->pa + i * PAGE, QVTD_FS_USER);
    }
}

static void unmap(LabStory *s, unsigned int page)
{
    qvtd_fs_map(&s->lab.v, s->lab.pml4, LAB_IOVA + page * PAGE, 0, 0);
}

/* Channel @ch writes @n pages from page @first, in groups of @group */
static void dma(LabStory *s, unsigned int ch, unsigned int first,
                unsigned int n, unsigned int group, uint32_t flags)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID | flags,
        .pasid = LAB_PASID, .dst = LAB_IOVA + first * PAGE + 8 * ch,
        .len = (n - 1) * PAGE + 8, .pattern = 0x1111111111111111ULL * (ch + 1),
        .group = group,
    };

    qpt_start(&s->lab.d, ch, &op);
}

static void copy(LabStory *s, unsigned int ch, unsigned int from,
                 unsigned int to, unsigned int n)
{
    QPtOp op = {
        .cmd = PT_OP_COPY, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .src = LAB_IOVA + from * PAGE, .dst = LAB_IOVA + to * PAGE,
        .len = n * PAGE,
    };

    qpt_start(&s->lab.d, ch, &op);
}

static void serve(LabStory *s)
{
    lab_serve(&s->lab, LAB_IOVA, s->pa, QVTD_FS_USER);
}

/* Answer the oldest request only, whose group has one page */
static void serve_one(LabStory *s)
{
    QVtdDesc prd;

    if (qvtd_prq_pop(&s->lab.v, &prd)) {
        uint64_t addr = QVTD_PRD_ADDR(&prd);

        qvtd_fs_map(&s->lab.v, s->lab.pml4, addr, s->pa + (addr - LAB_IOVA),
                    QVTD_FS_USER);
        qvtd_respond(&s->lab.v, s->lab.d.rid, LAB_PASID,
                     QVTD_PRD_PRGI(&prd), QPT_SUCCESS);
    }
}

static void refuse_one(LabStory *s)
{
    QVtdDesc prd;

    if (qvtd_prq_pop(&s->lab.v, &prd)) {
        qvtd_respond(&s->lab.v, s->lab.d.rid, LAB_PASID,
                     QVTD_PRD_PRGI(&prd), QPT_INVALID_REQUEST);
    }
}

static void invalidate(LabStory *s, unsigned int slot, uint64_t flags)
{
    qinv_put_dev_tlb(&s->lab.v, s->lab.d.rid);
    s->slot[slot] = qinv_put_wait(&s->lab.v, QVTD_WAIT_SW | flags);
    qvtd_qi_ring(&s->lab.v);
}

static void invalidate_0(LabStory *s)
{
    invalidate(s, 0, 0);
}

static void invalidate_1(LabStory *s)
{
    invalidate(s, 1, QVTD_WAIT_PD);
}

static void set(LabStory *s, const char *knob, const char *json)
{
    qvtd_set_property(&s->lab.v, knob, json);
}

static void rule(LabStory *s, const char *id, const char *json)
{
    g_assert_null(lab_object_add(s->lab.qts, id, json));
}

static void step_10us(LabStory *s)
{
    lab_story_step_clock(s, 10 * QINV_US);
}

static void step_100us(LabStory *s)
{
    lab_story_step_clock(s, 100 * QINV_US);
}

static void step_100ms(LabStory *s)
{
    lab_story_step_clock(s, 100 * QINV_MS);
}

static void stop_pasid(LabStory *s)
{
    qpt_writel(&s->lab.d, PT_STOP_PASID, LAB_PASID);
}

static void stop_marker(LabStory *s)
{
    qpt_writel(&s->lab.d, PT_STOP_PASID, LAB_PASID | PT_STOP_MARKER);
}

/* -- Groups ---------------------------------------------------------------- */

static void groups_ask(LabStory *s)
{
    dma(s, 0, 0, 4, 2, PT_FLAG_IRQ);
    dma(s, 1, 8, 2, 2, 0);
}

static void groups_raw(LabStory *s)
{
    lab_request(&s->lab, LAB_IOVA + 0x40000, R, 0x1f0);
    lab_request(&s->lab, LAB_IOVA + 0x41000, R | L, 0x1f0);
}

static void groups_copy(LabStory *s)
{
    copy(s, 2, 0, 16, 3);
}

static void groups_list(LabStory *s)
{
    uint8_t entry[2 * PT_LIST_ENTRY_SIZE] = { 0 };
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID | PT_FLAG_SCATTER,
        .pasid = LAB_PASID, .list = LAB_IOVA + 24 * PAGE, .list_len = 2,
        .pattern = 0x77,
    };

    stq_le_p(entry + PT_LIST_ADDR, LAB_IOVA + 25 * PAGE);
    stl_le_p(entry + PT_LIST_LEN, 100);
    stq_le_p(entry + 16 + PT_LIST_ADDR, LAB_IOVA + 26 * PAGE);
    stl_le_p(entry + 16 + PT_LIST_LEN, 200);
    map(s, 24, 1);
    qtest_memwrite(s->lab.qts, s->pa + 24 * PAGE, entry, sizeof(entry));
    qpt_start(&s->lab.d, 3, &op);
}

static LabStep *const groups[] = {
    groups_ask, groups_raw, serve, groups_copy, groups_list, serve_one, serve,
    refuse_one, serve, stop_pasid, serve, invalidate_1, NULL,
};

/* -- Credits --------------------------------------------------------------- */

static void credits_two(LabStory *s)
{
    qpt_pri_disable(&s->lab.d);
    qpt_enable(&s->lab.d, 2);
}

static void credits_wait(LabStory *s)
{
    for (unsigned int ch = 0; ch < 5; ch++) {
        dma(s, ch, 4 * ch, 2, ch == 3 ? 2 : 1, 0);
    }
}

/* A channel that waits would find its page, if it looked */
static void credits_present(LabStory *s)
{
    map(s, 8, 2);
}

static void credits_abort(LabStory *s)
{
    qtest_writel(s->lab.qts, s->lab.d.bar0 + PT_CHANNEL(4) + PT_CH_CMD,
                 PT_OP_ABORT);
}

static LabStep *const credits[] = {
    credits_two, credits_wait, credits_present, serve_one, serve_one,
    credits_abort, serve_one, refuse_one, serve, serve, serve, NULL,
};

/* -- What is held ---------------------------------------------------------- */

static void holds_link(LabStory *s)
{
    rule(s, "r1", ", 'action': 'hold', 'kind': 'prg-response'");
    set(s, "prq-hold", "\"on\"");
    set(s, "prq-irq-hold", "\"on\"");
    lab_turn(&s->lab, "inv-reply", "\"hold\"");
}

static void holds_ask(LabStory *s)
{
    qvtd_writel(&s->lab.v, QVTD_PECTL, 0);
    dma(s, 0, 0, 2, 2, 0);
    dma(s, 1, 4, 1, 1, 0);
}

static void holds_prq(LabStory *s)
{
    set(s, "prq-release", "2");
}

static void holds_prq_off(LabStory *s)
{
    set(s, "prq-hold", "\"off\"");
    set(s, "prq-irq-hold", "\"off\"");
}

static void holds_translation(LabStory *s)
{
    rule(s, "r0", ", 'action': 'hold', 'kind': 'translation'");
    map(s, 8, 1);
    dma(s, 2, 8, 1, 1, 0);
}

static void holds_newest(LabStory *s)
{
    set(s, "link-release-last", "1");
}

static void holds_oldest(LabStory *s)
{
    set(s, "link-release", "1");
}

static void holds_inv(LabStory *s)
{
    lab_turn(&s->lab, "inv-release-last", "1");
}

static void holds_inv_all(LabStory *s)
{
    lab_turn(&s->lab, "inv-release", "8");
    lab_object_set(s->lab.qts, "r1", "action", "\"off\"");
    lab_object_del(s->lab.qts, "r0");
    set(s, "link-release", "8");
}

static LabStep *const holds[] = {
    holds_link, holds_ask, holds_prq, invalidate_0, holds_prq_off, serve,
    holds_translation, invalidate_1, holds_oldest, holds_newest, holds_inv,
    holds_inv_all, serve, NULL,
};

/* -- Waits and their time -------------------------------------------------- */

static void waits_slow(LabStory *s)
{
    lab_turn(&s->lab, "inv-delay-us", "150");
    set(s, "prd-delay-us", "120");
    set(s, "wait-delay-us", "30");
}

static void waits_ask(LabStory *s)
{
    dma(s, 0, 0, 3, 2, 0);
    lab_request(&s->lab, LAB_IOVA + 0x40000, R | L, 3);
}

static void waits_lost(LabStory *s)
{
    lab_turn(&s->lab, "inv-reply", "\"drop\"");
    lab_turn(&s->lab, "inv-nth", "2");
    invalidate(s, 2, 0);
    invalidate(s, 3, QVTD_WAIT_FN);
    invalidate(s, 4, 0);
}

static void waits_clear(LabStory *s)
{
    qvtd_writel(&s->lab.v, QVTD_FSTS, QVTD_FSTS_ITE);
}

static LabStep *const waits[] = {
    waits_slow, waits_ask, invalidate_1, step_100us, step_10us, step_10us,
    step_100us, waits_lost, step_100us, step_100ms, step_100ms, step_100us,
    waits_clear, step_100us, NULL,
};

/* -- Resets ---------------------------------------------------------------- */

static void resets_slow(LabStory *s)
{
    lab_turn(&s->lab, "flr-duration-ms", "120");
    lab_turn(&s->lab, "soft-reset-ms", "50");
    lab_turn(&s->lab, "inv-in-flr", "\"complete-after\"");
    lab_turn(&s->lab, "flr-late-dma", "\"request\"");
    lab_turn(&s->lab, "flr-prs", "\"after\"");
}

static void resets_ask(LabStory *s)
{
    credits_two(s);
    dma(s, 0, 0, 2, 2, 0);
    dma(s, 1, 4, 1, 1, 0);
}

static void resets_flr(LabStory *s)
{
    qpt_config_writew(&s->lab.d, s->lab.d.exp + QPT_EXP_DEVCTL,
                      QPT_EXP_DEVCTL_FLR);
}

static void resets_restore(LabStory *s)
{
    qpt_restore(&s->lab.d);
    qpt_enable(&s->lab.d, 0);
}

/* the response to a group from before it */
static void resets_stale(LabStory *s)
{
    qvtd_respond(&s->lab.v, s->lab.d.rid, LAB_PASID, 0, QPT_SUCCESS);
}

static void resets_soft(LabStory *s)
{
    qpt_writel(&s->lab.d, PT_SOFT_RESET, PT_SOFT_RESET_ALL);
}

static LabStep *const resets[] = {
    resets_slow, resets_ask, resets_flr, invalidate_0, step_100ms, step_100ms,
    resets_restore, resets_stale, waits_ask, resets_soft, invalidate_1,
    step_100ms, waits_ask, serve, NULL,
};

/* -- Errors ---------------------------------------------------------------- */

static void errors_report(LabStory *s)
{
    qpt_config_writew(&s->lab.d, s->lab.d.exp + QPT_EXP_DEVCTL, 0xf);
    lab_turn(&s->lab, "aer-error", "\"non-fatal\"");
}

static void errors_fatal(LabStory *s)
{
    lab_turn(&s->lab, "aer-error", "\"fatal\"");
}

static void errors_overflow(LabStory *s)
{
    set(s, "prq-depth", "3");
    for (unsigned int i = 0; i < 6; i++) {
        lab_request(&s->lab, LAB_IOVA + 0x40000 + i * PAGE, W | L, i);
    }
}

static void errors_fault(LabStory *s)
{
    QPtRaw raw = {
        .addr = LAB_IOVA, .pasid = LAB_PASID + 64, .flags = R | L, .prgi = 9,
    };

    qpt_raw(&s->lab.d, &raw);
}

static void errors_queue(LabStory *s)
{
    set(s, "inject-iqe", "2");
    invalidate(s, 0, 0);
}

static void errors_clear(LabStory *s)
{
    qvtd_writel(&s->lab.v, QVTD_FSTS, 0x71);
    qvtd_writel(&s->lab.v, QVTD_PRS, 3);
    qvtd_prq_drop_all(&s->lab.v);
}

static void errors_timeout(LabStory *s)
{
    rule(s, "r0", ", 'action': 'drop', 'kind': 'translation'");
    map(s, 8, 1);
    dma(s, 2, 8, 1, 1, 0);
}

static void errors_failure(LabStory *s)
{
    lab_object_del(s->lab.qts, "r0");
    dma(s, 3, 12, 1, 1, 0);
    dma(s, 4, 14, 1, 1, 0);
    lab_request(&s->lab, LAB_IOVA + 0x50000, R | L, 0x1f1);
    qvtd_respond(&s->lab.v, s->lab.d.rid, LAB_PASID, 0x1f1,
                 QPT_RESPONSE_FAILURE);
}

static LabStep *const errors[] = {
    errors_report, errors_overflow, errors_fault, errors_queue, errors_clear,
    errors_timeout, step_10us, step_100ms, errors_failure, serve,
    errors_fatal, NULL,
};

/* -- Interrupts ------------------------------------------------------------ */

static void irqs_setup(LabStory *s)
{
    lab_msix_memory(&s->lab);
    qvtd_writel(&s->lab.v, QVTD_PECTL, 0);
    set(s, "prq-irq-delay-us", "50");
    qpt_writel(&s->lab.d, PT_EVENT_ENABLE, PT_EVENT_STOP | PT_EVENT_RAW);
}

static void irqs_ask(LabStory *s)
{
    dma(s, 0, 0, 1, 1, PT_FLAG_IRQ);
    dma(s, 1, 1, 1, 1, PT_FLAG_IRQ);
}

static void irqs_mask(LabStory *s)
{
    qtest_writel(s->lab.qts, s->lab.d.bar2 + 16 + 12, 1);
}

static void irqs_no_master(LabStory *s)
{
    qpt_config_writew(&s->lab.d, 4, 0x2);
    stop_pasid(s);
}

static void irqs_master(LabStory *s)
{
    qpt_config_writew(&s->lab.d, 4, 0x6);
}

static void irqs_unmask(LabStory *s)
{
    qtest_writel(s->lab.qts, s->lab.d.bar2 + 16 + 12, 0);
}

static LabStep *const interrupts[] = {
    irqs_setup, irqs_ask, step_10us, irqs_mask, step_100us, irqs_no_master,
    refuse_one, refuse_one, irqs_master, irqs_unmask, stop_marker, NULL,
};

/* -- Writes on their way --------------------------------------------------- */

static void dma_hold(LabStory *s)
{
    map(s, 0, 6);
    lab_turn(&s->lab, "dma-do", "\"hold\"");
    lab_turn(&s->lab, "read-push", "\"no\"");
    lab_turn(&s->lab, "inv-push", "\"late\"");
}

static void dma_post(LabStory *s)
{
    dma(s, 0, 0, 3, 1, 0);
    dma(s, 1, 3, 1, 1, PT_FLAG_UNTRANSLATED);
}

static void dma_release(LabStory *s)
{
    lab_turn(&s->lab, "dma-release", "1");
}

static void dma_delay(LabStory *s)
{
    lab_turn(&s->lab, "dma-do", "\"delay\"");
    lab_turn(&s->lab, "dma-delay-us", "105");
    dma(s, 2, 4, 2, 1, 0);
}

static void dma_unmap(LabStory *s)
{
    unmap(s, 1);
    unmap(s, 2);
    qvtd_flush(&s->lab.v);      /* no stream has the IOTLB */
    invalidate(s, 0, 0);
}

static void dma_keep(LabStory *s)
{
    lab_turn(&s->lab, "flr-dma", "\"keep\"");
    lab_turn(&s->lab, "dma-do", "\"hold\"");
    dma(s, 3, 5, 1, 1, 0);
}

static void dma_release_all(LabStory *s)
{
    lab_turn(&s->lab, "dma-release", "8");
}

static LabStep *const writes[] = {
    dma_hold, dma_post, dma_release, dma_unmap, dma_delay, step_100us,
    step_10us, invalidate_1, dma_post, invalidate_0, dma_keep, resets_flr,
    dma_release_all, resets_restore, NULL,
};

static const LabScript scripts[] = {
    { "groups", VTD, NULL, groups },
    { "credits", VTD, NULL, credits },
    { "holds", VTD, "completion-timeout-us=0", holds },
    { "waits", VTD, NULL, waits },
    { "resets", VTD, NULL, resets },
    { "errors", VTD, NULL, errors },
    { "interrupts", VTD, NULL, interrupts },
    { "writes", VTD, NULL, writes },
};

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);

    for (unsigned int i = 0; i < ARRAY_SIZE(scripts); i++) {
        g_autofree char *name = g_strdup_printf("/pri-lab/MIG-01/%s",
                                                scripts[i].name);

        qtest_add_data_func(name, &scripts[i], lab_story_test);
    }
    return g_test_run();
}
