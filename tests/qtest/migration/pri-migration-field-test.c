/*
 * One field of a stream changed: what can be is taken, what cannot is refused
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-posted.h"
#include "libqos/lab-rules.h"
#include "libqos/lab-state.h"
#include "libqos/lab-stream.h"
#include <glib/gstdio.h>

#define PAGE            4096
#define FN              "fn/"
#define RULES           ":svm/svm.rules/ruleset/"
#define RULE_LIST       ":svm/svm.rules/saved/"
#define PRQ             ":svm/svm.prq/"
#define QI              ":svm/svm.qi/"
#define ITAGS           ":svm/svm.devtlb/itags/"
#define KNOBS           ":svm/svm.knobs."
/* Both entries are in use, and no write more fits */
#define DEV             "atc-entries=2,channels=2,dma-do=hold"
#define ATC             2
#define CHANNELS        2
/* of the queue of messages for interrupts, and of errors of ports */
#define IRQS            32
#define ERRORS          12
#define POSTED          128
#define HELD            16384
#define RULES_MAX       64
#define PRGIS           512
#define OWNERS          64
#define LATE            64
#define INV             32
#define LOG             256
#define LIST            65536

typedef struct Field {
    const char *path;
    uint64_t value;
    unsigned int size;
} Field;

/* Fields that go together; @why: part of the reason, NULL if they are taken */
typedef struct Row {
    const char *name, *section, *why;
    Field fields[6];            /* the last one is empty */
    const Field *with;          /* before them, or NULL */
    const char *repeat;         /* an element that is there @times more */
    unsigned int times;
} Row;

#define PT              "pri-testdev"
#define VTD             "iommu-intel"
#define PRI             "pcie-pri"
#define FUNCTION        "ats-function"
#define WRITES          "ats-posted"
#define RULESET         "ats/ruleset"
#define PRQ_STATE       "intel-iommu/prq"
#define QI_STATE        "intel-iommu/qi"
#define ITAG_STATE      "ats/itags"
#define SVM_STATE       "iommu-intel/svm"
#define DEVICE          "for: pri-testdev,"

/* States of a channel, hw/misc/pri-testdev/op.h */
#define RESPONSE        2
#define CREDITS         3
#define PAUSE           5
#define NO_STATE        6

#define ANSWER          "inv.waiting[0]/"
#define TIMER_RUNS(timer) { timer, 1ull << 62, 8 }

/* Channel 1 has begun to write 8 bytes, or by a list, which needs a length */
static const Field runs[] = {
    { "ch[1]/op/cmd", PT_OP_WRITE, 4 }, { "ch[1]/op/group", 1, 4 },
    { "ch[1]/op/len", 8, 8 }, { NULL },
};
static const Field runs_list[] = {
    { "ch[1]/run", RESPONSE, 1 }, { "ch[1]/op/cmd", PT_OP_WRITE, 4 },
    { "ch[1]/op/group", 1, 4 }, { "ch[1]/op/flags", PT_FLAG_SCATTER, 4 },
    { NULL },
};
/* A completion waits: of ITag 0, one message */
static const Field inv_waits[] = {
    { "inv.n", 1, 4 }, { ANSWER "itag", 0, 1 }, { ANSWER "cc", 1, 1 },
    { ANSWER "messages", 1, 1 }, { ANSWER "due", 0, 8 }, { NULL },
};
static const Field in_reset[] = {
    { "presence.in_reset", 1, 1 }, { "presence.kind", PT_RESET_FLR, 1 },
    { NULL },
};

