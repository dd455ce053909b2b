/*
 * VT-d page requests: overflow after overflow, until everything has arrived
 *
 * The device has more requests than the queue takes, and asks again whenever
 * hardware answers Success because the queue is full (VT-d 7.4.1).  Software
 * here does what Linux's prq_event_thread() and iopf do, and is woken by the
 * Page Request Event alone (VT-d 7.5): it must never sleep while something is
 * left to do.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/pri-lab.h"

#define CHANNELS        34u     /* two groups more than the allocation has */
#define GROUP           64u
#define ALLOCATION      2048
#define PAGE            0x1000ull
#define PRGI_NR         512
#define PRS_BOTH        (QVTD_PRS_PPR | QVTD_PRS_PRO)
#define X
#define SEED            20261121
#define TURNS           40      /* of the event thread for one of a worker */
#define STEP_NS         20000   /* longer than retry-delay-us */
#define STEPS           200000  /* some ten thousand are enough */

typedef struct Group {
    unsigned int prgi;
    unsigned int n;
    uint64_t page[GROUP];
} Group;

/* What the event thread does next */
typedef enum Step {
    AT_SLEEP, AT_TAIL, AT_HEAD, AT_QUEUE, AT_TAKEN, AT_PRO, AT_EMPTY,
    AT_DISCARD,
} Step;

typedef struct Software {
    PriLab *lab;
    GRand *rand;
    uint64_t pa;                    /* memory for the pages */
    uint64_t events;                /* Page Request Events seen */
    Group partial[PRGI_NR];         /* requests whose last has not come */
    GQueue work;                    /* complete groups */
    Step at;
    uint64_t head, tail;
    unsigned int next;
    unsigned int overflows;         /* looks that found PRO set */
    unsigned int not_empty;         /* of them, with entries in the queue */
} Software;

static void report(Software *sw, const QVtdDesc *prd)
{
    Group *g = &sw->partial[QVTD_PRD_PRGI(prd)];

    if (g->n < GROUP) {
        g->page[g->n++] = QVTD_PRD_ADDR(prd);
    }
    if (QVTD_PRD_LPIG(prd)) {
        Group *whole = g_memdup2(g, sizeof(*g));

        whole->prgi = QVTD_PRD_PRGI(prd);
        g_queue_push_tail(&sw->work, whole);
        g->n = 0;
    }
}

/*
 * One access of the event thread, in the order of linux 7.3; workers may run
 * between any two of them.
 */
static void event_thread(Software *sw)
{
    QVtd *v = &sw->lab->v;
    QVtdDesc prd;

    switch (sw->at++) {
    case AT_SLEEP:
        sw->events = qvtd_counter(v, "x-prq-events");
        qvtd_writel(v, QVTD_PRS, QVTD_PRS_PPR);
        break;
    case AT_TAIL:
        sw->tail = qvtd_readq(v, QVTD_PQT);
        break;
    case AT_HEAD:
        sw->head = qvtd_readq(v, QVTD_PQH);
        sw->next = 0;
        break;
    case AT_QUEUE:
        if (sw->head != sw->tail) {
            qvtd_prq_read(v, sw->next++, &prd);
            report(sw, &prd);
            sw->head = (sw->head + QVTD_PRD_SIZE) % v->prq_size;
            sw->at = AT_QUEUE;
        }
        break;
    case AT_TAKEN:
        qvtd_writeq(v, QVTD_PQH, sw->tail);
        break;
    case AT_PRO:
        sw->at = AT_SLEEP;
        if (qvtd_readl(v, QVTD_PRS) & QVTD_PRS_PRO) {
            sw->overflows++;
            sw->at = AT_EMPTY;
        }
        break;
    case AT_EMPTY:
        if (qvtd_readq(v, QVTD_PQH) != qvtd_readq(v, QVTD_PQT)) {
            sw->not_empty++;
            sw->at = AT_SLEEP;
        }
        break;
    case AT_DISCARD:
        for (unsigned int i = 0; i < PRGI_NR; i++) {
            sw->partial[i].n = 0;
        }
        qvtd_writel(v, QVTD_PRS, QVTD_PRS_PRO);
        sw->at = AT_SLEEP;
        break;
    }
}

