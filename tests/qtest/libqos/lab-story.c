/*
 * A run of many steps that is saved and loaded at each of them
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-state.h"
#include "libqos/lab-story.h"
#include <glib/gstdio.h>

#define PAGE            4096
#define MEMORY          0x1000000ULL    /* where tables and queues begin */
#define CONFIG_SIZE     0x1000
#define SETTLE_POLLS    200

/* -- How it ends ----------------------------------------------------------- */

/* Registers that are not the function's state, but the reader's */
static bool is_clock(unsigned int reg)
{
    return reg >= PT_LOG_SELECT && reg < PT_CLOCK + 8;
}

static void note_function(GString *text, PriLab *lab)
{
    for (unsigned int reg = 0; reg < 0x1f0; reg += 4) {
        if (!is_clock(reg)) {
            g_string_append_printf(text, "pt 0x%03x 0x%x\n", reg,
                                   qpt_readl(&lab->d, reg));
        }
    }
    for (unsigned int n = 0; n < lab->d.channels; n++) {
        for (unsigned int reg = 0; reg < 0x70; reg += 4) {
            g_string_append_printf(text, "channel %u 0x%02x 0x%x\n", n, reg,
                                   qpt_ch_readl(&lab->d, n, reg));
        }
    }
    for (unsigned int reg = 0; reg < CONFIG_SIZE; reg += 4) {
        uint32_t value = qpt_config_readl(&lab->d, reg);

        if (value) {
            g_string_append_printf(text, "config 0x%03x 0x%x\n", reg, value);
        }
    }
    for (unsigned int at = 0; at < PAGE; at += 4) {
        uint32_t value = qtest_readl(lab->qts, lab->d.bar2 + at);

        if (value) {
            g_string_append_printf(text, "msix 0x%03x 0x%x\n", at, value);
        }
    }
}

static void note_iommu(GString *text, PriLab *lab)
{
    static const char *const counters[] = {
        "x-msis", "x-last-msi-addr", "x-last-msi-data", "x-prq-pending",
        "x-prq-events", "link-held",
    };

    for (unsigned int reg = 0; reg < 0x300; reg += 4) {
        uint32_t value = qvtd_readl(&lab->v, reg);

        if (value) {
            g_string_append_printf(text, "vtd 0x%03x 0x%x\n", reg, value);
        }
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(counters); i++) {
        g_string_append_printf(text, "%s %" PRIu64 "\n", counters[i],
                               qvtd_counter(&lab->v, counters[i]));
    }
}

static void note_memory(GString *text, PriLab *lab)
{
    size_t len = lab->v.next - MEMORY;
    g_autofree uint8_t *bytes = g_malloc(len);

    qtest_bufread(lab->qts, MEMORY, bytes, len);
    for (size_t at = 0; at < len; at += PAGE) {
        g_autofree char *sum = g_compute_checksum_for_data(
            G_CHECKSUM_MD5, bytes + at, PAGE);

        g_string_append_printf(text, "memory 0x%zx %s\n",
                               (size_t)MEMORY + at, sum);
    }
}

static char *note_all(LabStory *s)
{
    GString *text = g_string_new(NULL);
    g_autofree char *log = lab_read_log(&s->lab);

    g_string_append(text, log);
    note_function(text, &s->lab);
    note_iommu(text, &s->lab);
    note_memory(text, &s->lab);
    return g_string_free(text, false);
}

/* The first line in which they differ */
static void expect_same(const char *got, const char *want, const char *how)
{
    g_auto(GStrv) a = g_strsplit(got, "\n", -1);
    g_auto(GStrv) b = g_strsplit(want, "\n", -1);

    for (unsigned int i = 0; a[i] || b[i]; i++) {
        if (g_strcmp0(a[i], b[i])) {
            g_test_message("%s: line %u: \"%s\", not \"%s\"", how, i,
                           a[i] ?: "", b[i] ?: "");
            g_test_fail();
            return;
        }
        if (!a[i] || !b[i]) {
            return;
        }
    }
}

/* -- Steps ----------------------------------------------------------------- */

void lab_story_step_clock(LabStory *s, int64_t ns)
{
    s->now = qtest_clock_step(s->lab.qts, ns);
}

/* Until what a step has begun in bottom halves is done */
static void settle(LabStory *s)
{
    g_autofree char *before = lab_read_log(&s->lab);

    for (int i = 0, same = 0; i < SETTLE_POLLS && same < 3; i++) {
        char *after;

        g_usleep(200);
        after = lab_read_log(&s->lab);
        same = strcmp(before, after) ? 0 : same + 1;
        g_free(before);
        before = after;
    }
}

static void begin(LabStory *s, const LabScript *script)
{
    memset(s, 0, sizeof(*s));
    pri_lab_start_with(&s->lab, script->vtd, script->dev, 0);
    s->pa = qvtd_alloc(&s->lab.v, LAB_STORY_PAGES);
    lab_story_step_clock(s, 1000);
}

static void tell(LabStory *s, const LabScript *script, unsigned int from)
{
    for (unsigned int i = from; script->steps[i]; i++) {
        script->steps[i](s);
        settle(s);
    }
}

/* -- Saving and loading ---------------------------------------------------- */

static void save(LabStory *s, const char *file)
{
    g_autofree char *uri = g_strdup_printf("file:%s", file);

    qtest_qmp_assert_success(s->lab.qts, "{ 'execute': 'stop' }");
    qtest_qmp_assert_success(s->lab.qts, "{ 'execute': 'migrate', "
                             "'arguments': { 'uri': %s } }", uri);
    lab_wait_migrated(s->lab.qts);
    qtest_qmp_assert_success(s->lab.qts, "{ 'execute': 'cont' }");
}

static void load(LabStory *s, const LabScript *script, const char *file)
{
    g_autofree char *uri = g_strdup_printf("file:%s", file);
    PriLab fresh;

    pri_lab_boot_incoming(&fresh, script->vtd, script->dev);
    qtest_qmp_assert_success(fresh.qts, "{ 'execute': 'migrate-incoming', "
                             "'arguments': { 'uri': %s } }", uri);
    lab_wait_migrated(fresh.qts);
    qtest_clock_set(fresh.qts, s->now);
    qtest_qmp_assert_success(fresh.qts, "{ 'execute': 'cont' }");
    s->lab.qts = fresh.qts;
    s->lab.v.qts = fresh.qts;
    s->lab.d.qts = fresh.qts;
}

void lab_story_test(const void *opaque)
{
    const LabScript *script = opaque;
    g_autofree char *dir = g_dir_make_tmp("pri-lab-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/state", dir);
    g_autofree char *want = NULL;
    LabStory plain, saved;

    begin(&plain, script);
    tell(&plain, script, 0);
    want = note_all(&plain);
    pri_lab_stop(&plain.lab);

    begin(&saved, script);
    for (unsigned int i = 0; script->steps[i]; i++) {
        g_autofree char *how = g_strdup_printf("loaded before step %u", i);
        g_autofree char *got = NULL;
        LabStory loaded = saved;

        save(&saved, file);
        load(&loaded, script, file);
        g_unlink(file);
        tell(&loaded, script, i);
        got = note_all(&loaded);
        pri_lab_stop(&loaded.lab);
        expect_same(got, want, how);

        script->steps[i](&saved);
        settle(&saved);
    }
    {
        g_autofree char *got = note_all(&saved);

        expect_same(got, want, "saved before every step");
    }
    pri_lab_stop(&saved.lab);
    g_rmdir(dir);
}