static const Row rows[] = {
    { "group/stale", PT, NULL, { { FN "pri/groups[5]/use", 3, 1 } } },
    { "group/no-use", PT, PRI, { { FN "pri/groups[5]/use", 4, 1 } } },
    { "group/last-index", PT, NULL,
      { { FN "pri/groups[5]/prgi", PRGIS - 1, 2 } } },
    { "group/no-index", PT, PRI, { { FN "pri/groups[5]/prgi", PRGIS, 2 } } },
    { "group/pages", PT, NULL,
      { { FN "pri/groups[5]/use", 1, 1 },
        { FN "pri/groups[5]/pages", UINT32_MAX, 4 } } },
    { "group/too-many-pages", PT, PRI,
      { { FN "pri/groups[5]/use", 1, 1 },
        { FN "pri/groups[5]/pages", UINT32_MAX, 4 },
        { FN "pri/groups[6]/use", 1, 1 },
        { FN "pri/groups[6]/pages", 1, 4 } } },
    { "next-index/last", PT, NULL, { { FN "pri/last_prgi", PRGIS - 1, 2 } } },
    { "next-index/none", PT, PRI, { { FN "pri/last_prgi", PRGIS, 2 } } },
    { "atc/more-than-capacity", PT, "no more entries",
      { { FN "atc/n_saved", ATC + 1, 4 } } },
    { "atc/negative", PT, "no more entries",
      { { FN "atc/n_saved", UINT32_MAX, 4 } } },
    { "inflight/done", PT, NULL, { { FN "inflight.slot[3]/state", 3, 1 } } },
    { "inflight/no-state", PT, FUNCTION,
      { { FN "inflight.slot[3]/state", 4, 1 } } },
    { "inflight/last-owner", PT, NULL,
      { { FN "inflight.slot[3]/owner", OWNERS - 1, 4 } } },
    { "inflight/no-owner", PT, NULL,
      { { FN "inflight.slot[3]/owner", UINT32_MAX, 4 } } },
    { "inflight/other-owner", PT, FUNCTION,
      { { FN "inflight.slot[3]/owner", OWNERS, 4 } } },
    { "posted/more", PT, "no more writes",
      { { FN "posted/n", POSTED + 1, 4 } } },
    { "posted/all", PT, NULL, { { FN "posted/n", POSTED, 4 } }, NULL,
      FN "posted/slot[0]", POSTED - 2 },
    /* the only one: what is read of a second one would be of no size, too */
    { "posted/empty", PT, "possible size",
      { { FN "posted/n", 1, 4 }, { FN "posted/slot[0]/len", 0, 4 } } },
    { "posted/long", PT, "possible size",
      { { FN "posted/n", 1, 4 }, { FN "posted/slot[0]/len", PAGE + 1, 4 } } },
    { "posted/requests", PT, NULL, { { FN "posted/slot[0]/requests", 2, 1 } } },
    { "posted/more-requests", PT, WRITES,
      { { FN "posted/slot[0]/requests", 3, 1 } } },
    { "posted/never", PT, WRITES,
      { { FN "posted/slot[0]/due", 1ull << 63, 8 } } },
    { "posted/before-its-entry", PT, WRITES,
      { { FN "posted/slot[0]/entry/untranslated", 0, 1 },
        { FN "posted/slot[0]/entry/iova", LAB_IOVA + PAGE, 8 } } },
    { "errors/all", PT, NULL, { { FN "n_errors", ERRORS, 1 } } },
    { "errors/more", PT, FUNCTION, { { FN "n_errors", ERRORS + 1, 1 } } },
    { "errors/one", PT, NULL,
      { { FN "n_errors", 1, 1 },
        { FN "errors[0]/err.status", 1 << 20, 4 } } },
    { "errors/two-at-once", PT, FUNCTION,
      { { FN "n_errors", 1, 1 },
        { FN "errors[0]/err.status", 1u << 31 | 1 << 20, 4 } } },
    { "channel/stopped", PT, NULL,
      { { "ch[1]/op/cmd", 99, 4 }, { "ch[1]/op/flags", PT_FLAG_GATHER, 4 } } },
    { "channel/waits", PT, NULL, { { "ch[1]/run", RESPONSE, 1 } }, runs },
    { "channel/no-state", PT, DEVICE, { { "ch[1]/run", NO_STATE, 1 } }, runs },
    { "channel/no-command", PT, DEVICE,
      { { "ch[1]/run", RESPONSE, 1 }, { "ch[1]/op/cmd", PT_OP_NOP, 4 } },
      runs },
    { "channel/nothing-left", PT, DEVICE,
      { { "ch[1]/run", RESPONSE, 1 }, { "ch[1]/done", 8, 8 } }, runs },
    { "channel/a-byte-left", PT, NULL,
      { { "ch[1]/run", RESPONSE, 1 }, { "ch[1]/done", 7, 8 } }, runs },
    { "channel/not-there", PT, DEVICE,
      { { "ch[2]/run", RESPONSE, 1 }, { "ch[2]/op/cmd", PT_OP_WRITE, 4 },
        { "ch[2]/op/group", 1, 4 }, { "ch[2]/op/len", 8, 8 } } },
    { "channel/pause", PT, NULL,
      { { "ch[1]/run", PAUSE, 1 }, TIMER_RUNS("sched.pause_timer") }, runs },
    { "channel/endless-pause", PT, DEVICE,
      { { "ch[1]/run", PAUSE, 1 } }, runs },
    { "turn/last", PT, NULL, { { "sched.next_channel", CHANNELS - 1, 4 } } },
    { "turn/none", PT, DEVICE, { { "sched.next_channel", CHANNELS, 4 } } },
    { "waiters/one", PT, NULL,
      { { "ch[1]/run", CREDITS, 1 }, { "sched.n_waiters", 1, 4 },
        { "sched.waiters[0]", 1, 1 } }, runs },
    { "waiters/all", PT, NULL,
      { { "ch[1]/run", CREDITS, 1 }, { "ch[0]/run", CREDITS, 1 },
        { "ch[0]/done", 0, 8 }, { "sched.n_waiters", CHANNELS, 4 },
        { "sched.waiters[0]", 1, 1 } }, runs },
    { "waiters/not-in-the-queue", PT, DEVICE,
      { { "ch[1]/run", CREDITS, 1 } }, runs },
    { "waiters/does-not-wait", PT, DEVICE,
      { { "ch[1]/run", RESPONSE, 1 }, { "sched.n_waiters", 1, 4 },
        { "sched.waiters[0]", 1, 1 } }, runs },
    { "waiters/twice", PT, DEVICE,
      { { "ch[1]/run", CREDITS, 1 }, { "sched.n_waiters", 2, 4 },
        { "sched.waiters[0]", 1, 1 }, { "sched.waiters[1]", 1, 1 } }, runs },
    { "waiters/no-channel", PT, DEVICE,
      { { "sched.n_waiters", 1, 4 }, { "sched.waiters[0]", CHANNELS, 1 },
        { "ch[2]/run", CREDITS, 1 } } },
    { "waiters/more", PT, DEVICE, { { "sched.n_waiters", CHANNELS + 1, 4 } } },
    { "list/begins", PT, NULL,
      { { "ch[1]/op/list_len", LIST, 4 } }, runs_list },
    { "list/long", PT, DEVICE,
      { { "ch[1]/op/list_len", LIST + 1, 4 } }, runs_list },
    { "list/last-entry", PT, NULL,
      { { "ch[1]/op/list_len", LIST, 4 }, { "ch[1]/list_done", LIST - 1, 4 } },
      runs_list },
    { "list/at-its-end", PT, DEVICE,
      { { "ch[1]/op/list_len", LIST, 4 }, { "ch[1]/list_done", LIST, 4 } },
      runs_list },
    { "list/in-an-entry", PT, NULL,
      { { "ch[1]/op/list_len", 2, 4 }, { "ch[1]/piece.len", 8, 4 },
        { "ch[1]/piece.done", 7, 4 } }, runs_list },
    { "list/behind-an-entry", PT, DEVICE,
      { { "ch[1]/op/list_len", 2, 4 }, { "ch[1]/piece.len", 8, 4 },
        { "ch[1]/piece.done", 8, 4 } }, runs_list },
    { "completion/limits", PT, NULL,
      { { ANSWER "itag", INV - 1, 1 }, { ANSWER "cc", 8, 1 },
        { ANSWER "messages", 16, 1 } }, inv_waits },
    { "completion/none", PT, DEVICE, { { ANSWER "cc", 0, 1 } }, inv_waits },
    { "completion/one", PT, NULL, { { ANSWER "cc", 1, 1 } }, inv_waits },
    { "completion/no-itag", PT, DEVICE,
      { { ANSWER "itag", INV, 1 } }, inv_waits },
    { "completion/count", PT, DEVICE, { { ANSWER "cc", 9, 1 } }, inv_waits },
    { "completion/messages", PT, DEVICE,
      { { ANSWER "messages", 17, 1 } }, inv_waits },
    { "completion/never", PT, DEVICE,
      { { ANSWER "due", UINT64_MAX, 8 } }, inv_waits },
    { "completions/more", PT, DEVICE, { { "inv.n", INV + 1, 4 } } },
    { "late/all", PT, NULL, { { "late/n", LATE, 4 } } },
    { "late/more", PT, DEVICE, { { "late/n", LATE + 1, 4 } } },
    { "log/last-kind", PT, NULL,
      { { "log.entry[200]/kind", PT_LOG_LANDED, 4 } } },
    { "log/no-kind", PT, DEVICE,
      { { "log.entry[200]/kind", PT_LOG_LANDED + 1, 4 } } },
    { "log/no-entry", PT, DEVICE, { { "log.count", LOG, 8 } } },
    { "knob/function-last-value", PT, NULL, { { "knobs.dma_do", 2, 8 } } },
    { "knob/function-no-value", PT, DEVICE, { { "knobs.dma_do", 3, 8 } } },
    { "gone/knob", PT, DEVICE, { { "knobs.gone", 1, 8 } } },
    { "gone/state", PT, DEVICE, { { "presence.gone", 1, 1 } } },
    { "gone/both", PT, NULL,
      { { "knobs.gone", 1, 8 }, { "presence.gone", 1, 1 } } },
    { "reset/last-kind", PT, NULL,
      { { "presence.kind", PT_RESET_NR - 1, 1 } } },
    { "reset/no-kind", PT, DEVICE, { { "presence.kind", PT_RESET_NR, 1 } } },
    { "reset/goes-on", PT, NULL,
      { TIMER_RUNS("presence.reset_timer") }, in_reset },
    { "reset/endless", PT, DEVICE,
      { { "presence.in_reset", 1, 1 } }, in_reset },
    { "reset/link-down", PT, NULL, { { "presence.link_down", 1, 1 } } },
    { "reset/both", PT, DEVICE,
      { TIMER_RUNS("presence.reset_timer"), { "presence.link_down", 1, 1 } },
      in_reset },
    { "message/last-kind", VTD, NULL, { { RULES "saved[0]/msg/kind", 4, 1 } } },
    { "message/no-kind", VTD, RULESET,
      { { RULES "saved[0]/msg/kind", 5, 1 } } },
    { "message/completer-abort", VTD, NULL,
      { { RULES "saved[0]/status", 2, 1 } } },
    { "message/no-status", VTD, RULESET,
      { { RULES "saved[0]/status", 3, 1 } } },
    { "message/no-rule", VTD, RULESET, { { RULES "saved[0]/rule_at", 1, 4 } } },
    { "messages/all", VTD, NULL, { { RULES "n_saved", HELD, 4 } }, NULL,
      RULES "saved[0]", HELD - 1 },
    { "messages/more", VTD, "no more messages",
      { { RULES "n_saved", HELD + 1, 4 } } },
    { "messages/negative", VTD, "no more messages",
      { { RULES "n_saved", UINT32_MAX, 4 } } },
    { "rules/all", VTD, NULL, { { RULE_LIST "n", RULES_MAX, 4 } }, NULL,
      RULE_LIST "rules[0]", RULES_MAX - 1 },
    { "rules/more", VTD, "no more rules",
      { { RULE_LIST "n", RULES_MAX + 1, 4 } } },
    { "rules/negative", VTD, "no more rules",
      { { RULE_LIST "n", UINT32_MAX, 4 } } },
    { "requests/not-there", VTD, PRQ_STATE,
      { { PRQ "queue.n_pending", 1, 4 } } },
    { "interrupt/last", VTD, NULL, { { PRQ "irq_first", IRQS - 1, 4 } } },
    { "interrupt/none", VTD, PRQ_STATE, { { PRQ "irq_first", IRQS, 4 } } },
    { "interrupts/all", VTD, NULL, { { PRQ "irq_n", IRQS, 4 } } },
    { "interrupts/more", VTD, PRQ_STATE, { { PRQ "irq_n", IRQS + 1, 4 } } },
    { "waits/not-there", VTD, QI_STATE, { { QI "n_waits", 1, 4 } } },
    { "itags/not-there", VTD, ITAG_STATE, { { ITAGS "outstanding", 1, 4 } } },
    { "knob/last-value", VTD, NULL, { { KNOBS "prq_hold", 2, 8 } } },
    { "knob/no-value", VTD, SVM_STATE, { { KNOBS "prq_hold", 3, 8 } } },
};