static void work(Software *sw)
{
    Group *g = g_queue_pop_head(&sw->work);
    PriLab *lab = sw->lab;

    for (unsigned int i = 0; i < g->n; i++) {
        qvtd_fs_map(&lab->v, lab->pml4, g->page[i],
                    sw->pa + (g->page[i] - LAB_IOVA), QVTD_FS_USER);
    }
    qvtd_respond(&lab->v, lab->d.rid, LAB_PASID, g->prgi, QPT_SUCCESS);
    g_free(g);
}

/*
 * Event thread or a worker, whichever has something to do; false: none has,
 * not even once the device has asked again (retry-delay-us)
 */
static bool step(Software *sw)
{
    bool event = sw->at != AT_SLEEP ||
                 qvtd_counter(&sw->lab->v, "x-prq-events") != sw->events;
    bool groups = !g_queue_is_empty(&sw->work);

    if (event && (!groups || g_rand_int_range(sw->rand, 0, TURNS))) {
        event_thread(sw);
    } else if (groups) {
        work(sw);
    }
    return event || groups;
}

static unsigned int running(PriLab *lab)
{
    unsigned int n = 0;

    for (unsigned int i = 0; i < CHANNELS; i++) {
        n += qpt_ch_readl(&lab->d, i, PT_CH_STATUS) == PT_ST_RUNNING;
    }
    return n;
}

static void say_state(Software *sw)
{
    QVtd *v = &sw->lab->v;

    g_test_message("nothing to do, %u channels run: PRS 0x%x PECTL 0x%x "
                   "PQH 0x%" PRIx64 " PQT 0x%" PRIx64 ", %u groups open",
                   running(sw->lab), qvtd_readl(v, QVTD_PRS),
                   qvtd_readl(v, QVTD_PECTL), qvtd_readq(v, QVTD_PQH),
                   qvtd_readq(v, QVTD_PQT),
                   qpt_readl(&sw->lab->d, PT_PRI_GROUPS));
}

/* @pqs: size of the queue, PQA.PQS; Linux uses 4, that is 2047 requests */
static void test_all_at_once(gconstpointer pqs)
{
    PriLab lab;
    Software sw = { .lab = &lab, .rand = g_rand_new_with_seed(SEED) };
    unsigned int steps = 0;

    pri_lab_boot(&lab, NULL, "pri-capacity=4096,channels=64", 0);
    pri_lab_program(&lab);
    qvtd_prq_start(&lab.v, GPOINTER_TO_UINT(pqs));
    qvtd_writel(&lab.v, QVTD_PECTL, 0);
    qpt_enable(&lab.d, ALLOCATION);
    sw.pa = qvtd_alloc(&lab.v, CHANNELS * GROUP);
    for (unsigned int i = 0; i < CHANNELS; i++) {
        QPtOp op = {
            .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
            .dst = LAB_IOVA + i * GROUP * PAGE, .len = GROUP * PAGE,
            .pattern = i, .group = GROUP, .retries = ~0u,
        };

        qpt_start(&lab.d, i, &op);
    }
    while (running(&lab) && steps++ < STEPS) {
        bool busy = step(&sw);

        qtest_clock_step(lab.qts, STEP_NS);
        if (!busy && running(&lab) && !step(&sw)) {
            say_state(&sw);
            g_test_fail();
            break;
        }
    }
    g_assert_cmpuint(running(&lab), ==, 0);
    g_assert_cmpuint(sw.overflows, >, 0);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, 0);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_VIOLATIONS), ==, 0);
    for (unsigned int i = 0; i < CHANNELS; i++) {
        g_assert_cmpuint(qpt_ch_readl(&lab.d, i, PT_CH_STATUS), ==,
                         PT_ST_DONE);
    }
    g_test_message("%u steps, %u looks with PRO set, %u of them with entries",
                   steps, sw.overflows, sw.not_empty);
    g_queue_clear_full(&sw.work, g_free);
    g_rand_free(sw.rand);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    qtest_add_data_func("/pri-vtd/overflow/PRQ-43/255", GUINT_TO_POINTER(1),
                        test_all_at_once);
    qtest_add_data_func("/pri-vtd/overflow/PRQ-43/511", GUINT_TO_POINTER(2),
                        test_all_at_once);
    qtest_add_data_func("/pri-vtd/overflow/PRQ-43/2047", GUINT_TO_POINTER(4),
                        test_all_at_once);
    return g_test_run();
}