/* A second write, as long as one can be */
static void post_page(PriLab *lab, uint64_t iova)
{
    QPtOp op = {
        .cmd = PT_OP_FILL, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = iova, .len = PAGE,
    };

    qvtd_fs_map(&lab->v, lab->pml4, iova, qvtd_alloc(&lab->v, 1),
                QVTD_FS_USER);
    qpt_start(&lab->d, 0, &op);
    while (lab_dma_waiting(lab) < 2) {
        g_usleep(100);
    }
}

static void post(PriLab *lab, uint64_t iova)
{
    qvtd_fs_map(&lab->v, lab->pml4, iova, qvtd_alloc(&lab->v, 1),
                QVTD_FS_USER);
    lab_post(lab, 0, iova, 0);
}

/* Something of each kind, saved */
static void save(LabStream *s, const char *file)
{
    g_autofree char *uri = g_strdup_printf("file:%s", file);
    PriLab lab;

    pri_lab_start_with(&lab, NULL, DEV, 0);
    g_assert_null(lab_object_add(lab.qts, "r", ", 'action': 'hold',"
                                 " 'kind': 'page-request'"));
    lab_request(&lab, LAB_IOVA + 2 * PAGE, PT_RAW_READ | PT_RAW_LAST, 1);
    post(&lab, LAB_IOVA);
    post_page(&lab, LAB_IOVA + PAGE);
    g_assert_cmpuint(lab_dma_waiting(&lab), ==, 2);
    lab_save(&lab, uri);
    pri_lab_stop(&lab);
    lab_stream_read(s, file);
    g_assert_cmpuint(lab_stream_get(s, PT, FN "atc/n_saved", 4), ==, ATC);
    g_assert_cmpuint(lab_stream_get(s, PT, FN "posted/n", 4), ==, 2);
    g_assert_cmpuint(lab_stream_get(s, VTD, RULES "n_saved", 4), ==, 1);
    g_assert_cmpuint(lab_stream_get(s, VTD, PRQ "irq_n", 4), ==, 0);
}

/* Why a stream is refused by a machine with @vtd, or NULL */
static char *load_into(const char *file, const char *vtd)
{
    g_autofree char *uri = g_strdup_printf("file:%s", file);
    const char *status;
    char *why = NULL;
    QDict *info;
    PriLab to;
    bool end;

    pri_lab_boot_incoming(&to, vtd, DEV);
    qtest_qmp_assert_success(to.qts, "{ 'execute': 'migrate-incoming', "
                             "'arguments': { 'uri': %s, "
                             "'exit-on-error': false } }", uri);
    do {
        g_free(why);
        info = qtest_qmp_assert_success_ref(to.qts,
                                            "{ 'execute': 'query-migrate' }");
        status = qdict_get_try_str(info, "status");
        end = !g_strcmp0(status, "completed") || !g_strcmp0(status, "failed");
        why = !g_strcmp0(status, "completed") ? NULL :
              g_strdup(qdict_get_try_str(info, "error-desc") ?: "");
        qobject_unref(info);
    } while (!end);
    qtest_quit(to.qts);
    return why;
}

static char *load(const char *file)
{
    return load_into(file, NULL);
}

static void set(LabStream *s, const Row *row, const Field *fields)
{
    for (const Field *f = fields; f && f->path; f++) {
        lab_stream_set(s, row->section, f->path, f->size, f->value);
    }
}

static void test_field(const void *opaque)
{
    g_autofree char *dir = g_dir_make_tmp("pri-lab-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/state", dir);
    g_autofree char *why = NULL;
    const Row *row = opaque;
    LabStream s;

    save(&s, file);
    set(&s, row, row->with);
    set(&s, row, row->fields);
    if (row->repeat) {
        lab_stream_repeat(&s, row->section, row->repeat, row->times);
    }
    g_assert_true(g_file_set_contents(file, (char *)s.data, s.len, NULL));
    why = load(file);
    g_test_message("%s", why ?: "taken");
    g_assert_cmpint(!!row->why, ==, !!why);
    g_assert_true(!row->why || (why && strstr(why, row->why)));
    lab_stream_free(&s);
    g_unlink(file);
    g_rmdir(dir);
}

/* Rules, one or two, whose names no object can have */
static void test_rule_names(const void *opaque)
{
    g_autofree char *dir = g_dir_make_tmp("pri-lab-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/state", dir);
    g_autofree char *why = NULL;
    unsigned int n = GPOINTER_TO_UINT(opaque);
    size_t size = 0;
    LabStream s;

    save(&s, file);
    *lab_stream_field(&s, VTD, RULE_LIST "rules[0]/id", &size) = '/';
    lab_stream_set(&s, VTD, RULE_LIST "n", 4, n);
    lab_stream_repeat(&s, VTD, RULE_LIST "rules[0]", n - 1);
    g_assert_true(g_file_set_contents(file, (char *)s.data, s.len, NULL));
    why = load(file);
    g_test_message("%s", why ?: "taken");
    g_assert_nonnull(strstr(why ?: "", "ats/rules/list"));
    lab_stream_free(&s);
    g_unlink(file);
    g_rmdir(dir);
}

/* An IOMMU without a link has no rules, and takes none */
static void test_no_link(void)
{
    g_autofree char *dir = g_dir_make_tmp("pri-lab-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/state", dir);
    g_autofree char *why = NULL;
    LabStream s;

    save(&s, file);
    why = load_into(file, "svm=off,x-pasid-mode=off,device-iotlb=off");
    g_test_message("%s", why ?: "taken");
    g_assert_nonnull(strstr(why ?: "", "ats/rules/list"));
    lab_stream_free(&s);
    g_unlink(file);
    g_rmdir(dir);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    for (unsigned int i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *name = g_strdup_printf("/pri-lab/MIG-06/field/%s",
                                                rows[i].name);

        qtest_add_data_func(name, &rows[i], test_field);
    }
    qtest_add_data_func("/pri-lab/MIG-06/rule-name", GUINT_TO_POINTER(1),
                        test_rule_names);
    qtest_add_data_func("/pri-lab/MIG-06/rule-names", GUINT_TO_POINTER(2),
                        test_rule_names);
    qtest_add_func("/pri-lab/MIG-06/no-link", test_no_link);
    return g_test_run();
}
